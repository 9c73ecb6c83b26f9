"""Likelihood, prior and posterior of one weight: minus their logs above, densities below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.figures._roles import LIKELIHOOD, MEAN, MEDIAN, MODE, POSTERIOR, PRIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies.one_weight import Reading, Readings

_NATS = (-1.0, 6.0)


def one_weight_densities(result: Readings) -> Figure:
    """Draw the three curves of a penalised loss as what they are.

    Parameters
    ----------
    result : Readings
        Of `bayesreg.studies.one_weight.one_weight_densities`.

    Returns
    -------
    matplotlib.figure.Figure
        Above, minus the log densities in nats, every constant included; below, the densities, with
        mode, mean and median of the posterior. Left the Laplace prior, right the Normal.
    """
    figure = sheet("A penalised loss is minus the log of a posterior density", 9.0, 6.2)
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    columns = (
        (result.lasso, f"Laplace prior: penalty {result.lam:g}·|w|"),
        (result.ridge, f"Normal prior: penalty {result.lam:g}·w²"),
    )
    for column, (reading, title) in enumerate(columns):
        _logs(axes[0, column], result, reading, title)
        _densities(axes[1, column], result, reading)
    handles = [
        Line2D([], [], **LIKELIHOOD, label="likelihood, as a density of w"),
        Line2D([], [], **PRIOR, label="prior"),
        Line2D([], [], **POSTERIOR, label="posterior"),
        Line2D([], [], **MODE, label="mode"),
        Line2D([], [], **MEDIAN, label="median"),
        Line2D([], [], **MEAN, label="mean"),
    ]
    legend(figure, handles, 6)
    return figure


def _logs(axes: Axes, result: Readings, reading: Reading, title: str) -> None:
    axes.axvline(0, **RULE)
    axes.plot(result.weights, -result.likelihood, **LIKELIHOOD)
    axes.plot(result.weights, -reading.prior, **PRIOR)
    axes.plot(result.weights, -reading.posterior, **POSTERIOR)
    axes.set_ylim(*_NATS)
    label(axes, title, "", "−log density, nats")


def _densities(axes: Axes, result: Readings, reading: Reading) -> None:
    axes.axvline(0, **RULE)
    axes.plot(result.weights, np.exp(result.likelihood), **LIKELIHOOD)
    axes.plot(result.weights, np.exp(reading.prior), **PRIOR)
    axes.plot(result.weights, np.exp(reading.posterior), **POSTERIOR)
    places = ((reading.mode, MODE), (reading.median, MEDIAN), (reading.mean, MEAN))
    # One above the other, since under the Normal prior all three are the same number.
    for rank, (place, style) in enumerate(places):
        axes.plot(place, 0.05 + 0.09 * rank, transform=axes.get_xaxis_transform(), **style)
    axes.set(xlim=(float(result.weights[0]), float(result.weights[-1])), ylim=(0, None))
    label(axes, "", "weight w", "density, per unit of w")
