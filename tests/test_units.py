"""Other packages' numbers, there and back: scikit-learn with weights, every row of the table.

Each row meets its package in test_units_packages, R's glmnet in test_units_glmnet.
"""

from __future__ import annotations

import io
import json
import pickle
import re
from typing import TYPE_CHECKING, Any

import celer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn import clone, linear_model
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import bayesreg as br
from bayesreg import cli_units
from bayesreg._piped import PipedConsole
from bayesreg.cli import main
from bayesreg.cli_units import STANDARDISED
from bayesreg.errors import InputError
from bayesreg.units._convention import Strength
from bayesreg.units.registry import BY_NAME, CONVENTIONS
from tests.problems import data, likelihood_examples

if TYPE_CHECKING:
    from pathlib import Path

    from bayesreg.units._convention import Convention

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


# --------------------------------------------------------------------------- there and back


def prior_of(strength: Strength) -> Any:
    """The prior with this penalty."""
    one, two = strength.l1, strength.l2
    if one and two:
        return br.ElasticNet(1 / one, two**-0.5)
    return br.Laplace(1 / one) if one else br.Normal(two**-0.5) if two else br.Flat()


def strengths(convention: Convention, l1: float, l2: float) -> list[Strength]:
    """Penalties of every kind that a row takes."""
    every = (Strength(0, 0), Strength(l1, 0), Strength(0, l2), Strength(l1, l2))
    return [each for each in every if convention.encoding.takes(each)]


@pytest.mark.parametrize("name", br.units.names())
@given(
    l1=st.floats(0.03, 30.0),
    l2=st.floats(0.03, 30.0),
    sigma=st.floats(1e-2, 1e2),
    intercept=st.booleans(),
    standardize=st.booleans(),
    weighted=st.booleans(),
)
@settings(max_examples=8, deadline=None)
def test_every_row_there_and_back(
    name: str,
    l1: float,
    l2: float,
    sigma: float,
    intercept: bool,
    standardize: bool,
    weighted: bool,
) -> None:
    """A problem, its numbers, the problem of these numbers: the same penalty to 1e-12.

    The two parts of an elastic net are within three decades here: a share of nearly 1 has no
    digits left for the rest.
    """
    convention = BY_NAME[name]
    intercept = (intercept and convention.intercept) or convention.standardizes == "always"
    standardize = standardize or convention.standardizes == "always"
    for family in (each for each in convention.families if each != "student_t"):
        likelihood = br.Gaussian(sigma) if family == "gaussian" else likelihood_examples()[family]
        X, y = data(likelihood_examples()[family], seed=3)
        weights = np.linspace(0.5, 2.0, y.size) if weighted and convention.weighted else None
        for strength in strengths(convention, l1, l2):
            problem = br.Problem(
                X,
                y,
                likelihood=likelihood,
                prior=prior_of(strength),
                intercept=intercept,
                standardize=standardize,
                weights=weights,
            )
            row = br.units.to(problem, name)
            assert row.estimator == convention.call, row.note
            own = not row.note.endswith(STANDARDISED)
            if own:
                rows: Any = X
            else:
                rows = problem.standardized()[0].design.X
            again = br.units.from_numbers(
                name,
                rows,
                y,
                row.numbers,
                family=family,
                sigma=sigma if family == "gaussian" and not convention.precision else None,
                intercept=intercept,
                standardize=standardize and own,
                weights=weights,
            )
            there: Any = again.prior.penalty(again.p)
            np.testing.assert_allclose(there.l1, strength.l1, rtol=1e-12)
            np.testing.assert_allclose(there.l2, strength.l2, rtol=1e-12)
            assert again.design.standardize is (standardize and own)
            if isinstance(again.likelihood, br.Gaussian):
                assert again.likelihood.sigma == pytest.approx(sigma, rel=1e-12)


