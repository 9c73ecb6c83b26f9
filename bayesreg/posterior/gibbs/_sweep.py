"""The sweeps of the Gaussian Gibbs sampler. Compiled.

One sweep draws, in this order:

1. an unknown scale: given the coefficients in units of it, given the coefficients with local
   variances integrated out where the family can, and given the local variances (`_global`);
2. sigma given the coefficients, unless every width is relative to sigma;
3. the local variances (`_mixing`);
4. with the coefficients integrated out, sigma, and the scale where columns are many (`_collapsed`);
5. the coefficients, those under spike and slab one by one (`_spike`);
6. those with heavy tails once more, each together with its local variance (`_single`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from numba import njit

from bayesreg.posterior.gibbs._collapsed import draw_mixtures, predict, residual_square
from bayesreg.posterior.gibbs._global import scale_from_coefficients, scale_from_locals
from bayesreg.posterior.gibbs._mixing import scale_statistics, update
from bayesreg.posterior.gibbs._scalar import draw_scale, slice_scale
from bayesreg.posterior.gibbs._single import has_pairs, sweep_pairs
from bayesreg.posterior.gibbs._spike import sweep_gram, sweep_rows
from bayesreg.posterior.gibbs.fingerprint import fingerprint

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix
    from bayesreg.posterior.gibbs._state import Data, Moves, Prior, State

_FAST = {"reassoc", "contract"}
_TINY = 1e-280


@njit(nogil=True, error_model="numpy", inline="always")
def _scale_from_data(data: Data, prior: Prior, state: State, rng: Generator) -> None:
    """Draw the scale given the coefficients in units of it, which move with it.

    The rows see it through ``fit + (s/s₀ − 1) part``, so its log density is a parabola in s.
    """
    scale, part, t, beta = state.unknown[1], state.part, data.t, state.beta
    low, high = prior.blocks[prior.scaled, 1], prior.blocks[prior.scaled, 2]
    for j in range(beta.size):
        state.width[j] = beta[j] if low <= j < high else 0.0
    predict(data.A, state.width, beta.size, part)
    bend, rise = 0.0, 0.0
    for i in range(t.size):
        bend += part[i] * part[i]
        rise += part[i] * (t[i] - state.fit[i] + part[i])
    variance = state.unknown[0] ** 2 * scale
    bend, rise = 0.5 * bend / (variance * scale), rise / variance
    if not bend > 0:
        return
    step = min(3.0 * math.sqrt(2 * bend) / max(abs(rise), _TINY), 2.0)
    kind, a, b = prior.scale
    new = slice_scale(scale, (0.0, 0.0, 0.0, rise, bend), kind, a, b, step, rng)
    ratio = new / scale
    state.unknown[1] = new
    for j in range(low, high):
        beta[j] *= ratio
    for i in range(t.size):
        state.fit[i] += (ratio - 1.0) * part[i]


@njit(nogil=True, error_model="numpy", inline="always")
def _scale(data: Data, prior: Prior, moves: Moves, state: State, rng: Generator) -> None:
    """Draw the scale from every side."""
    if moves.scale_from_data:
        _scale_from_data(data, prior, state, rng)
    place = prior.scaled
    family, low, high = prior.blocks[place, 0], prior.blocks[place, 1], prior.blocks[place, 2]
    other = state.unknown[0] if prior.blocks[place, 3] else 1.0
    # `ridge` is free until the local variances are drawn.
    for j in range(low, high):
        state.ridge[j] = prior.unit[j] * other
    state.unknown[1] = scale_from_coefficients(
        state.unknown[1], family, low, high, state.beta, state.ridge, state.width,
        prior.shape, state.aux, prior.scale, rng,
    )  # fmt: skip
    state.unknown[1] = scale_from_locals(
        state.unknown[1], family, low, high, state.beta, state.width,
        prior.shape, state.aux, prior.scale, rng,
    )  # fmt: skip


@njit(nogil=True, error_model="numpy", inline="always")
def _widths(prior: Prior, state: State, i: int, sigma: float) -> None:
    """Write the widths of block i for a value of sigma."""
    unknown = sigma if prior.blocks[i, 3] else 1.0
    if i == prior.scaled:
        unknown *= state.unknown[1]
    for j in range(prior.blocks[i, 1], prior.blocks[i, 2]):
        state.width[j] = prior.unit[j] * unknown


@njit(nogil=True, error_model="numpy", inline="always")
def _sigma(data: Data, prior: Prior, state: State, rng: Generator) -> None:
    """Draw sigma given the coefficients, from the residuals and the widths relative to it."""
    count, linear, square = data.power, 0.0, 0.5 * residual_square(data.t, state.fit)
    for i in range(prior.blocks.shape[0]):
        family, low, high = prior.blocks[i, 0], prior.blocks[i, 1], prior.blocks[i, 2]
        if not prior.blocks[i, 3]:
            continue
        _widths(prior, state, i, 1.0)
        more = scale_statistics(family, low, high, state.beta, state.width, prior.shape, state.aux)
        count, linear, square = count + more[0], linear + more[1], square + more[2]
    kind, a, b = prior.sigma
    state.unknown[0] = draw_scale(
        state.unknown[0], count, linear, max(square, _TINY), kind, a, b, rng
    )


@njit(nogil=True, error_model="numpy", inline="always")
def _locals(prior: Prior, state: State, rng: Generator) -> None:
    """Draw the local variances, and write the ridge: the noise variance over them."""
    sigma = state.unknown[0]
    for i in range(prior.blocks.shape[0]):
        family, low, high = prior.blocks[i, 0], prior.blocks[i, 1], prior.blocks[i, 2]
        _widths(prior, state, i, sigma)
        update(
            family, low, high, state.beta, state.width, prior.shape, state.aux, state.variance, rng
        )
        for j in range(low, high):
            state.ridge[j] = sigma * sigma / max(state.variance[j], _TINY)


@njit(nogil=True, error_model="numpy", inline="always")
def _pairs(data: Data, prior: Prior, moves: Moves, state: State, rng: Generator) -> None:
    """Draw coefficients with heavy tails together with their local variances."""
    k = state.beta.size
    if data.gram:
        predict(data.G, state.beta, k, state.pull)
        for j in range(k):
            state.pull[j] = data.b[j] - state.pull[j]
    else:
        predict(data.A, state.beta, k, state.part)
        for i in range(data.t.size):
            state.part[i] = data.t[i] - state.part[i]
    for i in range(prior.blocks.shape[0]):
        family, low, high = prior.blocks[i, 0], prior.blocks[i, 1], prior.blocks[i, 2]
        if has_pairs(family):
            _widths(prior, state, i, state.unknown[0])
            sweep_pairs(data, prior, family, low, high, moves.passes, state, rng)


@njit(nogil=True, error_model="numpy", inline="always")
def _spikes(data: Data, prior: Prior, state: State, rng: Generator) -> None:
    """Draw the coefficients under spike and slab; `fit` is that of all coefficients."""
    m, k = state.ridge.size, state.beta.size
    variance, count = state.unknown[0] ** 2, 0
    if data.gram:
        predict(data.G, state.beta, k, state.pull)
        for j in range(k):
            state.pull[j] = data.b[j] - state.pull[j]
        count = sweep_gram(
            m, k, state.beta, data.G, state.pull, variance, prior.inclusion, prior.slab, rng
        )
    else:
        for i in range(data.t.size):
            state.part[i], state.fit[i] = 1.0, data.t[i] - state.fit[i]
        if data.G.size:
            predict(data.columns[m:], state.fit, data.t.size, state.pull)
            count = sweep_gram(
                0, k - m, state.beta[m:], data.G, state.pull[: k - m], variance,
                prior.inclusion, prior.slab, rng,
            )  # fmt: skip
        else:
            sweep_rows(
                m, k, state.beta, data.columns.T, state.part, state.fit, variance,
                prior.inclusion, prior.slab, rng,
            )  # fmt: skip
    if count < 0:
        state.beta[:] = math.nan


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _left_by_spikes(data: Data, state: State) -> None:
    """Write into `part` and `pull` the target without the coefficients under spike and slab."""
    m, k = state.ridge.size, state.beta.size
    for i in range(data.t.size):
        total = data.t[i]
        for j in range(m, k):
            total -= data.A[i, j] * state.beta[j]
        state.part[i] = total
    if data.gram:
        for j in range(m):
            total = data.b[j]
            for h in range(m, k):
                total -= data.G[j, h] * state.beta[h]
            state.pull[j] = total


@njit(nogil=True, error_model="numpy", inline="always")
def _coefficients(data: Data, prior: Prior, moves: Moves, state: State, rng: Generator) -> None:
    """Draw all coefficients, and write their fit."""
    m, k = state.ridge.size, state.beta.size
    if m:
        _left_by_spikes(data, state)
        draw_mixtures(data, prior, moves, state, rng)
    if m < k and not math.isnan(state.beta[0]):
        predict(data.A, state.beta, k, state.fit)
        _spikes(data, prior, state, rng)
    if moves.passes and not math.isnan(state.beta[0]):
        _pairs(data, prior, moves, state, rng)
    predict(data.A, state.beta, k, state.fit)


def _entry(sources: int) -> Any:
    @njit(cache=True, nogil=True, error_model="numpy")
    def sweep(
        data: Data, prior: Prior, moves: Moves, state: State, out: Matrix, rng: Generator
    ) -> None:
        """Sweep once per row of `out`, and write β, sigma and scale there: NaN if rounding decides.

        Parameters
        ----------
        data, prior, moves : Data, Prior, Moves
            The posterior, and how to move in it.
        state : State
            Where the chain is; moved on.
        out : ndarray, shape (m, k + 2)
            Written.
        rng : Generator
            Random numbers.
        """
        if sources < 0:  # never; the number is part of what the code on disk is looked up by
            return
        k = state.beta.size
        for draw in range(out.shape[0]):
            if prior.scaled >= 0:
                _scale(data, prior, moves, state, rng)
            if prior.sigma[0] >= 0 and not moves.together:
                _sigma(data, prior, state, rng)
            _locals(prior, state, rng)
            _coefficients(data, prior, moves, state, rng)
            if k and math.isnan(state.beta[0]):
                out[draw:] = math.nan
                return
            for j in range(k):
                out[draw, j] = state.beta[j]
            out[draw, k], out[draw, k + 1] = state.unknown[0], state.unknown[1]

    return sweep


sweep = _entry(fingerprint())
