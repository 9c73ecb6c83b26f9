"""Local variances, spike and slab, and the regularised horseshoe, against what they must be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numba import njit
from scipy import stats
from scipy.special import logsumexp

import bayesreg as br
from bayesreg.blocks import same_prior
from bayesreg.errors import DegenerateMode, InputError, NoClosedForm
from bayesreg.posterior.base import Settings
from bayesreg.posterior.density import log_joint, reason_against_prior, require_known_prior
from bayesreg.posterior.gibbs import Gibbs
from bayesreg.posterior.gibbs import _mixing as mixing
from bayesreg.posterior.gibbs import _spike as spike
from bayesreg.posterior.gibbs import _variates as variates
from bayesreg.posterior.gibbs._global import scale_from_coefficients, scale_from_locals
from bayesreg.posterior.gibbs._spike_moves import draw_one
from bayesreg.scale_priors import SCALE_PRIORS
from tests.problems import P, data, degenerate_examples, every_example

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior

# A right sampler fails one comparison in ten million.
SURE = 1e-7
STEP = 0.01
# In log v every density here is analytic and dies out at both ends: a plain sum is exact.
LOG_V = np.arange(-60.0, 60.0, STEP)
V = np.exp(LOG_V)


# --------------------------------------------------------------------------- variates


@njit(nogil=True)
def many(kind: int, a: float, b: float, c: float, out: Vector, rng: np.random.Generator) -> None:
    """Fill an array with variates of one kind."""
    for i in range(out.size):
        if kind == 0:
            out[i] = variates.exponential_mixture(a, rng)
        elif kind == 1:
            out[i] = variates.shifted_reciprocal(a, rng)
        elif kind == 2:
            out[i] = variates.slabbed_reciprocal(a, b, rng)
        else:
            out[i] = variates.slab_precision(a, b, c, rng)


def assert_density(log_density: Vector, draws: Vector) -> None:
    """Hold draws to a log density, up to its constant, of the points `V`."""
    mass = np.exp(log_density + LOG_V - (log_density + LOG_V).max())
    below = np.cumsum(mass) / mass.sum()
    found = stats.kstest(draws, lambda x: np.interp(np.log(x), LOG_V + 0.5 * STEP, below))
    assert found.pvalue > SURE


@pytest.mark.parametrize("u", [0.0, 1e-9, 0.05, 1.0, 30.0])
def test_exponential_mixture_has_its_density(u: float) -> None:
    """Proportional to v^(−1/2) exp(−u²/(2v) − v/2), down to u = 0."""
    draws = np.empty(40_000)
    many(0, u, 0.0, 0.0, draws, np.random.default_rng(1))
    assert_density(-0.5 * LOG_V - 0.5 * u**2 / V - 0.5 * V, draws)


@pytest.mark.parametrize("u", [1e-250, 1e12, 1e150])
def test_exponential_mixture_is_finite_far_out(u: float) -> None:
    """Where u² underflows or overflows the mean is still about u, and never 0 or infinite."""
    draws = np.empty(2000)
    many(0, u, 0.0, 0.0, draws, np.random.default_rng(1))
    assert np.isfinite(draws).all()
    assert (draws > 0).all()
    if u > 1:
        np.testing.assert_allclose(draws / u, 1.0, atol=10 / math.sqrt(u))


@pytest.mark.parametrize("a", [1e-9, 0.02, 0.9, 1.1, 40.0])
def test_shifted_reciprocal_has_its_density(a: float) -> None:
    """Proportional to exp(−aγ)/(1 + γ), on both sides of a = 1."""
    draws = np.empty(40_000)
    many(1, a, 0.0, 0.0, draws, np.random.default_rng(2))
    assert_density(-a * V - np.log1p(V), draws)


@pytest.mark.parametrize("a", [1e-6, 0.3, 2.0, 60.0])
@pytest.mark.parametrize("ratio", [0.0, 1e-4, 1.0, 1e3])
def test_slabbed_reciprocal_has_its_density(a: float, ratio: float) -> None:
    """Proportional to √((ρ + γ)/γ) exp(−aγ)/(1 + γ); a horseshoe at ρ = 0."""
    draws = np.empty(20_000)
    many(2, a, ratio, 0.0, draws, np.random.default_rng(3))
    assert_density(0.5 * np.log1p(ratio / V) - a * V - np.log1p(V), draws)


@pytest.mark.parametrize("half", [0.5, 2.0, 50.0])
@pytest.mark.parametrize(("rate", "local"), [(0.1, 3.0), (4.0, 1e-6), (1.0, 1e8)])
def test_slab_precision_has_its_density(half: float, rate: float, local: float) -> None:
    """Proportional to w^(half − 1) √(w + g) exp(−rate·w)."""
    draws = np.empty(20_000)
    many(3, half, rate, local, draws, np.random.default_rng(4))
    assert_density((half - 1) * LOG_V + 0.5 * np.log(V + local) - rate * V, draws)


@pytest.mark.parametrize("a", [0.0, 1e-200, 1e200])
def test_precisions_stay_finite_for_impossible_coefficients(a: float) -> None:
    """A coefficient that starts at exactly 0 has a finite positive local variance."""
    draws = np.empty(1000)
    for kind in (1, 2):
        many(kind, a, 0.25, 0.0, draws, np.random.default_rng(5))
        assert np.isfinite(1 / draws).all()
        assert (draws > 0).all()


# --------------------------------------------------------------------------- families


@dataclass(frozen=True)
class Family:
    """A family of `_mixing` with its prior at widths `width`, and its numbers."""

    code: int
    prior: Prior
    width: float
    shape: tuple[float, float] = (0.0, 0.0)


FAMILIES = {
    "normal": Family(mixing.NORMAL, br.Normal(0.7), 0.7),
    "laplace": Family(mixing.LAPLACE, br.Laplace(0.7), 0.7),
    "elastic-net": Family(mixing.ELASTIC_NET, br.ElasticNet(0.7, 0.5), 0.7, (4.0, 0.0)),
    "cauchy": Family(mixing.STUDENT_T, br.StudentT(1.0, 0.7), 0.7, (1.0, 0.0)),
    "student": Family(mixing.STUDENT_T, br.StudentT(5.0, 0.7), 0.7, (5.0, 0.0)),
    "pareto": Family(
        mixing.GENERALIZED_PARETO, br.GeneralizedDoublePareto(0.7, 1.5), 0.7, (1.5, 0.0)
    ),
    "horseshoe": Family(mixing.HORSESHOE, br.Horseshoe(0.7), 0.7),
    "slab": Family(
        mixing.REGULARIZED_HORSESHOE, br.RegularizedHorseshoe(0.7, 2.0), 0.7, (2.0, math.inf)
    ),
    "slab-narrow": Family(
        mixing.REGULARIZED_HORSESHOE, br.RegularizedHorseshoe(0.7, 0.1), 0.7, (0.1, math.inf)
    ),
    "slab-t": Family(
        mixing.REGULARIZED_HORSESHOE, br.RegularizedHorseshoe(0.7, 2.0, 4.0), 0.7, (2.0, 4.0)
    ),
    "group": Family(mixing.GROUP_LAPLACE, br.GroupLaplace(0.7, [[0, 1, 2]]), 0.7),
}
#: Families that a common multiplier of the widths scales.
SCALED = ("normal", "laplace", "student", "pareto", "horseshoe", "group")


def draw_state(family: Family, p: int, rng: np.random.Generator) -> Matrix:
    """Draw the state that a family keeps from its prior, shape (p, 2)."""
    aux = np.ones((p, 2))
    first, second = family.shape
    if family.code == mixing.STUDENT_T:
        aux[:, 0] = 0.5 * first / rng.standard_gamma(0.5 * first, p)
    elif family.code == mixing.GENERALIZED_PARETO:
        aux[:, 0] = rng.standard_gamma(first, p) / first
    elif family.code in (mixing.HORSESHOE, mixing.REGULARIZED_HORSESHOE):
        aux[:, 0] = rng.standard_cauchy(p) ** -2.0
    if family.code == mixing.REGULARIZED_HORSESHOE:
        random = np.isfinite(second)
        gamma = rng.standard_gamma(0.5 * second, p) / (0.5 * second) if random else 1.0
        aux[:, 1] = gamma / first**2
    return aux


def draw_coefficients(family: Family, aux: Matrix, width: Vector, rng: Any) -> Vector:
    """Draw coefficients given the state that a family keeps, shape (p,)."""
    p, gamma = width.size, aux[:, 0]
    if family.code == mixing.GENERALIZED_PARETO:
        return np.asarray(width / gamma * rng.laplace(size=p))
    if family.code == mixing.GROUP_LAPLACE:  # v is gamma of shape (d + 1)/2, mean d + 1
        v = rng.chisquare(4.0, -(-p // 3)).repeat(3)[:p]
        return np.asarray(width * np.sqrt(v) * rng.standard_normal(p))
    spread = {
        mixing.STUDENT_T: np.sqrt(gamma),
        mixing.HORSESHOE: gamma**-0.5,
        mixing.REGULARIZED_HORSESHOE: (gamma + width**2 * aux[:, 1]) ** -0.5,
    }.get(family.code)
    if spread is None:
        return np.asarray(family.prior.draw(p, rng, 1)[0] * width / family.width)
    return np.asarray(width * spread * rng.standard_normal(p))


def shapes(family: Family, p: int) -> Matrix:
    """Numbers of the family per coefficient, groups of three; shape (p, 2)."""
    out = np.tile(np.array(family.shape), (p, 1))
    if family.code == mixing.GROUP_LAPLACE:
        out[:, 0] = np.arange(p) // 3
    return out


@pytest.mark.parametrize("name", FAMILIES)
def test_the_state_leaves_the_prior_as_it_is(name: str) -> None:
    """Geweke (2004): draw the state given β, then β given the variance: still the prior's draws."""
    family, rng = FAMILIES[name], np.random.default_rng(6)
    p = 30_000
    width, shape, variance = np.full(p, family.width), shapes(family, p), np.empty(p)
    aux = draw_state(family, p, rng)
    beta = draw_coefficients(family, aux, width, rng)
    known = family.prior.draw(3, rng, p // 3).ravel()
    assert stats.ks_2samp(beta, known).pvalue > SURE
    for _ in range(3):
        mixing.update(family.code, 0, p, beta, width, shape, aux, variance, rng)
        assert (variance > 0).all()
        beta = np.sqrt(variance) * rng.standard_normal(p)
    assert stats.ks_2samp(beta, known).pvalue > SURE
    found, expected = (np.abs(values.reshape(-1, 3)).sum(axis=1) for values in (beta, known))
    assert stats.ks_2samp(found, expected).pvalue > SURE


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("size", [0.003, 0.4, 6.0])
def test_variances_have_the_density_that_gives_the_prior_back(name: str, size: float) -> None:
    """Draws of v given β have density N(β; 0, v) p(v) / p(β), with p(β) the package's own prior."""
    family, p = FAMILIES[name], 20_000
    if name in ("normal", "slab-t", "group"):  # nothing to draw, two mixed numbers, tied variances
        return
    rng = np.random.default_rng(7)
    beta, width, variance = np.full(p, size), np.full(p, family.width), np.empty(p)
    shape, aux = shapes(family, p), draw_state(family, p, rng)
    mixing.update(family.code, 0, p, beta, width, shape, aux, variance, rng)
    whole, log_mass = mixing_density(family)
    joint = log_mass - 0.5 * (np.log(2 * math.pi * whole) + size**2 / whole)
    expected = family.prior.log_density(np.array([size]))
    assert logsumexp(joint) + math.log(STEP) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    if family.code == mixing.ELASTIC_NET:
        variance = 1 / (1 / variance - family.shape[0])
    elif family.code == mixing.REGULARIZED_HORSESHOE:
        np.testing.assert_allclose(1 / variance, aux[:, 0] / width**2 + aux[:, 1], rtol=1e-12)
        variance = width**2 / aux[:, 0]
    assert_density(joint - LOG_V, variance)


def mixing_density(family: Family) -> tuple[Vector, Vector]:
    """Prior variances of β where its free part is `V`, and log densities of log V, (m,) each."""
    w, (first, _) = family.width, family.shape
    ratio = V / w**2
    laplace = LOG_V - math.log(2 * w**2) - 0.5 * ratio
    if family.code == mixing.LAPLACE:
        return V, laplace
    if family.code == mixing.ELASTIC_NET:
        # N(β; 0, V) exp(−Pβ²/2) is N(β; 0, v) √(v/V), v = V/(1 + PV); the rest is a constant.
        gap = family.prior.log_density(np.zeros(1)) - br.Laplace(w).log_density(np.zeros(1))
        return V / (1 + first * V), laplace - 0.5 * np.log1p(first * V) + gap
    if family.code == mixing.STUDENT_T:
        return V, LOG_V + stats.invgamma.logpdf(V, 0.5 * first, scale=0.5 * first * w**2)
    if family.code == mixing.GENERALIZED_PARETO:
        rate = np.exp(np.arange(-30.0, 6.0, 0.1))[:, None]
        weight = stats.gamma.logpdf(rate, first, scale=1 / first) + np.log(rate * 0.1)
        given_rate = np.log(0.5 * rate**2) - 0.5 * rate**2 * ratio
        return V, LOG_V - 2 * math.log(w) + logsumexp(weight + given_rate, axis=0)
    # Half-Cauchy in λ, as a density of log V = 2 log(wλ).
    local = 0.5 * LOG_V - math.log(w)
    cauchy = math.log(1 / math.pi) + local - np.logaddexp(0.0, 2 * local)
    return (V if family.code == mixing.HORSESHOE else V / (1 + V / first**2)), cauchy


def test_an_infinite_width_is_a_flat_prior() -> None:
    """Its variance is infinite, and it says nothing of the scale."""
    rng = np.random.default_rng(8)
    for code in (mixing.NORMAL, mixing.LAPLACE):
        variance, aux = np.zeros(2), np.ones((2, 2))
        width, beta, shape = np.array([np.inf, 1.0]), np.array([3.0, 1.0]), np.zeros((2, 2))
        mixing.start(code, 0, 2, beta, width, shape, aux, variance)
        assert variance[0] == np.inf
        mixing.update(code, 0, 2, beta, width, shape, aux, variance, rng)
        assert variance[0] == np.inf
        assert np.isfinite(variance[1])
        assert mixing.scale_statistics(code, 0, 2, beta, width, shape, aux)[0] == 1


@pytest.mark.parametrize("name", SCALED)
def test_scale_statistics_are_the_log_density_of_the_scale(name: str) -> None:
    """Differences in s of −count·log s − linear/s − square/s² are those of log p(β | s, state)."""
    family, rng, p = FAMILIES[name], np.random.default_rng(9), 6
    unit, shape, aux = rng.uniform(0.5, 2, p), shapes(family, p), draw_state(family, p, rng)
    beta = draw_coefficients(family, aux, unit, rng)
    count, linear, square = mixing.scale_statistics(family.code, 0, p, beta, unit, shape, aux)

    def density(s: float) -> float:
        width = unit * s
        if family.code == mixing.LAPLACE:
            return br.Laplace(width).log_density(beta)
        if family.code == mixing.GENERALIZED_PARETO:
            return br.Laplace(width / aux[:, 0]).log_density(beta)
        if family.code == mixing.GROUP_LAPLACE:
            return br.GroupLaplace(width, [[0, 1, 2], [3, 4, 5]]).log_density(beta)
        local = {mixing.STUDENT_T: aux[:, 0] ** 0.5, mixing.HORSESHOE: aux[:, 0] ** -0.5}
        return br.Normal(width * local.get(family.code, 1.0)).log_density(beta)

    for s in (0.3, 2.0):
        statistics = -count * math.log(s) - linear / s - square / s**2 + linear + square
        assert statistics == pytest.approx(density(s) - density(1.0), rel=1e-10)


def test_families_that_no_multiplier_scales_say_so() -> None:
    """Their second factor stays where it is: the statistics are not numbers."""
    numbers = np.ones(1), np.ones(1), np.ones((1, 2)), np.ones((1, 2))
    for code in (mixing.ELASTIC_NET, mixing.REGULARIZED_HORSESHOE):
        assert np.isnan(mixing.scale_statistics(code, 0, 1, *numbers)).all()


@njit(nogil=True)
def _scale_chains(
    code: int,
    scale: Vector,
    beta: Matrix,
    shape: Matrix,
    aux: Matrix,
    steps: int,
    kind: int,
    a: float,
    rng: np.random.Generator,
) -> None:
    """Run one short chain over scale, state and coefficients per row of `beta`, in place."""
    p = beta.shape[1]
    unit, width, variance, prior = np.ones(p), np.empty(p), np.empty(p), (kind, a, 0.0)
    for i in range(scale.size):
        for _ in range(steps):
            scale[i] = scale_from_coefficients(
                scale[i], code, 0, p, beta[i], unit, width, shape, aux[i], prior, rng
            )
            scale[i] = scale_from_locals(
                scale[i], code, 0, p, beta[i], width, shape, aux[i], prior, rng
            )
            width[:] = unit * scale[i]
            mixing.update(code, 0, p, beta[i], width, shape, aux[i], variance, rng)
            for j in range(p):
                beta[i, j] = math.sqrt(variance[j]) * rng.standard_normal()


@pytest.mark.parametrize("name", [*SCALED, "cauchy", "slab", "slab-t"])
def test_an_unknown_scale_keeps_its_prior(name: str) -> None:
    """Geweke (2004) with s ~ half-Cauchy: s, state and β drawn in turn leave s as it was."""
    family, rng = FAMILIES[name], np.random.default_rng(10)
    chains, p = 8000, 3
    scale = 0.8 * np.abs(rng.standard_cauchy(chains))
    shape = shapes(family, p)
    aux = np.stack([draw_state(family, p, rng) for _ in range(chains)])
    beta = np.stack(
        [draw_coefficients(family, aux[i], np.full(p, scale[i]), rng) for i in range(chains)]
    )
    kind = SCALE_PRIORS.index(br.HalfCauchy)
    _scale_chains(family.code, scale, beta, shape, aux, 5, kind, 0.8, rng)
    assert stats.kstest(scale, stats.halfcauchy(scale=0.8).cdf).pvalue > SURE


# --------------------------------------------------------------------------- spike and slab


@njit(nogil=True)
def _spike_chain(
    route: int,
    X: Matrix,
    residual: Vector,
    gram: Matrix,
    pull: Vector,
    weights: Vector,
    variance: float,
    inclusion: Vector,
    slab: Vector,
    out: Matrix,
    rng: np.random.Generator,
) -> None:
    """Draw from a spike and slab posterior from 0 on, one row of `out` per sweep."""
    p = out.shape[1]
    beta = np.zeros(p)
    for i in range(out.shape[0]):
        if route == 0:
            count = spike.sweep_rows(
                0, p, beta, X, weights, residual, variance, inclusion, slab, rng
            )
        elif route == 1:
            count = spike.sweep_gram(0, p, beta, gram, pull, variance, inclusion, slab, rng)
        else:
            count = spike._one_by_one(0, p, beta, gram, pull, variance, inclusion, slab, rng)
        if count != (beta != 0).sum():
            beta[:] = np.nan
        out[i] = beta


@pytest.mark.parametrize("route", [0, 1, 2], ids=["rows", "collapsed", "one-by-one"])
def test_spike_and_slab_equals_the_sum_over_all_models(route: int) -> None:
    """Shares of models and means, against 2⁴ models with weights of the rows, by every route."""
    rng = np.random.default_rng(11)
    n, p, variance = 9, 4, 0.8
    X = rng.normal(size=(n, p)) + 0.7 * rng.normal(size=(n, 1))
    y = X @ [0.8, 0.0, -0.4, 0.0] + rng.normal(size=n)
    weights = rng.uniform(0.5, 2.0, n)
    inclusion, slab = np.array([0.2, 0.5, 0.7, 0.4]), np.array([1.0, 0.5, 2.0, 1.0])
    draws = np.empty((60_000, p))
    gram, pull = X.T @ (X * weights[:, None]), X.T @ (weights * y)
    columns = np.asfortranarray(X)
    _spike_chain(
        route, columns, y.copy(), gram, pull, weights, variance, inclusion, slab, draws, rng
    )
    chance, models, means = [], list(product([0, 1], repeat=p)), []
    for model in models:
        k = np.flatnonzero(model)
        covariance = np.diag(variance / weights) + (X[:, k] * slab[k] ** 2) @ X[:, k].T
        prior = np.where(model, inclusion, 1 - inclusion).prod()
        chance.append(prior * stats.multivariate_normal.pdf(y, np.zeros(n), covariance))
        mean = np.zeros(p)
        mean[k] = slab[k] ** 2 * (X[:, k].T @ np.linalg.solve(covariance, y))
        means.append(mean)
    share = np.array(chance) / sum(chance)
    visited = (draws != 0) @ (2 ** np.arange(p)[::-1])
    for m, expected in enumerate(share):
        assert_mean(visited == m, float(expected))
    for j, expected in enumerate(share @ np.array(means)):
        assert_mean(draws[:, j], float(expected))


def assert_mean(values: Any, expected: float) -> None:
    """Hold an average over a chain to its value, within 6 standard errors of 200 batch means."""
    batches = np.asarray(values, dtype=float).reshape(200, -1).mean(axis=1)
    assert abs(batches.mean() - expected) < 6 * batches.std() / math.sqrt(200) + 1e-9


def test_collapsed_sweeps_keep_their_sums_of_products() -> None:
    """Beside other coefficients, and with columns that are equal: exact zeros, no drift."""
    rng = np.random.default_rng(18)
    X = rng.normal(size=(30, 6))
    X[:, 4] = X[:, 3]
    y = X @ [1.0, 0.0, 0.0, 0.5, 0.5, 0.0] + rng.normal(size=30)
    gram, beta = X.T @ X, rng.normal(size=6)
    pull, other = X.T @ (y - X @ beta), beta[:2].copy()
    seen = np.zeros(4)
    for _ in range(500):
        args = (gram, pull, 1.0, np.full(4, 0.5), np.full(4, 100.0))
        count = spike.sweep_gram(2, 6, beta, *args, rng)
        assert count == (beta[2:] != 0.0).sum()
        seen += beta[2:] == 0.0
    np.testing.assert_array_equal(beta[:2], other)
    np.testing.assert_allclose(pull, X.T @ (y - X @ beta), atol=1e-9)
    assert ((seen > 0) & (seen < 500)).all()


def test_what_is_excluded_is_exactly_zero() -> None:
    """With strong evidence either way a coefficient is never, or always, 0.0."""
    rng = np.random.default_rng(12)
    draws = [draw_one(1e8, pull, 0.5, 1.0, rng) for pull in (0.0, 1e12) for _ in range(200)]
    assert set(draws[:200]) <= {0.0} or np.mean(np.array(draws[:200]) == 0.0) > 0.99
    assert np.isfinite(draws).all()
    np.testing.assert_allclose(draws[200:], 1e4, rtol=1e-3)


# --------------------------------------------------------------------------- whole posteriors

WHOLE = {
    "normal": br.Normal([0.5, 1.0]),
    "laplace": br.Laplace([0.3, 0.6]),
    "elastic-net": br.ElasticNet(0.3, [0.5, 2.0]),
    "student": br.StudentT(3.0, [0.3, 0.6]),
    "pareto": br.GeneralizedDoublePareto([0.3, 0.6], 1.5),
    "horseshoe": br.Horseshoe([0.3, 0.6]),
    "slab": br.RegularizedHorseshoe([0.3, 2.0], 0.5),
    "slab-t": br.RegularizedHorseshoe(0.3, 0.5, 3.0),
    "group": br.GroupLaplace([0.3, 0.6], [[0, 1]]),
    "student-unknown": br.StudentT(3.0, br.HalfNormal(0.7)),
    "pareto-unknown": br.GeneralizedDoublePareto(br.HalfNormal(0.7), 1.5),
    "horseshoe-unknown": br.Horseshoe(br.HalfNormal(0.7)),
    "slab-unknown": br.RegularizedHorseshoe(br.HalfNormal(0.7), 0.5),
}


def two_columns(prior: Any) -> br.Problem:
    """Make a small problem of two correlated columns, one effect clear and one not."""
    rng = np.random.default_rng(16)
    X = rng.normal(size=(10, 2)) + 0.8 * rng.normal(size=(10, 1))
    y = X @ [0.9, 0.1] + 0.8 * rng.normal(size=10)
    return br.Problem(X, y, likelihood=br.Gaussian(0.8), prior=prior, intercept=False)


def posterior_grid(problem: br.Problem) -> tuple[Vector, Vector, Matrix]:
    """Return both coefficients and the posterior mass, on a grid that is even in log |β|."""
    unknown = "scale" in problem.unknown
    log_size = np.arange(math.log(1e-7), math.log(8.0), 0.06 if unknown else 0.03)
    size = np.exp(log_size)
    b = np.concatenate([-size[::-1], size])
    first, second = np.meshgrid(b, b, indexing="ij")
    X, y = problem.design.X, problem.design.y
    G, c = X.T @ X / 0.64, X.T @ y / 0.64
    log_mass = first * c[0] + second * c[1] + np.log(np.abs(first * second))
    log_mass -= 0.5 * (G[0, 0] * first**2 + G[1, 1] * second**2) + G[0, 1] * first * second
    log_mass -= log_mass.max()
    if isinstance(problem.prior, br.GroupLaplace):
        b1, b2 = np.broadcast_to(problem.prior.scale, 2)
        return first, second, np.exp(log_mass - np.hypot(first / b1, second / b2))
    total = np.zeros_like(first)
    for s in np.exp(np.arange(-9.0, 1.3, 0.1)) if unknown else np.ones(1):  # even in log s
        prior = problem.given(scale=float(s)).prior if unknown else problem.prior
        one, two = (np.exp(single(prior, j).log_densities(b)) for j in range(2))
        weight = s * math.exp(br.HalfNormal(0.7).log_density(float(s))) if unknown else 1.0
        total += weight * np.outer(one, two)
    return first, second, np.exp(log_mass) * total


def single(prior: Any, j: int) -> Any:
    """Prior of coefficient j alone, with numbers for vectors."""
    fields = {k: float(v[j]) for k, v in vars(prior).items() if isinstance(v, np.ndarray)}
    return replace(prior, **fields)


@pytest.mark.parametrize("name", WHOLE)
def test_gibbs_draws_from_the_posterior_of_every_family(name: str) -> None:
    """Means, squares, products and probabilities of small sizes, against sums over a grid."""
    problem = two_columns(WHOLE[name])
    settings = Settings(draws=15_000, chains=4, tune=500, target_accept=0.8, progress=False)
    found = Gibbs().draw(problem, settings, np.random.default_rng(17)).posterior["beta"]
    found_1, found_2 = found[..., 0].ravel(), found[..., 1].ravel()
    first, second, mass = posterior_grid(problem)
    mass /= mass.sum()
    for function in (
        lambda b, _: b,
        lambda _, c: c,
        lambda b, c: b * c,
        lambda _, c: c**2,
        lambda b, _: np.abs(b) < 0.3,
        lambda _, c: np.abs(c) < 0.05,
        lambda _, c: np.abs(c) < 0.002,
    ):
        assert_mean(function(found_1, found_2), float((mass * function(first, second)).sum()))


# --------------------------------------------------------------------------- regularised horseshoe


@pytest.mark.parametrize(("scale", "slab"), [(1.0, 2.0), (0.01, 2.0), (5.0, 0.1), (1.0, 1.0)])
def test_regularised_horseshoe_density_integrates_over_the_local_scale(
    scale: float, slab: float
) -> None:
    """Each density, divided by that of the slab where it is all, against a sum over log λ."""
    prior = br.RegularizedHorseshoe(scale, slab)
    log_lambda = np.arange(-60.0, 60.0, 0.01)
    local = np.exp(log_lambda)
    weight = 2 / math.pi / (1 + local**2) * local * 0.01
    for x in np.array([1e-6, 0.1, 1.0, 4.0]) * slab:
        sd = 1 / np.sqrt(1 / slab**2 + 1 / (scale * local) ** 2)
        expected = math.log((weight * stats.norm.pdf(x, 0, sd)).sum())
        found = prior.log_densities(np.array([x]))[0]
        assert found == pytest.approx(expected, rel=1e-11, abs=1e-11)


def test_regularised_horseshoe_of_a_random_slab_averages_known_slabs() -> None:
    """Its density is the mean of those with c known, over c² inverse gamma."""
    x, df, slab = np.array([1e-4, 0.3, 2.0, 30.0]), 3.0, 0.7
    log_c = np.arange(-9.0, 16.0, 0.02)
    square = np.exp(2 * log_c)
    weight = stats.invgamma.pdf(square, df / 2, scale=df / 2 * slab**2) * 2 * square * 0.02
    known = [np.exp(br.RegularizedHorseshoe(0.2, math.exp(c)).log_densities(x)) for c in log_c]
    found = br.RegularizedHorseshoe(0.2, slab, df).log_densities(x)
    np.testing.assert_allclose(found, np.log(weight @ np.array(known)), rtol=1e-9)


def test_regularised_horseshoe_has_its_limits() -> None:
    """A horseshoe for a wide slab, the slab for a wide scale, a known slab for many degrees."""
    x = np.array([0.01, 0.5, 3.0])
    wide = br.RegularizedHorseshoe(0.3, 1e9).log_densities(x)
    np.testing.assert_allclose(wide, br.Horseshoe(0.3).log_densities(x), rtol=1e-8)
    slab = br.RegularizedHorseshoe(1e9, 0.5).log_densities(x)
    np.testing.assert_allclose(slab, br.Normal(0.5).log_densities(x), rtol=1e-6)
    many_df = br.RegularizedHorseshoe(0.3, 0.5, 1e7).log_densities(x)
    known = br.RegularizedHorseshoe(0.3, 0.5).log_densities(x)
    np.testing.assert_allclose(many_df, known, rtol=1e-5)


def test_regularised_horseshoe_has_an_unknown_scale_but_a_known_slab() -> None:
    """Given the scale it is the prior with it; the factor multiplies the scale alone."""
    unknown = br.RegularizedHorseshoe(br.HalfCauchy(1.0), 2.0, factor=[1.0, 3.0])
    assert unknown.hyperprior == br.HalfCauchy(1.0)
    given, x = unknown.given(scale=0.5), np.array([0.4, 0.5])
    expected = br.RegularizedHorseshoe([0.5, 1.5], 2.0).log_densities(x)
    np.testing.assert_allclose(given.log_densities(x), expected, rtol=1e-13)
    assert "τ" in unknown.formula()
    assert same_prior(given, br.RegularizedHorseshoe([0.5, 1.5], 2.0), 2)
    assert not same_prior(given, br.RegularizedHorseshoe([0.5, 1.5], 2.1), 2)


def test_regularised_horseshoe_has_moments_where_they_exist() -> None:
    """Its variance is scale c²/(c + scale); infinite for a slab with one degree of freedom."""
    mean, variances = br.RegularizedHorseshoe([0.5, 2.0], 3.0).moments(2)
    assert (mean == 0).all()
    np.testing.assert_allclose(variances, [0.5 * 9 / 3.5, 2 * 9 / 5], rtol=1e-14)
    assert br.RegularizedHorseshoe(0.5, 3.0, 1.0).moments(1)[1][0] == np.inf
    draws = br.RegularizedHorseshoe(0.5, 1.0, 12.0).draw(1, np.random.default_rng(13), 200_000)
    variance = br.RegularizedHorseshoe(0.5, 1.0, 12.0).moments(1)[1][0]
    error = (draws**2).std() / math.sqrt(draws.size)
    assert abs((draws**2).mean() - variance) < 6 * error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": np.inf}, "scale: must be finite"),
        ({"slab_scale": np.inf}, "slab_scale: must be finite"),
        ({"factor": np.inf}, "factor: must be finite"),
        ({"slab_df": [1.0, 2.0]}, "slab_df: must be one number"),
        ({"slab_df": 0.0}, "slab_df: must be positive"),
        ({"nonnegative": True}, "nonnegative: a horseshoe has both signs"),
        ({"relative_to": "sigma"}, "relative_to: the slab is in units of the coefficient"),
    ],
)
def test_regularised_horseshoe_judges_its_arguments(
    arguments: dict[str, Any], message: str
) -> None:
    """The message names the argument."""
    settings: dict[str, Any] = {"scale": 1.0, "slab_scale": 1.0} | arguments
    with pytest.raises(InputError, match=message):
        br.RegularizedHorseshoe(**settings)


