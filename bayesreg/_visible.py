"""Text from outside, such as names of columns, as it may stand on a terminal or a page."""

from __future__ import annotations

import re

# Characters that hide, end or turn around what is beside them: control characters but for the tab
# and the newline, marks of direction, line separators, halves of surrogate pairs.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Write out every character that hides, ends or turns around the text beside it.

    Examples
    --------
    >>> visible("cost\u202e.csv")
    'cost⟨U+202E⟩.csv'
    """
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
