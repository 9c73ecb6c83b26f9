"""Norms of the coefficients, each divided by its scale: group lasso, sup norm, SLOPE.

A norm N has a dual one, ``N°(q) = max {q·u : N(u) <= 1}``, and is its own best lower bound: its
conjugate is 0 where ``N°(q) <= 1`` and inf elsewhere. Everything is written for ``u = β / scale``,
where the distance that a prox minimises has weights ``c = scale²/step``.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from bayesreg.penalties._projections import (
    TIE,
    falling_root,
    group_sums,
    level,
    secular,
    sorted_prox,
    weighted,
)
from bayesreg.penalties.base import soften
from bayesreg.penalties.manifolds import PartlySmooth, Piece, linear, walls

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.penalties.base import Mask

# Rounding error that a dual point at the edge of the conjugate's domain may carry.
_ROUNDING = 1e-12
# A pull that cannot be divided by without overflow.
_NOTHING = 1e-290


@dataclass(frozen=True, eq=False)
class NormPenalty(PartlySmooth):
    """``N(β / scale)`` in nats, N a norm.

    Attributes
    ----------
    scale : ndarray, shape (p,)
        Positive and finite, in units of the coefficients.
    """

    scale: Vector

    # ------------------------------------------------------------------ the norm itself, of u

    @abstractmethod
    def norm(self, u: Vector) -> float:
        """Return N(u)."""

    @abstractmethod
    def dual_norm(self, q: Vector) -> float:
        """Return N°(q)."""

    @abstractmethod
    def shrink(self, v: Vector, c: Vector) -> Vector:
        """Return ``argmin_u Σ c_j (u_j − v_j)²/2 + N(u)``, shape (p,)."""

    @abstractmethod
    def nearest(self, u: Vector, q: Vector, c: Vector) -> Vector:
        """Return the subgradient w of N at u with the least ``Σ (w_j − q_j)²/c_j``, shape (p,)."""

    @abstractmethod
    def young(self, u: Vector, q: Vector) -> float:
        """Return ``N(u) + q·u`` for ``N°(q) <= 1``, as a sum of non-negative terms."""

    def into_ball(self, v: Vector, c: Vector) -> Vector:
        """Return the nearest u to v with ``N(u) <= 1`` in the distance weighted by c.

        It is the prox of λN for the multiplier λ that puts it on the border.
        """
        if self.norm(v) <= 1:
            return v.copy()

        def excess(multiplier: float) -> float:
            return self.norm(self.shrink(v, c / multiplier)) - 1.0

        u = self.shrink(v, c / falling_root(excess, self.dual_norm(c * v)))
        return u / self.norm(u)

    def nearest_normal(self, u: Vector, q: Vector, c: Vector) -> Vector:
        """Return the normal of the unit ball at u, ``N(u) = 1``, nearest to q in weights 1/c.

        Normals are multiples of subgradients, so the nearest is found over the multiplier.
        """

        def slope(multiplier: float) -> float:
            w = self.nearest(u, q / multiplier, c)
            return float(((q - multiplier * w) / c) @ w)

        size = self.dual_norm(q)
        if size < _NOTHING:
            return np.zeros(q.size)
        multiplier = falling_root(slope, size)
        return multiplier * self.nearest(u, q / multiplier, c)

    # ------------------------------------------------------------------ the penalty, of β

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.scale.size

    @property
    def flat(self) -> Mask:
        """No coefficient is without a penalty; shape (p,)."""
        return np.zeros(self.size, dtype=bool)

    def value(self, coef: Vector) -> float:
        """Return the norm."""
        return self.norm(coef / self.scale)

    def rescaled(self, factor: Vector) -> Self:
        """Penalty of ``factor · β``."""
        return replace(self, scale=self.scale * factor)

    def prox(self, point: Vector, step: float) -> Vector:
        """Return ``argmin_u ‖u − point‖²/(2 step) + penalty(u)``, zeros and ties exact."""
        return self.scale * self.shrink(point / self.scale, self.scale**2 / step)

    def subdifferential_distance(self, coef: Vector, gradient: Vector) -> Vector:
        """Return the distance of ``−gradient`` to the subdifferential, by coefficient."""
        if not (np.isfinite(coef).all() and np.isfinite(gradient).all()):
            return np.full(self.size, math.inf)
        q = -self.scale * gradient
        w = self.nearest(coef / self.scale, q, self.scale**2)
        return np.abs(w - q) / self.scale

    def dual_scale(self, correlation: Vector) -> float:
        """Return 1 over the dual norm, at most 1."""
        return 1.0 / max(1.0, self.dual_norm(self.scale * correlation))

    def towards_domain(self, correlation: Vector, error: Vector) -> Vector:
        """Move each correlation towards 0, which shortens all of them, where that is of use."""
        inside = self.dual_norm(self.scale * correlation) <= 1
        return correlation if inside else soften(correlation, error)

    def fenchel_young_error(self, coef: Vector, error: Vector) -> float:
        """Return what errors of the correlations may take, that of the dual norm included."""
        longer = self.value(coef) * self.dual_norm(self.scale * error)
        return super().fenchel_young_error(coef, error) + 2.0 * longer

    def fenchel_young(self, coef: Vector, dual: Vector) -> float:
        """Return ``N(u) + scale·dual·u``, inf where the dual norm exceeds 1."""
        q = self.scale * dual
        size = self.dual_norm(q)
        if not size <= 1 + _ROUNDING:
            return math.inf
        return self.young(coef / self.scale, q / max(1.0, size))


@dataclass(frozen=True, eq=False)
class GroupNorm(NormPenalty):
    """``Σ_g ‖u_g‖₂`` over groups that share no coefficient (Yuan & Lin 2006).

    Attributes
    ----------
    labels : ndarray of int, shape (p,)
        The group of each coefficient: 0, 1, ...

    Examples
    --------
    >>> GroupNorm(np.ones(3), np.array([0, 0, 1])).value(np.array([3.0, 4.0, -2.0]))
    7.0
    """

    labels: NDArray[np.intp]

    @cached_property
    def count(self) -> int:
        """Number of groups."""
        return int(self.labels.max(initial=-1)) + 1

    def lengths(self, u: Vector) -> Vector:
        """Euclidean norm of each group, shape (count,); safe from underflow."""
        top = np.zeros(self.count)
        np.maximum.at(top, self.labels, np.abs(u))
        unit = np.where((top > 0) & (top < np.inf), top, 1.0)
        square = group_sums((u / unit[self.labels]) ** 2, self.labels, self.count)
        return np.asarray(top * np.sqrt(square))

    def norm(self, u: Vector) -> float:
        """Return the sum of the lengths."""
        return float(self.lengths(u).sum())

    def dual_norm(self, q: Vector) -> float:
        """Return the largest length."""
        return float(self.lengths(q).max(initial=0.0))

    def shrink(self, v: Vector, c: Vector) -> Vector:
        """Shrink each group towards 0; exactly 0 where ``‖c v‖ <= 1``."""
        r = secular(c * v, c, self.labels, self.count)[self.labels]
        return np.where(r > 0, v * (c * r / (1.0 + c * r)), 0.0)

    def nearest(self, u: Vector, q: Vector, c: Vector) -> Vector:
        """Return the direction of each group; of one at 0, a point of the unit ball."""
        length = self.lengths(u)[self.labels]
        inside = q / (1.0 + c * secular(q, c, self.labels, self.count)[self.labels])
        return np.where(length > 0, u / np.where(length > 0, length, 1.0), inside)

    def young(self, u: Vector, q: Vector) -> float:
        """Return ``‖u‖(1 − ‖q‖)`` and half the square between the directions, over groups."""
        a, b = self.lengths(u), self.lengths(q)
        unit_a, unit_b = (np.where(x > 0, x, 1.0)[self.labels] for x in (a, b))
        turn = group_sums((u / unit_a + q / unit_b) ** 2, self.labels, self.count)
        turn = np.where((a > 0) & (b > 0), turn, 0.0)
        return float((a * np.maximum(1.0 - b, 0.0) + 0.5 * a * b * turn).sum())

    def into_ball(self, v: Vector, c: Vector) -> Vector:
        """Return the nearest u with ``N(u) <= 1``; closed where c is constant in each group."""
        length = self.lengths(v)
        if length.sum() <= 1:
            return v.copy()
        if self.count == 1:
            u = v / (1.0 + secular(v, 1.0 / c, self.labels, 1)[0] / c)
            return np.asarray(u / self.norm(u))
        weight = np.zeros(self.count)
        weight[self.labels] = c
        if (weight[self.labels] != c).any():
            return super().into_ball(v, c)
        least = level(weight * length, 1.0 / weight, 1.0)
        kept = np.maximum(length - least / weight, 0.0)
        # Onto the border to the last digit; from so far away that nothing was left, to its corner.
        kept = kept if kept.any() else (weight * length == (weight * length).max()).astype(float)
        kept /= kept.sum()
        return np.asarray(v * (kept / np.where(length > 0, length, 1.0))[self.labels])

    def piece(self, coef: Vector) -> Piece:
        """Let the groups that are not 0 move freely."""
        u = coef / self.scale
        free = np.flatnonzero(self.lengths(u)[self.labels] > 0)
        moves = np.full(coef.size, -1, dtype=np.intp)
        moves[free] = np.arange(free.size)
        inner = self.labels[free]
        same = inner[:, None] == inner[None, :]
        part = GroupNorm(self.scale[free], inner)

        def curve(z: Vector) -> tuple[float, Vector, Matrix]:
            length = part.lengths(z)
            each = np.where(length > 0, length, 1.0)[inner]
            way = z / each
            bend = (np.eye(z.size) - same * np.outer(way, way)) / each[:, None]
            return float(length.sum()), way, bend

        # A larger group does not end at a wall: its direction turns on the way past 0.
        alone = np.flatnonzero(np.bincount(self.labels, minlength=self.count)[inner] == 1)
        ends = walls(free.size, (alone, np.sign(u[free][alone])))
        return Piece(np.arange(coef.size), moves, self.scale, u[free], curve, ends)


@dataclass(frozen=True, eq=False)
class SupNorm(NormPenalty):
    """``max_j |u_j|``.

    Examples
    --------
    >>> SupNorm(np.array([1.0, 2.0])).value(np.array([3.0, -4.0]))
    3.0
    """

    def norm(self, u: Vector) -> float:
        """Return the largest absolute value."""
        return float(np.abs(u).max(initial=0.0))

    def dual_norm(self, q: Vector) -> float:
        """Return the sum of absolute values."""
        return float(np.abs(q).sum())

    def _top(self, u: Vector) -> Mask:
        """Which coefficients have the largest absolute value; all of them at 0."""
        return np.abs(u) >= self.norm(u) * (1 - TIE)

    def shrink(self, v: Vector, c: Vector) -> Vector:
        """Clip at the level that takes 1 off in all."""
        top = max(level(np.abs(v), c, 1.0), 0.0) if v.size else 0.0
        return np.clip(v, -top, top)

    def nearest(self, u: Vector, q: Vector, c: Vector) -> Vector:
        """Return weights of the largest coefficients, with their signs, that sum to 1."""
        top = self._top(u)
        w = np.zeros(u.size)
        at_zero = self.norm(u) == 0
        sign = np.sign(q if at_zero else u)[top]
        if at_zero and self.dual_norm(q) <= 1:
            return q.copy()
        v, mass = sign * q[top] / c[top], c[top]
        w[top] = sign * mass * np.maximum(v - level(v, mass, 1.0), 0.0)
        return w

    def young(self, u: Vector, q: Vector) -> float:
        """Return ``N(u)(1 − Σ|q|) + Σ |q| (N(u) + sign(q) u)``."""
        top = self.norm(u)
        gap = np.abs(q) * np.maximum(top + np.sign(q) * u, 0.0)
        return top * max(1.0 - self.dual_norm(q), 0.0) + float(gap.sum())

    def into_ball(self, v: Vector, c: Vector) -> Vector:
        """Clip at 1."""
        return np.clip(v, -1.0, 1.0)

    def nearest_normal(self, u: Vector, q: Vector, c: Vector) -> Vector:
        """Return what pulls outwards where the border is reached."""
        sign = np.where(self._top(u), np.sign(u), 0.0)
        return sign * np.maximum(sign * q, 0.0)

    def piece(self, coef: Vector) -> Piece:
        """Let the largest ones move together, the others by themselves; nothing moves at 0."""
        u = coef / self.scale
        if not u.any():
            none = np.zeros(0)
            held = np.full(u.size, -1, dtype=np.intp)
            nowhere = walls(0, (np.zeros(0, dtype=np.intp), none))
            return Piece(np.arange(u.size), held, self.scale, none, linear(none), nowhere)
        top = self._top(u)
        moves = np.where(top, 0, np.cumsum(~top)).astype(np.intp)
        unit = np.where(top, np.sign(u), 1.0) * self.scale
        at = np.concatenate([[self.norm(u)], u[~top]])
        slope = np.zeros(at.size)
        slope[0] = 1.0
        free = np.tile(np.arange(1, at.size), 2)
        sign = np.repeat([1.0, -1.0], at.size - 1)
        ends = walls(at.size, (np.zeros_like(free), np.ones(free.size)), (free, sign))
        return Piece(np.arange(u.size), moves, unit, at, linear(slope), ends)


@dataclass(frozen=True, eq=False)
class SortedNorm(NormPenalty):
    """SLOPE: ``Σ_i w_i |u|_(i)``, the largest first (Bogdan et al. 2015).

    Attributes
    ----------
    weights : ndarray, shape (p,)
        Not increasing, at least 0, the first one positive.

    Examples
    --------
    >>> SortedNorm(np.ones(2), np.array([2.0, 1.0])).value(np.array([1.0, -3.0]))
    7.0
    """

    weights: Vector

    def norm(self, u: Vector) -> float:
        """Return the weighted sum of the sorted absolute values."""
        return float(weighted(self.weights, -np.sort(-np.abs(u))).sum())

    def dual_norm(self, q: Vector) -> float:
        """Return the largest ratio of partial sums of sorted |q| and weights."""
        ratio = np.cumsum(-np.sort(-np.abs(q))) / np.cumsum(self.weights)
        return float(ratio.max(initial=0.0))

    def shrink(self, v: Vector, c: Vector) -> Vector:
        """Sort, shrink and pool; clipped at 0, as the prox over the positive orthant is."""
        return np.sign(v) * np.maximum(sorted_prox(np.abs(v), c, self.weights), 0.0)

    def clusters(self, u: Vector) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the order of falling |u|, and the cluster of equal ones each is in; shape (p,)."""
        order = np.argsort(-np.abs(u), kind="stable")
        size = np.abs(u)[order]
        falls = size[1:] < size[:-1] * (1 - TIE)
        return order, np.concatenate([[0], np.cumsum(falls)]).astype(np.intp)[: u.size]

    def nearest(self, u: Vector, q: Vector, c: Vector) -> Vector:
        """Share each cluster's weights out among its members; at 0, not more than those."""
        order, member = self.clusters(u)
        w = np.empty(u.size)
        w[order] = self.weights * np.sign(u[order])
        sizes = np.bincount(member)
        ends = np.cumsum(sizes)
        for k in np.flatnonzero((sizes > 1) | (u[order[ends - 1]] == 0)):
            place = slice(ends[k] - sizes[k], ends[k])
            block = order[place]
            at_zero = u[block[0]] == 0
            sign = np.sign(q[block] if at_zero else u[block])
            v = sign * q[block] / c[block]
            common = sorted_prox(v, c[block], self.weights[place])
            common = np.maximum(common, 0.0) if at_zero else common
            w[block] = sign * c[block] * (v - common)
        return w

    def young(self, u: Vector, q: Vector) -> float:
        """Return, by parts, partial sums of weights minus |q| times gaps, and ``Σ |q u| + q u``."""
        order = np.argsort(-np.abs(u), kind="stable")
        size = np.abs(u)[order]
        slack = np.cumsum(self.weights) - np.cumsum(np.abs(q)[order])
        gaps = size - np.append(size[1:], 0.0)
        return float(np.maximum(slack, 0.0) @ gaps + (np.abs(q * u) + q * u).sum())

    def piece(self, coef: Vector) -> Piece:
        """Let each cluster of equal absolute values move together; zeros are held."""
        u = coef / self.scale
        order, member = self.clusters(u)
        size = np.abs(u)[order]
        starts = np.flatnonzero(np.diff(member, prepend=-1))
        at = size[starts]
        slope = group_sums(self.weights, member, at.size)
        if at.size and at[-1] == 0:
            member = np.where(member == at.size - 1, -1, member)
            at, slope = at[:-1], slope[:-1]
        moves = np.empty(u.size, dtype=np.intp)
        moves[order] = member
        # Each cluster stays above the next, the last one above 0.
        every = np.arange(at.size)
        ends = walls(at.size, (every, np.ones(at.size)), (every[1:], -np.ones(every[1:].size)))
        unit = np.sign(u) * self.scale
        return Piece(np.arange(u.size), moves, unit, at, linear(slope), ends)
