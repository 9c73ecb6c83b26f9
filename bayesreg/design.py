"""Design: the data of a regression, and the exactly invertible map to its working scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from bayesreg._validation import (
    Matrix,
    Vector,
    as_flag,
    as_matrix,
    as_names,
    as_vector,
    as_weights,
    check_same_index,
    frame_names,
    read_only,
)
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, eq=False)
class Design:
    """Rows, target and columns of a regression, on the user's own scale.

    Attributes
    ----------
    X : ndarray, shape (n, p)
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
    """

    X: Matrix
    y: Vector
    names: tuple[str, ...]
    intercept: bool
    weights: Vector | None = None
    offset: Vector | None = None
    standardize: bool = False

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
        """Validate arrays or pandas objects and make a design of them.

        Parameters
        ----------
        X : array_like or pandas.DataFrame, shape (n, p)
            Predictors.
        y : array_like or pandas.Series, shape (n,)
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
        matrix = as_matrix(X)
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
            names=as_names(frame_names(X) if names is None else names, p),
            intercept=intercept,
            weights=None if weights is None else as_weights(weights, n),
            offset=None if offset is None else as_vector(offset, "offset", n),
            standardize=standardize,
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

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.X.shape[0]

    @property
    def p(self) -> int:
        """Number of columns."""
        return self.X.shape[1]

    @property
    def row_weights(self) -> Vector:
        """Row weights, ones where none were given; shape (n,)."""
        return np.ones(self.n) if self.weights is None else self.weights

    @property
    def column_scale(self) -> Vector:
        """Standard deviation (divisor n) of each column if standardised, else ones; shape (p,).

        The coefficient of a standardised column is ``coef * column_scale``.
        """
        if not self.standardize:
            return np.ones(self.p)
        centred = self.X - self.X.mean(axis=0)
        scale = np.sqrt(np.mean(centred**2, axis=0))
        # A constant column leaves rounding noise of this size instead of an exact zero.
        noise = 8 * np.finfo(float).eps * np.abs(self.X).max(axis=0)
        return read_only(np.where(scale > noise, scale, 0.0))

    def linear_predictor(self, coef: Vector, intercept: float = 0.0) -> Vector:
        """Return ``offset + intercept + X @ coef``, shape (n,)."""
        eta = self.X @ coef + intercept
        return eta if self.offset is None else eta + self.offset

    def columns(self, keep: Iterable[int]) -> Matrix:
        """Return the intercept column (if there is one) and the columns in `keep`, side by side."""
        chosen = self.X[:, list(keep)]
        return np.column_stack([np.ones(self.n), chosen]) if self.intercept else chosen

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
        mine = (
            self.X,
            self.y,
            self.row_weights,
            np.zeros(self.n) + (0 if self.offset is None else self.offset),
        )
        theirs = (
            other.X,
            other.y,
            other.row_weights,
            np.zeros(other.n) + (0 if other.offset is None else other.offset),
        )
        return all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))

    __hash__ = None  # type: ignore[assignment]
