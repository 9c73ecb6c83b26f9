"""Shrinkage factors and the effective number of coefficients, against quadrature and formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import integrate

import bayesreg as br
from bayesreg.errors import InputError
from bayesreg.sparsity.shrinkage import information
from tests.sparsity_draws import tree_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector
    from bayesreg.priors import Prior


def simulated(prior: Prior, likelihood: Any = None, **options: Any) -> br.Problem:
    """Thirty rows of four columns of different widths."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((30, 4)) * np.array([1.0, 0.1, 3.0, 10.0]) + 1.0
    y = np.where(rng.random(30) < 0.4, 1.0, 0.0)
    return br.Problem(X, y, likelihood=likelihood or br.Gaussian(0.5), prior=prior, **options)


# --------------------------------------------------------------------------- known variances


@pytest.mark.parametrize("options", [{}, {"intercept": False}, {"standardize": True}])
def test_kappa_of_a_ridge_is_its_formula(options: dict[str, Any]) -> None:
    """``1/(1 + τ² Σ(x − x̄)²/σ²)``, weights and standardisation included."""
    weights = np.linspace(0.5, 2.0, 30)
    problem = simulated(br.Normal(0.7), weights=weights, **options)
    level = {} if not problem.design.intercept else {"intercept": np.zeros(2)}
    found = br.sparsity.shrinkage(problem, tree_of(problem, np.ones((2, 4)), **level))
    X, sd = problem.design.X, 0.7 / problem.design.column_scale
    centre = weights @ X / weights.sum() if problem.design.intercept else 0.0
    square = weights @ (X - centre) ** 2
    np.testing.assert_allclose(found.kappa[0], 1 / (1 + sd**2 * square / 0.25), rtol=1e-12)
    np.testing.assert_allclose(found.m_eff, (1 - found.kappa).sum(axis=1))


def test_kappa_is_the_share_that_the_conditional_mean_gives_up() -> None:
    """With one column it is one less the ratio of posterior mean and least squares."""
    x, y = np.array([1.0, 2.0, -1.0]), np.array([1.5, 3.0, 0.0])
    problem = br.Problem(x[:, None], y, likelihood=br.Gaussian(2.0), prior=br.Normal(0.6),
                         intercept=False)  # fmt: skip
    kappa = br.sparsity.shrinkage(problem, tree_of(problem, np.ones((1, 1)))).kappa[0, 0]
    least_squares = x @ y / (x @ x)
    assert br.posterior_moments(problem).mean[0] == pytest.approx((1 - kappa) * least_squares)


def test_units_of_a_column_change_nothing() -> None:
    """A column in other units, its prior with it."""
    one, factor = simulated(br.Horseshoe(np.full(4, 0.3))), 4.0
    X = one.design.X * factor
    other = br.Problem(X, one.design.y, likelihood=br.Gaussian(0.5), prior=br.Horseshoe(0.075))
    beta = np.random.default_rng(0).standard_normal((20, 4))
    level = {"intercept": np.zeros(20)}
    here = br.sparsity.shrinkage(one, tree_of(one, beta, **level))
    there = br.sparsity.shrinkage(other, tree_of(other, beta / factor, **level))
    np.testing.assert_allclose(here.kappa, there.kappa, rtol=1e-10)


def test_flat_is_not_shrunk_and_a_spike_is_all_or_slab() -> None:
    """κ = 0 without a prior; under a spike 1 where the draw is 0, else that of the slab."""
    parts: Any = [(br.Flat(), [0, 2]), (br.SpikeSlab(0.5, 0.7), [1, 3])]
    problem = simulated(parts)
    beta = np.array([[1.0, 0.0, 0.0, 2.0]])
    found = br.sparsity.shrinkage(problem, tree_of(problem, beta, intercept=np.zeros(1)))
    slab = 1 / (1 + 0.49 * information(problem)[3] / 0.25)
    np.testing.assert_allclose(found.kappa[0], [0.0, 1.0, 0.0, slab])


