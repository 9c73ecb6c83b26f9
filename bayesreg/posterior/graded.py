"""Singular values of columns of very different lengths, with all their digits.

A decomposition is usually right to ε times the largest singular value, which is more than the whole
of the others where a column is ε times as long as another, or its prior as wide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector


def graded_svd(columns: Matrix) -> tuple[Matrix, Vector, Matrix]:
    """Return U (n, r), s (r,) and V (k, r), r = min(n, k), such that ``columns = U diag(s) Vᵀ``.

    A QR factorisation that takes the longest column first, and one of its transposed factor, leave
    a matrix that falls from its first entry to its last and is nearly diagonal: then rounding of
    the large stays away from the small (Drmač & Veselić 2008).

    Examples
    --------
    >>> columns = np.array([[1e-8, 3e8], [1e-8, -3e8]])
    >>> print(graded_svd(columns)[1] / np.sqrt(2))
    [3.e+08 1.e-08]
    """
    Q, R, order = linalg.qr(columns, mode="economic", pivoting=True, check_finite=False)
    Z, L = linalg.qr(R.T, mode="economic", check_finite=False)
    W, s, Yt = np.linalg.svd(L.T, full_matrices=False)
    V = np.empty((columns.shape[1], s.size))
    V[order] = Z @ Yt.T
    return Q @ W, s, V
