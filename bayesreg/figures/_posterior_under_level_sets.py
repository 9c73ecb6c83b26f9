"""The posterior density as a heat map below the level sets that touch at its mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import label, legend, sheet
from bayesreg.figures._plane import draw_origin
from bayesreg.figures._roles import (
    LEAST_SQUARES,
    LIKELIHOOD,
    MEAN,
    MEDIAN,
    MODE,
    POSTERIOR,
    PRIOR,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from bayesreg._validation import Vector
    from bayesreg.studies.level_sets import PosteriorUnder, Under

_ELLIPSE: dict[str, Any] = {**LIKELIHOOD, "linestyle": "-", "linewidth": 1.4}
_HEAT = LinearSegmentedColormap.from_list("posterior", ["white", POSTERIOR["color"], "#5b2a4a"])


def posterior_under_level_sets(result: PosteriorUnder) -> Figure:
    """Draw posterior densities, the level sets that touch at their modes, and mean and median.

    Parameters
    ----------
    result : PosteriorUnder
        Of `bayesreg.studies.level_sets.posterior_under_level_sets`.

    Returns
    -------
    matplotlib.figure.Figure
        Left L1, right L2, one row per λ, each with its own colour bar.
    """
    rows = len(result.lasso)
    heading = "Below the tangency lies a posterior: only its mode is at the corner"
    figure = sheet(heading, 9.0, 1.1 + 1.85 * rows)
    grid = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
    for axes, under in zip(grid[:, 0], result.lasso, strict=True):
        _panel(axes, result.least_squares, under, f"Laplace prior, λ = {under.lam:g}")
    for axes, under in zip(grid[:, 1], result.ridge, strict=True):
        _panel(axes, result.least_squares, under, f"Normal prior, λ = {under.lam:g}")
    for axes in grid.flat:
        axes.label_outer()
    handles = [
        Line2D([], [], **_ELLIPSE, label="level set of the loss"),
        Line2D([], [], **PRIOR, label="level set of the penalty"),
        Line2D([], [], **LEAST_SQUARES, label="least squares"),
        Line2D([], [], **MODE, label="mode"),
        Line2D([], [], **MEDIAN, label="median"),
        Line2D([], [], **MEAN, label="mean"),
    ]
    legend(figure, handles, 6)
    return figure


def _panel(axes: Axes, least_squares: Vector, under: Under, title: str) -> None:
    image = _heat(axes, under)
    # Beside these axes, and as high: one for the figure would not know the panel's height.
    bar = axes.figure.colorbar(image, cax=axes.inset_axes((1.02, 0.0, 0.035, 1.0)))
    bar.ax.tick_params(labelsize=ink.TEXT)
    bar.set_label("density, per unit²", fontsize=ink.TEXT)
    draw_origin(axes)
    touch = under.touch
    axes.plot(touch.ellipse[:, 0], touch.ellipse[:, 1], **_ELLIPSE)
    axes.plot(touch.curve[:, 0], touch.curve[:, 1], **PRIOR)
    axes.plot(*least_squares, **LEAST_SQUARES, zorder=5)
    axes.plot(*touch.point, **(MODE | {"markersize": 9}), zorder=5)
    # The median is often near the mean: the smaller of the markers on top.
    for place, style, size in ((under.mean, MEAN, 9), (under.median, MEDIAN, 5)):
        edge = {"markersize": size, "markeredgecolor": "white", "markeredgewidth": 0.7}
        axes.plot(*place, **(style | edge), zorder=6)
    x, y = under.surface.x, under.surface.y
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), aspect="equal")
    label(axes, title, "weight w₁ (crim)", "weight w₂ (zn)")


def _heat(axes: Axes, under: Under) -> AxesImage:
    x, y = under.surface.x, under.surface.y
    half_x, half_y = 0.5 * (x[1] - x[0]), 0.5 * (y[1] - y[0])
    return axes.imshow(
        np.exp(under.surface.log_density),
        cmap=_HEAT,
        vmin=0.0,
        origin="lower",
        extent=(x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y),
        interpolation="nearest",
        aspect="auto",
    )
