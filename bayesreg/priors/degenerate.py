"""Priors to sample under, not to maximise: their densities are infinite at 0."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, NoReturn

import numpy as np
from scipy import special

from bayesreg._validation import Matrix, Vector, as_fraction, as_scale, set_fields
from bayesreg._visible import shown
from bayesreg.errors import DegenerateMode, InputError
from bayesreg.priors.base import (
    Flat,
    IndependentPrior,
    Scale,
    Scaled,
    fill,
    number,
    product,
    require_proper,
    scale_parameters,
)
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from typing import Literal, Self

    from numpy.typing import ArrayLike
    from scipy.interpolate import CubicSpline

    from bayesreg.penalties import ElasticNetPenalty

LOG_2PI = math.log(2 * math.pi)
_WHERE_SERIES = 50.0
#: Log of the normaliser of a horseshoe of scale 1, ``√(2π³)``.
_HORSESHOE_CONSTANT = 0.5 * (LOG_2PI + 2 * math.log(math.pi))
#: exp(−40) of what a sum is made of is below rounding.
_LAST, _CHUNK, _ROOT_REACH = 40.0, 4096, 60.0
_NO_MODE = (
    "prior: the {} density is infinite at 0, so the posterior is unbounded and has no mode; draw "
    "from it with bayesreg.sample(problem), or use a prior with a mode of the same kind, such as "
    "GeneralizedDoublePareto(scale=..., shape=1.0)"
)


def log_scaled_exp1(x: Vector) -> Vector:
    """``log(exp(x) E1(x))`` for x >= 0, inf at 0; beyond 50 by the asymptotic series."""
    far = x > _WHERE_SERIES
    near, large = np.where(far, 1.0, x), np.where(far, x, _WHERE_SERIES)
    series, term = np.ones_like(x), np.ones_like(x)
    for k in range(1, 21):
        term = -term * k / large
        series = series + term
    with np.errstate(divide="ignore"):
        direct = near + np.log(special.exp1(near))
    return np.where(far, np.log(series) - np.log(large), direct)


@dataclass(frozen=True, eq=False, init=False)
class Horseshoe(Scaled):
    """Horseshoe prior (Carvalho, Polson & Scott 2010): ``β ~ N(0, λ² scale²)``, λ half-Cauchy.

    Its density ``exp(x) E1(x) / (scale √(2π³))`` with ``x = β²/(2 scale²)`` is infinite at 0, so
    that every posterior is unbounded and has no mode; its draws and summaries are what it is for.

    Parameters
    ----------
    scale : float, array_like (p,) or ScalePrior
        Global scale τ, in units of the coefficient.
    relative_to, factor
        As in `Normal`.

    Examples
    --------
    >>> Horseshoe(scale=1.0).log_densities(np.array([0.0, 1.0])).round(6)
    array([      inf, -2.143891])
    """

    name: ClassVar[str] = "Horseshoe"
    penalised_name: ClassVar[str] = "horseshoe (no mode)"
    symbol: ClassVar[str] = "τ"

    def __init__(
        self,
        scale: ArrayLike | ScalePrior | Flat,
        *,
        relative_to: Literal["sigma"] | None = None,
        factor: ArrayLike = 1.0,
        nonnegative: bool = False,
    ) -> None:
        if nonnegative is not False:
            msg = f"nonnegative: a horseshoe has both signs, found {shown(nonnegative)}"
            raise InputError(msg)
        super().__init__(scale, relative_to=relative_to, factor=factor)

    def penalty(self, p: int) -> ElasticNetPenalty:
        """Raise DegenerateMode, unless it is flat for every coefficient and there is no penalty."""
        if self.is_flat:
            return Flat().penalty(p)
        raise DegenerateMode(_NO_MODE.format("horseshoe"))

    def log_normalizers(self, p: int) -> Vector:
        """Return ``log(scale √(2π³))``, what ``exp(x) E1(x)`` is divided by; 0 where flat."""
        scale = self.numbers(p)
        finite = np.isfinite(scale)
        logs = np.log(np.where(finite, scale, 1.0)) + _HORSESHOE_CONSTANT
        return np.where(finite, logs, 0.0)

    def log_densities(self, coef: Vector) -> Vector:
        """Log density of each coefficient by itself, shape (p,); inf at 0."""
        scale = self.numbers(coef.size)
        finite = np.isfinite(scale)
        ratio = coef / np.where(finite, scale, 1.0)
        density = log_scaled_exp1(0.5 * ratio**2) - self.log_normalizers(coef.size)
        return np.where(finite, density, 0.0)

    def log_density(self, coef: Vector) -> float:
        """Log density of the coefficients (p,) together."""
        return float(self.log_densities(coef).sum())

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Return NaN: its tails are those of a Cauchy density, without a mean."""
        return np.full(p, math.nan), np.where(np.isinf(self.numbers(p)), math.inf, math.nan)

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw the local scale, then the coefficient."""
        scale = self.numbers(p)
        require_proper(scale)
        return np.asarray(scale * rng.standard_cauchy((size, p)) * rng.standard_normal((size, p)))

    def formula(self) -> str:
        """Return minus the log density as text."""
        s = self._scale_text()
        return self._text(f"−Σlog[exp(xⱼ)·E₁(xⱼ)], xⱼ = βⱼ²/(2·{s}²)")

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale and factor per coefficient."""
        return scale_parameters(self, p)


