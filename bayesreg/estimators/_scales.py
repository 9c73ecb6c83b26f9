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
    Where scales must be numbers, the noise has the residual sd of least squares, as on the command
    line (`bayesreg.least_squares`), and the signal the rest of the variance of the target; each has
    half of it where there is no least squares.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._validation import is_many
from bayesreg._visible import shown
from bayesreg.errors import InputError
from bayesreg.estimators._rows import target_spread, weighted_sd
from bayesreg.least_squares import least_squares, noise_sd
from bayesreg.likelihoods import Gaussian
from bayesreg.priors import Flat
from bayesreg.scale_priors import HalfCauchy, HalfNormal, InverseGamma, ScalePrior

if TYPE_CHECKING:
    from bayesreg.design import Design

_LOGIT_SD = 2.5
_SHAPE, _FLOOR = 0.01, 1e-4
_LEAST, _MOST = 1e-70, 1e70
# Columns up to which there is least squares: a few seconds.
_MOST_COLUMNS = 2000


def as_given(value: Any, argument: str, *, each: bool = True, unknown: bool = True) -> Any:
    """Return a scale as it was given; InputError where it is neither number nor prior.

    Parameters
    ----------
    value : object
        What the user wrote.
    argument : str
        Where.
    each, unknown : bool
        Whether there may be one number per column; whether a prior will do.

    Examples
    --------
    >>> as_given(2.0, "scale")
    2.0
    """
    if unknown and isinstance(value, ScalePrior | Flat):
        return value
    found = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    if isinstance(found, Real) and not isinstance(found, bool):
        return value
    if each and is_many(found):  # judged by the prior
        return value
    kinds = ["a positive number"] + ["one per column"] * (each and not unknown)
    kinds += ["a prior such as HalfCauchy(1.0)"] * unknown
    msg = f"{argument}: must be {' or '.join(kinds)}, found {shown(found)}"
    raise InputError(msg)


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


def of_least_squares(design: Design, *, standardize: bool) -> tuple[float, float]:
    """Return a noise sd, the residual one of least squares, and an sd of the coefficients.

    They share what is left of the variance of the target equally, ``Σ τ² sd²(column) = v - σ²``,
    but have at least what noise alone would give the estimates, σ² p/n. Without least squares σ² is
    v/2.

    Parameters
    ----------
    design : Design
        The data; a row of weight w counts as w rows.
    standardize : bool
        Whether the coefficients are those of standardised columns.

    Examples
    --------
    >>> from bayesreg.design import Design
    >>> design = Design.of([[-1.0], [-1.0], [1.0], [1.0]], [-3.0, -1.0, 1.0, 3.0])
    >>> sigma, coefficient = of_least_squares(design, standardize=True)
    >>> round(sigma**2, 6), round(coefficient**2, 6)  # 4/(4 - 2), and 5 - 2
    (2.0, 3.0)
    """
    spread, sd = spread_of(design), weighted_sd(design)
    varying = np.flatnonzero(sd)
    columns, rows = max(varying.size, 1), float(design.row_weights.sum())
    fitted = least_squares(design, sd) if varying.size <= _MOST_COLUMNS else None
    sigma = noise_sd(fitted, spread)
    rest = max((spread - sigma) * (spread + sigma), sigma**2 * min(columns / rows, 1.0))
    room = float(sd @ sd) if varying.size and not standardize else float(columns)
    return sigma, math.sqrt(rest / room)
