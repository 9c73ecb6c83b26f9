"""Every model of the gallery is the penalised form that its docstring states."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pymc as pm
import pytest
from numpy.typing import NDArray
from scipy.special import erfcx, gammaln
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge

from bayesreg import gallery
from bayesreg.errors import InputError

type Array = NDArray[np.float64]
type Point = dict[str, Any]

N, P = 12, 3
SIGMA = 0.7
SCALE = np.array([0.5, 1.0, 2.0])
LOG_2PI = float(np.log(2 * np.pi))


def _data(model: str = "lasso") -> tuple[Array, Array]:
    """Return columns, and a response of the kind that a model takes."""
    rng = np.random.default_rng(20)
    X = rng.normal(size=(N, P))
    mean = X @ [1.0, 0.0, -0.5] + 0.3
    if model.startswith("logistic"):
        return X, (rng.logistic(size=N) < mean).astype(np.float64)
    if model.startswith("poisson"):
        return X, rng.poisson(np.exp(mean)).astype(np.float64)
    return X, mean + rng.normal(size=N)


def _point() -> Point:
    rng = np.random.default_rng(21)
    return {
        "beta": rng.normal(size=P),
        "intercept": float(rng.normal()),
        "sigma": float(rng.uniform(0.5, 2)),
        "scale": float(rng.uniform(0.5, 2)),
    }


def _gaussian(X: Array, y: Array, at: Point, sigma: float) -> float:
    residual = y - at["intercept"] - X @ at["beta"]
    return float(residual @ residual / (2 * sigma**2) + N * (np.log(sigma) + LOG_2PI / 2))


def _logistic(X: Array, y: Array, at: Point) -> float:
    eta = at["intercept"] + X @ at["beta"]
    return float(np.sum(np.logaddexp(0, eta) - y * eta))


def _poisson(X: Array, y: Array, at: Point) -> float:
    eta = at["intercept"] + X @ at["beta"]
    return float(np.sum(np.exp(eta) - y * eta + gammaln(y + 1)))


def _normal(beta: Array, scale: Any) -> float:
    return float(np.sum(beta**2 / (2 * scale**2) + np.log(scale) + LOG_2PI / 2 + 0 * beta))


def _laplace(beta: Array, scale: Any) -> float:
    return float(np.sum(np.abs(beta) / scale + np.log(2 * scale)))


def _elastic_net(beta: Array, b: Any, tau: Any) -> float:
    normaliser = np.log(tau) + LOG_2PI / 2 + np.log(erfcx(tau / (b * np.sqrt(2))))
    return float(np.sum(np.abs(beta) / b + beta**2 / (2 * tau**2) + normaliser))


def _half_cauchy(value: float, scale: float) -> float:
    return float(np.log1p((value / scale) ** 2) + np.log(np.pi * scale / 2))


def _half_normal(value: float, scale: float) -> float:
    return float(value**2 / (2 * scale**2) + np.log(scale) + np.log(np.pi / 2) / 2)


@dataclass(frozen=True)
class Case:
    """Keywords of a model and the value of minus its log density, written by hand."""

    model: str
    objective: Callable[[Array, Array, Point], float]
    keywords: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case(
        "ridge",
        lambda X, y, at: _gaussian(X, y, at, SIGMA) + _normal(at["beta"], SCALE),
        {"sigma": SIGMA, "scale": SCALE},
    ),
    Case(
        "ridge",
        lambda X, y, at: (
            _gaussian(X, y, at, at["sigma"])
            + _normal(at["beta"], 2.0)
            + _half_normal(at["sigma"], y.std())
        ),
        {"sigma": None, "scale": 2.0},
    ),
    Case(
        "lasso",
        lambda X, y, at: _gaussian(X, y, at, SIGMA) + _laplace(at["beta"], SCALE),
        {"sigma": SIGMA, "scale": SCALE},
    ),
    Case(
        "lasso",
        lambda X, y, at: (
            _gaussian(X, y, at, at["sigma"])
            + _laplace(at["beta"], 2.0 + 0 * at["beta"])
            + _half_normal(at["sigma"], y.std())
        ),
        {"sigma": None, "scale": 2.0},
    ),
    Case(
        "elastic_net",
        lambda X, y, at: _gaussian(X, y, at, SIGMA) + _elastic_net(at["beta"], SCALE, 1.5),
        {"sigma": SIGMA, "l1_scale": SCALE, "l2_scale": 1.5},
    ),
    Case(
        "logistic_ridge",
        lambda X, y, at: _logistic(X, y, at) + _normal(at["beta"], SCALE),
        {"scale": SCALE},
    ),
    Case(
        "logistic_lasso",
        lambda X, y, at: _logistic(X, y, at) + _laplace(at["beta"], SCALE),
        {"scale": SCALE},
    ),
    Case(
        "poisson_lasso",
        lambda X, y, at: _poisson(X, y, at) + _laplace(at["beta"], SCALE),
        {"scale": SCALE},
    ),
    Case(
        "lasso_park_casella",
        lambda X, y, at: (
            _gaussian(X, y, at, at["sigma"])
            + _laplace(at["beta"], SCALE * at["sigma"])
            + _half_cauchy(at["sigma"], y.std())
        ),
        {"scale": SCALE},
    ),
    Case(
        "lasso_unknown_scale",
        lambda X, y, at: (
            _gaussian(X, y, at, SIGMA)
            + _laplace(at["beta"], np.full(P, at["scale"]))
            + _half_cauchy(at["scale"], 0.8)
        ),
        {"sigma": SIGMA, "hyper_scale": 0.8},
    ),
]


def _values(model: pm.Model, at: Point) -> Point:
    """Give the point on the value variables of the model, which are logarithms of the scales."""
    return {
        variable.name: np.log(at[rv.name]) if variable.name.endswith("_log__") else at[rv.name]
        for rv, variable in model.rvs_to_values.items()
        if rv.name != "y"
    }


def test_every_model_is_covered() -> None:
    """A new file in the gallery needs a case here."""
    assert set(gallery.names()) == {case.model for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.model}-{'-'.join(case.keywords)}")
def test_log_density_is_the_penalised_form(case: Case) -> None:
    """Minus PyMC's joint log density equals the objective, normalising constants included."""
    X, y = _data(case.model)
    model = gallery.load(case.model).build(X, y, **case.keywords)
    at = _point()
    log_density = float(model.compile_logp(jacobian=False)(_values(model, at)))
    assert -log_density == pytest.approx(case.objective(X, y, at), rel=1e-10)


