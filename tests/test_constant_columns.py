"""Columns that hold one value: beside an intercept they say nothing, however large the value."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse, stats

import bayesreg as br
from bayesreg import datasets, defaults
from bayesreg.design import Design
from bayesreg.estimators import (
    BayesianElasticNet,
    BayesianHorseshoe,
    BayesianLasso,
    BayesianLogistic,
    BayesianRidge,
    MAPRegressor,
)
from bayesreg.posterior import products
from bayesreg.posterior.gibbs.plan import Plan
from bayesreg.posterior.gibbs.rows import Rows
from bayesreg.posterior.projection import centred
from bayesreg.posterior.provenance import require_own

KINDS = [BayesianRidge, BayesianLasso, BayesianElasticNet, BayesianHorseshoe, MAPRegressor]
FEW: dict[str, Any] = {"random_state": 0, "draws": 500, "tune": 200, "chains": 2}
# Values whose mean over the rows is not the value, to the last digit.
VALUES = (0.1, np.pi * 1e-7, 1e9 + 0.1, 1e15 + 0.125)


def data(n: int = 40) -> tuple[Any, Any]:
    """Three columns, and a target that two of them explain."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    return X, X @ [1.0, -2.0, 0.0] + rng.normal(size=n)


# --------------------------------------------------------------------- what centring leaves


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("n", [7, 1000, 100_001])
def test_centring_makes_them_exactly_zero(value: float, n: int) -> None:
    """With and without weights, dense and sparse, for sampling and for modes; others are left."""
    X = np.column_stack([np.full(n, value), value + 1e-12 * value * np.arange(n)])
    w = np.random.default_rng(1).uniform(0.01, 3.0, n)
    y = np.arange(n) % 3.0
    for h in (np.ones(n), w):
        columns, mean = centred(X, h)
        assert not columns[:, 0].any()
        assert mean[0] == pytest.approx(value, rel=1e-14)
        assert columns[:, 1].any()
    for matrix in (X, sparse.csc_array(X)):
        design = Design.of(matrix, y)
        assert design.column_sd[0] == 0
        assert design.centred.scale[0] == np.inf
        assert design.lengths[0] == 0
        assert design.lengths[1] > 0


@pytest.mark.parametrize("weighted", [False, True])
def test_a_column_that_depends_on_flat_ones_is_zero_in_the_rows(weighted: bool) -> None:
    """Of the Gibbs sampler: constant, a flat column again, a sum of flat ones; not another."""
    rng = np.random.default_rng(2)
    flat = rng.normal([0.0, 5.0, 1e4], size=(500, 3))
    says_nothing = [np.full(500, 1e12 / 3), 2 * flat[:, 0] - 3, flat.sum(axis=1)]
    X = np.column_stack([flat, *says_nothing, rng.normal(size=500)])
    problem = br.Problem(
        X,
        rng.normal(size=500),
        likelihood=br.Gaussian(1.0),
        prior=[(br.Flat(), range(3)), (br.Laplace(1.0), range(3, 7))],
        weights=rng.uniform(0.1, 2.0, 500) if weighted else None,
    )
    A = Rows.of(Plan.of(problem)).A
    assert not A[:, :3].any()
    assert A[:, 3].any()


@pytest.mark.parametrize("offset", [1e8, 1e9, 1e12])
@pytest.mark.parametrize("likelihood", [br.Gaussian(1.0), br.Bernoulli()])
def test_a_sparse_column_far_from_zero_is_no_constant(offset: float, likelihood: Any) -> None:
    """Its mode is that of the dense one: it once was 0, and certified."""
    X, _ = data(60)
    y = 3 * X[:, 0] + X[:, 1]
    y = (y > 0).astype(float) if likelihood.name == "bernoulli" else y
    X[:, 0] += offset
    problem = br.Problem(X, y, likelihood=likelihood, prior=br.Normal(10.0))
    thin = br.Problem(sparse.csc_array(X), y, likelihood=likelihood, prior=br.Normal(10.0))
    found, expected = br.find_map(thin), br.find_map(problem)
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-6)
    assert found.certificate.optimal


