"""A descent with a fixed step from a given start, iterate by iterate, as lectures work it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.optimizers._iterate import State, iterate
from bayesreg.optimizers._protocol import Limits
from bayesreg.optimizers.ista import ista_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

    type Rule = Callable[[Problem, Vector, float], Vector]


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


def proximal_rule(problem: Problem, point: Vector, step_size: float) -> Vector:
    """ISTA: a gradient step on the loss, then the prox of the penalty (the soft threshold)."""
    return ista_step(point, problem.gradient(point)[0], step_size, problem.penalty)


def subgradient_rule(problem: Problem, point: Vector, step_size: float) -> Vector:
    """Gradient descent as if there were no kink: the sign of the weight is its slope."""
    return point - step_size * (problem.gradient(point)[0] + problem.elastic_net.slope(point))


def descend(
    problem: Problem, rule: Rule, *, start: Vector, step_size: float, most: int = 10_000
) -> Descent:
    """Take steps of a fixed size in the loop that the package's optimizers run in, and keep all.

    `bayesreg.optimize` chooses start and step itself (0, and one over the curvature of scaled
    columns) and keeps objectives; here both are given, and every iterate stays.

    Parameters
    ----------
    problem : Problem
        Without intercept.
    rule : callable
        `proximal_rule` or `subgradient_rule`.
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
    >>> run = descend(lasso, proximal_rule, start=np.array([0.0]), step_size=0.5)
    >>> run.points[:4].ravel().tolist()  # halves the way to 3 − 1 in each step
    [0.0, 1.0, 1.5, 1.75]
    """
    points = [start]

    def step(state: State) -> State:
        point = rule(problem, state.point, step_size)
        points.append(point)
        return State(point, problem.penalised(point), float(np.abs(point - state.point).max()))

    run = iterate(State(start, problem.penalised(start), np.inf), step, Limits(most, 0.0))
    kept = np.array(points)
    pulls = np.array([-problem.gradient(point)[0] for point in kept[:-1]])
    return Descent(
        problem=problem,
        step_size=step_size,
        points=kept,
        values=np.array(run.trace),
        pulls=pulls,
        pushes=np.diff(kept, axis=0) / step_size - pulls,
        stands=run.converged,
    )
