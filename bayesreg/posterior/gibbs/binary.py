"""What Pólya–Gamma augmentation asks of a problem with a binary target. Does not load Numba."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.likelihoods import Bernoulli
from bayesreg.posterior.gibbs import routes

if TYPE_CHECKING:
    from bayesreg.problem import Problem

# Draws of PG(1, z) for one sweep: at a tenth of a microsecond each, a tenth of a second.
_MOST_TRIALS = 1_000_000


def reason_against(problem: Problem) -> str | None:
    """Say why a problem with a Bernoulli likelihood is not drawn by Pólya–Gamma; None if it is.

    Examples
    --------
    >>> from bayesreg import Laplace, Problem
    >>> problem = Problem([[1.0], [2.0], [0.0]], [0, 1, 0], likelihood=Bernoulli(),
    ...                   prior=Laplace(scale=1.0), weights=[1, 2, 0.5])
    >>> reason_against(problem)
    'weights: Pólya–Gamma variates need whole numbers, found 0.5'
    """
    if not isinstance(problem.likelihood, Bernoulli):
        return f"likelihood: must be Bernoulli, found {problem.likelihood.name}"
    weights = problem.design.row_weights
    broken = np.flatnonzero(weights != np.round(weights))
    if broken.size:
        return f"weights: Pólya–Gamma variates need whole numbers, found {weights[broken[0]]:g}"
    if weights.sum() > _MOST_TRIALS:
        return (
            f"weights: their sum is {weights.sum():g}, and a Pólya–Gamma variate for each up to "
            f"{_MOST_TRIALS} is drawn"
        )
    return routes.reason_against(problem)
