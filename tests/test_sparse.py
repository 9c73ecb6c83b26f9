"""Sparse predictors: the same problem as the dense one, without ever making it dense."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import bayesreg as br
from bayesreg.errors import DegenerateMode, ImproperPosterior, InputError
from tests.problems import likelihood_examples

FORMATS: tuple[Any, ...] = ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")


def data(seed: int = 0, n: int = 40, p: int = 6) -> tuple[Any, np.ndarray]:
    """Four entries in five are 0, the others off centre; two true effects."""
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((n, p)) < 0.2, rng.normal(1.0, 2.0, (n, p)), 0.0)
    dense[0] = 1.0
    return sparse.csr_array(dense), dense[:, 0] - 0.5 * dense[:, 1] + rng.normal(size=n)


def pair(family: str = "gaussian", **changes: Any) -> tuple[br.Problem, br.Problem]:
    """Build the same problem of a sparse and of a dense X."""
    X, y = data()
    likelihood = likelihood_examples()[family]
    target = y if family == "gaussian" else (y > 0).astype(float)
    arguments: dict[str, Any] = {"likelihood": likelihood, "prior": br.Laplace(0.3)} | changes
    return br.Problem(X, target, **arguments), br.Problem(X.toarray(), target, **arguments)


@pytest.mark.parametrize("family", likelihood_examples())
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_every_number_is_that_of_the_dense_problem(
    family: str, intercept: bool, standardize: bool, weighted: bool
) -> None:
    """Loss, gradient, objective, scale, mode, and every field of a certificate."""
    rng = np.random.default_rng(3)
    weights = rng.uniform(0.5, 2.0, 40) if weighted else None
    one, two = pair(family, intercept=intercept, standardize=standardize, weights=weights)
    assert one.design.sparse
    coef, level = rng.normal(size=6), 0.3 if intercept else 0.0
    assert one.loss(coef, level) == pytest.approx(two.loss(coef, level), rel=1e-13)
    assert one.objective(coef, level) == pytest.approx(two.objective(coef, level), rel=1e-13)
    (slopes, at_level), (expected, at_intercept) = (q.gradient(coef, level) for q in (one, two))
    np.testing.assert_allclose(slopes, expected, rtol=1e-11, atol=1e-11)
    assert at_level == pytest.approx(at_intercept, rel=1e-11, abs=1e-11)
    np.testing.assert_allclose(one.design.column_scale, two.design.column_scale, rtol=1e-13)
    mode = br.find_map(two)
    np.testing.assert_allclose(br.find_map(one).coef, mode.coef, rtol=1e-9, atol=1e-12)
    assert br.certify(one, mode.coef, mode.intercept).minimum
    for answer in (coef, mode.coef):
        a, b = br.certify(one, answer, mode.intercept), br.certify(two, answer, mode.intercept)
        for field in ("optimal", "stationary", "minimum", "unique", "support"):
            assert getattr(a, field) == getattr(b, field)
        assert a.gap == pytest.approx(b.gap, rel=1e-9, abs=1e-12)
        assert a.kkt == pytest.approx(b.kkt, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int8, np.bool_])
def test_any_format_and_any_type_of_numbers(form: Any, dtype: type) -> None:
    """Arrays and matrices; they are copied, and equal to the dense problem of the same numbers."""
    X: Any = np.array([[0, 1, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1]]).astype(dtype)
    y = [1.0, 2.0, 3.0, 4.0]
    kwargs: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(1.0)}
    expected = br.Problem(X, y, **kwargs)
    for kind in (sparse.csr_array(X), sparse.csr_matrix(X)):
        problem = br.Problem(kind.asformat(form), y, **kwargs)
        assert problem == expected
        assert expected == problem
        assert problem.design.X.format == "csc"
        assert problem.design.X.dtype == np.float64


def test_canonical_and_read_only() -> None:
    """Duplicates are added up, explicit zeros removed, and the caller's matrix left alone."""
    X = sparse.coo_array(([1.0, 2.0, 0.0, 5.0], ([0, 0, 1, 2], [0, 0, 1, 1])), shape=(3, 2))
    problem = br.Problem(
        X, [1.0, 2.0, 3.0], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0), intercept=False
    )
    np.testing.assert_array_equal(problem.design.X.toarray(), [[3, 0], [0, 0], [0, 5]])
    assert problem.design.X.nnz == 2
    assert X.nnz == 4
    X.data[:] = 99.0
    assert problem.design.X.max() == 5.0
    with pytest.raises(ValueError, match="read-only"):
        problem.design.X.data[0] = 7.0
    other = br.Problem(
        X, [1.0, 2.0, 3.0], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0), intercept=False
    )
    assert other != problem


def with_entry(value: float) -> Any:
    """One entry that should not be there."""
    X = data()[0].tolil()
    X[7, 2] = value
    return X


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (with_entry(np.nan), "X: holds nan at row 7, column 2"),
        (with_entry(-np.inf), "X: holds -inf at row 7, column 2"),
        (with_entry(1e200), r"X: holds 1e\+200 at row 7, column 2"),
        (data()[0] * 1j, "X: complex"),
        (sparse.coo_array(np.ones(40)), "X: must be two-dimensional"),
        (sparse.csr_array((0, 3)), "X: has no rows"),
        (data()[0][:30], "y: has 40 entries, but 30 are needed"),
    ],
)
def test_bad_matrices_are_refused_by_name(X: Any, message: str) -> None:
    """As dense ones are."""
    with pytest.raises(InputError, match=message):
        br.Problem(X, data()[1], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))


