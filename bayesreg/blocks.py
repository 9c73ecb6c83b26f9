"""Different priors on different columns, and when two priors are the same density."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np

from bayesreg._text_table import short_name
from bayesreg._validation import Matrix, Vector, as_columns
from bayesreg._visible import shown
from bayesreg.errors import DegenerateMode, InputError
from bayesreg.penalties import ElasticNetPenalty, Penalty, join
from bayesreg.priors import IndependentPrior, Prior, as_coefficient_prior
from bayesreg.priors.base import Scaled, flat_text, sign_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bayesreg.scale_priors import ScalePrior


# Names of columns that a formula shows of each part.
_FEW = 4


@dataclass(frozen=True, eq=False)
class Blocks(Prior):
    """Different priors on different columns; `Problem` makes it of a list of (prior, columns).

    Attributes
    ----------
    parts : tuple of (Prior, tuple of int)
        Each prior and the positions of the coefficients it is on; together they cover all.
    """

    parts: tuple[tuple[Prior, tuple[int, ...]], ...]
    penalised_name: ClassVar[str] = "mixed penalties"

    @property
    def name(self) -> str:  # type: ignore[override]  # that of other priors is their class's
        """Names of the priors, each once: ``"Flat and Laplace"``."""
        *others, last = dict.fromkeys(prior.name for prior, _ in self.parts)
        return f"{', '.join(others)} and {last}" if others else last

    @classmethod
    def of(cls, parts: Sequence[object], names: tuple[str, ...]) -> Self:
        """Validate a list of (prior, columns) for columns of these names.

        Raises
        ------
        InputError
            If a column is missing, unknown or named twice, or several scales are unknown.
        """
        resolved = []
        seen: list[int] = []
        for part in parts:
            pair = part if isinstance(part, tuple | list) and len(part) == 2 else (None, ())
            prior = as_coefficient_prior(pair[0])
            if not isinstance(prior, Prior):
                msg = f"prior: a list must hold (prior, columns) pairs, found {shown(part)}"
                raise InputError(msg)
            columns = as_columns(_listed(pair[1]), names, "prior")
            prior.check_size(len(columns))
            resolved.append((prior, columns))
            seen += columns
        if len(set(seen)) < len(seen):
            twice = Counter(seen).most_common(1)[0][0]
            msg = f"prior: column {names[twice]!r} has more than one prior; give it exactly one"
            raise InputError(msg)
        missing = [name for j, name in enumerate(names) if j not in set(seen)]
        if missing:
            msg = f"prior: column {missing[0]!r} has no prior; use (Flat(), [...]) for no penalty"
            raise InputError(msg)
        if sum(prior.hyperprior is not None for prior, _ in resolved) > 1:
            msg = "prior: several blocks have an unknown scale; at most one may"
            raise InputError(msg)
        return cls(tuple(resolved))

    def check_size(self, p: int) -> None:
        """Raise InputError unless the parts are on p columns."""
        count = sum(len(columns) for _, columns in self.parts)
        if count != p:
            msg = f"prior: its blocks are on {count} columns, but X has {p}"
            raise InputError(msg)

    def penalty(self, p: int) -> Penalty:
        """Return the penalty of each part on its columns: one vector of numbers where possible."""
        pieces = [
            (prior.penalty(len(columns)), np.array(columns, dtype=np.intp))
            for prior, columns in self.parts
        ]
        return join(pieces, p)

    def log_density(self, coef: Vector) -> float:
        """Sum of the log densities of the parts, those without a penalty included."""
        return float(sum(prior.log_density(coef[list(at)]) for prior, at in self.parts))

    def log_normalizer(self, p: int) -> float:
        """Sum of the log normalisers of the parts."""
        return sum(prior.log_normalizer(len(columns)) for prior, columns in self.parts)

    def log_densities(self, coef: Vector) -> Vector:
        """Log density of each coefficient by itself, shape (p,); NaN where it has none."""
        out = np.full(coef.size, np.nan)
        for prior, columns in self.parts:
            out[list(columns)] = prior.log_densities(coef[list(columns)])
        return out

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Mean and variance of each coefficient, shapes (p,); inf or NaN where there is none."""
        mean, variance = np.full(p, np.nan), np.full(p, np.nan)
        for prior, columns in self.parts:
            mean[list(columns)], variance[list(columns)] = prior.moments(len(columns))
        return mean, variance

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw the parts one after the other, shape (size, p)."""
        out = np.empty((size, p))
        for prior, columns in self.parts:
            out[:, list(columns)] = prior.draw(len(columns), rng, size)
        return out

    def rescaled(self, factor: Vector) -> Blocks:
        """Rescale each part."""
        return Blocks(tuple((q.rescaled(factor[list(c)]), c) for q, c in self.parts))

    @property
    def hyperprior(self) -> ScalePrior | None:
        """Prior of the unknown scale of the part that has one."""
        return next((q.hyperprior for q, _ in self.parts if q.hyperprior is not None), None)

    @property
    def relative_to(self) -> Literal["sigma"] | None:
        """``"sigma"`` if any part is relative to it."""
        return next((q.relative_to for q, _ in self.parts if q.relative_to is not None), None)

    @property
    def is_flat(self) -> bool:
        """Whether every part is flat."""
        return all(part.is_flat for part, _ in self.parts)

    def given(self, *, sigma: float | None = None, scale: float | None = None) -> Blocks:
        """Set unknowns in each part."""
        return Blocks(tuple((q.given(sigma=sigma, scale=scale), c) for q, c in self.parts))

    def formula(self, names: tuple[str, ...] | None = None) -> str:
        """Return the penalties of the parts, with their columns, and which columns have none.

        Parameters
        ----------
        names : tuple of str, optional
            Of the columns; by default they are counted.

        Examples
        --------
        >>> from bayesreg import Flat, Normal
        >>> blocks = Blocks.of([(Flat(), ["a"]), (Normal(1.0), ["b", "c"])], ("a", "b", "c"))
        >>> blocks.formula()
        'Σβⱼ²/(2·1²) [j in 1, 2] (no penalty on column 0)'
        >>> blocks.formula(("a", "b", "c"))
        'Σβⱼ²/(2·1²) [b, c] (no penalty on a)'
        """
        terms = [(part.formula(), columns) for part, columns in self.parts if not part.is_flat]
        flat = [(part.formula(), columns) for part, columns in self.parts if part.is_flat]
        free = _sorted(columns for _, columns in flat)
        bounded = _sorted(columns for term, columns in flat if term != "0")
        sign = f"{sign_text(nonnegative=True)} {on_columns(bounded, names)}" if bounded else ""
        if not terms:
            return flat_text(nonnegative=True) if bounded and bounded == free else f"0{sign}"
        penalised = [f"{term} {on_columns(at, names)}" for term, at in terms]
        unpenalised = (
            f"column{'s' if len(free) > 1 else ''} {_ranges(free)}"
            if names is None
            else _few(names, free)
        )
        rest = f" (no penalty on {unpenalised}{sign})" if free else ""
        return f"{' + '.join(penalised)}{rest}"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return nothing of its own: parts are compared one by one."""
        del p
        return {}


