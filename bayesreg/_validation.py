"""The only place where input is judged: arrays, names, weights, numbers."""

from __future__ import annotations

import math
import sys
from collections import Counter
from numbers import Integral, Number, Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from bayesreg._frames import check_labels, is_pandas, table_array, table_names
from bayesreg._visible import shown
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

type Vector = np.ndarray[tuple[int], np.dtype[np.float64]]
type Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

# Squares of larger numbers, and their sums over rows, overflow double precision.
LARGEST = 1e150
_LARGEST_SEED = 10**1000  # as a record of draws writes it out
# Vectors that have no rows of data, which could be dropped.
_NO_ROWS = {"coef", "loc", "scales", "start", "epsilon", "x_mean", "xty"}
_NAMES_SHOWN = 8  # names of coefficients in a message
# What NumPy lets through when an object cannot be made a number.
_UNREADABLE = (ValueError, TypeError, ArithmeticError, RuntimeError, AttributeError)


def as_float_array(value: object, argument: str) -> NDArray[np.float64]:
    """Read anything NumPy can read as real numbers; NaN and inf pass here.

    Raises
    ------
    InputError
        For text, dates, complex numbers, masked entries, sparse matrices and what is no array.
    """
    _refuse_sparse(value, argument)
    table = table_array(value, argument)
    return _as_floats(_readable(value, argument), argument) if table is None else table


def _refuse_sparse(value: object, argument: str) -> None:
    if sparse.issparse(value):
        msg = f"{argument}: must be dense; pass {argument}.toarray() (only X may be sparse)"
        raise InputError(msg)


