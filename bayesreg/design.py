"""Design: the data of a regression, and the exactly invertible map to its working scale.

The columns may be dense, sparse, or rows that stand for sums of products of rows that nobody kept
(`bayesreg.pseudo_rows`). In the last case the intercept's column is not a column of ones, and there
are more observations than rows: hence `one` and `count`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from bayesreg._frames import check_same_index, table_names
from bayesreg._validation import (
    Matrix,
    Vector,
    as_design_matrix,
    as_flag,
    as_names,
    as_vector,
    as_weights,
    read_only,
)
from bayesreg.columns import Columns, negligible, product
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from bayesreg.frames import Encoding
    from bayesreg.pseudo_rows import PseudoRows

# Entries up to which a sparse matrix is made dense for those who need it dense: 80 MB.
_MOST_ENTRIES = 10_000_000


@dataclass(frozen=True, eq=False)
class Design:
    """Rows, target and columns of a regression, on the user's own scale.

    Attributes
    ----------
    X : ndarray or scipy.sparse.csc_array, shape (n, p)
        Predictors, read-only.
    y : ndarray, shape (n,)
        Target, read-only.
    names : tuple of str
        One name per column.
    intercept : bool
        Whether an unpenalised intercept is part of the linear predictor.
    weights : ndarray, shape (n,), optional
        Prior weights of the rows, as in generalised linear models.
    offset : ndarray, shape (n,), optional
        Known part of the linear predictor.
    standardize : bool
        Whether the prior acts on coefficients of columns divided by their standard deviation.
    level : ndarray, shape (n,), optional
        The intercept's column where rows stand for sums of products; None for ones.
    observations : int, optional
        How many observations such rows stand for; None for one each.
    encoding : Encoding, optional
        The formula that made the columns, which makes the same ones of new rows.
    unpenalised : tuple of int
        Positions of columns that, like the intercept, stay flat under a prior that is one for all.
    """

    X: Any  # one or the other; most of the package has a dense one by the time it looks
    y: Vector
    names: tuple[str, ...]
    intercept: bool
    weights: Vector | None = None
    offset: Vector | None = None
    standardize: bool = False
    level: Vector | None = None
    observations: int | None = None
    encoding: Encoding | None = None
    unpenalised: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        X: object,
        y: object,
        *,
        intercept: bool = True,
        names: Iterable[object] | None = None,
        weights: object = None,
        offset: object = None,
        standardize: bool = False,
    ) -> Self:
        """Validate arrays or tables and make a design of them.

        Parameters
        ----------
        X : array_like, frame (pandas, polars, Arrow) or SciPy sparse matrix, shape (n, p)
            Predictors.
        y : array_like or series, shape (n,)
            Target.
        intercept, standardize : bool
            See the attributes.
        names : iterable of str, optional
            Column names; taken from a frame where there is one.
        weights, offset : array_like, shape (n,), optional
            See the attributes.

        Raises
        ------
        InputError
            If anything does not fit; the message names the argument.

        Examples
        --------
        >>> design = Design.of([[1.0], [2.0]], [0.0, 1.0], names=["dose"])
        >>> design.X.shape, design.names
        ((2, 1), ('dose',))
        """
        for argument, value in (("y", y), ("weights", weights), ("offset", offset)):
            check_same_index(X, value, argument)
        matrix = as_design_matrix(X)
        n, p = matrix.shape
        target = as_vector(y, "y", n)
        intercept = as_flag(intercept, "intercept")
        standardize = as_flag(standardize, "standardize")
        if p == 0 and not intercept:
            msg = "X: has no columns and there is no intercept, so there is nothing to estimate"
            raise InputError(msg)
        design = cls(
            X=matrix,
            y=target,
            names=as_names(table_names(X) if names is None else names, p),
            intercept=intercept,
            weights=None if weights is None else as_weights(weights, n),
            offset=None if offset is None else as_vector(offset, "offset", n),
            standardize=standardize,
        )
        design._check_scale()
        return design

    @classmethod
    def of_pseudo_rows(
        cls,
        rows: PseudoRows,
        *,
        intercept: bool = True,
        names: Iterable[object] | None = None,
        standardize: bool = False,
    ) -> Self:
        """Make a design of rows that stand for sums of products."""
        intercept = as_flag(intercept, "intercept")
        standardize = as_flag(standardize, "standardize")
        if (intercept or standardize) and not rows.level.any():
            wanted = "an intercept" if intercept else "standardize=True"
            msg = (
                f"x_mean, y_mean: {wanted} needs the means of the columns and of the target; "
                "pass both (0.0 if all of them are centred)"
            )
            raise InputError(msg)
        design = cls(
            X=rows.X,
            y=rows.y,
            names=as_names(names, rows.X.shape[1]),
            intercept=intercept,
            standardize=standardize,
            level=rows.level,
            observations=rows.count,
        )
        design._check_scale()
        return design

    def _check_scale(self) -> None:
        if self.standardize and (self.column_scale <= 0).any():
            name = self.names[int(np.argmin(self.column_scale))]
            msg = (
                f"X: column {name!r} is constant, so it cannot be standardised; "
                "drop it (the intercept already covers it) or use standardize=False"
            )
            raise InputError(msg)

    # ------------------------------------------------------------------ sizes

    @property
    def n(self) -> int:
        """Number of rows; see `count` for the number of observations."""
        return int(self.X.shape[0])

    @property
    def p(self) -> int:
        """Number of columns."""
        return int(self.X.shape[1])

    @property
    def count(self) -> int:
        """Number of observations: the rows, or what they stand for."""
        return self.n if self.observations is None else self.observations

    @property
    def sparse(self) -> bool:
        """Whether X is a sparse matrix."""
        return sparse.issparse(self.X)

    @cached_property
    def one(self) -> Vector:
        """The intercept's column, shape (n,): ones, or what sums of products make of them."""
        return read_only(np.ones(self.n)) if self.level is None else self.level

    @property
    def entries(self) -> int:
        """Number of entries of X that are stored."""
        return int(self.X.nnz if self.sparse else self.X.size)

    @cached_property
    def row_weights(self) -> Vector:
        """Row weights, ones where none were given; shape (n,)."""
        return read_only(np.ones(self.n)) if self.weights is None else self.weights

    @cached_property
    def row_offset(self) -> Vector:
        """Known part of the predictor, zeros where none was given; shape (n,)."""
        return read_only(np.zeros(self.n)) if self.offset is None else self.offset

    # ------------------------------------------------------------------ columns

    @cached_property
    def column_mean(self) -> Vector:
        """Mean of each column; shape (p,)."""
        if self.level is not None:
            total = float(self.level @ self.level)
            return read_only(self.X.T @ self.level / (total or 1.0))
        if self.sparse:  # its own mean copies it
            return read_only(np.asarray(self.X.sum(axis=0)) / self.n)
        return read_only(np.asarray(self.X.mean(axis=0), dtype=np.float64))

    @cached_property
    def column_sd(self) -> Vector:
        """Standard deviation (divisor n) of each column, 0 for a constant one; shape (p,)."""
        spread = _sparse_sd if self.sparse else _dense_sd
        return read_only(spread(self))

    @cached_property
    def column_scale(self) -> Vector:
        """Standard deviation (divisor n) of each column if standardised, else ones; shape (p,).

        The coefficient of a standardised column is ``coef * column_scale``.
        """
        return self.column_sd if self.standardize else read_only(np.ones(self.p))

    @cached_property
    def centred(self) -> Columns:
        """The columns as an operator: about their means beside an intercept, else as they are."""
        return Columns.of(self.X, one=self.level, centred=self.intercept)

    @cached_property
    def lengths(self) -> Vector:
        """Euclidean length of each column of `centred`; shape (p,)."""
        columns = self.centred
        if self.sparse or not columns.center.any():
            return read_only(columns.norms())
        # Means are moderate where centring is implicit, so the difference keeps its digits.
        square = np.vecdot(self.X.T, self.X.T)
        square -= columns.center**2 * float(self.one @ self.one)
        return read_only(np.sqrt(np.maximum(square, 0.0)) / columns.scale)

    def standardized(self) -> Design:
        """Return the design of the standardised columns: itself where they are as they should be.

        A sparse X is scaled only: centring it would fill it, and moves the intercept alone.
        """
        if not self.standardize:
            return self
        if self.sparse:
            X: Any = sparse.csc_array(self.X @ sparse.diags_array(1.0 / self.column_scale))
        else:
            level = np.outer(self.one, self.column_mean) if self.intercept else 0.0
            X = np.asfortranarray((self.X - level) / self.column_scale)
        return replace(self, X=X, standardize=False)

    def linear_predictor(self, coef: Vector, intercept: float = 0.0) -> Vector:
        """Return ``offset + intercept + X @ coef``, shape (n,)."""
        eta = product(self.X, coef)
        eta = eta + (intercept if self.level is None else intercept * self.level)
        return np.asarray(eta if self.offset is None else eta + self.offset)

    def predictor_at(self, coef: Vector, intercept: float) -> Vector:
        """Return the linear predictor at numbers of any size, infinite ones among them; (n,).

        Raises
        ------
        InputError
            If it is not a number, or leaves double precision on the way from finite ones.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            eta = self.linear_predictor(coef, intercept)
        finite = np.isfinite(coef).all() and np.isfinite(intercept)
        if np.isnan(eta).any() or (finite and np.isinf(eta).any()):
            raise _too_large("X @ coef")
        return eta

    def gradient_at(self, rows: Vector) -> tuple[Vector, float]:
        """Return ``X.T @ rows`` (p,), and what rows (n,) of any size pull at the intercept.

        Raises
        ------
        InputError
            If they are not finite.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            slope = float(self.one @ rows) if self.intercept else 0.0
            pull = np.asarray(self.X.T @ rows)
        if not (np.isfinite(pull).all() and np.isfinite(slope)):
            raise _too_large("the gradient")
        return pull, slope

    def of_rows(self, rows: NDArray[np.intp], by_row: Any = None) -> Self:
        """Return some of the rows; what is known of all, such as sd of columns, is forgotten.

        Parameters
        ----------
        rows : ndarray of int
            Positions.
        by_row : sparse array, optional
            A sparse X by rows, for whoever asks often.
        """
        X: Any
        if self.sparse:
            X = sparse.csc_array((sparse.csr_array(self.X) if by_row is None else by_row)[rows])
        else:
            X = read_only(np.asfortranarray(self.X[rows]))
        weights = None if self.weights is None else read_only(self.weights[rows])
        offset = None if self.offset is None else read_only(self.offset[rows])
        return replace(self, X=X, y=read_only(self.y[rows]), weights=weights, offset=offset)

    @property
    def less_offset(self) -> Vector:
        """The target without the known part of the predictor, shape (n,)."""
        return self.y if self.offset is None else self.y - self.offset

    def columns(self, keep: Iterable[int]) -> Matrix:
        """Return the intercept column (if there is one) and the columns in `keep`, side by side.

        Raises
        ------
        InputError
            If X is sparse, and these columns are too many to be made dense.
        """
        chosen = self._dense_columns(np.fromiter(keep, dtype=np.intp))
        return np.column_stack([self.one, chosen]) if self.intercept else chosen

    def _dense_columns(self, positions: NDArray[np.intp]) -> Matrix:
        if not self.sparse:
            return np.asarray(self.X[:, positions])
        if self.n * positions.size > _MOST_ENTRIES:
            msg = (
                f"X: is sparse, and {positions.size} of its columns over {self.n} rows are needed "
                "as a dense matrix here, which is too large; use fewer columns or rows"
            )
            raise InputError(msg)
        return np.asarray(self.X[:, positions].toarray(order="F"))

    @property
    def why_not_dense(self) -> str | None:
        """Why there cannot be a dense X with a row per observation; None where there can."""
        if self.level is not None:
            return (
                "it needs the rows of X, and this problem was made of sufficient statistics; "
                "use Problem(X, y, ...)"
            )
        if self.sparse and self.n * self.p > _MOST_ENTRIES:
            return (
                f"it needs a dense X, and this sparse one of shape {self.X.shape} is too large "
                "to be made dense; use fewer columns or rows"
            )
        return None

    def dense(self, purpose: str) -> Self:
        """Return a design with a dense X and one row per observation: itself where it has them.

        Parameters
        ----------
        purpose : str
            What needs it, for the message.

        Raises
        ------
        InputError
            If X is sparse and large, or only sums of products are known.
        """
        reason = self.why_not_dense
        if reason is not None:
            msg = f"problem: cannot be used for {purpose}: {reason}"
            raise InputError(msg)
        return replace(self, X=read_only(self.X.toarray(order="F"))) if self.sparse else self

    # ------------------------------------------------------------------ comparison

    def __eq__(self, other: object) -> bool:
        """Compare data, names and settings, number by number."""
        if not isinstance(other, Design):
            return NotImplemented
        return (
            self.names == other.names
            and self.intercept == other.intercept
            and self.standardize == other.standardize
            and self.same_numbers(other)
        )

    def same_numbers(self, other: Design) -> bool:
        """Tell whether two designs hold the same data, whatever their names and settings."""
        if self.count != other.count or self.X.shape != other.X.shape:
            return False
        mine = (self.y, self.one, self.row_weights, self.row_offset)
        theirs = (other.y, other.one, other.row_weights, other.row_offset)
        pairs = zip(mine, theirs, strict=True)
        return _same_matrix(self.X, other.X) and all(np.array_equal(a, b) for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]


