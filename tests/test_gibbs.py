"""The Gibbs kernel for Gaussian noise against closed forms and quadrature."""

from __future__ import annotations

import _thread
import logging
import os
import resource
import subprocess
import sys
import time
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from arviz_stats.base import array_stats  # type: ignore[attr-defined]
from numba import njit
from numba.core.event import trigger_event
from numba.core.registry import cpu_target
from scipy import sparse, stats

import bayesreg as br
from bayesreg.errors import SamplingFailed
from bayesreg.posterior import gibbs
from bayesreg.posterior.base import Settings
from bayesreg.posterior.gibbs import Gibbs, _mixing, _sweep, chains, gaussian, plan
from bayesreg.posterior.gibbs._linear import factorise
from bayesreg.posterior.gibbs._scalar import draw_scale, slice_scale
from bayesreg.posterior.gibbs.fingerprint import fingerprint
from bayesreg.scale_priors import SCALE_PRIORS, ScalePrior

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg.posterior.base import Draws

# In standard errors: a right sampler is beyond with probability 4e-8.
LIMIT = 5.5


def settings(draws: int, *, chains: int = 2, tune: int = 200) -> Settings:
    """Return how much to draw."""
    return Settings(draws=draws, chains=chains, tune=tune, target_accept=0.8, progress=False)


def drawn(problem: br.Problem, draws: int, seed: int = 1, **how: int) -> Draws:
    """Draw by Gibbs."""
    assert Gibbs().reason_against(problem) is None
    return Gibbs().draw(problem, settings(draws, **how), np.random.default_rng(seed))


def effective(values: Any) -> float:
    """Effective number of draws (chain, draw), for their mean."""
    ess: Any = array_stats.ess
    return float(ess(np.asarray(values), method="mean"))


def standard_errors(values: Any, mean: float) -> float:
    """Distance of the mean of draws (chain, draw) from the truth, in Monte Carlo errors."""
    return abs(float((values.mean() - mean) / (values.std() / effective(values) ** 0.5)))


# --------------------------------------------------------------------------- one positive number


@njit
def _many(
    count: float,
    linear: float,
    square: float,
    kind: int,
    a: float,
    b: float,
    rng: np.random.Generator,
    out: Any,
    thin: int,
) -> None:
    s = 1.0
    for i in range(out.size):
        for _ in range(thin):
            s = draw_scale(s, count, linear, square, kind, a, b, rng)
        out[i] = s


@njit
def _many_slices(terms: Any, kind: int, a: float, rng: np.random.Generator, out: Any) -> None:
    s = 1.0
    for i in range(out.size):
        for _ in range(10):
            s = slice_scale(s, terms, kind, a, 0.0, 1.0, rng)
        out[i] = s


def distribution(
    log_density: Callable[[Any], Any], low: float = -12.0, high: float = 12.0
) -> Callable[[Any], Any]:
    """Return the distribution function of s of a log density of ``log s``, on a fine grid."""
    u = np.linspace(low, high, 20_001)
    log = log_density(u)
    mass = np.exp(log - log.max())
    total = np.cumsum((mass[1:] + mass[:-1]) / 2)
    return lambda s: np.interp(np.log(s), u, np.concatenate([[0.0], total]) / total[-1])


def log_prior(prior: ScalePrior, u: Any) -> Any:
    """Log density of ``u = log s``, from the prior's own density."""
    jacobian = 2 * u if prior.of_square else u
    return np.array([prior.log_density(float(s)) for s in np.exp(u)]) + jacobian


PRIORS = (
    br.HalfNormal(0.7),
    br.HalfCauchy(0.5),
    br.Exponential(2.0),
    br.HalfStudentT(0.6, 3.0),
    br.InverseGamma(1.5, 2.0),
    br.Flat(),
)
STATISTICS = ((3.0, 2.0, 0.0), (40.0, 30.0, 0.0), (9.0, 0.0, 60.0), (200.0, 0.0, 3.0), (6.0, 4, 2))


