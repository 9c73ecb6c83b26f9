"""Binary targets and counts, with their canonical links."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import special

from bayesreg.errors import InputError
from bayesreg.likelihoods.base import ConvexLikelihood, Mask

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

# Relative rounding error that a dual point at the edge of a conjugate's domain may carry.
_ROUNDING = 1e-12


def _ratio(top: Vector, bottom: Vector) -> Vector:
    """Divide by numbers that may have underflowed to 0; 0 over 0 is 0."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.divide(top, bottom, out=np.zeros_like(top), where=top != 0)


@dataclass(frozen=True)
class Bernoulli(ConvexLikelihood):
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
class Poisson(ConvexLikelihood):
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
        with np.errstate(over="ignore", invalid="ignore"):
            rate = np.exp(eta)
            terms = rate - y * eta
            # An infinite rate outweighs any count, and a count of 0 is certain at a rate of 0.
            terms[np.isinf(rate)] = math.inf
            terms[(rate == 0) & (y == 0)] = 0.0
            return float(np.dot(w, terms))

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
