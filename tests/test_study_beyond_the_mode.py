"""What none of the documents shows: every number of the exhibits, against closed forms."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pymc as pm
import pytest
from matplotlib.figure import Figure
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

import bayesreg as br
from bayesreg.errors import DegenerateMode
from bayesreg.studies import beyond_the_mode as study
from bayesreg.studies._collinear import TRUTH
from bayesreg.studies._densities import QUARTILE, Quadratic, Quadrature, Surface, rivals
from bayesreg.studies._moving_mode import coin
from bayesreg.studies._summaries import one_observation, two_coefficients
from bayesreg.studies._two_modes import joint_modes, park_casella

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg.studies._collinear import CollinearColumns
    from bayesreg.studies._densities import Rival
    from bayesreg.studies._moving_mode import MovingMode
    from bayesreg.studies._sparsity import DenseDraws, ZeroDraws
    from bayesreg.studies._summaries import PosteriorSummaries, ShrinkageRules
    from bayesreg.studies._two_modes import BimodalLasso
    from bayesreg.studies.exhibit import Exhibit


@pytest.fixture(scope="module")
def summaries() -> PosteriorSummaries:
    """Four posteriors of the same two coefficients."""
    return study.posterior_summaries(seed=1)


@pytest.fixture(scope="module")
def rules() -> ShrinkageRules:
    """Five priors, one observation."""
    return study.shrinkage_rules(count=61)


@pytest.fixture(scope="module")
def zeros() -> ZeroDraws:
    """The diabetes data."""
    return study.zero_draws(seed=1, draws=500)


@pytest.fixture(scope="module")
def collinear() -> CollinearColumns:
    """Two nearly equal columns."""
    return study.collinear_columns(seed=1, draws=200, repeats=40)


@pytest.fixture(scope="module")
def bimodal() -> BimodalLasso:
    """Park and Casella's example."""
    return study.bimodal_lasso(seed=1, draws=200)


@pytest.fixture(scope="module")
def moving() -> MovingMode:
    """Log odds, odds, probability."""
    return study.moving_mode()


@pytest.fixture(scope="module")
def dense() -> DenseDraws:
    """Ten and a hundred columns."""
    return study.dense_draws(seed=1, widths=(10, 100), scales=(0.02, 0.08, 0.3), draws=200)


def rival_named(name: str, sd: float = 2.0) -> Rival:
    """One of the priors."""
    return next(rival for rival in rivals(sd) if rival.name == name)


# --------------------------------------------------------------------------- densities


@pytest.mark.parametrize("name", ["Gaussian", "Laplace"])
def test_sums_over_nodes_are_the_closed_forms(name: str) -> None:
    """Posterior means of one and of two coefficients, where a closed form is known."""
    prior = rival_named(name).prior
    for problem in (
        *(one_observation(y, rival_named(name)) for y in (0.0, 0.3, -2.0, 5.5)),
        two_coefficients().with_prior(prior),
    ):
        exact = br.posterior_moments(problem).mean
        np.testing.assert_allclose(Quadrature.of(problem).mean, exact, rtol=1e-9, atol=1e-11)


def test_the_sum_over_nodes_takes_a_logarithmic_pole() -> None:
    """The horseshoe's mean, against adaptive quadrature split at 0."""
    rival, y = rival_named("horseshoe"), 1.7

    def weight(beta: float, power: int) -> float:
        log_prior = rival.prior.log_densities(np.array([beta])).item()
        return beta**power * math.exp(log_prior - 0.5 * (y - beta) ** 2)

    upper, mass = (
        sum(quad(weight, a, b, args=(k,), epsabs=1e-12)[0] for a, b in ((-9, 0), (0, 3), (3, 14)))
        for k in (1, 0)
    )
    got = Quadrature.of(one_observation(y, rival)).mean.item()
    assert got == pytest.approx(upper / mass, rel=1e-8)


