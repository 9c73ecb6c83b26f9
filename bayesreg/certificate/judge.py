"""Certify one answer, or many on the same data."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg._threads import blas_threads
from bayesreg._validation import as_float_array
from bayesreg.certificate.copies import Optimum, exchanges
from bayesreg.certificate.duality import duality_gap
from bayesreg.certificate.expansion import Frame, Local, expand, multipliers
from bayesreg.certificate.second_order import is_minimum
from bayesreg.certificate.sigma import sigma_residual
from bayesreg.certificate.uniqueness import candidates, proved_unique
from bayesreg.certificate.verdict import (
    COARSEST,
    GAP_TOLERANCE,
    KKT_TOLERANCE,
    Certificate,
    failed,
)
from bayesreg.errors import ImproperPosterior, InputError
from bayesreg.penalties import SeparablePenalty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

# Numbers per row and column that are looked at in one go.
_CHUNK = 500_000


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
        Gap, KKT residual, support, multipliers, uniqueness and the verdict.

    Raises
    ------
    InputError
        If `coef` or `intercept` is not made of numbers or does not fit the problem, or a scale is
        unknown.

    Notes
    -----
    The gap is P(β) − D(u) for the Fenchel dual ``D(u) = −Σ fᵢ*(uᵢ) − g*(−X'u)``, at the better of
    two dual points: the gradient of the loss, moved orthogonally to the unpenalised columns, and
    the same moved to meet the stationarity conditions of the support (under an elastic net, and
    only where the first leaves anything to gain). Each is shrunk until it is feasible.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> p = Problem([[1.0]], [3.0], likelihood=Gaussian(1.0), prior=Laplace(1.0), intercept=False)
    >>> certify(p, [2.0]).optimal, certify(p, [2.1]).optimal
    (True, False)
    """
    asked, _ = as_problem(problem)
    conditional = asked if sigma is None else asked.given(sigma=sigma)
    _require_known(conditional)
    vector, level = conditional.check_answer(coef, intercept)
    extra = None if sigma is None else (asked, sigma)
    with blas_threads(conditional.design.entries):
        (verdict,) = _certify([conditional], vector[None, :], np.array([level]), extra)
    return verdict


