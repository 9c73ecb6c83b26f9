"""Numbers and names as they are read."""

from __future__ import annotations

import math

from bayesreg._visible import visible
from bayesreg.problem_words import unbroken

_MINUS = "−"
# Letters of a name that are shown: more than any table has room for.
_LONGEST = 120


def number(value: float | None, digits: int = 4) -> str:
    """Format a number to a fixed count of significant digits, for reading.

    Parameters
    ----------
    value : float or None
        The number; None is unknown.
    digits : int
        Significant digits.

    Returns
    -------
    str
        With a real minus sign. An exact zero is ``0`` and nothing else is.

    Examples
    --------
    >>> number(-1234.5678), number(1e-14, 2), number(0.0), number(0.1), number(None)
    ('−1235', '1.0e−14', '0', '0.1000', '—')
    """
    if value is None:
        return "—"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:#.{digits}g}".partition("e")
    text = mantissa.rstrip(".") + (f"e{int(exponent)}" if exponent else "")
    return text.replace("-", _MINUS)


def count(k: int, what: str) -> str:
    """Count things.

    Examples
    --------
    >>> count(1, "row"), count(2, "row")
    ('1 row', '2 rows')
    """
    return f"{k} {what}{'' if k == 1 else 's'}"


def brief(text: str, most: int = 600) -> str:
    """Return a text, and of a very long one both ends.

    Examples
    --------
    >>> brief("a long sentence", most=7)
    'a l…nce'
    """
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def terms(formula: str) -> list[list[str]]:
    """Return the terms of a sum, each with the sign before it, as words between which lines break.

    Examples
    --------
    >>> terms("|y − Xβ|²/2 + Σ|βⱼ|/3 [j in 1, 2]")
    [['|y', '−', 'Xβ|²/2'], ['+', 'Σ|βⱼ|/3', '[j', 'in', '1,', '2]']]
    """
    first, *others = (term.split(" ") for term in unbroken(formula).split(" + "))
    return [first, *(["+", *words] for words in others)]


def as_name(text: str) -> str:
    r"""Return a name as one visible line; of a very long one, both ends.

    Examples
    --------
    >>> as_name("two\nlines"), len(as_name("x" * 10_000))
    ('two⟨U+000A⟩lines', 121)
    """
    one_line = visible(brief(text, _LONGEST))
    return one_line.replace("\n", "⟨U+000A⟩").replace("\t", "⟨U+0009⟩")


def listed(names: list[str], most: int = 12) -> str:
    """Return names with commas between them; of many, the first.

    Examples
    --------
    >>> listed(["a", "b", "c"], most=2)
    'a, b, …'
    """
    return ", ".join(map(as_name, names[:most])) + (", …" if len(names) > most else "")
