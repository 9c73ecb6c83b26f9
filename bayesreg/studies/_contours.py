"""Level sets of two coefficients: ellipses of a Gaussian loss, and the curves of any prior."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from bayesreg.priors import IndependentPrior
from bayesreg.studies._densities import Quadratic

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem

#: Far outside of what figures show.
REACH = 20.0
_QUARTER, _HALVINGS = 90, 56


@dataclass(frozen=True, eq=False)
class Ellipses:
    """The level sets of a Gaussian loss: ellipses that share centre, axes and proportions.

    With ``H V = V diag(h)``, loss above its minimum by e is ``Σ hₖ zₖ²/2 = e`` in the coordinates
    ``z = V'(β − β̂)``: semi-axes ``√(2e/hₖ)``.

    Attributes
    ----------
    centre : ndarray, shape (2,)
        Least squares β̂.
    lowest : float
        Loss there, in nats.
    curvatures : ndarray, shape (2,)
        Eigenvalues of ``X'X/σ²``, increasing: the first axis is the longest.
    axes : ndarray, shape (2, 2)
        Eigenvectors, in columns.
    """

    centre: Vector
    lowest: float
    curvatures: Vector
    axes: Matrix

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Decompose the loss of a problem with two coefficients, without intercept."""
        loss = Quadratic.of(problem)
        curvatures, axes = np.linalg.eigh(0.5 * (loss.curvature + loss.curvature.T))
        centre = loss.least_squares
        return cls(centre, problem.loss(centre), curvatures, axes)

    @property
    def tilt(self) -> float:
        """Angle of the longest axis with that of β₁, in degrees between −90 and 90."""
        x, y = self.axes[:, 0]
        return math.degrees(math.atan(y / x)) if x else 90.0

    def radii(self, loss: float) -> Vector:
        """Return both semi-axes of the level set of a loss in nats, shape (2,)."""
        return np.asarray(np.sqrt(2.0 * max(loss - self.lowest, 0.0) / self.curvatures))

    def curve(self, loss: float, count: int = 361) -> Matrix:
        """Return points of the level set of a loss in nats, a closed line (count, 2)."""
        angle = np.linspace(0.0, 2.0 * math.pi, count)
        circle = np.column_stack([np.cos(angle), np.sin(angle)])
        return np.asarray(self.centre + (circle * self.radii(loss)) @ self.axes.T)


def minus_log_density(prior: Prior, points: Matrix) -> Vector:
    """Evaluate a prior's penalty with its constant at points (m, 2), in nats; shape (m,)."""
    if not isinstance(prior, IndependentPrior):
        value, constant = prior.penalty(2).value, prior.log_normalizer(2)
        return np.array([value(point) + constant for point in points])
    if all((values == values[0]).all() for values in prior.parameters(2).values()):
        return np.asarray(-prior.log_densities(points.ravel()).reshape(points.shape).sum(axis=1))
    return np.array([-prior.log_densities(point).sum() for point in points])


def prior_curve(prior: Prior, through: Vector, reach: float = REACH) -> Matrix:
    """Return the level set of a prior through a point, a closed line around 0.

    Parameters
    ----------
    prior : Prior
        Whose density falls along every ray from 0, as those of the library around 0 do.
    through : ndarray, shape (2,)
        A point of the level set.
    reach : float
        Rays end here: some level sets, like the horseshoe's, reach infinity along the axes.

    Returns
    -------
    ndarray, shape (361, 2)
        Found by halving on each ray; both axes and both diagonals, where corners are, among them.

    Examples
    --------
    >>> from bayesreg import Laplace
    >>> curve = prior_curve(Laplace(0.1), np.array([0.5, -0.25]))
    >>> bool(np.allclose(np.abs(curve).sum(axis=1), 0.75))
    True
    """
    level = float(minus_log_density(prior, through[None, :])[0])
    rays = _rays()
    near, far = np.zeros(len(rays)), np.full(len(rays), reach)
    inside = minus_log_density(prior, far[:, None] * rays) <= level
    near[inside] = reach
    for _ in range(_HALVINGS):
        middle = 0.5 * (near + far)
        inside = minus_log_density(prior, middle[:, None] * rays) <= level
        near, far = np.where(inside, middle, near), np.where(inside, far, middle)
    return np.asarray(near[:, None] * rays)


def _rays() -> Matrix:
    """Return directions, denser where the level sets of sparse priors have their cusps."""
    even = np.arange(_QUARTER) / _QUARTER
    quarter = 0.5 * math.pi * even**2 * (3.0 - 2.0 * even)
    first = np.column_stack([np.cos(quarter), np.sin(quarter)])
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    quarters = [first, first @ turn, -first, -(first @ turn)]
    return np.concatenate([*quarters, first[:1]])
