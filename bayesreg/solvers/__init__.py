"""Exact modes of problems whose scales are all known: one door, the solver chosen by the problem.

A solver does not certify itself: `bayesreg.certify` judges what comes out, from the problem alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesreg._overflow import judged_afterwards
from bayesreg._threads import blas_threads
from bayesreg.errors import InputError, unknown_name
from bayesreg.likelihoods import ConvexLikelihood
from bayesreg.penalties import ElasticNetPenalty, SeparablePenalty
from bayesreg.solvers import active_set, homotopy, manifold, stationary, working_set
from bayesreg.solvers.base import Solution

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

__all__ = ["METHODS", "SOLVERS", "Solution", "Solver", "solve", "solve_path", "suited"]


@dataclass(frozen=True)
class Solver:
    """One way to an exact mode.

    Attributes
    ----------
    name : str
        What the caller types.
    summary : str
        One line.
    obstacle : callable
        Maps a problem to the reason why this solver cannot take it, or None.
    solve : callable
        Maps a problem, a start and its intercept to a solution.
    """

    name: str
    summary: str
    obstacle: Callable[[Problem], str | None]
    solve: Callable[[Problem, Vector | None, float], Solution]


def _needs_log_concavity(problem: Problem) -> str | None:
    if isinstance(problem.likelihood, ConvexLikelihood):
        return None
    return f"it takes log-concave likelihoods, {problem.likelihood.name} is not"


def _needs_elastic_net(problem: Problem) -> str | None:
    if (reason := _needs_log_concavity(problem)) is not None:
        return reason
    if isinstance(problem.penalty, ElasticNetPenalty):
        return None
    return f"it takes absolute values and squares, the prior is {problem.prior.name}"


def _needs_moderate_elastic_net(problem: Problem) -> str | None:
    return _needs_density(problem) or _needs_elastic_net(problem)


def _needs_density(problem: Problem) -> str | None:
    design = problem.design
    return design.why_not_dense if design.sparse else None


def _needs_independence(problem: Problem) -> str | None:
    if isinstance(problem.penalty, SeparablePenalty):
        return None
    return f"it takes independent priors, {problem.prior.name} is not"


def _needs_convexity(problem: Problem) -> str | None:
    return None if problem.penalty.convex else "it takes convex penalties"


SOLVERS: tuple[Solver, ...] = (
    Solver(
        "active_set",
        "active set on an orthogonal factor: the most digits, for problems of moderate size",
        _needs_moderate_elastic_net,
        lambda problem, coef, shift: active_set.solve(problem, coef=coef, intercept=shift),
    ),
    Solver(
        "working_set",
        "active set on inner products of the columns that matter: for large and sparse problems",
        _needs_elastic_net,
        lambda problem, _coef, _shift: working_set.solve(problem),
    ),
    Solver(
        "homotopy",
        "along the exact piecewise linear path of the Gaussian lasso",
        lambda problem: _needs_density(problem) or homotopy.obstacle(problem),
        lambda problem, _coef, _shift: homotopy.solve(problem),
    ),
    Solver(
        "stationary",
        "proximal Newton from several starts: independent priors, convex or not",
        _needs_independence,
        lambda problem, coef, shift: stationary.solve(problem, coef=coef, intercept=shift),
    ),
    Solver(
        "manifold",
        "Newton on the manifold of ties and zeros: norms, balls, differences",
        _needs_convexity,
        lambda problem, coef, shift: manifold.solve(problem, coef=coef, intercept=shift),
    ),
)
_BY_NAME = {solver.name: solver for solver in SOLVERS}
METHODS = ("auto", *_BY_NAME)


def solve(
    problem: Problem,
    *,
    coef: Vector | None = None,
    intercept: float = 0.0,
    method: str = "auto",
) -> Solution:
    """Find the mode of a problem whose scales are all known.

    Parameters
    ----------
    problem : Problem
        Proper, with every scale known.
    coef : ndarray, shape (p,), optional
        A start, such as the mode at a neighbouring scale.
    intercept : float
        The intercept that goes with it.
    method : str
        One of `METHODS`; "auto" takes what suits the penalty and the size.

    Returns
    -------
    Solution
        Coefficients to rounding error, on the user's scale.

    Raises
    ------
    InputError
        If there is no such method, or it does not take this problem.
    NotConverged
        If rounding error is not reached.
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    solver = _BY_NAME[suited(problem)[0] if method == "auto" else method]
    obstacle = solver.obstacle(problem)
    if obstacle is not None:
        msg = f'method: {method!r} does not take this problem: {obstacle}; use method="auto"'
        raise InputError(msg)
    with blas_threads(problem.design.entries), judged_afterwards():
        return solver.solve(problem, coef, intercept)


def suited(problem: Problem) -> tuple[str, ...]:
    """Return the methods that suit a problem, the best first; InputError if there is none."""
    concave = isinstance(problem.likelihood, ConvexLikelihood)
    if isinstance(problem.penalty, ElasticNetPenalty) and concave:
        if not working_set.is_large(problem):
            return ("active_set", "working_set")
        if working_set.is_bearable(problem) and _needs_moderate_elastic_net(problem) is None:
            return ("working_set", "active_set")
        return ("working_set",)
    if isinstance(problem.penalty, SeparablePenalty):
        return ("stationary",)
    if not problem.penalty.convex:
        msg = (
            "prior: no solver takes this mixture; a prior that is not convex cannot stand beside "
            "one that ties coefficients together"
        )
        raise InputError(msg)
    return ("manifold",)


def solve_path(problems: Sequence[Problem]) -> list[Solution]:
    """Find the modes of problems that share everything but the prior, each from its neighbour's.

    Parameters
    ----------
    problems : sequence of Problem
        Proper, with every scale known; fastest in the order of falling penalties.

    Returns
    -------
    list of Solution
        In the order of the problems.

    Raises
    ------
    NotConverged
        If rounding error is not reached.
    """
    elastic = all(_needs_elastic_net(problem) is None for problem in problems)
    if problems and elastic and working_set.is_large(problems[0], together=len(problems)):
        with blas_threads(problems[0].design.entries), judged_afterwards():
            return working_set.solve_path(problems)
    solutions: list[Solution] = []
    for problem in problems:
        if solutions:
            last = solutions[-1]
            solutions.append(solve(problem, coef=last.coef, intercept=last.intercept))
        else:
            solutions.append(solve(problem))
    return solutions
