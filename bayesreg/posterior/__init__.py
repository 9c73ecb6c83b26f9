"""Posteriors: exact moments where they have a closed form, draws by the first route that fits.

Independent draws from a closed form or by quadrature come first, then the two routes of MCMC: Gibbs
sweeps, and NUTS.

Importing this loads NumPy and SciPy only; xarray, ArviZ and nutpie load when they are first used.
"""

from bayesreg.posterior.diagnostics import Diagnosis, diagnose
from bayesreg.posterior.exact import Moments, posterior_moments
from bayesreg.posterior.laplace_approximation import LaplaceApproximation
from bayesreg.posterior.path import PosteriorPath, posterior_path
from bayesreg.posterior.sampling import reason_against_sampling, sample
from bayesreg.posterior.storage import load_draws, save_draws

__all__ = [
    "Diagnosis",
    "LaplaceApproximation",
    "Moments",
    "PosteriorPath",
    "diagnose",
    "load_draws",
    "posterior_moments",
    "posterior_path",
    "reason_against_sampling",
    "sample",
    "save_draws",
]
