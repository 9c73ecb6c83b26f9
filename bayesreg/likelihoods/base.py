"""What a likelihood of a linear predictor says: value, gradient, curvature, draws.

Methods take the linear predictor ``eta`` (n,), the target ``y`` (n,) and the row weights ``w``
(n,). Row weights are the prior weights of generalised linear models: the noise of a row of real
numbers has scale ``sigma / sqrt(w)`` (known relative precision); a Bernoulli or Poisson row counts
``w`` times.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from bayesreg._validation import as_positive
from bayesreg.errors import InputError
from bayesreg.priors import as_scale_prior
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Flat

type Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


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
    def metric(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return a positive curvature to measure steps and residuals with; shape (n,).

        The second derivative itself where that is never negative.
        """

    @abstractmethod
    def constant(self, y: Vector, w: Vector) -> float:
        """Return what `loss` leaves out of the negative log density, in nats."""

    @abstractmethod
    def recession_directions(self, y: Vector) -> tuple[Mask, Vector]:
        """Signs that describe directions of `eta` along which the loss stays bounded for ever.

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


@dataclass(frozen=True)
class ConvexLikelihood(Likelihood):
    """A likelihood that is log-concave in the predictor: a canonical generalised linear model.

    The negative log density of row i is ``w_i * (psi(eta_i) - y_i * eta_i) / phi + constant`` with
    a convex ``psi``, so that duality can prove an optimum.
    """

    def metric(self, eta: Vector, y: Vector, w: Vector) -> Vector:
        """Return the curvature."""
        return self.curvature(eta, y, w)

    @abstractmethod
    def fenchel_young(self, eta: Vector, dual: Vector, y: Vector, w: Vector) -> float:
        """Fenchel–Young loss ``sum f(eta) + f*(dual) - dual * eta`` >= 0; inf off the domain.

        It vanishes exactly where ``dual`` is the gradient at `eta`, and is the likelihood's share
        of the duality gap.
        """


class Noise(Likelihood):
    """A target that is the predictor plus noise of scale ``sigma / sqrt(w)``."""

    sigma: float | ScalePrior

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

    @abstractmethod
    def given(self, sigma: float) -> Self:
        """Return the same likelihood with sigma set to a number."""

    def check_target(self, y: Vector) -> None:
        """Accept every finite target."""

    def recession_directions(self, y: Vector) -> tuple[Mask, Vector]:
        """Pin every row: the loss rises both ways."""
        return np.ones(y.size, dtype=bool), np.zeros(y.size)


def as_sigma(sigma: float | ScalePrior | Flat) -> float | ScalePrior:
    """Return a noise scale: a positive number, or the prior of one."""
    unknown = as_scale_prior(sigma)
    return as_positive(sigma, "sigma") if unknown is None else unknown
