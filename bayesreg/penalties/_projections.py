"""The small convex problems inside the proxes of norms, each solved to rounding error.

All work on a weighted distance ``Σ c_j (u_j − v_j)² / 2`` with positive c, because a norm of
coefficients in different units is a norm of coefficients divided by different scales.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq, isotonic_regression

from bayesreg.errors import NotConverged

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bayesreg._validation import Vector

EPS = float(np.finfo(np.float64).eps)
#: Numbers that agree to this relative error are equal: what a change of units may leave of a tie.
TIE = 8 * EPS


def weighted(weights: Vector, sizes: Vector) -> Vector:
    """Multiply, shape (p,); what has no weight costs nothing however large it is."""
    return weights * np.where((weights == 0) & np.isinf(sizes), 0.0, sizes)


def level(v: Vector, c: Vector, total: float) -> float:
    """Return the t with ``Σ c_j max(v_j − t, 0) = total`` for a positive total.

    The root is the largest of the candidates that each set of the k largest v proposes.
    """
    order = np.argsort(-v, kind="stable")
    weight = c[order]
    return float(((np.cumsum(weight * v[order]) - total) / np.cumsum(weight)).max())


def group_sums(values: Vector, labels: NDArray[np.intp], count: int) -> Vector:
    """Sum the values of each group, shape (count,)."""
    # Of nothing NumPy returns whole numbers.
    return np.bincount(labels, weights=values, minlength=count).astype(np.float64, copy=False)


def secular(q: Vector, c: Vector, labels: NDArray[np.intp], count: int) -> Vector:
    """Return per group the r >= 0 with ``Σ q_j² / (1 + c_j r)² = 1``, or 0 where ``Σ q_j² <= 1``.

    Newton's method on the reciprocal of the norm (Hebden 1973), which is concave and increasing
    in r, so that the iterates rise to the root, and linear where c is constant in the group.
    """
    r = np.zeros(count)
    for _ in range(100):
        with np.errstate(over="ignore"):  # the step is then 0, as good as none
            growth = 1.0 + c * r[labels]
            shrunk = q / growth
            norm = np.sqrt(group_sums(shrunk**2, labels, count))
            slope = group_sums(shrunk**2 * (c / growth), labels, count)
        open_ = (norm > 1.0) & (slope > 0)
        step = np.zeros(count)
        step[open_] = (norm[open_] - 1.0) * norm[open_] ** 2 / slope[open_]
        r = r + step
        if (step <= 2 * EPS * r).all():
            break
    return r


def sorted_prox(v: Vector, c: Vector, weights: Vector) -> Vector:
    """Return ``argmin_u Σ c_j (u_j − v_j)²/2 + Σ_i weights_i u_(i)``, ties exact, shape (p,).

    ``u_(1) >= u_(2) >= ...`` are the sorted u, and the weights do not increase. Where c is constant
    the order of u is that of v and the problem is isotonic regression (Bogdan et al. 2015).
    Otherwise it is the prox of the Lovász extension of a submodular function, and solved by
    decomposition (Groenevelt 1991): if no subset's share of the dual exceeds what it may hold, all
    u are equal; else the subset that exceeds most lies above the rest, and each is solved alone.
    """
    if v.size == 0:
        return v.copy()
    if (c == c[0]).all():
        order = np.argsort(-v, kind="stable")
        out = np.empty(v.size)
        out[order] = isotonic_regression(v[order] - weights / c[0], increasing=False).x
        return out
    return _decomposed(v, c, weights)


def _decomposed(v: Vector, c: Vector, weights: Vector) -> Vector:
    """Solve `sorted_prox` by decomposition, all blocks of a generation at once."""
    order, starts = np.arange(v.size), np.zeros(1, dtype=np.intp)
    while True:
        mass, sizes = c[order], np.diff(starts, append=v.size)
        held = np.add.reduceat(weights, starts)
        common = (np.add.reduceat(mass * v[order], starts) - held) / np.add.reduceat(mass, starts)
        block = np.repeat(np.arange(starts.size), sizes)
        share = mass * (v[order] - common[block])
        ranks = np.lexsort((-share, block))
        order, share = order[ranks], share[ranks]
        # Over a whole block shares and weights have the same sum, so each block starts at 0.
        excess = np.cumsum(share - weights)
        excess -= np.concatenate([[0.0], excess[starts[1:] - 1]])[block]
        excess[np.append(starts[1:], v.size) - 1] = -np.inf
        most = np.maximum.reduceat(excess, starts)
        rounding = 16 * EPS * (np.add.reduceat(np.abs(share), starts) + held)
        places = np.where(excess == most[block], np.arange(v.size), v.size)
        cuts = np.minimum.reduceat(places, starts)[most > rounding] + 1
        if cuts.size == 0:
            out = np.empty(v.size)
            out[order] = common[block]
            return out
        starts = np.sort(np.concatenate([starts, cuts]))


def falling_root(function: Callable[[float], float], high: float) -> float:
    """Return where a function of a positive number falls through 0.

    `high` is a guess of where it is negative; of roots below its rounding error there is no telling
    apart, so that is the least answer.
    """
    low = EPS * high
    if function(low) <= 0:
        return low
    value = function(high)
    while value > 0 and high < 1e300:
        low, high = high, 4.0 * high
        value = function(high)
    if not value <= 0:
        msg = (
            "scale: a projection onto the unit ball of the prior is lost to rounding; bring the "
            "columns of X and the scales of the prior to sizes nearer to 1"
        )
        raise NotConverged(msg)
    return float(brentq(function, low, high, xtol=1e-300, rtol=4 * EPS, maxiter=500))


def fused_prox(v: Vector, c: Vector, weights: Vector) -> Vector:
    """Return ``argmin_u Σ c_j (u_j − v_j)²/2 + weights_0 |u_0| + Σ weights_j |u_j − u_{j−1}|``.

    Dynamic programming over the derivative of the cost to come, which is piecewise linear
    (Johnson 2013): each new term clips it at plus and minus its weight, and adds a line. Ties come
    out exact, since going back is clipping to an interval.
    """
    p = v.size
    # The force on a tie is a partial sum of c (v − u), and u is no larger than v in Σ c |·|: more
    # weight than that ties as well, but its rounding error would not be that of v.
    weights = np.minimum(weights, 4.0 * float(c @ np.abs(v)))
    below, above = np.empty(p), np.empty(p)
    # Knots (position, change of slope, change of level), sorted; before the first and behind the
    # last one the derivative is (slope, level).
    knots: list[tuple[float, float, float]] = []
    first = 0
    left, right = (0.0, -float(weights[0])), (0.0, float(weights[0]))
    if weights[0] > 0:
        knots = [(0.0, 0.0, 2.0 * float(weights[0]))]
    for j in range(p):
        mass, shift = float(c[j]), float(c[j] * v[j])
        left, right = (left[0] + mass, left[1] - shift), (right[0] + mass, right[1] - shift)
        bound = float(weights[j + 1]) if j + 1 < p else 0.0
        (a, b), at = left, -np.inf
        while first < len(knots) and a * knots[first][0] + b < -bound:
            at, da, db = knots[first]
            a, b, first = a + da, b + db, first + 1
        # A slope may cancel to 0 where units differ by many decades: the knot is then the place.
        below[j] = max((-bound - b) / a, at) if a > 0 else at
        head = (float(below[j]), a, b + bound)
        (a, b), at = right, np.inf
        while len(knots) > first and a * knots[-1][0] + b > bound:
            at, da, db = knots.pop()
            a, b = a - da, b - db
        above[j] = min((bound - b) / a, at) if a > 0 else at
        tail = (float(max(above[j], below[j])), -a, bound - b)
        above[j] = tail[0]
        if first:
            first -= 1
            knots[first] = head
        else:
            knots.insert(0, head)
        knots.append(tail)
        left, right = (0.0, -bound), (0.0, bound)
    out = np.empty(p)
    out[-1] = below[-1]
    for j in range(p - 2, -1, -1):
        out[j] = min(max(out[j + 1], below[j]), above[j])
    return out
