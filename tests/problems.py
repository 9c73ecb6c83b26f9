"""A bank of problems that the tests of solvers, certificates and bridges share."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

import bayesreg as br
from bayesreg.likelihoods import (
    LIKELIHOODS,
    Bernoulli,
    Gaussian,
    Likelihood,
    Poisson,
    StudentTNoise,
)
from bayesreg.priors import (
    PRIORS,
    Bridge,
    ElasticNet,
    Flat,
    Fused,
    GeneralizedDoublePareto,
    GroupLaplace,
    Horseshoe,
    IndependentPrior,
    Laplace,
    LInfinity,
    Normal,
    Prior,
    RegularizedHorseshoe,
    Slope,
    SpikeSlab,
    StudentT,
    UniformBall,
)

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

P = 5


def likelihood_examples() -> dict[str, Likelihood]:
    """One of each likelihood; fails when a new one is not listed."""
    examples: dict[str, Likelihood] = {
        "gaussian": Gaussian(sigma=0.7),
        "bernoulli": Bernoulli(),
        "poisson": Poisson(),
        "student_t": StudentTNoise(nu=3.0, sigma=0.7),
    }
    assert {type(v) for v in examples.values()} == set(LIKELIHOODS)
    return examples


def prior_examples() -> dict[str, IndependentPrior]:
    """Priors of independent coefficients, P of them, that are convex penalties: of each a few."""
    scales = np.array([0.05, 0.3, 1.0, 0.2, 4.0])
    return {
        "normal": Normal(scale=0.4),
        "normal-loc": Normal(scale=scales, loc=np.array([0.0, 1.0, -1.0, 0.5, 0.0])),
        "laplace": Laplace(scale=0.1),
        "laplace-vector": Laplace(scale=scales),
        "laplace-partly-flat": Laplace(scale=np.array([0.1, np.inf, 0.1, 0.2, 0.1])),
        "elastic-net": ElasticNet(l1_scale=0.2, l2_scale=0.5),
        "flat": Flat(),
        "half-normal": Normal(scale=scales, nonnegative=True),
        "truncated-normal": Normal(scale=0.3, loc=scales - 0.5, nonnegative=True),
        "exponential": Laplace(scale=0.2, nonnegative=True),
        "half-elastic-net": ElasticNet(l1_scale=0.5, l2_scale=scales, nonnegative=True),
        "bridge": Bridge(scale=scales, power=1.5),
        "half-bridge": Bridge(
            scale=np.array([0.3, np.inf, 1.0, 0.2, 4.0]), power=3.0, nonnegative=True
        ),
    }


def nonconvex_examples() -> dict[str, IndependentPrior]:
    """Priors of independent coefficients that are penalties, but not convex ones."""
    scales = np.array([0.05, 0.3, 1.0, 0.2, 4.0])
    return {
        "cauchy": StudentT(nu=1.0, scale=0.1),
        "student-t": StudentT(nu=4.0, scale=np.array([0.05, np.inf, 1.0, 0.2, 4.0])),
        "half-cauchy": StudentT(nu=1.0, scale=scales, nonnegative=True),
        "double-pareto": GeneralizedDoublePareto(scale=scales, shape=1.0),
        "half-pareto": GeneralizedDoublePareto(scale=0.1, shape=3.5, nonnegative=True),
        "cusp": Bridge(scale=scales, power=0.5),
        "half-cusp": Bridge(scale=0.05, power=0.8, nonnegative=True),
    }


def degenerate_examples() -> dict[str, IndependentPrior]:
    """Priors whose posterior has no mode."""
    return {
        "horseshoe": Horseshoe(scale=np.array([0.05, 0.3, 1.0, 0.2, 4.0])),
        "regularized-horseshoe": RegularizedHorseshoe(scale=0.3, slab_scale=2.0),
        "regularized-horseshoe-t": RegularizedHorseshoe(
            scale=np.array([0.05, 0.3, 1.0, 0.2, 4.0]), slab_scale=1.5, slab_df=4.0
        ),
        "spike-slab": SpikeSlab(inclusion=0.3, slab_scale=2.0),
    }


def norm_examples() -> dict[str, Prior]:
    """Priors of P coefficients together: of each one with equal scales, and one without."""
    scales = np.array([0.05, 0.3, 1.0, 0.2, 4.0])
    groups, weights = [[0, 2], [1, 3, 4]], np.array([2.0, 1.5, 1.0, 1.0, 0.0])
    return {
        "group": GroupLaplace(0.1, groups),
        "group-vector": GroupLaplace(scales, [[4, 1]]),
        "sup": LInfinity(0.05),
        "sup-vector": LInfinity(scales / 10),
        "slope": Slope(0.1, weights),
        "slope-vector": Slope(scales, weights),
        "l1-ball": UniformBall(0.5, "l1"),
        "l1-ball-vector": UniformBall(2.0, "l1", scale=scales),
        "l2-ball": UniformBall(0.3),
        "l2-ball-vector": UniformBall(1.5, scale=scales),
        "sup-ball": UniformBall(0.2, "linf"),
        "group-ball": UniformBall(0.5, "group", groups=groups),
        "group-ball-vector": UniformBall(1.5, "group", groups=groups, scale=scales),
        "fused": Fused(0.1),
        "fused-proper": Fused(0.1, first_scale=0.2),
        "fused-vector": Fused(0.3, first_scale=1.0, factor=scales),
    }


def every_example() -> dict[str, Prior]:
    """All examples of priors; fails when a new prior has none."""
    examples: dict[str, Prior] = {
        **prior_examples(),
        **nonconvex_examples(),
        **degenerate_examples(),
        **norm_examples(),
    }
    assert {type(prior) for prior in examples.values()} == set(PRIORS)
    return examples


def data(likelihood: Likelihood, seed: int, n: int = 40, p: int = P) -> tuple[Matrix, Vector]:
    """Columns of different sizes, correlated, off centre; a target with three true effects."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(n, p))
    X = (raw + 0.5 * raw[:, :1] + 1.0) * np.geomspace(0.5, 2.0, p)
    coef = np.zeros(p)
    coef[:3] = [1.0, -0.5, 0.3]
    eta = np.asarray([(X - X.mean(axis=0)) @ coef])
    return X, likelihood.draw(eta, np.ones(n), rng)[0]


def bank() -> dict[str, br.Problem]:
    """Every likelihood × prior × intercept × (plain, or weighted with an offset)."""
    problems = {}
    cases = product(
        likelihood_examples().items(), prior_examples().items(), (True, False), (True, False)
    )
    for k, ((family, likelihood), (name, prior), intercept, plain) in enumerate(cases):
        X, y = data(likelihood, seed=k % 7)
        rng = np.random.default_rng(k)
        label = f"{family}-{name}-{'b0' if intercept else 'no-b0'}-{'plain' if plain else 'w'}"
        problems[label] = br.Problem(
            X,
            y,
            likelihood=likelihood,
            prior=prior,
            intercept=intercept,
            weights=None if plain else rng.uniform(0.5, 2.0, y.size),
            offset=None if plain else rng.normal(size=y.size) / 10,
            standardize=bool(k % 3 == 0),
        )
    return problems
