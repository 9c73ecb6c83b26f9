"""Ridge, lasso and elastic net on one logistic regression: priors, modes, and their zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import FIRST, RULE, SECOND, label, legend, note, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._logistic_lasso import LogisticElasticNet

_BOTH: dict[str, Any] = {"color": ink.VERMILLION, "linestyle": (0, (1, 1)), "linewidth": 2.2}
_LINES = {"ridge": SECOND, "lasso": FIRST, "elastic net": _BOTH}
_MARKERS = {"ridge": "s", "lasso": "D", "elastic net": "o"}
_APART = {"ridge": -0.25, "lasso": 0.0, "elastic net": 0.25}
_SHOWN = 12  # weights: enough to see the pattern


def logistic_elastic_net(result: LogisticElasticNet) -> Figure:
    """Draw the three penalties as priors, the modes under them, and the number of weights left.

    Parameters
    ----------
    result : LogisticElasticNet
        Of `bayesreg.studies.logistic_priors.logistic_elastic_net`.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels; hollow markers are exact zeros.
    """
    figure = sheet("Elastic net: zeros from λ₁, shrinkage from both", 9.0, 4.2)
    priors, weights, counts = figure.subplots(1, 3, width_ratios=(1, 1.4, 1))
    _priors(priors, result)
    _weights(weights, result)
    _counts(counts, result)
    formulas = {
        "ridge": f"ridge, {result.lam2:g}·|w|²",
        "lasso": f"lasso, {result.lam1:g}·|w|",
        "elastic net": "elastic net, both",
    }
    handles = [
        Line2D(
            [], [], **line, marker=_MARKERS[name], markersize=5, label=formulas[name]
        )
        for name, line in _LINES.items()
    ]  # fmt: skip
    handles.append(
        Line2D(
            [], [], color=ink.BLUE, marker="_", linestyle="", markersize=9, markeredgewidth=2,
            label="weight that made y",
        )
    )  # fmt: skip
    legend(figure, handles, 4)
    return figure


def _priors(axes: Axes, result: LogisticElasticNet) -> None:
    for one in (result.ridge, result.lasso, result.both):
        axes.plot(result.grid, np.exp(one.log_density), **_LINES[one.name])
    axes.set(xlim=(float(result.grid[0]), float(result.grid[-1])), ylim=(0, None))
    label(axes, "As priors", "weight w", "density, per unit of w")


def _weights(axes: Axes, result: LogisticElasticNet) -> None:
    number = np.arange(1, _SHOWN + 1)
    axes.axhline(0, **RULE)
    axes.plot(
        number, result.truth[:_SHOWN], color=ink.BLUE, marker="_", linestyle="", markersize=14,
        markeredgewidth=2,
    )  # fmt: skip
    for one in (result.ridge, result.lasso, result.both):
        for place, value in zip(number + _APART[one.name], one.mode.coef[:_SHOWN], strict=True):
            colour = _LINES[one.name]["color"]
            axes.plot(
                place, value, marker=_MARKERS[one.name], markersize=5, color=colour,
                markerfacecolor="white" if value == 0 else colour, linestyle="",
            )  # fmt: skip
    axes.set_xticks(number)
    label(axes, "Modes, first 12 of 50 (hollow: exactly 0)", "weight number", "weight w")


def _counts(axes: Axes, result: LogisticElasticNet) -> None:
    axes.axhline(result.truth.size, **SECOND)
    axes.axhline(len(result.lasso.mode.support), **FIRST)
    axes.plot(result.sweep, result.counts, **_BOTH)
    axes.set_xscale("log")
    axes.set(xlim=(float(result.sweep[0]), float(result.sweep[-1])), ylim=(0, 55))
    note(axes, "ridge alone", (result.sweep[0], result.truth.size), (4, -11))
    note(axes, "lasso alone", (result.sweep[0], len(result.lasso.mode.support)), (4, -11))
    label(axes, f"λ₁ = {result.lam1:g}: more λ₂, fewer zeros", "λ₂", "weights not 0, of 50")
