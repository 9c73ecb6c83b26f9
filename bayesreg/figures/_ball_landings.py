"""How often a circular cost lands on an axis or a corner of a ball, by its distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, note, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayesreg.studies.balls import Landings, Share

_STYLES: dict[str, dict[str, Any]] = {
    "L½": {"color": ink.VERMILLION, "marker": "^", "linestyle": ""},
    "L1": {"color": ink.BLACK, "marker": "D", "linestyle": "-"},
    "L1.5": {"color": ink.PURPLE, "marker": "v", "linestyle": "-"},
    "L2": {"color": ink.BLUE, "marker": "o", "linestyle": "-"},
    "L∞": {"color": ink.GREEN, "marker": "s", "linestyle": (0, (6, 1.5, 1.2, 1.5))},
}


def ball_landings(result: Landings) -> Figure:
    """Draw counted shares of directions against distance, over their closed forms.

    Parameters
    ----------
    result : Landings
        Of `bayesreg.studies.balls.ball_landings`.

    Returns
    -------
    matplotlib.figure.Figure
        One panel, with the distance from which L1 lands on an axis in most directions.
    """
    figure = sheet("“Most of the time” depends on how far away the cost is", 8.0, 4.6)
    axes = figure.subplots()
    axes.axhline(0.5, **RULE)
    axes.plot([result.even] * 2, [0, 0.5], color=ink.GREY, linestyle=(0, (1, 2)), linewidth=1.2)
    for share in result.shares:
        style = _STYLES[share.name]
        if share.expected is not None:
            line = style | {"marker": "", "linewidth": 1.8}
            axes.plot(result.fine, share.expected, **line, clip_on=False)
        axes.plot(result.distances, share.counted, **_dots(share), clip_on=False, zorder=5)
    note(axes, f"L1: half of them at R = {result.even:.3f} t", (5.2, 0.5), (0, -10))
    axes.set(xlim=(1, float(result.fine[-1])), ylim=(0, 1.04))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    label(
        axes,
        f"Counted: {4 * result.directions} directions at each distance; lines: closed forms",
        "distance R of the cost's centre, in radii t of the ball",
        "share of directions",
    )
    legend(figure, [_handle(share) for share in result.shares], 3)
    return figure


def _dots(share: Share) -> dict[str, Any]:
    hollow = {"markerfacecolor": "white"} if share.power in (1.5, 2.0) else {}
    # Two balls whose share is 0 lie over each other: one mark inside the other.
    size = 10 if share.power == 1.5 else 6
    return _STYLES[share.name] | hollow | {"markersize": size, "linestyle": ""}


def _handle(share: Share) -> Line2D:
    where = "at a corner" if share.what == "corner" else "on an axis"
    if share.expected is None:
        where += " (counted only)"
    style = _dots(share)
    if share.expected is not None:
        style["linestyle"] = _STYLES[share.name]["linestyle"]
    return Line2D([], [], **style, label=f"{share.name}: {where}")
