"""Ctrl-C while sampling: an end to the waiting, not the loss of what was drawn.

Before there is anything to lose it is the `KeyboardInterrupt` that it always is. From there on it
is noted: samplers look whether it `was_pressed`, and nothing that then happens to the draws is cut
off in the middle. Pressed once more it is raised after all, so nobody is locked in.

Python delivers signals to its main thread only, and programs may treat Ctrl-C in a way of their
own: elsewhere, and there, nothing is changed, and samplers meet a `KeyboardInterrupt`.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@dataclass(eq=False)
class _Keyboard:
    held: bool = False
    pressed: bool = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Take a Ctrl-C."""
        del number, frame
        again, self.pressed = self.pressed, True
        if again or not self.held:
            raise KeyboardInterrupt


_keyboard: ContextVar[_Keyboard | None] = ContextVar("keyboard", default=None)


@contextmanager
def attended() -> Iterator[None]:
    """Let `hold` have an effect from here to the end of the block; within another one, to its end.

    Examples
    --------
    >>> with attended():
    ...     hold()
    ...     signal.raise_signal(signal.SIGINT)
    ...     was_pressed()
    True
    """
    usual = signal.default_int_handler
    of_main = threading.current_thread() is threading.main_thread()
    if not of_main or signal.getsignal(signal.SIGINT) is not usual:
        yield
        return
    keyboard = _Keyboard()
    token = _keyboard.set(keyboard)
    signal.signal(signal.SIGINT, keyboard.note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        _keyboard.reset(token)


def hold() -> None:
    """Note a Ctrl-C from here on, and raise only a second one."""
    keyboard = _keyboard.get()
    if keyboard is not None:
        keyboard.held = True


@contextmanager
def released() -> Iterator[None]:
    """Let a Ctrl-C interrupt the block, whatever was held before."""
    keyboard = _keyboard.get() or _Keyboard()
    held, keyboard.held = keyboard.held, False
    try:
        yield
    finally:
        keyboard.held = held


def was_pressed() -> bool:
    """Tell whether there has been a Ctrl-C since `attended`."""
    keyboard = _keyboard.get()
    return keyboard is not None and keyboard.pressed
