"""Moving a dual point until its correlations with some columns are what they should be.

The correction is weighted by the curvature, like a Newton step, which keeps the point inside the
domain of the conjugate where a row's probability is close to 0 or 1: with columns Z and curvature C
it is ``C Z (Z'CZ)⁻¹ (Z'u − target)``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.linalg import LinAlgError, cho_solve, cholesky

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.design import Design

# Most work that a least-squares solution of a nearly dependent system may cost: n k².
_MOST_WORK = 2e9
# A Cholesky factor of unit columns with a smaller pivot has lost too many digits.
_LEAST_PIVOT = 1e-6


def moved(
    design: Design, rows: Vector, curvature: Vector, positions: NDArray[np.intp], target: Vector
) -> Vector | None:
    """Move a number per row until its correlations with some centred columns are the target.

    The intercept's column is always among them, with target 0. None where the columns are too many
    or too close to dependent.

    Parameters
    ----------
    design : Design
        The data.
    rows, curvature : ndarray, shape (n,)
        Where to start, and the weights of the correction.
    positions, target : ndarray, shape (k,)
        Which columns, and the correlations wanted.
    """
    if not (design.intercept or target.size):
        return rows
    block: _Block
    if design.sparse and positions.size:
        block = _SparseBlock(design, positions, curvature)
    else:
        columns = design.centred.take(positions) if positions.size else np.empty((design.n, 0))
        block = _DenseBlock(design, columns, curvature)
    return _move(block, rows, np.append(np.zeros(int(design.intercept)), target))


def moved_along(
    design: Design, rows: Vector, curvature: Vector, directions: sparse.csr_array, target: Vector
) -> Vector | None:
    """Move a number per row as `moved` does, for combinations of columns.

    Parameters
    ----------
    design, rows, curvature, target
        As for `moved`.
    directions : scipy.sparse.csr_array, shape (p, k)
        What the columns are combined with.
    """
    if not (design.intercept or target.size):
        return rows
    columns = design.centred.dot(directions.toarray())
    block = _DenseBlock(design, columns, curvature)
    return _move(block, rows, np.append(np.zeros(int(design.intercept)), target))


def _move(block: _Block, rows: Vector, wanted: Vector) -> Vector | None:
    if not block.solvable:
        return None
    dual = rows
    for _ in range(2):  # the second pass removes the rounding of the first
        dual = dual - block.correction(block.correlate(dual) - wanted)
    return dual


def _factor(gram: Matrix) -> Matrix | None:
    """Return a Cholesky factor, None where it has lost its digits."""
    try:
        factor = np.asarray(cholesky(gram, lower=True, check_finite=False))
    except LinAlgError:
        return None
    return factor if float(np.diag(factor).min()) > _LEAST_PIVOT else None


class _Block(ABC):
    """Some columns, the intercept's first if there is one."""

    solvable: bool

    @abstractmethod
    def correlate(self, rows: Vector) -> Vector:
        """Return ``Z'u``."""

    @abstractmethod
    def correction(self, excess: Vector) -> Vector:
        """Return ``C Z (Z'CZ)⁻¹ excess``."""


class _DenseBlock(_Block):
    def __init__(self, design: Design, columns: Matrix, curvature: Vector) -> None:
        if design.intercept:
            columns = np.column_stack([design.one, columns])
        self.columns, self.root = columns, np.sqrt(curvature)
        basis = self.root[:, None] * columns
        norms = np.sqrt(np.vecdot(basis.T, basis.T))
        self.norms = np.where(norms > 0, norms, 1.0)
        self.basis = basis / self.norms
        n, k = basis.shape
        self.factor = _factor(self.basis.T @ self.basis) if k <= n else None
        self.solvable = self.factor is not None or n * k * min(n, k) <= _MOST_WORK

    def correlate(self, rows: Vector) -> Vector:
        return np.asarray(self.columns.T @ rows)

    def correction(self, excess: Vector) -> Vector:
        scaled = excess / self.norms
        if self.factor is None:
            shortest = np.linalg.lstsq(self.basis.T, scaled, rcond=None)[0]
        else:
            shortest = self.basis @ cho_solve((self.factor, True), scaled, check_finite=False)
        return np.asarray(self.root * shortest)


class _SparseBlock(_Block):
    """``Z = A T`` with A the columns as they are and T what takes their means off."""

    def __init__(self, design: Design, positions: NDArray[np.intp], curvature: Vector) -> None:
        self.columns = design.X[:, positions]
        self.mean = design.centred.center[positions]
        self.first = int(design.intercept)
        if self.first:
            one = sparse.csc_array(design.one[:, None])
            self.columns = sparse.hstack([one, self.columns], format="csc")
        self.curvature = curvature
        gram = (self.columns.T @ (sparse.diags_array(curvature) @ self.columns)).toarray()
        if self.first:
            gram[1:] -= np.outer(self.mean, gram[0])
            gram[:, 1:] -= np.outer(gram[:, 0], self.mean)
        norms = np.sqrt(np.maximum(np.diag(gram), 0.0))
        self.norms = np.where(norms > 0, norms, 1.0)
        factor = _factor(gram / np.outer(self.norms, self.norms))
        self.solvable = factor is not None
        self.factor = np.eye(1) if factor is None else factor

    def correlate(self, rows: Vector) -> Vector:
        found = np.asarray(self.columns.T @ rows)
        if self.first:
            found[1:] -= self.mean * found[0]
        return found

    def correction(self, excess: Vector) -> Vector:
        step = cho_solve((self.factor, True), excess / self.norms, check_finite=False) / self.norms
        if self.first:
            step[0] -= self.mean @ step[1:]
        return np.asarray(self.curvature * (self.columns @ step))
