"""Every likelihood: derivatives, normalisation, conjugate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from bayesreg.likelihoods import Bernoulli, Gaussian, Likelihood, Poisson
from tests.problems import likelihood_examples

EXAMPLES = likelihood_examples()
N = 6
predictors = hnp.arrays(np.float64, N, elements=st.floats(-4, 4))
weights = np.array([0.5, 1.0, 2.0, 1.0, 3.0, 0.1])


def target(name: str) -> np.ndarray:
    """Values in the support of each family."""
    return {
        "gaussian": np.array([-1.0, 0.0, 2.0, 0.5, 3.0, -4.0]),
        "bernoulli": np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0]),
        "poisson": np.array([0.0, 1.0, 5.0, 2.0, 0.0, 9.0]),
    }[name]


@pytest.mark.parametrize("name", EXAMPLES)
@given(eta=predictors)
def test_derivatives(name: str, eta: np.ndarray) -> None:
    """Gradient and curvature are the derivatives of the loss."""
    likelihood, y = EXAMPLES[name], target(name)
    gradient = likelihood.gradient(eta, y, weights)
    curvature = likelihood.curvature(eta, y, weights)
    for i in range(N):
        h = np.zeros(N)
        h[i] = 1e-5
        slope = likelihood.loss(eta + h, y, weights) - likelihood.loss(eta - h, y, weights)
        assert gradient[i] == pytest.approx(slope / 2e-5, rel=1e-5, abs=1e-4)
        change = likelihood.gradient(eta + h, y, weights) - likelihood.gradient(eta - h, y, weights)
        assert curvature[i] == pytest.approx(change[i] / 2e-5, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", EXAMPLES)
@given(eta=predictors)
def test_density_equals_scipy(name: str, eta: np.ndarray) -> None:
    """Loss plus constant is minus the log density, weights included."""
    likelihood, y = EXAMPLES[name], target(name)
    expected = {
        "gaussian": stats.norm(eta, 0.7 / np.sqrt(weights)).logpdf,
        "bernoulli": lambda v: weights * stats.bernoulli(1 / (1 + np.exp(-eta))).logpmf(v),
        "poisson": lambda v: weights * stats.poisson(np.exp(eta)).logpmf(v),
    }[name](y).sum()
    actual = likelihood.loss(eta, y, weights) + likelihood.constant(y, weights)
    assert actual == pytest.approx(-expected, rel=1e-10, abs=1e-9)


@pytest.mark.parametrize("name", EXAMPLES)
@given(eta=predictors, other=predictors)
def test_fenchel_young(name: str, eta: np.ndarray, other: np.ndarray) -> None:
    """Zero at the gradient; elsewhere the Bregman distance to where the dual is the gradient."""
    likelihood, y = EXAMPLES[name], target(name)
    at = likelihood.gradient(eta, y, weights)
    assert likelihood.fenchel_young(eta, at, y, weights) == pytest.approx(0, abs=1e-12)
    dual = likelihood.gradient(other, y, weights)
    bregman = (
        likelihood.loss(eta, y, weights) - likelihood.loss(other, y, weights) - dual @ (eta - other)
    )
    value = likelihood.fenchel_young(eta, dual, y, weights)
    assert value == pytest.approx(bregman, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(("likelihood", "dual"), [(Bernoulli(), 0.5), (Poisson(), -20.0)])
def test_off_the_domain_of_the_conjugate_the_gap_is_infinite(
    likelihood: Likelihood, dual: float
) -> None:
    """A dual point that no predictor has as its gradient cannot bound anything."""
    y = target(likelihood.name)
    assert likelihood.fenchel_young(np.zeros(N), np.full(N, dual), y, weights) == np.inf


def test_logistic_tails_keep_their_digits() -> None:
    """Far from the boundary the gradient is exp(−|η|), not a rounded zero."""
    gradient = Bernoulli().gradient(np.array([40.0, -40.0]), np.array([1.0, 0.0]), np.ones(2))
    np.testing.assert_allclose(gradient, [-np.exp(-40), np.exp(-40)], rtol=1e-14)


def test_gaussian_given() -> None:
    """A number replaces the prior of sigma."""
    assert Gaussian(sigma=3.0).given(2.0).variance == 4.0
