"""The penalty that a separable log-concave prior is: value, prox, subdifferential, conjugate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bayesreg._validation import Vector


@dataclass(frozen=True, eq=False)
class Penalty:
    """``Σ l1_j |β_j| + Σ l2_j (β_j − loc_j)² / 2`` in nats.

    Attributes
    ----------
    l1, l2, loc : ndarray, shape (p,)
        Weight of the absolute value (1 / Laplace scale), of half the square (1 / variance), and
        where the square is centred.
    """

    l1: Vector
    l2: Vector
    loc: Vector

    @property
    def flat(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which coefficients have no penalty at all; shape (p,)."""
        return np.asarray((self.l1 == 0) & (self.l2 == 0))

    def value(self, coef: Vector) -> float:
        """Return the penalty at `coef` (p,)."""
        shifted = coef - self.loc
        return float(self.l1 @ np.abs(coef) + 0.5 * (self.l2 * shifted) @ shifted)

    def smooth_gradient(self, coef: Vector) -> Vector:
        """Return the gradient of the square part, shape (p,)."""
        return self.l2 * (coef - self.loc)

    def prox(self, point: Vector, step: float | Vector) -> Vector:
        """Return ``argmin_u ‖u − point‖²/(2 step) + penalty(u)``, shape (p,).

        The shrunk soft threshold ``soft(point + step·l2·loc, step·l1) / (1 + step·l2)``.
        """
        return soft_threshold(point + step * self.l2 * self.loc, step * self.l1) / (
            1.0 + step * self.l2
        )

    def subdifferential_distance(self, coef: Vector, gradient: Vector) -> Vector:
        """Return the distance of ``−gradient`` to the subdifferential at `coef`, per coefficient.

        Zero everywhere is the KKT condition; `gradient` is that of the loss.
        """
        total = gradient + self.smooth_gradient(coef)
        at_kink = np.maximum(np.abs(total) - self.l1, 0.0)
        return np.where(coef == 0, at_kink, np.abs(total + self.l1 * np.sign(coef)))

    def fenchel_young(self, coef: Vector, dual: Vector) -> float:
        """Return ``penalty(coef) + penalty*(−dual) + dual·coef``, at least 0; inf off the domain.

        Written as squares and non-negative products, so that no digits cancel near the optimum.
        """
        w = self.l2 * self.loc - dual
        strong = self.l2 > 0
        best = np.zeros_like(coef)
        best[strong] = soft_threshold(w[strong], self.l1[strong]) / self.l2[strong]
        if (np.abs(w[~strong]) > self.l1[~strong] * (1 + 1e-12)).any():
            return math.inf
        # Where `best` is off the kink, w = l1 sign(best) + l2 best.
        slope = np.where(best != 0, self.l1 * np.sign(best), w)
        kink = self.l1 * np.abs(coef) - slope * coef
        return float(np.maximum(kink, 0.0).sum() + 0.5 * self.l2 @ (coef - best) ** 2)


def soft_threshold(point: Vector, threshold: Vector) -> Vector:
    """Return ``sign(point) · max(|point| − threshold, 0)``, with exact zeros, shape (p,)."""
    return np.sign(point) * np.maximum(np.abs(point) - threshold, 0.0)