def test_regularised_horseshoe_has_no_mode() -> None:
    """Its density is infinite at 0: find_map refuses with that reason."""
    X, y = data(br.Gaussian(1.0), seed=0)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.RegularizedHorseshoe(1.0, 2.0))
    with pytest.raises(DegenerateMode, match="regularised horseshoe density is infinite at 0"):
        br.find_map(problem)


# --------------------------------------------------------------------------- joint density


def every_prior() -> dict[str, Any]:
    """Examples of every prior, with unknown and relative scales, and in blocks."""
    return every_example() | {
        "slab": br.RegularizedHorseshoe(0.3, np.arange(1.0, P + 1)),
        "slab-t": br.RegularizedHorseshoe(br.HalfCauchy(1.0), 2.0, 4.0, factor=[1, 2, 3, 4, 5]),
        "horseshoe-relative": br.Horseshoe(br.HalfCauchy(1.0), relative_to="sigma"),
        "student-unknown": br.StudentT(3.0, br.HalfNormal(1.0), factor=[1, 2, 3, 4, 5]),
        "pareto-relative": br.GeneralizedDoublePareto(0.4, 2.0, relative_to="sigma"),
        "laplace-relative": br.Laplace(br.HalfCauchy(1.0), relative_to="sigma"),
        "blocks": [
            (br.SpikeSlab(0.2, [1.0, 2.0]), [0, 3]),
            (br.Laplace(br.HalfCauchy(1.0), relative_to="sigma"), [1]),
            (br.GroupLaplace(1.0, [[0, 1]]), [4, 2]),
        ],
    }


