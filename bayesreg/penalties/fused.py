"""Absolute values of differences: the fused lasso, or total variation, along the columns."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from bayesreg.penalties._projections import EPS, TIE, fused_prox, group_sums, weighted
from bayesreg.penalties.manifolds import PartlySmooth, Piece, linear, walls

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.penalties.base import Mask

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class FusedPenalty(PartlySmooth):
    """``l1_0 |u_0| + Σ_j l1_j |u_j − u_{j−1}|`` with ``u = β / scale`` (Tibshirani et al. 2005).

    Attributes
    ----------
    scale : ndarray, shape (p,)
        Units of the coefficients; positive.
    l1 : ndarray, shape (p,)
        Weight of the first one (0: the common level is free), then of each difference.

    Examples
    --------
    >>> FusedPenalty(np.ones(3), np.array([0.0, 1.0, 1.0])).prox(np.array([0.0, 1.0, 5.0]), 1.0)
    array([1., 1., 4.])
    """

    scale: Vector
    l1: Vector

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.scale.size

    @property
    def flat(self) -> Mask:
        """Without a weight of the first one, a single coefficient is free, and no other; (p,)."""
        return np.full(self.size, self.size == 1 and not self.l1.any())

    @property
    def levels(self) -> Matrix:
        """Without a weight of the first one, the common level of several; shape (p, 0 or 1)."""
        free = self.size > 1 and self.l1[0] == 0
        return self.scale[:, None] if free else np.zeros((self.size, 0))

    def differences(self, coef: Vector) -> Vector:
        """Return ``u_0, u_1 − u_0, ...``; exactly 0 at ties, shape (p,)."""
        u = coef / self.scale
        before = np.concatenate([[0.0], u[:-1]])[: u.size]
        size = np.maximum(np.abs(u), np.abs(before))
        # Equal infinities have no difference, but ∞ − ∞ is NaN; nothing is near an infinity.
        change = np.subtract(u, before, out=np.zeros_like(u), where=u != before)
        tied = (np.abs(change) <= TIE * size) & np.isfinite(change)
        tied[:1] = u[:1] == 0
        return np.where(tied, 0.0, change)

    def sums(self, values: Vector) -> Vector:
        """Return ``scale · values`` summed from each coefficient to the last, shape (p,).

        A gradient in β becomes the gradient in the differences.
        """
        return np.cumsum((self.scale * values)[::-1])[::-1]

    def value(self, coef: Vector) -> float:
        """Return the penalty at `coef` (p,)."""
        return float(weighted(self.l1, np.abs(self.differences(coef))).sum())

    def rescaled(self, factor: Vector) -> Self:
        """Penalty of ``factor · β``."""
        return replace(self, scale=self.scale * factor)

    def prox(self, point: Vector, step: float) -> Vector:
        """Return ``argmin_u ‖u − point‖²/(2 step) + penalty(u)``, ties exact."""
        if not self.size:
            return point.copy()
        return self.scale * fused_prox(point / self.scale, self.scale**2 / step, self.l1)

    def subdifferential_distance(self, coef: Vector, gradient: Vector) -> Vector:
        """Return the distance of ``−gradient`` to the subdifferential, by coefficient.

        The residual nearest to 0 is minus the direction of steepest descent: the prox of the
        directional derivative, which is a fused penalty on the ties and linear elsewhere.
        """
        if not (np.isfinite(coef).all() and np.isfinite(gradient).all()):
            return np.full(self.size, math.inf)
        if not self.size:
            return gradient.copy()
        change = self.differences(coef)
        slope = self.l1 * np.sign(change)
        total = gradient + (slope - np.append(slope[1:], 0.0)) / self.scale
        tied = np.where(change == 0, self.l1, 0.0)
        return np.abs(self.scale * fused_prox(-total / self.scale, self.scale**2, tied))

    def dual_scale(self, correlation: Vector) -> float:
        """Largest s in [0, 1] with ``|s · sums| <= l1``, a free level aside."""
        size = np.abs(self.sums(correlation))
        over = (size > self.l1) & (self.l1 > 0)
        return float((self.l1[over] / size[over]).min(initial=1.0))

    def towards_domain(self, correlation: Vector, error: Vector) -> Vector:
        """Move the sums towards what the penalty of their difference allows, and no further.

        The errors of correlations add up in their sums; so does their rounding, which the errors
        of the correlations, each many units of its size, exceed.
        """
        pull, most = self.sums(correlation), self.sums(error)
        inside = np.minimum(np.abs(pull), self.l1)
        moved = np.sign(pull) * np.maximum(np.abs(pull) - most, inside)
        return np.asarray((moved - np.append(moved[1:], 0.0)) / self.scale)

    def fenchel_young(self, coef: Vector, dual: Vector) -> float:
        """Return ``Σ l1 |γ| + sums·γ`` over the differences γ; inf off the domain."""
        change, pull = self.differences(coef), self.sums(dual)
        rounded = (4 + self.size) * EPS * self.sums(np.abs(dual))
        if not (np.abs(pull) <= self.l1 * (1.0 + _ROUNDING) + rounded).all():
            return math.inf
        pull = np.clip(pull, -self.l1, self.l1)
        return float((self.l1 * np.abs(change) + pull * change).sum())

    def piece(self, coef: Vector) -> Piece:
        """Let each run of equal coefficients move together; a run at 0 from the start is held."""
        change = self.differences(coef)
        start = change != 0
        held = bool(self.size) and not start[0] and self.l1[0] > 0
        start[:1] = not held
        moves = (np.cumsum(start) - 1).astype(np.intp)
        signs = self.l1 * np.sign(change)
        slope = (signs - np.append(signs[1:], 0.0))[moves >= 0]
        count = int(start.sum())
        along = linear(group_sums(slope, moves[moves >= 0], count))
        at = (coef / self.scale)[start]
        # Runs that meet merge; the first one also ends at 0, unless the level is free.
        sign = np.sign(change[start]) * (self.l1[start] > 0)
        every = np.arange(count)
        before = np.where(every > 0, -sign, 0.0)
        ends = walls(count, (every, sign), (np.maximum(every - 1, 0), before))[sign != 0]
        return Piece(np.arange(self.size), moves, self.scale, at, along, ends)
