"""Balls and norms: counted shares against closed forms, modes against Moreau's, and the figures."""

from __future__ import annotations

import base64
import io
import itertools
import math
import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy.integrate import dblquad, quad
from scipy.optimize import minimize_scalar

import bayesreg as br
from bayesreg.figures._moving_costs import positions
from bayesreg.studies import _norm_clouds as norms
from bayesreg.studies import balls as study
from bayesreg.studies._ball_costs import BALL_NORMS

if TYPE_CHECKING:
    from pathlib import Path

    from bayesreg._validation import Matrix, Vector
    from bayesreg.studies.exhibit import Exhibit

ball_minimisers, moving_costs = cache(study.ball_minimisers), cache(study.moving_costs)
landings, clouds = cache(study.ball_landings), cache(study.shrunken_clouds)
densities = cache(study.norm_densities)
POWERS = (0.5, 1.0, 2.0, math.inf)
point = st.tuples(st.floats(-4, 4), st.floats(-4, 4)).map(np.array)


def lowest_on_outline(cost: study.Cost, power: float) -> float:
    """Return the smallest cost over a fine outline of the ball, by brute force."""
    X = cost.problem().design.X
    outline = study.ball_outline(power, points=4000)
    return float((((outline - cost.centre) @ X.T) ** 2).sum(axis=1).min())


def into_l1_ball(x: Vector, radius: float) -> Vector:
    """Return the nearest point of the L1 ball, by the best of all thresholds."""
    if np.abs(x).sum() <= radius:
        return x
    sizes = np.sort(np.abs(x))[::-1]
    levels = (np.cumsum(sizes) - radius) / np.arange(1, x.size + 1)
    level = levels[np.flatnonzero(sizes > levels)[-1]]
    return np.asarray(np.sign(x) * np.maximum(np.abs(x) - level, 0.0))


# --------------------------------------------------------------------------- balls


def test_no_point_of_the_border_is_lower_than_a_minimiser() -> None:
    """Against 4000 points of each ball's border, and each minimiser lies on it."""
    result = ball_minimisers()
    for ball in result.balls:
        size = np.linalg.norm(ball.coef, ord=ball.power, axis=1)
        np.testing.assert_allclose(size, 1.0, rtol=1e-9)
        for cost, loss in zip(result.costs, ball.losses, strict=True):
            assert loss <= lowest_on_outline(cost, ball.power) + 1e-12


def test_minimisers_of_convex_balls_are_certified() -> None:
    """The exact constrained optimum, with the multiplier of the penalised form."""
    cost = study.Cost(np.array([2.0, 1.7]), (1.0, 2.0), 0.4)
    for power, norm in BALL_NORMS.items():
        problem = cost.problem(br.UniformBall(1.0, norm))
        coef = study.ball_minimiser(cost, power)
        assert br.certify(problem, coef).optimal
        form = br.penalised_form(problem)
        assert form.active
        np.testing.assert_allclose(br.find_map(form.penalised).coef, coef, atol=1e-9)


def test_the_shares_of_random_costs() -> None:
    """L½ nearly always, L1 most of the time, L2 never on an axis; L∞ at corners instead."""
    half, lasso, ridge, top = ball_minimisers().balls
    assert half.on_axis.mean() > 0.9 > lasso.on_axis.mean() > 0.5
    assert not ridge.on_axis.any()
    assert not top.on_axis.any()
    assert 0.3 < top.tied.mean() < 0.7
    assert not ridge.tied.any()


@settings(max_examples=30, deadline=None)
@given(point, st.floats(1, 4), st.floats(0, 3))
def test_roots_of_the_border_polynomial_are_the_global_minimum(
    centre: Vector, steep: float, tilt: float
) -> None:
    """Of the L½ ball, which is not convex; inside of it the centre itself."""
    cost = study.Cost(centre, (1.0, steep), tilt)
    coef = study.ball_minimiser(cost, 0.5)
    loss = cost.problem().loss(coef)
    if np.sqrt(np.abs(centre)).sum() <= 1:
        np.testing.assert_array_equal(coef, centre)
    else:
        assert loss <= lowest_on_outline(cost, 0.5) + 1e-9
        assert np.sqrt(np.abs(coef)).sum() == pytest.approx(1.0, abs=1e-9)