def test_information_of_other_likelihoods() -> None:
    """Logistic: ``ȳ(1 − ȳ)`` per row; Poisson: ȳ; Student-t noise: ``(ν + 1)/(ν + 3)/σ²``."""
    problem = simulated(br.Normal(1.0), br.Bernoulli())
    X, mean = problem.design.X, problem.design.y.mean()
    square = ((X - X.mean(axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(information(problem), mean * (1 - mean) * square, rtol=1e-9)
    counts = simulated(br.Normal(1.0), br.Poisson())
    np.testing.assert_allclose(information(counts), mean * square, rtol=1e-9)
    heavy = simulated(br.Normal(1.0), br.StudentTNoise(nu=5.0, sigma=2.0))
    np.testing.assert_allclose(information(heavy), 0.75 * square, rtol=1e-9)


# --------------------------------------------------------------------------- local variances

SIZE = 100_000


def _half_cauchy(rng: np.random.Generator) -> Vector:
    return np.asarray(np.abs(rng.standard_cauchy(SIZE)))


def _slabbed(rng: np.random.Generator, *, df: float) -> Vector:
    slab = 1.5**2 / (rng.standard_gamma(df / 2, SIZE) / (df / 2)) if df < 1e9 else 1.5**2
    return np.asarray(1 / (1 / (0.6 * _half_cauchy(rng)) ** 2 + 1 / slab))


#: How each family draws the variance of a coefficient, from its definition.
FAMILIES: dict[str, tuple[Prior, Callable[[np.random.Generator], Vector]]] = {
    "laplace": (br.Laplace(0.6), lambda rng: 0.36 * rng.exponential(2.0, SIZE)),
    "student_t": (br.StudentT(3.0, 0.6), lambda rng: 0.36 * 1.5 / rng.standard_gamma(1.5, SIZE)),
    "horseshoe": (br.Horseshoe(0.6), lambda rng: (0.6 * _half_cauchy(rng)) ** 2),
    "slabbed": (br.RegularizedHorseshoe(0.6, 1.5), lambda rng: _slabbed(rng, df=np.inf)),
    "random_slab": (br.RegularizedHorseshoe(0.6, 1.5, 4.0), lambda rng: _slabbed(rng, df=4.0)),
    "thick_slab": (br.RegularizedHorseshoe(0.6, 1.5, 1.0), lambda rng: _slabbed(rng, df=1.0)),
    "pareto": (
        br.GeneralizedDoublePareto(0.6, 2.0),
        lambda rng: (0.6 * 2.0 / rng.standard_gamma(2.0, SIZE)) ** 2 * rng.exponential(2.0, SIZE),
    ),
}


@pytest.mark.parametrize("beta", [0.02, 0.7, 4.0])
@pytest.mark.parametrize("name", FAMILIES)
def test_kappa_given_a_coefficient_is_that_of_the_definition(name: str, beta: float) -> None:
    """Prior draws of the variance weighted by ``N(β; 0, V)``; within six standard errors."""
    prior, variance = FAMILIES[name]
    V = variance(np.random.default_rng(1))
    weight = np.exp(-0.5 * beta**2 / V) / np.sqrt(V)
    weight /= weight.sum()
    kappa = 1 / (1 + 2.0 * V)
    problem = br.Problem([[1.0], [1.0]], [0.0, 1.0], likelihood=br.Gaussian(1.0), prior=prior,
                         intercept=False)  # fmt: skip
    drawn = br.sparsity.shrinkage(problem, tree_of(problem, np.full((10_000, 1), beta)))
    for power in (1, 2):
        exact = weight @ kappa**power
        error = np.sqrt(weight**2 @ (kappa**power - exact) ** 2)
        found = drawn.kappa[:, 0] ** power
        tolerance = 6 * np.hypot(error, found.std() / np.sqrt(10_000)) + 1e-6
        assert abs(found.mean() - exact) < tolerance


def test_an_elastic_net_adds_the_precision_of_its_square() -> None:
    """``1/V = 1/(b² v) + 1/l2²``: never wider than its normal factor."""
    problem = simulated(br.ElasticNet(0.6, 0.3))
    beta = np.random.default_rng(0).normal(0, 0.2, (500, 4))
    found = br.sparsity.shrinkage(problem, tree_of(problem, beta, intercept=np.zeros(500)))
    assert (found.kappa >= 1 / (1 + 0.09 * information(problem) / 0.25)).all()


def test_kappa_of_the_horseshoe_on_normal_means_is_exact() -> None:
    """One observation: density of κ ∝ ``κ^(−1/2) (1 − κ)^(−1/2) …`` by quadrature; E β with it.

    Given κ the observation is normal of variance 1/κ, so the weight of a local scale is
    ``N(y; 0, 1 + τ²λ²) C⁺(λ)``, and ``E β = (1 − E κ) y`` (Carvalho, Polson & Scott 2010).
    """
    y, tau = np.array([0.3, 2.0, 4.0]), 0.5
    problem = br.Problem(np.eye(3), y, likelihood=br.Gaussian(1.0), prior=br.Horseshoe(tau),
                         intercept=False)  # fmt: skip
    draws = br.sample(problem, draws=2500, seed=2, progress=False)
    found = br.sparsity.shrinkage(problem, draws)
    chains = found.kappa.reshape(4, 2500, 3)
    batches = chains.reshape(4 * 25, 100, 3).mean(axis=1)
    error = batches.std(axis=0) / np.sqrt(len(batches))
    for j, target in enumerate(y):

        def weight(angle: float, target: float = target) -> float:
            total = 1 + (tau * np.tan(angle)) ** 2
            return float(np.exp(-0.5 * target**2 / total) / np.sqrt(total))

        mass = integrate.quad(weight, 0, np.pi / 2)[0]
        exact = integrate.quad(
            lambda a, f=weight: f(a) / (1 + (tau * np.tan(a)) ** 2), 0, np.pi / 2
        )[0]
        exact /= mass
        assert abs(found.kappa[:, j].mean() - exact) < 6 * error[j]
        assert abs(np.asarray(draws["posterior"]["beta"])[..., j].mean() - (1 - exact) * target) < (
            6 * 3 / np.sqrt(1000)
        )


# --------------------------------------------------------------------------- the prior of m_eff


@pytest.mark.parametrize("tau", [0.01, 0.1, 1.0])
def test_the_prior_of_m_eff_is_that_of_piironen_and_vehtari(tau: float) -> None:
    """Mean ``Σ a/(1 + a)``, variance ``Σ a/(2(1 + a)²)`` with ``a = τ √n s/σ``."""
    problem = simulated(br.Horseshoe(tau))
    a = tau * np.sqrt(information(problem)) / 0.5
    drawn = br.sparsity.prior_effective_number(problem, size=10_000, seed=1)
    mean, variance = (a / (1 + a)).sum(), (a / (2 * (1 + a) ** 2)).sum()
    assert abs(drawn.mean() - mean) < 6 * np.sqrt(variance / 10_000)
    fourth = ((drawn - mean) ** 2).std() / np.sqrt(10_000)
    assert abs(drawn.var() - variance) < 6 * fourth


def test_the_prior_of_m_eff_integrates_over_unknown_scales() -> None:
    """τ drawn from its prior; sigma conditioned on, or drawn; the group of the draws agrees."""
    problem = simulated(br.Horseshoe(br.HalfNormal(0.2)), br.Gaussian(br.HalfNormal(1.0)))
    drawn = br.sparsity.prior_effective_number(problem, sigma=0.5, size=2000, seed=4)
    rng = np.random.default_rng(0)
    tau = np.abs(rng.normal(0, 0.2, (20_000, 1)))
    a = tau * np.sqrt(information(problem)) / 0.5
    expected = (a / (1 + a)).sum(axis=1)
    assert abs(drawn.mean() - expected.mean()) < 6 * 2 / np.sqrt(2000)
    free = br.sparsity.prior_effective_number(problem, size=1000, seed=4)
    tree = br.sample(problem, draws=250, tune=250, prior=True, seed=0, progress=False)
    found = br.sparsity.shrinkage(problem, tree, group="prior").m_eff
    assert abs(free.mean() - found.mean()) < 6 * 1.6 / np.sqrt(500)


def test_a_random_slab_returns_its_own_prior() -> None:
    """β from the prior, then its variance given β: together the prior of the variance."""
    prior, variance = FAMILIES["random_slab"]
    problem = br.Problem(np.eye(2), [0.0, 1.0], likelihood=br.Gaussian(1.0), prior=prior,
                         intercept=False)  # fmt: skip
    found = br.sparsity.prior_effective_number(problem, size=20_000, seed=3)
    V = variance(np.random.default_rng(5))
    direct = 2 * (1 - 1 / (1 + V))
    assert abs(found.mean() - direct.mean()) < 6 * direct.std() / np.sqrt(20_000)


def test_what_has_no_local_variances_is_refused() -> None:
    """Priors that are no mixtures of normals, and priors that are improper."""
    ball = simulated(br.LInfinity(1.0))
    with pytest.raises(InputError, match="no scale mixture of normals"):
        br.sparsity.shrinkage(ball, tree_of(ball, np.ones((1, 4)), intercept=np.zeros(1)))
    with pytest.raises(InputError, match="no scale mixture of normals"):
        br.sparsity.prior_effective_number(ball)
    vague = simulated(br.Horseshoe(0.1), br.Gaussian(br.Flat()))
    with pytest.raises(InputError, match="sigma"):
        br.sparsity.prior_effective_number(vague)
    assert br.sparsity.prior_effective_number(vague, sigma=1.0, size=3).shape == (3,)
    known = simulated(br.Horseshoe(0.1))
    with pytest.raises(InputError, match="sigma: is not unknown"):
        br.sparsity.prior_effective_number(known, sigma=1.0)
    with pytest.raises(InputError, match="sample with prior=True"):
        br.sparsity.shrinkage(
            known, tree_of(known, np.ones((1, 4)), intercept=np.zeros(1)), group="prior"
        )
