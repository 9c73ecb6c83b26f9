"""The solver for large problems: factors, working sets, paths, and when it hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import bayesreg as br
from bayesreg import _threads
from bayesreg.errors import NotConverged
from bayesreg.likelihoods import Gaussian
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.solvers import (
    _kernel,
    _workspace,
    active_set,
    gaussian,
    glm,
    solve,
    solve_path,
    working_set,
)
from bayesreg.solvers._workspace import Collinear
from tests.problems import bank

if TYPE_CHECKING:
    from bayesreg.problem import Problem
    from bayesreg.solvers import Solution

BANK = {
    name: problem
    for name, problem in bank().items()
    if problem.convex and isinstance(problem.penalty, ElasticNetPenalty)
}


def modes(problems: list[Problem]) -> list[Solution]:
    """Solve by working sets whatever the size."""
    module = gaussian if isinstance(problems[0].likelihood, Gaussian) else glm
    return list(module.modes(problems))


def wide(seed: int, n: int = 60, p: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """More columns than rows, neighbours correlated, five effects."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    X[:, 1:] += 0.6 * X[:, :-1]
    return X, X[:, :5] @ [2.0, -1.0, 1.0, 0.5, -2.0] + rng.normal(size=n)


# --------------------------------------------------------------------------- the kernel


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 12))
def test_factor_follows_appends_and_removals(seed: int, k: int) -> None:
    """After any sequence of changes, L L' is the system of the support in its order."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(20, 12))
    G, l2 = A.T @ A, rng.uniform(0, 1, 12)
    L, order, size = np.zeros((12, 12)), np.zeros(12, dtype=np.int64), 0
    for j in rng.permutation(12)[:k]:
        assert _kernel.append(L, order, size, int(j), G, l2)
        size += 1
        if size > 1 and rng.random() < 0.4:
            _kernel.remove(L, order, size, int(rng.integers(size)))
            size -= 1
    chosen = order[:size]
    lower = np.tril(L[:size, :size])
    expected = G[np.ix_(chosen, chosen)] + np.diag(l2[chosen])
    np.testing.assert_allclose(lower @ lower.T, expected, atol=1e-12)
    x = rng.normal(size=size)
    solution = x.copy()
    _kernel.solve(L, size, solution)
    np.testing.assert_allclose(expected @ solution, x, atol=1e-8)


@given(values=st.lists(st.floats(0, 10), min_size=1, max_size=40), count=st.integers(1, 8))
def test_the_smallest_of_the_largest(values: list[float], count: int) -> None:
    """As sorting gives it, with zeros where there are too few."""
    padded = sorted([*values, *[0.0] * count], reverse=True)
    assert _kernel.smallest_of_largest(np.array(values), count) == padded[count - 1]


def test_a_spanned_column_is_not_appended() -> None:
    """A copy of a column in the support has no pivot."""
    G = np.array([[1.0, 1.0], [1.0, 1.0]])
    L, order = np.zeros((2, 2)), np.zeros(2, dtype=np.int64)
    assert _kernel.append(L, order, 0, 0, G, np.zeros(2))
    assert not _kernel.append(L, order, 1, 1, G, np.zeros(2))
    assert _kernel.append(L, order, 1, 1, G, np.ones(2))


# ------------------------------------------------------------------ against the other solver


@pytest.mark.parametrize("name", BANK)
def test_agrees_with_the_orthogonal_solver(name: str) -> None:
    """Inner products and orthogonal factors find the same mode, zeros included; it is certified."""
    problem = BANK[name]
    ours, theirs = modes([problem])[0], active_set.solve(problem)
    size = 1 + np.abs(theirs.coef).max()
    np.testing.assert_allclose(ours.coef, theirs.coef, atol=1e-9 * size)
    np.testing.assert_array_equal(ours.coef == 0, theirs.coef == 0)
    assert ours.intercept == pytest.approx(theirs.intercept, abs=1e-9 * size)
    assert br.certify(problem, ours.coef, ours.intercept).optimal


@pytest.mark.parametrize(
    "likelihood", [br.Gaussian(0.8), br.Bernoulli()], ids=["gaussian", "logit"]
)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_wide_paths_are_certified(
    likelihood: br.Gaussian | br.Bernoulli, intercept: bool, weighted: bool, kind: str
) -> None:
    """A path with many entries and exits: every point of it is optimal to 1e-10."""
    X, y = wide(3)
    if kind == "sparse":
        X = np.where(np.abs(X) > 1.0, X, 0.0)
    if isinstance(likelihood, br.Bernoulli):
        y = (y > 0).astype(float)
    rng = np.random.default_rng(0)
    base = br.Problem(
        sparse.csr_array(X) if kind == "sparse" else X,
        y,
        likelihood=likelihood,
        prior=br.Laplace(1.0),
        intercept=intercept,
        weights=rng.uniform(0.5, 2.0, y.size) if weighted else None,
        offset=rng.normal(size=y.size) / 10 if weighted else None,
    )
    problems = [base.with_prior(br.Laplace(float(b))) for b in np.geomspace(0.005, 0.5, 25)]
    for problem, solution in zip(problems, solve_path(problems), strict=True):
        certificate = br.certify(problem, solution.coef, solution.intercept)
        assert certificate.optimal, str(certificate)
        assert certificate.gap <= 1e-10 * max(
            1.0, abs(problem.objective(solution.coef, solution.intercept))
        )


def test_a_path_in_any_order_ends_at_the_same_modes() -> None:
    """Warm starts change the way, not the answer."""
    X, y = wide(5)
    base = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    scales = np.geomspace(0.01, 0.3, 12)
    problems = [base.with_prior(br.Laplace(float(b))) for b in scales]
    shuffled = np.random.default_rng(1).permutation(12)
    forwards = modes(problems)
    for k, solution in zip(shuffled, modes([problems[k] for k in shuffled]), strict=True):
        np.testing.assert_allclose(solution.coef, forwards[k].coef, atol=1e-10)
        np.testing.assert_array_equal(solution.coef == 0, forwards[k].coef == 0)


def test_elastic_nets_whose_square_changes_along_the_path() -> None:
    """The factor is made anew where the squares change."""
    X, y = wide(7)
    base = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    problems = [base.with_prior(br.ElasticNet(b, 5 * b)) for b in (0.02, 0.05, 0.1, 0.3)]
    for problem, solution in zip(problems, modes(problems), strict=True):
        assert br.certify(problem, solution.coef, solution.intercept).optimal


def test_a_cold_start_far_down_the_path() -> None:
    """The penalty is approached in steps; the answer is that of the whole path."""
    X, y = wide(9, n=200, p=600)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.3))
    solution = modes([problem])[0]
    certificate = br.certify(problem, solution.coef, solution.intercept)
    assert certificate.optimal
    assert 50 < len(certificate.support) < 200


def test_large_problems_come_here_and_small_ones_do_not() -> None:
    """By the entries of X, fewer where there are many problems; sparse ones always."""
    X, y = wide(0)
    small = br.Problem(X[:, :20], y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    assert not working_set.is_large(small)
    assert not working_set.is_large(small, together=100)
    assert working_set.is_large(
        br.Problem(sparse.csc_array(X), y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    )
    large = br.Problem(
        np.tile(X, (30, 1)), np.tile(y, 30), likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)
    )
    assert working_set.is_large(large)


# --------------------------------------------------------------------------- collinear columns


def test_copies_of_columns_are_settled() -> None:
    """A copy ties with its twin and stays out; the certificate says that the mode is not unique."""
    X, y = wide(2)
    doubled = np.hstack([X, X[:, :40]])
    problem = br.Problem(doubled, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.2))
    solution = modes([problem])[0]
    certificate = br.certify(problem, solution.coef, solution.intercept)
    assert certificate.optimal
    assert not certificate.unique


def test_collinear_support_is_handed_to_the_orthogonal_solver() -> None:
    """Where inner products are too coarse this solver says so, and the other one answers."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(40, 6))
    X[:, 5] = X[:, 0] - X[:, 1] + 1e-7 * rng.normal(size=40)
    y = X[:, 0] + 3e6 * (X[:, 5] - X[:, 0] + X[:, 1]) + rng.normal(size=40)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1e10))
    with pytest.raises(Collinear):
        modes([problem])
    solution = working_set.solve_path([problem])[0]
    assert br.certify(problem, solution.coef, solution.intercept).optimal