def test_the_sum_of_products_is_enough() -> None:
    """Divisors are the number of observations, not of the rows that stand for them."""
    X, y = data(br.Gaussian(0.7), seed=0)
    rows = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Laplace(0.3), standardize=True)
    sums = br.Problem.from_statistics(
        X.T @ X,
        X.T @ y,
        y @ y,
        y.size,
        x_mean=X.mean(axis=0),
        y_mean=y.mean(),
        likelihood=br.Gaussian(0.7),
        prior=br.Laplace(0.3),
        standardize=True,
    )
    for one, two in zip(br.units.table(rows), br.units.table(sums), strict=True):
        assert one.numbers == pytest.approx(two.numbers, rel=1e-10)


# --------------------------------------------------------------------------- estimators


@pytest.mark.parametrize(
    "estimator",
    [
        linear_model.LinearRegression(),
        linear_model.LinearRegression(positive=True),
        linear_model.Ridge(alpha=3.0),
        linear_model.Ridge(alpha=3.0, fit_intercept=False),
        linear_model.RidgeCV(alphas=(0.1, 5.0)),
        linear_model.Lasso(alpha=0.2, tol=1e-14, max_iter=10**6),
        linear_model.Lasso(alpha=0.02, positive=True, tol=1e-14, max_iter=10**6),
        linear_model.LassoCV(alphas=[0.1, 0.3], cv=3, tol=1e-13, max_iter=10**6),
        linear_model.ElasticNet(alpha=0.2, l1_ratio=0.3, tol=1e-14, max_iter=10**6),
        linear_model.ElasticNetCV(alphas=[0.1, 0.3], l1_ratio=[0.3, 0.8], cv=3, tol=1e-13),
        linear_model.LassoLars(alpha=0.2),
        linear_model.BayesianRidge(),
        linear_model.LogisticRegression(C=0.7, tol=1e-12, max_iter=10**4),
        linear_model.LogisticRegression(C=np.inf, tol=1e-12, max_iter=10**4),
        linear_model.LogisticRegression(C=0.7, class_weight="balanced", tol=1e-12, max_iter=10**4),
        linear_model.LogisticRegression(
            C=0.7, l1_ratio=0.4, solver="saga", tol=1e-12, max_iter=10**5, random_state=0
        ),
        linear_model.PoissonRegressor(alpha=0.1, tol=1e-12, max_iter=10**4),
        make_pipeline(StandardScaler(), linear_model.Ridge(alpha=3.0)),
        make_pipeline(StandardScaler(), linear_model.Lasso(alpha=0.2, tol=1e-14)),
        make_pipeline(StandardScaler(with_mean=False), linear_model.Ridge(fit_intercept=False)),
        make_pipeline(StandardScaler(with_std=False), linear_model.Ridge(alpha=3.0)),
        make_pipeline(linear_model.Ridge(alpha=3.0)),
        celer.Lasso(alpha=0.2, tol=1e-14),
        celer.ElasticNet(alpha=0.2, l1_ratio=0.5, tol=1e-14),
        celer.LogisticRegression(C=0.5, tol=1e-14),
    ],
    ids=lambda estimator: str(estimator).replace("\n", "")[:60],
)
def test_an_estimator_becomes_its_problem(estimator: Any) -> None:
    """Its coefficients are the mode of it, certified; the numbers of the problem are its own."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    kind = type(last).__name__
    family = "bernoulli" if "Logistic" in kind else "poisson" if "Poisson" in kind else "gaussian"
    X, y = data(likelihood_examples()[family], seed=3)
    X = X * np.array([1.0, 3.0, 0.5, 2.0, 1.0]) + np.array([0.0, 1.0, -1.0, 0.0, 2.0])
    labels = np.where(y > 0, "yes", "no") if family == "bernoulli" else y
    estimator.fit(X, labels)
    root = type(last).__module__.split(".")[0]
    read = getattr(br.units, f"from_{root}")
    problem = read(estimator, X, labels)
    certificate = br.certify(problem, *br.units.coefficients(estimator))
    assert certificate.gap < 1e-8, certificate
    mode = br.find_map(problem)
    np.testing.assert_allclose(br.units.coefficients(estimator)[0], mode.coef, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["Ridge", "Lasso", "LogisticRegression", "PoissonRegressor"])
def test_sample_weights(kind: str) -> None:
    """As given to fit, before or after it."""
    family = {"LogisticRegression": "bernoulli", "PoissonRegressor": "poisson"}.get(kind)
    X, y = data(likelihood_examples()[family or "gaussian"], seed=3)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, y.size)
    estimator = getattr(linear_model, kind)(tol=1e-10, max_iter=10**5)
    unfitted = br.units.from_sklearn(estimator, X, y, sample_weight=weights)
    estimator.fit(X, y, sample_weight=weights)
    problem = br.units.from_sklearn(estimator, X, y, sample_weight=weights)
    assert problem == unfitted
    assert br.certify(problem, *br.units.coefficients(estimator)).gap < 1e-8


def test_the_table_of_weighted_rows_says_to_pass_the_weights() -> None:
    """In every row with a number, and in no row of a problem without weights."""
    X, y = data(br.Gaussian(0.7), seed=3)
    weights = np.linspace(0.5, 2.0, y.size)
    parts: Any = {"likelihood": br.Gaussian(0.7), "prior": br.Laplace(0.3), "standardize": True}
    weighted = br.units.table(br.Problem(X, y, weights=weights, **parts))
    calls = [row for row in weighted if row.estimator is not None]
    assert len(calls) > 5
    assert all("fitted with the row weights" in row.note for row in calls)
    plain = br.units.table(br.Problem(X, y, **parts))
    assert not any("row weights" in row.note for row in plain)


def test_nonnegative_least_squares_is_called_that() -> None:
    """Also where it comes from scikit-learn; there is no penalty over inf."""
    X, y = data(br.Gaussian(0.7), seed=3)
    bounded = str(br.units.from_sklearn(linear_model.LinearRegression(positive=True), X, y))
    assert "inf" not in bounded
    assert ", βⱼ ≥ 0: non-negative least squares\n" in bounded


def test_sigma_moves_nats_and_not_the_mode() -> None:
    """One and the same coefficients at any sigma; sd(y) by default."""
    X, y = data(br.Gaussian(0.7), seed=3)
    lasso = linear_model.Lasso(alpha=0.1)
    plain = br.units.from_sklearn(lasso, X, y)
    assert isinstance(plain.likelihood, br.Gaussian)
    assert plain.likelihood.sigma == pytest.approx(y.std(), rel=1e-12)
    other = br.units.from_sklearn(lasso, X, y, sigma=3.0)
    np.testing.assert_allclose(br.find_map(plain).coef, br.find_map(other).coef, rtol=1e-12)


def test_sparse_columns_and_names() -> None:
    """They stay what they are."""
    X, y = data(br.Gaussian(0.7), seed=3)
    names = tuple("abcde")
    problem = br.units.from_sklearn(
        linear_model.Lasso(alpha=0.1), sparse.csr_array(X), y, names=names
    )
    assert problem.design.sparse
    assert problem.names == names
    glmnet = br.units.from_glmnet(sparse.csr_array(X), y, lam=0.1, alpha=0.5)
    dense = br.units.from_glmnet(X, y, lam=0.1, alpha=0.5)
    np.testing.assert_allclose(br.find_map(glmnet).coef, br.find_map(dense).coef, rtol=1e-9)


class Lasso:
    """No estimator of theirs, whatever its name."""


REFUSED: list[tuple[Any, str]] = [
    (Lasso(), "estimator: must be one of scikit-learn's"),
    (linear_model.HuberRegressor(), "estimator: must be one of scikit-learn's"),
    (linear_model.BayesianRidge(), "estimates alpha_, lambda_, and is not fitted"),
    (linear_model.LassoCV(), "estimates alpha_, and is not fitted"),
    (linear_model.SGDRegressor(loss="huber"), "its loss must be 'squared_error'"),
    (linear_model.LogisticRegression(solver="liblinear"), "penalises the intercept"),
    (linear_model.Ridge(alpha=np.ones(3)), "alpha must be one number"),
    (linear_model.Ridge(alpha=-1.0), "alpha: must be at least 0"),
    (linear_model.Lasso(alpha=np.inf), "leave no coefficient but 0"),
    (make_pipeline(MinMaxScaler(), linear_model.Ridge()), "must be a StandardScaler and a linear"),
    (
        make_pipeline(StandardScaler(), linear_model.Ridge(fit_intercept=False)),
        "centres before a model without an intercept",
    ),
]


@pytest.mark.parametrize(("estimator", "message"), REFUSED)
def test_other_estimators_are_refused(estimator: Any, message: str) -> None:
    """With what is in the way."""
    X, y = data(likelihood_examples()["bernoulli"], seed=3)
    with pytest.raises(InputError, match=message):
        br.units.from_sklearn(estimator, X, y)


def test_wrong_numbers_are_refused() -> None:
    """Each message names the argument."""
    X, y = data(br.Gaussian(0.7), seed=3)
    calls: list[tuple[dict[str, Any], str]] = [
        ({"name": "Lasso"}, "name: 'Lasso' is not known"),
        ({"numbers": {}}, "numbers: scikit-learn Lasso takes alpha; found none"),
        ({"numbers": {"lam": 1.0}}, "takes alpha; found lam"),
        ({"numbers": {"alpha": float("nan")}}, "alpha: must"),
        ({"standardize": True}, "standardize: scikit-learn Lasso has no such thing"),
        ({"family": "poisson"}, "family: 'poisson' is not known"),
        ({"name": "R bayesreg lasso", "numbers": {"tau2": 1.0}, "intercept": False}, "intercept:"),
        ({"name": "celer LogisticRegression", "numbers": {"C": 1.0}}, "intercept: celer"),
        ({"name": "lars lasso", "numbers": {"lambda": 1.0}, "weights": np.ones(y.size)}, "weights"),
    ]
    plain: dict[str, Any] = {"name": "scikit-learn Lasso", "numbers": {"alpha": 1.0}}
    for changed, message in calls:
        with pytest.raises(InputError, match=message):
            br.units.from_numbers(X=X, y=y, **(plain | changed))
    problem = br.units.from_numbers(X=X, y=y, **plain)
    with pytest.raises(InputError, match="name: 'no such package'"):
        br.units.to(problem, "no such package")
    with pytest.raises(InputError, match="document: must be 1, 2, 3, 4 or 5"):
        br.units.to_document(problem, 6)
    with pytest.raises(InputError, match="not fitted"):
        br.units.coefficients(linear_model.Ridge())
    with pytest.raises(InputError, match="y: must hold two classes"):
        br.units.from_sklearn(linear_model.LogisticRegression(), X, y)
    with pytest.raises(InputError, match="L1_wt"):
        br.units.from_statsmodels(X, y > 0, alpha=1.0, L1_wt=0.5, model="Logit")


# --------------------------------------------------------------------------- lars, without R


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("normalize", [False, True])
def test_lars_lengths_are_about_the_mean_only_beside_an_intercept(
    intercept: bool, normalize: bool
) -> None:
    """Its first knot is ``max |x'y|`` over columns of length 1: there the mode leaves 0."""
    X, y = data(br.Gaussian(0.7), seed=3)
    X = X + np.array([0.0, 1.0, -1.0, 0.5, 2.0])
    Z = X - X.mean(axis=0) if intercept else X
    length = np.linalg.norm(Z, axis=0) if normalize else 1.0
    knot = float(np.abs(Z.T @ (y - y.mean() if intercept else y) / length).max())
    for factor, nonzero in ((1 + 1e-9, 0), (1 - 1e-3, 1)):
        problem = br.units.from_lars(
            X, y, lam=knot * factor, normalize=normalize, intercept=intercept
        )
        assert (br.find_map(problem).coef != 0).sum() == nonzero


