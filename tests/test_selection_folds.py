"""Cross-validation of the scale: brute force, scikit-learn's own, and nothing leaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, special, stats
from sklearn.linear_model import LassoCV
from sklearn.model_selection import GroupKFold, KFold, LeaveOneOut, RepeatedKFold
from threadpoolctl import threadpool_info

import bayesreg as br
from bayesreg.errors import BayesregError, InputError
from bayesreg.selection.folds import Splits, split_rows

RNG = np.random.default_rng(11)
N, P = 40, 4
X = RNG.normal(size=(N, P)) * [1.0, 5.0, 0.2, 1.0] + [0.0, 3.0, 0.0, -1.0]
ETA = X @ [0.5, 0.1, 0.0, -0.6]
Y = ETA + RNG.normal(size=N)
BINARY = (RNG.random(N) < special.expit(ETA)).astype(float)
COUNTS = RNG.poisson(np.exp(0.3 * ETA)).astype(float)
WEIGHTS, OFFSET = RNG.uniform(0.5, 2.0, N), RNG.normal(size=N)
SCALES = np.array([0.05, 0.2, 1.0, 5.0])
FOLDS = [(np.flatnonzero(np.arange(N) % 4 != k), np.arange(k, N, 4)) for k in range(4)]
LASSO = br.Laplace(1.0)


def densities(problem: br.Problem, eta: Any, y: Any, w: Any) -> Any:
    """Log density of rows, from SciPy."""
    family = problem.likelihood
    if isinstance(family, br.Gaussian):
        return stats.norm.logpdf(y, eta, np.sqrt(family.variance / w))
    if isinstance(family, br.StudentTNoise):
        return stats.t.logpdf(y, family.nu, eta, np.sqrt(family.variance / w))
    if isinstance(family, br.Bernoulli):
        return w * stats.bernoulli.logpmf(y, special.expit(eta))
    return w * stats.poisson.logpmf(y, np.exp(eta))


@pytest.mark.parametrize(
    ("likelihood", "target"),
    [
        (br.Gaussian(0.8), Y),
        (br.StudentTNoise(4.0, 0.8), Y),
        (br.Bernoulli(), BINARY),
        (br.Poisson(), COUNTS),
    ],
    ids=["gaussian", "student", "bernoulli", "poisson"],
)
def test_the_curve_is_the_loss_of_rows_held_out(likelihood: Any, target: Any) -> None:
    """Refitted by hand: new problems of the other rows, columns standardised from them alone."""
    parts: dict[str, Any] = {"likelihood": likelihood, "standardize": True}
    problem = br.Problem(X, target, prior=LASSO, weights=WEIGHTS, offset=OFFSET, **parts)
    chosen = br.select_scale(problem, scales=SCALES, folds=FOLDS)
    value = np.zeros(SCALES.size)
    for train, test in FOLDS:
        for k, scale in enumerate(SCALES):
            fold = br.Problem(
                X[train], target[train], prior=br.Laplace(float(scale)), weights=WEIGHTS[train],
                offset=OFFSET[train], **parts,
            )  # fmt: skip
            fit = br.find_map(fold)
            eta = OFFSET[test] + fit.intercept + X[test] @ fit.coef
            value[k] -= densities(problem, eta, target[test], WEIGHTS[test]).sum()
    assert_allclose(chosen.curve.value, value, rtol=1e-9)
    assert chosen.scale == SCALES[np.argmin(value)] == chosen.minimum
    assert br.find_map(chosen.problem).certificate.stationary


def test_lasso_cv_of_scikit_learn_has_the_same_curve() -> None:
    """With scales σ²/(mα) for the m rows of a fold, and a gap that both have closed."""
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))
    alphas = np.geomspace(1.0, 1e-3, 20)
    peer = LassoCV(alphas=alphas, cv=folds, tol=1e-12, max_iter=10**6).fit(X, Y)
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=LASSO)
    chosen = br.select_scale(problem, scales=1 / (32 * alphas), folds=folds)
    mean_square = 2 * chosen.curve.value / N - np.log(2 * np.pi)
    assert_allclose(mean_square, peer.mse_path_.mean(axis=1), rtol=1e-8)
    assert chosen.scale == pytest.approx(1 / (32 * peer.alpha_))
    spread = peer.mse_path_.std(axis=1, ddof=1) / np.sqrt(5)
    assert_allclose(chosen.curve.standard_error, 0.5 * N * spread, rtol=1e-6)


def test_rows_held_out_leave_no_trace_in_a_fold() -> None:
    """Whatever they become, the modes of their fold stay what they were, to the last bit."""
    changed, target = X.copy(), Y.copy()
    train, test = FOLDS[0]
    changed[test], target[test] = 1e3 * X[test] + 7.0, -50.0
    paths = []
    for columns, y in ((X, Y), (changed, target)):
        problem = br.Problem(columns, y, likelihood=br.Gaussian(1.0), prior=LASSO, standardize=True)
        fold = Splits(problem).fold(train, test)
        assert_allclose(fold.train.design.column_sd, X[train].std(axis=0), rtol=1e-12)
        paths.append(br.map_path(fold.train, SCALES))
    assert_array_equal(paths[0].coef, paths[1].coef)
    assert_array_equal(paths[0].intercept, paths[1].intercept)


def test_the_rule_of_one_standard_error_takes_the_strongest_prior() -> None:
    """The smallest scale whose value is at most the lowest plus its standard error."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=LASSO)
    least = br.select_scale(problem, n_scales=30)
    strong = br.select_scale(problem, n_scales=30, rule="one-standard-error")
    curve = least.curve
    limit = curve.value.min() + curve.standard_error[curve.best]
    assert strong.scale == curve.scales[curve.value <= limit].min() == least.one_standard_error
    assert strong.scale < least.scale
    assert strong.problem == problem.with_prior(br.Laplace(strong.scale))
    low, high = least.uncertainty.low, least.uncertainty.high
    assert low <= least.scale <= high