def test_a_sharper_ball_than_l_half_is_minimised_too() -> None:
    """Power 1/3; and a power that is neither is refused, by name."""
    cost = study.Cost(np.array([0.7, 0.9]), (1.0, 1.5), 0.3)
    coef = study.ball_minimiser(cost, 1 / 3)
    assert cost.problem().loss(coef) <= lowest_on_outline(cost, 1 / 3) + 1e-9
    for power in (0.7, 3.0, -1.0, 0.0):
        with pytest.raises(br.errors.InputError, match="power: must be 1, 2, inf or 1/k"):
            study.ball_minimiser(cost, power)


# --------------------------------------------------------------------------- shares


def test_counted_shares_are_within_a_step_of_their_closed_forms() -> None:
    """L1's axes, L∞'s corners; strictly convex balls never; L½ always from 1.5 radii on."""
    result = landings()
    step = 1.0 / result.directions
    half, lasso, between, ridge, top = result.shares
    for share, form in ((lasso, study.axis_share), (top, study.corner_share)):
        expected = [form(float(each)) for each in result.distances]
        # Both ends of an arc may cut a step.
        np.testing.assert_allclose(share.counted, expected, atol=2 * step)
    assert not between.counted.any()
    assert not ridge.counted.any()
    assert (half.counted[result.distances >= 1.5] == 1).all()
    assert (half.counted >= lasso.counted).all()


def test_the_closed_forms_are_areas_of_directions() -> None:
    """Against the conditions themselves, integrated over the angle; 0 at first, 1 far away."""
    angles = (np.arange(200_000) + 0.5) / 200_000 * math.pi / 2
    for distance in (1.0, 1.3, 2.0, 5.0):
        a, b = distance * np.cos(angles), distance * np.sin(angles)
        axis = np.mean(np.abs(a - b) >= 1.0)
        corner = np.mean(np.minimum(a, b) >= 1.0)
        assert study.axis_share(distance) == pytest.approx(axis, abs=2e-5)
        assert study.corner_share(distance) == pytest.approx(corner, abs=2e-5)
    assert study.axis_share(1e9) == pytest.approx(1.0, abs=1e-8)
    assert study.axis_share(2.0) == pytest.approx(0.5399, abs=5e-5)


def test_most_of_the_time_starts_at_1_848_radii() -> None:
    """Where L1's share is exactly one half."""
    assert study.even_distance() == pytest.approx(1.8478, abs=5e-5)
    assert study.axis_share(study.even_distance()) == pytest.approx(0.5, abs=1e-14)


def test_the_nearest_point_of_the_l1_5_ball_is_on_its_border() -> None:
    """And nearer than any other of the outline."""
    points = np.array([[2.0, 0.3], [1.1, -1.4], [-0.2, 3.0]])
    modes, scale = study.bridge_modes(
        points, 1.5, lambda modes: 1.0 - np.asarray(norms.norm(modes, 1.5))
    )
    np.testing.assert_allclose(norms.norm(modes, 1.5), 1.0, rtol=1e-12)
    for x, mode, each in zip(points, modes, scale, strict=True):
        cost = study.Cost(x)
        assert ((x - mode) ** 2).sum() <= lowest_on_outline(cost, 1.5) + 1e-12
        assert br.certify(cost.problem(br.Bridge(each, 1.5)), mode).optimal


def test_the_nearest_points_are_the_modes_of_circular_costs() -> None:
    """The projections that are counted are the certified minimisers, zeros and ties included."""
    result = landings()
    at = int(np.flatnonzero(result.distances == 2.0)[0])
    angles = (np.arange(10) + 0.5) / 10 * math.pi / 2
    coarse = study.ball_landings(directions=10)
    costs = [study.Cost(2.0 * np.array([math.cos(a), math.sin(a)])) for a in angles]
    for share in coarse.shares:
        if share.power == 1.5:
            continue
        found = study.minimisers(costs, share.power)
        hit = found.tied if share.what == "corner" else found.on_axis
        assert share.counted[at] == hit.mean()


# --------------------------------------------------------------------------- the moving cost


