"""Data beside data that a model makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.model_comparison import PredictiveCheck
    from bayesreg.model_comparison._statistics import Calibration, Shape

_DATA: dict[str, Any] = {"color": ink.BLACK, "linestyle": "-", "linewidth": 1.8}
_POINTS: dict[str, Any] = {"color": ink.BLACK, "marker": "o", "linestyle": "", "markersize": 6}
_BAND: dict[str, Any] = {"facecolor": ink.SKY, "alpha": 0.45, "edgecolor": "none"}
_MIDDLE: dict[str, Any] = {"color": ink.BLUE, "linestyle": (0, (1, 1.2)), "linewidth": 1.6}
# A statistic this many sd of replicates away is at the edge.
_FARTHEST = 6.0


def predictive_check(result: PredictiveCheck | Mapping[str, PredictiveCheck]) -> Figure:
    """Draw a posterior predictive check.

    Parameters
    ----------
    result : PredictiveCheck or mapping of str to PredictiveCheck
        Of `bayesreg.check_predictions`; several have a row of panels each, under their names.

    Returns
    -------
    matplotlib.figure.Figure
        The histogram of the target among those of replicates, or the calibration of
        probabilities; leave-one-out PIT, or R²; statistics in units of their spread.
    """
    rows = result if isinstance(result, Mapping) else {"": result}
    figure = sheet("Does the model make such data?", 11.0, 0.8 + 3.3 * len(rows))
    panels = figure.subplots(len(rows), 3, squeeze=False)
    for (first, second, third), (name, check) in zip(panels, rows.items(), strict=True):
        begin = f"{ink.clean(name)}: " if name else ""
        if check.shape is not None:
            _shape(first, check.shape, begin)
        if check.calibration is not None:
            _calibration(first, check.calibration, begin)
        if check.pit is not None and check.pit_band is not None:
            _transform(second, check.pit, check.pit_band, check.pit_p_value or 0.0)
        else:
            _r_squared(second, check)
        _statistics(third, check)
    handles = [
        Line2D([], [], **_DATA, label="data"),
        Patch(
            **_BAND, label="replicates, or right probabilities: 90 % (95 % for PIT and statistics)"
        ),
        Line2D([], [], **_MIDDLE, label="median of replicates"),
    ]
    legend(figure, handles, 3)
    return figure


def _shape(axes: Axes, shape: Shape, begin: str) -> None:
    axes.stairs(shape.upper, shape.edges, baseline=shape.lower, fill=True, **_BAND)
    axes.stairs(shape.median, shape.edges, **_MIDDLE)
    axes.stairs(shape.observed, shape.edges, **_DATA)
    label(axes, f"{begin}histogram", "target", "share of rows")


def _calibration(axes: Axes, groups: Calibration, begin: str) -> None:
    axes.plot([0, 1], [0, 1], **RULE)
    for x, low, high in zip(groups.predicted, groups.lower, groups.upper, strict=True):
        axes.fill_between([x - 0.012, x + 0.012], [low, low], [high, high], **_BAND)
    axes.plot(groups.predicted, groups.observed, **_POINTS)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    label(axes, f"{begin}calibration", "predicted probability, row left out", "share of ones")


def _transform(axes: Axes, pit: np.ndarray[Any, Any], band: float, p_value: float) -> None:
    """How far the distribution function of PIT is from that of a uniform number."""
    order = np.sort(pit)
    n = order.size
    x = np.repeat(order, 2)
    steps = np.repeat(np.arange(n + 1) / n, 2)[1:-1]
    x, steps = np.concatenate([[0.0], x, [1.0]]), np.concatenate([[0.0], steps, [1.0]])
    axes.fill_between([0, 1], [-band, -band], [band, band], **_BAND)
    axes.axhline(0.0, **RULE)
    axes.plot(x, steps - x, **_DATA)
    farthest = max(1.35 * band, 1.05 * float(np.abs(steps - x).max()))
    axes.set(xlim=(0, 1), ylim=(-farthest, farthest))
    label(
        axes, f"leave-one-out PIT, p = {p_value:.2g}", "probability below, row left out",
        "distribution less uniform",
    )  # fmt: skip


def _r_squared(axes: Axes, check: PredictiveCheck) -> None:
    if check.r_squared is None:
        axes.set_axis_off()
        return
    counts, edges = np.histogram(check.r_squared, 30)
    axes.stairs(counts / counts.sum(), edges, fill=True, color=ink.SKY, alpha=0.6)
    axes.stairs(counts / counts.sum(), edges, color=ink.BLUE, linewidth=1.4)
    middle = float(np.median(check.r_squared))
    label(axes, f"Bayesian R², median {middle:.2f}", "R² of a draw", "share of draws")


def _p(text: str) -> str:
    """Say of a p-value what it is, or what it is below or above."""
    return f"p {text[0]} {text[1:]}" if text[0] in "<>" else f"p = {text}"


def _statistics(axes: Axes, check: PredictiveCheck) -> None:
    """Every statistic in sd of its replicates, about their mean."""
    names = []
    for line, statistic in enumerate(check.statistics):
        centre = float(statistic.replicated.mean())
        spread = float(statistic.replicated.std()) or 1.0
        low, high = (np.quantile(statistic.replicated, [0.025, 0.975]) - centre) / spread
        axes.fill_betweenx([line - 0.28, line + 0.28], [low, low], [high, high], **_BAND)
        off = (statistic.observed - centre) / spread
        beyond = abs(off) > _FARTHEST
        point = _POINTS | {"marker": (">" if off > 0 else "<") if beyond else "o"}
        axes.plot([float(np.clip(off, -_FARTHEST, _FARTHEST))], [line], **point, clip_on=False)
        axes.text(
            1.02, line, _p(statistic.p_text), transform=axes.get_yaxis_transform(),
            va="center", fontsize=ink.TEXT,
        )  # fmt: skip
        names.append(ink.label(statistic.name, 1.9))
    axes.axvline(0.0, **RULE)
    axes.set_yticks(range(len(names)))
    axes.set_yticklabels(names)
    axes.set(xlim=(-_FARTHEST, _FARTHEST), ylim=(len(names) - 0.4, -0.6))
    known = check.shape is not None and check.r_squared is not None
    r_squared = f", R² {np.median(check.r_squared):.2f}" if known else ""  # type: ignore[arg-type]
    label(axes, f"statistics of the data{r_squared}", "sd of replicates from their mean", "")
