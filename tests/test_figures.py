"""Figures are tested on what they draw: positions, counts and boxes, not pixels."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from scipy.stats import norm
from xarray import Dataset, DataTree

import bayesreg as br
from bayesreg import figures
from bayesreg.certificate import certify
from bayesreg.comparison import Comparison
from bayesreg.figures._ink import clean, inches, label
from bayesreg.figures._kde import density
from bayesreg.map import find_map
from bayesreg.posterior import Diagnosis
from bayesreg.posterior.path import posterior_path
from bayesreg.posterior.path_result import PosteriorPath
from bayesreg.scoring import PosteriorSummary, Sampled, Score

type Array = NDArray[np.float64]

HOSTILE = (
    "$x_1$",
    "a\nb",
    "\u202eevil\u202c",
    "العمر",
    "<script>alert(1)</script>" * 3,
    "{{7*7}}",
    "\\frac{1}{2}",
    "e\u0301" * 40,
    "$\\nosuchmacro{$",
    "W" * 50 + "42",
)
OPTIMIZERS = ("ista", "coordinate_descent", "lbfgs", "sklearn_elastic_net")


def _problem(p: int, names: tuple[str, ...] | None = None, **settings: Any) -> br.Problem:
    rng = np.random.default_rng(p)
    X = rng.normal(size=(80, p)) * np.exp(rng.normal(size=p))
    y = X[:, : min(p, 3)].sum(axis=1) + rng.normal(size=80)
    prior = settings.pop("prior", br.Laplace(0.02))
    likelihood = settings.pop("likelihood", br.Gaussian(1.0))
    return br.Problem(
        X, y, likelihood=likelihood, prior=prior, names=names, standardize=True, **settings
    )


def _score(problem: br.Problem, name: str, coef: Array, *, claims: bool | None) -> Score:
    return Score(name, coef, 0.0, 0.0, certify(problem, coef), 0, 0, 0, 0.0, None, claims)


def _comparison(
    problem: br.Problem, draws: Array | None = None, given: dict[str, float] | None = None
) -> Comparison:
    """Build a comparison by hand: optimisers near the mode, draws around it."""
    mode = find_map(problem, given=given)
    rng = np.random.default_rng(1)
    unit = 1.0 / np.maximum(problem.design.X.std(axis=0), 1e-300)
    if draws is None:
        draws = mode.coef + 0.1 * unit * rng.normal(size=(400, problem.p))
    lower, median, upper = np.quantile(draws, [0.025, 0.5, 0.975], axis=0)
    posterior = PosteriorSummary(
        mean=draws.mean(axis=0),
        median=median,
        lower=lower,
        upper=upper,
        epsilon=0.02 * unit,
        near_zero=(np.abs(draws) < 0.02 * unit).mean(axis=0),
        zeros=(draws == 0).sum(axis=0).astype(np.float64),
        level=0.95,
    )
    scored = mode.conditional_problem
    scores = [_score(scored, "exact mode", mode.coef, claims=True)]
    for k, name in enumerate(OPTIMIZERS):
        scores.append(_score(scored, name, mode.coef + 0.02 * k * unit, claims=True))
    scores.append(_score(scored, "posterior mean", posterior.mean, claims=None))
    scores.append(_score(scored, "posterior median", median, claims=None))
    beta = Dataset({"beta": (("chain", "draw", "feature"), draws[None])})
    ok = True
    return Comparison(
        problem=problem,
        mode=mode,
        joint_mode=None,
        joint_refusal=None,
        scores=tuple(scores),
        failures={},
        sampled=Sampled(
            draws=DataTree.from_dict({"posterior": beta}),
            diagnosis=Diagnosis(ok, "good", 1.0, 400.0, 400.0, 0, None, None),
            posterior=posterior,
            epsilon_rule="",
        ),
    )


@pytest.fixture(scope="module")
def ten() -> Comparison:
    """Ten coefficients, some of whose modes are exactly zero."""
    comparison = _comparison(_problem(10))
    zeros = comparison.mode.coef == 0
    assert zeros.any()
    assert not zeros.all()
    return comparison


def _lines(axes: Axes, name: str) -> list[Line2D]:
    return [line for line in axes.lines if line.get_label() == name]


def _words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts).replace("\n", " ")


def _ticks(axis: Axis) -> list[Text]:
    """Tick labels within the limits; matplotlib keeps others without drawing them."""
    low, high = sorted(axis.get_view_interval())
    places, labels = axis.get_ticklocs(), axis.get_ticklabels()
    return [text for place, text in zip(places, labels, strict=True) if low <= place <= high]


def _boxes(figure: Figure) -> list[Bbox]:
    """Where all text stands: header, panel titles, tick labels, axis labels, legend entries."""
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw(renderer)
    texts = [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
    for axes in figure.axes:
        texts += [axes.title, axes.xaxis.label, axes.xaxis.get_offset_text(), *axes.texts]
        texts += [*_ticks(axes.xaxis), *_ticks(axes.yaxis)]
    return [text.get_window_extent(renderer) for text in texts if text.get_text()]


def _assert_tidy(figure: Figure) -> None:
    """Assert that no text leaves the figure or touches another."""
    boxes = _boxes(figure)
    page = figure.bbox
    for box in boxes:
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        assert page.y0 <= box.y0
        assert box.y1 <= page.y1
    for k, one in enumerate(boxes):
        for other in boxes[:k]:
            overlap = Bbox.intersection(one, other)
            assert overlap is None or min(overlap.width, overlap.height) < 1.0


# ------------------------------------------------------------------ posterior densities


@pytest.mark.parametrize("p", [1, 2, 10, 30])
def test_one_tidy_panel_per_coefficient(p: int) -> None:
    """Every coefficient has a panel, in the data's order, and no text touches another."""
    comparison = _comparison(_problem(p))
    figure = figures.posterior_densities(comparison)
    assert tuple(axes.get_title() for axes in figure.axes) == comparison.problem.names
    _assert_tidy(figure)


