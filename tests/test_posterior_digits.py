"""What rounding costs an exact posterior: right digits, or a refusal; against rational numbers."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayesreg import (
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
from bayesreg.errors import BayesregError, InputError
from bayesreg.posterior.graded import graded_svd

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector


def exact(X: Matrix, y: Vector, sigma: float, sd: Vector) -> tuple[Vector, Vector]:
    """Posterior means and sds under ``Normal(sd)``, no intercept, by elimination of fractions."""
    p, precision = X.shape[1], 1 / Fraction(sigma) ** 2
    columns = [[Fraction(float(v)) for v in column] for column in X.T]
    target, wide = [Fraction(float(v)) for v in y], [Fraction(float(v)) for v in sd]

    def product(a: list[Fraction], b: list[Fraction]) -> Fraction:
        return precision * sum((u * v for u, v in zip(a, b, strict=True)), Fraction())

    table = [
        [product(a, b) + Fraction(i == j) / wide[i] ** 2 for j, b in enumerate(columns)]
        + [product(a, target)]
        + [Fraction(i == j) for j in range(p)]
        for i, a in enumerate(columns)
    ]  # fmt: skip
    for i in range(p):
        table[i] = [v / table[i][i] for v in table[i]]
        for j in range(p):
            if j != i:
                factor = table[j][i]
                table[j] = [v - factor * u for v, u in zip(table[j], table[i], strict=True)]
    sds = [math.sqrt(table[i][p + 1 + i]) for i in range(p)]
    return np.array([float(row[p]) for row in table]), np.array(sds)


def errors(X: Matrix, y: Vector, sigma: float, sd: Vector) -> tuple[float, float]:
    """Largest errors of the means, in posterior sds, and of the sds, as shares of them."""
    problem = Problem(X, y, likelihood=Gaussian(sigma), prior=Normal(sd), intercept=False)
    found, (mean, spread) = posterior_moments(problem), exact(X, y, sigma, sd)
    return (
        float(np.abs((found.mean - mean) / spread).max()),
        float(np.abs(found.sd / spread - 1).max()),
    )


def drawn(rng: np.random.Generator) -> tuple[Matrix, Vector, float, Vector]:
    """Columns that may nearly depend on each other, of any lengths, and priors of any widths."""
    n, p = int(rng.integers(2, 7)), int(rng.integers(2, 5))
    X, apart = rng.normal(size=(n, p)), 10.0 ** rng.uniform(-15, -2)
    kind = rng.integers(4)
    if kind == 1:
        X[:, -1] = X[:, :-1].sum(axis=1) + apart * rng.normal(size=n)
    if kind == 2:
        X[:, 0] = X[:, 1] * (1 + apart * rng.normal(size=n))
    if rng.random() < 0.4:
        X = X * 10.0 ** rng.uniform(-8, 8, size=p)
    sd = 10.0 ** rng.uniform(-2, 16, size=p if rng.random() < 0.4 else 1) * np.ones(p)
    y = rng.normal(size=n) * 10.0 ** rng.uniform(-3, 14)
    if rng.random() < 0.4:
        y = y + X @ (rng.normal(size=p) * 10.0 ** rng.uniform(-3, 6))
    return X, y, 10.0 ** rng.uniform(-4, 4), sd


def test_every_answer_is_right_or_refused() -> None:
    """Sds to 1e-4 of them and means to 1e-3 of a sd, whatever columns, widths and noise."""
    rng, answered = np.random.default_rng(6), 0
    for _ in range(400):
        case = drawn(rng)
        try:
            of_mean, of_sd = errors(*case)
        except BayesregError:
            continue
        answered += 1
        assert of_mean < 1e-3
        assert of_sd < 1e-4
    assert answered > 200


@pytest.mark.parametrize("sd", [1e-3, 1.0, 1e6])
def test_lengths_of_columns_cost_no_digits(sd: float) -> None:
    """Columns of lengths from 1e-8 to 1e8, under priors of one width: as if they were alike."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(9, 5)) * 10.0 ** np.array([-8.0, 8.0, 0.0, 4.0, -4.0])
    of_mean, of_sd = errors(X, rng.normal(size=9), 0.7, np.full(5, sd))
    assert max(of_mean, of_sd) < 1e-10


