"""The console that the command line writes to."""

from __future__ import annotations

from rich.console import Console

# Enough for every table; what a file or a pipe gets.
_WIDTH = 110


def make_console(*, quiet: bool = False) -> Console:
    """Return a console of the terminal's own width, or wide enough for every table elsewhere."""
    console = Console(highlight=False, quiet=quiet)
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    return console


def say(out: Console, text: str) -> None:
    """Print text as it is: wrapped at words on a terminal, whole in a file or a pipe."""
    out.print(text, markup=False, soft_wrap=not out.is_terminal)
