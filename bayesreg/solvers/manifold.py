"""Exact modes under penalties that tie coefficients to each other: norms, balls, random walks.

Accelerated proximal gradient steps (Beck & Teboulle 2009, restarted as O'Donoghue & Candès 2015)
find out which coefficients are 0, tied or on a border: they do so after finitely many steps. On the
manifold of such coefficients the objective is smooth, and Newton's method takes it to rounding
error (Bareilles, Iutzeler & Malick 2023). The subdifferential of the whole penalty then judges: if
the manifold was the wrong one, more first-order steps follow from the better point.

Where the loss is nearly flat in some directions, first-order steps are far too short to bring a
coefficient to 0 there. Proximal points of great length, each by Newton's method on a dual without
kinks, then find the manifold. And the mode is the fixed point of proximal steps of every length, so
that one long step from near it finds its manifold too: such leaps help where proximal points do
not apply (balls, noise with long tails), and where an end still has digits to gain.

First-order steps work on centred columns of unit norm; the manifold is that of the user's own
coefficients, so that ties come out exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from bayesreg.errors import InputError, NotConverged
from bayesreg.likelihoods import ConvexLikelihood
from bayesreg.penalties import BallPenalty, JoinedPenalty, Penalty
from bayesreg.solvers.along_manifold import Point, Work, newton
from bayesreg.solvers.base import Solution
from bayesreg.solvers.proximal_point import proximal_points
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
# First-order steps before leaps, and lengths of those in units of a first-order step.
_LATE, _LENGTHS = 4000, (1.0, 1e2, 1e4, 1e6, 1e8)
# First-order steps before proximal points, and for each Newton step on the way to those.
_SOON, _STEPS_PER_NEWTON = 600, 4
# Smaller manifolds that Newton's method may go on to from a proximal point.
_SMALLER = 2
# A leap that ends higher by so much of the objective leads nowhere, and longer ones still less.
_HIGHER = 1e-3
# Leaps that may go by without a halved residual, and longest rounds of first-order steps without
# that and without so much of the objective.
_IDLE_LEAPS, _IDLE_ROUNDS, _FALL = 8, 4, 1e-12
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
    end = min(ends, key=lambda end: (not end.reached, end.value, end.residual))
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
    """Where a search ended: the point, θ and the objective there, and how far it is from a mode.

    Attributes
    ----------
    point : Point
        The point.
    theta : ndarray, shape (q,)
        θ there.
    value : float
        Objective there.
    residual, floor : float
        Scaled KKT residual, and what rounding makes of it.
    newtons : int
        Newton steps that were taken.
    """

    point: Point
    theta: Vector
    value: float
    residual: float
    floor: float
    newtons: int

    @classmethod
    def of(cls, work: Work, theta: Vector, most: int) -> _End:
        """Go on by Newton's method from θ, to smaller manifolds at most so many times."""
        point, newtons = newton(work, Point.of(work, theta), most)
        end = point.theta(work)
        return cls(point, end, point.objective(work), *work.residual(end), newtons)

    @property
    def exact(self) -> bool:
        """Whether only rounding is left of the residual."""
        return self.residual <= 8 * self.floor

    @property
    def reached(self) -> bool:
        """Whether the point is a mode, as far as rounding lets it be."""
        return self.residual <= _EXACT + 8 * self.floor


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
    steps, taken, newtons, idle, value = _FEWEST, 0, 0, 0, math.inf
    best: _End | None = None
    while True:
        theta = _first_order(work, theta, steps)
        taken += steps
        end = _End.of(work, theta, taken // _FEWEST)
        slow = best is not None and end.residual >= 0.5 * best.residual
        if taken >= _SOON and not end.reached:
            end = _proximal_points(work, end, taken // _STEPS_PER_NEWTON)
        if end.reached or (slow and taken >= _LATE):
            end = _leaps(work, end, taken // _FEWEST)
        theta, newtons = end.theta, newtons + end.newtons
        fall = value - end.value
        value = min(value, end.value)
        halved = best is None or end.residual < 0.5 * best.residual
        helped = halved or fall > _FALL * (1.0 + abs(value))
        idle = 0 if helped else idle + (steps == _MOST)
        best = end if best is None or end.residual < best.residual else best
        if best.reached or taken >= most or idle == _IDLE_ROUNDS:
            return replace(best, newtons=newtons)
        steps = min(2 * steps, _MOST)


def _proximal_points(work: Work, start: _End, most: int) -> _End:
    """Follow proximal points, at most so many Newton steps, to a mode; the start if none is met."""
    if _balls(work.penalty) or not isinstance(work.scaled.problem.likelihood, ConvexLikelihood):
        return start
    newtons = start.newtons
    for theta in proximal_points(work, start.theta, most):
        try:
            end = _End.of(work, theta, _SMALLER)
        except NotConverged:
            continue
        newtons += end.newtons
        if end.reached:
            return replace(end, newtons=newtons)
    return replace(start, newtons=newtons)


def _leaps(work: Work, start: _End, most: int) -> _End:
    """Take proximal steps of many lengths, each with Newton's method after it, while they help."""
    end, least, idle = start, start.residual, 0
    newtons = start.newtons
    while not end.exact and idle < _IDLE_LEAPS:
        ends = _leap(work, end, most)
        newtons += sum(other.newtons for other in ends)
        lowest = min((other.value for other in ends), default=math.inf)
        slack = _slack(end.value)
        ends = [other for other in ends if other.value <= lowest + slack]
        nearest = min(ends, key=lambda other: other.residual, default=end)
        if nearest.value >= end.value - slack and nearest.residual >= 0.5 * end.residual:
            break
        end, idle = nearest, idle + 1
        if end.residual < 0.5 * least:
            least, idle = end.residual, 0
    return replace(end, newtons=newtons)


def _leap(work: Work, end: _End, most: int) -> list[_End]:
    """Return where leaps of each length end, up to the first that leads nowhere."""
    _, gradient = work.loss_gradient(end.theta)
    ends: list[_End] = []
    for length in _LENGTHS:
        step = length / work.lipschitz
        try:
            other = _End.of(work, work.whole.prox(end.theta - step * gradient, step), most)
        except NotConverged:
            break
        if not other.value <= end.value + _HIGHER * (1.0 + abs(end.value)):
            break
        ends.append(other)
    return ends


def _slack(value: float) -> float:
    """Return the difference of objectives that rounding may make."""
    return 64 * EPS * (1.0 + abs(value))


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