# --------------------------------------------------------------------------- the table


def test_the_table_of_a_problem() -> None:
    """Every package once at least; found by name; a data frame; documents if asked for."""
    X, y = data(br.Gaussian(0.7), seed=3)
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Laplace(0.3), standardize=True)
    table = br.units.table(problem)
    packages = {each.package for each in CONVENTIONS}
    notes = {f"document {number}" for number in range(1, 6)}
    assert {row.package for row in table} == packages - notes
    whole = br.units.table(problem, documents=True)
    assert {row.package for row in whole} == packages - {"document 4"}
    assert whole.rows[: len(table.rows)] == table.rows
    assert table["scikit-learn"].estimator == "Lasso"
    assert table["celer Lasso"].numbers == pytest.approx(table["scikit-learn"].numbers)
    with pytest.raises(KeyError):
        _ = table["scikit-learn Ridge"]
    frame = table.to_frame()
    assert list(frame["package"]) == [row.package for row in table]
    assert pickle.loads(pickle.dumps(table)) == table  # noqa: S301  (our own bytes)
    ridge = br.units.table(problem.with_prior(br.Normal(1.0)))
    assert "no linear regression with an L2 penalty" in ridge["celer"].note
    horseshoe = br.units.table(problem.with_prior(br.Horseshoe(1.0)))
    assert all(row.estimator is None for row in horseshoe)


