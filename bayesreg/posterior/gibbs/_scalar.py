"""Draws of one positive unknown: a noise sd, or the scale of a prior. Compiled.

Given everything else its density is ::

    s^−count · exp(−linear/s − square/s² + rise·s − bend·s²) · prior(s)

with the last two terms only where the data see s through the predictor. In ``u = log s`` all the
priors are log-concave: a tangent at any point bounds them by a power of s, which leaves an inverse
gamma density to propose from, and the ratio to accept with. What has no such form is slice sampled.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

from bayesreg.scale_priors import (
    SCALE_PRIORS,
    Exponential,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
)

if TYPE_CHECKING:
    from numpy.random import Generator

_NORMAL, _CAUCHY = SCALE_PRIORS.index(HalfNormal), SCALE_PRIORS.index(HalfCauchy)
_STUDENT = SCALE_PRIORS.index(HalfStudentT)
_EXPONENTIAL, _GAMMA = SCALE_PRIORS.index(Exponential), SCALE_PRIORS.index(InverseGamma)

# |log s| stays below: squares of s are then far from overflow.
_FAR = 300.0
_TINY = 1e-250
# Proposals before the slice sampler takes over; with the tangent near the mode one or two suffice.
_PROPOSALS = 12
_STEPS = 60


@njit(nogil=True, error_model="numpy", inline="always")
def log_prior(u: float, kind: int, a: float, b: float) -> float:
    """Log density of ``u = log s``, without its constant: the Jacobian is in it."""
    if kind == _NORMAL:
        return float(u - 0.5 * math.exp(2 * u) / (a * a))
    if kind == _CAUCHY:
        return float(u - math.log1p(math.exp(2 * u) / (a * a)))
    if kind == _STUDENT:
        return float(u - 0.5 * (b + 1) * math.log1p(math.exp(2 * u) / (b * a * a)))
    if kind == _EXPONENTIAL:
        return float(u - math.exp(u) / a)
    if kind == _GAMMA:
        return float(-2 * a * u - b * math.exp(-2 * u))
    return u


@njit(nogil=True, error_model="numpy", inline="always")
def _slope(u: float, kind: int, a: float, b: float) -> float:
    """Derivative of `log_prior`."""
    if kind == _NORMAL:
        return float(1 - math.exp(2 * u) / (a * a))
    if kind == _CAUCHY:
        return float(1 - 2 / (1 + a * a * math.exp(-2 * u)))
    if kind == _STUDENT:
        return float(1 - (b + 1) / (1 + b * a * a * math.exp(-2 * u)))
    if kind == _EXPONENTIAL:
        return float(1 - math.exp(u) / a)
    if kind == _GAMMA:
        return float(-2 * a + 2 * b * math.exp(-2 * u))
    return 1.0


@njit(nogil=True, error_model="numpy")
def _propose(power: float, linear: float, square: float, rng: Generator) -> float:
    """Draw log s from ``s^−power exp(−linear/s − square/s²) ds/s``, one of the two being 0."""
    if linear > 0:
        return float(math.log(linear / rng.standard_gamma(power)))
    return float(0.5 * math.log(square / rng.standard_gamma(0.5 * power)))


@njit(nogil=True, error_model="numpy")
def slice_scale(
    current: float,
    terms: tuple[float, float, float, float, float],
    kind: int,
    a: float,
    b: float,
    width: float,
    rng: Generator,
) -> float:
    """Slice sample s on the log scale, stepping out and shrinking (Neal 2003).

    `terms` are count, linear, square, rise and bend; `width` is the first step in log s and must
    not depend on `current`.
    """
    u = min(max(math.log(current), -_FAR), _FAR)
    level = _log_density(u, terms, kind, a, b) - rng.standard_exponential()
    left = u - width * rng.random()
    right = left + width
    for _ in range(_STEPS):
        if left < -_FAR or _log_density(left, terms, kind, a, b) <= level:
            break
        left -= width
    for _ in range(_STEPS):
        if right > _FAR or _log_density(right, terms, kind, a, b) <= level:
            break
        right += width
    while right - left > 1e-15 * (1 + abs(u)):
        new = left + (right - left) * rng.random()
        if _log_density(new, terms, kind, a, b) > level:
            return math.exp(new)
        if new < u:
            left = new
        else:
            right = new
    return current


@njit(nogil=True, error_model="numpy", inline="always")
def _log_density(
    u: float, terms: tuple[float, float, float, float, float], kind: int, a: float, b: float
) -> float:
    count, linear, square, rise, bend = terms
    down, up = math.exp(-u), math.exp(u)
    data = (linear + square * down) * down
    return float(-count * u - data + (rise - bend * up) * up + log_prior(u, kind, a, b))


@njit(nogil=True, error_model="numpy")
def draw_scale(
    current: float,
    count: float,
    linear: float,
    square: float,
    kind: int,
    a: float,
    b: float,
    rng: Generator,
) -> float:
    """Draw s from ``s^−count exp(−linear/s − square/s²) prior(s)``.

    Parameters
    ----------
    current : float
        The value to leave, which a slice starts from.
    count, linear, square : float
        As above; not all 0.
    kind, a, b : int, float, float
        Place of the prior in `SCALE_PRIORS`, and its numbers.
    rng : Generator
        Random numbers.
    """
    if kind == _GAMMA:  # conjugate to squares
        count, square, kind = count + 2 * a, square + b, -1
        flat = 0.0
    else:
        flat = 1.0
    width = 3.0 / math.sqrt(max(count, 1.0))
    if linear < 0 or (linear > 0) == (square > 0):
        terms = (count + 1.0 - flat, linear, square, 0.0, 0.0)
        return slice_scale(current, terms, kind, a, b, width, rng)
    # A tangent near the mode: where it would be under the last tangent, from a flat prior on.
    u, tilt = 0.0, flat
    for _ in range(3):
        power = max(count - tilt, 0.5)
        u = math.log(linear / power) if linear > 0 else 0.5 * math.log(2 * square / power)
        tilt = _slope(u, kind, a, b) if flat > 0 else 0.0
    power = count - tilt
    if power > 0:
        top = log_prior(u, kind, a, b) - tilt * u if flat > 0 else 0.0
        for _ in range(_PROPOSALS):
            new = _propose(power, linear, square, rng)
            if flat == 0.0:
                return math.exp(new)
            if abs(new) < _FAR and rng.standard_exponential() >= top + tilt * new - log_prior(
                new, kind, a, b
            ):
                return math.exp(new)
    terms = (count + 1.0 - flat, linear, square, 0.0, 0.0)
    return slice_scale(current, terms, kind, a, b, width, rng)
