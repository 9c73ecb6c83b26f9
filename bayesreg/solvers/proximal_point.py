"""Proximal points of a convex problem, each by Newton's method in the linear predictor.

The proximal point of a centre c at length s is the minimum of ``loss(offset + Z θ) + penalty(θ) +
‖θ − c‖²/(2s)``. Proximal points, each the centre of the next, end at the mode, the faster the
longer s (Rockafellar 1976). What the loss and the penalty have to do with each other is the
gradient u of the loss by the predictor η, through

    θ(η) = prox(c − s Zᵀu, s),    u = ∇loss(η),

and θ(η) is the proximal point where ``η = offset + Z θ(η)``: where the dual objective

    u·(η − offset) − loss(η) − min over θ of [penalty(θ) + ‖θ − c‖²/(2s) + u·Zθ]

is least. It has a gradient everywhere, in n unknowns, whatever the kinks of the penalty; along the
manifold of θ(η) its Newton step needs the penalty's own Hessian only (Li, Sun & Toh 2018). So it
walks through manifolds by the dozen, nearly flat loss or not, where steps in θ halt at each kink.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.solvers.along_manifold import Frame, Point
from bayesreg.solvers.scaled import EPS, largest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayesreg._validation import Vector
    from bayesreg.solvers.along_manifold import Work

# Lengths in units of a first-order step: the first, and those between which they are looked for.
_FIRST, _SHORTEST, _LONGEST = 1e2, 1e-2, 1e14
# Newton steps for one point; after up to so many of them, the next length is so much longer.
_MOST = 60
_LONGER = ((5, 100.0), (15, 10.0), (30, 3.0), (_MOST, 1.0))
# After a length that was too long.
_SHORTER = 0.25
# Relative fall to first order below which a point is found, or good enough where rounding ends it.
_FOUND, _ROUNDED = 1e-20, 1e-12
# Part of the fall to first order that a step must bring.
_ARMIJO = 1e-4


def proximal_points(work: Work, theta: Vector, most: int) -> Iterator[Vector]:
    """Yield proximal points at ever greater lengths, each the centre of the next.

    Parameters
    ----------
    work : Work
        The problem: the loss convex, the penalty too, and no balls in it.
    theta : ndarray, shape (q,)
        The first centre.
    most : int
        Newton steps after which no other point is looked for.

    Yields
    ------
    ndarray, shape (q,)
        Nearer to the mode than the one before; zeros and ties exact.
    """
    unit, left, length = 1.0 / work.lipschitz, most, _FIRST
    while left > 0 and _SHORTEST <= length <= _LONGEST:
        found, count = _Dual(work, theta, length * unit).solve()
        left -= count
        if found is None:
            length *= _SHORTER
            continue
        theta = found
        yield theta
        length *= next(factor for most, factor in _LONGER if count <= most)


@dataclass(frozen=True)
class _At:
    """A point of the dual problem.

    Attributes
    ----------
    eta : ndarray, shape (n,)
        Linear predictor.
    theta : ndarray, shape (q,)
        θ(η).
    value, size : float
        Dual objective, and the size of the numbers it was summed from.
    """

    eta: Vector
    theta: Vector
    value: float
    size: float


@dataclass(frozen=True)
class _Dual:
    """The dual of the problem of one proximal point.

    Attributes
    ----------
    work : Work
        The problem.
    centre : ndarray, shape (q,)
        What θ is held to.
    length : float
        How loosely.
    """

    work: Work
    centre: Vector
    length: float

    def solve(self) -> tuple[Vector | None, int]:
        """Return the proximal point, None if it was not found, and the Newton steps it took."""
        here = self._at(self.work.scaled.predictor(self.centre))
        for count in range(1, _MOST + 1):
            if not math.isfinite(here.size):
                return None, count
            step, slope = self._newton(here)
            if not -math.inf < slope <= 0:
                return None, count
            if -slope <= _FOUND * here.size:
                return here.theta, count
            there = self._line_search(here, step, slope)
            if there is None or (there.value >= here.value and -slope <= _ROUNDED * here.size):
                return (here.theta if -slope <= _ROUNDED * here.size else None), count
            here = there
        return None, _MOST

    def _at(self, eta: Vector) -> _At:
        """Evaluate the dual objective; inf where it overflows."""
        work, s, length = self.work, self.work.scaled, self.length
        likelihood, weights = s.problem.likelihood, s.problem.design.row_weights
        with np.errstate(over="ignore", invalid="ignore"):
            rows = likelihood.gradient(eta, s.y, weights)
            pull = s.Z.T @ rows
            if not np.isfinite(pull).all():
                return _At(eta, self.centre, math.inf, math.inf)
            theta = work.whole.prox(self.centre - length * pull, length)
            away = theta - self.centre
            terms = (
                float(rows @ (eta - s.offset)),
                -likelihood.loss(eta, s.y, weights),
                -work.whole.value(theta),
                -float(away @ away) / (2.0 * length),
                -float(pull @ theta),
            )
            return _At(eta, theta, sum(terms), 1.0 + sum(map(abs, terms)))

    def _newton(self, here: _At) -> tuple[Vector, float]:
        """Return Newton's step of η and the fall it promises to first order, nan if there is none.

        With A the columns of the manifold of θ(η), D the curvature of the loss, C the Hessian of
        ``penalty + ‖θ‖²/(2s)`` along it and F = η − offset − Zθ(η), the gradient is DF and the
        step ``−(I + A C⁻¹ Aᵀ D)⁻¹ F = −F + A (C + Aᵀ D A)⁻¹ Aᵀ D F``.
        """
        s = self.work.scaled
        point = Point.of(self.work, here.theta)
        frame = Frame.of(self.work, point)
        A, apart = frame.A, here.eta - s.predictor(here.theta)
        curvature = s.problem.likelihood.curvature(here.eta, s.y, s.problem.design.row_weights)
        pull = curvature * apart
        hessian = A.T @ (curvature[:, None] * A) + point.bend()
        hessian[np.diag_indices_from(hessian)] += frame.mass / self.length
        unit = 1.0 / np.sqrt(np.maximum(np.diag(hessian), 1e-300))
        try:
            inner = np.linalg.solve(unit[:, None] * hessian * unit, unit * (A.T @ pull))
        except np.linalg.LinAlgError:
            return here.eta, math.nan
        step = A @ (unit * inner) - apart
        return step, float(pull @ step)

    def _line_search(self, here: _At, step: Vector, slope: float) -> _At | None:
        """Halve a step until it brings part of what it promises; None if none does."""
        if largest(step) == 0:
            return None
        for halving in range(40):
            part = 0.5**halving
            there = self._at(here.eta + part * step)
            if there.value <= here.value + _ARMIJO * part * slope + 4 * EPS * here.size:
                return there
        return None