def test_the_sum_over_nodes_takes_an_atom() -> None:
    """Spike and slab: the average over which coefficients are 0, from exact evidences."""
    prior = br.SpikeSlab(0.3, 1.2)
    problem = two_coefficients().with_prior(prior)
    empty = math.exp(-two_coefficients().objective([0.0, 0.0]))
    evidence: dict[tuple[bool, ...], float] = {(False, False): 0.49 * empty}
    mean = {pattern: np.zeros(2) for pattern in product((False, True), repeat=2)}
    for pattern in list(product((False, True), repeat=2))[1:]:
        kept = np.flatnonzero(pattern)
        moments = br.posterior_moments(
            br.Problem(
                problem.design.X[:, kept],
                problem.design.y,
                likelihood=br.Gaussian(sigma=1.0),
                prior=br.Normal(1.2),
                intercept=False,
            )
        )
        assert moments.log_marginal_likelihood is not None
        weight = 0.3**kept.size * 0.7 ** (2 - kept.size)
        evidence[pattern] = weight * math.exp(moments.log_marginal_likelihood)
        mean[pattern][kept] = moments.mean
    total = sum(evidence.values())
    got = Quadrature.of(problem)
    averaged = np.sum([evidence[k] / total * mean[k] for k in mean], axis=0)
    np.testing.assert_allclose(got.mean, averaged, rtol=1e-9)
    assert got.both_zero == pytest.approx(evidence[False, False] / total, rel=1e-9)
    second = (evidence[False, False] + evidence[True, False]) / total
    assert got.marginal(1).zero == pytest.approx(second, rel=1e-9)


def test_a_gaussian_loss_is_its_parabola() -> None:
    """Loss at any point, from its value and gradients at 0 and 1."""
    problem = two_coefficients()
    parabola = Quadratic.of(problem)
    for point in np.random.default_rng(0).normal(size=(5, 2)):
        assert parabola(point) == pytest.approx(problem.loss(point), rel=1e-12)
    np.testing.assert_allclose(parabola.least_squares, [1.3, 0.15], rtol=1e-12)


def test_regions_hold_their_share() -> None:
    """Of a standard normal in the plane: half of the mass lies within √(2 log 2)."""
    x = np.linspace(-5, 5, 401)
    normal = Surface(x, x, -0.5 * (x[:, None] ** 2 + x**2))
    assert normal.level(0.5) == pytest.approx(-math.log(2), abs=2e-3)


def test_the_priors_have_one_spread() -> None:
    """Equal variances; the horseshoe has the Gaussian's quartile."""
    for rival in rivals(1.5):
        if rival.name != "horseshoe":
            assert rival.prior.moments(1)[1].item() == pytest.approx(1.5**2)
    horseshoe = rival_named("horseshoe", 1.5).prior
    draws = np.abs(horseshoe.draw(1, np.random.default_rng(0), 400_000))
    share = float((draws < 1.5 * QUARTILE).mean())
    assert share == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(400_000))
    assert norm.cdf(QUARTILE) - norm.cdf(-QUARTILE) == pytest.approx(0.5)


# --------------------------------------------------------------------------- summaries


def test_the_same_data_under_four_priors(summaries: PosteriorSummaries) -> None:
    """Gaussian: points agree; Laplace: a zero of the mode alone; the others have no mode."""
    gaussian, laplace, horseshoe, spike = summaries.panels
    problem = two_coefficients()
    gram = Quadratic.of(problem).curvature
    closed = np.linalg.solve(gram + np.eye(2), gram @ [1.3, 0.15])
    assert gaussian.mode is not None
    np.testing.assert_allclose(gaussian.mode, closed, rtol=1e-12)
    np.testing.assert_allclose(gaussian.mean, closed, rtol=1e-9)
    np.testing.assert_allclose(gaussian.median, closed, rtol=1e-3)
    assert laplace.mode is not None
    assert laplace.mode[1] == 0.0
    assert laplace.mode[0] == pytest.approx((gram[0] @ [1.3, 0.15] - math.sqrt(2)) / gram[0, 0])
    assert (laplace.mean > 0).all()
    assert 0 < laplace.median[1] < laplace.mean[1]
    assert horseshoe.mode is None
    assert spike.mode is None
    assert "infinite at 0" in horseshoe.why_no_mode
    assert "atom at 0" in spike.why_no_mode
    assert spike.median[1] == 0.0
    assert not np.concatenate([laplace.zero, horseshoe.zero]).any()
    assert not any((panel.draws == 0).any() for panel in (gaussian, laplace, horseshoe))


