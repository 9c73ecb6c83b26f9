"""Priors with heavier tails, or a sharper peak, than their scale alone would say."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from scipy import special

from bayesreg._validation import Matrix, Vector, as_positive, set_fields
from bayesreg.penalties import (
    BridgePenalty,
    ElasticNetPenalty,
    ParetoPenalty,
    SeparablePenalty,
    StudentTPenalty,
)
from bayesreg.priors.base import Scaled, fill, require_proper, scale_parameters

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bayesreg.priors.base import Flat
    from bayesreg.scale_priors import ScalePrior

LOG_2 = math.log(2)


class _Curved(Scaled):
    """What the three have in common: a density of ``|β|/scale``, with one number of its own."""

    @abstractmethod
    def _log_size_normalizer(self) -> float:
        """Log of the integral of ``exp(−penalty)`` over both signs, at scale 1."""

    @abstractmethod
    def _size_moments(self) -> tuple[float, float]:
        """``E|β|`` and ``E β²`` at scale 1; inf where they are."""

    @abstractmethod
    def _draw_sizes(self, rng: np.random.Generator, shape: tuple[int, int]) -> Matrix:
        """Draw ``|β|`` at scale 1."""

    def log_normalizers(self, p: int) -> Vector:
        """Return the log of the normaliser; 0 where flat."""
        scale = self.numbers(p)
        finite = np.isfinite(scale)
        constant = self._log_size_normalizer() - (LOG_2 if self.nonnegative else 0.0)
        return np.where(finite, np.log(np.where(finite, scale, 1.0)) + constant, 0.0)

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Mean and variance; NaN where the mean does not exist, inf where the variance is."""
        scale = self.numbers(p)
        first, second = self._size_moments()
        finite, exists = np.isfinite(scale), math.isfinite(first)
        spread = second - first**2 if self.nonnegative and exists else second
        one = np.where(finite, scale, 1.0)
        mean = one * first if self.nonnegative else np.full(p, 0.0 if exists else math.nan)
        variance = one**2 * (spread if exists else math.nan)
        return np.where(finite, mean, math.nan), np.where(finite, variance, math.inf)

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw the size, and the sign unless there is only one."""
        scale = self.numbers(p)
        require_proper(scale)
        sizes = scale * self._draw_sizes(rng, (size, p))
        return sizes if self.nonnegative else sizes * rng.choice([-1.0, 1.0], (size, p))


@dataclass(frozen=True, eq=False, init=False)
class StudentT(_Curved):
    """Student's t prior: penalty ``(ν + 1)/2 · log(1 + β²/(ν scale²))``; Cauchy at ν = 1.

    Not convex: it stops shrinking what is large, and a mode may be one of several.

    Parameters
    ----------
    nu : float
        Degrees of freedom, one number.
    scale : float, array_like (p,) or ScalePrior
        Scale, in units of the coefficient (not the sd).
    relative_to, factor, nonnegative
        As in `Normal`.

    Examples
    --------
    >>> round(StudentT(nu=1.0, scale=2.0).penalty(1).value(np.array([2.0])), 6)  # log 2
    0.693147
    """

    nu: float = 1.0
    name: ClassVar[str] = "StudentT"
    penalised_name: ClassVar[str] = "Student-t penalty"
    symbol: ClassVar[str] = "s"

    def __init__(
        self,
        nu: float,
        scale: ArrayLike | ScalePrior | Flat,
        *,
        relative_to: Literal["sigma"] | None = None,
        factor: ArrayLike = 1.0,
        nonnegative: bool = False,
    ) -> None:
        super().__init__(scale, relative_to=relative_to, factor=factor, nonnegative=nonnegative)
        set_fields(self, nu=as_positive(nu, "nu"))

    def penalty(self, p: int) -> StudentTPenalty:
        """Return ``Σ (ν + 1)/2 · log(1 + β²/(ν scale²))``."""
        bounded = np.full(p, self.nonnegative)
        return StudentTPenalty(1.0 / self.numbers(p), self.nu, nonnegative=bounded)

    def _log_size_normalizer(self) -> float:
        half = 0.5 * self.nu
        return 0.5 * math.log(self.nu) + float(special.betaln(0.5, half))

    def _size_moments(self) -> tuple[float, float]:
        nu = self.nu
        first, second = math.inf, math.inf
        if nu > 1:
            first = 2 * math.sqrt(nu) / ((nu - 1) * math.exp(special.betaln(0.5, 0.5 * nu)))
        if nu > 2:
            second = nu / (nu - 2)
        return first, second

    def _draw_sizes(self, rng: np.random.Generator, shape: tuple[int, int]) -> Matrix:
        return np.abs(rng.standard_t(self.nu, shape))

    def formula(self) -> str:
        """Return the penalty as text."""
        s = self._scale_text()
        weight = f"{0.5 * (self.nu + 1):.6g}"
        return self._text(f"Σ{weight}·log(1 + βⱼ²/({self.nu:.6g}·{s}²))")

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale, factor and nu per coefficient."""
        return scale_parameters(self, p) | {"nu": fill(self.nu, p)}


