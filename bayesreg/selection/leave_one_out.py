r"""Leave-one-out under a normal prior, in closed form, at all scales from one decomposition.

With rows of unit precision (``√w/σ`` times each), intercept and flat columns projected out by Q,
and ``M = U S Vᵀ`` the other columns times their prior sd at ``κ = 1``, the mode at κ has ::

    D = diag(κ²s²/(1 + κ²s²)),   residual e = (I − U D Uᵀ) t,   leverage h_i = Σ Q_i² + (U D Uᵀ)_ii

and without row i the residual of that row is ``e_i/(1 − h_i)`` (Allen's PRESS, 1974). Its loss is
``½ (e_i/(1 − h_i))² + ½ log(2πσ²/w_i)``.

Where columns are standardised, leaving a row out changes their sd, and so the prior: there each row
is left out in turn, with one decomposition for all scales each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import InputError
from bayesreg.likelihoods import LOG_2PI, Gaussian
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.posterior.conditional import Conditional
from bayesreg.posterior.density import reason_against_prior
from bayesreg.selection.folds import Splits
from bayesreg.selection.request import penalty_of
from bayesreg.selection.result import Curve

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.path_scales import Family
    from bayesreg.problem import Problem
    from bayesreg.selection.request import Request
    from bayesreg.selection.result import ScaleSelection

NAME = "leave-one-out"
_SCALES = 100
_CERTAIN = 1e-12


def obstacle(problem: Problem) -> str | None:
    """Say why there is no closed form; None where there is one."""
    if not isinstance(problem.likelihood, Gaussian):
        return f"it is for Gaussian noise, found {problem.likelihood.name}"
    penalty = penalty_of(problem)
    squares = isinstance(penalty, ElasticNetPenalty) and not penalty.l1.any()
    if not squares or reason_against_prior(problem) is not None:
        return f"it is for a normal prior, found {problem.prior.name}"
    if problem.design.level is not None:
        return "it needs the rows of X, and the problem was made of sums of products"
    return problem.design.why_not_dense


def choose(request: Request) -> ScaleSelection:
    """Choose by the loss of every row, left out."""
    scales, family = request.grid(_SCALES), request.family
    problem = request.known.problem.dense("leave-one-out")
    if problem.design.standardize:
        rows = _one_by_one(problem, family, scales)
        how = "each row left out in turn, columns standardised without it"
    else:
        rows = _closed(problem, family, scales)
        how = "closed form"
    curve = Curve.of_losses(scales, rows.T, np.ones(problem.n))
    return request.by_rule(NAME, curve, curve.near_by_error(), how)


def _closed(problem: Problem, family: Family, scales: Vector) -> Matrix:
    """Loss of every row, shape (k, n)."""
    design, variance = problem.design, problem.likelihood.variance  # type: ignore[attr-defined]
    penalties = [family.at(float(scale)).elastic_net for scale in scales]
    one = penalties[0]
    root = np.sqrt(design.row_weights / variance)
    target = root * (design.y if design.offset is None else design.y - design.offset)
    kept = one.l2 > 0
    A = root[:, None] * design.X
    target = target - A[:, kept] @ one.loc[kept]
    fixed = A[:, ~kept]
    if design.intercept:
        fixed = np.column_stack([root, fixed])
    Q = np.linalg.qr(fixed / np.sqrt((fixed**2).sum(axis=0)))[0]
    base = A[:, kept] - Q @ (Q.T @ A[:, kept])
    target = target - Q @ (Q.T @ target)
    level = (Q**2).sum(axis=1)
    constant = 0.5 * LOG_2PI - np.log(root)
    out = np.empty((scales.size, design.n))
    factors: tuple[Matrix, Vector, Vector] | None = None
    for k, penalty in enumerate(penalties):
        ratio = np.sqrt(one.l2[kept] / penalty.l2[kept])
        # All widths grow together, but for blocks of priors that take a scale differently.
        together = np.ptp(ratio) <= _CERTAIN * ratio.max(initial=1.0)
        if factors is None or not together:
            prior_sd = penalty.l2[kept] ** -0.5 / (ratio if together else 1.0)
            U, s, _ = np.linalg.svd(base * prior_sd, full_matrices=False)
            factors = U, s, U.T @ target
        U, s, along = factors
        x = (s * (float(ratio[0]) if together and ratio.size else 1.0)) ** 2
        share = x / (1 + x)
        left = 1 - level - U**2 @ share
        if (left <= _CERTAIN).any():
            msg = (
                f"row {int(np.argmin(left))} determines a coefficient with a flat prior alone, so "
                "without it there is none; give the column a finite scale"
            )
            raise InputError(f"problem: {msg}")
        out[k] = 0.5 * ((target - U @ (share * along)) / left) ** 2 + constant
        if not together:
            factors = None
    return out


def _one_by_one(problem: Problem, family: Family, scales: Vector) -> Matrix:
    """Loss of every row, shape (k, n), each from a decomposition without it."""
    splits, everything = Splits(problem), np.arange(problem.n)
    priors = [family.at(float(scale)).prior for scale in scales]
    out = np.empty((scales.size, problem.n))
    for i in everything.tolist():
        fold = splits.fold(np.delete(everything, i), everything[i : i + 1])
        coef, intercept = _modes(fold.train, [fold.train.with_prior(prior) for prior in priors])
        out[:, i] = fold.losses(coef, intercept)
    return out


def _modes(problem: Problem, at: list[Problem]) -> tuple[Matrix, Vector]:
    """Modes under each prior, shape (k, p), and intercepts."""
    design, one = problem.design, at[0].elastic_net
    conditional = Conditional.of(
        design.X,
        design.y if design.offset is None else design.y - design.offset,
        design.row_weights / problem.likelihood.variance,  # type: ignore[attr-defined]
        one.l2,
        one.loc,
        intercept=design.intercept,
    )
    kept = one.l2 > 0
    ratio = np.array([np.sqrt(one.l2[kept] / q.elastic_net.l2[kept]) for q in at])
    if np.ptp(ratio, axis=1).max(initial=0.0) > _CERTAIN * ratio.max(initial=1.0):
        pairs = [_modes(problem, [q]) for q in at]
        return np.vstack([c for c, _ in pairs]), np.concatenate([level for _, level in pairs])
    log_kappa = np.log(ratio[:, 0]) if kept.any() else np.zeros(len(at))
    coef = conditional.mean_at(conditional.fitted(log_kappa))
    return coef, conditional.level - coef @ conditional.column_mean