def refuse_masked(value: object, argument: str) -> None:
    """Refuse entries that NumPy would take for the numbers below their mask."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        msg = f"{argument}: has masked entries; drop those rows or impute them first"
        raise InputError(msg)


def _readable(value: object, argument: str) -> NDArray[Any]:
    """Return an array of what may be numbers, without a copy where there is an array already."""
    refuse_masked(value, argument)
    try:
        raw = np.asarray(value)
    except _UNREADABLE as error:
        msg = f"{argument}: cannot be read as an array ({error}); pass a rectangular numeric array"
        raise InputError(msg) from error
    _check_type(raw.dtype, argument)
    if raw.dtype.kind == "O" and raw.ndim == 0 and not isinstance(value, Number):
        msg = (
            f"{argument}: cannot be read as an array, found {type(value).__name__}; pass a "
            "rectangular numeric array"
        )
        raise InputError(msg)
    if raw.dtype.kind in "USO":
        text = next((item for item in raw.flat if isinstance(item, str | bytes)), None)
        if text is not None:
            msg = f"{argument}: found text ({shown(text)}); encode text columns as numbers first"
            raise InputError(msg)
    return raw


def _check_type(dtype: np.dtype[Any], argument: str) -> None:
    if dtype.kind == "c":
        msg = f"{argument}: complex numbers are not supported; pass real numbers"
        raise InputError(msg)
    if dtype.kind in "mM":
        msg = f"{argument}: dates and durations are not numbers; convert them to a unit first"
        raise InputError(msg)


def _as_floats(
    raw: NDArray[Any], argument: str, order: Literal["K", "F"] = "K"
) -> NDArray[np.float64]:
    """Return a copy in double precision."""
    try:
        with np.errstate(over="ignore"):
            return np.array(raw, dtype=np.float64, order=order)
    except _UNREADABLE as error:
        msg = f"{argument}: cannot be read as real numbers ({error})"
        raise InputError(msg) from error


def _check_finite(array: NDArray[np.float64], argument: str, given: object = None) -> None:
    """Refuse what is not finite, or too large; `given` is what the array was made of."""
    finite = np.isfinite(array)
    if not finite.all():
        names, missing = table_names(given), np.isnan(array)
        kind = "NaN (missing values)" if missing.any() else "infinite values"
        count = _counted(missing, names) if missing.any() else ""
        row, *column = np.argwhere(missing if missing.any() else ~finite)[0].tolist()
        position = f"{'entry' if argument in _NO_ROWS else 'row'} {row}"
        for at in column:
            position += f", column {at}" if names is None else f" in column {names[at]!r}"
        of_rows = "drop those rows or impute them"
        remedy = "give finite numbers" if argument in _NO_ROWS else of_rows
        msg = f"{argument}: contains {kind}, first at {position}{count}; {remedy}"
        raise InputError(msg)
    if array.size and float(np.abs(array).max()) > LARGEST:
        msg = f"{argument}: has entries beyond ±{LARGEST:g}, whose squares overflow; rescale it"
        raise InputError(msg)


def _counted(missing: NDArray[np.bool_], names: tuple[str, ...] | None) -> str:
    """Say how many values are missing, by column where there are names."""
    if names is None or missing.ndim != 2:
        return f" ({int(missing.sum())} of {missing.size})"
    counts = missing.sum(axis=0)
    each = [f"{names[j]!r} {counts[j]}" for j in np.flatnonzero(counts)]
    more = f", and {len(each) - 8} more columns" if len(each) > 8 else ""
    rows, complete = missing.shape[0], int((~missing.any(axis=1)).sum())
    return f" (missing: {', '.join(each[:8])}{more}; {complete} of {rows} rows are complete)"


def as_matrix(value: object, argument: str = "X") -> Matrix:
    """Validate a matrix: two-dimensional, with a row, finite.

    Parameters
    ----------
    value : array_like, shape (n, p)
        Anything NumPy can read as real numbers.
    argument : str
        Name used in error messages.

    Returns
    -------
    ndarray, shape (n, p)
        A read-only float64 copy in Fortran order (solvers walk along columns).

    Raises
    ------
    InputError
        If it is not two-dimensional, has no row, or holds NaN, infinities or text.
    """
    _refuse_sparse(value, argument)
    table = table_array(value, argument)
    raw = _readable(value, argument) if table is None else table
    _check_rows_and_columns(raw.shape, argument)
    array = _as_floats(raw, argument, "F") if table is None else table
    # One pass without temporaries: squares that add up to a moderate number are those of moderate
    # numbers, NaN and infinity not among them.
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.vecdot(array.T, array.T)
    if not (squares < LARGEST).all():
        _check_finite(array, argument, value)
    return read_only(array)


def as_design_matrix(value: object, argument: str = "X") -> Any:
    """Validate a design matrix, dense as by `as_matrix` or sparse in any format.

    Returns
    -------
    ndarray or csc_array, shape (n, p)
        A read-only float64 copy; a sparse one in canonical form, without explicit zeros.

    Raises
    ------
    InputError
        If it is not two-dimensional, has no row, or holds NaN, infinities or text.
    """
    if not sparse.issparse(value):
        return as_matrix(value, argument)
    given: Any = value
    _check_rows_and_columns(given.shape, argument)
    _check_type(given.dtype, argument)
    matrix = sparse.csc_array(given, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    stored = matrix.data
    if stored.size and not -LARGEST <= float(stored.min()) <= float(stored.max()) <= LARGEST:
        finite = np.isfinite(stored)
        at = int(np.argmin(finite)) if not finite.all() else int(np.argmax(np.abs(stored)))
        column = int(np.searchsorted(matrix.indptr, at, side="right")) - 1
        msg = (
            f"{argument}: holds {stored[at]:g} at row {matrix.indices[at]}, column {column}; "
            f"entries must be finite and within ±{LARGEST:g}"
        )
        raise InputError(msg)
    for part in (matrix.data, matrix.indices, matrix.indptr):
        read_only(part)
    return matrix


def _check_rows_and_columns(shape: tuple[int, ...], argument: str) -> None:
    if len(shape) != 2:
        msg = f"{argument}: must be two-dimensional (rows, columns), found shape {shape}"
        if len(shape) == 1:
            msg += "; use X.reshape(-1, 1) for a single column"
        raise InputError(msg)
    if shape[0] == 0:
        msg = f"{argument}: has no rows, found shape {shape}; at least one row is needed"
        raise InputError(msg)


def as_vector(value: object, argument: str, length: int | None = None) -> Vector:
    """Validate a vector of finite numbers, of a given length if there is one.

    Parameters
    ----------
    value : array_like, shape (length,) or (length, 1)
        The numbers.
    argument : str
        Name used in error messages.
    length : int, optional
        The length it must have.

    Returns
    -------
    ndarray, shape (length,)
        A read-only float64 copy.

    Raises
    ------
    InputError
        If the shape is wrong or it holds NaN, infinities or text.
    """
    array = as_float_array(value, argument)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        msg = f"{argument}: must be one-dimensional, found shape {array.shape}; pass one column"
        raise InputError(msg)
    if length is not None and array.shape[0] != length:
        msg = f"{argument}: has {array.shape[0]} entries, but {length} are needed"
        raise InputError(msg)
    _check_finite(array, argument)
    return read_only(array)


def as_answer(
    coef: object, intercept: object, names: tuple[str, ...], *, level: bool, finite: bool = False
) -> tuple[Vector, float]:
    """Validate an answer to judge: real numbers of the right count, maybe NaN and inf among them.

    Parameters
    ----------
    coef, intercept : object
        The answer.
    names : tuple of str
        Names of the coefficients.
    level : bool
        Whether there is an intercept to set.
    finite : bool
        Whether NaN and inf are refused.

    Raises
    ------
    InputError
        If they are not numbers, do not fit, or there is no intercept to set.
    """
    check_labels(coef, names, "coef")
    vector = as_float_array(coef, "coef")
    if vector.shape != (len(names),):
        shown = ", ".join(names[:_NAMES_SHOWN]) + (", ..." if len(names) > _NAMES_SHOWN else "")
        msg = f"coef: must have shape ({len(names)},), one number each for {shown}; "
        raise InputError(f"{msg}found {vector.shape}")
    number = as_double(intercept, "intercept")
    if number != 0.0 and not level:
        msg = f"intercept: this problem has none, so it must be 0, found {number}"
        raise InputError(msg)
    if finite:
        _check_finite(vector, "coef")
        as_real(number, "intercept")
    return vector, number


def as_weights(value: object, length: int) -> Vector:
    """Validate row weights: finite and positive, one per row."""
    weights = as_vector(value, "weights", length)
    if (weights <= 0).any():
        row = int(np.argmax(weights <= 0))
        msg = f"weights: must be positive, found {weights[row]:g} at row {row}; drop that row"
        raise InputError(msg)
    return weights


def read_only[A: NDArray[Any]](array: A) -> A:
    """Forbid writing into an array that several objects share."""
    array.setflags(write=False)
    return array


def set_fields(record: object, **values: object) -> None:
    """Fill the fields of a frozen dataclass whose constructor validates what it is given."""
    for name, value in values.items():
        object.__setattr__(record, name, value)


def is_many(value: object) -> bool:
    """Tell whether there are several numbers where one may be, ragged lists among them."""
    return isinstance(value, list | tuple) or np.ndim(value) > 0  # type: ignore[arg-type]


def _out_of_array(value: object) -> object:
    """Take a number out of an array without dimensions, as PyMC and xarray return it."""
    if isinstance(value, Real | str) or is_many(value):
        return value
    return np.asarray(value).item()


def as_double(value: object, argument: str) -> float:
    """Validate one real number, maybe NaN or inf (bool is not a number here)."""
    value = _out_of_array(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        msg = f"{argument}: must be a real number, found {shown(value)}"
        raise InputError(msg)
    try:
        return float(value)
    except OverflowError as error:
        msg = f"{argument}: must be finite, found an integer beyond double precision"
        raise InputError(msg) from error


def as_real(value: object, argument: str) -> float:
    """Validate one finite real number (bool is not a number here)."""
    number = as_double(value, argument)
    if not math.isfinite(number):
        msg = f"{argument}: must be finite, found {number}"
        raise InputError(msg)
    return number


def as_flag(value: object, argument: str) -> bool:
    """Validate a truth value."""
    if not isinstance(value, bool | np.bool_):
        msg = f"{argument}: must be True or False, found {shown(value)}"
        raise InputError(msg)
    return bool(value)


def as_positive(value: object, argument: str) -> float:
    """Validate one finite number above zero."""
    number = as_real(value, argument)
    if number <= 0:
        msg = f"{argument}: must be positive, found {number:g}"
        raise InputError(msg)
    if not 1 / LARGEST <= number <= LARGEST:
        msg = f"{argument}: {number:g} has a square beyond double precision; change the units"
        raise InputError(msg)
    return number


def as_scale(value: object, argument: str = "scale") -> float | Vector:
    """Validate a prior scale: positive, one number or one per coefficient; inf means flat."""
    array = as_float_array(value, argument)
    if array.ndim > 1:
        msg = f"{argument}: must be a number or one number per coefficient, found {array.shape}"
        raise InputError(msg)
    if is_pandas(value, "Series"):
        msg = f"{argument}: a Series has labels that would be ignored; pass {argument}.to_numpy()"
        raise InputError(msg)
    if np.asarray(value).dtype == bool:
        msg = f"{argument}: must be a number, found a truth value"
        raise InputError(msg)
    extreme = np.isfinite(array) & (array > 0) & ((array < 1 / LARGEST) | (array > LARGEST))
    if extreme.any():
        found = float(array[extreme][0]) if array.ndim else float(array)
        msg = f"{argument}: {found:g} has a square beyond double precision; change the units"
        raise InputError(msg)
    bad = ~(array > 0)  # also catches NaN
    if bad.any():
        found = float(array[bad][0]) if array.ndim else float(array)
        msg = f"{argument}: must be positive, found {found:g}; np.inf gives a flat prior"
        raise InputError(msg)
    if array.ndim == 0:
        return float(array)
    return read_only(array)


def as_count(value: object, argument: str, minimum: int = 1, maximum: int = sys.maxsize) -> int:
    """Validate a whole number from a minimum to a maximum."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        msg = f"{argument}: must be a whole number, found {shown(value)}"
        raise InputError(msg)
    if int(value) < minimum:
        msg = f"{argument}: must be at least {minimum}, found {shown(int(value))}"
        raise InputError(msg)
    if int(value) > maximum:
        msg = f"{argument}: must be at most {maximum}, found {shown(int(value))}"
        raise InputError(msg)
    return int(value)