def test_a_wide_prior_costs_no_digits() -> None:
    """A prior sd of 1e10 on orthogonal columns, of 1e16 on well-conditioned ones."""
    rng = np.random.default_rng(2)
    X = np.linalg.qr(rng.normal(size=(9, 4)))[0]
    for columns, width in ((X, 1e10), (rng.normal(size=(9, 4)), 1e16)):
        of_mean, of_sd = errors(columns, rng.normal(size=9), 1.0, np.full(4, width))
        assert max(of_mean, of_sd) < 1e-10


@pytest.mark.parametrize(
    ("sd", "apart", "refused"),
    [(1e8, 1e-14, False), (1e14, 1e-9, False), (1e12, 1e-13, True), (1e16, 1e-14, True)],
)
def test_nearly_dependent_columns_under_a_wide_prior(
    sd: float, apart: float, refused: bool
) -> None:
    """Refused only where their difference is lost and the prior does not decide instead."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=20)
    X, y = np.column_stack([x, x + apart * rng.normal(size=20)]), rng.normal(size=20)
    if refused:
        problem = Problem(X, y, likelihood=Gaussian(1.0), prior=Normal(sd), intercept=False)
        with pytest.raises(InputError, match=r"prior: is so wide .* leave one of them out"):
            posterior_moments(problem)
        return
    assert max(errors(X, y, 1.0, np.full(2, sd))) < 1e-4


def test_more_columns_than_rows_under_a_wide_prior() -> None:
    """What the rows leave open is told from what they decide, or the problem is refused."""
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(3, 4)), rng.normal(size=3)
    for length in (1.0, 1e4, 1e8):
        assert max(errors(X * [length, 1, 1, 1], y, 1.0, np.full(4, 1e6))) < 1e-4
    problem = Problem(
        X * [1e13, 1, 1, 1], y, likelihood=Gaussian(1.0), prior=Normal(1e6), intercept=False
    )
    with pytest.raises(InputError, match="prior: is so wide"):
        posterior_moments(problem)


def test_a_target_far_beyond_the_noise() -> None:
    """Means are right to a thousandth of a sd up to some 1e11 noise sds; then y is refused."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(8, 3))
    y = X @ [1.0, -2.0, 0.5] + rng.normal(size=8)
    for sigma in (1e-4, 1e-8, 1e-10):
        of_mean, of_sd = errors(X, y, sigma, np.full(3, 2.0))
        assert of_mean < 1e-3
        assert of_sd < 1e-10
    for prior in (Normal(2.0), Flat()):
        problem = Problem(X, y, likelihood=Gaussian(1e-14), prior=prior)
        with pytest.raises(InputError, match=r"y: .* noise sds long, .* give sigma a larger value"):
            posterior_moments(problem)


