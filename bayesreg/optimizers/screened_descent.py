"""Coordinate descent on working sets, with gap-safe screening.

The duality gap does two things at once. It says when to stop; and since the dual is strongly
concave it bounds how far the dual optimum can be, so that a column whose correlation cannot reach
the penalty's slope within that distance is 0 at every optimum and leaves for good: the gap-safe
rule (Ndiaye, Fercoq, Gramfort, Salmon 2017). Of what is left, the columns nearest to entering make
the working set (Massias, Gramfort, Salmon 2018).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bayesreg.certificate import KKT_TOLERANCE
from bayesreg.likelihoods import ConvexLikelihood
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._iterate import State, iterate
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution
from bayesreg.optimizers.coordinate_descent import KERNEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.optimizers._protocol import Limits
    from bayesreg.problem import Problem

FEWEST = 50  # columns of a working set, where there are so many
SWEEPS = 200  # over a working set before everything is looked at again
HALVINGS = 50
# Nats that neither limit of a certificate can miss: half the square of a residual is its excess.
ENOUGH = 0.5 * KKT_TOLERANCE**2
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class ScreenedState(State):
    """An iterate with its predictor and the columns that may still be non-zero."""

    eta: Vector
    alive: NDArray[np.bool_]


class ScreenedDescent(Optimizer):
    """Coordinate descent that looks at few columns, and certifies what it leaves out."""

    name: ClassVar[str] = "screened_descent"
    summary: ClassVar[str] = "coordinate descent with working sets and gap-safe screening"
    requires: ClassVar[tuple[str, ...]] = ("numba",)
    bounded: ClassVar[bool] = True

    def reason_against(self, problem: Problem) -> str | None:
        """Need a curvature that is bounded and positive, for a dual that is strongly concave."""
        if not isinstance(problem.likelihood, ConvexLikelihood):
            return _reasons.needs_convex(problem)
        if problem.likelihood.smoothness is None:
            return f"its screening needs bounded curvature, a {problem.likelihood.name} has none"
        return _reasons.needs_columns(problem)

    def prepare(self, problem: Problem) -> None:
        """Compile the kernel."""
        del problem
        import_module(KERNEL)

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Stop at a duality gap of `tol`, relative to the objective of the empty model.

        By default at one so small that a certificate finds the mode. A gap within its own rounding
        error counts as none, and no residual may be worth more than the gap is allowed to be.
        """
        form = Composite.of(problem)
        screen = _Screen.of(form)
        point = form.start()
        eta = form.predictor(point)
        unit = max(1.0, abs(form.value(point, eta)))
        limits = settings.limits(max_iter=1000, tol=ENOUGH / unit)
        start = ScreenedState(
            point, form.value(point, eta), np.inf, eta, np.ones(point.size, dtype=bool)
        )
        run = iterate(start, lambda state: _round(form, screen, state, unit, limits), limits)
        return form.solution(run)


@dataclass(frozen=True, eq=False)
class _Screen:
    """What screening needs once: an orthonormal basis of the free columns, and lengths.

    Attributes
    ----------
    free : ndarray, shape (n, f)
        Orthonormal basis of the columns without a penalty, the intercept's among them.
    length : ndarray, shape (q,)
        Of each column in the norm dual to that in which the dual is strongly concave: with row
        curvatures up to L_i, ``√Σ L_i x_i²``.
    norm : ndarray, shape (q,)
        Of each column in the plain norm.
    """

    free: Matrix
    length: Vector
    norm: Vector

    @classmethod
    def of(cls, form: Composite) -> _Screen:
        flat = form.elastic_net.flat
        basis = np.linalg.qr(form.matrix[:, flat])[0] if flat.any() else form.matrix[:, :0]
        curvature = (form.likelihood.smoothness or 0.0) * form.weights
        norm = np.sqrt(np.vecdot(form.matrix.T, form.matrix.T))
        return cls(basis, _weighted_lengths(form.matrix, curvature), norm)

    def rounding(self, form: Composite, point: Vector, dual: Vector) -> Vector:
        """Return the rounding error of each correlation: of its sum, and of the predictor in it."""
        curvature = (form.likelihood.smoothness or 0.0) * form.weights
        spread = self.length @ np.abs(point) + math.sqrt(curvature @ (form.y - form.offset) ** 2)
        return 4 * EPS * (self.norm * float(np.linalg.norm(dual)) + self.length * spread)


def _weighted_lengths(matrix: Matrix, curvature: Vector) -> Vector:
    squares: Vector = np.einsum("ij,ij,i->j", matrix, matrix, curvature)
    return np.sqrt(squares)


