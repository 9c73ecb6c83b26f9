"""The compiled active-set method for a quadratic plus an elastic net, on a Gram matrix.

Minimises ``½ θ'Gθ − b'θ + Σ l1|θ| + Σ l2 (θ − loc)²/2`` over the first m coordinates of a cache, as
the finite method of `active_set`: on the support with its signs a linear system; a coefficient that
would change its sign leaves; those whose pull exceeds the slope of the penalty enter. The Cholesky
factor of the support's system is carried along: a row is appended when a coefficient enters, and
rotations close the gap when one leaves, so that each change costs O(k²) instead of O(k³).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

SETTLED, COLLINEAR, EXHAUSTED, FULL = 0, 1, 2, 3
# A pivot below this share of its column's square is a column that the support spans already.
_SINGULAR = 1e-11
# Relative slack to enter: a tie at the threshold stays exactly 0.
_SLACK = 1e-12
_MOST_ENTERING = 32

_FAST = {"reassoc", "contract"}  # sums may be reordered; NaN and inf keep their meaning
# Signatures make Numba compile (or load from its cache) on import, before any clock runs.
_APPEND = "b1(f8[:,::1], i8[::1], i8, i8, f8[:,::1], f8[::1])"
_REMOVE = "void(f8[:,::1], i8[::1], i8, i8)"
_SOLVE = "void(f8[:,::1], i8, f8[::1])"
_SETTLE = (
    "UniTuple(i8, 3)(f8[:,::1], i8[::1], i8, f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], b1[::1])"
)
_FOLLOW = "void(f8[:,::1], i8[::1], f8[::1], f8[::1], f8[::1], f8[::1], b1[::1])"
_VIOLATIONS = "i8(f8[::1], f8[::1], f8[::1], b1[::1], b1[::1], f8[::1])"
_LARGEST = "f8(f8[::1], i8)"
_ENTER = (
    "UniTuple(i8, 2)(f8[:,::1], i8[::1], i8, f8[:,::1], f8[::1], f8[::1], f8[::1],"
    " b1[::1], b1[::1], b1[::1], i8, f8[::1])"
)
_MINIMISE = (
    "i8(f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], b1[::1], f8[::1], f8[::1],"
    " i8[::1], i8[::1], f8[:,::1], i8)"
)


@njit(_APPEND, cache=True, fastmath=_FAST)
def append(L: Matrix, order: NDArray[np.int64], k: int, j: int, G: Matrix, l2: Vector) -> bool:
    """Append coordinate j to the factor of k coordinates; False if they span it already."""
    for i in range(k):
        total = G[j, order[i]]
        for h in range(i):
            total -= L[i, h] * L[k, h]
        L[k, i] = total / L[i, i]
    square = G[j, j] + l2[j]
    rest = square
    for h in range(k):
        rest -= L[k, h] * L[k, h]
    if not rest > _SINGULAR * square:
        return False
    L[k, k] = np.sqrt(rest)
    order[k] = j
    return True


@njit(_REMOVE, cache=True, fastmath=_FAST)
def remove(L: Matrix, order: NDArray[np.int64], k: int, place: int) -> None:
    """Remove the coordinate at `place` from the factor of k: delete its row, rotate the rest."""
    c, s = np.empty(k), np.empty(k)
    for r in range(place, k - 1):
        order[r] = order[r + 1]
        # The row below moves up and has one entry too many, right of the diagonal.
        for h in range(r + 2):
            L[r, h] = L[r + 1, h]
        for h in range(place, r):
            x, y = L[r, h], L[r, h + 1]
            L[r, h] = c[h] * x + s[h] * y
            L[r, h + 1] = c[h] * y - s[h] * x
        x, y = L[r, r], L[r, r + 1]
        length = np.hypot(x, y)
        c[r], s[r] = x / length, y / length
        L[r, r], L[r, r + 1] = length, 0.0


@njit(_SOLVE, cache=True, fastmath=_FAST)
def solve(L: Matrix, k: int, x: Vector) -> None:
    """Solve ``L L' z = x`` in place."""
    for i in range(k):
        total = x[i]
        for h in range(i):
            total -= L[i, h] * x[h]
        x[i] = total / L[i, i]
    for i in range(k - 1, -1, -1):
        x[i] /= L[i, i]
        for h in range(i):
            x[h] -= L[i, h] * x[i]


