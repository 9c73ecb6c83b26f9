"""Text and values from outside, as they may stand in a message, on a terminal or a page."""

from __future__ import annotations

import re

# Characters that hide, end or turn around what is beside them: control characters but for the tab
# and the newline, marks of direction, line separators, halves of surrogate pairs.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)

# Characters of a value from outside that a message repeats.
_LONGEST = 100


def shown(value: object) -> str:
    """Write a value of the user's as a message repeats it: on one line, and its beginning only.

    Examples
    --------
    >>> shown([1.5, "a"]), shown("b" * 999) == repr("b" * 100 + "…")
    ("[1.5, 'a']", True)
    >>> shown(b"a.nc")
    "b'a.nc'"
    >>> shown(10**5000)
    'an int that cannot be written'
    """
    if isinstance(value, str):
        return repr(begun(str(value)))
    value = bytes(value) if isinstance(value, bytes) else value  # NumPy's are written otherwise
    try:
        return begun(re.sub(r"\s*\n\s*", " ", repr(value)))
    except Exception:  # noqa: BLE001  (whatever its own code does; of long integers, Python's)
        kind = type(value).__name__
        return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind} that cannot be written"


def begun(text: str) -> str:
    """Return a text, or the beginning of a long one."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def visible(text: str) -> str:
    r"""Write out every character that hides, ends or turns around the text beside it.

    Examples
    --------
    >>> visible("cost\u202e.csv")
    'cost⟨U+202E⟩.csv'
    """
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
