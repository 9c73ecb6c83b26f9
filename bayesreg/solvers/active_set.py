"""Exact modes of ``loss(β₀ + Xβ) + Σ l1|β| + Σ l2(β − loc)²/2`` by active-set Newton.

The outer loop is Newton's method with a line search: at each point the loss becomes a quadratic.
The inner loop solves that quadratic plus penalty exactly, as a finite active-set method: on the
current support, with the current signs, the problem is a linear system (solved by an orthogonal
factorisation); a coefficient that would change its sign is set to 0.0 and leaves; when none does,
the coefficients whose gradient exceeds the penalty's slope enter. A Gaussian loss is its own
quadratic, so there further outer rounds are iterative refinement of the linear system.

A coefficient that may not be negative has the sign +1: it enters only if it is pulled upwards, and
leaves when it reaches 0, even where its penalty has no slope there.

Everything happens on centred columns of unit norm, where a scaled KKT residual is meaningful.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular

from bayesreg.errors import NotConverged
from bayesreg.solvers.base import Solution
from bayesreg.solvers.scaled import EPS, Derivatives, Scaled, largest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.penalties import ElasticNetPenalty
    from bayesreg.problem import Problem

# Relative slack for a coefficient to enter: below it, a tie at the threshold stays exactly 0.
_ENTER = 1e-12
_MAX_NEWTON = 200
# A scaled KKT residual below which Newton may stop as soon as it stops improving.
_TINY = 1e-7
_MOST_ENTERING = 32


def solve(problem: Problem, *, coef: Vector | None = None, intercept: float = 0.0) -> Solution:
    """Find the mode of a problem whose scales are all known.

    Parameters
    ----------
    problem : Problem
        Proper, with every scale known.
    coef : ndarray, shape (p,), optional
        A start, such as the mode at a neighbouring scale.
    intercept : float
        The intercept that goes with it.

    Returns
    -------
    Solution
        Coefficients to rounding error.

    Raises
    ------
    NotConverged
        If Newton's method does not reach rounding error.
    """
    work = Scaled.of(problem, problem.elastic_net)
    theta = work.start(coef, intercept)
    value = work.objective(theta)
    best, best_residual, stalled, last = theta, math.inf, 0, np.full_like(theta, math.nan)
    for iteration in range(_MAX_NEWTON):
        at = work.derivatives(theta)
        residual, floor = _residual(work, theta, at)
        if not math.isfinite(residual):
            break
        # On columns of unit norm coordinates are comparable: a step below rounding is none.
        still = largest(theta - last) <= 4 * EPS * largest(theta)
        stalled = stalled + 1 if residual > 0.9 * best_residual or still else 0
        last = theta
        if residual < best_residual:
            best, best_residual = theta, residual
        # Converged to rounding: exact, or twice without progress once the residual is tiny.
        if residual == 0.0 or (best_residual < _TINY + 100 * floor and stalled >= 2):
            return Solution(*work.finish(best), iteration)
        target = _solve_quadratic(work, theta, at)
        theta, value = _line_search(work, theta, target, value)
    msg = (
        "problem: Newton's method did not reach rounding error (KKT residual "
        f"{best_residual:.2g} after {iteration + 1} steps); centre and scale the columns of X, or "
        "use a stronger prior"
    )
    raise NotConverged(msg)


def _residual(
    work: Scaled[ElasticNetPenalty], theta: Vector, at: Derivatives
) -> tuple[float, float]:
    """Largest scaled KKT residual, and the rounding error of the gradient on the same scale."""
    diagonal = at.diagonal + work.penalty.l2
    length = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    distance = work.penalty.subdifferential_distance(theta, at.gradient) / length
    floor = float((at.rounding / length).max(initial=0.0))
    return float(distance.max(initial=0.0)), floor


def _line_search(
    work: Scaled[ElasticNetPenalty], theta: Vector, target: Vector, value: float
) -> tuple[Vector, float]:
    """Step towards the minimiser of the quadratic, halving until the objective does not rise."""
    slack = 16 * EPS * (1.0 + abs(value))
    for halving in range(60):
        step = 0.5**halving
        trial = target if halving == 0 else theta + step * (target - theta)
        trial_value = work.objective(trial)
        if trial_value <= value + slack:
            return trial, trial_value
    return theta, value


@dataclass(frozen=True)
class _Quadratic:
    """``gradient·(φ − θ) + ‖M(φ − θ)‖²/2`` and the penalty, as a function of φ."""

    M: Matrix
    theta: Vector
    gradient: Vector
    penalty: ElasticNetPenalty
    rounding: Vector

    def uncertainty(self, phi: Vector) -> Vector:
        """Rounding error of `slope` at φ: a violation below it is none, or columns would cycle."""
        moved = np.abs(self.M) @ np.abs(phi - self.theta)
        return np.asarray(8 * self.rounding + 8 * EPS * (np.abs(self.M).T @ moved))

    def slope(self, phi: Vector) -> Vector:
        """Gradient of everything smooth at φ, shape (p,)."""
        change = phi - self.theta
        moved = self.M.T @ (self.M @ change) if change.any() else 0.0
        return self.gradient + moved + self.penalty.smooth_gradient(phi)

    def factor(self, support: NDArray[np.intp]) -> Matrix:
        """Triangular R with R'R the Hessian on the support."""
        rows = self.M[:, support]
        root = np.sqrt(self.penalty.l2[support])
        if root.any():
            rows = np.vstack([rows, np.diag(root)])
        if rows.shape[0] < rows.shape[1]:
            rows = np.vstack([rows, np.zeros((rows.shape[1] - rows.shape[0], rows.shape[1]))])
        return np.asarray(np.linalg.qr(rows, mode="r"))


