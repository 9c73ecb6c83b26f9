"""Mode, mean, median and draws of two coefficients, one panel per prior."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import label, legend, sheet
from bayesreg.figures._plane import draw_cloud, draw_origin, draw_regions, region_handles
from bayesreg.figures._roles import DRAWS, LEAST_SQUARES, MEAN, MEDIAN, MODE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._summaries import PosteriorSummaries, Summaries


def posterior_summaries(result: PosteriorSummaries) -> Figure:
    """Draw the posterior of the same two coefficients under several priors.

    Parameters
    ----------
    result : PosteriorSummaries
        Of `bayesreg.studies.beyond_the_mode.posterior_summaries`.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per prior: regions of highest density, draws, least squares, mode, mean, median.
    """
    figure = sheet("The same data under four priors: a point is not the posterior", 8.6, 9.0)
    panels = figure.subplots(2, 2, sharex=True, sharey=True).flat
    for axes, summaries in zip(panels, result.panels, strict=True):
        _draw(axes, summaries)
        axes.plot(*result.least_squares, **LEAST_SQUARES, zorder=4)
    handles = [
        *region_handles("the density’s mass"),
        Line2D([], [], **(DRAWS | {"markersize": 5}), label="draws"),
        Line2D([], [], **LEAST_SQUARES, label="least squares"),
        Line2D([], [], **MODE, label="mode"),
        Line2D([], [], **MEAN, label="posterior mean"),
        Line2D([], [], **MEDIAN, label="medians"),
    ]
    legend(figure, handles, 4)
    return figure


def _draw(axes: Axes, summaries: Summaries) -> None:
    draw_regions(axes, summaries.surface)
    draw_origin(axes)
    draw_cloud(axes, summaries.draws)
    axes.plot(*summaries.mean, **MEAN, zorder=6)
    axes.plot(*summaries.median, **MEDIAN, zorder=5)
    if summaries.mode is not None:
        axes.plot(*summaries.mode, **(MODE | {"markersize": 10}), zorder=4.5)
    for line, text in enumerate(_notes(summaries)):
        axes.text(
            0.97, 0.965 - 0.065 * line, text, transform=axes.transAxes, ha="right", va="top",
            fontsize=ink.TEXT,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip
    surface = summaries.surface
    axes.set(xlim=(surface.x[0], surface.x[-1]), ylim=(surface.y[0], surface.y[-1]), aspect="equal")
    rival = summaries.rival
    label(axes, f"{rival.name}: {rival.matched}", "coefficient β₁", "coefficient β₂")
    axes.label_outer()


def _notes(summaries: Summaries) -> list[str]:
    """What the points cannot say."""
    if summaries.zero.any():
        first, second = summaries.zero
        return [
            f"P(β₁ = 0) = {first:.2f}, P(β₂ = 0) = {second:.2f}",
            "no mode: an atom has no density",
        ]
    if summaries.mode is None:
        return ["no mode: infinite on the axes"]
    return ["mode: β₂ is exactly 0" if summaries.mode[1] == 0 else "mode = mean = medians"]
