"""Posteriors on which a Gibbs sampler is wrong unseen: like columns, wide priors, unlike units."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from arviz_stats.base import array_stats  # type: ignore[attr-defined]

import bayesreg as br
from bayesreg.errors import InputError, SamplingFailed
from bayesreg.posterior.gibbs import gaussian
from bayesreg.posterior.gibbs.starts import start_included

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

LIMIT = 5.5  # standard errors


def drawn(problem: br.Problem, draws: int = 2000) -> Any:
    """Draw by Gibbs sampling; (chain, draw, p)."""
    tree: Any = br.sample(problem, "gibbs", draws=draws, tune=300, chains=4, seed=1)
    return tree.posterior["beta"].to_numpy()


def assert_mean(values: Any, expected: float) -> None:
    """Hold an average over chains (chain, draw) to its value."""
    error = float(array_stats.mcse(values, method="mean"))  # type: ignore[no-untyped-call]
    assert abs(values.mean() - expected) < LIMIT * error + 1e-9


def inclusions(X: Matrix, y: Vector, sigma: float, inclusion: float) -> Vector:
    """Sum over all models, slabs of sd 1: posterior probabilities of inclusion."""
    p = X.shape[1]
    logs, models = [], list(product((0.0, 1.0), repeat=p))
    for model in models:
        k = np.flatnonzero(model)
        covariance = sigma**2 * np.eye(y.size) + X[:, k] @ X[:, k].T
        logs.append(
            k.size * math.log(inclusion)
            + (p - k.size) * math.log1p(-inclusion)
            - 0.5 * np.linalg.slogdet(covariance)[1]
            - 0.5 * y @ np.linalg.solve(covariance, y)
        )
    share = np.exp(np.array(logs) - max(logs))
    return np.asarray(share @ np.array(models) / share.sum())


def spiked(X: Any, y: Any, sigma: float, inclusion: float) -> br.Problem:
    """Slabs of sd 1, no intercept."""
    return br.Problem(
        X, y, likelihood=br.Gaussian(sigma), prior=br.SpikeSlab(inclusion, 1.0), intercept=False
    )


# --------------------------------------------------------------------------- spike and slab


@pytest.mark.parametrize("apart", [0.0, 0.05])
@pytest.mark.parametrize("inclusion", [1e-4, 1e-2])
@pytest.mark.parametrize("route", ["collapsed", "one by one", "rows"])
def test_like_columns_are_exchanged_where_inclusion_is_rare(
    route: str, inclusion: float, apart: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither stays because it came first: probabilities are those of the sum over all models."""
    if route != "collapsed":
        monkeypatch.setattr(gaussian, "_MOST_IN_PRODUCTS", -1)
    rng = np.random.default_rng(1)
    x = rng.standard_normal(100)
    X = np.column_stack([x, x + apart * rng.standard_normal(100), rng.standard_normal(100)])
    y = 0.8 * x + rng.standard_normal(100)
    beta = drawn(spiked(X, y, 1.0, inclusion))
    for j, expected in enumerate(inclusions(X, y, 1.0, inclusion)[:2]):
        assert_mean((beta[..., j] != 0).astype(float), float(expected))


def test_columns_that_differ_little_have_the_right_probabilities() -> None:
    """Five columns of correlation 0.999, all subsets."""
    rng = np.random.default_rng(2)
    X = math.sqrt(0.999) * rng.standard_normal((20, 1)) + math.sqrt(1e-3) * rng.standard_normal(
        (20, 5)
    )
    y = X[:, 0] + 0.5 * X[:, 1] + rng.standard_normal(20)
    beta = drawn(spiked(X, y, 1.0, 0.2), 5000)
    for j, expected in enumerate(inclusions(X, y, 1.0, 0.2)):
        assert_mean((beta[..., j] != 0).astype(float), float(expected))


def test_a_spike_is_drawn_while_the_noise_is_above_rounding_and_refused_below() -> None:
    """Three columns on one row: P(all in) is the same at every small sigma, or there is no draw."""
    row = np.array([[1.0, 0.7, -1.3]])
    found = []
    for sigma in (1e-4, 1e-6):
        beta = drawn(spiked(row, [1.0], sigma, 0.3), 4000)
        found.append((beta != 0).all(axis=-1).astype(float))
    assert_mean(found[0], 0.0341)
    assert_mean(found[1], 0.0341)
    with pytest.raises(SamplingFailed, match="leave such columns out"):
        drawn(spiked(row, [1.0], 1e-9, 0.3))


def test_chains_start_with_other_columns() -> None:
    """A few, at least one, none that explains more than there is."""
    inclusion, slab = np.full(1000, 0.5), np.full(1000, 1e6)
    lengths = np.full(1000, 2.0)
    starts = [
        start_included(inclusion * share, slab, lengths, 3.0, np.random.default_rng(seed))
        for seed in range(5)
        for share in (1.0, 1e-6)
    ]
    assert [int((beta != 0).sum()) for beta in starts] == [5, 1] * 5
    assert len({int(np.flatnonzero(beta)[0]) for beta in starts}) > 5
    assert max(np.abs(beta).max() for beta in starts) < 10.0


