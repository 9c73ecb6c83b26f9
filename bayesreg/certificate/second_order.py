"""Whether a stationary point of a problem that is not convex is a local minimum.

It is one if the second derivative is positive along every direction in which the objective does
not rise at first order already (Nocedal & Wright 2006, sec. 12.5): coefficients away from 0, those
at a kink that barely holds them, and the intercept. A saddle between two modes is stationary, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import block_diag

from bayesreg.penalties import SeparablePenalty, pieces

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.certificate.expansion import Local

# Of a Hessian whose diagonal is about 1: an eigenvalue below this may be rounding.
_LEAST = 1e-8
# A kink holds a coefficient if it does so by this share of its own size.
_MARGIN = 1e-6
# Most work, n k², that the proof may cost.
_MOST_WORK = 2e9


def is_minimum(local: Local) -> bool:
    """Tell whether second derivatives prove that a stationary point is a local minimum.

    Parameters
    ----------
    local : Local
        The problem at a stationary point.
    """
    design, likelihood = local.problem.design, local.problem.likelihood
    basis, bend = _directions(local)
    count = basis.shape[1] + design.intercept
    if count == 0:
        return True
    if design.n * count**2 > _MOST_WORK:
        return False
    columns = np.asarray(local.columns.dot(basis))
    if design.intercept:
        columns, bend = np.column_stack([columns, design.one]), block_diag(bend, np.zeros((1, 1)))
    curvature = likelihood.curvature(local.eta, local.y, design.row_weights)
    unit = np.sqrt(local.curvature @ columns**2 + np.abs(np.diag(bend)))
    if not (np.isfinite(unit).all() and unit.all()):
        return False
    hessian = (columns.T @ (curvature[:, None] * columns) + bend) / np.outer(unit, unit)
    return float(np.linalg.eigvalsh(hessian)[0]) > _LEAST


def _directions(local: Local) -> tuple[Matrix, Matrix]:
    """Return directions (p, k) in which nothing rises at first order, and the penalty's Hessian."""
    penalty, coef = local.problem.penalty, local.coef
    if isinstance(penalty, SeparablePenalty):
        moving = np.flatnonzero(~_held(penalty, coef, local.gradient))
        basis = np.zeros((coef.size, moving.size))
        basis[moving, np.arange(moving.size)] = 1.0
        return basis, np.diag(penalty.curvature(coef)[moving])
    blocks, bends = [np.zeros((coef.size, 0))], [np.zeros((0, 0))]
    for piece in pieces(penalty, coef):
        inside = np.flatnonzero(piece.moves >= 0)
        block = np.zeros((coef.size, piece.at.size))
        block[piece.columns[inside], piece.moves[inside]] = piece.unit[inside]
        _, slope, bend = piece.curve(piece.at)
        if piece.border:
            block, bend = _along_border(block, slope, bend, local.gradient)
        blocks.append(block)
        bends.append(bend)
    return np.hstack(blocks), block_diag(*bends)


def _along_border(
    block: Matrix, slope: Vector, bend: Matrix, gradient: Vector
) -> tuple[Matrix, Matrix]:
    """Return the directions along the border of a ball, and the Hessian of its multiplier's term.

    `slope` and `bend` are those of the norm that stays 1.
    """
    multiplier = -float(gradient @ block @ slope) / float(slope @ slope)
    if multiplier * float(np.linalg.norm(slope)) <= _MARGIN * float(np.linalg.norm(gradient)):
        return block, np.zeros_like(bend)  # nothing presses against the border
    tangent = np.linalg.qr(slope[:, None], mode="complete")[0][:, 1:]
    return block @ tangent, multiplier * (tangent.T @ bend @ tangent)


def _held(
    penalty: SeparablePenalty, coef: Vector, gradient: Vector
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which coefficients are at 0 and held there with room to spare."""
    total = gradient + penalty.slope(np.zeros(coef.size))
    pull = np.where(penalty.nonnegative, -total, np.abs(total))
    room = penalty.kink - pull
    size = penalty.kink + np.abs(total)
    return np.asarray((coef == 0) & ((room > _MARGIN * size) | np.isinf(penalty.kink)))
