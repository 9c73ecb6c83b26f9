"""The priors whose penalties are absolute values and squares: ridge, lasso, elastic net."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from scipy import special

from bayesreg._validation import (
    Matrix,
    Vector,
    as_flag,
    as_real,
    as_scale,
    as_vector,
    is_many,
    set_fields,
)
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.priors.base import (
    ElasticNetPrior,
    Scale,
    Scaled,
    fill,
    flat_text,
    number,
    product,
    require_proper,
    scale_parameters,
    sign_text,
)
from bayesreg.scale_priors import Exponential, HalfNormal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bayesreg.priors.base import Flat
    from bayesreg.scale_priors import ScalePrior

LOG_2PI = math.log(2 * math.pi)
# From here on a continued fraction of 100 terms is exact to rounding.
_TAIL = 4.0


def truncated_moments(loc: Vector, scale: Vector) -> tuple[Vector, Vector]:
    """Mean and variance of ``N(loc, scale²)`` given that it is positive, shapes (p,).

    With ``a = −loc/scale`` and the inverse Mills ratio ``h = φ(a)/(1 − Φ(a))`` they are
    ``scale (h − a)`` and ``scale² (1 − h (h − a))``. In the tail both cancel; there Laplace's
    continued fraction ``h = a + 1/(a + e)``, ``e = 2/(a + 3/(a + …))`` gives ``h − a`` as
    ``d = 1/(a + e)``, and the variance as ``(e − d) d``.
    """
    a = -loc / scale
    far = a > _TAIL
    tail = np.where(far, a, _TAIL)
    e = np.zeros_like(tail)
    for k in range(100, 1, -1):
        e = k / (tail + e)
    d = 1 / (tail + e)
    near = np.where(far, 0.0, a)
    mills = math.sqrt(2 / math.pi) / special.erfcx(near / math.sqrt(2))
    mean = np.where(far, d, mills - near)
    variance = np.where(far, (e - d) * d, 1.0 - mills * (mills - near))
    return scale * mean, scale**2 * variance


def draw_truncated(loc: Vector, scale: Vector, rng: np.random.Generator, size: int) -> Matrix:
    """Draw from ``N(loc, scale²)`` given that it is positive, shape (size, p).

    By the inverse of the upper tail, in logarithms, so that tails are as good as the middle.
    """
    upper = special.log_ndtr(loc / scale) - rng.exponential(size=(size, loc.size))
    return np.maximum(loc - scale * special.ndtri_exp(upper), 0.0)


@dataclass(frozen=True, eq=False, init=False)
class Normal(Scaled, ElasticNetPrior):
    """Normal prior: ``β ~ N(loc, scale²)``, the ridge penalty ``(β − loc)² / (2 scale²)``.

    Parameters
    ----------
    scale : float, array_like (p,) or ScalePrior
        Standard deviation, in units of the coefficient.
    relative_to, factor
        As in the base class: a scale relative to sigma, and known multipliers.
    nonnegative : bool
        Whether coefficients are at least 0: the normal truncated there (half-normal at loc 0).
    loc : float or array_like (p,)
        Mean (before truncation).

    Examples
    --------
    >>> Normal(scale=2.0).penalty(1).value(np.array([2.0]))
    0.5
    """

    loc: Scale = 0.0
    name: ClassVar[str] = "Normal"
    penalised_name: ClassVar[str] = "ridge"
    symbol: ClassVar[str] = "τ"

    def __init__(
        self,
        scale: ArrayLike | ScalePrior | Flat,
        *,
        loc: ArrayLike = 0.0,
        relative_to: Literal["sigma"] | None = None,
        factor: ArrayLike = 1.0,
        nonnegative: bool = False,
    ) -> None:
        super().__init__(scale, relative_to=relative_to, factor=factor, nonnegative=nonnegative)
        set_fields(self, loc=as_vector(loc, "loc") if is_many(loc) else as_real(loc, "loc"))

    def penalty(self, p: int) -> ElasticNetPenalty:
        """Return ``Σ (β − loc)² / (2 scale²)``."""
        l2, bounded = self.numbers(p) ** -2.0, np.full(p, self.nonnegative)
        return ElasticNetPenalty(np.zeros(p), l2, fill(self.loc, p), bounded)

    def log_normalizers(self, p: int) -> Vector:
        """Return ``log(scale √(2π))``, with ``log Φ(loc/scale)`` if truncated; 0 where flat."""
        scale = self.numbers(p)
        finite = np.isfinite(scale)
        share = special.log_ndtr(fill(self.loc, p) / scale) if self.nonnegative else 0.0
        whole = np.log(np.where(finite, scale, 1.0)) + 0.5 * LOG_2PI
        return np.where(finite, whole + share, 0.0)

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Return loc and scale², or those of the truncated normal."""
        scale, loc = self.numbers(p), fill(self.loc, p)
        finite = np.isfinite(scale)
        if not self.nonnegative:
            return np.where(finite, loc, math.nan), scale**2
        mean, variance = truncated_moments(loc, np.where(finite, scale, 1.0))
        return np.where(finite, mean, math.nan), np.where(finite, variance, math.inf)

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw normal coefficients, truncated ones by the inverse of their distribution."""
        scale, loc = self.numbers(p), fill(self.loc, p)
        require_proper(scale)
        if self.nonnegative:
            return draw_truncated(loc, scale, rng, size)
        return rng.normal(loc, scale, (size, p))

    def rescaled(self, factor: Vector) -> Self:
        """Prior of ``factor * β``: scale and loc are multiplied."""
        prior = super().rescaled(factor)
        return (
            prior
            if np.all(np.asarray(self.loc) == 0)
            else replace(prior, loc=product(self.loc, factor))
        )

    def formula(self) -> str:
        """Return the ridge penalty as text."""
        loc = "" if np.all(np.asarray(self.loc) == 0) else self._symbol_or_number("mⱼ")
        square = f"(βⱼ − {loc})²" if loc else "βⱼ²"
        return self._text(f"Σ{square}/(2·{self._scale_text()}²)")

    def symbols(self) -> dict[str, Scale]:
        """Return the means, too."""
        return {"mⱼ": self.loc} | super().symbols()

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale, factor and loc per coefficient."""
        return scale_parameters(self, p) | {"loc": fill(self.loc, p)}


