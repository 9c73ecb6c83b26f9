r"""Coefficients one by one, each together with its local variance. Compiled.

Under a prior with heavy tails a coefficient and its local variance hold each other: while the
variance is small the coefficient stays near 0, and the other way round. Here the variance ψ is
drawn with its coefficient integrated out, then the coefficient. Given all the others, the data say
``exp(eβ − dβ²/2)`` of one, which leaves for its variance ::

    (1 + dψ)^(−1/2) exp(½ e² ψ/(1 + dψ)) · prior(ψ)

This is slice sampled in ``u = log c``, c the factor of the squared width that makes the tails: 1/γ
of a horseshoe, v of Student-t, 1/r² of a double Pareto (`_mixing`). One pass costs as much as the
products of two vectors per column, so several fit beside a draw of all coefficients together, which
moves correlated columns at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

from bayesreg.posterior.gibbs._mixing import (
    GENERALIZED_PARETO,
    HORSESHOE,
    REGULARIZED_HORSESHOE,
    STUDENT_T,
)
from bayesreg.posterior.gibbs._variates import exponential_mixture

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.gibbs._state import Data, Prior, State

_FAST = {"reassoc", "contract"}
# First step of a slice in u, which spans both the modes that there may be, and where u ends.
_WIDTH, _STEPS, FAR = 4.0, 100, 300.0


@njit(nogil=True, error_model="numpy", inline="always")
def has_pairs(family: int) -> bool:
    """Say whether coefficients of a family are drawn here."""
    return family in (STUDENT_T, GENERALIZED_PARETO, HORSESHOE, REGULARIZED_HORSESHOE)


@njit(nogil=True, error_model="numpy", inline="always")
def read_tail(family: int, state: float) -> float:
    """Return u as the local state of a family has it."""
    if family == STUDENT_T:
        return math.log(state)
    return -2.0 * math.log(state) if family == GENERALIZED_PARETO else -math.log(state)


@njit(nogil=True, error_model="numpy", inline="always")
def write_tail(family: int, u: float) -> float:
    """Return the local state that has this u."""
    if family == STUDENT_T:
        return math.exp(u)
    return math.exp(-0.5 * u) if family == GENERALIZED_PARETO else math.exp(-u)


@njit(nogil=True, error_model="numpy", inline="always")
def log_tail(u: float, family: int, half: float) -> float:
    """Log prior density of u, `half` shape/2."""
    if abs(u) > FAR:
        return -math.inf
    c = math.exp(u)
    if family == STUDENT_T:
        return -half * (u + 1.0 / c)
    if family == GENERALIZED_PARETO:
        return -half * (u + 2.0 / math.sqrt(c))
    return 0.5 * u - math.log1p(c)


@njit(nogil=True, error_model="numpy", inline="always")
def _log_density(
    u: float, family: int, half: float, square: float, slab: float, d: float, pull: float
) -> float:
    """Log density of u; `square` is that of the width, `pull` that of e, `half` shape/2."""
    if abs(u) > FAR:
        return -math.inf
    variance = square * math.exp(u)
    variance /= 1.0 + variance * slab
    known = 1.0 + variance * d
    data = 0.5 * (pull * variance / known - math.log(known))
    return data + log_tail(u, family, half)


@njit(nogil=True, error_model="numpy")
def _slice(
    u: float, family: int, half: float, square: float, slab: float, d: float, pull: float,
    rng: Generator,
) -> float:  # fmt: skip
    """Slice sample u, stepping out and shrinking (Neal 2003)."""
    level = _log_density(u, family, half, square, slab, d, pull) - rng.standard_exponential()
    left = u - _WIDTH * rng.random()
    right = left + _WIDTH
    for _ in range(_STEPS):
        if not _log_density(left, family, half, square, slab, d, pull) > level:
            break
        left -= _WIDTH
    for _ in range(_STEPS):
        if not _log_density(right, family, half, square, slab, d, pull) > level:
            break
        right += _WIDTH
    while right - left > 1e-12:
        new = left + (right - left) * rng.random()
        if _log_density(new, family, half, square, slab, d, pull) > level:
            return new
        if new < u:
            left = new
        else:
            right = new
    return u


@njit(nogil=True, error_model="numpy")
def _draw_pair(
    j: int, family: int, width: float, d: float, e: float, beta: Vector, shape: Matrix,
    aux: Matrix, rng: Generator,
) -> float:  # fmt: skip
    """Draw the local state of coefficient j, written, and the coefficient, returned."""
    square, slab = width * width, 0.0
    if family == GENERALIZED_PARETO:
        square *= exponential_mixture(aux[j, 0] * abs(beta[j]) / width, rng)
    elif family == REGULARIZED_HORSESHOE:
        slab = aux[j, 1]
    u = read_tail(family, aux[j, 0])
    u = _slice(u, family, 0.5 * shape[j, 0], square, slab, d, e * e, rng)
    aux[j, 0] = write_tail(family, u)
    variance = square * math.exp(u)
    variance /= 1.0 + variance * slab
    variance /= 1.0 + variance * d
    return variance * e + math.sqrt(variance) * rng.standard_normal()


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _product(x: Vector, r: Vector) -> float:
    total = 0.0
    for i in range(x.size):
        total += x[i] * r[i]
    return total


@njit(nogil=True, error_model="numpy", fastmath=_FAST)
def _take(x: Vector, change: float, r: Vector) -> None:
    for i in range(x.size):
        r[i] -= change * x[i]


@njit(nogil=True, error_model="numpy")
def sweep_pairs(
    data: Data, prior: Prior, family: int, low: int, high: int, passes: int, state: State,
    rng: Generator,
) -> None:  # fmt: skip
    """Draw the pairs of one block, one after the other, again and again.

    Parameters
    ----------
    data, prior : Data, Prior
        The posterior.
    family, low, high : int
        The block.
    passes : int
        How often each coefficient is drawn.
    state : State
        Written: `beta` and `aux`. Beforehand `width` holds the widths of the block, and `pull` the
        products of the columns with the residuals, or `part` the residuals, whichever the route
        has; both are kept up.
    rng : Generator
        Random numbers.
    """
    variance = state.unknown[0] ** 2
    for _ in range(passes):
        for j in range(low, high):
            pull = state.pull[j] if data.gram else _product(data.columns[j], state.part)
            d = data.square[j] / variance
            old = state.beta[j]
            new = _draw_pair(
                j, family, state.width[j], d, pull / variance + d * old, state.beta,
                prior.shape, state.aux, rng,
            )  # fmt: skip
            state.beta[j] = new
            if data.gram:
                _take(data.G[j], new - old, state.pull)
            else:
                _take(data.columns[j], new - old, state.part)


@njit(nogil=True, error_model="numpy")
def sweep_weighted(
    columns: Matrix, rest: Vector, family: int, low: int, high: int, width: Vector,
    shape: Matrix, beta: Vector, aux: Matrix, rng: Generator,
) -> None:  # fmt: skip
    """Draw the pairs of one block once, from rows with noise of sd 1 that are new in every draw.

    Parameters
    ----------
    columns : ndarray, shape (p, r)
        The rows' columns.
    rest : ndarray, shape (r,)
        Residuals; kept up.
    family, low, high : int
        The block.
    width, shape : ndarray, shapes (p,) and (p, 2)
        Its widths, and numbers of the family.
    beta, aux : ndarray, shapes (p,) and (p, 2)
        Written: coefficients and local states.
    rng : Generator
        Random numbers.
    """
    for j in range(low, high):
        x, old = columns[j], beta[j]
        d = _product(x, x)
        e = _product(x, rest) + d * old
        beta[j] = _draw_pair(j, family, width[j], d, e, beta, shape, aux, rng)
        _take(x, beta[j] - old, rest)
