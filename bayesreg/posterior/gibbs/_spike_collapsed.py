r"""Spike and slab with the coefficients integrated out of who is included. Compiled.

With S the included coefficients, ``Q = X'WX/σ² + diag(1/slab²)`` and ``c = X'W(y − rest)/σ²``, the
odds of including j beside S are

``π/(1 − π) · exp(e²/(2d)) / (slab √d)``, ``d = Q_jj − Q_jS Q_SS⁻¹ Q_Sj``,
``e = c_j − Q_jS Q_SS⁻¹ c_S``

so that a column is exchanged for a correlated one without getting stuck at a value of its
coefficient (George & McCulloch 1997). ``L L' = Q_SS`` and ``u = L⁻¹ c_S`` are carried along: a
column that comes is a row more, one that goes some rotations. At the end the coefficients of S are
drawn together, ``L'⁻¹ (u + z)``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._spike_moves import (
    draw_partner,
    included,
    log_odds,
    reciprocals,
    reverse_weight,
    tour,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

_FAST = {"reassoc", "contract"}  # sums may be reordered; NaN and inf keep their meaning
# Share of a diagonal element of Q below which what S leaves of it is mostly rounding.
_LOST = 1e-13
# Included columns per proposed exchange, which costs as much as a few visits.
_PER_SWAP = 8


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _product(a: Vector, b: Vector, low: int, high: int) -> float:
    total = 0.0
    for i in range(low, high):
        total += a[i] * b[i]
    return total


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _column(
    row: Vector, k: int, S: NDArray[np.int64], variance: float, L: Matrix, w: Vector
) -> None:
    """Write ``w = L⁻¹ Q_Sj``, `row` that of column j in the sums of products."""
    for i in range(k):
        total = row[S[i]] / variance
        for h in range(i):
            total -= L[i, h] * w[h]
        w[i] = total * L[i, i]


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _inverse_column(a: int, k: int, L: Matrix, x: Vector) -> None:
    """Write ``x = L⁻¹ e_a`` from a on; before a it is 0."""
    x[a] = L[a, a]
    for i in range(a + 1, k):
        total = 0.0
        for h in range(a, i):
            total -= L[i, h] * x[h]
        x[i] = total * L[i, i]


@njit(nogil=True, error_model="numpy")
def _enter(
    j: int, k: int, d: float, e: float, S: NDArray[np.int64], place: NDArray[np.int64], L: Matrix,
    u: Vector, w: Vector,
) -> None:  # fmt: skip
    """Border L and u by column j, whose w is ``L⁻¹ Q_Sj``."""
    inverse = 1.0 / math.sqrt(d)
    for i in range(k):
        L[k, i] = w[i]
    S[k], place[j], L[k, k], u[k] = j, k, inverse, e * inverse


@njit(nogil=True, error_model="numpy")
def _leave(
    a: int, k: int, S: NDArray[np.int64], place: NDArray[np.int64], L: Matrix, u: Vector
) -> None:
    """Take the column at place a out of the k in L and u; rotations make L a triangle again."""
    place[S[a]] = -1
    for i in range(a, k - 1):
        S[i] = S[i + 1]
        place[S[i]] = i
        for h in range(i + 1):
            L[i, h] = L[i + 1, h]
        L[i, i + 1] = 1.0 / L[i + 1, i + 1]
    for h in range(a, k - 1):
        length = math.hypot(L[h, h], L[h, h + 1])
        cosine, sine = L[h, h] / length, L[h, h + 1] / length
        L[h, h] = 1.0 / length
        for i in range(h + 1, k - 1):
            one, two = L[i, h], L[i, h + 1]
            L[i, h], L[i, h + 1] = cosine * one + sine * two, cosine * two - sine * one
        one, two = u[h], u[h + 1]
        u[h], u[h + 1] = cosine * one + sine * two, cosine * two - sine * one


@njit(nogil=True, error_model="numpy")
def _swaps(
    low: int, k: int, gram: Matrix, diagonal: Vector, c: Vector, variance: float,
    inclusion: Vector, slab: Vector, S: NDArray[np.int64], place: NDArray[np.int64], L: Matrix,
    u: Vector, w: Vector, spare: Matrix, rng: np.random.Generator,
) -> None:  # fmt: skip
    """Propose exchanges of a column of S for one outside, by Metropolis–Hastings steps.

    With j beside S, (β_i, β_j) have precision ``((d_i, g), (g, D))`` and pull (e_i, E) where the
    others of S are integrated out: D and E belong to j without i.
    """
    size = place.size
    x, inverse, outside, weight = spare[0], spare[1], spare[2], spare[3]
    reciprocals(diagonal, inverse)
    for j in range(size):
        outside[j] = 1.0 if place[j] < 0 else 0.0
    for _ in range(1 + k // _PER_SWAP):
        a = int(rng.random() * k)
        i = S[a]
        j, total = draw_partner(gram[low + i, low : low + size], i, inverse, outside, weight, rng)
        row = gram[low + j, low : low + size]
        _inverse_column(a, k, L, x)
        _column(row, k, S, variance, L, w)
        d_i, least = 1.0 / _product(x, x, a, k), 1.0 / slab[j] ** 2
        e_i = d_i * _product(x, u, a, k)
        share = _product(x, w, a, k)
        d = diagonal[j] / variance + least - _product(w, w, 0, k)
        D = max(d, least) + share * share * d_i
        E = c[j] / variance - _product(w, u, 0, k) + share * e_i
        ratio = log_odds(D, E, inclusion[j], slab[j]) - log_odds(d_i, e_i, inclusion[i], slab[i])
        ratio += math.log(total / reverse_weight(row, i, j, inverse, outside, weight))
        if ratio >= -rng.standard_exponential():
            _leave(a, k, S, place, L, u)
            _column(row, k - 1, S, variance, L, w)
            _enter(j, k - 1, D, E, S, place, L, u, w)
            outside[i], outside[j] = 1.0, 0.0


@njit(nogil=True, error_model="numpy")
def _draw(
    low: int, k: int, S: NDArray[np.int64], L: Matrix, u: Vector, beta: Vector,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Draw the coefficients of S, ``L'⁻¹ (u + z)``; u is overwritten."""
    for i in range(k):
        u[i] += rng.standard_normal()
    for i in range(k - 1, -1, -1):
        u[i] *= L[i, i]
        for h in range(i):
            u[h] -= L[i, h] * u[i]
        beta[low + S[i]] = u[i]


