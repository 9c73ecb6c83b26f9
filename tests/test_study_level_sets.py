"""Level sets: every number of document 1 against its closed form, and what its figures hold."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy.integrate import quad, simpson
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import log_ndtr

import bayesreg as br
from bayesreg.studies import level_sets as study
from bayesreg.studies._contours import REACH, Ellipses, minus_log_density, prior_curve
from bayesreg.studies._densities import surface

if TYPE_CHECKING:
    from bayesreg.priors import Prior
    from bayesreg.studies.exhibit import Exhibit
    from bayesreg.studies.level_sets import Touch

DATA = br.datasets.load("boston_crim_zn")
FLAT = study.boston_problem(br.Flat())
ELLIPSES = Ellipses.of(FLAT)
H = DATA.X.T @ DATA.X / study.SIGMA**2
SLOPE = DATA.X.T @ DATA.y / study.SIGMA**2
level_sets = cache(study.level_sets)
tangency, of_priors = cache(study.tangency), cache(study.level_sets_of_priors)
under = cache(study.posterior_under_level_sets)


def mse(points: np.ndarray) -> np.ndarray:
    """Mean squared error at points (m, 2), from the rows."""
    return np.asarray(((DATA.y - points @ DATA.X.T) ** 2).mean(axis=1))


# --------------------------------------------------------------------------- the loss


def test_least_squares_and_its_mean_squared_error_are_the_documents() -> None:
    """(0.57891441, 0.49506501) and 397.79423501521836, to every digit printed."""
    coef = br.find_map(FLAT).coef
    np.testing.assert_allclose(coef, [0.57891441, 0.49506501], atol=5e-9)
    lowest = study.mean_squared_error(FLAT.loss(coef))
    assert lowest == pytest.approx(397.79423501521836, rel=1e-12)
    np.testing.assert_allclose(ELLIPSES.centre, coef, rtol=1e-12)


def test_the_level_sets_of_the_loss_are_ellipses_of_the_gram_matrix() -> None:
    """Each point has the level; the semi-axes are ``√(ΔMSE/eigenvalue of X'X/n)``."""
    gram = np.linalg.eigvalsh(DATA.X.T @ DATA.X / 506)
    for level in (398.0, 401.0, 505.0, 820.0):
        nats = study.in_nats(level)
        np.testing.assert_allclose(mse(ELLIPSES.curve(nats)), level, rtol=1e-10)
        excess = level - 397.79423501521836
        np.testing.assert_allclose(ELLIPSES.radii(nats), np.sqrt(excess / gram), rtol=1e-8)
    assert study.mean_squared_error(study.in_nats(505.0)) == pytest.approx(505.0, rel=1e-14)


def test_the_documents_hand_drawn_ellipses_are_the_exact_ones_to_its_digits() -> None:
    """0.19 × 0.07, 1.1 × 0.4 and 2.2 × 0.8; not tilted, as the columns are nearly orthogonal."""
    drawn = {401.0: (0.19, 0.07), 505.0: (1.1, 0.4), 820.0: (2.2, 0.8)}
    for level, radii in drawn.items():
        exact = ELLIPSES.radii(study.in_nats(level))
        np.testing.assert_allclose(exact, radii, rtol=0.015)
    assert abs(ELLIPSES.tilt) == pytest.approx(0.0907, abs=5e-5)
    # Orthogonal about 0, which means nothing for columns without an intercept.
    cosine = DATA.X[:, 0] @ DATA.X[:, 1] / np.prod(np.linalg.norm(DATA.X, axis=0))
    assert abs(cosine) < 0.005
    assert np.corrcoef(DATA.X[:, 0], DATA.X[:, 1]).item(0, 1) == pytest.approx(-0.2, abs=0.005)


def test_the_scatter_of_a_band_lies_between_its_level_sets() -> None:
    """As many points as the band's area and the density of the scatter make expect."""
    sets = level_sets()
    for ring in sets.loss:
        values = mse(ring.points)
        assert ((values > ring.band[0]) & (values < ring.band[1])).all()
        np.testing.assert_allclose(mse(ring.curve), ring.level, rtol=1e-10)
    # Near the centre the density is 1/(2π): area π·ΔMSE/√det(X'X/n), 10,000 points.
    expected = 10_000 * 0.5 / math.sqrt(float(np.linalg.det(DATA.X.T @ DATA.X / 506)))
    inner = len(sets.loss[0].points)
    assert abs(inner - expected) < 5 * math.sqrt(expected)
    assert not sum(len(ring.points) for ring in level_sets(scatter=0).loss)


def test_level_sets_of_l1_are_diamonds_and_of_l2_circles() -> None:
    """At the middle of the document's bands, which is where it draws its lines, within 0.025."""
    (_, diamonds), (_, circles) = level_sets().penalties
    for ring in diamonds:
        np.testing.assert_allclose(np.abs(ring.curve).sum(axis=1), ring.level, rtol=1e-12)
        inside = np.abs(ring.points).sum(axis=1)
        assert ((inside > ring.band[0]) & (inside < ring.band[1])).all()
        corners = ring.curve[(ring.curve == 0).any(axis=1)]
        assert len(np.unique(corners.round(12), axis=0)) == 4
    for ring in circles:
        np.testing.assert_allclose(np.linalg.norm(ring.curve, axis=1), ring.level, rtol=1e-12)
        inside = np.linalg.norm(ring.points, axis=1)
        assert ((inside > ring.band[0]) & (inside < ring.band[1])).all()
    np.testing.assert_allclose([ring.level for ring in diamonds], [0.5, 1.0, 2.05], atol=0.0251)
    np.testing.assert_allclose([ring.level for ring in circles], [0.55, 1.05, 2.1], atol=1e-12)


# --------------------------------------------------------------------------- any prior

EXAMPLES: tuple[Prior, ...] = (
    br.Normal(0.3),
    br.Normal([0.3, 0.1]),
    br.Laplace(0.2),
    br.ElasticNet(0.1, 0.2),
    br.StudentT(4.0, 0.1),
    br.GeneralizedDoublePareto(0.05, shape=2.0),
    br.Bridge(0.1, power=0.5),
    br.Bridge(0.1, power=4.0),
    br.Horseshoe(0.1),
    br.RegularizedHorseshoe(0.1, slab_scale=0.5),
    br.GroupLaplace(0.1, groups=[[0, 1]]),
    br.LInfinity(0.1),
    br.Slope(0.1, weights=[2.0, 1.0]),
    br.Fused(0.2, 0.3),
)


@pytest.mark.parametrize("prior", EXAMPLES, ids=lambda prior: prior.formula())
def test_the_level_set_of_any_prior_holds_its_level(prior: Prior) -> None:
    """Through the point, on every ray, or beyond the reach of what is drawn."""
    through = np.array([0.4, -0.25])
    curve = prior_curve(prior, through)
    level = -prior.log_density(through)
    size = np.linalg.norm(curve, axis=1)
    reached = size < 0.999 * REACH
    assert reached.mean() > 0.8
    values = minus_log_density(prior, curve[reached])
    np.testing.assert_allclose(values, level, atol=1e-8)
    outside = minus_log_density(prior, 1.001 * curve[reached])
    assert (outside > level).all()
    np.testing.assert_array_equal(curve[0], curve[-1])


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 3.0), st.floats(-2.0, 2.0), st.floats(0.01, 2.0))
def test_diamonds_and_circles_of_any_size_and_scale(scale: float, x: float, y: float) -> None:
    """A level set of Laplace or Normal does not depend on the scale."""
    through = np.array([x, y])
    diamond = prior_curve(br.Laplace(scale), through)
    np.testing.assert_allclose(np.abs(diamond).sum(axis=1), abs(x) + y, rtol=1e-12)
    circle = prior_curve(br.Normal(scale), through)
    # Rounding of the density's constant, in units of the penalty, is what is left.
    size = math.hypot(x, y)
    limit = 1e-12 * max(1.0, (scale / size) ** 2)
    np.testing.assert_allclose(np.linalg.norm(circle, axis=1), size, rtol=limit)