@pytest.mark.parametrize("statistics", STATISTICS)
@pytest.mark.parametrize("prior", PRIORS)
def test_a_scale_is_drawn_from_its_density(
    prior: Any, statistics: tuple[float, float, float]
) -> None:
    """Every prior, with what it is conjugate to and what it is not, against quadrature."""
    density = br.scale_priors.HalfFlat() if isinstance(prior, br.Flat) else prior
    count, linear, square = statistics
    cdf = distribution(
        lambda u: -count * u - linear * np.exp(-u) - square * np.exp(-2 * u) + log_prior(density, u)
    )
    kind, a, b = plan.Hyperprior.of(density)
    out = np.empty(20_000)
    thin = 1 if linear * square == 0 and not (density.of_square and linear) else 10
    _many(count, linear, square, kind, a, b, np.random.default_rng(1), out, thin)
    assert stats.kstest(out, cdf).pvalue > 1e-6


def test_a_scale_without_information_has_its_prior() -> None:
    """No coefficients and no residuals leave the prior."""
    out = np.empty(20_000)
    _many(0.0, 0.0, 1e-280, 1, 2.0, 0.0, np.random.default_rng(1), out, 10)
    assert stats.kstest(out, stats.halfcauchy(scale=2.0).cdf).pvalue > 1e-6


def test_a_scale_that_the_data_see() -> None:
    """The slice sampler with a parabola of s in the log density."""
    terms = (2.0, 0.5, 0.0, 4.0, 1.0)
    cdf = distribution(
        lambda u: (
            -2 * u - 0.5 * np.exp(-u) + 4 * np.exp(u) - np.exp(2 * u)
            + log_prior(br.HalfCauchy(1.0), u)
        )
    )  # fmt: skip
    out = np.empty(20_000)
    _many_slices(terms, SCALE_PRIORS.index(br.HalfCauchy), 1.0, np.random.default_rng(2), out)
    assert stats.kstest(out, cdf).pvalue > 1e-6


# --------------------------------------------------------------------------- linear algebra


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6, 7, 64, 289, 768, 769, 900])
def test_cholesky(k: int) -> None:
    """Tiles, and panels with BLAS between them, against LAPACK."""
    B = np.random.default_rng(k).normal(size=(k, k + 3))
    Q = B @ B.T + np.eye(k)
    L = Q.copy()
    factorise(L, k)
    np.testing.assert_allclose(np.tril(L), np.linalg.cholesky(Q), rtol=1e-9, atol=1e-11)


# --------------------------------------------------------------------------- closed forms

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)) + 2
Y = X @ [1, 0, 0, 2, 0, -1.0] + RNG.normal(size=40) + 3
WEIGHTS, OFFSET = RNG.uniform(0.5, 2, 40), RNG.normal(size=40)
WIDE_X, WIDE_Y = RNG.normal(size=(10, 30)), RNG.normal(size=10)
NIG = br.Gaussian(br.InverseGamma(4.0, 6.0))
RELATIVE = br.Normal(1.0, relative_to="sigma")
MIXED = [(br.Normal(1.0), [0, 2, 5]), (br.Flat(), [1, 3, 4])]
CENTRED = X - X.mean(0)

CLOSED = {
    "normal": br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0)),
    "elsewhere": br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Normal(0.3, loc=0.5)),
    "no intercept": br.Problem(
        X, Y, likelihood=br.Gaussian(2.0), prior=br.Normal(1.0), intercept=False
    ),
    "everything": br.Problem(
        X, Y, likelihood=br.Gaussian(1.0), prior=MIXED, weights=WEIGHTS, offset=OFFSET,
        standardize=True,
    ),
    "sparse": br.Problem(
        sparse.csc_array(X), Y, likelihood=br.Gaussian(1.0), prior=MIXED, weights=WEIGHTS
    ),
    "relative": br.Problem(X, Y, likelihood=NIG, prior=RELATIVE),
    "flat": br.Problem(X, Y, likelihood=NIG, prior=br.Flat(), weights=WEIGHTS),
    "wide": br.Problem(WIDE_X, WIDE_Y, likelihood=br.Gaussian(0.5), prior=br.Normal(1.0)),
    "wide, flat": br.Problem(
        WIDE_X, WIDE_Y, likelihood=NIG,
        prior=[(RELATIVE, range(26)), (br.Flat(), range(26, 30))],
    ),
    "bridge": br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Bridge(1.0, power=2.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name: str) -> None:
    """Mean and sd of every coefficient, intercept and sigma."""
    problem = CLOSED[name]
    if name == "bridge":  # exp(−β²) is the density of N(0, 1/2)
        truth = br.posterior_moments(problem.with_prior(br.Normal(0.5**0.5)))
    else:
        truth = br.posterior_moments(problem.dense("this"))
    posterior = drawn(problem, 10_000).posterior
    apart = {}
    for j in range(problem.p):
        deviation = posterior["beta"][..., j] - truth.mean[j]
        apart[f"mean {j}"] = standard_errors(deviation, 0.0)
        apart[f"variance {j}"] = standard_errors(deviation**2, truth.sd[j] ** 2)
    if truth.intercept_mean is not None and truth.intercept_sd is not None:
        level = posterior["intercept"] - truth.intercept_mean
        apart |= {"level": standard_errors(level, 0.0)}
        apart |= {"level²": standard_errors(level**2, truth.intercept_sd**2)}
    if truth.sigma2_mean is not None:
        apart["sigma"] = standard_errors(posterior["sigma"] ** 2, truth.sigma2_mean)
    assert max(apart.values()) < LIMIT, apart


