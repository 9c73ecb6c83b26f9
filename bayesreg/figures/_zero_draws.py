"""Zeros of the mode beside zeros of draws, coefficient by coefficient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.figures._rivals import MARKERS, RIVALS
from bayesreg.figures._roles import MODE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._sparsity import ZeroDraws

_APART = 0.27


def zero_draws(result: ZeroDraws) -> Figure:
    """Draw which coefficients the mode sets to 0, and how many draws do.

    Parameters
    ----------
    result : ZeroDraws
        Of `bayesreg.studies.beyond_the_mode.zero_draws`.

    Returns
    -------
    matplotlib.figure.Figure
        Intervals and mode; share of draws exactly 0; number of zeros per draw.
    """
    figure = sheet("Zeros of the mode are not zeros of the posterior: diabetes data", 9.0, 5.2)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 1, 0.9))
    _intervals(left, result)
    _shares(middle, result)
    _counts(right, result)
    hollow = MODE | {"markerfacecolor": "white"}
    handles = [
        Line2D([], [], **MODE, label="lasso’s mode"),
        Line2D([], [], **hollow, label="lasso’s mode, exactly 0"),
        *(
            Line2D(
                [], [], color=RIVALS[z.name]["color"], marker=MARKERS[z.name], linewidth=2,
                markersize=5, label=f"draws under {z.name}",
            )
            for z in result.zeros
        ),
    ]  # fmt: skip
    legend(figure, handles, 3)
    return figure


def _intervals(axes: Axes, result: ZeroDraws) -> None:
    rows = np.arange(len(result.names))
    axes.axvline(0, **RULE)
    for k, zeros in enumerate(result.zeros):
        colour, at = RIVALS[zeros.name]["color"], rows + _APART * (k - 1)
        axes.hlines(at, *zeros.interval.T, color=colour, linewidth=2)
        axes.plot(
            zeros.median, at, linestyle="", color=colour, marker=MARKERS[zeros.name], markersize=3.5
        )
        if zeros.mode is None:
            continue
        for j, value in enumerate(zeros.mode):
            face = {"markerfacecolor": "white"} if value == 0 else {}
            axes.plot(value, rows[j], **(MODE | face | {"markersize": 5.5}), zorder=5)
    _names(axes, result)
    label(axes, "Mode; median and 90 % of draws", "coefficient × sd of its column", "")


def _shares(axes: Axes, result: ZeroDraws) -> None:
    rows = np.arange(len(result.names))
    for k, zeros in enumerate(result.zeros):
        line, at = RIVALS[zeros.name], rows + _APART * (k - 1)
        axes.hlines(at, 0, zeros.share, color=line["color"], linewidth=2)
        axes.plot(
            zeros.share, at, linestyle="", color=line["color"], marker=MARKERS[zeros.name],
            markersize=4.5, clip_on=False, zorder=4,
        )  # fmt: skip
    _names(axes, result)
    axes.set_xlim(0, 1)
    label(axes, "Draws that are exactly 0", "share of the draws", "")


def _names(axes: Axes, result: ZeroDraws) -> None:
    axes.set_yticks(range(len(result.names)), [ink.clean(name) for name in result.names])
    axes.set_ylim(len(result.names) - 0.5, -0.5)


def _counts(axes: Axes, result: ZeroDraws) -> None:
    spiked = result.zeros[-1]
    number = np.arange(spiked.counts.size)
    axes.bar(number, spiked.counts, color=RIVALS[spiked.name]["color"], width=0.75)
    lasso = result.zeros[0]
    if lasso.mode is not None:
        of_mode = int((lasso.mode == 0).sum())
        axes.axvline(of_mode, color=ink.BLACK, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.annotate(
            f"lasso’s mode: {of_mode}", (of_mode, 1), xycoords=("data", "axes fraction"),
            xytext=(5, -4), textcoords="offset points", va="top", fontsize=ink.TEXT,
        )  # fmt: skip
    axes.set_ylim(0, 1.25 * spiked.counts.max())
    axes.set_xlim(-0.6, number[-1] + 0.6)
    axes.set_xticks(number[::2])
    label(axes, "Zeros per draw, spike and slab", "coefficients exactly 0", "share of the draws")
