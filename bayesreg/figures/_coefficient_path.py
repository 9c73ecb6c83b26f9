"""Coefficients against the scale of their prior, with λ and degrees of freedom above."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, LogFormatterSciNotation, MaxNLocator, NullLocator

from bayesreg.figures import _ink as ink

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg._validation import Matrix, Vector
    from bayesreg.path import MapPath

# Inches: the figure, the axes' height, at most for names, between the lines' ends and the names,
# from one name to the next, and for the two rows of numbers above.
_WIDTH, _BODY, _NAMES, _LEADER, _LINE, _ABOVE = 9.6, 4.6, 1.7, 0.3, 0.145, 0.5
_LEFT = 0.85
# More names than this would not fit beside the axes.
_MOST_NAMES = 24
_TICKS = 8
# No black, which is the axis of zeros, and no dots, which mark the problem's own scale.
_COLOURS = (ink.BLUE, ink.VERMILLION, ink.GREEN, ink.PURPLE, ink.ORANGE, ink.SKY)
_STYLES = ("-", (0, (5, 1.5)), (0, (6, 1.5, 1.2, 1.5)), (0, (2.5, 1.2)))


def coefficient_path(path: MapPath) -> Figure:
    """Draw every coefficient against the scale of the prior.

    Parameters
    ----------
    path : MapPath
        Of `map_path`.

    Returns
    -------
    matplotlib.figure.Figure
        Coefficients times the standard deviation of their column, against the scale on a
        logarithmic axis; λ and the degrees of freedom above. A line begins where its coefficient
        leaves exactly 0. Ticks at the foot are the knots, where the support changes; a dotted
        line is the problem's own scale. Names stand beside the lines: of at most 24 coefficients,
        those largest at the last scale, the others being grey.
    """
    x, values = _points(path)
    named = _named(values)
    sheet = ink.page(
        path, _subtitle(path, values, named), _handles(path, values, named), width=_WIDTH,
        body=_ABOVE + _BODY,
    )  # fmt: skip
    if path.problem.p == 0:
        return sheet.figure
    names = {j: ink.label(path.problem.names[j], _NAMES, ink.SMALL) for j in named}
    right = 0.2 + max((ink.inches(name, ink.SMALL) + _LEADER for name in names.values()), default=0)
    height = sheet.figure.get_figheight()
    axes = sheet.figure.add_axes(
        (
            _LEFT / _WIDTH,
            sheet.bottom / height,
            (_WIDTH - _LEFT - right) / _WIDTH,
            _BODY / height,
        )
    )
    axes.set_xscale("log")
    axes.set_xlim(*_limits(x))
    axes.set_ylim(*ink.view([0.0, *values[np.isfinite(values)].tolist()], []))
    _draw(axes, x, values, named)
    _draw_places(axes, path)
    _draw_names(axes, values, names)
    _style(axes, path)
    _draw_above(axes, path)
    return sheet.figure


# --------------------------------------------------------------------------- what is drawn


def _points(path: MapPath) -> tuple[Vector, Matrix]:
    """Scales in order, the knots among them, and coefficients in units of their columns' sd."""
    x, coef = path.scales, path.coef
    bends = path.readable_bends
    if bends is not None:
        between = bends.lam > 0
        x = np.concatenate([x, 1.0 / bends.lam[between]])
        coef = np.vstack([coef, bends.coef[between]])
    low, high = path.scales.min(), path.scales.max()
    inside = (x >= low) & (x <= high)
    x, first = np.unique(x[inside], return_index=True)
    return x, coef[inside][first] * path.problem.design.column_sd


def _named(values: Matrix) -> tuple[int, ...]:
    """Coefficients to name, the largest at the last scale first; those always 0 have no line."""
    last = np.abs(values[-1])
    ever = np.abs(values).max(axis=0, initial=0.0)
    order = np.lexsort((-ever, -last))
    return tuple(int(j) for j in order if ever[j] > 0)[:_MOST_NAMES]


