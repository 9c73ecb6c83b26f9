"""What is known exactly of a posterior, and what every exact solution can do."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._text_table import MOST_ROWS, apart, as_table, numbered

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array

_NO_EVIDENCE = (
    "  log p(y): none, as the constant of a flat prior is arbitrary; log_marginal_likelihood takes "
    "that of an intercept as 1"
)


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
        prior: such a prior has an arbitrary constant, so the evidence has one too. (Where nothing
        but the intercept has one, `bayesreg.log_marginal_likelihood` takes its density as 1, says
        so, and has a number, for use beside that of other models with such an intercept.)
    sigma2_mean, sigma2_sd, sigma_mean, sigma_sd : float or None
        Of the noise variance and of the noise sd, ``inf`` where there is no such moment, or one so
        nearly infinite that its tail cannot be summed; None where sigma is known.
    scale_mean, scale_sd : float or None
        Of the prior scale, ``inf`` where there is no such moment; None where it is known.
    a_n, b_n : float or None
        Shape and scale of the inverse gamma posterior of ``sigma**2``; None where it has no such
        law.
    names : tuple of str or None
        Names of the coefficients, for `print`.
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
    names: tuple[str, ...] | None = None

    def __str__(self) -> str:
        """Return a table of means and standard deviations, and what there is of the evidence."""
        extra = (
            ("intercept", self.intercept_mean, self.intercept_sd),
            ("sigma", self.sigma_mean, self.sigma_sd),
            ("scale", self.scale_mean, self.scale_sd),
        )
        there = [row for row in extra if row[1] is not None]
        both: dict[str, list[float | None]] = {
            "mean": [*(row[1] for row in there), *self.mean.tolist()],
            "sd": [*(row[2] for row in there), *self.sd.tolist()],
        }
        columns = self.names or numbered(self.mean.size)
        names = [*(apart(row[0], columns) for row in there), *columns]
        evidence = self.log_marginal_likelihood
        return "\n".join(
            [
                "posterior moments, exact",
                *as_table(names, both, most=MOST_ROWS + len(there)),
                _NO_EVIDENCE if evidence is None else f"  log p(y) = {evidence:.6g} nats",
            ]
        )


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
