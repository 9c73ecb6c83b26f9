"""The duality gap: an upper bound, in nats, on what is missing to the minimum.

For any dual point u (a number per row) whose correlations with the columns the conjugate of the
penalty admits, ``P(β) − P(mode) ≤ Σ [fᵢ(ηᵢ) + fᵢ*(uᵢ) − uᵢηᵢ] + [g(β) + g*(−X'u) + u'Xβ]``
(Fenchel 1949; Rockafellar 1970, sec. 31). Both brackets are sums of non-negative terms.

What rounding may have taken from the bound is returned beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from bayesreg.certificate.expansion import EPS, Local
from bayesreg.likelihoods import ConvexLikelihood
from bayesreg.penalties import ElasticNetPenalty, SeparablePenalty, stationarity

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.penalties import Penalty

# Rounding error worth fewer nats than this is not worth a weaker bound.
_NEGLIGIBLE = 1e-13
# With a gap like this, or one within its rounding error, no better dual point is looked for.
_ENOUGH = 1e-10


@dataclass(frozen=True, eq=False)
class _Dual:
    """A dual point, its correlations with the columns (p,) and their rounding errors (p,)."""

    rows: Vector
    correlation: Vector
    error: Vector

    @classmethod
    def of(cls, local: Local, rows: Vector, *, level_only: bool = False) -> _Dual:
        """Correlate; not where all that was moved is the level, which centred columns ignore."""
        same = rows is local.rows or (level_only and local.flat_level)
        correlation = local.gradient if same else local.columns.correlate(rows)
        return cls(rows, correlation, 16 * EPS * local.size * float(np.linalg.norm(rows)))


def duality_gap(local: Local) -> tuple[float, float]:
    """Return an upper bound on the excess over the minimum, in nats, and its rounding error.

    Any dual point gives a bound. The gradient of the loss, made orthogonal to the unpenalised
    columns, and to combinations of columns whose common level is free, is the usual one; its gap
    falls with the KKT residual. Making it meet the stationarity
    conditions of the whole support (of the manifold, for a norm), a Newton step in the dual, gives
    a gap that falls with the square of the residual, where the signs of the support are right.
    """
    penalty, dropped = local.problem.penalty, 0.0
    if isinstance(penalty, ElasticNetPenalty):
        weakness = 16 * EPS * local.size * float(np.linalg.norm(local.rows))
        penalty, dropped = _without_weak_squares(penalty, local.coef, weakness)
    flat, levels = np.flatnonzero(penalty.flat), penalty.levels
    if levels.shape[1]:
        free = np.hstack([np.eye(penalty.size)[:, flat], levels])
        rows = local.moved_along(sparse.csr_array(free), np.zeros(free.shape[1]))
    else:
        rows = local.moved(flat, np.zeros(flat.size))
    if rows is None:
        return math.inf, 0.0
    first = _Dual.of(local, rows, level_only=not (flat.size or levels.shape[1]))
    if not isinstance(penalty, ElasticNetPenalty):
        return _better_general_gap(local, penalty, _finite(*_general_gap(local, penalty, first)))
    best = _finite(*_elastic_net_gap(local, penalty, first, dropped))
    chosen = np.flatnonzero(penalty.flat | (local.coef != 0))
    if best[0] <= max(_ENOUGH, best[1]) or chosen.size >= local.rows.size:
        return best
    slope = penalty.smooth_gradient(local.coef) + penalty.l1 * np.sign(local.coef)
    rows = local.moved(chosen, -slope[chosen])
    if rows is None:
        return best
    return min(best, _finite(*_elastic_net_gap(local, penalty, _Dual.of(local, rows), dropped)))


def _finite(gap: float, noise: float) -> tuple[float, float]:
    known = math.isfinite(gap) and math.isfinite(noise)
    return (gap, noise) if known else (math.inf, 0.0)


def _general_gap(local: Local, penalty: Penalty, dual: _Dual) -> tuple[float, float]:
    """Gap of any convex penalty: the dual point is shrunk into the domain of the conjugate.

    Correlations move towards it by their rounding errors first. What that is worth is counted as
    rounding error.
    """
    flat = penalty.flat
    if _leaks(local, dual, flat):
        return math.inf, 0.0
    raw, error = np.where(flat, 0.0, dual.correlation), np.where(flat, 0.0, dual.error)
    # What was made orthogonal is so up to the rounding of what was taken off.
    taken = np.where(penalty.levels.any(axis=1), local.rounding, 0.0)
    known = penalty.towards_domain(raw, error + taken)
    error = np.maximum(error, np.abs(known - raw))
    shrink = penalty.dual_scale(known)
    gap = _rows_gap(local, shrink * dual.rows) + penalty.fenchel_young(local.coef, shrink * known)
    noise = float(np.abs(dual.correlation[flat]) @ np.abs(local.coef[flat]))
    noise += penalty.fenchel_young_error(local.coef, error)
    return gap, noise + _rows_noise(local, shrink * dual.rows)


def _better_general_gap(
    local: Local, penalty: Penalty, best: tuple[float, float]
) -> tuple[float, float]:
    """Try the dual point that meets the stationarity conditions along a penalty's manifold."""
    if best[0] <= max(_ENOUGH, best[1]) or isinstance(penalty, SeparablePenalty):
        return best
    directions, slopes = stationarity(penalty, local.coef, local.gradient)
    rows = local.moved_along(directions, -slopes)
    if rows is None:
        return best
    return min(best, _finite(*_general_gap(local, penalty, _Dual.of(local, rows))))


