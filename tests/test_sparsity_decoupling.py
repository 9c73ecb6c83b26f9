"""Decoupled shrinkage and selection, against closed forms and its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.linear_model import Lasso

import bayesreg as br
from bayesreg.errors import InputError
from tests.sparsity_draws import tree_of

if TYPE_CHECKING:
    import xarray as xr

    from bayesreg._validation import Matrix

N, P = 40, 5
TRUTH = np.array([2.0, -1.0, 0.4, 0.05, 0.0])


def columns(rng: np.random.Generator, *, orthogonal: bool) -> Matrix:
    """Columns without a mean; orthogonal ones of length √n."""
    X = rng.standard_normal((N, P))
    X -= X.mean(axis=0)
    if orthogonal:
        return np.asarray(np.linalg.qr(X)[0] * np.sqrt(N))
    X[:, 1] += 0.7 * X[:, 0]
    return np.array(X, dtype=np.float64)


def drawn(*, orthogonal: bool = False, intercept: bool = True) -> tuple[br.Problem, xr.DataTree]:
    """A regression, and draws that are written down: normal about the truth."""
    rng = np.random.default_rng(4)
    X = columns(rng, orthogonal=orthogonal) + (3.0 if intercept else 0.0)
    y = X @ TRUTH + rng.standard_normal(N)
    problem = br.Problem(X, y, likelihood=br.Gaussian(br.HalfCauchy(1.0)), prior=br.Normal(1.0),
                         intercept=intercept)  # fmt: skip
    beta = TRUTH + 0.15 * rng.standard_normal((500, P))
    level = {"intercept": rng.standard_normal(500)} if intercept else {}
    return problem, tree_of(problem, beta, sigma=rng.uniform(0.8, 1.2, 500), **level)


def beta_of(tree: xr.DataTree) -> Matrix:
    """Coefficients, chains joined."""
    beta: Matrix = np.asarray(tree["posterior"]["beta"], dtype=np.float64)[0]
    return beta


@pytest.mark.parametrize("intercept", [True, False])
def test_on_orthogonal_columns_it_soft_thresholds_the_posterior_mean(intercept: bool) -> None:
    """``γ = sign(β̄)(|β̄| − λ/(2|β̄|))₊``, each coefficient by itself."""
    problem, tree = drawn(orthogonal=True, intercept=intercept)
    found = br.sparsity.decoupled(problem, tree)
    mean = beta_of(tree).mean(axis=0)
    for lam, coef in zip(found.lam, found.coef, strict=True):
        exact = np.sign(mean) * np.maximum(np.abs(mean) - 0.5 * lam / np.abs(mean), 0.0)
        np.testing.assert_allclose(coef, exact, atol=1e-9)
    assert found.lam[0] == pytest.approx(2 * np.max(mean**2))
    np.testing.assert_allclose(found.coef[-1], mean)


def test_the_path_is_that_of_scikit_learn() -> None:
    """A lasso of the fitted values on columns times the posterior mean, alpha half of λ."""
    problem, tree = drawn()
    found = br.sparsity.decoupled(problem, tree, n_scales=12)
    mean = beta_of(tree).mean(axis=0)
    X = problem.design.X
    target = X @ mean
    for lam, coef in zip(found.lam[:-1], found.coef[:-1], strict=True):
        peer = Lasso(alpha=lam / 2, tol=1e-14, max_iter=100_000).fit(X * mean, target)
        np.testing.assert_allclose(coef, peer.coef_ * mean, atol=1e-6)


def test_intercepts_are_those_of_the_mean_of_the_predictions() -> None:
    """Every summary has the mean prediction of the posterior mean."""
    problem, tree = drawn()
    found = br.sparsity.decoupled(problem, tree)
    X = problem.design.X
    level = float(np.asarray(tree["posterior"]["intercept"]).mean())
    whole = float((X @ beta_of(tree).mean(axis=0)).mean()) + level
    np.testing.assert_allclose(found.intercept + (X @ found.coef.T).mean(axis=0), whole)


@pytest.mark.parametrize("by", ["rho2", "psi"])
@pytest.mark.parametrize("intercept", [True, False])
def test_both_criteria_are_their_definitions(by: Any, intercept: bool) -> None:
    """Draw by draw, from the formulas; the choice too."""
    problem, tree = drawn(intercept=intercept)
    found = br.sparsity.decoupled(problem, tree, by=by, level=0.8, n_scales=10)
    X = problem.design.X - (problem.design.X.mean(axis=0) if intercept else 0.0)
    sigma = np.asarray(tree["posterior"]["sigma"])[0]
    low, high = [], []
    for k, coef in enumerate(found.coef):
        rho2, psi = [], []
        for beta, s in zip(beta_of(tree), sigma, strict=True):
            signal, lost = np.mean((X @ beta) ** 2), np.mean((X @ (beta - coef)) ** 2)
            rho2.append(signal / (signal + s**2 + lost))
            psi.append(np.sqrt(lost + s**2) - s)
        for values, table in ((rho2, found.rho2), (psi, found.psi)):
            expected = [np.mean(values), *np.quantile(values, [0.1, 0.9])]
            np.testing.assert_allclose(table[k], expected, rtol=1e-9)
        low.append(np.quantile(psi, 0.1))
        high.append(np.quantile(rho2, 0.9))
    if by == "rho2":
        enough = np.array(high) >= found.rho2[-1, 0]
    else:
        enough = np.array(low) <= found.psi[-1, 0]
    assert found.chosen == int(np.argmax(enough))
    assert enough.any()


def test_the_signals_are_chosen() -> None:
    """Two large coefficients of five; a wider interval chooses no larger a set."""
    problem, tree = drawn()
    assert br.sparsity.decoupled(problem, tree).selection.support[:2] == ("x0", "x1")
    sizes = [br.sparsity.decoupled(problem, tree, level=v).selection.size for v in (0.5, 0.9, 0.99)]
    assert sizes == sorted(sizes, reverse=True)


def test_order_and_units_of_the_columns_change_nothing() -> None:
    """A permutation and other units move the coefficients along, and choose the same."""
    problem, tree = drawn()
    order, factor = np.array([3, 0, 4, 2, 1]), np.array([1e-3, 5.0, 1.0, 40.0, 0.2])
    X = problem.design.X[:, order] * factor
    names = [problem.names[j] for j in order]
    other = br.Problem(X, problem.design.y, likelihood=problem.likelihood, prior=br.Normal(1.0),
                       names=names)  # fmt: skip
    drawn_there = tree["posterior"]
    moved = tree_of(
        other,
        beta_of(tree)[:, order] / factor,
        sigma=np.asarray(drawn_there["sigma"])[0],
        intercept=np.asarray(drawn_there["intercept"])[0],
    )
    here, there = br.sparsity.decoupled(problem, tree), br.sparsity.decoupled(other, moved)
    np.testing.assert_allclose(here.lam, there.lam, rtol=1e-9)
    np.testing.assert_allclose(here.coef[:, order], there.coef * factor, atol=1e-8)
    np.testing.assert_allclose(here.rho2, there.rho2, rtol=1e-9)
    assert set(here.selection.support) == set(there.selection.support)


def test_more_columns_than_rows() -> None:
    """The last summary is the posterior mean; earlier ones have at most n columns."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 60))
    problem = br.Problem(X, X[:, 7] * 2 + rng.standard_normal(20), likelihood=br.Gaussian(1.0),
                         prior=br.Horseshoe(0.05))  # fmt: skip
    draws = br.sample(problem, draws=300, tune=300, seed=1, progress=False)
    found = br.sparsity.decoupled(problem, draws)
    assert found.sizes[-1] == 60
    assert found.sizes[:-1].max() <= 20
    assert "x7" in found.selection.support


