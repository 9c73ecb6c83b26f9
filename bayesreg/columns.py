"""The columns of a design seen through weights, centring and scaling, without a copy of them.

``Z = diag(root) (X − one · center') / scale`` as an operator: products with it cost one pass over
X, dense or sparse. Centring by subtraction of ``one' r`` afterwards loses the digits that a column
shares with its mean; where that matters, `Columns.of` makes a centred copy instead.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from bayesreg._threads import every_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

    type Positions = NDArray[np.intp]

_EPS = float(np.finfo(np.float64).eps)
# A column whose mean exceeds so many standard deviations is centred explicitly: in a copy, dense or
# sparse as X is.
_BENIGN = 8.0
# Numbers that are squared at a time, so that no second copy of X is made.
_BLOCK = 2_000_000
# Stored numbers of a sparse matrix that are squared at a time: few enough to stay in the cache.
_FEW = 60_000


@dataclass(frozen=True, eq=False)
class Columns(ABC):
    """An operator Z of shape (n, p).

    Attributes
    ----------
    root : ndarray, shape (n,), or None
        Square roots of the row weights; None for ones.
    one : ndarray, shape (n,)
        The column of the intercept: ones, or what they become.
    center, scale : ndarray, shape (p,)
        What is taken from each column (in multiples of `one`), and what it is then divided by; an
        infinite scale makes a column of zeros.
    """

    root: Vector | None
    one: Vector
    center: Vector
    scale: Vector

    @staticmethod
    def of(
        X: Any,
        *,
        one: Vector | None = None,
        weights: Vector | None = None,
        centred: bool = False,
        unit: bool = False,
    ) -> Columns:
        """Centre and scale columns.

        Parameters
        ----------
        X : ndarray or scipy.sparse.csc_array, shape (n, p)
            The columns.
        one : ndarray, shape (n,), optional
            The intercept's column; ones by default.
        weights : ndarray, shape (n,), optional
            Row weights: every row is multiplied by the root of its weight.
        centred : bool
            Make every column orthogonal to `one`, in the weighted inner product.
        unit : bool
            Divide every column by its (weighted) length.

        Returns
        -------
        Columns
            Columns that are constant to rounding have an infinite scale if `unit`.
        """
        n, p = X.shape
        base = np.ones(n) if one is None else one
        root = None if weights is None else np.sqrt(weights)
        kind = _Sparse if sparse.issparse(X) else _Dense
        plain = kind(root, base, np.zeros(p), np.ones(p), X)
        if not centred:
            return plain.rescaled(_safe(plain.norms())) if unit else plain
        length = plain.norms()
        share = base if weights is None else base * weights
        total = float(share @ base)
        mean = np.asarray(X.T @ share) / total
        level = np.abs(mean) * math.sqrt(total)
        # ‖x‖² = ‖x − mean‖² + level²; what is left of the difference decides how to centre.
        spread = np.sqrt(np.maximum(length**2 - level**2, 0.0))
        far = level > _BENIGN * spread
        # All of a dense copy may as well be centred; of a sparse one what is full already.
        far = far & (np.diff(X.indptr) == n) if kind is _Sparse else np.full(p, far.any())
        if far.any():
            explicit = _filled_about if kind is _Sparse else _about
            X, mean = explicit(X, base, share, np.where(far, mean, 0.0)), np.where(far, 0.0, mean)
        centre = kind(root, base, mean, np.ones(p), X)
        if far.any():
            spread = np.where(far, centre.norms(), spread)
        constant = spread <= 4 * _EPS * math.sqrt(n) * level
        if not (unit or constant.any()):
            return centre
        scale = np.where(constant, np.inf, _safe(spread) if unit else 1.0)
        return centre.rescaled(scale)

    @abstractmethod
    def rescaled(self, scale: Vector) -> Columns:
        """Divide the columns by further numbers; shape (p,)."""

    def reweighted(self, weights: Vector, *, centred: bool) -> Columns:
        """Weight the rows, and centre the columns in that inner product, on the same scale."""
        share = weights * self.one
        center = self.center
        if centred:
            center = np.asarray(self.raw_correlate(share)) / float(share @ self.one)
        return replace(self, root=np.sqrt(weights), center=center)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    @abstractmethod
    def raw_dot(self, coef: Vector | Matrix) -> Any:
        """Return ``X @ coef``; shape (n,) or (n, k)."""

    @abstractmethod
    def raw_correlate(self, rows: Vector | Matrix) -> Any:
        """Return ``X' @ rows``; shape (p,) or (p, k)."""

    @abstractmethod
    def norms(self, weights: Vector | None = None) -> Vector:
        """Length of each column of Z, in the inner product of further row weights; shape (p,)."""

    @abstractmethod
    def take(self, positions: Positions) -> Matrix:
        """Return some columns as a dense matrix, in Fortran order; shape (n, k)."""

    def _treated(self, chosen: Matrix, positions: Positions) -> Matrix:
        """Centre, weight and scale a dense copy of some columns, in place."""
        if self.center[positions].any():
            chosen -= np.outer(self.one, self.center[positions])
        if self.root is not None:
            chosen *= self.root[:, None]
        chosen /= self.scale[positions]
        return chosen

    def _shares(self, weights: Vector | None) -> Vector:
        """Weight of each row in an inner product, further weights included; shape (n,)."""
        own = np.ones(self.shape[0]) if self.root is None else self.root**2
        return own if weights is None else own * weights

    @abstractmethod
    def gram(self, left: Positions, right: Positions) -> Matrix:
        """Return the inner products of some columns with others; shape (len(left), len(right))."""

    @abstractmethod
    def gram_of_all(self) -> Matrix:
        """Return the inner products of all columns; shape (p, p)."""

    @property
    def is_dense(self) -> bool:
        """Whether a few columns may be kept as a dense matrix without a thought for memory."""
        return isinstance(self, _Dense)

    def holding(self, Z: Matrix) -> Columns:
        """Return the operator of columns that are weighted, centred and scaled already."""
        zero, one = np.zeros(Z.shape[1]), np.ones(Z.shape[1])
        return _Dense(None, self.one, zero, one, Z)

    @abstractmethod
    def part(self, positions: Positions) -> Columns:
        """Return the operator of some of the columns."""

    def dot(self, coef: Vector | Matrix) -> Any:
        """Return ``Z @ coef``; coef has shape (p,) or (p, k)."""
        scaled = _by_row(coef, 1.0 / self.scale)
        rows = self.raw_dot(scaled)
        shift = self.center @ scaled
        rows = rows - (np.outer(self.one, shift) if coef.ndim == 2 else self.one * shift)
        return rows if self.root is None else _by_row(rows, self.root)

    def correlate(self, rows: Vector | Matrix) -> Any:
        """Return ``Z' @ rows``; rows has shape (n,) or (n, k)."""
        weighted = rows if self.root is None else _by_row(rows, self.root)
        out = self.raw_correlate(weighted)
        if self.center.any():
            total = self.one @ weighted
            out -= np.outer(self.center, total) if rows.ndim == 2 else self.center * total
        inverse = 1.0 / self.scale
        out *= inverse[:, None] if rows.ndim == 2 else inverse
        return out