def test_beyond_sixty_the_largest_modes_are_shown() -> None:
    """No larger mode gives way to a smaller one, in the data's order; the figure says so."""
    comparison = _comparison(_problem(70))
    figure = figures.posterior_densities(comparison)
    titles = [axes.get_title() for axes in figure.axes]
    size = np.abs(comparison.mode.coef) * comparison.problem.design.X.std(axis=0)
    names = np.array(comparison.problem.names)
    assert len(titles) == 60
    assert set(names[size > np.sort(size)[-60]]) <= set(titles)
    assert titles == [name for name in names if name in titles]
    assert "60 of 70" in _words(figure)
    _assert_tidy(figure)


def test_a_zero_mode_is_seen(ten: Comparison) -> None:
    """A filled diamond at zero and its label mark exactly the modes that are zero."""
    for axes, mode in zip(figures.posterior_densities(ten).axes, ten.mode.coef, strict=True):
        diamonds = _lines(axes, "_zero")
        notes = [text.get_text() for text in axes.texts]
        assert len(diamonds) == int(mode == 0)
        assert notes == (["mode = 0"] if mode == 0 else [])
        for diamond in diamonds:
            assert diamond.get_xydata().tolist() == [[0.0, 0.0]]  # type: ignore[union-attr]
            assert diamond.get_marker() == "D"
            assert diamond.get_markerfacecolor() == diamond.get_color()
        (line,) = _lines(axes, "_mode")
        assert np.asarray(line.get_xdata()).tolist() == [mode, mode]


def test_each_optimizer_has_its_own_mark_at_its_answer(ten: Comparison) -> None:
    """Markers stand at the coefficients, differ, and recur in the legend."""
    figure = figures.posterior_densities(ten)
    answers = ten.scores[1:-2]
    for j, axes in enumerate(figure.axes):
        marks = [_lines(axes, f"_{score.name}")[0] for score in answers]
        places = [float(np.asarray(mark.get_xdata())[0]) for mark in marks]
        np.testing.assert_allclose(places, [score.coef[j] for score in answers])
        assert len({(mark.get_marker(), mark.get_color()) for mark in marks}) == len(answers)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    for score in answers:
        assert score.name + (" ✗" if score.verdict == "off" else "") in legend


