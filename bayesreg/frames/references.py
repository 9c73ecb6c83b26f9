"""What a formula uses of a table, and the levels that its columns are differences from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg.frames.columns import as_frame
from bayesreg.frames.language import parse

if TYPE_CHECKING:
    from bayesreg.frames.encoding import Encoding


def columns_of(formula: str, data: object) -> list[str]:
    """Return the names of the columns of a table that a formula uses, on either side.

    Raises
    ------
    InputError
        If the formula cannot be read, or names what is no column.

    Examples
    --------
    >>> columns_of("log(y) ~ x + C(g)", {"y": [1.0], "x": [2.0], "g": ["a"], "note": ["none"]})
    ['y', 'x', 'g']
    """
    return list(parse(formula, [str(name) for name in as_frame(data).columns])[2].by_name)


def reference_levels(encoding: Encoding) -> dict[str, str]:
    """Return for each term of one category the level that has no column, if one has none.

    Parameters
    ----------
    encoding : Encoding
        Of a formula.

    Returns
    -------
    dict of str to str
        Terms that are coded against a level, and that level.

    Examples
    --------
    >>> from bayesreg.frames import Encoding
    >>> data = {"y": [1.0, 2.0, 4.0, 3.0], "dose": [1.0, 2.0, 2.0, 3.0],
    ...         "site": ["Chur", "Basel", "Bern", "Chur"]}
    >>> reference_levels(Encoding.of("y ~ C(dose) + site", data))
    {'C(dose)': '1', 'site': 'Basel'}
    """
    parts, names = encoding._parts, set(encoding.names)  # noqa: SLF001  (its own package)
    found = {}
    for factor, (_, state) in parts.right.encoder_state.items():
        term = parts.keys.names_in(factor)
        levels = [str(level) for level in state.get("categories", ())]
        without = [level for level in levels if f"{term}[T.{level}]" not in names]
        if len(without) == 1 < len(levels):
            found[term] = without[0]
    return found
