"""Rows as scikit-learn means them: exchangeable, and counted by their weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from bayesreg._validation import Vector, as_vector, read_only, refuse_masked
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg.design import Design

# A mean of more standard deviations than this costs predictions digits unless it is taken out.
_BENIGN = 8.0
# Entries of X up to which rows are written out as often as they count: 80 MB.
_MOST_ENTRIES = 10_000_000
# The finaliser of splitmix64 (Steele, Lea & Flood 2014) spreads every bit of a number over all.
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@dataclass(frozen=True, eq=False)
class Rows:
    """Predictors and target, with rows written out as often as they count.

    Attributes
    ----------
    X : ndarray or sparse array, shape (n, p)
        Predictors.
    y : ndarray, shape (n,)
        Target.
    weights : ndarray, shape (n,), or None
        How often each row counts, where that is no whole number or would fill the memory.
    """

    X: Any
    y: Vector
    weights: Vector | None

    @classmethod
    def of(cls, X: Any, y: Vector, sample_weight: object) -> Rows:
        """Drop rows of weight 0, and repeat those of weight 2, 3, ...

        Raises
        ------
        InputError
            If a weight is negative, not finite, or all are zero.

        Examples
        --------
        >>> Rows.of(np.array([[1.0], [2.0], [3.0]]), np.array([4.0, 5.0, 6.0]), [2, 0, 1]).y
        array([4., 4., 6.])
        """
        if sample_weight is None:
            return cls(X, y, None)
        refuse_masked(sample_weight, "sample_weight")
        given = np.asarray(sample_weight)
        given = np.full(y.size, given) if given.ndim == 0 else given
        weights = as_vector(given, "sample_weight", y.size)
        if (weights < 0).any():
            row = int(np.argmax(weights < 0))
            msg = (
                f"sample_weight: must not be negative, found {weights[row]:g} at row {row}; "
                "0 leaves a row out"
            )
            raise InputError(msg)
        if not weights.any():
            msg = "sample_weight: all weights are zero, so no row is left; give some row a weight"
            raise InputError(msg)
        if np.count_nonzero(weights) < 2:
            msg = "sample_weight: leaves one row, and at least 2 are needed; give others a weight"
            raise InputError(msg)
        whole = (weights == np.round(weights)).all()
        fits = weights.sum() * X.shape[1] <= max(_MOST_ENTRIES, y.size * X.shape[1])
        if whole and fits:
            index = np.repeat(np.arange(y.size), weights.astype(np.intp))
            return cls(_taken(X, index), y[index], None)
        index = np.flatnonzero(weights)
        return cls(_taken(X, index), y[index], weights[index])


def _taken(X: Any, index: NDArray[np.intp]) -> Any:
    return X[index] if isinstance(X, np.ndarray) else X.tocsr()[index]


def target_spread(design: Design) -> float:
    """Standard deviation of the target; where that is 0 its size, and where that is 0 one."""
    y, weights = design.y, design.row_weights
    spread = float(np.sqrt(np.average((y - np.average(y, weights=weights)) ** 2, weights=weights)))
    size = float(np.abs(y).max())
    return spread if spread > 1e-14 * size else (size or 1.0)


def weighted_sd(design: Design) -> Vector:
    """Standard deviation of each column, rows counted by their weights; 0 for a constant one."""
    if design.weights is None:
        return design.column_sd
    weights = design.weights / design.weights.sum()
    if design.sparse:
        mean = design.X.T @ weights
        square = design.X.power(2).T @ weights
        variance = square - mean**2
        return np.sqrt(np.where(variance > 1e-14 * square, variance, 0.0))
    mean = weights @ design.X
    return np.where(design.column_sd > 0, np.sqrt(weights @ (design.X - mean) ** 2), 0.0)


def canonical_order(design: Design) -> NDArray[np.intp]:
    """Return an order of the rows that depends on what they hold, not on where they stand.

    By a hash of each row: equal rows are neighbours, and the same rows in another order, sparse or
    dense, give the same data, hence the same draws from the same seed.

    Examples
    --------
    >>> from bayesreg.design import Design
    >>> X, y = np.array([[1.0], [2.0], [5.0]]), np.array([3.0, 4.0, 6.0])
    >>> one, two = Design.of(X, y), Design.of(X[::-1], y[::-1])
    >>> bool((y[canonical_order(one)] == y[::-1][canonical_order(two)]).all())
    True
    """
    keys = _hashed(np.arange(1, design.p + 3, dtype=np.uint64)) | np.uint64(1)
    total = _bits(design.y) * keys[0] + _bits(design.row_weights) * keys[1]
    if design.sparse:
        columns = np.repeat(keys[2:], np.diff(design.X.indptr))
        np.add.at(total, design.X.indices, _bits(design.X.data) * columns)
    else:
        for column, key in zip(design.X.T, keys[2:], strict=True):
            total += _bits(column) * key
    return np.argsort(total, kind="stable")


def _bits(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    # Adding 0.0 makes -0.0 of the same bits as 0.0, which hash to 0.
    return _hashed((values + 0.0).view(np.uint64))


def _hashed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX[0]
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX[1]
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def reordered(design: Design, order: NDArray[np.intp]) -> Design:
    """Return the same data with its rows in another order."""
    X = design.X.tocsr()[order].tocsc() if design.sparse else np.asfortranarray(design.X[order])
    weights = None if design.weights is None else read_only(design.weights[order])
    return replace(design, X=X, y=read_only(design.y[order]), weights=weights)


def origin(design: Design) -> Vector:
    """Where each column is to be measured from, shape (p,): 0 unless it lies far from 0.

    The median: that of the same rows in any order, and exactly the value of a constant column. It
    is 0 without an intercept, which could not take up what is taken out.

    Examples
    --------
    >>> from bayesreg.design import Design
    >>> origin(Design.of([[1e9, 1.0], [1e9, -1.0], [1e9 + 2, 0.0]], [0.0, 1.0, 2.0]))
    array([1.e+09, 0.e+00])
    """
    found = np.zeros(design.p)
    if design.intercept:
        far = np.flatnonzero(np.abs(design.column_mean) > _BENIGN * design.column_sd)
        found[far] = np.median(design.X[:, far].toarray() if design.sparse else design.X[:, far], 0)
    return found


def measured(X: Any, start: Vector) -> Any:
    """Return rows, dense or sparse, with their columns measured from an `origin`."""
    far = np.flatnonzero(start)
    if not far.size:
        return X
    if isinstance(X, np.ndarray):
        return X - start
    n = X.shape[0]
    steps = (np.tile(start[far], n), np.tile(far, n), np.arange(n + 1) * far.size)
    return sparse.csr_array(X) - sparse.csr_array(steps, shape=X.shape)


def about(design: Design, start: Vector) -> Design:
    """Return the design of columns measured from an `origin`; constant ones are exactly 0."""
    if not start.any():
        return design
    X = measured(design.X, start)
    varies = design.column_sd > 0
    if design.sparse:
        return replace(design, X=sparse.csc_array(X @ sparse.diags_array(varies.astype(float))))
    return replace(design, X=read_only(np.asfortranarray(np.where(varies, X, 0.0))))
