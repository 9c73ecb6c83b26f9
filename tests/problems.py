"""A bank of problems that the tests of solvers, certificates and bridges share."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

import bayesreg as br
from bayesreg.likelihoods import LIKELIHOODS, Bernoulli, Gaussian, Likelihood, Poisson
from bayesreg.priors import PRIORS, ElasticNet, Flat, Laplace, Normal, Prior

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

P = 5


def likelihood_examples() -> dict[str, Likelihood]:
    """One of each likelihood; fails when a new one is not listed."""
    examples: dict[str, Likelihood] = {
        "gaussian": Gaussian(sigma=0.7),
        "bernoulli": Bernoulli(),
        "poisson": Poisson(),
    }
    assert {type(v) for v in examples.values()} == set(LIKELIHOODS)
    return examples


def prior_examples() -> dict[str, Prior]:
    """At least one of each prior on P coefficients; fails when a new one is not listed."""
    scales = np.array([0.05, 0.3, 1.0, 0.2, 4.0])
    examples: dict[str, Prior] = {
        "normal": Normal(scale=0.4),
        "normal-loc": Normal(scale=scales, loc=np.array([0.0, 1.0, -1.0, 0.5, 0.0])),
        "laplace": Laplace(scale=0.1),
        "laplace-vector": Laplace(scale=scales),
        "laplace-partly-flat": Laplace(scale=np.array([0.1, np.inf, 0.1, 0.2, 0.1])),
        "elastic-net": ElasticNet(l1_scale=0.2, l2_scale=0.5),
        "flat": Flat(),
    }
    assert {type(v) for v in examples.values()} == set(PRIORS)
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
