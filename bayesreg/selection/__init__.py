"""Choosing the scale of a prior: one verb, seven criteria, all in nats along one axis of scales.

`request` holds what is asked, `result` what comes out. One module per criterion: `cross_validation`
(on `folds`), `leave_one_out`, `psis`, `information`, `evidence` (closed form) with
`monte_carlo_em` (draws), `hyperprior`. `verb` chooses among them, `comparison` runs several.
"""

from bayesreg.selection.comparison import CriteriaComparison, compare_criteria
from bayesreg.selection.result import Curve, Interval, ScaleSelection
from bayesreg.selection.verb import CRITERIA, Criterion, select_scale

__all__ = [
    "CRITERIA",
    "CriteriaComparison",
    "Criterion",
    "Curve",
    "Interval",
    "ScaleSelection",
    "compare_criteria",
    "select_scale",
]
