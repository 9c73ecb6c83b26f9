"""What is known exactly of a posterior, and what every exact solution can do."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array


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
        ``log p(y)`` in nats. None where the intercept, a coefficient or an unknown has a flat
        prior: such a prior has an arbitrary constant, so the evidence has one too.
    sigma2_mean, sigma2_sd, sigma_mean, sigma_sd : float or None
        Of the noise variance and of the noise sd, ``inf`` where there is no such moment, or one so
        nearly infinite that its tail cannot be summed; None where sigma is known.
    scale_mean, scale_sd : float or None
        Of the prior scale, ``inf`` where there is no such moment; None where it is known.
    a_n, b_n : float or None
        Shape and scale of the inverse gamma posterior of ``sigma**2``; None where it has no such
        law.
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
    sigma_sd: float | None = None
    scale_mean: float | None = None
    scale_sd: float | None = None


@dataclass(frozen=True, eq=False)
class Level:
    """The intercept of centred columns, ``α + column_mean·β``, independent of β given sigma.

    Attributes
    ----------
    mean, sd : float
        Its mean, and its sd where sigma is 1.
    column_mean : ndarray, shape (p,)
        What was subtracted from the columns.
    """

    mean: float
    sd: float
    column_mean: Vector

    def moments(self, mean: Vector, variance: float, noise: float) -> tuple[float, float]:
        """Mean and sd of the intercept; of ``column_mean·β`` a variance, and the mean of sigma²."""
        sd = math.sqrt(noise * self.sd**2 + variance)
        return self.mean - float(self.column_mean @ mean), sd

    def draw(self, beta: Array, sigma: Array | float, rng: np.random.Generator) -> Array:
        """Draw the intercept given coefficients (..., p) and sigma (...)."""
        z = rng.standard_normal(beta.shape[:-1])
        return np.asarray(self.mean + sigma * self.sd * z - beta @ self.column_mean)


class Solution(ABC):
    """A posterior whose integrals are known and from which independent draws can be made."""

    @abstractmethod
    def moments(self) -> Moments:
        """Return the moments; NoClosedForm where a coefficient has no variance."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> dict[str, Array]:
        """Draw independently, shapes (chain, draw, ...), under the names of `Draws.posterior`."""


def assemble(
    mean: Vector,
    covariance: Matrix,
    log_marginal_likelihood: float | None,
    intercept: tuple[float, float] | None,
    **unknown: Any,
) -> Moments:
    """Make moments; the intercept has a mean and an sd."""
    centre, width = intercept or (None, None)
    sd = np.sqrt(np.diag(covariance))
    return Moments(mean, sd, covariance, centre, width, log_marginal_likelihood, **unknown)