def negligible(left: Any, whole: Any) -> Any:
    """Whether what is left of a column once others are taken out is rounding of the whole column.

    The one rule by which a column is constant, or depends on columns whose coefficients are flat.
    """
    return left <= 8 * _EPS * whole


def product(X: Any, coef: Vector | Matrix) -> Any:
    """Return ``X @ coef`` for coef (p,) or (p, k); of a few columns where the others are at 0."""
    used = np.flatnonzero(coef) if coef.ndim == 1 else np.flatnonzero(coef.any(axis=1))
    # Copying columns costs about as much as multiplying them if dense, far more if sparse.
    if used.size < (0.05 if sparse.issparse(X) else 0.25) * coef.shape[0]:
        return np.asarray(X[:, used] @ coef[used])
    return np.asarray(X @ coef)


def _by_row(values: Any, factor: Vector) -> Any:
    return values * (factor[:, None] if values.ndim == 2 else factor)


def _safe(length: Vector) -> Vector:
    """Return lengths with 0 replaced by infinity: a column of zeros stays one."""
    return np.where(length > 0, length, np.inf)


@dataclass(frozen=True, eq=False)
class _Dense(Columns):
    X: Matrix

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape

    def rescaled(self, scale: Vector) -> Columns:
        return _Dense(self.root, self.one, self.center, self.scale * scale, self.X)

    def raw_dot(self, coef: Vector | Matrix) -> Any:
        return product(self.X, coef)

    def raw_correlate(self, rows: Vector | Matrix) -> Any:
        return np.asarray(self.X.T @ rows)

    def norms(self, weights: Vector | None = None) -> Vector:
        share = self._shares(weights)
        out = np.empty(self.shape[1])
        step = max(1, _BLOCK // max(self.shape[0], 1))
        plain = self.root is None and weights is None
        for start in range(0, out.size, step):
            block = self.X[:, start : start + step]
            center = self.center[start : start + step]
            if center.any():
                block = block - np.outer(self.one, center)
            if plain:
                out[start : start + step] = np.vecdot(block.T, block.T)
            else:
                out[start : start + step] = np.einsum("ij,ij,i->j", block, block, share)
        return np.asarray(np.sqrt(out) / self.scale)

    def take(self, positions: Positions) -> Matrix:
        return self._treated(np.asfortranarray(self.X[:, positions]), positions)

    def part(self, positions: Positions) -> Columns:
        return self.holding(self.take(positions))

    def gram(self, left: Positions, right: Positions) -> Matrix:
        a = self.take(left)
        return np.asarray(a.T @ (a if left is right else self.take(right)))

    def gram_of_all(self) -> Matrix:
        if self.root is not None:
            everything = np.arange(self.shape[1])
            return self.gram(everything, everything)
        # One symmetric product of the data as they are; centre and scale come afterwards.
        n, p = self.shape
        with every_thread(n * p * p):
            raw = self.X.T @ self.X
        if self.center.any():
            raw -= float(self.one @ self.one) * np.outer(self.center, self.center)
        inverse = 1.0 / self.scale
        raw *= inverse[:, None]
        raw *= inverse
        return np.asarray(raw)


def _about(X: Matrix, one: Vector, share: Vector, mean: Vector) -> Matrix:
    """Copy columns without these means, and then without the means of what rounding left."""
    copy = np.asfortranarray(X - np.outer(one, mean))
    copy -= np.outer(one, np.where(mean != 0, share @ copy, 0.0) / float(share @ one))
    return copy


def _filled_about(X: Any, one: Vector, share: Vector, mean: Vector) -> Any:
    """Do so in a sparse matrix, in columns of which every entry is stored."""
    copy = X.copy()
    for j in np.flatnonzero(mean):
        stored = slice(X.indptr[j], X.indptr[j + 1])
        rows = X.indices[stored]
        copy.data[stored] = _about(X.data[stored, None], one[rows], share[rows], mean[j : j + 1])[
            :, 0
        ]
    return copy


@dataclass(frozen=True, eq=False)
class _Sparse(Columns):
    X: Any

    @property
    def shape(self) -> tuple[int, int]:
        n, p = self.X.shape
        return int(n), int(p)

    def rescaled(self, scale: Vector) -> Columns:
        return _Sparse(self.root, self.one, self.center, self.scale * scale, self.X)

    def raw_dot(self, coef: Vector | Matrix) -> Any:
        return product(self.X, coef)

    def raw_correlate(self, rows: Vector | Matrix) -> Any:
        return np.asarray(self.X.T @ rows)

    def norms(self, weights: Vector | None = None) -> Vector:
        share = None if self.root is None and weights is None else self._shares(weights)
        square = self._squared_lengths(share)
        if self.center.any():
            moved = self.one if share is None else share * self.one
            cross = np.asarray(self.X.T @ moved)
            square += self.center**2 * float(moved @ self.one) - 2 * self.center * cross
        return np.asarray(np.sqrt(np.maximum(square, 0.0)) / self.scale)

    def _squared_lengths(self, share: Vector | None) -> Vector:
        """Sums of squares of the columns of X, rows weighted; a block of columns at a time."""
        starts, out = self.X.indptr, np.zeros(self.shape[1])
        step = max(1, round(_FEW * self.shape[1] / max(int(starts[-1]), 1)))
        for start in range(0, out.size, step):
            stop = min(start + step, out.size)
            stored = slice(starts[start], starts[stop])
            squares = self.X.data[stored] ** 2
            if share is not None:
                squares *= share[self.X.indices[stored]]
            used = start + np.flatnonzero(starts[start:stop] < starts[start + 1 : stop + 1])
            if used.size:
                out[used] = np.add.reduceat(squares, starts[used] - stored.start)
        return out

    def part(self, positions: Positions) -> Columns:
        chosen = self.X[:, positions]
        return _Sparse(self.root, self.one, self.center[positions], self.scale[positions], chosen)

    def _weighted(self, positions: Positions) -> Any:
        chosen = self.X[:, positions]
        return chosen if self.root is None else sparse.diags_array(self.root) @ chosen

    def take(self, positions: Positions) -> Matrix:
        return self._treated(np.asfortranarray(self.X[:, positions].toarray()), positions)

    def gram(self, left: Positions, right: Positions) -> Matrix:
        a = self._weighted(left)
        b = a if left is right else self._weighted(right)
        out = (a.T @ b).toarray()
        root = self.one if self.root is None else self.root * self.one
        if self.center.any():
            # (x − m·1)'(z − k·1) = x'z − m·1'z − k·1'x + m·k·1'1
            m, k = self.center[left], self.center[right]
            out -= np.outer(m, root @ b) + np.outer(root @ a, k)
            out += np.outer(m, k) * float(root @ root)
        out *= (1.0 / self.scale[left])[:, None]
        out *= 1.0 / self.scale[right]
        return np.asarray(out)

    def gram_of_all(self) -> Matrix:
        everything = np.arange(self.shape[1])
        return self.gram(everything, everything)