@pytest.mark.parametrize("name", gallery.names())
def test_variables_dims_and_defaults(name: str) -> None:
    """The names, dims and coordinates are the same in all models."""
    X, y = _data(name)
    with_intercept = gallery.load(name).build(X, y)
    free = {rv.name for rv in with_intercept.free_RVs}
    assert {"beta", "intercept"} <= free <= {"beta", "intercept", "sigma", "scale"}
    assert [rv.name for rv in with_intercept.observed_RVs] == ["y"]
    assert with_intercept.named_vars_to_dims["beta"] == ("feature",)
    assert with_intercept.named_vars_to_dims["X"] == ("row", "feature")
    assert with_intercept.named_vars_to_dims["y"] == ("row",)
    assert with_intercept.coords["feature"] == ("x0", "x1", "x2")

    without = gallery.load(name).build(X, y, intercept=False, names=("a", "b", "c"))
    assert {rv.name for rv in without.free_RVs} == free - {"intercept"}
    assert without.coords["feature"] == ("a", "b", "c")


@pytest.mark.parametrize("name", gallery.names())
def test_summary_is_one_line(name: str) -> None:
    """The summary is the first line of the file's docstring, whether it is loaded or not."""
    summary = gallery.load(name).summary
    assert gallery.summary(name) == summary
    assert summary.endswith(".")
    assert "\n" not in summary


