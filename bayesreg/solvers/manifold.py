"""Exact modes under penalties that tie coefficients to each other: norms, balls, random walks.

Accelerated proximal gradient steps (Beck & Teboulle 2009, restarted as O'Donoghue & Candès 2015)
find out which coefficients are 0, tied or on a border: they do so after finitely many steps. On the
manifold of such coefficients the objective is smooth, and Newton's method takes it to rounding
error (Bareilles, Iutzeler & Malick 2023). The subdifferential of the whole penalty then judges: if
the manifold was the wrong one, more first-order steps follow from the better point.

First-order steps work on centred columns of unit norm; the manifold is that of the user's own
coefficients, so that ties come out exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from bayesreg.errors import InputError, NotConverged
from bayesreg.penalties import BallPenalty, JoinedPenalty, Penalty
from bayesreg.solvers.along_manifold import Point, Work, newton
from bayesreg.solvers.base import Solution
from bayesreg.solvers.robust import robust_starts
from bayesreg.solvers.scaled import EPS, largest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

# Scaled KKT residual to reach, on top of the rounding error of the gradient.
_EXACT = 1e-11
# First-order steps: in the first round, in any, in all; before a ball is taken by its multiplier.
_FEWEST, _MOST, _ALL, _PATIENCE = 20, 4000, 200_000, 2000
# Log of the least multiplier to look at.
_LEAST = -60.0


def solve(problem: Problem, *, coef: Vector | None = None, intercept: float = 0.0) -> Solution:
    """Find the mode of a problem with a convex penalty whose scales are all known.

    Under noise with long tails the lowest of the stationary points that are found.

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
        Coefficients to rounding error; zeros are exactly 0.0 and ties exact where scales agree.

    Raises
    ------
    InputError
        If a part of the penalty is not convex.
    NotConverged
        If rounding error is not reached.
    """
    if not problem.penalty.convex:
        msg = (
            f"prior: {problem.prior.name} holds a part that is not convex beside one that ties "
            "coefficients to each other; use one kind or the other"
        )
        raise InputError(msg)
    work = Work.of(problem)
    starts = [work.scaled.start(coef, intercept), *robust_starts(work.scaled)]
    ends = [_search(work, start) for start in starts]
    newtons = sum(end.newtons for end in ends)
    end = min(ends, key=lambda end: (not end.reached, end.value(work), end.residual))
    if not end.reached:
        msg = (
            f"problem: rounding error was not reached (KKT residual {end.residual:.2g}); centre "
            "and scale the columns of X, or use a stronger prior"
        )
        raise NotConverged(msg)
    _, level = work.scaled.finish(end.theta)
    return Solution(end.point.coef(work), level, newtons)


@dataclass(frozen=True)
class _End:
    """Where a search ended: the point, θ there, its KKT residual, and whether that will do."""

    point: Point
    theta: Vector
    residual: float
    reached: bool
    newtons: int

    def value(self, work: Work) -> float:
        """Return the objective there."""
        return work.loss(self.theta) + work.penalty.value(self.point.coef(work))


def _search(work: Work, start: Vector) -> _End:
    """Descend from a start, by the multiplier of a ball where that does not end."""
    # A start outside of a ball is moved into it.
    theta, balls = work.whole.prox(start, EPS), _balls(work.penalty)
    end = _descend(work, theta, _PATIENCE if len(balls) == 1 else _ALL)
    if end.reached or len(balls) != 1:
        return end
    theta = _by_multiplier(work, balls[0], end.theta)
    return _descend(work, work.whole.prox(theta, EPS), _ALL)


def _descend(work: Work, theta: Vector, most: int) -> _End:
    """Take first-order steps, at most so many in all, and Newton's between ever more of them."""
    steps, taken, newtons = _FEWEST, 0, 0
    while True:
        theta = _first_order(work, theta, steps)
        taken, steps = taken + steps, min(2 * steps, _MOST)
        point, count = newton(work, Point.of(work, theta), taken // _FEWEST)
        newtons += count
        theta = point.theta(work)
        residual, floor = work.residual(theta)
        reached = residual <= _EXACT + 8 * floor
        if reached or taken >= most:
            return _End(point, theta, residual, reached, newtons)


# --------------------------------------------------------------------------- balls


def _balls(penalty: Penalty) -> list[tuple[BallPenalty, NDArray[np.intp]]]:
    """Return the balls among the parts of a penalty, with the positions of their coefficients."""
    parts = penalty.parts if isinstance(penalty, JoinedPenalty) else ()
    if isinstance(penalty, BallPenalty):
        parts = ((penalty, np.arange(penalty.size)),)
    return [(part, columns) for part, columns in parts if isinstance(part, BallPenalty)]


def _by_multiplier(work: Work, ball: tuple[BallPenalty, NDArray[np.intp]], theta: Vector) -> Vector:
    """Return nearly the solution on the border of a ball, by the penalised problems beside it.

    The norm of their solutions falls as the multiplier rises, to where it is 1. This takes longer
    than the direct way, but Newton's method is at ease without the constraint.
    """
    shape, columns = ball[0].shape, ball[1]
    _, gradient = work.loss_gradient(theta)
    pull = -gradient[work.first :][columns] @ (work.coef(theta) * work.scaled.norm)[columns]
    latest = [theta]

    def excess(log_multiplier: float) -> float:
        norm = shape.rescaled(np.full(columns.size, math.exp(-log_multiplier)))
        other = work.under(_replaced(work.penalty, ball[0], norm))
        latest[0] = _descend(other, latest[0], _ALL).theta
        return shape.value(work.coef(latest[0])[columns]) - 1.0

    low = high = math.log(max(abs(float(pull)), 1e-12))
    step = 1.0
    while excess(low) < 0 and low > _LEAST:
        low, step = low - step, 2 * step
    step = 1.0
    while excess(high) > 0 and high < -_LEAST:
        high, step = high + step, 2 * step
    if low > _LEAST and high < -_LEAST:
        excess(brentq(excess, low, high, xtol=1e-13, rtol=1e-13))
    return latest[0]


def _replaced(penalty: Penalty, old: Penalty, new: Penalty) -> Penalty:
    """Put another penalty in the place of a part."""
    if not isinstance(penalty, JoinedPenalty):
        return new
    return JoinedPenalty(tuple((new if q is old else q, at) for q, at in penalty.parts))


# --------------------------------------------------------------------------- first order


def _first_order(work: Work, theta: Vector, steps: int) -> Vector:
    """Take accelerated proximal gradient steps, restarted where they turn back."""
    ahead, momentum = theta, 1.0
    for _ in range(steps):
        value, gradient = work.loss_gradient(ahead)
        moved = _proximal_step(work, ahead, value, gradient)
        if float((ahead - moved) @ (moved - theta)) > 0:
            momentum = 1.0
        following = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * momentum**2))
        ahead = moved + (momentum - 1.0) / following * (moved - theta)
        still = largest(moved - theta) <= EPS * largest(moved)
        theta, momentum = moved, following
        work.lipschitz *= 0.98
        if still and momentum > 2.0:
            # At a point, or where the loss has become so flat that the steps are far too short.
            work.lipschitz *= 0.1
            break
    return theta


def _proximal_step(work: Work, theta: Vector, value: float, gradient: Vector) -> Vector:
    """Step as far as the loss stays below its quadratic bound."""
    while True:
        moved = work.whole.prox(theta - gradient / work.lipschitz, 1.0 / work.lipschitz)
        change = moved - theta
        bound = value + float(gradient @ change) + 0.5 * work.lipschitz * float(change @ change)
        if work.loss(moved) <= bound + 64 * EPS * (1.0 + abs(value)) or work.lipschitz > 1e300:
            return moved
        work.lipschitz *= 2.0
