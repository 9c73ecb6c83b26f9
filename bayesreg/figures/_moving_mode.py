"""One posterior told in three variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import label, legend, sheet
from bayesreg.figures._roles import MEAN, MEDIAN, MODE, POSTERIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._moving_mode import MovingMode, Scale

_BAND = "#dddddd"
_POINTS = (("mode", MODE), ("mean", MEAN), ("median", MEDIAN))


def moving_mode(result: MovingMode) -> Figure:
    """Draw one posterior as log odds, odds and probability, and where its summaries go.

    Parameters
    ----------
    result : MovingMode
        Of `bayesreg.studies.beyond_the_mode.moving_mode`.

    Returns
    -------
    matplotlib.figure.Figure
        A density per variable; below, all summaries as probabilities.
    """
    heading = "Change the variable: the mode and the mean move, probabilities do not"
    figure = sheet(heading, 9.0, 6.0)
    grid = figure.add_gridspec(2, len(result.scales), height_ratios=(1.5, 1))
    for column, scale in enumerate(result.scales):
        _density(figure.add_subplot(grid[0, column]), scale)
    _together(figure.add_subplot(grid[1, :]), result)
    handles = [
        Line2D([], [], **POSTERIOR, label="posterior density"),
        Patch(facecolor=_BAND, label="central 80 %"),
        *(Line2D([], [], **style, label=name) for name, style in _POINTS),
    ]
    legend(figure, handles, 5)
    return figure


def _density(axes: Axes, scale: Scale) -> None:
    low, high = scale.interval
    inside = (scale.grid >= low) & (scale.grid <= high)
    axes.fill_between(scale.grid[inside], scale.density[inside], color=_BAND, linewidth=0)
    axes.plot(scale.grid, scale.density, **POSTERIOR)
    for name, style in _POINTS:
        axes.plot(getattr(scale, name), 0.0, **style, clip_on=False, zorder=5)
    axes.set_xlim(scale.grid[0], scale.grid[-1])
    axes.set_ylim(0, 1.08 * scale.density.max())
    label(axes, f"In the {scale.name}", f"{scale.name}, {scale.symbol}", "density, per unit")


def _together(axes: Axes, result: MovingMode) -> None:
    for row, scale in enumerate(result.scales):
        at = scale.as_probability
        axes.plot(
            [at["low"], at["high"]],
            [row, row],
            color=_BAND,
            linewidth=12,
            solid_capstyle="butt",
            zorder=1,
        )
        for name, style in _POINTS:
            axes.plot(at[name], row, **style, zorder=3)
        for name, away in (("mode", 6), ("mean", -16)):
            axes.annotate(
                f"{at[name]:.2f}", (at[name], row), xytext=(0, away), textcoords="offset points",
                ha="center", fontsize=ink.TEXT,
            )  # fmt: skip
    median = result.scales[0].as_probability["median"]
    axes.axvline(median, color=MEDIAN["color"], linewidth=1.2, linestyle=(0, (4, 2)), zorder=2)
    axes.annotate(
        f"median: {median:.2f} in all three", (median, 1), xycoords=("data", "axes fraction"),
        xytext=(5, -3), textcoords="offset points", va="top", fontsize=ink.TEXT,
    )  # fmt: skip
    axes.set_yticks(range(len(result.scales)), [f"in the {s.name}" for s in result.scales])
    axes.set(xlim=(0.4, 1.0), ylim=(len(result.scales) - 0.4, -0.9))
    what = f"{result.successes} successes in {result.trials} trials"
    label(axes, f"The same summaries, each as a probability; {what}", "probability", "")
