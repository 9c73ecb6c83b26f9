r"""Spike and slab: coefficients that are either exactly 0.0 or from their slabs. Compiled.

With the included coefficients S integrated out, ``Q = X'WX/σ² + diag(1/slab²)`` and
``c = X'W(y − rest)/σ²``, the odds of including j beside S are

``π/(1 − π) · exp(e²/(2d)) / (slab √d)``, ``d = Q_jj − Q_jS V Q_Sj``, ``e = c_j − Q_jS V c_S``

and ``V = Q_SS⁻¹``, so that a column is exchanged for a correlated one without getting stuck at a
value of its coefficient (George & McCulloch 1997). `sweep_gram` carries V and ``m = V c_S`` along:
a column that comes or goes is a change of rank one. At the end the coefficients of S are drawn
together from ``N(m, V)``.

Where that costs too much, one coefficient after the other is drawn with the others given (Geweke
1996): the same odds with ``d = Q_jj`` and ``e = c_j − Q_jS β_S``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

# Up to so many columns a collapsed sweep costs little; up to more, if S is small a priori.
_FEW, _MOST, _SPARSE = 200, 2000, 10.0


@njit(cache=True, nogil=True, error_model="numpy")
def included(d: float, e: float, inclusion: float, slab: float, rng: np.random.Generator) -> bool:
    """Draw whether a coefficient is included, given its precision d and pull e (see above).

    Parameters
    ----------
    d, e : float
        The likelihood of ``β_j`` times its slab is ``∝ exp(e β_j − d β_j²/2)``.
    inclusion, slab : float
        Prior probability that it is not 0, and the sd of the slab.
    rng : Generator
        Source of randomness.
    """
    log_odds = math.log(inclusion) - math.log1p(-inclusion) + 0.5 * e * (e / d)
    log_odds -= math.log(slab) + 0.5 * math.log(d)
    # A uniform number below a probability, on the scale of log odds, where nothing overflows.
    u = rng.random()
    return not (u > 0.0 and math.log(u) - math.log1p(-u) >= log_odds)


@njit(cache=True, nogil=True, error_model="numpy")
def draw_one(
    precision: float, pull: float, inclusion: float, slab: float, rng: np.random.Generator
) -> float:
    """Draw one coefficient given the others: 0.0, or from its slab's posterior.

    Parameters
    ----------
    precision, pull : float
        ``x'Wx/σ²`` of its column, and ``x'Wr/σ²``, r the residual without it.
    inclusion, slab, rng
        As in `included`.
    """
    d = precision + 1.0 / (slab * slab)
    if not included(d, pull, inclusion, slab, rng):
        return 0.0
    return pull / d + rng.standard_normal() / math.sqrt(d)


@njit(cache=True, nogil=True, error_model="numpy")
def _column(
    j: int, k: int, S: NDArray[np.int64], gram: Matrix, variance: float, V: Matrix, q: Vector,
    w: Vector,
) -> float:  # fmt: skip
    """Write ``q = Q_Sj`` and ``w = V q``; return ``q'w``."""
    for i in range(k):
        q[i] = gram[j, S[i]] / variance
    total = 0.0
    for i in range(k):
        w[i] = 0.0
        for h in range(k):
            w[i] += V[i, h] * q[h]
        total += w[i] * q[i]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _enter(
    j: int, k: int, d: float, e: float, S: NDArray[np.int64], V: Matrix, m: Vector, w: Vector
) -> None:
    """Border V and m by column j, whose w is ``V Q_Sj``."""
    for i in range(k):
        share = w[i] / d
        for h in range(k):
            V[i, h] += share * w[h]
        V[i, k] = V[k, i] = -share
        m[i] -= share * e
    S[k], V[k, k], m[k] = j, 1.0 / d, e / d