def test_of_a_student_t_only_the_prior_has_numbers() -> None:
    """No package of the table has that loss; the languages have the prior all the same."""
    X, y = data(likelihood_examples()["student_t"], seed=3)
    problem = br.Problem(X, y, likelihood=br.StudentTNoise(3.0, 0.7), prior=br.Laplace(0.3))
    table = br.units.table(problem)
    known = {row.package for row in table if row.estimator is not None}
    assert known == {"PyMC", "NumPyro", "Stan"}
    unknown = br.Problem(X, y, likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=br.Laplace(0.3))
    assert br.units.to_stan(unknown).numbers == pytest.approx({"sigma": 0.3}, rel=1e-14)
    relative = br.Laplace(0.3, relative_to="sigma")
    assert "sigma unknown" in br.units.to_stan(unknown.with_prior(relative)).note


def with_means(family: str, **settings: Any) -> br.Problem:
    """A problem whose coefficients have normal priors of several means and widths."""
    likelihood = likelihood_examples()[family]
    X, y = data(likelihood, seed=3)
    loc = np.linspace(-1.0, 1.0, X.shape[1])
    prior = br.Normal(np.linspace(0.3, 0.7, X.shape[1]), loc=loc)
    return br.Problem(X, y, likelihood=likelihood, prior=prior, **settings)


