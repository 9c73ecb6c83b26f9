"""Least squares: what it leaves of a target, and what scales start from where none is given."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, lsmr

from bayesreg.columns import Columns
from bayesreg.independence import length_left, residual

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.columns import Positions
    from bayesreg.design import Design

    type Mask = NDArray[np.bool_]

# Eigenvalues below this share of the largest are those of columns that depend on each other.
_DEPENDENT = 1e-12
# A residual sd below this share of the target's is a perfect fit, which leaves no noise.
_PERFECT = 1e-8


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """The fit of the columns that vary.

    Attributes
    ----------
    coef : ndarray, shape (k,)
        Coefficients per sd of each of these columns, the shortest where columns are dependent.
    rank : int
        How many of them are not.
    residual_sd : float
        Root of the sum of squares that is left, over its degrees of freedom.
    """

    coef: Vector
    rank: int
    residual_sd: float


def least_squares(design: Design, sd: Vector) -> LeastSquares | None:
    """Fit the target by the columns that vary, and the intercept of the design if it has one.

    Parameters
    ----------
    design : Design
        The data; a row of weight w counts as w rows.
    sd : ndarray, shape (p,)
        Standard deviations of the columns; 0 for one that does not vary.

    Returns
    -------
    LeastSquares or None
        None with too few rows to leave a residual.

    Examples
    --------
    >>> from bayesreg.design import Design
    >>> design = Design.of([[-1.0], [-1.0], [1.0], [1.0]], [-3.0, -1.0, 1.0, 3.0])
    >>> found = least_squares(design, design.column_sd)
    >>> round(found.residual_sd**2, 6), found.coef.round(6)  # 4/(4 - 2), and 8/4
    (2.0, array([2.]))
    """
    varying, w = np.flatnonzero(sd), design.row_weights
    total, level = float(w.sum()), int(design.intercept)
    if total <= varying.size + level:
        return None
    y = design.less_offset
    y = y - float(w @ y) / total if level else y
    X, centre = design.X[:, varying], np.zeros(varying.size)
    if level:
        centre = np.asarray(X.T @ w) / total / sd[varying]
    if design.sparse:
        Z = X @ sparse.diags_array(1 / sd[varying])
        gram = (Z.T @ sparse.diags_array(w) @ Z).toarray() - total * np.outer(centre, centre)
    else:
        Z = X / sd[varying] - centre
        gram, centre = Z.T @ (w[:, None] * Z), np.zeros(varying.size)
    values, vectors = np.linalg.eigh(gram)
    good = values > _DEPENDENT * values.max(initial=0.0)
    against = vectors[:, good].T @ (Z.T @ (w * y) - float(w @ y) * centre)
    coef = vectors[:, good] @ (against / values[good])
    residual = y - (Z @ coef - float(centre @ coef))
    rank = int(good.sum())
    return LeastSquares(coef, rank, math.sqrt(float(w @ residual**2) / (total - rank - level)))


def noise_sd(found: LeastSquares | None, spread: float) -> float:
    """Return the residual sd, or that of half the variance where there is none to go by.

    Examples
    --------
    >>> round(noise_sd(None, 2.0) ** 2, 6)
    2.0
    """
    if found is not None and found.residual_sd > _PERFECT * spread:
        return found.residual_sd
    return spread / math.sqrt(2)


def left_over(
    design: Design, positions: Positions, target: Vector, nonnegative: Mask | None = None
) -> float:
    """Length of what least squares on columns and intercept leaves of a target, rows weighted.

    Coefficients in `nonnegative` (p,) cannot be negative; in a sparse design that is left out.
    """
    root = np.sqrt(design.row_weights)
    if nonnegative is not None and nonnegative[positions].any() and not design.sparse:
        bounded = np.append(np.zeros(int(design.intercept), dtype=bool), nonnegative[positions])
        return length_left(design.columns(positions) * root[:, None], target, bounded)
    if design.why_not_dense is None or not design.sparse:
        chosen = design.columns(positions)
        if design.intercept:
            share = design.row_weights * design.one
            chosen[:, 1:] -= np.outer(design.one, share @ chosen[:, 1:] / (share @ design.one))
        return float(np.linalg.norm(residual(chosen * root[:, None], target)))
    level = root * design.one * design.intercept
    centred = target - level * (level @ target / (level @ level or 1.0))
    columns = Columns.of(
        design.X[:, positions], weights=design.weights, centred=design.intercept, unit=True
    )
    if not positions.size:
        return float(np.linalg.norm(centred))
    operator = LinearOperator(
        shape=columns.shape, dtype=np.float64, matvec=columns.dot, rmatvec=columns.correlate
    )
    return float(lsmr(operator, centred, atol=1e-13, btol=1e-13, maxiter=2000)[3])
