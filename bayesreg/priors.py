"""Priors of the coefficients, and the penalties that they are.

A prior is a normalised density; minus its logarithm is a penalty plus a constant. Every separable
log-concave prior here has the penalty ``Σ l1_j |β_j| + Σ l2_j (β_j − loc_j)² / 2`` (`Penalty`), so
a prior states three numbers per coefficient and its normaliser.

Scales are scales, never rates: `Laplace(scale=b)` has density ``exp(−|β|/b) / (2b)``. A scale may
be ``np.inf``: the prior is then flat there, with density 1 (the convention of PyMC).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from scipy import special

from bayesreg._validation import (
    Vector,
    as_positive,
    as_real,
    as_scale,
    as_vector,
    read_only,
    set_fields,
)
from bayesreg.errors import InputError
from bayesreg.penalty import Penalty
from bayesreg.scale_priors import HalfFlat, ScalePrior

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LOG_2PI = math.log(2 * math.pi)

type Scale = float | Vector


@dataclass(frozen=True, eq=False)
class Prior(ABC):
    """Density of the coefficients, independent over them, and the penalty it is."""

    name: ClassVar[str]
    #: What a regression penalised this way is called.
    penalised_name: ClassVar[str]

    @abstractmethod
    def penalty(self, p: int) -> Penalty:
        """Return the penalty on p coefficients; InputError if a scale is unknown."""

    @abstractmethod
    def log_normalizer(self, p: int) -> Vector:
        """Log of the constant that each density is divided by; 0 where flat; shape (p,)."""

    @abstractmethod
    def rescaled(self, factor: Vector) -> Prior:
        """Prior of ``factor * β`` where this is the prior of β; `factor` (p,) is positive."""

    @abstractmethod
    def formula(self) -> str:
        """Return the penalty as text, with its numbers."""

    @abstractmethod
    def parameters(self, p: int) -> dict[str, Vector]:
        """Return the numbers that define the prior, one per coefficient, for comparing priors."""

    def log_density(self, coef: Vector) -> Vector:
        """Log density of each coefficient, shape (p,)."""
        p = coef.size
        penalty, constant = self.penalty(p), self.log_normalizer(p)
        value = penalty.l1 * np.abs(coef) + 0.5 * penalty.l2 * (coef - penalty.loc) ** 2
        return -value - constant

    def __eq__(self, other: object) -> bool:
        """Compare family and numbers."""
        if not isinstance(other, Prior):
            return NotImplemented
        mine, theirs = vars(self), vars(other)
        return type(self) is type(other) and all(
            np.array_equal(mine[key], theirs[key])
            if isinstance(mine[key], np.ndarray)
            else bool(np.all(mine[key] == theirs[key]))
            for key in mine
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def hyperprior(self) -> ScalePrior | None:
        """Prior of the unknown scale, if the scale is unknown."""
        return None

    @property
    def relative_to(self) -> Literal["sigma"] | None:
        """``"sigma"`` where the scale is a multiple of the noise sd."""
        return None

    def given(self, *, sigma: float | None = None, scale: float | None = None) -> Prior:
        """Set the noise sd and the unknown scale to numbers; nothing to do by default."""
        del sigma, scale
        return self

    def check_size(self, p: int) -> None:
        """Raise InputError unless every vector of the prior has p entries."""
        for argument, value in vars(self).items():
            if isinstance(value, np.ndarray) and value.size != p:
                msg = f"prior: {argument} has {value.size} entries, but X has {p} columns"
                raise InputError(msg)


def _fill(value: Scale, p: int) -> Vector:
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (p,))


def _product(scale: Scale, factor: Vector) -> Vector:
    return read_only(np.asarray(scale * factor, dtype=np.float64))


def _number(value: Scale, symbol: str) -> str:
    """One number as text, or the symbol of a vector that holds several."""
    array = np.atleast_1d(value)
    return f"{array[0]:.6g}" if (array == array[0]).all() else symbol


@dataclass(frozen=True, eq=False)
class Flat(Prior):
    """Improper density 1: no penalty. For a noise sd or a scale, `HalfFlat` takes its place.

    Examples
    --------
    >>> Flat().penalty(2).value(np.array([3.0, -4.0]))
    0.0
    """

    name: ClassVar[str] = "Flat"
    penalised_name: ClassVar[str] = "unpenalised"

    def penalty(self, p: int) -> Penalty:
        """Return the zero penalty."""
        zero = np.zeros(p)
        return Penalty(zero, zero, zero)

    def log_normalizer(self, p: int) -> Vector:
        """Return zeros."""
        return np.zeros(p)

    def rescaled(self, factor: Vector) -> Flat:
        """Return itself: flat stays flat."""
        del factor
        return self

    def formula(self) -> str:
        """Return the text of the zero penalty."""
        return "0"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return nothing: there are no numbers."""
        del p
        return {}


