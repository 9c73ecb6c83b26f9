"""The document's subgradient method on a logistic lasso: cost, and the sizes of its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, note, sheet
from bayesreg.figures._roles import DRAWS, MODE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._logistic_lasso import LassoRun, LogisticLasso

_METHOD: dict[str, Any] = {"color": ink.VERMILLION, "linestyle": "-", "linewidth": 1.3}
_LAST: dict[str, Any] = {"color": ink.VERMILLION, "marker": "^", "linestyle": "", "markersize": 4}
_DRAW: dict[str, Any] = DRAWS | {"marker": "o", "markersize": 3.5}
_SMALL: dict[str, Any] = MODE | {"markersize": 4.5}


def logistic_descent(result: LogisticLasso) -> Figure:
    """Draw the cost of the subgradient method, and how near to 0 its weights come.

    Parameters
    ----------
    result : LogisticLasso
        Of `bayesreg.studies.logistic_priors.logistic_lasso`.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each λ: the cost as the document plots it; the objective above that of the exact
        mode; the sizes of all weights at the end.
    """
    figure = sheet("5000 subgradient steps: near the mode, never at it, never a zero", 9.0, 6.2)
    panels = figure.subplots(len(result.runs), 3)
    for row, run in zip(panels, result.runs, strict=True):
        _cost(row[0], run)
        _excess(row[1], run)
        _sizes(row[2], run)
    handles = [
        Line2D([], [], **_METHOD, label="subgradient method"),
        Line2D([], [], **_LAST, label="its last iterate"),
        Line2D([], [], **_SMALL, label="exact mode"),
        Line2D([], [], **_DRAW, label="one posterior draw"),
    ]
    legend(figure, handles, 4)
    return figure


def _cost(axes: Axes, run: LassoRun) -> None:
    steps = np.arange(1, run.plotted.size + 1)
    axes.plot(steps, run.plotted, **_METHOD)
    lowest = run.lowest / run.problem.n
    axes.axhline(lowest, **RULE)
    note(axes, f"at the mode: {lowest:.3f}", (steps[-1], lowest), (0, 16), "right")
    axes.set_xlim(0, steps[-1])
    axes.set_ylim(bottom=0)
    label(axes, f"λ = {run.lam:g}: as the document plots it", "step", "mean cost, nats per row")


def _excess(axes: Axes, run: LassoRun) -> None:
    axes.plot(run.excess, **_METHOD)
    axes.set_yscale("log")
    axes.set_xlim(0, run.excess.size - 1)
    axes.set_ylim(1e-2, 2e2)
    note(axes, f"at the end {run.excess[-1]:.2g}", (run.excess.size - 1, 12.0), (0, 0), "right")
    label(axes, "Objective above the mode’s", "step", "nats")


def _sizes(axes: Axes, run: LassoRun) -> None:
    rank = np.arange(1, run.last.size + 1)
    draw, last = (np.sort(np.abs(one))[::-1] for one in (run.draws[-1], run.last))
    mode = np.sort(np.abs(run.mode.coef[run.mode.coef != 0]))[::-1]
    axes.plot(rank, draw, **_DRAW)
    axes.plot(rank, last, **_LAST)
    axes.plot(rank[: mode.size], mode, **_SMALL)
    axes.set_yscale("log")
    axes.set(xlim=(0, rank[-1] + 1), ylim=(2e-5, 20))
    zeros = rank.size - mode.size
    axes.annotate(
        f"mode: {zeros} exact zeros\nsubgradient: none", (0.04, 0.05), xycoords="axes fraction",
        fontsize=ink.TEXT,
    )  # fmt: skip
    label(axes, "Sizes of the weights, sorted", "rank", "size |w|")
