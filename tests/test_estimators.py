"""The estimators against closed forms, brute force, and the data of their own models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, special, stats
from sklearn.linear_model import LinearRegression, PoissonRegressor, Ridge

import bayesreg as br
from bayesreg.errors import (
    BayesregError,
    DegenerateMode,
    InputError,
    SamplingFailed,
    SamplingWarning,
)
from bayesreg.estimators import (
    BayesianElasticNet,
    BayesianHorseshoe,
    BayesianLasso,
    BayesianLogistic,
    BayesianRidge,
    MAPRegressor,
)
from bayesreg.estimators import _posterior as posteriors

PLAIN: dict[str, Any] = {"standardize": False}


def data(n: int = 60, p: int = 3, seed: int = 0) -> tuple[Any, Any]:
    """Columns away from 0, and a target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.arange(1, p + 1) + 5.0
    return X, X @ np.linspace(-1, 1, p) + 2.0 + rng.normal(size=n)


# --------------------------------------------------------------------- ridge, in closed form


def ridge_by_hand(X: Any, y: Any, sigma: float, tau: float, w: Any) -> tuple[Any, Any]:
    """Mean and covariance of (intercept, coefficients), flat on the intercept."""
    Z = np.column_stack([np.ones(len(y)), X])
    precision = (Z.T * w) @ Z / sigma**2 + np.diag([0.0] + [tau**-2] * X.shape[1])
    covariance = np.linalg.inv(precision)
    return covariance @ (Z.T * w) @ y / sigma**2, covariance


@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_with_known_scales_is_the_closed_form(weighted: bool) -> None:
    """Coefficients, intervals, predictive sd and intervals; fractional weights included."""
    X, y = data()
    w = np.random.default_rng(1).uniform(0.1, 3.0, 60) if weighted else np.ones(60)
    sigma, tau = 1.3, 0.4
    model: Any = BayesianRidge(tau, sigma=sigma, prob=0.9, **PLAIN)
    model.fit(X, y, sample_weight=w if weighted else None)
    mean, covariance = ridge_by_hand(X, y, sigma, tau, w)
    np.testing.assert_allclose(model.coef_, mean[1:], rtol=1e-9)
    np.testing.assert_allclose(model.intercept_, mean[0], rtol=1e-9)
    sd = np.sqrt(np.diag(covariance)[1:])
    z = stats.norm.ppf(0.95)
    np.testing.assert_allclose(
        model.interval_, mean[1:, None] + z * np.outer(sd, [-1, 1]), rtol=1e-8
    )
    new = np.random.default_rng(2).normal(size=(7, 3)) * 10
    Z = np.column_stack([np.ones(7), new])
    wanted = np.sqrt(sigma**2 + np.einsum("ij,jk,ik->i", Z, covariance, Z))
    predicted, std = model.predict(new, return_std=True)
    np.testing.assert_allclose(predicted, Z @ mean, rtol=1e-9)
    np.testing.assert_allclose(std, wanted, rtol=1e-8)
    z = stats.norm.ppf(0.975)
    wanted_ends = (Z @ mean)[:, None] + z * np.outer(wanted, [-1, 1])
    np.testing.assert_allclose(model.predict_interval(new), wanted_ends, rtol=1e-8)
    alike = Ridge(alpha=sigma**2 / tau**2).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(model.coef_, alike.coef_, rtol=1e-7)
    np.testing.assert_allclose(model.predict(new), alike.predict(new), rtol=1e-7)
    assert model.certificate_.optimal
    np.testing.assert_allclose(model.mode_.coef, mean[1:], rtol=1e-7)
    assert (model.sigma_, model.scale_) == (sigma, tau)


def test_a_conjugate_posterior_predicts_by_students_t() -> None:
    """Normal–inverse-gamma without an intercept, by the textbook formula."""
    X, y = data(12, 2)
    a, b, tau = 2.0, 3.0, 0.7
    model = MAPRegressor(
        br.Normal(tau, relative_to="sigma"),
        br.Gaussian(br.InverseGamma(a, b)),
        fit_intercept=False,
        **PLAIN,
    ).fit(X, y)
    V = np.linalg.inv(X.T @ X + np.eye(2) / tau**2)
    m = V @ X.T @ y
    a_n, b_n = a + 6, b + 0.5 * (y @ y - m @ np.linalg.solve(V, m))
    new = np.array([[1.0, -2.0], [30.0, 4.0]])
    scale = np.sqrt(b_n / a_n * (1 + np.einsum("ij,jk,ik->i", new, V, new)))
    wanted = (new @ m)[:, None] + np.outer(scale, stats.t(2 * a_n).ppf([0.1, 0.9]))
    np.testing.assert_allclose(model.predict_interval(new, prob=0.8), wanted, rtol=1e-8)
    _, std = model.predict(new, return_std=True)
    np.testing.assert_allclose(std, scale * np.sqrt(a_n / (a_n - 1)), rtol=1e-8)
    np.testing.assert_allclose(model.predict(new), new @ m, rtol=1e-8)


