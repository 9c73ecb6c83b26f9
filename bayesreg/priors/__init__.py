"""Priors of the coefficients, and the penalties that they are.

Scales are scales, never rates: `Laplace(scale=b)` has density ``exp(−|β|/b) / (2b)``. A scale may
be ``np.inf``: the prior is then flat there, with density 1 (the convention of PyMC).
"""

from bayesreg.priors.base import ElasticNetPrior, Flat, IndependentPrior, Prior, as_scale_prior
from bayesreg.priors.elastic_net import ElasticNet, Laplace, Normal

PRIORS: tuple[type[Prior], ...] = (Normal, Laplace, ElasticNet, Flat)

__all__ = [
    "PRIORS",
    "ElasticNet",
    "ElasticNetPrior",
    "Flat",
    "IndependentPrior",
    "Laplace",
    "Normal",
    "Prior",
    "as_scale_prior",
]
