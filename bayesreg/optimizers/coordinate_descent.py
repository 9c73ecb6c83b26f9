"""Cyclic coordinate descent, and its proximal Newton form where the loss is not quadratic."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bayesreg.likelihoods import Gaussian
from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._iterate import State, iterate
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

KERNEL = "bayesreg.optimizers._coordinate_kernel"
MAX_SWEEPS = 1000  # per Newton step
HALVINGS = 50  # of a Newton step


@dataclass(frozen=True, eq=False)
class CoordinateState(State):
    """An iterate and its predictor."""

    eta: Vector


class CoordinateDescent(Optimizer):
    """One coordinate at a time, each minimised exactly; zeros are exact.

    An iteration is one sweep for a Gaussian likelihood. For the others it is a proximal Newton
    step: sweeps over the quadratic model of the loss (a parabola above it where the loss bends the
    other way), then a line search on the objective.
    """

    name: ClassVar[str] = "coordinate_descent"
    summary: ClassVar[str] = "cyclic coordinate descent (proximal Newton for GLMs); exact zeros"
    requires: ClassVar[tuple[str, ...]] = ("numba",)
    bounded: ClassVar[bool] = True

    def reason_against(self, problem: Problem) -> str | None:
        """Take every problem."""
        del problem
        return None

    def prepare(self, problem: Problem) -> None:
        """Compile the kernel."""
        del problem
        import_module(KERNEL)

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Stop when no coordinate changes by more than `tol` natural units."""
        form = Composite.of(problem)
        step = _sweep_step if isinstance(problem.likelihood, Gaussian) else _newton_step
        point = form.start()
        eta = form.predictor(point)
        start = CoordinateState(point, form.value(point, eta), np.inf, eta)
        limits = settings.limits(max_iter=10_000, tol=1e-10)
        run = iterate(start, lambda state: step(form, state), limits)
        return form.solution(run)


def _model(form: Composite, eta: Vector) -> tuple[Vector, Vector, Vector]:
    """Return curvature, pull (writable) and diagonal of the quadratic model at a predictor."""
    curvature = form.row_metric(eta)
    return curvature, -form.row_gradient(eta), curvature @ form.matrix**2


def _sweep(form: Composite, model: tuple[Vector, Vector, Vector], point: Vector) -> float:
    curvature, pull, diagonal = model
    penalty = form.elastic_net
    lowest = np.where(penalty.nonnegative, 0.0, -np.inf)
    sweep = import_module(KERNEL).sweep
    changed = sweep(
        form.matrix.T, curvature, pull, point, diagonal, penalty.l1, penalty.l2, penalty.loc, lowest
    )
    return float(changed)


def _sweep_step(form: Composite, state: CoordinateState) -> CoordinateState:
    """One sweep; the predictor is computed afresh, so that rounding does not build up."""
    point = state.point.copy()
    changed = _sweep(form, _model(form, state.eta), point)
    eta = form.predictor(point)
    return CoordinateState(point, form.value(point, eta), changed / form.unit, eta)


def _newton_step(form: Composite, state: CoordinateState) -> CoordinateState:
    """Minimise the quadratic model to a hundredth of its first change, then search the line."""
    model, target = _model(form, state.eta), state.point.copy()
    aim = 0.01 * _sweep(form, model, target)
    for _ in range(MAX_SWEEPS):
        if _sweep(form, model, target) <= aim:
            break
    move = target - state.point
    change = float(np.abs(move).max(initial=0.0)) / form.unit
    # Values agree to rounding only, so a rise of that size is none.
    ceiling = state.value + 1e-14 * abs(state.value)
    for halving in range(HALVINGS):
        point = target if halving == 0 else state.point + 0.5**halving * move
        eta = form.predictor(point)
        value = form.value(point, eta)
        if value <= ceiling:
            return CoordinateState(point, value, change, eta)
    return CoordinateState(state.point, state.value, change, state.eta)
