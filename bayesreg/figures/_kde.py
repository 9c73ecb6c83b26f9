"""A kernel density estimate: the one thing that figures compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bayesreg._validation import Vector

_BINS = 512


@dataclass(frozen=True, eq=False)
class Density:
    """Draws of one coefficient as a curve and an atom at zero.

    Attributes
    ----------
    x, y : ndarray, shape (m,)
        Density of the draws that are not an exact zero, times their share; empty where they have
        no spread.
    atom : float
        Share of the draws that are exactly 0.0.
    """

    x: Vector
    y: Vector
    atom: float


def density(draws: Vector) -> Density:
    """Estimate the density of the draws of one coefficient.

    Parameters
    ----------
    draws : ndarray, shape (n,)
        Posterior draws; those that are not finite are left out.

    Returns
    -------
    Density
        With a Gaussian kernel of Silverman's width. The curve integrates to ``1 - atom``, but for
        the little that lies beyond its ends.

    Examples
    --------
    >>> curve = density(np.array([0.0, 0.0, 1.0, 2.0]))
    >>> curve.atom, round(float(np.trapezoid(curve.y, curve.x)), 2)
    (0.5, 0.5)
    """
    finite = draws[np.isfinite(draws)]
    values = finite[finite != 0]
    atom = 1.0 - values.size / finite.size if finite.size else 0.0
    width = _bandwidth(values)
    if width == 0:
        return Density(np.empty(0), np.empty(0), atom)
    edges = np.linspace(*_range(values, width), _BINS + 1)
    step = edges[1] - edges[0]
    # Binning first makes the cost independent of the number of draws.
    counts = np.histogram(values, edges)[0] / (finite.size * step)
    reach = int(np.ceil(4 * width / step))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    smooth = np.convolve(counts, kernel / kernel.sum())[reach : reach + _BINS]
    return Density((edges[1:] + edges[:-1]) / 2, smooth, atom)


def _range(values: Vector, width: float) -> tuple[float, float]:
    """Twice the central 95 %, or all there is: farther out, heavy tails would flatten the rest."""
    least, low, high, most = np.quantile(values, [0, 0.025, 0.975, 1])
    half = (high - low) / 2
    return float(max(least, low - half) - 3 * width), float(min(most, high + half) + 3 * width)


def _bandwidth(values: Vector) -> float:
    """Silverman's rule; 0 where the values have no spread that double precision resolves."""
    if values.size < 2:
        return 0.0
    low, quarter, three, high = np.quantile(values, [0, 0.25, 0.75, 1])
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        return 0.0
    sd, middle = float(values.std()), float(three - quarter) / 1.349
    # More than half the draws may be equal; then the middle half says nothing.
    return float(0.9 * (min(sd, middle) if middle > 0 else sd) * values.size**-0.2)
