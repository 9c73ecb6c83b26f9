"""What every prior of the coefficients can say of itself, and the prior that says nothing.

A prior is a normalised density; minus its logarithm is a penalty plus a constant.

Scales are scales, never rates: `Laplace(scale=b)` has density ``exp(−|β|/b) / (2b)``. A scale may
be ``np.inf``: the prior is then flat there, with density 1 (the convention of PyMC).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np

from bayesreg._validation import (
    Matrix,
    Vector,
    as_flag,
    as_positive,
    as_scale,
    read_only,
    set_fields,
)
from bayesreg._visible import shown
from bayesreg.errors import InputError
from bayesreg.penalties import ElasticNetPenalty, Penalty, SeparablePenalty
from bayesreg.priors._arguments import saying_what_it_takes
from bayesreg.scale_priors import HalfFlat, ScalePrior

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

type Scale = float | Vector


@dataclass(frozen=True, eq=False)
class Prior(ABC):
    """Density of all coefficients together, and the penalty it is."""

    name: ClassVar[str]
    #: What a regression penalised this way is called.
    penalised_name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Have a constructor of its own say what it takes, where it is called with other things."""
        super().__init_subclass__()
        if "__init__" in vars(cls):
            cls.__init__ = saying_what_it_takes(cls.__init__)  # type: ignore[method-assign]

    @abstractmethod
    def penalty(self, p: int) -> Penalty:
        """Return the penalty on p coefficients; InputError if a scale is unknown."""

    @abstractmethod
    def log_normalizer(self, p: int) -> float:
        """Log of the constant that the density of p coefficients is divided by; 0 if flat."""

    @abstractmethod
    def rescaled(self, factor: Vector) -> Prior:
        """Prior of ``factor * β`` where this is the prior of β; `factor` (p,) is positive."""

    @abstractmethod
    def formula(self) -> str:
        """Return the penalty as text, with its numbers."""

    def symbols(self) -> dict[str, Scale]:
        """Return the numbers that may differ by coefficient, by what `formula` calls them then."""
        return {}

    @abstractmethod
    def parameters(self, p: int) -> dict[str, Vector]:
        """Return the numbers that define the prior, one per coefficient, for comparing priors."""

    @abstractmethod
    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Mean and variance of each coefficient, shapes (p,); inf or NaN where there is none."""

    @abstractmethod
    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw coefficients, shape (size, p); InputError where the density is improper."""

    def log_density(self, coef: Vector) -> float:
        """Log density of the coefficients (p,) together."""
        return -self.penalty(coef.size).value(coef) - self.log_normalizer(coef.size)

    def log_densities(self, coef: Vector) -> Vector:
        """Log density of each coefficient by itself, shape (p,); NaN where it has none."""
        return np.full(coef.size, np.nan)

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

    @property
    def is_flat(self) -> bool:
        """Whether it penalises nothing, though it may bound coefficients: all scales infinite."""
        return False

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

    def part(self, columns: Sequence[int]) -> Self:
        """Return the prior of the same kind on some of the columns that this one is written for.

        Parameters
        ----------
        columns : sequence of int
            Their positions, in increasing order; numbers per coefficient are taken from there.

        Returns
        -------
        Prior
            On ``len(columns)`` coefficients. It is the prior of these where coefficients, or
            groups of them, are independent.
        """
        at = list(columns)
        vectors = {k: v[at] for k, v in vars(self).items() if isinstance(v, np.ndarray)}
        return replace(self, **vectors)


@dataclass(frozen=True, eq=False)
class IndependentPrior(Prior):
    """A prior under which coefficients are independent, so that each has a density of its own."""

    @abstractmethod
    def penalty(self, p: int) -> SeparablePenalty:
        """Return the penalty on p coefficients; InputError if a scale is unknown."""

    @abstractmethod
    def log_normalizers(self, p: int) -> Vector:
        """Log of the constant that each density is divided by; 0 where flat; shape (p,)."""

    def log_normalizer(self, p: int) -> float:
        """Sum of the log normalisers of the coefficients."""
        return float(self.log_normalizers(p).sum())

    def log_densities(self, coef: Vector) -> Vector:
        """Log density of each coefficient by itself, shape (p,)."""
        return -self.penalty(coef.size).values(coef) - self.log_normalizers(coef.size)


@dataclass(frozen=True, eq=False)
class ElasticNetPrior(IndependentPrior):
    """An independent prior whose penalty consists of absolute values and squares."""

    @abstractmethod
    def penalty(self, p: int) -> ElasticNetPenalty:
        """Return the penalty on p coefficients; InputError if a scale is unknown."""


def require_proper(scale: Vector) -> None:
    """Refuse to draw where a scale is infinite."""
    if np.isinf(scale).any():
        j = int(np.argmax(np.isinf(scale)))
        msg = (
            f"prior: is flat, so improper, on coefficient {j}, and cannot be drawn from; "
            "give it a finite scale"
        )
        raise InputError(msg)


def fill(value: Scale, p: int) -> Vector:
    """Spell out one number, or one per coefficient, as a vector; shape (p,)."""
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (p,))


def product(scale: Scale, factor: Vector) -> Vector:
    """Multiply a scale by a known factor per coefficient; shape (p,)."""
    return read_only(np.asarray(scale * factor, dtype=np.float64))


