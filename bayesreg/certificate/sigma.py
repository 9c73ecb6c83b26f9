"""The slope of a joint objective in the noise sd."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

_EPS = float(np.finfo(np.float64).eps)


def sigma_slope(problem: Problem, coef: Vector, intercept: float, sigma: float) -> float:
    """Return the derivative of the joint objective with respect to log sigma, in nats.

    ``n − RSS/σ²`` from a Gaussian likelihood, ``k − Σ|β|/(bσ)`` or ``k − Σβ²/(τσ)²`` from the k
    coefficients whose prior scale is a multiple of sigma, minus the slope of sigma's log prior.
    """
    return sum(_terms(problem, coef, intercept, sigma))


def sigma_residual(
    problem: Problem, coef: Vector, intercept: float, sigma: float
) -> tuple[float, float]:
    """Return the KKT residual of sigma, and its rounding error.

    The curvature in log sigma is of the order of the terms that cancel in the slope.
    """
    terms = _terms(problem, coef, intercept, sigma)
    size = sum(abs(term) for term in terms)
    return abs(sum(terms)) / math.sqrt(size), 64 * _EPS * math.sqrt(size)


def _terms(problem: Problem, coef: Vector, intercept: float, sigma: float) -> tuple[float, ...]:
    given, relative = problem.given(sigma=sigma), problem.relative
    pulled = 0.0
    if relative.any():
        penalty = given.elastic_net
        absolute = penalty.l1 * np.abs(coef)
        pulled = float((absolute + penalty.l2 * (coef - penalty.loc) ** 2)[relative].sum())
    return (
        float(problem.n + relative.sum()),
        -2 * given.loss(coef, intercept),
        -problem.hyperpriors()["sigma"].slope(sigma) * sigma,
        -pulled,
    )
