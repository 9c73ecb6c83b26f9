"""Scales where the user gives none: weak priors in units of the data.

Noise
    ``σ² ~ InverseGamma(0.01, 10⁻⁴ v)`` with v the variance of the target: nearly the scale-free
    ``1/σ²``, made proper, and kept off the σ = 0 of a perfect fit.
Coefficients under noise
    On standardised columns, a scale relative to σ whose prior is half-Cauchy. For a normal prior
    its median is ``1/√p``: if the columns were uncorrelated, the share R² of the variance that they
    explain would be Beta(1/2, 1/2). A Laplace scale is divided by √2, so that its sd is the same.
    For the horseshoe it is ``1/√n``: half the coefficients are expected to be out of the noise
    (Piironen & Vehtari 2017, with p₀ = p/2).
Coefficients in a logit
    A scale whose prior is half-normal with scale ``2.5/√p``: the linear predictor moves by a few
    units, and separated classes leave the posterior proper.
Known numbers
    Where a scale must be a number, signal and noise each get half the variance of the target.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bayesreg.errors import InputError
from bayesreg.estimators._rows import target_spread
from bayesreg.likelihoods import Gaussian
from bayesreg.scale_priors import HalfCauchy, HalfNormal, InverseGamma

if TYPE_CHECKING:
    from bayesreg.design import Design

_LOGIT_SD = 2.5
_SHAPE, _FLOOR = 0.01, 1e-4
_LEAST, _MOST = 1e-70, 1e70


def spread_of(design: Design) -> float:
    """Standard deviation of the target; InputError where its square leaves double precision."""
    spread = target_spread(design)
    if not _LEAST < spread < _MOST:
        msg = f"y: varies by {spread:.3g}, too far from 1 for double precision; rescale it"
        raise InputError(msg)
    return spread


def gaussian(design: Design) -> Gaussian:
    """Normal noise of unknown scale."""
    return Gaussian(InverseGamma(_SHAPE, _FLOOR * spread_of(design) ** 2))


def of_normal(columns: int) -> HalfCauchy:
    """Prior of a normal scale relative to sigma."""
    return HalfCauchy(1 / math.sqrt(columns))


def of_laplace(columns: int) -> HalfCauchy:
    """Prior of a Laplace scale relative to sigma."""
    return HalfCauchy(1 / math.sqrt(2 * columns))


def of_horseshoe(rows: int) -> HalfCauchy:
    """Prior of a horseshoe's scale relative to sigma."""
    return HalfCauchy(1 / math.sqrt(rows))


def of_logit(columns: int, *, laplace: bool = False) -> HalfNormal:
    """Prior of a scale of log-odds."""
    return HalfNormal(_LOGIT_SD / math.sqrt(columns * (2 if laplace else 1)))


def half_of_variance(design: Design, columns: int) -> tuple[float, float]:
    """Return a noise sd, and a coefficient's: half of the variance for each.

    Examples
    --------
    >>> from bayesreg.design import Design
    >>> sigma, coefficient = half_of_variance(Design.of([[1.0], [2.0]], [0.0, 2.0]), columns=2)
    >>> round(sigma**2, 6), round(2 * coefficient**2, 6)
    (0.5, 0.5)
    """
    half = spread_of(design) / math.sqrt(2)
    return half, half / math.sqrt(columns)
