"""Draws of the Bayesian lasso as columns of noise are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.figures._rivals import MARKERS, RIVALS
from bayesreg.figures._roles import MODE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._sparsity import DenseDraws

_MODE = MODE | {"linestyle": "-", "linewidth": 1.0, "markerfacecolor": "white", "markersize": 6}


def dense_draws(result: DenseDraws) -> Figure:
    """Draw how dense draws are, and how far from the truth, as columns of noise are added.

    Parameters
    ----------
    result : DenseDraws
        Of `bayesreg.studies.beyond_the_mode.dense_draws`.

    Returns
    -------
    matplotlib.figure.Figure
        Sizable coefficients per draw; distance from the truth; one draw, sorted; the distance at
        scales set by hand.
    """
    heading = f"{result.rows} rows, {result.signals} signals, more and more columns of noise"
    figure = sheet(f"{heading}: the Bayesian lasso is not sparse", 9.0, 7.4)
    panels = figure.subplots(2, 2)
    _sizable(panels[0, 0], result)
    _distance(panels[0, 1], result)
    _sorted(panels[1, 0], result)
    _scales(panels[1, 1], result)
    handles = [
        *(Line2D([], [], **_line(c.name), label=f"draws, {c.name}") for c in result.crowds),
        Line2D([], [], **_MODE, label="lasso’s mode"),
    ]
    legend(figure, handles, 4)
    return figure


def _line(name: str) -> dict[str, Any]:
    return RIVALS[name] | {"marker": MARKERS[name], "markersize": 5}


def _widths(axes: Axes, result: DenseDraws) -> None:
    axes.set_xscale("log")
    axes.set_xticks(result.widths, [f"{p}" for p in result.widths])
    axes.xaxis.set_minor_locator(NullLocator())


def _sizable(axes: Axes, result: DenseDraws) -> None:
    axes.axhline(result.signals, **RULE)
    axes.annotate(
        f"truth: {result.signals}", (1, result.signals), xycoords=("axes fraction", "data"),
        xytext=(0, -3), textcoords="offset points", ha="right", va="top", fontsize=ink.TEXT,
    )  # fmt: skip
    for crowd in result.crowds:
        axes.plot(result.widths, crowd.sizable, **_line(crowd.name))
    axes.plot(result.widths, result.mode.sizable, **_MODE)
    axes.set_yscale("log")
    ticks = (3, 10, 30, 100)
    axes.set_yticks(ticks, [f"{t}" for t in ticks])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(3, 250)
    _widths(axes, result)
    label(
        axes, f"Coefficients beyond {result.negligible:g} in a draw", "columns p",
        "number of coefficients",
    )  # fmt: skip


def _distance(axes: Axes, result: DenseDraws) -> None:
    for crowd in result.crowds:
        axes.plot(result.widths, crowd.error, **_line(crowd.name))
    axes.plot(result.widths, result.mode.error, **_MODE)
    axes.set_ylim(bottom=0)
    _widths(axes, result)
    label(axes, "How far a draw is from the truth", "columns p", "distance ‖β − β⁰‖")


def _sorted(axes: Axes, result: DenseDraws) -> None:
    rank = np.arange(1, result.truth.size + 1)
    style = {"marker": "", "drawstyle": "steps-mid"}
    for crowd in (*result.crowds, result.mode):
        sizes = np.sort(np.abs(crowd.one_draw))[::-1]
        line = _MODE if crowd is result.mode else _line(crowd.name)
        axes.plot(rank, np.maximum(sizes, 1e-9), **(line | style))
    axes.axhline(result.negligible, **RULE)
    axes.set_yscale("log")
    axes.set_xscale("log")
    axes.set(xlim=(0.9, rank[-1]), ylim=(1e-3, 5))
    label(axes, f"One draw at p = {rank.size}, sorted", "rank of the coefficient", "size |β|")


def _scales(axes: Axes, result: DenseDraws) -> None:
    by_scale = result.by_scale
    axes.plot(by_scale.scales, by_scale.draws, **_line("Laplace"))
    axes.plot(by_scale.scales, by_scale.mode, **_MODE)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    ticks = (0.01, 0.03, 0.1, 0.3)
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    learnt = result.crowds[0].scale[result.widths == by_scale.width]
    for scale in learnt:
        axes.axvline(scale, **RULE)
        axes.annotate(
            "posterior\nmedian of b", (scale, 1), xycoords=("data", "axes fraction"),
            xytext=(-4, -2), textcoords="offset points", ha="right", va="top", fontsize=ink.TEXT,
        )  # fmt: skip
    title = f"p = {by_scale.width}: no scale serves mode and draws"
    label(axes, title, "scale b of the Laplace prior", "distance ‖β − β⁰‖")
