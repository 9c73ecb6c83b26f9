"""What a row of the table of units is: one package's way to write the penalty of a problem.

Whatever a package minimises is the loss in nats times a number, plus a penalty, so that its penalty
is ours times the same number. A row says that number (`factors`, one for the absolute values and
one for the half squares, which differ where columns or target are rescaled on the way), and how the
two strengths become arguments (`encoding`). Both directions follow from these two.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

type Part = Literal["l1", "l2"]


@dataclass(frozen=True)
class Strength:
    """A penalty ``l1·Σ|β| + l2·Σβ²/2``; in nats where nothing else is said."""

    l1: float
    l2: float

    def __getitem__(self, part: Part) -> float:
        """Return one of the two."""
        return self.l1 if part == "l1" else self.l2

    @property
    def words(self) -> str:
        """What a regression is penalised with."""
        if self.l1 > 0 and self.l2 > 0:
            return "with L1 and L2 penalties"
        if self.l1 == 0 and self.l2 == 0:
            return "without a penalty"
        return "with an L1 penalty" if self.l1 > 0 else "with an L2 penalty"


@dataclass(frozen=True)
class Facts:
    """What a conversion depends on besides the penalty.

    Attributes
    ----------
    family : str
        Name of the likelihood.
    n : float
        Sum of the row weights: the number of rows where there are none.
    rows : int
        Number of rows.
    sigma : float
        Noise sd of a Gaussian likelihood; 1 where the likelihood has none.
    sd_y : float
        Standard deviation of the target (weighted, divisor n).
    rms_y : float
        Root of the (weighted) mean square of the target: its sd about 0.
    standardize : bool
        Whether the package is asked to standardise the columns itself.
    intercept : bool
        Whether there is an unpenalised intercept.
    """

    family: str
    n: float
    rows: int
    sigma: float = 1.0
    sd_y: float = 1.0
    rms_y: float = 1.0
    standardize: bool = False
    intercept: bool = True


class Encoding(ABC):
    """How strengths in the units of a package become its arguments, and back."""

    names: tuple[str, ...]

    @abstractmethod
    def takes(self, strength: Strength) -> bool:
        """Whether arguments exist for a penalty of this kind."""

    @abstractmethod
    def write(self, strength: Strength) -> dict[str, float]:
        """Return the arguments."""

    @abstractmethod
    def read(self, numbers: Mapping[str, float]) -> Strength:
        """Return the strengths that arguments stand for."""


@dataclass(frozen=True)
class Nothing(Encoding):
    """No penalty, no argument."""

    names: tuple[str, ...] = ()

    def takes(self, strength: Strength) -> bool:
        """Take a flat prior only."""
        return strength.l1 == 0 and strength.l2 == 0

    def write(self, strength: Strength) -> dict[str, float]:
        """Return nothing."""
        del strength
        return {}

    def read(self, numbers: Mapping[str, float]) -> Strength:
        """Return no penalty."""
        del numbers
        return Strength(0.0, 0.0)


@dataclass(frozen=True)
class Single(Encoding):
    """One argument for one of the two strengths: ``times · strength ** power``.

    A Laplace scale is the strength to the power −1, a standard deviation to the power −1/2. Where
    `flat` is true no penalty is a number, too.
    """

    name: str
    part: Part
    power: float = 1.0
    times: float = 1.0
    flat: bool = False

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the one name."""
        return (self.name,)

    def takes(self, strength: Strength) -> bool:
        """Take a penalty that consists of this part."""
        other: Part = "l2" if self.part == "l1" else "l1"
        return strength[other] == 0 and (strength[self.part] > 0 or self.flat)

    def write(self, strength: Strength) -> dict[str, float]:
        """Return the argument."""
        return {self.name: self.times * _power(strength[self.part], self.power)}

    def read(self, numbers: Mapping[str, float]) -> Strength:
        """Return the strength."""
        value = _power(numbers[self.name] / self.times, 1 / self.power)
        return Strength(value, 0.0) if self.part == "l1" else Strength(0.0, value)


@dataclass(frozen=True)
class Mixture(Encoding):
    """A total and the share of the absolute values in it; the total inverted where `power` is −1.

    `pure` says whether it takes one part alone, and none; what has another estimator for that, and
    warns, does not.
    """

    total: str
    share: str
    power: float = 1.0
    pure: bool = True

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return both names."""
        return self.total, self.share

    def takes(self, strength: Strength) -> bool:
        """Take every elastic net, or those with both parts."""
        return self.pure or (strength.l1 > 0 and strength.l2 > 0)

    def write(self, strength: Strength) -> dict[str, float]:
        """Return total and share; share 0 where there is no penalty."""
        whole = strength.l1 + strength.l2
        share = strength.l1 / whole if whole > 0 else 0.0
        return {self.total: _power(whole, self.power), self.share: share}

    def read(self, numbers: Mapping[str, float]) -> Strength:
        """Return both strengths."""
        whole, share = _power(numbers[self.total], 1 / self.power), numbers[self.share]
        return Strength(whole * share, whole * (1 - share))


@dataclass(frozen=True)
class Two(Encoding):
    """One argument for each of the two strengths, where both are there."""

    first: Single
    second: Single

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return both names."""
        return *self.first.names, *self.second.names

    def takes(self, strength: Strength) -> bool:
        """Take both parts together."""
        return strength.l1 > 0 and strength.l2 > 0

    def write(self, strength: Strength) -> dict[str, float]:
        """Return both arguments."""
        return self.first.write(strength) | self.second.write(strength)

    def read(self, numbers: Mapping[str, float]) -> Strength:
        """Return both strengths."""
        one, two = self.first.read(numbers), self.second.read(numbers)
        return Strength(one.l1 + two.l1, one.l2 + two.l2)


