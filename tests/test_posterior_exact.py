"""Closed forms of normal priors: against references and dense formulas."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from bayesreg import (
    Bernoulli,
    ElasticNet,
    Flat,
    Gaussian,
    HalfNormal,
    InverseGamma,
    Laplace,
    Normal,
    Problem,
    posterior_moments,
    sample,
)
from bayesreg.errors import ImproperPosterior, InputError, NoClosedForm
from tests.reference_cases import CASES, Case, number, vector

if TYPE_CHECKING:
    import xarray as xr

EXACT = {case.id: case for case in CASES}
type Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def _problem(case: Case, **parts: Any) -> Problem:
    return Problem(case.definition["X"], case.definition["y"], intercept=False, **parts)


def _expected(case: Case, name: str) -> Numbers | float:
    """Return a number, a vector or a matrix of the reference."""
    entry = case.expected[name]
    if not isinstance(entry, list):
        return number(entry)
    if isinstance(entry[0], list):
        return np.array([vector(row) for row in entry])
    return vector(entry)


def _values(tree: xr.DataTree, name: str) -> Numbers:
    """Return the draws of one variable, chains side by side."""
    values = tree["posterior"].to_dataset()[name].to_numpy()
    return values.reshape(-1, *values.shape[2:])


@pytest.mark.parametrize("name", ["ridge_n5_p2", "ridge_p_gt_n"])
def test_ridge_reference(name: str) -> None:
    """Mean, covariance and evidence of the known-sigma cases, to their stated tolerance."""
    case = EXACT[name]
    prior = Normal(scale=case.definition["tau"])
    moments = posterior_moments(
        _problem(case, likelihood=Gaussian(case.definition["sigma"]), prior=prior)
    )
    for key, found in (("mean", moments.mean), ("sd", moments.sd), ("cov", moments.covariance)):
        assert_allclose(found, _expected(case, key), rtol=case.rtol, atol=case.atol)
    expected = _expected(case, "log_marginal_likelihood")
    assert moments.log_marginal_likelihood == pytest.approx(expected, rel=case.rtol, abs=case.atol)
    assert moments.intercept_mean is None
    assert moments.sigma2_mean is None


def _nig(case: Case) -> Problem:
    d = case.definition
    return _problem(
        case,
        likelihood=Gaussian(InverseGamma(d["a"], d["b"])),
        prior=Normal(scale=d["kappa"] ** -0.5, relative_to="sigma"),
    )


def test_normal_inverse_gamma_reference() -> None:
    """Everything the normal–inverse-gamma case states."""
    case = EXACT["ridge_nig"]
    moments = posterior_moments(_nig(case))
    found: dict[str, Any] = {
        "mean": moments.mean,
        "cov": moments.covariance,
        "a_n": moments.a_n,
        "b_n": moments.b_n,
        "E_sigma2": moments.sigma2_mean,
        "log_marginal_likelihood": moments.log_marginal_likelihood,
    }
    for name, value in found.items():
        assert_allclose(value, _expected(case, name), rtol=case.rtol, atol=case.atol, err_msg=name)


def test_normal_inverse_gamma_draws() -> None:
    """Independent draws have the exact moments; sigma is on the sd scale."""
    problem = _nig(EXACT["ridge_nig"])
    moments = posterior_moments(problem)
    tree, total = sample(problem, draws=20_000, seed=3), 80_000
    beta = _values(tree, "beta")
    assert (np.abs(beta.mean(0) - moments.mean) < 4 * moments.sd / math.sqrt(total)).all()
    assert moments.sigma2_mean is not None
    assert moments.sigma2_sd is not None
    assert moments.sigma_mean is not None
    assert moments.a_n is not None
    assert moments.b_n is not None
    sigma2 = _values(tree, "sigma") ** 2
    assert abs(sigma2.mean() - moments.sigma2_mean) < 4 * moments.sigma2_sd / math.sqrt(total)
    assert abs(np.sqrt(sigma2).mean() - moments.sigma_mean) < 0.01
    # sigma² is inverse gamma and the coefficients are t: the whole law, not two moments
    assert (
        stats.kstest(sigma2[:5000], stats.invgamma(moments.a_n, scale=moments.b_n).cdf).pvalue
        > 1e-3
    )
    unit = np.sqrt(moments.covariance[0, 0] * (moments.a_n - 1) / moments.a_n)
    t = stats.t(2 * moments.a_n, loc=moments.mean[0], scale=unit)
    assert stats.kstest(beta[:5000, 0], t.cdf).pvalue > 1e-3


SHAPES = {"tall": (12, 3), "square": (4, 4), "wide": (4, 7), "one row": (1, 2), "no column": (5, 0)}


# One row has constant columns, which cannot be standardised; without columns there is an intercept.
DESIGNS = [
    pytest.param(shape, intercept, standardize, id=f"{name}-{intercept}-{standardize}")
    for name, shape in SHAPES.items()
    for intercept in (True, False)
    for standardize in (True, False)
    if (shape[1] > 0 or intercept) and not (standardize and shape[0] == 1)
]


@pytest.mark.parametrize(("shape", "intercept", "standardize"), DESIGNS)
def test_dense_formulas(shape: tuple[int, int], intercept: bool, standardize: bool) -> None:
    """Weights, offset, loc, scales per coefficient: against the textbook normal equations."""
    n, p = shape
    rng = np.random.default_rng(n * 10 + p)
    X, y = rng.normal(size=(n, p)) * 3 + 1, rng.normal(size=n)
    w, offset, scale, loc = (
        rng.uniform(0.5, 2, n),
        rng.normal(size=n),
        rng.uniform(0.5, 2, p),
        rng.normal(size=p),
    )
    problem = Problem(X, y, likelihood=Gaussian(0.7), prior=Normal(scale=scale, loc=loc), weights=w,
                      offset=offset, intercept=intercept, standardize=standardize)  # fmt: skip
    moments = posterior_moments(problem)
    width = X.std(axis=0) if standardize else np.ones(p)
    full = np.column_stack([X, np.ones(n)]) if intercept else X
    prior = np.append((scale / width) ** -2, 0.0) if intercept else (scale / width) ** -2
    centre = np.append(loc / width, 0.0) if intercept else loc / width
    precision = full.T @ (full * (w / 0.49)[:, None]) + np.diag(prior)
    covariance = np.linalg.inv(precision)
    mean = covariance @ (full.T @ (w / 0.49 * (y - offset)) + prior * centre)
    assert_allclose(moments.mean, mean[:p], rtol=1e-8, atol=1e-10)
    assert_allclose(moments.covariance, covariance[:p, :p], rtol=1e-8, atol=1e-10)
    assert_allclose(moments.sd**2, np.diag(covariance)[:p], rtol=1e-8)
    if intercept:
        assert moments.intercept_mean == pytest.approx(mean[p], rel=1e-8)
        assert moments.intercept_sd == pytest.approx(math.sqrt(covariance[p, p]), rel=1e-8)
        assert moments.log_marginal_likelihood is None
    else:
        law = stats.multivariate_normal(
            offset + X @ (loc / width), (X * (scale / width) ** 2) @ X.T + np.diag(0.49 / w)
        )
        assert moments.log_marginal_likelihood == pytest.approx(law.logpdf(y), rel=1e-10)


def test_evidence_of_unknown_sigma_is_a_multivariate_t() -> None:
    """Weights, offset and loc included."""
    rng = np.random.default_rng(4)
    X, y, w, offset = (
        rng.normal(size=(6, 2)),
        rng.normal(size=6),
        rng.uniform(0.5, 2, 6),
        rng.normal(size=6),
    )
    a, b, scale, loc = 1.5, 2.0, 0.8, 0.3  # 2 a = 3 degrees of freedom
    problem = Problem(
        X,
        y,
        weights=w,
        offset=offset,
        intercept=False,
        likelihood=Gaussian(InverseGamma(a, b)),
        prior=Normal(scale=scale, loc=loc, relative_to="sigma"),
    )
    shape = b / a * (scale**2 * X @ X.T + np.diag(1 / w))
    law = stats.multivariate_t(offset + X @ [loc, loc], shape, df=3)
    found = posterior_moments(problem).log_marginal_likelihood
    assert found == pytest.approx(law.logpdf(y), rel=1e-10)


def test_flat_directions_of_unknown_sigma() -> None:
    """Least squares with Jeffreys-like tails: a_n counts the flat directions."""
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(9, 3)), rng.normal(size=9)
    problem = Problem(
        X,
        y,
        likelihood=Gaussian(InverseGamma(1.0, 1.0)),
        prior=[(Flat(), [0, 1]), (Normal(2.0, relative_to="sigma"), [2])],
    )
    moments = posterior_moments(problem)
    full = np.column_stack([np.ones(9), X])
    precision = full.T @ full + np.diag([0, 0, 0, 0.25])
    mean = np.linalg.solve(precision, full.T @ y)
    residual = y - full @ mean
    assert moments.a_n is not None
    assert moments.b_n is not None
    assert moments.a_n == 1 + (9 - 3) / 2
    assert_allclose(moments.b_n, 1 + (residual @ residual + 0.25 * mean[3] ** 2) / 2)
    expected = moments.b_n / (moments.a_n - 1) * np.linalg.inv(precision)
    assert_allclose(moments.covariance, expected[1:, 1:], rtol=1e-9)
    assert moments.intercept_sd == pytest.approx(math.sqrt(expected[0, 0]), rel=1e-9)
    assert moments.log_marginal_likelihood is None


def test_least_squares_of_a_bad_design() -> None:
    """NIST's Wampler 1, condition 6e6, all flat: the certified coefficients to 7 digits."""
    case = EXACT["ols_nist_wampler1"]
    moments = posterior_moments(_problem(case, likelihood=Gaussian(1.0), prior=Flat()))
    assert_allclose(moments.mean, _expected(case, "coef"), rtol=case.rtol)


