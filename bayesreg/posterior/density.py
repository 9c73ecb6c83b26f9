"""The joint log density over many draws at once, written so that every sampler can share it.

Unknown sigma and scale enter a prior only as powers: the scale of coefficient j is
``base_j · sigma^e_j · scale^f_j`` with exponents 0 or 1. `PriorShape` holds the base numbers and
the exponents of absolute values and squares, found by asking the prior itself. Any other prior is
asked for the densities of all draws at once, as if each were a coefficient of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from bayesreg.blocks import parts_on
from bayesreg.errors import DegenerateMode, NoClosedForm
from bayesreg.likelihoods import (
    LOG_2PI,
    Bernoulli,
    Gaussian,
    Noise,
    Poisson,
    StudentTNoise,
    log_one_plus_square,
)
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.posterior.log_scales import LogScale
from bayesreg.priors import IndependentPrior
from bayesreg.priors.base import Scaled, fill
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Matrix, Vector
    from bayesreg.likelihoods import Likelihood
    from bayesreg.posterior.conditional import Array
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem


def reason_against_prior(problem: Problem) -> str | None:
    """Say why a prior is not what `PriorShape` describes; None where it is.

    That is absolute values and squares, of coefficients of either sign: what closed forms need.

    Examples
    --------
    >>> from bayesreg import Gaussian, Horseshoe, Problem
    >>> reason_against_prior(Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(sigma=1.0),
    ...                              prior=Horseshoe(scale=1.0)))
    'prior: is Horseshoe, which is not made of absolute values and squares'
    """
    try:
        penalty = problem.given_ones().penalty
    except DegenerateMode:
        penalty = None
    if not isinstance(penalty, ElasticNetPenalty):
        return f"prior: is {problem.prior.name}, which is not made of absolute values and squares"
    if penalty.nonnegative.any():
        name = problem.names[int(np.argmax(penalty.nonnegative))]
        return f"prior: allows no negative coefficient of {name!r}"
    return None


def require_known_prior(problem: Problem) -> None:
    """Raise NoClosedForm for a prior that `PriorShape` does not describe."""
    reason = reason_against_prior(problem)
    if reason is not None:
        msg = f"{reason}; draw from it with bayesreg.sample"
        raise NoClosedForm(msg)


@dataclass(frozen=True, eq=False)
class PriorShape:
    """The prior on the user's scale as base numbers and exponents.

    Attributes
    ----------
    penalty : ElasticNetPenalty
        The penalty where sigma and scale are 1 (or where they are known).
    constant : float
        Sum of the log normalisers there.
    sigma_power, scale_power : ndarray, shape (p,)
        Exponents e and f; 0 where a coefficient does not depend on the unknown, or is flat.
    """

    penalty: ElasticNetPenalty
    constant: float
    sigma_power: Vector
    scale_power: Vector

    @classmethod
    def of(cls, problem: Problem) -> PriorShape:
        """Read the numbers off the prior, at unknowns of one and of two."""
        ones = problem.given_ones()
        powers = {"sigma": np.zeros(problem.p), "scale": np.zeros(problem.p)}
        for name in problem.unknown:
            twos = problem.given(**(dict.fromkeys(problem.unknown, 1.0) | {name: 2.0}))
            # A prior whose scale doubles has half the l1 and a quarter of the l2: exact in binary.
            changed = (twos.elastic_net.l1 != ones.elastic_net.l1) | (
                twos.elastic_net.l2 != ones.elastic_net.l2
            )
            powers[name] = changed.astype(float)
        constant = ones.coef_prior.log_normalizer(problem.p)
        return cls(ones.elastic_net, constant, powers["sigma"], powers["scale"])

    def log_density(self, beta: Array, sigma: Array, scale: Array) -> Array:
        """Log density of coefficients (..., p) given unknowns (...); 1 where they are known."""
        total: Array = np.full(beta.shape[:-1], self.constant)
        # Coefficients that depend on the unknowns in the same way take one product together.
        powers = np.column_stack([self.sigma_power, self.scale_power])
        for e, f in np.unique(powers, axis=0):
            at = np.flatnonzero((powers == (e, f)).all(axis=1))
            part, penalty = (
                beta if at.size == beta.shape[-1] else beta[..., at],
                self.penalty.at(at),
            )
            log_ratio = e * np.log(sigma) + f * np.log(scale)
            total += at.size * log_ratio
            if penalty.l1.any():
                total += np.abs(part) @ penalty.l1 * np.exp(-log_ratio)
            if penalty.l2.any():
                total += 0.5 * (part - penalty.loc) ** 2 @ penalty.l2 * np.exp(-2 * log_ratio)
        return -total


def _gaussian_rows(_: Likelihood, eta: Array, y: Vector, w: Vector, sigma: Array) -> Array:
    return (
        0.5 * (np.log(w) - LOG_2PI - w * ((y - eta) / sigma[..., None]) ** 2)
        - np.log(sigma)[..., None]
    )


def _student_rows(family: Likelihood, eta: Array, y: Vector, w: Vector, sigma: Array) -> Array:
    assert isinstance(family, StudentTNoise)  # noqa: S101  (the table says so)
    nu = family.nu
    # With sigma at 1 the constant of a row, its weight aside.
    constant = StudentTNoise(nu, 1.0).constant(np.zeros(1), np.ones(1))
    z = np.sqrt(w / nu) * (y - eta) / sigma[..., None]
    rows = 0.5 * np.log(w) - 0.5 * (nu + 1.0) * log_one_plus_square(z)
    return rows - constant - np.log(sigma)[..., None]


def _bernoulli_rows(_: Likelihood, eta: Array, y: Vector, w: Vector, sigma: Array) -> Array:
    del sigma
    return -w * np.logaddexp(0.0, np.where(y > 0, -eta, eta))


def _poisson_rows(_: Likelihood, eta: Array, y: Vector, w: Vector, sigma: Array) -> Array:
    del sigma
    return w * (y * eta - np.exp(eta) - special.gammaln(y + 1))


_ROWS: dict[type[Likelihood], Callable[[Likelihood, Array, Vector, Vector, Array], Array]] = {
    Gaussian: _gaussian_rows,
    StudentTNoise: _student_rows,
    Bernoulli: _bernoulli_rows,
    Poisson: _poisson_rows,
}


def log_likelihood(problem: Problem, beta: Array, intercept: Array, sigma: Array) -> Array:
    """Return the log density of every row at every draw.

    Parameters
    ----------
    problem : Problem
        The posterior.
    beta : ndarray, shape (..., p)
        Coefficients on the user's scale.
    intercept, sigma : ndarray, shape (...)
        Intercept (0 without one) and noise sd (the known one where it is known).

    Returns
    -------
    ndarray, shape (..., n)
        Log densities; a row of weight w counts as the likelihood says.
    """
    design = problem.design
    # In two dimensions, which a sparse X has to have.
    level = intercept[..., None]
    rows = beta.reshape(math.prod(beta.shape[:-1]), problem.p)
    eta = (rows @ design.X.T).reshape(*beta.shape[:-1], design.n) + level
    if design.offset is not None:
        eta += design.offset
    family = problem.likelihood
    return _ROWS[type(family)](family, eta, design.y, design.row_weights, sigma)


def log_prior(problem: Problem, beta: Array, sigma: Array, scale: Array) -> Array:
    """Return the log density of the coefficients at every draw, whatever their prior.

    Parameters
    ----------
    problem : Problem
        The posterior.
    beta : ndarray, shape (..., p)
        Coefficients on the user's scale.
    sigma, scale : ndarray, shape (...)
        Unknowns; anything where they are known.

    Returns
    -------
    ndarray, shape (...)
        Log densities; with respect to Lebesgue measure plus a unit mass at 0 for a spike.
    """
    if reason_against_prior(problem) is None:
        return PriorShape.of(problem).log_density(beta, sigma, scale)
    prior = problem.coef_prior
    parts = parts_on(prior, problem.p)
    rows = beta.reshape(math.prod(beta.shape[:-1]), problem.p)
    total = np.zeros(rows.shape[0])
    for part, columns in parts:
        if not columns:
            continue
        multiplier = np.ones(rows.shape[0])
        if part.relative_to is not None:
            multiplier = multiplier * sigma.ravel()
        if part.hyperprior is not None:
            multiplier = multiplier * scale.ravel()
        total += _log_part(part.given(sigma=1.0, scale=1.0), rows[:, list(columns)], multiplier)
    return total.reshape(beta.shape[:-1])


def _log_part(prior: Prior, beta: Matrix, multiplier: Vector) -> Vector:
    """Log density of coefficients (m, k), with a multiplier (m,) of the scale; shape (m,)."""
    m, k = beta.shape
    if not isinstance(prior, IndependentPrior):
        return np.array([prior.log_density(row) for row in beta])
    vectors: dict[str, Any] = {
        name: np.tile(value, m)
        for name, value in vars(prior).items()
        if isinstance(value, np.ndarray)
    }
    if isinstance(prior, Scaled) and not isinstance(prior.scale, ScalePrior):
        vectors["scale"] = np.outer(multiplier, fill(prior.scale, k)).ravel()
    whole = replace(prior, **vectors)
    return np.asarray(whole.log_densities(beta.ravel()).reshape(m, k).sum(axis=1))


def _triangle(problem: Problem) -> Matrix | None:
    """Reduce intercept, columns and target of many Gaussian rows to as many as they span."""
    design = problem.design
    few = design.observations is None and design.n <= problem.p + 2
    if not isinstance(problem.likelihood, Gaussian) or few:
        return None
    target = design.less_offset
    whole = np.column_stack([design.one, design.X, target])
    return np.linalg.qr(whole * np.sqrt(design.row_weights)[:, None], mode="r")


def _log_likelihood_of_all(
    problem: Problem, triangle: Matrix | None, beta: Array, intercept: Array, sigma: Array
) -> Array:
    """Sum `log_likelihood` over rows; from the triangle that they reduce to where there is one."""
    if triangle is None:
        return log_likelihood(problem, beta, intercept, sigma).sum(axis=-1)
    n = problem.design.count
    left = beta @ triangle[:, 1:-1].T + intercept[..., None] * triangle[:, 0] - triangle[:, -1]
    constant = 0.5 * (float(np.log(problem.design.row_weights).sum()) - n * LOG_2PI)
    fit = 0.5 * np.einsum("...i,...i", left, left) / sigma**2
    return np.asarray(constant - n * np.log(sigma) - fit)


def log_joint(problem: Problem, draws: dict[str, Array]) -> Array:
    """Return ``−problem.objective`` at every draw, and the like where a density has no mode.

    Parameters
    ----------
    problem : Problem
        The posterior.
    draws : dict
        ``beta`` (chain, draw, p) and, where they exist, ``intercept``, ``sigma`` and ``scale``
        (chain, draw), on the user's scale.

    Returns
    -------
    ndarray, shape (chain, draw)
        Log likelihood plus log prior, in nats, with every constant.
    """
    with np.errstate(all="ignore"):  # a density that underflows is 0, and its logarithm -inf
        return _log_joint(problem, draws)


def _log_joint(problem: Problem, draws: dict[str, Array]) -> Array:
    beta = draws["beta"]
    ones = np.ones(beta.shape[:-1])
    sigma, scale = draws.get("sigma", ones), draws.get("scale", ones)
    intercept = draws.get("intercept", 0.0 * ones)
    out = log_prior(problem, beta, sigma, scale)
    for name, prior in problem.hyperpriors().items():
        u = np.log(draws[name])
        # The density of log x has a factor in it, which that of x, or of its square, has not.
        factor = 2 * u + math.log(2) if prior.of_square else u
        out += LogScale.of(prior).log_density(u) - factor
    noise, triangle = noise_sd(problem, draws), _triangle(problem)
    for chain in range(beta.shape[0]):  # one chain at a time holds memory down: draws × rows
        out[chain] += _log_likelihood_of_all(
            problem, triangle, beta[chain], intercept[chain], noise[chain]
        )
    return out


def noise_sd(problem: Problem, draws: dict[str, Array]) -> Array:
    """Return the noise sd at every draw (chain, draw): drawn, known, or 1 where there is none."""
    if "sigma" in draws:
        return draws["sigma"]
    family = problem.likelihood
    known = math.sqrt(family.variance) if isinstance(family, Noise) else 1.0
    return np.full(draws["beta"].shape[:-1], known)


def log_jacobian(prior: ScalePrior) -> float:
    """Return ``d/du log|dv/du|`` at u = log x: 2 for a density of v = x², 1 for one of v = x."""
    return 2.0 if prior.of_square else 1.0
