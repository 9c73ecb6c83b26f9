r"""Draws of the scale that a block of coefficients shares, seen from three sides. Compiled.

Given the coefficients (`scale_from_coefficients`); given the local standard deviations in units of
the coefficients (`scale_from_locals`), where the families keep a local state; and given the
coefficients in units of the scale (the data's side, in `_sweep`). Each is slow where another is
fast, and together they mix whether data or prior dominate (Yu & Meng 2011).
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
    scale_statistics,
)
from bayesreg.posterior.gibbs._scalar import draw_scale, log_prior

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Matrix, Vector

_STEPS, _FAR = 40, 300.0
# What is held fixed: local sds, or the coefficients of a regularised horseshoe.
_LOCALS, _SLABBED = 0, 1


@njit(nogil=True, error_model="numpy")
def _log_locals(
    log_ratio: float, family: int, low: int, high: int, shape: Matrix, aux: Matrix
) -> float:
    """Log density of a scale times exp(log_ratio), local sds held fixed in units of β.

    λ half-Cauchy, ``γ = λ⁻²``: its density at λ/c, times 1/c, is ``∝ γc/(1 + γc²)``. A Student
    variance v becomes v/c², the rate r of a double Pareto rc.
    """
    total, c = 0.0, math.exp(log_ratio)
    square = c * c
    for j in range(low, high):
        if family == STUDENT_T:
            total += shape[j, 0] * (log_ratio - 0.5 * square / aux[j, 0])
        elif family == GENERALIZED_PARETO:
            total += shape[j, 0] * (log_ratio - c * aux[j, 0])
        else:
            total += log_ratio - math.log1p(aux[j, 0] * square)
    return total


@njit(nogil=True, error_model="numpy")
def _log_slabbed(
    log_ratio: float, low: int, high: int, beta: Vector, width: Vector, aux: Matrix
) -> float:
    """Log density of a scale times exp(log_ratio) given β under a regularised horseshoe."""
    total, shrink = 0.0, math.exp(-2 * log_ratio)
    for j in range(low, high):
        local = aux[j, 0] / width[j] ** 2 * shrink
        total += 0.5 * (math.log(local + aux[j, 1]) - local * beta[j] ** 2)
    return total


@njit(nogil=True, error_model="numpy")
def _log_target(
    u: float, current: float, side: int, family: int, low: int, high: int,
    beta: Vector, width: Vector, shape: Matrix, aux: Matrix, prior: tuple[int, float, float],
) -> float:  # fmt: skip
    kind, a, b = prior
    if side == _LOCALS:
        value = _log_locals(u - current, family, low, high, shape, aux)
    else:
        value = _log_slabbed(u - current, low, high, beta, width, aux)
    return value + log_prior(u, kind, a, b)


@njit(nogil=True, error_model="numpy")
def _slice(
    scale: float, side: int, family: int, low: int, high: int,
    beta: Vector, width: Vector, shape: Matrix, aux: Matrix, prior: tuple[int, float, float],
    rng: Generator,
) -> float:  # fmt: skip
    """Slice sample log s, stepping out and shrinking (Neal 2003); `width` is that at `scale`."""
    u = math.log(scale)
    step = 3.0 / math.sqrt(high - low)
    rest = (side, family, low, high, beta, width, shape, aux, prior)
    level = _log_target(u, u, *rest) - rng.standard_exponential()
    left = u - step * rng.random()
    right = left + step
    for _ in range(_STEPS):
        if left < -_FAR or _log_target(left, u, *rest) <= level:
            break
        left -= step
    for _ in range(_STEPS):
        if right > _FAR or _log_target(right, u, *rest) <= level:
            break
        right += step
    while right - left > 1e-14 * (1.0 + abs(u)):
        new = left + (right - left) * rng.random()
        if _log_target(new, u, *rest) > level:
            return math.exp(new)
        if new < u:
            left = new
        else:
            right = new
    return scale


@njit(nogil=True, error_model="numpy")
def scale_from_coefficients(
    scale: float, family: int, low: int, high: int, beta: Vector, unit: Vector, width: Vector,
    shape: Matrix, aux: Matrix, prior: tuple[int, float, float], rng: Generator,
) -> float:  # fmt: skip
    """Draw the scale of the coefficients ``low:high`` given them.

    Parameters
    ----------
    scale : float
        Its value now.
    family, low, high, beta, shape, aux
        As in `_mixing`.
    unit, width : ndarray, shape (p,)
        Widths at a scale of 1; working memory.
    prior : tuple
        Kind and numbers of the prior of the scale.
    rng : Generator
        Random numbers.
    """
    if family != REGULARIZED_HORSESHOE:
        count, linear, square = scale_statistics(family, low, high, beta, unit, shape, aux)
        return draw_scale(scale, count, linear, square, prior[0], prior[1], prior[2], rng)
    for j in range(low, high):
        width[j] = unit[j] * scale
    return _slice(scale, _SLABBED, family, low, high, beta, width, shape, aux, prior, rng)


@njit(nogil=True, error_model="numpy")
def scale_from_locals(
    scale: float, family: int, low: int, high: int, beta: Vector, width: Vector,
    shape: Matrix, aux: Matrix, prior: tuple[int, float, float], rng: Generator,
) -> float:  # fmt: skip
    """Draw the scale given the local sds in units of β; the state in units of the scale moves.

    Parameters are those of `scale_from_coefficients`.
    """
    if family not in (STUDENT_T, GENERALIZED_PARETO, HORSESHOE, REGULARIZED_HORSESHOE):
        return scale
    new = _slice(scale, _LOCALS, family, low, high, beta, width, shape, aux, prior, rng)
    ratio = new / scale
    for j in range(low, high):
        if family == STUDENT_T:
            aux[j, 0] /= ratio * ratio
        elif family == GENERALIZED_PARETO:
            aux[j, 0] *= ratio
        else:
            aux[j, 0] *= ratio * ratio
    return new