def test_an_answer_far_away_becomes_an_arrow_at_the_edge(ten: Comparison) -> None:
    """A diverged optimiser does not squeeze the rest, and NaN is not drawn."""
    wild = ten.scores[1].coef.copy()
    wild[0], wild[1], wild[2] = 1e9, -np.inf, np.nan
    scores = (ten.scores[0], replace(ten.scores[1], coef=wild), *ten.scores[2:])
    figure = figures.posterior_densities(replace(ten, scores=scores))
    for j, marker in ((0, ">"), (1, "<")):
        axes = figure.axes[j]
        (mark,) = _lines(axes, "_ista")
        assert mark.get_marker() == marker
        assert float(np.asarray(mark.get_xdata())[0]) in axes.get_xlim()
        assert np.ptp(axes.get_xlim()) < 100
    assert not _lines(figure.axes[2], "_ista")
    assert "beyond the axis" in _words(figure)
    forest = figures.coefficients(replace(ten, scores=scores)).axes[0]
    assert [m.get_marker() for m in _lines(forest, "_ista")[:2]] == [">", "<"]


def test_the_prior_is_drawn_to_scale(ten: Comparison) -> None:
    """The grey curve is the prior density of that coefficient, on the data's scale."""
    scale = 0.02 / ten.problem.design.X.std(axis=0)
    for j, axes in enumerate(figures.posterior_densities(ten).axes):
        (line,) = _lines(axes, "_prior")
        x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        seen = ~np.isnan(y)
        expected = np.exp(-np.abs(x) / scale[j]) / (2 * scale[j])
        np.testing.assert_allclose(y[seen], expected[seen])


def test_flat_and_unknown_priors_say_what_they_are() -> None:
    """A flat prior has no height; an unknown scale is drawn at the value that the mode is given."""
    blocks = [(br.Flat(), [0]), (br.Laplace(0.02), [1, 2])]
    figure = figures.posterior_densities(_comparison(_problem(3, prior=blocks)))
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "prior density (flat: height arbitrary)" in legend
    unknown = _problem(3, prior=br.Laplace(scale=br.HalfCauchy(1.0)))
    figure = figures.posterior_densities(_comparison(unknown, given={"scale": 0.25}))
    assert "given scale = 0.25" in _words(figure)


def test_an_atom_is_a_bar_and_constant_draws_are_a_line() -> None:
    """Draws that are exactly zero are a bar as high as their share; no density is invented."""
    problem = _problem(3)
    rng = np.random.default_rng(0)
    draws = rng.normal(1.0, 0.1, size=(400, 3))
    draws[:100, 0] = 0.0
    draws[:, 1] = 0.0
    draws[:, 2] = 3.0
    figure = figures.posterior_densities(_comparison(problem, draws))
    atoms = [axes.containers for axes in figure.axes]
    assert [len(found) for found in atoms] == [1, 1, 0]
    assert "P(0) = 0.25" in figure.axes[0].texts[0].get_text()
    assert not _lines(figure.axes[1], "_posterior")
    _assert_tidy(figure)


def test_hostile_names_are_plain_text() -> None:
    """Names are drawn as they are: no formulas, one line, within the panel."""
    comparison = _comparison(_problem(10, HOSTILE))
    figure = figures.posterior_densities(comparison)
    assert not any(axes.title.get_parse_math() for axes in figure.axes)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == ["$x_1$", "a b", "evil"]
    assert titles[9].startswith("W")
    assert titles[9].endswith("42")
    _assert_tidy(figure)
    _assert_tidy(figures.coefficients(comparison))


