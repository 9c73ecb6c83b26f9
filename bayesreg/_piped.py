"""The console of a command: what becomes of it where nobody reads on, as in ``| head``."""

from __future__ import annotations

import os
import sys
from typing import Any

from rich.console import Console

#: Exit code where nobody reads on: what shells say of programs that SIGPIPE ends.
UNREAD = 141


class PipedConsole(Console):
    """A console that ends the command where nobody reads on, unless it `writes` a file too.

    Such a command goes on in silence until its file is written.

    Attributes
    ----------
    unread : bool
        Whether nobody reads on.
    """

    def __init__(self, *, writes: bool, **settings: Any) -> None:
        super().__init__(**settings)
        self._writes = writes
        self.unread = False

    def on_broken_pipe(self) -> None:
        """Be silent from here on, and end the command if there is nothing else to do."""
        self.quiet = self.unread = True
        # As the documentation of `signal` has it: Python itself empties stdout at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not self._writes:
            raise SystemExit(UNREAD)
