"""One loss and several priors: the level sets that touch at the mode of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import label, legend, sheet
from bayesreg.figures._plane import draw_origin
from bayesreg.figures._roles import LEAST_SQUARES, LIKELIHOOD, MEAN, MODE, PRIOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.level_sets import Touch

_ELLIPSE: dict[str, Any] = {**LIKELIHOOD, "linestyle": "-", "linewidth": 1.4}
_COLUMNS = 4


def level_sets_of_priors(result: Sequence[Touch]) -> Figure:
    """Draw, for each prior, the level sets of loss and prior through the mode.

    Parameters
    ----------
    result : sequence of Touch
        Of `bayesreg.studies.level_sets.level_sets_of_priors`.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per prior; where the density has a pole, and so no mode, the curves are those
        through the posterior mean, and cross there.
    """
    rows = math.ceil(len(result) / _COLUMNS)
    figure = sheet(
        "One loss, several priors: the mode is where the curves touch", 9.0, 1.1 + 2.15 * rows
    )
    grid = figure.subplots(
        rows, min(_COLUMNS, len(result)), sharex=True, sharey=True, squeeze=False
    )
    for axes, touch in zip(grid.flat, result, strict=False):
        _panel(axes, touch)
    for spare in grid.flat[len(result) :]:
        spare.set_visible(False)
    for axes in grid.flat:
        axes.label_outer()
    handles = [
        Line2D([], [], **_ELLIPSE, label="level set of the loss"),
        Line2D([], [], **PRIOR, label="level set of the prior"),
        Line2D([], [], **MODE, label="mode"),
        Line2D([], [], **LEAST_SQUARES, label="least squares"),
    ]
    if any(touch.certificate is None for touch in result):
        handles.append(Line2D([], [], **MEAN, label="posterior mean, where there is no mode"))
    legend(figure, handles, 4 if len(handles) == 4 else 3)
    return figure


def _panel(axes: Axes, touch: Touch) -> None:
    draw_origin(axes)
    axes.plot(touch.ellipse[:, 0], touch.ellipse[:, 1], **_ELLIPSE)
    axes.plot(touch.curve[:, 0], touch.curve[:, 1], **PRIOR)
    axes.plot(*touch.least_squares, **LEAST_SQUARES, zorder=5)
    axes.plot(*touch.point, **(MEAN if touch.certificate is None else MODE), zorder=6)
    axes.set(xlim=(-0.75, 1.05), ylim=(-0.75, 0.85), aspect="equal")
    label(axes, ink.clean(touch.name), "weight w₁ (crim)", "weight w₂ (zn)")
