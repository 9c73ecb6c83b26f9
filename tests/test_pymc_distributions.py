"""The distributions that PyMC lacks are normalised, exact, and usable as its own are."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from numpy.typing import NDArray
from pymc.logprob.utils import ParameterValueError
from scipy.integrate import quad
from scipy.special import erfcx
from scipy.stats import bernoulli, kstest, laplace, norm, poisson

from bayesreg.pymc_distributions import (
    ElasticNet,
    ElasticNetRV,
    WeightedBernoulli,
    WeightedBernoulliRV,
    WeightedPoisson,
    WeightedPoissonRV,
)

type Array = NDArray[np.float64]

# (l1_scale, l2_scale): their ratio runs from 1e-3 to 1e3.
SCALES = [(1000.0, 1.0), (30.0, 2.0), (1.0, 1.0), (0.7, 1.9), (0.1, 3.0), (0.002, 2.0)]


@pytest.fixture(scope="module")
def elastic_net_logp() -> Callable[..., Array]:
    """Compile the log density once: (value, l1_scale, l2_scale) -> nats."""
    value, b, tau = pt.dvectors("value", "b", "tau")
    compiled = pytensor.function([value, b, tau], pm.logp(ElasticNet.dist(b, tau), value))

    def logp(value: Any, b: Any, tau: Any) -> Array:
        arrays = np.broadcast_arrays(*(np.atleast_1d(v).astype(float) for v in (value, b, tau)))
        # Copies, because Numba inspects whether an argument is writeable.
        return np.asarray(compiled(*(array.copy() for array in arrays)))

    return logp


@pytest.mark.parametrize(("b", "tau"), SCALES)
def test_elastic_net_integrates_to_one(
    elastic_net_logp: Callable[..., Array], b: float, tau: float
) -> None:
    """Quadrature over the positive half gives one half."""
    width = min(b, tau)
    half, error = quad(
        lambda x: float(np.exp(elastic_net_logp(x * width, b, tau)[0])) * width,
        0,
        np.inf,
        epsabs=0,
        epsrel=1e-11,
        limit=200,
    )
    assert half == pytest.approx(0.5, abs=max(1e-11, 10 * error))


@pytest.mark.parametrize(("b", "tau"), SCALES)
def test_elastic_net_logp_in_closed_form(
    elastic_net_logp: Callable[..., Array], b: float, tau: float
) -> None:
    """The log density is minus penalty minus log normaliser, to 1e-12."""
    x = min(b, tau) * np.linspace(-5, 5, 11)
    normaliser = tau * np.sqrt(2 * np.pi) * erfcx(tau / (b * np.sqrt(2)))
    expected = -np.abs(x) / b - x**2 / (2 * tau**2) - np.log(normaliser)
    assert elastic_net_logp(x, b, tau) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_elastic_net_tends_to_its_factors(elastic_net_logp: Callable[..., Array]) -> None:
    """An infinite Laplace scale gives the normal density, a huge normal sd the Laplace density."""
    x = np.linspace(-3, 3, 7)
    assert elastic_net_logp(x, np.inf, 1.5) == pytest.approx(norm(0, 1.5).logpdf(x), rel=1e-12)
    assert elastic_net_logp(x, 0.8, 1e9) == pytest.approx(laplace(0, 0.8).logpdf(x), rel=1e-12)


def test_python_numbers_keep_double_precision() -> None:
    """A scale given as 2.0, which single precision can hold, loses no digit of its logarithm."""
    as_number = pm.logp(ElasticNet.dist(2.0, 2), 0.3).eval()
    as_array = pm.logp(ElasticNet.dist(np.array(2.0), np.array(2.0)), 0.3).eval()
    assert as_number == pytest.approx(as_array, rel=1e-15)
    mass = pm.logp(WeightedBernoulli.dist(1, 1), 1).eval()
    assert mass == pytest.approx(-np.log1p(np.exp(-1.0)), rel=1e-15)


@pytest.mark.parametrize(("b", "tau"), [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, np.inf)])
def test_elastic_net_refuses_impossible_scales(
    elastic_net_logp: Callable[..., Array], b: float, tau: float
) -> None:
    """PyMC's own error is raised on evaluation."""
    with pytest.raises(ParameterValueError, match="l1_scale > 0"):
        elastic_net_logp(0.0, b, tau)


