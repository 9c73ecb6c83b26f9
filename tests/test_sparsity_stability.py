"""Stability selection: its bounds, and what is among the first to enter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bayesreg as br
from bayesreg.errors import InputError
from bayesreg.sparsity import pair_bound, unimodal_bound


def simulated(n: int = 50, p: int = 12, *, likelihood: Any = None, seed: int = 0) -> br.Problem:
    """Two signals among p columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    eta = 1.5 * X[:, 0] - 1.5 * X[:, 4]
    if likelihood is None:
        y = eta + rng.standard_normal(n)
    elif likelihood.name == "poisson":
        y = rng.poisson(np.exp(0.5 * eta)).astype(float)
    else:
        y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    return br.Problem(X, y, likelihood=likelihood or br.Gaussian(1.0), prior=br.Flat())


def test_the_bounds_are_the_published_ones() -> None:
    """``q²/(p(2π − 1))``; the constants of Shah and Samworth's theorem 2 on both sides of 3/4."""
    assert pair_bound(20, 200, 0.6) == pytest.approx(20**2 / (200 * 0.2))
    assert unimodal_bound(10, 1000, 0.6, 50) == pytest.approx(0.1 / (2 * (0.2 - 0.01)))
    assert unimodal_bound(10, 1000, 0.9, 50) == pytest.approx(0.1 * 4 * (0.1 + 0.01) / 1.02)
    assert unimodal_bound(10, 1000, 1.0, 50) == pytest.approx(0.1 * 4 * 0.01 / 1.02)
    # Where the theorem does not hold, or says less, the other bound stands.
    assert unimodal_bound(70, 100, 0.9, 50) == pair_bound(70, 100, 0.9)
    assert unimodal_bound(1, 1000, 0.5 + 1e-9, 50) == pair_bound(1, 1000, 0.5 + 1e-9)


@pytest.mark.parametrize(("q", "p"), [(1, 10), (5, 50), (30, 60), (60, 60)])
def test_the_unimodal_bound_is_never_worse(q: int, p: int) -> None:
    """It assumes more."""
    for threshold in np.linspace(0.51, 1.0, 50):
        assert 0 < unimodal_bound(q, p, threshold, 50) <= pair_bound(q, p, threshold)


def test_q_is_the_largest_that_attains_the_wanted_bound() -> None:
    """``q = ⌊√(false (2π − 1) p)⌋``."""
    found = br.sparsity.stability_selection(simulated(p=32), false=4.0, pairs=2)
    assert (found.q, found.bound) == (8, 4.0)
    wide = br.sparsity.stability_selection(simulated(p=31), false=4.0, pairs=2)
    assert wide.q == 7
    assert pair_bound(8, 31, 0.75) > 4.0 >= wide.bound


def test_each_half_keeps_q_columns() -> None:
    """The shares add up to q, and are whole multiples of 1/(2B)."""
    found = br.sparsity.stability_selection(simulated(), q=3, pairs=10)
    assert found.share.sum() == pytest.approx(3.0)
    np.testing.assert_allclose(20 * found.share, np.rint(20 * found.share))
    assert found.share[[0, 4]].tolist() == [1.0, 1.0]
    assert found.selection.support == ("x0", "x4")


def test_what_enters_first_is_what_the_path_shows() -> None:
    """One split of twelve rows, by hand: standardise a half, walk its path, take three."""
    problem = simulated(12, 6, seed=3)
    found = br.sparsity.stability_selection(problem, q=3, pairs=1, seed=5)
    order = np.random.default_rng(5).permutation(12)
    count = np.zeros(6)
    for rows in (order[:6], order[6:]):
        half = br.Problem(problem.design.X[rows], problem.design.y[rows],
                          likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0),
                          standardize=True)  # fmt: skip
        knots = br.map_path(half, [1e6]).bends
        assert knots is not None
        entered = [j for group in knots.entered for j in group]
        count[list(dict.fromkeys(entered))[:3]] += 1
    np.testing.assert_array_equal(2 * found.share, count)


