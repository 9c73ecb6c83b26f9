"""Reading a file of data: CSV in whichever dialect, Parquet or Feather.

What a CSV file leaves open (separator, decimal mark, encoding) is read off the file, and refused
where it could mean two things.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import warnings
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesreg._validation import as_matrix
from bayesreg._visible import shown
from bayesreg.datasets import Dataset
from bayesreg.errors import BayesregWarning, InputError, unknown_name
from bayesreg.frames.columns import as_frame, check_bare, check_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

    from numpy.typing import NDArray

_IN_ROW = re.compile(r"\b(in|at) row (\d+)")
_MARKS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# What the dialect is read off: so much of the head of the file, and so many of its rows.
_HEAD, _ROWS = 1_000_000, 200
# What a column without a name is called, and what pandas calls it.
_NAMELESS = ("", "Unnamed: 0")
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d*)?([eE][+-]?\d+)?\s*")
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
# One thousand or one and a bit.
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*")
_OTHERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".parquet": pd.read_parquet,
    ".pq": pd.read_parquet,
    ".feather": pd.read_feather,
    ".arrow": pd.read_feather,
}


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a file.

    Attributes
    ----------
    frame : pandas.DataFrame
        Its columns as they are stored: numbers, text, truth values.
    path : Path
        The file.
    summary : str
        How it was read.
    kept : ndarray of int, shape (n,), or None
        Which rows of the file these are; None for all of them.
    lines : callable
        Returns the line of the file on which each of its rows begins, from 1; None if it has no
        lines, or these are not known.
    """

    frame: pd.DataFrame
    path: Path
    summary: str
    kept: NDArray[np.intp] | None = None
    lines: Callable[[], list[int] | None] = lambda: None

    def described(self) -> Dataset:
        """Return a data set of no columns that says where the file is and how it was read."""
        nothing = np.empty((len(self.frame), 0))
        return dataset_of(self, nothing, np.zeros(len(self.frame)), (), "")

    def complete(self, names: Sequence[str]) -> Table:
        """Leave out the rows with a missing value in one of these columns, and say so.

        Raises
        ------
        InputError
            If fewer than two rows are left.
        """
        absent = self.frame[list(names)].isna()
        gone = absent.any(axis=1)
        if not gone.any():
            return self
        where = ", ".join(map(repr, absent.columns[absent.any()]))
        count = f"{int(gone.sum())} of {len(gone)} rows"
        left = self.frame[~gone].reset_index(drop=True).infer_objects()
        if len(left) < 2:
            msg = f"data: {count} have a missing value in {where}; drop columns, or impute"
            raise InputError(msg)
        summary = f"{self.summary}; {count} are left out, with missing values in {where}"
        kept = np.arange(len(gone)) if self.kept is None else self.kept
        return replace(self, frame=left, summary=summary, kept=kept[~gone.to_numpy()])

    def place(self, row: int) -> str:
        """Say where in the file a row of the frame stands: in a line of text, or a row of a table.

        Lines are counted from 1, as editors do; rows from 0.
        """
        at = row if self.kept is None else int(self.kept[row])
        lines = self.lines()
        return f"row {at} of the data" if lines is None else f"line {lines[at]}"

    def placed(self, message: str) -> str:
        """Say the same of the places in the file as a message says of rows of the frame."""
        return _IN_ROW.sub(lambda found: f"{found[1]} {self.place(int(found[2]))}", message)


def read_table(path: str | PathLike[str]) -> Table:
    """Read the columns of a file, text among them.

    Parameters
    ----------
    path : path-like
        A Parquet (``.parquet``, ``.pq``) or Feather (``.feather``, ``.arrow``) file by its ending,
        else a CSV file with a header line: commas, semicolons or tabs; decimal points or commas;
        UTF-8, or UTF-16 with its mark. Row names, in a first column without a name as R and pandas
        write them, are left out.

    Returns
    -------
    Table
        Its columns, and how it was read.

    Warns
    -----
    BayesregWarning
        If row names are left out.

    Raises
    ------
    InputError
        If the file cannot be read, has fewer than two rows, or columns without a name or with the
        same one.
    """
    file = Path(path)
    if file.is_dir():
        msg = f"data: {file} is a directory; name a file"
        raise InputError(msg)
    read = _OTHERS.get(file.suffix.lower())
    try:
        table = _read_csv(file) if read is None else _read_other(file, read)
    except FileNotFoundError as error:
        msg = f"data: there is no file {file}"
        raise InputError(msg) from error
    if table.frame.empty:
        msg = f"data: {file} has a header but no rows"
        raise InputError(msg)
    if len(table.frame) == 1:
        msg = f"data: {file} has one row only; at least two are needed"
        raise InputError(msg)
    return table


