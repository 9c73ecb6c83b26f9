"""Copies: two columns that say the same at the same price leave a mode that is not unique.

Where one column is the other times a power of two, of either sign, (beside an intercept: up to a
level), the predictor stays what it is while one coefficient is paid out in the other. Under equal
slopes of absolute values that costs nothing. All of this is exact in double precision, so it is
told of columns alone, not of combinations, whose rank rounding decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.penalties import ElasticNetPenalty, JoinedPenalty

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.design import Design
    from bayesreg.penalties import Penalty

    type Mask = NDArray[np.bool_]
    type Positions = NDArray[np.intp]
    #: Columns that are all the same but for a factor: position and factor of each.
    type Group = list[tuple[int, float]]

# Most numbers that are looked at.
_MOST_ENTRIES = 10_000_000
# Relative difference that rounding leaves between slopes, which standardising divides by an sd.
_ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class Optimum:
    """One answer that is optimal, and not known to be the only one.

    Attributes
    ----------
    penalty : Penalty
        Of p coefficients.
    coef : ndarray, shape (p,)
        The answer.
    large : ndarray of bool, shape (p,)
        Which coefficients are not 0 by more than the tolerance of what is called optimal.
    candidates : ndarray of int
        Positions of those that may differ from 0 at an optimum.
    """

    penalty: Penalty
    coef: Vector
    large: Mask
    candidates: Positions


def exchanges(design: Design, optima: Sequence[Optimum]) -> list[tuple[int, int] | None]:
    """Return for each optimum two columns that are copies and of which one has a coefficient.

    Parameters
    ----------
    design : Design
        The data that they share.
    optima : sequence of Optimum
        Of problems that differ in prior or noise sd.

    Returns
    -------
    list of (int, int) or None
        Positions, the smaller first; None where nothing is known.
    """
    priced = [one.candidates[_prices(one.penalty)[0][one.candidates] >= 0] for one in optima]
    moving = [places for places, one in zip(priced, optima, strict=True) if one.large[places].any()]
    groups = _groups(design, np.unique(np.concatenate([np.empty(0, dtype=np.intp), *moving])))
    return [_exchange(one, groups) for one in optima]


def _groups(design: Design, positions: Positions) -> list[Group]:
    """Return groups of two columns or more, among those given, that differ by a factor only."""
    if not 0 < design.n * positions.size <= _MOST_ENTRIES:
        return []
    columns = design.columns(positions.tolist())[:, int(design.intercept) :]
    level = design.intercept and design.level is None
    groups: dict[bytes, Group] = {}
    for k, position in enumerate(positions.tolist()):
        form = _normal_form(columns[:, k], level=level)
        if form is not None:
            groups.setdefault(form[0], []).append((position, form[1]))
    return [group for group in groups.values() if len(group) > 1]


def _normal_form(column: Vector, *, level: bool) -> tuple[bytes, float] | None:
    """Return what copies share, and the factor; None of a column that moves nothing."""
    moved = _less_first(column) if level else column
    there = np.flatnonzero(moved)
    if there.size == 0:
        return None
    first = float(moved[there[0]])
    factor = float(np.copysign(2.0 ** float(np.frexp(first)[1]), first))
    with np.errstate(all="ignore"):
        unit = moved / factor + 0.0  # of a negative zero: zero
        exact = np.array_equal(unit * factor, moved)
    return (unit.tobytes(), factor) if exact else None


def _less_first(column: Vector) -> Vector:
    """Subtract the first entry if no difference is rounded (Knuth's error of a sum is 0)."""
    shift = -column[0]
    moved = column + shift
    part = moved - column
    error = (column - (moved - part)) + (shift - part)
    return column if error.any() else moved


def _exchange(optimum: Optimum, groups: Iterable[Group]) -> tuple[int, int] | None:
    """Return two columns between which a coefficient moves at no cost; None if none is known."""
    coef, large = optimum.coef, optimum.large
    price, nonnegative = _prices(optimum.penalty)
    for group in groups:
        for i, one in group:
            for j, other in group if large[i] else ():
                paid, saved = price[j] / abs(other), price[i] / abs(one)
                side = np.sign(coef[i]) * np.sign(one * other)
                if (
                    i != j
                    and abs(paid - saved) <= _ROUNDING * saved
                    and coef[j] * side >= 0
                    and not (nonnegative[j] and side < 0)
                ):
                    return min(i, j), max(i, j)
    return None


def _prices(penalty: Penalty) -> tuple[Vector, Mask]:
    """Return the slope of each absolute value, NaN where there is more; and who has a bound."""
    price, nonnegative = np.full(penalty.size, np.nan), np.zeros(penalty.size, dtype=bool)
    if isinstance(penalty, JoinedPenalty):
        for part, at in penalty.parts:
            price[at], nonnegative[at] = _prices(part)
    elif isinstance(penalty, ElasticNetPenalty):
        return np.where(penalty.l2 > 0, np.nan, penalty.l1), penalty.nonnegative
    return price, nonnegative