def test_draws_agree_with_the_exact_summaries(summaries: PosteriorSummaries) -> None:
    """Means, and the share of zeros, within six standard errors of a fifth of the draws."""
    for panel in summaries.panels:
        count = len(panel.draws) / 5
        error = panel.draws.std(axis=0) / math.sqrt(count)
        assert (np.abs(panel.draws.mean(axis=0) - panel.mean) < 6 * error).all()
        share = (panel.draws == 0).mean(axis=0)
        binomial = np.sqrt(panel.zero * (1 - panel.zero) / count)
        assert (np.abs(share - panel.zero) <= 6 * binomial).all()


# --------------------------------------------------------------------------- one observation


def test_modes_of_one_observation_are_thresholds(rules: ShrinkageRules) -> None:
    """Laplace of sd 2: soft thresholding at 1/√2; Gaussian: four fifths; Pareto as find_map."""
    gaussian, laplace, pareto, horseshoe, spike = rules.rules
    y = rules.y
    soft = np.sign(y) * np.maximum(np.abs(y) - math.sqrt(0.5), 0.0)
    assert laplace.mode is not None
    np.testing.assert_allclose(laplace.mode, soft, atol=1e-14)
    for estimate in (gaussian.mode, gaussian.mean):
        assert estimate is not None
        np.testing.assert_allclose(estimate, 0.8 * y, rtol=1e-9, atol=1e-12)
    assert pareto.mode is not None
    for k in (0, 21, 33, 45, 52):
        found = br.find_map(one_observation(float(y[k]), pareto.rival)).coef.item()
        assert pareto.mode[k] == pytest.approx(found, abs=1e-9)
    assert horseshoe.mode is None
    assert spike.mode is None
    for rule in (horseshoe, spike):
        with pytest.raises(DegenerateMode):
            br.find_map(one_observation(1.0, rule.rival))


def test_means_of_one_observation_have_no_threshold(rules: ShrinkageRules) -> None:
    """They are 0 at y = 0 alone and rise everywhere; the Laplace mean ends up at the mode."""
    away = rules.y != 0
    for rule in rules.rules:
        assert (rule.mean[away] * rules.y[away] > 0).all()
        assert (np.diff(rule.mean) > 0).all()
    laplace = rules.rules[1]
    assert laplace.mean[-1] == pytest.approx(6 - math.sqrt(0.5), abs=1e-5)


def test_the_spike_and_slab_median_is_a_threshold(rules: ShrinkageRules) -> None:
    """Mean and zero of the median by the normal densities of y given either part."""
    spike = rules.rules[-1]
    slab = norm.pdf(rules.y, scale=3.0)  # sd² = 1 + 8
    included = slab / (slab + norm.pdf(rules.y))
    np.testing.assert_allclose(spike.mean, included * rules.y * 8 / 9, rtol=1e-8, atol=1e-12)
    tail = norm.cdf(np.abs(rules.y) * 8 / 9 / math.sqrt(8 / 9))
    np.testing.assert_array_equal(spike.median == 0, included * tail <= 0.5)
    assert (spike.median == 0).sum() > 10


# --------------------------------------------------------------------------- zeros


