"""A page of all figures: a thumbnail and a line for each, by document."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from bayesreg._files import write_whole
from bayesreg.errors import InputError
from bayesreg.studies import exhibits
from bayesreg.units._documents import TITLES

if TYPE_CHECKING:
    import os

    from bayesreg.studies.exhibit import Exhibit

# Of each document: what it is about, and the notebook that goes through it.
DOCUMENTS = {
    1: (TITLES[1], "01_level_sets.ipynb"),
    2: (TITLES[2], "02_one_weight.ipynb"),
    3: (TITLES[3], "03_soft_thresholding.ipynb"),
    4: (TITLES[4], "04_logistic_priors.ipynb"),
    5: (TITLES[5], "05_balls.ipynb"),
    6: ("Beyond the mode", "06_beyond_the_mode.ipynb"),
    7: ("Choosing, selecting, comparing", "07_choosing.ipynb"),
}
_SOURCES = (
    "The first five are teaching texts found on the web, not papers; their titles here are ours. "
    "1: a note in Russian, “Why L1 regularisation selects features”. 2: “Effects of L1 and L2 "
    "regularization explained”, Analytics Vidhya. 3: course notes in Chinese, “L1 (lasso) "
    "regularisation”. 4: a lecture, “Theory and code in L1 and L2-regularizations”. 5: a blog "
    "post, “Visualising L1 and L2 regularisation”, October 2020. The last two are our own."
)
#: Pixels per inch of a thumbnail.
_DPI = 60


def write_gallery(folder: str | os.PathLike[str], *, seed: int = 0) -> tuple[Path, ...]:
    """Draw every figure, and write them with a page that shows all of them.

    Parameters
    ----------
    folder : path-like
        An existing directory; ``README.md`` and ``gallery/NAME.png`` in it are replaced.
    seed : int
        Of what is random in the figures.

    Returns
    -------
    tuple of pathlib.Path
        The files, the page first.

    Raises
    ------
    InputError
        If the folder is none, or cannot be written.
    """
    place = Path(folder)
    if not place.is_dir():
        msg = f"folder: {place} is no directory; create it first"
        raise InputError(msg)
    pictures = place / "gallery"
    pictures.mkdir(exist_ok=True)
    written = []
    for exhibit in exhibits():
        buffer = io.BytesIO()
        exhibit.draw(seed).savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
        written.append(write_whole(pictures / f"{exhibit.name}.png", buffer.getvalue(), "folder"))
    page = write_whole(place / "README.md", page_text(exhibits()).encode(), "folder")
    return (page, *written)


def page_text(shown: tuple[Exhibit, ...]) -> str:
    """Return the page in Markdown.

    Parameters
    ----------
    shown : tuple of Exhibit
        What is on it, in order.
    """
    drawn = "`bayesreg figures NAME --output FILE` draws one, `bayesreg figures --gallery .` all"
    parts = [f"# Figures\n\nOne notebook per document, and every figure of it: {drawn}.", _SOURCES]
    for number, (title, notebook) in DOCUMENTS.items():
        parts.append(f"## {number}. [{title}]({notebook})")
        rows = [exhibit for exhibit in shown if exhibit.document == number]
        cells = [
            f"| [<img src='gallery/{e.name}.png' alt='{e.name}' width='320'>]({notebook}) | "
            f"`{e.name}`<br>{e.caption.replace('|', '∣')} |"
            for e in rows
        ]
        parts.append("\n".join(["| | |", "|---|---|", *cells]))
    return "\n\n".join(parts) + "\n"
