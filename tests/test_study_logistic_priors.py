"""Logistic regression with Laplace and Gaussian priors: the numbers of document 4, and ours."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import expit, log_expit, ndtr
from sklearn.linear_model import LogisticRegression

import bayesreg as br
import bayesreg.figures
from bayesreg.studies import logistic_priors as study
from bayesreg.studies.descent import subgradient_descent

if TYPE_CHECKING:
    from bayesreg.studies._logistic_lasso import LassoRun
    from bayesreg.studies.exhibit import Exhibit

lasso, nets = cache(study.logistic_lasso), cache(study.logistic_elastic_net)
separated, width = cache(study.separated_clouds), cache(study.wide_and_thin)
noise = cache(study.noise_columns)
RESULTS = {
    "logistic_lasso": lasso,
    "logistic_elastic_net": nets,
    "separated_clouds": separated,
    "wide_and_thin": width,
    "noise_columns": noise,
}


# --------------------------------------------------------------------------- L1: the data


def test_the_data_are_the_documents() -> None:
    """N = D = 50, uniform on (−5, 5), and y is the rounded sigmoid of a noisy predictor."""
    rows = study.make_rows(3)
    assert rows.X.shape == (50, 50)
    assert np.abs(rows.X).max() < 5
    assert np.abs(rows.X).max() > 4.99
    np.testing.assert_array_equal(study.true_weights()[:4], [1, 0.5, -0.5, 0])
    assert not study.true_weights()[3:].any()
    rng = np.random.default_rng(3)
    X = rng.uniform(-5, 5, (50, 50))
    noisy = X @ study.true_weights() + 0.5 * rng.standard_normal(50)
    np.testing.assert_array_equal(rows.y, np.round(expit(noisy)))
    np.testing.assert_array_equal(rows.start, rng.standard_normal(50) / np.sqrt(50))


def test_the_rule_of_the_data_is_a_probit_and_its_nearest_logistic_is_steeper() -> None:
    """(3.62, 1.81, −1.81), not (1, 0.5, −0.5): by a one-dimensional integral on another axis."""
    nearest = study.logistic_weights_of_the_rule()
    np.testing.assert_allclose(nearest, 3.622 * np.array([1, 0.5, -0.5]), rtol=1e-3)
    finer = study.logistic_weights_of_the_rule(32)
    np.testing.assert_allclose(nearest, finer, rtol=1e-4)
    # Along multiples c of the true weights, by a large sample instead of nodes.
    rng = np.random.default_rng(0)
    eta = rng.uniform(-5, 5, (400_000, 3)) @ np.array([1.0, 0.5, -0.5])
    chance = ndtr(2 * eta)

    def loss(c: np.ndarray) -> float:
        return float(-np.mean(chance * log_expit(c * eta) + (1 - chance) * log_expit(-c * eta)))

    best = minimize(loss, [3.0], tol=1e-10).x[0]
    assert nearest[0] == pytest.approx(best, rel=0.02)


def test_fifty_columns_separate_fifty_rows() -> None:
    """A square matrix gives any classes their signs exactly, so there is no maximum: refused."""
    rows = study.make_rows()
    signs = np.linalg.solve(rows.X, 2 * rows.y - 1)
    assert (np.sign(rows.X @ signs) == 2 * rows.y - 1).all()
    assert "separated" in lasso().refusal
    assert "no finite mode" in lasso().refusal
    assert study.refusal(rows.problem(br.Laplace(0.5))) == ""


# --------------------------------------------------------------------------- L1: the method


@pytest.fixture(params=[0, 1], ids=["lam 2", "lam 10"])
def run(request: pytest.FixtureRequest) -> LassoRun:
    """Each of the document's two penalties."""
    chosen: LassoRun = lasso().runs[request.param]
    return chosen


def test_the_penalties_are_2_and_10() -> None:
    """With Laplace scales 1/λ, 5000 steps of 0.001."""
    assert [run.lam for run in lasso().runs] == [2, 10]
    for run in lasso().runs:
        assert run.problem.prior == br.Laplace(1 / run.lam)
        assert run.descent.points.shape == (5001, 50)
        assert run.descent.step_size == 0.001


def test_the_descent_is_the_documents_loop(run: LassoRun) -> None:
    """Its code, written out: weights and the costs that it plots."""
    rows = study.make_rows()
    w, costs = rows.start, []
    for _ in range(200):
        p = expit(rows.X @ w)
        w = w - 0.001 * (rows.X.T @ (p - rows.y) + run.lam * np.sign(w))
        loss = -(rows.y * np.log(p) + (1 - rows.y) * np.log(1 - p)).mean()
        costs.append(loss + run.lam * np.abs(w).mean())
    np.testing.assert_allclose(run.descent.points[200], w, rtol=1e-9)
    np.testing.assert_allclose(run.plotted[:200], costs, rtol=1e-9)