def test_huge_column_offset() -> None:
    """Columns around 1e9 leave the coefficients and their sd as they are."""
    rng = np.random.default_rng(6)
    X = np.round(rng.normal(size=(30, 2)), 6)
    y = rng.normal(size=30)
    plain = posterior_moments(Problem(X, y, likelihood=Gaussian(1.0), prior=Normal(1.0)))
    shifted = X + 1e9
    moved = posterior_moments(Problem(shifted, y, likelihood=Gaussian(1.0), prior=Normal(1.0)))
    again = posterior_moments(
        Problem(shifted - 1e9, y, likelihood=Gaussian(1.0), prior=Normal(1.0))
    )  # rounded alike
    assert_allclose(moved.mean, again.mean, rtol=1e-11)
    assert_allclose(moved.covariance, again.covariance, rtol=1e-11)
    assert_allclose(moved.mean, plain.mean, rtol=1e-5)


def test_extreme_scales() -> None:
    """A scale of 1e8 is the flat prior, one of 1e-8 is its mean; infinity and ElasticNet agree."""
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    flat = posterior_moments(Problem(X, y, likelihood=Gaussian(1.0), prior=Flat()))
    assert_allclose(
        posterior_moments(Problem(X, y, likelihood=Gaussian(1.0), prior=Normal(1e8))).covariance,
        flat.covariance,
        rtol=1e-9,
    )
    infinite = posterior_moments(Problem(X, y, likelihood=Gaussian(1.0), prior=Normal(np.inf)))
    assert_allclose(infinite.covariance, flat.covariance, rtol=1e-14)
    tight = posterior_moments(Problem(X, y, likelihood=Gaussian(1.0), prior=Normal(1e-8, loc=2.0)))
    assert_allclose(tight.mean, 2.0, atol=1e-7)
    assert_allclose(tight.sd, 1e-8, rtol=1e-6)
    net = posterior_moments(Problem(X, y, likelihood=Gaussian(1.0), prior=ElasticNet(np.inf, 0.5)))
    assert_allclose(
        net.mean,
        posterior_moments(Problem(X, y, likelihood=Gaussian(1.0), prior=Normal(0.5))).mean,
        rtol=1e-13,
    )


