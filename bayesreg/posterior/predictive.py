"""Draws of what was not observed: unknowns from their prior, and new targets from the posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import InputError, SamplingFailed
from bayesreg.likelihoods import Noise, Poisson
from bayesreg.posterior.density import noise_sd
from bayesreg.posterior.tails import flat_positions
from bayesreg.scale_priors import (
    Exponential,
    HalfCauchy,
    HalfFlat,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayesreg._validation import Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem
    from bayesreg.scale_priors import ScalePrior

# Counts beyond this are no longer those of 64 bits.
_LARGEST_LOG_RATE = 43.0


def _half_normal(prior: HalfNormal, rng: np.random.Generator, size: int) -> Vector:
    return prior.scale * np.abs(rng.standard_normal(size))


def _half_cauchy(prior: HalfCauchy, rng: np.random.Generator, size: int) -> Vector:
    return prior.scale * np.abs(rng.standard_cauchy(size))


def _half_student_t(prior: HalfStudentT, rng: np.random.Generator, size: int) -> Vector:
    return prior.scale * np.abs(rng.standard_t(prior.nu, size))


def _exponential(prior: Exponential, rng: np.random.Generator, size: int) -> Vector:
    return prior.scale * rng.standard_exponential(size)


def _inverse_gamma(prior: InverseGamma, rng: np.random.Generator, size: int) -> Vector:
    return np.sqrt(prior.scale / rng.standard_gamma(prior.shape, size))


_DRAW: dict[type[ScalePrior], Callable[..., Vector]] = {
    HalfNormal: _half_normal,
    HalfCauchy: _half_cauchy,
    HalfStudentT: _half_student_t,
    Exponential: _exponential,
    InverseGamma: _inverse_gamma,
}


def require_proper_prior(problem: Problem) -> None:
    """Raise InputError if an unknown has a flat prior, so that nothing can be drawn from it.

    The intercept, which is always flat, is left out of the draws instead.
    """
    for name, prior in problem.hyperpriors().items():
        if isinstance(prior, HalfFlat):
            msg = (
                f"prior: that of {name} is flat, so improper, and cannot be drawn from; give it a "
                "proper one such as HalfCauchy, or leave prior=False"
            )
            raise InputError(msg)
    flat = flat_positions(problem)
    if flat.size:
        column = problem.names[flat[0]]
        msg = (
            f"prior: is flat, so improper, on {column!r}, and cannot be drawn from; give it a "
            "finite scale, or leave prior=False"
        )
        raise InputError(msg)
    # Others say so themselves, and better now than after sampling.
    known = problem.coef_prior.given(sigma=1.0, scale=1.0)
    known.draw(problem.p, np.random.default_rng(0), 1)


def from_prior(
    problem: Problem, rng: np.random.Generator, chains: int, draws: int
) -> dict[str, Array]:
    """Draw coefficients and unknowns from their prior.

    Parameters
    ----------
    problem : Problem
        With a proper prior, but for the intercept; see `require_proper_prior`.
    rng : Generator
        Source of randomness.
    chains, draws : int
        The draws are independent; chains only label them.

    Returns
    -------
    dict of ndarray
        ``beta`` (chain, draw, p) and, where they are unknown, ``sigma`` and ``scale``
        (chain, draw), on the user's scale.

    Examples
    --------
    >>> from bayesreg import Gaussian, HalfNormal, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(HalfNormal(1.0)),
    ...                   prior=Laplace(scale=2.0, relative_to="sigma"))
    >>> drawn = from_prior(problem, np.random.default_rng(0), 4, 1000)
    >>> ratio = np.abs(drawn["beta"][..., 0]) / drawn["sigma"]  # exponential with mean 2
    >>> drawn["beta"].shape, bool(abs(ratio.mean() - 2) < 0.1)
    ((4, 1000, 1), True)
    """
    size = chains * draws
    unknown: dict[str, Vector] = {
        name: _DRAW[type(prior)](prior, rng, size) for name, prior in problem.hyperpriors().items()
    }
    prior, p = problem.coef_prior, problem.p
    if not unknown:
        beta = prior.draw(p, rng, size)
    else:
        values = [{name: float(value[k]) for name, value in unknown.items()} for k in range(size)]
        beta = np.concatenate([prior.given(**given).draw(p, rng, 1) for given in values])
    shape = (chains, draws)
    return {"beta": beta.reshape(*shape, p)} | {
        name: value.reshape(shape) for name, value in unknown.items()
    }


def new_targets(
    problem: Problem, posterior: Mapping[str, Array], rng: np.random.Generator
) -> Array:
    """Draw a new target for every row at every draw of the posterior.

    Parameters
    ----------
    problem : Problem
        The posterior.
    posterior : mapping of str to ndarray
        ``beta`` (chain, draw, p) and, where they exist, ``intercept`` and ``sigma``
        (chain, draw).
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (chain, draw, n)
        Targets at the predictors, weights and offsets of the data.

    Raises
    ------
    SamplingFailed
        If a draw makes a Poisson rate that is too large to draw counts from.
    """
    design, likelihood = problem.design, problem.likelihood
    beta = posterior["beta"]
    intercept = posterior.get("intercept", np.zeros(beta.shape[:-1]))
    noise = noise_sd(problem, dict(posterior))
    out = np.empty((*beta.shape[:-1], problem.n))
    for chain in range(beta.shape[0]):  # one chain at a time holds memory down
        eta = beta[chain] @ design.X.T + intercept[chain][:, None]
        if design.offset is not None:
            eta += design.offset
        if isinstance(likelihood, Noise):
            unit = likelihood.given(1.0).draw(np.zeros_like(eta), design.row_weights, rng)
            out[chain] = eta + noise[chain][:, None] * unit
        else:
            if isinstance(likelihood, Poisson) and not eta.max() < _LARGEST_LOG_RATE:
                msg = (
                    f"posterior_predictive: draws reach a rate of exp({eta.max():.3g}), too large "
                    "to draw counts from; give the coefficients a tighter prior"
                )
                raise SamplingFailed(msg)
            out[chain] = likelihood.draw(eta, design.row_weights, rng)
    return out
