"""Certificates: how far anyone's coefficients are from the mode, from (problem, coef) alone.

Shares nothing with the solvers. Two independent measures:

* the **duality gap**, in nats: an upper bound on objective(coef) − objective(mode). Summed from
  Fenchel–Young losses, each non-negative, so that it keeps its digits down to rounding.
* the **KKT residual**: distance of minus the gradient to the subdifferential of the penalty,
  divided per coefficient by the square root of the curvature, so that it does not depend on the
  units of a column. Half its square is about the excess in nats due to that coefficient alone. It
  sees what the gap cannot: a coefficient of 1e-15 that should be exactly 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._validation import as_real
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

# A gap of 1e-9 nats changes no statement about a posterior; KKT residuals scale as its square root.
GAP_TOLERANCE = 1e-9
KKT_TOLERANCE = 1e-6
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Certificate:
    """What can be said of a coefficient vector without knowing where it came from.

    Attributes
    ----------
    gap : float
        Upper bound, in nats, on how far the objective is above its minimum; ``inf`` if unknown.
    kkt : float
        Largest KKT residual, in units free of the columns' scales (see the module's text).
    worst : str
        Name of the coefficient with the largest residual.
    support : tuple of int
        Positions of the coefficients that are not exactly zero.
    unique : bool
        Whether the optimum is proved unique; False for duplicate columns, say.
    optimal : bool
        Whether gap and KKT residual are both below their tolerances.
    gap_tolerance, kkt_tolerance : float
        The tolerances, which grow with the rounding error of the data's own magnitudes.
    """

    gap: float
    kkt: float
    worst: str
    support: tuple[int, ...]
    unique: bool
    optimal: bool
    gap_tolerance: float = field(repr=False)
    kkt_tolerance: float = field(repr=False)

    def __str__(self) -> str:
        """Say the verdict in words."""
        verdict = "optimal" if self.optimal else f"NOT optimal (worst: {self.worst})"
        unique = "unique" if self.unique else "an optimum, not proved unique"
        tail = f"; {unique}" if self.optimal else ""
        return f"{verdict}: duality gap {self.gap:.2g} nats, KKT residual {self.kkt:.2g}{tail}"


@dataclass(frozen=True)
class _Local:
    """The problem at one point: derivatives per row and per coefficient, intercept apart."""

    eta: Vector
    rows: Vector
    curvature: Vector
    gradient: Vector
    length: Vector
    rounding: Vector
    spread: Vector


def certify(
    problem: Problem, coef: object, intercept: float = 0.0, *, sigma: float | None = None
) -> Certificate:
    """Certify anyone's coefficients against a problem.

    Parameters
    ----------
    problem : Problem
        The prior's scale must be known; use ``problem.given(...)`` for a conditional mode.
    coef : array_like, shape (p,)
        Coefficients on the user's own scale. NaN and infinities give a failed certificate, not an
        exception: judging bad answers is what a certificate is for.
    intercept : float
        The intercept that goes with them.
    sigma : float, optional
        Noise sd that goes with them, where it is unknown: then this certifies a *joint* stationary
        point. The KKT residual includes the slope in sigma; the gap is that of the coefficients
        given sigma, and uniqueness is theirs.

    Returns
    -------
    Certificate
        Gap, KKT residual, support, uniqueness and the verdict.

    Raises
    ------
    InputError
        If `coef` has the wrong length, or a scale is unknown.

    Notes
    -----
    The gap is P(β) − D(u) for the Fenchel dual ``D(u) = −Σ fᵢ*(uᵢ) − g*(−X'u)``. The dual point is
    the gradient of the loss, moved orthogonally to the unpenalised columns and shrunk until it is
    feasible.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> p = Problem([[1.0]], [3.0], likelihood=Gaussian(1.0), prior=Laplace(1.0), intercept=False)
    >>> certify(p, [2.0]).optimal, certify(p, [2.1]).optimal
    (True, False)
    """
    joint = problem
    if sigma is not None:
        problem = problem.given(sigma=sigma)
    if problem.unknown:
        msg = f"problem: {problem.unknown[0]} is unknown; certify problem.given(...) instead"
        raise InputError(msg)
    vector = np.asarray(coef, dtype=np.float64)
    if vector.shape != (problem.p,):
        msg = f"coef: must have shape ({problem.p},), found {vector.shape}"
        raise InputError(msg)
    shift = float(intercept)
    if not (np.isfinite(vector).all() and math.isfinite(shift)):
        return _failed(problem, vector)
    as_real(shift, "intercept")
    local = _expand(problem, vector, shift)
    if not (np.isfinite(local.rows).all() and np.isfinite(local.gradient).all()):
        return _failed(problem, vector)
    residual, name, floor = _kkt(problem, vector, local)
    if sigma is not None:
        slope = abs(sigma_slope(joint, vector, shift, sigma)) / math.sqrt(2 * problem.n)
        if slope > residual:
            residual, name, floor = slope, "sigma", 64 * _EPS * math.sqrt(problem.n)
    gap, noise = _duality_gap(problem, vector, local)
    gap_tolerance, kkt_tolerance = GAP_TOLERANCE + noise, KKT_TOLERANCE + floor
    return Certificate(
        gap=gap,
        kkt=residual,
        worst=name,
        support=tuple(np.flatnonzero(vector).tolist()),
        unique=_unique(problem, vector, local),
        optimal=bool(gap <= gap_tolerance and residual <= kkt_tolerance),
        gap_tolerance=gap_tolerance,
        kkt_tolerance=kkt_tolerance,
    )


def sigma_slope(problem: Problem, coef: Vector, intercept: float, sigma: float) -> float:
    """Return the derivative of the joint objective with respect to log sigma, in nats.

    ``n − RSS/σ²`` from a Gaussian likelihood, ``k − Σ|β|/(bσ)`` or ``k − Σβ²/(τσ)²`` from the k
    coefficients whose prior scale is a multiple of sigma, minus the slope of sigma's log prior.
    """
    given = problem.given(sigma=sigma)
    slope = problem.n - 2 * given.loss(coef, intercept)
    prior = problem.hyperpriors()["sigma"]
    slope -= prior.slope(sigma) * sigma
    if problem.prior.relative_to == "sigma":
        # The scale of a coefficient is relative exactly where doubling sigma changes its penalty.
        penalty, twice = given.penalty, problem.given(sigma=2 * sigma).penalty
        laplace = twice.l1 < penalty.l1
        normal = twice.l2 < penalty.l2
        slope += float((laplace | normal).sum()) - float(
            penalty.l1[laplace] @ np.abs(coef[laplace])
            + penalty.l2[normal] @ (coef - penalty.loc)[normal] ** 2
        )
    return float(slope)


def _failed(problem: Problem, coef: Vector) -> Certificate:
    bad = np.flatnonzero(~np.isfinite(coef))
    worst = problem.names[bad[0]] if bad.size else "intercept"
    support = tuple(np.flatnonzero(coef).tolist())
    return Certificate(
        gap=math.inf,
        kkt=math.inf,
        worst=worst,
        support=support,
        unique=False,
        optimal=False,
        gap_tolerance=GAP_TOLERANCE,
        kkt_tolerance=KKT_TOLERANCE,
    )


def _expand(problem: Problem, coef: Vector, intercept: float) -> _Local:
    design, likelihood = problem.design, problem.likelihood
    y, w = design.y, design.row_weights
    eta = problem.predictor(coef, intercept)
    rows = likelihood.gradient(eta, y, w)
    curvature = likelihood.curvature(eta, y, w)
    diagonal = np.einsum("ij,ij,i->j", design.X, design.X, curvature) + problem.penalty.l2
    # A column of zeros has no curvature; its only natural unit is the penalty's own slope.
    length = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    length = np.where(
        diagonal > 0, length, np.where(problem.penalty.l1 > 0, problem.penalty.l1, 1.0)
    )
    # First-order rounding error of the gradient: of the sum over rows, and of eta inside it, whose
    # terms may be far larger than their sum (a column at 1e9 against its intercept).
    spread = np.abs(design.X) @ np.abs(coef) + abs(intercept) + np.abs(y)
    rounding = _EPS * (np.abs(design.X).T @ (np.abs(rows) + curvature * spread))
    return _Local(eta, rows, curvature, design.X.T @ rows, length, rounding, spread)


def _kkt(problem: Problem, coef: Vector, local: _Local) -> tuple[float, str, float]:
    distance = problem.penalty.subdifferential_distance(coef, local.gradient) / local.length
    names = list(problem.names)
    floor = local.rounding / local.length
    if problem.design.intercept:
        unit = math.sqrt(local.curvature.sum()) or 1.0
        distance = np.append(distance, abs(local.rows.sum()) / unit)
        rounding = np.abs(local.rows).sum() + local.curvature @ local.spread
        floor = np.append(floor, _EPS * float(rounding) / unit)
        names.append("intercept")
    if not names:
        return 0.0, "", 0.0
    worst = int(np.argmax(distance - 4 * floor))
    return float(distance[worst]), names[worst], 4 * float(floor[worst])


def _duality_gap(problem: Problem, coef: Vector, local: _Local) -> tuple[float, float]:
    """Gap between the primal value and a feasible dual one, and its rounding error."""
    penalty, design = problem.penalty, problem.design
    y, w = design.y, design.row_weights
    dual = _orthogonal_to_free(design.columns(problem.free), local)
    correlation = design.X.T @ dual
    flat = (penalty.l1 == 0) & (penalty.l2 == 0)
    # What is left of the orthogonality is rounding; the flat columns leave the conjugate with it.
    leak = np.where(flat, correlation, 0.0)
    hard = (penalty.l2 == 0) & ~flat
    excess = np.abs(correlation[hard]) / penalty.l1[hard]
    shrink = 1.0 / max(1.0, float(excess.max(initial=0.0)))
    correlation = np.where(flat, 0.0, correlation) * shrink
    rows = problem.likelihood.fenchel_young(local.eta, dual * shrink, y, w)
    gap = rows + penalty.fenchel_young(coef, correlation)
    noise = float(np.abs(leak) @ np.abs(coef)) + 8 * _EPS * float(np.abs(dual) @ local.spread)
    return float(gap), noise


def _orthogonal_to_free(free: Matrix, local: _Local) -> Vector:
    """Project the dual point so that the unpenalised columns see none of it.

    The correction is weighted by the curvature, like a Newton step, which keeps the point inside
    the domain of the conjugate where a row's probability is close to 0 or 1.
    """
    if free.shape[1] == 0:
        return local.rows
    root = np.sqrt(local.curvature)
    basis = root[:, None] * free
    norms = np.sqrt((basis**2).sum(axis=0))
    basis = basis / np.where(norms > 0, norms, 1.0)
    dual = local.rows
    for _ in range(2):  # the second pass removes the rounding of the first
        target = np.divide(dual, root, out=np.zeros_like(dual), where=root > 0)
        step = np.linalg.lstsq(basis, target, rcond=None)[0]
        dual = dual - root * (basis @ step)
    return dual


def _unique(problem: Problem, coef: Vector, local: _Local) -> bool:
    """Prove uniqueness: the columns that may enter an optimum are linearly independent.

    Every optimum has its support where the gradient reaches the penalty's slope (Tibshirani 2013);
    columns with a square in their penalty are strictly convex by themselves.
    """
    penalty = problem.penalty
    slope = np.abs(local.gradient + penalty.smooth_gradient(coef))
    reach = slope >= penalty.l1 * (1 - 1e-9) - 10 * local.rounding
    candidates = np.flatnonzero((reach | (coef != 0)) & (penalty.l2 == 0))
    columns = np.sqrt(local.curvature)[:, None] * problem.design.columns(candidates.tolist())
    k = columns.shape[1]
    norms = np.sqrt((columns**2).sum(axis=0))
    if k == 0:
        return True
    if k > problem.n or (norms == 0).any():
        return False
    return bool(np.linalg.matrix_rank(columns / norms) == k)
