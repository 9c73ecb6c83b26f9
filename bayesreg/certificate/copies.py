"""Copies: two columns that say the same at the same price leave a mode that is not unique.

Where one column is the other times a power of two, of either sign, (beside an intercept: up to a
level), the predictor stays what it is while one coefficient is paid out in the other. Under equal
slopes of absolute values that costs nothing. All of this is exact in double precision, so it is
told of columns alone, not of combinations, whose rank rounding decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.penalties import ElasticNetPenalty, JoinedPenalty

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def copies(design: Design, positions: Positions) -> list[Group]:
    """Return groups of two columns or more, among those given, that differ by a factor only."""
    if design.n * positions.size > _MOST_ENTRIES:
        return []
    columns = design.columns(positions.tolist())
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


def exchange(
    penalty: Penalty, coef: Vector, large: Mask, groups: Iterable[Group]
) -> tuple[int, int] | None:
    """Return two columns between which a coefficient moves at no cost; None if none is known.

    Parameters
    ----------
    penalty : Penalty
        Of p coefficients.
    coef : ndarray, shape (p,)
        An optimum.
    large : ndarray of bool, shape (p,)
        Which of them are not 0 by more than the tolerance of what is called optimal.
    groups : iterable of Group
        Copies.
    """
    price, nonnegative = _prices(penalty)
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
