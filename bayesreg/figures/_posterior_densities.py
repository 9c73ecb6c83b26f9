"""One small panel per coefficient: posterior, prior, and every estimate marked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from bayesreg.figures import _ink as ink
from bayesreg.figures._kde import Density, density

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg._validation import Vector
    from bayesreg.comparison import Comparison
    from bayesreg.figures._ink import Answer
    from bayesreg.problem import Problem

# Inches: width of the figure, height of one row of a strip, gap between rows of panels.
_WIDTH, _ROW, _GAP = 9.6, 0.085, 0.56
_AIR = 0.09  # above the strip's first row: the diamond of a mode at zero hangs into it
_HEADROOM = 1.2  # the label of a mode at zero stands above the highest curve
_GRID = 401


@dataclass(frozen=True, eq=False)
class _Panel:
    """What is drawn of one coefficient."""

    name: str
    curve: Density
    prior: tuple[Vector, Vector]
    prior_is_flat: bool
    limits: tuple[float, float]
    interval: tuple[float, float]
    mode: float
    mean: float
    median: float
    answers: tuple[tuple[Answer, float], ...]


def posterior_densities(comparison: Comparison) -> Figure:
    """Draw the posterior density of each coefficient with every estimate marked on it.

    Parameters
    ----------
    comparison : Comparison
        Of `compare`.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per coefficient, on the user's scale: density of the draws with its interval
        shaded (a bar where draws are exactly 0), the prior behind it, the exact mode, the posterior
        mean and median, and below them one marker per optimiser. A mode at exactly 0 is a filled
        diamond there. Beyond 60 coefficients, those with the largest modes or, after those, the
        highest probability of not being near zero; the subtitle says so.

    See Also
    --------
    bayesreg.figures.coefficients : all coefficients on one axis.
    """
    chosen = ink.shown(comparison)
    panels = _panels(comparison, chosen)
    answers = ink.answers(comparison)
    columns = _columns(len(panels))
    rows = math.ceil(len(panels) / columns)
    strip = _AIR + _ROW * len(answers)
    density_height = 1.9 if columns <= 2 else 1.25
    tall = density_height + strip
    sheet = ink.page(
        comparison,
        _subtitle(comparison, panels),
        _handles(comparison, panels, answers),
        width=_WIDTH,
        body=max(rows, 1) * (tall + _GAP) - _GAP,
    )
    height = sheet.figure.get_figheight()
    panel_width = (_WIDTH - 0.3 * (columns + 1)) / columns
    for k, panel in enumerate(panels):
        row, column = divmod(k, columns)
        left = 0.3 + column * (panel_width + 0.3)
        bottom = height - sheet.top - 0.1 - row * (tall + _GAP) - tall
        axes = sheet.figure.add_axes(
            (left / _WIDTH, bottom / height, panel_width / _WIDTH, tall / height)
        )
        _draw(axes, panel, strip / density_height, panel_width)
    return sheet.figure


def _columns(panels: int) -> int:
    """Few panels are wide, many are narrow."""
    return next(c for most, c in ((1, 1), (4, 2), (9, 3), (math.inf, 4)) if panels <= most)


# --------------------------------------------------------------------------- what is drawn


def _panels(comparison: Comparison, chosen: tuple[int, ...]) -> list[_Panel]:
    post, mode = comparison.posterior, comparison.mode
    draws, answers = ink.draws_of(comparison), ink.answers(comparison)
    problem = mode.conditional_problem
    curves = [density(draws[:, j]) for j in chosen]
    limits = []
    for j, curve in zip(chosen, curves, strict=True):
        ends = [float(curve.x[0]), float(curve.x[-1])] if curve.x.size else [float(post.mean[j])]
        centres = [mode.coef[j], post.mean[j], post.median[j], post.lower[j], post.upper[j]]
        atom = [0.0] if curve.atom > 0 else []
        near = [0.0, *(a.score.coef[j] for a in answers)]
        limits.append(ink.view([*ends, *centres, *atom], near))
    priors = _prior_densities(problem, chosen, limits)
    return [
        _Panel(
            name=comparison.problem.names[j],
            curve=curve,
            prior=prior,
            prior_is_flat=j in problem.free,
            limits=limit,
            interval=(float(post.lower[j]), float(post.upper[j])),
            mode=float(mode.coef[j]),
            mean=float(post.mean[j]),
            median=float(post.median[j]),
            answers=tuple((a, float(a.score.coef[j])) for a in answers),
        )
        for j, curve, limit, prior in zip(chosen, curves, limits, priors, strict=True)
    ]


def _prior_densities(
    problem: Problem, chosen: Sequence[int], limits: Sequence[tuple[float, float]]
) -> list[tuple[Vector, Vector]]:
    """Evaluate the prior on a grid per panel: a prior takes all p coefficients at once."""
    grid = np.zeros((_GRID, problem.p))
    for j, (low, high) in zip(chosen, limits, strict=True):
        points = np.linspace(low, high, _GRID)
        # The kink at zero is the point of a Laplace prior: put a grid point on it.
        points[np.argmin(np.abs(points))] *= 0.0 if low < 0 < high else 1.0
        grid[:, j] = points
    prior = problem.coef_prior
    with np.errstate(over="ignore"):
        height = np.exp(np.array([prior.log_densities(row) for row in grid])) if chosen else grid
    return [(grid[:, j], height[:, j]) for j in chosen]


def _subtitle(comparison: Comparison, panels: list[_Panel]) -> str:
    p = comparison.problem.p
    if p == 0:
        return "There are no coefficients to draw: the problem has an intercept only."
    choice = ink.choice(comparison)
    what = f"Posterior density of each coefficient, on the data's own scale{choice}."
    if comparison.problem.unknown:
        values = {"sigma": comparison.mode.sigma, "scale": comparison.mode.scale}
        known = ", ".join(f"{name} = {values[name]:.4g}" for name in comparison.problem.unknown)
        what += f" Mode, optimisers and prior are given {known}; the posterior is not."
    beyond = any(
        not panel.limits[0] <= x <= panel.limits[1] for panel in panels for _, x in panel.answers
    )
    return what + ink.notes(comparison, beyond=beyond)


# --------------------------------------------------------------------------- ink


def _draw(axes: Axes, panel: _Panel, strip: float, room: float) -> None:
    """Draw one panel; the density's peak is `top`, and the strip lies below zero."""
    curve = panel.curve
    peak = float(curve.y.max(initial=0.0))
    prior_peak = 0.0 if panel.prior_is_flat else float(panel.prior[1].max())
    # A prior far narrower than the posterior may leave at the top; the posterior must stay legible.
    top = min(max(peak, prior_peak), 2.5 * peak) or prior_peak or 1.0
    full = _HEADROOM * top
    axes.set_xlim(*panel.limits)
    axes.set_ylim(-strip * full, full)
    _draw_prior(axes, panel, top)
    _draw_posterior(axes, panel, top)
    for x, colour, style, width in (
        (panel.mean, ink.VERMILLION, "--", 2.0),
        (panel.median, ink.GREEN, ":", 2.4),
    ):
        axes.plot([x, x], [0, top], color=colour, ls=style, lw=width, zorder=3)
    _draw_mode(axes, panel, top)
    _draw_strip(axes, panel, strip * full)
    axes.set_title(
        ink.label(panel.name, room), fontsize=ink.TEXT, pad=3, parse_math=False, usetex=False
    )
    _style(axes)