def test_quadrature_and_draws_agree_on_what_is_predicted() -> None:
    """The exact predictive mean and sd of the default ridge are those of its draws."""
    X, y = data(20, 4)
    model = BayesianRidge(draws=2500, random_state=1).fit(X, y)
    new = X[:3] + 1.0
    mean, std = model.predict(new, return_std=True)
    drawn = model.sample_posterior_predictive(new, random_state=2)
    assert drawn.shape == (10_000, 3)
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - mean), 5 * std / np.sqrt(10_000))
    np.testing.assert_allclose(drawn.std(axis=0), std, rtol=0.05)
    low, high = model.predict_interval(new, 0.8).T
    covered = (drawn > low) & (drawn < high)
    np.testing.assert_allclose(covered.mean(axis=0), 0.8, atol=0.02)
    assert model.sample_posterior_predictive(new, n_draws=7).shape == (7, 3)


def test_more_columns_than_a_covariance_has_room_for_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Means and sds of draws, near the exact ones."""
    X, y = data(20, 4)
    model = BayesianRidge(0.5, sigma=1.0, random_state=1)
    exact = model.fit(X, y).predict(X, return_std=True)
    monkeypatch.setattr(posteriors, "_MOST_COLUMNS", 3)
    drawn = model.fit(X, y).predict(X, return_std=True)
    assert model._posterior.moments is None
    np.testing.assert_array_less(np.abs(drawn[0] - exact[0]), 5 * exact[1] / np.sqrt(4000))
    np.testing.assert_allclose(drawn[1], exact[1], rtol=0.02)


# --------------------------------------------------------------------- units, rows, weights


@pytest.mark.parametrize("kind", [BayesianRidge, BayesianLasso, BayesianElasticNet])
def test_defaults_know_no_units(kind: Any) -> None:
    """Columns times powers of two and a target times another: predictions times that one."""
    X, y = data(30)
    few = {} if kind is BayesianRidge else {"draws": 200, "tune": 100}
    one = kind(random_state=1, **few).fit(X, y)
    two = kind(random_state=1, **few).fit(X * [2.0**9, 1.0, 2.0**-20], y * 2.0**7)
    np.testing.assert_allclose(one.coef_ * 2.0**7, two.coef_ * [2.0**9, 1.0, 2.0**-20], rtol=1e-6)
    assert two.sigma_ == pytest.approx(2.0**7 * one.sigma_, rel=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        BayesianLasso(random_state=1, draws=100, tune=50),
        BayesianHorseshoe(random_state=1, draws=100, tune=50),
        BayesianLogistic(random_state=1, draws=100, tune=50),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.filterwarnings("ignore:chains disagree")  # few draws do, and are compared draw by draw
def test_a_weight_counts_rows_and_their_order_does_not_matter(model: Any, wide: bool) -> None:
    """Draw for draw: repeated rows in any order are weighted ones; zero leaves a row out."""
    X, y = data(14, 20 if wide else 3)
    y = np.where(y > np.median(y), 1.0, 0.0) if isinstance(model, BayesianLogistic) else y
    w = np.array([2, 1, 0, 3, 1, 1, 2, 1, 1, 0, 1, 2, 1, 1])
    order = np.random.default_rng(3).permutation(w.sum())
    model.fit(X, y, sample_weight=w)
    weighted, seen = model.draws_["posterior"], model.draws_["observed_data"]["y"].to_numpy()
    assert np.array_equal(seen, model.problem_.design.y)
    model.fit(np.repeat(X, w, axis=0)[order], np.repeat(y, w)[order])
    for name, value in model.draws_["posterior"].data_vars.items():
        np.testing.assert_allclose(value, weighted[str(name)], rtol=1e-6, atol=1e-9)


def test_weights_of_an_unknown_sigma_must_count() -> None:
    """A fraction of a row has no noise of its own; known noise takes it."""
    X, y = data()
    with pytest.raises(InputError, match=r"whole numbers.*give sigma a number"):
        BayesianLasso().fit(X, y, sample_weight=np.full(60, 0.5))
    half = BayesianRidge(1.0, sigma=1.0).fit(X, y, sample_weight=0.5)
    same = BayesianRidge(1.0, sigma=2**0.5).fit(X, y)
    np.testing.assert_allclose(half.coef_, same.coef_, rtol=1e-10)
    for weights, message in (
        (-1.0, "not be negative"),
        (np.nan, "NaN"),
        (0, "all weights are zero"),
        (np.eye(60)[0], "leaves one row, and at least 2 are needed"),
    ):
        with pytest.raises(InputError, match=f"sample_weight: .*{message}"):
            BayesianRidge().fit(X, y, sample_weight=weights)


def test_weights_too_large_to_write_out_are_passed_on() -> None:
    """A million rows of each kind have the posterior of their sums of products."""
    X, y = data(50)
    w = np.full(50, 1_000_000)
    model = BayesianRidge(0.001, sigma=300.0, **PLAIN).fit(X, y, sample_weight=w)
    mean, _ = ridge_by_hand(X, y, 300.0, 0.001, w)
    np.testing.assert_allclose(model.coef_, mean[1:], rtol=1e-8)


def test_constant_columns_stay_as_they_are() -> None:
    """They change no prediction, and their coefficient is that of the prior."""
    X, y = data()
    constant = np.column_stack([X, np.full(60, 3.0)])
    with_it = BayesianRidge(0.5, sigma=1.0).fit(constant, y)
    without = BayesianRidge(0.5, sigma=1.0).fit(X, y)
    np.testing.assert_allclose(with_it.predict(constant), without.predict(X), rtol=1e-9)
    np.testing.assert_allclose(with_it.interval_[3], [-0.979982, 0.979982], rtol=1e-5)


@pytest.mark.parametrize(
    "kind", [BayesianRidge, BayesianLasso, BayesianElasticNet, BayesianHorseshoe]
)
@pytest.mark.parametrize("case", ["perfect", "constant y", "p > n", "two rows", "zero columns"])
@pytest.mark.filterwarnings("ignore:chains disagree")  # two rows, and seventy columns, say little
@pytest.mark.filterwarnings("ignore:X. has so few rows")
def test_odd_data_have_finite_answers(kind: Any, case: str) -> None:
    """Numbers, whatever the data: no NaN, no refusal, and infinite only what is."""
    X, y = data(8 if case == "p > n" else 20, 30 if case == "p > n" else 3)
    if case == "perfect":
        y = X[:, 1] * 2
    if case == "constant y":
        y = np.full(20, 0.1)
    if case == "two rows":
        X, y = X[:2], y[:2]
    if case == "zero columns":
        X = X * 0
    model = kind(random_state=0, draws=200, tune=200).fit(X, y)
    mean, std = model.predict(X, return_std=True)
    numbers = [model.coef_, model.intercept_, model.interval_, model.predict_interval(X), mean]
    assert all(np.isfinite(number).all() for number in numbers)
    assert (np.isinf(std) if case == "two rows" else np.isfinite(std)).all()
    if case == "perfect":
        np.testing.assert_allclose(model.predict(X), y, atol=0.05 * y.std())
    if case == "constant y":
        np.testing.assert_allclose(model.predict(X), y, rtol=1e-2)


# --------------------------------------------------------------------- coverage


def within(count: int, trials: int, prob: float) -> bool:
    """Whether a binomial count is one of those of probability 1 − 1e-6."""
    return bool(stats.binom.ppf(5e-7, trials, prob) <= count <= stats.binom.isf(5e-7, trials, prob))


@pytest.mark.parametrize("kind", ["ridge", "lasso", "unknown"])
def test_intervals_cover_what_their_model_makes(kind: str) -> None:
    """Truth drawn from the prior is in the interval as often as it says, a new target too."""
    rng = np.random.default_rng(7)
    trials, hits, predicted = 150, 0, 0
    for _ in range(trials):
        X = rng.normal(size=(16, 3))
        sigma = 0.8 if kind != "unknown" else abs(rng.normal())
        beta = rng.laplace(scale=0.7, size=3) if kind == "lasso" else rng.normal(scale=0.7, size=3)
        y = X @ beta + 1.0 + sigma * rng.normal(size=16)
        keywords: dict[str, Any] = {"prob": 0.8, "random_state": 1, **PLAIN}
        if kind == "lasso":
            model: Any = BayesianLasso(0.7, sigma=0.8, draws=250, tune=100, **keywords)
        else:
            noise = br.HalfNormal(1.0) if kind == "unknown" else 0.8
            model = BayesianRidge(0.7, sigma=noise, draws=250, **keywords)
        model.fit(X, y)
        low, high = model.interval_[0]
        hits += low < beta[0] < high
        new = rng.normal(size=(1, 3))
        target = new[0] @ beta + 1.0 + sigma * rng.normal()
        low, high = model.predict_interval(new, prob=0.8)[0]
        predicted += low < target < high
    assert within(hits, trials, 0.8)
    assert within(predicted, trials, 0.8)


# --------------------------------------------------------------------- points


def test_the_three_centres() -> None:
    """Mean and median are those of the draws, the mode is find_map's; predictions are one."""
    X, y = data()
    fits: dict[str, Any] = {
        point: BayesianLasso(point=point, random_state=1).fit(X, y)
        for point in ("mean", "median", "mode")
    }
    drawn = fits["mean"].draws_["posterior"]
    beta = drawn["beta"].to_numpy().reshape(-1, 3)
    np.testing.assert_allclose(fits["mean"].coef_, beta.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(fits["median"].coef_, np.median(beta, axis=0), rtol=1e-12)
    given = {name: float(np.median(drawn[name])) for name in ("sigma", "scale")}
    mode = br.find_map(fits["mean"].problem_, given=given)
    np.testing.assert_allclose(fits["mode"].coef_, mode.coef, rtol=1e-10)
    assert fits["mode"].certificate_.optimal
    assert (fits["mode"].sigma_, fits["mode"].scale_) == (given["sigma"], given["scale"])
    middle = X.mean(axis=0)
    for fit in fits.values():
        np.testing.assert_array_equal(fit.predict(X), fits["mean"].predict(X))
        assert fit.intercept_ + middle @ fit.coef_ == pytest.approx(y.mean(), abs=0.1)
        assert fit.diagnosis_.ok


def test_a_horseshoe_has_no_mode() -> None:
    """It is None, and asking for it as the coefficients says why."""
    X, y = data()
    model = BayesianHorseshoe(random_state=1).fit(X, y)
    assert model.mode_ is None
    assert model.certificate_ is None
    np.testing.assert_allclose(model.coef_, np.linspace(-1, 1, 3), atol=0.3)
    with pytest.raises(DegenerateMode, match="infinite at 0"):
        BayesianHorseshoe(point="mode").fit(X, y)


def test_chains_that_disagree_are_told_of() -> None:
    """Far too few steps: a warning that says what to do."""
    X, y = data(15, 40)
    with pytest.warns(SamplingWarning, match="raise tune and draws"):
        BayesianHorseshoe(draws=10, tune=1, random_state=1).fit(X, y)


def test_ctrl_c_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws that were cut short are no fit: a grid search must stop."""

    def cut_short(*arguments: Any, **keywords: Any) -> Any:
        tree = br.sample(*arguments, **keywords)
        tree.attrs["complete"] = 0
        return tree

    monkeypatch.setattr(posteriors, "sample", cut_short)
    with pytest.raises(KeyboardInterrupt):
        BayesianElasticNet(1.0, 1.0, sigma=1.0, draws=10, tune=10).fit(*data())


# --------------------------------------------------------------------- two classes


def test_probabilities_are_means_over_the_posterior() -> None:
    """Against brute force on a grid of intercept and coefficient."""
    x = np.array([-1.5, -0.4, 0.1, 0.8, 1.2, 2.0])
    y = np.array([0, 0, 1, 0, 1, 1])
    model = BayesianLogistic(1.5, draws=5000, random_state=1, **PLAIN).fit(x[:, None], y)
    a, b = np.meshgrid(np.linspace(-25, 25, 801), np.linspace(-9, 9, 801), indexing="ij")
    eta = a[..., None] + b[..., None] * x
    log = (y * eta - np.logaddexp(0, eta)).sum(axis=-1) - b**2 / (2 * 1.5**2)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    new = np.array([-3.0, 0.3, 4.0])
    wanted = [(weight * special.expit(a + b * value)).sum() for value in new]
    got = model.predict_proba(new[:, None])
    np.testing.assert_allclose(got[:, 1], wanted, atol=0.015)
    np.testing.assert_allclose(got.sum(axis=1), 1.0, rtol=1e-12)
    assert model.coef_.shape == (1, 1)
    assert model.coef_[0, 0] == pytest.approx((weight * b).sum(), abs=0.06)
    labels = model.sample_posterior_predictive(new[:, None], random_state=1)
    np.testing.assert_allclose(labels.mean(axis=0), wanted, atol=0.03)


def test_probabilities_are_calibrated() -> None:
    """Where truth is drawn from the prior, what has probability p happens p of the time."""
    rng = np.random.default_rng(3)
    p, outcome = [], []
    for _ in range(60):
        X, beta = rng.normal(size=(25, 2)), 1.5 * rng.normal(size=2)
        chance = special.expit(X @ beta)
        y = (rng.random(25) < chance).astype(int)
        if y[:20].min() == y[:20].max():
            continue
        model = BayesianLogistic(
            1.5, fit_intercept=False, draws=100, tune=50, random_state=1, **PLAIN
        )
        p.append(model.fit(X[:20], y[:20]).predict_proba(X[20:])[:, 1])
        outcome.append(y[20:])
    probability, happened = np.concatenate(p), np.concatenate(outcome)
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        inside = (probability >= low) & (probability < high)
        error = (happened - probability)[inside].sum()
        # Five rows share their coefficients, so the variance may be several times as large.
        assert abs(error) < 5 * np.sqrt(3 * (probability * (1 - probability))[inside].sum())


@pytest.mark.parametrize(
    "labels",
    [("no", "yes"), (False, True), (1, 2), (-1.0, 1.0), (0, 1)],
    ids=lambda pair: type(pair[0]).__name__ + str(pair[0]),
)
def test_labels_of_all_kinds(labels: tuple[Any, Any]) -> None:
    """Predictions are labels of the kind that was given; the second one is modelled."""
    X, y = data()
    kind = np.asarray(labels)
    target = kind[(y > y.mean()).astype(int)]
    model = BayesianLogistic(random_state=1, draws=100, tune=100).fit(X, target)
    assert list(model.classes_) == list(kind)
    assert model.predict(X).dtype == kind.dtype
    assert model.score(X, target) > 0.85
    drawn = model.sample_posterior_predictive(X[:4], n_draws=5)
    assert drawn.shape == (5, 4)
    assert set(drawn.ravel().tolist()) <= set(kind.tolist())
    assert model.sigma_ is None


def test_other_than_two_classes_are_refused() -> None:
    """One class, three, and one that the weights leave."""
    X, _ = data(6)
    model = BayesianLogistic()
    with pytest.raises(InputError, match=r"one class only \('a'\)"):
        model.fit(X, ["a"] * 6)
    with pytest.raises(InputError, match=r"Only binary.*holds 3 classes; use .*OneVsRest"):
        model.fit(X, ["a", "b", "c"] * 2)
    with pytest.raises(InputError, match="sample_weight: leaves rows of one class only"):
        model.fit(X, ["a", "b"] * 3, sample_weight=[1, 0] * 3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([None, "a", "b", "a", "b", "a"], r"y: 1 of 6 labels are missing, .* row 0 \(None\)"),
        ([1, "a", "a", 1, 1, 1], r"y: holds labels of several kinds, numbers and text \(1, 'a'\)"),
        (pd.Series(["a", pd.NA] * 3, dtype="string"), r"y: 3 of 6 .* row 1 \(<NA>\)"),
        (np.array([True, "x"] * 3, dtype=object), "y: holds labels of several kinds"),
        ([b"a", b"b"] * 3, r"y: holds bytes \(b'a'\)"),
        ([np.nan, 1, 0, 1, 0, 1], r"y: 1 of 6 labels are missing"),
    ],
    ids=["None", "mixed", "NA", "truth and text", "bytes", "NaN"],
)
def test_labels_that_are_none_are_named(labels: Any, message: str) -> None:
    """In an InputError, where NumPy cannot sort them."""
    with pytest.raises(InputError, match=message):
        BayesianLogistic().fit(data(6)[0], labels)


def test_labels_in_an_array_of_objects_are_what_they_are() -> None:
    """Truth values and text."""
    X, y = data(20)
    for kind in (np.array([False, True]), np.array(["no", "yes"])):
        target = kind[(y > y.mean()).astype(int)]
        model = BayesianLogistic(random_state=1, draws=50, tune=50, chains=1)
        assert list(model.fit(X, target.astype(object)).classes_) == list(kind)


def test_any_prior_of_a_logit() -> None:
    """The lasso by name, another as an object."""
    X, y = data()
    target = y > y.mean()
    lasso: Any = BayesianLogistic(0.5, prior="laplace", random_state=1, draws=200, **PLAIN).fit(
        X, target
    )
    same = BayesianLogistic(prior=br.Laplace(0.5), random_state=1, draws=200, **PLAIN).fit(
        X, target
    )
    np.testing.assert_array_equal(lasso.coef_, same.coef_)
    assert lasso.certificate_.optimal
    assert lasso.scale_ == 0.5


# --------------------------------------------------------------------- any mode


def test_the_mode_of_a_poisson_problem_is_scikit_learns() -> None:
    """tau² = 1/(n alpha); nothing is drawn until it is asked for."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    y = rng.poisson(np.exp(0.5 * X[:, 0] + 1))
    model = MAPRegressor(br.Normal(0.4), br.Poisson(), **PLAIN, draws=300, tune=300).fit(X, y)
    other = PoissonRegressor(alpha=1 / (50 * 0.4**2), tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X), other.predict(X), rtol=1e-5)
    assert model.certificate_.optimal
    assert not model._posterior.was_drawn