def test_the_moving_cost_counts_depend_on_how_it_turns() -> None:
    """Under L1 44 of 72 positions on an axis as drawn; 8 or 32 of 36 at other rates of turning."""
    result = moving_costs()
    assert [int(ball.on_axis.sum()) for ball in result.balls] == [64, 44, 0, 0]
    assert [int(ball.tied.sum()) for ball in result.balls] == [0, 0, 0, 32]
    for turns, count in ((-1, 8), (3, 32)):
        other = study.moving_costs(turns, frames=36)
        assert int(other.balls[1].on_axis.sum()) == count


def test_the_level_through_the_minimiser_touches_the_ball() -> None:
    """The gradient there is a normal of the ball: for L2 along the minimiser itself."""
    result = moving_costs()
    for cost, coef in zip(result.costs, result.balls[2].coef, strict=True):
        slope, _ = cost.problem().gradient(coef)
        assert slope[0] * coef[1] == pytest.approx(slope[1] * coef[0], abs=1e-8)
        assert slope @ coef < 0


# --------------------------------------------------------------------------- clouds


def test_l1_is_the_soft_threshold_at_half_r() -> None:
    """Of each coordinate; zeros are exact."""
    result = clouds()
    x = result.points
    soft = np.sign(x) * np.maximum(np.abs(x) - result.r / 2, 0.0)
    np.testing.assert_allclose(result.clouds[0].modes, soft, atol=1e-12)
    np.testing.assert_array_equal(result.clouds[0].modes == 0, soft == 0)


def test_l2_unsquared_is_the_block_soft_threshold() -> None:
    """Shorter by r/2, in the same direction, and 0 within r/2."""
    result = clouds()
    x = result.points
    length = np.linalg.norm(x, axis=1, keepdims=True)
    block = x * np.maximum(1 - result.r / 2 / length, 0.0)
    np.testing.assert_allclose(result.clouds[1].modes, block, atol=1e-12)


def test_the_sup_norm_leaves_the_projection_on_the_l1_ball() -> None:
    """Moreau: mode plus nearest point of the L1 ball of radius r/2 is x₀."""
    result = clouds()
    for x, mode in zip(result.points, result.clouds[3].modes, strict=True):
        np.testing.assert_allclose(mode + into_l1_ball(x, result.r / 2), x, atol=1e-12)


def test_l10_modes_satisfy_their_own_conditions() -> None:
    """The pull 2(x₀ − x) is r times the norm's gradient; 0 where the dual norm is small."""
    result = clouds()
    x, modes = result.points, result.clouds[2].modes
    moved = (modes != 0).any(axis=1)
    dual = np.linalg.norm(x, ord=10 / 9, axis=1)
    np.testing.assert_array_equal(moved, 2 * dual > result.r)
    at = modes[moved]
    ratio = np.abs(at) / np.linalg.norm(at, ord=10, axis=1, keepdims=True)
    gradient = np.sign(at) * ratio**9
    np.testing.assert_allclose(2 * (x[moved] - at), result.r * gradient, atol=1e-8)


def test_l10_is_near_the_max_norm_and_never_tied() -> None:
    """Within √(r (2^0.1 − 1) ‖x‖∞) of it, by strong convexity; 0.21 at most in the cloud."""
    result = clouds()
    near, top = result.clouds[2].modes, result.clouds[3].modes
    distance = np.linalg.norm(near - top, axis=1)
    bound = np.sqrt(result.r * (2**0.1 - 1) * np.abs(top).max(axis=1))
    assert (distance <= bound + 1e-9).all()
    assert result.gap == distance.max()
    assert 0.15 < result.gap < 0.25
    assert result.clouds[2].shares["tied"] == 0.0


def test_counted_shares_of_the_cloud_are_areas() -> None:
    """4/9 on an axis and 1/9 at 0 under L1; half tied under L∞; within what a cell can do."""
    result = clouds()
    first, top = result.clouds[0].expected, result.clouds[3].expected
    assert first["zero"] == pytest.approx(1 / 9)
    assert first["axis"] - first["zero"] == pytest.approx(4 / 9)
    assert top["tied"] == pytest.approx(1 / 2)
    assert top["zero"] == pytest.approx(1 / 18)
    assert result.clouds[1].expected["zero"] == pytest.approx(math.pi / 36)
    for cloud in result.clouds:
        for key, share in cloud.shares.items():
            assert share == pytest.approx(cloud.expected[key], abs=0.015)


