"""A descent with a fixed step from a given start, iterate by iterate, as lectures work it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.optimizers import optimize

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem


@dataclass(frozen=True, eq=False)
class Descent:
    """A descent with a fixed step, iterate by iterate.

    Attributes
    ----------
    problem : Problem
        What is minimised.
    step_size : float
        The step, of which ``1/step_size`` is in nats per squared unit of the coefficients.
    points : ndarray, shape (k + 1, p)
        The start and every iterate.
    values : ndarray, shape (k + 1,)
        Loss plus penalty at each, in nats.
    pulls : ndarray, shape (k, p)
        How the loss pulls in each step: minus its gradient, in nats per unit.
    pushes : ndarray, shape (k, p)
        How the penalty pushes in each step: what the step moved beyond the pull, per step size.
    stands : bool
        Whether the last step moved nothing.
    """

    problem: Problem
    step_size: float
    points: Matrix
    values: Vector
    pulls: Matrix
    pushes: Matrix
    stands: bool


def proximal_descent(
    problem: Problem, *, start: Vector, step_size: float, most: int = 10_000
) -> Descent:
    """Run the package's ISTA from a given start with a given step: a gradient step, then the prox.

    Parameters
    ----------
    problem : Problem
        Without intercept.
    start : ndarray, shape (p,)
        Where to begin.
    step_size : float
        In squared units of the coefficients per nat.
    most : int
        Most steps; it ends earlier when one moves nothing.

    Returns
    -------
    Descent
        Every iterate, with what moved it.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> lasso = Problem([[1.0]], [3.0], likelihood=Gaussian(1.0), prior=Laplace(1.0),
    ...                 intercept=False)
    >>> run = proximal_descent(lasso, start=np.array([0.0]), step_size=0.5)
    >>> run.points[:4].ravel().tolist()  # halves the way to 3 − 1 in each step
    [0.0, 1.0, 1.5, 1.75]
    """
    run = optimize(
        problem,
        "ista",
        start=start,
        step_size=step_size,
        max_iter=most,
        tol=0.0,
        keep_iterates=True,
    )
    return _descent(problem, step_size, [coef for coef, _ in run.iterates or ()])


def subgradient_descent(
    problem: Problem, *, start: Vector, step_size: float, most: int = 10_000
) -> Descent:
    """Descend as if there were no kink: the sign of a weight is taken for the penalty's slope.

    The package's own subgradient method lets its step die out, without which it does not converge;
    the documents' does not.

    Parameters
    ----------
    problem, start, step_size, most
        As in `proximal_descent`.

    Returns
    -------
    Descent
        Every iterate, with what moved it.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> lasso = Problem([[1.0]], [0.5], likelihood=Gaussian(1.0), prior=Laplace(1.0),
    ...                 intercept=False)
    >>> run = subgradient_descent(lasso, start=np.array([0.25]), step_size=0.5, most=4)
    >>> run.points.ravel().tolist()  # over 0, and back
    [0.25, -0.125, 0.6875, 0.09375, -0.203125]
    """
    points = [start]
    while len(points) <= most:
        here = points[-1]
        slope = problem.gradient(here)[0] + problem.elastic_net.slope(here)
        points.append(here - step_size * slope)
        if np.array_equal(points[-1], here):
            break
    return _descent(problem, step_size, points)


def _descent(problem: Problem, step_size: float, points: list[Vector]) -> Descent:
    kept = np.array(points)
    pulls = np.array([-problem.gradient(point)[0] for point in kept[:-1]])
    return Descent(
        problem=problem,
        step_size=step_size,
        points=kept,
        values=np.array([problem.penalised(point) for point in kept]),
        pulls=pulls,
        pushes=np.diff(kept, axis=0) / step_size - pulls,
        stands=bool(np.array_equal(kept[-1], kept[-2])),
    )