def test_no_coefficients() -> None:
    """An intercept and sigma alone: sigma² is inverse gamma, and draws are independent."""
    problem = br.Problem(np.empty((40, 0)), Y, likelihood=NIG, prior=br.Laplace(1.0))
    posterior = drawn(problem, 5000).posterior
    assert posterior["beta"].shape == (2, 5000, 0)
    law = stats.invgamma(4.0 + 39 / 2, scale=6.0 + 0.5 * ((Y - Y.mean()) ** 2).sum())
    assert stats.kstest(posterior["sigma"].ravel() ** 2, law.cdf).pvalue > 1e-6
    assert standard_errors(posterior["intercept"], Y.mean()) < LIMIT


def test_sufficient_statistics() -> None:
    """Sums of products instead of rows: the same posterior."""
    problem = br.Problem.from_statistics(
        CENTRED.T @ CENTRED, CENTRED.T @ (Y - Y.mean()), ((Y - Y.mean()) ** 2).sum(), 40,
        x_mean=X.mean(0), y_mean=Y.mean(), centred=True,
        likelihood=NIG, prior=RELATIVE,
    )  # fmt: skip
    truth = br.posterior_moments(CLOSED["relative"])
    posterior = drawn(problem, 10_000).posterior
    for j in range(6):
        assert standard_errors(posterior["beta"][..., j], truth.mean[j]) < LIMIT
    assert truth.intercept_mean is not None
    assert standard_errors(posterior["intercept"], truth.intercept_mean) < LIMIT
    assert truth.sigma2_mean is not None
    assert standard_errors(posterior["sigma"] ** 2, truth.sigma2_mean) < LIMIT


def test_a_close_fit_keeps_the_digits_of_sigma() -> None:
    """Residuals of 1e-9 of the target, where a difference of squares has no digits left."""
    y = X @ np.arange(6.0) + 1e-8 * RNG.normal(size=40)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(br.InverseGamma(1.0, 1e-16)),
        prior=br.Normal(1e9, relative_to="sigma"),
    )  # fmt: skip
    truth = br.posterior_moments(problem)
    assert truth.sigma2_mean is not None
    sigma = drawn(problem, 5000).posterior["sigma"]
    assert standard_errors(sigma**2 / truth.sigma2_mean, 1.0) < LIMIT


# --------------------------------------------------------------------------- quadrature

LINE_X = np.array([0.5, -1.0, 1.5, 1.0, 0.2, -0.7])
LINE_Y = np.array([0.4, -0.2, 2.1, 0.3, -0.6, -0.5])
CAUCHY = br.HalfCauchy(0.5)

FAMILIES: dict[str, Any] = {
    "normal": lambda **how: br.Normal(CAUCHY, **how),
    "laplace": lambda **how: br.Laplace(CAUCHY, **how),
    "student": lambda **how: br.StudentT(3.0, br.HalfNormal(1.0), **how),
    "pareto": lambda **how: br.GeneralizedDoublePareto(CAUCHY, shape=2.0, **how),
    "horseshoe": lambda **how: br.Horseshoe(br.Exponential(0.5), **how),
    "slabbed": lambda **_: br.RegularizedHorseshoe(CAUCHY, slab_scale=1.0),
    "t slab": lambda **_: br.RegularizedHorseshoe(CAUCHY, slab_scale=1.0, slab_df=3.0),
    "group": lambda **_: br.GroupLaplace(0.5, [[0]]),
    "elastic net": lambda **_: br.ElasticNet(0.5, 1.0),
}
LINES = [
    (name, relative, route)
    for name, relative, route in product(FAMILIES, (False, True), ("gram", "walks", "rows"))
    if not (relative and name in ("slabbed", "t slab", "group", "elastic net"))
]


