"""The same fifty columns with few rows and with many: mode and posterior of a logistic lasso."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._logistic_weights import draw_weights, posterior_handles
from bayesreg.figures._panel import label, legend, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayesreg.studies._logistic_width import WideAndThin

_NEAREST: dict[str, Any] = {
    "color": ink.GREEN, "marker": "+", "linestyle": "", "markersize": 9, "markeredgewidth": 2,
}  # fmt: skip


def wide_and_thin(result: WideAndThin) -> Figure:
    """Draw mode and posterior of all weights on a wide matrix and on a thin one.

    Parameters
    ----------
    result : WideAndThin
        Of `bayesreg.studies.logistic_priors.wide_and_thin`.

    Returns
    -------
    matplotlib.figure.Figure
        Three rows: few rows; many with the same λ; many with the same λ per row. Left the three
        weights that matter.
    """
    figure = sheet("50 columns, 3 that matter: a wide matrix against a thin one", 9.0, 8.2)
    panels = figure.subplots(3, 2, width_ratios=(1, 4))
    shapes = (result.wide, result.thin, result.scaled)
    for row, shape in zip(panels, shapes, strict=True):
        draw_weights(row, result.truth, shape.mode.coef, shape.interval, shape.mean)
        row[0].plot([1, 2, 3], result.nearest[:3], **_NEAREST)
        label(row[0], f"{shape.rows} rows, λ = {shape.lam:g}", "", "weight w, per unit of x")
        kept = len(shape.mode.support)
        label(row[1], f"{kept} of {result.truth.size} weights of the mode not 0", "", "")
    for axes in panels[-1]:
        axes.set_xlabel("weight number", fontsize=ink.TEXT)
    nearest = Line2D([], [], **_NEAREST, label="nearest logistic regression")
    handles = posterior_handles()
    legend(figure, [handles[0], nearest, *handles[1:]], 3)
    return figure