# --------------------------------------------------------------------------- wide priors


def equal_columns() -> tuple[Matrix, Vector]:
    """Two equal columns beside another, and a target."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(30)
    X = np.column_stack([x, x, rng.standard_normal(30)])
    return X, x + rng.standard_normal(30)


@pytest.mark.parametrize("scale", [1e4, 1e7, 1e10])
def test_equal_columns_keep_a_wide_prior(scale: float) -> None:
    """β₁ − β₂ has the sd that two Laplace coefficients of a known sum have: scale √½ (limit)."""
    X, y = equal_columns()
    beta = drawn(br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(scale)))
    assert_mean((beta[..., 0] / scale) ** 2, 0.5)
    exact = np.linalg.lstsq(np.column_stack([np.ones(30), X[:, 1:]]), y)[0]
    assert_mean(beta[..., 0] + beta[..., 1], float(exact[1]))
    assert_mean(beta[..., 2], float(exact[2]))


@pytest.mark.parametrize(
    ("sigma", "wide"), [(1e-4, False), (1e-8, False), (1e-10, False), (1e-4, True)]
)
def test_little_noise_on_equal_columns(sigma: float, wide: bool) -> None:
    """Means and sds are exact, from equal columns and from equal rows."""
    X, y = equal_columns()
    if wide:
        X = np.vstack([X[:3], X[:3]])
        X = np.column_stack(
            [X, np.random.default_rng(3).standard_normal((3, 12)).repeat(2, axis=0)]
        )
        y = y[:3].repeat(2)
    y = X[:, 0] + sigma * y[: X.shape[0]]
    problem = br.Problem(X, y, likelihood=br.Gaussian(sigma), prior=br.Normal(1.0), intercept=False)
    beta, exact = drawn(problem, 1000), br.posterior_moments(problem)
    for j in range(X.shape[1]):
        z = (beta[..., j] - exact.mean[j]) / exact.sd[j]
        assert_mean(z, 0.0)
        assert_mean(z**2, 1.0)


def test_least_noise_on_equal_columns() -> None:
    """Closed forms lose digits there and refuse; draws of the difference and the sum do not."""
    X, y = equal_columns()
    y = X[:, 0] + 1e-11 * y
    problem = br.Problem(X, y, likelihood=br.Gaussian(1e-11), prior=br.Normal(1.0), intercept=False)
    with pytest.raises(InputError, match="rounding would decide"):
        br.posterior_moments(problem)
    beta = drawn(problem, 1000)
    difference = (beta[..., 0] - beta[..., 1]) / math.sqrt(2.0)
    assert_mean(difference, 0.0)
    assert_mean(difference**2, 1.0)
    assert np.abs(beta[..., 0] + beta[..., 1] - 1.0).max() < 1e-9


def test_columns_that_differ_by_the_noise() -> None:
    """By 1e-7, which a unit prior and a noise of 1e-7 show."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal(30)
    X = np.column_stack([x, x + 1e-7 * rng.standard_normal(30)])
    problem = br.Problem(
        X, x + 1e-7 * rng.standard_normal(30), likelihood=br.Gaussian(1e-7), prior=br.Normal(1.0)
    )
    beta, exact = drawn(problem), br.posterior_moments(problem)
    for j in range(2):
        z = (beta[..., j] - exact.mean[j]) / exact.sd[j]
        assert_mean(z, 0.0)
        assert_mean(z**2, 1.0)


def test_what_no_arithmetic_tells_apart_is_refused() -> None:
    """A prior 14 digits wider than the noise, on equal columns."""
    X, y = equal_columns()
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Normal(1e14))
    with pytest.raises(SamplingFailed, match="give the prior a smaller scale"):
        drawn(problem, 10)
    healthy = br.Problem(X[:, 1:], y, likelihood=br.Gaussian(1.0), prior=br.Normal(1e14))
    exact = np.linalg.lstsq(np.column_stack([np.ones(30), X[:, 1:]]), y)[0]
    assert_mean(drawn(healthy)[..., 0], float(exact[1]))


# --------------------------------------------------------------------------- unlike units


def test_chains_do_not_agree_on_a_minor_mode_of_a_shared_scale() -> None:
    """Columns 16 orders of magnitude apart: where chains are stuck, R-hat says so."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((30, 2)) * [1e-8, 1e8]
    y = 1e4 * X[:, 0] / X[:, 0].std() + rng.standard_normal(30)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(br.HalfCauchy(1.0)),
        prior=br.Normal(br.HalfCauchy(1e4), factor=[1.0, 1e-8]),
    )  # fmt: skip
    for seed in range(5):
        tree: Any = br.sample(problem, "gibbs", draws=300, tune=300, chains=4, seed=seed)
        sigma = tree.posterior["sigma"].to_numpy().mean(axis=1)
        assert (sigma < 2.0).any()
        agreed = bool((sigma < 2.0).all())
        assert bool(br.diagnose(tree).ok) == agreed or agreed
