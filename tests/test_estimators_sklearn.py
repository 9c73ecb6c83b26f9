"""scikit-learn's own checks of the estimators, and how they live in pipelines."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import bayesreg as br
from bayesreg.estimators import (
    BayesianElasticNet,
    BayesianHorseshoe,
    BayesianLasso,
    BayesianLogistic,
    BayesianRidge,
    MAPRegressor,
)

FEW: dict[str, Any] = {"draws": 250, "tune": 250}
ALL = [
    BayesianRidge(),
    BayesianLasso(),
    BayesianElasticNet(),
    BayesianHorseshoe(),
    BayesianLogistic(**FEW),  # Pólya-Gamma draws for every row; fewer of them, and nothing else
    MAPRegressor(),
]
NEEDS_ARRAY_API = "check_array_api_input"
CASES = [
    pytest.param(model, check, id=f"{type(model).__name__}-{check.func.__name__}-{position}")
    for estimator in ALL
    for position, (model, check) in enumerate(estimator_checks_generator(estimator))
    if check.func.__name__ != NEEDS_ARRAY_API
]
# SciPy reads this switch when it is imported, so that check has an interpreter of its own.
ARRAY_API = f"""
from sklearn.utils.estimator_checks import estimator_checks_generator
from bayesreg import estimators

passed = 0
for name in ("Ridge", "Lasso", "ElasticNet", "Horseshoe", "Logistic"):
    kind = getattr(estimators, "Bayesian" + name)
    for model, check in estimator_checks_generator(kind(draws=100, tune=100)):
        if check.func.__name__ == "{NEEDS_ARRAY_API}":
            check(model)
            passed += 1
for model, check in estimator_checks_generator(estimators.MAPRegressor()):
    if check.func.__name__ == "{NEEDS_ARRAY_API}":
        check(model)
        passed += 1
print(passed)
"""


def data(n: int = 40, p: int = 3) -> tuple[Any, Any]:
    """Columns of unlike sizes, and a target of two of them with noise."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, p)) * [1.0, 100.0, 0.01][:p]
    return X, X[:, 0] + 0.02 * X[:, 1] + rng.normal(size=n)


@pytest.mark.parametrize(("estimator", "check"), CASES)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    """All of `check_estimator`, without an expected failure."""
    check(estimator)


def test_scikit_learn_checks_of_the_array_api() -> None:
    """The one check that needs a switch before SciPy is imported."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ARRAY_API],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "6", done.stderr


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_pipeline_keeps_the_names_of_columns(library: str) -> None:
    """Frames of both libraries pass their names through a scaler to the draws."""
    X, y = data()
    names = ["age", "bmi", "Größe"]
    frame: Any = pd.DataFrame(X, columns=names) if library == "pandas" else pl.DataFrame(X, names)
    pipeline = make_pipeline(StandardScaler(), BayesianRidge(random_state=1))
    pipeline.set_output(transform=library).fit(frame, y)
    model = pipeline[-1]
    assert list(model.feature_names_in_) == names
    assert model.problem_.names == tuple(names)
    assert list(model.draws_["posterior"]["feature"].to_numpy()) == names
    with pytest.raises(ValueError, match="feature names"):
        pipeline.predict(frame[names[::-1]])


def test_a_grid_search_chooses_the_scale() -> None:
    """The prior scale is a hyperparameter; the best one is neither far too small nor too large."""
    X, y = data(80)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), BayesianRidge(random_state=1)),
        {"bayesianridge__scale": [1e-3, 1.0, 1e3]},
        cv=4,
    ).fit(X, y)
    assert search.best_params_ == {"bayesianridge__scale": 1.0}
    noise = np.random.default_rng(0).normal(size=(80, 40))
    wide = np.hstack([X, noise])
    search.set_params(param_grid={"bayesianridge__scale": [0.1, 10.0]}).fit(wide[:50], y[:50])
    assert search.best_params_ == {"bayesianridge__scale": 0.1}


def test_a_clone_is_not_fitted_and_a_copy_predicts_the_same() -> None:
    """Also with a prior object among the parameters."""
    X, y = data()
    model = MAPRegressor(prior=br.Laplace(0.5), likelihood=br.Gaussian(1.0)).fit(X, y)
    fresh = clone(model)
    assert fresh.get_params()["prior"].scale == 0.5
    assert not hasattr(fresh, "coef_")
    assert not hasattr(fresh, "draws_")
    assert np.array_equal(copy.deepcopy(model).predict(X), model.predict(X))


@pytest.mark.parametrize(
    "model",
    [BayesianRidge(random_state=3), BayesianLasso(random_state=3, **FEW)],
    ids=["exact", "drawn"],
)
def test_sparse_and_dense_columns_give_the_same_draws(model: Any) -> None:
    """One posterior, whatever holds the numbers; predictions too."""
    X, y = data()
    X = np.where(np.abs(X) > np.median(np.abs(X), axis=0), X, 0.0)
    dense, thin = clone(model).fit(X, y), clone(model).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(thin.coef_, dense.coef_, rtol=1e-8)
    for one, two in zip(
        dense.predict(X, return_std=True),
        thin.predict(sparse.csr_array(X), return_std=True),
        strict=True,
    ):
        np.testing.assert_allclose(one, two, rtol=1e-8)
    np.testing.assert_allclose(
        dense.predict_interval(X), thin.predict_interval(sparse.csc_array(X)), rtol=1e-7
    )


def test_random_state_is_what_it_is_in_scikit_learn() -> None:
    """The same number, the same draws; None, a RandomState and a Generator move on."""
    X, y = data()

    def drawn(random_state: Any) -> float:
        tree = BayesianRidge(random_state=random_state).fit(X, y).draws_
        return float(tree["posterior"].to_dataset()["sigma"][0, 0])

    assert drawn(4) == drawn(np.int64(4))
    for state in (None, np.random.RandomState(4), np.random.default_rng(4)):
        assert drawn(state) != drawn(state)
    for wrong in (-1, True, "four", 1.5):
        with pytest.raises(br.errors.InputError, match="random_state: must be"):
            drawn(wrong)


YES = np.arange(20) % 3 > 0
LABELS: dict[str, Any] = {
    "NumPy": YES,
    "list": YES.tolist(),
    "pandas": pd.Series(YES),
    "pandas, nullable": pd.Series(YES, dtype="boolean"),
    "pandas on Arrow": pd.Series(YES, dtype="bool[pyarrow]"),
    "pandas, categories": pd.Series(YES).astype("category"),
    "polars": pl.Series(YES),
    "polars, text": pl.Series(np.where(YES, "yes", "no")),
    "pandas, text": pd.Series(np.where(YES, "yes", "no")),
    "nullable whole numbers": pd.Series(YES * 2, dtype="Int64"),
    "small whole numbers": pd.Series(YES.astype(np.int8)),
}


@pytest.mark.parametrize("kind", LABELS)
def test_classes_are_those_of_scikit_learn(kind: str) -> None:
    """Labels, their order and their kind as `LogisticRegression` has them."""
    X = np.random.default_rng(0).normal(size=(20, 2))
    ours = BayesianLogistic(1.0, **FEW, random_state=0).fit(X, LABELS[kind])
    theirs = LogisticRegression().fit(X, LABELS[kind])
    assert list(map(repr, ours.classes_.tolist())) == list(map(repr, theirs.classes_.tolist()))
    assert set(ours.predict(X).tolist()) <= set(theirs.classes_.tolist())
