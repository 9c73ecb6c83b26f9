"""Draws of coefficients given the precisions of rows, which change with every draw. Compiled.

Columns are the rows of a matrix (p, n). Two routes, as in `_linear`: by a p × p system, and by an
n × n one in units of the prior sd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._linear import factorise, solve_lower, solve_upper

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector

# Rows moved at a time where a matrix is transposed: a line of the cache.
_STRIP = 8
# Rows of a strip of a symmetric product: below the diagonal of strips nothing is computed twice.
_BLOCK = 64


@njit(nogil=True, error_model="numpy")
def by_columns(X: Matrix, root: Vector, mean: Vector) -> Matrix:
    """Return the columns about `mean` times `root`, shape (p, n)."""
    p, n = X.shape
    A = np.empty((p, n))
    for j in range(p):
        for i in range(n):
            A[j, i] = root[i] * (X[j, i] - mean[j])
    return A


@njit(nogil=True, error_model="numpy")
def by_rows(X: Matrix, root: Vector, mean: Vector, unit: Vector) -> Matrix:
    """Return the same times `unit`, transposed: shape (n, p), in strips for the cache."""
    p, n = X.shape
    A = np.empty((n, p))
    for low in range(0, n, _STRIP):
        high = min(low + _STRIP, n)
        for j in range(p):
            for i in range(low, high):
                A[i, j] = root[i] * (X[j, i] - mean[j]) * unit[j]
    return A


@njit(nogil=True, error_model="numpy")
def _outer_square(A: Matrix, out: Matrix) -> None:
    """Write the lower triangle of ``A A'``, strip by strip."""
    m = A.shape[0]
    for low in range(0, m, _BLOCK):
        high = min(low + _BLOCK, m)
        out[low:high, :high] = np.dot(A[low:high], A[:high].T)


@njit(nogil=True, error_model="numpy")
def factor(A: Matrix, ridge: Vector) -> Matrix:
    """Factorise the precision ``A A' + diag(ridge)`` of coefficients with columns A (p, n)."""
    p = ridge.size
    L = np.empty((p, p))
    _outer_square(A, L)
    for j in range(p):
        L[j, j] += ridge[j]
    factorise(L, p)
    return L


@njit(nogil=True, error_model="numpy")
def draw(L: Matrix, pull: Vector, rng: Generator) -> Vector:
    """Draw with precision ``L L'`` and mean ``(L L')⁻¹ pull`` (Rue 2001)."""
    p = pull.size
    out = pull.copy()
    solve_lower(L, p, out)
    for j in range(p):
        out[j] += rng.standard_normal()
    solve_upper(L, p, out)
    return out


@njit(nogil=True, error_model="numpy")
def factor_wide(W: Matrix) -> Matrix:
    """Factorise ``I + W W'``, rows W (n, p) in units of the prior sd."""
    n = W.shape[0]
    L = np.empty((n, n))
    _outer_square(W, L)
    for i in range(n):
        L[i, i] += 1.0
    factorise(L, n)
    return L


@njit(nogil=True, error_model="numpy")
def draw_wide(W: Matrix, L: Matrix, target: Vector, rng: Generator) -> Vector:
    """Draw with precision ``I + W'W`` and pull ``W' target`` (Bhattacharya et al. 2016)."""
    n, p = W.shape
    u = np.empty(p)
    for j in range(p):
        u[j] = rng.standard_normal()
    rest = target - np.dot(W, u)
    for i in range(n):
        rest[i] -= rng.standard_normal()
    solve_lower(L, n, rest)
    solve_upper(L, n, rest)
    u += np.dot(rest, W)
    return u
