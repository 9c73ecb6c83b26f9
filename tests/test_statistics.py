"""Sufficient statistics: the problem of the rows, without the rows."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import bayesreg as br
from bayesreg.errors import DegenerateMode, InputError

N, P = 60, 6


def rows(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Columns off centre and of different sizes, three true effects."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, P)) * np.geomspace(0.3, 5.0, P) + np.arange(P)
    return X, X @ [1.0, 0.0, -0.5, 0.0, 0.2, 0.0] + 2.0 + rng.normal(size=N)


def statistics(X: np.ndarray, y: np.ndarray, *, centred: bool = False) -> dict[str, Any]:
    """Sums of products, as they are or about the means."""
    x_mean, y_mean = X.mean(axis=0), y.mean()
    if centred:
        X, y = X - x_mean, y - y_mean
    return {
        "gram": X.T @ X,
        "xty": X.T @ y,
        "yty": y @ y,
        "n": y.size,
        "x_mean": x_mean,
        "y_mean": y_mean,
        "centred": centred,
    }


PRIORS: dict[str, br.Prior] = {
    "laplace": br.Laplace(0.2),
    "normal": br.Normal(0.5, loc=0.1),
    "net": br.ElasticNet(0.3, 1.0),
    "flat": br.Flat(),
    "partly": br.Laplace(np.array([0.1, np.inf, 0.2, 0.3, np.inf, 0.1])),
    "group": br.GroupLaplace(0.2, [[0, 1], [2, 5]]),
}


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize(
    ("intercept", "standardize", "centred"), list(product((True, False), repeat=3))
)
def test_every_number_is_that_of_the_rows(
    prior: str, intercept: bool, standardize: bool, centred: bool
) -> None:
    """Objective, gradient, mode and every field of a certificate, to 1e-9."""
    X, y = rows()
    kwargs: dict[str, Any] = {
        "likelihood": br.Gaussian(0.9),
        "prior": PRIORS[prior],
        "intercept": intercept,
        "standardize": standardize,
    }
    data = br.Problem(X, y, **kwargs)
    sums = br.Problem.from_statistics(**statistics(X, y, centred=centred), **kwargs)
    assert sums.n == N
    np.testing.assert_allclose(sums.design.column_scale, data.design.column_scale, rtol=1e-12)
    coef, level = np.linspace(-0.5, 0.5, P), 0.7 if intercept else 0.0
    assert sums.objective(coef, level) == pytest.approx(data.objective(coef, level), rel=1e-11)
    (slopes, at_level), (expected, at_intercept) = (q.gradient(coef, level) for q in (sums, data))
    np.testing.assert_allclose(slopes, expected, rtol=1e-9, atol=1e-9)
    assert at_level == pytest.approx(at_intercept, rel=1e-9, abs=1e-9)
    one, two = br.find_map(sums), br.find_map(data)
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-9, atol=1e-11)
    assert one.intercept == pytest.approx(two.intercept, rel=1e-9, abs=1e-9)
    assert one.objective == pytest.approx(two.objective, rel=1e-11)
    for answer in (two.coef, two.coef + 0.01):
        a, b = br.certify(sums, answer, two.intercept), br.certify(data, answer, two.intercept)
        assert (a.optimal, a.unique, a.support) == (b.optimal, b.unique, b.support)
        assert a.gap == pytest.approx(b.gap, rel=1e-9, abs=1e-10)
        assert a.kkt == pytest.approx(b.kkt, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("relative", [None, "sigma"])
def test_joint_modes_with_sigma(intercept: bool, relative: Any) -> None:
    """There n is the number of observations, not that of the rows that stand for them."""
    X, y = rows()
    kwargs: dict[str, Any] = {
        "likelihood": br.Gaussian(br.HalfNormal(2.0)),
        "prior": br.Laplace(0.3, relative_to=relative),
        "intercept": intercept,
    }
    one = br.find_map(br.Problem.from_statistics(**statistics(X, y), **kwargs))
    two = br.find_map(br.Problem(X, y, **kwargs))
    assert one.sigma == pytest.approx(two.sigma, rel=1e-9)
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-8, atol=1e-10)
    assert one.objective == pytest.approx(two.objective, rel=1e-11)
    assert one.certificate.optimal


def test_without_means_there_is_no_intercept_and_no_standardising() -> None:
    """Raw sums of products suffice for a regression through the origin, and for no other."""
    X, y = rows()
    sums = (X.T @ X, X.T @ y, y @ y, N)
    kwargs: dict[str, Any] = {"likelihood": br.Gaussian(0.9), "prior": br.Laplace(0.2)}
    one = br.find_map(br.Problem.from_statistics(*sums, intercept=False, **kwargs))
    two = br.find_map(br.Problem(X, y, intercept=False, **kwargs))
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-9, atol=1e-11)
    assert one.objective == pytest.approx(two.objective, rel=1e-11)
    with pytest.raises(InputError, match="x_mean, y_mean: an intercept needs the means"):
        br.Problem.from_statistics(*sums, **kwargs)
    with pytest.raises(InputError, match="x_mean, y_mean: standardize=True needs the means"):
        br.Problem.from_statistics(*sums, intercept=False, standardize=True, **kwargs)


def test_more_columns_than_observations() -> None:
    """The rows are as many as the rank, and the mode is that of the data."""
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(12, 30)), rng.normal(size=12)
    kwargs: dict[str, Any] = {"likelihood": br.Gaussian(0.5), "prior": br.Laplace(0.4)}
    problem = br.Problem.from_statistics(**statistics(X, y, centred=True), **kwargs)
    assert problem.design.X.shape[0] <= 13
    one, two = br.find_map(problem), br.find_map(br.Problem(X, y, **kwargs))
    np.testing.assert_allclose(one.coef, two.coef, rtol=1e-8, atol=1e-10)


def test_far_columns_keep_their_digits_if_they_are_centred_first() -> None:
    """Sums about the means lose nothing at 1e8; raw ones are refused or lose what they must."""
    X, y = rows()
    kwargs: dict[str, Any] = {"likelihood": br.Gaussian(0.9), "prior": br.Laplace(0.2)}
    near = br.find_map(br.Problem(X, y, **kwargs))
    sums = statistics(X, y, centred=True)
    sums["x_mean"] = sums["x_mean"] + 1e8
    far = br.find_map(br.Problem.from_statistics(**sums, **kwargs))
    np.testing.assert_allclose(far.coef, near.coef, rtol=1e-6, atol=1e-9)


def test_a_perfect_fit_is_seen() -> None:
    """A residual below the rounding of sums of squares is none: no joint mode."""
    X, _ = rows()
    y = X @ np.arange(1.0, P + 1)
    problem = br.Problem.from_statistics(
        **statistics(X, y), likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=br.Flat()
    )
    with pytest.raises(DegenerateMode, match="fit y perfectly"):
        br.find_map(problem)


def test_equality_and_words() -> None:
    """Equal if the sums are; never to a problem of rows. It says what it is made of."""
    X, y = rows()
    kwargs: dict[str, Any] = {"likelihood": br.Gaussian(0.9), "prior": br.Laplace(0.2)}
    make = br.Problem.from_statistics
    assert make(**statistics(X, y), **kwargs) == make(**statistics(X, y), **kwargs)
    assert make(**statistics(X, y), **kwargs) != make(**statistics(X, 2 * y), **kwargs)
    assert make(**statistics(X, y), **kwargs) != br.Problem(X, y, **kwargs)
    text = str(make(**statistics(X, y), names=list("abcdef"), **kwargs))
    assert "60 observations" in text
    assert "from their sums of products" in text


def test_what_needs_rows_refuses() -> None:
    """Sampling, moments, PyMC and comparisons name the reason."""
    X, y = rows()
    problem = br.Problem.from_statistics(
        **statistics(X, y), likelihood=br.Gaussian(0.9), prior=br.Normal(0.2)
    )
    for verb in (br.sample, br.posterior_moments, br.to_pymc, br.compare):
        with pytest.raises(InputError, match="needs the rows of X"):
            verb(problem)


X0, Y0 = rows()
GOOD = statistics(X0, Y0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gram": np.ones((2, 3))}, "gram: must be square"),
        ({"gram": GOOD["gram"] + np.triu(GOOD["gram"], 1)}, "gram: must be symmetric"),
        ({"gram": -GOOD["gram"]}, "gram: sums of squares cannot be negative"),
        ({"yty": -1.0}, "yty: sums of squares cannot be negative"),
        ({"xty": 100 * GOOD["xty"]}, "gram: .* not positive semi-definite"),
        ({"yty": 0.5 * GOOD["yty"]}, "gram: .* not positive semi-definite"),
        ({"y_mean": 1e3}, "gram: .* not positive semi-definite"),
        ({"xty": GOOD["xty"][:2]}, "xty: has 2 entries, but 6 are needed"),
        ({"x_mean": [1.0, 2.0]}, "x_mean: has 2 entries, but 6 are needed"),
        ({"x_mean": None}, "x_mean, y_mean: pass both or none"),
        ({"x_mean": None, "y_mean": None, "centred": True}, "x_mean, y_mean: are needed"),
        ({"n": 0}, "n: must be at least 1"),
        ({"n": 2.5}, "n: must be a whole number"),
        ({"yty": np.nan}, "yty: must be finite"),
        ({"centred": 1}, "centred: must be True or False"),
        ({"names": ["a"]}, "names: has 1 entries"),
        ({"likelihood": br.Bernoulli()}, "likelihood: sums of products suffice for a Gaussian"),
        ({"likelihood": None}, "likelihood: must be Gaussian"),
        ({"prior": None}, "prior: must be a prior"),
    ],
)
def test_bad_statistics_are_refused_by_name(changes: dict[str, Any], message: str) -> None:
    """One clear error that begins with the argument."""
    kwargs: dict[str, Any] = {"likelihood": br.Gaussian(0.9), "prior": br.Normal(0.2)}
    with pytest.raises(InputError, match=message):
        br.Problem.from_statistics(**(GOOD | kwargs | changes))
