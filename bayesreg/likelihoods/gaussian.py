"""Normal noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from bayesreg._validation import set_fields
from bayesreg.likelihoods.base import ConvexLikelihood, Noise, as_sigma
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Flat

LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, init=False)
class Gaussian(ConvexLikelihood, Noise):
    """Normal noise: ``y ~ N(eta, sigma**2 / w)``.

    Parameters
    ----------
    sigma : float or ScalePrior
        Standard deviation of the noise in units of the target (1 unless given), or a prior for it
        (`HalfNormal`, `HalfCauchy`, `Exponential`, `Flat`; `InverseGamma` is on ``sigma**2``).

    Raises
    ------
    InputError
        If `sigma` is not positive.

    Examples
    --------
    >>> Gaussian(sigma=2.0).formula("Xβ")
    '‖y − Xβ‖²/(2·2²)'
    """

    sigma: float | ScalePrior
    name: ClassVar[str] = "gaussian"

    def __init__(self, sigma: float | ScalePrior | Flat = 1.0) -> None:
        set_fields(self, sigma=as_sigma(sigma))

    def given(self, sigma: float) -> Self:
        """Return the same likelihood with sigma set to a number."""
        return replace(self, sigma=sigma)

    def loss(self, eta: Vector, y: Vector, w: Vector) -> float:
        """Return ``sum w * (y - eta)**2 / (2 sigma**2)``."""
        with np.errstate(over="ignore"):
            residual = y - eta
            return float(np.dot(w * residual, residual)) / (2 * self.variance)

    def gradient(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return ``w * (eta - y) / sigma**2``."""
        return w * (eta - y) / self.variance

    def curvature(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return ``w / sigma**2``."""
        return w / self.variance

    def constant(self, y: Vector, w: Vector) -> float:
        """Return ``sum log(2 pi sigma**2 / w) / 2``."""
        return 0.5 * (y.size * (LOG_2PI + math.log(self.variance)) - float(np.log(w).sum()))

    def fenchel_young(self, eta: Vector, dual: Vector, y: Vector, w: Vector) -> float:
        """Return ``sum sigma**2 / (2 w) * (dual - gradient)**2``."""
        difference = dual - self.gradient(eta, y, w)
        return 0.5 * self.variance * float(np.dot(difference / w, difference))

    def null_intercept(self, y: Vector, w: Vector, offset: Vector) -> float:
        """Return the weighted mean of ``y - offset``."""
        return float(np.average(y - offset, weights=w))

    def draw(self, eta: Matrix, w: Vector, rng: np.random.Generator) -> Matrix:
        """Draw normal targets."""
        return rng.normal(eta, math.sqrt(self.variance) / np.sqrt(w))

    def formula(self, predictor: str) -> str:
        """Return ``‖y − Xβ‖²/(2·σ²)`` with the number of sigma, or σ where it is unknown."""
        if isinstance(self.sigma, ScalePrior):
            return f"‖y − {predictor}‖²/(2σ²) + n·log σ + {self.sigma.formula('σ')}"
        return f"‖y − {predictor}‖²/(2·{self.sigma:.6g}²)"

    @property
    def smoothness(self) -> float:
        """``1 / sigma**2``."""
        return 1.0 / self.variance
