r"""Spike and slab: coefficients that are either exactly 0.0 or from their slabs. Compiled.

Where it costs little, who is included is drawn with the coefficients integrated out
(`_spike_collapsed`). Else one coefficient after the other is drawn with the others given (Geweke
1996): the same odds, with precision ``d = x_j'Wx_j/σ² + 1/slab²`` and pull ``e = x_j'Wr/σ²``, r the
residual without it.

Every sweep begins at another coefficient, and goes up or down. Where inclusion is rare, the first
of two like columns cannot leave before the other has come, and both together are rarer still: so
every sweep also proposes to exchange an included column for an excluded one like it
(`_spike_moves`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._spike_collapsed import collapsed
from bayesreg.posterior.gibbs._spike_moves import (
    draw_one,
    draw_partner,
    log_odds,
    reciprocals,
    reverse_weight,
    tour,
)

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector

_FAST = {"reassoc", "contract"}  # sums may be reordered; NaN and inf keep their meaning
# Up to so many columns a collapsed sweep costs little; up to more, if few are included a priori.
_FEW, _MOST, _SPARSE = 200, 2000, 10.0
# Included columns per proposed exchange, from sums of products. From rows one costs as much as a
# sweep: it is proposed in this share of them.
_PER_SWAP, _SHARE = 32, 0.25


@njit(nogil=True, error_model="numpy")
def _follow(j: int, low: int, high: int, gram: Matrix, change: float, products: Vector) -> None:
    """Add to the products of the columns ``low:high`` with a residual that gains x_j `change`."""
    if change != 0.0:
        for i in range(low, high):
            products[i - low] += gram[j, i] * change


@njit(nogil=True, error_model="numpy")
def _pick(beta: Vector, low: int, high: int, count: int, rng: Generator) -> int:
    """Draw one of the `count` included coefficients; return its place after `low`."""
    left = int(rng.random() * count)
    for j in range(low, high):
        if beta[j] != 0.0:
            if left == 0:
                return j - low
            left -= 1
    return -1


@njit(nogil=True, error_model="numpy")
def _outside(beta: Vector, low: int, high: int, out: Vector) -> None:
    """Write 1 for what is excluded, else 0."""
    for j in range(low, high):
        out[j - low] = 1.0 if beta[j] == 0.0 else 0.0


@njit(nogil=True, error_model="numpy")
def _exchange(
    i: int, j: int, square: Vector, pull_i: float, pull_j: float, ratio: float, variance: float,
    inclusion: Vector, slab: Vector, rng: Generator,
) -> float:  # fmt: skip
    """Return the coefficient of j if it takes the place of i, given the others; else 0.0.

    `pull_i` and `pull_j` are products with the residual without both; `ratio` is that of the
    totals of the weights by which j and i are drawn.
    """
    e_i, d_i = pull_i / variance, square[i] / variance + 1.0 / slab[i] ** 2
    e_j, d_j = pull_j / variance, square[j] / variance + 1.0 / slab[j] ** 2
    gain = log_odds(d_j, e_j, inclusion[j], slab[j]) - log_odds(d_i, e_i, inclusion[i], slab[i])
    if gain + math.log(ratio) >= -rng.standard_exponential():
        return float(e_j / d_j + rng.standard_normal() / math.sqrt(d_j))
    return 0.0


@njit(nogil=True, error_model="numpy")
def _one_by_one(
    low: int, high: int, beta: Vector, gram: Matrix, correlation: Vector, variance: float,
    inclusion: Vector, slab: Vector, rng: Generator,
) -> int:  # fmt: skip
    """Draw the coefficients ``low:high``, each given the others."""
    size = high - low
    count, square, (h, stride) = 0, np.empty(size), tour(size, rng)
    for _ in range(size):
        h = (h + stride) % size
        j = low + h
        old, square[h] = beta[j], gram[j, j]
        pull = (correlation[j] + square[h] * old) / variance
        beta[j] = draw_one(square[h] / variance, pull, inclusion[h], slab[h], rng)
        count += beta[j] != 0.0
        _follow(j, 0, beta.size, gram, old - beta[j], correlation)
    if not 0 < count < size:
        return count
    inverse, weight, outside = np.empty(size), np.empty(size), np.empty(size)
    reciprocals(square, inverse)
    for _ in range(1 + count // _PER_SWAP):
        i = _pick(beta, low, high, count, rng)
        _outside(beta, low, high, outside)
        row = gram[low + i, low:high]
        j, ratio = draw_partner(row, i, inverse, outside, weight, rng)
        ratio /= reverse_weight(gram[low + j, low:high], i, j, inverse, outside, weight)
        old = beta[low + i]
        pull_i = correlation[low + i] + square[i] * old
        pull_j = correlation[low + j] + row[j] * old
        new = _exchange(i, j, square, pull_i, pull_j, ratio, variance, inclusion, slab, rng)
        if new != 0.0:
            beta[low + i], beta[low + j] = 0.0, new
            _follow(low + i, 0, beta.size, gram, old, correlation)
            _follow(low + j, 0, beta.size, gram, -new, correlation)
    return count


@njit(nogil=True, error_model="numpy")
def sweep_gram(
    low: int,
    high: int,
    beta: Vector,
    gram: Matrix,
    correlation: Vector,
    variance: float,
    inclusion: Vector,
    slab: Vector,
    rng: Generator,
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
        Number of coefficients that are not 0; −1 if rounding decides on one, which is no draw:
        columns are then equal to 13 digits, and the slab so wide that the noise does not show it.
    """
    size = high - low
    sparse = size <= _MOST and inclusion.sum() ** 2 <= _SPARSE * beta.size
    if size > _FEW and not sparse:
        return _one_by_one(low, high, beta, gram, correlation, variance, inclusion, slab, rng)
    old, c = beta[low:high].copy(), correlation[low:high].copy()
    for j in range(low, high):
        _follow(j, low, high, gram, beta[j], c)
    count = collapsed(low, high, beta, gram, c, variance, inclusion, slab, rng)
    for j in range(low, high):
        _follow(j, 0, beta.size, gram, old[j - low] - beta[j], correlation)
    return count


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _products(x: Vector, weights: Vector, other: Vector) -> tuple[float, float]:
    """Return ``x'Wx`` and ``x'W other``."""
    square = product = 0.0
    for i in range(x.size):
        weighted = weights[i] * x[i]
        square += weighted * x[i]
        product += weighted * other[i]
    return square, product


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _move(x: Vector, change: float, residual: Vector) -> None:
    """Subtract ``x · change`` from the residual."""
    for i in range(x.size):
        residual[i] -= x[i] * change


