"""The console that the command line writes to."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# Enough for every table; what a file or a pipe gets.
_WIDTH = 110


def make_console(*, quiet: bool = False, stderr: bool = False) -> Console:
    """Return a console of the terminal's own width, or wide enough for every table elsewhere."""
    from rich.console import Console  # noqa: PLC0415  (a third of the time of --help, on use)

    console = Console(highlight=False, quiet=quiet, stderr=stderr)
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    return console


def say(out: Console, text: str) -> None:
    """Print text as it is: wrapped at words on a terminal, whole in a file or a pipe."""
    shown = hang(text, out.width) if out.is_terminal else text
    out.print(shown, markup=False, soft_wrap=True)


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
