"""Modes of a cloud of points under four norms, and the priors that the norms are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.figures._roles import LEAST_SQUARES, MODE, PRIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.balls import Cloud, Clouds

_WAY: dict[str, Any] = {"color": ink.BLUE, "linewidth": 0.5, "alpha": 0.35}
_POINT: dict[str, Any] = LEAST_SQUARES | {"marker": ".", "markersize": 2.5, "markeredgewidth": 0}
_SPECIAL: dict[str, Any] = MODE | {"markersize": 2.8}
_USUAL: dict[str, Any] = MODE | {
    "marker": "o", "markersize": 3, "color": ink.GREY, "markerfacecolor": "white",
    "markeredgewidth": 0.6,
}  # fmt: skip
# Contours of the density, as parts of its largest value.
_LEVELS = np.exp(-np.array([3.0, 2.5, 2.0, 1.5, 1.0, 0.5, 0.0]))


def shrunken_clouds(result: Clouds) -> Figure:
    """Draw the prior of each norm, and below it the modes of a cloud.

    Parameters
    ----------
    result : Clouds
        Of `bayesreg.studies.balls.shrunken_clouds`.

    Returns
    -------
    matplotlib.figure.Figure
        A column per norm: prior density above, modes with counted shares below.
    """
    count = len(result.points)
    heading = f"Where ‖x − x₀‖² + {result.r:g}‖x‖ is smallest, for {count} x₀ spread over a square"
    figure = sheet(heading, 9.0, 6.1)
    grid = figure.subplots(2, len(result.clouds), sharex="row", sharey="row")
    for k, cloud in enumerate(result.clouds):
        _density(grid[0, k], result, cloud)
        _modes(grid[1, k], result, cloud)
    handles = [
        Line2D([], [], **_POINT | {"markersize": 7}, label="x₀: least squares"),
        Line2D([], [], **_SPECIAL | {"markersize": 6}, label="mode at 0, on an axis or tied"),
        Line2D(
            [], [], **PRIOR | {"linestyle": "-"}, label="prior density: levels half a nat apart"
        ),
        Line2D([], [], **_WAY | {"linewidth": 1.2}, label="how far the prior moves it"),
        Line2D([], [], **_USUAL | {"markersize": 6}, label="mode elsewhere"),
    ]
    legend(figure, handles, 3)
    return figure


def _density(axes: Axes, result: Clouds, cloud: Cloud) -> None:
    density = cloud.density / cloud.density.max()
    axes.contourf(result.grid, result.grid, density, levels=[*_LEVELS], cmap="Oranges", alpha=0.9)
    axes.contour(
        result.grid, result.grid, density, levels=_LEVELS[:-1], colors=PRIOR["color"],
        linewidths=0.8,
    )  # fmt: skip
    axes.axhline(0, **RULE)
    axes.axvline(0, **RULE)
    axes.set_aspect("equal")
    label(axes, f"{cloud.name} prior, exp(−{result.r:g}‖x‖)", "x₁", "x₂")
    axes.label_outer()
    axes.tick_params(labelbottom=True)


def _modes(axes: Axes, result: Clouds, cloud: Cloud) -> None:
    ends = np.stack([result.points, cloud.modes], axis=1)
    for start, end in ends[::3]:
        axes.plot(*np.column_stack([start, end]), **_WAY, zorder=1.5)
    axes.plot(*result.points.T, **_POINT, zorder=2)
    size = np.abs(cloud.modes)
    special = (cloud.modes == 0).any(axis=1) | (size[:, 0] == size[:, 1])
    axes.plot(*cloud.modes[~special].T, **_USUAL, zorder=3)
    axes.plot(*cloud.modes[special].T, **_SPECIAL, zorder=4)
    axes.set(xlim=(-result.half_side, result.half_side), aspect="equal")
    axes.set_ylim(-result.half_side, result.half_side)
    label(axes, _counts(cloud), "x₁", "x₂")
    axes.label_outer()


def _counts(cloud: Cloud) -> str:
    shares = cloud.shares
    axis = shares["axis"] - shares["zero"]
    lines = (
        f"at 0: {shares['zero']:.0%}, on an axis: {axis:.0%}",
        f"tied, |x₁| = |x₂|: {shares['tied']:.0%}",
    )
    return "\n".join(lines)
