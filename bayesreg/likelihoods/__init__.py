"""Likelihoods of a linear predictor: the families, and what each says of the data."""

from bayesreg.likelihoods.base import ConvexLikelihood, Likelihood, Noise
from bayesreg.likelihoods.counts import Bernoulli, Poisson
from bayesreg.likelihoods.gaussian import LOG_2PI, Gaussian
from bayesreg.likelihoods.student import StudentTNoise, log_one_plus_square

LIKELIHOODS: tuple[type[Likelihood], ...] = (Gaussian, StudentTNoise, Bernoulli, Poisson)

__all__ = [
    "LIKELIHOODS",
    "LOG_2PI",
    "Bernoulli",
    "ConvexLikelihood",
    "Gaussian",
    "Likelihood",
    "Noise",
    "Poisson",
    "StudentTNoise",
    "log_one_plus_square",
]
