r"""Random variates of the local variances, each exact, from one generator inside compiled code.

All of them are of one form: a variance v, or its inverse, given a standardised coefficient u.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    import numpy as np

# Far below (above) what any draw of a proper posterior reaches; it keeps logarithms and inverses
# finite for a coefficient that starts at exactly 0 (or absurdly far away).
_LEAST, _MOST = 1e-80, 1e300
_TINY = 1e-300


@njit(cache=True, nogil=True, error_model="numpy")
def exponential_mixture(u: float, rng: np.random.Generator) -> float:
    r"""Draw v given ``β = u`` where ``β | v ~ N(0, v)`` and v is exponential of mean 2.

    The density is ``∝ v^(−1/2) exp(−u²/(2v) − v/2)``: 1/v is inverse Gaussian of mean 1/u and shape
    1. Michael, Schucany & Haas (1976) draw that as one of two roots. The roots of v are
    ``w = u + y/2 + √(uy + y²/4)``, y chi-square of one degree, and ``u²/w``, the first with
    probability ``w/(u + w)``: sums of positive numbers, so right for any u >= 0.
    """
    z = rng.standard_normal()
    half = 0.5 * z * z
    root = max(u + half + math.sqrt(half * (2.0 * u + half)), _TINY)
    if rng.random() * (u + root) <= root:
        return root
    return max(u * (u / root), _TINY)


@njit(cache=True, nogil=True, error_model="numpy")
def _reciprocal_body(a: float, rng: np.random.Generator) -> float:
    """Propose γ for ``exp(−aγ)/(1 + γ)``, up to ``1/a − 1`` if that is positive; −1 if rejected."""
    if a >= 1.0:
        gamma = rng.standard_exponential() / a
        return gamma if rng.random() * (1.0 + gamma) <= 1.0 else -1.0
    gamma = math.expm1(-rng.random() * math.log(a))
    return gamma if rng.standard_exponential() >= a * gamma else -1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _reciprocal_tail(a: float, rng: np.random.Generator) -> float:
    """Propose γ for ``exp(−aγ)/(1 + γ)`` beyond ``1/a − 1 > 0``; −1 if rejected."""
    beyond = 1.0 + rng.standard_exponential()
    return beyond / a - 1.0 if rng.random() * beyond <= 1.0 else -1.0


@njit(cache=True, nogil=True, error_model="numpy")
def shifted_reciprocal(a: float, rng: np.random.Generator) -> float:
    r"""Draw γ > 0 from a density ``∝ exp(−aγ)/(1 + γ)``: the local precision of a horseshoe.

    By rejection. For a >= 1 from an exponential density. Else from ``1/(1 + γ)`` up to
    ``1 + γ = 1/a``, and from an exponential tail beyond. At least 0.59 of the proposals are taken.
    """
    if math.isnan(a):
        return a
    a = min(max(a, _LEAST), _MOST)
    share = 1.0
    if a < 1.0:
        body = -math.log(a)
        share = body / (body + math.exp(a - 1.0))
    while True:
        if share == 1.0 or rng.random() <= share:
            gamma = _reciprocal_body(a, rng)
        else:
            gamma = _reciprocal_tail(a, rng)
        if gamma > 0.0:
            return gamma


@njit(cache=True, nogil=True, error_model="numpy")
def _rooted_reciprocal(a: float, rng: np.random.Generator) -> float:
    r"""Propose γ for ``γ^(−1/2) exp(−aγ)/(1 + γ)``; negative if rejected.

    In ``x = √γ``: from a half-Cauchy density (mass π) where a < 1, else a half-normal one.
    """
    if a < 1.0:
        x = math.tan(0.5 * math.pi * rng.random())
        gamma = x * x
        return gamma if rng.standard_exponential() >= a * gamma else -1.0
    z = rng.standard_normal()
    gamma = 0.5 * z * z / a
    return gamma if rng.random() * (1.0 + gamma) <= 1.0 else -1.0


@njit(cache=True, nogil=True, error_model="numpy")
def slabbed_reciprocal(a: float, ratio: float, rng: np.random.Generator) -> float:
    r"""Draw γ > 0 from ``∝ √((ρ + γ)/γ) exp(−aγ)/(1 + γ)``, ρ >= 0 the `ratio`.

    As ``√(ρ + γ) <= √ρ + √γ``, a mixture of ``exp(−aγ)/(1 + γ)`` and ``√(ρ/γ) exp(−aγ)/(1 + γ)``
    lies above the density, nowhere by more than √2. The shares of the two are those of what each
    is proposed from.
    """
    if math.isnan(a):
        return a
    a = min(max(a, _LEAST), _MOST)
    if a < 1.0:
        body, tail = -math.log(a), math.exp(a - 1.0)
        rooted = math.pi * math.sqrt(ratio)
    else:
        body, tail = 1.0 / a, 0.0
        rooted = math.sqrt(math.pi * ratio / a)
    while True:
        place = rng.random() * (body + tail + rooted)
        if place >= body + tail:
            gamma = _rooted_reciprocal(a, rng)
        elif place < body:
            gamma = _reciprocal_body(a, rng)
        else:
            gamma = _reciprocal_tail(a, rng)
        if gamma <= 0.0:
            continue
        root, slab = math.sqrt(gamma), math.sqrt(ratio)
        if rng.random() * (root + slab) <= math.sqrt(gamma + ratio):
            return gamma


@njit(cache=True, nogil=True, error_model="numpy")
def slab_precision(half: float, rate: float, local: float, rng: np.random.Generator) -> float:
    r"""Draw w > 0 from ``∝ w^(half − 1) √(w + local) exp(−rate·w)``.

    As ``√(w + g) <= √w + √g``, from a mixture of gamma densities of shapes half + 1/2 and half.
    """
    if math.isnan(rate + local):
        return rate + local
    ratio = math.exp(math.lgamma(half) - math.lgamma(half + 0.5))
    with_local = math.sqrt(local * rate) * ratio
    while True:
        shape = half if rng.random() * (1.0 + with_local) < with_local else half + 0.5
        w = max(rng.standard_gamma(shape) / rate, _TINY)
        if rng.random() * (math.sqrt(w) + math.sqrt(local)) <= math.sqrt(w + local):
            return w