# --------------------------------------------------------------------------- tangency


def inside_of(touch: Touch) -> np.ndarray:
    """Points of the penalty's level set and of sets within it."""
    shrunk = [factor * touch.curve for factor in np.linspace(0.0, 1.0, 201)]
    return np.concatenate(shrunk)


def test_no_point_within_a_level_set_of_the_penalty_has_a_smaller_loss() -> None:
    """So the mode is the constrained optimum: for every prior, convex or not, by brute force.

    For the priors without a convex penalty, whose certificate says "stationary", this is the
    global statement: a mode with a smaller penalised loss elsewhere would have one of the two
    smaller, and is looked for on a grid.
    """
    for touch in of_priors():
        if touch.certificate is None:
            continue
        inside = inside_of(touch)
        losses = study.in_nats(1.0) * mse(inside)
        loss = touch.problem.loss(touch.point)
        assert losses.min() >= loss - 1e-7 * abs(loss)
        nearest = np.linalg.norm(inside[losses.argmin()] - touch.point)
        assert nearest < 0.02
        grid = np.stack(np.meshgrid(*[np.linspace(0.0, 0.7, 71)] * 2), axis=-1).reshape(-1, 2)
        sums = [touch.problem.penalised(point) for point in grid]
        assert min(sums) >= touch.problem.penalised(touch.point)