def test_the_mode_of_a_problem_by_blocks() -> None:
    """What find_map says of the same problem; unpenalised columns by name."""
    pandas = pytest.importorskip("pandas")
    X, y = data()
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    prior: Any = [(br.Laplace(0.1), ["a", "b"]), (br.Flat(), ["c"])]
    model = MAPRegressor(prior, br.Gaussian(1.0)).fit(frame, y)
    fit = br.find_map(
        br.Problem(frame, y, likelihood=br.Gaussian(1.0), prior=prior, standardize=True)
    )
    np.testing.assert_array_equal(model.coef_, fit.coef)
    np.testing.assert_allclose(model.predict(frame), X @ fit.coef + fit.intercept, rtol=1e-12)
    assert model.sigma_ == 1.0


def test_unknown_scales_of_a_mode() -> None:
    """Sigma of the joint mode; a scale must be given, and the message says so."""
    X, y = data()
    prior = br.Laplace(0.5, relative_to="sigma")
    joint = MAPRegressor(prior, br.Gaussian(br.HalfCauchy(1.0))).fit(X, y)
    assert joint.sigma_ == joint.mode_.sigma
    unknown = MAPRegressor(br.Laplace(br.HalfCauchy(1.0)), br.Gaussian(1.0))
    with pytest.raises(DegenerateMode, match="given"):
        unknown.fit(X, y)
    assert unknown.set_params(given={"scale": 2.0}).fit(X, y).scale_ == 2.0


