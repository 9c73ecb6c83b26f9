"""What the figures share: colours, markers, safe text, the header and the legend."""

from __future__ import annotations

import io
import math
import textwrap
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.lines import Line2D

from bayesreg.certificate import NEAR
from bayesreg.problem_words import unbroken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.ft2font import FT2Font

    from bayesreg._validation import Vector
    from bayesreg.comparison import Comparison
    from bayesreg.path import MapPath
    from bayesreg.posterior.path_result import PosteriorPath
    from bayesreg.scoring import Score

# Okabe and Ito's palette, without the yellow that white paper swallows.
BLACK, GREY, LIGHT = "#000000", "#666666", "#f3f3f3"
BLUE, SKY, GREEN = "#0072B2", "#56B4E9", "#009E73"
ORANGE, VERMILLION, PURPLE = "#E69F00", "#D55E00", "#CC79A7"
# Lengths without a common divisor: markers and colours pair up anew 35 times.
_MARKERS = ("o", "s", "^", "v", "P", "X", "*")
_COLOURS = (PURPLE, GREEN, ORANGE, VERMILLION, BLUE)

# The line at the scale of the problem itself, along a path.
OWN: dict[str, Any] = {"color": GREY, "lw": 1.2, "ls": (0, (1, 1.5))}

LIMIT = 60
TEXT, SMALL, _LEGEND = 9.0, 7.5, 8.0


@dataclass(frozen=True)
class Answer:
    """One optimiser's answer, and how it is drawn."""

    score: Score
    marker: str
    colour: str

    @property
    def label(self) -> str:
        """The optimiser's name; crossed where its answer is off."""
        return clean(self.score.name) + (" ✗" if self.score.verdict == "off" else "")


def answers(comparison: Comparison) -> tuple[Answer, ...]:
    """Return the optimisers' answers with their markers, in the order of the scores."""
    scores = [
        score
        for score in comparison.scores
        if score.name != "exact mode" and not score.name.startswith("posterior ")
    ]
    return tuple(
        Answer(score, _MARKERS[k % len(_MARKERS)], _COLOURS[k % len(_COLOURS)])
        for k, score in enumerate(scores)
    )


def draws_of(comparison: Comparison) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the draws of the coefficients, chains joined, shape (draws, p)."""
    beta = np.asarray(comparison.draws["posterior"]["beta"], dtype=np.float64)
    return beta.reshape(math.prod(beta.shape[:-1]), comparison.problem.p)


def spread(comparison: Comparison) -> Vector:
    """Return the standard deviation of each column, shape (p,)."""
    deviation: Vector = comparison.problem.design.X.std(axis=0)
    return deviation


def shown(comparison: Comparison, limit: int = LIMIT) -> tuple[int, ...]:
    """Choose the coefficients to draw, in the data's order.

    All of them if they are few. Else those with the largest mode, in sd of their column; where the
    mode has fewer non-zeros than there is room for, the most probably non-zero ones follow.
    """
    size = np.abs(comparison.mode.coef) * spread(comparison)
    sampled = comparison.sampled
    near = np.zeros(size.size) if sampled is None else np.nan_to_num(sampled.posterior.near_zero)
    order = np.lexsort((near, -size))
    return tuple(sorted(order[:limit].tolist()))


# --------------------------------------------------------------------------- text


def clean(text: str) -> str:
    """Make one printable line of any text: no newlines, no control or direction marks."""
    spaced = "".join(" " if c.isspace() else c for c in unicodedata.normalize("NFC", text))
    # Cc, Cf, Cs: control, direction marks and joiners, halves of surrogate pairs.
    kept = "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return " ".join(kept.split()) or "?"


def label(name: str, room: float, size: float = TEXT) -> str:
    """Return a column's name as one line at most `room` inches wide; the middle gives way.

    The ends are kept because names of one data set often share their beginning.
    """
    text = clean(name)
    if inches(text, size) <= room:
        return text
    most = text[:400]  # no name is read beyond that, and the search below is quadratic
    for kept in range(len(most) - 1, 1, -1):
        short = f"{most[: (kept + 1) // 2].rstrip()}…{text[len(text) - kept // 2 :].lstrip()}"
        if inches(short, size) <= room:
            return short
    return "…"


def inches(text: str, size: float) -> float:
    """Return the width of one line of text in the default font, at `size` points.

    Read off the font's own table, without drawing: that would warn of letters it does not have.
    """
    font = get_font(findfont(FontProperties()))
    font.set_size(size, 72)
    return sum(_advance(font, letter) or size for letter in text) / 72


def _advance(font: FT2Font, letter: str) -> float | None:
    """Width of a letter in points; None where the font has no such letter."""
    index = font.get_char_index(ord(letter))
    if not index:
        return None
    return float(font.load_glyph(index, LoadFlags.NO_HINTING).linearHoriAdvance) / 65536


# --------------------------------------------------------------------------- the page


class Drawing(Figure):
    """A figure that a notebook shows by itself: matplotlib's own needs pyplot for that."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.dpi)
        return buffer.getvalue()