@njit(_SETTLE, cache=True, fastmath=_FAST)
def settle(
    L: Matrix,
    order: NDArray[np.int64],
    k: int,
    slope: Vector,
    l1: Vector,
    theta: Vector,
    sign: Vector,
    moved: Vector,
    active: NDArray[np.bool_],
) -> tuple[int, int, int]:
    """Minimise on the support with its signs; what reaches 0 leaves.

    Returns the size of the support, how many left, and how many of those had just entered. `moved`
    collects the change of θ.
    """
    left = new = 0
    step = np.empty(k)
    while k > 0:
        for i in range(k):
            j = order[i]
            step[i] = -(slope[j] + l1[j] * sign[j])
        solve(L, k, step)
        reach, first = 1.0, -1
        for i in range(k):
            j = order[i]
            if sign[j] * step[i] < 0.0:
                t = abs(theta[j] / step[i])
                if t < reach:
                    reach, first = t, i
        for i in range(k):
            j = order[i]
            theta[j] += reach * step[i]
            moved[j] += reach * step[i]
            # The Hessian times the whole step is minus the slope's distance to its target.
            slope[j] -= reach * (slope[j] + l1[j] * sign[j])
        if first < 0:
            break
        j = order[first]
        left += 1
        new += theta[j] == moved[j]
        moved[j] -= theta[j]
        theta[j], sign[j], active[j] = 0.0, 0.0, False
        remove(L, order, k, first)
        k -= 1
    return k, left, new


@njit(_FOLLOW, cache=True, fastmath=_FAST)
def follow(
    G: Matrix,
    trail: NDArray[np.int64],
    before: Vector,
    l2: Vector,
    slope: Vector,
    moved: Vector,
    active: NDArray[np.bool_],
) -> None:
    """Update the slopes outside of the support after the coordinates of `trail` have moved.

    `before` holds their slopes at the start: `settle` follows them only as long as they are in.
    """
    m = slope.size
    change = np.zeros(m)
    for a in trail:
        if moved[a] != 0.0:
            for h in range(m):
                change[h] += moved[a] * G[a, h]
    for i in range(trail.size):
        if not active[trail[i]]:
            slope[trail[i]] = before[i]
    for h in range(m):
        if not active[h]:
            slope[h] += change[h] + l2[h] * moved[h]


@njit(_VIOLATIONS, cache=True)
def violations(
    slope: Vector,
    l1: Vector,
    slack: Vector,
    nonnegative: NDArray[np.bool_],
    out: NDArray[np.bool_],
    over: Vector,
) -> int:
    """Write by how much the pull on each coordinate that is not `out` exceeds what holds it at 0.

    Returns how many do.
    """
    count = 0
    for h in range(slope.size):
        over[h] = 0.0
        if not out[h]:
            pull = -slope[h] if nonnegative[h] else abs(slope[h])
            excess = pull - l1[h] * (1.0 + _SLACK) - slack[h]
            if excess > 0.0:
                over[h] = excess
                count += 1
    return count


@njit(_LARGEST, cache=True)
def smallest_of_largest(values: Vector, count: int) -> float:
    """Return the smallest of the `count` largest values, 0 if there are fewer above 0."""
    kept = np.zeros(count)  # in ascending order
    for value in values:
        if value > kept[0]:
            i = 0
            while i + 1 < count and kept[i + 1] < value:
                kept[i] = kept[i + 1]
                i += 1
            kept[i] = value
    return float(kept[0])


