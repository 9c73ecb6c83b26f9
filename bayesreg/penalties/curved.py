"""Penalties that bend: Student's t, the generalised double Pareto, and powers of |β|.

Each is ``Σ g(|β_j| / scale_j)`` and treats both signs alike, so that its prox is found for the size
of the point and given its sign; where a coefficient may not be negative, a negative point goes to
0. Newton's method finds roots here from a side on which a convex (or concave) function keeps it
from overshooting, so that it needs no bracket.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from bayesreg._validation import set_fields
from bayesreg.penalties.separable import SeparablePenalty

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector
    from bayesreg.penalties.base import Mask

    type Root = Callable[[Vector], tuple[Vector, Vector]]

_STEPS = 200
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class CurvedPenalty(SeparablePenalty):
    """``Σ g(|β_j| · inverse_scale_j)`` in nats, some β_j at least 0.

    Attributes
    ----------
    inverse_scale : ndarray, shape (p,)
        One over the scale of the prior; 0 is flat.
    nonnegative : ndarray of bool, shape (p,)
        Which coefficients may not fall below 0; none by default.
    """

    inverse_scale: Vector
    nonnegative: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool), kw_only=True)

    def __post_init__(self) -> None:
        """Spell out that no coefficient is bounded."""
        if self.nonnegative.size != self.size:
            set_fields(self, nonnegative=np.zeros(self.size, dtype=bool))

    # ------------------------------------------------------------------ of sizes, scaled

    @abstractmethod
    def _value(self, size: Vector) -> Vector:
        """``g`` at ``size = |β| / scale``."""

    @abstractmethod
    def _slope(self, size: Vector) -> Vector:
        """``g'``; only asked where the size is positive."""

    @abstractmethod
    def _curvature(self, size: Vector) -> Vector:
        """``g''``; only asked where the size is positive, or nothing is infinite at 0."""

    @abstractmethod
    def _shrunk(self, size: Vector, step: Vector) -> Vector:
        """``argmin_u (u − size)²/(2 step) + g(u)`` over u >= 0; the smallest if there are two."""

    @property
    @abstractmethod
    def _edge(self) -> float:
        """``g'`` at 0 from the right: half the kink."""

    # ------------------------------------------------------------------ of coefficients

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.inverse_scale.size

    @property
    def flat(self) -> Mask:
        """Which coefficients have no penalty at all; shape (p,)."""
        return np.asarray((self.inverse_scale == 0) & ~self.nonnegative)

    @property
    def half_flat(self) -> Mask:
        """Which coefficients have a bound only; shape (p,)."""
        return np.asarray((self.inverse_scale == 0) & self.nonnegative)

    @property
    def kink(self) -> Vector:
        """Half the width of each subdifferential at 0."""
        edge = self._edge
        return np.where(self.inverse_scale > 0, edge, 0.0) * (
            1.0 if math.isinf(edge) else self.inverse_scale
        )

    @property
    def strict(self) -> Mask:
        """Which terms are strictly convex by themselves: powers above 1 only; shape (p,)."""
        return np.zeros(self.size, dtype=bool)

    def values(self, coef: Vector) -> Vector:
        """Return the penalty of each coefficient, shape (p,)."""
        with np.errstate(over="ignore"):
            each = self._value(np.abs(coef) * self.inverse_scale)
        return np.where(self.nonnegative & (coef < 0), math.inf, each)

    def slope(self, coef: Vector) -> Vector:
        """Return the derivative at each coefficient, shape (p,); 0 at 0."""
        size = np.abs(coef) * self.inverse_scale
        with np.errstate(over="ignore"):
            steep = self._slope(np.where(size > 0, size, 1.0)) * self.inverse_scale
        return np.where(size > 0, np.sign(coef) * steep, 0.0)

    def curvature(self, coef: Vector) -> Vector:
        """Return the second derivative at each coefficient, shape (p,); 0 at a kink."""
        size, smooth = np.abs(coef) * self.inverse_scale, self._edge == 0
        with np.errstate(divide="ignore", over="ignore"):
            bend = self._curvature(np.where((size > 0) | smooth, size, 1.0))
        curved = ((size > 0) | smooth) & (self.inverse_scale > 0)
        rate = np.where(curved, self.inverse_scale, 1.0)
        return np.asarray(np.where(curved, bend, 0.0) * rate**2)

    def prox(self, point: Vector, step: float) -> Vector:
        """Return ``argmin_u ‖u − point‖²/(2 step) + penalty(u)``, shape (p,); ties go to 0."""
        rate = np.where(self.inverse_scale > 0, self.inverse_scale, 1.0)
        shrunk = self._shrunk(np.abs(point) * rate, step * rate**2) / rate
        size = np.where(self.inverse_scale > 0, shrunk, np.abs(point))
        return np.where(self.nonnegative & (point < 0), 0.0, np.sign(point) * size)

    def rescaled(self, factor: Vector) -> Self:
        """Penalty of ``factor · β``."""
        return replace(self, inverse_scale=self.inverse_scale / factor)

    def beside_free(self, count: int) -> Self:
        """Put `count` coefficients without a penalty, such as an intercept, before the others."""
        return replace(
            self,
            inverse_scale=np.pad(self.inverse_scale, (count, 0)),
            nonnegative=np.pad(self.nonnegative, (count, 0)),
        )

    def dual_scale(self, correlation: Vector) -> float:
        """Return 0: where a penalty is not convex no dual point bounds anything."""
        del correlation
        return 0.0

    def fenchel_young(self, coef: Vector, dual: Vector) -> float:
        """Return inf: nothing is known of the minimum of what is not convex."""
        del coef, dual
        return math.inf