def as_fraction(value: object, argument: str) -> float:
    """Validate a number strictly between 0 and 1."""
    number = as_real(value, argument)
    if not 0 < number < 1:
        msg = f"{argument}: must lie strictly between 0 and 1, found {number:g}"
        raise InputError(msg)
    return number


def as_names(value: Iterable[object] | None, length: int) -> tuple[str, ...]:
    """Validate column names, or make x0, x1, ... where none are given.

    Raises
    ------
    InputError
        If the count is wrong, a name is empty or a name occurs twice.
    """
    if value is None:
        return tuple(f"x{j}" for j in range(length))
    try:
        names = tuple(str(name) for name in value)
    except (TypeError, ValueError) as error:
        msg = f"names: must be a list of column names, found {shown(value)}"
        raise InputError(msg) from error
    if len(names) != length:
        msg = f"names: has {len(names)} entries, but X has {length} columns"
        raise InputError(msg)
    unwritable = [name for name in names if not _can_be_written(name)]
    if unwritable:
        msg = f"names: {shown(unwritable[0])} holds half a surrogate pair, which no file can hold"
        raise InputError(msg)
    if "" in names:
        msg = f"names: entry {names.index('')} is empty; give every column a name"
        raise InputError(msg)
    if len(set(names)) < length:
        repeated = Counter(names).most_common(1)[0][0]
        msg = f"names: {repeated!r} occurs more than once; names must be unique"
        raise InputError(msg)
    return names