def test_sums_of_products_of_a_sparse_x_leave_nothing_of_them() -> None:
    """The difference of sums of squares is rounding: 1e-8 of the column, were it kept."""
    X, y = data(400)
    matrix = sparse.csc_array(np.column_stack([X, np.full(400, 0.1)]))
    problem = br.Problem(matrix, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1e8))
    small, _ = products.reduced(problem)
    columns, _ = centred(small.design.X[1:], np.ones(small.design.n - 1))
    assert np.abs(columns[:, 3]).max() < 1e-15


# --------------------------------------------------------------------- posteriors


GAUSSIAN, COUNTS = br.Gaussian(br.HalfNormal(2.0)), br.Poisson()


@pytest.mark.parametrize(
    ("likelihood", "prior", "method"),
    [
        (GAUSSIAN, br.Normal(1e17), "exact"),
        (GAUSSIAN, br.Normal(1e17), "gibbs"),
        (GAUSSIAN, br.Laplace(2.0), "gibbs"),
        (GAUSSIAN, br.StudentT(5.0, 2.0), "gibbs"),
        (GAUSSIAN, br.StudentT(5.0, 2.0), "nuts"),
        (br.StudentTNoise(4.0, br.HalfNormal(2.0)), br.Laplace(2.0), "gibbs"),
        (br.Bernoulli(), br.StudentT(5.0, 2.0), "gibbs"),
        (br.Bernoulli(), br.Normal(1e17), "gibbs"),
        (COUNTS, br.StudentT(5.0, 2.0), "nuts"),
    ],
)
def test_their_coefficients_are_the_priors(likelihood: Any, prior: Any, method: str) -> None:
    """Independent of each other, and of the level; the others are as without them."""
    X, y = data()
    if likelihood is COUNTS or isinstance(likelihood, br.Bernoulli):
        y = (y > 0).astype(float)
    both = np.column_stack([X, np.full((40, 2), 0.1)])
    draws = 300 if method == "nuts" else 800
    keywords: dict[str, Any] = {"method": method, "draws": draws, "chains": 2, "seed": 1}
    found = [
        br.sample(br.Problem(columns, y, likelihood=likelihood, prior=prior), **keywords)
        for columns in (both, X)
    ]
    beta, alone = (np.asarray(tree["posterior"]["beta"]).reshape(2 * draws, -1) for tree in found)
    width = prior.scale
    law = {"Normal": stats.norm, "Laplace": stats.laplace}.get(prior.name, stats.t(5.0))
    for j in (3, 4):
        # A few hundred effective draws: the 1e-6 quantile of Kolmogorov's law over the root of 200.
        assert stats.kstest(beta[:, j] / width, law.cdf).statistic < 2.7 / np.sqrt(200)
    if width < 1e17:
        assert abs(np.corrcoef(beta[:, 3:].T)[0, 1]) < 0.35
    error = np.abs(beta[:, :3].mean(axis=0) - alone.mean(axis=0))
    assert (error < 0.45 * alone.std(axis=0)).all()


# --------------------------------------------------------------------- estimators


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:chains disagree")  # few draws of like columns
def test_repeated_columns_and_constants_among_them(kind: Any, value: float) -> None:
    """An answer, where rounding once decided: that without the constants, but for new draws."""
    X, y = data()
    c = np.full((40, 1), value)
    model = kind(**FEW).fit(np.hstack([X, c, X, c, X, c]), y)
    alone = kind(**FEW).fit(np.hstack([X, X, X]), y)
    mean, std = model.predict(np.hstack([X, c, X, c, X, c]), return_std=True)
    expected, spread = alone.predict(np.hstack([X, X, X]), return_std=True)
    np.testing.assert_allclose(mean, expected, atol=0.3)
    np.testing.assert_allclose(std, spread, rtol=0.2)