def test_order_and_units_of_the_columns_change_nothing() -> None:
    """Columns are standardised within each half, and the same seed makes the same halves."""
    problem = simulated()
    order, factor = np.random.default_rng(1).permutation(12), np.geomspace(1e-3, 1e3, 12)
    other = br.Problem(problem.design.X[:, order] * factor + 2.0, problem.design.y * 9.0 - 1.0,
                       likelihood=br.Gaussian(1.0), prior=br.Flat())  # fmt: skip
    here = br.sparsity.stability_selection(problem, pairs=8, seed=2)
    there = br.sparsity.stability_selection(other, pairs=8, seed=2)
    np.testing.assert_array_equal(here.share[order], there.share)


def test_pure_noise_is_kept_no_oftener_than_the_bound_says() -> None:
    """Exchangeable columns of noise, threshold 0.6: the mean number kept over 25 data sets."""
    kept = []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        problem = br.Problem(rng.standard_normal((24, 16)), rng.standard_normal(24),
                             likelihood=br.Gaussian(1.0), prior=br.Flat())  # fmt: skip
        found = br.sparsity.stability_selection(problem, threshold=0.6, q=4, pairs=6)
        kept.append(found.selection.size)
    error = np.std(kept) / np.sqrt(25)
    assert np.mean(kept) < pair_bound(4, 16, 0.6) + 5 * error
    assert np.mean(kept) < unimodal_bound(4, 16, 0.6, 6) + 5 * error


@pytest.mark.parametrize("likelihood", [br.Bernoulli(), br.Poisson()])
def test_other_likelihoods_find_the_signals(likelihood: Any) -> None:
    """Along a grid, the largest coefficients of the first mode with q of them."""
    problem = simulated(120, 6, likelihood=likelihood)
    found = br.sparsity.stability_selection(problem, q=2, pairs=4)
    assert found.selection.support == ("x0", "x4")
    assert found.share.sum() <= 2.0 + 1e-12


def test_weights_offset_a_missing_intercept_and_constant_columns() -> None:
    """What a design may have; a column that is constant never enters."""
    base = simulated(40, 5)
    X = np.column_stack([base.design.X, np.ones(40)])
    offset = np.linspace(0, 30, 40)
    problem = br.Problem(X, base.design.y + offset, likelihood=br.StudentTNoise(4.0, 1.0),
                         prior=br.Flat(), weights=np.linspace(1, 2, 40), offset=offset)  # fmt: skip
    found = br.sparsity.stability_selection(problem, q=2, pairs=5)
    assert found.selection.support == ("x0", "x4")
    assert found.share[5] == 0
    bare = br.Problem(base.design.X, base.design.y, likelihood=br.Gaussian(1.0), prior=br.Flat(),
                      intercept=False)  # fmt: skip
    assert br.sparsity.stability_selection(bare, q=2, pairs=5).selection.support == ("x0", "x4")
    assert "at most" in str(found)


def test_more_columns_asked_for_than_can_enter() -> None:
    """Four rows per half: no more than four columns enter, and the walk ends."""
    found = br.sparsity.stability_selection(simulated(8, 30), q=20, pairs=2)
    assert 0 < found.share.sum() < 20


BAD: list[tuple[dict[str, Any], str]] = [
    ({"threshold": 0.5}, "threshold: must lie above 1/2"),
    ({"threshold": "high"}, "threshold: must be a real number"),
    ({"false": 0.0}, "false: must be positive"),
    ({"q": 13}, "q: must be at most 12"),
    ({"pairs": 0}, "pairs: must be at least 1"),
    ({"seed": -1}, "seed: must be None"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_arguments_are_refused_in_words(options: dict[str, Any], message: str) -> None:
    """The message names the argument."""
    with pytest.raises(InputError, match=message):
        br.sparsity.stability_selection(simulated(), **options)


def test_rows_that_cannot_be_halved_are_refused() -> None:
    """Three rows; a target that is constant in every half."""
    with pytest.raises(InputError, match="too few to halve"):
        br.sparsity.stability_selection(simulated(3, 5))
    X = np.random.default_rng(0).standard_normal((10, 2))
    still = br.Problem(X, np.ones(10), likelihood=br.Gaussian(1.0), prior=br.Flat())
    with pytest.raises(InputError, match="y: is constant in one half"):
        br.sparsity.stability_selection(still)
