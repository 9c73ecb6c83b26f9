"""What needs no draws along a path: exact means, and everything where the posterior is normal."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from bayesreg.errors import NoClosedForm
from bayesreg.posterior.exact import Moments, moments_along, reason_against
from bayesreg.posterior.reweighting import Summary

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem


def exact_moments(problem: Problem, scales: Vector) -> list[Moments] | None:
    """Return the moments at every scale, from one decomposition; None where they are not known."""
    if reason_against(problem) is not None:
        return None
    try:
        return moments_along(problem, scales)
    except NoClosedForm:
        return None


def with_exact_means(summary: Summary, moments: Moments) -> Summary:
    """Replace what draws say of the means by what is known of them."""
    known = _columns(moments.mean, moments.intercept_mean, moments.sigma_mean)
    exact = np.isfinite(known)
    return replace(
        summary,
        mean=np.where(exact, known, summary.mean),
        mcse=np.where(exact, 0.0, summary.mcse),
    )


def closed_summary(
    problem: Problem, moments: Moments, epsilon: Vector, prob: float
) -> Summary | None:
    """Summarise a normal or a normal–inverse-gamma posterior; None for any other.

    Parameters
    ----------
    problem : Problem
        The posterior.
    moments : Moments
        Its exact moments.
    epsilon : ndarray, shape (p,)
        What counts as close to zero.
    prob : float
        Probability of the intervals.

    Returns
    -------
    Summary or None
        With no Monte Carlo error. Given an inverse gamma posterior (a, b) of sigma², coefficients
        are t with 2a degrees of freedom and squared scale ``variance · (a − 1)/a``.
    """
    a, b, p = moments.a_n, moments.b_n, problem.p
    if problem.given_ones().elastic_net.l1.any() or (problem.unknown and a is None):
        return None
    mean = _columns(moments.mean, moments.intercept_mean)
    width = _columns(moments.sd, moments.intercept_sd)
    df = math.inf
    if a is not None:
        df, width = 2 * a, width * math.sqrt((a - 1) / a)
    half = _quantile(0.5 + prob / 2, df) * width
    above, below = (epsilon - mean[:p]) / width[:p], (-epsilon - mean[:p]) / width[:p]
    near = _share(above, df) - _share(below, df)
    median, hdi = mean, np.stack([mean - half, mean + half], axis=-1)
    if a is not None and b is not None:
        mean = _columns(mean, moments.sigma_mean)
        median = _columns(median, _noise_quantile(0.5, a, b))
        hdi = np.vstack([hdi, _noise_interval(a, b, prob)])
    return Summary(mean, median, np.zeros(mean.size), hdi, near)


def _columns(coef: Vector, *others: float | None) -> Vector:
    """Put numbers that exist behind those of the coefficients."""
    return np.array([*coef, *(value for value in others if value is not None)])


def _quantile(share: float, df: float) -> float:
    return float(special.ndtri(share) if math.isinf(df) else special.stdtrit(df, share))


def _share(x: Vector, df: float) -> Vector:
    return np.asarray(special.ndtr(x) if math.isinf(df) else special.stdtr(df, x))


def _noise_quantile(share: float, a: float, b: float) -> float:
    """Quantile of sigma where ``b/sigma²`` is gamma with shape a."""
    return math.sqrt(b / float(special.gammainccinv(a, share)))


def _noise_interval(a: float, b: float, prob: float) -> tuple[float, float]:
    """Shortest interval of sigma."""
    rest = 1 - prob

    def width(start: float) -> float:
        return _noise_quantile(start + prob, a, b) - _noise_quantile(start, a, b)

    bounds = (1e-9 * rest, (1 - 1e-9) * rest)
    start = float(optimize.minimize_scalar(width, bounds=bounds, method="bounded").x)
    return _noise_quantile(start, a, b), _noise_quantile(start + prob, a, b)
