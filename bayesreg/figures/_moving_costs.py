"""A cost that moves around four balls: one position of it, or a strip of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesreg.figures import _ink as ink
from bayesreg.figures._ball_plane import BALL, SPECIAL, USUAL, draw_ball, draw_cost, special
from bayesreg.figures._panel import label, legend, sheet
from bayesreg.figures._roles import LEAST_SQUARES, LIKELIHOOD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.balls import BallCosts, Minimisers

_REACH = 3.1
_TRAIL: dict[str, Any] = USUAL | {"markersize": 3.5, "markeredgewidth": 0.6}
_BEEN: dict[str, Any] = SPECIAL | {"markersize": 4}
HEADING = "A cost moves around four balls and drags its minimiser along"
#: Of the film, which is narrower.
TITLE = "A cost moves around four balls"


def moving_costs(result: BallCosts, columns: int = 4) -> Figure:
    """Draw positions of a moving cost, one column each, and one row per ball.

    Parameters
    ----------
    result : BallCosts
        Of `bayesreg.studies.balls.moving_costs`.
    columns : int
        How many positions.

    Returns
    -------
    matplotlib.figure.Figure
        A strip; `moving_costs_animation` shows every position.
    """
    figure = sheet(HEADING, 8.0, 9.0)
    panels = figure.subplots(len(result.balls), columns, sharex=True, sharey=True, squeeze=False)
    count = len(result.costs)
    # Not quite evenly spaced: the way is the same in each quarter.
    shown = [int(count * (0.05 + 1.16 * k / columns)) % count for k in range(columns)]
    for row, ball in zip(panels, result.balls, strict=True):
        for axes, at in zip(row, shown, strict=True):
            draw_ball(axes, ball, _REACH)
            draw_position(axes, result, ball, at)
            _name(axes, f"{ball.name}, {at + 1} of {count}")
            axes.label_outer()
    legend(figure, _handles(), 2)
    return figure


def positions(result: BallCosts, heading: str = TITLE) -> Iterator[Figure]:
    """Yield one and the same figure at each position of the cost, for an animation.

    Parameters
    ----------
    result : BallCosts
        Of `bayesreg.studies.balls.moving_costs`.
    heading : str
        Written on top; empty where the page around it has one.

    Yields
    ------
    matplotlib.figure.Figure
        A panel per ball with the cost, its minimiser, the minimisers so far and their count.
    """
    figure = sheet(heading, 5.4, 6.7 if heading else 6.4)
    columns = -(-len(result.balls) // 2)
    room = {"hspace": 0.08}
    panels = list(figure.subplots(2, columns, sharex=True, sharey=True, gridspec_kw=room).flat)
    for axes, ball in zip(panels, result.balls, strict=True):
        draw_ball(axes, ball, _REACH)
        _name(axes, ball.name)
        axes.label_outer()
    legend(figure, _handles(), 2)
    for at in range(len(result.costs)):
        moved: list[Artist] = []
        for axes, ball in zip(panels, result.balls, strict=True):
            moved += draw_position(axes, result, ball, at)
            favoured, where = special(ball)
            done = at + 1
            count = int(favoured[:done].sum())
            axes.set_title(f"{ball.name}: {count} of {done} {where}", loc="left", fontsize=10)
        yield figure
        for artist in moved:
            artist.remove()


def draw_position(axes: Axes, result: BallCosts, ball: Minimisers, at: int) -> list[Artist]:
    """Draw the cost at one position, its minimiser, and the minimisers up to there."""
    favoured, _ = special(ball)
    before = np.arange(len(result.costs)) < at
    drawn = draw_cost(axes, result.costs[at], float(ball.losses[at]))
    drawn += axes.plot(*ball.coef[before & ~favoured].T, **_TRAIL, zorder=4)
    drawn += axes.plot(*ball.coef[before & favoured].T, **_BEEN, zorder=4)
    style = SPECIAL if favoured[at] else USUAL | {"color": ink.BLACK, "markersize": 8}
    drawn += axes.plot(*ball.coef[at], **style, zorder=5)
    return drawn


def _name(axes: Axes, title: str) -> None:
    label(axes, title, "weight w₁", "weight w₂")


def _handles() -> list[Artist]:
    return [
        Patch(**BALL, label="ball: what the constraint allows"),
        Line2D([], [], **SPECIAL, label="minimiser on an axis (L∞: at a corner)"),
        Line2D([], [], **LEAST_SQUARES, label="centre of the cost"),
        Line2D([], [], **USUAL, label="minimiser elsewhere"),
        Line2D([], [], color=LIKELIHOOD["color"], label="level that touches the ball"),
        Line2D([], [], **(LIKELIHOOD | {"linewidth": 0.9}), label="other levels of the cost"),
    ]
