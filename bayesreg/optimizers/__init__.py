"""Point optimizers, this package's own and those of others, behind one call.

Every one minimises the same objective and is handed the same problem: that of the standardised
columns, where the prior acts on those. None of them scores itself; see `bayesreg.certify`.
"""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._threads import blas_threads
from bayesreg._validation import as_count, as_generator, as_real, read_only
from bayesreg.errors import InputError, NotConverged, unknown_name
from bayesreg.optimizers._protocol import Optimizer, PointEstimate, Settings, Solution
from bayesreg.optimizers._reasons import needs_fit
from bayesreg.optimizers._registry import BY_NAME, OPTIMIZERS
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from bayesreg._validation import Vector

__all__ = [
    "BY_NAME",
    "OPTIMIZERS",
    "Optimizer",
    "PointEstimate",
    "Settings",
    "Solution",
    "list_optimizers",
    "optimize",
    "reason_against",
]


def list_optimizers(problem: Problem | None = None) -> tuple[str, ...]:
    """List the names of the point optimizers.

    Parameters
    ----------
    problem : Problem, optional
        Only those that solve this problem exactly as stated, with the packages installed here.

    Returns
    -------
    tuple of str
        Names for `optimize`: all that there are if there is no problem.

    Raises
    ------
    InputError
        If something in the problem is unknown.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0], [2.0], [4.0]], [1.0, 3.0, 4.0],
    ...                   likelihood=Gaussian(1.0), prior=Normal(2.0))
    >>> "closed_form" in list_optimizers(problem), "sklearn_lasso" in list_optimizers(problem)
    (True, False)
    """
    if problem is None:
        return tuple(BY_NAME)
    _check_conditional(problem)
    return tuple(name for name in BY_NAME if reason_against(problem, name) is None)


def reason_against(problem: Problem, name: str) -> str | None:
    """Say why an optimizer does not fit a problem.

    Parameters
    ----------
    problem : Problem
        A problem in which nothing is unknown.
    name : str
        Name of an optimizer.

    Returns
    -------
    str or None
        The reason, a package that is missing among them; None where it fits.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0], [4.0]], [1.0, 3.0, 4.0],
    ...                   likelihood=Gaussian(1.0), prior=Laplace(2.0))
    >>> print(reason_against(problem, "closed_form"))
    it has no |coef| penalty, but the prior of 'x0' has a Laplace factor
    """
    optimizer = _look_up(name)
    missing = [package for package in optimizer.requires if find_spec(package) is None]
    if missing:
        return f"it needs the package {missing[0]}, which is not installed"
    return needs_fit(problem, optimizer) or optimizer.reason_against(problem)


def optimize(
    problem: Problem,
    name: str,
    *,
    max_iter: int | None = None,
    tol: float | None = None,
    seed: int | np.random.Generator | None = None,
) -> PointEstimate:
    """Run one point optimizer.

    Parameters
    ----------
    problem : Problem
        A problem in which nothing is unknown.
    name : str
        One of `list_optimizers`.
    max_iter : int, optional
        Most iterations; by default what the optimizer, or the other package, does by default.
    tol : float, optional
        Tolerance in the optimizer's own terms; its default if None.
    seed : int or numpy.random.Generator, optional
        For the optimizers that are random.

    Returns
    -------
    PointEstimate
        Coefficients on the user's own scale, and what the optimizer said of them.

    Raises
    ------
    InputError
        If the name is unknown, something in the problem is unknown, or the two do not fit.
    ImproperPosterior
        If there is no finite mode to look for.
    DegenerateMode
        If the prior's density is infinite at 0.
    NotConverged
        If the answer is not finite.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0], likelihood=Gaussian(1.0),
    ...                   prior=Laplace(1.0), intercept=False)
    >>> estimate = optimize(problem, "fista")
    >>> estimate.coef.round(6), estimate.claims_convergence  # 1 − 1/14
    (array([0.928571]), True)
    """
    optimizer = _look_up(name)
    _check_conditional(problem)
    _ = problem.penalty  # a prior that is none says so itself, whatever the optimizer
    reason = reason_against(problem, name)
    if reason is not None:
        fitting = ", ".join(list_optimizers(problem))
        msg = f"name: {name!r} does not fit this problem: {reason}. Those that do: {fitting}"
        raise InputError(msg)
    problem.require_proper()
    settings = _settings(max_iter, tol, seed)
    working, _ = problem.standardized()
    optimizer.prepare(working)
    with blas_threads(problem.design.entries):
        begin = time.perf_counter()
        solution = optimizer.solve(working, settings)
        seconds = time.perf_counter() - begin
    return _estimate(problem, name, solution, seconds)


def _look_up(name: object) -> Optimizer:
    if not isinstance(name, str) or name not in BY_NAME:
        raise unknown_name("name", name, tuple(BY_NAME))
    return BY_NAME[name]


def _check_conditional(problem: object) -> None:
    if not isinstance(problem, Problem):
        msg = f"problem: must be a Problem, found {type(problem).__name__}; see bayesreg.Problem"
        raise InputError(msg)
    if problem.unknown:
        values = ", ".join(f"{name}=..." for name in problem.unknown)
        msg = (
            f"problem: {' and '.join(problem.unknown)} unknown, and a point optimizer needs "
            f"numbers; use problem.given({values})"
        )
        raise InputError(msg)


def _settings(max_iter: int | None, tol: float | None, seed: object) -> Settings:
    most = None if max_iter is None else as_count(max_iter, "max_iter")
    tolerance = None if tol is None else as_real(tol, "tol")
    if tolerance is not None and tolerance < 0:
        msg = f"tol: must be at least 0, found {tolerance:g}"
        raise InputError(msg)
    return Settings(most, tolerance, as_generator(seed))


def _estimate(problem: Problem, name: str, solution: Solution, seconds: float) -> PointEstimate:
    """Map a solution back to the user's scale, and see that it is finite."""
    coef, intercept = _on_user_scale(problem, solution)
    if not (np.isfinite(coef).all() and np.isfinite(intercept)):
        msg = f"{name} ended at numbers that are not finite; try another optimizer or rescale X"
        raise NotConverged(msg)
    trace = solution.trace
    return PointEstimate(
        name=name,
        coef=read_only(coef),
        intercept=intercept,
        claims_convergence=solution.claims_convergence,
        seconds=seconds,
        iterations=solution.iterations,
        trace=None if trace is None else tuple(value + problem.constant for value in trace),
    )


def _on_user_scale(problem: Problem, solution: Solution) -> tuple[Vector, float]:
    """Undo `Problem.standardized`: it centres dense columns beside an intercept."""
    design = problem.design
    coef = solution.coef / design.column_scale
    if design.sparse or not (design.standardize and design.intercept):
        return coef, float(solution.intercept)
    return coef, float(solution.intercept - design.column_mean @ coef)
