"""A forest plot: all coefficients on one axis, in units of the standardised columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bayesreg.figures import _ink as ink

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg._validation import Vector
    from bayesreg.comparison import Comparison
    from bayesreg.figures._ink import Answer
    from bayesreg.scoring import PosteriorSummary

# Inches: the figure, at most for names, a coefficient's interval, and a lane of optimisers.
_WIDTH, _NAMES, _TALL, _LANE = 9.6, 2.1, 0.26, 0.075


def coefficients(comparison: Comparison) -> Figure:
    """Draw interval, mean, median, exact mode and the optimisers' answers of every coefficient.

    Parameters
    ----------
    comparison : Comparison
        Of `compare`.

    Returns
    -------
    matplotlib.figure.Figure
        One row per coefficient in the data's order. Coefficients are multiplied by the standard
        deviation of their column, so that they share an axis. A marker is hollow where the
        estimate is exactly 0; without draws there are no intervals. Beyond 60 coefficients a choice
        is drawn, as in `posterior_densities`.
    """
    chosen = ink.shown(comparison)
    answers = ink.answers(comparison)
    limits = _limits(comparison, chosen, answers)
    row = _TALL + _LANE * len(answers)
    body = max(1, len(chosen)) * row
    sheet = ink.page(
        comparison,
        _subtitle(comparison, limits),
        _handles(comparison, answers),
        width=_WIDTH,
        body=body,
    )
    height = sheet.figure.get_figheight()
    if not chosen:
        return sheet.figure
    names = [ink.label(comparison.problem.names[j], _NAMES) for j in chosen]
    left = 0.3 + max(ink.inches(name, ink.TEXT) for name in names)
    axes = sheet.figure.add_axes(
        (left / _WIDTH, sheet.bottom / height, (_WIDTH - left - 0.25) / _WIDTH, body / height)
    )
    axes.set_ylim(body, 0)
    axes.set_xlim(*limits)
    for k, j in enumerate(chosen):
        if k % 2:
            axes.axhspan(k * row, (k + 1) * row, color=ink.LIGHT, lw=0, zorder=0)
        _draw(axes, comparison, j, k * row + 0.5 * _TALL, answers)
    _style(axes, names, row)
    return sheet.figure


def _limits(
    comparison: Comparison, chosen: tuple[int, ...], answers: tuple[Answer, ...]
) -> tuple[float, float]:
    keep, scale = list(chosen), ink.spread(comparison)

    def scaled(values: Vector) -> list[float]:
        numbers: list[float] = (values * scale)[keep].tolist()
        return numbers

    vectors = [comparison.mode.coef]
    if comparison.sampled is not None:
        post = comparison.posterior
        vectors += [post.lower, post.upper, post.mean, post.median]
    inside = [value for vector in vectors for value in scaled(vector)]
    maybe = [value for answer in answers for value in scaled(answer.score.coef)]
    return ink.view([0.0, *inside], maybe)


def _draw(
    axes: Axes, comparison: Comparison, j: int, y: float, answers: tuple[Answer, ...]
) -> None:
    unit, mode = float(ink.spread(comparison)[j]), float(comparison.mode.coef[j])
    if comparison.sampled is not None:
        _draw_posterior(axes, comparison.posterior, j, y, unit)
    axes.plot(
        [mode * unit],
        [y],
        ls="",
        marker="D",
        ms=5.5,
        color=ink.BLACK,
        markerfacecolor="white" if mode == 0 else ink.BLACK,
        zorder=4,
        label="_mode",
    )
    for k, answer in enumerate(answers):
        value = float(answer.score.coef[j])
        below = y + 0.5 * _TALL + (k + 0.25) * _LANE
        ink.mark(axes, value * unit, below, answer, size=3.6, hollow=value == 0)


def _draw_posterior(axes: Axes, post: PosteriorSummary, j: int, y: float, unit: float) -> None:
    ends = [post.lower[j] * unit, post.upper[j] * unit]
    axes.plot(ends, [y, y], color=ink.SKY, lw=4, solid_capstyle="butt", zorder=2, label="_interval")
    for x, colour in ((post.mean[j], ink.VERMILLION), (post.median[j], ink.GREEN)):
        axes.plot([x * unit] * 2, [y - 0.08, y + 0.08], color=colour, lw=1.6, zorder=3)


def _style(axes: Axes, names: list[str], row: float) -> None:
    axes.axvline(0, color=ink.GREY, lw=0.8, zorder=1)
    axes.set_yticks([row * (k + 0.5) for k in range(len(names))], names, fontsize=ink.TEXT)
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
        text.set_usetex(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=ink.SMALL, length=2.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8))
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.set_xlabel("coefficient × sd of its column", fontsize=ink.TEXT, labelpad=2)


def _subtitle(comparison: Comparison, limits: tuple[float, float]) -> str:
    if comparison.problem.p == 0:
        return "There are no coefficients to draw: the problem has an intercept only."
    keep, scale = list(ink.shown(comparison)), ink.spread(comparison)
    beyond = any(
        not limits[0] <= x <= limits[1]
        for answer in ink.answers(comparison)
        for x in (answer.score.coef * scale)[keep].tolist()
    )
    what = f"Coefficients times the sd of their column{ink.choice(comparison)}."
    return f"{what} Hollow markers are exactly 0.{ink.notes(comparison, beyond=beyond)}"


def _handles(comparison: Comparison, answers: tuple[Answer, ...]) -> list[Artist]:
    handles: list[Artist] = []
    if comparison.sampled is not None:
        level = f"posterior: {100 * comparison.posterior.level:g} % interval, equal tails"
        handles += [
            Line2D([], [], color=ink.SKY, lw=4, label=level),
            _tick_handle(ink.VERMILLION, "posterior mean"),
            _tick_handle(ink.GREEN, "posterior median"),
        ]
    handles.append(_mode_handle(ink.BLACK, "exact mode"))
    if (comparison.mode.coef == 0).any():
        handles.append(_mode_handle("white", "exact mode = 0"))
    return [*handles, *ink.answer_handles(answers)]


def _tick_handle(colour: str, label: str) -> Line2D:
    return Line2D([], [], color=colour, ls="", marker="|", ms=9, mew=1.6, label=label)


def _mode_handle(face: str, label: str) -> Line2D:
    return Line2D(
        [], [], color=ink.BLACK, ls="", marker="D", ms=5.5, markerfacecolor=face, label=label
    )
