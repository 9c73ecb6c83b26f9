"""The constrained form of a penalty: the radius of its ball, and the multiplier, both directions.

Minimising ``loss + λ N(β)`` and minimising the loss where ``N(β) <= t`` have the same solution for
``t = N(β̂)`` and for λ the multiplier of the constraint: a penalised problem is the posterior under
a density ∝ ``exp(−λ N)``, a constrained one that under a uniform density on a ball of N.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import DegenerateMode, InputError
from bayesreg.priors import Flat, GroupLaplace, Laplace, LInfinity, Normal, UniformBall
from bayesreg.priors.base import fill
from bayesreg.problem import Problem
from bayesreg.solvers import Solution, solve

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.priors import Prior
    from bayesreg.priors.base import Scale

# A multiplier below this part of the terms that cancel in it is 0 to rounding.
_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class ConstrainedForm:
    """A penalised and a constrained problem with the same solution.

    Attributes
    ----------
    penalised, constrained : Problem
        The two; where the constraint is not active, the first has a flat prior.
    radius : float
        The radius t of the ball ``N(β/shape) <= t``. `shape` is 1 where all coefficients have the
        same prior scale, else the vector of scales; coefficients are those of standardised columns
        if the prior acts on them.
    multiplier : float
        The slope λ of the smallest loss as a function of t, with its sign turned: nats per unit of
        radius. 0 where the constraint is not active.
    scale : float
        Prior scale of the penalised problem, in multiples of `shape`: ``1/λ``, and for the ridge,
        whose penalty is a square, the sd ``√(t/λ)``. inf where the constraint is not active.
    active : bool
        Whether the solution lies on the border of the ball because of the constraint.
    coef : ndarray, shape (p,)
        The solution, on the user's own scale.
    intercept : float
        Its intercept.
    """

    penalised: Problem = field(repr=False)
    constrained: Problem = field(repr=False)
    radius: float
    multiplier: float
    scale: float
    active: bool
    coef: Vector
    intercept: float

    def __str__(self) -> str:
        """State both forms on one line each."""
        state = "active" if self.active else "not active: the optimum without it is inside"
        return (
            f"radius {self.radius:.6g}, multiplier {self.multiplier:.6g} nats per unit ({state})\n"
            f"  {self.penalised.formula()}\n  {self.constrained.formula()}"
        )


def constrained_form(problem: Problem) -> ConstrainedForm:
    """Return the constrained problem whose solution is the mode of a penalised one.

    Parameters
    ----------
    problem : Problem
        With a `Laplace`, `Normal`, `GroupLaplace` or `LInfinity` prior of all coefficients, around
        0, every scale known.

    Returns
    -------
    ConstrainedForm
        With the radius ``t = N(β̂)``. For the ridge N is the Euclidean norm, and the multiplier of
        its radius is ``λ = t/τ²``, the slope of ``t²/(2τ²)``.

    Raises
    ------
    InputError
        If the prior has no ball, or a scale is unknown.
    DegenerateMode
        If all coefficients are 0 at the mode: the ball would be a point.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> lasso = Problem([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5], likelihood=Gaussian(1.0),
    ...                 prior=Laplace(1.0), intercept=False)
    >>> form = constrained_form(lasso)
    >>> form.radius, form.multiplier
    (2.0, 1.0)
    """
    numbers = _scales(problem)
    problem.require_proper()
    solution = solve(problem)
    one = bool(numbers.size) and bool((numbers == numbers[0]).all())
    unit, shape = (float(numbers[0]), 1.0) if one else (1.0, numbers)
    ball = _ball(problem.prior, 1.0, shape)
    radius = _norm(problem, ball, solution)
    if radius == 0:
        msg = (
            "problem: all coefficients are 0 at the mode, so the ball is a point and has no "
            "density; use a larger prior scale"
        )
        raise DegenerateMode(msg)
    return ConstrainedForm(
        penalised=problem,
        constrained=problem.with_prior(_ball(problem.prior, radius, shape)),
        radius=radius,
        multiplier=radius / unit**2 if isinstance(problem.prior, Normal) else 1.0 / unit,
        scale=unit,
        active=True,
        coef=solution.coef,
        intercept=solution.intercept,
    )


def penalised_form(problem: Problem) -> ConstrainedForm:
    """Return the penalised problem whose mode is the solution of a constrained one.

    Parameters
    ----------
    problem : Problem
        With a `UniformBall` prior of all coefficients.

    Returns
    -------
    ConstrainedForm
        With the multiplier ``λ = −gradient·β̂ / t``, which is the dual norm of the gradient there:
        exact, as the constrained problem is solved itself instead of searching over λ. 0 and a
        flat prior where the constraint is not active.

    Raises
    ------
    InputError
        If the prior is another one.

    Examples
    --------
    >>> from bayesreg import Gaussian, Problem, UniformBall
    >>> data = dict(X=[[1.0, 0.0], [0.0, 1.0]], y=[3.0, 0.5], likelihood=Gaussian(1.0))
    >>> form = penalised_form(Problem(**data, prior=UniformBall(2.0, "l1"), intercept=False))
    >>> form.multiplier, form.penalised.prior.scale
    (1.0, 1.0)
    >>> penalised_form(Problem(**data, prior=UniformBall(9.0, "l1"), intercept=False)).active
    False
    """
    prior = _checked(problem).prior
    if not isinstance(prior, UniformBall):
        msg = f"problem: must have a UniformBall prior, found {prior.name}; use constrained_form"
        raise InputError(msg)
    problem.require_proper()
    solution = solve(problem)
    design = problem.design
    eta = problem.predictor(solution.coef, solution.intercept)
    rows = problem.likelihood.gradient(eta, design.y, design.row_weights)
    terms = -design.centred.correlate(rows) * solution.coef
    size = np.abs(design.centred.dot(solution.coef)) @ np.abs(rows)
    on_border = _norm(problem, prior, solution) >= prior.radius * (1 - 1e-12)
    multiplier = float(terms.sum()) / prior.radius
    active = on_border and multiplier * prior.radius > _ROUNDING * float(size)
    multiplier = multiplier if active else 0.0
    scale = _scale_of(prior, multiplier)
    return ConstrainedForm(
        penalised=problem.with_prior(_penalised_prior(prior, problem.p, scale)),
        constrained=problem,
        radius=prior.radius,
        multiplier=multiplier,
        scale=scale,
        active=active,
        coef=solution.coef,
        intercept=solution.intercept,
    )


def _checked(problem: object) -> Problem:
    if isinstance(problem, Problem):
        return problem
    msg = f"problem: must be a bayesreg Problem, found {type(problem).__name__}; see read_model"
    raise InputError(msg)


def _scales(problem: Problem) -> Vector:
    """Return the prior scale of each coefficient, shape (p,), where there is a ball to speak of."""
    prior = _checked(problem).prior
    if problem.unknown:
        msg = f"problem: {problem.unknown[0]} is unknown; use problem.given(...)"
        raise InputError(msg)
    if isinstance(prior, GroupLaplace | LInfinity):
        return fill(prior.scale, problem.p)
    if not isinstance(prior, Laplace | Normal):
        msg = (
            f"prior: {prior.name} has no constrained form here; use one Laplace, Normal, "
            "GroupLaplace or LInfinity prior on all columns"
        )
        raise InputError(msg)
    centred = not isinstance(prior, Normal) or bool(np.all(np.asarray(prior.loc) == 0))
    numbers = prior.numbers(problem.p)
    if prior.nonnegative or not centred or not np.isfinite(numbers).all():
        msg = "prior: must be symmetric around 0, without flat columns, to have a ball"
        raise InputError(msg)
    return numbers


def _ball(prior: Prior, radius: float, shape: Scale) -> UniformBall:
    """Return the ball of a prior's norm."""
    if isinstance(prior, GroupLaplace) and prior.groups:
        return UniformBall(radius, "group", scale=shape, groups=prior.groups)
    if isinstance(prior, LInfinity):
        return UniformBall(radius, "linf", scale=shape)
    return UniformBall(radius, "l2" if isinstance(prior, Normal) else "l1", scale=shape)


def _norm(problem: Problem, ball: UniformBall, solution: Solution) -> float:
    """Return the norm of the coefficients that the prior acts on, in multiples of its shape."""
    coef = solution.coef * problem.design.column_scale
    return ball.exponential(problem.p).penalty(problem.p).value(coef)


def _scale_of(ball: UniformBall, multiplier: float) -> float:
    """Return the prior scale, in multiples of the ball's, that a multiplier stands for."""
    if multiplier == 0:
        return math.inf
    return math.sqrt(ball.radius / multiplier) if ball.norm == "l2" else 1.0 / multiplier


def _penalised_prior(ball: UniformBall, p: int, scale: float) -> Prior:
    """Return the prior whose penalty is the norm of a ball."""
    if math.isinf(scale):
        return Flat()
    each = ball.scale * scale
    if ball.norm == "l1":
        return Laplace(each)
    return Normal(each) if ball.norm == "l2" else ball.exponential(p, 1.0 / scale)