def test_expected_shares_by_a_fine_grid() -> None:
    """Every closed form against its condition at a million points of the square."""
    side = np.linspace(-3, 3, 1001)[:-1] + 0.003
    x = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    size = np.abs(x)
    expected = norms.expected_shares(math.inf, 3.0, 3.0)
    zero = size.sum(axis=1) <= 1.5
    tied = (np.abs(size[:, 0] - size[:, 1]) < 1.5) & ~zero
    assert expected["zero"] == pytest.approx(zero.mean(), abs=2e-3)
    assert expected["tied"] == pytest.approx(tied.mean(), abs=2e-3)
    lasso = norms.expected_shares(1.0, 3.0, 3.0)
    assert lasso["axis"] == pytest.approx((size <= 1.5).any(axis=1).mean(), abs=2e-3)
    ten = norms.expected_shares(10.0, 3.0, 3.0)["zero"]
    assert ten == pytest.approx((norms.norm(x, 10 / 9) <= 1.5).mean(), abs=2e-3)


@settings(max_examples=25, deadline=None)
@given(point, st.sampled_from([1.0, 2.0, 10.0, math.inf]), st.floats(0.1, 4))
def test_no_step_from_a_mode_goes_down(x: Vector, power: float, r: float) -> None:
    """Along sixteen directions, by a scalar search."""
    mode = norms.norm_modes(x[None], power, r)[0]

    def value(at: Vector) -> float:
        return float(((at - x) ** 2).sum() + r * np.linalg.norm(at, ord=power))

    for angle in np.arange(16) * math.pi / 16:
        step = np.array([math.cos(angle), math.sin(angle)])
        best = minimize_scalar(
            lambda t, d=step: value(mode + t * d), bounds=(-1, 1), method="bounded"
        )
        assert value(mode) <= best.fun + 1e-9


# --------------------------------------------------------------------------- densities


@pytest.mark.parametrize("power", [1.0, 2.0, 10.0, math.inf])
def test_each_density_integrates_to_1(power: float) -> None:
    """Over the plane, which is four quarters; and that of the angle over the circle."""

    def density(y: float, x: float) -> float:
        return float(np.exp(norms.log_density(np.array([[x, y]]), power, 2.0)[0]))

    # Below the diagonal, where the sup norm has no kink.
    quarter, _ = dblquad(density, 0, 12, 0, lambda x: x, epsabs=1e-7)
    assert 8 * quarter == pytest.approx(1.0, abs=1e-5)

    def angular(angle: float) -> float:
        unit = np.array([[math.cos(angle), math.sin(angle)]])
        return float(1 / (2 * norms.ball_volume(power) * norms.norm(unit, power)[0] ** 2))

    assert 8 * quad(angular, 0, math.pi / 4)[0] == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("power", [1.0, 2.0, math.inf])
def test_the_densities_are_those_of_the_priors(power: float) -> None:
    """Laplace, one unsquared group, sup norm, constants included."""
    prior = study.norm_prior(power, 2.0)
    points = np.random.default_rng(0).normal(size=(20, 2))
    ours = norms.log_density(points, power, 2.0)
    for x, each in zip(points, ours, strict=True):
        log_prior = -prior.penalty(2).value(x) - prior.log_normalizer(2)
        assert each == pytest.approx(log_prior, rel=1e-12)


def test_l1_leans_to_the_axes_and_l2_to_no_direction() -> None:
    """Density of the angle twice as high on the axes as between for L1; the reverse for L∞."""
    first, second, ten, top = densities().norms
    middle = densities().angles.size // 2
    assert first.angular[0] / first.angular[middle] == pytest.approx(2.0)
    assert top.angular[middle] / top.angular[0] == pytest.approx(2.0)
    np.testing.assert_allclose(second.angular, 1 / (2 * math.pi), rtol=1e-12)
    assert 1 < ten.angular[middle] / ten.angular[0] < 2
    assert first.on_circle[0] == pytest.approx(math.exp(-2.0))


