"""Priors exp(−r‖x‖) by direction: where a norm puts its mass, and where it does not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import label, legend, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.balls import NormDensities

_STYLES: dict[str, dict[str, Any]] = {
    "L1": {"color": ink.BLACK, "linestyle": "-", "linewidth": 1.8},
    "L2": {"color": ink.BLUE, "linestyle": (0, (1, 1.2)), "linewidth": 2.0},
    "L10": {"color": ink.VERMILLION, "linestyle": (0, (4, 1.5)), "linewidth": 1.8},
    "L∞": {"color": ink.GREEN, "linestyle": (0, (6, 1.5, 1.2, 1.5)), "linewidth": 2.0},
}
_MARKERS = {"L1": "D", "L2": "o", "L∞": "s"}
_BINS = 18


def norm_densities(result: NormDensities) -> Figure:
    """Draw each prior along a circle, and the density of its angle with that of draws.

    Parameters
    ----------
    result : NormDensities
        Of `bayesreg.studies.balls.norm_densities`.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels over the angles of one quarter; the others are the same.
    """
    figure = sheet("L1 leans to the axes, L∞ to the diagonal, L2 to no direction", 9.0, 4.3)
    circle, angular = figure.subplots(1, 2)
    degrees = np.degrees(result.angles)
    for norm in result.norms:
        circle.plot(degrees, norm.on_circle, **_STYLES[norm.name])
        angular.plot(degrees, norm.angular / _quarter(), **_STYLES[norm.name])
        if norm.drawn is not None:
            folded = np.degrees(np.arctan2(np.abs(np.sin(norm.drawn)), np.abs(np.cos(norm.drawn))))
            heights, edges = np.histogram(folded, bins=_BINS, range=(0, 90), density=True)
            middles = 0.5 * (edges[1:] + edges[:-1])
            colour = _STYLES[norm.name]["color"]
            angular.plot(
                middles, heights, linestyle="", marker=_MARKERS[norm.name], color=colour,
                markersize=4, markerfacecolor="white",
            )  # fmt: skip
    _frame(
        circle, f"Prior density at distance 1 from 0, r = {result.r:g}", "density, per unit area"
    )
    drawn = [norm for norm in result.norms if norm.drawn is not None]
    count = sum(norm.drawn.size for norm in drawn if norm.drawn is not None)
    exact = sum(norm.on_axis for norm in drawn)
    _frame(
        angular,
        f"Mass by direction: {exact} of {count} draws on an axis",
        "density of the angle, per degree",
    )
    handles = [Line2D([], [], **_STYLES[norm.name], label=norm.name) for norm in result.norms]
    handles.append(
        Line2D(
            [], [], color=ink.GREY, marker="o", linestyle="", markersize=4, markerfacecolor="white",
            label="draws from the prior",
        )
    )  # fmt: skip
    legend(figure, handles, 5)
    return figure


def _quarter() -> float:
    """Per radian of the whole circle to per degree of a quarter, which stands for all four."""
    return 180 / math.pi / 4


def _frame(axes: Axes, title: str, y: str) -> None:
    axes.set(xlim=(0, 90), xticks=[0, 15, 30, 45, 60, 75, 90], ylim=(0, None))
    label(axes, title, "angle of x, degrees (0 and 90: an axis; 45: a tie)", y)
