"""Training score and score on new rows as columns of pure noise are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, note, sheet
from bayesreg.figures._rivals import MARKERS, RIVALS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._logistic_width import NoiseColumns

_FLAT: dict[str, Any] = {"color": ink.VERMILLION, "linestyle": (0, (5, 2)), "linewidth": 1.8}


def noise_columns(result: NoiseColumns) -> Figure:
    """Draw both scores for a wide matrix and for a thin one.

    Parameters
    ----------
    result : NoiseColumns
        Of `bayesreg.studies.logistic_priors.noise_columns`.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each height: left the score on the rows of the fit, right on new ones.
    """
    figure = sheet(
        "Columns of pure noise raise the training score, not the score on new rows", 9.0, 6.6
    )
    panels = figure.subplots(len(result.heights), 2, sharex=True, sharey="row")
    for k, (row, rows) in enumerate(zip(panels, result.heights, strict=True)):
        low = float(np.nanmin([(each.training, each.fresh) for each in result.scores[k]]))
        row[0].set_ylim(1.08 * low, -0.04 * low)
        _lines(row[0], result, k, f"Fitted on {rows} rows: score on these", fresh=False)
        _lines(row[1], result, k, f"Fitted on {rows} rows: score on new ones", fresh=True)
        row[1].set_ylabel("")
        if k + 1 < len(panels):
            row[0].set_xlabel("")
            row[1].set_xlabel("")
    handles = [
        Line2D([], [], **_style(name), label=text)
        for name, text in (
            ("flat", "no prior"),
            ("Laplace", "Laplace prior, λ = 2"),
            ("Normal", "Normal prior of that variance"),
        )
    ]
    legend(figure, handles, 3)
    return figure


def _style(name: str) -> dict[str, Any]:
    if name == "flat":
        return _FLAT | {"marker": "^", "markersize": 5}
    rival = "Gaussian" if name == "Normal" else name
    return RIVALS[rival] | {"marker": MARKERS[rival], "markersize": 4.5}


def _lines(axes: Axes, result: NoiseColumns, k: int, title: str, *, fresh: bool) -> None:
    axes.axhline(0, **RULE)
    for scores in result.scores[k]:
        axes.plot(result.columns, scores.fresh if fresh else scores.training, **_style(scores.name))
    separated = result.separated[k]
    if separated is not None and not fresh:
        text = f"no prior: from {separated} columns of noise on\nseparated; no maximum, supremum 0"
        note(axes, text, (8.0, axes.get_ylim()[0] / 2), (0, 0))
    axes.set_xlim(-1, float(result.columns[-1]) + 1)
    label(axes, title, "columns of noise", "mean log likelihood, nats per row")
