"""The proximal gradient step that ISTA and FISTA share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.optimizers._iterate import State

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.optimizers._composite import Composite
    from bayesreg.penalties import Penalty

DOUBLINGS = 100  # of the Lipschitz constant in one step: more than double precision has use for


@dataclass(frozen=True, eq=False)
class ProximalState(State):
    """An iterate, its predictor, and the Lipschitz constant that the last step was safe with."""

    eta: Vector
    lipschitz: float


def ista_step(start: Vector, gradient: Vector, step_size: float, penalty: Penalty) -> Vector:
    """One step of iterative shrinkage and thresholding.

    Parameters
    ----------
    start : ndarray, shape (p,)
        Where to begin.
    gradient : ndarray, shape (p,)
        Gradient of the loss at `start`.
    step_size : float
        Length of the gradient step; below 2 / Lipschitz constant the objective falls.
    penalty : Penalty
        Its proximal operator (for a Laplace prior: the soft threshold) follows.

    Returns
    -------
    ndarray, shape (p,)
        ``prox(start − step_size · gradient)``.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesreg import Laplace
    >>> ista_step(np.array([0.5, 0.5]), np.array([-5.5, -8.5]), 0.1, Laplace(1.0).penalty(2))
    array([0.95, 1.25])
    """
    return penalty.prox(start - step_size * gradient, step_size)


def proximal_start(form: Composite, coef: Vector | None = None) -> ProximalState:
    """Begin with the bound if there is one, else the curvature there; at the empty model if None.

    The intercept begins where the empty model has it, whatever the coefficients.
    """
    point = form.start()
    if coef is not None:
        point[point.size - coef.size :] = coef * form.scale
    eta = form.predictor(point)
    bound = form.bound()
    lipschitz = form.lipschitz(form.row_curvature(eta)) if bound is None else bound
    # A matrix of zeros has no curvature; any step size will do.
    return ProximalState(point, form.value(point, eta), np.inf, eta, lipschitz or 1.0)


def proximal_step(
    form: Composite, start: Vector, eta: Vector, lipschitz: float, *, fixed: bool = False
) -> ProximalState:
    """Step from `start` with the given constant, doubled until it is safe unless it is `fixed`.

    A step ``d`` is safe if the loss at its end is below its quadratic upper model. For a convex
    loss ``⟨f'(u + d) − f'(u), d⟩ ≤ L‖d‖²/2`` is enough, and unlike a difference of values it does
    not drown in rounding near the optimum.
    """
    rows = form.row_gradient(eta)
    gradient = form.matrix.T @ rows
    fixed = fixed or form.likelihood.smoothness is not None  # a bound is safe from the start
    for _ in range(DOUBLINGS):
        point = ista_step(start, gradient, 1.0 / lipschitz, form.penalty)
        move = point - start
        reached = form.predictor(point)
        if fixed or (form.row_gradient(reached) - rows) @ (reached - eta) <= (
            0.5 * lipschitz * (move @ move)
        ):
            break
        lipschitz *= 2.0
    change = float(np.abs(move).max(initial=0.0)) / form.unit
    return ProximalState(point, form.value(point, reached), change, reached, lipschitz)
