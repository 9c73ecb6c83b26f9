"""Exact modes of large elastic-net problems, alone or along a path; see `gaussian` and `glm`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.errors import NotConverged
from bayesreg.likelihoods import Gaussian
from bayesreg.solvers import active_set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bayesreg.problem import Problem
    from bayesreg.solvers.base import Solution

# Entries of X from which inner products, and a compiled kernel, pay: for one problem, or for many.
_LARGE, _LARGE_TOGETHER = 200_000, 20_000
# Entries up to which the orthogonal method may be asked where inner products are too coarse.
_BEARABLE = 20_000_000


def is_large(problem: Problem, *, together: int = 1) -> bool:
    """Tell whether working sets on inner products beat orthogonal factors from scratch."""
    design = problem.design
    return design.sparse or design.n * design.p > (_LARGE if together == 1 else _LARGE_TOGETHER)


def is_bearable(problem: Problem) -> bool:
    """Tell whether the orthogonal method may be asked where inner products are too coarse."""
    return problem.design.n * problem.design.p <= _BEARABLE


def solve(problem: Problem) -> Solution:
    """Find the mode of one problem; as `solve_path`, but without a second method."""
    return next(_modes([problem]))


def solve_path(problems: Sequence[Problem]) -> list[Solution]:
    """Find the modes of problems that share everything but an elastic-net prior.

    Parameters
    ----------
    problems : sequence of Problem
        Fastest in the order of falling penalties.

    Returns
    -------
    list of Solution
        In the order of the problems.

    Raises
    ------
    NotConverged
        If rounding error is not reached, by the orthogonal method either.
    """
    solutions: list[Solution] = []
    try:
        solutions.extend(_modes(problems))
    except NotConverged:
        if not is_bearable(problems[0]):
            raise
        for problem in problems[len(solutions) :]:
            coef, intercept = None, 0.0
            if solutions:
                coef, intercept = solutions[-1].coef, solutions[-1].intercept
            solutions.append(active_set.solve(problem, coef=coef, intercept=intercept))
    return solutions


def _modes(problems: Sequence[Problem]) -> Iterator[Solution]:
    """Yield the modes one by one."""
    name = "gaussian" if isinstance(problems[0].likelihood, Gaussian) else "glm"
    module: Any = import_module(f"bayesreg.solvers.{name}")  # compiled: loaded where it is needed
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        yield from module.modes(problems)