@pytest.mark.parametrize("function", ["coefficients", "posterior_densities"])
def test_an_intercept_alone_gives_a_figure_without_axes(function: str) -> None:
    """No coefficients: the figure says so."""
    problem = br.Problem(
        np.empty((3, 0)), [1.0, 2.0, 4.0], likelihood=br.Gaussian(1.0), prior=br.Flat()
    )
    figure = getattr(figures, function)(_comparison(problem, np.empty((4, 0))))
    assert not figure.axes
    assert "no coefficients" in _words(figure)
    _assert_tidy(figure)


# ------------------------------------------------------------------ forest plot


@pytest.mark.parametrize("p", [1, 10, 30])
def test_the_forest_is_tidy(p: int) -> None:
    """One row per coefficient, in the data's order, and no text touches another."""
    comparison = _comparison(_problem(p))
    figure = figures.coefficients(comparison)
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert rows == list(comparison.problem.names)
    _assert_tidy(figure)


def test_the_forest_is_on_the_standardised_scale(ten: Comparison) -> None:
    """Intervals and modes are multiplied by the sd of the column; zeros are hollow."""
    (axes,) = figures.coefficients(ten).axes
    sd = ten.problem.design.X.std(axis=0)
    intervals, modes = _lines(axes, "_interval"), _lines(axes, "_mode")
    for j, (interval, mode) in enumerate(zip(intervals, modes, strict=True)):
        ends = np.array([ten.posterior.lower[j], ten.posterior.upper[j]]) * sd[j]
        np.testing.assert_allclose(np.asarray(interval.get_xdata(), dtype=float), ends)
        place = float(np.asarray(mode.get_xdata())[0])
        assert place == pytest.approx(ten.mode.coef[j] * sd[j])
        assert (mode.get_markerfacecolor() == "white") == (ten.mode.coef[j] == 0)


# ------------------------------------------------------------------ posterior path


def _posterior_path(p: int, names: tuple[str, ...] | None = None) -> PosteriorPath:
    """A lasso's modes on a ridge's posterior, which needs no draws: a figure does not mind."""
    problem = _problem(p, names=names, prior=br.Normal(0.2))
    return replace(posterior_path(problem, n_scales=9), problem=_problem(p, names=names))


def _panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_title()]


@pytest.mark.parametrize("p", [1, 2, 10, 30])
def test_posterior_path_is_tidy(p: int) -> None:
    """At most twelve panels, in the data's order, and no text touches another."""
    path = _posterior_path(p)
    figure = figures.posterior_path(path)
    titles = [axes.get_title() for axes in _panels(figure)]
    size = np.abs(path.median * path.problem.design.column_sd).max(axis=0)
    largest = sorted(np.argsort(-size)[:12])
    assert titles == [path.names[j] for j in largest]
    assert (f"12 of {p}, those with the largest |median|" in _words(figure)) == (p > 12)
    _assert_tidy(figure)


def test_posterior_path_takes_any_names_and_draws_those_asked_for() -> None:
    """Hostile names are text; the order is the caller's; unknown names are refused."""
    path = _posterior_path(10, HOSTILE)
    _assert_tidy(path.plot())
    plain = _posterior_path(10)
    assert [a.get_title() for a in _panels(plain.plot(["x7", 2]))] == ["x7", "x2"]
    with pytest.raises(br.errors.InputError, match="no column is named 'y'"):
        plain.plot("y")


