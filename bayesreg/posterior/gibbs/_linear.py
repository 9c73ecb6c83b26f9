r"""Draws from the Gaussian conditional of coefficients, given their prior variances. Compiled.

The data are rows A (r, p) and a target t (r,), whitened so that the noise has sd σ in each.
With ``β_j ~ N(0, σ²/d_j)``, d the *ridge*, the conditional is normal of precision ``(A'A + D)/σ²``.
Two routes, each in two halves, because the first half also says how well σ and D fit with β
integrated out: ``t'(I + A D⁻¹ A')⁻¹ t`` is the residual square after shrinkage, and the diagonal of
L gives the determinant.

Gram (p not much more than r)
    ``L L' = A'A + D``, ``c = L⁻¹ A't``, ``β = L'⁻¹ (c + σz)``: one factorisation, and one solve for
    the mean and the noise together (Rue 2001).
Rows (p large)
    ``L L' = I + W W'`` with ``W = A D^(−½)``, r × r. With ``u ~ N(0, σ²D⁻¹)``, ``δ ~ N(0, σ²I)``:
    ``β = u + D⁻¹ A' (L L')⁻¹ (t − Au − δ)`` (Bhattacharya, Chakraborty & Mallick 2016). No p × p
    array is ever formed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector

_FAST = {"reassoc", "contract"}  # sums may be reordered; NaN and inf keep their meaning
# Share of a diagonal element below which what is left of it is rounding.
_COLLAPSED = 1e-14
# Columns of a panel of a large Cholesky factorisation: within it plain loops, beyond it BLAS.
_PANEL = 96
# Rows of a strip of W W': below the diagonal of strips nothing is computed twice.
_STRIP = 64


@njit(nogil=True, error_model="numpy", fastmath=_FAST, inline="always")
def _tile(Q: Matrix, i: int, j: int) -> None:
    """Write two rows of the factor from row i on, at the four columns from column j on.

    The columns before j are done, and so is the triangle ``j:j + 4``, its diagonal inverted. Eight
    sums at once: each number that is read is used two or four times.
    """
    a0, a1, a2, a3 = Q[i, j], Q[i, j + 1], Q[i, j + 2], Q[i, j + 3]
    b0, b1, b2, b3 = Q[i + 1, j], Q[i + 1, j + 1], Q[i + 1, j + 2], Q[i + 1, j + 3]
    for h in range(j):
        a, b = Q[i, h], Q[i + 1, h]
        c0, c1, c2, c3 = Q[j, h], Q[j + 1, h], Q[j + 2, h], Q[j + 3, h]
        a0, a1, a2, a3 = a0 - a * c0, a1 - a * c1, a2 - a * c2, a3 - a * c3
        b0, b1, b2, b3 = b0 - b * c0, b1 - b * c1, b2 - b * c2, b3 - b * c3
    Q[i, j], Q[i, j + 1], Q[i, j + 2], Q[i, j + 3] = a0, a1, a2, a3
    Q[i + 1, j], Q[i + 1, j + 1], Q[i + 1, j + 2], Q[i + 1, j + 3] = b0, b1, b2, b3
    for k in range(i, i + 2):
        x = Q[k, j] * Q[j, j]
        y = (Q[k, j + 1] - x * Q[j + 1, j]) * Q[j + 1, j + 1]
        z = (Q[k, j + 2] - x * Q[j + 2, j] - y * Q[j + 2, j + 1]) * Q[j + 2, j + 2]
        u = Q[k, j + 3] - x * Q[j + 3, j] - y * Q[j + 3, j + 1] - z * Q[j + 3, j + 2]
        Q[k, j], Q[k, j + 1], Q[k, j + 2], Q[k, j + 3] = x, y, z, u * Q[j + 3, j + 3]


@njit(nogil=True, error_model="numpy", fastmath=_FAST, inline="always")
def _finish(Q: Matrix, i: int, done: int, columns: int) -> None:
    """Write what is left of row i of the factor, and the inverse of its diagonal element."""
    for j in range(done, min(i, columns)):
        total = Q[i, j]
        for h in range(j):
            total -= Q[i, h] * Q[j, h]
        Q[i, j] = total * Q[j, j]
    if i < columns:
        whole = abs(Q[i, i])
        total = Q[i, i]
        for h in range(i):
            total -= Q[i, h] * Q[i, h]
        Q[i, i] = 1.0 / math.sqrt(max(total, _COLLAPSED * whole))


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _panel(Q: Matrix, rows: int, columns: int) -> None:
    """Overwrite the lower triangle of Q (rows, columns) by the first columns of its factor."""
    for i in range(0, rows - 1, 2):
        done = min(i, columns) // 4 * 4
        for j in range(0, done, 4):
            _tile(Q, i, j)
        _finish(Q, i, done, columns)
        _finish(Q, i + 1, done, columns)
    if rows % 2:
        _finish(Q, rows - 1, 0, columns)
    for j in range(columns):
        Q[j, j] = 1.0 / Q[j, j]


@njit(nogil=True, error_model="numpy")
def factorise(Q: Matrix, k: int) -> None:
    """Overwrite the lower triangle of the leading k × k part of Q by its Cholesky factor.

    A pivot that is all rounding (equal columns under a prior that is as good as flat) is kept from
    being negative. Up to some 800 columns tiles alone are faster than LAPACK. Beyond, what the
    columns so far take from the next panel is one product of matrices.
    """
    if k <= 8 * _PANEL:
        _panel(Q, k, k)
        return
    for low in range(0, k, _PANEL):
        high = min(low + _PANEL, k)
        panel = _remaining(Q, low, high, k)
        _panel(panel, k - low, high - low)
        for i in range(k - low):
            for h in range(min(i + 1, high - low)):
                Q[low + i, low + h] = panel[i, h]


@njit(nogil=True, error_model="numpy")
def _remaining(Q: Matrix, low: int, high: int, k: int) -> Matrix:
    """Return the columns ``low:high`` from the diagonal on, less what those before them take."""
    below, panel = np.empty((k - low, low)), np.empty((k - low, high - low))
    for i in range(k - low):
        for h in range(low):
            below[i, h] = Q[low + i, h]
        for h in range(high - low):
            panel[i, h] = Q[low + i, low + h]
    if low:
        taken = np.dot(below, below[: high - low].T)
        for i in range(k - low):
            for h in range(high - low):
                panel[i, h] -= taken[i, h]
    return panel


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def solve_lower(L: Matrix, k: int, x: Vector) -> None:
    """Overwrite the first k numbers of x by ``L⁻¹ x``."""
    for i in range(k):
        total = x[i]
        for h in range(i):
            total -= L[i, h] * x[h]
        x[i] = total / L[i, i]


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def solve_upper(L: Matrix, k: int, x: Vector) -> None:
    """Overwrite the first k numbers of x by ``L'⁻¹ x``."""
    for i in range(k - 1, -1, -1):
        x[i] /= L[i, i]
        share = x[i]
        for h in range(i):
            x[h] -= L[i, h] * share


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def widen(A: Matrix, ridge: Vector, width: Vector, W: Matrix, K: Matrix) -> None:
    """Write ``width = D^(−½)``, ``W = A D^(−½)`` and the lower triangle of ``K = W W'``.

    A strip of rows at a time, so that little of the symmetric product is computed twice.
    """
    r, k = A.shape[0], ridge.size
    for j in range(k):
        width[j] = 1.0 / math.sqrt(ridge[j])
    for i in range(r):
        for j in range(k):
            W[i, j] = A[i, j] * width[j]
    for low in range(0, r, _STRIP):
        high = min(low + _STRIP, r)
        part = np.dot(W[low:high], W[:high].T)
        for i in range(low, high):
            for h in range(i + 1):
                K[i, h] = part[i - low, h]


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def factorise_gram(G: Matrix, b: Vector, ridge: Vector, f: float, L: Matrix, c: Vector) -> float:
    """Fill L and ``c = L⁻¹ A't`` for the ridge ``D/f``; return ``c'c``, what the fit explains."""
    k = ridge.size
    for i in range(k):
        for h in range(i + 1):
            L[i, h] = G[i, h]
        L[i, i] += ridge[i] / f
        c[i] = b[i]
    factorise(L, k)
    solve_lower(L, k, c)
    return _square(c, k)


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def factorise_rows(K: Matrix, t: Vector, f: float, L: Matrix, c: Vector) -> float:
    """Fill L with ``L L' = I + f K`` and ``c = L⁻¹ t``; return ``c'c``, the residual square."""
    r = t.size
    for i in range(r):
        for h in range(i + 1):
            L[i, h] = f * K[i, h]
        L[i, i] += 1.0
        c[i] = t[i]
    factorise(L, r)
    solve_lower(L, r, c)
    return _square(c, r)


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _square(c: Vector, k: int) -> float:
    total = 0.0
    for i in range(k):
        total += c[i] * c[i]
    return total


