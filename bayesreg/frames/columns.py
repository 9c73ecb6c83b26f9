"""The columns of any table as formulaic is given them: the same whatever package they come from.

Numbers are floats, whole numbers too (sums and powers of integers overflow silently); truth values
stay what they are; text and categories become pandas categories: in their declared order where they
have one, else sorted, and only those that occur.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from keyword import iskeyword
from numbers import Integral
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from bayesreg._frames import EXACT, as_table, is_frame, is_pandas, table_array
from bayesreg._visible import shown
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBERS, _TRUTH = "numbers", "truth values"
_NAMELESS = "data: has a column without a name (None or NaN); name it"
# Decimals of a higher power of ten are no floats at all.
_LARGEST_POWER = 308
# So many levels may be those of a factor, however few the rows.
_FEW = 10
# How others write that there is no value, in small letters; pandas knows NA, NaN and null itself.
_MISSING = frozenset(
    {"", ".", "..", "-", "--", "?", "*", "#", "na", "n.a.", "n/a", "nan", "nil", "none", "null"}
    | {"miss", "missing", "unknown", "not available", "no data", "<na>", "\\n"}
)
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?\s*")


def as_frame(data: object) -> nw.DataFrame[Any]:
    """Return the narwhals frame of a table, or of a mapping of columns.

    Raises
    ------
    InputError
        If it is neither, has no rows, or columns of the same name.
    """
    if isinstance(data, Mapping):
        _check_labels_agree(data)
        if any(map(_is_missing, data)):
            raise InputError(_NAMELESS)
        try:
            data = pd.DataFrame({str(name): _declaring(column) for name, column in data.items()})
        except (ValueError, TypeError) as error:
            msg = f"data: cannot be read as columns ({error}); pass a frame, or equal-length arrays"
            raise InputError(msg) from error
    table = as_table(data)
    if table is None or not is_frame(table):
        msg = (
            "data: must be a frame (pandas, polars, Arrow) or a mapping of columns, found "
            f"{type(data).__name__}; a formula needs columns with names"
        )
        raise InputError(msg)
    if table.shape[0] == 0:
        msg = f"data: has no rows, found shape {table.shape}; at least one row is needed"
        raise InputError(msg)
    if any(map(_is_missing, table.columns)):
        raise InputError(_NAMELESS)
    names = [str(name) for name in table.columns]
    repeated, times = Counter(names).most_common(1)[0] if names else ("", 0)
    if times > 1:
        msg = f"data: has two columns called {repeated!r}; give each its own name"
        raise InputError(msg)
    frame: nw.DataFrame[Any] = table
    return frame


def _declaring(column: object) -> object:
    """Return a column that pandas knows to be categories where another package says so."""
    table = as_table(column)
    if not isinstance(table, nw.Series) or is_pandas(column, "Series"):
        return column
    known = isinstance(table.dtype, nw.Categorical | nw.Enum)
    return _categories(table.to_list(), _declared(table)) if known else column


def _check_labels_agree(columns: Mapping[Any, Any]) -> None:
    """Refuse series of pandas with different row labels, which pandas would re-align."""
    labelled = {name: column for name, column in columns.items() if is_pandas(column, "Series")}
    for name, column in labelled.items():
        first = next(iter(labelled))
        if not column.index.equals(labelled[first].index):
            msg = (
                f"data: the row labels of {name!r} differ from those of {first!r}; bayesreg does "
                "not re-align rows. Pass .to_numpy() of each if their order already matches"
            )
            raise InputError(msg)


def canonical(data: nw.DataFrame[Any], keys: Mapping[str, str]) -> pd.DataFrame:
    """Return some columns of a table, under the keys of a formula.

    Parameters
    ----------
    data : narwhals.DataFrame
        The table.
    keys : mapping of str to str
        For each column wanted the name that it is to have.

    Returns
    -------
    pandas.DataFrame
        Floats, truth values and categories; rows are numbered.

    Raises
    ------
    InputError
        If columns are missing, have missing values, or hold neither numbers nor text.
    """
    columns = {str(column.name): column for column in data.iter_columns()}
    _check_present(list(keys), list(columns))
    out = {key: _canonical(columns[name], name) for name, key in keys.items()}
    rows = data.shape[0]
    missing = {name: int(out[key].isna().sum()) for name, key in keys.items()}
    if any(missing.values()):
        counts = ", ".join(
            f"{name!r} ({count} of {rows})" for name, count in missing.items() if count
        )
        complete = rows - int(np.any([out[key].isna() for key in keys.values()], axis=0).sum())
        keep = "keep those (dropna in pandas, --drop-missing on the command line), or impute"
        empty = [name for name, count in missing.items() if count == rows]
        if empty:
            keep = f"leave out {', '.join(map(repr, empty))}, empty throughout"
        elif complete < 2:
            keep = "leave out columns, or impute"
        msg = f"data: missing values in {counts}; {complete} of {rows} rows are complete: {keep}"
        raise InputError(msg)
    return pd.DataFrame(out, index=pd.RangeIndex(rows))


def check_bare(data: nw.DataFrame[Any], name: str, levels: Sequence[object]) -> None:
    """Refuse a column of text that is hardly one of categories, unless ``C(...)`` says that it is.

    That is one in which some cells are numbers, or almost every row has a level of its own. What a
    table declares to be categories is believed.
    """
    check_numbers(data, name, levels)
    cells = [cell for cell in data[name].to_list() if not _is_missing(cell)]
    text = _is_text(data[name]) and all(isinstance(level, str) for level in levels)
    if text and len(levels) > _FEW and 2 * len(levels) > len(cells):
        msg = (
            f"data: column {name!r} holds text of {len(levels)} levels in {len(cells)} rows "
            f"({shown(cells[0])}, …), as dates, names and free text do; make numbers of it, or in "
            f"a formula leave it out ('. - {quoted(name)}') {_if_meant(name)}"
        )
        raise InputError(msg)


def check_numbers(data: nw.DataFrame[Any], name: str, levels: Sequence[object]) -> None:
    """Refuse a column of text in which some cells are numbers, as one wrong cell makes it one."""
    numbers = [level for level in levels if isinstance(level, str) and _NUMBER.fullmatch(level)]
    if not _is_text(data[name]) or len(numbers) in (0, len(levels)):
        return
    others = set(numbers)
    text = next(level for level in levels if level not in others)
    row = data[name].to_list().index(text)
    mend = "mend it"
    if str(text).strip().casefold() in _MISSING:
        mend = "if that stands for a missing value, leave such cells empty"
    msg = (
        f"data: column {name!r} holds text ({shown(text)} in row {row}) among numbers "
        f"({numbers[0]!r}); {mend}, {_if_meant(name)}"
    )
    raise InputError(msg)


def _is_text(column: nw.Series[Any]) -> bool:
    return isinstance(column.dtype, nw.String | nw.Object)


def _if_meant(name: str) -> str:
    return f"or write C({quoted(name)}) if these are categories"


def quoted(name: str) -> str:
    """Write the name of a column as a formula has it.

    Examples
    --------
    >>> quoted("dose"), quoted("dose (mg)"), quoted("class")
    ('dose', '`dose (mg)`', '`class`')
    """
    return name if name.isidentifier() and not iskeyword(name) else f"`{name}`"


def as_before(column: pd.Series, dtype: Any, name: str) -> pd.Series:
    """Give a canonical column the type, and the categories, of the first data.

    Raises
    ------
    InputError
        If it holds something else than it did, or levels that were not seen before.
    """
    if isinstance(dtype, pd.CategoricalDtype) and isinstance(column.dtype, pd.CategoricalDtype):
        check_levels(column, list(dtype.categories), f"column {name!r}")
        return column.astype(dtype)
    held, found = _kind(dtype), _kind(column.dtype)
    if held == found:
        return column
    odd = column
    if {held, found} == {_NUMBERS, _TRUTH}:  # truth values are the numbers 0 and 1
        odd = column[(column != 0) & (column != 1)]
        if odd.empty:
            return column.astype(dtype)
    row = int(odd.index[0])
    msg = (
        f"data: column {name!r} held {held} before, found {found} ({_plain(odd[row])!r} in row "
        f"{row}); convert it, or encode with data of this kind"
    )
    raise InputError(msg)


def check_levels(
    column: pd.Series, known: Sequence[object], what: str, *, listed: bool = False
) -> None:
    """Refuse a column of levels that are not all known: seen before, or `listed` in the formula."""
    valid = {_distinct(level) for level in known}
    unseen = [_plain(level) for level in column.unique() if _distinct(level) not in valid]
    if not unseen:
        return
    found = ", ".join(map(shown, unseen[:8]))
    row = int(np.argmax(column == unseen[0]))
    if listed:
        msg = f"formula: the levels of {what} lack {found} (first in row {row}); list all of them"
        raise InputError(msg)
    msg = (
        f"data: {what} has levels that were not seen before: {found} (first in row {row}); known "
        f"are {', '.join(shown(_plain(level)) for level in known[:20])}. Drop those rows, or "
        "encode with data that have these levels"
    )
    raise InputError(msg)


def _distinct(level: object) -> object:
    """Tell truth values from the numbers 0 and 1, which Python takes for equal."""
    return (isinstance(level, bool | np.bool_), level)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _kind(dtype: Any) -> str:
    if isinstance(dtype, pd.CategoricalDtype):
        return "text" if all(isinstance(v, str) for v in dtype.categories) else "categories"
    return _TRUTH if dtype.kind == "b" else _NUMBERS


def _check_present(wanted: Sequence[str], found: Sequence[str]) -> None:
    absent = [name for name in wanted if name not in found]
    if absent:
        close = [match for name in absent for match in get_close_matches(name, found, n=1)]
        hint = f"; did you mean {', '.join(map(repr, close))}?" if close else "."
        msg = (
            f"data: lacks {', '.join(map(repr, absent))}, which the formula needs{hint} "
            f"It has: {', '.join(found)}"
        )
        raise InputError(msg)


def _canonical(column: Any, name: str) -> pd.Series:
    dtype = column.dtype
    if isinstance(dtype, nw.Categorical | nw.Enum):
        return pd.Series(_categories(column.to_list(), _declared(column)))
    listed = isinstance(dtype, nw.String | nw.Object | nw.Boolean) or dtype.is_decimal()
    values = column.to_list() if listed else None
    if values is not None:
        known = [value for value in values if not _is_missing(value)]
        if known and all(isinstance(value, str) for value in known):
            return pd.Series(_categories(values, sorted(set(known))))
        if known and all(isinstance(value, bool | np.bool_) for value in known):
            whole = len(known) == len(values)
            return pd.Series(values, dtype=bool if whole else object)
        text = next((k for k, value in enumerate(values) if isinstance(value, str)), None)
        if text is not None:
            other = next(value for value in known if not isinstance(value, str))
            msg = (
                f"data: column {name!r} mixes text ({shown(values[text])} in row {text}) with "
                f"others ({shown(other)}); make all of them text, or none"
            )
            raise InputError(msg)
    if dtype.is_integer() and _is_large(column):
        return pd.Series(exact(column.to_list(), name), dtype=np.float64)
    if values is not None:
        exact(values, name)
    return pd.Series(table_array(nw.to_native(column.alias(name)), f"data, column {name!r}"))


def _is_large(column: Any) -> bool:
    ends = [end for end in (column.min(), column.max()) if not _is_missing(end)]
    return any(abs(int(end)) > EXACT for end in ends)


def exact(values: Sequence[Any], name: str) -> list[Any]:
    """Return values with NaN for missing ones; refuse whole numbers that become others as floats.

    Raises
    ------
    InputError
        If there are such, as keys of 64 bits are, naming the first.
    """
    for row, value in enumerate(values):
        number = abs(int(value)) if _is_whole(value) else 0
        if number > EXACT and number // (number & -number) > EXACT:  # without its last zeros
            msg = (
                f"data: column {name!r} holds whole numbers that floats cannot tell apart "
                f"({shown(value)} in row {row}); make it text for C({name}), or subtract an origin"
            )
            raise InputError(msg)
    return [np.nan if _is_missing(value) else value for value in values]


def _is_whole(value: object) -> bool:
    """Tell whether a value is a whole number all of whose digits are stated, as those of keys are.

    Decimals with a power of ten are measurements, and those beyond floats are refused as infinite.
    """
    if not isinstance(value, Decimal):
        return isinstance(value, Integral)
    exponent = value.as_tuple().exponent
    stated = isinstance(exponent, int) and exponent <= 0  # letters stand for infinity and NaN
    return stated and value.adjusted() <= _LARGEST_POWER and value == value.to_integral_value()


def _declared(column: Any) -> list[Any] | None:
    """Categories in the order that was declared for them; None where none was."""
    if isinstance(column.dtype, nw.Categorical) and column.implementation.is_polars():
        return None
    native = nw.to_native(column)
    if is_pandas(native, "Series") and isinstance(native.dtype, pd.ArrowDtype):
        # pandas has an accessor of its own categories only.
        column = nw.from_native(native.array.__arrow_array__(), series_only=True)
    declared: list[Any] = column.cat.get_categories().to_list()
    return declared


def _categories(values: list[Any], declared: list[Any] | None) -> pd.Categorical:
    present = {value for value in values if not _is_missing(value)}
    levels = sorted(present, key=str) if declared is None else [v for v in declared if v in present]
    return pd.Categorical(values, categories=levels)


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))
