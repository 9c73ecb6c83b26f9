"""Other packages' numbers: each row is given to the package itself, whose answer is certified."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import linear_model

import bayesreg as br
from tests.problems import data, likelihood_examples

PRECISE: dict[str, dict[str, Any]] = {
    "Ridge": {},
    "LinearRegression": {},
    "Lasso": {"tol": 1e-14, "max_iter": 10**6},
    "ElasticNet": {"tol": 1e-14, "max_iter": 10**6},
    "LogisticRegression": {"tol": 1e-12, "max_iter": 10**6, "solver": "saga", "random_state": 0},
    "PoissonRegressor": {"tol": 1e-13, "max_iter": 10**5},
}
CASES = [
    ("gaussian", br.Normal(0.4)),
    ("gaussian", br.Laplace(0.1)),
    ("gaussian", br.ElasticNet(0.2, 0.5)),
    ("gaussian", br.Flat()),
    ("bernoulli", br.Normal(0.4)),
    ("bernoulli", br.Laplace(0.3)),
    ("bernoulli", br.ElasticNet(0.3, 0.5)),
    ("poisson", br.Normal(0.4)),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("family", "prior"), CASES)
def test_scikit_learn_lands_on_the_mode(family: str, prior: Any, weighted: bool) -> None:
    """Given our number it finds our mode, weights included."""
    likelihood = likelihood_examples()[family]
    X, y = data(likelihood, seed=3)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, y.size) if weighted else None
    problem = br.Problem(
        X, y, likelihood=likelihood, prior=prior, weights=weights, standardize=True
    )
    row = br.units.to_sklearn(problem)
    assert row.estimator is not None
    estimator = getattr(linear_model, row.estimator)(**row.numbers, **PRECISE[row.estimator])
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    estimator.fit(Z, y, sample_weight=weights)
    fit = br.find_map(problem)
    np.testing.assert_allclose(
        np.ravel(estimator.coef_), fit.coef * X.std(axis=0), rtol=1e-5, atol=1e-6
    )


def test_rows_without_a_number_say_why() -> None:
    """Never a number that would be wrong."""
    X, y = data(br.Gaussian(0.7), seed=0)
    cases = {
        "one penalty for all": br.Laplace(np.arange(1.0, 6.0)),
        "centred at 0": br.Normal(1.0, loc=2.0),
    }
    for reason, prior in cases.items():
        row = br.units.to_sklearn(br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior))
        assert row.estimator is None
        assert row.parameters == "—"
        assert reason in row.note
    unknown = br.Problem(X, y, likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=br.Laplace(1.0))
    assert "sigma unknown" in str(br.units.table(unknown))
    _, counts = data(br.Poisson(), seed=0)
    poisson = br.Problem(X, counts, likelihood=br.Poisson(), prior=br.Laplace(1.0))
    assert "no Poisson regression with an L1" in br.units.to_sklearn(poisson).note
