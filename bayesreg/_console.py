"""The console that the command line writes to, and its lines on stderr."""

from __future__ import annotations

import logging
import re
import sys
import textwrap
from importlib import import_module
from typing import TYPE_CHECKING

from bayesreg.errors import BayesregWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path
    from typing import TextIO

    from rich.console import Console

    from bayesreg._piped import PipedConsole

# Enough for every table; what a file or a pipe gets.
_WIDTH = 110


def make_console(
    *, quiet: bool = False, stderr: bool = False, writes: bool = False
) -> PipedConsole:
    """Return a console of the terminal's own width, or wide enough for every table elsewhere."""
    # A third of the time of --help, on use.
    from bayesreg._piped import PipedConsole  # noqa: PLC0415

    console = PipedConsole(highlight=False, quiet=quiet, stderr=stderr, writes=writes)
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    return console


def say(out: Console, text: str) -> None:
    """Print text as it is: wrapped at words on a terminal, whole in a file or a pipe."""
    shown = hang(text, out.width) if out.is_terminal else text
    out.print(shown, markup=False, soft_wrap=True)


def say_written(out: PipedConsole, **files: Path | None) -> None:
    """Say last of all which files there are now; end with the code of a closed pipe if it is."""
    for kind, file in files.items():
        if file is not None:
            say(out, f"{kind}: {file}")
    if out.unread:
        raise SystemExit(import_module("bayesreg._piped").UNREAD)


def hang(text: str, width: int) -> str:
    """Wrap each line at words; what goes on is two columns further in than the line begins.

    Examples
    --------
    >>> print(hang("  a line that is long", 12))
      a line
        that is
        long
    """
    wrapped = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip(" ")))
        wrapped += textwrap.wrap(
            line.strip(" "),
            width,
            initial_indent=indent,
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(wrapped)


# Advice in Python, such as: find_map(..., given={"sigma": 1.0}), or: method="gibbs"
_KEYWORD = re.compile(r'\b(\w+)="([\w-]+)"')
_GIVEN = re.compile(
    r"""(?P<call>\w+\([\w.]+, )?given=\{(["'])(?P<name>[^"']+)\2: [^{}]*\}(?(call)\))"""
)
_SCALES = "scales=[...]"


def in_options(text: str, known: Container[str]) -> str:
    """Say what a text advises in Python as options of a command, those that are known to it.

    Examples
    --------
    >>> in_options('use method="gibbs", or other ones (scales=[...])', {"method", "scales"})
    'use --method gibbs, or other ones (--scales A,B,C)'
    """
    option = r"--given \g<name>=..." if "given" in known else r"in Python \g<0>"
    if "scales" in known:
        text = text.replace(_SCALES, "--scales A,B,C").replace("n_scales:", "scales:")
    return _KEYWORD.sub(
        lambda found: f"--{found[1]} {found[2]}" if found[1] in known else found[0],
        _GIVEN.sub(option, text),
    )


# --------------------------------------------------------------------------- stderr


def note(text: str) -> None:
    """Write a line for the user on stderr."""
    sys.stderr.write(f"bayesreg: {text}\n")


def log_or_note(log: logging.Logger, text: str) -> None:
    """Log a line where the log of the package is listened to; else write it on stderr.

    Parameters
    ----------
    log : logging.Logger
        The log of a module of the package.
    text : str
        The line. A log that has a handler of its own, or one that takes such records, decides
        whether and where it is shown, as on the command line.
    """
    own = bool(logging.getLogger("bayesreg").handlers)
    if own or (log.isEnabledFor(logging.INFO) and log.hasHandlers()):
        log.info(text)
    else:
        note(text)


def announcer(*, quiet: bool) -> Callable[[str], None]:
    """Return what shows progress: on stderr, and only where someone is watching."""
    err = make_console(stderr=True)
    if quiet or not err.is_terminal:
        return _silent
    return lambda text: err.print(f"  … {text}", style="dim")


def _silent(text: str) -> None:
    del text


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Our own warnings are one line for the user; others stay with the developers."""
    del filename, lineno, file, line
    if issubclass(category, BayesregWarning):
        note(str(message))


class _Lines(logging.Handler):
    """Writes each record of a log as a line."""

    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


def show_log(*, quiet: bool) -> None:
    """Write what the package logs, such as that it compiles, as lines on stderr."""
    log = logging.getLogger("bayesreg")
    log.handlers[:] = [_Lines()]
    log.setLevel(logging.WARNING if quiet else logging.INFO)