@njit(nogil=True, error_model="numpy")
def collapsed(
    low: int, high: int, beta: Vector, gram: Matrix, c: Vector, variance: float,
    inclusion: Vector, slab: Vector, rng: np.random.Generator,
) -> int:  # fmt: skip
    """Draw the coefficients ``low:high``; `c` is ``X'W(y − rest)``, shape (high − low,).

    The diagonal of L holds the reciprocals of its elements, as that is how they are used. Returned
    is the size of S, or −1 where rounding decides on a coefficient.
    """
    size = high - low
    S, place = np.empty(size, np.int64), np.full(size, -1)
    L, spare = np.empty((size, size)), np.empty((7, size))
    u, w, diagonal = spare[4], spare[5], spare[6]
    for j in range(size):
        diagonal[j] = gram[low + j, low + j]
    k, (j, stride) = 0, tour(size, rng)
    for step in range(2 * size):
        # First the columns that are included now, in any case; then all, by their odds.
        start, j = step < size, (j + stride) % size
        if start and beta[low + j] == 0.0:
            continue
        at, whole = place[j], diagonal[j] / variance
        if at >= 0:
            _inverse_column(at, k, L, w)
            d = 1.0 / _product(w, w, at, k)
            e = d * _product(w, u, at, k)
        else:
            _column(gram[low + j, low:high], k, S, variance, L, w)
            d = whole + 1.0 / slab[j] ** 2 - _product(w, w, 0, k)
            e = c[j] / variance - _product(w, u, 0, k)
        if d < _LOST * whole:
            return -1
        take = start or included(d, e, inclusion[j], slab[j], rng)
        if take and at < 0:
            _enter(j, k, d, e, S, place, L, u, w)
            k += 1
        elif at >= 0 and not take:
            _leave(at, k, S, place, L, u)
            k -= 1
    if 0 < k < size:
        _swaps(low, k, gram, diagonal, c, variance, inclusion, slab, S, place, L, u, w, spare, rng)
    beta[low:high] = 0.0
    _draw(low, k, S, L, u, beta, rng)
    return k
