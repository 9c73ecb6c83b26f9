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
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg.errors import ImproperPosterior, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayesreg._validation import Matrix, Vector
    from bayesreg.penalties import ElasticNetPenalty
    from bayesreg.problem import Problem

# A gap of 1e-9 nats changes no statement about a posterior; KKT residuals scale as its square root.
GAP_TOLERANCE = 1e-9
KKT_TOLERANCE = 1e-6
# Where rounding alone may be worth more nats than this (or than 1e-9 of the loss), nothing is
# certified: centre the columns.
COARSEST = 1e-3
_EPS = float(np.finfo(np.float64).eps)
# Rounding error worth fewer nats than this is not worth a weaker bound.
_NEGLIGIBLE = 1e-13


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
    """A problem at one point: derivatives per row and per coefficient, and their rounding errors.

    Beside an intercept the columns are centred: with it stationary, a coefficient is stationary on
    a centred column exactly where it is on the column itself, and a column at 1e9 keeps its digits.

    Attributes
    ----------
    columns : ndarray, shape (n, p)
        The columns, centred beside an intercept.
    eta, y : ndarray, shape (n,)
        Predictor and target, both without the level where only their difference matters.
    rows, curvature : ndarray, shape (n,)
        First and second derivative of the loss by row.
    gradient, length, rounding : ndarray, shape (p,)
        Gradient of the loss, unit of each KKT residual, and rounding error of the gradient.
    spread : ndarray, shape (n,)
        Size of the terms that eta and y are sums of.
    shift : float
        Rounding error of the level, common to all rows.
    """

    columns: Matrix
    eta: Vector
    y: Vector
    rows: Vector
    curvature: Vector
    gradient: Vector
    length: Vector
    rounding: Vector
    spread: Vector
    shift: float

    def free_columns(self, positions: Sequence[int], *, intercept: bool) -> Matrix:
        """Return the intercept's column, if there is one, and those at `positions`."""
        chosen = self.columns[:, list(positions)]
        return np.column_stack([np.ones(self.eta.size), chosen]) if intercept else chosen


def certify(
    problem: object, coef: object, intercept: float = 0.0, *, sigma: float | None = None
) -> Certificate:
    """Certify anyone's coefficients against a problem.

    Parameters
    ----------
    problem : Problem or pymc.Model
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
        If `coef` or `intercept` is not made of numbers or does not fit the problem, or a scale is
        unknown.

    Notes
    -----
    The gap is P(β) − D(u) for the Fenchel dual ``D(u) = −Σ fᵢ*(uᵢ) − g*(−X'u)``, at the better of
    two dual points: the gradient of the loss, moved orthogonally to the unpenalised columns, and
    the same moved to meet the stationarity conditions of the support. Each is shrunk until it is
    feasible.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> p = Problem([[1.0]], [3.0], likelihood=Gaussian(1.0), prior=Laplace(1.0), intercept=False)
    >>> certify(p, [2.0]).optimal, certify(p, [2.1]).optimal
    (True, False)
    """
    asked, _ = as_problem(problem)
    conditional = asked if sigma is None else asked.given(sigma=sigma)
    if conditional.unknown:
        msg = f"problem: {conditional.unknown[0]} is unknown; certify problem.given(...) instead"
        raise InputError(msg)
    vector, shift = conditional.check_answer(coef, intercept)
    if not (np.isfinite(vector).all() and math.isfinite(shift)):
        return _failed(conditional, vector)
    # Coefficients may be absurd: what overflows is judged as infinitely far, without a warning.
    with np.errstate(over="ignore", invalid="ignore"):
        local = _expand(conditional, vector, shift)
        if not all(np.isfinite(v).all() for v in (local.rows, local.gradient, local.rounding)):
            return _failed(conditional, vector)
        residual, name, floor = _kkt(conditional, vector, local)
        gap, noise = _duality_gap(conditional, vector, local)
        coarsest = COARSEST * max(1.0, 1e-6 * abs(conditional.loss(vector, shift)))
    if sigma is not None:
        # The curvature in log sigma is of the order of the terms that cancel in the slope.
        terms = _sigma_terms(asked, vector, shift, sigma)
        size = sum(abs(term) for term in terms)
        slope = abs(sum(terms)) / math.sqrt(size)
        if slope > residual:
            residual, name, floor = slope, "sigma", 64 * _EPS * math.sqrt(size)
    gap_tolerance, kkt_tolerance = GAP_TOLERANCE + noise, KKT_TOLERANCE + floor
    optimal = gap <= gap_tolerance <= coarsest and residual <= kkt_tolerance
    if optimal and _rises_for_ever(conditional):
        return _failed(conditional, vector)
    return Certificate(
        gap=gap,
        kkt=residual,
        worst=name,
        support=tuple(np.flatnonzero(vector).tolist()),
        unique=_unique(conditional, vector, local),
        optimal=bool(optimal),
        gap_tolerance=gap_tolerance,
        kkt_tolerance=kkt_tolerance,
    )


