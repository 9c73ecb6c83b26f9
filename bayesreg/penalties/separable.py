"""Penalties that are a sum over coefficients: what solvers need to know of each term."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Self

import numpy as np

from bayesreg.penalties.base import Mask, Penalty, soften

if TYPE_CHECKING:
    from bayesreg._validation import Vector


class SeparablePenalty(Penalty):
    """``Σ g_j(β_j)``, each g_j smooth except at 0, some β_j at least 0.

    Attributes
    ----------
    nonnegative : ndarray of bool, shape (p,)
        Which coefficients may not fall below 0.
    """

    nonnegative: Mask

    @property
    @abstractmethod
    def kink(self) -> Vector:
        """Half the width of each subdifferential at 0; inf where 0 is always a local minimum."""

    @abstractmethod
    def values(self, coef: Vector) -> Vector:
        """Return each ``g_j(β_j)``, shape (p,); inf outside of a bound."""

    @abstractmethod
    def slope(self, coef: Vector) -> Vector:
        """Return each ``g_j'(β_j)``, shape (p,); at a kink the middle of the subdifferential."""

    @abstractmethod
    def curvature(self, coef: Vector) -> Vector:
        """Return each ``g_j''(β_j)``, shape (p,); at a kink that of the smooth part."""

    @abstractmethod
    def beside_free(self, count: int) -> Self:
        """Put `count` coefficients without a penalty, such as an intercept, before the others."""

    @property
    @abstractmethod
    def strict(self) -> Mask:
        """Which terms are strictly convex by themselves; shape (p,)."""

    @property
    def kinked(self) -> Mask:
        """Which coefficients may be held at exactly 0; shape (p,)."""
        return np.asarray((self.kink > 0) | self.nonnegative)

    def value(self, coef: Vector) -> float:
        """Return the sum of the terms."""
        return float(self.values(coef).sum())

    def towards_domain(self, correlation: Vector, error: Vector) -> Vector:
        """Move each correlation towards 0: the domain is an interval per coefficient."""
        return soften(correlation, error)

    def subdifferential_distance(self, coef: Vector, gradient: Vector) -> Vector:
        """Return the distance of ``−gradient`` to the subdifferential at `coef`, per coefficient.

        Zero everywhere is the KKT condition; `gradient` is that of the loss.
        """
        inside = np.isfinite(coef) & ~(self.nonnegative & (coef < 0))
        total = gradient + self.slope(np.where(inside, coef, 0.0))
        # At a bound only a pull upwards counts.
        pull = np.where(self.nonnegative, -total, np.abs(total))
        at_kink = np.maximum(pull - self.kink, 0.0)
        distance = np.where(coef == 0, at_kink, np.abs(total))
        return np.where(inside, distance, math.inf)
