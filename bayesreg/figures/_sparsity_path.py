"""The path of sparse summaries of a posterior, and what each of them explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bayesreg.figures import _ink as ink
from bayesreg.figures._coefficient_path import spread_out
from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.figures._roles import MEAN, POSTERIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg._validation import Matrix, Vector
    from bayesreg.sparsity.decoupling import Decoupled

_KEPT: dict[str, Any] = {"color": ink.BLUE, "linestyle": "-", "linewidth": 1.5}
_LEFT: dict[str, Any] = {"color": "#aaaaaa", "linestyle": (0, (4, 1.5)), "linewidth": 0.8}
_CHOICE: dict[str, Any] = {
    "color": ink.BLACK,
    "linestyle": (0, (1, 1.2)),
    "linewidth": 1.2,
    "zorder": 1,
}
# Names at most, and the height of one as a share of the axis.
_MOST_NAMES, _LINE = 12, 0.04


def sparsity_path(result: Decoupled) -> Figure:
    """Draw decoupled shrinkage and selection.

    Parameters
    ----------
    result : Decoupled
        Of `bayesreg.sparsity.decoupled`.

    Returns
    -------
    matplotlib.figure.Figure
        Coefficients of the summaries times the sd of their column, against λ as a share of that of
        the empty model; explained variation and excess error with their intervals, against the
        number of columns.
    """
    figure = sheet("A sparse summary of a dense posterior", 10.2, 4.4)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.3, 1, 1))
    _coefficients(left, result)
    _criterion(middle, result, result.rho2, "Explained variation ρ²", "")
    _criterion(right, result, result.psi, "Excess error ψ", "units of the predictor")
    handles = [
        Line2D([], [], **_KEPT, label="kept"),
        Line2D([], [], **_LEFT, label="left out"),
        Line2D([], [], **_CHOICE, label="chosen summary"),
        Line2D([], [], **POSTERIOR, marker="o", ms=4, label=f"mean, {result.level:.3g} interval"),
        Line2D([], [], **MEAN, label="of the posterior mean"),
    ]
    legend(figure, handles, 5)
    return figure


def _coefficients(axes: Axes, result: Decoupled) -> None:
    size = result.coef * result.problem.design.column_sd
    kept = result.selection.selected
    x = result.lam[:-1] / result.lam[0] if result.lam.size > 1 else np.ones(1)
    values = size[:-1] if result.lam.size > 1 else size
    axes.axhline(0, **RULE)
    for j in np.argsort(kept, kind="stable"):
        if (values[:, j] != 0).any():
            axes.plot(x, values[:, j], **(_KEPT if kept[j] else _LEFT))
    if result.chosen < x.size:
        axes.axvline(float(x[result.chosen]), **_CHOICE)
    axes.set_xscale("log")
    axes.set_xlim(1.0, min(float(x.min()), 0.1))
    label(axes, "Coefficients", "λ / λ of the empty summary", "coefficient × sd of its column")
    _names(axes, values[-1], kept, result.problem.names)


def _names(axes: Axes, last: Vector, kept: np.ndarray[Any, Any], names: tuple[str, ...]) -> None:
    """Name the kept lines at their ends, the largest if they are many, moved apart."""
    axes.margins(y=0.06)
    low, high = axes.get_ylim()
    chosen = [j for j in np.argsort(-np.abs(last), kind="stable") if kept[j]][:_MOST_NAMES]
    if not chosen:
        return
    order = sorted(chosen, key=lambda j: float(last[j]))
    gap = _LINE * (high - low)
    places = spread_out(last[order], gap, (low + gap, high - gap))
    for j, place in zip(order, places, strict=True):
        text = axes.annotate(
            ink.label(names[j], 0.9, ink.SMALL), (1, place), xycoords=("axes fraction", "data"),
            xytext=(3, 0), textcoords="offset points", va="center", fontsize=ink.SMALL,
            color=_KEPT["color"],
        )  # fmt: skip
        text.set_parse_math(False)


def _criterion(axes: Axes, result: Decoupled, values: Matrix, title: str, unit: str) -> None:
    """Draw one point for each number of columns: the last of the path that has it."""
    sizes, chosen = result.sizes, result.chosen
    last = {int(size): k for k, size in enumerate(sizes)} | {int(sizes[chosen]): chosen}
    at = np.array([last[size] for size in sorted(last)])
    x, (mean, low, high) = sizes[at], values[at].T
    axes.axhline(float(values[-1, 0]), color=MEAN["color"], lw=0.9, zorder=1)
    axes.vlines(x, low, high, color=POSTERIOR["color"], lw=1.6)
    axes.plot(x, mean, color=POSTERIOR["color"], marker="o", ms=3.5, linestyle="")
    axes.plot(x[-1:], values[-1:, 0], **(MEAN | {"markersize": 6}), zorder=4)
    axes.axvline(float(sizes[chosen]), **_CHOICE)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    label(axes, title, "number of columns", unit)
