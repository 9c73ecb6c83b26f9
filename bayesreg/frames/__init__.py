"""Problems from tables and formulas, and the encoding that new rows need.

The names load on first use: a file of numbers is read without what reads formulas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesreg.frames.encoding import Encoding, Rows
    from bayesreg.frames.problem import from_formula
    from bayesreg.frames.references import columns_of, reference_levels

_HOME_OF = {
    "Encoding": "encoding",
    "Rows": "encoding",
    "columns_of": "references",
    "from_formula": "problem",
    "reference_levels": "references",
}

__all__ = ["Encoding", "Rows", "columns_of", "from_formula", "reference_levels"]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"bayesreg.frames.{_HOME_OF[name]}"), name)
    msg = f"module 'bayesreg.frames' has no attribute {name!r}"
    raise AttributeError(msg)