@dataclass(frozen=True, eq=False)
class _Bound:
    """How far an iterate may be above the minimum, in nats, and what screening needs of the dual.

    Attributes
    ----------
    gap, noise : float
        The duality gap, and what rounding may have made of it.
    pull : ndarray, shape (q,)
        How hard the dual point pulls at each coordinate that is held at 0.
    """

    gap: float
    noise: float
    pull: Vector

    @classmethod
    def of(cls, form: Composite, screen: _Screen, state: ScreenedState) -> _Bound:
        """Take the gradient of the rows, orthogonal to what is free, shrunk until it is feasible.

        A correlation beyond the penalty's slope by no more than its rounding error is on it: it
        would shrink the whole dual point otherwise.
        """
        penalty, likelihood = form.elastic_net, form.likelihood
        assert isinstance(likelihood, ConvexLikelihood)  # noqa: S101  (see `reason_against`)
        dual = form.row_gradient(state.eta)
        dual = dual - screen.free @ (screen.free.T @ dual)
        error = np.where(penalty.flat, 0.0, screen.rounding(form, state.point, dual))
        correlation = np.where(penalty.flat, 0.0, form.matrix.T @ dual)
        share = penalty.dual_scale(penalty.towards_domain(correlation, error))
        correlation = share * correlation
        pull = penalty.l2 * penalty.loc - correlation
        strong = penalty.l2 > 0
        least = np.where(strong, -np.inf, -penalty.l1)
        most = np.where(strong | penalty.nonnegative, np.inf, penalty.l1)
        gap = likelihood.fenchel_young(state.eta, share * dual, form.y, form.weights)
        gap += penalty.fenchel_young(state.point, np.clip(correlation, least, most))
        squares = float((error[strong] ** 2 / penalty.l2[strong]).sum())
        return cls(
            gap if math.isfinite(gap) else math.inf,
            float(error @ np.abs(state.point)) + 0.5 * squares,
            np.where(penalty.nonnegative, pull, np.abs(pull)),
        )

    def excess(self, form: Composite, state: ScreenedState) -> float:
        """Return what the gap leaves, or a residual is worth where that is more, in nats."""
        left = self.gap if self.gap > self.noise else 0.0
        return max(left, 0.5 * _residual(form, state) ** 2)


def _residual(form: Composite, state: ScreenedState) -> float:
    """Return the largest KKT residual, in units of the root of the curvature."""
    penalty = form.elastic_net
    gradient = form.matrix.T @ form.row_gradient(state.eta)
    unit = np.hypot(
        _weighted_lengths(form.matrix, form.row_curvature(state.eta)), np.sqrt(penalty.l2)
    )
    distance = penalty.subdifferential_distance(state.point, gradient)
    return float((distance[unit > 0] / unit[unit > 0]).max(initial=0.0))


def _round(
    form: Composite, screen: _Screen, state: ScreenedState, unit: float, limits: Limits
) -> ScreenedState:
    """Screen, choose a working set, and descend on it until its own changes are small."""
    penalty, bound = form.elastic_net, _Bound.of(form, screen, state)
    pull = bound.pull
    if bound.gap <= max(bound.noise, limits.tol * unit):
        change = bound.excess(form, state) / unit
        if change <= limits.tol:
            return ScreenedState(state.point, state.value, change, state.eta, state.alive)
    # Distance in which the dual optimum lies, on the scale of a correlation with each column.
    reach = math.sqrt(2 * (bound.gap + bound.noise)) * screen.length
    alive = state.alive & ~(penalty.kinked & (pull + reach < penalty.l1))
    point = np.where(alive, state.point, 0.0)
    nearest = np.where(
        (point != 0) | ~penalty.kinked,
        -np.inf,
        (penalty.l1 - pull) / np.where(screen.length > 0, screen.length, 1.0),
    )
    size = max(FEWEST, 2 * int((point != 0).sum()))
    chosen = np.flatnonzero(alive)
    chosen = chosen[np.argsort(nearest[chosen], kind="stable")[:size]]
    target = _descend(form, point, np.sort(chosen))
    return _accept(form, state, point, target, alive)


def _descend(form: Composite, point: Vector, chosen: NDArray[np.intp]) -> Vector:
    """Minimise the quadratic model over some coordinates by sweeps; return all coordinates."""
    sweep = import_module(KERNEL).sweep
    eta = form.predictor(point)
    curvature, pull = form.row_curvature(eta), -form.row_gradient(eta)
    columns = np.ascontiguousarray(form.matrix[:, chosen].T)
    diagonal, local = columns**2 @ curvature, point[chosen]
    penalty = form.elastic_net.at(chosen)
    lowest = np.where(penalty.nonnegative, 0.0, -np.inf)
    numbers = (penalty.l1, penalty.l2, penalty.loc, lowest)
    aim = 0.0
    for k in range(SWEEPS):
        changed = sweep(columns, curvature, pull, local, diagonal, *numbers)
        aim = 1e-4 * changed if k == 0 else aim
        if changed <= aim:
            break
    out = point.copy()
    out[chosen] = local
    return out


def _accept(
    form: Composite, state: ScreenedState, point: Vector, target: Vector, alive: NDArray[np.bool_]
) -> ScreenedState:
    """Go to the target, or towards it until the objective does not rise."""
    ceiling = state.value + 1e-14 * abs(state.value)
    for halving in range(HALVINGS):
        trial = target if halving == 0 else point + 0.5**halving * (target - point)
        eta = form.predictor(trial)
        value = form.value(trial, eta)
        if value <= ceiling:
            return ScreenedState(trial, value, np.inf, eta, alive)
    return ScreenedState(state.point, state.value, np.inf, state.eta, alive)
