"""Tables of other packages: pandas, polars, Arrow, and whatever else narwhals reads.

The one place where it is asked what a table is. Nothing here judges numbers: what is missing comes
out as NaN, and `bayesreg._validation` says what it thinks of that.
"""

from __future__ import annotations

import datetime as dt
import sys
from decimal import InvalidOperation
from importlib import import_module
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._visible import shown
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What certainly is no table, so that narwhals need not be loaded to find out.
_PLAIN = (np.ndarray, np.generic, Number, list, tuple, str, bytes, type(None))
_PLAIN_HOMES = frozenset({"builtins", "numpy", "scipy", "bayesreg", "pymc", "pytensor"})
# What NumPy and Arrow say of types, and decimals of numbers, that they cannot read.
_UNREADABLE = (ValueError, TypeError, ArithmeticError, RuntimeError, AttributeError)
#: Whole numbers from here on are not all floats.
EXACT = 2.0**53
_FORMULA = 'name it in a formula: br.from_formula("y ~ ...", data, ...)'


def as_table(value: object, argument: str = "data") -> Any:
    """Return the narwhals frame or series of a table or of a column; None for anything else.

    Parameters
    ----------
    value : object
        A frame or series of pandas, polars, Arrow, ..., or anything.
    argument : str
        Name used in error messages.

    Raises
    ------
    InputError
        If a table is lazy, or two of its columns have the same name.
    """
    if isinstance(value, _PLAIN) or type(value).__module__.partition(".")[0] in _PLAIN_HOMES:
        return None
    nw = import_module("narwhals.stable.v2")
    try:
        table = nw.from_native(value, allow_series=True, pass_through=True)
    except import_module("narwhals.exceptions").DuplicateError as error:
        reason = " ".join(str(error).split())
        msg = f"{argument}: has columns of the same name ({reason}); give each its own"
        raise InputError(msg) from error
    if isinstance(table, nw.LazyFrame):
        msg = f"{argument}: is a lazy frame, whose rows are not there yet; pass .collect() of it"
        raise InputError(msg)
    return table if isinstance(table, nw.DataFrame | nw.Series) else None


def is_frame(table: object) -> bool:
    """Tell whether what `as_table` returned has columns."""
    return isinstance(table, import_module("narwhals.stable.v2").DataFrame)


def table_names(value: object) -> tuple[str, ...] | None:
    """Column names of a frame; None for anything else."""
    table = as_table(value)
    if table is None or not is_frame(table):
        return None
    return tuple(str(name) for name in table.columns)


def table_array(value: object, argument: str) -> NDArray[np.float64] | None:
    """Numbers of a frame (n, p), in Fortran order, or of a series (n,); None for anything else.

    Truth values become 0 and 1, and what is missing NaN.

    Parameters
    ----------
    value : object
        A frame or series of pandas, polars, Arrow, ..., or anything.
    argument : str
        Name used in error messages.

    Returns
    -------
    ndarray or None
        A new array.

    Raises
    ------
    InputError
        If a column holds text, categories, dates or anything else but real numbers.
    """
    table = as_table(value, argument)
    if table is None:
        return None
    if not is_frame(table):
        return _numbers(table, argument, "")
    if all(dtype.is_float() for dtype in table.schema.values()):
        whole: NDArray[Any] = table.to_numpy()
        if whole.dtype.kind == "f":
            return np.array(whole, dtype=np.float64, order="F")
    out = np.empty(table.shape, order="F")
    for j, column in enumerate(table.iter_columns()):
        out[:, j] = _numbers(column, argument, f" in column {str(column.name)!r}")
    return out


def _numbers(column: Any, argument: str, where: str) -> NDArray[np.float64]:
    """Return the numbers of a series; `where` says which column it is."""
    nw = import_module("narwhals.stable.v2")
    dtype = column.dtype
    if isinstance(dtype, nw.Categorical | nw.Enum):
        msg = f"{argument}: found categories{where}, whose coding is not stated; {_FORMULA}"
        raise InputError(msg)
    if dtype.is_temporal():
        raise _dates(argument, where)
    if dtype.is_nested():
        msg = f"{argument}: found lists or records{where}; give each of their entries a column"
        raise InputError(msg)
    if dtype.is_integer() or dtype.is_decimal():
        return _rounded(column)
    if dtype.is_numeric() or isinstance(dtype, nw.Boolean):
        return np.array(column.cast(nw.Float64).to_numpy(), dtype=np.float64)
    return _unusual_numbers(column, argument, where)


def refuse_dates(value: object, argument: str) -> None:
    """Refuse dates and durations, in a table or a column, before a package counts their ticks.

    Raises
    ------
    InputError
        If there are any.
    """
    table = as_table(value, argument)
    if table is None:
        return
    for column in table.iter_columns() if is_frame(table) else (table,):
        _refuse_dates(column, argument, f" in column {str(column.name)!r}" * is_frame(table))