def as_scale_prior(value: object) -> ScalePrior | None:
    """Return a prior of a positive unknown where `value` is one (`Flat` included), else None."""
    if isinstance(value, Flat):
        return HalfFlat()
    return value if isinstance(value, ScalePrior) else None


@dataclass(frozen=True, eq=False, init=False)
class _Scaled(Prior):
    """A prior with one scale: a number, one per coefficient, or a density of an unknown number.

    Parameters
    ----------
    scale : float, array_like (p,) or ScalePrior
        The scale, in units of the coefficient; ``np.inf`` is flat. A `ScalePrior` makes it one
        unknown number that all coefficients share.
    relative_to : "sigma", optional
        The scale is then a multiple of the noise sd: ``scale * sigma``.
    factor : array_like (p,), optional
        Known multiplier of the scale, per coefficient.
    """

    scale: Scale | ScalePrior
    relative_to: Literal["sigma"] | None = None
    factor: Scale = 1.0

    def __init__(
        self,
        scale: ArrayLike | ScalePrior | Flat,
        *,
        relative_to: Literal["sigma"] | None = None,
        factor: ArrayLike = 1.0,
    ) -> None:
        unknown = as_scale_prior(scale)
        if unknown is not None and unknown.of_square:
            msg = "scale: InverseGamma is a prior of a square; use HalfCauchy or HalfNormal"
            raise InputError(msg)
        if not (relative_to is None or (isinstance(relative_to, str) and relative_to == "sigma")):
            msg = f'relative_to: must be None or "sigma", found {relative_to!r}'
            raise InputError(msg)
        set_fields(
            self,
            scale=as_scale(scale, "scale") if unknown is None else unknown,
            relative_to=relative_to,
            factor=as_scale(factor, "factor"),
        )

    @property
    def hyperprior(self) -> ScalePrior | None:
        """Prior of the unknown scale, if the scale is unknown."""
        return self.scale if isinstance(self.scale, ScalePrior) else None

    def given(self, *, sigma: float | None = None, scale: float | None = None) -> Self:
        """Set the unknown scale, and the noise sd that a relative scale multiplies, to numbers."""
        prior = self
        if scale is not None and prior.hyperprior is not None:
            prior = replace(prior, scale=as_positive(scale, "scale"))
        if sigma is not None and prior.relative_to is not None:
            prior = replace(
                prior, factor=prior.factor * as_positive(sigma, "sigma"), relative_to=None
            )
        return prior

    def numbers(self, p: int) -> Vector:
        """Scale of each coefficient, shape (p,); InputError while something is unknown."""
        if isinstance(self.scale, ScalePrior):
            msg = "scale: is unknown here; give a value, e.g. problem.given(scale=1.0)"
            raise InputError(msg)
        if self.relative_to is not None:
            msg = "scale: is a multiple of sigma, which is unknown; use problem.given(sigma=1.0)"
            raise InputError(msg)
        return _fill(self.scale, p) * _fill(self.factor, p)

    def rescaled(self, factor: Vector) -> Self:
        """Prior of ``factor * β``: the scale is multiplied."""
        if isinstance(self.scale, ScalePrior):
            return replace(self, factor=_product(self.factor, factor))
        return replace(self, scale=_product(self.scale, factor))

    def _scale_text(self, symbol: str) -> str:
        number = symbol if isinstance(self.scale, ScalePrior) else _number(self.scale, f"{symbol}ⱼ")
        factor = _number(self.factor, "fⱼ")
        parts = [number] + ([factor] if factor != "1" else []) + (["σ"] if self.relative_to else [])
        return parts[0] if len(parts) == 1 else f"({'·'.join(parts)})"

    def _unknown_text(self, symbol: str) -> str:
        """Terms that an unknown scale adds: the normaliser and its own prior."""
        terms = []
        if self.relative_to:
            terms.append("p·log σ")
        if isinstance(self.scale, ScalePrior):
            terms += [f"p·log {symbol}", self.scale.formula(symbol)]
        return "".join(f" + {term}" for term in terms)