def test_splitters_of_scikit_learn_are_taken() -> None:
    """Groups stay together, leave-one-out is a splitter too, rows held out twice count once."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=LASSO)
    groups = np.arange(N) // 5
    for train, test in split_rows(problem, GroupKFold(4), groups, RNG):
        assert not set(groups[train]) & set(groups[test])
    one = br.select_scale(problem, scales=SCALES, folds=LeaveOneOut())
    listed = [(np.delete(np.arange(N), i), np.array([i])) for i in range(N)]
    same = br.select_scale(problem, scales=SCALES, folds=listed)
    assert_array_equal(one.curve.value, same.curve.value)
    twice = br.select_scale(problem, scales=SCALES, folds=FOLDS + FOLDS)
    assert_allclose(twice.curve.value, one_pass := value_of(problem), rtol=1e-12)
    assert one_pass.size == SCALES.size
    repeated = RepeatedKFold(n_splits=4, n_repeats=2, random_state=0)
    again = br.select_scale(problem, scales=SCALES, folds=repeated)
    assert_allclose(again.curve.value, one_pass, rtol=0.1)


def value_of(problem: br.Problem) -> Any:
    """Return the curve over FOLDS."""
    return br.select_scale(problem, scales=SCALES, folds=FOLDS).curve.value


def test_classes_are_dealt_out_evenly() -> None:
    """A binary target: each fold has its share of either class."""
    y = np.zeros(N)
    y[:10] = 1.0
    problem = br.Problem(X, y, likelihood=br.Bernoulli(), prior=LASSO)
    for _, test in split_rows(problem, 5, None, np.random.default_rng(0)):
        assert y[test].sum() == 2


def test_threads_change_nothing_but_the_time() -> None:
    """The same numbers from one thread and from three, and BLAS gets its threads back."""
    problem = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=LASSO)
    before = [library["num_threads"] for library in threadpool_info()]
    one, three = (br.select_scale(problem, workers=k, n_scales=15) for k in (1, 3))
    assert_array_equal(one.curve.value, three.curve.value)
    assert [library["num_threads"] for library in threadpool_info()] == before
    other = br.select_scale(problem, n_scales=15, seed=1)
    assert (one.curve.value != other.curve.value).any()


def test_a_sparse_matrix_stays_sparse_and_gives_the_same() -> None:
    """Rows of it are taken without making it dense."""
    columns = np.where(RNG.random((N, 6)) < 0.4, RNG.normal(size=(N, 6)), 0.0)
    curves = [
        br.select_scale(
            br.Problem(each, Y, likelihood=br.Gaussian(1.0), prior=LASSO),
            scales=SCALES,
            folds=FOLDS,
        ).curve.value
        for each in (columns, sparse.csc_array(columns))
    ]
    assert_allclose(curves[0], curves[1], rtol=1e-9)


def test_unknown_sigma_is_set_and_said() -> None:
    """To the residual sd of least squares, rows weighted; or to what is given."""
    problem = br.Problem(
        X, Y, likelihood=br.Gaussian(br.HalfCauchy(1.0)), prior=LASSO, weights=WEIGHTS
    )
    chosen = br.select_scale(problem, scales=SCALES, folds=FOLDS)
    columns = np.sqrt(WEIGHTS)[:, None] * np.column_stack([np.ones(N), X])
    left = np.linalg.lstsq(columns, np.sqrt(WEIGHTS) * Y)[1].item()
    assert chosen.sigma == pytest.approx(np.sqrt(left / (N - P - 1)))
    assert "unknown; set to the residual sd of least squares" in str(chosen)
    given = br.select_scale(problem, scales=SCALES, folds=FOLDS, given={"sigma": 2.0})
    assert (given.sigma, given.sigma_source) == (2.0, "as given")
    assert not given.problem.unknown
    wide = br.Problem(X.T, Y[:P], likelihood=br.Gaussian(br.HalfCauchy(1.0)), prior=LASSO)
    spread = br.select_scale(wide, scales=SCALES, folds=2)
    assert spread.sigma == pytest.approx(Y[:P].std() / np.sqrt(2))


CONSTANT = np.column_stack([X[:, 0], np.eye(N)[0]])
BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "one fold": (X, {"folds": 1}, "folds: must be at least 2"),
    "more folds than rows": (X, {"folds": 41}, "there are 40 rows"),
    "overlap": (X, {"folds": [(np.arange(20), np.arange(19, 40))] * 2}, "make them disjoint"),
    "no rows": (X, {"folds": [(np.arange(20), np.array([], dtype=int))] * 2}, "some of 0 to 39"),
    "no such row": (X, {"folds": [(np.arange(20), np.array([40]))] * 2}, "some of 0 to 39"),
    "no pair": (X, {"folds": [np.arange(3)] * 2}, "must hold pairs"),
    "masks": (X, {"folds": [(Y > 0, Y <= 0)] * 2}, "vector of positions"),
    "constant in a fold": (CONSTANT, {"folds": FOLDS}, "fold 1 of 4: X: column 'x1' is constant"),
    "given scale": (X, {"given": {"scale": 1.0}}, "the scale is what is to be chosen"),
    "rule": (X, {"rule": "minimun"}, "did you mean 'minimum'"),
    "scales": (X, {"scales": [1.0, -1.0]}, "scales: must be"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_are_refused_in_words(case: str) -> None:
    """The message names the argument, and the fold where it is one's."""
    columns, settings, message = BAD[case]
    problem = br.Problem(columns, Y, likelihood=br.Gaussian(1.0), prior=LASSO, standardize=True)
    with pytest.raises(InputError, match=message):
        br.select_scale(problem, **settings)