@njit(_ENTER, cache=True, fastmath=_FAST)
def enter(
    L: Matrix,
    order: NDArray[np.int64],
    k: int,
    G: Matrix,
    l2: Vector,
    slope: Vector,
    sign: Vector,
    active: NDArray[np.bool_],
    blocked: NDArray[np.bool_],
    kinked: NDArray[np.bool_],
    limit: int,
    over: Vector,
) -> tuple[int, int]:
    """Let the most violated coordinates enter; those that the support spans are blocked.

    Returns the size of the support, and FULL if L has no room, else SETTLED.
    """
    floor, room = smallest_of_largest(over, limit), limit
    for h in range(slope.size):
        if over[h] > 0.0 and over[h] >= floor and room > 0:
            if k >= L.shape[0]:
                return k, FULL
            if append(L, order, k, h, G, l2):
                # A sign of 0 says that there is none to keep.
                sign[h] = -np.sign(slope[h]) if kinked[h] else 0.0
                active[h] = True
                k += 1
                room -= 1
            else:
                blocked[h] = True
    return k, SETTLED


@njit(_MINIMISE, cache=True, fastmath=_FAST)
def minimise(
    G: Matrix,
    slope: Vector,
    l1: Vector,
    l2: Vector,
    slack: Vector,
    nonnegative: NDArray[np.bool_],
    theta: Vector,
    sign: Vector,
    order: NDArray[np.int64],
    size: NDArray[np.int64],
    L: Matrix,
    most_rounds: int,
) -> int:
    """Move θ to the minimum; change `slope`, `theta`, `sign`, `order`, `size` and `L` in place.

    Parameters
    ----------
    G : ndarray, shape (>= m, >= m)
        Gram matrix of the cached columns.
    slope : ndarray, shape (m,)
        Gradient of everything smooth at θ, squares of the penalty included; kept up to date.
    l1, l2, slack : ndarray, shape (m,)
        Penalty, and rounding error of the slope: an excess below it is none.
    nonnegative : ndarray of bool, shape (m,)
        Which coordinates may not fall below 0.
    theta, sign : ndarray, shape (m,)
        Coordinates; for those in the support the sign they are held to (0: free).
    order : ndarray of int, shape (>= support,)
        The support, in the order of the rows of L.
    size : ndarray of int, shape (1,)
        Size of the support.
    L : ndarray
        Factor of ``G + diag(l2)`` on the support.
    most_rounds : int
        When to give up.

    Returns
    -------
    int
        SETTLED, COLLINEAR (what is left to enter is spanned by the support), EXHAUSTED, or
        FULL (L has no room; call again with a larger one).
    """
    m, k, limit = slope.size, size[0], _MOST_ENTERING
    active, blocked = np.zeros(m, dtype=np.bool_), np.zeros(m, dtype=np.bool_)
    active[order[:k]] = True
    kinked = (l1 > 0.0) | nonnegative
    over, moved = np.empty(m), np.empty(m)
    for _ in range(most_rounds):
        moved[:] = 0.0
        trail = order[:k].copy()
        before = slope[trail]
        k, left, new = settle(L, order, k, slope, l1, theta, sign, moved, active)
        size[0] = k
        follow(G, trail, before, l2, slope, moved, active)
        if left > 0:
            blocked[:] = False
        if new > 0:  # it entered and left at once: in bad company, so admit fewer at a time
            limit = max(1, limit // 4)
        if violations(slope, l1, slack, nonnegative, active | blocked, over) == 0:
            # Blocked columns whose pull is a tie to rounding are copies; others need better digits.
            held = l1 * (1.0 + 1e-9)
            stuck = violations(slope, held, slack, nonnegative, active | ~blocked, over)
            return COLLINEAR if stuck > 0 else SETTLED
        k, code = enter(L, order, k, G, l2, slope, sign, active, blocked, kinked, limit, over)
        size[0] = k
        if code == FULL:
            return FULL
    return EXHAUSTED
