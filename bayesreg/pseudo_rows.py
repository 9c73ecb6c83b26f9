"""Rows that stand for sums of products: a regression from X'X, X'y and y'y alone.

With F'F = [1 X y]'[1 X y] the rows of F have the same sums of products as the observations, and so
the same Gaussian loss, whatever the coefficients: everything that works on rows works on F. It has
at most p + 2 rows. Its first column is what became of the column of ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import lapack

from bayesreg._validation import (
    as_count,
    as_flag,
    as_float_array,
    as_matrix,
    as_real,
    as_vector,
    read_only,
)
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

_EPS = float(np.finfo(np.float64).eps)
# Relative size of what may be left over when a Gram matrix is factored.
_LEFT_OVER = 1e-10


@dataclass(frozen=True, eq=False)
class PseudoRows:
    """Rows with given sums of products.

    Attributes
    ----------
    X : ndarray, shape (r, p)
        Columns.
    y : ndarray, shape (r,)
        Target.
    level : ndarray, shape (r,)
        The column of the intercept; zeros where the means are not known.
    count : int
        Number of observations.
    """

    X: Matrix
    y: Vector
    level: Vector
    count: int

    @classmethod
    def of(
        cls,
        gram: object,
        xty: object,
        yty: object,
        n: object,
        *,
        x_mean: object = None,
        y_mean: object = None,
        centred: bool = False,
    ) -> PseudoRows:
        """Factor sums of products; the arguments are those of `Problem.from_statistics`.

        Raises
        ------
        InputError
            If something does not fit, or no data have these sums of products.

        Examples
        --------
        >>> rows = PseudoRows.of([[5.0]], [4.0], 10.0, 3, x_mean=1.0, y_mean=0.0)
        >>> bool(np.isclose(rows.X[:, 0] @ rows.X[:, 0], 5.0)), rows.count
        (True, 3)
        """
        count, centred = as_count(n, "n"), as_flag(centred, "centred")
        products = _products(gram, xty, yty)
        means = _means(x_mean, y_mean, products.shape[0] - 1)
        if means is None:
            if centred:
                msg = "x_mean, y_mean: are needed where the sums of products are centred; pass both"
                raise InputError(msg)
            rows = _factor(products, np.sqrt(np.diag(products)))
            return cls(*_split(rows), read_only(np.zeros(rows.shape[0])), count)
        about = products if centred else products - count * np.outer(means, means)
        # Rounding errors are those of the numbers given, not of what centring leaves of them.
        unit = np.sqrt(np.diag(products))
        rows = np.vstack([math.sqrt(count) * means, _factor(about, unit)])
        level = np.zeros(rows.shape[0])
        level[0] = math.sqrt(count)
        return cls(*_split(rows), read_only(level), count)


def _split(rows: Matrix) -> tuple[Matrix, Vector]:
    return read_only(np.asfortranarray(rows[:, :-1])), read_only(rows[:, -1].copy())


def _products(gram: object, xty: object, yty: object) -> Matrix:
    """Return ``[X y]'[X y]``, shape (p + 1, p + 1)."""
    square = as_matrix(gram, "gram")
    p = square.shape[0]
    if square.shape != (p, p):
        msg = f"gram: must be square, found shape {square.shape}"
        raise InputError(msg)
    size = np.sqrt(np.abs(np.diag(square)))
    if (np.abs(square - square.T) > 1e-8 * np.outer(size, size)).any():
        msg = "gram: must be symmetric; pass X.T @ X"
        raise InputError(msg)
    total = as_real(yty, "yty")
    out = np.empty((p + 1, p + 1))
    out[:p, :p] = (square + square.T) / 2
    out[:p, p] = out[p, :p] = as_vector(xty, "xty", p)
    out[p, p] = total
    if (np.diag(out) < 0).any():
        argument = "yty" if total < 0 else "gram"
        msg = f"{argument}: sums of squares cannot be negative; pass X.T @ X and y @ y"
        raise InputError(msg)
    return out


def _means(x_mean: object, y_mean: object, p: int) -> Vector | None:
    """Return the means of columns and target, shape (p + 1,); None where they are not known."""
    if x_mean is None and y_mean is None:
        return None
    if x_mean is None or y_mean is None:
        msg = "x_mean, y_mean: pass both or none"
        raise InputError(msg)
    columns = as_float_array(x_mean, "x_mean")
    vector = as_vector(np.full(p, columns) if columns.ndim == 0 else columns, "x_mean", p)
    return np.append(vector, as_real(y_mean, "y_mean"))


def _factor(products: Matrix, unit: Vector) -> Matrix:
    """Return F with F'F the products, by a Cholesky factorisation with pivots.

    What remains below the rounding error of sums of squares of size unit² is taken to be 0.
    """
    size = products.shape[0]
    unit = np.where(unit > 0, unit, 1.0)
    scaled = products / np.outer(unit, unit)
    noise = 4 * size * _EPS
    upper, pivots, rank, _ = lapack.dpstrf(scaled, tol=noise, lower=0)
    found = np.zeros((max(rank, 1), size))
    found[:rank, pivots - 1] = np.triu(upper)[:rank]
    left = scaled - found.T @ found
    if float(np.abs(left).max()) > max(_LEFT_OVER, 100 * noise):
        msg = (
            "gram: with xty and yty (and the means) these are no sums of products of any data: "
            "the matrix [X y]'[X y] is not positive semi-definite; check that all of them come "
            "from the same rows, unrounded, and that centred= is right"
        )
        raise InputError(msg)
    return np.asarray(found * unit)