def test_draws_follow_the_density_of_the_angle_and_none_is_on_an_axis() -> None:
    """20 000 draws of each prior, by Kolmogorov's distance at a level of 1e-6."""
    result = densities()
    limit = math.sqrt(math.log(2 / 1e-6) / 2)
    for norm in result.norms:
        assert norm.on_axis == 0
        if norm.drawn is None:
            continue
        folded = np.sort(np.arctan2(np.abs(np.sin(norm.drawn)), np.abs(np.cos(norm.drawn))))
        heights = 0.5 * (norm.angular[1:] + norm.angular[:-1]) * np.diff(result.angles)
        below = np.interp(folded, result.angles, np.append(0, np.cumsum(4 * heights)))
        ranks = (np.arange(folded.size) + 0.5) / folded.size
        assert np.abs(below - ranks).max() * math.sqrt(folded.size) < limit


# --------------------------------------------------------------------------- figures


def check_letters(figure: Figure) -> None:
    """Assert a heading, one legend, a title for each panel, letters large enough."""
    assert figure.get_suptitle()
    assert len(figure.legends) == 1
    for axes in figure.axes:
        assert axes.get_title(loc="left")
        assert min((float(text.get_fontsize()) for text in axes.texts), default=9.0) >= 9


def test_exhibits_are_of_this_document_and_have_a_figure_each() -> None:
    """Names as the command line knows them."""
    names = [exhibit.name for exhibit in study.EXHIBITS]
    assert names == [
        "ball_minimisers", "ball_landings", "moving_costs", "shrunken_clouds", "norm_densities",
    ]  # fmt: skip
    assert {exhibit.document for exhibit in study.EXHIBITS} == {5}
    assert set(names) <= set(br.figures.__all__)


@pytest.mark.parametrize("exhibit", study.EXHIBITS[4:], ids=lambda e: e.name)
def test_an_exhibit_draws_itself(exhibit: Exhibit) -> None:
    """By its own computation."""
    assert isinstance(exhibit.draw(seed=1), Figure)


def test_the_figure_of_the_minimisers_says_the_shares() -> None:
    """In the titles, and each minimiser is drawn once."""
    result = ball_minimisers()
    figure = br.figures.ball_minimisers(result)
    check_letters(figure)
    for axes, ball in zip(figure.axes, result.balls, strict=True):
        share = ball.tied.mean() if math.isinf(ball.power) else ball.on_axis.mean()
        assert f"{share:.0%}" in axes.get_title(loc="left")
        marks = [line for line in axes.get_lines() if line.get_marker() in ("D", "o")]
        assert sum(len(np.asarray(line.get_xdata())) for line in marks) == len(result.costs)


def test_the_figure_of_the_landings_has_lines_where_there_are_closed_forms() -> None:
    """Four of them, five rows of counts, and the distance of one half."""
    figure = br.figures.ball_landings(landings())
    check_letters(figure)
    (axes,) = figure.axes
    lines = [line for line in axes.get_lines() if len(np.asarray(line.get_xdata())) > 20]
    assert len(lines) == 4
    counts = [line for line in axes.get_lines() if line.get_linestyle() == "None"]
    assert len(counts) == 5
    assert "1.848" in axes.texts[0].get_text()


def test_the_strip_shows_each_ball_in_a_row() -> None:
    """At as many positions as asked for."""
    figure = br.figures.moving_costs(moving_costs(), columns=3)
    check_letters(figure)
    assert len(figure.axes) == 12
    # The tangent level and three others around each centre, and nothing else but the ball.
    assert all(len(axes.patches) == 5 for axes in figure.axes)


def test_the_figure_of_the_clouds_sets_the_prior_above_its_modes() -> None:
    """Four columns; shares in the titles below."""
    figure = br.figures.shrunken_clouds(clouds())
    check_letters(figure)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title.split()[0] for title in titles[:4]] == ["L1", "L2", "L10", "L∞"]
    assert "on an axis: 44%" in titles[4]
    assert "|x₁| = |x₂|: 50%" in titles[7]


