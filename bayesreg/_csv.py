"""CSV files in their dialects: separator, decimal mark and encoding are read off the file.

What could mean two things is refused; where a file is no table is said by its line.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesreg._frames import EXACT
from bayesreg._visible import shown
from bayesreg.errors import BayesregWarning, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MARKS = {",": "commas", ";": "semicolons", "\t": "tabs"}
# The rows that the dialect is read off.
_ROWS = 200
# Characters of a field, of which the csv module allows 2¹⁷ otherwise: the line of a wide table is
# longer, and one field to whatever does not separate its columns.
_LONGEST = 100_000_000
_LIMIT = RLock()
# Bytes in which a line for spreadsheets is looked for.
_BEGINNING = 100
# What a column without a name is called, and what pandas calls it.
_NAMELESS = ("", "Unnamed: 0")
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
_WHOLE = re.compile(r"\s*([+-]?[0-9]{1,999})?\s*")
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d*)?([eE][+-]?\d+)?\s*")
_COMMA_NUMBER = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
# One thousand or one and a bit.
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*")
# A line that spreadsheets read, and no other reader does.
_EXCEL = re.compile(r'"?sep=.?"?\s', re.IGNORECASE)
# A number, or what stands for none, where a name is looked for.
_NO_NAME = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|")


@dataclass(frozen=True, eq=False)
class Csv:
    """The text of a CSV file.

    Attributes
    ----------
    path : Path
        The file.
    content : bytes
        All of it.
    encoding : str
        How bytes stand for characters.
    mark : str
        What separates fields.
    """

    path: Path
    content: bytes
    encoding: str
    mark: str

    def parsed(self, **how: Any) -> pd.DataFrame:
        """Return its columns as pandas reads them.

        Raises
        ------
        InputError
            If rows have more fields than the header, or a quote is not closed.
        """
        try:
            frame: pd.DataFrame = pd.read_csv(
                io.BytesIO(self.content),
                encoding=self.encoding,
                sep=self.mark,
                low_memory=False,
                **how,
            )
        except pd.errors.ParserError as error:
            raise self._fault(str(error)) from error
        if not isinstance(frame.index, pd.RangeIndex):
            raise self._fault("rows have more fields than the header")
        return frame

    def lines(self, count: int) -> list[int] | None:
        """Return the line on which each row begins, from 1; None if these are not `count` rows."""
        try:
            with _long_fields():
                begins = [line for line, _ in self.rows()]
        except csv.Error:
            return None
        return begins[1:] if len(begins) == count + 1 else None

    def with_whole_numbers(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return its columns with large whole numbers as they are written.

        pandas rounds those of columns in which values are missing, and leaves some as text.
        """
        text = [j for j, kind in enumerate(frame.dtypes) if _is_text(kind)]
        columns = [(j, frame.iloc[:, j]) for j in text]
        rounded = rounded_columns(frame)
        if rounded:
            again = self.parsed(usecols=rounded, dtype=str)
            columns += [(j, again.iloc[:, k]) for k, j in enumerate(rounded)]
        for j, column in columns:
            cells = column.fillna("")
            if all(isinstance(cell, str) and _WHOLE.fullmatch(cell) for cell in cells):
                whole = [int(cell) if cell.strip() else None for cell in cells]
                frame.isetitem(j, np.array(whole, dtype=object))
        return frame

    def rows(self, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
        """Give the line on which each row begins, and its fields; first the header."""
        text = io.TextIOWrapper(io.BytesIO(self.content), encoding=self.encoding, newline="")
        reader = csv.reader(text, delimiter=self.mark, strict=strict)
        line = 1
        for row in reader:
            if not _is_blank(row):
                yield line, row
            line = reader.line_num + 1

    def _fault(self, reason: str) -> InputError:
        """Say on which line the file is no table; if none is found, the reason that was given."""
        sizes = []
        try:
            with _long_fields():
                sizes += [(line, len(row)) for line, row in self.rows()]
        except csv.Error as error:
            return _unreadable(self.path, error)
        (_, named), *others = sizes
        long = [(line, size) for line, size in others if size > named]
        if not long or "EOF inside string" in reason:
            return self._open_quote() or _unreadable(self.path, ValueError(reason))
        line, size = long[0]
        if {found for _, found in others} == {named + 1}:
            remedy = "if these begin with row names, give that column a name in the header"
            if named == 1:
                remedy = "delete what stands above the line with the columns' names"
            msg = (
                f"data: the header of {self.path} has {_fields(named)}, and every row below has "
                f"{size}; {remedy}"
            )
            return InputError(msg)
        return InputError(
            f"data: line {line} of {self.path} has {_fields(size)}, and the header has {named}; "
            f"mend that line: fields with {_MARKS[self.mark]} in them stand in quotes"
        )

    def _open_quote(self) -> InputError | None:
        """Say where a quote begins that does not end, if one does not."""
        line = 1
        try:
            with _long_fields():
                for line, row in self.rows(strict=True):  # noqa: B007  (the last is asked for)
                    del row
        except csv.Error:
            msg = (
                f"data: a quote that opens below line {line} of {self.path} is not closed; close it"
            )
            return InputError(msg)
        return None


def read_csv(path: Path) -> tuple[Csv, pd.DataFrame, str]:
    """Read a CSV file with a header line.

    Parameters
    ----------
    path : Path
        The file: commas, semicolons or tabs; decimal points or commas; UTF-8, or UTF-16 with its
        mark.

    Returns
    -------
    tuple of Csv, pandas.DataFrame and str
        Its text, its columns without row names, and in which dialect it is written.

    Raises
    ------
    FileNotFoundError
        If there is none.
    InputError
        If it cannot be read, or its header is no line of names.
    """
    try:
        content = path.read_bytes()  # once: a pipe can be read no second time
        encoding = "utf-16" if content.startswith(_UTF16) else "utf-8-sig"
        _check_text(path, content, encoding)
        header, mark = _dialect(path, content, encoding)
        text = Csv(path, content, encoding, mark)
        frame = text.parsed()
        comma = _has_decimal_commas(frame)
        if comma:
            frame = text.parsed(decimal=",")
        frame = text.with_whole_numbers(frame)
    except FileNotFoundError:
        raise
    except pd.errors.EmptyDataError as error:
        raise _empty(path) from error
    except (UnicodeError, OSError, csv.Error) as error:
        raise _unreadable(path, error) from error
    frame = _without_row_names(frame.set_axis([name.strip() for name in header], axis=1), path)
    _check_names(list(frame.columns), path, first=1 + len(header) - frame.shape[1])
    summary = "read from a file"
    if mark != ",":
        summary += f", columns separated by {_MARKS[mark]}"
    if encoding == "utf-16":
        summary += ", UTF-16"
    if comma:
        summary += ", decimal commas"
    return text, frame, summary


def rounded_columns(frame: pd.DataFrame) -> list[int]:
    """Return the positions of the columns of floats that whole numbers may have been rounded to."""
    floats = [j for j, kind in enumerate(frame.dtypes) if kind in _FLOATS]
    columns = frame.iloc[:, floats]
    large = np.maximum(columns.max().to_numpy(), -columns.min().to_numpy()) >= EXACT
    return [floats[k] for k in np.flatnonzero(large)]


def check_header(names: list[str], first: int = 1) -> None:
    """Refuse columns without a name, and two of the same one; they are counted from `first`.

    Raises
    ------
    InputError
        Naming the column.
    """
    if "" in names:
        msg = (
            f"data: column {names.index('') + first} has no name in the header; name it, or drop "
            "it if it holds row labels"
        )
        raise InputError(msg)
    if len(set(names)) < len(names):
        repeated = Counter(names).most_common(1)[0][0]
        msg = f"data: the header names {repeated!r} more than once; names must be unique"
        raise InputError(msg)


def _check_names(names: list[str], path: Path, *, first: int) -> None:
    """Refuse a header of numbers: it is the first row of data, unless it numbers the columns."""
    if all(map(_NO_NAME.fullmatch, names)) and any(names):
        few = ", ".join(names[:3]) + ", …" * (len(names) > 3)
        found = f"data: the header of {path} holds numbers only ({few})"
        if names not in [[str(k + start) for k in range(len(names))] for start in (0, 1)]:
            msg = f"{found}, as rows of data do; write a line with the columns' names above it"
            raise InputError(msg)
        msg = f"{found}, read as names; if it is a row of data, write a line with names above it"
        warnings.warn(msg, BayesregWarning, stacklevel=5)
    check_header(names, first)


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


def _is_text(dtype: Any) -> bool:
    return not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype))