@njit(nogil=True, error_model="numpy")
def _exchange_by_rows(
    low: int, high: int, count: int, beta: Vector, rows: Matrix, weights: Vector,
    residual: Vector, square: Vector, variance: float, inclusion: Vector, slab: Vector,
    rng: Generator,
) -> None:  # fmt: skip
    """Propose to exchange one of the `count` included columns; `rows` is X'."""
    size = high - low
    inverse, weight, outside = np.empty(size), np.empty(size), np.empty(size)
    reciprocals(square, inverse)
    row = np.empty(size)
    i = _pick(beta, low, high, count, rng)
    _outside(beta, low, high, outside)
    old = beta[low + i]
    for h in range(size):
        row[h] = _products(rows[low + h], weights, rows[low + i])[1]
    j, ratio = draw_partner(row, i, inverse, outside, weight, rng)
    cross = row[j]
    for h in range(size):
        row[h] = _products(rows[low + h], weights, rows[low + j])[1]
    ratio /= reverse_weight(row, i, j, inverse, outside, weight)
    pull_i = _products(rows[low + i], weights, residual)[1] + square[i] * old
    pull_j = _products(rows[low + j], weights, residual)[1] + cross * old
    new = _exchange(i, j, square, pull_i, pull_j, ratio, variance, inclusion, slab, rng)
    if new != 0.0:
        beta[low + i], beta[low + j] = 0.0, new
        _move(rows[low + i], -old, residual)
        _move(rows[low + j], new, residual)


@njit(nogil=True, error_model="numpy")
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
    rng: Generator,
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
    size, rows = high - low, X.T
    count, square, (h, stride) = 0, np.empty(size), tour(size, rng)
    for _ in range(size):
        h = (h + stride) % size
        x, old = rows[low + h], beta[low + h]
        square[h], product = _products(x, weights, residual)
        pull = (product + square[h] * old) / variance
        new = draw_one(square[h] / variance, pull, inclusion[h], slab[h], rng)
        count += new != 0.0
        if new != old:
            beta[low + h] = new
            _move(x, new - old, residual)
    if 0 < count < size and rng.random() < _SHARE:
        _exchange_by_rows(
            low, high, count, beta, rows, weights, residual, square, variance, inclusion, slab, rng
        )
    return count
