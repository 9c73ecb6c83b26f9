"""One weight: its loss, two penalties, the penalised losses and their minima."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import FIRST, RULE, SECOND, label, legend, note, sheet
from bayesreg.figures._roles import LEAST_SQUARES, LIKELIHOOD, MODE, POSTERIOR, PRIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.one_weight import OneWeight, Penalised

_TOP = 4.0  # nats: what is above is of no interest


def one_weight(result: OneWeight) -> Figure:
    """Draw loss, penalty and their sum for L1 and for L2, and the minima as λ grows.

    Parameters
    ----------
    result : OneWeight
        Of `bayesreg.studies.one_weight.one_weight`.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels: L1, L2, and both minima against λ with the λ at which that of L1 reaches 0.
    """
    figure = sheet("The same λ: L1 puts the minimum at 0, L2 only nearer to it", 9.0, 4.1)
    lasso, ridge, sweep = figure.subplots(1, 3)
    _curves(lasso, result, result.lasso, f"L1: MSE + {result.lam:g}·|w|")
    _curves(ridge, result, result.ridge, f"L2: MSE + {result.lam:g}·w²")
    _minima(sweep, result)
    handles = [
        Line2D([], [], **LIKELIHOOD, label="loss: −log likelihood"),
        Line2D([], [], **PRIOR, label="penalty: −log prior"),
        Line2D([], [], **POSTERIOR, label="sum: −log posterior"),
        Line2D([], [], **LEAST_SQUARES, label="minimum of the loss"),
        Line2D([], [], **MODE, label="minimum of the sum: mode"),
    ]
    legend(figure, handles, 3)
    return figure


def _curves(axes: Axes, result: OneWeight, penalised: Penalised, title: str) -> None:
    axes.axvline(0, **RULE)
    axes.plot(result.weights, result.loss, **LIKELIHOOD)
    axes.plot(result.weights, penalised.penalty, **PRIOR)
    axes.plot(result.weights, penalised.total, **POSTERIOR)
    axes.plot(result.unpenalised, 0, **LEAST_SQUARES, clip_on=False)
    axes.plot(penalised.mode, penalised.lowest, **MODE, zorder=5)
    axes.annotate(
        f"minimum\nat w = {penalised.mode:.2g}",
        (penalised.mode, penalised.lowest),
        xytext=(0.3, 0.72 * _TOP),  # between the arms of the sum
        ha="center",
        fontsize=ink.TEXT,
        arrowprops={"arrowstyle": "-", "color": ink.GREY, "linewidth": 0.8, "shrinkB": 6},
    )
    axes.set(xlim=(-0.7, 1.3), ylim=(0, _TOP))
    label(axes, title, "weight w", "nats (= mean squared error)")


def _minima(axes: Axes, result: OneWeight) -> None:
    axes.axvline(result.critical, color=ink.GREY, linestyle=(0, (1, 2)), linewidth=1.2)
    axes.plot(result.lams, result.lasso.sweep, **FIRST, clip_on=False)
    axes.plot(result.lams, result.ridge.sweep, **SECOND)
    for penalised in (result.lasso, result.ridge):
        axes.plot(result.lam, penalised.mode, **MODE, clip_on=False, zorder=5)
    middle = result.lams.size // 5
    note(axes, f"0 from λ = {result.critical:g}", (result.critical, 0.42), (5, 0))
    note(axes, "L1", (result.lams[middle], result.lasso.sweep[middle]), (-6, -8), "right")
    note(axes, "L2", (result.lams[-1], result.ridge.sweep[-1]), (-2, 10), "right")
    axes.set(xlim=(0, float(result.lams[-1])), ylim=(0, result.unpenalised * 1.04))
    label(axes, "Where the minimum is", "λ", "weight w at the minimum")