def number(value: Scale, symbol: str) -> str:
    """One number as text, or the symbol of a vector that holds several, or none."""
    array = np.atleast_1d(value)
    return f"{array[0]:.6g}" if array.size and (array == array[0]).all() else symbol


@dataclass(frozen=True, eq=False)
class Flat(ElasticNetPrior):
    """Improper density 1: no penalty. For a noise sd or a scale, `HalfFlat` takes its place.

    Examples
    --------
    >>> Flat().penalty(2).value(np.array([3.0, -4.0]))
    0.0
    """

    name: ClassVar[str] = "Flat"
    penalised_name: ClassVar[str] = "unpenalised"

    @property
    def is_flat(self) -> bool:
        """Always."""
        return True

    def penalty(self, p: int) -> ElasticNetPenalty:
        """Return the zero penalty."""
        zero = np.zeros(p)
        return ElasticNetPenalty(zero, zero, zero)

    def log_normalizers(self, p: int) -> Vector:
        """Return zeros."""
        return np.zeros(p)

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Return NaN and inf: a flat density has no mean."""
        return np.full(p, np.nan), np.full(p, np.inf)

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Raise InputError: a flat density cannot be drawn from."""
        del rng, size
        require_proper(np.full(max(p, 1), np.inf))
        raise AssertionError

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
class Scaled(IndependentPrior):
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
    nonnegative : bool
        Whether the density is that of coefficients that are at least 0, renormalised.
    """

    scale: Scale | ScalePrior
    relative_to: Literal["sigma"] | None = None
    factor: Scale = 1.0
    nonnegative: bool = False
    #: What the formula calls the scale where it is no number.
    symbol: ClassVar[str]

    def __init__(
        self,
        scale: ArrayLike | ScalePrior | Flat,
        *,
        relative_to: Literal["sigma"] | None = None,
        factor: ArrayLike = 1.0,
        nonnegative: bool = False,
    ) -> None:
        unknown = as_scale_prior(scale)
        if unknown is not None and unknown.of_square:
            msg = "scale: InverseGamma is a prior of a square; use HalfCauchy or HalfNormal"
            raise InputError(msg)
        if not (relative_to is None or (isinstance(relative_to, str) and relative_to == "sigma")):
            msg = f'relative_to: must be None or "sigma", found {shown(relative_to)}'
            raise InputError(msg)
        set_fields(
            self,
            scale=as_scale(scale, "scale") if unknown is None else unknown,
            relative_to=relative_to,
            factor=as_scale(factor, "factor"),
            nonnegative=as_flag(nonnegative, "nonnegative"),
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
        return fill(self.scale, p) * fill(self.factor, p)

    def rescaled(self, factor: Vector) -> Self:
        """Prior of ``factor * β``: the scale is multiplied."""
        if isinstance(self.scale, ScalePrior):
            return replace(self, factor=product(self.factor, factor))
        return replace(self, scale=product(self.scale, factor))

    def symbols(self) -> dict[str, Scale]:
        """Return the factors, and the scales where they are known."""
        known = {} if isinstance(self.scale, ScalePrior) else {f"{self.symbol}ⱼ": self.scale}
        return known | {"fⱼ": self.factor}

    def _symbol_or_number(self, symbol: str) -> str:
        """Return a number of `symbols` as text, or its symbol where there are several."""
        return number(self.symbols()[symbol], symbol)

    def _scale_text(self) -> str:
        unknown = isinstance(self.scale, ScalePrior)
        scale = self.symbol if unknown else self._symbol_or_number(f"{self.symbol}ⱼ")
        factor = self._symbol_or_number("fⱼ")
        parts = [scale] + ([factor] if factor != "1" else []) + (["σ"] if self.relative_to else [])
        return parts[0] if len(parts) == 1 else f"({'·'.join(parts)})"

    @property
    def is_flat(self) -> bool:
        """Whether the scale is known and infinite for every coefficient."""
        return not isinstance(self.scale, ScalePrior) and bool(np.isinf(self.scale).all())

    def _text(self, penalty: str) -> str:
        """Return the penalty, 0 where it is flat, and what an unknown scale and the sign add."""
        if self.is_flat:
            return flat_text(nonnegative=self.nonnegative)
        terms = [penalty]
        if self.relative_to:
            terms.append("p·log σ")
        if isinstance(self.scale, ScalePrior):
            terms += [f"p·log {self.symbol}", self.scale.formula(self.symbol)]
        return " + ".join(terms) + sign_text(nonnegative=self.nonnegative)


def scale_parameters(prior: Scaled, p: int) -> dict[str, Vector]:
    """Return scale and factor per coefficient, or the factor alone while the scale is unknown."""
    if isinstance(prior.scale, ScalePrior):
        return {"factor": fill(prior.factor, p)}
    return {"scale": fill(prior.scale, p) * fill(prior.factor, p)}


def flat_text(*, nonnegative: bool) -> str:
    """Return the text of no penalty, with the sign."""
    return f"0{sign_text(nonnegative=nonnegative)}"


def sign_text(*, nonnegative: bool) -> str:
    """Say that coefficients are at least 0, where they are."""
    return ", βⱼ ≥ 0" if nonnegative else ""
