"""Problems from tables and formulas, and the encoding that new rows need."""

from bayesreg.frames.encoding import Encoding, Rows
from bayesreg.frames.problem import from_formula
from bayesreg.frames.references import columns_of, reference_levels

__all__ = ["Encoding", "Rows", "columns_of", "from_formula", "reference_levels"]
