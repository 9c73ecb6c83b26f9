r"""Exact posteriors: moments, evidence and independent draws, with Gaussian noise.

Flat coefficients and a flat intercept are allowed in all of them, and so are weights, an offset and
standardised columns.

normal
    ``Gaussian(sigma)`` with a number, and a prior without an absolute value (`Normal`, `Flat`,
    `ElasticNet` with ``l1_scale=np.inf``, or blocks of these).
normal–inverse-gamma
    ``Gaussian(sigma=InverseGamma(a, b))`` and ``Normal(..., relative_to="sigma")``. With f flat
    directions and Q the minimum of ``‖y − η‖²_w + Σ (β − loc)²/scale²``, σ² given y is inverse
    gamma with ``a_n = a + (n − f)/2`` and ``b_n = b + Q/2``; the coefficients are t with 2 a_n
    degrees of freedom.
mixtures of normals
    The same priors with any proper density of sigma, of the scale, or of both: quadrature in one or
    two dimensions (`bayesreg.posterior.quadrature`), to ten digits or more.
Laplace and elastic net
    With sigma and scale known and at most two coefficients that have to be solved together: p ≤ 2,
    orthogonal columns, or pairs of them (`bayesreg.posterior.laplace_closed_forms`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg.errors import InputError, NoClosedForm
from bayesreg.likelihoods import Gaussian
from bayesreg.path_scales import Family, check_scales
from bayesreg.posterior import laplace_closed_forms, quadrature
from bayesreg.posterior.base import Draws, Sampler, independent
from bayesreg.posterior.conditional import require_level
from bayesreg.posterior.density import PriorShape, reason_against_prior, require_known_prior
from bayesreg.posterior.lattice import log_sum
from bayesreg.posterior.moments import Level, Moments, Solution, assemble
from bayesreg.posterior.projection import lost_to_offset
from bayesreg.posterior.quadrature import Unknowns
from bayesreg.posterior.unknowns import require_proper
from bayesreg.scale_priors import InverseGamma

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.posterior.base import Settings
    from bayesreg.posterior.conditional import Array, Conditional
    from bayesreg.problem import Problem

__all__ = ["Exact", "Moments", "moments_along", "posterior_moments", "reason_against"]

# The posterior beyond a ratio that is less probable than this is not looked at for lost digits.
_UNLIKELY = 1e-6


def reason_against(problem: Problem) -> str | None:
    """Say why a problem has no exact solution here; None where it has one.

    Examples
    --------
    >>> from bayesreg import Bernoulli, Normal, Problem
    >>> reason_against(Problem([[1.0], [2.0]], [0, 1], likelihood=Bernoulli(), prior=Normal(1.0)))
    'likelihood: a closed form needs a Gaussian one, found bernoulli'
    """
    likelihood = problem.likelihood
    if not isinstance(likelihood, Gaussian):
        return f"likelihood: a closed form needs a Gaussian one, found {likelihood.name}"
    reason = reason_against_prior(problem)
    if reason is not None:
        return reason
    if PriorShape.of(problem).penalty.l1.any():
        return laplace_closed_forms.reason_against(problem)
    return quadrature.reason_against(problem)


# ---------------------------------------------------------------------- solutions


def _level(conditional: Conditional, problem: Problem) -> Level | None:
    if not problem.design.intercept:
        return None
    return Level(conditional.level, conditional.level_sd, conditional.column_mean)


def _assemble(
    conditional: Conditional,
    level: Level | None,
    mixture: tuple[Vector, Vector, Vector],
    evidence: float | None,
    unknown: dict[str, float],
) -> Moments:
    """Moments of a mixture of normals: log κ, log E[σ² | κ] and probabilities, shapes (k,)."""
    log_kappa, log_square, weight = mixture
    mean = conditional.mean_at(weight @ conditional.fitted(log_kappa))
    intercept = None
    if level is not None:
        column = level.column_mean[None, :]
        variance = conditional.mixed_covariance(*mixture, directions=column).item()
        intercept = level.moments(mean, variance, float(weight @ np.exp(log_square)))
    covariance = conditional.mixed_covariance(*mixture)
    return assemble(mean, covariance, evidence, intercept, **unknown)


def _require_digits(
    conditional: Conditional, log_kappa: float, log_sigma: float, lost: float
) -> None:
    conditional.require_digits(log_kappa, log_sigma, lost=lost)
    require_level(conditional.level, conditional.level_sd * math.exp(log_sigma))


def _no_variance(what: str) -> NoClosedForm:
    return NoClosedForm(f"{what}, so no variance is finite; use sample(problem)")


@dataclass(frozen=True, eq=False)
class _Normal(Solution):
    """Coefficients normal given sigma, which is known or has an inverse gamma posterior.

    Attributes
    ----------
    unknowns : Unknowns
        The decomposition; κ is a number.
    level : Level or None
        The intercept.
    gamma : InverseGamma or None
        Prior of sigma²; None where sigma is known.
    lost : float
        Length of what the offset cost the target.
    """

    unknowns: Unknowns
    level: Level | None
    gamma: InverseGamma | None
    lost: float

    def _numbers(self) -> tuple[float | None, float | None, float | None]:
        """Log evidence, and shape and scale of the posterior of sigma²; refuses lost digits."""
        conditional, constant = self.unknowns.conditional, self.unknowns.constant
        squares, log_dets = conditional.profile(self._log_kappa)
        square, log_det = float(squares[0]), float(log_dets[0])
        if self.gamma is None:
            _require_digits(conditional, self.unknowns.log_scale, 0.0, self.lost)
            return None if constant is None else constant - 0.5 * (log_det + square), None, None
        a, b = self.gamma.shape, self.gamma.scale
        a_n, b_n = a + 0.5 * conditional.freedom, b + 0.5 * square
        log_sigma = 0.5 * math.log(b_n / a_n)
        _require_digits(conditional, self.unknowns.log_scale, log_sigma, self.lost)
        log = math.lgamma(a_n) - math.lgamma(a) + a * math.log(b) - a_n * math.log(b_n)
        return None if constant is None else constant - 0.5 * log_det + log, a_n, b_n

    @property
    def _log_kappa(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([self.unknowns.log_scale])

    def moments(self) -> Moments:
        """Normal, or t."""
        evidence, a_n, b_n = self._numbers()
        conditional, noise = self.unknowns.conditional, 1.0
        unknown: dict[str, float] = {}
        if a_n is not None and b_n is not None:
            if a_n <= 1:
                raise _no_variance(f"sigma: its posterior has shape {a_n:g} <= 1")
            noise = b_n / (a_n - 1)
            mean = math.sqrt(b_n) * math.exp(math.lgamma(a_n - 0.5) - math.lgamma(a_n))
            unknown = {
                "sigma2_mean": noise,
                "sigma2_sd": noise / math.sqrt(a_n - 2) if a_n > 2 else math.inf,
                "sigma_mean": mean,
                "sigma_sd": math.sqrt(max(noise - mean**2, 0.0)),
                "a_n": a_n,
                "b_n": b_n,
            }
        mixture = self._log_kappa, np.full(1, math.log(noise)), np.ones(1)
        return _assemble(conditional, self.level, mixture, evidence, unknown)

    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> dict[str, Array]:
        """Draw sigma, then the coefficients given sigma."""
        _, a_n, b_n = self._numbers()
        conditional, posterior = self.unknowns.conditional, {}
        sigma = np.ones(size)
        if a_n is not None and b_n is not None:
            sigma = posterior["sigma"] = np.sqrt(b_n / rng.standard_gamma(a_n, size))
        at = self._log_kappa
        z = rng.standard_normal((*size, conditional.mean.size))
        mean = conditional.mean_at(conditional.fitted(at)[0])
        deviation = conditional.spread(z, np.full(size, at[0]), np.log(sigma))
        beta = posterior["beta"] = mean + deviation
        if self.level is not None:
            posterior["intercept"] = self.level.draw(beta, sigma, rng)
        return posterior


@dataclass(frozen=True, eq=False)
class _Mixture(Solution):
    """Coefficients normal given unknowns that are integrated numerically."""

    unknowns: Unknowns
    level: Level | None
    lost: float

    def moments(self) -> Moments:
        """Sums over the nodes."""
        unknowns = self.unknowns
        unknown: dict[str, float] = {}
        if not unknowns.has_variance(intercept=self.level is not None):
            raise _no_variance("sigma, scale: their posterior has too heavy a tail")
        nodes, conditional = unknowns.nodes(), unknowns.conditional
        widest = float(nodes.log_kappa[nodes.weight > _UNLIKELY].max())
        noise = float(log_sum(np.log(nodes.weight) + nodes.log_square))
        _require_digits(conditional, widest, 0.5 * noise, self.lost)
        if unknowns.noise is not None:
            for name, power in (("sigma", 1.0), ("sigma2", 2.0)):
                unknown |= self._pair(name, nodes, power, 0.0)
        if unknowns.width is not None:
            unknown |= self._pair("scale", nodes, 0.0, 1.0)
        evidence = None
        if unknowns.constant is not None:
            evidence = unknowns.constant + nodes.log_total
        mixture = nodes.log_kappa, nodes.log_square, nodes.weight
        return _assemble(conditional, self.level, mixture, evidence, unknown)

    def _pair(
        self, name: str, nodes: quadrature.Nodes, sigma: float, scale: float
    ) -> dict[str, float]:
        """Mean and sd of ``σ^sigma s^scale``, inf where there is none."""
        mean = sd = math.inf
        if self.unknowns.exists(sigma, scale):
            mean, sd = nodes.moments(sigma + (1 - self.unknowns.e) * scale, scale)
        if not self.unknowns.exists(2 * sigma, 2 * scale):
            sd = math.inf
        return {f"{name}_mean": mean, f"{name}_sd": sd}

    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> dict[str, Array]:
        """Draw the unknowns, then the coefficients given them."""
        unknowns, conditional, posterior = self.unknowns, self.unknowns.conditional, {}
        flat_kappa, flat_sigma = unknowns.draw(rng, size[0] * size[1])
        log_kappa, log_sigma = flat_kappa.reshape(size), flat_sigma.reshape(size)
        widest, noise = float(log_kappa.max()), float(log_sigma.mean())
        _require_digits(conditional, widest, noise, self.lost)
        sigma = np.exp(log_sigma)
        if unknowns.noise is not None:
            posterior["sigma"] = sigma
        if unknowns.width is not None:
            posterior["scale"] = np.exp(unknowns.log_width(log_kappa, log_sigma))
        mean = conditional.mean_at(conditional.fitted(log_kappa))
        z = rng.standard_normal((*size, conditional.mean.size))
        beta = posterior["beta"] = mean + conditional.spread(z, log_kappa, log_sigma)
        if self.level is not None:
            posterior["intercept"] = self.level.draw(beta, sigma, rng)
        return posterior


def _solve(problem: Problem) -> Solution:
    reason = reason_against(problem)
    if reason is not None:
        msg = f"{reason}; use sample(problem) instead"
        raise NoClosedForm(msg)
    if PriorShape.of(problem).penalty.l1.any():
        return laplace_closed_forms.solve(problem)
    return _of_squares(Unknowns.of(problem), problem)


def _of_squares(unknowns: Unknowns, problem: Problem) -> Solution:
    """Closed form where there is one, else quadrature."""
    unknowns.require_proper()
    level, design = _level(unknowns.conditional, problem), problem.design
    known = cast("Gaussian", problem.likelihood)
    h = design.row_weights / (known.variance if known.conditional else 1.0)
    lost = lost_to_offset(design, h)
    sigma = problem.hyperpriors().get("sigma")
    if unknowns.width is None and sigma is None:
        return _Normal(unknowns, level, None, lost)
    if unknowns.width is None and unknowns.e == 1 and isinstance(sigma, InverseGamma):
        return _Normal(unknowns, level, sigma, lost)
    return _Mixture(unknowns, level, lost)


# ---------------------------------------------------------------------- verbs


def posterior_moments(problem: object) -> Moments:
    """Compute the exact mean, covariance and evidence of a posterior.

    Parameters
    ----------
    problem : Problem or pymc.Model
        Gaussian noise, with a normal prior (sigma and scale known or not), or with a Laplace or
        elastic net prior of at most two coefficients or of orthogonal columns (both known).

    Returns
    -------
    Moments
        On the user's own scale: closed forms, or quadrature to ten digits or more.

    Raises
    ------
    NoClosedForm
        If the prior consists of other things than absolute values and squares, or the posterior
        has no such solution, or no variance; the message says why.
    ImproperPosterior
        If the posterior does not integrate.

    Examples
    --------
    >>> from bayesreg import Gaussian, HalfNormal, Normal, Problem
    >>> data = {"X": [[1.0], [1.0]], "y": [1.0, 3.0], "intercept": False}
    >>> moments = posterior_moments(Problem(**data, likelihood=Gaussian(1.0),
    ...                                     prior=Normal(scale=1.0)))
    >>> print(moments.mean.round(4), moments.sd.round(4))
    [1.3333] [0.5774]
    >>> moments = posterior_moments(Problem(**data, likelihood=Gaussian(HalfNormal(1.0)),
    ...                                     prior=Normal(scale=1.0)))
    >>> round(moments.sigma_mean, 4)
    1.3509
    """
    asked, _ = as_problem(problem)
    require_known_prior(asked)
    asked = asked.dense("posterior moments")
    require_proper(asked)
    return replace(_solve(asked).moments(), names=asked.names)


def moments_along(problem: Problem, scales: object) -> list[Moments]:
    """Compute the exact moments at every scale of the prior.

    With a normal prior all scales share one singular value decomposition. The evidence is that of
    the data given the scale, so its maximum over the scales is that of empirical Bayes.

    Parameters
    ----------
    problem : Problem
        With a scale that is unknown, or known: then the scales are those of `map_path`.
    scales : array_like, shape (k,)
        Positive, each once.

    Returns
    -------
    list of Moments
        One for each scale, in their order.

    Raises
    ------
    InputError, NoClosedForm, ImproperPosterior
        As `posterior_moments`.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0], [1.0]], [1.0, 3.0], likelihood=Gaussian(1.0),
    ...                   prior=Normal(scale=1.0), intercept=False)
    >>> print([moments.mean.round(4).item() for moments in moments_along(problem, [1.0, 2.0])])
    [1.3333, 1.7778]
    """
    values = check_scales(scales)
    require_known_prior(problem)
    if not problem.p:
        msg = "prior: there is no coefficient that it could scale; X needs a column"
        raise InputError(msg)
    problem = problem.dense("posterior moments")
    family = _family(problem)
    at = [family.at(float(scale)) for scale in values]
    unknowns = _at_each(problem, values, at)
    if unknowns is None:
        return [posterior_moments(one) for one in at]
    require_proper(at[0])
    return [_of_squares(q, one).moments() for q, one in zip(unknowns, at, strict=True)]


def _family(problem: Problem) -> Family:
    """Return the problem at every scale of its prior, with sigma unknown where it is."""
    known = problem.given(sigma=1.0) if "sigma" in problem.unknown else problem
    family = Family.of(known)
    return Family(problem, family.unit, family.own, family.multiples)


def _at_each(problem: Problem, scales: Vector, at: list[Problem]) -> list[Unknowns] | None:
    """One decomposition, at every scale; None where it does not serve."""
    if reason_against(problem) is not None or PriorShape.of(problem).penalty.l1.any():
        return None
    if "scale" in problem.unknown:
        whole = Unknowns.of(problem)
        return [whole.given_scale(float(scale)) for scale in scales]
    whole = Unknowns.of(at[0])
    first = PriorShape.of(at[0]).penalty.l2
    found = []
    for one in at:
        l2 = PriorShape.of(one).penalty.l2
        # A scale may enter an elastic net by its root, and blocks may differ in that.
        ratios = np.sqrt(first[l2 > 0] / l2[l2 > 0])
        if whole.absorbs or np.ptp(ratios / ratios[0]) > 1e-13:
            return None
        found.append(whole.widened(float(ratios[0])))
    return found


class Exact(Sampler):
    """Independent draws from a posterior that is known exactly."""

    name = "exact"
    advantage = "the posterior is known exactly, so the draws are independent"

    def reason_against(self, problem: Problem) -> str | None:
        """Say why the posterior is not known exactly; None where it is."""
        return reason_against(problem)

    def draw(self, problem: Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw independently; chains only label the draws."""
        solved = _solve(problem)
        return independent(lambda size: solved.draw(rng, size), settings, ("scipy",))
