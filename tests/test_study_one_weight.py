"""One weight: every number of document 2 against its closed form, and what its figures hold."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.stats import norm, truncnorm

import bayesreg as br
from bayesreg.studies import one_weight as study

if TYPE_CHECKING:
    from bayesreg.studies.exhibit import Exhibit

X = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
one_weight = cache(study.one_weight)
densities, descents = cache(study.one_weight_densities), cache(study.one_weight_descent)
M = 2.0  # mean of x²


# --------------------------------------------------------------------------- the curves


def test_the_loss_is_the_mean_squared_error_and_0_at_one_half() -> None:
    """Nats are its units, because the noise variance is n/2."""
    result = one_weight()
    expected = [np.mean((0.5 * X - w * X) ** 2) for w in result.weights]
    np.testing.assert_allclose(result.loss, expected, rtol=1e-12, atol=1e-15)
    assert result.unpenalised == pytest.approx(0.5, abs=1e-15)


def test_the_penalties_are_lam_times_size_and_square() -> None:
    """And each sum is loss plus penalty."""
    result = study.one_weight(lam=1.7)
    w = result.weights
    np.testing.assert_allclose(result.lasso.penalty, 1.7 * np.abs(w), rtol=1e-13)
    np.testing.assert_allclose(result.ridge.penalty, 1.7 * w**2, rtol=1e-13)
    for one in (result.lasso, result.ridge):
        np.testing.assert_allclose(one.total, result.loss + one.penalty, rtol=1e-12)
        assert one.lowest <= one.total.min()


def test_l1_is_exactly_0_and_l2_between_0_and_one_half_for_the_same_lam() -> None:
    """The document's claim, at the λ of the figure; both minima certified."""
    result = one_weight()
    assert result.lasso.mode == 0.0
    assert result.ridge.mode == pytest.approx(0.5 * M / (M + 3.0), rel=1e-12)
    assert 0 < result.ridge.mode < 0.5
    assert result.lasso.certificate.optimal
    assert result.ridge.certificate.optimal


def test_minima_along_the_sweep_have_their_closed_forms() -> None:
    """L1: a straight line to 0; L2: a hyperbola that never is."""
    result = one_weight()
    lasso = np.maximum(0.5 - result.lams / (2 * M), 0.0)
    np.testing.assert_allclose(result.lasso.sweep, lasso, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(result.ridge.sweep, 0.5 * M / (M + result.lams), rtol=1e-10)
    assert (result.lasso.sweep[result.lams >= result.critical] == 0).all()
    assert (result.ridge.sweep > 0).all()


def test_the_critical_lam_is_twice_the_mean_of_xy() -> None:
    """2 here: the slope of the mean squared error at 0, and the first knot of the exact path."""
    result = one_weight()
    assert result.critical == pytest.approx(2 * np.mean(X * 0.5 * X), rel=1e-14)
    knots = br.map_path(result.lasso.problem, [1.0]).knots
    assert knots is not None
    np.testing.assert_allclose(knots, [result.critical], rtol=1e-12)


def test_in_nats_the_critical_scale_is_sigma_squared_over_xy() -> None:
    """With any noise sd: the mode is 0 from the scale ``σ²/|x'y|`` downwards."""
    sigma, scale = 0.7, 0.7**2 / 5.0
    for factor, zero in ((1 - 1e-9, True), (1 + 1e-6, False)):
        problem = br.Problem(
            X[:, None],
            0.5 * X,
            likelihood=br.Gaussian(sigma),
            prior=br.Laplace(factor * scale),
            intercept=False,
        )
        assert bool(br.find_map(problem).coef[0] == 0) is zero


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=6), st.floats(0.2, 3), st.integers(0, 99))
def test_the_critical_lam_of_any_data_separates_zero_from_not(
    x: list[float], sigma: float, seed: int
) -> None:
    """For several weights too: the largest correlation decides."""
    columns = np.column_stack([x, np.random.default_rng(seed).normal(size=len(x))])
    y = np.random.default_rng(seed + 1).normal(size=len(x))
    problem = br.Problem(
        columns, y, likelihood=br.Gaussian(sigma), prior=br.Laplace(1.0), intercept=False
    )
    lam = study.critical_lam(problem)
    assert lam == pytest.approx(np.abs(columns.T @ y).max() / sigma**2, rel=1e-9)
    above, below = (br.find_map(problem.with_prior(br.Laplace(f / lam))).coef for f in (0.99, 1.01))
    assert (above == 0).all()
    assert (below != 0).any()


