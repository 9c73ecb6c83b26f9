"""The moving cost as a film: a GIF, or one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from bayesreg._files import check_place, write_whole
from bayesreg.errors import InputError
from bayesreg.figures._ball_plane import special
from bayesreg.figures._moving_costs import HEADING, TITLE, positions

if TYPE_CHECKING:
    import os

    from bayesreg.studies.balls import BallCosts, Minimisers

_DPI, _COLOURS, _MILLISECONDS = 104, 32, 140
_LAYOUTS = 3  # square panels change what the layout made room for, until it settles
_PAPER = 240  # of 255: lighter than anything that is drawn
_SUFFIXES = (".gif", ".html")


def moving_costs_animation(
    result: BallCosts, path: str | os.PathLike[str], *, dpi: int = _DPI
) -> Path:
    """Write every position of a moving cost as an animation.

    Parameters
    ----------
    result : BallCosts
        Of `bayesreg.studies.balls.moving_costs`.
    path : path-like
        Ends in ``.gif`` or ``.html``; an existing file is replaced. The page plays and stops,
        goes to any position, and loads nothing from elsewhere.
    dpi : int
        Pixels per inch of a picture 5.4 inches wide.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        If the file ends in something else, or cannot be written there.

    Examples
    --------
    >>> import tempfile
    >>> from bayesreg.studies.balls import moving_costs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     moving_costs_animation(moving_costs(frames=2), f"{folder}/costs.gif", dpi=20).suffix
    '.gif'
    """
    suffix = check_place(path, "path").suffix.lower()
    if suffix not in _SUFFIXES:
        msg = f"path: must end in {' or '.join(_SUFFIXES)}, found {Path(path).name!r}"
        raise InputError(msg)
    if suffix == ".gif":
        content = _gif(_pictures(result, dpi, TITLE))
    else:  # which has a heading of its own
        content = _page(result, _pictures(result, dpi, ""))
    return write_whole(path, content, "path")


def _pictures(result: BallCosts, dpi: int, heading: str) -> list[Image.Image]:
    """Return each position as a picture of few colours, the same ones in all."""
    pictures: list[Image.Image] = []
    for figure in positions(result, heading):
        canvas = FigureCanvasAgg(figure)
        if not pictures:
            figure.set_dpi(dpi)
            for _ in range(_LAYOUTS):
                canvas.draw()  # type: ignore[no-untyped-call]
            figure.set_layout_engine("none")  # nothing may jump from then on
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        full = Image.fromarray(pixels).convert("RGB")
        palette = pictures[0] if pictures else _palette(full)
        pictures.append(full.quantize(palette=palette, dither=Image.Dither.NONE))
    return pictures


def _palette(full: Image.Image) -> Image.Image:
    """Return a picture in few colours, of which the nearly white are white, or paper is tinted."""
    few = full.quantize(_COLOURS, dither=Image.Dither.NONE)
    colours = np.reshape(few.getpalette() or [], (-1, 3))
    colours[colours.min(axis=1) > _PAPER] = 255
    few.putpalette(colours.ravel().tolist())
    return few


def _gif(pictures: list[Image.Image]) -> bytes:
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=_MILLISECONDS,
        loop=0,
    )
    return buffer.getvalue()


def _page(result: BallCosts, pictures: list[Image.Image]) -> bytes:
    environment = Environment(
        loader=PackageLoader("bayesreg"), autoescape=True, undefined=StrictUndefined
    )
    counts = "; ".join(_count(ball) for ball in result.balls)
    page = environment.get_template("animation.html.j2").render(
        title=HEADING,
        alternative="A panel for each ball: the ball, level lines of the cost around it, the point"
        " of the ball where the cost is smallest, and where that was before.",
        description=f"Of {len(pictures)} positions, {counts}.",
        frames=[base64.b64encode(_png(picture)).decode("ascii") for picture in pictures],
        width=pictures[0].width,
        height=pictures[0].height,
        milliseconds=_MILLISECONDS,
    )
    return page.encode("utf-8")


def _count(ball: Minimisers) -> str:
    favoured, where = special(ball)
    return f"{ball.name}: {int(favoured.sum())} {where}"


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
