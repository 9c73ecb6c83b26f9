"""The joint log density over many draws at once, written so that every sampler can share it.

Unknown sigma and scale enter a prior only as powers: the scale of coefficient j is
``base_j · sigma^e_j · scale^f_j`` with exponents 0 or 1. `PriorShape` holds the base numbers and
the exponents, found by asking the prior itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg.errors import DegenerateMode, InputError
from bayesreg.likelihoods import LOG_2PI, Bernoulli, Gaussian, Poisson
from bayesreg.penalties import ElasticNetPenalty

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector
    from bayesreg.likelihoods import Likelihood
    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem
    from bayesreg.scale_priors import ScalePrior


def reason_against_prior(problem: Problem) -> str | None:
    """Say why no sampler of this package takes a prior, and what does; None where one does.

    They take absolute values and squares, of coefficients of either sign.
    """
    advice = (
        "no sampler of bayesreg takes that yet; write the model in PyMC (bayesreg.to_pymc(problem) "
        "does where it can) and draw with pm.sample"
    )
    try:
        penalty = problem.given_ones().penalty
    except DegenerateMode:
        return f"prior: is {problem.prior.name}, and {advice}"
    if not isinstance(penalty, ElasticNetPenalty):
        return f"prior: is {problem.prior.name}, and {advice}"
    if penalty.nonnegative.any():
        name = problem.names[int(np.argmax(penalty.nonnegative))]
        return f"prior: allows no negative coefficient of {name!r}, and {advice}"
    return None


def require_known_prior(problem: Problem) -> None:
    """Raise InputError for a prior that no sampler of this package takes."""
    reason = reason_against_prior(problem)
    if reason is not None:
        raise InputError(reason)


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
        log_ratio = (
            np.log(sigma)[..., None] * self.sigma_power
            + np.log(scale)[..., None] * self.scale_power
        )
        shrink, square = np.exp(-log_ratio), 0.5 * (beta - self.penalty.loc) ** 2
        value = self.penalty.l1 * np.abs(beta) * shrink + self.penalty.l2 * square * shrink**2
        total: Array = (value + log_ratio).sum(axis=-1)
        return -total - self.constant


def _gaussian_rows(eta: Array, y: Vector, w: Vector, sigma: Array) -> Array:
    return (
        0.5 * (np.log(w) - LOG_2PI - w * ((y - eta) / sigma[..., None]) ** 2)
        - np.log(sigma)[..., None]
    )


def _bernoulli_rows(eta: Array, y: Vector, w: Vector, sigma: Array) -> Array:
    del sigma
    return -w * np.logaddexp(0.0, np.where(y > 0, -eta, eta))


def _poisson_rows(eta: Array, y: Vector, w: Vector, sigma: Array) -> Array:
    del sigma
    return w * (y * eta - np.exp(eta) - special.gammaln(y + 1))


_ROWS: dict[type[Likelihood], Callable[[Array, Vector, Vector, Array], Array]] = {
    Gaussian: _gaussian_rows,
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
    eta = beta @ design.X.T + intercept[..., None]
    if design.offset is not None:
        eta += design.offset
    return _ROWS[type(problem.likelihood)](eta, design.y, design.row_weights, sigma)


def log_joint(problem: Problem, draws: dict[str, Array]) -> Array:
    """Return ``−problem.objective`` at every draw.

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
    beta = draws["beta"]
    ones = np.ones(beta.shape[:-1])
    sigma, scale = draws.get("sigma", ones), draws.get("scale", ones)
    intercept = draws.get("intercept", 0.0 * ones)
    out = PriorShape.of(problem).log_density(beta, sigma, scale)
    for name, prior in problem.hyperpriors().items():
        out += np.vectorize(prior.log_density, otypes=[float])(draws[name])
    noise = noise_sd(problem, draws)
    for chain in range(beta.shape[0]):  # one chain at a time holds memory down: draws × rows
        out[chain] += log_likelihood(problem, beta[chain], intercept[chain], noise[chain]).sum(
            axis=-1
        )
    return out


def noise_sd(problem: Problem, draws: dict[str, Array]) -> Array:
    """Return the noise sd at every draw (chain, draw): drawn, known, or 1 where there is none."""
    if "sigma" in draws:
        return draws["sigma"]
    known = (
        math.sqrt(problem.likelihood.variance) if isinstance(problem.likelihood, Gaussian) else 1.0
    )
    return np.full(draws["beta"].shape[:-1], known)


def log_jacobian(prior: ScalePrior) -> float:
    """Return ``d/du log|dv/du|`` at u = log x: 2 for a density of v = x², 1 for one of v = x."""
    return 2.0 if prior.of_square else 1.0