@pytest.mark.parametrize(("n", "p"), [(20, 3), (4, 7)])
def test_draws_are_independent_with_exact_moments(n: int, p: int) -> None:
    """Covariance of draws, and the law of each coefficient."""
    rng = np.random.default_rng(8)
    prior = [(Normal(0.5, loc=1.0), list(range(1, p))), (Flat(), [0])]
    problem = Problem(
        rng.normal(size=(n, p)), rng.normal(size=n), likelihood=Gaussian(1.0), prior=prior
    )
    moments = posterior_moments(problem)
    tree = sample(problem, draws=10_000, seed=1)
    beta = _values(tree, "beta")
    z = (beta - moments.mean) @ np.linalg.inv(np.linalg.cholesky(moments.covariance)).T
    assert_allclose(np.cov(z.T), np.eye(p), atol=0.03)
    assert stats.kstest(z[:, 0], "norm").pvalue > 1e-3
    assert abs(np.corrcoef(beta[1:, 0], beta[:-1, 0])[0, 1]) < 0.02
    intercept = _values(tree, "intercept")
    assert moments.intercept_mean is not None
    assert moments.intercept_sd is not None
    assert abs(intercept.mean() - moments.intercept_mean) < 4 * moments.intercept_sd / 200
    assert_allclose(intercept.std(), moments.intercept_sd, rtol=0.03)


def test_same_seed_same_draws() -> None:
    """An integer, a SeedSequence and a Generator of one seed agree; another seed does not."""
    problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(1.0), prior=Normal(1.0))
    seeds: list[Any] = [5, np.random.SeedSequence(5), np.random.default_rng(5), np.int64(5), 6]
    draws = [_values(sample(problem, draws=5, seed=seed), "beta") for seed in seeds]
    for other in draws[1:4]:
        assert np.array_equal(draws[0], other)
    assert not np.array_equal(draws[0], draws[4])


