r"""Priors of one coefficient as functions of a standard normal number.

If β has size ``|β| = h(E)``, E a unit exponential, then ``E = −log 2Φ(−|z|)`` makes β of z with the
sign of z, and ``E = −log Φ(−z)`` a β that is at least 0. In z the prior is standard normal: no tail
is heavy, no density infinite, a kink at 0 becomes smooth and a bound is at infinity. That is the
non-centred form of a scale mixture with the local scales integrated out.

`h` is ``S⁻¹(exp(−E))`` for the survival function S of the size, in units of the prior's scale:
closed for Laplace and truncated normal sizes, tabulated from the prior's own
density for every other.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special
from scipy.interpolate import CubicHermiteSpline

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector

LOG_2 = math.log(2)
_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

# The table is uniform in log size. Steps of 0.02 leave an interpolation error below 1e-9, but for
# tails as thin as exp(−x¹⁰); sizes below exp(−40) are linear in E.
_STEP, _LOWEST, _HIGHEST = 0.02, -40.0, 300.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


class Sizes(ABC):
    """A size as an increasing function of a unit exponential number."""

    @abstractmethod
    def __call__(self, e: Vector) -> tuple[Vector, Vector]:
        """Return the size and its derivative at each number; shapes (p,)."""


class LaplaceSizes(Sizes):
    """``|β| ~ Exponential(1)``."""

    def __call__(self, e: Vector) -> tuple[Vector, Vector]:
        """Return the number itself."""
        return e, np.ones_like(e)


@dataclass(frozen=True, eq=False)
class TruncatedSizes(Sizes):
    """``N(mean, 1)`` given that it is positive.

    Attributes
    ----------
    mean : ndarray, shape (p,)
        Mean before truncation.
    """

    mean: Vector

    def __call__(self, e: Vector) -> tuple[Vector, Vector]:
        """Return ``mean − Φ⁻¹(exp(−e) Φ(mean))``, and one over the hazard."""
        left = special.ndtri_exp(special.log_ndtr(self.mean) - e)
        hazard = -0.5 * left**2 - _HALF_LOG_2PI - special.log_ndtr(left)
        return np.maximum(self.mean - left, 0.0), np.exp(-hazard)


class TabulatedSizes(Sizes):
    """Any size with a density: ``log size`` as a cubic spline in ``log E``.

    Parameters
    ----------
    log_density : callable
        Log density of the size at sizes (m,), normalised on the positive numbers.
    """

    def __init__(self, log_density: Callable[[Vector], Vector]) -> None:
        log_size, log_e, slope = _table(log_density)
        self.spline = CubicHermiteSpline(log_e, log_size, 1.0 / slope)
        self.derivative = self.spline.derivative()
        self.low = float(log_e[0])

    def __call__(self, e: Vector) -> tuple[Vector, Vector]:
        """Return the size; in proportion to `e` below the table."""
        floor = math.exp(self.low)
        log_e = np.log(np.maximum(e, floor))
        size, rate = np.exp(self.spline(log_e)), self.derivative(log_e)
        inside = e > floor
        share = np.where(inside, 1.0, e / floor)
        return size * share, size * np.where(inside, rate / np.maximum(e, floor), 1.0 / floor)


def _table(log_density: Callable[[Vector], Vector]) -> tuple[Vector, Vector, Vector]:
    """Return log size, log E and ``d log E / d log size`` at the knots of a table."""
    knots = np.arange(_LOWEST, _HIGHEST, _STEP)
    with np.errstate(over="ignore"):  # of a penalty, far out
        log_mass = log_density(np.exp(knots)) + knots
    # What is left where this underflows no chain will ever see; nor can it be integrated.
    knots, log_mass = knots[log_mass > -300.0], log_mass[log_mass > -300.0]
    inside = knots[:-1, None] + 0.5 * _STEP * (1.0 + _NODES)
    each = np.exp(log_density(np.exp(inside.ravel())) + inside.ravel()).reshape(inside.shape)
    cells = 0.5 * _STEP * (each @ _WEIGHTS)
    # Below the first knot the density is nearly constant; above the last there is next to nothing.
    below = np.exp(log_mass[0]) + np.concatenate([[0.0], np.cumsum(cells)])
    above = np.concatenate([np.cumsum(cells[::-1])[::-1], [0.0]]) + _tail(knots, log_mass)
    e = np.where(below < 0.5, -np.log1p(-np.minimum(below, 0.5)), -np.log(above))
    return knots, np.log(e), np.exp(log_mass) / above / e


def _tail(knots: Vector, log_mass: Vector) -> float:
    """Integrate beyond the last knot, as if the log density went on in log size as a line."""
    slope = (log_mass[-2] - log_mass[-1]) / (knots[-1] - knots[-2])
    return float(np.exp(log_mass[-1]) / slope)


def signed_exponential(z: Vector) -> tuple[Vector, Vector]:
    """Return ``E = −log 2Φ(−|z|)`` and ``dE/d|z|``, exact to the last digits near 0 and far out."""
    size = np.abs(z)
    log_tail = special.log_ndtr(-size)
    near = np.minimum(size, 1.0)
    e = np.where(size < 1.0, -np.log1p(-special.erf(near / math.sqrt(2))), -LOG_2 - log_tail)
    return e, np.exp(-0.5 * size**2 - _HALF_LOG_2PI - log_tail)


def positive_exponential(z: Vector) -> tuple[Vector, Vector]:
    """Return ``E = −log Φ(−z)`` and ``dE/dz``."""
    log_tail = special.log_ndtr(-z)
    return -log_tail, np.exp(-0.5 * z**2 - _HALF_LOG_2PI - log_tail)
