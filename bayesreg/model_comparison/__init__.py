"""Models against each other on the same data: evidence, leave-one-out, checks of predictions.

Importing this loads NumPy and SciPy only; xarray and ArviZ load when they are first used.
"""

from bayesreg.model_comparison.evidence import MarginalLikelihood, log_marginal_likelihood
from bayesreg.model_comparison.predictions import PredictiveCheck, check_predictions
from bayesreg.model_comparison.priors import PriorComparison, compare_priors

__all__ = [
    "MarginalLikelihood",
    "PredictiveCheck",
    "PriorComparison",
    "check_predictions",
    "compare_priors",
    "log_marginal_likelihood",
]