def _power(value: float, power: float) -> float:
    """Return ``value ** power``; 0 and inf are each other's inverse."""
    return math.inf if value == 0 and power < 0 else float(value**power)


type Factors = Callable[[Facts], tuple[float, float]]
type Text = Callable[[Facts, Mapping[str, float]], str]


@dataclass(frozen=True)
class Convention:
    """One row of the table: one call of one package, in both directions.

    Attributes
    ----------
    package, call : str
        What it is called; together they name the row.
    families : tuple of str
        Likelihoods that it takes; see `Likelihood.name`.
    objective : str
        What it minimises, or the density it draws from, in its own symbols.
    factors : callable
        ``factors(facts)``: what the strengths in nats, l1 and l2, are multiplied by.
    encoding : Encoding
        How the results become arguments.
    text : callable, optional
        ``text(facts, numbers)``: the call as a format string; by default ``call(name=value, ...)``.
    standardizes : str
        Whether the package standardises columns: "never", "asked" (an argument), "always".
    centres : bool
        Whether it does so about means only where there is an intercept.
    weighted, positive, intercept : bool
        Whether it takes row weights, has ``positive=True``, and an unpenalised intercept.
    prior_only : bool
        Whether the numbers are those of the prior, whatever is known of sigma.
    precision : str
        Name of an argument that holds the noise precision ``1/sigma²``; empty where none does.
    location : str
        Name of an argument that holds the mean of the prior; empty where none does.
    vector : str
        How it writes a vector, as a format string; empty where its arguments are single numbers.
    draws_sigma : bool
        Whether it draws the noise sd, where there is one: the posterior is this one given that sd.
    note, source : str
        What to mind, and where the objective is stated.
    """

    package: str
    call: str
    families: tuple[str, ...]
    objective: str
    factors: Factors
    encoding: Encoding
    source: str
    text: Text | None = None
    standardizes: Literal["never", "asked", "always"] = "never"
    centres: bool = False
    weighted: bool = False
    positive: bool = False
    intercept: bool = True
    prior_only: bool = False
    precision: str = ""
    location: str = ""
    vector: str = ""
    draws_sigma: bool = False
    note: str = ""

    @property
    def name(self) -> str:
        """Package and call, such as ``"scikit-learn Lasso"``."""
        return f"{self.package} {self.call}"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its arguments."""
        return (self.precision, *self.encoding.names) if self.precision else self.encoding.names

    def write(self, strength: Strength, facts: Facts) -> dict[str, float]:
        """Turn a penalty in nats into arguments."""
        one, two = self.factors(facts)
        numbers = self.encoding.write(Strength(strength.l1 * one, strength.l2 * two))
        return {self.precision: facts.sigma**-2.0} | numbers if self.precision else numbers

    def read(self, numbers: Mapping[str, float], facts: Facts) -> Strength:
        """Turn arguments into a penalty in nats."""
        one, two = self.factors(facts)
        theirs = self.encoding.read(numbers)
        return Strength(theirs.l1 / one, theirs.l2 / two)

    def template(
        self, facts: Facts, numbers: Mapping[str, float], *, positive: bool = False
    ) -> str:
        """Return the call as a format string over its numbers."""
        if self.text is not None:
            return self.text(facts, numbers)
        arguments = [f"{name}={{{name}}}" for name in self.names]
        arguments += ["positive=True"] if positive else []
        arguments += [] if facts.intercept else ["fit_intercept=False"]
        return f"{self.call}({', '.join(arguments)})"


# ------------------------------------------------------------------ numbers that rows share


def nats(facts: Facts) -> tuple[float, float]:
    """Multiply nothing: the package minimises minus a log density."""
    del facts
    return 1.0, 1.0


def mean_loss(facts: Facts) -> tuple[float, float]:
    """Divide by n: the package takes the mean over the rows of the loss in nats."""
    return 1 / facts.n, 1 / facts.n


def squares(facts: Facts) -> tuple[float, float]:
    """Multiply by 2σ²: the residual sum of squares (RSS) itself."""
    return 2 * facts.sigma**2, 2 * facts.sigma**2


def mean_squares(facts: Facts) -> tuple[float, float]:
    """Multiply by 2σ²/n: RSS/n, the mean squared error."""
    return 2 * facts.sigma**2 / facts.n, 2 * facts.sigma**2 / facts.n


def half_mean_squares(facts: Facts) -> tuple[float, float]:
    """Multiply by σ²/n: RSS/(2n)."""
    return facts.sigma**2 / facts.n, facts.sigma**2 / facts.n
