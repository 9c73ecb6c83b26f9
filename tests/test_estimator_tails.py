"""Which moments the posteriors of estimators have, against exponents worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import bayesreg as br
from bayesreg.errors import NoClosedForm, SamplingWarning
from bayesreg.estimators import (
    BayesianElasticNet,
    BayesianHorseshoe,
    BayesianLasso,
    BayesianRidge,
    MAPRegressor,
)
from bayesreg.estimators._tails import Tails

FEW: dict[str, Any] = {"draws": 100, "tune": 100, "random_state": 0}


def data(n: int, p: int = 2) -> tuple[Any, Any]:
    """Columns about 0 and a target that they explain in part."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    return X, X.sum(axis=1) + rng.normal(size=n)


# k of a density of sigma that falls like σ^−(k+1); σ² has a mean if r + k > 2.
SIGMAS: dict[str, tuple[Any, float]] = {
    "flat": (br.Flat(), -1.0),
    "cauchy": (br.HalfCauchy(1.0), 1.0),
    "t3": (br.HalfStudentT(1.0, nu=3.0), 3.0),
    "inverse gamma": (br.InverseGamma(1.5, 1.0), 3.0),
    "normal": (br.HalfNormal(1.0), np.inf),
}


@pytest.mark.parametrize("prior", [br.Normal(1.0), br.Laplace(1.0), br.StudentT(3.0, scale=1.0)])
@pytest.mark.parametrize("sigma", list(SIGMAS))
def test_the_variance_of_noise_by_its_exponent(prior: Any, sigma: str) -> None:
    """Rows less the intercept, plus the power of the tail of sigma, must exceed two."""
    hyperprior, k = SIGMAS[sigma]
    for n in range(2, 8):
        X, y = data(n)
        tails = Tails(br.Problem(X, y, likelihood=br.Gaussian(hyperprior), prior=prior))
        assert tails.variance(X).tolist() == [n - 1 + k > 2] * n, n
        assert tails.mean == (n - 1 + k > 1), n


def test_flat_coefficients_count_as_the_intercept_does() -> None:
    """Each takes a row."""
    X, y = data(5)
    for flat in ([], [0], [0, 1]):
        proper = [j for j in range(2) if j not in flat]
        parts = [(br.Flat(), flat)] * bool(flat) + [(br.Laplace(1.0), proper)] * bool(proper)
        noise = br.Gaussian(br.Flat())  # r − 1 > 2, and r is 4 less the flat ones
        tails = Tails(br.Problem(X, y, likelihood=noise, prior=parts))
        assert tails.variance(X).all() == (4 - len(flat) - 1 > 2), flat


@pytest.mark.parametrize("prior", [br.Normal, br.Laplace, br.Horseshoe])
@pytest.mark.parametrize("known", [True, False])
def test_what_rows_do_not_see_is_as_wide_as_its_prior(prior: Any, known: bool) -> None:
    """Equal columns, one direction seen: under a half-Cauchy scale 1 + 1 > 2 fails for the other.

    A row with equal entries asks for nothing else than the data show.
    """
    X, y = data(30, 1)
    noise = br.Gaussian(1.0 if known else br.HalfNormal(1.0))
    rows = np.array([[2.0, 2.0], [1.0, 3.0]])
    for scale, wanted in ((br.HalfCauchy(1.0), [True, False]), (br.HalfNormal(1.0), [True, True])):
        twice = br.Problem(X[:, [0, 0]], y, likelihood=noise, prior=prior(scale))
        assert Tails(twice).variance(rows).tolist() == wanted
    apart = br.Problem(
        np.column_stack([X, X**2]), y, likelihood=noise, prior=prior(br.HalfCauchy(1.0))
    )
    assert Tails(apart).variance(rows).all()


def test_a_prior_without_variance_shows_where_the_data_say_nothing() -> None:
    """A constant column under a horseshoe: no variance where the new row differs."""
    X, y = data(30, 2)
    X[:, 1] = 3.0
    model = BayesianHorseshoe(**FEW).fit(X, y)
    _, std = model.predict([[1.0, 3.0], [1.0, 4.0]], return_std=True)
    assert np.isinf(std).tolist() == [False, True]


@pytest.mark.parametrize("n", [3, 4, 5])
@pytest.mark.parametrize("mixed", [True, False])
def test_normal_priors_are_judged_as_the_exact_posterior_judges_them(n: int, mixed: bool) -> None:
    """One rule: where moments are refused, some row has no variance."""
    X, y = data(n, 3)
    prior: Any = br.Normal(br.HalfCauchy(1.0))
    if mixed:
        prior = [(br.Flat(), [0]), (br.Normal(br.HalfCauchy(1.0), relative_to="sigma"), [1, 2])]
    problem = br.Problem(X, y, likelihood=br.Gaussian(br.HalfCauchy(1.0)), prior=prior)
    rows = np.vstack([X, np.eye(3)])
    try:
        br.posterior_moments(problem)
        has = True
    except NoClosedForm:
        has = False
    assert Tails(problem).variance(rows).all() == has


@pytest.mark.filterwarnings("ignore:chains disagree")
@pytest.mark.parametrize(
    "kind", [BayesianRidge, BayesianLasso, BayesianElasticNet, BayesianHorseshoe]
)
def test_two_rows_leave_no_sd_and_say_so(kind: Any) -> None:
    """The sd of draws would grow with their number; intervals and medians are there."""
    X, y = data(2)
    with pytest.warns(SamplingWarning, match="X: has so few rows"):
        model = kind(**FEW).fit(X, y)
    assert np.isinf(model.predict(X, return_std=True)[1]).all()
    assert np.isfinite(kind(point="median", **FEW).fit(X, y).coef_).all()
    assert np.isfinite(model.predict_interval(X)).all()
    assert np.isfinite(kind(sigma=1.0, **FEW).fit(X, y).predict(X, return_std=True)[1]).all()