@dataclass(frozen=True, eq=False, init=False)
class Laplace(Scaled, ElasticNetPrior):
    """Laplace prior: density ``exp(−|β|/scale) / (2 scale)``, the lasso penalty ``|β| / scale``.

    Parameters
    ----------
    scale : float, array_like (p,) or ScalePrior
        Scale b (not the rate), in units of the coefficient; the sd is ``√2 b``.
    relative_to, factor
        As in the base class: a scale relative to sigma (Park & Casella 2008), known multipliers.
    nonnegative : bool
        Whether coefficients are at least 0: the exponential prior with mean `scale`.

    Examples
    --------
    >>> Laplace(scale=2.0).penalty(2).prox(np.array([3.0, 0.25]), 1.0)
    array([2.5, 0. ])
    """

    name: ClassVar[str] = "Laplace"
    penalised_name: ClassVar[str] = "lasso"
    symbol: ClassVar[str] = "b"

    def penalty(self, p: int) -> ElasticNetPenalty:
        """Return ``Σ |β| / scale``."""
        zero, bounded = np.zeros(p), np.full(p, self.nonnegative)
        return ElasticNetPenalty(1.0 / self.numbers(p), zero, zero, bounded)

    def log_normalizers(self, p: int) -> Vector:
        """Return ``log(2 scale)``, ``log scale`` if nonnegative; 0 where flat."""
        scale = self.numbers(p)
        finite = np.isfinite(scale)
        sides = 1.0 if self.nonnegative else 2.0
        return np.where(finite, np.log(sides * np.where(finite, scale, 1 / sides)), 0.0)

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Return 0 and 2 scale²; of the exponential, scale and scale²."""
        scale = self.numbers(p)
        mean = scale if self.nonnegative else np.zeros(p)
        sides = 1.0 if self.nonnegative else 2.0
        return np.where(np.isfinite(scale), mean, math.nan), sides * scale**2

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw Laplace or exponential coefficients."""
        scale = self.numbers(p)
        require_proper(scale)
        if self.nonnegative:
            return rng.exponential(scale, (size, p))
        return rng.laplace(0.0, scale, (size, p))

    def formula(self) -> str:
        """Return the lasso penalty as text."""
        return self._text(f"Σ|βⱼ|/{self._scale_text()}")

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale and factor per coefficient."""
        return scale_parameters(self, p)


@dataclass(frozen=True, eq=False, init=False)
class ElasticNet(ElasticNetPrior):
    """Elastic-net prior: density proportional to ``exp(−|β|/l1_scale − β²/(2 l2_scale²))``.

    The normaliser is ``l2_scale √(2π) erfcx(l2_scale / (√2 l1_scale))``.

    Parameters
    ----------
    l1_scale : float or array_like (p,)
        Scale of the Laplace factor; ``np.inf`` leaves the normal one alone.
    l2_scale : float or array_like (p,)
        Standard deviation of the normal factor; ``np.inf`` leaves the Laplace one alone.
    nonnegative : bool
        Whether coefficients are at least 0.

    Examples
    --------
    >>> ElasticNet(l1_scale=1.0, l2_scale=2.0).penalty(1).value(np.array([2.0]))
    2.5
    """

    l1_scale: Scale
    l2_scale: Scale
    nonnegative: bool = False
    name: ClassVar[str] = "ElasticNet"
    penalised_name: ClassVar[str] = "elastic net"

    def __init__(
        self, l1_scale: ArrayLike, l2_scale: ArrayLike, *, nonnegative: bool = False
    ) -> None:
        set_fields(
            self,
            l1_scale=as_scale(l1_scale, "l1_scale"),
            l2_scale=as_scale(l2_scale, "l2_scale"),
            nonnegative=as_flag(nonnegative, "nonnegative"),
        )

    def penalty(self, p: int) -> ElasticNetPenalty:
        """Return ``Σ |β| / l1_scale + β² / (2 l2_scale²)``."""
        l1, l2 = 1.0 / fill(self.l1_scale, p), fill(self.l2_scale, p) ** -2.0
        return ElasticNetPenalty(l1, l2, np.zeros(p), np.full(p, self.nonnegative))

    def log_normalizers(self, p: int) -> Vector:
        """Log of the normaliser, 0 where flat, shape (p,)."""
        b, tau = fill(self.l1_scale, p), fill(self.l2_scale, p)
        out = np.zeros(p)
        laplace = np.isfinite(b) & ~np.isfinite(tau)
        out[laplace] = np.log(2 * b[laplace])
        normal = np.isfinite(tau)
        ratio = tau[normal] / (math.sqrt(2) * b[normal])
        out[normal] = np.log(tau[normal]) + 0.5 * LOG_2PI + np.log(special.erfcx(ratio))
        # One half of a symmetric density.
        return np.where(laplace | normal, out - math.log(2), 0.0) if self.nonnegative else out

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Return the moments of a half, a normal at ``−l2_scale²/l1_scale`` truncated, mirrored."""
        b, tau = fill(self.l1_scale, p), fill(self.l2_scale, p)
        laplace, flat = np.isinf(tau), np.isinf(b) & np.isinf(tau)
        sd = np.where(laplace, 1.0, tau)
        mean, variance = truncated_moments(-sd * (sd / b), sd)
        mean, variance = np.where(laplace, b, mean), np.where(laplace, b**2, variance)
        if not self.nonnegative:
            mean, variance = np.zeros(p), variance + mean**2
        return np.where(flat, math.nan, mean), np.where(flat, math.inf, variance)

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw the size from a truncated normal, or from its exponential limit, and the sign."""
        b, tau = fill(self.l1_scale, p), fill(self.l2_scale, p)
        require_proper(np.minimum(b, tau))
        # Beyond this ratio the square changes the size by less than 1e-10 of it.
        laplace = tau > 1e5 * b
        sd = np.where(laplace, 1.0, tau)
        truncated = draw_truncated(np.where(laplace, 0.0, -sd * (sd / b)), sd, rng, size)
        sizes = np.where(laplace, rng.exponential(np.where(laplace, b, 1.0), (size, p)), truncated)
        return sizes if self.nonnegative else sizes * rng.choice([-1.0, 1.0], (size, p))

    def rescaled(self, factor: Vector) -> ElasticNet:
        """Prior of ``factor * β``: both scales are multiplied."""
        return replace(
            self,
            l1_scale=product(self.l1_scale, factor),
            l2_scale=product(self.l2_scale, factor),
        )

    @property
    def is_flat(self) -> bool:
        """Whether both scales are infinite for every coefficient."""
        return not any(self._terms())

    def symbols(self) -> dict[str, Scale]:
        """Return both scales."""
        return {"bⱼ": self.l1_scale, "τⱼ": self.l2_scale}

    def _terms(self) -> tuple[str, str]:
        """Both penalties of a coefficient; empty where the scale of all is infinite."""
        b, tau = (number(values, symbol) for symbol, values in self.symbols().items())
        lasso = "" if np.isinf(self.l1_scale).all() else f"|βⱼ|/{b}"
        return lasso, "" if np.isinf(self.l2_scale).all() else f"βⱼ²/(2·{tau}²)"

    def formula(self) -> str:
        """Return the elastic-net penalty as text."""
        if self.is_flat:
            return flat_text(nonnegative=self.nonnegative)
        terms = [term for term in self._terms() if term]
        penalty = f"Σ[{' + '.join(terms)}]" if len(terms) > 1 else f"Σ{terms[0]}"
        return f"{penalty}{sign_text(nonnegative=self.nonnegative)}"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return both scales per coefficient."""
        return {"l1_scale": fill(self.l1_scale, p), "l2_scale": fill(self.l2_scale, p)}


def as_coefficient_prior(value: object) -> object:
    """Read `HalfNormal` and `Exponential`, priors of one positive number, as those of coefficients.

    Anything else is returned as it is.

    Examples
    --------
    >>> from bayesreg import HalfNormal
    >>> as_coefficient_prior(HalfNormal(2.0)) == Normal(2.0, nonnegative=True)
    True
    """
    if isinstance(value, HalfNormal):
        return Normal(value.scale, nonnegative=True)
    if isinstance(value, Exponential):
        return Laplace(value.scale, nonnegative=True)
    return value
