"""CSV files in their dialects: separator, decimal mark and encoding are read off the file.

What could mean two things is refused; where a file is no table is said by its line.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesreg._visible import shown
from bayesreg.errors import BayesregWarning, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
            begins = [line for line, _ in self._rows()]
        except csv.Error:
            return None
        return begins[1:] if len(begins) == count + 1 else None

    def _rows(self, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
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
            sizes += [(line, len(row)) for line, row in self._rows()]
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
            for line, row in self._rows(strict=True):  # noqa: B007  (the last one is asked for)
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
        with path.open("rb") as file:  # once: what comes through a pipe can be read no second time
            head = file.read(_HEAD)
            encoding = "utf-16" if head.startswith(_UTF16) else "utf-8-sig"
            rows, mark = _dialect(path, head, encoding)
            text = Csv(path, head + file.read(), encoding, mark)
        frame = text.parsed()
        comma = _has_decimal_commas(frame)
        if comma:
            frame = text.parsed(decimal=",")
    except FileNotFoundError:
        raise
    except pd.errors.EmptyDataError as error:
        raise _empty(path) from error
    except (UnicodeError, OSError, csv.Error) as error:
        raise _unreadable(path, error) from error
    frame = _without_row_names(frame.set_axis([name.strip() for name in rows[0]], axis=1), path)
    _check_names(list(frame.columns), path)
    summary = "read from a file"
    if mark != ",":
        summary += f", columns separated by {_MARKS[mark]}"
    if encoding == "utf-16":
        summary += ", UTF-16"
    if comma:
        summary += ", decimal commas"
    return text, frame, summary


def check_header(names: list[str]) -> None:
    """Refuse columns without a name, and two of the same one.

    Raises
    ------
    InputError
        Naming the column.
    """
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


def _check_names(names: list[str], path: Path) -> None:
    """Refuse a header of numbers: it is the first row of data, unless it numbers the columns."""
    if all(map(_NO_NAME.fullmatch, names)) and any(names):
        few = ", ".join(names[:3]) + ", …" * (len(names) > 3)
        found = f"data: the header of {path} holds numbers only ({few})"
        if names not in [[str(k + first) for k in range(len(names))] for first in (0, 1)]:
            msg = f"{found}, as rows of data do; write a line with the columns' names above it"
            raise InputError(msg)
        msg = f"{found}, read as names; if it is a row of data, write a line with names above it"
        warnings.warn(msg, BayesregWarning, stacklevel=5)
    check_header(names)


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
    if _EXCEL.match(head.decode(encoding, "ignore")):
        msg = f"data: line 1 of {path} tells a spreadsheet what separates its columns; delete it"
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


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    remedy = "save it as comma-separated UTF-8 text"
    if isinstance(error, csv.Error):
        remedy = "see whether all its quotes are closed"
    return InputError(f"data: {path} cannot be read ({reason}); {remedy}")


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
