"""Logistic regression by Pólya–Gamma: variates against formulas, draws against quadrature."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

import bayesreg as br
from bayesreg.posterior.base import Settings
from bayesreg.posterior.gibbs import binary, logistic
from bayesreg.posterior.gibbs._logistic import polya_gamma_step
from bayesreg.posterior.gibbs._polya_gamma import fill_polya_gamma
from bayesreg.posterior.gibbs.plan import Plan
from tests.grids import SURE, agree, agree_with_each_other, even, graded, mcse, summarise

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.grids import Numbers

TILTS = [0.0, 1e-3, 0.5, 2.0, 3.1, 3.2, 8.0, 20.0, 40.0, 41.0, 300.0]
SIZE = 200_000

RNG = np.random.default_rng(44)
X = RNG.normal(size=(24, 2)) * [1.0, 2.0] + [0.5, 0.0]
Y = (RNG.random(24) < special.expit(X @ [1.2, -0.4] - 0.3)).astype(float)
WEIGHTS = RNG.integers(1, 4, 24).astype(float)
OFFSET = RNG.normal(size=24)


# ---------------------------------------------------------------------- variates


def variates(weight: float, tilt: float, size: int = SIZE, seed: int = 1) -> Numbers:
    """Draw from PG(weight, tilt)."""
    out = np.empty(size)
    fill_polya_gamma(np.full(size, weight), np.full(size, tilt), out, np.random.default_rng(seed))
    return out


def moments(tilt: float) -> tuple[float, float]:
    """Mean and variance of PG(1, tilt), the limits at 0."""
    if tilt < 1e-2:
        return 0.25 - tilt**2 / 48, 1 / 24 - tilt**2 / 120
    half = 0.5 * tilt
    bell = math.exp(-2 * half) * (2 / (1 + math.exp(-2 * half))) ** 2  # 1/cosh²
    return math.tanh(half) / (2 * tilt), (math.tanh(half) - half * bell) / (2 * tilt**3)


def log_cosh(x: float) -> float:
    """Logarithm of the hyperbolic cosine."""
    return float(np.logaddexp(x, -x)) - math.log(2)


def z_score(values: Numbers, mean: float) -> float:
    """How many standard errors the mean of independent values is off."""
    return float(abs(values.mean() - mean) / (values.std() / math.sqrt(values.size)))


@pytest.mark.parametrize("tilt", TILTS)
@pytest.mark.parametrize("weight", [1.0, 7.0])
def test_polya_gamma_has_its_mean_variance_and_laplace_transform(
    weight: float, tilt: float
) -> None:
    """`w tanh(z/2)/(2z)`, the derivative's derivative, `(cosh(z/2)/cosh √(z²/4 + t/2))^w`."""
    draws = variates(weight, -tilt if weight > 1 else tilt, SIZE // int(weight))
    mean, variance = moments(tilt)
    assert (draws > 0).all()
    assert z_score(draws, weight * mean) < SURE
    assert z_score((draws - weight * mean) ** 2, weight * variance) < SURE
    for t in (0.5 / mean, 3.0 / mean):
        log_transform = log_cosh(tilt / 2) - log_cosh(math.sqrt(tilt**2 / 4 + t / 2))
        assert z_score(np.exp(-t * draws), math.exp(weight * log_transform)) < SURE


def density(x: Numbers, tilt: float) -> Numbers:
    """Density of PG(1, tilt): the alternating series as published."""
    k = np.arange(60)[:, None]
    series = (-1.0) ** k * (2 * k + 1) * np.exp(-((2 * k + 1) ** 2) / (8 * x))
    front = np.exp(log_cosh(tilt / 2) - tilt**2 * x / 2) / np.sqrt(2 * np.pi * x**3)
    return np.asarray(front * series.sum(axis=0))


@pytest.mark.parametrize("tilt", [0.0, 1.0, 4.0, 15.0])
def test_polya_gamma_has_its_density(tilt: float) -> None:
    """Kolmogorov–Smirnov against the integral of the published series."""
    mean, variance = moments(tilt)
    x = np.linspace(1e-9, min(mean + 20 * math.sqrt(variance), 4.0), 40_001)
    step = x[1] - x[0]
    cumulative = np.concatenate([[0], np.cumsum(step * density(x[1:] - step / 2, tilt))])
    assert abs(cumulative[-1] - 1) < 1e-5
    found = stats.kstest(variates(1.0, tilt), lambda v: np.interp(v, x, cumulative))
    assert found.pvalue > 1e-6


def test_polya_gamma_of_no_number_is_no_number() -> None:
    """Instead of a loop that never ends."""
    assert np.isnan(variates(1.0, math.nan, 2)).all()
    assert np.isnan(variates(1.0, math.inf, 2)).all()


# ---------------------------------------------------------------------- quadrature


def log_rows(problem: br.Problem, eta: Numbers) -> Numbers:
    """Log likelihood of predictors whose first axis are the rows, the offset not in them."""
    design = problem.design
    extra = (1,) * (eta.ndim - 1)
    offset = np.zeros(design.n) if design.offset is None else design.offset
    eta = eta + offset.reshape(-1, *extra)
    sign = np.where(design.y > 0, 1.0, -1.0).reshape(-1, *extra)
    return np.asarray(-np.einsum("i,i...->...", design.row_weights, np.logaddexp(0, -sign * eta)))


def densities(prior: Any, nodes: Numbers) -> Numbers:
    """Log density of a coefficient at nodes."""
    return np.asarray(prior.log_densities(nodes))


def draw(
    problem: br.Problem, *, draws: int = 4000, tune: int = 600, seed: int = 5
) -> dict[str, Numbers]:
    """Draw by the sampler under test."""
    assert binary.reason_against(problem) is None
    settings = Settings(draws=draws, chains=4, tune=tune, target_accept=0.8, progress=False)
    posterior, complete = logistic.run(Plan.of(problem), settings, np.random.default_rng(seed))
    assert complete
    return posterior


PRIORS: dict[str, Any] = {
    "laplace": br.Laplace(0.7),
    "normal": br.Normal(1.5, loc=0.4),
    "student": br.StudentT(nu=5.0, scale=0.8),
    "horseshoe": br.Horseshoe(0.5),
    "pareto": br.GeneralizedDoublePareto(scale=0.5, shape=3.0),
    "elastic net": br.ElasticNet(0.8, 1.2),
}


@pytest.mark.parametrize("tune", [20, 600], ids=["augmented", "with trajectories"])
@pytest.mark.parametrize("name", PRIORS)
def test_two_coefficients_agree_with_quadrature(name: str, tune: int) -> None:
    """Under each prior, by Pólya–Gamma alone and with the Hamiltonian step."""
    prior = PRIORS[name]
    problem = br.Problem(X, Y, likelihood=br.Bernoulli(), prior=prior, intercept=False)
    nodes, weights = graded(30.0)
    each = densities(prior, nodes)
    eta = X[:, 0, None, None] * nodes[:, None] + X[:, 1, None, None] * nodes
    exact = summarise(log_rows(problem, eta) + each[:, None] + each, [nodes] * 2, [weights] * 2)
    found = draw(problem, tune=tune, draws=8000)["beta"]
    for j in range(2):
        agree(found[..., j], *exact[j])


@pytest.mark.parametrize("name", ["plain", "weights and offset", "separated", "rare"])
def test_slope_and_intercept_agree_with_quadrature(name: str) -> None:
    """With a flat intercept: also where only the prior keeps the slope finite, and rare ones."""
    x, y = X[:, :1], Y
    more: Any = {}
    if name == "weights and offset":
        more = {"weights": WEIGHTS, "offset": OFFSET}
    if name == "separated":
        y = (x[:, 0] > 0.5).astype(float)
    if name == "rare":
        y = (np.arange(24) == np.argmax(x[:, 0])).astype(float)
        more = {"weights": np.where(y > 0, 1.0, 40.0)}
    prior = br.Laplace(3.0)
    problem = br.Problem(x, y, likelihood=br.Bernoulli(), prior=prior, **more)
    slopes, levels = graded(120.0, 600), even(-160.0, 60.0, 1500)
    eta = x[:, 0, None, None] * slopes[0][:, None] + levels[0]
    log_density = log_rows(problem, eta) + densities(prior, slopes[0])[:, None]
    exact = summarise(log_density, [slopes[0], levels[0]], [slopes[1], levels[1]])
    found = draw(problem, draws=6000, tune=1000)
    agree(found["beta"][..., 0], *exact[0])
    agree(found["intercept"], *exact[1])


@pytest.mark.parametrize(
    ("prior", "hyper"),
    [
        (br.Laplace, br.HalfNormal(1.5)),
        (br.Normal, br.Exponential(1.0)),
        (br.Horseshoe, br.HalfNormal(1.0)),
        (partial(br.RegularizedHorseshoe, slab_scale=1.0, slab_df=4.0), br.HalfNormal(1.0)),
    ],
)
def test_unknown_scale_agrees_with_quadrature(prior: Callable[..., Any], hyper: Any) -> None:
    """One coefficient and the scale of its prior."""
    x = X[:, :1]
    problem = br.Problem(x, Y, likelihood=br.Bernoulli(), prior=prior(scale=hyper), intercept=False)
    slopes, logs = graded(60.0, 1200), even(-14.0, 3.0, 900)
    scale = np.exp(logs[0])
    each = np.stack([densities(prior(scale=float(s)), slopes[0]) for s in scale], axis=1)
    each += np.array([hyper.log_density(float(s)) for s in scale])
    rows = log_rows(problem, x[:, 0, None] * slopes[0])
    exact = summarise(rows[:, None] + each, [slopes[0], scale], [slopes[1], scale * logs[1]])
    found = draw(problem, draws=10_000)
    agree(found["beta"][..., 0], *exact[0])
    agree(found["scale"], *exact[1])


def test_spike_and_slab_agrees_with_enumeration() -> None:
    """Two coefficients and an intercept under four models, each integrated on a grid."""
    inclusion, slab = 0.4, 1.5
    prior = br.SpikeSlab(inclusion=inclusion, slab_scale=slab)
    problem = br.Problem(X, Y, likelihood=br.Bernoulli(), prior=prior)
    nodes, width = even(-9.0, 9.0, 120)
    levels, level_width = even(-7.0, 7.0, 90)
    weight, means = {}, {}
    for model in ((0, 0), (0, 1), (1, 0), (1, 1)):
        axes = [nodes if used else np.zeros(1) for used in model]
        log_prior = np.zeros((axes[0].size, axes[1].size))
        axis: Numbers
        for used, axis in zip(model, np.ix_(*axes), strict=True):
            log_slab = stats.norm.logpdf(axis, scale=slab) + math.log(inclusion * width[0])
            log_prior += log_slab if used else math.log1p(-inclusion)
        total, first = 0.0, np.zeros(2)
        for level in levels:
            eta = level + X[:, 0, None, None] * axes[0][:, None] + X[:, 1, None, None] * axes[1]
            mass = np.exp(log_rows(problem, eta) + log_prior) * level_width[0]
            total += mass.sum()
            first += [(mass.sum(axis=1) @ axes[0]), (mass.sum(axis=0) @ axes[1])]
        weight[model], means[model] = total, first
    evidence = sum(weight.values())
    found = draw(problem, draws=10_000)["beta"]
    for j in range(2):
        included = (found[..., j] != 0).astype(float)
        exact = sum(w for model, w in weight.items() if model[j]) / evidence
        assert abs(included.mean() - exact) < SURE * mcse(included, "mean")
        mean = sum(first[j] for first in means.values()) / evidence
        assert abs(found[..., j].mean() - mean) < SURE * mcse(found[..., j], "mean")


# ---------------------------------------------------------------------- peers and invariants


def test_more_columns_than_rows_agree_with_nuts() -> None:
    """The n × n route, unknown scale and intercept, against the sampler that shares no step."""
    rng = np.random.default_rng(3)
    wide = rng.normal(size=(8, 10))
    y = (wide[:, 0] + rng.normal(size=8) > 0.3).astype(float)
    problem = br.Problem(
        wide, y, likelihood=br.Bernoulli(), prior=br.Laplace(br.HalfNormal(1.0)), standardize=True
    )
    found = draw(problem, draws=4000)
    peer = br.sample(problem, "nuts", seed=2, draws=400, tune=400, chains=2)["posterior"]
    for name in ("beta", "intercept", "scale"):
        agree_with_each_other(found[name], peer[name].to_numpy())


def test_blocks_and_flat_columns_agree_with_nuts() -> None:
    """Several priors, a flat column, weights and an offset, permuted and back again."""
    rng = np.random.default_rng(8)
    columns = rng.normal(size=(40, 5)) * [1, 2, 0.5, 1, 1]
    y = (columns @ [1, 0, -1, 0.5, 0] + rng.normal(size=40) > 0.5).astype(float)
    prior = [
        (br.Laplace(0.5), [4, 0]),
        (br.Flat(), [2]),
        (br.Normal(br.HalfCauchy(1.0), loc=0.3), [3]),
        (br.ElasticNet(1.0, 0.7), [1]),
    ]
    more: Any = {"weights": rng.integers(1, 3, 40).astype(float), "offset": rng.normal(size=40)}
    problem = br.Problem(columns, y, likelihood=br.Bernoulli(), prior=prior, **more)
    found = draw(problem)
    peer = br.sample(problem, "nuts", seed=2, draws=500, tune=400, chains=2)["posterior"][
        "beta"
    ].to_numpy()
    for j in range(5):
        error = math.hypot(mcse(found["beta"][..., j], "mean"), mcse(peer[..., j], "mean"))
        assert abs(found["beta"][..., j].mean() - peer[..., j].mean()) < SURE * error


def chain(tune: int = 60) -> logistic._Logistic:
    """Return a chain on a small problem with an unknown scale."""
    problem = br.Problem(
        X, Y, likelihood=br.Bernoulli(), prior=br.Laplace(br.HalfNormal(1.0)), weights=WEIGHTS
    )
    return logistic._Logistic(Plan.of(problem), tune, np.random.default_rng(9))


def test_draws_do_not_depend_on_batches() -> None:
    """The marks of the warm-up are draws."""
    whole, parts = chain().advance(100), chain()
    pieces = [parts.advance(count) for count in (1, 7, 40, 12, 3, 37)]
    assert_array_equal(whole, np.concatenate(pieces))


def test_intercept_belongs_to_the_columns_as_they_are() -> None:
    """The recorded level gives the chain's own linear predictor with the raw columns."""
    one = chain()
    last = one.advance(200)[-1]
    assert_allclose(X @ last[:2] + last[2], one.state.eta, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ([1, 1, 1.5], "weights: Pólya–Gamma variates need whole numbers, found 1.5"),
        ([1, 1, 1e7], "weights: their sum is 1e+07"),
        ([1, 2, 3], None),
    ],
)
def test_says_which_weights_it_takes(weights: list[float], reason: str | None) -> None:
    """Whole numbers, and not too many trials."""
    data: Any = ([[1.0], [2.0], [0.0]], [0, 1, 0])
    problem = br.Problem(*data, likelihood=br.Bernoulli(), prior=br.Laplace(1.0), weights=weights)
    found = binary.reason_against(problem)
    assert found is None if reason is None else str(found).startswith(reason)


def test_says_where_flat_columns_would_fill_the_memory() -> None:
    """More columns than rows, some of them flat, ask for a p × p array."""
    columns = np.random.default_rng(0).normal(size=(4, 3500))
    prior: Any = [(br.Flat(), [0]), (br.Laplace(1.0), range(1, 3500))]
    problem = br.Problem(columns, [0, 1, 0, 1], likelihood=br.Bernoulli(), prior=prior)
    assert "flat" in str(binary.reason_against(problem))


@pytest.mark.parametrize("prior", [br.Horseshoe(0.5), br.StudentT(nu=3.0, scale=0.5)])
def test_local_variances_are_those_of_the_local_states(prior: Any) -> None:
    """Whatever step comes next, a trajectory say, goes by the variances."""
    problem = br.Problem(X, Y, likelihood=br.Bernoulli(), prior=prior)
    chain = logistic._Logistic(Plan.of(problem), 100, np.random.default_rng(1))
    for _ in range(3):
        polya_gamma_step(chain.rows, chain.prior, chain.state, chain.rng)
        local = chain.state.aux[:, 0]
        factor = local if isinstance(prior, br.StudentT) else 1.0 / local
        assert_allclose(chain.state.variance, 0.25 * factor, rtol=1e-12)