def _draw_prior(axes: Axes, panel: _Panel, top: float) -> None:
    x, y = panel.prior
    if panel.prior_is_flat:  # an improper density has no height to draw to scale
        y = np.full_like(x, 0.25 * top)
    axes.fill_between(x, np.minimum(y, top), color="#d9d9d9", lw=0, zorder=1)
    y = np.where(y <= 1.02 * top, y, np.nan)  # what leaves at the top must not cross the label
    axes.plot(x, y, color=ink.GREY, lw=0.9, ls=(0, (4, 2)), zorder=1.5, label="_prior")


def _draw_posterior(axes: Axes, panel: _Panel, top: float) -> None:
    x, y, atom = panel.curve.x, panel.curve.y, panel.curve.atom
    if x.size:
        axes.fill_between(x, y, color=ink.SKY, alpha=0.30, lw=0, zorder=2)
        low, high = panel.interval
        inside = np.union1d(x[(x > low) & (x < high)], np.clip([low, high], x[0], x[-1]))
        height = np.interp(inside, x, y)
        axes.fill_between(inside, height, color=ink.SKY, alpha=0.75, lw=0, zorder=2)
        axes.plot(x, y, color=ink.BLUE, lw=1.2, zorder=2.5, label="_posterior")
    elif atom < 1:  # all draws are one number
        axes.plot([panel.mean] * 2, [0, top], color=ink.BLUE, lw=3, zorder=2.5)
    if atom > 0:
        low, high = panel.limits
        axes.bar([0.0], [atom * top], width=0.03 * (high - low), color=ink.BLUE, zorder=2.6)