def read_data(path: str | PathLike[str], target: str, *, drop_missing: bool = False) -> Dataset:
    """Read a file of numbers; every column but the target is a predictor.

    Parameters
    ----------
    path : path-like
        The file; see `read_table`.
    target : str
        Name of the column to predict.
    drop_missing : bool
        Whether to leave out rows with a missing value, rather than refuse them.

    Returns
    -------
    Dataset
        Its arrays and names.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, lacks the target, or has columns of text, with missing
        values, or predictors with one value only; the message names all of these faults.
    """
    table = read_table(path)
    frame = table.frame
    columns = list(frame.columns)
    if target not in columns:
        raise _no_target(table, target)
    if len(columns) == 1:
        msg = f"data: {table.path} has no column beside the target {target!r}"
        raise InputError(msg)
    if drop_missing:
        table = table.complete(columns)
        frame = table.frame
    found = [fault for name in columns for fault in _faults(table, name, is_target=name == target)]
    if found:
        whole = int((~frame.isna().any(axis=1)).sum())
        if whole < len(frame):
            found.append(f"{whole} of {len(frame)} rows are complete: --drop-missing keeps those")
        msg = f"data: {'; '.join(found)}"
        raise InputError(msg)
    try:
        values = as_matrix(frame, "data")
    except InputError as error:
        raise InputError(table.placed(str(error))) from error
    at = columns.index(target)
    names = (*columns[:at], *columns[at + 1 :])
    return dataset_of(table, np.delete(values, at, axis=1), values[:, at], names, target)


def _no_target(table: Table, target: str) -> InputError:
    """Say which columns there are, or why there is only one."""
    columns = list(table.frame.columns)
    if len(columns) > 1 or table.path.suffix.lower() in _OTHERS:
        return unknown_name("target", target, columns)
    return InputError(
        f"target: {target!r} is not known; {table.path} has one column, {shown(columns[0])}, where "
        "commas, semicolons or tabs separate columns"
    )


def dataset_of(
    table: Table,
    X: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    y: np.ndarray[tuple[int], np.dtype[np.float64]],
    names: tuple[str, ...],
    target: str,
) -> Dataset:
    """Make a data set of arrays that came from a file."""
    return Dataset(
        name=table.path.name,
        X=X,
        y=y,
        names=names,
        target=target,
        summary=table.summary,
        source=str(table.path),
        licence="yours",
        likelihood="bernoulli" if set(np.unique(y)) == {0.0, 1.0} else "gaussian",
    )


# --------------------------------------------------------------------------- Parquet and Feather


