"""A convex quadratic plus weighted absolute values: the exact minimiser, by active sets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import cho_factor, cho_solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

__all__ = ["solve_quadratic"]

_EPS = float(np.finfo(np.float64).eps)
_MOST_ENTERING = 64


def solve_quadratic(
    hessian: Matrix,
    gradient: Vector,
    x: Vector,
    weights: Vector,
    kinked: NDArray[np.bool_],
) -> Vector:
    """Minimise ``g·(φ − x) + (φ − x)'H(φ − x)/2 + Σ w|φ|`` over φ, exactly.

    Parameters
    ----------
    hessian : ndarray, shape (k, k)
        Positive definite.
    gradient : ndarray, shape (k,)
        At x, that of |x| included off the kinks.
    x : ndarray, shape (k,)
        Where to start.
    weights : ndarray, shape (k,)
        Of the kinks.
    kinked : ndarray of bool, shape (k,)
        Which coordinates have one.

    Returns
    -------
    ndarray, shape (k,)
        Zeros are 0.0. If the active set does not settle, which rounding can bring about, the last
        point: the objective of the quadratic is no higher there than at x.

    Examples
    --------
    >>> one = np.ones(1)
    >>> solve_quadratic(np.eye(1), np.array([-3.0]), np.zeros(1), one, one > 0)
    array([2.])
    """
    phi, sign = x.copy(), np.where(kinked, np.sign(x), 0.0)
    smooth = gradient - weights * sign
    active = ~kinked | (x != 0)
    rounding = 8 * _EPS * (np.abs(gradient) + weights)
    most = _MOST_ENTERING
    for _ in range(20 * (x.size + 10)):
        most = (
            max(1, most // 4) if _settle(hessian, smooth, x, weights, phi, sign, active) else most
        )
        slope = smooth + hessian @ (phi - x)
        over = np.where(active, 0.0, np.abs(slope) - weights - rounding)
        entering = np.flatnonzero(over > 0)
        if entering.size == 0:
            break
        entering = entering[np.argsort(-over[entering], kind="stable")[:most]]
        sign[entering] = -np.sign(slope[entering])
        active[entering] = True
    return phi


def _settle(
    hessian: Matrix,
    smooth: Vector,
    x: Vector,
    weights: Vector,
    phi: Vector,
    sign: Vector,
    active: NDArray[np.bool_],
) -> bool:
    """Minimise over the active coordinates with their signs, dropping those that reach 0.

    Changes `phi`, `sign` and `active` in place. Returns whether a coordinate left that had just
    entered.
    """
    dropped_new = False
    while active.any():
        support = np.flatnonzero(active)
        slope = (smooth + hessian @ (phi - x) + weights * sign)[support]
        direction = -_solve(hessian[np.ix_(support, support)], slope)
        against = sign[support] * direction < 0
        limits = np.full(support.size, math.inf)
        limits[against] = np.abs(phi[support][against] / direction[against])
        first = int(np.argmin(limits))
        if limits[first] >= 1.0:
            phi[support] += direction
            return dropped_new
        leaving = support[first]
        dropped_new |= phi[leaving] == 0
        phi[support] += limits[first] * direction
        phi[leaving] = sign[leaving] = 0.0
        active[leaving] = False
    return dropped_new


def _solve(hessian: Matrix, target: Vector) -> Vector:
    """Solve by Cholesky, with as much added to the diagonal as rounding makes necessary."""
    diagonal = np.diag(np.diag(hessian))
    for shift in (0.0, 1e-14, 1e-12, 1e-10, 1e-8):
        try:
            found: Vector = cho_solve(cho_factor(hessian + shift * diagonal, lower=True), target)
        except np.linalg.LinAlgError:
            continue
        return found
    return target / np.diag(hessian)
