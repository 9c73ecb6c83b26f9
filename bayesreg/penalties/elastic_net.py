"""The elastic-net penalty: absolute values, squares, and signs that are given."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from bayesreg._validation import set_fields
from bayesreg.penalties._projections import weighted
from bayesreg.penalties.separable import SeparablePenalty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.penalties.base import Mask

    type Positions = NDArray[np.intp] | NDArray[np.bool_] | slice


@dataclass(frozen=True, eq=False)
class ElasticNetPenalty(SeparablePenalty):
    """``Σ l1_j |β_j| + Σ l2_j (β_j − loc_j)² / 2`` in nats, some β_j at least 0.

    Attributes
    ----------
    l1, l2, loc : ndarray, shape (p,)
        Weight of the absolute value (1 / Laplace scale), of half the square (1 / variance), and
        where the square is centred.
    nonnegative : ndarray of bool, shape (p,)
        Which coefficients may not fall below 0; none by default.
    """

    l1: Vector
    l2: Vector
    loc: Vector
    nonnegative: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self) -> None:
        """Spell out that no coefficient is bounded."""
        if self.nonnegative.size != self.l1.size:
            set_fields(self, nonnegative=np.zeros(self.l1.size, dtype=bool))

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.l1.size

    @property
    def flat(self) -> Mask:
        """Which coefficients have no penalty at all; shape (p,)."""
        return np.asarray((self.l1 == 0) & (self.l2 == 0) & ~self.nonnegative)

    @property
    def half_flat(self) -> Mask:
        """Which coefficients have a bound only; shape (p,)."""
        return np.asarray((self.l1 == 0) & (self.l2 == 0) & self.nonnegative)

    @property
    def kink(self) -> Vector:
        """Half the width of each subdifferential at 0: `l1`."""
        return self.l1

    def value(self, coef: Vector) -> float:
        """Return the penalty at `coef` (p,)."""
        if (coef[self.nonnegative] < 0).any():
            return math.inf
        shifted = coef - self.loc
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(self.l1 @ np.abs(coef) + 0.5 * (self.l2 * shifted) @ shifted)
        return float(self.values(coef).sum()) if math.isnan(total) else total

    def values(self, coef: Vector) -> Vector:
        """Return the penalty of each coefficient, shape (p,)."""
        with np.errstate(over="ignore"):
            square = (coef - self.loc) ** 2
            each = weighted(self.l1, np.abs(coef)) + 0.5 * weighted(self.l2, square)
        return np.where(self.nonnegative & (coef < 0), math.inf, each)

    def slope(self, coef: Vector) -> Vector:
        """Return ``l1 sign(β) + l2 (β − loc)``, shape (p,)."""
        return self.smooth_gradient(coef) + self.l1 * np.sign(coef)

    def curvature(self, coef: Vector) -> Vector:
        """Return `l2`."""
        del coef
        return self.l2

    @property
    def strict(self) -> Mask:
        """Which coefficients have a square; shape (p,)."""
        return np.asarray(self.l2 > 0)

    def rescaled(self, factor: Vector) -> Self:
        """Penalty of ``factor · β``."""
        # Zeros are shared: along a path of 100 000 columns, new memory is what costs time.
        return replace(
            self,
            l1=self.l1 / factor,
            l2=self.l2 / factor**2 if self.l2.any() else self.l2,
            loc=self.loc * factor if self.loc.any() else self.loc,
        )

    def times(self, factor: float) -> Self:
        """Return `factor` times the penalty."""
        l2 = self.l2 * factor if self.l2.any() else self.l2
        return replace(self, l1=self.l1 * factor, l2=l2)

    def with_slopes(self, factor: float) -> Self:
        """Multiply the slopes at the kinks only."""
        return replace(self, l1=self.l1 * factor)

    def beside_free(self, count: int) -> Self:
        """Put `count` coefficients without a penalty, such as an intercept, before the others."""
        pad = (count, 0)
        return replace(
            self,
            l1=np.pad(self.l1, pad),
            l2=np.pad(self.l2, pad),
            loc=np.pad(self.loc, pad),
            nonnegative=np.pad(self.nonnegative, pad),
        )

    def at(self, columns: Positions) -> Self:
        """Return the penalty of some of the coefficients."""
        return replace(
            self,
            l1=self.l1[columns],
            l2=self.l2[columns],
            loc=self.loc[columns],
            nonnegative=self.nonnegative[columns],
        )

    def smooth_gradient(self, coef: Vector) -> Vector:
        """Return the gradient of the square part, shape (p,)."""
        return self.l2 * (coef - self.loc)

    def prox(self, point: Vector, step: float) -> Vector:
        """Return ``argmin_u ‖u − point‖²/(2 step) + penalty(u)``, shape (p,).

        The shrunk soft threshold ``soft(point + step·l2·loc, step·l1) / (1 + step·l2)``.
        """
        moved = point + step * self.l2 * self.loc
        shrunk = soft_threshold(moved, step * self.l1) / (1.0 + step * self.l2)
        return np.where(self.nonnegative & (moved < 0), 0.0, shrunk)

    def dual_scale(self, correlation: Vector) -> float:
        """Largest s in [0, 1] with ``|s · correlation| <= l1`` wherever there is no square."""
        hard = (self.l2 == 0) & ~self.flat
        size = np.where(self.nonnegative, -correlation, np.abs(correlation))[hard]
        over = size > self.l1[hard]
        if not over.any():
            return 1.0
        return float((self.l1[hard][over] / size[over]).min())

    def fenchel_young(self, coef: Vector, dual: Vector) -> float:
        """Return ``penalty(coef) + penalty*(−dual) + dual·coef``, at least 0; inf off the domain.

        Written as squares and non-negative products, so that no digits cancel near the optimum.
        """
        if (coef[self.nonnegative] < 0).any():
            return math.inf
        if not self.l2.any():
            pull = np.where(self.nonnegative, -dual, np.abs(dual))
            if (pull > self.l1 * (1 + 1e-12)).any():
                return math.inf
            used = np.flatnonzero(coef)
            inside = coef[used]
            kink = self.l1[used] * np.abs(inside) + dual[used] * inside
            return float(np.maximum(kink, 0.0).sum())
        w = self.l2 * self.loc - dual
        pull = np.where(self.nonnegative, w, np.abs(w))
        strong = self.l2 > 0
        best = np.zeros_like(coef)
        excess = np.maximum(pull[strong] - self.l1[strong], 0.0)
        best[strong] = np.sign(w[strong]) * excess / self.l2[strong]
        if (pull[~strong] > self.l1[~strong] * (1 + 1e-12)).any():
            return math.inf
        # Where `best` is off the kink, w = l1 sign(best) + l2 best.
        slope = np.where(best != 0, self.l1 * np.sign(best), w)
        kink = self.l1 * np.abs(coef) - slope * coef
        return float(np.maximum(kink, 0.0).sum() + 0.5 * self.l2 @ (coef - best) ** 2)


def soft_threshold(point: Vector, threshold: Vector) -> Vector:
    """Return ``sign(point) · max(|point| − threshold, 0)``, with exact zeros, shape (p,)."""
    return np.sign(point) * np.maximum(np.abs(point) - threshold, 0.0)
