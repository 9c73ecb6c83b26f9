"""Student-t noise: robust regression."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from scipy import special

from bayesreg._validation import as_positive, set_fields
from bayesreg.likelihoods.base import Noise, as_sigma
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Flat

# Starts of the best intercept: quantiles of the target, of which the best few are followed.
_QUANTILES, _FOLLOWED = 15, 3
_STEPS, _STILL = 100, 1e-13


def log_one_plus_square(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``log(1 + z²)``, where the square may overflow.

    Parameters
    ----------
    z : ndarray
        Any numbers.

    Examples
    --------
    >>> log_one_plus_square(np.array([0.0, 1e200])) / np.log(10.0)
    array([  0., 400.])
    """
    size = np.abs(z)
    least, most = np.minimum(size, 1.0), np.maximum(size, 1.0)
    # log(1 + z²) = 2 log z + log(1 + 1/z²)
    return np.asarray(np.log1p((least / most) ** 2) + 2.0 * np.log(most))


@dataclass(frozen=True, init=False)
class StudentTNoise(Noise):
    """Student-t noise: ``y = eta + sigma / sqrt(w) * t``, where t has `nu` degrees of freedom.

    Robust regression: the pull of a row falls off as its distance grows, so far rows count for
    little (Lange, Little & Taylor 1989). The likelihood is not log-concave, and a posterior under
    it may have several modes. ``sigma`` is the scale of the noise, not its sd, which is
    ``sigma * sqrt(nu / (nu - 2))`` for ``nu > 2`` and infinite below.

    Parameters
    ----------
    nu : float
        Degrees of freedom, positive: 1 is Cauchy noise, and large ones are normal noise.
    sigma : float or ScalePrior
        Scale of the noise in units of the target, or a prior for it
        (`HalfNormal`, `HalfCauchy`, `Exponential`, `Flat`; `InverseGamma` is on ``sigma**2``).

    Raises
    ------
    InputError
        If `nu` or `sigma` is not positive.

    Examples
    --------
    >>> noise = StudentTNoise(nu=4.0, sigma=2.0)
    >>> noise.formula("Xβ")
    '2.5·Σ log(1 + (yᵢ − ηᵢ)²/(4·2²))'
    >>> noise.curvature(np.zeros(1), np.array([4.0]), np.ones(1))  # (nu + 1)/(nu σ²)·(1 − 1)/4
    array([0.])
    """

    nu: float
    sigma: float | ScalePrior
    name: ClassVar[str] = "student_t"

    def __init__(self, nu: float, sigma: float | ScalePrior | Flat = 1.0) -> None:
        set_fields(self, nu=as_positive(nu, "nu"), sigma=as_sigma(sigma))

    def standardized(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return ``z = sqrt(w / nu) * (eta - y) / sigma``, in which a row's loss is log(1 + z²)."""
        return self._unit(w) * (eta - y)

    def _unit(self, w: Vector) -> Vector:
        return np.asarray(np.sqrt(w / (self.nu * self.variance)))

    def given(self, sigma: float) -> Self:
        """Return the same likelihood with sigma set to a number."""
        return replace(self, sigma=sigma)

    def loss(self, eta: Vector, y: Vector, w: Vector) -> float:
        """Return ``(nu + 1) / 2 * sum log(1 + z**2)``."""
        terms = log_one_plus_square(self.standardized(eta, y, w))
        return 0.5 * (self.nu + 1.0) * float(terms.sum())

    def gradient(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return ``(nu + 1) * dz * z / (1 + z**2)``, where ``dz`` is the slope of z."""
        unit, z = self._unit(w), self.standardized(eta, y, w)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray((self.nu + 1.0) * unit * (z / (1.0 + z * z)))

    def curvature(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return ``(nu + 1) * dz**2 * (1 - z**2) / (1 + z**2)**2``, negative where ``|z| > 1``."""
        share = self._share(eta, y, w)
        return np.asarray(self.smoothness * w * share * (2.0 * share - 1.0))

    def metric(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return the curvature of the parabola about y that touches the loss at `eta` from above.

        ``(nu + 1) * dz**2 / (1 + z**2)``: the precision of a row in the step of an EM algorithm,
        to which the noise is normal with a gamma-distributed precision (Dempster, Laird & Rubin
        1977; Lange, Little & Taylor 1989).
        """
        return np.asarray(self.smoothness * w * self._share(eta, y, w))

    def _share(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        z = self.standardized(eta, y, w)
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / (1.0 + z * z))

    def constant(self, y: Vector, w: Vector) -> float:
        """Return ``sum log(sqrt(nu / w) * B(1/2, nu/2) * sigma)``, B being the beta function."""
        # The difference of log gammas would lose its digits as nu grows; log B does not.
        row = 0.5 * math.log(self.nu * self.variance) + float(special.betaln(0.5, 0.5 * self.nu))
        return y.size * row - 0.5 * float(np.log(w).sum())

    def null_intercept(self, y: Vector, w: Vector, offset: Vector) -> float:
        """Return a location of least loss, found from several quantiles; the median without sigma.

        The loss may have several minima, so this is the best that was found.
        """
        target = y - offset
        order = np.argsort(target)
        share = np.cumsum(np.sqrt(w[order]))
        if not self.conditional:
            return float(target[order[np.searchsorted(share, 0.5 * share[-1])]])
        levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES * share[-1]
        starts = np.unique(target[order[np.searchsorted(share, levels)]])[:, None]
        best = np.argsort(self._losses(starts, target, w), kind="stable")[:_FOLLOWED]
        ends = self._settle(starts[best], target, w)
        return float(ends[np.argmin(self._losses(ends, target, w)), 0])

    def _losses(self, levels: NDArray[np.float64], target: Vector, w: Vector) -> Vector:
        """Return the loss of each level of shape (m, 1) by itself; shape (m,)."""
        return np.array([self.loss(level, target, w) for level in levels])

    def _settle(
        self, levels: NDArray[np.float64], target: Vector, w: Vector
    ) -> NDArray[np.float64]:
        """Descend from levels (m, 1) by weighted means, each of which lowers the loss."""
        still = _STILL * float(np.ptp(target))
        for _ in range(_STEPS):
            pull = self.metric(levels, target, w)
            moved = (pull @ target / pull.sum(axis=1))[:, None]
            if np.abs(moved - levels).max() <= still:
                return moved
            levels = moved
        return levels

    def draw(self, eta: Matrix, w: Vector, rng: np.random.Generator) -> Matrix:
        """Draw targets about the predictor."""
        noise = rng.standard_t(self.nu, size=eta.shape)
        return np.asarray(eta + math.sqrt(self.variance) / np.sqrt(w) * noise)

    def formula(self, predictor: str) -> str:
        """Return the loss in terms of η, with the number of sigma, or σ where it is unknown."""
        ahead = f"{0.5 * (self.nu + 1.0):.6g}·Σ log(1 + (yᵢ − ηᵢ)²/({self.nu:.6g}·"
        if isinstance(self.sigma, ScalePrior):
            return f"{ahead}σ²)) + n·log σ + {self.sigma.formula('σ')}"
        return f"{ahead}{self.sigma:.6g}²))"

    @property
    def smoothness(self) -> float:
        """``(nu + 1) / (nu * sigma**2)``: the curvature of a row that is met exactly."""
        return (self.nu + 1.0) / (self.nu * self.variance)

    @property
    def concavity(self) -> float:
        """Minus the least curvature per unit of weight: an eighth of the largest, at ``z² = 3``."""
        return self.smoothness / 8.0