def test_the_figure_of_the_densities_draws_four_priors_and_three_of_draws() -> None:
    """L10 has a density, but no sampler in the library."""
    figure = br.figures.norm_densities(densities())
    check_letters(figure)
    assert [len(axes.get_lines()) for axes in figure.axes] == [4, 7]
    assert "0 of 60000" in figure.axes[1].get_title(loc="left")


# --------------------------------------------------------------------------- the film


@pytest.fixture(scope="module")
def short() -> study.BallCosts:
    """Five positions of the cost."""
    return study.moving_costs(frames=5)


def test_the_gif_has_a_frame_for_each_position_and_runs_for_ever(
    short: study.BallCosts, tmp_path: Path
) -> None:
    """And frames differ."""
    path = br.figures.moving_costs_animation(short, tmp_path / "costs.gif", dpi=40)
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == 5
        assert image.info["loop"] == 0
        frames: list[Matrix] = []
        for k in range(5):
            image.seek(k)
            frames.append(np.asarray(image.convert("L"), dtype=float))
    assert all((a != b).any() for a, b in itertools.pairwise(frames))


def test_the_page_is_one_file_that_loads_nothing(short: study.BallCosts, tmp_path: Path) -> None:
    """No address in it, a frame per position, and a policy that forbids the rest."""
    path = br.figures.moving_costs_animation(short, tmp_path / "costs.HTML", dpi=40)
    page = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|src=\"(?!data:)|<link|@import", page)
    assert "default-src 'none'" in page
    frames = re.search(r"const frames = \[(.*?)\]", page, re.DOTALL)
    assert frames is not None
    assert frames[1].count(",") == 4
    assert 'aria-label="position of the cost"' in page
    assert "Of 5 positions, L½: " in page


def test_the_page_can_be_read_without_seeing_or_hearing_it_move(
    short: study.BallCosts, tmp_path: Path
) -> None:
    """A picture with a text, silent counts, less motion on request, a word without JavaScript."""
    path = br.figures.moving_costs_animation(short, tmp_path / "costs.html", dpi=40)
    page = path.read_text(encoding="utf-8")
    assert 'alt="A panel for each ball: ' in page
    assert 'aria-live="off"' in page
    assert "prefers-reduced-motion: reduce" in page
    assert '<form id="controls" hidden>' in page  # shown by the script, without which it is idle
    assert "This is the first of 5 positions" in page
    assert re.search(r'<html lang="en">.*<main>.*<h1>', page, re.DOTALL)


@pytest.mark.parametrize("heading", ["", "A cost moves around four balls"])
def test_nothing_is_cut_off_in_the_film(short: study.BallCosts, heading: str) -> None:
    """All of it is within the picture, once the layout has settled."""
    figure = next(positions(short, heading))
    canvas = FigureCanvasAgg(figure)
    for _ in range(3):
        canvas.draw()  # type: ignore[no-untyped-call]
    ink = figure.get_tightbbox()
    assert min(ink.x0, ink.y0) >= 0
    assert ink.x1 <= figure.get_figwidth()
    assert ink.y1 <= figure.get_figheight()


def test_the_whole_film_stays_under_two_megabytes(tmp_path: Path) -> None:
    """Judged by six of its frames, at the size that is written; and its paper is white."""
    result = study.moving_costs(frames=6)
    path = br.figures.moving_costs_animation(result, tmp_path / "costs.html")
    pictures = re.findall(r'"([A-Za-z0-9+/=]{1000,})"', path.read_text(encoding="utf-8"))
    assert len(pictures) == 6
    rest = path.stat().st_size - 7 * sum(map(len, pictures)) / 6  # the first is there twice
    assert 0 < rest < 10_000
    assert rest + sum(map(len, pictures)) / 6 * (study.FRAMES + 1) < 2_000_000
    with Image.open(io.BytesIO(base64.b64decode(pictures[3]))) as image:
        assert image.convert("RGB").getpixel((2, image.height // 2)) == (255, 255, 255)


def test_another_suffix_is_refused_before_anything_is_drawn(
    short: study.BallCosts, tmp_path: Path
) -> None:
    """By name, with what would do."""
    with pytest.raises(br.errors.InputError, match=r"path: must end in \.gif or \.html"):
        br.figures.moving_costs_animation(short, tmp_path / "costs.mp4")
    assert not list(tmp_path.iterdir())