def _refuse_dates(column: Any, argument: str, where: str) -> None:
    nw = import_module("narwhals.stable.v2")
    found = column.dtype.is_temporal()
    if isinstance(column.dtype, nw.Unknown | nw.Object):
        found = _holds_dates(*_objects(column, argument, where))
    if found:
        raise _dates(argument, where)


def _holds_dates(raw: NDArray[Any], missing: NDArray[np.bool_]) -> bool:
    """Tell whether objects are dates or durations: so are those of Arrow's date64."""
    first = next(iter(raw[~missing]), None)
    return raw.dtype.kind in "mM" or isinstance(first, dt.date | dt.time | dt.timedelta)


def _dates(argument: str, where: str) -> InputError:
    return InputError(
        f"{argument}: found dates or durations{where}; dates and durations are not numbers: "
        "convert them to a unit first"
    )


def _objects(column: Any, argument: str, where: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return whatever a column holds, and where it holds nothing."""
    try:
        return np.asarray(column.to_native()), column.is_null().to_numpy()
    except _UNREADABLE as error:
        raise _unreadable(error, argument, where) from error


def _unreadable(error: Exception, argument: str, where: str) -> InputError:
    signals = isinstance(error, InvalidOperation)
    reason = "a decimal number is a signaling NaN" if signals else error
    msg = f"{argument}: cannot be read as real numbers{where} ({reason}); convert it first"
    return InputError(msg)


def _rounded(column: Any) -> NDArray[np.float64]:
    """Return whole or decimal numbers as the nearest floats, as NumPy makes them.

    Packages differ in that: Arrow refuses to round, and decimals are rounded twice by some.
    """
    nw = import_module("narwhals.stable.v2")
    absent, dtype = column.is_null(), column.dtype
    known = column.filter(~absent)
    listed = dtype.is_decimal() or isinstance(dtype, nw.Int128 | nw.UInt128)
    out = np.full(len(column), np.nan)
    out[~absent.to_numpy()] = known.to_list() if listed else known.to_numpy()
    return out


def _unusual_numbers(column: Any, argument: str, where: str) -> NDArray[np.float64]:
    """Return the numbers of a column of text, objects, or of a type that narwhals does not know."""
    raw, missing = _objects(column, argument, where)
    if _holds_dates(raw, missing):
        raise _dates(argument, where)
    text = next((item for item in raw[~missing] if isinstance(item, str | bytes)), None)
    if text is not None:
        msg = (
            f"{argument}: found text ({shown(text)}){where}; encode text columns as numbers "
            f"first, or {_FORMULA}"
        )
        raise InputError(msg)
    if raw.dtype.kind == "c":
        msg = f"{argument}: found complex numbers{where}; complex numbers are not supported"
        raise InputError(msg)
    if missing.any():
        raw = raw.astype(object)
        raw[missing] = np.nan
    try:
        with np.errstate(over="ignore"):  # long doubles become infinite, as long decimals do
            return np.array(raw, dtype=np.float64)
    except _UNREADABLE as error:
        raise _unreadable(error, argument, where) from error


# --------------------------------------------------------------------------- labels of pandas


def is_pandas(value: object, kind: str) -> bool:
    """Tell whether a value is a "Series" or a "DataFrame" of pandas."""
    # An object can only be a pandas one if its user has imported pandas: no need to import it here.
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, kind))


def check_same_index(X: Any, value: Any, argument: str) -> None:
    """Refuse a pandas object whose row labels differ from those of X, rather than re-align them.

    Raises
    ------
    InputError
        If both carry an index and the two are not identical.
    """
    labelled = is_pandas(value, "Series") or is_pandas(value, "DataFrame")
    if not (is_pandas(X, "DataFrame") and labelled):
        return
    if len(X) == len(value) and not X.index.equals(value.index):
        msg = (
            f"{argument}: its row labels differ from those of X; bayesreg does not re-align rows. "
            f"Use {argument}.loc[X.index], or .to_numpy() on both if the order already matches"
        )
        raise InputError(msg)


def check_labels(value: Any, names: tuple[str, ...], argument: str) -> None:
    """Refuse a pandas Series of coefficients whose labels are text and not the names, in order."""
    if not is_pandas(value, "Series"):
        return
    labels = tuple(value.index)
    if any(isinstance(label, str) for label in labels) and labels != names:
        msg = (
            f"{argument}: its labels are not the columns' names in their order, and bayesreg does "
            f"not re-align; use {argument}.loc[list(names)], or .to_numpy()"
        )
        raise InputError(msg)
