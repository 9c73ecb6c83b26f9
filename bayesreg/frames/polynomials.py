"""Orthonormal polynomials on the values of a column, and at new values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import InputError

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

# How far from an orthonormal column its recurrence may be: half of the digits.
_DIGITS = 1e-8


@dataclass(frozen=True, eq=False)
class Polynomials:
    """The three-term recurrence of polynomials that are orthonormal on given values.

    Those of R's ``poly``: of degree 1, 2, ..., with positive leading coefficients, of unit length
    on those values and orthogonal to a constant.

    Attributes
    ----------
    middle, spread : float
        What is taken from a value, and what it is then divided by: powers of deviations keep the
        digits that those of years or of times lose.
    first : float
        The constant polynomial.
    own, before, ahead : ndarray, shape (degree,)
        Degree k + 1, times ``ahead[k]``, is ``x − own[k]`` times degree k, less ``before[k]`` times
        degree k − 1.

    Examples
    --------
    >>> made = Polynomials.of(np.array([1.0, 2.0, 3.0]), 2)
    >>> made.at(np.array([2.0, 5.0])).round(3)
    array([[ 0.   , -0.816],
           [ 2.121, 10.206]])
    """

    middle: float
    spread: float
    first: float
    own: Vector
    before: Vector
    ahead: Vector

    @classmethod
    def of(cls, x: Vector, degree: int) -> Polynomials:
        """Learn the recurrence from values.

        The recurrence alone loses digits as the degree nears the number of values. Each of its
        columns is therefore made orthogonal to all before it, twice, and those are what the
        recurrence, as new values follow it, is held to.

        Parameters
        ----------
        x : ndarray, shape (n,)
            Finite.
        degree : int
            At least 1, and less than the number of different values.

        Raises
        ------
        InputError
            If the recurrence does not repeat the columns that it was learnt from.
        """
        middle = float(np.median(x))
        spread = float(np.abs(x - middle).max())
        deviation, first = (x - middle) / spread, 1.0 / np.sqrt(x.size)
        own, before, ahead = np.zeros((3, degree))
        basis = np.full((x.size, degree + 1), first)
        replayed = [np.zeros(x.size), basis[:, 0]]
        for k in range(degree):
            column, earlier = deviation * basis[:, k], basis[:, : k + 1]
            for _ in range(2):
                shares = earlier.T @ column
                column = column - earlier @ shares
                own[k] += shares[k]
            before[k] = ahead[k - 1] if k else 0.0
            ahead[k] = np.linalg.norm(column)
            basis[:, k + 1] = column / ahead[k]
            following = (deviation - own[k]) * replayed[1] - before[k] * replayed[0]
            replayed = [replayed[1], following / ahead[k]]
            if not np.abs(replayed[1] - basis[:, k + 1]).max() <= _DIGITS:
                msg = (
                    f"formula: poly of degree {degree} loses its digits to rounding on these "
                    f"values, which bear degree {k}; lower it, or use a spline such as bs(x, df=8)"
                )
                raise InputError(msg)
        return cls(middle, spread, float(first), own, before, ahead)

    def at(self, x: Vector) -> Matrix:
        """Evaluate degrees 1, 2, ... at values (n,); shape (n, degree)."""
        deviation = (x - self.middle) / self.spread
        earlier, column = np.zeros(x.size), np.full(x.size, self.first)
        out = np.empty((x.size, self.own.size))
        for k in range(self.own.size):
            following = (deviation - self.own[k]) * column - self.before[k] * earlier
            earlier, column = column, following / self.ahead[k]
            out[:, k] = column
        return out