def test_constant_and_empty_columns_stay_at_zero() -> None:
    """A column without information has no coefficient, dense or sparse."""
    X, y = wide(6)
    X[:, 3], X[:, 4] = 0.0, 7.0
    for matrix in (X, sparse.csc_array(X)):
        problem = br.Problem(matrix, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.1))
        solution = modes([problem])[0]
        assert solution.coef[3] == solution.coef[4] == 0.0
        assert br.certify(problem, solution.coef, solution.intercept).optimal


def test_columns_far_from_zero_keep_their_digits() -> None:
    """Centring is explicit where a mean is many standard deviations away."""
    X, y = wide(8)
    near = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.1))
    far = br.Problem(X + 1e5, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.1))
    np.testing.assert_allclose(modes([far])[0].coef, modes([near])[0].coef, atol=1e-8)


def test_find_map_of_a_large_problem() -> None:
    """The public verb takes this route and certifies it."""
    X, y = wide(1, n=300, p=1000)
    fit = br.find_map(br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.1)))
    assert fit.certificate.optimal
    np.testing.assert_array_equal(solve(fit.problem).coef, fit.coef)


def test_a_support_too_large_for_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do, instead of a MemoryError."""
    X, y = wide(1)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    monkeypatch.setattr(_workspace, "_MOST", 10)
    with pytest.raises(NotConverged, match="stronger prior"):
        working_set.solve(problem)


@pytest.mark.parametrize("intercept", [True, False])
def test_an_empty_column_goes_where_its_prior_wants_it(intercept: bool) -> None:
    """The data say nothing, so the coefficient is at the centre of its prior."""
    X, y = wide(3)
    X[:, 0] = 0.0
    for likelihood, target in ((br.Gaussian(1.0), y), (br.Bernoulli(), (y > 0).astype(float))):
        problem = br.Problem(
            X, target, likelihood=likelihood, prior=br.Normal(1.0, loc=0.7), intercept=intercept
        )
        solution = working_set.solve(problem)
        assert solution.coef[0] == pytest.approx(0.7, abs=1e-12)
        assert br.certify(problem, solution.coef, solution.intercept).optimal


def test_nearly_collinear_logistic_columns_get_products_in_double_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where single precision cannot tell columns apart, the mode is as exact as elsewhere."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(400, 120))
    X[:, 1] = X[:, 0] + 1e-5 * rng.normal(size=400)
    y = (rng.random(400) < 0.5 + 0.4 * np.tanh(X[:, 0] - X[:, 2])).astype(float)
    problem = br.Problem(X, y, likelihood=br.Bernoulli(), prior=br.Normal(30.0))
    seen: list[bool] = []
    expand = glm.GlmPath._expand

    def spied(self: glm.GlmPath, *args: object) -> object:
        seen.append(self.single)
        return expand(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(glm.GlmPath, "_expand", spied)
    (solution,) = modes([problem])
    assert seen[0]
    assert not seen[-1]
    assert br.certify(problem, solution.coef, solution.intercept).optimal


# --------------------------------------------------------------------------- threads


def test_a_heavy_product_gets_back_the_threads_that_were_taken() -> None:
    """Inside of a limit of one thread only light products stay on one; afterwards all is as was."""

    def counts() -> set[int]:
        return {library.num_threads for library in _threads._controller().lib_controllers}

    with _threads._controller().limit(limits=2, user_api="blas"):
        outer = counts()
        with _threads.blas_threads(10):
            assert counts() == {1}
            with _threads.every_thread(10**12):
                assert counts() == outer
            with _threads.every_thread(10):
                assert counts() == {1}
        assert counts() == outer
