"""The rows of a logistic regression: where a chain is, and what the likelihood says. Compiled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector


class Rows(NamedTuple):
    """The data: ``eta = offset + level + X'beta``, the level only where there is one.

    `X` has shape (p, n): a row for each column, about `mean` (p,). `wide`: the coefficients are
    drawn by an n × n system instead of a p × p one.
    """

    X: Matrix
    mean: Vector
    y: Vector
    weights: Vector
    offset: Vector
    has_level: bool
    wide: bool


class State(NamedTuple):
    """Where the chain is: coefficients about their centres, what belongs to them, linear predictor.

    `scalars` holds level and scale.
    """

    beta: Vector
    eta: Vector
    width: Vector
    aux: Matrix
    variance: Vector
    scalars: Vector


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


@njit(cache=True, nogil=True, error_model="numpy")
def predict(rows: Rows, state: State) -> None:
    """Write the linear predictor."""
    state.eta[:] = np.dot(state.beta, rows.X)
    for i in range(state.eta.size):
        state.eta[i] += rows.offset[i] + state.scalars[0]
