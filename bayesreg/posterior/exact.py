r"""Closed forms: moments, evidence and independent draws where the posterior is normal or t.

Two families have one, both with flat coefficients and a flat intercept allowed, weights, an offset
and standardised columns:

normal
    ``Gaussian(sigma)`` with a number, and a prior without an absolute value (`Normal`, `Flat`,
    `ElasticNet` with ``l1_scale=np.inf``, or blocks of these).
normal–inverse-gamma
    ``Gaussian(sigma=InverseGamma(a, b))`` and ``Normal(..., relative_to="sigma")``. With f flat
    directions and Q the minimum of ``‖y − η‖²_w + Σ (β − loc)²/scale²``, σ² given y is inverse
    gamma with ``a_n = a + (n − f)/2`` and ``b_n = b + Q/2``; the coefficients are t with 2 a_n
    degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg.errors import NoClosedForm
from bayesreg.likelihoods import LOG_2PI, Gaussian
from bayesreg.posterior.base import Draws, Sampler
from bayesreg.posterior.conditional import Conditional
from bayesreg.posterior.density import PriorShape, require_known_prior
from bayesreg.scale_priors import InverseGamma

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.base import Settings
    from bayesreg.problem import Problem


@dataclass(frozen=True, eq=False)
class Moments:
    """Exact moments of a posterior, on the user's scale.

    Attributes
    ----------
    mean, sd : ndarray, shape (p,)
        Of the coefficients.
    covariance : ndarray, shape (p, p)
        Of the coefficients.
    intercept_mean, intercept_sd : float or None
        Of the intercept; None without one.
    log_marginal_likelihood : float or None
        ``log p(y)`` in nats. None where the intercept or a coefficient has a flat prior: such a
        prior has an arbitrary constant, so the evidence has one too.
    sigma2_mean, sigma2_sd, sigma_mean : float or None
        Of the noise variance and of the noise sd (`sigma2_sd` may be ``inf``); None where sigma is
        known.
    a_n, b_n : float or None
        Shape and scale of the inverse gamma posterior of ``sigma**2``; None where it is known.
    """

    mean: Vector
    sd: Vector
    covariance: Matrix
    intercept_mean: float | None
    intercept_sd: float | None
    log_marginal_likelihood: float | None
    sigma2_mean: float | None = None
    sigma2_sd: float | None = None
    sigma_mean: float | None = None
    a_n: float | None = None
    b_n: float | None = None


def reason_against(problem: Problem) -> str | None:
    """Say why a problem has no closed form; None where it has one.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(sigma=1.0),
    ...                   prior=Laplace(scale=1.0))
    >>> reason_against(problem)
    "prior: the absolute value on 'x0' leaves no closed form"
    """
    likelihood = problem.likelihood
    if not isinstance(likelihood, Gaussian):
        return f"likelihood: a closed form needs a Gaussian one, found {likelihood.name}"
    if "scale" in problem.unknown:
        return "scale: is unknown, and only the posterior given its value has a closed form"
    shape = PriorShape.of(problem)
    absolute = np.flatnonzero(shape.penalty.l1 > 0)
    if absolute.size:
        return f"prior: the absolute value on {problem.names[absolute[0]]!r} leaves no closed form"
    return None if likelihood.conditional else _reason_against_sigma(problem, likelihood, shape)


def _reason_against_sigma(problem: Problem, likelihood: Gaussian, shape: PriorShape) -> str | None:
    if not isinstance(likelihood.sigma, InverseGamma):
        return "sigma: with unknown sigma, only an InverseGamma prior has a closed form"
    fixed = np.flatnonzero((shape.penalty.l2 > 0) & (shape.sigma_power == 0))
    if fixed.size:
        name = problem.names[fixed[0]]
        return f'prior: with unknown sigma, the prior of {name!r} must have relative_to="sigma"'
    return None


@dataclass(frozen=True, eq=False)
class _Conjugate:
    """The factorised posterior; with unknown sigma everything is in units of sigma."""

    conditional: Conditional
    log_evidence: float | None
    a_n: float | None
    b_n: float | None


def _solve(problem: Problem) -> _Conjugate:
    reason, likelihood, design = reason_against(problem), problem.likelihood, problem.design
    if reason is not None or not isinstance(likelihood, Gaussian):
        msg = f"{reason}; use sample(problem) instead"
        raise NoClosedForm(msg)
    penalty = PriorShape.of(problem).penalty
    target = design.y if design.offset is None else design.y - design.offset
    sigma = likelihood.sigma
    h = design.row_weights / (sigma**2 if isinstance(sigma, float) else 1.0)
    conditional = Conditional.of(
        design.X, target, h, penalty.l2, penalty.loc, intercept=design.intercept
    )
    flat = int((penalty.l2 == 0).sum()) + int(design.intercept)
    n, square = problem.n, conditional.quadratic
    common = 0.5 * (float(np.log(h).sum()) - n * LOG_2PI - conditional.log_det)
    if not isinstance(sigma, InverseGamma):
        return _Conjugate(conditional, None if flat else common - 0.5 * square, None, None)
    a, b = sigma.shape, sigma.scale
    a_n, b_n = a + 0.5 * (n - flat), b + 0.5 * square
    gamma = math.lgamma(a_n) - math.lgamma(a) + a * math.log(b) - a_n * math.log(b_n)
    return _Conjugate(conditional, None if flat else common + gamma, a_n, b_n)


def posterior_moments(problem: object) -> Moments:
    """Compute the exact mean, covariance and evidence of a posterior with a closed form.

    Parameters
    ----------
    problem : Problem or pymc.Model
        Gaussian with known sigma and a prior without absolute values; or with
        ``sigma=InverseGamma(...)`` and ``Normal(..., relative_to="sigma")``.

    Returns
    -------
    Moments
        On the user's own scale.

    Raises
    ------
    InputError
        If no sampler takes the prior either.
    NoClosedForm
        If the posterior has no closed form, or no variance; the message says why.
    ImproperPosterior
        If flat priors leave a direction free.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> moments = posterior_moments(Problem([[1.0], [1.0]], [1.0, 3.0], intercept=False,
    ...                                     likelihood=Gaussian(1.0), prior=Normal(scale=1.0)))
    >>> print(moments.mean.round(4), moments.sd.round(4))
    [1.3333] [0.5774]
    """
    asked, _ = as_problem(problem)
    require_known_prior(asked)
    asked = asked.dense("posterior moments")
    asked.require_proper()
    solved = _solve(asked)
    conditional, a_n, b_n = solved.conditional, solved.a_n, solved.b_n
    unknown: dict[str, float] = {}
    covariance = conditional.covariance()
    level_variance = conditional.level_sd**2
    if a_n is not None and b_n is not None:
        if a_n <= 1:
            msg = (
                f"sigma: its posterior has shape {a_n:g} <= 1, so no variance is finite; use sample"
            )
            raise NoClosedForm(msg)
        mean = b_n / (a_n - 1)
        covariance, level_variance = mean * covariance, mean * level_variance
        unknown = {
            "sigma2_mean": mean,
            "sigma2_sd": mean / math.sqrt(a_n - 2) if a_n > 2 else math.inf,
            "sigma_mean": math.sqrt(b_n) * math.exp(math.lgamma(a_n - 0.5) - math.lgamma(a_n)),
            "a_n": a_n,
            "b_n": b_n,
        }
    column, intercept = conditional.column_mean, asked.design.intercept
    variance = level_variance + float(column @ covariance @ column)
    return Moments(
        mean=conditional.mean,
        sd=np.sqrt(np.diag(covariance)),
        covariance=covariance,
        intercept_mean=conditional.level - float(column @ conditional.mean) if intercept else None,
        intercept_sd=math.sqrt(variance) if intercept else None,
        log_marginal_likelihood=solved.log_evidence,
        **unknown,
    )


class Exact(Sampler):
    """Independent draws from a normal or normal–inverse-gamma posterior."""

    name = "exact"
    advantage = "the posterior has a closed form, so the draws are independent"

    def reason_against(self, problem: Problem) -> str | None:
        """Say why the posterior has no closed form; None where it has one."""
        return reason_against(problem)

    def draw(self, problem: Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw independently; chains only label the draws."""
        solved = _solve(problem)
        conditional, size = solved.conditional, (settings.chains, settings.draws)
        posterior = {}
        sigma = np.ones(size)
        if solved.a_n is not None and solved.b_n is not None:
            sigma = np.sqrt(solved.b_n / rng.standard_gamma(solved.a_n, size))
            posterior["sigma"] = sigma
        z = rng.standard_normal((*size, problem.p))
        beta = conditional.mean + sigma[..., None] * conditional.spread(z)
        if problem.design.intercept:
            level = conditional.level + sigma * conditional.level_sd * rng.standard_normal(size)
            posterior["intercept"] = level - beta @ conditional.column_mean
        return Draws({"beta": beta} | posterior, {}, complete=True, libraries=("scipy",))
