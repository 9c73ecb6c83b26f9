"""By which system coefficients are drawn where every draw has its own precisions of the rows.

Does not load Numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg.posterior.gibbs.plan import Plan

if TYPE_CHECKING:
    from bayesreg.problem import Problem

# Coefficients up to which a p × p array is formed although p > n, where flat columns ask for it.
_MOST_SQUARE = 3000


def is_wide(plan: Plan, n: int) -> bool:
    """Tell whether an n × n system draws the coefficients: it takes proper variances only."""
    return plan.p > n and plan.mixed == plan.p


def reason_against(problem: Problem) -> str | None:
    """Say why neither system would do; None if one does.

    Examples
    --------
    >>> from bayesreg import Laplace, Problem, StudentTNoise
    >>> reason_against(Problem([[1.0], [2.0]], [0.0, 1.0], likelihood=StudentTNoise(nu=4.0),
    ...                        prior=Laplace(scale=1.0)))
    """
    plan = Plan.of(problem)
    if plan.p > max(problem.n, _MOST_SQUARE) and not is_wide(plan, problem.n):
        return (
            f"prior: is flat or has a spike on some of {plan.p} columns; with more columns than "
            f"rows that is drawn up to {_MOST_SQUARE} columns"
        )
    return None