def test_the_plotted_cost_is_a_fiftieth_of_what_is_descended_because_n_is_p(
    run: LassoRun,
) -> None:
    """Means for sums, and the loss one step late: with n = p the two differ by that lag alone."""
    penalty = run.lam * np.abs(run.descent.points).sum(axis=1)
    loss = run.descent.values - penalty
    np.testing.assert_allclose(50 * run.plotted, loss[:-1] + penalty[1:], rtol=1e-10)


def test_with_half_the_columns_the_plotted_cost_is_another_function() -> None:
    """Its minimiser is the mode at λ·n/p = 4: the mode at 2, which the steps approach, is above."""
    rows = study.make_rows(columns=25)

    def plotted(w: np.ndarray, lam: float) -> float:
        return float(rows.problem(br.Flat()).loss(w) / 50 + lam * np.abs(w).sum() / 25)

    descended = br.find_map(rows.problem(br.Laplace(1 / 2.0))).coef
    twice = br.find_map(rows.problem(br.Laplace(1 / 4.0))).coef
    assert plotted(twice, 2.0) < plotted(descended, 2.0) - 0.01
    rng = np.random.default_rng(0)
    for _ in range(100):
        assert plotted(twice, 2.0) < plotted(twice + 1e-2 * rng.standard_normal(25), 2.0)
    problem = rows.problem(br.Laplace(1 / 2.0))
    run = subgradient_descent(problem, start=rows.start, step_size=0.001, most=50)
    costs = study.plotted_cost(run)
    at = run.points[20]
    expected = problem.loss(run.points[19]) / 50 + 2.0 * np.abs(at).sum() / 25
    assert costs[19] == pytest.approx(expected, rel=1e-12)


def test_the_mode_is_certified_and_agrees_with_a_peer(run: LassoRun) -> None:
    """30 and 45 exact zeros of 50; scikit-learn's C is 1/λ."""
    certificate = br.certify(run.problem, run.mode.coef)
    assert certificate.optimal
    assert (run.mode.coef == 0).sum() == {2.0: 30, 10.0: 45}[run.lam]
    rows = study.make_rows()
    peer = LogisticRegression(
        C=1 / run.lam, l1_ratio=1.0, solver="saga", fit_intercept=False, tol=1e-9, max_iter=20_000
    ).fit(rows.X, rows.y)
    np.testing.assert_allclose(run.mode.coef, peer.coef_[0], atol=1e-4)


def test_the_method_has_no_zero_and_never_reaches_the_minimum(run: LassoRun) -> None:
    """It hovers 0.05 and 1.8 nats above it from step 1000 on, its would-be zeros within 0.02."""
    assert (run.descent.points[1:] != 0).all()
    assert not run.descent.stands
    late = run.excess[1000:]
    low, high = {2.0: (0.02, 0.08), 10.0: (1.0, 2.7)}[run.lam]
    assert low < late.min() < late.max() < high
    assert late.mean() == pytest.approx({2.0: 0.047, 10.0: 1.82}[run.lam], rel=0.04)
    assert np.diff(late).max() > 0
    zeros = run.mode.coef == 0
    assert 0 < np.abs(run.last[zeros]).max() < 0.02
    assert np.abs(run.last - run.mode.coef).max() < 0.03


def test_the_level_of_the_hovering_is_set_by_the_step() -> None:
    """A tenth of the step, a tenth of the excess or so: it is the method, not the data."""
    run = lasso().runs[0]
    shorter = subgradient_descent(run.problem, start=run.last, step_size=1e-4, most=2000)
    late = shorter.values[-500:].mean() - run.lowest
    assert 0.05 < late / run.excess[-500:].mean() < 0.2


def test_larger_lam_is_nearer_to_0() -> None:
    """As the document sees: every true weight is shrunk more, (1, 0.5, −0.5) is not recovered."""
    two, ten = (run.mode.coef for run in lasso().runs)
    assert (np.abs(ten[:3]) < np.abs(two[:3])).all()
    np.testing.assert_allclose(two[:3], [1.170, 0.422, -0.340], atol=1e-3)
    np.testing.assert_allclose(ten[:3], [0.562, 0.112, -0.147], atol=1e-3)