def _draw_mode(axes: Axes, panel: _Panel, top: float) -> None:
    x = panel.mode
    axes.plot([x, x], [0, top], color=ink.BLACK, lw=1.1, zorder=4, label="_mode")
    notes = ["mode = 0"] if x == 0 else []
    if x == 0:
        axes.plot([0.0], [0.0], ls="", marker="D", ms=6, color=ink.BLACK, zorder=6, label="_zero")
    if panel.curve.atom > 0:
        notes.append(f"P(0) = {panel.curve.atom:.2g}")
    if not notes:
        return
    low, high = axes.get_xlim()
    place = (0.0 - low) / (high - low)
    axes.annotate(
        "; ".join(notes),
        (0.0, top),
        xytext=(0, 1),
        textcoords="offset points",
        ha="left" if place < 0.35 else "right" if place > 0.65 else "center",
        va="bottom",
        fontsize=ink.SMALL,
        zorder=7,
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )


def _draw_strip(axes: Axes, panel: _Panel, depth: float) -> None:
    """Give each optimiser a row of its own: equal answers make a column, a stray one leaves it."""
    axes.axhspan(-depth, 0, color=ink.LIGHT, lw=0, zorder=0)
    axes.axhline(0, color=ink.GREY, lw=0.6, zorder=2.7)
    inch = depth / (_AIR + _ROW * len(panel.answers))
    for k, (answer, x) in enumerate(panel.answers):
        ink.mark(axes, x, -inch * (_AIR + _ROW * (k + 0.4)), answer)


def _style(axes: Axes) -> None:
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.spines["bottom"].set_color(ink.GREY)
    axes.tick_params(labelsize=ink.SMALL, length=2.5, pad=2)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, min_n_ticks=2))
    formatter = ScalarFormatter(useMathText=False)
    formatter.set_powerlimits((-3, 4))
    axes.xaxis.set_major_formatter(formatter)
    axes.xaxis.get_offset_text().set_fontsize(ink.SMALL)


def _handles(
    comparison: Comparison, panels: list[_Panel], answers: tuple[Answer, ...]
) -> list[Artist]:
    level = f"{100 * comparison.posterior.level:g} % interval, equal tails"
    flat = any(panel.prior_is_flat for panel in panels)
    prior = "prior density" + (" (flat: height arbitrary)" if flat else "")
    handles: list[Artist] = [
        Patch(facecolor=ink.SKY, alpha=0.30, edgecolor=ink.BLUE, label="posterior density"),
        Patch(facecolor=ink.SKY, alpha=0.75, label=level),
        Patch(facecolor="#d9d9d9", edgecolor=ink.GREY, ls="--", label=prior),
        Line2D([], [], color=ink.BLACK, lw=1.1, label="exact mode"),
    ]
    if any(panel.mode == 0 for panel in panels):
        handles.append(
            Line2D([], [], color=ink.BLACK, ls="", marker="D", ms=6, label="exact mode = 0")
        )
    if any(panel.curve.atom > 0 for panel in panels):
        handles.append(Patch(facecolor=ink.BLUE, label="draws exactly 0 (height: their share)"))
    return [
        *handles,
        Line2D([], [], color=ink.VERMILLION, ls="--", lw=2.0, label="posterior mean"),
        Line2D([], [], color=ink.GREEN, ls=":", lw=2.4, label="posterior median"),
        *ink.answer_handles(answers),
    ]