def log_prior_by_parts(problem: br.Problem, coef: Vector) -> float:
    """Log density of coefficients, part by part, one draw at a time."""
    prior = problem.coef_prior
    parts = getattr(prior, "parts", ((prior, range(problem.p)),))
    return float(sum(q.log_density(coef[list(columns)]) for q, columns in parts))


@pytest.mark.parametrize("name", every_prior())
def test_log_joint_takes_every_prior(name: str) -> None:
    """Equal to likelihood times prior at one draw after the other, with unknowns and weights."""
    X, y = data(br.Gaussian(0.7), seed=1, n=12)
    rng = np.random.default_rng(14)
    problem = br.Problem(
        X,
        y,
        likelihood=br.Gaussian(br.HalfNormal(2.0)),
        prior=every_prior()[name],
        standardize=len(name) % 2 == 0,
        weights=rng.uniform(0.5, 2.0, y.size),
        offset=rng.normal(size=y.size),
    )
    size = (2, 3)
    draws = {"beta": 0.1 * np.abs(rng.normal(size=(*size, P))), "intercept": rng.normal(size=size)}
    draws["beta"][0, :, 0] = 0.0 if name in ("blocks", "spike-slab") else 0.1
    draws |= {unknown: rng.uniform(0.5, 2.0, size) for unknown in problem.unknown}
    found = log_joint(problem, draws)
    for at in np.ndindex(*size):
        values: dict[Any, float] = {key: float(draws[key][at]) for key in problem.unknown}
        known, coef = problem.given(**values), draws["beta"][at]
        design = known.design
        loss = known.loss(coef, float(draws["intercept"][at]))
        loss += known.likelihood.constant(design.y, design.row_weights)
        hyper = sum(q.log_density(values[key]) for key, q in problem.hyperpriors().items())
        expected = log_prior_by_parts(known, coef) + hyper - loss
        assert found[at] == pytest.approx(expected, rel=1e-11, abs=1e-11)