def test_zeros_of_the_mode_are_not_zeros_of_draws(zeros: ZeroDraws) -> None:
    """Diabetes: the lasso drops three columns; no draw has a zero unless its prior has an atom."""
    laplace, horseshoe, spike = zeros.zeros
    assert laplace.mode is not None
    dropped = [name for name, value in zip(zeros.names, laplace.mode, strict=True) if value == 0]
    assert dropped == ["age", "s2", "s4"]
    assert horseshoe.mode is None
    assert spike.mode is None
    assert not np.concatenate([laplace.share, horseshoe.share]).any()
    assert laplace.counts[0] == 1.0
    shares = dict(zip(zeros.names, spike.share.tolist(), strict=True))
    assert shares["bmi"] < 0.01
    assert 0.3 < shares["s4"] < shares["age"] < 1
    assert spike.counts.sum() == pytest.approx(1.0)
    assert (spike.interval[:, 0] <= spike.median).all()


# --------------------------------------------------------------------------- collinear columns


def test_ridge_splits_and_lasso_picks(collinear: CollinearColumns) -> None:
    """Correlation 0.994: the lasso's mode has one column, both agree on the sum."""
    assert collinear.correlation == pytest.approx(0.994, abs=5e-4)
    ridge, lasso = collinear.ridge, collinear.lasso
    assert (ridge.mode > 0).all()
    assert lasso.mode[0] == 0.0
    np.testing.assert_allclose(ridge.mode, ridge.mean, rtol=1e-10)
    for point in (ridge.mode, lasso.mode, ridge.mean, lasso.mean):
        assert point.sum() == pytest.approx(sum(TRUTH), abs=3 * ridge.sd_sum)
    assert not np.isin(ridge.mode_share, (0, 1)).any()
    picked = float(np.isin(lasso.mode_share, (0, 1)).mean())
    assert 0.3 < picked < 0.7
    assert ((lasso.mean_share > 0) & (lasso.mean_share < 1)).all()


def test_the_posterior_of_collinear_columns_is_a_ridge(collinear: CollinearColumns) -> None:
    """The difference is as wide as before the data, the sum is eight times narrower, or more."""
    for ridge in (collinear.ridge, collinear.lasso):
        assert ridge.sd_difference > 0.85 * collinear.prior_sd_difference
        assert ridge.sd_sum < ridge.sd_difference / 8
        sums, differences = ridge.draws.sum(axis=1), ridge.draws @ [1.0, -1.0]
        assert sums.std() == pytest.approx(ridge.sd_sum, rel=0.2)
        assert differences.std() == pytest.approx(ridge.sd_difference, rel=0.2)


def test_copies_of_a_column_have_one_ridge_mode_and_many_lasso_modes(
    collinear: CollinearColumns,
) -> None:
    """As the certificate says."""
    assert collinear.ridge.copies_unique
    assert not collinear.lasso.copies_unique


# --------------------------------------------------------------------------- two modes


def test_the_published_modes(bimodal: BimodalLasso) -> None:
    """(4.70, 0.10) and (0, 2.36) if the prior is not scaled by sigma, (1.06, 1.73) if it is.

    The stationary equations are β = 5 − 3σ² with 9σ⁴ − 11σ² + 1 = 0, or σ² = 26/11 at β = 0; and
    β = 5 − 3σ with 12σ² − 15σ − 1 = 0.
    """
    high, low = bimodal.fixed.modes
    variance = (11 - math.sqrt(85)) / 18
    assert (high.beta, high.variance) == pytest.approx((5 - 3 * variance, variance), rel=1e-6)
    assert (round(high.beta, 2), round(high.variance, 2)) == (4.70, 0.10)
    assert low.beta == 0.0
    assert low.variance == pytest.approx(26 / 11, rel=1e-6)
    assert round(low.variance, 2) == 2.36
    (single,) = bimodal.scaled.modes
    sigma = (15 + math.sqrt(273)) / 24
    assert (single.beta, single.variance) == pytest.approx((5 - 3 * sigma, sigma**2), rel=1e-6)
    assert (round(single.beta, 2), round(single.variance, 2)) == (1.06, 1.73)