def _subtitle(path: MapPath, values: Matrix, named: tuple[int, ...]) -> str:
    p = path.problem.p
    if p == 0:
        return "There are no coefficients to draw: the problem has an intercept only."
    lines = int((values != 0).any(axis=0).sum())
    lam = "; λ = 1/scale" if path.has_lam else ""
    what = (
        f"Mode at each {path.what[0]} of the prior, coefficients times the sd of their column{lam}."
    )
    if (values == 0).any():
        what += " A line begins where its coefficient leaves exactly 0."
    if lines < p:
        what += f" {p - lines} of {p} are 0 throughout."
    if lines > len(named):
        what += f" Of {lines} lines the {len(named)} largest at the last scale are named."
    return what


def _limits(x: Vector) -> tuple[float, float]:
    low, high = float(x[0]), float(x[-1])
    pad = (high / low) ** 0.01 if high > low else 2.0
    return low / pad, high * pad


# --------------------------------------------------------------------------- ink


def _draw(axes: Axes, x: Vector, values: Matrix, named: tuple[int, ...]) -> None:
    axes.axhline(0, color=ink.BLACK, lw=0.8, zorder=1.5)
    marker = "o" if x.size == 1 else ""
    for j in range(values.shape[1]):
        y = _from_zero(values[:, j])
        if j not in named:
            axes.plot(x, y, color="#bbbbbb", lw=0.6, marker=marker, zorder=1, label="_other")
    for k, j in enumerate(named):
        axes.plot(
            x,
            _from_zero(values[:, j]),
            color=_colour(k),
            ls=_STYLES[k // len(_COLOURS)],
            lw=1.3,
            marker=marker,
            ms=4,
            zorder=3,
            label=f"_coef{j}",
        )


def _colour(k: int) -> str:
    return _COLOURS[k % len(_COLOURS)]


def _from_zero(y: Vector) -> Vector:
    """Leave out what is 0 at a point and its neighbours: the axis is drawn there already."""
    zero = y == 0
    alone = zero.copy()
    alone[1:] &= zero[:-1]
    alone[:-1] &= zero[1:]
    return np.where(alone, np.nan, y)


def _draw_places(axes: Axes, path: MapPath) -> None:
    """Mark the knots at the foot, and the problem's own scale."""
    low, high = axes.get_xlim()
    if path.readable_bends is not None:
        knots = 1.0 / path.readable_bends.changes
        knots = knots[(knots >= low) & (knots <= high)]
        axes.vlines(
            knots, 0.0, 0.025, transform=axes.get_xaxis_transform(), color=ink.GREY, lw=0.7,
            zorder=2, label="_knots",
        )  # fmt: skip
    if path.own_scale is not None and low <= path.own_scale <= high:
        axes.axvline(path.own_scale, zorder=2, **ink.OWN)


def _draw_names(axes: Axes, values: Matrix, names: dict[int, str]) -> None:
    """Write names beside the lines' ends, moved apart where they would overlap."""
    if not names:
        return
    low, high = axes.get_ylim()
    inch = (high - low) / _BODY
    order = sorted(names, key=lambda j: float(values[-1, j]))
    ends = np.array([float(values[-1, j]) for j in order])
    room = (low + 0.5 * _LINE * inch, high - 0.5 * _LINE * inch)
    places = spread_out(ends, _LINE * inch, room)
    across = axes.get_yaxis_transform()
    width = _WIDTH * axes.get_position().width
    ranks = {j: k for k, j in enumerate(names)}
    for j, end, place in zip(order, ends, places, strict=True):
        colour = _colour(ranks[j])
        start, stop = 1.0, 1.0 + (_LEADER - 0.06) / width
        axes.plot(
            [start, start + 0.15 * (stop - start), stop],
            [end, end, place],
            color=colour,
            lw=0.5,
            transform=across,
            clip_on=False,
            label="_leader",
        )
        axes.text(
            1.0 + _LEADER / width,
            place,
            names[j],
            transform=across,
            color=colour,
            fontsize=ink.SMALL,
            va="center",
            ha="left",
            parse_math=False,
            usetex=False,
        )


def spread_out(targets: Vector, gap: float, room: tuple[float, float]) -> Vector:
    """Move increasing places as little as possible, in squares, until they are `gap` apart.

    Parameters
    ----------
    targets : ndarray, shape (m,)
        Where they would be, increasing.
    gap : float
        Least distance.
    room : tuple of float
        Where the first and the last may be; it has room for m of them.

    Returns
    -------
    ndarray, shape (m,)
        Less k gaps for the k-th, this is isotonic regression: neighbours in each other's way share
        their mean.
    """
    steps = gap * np.arange(targets.size)
    pools: list[list[float]] = []
    for target in targets - steps:
        pools.append([float(target), 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, count = pools.pop()
            before = pools[-1]
            total = before[1] + count
            pools[-1] = [(before[0] * before[1] + mean * count) / total, total]
    level = np.repeat([mean for mean, _ in pools], [int(count) for _, count in pools])
    return np.asarray(np.clip(level, room[0], room[1] - steps[-1]) + steps)


def _style(axes: Axes, path: MapPath) -> None:
    what = "multiple of the prior's scales" if path.in_multiples else f"{path.what[0]} of the prior"
    axes.set_xlabel(f"{what} (weaker penalty to the right)", fontsize=ink.TEXT, labelpad=3)
    axes.set_ylabel("coefficient × sd of its column", fontsize=ink.TEXT)
    axes.tick_params(labelsize=ink.SMALL, length=2.5, pad=2)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7))
    low, high = axes.get_xlim()
    if high / low < 30:  # decades alone would leave one label or none
        ticks = _round_numbers(np.geomspace(low, high, _TICKS)[1:-1])
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
        axes.xaxis.set_minor_locator(NullLocator())
    elif low > 1e-4 and high < 1e5:
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axes.xaxis.set_major_formatter(LogFormatterSciNotation())
    axes.spines[["right", "top"]].set_visible(False)


def _round_numbers(values: Vector) -> list[float]:
    return sorted({float(f"{value:.2g}") for value in values})


def _draw_above(axes: Axes, path: MapPath) -> None:
    """Write λ and the degrees of freedom, where they are known, above scales of the path."""
    known = bool(np.isfinite(path.df).all())
    if not (known or path.has_lam):
        return
    low, high = float(path.scales.min()), float(path.scales.max())
    wanted = np.geomspace(low, high, _TICKS)
    order = np.argsort(path.scales)
    nearest = np.abs(np.log(path.scales[order])[:, None] - np.log(wanted)).argmin(axis=0)
    chosen = order[np.unique(nearest)]
    rows = [[f"{lam:.3g}" for lam in path.lam[chosen]]] if path.has_lam else []
    rows += [[_df(df) for df in path.df[chosen]]] if known else []
    labels = ["\n".join(column) for column in zip(*rows, strict=True)]
    top = axes.secondary_xaxis("top")
    top.set_xticks(path.scales[chosen].tolist(), labels)
    top.xaxis.set_minor_locator(NullLocator())
    top.tick_params(labelsize=ink.SMALL, length=2.5, pad=2)
    axes.annotate(
        "\n".join(["λ"] * path.has_lam + ["df"] * known),
        (0, 1),
        xycoords="axes fraction",
        xytext=(-22, 4.5),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=ink.SMALL,
    )


def _df(value: float) -> str:
    return f"{value:.0f}" if abs(value - round(value)) < 0.005 else f"{value:.2g}"


def _handles(path: MapPath, values: Matrix, named: tuple[int, ...]) -> list[Artist]:
    handles: list[Artist] = [Line2D([], [], color=ink.BLACK, lw=0.8, label="exactly 0")]
    own = path.own_scale
    if own is not None and path.scales.min() <= own <= path.scales.max():
        text = f"the problem's own {path.what[0]}, {own:.4g}"
        handles.append(Line2D([], [], label=text, **ink.OWN))
    bends = path.readable_bends
    if bends is not None and bends.changes.size:
        count = bends.changes.size
        text = f"{count} knot{'s' * (count > 1)}: the support changes"
        handles.append(Line2D([], [], color=ink.GREY, ls="", marker="|", ms=7, label=text))
    if int((values != 0).any(axis=0).sum()) > len(named):
        handles.append(Line2D([], [], color="#bbbbbb", lw=0.6, label="not named"))
    return handles