def _solve_quadratic(work: Scaled[ElasticNetPenalty], theta: Vector, at: Derivatives) -> Vector:
    """Minimise the local quadratic plus penalty exactly, from θ; shape (p,)."""
    M = np.sqrt(at.curvature)[:, None] * work.Z
    quadratic = _Quadratic(M, theta, at.gradient, work.penalty, at.rounding)
    penalty, phi = work.penalty, theta.copy()
    sign = np.sign(phi)
    active = ~penalty.kinked | (phi != 0)
    most = _MOST_ENTERING
    for _ in range(50 * (phi.size + 10)):
        dropped_new = _settle(quadratic, phi, sign, active)
        # A coefficient that entered and left at once came in bad company: admit fewer at a time.
        most = max(1, most // 4) if dropped_new else most
        slope = quadratic.slope(phi)
        slack = penalty.l1 * _ENTER + quadratic.uncertainty(phi)
        pull = np.where(penalty.nonnegative, -slope, np.abs(slope))
        over = np.where(active, 0.0, pull - penalty.l1 - slack)
        entering = np.flatnonzero(over > 0)
        if entering.size == 0:
            return phi
        entering = entering[np.argsort(-over[entering], kind="stable")[:most]]
        sign[entering] = -np.sign(slope[entering])
        active[entering] = True
    msg = (
        "problem: the active set did not settle, because columns of X are collinear to rounding; "
        "drop one of them, or give them a prior with a square (Normal, ElasticNet)"
    )
    raise NotConverged(msg)


def _settle(quadratic: _Quadratic, phi: Vector, sign: Vector, active: NDArray[np.bool_]) -> bool:
    """Minimise over the active coefficients with their signs, dropping those that reach 0.

    Changes `phi`, `sign` and `active` in place. Returns whether a coefficient left that had just
    entered.
    """
    penalty = quadratic.penalty
    dropped_new = False
    while active.any():
        support = np.flatnonzero(active)
        factor = quadratic.factor(support)
        null = _null_direction(factor)
        kinked = penalty.kinked[support]
        if null is None:
            slope = quadratic.slope(phi)[support] + penalty.l1[support] * sign[support]
            step = solve_triangular(factor, slope, trans="T", check_finite=False)
            direction, reach = -solve_triangular(factor, step, check_finite=False), 1.0
        else:
            fall = float((penalty.l1[support] * sign[support]) @ null)
            direction, reach = (-null if fall > 0 else null), math.inf
            if fall == 0 and not (kinked & (sign[support] * null < 0)).any():
                direction = -direction
        against = kinked & (sign[support] * direction < 0)
        limits = np.full(support.size, math.inf)
        limits[against] = np.abs(phi[support][against] / direction[against])
        first = int(np.argmin(limits))
        if limits[first] >= reach:
            phi[support] += direction
            return dropped_new
        leaving = support[first]
        dropped_new |= phi[leaving] == 0
        phi[support] += limits[first] * direction
        phi[leaving] = 0.0
        # Others that reach 0 with it may be past it by rounding; they leave next.
        phi[penalty.kinked & (sign * phi < 0)] = 0.0
        sign[leaving], active[leaving] = 0.0, False
    return dropped_new


def _null_direction(factor: Matrix) -> Vector | None:
    """Return a direction that the Hessian does not see, if its triangular factor is singular."""
    diagonal = np.abs(np.diag(factor))
    norms = np.sqrt((factor**2).sum(axis=0))
    singular = np.flatnonzero(diagonal <= 64 * EPS * math.sqrt(factor.shape[0]) * norms)
    if singular.size == 0:
        return None
    j = int(singular[0])
    direction = np.zeros(factor.shape[0])
    direction[j] = 1.0
    if j > 0:
        direction[:j] = -solve_triangular(factor[:j, :j], factor[:j, j], check_finite=False)
    return direction
