"""Point optimizers, this package's own and those of others, behind one call.

Every one minimises the same objective and is handed the same problem: that of the standardised
columns, where the prior acts on those. None of them scores itself; see `bayesreg.certify`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._threads import blas_threads
from bayesreg._validation import (
    as_count,
    as_flag,
    as_generator,
    as_positive,
    as_real,
    as_vector,
    read_only,
)
from bayesreg.errors import InputError, NotConverged, unknown_name
from bayesreg.optimizers._protocol import Optimizer, PointEstimate, Settings, Solution
from bayesreg.optimizers._reasons import needs_fit
from bayesreg.optimizers._registry import BY_NAME, OPTIMIZERS
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

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
    start: ArrayLike | None = None,
    step_size: float | None = None,
    keep_iterates: bool = False,
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
    start : array_like, shape (p,), optional
        Coefficients to begin at, on the user's own scale; "ista" only.
    step_size : float, optional
        Length of every step, as lectures work it out, in squared units of the coefficients (of
        standardised columns where the prior acts on those) per nat; "ista" only. Beyond twice one
        over the curvature the objective need not fall.
    keep_iterates : bool
        Whether to hand out the start and every iterate, for instance to certify each.

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

    ISTA with a start and a step of one's own, and how far from optimal each iterate may be, in
    nats:

    >>> run = optimize(problem, "ista", start=[0.0], step_size=0.1, keep_iterates=True)
    >>> [round(float(coef[0]), 3) for coef, _ in run.iterates[:4]]
    [0.0, 1.3, 0.78, 0.988]
    >>> from bayesreg import certify
    >>> [round(certify(problem, *each).gap, 3) for each in run.iterates[:4]]
    [6.036, 0.966, 0.155, 0.025]
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
    settings = _settings(max_iter, tol, seed, keep_iterates)
    settings = _begun(problem, optimizer, settings, start, step_size)
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


def _settings(max_iter: int | None, tol: float | None, seed: object, keep: object) -> Settings:
    most = None if max_iter is None else as_count(max_iter, "max_iter")
    tolerance = None if tol is None else as_real(tol, "tol")
    if tolerance is not None and tolerance < 0:
        msg = f"tol: must be at least 0, found {tolerance:g}"
        raise InputError(msg)
    return Settings(most, tolerance, as_generator(seed), keep=as_flag(keep, "keep_iterates"))


def _begun(
    problem: Problem, optimizer: Optimizer, settings: Settings, start: object, step_size: object
) -> Settings:
    """Add where to begin and how far to step, for the optimizers that can be told."""
    asked = {"start": start, "step_size": step_size}
    for argument, value in asked.items():
        if value is not None and not optimizer.stepped:
            able = ", ".join(repr(each.name) for each in OPTIMIZERS if each.stepped)
            msg = f"{argument}: {optimizer.name!r} chooses its own; leave it out, or use {able}"
            raise InputError(msg)
    return replace(
        settings,
        start=None
        if start is None
        else as_vector(start, "start", problem.p) * problem.design.column_scale,
        step_size=None if step_size is None else as_positive(step_size, "step_size"),
    )


def _estimate(problem: Problem, name: str, solution: Solution, seconds: float) -> PointEstimate:
    """Map a solution back to the user's scale, and see that it is finite."""
    coef, intercept = _on_user_scale(problem, solution.coef, solution.intercept)
    if not (np.isfinite(coef).all() and np.isfinite(intercept)):
        msg = f"{name} ended at numbers that are not finite; try another optimizer or rescale X"
        raise NotConverged(msg)
    trace, iterates = solution.trace, solution.iterates
    return PointEstimate(
        name=name,
        coef=coef,
        intercept=intercept,
        claims_convergence=solution.claims_convergence,
        seconds=seconds,
        iterations=solution.iterations,
        trace=None if trace is None else tuple(value + problem.constant for value in trace),
        iterates=None
        if iterates is None
        else tuple(_on_user_scale(problem, *iterate) for iterate in iterates),
        names=problem.names,
    )


def _on_user_scale(problem: Problem, coef: Vector, intercept: float) -> tuple[Vector, float]:
    """Undo `Problem.standardized`: it centres dense columns beside an intercept."""
    design = problem.design
    coef = read_only(coef / design.column_scale + 0.0)  # of a negative zero: zero
    if design.sparse or not (design.standardize and design.intercept):
        return coef, float(intercept)
    return coef, float(intercept - design.column_mean @ coef)
