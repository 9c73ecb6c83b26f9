"""The subgradient method: any element of the subdifferential, with a step that dies out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._iterate import State, iterate
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

WARM = 200.0  # steps before the step size begins to die out


@dataclass(frozen=True, eq=False)
class SubgradientState(State):
    """An iterate, its predictor and the number of steps so far."""

    eta: Vector
    count: int


class Subgradient(Optimizer):
    """Step against a subgradient, of size ``1 / (L (1 + k/200))``; the best iterate is the answer.

    The sizes sum to infinity and their squares do not, which is what convergence asks for. No
    iterate has exact zeros. The method knows no sign of being done unless the objective is smooth
    where it ends, so it rarely claims to have converged.
    """

    name: ClassVar[str] = "subgradient"
    summary: ClassVar[str] = "diminishing steps: slow, never exactly zero, cannot tell when to stop"

    def reason_against(self, problem: Problem) -> str | None:
        """Take every problem."""
        del problem
        return None

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Stop when the subgradient is below `tol` of the curvature, in natural units."""
        form = Composite.of(problem)
        base = form.lipschitz(form.weights)
        limits = settings.limits(max_iter=10_000, tol=1e-10)
        # A gradient step of the loss takes the start off the kinks, and so off exact zeros.
        point = form.start()
        eta = form.predictor(point)
        point = point - form.matrix.T @ form.row_gradient(eta) / _lipschitz(form, base, eta)
        start = _arrive(form, point, np.inf, 0)
        return form.solution(iterate(start, lambda state: _step(form, base, state), limits))


def _step(form: Composite, base: float, state: SubgradientState) -> SubgradientState:
    point, penalty = state.point, form.elastic_net
    slope = form.matrix.T @ form.row_gradient(state.eta) + penalty.smooth_gradient(point)
    subgradient = slope + penalty.l1 * np.sign(point)
    lipschitz = _lipschitz(form, base, state.eta) + float(penalty.l2.max(initial=0.0))
    size = 1.0 / (lipschitz * (1.0 + state.count / WARM))
    change = float(np.abs(subgradient).max(initial=0.0)) / (lipschitz * form.unit)
    return _arrive(form, point - size * subgradient, change, state.count + 1)


def _arrive(form: Composite, point: Vector, change: float, count: int) -> SubgradientState:
    eta = form.predictor(point)
    return SubgradientState(point, form.value(point, eta), change, eta, count)


def _lipschitz(form: Composite, base: float, eta: Vector) -> float:
    """Return the Lipschitz constant of the loss, or what stands in for it where there is none.

    `base` is the largest eigenvalue of ``A' diag(weights) A``. Without a bound on the curvature
    the size of the row gradients keeps a step from moving the predictor by much more than 1.
    """
    largest = form.likelihood.smoothness
    if largest is None:
        rows = np.maximum(form.row_curvature(eta), np.abs(form.row_gradient(eta)))
        largest = float((rows / form.weights).max())
    return base * largest or 1.0
