"""The smooth pieces of a penalty: where its kinks hold coefficients, and how the others may move.

At a solution some coefficients are held at 0, some are tied to each other, some lie on the border
of a ball. Along what is left the penalty is smooth, so Newton's method applies (Lewis & Wright
2016 call such a penalty partly smooth).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.optimize import brentq

from bayesreg._validation import Matrix, Vector
from bayesreg.penalties.base import Penalty
from bayesreg.penalties.joined import JoinedPenalty
from bayesreg.penalties.separable import SeparablePenalty

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Relative distance to a border below which a point is put on it.
_CLOSE = 1e-12

#: Value, gradient (k,) and Hessian (k, k) of a function of the coordinates (k,).
type Curve = Callable[[Vector], tuple[float, Vector, Matrix]]


@dataclass(frozen=True, eq=False)
class Piece:
    """A manifold on which a penalty is smooth, and a point of it.

    Attributes
    ----------
    columns : ndarray of int, shape (m,)
        Positions of the coefficients it speaks of.
    moves : ndarray of int, shape (m,)
        Which coordinate moves each coefficient; -1 where it is held at 0.
    unit : ndarray, shape (m,)
        The coefficient is ``unit`` times its coordinate.
    at : ndarray, shape (k,)
        Coordinates of the point.
    curve : callable
        The penalty as a function of the coordinates; or, on the border of a ball, the norm, which
        stays 1.
    walls : scipy.sparse.csr_array, shape (w, k)
        Where the manifold ends: ``walls @ z`` is positive on it. A row has one or two entries, of
        size 1: a coordinate that reaches 0, or two that meet.
    border : bool
        Whether `curve` is such a norm.
    gauge : callable, optional
        Inside of a ball: the norm of the coordinates, which may not exceed 1.
    """

    columns: NDArray[np.intp]
    moves: NDArray[np.intp]
    unit: Vector
    at: Vector
    curve: Curve
    walls: sparse.csr_array
    border: bool = False
    gauge: Callable[[Vector], float] | None = None

    def coefficients(self, z: Vector) -> Vector:
        """Return the coefficients (m,) at coordinates z (k,); held ones are exactly 0."""
        out = np.zeros(self.moves.size)
        moving = self.moves >= 0
        out[moving] = self.unit[moving] * z[self.moves[moving]]
        return out

    def reach(self, z: Vector, step: Vector) -> float:
        """Return how many steps there are to the border of the ball around; inf if not one."""
        gauge = self.gauge
        if gauge is None or gauge(z + step) <= 1.0:
            return math.inf
        return float(brentq(lambda t: gauge(z + t * step) - 1.0, 0.0, 1.0, xtol=1e-15))

    def onto(self, z: Vector) -> Vector:
        """Return the coordinates, moved back to the border along the ray to them."""
        if self.border:
            return z / self.curve(z)[0]
        size = 0.0 if self.gauge is None else self.gauge(z)
        return z / size if size > 1.0 - _CLOSE else z


class PartlySmooth(Penalty):
    """A penalty that knows the manifold it is smooth on around each point."""

    @abstractmethod
    def piece(self, coef: Vector) -> Piece:
        """Return the manifold through `coef` (p,) and the penalty along it."""


def linear(slope: Vector) -> Curve:
    """Return ``slope·z`` as a curve."""
    flat = np.zeros((slope.size, slope.size))
    return lambda z: (float(slope @ z), slope, flat)


def walls(k: int, *pairs: tuple[NDArray[np.intp], Vector]) -> sparse.csr_array:
    """Return rows of walls between k coordinates.

    Parameters
    ----------
    k : int
        Number of coordinates.
    pairs : tuple of (ndarray of int (w,), ndarray (w,))
        Entries of each of the w rows: which coordinate, and its sign; 0 leaves it out.
    """
    rows = np.concatenate([np.arange(where.size) for where, _ in pairs])
    where = np.concatenate([where for where, _ in pairs])
    sign = np.concatenate([sign for _, sign in pairs])
    count = pairs[0][0].size
    return sparse.csr_array((sign, (rows, where)), shape=(count, k))


def pieces(penalty: Penalty, coef: Vector) -> tuple[Piece, ...]:
    """Return the manifolds of a penalty through `coef`, one for each of its parts.

    Raises
    ------
    TypeError
        If the penalty has none.
    """
    if isinstance(penalty, JoinedPenalty):
        return tuple(
            replace(s, columns=columns[s.columns])
            for part, columns in penalty.parts
            for s in pieces(part, coef[columns])
        )
    if isinstance(penalty, PartlySmooth):
        return (penalty.piece(coef),)
    if isinstance(penalty, SeparablePenalty):
        return (_separable(penalty, coef),)
    msg = f"{type(penalty).__name__} does not say where it is smooth"
    raise TypeError(msg)


def _separable(penalty: SeparablePenalty, coef: Vector) -> Piece:
    free = np.flatnonzero((coef != 0) | ~penalty.kinked)
    moves = np.full(coef.size, -1, dtype=np.intp)
    moves[free] = np.arange(free.size)

    def curve(z: Vector) -> tuple[float, Vector, Matrix]:
        full = np.zeros(coef.size)
        full[free] = z
        bend = np.diag(penalty.curvature(full)[free])
        return penalty.value(full), penalty.slope(full)[free], bend

    kinked = np.flatnonzero(penalty.kinked[free])
    ends = walls(free.size, (kinked, np.sign(coef[free][kinked])))
    return Piece(np.arange(coef.size), moves, np.ones(coef.size), coef[free], curve, ends)


def stationarity(
    penalty: Penalty, coef: Vector, gradient: Vector
) -> tuple[sparse.csr_array, Vector]:
    """Return the directions in which a penalty is smooth at a point, and its slopes along them.

    At a minimum the gradient of the loss along each direction is minus the slope.

    Parameters
    ----------
    penalty : Penalty
        Separable, partly smooth, or joined of such.
    coef, gradient : ndarray, shape (p,)
        The point, and the gradient of the loss there: on the border of a ball it says with what
        multiplier the norm counts.

    Returns
    -------
    directions : scipy.sparse.csr_array, shape (p, k)
        One column per direction.
    slopes : ndarray, shape (k,)
        Derivatives of the penalty along them.
    """
    blocks, slopes, count = [], [], 0
    for part in pieces(penalty, coef):
        moving = np.flatnonzero(part.moves >= 0)
        entries = (part.columns[moving], count + part.moves[moving])
        blocks.append((part.unit[moving], *entries))
        slope = part.curve(part.at)[1]
        if part.border:
            pull = -gradient[part.columns] @ part.coefficients(part.at)
            slope = max(float(pull), 0.0) * slope
        slopes.append(slope)
        count += part.at.size
    values, rows, columns = (np.concatenate(each) for each in zip(*blocks, strict=True))
    shape = (coef.size, count)
    return sparse.csr_array((values, (rows, columns)), shape=shape), np.concatenate(slopes)