def _read_other(path: Path, read: Callable[[Path], pd.DataFrame]) -> Table:
    kind = "Feather" if read is pd.read_feather else "Parquet"
    try:
        frame = read(path)
    except FileNotFoundError:
        raise
    except ImportError as error:
        msg = f"data: reading {kind} files needs pyarrow; install it, or save {path} as CSV"
        raise InputError(msg) from error
    except (OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        msg = f"data: {path} cannot be read as {kind} ({reason}); write it again"
        raise InputError(msg) from error
    names = [str(name) for name in frame.columns]
    _check_header(names)
    return Table(frame.set_axis(names, axis=1), path, "read from a file")


# --------------------------------------------------------------------------- CSV


def _read_csv(path: Path) -> Table:
    try:
        with path.open("rb") as file:  # once: what comes through a pipe can be read no second time
            head = file.read(_HEAD)
            encoding = "utf-16" if head.startswith(_UTF16) else "utf-8-sig"
            rows, mark = _dialect(path, head, encoding)
            content = head + file.read()
        how: dict[str, Any] = {"encoding": encoding, "sep": mark, "low_memory": False}
        frame = pd.read_csv(io.BytesIO(content), **how)
        comma = _has_decimal_commas(frame)
        if comma:
            frame = pd.read_csv(io.BytesIO(content), decimal=",", **how)
    except FileNotFoundError:
        raise
    except pd.errors.EmptyDataError as error:
        raise _empty(path) from error
    except (pd.errors.ParserError, UnicodeError, OSError, csv.Error) as error:
        msg = (
            f"data: {path} cannot be read ({_last_line(error)}); save it as comma-separated UTF-8 "
            "text"
        )
        raise InputError(msg) from error
    if not isinstance(frame.index, pd.RangeIndex):
        msg = f"data: {path} has rows with more fields than its header; fix the header line"
        raise InputError(msg)
    frame = _without_row_names(frame.set_axis([name.strip() for name in rows[0]], axis=1), path)
    _check_header(list(frame.columns))
    summary = "read from a file"
    if mark != ",":
        summary += f", columns separated by {_MARKS[mark]}"
    if encoding == "utf-16":
        summary += ", UTF-16"
    if comma:
        summary += ", decimal commas"
    lines = partial(_lines, content, encoding, mark, len(frame))
    return Table(frame, path, summary, lines=lines)


def _without_row_names(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Leave out a first column without a name if it can be what R and pandas write there.

    That is whole numbers or text, each once; measurements that lack a name are refused later.
    """
    if frame.columns[0] not in _NAMELESS or frame.shape[1] == 1:
        return frame
    names = frame.iloc[:, 0]
    whole = pd.api.types.is_integer_dtype(names) or not pd.api.types.is_numeric_dtype(names)
    if not whole or names.hasnans or not names.is_unique:
        return frame
    few = ", ".join(shown(str(name)) for name in names[:2])
    msg = (
        f"data: column 1 of {path.name} has no name of its own and holds row names ({few}, …): it "
        "is left out; to use it, name it"
    )
    warnings.warn(msg, BayesregWarning, stacklevel=4)
    return frame.iloc[:, 1:]


def _lines(content: bytes, encoding: str, mark: str, count: int) -> list[int] | None:
    """Return the line on which each row begins, from 1; None if these are not as many as read."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    reader = csv.reader(text, delimiter=mark)
    begins, line = [], 1
    try:
        for row in reader:
            if not _is_blank(row):
                begins.append(line)
            line = reader.line_num + 1
    except csv.Error:
        return None
    return begins[1:] if len(begins) == count + 1 else None


def _is_blank(row: list[str]) -> bool:
    """Tell whether a row is a line of blanks, which no reader counts as one of the data."""
    return len(row) < 2 and not "".join(row).strip()


def _dialect(path: Path, head: bytes, encoding: str) -> tuple[list[list[str]], str]:
    """Return the first rows and the separator that makes most of them, all of the same length."""
    if not head.strip():
        raise _empty(path)
    if head.startswith(_ARCHIVES):
        msg = f"data: {path} is a spreadsheet or an archive, not text; save its table as CSV"
        raise InputError(msg)
    if encoding != "utf-16" and b"\0" in head:
        msg = f"data: {path} holds NUL bytes: no text, or UTF-16 without its mark; save it as UTF-8"
        raise InputError(msg)
    # A character that the end of the head cuts in two is none of the file's faults.
    text = head.decode(encoding, "strict" if len(head) < _HEAD else "ignore")
    whole = len(head) < _HEAD
    found: dict[str, list[list[str]]] = {}
    for mark in _MARKS:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        rows = [row for row in islice(lines, _ROWS) if not _is_blank(row)]
        found[mark] = rows if whole or len(rows) == _ROWS else rows[:-1] or rows
    if not found[","]:
        raise _empty(path)

    def merit(mark: str) -> tuple[bool, int]:
        width = len(found[mark][0])
        return width > 1 and all(len(row) == width for row in found[mark]), width

    best = max(_MARKS, key=merit)
    return found[best], best


def _has_decimal_commas(frame: pd.DataFrame) -> bool:
    """Tell whether columns that were read as text are numbers with decimal commas.

    Raises
    ------
    InputError
        If all commas of the file could as well separate thousands.
    """
    doubtful = None
    sure = False
    for name in frame.columns:
        column = frame[name].dropna()
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            continue
        cells = [str(cell) for cell in column]
        commas = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell)]
        others = [cell for cell in cells if "," not in cell]
        numbers = len(commas) + len(others) == len(cells)
        if not (commas and numbers and all(_NUMBER.fullmatch(cell) for cell in others)):
            continue
        if all(_THOUSANDS.fullmatch(cell) for cell in commas):
            doubtful = doubtful or (name, commas[0])
        else:
            sure = True
    if doubtful is not None and not sure:
        name, cell = doubtful
        msg = (
            f"data: column {name!r} holds {cell!r}, whose comma may be a decimal mark or separate "
            "thousands; write its numbers with decimal points, and without marks in between"
        )
        raise InputError(msg)
    return sure