@dataclass(frozen=True, eq=False, init=False)
class Normal(_Scaled):
    """Normal prior: ``β ~ N(loc, scale²)``, the ridge penalty ``(β − loc)² / (2 scale²)``.

    Parameters
    ----------
    scale : float, array_like (p,) or ScalePrior
        Standard deviation, in units of the coefficient.
    relative_to, factor
        As in the base class: a scale relative to sigma, and known multipliers.
    loc : float or array_like (p,)
        Mean.

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
    ) -> None:
        super().__init__(scale, relative_to=relative_to, factor=factor)
        one = np.ndim(loc) == 0
        set_fields(self, loc=as_real(loc, "loc") if one else as_vector(loc, "loc"))

    def penalty(self, p: int) -> Penalty:
        """Return ``Σ (β − loc)² / (2 scale²)``."""
        return Penalty(np.zeros(p), self.numbers(p) ** -2.0, _fill(self.loc, p))

    def log_normalizer(self, p: int) -> Vector:
        """Return ``log(scale √(2π))``, 0 where flat."""
        scale = self.numbers(p)
        finite = np.isfinite(scale)
        return np.where(finite, np.log(np.where(finite, scale, 1.0)) + 0.5 * LOG_2PI, 0.0)

    def rescaled(self, factor: Vector) -> Self:
        """Prior of ``factor * β``: scale and loc are multiplied."""
        prior = super().rescaled(factor)
        return (
            prior
            if np.all(np.asarray(self.loc) == 0)
            else replace(prior, loc=_product(self.loc, factor))
        )

    def formula(self) -> str:
        """Return the ridge penalty as text."""
        loc = "" if np.all(np.asarray(self.loc) == 0) else _number(self.loc, "mⱼ")
        square = f"(βⱼ − {loc})²" if loc else "βⱼ²"
        return f"Σ{square}/(2·{self._scale_text('τ')}²){self._unknown_text('τ')}"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale, factor and loc per coefficient."""
        return _scale_parameters(self, p) | {"loc": _fill(self.loc, p)}