def test_posterior_path_draws_median_band_mode_and_closeness() -> None:
    """Where they are, times the sd of the column; heavy where the mode is exactly zero."""
    path = _posterior_path(4)
    assert path.mode is not None
    figure = path.plot()
    strips = {axes.get_label(): axes for axes in figure.axes}
    zeros = 0
    for j, axes in enumerate(_panels(figure)):
        sd = path.problem.design.column_sd[j]
        for name, values in (("_median", path.median[:, j]), ("_mode", path.mode[:, j])):
            (line,) = _lines(axes, name)
            np.testing.assert_array_equal(line.get_xdata(), path.scales)
            np.testing.assert_allclose(np.asarray(line.get_ydata()), sd * values)
        low, high = (np.asarray(line.get_ydata()) for line in _lines(axes, "_hdi"))
        np.testing.assert_allclose(low, sd * path.hdi[:, j, 0])
        np.testing.assert_allclose(high, sd * path.hdi[:, j, 1])
        (heavy,) = _lines(axes, "_zero")
        np.testing.assert_array_equal(np.isnan(heavy.get_ydata()), path.mode[:, j] != 0)
        zeros += int((path.mode[:, j] == 0).sum())
        (mesh,) = strips[f"_strip{j}"].collections
        np.testing.assert_allclose(np.ravel(np.asarray(mesh.get_array())), path.near_zero[:, j])
    assert zeros > 0


def test_a_band_that_only_the_prior_holds_does_not_squeeze_the_rest() -> None:
    """It leaves the panel, at a triangle that the header explains; median and mode never do."""
    path = _posterior_path(2)
    hdi = path.hdi.copy()
    hdi[-1, 0] = -1e6, 1e6
    figure = replace(path, hdi=hdi).plot()
    axes = _panels(figure)[0]
    assert [line.get_marker() for line in _lines(axes, "_cut")] == ["v", "^"]
    assert "Triangles" in _words(figure)
    low, high = axes.get_ylim()
    assert high - low < 100
    for name in ("_median", "_mode"):
        (line,) = _lines(axes, name)
        heights = np.asarray(line.get_ydata(), dtype=np.float64)
        assert low < heights.min()
        assert heights.max() < high


@pytest.mark.parametrize("p", [2, 10])
def test_bands_are_whole(p: int) -> None:
    """A band twice as wide as all else is still inside its panel, and no triangle is drawn."""
    path = _posterior_path(p)
    wide = path.median[..., None] + 2 * (path.hdi - path.median[..., None])
    hdi = np.where(np.arange(len(path))[:, None, None] > 6, wide, path.hdi)
    figure = replace(path, hdi=hdi).plot()
    for axes in _panels(figure):
        low, high = axes.get_ylim()
        ends = np.array([line.get_ydata() for line in _lines(axes, "_hdi")])
        assert low < ends.min()
        assert ends.max() < high
        assert not _lines(axes, "_cut")
    assert "Triangles" not in _words(figure)


def test_at_one_scale_the_band_is_a_bar() -> None:
    """From one end of the interval to the other."""
    path = posterior_path(_problem(1, prior=br.Normal(0.2)), [0.2])
    (axes,) = _panels(path.plot())
    (bar,) = [lines for lines in axes.collections if lines.get_label() == "_bar"]
    ends = np.asarray(bar.get_paths()[0].vertices)[:, 1]
    np.testing.assert_allclose(ends, path.hdi[0, 0] * path.problem.design.column_sd[0])


def test_a_lone_zero_of_the_mode_is_a_dot() -> None:
    """A line through one point would not be seen; without any zero the legend names none."""
    path = _posterior_path(2)
    mode = np.ones((9, 2))
    mode[4, 0] = 0.0
    mode[:3, 1] = 0.0
    figure = _with_mode(path, mode).plot()
    dots = [_lines(axes, "_zero")[0].get_markevery() for axes in _panels(figure)]
    assert dots == [[4], []]
    for values, named in ((mode, True), (np.ones((9, 2)), False)):
        legend = [t.get_text() for t in _with_mode(path, values).plot().legends[0].get_texts()]
        assert ("mode exactly 0" in legend) == named


def _with_mode(path: PosteriorPath, mode: Array) -> PosteriorPath:
    """A path whose modes are those given."""
    other = replace(path)
    vars(other)["mode"] = mode
    return other


