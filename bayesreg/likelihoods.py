"""Likelihoods of a linear predictor: value, gradient, curvature, conjugate, draws.

Each is a canonical generalised linear model: the negative log density of row i is
``w_i * (psi(eta_i) - y_i * eta_i) / phi + constant`` with a convex ``psi``. Methods take the linear
predictor ``eta`` (n,), the target ``y`` (n,) and the row weights ``w`` (n,).

Row weights are the prior weights of generalised linear models: a Gaussian row has variance
``sigma**2 / w`` (known relative precision); a Bernoulli or Poisson row counts ``w`` times.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import special

from bayesreg._validation import Vector, as_positive, set_fields
from bayesreg.errors import InputError
from bayesreg.priors import Flat, as_scale_prior
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from bayesreg._validation import Matrix

LOG_2PI = math.log(2 * math.pi)

# Relative rounding error that a dual point at the edge of a conjugate's domain may carry.
_ROUNDING = 1e-12

type Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


def _ratio(top: Vector, bottom: Vector) -> Vector:
    """Divide by numbers that may have underflowed to 0; 0 over 0 is 0."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.divide(top, bottom, out=np.zeros_like(top), where=top != 0)


@dataclass(frozen=True)
class Likelihood(ABC):
    """One family of densities of the target given the linear predictor."""

    name: ClassVar[str]

    @abstractmethod
    def check_target(self, y: Vector) -> None:
        """Raise InputError if `y` is not in the support of the family."""

    @abstractmethod
    def loss(self, eta: Vector, y: Vector, w: Vector) -> float:
        """Negative log density without the terms that do not depend on `eta`, in nats."""

    @abstractmethod
    def gradient(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Derivative of the loss with respect to each entry of `eta`; shape (n,)."""

    @abstractmethod
    def curvature(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Second derivative of the loss with respect to each entry of `eta`; shape (n,)."""

    @abstractmethod
    def constant(self, y: Vector, w: Vector) -> float:
        """Return what `loss` leaves out of the negative log density, in nats."""

    @abstractmethod
    def fenchel_young(self, eta: Vector, dual: Vector, y: Vector, w: Vector) -> float:
        """Fenchel–Young loss ``sum f(eta) + f*(dual) - dual * eta`` >= 0; inf off the domain.

        It vanishes exactly where ``dual`` is the gradient at `eta`, and is the likelihood's share
        of the duality gap.
        """

    @abstractmethod
    def recession_directions(self, y: Vector) -> tuple[Mask, Vector]:
        """Signs that describe directions of `eta` along which the loss never rises.

        Returns
        -------
        equal : ndarray of bool, shape (n,)
            Rows whose predictor must stand still.
        sign : ndarray, shape (n,)
            For the other rows: +1 if the predictor may only rise, -1 if it may only fall.
        """

    @abstractmethod
    def null_intercept(self, y: Vector, w: Vector, offset: Vector) -> float:
        """Best intercept without predictors (near it, for Bernoulli with an offset); a start."""

    @abstractmethod
    def draw(self, eta: Matrix, w: Vector, rng: np.random.Generator) -> Matrix:
        """Draw targets given predictors of shape (..., n)."""

    @abstractmethod
    def formula(self, predictor: str) -> str:
        """Return the loss as text, with its numbers; in terms of η where the predictor is long."""

    @property
    def conditional(self) -> bool:
        """Whether all parameters other than the predictor are numbers."""
        return True

    @property
    def smoothness(self) -> float | None:
        """Largest curvature per unit of weight, or None where it has no bound."""
        return None


@dataclass(frozen=True, init=False)
class Gaussian(Likelihood):
    """Normal noise: ``y ~ N(eta, sigma**2 / w)``.

    Parameters
    ----------
    sigma : float or ScalePrior
        Standard deviation of the noise in units of the target, or a prior for it
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
        unknown = as_scale_prior(sigma)
        set_fields(self, sigma=as_positive(sigma, "sigma") if unknown is None else unknown)

    @property
    def conditional(self) -> bool:
        """Whether sigma is a number."""
        return not isinstance(self.sigma, ScalePrior)

    @property
    def variance(self) -> float:
        """``sigma**2``; InputError if sigma is not a number."""
        if isinstance(self.sigma, ScalePrior):
            msg = "sigma: is unknown here; give a value, e.g. problem.given(sigma=1.0)"
            raise InputError(msg)
        return self.sigma**2

    def given(self, sigma: float) -> Gaussian:
        """Return the same likelihood with sigma set to a number."""
        return replace(self, sigma=sigma)

    def check_target(self, y: Vector) -> None:
        """Accept every finite target."""

    def loss(self, eta: Vector, y: Vector, w: Vector) -> float:
        """Return ``sum w * (y - eta)**2 / (2 sigma**2)``."""
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

    def recession_directions(self, y: Vector) -> tuple[Mask, Vector]:
        """Pin every row: the square rises both ways."""
        return np.ones(y.size, dtype=bool), np.zeros(y.size)

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


@dataclass(frozen=True)
class Bernoulli(Likelihood):
    """Binary target through the logit: ``P(y = 1) = 1 / (1 + exp(-eta))``.

    Examples
    --------
    >>> round(Bernoulli().loss(np.zeros(1), np.ones(1), np.ones(1)), 6)  # log 2
    0.693147
    """

    name: ClassVar[str] = "bernoulli"

    def check_target(self, y: Vector) -> None:
        """Require 0 and 1, both present."""
        values = np.unique(y)
        if not np.isin(values, (0.0, 1.0)).all():
            found = ", ".join(f"{v:g}" for v in values[:4])
            msg = f"y: a Bernoulli target must hold 0 and 1, found {found}; recode the labels"
            raise InputError(msg)
        if values.size == 1:
            msg = f"y: holds one class only ({values[0]:g}); both 0 and 1 are needed"
            raise InputError(msg)

    def loss(self, eta: Vector, y: Vector, w: Vector) -> float:
        """Return ``sum w * (log(1 + exp(eta)) - y * eta)``, without cancellation."""
        return float(np.dot(w, np.logaddexp(0.0, np.where(y > 0, -eta, eta))))

    def gradient(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return ``w * (expit(eta) - y)``, accurate to the last digit in both tails."""
        return w * np.where(y > 0, -special.expit(-eta), special.expit(eta))

    def curvature(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return ``w * expit(eta) * expit(-eta)``."""
        return w * special.expit(eta) * special.expit(-eta)

    def constant(self, y: Vector, w: Vector) -> float:
        """Return 0: the loss is the whole negative log density."""
        return 0.0

    def fenchel_young(self, eta: Vector, dual: Vector, y: Vector, w: Vector) -> float:
        """Return ``sum w * KL(q || expit(eta))`` with ``q = y + dual / w`` in [0, 1].

        In terms of ``d = q - p``, which is small near the optimum, so that nothing cancels.
        """
        d = (dual - self.gradient(eta, y, w)) / w
        p, rest = special.expit(eta), special.expit(-eta)
        # Within rounding of the ends, q is at the end.
        q, other = p + d, rest - d
        if (q < -_ROUNDING * p).any() or (other < -_ROUNDING * rest).any():
            return math.inf
        up, down = np.maximum(_ratio(d, p), -1.0), np.maximum(_ratio(-d, rest), -1.0)
        kl = special.xlog1py(np.maximum(q, 0.0), up) + special.xlog1py(np.maximum(other, 0.0), down)
        return float(np.dot(w, np.maximum(kl, 0.0)))

    def recession_directions(self, y: Vector) -> tuple[Mask, Vector]:
        """Let ones only rise and zeros only fall: separation."""
        return np.zeros(y.size, dtype=bool), np.where(y > 0, 1.0, -1.0)

    def null_intercept(self, y: Vector, w: Vector, offset: Vector) -> float:
        """Return the log-odds of the weighted mean, less the mean offset."""
        return float(special.logit(np.average(y, weights=w)) - np.average(offset, weights=w))

    def draw(self, eta: Matrix, w: Vector, rng: np.random.Generator) -> Matrix:
        """Draw zeros and ones (one observation per row, whatever its weight)."""
        return (rng.random(eta.shape) < special.expit(eta)).astype(np.float64)

    def formula(self, predictor: str) -> str:
        """Return the logistic loss as text."""
        return "Σ[log(1 + exp ηᵢ) − yᵢηᵢ]"

    @property
    def smoothness(self) -> float:
        """A quarter."""
        return 0.25


@dataclass(frozen=True)
class Poisson(Likelihood):
    """Counts through the logarithm: ``y ~ Poisson(exp(eta))``.

    Examples
    --------
    >>> Poisson().gradient(np.zeros(1), np.array([3.0]), np.ones(1))
    array([-2.])
    """

    name: ClassVar[str] = "poisson"

    def check_target(self, y: Vector) -> None:
        """Require whole numbers from 0 on, not all zero."""
        if (y < 0).any() or (y != np.floor(y)).any():
            bad = y[(y < 0) | (y != np.floor(y))][0]
            msg = f"y: a Poisson target must hold whole numbers >= 0, found {bad:g}"
            raise InputError(msg)

    def loss(self, eta: Vector, y: Vector, w: Vector) -> float:
        """Return ``sum w * (exp(eta) - y * eta)``; inf where exp overflows."""
        with np.errstate(over="ignore"):
            return float(np.dot(w, np.exp(eta) - y * eta))

    def gradient(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return ``w * (exp(eta) - y)``."""
        with np.errstate(over="ignore"):
            return w * (np.exp(eta) - y)

    def curvature(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return ``w * exp(eta)``."""
        with np.errstate(over="ignore"):
            return w * np.exp(eta)

    def constant(self, y: Vector, w: Vector) -> float:
        """Return ``sum w * log(y!)``."""
        return float(np.dot(w, special.gammaln(y + 1)))

    def fenchel_young(self, eta: Vector, dual: Vector, y: Vector, w: Vector) -> float:
        """Return ``sum w * (q log(q / mu) - q + mu)`` with ``q = y + dual / w`` at least 0.

        In terms of ``t = q / mu - 1``, which is small near the optimum, so that nothing cancels.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            mu = np.exp(eta)
            t = _ratio(dual - self.gradient(eta, y, w), w * mu)
            if not (t >= -1 - _ROUNDING).all() or np.isinf(t).any():
                return math.inf
            t = np.maximum(t, -1.0)
            return float(np.dot(w * mu, np.maximum(special.xlog1py(1 + t, t) - t, 0.0)))

    def recession_directions(self, y: Vector) -> tuple[Mask, Vector]:
        """Pin positive counts, let zero counts only fall."""
        return y > 0, np.where(y > 0, 0.0, -1.0)

    def null_intercept(self, y: Vector, w: Vector, offset: Vector) -> float:
        """Return ``log(sum w y / sum w exp(offset))``."""
        return float(np.log(w @ y) - special.logsumexp(offset, b=w))

    def draw(self, eta: Matrix, w: Vector, rng: np.random.Generator) -> Matrix:
        """Draw counts (one observation per row, whatever its weight)."""
        return rng.poisson(np.exp(eta)).astype(np.float64)

    def formula(self, predictor: str) -> str:
        """Return the Poisson loss as text."""
        return "Σ[exp ηᵢ − yᵢηᵢ]"


LIKELIHOODS: tuple[type[Likelihood], ...] = (Gaussian, Bernoulli, Poisson)