@dataclass(frozen=True, eq=False)
class StudentTPenalty(CurvedPenalty):
    """``Σ (ν + 1)/2 · log(1 + β²/(ν s²))``: smooth, convex near 0 only."""

    nu: float
    convex: ClassVar[bool] = False

    @property
    def _edge(self) -> float:
        return 0.0

    def _value(self, size: Vector) -> Vector:
        return np.asarray(0.5 * (self.nu + 1) * np.log1p(size**2 / self.nu))

    def _slope(self, size: Vector) -> Vector:
        return (self.nu + 1) * size / (self.nu + size**2)

    def _curvature(self, size: Vector) -> Vector:
        # Divided twice: the square of the denominator could overflow.
        bottom = self.nu + size**2
        return (self.nu + 1) * ((self.nu - size**2) / bottom) / bottom

    def _shrunk(self, size: Vector, step: Vector) -> Vector:
        """Solve the cubic ``(u − z)(ν + u²) + step (ν + 1) u = 0``.

        Between 0 and z it rises, falls and rises, or rises only, and it is concave up to z/3 and
        convex beyond: Newton from 0 finds the first root and Newton from z the last.
        """
        linear = self.nu + step * (self.nu + 1)

        def cubic(u: Vector) -> tuple[Vector, Vector]:
            value = (u - size) * (self.nu + u**2) + step * (self.nu + 1) * u
            return value, (3 * u - 2 * size) * u + linear

        spread = np.sqrt(np.maximum(size**2 - 3 * linear, 0.0))
        first, last = (size - spread) / 3, (size + spread) / 3
        low = _newton(cubic, np.zeros_like(size), cubic(first)[0] >= 0)
        high = _newton(cubic, size, cubic(last)[0] <= 0)

        def value(u: Vector) -> Vector:
            return np.asarray((u - size) ** 2 / (2 * step) + self._value(u))

        # Where both exist they are different minima; a tie goes to the smaller.
        better = np.isnan(low) | (value(high) < value(low) * (1 - 1e-14))
        return np.where(better & ~np.isnan(high), high, low)