def test_a_fold_without_a_mode_is_named() -> None:
    """Classes that a flat column separates in one fold have no mode there."""
    y = (np.arange(N) >= 20).astype(float)
    prior = br.Laplace([np.inf, 1.0, 1.0, 1.0])
    columns = np.column_stack([np.arange(N) + np.where(np.arange(N) == 19, 5.0, 0.0), X[:, 1:]])
    problem = br.Problem(columns, y, likelihood=br.Bernoulli(), prior=prior)
    rest = np.delete(np.arange(N), 19)
    folds = [(rest, np.array([19])), (np.arange(1, N), np.array([0]))]
    with pytest.raises(BayesregError, match="fold 1 of 2: "):
        br.select_scale(problem, scales=[1.0], folds=folds)


def test_sums_of_products_have_no_rows_to_hold_out() -> None:
    """The message says which criteria do without."""
    problem = br.Problem.from_statistics(
        X.T @ X, X.T @ Y, float(Y @ Y), N, likelihood=br.Gaussian(1.0), prior=LASSO,
        intercept=False,
    )  # fmt: skip
    with pytest.raises(InputError, match="these do: aic, bic"):
        br.select_scale(problem)
    rows = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=LASSO, intercept=False)
    one, two = (br.select_scale(each, "aic", scales=SCALES) for each in (problem, rows))
    assert_allclose(one.curve.value, two.curve.value, rtol=1e-10)