@njit(cache=True, nogil=True, error_model="numpy")
def _leave(i: int, k: int, S: NDArray[np.int64], V: Matrix, m: Vector, w: Vector) -> None:
    """Take the column at place i out of the k in V and m; the last one takes its place."""
    last, pivot, mean = k - 1, V[i, i], m[i]
    for h in range(k):
        w[h] = V[i, h]
    for g in range(k):
        for h in range(k):
            V[g, h] -= w[g] * w[h] / pivot
        m[g] -= w[g] * mean / pivot
    S[i], m[i] = S[last], m[last]
    for h in range(k):
        V[i, h] = V[last, h]
    for h in range(k):
        V[h, i] = V[h, last]


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_included(
    k: int, S: NDArray[np.int64], V: Matrix, m: Vector, z: Vector, beta: Vector,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Draw ``β_S`` from ``N(m, V)``; V is overwritten by its Cholesky factor."""
    for i in range(k):
        z[i] = rng.standard_normal()
        total = m[i]
        for h in range(i + 1):
            entry = V[i, h]
            for g in range(h):
                entry -= V[i, g] * V[h, g]
            # Rounding may take a pivot that is nearly 0 below it.
            V[i, h] = math.sqrt(max(entry, 1e-300)) if h == i else entry / V[h, h]
            total += V[i, h] * z[h]
        beta[S[i]] = total


@njit(cache=True, nogil=True, error_model="numpy")
def _collapsed(
    low: int, high: int, beta: Vector, gram: Matrix, c: Vector, variance: float,
    inclusion: Vector, slab: Vector, rng: np.random.Generator,
) -> int:  # fmt: skip
    """Draw the coefficients ``low:high``; `c` is ``X'W(y − rest)``, shape (high − low,)."""
    size = high - low
    S, place = np.empty(size, np.int64), np.full(size, -1)
    V, m, q, w = np.empty((size, size)), np.empty(size), np.empty(size), np.empty(size)
    k = 0
    for start in (True, False):
        # First the columns that are included now, in any case; then all, by their odds.
        for j in range(low, high):
            if start and beta[j] == 0.0:
                continue
            at, least = place[j - low], 1.0 / slab[j - low] ** 2
            if at >= 0:
                d, e = 1.0 / V[at, at], m[at] / V[at, at]
            else:
                e = c[j - low] / variance
                d = gram[j, j] / variance + least - _column(j, k, S, gram, variance, V, q, w)
                for i in range(k):
                    e -= q[i] * m[i]
            d = max(d, least)  # as it is but for rounding, whatever the other columns are
            take = start or included(d, e, inclusion[j - low], slab[j - low], rng)
            if take and at < 0:
                _enter(j, k, d, e, S, V, m, w)
                place[j - low] = k
                k += 1
            elif at >= 0 and not take:
                _leave(at, k, S, V, m, w)
                k -= 1
                place[S[at] - low] = at
                place[j - low] = -1
    beta[low:high] = 0.0
    _draw_included(k, S, V, m, q, beta, rng)
    return k


@njit(cache=True, nogil=True, error_model="numpy")
def _follow(j: int, low: int, high: int, gram: Matrix, change: float, products: Vector) -> None:
    """Add to the products of the columns ``low:high`` with a residual that gains x_j `change`."""
    if change != 0.0:
        for i in range(low, high):
            products[i - low] += gram[j, i] * change


@njit(cache=True, nogil=True, error_model="numpy")
def _one_by_one(
    low: int, high: int, beta: Vector, gram: Matrix, correlation: Vector, variance: float,
    inclusion: Vector, slab: Vector, rng: np.random.Generator,
) -> int:  # fmt: skip
    """Draw the coefficients ``low:high``, each given the others."""
    count = 0
    for j in range(low, high):
        old, square = beta[j], gram[j, j]
        pull = (correlation[j] + square * old) / variance
        beta[j] = draw_one(square / variance, pull, inclusion[j - low], slab[j - low], rng)
        count += beta[j] != 0.0
        _follow(j, 0, beta.size, gram, old - beta[j], correlation)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def sweep_gram(
    low: int,
    high: int,
    beta: Vector,
    gram: Matrix,
    correlation: Vector,
    variance: float,
    inclusion: Vector,
    slab: Vector,
    rng: np.random.Generator,
) -> int:
    """Draw the coefficients ``low:high`` in turn, from sums of products.

    Parameters
    ----------
    low, high : int
        First coefficient under the spike and slab, and the one after the last.
    beta : ndarray, shape (p,)
        All coefficients; ``beta[low:high]`` is written.
    gram : ndarray, shape (p, p)
        ``X'WX``, symmetric.
    correlation : ndarray, shape (p,)
        ``X'W(y − Xβ)``; kept up to date.
    variance : float
        ``σ²``.
    inclusion, slab : ndarray, shape (high − low,)
        Prior probabilities and sds of the slabs.
    rng : Generator
        Source of randomness.

    Returns
    -------
    int
        Number of coefficients that are not 0.
    """
    size = high - low
    sparse = size <= _MOST and inclusion.sum() ** 2 <= _SPARSE * beta.size
    if size > _FEW and not sparse:
        return _one_by_one(low, high, beta, gram, correlation, variance, inclusion, slab, rng)
    old, c = beta[low:high].copy(), correlation[low:high].copy()
    for j in range(low, high):
        _follow(j, low, high, gram, beta[j], c)
    count = _collapsed(low, high, beta, gram, c, variance, inclusion, slab, rng)
    for j in range(low, high):
        _follow(j, 0, beta.size, gram, old[j - low] - beta[j], correlation)
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def sweep_rows(
    low: int,
    high: int,
    beta: Vector,
    X: Matrix,
    weights: Vector,
    residual: Vector,
    variance: float,
    inclusion: Vector,
    slab: Vector,
    rng: np.random.Generator,
) -> int:
    """Draw the coefficients ``low:high`` in turn, from residuals: O(n) each, nothing p × p.

    Parameters
    ----------
    low, high, beta, variance, inclusion, slab, rng
        As in `sweep_gram`.
    X : ndarray, shape (n, p)
        Columns, each contiguous in memory.
    weights : ndarray, shape (n,)
        Row weights W.
    residual : ndarray, shape (n,)
        ``y − Xβ``; kept up to date.

    Returns
    -------
    int
        Number of coefficients that are not 0.
    """
    count = 0
    for j in range(low, high):
        square = product = 0.0
        for i in range(residual.size):
            weighted = weights[i] * X[i, j]
            square += weighted * X[i, j]
            product += weighted * residual[i]
        old = beta[j]
        pull = (product + square * old) / variance
        new = draw_one(square / variance, pull, inclusion[j - low], slab[j - low], rng)
        count += new != 0.0
        if new != old:
            beta[j] = new
            for i in range(residual.size):
                residual[i] -= X[i, j] * (new - old)
    return count