def _empty(path: Path) -> InputError:
    return InputError(f"data: {path} is empty; a header line and rows of numbers are needed")


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def _check_header(names: list[str]) -> None:
    if "" in names:
        msg = (
            f"data: column {names.index('') + 1} has no name in the header; name it, or drop it if "
            "it holds row labels"
        )
        raise InputError(msg)
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        msg = f"data: the header names {repeated!r} more than once; names must be unique"
        raise InputError(msg)


# --------------------------------------------------------------------------- columns of numbers


def _faults(table: Table, name: str, *, is_target: bool) -> Iterator[str]:
    """Say what is wrong with a column, and what to do: about missing values, and about others."""
    column = table.frame[name]
    absent = column.isna().to_numpy()
    if absent.any():
        first = table.place(int(np.argmax(absent)))
        yield (
            f"column {name!r} has missing values ({int(absent.sum())} of {len(column)}, first in "
            f"{first}), drop those rows or impute them"
        )
    # Truth values beside missing ones are objects, and truth values again by themselves.
    known = column[~absent].infer_objects() if absent.any() else column
    other = _no_numbers(column, known, name, is_target=is_target) if len(known) else None
    if other is not None:
        yield table.placed(other)
    elif not (is_target or absent.any()) and (column == column.iloc[0]).all():
        yield f"column {name!r} is constant, drop it"


def _no_numbers(column: pd.Series, known: pd.Series, name: str, *, is_target: bool) -> str | None:
    """Say what a column holds in those cells that are `known`; None if it is numbers."""
    if any(isinstance(value, dict | list | tuple | np.ndarray) for value in known):
        return f"column {name!r} holds lists or records, give each of their entries a column"
    of_numbers = pd.api.types.is_numeric_dtype(known) or pd.api.types.is_bool_dtype(known)
    if of_numbers or all(isinstance(value, Number) for value in known):  # decimals are objects
        return None
    if isinstance(known.iloc[0], dt.date | dt.time | dt.timedelta):
        return f"column {name!r} holds dates or durations, make numbers of them, such as days"
    doubt = _doubt(column, known, name, check_numbers if is_target else check_bare)
    if doubt is not None:
        return doubt.partition(", or ")[0] if is_target else doubt
    remedy = "drop the column, or encode it, as --formula does"
    if is_target:
        remedy = f"code it as 0 and 1, or use --formula \"I({name} == '...') ~ ...\""
    return f"column {name!r} holds {_described(known)}, {remedy}"


def _doubt(
    column: pd.Series, known: pd.Series, name: str, check: Callable[..., None]
) -> str | None:
    """Say of a column of text that is hardly one of categories what a formula says of it."""
    try:
        check(as_frame({name: column}), name, sorted(known.unique(), key=str))
    except InputError as error:
        return str(error).removeprefix("data: ")
    return None


def _described(column: pd.Series) -> str:
    text = next((value for value in column if not _is_number(value)), None)
    if text is None:
        return f"numbers stored as text ({shown(str(column.iloc[0]))})"
    return f"text ({shown(str(text))})"


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
