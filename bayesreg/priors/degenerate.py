"""Priors to sample under, not to maximise: their densities are infinite at 0."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NoReturn

import numpy as np
from scipy import special

from bayesreg._validation import Matrix, Vector, as_fraction, as_scale, set_fields
from bayesreg.errors import DegenerateMode, InputError
from bayesreg.priors.base import (
    IndependentPrior,
    Scale,
    Scaled,
    fill,
    number,
    product,
    require_proper,
    scale_parameters,
)

if TYPE_CHECKING:
    from typing import Literal

    from numpy.typing import ArrayLike

    from bayesreg.priors.base import Flat
    from bayesreg.scale_priors import ScalePrior

LOG_2PI = math.log(2 * math.pi)
_WHERE_SERIES = 50.0


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

    def __init__(
        self,
        scale: ArrayLike | ScalePrior | Flat,
        *,
        relative_to: Literal["sigma"] | None = None,
        factor: ArrayLike = 1.0,
        nonnegative: bool = False,
    ) -> None:
        if nonnegative is not False:
            msg = f"nonnegative: a horseshoe has both signs, found {nonnegative!r}"
            raise InputError(msg)
        super().__init__(scale, relative_to=relative_to, factor=factor)

    def penalty(self, p: int) -> NoReturn:
        """Raise DegenerateMode."""
        del p
        msg = (
            "prior: the horseshoe density is infinite at 0, so the posterior is unbounded and has "
            "no mode; sample it with PyMC (pm.sample in the model br.to_pymc(problem)), or use a "
            "prior with a mode of the same kind, such as GeneralizedDoublePareto(scale=..., "
            "shape=1.0)"
        )
        raise DegenerateMode(msg)

    def log_normalizers(self, p: int) -> Vector:
        """Return ``log(scale √(2π³))``, what ``exp(x) E1(x)`` is divided by; 0 where flat."""
        scale = self.numbers(p)
        finite = np.isfinite(scale)
        constant = 0.5 * (LOG_2PI + 2 * math.log(math.pi))
        return np.where(finite, np.log(np.where(finite, scale, 1.0)) + constant, 0.0)

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
        s = self._scale_text("τ")
        return f"−Σlog[exp(xⱼ)·E₁(xⱼ)], xⱼ = βⱼ²/(2·{s}²){self._unknown_text('τ')}"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale and factor per coefficient."""
        return scale_parameters(self, p)


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
        scale = number(self.slab_scale, "τⱼ")
        pi = self.inclusion
        return f"−Σlog[{1 - pi:.6g}·δ₀(βⱼ) + {pi:.6g}·N(βⱼ; 0, {scale}²)]"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return both numbers per coefficient."""
        return {
            "slab_scale": fill(self.slab_scale, p),
            "inclusion": fill(self.inclusion, p),
        }