def test_both_level_sets_have_the_same_normal_where_the_penalty_is_smooth() -> None:
    """Minus the gradient of the loss is the gradient of the penalty: they touch, not cross."""
    step = 1e-6
    for touch in of_priors():
        smooth = (touch.point != 0).all() and not isinstance(touch.problem.prior, br.LInfinity)
        if not smooth or touch.certificate is None:
            continue
        value = touch.problem.prior.penalty(2).value
        slope = [
            (value(touch.point + step * unit) - value(touch.point - step * unit)) / (2 * step)
            for unit in np.eye(2)
        ]
        np.testing.assert_allclose(touch.pull, slope, rtol=1e-5)


def test_at_a_corner_the_pull_is_within_the_cone_of_normals() -> None:
    """Diamond: the zero coefficient pulls with at most λ, the other with exactly λ."""
    for lam, touch in zip((100.0, 250.0), tangency().lasso.touches[2:], strict=True):
        assert touch.point[0] == 0.0
        assert abs(touch.pull[0]) <= lam
        assert touch.pull[1] == pytest.approx(lam, rel=1e-9)
    square = next(touch for touch in of_priors() if isinstance(touch.problem.prior, br.LInfinity))
    assert square.point[0] == square.point[1]
    assert (square.pull > 0).all()
    assert square.pull.sum() == pytest.approx(100.0, rel=1e-9)  # λ, split between the two


def test_the_horseshoe_has_no_mode_and_says_so() -> None:
    """Its level sets cross the ellipse at the mean; those of the others touch at modes."""
    *others, horseshoe = of_priors()
    assert horseshoe.certificate is None
    assert "no mode" in horseshoe.why_no_mode
    assert all(touch.certificate is not None and not touch.why_no_mode for touch in others)
    # All but e⁻¹⁰ of the mass is away from the axes, where the density is smooth.
    plane = surface(horseshoe.problem, np.linspace(0.02, 1.1, 217), np.linspace(0.3, 0.7, 161))
    mass = np.exp(plane.log_density - plane.log_density.max())
    mean = np.array([plane.x @ mass.sum(axis=0), plane.y @ mass.sum(axis=1)]) / mass.sum()
    np.testing.assert_allclose(horseshoe.point, mean, atol=2e-4)


def test_penalised_and_constrained_solution_agree_for_every_lam() -> None:
    """Three routes: `find_map` penalised, `find_map` on the ball, and the closed form."""
    norms: tuple[Literal["l1", "l2"], ...] = ("l1", "l2")
    for norm, sweep in zip(norms, (tangency().lasso, tangency().ridge), strict=True):
        for k, (lam, touch) in enumerate(zip(sweep.lams, sweep.touches, strict=True)):
            assert touch.certificate is not None
            assert touch.certificate.optimal
            np.testing.assert_allclose(sweep.constrained[k], touch.point, rtol=1e-9, atol=1e-12)
            ball = study.boston_problem(br.UniformBall(sweep.radii[k], norm))
            np.testing.assert_allclose(br.find_map(ball).coef, touch.point, rtol=1e-9, atol=1e-12)
            scale = sweep.radii[k] if norm == "l2" else 1.0
            assert sweep.multipliers[k] == pytest.approx(lam * scale, rel=1e-9)


