"""Fifty weights of a logistic lasso: true, by the subgradient method, at the mode, and draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.figures._roles import MEAN, MODE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg._validation import Matrix, Vector
    from bayesreg.studies._logistic_lasso import LogisticLasso

TRUTH: dict[str, Any] = {
    "color": ink.BLUE, "marker": "_", "linestyle": "", "markersize": 9, "markeredgewidth": 2,
}  # fmt: skip
SPREAD: dict[str, Any] = {"color": ink.SKY, "linewidth": 3.2}
DOT: dict[str, Any] = MEAN | {
    "markersize": 4.5, "markeredgecolor": "white", "markeredgewidth": 0.7,
}  # fmt: skip
DIAMOND: dict[str, Any] = MODE | {"markersize": 4.5}
HOLLOW: dict[str, Any] = DIAMOND | {"markerfacecolor": "white", "markeredgewidth": 0.9}
#: The weights that matter, and the others.
PARTS = (slice(0, 3), slice(3, None))
_LAST: dict[str, Any] = {
    "color": ink.GREEN, "marker": "x", "linestyle": "", "markersize": 5, "markeredgewidth": 1.3,
}  # fmt: skip


def logistic_weights(result: LogisticLasso) -> Figure:
    """Draw all weights for each λ.

    Parameters
    ----------
    result : LogisticLasso
        Of `bayesreg.studies.logistic_priors.logistic_lasso`.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each λ: true weights, the subgradient method's last iterate, the exact mode with
        its zeros hollow, and the posterior. Left the three weights that matter.
    """
    figure = sheet("The method ends beside the mode; the posterior is elsewhere", 9.0, 6.6)
    panels = figure.subplots(len(result.runs), 2, width_ratios=(1, 4))
    for row, run in zip(panels, result.runs, strict=True):
        draw_weights(row, result.truth, run.mode.coef, run.interval, run.mean)
        for axes, part in zip(row, PARTS, strict=True):
            axes.plot(_numbers(run.last)[part], run.last[part], **_LAST, zorder=5)
        kept = len(run.mode.support)
        label(row[0], f"λ = {run.lam:g}", "weight number", "weight w, per unit of x")
        title = f"{run.last.size - kept} of {run.last.size} weights of the mode exactly 0"
        label(row[1], title, "weight number", "")
    handles = [*posterior_handles(), Line2D([], [], **_LAST, label="subgradient, last step")]
    legend(figure, handles, 3)
    return figure


def posterior_handles() -> list[Line2D]:
    """Return what `draw_weights` draws, for a legend."""
    return [
        Line2D([], [], **TRUTH, label="weight that made y"),
        Line2D([], [], **DIAMOND, label="mode"),
        Line2D([], [], **HOLLOW, label="mode, exactly 0"),
        Line2D([], [], **SPREAD, label="90 % of posterior draws"),
        Line2D([], [], **DOT, label="posterior mean"),
    ]


def draw_weights(
    pair: Sequence[Axes], truth: Vector, mode: Vector, interval: Matrix, mean: Vector
) -> None:
    """Draw the three weights that matter and the others, each with a scale of its own."""
    for axes, part in zip(pair, PARTS, strict=True):
        number = _numbers(truth)[part]
        axes.axhline(0, **RULE)
        axes.vlines(number, interval[0, part], interval[1, part], **SPREAD)
        axes.plot(number, mean[part], **DOT)
        axes.plot(number, truth[part], **TRUTH)
        for zero, style in ((False, DIAMOND), (True, HOLLOW)):
            chosen = (mode[part] == 0) == zero
            axes.plot(number[chosen], mode[part][chosen], **style, zorder=4)
        axes.set_xlim(number[0] - 0.8, number[-1] + 0.8)
    pair[0].set_xticks([1, 2, 3])
    pair[1].set_xticks([4, *range(10, truth.size + 1, 10)])


def _numbers(weights: Vector) -> Vector:
    return np.arange(1.0, weights.size + 1)
