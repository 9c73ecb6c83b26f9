"""Lagrange's view of the lasso: λ, radius and multiplier, and the conditions at the optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import FIRST, SECOND, label, legend, note, sheet
from bayesreg.figures._roles import MODE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.thresholding import Lagrange

_BACK: dict[str, Any] = {
    "color": ink.VERMILLION,
    "marker": "o",
    "linestyle": "",
    "markersize": 11,
    "markerfacecolor": "none",
    "markeredgewidth": 1.5,
}
_KNOT: dict[str, Any] = {"color": ink.GREY, "linestyle": (0, (1, 2)), "linewidth": 1.2}
_STYLES = (FIRST, SECOND, {"color": ink.BLUE, "linestyle": (0, (1, 1.2)), "linewidth": 1.8})


def lagrange(result: Lagrange) -> Figure:
    """Draw the penalised and the constrained form of one lasso.

    Parameters
    ----------
    result : Lagrange
        Of `bayesreg.studies.thresholding.lagrange`.

    Returns
    -------
    matplotlib.figure.Figure
        The radius that each λ means, with the λ found back from the radius; the smallest loss
        against the radius, whose slope is −λ; and each weight's correlation with the residuals in
        units of λ, which stays within ±1.
    """
    figure = sheet("One solution, two forms: penalty λ and radius t", 9.0, 6.0)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.1, 1.0))
    radius = figure.add_subplot(grid[0, 0])
    _radius(radius, result)
    _subgradients(figure.add_subplot(grid[1, 0], sharex=radius), result)
    _value(figure.add_subplot(grid[:, 1]), result)
    handles = [
        Line2D([], [], **FIRST, label="along the path of modes"),
        Line2D([], [], **MODE, label="λ given: mode and its radius"),
        Line2D([], [], **_BACK, label="radius given: constrained optimum and its multiplier"),
        Line2D([], [], **_KNOT, label="a weight leaves 0"),
    ]
    legend(figure, handles, 2)
    return figure


def _radius(axes: Axes, result: Lagrange) -> None:
    _knots(axes, result)
    axes.plot(result.lams, result.radii, **FIRST)
    axes.plot(
        [1.0 / form.scale for form in result.forward],
        [form.radius for form in result.forward],
        **MODE,
    )
    axes.plot(
        [form.multiplier for form in result.backward],
        [form.radius for form in result.backward],
        **_BACK,
    )
    axes.set_xscale("log")
    axes.set(xlim=(float(result.lams[0]), float(result.lams[-1])), ylim=(0, None))
    axes.tick_params(labelbottom=False)
    label(axes, "Radius of each λ", "", "t = |w₁| + |w₂|")


def _subgradients(axes: Axes, result: Lagrange) -> None:
    _knots(axes, result)
    axes.axhspan(-1, 1, color=ink.LIGHT, zorder=0)
    for edge in (-1, 1):
        axes.axhline(edge, color=ink.GREY, linewidth=0.8)
    names = result.problem.names
    for j, name in enumerate(names):
        style = _STYLES[j % len(_STYLES)]
        axes.plot(result.lams, result.subgradients[:, j], **style)
        place = int(np.searchsorted(result.lams, 1.0))
        where = (float(result.lams[place]), float(result.subgradients[place, j]))
        note(axes, ink.clean(name), where, (0, -12), ground=ink.LIGHT)
    axes.set(ylim=(-1.3, 1.3))
    label(
        axes,
        "Correlation with the residuals: within ±λ",
        "λ, nats per unit of w",
        "xⱼ'(y − Xw)/σ², in units of λ",
    )


def _knots(axes: Axes, result: Lagrange) -> None:
    for knot in result.knots:
        axes.axvline(float(knot), **_KNOT)


def _value(axes: Axes, result: Lagrange) -> None:
    axes.plot(result.radii, result.losses, **FIRST)
    axes.axvline(result.slack, color=ink.BLUE, linestyle=(0, (1, 1.2)), linewidth=1.2)
    free = f"least squares:\nno constraint\nfrom t = {result.slack:.3g}"
    note(axes, free, (result.slack, 8.0), (-6, 0), "right")
    for form, loss in zip(result.backward, result.touching, strict=True):
        half = min(1.0, 2.0 / form.multiplier)
        axes.plot(
            [form.radius - half, form.radius + half],
            [loss + form.multiplier * half, loss - form.multiplier * half],
            color=ink.VERMILLION,
            linewidth=1.2,
        )
        axes.plot(form.radius, loss, **MODE, clip_on=False)
        axes.plot(form.radius, loss, **_BACK, clip_on=False)
        note(axes, f"slope −{form.multiplier:.2g}", (form.radius, loss), (6, 15))
    axes.set(xlim=(0, result.slack * 1.2), ylim=(0, None))
    label(axes, "Smallest loss at each radius: its slope is −λ", "radius t", "loss, nats")
