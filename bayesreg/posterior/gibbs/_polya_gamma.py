r"""Pólya–Gamma variates, drawn exactly: the latent precisions of the logistic likelihood.

PG(1, z) has the density (Polson, Scott & Windle 2013, "Bayesian inference for logistic models using
Pólya–Gamma latent variables", JASA 108)::

    cosh(z/2) exp(−z²x/2) Σ_k (−1)^k (2k+1) / √(2πx³) exp(−(2k+1)²/(8x)),

mean ``tanh(z/2)/(2z)`` and Laplace transform ``cosh(z/2) / cosh(√((z² + 2t)/4))``. A quarter of
Devroye's (2009) ``J*(1, |z|/2)``, which is drawn by rejection from two pieces: a tilted inverse
Gaussian left of `_JOIN`, an exponential right of it. The ratio of density and envelope is an
alternating series whose partial sums bracket it, so a uniform is compared exactly after a term or
two. PG(w, z) for a whole number w is the sum of w of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    from numpy.random import Generator

    from bayesreg._validation import Vector

# Where the two pieces meet; both series decrease term by term on either side of it.
_JOIN = 0.64
_ROOT_JOIN = math.sqrt(_JOIN)
_EIGHTH_PI_SQUARE = math.pi**2 / 8
# From here on the tilted inverse Gaussian lies left of the join but for less than 1e-40.
_STEEP = 20.0


@njit(cache=True, nogil=True, error_model="numpy")
def _right_share(z: float) -> float:
    """Probability that the envelope of J*(1, z) draws right of the join; z = half the tilt.

    The masses are ``π/(2K) exp(−K t)``, ``K = π²/8 + z²/2``, on the right and
    ``2 exp(−z) P(IG < t)`` on the left, IG of mean 1/z and shape 1; both are taken times
    ``exp(z)``, so that neither underflows before the other.
    """
    rate = _EIGHTH_PI_SQUARE + 0.5 * z * z
    right = 0.5 * math.pi / rate * math.exp(z - rate * _JOIN)
    if z > _STEEP:
        left = 2.0
    else:
        below = (1.0 - z * _JOIN) / _ROOT_JOIN / math.sqrt(2.0)
        above = (1.0 + z * _JOIN) / _ROOT_JOIN / math.sqrt(2.0)
        left = math.erfc(below) + math.exp(2.0 * z) * math.erfc(above)
    return right / (right + left)


@njit(cache=True, nogil=True, error_model="numpy")
def _left_piece(z: float, rng: Generator) -> float:
    """Draw from the inverse Gaussian of mean 1/z and shape 1, given that it is below the join."""
    if z * _JOIN < 1.0:  # mean beyond the join: tilt the case z = 0, the inverse of a χ²₁
        while True:
            e = rng.standard_exponential()
            while e * e * _JOIN > 2.0 * rng.standard_exponential():
                e = rng.standard_exponential()
            x = _JOIN / (1.0 + _JOIN * e) ** 2
            if rng.standard_exponential() >= 0.5 * z * z * x:
                return x
    while True:  # Michael, Schucany & Haas (1976), with the root that does not cancel
        y = rng.standard_normal()
        w = y * y / z
        ratio = 1.0 / (1.0 + 0.5 * w + 0.5 * math.sqrt(4.0 * w + w * w))  # root × z
        x = ratio / z if rng.random() * (1.0 + ratio) < 1.0 else 1.0 / (ratio * z)
        if x <= _JOIN:
            return x


@njit(cache=True, nogil=True, error_model="numpy")
def _accepted(x: float, u: float) -> bool:
    """Compare u with the density over the envelope, ``1 − r₁ + r₂ − …``, at x exactly."""
    decay = 2.0 / x if x <= _JOIN else 0.5 * math.pi**2 * x
    total, k = 1.0, 0
    while True:
        k += 1
        term = (2 * k + 1) * math.exp(-k * (k + 1) * decay)
        if k % 2:
            total -= term
            if u <= total:
                return True
        else:
            total += term
            if u > total:
                return False


@njit(cache=True, nogil=True, error_model="numpy")
def _tilted(z: float, share: float, rng: Generator) -> float:
    """Draw from J*(1, z)/4, whose envelope draws right of the join with probability `share`."""
    while True:
        if rng.random() < share:
            x = _JOIN + rng.standard_exponential() / (_EIGHTH_PI_SQUARE + 0.5 * z * z)
        else:
            x = _left_piece(z, rng)
        if _accepted(x, rng.random()):
            return 0.25 * x


@njit(cache=True, nogil=True, error_model="numpy")
def polya_gamma(weight: float, tilt: float, rng: Generator) -> float:
    """Draw from PG(weight, tilt).

    Parameters
    ----------
    weight : float
        A whole number of at least 1; the time is proportional to it.
    tilt : float
        Linear predictor z, of either sign; NaN gives NaN.
    rng : Generator
        Source of random numbers.

    Returns
    -------
    float
        A draw, positive.
    """
    z = 0.5 * abs(tilt)
    if not z < math.inf:
        return math.nan
    share, total = _right_share(z), 0.0
    for _ in range(int(weight)):
        total += _tilted(z, share, rng)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def fill_polya_gamma(weight: Vector, tilt: Vector, out: Vector, rng: Generator) -> None:
    """Draw from PG(weight, tilt) row by row into `out`, all of shape (n,)."""
    for i in range(out.size):
        out[i] = polya_gamma(weight[i], tilt[i], rng)
