"""Rules that look at one coefficient at a time, against closed forms; and all rules together."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

import bayesreg as br
from bayesreg.errors import DegenerateMode, InputError
from tests.sparsity_draws import tree_of

if TYPE_CHECKING:
    from bayesreg._validation import Vector

Y = np.array([3.0, -0.4, 1.5, 0.1, -2.5])


def means(prior: br.priors.Prior, sigma: float = 1.0, **options: Any) -> br.Problem:
    """Five observations, each of a coefficient of its own."""
    return br.Problem(
        np.eye(5), Y, likelihood=br.Gaussian(sigma), prior=prior, intercept=False, **options
    )


# --------------------------------------------------------------------------- zeros of the mode


@pytest.mark.parametrize("b", [0.3, 0.5, 1.0, 2.0])
def test_the_mode_keeps_what_soft_thresholding_keeps(b: float) -> None:
    """One observation each: zero where ``|y| <= σ²/b``."""
    found = br.sparsity.mode_zeros(means(br.Laplace(b)))
    expected = np.maximum(np.abs(Y) - 1 / b, 0.0)
    assert found.selected.tolist() == (expected > 0).tolist()
    np.testing.assert_allclose(found.value, expected * np.eye(5).std(axis=0), atol=1e-12)


def test_the_mode_is_conditional_on_medians_of_the_draws() -> None:
    """An unknown scale is set to its posterior median, or to what is given."""
    problem = means(br.Laplace(br.HalfCauchy(1.0)))
    draws = tree_of(problem, np.ones((3, 5)), scale=np.array([0.4, 0.5, 9.0]))
    by_draws = br.sparsity.mode_zeros(problem, draws)
    assert by_draws.support == br.sparsity.mode_zeros(means(br.Laplace(0.5))).support
    given = br.sparsity.mode_zeros(problem, draws, given={"scale": 9.0})
    assert given.size > by_draws.size
    with pytest.raises(InputError, match="needed to set the unknown scale"):
        br.sparsity.mode_zeros(problem)


def test_a_prior_without_a_mode_is_refused() -> None:
    """A horseshoe is infinite at 0."""
    with pytest.raises(DegenerateMode):
        br.sparsity.mode_zeros(means(br.Horseshoe(1.0)))


# --------------------------------------------------------------------------- draws near zero


def test_the_probability_of_being_near_zero_is_that_of_the_normal_posterior() -> None:
    """Closed form; independent draws, within six standard errors."""
    problem = means(br.Normal(2.0))
    draws = br.sample(problem, draws=2500, seed=3, progress=False)
    epsilon = np.array([0.5, 0.2, 1.0, 0.3, 0.1])
    found = br.sparsity.not_near_zero(problem, draws, epsilon, unit="coefficient")
    posterior = stats.norm(0.8 * Y, np.sqrt(0.8))
    near = posterior.cdf(epsilon) - posterior.cdf(-epsilon)
    assert (np.abs(found.value - (1 - near)) < 6 * np.sqrt(near * (1 - near) / 10_000)).all()
    assert found.selected.tolist() == (found.value > 0.5).tolist()


def _scaled(seed: int = 0) -> tuple[br.Problem, br.Problem, Vector, Any, Any]:
    """A problem, and the same in other units of its columns, with the same draws."""
    rng = np.random.default_rng(seed)
    X, factor = rng.standard_normal((30, 4)), np.array([1e-3, 1.0, 7.0, 250.0])
    y = X @ np.array([1.0, 0.3, 0.0, -0.1]) + 0.5 * rng.standard_normal(30)
    one = br.Problem(X, y, likelihood=br.Gaussian(0.5), prior=br.Normal(1.0))
    other = br.Problem(X * factor, y, likelihood=br.Gaussian(0.5), prior=br.Normal(1.0 / factor))
    beta = np.array([1.0, 0.3, 0.0, -0.1]) + 0.1 * rng.standard_normal((400, 4))
    level = np.zeros(400)
    return (
        one,
        other,
        factor,
        tree_of(one, beta, intercept=level),
        tree_of(other, beta / factor, intercept=level),
    )


@pytest.mark.parametrize("unit", ["prediction", "column"])
def test_units_of_a_column_change_nothing(unit: Any) -> None:
    """Closeness on the scale of the prediction moves with the column; on its own scale it stays."""
    one, other, factor, draws, scaled = _scaled()
    here = br.sparsity.not_near_zero(one, draws, 0.2, unit=unit)
    there = br.sparsity.not_near_zero(other, scaled, 0.2, unit=unit)
    np.testing.assert_array_equal(here.value, there.value)
    own = br.sparsity.not_near_zero(one, draws, 0.2, unit="coefficient")
    moved = br.sparsity.not_near_zero(other, scaled, 0.2 / factor, unit="coefficient")
    np.testing.assert_array_equal(own.value, moved.value)


def test_closeness_is_that_of_the_comparison() -> None:
    """One rule in one place: ``ε sd(y)/sd(x)``."""
    one, _, _, draws, _ = _scaled()
    comparison = br.compare(one, [], seed=0, draws=50, chains=2)
    spread = one.design.column_sd
    np.testing.assert_allclose(comparison.posterior.epsilon, 0.05 * one.design.y.std() / spread)
    beta = np.asarray(draws["posterior"]["beta"]).reshape(-1, 4)
    far = (np.abs(beta) >= comparison.posterior.epsilon).mean(axis=0)
    np.testing.assert_allclose(br.sparsity.not_near_zero(one, draws).value, far, rtol=1e-14)


# --------------------------------------------------------------------------- inclusion


def test_inclusion_probabilities_have_a_closed_form_on_orthogonal_columns() -> None:
    """``π N(y; 0, σ² + τ²)`` against ``(1 − π) N(y; 0, σ²)``."""
    problem = means(br.SpikeSlab(0.3, 2.0))
    draws = br.sample(problem, draws=2500, seed=5, progress=False)
    slab, spike = stats.norm(0, np.sqrt(5.0)).pdf(Y), stats.norm(0, 1).pdf(Y)
    exact = 0.3 * slab / (0.3 * slab + 0.7 * spike)
    found = br.sparsity.inclusion(problem, draws)
    assert (np.abs(found.value - exact) < 6 * np.sqrt(exact * (1 - exact) / 5000)).all()
    assert found.selected.tolist() == (exact > 0.5).tolist()


def test_inclusion_probabilities_need_a_spike() -> None:
    """Elsewhere each of them is 1; in a block of several priors one spike suffices."""
    problem = means(br.Normal(1.0))
    with pytest.raises(InputError, match="gives exact zeros no probability"):
        br.sparsity.inclusion(problem, tree_of(problem, np.ones((3, 5))))
    parts: Any = [(br.SpikeSlab(0.5, 1.0), [0, 1]), (br.Normal(1.0), [2, 3, 4])]
    mixed = means(parts)
    beta = np.ones((4, 5))
    beta[:3, 0] = 0.0
    found = br.sparsity.inclusion(mixed, tree_of(mixed, beta))
    assert found.value.tolist() == [0.25, 1.0, 1.0, 1.0, 1.0]


# --------------------------------------------------------------------------- intervals


def test_credible_intervals_are_quantiles_of_the_draws() -> None:
    """Kept where both ends have one sign; the value is the widest interval of one sign."""
    problem = means(br.Normal(1.0))
    grid = np.linspace(-1, 1, 1001)
    beta = np.column_stack([grid + shift for shift in (2.0, 0.95, 0.85, 0.0, -0.85)])
    found = br.sparsity.credible_intervals(problem, tree_of(problem, beta), level=0.9)
    assert found.selected.tolist() == [True, True, False, False, False]
    np.testing.assert_allclose(found.value, [1.0, 0.95, 0.85, 0.0, 0.85], atol=2e-3)


# --------------------------------------------------------------------------- all together


def test_the_summary_holds_what_the_rules_say() -> None:
    """Each by its name; those that do not apply with the reason."""
    problem = means(br.Laplace(0.7))
    draws = br.sample(problem, draws=250, seed=1, progress=False)
    table = br.sparsity.summarise(problem, draws, stability=True)
    assert table["zeros of the mode"].support == br.sparsity.mode_zeros(problem).support
    assert table["decoupled"].support == br.sparsity.decoupled(problem, draws).selection.support
    assert set(table.refusals) == {"inclusion"}
    frame = table.to_frame()
    assert list(frame.columns) == ["method", "coefficient", "value", "selected"]
    assert len(frame) == 5 * len(table.selections) == 5 * 6
    kept = frame[frame["selected"]].groupby("coefficient").size()
    assert [kept.get(name, 0) for name in problem.names] == table.votes.tolist()
    text = str(table)
    assert text.splitlines()[1].startswith("x0")
    assert "not inclusion: prior: Laplace" in text
    assert "effective number of coefficients" in text
    level = inspect.signature(br.compare).parameters["level"].default
    assert text.count(f"{100 * level:.3g} % interval") == 2  # as a comparison has them
    with pytest.raises(InputError, match="no answer of 'inclusion': prior: Laplace"):
        table["inclusion"]


def test_the_summary_of_a_spike_and_slab_and_of_a_ball() -> None:
    """Without a mode, and without local scales, the other rules answer."""
    spiked = means(br.SpikeSlab(0.3, 2.0))
    table = br.sparsity.summarise(spiked, br.sample(spiked, draws=100, seed=0, progress=False))
    assert set(table.refusals) == {"zeros of the mode"}
    assert table.shrinkage is not None
    ball = means(br.LInfinity(1.0))
    beta = np.random.default_rng(0).normal(Y, 0.3, (200, 5))
    table = br.sparsity.summarise(ball, tree_of(ball, beta))
    assert set(table.refusals) == {"inclusion", "shrinkage"}
    assert table.shrinkage is None


BAD: list[tuple[dict[str, Any], str]] = [
    ({"epsilon": -1.0}, "epsilon: must be positive"),
    ({"epsilon": np.inf}, "epsilon: must be finite"),
    ({"epsilon": [0.1, 0.2]}, "epsilon: has 2 entries, but the problem has 5 columns"),
    ({"unit": "yard"}, "unit: 'yard' is not known"),
    ({"probability": 1.5}, "probability: must lie strictly between 0 and 1"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_arguments_are_refused_in_words(options: dict[str, Any], message: str) -> None:
    """The message names the argument."""
    problem = means(br.Normal(1.0))
    with pytest.raises(InputError, match=message):
        br.sparsity.not_near_zero(problem, tree_of(problem, np.ones((3, 5))), **options)


def test_draws_of_something_else_are_refused() -> None:
    """No tree, too few columns, other names, an unknown that was not drawn, NaN."""
    problem = means(br.Normal(1.0))
    named = means(br.Normal(1.0), names=["a", "b", "c", "d", "e"])
    good = tree_of(problem, np.ones((3, 5)))
    unknown = br.Problem(np.eye(5), Y, likelihood=br.Gaussian(br.HalfCauchy(1.0)),
                         prior=br.Normal(1.0), intercept=False)  # fmt: skip
    wide = br.Problem(np.ones((5, 6)), Y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    for asked, draws, message in (
        (problem, {"beta": 1}, "draws: must be what bayesreg.sample returns"),
        (wide, good, "hold 5 coefficients, but the problem has 6"),
        (named, good, "are of column 'x0' where the problem has 'a'"),
        (unknown, good, "have no 'sigma'"),
        (problem, tree_of(problem, np.full((3, 5), np.nan)), "that are not finite"),
        ("problem", good, "must be a bayesreg Problem"),
    ):
        with pytest.raises(InputError, match=message):
            br.sparsity.summarise(asked, draws)
