r"""The Laplace approximation: a normal with the mode of the posterior and the curvature there.

With the mode θ̂ of k unknowns and H minus the second derivative of the log posterior at θ̂ it is
``N(θ̂, H⁻¹)``, and ``log p(y) ≈ log p(y, θ̂) + (k/2) log 2π − ½ log det H`` (Tierney & Kadane 1986).

At a kink of the penalty there is no H: a coefficient that the mode sets to exactly 0, ties to
another, or holds at a bound. Then the approximation is not that of the posterior, and says so: the
coefficients at kinks are held where they are, which gives them no spread at all, and the others
have the spread that they would have if that were known.

An unknown sigma is taken together with the coefficients, on the scale of its logarithm, where the
posterior is nearer to a normal and has its mode where no density of sigma has. An unknown scale is
not: with it the joint density is unbounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import linalg, special
from scipy.optimize import minimize_scalar

from bayesreg._inputs import as_problem, check_given, own_words
from bayesreg._overflow import judged_afterwards
from bayesreg._text_table import MOST_ROWS, apart, as_table
from bayesreg.errors import BayesregError, DegenerateMode, NoClosedForm, NotConverged
from bayesreg.map import find_map
from bayesreg.penalties import SeparablePenalty, pieces
from bayesreg.posterior.base import Draws, Sampler, independent
from bayesreg.posterior.density import log_jacobian

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg._validation import Matrix, Vector
    from bayesreg.map import MapEstimate
    from bayesreg.posterior.base import Settings
    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem

# Within this many standard deviations a kink is in the middle of the approximation.
_NEAR = 2.0
# Steps of differences in log sigma: of a gradient, and of a value.
_STEP, _SECOND_STEP = 1e-5, 1e-3


@dataclass(frozen=True, eq=False)
class LaplaceApproximation:
    """A normal approximation of a posterior, on the user's scale.

    Attributes
    ----------
    problem : Problem
        The problem that it approximates, unknown values that were given set to numbers.
    names : tuple of str
        Names of the k unknowns: coefficients, then ``intercept`` and ``log_sigma`` where there are.
    mean : ndarray, shape (p,)
        The coefficients of the mode.
    intercept : float or None
        The intercept of the mode; None without one.
    sigma : float or None
        The noise sd at the mode, where it is unknown: the mode of its logarithm.
    sd : ndarray, shape (p,)
        Standard deviations of the coefficients; 0 for those held at a kink.
    intercept_sd : float or None
        Standard deviation of the intercept.
    log_sigma_sd : float or None
        Standard deviation of log sigma, where it is unknown.
    covariance : ndarray, shape (k, k)
        Covariance of all unknowns together.
    log_marginal_likelihood : float or None
        Approximation of ``log p(y)``, in nats. None where there is none: at a kink, and where the
        intercept or a coefficient has a flat prior, whose constant is arbitrary.
    kinked : tuple of str
        Names of the coefficients at a kink.
    valid : bool
        Whether the second derivative exists and is positive definite.
    reason : str
        Why not, in words; for a valid one, what to be careful about, or nothing.
    """

    problem: Problem = field(repr=False)
    names: tuple[str, ...]
    mean: Vector
    intercept: float | None
    sigma: float | None
    sd: Vector
    intercept_sd: float | None
    log_sigma_sd: float | None
    covariance: Matrix = field(repr=False)
    log_marginal_likelihood: float | None
    kinked: tuple[str, ...]
    valid: bool
    reason: str

    def __str__(self) -> str:
        """Say what it is worth, and show modes and standard deviations."""
        head = "Laplace approximation at the mode"
        if not self.valid:
            head = f"{head}, NOT VALID: {self.reason}"
        elif self.reason:
            head = f"{head}; {self.reason}"
        extra = []
        if self.intercept is not None:
            extra.append(("intercept", self.intercept, self.intercept_sd))
        if self.sigma is not None:
            extra.append(("log sigma", math.log(self.sigma), self.log_sigma_sd))
        both: dict[str, list[float | None]] = {
            "mode": [*(row[1] for row in extra), *self.mean.tolist()],
            "sd": [*(row[2] for row in extra), *self.sd.tolist()],
        }
        columns = self.names[: self.mean.size]
        names = [*(apart(row[0], columns) for row in extra), *columns]
        lines = [head, *as_table(names, both, most=MOST_ROWS + len(extra))]
        if self.log_marginal_likelihood is not None:
            lines.append(f"  log p(y) ≈ {self.log_marginal_likelihood:.6g} nats")
        return "\n".join(lines)


def laplace_approximation(
    problem: object, *, given: Mapping[str, float] | None = None
) -> LaplaceApproximation:
    """Approximate a posterior by a normal at its mode.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The posterior; a model must be one of our problems.
    given : mapping, optional
        Values of unknown ``sigma`` or ``scale`` to condition on. An unknown sigma without a value
        is part of the mode, as its logarithm; an unknown scale needs a value.

    Returns
    -------
    LaplaceApproximation
        With ``valid`` false, and the reason, where the mode is at a kink.

    Raises
    ------
    DegenerateMode
        If there is no mode: an unknown scale without a value, a horseshoe, a spike.
    InputError, ImproperPosterior, NotConverged, UnsupportedModel
        As `find_map`.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> def lasso(scale):
    ...     return Problem([[1.0], [1.0]], [1.0, 3.0], intercept=False,
    ...                    likelihood=Gaussian(1.0), prior=Laplace(scale))
    >>> fine = laplace_approximation(lasso(1.0))
    >>> fine.valid, fine.mean, fine.sd.round(4)
    (True, array([1.5]), array([0.7071]))
    >>> kink = laplace_approximation(lasso(0.1))
    >>> kink.valid, kink.kinked, kink.sd
    (False, ('x0',), array([0.]))
    >>> print(kink)  # doctest: +ELLIPSIS
    Laplace approximation at the mode, NOT VALID: the mode has 'x0' at a kink or bound of ...
    """
    asked, reading = as_problem(problem)
    with own_words(reading):
        return _of(asked.given(**check_given(given, reading)))


@judged_afterwards()
def _of(problem: Problem) -> LaplaceApproximation:
    """Approximate a posterior with everything unknown but the scale."""
    asked = problem.dense("a Laplace approximation")
    asked.require_proper()
    if "scale" in asked.unknown:
        msg = (
            "scale: is unknown, and the joint density of coefficients and scale has no mode, on no "
            'scale: condition on a value, e.g. given={"scale": 1.0}'
        )
        raise DegenerateMode(msg)
    log_sigma = _mode_of_log_sigma(asked) if "sigma" in asked.unknown else None
    return _approximation(asked, log_sigma)


# --------------------------------------------------------------------------- the mode


def _at(problem: Problem, log_sigma: float | None) -> Problem:
    return problem if log_sigma is None else problem.given(sigma=math.exp(log_sigma))


def _objective(problem: Problem, fit: MapEstimate, log_sigma: float | None) -> float:
    """Return minus the log joint density, of log sigma where that is unknown."""
    if log_sigma is None:
        return fit.objective
    prior = problem.hyperpriors()["sigma"]
    sigma = math.exp(log_sigma)
    power = log_jacobian(prior)  # v = σ^power has dv/d log σ = power · v
    jacobian = math.log(power) + power * log_sigma
    return fit.objective - prior.log_density(sigma) - jacobian


def _mode_of_log_sigma(problem: Problem) -> float:
    """Minimise the objective over the coefficients and log sigma: by one dimension of modes."""

    def profile(u: float) -> float:
        return _objective(problem, find_map(_at(problem, u)), u)

    y, w = problem.design.y, problem.design.row_weights
    spread = math.sqrt(float(w @ (y - np.average(y, weights=w)) ** 2) / problem.n) or 1.0
    grid = math.log(spread) + np.linspace(-8.0, 2.0, 21)
    values = np.array([profile(float(u)) for u in grid])
    lowest = np.flatnonzero((values[1:-1] <= values[:-2]) & (values[1:-1] <= values[2:])) + 1
    if not lowest.size or values[lowest].min() > values[0]:
        msg = (
            "sigma: the joint density of the coefficients and log sigma has no mode within reach "
            f"of the spread of y ({spread:.3g}); condition on a value, e.g. "
            'given={"sigma": 1.0}'
        )
        raise DegenerateMode(msg)
    best = int(lowest[np.argmin(values[lowest])])
    bracket = (grid[best - 1], grid[best + 1])
    found = minimize_scalar(profile, bounds=bracket, method="bounded", options={"xatol": 1e-9})
    return float(found.x)


# --------------------------------------------------------------------------- the curvature


@dataclass(frozen=True, eq=False)
class _Directions:
    """How the coefficients move along the manifold on which the penalty is smooth.

    Attributes
    ----------
    basis : ndarray, shape (p, m)
        Coefficients per coordinate.
    bend : ndarray, shape (m, m)
        Second derivative of the penalty in the coordinates.
    slope : ndarray, shape (m,)
        First derivative.
    kinked : ndarray of bool, shape (p,)
        Which coefficients are held, or tied to others.
    """

    basis: Matrix
    bend: Matrix
    slope: Vector
    kinked: Any

    @classmethod
    def of(cls, problem: Problem, coef: Vector) -> _Directions:
        """Read the manifold off the penalty."""
        p = problem.p
        columns, bends, slopes = [np.zeros((p, 0))], [np.zeros((0, 0))], [np.zeros(0)]
        kinked = np.zeros(p, dtype=np.bool_)
        for piece in pieces(problem.penalty, coef):
            moves = np.full(piece.moves.size, -1) if piece.border else piece.moves
            moving = np.flatnonzero(moves >= 0)
            times = np.bincount(moves[moving], minlength=piece.at.size)
            kinked[piece.columns] = True
            kinked[piece.columns[moving[times[moves[moving]] == 1]]] = False
            if piece.border:  # a ball that the data press against: nothing of it moves
                continue
            block = np.zeros((p, piece.at.size))
            block[piece.columns[moving], moves[moving]] = piece.unit[moving]
            _, slope, bend = piece.curve(piece.at)
            columns.append(block)
            slopes.append(slope)
            bends.append(bend)
        return cls(np.hstack(columns), linalg.block_diag(*bends), np.concatenate(slopes), kinked)


def _gradient(problem: Problem, fit: MapEstimate, ways: _Directions, u: float) -> Vector:
    """Gradient of the objective in the coordinates and the intercept, at another log sigma."""
    at = _at(problem, u)
    by_coef, by_level = at.gradient(fit.coef, fit.intercept)
    slope = _Directions.of(at, fit.coef).slope
    level = [by_level] if problem.design.intercept else []
    return np.append(by_coef @ ways.basis + slope, level)


def _hessian(
    problem: Problem, fit: MapEstimate, ways: _Directions, log_sigma: float | None
) -> Matrix:
    """Second derivative of the objective in the coordinates, intercept and log sigma."""
    at, design = _at(problem, log_sigma), problem.design
    eta = at.predictor(fit.coef, fit.intercept)
    h = at.likelihood.curvature(eta, design.y, design.row_weights)
    moved = design.X @ ways.basis
    if design.intercept:
        moved = np.column_stack([moved, np.ones(problem.n)])
    whole = (moved * h[:, None]).T @ moved
    m = ways.bend.shape[0]
    whole[:m, :m] += ways.bend
    if log_sigma is None:
        return np.asarray(whole)
    up, down = (_gradient(problem, fit, ways, log_sigma + s) for s in (_STEP, -_STEP))
    cross = (up - down) / (2 * _STEP)

    def value(u: float) -> float:
        there = _at(problem, u)
        prior = problem.hyperpriors()["sigma"]
        return there.objective(fit.coef, fit.intercept) - prior.log_density(math.exp(u))

    s = _SECOND_STEP
    second = (value(log_sigma + s) - 2 * value(log_sigma) + value(log_sigma - s)) / s**2
    return np.block([[whole, cross[:, None]], [cross[None, :], np.array([[second]])]])


def _approximation(problem: Problem, log_sigma: float | None) -> LaplaceApproximation:
    fit = find_map(_at(problem, log_sigma))
    ways = _Directions.of(fit.problem, fit.coef)
    with np.errstate(over="ignore", invalid="ignore"):  # `_inverse` refuses what is not finite
        hessian = _hessian(problem, fit, ways, log_sigma)
    inverse, log_det = _inverse(hessian)
    p, m, level = problem.p, ways.basis.shape[1], int(problem.design.intercept)
    extra = hessian.shape[0] - m
    lift = linalg.block_diag(ways.basis, np.eye(extra))
    covariance = lift @ inverse @ lift.T
    sd = np.sqrt(np.diag(covariance))
    kinked = tuple(problem.names[j] for j in np.flatnonzero(ways.kinked))
    reason, valid = _reason(fit, kinked, sd[:p], log_det), not kinked and log_det is not None
    evidence = None
    if valid and log_det is not None and not level and not problem.free:
        total = -_objective(problem, fit, log_sigma)
        evidence = total + 0.5 * (hessian.shape[0] * math.log(2 * math.pi) - log_det)
    unknown = log_sigma is not None
    return LaplaceApproximation(
        problem=problem,
        names=problem.names + ("intercept",) * level + ("log_sigma",) * unknown,
        mean=fit.coef,
        intercept=fit.intercept if level else None,
        sigma=math.exp(log_sigma) if log_sigma is not None else None,
        sd=sd[:p],
        intercept_sd=float(sd[p]) if level else None,
        log_sigma_sd=float(sd[-1]) if unknown else None,
        covariance=covariance,
        log_marginal_likelihood=evidence,
        kinked=kinked,
        valid=valid,
        reason=reason,
    )


def _inverse(hessian: Matrix) -> tuple[Matrix, float | None]:
    """Return inverse and log determinant; NaN and None where it is not positive definite.

    Raises
    ------
    NotConverged
        If either leaves double precision.
    """
    msg = (
        "problem: the second derivative at the mode, or its inverse, leaves double precision; "
        "bring the columns of X, the offset and sigma to sizes nearer to 1"
    )
    if not np.isfinite(hessian).all():
        raise NotConverged(msg)
    # Scaled to a unit diagonal, so that units of columns do not enter the condition.
    unit = np.sqrt(np.maximum(np.diag(hessian), 0.0))
    if not (unit > 0).all():
        return np.full(hessian.shape, np.nan), None
    try:
        factor = linalg.cho_factor(hessian / unit / unit[:, None], lower=True)
    except linalg.LinAlgError:
        return np.full(hessian.shape, np.nan), None
    with np.errstate(over="ignore"):
        inverse = linalg.cho_solve(factor, np.eye(unit.size)) / unit / unit[:, None]
    if not np.isfinite(inverse).all():
        raise NotConverged(msg)
    log_det = 2 * float(np.log(np.diag(factor[0])).sum() + np.log(unit).sum())
    return 0.5 * (inverse + inverse.T), log_det


def _reason(fit: MapEstimate, kinked: tuple[str, ...], sd: Vector, log_det: float | None) -> str:
    """Say in words what is wrong, or what to be careful about."""
    if log_det is None:
        return (
            "the second derivative at the mode is not positive definite, so no normal has it; "
            "draw from the posterior with bayesreg.sample instead"
        )
    if kinked:
        listed = ", ".join(repr(name) for name in kinked[:4])
        more = f" and {len(kinked) - 4} more" if len(kinked) > 4 else ""
        held = "held there, it has" if len(kinked) == 1 else "held there, they have"
        return (
            f"the mode has {listed}{more} at a kink or bound of the penalty, where the posterior "
            f"has no second derivative; {held} no spread at all, so draw from the posterior with "
            "bayesreg.sample instead"
        )
    penalty = fit.problem.penalty
    if not isinstance(penalty, SeparablePenalty):
        return ""
    ratio = np.divide(np.abs(fit.coef), sd, out=np.full(sd.size, np.inf), where=sd > 0)
    near = np.flatnonzero(penalty.kinked & (ratio < _NEAR))
    if not near.size:
        return ""
    j = int(near[np.argmin(ratio[near])])
    return (
        f"{fit.problem.names[j]!r} is {ratio[j]:.2g} sd from its kink at 0, which the normal "
        f"ignores: it has {special.ndtr(-ratio[j]):.0%} of its mass beyond"
    )


# --------------------------------------------------------------------------- draws


class Laplace(Sampler):
    """Independent draws from the Laplace approximation, which is not the posterior."""

    name = "laplace"
    advantage = "independent draws from the normal at the mode, which is not the posterior"
    approximate = True

    def reason_against(self, problem: Problem) -> str | None:
        """Say why there is no such normal; None where there is."""
        try:
            approximation = laplace_approximation(problem)
        except BayesregError as error:
            return str(error)
        return None if approximation.valid else approximation.reason

    def draw(self, problem: Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw independently; chains only label the draws."""
        found = laplace_approximation(problem)
        if not found.valid:
            raise NoClosedForm(found.reason)
        values, vectors = linalg.eigh(found.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        p = problem.p

        def draw(size: tuple[int, int]) -> dict[str, Array]:
            noise = rng.standard_normal((*size, len(found.names))) @ root.T
            posterior = {"beta": found.mean + noise[..., :p]}
            if found.intercept is not None:
                posterior["intercept"] = found.intercept + noise[..., p]
            if found.sigma is not None:
                posterior["sigma"] = found.sigma * np.exp(noise[..., -1])
            return posterior

        return independent(draw, settings, ("scipy",))
