"""Descents of one weight: what pulls and pushes, the trajectories, and the push on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import FIRST, RULE, SECOND, label, legend, sheet
from bayesreg.figures._roles import LIKELIHOOD, MODE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg._validation import Vector
    from bayesreg.studies.one_weight import Descents

_CHATTER: dict[str, Any] = {
    "color": ink.VERMILLION,
    "linestyle": "-",
    "linewidth": 0.7,
    "marker": ".",
    "markersize": 4,
}


def one_weight_descent(result: Descents) -> Figure:
    """Draw how loss and penalty move the weight.

    Parameters
    ----------
    result : Descents
        Of `bayesreg.studies.one_weight.one_weight_descent`.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels: pull of the loss and push of either penalty against the weight, which balance
        at the minima; the weight step by step; the push step by step.
    """
    figure = sheet("The L1 push is constant until the weight is 0; the L2 push fades", 9.0, 4.1)
    forces, path, push = figure.subplots(1, 3)
    _forces(forces, result)
    _path(path, result)
    _push(push, result)
    handles = [
        Line2D([], [], **LIKELIHOOD, label="loss: pull, or descent without penalty"),
        Line2D([], [], **FIRST, label="L1: push, or ISTA"),
        Line2D([], [], **SECOND, label="L2: push, or gradient descent"),
        Line2D([], [], **_CHATTER, label="L1 by its subgradient: never exactly 0"),
        Line2D([], [], **MODE, label="balance: mode"),
    ]
    legend(figure, handles, 3)
    return figure


def _forces(axes: Axes, result: Descents) -> None:
    axes.axvline(0, **RULE)
    axes.plot(result.weights, result.pull, **LIKELIHOOD)
    axes.plot(result.weights, result.lasso_push, **FIRST)
    axes.plot(result.weights, result.ridge_push, **SECOND)
    for run in (result.lasso, result.ridge):
        axes.plot(run.points[-1, 0], run.pulls[-1, 0], **MODE, zorder=5)
    low, high = float(result.weights[0]), float(result.weights[-1])
    axes.set(xlim=(low, high), ylim=(-1.6 * result.lam, 1.9 * result.lam))
    axes.xaxis.set_major_locator(MultipleLocator(0.5))
    label(axes, "Pull of the loss, push of the penalty", "weight w", "nats per unit of w")


def _path(axes: Axes, result: Descents) -> None:
    axes.axhline(0, **RULE)
    axes.plot(result.subgradient.points[:, 0], **_CHATTER)
    axes.plot(result.unpenalised.points[:, 0], **LIKELIHOOD)
    axes.plot(result.ridge.points[:, 0], **SECOND)
    steps = result.ridge.points.shape[0] - 1
    axes.plot(*_held(result.lasso.points[:, 0], 0, steps), **FIRST)
    axes.set(xlim=(0, steps), ylim=(-0.16, 1.02))
    label(axes, f"Descent with step {result.ridge.step_size:g}", "step", "weight w")


def _push(axes: Axes, result: Descents) -> None:
    axes.axhline(0, **RULE)
    steps = result.ridge.pushes.shape[0]
    for run, style in (
        (result.subgradient, _CHATTER),
        (result.ridge, SECOND),
        (result.lasso, FIRST),
    ):
        axes.plot(*_held(-run.pushes[:, 0], 1, steps), **style)
    axes.set(xlim=(0, steps), ylim=(-1.15 * result.lam, 2.1 * result.lam))
    label(axes, "Push towards 0 in each step", "step", "nats per unit of w")


def _held(values: Vector, first: int, last: int) -> tuple[Vector, Vector]:
    """Return steps and values; a descent that stands still keeps its last value to the end."""
    steps = np.arange(first, first + values.size, dtype=np.float64)
    return np.append(steps, last), np.append(values, values[-1])
