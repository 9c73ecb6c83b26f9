r"""Modes under separable penalties that bend: the mode where convex, else the best that is found.

From each start two steps alternate. A *proximal* step ``prox(θ − D⁻¹∇loss, D⁻¹)`` in the metric of
the Hessian's diagonal, lengthened only as far as the objective falls, finds which coefficients are
0. A *Newton* step from there on those that are not, with the second derivative of the penalty,
converges to rounding error; where a penalty is steep near 0 (powers between 1 and 2) the proximal
step has already put the coefficient where Newton's is small.

Where penalty or loss is not convex, a point at which both stand still is left again if it is not a
local minimum (along the eigenvector of the most negative curvature), or if moving one coefficient
alone, however far, lowers the objective: zeros may be stationary and yet high above a mode
elsewhere. The starts, always the same: nothing, least squares with a little ridge, the tangent
lasso (or ridge) at several strengths, and for few columns all subsets of them; under noise with
long tails those of `robust` besides. The lowest end wins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from bayesreg.errors import InputError, NotConverged
from bayesreg.penalties import ElasticNetPenalty, SeparablePenalty
from bayesreg.solvers.base import Solution
from bayesreg.solvers.robust import robust_starts
from bayesreg.solvers.scaled import EPS, Derivatives, Scaled, largest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

_MOST_ROUNDS = 2000
_MOST_ESCAPES = 50
# A scaled KKT residual below which a point is final as soon as it stops improving.
_TINY = 1e-7
# Columns up to which all subsets of them are starts: 2⁴ of them.
_FEW = 4
_STRENGTHS = (1.0, 0.3, 0.1, 0.03)


@dataclass(frozen=True)
class _End:
    """Where a descent ended."""

    theta: Vector
    value: float
    residual: float
    floor: float
    rounds: int

    @property
    def settled(self) -> bool:
        """Whether the residual is rounding error, or near it."""
        return self.residual <= _TINY + 100 * self.floor


def solve(problem: Problem, *, coef: Vector | None = None, intercept: float = 0.0) -> Solution:
    """Find the mode, or the lowest of the stationary points that are found.

    Parameters
    ----------
    problem : Problem
        Proper, with every scale known, and a `SeparablePenalty`.
    coef : ndarray, shape (p,), optional
        One more start, such as the mode at a neighbouring scale; the only one where the problem
        is convex.
    intercept : float
        The intercept that goes with it.

    Returns
    -------
    Solution
        Coefficients to rounding error; a local minimum.

    Raises
    ------
    NotConverged
        If no start leads to a point that is stationary to rounding error.
    """
    penalty = problem.penalty
    if not isinstance(penalty, SeparablePenalty):
        msg = f"prior: must be a prior of independent coefficients, found {problem.prior.name}"
        raise InputError(msg)
    work = Scaled.of(problem, penalty)
    first = work.start(coef, intercept)
    ends = [_descend(work, first)]
    if not work.convex:
        ends += [_descend(work, theta) for theta in _starts(work)]
    settled = [end for end in ends if end.settled]
    if not settled:
        closest = min(ends, key=lambda end: end.residual)
        msg = (
            f"problem: no start led to rounding error (KKT residual {closest.residual:.2g} at "
            "best); centre and scale the columns of X, or use a stronger prior"
        )
        raise NotConverged(msg)
    best = _lowest(settled)
    return Solution(*work.finish(best.theta), sum(end.rounds for end in ends))


def _lowest(ends: list[_End]) -> _End:
    """Return the lowest end; among those that agree to rounding the one with the most zeros."""
    lowest = min(end.value for end in ends)
    slack = 64 * EPS * (1.0 + abs(lowest))
    tied = [end for end in ends if end.value <= lowest + slack]
    return min(tied, key=lambda end: (np.count_nonzero(end.theta), end.residual, end.value))


# --------------------------------------------------------------------------- one descent


def _descend(work: Scaled[SeparablePenalty], start: Vector) -> _End:
    """Descend from a start; leave points that are stationary but no local minimum."""
    end = _settle(work, start)
    if work.convex:
        return end
    for _ in range(_MOST_ESCAPES):
        theta = _escape(work, end)
        if theta is None:
            break
        lower = _settle(work, theta)
        end = _End(lower.theta, lower.value, lower.residual, lower.floor, end.rounds + lower.rounds)
    return end


def _settle(work: Scaled[SeparablePenalty], start: Vector) -> _End:
    """Alternate proximal and Newton steps until nothing improves."""
    theta, value, boost, stalled = start, work.objective(start), 1.0, 0
    best = _End(theta, value, math.inf, 0.0, 0)
    for rounds in range(_MOST_ROUNDS):
        at = work.derivatives(theta)
        residual, floor = _residual(work, theta, at)
        if not math.isfinite(residual):
            break
        improved = residual < 0.9 * best.residual
        stalled = 0 if improved else stalled + 1
        if residual < best.residual or value < best.value - 1e-9 * (1 + abs(value)):
            best = _End(theta, value, residual, floor, rounds)
        if residual == 0.0 or (best.residual < _TINY + 100 * floor and stalled >= 3):
            break
        before = (*theta, value, boost)
        near, near_value, boost = _proximal_step(work, theta, value, at, boost)
        theta, value = _newton_step(work, near, near_value)
        if before == (*theta, value, boost):  # so would all further rounds
            break
    return best


def _residual(
    work: Scaled[SeparablePenalty], theta: Vector, at: Derivatives
) -> tuple[float, float]:
    """Largest scaled KKT residual, and the rounding error of the gradient on the same scale."""
    length = np.sqrt(np.where(at.diagonal > 0, at.diagonal, 1.0))
    distance = work.penalty.subdifferential_distance(theta, at.gradient) / length
    slope = np.where(theta != 0, np.abs(work.penalty.slope(theta)), 0.0)
    floor = ((at.rounding + 4 * EPS * slope) / length).max(initial=0.0)
    return float(distance.max(initial=0.0)), float(floor)


def _metric_prox(work: Scaled[SeparablePenalty], point: Vector, metric: Vector) -> Vector:
    """``argmin_u Σ metric (u − point)²/2 + penalty(u)``."""
    root = np.sqrt(metric)
    return np.asarray(work.penalty.rescaled(root).prox(point * root, 1.0) / root)


def _metric(at: Derivatives) -> Vector:
    """Diagonal of the Hessian of the loss; a column of zeros needs some number."""
    top = float(at.diagonal.max(initial=0.0)) or 1.0
    return np.maximum(at.diagonal, 1e-12 * top)


def _proximal_step(
    work: Scaled[SeparablePenalty], theta: Vector, value: float, at: Derivatives, boost: float
) -> tuple[Vector, float, float]:
    """Step with the diagonal of the Hessian, multiplied until the objective falls enough."""
    slack, boost = 16 * EPS * (1.0 + abs(value)), max(1.0, boost / 4)
    for _ in range(60):
        metric = boost * _metric(at)
        trial = _metric_prox(work, theta - at.gradient / metric, metric)
        trial_value = work.objective(trial)
        fall = 1e-3 * float(metric @ (trial - theta) ** 2)
        if trial_value <= value - fall + slack:
            return trial, trial_value, boost
        boost *= 2.0
    return theta, value, boost


def _hessian(
    work: Scaled[SeparablePenalty], theta: Vector
) -> tuple[NDArray[np.intp], Matrix, Vector]:
    """Positions that may move smoothly, and Hessian and gradient of the objective there."""
    at = work.derivatives(theta)
    support = np.flatnonzero((theta != 0) | ~work.penalty.kinked)
    bend = work.penalty.curvature(theta)
    support = support[np.isfinite(bend[support])]
    columns = work.Z[:, support]
    hessian = columns.T @ (at.curvature[:, None] * columns) + np.diag(bend[support])
    return support, hessian, (at.gradient + work.penalty.slope(theta))[support]


def _newton_step(
    work: Scaled[SeparablePenalty], theta: Vector, value: float
) -> tuple[Vector, float]:
    """Newton's step on the coefficients that are not 0, halved until the objective falls."""
    support, hessian, gradient = _hessian(work, theta)
    if support.size == 0:
        return theta, value
    step = np.zeros_like(theta)
    step[support] = -_solve_positive(hessian, gradient)
    slack, kinked = 16 * EPS * (1.0 + abs(value)), work.penalty.kinked
    for halving in range(30):
        trial = theta + 0.5**halving * step
        trial[kinked & (trial * theta < 0)] = 0.0
        trial_value = work.objective(trial)
        if trial_value <= value + slack:
            return trial, trial_value
    return theta, value