def quadrature(problem: br.Problem) -> dict[str, tuple[float, float]]:
    """Means of bounded functions of (β, sigma, scale) with one coefficient, on a grid."""
    beta = 0.02 * np.sinh(np.linspace(-8, 8, 401))
    step = 0.125
    log_sigma = step * np.arange(-32, 33)
    log_scale = step * np.arange(-96, 81) if "scale" in problem.unknown else np.zeros(1)
    x, y = problem.design.X[:, 0], problem.design.y
    square = y @ y - 2 * (x @ y) * beta + (x @ x) * beta**2
    sigma = np.exp(log_sigma)
    rows = -y.size * log_sigma - 0.5 * square[:, None] / sigma**2
    # A width depends on the product of the two alone, which is on a grid as well.
    relative = problem.prior.relative_to is not None
    log_width = log_scale
    if relative:
        log_width = step * np.arange(-128, 113)
    table = np.stack([_prior_at(problem, beta, float(np.exp(w))) for w in log_width], axis=1)
    places = np.arange(log_scale.size)[None, :]
    if relative:
        places = places + np.arange(log_sigma.size)[:, None]
    total = rows[:, :, None] + table[:, places]
    hyper = problem.hyperpriors()
    total = total + log_prior(hyper["sigma"], log_sigma)[:, None]
    if "scale" in hyper:
        total = total + log_prior(hyper["scale"], log_scale)
    total = total + np.log(np.hypot(beta, 0.02))[:, None, None]
    mass = np.where(np.isfinite(total), np.exp(total - total[np.isfinite(total)].max()), 0.0)
    # A singularity at 0 is that of a logarithm: its neighbours stand for it.
    middle = beta.size // 2
    if not np.isfinite(total[middle]).all():
        mass[middle] = (mass[middle - 1] + mass[middle + 1]) / 2
    mass /= mass.sum()
    out = {}
    for name, values, axis in (
        ("beta", beta, 0), ("sigma", np.exp(log_sigma), 1), ("scale", np.exp(log_scale), 2)
    ):  # fmt: skip
        share = mass.sum(axis=tuple({0, 1, 2} - {axis}))
        angle = bounded(values, name)
        out[name] = float(share @ angle), float(share @ angle**2)
    return out


def _prior_at(problem: br.Problem, beta: Any, width: float) -> Any:
    """Log density of coefficients where sigma is 1 and the scale is `width`."""
    given = {"sigma": 1.0} if problem.prior.relative_to is not None else {}
    if "scale" in problem.unknown:
        given["scale"] = width
    return problem.prior.given(**given).log_densities(beta)


def bounded(values: Any, name: str) -> Any:
    """Map heavy tails to a finite interval."""
    return np.arctan(values if name == "beta" else np.log(values))


@cache
def line(name: str, relative: bool) -> tuple[br.Problem, dict[str, tuple[float, float]]]:
    """Return a posterior of one coefficient, and its means."""
    prior: Any = FAMILIES[name](**({"relative_to": "sigma"} if relative else {}))
    noise = br.Gaussian(br.HalfNormal(1.0))
    problem = br.Problem(LINE_X[:, None], LINE_Y, likelihood=noise, prior=prior, intercept=False)
    # A group of one is a Laplace prior, which says of each coefficient what it is.
    same = problem.with_prior(br.Laplace(0.5)) if name == "group" else problem
    return problem, quadrature(same)


