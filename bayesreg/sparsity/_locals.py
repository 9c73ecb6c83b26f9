r"""Local variances of scale mixtures, drawn given their coefficients. Compiled.

`bayesreg.posterior.gibbs._mixing` draws them exactly for every family but the regularised horseshoe
whose slab is random: there two numbers per coefficient are unknown, γ of the horseshoe and the
precision w of the slab, and the sampler draws each given the other. Here nothing is kept from one
draw to the next, so they are drawn together: with s the width, ν and c those of the slab, ::

    p(γ, w | β) ∝ √(γ/s² + w) exp(−β²(γ/s² + w)/2) · γ^(−1/2)/(1 + γ) · w^(ν/2 − 1) exp(−νc²w/2)

and ``√(γ/s² + w) <= √γ/s + √w`` bounds it by a mixture of two products of known densities, by at
most √2 too much.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from numba import njit

from bayesreg.posterior.gibbs._mixing import update
from bayesreg.posterior.gibbs._variates import _rooted_reciprocal, shifted_reciprocal
from bayesreg.posterior.gibbs.fingerprint import fingerprint

if TYPE_CHECKING:
    from numpy.random import Generator


@njit(nogil=True, error_model="numpy")
def _joint(
    a: float, s: float, half: float, rate: float, share: float, rng: Generator
) -> tuple[float, float]:
    """Draw γ and w of one coefficient; `share` is the mass of the first product."""
    while True:
        if rng.random() < share:
            gamma, w = shifted_reciprocal(a, rng), rng.standard_gamma(half) / rate
        else:
            gamma = -1.0
            while gamma < 0.0:
                gamma = _rooted_reciprocal(a, rng)
            w = rng.standard_gamma(half + 0.5) / rate
        root, slab = math.sqrt(gamma) / s, math.sqrt(w)
        if rng.random() * (root + slab) <= math.sqrt(gamma / (s * s) + w):
            return gamma, w


def _entries(stamp: int) -> tuple[Any, Any]:
    """Make what Python calls; the stamp tells Numba when its saved code is out of date."""

    @njit(cache=True, nogil=True, error_model="numpy")
    def mixtures(
        family: int,
        low: int,
        high: int,
        beta: Any,
        width: Any,
        shape: Any,
        aux: Any,
        variance: Any,
        rng: Generator,
    ) -> int:
        for i in range(beta.shape[0]):
            update(family, low, high, beta[i], width[i], shape, aux, variance[i], rng)
        return stamp

    @njit(cache=True, nogil=True, error_model="numpy")
    def slabs(
        beta: Any, width: Any, slab: Any, freedom: Any, share: Any, variance: Any, rng: Generator
    ) -> int:
        for i in range(beta.shape[0]):
            for j in range(beta.shape[1]):
                s, half = width[i, j], 0.5 * freedom[j]
                square = beta[i, j] ** 2
                rate = half * slab[j] ** 2 + 0.5 * square
                gamma, w = _joint(0.5 * square / (s * s), s, half, rate, share[i, j], rng)
                variance[i, j] = 1.0 / (gamma / (s * s) + w)
        return stamp

    return mixtures, slabs


mixtures, slabs = _entries(fingerprint())
