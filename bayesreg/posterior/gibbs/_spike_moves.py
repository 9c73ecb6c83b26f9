r"""What spike and slab needs of one coefficient and of a pair: odds, and a partner. Compiled.

An included column i may be replaced by an excluded one that is like it: the partner j is drawn with
a weight ``ρ_ij⁴`` beside a small equal one, ρ the correlation (of columns as they are: centred
where there is an intercept). It is symmetric in i and j, so that in the ratio of a
Metropolis–Hastings step only the totals of the weights remain: over what is excluded before the
exchange, and after it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    import numpy as np

    from bayesreg._validation import Vector

_FAST = {"reassoc", "contract"}  # sums may be reordered; NaN and inf keep their meaning
# Total of the equal weights: that of one column with ρ = 0.56.
_EQUAL = 0.1


@njit(nogil=True, error_model="numpy", inline="always")
def log_odds(d: float, e: float, inclusion: float, slab: float) -> float:
    """Return the log odds of including a coefficient, given its precision d and pull e.

    Parameters
    ----------
    d, e : float
        The likelihood of ``β_j`` times its slab is ``∝ exp(e β_j − d β_j²/2)``.
    inclusion, slab : float
        Prior probability that it is not 0, and the sd of the slab.
    """
    prior = math.log(inclusion) - math.log1p(-inclusion)
    return prior + 0.5 * e * (e / d) - math.log(slab) - 0.5 * math.log(d)


@njit(nogil=True, error_model="numpy")
def included(d: float, e: float, inclusion: float, slab: float, rng: np.random.Generator) -> bool:
    """Draw whether a coefficient is included; parameters as in `log_odds`."""
    # A uniform number below a probability: one logarithm of all odds but those of the data.
    u = rng.random()
    odds = inclusion * (1.0 - u) / ((1.0 - inclusion) * u * slab * math.sqrt(d))
    return math.log(odds) + 0.5 * e * (e / d) > 0.0


@njit(nogil=True, error_model="numpy")
def draw_one(
    precision: float, pull: float, inclusion: float, slab: float, rng: np.random.Generator
) -> float:
    """Draw one coefficient given the others: 0.0, or from its slab's posterior.

    Parameters
    ----------
    precision, pull : float
        ``x'Wx/σ²`` of its column, and ``x'Wr/σ²``, r the residual without it.
    inclusion, slab : float
        As in `log_odds`.
    rng : Generator
        Source of randomness.
    """
    d = precision + 1.0 / (slab * slab)
    if not included(d, pull, inclusion, slab, rng):
        return 0.0
    return pull / d + rng.standard_normal() / math.sqrt(d)


@njit(nogil=True, error_model="numpy")
def tour(size: int, rng: np.random.Generator) -> tuple[int, int]:
    """Draw where a visit of all places begins, and the step to the next one, modulo `size`."""
    begin = int(rng.random() * size)
    return begin, 1 if rng.random() < 0.5 else size - 1


@njit(nogil=True, error_model="numpy")
def reciprocals(square: Vector, out: Vector) -> None:
    """Write reciprocals of squared lengths, 0 of a column of zeros."""
    for i in range(square.size):
        out[i] = 1.0 / square[i] if square[i] > 0.0 else 0.0


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _weigh(row: Vector, i: int, inverse: Vector, outside: Vector, weight: Vector) -> float:
    """Write the weights from column i, `row` its products with all columns; return their sum."""
    total, equal = 0.0, _EQUAL / row.size
    for h in range(row.size):
        square = row[h] * inverse[i] * row[h] * inverse[h]
        weight[h] = outside[h] * (square * square + equal)
        total += weight[h]
    return total


@njit(nogil=True, error_model="numpy")
def draw_partner(
    row: Vector, i: int, inverse: Vector, outside: Vector, weight: Vector, rng: np.random.Generator
) -> tuple[int, float]:
    """Draw an excluded column for the included column i.

    Parameters
    ----------
    row : ndarray, shape (m,)
        Products of column i with all columns that may be exchanged.
    i : int
        Its place among them.
    inverse : ndarray, shape (m,)
        Reciprocals of their squared lengths.
    outside : ndarray, shape (m,)
        1 for what is excluded, 0 else; some are excluded.
    weight : ndarray, shape (m,)
        Working memory.
    rng : Generator
        Source of randomness.

    Returns
    -------
    j : int
        The partner.
    total : float
        Sum of the weights of all that are excluded.
    """
    total = _weigh(row, i, inverse, outside, weight)
    left, j = rng.random() * total, -1
    for h in range(row.size):
        if outside[h] > 0.0:
            j = h
            left -= weight[h]
            if left < 0.0:
                break
    return j, total


@njit(nogil=True, error_model="numpy")
def reverse_weight(
    row: Vector, i: int, j: int, inverse: Vector, outside: Vector, weight: Vector
) -> float:
    """Return the sum of the weights from j once i is excluded in its place.

    Parameters are those of `draw_partner`, `row` belongs to j.
    """
    outside[i], outside[j] = 1.0, 0.0
    total = _weigh(row, j, inverse, outside, weight)
    outside[i], outside[j] = 0.0, 1.0
    return total
