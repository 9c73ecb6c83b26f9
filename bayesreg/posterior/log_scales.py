"""Priors of a positive unknown as densities of its logarithm, vectorised, with their tails."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.scale_priors import (
    Exponential,
    HalfCauchy,
    HalfFlat,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    ScalePrior,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg.posterior.conditional import Array


@dataclass(frozen=True, eq=False)
class LogScale:
    """A density of u = log value, Jacobian included; log-concave for every `ScalePrior`.

    Attributes
    ----------
    log_density, slope : callable
        Log density and its derivative, at arrays of u.
    centre : float or None
        Where about its peak is; None without one.
    rise, fall : float
        Exponents of its tails: like ``exp(rise u)`` on the left, ``exp(−fall u)`` on the right.

    Examples
    --------
    >>> prior = LogScale.of(HalfCauchy(2.0))
    >>> print(prior.log_density(np.log([2.0])).round(6))  # value times density: 2 / (2 π)
    [-1.14473]
    """

    log_density: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    centre: float | None
    rise: float
    fall: float

    @classmethod
    def of(cls, prior: ScalePrior) -> LogScale:
        """Translate a prior."""
        return _MAKERS[type(prior)](prior)


def _half_normal(prior: HalfNormal) -> LogScale:
    c, constant = math.log(prior.scale), 0.5 * math.log(2 / math.pi)
    return LogScale(
        lambda u: constant + (u - c) - 0.5 * np.exp(2 * (u - c)),
        lambda u: 1 - np.exp(2 * (u - c)),
        centre=c,
        rise=1.0,
        fall=math.inf,
    )


def _half_cauchy(prior: HalfCauchy) -> LogScale:
    c, constant = math.log(prior.scale), math.log(2 / math.pi)
    return LogScale(
        lambda u: constant + (u - c) - np.logaddexp(0.0, 2 * (u - c)),
        lambda u: -np.tanh(u - c),
        centre=c,
        rise=1.0,
        fall=1.0,
    )


def _half_student_t(prior: HalfStudentT) -> LogScale:
    nu, c = prior.nu, math.log(prior.scale)
    constant = prior.log_density(prior.scale) + c + 0.5 * (nu + 1) * math.log1p(1 / nu)
    edge = c + 0.5 * math.log(nu)
    return LogScale(
        lambda u: constant + (u - c) - 0.5 * (nu + 1) * np.logaddexp(0.0, 2 * (u - edge)),
        lambda u: 1 - 0.5 * (nu + 1) * (1 + np.tanh(u - edge)),
        centre=c,
        rise=1.0,
        fall=nu,
    )


def _exponential(prior: Exponential) -> LogScale:
    c = math.log(prior.scale)
    return LogScale(
        lambda u: (u - c) - np.exp(u - c),
        lambda u: 1 - np.exp(u - c),
        centre=c,
        rise=1.0,
        fall=math.inf,
    )


def _inverse_gamma(prior: InverseGamma) -> LogScale:
    a, log_b = prior.shape, math.log(prior.scale)
    constant = math.log(2) + a * log_b - math.lgamma(a)
    return LogScale(
        lambda u: constant - 2 * a * u - np.exp(log_b - 2 * u),
        lambda u: 2 * (np.exp(log_b - 2 * u) - a),
        centre=0.5 * (log_b - math.log(a)),
        rise=math.inf,
        fall=2 * a,
    )


def _half_flat(prior: HalfFlat) -> LogScale:
    del prior
    return LogScale(np.array, np.ones_like, centre=None, rise=1.0, fall=-1.0)


_MAKERS: dict[type[ScalePrior], Callable[..., LogScale]] = {
    HalfNormal: _half_normal,
    HalfCauchy: _half_cauchy,
    Exponential: _exponential,
    InverseGamma: _inverse_gamma,
    HalfFlat: _half_flat,
    HalfStudentT: _half_student_t,
}