# --------------------------------------------------------------------------- densities


def test_the_posterior_is_likelihood_times_prior() -> None:
    """Logs differ from minus the penalised loss by a constant, and densities integrate to 1."""
    result = densities()
    for reading in (result.lasso, result.ridge):
        rest = reading.posterior - reading.prior - result.likelihood
        np.testing.assert_allclose(rest, rest[0], rtol=1e-10)
        points = result.weights[:, None]
        sums = np.array([reading.problem.penalised(point) for point in points])
        np.testing.assert_allclose(np.ptp(reading.posterior + sums), 0, atol=1e-12)
    likelihood = norm(0.5, 0.5).logpdf(result.weights)
    np.testing.assert_allclose(result.likelihood, likelihood, rtol=1e-12, atol=1e-13)
    ridge = norm(0.2, math.sqrt(0.1)).logpdf(result.weights)
    np.testing.assert_allclose(result.ridge.posterior, ridge, rtol=1e-10, atol=1e-12)


def test_the_lasso_posterior_is_two_truncated_normals() -> None:
    """Mode 0, but mean and median are not; by the closed form of each half."""
    result = densities()
    sd = 0.5  # one over the root of the loss's curvature 2m = 4
    right, left = norm(0.5 - 3 / 4, sd), norm(0.5 + 3 / 4, sd)
    weight = right.sf(0) * math.exp((0.25**2 - 1.25**2) / (2 * sd**2))
    weight /= weight + left.cdf(0)
    above = truncnorm(0.25 / sd, np.inf, loc=-0.25, scale=sd)
    below = truncnorm(-np.inf, -1.25 / sd, loc=1.25, scale=sd)
    lasso = result.lasso
    assert lasso.mode == 0.0
    assert lasso.mean == pytest.approx(weight * above.mean() + (1 - weight) * below.mean())
    half = weight * above.cdf(lasso.median) + (1 - weight) * below.cdf(lasso.median)
    assert half == pytest.approx(0.5, abs=1e-9)
    inside = weight * above.pdf(result.weights) + (1 - weight) * below.pdf(result.weights)
    off = result.weights != 0  # where both halves count
    np.testing.assert_allclose(np.exp(lasso.posterior[off]), inside[off], rtol=1e-9)


def test_under_the_normal_prior_mode_mean_and_median_agree() -> None:
    """The posterior is symmetric."""
    ridge = densities().ridge
    np.testing.assert_allclose([ridge.mode, ridge.mean, ridge.median], 0.2, rtol=1e-9)


# --------------------------------------------------------------------------- descent


def test_the_l1_push_is_constant_until_the_weight_is_0_and_then_equals_the_pull() -> None:
    """λ = 3 as long as it moves; 2 at rest, which is all that the loss asks for."""
    run = descents().lasso
    w, push = run.points[:, 0], -run.pushes[:, 0]
    landing = int(np.flatnonzero(w == 0)[0])
    np.testing.assert_allclose(push[: landing - 1], 3.0, rtol=1e-10)
    assert (w[landing:] == 0).all()
    assert push[-1] == pytest.approx(2.0, rel=1e-12)
    # w − step (4 (w − 0.5) + 3) until then: towards −0.25, by 0.92 a step.
    steps = np.arange(landing)
    np.testing.assert_allclose(w[:landing], -0.25 + 1.25 * 0.92**steps, rtol=1e-10)
    assert landing == math.ceil(math.log(0.2) / math.log(0.92))


def test_the_l2_push_fades_in_proportion_to_the_weight() -> None:
    """2λw, from 6 to the 1.2 that balances the loss at w = 0.2."""
    run = descents().ridge
    push = -run.pushes[:, 0]
    np.testing.assert_allclose(push, 2 * 3.0 * run.points[:-1, 0], rtol=1e-10)
    assert (np.diff(push) <= 1e-12).all()
    assert push[0] == pytest.approx(6.0)
    # w − step (4 (w − 0.5) + 6w): towards 0.2, by 0.8 a step.
    steps = np.arange(study.STEPS + 1)
    np.testing.assert_allclose(run.points[:, 0], 0.2 + 0.8 * 0.8**steps, rtol=1e-10)