@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "poisson"])
def test_means_and_widths_of_single_coefficients(family: str) -> None:
    """Languages of priors state them; of the others, those for a Gaussian target subtract."""
    problem = with_means(family)
    table = br.units.table(problem)
    stated = {row.package: row for row in table if row.estimator is not None}
    assert set(stated) == {"PyMC", "NumPyro", "Stan", "rstanarm"}
    assert stated["PyMC"].parameters == (
        'pm.Normal("beta", mu=[-1, -0.5, 0, 0.5, 1], sigma=[0.3, 0.4, 0.5, 0.6, 0.7], shape=p)'
    )
    assert "normal([-1, -0.5, 0, 0.5, 1]', [0.3, " in stated["Stan"].parameters
    assert "dist.Normal(np.array([-1, " in stated["NumPyro"].parameters
    assert "normal(c(-1, -0.5, 0, 0.5, 1), c(0.3, " in stated["rstanarm"].parameters
    json.dumps([row.to_dict() for row in table])
    advice = "subtract X @ loc from y" if family == "gaussian" else "put X @ loc into an offset"
    assert advice in table["scikit-learn"].note
    one = br.units.to_pymc(problem.with_prior(br.Normal(0.5, loc=2.0)))
    assert one.parameters == 'pm.Normal("beta", mu=2, sigma=0.5, shape=p)'
    many = br.Problem(np.ones((2, 40)), [0.0, 1.0], likelihood=br.Gaussian(1.0),
                      prior=br.Normal(np.arange(1.0, 41.0)))  # fmt: skip
    assert "sigma=[1, 2, …, 40]" in br.units.to_pymc(many).parameters


