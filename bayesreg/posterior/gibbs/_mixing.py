r"""Priors as normal densities of random variances: what a family makes of its coefficients.

A coefficient of width w is ``β ~ N(0, variance)`` given its local state, and a family says how that
state is drawn given β and w. With u = β/w and the state at a width of 1:

NORMAL
    variance w².
LAPLACE
    variance w² v, v exponential of mean 2 (Andrews & Mallows 1974; Park & Casella 2008).
ELASTIC_NET
    precision 1/(w² v) + P with v as for LAPLACE and ``P = shape[0] = 1/l2_scale²``.
STUDENT_T
    variance w² v, v inverse gamma (ν/2, ν/2), ν = shape[0]. ``aux[0] = v``.
GENERALIZED_PARETO
    Laplace of scale w/r, r gamma of shape α = shape[0] and rate α (Armagan, Dunson & Lee 2013).
    ``aux[0] = r``.
HORSESHOE
    variance w²/γ, with 1/√γ half-Cauchy: γ is drawn exactly, without the auxiliary variable of
    Makalic & Schmidt (2016). ``aux[0] = γ``.
REGULARIZED_HORSESHOE
    precision γ/w² + P, 1/√γ half-Cauchy and 1/√P the width of the slab (Piironen & Vehtari 2017):
    shape[0], or random with shape[1] degrees of freedom, inverse gamma as P⁻¹, where that is
    finite. ``aux = (γ, P)``.
GROUP_LAPLACE
    the d neighbours of equal shape[0] share v, gamma of shape (d + 1)/2 and mean d + 1.

An infinite width is a flat prior: an infinite variance.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

from bayesreg.posterior.gibbs._variates import (
    exponential_mixture,
    shifted_reciprocal,
    slab_precision,
    slabbed_reciprocal,
)

if TYPE_CHECKING:
    import numpy as np

    from bayesreg._validation import Matrix, Vector

NORMAL, LAPLACE, ELASTIC_NET, STUDENT_T, GENERALIZED_PARETO = 0, 1, 2, 3, 4
HORSESHOE, REGULARIZED_HORSESHOE, GROUP_LAPLACE = 5, 6, 7


@njit(cache=True, nogil=True, error_model="numpy")
def start(
    family: int,
    low: int,
    high: int,
    beta: Vector,  # noqa: ARG001  (as `update`; a start needs no coefficients)
    width: Vector,
    shape: Matrix,
    aux: Matrix,
    variance: Vector,
) -> None:
    """Write an initial state of the coefficients ``low:high``: every local variance typical.

    Parameters
    ----------
    family : int
        Of these coefficients.
    low, high : int
        First coefficient, and the one after the last.
    beta, width : ndarray, shape (p,)
        Coefficients (about their centre) and current widths; inf is flat.
    shape : ndarray, shape (p, 2)
        Numbers of the family that do not change.
    aux : ndarray, shape (p, 2)
        Written: the local state.
    variance : ndarray, shape (p,)
        Written: the prior variances given the state.
    """
    for j in range(low, high):
        aux[j, 0] = aux[j, 1] = 1.0
        variance[j] = width[j] ** 2
        if family == ELASTIC_NET:
            variance[j] = 1.0 / (1.0 / variance[j] + shape[j, 0])
        elif family == REGULARIZED_HORSESHOE:
            aux[j, 1] = shape[j, 0] ** -2.0
            variance[j] = 1.0 / (1.0 / variance[j] + aux[j, 1])


@njit(nogil=True, error_model="numpy")
def update(
    family: int,
    low: int,
    high: int,
    beta: Vector,
    width: Vector,
    shape: Matrix,
    aux: Matrix,
    variance: Vector,
    rng: np.random.Generator,
) -> None:
    """Draw the local state of the coefficients ``low:high`` given them and their widths.

    Parameters are those of `start`; `aux` and `variance` are written.
    """
    if family == GROUP_LAPLACE:
        _update_groups(low, high, beta, width, shape, variance, rng)
    elif family == REGULARIZED_HORSESHOE:
        _update_slabbed(low, high, beta, width, shape, aux, variance, rng)
    elif family in (STUDENT_T, GENERALIZED_PARETO, HORSESHOE):
        _update_heavy(family, low, high, beta, width, shape, aux, variance, rng)
    else:
        for j in range(low, high):
            w = width[j]
            if family == NORMAL or math.isinf(w):
                variance[j] = w * w
            else:
                variance[j] = w * w * exponential_mixture(abs(beta[j]) / w, rng)
            if family == ELASTIC_NET:
                variance[j] = 1.0 / (1.0 / variance[j] + shape[j, 0])


@njit(nogil=True, error_model="numpy")
def _update_heavy(
    family: int,
    low: int,
    high: int,
    beta: Vector,
    width: Vector,
    shape: Matrix,
    aux: Matrix,
    variance: Vector,
    rng: np.random.Generator,
) -> None:
    """Draw the families that keep one number per coefficient for the sake of the scale."""
    for j in range(low, high):
        w = width[j]
        u = abs(beta[j]) / w
        if family == STUDENT_T:
            half = 0.5 * (shape[j, 0] + 1.0)
            aux[j, 0] = 0.5 * (shape[j, 0] + u * u) / rng.standard_gamma(half)
            variance[j] = w * w * aux[j, 0]
        elif family == GENERALIZED_PARETO:
            rate = rng.standard_gamma(shape[j, 0] + 1.0) / (shape[j, 0] + u)
            aux[j, 0] = rate
            variance[j] = (w / rate) ** 2 * exponential_mixture(rate * u, rng)
        else:
            aux[j, 0] = shifted_reciprocal(0.5 * u * u, rng)
            variance[j] = w * w / aux[j, 0]


@njit(nogil=True, error_model="numpy")
def _update_slabbed(
    low: int,
    high: int,
    beta: Vector,
    width: Vector,
    shape: Matrix,
    aux: Matrix,
    variance: Vector,
    rng: np.random.Generator,
) -> None:
    """Draw the precision of the slab, where it is random, then that of the horseshoe."""
    for j in range(low, high):
        square, slab, freedom = width[j] ** 2, shape[j, 0], shape[j, 1]
        if math.isfinite(freedom):
            rate = 0.5 * (freedom * slab * slab + beta[j] ** 2)
            aux[j, 1] = slab_precision(0.5 * freedom, rate, aux[j, 0] / square, rng)
        aux[j, 0] = slabbed_reciprocal(0.5 * beta[j] ** 2 / square, square * aux[j, 1], rng)
        variance[j] = 1.0 / (aux[j, 0] / square + aux[j, 1])


@njit(nogil=True, error_model="numpy")
def _group_end(low: int, high: int, shape: Matrix) -> int:
    """Return the position after the group that starts at `low`."""
    end = low + 1
    while end < high and shape[end, 0] == shape[low, 0]:
        end += 1
    return end


@njit(nogil=True, error_model="numpy")
def _update_groups(
    low: int,
    high: int,
    beta: Vector,
    width: Vector,
    shape: Matrix,
    variance: Vector,
    rng: np.random.Generator,
) -> None:
    """Draw one v per group given the length u of its β/w: as for one Laplace coefficient.

    ``v^(−d/2) exp(−u²/(2v))`` times a gamma density of shape (d + 1)/2 and rate 1/2 is
    ``∝ v^(−1/2) exp(−u²/(2v) − v/2)`` for any d.
    """
    j = low
    while j < high:
        end, square = _group_end(j, high, shape), 0.0
        for k in range(j, end):
            square += (beta[k] / width[k]) ** 2
        v = exponential_mixture(math.sqrt(square), rng)
        for k in range(j, end):
            variance[k] = width[k] ** 2 * v
        j = end


@njit(nogil=True, error_model="numpy")
def scale_statistics(
    family: int, low: int, high: int, beta: Vector, unit: Vector, shape: Matrix, aux: Matrix
) -> tuple[float, float, float]:
    """Return what the coefficients say of a common multiplier s of their widths.

    Parameters
    ----------
    family, low, high, beta, shape, aux
        As in `start`.
    unit : ndarray, shape (p,)
        Widths at s = 1: ``width = unit * s``.

    Returns
    -------
    count, linear, square : float
        The log density of s that they contribute is ``−count·log s − linear/s − square/s²``; for
        LAPLACE and GROUP_LAPLACE with v integrated out, for GENERALIZED_PARETO given r, for
        STUDENT_T and HORSESHOE given their state. Not for ELASTIC_NET and REGULARIZED_HORSESHOE,
        whose second factor does not scale: NaN.
    """
    count, linear, square = 0.0, 0.0, 0.0
    if family in (ELASTIC_NET, REGULARIZED_HORSESHOE):
        return math.nan, math.nan, math.nan
    j = low
    while j < high:
        end = _group_end(j, high, shape) if family == GROUP_LAPLACE else j + 1
        if math.isinf(unit[j]):
            j = end
            continue
        length = 0.0
        for k in range(j, end):
            length += (beta[k] / unit[k]) ** 2
        count += end - j
        if family in (LAPLACE, GROUP_LAPLACE):
            linear += math.sqrt(length)
        elif family == GENERALIZED_PARETO:
            linear += aux[j, 0] * math.sqrt(length)
        elif family == STUDENT_T:
            square += 0.5 * length / aux[j, 0]
        elif family == HORSESHOE:
            square += 0.5 * length * aux[j, 0]
        else:
            square += 0.5 * length
        j = end
    return count, linear, square