def _same_matrix(a: Any, b: Any) -> bool:
    if not (sparse.issparse(a) or sparse.issparse(b)):
        return np.array_equal(a, b)
    one, two = sparse.csc_array(a), sparse.csc_array(b)
    return all(
        np.array_equal(getattr(one, part), getattr(two, part))
        for part in ("indptr", "indices", "data")
    )


def _dense_sd(design: Design) -> Vector:
    """Two passes over a few columns at a time, so that no second copy of X is made."""
    X, mean = np.asarray(design.X), design.column_mean
    out = np.empty(design.p)
    step = max(1, 200_000 // design.n)
    for start in range(0, design.p, step):
        part = slice(start, start + step)
        shift = mean[part] if design.level is None else np.outer(design.level, mean[part])
        centred = X[:, part] - shift
        scale = np.sqrt(np.sum(centred**2, axis=0) / design.count)
        # A constant column leaves rounding noise instead of an exact zero.
        largest = np.maximum(X[:, part].max(axis=0), -X[:, part].min(axis=0))
        out[part] = np.where(negligible(scale, largest), 0.0, scale)
    return out


def _sparse_sd(design: Design) -> Vector:
    """The stored entries of a column about its mean, and the others, which all are 0."""
    X, mean, n = design.X, design.column_mean, design.n
    stored = np.diff(X.indptr)
    filled = np.flatnonzero(stored)
    square = (n - stored) * mean**2
    largest = np.zeros(design.p)
    if filled.size:
        starts = X.indptr[filled]
        deviation = np.repeat(mean, stored)
        np.subtract(X.data, deviation, out=deviation)
        np.square(deviation, out=deviation)
        square[filled] += np.add.reduceat(deviation, starts)
        top, bottom = np.maximum.reduceat(X.data, starts), np.minimum.reduceat(X.data, starts)
        largest[filled] = np.maximum(top, -bottom)
    scale = np.sqrt(square / n)
    return np.where(negligible(scale, largest), 0.0, scale)


def _too_large(what: str) -> InputError:
    msg = f"coef: {what} leaves double precision; give finite coefficients that are nearer to 0"
    return InputError(msg)
