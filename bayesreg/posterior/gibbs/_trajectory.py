r"""One Hamiltonian trajectory of (β, level) given the local variances. Compiled.

Its metric is ``X' diag(w̄) X + 1/V``, w̄ the information ``w p(1 − p)`` of the rows averaged over the
warm-up and then held: it makes the target nearly spherical, so a few leapfrog steps go through it
(Neal 2011).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from bayesreg.posterior.gibbs._binary_rows import log_likelihood, slopes_of
from bayesreg.posterior.gibbs._linear import factorise, solve_lower, solve_upper
from bayesreg.posterior.gibbs._normal import by_rows, draw, draw_wide, factor_wide

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.gibbs._augmented import Rows, State

# A quarter turn of a spherical normal density, after which nothing is left of where it began.
_QUARTER_TURN = 0.5 * math.pi
_MOST_LEAPS = 32
_WANTED_ACCEPTANCE = 0.8


class Metric(NamedTuple):
    """Of the Hamiltonian step: information of the rows w̄, and ``X' diag(w̄) X`` on the Gram route.

    `tuning` holds the logarithm of the step size, the mean of its last values, how many there were,
    and the sum of the acceptance probabilities of the last steps and their number.
    """

    information: Vector
    gram: Matrix
    tuning: Vector


@njit(nogil=True, error_model="numpy")
def _factor_metric(rows: Rows, metric: Metric, variance: Vector) -> tuple[Matrix, Matrix]:
    """Return L of ``gram + 1/V``, twice; or W, and L of ``I + W W'``, in units of √V."""
    p = variance.size
    if rows.wide:
        W = by_rows(rows.X, np.sqrt(metric.information), np.zeros(p), np.sqrt(variance))
        return W, factor_wide(W)
    L = metric.gram.copy()
    for j in range(p):
        L[j, j] += 1.0 / variance[j]
    factorise(L, p)
    return L, L


@njit(nogil=True, error_model="numpy")
def _accelerate(W: Matrix, L: Matrix, wide: bool, force: Vector) -> None:
    """Divide a force by the metric, in place."""
    if not wide:
        solve_lower(L, force.size, force)
        solve_upper(L, force.size, force)
        return
    rest = np.dot(W, force)
    solve_lower(L, rest.size, rest)
    solve_upper(L, rest.size, rest)
    force -= np.dot(rest, W)


@njit(nogil=True, error_model="numpy")
def _kinetic(W: Matrix, L: Matrix, wide: bool, v: Vector) -> float:
    """Return half the square of a velocity in the metric."""
    total = 0.0
    if wide:
        along = np.dot(W, v)
        return 0.5 * (np.dot(v, v) + np.dot(along, along))
    for j in range(v.size):
        along_j = 0.0
        for i in range(j, v.size):
            along_j += L[i, j] * v[i]
        total += along_j * along_j
    return 0.5 * total


@njit(nogil=True, error_model="numpy")
def hamiltonian_step(rows: Rows, state: State, metric: Metric, adapt: bool, rng: Generator) -> None:
    """Move (β, level) along one trajectory given the local variances, or stay.

    Coefficients are in units of `unit`, their prior precisions there `ridge`. The columns must be
    centred with the metric's information as weights: then level and β do not enter its product.
    """
    X, p, n = rows.X, rows.X.shape[0], rows.X.shape[1]
    W, L = _factor_metric(rows, metric, state.variance)
    unit, ridge = np.ones(p), 1.0 / state.variance
    if rows.wide:
        unit, ridge = np.sqrt(state.variance), np.ones(p)
    total = metric.information.sum() if rows.has_level else math.inf
    v = draw_wide(W, L, np.zeros(n), rng) if rows.wide else draw(L, np.zeros(p), rng)
    v_level = rng.standard_normal() / math.sqrt(total)
    step = math.exp(metric.tuning[0])
    leaps = min(max(round(_QUARTER_TURN / step), 1), _MOST_LEAPS)
    step *= 0.8 + 0.4 * rng.random()
    phi, level, eta = state.beta / unit, state.scalars[0], state.eta.copy()
    slopes = np.empty(n)
    sum_slopes = slopes_of(rows, eta, slopes)
    force = unit * np.dot(X, slopes) - ridge * phi
    energy = 0.5 * np.dot(phi, ridge * phi) - log_likelihood(rows, eta)
    energy += _kinetic(W, L, rows.wide, v)
    energy_level = v_level * v_level * total if rows.has_level else 0.0
    _accelerate(W, L, rows.wide, force)
    for _ in range(leaps):
        v += 0.5 * step * force
        v_level += 0.5 * step * sum_slopes / total
        phi += step * v
        level += step * v_level
        moved = np.dot(unit * v, X)
        for i in range(n):
            eta[i] += step * (moved[i] + v_level)
        sum_slopes = slopes_of(rows, eta, slopes)
        force = unit * np.dot(X, slopes) - ridge * phi
        _accelerate(W, L, rows.wide, force)
        v += 0.5 * step * force
        v_level += 0.5 * step * sum_slopes / total
    energy -= 0.5 * np.dot(phi, ridge * phi) - log_likelihood(rows, eta)
    energy -= _kinetic(W, L, rows.wide, v)
    energy += 0.5 * (energy_level - (v_level * v_level * total if rows.has_level else 0.0))
    if energy > -rng.standard_exponential():
        state.beta[:] = unit * phi
        state.eta[:] = eta
        state.scalars[0] = level
    _tune(metric.tuning, math.exp(min(energy, 0.0)), adapt)


@njit(nogil=True, error_model="numpy")
def _tune(tuning: Vector, acceptance: float, adapt: bool) -> None:
    """Move the step size towards the acceptance that is wanted (Robbins & Monro 1951)."""
    if not acceptance > 0.0:  # NaN: the trajectory left the numbers
        acceptance = 0.0
    if adapt:
        tuning[2] += 1.0
        gain = 1.0 / math.sqrt(tuning[2])
        tuning[0] = min(tuning[0] + gain * (acceptance - _WANTED_ACCEPTANCE), math.log(1.5))
        tuning[1] += (tuning[0] - tuning[1]) * min(1.0, 3.0 / (tuning[2] + 2.0))
    else:
        tuning[3] += acceptance
        tuning[4] += 1.0