@dataclass(frozen=True)
class Page:
    """A figure with room reserved, in inches, for a header above and a legend below."""

    figure: Figure
    top: float
    bottom: float


def page(
    comparison: Comparison | MapPath | PosteriorPath,
    subtitle: str,
    handles: Sequence[Artist],
    *,
    width: float,
    body: float,
) -> Page:
    """Make a figure: the penalised formula as title, a subtitle, and one legend.

    Sizes are fixed in inches and no layout engine runs: nothing can overlap as panels get many.

    Parameters
    ----------
    comparison : Comparison, MapPath or PosteriorPath
        What is drawn; its problem gives the title.
    subtitle : str
        What the figure shows.
    handles : sequence of Artist
        Legend entries.
    width, body : float
        Width of the figure, and height between header and legend, in inches.
    """
    title = _wrap(unbroken(clean(comparison.problem.formula())), int(width * 9), 3)
    lines = _wrap(subtitle, int(width * 14), 3)
    top = 0.3 + 0.21 * len(title) + 0.17 * len(lines)
    columns = _legend_columns(handles, width)
    rows = math.ceil(len(handles) / columns)
    bottom = 0.62 + 0.19 * rows
    height = top + body + bottom
    figure = Drawing(figsize=(width, height), facecolor="white")
    _header(figure, title, lines)
    legend = figure.legend(
        handles=list(handles),
        loc="lower center",
        bbox_to_anchor=(0.5, 0.04 / height),
        ncols=columns,
        fontsize=_LEGEND,
        frameon=False,
        borderaxespad=0.0,
        columnspacing=1.2,
        handletextpad=0.5,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    return Page(figure, top, bottom)


def _header(figure: Figure, title: list[str], lines: list[str]) -> None:
    width, height = figure.get_size_inches()
    left, below = 0.12 / width, 1 - (0.17 + 0.21 * len(title)) / height
    heading = figure.text(left, 1 - 0.12 / height, "\n".join(title), fontsize=11, weight="bold")
    what = figure.text(left, below, "\n".join(lines), fontsize=TEXT, color=GREY)
    for text in (heading, what):
        text.set(ha="left", va="top", parse_math=False, usetex=False)


def _wrap(text: str, width: int, lines: int) -> list[str]:
    return textwrap.wrap(text, width, max_lines=lines, placeholder=" …") or [""]


def _legend_columns(handles: Sequence[Artist], width: float) -> int:
    """As many columns as fit if each were as wide as the longest label and its sample."""
    longest = max(inches(str(handle.get_label()), _LEGEND) for handle in handles)
    return max(1, min(len(handles), int((width - 0.2) / (0.5 + longest))))


def answer_handles(answers: Sequence[Answer]) -> list[Line2D]:
    """Legend entries of the optimisers."""
    return [
        Line2D([], [], ls="", marker=a.marker, color=a.colour, ms=5.5, label=a.label)
        for a in answers
    ]


def choice(comparison: Comparison) -> str:
    """Say which coefficients were chosen, where not all are drawn."""
    p = comparison.problem.p
    if p <= LIMIT:
        return ""
    return (
        f": {LIMIT} of {p}, those with the largest |mode| × sd of the column, then with the "
        "largest probability of not being near zero"
    )


def notes(comparison: Comparison, *, beyond: bool) -> str:
    """Explain the cross in the legend and the arrows at an edge, where there are any."""
    crossed = any(answer.score.verdict == "off" for answer in answers(comparison))
    out = f" ✗: wrong zeros, or above the optimum by over {NEAR:g} nats." if crossed else ""
    return out + (" Arrows at an edge: beyond the axis." if beyond else "")


# --------------------------------------------------------------------------- axes


def view(inside: Sequence[float], maybe: Sequence[float]) -> tuple[float, float]:
    """Choose the limits of an axis: all of `inside`, and what of `maybe` is not far away.

    One optimiser that ran off must not squeeze everybody else into a line.
    """
    core = [value for value in inside if math.isfinite(value)] or [0.0]
    low, high = min(core), max(core)
    width = (high - low) or abs(high) or 1.0
    near = [v for v in maybe if math.isfinite(v) and low - width <= v <= high + width]
    low, high = min([low, *near]), max([high, *near])
    pad = 0.04 * ((high - low) or width)
    return low - pad, high + pad


def mark(
    axes: Axes, x: float, y: float, answer: Answer, *, size: float = 4.0, hollow: bool = False
) -> None:
    """Draw one answer; beyond the limits it becomes an arrow at the edge, and NaN is left out."""
    if math.isnan(x):
        return
    low, high = axes.get_xlim()
    outside = "<" if x < low else ">" if x > high else None
    face = "white" if hollow else answer.colour
    axes.plot(
        [min(max(x, low), high)],
        [y],
        ls="",
        marker=outside or answer.marker,
        color=answer.colour,
        markerfacecolor=face,
        markeredgewidth=0.8,
        ms=size,
        clip_on=False,
        zorder=5,
        label=f"_{answer.score.name}",
    )