def test_the_default_mode_is_a_ridge_of_standardised_columns() -> None:
    """With ``alpha = σ²/τ²``: the residual variance, and the rest of it shared by the columns."""
    X, y = data()
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    variance = np.sum((y - LinearRegression().fit(X, y).predict(X)) ** 2) / (60 - 3 - 1)
    other = Ridge(alpha=3 * variance / (y.var() - variance)).fit(Z, y)
    model = MAPRegressor().fit(X, y)
    assert model.sigma_ == pytest.approx(variance**0.5, rel=1e-12)
    np.testing.assert_allclose(model.predict(X), other.predict(Z), rtol=1e-9)
    wide = MAPRegressor().fit(X[:4], y[:4])  # no least squares: alpha = p
    other = Ridge(alpha=3).fit((X[:4] - X[:4].mean(axis=0)) / X[:4].std(axis=0), y[:4])
    np.testing.assert_allclose(wide.coef_, other.coef_ / X[:4].std(axis=0), rtol=1e-9)
    assert wide.sigma_ == pytest.approx(y[:4].std() / 2**0.5)


def test_the_default_mode_predicts_intervals_that_hold_what_they_say() -> None:
    """Strong signals: 90 % intervals hold about 90 %, in closed form, and are no wider."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2100, 8))
    y = 5.0 + X @ [5.0, 3.0, 0.0, 0.0, 0.0, 4.0, 0.0, -4.0] + rng.normal(size=2100)
    model = MAPRegressor().fit(X[:100], y[:100])
    low, high = model.predict_interval(X[100:], 0.9).T
    assert 0.85 < np.mean((low < y[100:]) & (y[100:] < high)) < 0.95
    assert np.mean(high - low) == pytest.approx(2 * stats.norm.ppf(0.95), rel=0.2)
    assert not model._posterior.was_drawn


@pytest.mark.parametrize("plain", [{}, PLAIN], ids=["standardised", "as they are"])
def test_default_numbers_of_a_mode_know_no_units_and_count_rows(plain: dict[str, Any]) -> None:
    """Nor does it matter what holds the columns, constant and doubled ones among them."""
    X, y = data(40)
    X = np.column_stack([X, X[:, 0], np.full(40, 7.0)])
    w = np.arange(40) % 3
    model = MAPRegressor(**plain).fit(X, y, sample_weight=w)
    times = 2.0**-20 if plain else np.array([2.0**9, 1.0, 2.0**-20, 2.0**9, 4.0])
    for other, factor in (
        (MAPRegressor(**plain).fit(np.repeat(X, w, axis=0), np.repeat(y, w)), 1.0),
        (MAPRegressor(**plain).fit(sparse.csr_array(X), y, sample_weight=w), 1.0),
        (MAPRegressor(**plain).fit(X * times, y * 2.0**7, sample_weight=w), 2.0**7),
    ):
        unit = times if factor != 1.0 else 1.0
        assert other.sigma_ == pytest.approx(factor * float(model.sigma_ or 0.0), rel=1e-9)
        np.testing.assert_allclose(other.coef_ * unit, factor * model.coef_, rtol=1e-7, atol=1e-12)
    halves = MAPRegressor(**plain).fit(X, y, sample_weight=w / 2)
    residual = y - LinearRegression().fit(X, y, sample_weight=w).predict(X)
    assert float(halves.sigma_ or 0.0) ** 2 == pytest.approx(
        w / 2 @ residual**2 / (w.sum() / 2 - 3 - 1)
    )


def test_the_scales_of_the_elastic_net_are_the_numbers_that_it_says() -> None:
    """None is learnt; sigma is."""
    X, y = data()
    model = BayesianElasticNet(draws=50, tune=50, chains=2, random_state=0).fit(X, y)
    prior: Any = model.problem_.prior
    assert model.scale_ is None
    assert model.problem_.unknown == ("sigma",)
    assert prior.l2_scale == pytest.approx(y.std() / 6**0.5)
    assert prior.l1_scale == pytest.approx(2**0.5 * prior.l2_scale)


def test_robust_noise_predicts_its_own_tails() -> None:
    """The predictive sd under Student-t noise counts its variance; there is none for nu = 2."""
    X, y = data(30)
    few: dict[str, Any] = {"draws": 500, "tune": 200, "random_state": 1}
    wide = MAPRegressor(br.Normal(1.0), br.StudentTNoise(nu=2.0, sigma=1.0), **few)
    _, std = wide.fit(X, y).predict(X[:2], return_std=True)
    assert np.isinf(std).all()
    some = MAPRegressor(br.Normal(1.0), br.StudentTNoise(nu=4.0, sigma=1.0), **few)
    _, std = some.fit(X, y).predict(X[:2], return_std=True)
    assert (std > 2**0.5).all()
    assert (np.diff(some.predict_interval(X[:2], 0.9)) > 2 * stats.t(4).ppf(0.95)).all()


def test_intervals_of_counts_and_of_rows() -> None:
    """Whole numbers that hold what is drawn; the interval of a row is its own alone."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 1))
    y = rng.poisson(np.exp(0.5 * X[:, 0] + 1))
    few: dict[str, Any] = {"draws": 250, "tune": 250, "random_state": 1}
    model = MAPRegressor(br.Normal(0.4), br.Poisson(), **few).fit(X, y)
    ends = model.predict_interval(X, 0.9)
    drawn = model.sample_posterior_predictive(X, random_state=2)
    assert np.array_equal(ends, np.round(ends))
    assert (((drawn >= ends[:, 0]) & (drawn <= ends[:, 1])).mean(axis=0) > 0.85).all()
    assert np.array_equal(model.predict_interval(X[3:5], 0.9), ends[3:5])
    _, std = model.predict(X, return_std=True)
    np.testing.assert_allclose(std, drawn.std(axis=0), rtol=0.15)
    with pytest.raises(SamplingFailed, match="X: draws reach a rate"):
        model.predict_interval([[1e3]])
    lasso = BayesianLasso(**few).fit(X, y)
    assert np.array_equal(lasso.predict_interval(X)[3:5], lasso.predict_interval(X[3:5]))