def test_other_likelihoods_are_not_in_question() -> None:
    """Counts and classes have no sigma; noise of known scale has its variance."""
    X, y = data(3)
    for likelihood in (br.Poisson(), br.Gaussian(1.0)):
        model = MAPRegressor(br.Laplace(1.0), likelihood, **FEW).fit(X, np.round(np.abs(y)))
        assert np.isfinite(model.predict(X, return_std=True)[1]).all()


def second_moment(nus: tuple[float, float], end: float) -> float:
    """Integral of δ² times the densities of δ and of 1 − δ, as far as `end`."""
    log_size = np.linspace(-5, np.log(end), 4001)
    size = np.exp(log_size)
    both = sum(size**3 * stats.t.pdf(d, nus[0]) * stats.t.pdf(1 - d, nus[1]) for d in (size, -size))
    return float(np.trapezoid(both, log_size))


@pytest.mark.parametrize("nus", [(0.25, 0.25), (0.5, 0.5), (0.2, 0.7), (0.6, 0.6), (0.2, 1.5)])
def test_equal_columns_leave_the_power_of_both_priors(nus: tuple[float, float]) -> None:
    """δ^−(2 + ν + ν') has a second moment if its power exceeds 3; its integral settles only then.

    In any units, with either sign, about any mean; where a row has equal entries nothing is unseen.
    """
    settles = second_moment(nus, 1e16) / second_moment(nus, 1e12) < 1.2
    assert settles == (sum(nus) > 1)
    X, y = data(30, 2)
    X = np.column_stack([X[:, 0], -2.0 * X[:, 0] + 3.0, X[:, 1]])
    parts: Any = [(br.StudentT(nu, 1.0), [j]) for j, nu in enumerate(nus)]
    parts.append((br.StudentT(0.1, 1.0), [2]))
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=parts)
    rows = np.array([[2.0, -1.0, 5.0], [2.0, -1.1, 5.0]])
    assert Tails(problem).variance(rows).tolist() == [True, settles]
    assert Tails(problem).variance(X).all()


def test_three_coefficients_are_enough_for_a_variance() -> None:
    """A column that is the sum of two others: 3 (1 + ν) exceeds 3 for every ν."""
    X, y = data(30, 2)
    X = np.column_stack([X, X.sum(axis=1)])
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.StudentT(0.1, 1.0))
    assert Tails(problem).variance(np.eye(3)).all()


@pytest.mark.parametrize(("nu", "ends"), [(2.0, False), (2.5, True)])
def test_flat_coefficients_follow_at_no_cost(nu: float, ends: bool) -> None:
    """Beside a flat coefficient of the same column a prior is alone with its power of 1 + ν."""
    X, y = data(30, 2)
    parts: Any = [(br.Flat(), [0, 1]), (br.StudentT(nu, 1.0), [2])]
    X = np.column_stack([X, X @ [1.0, -3.0] + 2.0])
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=parts)
    rows = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    assert Tails(problem).variance(rows).tolist() == [True, ends]


@pytest.mark.parametrize(("sign", "ends"), [(1.0, True), (-1.0, False)])
def test_coefficients_that_only_grow(sign: float, ends: bool) -> None:
    """Equal columns share what the data allow; opposite ones grow together without end."""
    X, y = data(30, 1)
    X = np.column_stack([X, sign * X])
    prior = br.StudentT(0.25, 1.0, nonnegative=True)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior)
    assert Tails(problem).variance(np.array([[1.0, 3.0]])).tolist() == [ends]


def test_a_bridge_is_no_power() -> None:
    """However slowly exp(−|β|^q) falls, it has all moments."""
    X, y = data(30, 1)
    problem = br.Problem(X[:, [0, 0]], y, likelihood=br.Gaussian(1.0), prior=br.Bridge(0.1, 1.0))
    assert Tails(problem).variance(np.array([[1.0, 3.0]])).all()


def test_a_coefficient_without_a_mean_is_its_median() -> None:
    """A constant column says nothing of a horseshoe, whose median is 0 whatever the seed."""
    X, y = data(30, 2)
    X[:, 1] = 3.0
    for seed in range(3):
        model = BayesianHorseshoe(draws=50, tune=50, random_state=seed).fit(X, y)
        assert model.coef_[1] == 0.0
        assert model.intercept_ == pytest.approx(y.mean() - X[:, 0].mean() * model.coef_[0], abs=1)
        near, far = model.predict([[1.0, 3.0], [1.0, 9.0]])
        assert near == far


def test_medians_of_what_has_no_mean() -> None:
    """Of draws, where a sign or a flat coefficient beside leaves no symmetry about 0."""
    X, y = data(30, 2)
    X[:, 1] = 0.0
    beta = np.random.default_rng(0).normal(1.0, 1.0, (101, 3))
    prior = br.StudentT(1.0, 1.0, nonnegative=True)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior)
    wanted: list[Any] = [beta[:, 0].mean(), np.median(beta[:, 1])]
    assert Tails(problem).centre(beta[:, :2]) == pytest.approx(wanted)
    X = np.column_stack([X[:, 0], X[:, 0], y**2])
    parts: Any = [(br.Flat(), [0, 2]), (br.StudentT(1.0, 1.0), [1])]
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=parts)
    wanted = [np.median(beta[:, 0]), 0.0, beta[:, 2].mean()]
    assert Tails(problem).centre(beta) == pytest.approx(wanted)
