"""Starts for noise with long tails, where far rows may or may not be outliers.

The loss has a minimum for each consistent story of which rows are outliers. Two ways lead to such
stories. From all rows at once: noise so wide that the loss is nearly convex, narrowed step by step
(graduated non-convexity, Blake & Zisserman 1987). And from few rows: a fit through as many rows as
there are columns, improved by steps that count far rows less (Rousseeuw & Van Driessen 2006); the
best of many such fits. What is random among them is the same every time.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.likelihoods import StudentTNoise
from bayesreg.solvers.scaled import largest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.penalties import SeparablePenalty
    from bayesreg.solvers.scaled import Scaled

# Fits through few rows: how many, of how many columns at most, how many are gone on with, and how
# many steps they are improved by before and after that is decided.
_FITS, _MOST_COLUMNS, _KEPT, _EARLY, _LATE = 120, 12, 5, 2, 10
# Largest problems in which that is tried: rows times columns squared times fits.
_MOST_WORK = 2e9
_NARROWING, _MOST_NARROWINGS, _RIDGE = 0.5, 30, 1e-8
_TINY = float(np.finfo(np.float64).tiny)
# Starts whose predictions differ by less than this, in units of sigma, lead to the same end.
_NEAR = 0.1


def robust_starts[Q: SeparablePenalty](work: Scaled[Q]) -> Matrix:
    """Return starts for noise with long tails, in working coordinates; shape (m, q).

    Parameters
    ----------
    work : Scaled
        The problem, with Student-t noise.
    """
    likelihood, (n, count) = work.problem.likelihood, work.Z.shape
    if not isinstance(likelihood, StudentTNoise) or not 0 < count < n:
        return np.empty((0, count))
    found = np.vstack([_narrowed(work, likelihood), _through_few_rows(work, likelihood)])
    return _distinct(work, likelihood, found)


def _narrowed[Q: SeparablePenalty](work: Scaled[Q], likelihood: StudentTNoise) -> Matrix:
    """Follow the fit while sigma falls from the size of the residuals to its own value."""
    theta = np.zeros((1, work.Z.shape[1]))
    sigma = likelihood.variance**0.5
    theta = _reweighted(work, likelihood.given(1e6 * max(sigma, float(np.ptp(work.y)))), theta)
    spread = float(np.sqrt(np.mean((work.y - work.predictor(theta[0])) ** 2)))
    for _ in range(_MOST_NARROWINGS):
        for _ in range(_EARLY):
            theta = _reweighted(work, likelihood.given(max(sigma, spread)), theta)
        if spread <= sigma:
            break
        spread *= _NARROWING
    return theta


def _through_few_rows[Q: SeparablePenalty](work: Scaled[Q], likelihood: StudentTNoise) -> Matrix:
    """Return the best of fits through as many rows as there are columns, improved."""
    n, count = work.Z.shape
    if count > _MOST_COLUMNS or _FITS * n * count**2 > _MOST_WORK:
        return np.empty((0, count))
    rows, target = _few_rows(n, count), work.y - work.offset
    fits = np.linalg.pinv(work.Z[rows], rcond=1e-8) @ target[rows][..., None]
    thetas = fits[..., 0]
    for _ in range(_EARLY):
        thetas = _reweighted(work, likelihood, thetas)
    order = np.argsort([work.objective(theta) for theta in thetas], kind="stable")
    thetas = thetas[order[:_KEPT]]
    for _ in range(_LATE):
        thetas = _reweighted(work, likelihood, thetas)
    return thetas


def _few_rows(n: int, count: int) -> NDArray[np.intp]:
    if comb(n, count) <= _FITS:
        return np.array(list(combinations(range(n), count)))
    rng = np.random.default_rng(0)
    return np.argsort(rng.random((_FITS, n)), axis=1)[:, :count]


def _reweighted[Q: SeparablePenalty](
    work: Scaled[Q], likelihood: StudentTNoise, thetas: Matrix
) -> Matrix:
    """Fit by least squares once, rows weighted by the metric at each θ (an EM step, no penalty).

    Parameters
    ----------
    work : Scaled
        The problem.
    likelihood : StudentTNoise
        With the sigma of this step.
    thetas : ndarray, shape (m, q)
        Where to step from.
    """
    eta = thetas @ work.Z.T + work.offset
    weights = likelihood.metric(eta, work.y, work.problem.design.row_weights)
    rows = weights[..., None] * work.Z
    hessian = work.Z.T @ rows
    # Squares of tiny columns may all be 0, and then anything will do for a start.
    ridge = (_RIDGE * np.trace(hessian, axis1=1, axis2=2) + _TINY)[:, None]
    hessian += ridge[..., None] * np.eye(thetas.shape[1])
    right = (work.y - work.offset) @ rows + ridge * thetas
    found = np.linalg.solve(hessian, right[..., None])[..., 0]
    return np.where(work.penalty.nonnegative, np.maximum(found, 0.0), found)


def _distinct[Q: SeparablePenalty](
    work: Scaled[Q], likelihood: StudentTNoise, thetas: Matrix
) -> Matrix:
    """Drop what predicts nearly the same as what came before."""
    kept: list[Vector] = []
    near = _NEAR * likelihood.variance**0.5
    for theta in thetas:
        if all(largest(work.Z @ (theta - other)) > near for other in kept):
            kept.append(theta)
    return np.array(kept)
