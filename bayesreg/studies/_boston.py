"""The first document's data: two columns of the Boston housing data, in nats and in MSE."""

from __future__ import annotations

import math
from functools import cache

from bayesreg import datasets
from bayesreg.likelihoods import Gaussian
from bayesreg.priors import Flat, Laplace, Normal, Prior
from bayesreg.problem import Problem

SIGMA = 20.0


@cache
def _flat() -> Problem:
    data = datasets.load("boston_crim_zn")
    return Problem(
        data.X, data.y, likelihood=Gaussian(SIGMA), prior=Flat(), intercept=False, names=data.names
    )


def boston_problem(prior: Prior) -> Problem:
    """Return the document's two coefficients under a prior.

    Parameters
    ----------
    prior : Prior
        Of both; `Flat` for least squares.

    Returns
    -------
    Problem
        506 rows, no intercept, noise of sd 20.

    Examples
    --------
    >>> from bayesreg import find_map
    >>> find_map(boston_problem(Flat())).coef.round(8).tolist()
    [0.57891441, 0.49506501]
    """
    return _flat().with_prior(prior)


def mean_squared_error(nats: float) -> float:
    """Return the mean squared error that a loss in nats stands for.

    Examples
    --------
    >>> from bayesreg import find_map
    >>> problem = boston_problem(Flat())
    >>> round(mean_squared_error(problem.loss(find_map(problem).coef)), 6)
    397.794235
    """
    return nats * 2.0 * SIGMA**2 / _flat().n


def in_nats(mse: float) -> float:
    """Return the loss in nats that a mean squared error stands for."""
    return mse / mean_squared_error(1.0)


def lasso_prior(lam: float) -> Laplace:
    """Return the prior that ``λ‖w‖₁`` is."""
    return Laplace(1.0 / lam)


def ridge_prior(lam: float) -> Normal:
    """Return the prior that ``λ‖w‖²/2`` is."""
    return Normal(1.0 / math.sqrt(lam))
