"""Reading a file of data: CSV in whichever dialect, Parquet or Feather.

What a CSV file leaves open (separator, decimal mark, encoding) is read off the file, and refused
where it could mean two things.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesreg._validation import as_matrix
from bayesreg.datasets import Dataset
from bayesreg.errors import InputError, unknown_name
from bayesreg.frames.columns import as_frame, check_bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

    from numpy.typing import NDArray

_IN_ROW = re.compile(r"\bin row (\d+)")
_MARKS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# What the dialect is read off: so much of the head of the file, and so many of its rows.
_HEAD, _ROWS = 1_000_000, 200
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
    """

    frame: pd.DataFrame
    path: Path
    summary: str
    kept: NDArray[np.intp] | None = None

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

        Lines are counted from 1, the header's; rows from 0.
        """
        at = row if self.kept is None else int(self.kept[row])
        return f"row {at}" if self.path.suffix.lower() in _OTHERS else f"line {at + 2}"

    def placed(self, message: str) -> str:
        """Say the same of the places in the file as a message says of rows of the frame."""
        return _IN_ROW.sub(lambda found: f"in {self.place(int(found[1]))}", message)


def read_table(path: str | PathLike[str]) -> Table:
    """Read the columns of a file, text among them.

    Parameters
    ----------
    path : path-like
        A Parquet (``.parquet``, ``.pq``) or Feather (``.feather``, ``.arrow``) file by its ending,
        else a CSV file with a header line: commas, semicolons or tabs; decimal points or commas;
        UTF-8, or UTF-16 with its mark.

    Returns
    -------
    Table
        Its columns, and how it was read.

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
        raise unknown_name("target", target, columns)
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
    values = frame.astype(np.float64)
    as_matrix(values)
    names = tuple(name for name in columns if name != target)
    return dataset_of(
        table, values[list(names)].to_numpy(), values[target].to_numpy(), names, target
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
        msg = f"data: {path} cannot be read as {kind} ({_last_line(error)}); write it again"
        raise InputError(msg) from error
    names = [str(name) for name in frame.columns]
    _check_header(names)
    return Table(frame.set_axis(names, axis=1), path, "read from a file")


# --------------------------------------------------------------------------- CSV


def _read_csv(path: Path) -> Table:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        encoding = "utf-16" if head.startswith(_UTF16) else "utf-8-sig"
        rows, mark = _dialect(path, head, encoding)
        frame = pd.read_csv(path, encoding=encoding, sep=mark, low_memory=False)
        comma = _has_decimal_commas(frame)
        if comma:
            frame = pd.read_csv(path, encoding=encoding, sep=mark, decimal=",", low_memory=False)
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
    names = [name.strip() for name in rows[0]]
    _check_header(names)
    summary = "read from a file"
    if mark != ",":
        summary += f", columns separated by {_MARKS[mark]}"
    if encoding == "utf-16":
        summary += ", UTF-16"
    if comma:
        summary += ", decimal commas"
    return Table(frame.set_axis(names, axis=1), path, summary)


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
        rows = [row for row in islice(lines, _ROWS) if row]
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
    if pd.api.types.is_numeric_dtype(known) or pd.api.types.is_bool_dtype(known):
        return None
    among = _among_numbers(column, known, name)
    if among is not None:
        return among.partition(", or ")[0] if is_target else among
    remedy = "drop the column, or encode it, as --formula does"
    if is_target:
        remedy = f"code it as 0 and 1, or use --formula \"I({name} == '...') ~ ...\""
    return f"column {name!r} holds {_described(known)}, {remedy}"


def _among_numbers(column: pd.Series, known: pd.Series, name: str) -> str | None:
    """Say of a column of text in which some cells are numbers what a formula says of it."""
    try:
        check_bare(as_frame({name: column}), name, sorted(known.unique(), key=str))
    except InputError as error:
        return str(error).removeprefix("data: ")
    return None


def _described(column: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        return "dates or durations"
    text = next((value for value in column if not _is_number(value)), None)
    return (
        f"numbers stored as text ({str(column.iloc[0])!r})"
        if text is None
        else f"text ({str(text)!r})"
    )


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
