"""Coefficients with heavy tails move along rays where the classes are separated."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from arviz_stats.base import array_stats  # type: ignore[attr-defined]
from scipy import integrate

import bayesreg as br
from bayesreg.priors import RegularizedHorseshoe

if TYPE_CHECKING:
    from bayesreg.priors import Prior

#: The density of the first three falls with the square of β; a slab of 50 ends the last one.
PRIORS: dict[str, Prior] = {
    "cauchy": br.StudentT(nu=1.0, scale=0.3),
    "double-pareto": br.GeneralizedDoublePareto(shape=1.0, scale=0.3),
    "double-pareto-far": br.GeneralizedDoublePareto(shape=0.1, scale=0.3),
    "horseshoe": br.Horseshoe(0.3),
    "regularized": RegularizedHorseshoe(0.3, slab_scale=50.0, slab_df=math.inf),
}
X = np.array([[0.5], [1.0], [1.5], [-0.7], [-1.1]])
Y = np.array([1.0, 1.0, 1.0, 0.0, 0.0])
#: Where the distribution function is compared.
QUANTILES = np.array([1.0, 3.0, 10.0, 100.0, 1000.0])


def probabilities(prior: Prior) -> np.ndarray:
    """Return P(β > q) by quadrature over log β; what lies below 0 is rare, and counted."""
    sign = np.where(Y > 0, 1.0, -1.0) * X[:, 0]

    def density(beta: float) -> float:
        log_rows = -np.logaddexp(0.0, -sign * beta).sum()
        return math.exp(float(prior.log_density(np.array([beta]))) + log_rows)

    def mass(low: float, high: float) -> float:
        return float(
            integrate.quad(
                lambda u: density(math.exp(u)) * math.exp(u), low, high, limit=900, epsabs=1e-13
            )[0]
        )

    below = integrate.quad(lambda u: density(-math.exp(u)) * math.exp(u), -30, 8, limit=400)[0]
    edges = [-30.0, *np.log(QUANTILES), 300.0]
    parts = np.array([mass(a, b) for a, b in pairwise(edges)])
    return np.asarray(np.cumsum(parts[::-1])[::-1][1:] / (parts.sum() + below))


@pytest.mark.parametrize("name", PRIORS)
def test_tails_of_separated_classes_are_reached(name: str) -> None:
    """One column that separates: the posterior has the tail of its prior, out to the thousands."""
    problem = br.Problem(X, Y, likelihood=br.Bernoulli(), prior=PRIORS[name], intercept=False)
    tree = br.sample(problem, "gibbs", draws=5000, chains=4, tune=500, seed=2, progress=False)
    draws = tree.posterior["beta"].values[..., 0]
    for q, expected in zip(QUANTILES, probabilities(PRIORS[name]), strict=True):
        beyond = (draws > q).astype(float)
        if expected * draws.size < 100:
            assert beyond.mean() < expected + 40 / draws.size
            continue
        error = float(array_stats.mcse(beyond, method="mean"))  # type: ignore[no-untyped-call]
        assert abs(beyond.mean() - expected) < 5.5 * error
        assert error < 0.02
