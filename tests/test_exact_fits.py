"""Posteriors whose noise may vanish, or whose scale is not informed: proper ones and others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csc_array

import bayesreg as br
from bayesreg.errors import ImproperPosterior
from bayesreg.posterior.exact_fits import fitted_rows, spare_rows
from bayesreg.posterior.left_out import row_that_is_needed
from bayesreg.posterior.unknowns import require_proper

RNG = np.random.default_rng(0)
COLUMN, WIDE = RNG.normal(size=(6, 1)), RNG.normal(size=(5, 8))
WIDE[1] = WIDE[0]
POSITIVE = np.abs(COLUMN[:5]) + 0.1
NOISE: Any = RNG.normal(size=20)
T3, GAUSS = br.StudentTNoise(3.0, br.HalfNormal(1.0)), br.Gaussian(br.HalfNormal(1.0))
NONNEGATIVE, NORMAL = br.Normal(1.0, nonnegative=True), br.Normal(5.0)
FLAT = br.Laplace(br.Flat())
HALVES = np.repeat([0.0, 1.0, 0.5], [5, 5, 1])
LINE = np.arange(11.0)
OFF_LINE = np.where(LINE == 4, 3.3, 2 * LINE + 1)

CASES: dict[str, tuple[Any, Any, Any, Any, bool, bool]] = {
    # X, y, likelihood, prior, intercept, proper
    "8 of 9 by one: 8 - 1 - 3": (
        np.r_[[1.0] * 8, 2.0],
        [3.0] * 8 + [1.0],
        T3,
        NORMAL,
        False,
        False,
    ),
    "two groups: 10 - 2 - 3": (
        HALVES,
        5 + 2 * HALVES + 0.4 * (HALVES == 0.5),
        T3,
        NORMAL,
        True,
        False,
    ),
    "a line but for one: 10 - 2 - 3": (LINE, OFF_LINE, T3, NORMAL, True, False),
    "of nu = 9: 10 - 2 - 9": (
        LINE,
        OFF_LINE,
        br.StudentTNoise(9.0, br.HalfNormal(1.0)),
        NORMAL,
        True,
        True,
    ),
    "17 ties by 11: 17 - 11 - 9": (
        RNG.normal(size=(20, 10)),
        NOISE * (np.arange(20) < 3),
        T3,
        NORMAL,
        True,
        True,
    ),
    "80 ties by 11: 80 - 11 - 60": (
        RNG.normal(size=(100, 10)),
        np.r_[NOISE, np.zeros(80)],
        T3,
        NORMAL,
        True,
        False,
    ),
    "no ties": (RNG.normal(size=(20, 3)), NOISE, T3, NORMAL, True, True),
    "a column and its copy, fitted": (
        COLUMN @ [[1.0, 2.0, 1.0, -1.0, 0.5, 3.0]],
        2 * COLUMN[:, 0],
        GAUSS,
        NORMAL,
        False,
        False,
    ),
    "a row and its copy, fitted": (WIDE, [1.0, 1.0, 2.0, 0.0, 3.0], GAUSS, NORMAL, False, False),
    "a row and its copy, apart": (WIDE, [1.0, 0.0, 2.0, 0.0, 3.0], GAUSS, NORMAL, False, True),
    "as many columns as rows": (WIDE[1:], [1.0, 2.0, 0.0, 3.0], GAUSS, NORMAL, False, True),
    "fitted by what is excluded": (POSITIVE, -POSITIVE[:, 0], GAUSS, NONNEGATIVE, False, True),
    "fitted by what is not": (POSITIVE, POSITIVE[:, 0], GAUSS, NONNEGATIVE, False, False),
    "a corner of two dimensions, 2 rows": (
        [[1, 1], [2, 2]],
        [0, 0],
        GAUSS,
        NONNEGATIVE,
        False,
        True,
    ),
    "a corner of two dimensions, 3 rows": (
        [[1, 1], [2, 2], [3, 3]],
        [0, 0, 0],
        GAUSS,
        NONNEGATIVE,
        False,
        False,
    ),
    "no corner, 2 rows": ([[1, 1], [2, 2]], [0, 0], GAUSS, NORMAL, False, False),
    "flat scale, a column of zeros": (
        np.hstack([COLUMN, 0 * COLUMN]),
        NOISE[:6],
        br.Gaussian(1.0),
        FLAT,
        False,
        False,
    ),
    "flat scale, a copy": (
        np.hstack([COLUMN, COLUMN]),
        NOISE[:6],
        br.Gaussian(1.0),
        FLAT,
        False,
        False,
    ),
    "flat scale, a constant": (
        np.hstack([COLUMN, 0 * COLUMN + 1]),
        NOISE[:6],
        br.Gaussian(1.0),
        FLAT,
        True,
        False,
    ),
    "flat scale, a constant that counts": (
        np.hstack([COLUMN, 0 * COLUMN + 1]),
        NOISE[:6],
        br.Gaussian(1.0),
        FLAT,
        False,
        True,
    ),
    "flat scale, two columns": (
        np.hstack([COLUMN, COLUMN**2]),
        NOISE[:6],
        br.Gaussian(1.0),
        FLAT,
        False,
        True,
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_what_has_an_integral(name: str) -> None:
    """By exponents: rows that are fitted, less dimensions that fit them, less nu times others."""
    X, y, likelihood, prior, intercept, proper = CASES[name]
    X = np.asarray(X, dtype=np.float64).reshape(len(y), -1)
    problem = br.Problem(X, y, likelihood=likelihood, prior=prior, intercept=intercept)
    if proper:
        require_proper(problem)
    else:
        with pytest.raises(ImproperPosterior, match=r"sigma: .* exactly|scale: a flat prior needs"):
            require_proper(problem)


def mass(x: Any, y: Any, nu: float, least: float) -> float:
    """Integral of likelihood times N(0, 5) over beta, and over sigma from `least` to 10."""
    sigma = np.exp(np.linspace(np.log(least), np.log(10.0), 120))
    inner = []
    for s in sigma:
        beta = np.concatenate([c + s * np.sinh(np.linspace(-9, 9, 801)) for c in np.unique(y / x)])
        beta.sort()
        logs = stats.t.logpdf((y - beta[:, None] * x) / s, nu).sum(axis=1) - y.size * np.log(s)
        density = np.exp(logs) * stats.norm.pdf(beta, 0, 5)
        inner.append(float(np.trapezoid(density, beta)))
    return float(np.trapezoid(np.array(inner) * sigma, np.log(sigma)))


@pytest.mark.parametrize(("others", "proper"), [(1, False), (2, False), (3, True)])
def test_ties_under_student_noise_by_quadrature(others: int, proper: bool) -> None:
    """Eight rows on one coefficient: 8 − 1 − 3 and 8 − 1 − 6 have no integral, 8 − 1 − 9 has."""
    x = np.r_[np.ones(8), np.arange(2.0, 2 + others)]
    y = np.r_[np.full(8, 3.0), np.arange(1.0, 1 + others)]
    grows = mass(x, y, 3.0, 1e-5) / mass(x, y, 3.0, 1e-4) > 1.1
    assert grows != proper
    problem = br.Problem(x[:, None], y, likelihood=T3, prior=NORMAL, intercept=False)
    if proper:
        require_proper(problem)
    else:
        with pytest.raises(ImproperPosterior, match=f"sigma: 8 of {8 + others} rows are fitted"):
            require_proper(problem)


def test_rows_on_a_plane_are_found_among_many() -> None:
    """150 of 200 rows on five coefficients, in no order."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 5))
    y = X @ np.arange(5.0)
    apart = rng.permutation(200)[:50]
    y[apart] += rng.normal(size=50)
    assert max(int(rows.sum()) for rows in fitted_rows(X, y)) == 150
    assert spare_rows(np.delete(X, apart, axis=0), np.delete(y, apart), np.zeros(5, bool)) == 145


