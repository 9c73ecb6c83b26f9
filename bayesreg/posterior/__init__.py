"""Posteriors: exact moments where they have a closed form, draws by the fastest exact route.

Importing this loads NumPy and SciPy only; xarray, ArviZ and nutpie load when they are first used.
"""

from bayesreg.posterior.density import reason_against_prior
from bayesreg.posterior.diagnostics import Diagnosis, diagnose
from bayesreg.posterior.exact import Moments, posterior_moments
from bayesreg.posterior.sampling import sample

__all__ = [
    "Diagnosis",
    "Moments",
    "diagnose",
    "posterior_moments",
    "reason_against_prior",
    "sample",
]
