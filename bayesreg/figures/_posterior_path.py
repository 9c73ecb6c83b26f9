"""Posterior and mode of each coefficient against the scale of the prior, in small panels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from bayesreg._validation import as_columns, as_count
from bayesreg.figures import _ink as ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.posterior.path_result import PosteriorPath

# Inches: the figure; a panel's height, and that of the strip below it; margins; gaps between rows
# (numbers and a title stand in them) and columns; room for a title above the first row, and from
# the last one to the name of the scales.
_WIDTH, _TALL, _STRIP, _LEFT, _RIGHT, _ROW, _COLUMN = 9.6, 1.45, 0.1, 0.66, 0.16, 0.46, 0.48
_ABOVE, _BELOW = 0.24, 0.52
_TICKS = 4
# A band is cut where it would make a panel higher than this many times what else is in it.
_CUT = 4.0
_NEAR = "#e4e4e4"


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
        λ below: the band of shortest intervals, the median, and the mode, heavy where it is
        exactly 0. A triangle at an edge says that the band goes on beyond the panel. Grey lies what
        counts as near zero; the strip below is the darker, the more probable that is. A dotted line
        is the problem's own scale.

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
    panels = [_Panel.of(path, j) for j in chosen]
    words = _subtitle(path, panels, by_size=names is None)
    sheet = ink.page(path, words, _handles(path, panels), width=_WIDTH, body=body)
    height = sheet.figure.get_figheight()
    wide = (_WIDTH - _LEFT - _RIGHT - (columns - 1) * _COLUMN) / columns
    for k, panel in enumerate(panels):
        row, column = divmod(k, columns)
        left = _LEFT + column * (wide + _COLUMN)
        bottom = height - sheet.top - _ABOVE - row * (tall + _ROW) - tall
        box = (left / _WIDTH, (bottom + _STRIP) / height, wide / _WIDTH, _TALL / height)
        axes = sheet.figure.add_axes(box)
        _draw(axes, path, panel)
        strip = _draw_strip(sheet, axes, path, panel.j)
        title = ink.label(path.names[panel.j], wide - 0.12)
        axes.set_title(title, fontsize=ink.TEXT, pad=3, parse_math=False, usetex=False)
        _style(axes, strip, has_lam=path.has_lam and k + columns >= len(panels))
    if panels:
        _name_axes(sheet, path, body)
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


@dataclass(frozen=True, eq=False)
class _Panel:
    """What one panel shows: a coefficient times the sd of its column, scales in order.

    Attributes
    ----------
    j : int
        Which coefficient.
    x, median, low, high : ndarray, shape (S,)
        Scales, median, and the band.
    mode : ndarray, shape (S,), or None
        The mode, where there is one.
    limits : tuple of float
        Of the axis: all of it, but for a band that would squeeze the rest.
    """

    j: int
    x: Vector
    median: Vector
    low: Vector
    high: Vector
    mode: Vector | None
    limits: tuple[float, float]

    @classmethod
    def of(cls, path: PosteriorPath, j: int) -> _Panel:
        order = np.argsort(path.scales)
        sd = float(path.problem.design.column_sd[j])
        median, low, high = (
            sd * curve[order] for curve in (path.median[:, j], path.hdi[:, j, 0], path.hdi[:, j, 1])
        )
        mode = None if path.mode is None else sd * path.mode[order, j]
        centre = median if mode is None else np.concatenate([median, mode])
        return cls(j, path.scales[order], median, low, high, mode, _limits(centre, low, high))

    @property
    def zero(self) -> NDArray[np.bool_]:
        """Where the mode is exactly 0, shape (S,)."""
        return np.zeros(self.x.size, dtype=bool) if self.mode is None else self.mode == 0

    @property
    def cut(self) -> tuple[bool, bool]:
        """Whether the band goes on below and above the panel."""
        return bool(self.low.min() < self.limits[0]), bool(self.high.max() > self.limits[1])


def _limits(centre: Vector, low: Vector, high: Vector) -> tuple[float, float]:
    """Choose the limits of a panel: all that is in it, but for a band that dwarfs the rest.

    The rest is median, mode, and the half of the scales where the band is narrower; without data to
    hold it a band grows with the scale, and would squeeze all else into a line.
    """
    inner = (
        min(0.0, centre.min(), np.quantile(low, 0.5)),
        max(0.0, centre.max(), np.quantile(high, 0.5)),
    )
    reach = _CUT * (inner[1] - inner[0])
    bottom = max(min(inner[0], low.min()), inner[0] - reach)
    top = min(max(inner[1], high.max()), inner[1] + reach)
    pad = 0.06 * ((top - bottom) or 1.0)
    return float(bottom - pad), float(top + pad)


def _subtitle(path: PosteriorPath, panels: list[_Panel], *, by_size: bool) -> str:
    p = path.problem.p
    if p == 0:
        return "There are no coefficients to draw: the problem has an intercept only."
    what = (
        f"Posterior at each {path.what[0]} of the prior, coefficients times the sd of their column"
    )
    if len(panels) < p:
        what += f"; {len(panels)} of {p}"
        what += ", those with the largest |median| anywhere" if by_size else ", as asked for"
    what += f". Near zero: {path.epsilon_rule}."
    if path.mode is None:
        what += " The prior has no mode."
    elif path.sigma is not None:
        what += " The mode is given the posterior median of σ at its scale."
    if path.reused.any():
        what += f" Drawn at {path.fresh.sum()} {path.what[1]}, reweighted at {path.reused.sum()}."
    if not path.complete:
        what += " Interrupted: scales are missing."
    if any(any(panel.cut) for panel in panels):
        what += " Triangles: the interval goes on beyond the panel."
    return what


# --------------------------------------------------------------------------- ink


def _draw(axes: Axes, path: PosteriorPath, panel: _Panel) -> None:
    x = panel.x
    marker = "o" if x.size == 1 else ""
    axes.set_xscale("log")
    axes.set_xlim(*_ends(x))
    axes.set_ylim(*panel.limits)
    sd = float(path.problem.design.column_sd[panel.j])
    if sd > 0:
        near = sd * float(path.epsilon[panel.j])
        axes.axhspan(-near, near, color=_NEAR, lw=0, zorder=0.5)
    axes.axhline(0, color=ink.GREY, lw=0.6, zorder=1)
    axes.fill_between(x, panel.low, panel.high, color=ink.SKY, alpha=0.45, lw=0, zorder=1.5)
    if x.size == 1:  # a band without width would not be seen
        axes.vlines(x, panel.low, panel.high, color=ink.SKY, lw=4, zorder=1.5, label="_bar")
    for end in (panel.low, panel.high):
        axes.plot(x, end, color=ink.BLUE, lw=0.5, zorder=1.6, label="_hdi")
    axes.plot(
        x, panel.median, color=ink.BLUE, lw=1.8, marker=marker, ms=4, zorder=3, label="_median"
    )
    if panel.mode is not None:
        _draw_mode(axes, panel, panel.mode, marker)
    _mark_cuts(axes, panel)
    own = _own(path)
    if own is not None:
        axes.axvline(own, zorder=2, label="_own", **ink.OWN)


def _draw_mode(axes: Axes, panel: _Panel, mode: Vector, marker: str) -> None:
    """Draw the mode, heavy where it is exactly 0; a 0 without neighbours is a dot."""
    x, zero = panel.x, panel.zero
    axes.plot(x, mode, color=ink.BLACK, lw=1.4, marker=marker, ms=4, zorder=4, label="_mode")
    padded = np.concatenate([[False], zero, [False]])
    alone = np.flatnonzero(zero & ~padded[:-2] & ~padded[2:])
    axes.plot(
        x, np.where(zero, 0.0, np.nan), color=ink.BLACK, lw=3.2, marker="o", ms=4.5,
        markevery=alone.tolist(), solid_capstyle="butt", zorder=4.1, label="_zero",
    )  # fmt: skip


def _mark_cuts(axes: Axes, panel: _Panel) -> None:
    """Put a triangle at the edge where the band leaves the panel, above or below its worst end."""
    ends = ((panel.low.argmin(), 0.0, "v"), (panel.high.argmax(), 1.0, "^"))
    for cut, (worst, edge, marker) in zip(panel.cut, ends, strict=True):
        if cut:
            axes.plot(
                [panel.x[worst]], [edge], ls="", marker=marker, color=ink.BLUE, ms=5, clip_on=False,
                transform=axes.get_xaxis_transform(), zorder=5, label="_cut",
            )  # fmt: skip


def _own(path: PosteriorPath) -> float | None:
    """Return the problem's own scale where it is on the path."""
    own = path.own_scale
    return own if own is not None and path.scales.min() <= own <= path.scales.max() else None


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


