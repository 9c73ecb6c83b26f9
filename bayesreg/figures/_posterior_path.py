"""Posterior and mode of each coefficient against the scale of the prior, in small panels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from bayesreg._validation import as_columns, as_count
from bayesreg.figures import _ink as ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg._validation import Vector
    from bayesreg.posterior.path_result import PosteriorPath

# Inches: the figure; a panel's height, and that of the strip below it; margins; gaps between rows
# (a title stands in them) and columns; room for title and λ above the first row, and from the last
# one to the name of the scales.
_WIDTH, _TALL, _STRIP, _LEFT, _RIGHT, _ROW, _COLUMN = 9.6, 1.45, 0.1, 0.66, 0.16, 0.36, 0.48
_ABOVE, _BELOW = 0.46, 0.44
_TICKS = 4


def posterior_path(
    path: PosteriorPath, names: Sequence[str | int] | str | None = None, *, most: int = 12
) -> Figure:
    """Draw posterior and mode of each coefficient against the scale of the prior.

    Parameters
    ----------
    path : PosteriorPath
        Of `posterior_path`.
    names : sequence of str or int, or str, optional
        Coefficients to draw, by name or position, in this order. By default those with the largest
        |median| × sd of the column anywhere on the path, in the data's order.
    most : int
        How many to draw at most where `names` is not given.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per coefficient, times the sd of its column, on a logarithmic axis of scales with
        λ above: the band of shortest intervals, the median, and the mode, heavy where it is
        exactly 0. Grey lies what counts as near zero; the strip below is the darker, the more
        probable that is. A dashed line is the problem's own scale.

    Raises
    ------
    InputError
        If `names` holds something that is no coefficient.

    See Also
    --------
    bayesreg.figures.coefficient_path : the modes alone, on one pair of axes.
    """
    chosen = _chosen(path, names, as_count(most, "most"))
    columns = _columns(len(chosen))
    rows = math.ceil(len(chosen) / columns)
    tall = _TALL + _STRIP
    body = _ABOVE + rows * (tall + _ROW) - _ROW if chosen else 0.2
    sheet = ink.page(path, _subtitle(path, chosen), _handles(path), width=_WIDTH, body=body)
    height = sheet.figure.get_figheight()
    wide = (_WIDTH - _LEFT - _RIGHT - (columns - 1) * _COLUMN) / columns
    for k, j in enumerate(chosen):
        row, column = divmod(k, columns)
        left = _LEFT + column * (wide + _COLUMN)
        bottom = height - sheet.top - _ABOVE - row * (tall + _ROW) - tall
        box = (left / _WIDTH, (bottom + _STRIP) / height, wide / _WIDTH, _TALL / height)
        axes = sheet.figure.add_axes(box)
        _draw(axes, path, j)
        strip = _draw_strip(sheet, axes, path, j)
        title = ink.label(path.names[j], wide)
        axes.set_title(title, fontsize=ink.TEXT, pad=3, parse_math=False, usetex=False)
        _style(axes, strip, is_last=k + columns >= len(chosen))
        if row == 0 and path.has_lam:
            _draw_lam(axes, is_first=column == 0)
    if chosen:
        _name_axes(sheet, path)
    return sheet.figure


# --------------------------------------------------------------------------- what is drawn


def _chosen(
    path: PosteriorPath, names: Sequence[str | int] | str | None, most: int
) -> tuple[int, ...]:
    if names is not None:
        return as_columns([names] if isinstance(names, str) else list(names), path.names, "names")
    size = (np.abs(path.median) * path.problem.design.column_sd).max(axis=0, initial=0.0)
    order = np.argsort(-size, kind="stable")
    return tuple(sorted(order[:most].tolist()))


def _columns(panels: int) -> int:
    """Few panels are wide, many are narrow."""
    return next(c for most, c in ((1, 1), (4, 2), (9, 3), (math.inf, 4)) if panels <= most)


def _limits(*curves: Vector) -> tuple[float, float]:
    """Choose the limits of a panel: all of the curves, but for the band's ends, which come last.

    Of the band, what half of the scales need, and as much again on each side: without data to hold
    it a band grows with the scale, and would squeeze all else into a line.
    """
    centre, (low, high) = np.concatenate([[0.0], *curves[:-2]]), curves[-2:]
    inner = min(centre.min(), np.quantile(low, 0.5)), max(centre.max(), np.quantile(high, 0.5))
    reach = inner[1] - inner[0]
    bottom = max(min(centre.min(), low.min()), inner[0] - reach)
    top = min(max(centre.max(), high.max()), inner[1] + reach)
    pad = 0.06 * ((top - bottom) or 1.0)
    return float(bottom - pad), float(top + pad)


def _subtitle(path: PosteriorPath, chosen: tuple[int, ...]) -> str:
    p = path.problem.p
    if p == 0:
        return "There are no coefficients to draw: the problem has an intercept only."
    what = (
        f"Posterior at each {path.what[0]} of the prior, coefficients times the sd of their column"
    )
    if path.has_lam:
        what += "; λ = 1/scale"
    if len(chosen) < p:
        what += f"; {len(chosen)} of {p}"
    what += f". Near zero: {path.epsilon_rule}."
    if path.mode is None:
        what += " The prior has no mode."
    elif path.sigma is not None:
        what += " The mode is given the posterior median of σ at its scale."
    if path.reused.any():
        what += f" Drawn at {path.fresh.sum()} {path.what[1]}, reweighted at {path.reused.sum()}."
    if not path.complete:
        what += " Interrupted: scales are missing."
    return what


# --------------------------------------------------------------------------- ink


def _draw(axes: Axes, path: PosteriorPath, j: int) -> None:
    order = np.argsort(path.scales)
    sd = float(path.problem.design.column_sd[j])
    x, median = path.scales[order], sd * path.median[order, j]
    low, high = (sd * path.hdi[order, j, end] for end in (0, 1))
    mode = None if path.mode is None else sd * path.mode[order, j]
    marker = "o" if x.size == 1 else ""
    axes.set_xscale("log")
    axes.set_xlim(*_ends(x))
    axes.set_ylim(*_limits(median, median if mode is None else mode, low, high))
    near = sd * float(path.epsilon[j])
    axes.axhspan(-near, near, color="#e4e4e4", lw=0, zorder=0.5)
    axes.axhline(0, color=ink.GREY, lw=0.6, zorder=1)
    axes.fill_between(x, low, high, color=ink.SKY, alpha=0.45, lw=0, zorder=1.5)
    for end in (low, high):
        axes.plot(x, end, color=ink.BLUE, lw=0.5, zorder=1.6, label="_hdi")
    axes.plot(x, median, color=ink.BLUE, lw=1.8, marker=marker, ms=4, zorder=3, label="_median")
    if mode is not None:
        axes.plot(
            x, mode, color=ink.VERMILLION, lw=1.4, marker=marker, ms=4, zorder=4, label="_mode"
        )
        zero = np.where(mode == 0, 0.0, np.nan)
        axes.plot(
            x, zero, color=ink.VERMILLION, lw=3.2, marker=marker, solid_capstyle="butt", zorder=4.1,
            label="_zero",
        )  # fmt: skip
    own = path.own_scale
    if own is not None and x[0] <= own <= x[-1]:
        axes.axvline(own, color=ink.BLACK, lw=0.8, ls=(0, (4, 3)), zorder=2, label="_own")


def _draw_strip(sheet: ink.Page, axes: Axes, path: PosteriorPath, j: int) -> Axes:
    """Shade the probability of being near zero, below the panel."""
    order = np.argsort(path.scales)
    box = axes.get_position()
    height = box.height * _STRIP / _TALL
    strip = sheet.figure.add_axes((box.x0, box.y0 - height, box.width, height))
    strip.set_xscale("log")
    strip.set_xlim(*axes.get_xlim())
    x = path.scales[order]
    between = np.sqrt(x[1:] * x[:-1])
    edges = np.concatenate([[axes.get_xlim()[0]], between, [axes.get_xlim()[1]]])
    shade = path.near_zero[order, j][None]
    strip.pcolormesh(edges, [0.0, 1.0], shade, cmap="Greys", vmin=0, vmax=1, rasterized=True)
    strip.set_label(f"_strip{j}")
    return strip


def _ends(x: Vector) -> tuple[float, float]:
    low, high = float(x[0]), float(x[-1])
    pad = (high / low) ** 0.01 if high > low else 2.0
    return low / pad, high * pad


def _style(axes: Axes, strip: Axes, *, is_last: bool) -> None:
    axes.tick_params(labelsize=ink.SMALL, length=2.5, pad=2)
    axes.set_xticks([])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, min_n_ticks=2))
    axes.spines[["right", "top", "bottom"]].set_visible(False)
    strip.set_yticks([])
    strip.set_ylim(0, 1)
    for side in strip.spines.values():
        side.set(color=ink.GREY, lw=0.5)
    strip.xaxis.set_major_locator(FixedLocator(_ticks(*axes.get_xlim())))
    strip.xaxis.set_minor_locator(NullLocator())
    strip.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}" if is_last else "")
    strip.tick_params(labelsize=ink.SMALL, length=2.5, pad=2)


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten where there are enough of them inside, else round numbers."""
    powers = np.arange(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    if powers.size >= 2:
        step = -(-powers.size // _TICKS)
        return [float(10.0**k) for k in powers[::step]]
    between = np.geomspace(low, high, _TICKS + 2)[1:-1]
    return sorted({float(f"{value:.2g}") for value in between})


def _draw_lam(axes: Axes, *, is_first: bool) -> None:
    """Write λ = 1/scale above a panel of the first row."""
    low, high = axes.get_xlim()
    top = axes.secondary_xaxis("top")
    lam = _ticks(1 / high, 1 / low)
    top.set_xticks([1 / value for value in lam], [f"{value:.3g}" for value in lam])
    top.xaxis.set_minor_locator(NullLocator())
    top.tick_params(labelsize=ink.SMALL, length=2.5, pad=1)
    if is_first:
        axes.annotate(
            "λ", (0, 1), xycoords="axes fraction", xytext=(-8, 3), textcoords="offset points",
            ha="right", va="bottom", fontsize=ink.TEXT,
        )  # fmt: skip


def _name_axes(sheet: ink.Page, path: PosteriorPath) -> None:
    """Name the scales below the panels, and the coefficients beside them."""
    figure, height = sheet.figure, sheet.figure.get_figheight()
    what = "multiple of the prior's scales" if path.in_multiples else f"{path.what[0]} of the prior"
    middle = (_LEFT + (_WIDTH - _RIGHT)) / 2 / _WIDTH
    figure.text(
        middle, (sheet.bottom - _BELOW) / height, f"{what} (weaker penalty to the right)",
        ha="center", va="bottom", fontsize=ink.TEXT,
    )  # fmt: skip
    figure.text(
        0.08 / _WIDTH, 1 - (sheet.top + _ABOVE) / height, "coefficient × sd of its column",
        ha="left", va="top", rotation=90, fontsize=ink.TEXT,
    )  # fmt: skip


def _handles(path: PosteriorPath) -> list[Artist]:
    band = f"{100 * path.hdi_prob:g} % shortest interval"
    handles: list[Artist] = [
        Line2D([], [], color=ink.BLUE, lw=1.8, label="posterior median"),
        Patch(facecolor=ink.SKY, alpha=0.45, edgecolor=ink.BLUE, label=band),
    ]
    mode = path.mode
    if mode is not None:
        handles.append(Line2D([], [], color=ink.VERMILLION, lw=1.4, label="mode"))
        if (mode == 0).any():
            label = "mode exactly 0"
            handles.append(Line2D([], [], color=ink.VERMILLION, lw=3.2, label=label))
    handles += [
        Patch(facecolor="#e4e4e4", label="near zero"),
        Patch(facecolor="#555555", edgecolor=ink.GREY, label="P(near zero): white 0, black 1"),
    ]
    own = path.own_scale
    if own is not None and path.scales.min() <= own <= path.scales.max():
        text = f"the problem's own {path.what[0]}, {own:.4g}"
        handles.append(Line2D([], [], color=ink.BLACK, lw=0.8, ls=(0, (4, 3)), label=text))
    return handles