@dataclass(frozen=True, eq=False)
class ParetoPenalty(CurvedPenalty):
    """``Σ (α + 1) log(1 + |β|/(α s))``, of slope ``(α + 1)/(α s)`` at 0: falls off like a log."""

    shape: float
    convex: ClassVar[bool] = False

    @property
    def _edge(self) -> float:
        return (self.shape + 1) / self.shape

    def _value(self, size: Vector) -> Vector:
        return np.asarray((self.shape + 1) * np.log1p(size / self.shape))

    def _slope(self, size: Vector) -> Vector:
        return (self.shape + 1) / (self.shape + size)

    def _curvature(self, size: Vector) -> Vector:
        return -(self.shape + 1) / (self.shape + size) ** 2

    def _shrunk(self, size: Vector, step: Vector) -> Vector:
        """Compare 0 with the larger root of ``(u − z)(α + u) + step (α + 1) = 0``."""
        half = size - self.shape
        square = (size + self.shape) ** 2 - 4 * step * (self.shape + 1)
        root = np.sqrt(np.maximum(square, 0.0))
        product = step * (self.shape + 1) - self.shape * size
        # The form without cancellation, on either side.
        smaller = np.where(half < 0, half - root, -1.0)
        u = np.where(half < 0, 2 * product / smaller, 0.5 * (half + root))
        u = np.where((square >= 0) & (u > 0), u, 0.0)
        return np.where(_falls(u, size, step, self._value), u, 0.0)


@dataclass(frozen=True, eq=False)
class BridgePenalty(CurvedPenalty):
    """``Σ |β/s|^q``: convex above q = 1; below, a cusp of infinite slope at 0.

    For q = 1 and q = 2 `ElasticNetPenalty` says the same with closed forms.
    """

    power: float

    @property
    def convex(self) -> bool:  # type: ignore[override]  # of an instance here, of the class elsewhere
        """Whether the power is at least 1."""
        return self.power >= 1

    @property
    def _edge(self) -> float:
        if self.power == 1:
            return 1.0
        return 0.0 if self.power > 1 else math.inf

    @property
    def strict(self) -> Mask:
        """Which terms are strictly convex by themselves; shape (p,)."""
        return np.asarray((self.inverse_scale > 0) & (self.power > 1))

    def _value(self, size: Vector) -> Vector:
        return np.asarray(size**self.power)

    def _slope(self, size: Vector) -> Vector:
        return np.asarray(self.power * size ** (self.power - 1))

    def _curvature(self, size: Vector) -> Vector:
        if self.power == 1:
            return np.zeros_like(size)
        return np.asarray(self.power * (self.power - 1) * size ** (self.power - 2))

    def _shrunk(self, size: Vector, step: Vector) -> Vector:
        q, strength = self.power, step * self.power
        if q == 1:
            return np.maximum(size - strength, 0.0)
        if q < 1:
            return self._cusp(size, step)
        if q >= 2:
            start = np.minimum(size, (size / strength) ** (1 / (q - 1)))
            return _newton(
                lambda u: (
                    u - size + strength * u ** (q - 1),
                    1 + strength * (q - 1) * u ** (q - 2),
                ),
                start,
            )
        # In v = u^(q−1), in which the equation is convex.
        r = 1 / (q - 1)
        v = _newton(
            lambda v: (v**r + strength * v - size, r * v ** (r - 1) + strength),
            np.minimum(size ** (q - 1), size / strength),
        )
        return np.asarray(v**r)

    def _cusp(self, size: Vector, step: Vector) -> Vector:
        """Compare 0 with the larger root of ``u − z + step q u^(q−1) = 0``, which is convex."""
        q, strength = self.power, step * self.power
        lowest = (strength * (1 - q)) ** (1 / (2 - q))
        exists = (size > 0) & (lowest - size + strength * lowest ** (q - 1) < 0)

        def equation(u: Vector) -> tuple[Vector, Vector]:
            bend = strength * u ** (q - 2)
            return u - size + bend * u, 1 + (q - 1) * bend

        u = _newton(equation, np.where(exists, size, 1.0), exists)
        u = np.where(exists, u, 0.0)
        return np.where(_falls(u, size, step, self._value), u, 0.0)

    # ------------------------------------------------------------------ the dual, if convex

    def dual_scale(self, correlation: Vector) -> float:
        """Return the largest s in [0, 1] with ``−s · correlation`` in the conjugate's domain.

        Above q = 1 that is everything, but for a bound without a penalty.
        """
        if self.power < 1:
            return 0.0
        hard = (self.power == 1) | (self.inverse_scale == 0) & ~self.flat
        size, most = self._pull(-correlation)[hard], self.inverse_scale[hard]
        over = size > most
        return float((most[over] / size[over]).min(initial=1.0))

    def _pull(self, w: Vector) -> Vector:
        """Size of a dual number, 0 where it pulls against a bound."""
        return np.where(self.nonnegative, np.maximum(w, 0.0), np.abs(w))

    def fenchel_young(self, coef: Vector, dual: Vector) -> float:
        """Return ``penalty(coef) + penalty*(−dual) + dual·coef``; inf where not convex.

        With ``q m^(q−1) = s |dual|``, the conjugate is ``(q − 1) m^q`` and each term the Bregman
        divergence of ``x^q`` between ``x = |coef|/s`` and m.
        """
        if self.power < 1 or (coef[self.nonnegative] < 0).any():
            return math.inf
        w, q = -dual, self.power
        penalised = self.inverse_scale > 0
        pull = self._pull(w)
        if (pull[~penalised & self.nonnegative] > 0).any() or (w[self.flat] != 0).any():
            return math.inf
        rate = np.where(penalised, self.inverse_scale, 1.0)
        x = coef * np.where(np.sign(w) == 0, 1.0, np.sign(w)) * rate
        x = np.where(self.nonnegative, coef * rate, x)
        steep = pull / rate
        if q == 1:
            if (steep[penalised] > 1 + 1e-12).any():
                return math.inf
            each = np.maximum(np.abs(x) - steep * x, 0.0)
        else:
            each = _power_divergence(x, (steep / q) ** (1 / (q - 1)), q)
        # Against a bound the dual number adds what its side of the half line is worth.
        bound = np.where(self.nonnegative & (w < 0), -w * coef, 0.0)
        return float((np.where(penalised, each, 0.0) + bound).sum())