def _elastic_net_gap(
    local: Local, penalty: ElasticNetPenalty, dual: _Dual, dropped: float
) -> tuple[float, float]:
    """Gap of absolute values and squares, `dropped` of the latter left out.

    A correlation ``X_j'u`` is known up to the rounding error of its sum, so an excess over the
    penalty's slope within that error is none; what it could be worth is counted as rounding error.
    """
    flat, coef, error = penalty.flat, local.coef, dual.error
    if _leaks(local, dual, flat):
        return math.inf, 0.0  # it sees an unpenalised column, so it bounds nothing
    hard, strong = (penalty.l2 == 0) & ~flat, penalty.l2 > 0
    shrink = _shrink(penalty.at(hard), dual.correlation[hard], error[hard])
    correlation = np.where(flat, 0.0, dual.correlation) * shrink
    most = np.where(penalty.nonnegative[hard], math.inf, penalty.l1[hard])
    correlation[hard] = np.clip(correlation[hard], -penalty.l1[hard], most)
    of_penalty = penalty.fenchel_young(coef, correlation)
    gap = _rows_gap(local, dual.rows * shrink) + of_penalty + dropped
    off = np.where(flat, np.abs(dual.correlation), np.where(hard, error, 0.0))
    # An error e of w in (w − l2 β)²/(2 l2) is worth e²/(2 l2), and as much as twice its geometric
    # mean with the whole.
    square = 0.5 * float((error[strong] ** 2 / penalty.l2[strong]).sum())
    noise = float(off @ np.abs(coef)) + square + 2 * math.sqrt(square * of_penalty)
    return gap, noise + _rows_noise(local, dual.rows * shrink)


def _shrink(penalty: ElasticNetPenalty, correlation: Vector, error: Vector) -> float:
    """Largest factor up to 1 that leaves no correlation beyond its slope by more than its error."""
    pull = np.where(penalty.nonnegative, -correlation, np.abs(correlation))
    excess = np.maximum(pull - error, 0.0)
    over = excess > penalty.l1
    if not over.any():
        return 1.0
    return float((penalty.l1[over] / excess[over]).min())


def _leaks(local: Local, dual: _Dual, flat: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> bool:
    seen = np.abs(dual.correlation[flat])
    return bool((seen > 64 * dual.error[flat] + local.rounding[flat]).any())


def _rows_gap(local: Local, dual: Vector) -> float:
    design, likelihood = local.problem.design, local.problem.likelihood
    assert isinstance(likelihood, ConvexLikelihood)  # noqa: S101  (else no gap is asked for)
    return likelihood.fenchel_young(local.eta, dual, local.y, design.row_weights)


def _rows_noise(local: Local, dual: Vector) -> float:
    """Errors of eta enter the rows' share multiplied by how far the dual is from the gradient."""
    one = local.problem.design.one
    difference = local.rows - dual
    wrong, weighted = 8 * EPS * local.spread, 8 * EPS * local.weighted_spread
    noise = float(np.linalg.norm(difference)) * wrong + local.shift * abs(float(one @ difference))
    level = local.shift**2 * float(local.curvature @ one**2)
    return noise + 0.5 * (weighted**2 + level)


def _without_weak_squares(
    penalty: ElasticNetPenalty, coef: Vector, error: Vector
) -> tuple[ElasticNetPenalty, float]:
    """Leave out squares so weak that they are worth less than the rounding error they amplify.

    Without them the minimum can only be lower, so the gap grows by no more than they are worth at
    `coef`, which is returned.
    """
    square = 0.5 * penalty.l2 * (coef - penalty.loc) ** 2
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        amplified = 0.5 * error**2 / penalty.l2
        weak = (penalty.l2 > 0) & (amplified > _NEGLIGIBLE) & (square < amplified)
    if not weak.any():
        return penalty, 0.0
    return replace(penalty, l2=np.where(weak, 0.0, penalty.l2)), float(square[weak].sum())