@pytest.mark.parametrize("package", ["PyMC Normal", "NumPyro Normal", "Stan normal"])
def test_a_mean_there_and_back(package: str) -> None:
    """One number for all, or one for each coefficient; in the units of the columns."""
    for loc in (2.0, np.linspace(-1.0, 1.0, 5)):
        problem = with_means("gaussian").with_prior(br.Normal(0.5, loc=loc))
        row = br.units.to(problem, package)
        X, y = problem.design.X, problem.design.y
        again = br.units.from_numbers(package, X, y, row.numbers, family="gaussian", sigma=0.7)
        there: Any = again.prior.penalty(again.p)
        np.testing.assert_allclose(there.loc, np.broadcast_to(loc, 5), rtol=1e-12)
        np.testing.assert_allclose(there.l2, 4.0, rtol=1e-12)
    with pytest.raises(InputError, match="takes b; found b, mu"):
        br.units.from_numbers("PyMC Laplace", X, y, {"b": 1.0, "mu": 2.0}, family="gaussian")


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("family", ["gaussian", "bernoulli"])
def test_rstanarm_scales_no_mean(family: str, standardize: bool) -> None:
    """Its autoscale multiplies the scale alone, so its mean is that of the raw coefficient."""
    problem = with_means(family, standardize=standardize)
    problem = problem.with_prior(br.Normal(0.5, loc=np.linspace(-1.0, 1.0, 5)))
    row = br.units.to_rstanarm(problem)
    X, y = problem.design.X, problem.design.y
    sd = X.std(axis=0) if standardize else 1.0
    np.testing.assert_allclose(row.numbers["location"], np.linspace(-1.0, 1.0, 5) / sd)
    again = br.units.from_numbers(
        f"rstanarm {row.estimator}", X, y, row.numbers, family=family, standardize=standardize
    )
    there: Any = again.prior.penalty(again.p)
    np.testing.assert_allclose(there.loc, np.linspace(-1.0, 1.0, 5), rtol=1e-12)


def test_priors_of_several_kinds_and_intercepts_say_what_fails() -> None:
    """Not that columns could be multiplied; and of two conditions the one that fails."""
    X, y = data(br.Gaussian(0.7), seed=3)
    mixed: Any = [(br.Normal(1.0), [0]), (br.Laplace(1.0), [1, 2, 3, 4])]
    table = br.units.table(br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=mixed))
    assert "; state each by itself" in table["PyMC"].note
    assert table["scikit-learn"].note == "one penalty for all coefficients, and these have several"
    for intercept, standardize, reason in (
        (True, False, "it standardises the columns; this problem does not"),
        (False, True, "it has an intercept; this problem does not"),
        (False, False, "it standardises the columns and has an intercept; this problem does not"),
    ):
        problem = br.Problem(
            X,
            y,
            likelihood=br.Gaussian(0.7),
            prior=br.Laplace(0.3),
            intercept=intercept,
            standardize=standardize,
        )
        assert br.units.to_r_bayesreg(problem).note == reason
        assert ("y ~ X," in br.units.to_rstanarm(problem).parameters) is intercept


