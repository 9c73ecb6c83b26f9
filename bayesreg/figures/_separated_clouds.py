"""Two clouds with a gap between them: no finite maximum of the likelihood, a mode with a prior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import FIRST, SECOND, label, legend, note, sheet
from bayesreg.figures._roles import LIKELIHOOD, MEAN, MODE, POSTERIOR, PRIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg._validation import Vector
    from bayesreg.studies._logistic_clouds import SeparatedClouds

_POINT: dict[str, Any] = {"color": ink.BLACK, "linestyle": "-", "linewidth": 1.2}
_ENDLESS: dict[str, Any] = {
    "color": ink.GREEN,
    "linestyle": (0, (6, 1.5, 1.2, 1.5)),
    "linewidth": 2,
}
_CLASSES: tuple[dict[str, Any], ...] = (
    {
        "color": ink.GREY,
        "marker": "o",
        "markerfacecolor": "white",
        "linestyle": "",
        "markersize": 4,
    },
    {"color": ink.GREY, "marker": "^", "linestyle": "", "markersize": 4.5},
)
_NAMES = ("bias", "w₁", "w₂")
_LINES = ({"color": ink.GREY, "linestyle": (0, (1, 1)), "linewidth": 1.6}, FIRST, SECOND)
_EDGE, _SHOWN_DRAWS = 5.5, 30


def separated_clouds(result: SeparatedClouds) -> Figure:
    """Draw the clouds, the likelihood along (0, t, t), the modes, and the document's descent.

    Parameters
    ----------
    result : SeparatedClouds
        Of `bayesreg.studies.logistic_priors.separated_clouds`.

    Returns
    -------
    matplotlib.figure.Figure
        Four panels.
    """
    figure = sheet("Separated classes: the likelihood has no maximum, the posterior has", 9.0, 7.8)
    panels = figure.subplots(2, 2)
    _clouds(panels[0, 0], result)
    _along(panels[0, 1], result)
    _modes(panels[1, 0], result)
    _descent(panels[1, 1], result)
    legend(figure, _handles(result), 4)
    return figure


def _handles(result: SeparatedClouds) -> list[Line2D]:
    return [
        Line2D([], [], **_CLASSES[0], label="class 0, around (−2, −2)"),
        Line2D([], [], **_CLASSES[1], label="class 1, around (2, 2)"),
        Line2D([], [], **LIKELIHOOD, label="likelihood of the sample"),
        Line2D([], [], **POSTERIOR, label=f"posterior, λ = {result.lam:g}"),
        Line2D([], [], **_POINT, label="likelihood of the point (1, 1)"),
        Line2D([], [], **_ENDLESS, label="expected of a new point (■ least)"),
        Line2D([], [], **PRIOR, label="prior sd 1/√λ"),
        Line2D([], [], **MODE, label=f"mode, λ = {result.lam:g}"),
        Line2D([], [], **MEAN, label="posterior mean"),
    ]


def _border(axes: Axes, weights: Vector, **style: Any) -> None:
    """Draw where the predictor is 0."""
    across = np.array([-_EDGE, _EDGE])
    axes.plot(across, -(weights[0] + weights[1] * across) / weights[2], **style)


def _clouds(axes: Axes, result: SeparatedClouds) -> None:
    for weights in result.draws[:: max(len(result.draws) // _SHOWN_DRAWS, 1)]:
        _border(axes, weights, color=ink.SKY, linewidth=0.6, alpha=0.7)
    _border(axes, result.mode.coef, **POSTERIOR)
    for k, style in enumerate(_CLASSES):
        axes.plot(*result.X[result.y == k, 1:].T, **style)
    axes.plot(1, 1, color=ink.BLACK, marker="*", markersize=11, linestyle="")
    note(axes, "(1, 1)", (1, 1), (-9, -3), "right")
    note(axes, "borders at the mode\nand of 30 draws", (-5.2, -4.6), (0, 0))
    axes.set(xlim=(-_EDGE, _EDGE), ylim=(-_EDGE, _EDGE), aspect="equal")
    label(axes, "Two clouds", "x₁", "x₂")


def _along(axes: Axes, result: SeparatedClouds) -> None:
    axes.plot(result.sizes, result.sample, **LIKELIHOOD)
    axes.plot(result.sizes, result.point, **_POINT)
    axes.plot(result.sizes, result.endless, **_ENDLESS)
    axes.plot(result.sizes, result.penalised, **POSTERIOR)
    axes.plot(result.best_penalised, np.interp(
        result.best_penalised, result.sizes, result.penalised), **MODE)  # fmt: skip
    axes.plot(
        result.best_endless, np.interp(result.best_endless, result.sizes, result.endless),
        color=ink.GREEN, marker="s", markersize=6,
    )  # fmt: skip
    for t in (1.0, 4.0, 10.0):
        value = float(np.interp(t, result.sizes, result.point))
        axes.plot(t, value, color=ink.BLACK, marker="o", markersize=4)
        note(axes, _power(value), (t, value), *((6, 7), "left") if t == 1 else ((-6, -8), "right"))
    axes.set_yscale("log")
    axes.set(xlim=(0, float(result.sizes[-1])), ylim=(1e-10, 3))
    label(axes, "Weights (0, t, t): the same border", "t", "−log density per point, nats")


def _power(value: float) -> str:
    """Write a number as the document does."""
    if value > 1e-5:
        return f"{value:.3f}" if value > 1e-2 else f"{value:.4f}"
    digits, power = f"{value:.1e}".split("e-")
    return f"{digits}·10" + f"−{int(power)}".translate(str.maketrans("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _modes(axes: Axes, result: SeparatedClouds) -> None:
    for line, name, weight in zip(_LINES, _NAMES, result.modes.T, strict=True):
        axes.plot(result.variances, weight, **line)
        note(axes, name, (result.variances[-1], weight[-1]), (-6, 9), "right")
    sd = np.sqrt(result.variances)
    axes.plot(result.variances[sd < 25], sd[sd < 25], **PRIOR)
    variance = 1.0 / result.lam
    for value, mean in zip(result.mode.coef, result.draws.mean(axis=0), strict=True):
        axes.plot(variance, mean, **(MEAN | {"markersize": 5}))
        axes.plot(variance, value, **(MODE | {"markersize": 5}))
    axes.set_xscale("log")
    axes.set(xlim=(float(result.variances[0]), float(result.variances[-1])), ylim=(-1, 24))
    label(
        axes, "The mode grows with the prior variance", "prior variance 1/λ", "weight at the mode"
    )


def _descent(axes: Axes, result: SeparatedClouds) -> None:
    axes.plot(result.objective, **POSTERIOR)
    axes.plot(result.printed, **LIKELIHOOD)
    lowest = result.document.problem.penalised(result.mode.coef)
    axes.axhline(lowest, color=ink.GREY, linewidth=0.8)
    note(axes, f"at the mode: {lowest:.2f}", (100, lowest), (0, -9), "right")
    note(axes, "what it descends", (60, result.objective[60]), (0, 12), "center")
    note(axes, "what it prints: the loss alone", (46, result.printed[46]), (6, -14))
    axes.set_yscale("log")
    axes.set_xlim(0, result.printed.size - 1)
    label(axes, "The document’s 100 steps of 0.1", "step", "nats")
