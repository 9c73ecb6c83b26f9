"""find_map: the exact mode, what it is conditional on, and its certificate."""

from __future__ import annotations

import enum
import math
import time
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from scipy.optimize import brentq

from bayesreg._bambi import pymc_model_of
from bayesreg._inputs import (
    as_mapping,
    as_problem,
    check_given,
    in_own_words,
    is_model,
    own_words,
)
from bayesreg._overflow import judged_afterwards
from bayesreg._text_table import apart, not_zero
from bayesreg._validation import as_count, as_flag, as_generator, as_positive, read_only
from bayesreg.certificate import Certificate, certify, sigma_slope
from bayesreg.errors import (
    DegenerateMode,
    InputError,
    NotConverged,
    UnsupportedModel,
    unknown_name,
)
from bayesreg.least_squares import left_over
from bayesreg.likelihoods import Gaussian
from bayesreg.modes import accepts, certified_mode, uncertified
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.solvers import METHODS, Solution, solve

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.model_map import ModelMapEstimate
    from bayesreg.problem import Problem
    from bayesreg.pymc_bridge import ModelReading


#: Searches for a mode; more would take days, and no other would come of them.
MOST_STARTS = 10_000


class Status(enum.Enum):
    """How a search for a mode ended; the values are the messages."""

    OPTIMAL = "certified: the mode"
    NOT_UNIQUE = "certified: a mode; other coefficients may reach the same objective"
    STATIONARY = (
        "certified: stationary, and the best of the starts; the problem is not known to be convex"
    )


