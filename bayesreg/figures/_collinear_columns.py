"""Two nearly equal columns under ridge and lasso."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import label, legend, sheet
from bayesreg.figures._plane import draw_cloud, draw_origin, draw_regions, region_handles
from bayesreg.figures._roles import DRAWS, MEAN, MODE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._collinear import CollinearColumns, Ridge

_TRUTH: dict[str, Any] = {"color": ink.ORANGE, "marker": "*", "linestyle": "", "markersize": 11}
_TRUTH |= {"markeredgecolor": ink.BLACK, "markeredgewidth": 0.6}
_BINS = np.linspace(0, 1, 21).tolist()


def collinear_columns(result: CollinearColumns) -> Figure:
    """Draw modes, means and posteriors of two coefficients whose columns hardly differ.

    Parameters
    ----------
    result : CollinearColumns
        Of `bayesreg.studies.beyond_the_mode.collinear_columns`.

    Returns
    -------
    matplotlib.figure.Figure
        Both posteriors; below, how modes and means share out the sum over repeated noise.
    """
    heading = (
        f"Two columns of correlation {result.correlation:.3f}: "
        "ridge splits, lasso picks, the posterior is a ridge"
    )
    figure = sheet(heading, 8.6, 8.0)
    panels = figure.subplots(2, 2, height_ratios=(2.1, 1))
    for column, ridge in enumerate((result.ridge, result.lasso)):
        _plane(panels[0, column], result, ridge)
        _shares(panels[1, column], ridge)
    handles = [
        *region_handles("the posterior"),
        Line2D([], [], **(DRAWS | {"markersize": 5}), label="draws"),
        Line2D([], [], **MODE, label="mode"),
        Line2D([], [], **MEAN, label="posterior mean"),
        Line2D([], [], **_TRUTH, label="truth"),
    ]
    legend(figure, handles, 4)
    return figure


def _plane(axes: Axes, result: CollinearColumns, ridge: Ridge) -> None:
    draw_regions(axes, ridge.surface)
    draw_origin(axes)
    draw_cloud(axes, ridge.draws, 500)
    axes.plot(*result.truth, **_TRUTH, zorder=4)
    axes.plot(*ridge.mean, **MEAN, zorder=6)
    axes.plot(*ridge.mode, **(MODE | {"markersize": 10}), zorder=5)
    axes.text(
        0.97, 0.96,
        f"sd(β₁ + β₂) = {ridge.sd_sum:.2f}\nsd(β₁ − β₂) = {ridge.sd_difference:.2f}\n"
        f"(prior: {result.prior_sd_difference:.2f} each)",
        transform=axes.transAxes, ha="right", va="top", fontsize=ink.TEXT,
    )  # fmt: skip
    x, y = ridge.surface.x, ridge.surface.y
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), aspect="equal")
    name = {"Gaussian": "Gaussian prior: ridge", "Laplace": "Laplace prior: lasso"}
    label(axes, name[ridge.rival.name], "coefficient β₁", "coefficient β₂")


def _shares(axes: Axes, ridge: Ridge) -> None:
    axes.hist(ridge.mode_share, _BINS, color=ink.GREY, edgecolor=ink.BLACK, linewidth=0.6)
    axes.hist(
        ridge.mean_share, _BINS, histtype="step", color=MEAN["color"], linewidth=2.0,
        linestyle=(0, (4, 1.5)),
    )  # fmt: skip
    picked = int(np.isin(ridge.mode_share, (0, 1)).sum())
    repeats = ridge.mode_share.size
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.18 * axes.get_ylim()[1])
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    label(
        axes,
        f"Noise drawn {repeats} times: {picked} modes use one column",
        "share of the first column, β₁/(β₁ + β₂)",
        "data sets",
    )
    axes.legend(
        handles=[
            Line2D([], [], color=ink.GREY, linewidth=6, label="mode"),
            Line2D([], [], color=MEAN["color"], linewidth=2, linestyle=(0, (4, 1.5)), label="mean"),
        ],
        fontsize=ink.TEXT, frameon=False, loc="upper center", ncols=2, borderaxespad=0.1,
    )  # fmt: skip
