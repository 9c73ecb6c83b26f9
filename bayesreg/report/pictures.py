"""Figures of the report, as data within the page, each with the words that replace it."""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg import figures
from bayesreg.report.text import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayesreg.comparison import Comparison
    from bayesreg.path import MapPath
    from bayesreg.posterior import PosteriorPath

_DPI = 144  # twice what a screen of ordinary density needs: sharp when enlarged or printed


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes
    ----------
    title : str
        What it is, below it.
    alt : str
        What it shows, for who does not see it.
    source : str
        The picture itself, as an address that holds its data.
    width, height : int
        In CSS pixels.
    """

    title: str
    alt: str
    source: str
    width: int
    height: int


def forest(comparison: Comparison) -> Picture:
    """Return every coefficient on one axis."""
    posterior = "" if comparison.sampled is None else "posterior interval, mean and median, "
    alt = (
        "Forest plot, one row per coefficient times the sd of its column: "
        f"{posterior}exact mode, and the optimisers' answers. {_zeros(comparison)}"
    )
    return _picture("All coefficients on one axis", alt, figures.coefficients(comparison))


def densities(comparison: Comparison) -> Picture:
    """Return a panel per coefficient."""
    alt = (
        "One panel per coefficient: posterior density with its interval, prior density, exact "
        f"mode, posterior mean and median, and the optimisers' answers. {_zeros(comparison)}"
    )
    return _picture("Posterior densities", alt, figures.posterior_densities(comparison))


def ribbon(path: PosteriorPath) -> Picture:
    """Return the posterior and the mode along the scale."""
    alt = (
        f"One panel per coefficient, against the {path.what[0]} of the prior: a ribbon of "
        f"{100 * path.hdi_prob:g} % posterior intervals, the posterior median, and the mode, heavy "
        "where it is exactly 0."
    )
    return _picture("Posterior and mode along the path", alt, figures.posterior_path(path))


def lines(path: MapPath) -> Picture:
    """Return the mode along the scale."""
    alt = (
        f"One line per coefficient: the mode against the {path.what[0]} of the prior. A line "
        "begins where its coefficient leaves 0."
    )
    return _picture("The mode along the path", alt, figures.coefficient_path(path))


def _zeros(comparison: Comparison) -> str:
    zeros = [comparison.problem.names[j] for j in np.flatnonzero(comparison.mode.coef == 0)]
    modes = f"The mode is exactly 0 for {listed(zeros)}." if zeros else "No mode is exactly 0."
    return f"{modes} The numbers are in the table of coefficients."


def _picture(title: str, alt: str, figure: Figure) -> Picture:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Letters that the font lacks become boxes; the tables beside the figure spell them out.
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        # No metadata: the same comparison gives the same bytes.
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return Picture(title, alt, source, width, height)