@pytest.mark.parametrize("likelihood", [br.Bernoulli(), br.Poisson()])
def test_other_likelihoods_compare_predictors_in_their_metric(likelihood: Any) -> None:
    """With orthogonal columns in that metric: soft thresholding again, and σ = 1."""
    rng = np.random.default_rng(1)
    X = columns(rng, orthogonal=False)
    y = rng.integers(0, 2, N).astype(float)
    problem = br.Problem(X, y, likelihood=likelihood, prior=br.Normal(1.0), intercept=False)
    beta = 0.5 * TRUTH + 0.1 * rng.standard_normal((200, P))
    found = br.sparsity.decoupled(problem, tree_of(problem, beta), n_scales=8)
    eta = X @ beta.mean(axis=0)
    rate = np.exp(eta)
    weight = rate if likelihood.name == "poisson" else rate / (1 + rate) ** 2
    signal = np.mean(weight * (X @ beta.T).T ** 2, axis=1)
    for coef, row in zip(found.coef, found.rho2, strict=True):
        lost = np.mean(weight * (X @ (beta - coef).T).T ** 2, axis=1)
        assert row[0] == pytest.approx(np.mean(signal / (signal + 1 + lost)))
    # Stationary: |Z'W(η̄ − Zu)| = nλ/2 where u is not 0, and no more elsewhere.
    Z, mean = X * beta.mean(axis=0), beta.mean(axis=0)
    for lam, coef in zip(found.lam[:-1], found.coef[:-1], strict=True):
        slope = Z.T @ (weight * (eta - X @ coef)) * 2 / N
        np.testing.assert_allclose(slope[coef != 0], lam * np.sign(coef / mean)[coef != 0])
        assert (np.abs(slope) <= lam * (1 + 1e-9)).all()


