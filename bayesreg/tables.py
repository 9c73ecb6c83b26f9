"""Reading a CSV file into predictors and a target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesreg._validation import as_matrix
from bayesreg.datasets import Dataset
from bayesreg.errors import InputError, unknown_name

if TYPE_CHECKING:
    from os import PathLike


def read_csv(path: str | PathLike[str], target: str) -> Dataset:
    """Read a CSV file with a header line; every column but the target is a predictor.

    Parameters
    ----------
    path : path-like
        The file.
    target : str
        Name of the column to predict.

    Returns
    -------
    Dataset
        Its arrays and names.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, lacks the target, or has columns of text, with missing
        values, or predictors with one value only; the message names all of those columns.
    """
    frame = _read(Path(path))
    columns = [str(name) for name in frame.columns]
    if target not in columns:
        raise unknown_name("target", target, columns)
    if len(columns) == 1:
        msg = f"csv: {path} has no column beside the target {target!r}"
        raise InputError(msg)
    faults = [_fault(frame[name], name, is_target=name == target) for name in columns]
    found = [fault for fault in faults if fault is not None]
    if found:
        msg = f"csv: {'; '.join(found)}"
        raise InputError(msg)
    values = frame.astype(np.float64)
    as_matrix(values)
    names = tuple(name for name in columns if name != target)
    y = values[target].to_numpy()
    return Dataset(
        name=Path(path).name,
        X=values[list(names)].to_numpy(),
        y=y,
        names=names,
        target=target,
        summary="read from a file",
        source=str(path),
        licence="yours",
        likelihood="bernoulli" if set(np.unique(y)) == {0.0, 1.0} else "gaussian",
    )


def _read(path: Path) -> pd.DataFrame:
    if path.is_dir():
        msg = f"csv: {path} is a directory; name a file"
        raise InputError(msg)
    try:
        header = pd.read_csv(path, encoding="utf-8-sig", header=None, nrows=1, dtype=str)
        _check_separator(path, [str(name) for name in header.iloc[0]])
        frame = pd.read_csv(path, encoding="utf-8-sig")
    except FileNotFoundError as error:
        msg = f"csv: there is no file {path}"
        raise InputError(msg) from error
    except pd.errors.EmptyDataError as error:
        msg = f"csv: {path} is empty; a header line and rows of numbers are needed"
        raise InputError(msg) from error
    except (pd.errors.ParserError, UnicodeError, OSError) as error:
        reason = str(error).strip().splitlines()[-1]
        msg = f"csv: {path} cannot be read ({reason}); save it as comma-separated UTF-8 text"
        raise InputError(msg) from error
    if not isinstance(frame.index, pd.RangeIndex):
        msg = f"csv: {path} has rows with more fields than its header; fix the header line"
        raise InputError(msg)
    _check_header(["" if pd.isna(name) else str(name) for name in header.iloc[0]])
    if frame.empty:
        msg = f"csv: {path} has a header but no rows"
        raise InputError(msg)
    return frame


def _check_separator(path: Path, names: list[str]) -> None:
    """Refuse other separators by the header alone: decimal commas below would read as columns."""
    mark = next((mark for mark in ";\t" if len(names) == 1 and mark in names[0]), None)
    if mark is not None:
        msg = (
            f"csv: {path} separates its columns by {'tabs' if mark == '\t' else mark}, not ','; "
            "save it with commas and decimal points"
        )
        raise InputError(msg)


def _check_header(names: list[str]) -> None:
    if "" in names:
        msg = (
            f"csv: column {names.index('') + 1} has no name in the header; name it, or drop it if "
            "it holds row labels"
        )
        raise InputError(msg)
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        msg = f"csv: the header names {repeated!r} more than once; names must be unique"
        raise InputError(msg)


def _fault(column: pd.Series, name: str, *, is_target: bool) -> str | None:
    """Say what is wrong with a column, and what to do; None if nothing is."""
    missing = int(column.isna().sum())
    if missing:
        row = int(np.argmax(column.isna().to_numpy()))
        return (
            f"column {name!r} has missing values ({missing} of {len(column)}, first in line "
            f"{row + 2}), drop those rows or impute them"
        )
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        text = next(value for value in column if not _is_number(value))
        remedy = "code it as 0 and 1" if is_target else "drop the column, or encode it as numbers"
        return f"column {name!r} holds text ({str(text)!r}), {remedy} first"
    if not is_target and (column == column.iloc[0]).all():
        return f"column {name!r} is constant, drop it"
    return None


def _is_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True
