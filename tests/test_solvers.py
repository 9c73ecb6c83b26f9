"""Every exact solver on every problem that it takes; brute force; what every mode must obey."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bayesreg as br
from bayesreg.errors import InputError
from bayesreg.solvers import METHODS, SOLVERS, Solver, solve
from tests.problems import bank

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

BANK = bank()
CONVEX = {name: problem for name, problem in BANK.items() if problem.convex}
OTHERS = [
    (solver, name)
    for solver in SOLVERS
    for name, problem in BANK.items()
    if not problem.convex and solver.obstacle(problem) is None
]
PAIRS = [
    (solver, name)
    for solver in SOLVERS
    for name, problem in CONVEX.items()
    if solver.obstacle(problem) is None
]


@pytest.mark.parametrize(("solver", "name"), PAIRS, ids=[f"{s.name}-{n}" for s, n in PAIRS])
def test_every_solver_is_certified_to_1e_10(solver: Solver, name: str) -> None:
    """On each admissible problem of the bank the recomputed gap is at most 1e-10 nats, relative."""
    problem = CONVEX[name]
    solution = solver.solve(problem, None, 0.0)
    certificate = br.certify(problem, solution.coef, solution.intercept)
    assert certificate.optimal, str(certificate)
    objective = problem.objective(solution.coef, solution.intercept)
    assert certificate.gap <= 1e-10 * max(1.0, abs(objective))


@pytest.mark.parametrize(("solver", "name"), OTHERS, ids=[f"{s.name}-{n}" for s, n in OTHERS])
def test_what_is_not_convex_is_solved_to_a_local_mode(solver: Solver, name: str) -> None:
    """Stationary to rounding, and no solver that takes it ends lower."""
    problem = BANK[name]
    solution = solver.solve(problem, None, 0.0)
    certificate = br.certify(problem, solution.coef, solution.intercept)
    assert certificate.stationary, str(certificate)
    assert not certificate.convex
    assert not certificate.optimal
    assert certificate.kkt <= 1e-9
    best = br.find_map(problem).objective
    assert certificate.objective == pytest.approx(best, rel=1e-12)


def test_every_method_is_in_the_bank_and_has_a_line() -> None:
    """No solver goes untested, and each says what it is."""
    assert {solver.name for solver, _ in PAIRS} == {solver.name for solver in SOLVERS}
    assert set(METHODS) == {"auto", *(solver.name for solver in SOLVERS)}
    assert all(solver.summary for solver in SOLVERS)


def test_a_solver_that_does_not_take_a_problem_says_why() -> None:
    """And what to do."""
    problem = br.Problem(
        [[0.0], [1.0]], [0.0, 1.0], likelihood=br.Bernoulli(), prior=br.Normal(1.0)
    )
    with pytest.raises(InputError, match=r"not Gaussian.*auto"):
        br.find_map(problem, "homotopy")
    with pytest.raises(InputError, match="method"):
        br.find_map(problem, "simplex")


def test_a_mixture_that_no_solver_takes_says_why() -> None:
    """A prior that is not convex beside one that ties coefficients together."""
    X = np.random.default_rng(0).normal(size=(20, 4))
    problem = br.Problem(
        X,
        X[:, 0],
        likelihood=br.Gaussian(1.0),
        prior=[(br.Bridge(1.0, power=0.5), [0, 1]), (br.LInfinity(1.0), [2, 3])],
    )
    with pytest.raises(InputError, match=r"^prior: .* not convex cannot stand beside"):
        br.find_map(problem)


# --------------------------------------------------------------------------- brute force


def lasso_by_signs(X: Matrix, y: Vector, l1: float) -> Vector:
    """The lasso by all 3^p sign patterns: solve on each support, keep what meets KKT."""
    p = X.shape[1]
    gram, cross = X.T @ X, X.T @ y
    for signs in product((-1.0, 0.0, 1.0), repeat=p):
        sign = np.array(signs)
        chosen = np.flatnonzero(sign)
        coef = np.zeros(p)
        if chosen.size:
            system = gram[np.ix_(chosen, chosen)]
            coef[chosen] = np.linalg.solve(system, (cross - l1 * sign)[chosen])
        pull = cross - gram @ coef
        held = (np.abs(pull) <= l1 * (1 + 1e-10)) | (sign != 0)
        if (np.sign(coef) == sign).all() and held.all():
            return coef
    raise AssertionError("no sign pattern meets KKT")


@given(seed=st.integers(0, 2**32 - 1), p=st.integers(1, 6), share=st.floats(0.01, 1.2))
@settings(max_examples=30, deadline=None)
def test_all_solvers_agree_with_brute_force(seed: int, p: int, share: float) -> None:
    """Over all sign patterns of up to six coefficients, the same zeros and the same numbers."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, p)) + 0.7 * rng.normal(size=(12, 1))
    y = X @ rng.normal(size=p) + rng.normal(size=12)
    l1 = share * float(np.abs(X.T @ y).max())
    expected = lasso_by_signs(X, y, l1)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1 / l1), intercept=False
    )
    for solver in SOLVERS:
        coef = solver.solve(problem, None, 0.0).coef
        np.testing.assert_allclose(coef, expected, atol=1e-10, err_msg=solver.name)
        np.testing.assert_array_equal(coef == 0, expected == 0, err_msg=solver.name)