def test_lam_stands_below_the_last_panel_of_each_column() -> None:
    """Every panel has its scales, the last of each column λ = 1/scale beneath them."""
    figure = _posterior_path(10).plot()
    strips = [axes for axes in figure.axes if str(axes.get_label()).startswith("_strip")]
    for k, strip in enumerate(strips):
        for text in strip.get_xticklabels():
            numbers = [float(line) for line in text.get_text().split("\n")]
            assert numbers[0] == pytest.approx(text.get_position()[0], rel=0.01)
            assert len(numbers) == (2 if k >= 6 else 1)
            assert numbers[-1] == pytest.approx(numbers[0] ** (-1 if k >= 6 else 1), rel=0.01)


def test_no_coefficient_of_a_path_is_black_or_dotted() -> None:
    """Black is the axis of zeros, a dotted line the problem's own scale; no two look the same."""
    (axes, *_) = br.map_path(_problem(30), n_scales=9).plot().axes
    drawn = [line for line in axes.lines if str(line.get_label()).startswith("_coef")]
    looks = {(line.get_color(), str(line._dash_pattern)) for line in drawn}  # type: ignore[attr-defined]
    assert len(looks) == len(drawn) == 24
    assert "#000000" not in {colour for colour, _ in looks}


def test_posterior_path_of_a_prior_without_a_mode_draws_none() -> None:
    """And says so."""
    problem = _problem(2, prior=br.Horseshoe(0.2))
    path = replace(_posterior_path(2), problem=problem)
    figure = path.plot()
    assert not any(_lines(axes, "_mode") for axes in _panels(figure))
    assert "no mode" in _words(figure)
    _assert_tidy(figure)


# ------------------------------------------------------------------ parts


def test_the_density_is_normalised() -> None:
    """The curve is the density of the draws, and integrates to the share that is not an atom."""
    draws = np.random.default_rng(0).normal(2.0, 3.0, size=20_000)
    curve = density(draws)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(1.0, abs=2e-3)
    np.testing.assert_allclose(curve.y, norm.pdf(curve.x, 2.0, 3.0), atol=0.008)
    half = density(np.concatenate([draws, np.zeros(20_000)]))
    assert half.atom == 0.5
    assert np.trapezoid(half.y, half.x) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("draws", [[], [1.0], [2.0, 2.0, 2.0], [0.0, 0.0], [np.nan, np.inf]])
def test_draws_without_spread_have_no_curve(draws: list[float]) -> None:
    """Nothing to estimate gives an empty curve, not a division by zero."""
    assert density(np.array(draws)).x.size == 0


def test_heavy_tails_do_not_flatten_the_curve() -> None:
    """The ends are set by the bulk of the draws."""
    curve = density(np.random.default_rng(0).standard_cauchy(4000))
    assert np.ptp(curve.x) < 200
    assert curve.y.max() == pytest.approx(1 / np.pi, rel=0.15)


def test_labels_fit_and_keep_both_ends() -> None:
    """A long name loses its middle; control and direction marks go."""
    name = "measurement_of_the_first_visit_" * 4 + "42"
    short = label(name, 1.5)
    assert inches(short, 9.0) <= 1.5
    assert short.startswith("meas")
    assert short.endswith("42")
    assert clean("a\t\u202eb\ud800\n c") == "a b c"
    assert clean("\n") == "?"


def test_importing_bayesreg_loads_no_matplotlib_and_figures_no_pyplot() -> None:
    """Figures load on first use and leave no global state behind."""
    code = (
        "import sys, bayesreg; assert 'matplotlib' not in sys.modules; "
        "from bayesreg import figures; assert 'matplotlib' not in sys.modules; "
        "assert callable(figures.posterior_densities); assert callable(figures.coefficients); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_loading_a_figure_file_does_not_hide_the_function() -> None:
    """The registry keeps handing out functions; unknown names are an AttributeError."""
    for name in figures.__all__:
        import_module(f"bayesreg.figures._{name}")
        assert callable(getattr(figures, name))
    with pytest.raises(AttributeError, match="no attribute 'pie'"):
        getattr(figures, "pie")  # noqa: B009  (a constant name that mypy must not see)