def test_the_modes_of_the_sweep_have_their_closed_forms() -> None:
    """Ridge: ``(H + λ)⁻¹ X'y/σ²``; lasso: ``H⁻¹(X'y/σ² − λ)``, and with the first weight at 0."""
    ridge, lasso = tangency().ridge, tangency().lasso
    for lam, touch in zip(ridge.lams, ridge.touches, strict=True):
        expected = np.linalg.solve(H + lam * np.eye(2), SLOPE)
        np.testing.assert_allclose(touch.point, expected, rtol=1e-9)
    for lam, touch in zip(lasso.lams, lasso.touches, strict=True):
        both = np.linalg.solve(H, SLOPE - lam)
        one = np.array([0.0, (SLOPE[1] - lam) / H[1, 1]])
        np.testing.assert_allclose(touch.point, both if both[0] > 0 else one, rtol=1e-9)
    assert [int((touch.point == 0).sum()) for touch in lasso.touches] == [0, 0, 1, 1]


def test_the_lams_at_which_zeros_appear() -> None:
    """63.7 nats for crim, 421.5 for both; in units of the mean squared error whatever sigma."""
    first = (SLOPE[0] - SLOPE[1] * H[0, 1] / H[1, 1]) / (1 - H[0, 1] / H[1, 1])
    np.testing.assert_allclose(tangency().knots, [SLOPE[1], first], rtol=1e-9)
    np.testing.assert_allclose(tangency().knots, [421.5195, 63.7246], atol=5e-5)
    per_nat = study.mean_squared_error(1.0)
    assert per_nat * tangency().knots[0] == pytest.approx(2 * np.mean(DATA.X[:, 1] * DATA.y))
    path = tangency().lasso.path
    assert (path[0] > 0).all()  # weakest first or last, the ends are least squares and 0
    assert (path[:, 0] == 0).any()


# --------------------------------------------------------------------------- the posterior


def marginal(prior_rate: float, j: int) -> tuple[float, float]:
    """Mean and median of a coefficient under a Laplace prior, by another closed form.

    Given βⱼ, the other's kernel is two half normals: two normal probabilities.
    """
    a, c = H[1 - j, 1 - j], H[0, 1]

    def log_density(v: float) -> float:
        halves = []
        for sign in (1.0, -1.0):
            b = SLOPE[1 - j] - c * v - sign * prior_rate
            halves.append(b * b / (2 * a) + log_ndtr(sign * b / math.sqrt(a)))
        own = SLOPE[j] * v - H[j, j] * v * v / 2 - prior_rate * abs(v)
        return float(own + np.logaddexp(*halves))

    nodes = np.linspace(-0.3, 0.9, 241)
    top = max(map(log_density, nodes))
    centre = float(nodes[np.argmax([log_density(v) for v in nodes])])

    def integral(low: float, high: float, power: int = 0) -> float:
        cuts = sorted({low, high, *(x for x in (0.0, centre) if low < x < high)})
        return sum(
            quad(lambda v: v**power * math.exp(log_density(v) - top), p, q, epsabs=1e-13)[0]
            for p, q in pairwise(cuts)
        )

    total = integral(-0.3, 0.9)
    half = brentq(lambda v: integral(-0.3, v) - 0.5 * total, -0.3, 0.9, xtol=1e-11)
    return integral(-0.3, 0.9, 1) / total, float(half)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_means_and_medians_under_the_laplace_prior(k: int) -> None:
    """Against quadrature of the marginal density written with normal probabilities."""
    panel = under().lasso[k]
    for j in range(2):
        mean, median = marginal(panel.lam, j)
        assert panel.mean[j] == pytest.approx(mean, abs=1e-9)
        assert panel.median[j] == pytest.approx(median, abs=1e-8)


def test_only_the_mode_is_at_the_corner() -> None:
    """Beyond λ = 63.7: crim is 0 at the mode, above 0 at median and mean."""
    edge, *corner = under().lasso
    assert (edge.touch.point > 0).all()
    for panel in corner:
        assert panel.touch.point[0] == 0.0
        assert 0 < panel.median[0] < panel.mean[0]


def test_under_the_normal_prior_mode_median_and_mean_are_one_point() -> None:
    """The posterior is symmetric about it."""
    for panel in under().ridge:
        np.testing.assert_allclose(panel.mean, panel.touch.point, rtol=1e-9)
        np.testing.assert_allclose(panel.median, panel.touch.point, rtol=1e-8)