@pytest.mark.parametrize("by", ["rho2", "psi"])
@pytest.mark.parametrize("rows", [1, 30])
def test_where_nothing_is_explained_no_column_is_kept(rows: int, by: Any) -> None:
    """One row beside an intercept, or a constant target: the empty model does as well as any."""
    X = np.random.default_rng(0).normal(size=(rows, 3))
    problem = br.Problem(X, np.full(rows, 2.0), likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    tree = br.sample(problem, draws=250, seed=1, progress=False)
    found = br.sparsity.decoupled(problem, tree, by=by)
    assert found.selection.support == ()
    assert (found.sizes[0], found.sizes[-1]) == (0, 3)
    assert br.sparsity.summarise(problem, tree)["decoupled"].support == ()


def test_a_posterior_mean_of_zeros_has_the_empty_summary_alone() -> None:
    """Spikes may leave a column out of every draw, or all of them."""
    problem, tree = drawn()
    beta, rest = beta_of(tree).copy(), np.ones(500)
    beta[:, 2] = 0.0
    found = br.sparsity.decoupled(problem, tree_of(problem, beta, sigma=rest, intercept=rest))
    assert (found.coef[:, 2] == 0).all()
    empty = br.sparsity.decoupled(problem, tree_of(problem, 0 * beta, sigma=rest, intercept=rest))
    assert empty.sizes.tolist() == [0]
    assert empty.selection.support == ()
    np.testing.assert_allclose(empty.psi, 0.0)
    assert empty.plot().axes


def test_it_shows_itself() -> None:
    """A table of the path, a text, a figure."""
    problem, tree = drawn()
    found = br.sparsity.decoupled(problem, tree)
    frame = found.to_frame()
    assert frame["chosen"].sum() == 1
    assert frame["size"].tolist() == found.sizes.tolist()
    np.testing.assert_array_equal(frame[list(problem.names)].to_numpy(), found.coef)
    assert "explained variation" in str(found)
    assert len(found.plot().axes) == 3


BAD: list[tuple[dict[str, Any], str]] = [
    ({"by": "aic"}, "by: 'aic' is not known"),
    ({"by": None}, "by: None is not known"),
    ({"level": 1.0}, "level: must lie strictly between 0 and 1"),
    ({"n_scales": 1}, "n_scales: must be at least 2"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_arguments_are_refused_in_words(options: dict[str, Any], message: str) -> None:
    """The message names the argument."""
    problem, tree = drawn()
    with pytest.raises(InputError, match=message):
        br.sparsity.decoupled(problem, tree, **options)


def test_sums_of_products_have_no_rows_to_predict() -> None:
    """A problem made of sufficient statistics is refused."""
    problem = br.Problem.from_statistics(
        np.eye(2), [1.0, 0.5], 2.0, 10, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0),
        intercept=False,
    )  # fmt: skip
    with pytest.raises(InputError, match="predictions need rows"):
        br.sparsity.decoupled(problem, tree_of(problem, np.ones((3, 2))))