@pytest.mark.parametrize("scaled", [False, True])
def test_the_joint_mode_of_find_map_is_the_highest(*, scaled: bool) -> None:
    """The search over sigma and the scan of the profile find the same point."""
    problem = park_casella(scaled=scaled)
    fit, mode = br.find_map(problem), joint_modes(problem)[0]
    assert fit.sigma is not None
    assert fit.coef.item() == pytest.approx(mode.beta, rel=1e-5)
    assert fit.sigma**2 == pytest.approx(mode.variance, rel=1e-5)
    assert fit.objective <= mode.objective + 1e-12
    assert "sigma^2" in fit.space


def test_the_statistics_alone_give_the_same_density() -> None:
    """X'X = 1, X'y = 5, y'y = 26 of nine rows: what is left of ten after their mean."""
    for scaled in (False, True):
        rows = park_casella(scaled=scaled)
        sums = br.Problem.from_statistics(
            [[1.0]], [5.0], 26.0, 9, likelihood=rows.likelihood, prior=rows.prior, intercept=False
        )
        for beta, sigma in ((0.0, 1.5), (4.7, 0.3), (-1.0, 2.0)):
            assert sums.objective([beta], sigma=sigma) == pytest.approx(
                rows.objective([beta], sigma=sigma), rel=1e-12
            )


def test_nine_rows_are_ten_with_their_mean_integrated_out() -> None:
    """The two log densities differ by a constant, whatever β and sigma are."""
    nine = park_casella(scaled=False)
    contrasts = np.linalg.qr(np.column_stack([np.ones(10), np.eye(10)[:, :9]]))[0][:, 1:]
    ten = br.Problem(
        contrasts @ nine.design.X,
        contrasts @ nine.design.y + 7.0,
        likelihood=nine.likelihood,
        prior=nine.prior,
    )

    def log_integral(beta: float, sigma: float) -> float:
        best = -ten.objective([beta], 7.0, sigma=sigma)

        def ratio(level: float) -> float:
            return math.exp(-ten.objective([beta], level, sigma=sigma) - best)

        width = 12 * sigma / math.sqrt(10)
        return best + math.log(quad(ratio, 7.0 - width, 7.0 + width)[0])

    points = ((0.0, 1.5), (4.7, 0.3), (2.0, 0.9))
    differences = [log_integral(b, s) + nine.objective([b], sigma=s) for b, s in points]
    assert max(differences) - min(differences) < 1e-8


def test_the_surface_is_the_objective(bimodal: BimodalLasso) -> None:
    """Minus the objective at points of the grid, up to nothing."""
    for joint in (bimodal.fixed, bimodal.scaled):
        for i, j in ((20, 30), (150, 200), (280, 10)):
            sigma = math.exp(0.5 * joint.surface.y[i])
            objective = joint.problem.objective([joint.surface.x[j]], sigma=sigma)
            assert joint.surface.log_density[i, j] == pytest.approx(-objective, abs=1e-9)


def test_the_mass_of_the_lower_mode(bimodal: BimodalLasso) -> None:
    """β alone has density ∝ exp(−3|β|) (1 + (5 − β)²)^(−9/2): 29 % of it within 1 of 0."""

    def density(beta: float) -> float:
        return math.exp(-3 * abs(beta) - 4.5 * math.log1p((5 - beta) ** 2))

    inner, whole = (
        sum(quad(density, a, b, epsabs=1e-14)[0] for a, b in parts)
        for parts in (((-1, 0), (0, 1)), ((-9, 0), (0, 3), (3, 7), (7, 20)))
    )
    fixed = bimodal.fixed
    assert fixed.near_zero == pytest.approx(inner / whole, abs=0.001)
    assert fixed.near_zero == pytest.approx(0.29, abs=0.01)
    assert fixed.marginal.sum() * np.diff(fixed.surface.x)[0] == pytest.approx(1.0)
    assert np.interp(0.0, fixed.surface.x, fixed.marginal) == pytest.approx(
        density(0.0) / whole, rel=0.03
    )
    assert fixed.beta.shape == fixed.variance.shape == (800,)
    assert 1 < fixed.mean[0] < 4


# --------------------------------------------------------------------------- changes of variable


