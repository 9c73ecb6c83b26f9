"""Document 1: level sets of loss and penalty, where they touch, and the posterior below them.

The document takes the first two columns of the Boston data without intercept, scatters points
around least squares and keeps those with nearly the same mean squared error, L1 or L2 norm. Here
the level sets are exact. Minus the log likelihood is ``n·MSE/(2σ²)``, so ``σ²`` only sets what one
unit of MSE is worth in nats; 20 is the sd of the residuals, rounded. A penalty of λ nats is
``2σ²λ/n`` in units of the mean squared error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from bayesreg.priors import Flat, GroupLaplace, Laplace
from bayesreg.studies._boston import (
    SIGMA,
    boston_problem,
    in_nats,
    lasso_prior,
    mean_squared_error,
    ridge_prior,
)
from bayesreg.studies._contours import REACH, Ellipses, prior_curve
from bayesreg.studies._densities import Quadratic
from bayesreg.studies._touching import (
    PRIORS,
    Sweep,
    Tangency,
    Touch,
    level_sets_of_priors,
    tangency,
    touch,
)
from bayesreg.studies._under import PosteriorUnder, Under, posterior_under_level_sets
from bayesreg.studies.exhibit import Exhibit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior

__all__ = [
    "EXHIBITS",
    "NORMS",
    "PRIORS",
    "SIGMA",
    "LevelSets",
    "PosteriorUnder",
    "Ring",
    "Sweep",
    "Tangency",
    "Touch",
    "Under",
    "boston_problem",
    "in_nats",
    "lasso_prior",
    "level_sets",
    "level_sets_of_priors",
    "mean_squared_error",
    "posterior_under_level_sets",
    "ridge_prior",
    "tangency",
    "touch",
]

type Band = tuple[float, float]
#: The document keeps points whose MSE, rounded to an integer, lies strictly between two others.
LOSS_BANDS: tuple[Band, ...] = ((400.5, 401.5), (500.5, 509.5), (800.5, 839.5))
L1_BANDS: tuple[Band, ...] = ((0.5, 0.55), (1.0, 1.05), (2.0, 2.1))
L2_BANDS: tuple[Band, ...] = ((0.5, 0.6), (1.0, 1.1), (2.0, 2.2))


@dataclass(frozen=True, eq=False)
class Ring:
    """A level set, and the points of a scatter in a band around it.

    Attributes
    ----------
    level : float
        Mean squared error, or penalty: the middle of the band.
    band : tuple of float
        Its ends.
    curve : ndarray, shape (m, 2)
        The level set, exact.
    points : ndarray, shape (k, 2)
        What the scatter has in the band.
    """

    level: float
    band: Band
    curve: Matrix
    points: Matrix


@dataclass(frozen=True, eq=False)
class LevelSets:
    """Level sets of the loss and of penalties.

    Attributes
    ----------
    ellipses : Ellipses
        Of the loss.
    loss : tuple of Ring
        Levels of the mean squared error.
    penalties : tuple of (str, tuple of Ring)
        Name and levels of each penalty.
    scatter : int
        Number of points scattered.
    """

    ellipses: Ellipses
    loss: tuple[Ring, ...]
    penalties: tuple[tuple[str, tuple[Ring, ...]], ...]
    scatter: int


NORMS: tuple[tuple[str, Prior, tuple[Band, ...]], ...] = (
    ("L1: |w₁| + |w₂|", Laplace(1.0), L1_BANDS),
    ("L2: √(w₁² + w₂²)", GroupLaplace(1.0, groups=[[0, 1]]), L2_BANDS),
)


def level_sets(
    seed: int = 0,
    *,
    scatter: int = 10_000,
    penalties: Sequence[tuple[str, Prior, tuple[Band, ...]]] = NORMS,
) -> LevelSets:
    """Compute exact level sets of loss and penalties, with the document's scatter beside them.

    Parameters
    ----------
    seed : int
        Of the scatter.
    scatter : int
        Points around least squares, from a normal of sd 1; 0 for none.
    penalties : sequence of (str, Prior, tuple of (float, float))
        Name, prior, and the bands of its penalty: any prior of the library that has a penalty.

    Returns
    -------
    LevelSets
        Ellipses from the eigenvectors of ``X'X``; penalties ray by ray.

    Examples
    --------
    >>> sets = level_sets(scatter=0)
    >>> sets.ellipses.radii(in_nats(505.0)).round(4).tolist()  # the document drew 1.1 and 0.4
    [1.1107, 0.3994]
    """
    flat = boston_problem(Flat())
    ellipses = Ellipses.of(flat)
    cloud = ellipses.centre + np.random.default_rng(seed).standard_normal((scatter, 2))
    losses = mean_squared_error(1.0) * Quadratic.of(flat)(cloud)
    curves = [ellipses.curve(in_nats(_middle(band))) for band in LOSS_BANDS]
    named = []
    for name, prior, bands in penalties:
        value = prior.penalty(2).value
        values = np.array([value(point) for point in cloud])
        lines = [_penalty_curve(prior, _middle(band)) for band in bands]
        named.append((name, _rings(bands, lines, values, cloud)))
    return LevelSets(
        ellipses, _rings(LOSS_BANDS, curves, losses, cloud), tuple(named), scatter=scatter
    )


def _middle(band: Band) -> float:
    return 0.5 * (band[0] + band[1])


def _rings(
    bands: Sequence[Band], curves: Sequence[Matrix], values: Vector, cloud: Matrix
) -> tuple[Ring, ...]:
    return tuple(
        Ring(_middle(band), band, curve, cloud[(values > band[0]) & (values < band[1])])
        for band, curve in zip(bands, curves, strict=True)
    )


def _penalty_curve(prior: Prior, level: float) -> Matrix:
    """Return the level set of a penalty, through the point of the diagonal that has the level."""
    value = prior.penalty(2).value
    size = brentq(lambda r: value(np.array([r, r])) - level, 0.0, REACH, xtol=1e-14)
    return prior_curve(prior, np.array([size, size]))


# --------------------------------------------------------------------------- the exhibits

EXHIBITS = (
    Exhibit(
        "level_sets",
        "Level sets of the loss are ellipses, of L1 diamonds, of L2 circles; with random points",
        1,
        level_sets,
    ),
    Exhibit(
        "tangency",
        "Where ellipses touch diamonds and circles: penalised mode and constrained optimum, by λ",
        1,
        lambda _: tangency(),
    ),
    Exhibit(
        "level_sets_of_priors",
        "The same loss against the level sets of eight priors, from the ridge to the horseshoe",
        1,
        lambda _: level_sets_of_priors(),
    ),
    Exhibit(
        "posterior_under_level_sets",
        "The posterior density below the tangency: its mode is at the corner, mean and median not",
        1,
        lambda _: posterior_under_level_sets(),
    ),
)
