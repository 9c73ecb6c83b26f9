r"""The factors of `_linear` where sums of products would lose them: from rows, by reflections.

Squares have twice the digits of what is squared. Where columns are equal but for a share δ of their
lengths, or equal and told apart by a wide prior alone, ``A'A + D`` holds δ² beside 1: with δ below
some 1e-6 its Cholesky factor has too few digits, and below 1e-8 none. The triangle of the *stacked*
rows ``[A; D^(1/2)]`` is the same factor, found by Householder's reflections from δ itself. It costs
several times as much, so it is made only where a pivot says so (`least_share`). Compiled.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

_FAST = {"reassoc", "contract"}  # sums may be reordered; NaN and inf keep their meaning
# Least share of a diagonal element that a pivot of sums of products may be, and of the length of a
# column that one of stacked rows may be.
_LEAST, _NOTHING = 1e-10, 1e-13


@njit(nogil=True, error_model="numpy", inline="always")
def least_share(size: float) -> float:
    """Return the least share of a pivot in its diagonal element that leaves digits enough.

    Rounding over the share is the relative error of the factor. It may be multiplied by `size`,
    that of the terms of a solution in standard deviations.
    """
    return max(_LEAST, 1e-13 * size)


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _reflect(T: Matrix, j: int, rows: int) -> None:
    """Reflect column j onto its first j + 1 numbers, and the columns after it likewise."""
    x = T[j]
    square = 0.0
    for i in range(j, rows):
        square += x[i] * x[i]
    if square == 0.0:
        return
    top = -math.copysign(math.sqrt(square), x[j])
    half = square - top * x[j]
    x[j] -= top
    for h in range(j + 1, T.shape[0]):
        y = T[h]
        product = 0.0
        for i in range(j, rows):
            product += x[i] * y[i]
        product /= half
        for i in range(j, rows):
            y[i] -= product * x[i]
    x[j] = top


@njit(nogil=True, error_model="numpy")
def _triangle(T: Matrix, k: int, L: Matrix) -> bool:
    """Reflect the first k columns, rows of T (·, rows), to L; say whether their pivots have digits.

    Every pivot is positive: where a reflection gives another sign, the row changes it.
    """
    lengths = np.empty(k)
    for j in range(k):
        lengths[j] = math.sqrt((T[j] * T[j]).sum())
    for j in range(k):
        _reflect(T, j, T.shape[1])
        if not abs(T[j, j]) > _NOTHING * lengths[j]:
            return False
        sign = math.copysign(1.0, T[j, j])
        for h in range(j, T.shape[0]):
            T[h, j] *= sign
        for h in range(j, k):
            L[h, j] = T[h, j]
    return True


@njit(nogil=True, error_model="numpy")
def factorise_stacked(A: Matrix, t: Vector, ridge: Vector, f: float, L: Matrix, c: Vector) -> float:
    """Do what `factorise_gram` does, but return the residual square: that of ``[t; 0]``.

    NaN, also in c, where not even the rows tell the columns apart.
    """
    r, k = t.size, ridge.size
    T = np.zeros((k + 1, r + k))
    for j in range(k):
        for i in range(r):
            T[j, i] = A[i, j]
        T[j, r + j] = math.sqrt(ridge[j] / f)
    for i in range(r):
        T[k, i] = t[i]
    if not _triangle(T, k, L):
        c[:] = math.nan
        return math.nan
    left = 0.0
    for i in range(k):
        c[i] = T[k, i]
    for i in range(k, r + k):
        left += T[k, i] * T[k, i]
    return left


@njit(nogil=True, error_model="numpy")
def factorise_widened(W: Matrix, f: float, L: Matrix) -> bool:
    """Fill L with ``L L' = I + f W W'``: the triangle of ``[√f W'; I]``; say if it has digits."""
    r, k = W.shape
    T = np.zeros((r, k + r))
    root = math.sqrt(f)
    for i in range(r):
        for j in range(k):
            T[i, j] = root * W[i, j]
        T[i, k + i] = 1.0
    return _triangle(T, r, L)
