"""Criteria for the scale of a prior on one axis, and below it what each of them chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.selection import CriteriaComparison, ScaleSelection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# By name: the same look in every figure, told apart by dashes and markers in grey.
_STYLES: dict[str, dict[str, Any]] = {
    "cross-validation": {"color": ink.BLACK, "linestyle": "-", "marker": "o"},
    "leave-one-out": {"color": ink.BLUE, "linestyle": (0, (5, 2)), "marker": "s"},
    "psis-loo": {"color": ink.SKY, "linestyle": (0, (1, 1.2)), "marker": "D"},
    "aic": {"color": ink.ORANGE, "linestyle": (0, (6, 1.5, 1.2, 1.5)), "marker": "^"},
    "bic": {"color": ink.VERMILLION, "linestyle": (0, (3, 1, 1, 1, 1, 1)), "marker": "v"},
    "evidence": {"color": ink.PURPLE, "linestyle": (0, (9, 2)), "marker": "P"},
    "hyperprior": {"color": ink.GREEN, "linestyle": (0, (2, 2)), "marker": "X"},
}
# Nats above the lowest that are shown: beyond these no criterion hesitates.
_MOST = 9.0


def scale_selection(
    result: ScaleSelection | CriteriaComparison | Sequence[CriteriaComparison],
) -> Figure:
    """Draw criteria against the scale, and what each chooses.

    Parameters
    ----------
    result : ScaleSelection, CriteriaComparison or several of these
        Of `bayesreg.select_scale` or `bayesreg.compare_criteria`; several stand side by side.

    Returns
    -------
    matplotlib.figure.Figure
        Above, each curve in nats over its lowest value. Below, the choice of each criterion, with
        scales that do about as well; hollow, the choice by the rule of one standard error.
    """
    columns = _columns(result)
    names = [s.criterion for column in columns for s in column]
    shown = [name for name in _STYLES if name in names]
    width = 7.2 if len(columns) == 1 else 4.9 * len(columns)
    figure = sheet("The scale of a prior, by several criteria", width, 4.2 + 0.24 * len(shown))
    if len(shown) == 1:
        figure.suptitle(f"The scale of a prior by {shown[0]}", x=0.012, ha="left", weight="bold")
    heights = (3.4, 0.35 + 0.3 * len(shown))
    panels = figure.subplots(
        2, len(columns), sharex="col", sharey="row", height_ratios=heights, squeeze=False
    )
    for k, column in enumerate(columns):
        _curves(panels[0, k], column, first=k == 0)
        _choices(panels[1, k], column, shown, first=k == 0)
    handles = [
        Line2D([], [], label=name, linewidth=1.8, markersize=6, **_STYLES[name]) for name in shown
    ]
    if any(s.one_standard_error is not None for column in columns for s in column):
        hollow: dict[str, Any] = {
            "markerfacecolor": "white",
            "marker": "o",
            "linestyle": "",
            "color": ink.BLACK,
        }
        handles.append(Line2D([], [], label="smallest within one s.e.", markersize=6, **hollow))
    legend(figure, handles, min(4, len(handles)))
    return figure


def _columns(
    result: ScaleSelection | CriteriaComparison | Sequence[CriteriaComparison],
) -> list[tuple[ScaleSelection, ...]]:
    if isinstance(result, ScaleSelection):
        return [(result,)]
    if isinstance(result, CriteriaComparison):
        return [result.selections]
    return [each.selections for each in result]


def _curves(axes: Axes, selections: tuple[ScaleSelection, ...], *, first: bool) -> None:
    for s in selections:
        height = s.curve.value - s.curve.value.min()
        style = _STYLES[s.criterion] | {"marker": ""}
        axes.plot(s.curve.scales, height, linewidth=1.8, **style)
        error = s.curve.extra.get("difference_error")
        if len(selections) == 1 and error is not None:
            axes.fill_between(
                s.curve.scales, height - error, height + error, color=ink.GREY, alpha=0.2, lw=0
            )
    axes.axhline(0.0, **RULE)
    axes.set_xscale("log")
    axes.set_ylim(-0.3, _MOST)
    low, high = _limits(selections)
    axes.set_xlim(low, high)
    problem = selections[0].problem
    title = f"{problem.prior.name} prior ({problem.prior.penalised_name})"
    label(axes, title, "", "nats above its lowest value" if first else "")
    axes.tick_params(labelbottom=False)


def _limits(selections: tuple[ScaleSelection, ...]) -> tuple[float, float]:
    """Scales where any criterion is on the page, and all choices."""
    inside = [s.curve.scales[s.curve.value <= s.curve.value.min() + _MOST] for s in selections] + [
        np.array([s.scale for s in selections])
    ]
    every = np.concatenate(inside)
    return float(every.min()) / 1.15, float(every.max()) * 1.15


def _choices(
    axes: Axes, selections: tuple[ScaleSelection, ...], shown: list[str], *, first: bool
) -> None:
    low, high = axes.get_xlim()
    for s in selections:
        at, style = shown.index(s.criterion), _STYLES[s.criterion]
        ends = max(s.uncertainty.low, low), min(s.uncertainty.high, high)
        axes.plot(ends, (at, at), color=style["color"], linewidth=2.2, solid_capstyle="butt")
        mark = style | {"linestyle": "", "markersize": 7, "zorder": 4}
        axes.plot([s.scale], [at], **mark)
        if s.one_standard_error is not None and s.one_standard_error != s.scale:
            axes.plot([s.one_standard_error], [at], **mark, markerfacecolor="white")
    axes.set_ylim(len(shown) - 0.4, -0.6)
    label(axes, "", "scale of the prior", "")
    if first:
        axes.set_yticks(range(len(shown)), shown)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=ink.GREY, alpha=0.25, linewidth=0.6)
