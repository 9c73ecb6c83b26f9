"""Priors of the coefficients, and the penalties that they are.

Scales are scales, never rates: `Laplace(scale=b)` has density ``exp(−|β|/b) / (2b)``. A scale may
be ``np.inf``: the prior is then flat there, with density 1 (the convention of PyMC).
"""

from bayesreg.priors.balls import UniformBall
from bayesreg.priors.base import ElasticNetPrior, Flat, IndependentPrior, Prior, as_scale_prior
from bayesreg.priors.curved import Bridge, GeneralizedDoublePareto, StudentT
from bayesreg.priors.degenerate import Horseshoe, RegularizedHorseshoe, SpikeSlab
from bayesreg.priors.elastic_net import ElasticNet, Laplace, Normal, as_coefficient_prior
from bayesreg.priors.fused import Fused
from bayesreg.priors.norms import GroupLaplace, LInfinity, Slope

PRIORS: tuple[type[Prior], ...] = (
    Normal,
    Laplace,
    ElasticNet,
    Flat,
    StudentT,
    GeneralizedDoublePareto,
    Bridge,
    Horseshoe,
    RegularizedHorseshoe,
    SpikeSlab,
    GroupLaplace,
    LInfinity,
    Slope,
    UniformBall,
    Fused,
)

__all__ = [
    "PRIORS",
    "Bridge",
    "ElasticNet",
    "ElasticNetPrior",
    "Flat",
    "Fused",
    "GeneralizedDoublePareto",
    "GroupLaplace",
    "Horseshoe",
    "IndependentPrior",
    "LInfinity",
    "Laplace",
    "Normal",
    "Prior",
    "RegularizedHorseshoe",
    "Slope",
    "SpikeSlab",
    "StudentT",
    "UniformBall",
    "as_coefficient_prior",
    "as_scale_prior",
]
