"""Where the chains of the Gaussian kernel start: at the right size, each somewhere else.

R-hat sees that chains have not met only if they did not start together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.gibbs.plan import Plan

# Factor between the lengths of columns from which one start for all of them will not do.
_UNLIKE = 100.0
# Coefficients under spike and slab that a chain starts with.
_MOST_INCLUDED = 5
# A first fit takes the noise for this share of the target.
_NOISE = 1e-3


def start_scale(
    plan: Plan,
    lengths: Vector,
    size: float,
    sigma: float,
    chain: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[float, bool]:
    """Draw a first value of the shared scale, and say whether the columns are unlike.

    With alike columns: where they explain the target together. Else the posterior may have a mode
    for each of them, so it is log-uniform over where one of them would, each chain in its share.

    Parameters
    ----------
    plan : Plan
        The problem.
    lengths : ndarray, shape (m,)
        Of the columns with local variances, root mean square, in units of their widths.
    size : float
        Root mean square of the target.
    sigma : float
        First value of sigma.
    chain : tuple of int
        Number of the chain, and how many there are.
    rng : Generator
        Source of randomness.
    """
    typical = math.sqrt(float(np.mean(lengths**2))) if lengths.size else 1.0
    together = size / (math.sqrt(max(lengths.size, 1)) * (typical or 1.0))
    scale = together * math.exp(0.5 * rng.standard_normal())
    for block in plan.blocks:
        if block.uses_scale:
            own = lengths[block.low : block.high]
            own = own[own > 0]
            if own.size and own.max() > _UNLIKE * own.min():
                low, high = math.log(size / own.max()), math.log(size / own.min() / _NOISE)
                unit = sigma if block.uses_sigma else 1.0
                share = (chain[0] + rng.random()) / chain[1]
                return math.exp(low + (high - low) * share) / unit, True
    return scale, False


def start_included(
    inclusion: Vector, slab: Vector, lengths: Vector, size: float, rng: np.random.Generator
) -> Vector:
    """Draw first coefficients under spike and slab: a few that are not 0, at least one.

    Parameters
    ----------
    inclusion, slab : ndarray, shape (s,)
        Prior probabilities, and sds of the slabs.
    lengths : ndarray, shape (s,)
        Of the columns, root mean square.
    size : float
        Root mean square of the target: what a column explains at most.
    rng : Generator
        Source of randomness.
    """
    beta = np.zeros(inclusion.size)
    expected = int((rng.random(inclusion.size) < inclusion).sum())
    count = min(max(expected, 1), _MOST_INCLUDED, inclusion.size)
    chosen = rng.choice(inclusion.size, count, replace=False, p=inclusion / inclusion.sum())
    reach = size / np.maximum(lengths, size / slab)
    beta[chosen] = (reach * rng.standard_normal(inclusion.size))[chosen]
    return beta


def explaining(A: Matrix, t: Vector, width: Vector, lengths: Vector, size: float) -> Vector:
    """Return what the target says of coefficients of given widths, under little noise.

    Where the scale may have several modes, a chain begins in that of its widths.

    Parameters
    ----------
    A, t : ndarray, shapes (r, m) and (r,)
        Columns and target.
    width, lengths : ndarray, shape (m,)
        Prior sds of the coefficients, and root mean squares of the columns.
    size : float
        Root mean square of the target.
    """
    width = width / np.maximum(1.0, width * lengths * _NOISE / size)
    W = A * width
    system = W @ W.T
    system[np.diag_indices(t.size)] += (_NOISE * size) ** 2
    return np.asarray(width * (W.T @ np.linalg.solve(system, t)))