# --------------------------------------------------------------------- bad parameters


# As those who do not check types write them.
RIDGE: Any = BayesianRidge
NET: Any = BayesianElasticNet
LASSO: Any = BayesianLasso
SHOE: Any = BayesianHorseshoe
MAP: Any = MAPRegressor


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (RIDGE(point="average"), "point: 'average' is not known"),
        (RIDGE(-1.0), "scale: must be positive"),
        (RIDGE(sigma=0.0), "sigma: must be positive"),
        (RIDGE(prob=1.5), "prob: must lie strictly between"),
        (RIDGE(draws=0), "draws: must be at least 1"),
        (RIDGE(chains=1.5), "chains: must be a whole number"),
        (RIDGE(fit_intercept="yes"), "fit_intercept: must be True or False"),
        (RIDGE(standardize=None), "standardize: must be True or False"),
        (RIDGE([1.0, 2.0]), "scale"),
        (RIDGE("big"), r"scale: must be a positive number or a prior .*\(1.0\), found 'big'"),
        (RIDGE(sigma="big"), r"sigma: must be a positive number or a prior .*\(1.0\), found 'big'"),
        (LASSO({}), r"scale: must be a positive number or a prior .*\(1.0\), found {}"),
        (SHOE(scale=True), r"scale: must be a positive number or a prior .*\(1.0\), found True"),
        (NET("auto"), "l1_scale: must be a positive number or one per column, found 'auto'"),
        (NET(l2_scale=br.HalfCauchy(1.0)), "l2_scale: must be a positive number or one per"),
        (MAP("lasso"), "prior: must be a prior"),
        (MAP(likelihood="normal"), "likelihood: must be"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_parameters_are_named(model: Any, message: str) -> None:
    """At fit, as scikit-learn wants it."""
    with pytest.raises(BayesregError, match=message):
        model.fit(*data())


def test_bad_parameters_of_the_classifier_and_of_predictions() -> None:
    """A prior with a scale of its own, an unknown name, more draws than there are."""
    X, y = data()
    for model, message in (
        (BayesianLogistic(1.0, prior=br.Laplace(1.0)), "scale: the prior has a scale"),
        (BayesianLogistic(prior="lasso"), "prior: 'lasso' is not known"),
        (BayesianLogistic("big"), "scale: must be a positive number or a prior"),
    ):
        with pytest.raises(InputError, match=message):
            model.fit(X, y > y.mean())
    model = BayesianRidge(draws=10).fit(X, y)
    with pytest.raises(InputError, match="n_draws: must be at most 40"):
        model.sample_posterior_predictive(X, n_draws=41)
    with pytest.raises(InputError, match="prob: must lie"):
        model.predict_interval(X, prob=95)
    with pytest.raises(InputError, match="y: varies by 1e\\+100"):
        BayesianRidge().fit(X, 1e100 * np.sign(y - np.median(y)))


@pytest.mark.parametrize("kind", [BayesianRidge, MAPRegressor, BayesianLogistic])
def test_data_that_scikit_learn_would_misread(kind: Any) -> None:
    """Masked entries are no numbers, and two columns have two names; squares must not overflow."""
    X, y = data(20)
    target = (y > y.mean()).astype(float)
    model = kind()
    hidden = np.ma.masked_greater(X, X.max() - 0.1)
    for columns, labels, weights, message in (
        (hidden, target, None, "X: has masked entries"),
        (X, np.ma.masked_greater(target, 0.5), None, "y: has masked entries"),
        (X, target, np.ma.masked_greater(target, 0.5), "sample_weight: has masked entries"),
        (pd.DataFrame(X, columns=list("aab")), target, None, "columns of the same name"),
    ):
        with pytest.raises(InputError, match=message):
            model.fit(columns, labels, sample_weight=weights)
    model = kind(draws=50, tune=50, chains=1, random_state=0).fit(np.ma.array(X), target)
    with pytest.raises(InputError, match="X: has masked entries"):
        model.predict(hidden)
    with pytest.raises(InputError, match=r"X: .* squares overflow; rescale it"):
        model.predict(X * 1e200)


def test_an_interval_of_nearly_all_probability_is_symmetric_and_finite() -> None:
    """One end by the other: ``(1 + prob) / 2`` rounds to 1, whose quantile is infinite."""
    X, y = data()
    prob = 1 - 1e-16
    model = BayesianRidge(1.0, sigma=1.0, prob=prob).fit(X, y)
    mean, sd = model.predict(X, return_std=True)
    ends = model.predict_interval(X, prob=prob)
    wide = stats.norm.isf((1 - prob) / 2)
    np.testing.assert_allclose(ends, np.column_stack([mean - wide * sd, mean + wide * sd]))
    assert np.isfinite(model.interval_).all()


def test_a_target_of_text_is_refused_by_name() -> None:
    """Where scikit-learn leaves the words of NumPy."""
    X, _ = data(n=10)
    with pytest.raises(InputError, match=r"^y: found text \('a'\); encode text columns as numbers"):
        BayesianRidge(1.0).fit(X, ["a"] * 10)
