"""The priors whose penalties are absolute values and squares: ridge, lasso, elastic net."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from scipy import special

from bayesreg._validation import Vector, as_flag, as_real, as_scale, as_vector, set_fields
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.priors.base import ElasticNetPrior, Scale, Scaled, fill, number, product, sign_text
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bayesreg.priors.base import Flat

LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False, init=False)
class Normal(Scaled):
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
        one = np.ndim(loc) == 0
        set_fields(self, loc=as_real(loc, "loc") if one else as_vector(loc, "loc"))

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
        loc = "" if np.all(np.asarray(self.loc) == 0) else number(self.loc, "mⱼ")
        square = f"(βⱼ − {loc})²" if loc else "βⱼ²"
        return f"Σ{square}/(2·{self._scale_text('τ')}²){self._unknown_text('τ')}"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale, factor and loc per coefficient."""
        return _scale_parameters(self, p) | {"loc": fill(self.loc, p)}


@dataclass(frozen=True, eq=False, init=False)
class Laplace(Scaled):
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

    def formula(self) -> str:
        """Return the lasso penalty as text."""
        return f"Σ|βⱼ|/{self._scale_text('b')}{self._unknown_text('b')}"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale and factor per coefficient."""
        return _scale_parameters(self, p)


def _scale_parameters(prior: Scaled, p: int) -> dict[str, Vector]:
    if isinstance(prior.scale, ScalePrior):
        return {"factor": fill(prior.factor, p)}
    return {"scale": fill(prior.scale, p) * fill(prior.factor, p)}


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

    def rescaled(self, factor: Vector) -> ElasticNet:
        """Prior of ``factor * β``: both scales are multiplied."""
        return replace(
            self,
            l1_scale=product(self.l1_scale, factor),
            l2_scale=product(self.l2_scale, factor),
        )

    def formula(self) -> str:
        """Return the elastic-net penalty as text."""
        b, tau = number(self.l1_scale, "bⱼ"), number(self.l2_scale, "τⱼ")
        return f"Σ[|βⱼ|/{b} + βⱼ²/(2·{tau}²)]{sign_text(nonnegative=self.nonnegative)}"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return both scales per coefficient."""
        return {"l1_scale": fill(self.l1_scale, p), "l2_scale": fill(self.l2_scale, p)}
