r"""Sigma and the scale with the coefficients integrated out, given the local variances. Compiled.

With ``K = A V A'/σ²`` (r × r) the rows are ``t ~ N(0, σ²(I + K))``. Another sigma or scale
multiplies K by a factor f, which costs one more factorisation but no more products. Where columns
are many, the residuals of one draw of the coefficients say little of sigma, as another draw would
fit as well: these moves are what mixes then (Johndrow, Orenstein & Bhattacharya 2020). They are
random walks in log σ and log s by turns, with steps of random length over an order of magnitude,
so that nothing needs tuning.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

from bayesreg.posterior.gibbs._linear import (
    draw_gram,
    draw_rows,
    factorise_gram,
    factorise_rows,
    solve_lower,
    widen,
)
from bayesreg.posterior.gibbs._scalar import draw_scale, log_prior
from bayesreg.posterior.gibbs._stacked import (
    factorise_stacked,
    factorise_widened,
    least_share,
)

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.gibbs._state import Data, Moves, Prior, State

_FAST = {"reassoc", "contract"}
_TINY = 1e-280
# Below this share of the target's square a difference has lost half of its digits.
_CANCELLED = 1e-8
# Square of the largest terms, in sds of the noise, that like rows are drawn with.
_LARGEST = 1e14
# Logs of the shortest and the longest typical step, in log sigma and log scale.
_SHORT, _LONG = math.log(0.1), math.log(2.0)
_FAR = 300.0


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def predict(A: Matrix, beta: Vector, k: int, out: Vector) -> None:
    """Write ``A β`` of the first k coefficients."""
    for i in range(A.shape[0]):
        total = 0.0
        for j in range(k):
            total += A[i, j] * beta[j]
        out[i] = total


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def residual_square(t: Vector, fit: Vector) -> float:
    """Return ``|t − fit|²``."""
    total = 0.0
    for i in range(t.size):
        total += (t[i] - fit[i]) ** 2
    return total


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _square(t: Vector) -> float:
    total = 0.0
    for i in range(t.size):
        total += t[i] * t[i]
    return total


@njit(nogil=True, error_model="numpy")
def _square_by_rows(state: State, f: float, L: Matrix, c: Vector) -> float:
    """Factorise by the n × n system; return the residual square after shrinkage."""
    left = factorise_rows(state.K, state.part, f, L, c)
    largest, rounded = _square(state.part) / (state.unknown[0] * state.unknown[0]), False
    for i in range(c.size):
        largest = max(largest, 1.0 + f * state.K[i, i])
    # What is drawn from the prior is up to √largest sds of the noise, and so is the target.
    least = least_share(math.sqrt(largest))
    for i in range(c.size):
        rounded |= L[i, i] * L[i, i] < least * (1.0 + f * state.K[i, i])
    if not rounded:
        return left
    # Solutions with a triangle of like rows lose what they are beside their largest terms.
    if largest > _LARGEST or not factorise_widened(state.W, f, L):
        c[:] = math.nan
        return math.nan
    for i in range(c.size):
        c[i] = state.part[i]
    solve_lower(L, c.size, c)
    return _square(c)


@njit(nogil=True, error_model="numpy")
def _shrunken_square(
    data: Data, state: State, f: float, L: Matrix, c: Vector, rng: Generator
) -> float:
    """Factorise for prior variances times f; return the residual square after shrinkage."""
    if not data.gram:
        return _square_by_rows(state, f, L, c)
    m, total, rounded = state.ridge.size, _square(state.part), False
    left = total - factorise_gram(data.G, state.pull, state.ridge, f, L, c)
    # The mean is off by rounding / √share · |t|/σ of its standard deviations.
    least, inverse = least_share(1e-13 * total / (state.unknown[0] * state.unknown[0])), 1.0 / f
    for j in range(m):
        whole = data.G[j, j] + state.ridge[j] * inverse
        rounded |= L[j, j] * L[j, j] < least * whole
    if rounded:
        return factorise_stacked(data.A, state.part, state.ridge, f, L, c)
    if left > _CANCELLED * total:
        return left
    # The same as a sum of squares, at the mean of the coefficients.
    draw_gram(L, c, 0.0, state.beta[:m], rng)
    predict(data.A, state.beta, m, state.fit)
    left = residual_square(state.part, state.fit)
    for j in range(m):
        left += state.ridge[j] / f * state.beta[j] ** 2
    return left


@njit(nogil=True, error_model="numpy")
def _log_density(
    data: Data, prior: Prior, L: Matrix, f: float, left: float, sigma: float, scale: float
) -> float:
    """Log density of log sigma and log scale, up to a constant."""
    size = L.shape[0]
    total = -data.power * math.log(sigma) - 0.5 * left / (sigma * sigma)
    for i in range(size):
        total -= math.log(L[i, i])
    if data.gram:  # det(I + fK) = det(A'A + D/f) / det(D/f)
        total -= 0.5 * size * math.log(f)
    if prior.sigma[0] >= 0:
        total += log_prior(math.log(sigma), prior.sigma[0], prior.sigma[1], prior.sigma[2])
    if prior.scale[0] >= 0:
        total += log_prior(math.log(scale), prior.scale[0], prior.scale[1], prior.scale[2])
    return total


@njit(nogil=True, error_model="numpy", inline="always")
def _walk(
    data: Data, prior: Prior, moves: Moves, state: State, left: float, rng: Generator
) -> tuple[float, float]:
    """Walk; return the factor of prior variances over σ², and the residual square there."""
    relative = prior.blocks[0, 3] == 1
    f = 1.0
    sigma, scale = state.unknown[0], state.unknown[1]
    density = _log_density(data, prior, state.L, f, left, sigma, scale)
    for step in range(moves.walks):
        length = math.exp(_SHORT + (_LONG - _SHORT) * rng.random())
        ratio = math.exp(length * rng.standard_normal())
        of_sigma = moves.walk_sigma and (step % 2 == 0 or not moves.walk_scale)
        new_sigma = sigma * ratio if of_sigma else sigma
        new_scale = scale if of_sigma else scale * ratio
        if of_sigma and relative:  # then the data know the product
            new_scale = scale / ratio
        new_f = f * (new_scale / scale) ** 2
        if not relative:
            new_f *= (sigma / new_sigma) ** 2
        if abs(math.log(new_f)) > _FAR:
            continue
        new_left = _shrunken_square(data, state, new_f, state.L2, state.c2, rng)
        new = _log_density(data, prior, state.L2, new_f, new_left, new_sigma, new_scale)
        if new - density >= -rng.standard_exponential():
            f, sigma, scale, left, density = new_f, new_sigma, new_scale, new_left, new
            for i in range(state.L.shape[0]):
                for h in range(i + 1):
                    state.L[i, h] = state.L2[i, h]
                state.c[i] = state.c2[i]
    state.unknown[0], state.unknown[1] = sigma, scale
    return f, left


@njit(nogil=True, error_model="numpy", inline="always")
def draw_mixtures(data: Data, prior: Prior, moves: Moves, state: State, rng: Generator) -> None:
    """Draw the coefficients with local variances; before them sigma and scale without them."""
    m = state.ridge.size
    if not data.gram:
        widen(data.A, state.ridge, state.width, state.W, state.K)
    f = 1.0
    left = _shrunken_square(data, state, f, state.L, state.c, rng)
    if moves.walks:
        f, left = _walk(data, prior, moves, state, left, rng)
    if moves.together:
        kind, a, b = prior.sigma
        state.unknown[0] = draw_scale(
            state.unknown[0], data.power, 0.0, 0.5 * max(left, _TINY), kind, a, b, rng
        )
    sigma = state.unknown[0]
    if data.gram:
        draw_gram(state.L, state.c, sigma, state.beta[:m], rng)
    else:
        draw_rows(state.W, state.L, state.c, state.width, f, sigma, state.beta[:m], rng)
