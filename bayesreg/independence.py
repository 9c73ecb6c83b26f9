"""Whether columns are linearly independent, and what they leave of a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import get_lapack_funcs
from scipy.optimize import nnls

from bayesreg._threads import every_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

    type Mask = NDArray[np.bool_]
    type Reals = NDArray[np.float32] | NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
# Smallest eigenvalue of the inner products of unit columns that rounding in single and in double
# precision cannot make of 0, with orders of magnitude to spare.
SINGLE, DOUBLE = 1e-3, 1e-9


def independent(columns: Matrix) -> bool:
    """Tell whether columns (n, k) are linearly independent to rounding.

    Cheap proofs come first: the inner products of some rows, in single precision (columns that are
    independent on some rows are so on all); then of all rows; a rank by singular values only where
    both leave it open.

    Examples
    --------
    >>> independent(np.eye(3)[:, :2]), independent(np.ones((3, 2)))
    (True, False)
    """
    n, k = columns.shape
    if k == 0:
        return True
    if k > n:
        return False
    if surely_definite(unit_gram(columns[:: row_step(n, k)], single=True), SINGLE):
        return True
    gram = unit_gram(columns)
    if not np.isfinite(gram).all():
        return False
    if surely_definite(gram, DOUBLE):
        return True
    norms = np.sqrt(np.vecdot(columns.T, columns.T))
    triangle = np.linalg.qr(columns / norms, mode="r")
    least = _EPS * n * float(np.linalg.norm(triangle, 2))
    return bool(np.linalg.matrix_rank(triangle, tol=least) == k)


def residual(columns: Matrix, target: Vector) -> Vector:
    """Return what least squares on columns (n, k) of any length leaves of a target (n,).

    Examples
    --------
    >>> residual(np.array([[1e-200], [0.0]]), np.array([3.0, 4.0]))
    array([0., 4.])
    """
    # The largest entry first: squares of tiny and of huge ones leave double precision.
    peak = np.abs(columns).max(axis=0, initial=0.0)
    scaled = columns[:, peak > 0] / peak[peak > 0]
    scaled /= np.sqrt(np.vecdot(scaled.T, scaled.T))
    return target - scaled @ np.linalg.lstsq(scaled, target)[0] if scaled.size else target


def length_left(columns: Matrix, target: Vector, nonnegative: Mask) -> float:
    """Length of what least squares leaves of a target (n,) where some of k cannot be negative.

    Where the search among their signs does not end, bounds are left out.

    Examples
    --------
    >>> length_left(np.array([[2.0]]), np.array([-3.0]), np.array([True]))
    3.0
    """
    lengths = np.sqrt(np.vecdot(columns.T, columns.T))
    unit = columns / np.where(lengths > 0, lengths, 1.0)
    try:
        return float(nnls(np.hstack([unit, -unit[:, ~nonnegative]]), target)[1])
    except RuntimeError:
        return float(np.linalg.norm(residual(columns, target)))


def row_step(n: int, k: int) -> int:
    """Return the step between rows that leaves at least twice as many of n rows as columns."""
    return max(1, n // (2 * k + 32))


def unit_gram(columns: Matrix, *, single: bool = False) -> Reals:
    """Return the inner products of columns (n, k) of unit length; NaN where one is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = columns / np.sqrt(np.vecdot(columns.T, columns.T))
        chosen: Reals = unit.astype(np.float32) if single else unit
        with every_thread(chosen.size * chosen.shape[1]):
            return chosen.T @ chosen


def surely_definite(gram: Reals, least: float) -> bool:
    """Tell whether a Cholesky factorisation proves that all eigenvalues exceed `least`."""
    if not np.isfinite(np.diag(gram)).all():
        return False
    # The transpose of a symmetric copy is the same matrix in the order that LAPACK wants.
    moved = gram.copy().T
    moved[np.diag_indices_from(moved)] -= least
    (factor,) = get_lapack_funcs(("potrf",), (moved,))
    return int(factor(moved, lower=1, overwrite_a=1, clean=0)[1]) == 0
