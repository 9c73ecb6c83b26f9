"""Student-t noise by Gibbs sampling: draws against grids, closed forms and other routes."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import bayesreg as br
from bayesreg.posterior.base import Settings
from bayesreg.posterior.gibbs import Gibbs, _robust, augmented, robust, routes
from bayesreg.posterior.gibbs.plan import Plan
from tests.grids import SURE, agree, agree_with_each_other, even, graded, mcse, summarise

if TYPE_CHECKING:
    from tests.grids import Numbers

RNG = np.random.default_rng(13)
N = 12
X = RNG.normal(size=(N, 2)) * [1.0, 2.0] + [0.5, 0.0]
WEIGHTS = RNG.uniform(0.4, 2.5, N)
OFFSET = RNG.normal(size=N)
NOISE = 0.6 * RNG.standard_t(2.0, N)
Y = X @ [1.2, -0.4] + NOISE
FULL: dict[str, Any] = {"weights": WEIGHTS, "offset": OFFSET}
PLAIN: dict[str, Any] = {"intercept": False}


def problem_of(
    columns: Any, y: Any, prior: Any, sigma: Any = 0.5, nu: float = 2.5, **more: Any
) -> br.Problem:
    """Return a regression with Student-t noise."""
    return br.Problem(columns, y, likelihood=br.StudentTNoise(nu, sigma), prior=prior, **more)


def draw(problem: br.Problem, *, draws: int = 8000, seed: int = 5) -> dict[str, Numbers]:
    """Draw by the sampler under test."""
    assert Gibbs().reason_against(problem) is None
    settings = Settings(draws=draws, chains=4, tune=300, target_accept=0.8, progress=False)
    posterior, complete = robust.run(Plan.of(problem), settings, np.random.default_rng(seed))
    assert complete
    return posterior


def log_rows(problem: br.Problem, eta: Numbers, sigma: Any) -> Numbers:
    """Log likelihood of predictors whose first axis are the rows, the offset not in them."""
    design, likelihood = problem.design, problem.likelihood
    assert isinstance(likelihood, br.StudentTNoise)
    offset = np.zeros(design.n) if design.offset is None else np.asarray(design.offset)
    total = np.zeros(np.broadcast_shapes(eta.shape[1:], np.shape(sigma)))
    for i in range(design.n):
        spread = sigma / math.sqrt(design.row_weights[i])
        total += stats.t.logpdf(design.y[i] - offset[i] - eta[i], likelihood.nu, scale=spread)
    return total


# ---------------------------------------------------------------------- grids

PRIORS: dict[str, Any] = {
    "laplace": br.Laplace(0.7),
    "normal": br.Normal(1.5, loc=0.4),
    "student": br.StudentT(nu=5.0, scale=0.8),
    "horseshoe": br.Horseshoe(0.5),
    "pareto": br.GeneralizedDoublePareto(scale=0.5, shape=3.0),
    "elastic net": br.ElasticNet(0.8, 1.2),
}


@pytest.mark.parametrize("name", PRIORS)
def test_two_coefficients_agree_with_a_grid(name: str) -> None:
    """Under each prior, with row weights and an offset, sigma known."""
    problem = problem_of(X, Y + OFFSET, PRIORS[name], intercept=False, **FULL)
    nodes, weights = graded(30.0, 600)
    each = np.asarray(PRIORS[name].log_densities(nodes))
    eta = X[:, 0, None, None] * nodes[:, None] + X[:, 1, None, None] * nodes
    exact = summarise(
        log_rows(problem, eta, 0.5) + each[:, None] + each, [nodes] * 2, [weights] * 2
    )
    found = draw(problem)["beta"]
    for j in range(2):
        agree(found[..., j], *exact[j])


@pytest.mark.parametrize("relative", [None, "sigma"])
@pytest.mark.parametrize(
    "hyper", [br.HalfNormal(1.0), br.HalfCauchy(0.5), br.InverseGamma(2.0, 1.0)]
)
def test_coefficient_and_sigma_agree_with_a_grid(hyper: Any, relative: Any) -> None:
    """Sigma under several priors; the width of the coefficient may be relative to it."""
    x = X[:, :1]
    problem = problem_of(
        x, Y + OFFSET, br.Laplace(0.5, relative_to=relative), hyper, intercept=False, **FULL
    )
    slopes, logs = even(-6.0, 6.0, 1200), even(-6.0, 5.0, 500)
    sigma = np.exp(logs[0])
    width = 0.5 * sigma if relative else 0.5
    log_density = log_rows(problem, x[:, 0, None, None] * slopes[0][:, None], sigma)
    log_density += stats.laplace.logpdf(slopes[0][:, None], scale=width)
    power = 2 if hyper.of_square else 1  # dσ² = 2σ dσ
    log_density += np.array([hyper.log_density(s) + power * math.log(s) for s in sigma])
    exact = summarise(log_density, [slopes[0], sigma], [slopes[1], logs[1]])
    found = draw(problem, draws=12_000)
    agree(found["beta"][..., 0], *exact[0])
    agree(found["sigma"], *exact[1])


@pytest.mark.parametrize("kind", ["plain", "relative", "slabbed"])
def test_coefficient_sigma_and_scale_agree_with_a_grid(kind: str) -> None:
    """Both unknown; a regularised horseshoe has a slab that does not scale with it."""
    x, hyper = X[:, :1], br.HalfNormal(1.0)
    slopes, logs, scales = graded(12.0, 300), even(-4.0, 3.0, 120), even(-8.0, 2.0, 150)
    sigma, scale = np.exp(logs[0]), np.exp(scales[0])
    of_slope: Numbers
    prior: Any = br.Laplace(hyper, relative_to="sigma" if kind == "relative" else None)
    if kind == "slabbed":
        prior = br.RegularizedHorseshoe(scale=hyper, slab_scale=1.0, slab_df=4.0)
        each = [prior.given(scale=float(s)).log_densities(slopes[0]) for s in scale]
        of_slope = np.stack(each, axis=1)[:, None, :]
    else:
        width = scale * (sigma[:, None] if kind == "relative" else 1.0)
        of_slope = np.asarray(stats.laplace.logpdf(slopes[0][:, None, None], scale=width))
    problem = problem_of(x, Y, prior, br.HalfNormal(2.0), nu=4.0, intercept=False)
    rows = log_rows(problem, x[:, 0, None, None] * slopes[0][:, None], sigma)
    log_density = rows[:, :, None] + of_slope - sigma[:, None] ** 2 / 8 - scale**2 / 2
    exact = summarise(
        log_density, [slopes[0], sigma, scale], [slopes[1], sigma * logs[1], scale * scales[1]]
    )
    found = draw(problem, draws=20_000)
    agree(found["beta"][..., 0], *exact[0])
    agree(found["sigma"], *exact[1])
    agree(found["scale"], *exact[2])


def test_two_modes_of_cauchy_noise_are_both_visited() -> None:
    """Rows in two camps: the chain goes between the modes as often as the grid says."""
    x = np.ones((6, 1))
    y = np.array([-2.0, -1.8, -1.7, 1.6, 1.9, 2.2])
    problem = problem_of(x, y, br.Normal(3.0), nu=1.0, **PLAIN)
    nodes, weights = even(-15.0, 15.0, 6001)
    log_density = log_rows(problem, x[:, 0, None] * nodes, 0.5)
    log_density += stats.norm.logpdf(nodes, scale=3.0)
    mass = np.exp(log_density - log_density.max()) * weights
    above = mass[nodes > 0].sum() / mass.sum()
    assert mass[np.abs(nodes) < 0.2].max() < 0.3 * mass.max()
    found = draw(problem, draws=20_000)["beta"][..., 0]
    agree(found, *summarise(log_density, [nodes], [weights])[0])
    share = (found > 0).astype(float)
    assert abs(share.mean() - above) < SURE * mcse(share, "mean")


def test_flat_column_and_intercept_agree_with_a_grid() -> None:
    """A flat column has precision 0, an intercept is integrated out of the coefficients."""
    problem = problem_of(X, Y, [(br.Laplace(0.5), [1]), (br.Flat(), [0])], nu=4.0, weights=WEIGHTS)
    flat, slope, level = even(-1.5, 4.0, 110), graded(4.0, 160, 1e-2), even(-4.0, 4.0, 110)
    log_density = stats.laplace.logpdf(slope[0], scale=0.5)[None, :, None] + sum(
        stats.t.logpdf(
            Y[i] - X[i, 0] * flat[0][:, None, None] - X[i, 1] * slope[0][:, None] - level[0],
            4.0, scale=0.5 / math.sqrt(WEIGHTS[i]),
        )
        for i in range(N)
    )  # fmt: skip
    nodes, weights = zip(flat, slope, level, strict=True)
    exact = summarise(log_density, nodes, weights)
    found = draw(problem)
    agree(found["beta"][..., 0], *exact[0])
    agree(found["beta"][..., 1], *exact[1])
    agree(found["intercept"], *exact[2])


def test_spike_and_slab_agrees_with_a_grid() -> None:
    """A coefficient is exactly 0 as often as its evidence says."""
    x, inclusion, slab = X[:, :1], 0.4, 1.5
    y = 0.4 * x[:, 0] + NOISE
    problem = problem_of(x, y, br.SpikeSlab(inclusion=inclusion, slab_scale=slab), 0.8, **PLAIN)
    nodes, weights = even(-8.0, 8.0, 4001)
    top = float(log_rows(problem, np.zeros((N, 1)), 0.8)[0])
    mass = np.exp(log_rows(problem, x[:, 0, None] * nodes, 0.8) - top) * weights
    mass *= inclusion * stats.norm.pdf(nodes, scale=slab)
    total = mass.sum() + 1 - inclusion
    found = draw(problem)["beta"][..., 0]
    included = (found != 0).astype(float)
    assert 0.1 < included.mean() < 0.95
    assert abs(included.mean() - mass.sum() / total) < SURE * mcse(included, "mean")
    assert abs(found.mean() - mass @ nodes / total) < SURE * mcse(found, "mean")


# ---------------------------------------------------------------------- closed form and peers


def test_one_of_two_equal_columns_is_as_good_as_the_other() -> None:
    """In every chain each is included as often; one by one the first that comes would stay."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 4))
    X[:, 1] = X[:, 0]
    y = 3.0 * X[:, 0] + 0.3 * rng.standard_t(4.0, 200)
    prior = br.SpikeSlab(inclusion=0.1, slab_scale=2.0)
    included = draw(problem_of(X, y, prior, sigma=0.3, nu=4.0), draws=2000)["beta"] != 0
    difference = included[..., 0] * 1.0 - included[..., 1]
    for chain in difference:
        assert abs(chain.mean()) < SURE * mcse(chain[None], "mean")
    assert (included[..., 0] | included[..., 1]).all()


