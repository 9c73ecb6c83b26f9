"""Exact modes of large elastic-net problems, alone or along a path; see `gaussian` and `glm`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.errors import NotConverged
from bayesreg.likelihoods import Gaussian
from bayesreg.solvers import active_set

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    likelihood = problems[0].likelihood
    name = "gaussian" if isinstance(likelihood, Gaussian) else "glm"
    module: Any = import_module(f"bayesreg.solvers.{name}")  # compiled: loaded where it is needed
    solutions: list[Solution] = []
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            solutions.extend(module.modes(problems))
    except NotConverged:
        design = problems[0].design
        if design.n * design.p > _BEARABLE:
            raise
        for problem in problems[len(solutions) :]:
            coef, intercept = None, 0.0
            if solutions:
                coef, intercept = solutions[-1].coef, solutions[-1].intercept
            solutions.append(active_set.solve(problem, coef=coef, intercept=intercept))
    return solutions