def _can_be_written(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_columns(columns: Sequence[object], names: tuple[str, ...], argument: str) -> tuple[int, ...]:
    """Turn a list of column positions or names into positions.

    Raises
    ------
    InputError
        If a name is unknown or a position is out of range.
    """
    positions = []
    for column in columns:
        if isinstance(column, str):
            if column not in names:
                known = ", ".join(names)
                msg = f"{argument}: no column is named {shown(column)}; the names are {known}"
                raise InputError(msg)
            positions.append(names.index(column))
        else:
            position = as_count(column, argument, minimum=0)
            if position >= len(names):
                found = shown(position)
                msg = f"{argument}: column {found} is out of range for {len(names)} columns"
                raise InputError(msg)
            positions.append(position)
    return tuple(positions)


def as_generator(seed: object) -> np.random.Generator:
    """Turn None, a non-negative integer, a SeedSequence or a Generator into a Generator.

    Raises
    ------
    InputError
        For anything else.
    """
    if isinstance(seed, np.random.Generator):
        return seed
    if seed is None or isinstance(seed, np.random.SeedSequence):
        return np.random.default_rng(seed)
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool) and int(seed) >= 0:
        if seed > _LARGEST_SEED:
            msg = "seed: has more than 1000 digits, which no record of it could hold; shorten it"
            raise InputError(msg)
        return np.random.default_rng(int(seed))
    msg = f"seed: must be None, a whole number >= 0 or a numpy Generator, found {shown(seed)}"
    raise InputError(msg)