def _rises_for_ever(problem: Problem) -> bool:
    """Whether the likelihood has no maximum along unpenalised columns: then nothing is a mode.

    Columns that only depend on each other leave modes that are not unique, which is another matter.
    """
    if problem.likelihood.name == "gaussian":
        return False
    try:
        problem.require_proper()
    except ImproperPosterior:
        return True
    return False


def sigma_slope(problem: Problem, coef: Vector, intercept: float, sigma: float) -> float:
    """Return the derivative of the joint objective with respect to log sigma, in nats.

    ``n − RSS/σ²`` from a Gaussian likelihood, ``k − Σ|β|/(bσ)`` or ``k − Σβ²/(τσ)²`` from the k
    coefficients whose prior scale is a multiple of sigma, minus the slope of sigma's log prior.
    """
    return sum(_sigma_terms(problem, coef, intercept, sigma))


def _sigma_terms(
    problem: Problem, coef: Vector, intercept: float, sigma: float
) -> tuple[float, ...]:
    given, relative = problem.given(sigma=sigma), problem.relative
    penalty = given.elastic_net
    absolute = penalty.l1 * np.abs(coef)
    square = penalty.l2 * (coef - penalty.loc) ** 2
    return (
        float(problem.n + relative.sum()),
        -2 * given.loss(coef, intercept),
        -problem.hyperpriors()["sigma"].slope(sigma) * sigma,
        -float((absolute + square)[relative].sum()),
    )


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
    w = design.row_weights
    mean = design.X.mean(axis=0) if design.intercept else np.zeros(design.p)
    columns = design.X - mean
    offset = np.zeros(design.n) if design.offset is None else design.offset
    level = intercept + float(mean @ coef)
    y, eta = design.y, columns @ coef
    if likelihood.name == "gaussian":
        y = (y - offset) - level
    else:
        eta = eta + offset + level
    rows, curvature = likelihood.gradient(eta, y, w), likelihood.curvature(eta, y, w)
    diagonal = np.einsum("ij,ij,i->j", columns, columns, curvature) + problem.elastic_net.l2
    # A column of zeros has no curvature; its only natural unit is the penalty's own slope.
    slope = np.where(problem.elastic_net.l1 > 0, problem.elastic_net.l1, 1.0)
    length = np.where(diagonal > 0, np.sqrt(np.where(diagonal > 0, diagonal, 1.0)), slope)
    # First-order rounding error of the gradient: of the sum over rows, and of eta inside it.
    spread = np.abs(columns) @ np.abs(coef) + np.abs(y) + np.abs(eta)
    shift = _EPS * (abs(intercept) + float(np.abs(mean) @ np.abs(coef)))
    rounding = _EPS * (np.abs(columns).T @ (np.abs(rows) + curvature * spread))
    rounding += shift * np.abs(columns.T @ curvature)
    gradient = columns.T @ rows
    return _Local(columns, eta, y, rows, curvature, gradient, length, rounding, spread, shift)


def _kkt(problem: Problem, coef: Vector, local: _Local) -> tuple[float, str, float]:
    distance = problem.elastic_net.subdifferential_distance(coef, local.gradient) / local.length
    names = list(problem.names)
    floor = local.rounding / local.length
    if problem.design.intercept:
        unit = math.sqrt(local.curvature.sum()) or 1.0
        distance = np.append(distance, abs(local.rows.sum()) / unit)
        rounding = _EPS * (np.abs(local.rows).sum() + local.curvature @ local.spread)
        rounding += local.shift * local.curvature.sum()
        floor = np.append(floor, float(rounding) / unit)
        names.append("intercept")
    if not names:
        return 0.0, "", 0.0
    worst = int(np.argmax(distance - 4 * floor))
    return float(distance[worst]), names[worst], 4 * float(floor[worst])