# --------------------------------------------------------------------------- what modes obey


def draw(seed: int, *, binary: bool) -> tuple[Matrix, Vector]:
    """Thirty rows, five columns, two effects."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, 5)) * np.geomspace(0.5, 2.0, 5)
    eta = X[:, 0] - X[:, 1] + rng.logistic(size=30)
    return X, (eta > 0).astype(float) if binary else eta


def mode(X: Matrix, y: Vector, scale: Vector | float, weights: Vector | None = None) -> Vector:
    """Coefficients and intercept of a lasso; logistic where y holds 0 and 1 only."""
    likelihood = br.Bernoulli() if set(np.unique(y)) <= {0.0, 1.0} else br.Gaussian(1.0)
    problem = br.Problem(X, y, likelihood=likelihood, prior=br.Laplace(scale), weights=weights)
    solution = solve(problem)
    return np.append(solution.coef, solution.intercept)


cases = given(seed=st.integers(0, 2**32 - 1), binary=st.booleans(), b=st.floats(0.05, 2.0))


@cases
@settings(max_examples=25, deadline=None)
def test_columns_may_be_permuted_and_turned(seed: int, binary: bool, b: float) -> None:
    """Permuting columns permutes the mode; a column times −1 turns its coefficient's sign."""
    X, y = draw(seed, binary=binary)
    order = np.random.default_rng(seed).permutation(5)
    sign = np.where(np.arange(5) % 2, -1.0, 1.0)
    base = mode(X, y, b)
    np.testing.assert_allclose(mode(X[:, order], y, b)[:5], base[:5][order], atol=1e-9)
    np.testing.assert_allclose(mode(X * sign, y, b)[:5], base[:5] * sign, atol=1e-9)


@cases
@settings(max_examples=25, deadline=None)
def test_units_are_a_matter_of_words(seed: int, binary: bool, b: float) -> None:
    """Columns in other units, with scales in theirs, have the same mode in those units."""
    X, y = draw(seed, binary=binary)
    unit = np.geomspace(1e-3, 1e3, 5)
    base, other = mode(X, y, b), mode(X * unit, y, b / unit)
    np.testing.assert_allclose(other[:5] * unit, base[:5], atol=1e-8)
    np.testing.assert_array_equal(other[:5] == 0, base[:5] == 0)


@cases
@settings(max_examples=25, deadline=None)
def test_a_row_twice_is_a_row_of_weight_two(seed: int, binary: bool, b: float) -> None:
    """For every likelihood, since weights multiply the row's share of the loss."""
    X, y = draw(seed, binary=binary)
    weights = np.where(np.arange(30) < 10, 2.0, 1.0)
    doubled = mode(np.vstack([X, X[:10]]), np.append(y, y[:10]), b)
    np.testing.assert_allclose(mode(X, y, b, weights), doubled, atol=1e-8)


@cases
@settings(max_examples=25, deadline=None)
def test_a_column_of_zeros_changes_nothing(seed: int, binary: bool, b: float) -> None:
    """Its own coefficient is exactly 0."""
    X, y = draw(seed, binary=binary)
    more = mode(np.column_stack([X, np.zeros(30)]), y, b)
    assert more[5] == 0.0
    np.testing.assert_allclose(np.delete(more, 5), mode(X, y, b), atol=1e-9)


@cases
@settings(max_examples=25, deadline=None)
def test_beyond_the_largest_penalty_all_are_exactly_zero(seed: int, binary: bool, b: float) -> None:
    """At 1/b = max |X'(y − ȳ)| and beyond, not one coefficient is left."""
    X, y = draw(seed, binary=binary)
    largest = float(np.abs((X - X.mean(axis=0)).T @ (y - y.mean())).max())
    assert not mode(X, y, min(1.0, b) / (largest * (1 + 1e-9)))[:5].any()
    assert mode(X, y, 1.01 / largest)[:5].any()