def test_no_seed_is_recorded() -> None:
    """The entropy that was taken makes the same draws again."""
    problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(1.0), prior=Normal(1.0))
    first = sample(problem, draws=5)
    again = sample(problem, draws=5, seed=int(first.attrs["seed_entropy"]))
    assert first.attrs["seed"] == "None"
    assert np.array_equal(_values(first, "beta"), _values(again, "beta"))


X, Y = [[1.0, 2.0, 0.5], [2.0, 1.0, 1.0], [0.0, 1.0, 3.0], [1.0, 1.0, 0.0]], [1.0, 0.0, 1.0, 2.0]
UNKNOWN = HalfNormal(1.0)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "bernoulli": (
        {"likelihood": Bernoulli(), "prior": Normal(1.0), "y": [0, 1, 1, 0]},
        "likelihood",
    ),
    "laplace": ({"prior": Laplace(1.0)}, "absolute value on 'x0'"),
    "elastic net": ({"prior": ElasticNet(1.0, 1.0)}, "absolute value"),
    "block": (
        {
            "prior": [(Normal(1.0), [0]), (Laplace(1.0), [1, 2])],
            "likelihood": Gaussian(UNKNOWN),
        },
        "absolute value on 'x1' leaves no closed form while sigma is unknown",
    ),
    "scale": ({"prior": Laplace(UNKNOWN)}, "while scale is unknown"),
    "mixed": (
        {
            "prior": [(Normal(UNKNOWN), [0]), (Normal(1.0), [1, 2])],
            "likelihood": Gaussian(UNKNOWN),
        },
        "no one decomposition",
    ),
}


@pytest.mark.parametrize(("parts", "words"), REFUSED.values(), ids=REFUSED)
def test_no_closed_form_says_why(parts: dict[str, Any], words: str) -> None:
    """Moments and exact sampling refuse with the same reason."""
    whole: dict[str, Any] = {"y": Y, "likelihood": Gaussian(1.0)} | parts
    problem = Problem(X, **whole)
    with pytest.raises(NoClosedForm, match=words):
        posterior_moments(problem)
    with pytest.raises(NoClosedForm, match=words):
        sample(problem, "exact")


def test_a_posterior_without_variance() -> None:
    """Too few degrees of freedom: no moments, but draws."""
    problem = Problem([[1.0]], [2.0], intercept=False, likelihood=Gaussian(InverseGamma(0.25, 1.0)),
                      prior=Normal(1.0, relative_to="sigma"))  # fmt: skip
    with pytest.raises(NoClosedForm, match="variance"):
        posterior_moments(problem)
    assert np.isfinite(_values(sample(problem, seed=1), "beta")).all()


def test_improper_is_refused() -> None:
    """More flat columns than rows."""
    with pytest.raises(ImproperPosterior, match="flat"):
        posterior_moments(
            Problem([[1.0, 2.0]], [1.0], likelihood=Gaussian(1.0), prior=Flat(), intercept=False)
        )


def _exact_sds(X: np.ndarray) -> np.ndarray:
    """Roots of the diagonal of the inverse of X'X, two columns and an intercept, as fractions."""
    rows = [[Fraction(float(v)) for v in row] for row in X]
    mean = [sum(column, Fraction()) / len(rows) for column in zip(*rows, strict=True)]
    a, b = ([row[j] - mean[j] for row in rows] for j in range(2))
    aa, ab, bb = (
        sum(u * v for u, v in zip(s, t, strict=True)) for s, t in ((a, a), (a, b), (b, b))
    )
    det = aa * bb - ab * ab
    return np.sqrt([float(bb / det), float(aa / det)])


@pytest.mark.parametrize("apart", [1e-4, 1e-8, 1e-10, 1e-12, 1e-14])
def test_flat_columns_that_nearly_depend_are_right_or_refused(apart: float) -> None:
    """To 1e-4 of a standard deviation, against fractions."""
    rng = np.random.default_rng(12)
    for shift in (0.0, 1e3):
        x = rng.normal(size=30)
        X = np.column_stack([x, x + apart * rng.normal(size=30)]) + shift
        problem = Problem(X, rng.normal(size=30), likelihood=Gaussian(1.0), prior=Flat())
        if apart < 1e-11:
            with pytest.raises((InputError, ImproperPosterior), match="depend"):
                posterior_moments(problem)
            continue
        assert_allclose(posterior_moments(problem).sd, _exact_sds(X), rtol=1e-4)


def test_moments_are_a_record() -> None:
    """Frozen."""
    moments = posterior_moments(Problem(X, Y, likelihood=Gaussian(1.0), prior=Normal(1.0)))
    with pytest.raises(AttributeError):
        moments.mean = moments.sd  # type: ignore[misc]