@njit(nogil=True, error_model="numpy")
def draw_gram(L: Matrix, c: Vector, sigma: float, beta: Vector, rng: Generator) -> None:
    """Draw ``β = L'⁻¹ (c + σz)``."""
    k = beta.size
    for i in range(k):
        beta[i] = c[i] + sigma * rng.standard_normal()
    solve_upper(L, k, beta)


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def draw_rows(
    W: Matrix, L: Matrix, c: Vector, width: Vector, f: float, sigma: float, beta: Vector,
    rng: Generator,
) -> None:  # fmt: skip
    """Draw β for the ridge ``D/f``: in units of the prior sd, ``u + V'(LL')⁻¹(t − Vu − δ)``.

    V is ``√f W``, ``width`` the ``D^(−½)`` in W.
    """
    r, k = W.shape
    root = math.sqrt(f)
    w = np.empty(r)
    for j in range(k):
        beta[j] = sigma * rng.standard_normal()
    for i in range(r):
        total = 0.0
        for j in range(k):
            total += W[i, j] * beta[j]
        w[i] = root * total + sigma * rng.standard_normal()
    solve_lower(L, r, w)
    for i in range(r):
        w[i] = root * (c[i] - w[i])
    solve_upper(L, r, w)
    for i in range(r):
        for j in range(k):
            beta[j] += w[i] * W[i, j]
    for j in range(k):
        beta[j] *= root * width[j]