def test_no_draw_is_0_and_the_mode_is_far_from_the_draws() -> None:
    """With λ = 2 the mode of the first weight, 1.17, is below 95 % of the draws, mean over 4."""
    two, ten = lasso().runs
    for run in (two, ten):
        assert (run.draws != 0).all()
        assert run.draws.shape == (1000, 50)
    assert two.interval[0, 0] > 2.3
    assert two.mode.coef[0] < 1.2
    assert two.mean[0] == pytest.approx(4.3, abs=0.6)
    assert two.mean[0] / two.draws[:, 0].std() > 3


# --------------------------------------------------------------------------- elastic net


def test_the_three_penalties_are_priors() -> None:
    """``λ₁|w| + λ₂w²``, up to the constant; variance 1/(2λ₂) and 2/λ₁²."""
    result = nets()
    w = result.grid
    penalties = {"ridge": 2 * w**2, "lasso": 2 * np.abs(w), "elastic net": 2 * w**2 + 2 * np.abs(w)}
    for one in (result.ridge, result.lasso, result.both):
        rest = one.log_density + penalties[one.name]
        np.testing.assert_allclose(rest, rest[0], rtol=1e-10)
        density = lambda x, p=one.problem.prior: math.exp(p.log_density(np.array([x])))  # noqa: E731
        total = quad(density, -12, 12, points=[0.0])[0]
        second = quad(lambda x, d=density: x**2 * d(x), -12, 12, points=[0.0])[0]
        assert total == pytest.approx(1.0, rel=1e-8)
        assert one.sd == pytest.approx(math.sqrt(second), rel=1e-7)
    assert result.ridge.sd**2 == pytest.approx(1 / (2 * result.lam2))
    assert result.lasso.sd**2 == pytest.approx(2 / result.lam1**2)


def test_zeros_come_from_l1() -> None:
    """None with ridge, 30 with the lasso, 27 with both: less is left for λ₁ to hold at 0."""
    result = nets()
    counts = [(one.mode.coef == 0).sum() for one in (result.ridge, result.lasso, result.both)]
    assert counts == [0, 30, 27]
    for one in (result.ridge, result.lasso, result.both):
        assert one.mode.certificate.optimal
        assert br.certify(one.problem, one.mode.coef).optimal
    assert result.counts[0] == 20
    assert result.counts[-1] == 36
    assert np.linalg.norm(result.both.mode.coef) < np.linalg.norm(result.lasso.mode.coef)


# --------------------------------------------------------------------------- L2: one point


def test_the_documents_values_of_one_point() -> None:
    """σ(8) = 0.99966; log likelihoods −0.0003, −0.127 (not −0.12) and −2.1·10⁻⁹."""
    assert round(float(expit(8)), 5) == 0.99966
    point = study.one_point()
    values = {t: -point.loss(np.array([0.0, t, t])) for t in (4.0, 1.0, 10.0)}
    for t, value in values.items():
        assert value == pytest.approx(float(log_expit(2 * t)), rel=1e-12)
    assert round(values[4.0], 4) == -0.0003
    assert round(values[1.0], 3) == -0.127
    assert round(values[1.0], 2) == -0.13
    assert f"{values[10.0]:.1e}" == "-2.1e-09"


def test_all_three_weights_have_one_border() -> None:
    """``x₂ = −x₁``; σ is 1/2 on it for each."""
    for t in (1.0, 4.0, 10.0):
        assert expit(t * 3.0 + t * -3.0) == 0.5


def test_bayes_weights_are_0_4_4() -> None:
    """``Σ⁻¹(μ₁ − μ₀)``, and the maximum of the expected likelihood: not at infinity."""
    difference = np.linalg.solve(np.eye(2), np.array([2.0, 2.0]) - np.array([-2.0, -2.0]))
    np.testing.assert_array_equal(difference, [4, 4])
    assert separated().best_endless == pytest.approx(4.0, rel=1e-9)
    assert study.endless_problem().loss(np.array([0.0, 4.0, 4.0])) == pytest.approx(
        quad(lambda s: -log_expit(4 * s) * math.exp(-((s - 4) ** 2) / 4), -15, 25)[0]
        / math.sqrt(4 * math.pi),
        rel=1e-8,
    )


def test_many_points_are_not_separated_and_give_bayes_weights() -> None:
    """20,000 of each cloud: a finite maximum near (0, 4, 4), without a prior."""
    X, y, _ = study.clouds(1, 20_000)
    fit = br.find_map(study.clouds_problem(X, y, br.Flat()))
    np.testing.assert_allclose(fit.coef, [0, 4, 4], atol=0.4)