def test_the_heat_map_is_the_posterior_density_and_integrates_to_one() -> None:
    """Its log is minus the objective less the log evidence, at any point of the grid."""
    for panel in (*under().lasso, *under().ridge):
        surface, problem = panel.surface, panel.touch.problem
        density = simpson(np.exp(surface.log_density), x=surface.y, axis=0)
        zero = int(np.abs(surface.x).argmin())  # the kink is where two integrals meet
        assert surface.x[zero] == pytest.approx(0.0, abs=1e-15)
        total = 0.0
        for part in (slice(None, zero + 1), slice(zero, None)):
            # The logarithm is nearly a parabola on either side: a spline of it loses nothing.
            fine = np.linspace(surface.x[part][0], surface.x[part][-1], 20_001)
            total += simpson(
                np.exp(CubicSpline(surface.x[part], np.log(density[part]))(fine)), x=fine
            )
        assert 1 - 3e-4 < total < 1 + 1e-6  # the window ends 3.5 sd from some means
        evidence = br.posterior_moments(problem).log_marginal_likelihood
        assert evidence is not None
        point = [surface.x[70], surface.y[40]]
        expected = -problem.objective(point) - evidence
        assert surface.log_density[40, 70] == pytest.approx(expected, abs=1e-8)


# --------------------------------------------------------------------------- figures


@pytest.mark.parametrize("exhibit", study.EXHIBITS, ids=lambda e: e.name)
def test_each_exhibit_draws_itself(exhibit: Exhibit) -> None:
    """With a heading, labelled axes and one legend, in large enough letters."""
    figure = exhibit.draw(seed=0)
    assert isinstance(figure, Figure)
    assert exhibit.document == 1
    assert figure.get_suptitle()
    assert len(figure.legends) == 1
    sizes = [float(text.get_fontsize()) for axes in figure.axes for text in axes.texts]
    assert min(sizes, default=9.0) >= 9
    assert "weight w₁" in figure.axes[0].get_xlabel() + figure.axes[-1].get_xlabel()
    assert "weight w₂" in figure.axes[0].get_ylabel()
    for axes in figure.axes:
        assert axes.get_lines()


def test_the_figure_of_the_level_sets_has_a_panel_for_each_penalty() -> None:
    """Three rings each; a scatter only where there is one; any prior as a further panel."""
    assert len(br.figures.level_sets(level_sets()).axes) == 3
    cauchy = ("Cauchy", br.StudentT(1.0, 1.0), ((0.5, 0.55), (1.0, 1.05)))
    sets = study.level_sets(scatter=0, penalties=(study.NORMS[0], cauchy))
    figure = br.figures.level_sets(sets)
    assert [axes.get_title(loc="left") for axes in figure.axes][2] == "Cauchy"
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert not any("random" in text for text in texts)


def test_the_figure_of_the_tangencies_marks_both_solutions_at_each_lam() -> None:
    """Four diamonds, four circles around them, four arrows and λs; two cones, at corners."""
    figure = br.figures.tangency(tangency())
    for axes, cones in zip(figure.axes, (2, 0), strict=True):
        markers = [line.get_marker() for line in axes.get_lines()]
        assert markers.count("D") == markers.count("o") == 4
        assert sum("λ = " in text.get_text() for text in axes.texts) == 4
        assert len(axes.patches) == cones


def test_the_figure_of_the_priors_has_a_panel_for_each() -> None:
    """Modes as diamonds, and the horseshoe's mean as a disc; panels left over are hidden."""
    figure = br.figures.level_sets_of_priors(of_priors())
    assert len(figure.axes) == 8
    markers = [[line.get_marker() for line in axes.get_lines()] for axes in figure.axes]
    assert ["D" in each for each in markers] == [True] * 7 + [False]
    assert "o" in markers[-1]
    few = br.figures.level_sets_of_priors(of_priors()[:5])
    assert [axes.get_visible() for axes in few.axes] == [True] * 5 + [False] * 3


def test_the_figure_of_the_posteriors_has_a_heat_map_in_every_panel() -> None:
    """With mode, median and mean on it, and a bar that says its units."""
    figure = br.figures.posterior_under_level_sets(under())
    assert len(figure.axes) == 6
    for axes in figure.axes:
        assert len(axes.images) == 1
        markers = [line.get_marker() for line in axes.get_lines()]
        assert {"D", "s", "o", "P"} <= set(markers)
        assert axes.images[0].colorbar is not None