def _solve_positive(hessian: Matrix, gradient: Vector) -> Vector:
    """Solve with the Hessian, or with the sizes of its eigenvalues where it is not positive.

    Scaled to a unit diagonal, so that a steep penalty on one coefficient hides nothing of others.
    """
    diagonal = np.abs(np.diag(hessian))
    root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = hessian / root / root[:, None]
    try:
        solved = cho_solve(cho_factor(scaled, check_finite=False), gradient / root)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(scaled)
        size = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
        solved = vectors @ ((vectors.T @ (gradient / root)) / size)
    return np.asarray(solved / root)


# --------------------------------------------------------------------------- leaving


def _escape(work: Scaled[SeparablePenalty], end: _End) -> Vector | None:
    """Return a lower point from which to go on; None where the end is a minimum as far as seen."""
    target = end.value - 1e-9 * (1.0 + abs(end.value))
    trials = [*_along_negative_curvature(work, end.theta), *_one_at_a_time(work, end.theta)]
    values = [work.objective(trial) for trial in trials]
    if not values or min(values) >= target:
        return None
    return trials[int(np.argmin(values))]


def _along_negative_curvature(work: Scaled[SeparablePenalty], theta: Vector) -> list[Vector]:
    """Points on both sides along the eigenvector of the most negative curvature, if there is."""
    support, hessian, _ = _hessian(work, theta)
    if support.size == 0:
        return []
    diagonal = np.abs(np.diag(hessian))
    root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(hessian / root / root[:, None])
    if values[0] >= -1e-8:
        return []
    direction = np.zeros_like(theta)
    direction[support] = vectors[:, 0] / root
    length = max(1.0, largest(theta)) / largest(direction)
    return [
        np.where(work.penalty.nonnegative, np.maximum(moved, 0.0), moved)
        for size in 2.0 ** np.arange(3, -20, -1)
        for moved in (theta + size * length * direction, theta - size * length * direction)
    ]