def test_modes_and_means_move_but_medians_and_intervals_do_not(moving: MovingMode) -> None:
    """As probabilities: modes 0.72, 0.57 and 0.80; medians 0.73 in all three."""
    modes = [round(scale.as_probability["mode"], 2) for scale in moving.scales]
    means = [round(scale.as_probability["mean"], 2) for scale in moving.scales]
    assert modes == [0.72, 0.57, 0.80]
    assert means == [0.74, 0.81, 0.71]
    for name in ("median", "low", "high"):
        assert len({scale.as_probability[name] for scale in moving.scales}) == 1
    for scale in moving.scales:
        width = np.diff(scale.grid)
        mass = float((0.5 * (scale.density[1:] + scale.density[:-1]) * width).sum())
        assert mass == pytest.approx(0.96 if scale.name == "odds" else 1.0, abs=0.03)
        low, high = scale.interval
        inside = (scale.grid >= low) & (scale.grid <= high)
        share = np.trapezoid(scale.density[inside], scale.grid[inside])
        assert share == pytest.approx(0.8, abs=0.01)


def test_the_modes_are_stationary_points_with_their_jacobians(moving: MovingMode) -> None:
    """d/dβ of the log density is 4 − 5σ(β) − β/2.25; the Jacobian adds 0, −1, or 2σ(β) − 1."""
    log_odds, odds, probability = (scale.as_probability["mode"] for scale in moving.scales)
    for p, slope in ((log_odds, 0.0), (odds, -1.0), (probability, 2 * probability - 1)):
        beta = math.log(p / (1 - p))
        assert 4 - 5 * p - beta / 2.25 + slope == pytest.approx(0.0, abs=1e-6)
    assert expit(br.find_map(coin()).coef.item()) == pytest.approx(log_odds, abs=1e-7)


def test_pymc_moves_the_mode_by_the_same_jacobian(moving: MovingMode) -> None:
    """A model of the odds: its mode, and the mode of its log, which is its value variable."""
    with pm.Model() as model:
        odds = pm.LogNormal("odds", mu=0.0, sigma=1.5)
        pm.Bernoulli("y", p=odds / (1 + odds), observed=np.array([1, 1, 1, 1, 0]))
    log_odds, of_odds = moving.scales[:2]
    for jacobian, wanted in ((True, math.exp(log_odds.mode)), (False, of_odds.mode)):
        fit = br.find_map(model, jacobian=jacobian, starts=2, seed=0)
        assert fit.point is not None
        assert math.exp(float(fit.point["odds_log__"])) == pytest.approx(wanted, rel=1e-5)


# --------------------------------------------------------------------------- as p grows


def test_draws_of_the_bayesian_lasso_get_denser(dense: DenseDraws) -> None:
    """From ten to a hundred columns: five times as many sizable coefficients, and the error too."""
    laplace, horseshoe, spike = dense.crowds
    assert laplace.sizable[1] > 5 * laplace.sizable[0]
    assert laplace.error[1] > 4 * laplace.error[0]
    assert laplace.scale[1] < laplace.scale[0] / 3
    assert spike.sizable[1] < 7
    assert spike.error[1] < horseshoe.error[1] < 0.5 * laplace.error[1]
    assert horseshoe.sizable[1] < 0.5 * laplace.sizable[1]
    assert dense.mode.error[1] < 0.5 * laplace.error[1]
    assert dense.mode.sizable[1] < 0.5 * laplace.sizable[1]
    assert (dense.mode.one_draw == 0).sum() > 50
    assert not (laplace.one_draw == 0).any()


def test_no_scale_brings_draws_of_the_lasso_near_the_truth(dense: DenseDraws) -> None:
    """The best scale for draws leaves them twice as far as the mode at its own best."""
    by_scale = dense.by_scale
    assert by_scale.width == 100
    assert by_scale.draws.min() > 1.8 * by_scale.mode.min()
    assert by_scale.draws.argmin() < by_scale.mode.argmin()


# --------------------------------------------------------------------------- figures


