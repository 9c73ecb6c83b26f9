"""Sparse answers against simulated truth: errors, calibration, coverage, by regime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.sparse_answers import Regime, SparseAnswers

_FALSE: dict[str, Any] = {"color": ink.VERMILLION, "marker": "o", "linestyle": "", "markersize": 6}
_MISSED: dict[str, Any] = {
    "color": ink.BLUE,
    "marker": "D",
    "linestyle": "",
    "markersize": 6,
    "markerfacecolor": "none",
    "markeredgewidth": 1.4,
}
_STATED: dict[str, dict[str, Any]] = {
    "inclusion": {"color": ink.PURPLE, "marker": "s", "linestyle": "-"},
    "P(|β| ≥ ε)": {"color": ink.GREEN, "marker": "^", "linestyle": (0, (5, 2))},
    "shrinkage": {"color": ink.ORANGE, "marker": "v", "linestyle": (0, (6, 1.5, 1.2, 1.5))},
    "stability": {"color": ink.BLACK, "marker": "P", "linestyle": (0, (1, 1.2))},
}
_NAMES = {
    "inclusion": "P(β ≠ 0), spike and slab",
    "P(|β| ≥ ε)": "P(|β| ≥ ε), horseshoe",
    "shrinkage": "1 − E κ, horseshoe",
    "stability": "share of halves, stability selection",
}


def sparse_answers(result: SparseAnswers) -> Figure:
    """Draw false discoveries and misses, calibration, and coverage in each regime.

    Parameters
    ----------
    result : SparseAnswers
        Of `bayesreg.studies.sparse_answers.sparse_answers`.

    Returns
    -------
    matplotlib.figure.Figure
        Three rows of panels, a column per regime.
    """
    text = f"Sparse answers held against simulated truth, {result.data_sets} data sets per regime"
    figure = sheet(text, 9.6, 9.2)
    panels = figure.subplots(
        3, len(result.regimes), squeeze=False, height_ratios=(1.35, 1.35, 0.55)
    )
    for k, regime in enumerate(result.regimes):
        _errors(panels[0, k], result, regime, first=k == 0)
        _calibration(panels[1, k], result, regime, first=k == 0)
        _coverage(panels[2, k], result, regime, first=k == 0)
    handles = [
        Line2D([], [], **_FALSE, label="false discoveries; intervals of zeros"),
        Line2D([], [], **_MISSED, label="misses; intervals of signals"),
        *(
            Line2D([], [], **(style | {"markersize": 5.5}), label=_NAMES[rule])
            for rule, style in _STATED.items()
        ),
    ]
    legend(figure, handles, 3)
    return figure


def _errors(axes: Axes, result: SparseAnswers, regime: Regime, *, first: bool) -> None:
    found = result.of(regime)
    rows = np.arange(len(found))
    false, missed = np.array([v.false for v in found]), np.array([v.missed for v in found])
    axes.hlines(rows, np.minimum(false, missed), np.maximum(false, missed), color=ink.GREY, lw=0.8)
    axes.plot(false, rows, **_FALSE, clip_on=False, zorder=4)
    axes.plot(missed, rows, **_MISSED, clip_on=False, zorder=5)
    names = [v.rule if v.prior == "–" else f"{v.prior}: {v.rule}" for v in found]
    axes.set_yticks(rows, names if first else [])
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xscale("symlog", linthresh=1, linscale=0.6)
    axes.set_xlim(0, None)
    top = max(4.0, float(np.max([false, missed])))
    ticks = [tick for tick in (0, 1, 2, 4, 8, 16, 32, 64, 128) if tick <= 1.3 * top]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    signals = result.signals[result.regimes.index(regime)]
    title = f"{regime.name}: n = {regime.n}, p = {regime.p}\n{signals:.3g} signals per data set"
    label(axes, title, "errors per data set", "")


def _calibration(axes: Axes, result: SparseAnswers, regime: Regime, *, first: bool) -> None:
    axes.plot([0, 1], [0, 1], **RULE)
    for verdict in result.of(regime):
        if verdict.reliability is None:
            continue
        stated, observed, count = verdict.reliability.T
        style = _STATED[verdict.rule]
        axes.plot(stated, observed, color=style["color"], linestyle=style["linestyle"], lw=1.4)
        sizes = 14 + 26 * np.sqrt(count / count.max())
        axes.scatter(
            stated, observed, sizes, color=style["color"], marker=style["marker"], clip_on=False,
            zorder=4,
        )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    title = "Is it as probable as stated?" if first else ""
    label(axes, title, "stated", "observed frequency" if first else "")


def _coverage(axes: Axes, result: SparseAnswers, regime: Regime, *, first: bool) -> None:
    found = [c for c in result.coverages if c.regime == regime]
    rows = np.arange(len(found))
    axes.axvline(0.9, **RULE)
    axes.plot([c.zeros for c in found], rows, **_FALSE, clip_on=False, zorder=4)
    axes.plot([c.signals for c in found], rows, **_MISSED, clip_on=False, zorder=5)
    axes.plot([c.overall for c in found], rows, "|", color=ink.BLACK, ms=11, mew=1.6, zorder=6)
    axes.set_yticks(rows, [c.prior for c in found] if first else [])
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    title = "Do 90 % intervals hold the truth? A bar: of all coefficients" if first else ""
    label(axes, title, "share of coefficients", "")