def test_units_of_an_unknown_noise_do_not_decide() -> None:
    """With sigma unknown, the answer to y in other units is the same one in other units."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=20)
    X = np.column_stack([x, x + 1e-4 * rng.normal(size=20)])
    y = rng.normal(size=20)

    def moments(unit: float) -> tuple[Vector, Vector]:
        found = [
            posterior_moments(Problem(X, y * unit, likelihood=Gaussian(sigma), prior=prior))
            for sigma, prior in (
                (InverseGamma(2.0, unit**2), Normal(3.0, relative_to="sigma")),
                (HalfNormal(unit), Normal(3.0 * unit)),
            )
        ]
        means, sds = (np.concatenate([getattr(m, k) for m in found]) for k in ("mean", "sd"))
        return means / unit, sds / unit

    for unit in (1e-12, 1e12):
        for here, there in zip(moments(1.0), moments(unit), strict=True):
            assert_allclose(there, here, rtol=1e-7)


def test_singular_values_of_graded_columns() -> None:
    """Orthogonal columns of lengths twenty orders apart: the lengths, to the last digits."""
    rng = np.random.default_rng(8)
    lengths = 10.0 ** np.array([-10.0, 10.0, 0.0, 5.0])
    Q = np.linalg.qr(rng.normal(size=(7, 4)))[0]
    for columns in (Q * lengths, (Q * lengths)[:, rng.permutation(4)]):
        U, s, V = graded_svd(columns)
        assert_allclose(s, np.sort(lengths)[::-1], rtol=1e-13)
        assert_allclose((U * s) @ V.T, columns, atol=1e-5)
        assert_allclose(U.T @ U, np.eye(4), atol=1e-14)
    for shape in ((0, 3), (3, 0), (2, 5)):
        assert graded_svd(np.ones(shape))[2].shape == (shape[1], min(shape))


def with_intercept(y: Vector, offset: Vector | float, sigma: float) -> Problem:
    """Two columns and an intercept under ``Normal(1)``."""
    X = np.random.default_rng(0).normal(size=(12, 2))
    return Problem(
        X,
        y,
        likelihood=Gaussian(sigma),
        prior=Normal(1.0),
        offset=np.broadcast_to(offset, 12),
    )


@pytest.mark.parametrize("level", [1.7e9, 1.7e12])
def test_the_level_of_y_is_right_to_its_last_digit(level: float) -> None:
    """Epoch seconds or milliseconds: the mean of centred y moves to the intercept and no more."""
    noise = np.round(np.random.default_rng(1).normal(size=12) * 64) / 64
    near, far = (posterior_moments(with_intercept(noise + q, 0.0, 1.0)) for q in (0.0, level))
    assert near.intercept_mean is not None
    assert far.intercept_mean is not None
    assert_allclose(far.mean, near.mean, rtol=1e-12)
    assert abs(far.intercept_mean - level - near.intercept_mean) <= np.spacing(level)


@pytest.mark.parametrize(("level", "sigma"), [(1.7e12, 1e-3), (1e15, 0.05), (1.7e18, 1e3)])
def test_a_level_whose_last_digit_is_worth_sds_is_refused(level: float, sigma: float) -> None:
    """It has no number near its mean; less a constant there is nothing to refuse."""
    noise = sigma * np.random.default_rng(1).normal(size=12)
    far = with_intercept(level + noise, 0.0, sigma)
    with pytest.raises(InputError, match=r"y: is so far from 0 .* subtract a constant"):
        posterior_moments(far)
    with pytest.raises(InputError, match="y: is so far from 0"):
        sample(far, draws=10, seed=1)
    posterior_moments(with_intercept(level + noise - level, 0.0, sigma))


def test_digits_that_the_offset_cost_are_seen() -> None:
    """At 1e12 an offset keeps four places: too few beside noise of 1e-3, and enough beside 1."""
    rng = np.random.default_rng(2)
    offset, noise = np.round(rng.normal(size=12) * 1e3, 3), rng.normal(size=12)
    for prior in (Normal(1.0), Laplace(1.0)):
        fine = with_intercept(1e12 + 1e-3 * noise, offset, 1e-3)
        with pytest.raises(InputError, match="y: less its offset it keeps too few digits"):
            posterior_moments(fine.with_prior(prior))
    y = np.round(1e12 + noise)
    found, right = (posterior_moments(with_intercept(y - q, offset, 1.0)) for q in (0.0, 1e12))
    assert float(np.abs((found.mean - right.mean) / right.sd).max()) < 1e-3
    # What both lose is nothing where they are as large as each other.
    both = posterior_moments(with_intercept(y, 1e12, 1.0))
    neither = posterior_moments(with_intercept(y - 1e12, 0.0, 1.0))
    assert_allclose(both.mean, neither.mean, rtol=1e-12)


@pytest.mark.parametrize("prior", [Normal(1.0), Laplace(1.0)])
def test_a_target_beyond_all_digits_is_refused_under_every_prior(prior: Normal | Laplace) -> None:
    """The mean under the absolute value was hundreds of sds off."""
    X, y = np.array([[1.0], [2.0], [4.0], [-1.0]]), np.array([1.0, 2.5, 3.0, -1.0])
    far = Problem(X, y * 1e14, likelihood=Gaussian(1e-4), prior=prior, intercept=False)
    with pytest.raises(InputError, match="y: it and the effects that make it up"):
        posterior_moments(far)
    with pytest.raises(InputError, match="y: it and the effects that make it up"):
        sample(far, draws=10, seed=1)
    posterior_moments(Problem(X, y, likelihood=Gaussian(1.0), prior=prior, intercept=False))