def _log_slabbed(a: Vector, ratio: Vector) -> Vector:
    r"""Log of ``2 ∫ √(r + x²)/(1 + x²) exp(−a x²) dx`` over x >= 0, shapes (m,); inf at a = 0.

    What is left of a regularised horseshoe, ``x = 1/λ``. With ``x = √min(r, 1) sinh t`` it is
    analytic and even in t, in a strip of ±π/4, and dies out double exponentially, so that the plain
    sum over an even grid is exact to rounding. At r = 0 it is ``exp(a) E1(a)``.
    """
    out = np.full(a.shape, math.inf)
    for chunk in np.array_split(np.flatnonzero(a > 0), -(-a.size // _CHUNK)):
        rate, r = a[chunk, None], ratio[chunk, None]
        unit = np.sqrt(np.minimum(r, 1.0))
        step, t = _grid(0.0, np.arcsinh(np.sqrt(_LAST / rate) / unit), 0.13)
        x = unit * np.sinh(t)
        terms = np.sqrt(r + x**2) * unit * np.cosh(t) / (1.0 + x**2) * np.exp(-rate * x**2)
        terms[:, 0] *= 0.5
        out[chunk] = np.log(2.0 * step * terms.sum(axis=1))
    return out


def _grid(low: float, high: Matrix, width: float) -> tuple[Vector, Matrix]:
    """Steps (m,) of at most `width`, and even grids from `low` to `high` (m, 1), one per row."""
    count = math.ceil(float(np.max(high - low, initial=1.0)) / width)
    step = (high - low) / count
    return step[:, 0], low + step * np.arange(count + 1)


def _log_gamma_rule(half: float) -> tuple[Vector, Vector]:
    """Logs of nodes and weights of a sum that is a mean over Gamma(half, 1); shapes (m,).

    Even in log w around its mode, where the density dies out like ``exp(−half (e^y − 1 − y))``.
    """
    reach = 40.0 / half + math.sqrt(80.0 / half)
    count = max(64, math.ceil((reach + math.log1p(reach)) / 0.3))
    y, step = np.linspace(-reach, math.log1p(reach), count, retstep=True)
    x = math.log(half) + y
    return x, math.log(step) + half * x - np.exp(x) - special.gammaln(half)


@lru_cache(maxsize=8)
def log_mean_root(half: float) -> CubicSpline:
    """``log E √(w + z)``, w from Gamma(half, 1), as a function of log z within ±60."""
    from scipy.interpolate import CubicSpline  # noqa: PLC0415  (rarely needed, not light)

    x, weight = _log_gamma_rule(half)
    grid = np.linspace(-_ROOT_REACH, _ROOT_REACH, 12_001)
    root = np.sqrt(np.exp(x) + np.exp(grid[:, None]))
    return CubicSpline(grid, np.log(root @ np.exp(weight)))


def _log_t_slabbed(a: Vector, log_ratio: Vector, half: float) -> Vector:
    r"""Log of ``2 ∫ E√(r w + x²)/(1 + x²) exp(−a x²) dx``, w from Gamma(half, 1); shapes (m,).

    As `_log_slabbed` for a random slab. The mean over w has a cusp at x = 0, which
    ``x = m exp(t − exp(−t))`` removes to infinity, where everything dies out double exponentially.
    """
    out, root = np.full(a.shape, math.inf), log_mean_root(half)
    for chunk in np.array_split(np.flatnonzero(a > 0), max(1, -(-a.size // _CHUNK))):
        rate, log_r = a[chunk, None], log_ratio[chunk, None]
        log_m = np.minimum(0.0, -0.5 * np.log(rate))
        step, t = _grid(-3.7, 0.5 * np.log(_LAST / rate) - log_m + 0.2, 0.1)
        log_x = log_m + t - np.exp(-t)
        z, square = 2 * log_x - log_r, np.exp(2 * log_x)
        beyond = 0.5 * np.maximum(z - _ROOT_REACH, 0.0)
        mean = root(np.clip(z, -_ROOT_REACH, _ROOT_REACH)) + beyond
        terms = np.exp(mean + log_x - rate * square) * (1.0 + np.exp(-t)) / (1.0 + square)
        out[chunk] = 0.5 * log_r[:, 0] + np.log(2.0 * step * terms.sum(axis=1))
    return out


@dataclass(frozen=True, eq=False, init=False)
class RegularizedHorseshoe(Scaled):
    """Regularised horseshoe (Piironen & Vehtari 2017): a horseshoe whose tails end in a slab.

    ``β ~ N(0, v)`` with ``1/v = 1/(λ² scale²) + 1/c²`` and λ half-Cauchy: like a `Horseshoe` where
    ``λ·scale`` is less than c, like ``N(0, c²)`` beyond. Infinite at 0, so without a mode. Its
    density is a one-dimensional integral.

    Parameters
    ----------
    scale : float, array_like (p,) or ScalePrior
        Global scale τ, in units of the coefficient; finite.
    slab_scale : float or array_like (p,)
        Width of the slab, in units of the coefficient, finite: c itself, or the scale of c.
    slab_df : float
        Degrees of freedom: ``c² ~ InverseGamma(df/2, df·slab_scale²/2)``, so that the slab is a
        Student t. Infinite: c is known. Each coefficient has a c of its own and is independent of
        the others (in the paper they share one).
    factor : array_like (p,), optional
        Known multiplier of the scale, not of the slab.

    Examples
    --------
    >>> prior = RegularizedHorseshoe(scale=1.0, slab_scale=2.0)
    >>> prior.log_densities(np.array([0.0, 1.0])).round(6)
    array([      inf, -1.909621])
    """

    slab_scale: Scale = 1.0
    slab_df: float = math.inf
    name: ClassVar[str] = "RegularizedHorseshoe"
    penalised_name: ClassVar[str] = "regularised horseshoe (no mode)"
    symbol: ClassVar[str] = "τ"

    def __init__(
        self,
        scale: ArrayLike | ScalePrior | Flat,
        slab_scale: ArrayLike,
        slab_df: float = math.inf,
        *,
        relative_to: None = None,
        factor: ArrayLike = 1.0,
        nonnegative: bool = False,
    ) -> None:
        if nonnegative is not False:
            msg = f"nonnegative: a horseshoe has both signs, found {shown(nonnegative)}"
            raise InputError(msg)
        if relative_to is not None:
            msg = (
                "relative_to: the slab is in units of the coefficient, so the scale must be too; "
                "leave it out"
            )
            raise InputError(msg)
        super().__init__(scale, factor=factor)
        df = as_scale(slab_df, "slab_df")
        if not isinstance(df, float):
            msg = f"slab_df: must be one number, found {shown(slab_df)}"
            raise InputError(msg)
        set_fields(self, slab_scale=as_scale(slab_scale, "slab_scale"), slab_df=df)
        for argument in ("scale", "slab_scale", "factor"):
            value = getattr(self, argument)
            if not isinstance(value, ScalePrior) and np.isinf(value).any():
                msg = f"{argument}: must be finite, found inf; use Horseshoe, Normal or Flat"
                raise InputError(msg)

    def penalty(self, p: int) -> NoReturn:
        """Raise DegenerateMode."""
        del p
        raise DegenerateMode(_NO_MODE.format("regularised horseshoe"))

    def log_normalizers(self, p: int) -> Vector:
        """Return 0: `log_densities` holds every constant."""
        return np.zeros(p)

    def log_densities(self, coef: Vector) -> Vector:
        """Log density of each coefficient by itself, shape (p,); inf at 0."""
        scale, slab = self.numbers(coef.size), fill(self.slab_scale, coef.size)
        a, constant = 0.5 * (coef / scale) ** 2, np.log(scale) + _HORSESHOE_CONSTANT
        if math.isinf(self.slab_df):
            return _log_slabbed(a, (scale / slab) ** 2) - 0.5 * (coef / slab) ** 2 - constant
        # exp(−β² w/2) times the gamma density of w = 1/c² is another gamma density.
        half = 0.5 * self.slab_df
        rate = half * slab**2 + 0.5 * coef**2
        tilt = half * np.log1p((coef / slab) ** 2 / self.slab_df)
        return _log_t_slabbed(a, np.log(scale**2 / rate), half) - tilt - constant

    def log_density(self, coef: Vector) -> float:
        """Log density of the coefficients (p,) together."""
        return float(self.log_densities(coef).sum())

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Return 0 and the mean of ``scale c²/(c + scale)``, infinite for slab_df <= 1."""
        scale, slab = self.numbers(p), fill(self.slab_scale, p)
        if math.isinf(self.slab_df):
            return np.zeros(p), scale * slab * (slab / (slab + scale))
        if self.slab_df <= 1:
            return np.zeros(p), np.full(p, math.inf)
        # Weighted by c, so that the sum reaches as far as the tail of c: again a gamma density.
        half = 0.5 * self.slab_df
        x, weight = _log_gamma_rule(half - 0.5)
        c = slab[:, None] * np.exp(0.5 * (math.log(half) - x))
        mean = slab * math.sqrt(half) * math.exp(math.lgamma(half - 0.5) - math.lgamma(half))
        share = (np.exp(weight) * (c / (c + scale[:, None]))).sum(axis=1)
        return np.zeros(p), scale * mean * share

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw the local scale and the slab, then the coefficient."""
        scale, slab = self.numbers(p), np.broadcast_to(fill(self.slab_scale, p), (size, p))
        if math.isfinite(self.slab_df):
            half = 0.5 * self.slab_df
            slab = slab * np.sqrt(half / rng.standard_gamma(half, (size, p)))
        wide = scale * np.abs(rng.standard_cauchy((size, p)))
        return np.asarray(rng.standard_normal((size, p)) * wide * slab / np.hypot(wide, slab))

    def rescaled(self, factor: Vector) -> Self:
        """Prior of ``factor * β``: scale and slab are multiplied."""
        return replace(super().rescaled(factor), slab_scale=product(self.slab_scale, factor))

    def formula(self) -> str:
        """Return minus the log density as text."""
        tau, c = self._scale_text(), self._symbol_or_number("cⱼ")
        random = "" if math.isinf(self.slab_df) else f", c of {self.slab_df:.6g} df"
        hyper = "" if self.hyperprior is None else f" + {self.hyperprior.formula(self.symbol)}"
        whole = f"1/(1/(λ·{tau})² + 1/{c}²)"
        return f"−Σlog E[N(βⱼ; 0, {whole})], λ ~ C⁺(0, 1){random}{hyper}"

    def symbols(self) -> dict[str, Scale]:
        """Return the scales of the slab, too."""
        return super().symbols() | {"cⱼ": self.slab_scale}

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale, factor, slab_scale and slab_df per coefficient."""
        numbers = {"slab_scale": fill(self.slab_scale, p), "slab_df": fill(self.slab_df, p)}
        return scale_parameters(self, p) | numbers


@dataclass(frozen=True, eq=False, init=False)
class SpikeSlab(IndependentPrior):
    """Spike and slab: exactly 0 with probability ``1 − inclusion``, else ``N(0, slab_scale²)``.

    The mode of a density with an atom is not defined: it depends on what measure the density is
    with respect to (Mitchell & Beauchamp 1988). Here that is Lebesgue measure plus a unit mass at
    0.

    Parameters
    ----------
    inclusion : float
        Prior probability that a coefficient is not 0, between 0 and 1.
    slab_scale : float or array_like (p,)
        Standard deviation of the coefficients that are not, finite.

    Examples
    --------
    >>> prior = SpikeSlab(inclusion=0.2, slab_scale=1.0)
    >>> np.exp(prior.log_densities(np.array([0.0, 1.0]))).round(6)
    array([0.8     , 0.048394])
    """

    inclusion: float
    slab_scale: Scale
    name: ClassVar[str] = "SpikeSlab"
    penalised_name: ClassVar[str] = "spike and slab (no mode)"

    def __init__(self, inclusion: float, slab_scale: ArrayLike) -> None:
        scale = as_scale(slab_scale, "slab_scale")
        if np.isinf(scale).any():
            msg = "slab_scale: must be finite, or no coefficient would ever be included; found inf"
            raise InputError(msg)
        set_fields(self, inclusion=as_fraction(inclusion, "inclusion"), slab_scale=scale)

    def penalty(self, p: int) -> NoReturn:
        """Raise DegenerateMode."""
        del p
        msg = (
            "prior: spike and slab has an atom at 0, and the mode of a density with an atom is not "
            "defined; sample it and use inclusion probabilities and medians instead"
        )
        raise DegenerateMode(msg)

    def log_normalizers(self, p: int) -> Vector:
        """Return 0: `log_densities` holds every constant."""
        return np.zeros(p)

    def log_densities(self, coef: Vector) -> Vector:
        """Log density with respect to Lebesgue measure plus a unit mass at 0, shape (p,)."""
        scale = fill(self.slab_scale, coef.size)
        slab = math.log(self.inclusion) - 0.5 * (LOG_2PI + (coef / scale) ** 2) - np.log(scale)
        return np.where(coef == 0, math.log1p(-self.inclusion), slab)

    def log_density(self, coef: Vector) -> float:
        """Log density of the coefficients (p,) together."""
        return float(self.log_densities(coef).sum())

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Return 0 and ``inclusion · slab_scale²``."""
        return np.zeros(p), self.inclusion * fill(self.slab_scale, p) ** 2

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw which coefficients are 0, and the others."""
        slab = rng.normal(0.0, fill(self.slab_scale, p), (size, p))
        return np.where(rng.random((size, p)) < self.inclusion, slab, 0.0)

    def rescaled(self, factor: Vector) -> SpikeSlab:
        """Prior of ``factor * β``: the slab's scale is multiplied."""
        return replace(self, slab_scale=product(self.slab_scale, factor))

    def formula(self) -> str:
        """Return minus the log density as text."""
        ((symbol, values),) = self.symbols().items()
        scale = number(values, symbol)
        pi = self.inclusion
        return f"−Σlog[{1 - pi:.6g}·δ₀(βⱼ) + {pi:.6g}·N(βⱼ; 0, {scale}²)]"

    def symbols(self) -> dict[str, Scale]:
        """Return the scales of the slab."""
        return {"τⱼ": self.slab_scale}

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return both numbers per coefficient."""
        return {
            "slab_scale": fill(self.slab_scale, p),
            "inclusion": fill(self.inclusion, p),
        }