def _listed(columns: object) -> list[object]:
    """Return columns as a list; one name or position is a list of one."""
    if isinstance(columns, str | int | np.integer):
        return [columns]
    if isinstance(columns, list | tuple | range | np.ndarray):
        return list(columns)
    msg = f"prior: columns must be a list of names or positions, found {shown(columns)}"
    raise InputError(msg)


def _sorted(groups: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Put the columns of several parts in order."""
    return tuple(sorted(j for columns in groups for j in columns))


def on_columns(columns: tuple[int, ...], names: tuple[str, ...] | None) -> str:
    """Return columns in brackets: the first few by name, or all counted where they have none.

    Examples
    --------
    >>> on_columns((0, 2), ("a", "b", "c")), on_columns((0, 2), None)
    ('[a, c]', '[j in 0, 2]')
    """
    return f"[j in {_ranges(columns)}]" if names is None else f"[{_few(names, columns)}]"


def _ranges(columns: tuple[int, ...]) -> str:
    if len(columns) > 3 and columns == tuple(range(columns[0], columns[-1] + 1)):
        return f"{columns[0]}…{columns[-1]}"
    return ", ".join(str(c) for c in columns[:6]) + (", …" if len(columns) > 6 else "")


def _few(names: tuple[str, ...], at: tuple[int, ...]) -> str:
    shown = ", ".join(short_name(names[j]) for j in at[:_FEW])
    return f"{shown}, … ({len(at)} in all)" if len(at) > _FEW else shown


def parts_on(prior: Prior, p: int) -> tuple[tuple[Prior, tuple[int, ...]], ...]:
    """Return the parts of a prior on p coefficients, with their columns: itself where it is one.

    Examples
    --------
    >>> from bayesreg import Laplace
    >>> parts_on(Laplace(1.0), 2)
    ((Laplace(scale=1.0, relative_to=None, factor=1.0, nonnegative=False), (0, 1)),)
    """
    return prior.parts if isinstance(prior, Blocks) else ((prior, tuple(range(p))),)


def same_prior(a: Prior, b: Prior, p: int) -> bool:
    """Tell whether two priors are the same density of p coefficients, number by number."""
    return _per_coefficient(a, p) == _per_coefficient(b, p)


def _per_coefficient(prior: Prior, p: int) -> list[tuple[object, ...]]:
    """One comparable row per coefficient: the penalty's numbers, or what makes it unknown."""
    if isinstance(prior, Blocks):
        found: list[tuple[object, ...]] = [()] * p
        for part, columns in prior.parts:
            for column, row in zip(columns, _per_coefficient(part, len(columns)), strict=True):
                found[column] = row
        return found
    if not isinstance(prior, IndependentPrior):
        return [(prior, k) for k in range(p)]
    penalty = _elastic_net(prior, p)
    if penalty is not None:
        loc = np.where(penalty.l2 > 0, penalty.loc, 0.0)
        rows = (penalty.l1, penalty.l2, loc, penalty.nonnegative)
        return list(zip(*(values.tolist() for values in rows), strict=True))
    nonnegative = isinstance(prior, Scaled) and prior.nonnegative
    family = (prior.name, prior.hyperprior, prior.relative_to, nonnegative)
    numbers = [value.tolist() for value in prior.parameters(p).values()]
    # An infinite scale or factor, which comes first, is no prior but for the sign.
    flat = (0.0, 0.0, 0.0, nonnegative)
    return [flat if np.isinf(row[0]) else (*family, *row) for row in zip(*numbers, strict=True)]


def _elastic_net(prior: Prior, p: int) -> ElasticNetPenalty | None:
    """Return the penalty where it is known and an elastic net, else None."""
    if prior.hyperprior is not None or prior.relative_to is not None:
        return None
    try:
        penalty = prior.penalty(p)
    except DegenerateMode:
        return None
    return penalty if isinstance(penalty, ElasticNetPenalty) else None
