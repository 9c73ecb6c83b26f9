"""Reading a file of data: CSV in whichever dialect, Parquet or Feather.

Of a table all faults are named at once, with their places in the file.
"""

from __future__ import annotations

import datetime as dt
import re
import shlex
from dataclasses import dataclass, replace
from functools import cache, partial
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from bayesreg._csv import check_header, read_csv, rounded_columns
from bayesreg._frames import EXACT
from bayesreg._validation import as_matrix
from bayesreg._visible import shown
from bayesreg.datasets import Dataset
from bayesreg.errors import InputError, unknown_name
from bayesreg.frames.columns import (
    as_frame,
    check_bare,
    check_numbers,
    exact,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

    from numpy.typing import NDArray

_IN_ROW = re.compile(r"\b(in|at) row (\d+)")
_OTHERS: dict[str, Callable[..., pd.DataFrame]] = {
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
            empty = ", ".join(map(repr, absent.columns[absent.all()]))
            remedy = f"drop {empty}, empty throughout" if empty else "drop columns, or impute"
            msg = f"data: {count} have a missing value in {where}; {remedy}"
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
    try:
        folder = file.is_dir()
    except OSError as error:
        msg = f"data: {shown(str(file))} is no name for a file ({error.strerror}); name one"
        raise InputError(msg) from error
    if folder:
        msg = f"data: {file} is a directory; name a file"
        raise InputError(msg)
    read = _OTHERS.get(file.suffix.lower())
    try:
        table = _read_text(file) if read is None else _read_other(file, read)
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
        told = _told(found, target)
        whole = int((~frame.isna().any(axis=1)).sum())
        if 2 <= whole < len(frame):
            told.append(f"{whole} of {len(frame)} rows are complete: --drop-missing keeps those")
        msg = f"data: {'; '.join(told)}"
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


# --------------------------------------------------------------------------- kinds of files


def _read_text(path: Path) -> Table:
    text, frame, summary = read_csv(path)
    return Table(frame, path, summary, lines=cache(partial(text.lines, len(frame))))


def _read_other(path: Path, read: Callable[..., pd.DataFrame]) -> Table:
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
    check_header(names)
    for j in rounded_columns(frame):
        if frame.iloc[:, j].hasnans:  # pandas makes floats of whole numbers beside missing ones
            again = read(path, columns=[frame.columns[j]], dtype_backend="numpy_nullable")
            if pd.api.types.is_integer_dtype(again.iloc[:, 0]):
                frame.isetitem(j, again.iloc[:, 0].array)
    return Table(frame.set_axis(names, axis=1), path, "read from a file")


# --------------------------------------------------------------------------- columns of numbers

# Faults that a message says once, however many columns have them. A formula codes text; text of
# almost as many levels as rows, and the kinds after it, it has to leave out.
_MISSING, _MIXED, _TARGET, _TEXT = "missing", "mixed", "target", "text"
_LABELS, _DATES, _LISTS, _EMPTY, _CONSTANT = "labels", "dates", "lists", "empty", "constant"
_LEFT_OUT = (_LABELS, _DATES, _LISTS, _EMPTY, _CONSTANT)
# Columns that a message lists.
_MOST = 8


class _Fault(NamedTuple):
    """What is wrong with a column, and what to do."""

    kind: str
    name: str
    told: str


def _told(found: Sequence[_Fault], target: str) -> list[str]:
    """Say what is wrong with columns, each fault once, and how a formula reads those of text."""
    said = {}
    text = [fault.name for fault in found if fault.kind in (_TEXT, _LABELS)]
    for fault in found:
        same = [other.name for other in found if other.kind == fault.kind]
        if fault.kind in (_TEXT, _LABELS) and len(text) > 1:
            said[_TEXT] = f"columns {_listed(text)} hold text, drop them, or encode them"
        elif fault.kind not in said:
            also = f" (also {_listed(same[1:])})" if len(same) > 1 else ""
            said[fault.kind] = f"{fault.told}{also}"
    if _TEXT in said:
        said[_TEXT] += _formula(found, target)
    return list(said.values())


def _formula(found: Sequence[_Fault], target: str) -> str:
    """Name the option that reads columns of text as categories, and leaves out what are none."""
    without = [fault for fault in found if fault.kind in _LEFT_OUT]
    if len(without) > _MOST or any(fault.kind == _TARGET for fault in found):
        return ", as --formula does"
    terms = " - ".join([".", *(quoted(fault.name) for fault in without)])
    formula = f"{quoted(target)} ~ {terms}"
    written = shlex.quote(formula) if set(formula) & set('`"$\\!') else f'"{formula}"'
    labels = any(fault.kind == _LABELS for fault in without)
    without_labels = " (without those that have a level in almost every row)"
    return f": --formula {written}{without_labels * labels}"


def _listed(names: Sequence[str]) -> str:
    few = ", ".join(map(shown, names[:_MOST]))
    return few if len(names) <= _MOST else f"{few}, … ({len(names)} in all)"


def _faults(table: Table, name: str, *, is_target: bool) -> Iterator[_Fault]:
    """Say what is wrong with a column, and what to do: about missing values, and about others."""
    column = table.frame[name]
    absent = column.isna().to_numpy()
    if absent.all():
        remedy = "name another target" if is_target else "drop it"
        yield _Fault(_TARGET if is_target else _EMPTY, name, f"column {name!r} is empty, {remedy}")
        return
    if absent.any():
        first = table.place(int(np.argmax(absent)))
        told = (
            f"column {name!r} has missing values ({int(absent.sum())} of {len(column)}, first in "
            f"{first}), drop those rows or impute them"
        )
        yield _Fault(_MISSING, name, told)
    # Truth values beside missing ones are objects, and truth values again by themselves.
    known = column[~absent].infer_objects() if absent.any() else column
    other = _no_numbers(column, known, name, is_target=is_target)
    if other is not None:
        kind, told = other
        yield _Fault(_TARGET if is_target else kind, name, table.placed(told))
    elif not (is_target or absent.any()) and (column == column.iloc[0]).all():
        yield _Fault(_CONSTANT, name, f"column {name!r} is constant, drop it")


def _no_numbers(
    column: pd.Series, known: pd.Series, name: str, *, is_target: bool
) -> tuple[str, str] | None:
    """Say what a column holds in those cells that are `known`; None if it is numbers."""
    if any(isinstance(value, dict | list | tuple | np.ndarray) for value in known):
        told = f"column {name!r} holds lists or records, give each of their entries a column"
        return _LISTS, told
    of_numbers = pd.api.types.is_numeric_dtype(known) or pd.api.types.is_bool_dtype(known)
    if of_numbers or all(isinstance(value, Number) for value in known):  # decimals are objects
        merged = _doubt(column, known, name, _check_exact) if _may_merge(known) else None
        return None if merged is None else (_MIXED, merged)
    if isinstance(known.iloc[0], dt.date | dt.time | dt.timedelta):
        told = f"column {name!r} holds dates or durations, make numbers of them, such as days"
        return _DATES, told
    for kind, check in ((_MIXED, check_numbers), (_LABELS, check_bare)):
        doubt = None if is_target and kind == _LABELS else _doubt(column, known, name, check)
        if doubt is not None:
            return kind, doubt.partition(", or ")[0] if is_target else doubt
    text = next((value for value in known if not _is_number(value)), None)
    if text is None:
        or_code = "" if is_target else f", or write C({quoted(name)}) in a formula"
        few = shown(str(known.iloc[0]))
        return _MIXED, f"column {name!r} holds numbers stored as text ({few}), convert it{or_code}"
    remedy = "drop the column, or encode it"
    if is_target:
        remedy = f"code it as 0 and 1, or use --formula \"I({quoted(name)} == '...') ~ ...\""
    return _TEXT, f"column {name!r} holds text ({shown(str(text))}), {remedy}"


def _doubt(
    column: pd.Series, known: pd.Series, name: str, check: Callable[..., None]
) -> str | None:
    """Say of a column of text that is hardly one of categories what a formula says of it."""
    try:
        check(as_frame({name: column}), name, sorted(known.unique(), key=str))
    except InputError as error:
        return str(error).removeprefix("data: ")
    return None


def _may_merge(known: pd.Series) -> bool:
    """Tell whether there may be whole numbers large enough for floats to merge them."""
    if known.dtype == object:
        return True
    return pd.api.types.is_integer_dtype(known) and max(-int(known.min()), int(known.max())) > EXACT


def _check_exact(table: Any, name: str, levels: Sequence[object]) -> None:
    """Refuse whole numbers that floats merge, as a formula does."""
    del levels
    exact(table[name].to_list(), name)


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