@dataclass(frozen=True, eq=False, init=False)
class Laplace(_Scaled):
    """Laplace prior: density ``exp(−|β|/scale) / (2 scale)``, the lasso penalty ``|β| / scale``.

    Parameters
    ----------
    scale : float, array_like (p,) or ScalePrior
        Scale b (not the rate), in units of the coefficient; the sd is ``√2 b``.
    relative_to, factor
        As in the base class: a scale relative to sigma (Park & Casella 2008), known multipliers.

    Examples
    --------
    >>> Laplace(scale=2.0).penalty(2).prox(np.array([3.0, 0.25]), 1.0)
    array([2.5, 0. ])
    """

    name: ClassVar[str] = "Laplace"
    penalised_name: ClassVar[str] = "lasso"

    def penalty(self, p: int) -> Penalty:
        """Return ``Σ |β| / scale``."""
        return Penalty(1.0 / self.numbers(p), np.zeros(p), np.zeros(p))

    def log_normalizer(self, p: int) -> Vector:
        """Return ``log(2 scale)``, 0 where flat."""
        scale = self.numbers(p)
        finite = np.isfinite(scale)
        return np.where(finite, np.log(2 * np.where(finite, scale, 0.5)), 0.0)

    def formula(self) -> str:
        """Return the lasso penalty as text."""
        return f"Σ|βⱼ|/{self._scale_text('b')}{self._unknown_text('b')}"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale and factor per coefficient."""
        return _scale_parameters(self, p)


def _scale_parameters(prior: _Scaled, p: int) -> dict[str, Vector]:
    if isinstance(prior.scale, ScalePrior):
        return {"factor": _fill(prior.factor, p)}
    return {"scale": _fill(prior.scale, p) * _fill(prior.factor, p)}


@dataclass(frozen=True, eq=False, init=False)
class ElasticNet(Prior):
    """Elastic-net prior: density proportional to ``exp(−|β|/l1_scale − β²/(2 l2_scale²))``.

    The normaliser is ``l2_scale √(2π) erfcx(l2_scale / (√2 l1_scale))``.

    Parameters
    ----------
    l1_scale : float or array_like (p,)
        Scale of the Laplace factor; ``np.inf`` leaves the normal one alone.
    l2_scale : float or array_like (p,)
        Standard deviation of the normal factor; ``np.inf`` leaves the Laplace one alone.

    Examples
    --------
    >>> ElasticNet(l1_scale=1.0, l2_scale=2.0).penalty(1).value(np.array([2.0]))
    2.5
    """

    l1_scale: Scale
    l2_scale: Scale
    name: ClassVar[str] = "ElasticNet"
    penalised_name: ClassVar[str] = "elastic net"

    def __init__(self, l1_scale: ArrayLike, l2_scale: ArrayLike) -> None:
        set_fields(
            self,
            l1_scale=as_scale(l1_scale, "l1_scale"),
            l2_scale=as_scale(l2_scale, "l2_scale"),
        )

    def penalty(self, p: int) -> Penalty:
        """Return ``Σ |β| / l1_scale + β² / (2 l2_scale²)``."""
        return Penalty(1.0 / _fill(self.l1_scale, p), _fill(self.l2_scale, p) ** -2.0, np.zeros(p))

    def log_normalizer(self, p: int) -> Vector:
        """Log of the normaliser, 0 where flat, shape (p,)."""
        b, tau = _fill(self.l1_scale, p), _fill(self.l2_scale, p)
        out = np.zeros(p)
        laplace = np.isfinite(b) & ~np.isfinite(tau)
        out[laplace] = np.log(2 * b[laplace])
        normal = np.isfinite(tau)
        ratio = tau[normal] / (math.sqrt(2) * b[normal])
        out[normal] = np.log(tau[normal]) + 0.5 * LOG_2PI + np.log(special.erfcx(ratio))
        return out

    def rescaled(self, factor: Vector) -> ElasticNet:
        """Prior of ``factor * β``: both scales are multiplied."""
        return ElasticNet(_product(self.l1_scale, factor), _product(self.l2_scale, factor))

    def formula(self) -> str:
        """Return the elastic-net penalty as text."""
        b, tau = _number(self.l1_scale, "bⱼ"), _number(self.l2_scale, "τⱼ")
        return f"Σ[|βⱼ|/{b} + βⱼ²/(2·{tau}²)]"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return both scales per coefficient."""
        return {"l1_scale": _fill(self.l1_scale, p), "l2_scale": _fill(self.l2_scale, p)}


PRIORS: tuple[type[Prior], ...] = (Normal, Laplace, ElasticNet, Flat)