def certify_path(
    problems: Sequence[Problem], coefs: object, intercepts: object = 0.0
) -> tuple[Certificate, ...]:
    """Certify answers to many problems that share data and differ in prior or noise sd.

    The same verdicts as from `certify` one by one, without the multipliers, in a fraction of the
    time: products with X are taken for all answers at once, and one proof of uniqueness often does
    for many.

    Parameters
    ----------
    problems : sequence of Problem
        With one `Design` object between them, as `Problem.with_prior` leaves it.
    coefs : array_like, shape (len(problems), p)
        Coefficients on the user's own scale, one row per problem.
    intercepts : array_like, shape (len(problems),), or float
        The intercepts that go with them.

    Returns
    -------
    tuple of Certificate
        One per problem.

    Raises
    ------
    InputError
        If something does not fit, or the problems do not share their data.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> p = Problem([[1.0]], [3.0], likelihood=Gaussian(1.0), prior=Laplace(1.0), intercept=False)
    >>> [c.optimal for c in certify_path([p, p.with_prior(Laplace(0.5))], [[2.0], [1.0]])]
    [True, True]
    """
    if not problems:
        return ()
    first = problems[0]
    for problem in problems:
        _require_known(problem)
        same = problem.design is first.design or problem.design == first.design
        if not (same and problem.likelihood.name == first.likelihood.name):
            msg = "problems: must share their data and likelihood; use problem.with_prior(...)"
            raise InputError(msg)
    matrix = as_float_array(coefs, "coefs")
    if matrix.shape != (len(problems), first.p):
        msg = f"coefs: must have shape ({len(problems)}, {first.p}), found {matrix.shape}"
        raise InputError(msg)
    given = as_float_array(intercepts, "intercepts")
    if given.shape not in ((), (len(problems),)):
        msg = f"intercepts: must be a number or {len(problems)} of them, found {given.shape}"
        raise InputError(msg)
    levels = np.broadcast_to(given, (len(problems),))
    if levels.any() and not first.design.intercept:
        msg = "intercepts: these problems have none, so they must be 0"
        raise InputError(msg)
    step = max(1, _CHUNK // (first.design.n + first.p))
    found: list[Certificate] = []
    for start in range(0, len(problems), step):
        part = slice(start, start + step)
        found += _certify(problems[part], matrix[part], levels[part], None, along_path=True)
    return tuple(found)


def _require_known(problem: Problem) -> None:
    if problem.unknown:
        msg = f"problem: {problem.unknown[0]} is unknown; certify problem.given(...) instead"
        raise InputError(msg)


def _certify(
    problems: Sequence[Problem],
    coefs: Matrix,
    levels: Vector,
    joint: tuple[Problem, float] | None,
    *,
    along_path: bool = False,
) -> list[Certificate]:
    """Judge answers to problems on the same data; `joint` adds the condition on sigma."""
    usable = np.isfinite(coefs).all(axis=1) & np.isfinite(levels)
    verdicts = [failed(q, coef) for q, coef in zip(problems, coefs, strict=True)]
    good = np.flatnonzero(usable)
    if good.size == 0:
        return verdicts
    rises = _Rises()
    # Coefficients may be absurd: what overflows is judged as infinitely far, without a warning.
    with np.errstate(all="ignore"):
        sets: dict[int, NDArray[np.intp]] = {}
        large: dict[int, NDArray[np.bool_]] = {}
        chosen = [problems[k] for k in good.tolist()]
        found = expand(Frame.of(problems[0]), chosen, coefs[good], levels[good])
        for k, local in zip(good.tolist(), found, strict=True):
            if not local.finite:
                continue
            verdict = _judge(local, float(levels[k]), joint, along_path=along_path)
            if not (verdict.optimal and rises(problems[k])):
                verdicts[k], sets[k] = verdict, candidates(local)
                large[k] = local.unit * np.abs(local.coef) > verdict.kkt_tolerance
    proofs = proved_unique(problems[0].design, list(sets.values())) if sets else []
    for k, unique in zip(sets, proofs, strict=True):
        verdicts[k] = replace(verdicts[k], unique=unique and verdicts[k].convex)
    left = [k for k in sets if verdicts[k].optimal and not verdicts[k].unique]
    optima = [Optimum(problems[k].penalty, coefs[k], large[k], sets[k]) for k in left]
    names = problems[0].names
    for k, pair in zip(left, exchanges(problems[0].design, optima), strict=True):
        if pair is not None:
            verdicts[k] = replace(verdicts[k], copies=(names[pair[0]], names[pair[1]]))
    return verdicts


def _judge(
    local: Local,
    level: float,
    joint: tuple[Problem, float] | None,
    *,
    along_path: bool,
) -> Certificate:
    """Say everything but whether the optimum is the only one."""
    penalty, convex = local.problem.penalty, local.problem.convex
    residual, name, floor = local.kkt()
    gap, noise = duality_gap(local) if convex else (math.inf, 0.0)
    if joint is not None:
        asked, sigma = joint
        slope, error = sigma_residual(asked, local.coef, level, sigma)
        if slope > residual:
            residual, name, floor = slope, "sigma", error
    gap_tolerance, kkt_tolerance = GAP_TOLERANCE + noise, KKT_TOLERANCE + floor
    coarsest = COARSEST * max(1.0, 1e-6 * abs(local.loss()))
    stationary = residual <= kkt_tolerance
    optimal = bool(convex and stationary and gap <= gap_tolerance <= coarsest)
    return Certificate(
        gap=gap,
        kkt=residual,
        worst=name,
        support=tuple(np.flatnonzero(local.coef).tolist()),
        unique=False,
        optimal=optimal,
        convex=convex,
        stationary=bool(stationary),
        gap_tolerance=gap_tolerance,
        kkt_tolerance=kkt_tolerance,
        multipliers=None if along_path else multipliers(local),
        cusp=isinstance(penalty, SeparablePenalty) and bool(np.isinf(penalty.kink).any()),
        objective=local.objective(),
        minimum=joint is None and (optimal if convex else bool(stationary) and is_minimum(local)),
        joint=joint is not None,
    )


class _Rises:
    """Whether the likelihood has no maximum along unpenalised columns: then nothing is a mode.

    Columns that only depend on each other leave modes that are not unique, which is another matter.
    Problems on the same data differ at most in which columns those are.
    """

    def __init__(self) -> None:
        self.known: dict[bytes, bool] = {}

    def __call__(self, problem: Problem) -> bool:
        if problem.likelihood.name == "gaussian":
            return False
        penalty = problem.penalty
        unpenalised = np.packbits([penalty.flat, penalty.half_flat]).tobytes()
        if unpenalised not in self.known:
            try:
                problem.require_proper()
            except ImproperPosterior:
                self.known[unpenalised] = True
            else:
                self.known[unpenalised] = False
        return self.known[unpenalised]