@pytest.mark.parametrize("kind", [*KINDS, BayesianLogistic])
def test_their_value_costs_no_digits(kind: Any) -> None:
    """Every prediction is the same at 0.1 and at 1e15, dense and sparse, and after a pickle."""
    X, y = data()
    target = y > 0 if kind is BayesianLogistic else y
    answers: list[Any] = []
    for value in (0.1, 1e15 + 0.125):
        columns = np.column_stack([X, np.full(40, value)])
        for matrix in (columns, sparse.csr_array(columns)):
            model = kind(**FEW).fit(matrix, target)
            restored = pickle.loads(pickle.dumps(model))  # noqa: S301  (our own)
            for fitted in (model, restored):
                if kind is BayesianLogistic:
                    answers.append(fitted.predict_proba(matrix))
                else:
                    parts = (
                        *fitted.predict(matrix, return_std=True),
                        fitted.predict_interval(matrix),
                    )
                    answers.append(np.column_stack(parts))
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], rtol=1e-5, atol=1e-5)


def test_another_value_is_as_uncertain_as_the_prior() -> None:
    """The level moves by the coefficient times the difference: in closed form, and in draws."""
    X, y = data()
    value, step = 1e15, 4.0
    columns = np.column_stack([X, np.full(40, value)])
    moved = np.column_stack([X, np.full(40, value + step)])
    ridge = BayesianRidge(0.5, sigma=1.0, **FEW).fit(columns, y)
    mean, std = ridge.predict(columns, return_std=True)
    there, wider = ridge.predict(moved, return_std=True)
    np.testing.assert_array_equal(there, mean)
    np.testing.assert_allclose(wider, np.hypot(std, 0.5 * step), rtol=1e-9)
    lasso = BayesianLasso(0.5, sigma=1.0, standardize=False, **FEW).fit(columns, y)
    _, near = lasso.predict(columns, return_std=True)
    _, far = lasso.predict(moved, return_std=True)
    sd = np.sqrt(far**2 - near**2) / step
    np.testing.assert_allclose(sd, 0.5 * np.sqrt(2.0), rtol=0.25)


def test_draws_and_intercept_are_those_of_the_columns_as_they_are() -> None:
    """Not of the columns about the origin in which predictions are made."""
    X, y = data()
    far = X + np.array([1e6, 0.0, -1e6])
    model = BayesianLasso(random_state=0, draws=200, tune=100, chains=2).fit(far, y)
    drawn = model.draws_["posterior"]
    beta, intercept = np.asarray(drawn["beta"]), np.asarray(drawn["intercept"])
    assert model.coef_ == pytest.approx(beta.mean(axis=(0, 1)), rel=1e-12)
    assert model.intercept_ == pytest.approx(intercept.mean(), rel=1e-9)
    by_draws = (far @ beta.reshape(-1, 3).T + intercept.ravel()).mean(axis=1)
    np.testing.assert_allclose(model.predict(far), by_draws, atol=1e-7)
    require_own(model.problem_, model.draws_)


@pytest.mark.parametrize("value", [1.0, 1e9])
def test_a_path_of_constants_begins_at_one(value: float) -> None:
    """Nothing pulls on them but rounding, which once made a scale of 1e14."""
    y = np.random.default_rng(8).normal(size=30)
    X = np.full((30, 2), value)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    path = br.map_path(problem, n_scales=3)
    assert path.scales[0] == pytest.approx(1.0)
    assert not path.coef.any()


# --------------------------------------------------------------------- scales to start from


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("rows", [97, 8])
@pytest.mark.parametrize("value", [0.0, *VALUES])
def test_default_scales_are_those_without_them(value: float, rows: int, *, intercept: bool) -> None:
    """By least squares, and where too few rows leave the variance to be shared out."""
    whole = datasets.load("prostate")
    alone = replace(whole, X=whole.X[:rows], y=whole.y[:rows], train=None)
    columns = np.insert(alone.X, [0, 3], value, axis=1)
    beside = replace(alone, X=columns, names=("c", *alone.names, "d"))
    for model in ("lasso", "ridge", "elastic_net", "lasso_park_casella"):
        found = defaults.settings(beside, model, intercept=intercept)
        wanted = defaults.settings(alone, model, intercept=intercept)
        assert list(found) == list(wanted)
        for name, setting in found.items():
            assert setting.value == pytest.approx(wanted[name].value, rel=1e-9)
            assert setting.rule == wanted[name].rule
