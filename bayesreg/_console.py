"""The console that the command line writes to."""

from __future__ import annotations

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
    out.print(text, markup=False, soft_wrap=not out.is_terminal)