def test_the_subgradient_method_never_rests_at_0() -> None:
    """It steps over, by up to the step times the sum of pull and push."""
    result = descents()
    tail = result.subgradient.points[25:, 0]
    assert (tail != 0).all()
    assert tail.max() > 0 > tail.min()
    assert np.abs(tail).max() <= result.subgradient.step_size * (3.0 + 2.0)
    # Up to there it is ISTA: the threshold is the same push, as long as no sign changes.
    np.testing.assert_allclose(result.subgradient.points[:20], result.lasso.points[:20], rtol=1e-9)


def test_pull_and_pushes_cross_at_the_modes() -> None:
    """4 (0.5 − w) against 3 sign(w) and 6w; both pushes are 3 at the document's w = 0.5."""
    result = descents()
    np.testing.assert_allclose(result.pull, 4 * (0.5 - result.weights), atol=1e-12)
    np.testing.assert_allclose(result.ridge_push, 6 * result.weights, atol=1e-12)
    np.testing.assert_array_equal(np.abs(result.lasso_push[result.weights != 0]), 3.0)
    at = int(np.argmin(np.abs(result.weights - 0.5)))
    assert result.ridge_push[at] == pytest.approx(result.lasso_push[at])
    assert result.unpenalised.points[-1, 0] == pytest.approx(0.5, abs=5e-3)


def test_a_descent_keeps_every_iterate_and_its_objective() -> None:
    """And adds up: each move is pull plus push, times the step."""
    for run in (descents().lasso, descents().ridge):
        np.testing.assert_allclose(
            np.diff(run.points, axis=0), run.step_size * (run.pulls + run.pushes), atol=1e-15
        )
        values = [run.problem.penalised(point) for point in run.points]
        np.testing.assert_array_equal(run.values, values)
        assert (np.diff(run.values) <= 1e-15).all()


# --------------------------------------------------------------------------- figures


@pytest.mark.parametrize("exhibit", study.EXHIBITS, ids=lambda e: e.name)
def test_each_exhibit_draws_itself(exhibit: Exhibit) -> None:
    """With a heading, labelled axes and one legend, in large enough letters."""
    figure = exhibit.draw(seed=0)
    assert isinstance(figure, Figure)
    assert exhibit.document == 2
    assert figure.get_suptitle()
    assert len(figure.legends) == 1
    sizes = [float(text.get_fontsize()) for axes in figure.axes for text in axes.texts]
    assert min(sizes, default=9.0) >= 9
    for axes in figure.axes:
        assert axes.get_ylabel()
        assert axes.get_lines()


def test_the_figure_of_the_losses_marks_the_minima() -> None:
    """Diamonds at (0, 0.5) and (0.2, 0.3), and the λ from which L1 is 0."""
    result = one_weight()
    figure = br.figures.one_weight(result)
    lasso, ridge, sweep = figure.axes
    for axes, place in ((lasso, (0.0, 0.5)), (ridge, (0.2, 0.3))):
        diamonds = [line for line in axes.get_lines() if line.get_marker() == "D"]
        assert len(diamonds) == 1
        np.testing.assert_allclose(
            np.asarray(diamonds[0].get_xydata(), dtype=float), np.array([place]), atol=1e-12
        )
    assert any("0 from λ = 2" in text.get_text() for text in sweep.texts)
    assert [axes.get_title(loc="left") for axes in (lasso, ridge)] == [
        "L1: MSE + 3·|w|",
        "L2: MSE + 3·w²",
    ]


def test_the_figure_of_the_densities_has_three_curves_in_each_panel() -> None:
    """The rule at 0, three curves; below also mode, median and mean."""
    figure = br.figures.one_weight_densities(densities())
    assert [len(axes.get_lines()) for axes in figure.axes] == [4, 4, 7, 7]


def test_the_figure_of_the_descent_holds_the_last_value_of_what_stands_still() -> None:
    """ISTA's line goes on at exactly 0 to the end of the axis."""
    figure = br.figures.one_weight_descent(descents())
    path = figure.axes[1]
    ista = path.get_lines()[-1]
    x, y = (np.asarray(values) for values in ista.get_data())
    assert x[-1] == study.STEPS
    assert y[-1] == 0.0
