"""A ball of the plane, a cost around it, and where that is smallest: what figures share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Ellipse

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE
from bayesreg.figures._roles import LEAST_SQUARES, LIKELIHOOD, MODE, PRIOR

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from bayesreg.studies.balls import Cost, Minimisers

BALL: dict[str, Any] = {
    "facecolor": ink.ORANGE,
    "edgecolor": "none",
    "alpha": 0.3,
}
BORDER: dict[str, Any] = {"color": PRIOR["color"], "linewidth": 1.4}
#: Minimisers: in a special place, and elsewhere.
SPECIAL: dict[str, Any] = MODE
USUAL: dict[str, Any] = {
    "color": ink.GREY,
    "marker": "o",
    "linestyle": "",
    "markersize": 5,
    "markerfacecolor": "white",
}
# Level lines of a cost, as multiples of its least value in the ball; the one that touches is thick.
_LEVELS = (0.12, 0.45, 1.0, 1.75)


def draw_ball(axes: Axes, ball: Minimisers, reach: float) -> None:
    """Fill a ball, over the lines on which a weight is 0."""
    axes.axhline(0, **RULE)
    axes.axvline(0, **RULE)
    axes.fill(ball.outline[:, 0], ball.outline[:, 1], **BALL)
    axes.plot(ball.outline[:, 0], ball.outline[:, 1], **BORDER)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")


def draw_cost(axes: Axes, cost: Cost, lowest: float) -> list[Artist]:
    """Draw centre and level lines of a cost, one of them through its minimiser in the ball."""
    drawn: list[Artist] = list(axes.plot(*cost.centre, **LEAST_SQUARES))
    for level in _LEVELS:
        half = [math.sqrt(level * lowest) / steep for steep in cost.steepness]
        ring = Ellipse(
            (float(cost.centre[0]), float(cost.centre[1])),
            2 * half[0],
            2 * half[1],
            angle=math.degrees(cost.tilt),
            fill=False,
            edgecolor=LIKELIHOOD["color"],
            linewidth=1.6 if level == 1 else 0.9,
            linestyle="-" if level == 1 else LIKELIHOOD["linestyle"],
        )
        drawn.append(axes.add_patch(ring))
    return drawn


def special(ball: Minimisers) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], str]:
    """Return which minimisers are where the ball favours them, and what to call that."""
    return (ball.tied, "at a corner") if math.isinf(ball.power) else (ball.on_axis, "on an axis")
