"""Lasso coefficients beside least squares, one panel for each λ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.figures._roles import LEAST_SQUARES, MODE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.thresholding import BesideOls

# Arms long enough to show behind a diamond at the same place.
_OLS = {**LEAST_SQUARES, "markersize": 11}
_ZERO = {**MODE, "markerfacecolor": "white"}


def coefficients_beside_ols(result: BesideOls) -> Figure:
    """Draw the modes at several λ beside least squares.

    Parameters
    ----------
    result : BesideOls
        Of `bayesreg.studies.thresholding.coefficients_beside_ols`.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each λ, with one row for each coefficient; exact zeros are hollow.
    """
    names = result.path.problem.names
    height = 1.9 + 0.27 * len(names)
    figure = sheet("The lasso beside least squares, as λ grows", 9.0, height)
    panels = figure.subplots(1, len(result.lams), sharex=True, sharey=True, squeeze=False)[0]
    for k, axes in enumerate(panels):
        _panel(axes, result, k)
    panels[0].set_yticks(np.arange(len(names)), [ink.clean(name) for name in names])
    panels[0].invert_yaxis()
    handles = [
        Line2D([], [], **_OLS, label="least squares"),
        Line2D([], [], **MODE, label="lasso: mode"),
        Line2D([], [], **_ZERO, label="lasso: exactly 0"),
    ]
    legend(figure, handles, 3)
    return figure


def _panel(axes: Axes, result: BesideOls, k: int) -> None:
    rows = np.arange(result.coef.shape[1])
    mode, ols = result.coef[k], result.least_squares
    zero = mode == 0
    axes.axvline(0, **RULE)
    axes.hlines(rows, np.minimum(mode, ols), np.maximum(mode, ols), color="#cccccc", linewidth=1.5)
    axes.plot(ols, rows, **_OLS)
    axes.plot(mode[~zero], rows[~zero], **MODE)
    axes.plot(mode[zero], rows[zero], **_ZERO)
    count = int((~zero).sum())
    scale = float(result.path.scales[k])
    title = f"λ = {result.lams[k]:g}  (b = {scale:.3g})\n{count} of {rows.size} not 0"
    label(axes, title, "coefficient × column sd", "")
