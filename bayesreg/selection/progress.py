"""How far a criterion has come: one line on stderr, which is gone when it is done."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Progress:
    """What a criterion reports to; it says nothing unless it is `shown`."""

    def __init__(self, *, shown: bool) -> None:
        self.shown = shown
        self._name = ""
        self._status: Any = None

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Show the name of a criterion for as long as it takes."""
        if not self.shown:
            yield
            return
        console = import_module("rich.console").Console(stderr=True)
        with console.status(name) as self._status:
            self._name = name
            yield

    def report(self, step: str) -> None:
        """Show what is done now."""
        if self._status is not None:
            self._status.update(f"{self._name}: {step}")

    def steps[T](self, items: Iterable[T], count: int, what: str) -> Iterator[T]:
        """Yield items, and show which of so many is worked on."""
        waiting = iter(items)
        for k in range(count):
            self.report(f"{what} {k + 1} of {count}")
            yield next(waiting)