def test_elastic_net_gradient_is_finite_at_zero() -> None:
    """At the kink the gradient is that of the smooth part, for value and scales alike."""
    value, b, tau = pt.dscalars("value", "b", "tau")
    gradient = pytensor.function(
        [value, b, tau], pt.grad(pm.logp(ElasticNet.dist(b, tau), value), [value, b, tau])
    )
    at_zero = gradient(0.0, 0.5, 2.0)
    assert at_zero[0] == 0.0
    assert np.isfinite(at_zero).all()
    assert gradient(1.0, 0.5, 2.0)[0] == pytest.approx(-1 / 0.5 - 1 / 4)


def _absolute_cdf(b: float, tau: float) -> Callable[[Array], Array]:
    """Distribution function of |x|."""
    ratio = tau / b

    def cdf(x: Array) -> Array:
        y = np.asarray(x) / tau
        tail = erfcx((y + ratio) / np.sqrt(2)) / erfcx(ratio / np.sqrt(2))
        return np.asarray(1 - np.exp(-ratio * y - y**2 / 2) * tail)

    return cdf


@pytest.mark.parametrize("mode", ["NUMBA", "FAST_COMPILE"])
@pytest.mark.parametrize(("b", "tau"), SCALES)
def test_elastic_net_draws(b: float, tau: float, mode: str) -> None:
    """Compiled and plain draws have the right sign, size and moments."""
    n = 4000
    draws = pm.draw(ElasticNet.dist(b, tau, size=n), random_seed=11, mode=mode)
    assert abs(np.mean(draws > 0) - 0.5) < 4 * 0.5 / np.sqrt(n)
    assert kstest(np.abs(draws), _absolute_cdf(b, tau)).pvalue > 1e-3
    ratio = tau / b
    hazard = np.sqrt(2 / np.pi) / erfcx(ratio / np.sqrt(2))
    expected = np.array([0.0, tau * (hazard - ratio), tau**2 * (1 - ratio * (hazard - ratio))])
    moments = np.column_stack([draws, np.abs(draws), draws**2])
    mcse = moments.std(axis=0) / np.sqrt(n)
    assert np.all(np.abs(moments.mean(axis=0) - expected) < 4 * mcse)


@pytest.mark.parametrize("mode", ["NUMBA", "FAST_COMPILE"])
def test_weighted_draws_are_single_observations(mode: str) -> None:
    """Whatever the weights, the draws are those of the plain distribution."""
    n, eta, weights = 4000, np.array([-1.0, 0.5]), np.array([7.0, 0.0])
    binary = WeightedBernoulli.dist(eta, weights)
    counts = WeightedPoisson.dist(eta, weights)
    ones, events = pm.draw([binary, counts], draws=n, random_seed=12, mode=mode)
    assert ones.dtype == events.dtype == np.int64
    p, rate = 1 / (1 + np.exp(-eta)), np.exp(eta)
    assert np.all(np.abs(ones.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / n))
    assert np.all(np.abs(events.mean(axis=0) - rate) < 4 * np.sqrt(rate / n))
    assert np.all(np.abs(events.var(axis=0) - rate) < 4 * np.sqrt((rate + 2 * rate**2) / n))


@pytest.mark.parametrize(
    ("distribution", "reference"),
    [
        (WeightedBernoulli, lambda y, eta: bernoulli(1 / (1 + np.exp(-eta))).logpmf(y)),
        (WeightedPoisson, lambda y, eta: poisson(np.exp(eta)).logpmf(y)),
    ],
)
def test_weighted_logp(distribution: Any, reference: Callable[..., Array]) -> None:
    """The log mass is the weight times the ordinary one, and a weight of zero removes the row."""
    y = np.array([0, 1, 1, 0])
    eta = np.array([-1.5, 0.3, 2.0, 4.0])
    weights = np.array([1.0, 0.0, 2.5, 3.0])
    actual = pm.logp(distribution.dist(eta, weights), y).eval()
    assert actual == pytest.approx(weights * reference(y, eta), rel=1e-12)


def test_weighted_bernoulli_is_stable_far_out() -> None:
    """Log odds of 800 overflow nothing."""
    eta = np.array([800.0, 800.0, -800.0])
    actual = pm.logp(WeightedBernoulli.dist(eta, 2.0), np.array([0, 1, 1])).eval()
    assert actual == pytest.approx([-1600.0, 0.0, -1600.0])


