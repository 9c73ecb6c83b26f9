r"""Leave-one-out under a normal prior, in closed form, at all scales from one decomposition.

With rows of unit precision (``√w/σ`` times each), intercept and flat columns projected out by Q,
and ``M = U S Vᵀ`` the other columns times their prior sd at ``κ = 1``, the mode at κ has ::

    D = diag(κ²s²/(1 + κ²s²)),   residual e = (I − U D Uᵀ) t,   leverage h_i = Σ Q_i² + (U D Uᵀ)_ii

and without row i the residual of that row is ``e_i/(1 − h_i)`` (Allen's PRESS, 1974). Its loss is
``½ (e_i/(1 − h_i))² + ½ log(2πσ²/w_i)``. Of a row that is fitted nearly whatever it is, e and
``1 − h`` are taken as sums over what is left, not as differences.

Where columns are standardised, leaving a row out changes their sd, and so the prior: there each row
is left out in turn, with one decomposition for all scales each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

import numpy as np

from bayesreg.errors import InputError
from bayesreg.likelihoods import LOG_2PI, Gaussian
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.posterior.conditional import Conditional, is_real
from bayesreg.posterior.density import reason_against_prior
from bayesreg.posterior.graded import graded_svd
from bayesreg.posterior.left_out import ALONE, row_that_is_needed
from bayesreg.posterior.projection import Projection, lost_to_offset
from bayesreg.posterior.unknowns import require_proper
from bayesreg.selection.digits import judged, without
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
# One less leverage, where it is to be had without a difference from one, and where not at all.
_NEAR = 0.5
_LEAST = 1e-18
_ALONE = f"problem: {ALONE}"
_HIGH = (
    "problem: row {row} has so high a leverage that its prediction by the others is lost in "
    "rounding; look for an entry of X or a weight there that is larger than the others by far"
)


def obstacle(problem: Problem) -> str | None:
    """Say why rows cannot be left out in closed form; None where they can."""
    return reason_against_closed_form(problem) or needed_row(problem)


def needed_row(problem: Problem) -> str | None:
    """Say which row of a problem, its unknowns set to numbers, cannot be left out; None if any can.

    A lone row can never: without others there is no error to tell, and no scale to choose.
    """
    if problem.n == 1:
        return "it leaves rows out, and there is only one; take more rows"
    return row_that_is_needed(problem.given_ones())


def reason_against_closed_form(problem: Problem) -> str | None:
    """Say why there is no closed form of a normal posterior; None where there is one."""
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
    require_proper(family.at(float(scales[0])))
    priors = [family.at(float(scale)).prior for scale in scales]
    parts = _conditionals([problem.with_prior(prior) for prior in priors])
    scales, lost = judged(request, scales, _why_lost(problem, parts))
    if problem.design.standardize:
        rows = _one_by_one(request, problem, scales)
        how = "each row left out in turn, columns standardised without it"
    else:
        rows = _closed(problem, family, scales)
        how = "closed form"
    curve = Curve.of_losses(scales, rows.T, np.ones(problem.n))
    chosen = request.by_rule(NAME, curve, curve.near_by_error(), how)
    return without(chosen, lost)


@dataclass(frozen=True, eq=False)
class _Directions:
    """What the rows are along directions that data say something of, and beyond them.

    Attributes
    ----------
    U, s, along : ndarray, shapes (n, r), (r,), (r,)
        The decomposition above at κ = 1, but for singular values of 0, and ``Uᵀt``.
    beyond : ndarray, shape (n,)
        What no coefficient fits of t.
    outside : ndarray, shape (n,)
        One less leverage at κ = ∞.
    """

    U: Matrix
    s: Vector
    along: Vector
    beyond: Vector
    outside: Vector

    @classmethod
    def of(cls, plane: Projection, fixed: Matrix, prior_sd: Vector) -> Self:
        """Decompose, `fixed` being what was projected out already."""
        U, s, V = graded_svd(plane.columns * prior_sd)
        real = is_real(s, V, plane.kept_length * prior_sd, U.shape[0])
        # Rounding chooses the left vector of a tiny singular value, and maybe not one outside of
        # what is fixed; any that is will do.
        basis = np.linalg.qr(np.column_stack([fixed, U[:, real]]))[0]
        U = basis[:, fixed.shape[1] :]
        s, along = s[real][: U.shape[1]], U.T @ plane.target
        outside, beyond = _outside(basis, plane.target - U @ along)
        return cls(U, s, along, beyond, outside)


def _outside(basis: Matrix, left: Vector) -> tuple[Vector, Vector]:
    """Return ``1 − Σ basis_i²`` in each row, and what is left of `left` (n,) outside the basis.

    Where leverage is near one the former cancels, and so does the latter. There both are taken from
    what is outside of the unit vector of the row, which does not: projecting once more removes what
    rounding left inside (Parlett 1998, sec. 6.9: twice is enough).
    """
    n, dimensions = basis.shape
    if dimensions >= n:
        return np.zeros(n), np.zeros(n)
    left = left - basis @ (basis.T @ left)
    outside = 1 - (basis**2).sum(axis=1)
    near = np.flatnonzero(outside < _NEAR)
    unit = np.zeros((n, near.size))
    unit[near, np.arange(near.size)] = 1.0
    for _ in range(2):
        unit = unit - basis @ (basis.T @ unit)
    outside[near] = (unit**2).sum(axis=0)
    left[near] = left @ unit
    return outside, left


def _closed(problem: Problem, family: Family, scales: Vector) -> Matrix:
    """Loss of every row, shape (k, n)."""
    design, variance = problem.design, _variance(problem)
    penalties = [family.at(float(scale)).elastic_net for scale in scales]
    one, h = penalties[0], design.row_weights / variance
    kept, root = one.l2 > 0, np.sqrt(h)
    plane = Projection.of(
        design.X,
        design.less_offset,
        h,
        np.where(kept, one.loc, 0.0),
        out=~kept,
        rows=np.zeros(design.p),
        intercept=design.intercept,
    )
    fixed = plane.basis
    if design.intercept:
        fixed = np.column_stack([root / np.linalg.norm(root), fixed])
    _require_others(_outside(fixed, plane.target)[0], _ALONE)
    constant = 0.5 * LOG_2PI - np.log(root)
    out = np.empty((scales.size, design.n))
    found: _Directions | None = None
    for k, penalty in enumerate(penalties):
        ratio = np.sqrt(one.l2[kept] / penalty.l2[kept])
        # All widths grow together, but for blocks of priors that take a scale differently.
        together = np.ptp(ratio) <= _CERTAIN * ratio.max(initial=1.0)
        if found is None or not together:
            prior_sd = penalty.l2[kept] ** -0.5 / (ratio if together else 1.0)
            found = _Directions.of(plane, fixed, prior_sd)
        x = (found.s * (float(ratio[0]) if together and ratio.size else 1.0)) ** 2
        left = found.outside + found.U**2 @ (1 / (1 + x))
        _require_others(left, _HIGH)
        out[k] = 0.5 * ((found.beyond + found.U @ (found.along / (1 + x))) / left) ** 2 + constant
        if not together:
            found = None
    return out


def _require_others(left: Vector, why: str) -> None:
    """Raise InputError where leverages (n,), given as one less them, leave a row to itself."""
    worst = int(np.argmin(left))
    if left[worst] < _LEAST:
        raise InputError(why.format(row=worst))


def _one_by_one(request: Request, problem: Problem, scales: Vector) -> Matrix:
    """Loss of every row, shape (k, n), each from a decomposition without it."""
    splits, everything = Splits(problem), np.arange(problem.n)
    priors = [request.family.at(float(scale)).prior for scale in scales]
    out = np.empty((scales.size, problem.n))
    for i in request.progress.steps(everything.tolist(), problem.n, "row"):
        fold = splits.fold(np.delete(everything, i), everything[i : i + 1])
        parts = _conditionals([fold.train.with_prior(prior) for prior in priors])
        for scale, reason in zip(scales.tolist(), _why_lost(fold.train, parts), strict=True):
            if reason is not None:
                msg = f"problem: without row {i}, at scale {scale:.4g}: {reason}"
                raise InputError(msg)
        modes = [part.mean_at(part.fitted(log_kappa)) for part, log_kappa in parts]
        levels = [
            part.level - coef @ part.column_mean
            for coef, (part, _) in zip(modes, parts, strict=True)
        ]
        out[:, i] = fold.losses(np.vstack(modes), np.concatenate(levels))
    return out


def _why_lost(problem: Problem, parts: list[tuple[Conditional, Vector]]) -> list[str | None]:
    """Say why rounding would decide on a problem at each of some scales; None where not."""
    lost = lost_to_offset(problem.design, problem.design.row_weights / _variance(problem))
    return [
        reason
        for part, log_kappa in parts
        for reason in part.why_lost(log_kappa, np.zeros(log_kappa.size), lost=lost)
    ]


def _conditionals(at: list[Problem]) -> list[tuple[Conditional, Vector]]:
    """Decompose a problem under some priors, and say at which log κ of it each of them is."""
    one = at[0].elastic_net
    kept = one.l2 > 0
    ratio = np.array([np.sqrt(one.l2[kept] / q.elastic_net.l2[kept]) for q in at])
    if np.ptp(ratio, axis=1).max(initial=0.0) > _CERTAIN * ratio.max(initial=1.0):
        return [(_conditional(q), np.zeros(1)) for q in at]
    return [(_conditional(at[0]), np.log(ratio[:, 0]) if kept.any() else np.zeros(len(at)))]


def _conditional(problem: Problem) -> Conditional:
    design, penalty = problem.design, problem.elastic_net
    return Conditional.of(
        design.X,
        design.less_offset,
        design.row_weights / _variance(problem),
        penalty.l2,
        penalty.loc,
        intercept=design.intercept,
    )


def _variance(problem: Problem) -> float:
    return cast("Gaussian", problem.likelihood).variance