def test_a_joint_mode_whose_perfect_fit_is_excluded_exists() -> None:
    """The coefficient is at its bound, and sigma is the length of y; sampled as well."""
    problem = br.Problem(
        POSITIVE, -POSITIVE[:, 0], likelihood=GAUSS, prior=NONNEGATIVE, intercept=False
    )
    mode = br.find_map(problem)
    assert mode.coef.tolist() == [0.0]
    assert mode.certificate.optimal
    draws = br.sample(problem, draws=200, tune=200, chains=2, seed=1).posterior
    assert float(draws["sigma"].min()) > 0.1


@pytest.mark.parametrize("kind", [np.asarray, csc_array])
def test_the_row_that_a_posterior_cannot_do_without(kind: Any) -> None:
    """A flat coefficient that one row sees, of a dense X and of a sparse one."""
    X = np.random.default_rng(2).normal(size=(12, 3))
    X[:, 2] = np.arange(12) == 7
    parts: Any = [(br.Laplace(1.0), [0, 1]), (br.Flat(), [2])]
    problem = br.Problem(kind(X), NOISE[:12], likelihood=br.Gaussian(1.0), prior=parts)
    assert str(row_that_is_needed(problem)).startswith("row 7 determines")
    assert row_that_is_needed(problem.with_prior(br.Laplace(1.0))) is None
