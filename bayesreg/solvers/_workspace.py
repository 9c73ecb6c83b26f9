"""Inner products of the columns that may matter, and the active set on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg._threads import every_thread
from bayesreg.errors import NotConverged
from bayesreg.solvers import _kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.columns import Columns
    from bayesreg.penalties import ElasticNetPenalty

    type Positions = NDArray[np.intp]

_ROUNDS = 10_000
# Up to so many columns (or a quarter of the rows, if that is more) all inner products are formed.
_FEW, _MANY = 64, 4096
# Columns whose inner products still fit into memory: two gigabytes.
_MOST = 16_000
# A pivot beyond this share of its column's square leaves inner products twelve good digits.
_CLEAR = 1e-3
_COLLINEAR = (
    "problem: columns of X are collinear to rounding; drop one of them, or give them a prior with "
    "a square (Normal, ElasticNet)"
)


class Collinear(NotConverged):
    """Columns are linearly dependent to the precision of inner products."""


class Workspace:
    """A growing cache of columns and their inner products, and the active set on them.

    Attributes
    ----------
    members : ndarray of int, shape (m,)
        The columns in the cache, in the order they came.
    cached : ndarray of bool, shape (p,)
        Which columns are in it.
    theta : ndarray, shape (m,)
        Coordinates of the members; all others are 0.
    single : bool
        Whether inner products of dense columns are multiplied in single precision: enough for a
        Newton step whose slopes are computed in double, while `well_conditioned`.
    """

    def __init__(self, columns: Columns, *, single: bool = False) -> None:
        n, p = columns.shape
        self.columns, self.single = columns, single
        self.members: Positions = np.zeros(0, dtype=np.intp)
        self.cached = np.zeros(p, dtype=bool)
        self.theta, self.sign = np.zeros(0), np.zeros(0)
        self.order = np.zeros(0, dtype=np.int64)
        self.gram, self.factor = np.zeros((0, 0)), np.zeros((0, 0))
        self.factor_l2 = np.zeros(0)
        self.store: Matrix = np.zeros((n, 0), order="F")
        self.part = columns
        if p <= max(_FEW, n // 4) and p <= _MANY:
            self.members = np.arange(p)
            self.cached[:] = True
            self.theta, self.sign = np.zeros(p), np.zeros(p)
            self.gram = np.ascontiguousarray(columns.gram_of_all())
        else:
            self.part = columns.part(self.members)

    @property
    def complete(self) -> bool:
        """Whether all columns are in the cache."""
        return self.members.size == self.cached.size

    @property
    def well_conditioned(self) -> bool:
        """Whether no column of the support is nearly spanned by those before it."""
        k = self.order.size
        square = np.diagonal(self.gram)[self.order] + self.factor_l2[self.order]
        return bool((np.diagonal(self.factor)[:k] ** 2 > _CLEAR * square).all())

    def admit(self, wanted: NDArray[np.bool_]) -> None:
        """Add columns to the cache; NotConverged if there are too many for memory."""
        new = np.flatnonzero(wanted & ~self.cached)
        if new.size == 0:
            return
        m, total = self.members.size, self.members.size + new.size
        if total > _MOST:
            raise NotConverged(
                f"problem: more than {_MOST} coefficients may be non-zero, too many for a matrix "
                "of their inner products; use a stronger prior"
            )
        self.members = np.concatenate([self.members, new])
        self.cached[new] = True
        self.theta, self.sign = (np.pad(v, (0, new.size)) for v in (self.theta, self.sign))
        if total > self.gram.shape[0]:
            room = min(max(4 * self.gram.shape[0], total, 512), self.cached.size)
            self.gram = _enlarged(self.gram, room)
        cross = self._cross(new, m, total)
        self.gram[m:total, :total] = cross
        self.gram[:m, m:total] = cross[:, :m].T

    def _cross(self, new: Positions, m: int, total: int) -> Matrix:
        """Inner products of the new members with all; keeps dense columns at hand."""
        if not self.columns.is_dense:
            self.part = self.columns.part(self.members)
            return self.columns.gram(new, self.members)
        if total > self.store.shape[1]:
            grown = np.empty((self.store.shape[0], self.gram.shape[0]), order="F")
            grown[:, :m] = self.store[:, :m]
            self.store = grown
        self.store[:, m:total] = self.columns.take(new)
        self.part = self.columns.holding(self.store[:, :total])
        block = self.store[:, :total]
        if self.single:
            block = block.astype(np.float32)
        with every_thread(block.size * new.size):
            return np.asarray(block[:, m:].T @ block)

    def start(self, theta: Vector, penalty: ElasticNetPenalty) -> None:
        """Take over coordinates (p,) whose support is in the cache, and factor its system."""
        self.theta = theta[self.members]
        kinked = penalty.kinked[self.members]
        self.sign = np.where(kinked, np.sign(self.theta), 0.0)
        self.order = np.flatnonzero(self.theta).astype(np.int64)
        self.factor_l2 = np.full(self.members.size, np.nan)
        size = min(max(256, 2 * self.order.size), self.cached.size)
        self.factor = np.zeros((size, size))

    def full(self) -> Vector:
        """Coordinates of all columns; shape (p,)."""
        out = np.zeros(self.cached.size)
        out[self.members] = self.theta
        return out

    def minimise(self, penalty: ElasticNetPenalty, slope: Vector, slack: float) -> Vector:
        """Minimise over the cached columns from θ.

        Parameters
        ----------
        penalty : ElasticNetPenalty
            Of the members.
        slope : ndarray, shape (m,)
            Gradient of everything smooth at θ.
        slack : float
            Rounding error of the slope.

        Returns
        -------
        ndarray, shape (m,)
            The slope at the new θ, as the inner products have it.

        Raises
        ------
        Collinear
            If the support becomes singular to rounding.
        NotConverged
            If the active set does not settle.
        """
        m = self.members.size
        if m == 0:
            return slope
        self._refactor(penalty.l2)
        local_slope, slacks = slope.copy(), np.full(m, slack)
        size = np.array([self.order.size], dtype=np.int64)
        while True:
            order = np.zeros(self.factor.shape[0], dtype=np.int64)
            order[: size[0]] = self.order
            code = _kernel.minimise(
                self.gram,
                local_slope,
                penalty.l1,
                penalty.l2,
                slacks,
                penalty.nonnegative,
                self.theta,
                self.sign,
                order,
                size,
                self.factor,
                _ROUNDS,
            )
            self.order = order[: size[0]].copy()
            if code != _kernel.FULL:
                break
            self.factor = _enlarged(self.factor, min(2 * self.factor.shape[0], m))
        if code == _kernel.COLLINEAR:
            raise Collinear(_COLLINEAR)
        if code == _kernel.EXHAUSTED:
            raise NotConverged("problem: the active set did not settle")
        return local_slope

    def _refactor(self, l2: Vector) -> None:
        """Make the factor that of the support under these squares, if it is not already."""
        k = self.order.size
        if self.factor.shape[0] == 0:
            self.factor = np.zeros((min(256, self.cached.size),) * 2)
        known = self.factor_l2.size
        if k == 0 or np.array_equal(self.factor_l2, l2[:known]):
            self.factor_l2 = l2.copy()
            return
        block = self.gram[np.ix_(self.order, self.order)] + np.diag(l2[self.order])
        try:
            self.factor[:k, :k] = np.linalg.cholesky(block)
        except np.linalg.LinAlgError as error:
            raise Collinear(_COLLINEAR) from error
        self.factor_l2 = l2.copy()


def _enlarged(square: Matrix, size: int) -> Matrix:
    out = np.empty((size, size))
    out[: square.shape[0], : square.shape[0]] = square
    return out
