r"""Coefficients that are many, under noise that is normal given a precision of each row. Compiled.

Given the precisions, rows times the roots of these have noise of one sd, and the step of the
Gaussian kernel that draws the coefficients does so here, too: before them sigma and the scale, with
the coefficients integrated out (`_collapsed`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._augmented import SCALE, SIGMA, centre_rows, level_step, roots
from bayesreg.posterior.gibbs._collapsed import draw_mixtures
from bayesreg.posterior.gibbs._normal import by_rows

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.gibbs import _state as gaussian
    from bayesreg.posterior.gibbs._augmented import Rows, State

_TINY = 1e-280
# Compiled for anything that has the fields it reads.
_draw_mixtures: Any = draw_mixtures


class Moves(NamedTuple):
    """Those of `_state.Moves` that `_collapsed` makes."""

    together: bool
    walks: int
    walk_sigma: bool
    walk_scale: bool


class Data(NamedTuple):
    """Those of `_state.Data` that `_collapsed` reads: they change with the precisions."""

    A: Matrix
    G: Matrix
    b: Vector
    power: float
    gram: bool


class Many(NamedTuple):
    """What `_collapsed` takes; coefficients and their variances are the chain's own arrays.

    `power` is that of 1/sigma in the density of the rows given their precisions, 0 where this step
    is not made; `gram`: by sums of products, p × p, instead of n × n.
    """

    prior: gaussian.Prior
    moves: Moves
    state: gaussian.State
    power: float
    gram: bool


@njit(nogil=True, error_model="numpy")
def many_step(
    rows: Rows, many: Many, state: State, omega: Vector, target: Vector, rng: Generator
) -> None:
    """Draw sigma, the scale and (β, level) given local variances.

    Parameters
    ----------
    rows, state
        The problem, and where the chain is (written).
    many : Many
        How to draw; working memory.
    omega, target : ndarray, shape (n,)
        Precisions of the rows, which change with sigma, and the target less the offset.
    rng : Generator
        Random numbers.
    """
    scalars, work, p = state.scalars, many.state, state.beta.size
    total, centre, mean = centre_rows(rows, omega, target)
    root, sigma = roots(omega), scalars[SIGMA]
    for i in range(root.size):
        root[i] *= sigma
    A = by_rows(rows.X, root, mean, np.ones(p))
    for i in range(root.size):
        work.part[i] = root[i] * (target[i] - centre)
    G, b = np.empty((0, 0)), np.empty(0)
    if many.gram:
        G, b = np.dot(A.T, A), np.dot(work.part, A)
        work.pull[:] = b
    for j in range(p):
        work.ridge[j] = sigma * sigma / max(state.variance[j], _TINY)
    work.unknown[0], work.unknown[1] = sigma, scalars[SCALE]
    data = Data(A, G, b, many.power, many.gram)
    _draw_mixtures(data, many.prior, many.moves, work, rng)
    scalars[SIGMA], scalars[SCALE] = work.unknown[0], work.unknown[1]
    level_step(rows, state, total * (sigma / scalars[SIGMA]) ** 2, centre, mean, rng)
