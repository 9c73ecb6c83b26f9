"""The unit ball of a norm as a constraint: 0 inside, inf outside."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from bayesreg.penalties._projections import EPS
from bayesreg.penalties.manifolds import PartlySmooth, Piece, linear, walls

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.penalties.base import Mask
    from bayesreg.penalties.norms import NormPenalty

# What rounding may do to the norm of a point on the border.
_BORDER = 64 * EPS


@dataclass(frozen=True, eq=False)
class BallPenalty(PartlySmooth):
    """0 where ``N(β / scale) <= 1``, inf elsewhere.

    Attributes
    ----------
    shape : NormPenalty
        The norm, with its scales: a radius is part of them.

    Examples
    --------
    >>> from bayesreg.penalties.norms import SupNorm
    >>> ball = BallPenalty(SupNorm(np.array([2.0, 2.0])))
    >>> ball.prox(np.array([3.0, -1.0]), 1.0)
    array([ 2., -1.])
    """

    shape: NormPenalty

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.shape.size

    @property
    def flat(self) -> Mask:
        """No coefficient is free: each is bounded; shape (p,)."""
        return np.zeros(self.size, dtype=bool)

    def value(self, coef: Vector) -> float:
        """Return 0 inside, inf outside; the border is inside, to rounding error."""
        return 0.0 if self.shape.value(coef) <= 1 + _BORDER else math.inf

    def rescaled(self, factor: Vector) -> Self:
        """Penalty of ``factor · β``."""
        return replace(self, shape=self.shape.rescaled(factor))

    def prox(self, point: Vector, step: float) -> Vector:
        """Return the nearest point of the ball, whatever the step."""
        scale = self.shape.scale
        return scale * self.shape.into_ball(point / scale, scale**2)

    def subdifferential_distance(self, coef: Vector, gradient: Vector) -> Vector:
        """Return the distance of ``−gradient`` to the normals of the ball, by coefficient."""
        if not (np.isfinite(coef).all() and np.isfinite(gradient).all()):
            return np.full(self.size, math.inf)
        scale = self.shape.scale
        u, q = coef / scale, -scale * gradient
        size = self.shape.norm(u)
        if size > 1 + _BORDER:
            return np.where(u != 0, math.inf, np.abs(gradient))
        if size < 1 - _BORDER:
            return np.abs(gradient)
        return np.abs(self.shape.nearest_normal(u, q, scale**2) - q) / scale

    def dual_scale(self, correlation: Vector) -> float:
        """Return 1: the conjugate is finite everywhere."""
        del correlation
        return 1.0

    def fenchel_young_error(self, coef: Vector, error: Vector) -> float:
        """Return what errors of the correlations may take, the support function included."""
        higher = self.shape.dual_norm(self.shape.scale * error)
        return super().fenchel_young_error(coef, error) + 2.0 * higher

    def fenchel_young(self, coef: Vector, dual: Vector) -> float:
        """Return ``N°(q) + q·u`` with ``q = scale · dual``; inf outside of the ball."""
        scale = self.shape.scale
        u, q = coef / scale, scale * dual
        size, height = self.shape.norm(u), self.shape.dual_norm(q)
        if not size <= 1 + _BORDER:
            return math.inf
        if height == 0:
            return 0.0
        return height * (max(1.0 - size, 0.0) + self.shape.young(u, q / height))

    def piece(self, coef: Vector) -> Piece:
        """Let everything move inside; on the border, what keeps the norm at 1."""
        if self.shape.value(coef) >= 1 - _BORDER:
            return replace(self.shape.piece(coef), border=True)
        scale, zero = self.shape.scale, np.zeros(coef.size)
        every = np.arange(coef.size)
        nowhere = walls(coef.size, (every[:0], zero[:0]))
        gauge = self.shape.norm
        return Piece(every, every, scale, coef / scale, linear(zero), nowhere, gauge=gauge)