def _power_divergence(x: Vector, m: Vector, q: float) -> Vector:
    """``|x|^q − q m^(q−1) x + (q − 1) m^q`` for m >= 0, without cancellation where x is near m."""
    direct = np.abs(x) ** q - q * m ** (q - 1) * x + (q - 1) * m**q
    near = np.abs(x - m) < 0.05 * m
    t = np.where(near, (x - m) / np.where(near, m, 1.0), 0.0)
    series, term = np.zeros_like(t), q * t
    for k in range(2, 16):
        term = term * t * (q - k + 1) / k
        series += term
    return np.maximum(np.where(near, m**q * series, direct), 0.0)


def _falls(u: Vector, size: Vector, step: Vector, value: Callable[[Vector], Vector]) -> Mask:
    """Whether ``(u − z)²/(2 step) + g(u)`` is below its value at 0 by more than rounding."""
    gain, price = u * (size - 0.5 * u) / step, value(u)
    return np.asarray(gain - price > 1e-14 * price)


def _newton(equation: Root, start: Vector, where: Mask | None = None) -> Vector:
    """Newton's method on each entry, from a side where it is monotone; NaN where not asked."""
    asked = np.ones(start.size, dtype=bool) if where is None else where
    u = np.where(asked, start, math.nan)
    direction = np.zeros_like(u)
    for _ in range(_STEPS):
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            value, slope = equation(u)
            step = np.where(np.isfinite(value) & (slope > 0), -value / slope, 0.0)
        # A step back is rounding, and so is a step of a few last digits: the end.
        ended = (step * direction < 0) | (np.abs(step) <= 4 * _EPS * u)
        step = np.where(ended, 0.0, step)
        new = np.maximum(u + step, 0.0)
        direction = np.sign(step)
        if not (new != u)[asked].any():
            break
        u = new
    return u