def test_coefficients_of_one_sign() -> None:
    """``positive=True`` where an estimator has it."""
    X, y = data(br.Gaussian(0.7), seed=3)
    prior = br.Laplace(0.3, nonnegative=True)
    problem = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=prior)
    row = br.units.to_sklearn(problem)
    assert row.parameters.endswith("positive=True)")
    lasso = linear_model.Lasso(**row.numbers, positive=True, tol=1e-14).fit(X, y)
    assert br.certify(problem, *br.units.coefficients(lasso)).gap < 1e-10
    assert "one sign" in br.units.to_glmnet(problem).note


@pytest.mark.parametrize("family", ["gaussian", "bernoulli"])
def test_offsets(family: str) -> None:
    """Taken from y where the loss is a square, refused elsewhere."""
    likelihood = likelihood_examples()[family]
    X, y = data(likelihood, seed=3)
    problem = br.Problem(
        X, y, likelihood=likelihood, prior=br.Laplace(0.3), offset=np.linspace(0, 1, y.size)
    )
    note = br.units.to_glmnet(problem).note
    assert ("y minus the offset" if family == "gaussian" else "no offset") in note


# --------------------------------------------------------------------------- the command line


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command, and return what it prints."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    printed = capsys.readouterr()
    assert ended.value.code == 0, printed.err
    return printed.out


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Packages, calls and objectives; a shared note once, below."""
    out = run(["units", "--scale", "1.65", "--sigma", "54"], capsys)
    assert f"Lasso(alpha={54**2 / (442 * 1.65):.6g}) *" in out
    assert out.count(STANDARDISED) == 2
    assert "RSS/(2n) + λ[a‖w‖₁ + (1 − a)‖w‖²/(2·sd(y))]" in out
    assert "beta ~ double_exponential(0, 1.65)" in out


def test_samplers_that_draw_sigma_say_so() -> None:
    """All three of R, of Gaussian noise alone: a posterior with sigma drawn is not one given it."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), np.arange(30) % 2.0
    linear = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0), standardize=True)
    said = {
        row.package for row in br.units.table(linear) if "given sigma, which it draws" in row.note
    }
    assert said == {"R bayesreg", "monomvn", "rstanarm"}
    logistic = br.Problem(X, y, likelihood=br.Bernoulli(), prior=br.Laplace(1.0), standardize=True)
    assert br.units.to_rstanarm(logistic).estimator
    assert not any("sigma" in row.note for row in br.units.table(logistic) if row.estimator)


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer"])
def test_the_command_fits_a_terminal(
    width: int, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider, and no argument is torn from its value; documents are not shown."""
    file = io.StringIO()
    plain: dict[str, Any] = {"force_terminal": True, "color_system": None, "highlight": False}
    out = PipedConsole(writes=False, file=file, width=width, **plain)
    monkeypatch.setattr(cli_units, "make_console", lambda **_: out)
    with pytest.raises(SystemExit, match="0"):
        main(["units", "--dataset", dataset])
    lines = re.sub("\x1b\\[[0-9;]*m", "", file.getvalue()).splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(" ".join(lines).split())
    for line in lines:
        assert not line.rstrip().endswith(("=", "~", "·"))
        assert line.strip() not in ("*", "=")
    assert "document 1" not in words
    assert "RSS: residual sum of squares" in words


def test_the_command_writes_json_and_csv(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same rows on the screen and in files."""
    place = tmp_path / "units.json"
    arguments = ["units", "--dataset", "prostate", "--model", "ridge"]
    printed = json.loads(run([*arguments, "--json", "--output", str(place)], capsys))
    assert json.loads(place.read_text(encoding="utf-8")) == printed
    assert printed[0]["call"].startswith("Ridge(alpha=")
    table = tmp_path / "units.csv"
    run([*arguments, "--output", str(table)], capsys)
    assert table.read_text(encoding="utf-8").count("Ridge(alpha=") == 1
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--output", str(tmp_path / "units.txt")])
    assert ended.value.code == 2
    assert "output:" in capsys.readouterr().err


def test_refuses_what_it_would_misread() -> None:
    """Several targets, means over folds, balanced classes of weighted rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    y = (X[:, 0] + rng.normal(size=40) > 0).astype(int)
    linear, weights = linear_model, np.linspace(0.5, 2.0, 40)
    with pytest.raises(InputError, match="estimator: has 2 rows"):
        br.units.coefficients(linear.Ridge().fit(X, np.c_[y, y]))
    with pytest.raises(InputError, match="estimator: LogisticRegressionCV"):
        br.units.from_sklearn(linear.LogisticRegressionCV(), X, y)
    balanced = linear.LogisticRegression(class_weight="balanced")
    with pytest.raises(InputError, match="sample_weight; give the weights of the classes"):
        br.units.from_sklearn(balanced, X, y, sample_weight=weights)
    for wrong in ("bal", {"no": 1.0}, {0: "heavy"}):
        with pytest.raises(InputError, match=r"estimator: class_weight must be .*\(0, 1\), found"):
            br.units.from_sklearn(linear.LogisticRegression(class_weight=wrong), X, y)
    for labels, message in (
        ([None, *y[1:]], r"y: 1 of 40 labels are missing, the first at row 0 \(None\)"),
        (["a", *y[1:]], r"y: holds labels of several kinds, text and numbers \('a', "),
        ([b"a", b"b"] * 20, r"y: holds bytes \(b'a'\)"),
    ):
        with pytest.raises(InputError, match=message):
            br.units.from_sklearn(linear.LogisticRegression(), X, labels)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
@pytest.mark.parametrize(
    "model",
    [
        linear_model.Ridge(alpha=3.0),
        linear_model.Lasso(alpha=0.2, tol=1e-14),
        linear_model.LogisticRegression(tol=1e-12, max_iter=10**4),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_scaler_leaves_constant_columns_as_they_are(
    value: float, model: Any, weighted: bool
) -> None:
    """Their coefficient is 0, and the predictions are those of the fitted pipeline."""
    X, y = data(br.Gaussian(0.7), seed=3)
    X = np.column_stack([3 * X[:, :2] + 1, np.full(y.size, value), X[:, 2:]])
    logistic = isinstance(model, linear_model.LogisticRegression)
    target = y > 0 if logistic else y
    weights = np.linspace(0.5, 2.0, y.size) if weighted else None
    pipeline = make_pipeline(StandardScaler(), clone(model))
    name = pipeline.steps[-1][0]
    pipeline.fit(X, target, **{f"{name}__sample_weight": weights})
    problem = br.units.from_sklearn(pipeline, X, target, sample_weight=weights)
    mode = br.find_map(problem)
    expected = pipeline.decision_function(X) if logistic else pipeline.predict(X)
    found = problem.design.linear_predictor(mode.coef, mode.intercept)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert mode.coef[2] == 0
    assert br.certify(problem, *br.units.coefficients(pipeline)).gap < 1e-8


def test_a_flat_logistic_call_is_python() -> None:
    """The printed call of no penalty, evaluated, is an estimator with this mode."""
    X, y = data(br.Bernoulli(), seed=3)
    problem = br.Problem(X, y, likelihood=br.Bernoulli(), prior=br.Flat())
    call = br.units.to_sklearn(problem).parameters
    assert call == "LogisticRegression(C=np.inf, l1_ratio=0)"
    names = {"LogisticRegression": linear_model.LogisticRegression, "np": np}
    model = eval(call, names).set_params(tol=1e-12, max_iter=10**4).fit(X, y)  # noqa: S307  (ours)
    np.testing.assert_allclose(model.coef_[0], br.find_map(problem).coef, rtol=1e-5)
