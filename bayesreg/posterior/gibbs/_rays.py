r"""Coefficients with heavy tails along rays: a logistic likelihood that is nearly flat. Compiled.

Where columns separate the classes, the likelihood of coefficients t times as large goes to a
constant as t grows, and a prior with heavy tails lets t range over orders of magnitude. Steps at
given local variances follow that only by what these leave open. Here coefficients and the square
roots of their local variances are multiplied by the same ratio, which is slice sampled in its
logarithm from the likelihood itself (Liu & Sabatti 2000): one coefficient, or several.

These are coefficients of more than h widths, h random over orders of magnitude: few of many columns
do it all where classes separate, and the others, which hang on to their prior, would hold them
back. A ratio may not take any of them below h widths, so that they are the ones that a move back
would choose.

With c the factor of the squared width that makes the tails (`_single`), ``c → c e^(2t)`` as
``β → β e^t``. With normal or Laplace density of β given c, of scale ∝ √c, the Jacobian of the first
cancels what its density loses. Under a slab of precision P the density of β given c is
``√(1/(w² c) + P) exp(−½ β² (1/(w² c) + P))``, of which ``β²/c`` stays.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._augmented import LEVEL, SCALE, SIGMA, is_heavy, write_widths
from bayesreg.posterior.gibbs._binary_rows import log_likelihood
from bayesreg.posterior.gibbs._mixing import REGULARIZED_HORSESHOE
from bayesreg.posterior.gibbs._single import FAR, has_pairs, log_tail, read_tail, write_tail
from bayesreg.posterior.gibbs._slice import slice_sampler

if TYPE_CHECKING:
    from typing import Any

    from numpy.random import Generator
    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.posterior.gibbs._augmented import Prior, Rows, State

# First step of a slice in the logarithm of a ratio; logs of the least and the largest h.
_STEP, _LEAST, _MOST = 1.0, math.log(0.1), math.log(1e5)
# Linear predictors beyond this leave few digits to what is left without them.
_LARGE = 1e6


@njit(nogil=True, error_model="numpy")
def _beyond(prior: Prior, state: State, h: float, chosen: NDArray[np.int64]) -> int:
    """Write which coefficients with heavy tails are beyond h widths, and return how many."""
    count = 0
    for i in range(prior.blocks.shape[0]):
        if has_pairs(prior.blocks[i, 0]):
            for j in range(prior.blocks[i, 1], prior.blocks[i, 2]):
                if abs(state.beta[j]) > h * state.width[j]:
                    chosen[count, 0], chosen[count, 1] = j, prior.blocks[i, 0]
                    count += 1
    return count


@njit(nogil=True, error_model="numpy")
def _log_density(t: float, context: Any) -> float:
    """Log density of the logarithm of a ratio."""
    rows, prior, state, chosen, h, share, moving, rest, eta = context
    if abs(t) > FAR:
        return -math.inf
    ratio, total = math.exp(t), share * t
    for k in range(chosen.shape[0]):
        j, family = chosen[k, 0], chosen[k, 1]
        beta, width = ratio * state.beta[j], state.width[j]
        if not abs(beta) > h * width:
            return -math.inf
        u = read_tail(family, state.aux[j, 0]) + 2.0 * t
        total += log_tail(u, family, 0.5 * prior.shape[j, 0])
        if family == REGULARIZED_HORSESHOE:
            slab = state.aux[j, 1]
            total += t + 0.5 * (
                math.log(math.exp(-u) / (width * width) + slab) - slab * beta * beta
            )
    for i in range(eta.size):
        eta[i] = rest[i] + ratio * moving[i]
    return float(total + log_likelihood(rows, eta))


_slice_ratio = slice_sampler(_log_density)


@njit(nogil=True, error_model="numpy")
def _rest(
    rows: Rows, state: State, chosen: NDArray[np.int64], share: float, moving: Vector
) -> Vector:
    """Return what does not move of the linear predictor: a difference, unless that would cancel."""
    rest = state.eta - moving
    for i in range(moving.size):
        if abs(moving[i]) > _LARGE:
            others = state.beta.copy()
            for k in range(chosen.shape[0]):
                others[chosen[k, 0]] = 0.0
            rest[:] = np.dot(others, rows.X)
            rest += rows.offset + (1.0 - share) * state.scalars[LEVEL]
            break
    return rest


@njit(nogil=True, error_model="numpy")
def _move(
    rows: Rows, prior: Prior, state: State, chosen: NDArray[np.int64], h: float, share: float,
    rng: Generator,
) -> None:  # fmt: skip
    """Multiply the chosen coefficients, and `share` levels."""
    n = rows.y.size
    eta, moving = np.empty(n), np.full(n, share * state.scalars[LEVEL])
    for k in range(chosen.shape[0]):
        j = chosen[k, 0]
        for i in range(n):
            moving[i] += state.beta[j] * rows.X[j, i]
    rest = _rest(rows, state, chosen, share, moving)
    context = (rows, prior, state, chosen, h, share, moving, rest, eta)
    t = _slice_ratio(0.0, context, _STEP, rng)
    ratio = math.exp(t)
    for k in range(chosen.shape[0]):
        j, family = chosen[k, 0], chosen[k, 1]
        state.beta[j] *= ratio
        u = read_tail(family, state.aux[j, 0]) + 2.0 * t
        state.aux[j, 0] = write_tail(family, u)
    state.scalars[LEVEL] *= 1.0 + share * (ratio - 1.0)
    for i in range(n):
        state.eta[i] = rest[i] + ratio * moving[i]


@njit(nogil=True, error_model="numpy")
def ray_step(rows: Rows, prior: Prior, state: State, moves: int, rng: Generator) -> None:
    """Multiply coefficients with heavy tails so many times, several together and one by turns.

    Every other time, by a coin, the level goes with several: its prior is flat. The local variances
    in ``state.variance`` are to be drawn anew afterwards.
    """
    if not is_heavy(prior):
        return
    for i in range(prior.blocks.shape[0]):
        write_widths(prior, i, state.scalars[SCALE], state.scalars[SIGMA], state.width)
    chosen = np.empty((state.beta.size, 2), dtype=np.int64)
    for move in range(moves):
        h = math.exp(_LEAST + (_MOST - _LEAST) * rng.random())
        count = _beyond(prior, state, h, chosen)
        if not count:
            continue
        if move % 2:
            k = rng.integers(0, count)
            _move(rows, prior, state, chosen[k : k + 1], h, 0.0, rng)
        else:
            share = 1.0 if rows.has_level and rng.random() < 0.5 else 0.0
            _move(rows, prior, state, chosen[:count], h, share, rng)
