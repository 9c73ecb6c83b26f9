r"""Steps for likelihoods that are normal given a precision of each row. Compiled.

Some likelihoods are mixtures of normal ones: given auxiliary variables, row i says
``target_i ~ N(η_i, 1/ω_i)``. A kernel draws those and calls `coefficient_step`; all else about the
prior is here too.

With an unknown scale, `joint_step` multiplies scale and coefficients together, at fixed local
variances in units of the scale: where the data say little of the coefficients, that is the
direction in which drawing the scale given them is slow (Yu & Meng 2011). It needs the likelihood
with the auxiliary variables integrated out. The same goes for sigma and what is relative to it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._global import scale_from_coefficients, scale_from_locals
from bayesreg.posterior.gibbs._mixing import REGULARIZED_HORSESHOE, update
from bayesreg.posterior.gibbs._normal import (
    by_columns,
    by_rows,
    draw,
    draw_wide,
    factor,
    factor_wide,
)
from bayesreg.posterior.gibbs._scalar import log_prior
from bayesreg.posterior.gibbs._single import has_pairs, sweep_weighted
from bayesreg.posterior.gibbs._slice import slice_sampler
from bayesreg.posterior.gibbs._spike import sweep_gram, sweep_rows

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

# Places in the scalars of a state; in a block the uses of scale and sigma stand two further.
LEVEL, SCALE, SIGMA = 0, 1, 2
# First step of a slice in the logarithm of a ratio, and where the logarithm of a scale ends.
_STEP, _FAR = 0.5, 300.0
# Columns under spike and slab up to which their sums of products cost little beside the rest.
_FEW = 100
# Smaller variances than this have inverses that overflow.
_LEAST = 1e-280
# Precision that holds a coefficient where it is.
_HELD = 1e200


class Rows(NamedTuple):
    """The data: ``eta = offset + level + X'beta``, the level only where there is one.

    `X` has shape (p, n): a row for each column, about `mean` (p,). `nu` belongs to Student-t noise,
    and is inf without it. `wide`: the coefficients are drawn by an n × n system instead of a p × p
    one.
    """

    X: Matrix
    mean: Vector
    y: Vector
    weights: Vector
    offset: Vector
    nu: float
    has_level: bool
    wide: bool


class Prior(NamedTuple):
    """Blocks (k, 5) as in `plan.Block`, widths at unknowns of one, and priors of the unknowns.

    `scale` and `sigma` are kind, a and b, of kind −1 where the value is known. `scaled` is the
    block whose scale is unknown, or −1. Spike and slab stands at ``spike_low:spike_high``.
    """

    blocks: NDArray[np.int64]
    scaled: int
    unit: Vector
    shape: Matrix
    scale: tuple[int, float, float]
    sigma: tuple[int, float, float]
    spike_low: int
    spike_high: int
    inclusion: Vector
    slab: Vector


class State(NamedTuple):
    """Where the chain is: coefficients about their centres, what belongs to them, linear predictor.

    `scalars` holds level, scale and sigma, at LEVEL, SCALE and SIGMA.
    """

    beta: Vector
    eta: Vector
    width: Vector
    aux: Matrix
    variance: Vector
    scalars: Vector


# ---------------------------------------------------------------------- coefficients


@njit(nogil=True, error_model="numpy")
def roots(x: Vector) -> Vector:
    """Return square roots. A loop, as those of arrays take long to compile."""
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = math.sqrt(x[i])
    return out


@njit(nogil=True, error_model="numpy")
def inverses(x: Vector) -> Vector:
    """Return inverses."""
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = 1.0 / x[i]
    return out


@njit(nogil=True, error_model="numpy")
def _left(A: Matrix, target: Vector, beta: Vector) -> Vector:
    """Return the target less the fit."""
    out = np.dot(beta, A)
    for i in range(out.size):
        out[i] = target[i] - out[i]
    return out


@njit(nogil=True, error_model="numpy")
def _spike_step(A: Matrix, target: Vector, prior: Prior, state: State, rng: Generator) -> None:
    """Draw the others given the coefficients under a spike, then these.

    Few of them from sums of products, which are new in every draw: who is included is then drawn
    with the coefficients integrated out, unless rounding would decide. More of them one by one.
    """
    beta, low, high = state.beta, prior.spike_low, prior.spike_high
    if high - low < beta.size:
        held = np.zeros(beta.size)
        held[low:high] = beta[low:high]
        ridge = inverses(state.variance)
        ridge[low:high] = _HELD
        beta[:] = draw(factor(A, ridge), np.dot(A, _left(A, target, held)), rng)
        beta[low:high] = held[low:high]
    rest = _left(A, target, beta)
    if high - low <= _FEW:
        columns, some = A[low:high], beta[low:high].copy()
        products = np.dot(columns, rest)
        count = sweep_gram(
            0, some.size, some, np.dot(columns, columns.T), products, 1.0,
            prior.inclusion, prior.slab, rng,
        )  # fmt: skip
        if count >= 0:
            beta[low:high] = some
            return
    ones = np.ones(target.size)
    sweep_rows(low, high, beta, A.T, ones, rest, 1.0, prior.inclusion, prior.slab, rng)


@njit(nogil=True, error_model="numpy")
def write_widths(prior: Prior, i: int, scale: float, sigma: float, out: Vector) -> None:
    """Write the widths of block i."""
    ratio = (scale if prior.blocks[i, 3] else 1.0) * (sigma if prior.blocks[i, 4] else 1.0)
    for j in range(prior.blocks[i, 1], prior.blocks[i, 2]):
        out[j] = prior.unit[j] * ratio


@njit(nogil=True, error_model="numpy")
def _locals(prior: Prior, i: int, state: State, rng: Generator) -> None:
    """Draw the local variances of block i given its coefficients."""
    family, low, high = prior.blocks[i, 0], prior.blocks[i, 1], prior.blocks[i, 2]
    write_widths(prior, i, state.scalars[SCALE], state.scalars[SIGMA], state.width)
    update(family, low, high, state.beta, state.width, prior.shape, state.aux, state.variance, rng)
    for j in range(low, high):
        state.variance[j] = max(state.variance[j], _LEAST)


@njit(nogil=True, error_model="numpy")
def is_heavy(prior: Prior) -> bool:
    """Say whether any coefficients have heavy tails."""
    heavy = False
    for i in range(prior.blocks.shape[0]):
        heavy |= has_pairs(prior.blocks[i, 0])
    return heavy


@njit(nogil=True, error_model="numpy")
def _pair_step(
    rows: Rows, root: Vector, mean: Vector, t: Vector, prior: Prior, state: State, rng: Generator
) -> None:
    """Draw coefficients with heavy tails once more, each together with its local variance."""
    if not is_heavy(prior):
        return
    A = by_columns(rows.X, root, mean)
    rest = _left(A, t, state.beta)
    for i in range(prior.blocks.shape[0]):
        family, low, high = prior.blocks[i, 0], prior.blocks[i, 1], prior.blocks[i, 2]
        if has_pairs(family):
            write_widths(prior, i, state.scalars[SCALE], state.scalars[SIGMA], state.width)
            sweep_weighted(
                A, rest, family, low, high, state.width, prior.shape, state.beta, state.aux, rng
            )
            _locals(prior, i, state, rng)  # steps that follow go by the variances


@njit(nogil=True, error_model="numpy")
def centre_rows(rows: Rows, omega: Vector, target: Vector) -> tuple[float, float, Vector]:
    """Return the sum of the precisions, and the means of target and columns, 0 without a level.

    About these means the columns and the target are those of a problem without a level.
    """
    total = omega.sum()
    if not rows.has_level:
        return total, 0.0, np.zeros(rows.mean.size)
    mean = np.dot(rows.X, omega)
    for j in range(mean.size):
        mean[j] /= total
    return total, np.dot(omega, target) / total, mean


@njit(nogil=True, error_model="numpy")
def level_step(
    rows: Rows, state: State, total: float, centre: float, mean: Vector, rng: Generator
) -> None:
    """Draw the level given the coefficients, and write the linear predictor."""
    if rows.has_level:
        state.scalars[LEVEL] = centre - np.dot(mean, state.beta)
        state.scalars[LEVEL] += rng.standard_normal() / math.sqrt(total)
    state.eta[:] = np.dot(state.beta, rows.X)
    for i in range(state.eta.size):
        state.eta[i] += rows.offset[i] + state.scalars[LEVEL]


@njit(nogil=True, error_model="numpy")
def coefficient_step(
    rows: Rows, prior: Prior, state: State, omega: Vector, target: Vector, rng: Generator
) -> None:
    """Draw (β, level) given row precisions and local variances: the level with β integrated out.

    Parameters
    ----------
    rows, prior, state
        The problem, and where the chain is; the predictor is written, too.
    omega, target : ndarray, shape (n,)
        Precisions of the rows, and what the predictor less the offset is observed as.
    rng : Generator
        Random numbers.
    """
    X, beta = rows.X, state.beta
    total, centre, mean = centre_rows(rows, omega, target)
    root, t = roots(omega), np.empty(omega.size)
    for i in range(t.size):
        t[i] = root[i] * (target[i] - centre)
    if rows.wide:
        unit = roots(state.variance)
        W = by_rows(X, root, mean, unit)
        u = draw_wide(W, factor_wide(W), t, rng)
        for j in range(u.size):
            beta[j] = unit[j] * u[j]
    elif prior.spike_high == prior.spike_low:
        A = by_columns(X, root, mean)
        beta[:] = draw(factor(A, inverses(state.variance)), np.dot(A, t), rng)
    else:
        _spike_step(by_columns(X, root, mean), t, prior, state, rng)
    _pair_step(rows, root, mean, t, prior, state, rng)
    level_step(rows, state, total, centre, mean, rng)


# ---------------------------------------------------------------------- prior


@njit(nogil=True, error_model="numpy")
def prior_step(prior: Prior, state: State, rng: Generator) -> None:
    """Draw the scale given β, and given the local sds, then the local variances given both."""
    scalars, beta, width, aux = state.scalars, state.beta, state.width, state.aux
    if prior.scaled >= 0:
        i = prior.scaled
        family, low, high = prior.blocks[i, 0], prior.blocks[i, 1], prior.blocks[i, 2]
        unit = np.empty(beta.size)
        write_widths(prior, i, 1.0, scalars[SIGMA], unit)
        scalars[SCALE] = scale_from_coefficients(
            scalars[SCALE], family, low, high, beta, unit, width, prior.shape, aux, prior.scale, rng
        )
        scalars[SCALE] = scale_from_locals(
            scalars[SCALE], family, low, high, beta, width, prior.shape, aux, prior.scale, rng
        )
    for i in range(prior.blocks.shape[0]):
        _locals(prior, i, state, rng)


# ---------------------------------------------------------------------- together


@njit(nogil=True, error_model="numpy")
def _in_units(prior: Prior, beta: Vector, place: int) -> tuple[Vector, bool]:
    """Return the coefficients in units of SCALE or SIGMA, and whether their prior is free of it.

    A regularised horseshoe has a slab that does not scale.
    """
    out, free = np.zeros(beta.size), True
    for i in range(prior.blocks.shape[0]):
        low, high = prior.blocks[i, 1], prior.blocks[i, 2]
        if prior.blocks[i, 2 + place]:
            for j in range(low, high):
                out[j] = beta[j]
            free &= prior.blocks[i, 0] != REGULARIZED_HORSESHOE
    return out, free


def joint_stepper(log_likelihood: Any) -> Any:
    """Make the joint step for a compiled ``log_likelihood(rows, sigma, eta)``, constants left out.

    A closure, as Numba keeps no code on disk that is handed functions.
    """

    @njit(nogil=True, error_model="numpy")
    def log_density(u: float, context: Any) -> float:
        """Log density of the logarithm of the ratio; `share` levels move with it."""
        rows, start, hyper, place, sigma, share, now, moving, eta = context
        if abs(start + u) > _FAR:
            return -math.inf
        ratio = math.exp(u)
        for i in range(eta.size):
            eta[i] = now[i] + (ratio - 1.0) * moving[i]
        total = log_prior(start + u, hyper[0], hyper[1], hyper[2]) + share * u
        return float(total + log_likelihood(rows, sigma * ratio if place == SIGMA else sigma, eta))

    slice_ratio = slice_sampler(log_density)

    @njit(nogil=True, error_model="numpy")
    def joint_step(
        rows: Rows, prior: Prior, state: State, place: int, share: float, rng: Generator
    ) -> None:
        """Multiply what stands at a place of `scalars`, and the coefficients in units of it.

        In units of it the coefficients and their local variances have a prior that does not contain
        it: only the likelihood and its own prior change. With a `share` of 1 the level is
        multiplied, too; its prior is flat, so the change of variables is a factor of the ratio.
        """
        part, free = _in_units(prior, state.beta, place)
        if not free:
            return
        scalars, moving = state.scalars, np.dot(part, rows.X)
        for i in range(moving.size):
            moving[i] += share * scalars[LEVEL]
        start, hyper = math.log(scalars[place]), prior.sigma if place == SIGMA else prior.scale
        eta = np.empty(moving.size)
        context = (rows, start, hyper, place, scalars[SIGMA], share, state.eta, moving, eta)
        ratio = math.exp(slice_ratio(0.0, context, _STEP, rng))
        scalars[place] *= ratio
        scalars[LEVEL] *= 1.0 + share * (ratio - 1.0)
        for j in range(part.size):
            state.beta[j] += (ratio - 1.0) * part[j]
        for i in range(eta.size):
            state.eta[i] += (ratio - 1.0) * moving[i]

    return joint_step
