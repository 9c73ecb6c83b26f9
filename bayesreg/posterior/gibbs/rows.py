"""What the Gaussian kernel needs of the data: rows without their flat directions, and few of them.

Row weights are divided out, so that the noise has one sd. The flat coefficients (an intercept is
one) are integrated out: columns and target are projected away from theirs, which leaves as many
observations less; they are drawn afterwards. Where there are more rows than columns, the triangular
factor of the rows takes their place: it has the same sums of squares, whatever the coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from bayesreg.columns import negligible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.gibbs.plan import Plan


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows for the k coefficients that are not flat; make them with `Rows.of`.

    Attributes
    ----------
    A : ndarray, shape (r, k)
        Columns, row by row in memory.
    t : ndarray, shape (r,)
        Target.
    count : float
        Observations less flat directions: the power of sigma in the density of the rows.
    flat : _Flat
        How to draw the flat coefficients.
    """

    A: Matrix
    t: Vector
    count: float
    flat: _Flat

    @classmethod
    def of(cls, plan: Plan) -> Rows:
        """Project, and reduce to a triangle where that is smaller."""
        columns, target, flat = _whitened(plan)
        basis, k = flat.basis, columns.shape[1]
        count = float(plan.design.count - basis.shape[1])
        whole = np.sqrt((columns**2).sum(axis=0))
        # The second pass removes what rounding of large means left behind.
        for _ in range(2 if basis.size else 0):
            columns = columns - basis @ (basis.T @ columns)
            target = target - basis @ (basis.T @ target)
        # A column that depends on flat ones, as a constant does beside an intercept, says nothing.
        columns = np.where(negligible(np.sqrt((columns**2).sum(axis=0)), whole), 0.0, columns)
        A, t = columns, target
        if A.shape[0] > k + 1:
            R = linalg.qr(np.column_stack([A, t]), mode="r", overwrite_a=True)[0][: k + 1]
            A, t = R[:, :k], R[:, k]
        # Arrays of one kind, so that compiled code is compiled once.
        return cls(np.require(A, float, ["C", "W"]), np.require(t, float, ["C", "W"]), count, flat)


@dataclass(frozen=True, eq=False)
class _Flat:
    """Flat coefficients given the others: least squares on what these leave.

    ``basis @ root⁻¹`` are the whitened columns, of an intercept and then the flat coefficients.
    """

    basis: Matrix
    root: Matrix
    along: Vector
    slope: Matrix

    def draw(
        self, beta: NDArray[np.float64], sigma: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Draw them given β (m, k) and σ (m,); shape (m, f)."""
        z = rng.standard_normal((sigma.size, self.along.size))
        inner = self.along - beta @ self.slope.T + sigma[:, None] * z
        return np.asarray(inner @ self.root.T)


def _whitened(plan: Plan) -> tuple[Matrix, Vector, _Flat]:
    """Return the columns that are not flat, the target, both whitened, and the flat part."""
    design, k = plan.design, plan.p - plan.flat
    X = design.dense("sampling").X if design.sparse else design.X
    root = None if design.weights is None else np.sqrt(design.weights)
    target = design.less_offset
    if plan.loc.any():
        target = target - X[:, plan.order] @ plan.loc
    others, flat = X[:, plan.order[:k]], X[:, plan.order[k:]]
    if design.intercept:
        flat = np.column_stack([design.one, flat])
    if root is not None:
        target, flat, others = root * target, root[:, None] * flat, root[:, None] * others
    norm = np.sqrt((flat**2).sum(axis=0))
    basis, R = np.linalg.qr(flat / norm)
    # One sign, so that the draws do not depend on which rows stand for the data.
    sign = np.copysign(1.0, np.diag(R))
    basis, R = basis * sign, sign[:, None] * R
    inverse = linalg.solve_triangular(R, np.eye(norm.size)) / norm[:, None]
    slope = np.asarray((others.T @ basis).T)
    return others, target, _Flat(basis, inverse, basis.T @ target, slope)
