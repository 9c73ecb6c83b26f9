"""The Laplace posterior as normal densities on orthants (Hans 2009): a reference for a few columns.

On the orthant of signs s the density ``exp(−½ βᵀGβ + cᵀβ − Σ λ_j|β_j|)`` is that of a normal law
with precision G and mean ``G⁻¹(c − λs)``. Its mass there, and its moments, come from Genz's
separation of variables: coordinate after coordinate is drawn from a truncated normal, and the mass
is the mean of the product of what was cut off. The points are scrambled Sobol points, so that the
answers of several scrambles say how accurate they are.

Hans, C. (2009). Bayesian lasso regression. Biometrika 96, 835–845.
Genz, A. (1992). Numerical computation of multivariate normal probabilities. JCGS 1, 141–149.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special
from scipy.stats import qmc

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector


@dataclass(frozen=True)
class Orthants:
    """Moments of a Laplace posterior, each with a standard error over scrambles.

    Attributes
    ----------
    mean, mean_error : ndarray, shape (p,)
        Of the coefficients.
    covariance, covariance_error : ndarray, shape (p, p)
        Of the coefficients.
    log_integral, log_integral_error : float
        Log of the integral of the density as it stands above.
    """

    mean: Vector
    mean_error: Vector
    covariance: Matrix
    covariance_error: Matrix
    log_integral: float
    log_integral_error: float


def laplace_by_orthants(
    G: Matrix, c: Vector, l1: Vector, *, log2_points: int = 12, scrambles: int = 8, seed: int = 0
) -> Orthants:
    """Sum over all 2^p orthants; G (p, p) is positive definite, p at most 6 or so."""
    runs = [_once(G, c, l1, log2_points, seed + k) for k in range(scrambles)]
    columns = [np.array(values) for values in zip(*runs, strict=True)]
    (log, mean, covariance), root = columns, math.sqrt(scrambles)
    return Orthants(
        mean.mean(axis=0),
        mean.std(axis=0, ddof=1) / root,
        covariance.mean(axis=0),
        covariance.std(axis=0, ddof=1) / root,
        float(log.mean()),
        float(log.std(ddof=1) / root),
    )


def _once(
    G: Matrix, c: Vector, l1: Vector, log2_points: int, seed: int
) -> tuple[float, Vector, Matrix]:
    """Log integral, mean and covariance from one scramble."""
    p = c.size
    uniform = qmc.Sobol(p, seed=seed).random_base2(log2_points)
    uniform = np.clip(uniform, 1e-15, None)
    covariance = np.linalg.inv(G)
    constant = 0.5 * (p * math.log(2 * math.pi) + float(np.linalg.slogdet(covariance)[1]))
    points, logs = [], []
    for signs in itertools.product((1.0, -1.0), repeat=p):
        s = np.array(signs)
        tilt = c - l1 * s
        x, log = _truncated(s * (covariance @ tilt), covariance * np.outer(s, s), uniform)
        points.append(s * x)
        logs.append(log + constant + 0.5 * float(tilt @ covariance @ tilt))
    beta, log_weight = np.concatenate(points), np.concatenate(logs)
    total = float(special.logsumexp(log_weight))
    weight = np.exp(log_weight - total)
    mean = weight @ beta
    off = beta - mean
    return total - log2_points * math.log(2), mean, (weight[:, None] * off).T @ off


def _truncated(mean: Vector, covariance: Matrix, uniform: Matrix) -> tuple[Matrix, Vector]:
    """Points (m, p) of a normal law on the positive orthant, and logs of their weights (m,)."""
    root = np.linalg.cholesky(covariance)
    z, log = np.zeros_like(uniform), np.zeros(uniform.shape[0])
    for i in range(mean.size):
        centre = mean[i] + z[:, :i] @ root[i, :i]
        inside = special.log_ndtr(centre / root[i, i])
        z[:, i] = -special.ndtri_exp(inside + np.log(uniform[:, i]))
        log += inside
    return mean + z @ root.T, log
