r"""The compiled steps of a chain for Student-t noise.

The noise is normal given a gamma-distributed precision ``λ_i`` of each row (West 1987; Geweke
1993): ``y_i ~ N(η_i, σ²/(w_i λ_i))``, ``λ_i ~ Gamma(nu/2, rate nu/2)``. The λ are drawn given the
residuals, then the coefficients given λ. All other steps know nothing of λ, which is integrated out
of them: sigma and λ explain each other, so that sigma given λ moves little where nu is small.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._augmented import (
    LEVEL,
    SCALE,
    SIGMA,
    coefficient_step,
    joint_stepper,
    prior_step,
    write_widths,
)
from bayesreg.posterior.gibbs._many import many_step
from bayesreg.posterior.gibbs._mixing import scale_statistics
from bayesreg.posterior.gibbs._scalar import log_prior
from bayesreg.posterior.gibbs._slice import slice_sampler
from bayesreg.posterior.gibbs.fingerprint import fingerprint

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.gibbs._augmented import Prior, Rows, State
    from bayesreg.posterior.gibbs._many import Many

_FAR = 300.0
# A product of factors is turned into a logarithm before it overflows.
_LARGE = 1e100


@njit(nogil=True, error_model="numpy")
def _squares(rows: Rows, eta: Vector) -> Vector:
    """Return ``w r²``, r the residuals."""
    out = np.empty(eta.size)
    for i in range(eta.size):
        out[i] = rows.weights[i] * (rows.y[i] - eta[i]) ** 2
    return out


@njit(nogil=True, error_model="numpy")
def precisions(rows: Rows, state: State, rng: Generator) -> Vector:
    """Draw λ given the residuals, and return ``w λ/σ²``.

    ``λ_i`` given its residual r is gamma of shape ``(nu + 1)/2`` and rate ``(nu + w r²/σ²)/2``.
    """
    out, nu, variance = _squares(rows, state.eta), rows.nu, state.scalars[SIGMA] ** 2
    for i in range(out.size):
        gamma = rng.standard_gamma(0.5 * (nu + 1.0))
        out[i] = 2.0 * rows.weights[i] * gamma / (nu * variance + out[i])
    return out


@njit(nogil=True, error_model="numpy")
def noise_step(rows: Rows, prior: Prior, many: Many, state: State, rng: Generator) -> None:
    """Draw λ, then the coefficients and the level given λ; where these are many, all unknowns."""
    omega, target = precisions(rows, state, rng), np.empty(rows.y.size)
    for i in range(target.size):
        target[i] = rows.y[i] - rows.offset[i]
    if many.power > 0.0:
        many_step(rows, many, state, omega, target, rng)
    else:
        coefficient_step(rows, prior, state, omega, target, rng)


@njit(nogil=True, error_model="numpy")
def _sum_of_logs(squares: Vector, precision: float) -> float:
    """Return ``Σ log(1 + precision · squares)``."""
    total, product = 0.0, 1.0
    for i in range(squares.size):
        product *= 1.0 + precision * squares[i]
        if product > _LARGE:
            total += math.log(product)
            product = 1.0
    return total + math.log(product)


@njit(nogil=True, error_model="numpy")
def _of_rows(rows: Rows, sigma: float, eta: Vector) -> float:
    """Log likelihood but for a constant."""
    total = _sum_of_logs(_squares(rows, eta), 1.0 / (rows.nu * sigma * sigma))
    return -0.5 * (rows.nu + 1.0) * total - eta.size * math.log(sigma)


_joint_step = joint_stepper(_of_rows)


@njit(nogil=True, error_model="numpy")
def _log_density_of_sigma(u: float, context: Any) -> float:
    """Log density of ``u = log sigma``: of the rows, of widths relative to it, and of its prior.

    Where an unknown scale is relative to sigma, their product stands still, and the prior of the
    scale has its say.
    """
    squares, nu, count, linear, square, hyper, scale, log_product = context
    if abs(u) > _FAR:
        return -math.inf
    down = math.exp(-u)
    total = -0.5 * (nu + 1.0) * _sum_of_logs(squares, down * down / nu)
    total -= (squares.size + count) * u + (linear + square * down) * down
    total += log_prior(u, hyper[0], hyper[1], hyper[2])
    if scale[0] >= 0:
        total += log_prior(log_product - u, scale[0], scale[1], scale[2])
    return float(total)


_slice_sigma = slice_sampler(_log_density_of_sigma)


@njit(nogil=True, error_model="numpy")
def sigma_step(rows: Rows, prior: Prior, state: State, rng: Generator) -> None:
    """Draw sigma given the coefficients, λ integrated out."""
    squares = _squares(rows, state.eta)
    count = linear = square = log_product = 0.0
    scale = (-1, 0.0, 0.0)
    for i in range(prior.blocks.shape[0]):
        if not prior.blocks[i, 4]:
            continue
        if i == prior.scaled:
            scale, log_product = prior.scale, math.log(state.scalars[SCALE] * state.scalars[SIGMA])
            continue
        write_widths(prior, i, state.scalars[SCALE], 1.0, state.width)
        more = scale_statistics(
            prior.blocks[i, 0], prior.blocks[i, 1], prior.blocks[i, 2],
            state.beta, state.width, prior.shape, state.aux,
        )  # fmt: skip
        count, linear, square = count + more[0], linear + more[1], square + more[2]
    context = (squares, rows.nu, count, linear, square, prior.sigma, scale, log_product)
    # A row tells of log sigma with information 2 nu/(nu + 3).
    step = 3.0 / math.sqrt(count + squares.size * 2.0 * rows.nu / (rows.nu + 3.0))
    u = _slice_sigma(math.log(state.scalars[SIGMA]), context, step, rng)
    state.scalars[SIGMA] = math.exp(u)
    if scale[0] >= 0:
        state.scalars[SCALE] = math.exp(log_product - u)


def _entry(sources: int) -> Any:
    @njit(cache=True, nogil=True, error_model="numpy")
    def advance(
        rows: Rows, prior: Prior, many: Many, state: State, together: tuple[bool, bool],
        out: Matrix, rng: Generator,
    ) -> None:  # fmt: skip
        """Make as many draws as `out` has rows.

        Parameters
        ----------
        rows, prior, many, state
            The problem, how coefficients are drawn where they are many (elsewhere its power is 0),
            and where the chain is (written).
        together : tuple of bool
            Whether the scale, and sigma, is multiplied together with what is in units of it.
        out : ndarray, shape (count, p + 3)
            Written: β about its centre, intercept of the columns as they are, scale and sigma.
        rng : Generator
            Source of random numbers.
        """
        if sources < 0:  # never; the number is part of what the code on disk is looked up by
            return
        p = state.beta.size
        for t in range(out.shape[0]):
            noise_step(rows, prior, many, state, rng)
            if prior.sigma[0] >= 0:
                sigma_step(rows, prior, state, rng)
            if together[0]:
                _joint_step(rows, prior, state, SCALE, 0.0, rng)
            if together[1]:
                _joint_step(rows, prior, state, SIGMA, 0.0, rng)
            prior_step(prior, state, rng)
            out[t, :p] = state.beta
            out[t, p] = state.scalars[LEVEL] - np.dot(rows.mean, state.beta)
            out[t, p + 1], out[t, p + 2] = state.scalars[SCALE], state.scalars[SIGMA]

    return advance


advance = _entry(fingerprint())