def _is_blank(row: list[str]) -> bool:
    """Tell whether a row is a line of blanks, which no reader counts as one of the data."""
    return len(row) < 2 and not "".join(row).strip()


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let the csv module read long fields for a while: its limit is one for the whole process."""
    with _LIMIT:
        before = csv.field_size_limit(_LONGEST)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _check_text(path: Path, content: bytes, encoding: str) -> None:
    """Refuse what is no text, or begins with what is no table."""
    if not content or content.isspace():
        raise _empty(path)
    if content.startswith(_ARCHIVES):
        msg = f"data: {path} is a spreadsheet or an archive, not text; save its table as CSV"
        raise InputError(msg)
    if content.startswith(_UTF32):
        msg = f"data: {path} is UTF-32, which is not read here; save it as UTF-8"
        raise InputError(msg)
    if encoding != "utf-16" and b"\0" in content:
        msg = f"data: {path} holds NUL bytes: no text, or UTF-16 without its mark; save it as UTF-8"
        raise InputError(msg)
    if _EXCEL.match(content[:_BEGINNING].decode(encoding, "ignore")):
        msg = f"data: line 1 of {path} tells a spreadsheet what separates its columns; delete it"
        raise InputError(msg)


def _dialect(path: Path, content: bytes, encoding: str) -> tuple[list[str], str]:
    """Return the header and the separator that makes most of it, and as much of other rows."""
    found: dict[str, tuple[bool, int]] = {}
    headers: dict[str, list[str]] = {}
    for mark in _MARKS:
        rows = (row for _, row in islice(Csv(path, content, encoding, mark).rows(), _ROWS))
        with _long_fields():
            headers[mark] = next(rows, [])
            width = len(headers[mark])
            found[mark] = (width > 1 and all(len(row) == width for row in rows), width)
    if not headers[","]:
        raise _empty(path)
    best = max(_MARKS, key=found.__getitem__)
    return headers[best], best


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
        if not _is_text(frame[name].dtype):
            continue
        cells = [str(cell) for cell in frame[name].dropna()]
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


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    remedy = "save it as comma-separated UTF-8 text"
    if isinstance(error, csv.Error):
        remedy = "see whether all its quotes are closed"
    return InputError(f"data: {path} cannot be read ({reason}); {remedy}")


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
