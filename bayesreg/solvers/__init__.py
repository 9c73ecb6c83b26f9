"""Exact modes of problems whose scales are all known: one door, the solver chosen by the problem.

A solver does not certify itself: `bayesreg.certify` judges what comes out, from the problem alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg.solvers import active_set
from bayesreg.solvers.base import Solution

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

__all__ = ["Solution", "solve"]


def solve(problem: Problem, *, coef: Vector | None = None, intercept: float = 0.0) -> Solution:
    """Find the mode of a problem whose scales are all known.

    Parameters
    ----------
    problem : Problem
        Proper, with every scale known.
    coef : ndarray, shape (p,), optional
        A start, such as the mode at a neighbouring scale.
    intercept : float
        The intercept that goes with it.

    Returns
    -------
    Solution
        Coefficients to rounding error, on the user's scale.

    Raises
    ------
    NotConverged
        If rounding error is not reached.
    """
    return active_set.solve(problem, coef=coef, intercept=intercept)
