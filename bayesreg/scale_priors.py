"""Priors of a positive unknown: the noise sd, or the scale of another prior."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from bayesreg._validation import as_positive


@dataclass(frozen=True)
class ScalePrior(ABC):
    """Density of a positive unknown, such as the noise sd or the scale of a prior."""

    #: What the density is with respect to: the quantity itself, or its square.
    of_square: ClassVar[bool] = False

    @abstractmethod
    def log_density(self, value: float) -> float:
        """Return the log density (of the square where `of_square`) at the positive `value`."""

    @abstractmethod
    def slope(self, value: float) -> float:
        """Derivative of `log_density` with respect to `value`."""

    @abstractmethod
    def formula(self, symbol: str) -> str:
        """Minus the log density without its constant, as text."""


@dataclass(frozen=True)
class HalfNormal(ScalePrior):
    """Half-normal density with scale `scale` (sd of the normal it is half of).

    Examples
    --------
    >>> round(HalfNormal(2.0).log_density(1.0), 6)
    -1.043939
    """

    scale: float

    def __post_init__(self) -> None:
        """Validate the scale."""
        object.__setattr__(self, "scale", as_positive(self.scale, "scale"))

    def log_density(self, value: float) -> float:
        """Return the log density at `value`."""
        return 0.5 * math.log(2 / math.pi) - math.log(self.scale) - 0.5 * (value / self.scale) ** 2

    def slope(self, value: float) -> float:
        """Return ``−value / scale²``."""
        return -value / self.scale**2

    def formula(self, symbol: str) -> str:
        """Return the text of the penalty."""
        return f"{symbol}²/(2·{self.scale:.6g}²)"


@dataclass(frozen=True)
class HalfCauchy(ScalePrior):
    """Half-Cauchy density with scale `scale` (its median).

    Examples
    --------
    >>> round(HalfCauchy(1.0).log_density(1.0), 6)
    -1.14473
    """

    scale: float

    def __post_init__(self) -> None:
        """Validate the scale."""
        object.__setattr__(self, "scale", as_positive(self.scale, "scale"))

    def log_density(self, value: float) -> float:
        """Return the log density at `value`."""
        ratio = value / self.scale
        return math.log(2 / math.pi) - math.log(self.scale) - math.log1p(ratio**2)

    def slope(self, value: float) -> float:
        """Return ``−2 value / (scale² + value²)``."""
        return -2 * value / (self.scale**2 + value**2)

    def formula(self, symbol: str) -> str:
        """Return the text of the penalty."""
        return f"log(1 + {symbol}²/{self.scale:.6g}²)"


@dataclass(frozen=True)
class HalfStudentT(ScalePrior):
    """Half of Student's t density with `nu` degrees of freedom and scale `scale`.

    With ``nu=1`` it is the half-Cauchy density.

    Examples
    --------
    >>> HalfStudentT(2.0, nu=1.0).log_density(1.5) == HalfCauchy(2.0).log_density(1.5)
    True
    """

    scale: float
    nu: float

    def __post_init__(self) -> None:
        """Validate scale and degrees of freedom."""
        object.__setattr__(self, "scale", as_positive(self.scale, "scale"))
        object.__setattr__(self, "nu", as_positive(self.nu, "nu"))

    def log_density(self, value: float) -> float:
        """Return the log density at `value`."""
        nu, ratio = self.nu, value / self.scale
        constant = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(nu * math.pi)
        tail = 0.5 * (nu + 1) * math.log1p(ratio**2 / nu)
        return math.log(2) + constant - math.log(self.scale) - tail

    def slope(self, value: float) -> float:
        """Return ``−(nu + 1) value / (nu scale² + value²)``."""
        return -(self.nu + 1) * value / (self.nu * self.scale**2 + value**2)

    def formula(self, symbol: str) -> str:
        """Return the text of the penalty."""
        inside = f"1 + {symbol}²/({self.nu:.6g}·{self.scale:.6g}²)"
        return f"{(self.nu + 1) / 2:.6g}·log({inside})"


@dataclass(frozen=True)
class Exponential(ScalePrior):
    """Exponential density with mean `scale`."""

    scale: float

    def __post_init__(self) -> None:
        """Validate the scale."""
        object.__setattr__(self, "scale", as_positive(self.scale, "scale"))

    def log_density(self, value: float) -> float:
        """Return the log density at `value`."""
        return -math.log(self.scale) - value / self.scale

    def slope(self, value: float) -> float:
        """Return ``−1 / scale``."""
        return -1.0 / self.scale

    def formula(self, symbol: str) -> str:
        """Return the text of the penalty."""
        return f"{symbol}/{self.scale:.6g}"


@dataclass(frozen=True)
class InverseGamma(ScalePrior):
    """Inverse-gamma density of the *square* ``v``: proportional to ``v^(−shape−1) exp(−scale/v)``.

    Examples
    --------
    >>> round(InverseGamma(2.0, 3.0).log_density(1.0), 6)
    -0.802775
    """

    shape: float
    scale: float
    of_square: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Validate shape and scale."""
        object.__setattr__(self, "shape", as_positive(self.shape, "shape"))
        object.__setattr__(self, "scale", as_positive(self.scale, "scale"))

    def log_density(self, value: float) -> float:
        """Return the log density of the square, at ``value**2``."""
        constant = self.shape * math.log(self.scale) - math.lgamma(self.shape)
        return constant - 2 * (self.shape + 1) * math.log(value) - self.scale / value / value

    def slope(self, value: float) -> float:
        """Derivative of `log_density` with respect to `value`."""
        return -2 * (self.shape + 1) / value + 2 * self.scale / value / value / value

    def formula(self, symbol: str) -> str:
        """Return the text of the penalty."""
        return f"{2 * (self.shape + 1):.6g}·log {symbol} + {self.scale:.6g}/{symbol}²"


@dataclass(frozen=True)
class HalfFlat(ScalePrior):
    """Improper density 1 on the positive numbers; what `Flat` means for a scale.

    Examples
    --------
    >>> HalfFlat().log_density(3.0)
    0.0
    """

    def log_density(self, value: float) -> float:
        """Return 0."""
        del value
        return 0.0

    def slope(self, value: float) -> float:
        """Return 0."""
        del value
        return 0.0

    def formula(self, symbol: str) -> str:
        """Return the text of no penalty."""
        del symbol
        return "0"


SCALE_PRIORS: tuple[type[ScalePrior], ...] = (
    HalfNormal,
    HalfCauchy,
    Exponential,
    InverseGamma,
    HalfFlat,
    HalfStudentT,
)
