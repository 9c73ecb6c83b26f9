"""Where level sets of the loss touch those of L1 and of L2, as λ grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Wedge

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import label, legend, note, sheet
from bayesreg.figures._plane import draw_origin
from bayesreg.figures._roles import LEAST_SQUARES, LIKELIHOOD, MODE, POSTERIOR, PRIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.level_sets import Sweep, Tangency, Touch

_ELLIPSE: dict[str, Any] = {**LIKELIHOOD, "linestyle": "-", "linewidth": 1.2}
_PATH: dict[str, Any] = {**POSTERIOR, "linewidth": 2.6}
_INSIDE: dict[str, Any] = {
    "color": ink.VERMILLION,
    "marker": "o",
    "linestyle": "",
    "markersize": 12,
    "markerfacecolor": "none",
    "markeredgewidth": 1.4,
}
_CONE: dict[str, Any] = {"facecolor": "#dddddd", "edgecolor": ink.GREY, "linewidth": 0.5}
_LENGTH = 0.15


def tangency(result: Tangency) -> Figure:
    """Draw the touching level sets of loss and penalty for several λ.

    Parameters
    ----------
    result : Tangency
        Of `bayesreg.studies.level_sets.tangency`.

    Returns
    -------
    matplotlib.figure.Figure
        Left L1, right L2: at each λ both level sets through the mode, the constrained optimum of
        the same radius, and the direction in which the loss falls fastest. It is a normal of the
        diamond or circle; at a corner of the diamond, anything within the cone of normals will do.
    """
    figure = sheet("The mode is where an ellipse touches: L1 at a corner, L2 anywhere", 9.0, 4.9)
    lasso, ridge = figure.subplots(1, 2)
    _panel(lasso, result, result.lasso, "L1: diamonds, penalty λ(|w₁| + |w₂|)")
    _panel(ridge, result, result.ridge, "L2: circles, penalty λ(w₁² + w₂²)/2")
    handles = [
        Line2D([], [], **_ELLIPSE, label="level set of the loss"),
        Line2D([], [], **PRIOR, label="level set of the penalty"),
        Line2D([], [], **_PATH, label="modes for all λ"),
        Line2D([], [], **LEAST_SQUARES, label="least squares"),
        Line2D([], [], **MODE, label="penalised: mode"),
        Line2D([], [], **_INSIDE, label="constrained: least loss within"),
        Line2D([], [], color=ink.BLACK, marker=r"$\rightarrow$", ls="", ms=14, label="−∇loss"),
        Patch(**_CONE, label="normals of the corner"),
    ]
    legend(figure, handles, 4)
    return figure


def _panel(axes: Axes, result: Tangency, sweep: Sweep, title: str) -> None:
    draw_origin(axes)
    axes.plot(sweep.path[:, 0], sweep.path[:, 1], **_PATH, zorder=3)
    for lam, touch, inside in zip(sweep.lams, sweep.touches, sweep.constrained, strict=True):
        axes.plot(touch.ellipse[:, 0], touch.ellipse[:, 1], **_ELLIPSE)
        axes.plot(touch.curve[:, 0], touch.curve[:, 1], **PRIOR)
        if (touch.point == 0).any():
            axes.add_patch(Wedge(_pair(touch), _LENGTH, 45, 135, **_CONE, zorder=2.5))
        _fall(axes, touch)
        axes.plot(*inside, **_INSIDE, zorder=5)
        axes.plot(*touch.point, **MODE, zorder=6)
        corner = bool((touch.point == 0).any())
        place = (-13, 0) if corner else (10, -10)
        note(axes, f"λ = {lam:g}", touch.point, place, "right" if corner else "left")
    axes.plot(*result.least_squares, **LEAST_SQUARES, zorder=6)
    axes.set(xlim=(-0.5, 1.05), ylim=(-0.2, 1.05), aspect="equal")
    label(axes, title, "weight w₁ (crim)", "weight w₂ (zn)")


def _pair(touch: Touch) -> tuple[float, float]:
    return float(touch.point[0]), float(touch.point[1])


def _fall(axes: Axes, touch: Touch) -> None:
    along = _LENGTH * touch.pull / np.linalg.norm(touch.pull)
    arrow = {"arrowstyle": "-|>", "color": ink.BLACK, "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0}
    head = (float(touch.point[0] + along[0]), float(touch.point[1] + along[1]))
    axes.annotate("", head, xytext=_pair(touch), arrowprops=arrow, zorder=7)
