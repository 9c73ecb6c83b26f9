"""Random costs, and where each is smallest in four balls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesreg.figures import _ink as ink
from bayesreg.figures._ball_plane import BALL, SPECIAL, USUAL, draw_ball, special
from bayesreg.figures._panel import label, legend, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.balls import BallCosts, Minimisers

_REACH = 1.22
_WAY: dict[str, Any] = {"color": ink.BLUE, "linewidth": 0.4, "alpha": 0.45}


def ball_minimisers(result: BallCosts) -> Figure:
    """Draw the minimisers of random costs in each ball, and count those in a special place.

    Parameters
    ----------
    result : BallCosts
        Of `bayesreg.studies.balls.ball_minimisers`.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per ball.
    """
    count = len(result.costs)
    figure = sheet(f"The same {count} random costs, each smallest somewhere in a ball", 9.0, 3.5)
    panels = figure.subplots(1, len(result.balls), sharex=True, sharey=True)
    for axes, ball in zip(panels, result.balls, strict=True):
        _panel(axes, result, ball)
    handles = [
        Patch(**BALL, label="ball: what the constraint allows"),
        Line2D([], [], **_WAY, label="towards the centre of the cost, outside"),
        Line2D([], [], **SPECIAL, label="minimiser on an axis (L∞: at a corner)"),
        Line2D([], [], **USUAL, label="minimiser elsewhere"),
    ]
    legend(figure, handles, 2)
    return figure


def _panel(axes: Axes, result: BallCosts, ball: Minimisers) -> None:
    draw_ball(axes, ball, _REACH)
    for cost, place in zip(result.costs, ball.coef, strict=True):
        axes.plot(*np.column_stack([place, cost.centre]), **_WAY, zorder=1.5)
    favoured, where = special(ball)
    axes.plot(*ball.coef[~favoured].T, **USUAL, zorder=4)
    axes.plot(*ball.coef[favoured].T, **SPECIAL, zorder=5)
    label(axes, f"{ball.name}: {favoured.mean():.0%} {where}", "weight w₁", "weight w₂")
    axes.label_outer()
