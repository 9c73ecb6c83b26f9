"""What every penalty can say of itself: value, prox, subdifferential, and its dual if convex."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

type Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


def soften(values: Vector, by: Vector) -> Vector:
    """Move each number towards 0 by this much, to 0 at the most."""
    return np.sign(values) * np.maximum(np.abs(values) - by, 0.0)


class Penalty(ABC):
    """A function of p coefficients, in nats: minus a log density up to a constant.

    Attributes
    ----------
    convex : bool
        Whether it is convex. Only then do `fenchel_young` and `dual_scale` mean anything, and only
        then can a certificate be global; otherwise it says "stationary" and no more.
    """

    convex: ClassVar[bool] = True

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of coefficients."""

    @property
    @abstractmethod
    def flat(self) -> Mask:
        """Which coefficients have no penalty at all; shape (p,)."""

    @property
    def half_flat(self) -> Mask:
        """Which coefficients may not fall below 0 and have no penalty otherwise; shape (p,)."""
        return np.zeros(self.size, dtype=bool)

    @property
    def levels(self) -> Matrix:
        """Directions of several coefficients at once along which it is constant; shape (p, k)."""
        return np.zeros((self.size, 0))

    @abstractmethod
    def value(self, coef: Vector) -> float:
        """Return the penalty at `coef` (p,); inf outside of a constraint."""

    @abstractmethod
    def prox(self, point: Vector, step: float) -> Vector:
        """Return ``argmin_u ‖u − point‖²/(2 step) + penalty(u)``, shape (p,), zeros exact.

        A global minimiser where the penalty is not convex and there are several.
        """

    @abstractmethod
    def subdifferential_distance(self, coef: Vector, gradient: Vector) -> Vector:
        """Return the distance of ``−gradient`` to the subdifferential at `coef`, shape (p,).

        Zero everywhere is the KKT condition; `gradient` is that of the loss. Where coefficients
        are tied together, each of them reports its share of the distance. NaN or inf in, no 0 out;
        inf at a coefficient outside of a constraint.
        """

    @abstractmethod
    def rescaled(self, factor: Vector) -> Self:
        """Penalty of ``factor · β`` where this is the penalty of β; `factor` (p,) is positive."""

    @abstractmethod
    def dual_scale(self, correlation: Vector) -> float:
        """Largest s in [0, 1] with ``−s · correlation`` in the domain of the conjugate.

        Flat coefficients are left out: what the caller does about them is the caller's business.
        """

    def towards_domain(self, correlation: Vector, error: Vector) -> Vector:
        """Move correlations by no more than their errors, so that `dual_scale` shrinks them least.

        One that ought to be 0, or no larger than the penalty's slope, and is not, would otherwise
        shrink the whole dual point by what rounding made of it. By default nothing moves, as where
        the conjugate is finite everywhere.
        """
        del error
        return correlation

    def fenchel_young_error(self, coef: Vector, error: Vector) -> float:
        """Return what errors of the correlations may take from `fenchel_young`, in nats.

        To first order: the product with the coefficients, once as it stands and once because the
        dual point is shrunk by as much as the errors may have lengthened it.
        """
        return 2.0 * float(error @ np.abs(coef))

    @abstractmethod
    def fenchel_young(self, coef: Vector, dual: Vector) -> float:
        """Return ``penalty(coef) + penalty*(−dual) + dual·coef``, at least 0; inf off the domain.

        Written as sums of non-negative terms, so that no digits cancel near the optimum.
        """
