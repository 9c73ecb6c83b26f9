"""Every likelihood: derivatives, normalisation, conjugate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from bayesreg.errors import InputError
from bayesreg.likelihoods import (
    Bernoulli,
    ConvexLikelihood,
    Gaussian,
    Poisson,
    StudentTNoise,
    log_one_plus_square,
)
from bayesreg.scale_priors import HalfNormal
from tests.problems import likelihood_examples

EXAMPLES = likelihood_examples()
CONVEX = {k: v for k, v in EXAMPLES.items() if isinstance(v, ConvexLikelihood)}
N = 6
predictors = hnp.arrays(np.float64, N, elements=st.floats(-4, 4))
weights = np.array([0.5, 1.0, 2.0, 1.0, 3.0, 0.1])


def target(name: str) -> np.ndarray:
    """Values in the support of each family."""
    return {
        "gaussian": np.array([-1.0, 0.0, 2.0, 0.5, 3.0, -4.0]),
        "student_t": np.array([-1.0, 0.0, 2.0, 0.5, 30.0, -4.0]),
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
        "student_t": stats.t(3.0, eta, 0.7 / np.sqrt(weights)).logpdf,
        "bernoulli": lambda v: weights * stats.bernoulli(1 / (1 + np.exp(-eta))).logpmf(v),
        "poisson": lambda v: weights * stats.poisson(np.exp(eta)).logpmf(v),
    }[name](y).sum()
    actual = likelihood.loss(eta, y, weights) + likelihood.constant(y, weights)
    assert actual == pytest.approx(-expected, rel=1e-10, abs=1e-9)


@pytest.mark.parametrize("name", CONVEX)
@given(eta=predictors, other=predictors)
def test_fenchel_young(name: str, eta: np.ndarray, other: np.ndarray) -> None:
    """Zero at the gradient; elsewhere the Bregman distance to where the dual is the gradient."""
    likelihood, y = CONVEX[name], target(name)
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
    likelihood: ConvexLikelihood, dual: float
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


# --------------------------------------------------------------------------- Student-t noise


@pytest.mark.parametrize("name", EXAMPLES)
@given(eta=predictors, step=predictors)
def test_the_metric_bounds_noise_from_above(name: str, eta: np.ndarray, step: np.ndarray) -> None:
    """It is the curvature where the loss is convex; else the parabola with it is above the loss."""
    likelihood, y = EXAMPLES[name], target(name)
    metric, curvature = (f(eta, y, weights) for f in (likelihood.metric, likelihood.curvature))
    assert (metric > 0).all()
    assert (metric >= np.abs(curvature)).all()
    if isinstance(likelihood, ConvexLikelihood):
        np.testing.assert_array_equal(metric, curvature)
        return
    rise = likelihood.gradient(eta, y, weights) @ step + 0.5 * metric @ step**2
    change = likelihood.loss(eta + step, y, weights) - likelihood.loss(eta, y, weights)
    assert change <= rise + 1e-10


def test_student_curvature_lies_between_its_bounds() -> None:
    """From minus an eighth of the largest, at z² = 3, to the largest, at 0."""
    noise = StudentTNoise(nu=2.5, sigma=0.7)
    eta = np.linspace(-20.0, 20.0, 20_001)
    curvature = noise.curvature(eta, np.zeros_like(eta), np.ones_like(eta))
    assert curvature.max() == pytest.approx(noise.smoothness, rel=1e-14)
    assert curvature.min() == pytest.approx(-noise.concavity, rel=1e-6)
    at = np.sqrt(3 * noise.nu) * 0.7
    least = noise.curvature(np.array([at]), np.zeros(1), np.ones(1))
    assert least[0] == pytest.approx(-noise.concavity, rel=1e-14)


@given(eta=predictors)
def test_many_degrees_of_freedom_are_normal_noise(eta: np.ndarray) -> None:
    """Loss, gradient, curvature and constant go to those of a Gaussian, without losing digits."""
    y, student, normal = target("gaussian"), StudentTNoise(1e12, 1.3), Gaussian(1.3)
    for method in ("loss", "gradient", "curvature", "metric"):
        found, expected = (getattr(v, method)(eta, y, weights) for v in (student, normal))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert student.constant(y, weights) == pytest.approx(normal.constant(y, weights), rel=1e-11)


def test_a_far_row_neither_overflows_nor_pulls() -> None:
    """The loss grows like the logarithm of the distance, the gradient falls like its inverse."""
    noise, one = StudentTNoise(1.0, 1.0), np.ones(1)
    far = np.array([1e200])
    assert noise.loss(far, np.zeros(1), one) == pytest.approx(400 * np.log(10.0), rel=1e-14)
    np.testing.assert_allclose(log_one_plus_square(far), 400 * np.log(10.0), rtol=1e-14)
    near = np.array([1e150])
    assert noise.gradient(near, np.zeros(1), one)[0] == pytest.approx(2e-150, rel=1e-14)
    assert noise.gradient(far, np.zeros(1), one)[0] == 0.0
    for method in (noise.curvature, noise.metric):
        assert np.isfinite(method(far, np.zeros(1), one)).all()


@given(
    y=hnp.arrays(np.float64, 7, elements=st.floats(-30, 30)), nu=st.sampled_from([0.5, 1.0, 4.0])
)
def test_null_intercept_is_the_lowest_of_many(y: np.ndarray, nu: float) -> None:
    """The location of least loss, against a fine grid; the loss may have a minimum at every row."""
    noise, w = StudentTNoise(nu, 1.0), np.array([1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 0.2])
    offset = np.linspace(-1.0, 1.0, 7)
    found = noise.null_intercept(y, w, offset)
    grid = np.unique(np.concatenate([np.linspace(-31, 31, 2001), y - offset]))
    lowest = min(noise.loss(offset + level, y, w) for level in grid)
    assert noise.loss(offset + found, y, w) <= lowest + 1e-9
    assert noise.gradient(offset + found, y, w).sum() == pytest.approx(0.0, abs=1e-6)


def test_null_intercept_without_sigma_is_a_median() -> None:
    """Half of the root weights on either side."""
    noise = StudentTNoise(3.0, HalfNormal(1.0))
    y = np.array([1e6, 3.0, 1.0, 2.0, -5.0])
    assert noise.null_intercept(y, np.ones(5), np.zeros(5)) == 2.0
    assert noise.null_intercept(y, np.array([1, 1, 1, 1, 100.0]), np.zeros(5)) == -5.0


def test_student_draws_have_their_distribution() -> None:
    """Draws less the predictor, times root weight over sigma, are t: Kolmogorov and Smirnov."""
    rng = np.random.default_rng(5)
    eta, w = np.linspace(-3, 3, 4), np.array([0.25, 1.0, 4.0, 1.0])
    drawn = StudentTNoise(2.0, 0.5).draw(np.tile(eta, (5000, 1)), w, rng)
    unit = (drawn - eta) * np.sqrt(w) / 0.5
    for column in unit.T:
        assert stats.kstest(column, stats.t(2.0).cdf).pvalue > 1e-6


@pytest.mark.parametrize("nu", [0.0, -1.0, np.inf, np.nan, "four"])
def test_degrees_of_freedom_are_judged(nu: object) -> None:
    """They must be one positive number; the message names the argument."""
    with pytest.raises(InputError, match="nu"):
        StudentTNoise(nu)  # type: ignore[arg-type]


def test_student_with_and_without_sigma() -> None:
    """A prior of sigma makes it unknown; a value takes its place; the degrees of freedom stay."""
    noise = StudentTNoise(3.0, HalfNormal(2.0))
    assert not noise.conditional
    assert noise.given(2.0) == StudentTNoise(3.0, 2.0)
    assert noise.formula("Xβ") == "2·Σ log(1 + (yᵢ − ηᵢ)²/(3·σ²)) + n·log σ + σ²/(2·2²)"
    with pytest.raises(InputError, match="sigma: is unknown here"):
        _ = noise.variance
