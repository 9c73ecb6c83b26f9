r"""The compiled steps of a chain for a logistic likelihood.

Two steps move the coefficients given their local variances V, and both leave the same posterior as
it is:

Pólya–Gamma
    With ``ω_i ~ PG(w_i, η_i)`` the likelihood of a row is ``exp(κ_i η_i − ω_i η_i²/2)``,
    ``κ_i = w_i (y_i − ½)``, so (β, level) is normal (Polson, Scott & Windle 2013). It always works,
    but moves by what ω leaves open: ``ω ≈ 1/(2|η|)`` is much more than the information
    ``w p(1 − p)`` of a row that the model is sure of, so where classes are unbalanced or separated
    its moves are small.
Hamiltonian
    One trajectory of the likelihood itself, ω integrated out (`_trajectory`).

With an unknown scale, one more step multiplies scale and coefficients together, at fixed local
variances in units of the scale: where the data say little of the coefficients, that is the
direction in which drawing the scale given them is slow (Yu & Meng 2011).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._binary_rows import add_information, log_likelihood, predict
from bayesreg.posterior.gibbs._mixing import scale_statistics, update
from bayesreg.posterior.gibbs._normal import (
    by_columns,
    by_rows,
    draw,
    draw_wide,
    factor,
    factor_wide,
)
from bayesreg.posterior.gibbs._polya_gamma import fill_polya_gamma
from bayesreg.posterior.gibbs._scalar import draw_scale, log_prior
from bayesreg.posterior.gibbs._spike import sweep_rows
from bayesreg.posterior.gibbs._trajectory import hamiltonian_step
from bayesreg.posterior.gibbs.fingerprint import fingerprint

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.gibbs._binary_rows import Rows, State
    from bayesreg.posterior.gibbs._trajectory import Metric

# First step of a slice in the logarithm of the scale, how many it may take, and where it ends.
_SLICE, _STEPS, _FAR = 0.5, 60, 300.0
# Smaller variances than this have inverses that overflow.
_LEAST = 1e-280
# Precision that holds a coefficient where it is.
_HELD = 1e200


class Prior(NamedTuple):
    """Blocks (k,) of families, widths at a scale of 1 (p,), and the prior of an unknown scale.

    `kind` is −1 where the scale is known. Spike and slab stands at ``spike_low:spike_high``.
    """

    family: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    uses_scale: NDArray[np.bool_]
    unit: Vector
    shape: Matrix
    kind: int
    a: float
    b: float
    spike_low: int
    spike_high: int
    inclusion: Vector
    slab: Vector


# ---------------------------------------------------------------------- Pólya–Gamma


@njit(nogil=True, error_model="numpy")
def _spike_step(A: Matrix, target: Vector, prior: Prior, state: State, rng: Generator) -> None:
    """Draw the others given the coefficients under a spike, then these one by one."""
    beta, low, high = state.beta, prior.spike_low, prior.spike_high
    if high - low < beta.size:
        held = np.zeros(beta.size)
        held[low:high] = beta[low:high]
        ridge = 1.0 / state.variance
        ridge[low:high] = _HELD
        pull = np.dot(A, target - np.dot(held, A))
        beta[:] = draw(factor(A, ridge), pull, rng)
        beta[low:high] = held[low:high]
    rest, ones = target - np.dot(beta, A), np.ones(target.size)
    sweep_rows(low, high, beta, A.T, ones, rest, 1.0, prior.inclusion, prior.slab, rng)


@njit(nogil=True, error_model="numpy")
def polya_gamma_step(rows: Rows, prior: Prior, state: State, rng: Generator) -> None:
    """Draw ω given the linear predictor, then (β, level) given ω: the level with β integrated out.

    The parameters are those of `advance`.
    """
    X, beta = rows.X, state.beta
    p, n = X.shape
    omega, target, mean = np.empty(n), np.empty(n), np.zeros(p)
    fill_polya_gamma(rows.weights, state.eta, omega, rng)
    for i in range(n):
        target[i] = rows.weights[i] * (rows.y[i] - 0.5) / omega[i] - rows.offset[i]
    total, centre = omega.sum(), 0.0
    if rows.has_level:
        centre = np.dot(omega, target) / total
        mean = np.dot(X, omega) / total
    root = np.sqrt(omega)
    t = root * (target - centre)
    if rows.wide:
        unit = np.sqrt(state.variance)
        W = by_rows(X, root, mean, unit)
        beta[:] = unit * draw_wide(W, factor_wide(W), t, rng)
    elif prior.spike_high == prior.spike_low:
        A = by_columns(X, root, mean)
        beta[:] = draw(factor(A, 1.0 / state.variance), np.dot(A, t), rng)
    else:
        _spike_step(by_columns(X, root, mean), t, prior, state, rng)
    if rows.has_level:
        state.scalars[0] = centre - np.dot(mean, beta) + rng.standard_normal() / math.sqrt(total)
    predict(rows, state)


# ---------------------------------------------------------------------- prior


@njit(nogil=True, error_model="numpy")
def prior_step(prior: Prior, state: State, rng: Generator) -> None:
    """Draw the scale given β, then the local variances given both."""
    if prior.kind >= 0:
        count = linear = square = 0.0
        for k in range(prior.family.size):
            if prior.uses_scale[k]:
                found = scale_statistics(
                    prior.family[k], prior.low[k], prior.high[k],
                    state.beta, prior.unit, prior.shape, state.aux,
                )  # fmt: skip
                count, linear, square = count + found[0], linear + found[1], square + found[2]
        state.scalars[1] = draw_scale(
            state.scalars[1], count, linear, square, prior.kind, prior.a, prior.b, rng
        )
    for k in range(prior.family.size):
        low, high = prior.low[k], prior.high[k]
        if prior.uses_scale[k]:
            state.width[low:high] = prior.unit[low:high] * state.scalars[1]
        update(
            prior.family[k], low, high,
            state.beta, state.width, prior.shape, state.aux, state.variance, rng,
        )  # fmt: skip
        state.variance[low:high] = np.maximum(state.variance[low:high], _LEAST)


@njit(nogil=True, error_model="numpy")
def _log_density_of_ratio(
    u: float,
    rows: Rows,
    prior: Prior,
    log_scale: float,
    share: float,
    fixed: Vector,
    moving: Vector,
) -> float:
    """Log density of ``u = log(new/old)`` of the scale; `share` levels move with it."""
    if abs(log_scale + u) > _FAR:
        return -math.inf
    log_density = log_prior(log_scale + u, prior.kind, prior.a, prior.b) + share * u
    return log_density + log_likelihood(rows, fixed + math.exp(u) * moving)


@njit(nogil=True, error_model="numpy")
def _slice_ratio(
    rows: Rows,
    prior: Prior,
    s: float,
    share: float,
    fixed: Vector,
    moving: Vector,
    rng: Generator,
) -> float:
    """Slice sample the logarithm of the ratio, stepping out and shrinking (Neal 2003); 0 stays."""
    height = _log_density_of_ratio(0.0, rows, prior, s, share, fixed, moving)
    height -= rng.standard_exponential()
    left = -_SLICE * rng.random()
    right = left + _SLICE
    for _ in range(_STEPS):
        if not _log_density_of_ratio(left, rows, prior, s, share, fixed, moving) > height:
            break
        left -= _SLICE
    for _ in range(_STEPS):
        if not _log_density_of_ratio(right, rows, prior, s, share, fixed, moving) > height:
            break
        right += _SLICE
    while right - left > 1e-12:
        u = left + (right - left) * rng.random()
        if _log_density_of_ratio(u, rows, prior, s, share, fixed, moving) > height:
            return u
        if u < 0.0:
            left = u
        else:
            right = u
    return 0.0


@njit(nogil=True, error_model="numpy")
def joint_scale_step(rows: Rows, prior: Prior, state: State, rng: Generator) -> None:
    """Multiply the scale and its coefficients by one number.

    In ``β/scale`` and the local variances at a scale of 1, whose prior does not contain the scale,
    only the likelihood and the scale's own prior change. Every other time, by a coin, the level is
    multiplied too: where the columns separate the classes, only along that ray is there much room.
    Its prior is flat, so the change of variables is a factor of the ratio.
    """
    part = np.zeros(state.beta.size)
    for k in range(prior.family.size):
        if prior.uses_scale[k]:
            part[prior.low[k] : prior.high[k]] = state.beta[prior.low[k] : prior.high[k]]
    moving = np.dot(part, rows.X)
    fixed, s, share = state.eta - moving, math.log(state.scalars[1]), 0.0
    if rows.has_level and rng.random() < 0.5:
        share = 1.0
        moving += state.scalars[0]
        fixed -= state.scalars[0]
    ratio = math.exp(_slice_ratio(rows, prior, s, share, fixed, moving, rng))
    state.scalars[1] *= ratio
    state.scalars[0] *= 1.0 + share * (ratio - 1.0)
    state.beta[:] += (ratio - 1.0) * part
    state.eta[:] = fixed + ratio * moving


def _entry(sources: int) -> Any:
    @njit(cache=True, nogil=True, error_model="numpy")
    def advance(
        rows: Rows,
        prior: Prior,
        state: State,
        metric: Metric,
        first: int,
        period: int,
        mode: int,
        out: Matrix,
        rng: Generator,
    ) -> None:
        """Make as many draws as `out` has rows.

        Parameters
        ----------
        rows, prior, state, metric
            The problem, where the chain is (written), and the metric of its Hamiltonian step.
        first : int
            Number of the first draw.
        period : int
            A Pólya–Gamma step is made every so many draws; the Hamiltonian step at every one.
        mode : int
            0: no Hamiltonian step, and the information of the rows is summed up in ``metric``; 1:
            with it, its step size being tuned; 2: as it is.
        out : ndarray, shape (count, p + 2)
            Written: β about its centre, intercept of the columns as they are, and scale.
        rng : Generator
            Source of random numbers.
        """
        if sources < 0:  # never; the number is part of what the code on disk is looked up by
            return
        p = state.beta.size
        for t in range(out.shape[0]):
            if mode == 0 or (first + t) % period == 0:
                polya_gamma_step(rows, prior, state, rng)
            if mode == 0:
                add_information(rows, state.eta, metric.information)
            else:
                hamiltonian_step(rows, state, metric, mode == 1, rng)
            if prior.kind >= 0:
                joint_scale_step(rows, prior, state, rng)
            prior_step(prior, state, rng)
            out[t, :p] = state.beta
            out[t, p] = state.scalars[0] - np.dot(rows.mean, state.beta)
            out[t, p + 1] = state.scalars[1]

    return advance


advance = _entry(fingerprint())