def test_only_predictors_may_be_sparse() -> None:
    """A sparse target, weight or coefficient vector says how to make it dense."""
    X, y = data()
    kwargs: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(1.0)}
    with pytest.raises(InputError, match=r"y: must be dense; pass y.toarray\(\)"):
        br.Problem(X, sparse.csr_array(y[:, None]), **kwargs)
    with pytest.raises(InputError, match=r"coef: must be dense"):
        br.certify(br.Problem(X, y, **kwargs), sparse.csr_array(np.zeros((1, 6))))


def test_standardized_columns_are_scaled_and_not_centred() -> None:
    """Centring would fill the matrix; it moves the intercept alone."""
    problem = pair(standardize=True)[0]
    other, scale = problem.standardized()
    assert other.design.sparse
    coef = np.linspace(-0.3, 0.4, 6)
    assert other.penalised(coef * scale, 0.2) == pytest.approx(problem.penalised(coef, 0.2))


def test_a_constant_column_cannot_be_standardised() -> None:
    """Whether it is stored in full or not at all."""
    X, y = data()
    for column in (np.full((40, 1), 1.1), np.zeros((40, 1))):
        wide = sparse.hstack([X, sparse.csr_array(column)])
        with pytest.raises(InputError, match="X: column 'x6' is constant"):
            br.Problem(
                wide, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0), standardize=True
            )


def test_flat_columns_are_checked() -> None:
    """Two equal unpenalised columns leave a direction free, one of them does not."""
    X, y = data()
    wide = sparse.hstack([X, X[:, [0]]]).tocsr()
    scale = np.full(7, 0.5)
    scale[[0, 6]] = np.inf
    likelihood = br.Gaussian(1.0)
    problem = br.Problem(wide, y, likelihood=likelihood, prior=br.Laplace(scale))
    with pytest.raises(ImproperPosterior, match="not linearly independent"):
        problem.require_proper()
    scale[6] = 0.5
    problem.with_prior(br.Laplace(scale)).require_proper()


def test_who_needs_a_dense_matrix_gets_one_if_it_is_small() -> None:
    """Sampling, moments and PyMC; a large one is refused with the reason, where rows are needed."""
    one, two = pair(prior=br.Normal(1.0))
    np.testing.assert_allclose(br.posterior_moments(one).mean, br.posterior_moments(two).mean)
    draws = [br.sample(problem, draws=50, seed=1)["posterior"]["beta"] for problem in (one, two)]
    np.testing.assert_allclose(draws[0], draws[1])
    assert br.read_model(br.to_pymc(one)) == two
    large = br.Problem(
        sparse.csr_array((20_000, 1_000)),
        np.zeros(20_000),
        likelihood=br.Gaussian(1.0),
        prior=br.Normal(1.0),
    )
    binary = br.Problem(
        large.design.X, np.arange(20_000) % 2, likelihood=br.Bernoulli(), prior=large.prior
    )
    refused: list[Any] = [(br.sample, binary)]
    refused += [(verb, large) for verb in (br.posterior_moments, br.to_pymc, br.compare)]
    for verb, problem in refused:
        with pytest.raises(InputError, match=r"needs a dense X.*\(20000, 1000\) is too large"):
            verb(problem)
    assert "X sparse" in str(large)


def test_memory_is_that_of_the_entries() -> None:
    """Making, evaluating, certifying and solving take less than three times the data."""
    n, p = 4_000, 20_000
    rng = np.random.default_rng(0)
    X = sparse.random_array((n, p), density=5e-3, format="csr", rng=rng)
    y, coef = rng.normal(size=n), np.zeros(p)
    coef[::1000] = 1.0
    size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    few: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(0.3)}
    br.find_map(br.Problem(X[:, :500], y, **few))  # the kernel is compiled before we look
    for standardize in (False, True):
        tracemalloc.start()
        problem = br.Problem(
            X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0), standardize=standardize
        )
        problem.require_proper()
        problem.objective(coef, 0.1)
        problem.gradient(coef, 0.1)
        str(problem)
        br.certify(problem, coef, 0.1)
        steepest = problem.gradient(np.zeros(p), float(y.mean()))[0] / problem.design.column_scale
        strong = br.Laplace(1.2 / float(np.abs(steepest).max()))
        assert br.find_map(problem.with_prior(strong)).support
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3 * size


def test_joint_modes_of_a_large_sparse_matrix() -> None:
    """Found where there is no room for a dense copy, refused where the columns fit y perfectly."""
    rng = np.random.default_rng(0)
    X = sparse.random_array((4_000, 3_000), density=5e-3, format="csc", rng=rng)
    y = 2.0 + 3 * X[:, :10].sum(axis=1) + rng.normal(size=4_000) / 2
    options: dict[str, Any] = {"likelihood": br.Gaussian(br.HalfNormal(1.0))}
    fit = br.find_map(br.Problem(X, y, prior=br.Laplace(0.05), **options))
    assert fit.certificate.optimal
    assert fit.sigma == pytest.approx(0.5, rel=0.05)
    repeated = sparse.vstack([X[:500]] * 8)
    with pytest.raises(DegenerateMode, match="fit y perfectly"):
        br.find_map(br.Problem(repeated, np.tile(y[:500], 8), prior=br.Laplace(0.05), **options))


@pytest.mark.parametrize("relative_to", ["sigma", None])
def test_joint_modes_are_those_of_the_dense_matrix(relative_to: Any) -> None:
    """Whichever way it is judged whether they exist."""
    X, y = data()
    options: dict[str, Any] = {
        "likelihood": br.Gaussian(br.HalfNormal(1.0)),
        "prior": br.Laplace(0.3, relative_to=relative_to),
    }
    sigmas = [br.find_map(br.Problem(Z, y, **options)).sigma for Z in (X, X.toarray())]
    assert sigmas[0] == pytest.approx(sigmas[1], rel=1e-12)
