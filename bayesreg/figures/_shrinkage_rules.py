"""What priors make of one observation: mode, mean and median against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.figures._rivals import RIVALS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._summaries import ShrinkageRules

_FARTHEST = 4.5


def shrinkage_rules(result: ShrinkageRules) -> Figure:
    """Draw mode, mean and median of the posterior against the one observation.

    Parameters
    ----------
    result : ShrinkageRules
        Of `bayesreg.studies.beyond_the_mode.shrinkage_rules`.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels with a line per prior.
    """
    figure = sheet(
        "One observation y ~ N(β, 1): the mode has a threshold, the mean has none", 9.0, 4.4
    )
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    titles = ("Mode", "Posterior mean", "Posterior median")
    for axes, title in zip(panels, titles, strict=True):
        _frame(axes, title)
    for rule in result.rules:
        line = RIVALS[rule.rival.name]
        if rule.mode is not None:
            panels[0].plot(result.y, rule.mode, **line)
        panels[1].plot(result.y, rule.mean, **line)
        panels[2].plot(result.y, rule.median, **line)
    missing = [rule.rival.name for rule in result.rules if rule.mode is None]
    panels[0].text(
        0.97, 0.05, "none under\n" + ",\n".join(missing), transform=panels[0].transAxes, ha="right",
        va="bottom", fontsize=ink.TEXT,
    )  # fmt: skip
    handles = [
        Line2D([], [], **RIVALS[rule.rival.name], label=f"{rule.rival.name} ({rule.rival.matched})")
        for rule in result.rules
    ]
    handles.append(Line2D([], [], **RULE, label="no shrinkage"))
    legend(figure, handles, 2)
    return figure


def _frame(axes: Axes, title: str) -> None:
    axes.axline((0, 0), slope=1, **RULE)
    axes.axhline(0, **RULE)
    axes.axvline(0, **RULE)
    axes.set(xlim=(-_FARTHEST, _FARTHEST), ylim=(-_FARTHEST, _FARTHEST), aspect="equal")
    label(axes, title, "observation y (sd of the noise)", "estimate of β")
    axes.label_outer()
