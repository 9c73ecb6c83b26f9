"""What the likelihood of a logistic regression says of its rows. Compiled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.posterior.gibbs._augmented import Rows


@njit(cache=True, nogil=True, error_model="numpy")
def log_likelihood(rows: Rows, eta: Vector) -> float:
    """Return ``Σ w (y η − log(1 + exp η))``."""
    total = 0.0
    for i in range(eta.size):
        e = eta[i] if rows.y[i] > 0.5 else -eta[i]
        total += rows.weights[i] * (min(e, 0.0) - math.log1p(math.exp(-abs(e))))
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def slopes_of(rows: Rows, eta: Vector, out: Vector) -> float:
    """Write ``w (y − p)``, accurate in both tails, and return its sum."""
    total = 0.0
    for i in range(eta.size):
        small = math.exp(-abs(eta[i]))
        above = (eta[i] > 0.0) == (rows.y[i] > 0.5)
        miss = (small if above else 1.0) / (1.0 + small)
        out[i] = rows.weights[i] * (miss if rows.y[i] > 0.5 else -miss)
        total += out[i]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def add_information(rows: Rows, eta: Vector, out: Vector) -> None:
    """Add ``w p (1 − p)`` to `out`."""
    for i in range(eta.size):
        small = math.exp(-abs(eta[i]))
        out[i] += rows.weights[i] * small / (1.0 + small) ** 2