def _style(axes: Axes, strip: Axes, *, has_lam: bool) -> None:
    axes.tick_params(labelsize=ink.SMALL, length=2.5, pad=2)
    axes.set_xticks([])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, min_n_ticks=2))
    axes.spines[["right", "top", "bottom"]].set_visible(False)
    strip.set_yticks([])
    strip.set_ylim(0, 1)
    for side in strip.spines.values():
        side.set(color=ink.GREY, lw=0.5)
    ticks = _ticks(*axes.get_xlim())
    labels = [f"{at:.3g}\n{1 / at:.3g}" if has_lam else f"{at:.3g}" for at in ticks]
    strip.set_xticks(ticks, labels)
    strip.xaxis.set_minor_locator(NullLocator())
    strip.tick_params(labelsize=ink.SMALL, length=2.5, pad=2)
    if has_lam:
        strip.annotate(
            "λ", (0, 0), xycoords="axes fraction", xytext=(-16, -23.3), textcoords="offset points",
            ha="right", va="bottom", fontsize=ink.SMALL,
        )  # fmt: skip


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten where there are enough of them inside, else round numbers."""
    powers = np.arange(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    if powers.size >= 2:
        step = -(-powers.size // _TICKS)
        return [float(10.0**k) for k in powers[::step]]
    between = np.geomspace(low, high, _TICKS + 2)[1:-1]
    return sorted({float(f"{value:.2g}") for value in between})


def _name_axes(sheet: ink.Page, path: PosteriorPath, body: float) -> None:
    """Name the scales below the panels, and the coefficients beside them."""
    figure, height = sheet.figure, sheet.figure.get_figheight()
    what = "multiple of the prior's scales" if path.in_multiples else f"{path.what[0]} of the prior"
    what += ", and λ = 1/scale below it" if path.has_lam else ""
    middle = (_LEFT + (_WIDTH - _RIGHT)) / 2 / _WIDTH
    figure.text(
        middle, (sheet.bottom - _BELOW) / height, f"{what} (weaker penalty to the right)",
        ha="center", va="bottom", fontsize=ink.TEXT,
    )  # fmt: skip
    figure.text(
        0.08 / _WIDTH, (sheet.bottom + (body - _ABOVE) / 2) / height,
        "coefficient × sd of its column",
        ha="left", va="center", rotation=90, fontsize=ink.TEXT,
    )  # fmt: skip


def _handles(path: PosteriorPath, panels: list[_Panel]) -> list[Artist]:
    band = f"{100 * path.hdi_prob:g} % shortest interval (HDI)"
    handles: list[Artist] = [
        Line2D([], [], color=ink.BLUE, lw=1.8, label="posterior median"),
        Patch(facecolor=ink.SKY, alpha=0.45, edgecolor=ink.BLUE, label=band),
    ]
    if any(panel.mode is not None for panel in panels):
        handles.append(Line2D([], [], color=ink.BLACK, lw=1.4, label="mode"))
    if any(panel.zero.any() for panel in panels):
        handles.append(Line2D([], [], color=ink.BLACK, lw=3.2, label="mode exactly 0"))
    handles += [
        Patch(facecolor=_NEAR, label="near zero"),
        Patch(facecolor="#555555", edgecolor=ink.GREY, label="P(near zero): white 0, black 1"),
    ]
    own = _own(path)
    if own is not None:
        text = f"the problem's own {path.what[0]}, {own:.4g}"
        handles.append(Line2D([], [], label=text, **ink.OWN))
    return handles