def _one_at_a_time(work: Scaled[SeparablePenalty], theta: Vector, most: int = 8) -> list[Vector]:
    """Points that differ in one coefficient, put where the quadratic model is globally lowest."""
    at, penalty = work.derivatives(theta), work.penalty
    metric = _metric(at)
    moved = _metric_prox(work, theta - at.gradient / metric, metric)
    change = moved - theta
    fall = -(at.gradient + 0.5 * metric * change) * change
    fall += penalty.values(theta) - penalty.values(moved)
    order = [j for j in np.argsort(-fall, kind="stable")[:most] if fall[j] > 0]
    trials = [theta.copy() for _ in order]
    for trial, j in zip(trials, order, strict=True):
        trial[j] = moved[j]
    return trials


# --------------------------------------------------------------------------- starts


def _starts(work: Scaled[SeparablePenalty]) -> Iterator[Vector]:
    """Starts where something is not convex; each is nearly the solution of something that is."""
    yield from robust_starts(work)
    null = work.start(None, 0.0)
    at = work.derivatives(null)
    intercept = int(work.problem.design.intercept)
    columns = np.arange(intercept, null.size)
    metric = _metric(at)
    if not work.penalty.convex:
        yield _weighted_ridge(work, null, columns, 1e-6 * metric)
    yield _weighted_ridge(work, null, columns, 0.1 * metric)
    # Strengths in units of the largest correlation: at 1 the tangent lasso is all zeros.
    top = float(np.abs(at.gradient[columns]).max(initial=0.0))
    for strength in _STRENGTHS if not work.penalty.convex else _STRENGTHS[2:3]:
        yield _weighted_lasso(work, null, strength * top, columns)
    if columns.size <= _FEW and not work.penalty.convex:
        for size in range(1, columns.size):
            for subset in combinations(columns.tolist(), size):
                yield _weighted_ridge(work, null, np.array(subset), 1e-6 * metric)


def _bounded(work: Scaled[SeparablePenalty], theta: Vector) -> Vector:
    return np.where(work.penalty.nonnegative, np.maximum(theta, 0.0), theta)


def _weighted_ridge(
    work: Scaled[SeparablePenalty], null: Vector, columns: NDArray[np.intp], weight: Vector
) -> Vector:
    """One Newton step from the empty model on some columns, with a ridge penalty."""
    at = work.derivatives(null)
    chosen = np.concatenate([np.arange(int(work.problem.design.intercept)), columns])
    rows = np.sqrt(at.metric)[:, None] * work.Z[:, chosen]
    hessian = rows.T @ rows + np.diag(weight[chosen])
    theta = null.copy()
    theta[chosen] -= _solve_positive(hessian, at.gradient[chosen])
    return _bounded(work, theta)


def _weighted_lasso(
    work: Scaled[SeparablePenalty], null: Vector, strength: float, columns: NDArray[np.intp]
) -> Vector:
    """Roughly the lasso of this strength: a start needs its support, not its digits."""
    l1, zero = np.zeros(null.size), np.zeros(null.size)
    l1[columns] = strength
    lasso = ElasticNetPenalty(l1, zero, zero, work.penalty.nonnegative)
    convex = replace(work, penalty=lasso)
    theta, value, boost = null, convex.objective(null), 1.0
    for _ in range(30):
        near, near_value, boost = _proximal_step(
            convex, theta, value, convex.derivatives(theta), boost
        )
        theta, value = _newton_step(convex, near, near_value)
    return theta
