"""What the figures of the documents share: a heading, panels with labelled axes, one legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from matplotlib.figure import Figure

from bayesreg.figures import _ink as ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from bayesreg._validation import Vector

#: Two penalties, or two methods, side by side: told apart by dashes as well.
FIRST: dict[str, Any] = {"color": ink.BLACK, "linestyle": "-", "linewidth": 1.8}
SECOND: dict[str, Any] = {"color": ink.GREEN, "linestyle": (0, (6, 1.5, 1.2, 1.5)), "linewidth": 2}
RULE: dict[str, Any] = {"color": ink.GREY, "linestyle": "-", "linewidth": 0.8, "zorder": 1}

_HEADING, _PANEL = 11, 10


def sheet(heading: str, width: float, height: float) -> Figure:
    """Make a figure of a size in inches that lays its panels out itself; it may have no heading."""
    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    if heading:
        figure.suptitle(heading, x=0.012, ha="left", fontsize=_HEADING, weight="bold")
    return figure


def label(axes: Axes, title: str, x: str, y: str) -> None:
    """Write title and axis labels, and take away the frame where there is no axis."""
    axes.set_title(title, loc="left", fontsize=_PANEL)
    axes.set_xlabel(x, fontsize=ink.TEXT)
    axes.set_ylabel(y, fontsize=ink.TEXT)
    axes.tick_params(labelsize=ink.TEXT)
    axes.spines[["top", "right"]].set_visible(False)


def legend(figure: Figure, handles: Sequence[Artist], columns: int) -> None:
    """Write one legend below all panels, where it covers nothing."""
    figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=columns,
        fontsize=ink.TEXT,
        frameon=False,
        columnspacing=1.6,
    )


def note(
    axes: Axes,
    text: str,
    place: tuple[float, float] | Vector,
    offset: tuple[float, float],
    side: Literal["left", "center", "right"] = "left",
    ground: str = "white",
) -> None:
    """Write beside a place of the data, `offset` points away, over lines that are in the way."""
    axes.annotate(
        text,
        (float(place[0]), float(place[1])),
        xytext=offset,
        textcoords="offset points",
        ha=side,
        va="center",
        fontsize=ink.TEXT,
        zorder=6,
        bbox={"facecolor": ground, "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
    )
