"""A joint posterior of a coefficient and the noise variance, with two modes and with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet
from bayesreg.figures._roles import DRAWS, MEAN, MODE, POSTERIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.studies._two_modes import BimodalLasso, JointPosterior

# Nats below the highest mode.
_LEVELS = (-8.0, -6.0, -5.0, -4.0, -3.4, -3.0, -2.5, -2.0, -1.5, -1.0, -0.5, -0.1)
_BETA, _VARIANCE = (-1.5, 6.5), (0.03, 12.0)


def bimodal_lasso(result: BimodalLasso) -> Figure:
    """Draw Park and Casella's example under a prior that is not scaled by σ, and one that is.

    Parameters
    ----------
    result : BimodalLasso
        Of `bayesreg.studies.beyond_the_mode.bimodal_lasso`.

    Returns
    -------
    matplotlib.figure.Figure
        Level lines of both joint densities, their modes and draws; below, the densities of β.
    """
    figure = sheet(
        "A lasso prior that is not scaled by σ can have a posterior with two modes", 9.0, 6.6
    )
    panels = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(2.2, 1))
    titles = ("Prior ∝ exp(−3|β|)", "Prior ∝ exp(−3|β|/σ)/σ")
    for column, (title, joint) in enumerate(
        zip(titles, (result.fixed, result.scaled), strict=True)
    ):
        _joint(panels[0, column], joint, title)
        _marginal(panels[1, column], joint)
    handles = [
        Line2D([], [], color=POSTERIOR["color"], linewidth=1.2, label="level lines of the density"),
        Line2D([], [], **MODE, label="modes in (β, σ²)"),
        Line2D([], [], **MEAN, label="posterior mean"),
        Line2D([], [], **(DRAWS | {"markersize": 5}), label="draws"),
        Line2D([], [], **POSTERIOR, label="density of β alone"),
    ]
    legend(figure, handles, 5)
    return figure


def _joint(axes: Axes, joint: JointPosterior, title: str) -> None:
    surface = joint.surface
    height = surface.log_density + joint.modes[0].objective
    axes.contour(
        surface.x, np.exp(surface.y), height, levels=_LEVELS, colors=POSTERIOR["color"],
        linestyles="-", linewidths=1.0,
    )  # fmt: skip
    step = max(1, joint.beta.size // 700)
    axes.plot(joint.beta[::step], joint.variance[::step], **DRAWS, zorder=1)
    axes.plot(*joint.mean, **MEAN, zorder=5)
    for rank, mode in enumerate(joint.modes):
        face = {"markerfacecolor": "white"} if rank else {}
        axes.plot(mode.beta, mode.variance, **(MODE | face), zorder=6)
        lower = mode.objective - joint.modes[0].objective
        below = f", {lower:.1f} nats lower" if rank else ""
        # The lower mode is beside the axis, and above it the density is thin.
        offset, side = ((14, 26), "left") if rank else ((-9, -5), "right")
        axes.annotate(
            f"({mode.beta:.2f}, {mode.variance:.2f}){below}", (mode.beta, mode.variance),
            xytext=offset, textcoords="offset points", ha=side, va="top", fontsize=ink.TEXT,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set(xlim=_BETA, ylim=_VARIANCE)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    label(axes, title, "", "noise variance σ² (log axis)")
    axes.label_outer()


def _marginal(axes: Axes, joint: JointPosterior) -> None:
    axes.axvline(0, **RULE)
    axes.plot(joint.surface.x, joint.marginal, **POSTERIOR)
    axes.set_ylim(bottom=0)
    axes.text(
        0.46, 0.95, f"P(|β| < 1) = {joint.near_zero:.2f}", transform=axes.transAxes,
        ha="center", va="top", fontsize=ink.TEXT,
    )  # fmt: skip
    label(axes, "", "coefficient β", "density, per unit of β")
    axes.label_outer()
