"""Level sets of a loss and of penalties, with the points of a scatter that lie near them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from bayesreg.figures._panel import label, legend, note, sheet
from bayesreg.figures._plane import draw_origin
from bayesreg.figures._roles import LEAST_SQUARES, LIKELIHOOD, PRIOR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.level_sets import LevelSets, Ring

_POINTS: dict[str, Any] = {"color": "#999999", "marker": ".", "linestyle": "", "markersize": 4}
_LOSS: dict[str, Any] = {**LIKELIHOOD, "linestyle": "-", "linewidth": 1.4}
_PENALTY: dict[str, Any] = {**PRIOR, "linewidth": 1.6}


def level_sets(result: LevelSets) -> Figure:
    """Draw exact level sets over the points that lie in bands around them.

    Parameters
    ----------
    result : LevelSets
        Of `bayesreg.studies.level_sets.level_sets`.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for the loss and one for each penalty, on the same axes.
    """
    columns = 1 + len(result.penalties)
    figure = sheet("Level sets: ellipses of the loss, curves of the penalties", 3 * columns, 3.7)
    loss, *others = figure.subplots(1, columns, sharex=True, sharey=True)
    _panel(loss, result.loss, "Loss: mean squared error", _LOSS, beside=True)
    # Smaller than elsewhere: the innermost ellipse is around it.
    loss.plot(*result.ellipses.centre, **(LEAST_SQUARES | {"markersize": 4}), zorder=5)
    for axes, (name, rings) in zip(others, result.penalties, strict=True):
        _panel(axes, rings, name, _PENALTY)
    handles = [
        Line2D([], [], **_LOSS, label="level sets of the loss"),
        Line2D([], [], **_PENALTY, label="level sets of a penalty"),
        Line2D([], [], **LEAST_SQUARES, label="least squares"),
    ]
    if result.scatter:
        points = f"of {result.scatter:,} random points, those near a level"
        handles.append(Line2D([], [], **{**_POINTS, "markersize": 5}, label=points))
    legend(figure, handles, 4)
    return figure


def _panel(
    axes: Axes, rings: Sequence[Ring], title: str, style: dict[str, Any], *, beside: bool = False
) -> None:
    draw_origin(axes)
    for ring in rings:
        axes.plot(ring.points[:, 0], ring.points[:, 1], **_POINTS)
        axes.plot(ring.curve[:, 0], ring.curve[:, 1], **style, zorder=3)
        if beside:
            note(axes, f"{ring.level:.4g}", ring.curve[ring.curve[:, 0].argmax()], (4, 0))
        else:
            lowest = ring.curve[ring.curve[:, 1].argmin()]
            note(axes, f"{ring.level:.4g}", lowest, (0, -8), "center")
    axes.set(xlim=(-2.4, 3.5), ylim=(-2.6, 2.5), aspect="equal")
    label(axes, title, "weight w₁ (crim)", "weight w₂ (zn)")
