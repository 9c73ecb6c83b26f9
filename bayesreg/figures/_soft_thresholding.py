"""Soft thresholding: the first step worked out, the way to the optimum, the gap at each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import FIRST, RULE, SECOND, label, legend, note, sheet
from bayesreg.figures._roles import LIKELIHOOD, MODE, POSTERIOR, PRIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.thresholding import Thresholding

# Nats above the mode of the level curves.
_LEVELS = (0.03, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
_DOT: dict[str, Any] = {"color": ink.BLACK, "marker": "o", "markersize": 3.5}


def soft_thresholding(result: Thresholding) -> Figure:
    """Draw the iteration of the lecture, from its first step to the certified optimum.

    Parameters
    ----------
    result : Thresholding
        Of `bayesreg.studies.thresholding.soft_thresholding`.

    Returns
    -------
    matplotlib.figure.Figure
        Left the plane of both weights, with level curves of the objective and every iterate; right
        the first step of each weight, and the duality gap of every iterate.
    """
    figure = sheet("One soft-thresholding step, and the way to the optimum", 9.0, 5.4)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1.0), height_ratios=(0.8, 1.0))
    _plane(figure.add_subplot(grid[:, 0]), result)
    _first_step(figure.add_subplot(grid[0, 1]), result)
    _gaps(figure.add_subplot(grid[1, 1]), result)
    handles = [
        Line2D([], [], **{**LIKELIHOOD, "linestyle": "-"}, label="gradient step on the loss"),
        Line2D([], [], **{**PRIOR, "linestyle": "-"}, label="soft threshold (prior)"),
        Line2D([], [], **{**POSTERIOR, "linewidth": 1.0}, label="level curves of the sum"),
        Line2D([], [], **_DOT, linewidth=0.9, label="iterates"),
        Line2D([], [], **MODE, label="exact mode"),
    ]
    legend(figure, handles, 5)
    return figure


def _plane(axes: Axes, result: Thresholding) -> None:
    lowest = result.descent.problem.penalised(result.optimum.coef)
    levels = [lowest + level for level in _LEVELS]
    axes.axvline(0, **RULE)
    axes.contour(
        result.w1, result.w2, result.surface, levels=levels, colors=POSTERIOR["color"],
        linewidths=1.0,
    )  # fmt: skip
    points = result.descent.points
    axes.plot(points[1:, 0], points[1:, 1], **_DOT, linewidth=0.9)
    _arrow(axes, points[0], result.moved, LIKELIHOOD["color"])
    _arrow(axes, result.moved, result.shrunk, PRIOR["color"])
    axes.plot(*result.optimum.coef, **MODE, zorder=5)
    mode = result.optimum.coef
    note(axes, f"start ({points[0][0]:g}, {points[0][1]:g})", points[0], (8, -4))
    note(axes, f"({result.moved[0]:.2f}, {result.moved[1]:.2f})", result.moved, (6, 6))
    note(axes, f"({result.shrunk[0]:.2f}, {result.shrunk[1]:.2f})", result.shrunk, (8, -8))
    note(axes, f"mode ({mode[0]:g}, {mode[1]:.2g}),\nstep {result.arrival}", mode, (12, 20))
    axes.set(xlim=(float(result.w1[0]), float(result.w1[-1])))
    axes.set(ylim=(float(result.w2[0]), float(result.w2[-1])))
    label(axes, "All steps", "weight w₁", "weight w₂")


def _arrow(axes: Axes, start: Any, end: Any, colour: str) -> None:
    axes.annotate(
        "", end, xytext=start,
        arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.0, "shrinkA": 0,
                    "shrinkB": 0},
        zorder=4,
    )  # fmt: skip


def _first_step(axes: Axes, result: Thresholding) -> None:
    for row, (start, moved, shrunk) in enumerate(
        zip(result.descent.points[0], result.moved, result.shrunk, strict=True)
    ):
        high, low = 1 - row + 0.12, 1 - row - 0.16
        _arrow(axes, (start, high), (moved, high), LIKELIHOOD["color"])
        _arrow(axes, (moved, low), (shrunk, low), PRIOR["color"])
        axes.plot(start, high, **_DOT)
        axes.plot(shrunk, low, **_DOT)
        slope, taken = float(result.gradient[row]), result.nats.threshold
        gain = f"gradient {slope:.1f}: {moved - start:+.2f}".replace("-", "−")
        note(axes, gain, (0.5 * (start + moved), high), (0, 9), "center")
        note(axes, f"{moved:.2f}", (moved, high), (6, 0))
        note(axes, f"threshold: −{taken:.1g}, to {shrunk:.2f}", (shrunk, low), (-6, 0), "right")
    axes.set(xlim=(0.42, 1.52), ylim=(-0.45, 1.55))
    axes.set_yticks([1, 0], ["w₁", "w₂"])
    axes.tick_params(axis="y", length=0)
    label(axes, "The first step", "weight", "")
    axes.spines["left"].set_visible(False)


def _gaps(axes: Axes, result: Thresholding) -> None:
    steps = np.arange(result.gaps.size)
    before = steps < result.arrival
    axes.plot(steps[before], result.gaps[before], **FIRST, marker="o", markersize=3.5)
    axes.plot(steps[before], result.excess[before], **SECOND)
    axes.axvline(result.arrival, color=ink.GREY, linestyle=(0, (1, 2)), linewidth=1.2)
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(MultipleLocator(5))
    axes.set(xlim=(0, result.arrival + 7))
    note(axes, f"both 0\nat step {result.arrival}", (result.arrival, 1.0), (5, 0))
    middle = int(result.arrival * 0.5)
    note(axes, "gap", (middle, result.gaps[middle]), (8, 12))
    note(axes, "excess", (middle, result.excess[middle]), (-14, -14), "right")
    label(axes, "Duality gap, and true excess", "step", "nats")