def test_log_joint_of_wide_data_and_other_likelihoods() -> None:
    """More columns than rows, and logistic and Poisson rows, equal minus the objective."""
    rng = np.random.default_rng(15)
    for likelihood in (br.Gaussian(0.7), br.Bernoulli(), br.Poisson()):
        X, y = data(likelihood, seed=2, n=4)
        problem = br.Problem(X, y, likelihood=likelihood, prior=br.StudentT(3.0, 0.4))
        draws = {"beta": rng.normal(size=(2, 2, P)), "intercept": rng.normal(size=(2, 2))}
        found = log_joint(problem, draws)
        for at in np.ndindex(2, 2):
            expected = -problem.objective(draws["beta"][at], float(draws["intercept"][at]))
            assert found[at] == pytest.approx(expected, rel=1e-11)


def test_what_is_no_elastic_net_says_so() -> None:
    """The reason names the prior; `require_known_prior` turns it into an error."""
    X, y = data(br.Gaussian(0.7), seed=1)
    for prior in degenerate_examples().values():
        problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=prior)
        assert prior.name in str(reason_against_prior(problem))
        with pytest.raises(NoClosedForm, match=r"bayesreg\.sample"):
            require_known_prior(problem)
    half = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Laplace(1.0, nonnegative=True))
    assert "no negative coefficient of 'x0'" in str(reason_against_prior(half))
    plain = half.with_prior(br.Laplace(1.0))
    assert reason_against_prior(plain) is None
    require_known_prior(plain)