@dataclass(frozen=True, eq=False)
class MapEstimate:
    """A mode, on the user's own scale, with its certificate.

    Attributes
    ----------
    problem : Problem
        The problem that it was asked of.
    coef : ndarray, shape (p,)
        Coefficients; zeros are exactly 0.0.
    intercept : float
        Intercept, 0.0 where there is none.
    sigma, scale : float or None
        Values of unknown scales: given, or part of a joint mode.
    objective : float
        Negative log joint density there, in nats, every constant included.
    certificate : Certificate
        Recomputed from (problem, coef) alone.
    status : Status
        How the search ended; ``status.value`` says it in words.
    space : str
        Of which variables this is the mode, on which scale, conditional on what.
    iterations : int
        Newton steps.
    seconds : float
        Time taken.
    point, values : dict of ndarray or None
        For a PyMC model: values of its value variables, for ``model.compile_logp()``, and of the
        free variables themselves, each by its own name.
    """

    problem: Problem = field(repr=False)
    coef: Vector
    intercept: float
    sigma: float | None
    scale: float | None
    objective: float
    certificate: Certificate
    status: Status
    space: str
    iterations: int = field(repr=False)
    seconds: float = field(repr=False)
    point: dict[str, NDArray[np.float64]] | None = field(repr=False)
    values: dict[str, NDArray[np.float64]] | None = field(repr=False)

    @property
    def support(self) -> tuple[str, ...]:
        """Names of the coefficients that are not exactly zero."""
        return tuple(self.problem.names[j] for j in self.certificate.support)

    @property
    def conditional_problem(self) -> Problem:
        """The problem of the coefficients given the values of sigma and scale found here."""
        values = {"sigma": self.sigma, "scale": self.scale}
        return self.problem.given(**{name: values[name] for name in self.problem.unknown})

    def to_frame(self) -> pd.DataFrame:
        """Return one row per coefficient: name, coef, whether it is zero.

        Returns
        -------
        pandas.DataFrame
            Indexed by name, the intercept first where there is one: it is called
            ``intercept (not the column)`` beside a column of its name.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        names, values = list(self.problem.names), self.coef.tolist()
        if self.problem.design.intercept:
            names, values = [apart("intercept", names), *names], [self.intercept, *values]
        frame = pd.DataFrame({"coef": values}, index=pd.Index(names, name="name"))
        frame["zero"] = frame["coef"] == 0.0
        return frame

    @property
    def verdict(self) -> str:
        """What was found, on a few lines, without the coefficients."""
        zeros = int((self.coef == 0).sum())
        local = "" if self.certificate.convex else f"\n  {self.status.value}"
        return (
            f"{self.space}\n"
            f"  objective {self.objective:.10g} nats; {zeros} of {self.coef.size} coefficients "
            f"exactly zero\n  {self.certificate}{local}"
        )

    def __str__(self) -> str:
        """Say what was found, and the first coefficients that are not zero."""
        level = self.intercept if self.problem.design.intercept else None
        table = not_zero(self.problem.names, self.coef.tolist(), level)
        return "\n".join([self.verdict, *table])


@overload
def find_map(
    problem: Problem,
    method: str = ...,
    *,
    tol: float = ...,
    given: Mapping[str, float] | None = ...,
) -> MapEstimate: ...


@overload
def find_map(
    problem: object,
    method: str = ...,
    *,
    tol: float = ...,
    given: Mapping[str, float] | None = ...,
    starts: int = ...,
    seed: object = ...,
    jacobian: bool = ...,
) -> MapEstimate | ModelMapEstimate: ...


def find_map(
    problem: object,
    method: str = "auto",
    *,
    tol: float = 1e-10,
    given: Mapping[str, float] | None = None,
    starts: int = 8,
    seed: object = None,
    jacobian: bool = False,
) -> MapEstimate | ModelMapEstimate:
    """Find the mode of a posterior exactly.

    A PyMC model that is a penalised regression is read as a `Problem` and solved as one, with a
    global certificate. Any other model with continuous variables is solved from several starts, see
    `bayesreg.model_map.find_model_map`.

    Parameters
    ----------
    problem : Problem or pymc.Model
        What to find the mode of.
    method : {"auto", "active_set", "working_set", "homotopy", "stationary", "manifold"}
        The solver; "auto" takes what suits the penalty and the size of the problem. Whatever is
        taken, the answer is certified by the same code.
    tol : float
        Largest duality gap to accept, in nats, relative to the objective where that exceeds 1.
    given : mapping, optional
        Values of unknown ``"sigma"`` or ``"scale"`` to condition on; for a PyMC model, its own
        names of them will do. Without one, an unknown sigma gives the joint mode where that exists.
    starts, seed : int; None, int or Generator
        Of a PyMC model that is no penalised regression: how many searches, and their chance.
    jacobian : bool
        Of a PyMC model: True asks for the mode of the density of its unconstrained value variables
        (log sigma for sigma), False for that of the variables themselves.

    Returns
    -------
    MapEstimate or ModelMapEstimate
        Coefficients, certificate, and `space`: of which density this is the mode. The latter for a
        PyMC model that is no penalised regression.

    Raises
    ------
    InputError
        If an argument does not fit.
    ImproperPosterior
        If flat priors leave no finite mode.
    DegenerateMode
        If the joint density is unbounded: condition on a value instead.
    NotConverged
        If the answer cannot be certified to `tol`.
    UnsupportedModel
        If a PyMC model has discrete variables, or kinks that are not those of a Laplace prior.

    Notes
    -----
    Minimises ``loss(β₀ + Xβ) + penalty(β)``; with an unknown sigma, the minimum over the
    coefficients is taken at each sigma and the outer one-dimensional problem is solved by root
    finding, from every bracket of a grid. With scales relative to sigma that problem is convex in
    1/sigma (Park & Casella 2008), so the joint mode is the only one.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem, find_map
    >>> fit = find_map(Problem([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5], likelihood=Gaussian(1.0),
    ...                        prior=Laplace(1.0), intercept=False))
    >>> fit.coef, fit.support
    (array([2., 0.]), ('x0',))
    """
    start, problem = time.perf_counter(), pymc_model_of(problem)
    if not (isinstance(method, str) and method in METHODS):
        raise unknown_name("method", method, METHODS)
    as_positive(tol, "tol")
    as_count(starts, "starts", maximum=MOST_STARTS)
    as_generator(seed)
    as_flag(jacobian, "jacobian")
    general = partial(
        _general,
        problem,
        starts=starts,
        seed=seed,
        jacobian=jacobian,
        tol=tol,
        given=as_mapping(given),
    )
    try:
        asked, reading = as_problem(problem)
    except UnsupportedModel as error:
        return general(error)
    if jacobian and asked.unknown:
        return general(None)
    values = check_given(given, reading)
    if reading is not None and not values and _is_robust(asked):
        return general(UnsupportedModel("sigma", f"is unknown, {_MANY_MODES}"))
    with own_words(reading):
        return _conditional_map(asked, reading, values, method, tol, start)


@judged_afterwards()
def _conditional_map(
    asked: Problem,
    reading: ModelReading | None,
    values: dict[str, float],
    method: str,
    tol: float,
    start: float,
) -> MapEstimate:
    """Find the mode of a problem given values of what is unknown, or jointly with sigma."""
    conditional = asked.given(**values)
    conditional.require_proper()
    if "scale" in conditional.unknown:
        raise DegenerateMode(_SCALE_COLLAPSES)
    if "sigma" in conditional.unknown:
        solution, values["sigma"] = _joint_mode(conditional, method)
        certificate = certify(conditional, solution.coef, solution.intercept, sigma=values["sigma"])
    else:
        solution, certificate = certified_mode(conditional, method=method, tol=tol)
    sigma, scale = values.get("sigma"), values.get("scale")
    if "sigma" in conditional.unknown and not accepts(certificate, tol):
        raise uncertified(certificate)
    objective, at = certificate.objective, (solution.coef, solution.intercept, sigma, scale)
    if asked.unknown:  # the densities of the scales belong to it too
        objective = asked.objective(solution.coef, solution.intercept, sigma=sigma, scale=scale)
    return MapEstimate(
        problem=asked,
        coef=read_only(solution.coef),
        intercept=solution.intercept,
        sigma=sigma,
        scale=scale,
        objective=objective,
        certificate=certificate,
        status=_status(certificate),
        space=in_own_words(_space(asked, conditional, values), reading),
        iterations=solution.iterations,
        seconds=time.perf_counter() - start,
        point=None if reading is None else reading.point(*at),
        values=None if reading is None else reading.values(*at),
    )


def _general(
    model: object, error: UnsupportedModel | None, *, given: Mapping[str, float], **options: Any
) -> ModelMapEstimate:
    """Search the mode of a PyMC model that is no penalised regression, or that has a Jacobian."""
    if not is_model(model):
        msg = "jacobian: is for PyMC models; a Problem with unknown scales has no value variables"
        raise InputError(msg)
    if given:
        msg = (
            f"given: values can be given to a penalised regression only (this model is none: "
            f"{error}); put {next(iter(given))!r} into the model as a number"
            if error is not None
            else "given: leaves no Jacobian to include; drop jacobian=True"
        )
        raise InputError(msg)
    reason = "the mode with Jacobian was asked for" if error is None else str(error)
    estimate: ModelMapEstimate = import_module("bayesreg.model_map").find_model_map(
        model, why_not_glm=reason, **options
    )
    return estimate


def _status(certificate: Certificate) -> Status:
    if not certificate.convex:
        return Status.STATIONARY
    return Status.OPTIMAL if certificate.unique else Status.NOT_UNIQUE


_SCALE_COLLAPSES = (
    "scale: is unknown, and the joint density of coefficients and scale is unbounded: at the "
    "prior's centre it grows like scale^(-p) as the scale goes to 0, so a joint mode does not "
    'exist. Condition on a value, e.g. find_map(..., given={"scale": 1.0}), say the posterior '
    "median of the scale"
)


def _space(asked: Problem, conditional: Problem, values: Mapping[str, float]) -> str:
    """Say of which density this is the mode."""
    variables = (["beta"] if asked.p else []) + (["intercept"] if asked.design.intercept else [])
    fixed = [name for name in asked.unknown if name not in conditional.unknown]
    given = "".join(f", {name} = {values[name]:.6g}" for name in fixed)
    if conditional.unknown:
        square = conditional.hyperpriors()["sigma"].of_square
        measure = "sigma^2" if square else "sigma"
        names = ", ".join([*variables, measure])
        return (
            f"joint mode of p({names} | y{given}), a density with respect to {measure}, "
            f"at sigma = {values['sigma']:.6g}"
        )
    kind = "conditional mode" if fixed else "mode"
    return f"{kind} of p({', '.join(variables)} | y{given})"


# --------------------------------------------------------------------------- unknown sigma


def _joint_mode(problem: Problem, method: str) -> tuple[Solution, float]:
    """Minimise over sigma the minimum over the coefficients; return the coefficients and sigma."""
    _require_profile(problem)
    profile = _Profile(problem, method)
    low, high = _bracket(profile, *_residual_sds(problem))
    grid = np.linspace(low, high, max(9, min(97, int(16 * (high - low)))))
    slopes = [profile.slope(float(t)) for t in grid]
    candidates = [
        brentq(profile.slope, float(grid[k]), float(grid[k + 1]), xtol=1e-15, rtol=1e-15)
        for k in range(grid.size - 1)
        if slopes[k] < 0 <= slopes[k + 1]
    ]
    if not candidates:
        msg = (
            "sigma: the joint density has no stationary sigma that double precision can tell from "
            "0 or infinity; give one, e.g. find_map(..., given={'sigma': 1.0})"
        )
        raise NotConverged(msg)
    best = min(candidates, key=profile.value)
    return profile.solution(best), math.exp(best)


_MANY_MODES = "and under Student-t noise its joint density with coefficients may have many modes"


def _is_robust(problem: Problem) -> bool:
    """Whether sigma is unknown and noise has long tails."""
    return "sigma" in problem.unknown and not isinstance(problem.likelihood, Gaussian)


def _require_profile(problem: Problem) -> None:
    """Refuse noise, and priors, whose normaliser or slope in sigma is not the simple one."""
    penalty = problem.given_ones().penalty
    simple = isinstance(penalty, ElasticNetPenalty)
    if isinstance(penalty, ElasticNetPenalty):
        moved = (penalty.loc != 0) & (penalty.l2 > 0)
        simple = not (moved & penalty.nonnegative & problem.relative).any()
    if simple and not _is_robust(problem):
        return
    why = f"and with a {problem.prior.name} prior there is no joint mode yet"
    msg = (
        f"sigma: is unknown, {_MANY_MODES if _is_robust(problem) else why}; condition on a value, "
        'e.g. find_map(..., given={"sigma": 1.0})'
    )
    raise InputError(msg)


class _Profile:
    """The joint objective minimised over the coefficients, as a function of log sigma.

    By the envelope theorem its slope is the partial derivative in log sigma at the minimiser. Every
    value is computed from scratch: a start from a neighbour would make the slope depend, in its
    last digits, on the order of the calls, and root finding needs a function.
    """

    def __init__(self, problem: Problem, method: str) -> None:
        self.problem, self.method = problem, method

    def solution(self, log_sigma: float) -> Solution:
        return solve(self.problem.given(sigma=math.exp(log_sigma)), method=self.method)

    def slope(self, log_sigma: float) -> float:
        s = self.solution(log_sigma)
        return sigma_slope(self.problem, s.coef, s.intercept, math.exp(log_sigma))

    def value(self, log_sigma: float) -> float:
        s = self.solution(log_sigma)
        return self.problem.objective(s.coef, s.intercept, sigma=math.exp(log_sigma))


def _bracket(profile: _Profile, best: float, null: float) -> tuple[float, float]:
    """Widen from the residual sds of the best and the null fit until the slope changes its sign.

    Returns logarithms. Further out there is nothing: to the left RSS/σ² outgrows every other term
    of the slope, and to the right n does.
    """
    low, high, step, limit = math.log(best / 2), math.log(2 * null), math.log(4), 300.0
    while profile.slope(low) >= 0 and low > -limit:
        low -= step
    while profile.slope(high) < 0 and high < limit:
        high += step
    return low, high


def _residual_sds(problem: Problem) -> tuple[float, float]:
    """Residual sd of the best fit and of the unpenalised one, or a refusal: no mode exists.

    Unless the prior of sigma vanishes fast at 0, ``n log σ`` takes the objective to −∞ wherever y
    is fitted perfectly at a penalty that stays finite. A penalty relative to sigma grows like 1/σ,
    so it stays finite only at its own centre: those columns cannot help the fit.
    """
    d, prior = problem.design, problem.hyperpriors()["sigma"]
    root, relative = np.sqrt(d.row_weights), problem.relative
    penalty = problem.given_ones().elastic_net
    centre, bound = penalty.loc * relative, penalty.nonnegative
    target = (d.y - d.linear_predictor(centre)) * root
    free = np.asarray(problem.free, dtype=np.intp)
    unpenalised = left_over(d, free, target)
    # Convex in 1/σ where all scales follow sigma: its one mode is found from anywhere, and far
    # below it, where nothing is penalised, solutions are full and expensive.
    convex = relative.sum() + free.size == d.p
    finite = unpenalised if convex else left_over(d, np.flatnonzero(~relative), target, bound)
    best = unpenalised if convex else left_over(d, np.arange(d.p), target, bound)
    rounding = 1e-14 * float(np.linalg.norm(target))
    if finite <= 1e-10 * unpenalised + rounding and not prior.of_square:
        msg = (
            "sigma: the columns fit y perfectly, so the joint density of coefficients and sigma is "
            "unbounded as sigma goes to 0 and a joint mode does not exist. Condition on a value, "
            'e.g. find_map(..., given={"sigma": 1.0}), or use an InverseGamma prior, which '
            "excludes sigma = 0"
        )
        raise DegenerateMode(msg)
    count = math.sqrt(problem.n)
    null = max(unpenalised, rounding, 1e-100) / count
    return max(best / count, 1e-3 * null), null


__all__ = ["MapEstimate", "Status", "find_map"]
