"""Numbers by name, as a small table of plain text: what `print` shows of a result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayesreg._visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    type Cells = Sequence[float | None] | Sequence[str | None]

# Rows that a result prints; a frame or its own arrays have all.
MOST_ROWS = 20
MOST_COEFFICIENTS = 10
# The longest of what `apart` returns is not cut.
_LONGEST_NAME = 26


def as_table(names: Sequence[str], columns: Mapping[str, Cells], *, most: int) -> list[str]:
    r"""Return the lines of a table, two spaces in: a heading, and a row for each name.

    Parameters
    ----------
    names : sequence of str, length k
        Of the rows.
    columns : mapping of str to sequence, each of length k
        By heading: numbers, words, or None for an empty cell.
    most : int
        Rows to show; a last line counts the others.

    Examples
    --------
    >>> columns = {"mean": [1.0, -24.25], "sd": [0.5, None]}
    >>> print(*as_table(["age", "bmi"], columns, most=9), sep="\n")
             mean   sd
      age       1  0.5
      bmi  -24.25
    """
    shown = min(len(names), most)
    cells = [
        [heading, *(_cell(value) for value in values[:shown])]
        for heading, values in columns.items()
    ]
    rows = ["", *(short_name(name) for name in names[:shown])]
    widths = [max(map(len, column)) for column in cells]
    wide = max(map(len, rows))
    lines = []
    for k, name in enumerate(rows):
        row = [column[k].rjust(width) for column, width in zip(cells, widths, strict=True)]
        lines.append("  ".join([f"  {name.ljust(wide)}", *row]).rstrip())
    rest = len(names) - shown
    return [*lines, f"  ... and {rest} more"] if rest else lines


def not_zero(names: Sequence[str], coef: Sequence[float], intercept: float | None) -> list[str]:
    r"""Return the lines of a table of the coefficients of a mode that are not zero.

    Parameters
    ----------
    names : sequence of str, length p
        Of the coefficients.
    coef : sequence of float, length p
        Their values.
    intercept : float or None
        Shown first; None where there is none.

    Examples
    --------
    >>> print(*not_zero(["age", "bmi"], [0.0, 24.25], 152.5), sep="\n")
                  coef
      intercept  152.5
      bmi        24.25
    """
    rows = [] if intercept is None else [(apart("intercept", names), intercept)]
    rows += [(name, value) for name, value in zip(names, coef, strict=True) if value != 0]
    if not rows:
        return []
    most = MOST_COEFFICIENTS + (intercept is not None)
    return as_table([row[0] for row in rows], {"coef": [row[1] for row in rows]}, most=most)


def apart(own: str, names: Collection[str]) -> str:
    """Return the name of a row that is not a column's, told apart from columns that share it.

    Parameters
    ----------
    own : str
        Such as intercept, or sigma.
    names : collection of str
        Of the columns.

    Examples
    --------
    >>> apart("sigma", ["age", "bmi"]), apart("sigma", ["age", "sigma"])
    ('sigma', 'sigma (not the column)')
    """
    return f"{own} (not the column)" if own in names else own


def numbered(count: int) -> tuple[str, ...]:
    """Return the names of columns without any: x0, x1, ..."""
    return tuple(f"x{j}" for j in range(count))


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return visible(value) if isinstance(value, str) else f"{value + 0.0:.4g}"  # no negative zero


def short_name(name: str) -> str:
    """Return a name as one visible line, its middle left out where it is long.

    Examples
    --------
    >>> short_name("a name that nobody reads to its end")
    'a name that n…s to its end'
    """
    one_line = visible(" ".join(name.split()))
    half = _LONGEST_NAME // 2
    return one_line if len(one_line) <= 2 * half else f"{one_line[:half]}…{one_line[1 - half :]}"


def six_digits(text: str) -> str:
    """Round the numbers in a text that have more digits.

    Examples
    --------
    >>> six_digits("HalfCauchy(scale=0.23067940157777828)")
    'HalfCauchy(scale=0.230679)'
    """
    return re.sub(r"\d+\.\d+(e[-+]?\d+)?", lambda found: f"{float(found[0]):.6g}", text)