TITLES = {
    "posterior_summaries": ("Gaussian: sd 1", "Laplace: sd 1", "horseshoe: P(", "spike and slab"),
    "shrinkage_rules": ("Mode", "Posterior mean", "Posterior median"),
    "zero_draws": ("Mode; median", "Draws that are exactly 0", "Zeros per draw"),
    "collinear_columns": ("Gaussian prior", "Laplace prior", "Noise drawn", "Noise drawn"),
    "bimodal_lasso": ("Prior ∝ exp(−3|β|)", "Prior ∝ exp(−3|β|/σ)/σ", "", ""),
    "moving_mode": ("In the log odds", "In the odds", "In the probability", "The same summaries"),
    "dense_draws": ("Coefficients beyond 0.1", "How far", "One draw at p = 100", "p = 100"),
}
RESULTS = {
    "posterior_summaries": "summaries",
    "shrinkage_rules": "rules",
    "zero_draws": "zeros",
    "collinear_columns": "collinear",
    "bimodal_lasso": "bimodal",
    "moving_mode": "moving",
    "dense_draws": "dense",
}


@pytest.mark.parametrize("exhibit", study.EXHIBITS, ids=lambda exhibit: exhibit.name)
def test_figures_are_labelled(exhibit: Exhibit, request: pytest.FixtureRequest) -> None:
    """A heading, a title and labels for every panel, one legend, and text that can be read."""
    draw: Callable[[object], Figure] = getattr(br.figures, exhibit.name)
    figure = draw(request.getfixturevalue(RESULTS[exhibit.name]))
    assert isinstance(figure, Figure)
    assert figure.get_suptitle()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == len(TITLES[exhibit.name])
    for title, start in zip(titles, TITLES[exhibit.name], strict=True):
        assert title.startswith(start)
    assert any(axes.get_xlabel() for axes in figure.axes)
    assert len(figure.legends) == 1
    for axes in figure.axes:
        assert axes.lines or axes.patches
        assert all(float(text.get_fontsize()) >= 9 for text in axes.texts)


def test_points_of_the_figures_are_those_of_the_results(
    summaries: PosteriorSummaries, bimodal: BimodalLasso, rules: ShrinkageRules
) -> None:
    """A figure computes nothing: modes are drawn where the study found them."""
    figure = br.figures.posterior_summaries(summaries)
    for axes, panel in zip(figure.axes, summaries.panels, strict=True):
        diamonds = [line for line in axes.lines if line.get_marker() == "D"]
        assert len(diamonds) == (panel.mode is not None)
        for line in diamonds:
            np.testing.assert_array_equal(np.ravel(line.get_xydata()), panel.mode)
    left, right = br.figures.bimodal_lasso(bimodal).axes[:2]
    for axes, count in ((left, 2), (right, 1)):
        assert sum(line.get_marker() == "D" for line in axes.lines) == count
    panels = br.figures.shrinkage_rules(rules).axes
    counts = [sum(np.shape(line.get_xydata()) == (61, 2) for line in axes.lines) for axes in panels]
    assert counts == [3, 5, 5]


def test_the_labels_of_the_modes_stay_in_their_panels(bimodal: BimodalLasso) -> None:
    """None lies across an axis, where tick labels are."""
    figure = br.figures.bimodal_lasso(bimodal)
    figure.draw_without_rendering()
    for axes, count in zip(figure.axes[:2], (2, 1), strict=True):
        inside = axes.get_window_extent()
        labels = [text.get_window_extent() for text in axes.texts]
        assert len(labels) == count
        assert all(inside.x0 < box.x0 and box.x1 < inside.x1 for box in labels)


def test_exhibits_are_named_after_their_figures() -> None:
    """Seven of them, all of what no document shows, each with a caption of one line."""
    assert [exhibit.name for exhibit in study.EXHIBITS] == list(TITLES)
    for exhibit in study.EXHIBITS:
        assert exhibit.document == 6
        assert exhibit.name in br.figures.__all__
        assert 0 < len(exhibit.caption) <= 100