@dataclass(frozen=True, eq=False, init=False)
class GeneralizedDoublePareto(_Curved):
    """Generalised double Pareto prior (Armagan, Dunson & Lee 2013).

    Density ``(1 + |β|/(shape · scale))^(−shape − 1) / (2 scale)``: a kink at 0 as a Laplace prior
    of scale ``scale · shape/(shape + 1)``, tails of a power. Not convex.

    Parameters
    ----------
    scale : float, array_like (p,) or ScalePrior
        Scale ξ, in units of the coefficient.
    shape : float
        Power α of the tails, one number; a Laplace prior in the limit of large α.
    relative_to, factor, nonnegative
        As in `Normal`.

    Examples
    --------
    >>> GeneralizedDoublePareto(scale=1.0, shape=1.0).penalty(1).prox(np.array([1.0]), 0.4)
    array([0.4472136])
    """

    shape: float = 1.0
    name: ClassVar[str] = "GeneralizedDoublePareto"
    penalised_name: ClassVar[str] = "generalised double Pareto penalty"
    symbol: ClassVar[str] = "ξ"

    def __init__(
        self,
        scale: ArrayLike | ScalePrior | Flat,
        shape: float,
        *,
        relative_to: Literal["sigma"] | None = None,
        factor: ArrayLike = 1.0,
        nonnegative: bool = False,
    ) -> None:
        super().__init__(scale, relative_to=relative_to, factor=factor, nonnegative=nonnegative)
        set_fields(self, shape=as_positive(shape, "shape"))

    def penalty(self, p: int) -> ParetoPenalty:
        """Return ``Σ (shape + 1) log(1 + |β|/(shape · scale))``."""
        bounded = np.full(p, self.nonnegative)
        return ParetoPenalty(1.0 / self.numbers(p), self.shape, nonnegative=bounded)

    def _log_size_normalizer(self) -> float:
        return LOG_2

    def _size_moments(self) -> tuple[float, float]:
        a = self.shape
        first = a / (a - 1) if a > 1 else math.inf
        return first, 2 * a**2 / ((a - 1) * (a - 2)) if a > 2 else math.inf

    def _draw_sizes(self, rng: np.random.Generator, shape: tuple[int, int]) -> Matrix:
        return np.asarray(self.shape * np.expm1(rng.exponential(size=shape) / self.shape))

    def formula(self) -> str:
        """Return the penalty as text."""
        s, a = self._scale_text(), f"{self.shape:.6g}"
        return self._text(f"Σ{self.shape + 1:.6g}·log(1 + |βⱼ|/({a}·{s}))")

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale, factor and shape per coefficient."""
        return scale_parameters(self, p) | {"shape": fill(self.shape, p)}


@dataclass(frozen=True, eq=False, init=False)
class Bridge(_Curved):
    """Bridge prior (Frank & Friedman 1993): density ``∝ exp(−|β/scale|^power)``.

    Convex for a power of at least 1: the lasso at 1, ridge at 2 (with ``scale = √2 sd``). Below 1
    the slope at 0 is infinite, and every coefficient has a local mode at 0 whatever the data say.

    Parameters
    ----------
    scale : float, array_like (p,) or ScalePrior
        Scale, in units of the coefficient.
    power : float
        The exponent, one number.
    relative_to, factor, nonnegative
        As in `Normal`.

    Examples
    --------
    >>> Bridge(scale=2.0, power=3.0).penalty(1).value(np.array([4.0]))
    8.0
    """

    power: float = 1.0
    name: ClassVar[str] = "Bridge"
    penalised_name: ClassVar[str] = "bridge"
    symbol: ClassVar[str] = "s"

    def __init__(
        self,
        scale: ArrayLike | ScalePrior | Flat,
        power: float,
        *,
        relative_to: Literal["sigma"] | None = None,
        factor: ArrayLike = 1.0,
        nonnegative: bool = False,
    ) -> None:
        super().__init__(scale, relative_to=relative_to, factor=factor, nonnegative=nonnegative)
        set_fields(self, power=as_positive(power, "power"))

    def penalty(self, p: int) -> SeparablePenalty:
        """Return ``Σ |β/scale|^power``; where that is an elastic net, as one."""
        rate, zero = 1.0 / self.numbers(p), np.zeros(p)
        bounded = np.full(p, self.nonnegative)
        if self.power == 1:
            return ElasticNetPenalty(rate, zero, zero, bounded)
        if self.power == 2:
            return ElasticNetPenalty(zero, 2 * rate**2, zero, bounded)
        return BridgePenalty(rate, self.power, nonnegative=bounded)

    def _log_size_normalizer(self) -> float:
        return LOG_2 + math.lgamma(1 + 1 / self.power)

    def _size_moments(self) -> tuple[float, float]:
        one, two, three = (math.lgamma(k / self.power) for k in (1, 2, 3))
        return math.exp(two - one), math.exp(three - one)

    def _draw_sizes(self, rng: np.random.Generator, shape: tuple[int, int]) -> Matrix:
        return np.asarray(rng.standard_gamma(1 / self.power, shape) ** (1 / self.power))

    def formula(self) -> str:
        """Return the penalty as text."""
        return self._text(f"Σ|βⱼ/{self._scale_text()}|^{self.power:.6g}")

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale, factor and power per coefficient."""
        return scale_parameters(self, p) | {"power": fill(self.power, p)}
