r"""Integrals and draws of ``exp(−g x²/2 − b x)`` over x > 0: a truncated normal, or its limits.

With ``a = b/√g`` the integral is Mills' ratio, ``R(a)/√g`` with ``R(a) = Φ(−a)/φ(a)``. For a > 0 it
is ``√(π/2) erfcx(a/√2)``, for a < 0 ``√(2π) Φ(−a) exp(a²/2)``: neither overflows nor cancels in the
logarithm. For g → 0 it is the exponential law, ``1/b``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg.errors import NoClosedForm
from bayesreg.priors.elastic_net import truncated_moments

if TYPE_CHECKING:
    from bayesreg._validation import Vector

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
# From here on R(a) = 1/a to rounding: 1/a² is below it.
_EXPONENTIAL = 1e8


def log_mills(a: Vector) -> Vector:
    """Log of Mills' ratio ``Φ(−a)/φ(a)``, shape (k,).

    Examples
    --------
    >>> print(np.exp(log_mills(np.array([0.0, 1e9]))))  # √(π/2) and 1/a
    [1.25331414e+00 1.00000000e-09]
    """
    right = np.log(special.erfcx(np.maximum(a, 0.0) / math.sqrt(2))) + 0.5 * math.log(math.pi / 2)
    left = np.minimum(a, 0.0)
    return np.where(a > 0, right, _HALF_LOG_2PI + special.log_ndtr(-left) + 0.5 * left**2)


def ratio(g: Vector, b: Vector) -> Vector:
    """Return ``a = b/√g``, large where g is 0 or as good as that; b is positive there."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        a = b / np.sqrt(g)
    return np.where(g > 0, np.minimum(a, np.finfo(np.float64).max), np.finfo(np.float64).max)


def log_integral(g: Vector, b: Vector) -> Vector:
    """Log of the integral, shape (k,), for g ≥ 0 and, where g is 0, b > 0.

    Examples
    --------
    >>> print(np.exp(log_integral(np.array([0.0, 1.0]), np.array([4.0, 0.0]))).round(6))
    [0.25     1.253314]
    """
    a = ratio(g, b)
    exponential = a > _EXPONENTIAL
    safe_g, safe_b = np.where(exponential, 1.0, g), np.where(exponential, b, 1.0)
    near = log_mills(np.where(exponential, 0.0, a)) - 0.5 * np.log(safe_g)
    return np.where(exponential, -np.log(safe_b), near)


def moments(g: Vector, b: Vector) -> tuple[Vector, Vector]:
    """Mean and variance of x, shapes (k,).

    Examples
    --------
    >>> mean, variance = moments(np.array([0.0]), np.array([4.0]))
    >>> mean.item(), variance.item()
    (0.25, 0.0625)
    """
    exponential = ratio(g, b) > _EXPONENTIAL
    safe_g, safe_b = np.where(exponential, 1.0, g), np.where(exponential, b, 1.0)
    scale = safe_g**-0.5
    mean, variance = truncated_moments(-np.where(exponential, 0.0, b) * scale**2, scale)
    return np.where(exponential, 1 / safe_b, mean), np.where(exponential, safe_b**-2.0, variance)


def draw(g: Vector, b: Vector, rng: np.random.Generator) -> Vector:
    """Draw one x for each pair, exactly, by rejection; shape (k,).

    Where b > √g/2 from the tail of a Rayleigh law, ``b x + g x²/2`` standard exponential, accepted
    with probability ``b/(b + g x)`` (Marsaglia 1964); elsewhere normal until it is positive.

    Examples
    --------
    >>> x = draw(np.zeros(10_000), np.full(10_000, 4.0), np.random.default_rng(1))
    >>> round(x.mean().item(), 2), bool((x > 0).all())
    (0.25, True)
    """
    if not (np.isfinite(g).all() and np.isfinite(b).all()):
        msg = "the posterior is too narrow for double precision; rescale the data"
        raise NoClosedForm(msg)
    x, missing = np.empty(g.size), np.arange(g.size)
    in_tail = ratio(g, b) > 0.5
    while missing.size:
        at, tail = missing, in_tail[missing]
        h, c = g[at], b[at]
        e = rng.standard_exponential(at.size)
        safe = np.where(tail, c, 1.0)
        rayleigh = 2 * e / (safe + np.sqrt(safe**2 + 2 * h * e))
        accepted = rng.random(at.size) * (safe + h * rayleigh) <= safe
        some_g = np.where(tail, 1.0, h)
        z = rng.standard_normal(at.size)
        normal = (z - np.where(tail, 0.0, c) / np.sqrt(some_g)) / np.sqrt(some_g)
        x[at] = np.where(tail, rayleigh, normal)
        missing = at[~np.where(tail, accepted, normal > 0)]
    return x