ESTIMATORS = [
    ("ridge", {"scale": 0.8}, Ridge(alpha=SIGMA**2 / 0.8**2, tol=1e-12)),
    ("lasso", {"scale": 0.4}, Lasso(alpha=SIGMA**2 / (N * 0.4), tol=1e-12)),
    (
        "elastic_net",
        {"l1_scale": 0.4, "l2_scale": 0.8},
        ElasticNet(
            alpha=(1 / 0.4 + 1 / 0.8**2) * SIGMA**2 / N,
            l1_ratio=(1 / 0.4) / (1 / 0.4 + 1 / 0.8**2),
            tol=1e-12,
        ),
    ),
    ("logistic_ridge", {"scale": 0.8}, LogisticRegression(C=0.8**2, l1_ratio=0, tol=1e-10)),
    (
        "logistic_lasso",
        {"scale": 0.6},
        LogisticRegression(
            C=0.6, l1_ratio=1, solver="saga", tol=1e-10, max_iter=100_000, random_state=0
        ),
    ),
]


@pytest.mark.parametrize(("name", "scales", "estimator"), ESTIMATORS, ids=lambda v: str(v)[:14])
def test_scikit_learn_finds_the_mode(name: str, scales: dict[str, float], estimator: Any) -> None:
    """With the number given in the docstring, scikit-learn's answer is the mode of the model.

    The objective is convex and its kinks are separable, so a point that no step along a single
    coordinate improves is the minimum.
    """
    X, y = _data(name)
    keywords = scales if name.startswith("logistic") else {**scales, "sigma": SIGMA}
    log_density = gallery.load(name).build(X, y, **keywords).compile_logp(jacobian=False)
    estimator.fit(X, y)
    mode = np.append(np.ravel(estimator.coef_), estimator.intercept_)

    def objective(at: Array) -> float:
        return -float(log_density({"beta": at[:P], "intercept": at[P]}))

    step = 1e-4
    best = objective(mode)
    for direction in np.vstack([np.eye(P + 1), -np.eye(P + 1)]):
        assert objective(mode + step * direction) > best


def test_the_unknown_scale_has_no_joint_mode() -> None:
    """At zero coefficients the density grows without bound as the scale vanishes."""
    X, y = _data()
    log_density = gallery.load("lasso_unknown_scale").build(X, y).compile_logp(jacobian=False)
    values = [
        float(log_density({"beta": np.zeros(P), "intercept": 0.0, "scale_log__": log_scale}))
        for log_scale in (-10.0, -20.0, -30.0)
    ]
    assert np.diff(values) == pytest.approx([10.0 * P, 10.0 * P], rel=1e-6)


def test_park_casella_is_convex_after_division_by_sigma() -> None:
    """Minus the log density is convex in (beta / sigma, intercept / sigma, 1 / sigma)."""
    X, y = _data()
    log_density = gallery.load("lasso_park_casella").build(X, y).compile_logp(jacobian=False)

    def objective(at: Array) -> float:
        sigma = 1 / at[-1]
        point = {"beta": at[:P] * sigma, "intercept": at[P] * sigma, "sigma_log__": np.log(sigma)}
        return -float(log_density(point))

    rng = np.random.default_rng(22)
    for _ in range(200):
        one, two = (np.append(rng.normal(size=P + 1), rng.lognormal(sigma=2)) for _ in range(2))
        middle = objective((one + two) / 2)
        assert middle <= (objective(one) + objective(two)) / 2 + 1e-9


def test_new_rows_can_be_predicted() -> None:
    """The predictors can be replaced by another number of rows."""
    X, y = _data()
    with gallery.load("lasso").build(X, y, intercept=False):
        draws = pm.sample_prior_predictive(draws=3, random_seed=1)
        pm.set_data({"X": np.ones((2, P))})
        predicted = pm.sample_posterior_predictive(
            draws.prior, var_names=["y"], predictions=True, random_seed=1, progressbar=False
        )
    assert predicted.predictions["y"].shape == (1, 3, 2)


def test_loading_leaves_the_module_table_alone() -> None:
    """No module called models, or after a model, becomes importable."""
    before = set(sys.modules)
    gallery._load.cache_clear()
    gallery.load("lasso")
    new = set(sys.modules) - before
    assert not {name for name in new if name.split(".")[0] in {"models", "lasso"}}
    assert "bayesreg._gallery.lasso" not in sys.modules


def test_unknown_name_is_explained() -> None:
    """The error names the argument, the input, a close match and all the names."""
    with pytest.raises(InputError, match=r"name: 'laso'.*'lasso'.*ridge"):
        gallery.load("laso")