@pytest.fixture
def route(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Force a route: Gram matrix, with walks of sigma and scale, or the n × n system and walks."""
    if request.param != "gram":
        monkeypatch.setattr(gaussian, "_MANY", 0.0)
    if request.param == "rows":
        monkeypatch.setattr(gaussian, "_WIDE", 0.0)
    return str(request.param)


@pytest.mark.parametrize(("name", "relative", "route"), LINES, indirect=["route"])
def test_one_coefficient_against_quadrature(name: str, relative: bool, route: str) -> None:
    """Coefficient, unknown sigma and unknown scale of every family, on every route."""
    del route
    problem, truth = line(name, relative)
    posterior = drawn(problem, 20_000, seed=7).posterior
    apart = {}
    for key in posterior:
        values = bounded(posterior[key].reshape(2, -1), key)
        apart[key] = standard_errors(values, truth[key][0])
        apart[f"{key}²"] = standard_errors(values**2, truth[key][1])
    assert max(apart.values()) < LIMIT, apart


# --------------------------------------------------------------------------- several routes

BLOCKS = [
    (br.Laplace(br.HalfCauchy(1.0)), range(12)),
    (br.StudentT(4.0, 0.5), range(12, 16)),
    (br.GroupLaplace(0.3, [[0, 1], [2, 3]]), range(16, 20)),
    (br.SpikeSlab(0.2, 1.0), range(20, 24)),
    (br.Flat(), [24]),
]
ROUTES: dict[str, Any] = {
    "blocks": BLOCKS,
    "lasso": br.Laplace(br.HalfCauchy(1.0)),
    "relative": br.Laplace(br.HalfCauchy(1.0), relative_to="sigma"),
    "partly relative": [
        (br.Laplace(0.5, relative_to="sigma"), range(15)), (br.Normal(0.5), range(15, 25))
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ROUTES)
def test_routes_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The p × p and the n × n system, the latter with walks, draw from one posterior."""
    rng = np.random.default_rng(4)
    A = rng.normal(size=(14, 25))
    y = A[:, 0] * 2 - A[:, 20] * 2 + 0.5 * rng.normal(size=14)
    problem = br.Problem(
        A, y, likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=ROUTES[name], weights=None
    )
    found = []
    for many, wide in ((np.inf, np.inf), (0.0, 0.0)):
        monkeypatch.setattr(gaussian, "_MANY", many)
        monkeypatch.setattr(gaussian, "_WIDE", wide)
        found.append(drawn(problem, 20_000, seed=3, tune=500).posterior)
    values = [
        np.concatenate(
            [d["beta"], np.log(d["sigma"])[..., None], d["intercept"][..., None]]
            + ([np.log(d["scale"])[..., None]] if "scale" in d else []),
            axis=-1,
        )
        for d in found
    ]
    for power in (1, 2):
        one, two = (v**power for v in values)
        spread = [
            v.reshape(-1, v.shape[-1]).var(axis=0)
            / np.array([effective(v[..., j]) for j in range(v.shape[-1])])
            for v in (one, two)
        ]
        apart = (one.mean(axis=(0, 1)) - two.mean(axis=(0, 1))) / np.sqrt(spread[0] + spread[1])
        assert np.abs(apart).max() < LIMIT


@pytest.mark.parametrize("wide", [np.inf, 0.0])
def test_spike_and_slab_beside_a_normal_prior(wide: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inclusion probabilities and means, summed over all sets of coefficients."""
    monkeypatch.setattr(gaussian, "_WIDE", wide)
    A, y = X[:, :3] - 2, Y - 3
    problem = br.Problem(
        A, y, likelihood=br.Gaussian(4.0), intercept=False,
        prior=[(br.SpikeSlab(0.3, 0.8), [0, 2]), (br.Normal(0.5), [1])],
    )  # fmt: skip
    weight, inclusion, mean = [], [], []
    for included in product((0.0, 1.0), repeat=2):
        scale = np.array([0.8 * included[0], 0.5, 0.8 * included[1]])
        cross = A * scale**2
        cover = 16 * np.eye(40) + cross @ A.T
        odds = np.prod([0.3 if i else 0.7 for i in included])
        weight.append(odds * stats.multivariate_normal(cov=cover).pdf(y) * 1e40)
        inclusion.append(included)
        mean.append(cross.T @ np.linalg.solve(cover, y))
    share = np.array(weight) / np.sum(weight)
    beta = drawn(problem, 20_000).posterior["beta"]
    for k, j in enumerate((0, 2)):
        expected = float(share @ np.array(inclusion)[:, k])
        assert standard_errors((beta[..., j] != 0).astype(float), expected) < LIMIT
    for j in range(3):
        assert standard_errors(beta[..., j], float(share @ np.array(mean)[:, j])) < LIMIT


def test_wide_lasso_mixes() -> None:
    """With five times as many columns as rows sigma, scale and coefficients move."""
    rng = np.random.default_rng(3)
    A = rng.normal(size=(40, 200))
    y = A[:, :3] @ [3.0, -2.0, 2.0] + rng.normal(size=40)
    problem = br.Problem(
        A, y, likelihood=br.Gaussian(br.HalfCauchy(1.0)), prior=br.Laplace(br.HalfCauchy(1.0))
    )
    posterior = drawn(problem, 2000).posterior
    for name in ("sigma", "scale"):
        assert effective(np.log(posterior[name])) > 100
    ess = [effective(posterior["beta"][..., j]) for j in range(10)]
    assert min(ess) > 400


@pytest.mark.parametrize("prior", [br.Horseshoe(1e4), br.Normal(1e9), br.StudentT(0.5, 1e6)])
def test_equal_columns_under_a_prior_that_is_nearly_flat(prior: Any) -> None:
    """Their sum is known, and draws are finite, although rounding leaves no pivot."""
    columns = np.column_stack([X[:, :2], X[:, :2], X[:, 0] + X[:, 1]])
    problem = br.Problem(columns, Y, likelihood=br.Gaussian(0.1), prior=prior)
    beta = drawn(problem, 1000).posterior["beta"]
    total = beta[..., 0] + beta[..., 2] + beta[..., 4]
    truth = np.linalg.lstsq(np.column_stack([np.ones(40), X[:, :2]]), Y)[0]
    assert abs(total.mean() - truth[1]) < 0.01


# --------------------------------------------------------------------------- chains


class _Counter(chains.Chain):
    """Counts; does something at a given draw."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self.at, self.act, self.done = at, act, 0

    def advance(self, count: int) -> Any:
        """Return the numbers of the draws."""
        start = self.done
        self.done += count
        if start <= self.at < self.done:
            self.act()
        time.sleep(1e-4 * count)
        return np.arange(start, self.done, dtype=float)[:, None]


def test_draws_do_not_depend_on_threads_or_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each chain has its own stream."""
    problem = br.Problem(X, Y, likelihood=NIG, prior=MIXED)
    first = drawn(problem, 300, chains=3).posterior
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(chains, "_BATCH", 1e-5)
    second = drawn(problem, 300, chains=3).posterior
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    assert len({tuple(chain) for chain in first["beta"][..., 0].tolist()}) == 3
    other = drawn(problem, 300, seed=2, chains=3).posterior
    assert not np.array_equal(first["beta"], other["beta"])


def test_an_interrupt_returns_the_draws_so_far() -> None:
    """Both chains, to the same length, marked as incomplete."""
    pair = [_Counter(300, _thread.interrupt_main), _Counter(10**9, lambda: None)]
    draws, kept, complete = chains.run_chains(pair, settings(10**6, tune=100))
    assert not complete
    assert draws.shape[1] >= 1
    np.testing.assert_array_equal(draws[0, :, 0], 100 + np.arange(draws.shape[1]))
    assert set(kept) <= {0, 1}


def test_an_interrupt_before_the_first_draw_goes_on() -> None:
    """There is nothing to return."""
    pair = [_Counter(5, _thread.interrupt_main), _Counter(10**9, lambda: None)]
    with pytest.raises(KeyboardInterrupt):
        chains.run_chains(pair, settings(10, tune=10**6))


def test_a_chain_that_dies_says_why() -> None:
    """As an error of the package, with advice."""

    def die() -> None:
        raise MemoryError("no room")

    with pytest.raises(SamplingFailed, match=r"MemoryError: no room; rescale"):
        chains.run_chains([_Counter(5, die), _Counter(10**9, lambda: None)], settings(10**6))


class _Broken(chains.Chain):
    def advance(self, count: int) -> Any:
        """Return NaN."""
        return np.full((count, 1), np.nan)


def test_a_draw_that_is_not_finite_is_no_answer() -> None:
    """It is an error."""
    with pytest.raises(SamplingFailed, match="not finite after"):
        chains.run_chains([_Broken()], settings(10))


def test_progress_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, where it was asked for."""
    shown = Settings(draws=10, chains=1, tune=0, target_accept=0.8, progress=True)
    chains.run_chains([_Counter(10**9, lambda: None)], shown)
    captured = capsys.readouterr()
    assert "gibbs, 1 chains" in captured.err
    assert not captured.out


# --------------------------------------------------------------------------- what it takes


def test_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel does not take, in words."""

    def reason(prior: Any, likelihood: Any = NIG, columns: Any = X) -> str:
        y = np.round(np.abs(Y))
        problem = br.Problem(columns, y, likelihood=likelihood, prior=prior)
        return str(Gibbs().reason_against(problem))

    assert "must be Gaussian, StudentTNoise or Bernoulli" in reason(br.Normal(1.0), br.Poisson())
    assert "no negative coefficient of 'x0'" in reason(br.Laplace(1.0, nonnegative=True))
    assert "'x0', LInfinity" in reason(br.LInfinity(1.0))
    assert "Bridge" in reason(br.Bridge(1.0, power=0.5))
    monkeypatch.setattr(gibbs, "_MOST_WORK", 10.0)
    assert "6 columns and 40 rows one draw takes 7.2e+01" in reason(br.Normal(1.0))


def test_families_have_one_number() -> None:
    """The plan, which must not load Numba, and the kernel agree."""
    for name in ("NORMAL", "LAPLACE", "ELASTIC_NET", "STUDENT_T", "GENERALIZED_PARETO"):
        assert getattr(plan, name) == getattr(_mixing, name)
    for name in ("HORSESHOE", "REGULARIZED_HORSESHOE", "GROUP_LAPLACE"):
        assert getattr(plan, name) == getattr(_mixing, name)


def test_compiled_code_is_looked_up_by_all_of_its_sources() -> None:
    """So that an update of one file does not go on with old machine code of another."""
    closure = _sweep.sweep.py_func.__closure__
    assert [cell.cell_contents for cell in closure] == [fingerprint()]
    key, codegen = _sweep.sweep._cache._index_key, cpu_target.target_context.codegen()
    other = _sweep._entry(fingerprint() + 1)
    assert key("same", codegen) != other._cache._index_key("same", codegen)


def test_the_plan_does_not_load_numba() -> None:
    """Reasons are given without a compiler."""
    code = (
        "import sys, bayesreg as br\n"
        "from bayesreg.posterior.gibbs import Gibbs\n"
        "p = br.Problem([[1.0]], [1.0], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0),"
        " intercept=False)\n"
        "assert Gibbs().reason_against(p) is None\n"
        "print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.slow
def test_twenty_thousand_columns_fit_into_memory() -> None:
    """No p × p array, which would take 3.2 GB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rng = np.random.default_rng(1)
    A = rng.normal(size=(100, 20_000))
    y = A[:, 0] * 3 + rng.normal(size=100)
    problem = br.Problem(
        A, y, likelihood=br.Gaussian(br.HalfCauchy(1.0)), prior=br.Horseshoe(br.HalfCauchy(0.01))
    )
    drawn(problem, 20, tune=20)
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert more < 400_000


def test_compiling_is_timed_apart_and_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The events are Numba's own; what is compiled before the chains counts, too."""
    problem = br.Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=br.Gaussian(1.0), prior=br.Flat())
    plan_of = plan.Plan.of

    def compiled(problem: br.Problem) -> plan.Plan:
        with trigger_event("numba:compile"):
            time.sleep(0.01)
        return plan_of(problem)

    monkeypatch.setattr(plan.Plan, "of", compiled)
    attrs = br.sample(problem, "gibbs", draws=10, tune=10, seed=0).attrs
    assert 0.01 <= attrs["seconds_compiling"] <= attrs["seconds"]
    with caplog.at_level("INFO", logger="bayesreg"), chains._compilation(shown=False):
        for _ in range(2):
            with trigger_event("numba:compile"):
                pass
    assert caplog.messages == [chains._COMPILING]


@pytest.mark.parametrize("shown", [True, False])
def test_compiling_is_said_once_on_stderr_though_it_is_no_terminal(
    *, shown: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether progress is asked for or not; nothing where everything is found on disk."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    log = logging.getLogger("bayesreg")
    monkeypatch.setattr(log, "handlers", [])
    with chains._compilation(shown=shown):
        pass
    assert capsys.readouterr() == ("", "")
    with chains._compilation(shown=shown):
        for _ in range(2):
            with trigger_event("numba:compile"):
                pass
    assert capsys.readouterr() == ("", f"bayesreg: {chains._COMPILING}\n")
    # A log of the user's own decides, as that of the command line does when it is to be quiet.
    monkeypatch.setattr(log, "handlers", [logging.NullHandler()])
    with chains._compilation(shown=shown), trigger_event("numba:compile"):
        pass
    assert capsys.readouterr() == ("", "")