def _duality_gap(problem: Problem, coef: Vector, local: _Local) -> tuple[float, float]:
    """Return the smaller of two gaps, with its rounding error.

    Any dual point gives a bound. The gradient of the loss, made orthogonal to the unpenalised
    columns, is the usual one; its gap falls with the KKT residual. Making it meet the stationarity
    conditions of the whole support, a Newton step in the dual, gives a gap that falls with the
    square of the residual, where the signs of the support are right.
    """
    design = problem.design
    with np.errstate(over="ignore", invalid="ignore"):
        weakness = 16 * _EPS * (np.abs(local.columns).T @ np.abs(local.rows))
    penalty, dropped = _without_weak_squares(problem.elastic_net, coef, weakness)
    flat = penalty.flat
    slope = penalty.smooth_gradient(coef) + penalty.l1 * np.sign(coef)
    gaps = []
    for chosen in (flat, flat | (coef != 0)):
        positions = np.flatnonzero(chosen)
        columns = local.free_columns(positions.tolist(), intercept=design.intercept)
        target = np.append(np.zeros(columns.shape[1] - positions.size), -slope[positions])
        dual = _meeting(columns, target, local)
        gap, noise = _gap_of(problem, penalty, coef, local, dual)
        known = math.isfinite(gap) and math.isfinite(noise)
        gaps.append((gap + dropped, noise) if known else (math.inf, 0.0))
    return min(gaps)


def _gap_of(
    problem: Problem, penalty: ElasticNetPenalty, coef: Vector, local: _Local, dual: Vector
) -> tuple[float, float]:
    """Gap between the primal value and that of a dual point once feasible; its rounding error.

    A correlation ``X_j'u`` is known up to the rounding error of its sum, so an excess over the
    penalty's slope within that error is none; what it could be worth is counted as rounding error.
    """
    y, w = local.y, problem.design.row_weights
    flat = penalty.flat
    hard, strong = (penalty.l2 == 0) & ~flat, penalty.l2 > 0
    correlation = local.columns.T @ dual
    error = 16 * _EPS * (np.abs(local.columns).T @ np.abs(dual))
    leak = np.where(flat, correlation, 0.0)
    if (np.abs(leak) > 64 * error + local.rounding).any():
        return math.inf, 0.0  # it sees an unpenalised column, so it bounds nothing
    excess = np.maximum(np.abs(correlation[hard]) - error[hard], 0.0) / penalty.l1[hard]
    shrink = 1.0 / max(1.0, float(excess.max(initial=0.0)))
    correlation = np.where(flat, 0.0, correlation) * shrink
    correlation[hard] = np.clip(correlation[hard], -penalty.l1[hard], penalty.l1[hard])
    rows = problem.likelihood.fenchel_young(local.eta, dual * shrink, y, w)
    gap = rows + penalty.fenchel_young(coef, correlation)
    noise = (np.abs(leak) + np.where(hard, error, 0.0)) @ np.abs(coef)
    noise += 0.5 * float((error[strong] ** 2 / penalty.l2[strong]).sum())
    # Errors of eta enter the rows' share multiplied by how far the dual is from the gradient.
    wrong = 8 * _EPS * local.spread
    noise += float(np.abs(local.rows - dual * shrink) @ wrong)
    noise += 0.5 * float(local.curvature @ (wrong**2 + np.square(local.shift)))
    return float(gap), float(noise)


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
    return replace(penalty, l2=np.where(weak, 0.0, penalty.l2)), float(square[weak].sum())


def _meeting(columns: Matrix, target: Vector, local: _Local) -> Vector:
    """Move the gradient of the rows until its correlations with some columns are the target.

    The correction is weighted by the curvature, like a Newton step, which keeps the point inside
    the domain of the conjugate where a row's probability is close to 0 or 1.
    """
    if columns.shape[1] == 0:
        return local.rows
    root = np.sqrt(local.curvature)
    basis = root[:, None] * columns
    norms = np.sqrt((basis**2).sum(axis=0))
    norms = np.where(norms > 0, norms, 1.0)
    dual = local.rows
    for _ in range(2):  # the second pass removes the rounding of the first
        rest = (columns.T @ dual - target) / norms
        dual = dual - root * np.linalg.lstsq((basis / norms).T, rest, rcond=None)[0]
    return dual


def _unique(problem: Problem, coef: Vector, local: _Local) -> bool:
    """Prove uniqueness: the columns that may enter an optimum are linearly independent.

    Every optimum has its support where the gradient reaches the penalty's slope (Tibshirani 2013);
    columns with a square in their penalty are strictly convex by themselves.
    """
    penalty = problem.elastic_net
    slope = np.abs(local.gradient + penalty.smooth_gradient(coef))
    reach = slope >= penalty.l1 * (1 - 1e-9) - 10 * local.rounding
    candidates = np.flatnonzero((reach | (coef != 0)) & (penalty.l2 == 0))
    chosen = local.free_columns(candidates.tolist(), intercept=problem.design.intercept)
    columns = np.sqrt(local.curvature)[:, None] * chosen
    k = columns.shape[1]
    norms = np.sqrt((columns**2).sum(axis=0))
    if k == 0:
        return True
    if k > problem.n or (norms == 0).any():
        return False
    return bool(np.linalg.matrix_rank(columns / norms) == k)