@pytest.mark.parametrize(
    ("distribution", "value"),
    [(WeightedBernoulli, 2), (WeightedBernoulli, -1), (WeightedPoisson, -1)],
)
def test_outside_the_support(distribution: Any, value: int) -> None:
    """An impossible value has no probability, even at weight zero."""
    assert pm.logp(distribution.dist(0.3, 0.0), value).eval() == -np.inf


@pytest.mark.parametrize("distribution", [WeightedBernoulli, WeightedPoisson])
def test_negative_weights_are_refused(distribution: Any) -> None:
    """PyMC's own error is raised on evaluation."""
    with pytest.raises(ParameterValueError, match="weights >= 0"):
        pm.logp(distribution.dist(0.3, -1.0), 1).eval()


def _model() -> pm.Model:
    with pm.Model(coords={"feature": ["a", "b", "c"]}) as model:
        scale = pm.HalfNormal("scale")
        X = pm.Data("X", np.eye(3), dims=("row", "feature"))
        beta = ElasticNet("beta", l1_scale=[0.5, 1.0, 2.0], l2_scale=scale, dims="feature")
        eta, weights = X @ beta, np.array([1.0, 2.0, 0.0])
        WeightedBernoulli("y", logit_p=eta, weights=weights, observed=[1, 0, 1], dims="row")
        WeightedPoisson("z", log_rate=eta, weights=2.0, observed=[3, 0, 1], dims="row")
    return model


def test_ops_are_identifiable() -> None:
    """A reader finds the class of the op and its parameters in the documented order."""
    model = _model()
    for name, op_class in [
        ("beta", ElasticNetRV),
        ("y", WeightedBernoulliRV),
        ("z", WeightedPoissonRV),
    ]:
        assert isinstance(model[name].owner.op, op_class)
    node = model["beta"].owner
    first, second = node.op.dist_params(node)
    assert first.eval() == pytest.approx([0.5, 1.0, 2.0])
    assert model["scale"] in pytensor.graph.traversal.ancestors([second])
    assert "beta ~ ElasticNet" in model.str_repr()


def test_support_points_have_the_shape_of_a_draw() -> None:
    """The initial point is zero for every coefficient; scalars are filled up to the size."""
    point = _model().initial_point()
    assert point["beta"].tolist() == [0.0, 0.0, 0.0]
    for variable, expected in [
        (ElasticNet.dist([1.0, 2.0], 1.0), [0.0, 0.0]),
        (ElasticNet.dist(1.0, 1.0, size=2), [0.0, 0.0]),
        (WeightedBernoulli.dist([-1.0, 1.0], 1.0), [0, 1]),
        (WeightedBernoulli.dist(1.0, 1.0, size=2), [1, 1]),
        (WeightedPoisson.dist(np.log(2.5), [1.0, 2.0]), [2, 2]),
    ]:
        assert pm.distributions.distribution.support_point(variable).eval().tolist() == expected


def test_prior_predictive_draws() -> None:
    """Forward sampling of a whole model works and broadcasts the scales."""
    with _model():
        prior = pm.sample_prior_predictive(draws=5, random_seed=1)
    assert prior.prior["beta"].shape == (1, 5, 3)
    assert prior.prior_predictive["y"].shape == (1, 5, 3)
    assert set(np.unique(prior.prior_predictive["y"])) <= {0, 1}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["pymc", "nutpie"])
def test_nuts_samples_the_prior(sampler: str) -> None:
    """Both samplers recover the sd of the prior, and so its gradient."""
    b, tau = 0.7, 1.9
    with pm.Model():
        ElasticNet("x", l1_scale=b, l2_scale=tau, shape=20)
        draws = pm.sample(
            500, tune=500, chains=2, cores=1, random_seed=3, progressbar=False, nuts_sampler=sampler
        )
    ratio = tau / b
    hazard = np.sqrt(2 / np.pi) / erfcx(ratio / np.sqrt(2))
    variance = tau**2 * (1 - ratio * (hazard - ratio))
    # 20 independent coordinates of 1000 draws; 3000 effective draws of x^2 are a safe lower bound.
    squares = draws.posterior["x"].to_numpy() ** 2
    assert abs(squares.mean() - variance) < 4 * squares.std() / np.sqrt(3000)