def test_many_degrees_of_freedom_are_normal_noise() -> None:
    """Then the moments are known in closed form, sigma and relative widths included."""
    prior = br.Normal(0.8, relative_to="sigma")
    hyper = br.InverseGamma(3.0, 1.0)
    exact = br.posterior_moments(
        br.Problem(X, Y, likelihood=br.Gaussian(hyper), prior=prior, weights=WEIGHTS)
    )
    found = draw(problem_of(X, Y, prior, hyper, nu=1e9, weights=WEIGHTS))["beta"]
    for j in range(2):
        agree(found[..., j], exact.mean[j], exact.sd[j])


WIDE = RNG.normal(size=(7, 9))
WIDE_Y = 2.0 * WIDE[:, 0] + RNG.standard_t(3.0, 7)
UNKNOWN = br.HalfNormal(1.0)


RELATIVE_NORMAL = br.Normal(0.5, relative_to="sigma")
RELATIVE_LAPLACE = br.Laplace(0.5, relative_to="sigma")


@pytest.mark.parametrize("columns", [5, 9])
@pytest.mark.parametrize(
    "prior",
    [
        br.Laplace(UNKNOWN),
        br.Laplace(UNKNOWN, relative_to="sigma"),
        [RELATIVE_NORMAL, RELATIVE_LAPLACE],
        br.RegularizedHorseshoe(scale=0.5, slab_scale=1.0, slab_df=4.0),
    ],
    ids=["both walk", "relative", "together", "sigma walks"],
)
def test_routes_draw_from_one_posterior(
    prior: Any, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an n × n or p × p system, sigma and the scale with or without the coefficients."""
    if isinstance(prior, list):
        prior = [(prior[0], range(3)), (prior[1], range(3, columns))]
    problem = problem_of(WIDE[:, :columns], WIDE_Y, prior, UNKNOWN, nu=3.0)
    assert robust._Robust.of(Plan.of(problem), RNG).many.power == 6
    collapsed = draw(problem, draws=6000)
    monkeypatch.setattr(robust, "_MANY", math.inf)
    plain = draw(problem, draws=12_000, seed=6)
    monkeypatch.setattr(augmented, "is_wide", lambda *_: False)
    tall = draw(problem, draws=12_000, seed=7)
    for name, draws in collapsed.items():
        agree_with_each_other(draws, plain[name])
        agree_with_each_other(tall[name], plain[name])


# ---------------------------------------------------------------------- laws of the steps


def chain(**more: Any) -> robust._Robust:
    """Return a chain on a small problem with unknown sigma and scale."""
    problem = problem_of(X, Y, br.Laplace(UNKNOWN), br.HalfNormal(1.0), weights=WEIGHTS, **more)
    return robust._Robust.of(Plan.of(problem), np.random.default_rng(9))


def test_precisions_have_their_law() -> None:
    """Gamma of shape ``(nu + 1)/2``; without the half that the residual adds it is seen."""
    one, rng = chain(), np.random.default_rng(1)
    draws = np.array([_robust.precisions(one.rows, one.state, rng) for _ in range(20_000)])
    sigma = one.state.scalars[2]
    rate = 0.5 * (2.5 + WEIGHTS * (Y - one.state.eta) ** 2 / sigma**2)
    units = (draws * sigma**2 / WEIGHTS * rate).ravel()
    assert stats.kstest(units, stats.gamma(1.75).cdf).pvalue > 1e-6
    assert stats.kstest(units, stats.gamma(1.25).cdf).pvalue < 1e-12


def test_sigma_has_its_law() -> None:
    """Of n rows, with the precisions integrated out; one row less is seen."""
    one, rng = chain(), np.random.default_rng(2)
    squares, draws = WEIGHTS * (Y - one.state.eta) ** 2, np.empty(40_000)
    for k in range(draws.size):
        _robust.sigma_step(one.rows, one.prior, one.state, rng)
        draws[k] = one.state.scalars[2]
    u, weights = even(-6.0, 4.0, 20_001)
    down = np.exp(-2 * u[:, None])
    log_density = -1.75 * np.log1p(squares * down / 2.5).sum(axis=1) - 0.5 * np.exp(2 * u) + u
    # A slice forgets where it began after a few draws.
    kept = np.log(draws[::8])
    for power, right in ((N, True), (N - 1, False)):
        mass = np.exp(log_density - power * u) * weights
        cumulative = np.cumsum(mass) / mass.sum()
        found = stats.kstest(kept, partial(np.interp, xp=u, fp=cumulative)).pvalue
        assert found > 1e-6 if right else found < 1e-9


# ---------------------------------------------------------------------- invariants


def test_same_seed_gives_the_same_draws_whatever_the_batches() -> None:
    """State and random numbers are all that a chain remembers."""
    whole, parts = chain().advance(100), chain()
    pieces = [parts.advance(count) for count in (1, 7, 40, 12, 3, 37)]
    assert_array_equal(whole, np.concatenate(pieces))


def test_intercept_belongs_to_the_columns_as_they_are() -> None:
    """The recorded level gives the chain's own linear predictor with the raw columns."""
    one = chain()
    last = one.advance(200)[-1]
    assert_allclose(X @ last[:2] + last[2], one.state.eta, rtol=1e-9, atol=1e-9)


def test_units_of_the_target_do_not_matter() -> None:
    """Everything times a power of two: the same draws times it, from the same seed."""
    found = draw(problem_of(X, Y, br.Laplace(0.5), br.HalfNormal(1.0), **PLAIN), draws=200)
    scaled = problem_of(X, 1024 * Y, br.Laplace(512.0), br.HalfNormal(1024.0), **PLAIN)
    for name, value in draw(scaled, draws=200).items():
        assert_allclose(value, 1024 * found[name], rtol=1e-6)


def test_says_where_flat_columns_would_fill_the_memory() -> None:
    """More columns than rows, some of them flat, ask for a p × p array."""
    columns = np.random.default_rng(0).normal(size=(4, 3500))
    prior: Any = [(br.Flat(), [0]), (br.Laplace(1.0), range(1, 3500))]
    problem = problem_of(columns, [0.0, 1.0, 0.5, 1.0], prior)
    assert "flat" in str(routes.reason_against(problem))
    assert "flat" in str(Gibbs().reason_against(problem))
