"""Problems from tables and formulas, and the encoding that new rows need."""

from bayesreg.frames.encoding import Encoding, Rows
from bayesreg.frames.problem import from_formula

__all__ = ["Encoding", "Rows", "from_formula"]