# --------------------------------------------------------------------------- L2: the clouds


def test_without_a_prior_there_is_no_finite_maximum_and_the_library_says_so() -> None:
    """The loss falls along the separating direction towards 0."""
    result = separated()
    assert "separated" in result.refusal
    assert "no finite mode exists" in result.refusal
    flat = study.clouds_problem(result.X, result.y, br.Flat())
    losses = [flat.loss(t * result.mode.coef) for t in (1.0, 2.0, 4.0, 8.0, 16.0)]
    assert (np.diff(losses) < 0).all()
    assert losses[-1] < 1e-6


def test_a_sample_of_this_size_is_separated_more_often_than_not() -> None:
    """In at least 18 of 20; with 2000 points of each cloud in none."""
    said = [study.refusal(_flat(seed, 50)) != "" for seed in range(20)]
    assert sum(said) >= 18
    assert not any(study.refusal(_flat(seed, 2000)) for seed in range(3))


def _flat(seed: int, points: int) -> br.Problem:
    X, y, _ = study.clouds(seed, points)
    return study.clouds_problem(X, y, br.Flat())


def test_the_mode_with_a_tenth() -> None:
    """(0.035, 3.103, 2.383), as scikit-learn with C = 10 finds it."""
    result = separated()
    peer = LogisticRegression(C=10.0, fit_intercept=False, tol=1e-12, max_iter=10_000)
    peer.fit(result.X, result.y)
    np.testing.assert_allclose(result.mode.coef, peer.coef_[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(result.mode.coef, [0.0354, 3.1029, 2.3828], atol=1e-4)
    assert result.mode.certificate.optimal


def test_the_prior_variance_is_one_over_lam() -> None:
    """And λ is the precision; the mode grows without bound as it falls."""
    for lam in (0.1, 1.0, 7.0):
        prior = study.precision_prior(lam)
        assert prior.moments(1)[1][0] == pytest.approx(1 / lam)
        assert prior.penalty(2).value(np.array([3.0, 4.0])) == pytest.approx(lam * 25 / 2)
    result = separated()
    sizes = np.linalg.norm(result.modes, axis=1)
    assert (np.diff(sizes) > 0).all()
    assert sizes[-1] > 20
    sd = np.sqrt(result.variances)
    assert sizes[0] / sd[0] > 1
    assert sizes[-1] / sd[-1] < 0.1


def test_along_the_diagonal_the_posterior_has_a_minimum() -> None:
    """At t = 2.72; the sample's loss goes on falling."""
    result = separated()
    assert result.best_penalised == pytest.approx(2.717, abs=1e-3)
    lowest = result.sizes[np.argmin(result.penalised)]
    assert abs(lowest - result.best_penalised) <= 0.05
    assert abs(result.sizes[np.argmin(result.endless)] - 4.0) <= 0.05
    assert (np.diff(result.sample) < 0).all()
    assert (np.diff(result.point) < 0).all()


def test_the_documents_loop_of_100_steps() -> None:
    """Written out: ``w += 0.1 (X'(T − Y) − 0.1 w)``, the bias shrunk like the rest."""
    result = separated()
    X, y, w = study.clouds()
    for _ in range(100):
        w = w + 0.1 * (X.T @ (y - expit(X @ w)) - 0.1 * w)
    np.testing.assert_allclose(result.document.points[-1], w, rtol=1e-9)


def test_the_documents_100_steps_do_not_reach_the_mode() -> None:
    """(−0.03, 6.81, 6.36) and not (0.04, 3.10, 2.38); 18 and 17 without the penalty."""
    result = separated()
    np.testing.assert_allclose(result.document.points[-1], [-0.034, 6.812, 6.359], atol=1e-3)
    np.testing.assert_allclose(result.document.points[1, 1:], [18.4, 17.2], atol=1.5)
    np.testing.assert_allclose(result.plain.points[-1], [-0.354, 18.110, 17.272], atol=1e-3)
    assert result.objective[-1] > 2 * result.document.problem.penalised(result.mode.coef)


def test_the_cost_that_it_prints_rises_while_the_one_it_descends_falls() -> None:
    """It prints the cross-entropy without the penalty."""
    result = separated()
    assert (np.diff(result.objective[1:]) < 0).all()
    assert (np.diff(result.printed[1:]) > 0).all()
    penalty = 0.05 * (result.document.points**2).sum(axis=1)
    np.testing.assert_allclose(result.objective, result.printed + penalty, rtol=1e-10)


def test_the_posterior_of_the_clouds() -> None:
    """Its mean is beyond the mode in size; every draw is finite."""
    result = separated()
    assert np.isfinite(result.draws).all()
    assert np.linalg.norm(result.draws.mean(axis=0)) > np.linalg.norm(result.mode.coef)


# --------------------------------------------------------------------------- wide and thin


def test_wide_against_thin() -> None:
    """20 of 50 weights with 50 rows; 46 with 1000 and the same λ; 4 with the same λ per row."""
    result = width()
    counts = [len(shape.mode.support) for shape in (result.wide, result.thin, result.scaled)]
    assert counts == [20, 46, 4]
    assert result.scaled.lam / result.scaled.rows == result.wide.lam / result.wide.rows
    for shape in (result.wide, result.thin, result.scaled):
        assert shape.mode.certificate.optimal
        assert {"x0", "x1", "x2"} <= set(shape.mode.support)
    np.testing.assert_allclose(result.thin.mode.coef[:3], [4.12, 2.15, -2.02], atol=0.01)
    # More rows, narrower posterior: on the noise, by far.
    spans = [np.diff(s.interval, axis=0)[0, 3:].mean() for s in (result.wide, result.thin)]
    assert spans[0] > 3 * spans[1]


def test_noise_columns_raise_the_training_score() -> None:
    """Always without a prior: a larger space has no smaller maximum. Here to separation, or 50."""
    result = noise()
    for scores in result.scores:
        for one in scores:
            known = one.training[np.isfinite(one.training)]
            assert known[-1] > known[0]
        assert (np.diff(scores[0].training[np.isfinite(scores[0].training)]) >= -1e-12).all()


def test_noise_columns_lower_the_score_on_new_rows() -> None:
    """For every prior, wide and thin; Laplace loses less than Normal, and both less than none."""
    result = noise()
    for scores in result.scores:
        for one in scores:
            known = one.fresh[np.isfinite(one.fresh)]
            assert known[-1] < known[0]
    flat, laplace, normal = (
        [s.fresh[-1] for s in each] for each in zip(*result.scores, strict=True)
    )
    assert all(a > b for a, b in zip(laplace, normal, strict=True))
    assert normal[1] > flat[1]
    assert laplace[0] == pytest.approx(-0.270, abs=1e-3)
    assert normal[0] == pytest.approx(-0.613, abs=1e-3)


def test_five_columns_of_noise_separate_fifty_rows() -> None:
    """Three columns that matter and four of noise do not; a thousand rows stay mixed."""
    assert noise().separated == (5, None)
    rows = study.make_rows()
    assert study.refusal(rows.problem(br.Flat(), 7)) == ""
    assert "separated" in study.refusal(rows.problem(br.Flat(), 8))


# --------------------------------------------------------------------------- figures


@pytest.mark.parametrize("exhibit", study.EXHIBITS, ids=lambda e: e.name)
def test_each_exhibit_draws_itself(exhibit: Exhibit) -> None:
    """With a heading, labels and one legend, in large enough letters."""
    figure = getattr(bayesreg.figures, exhibit.name)(RESULTS[exhibit.compute.__name__]())
    assert isinstance(figure, Figure)
    assert exhibit.document == 4
    assert figure.get_suptitle()
    assert len(figure.legends) == 1
    sizes = [float(text.get_fontsize()) for axes in figure.axes for text in axes.texts]
    assert min(sizes, default=9.0) >= 9
    assert all(axes.get_title(loc="left") for axes in figure.axes)


def test_the_figure_of_the_descent_counts_zeros() -> None:
    """Those of the mode, and none of the method."""
    figure = br.figures.logistic_descent(lasso())
    words = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert "30 exact zeros" in words
    assert "45 exact zeros" in words
    assert len(figure.axes) == 6


def test_the_figure_of_the_clouds_says_the_documents_numbers() -> None:
    """As it prints them, 0.127 corrected."""
    figure = br.figures.separated_clouds(separated())
    words = [text.get_text() for text in figure.axes[1].texts]
    assert words == ["0.127", "0.0003", "2.1·10⁻⁹"]


def test_the_figures_of_weights_show_zeros_hollow() -> None:
    """As many hollow diamonds as exact zeros."""
    figure = br.figures.logistic_weights(lasso())
    for row, run in zip((figure.axes[:2], figure.axes[2:]), lasso().runs, strict=True):
        hollow = [
            np.asarray(line.get_xdata()).size
            for axes in row
            for line in axes.get_lines()
            if line.get_marker() == "D" and line.get_markerfacecolor() == "white"
        ]
        assert sum(hollow) == (run.mode.coef == 0).sum()
