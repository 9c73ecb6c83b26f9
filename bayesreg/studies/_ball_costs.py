"""Costs that move, and where each of them is smallest in a ball ``Σ|w_j|^q <= t^q`` of the plane.

For q = 1, 2 and ∞ the ball is a uniform prior of the library and the minimiser its certified mode.
A ball with ``q = 1/k`` is not convex, and its penalty does not reach all of its border. But on each
quarter of that border, ``w = t (± s^k, ± (1 − s)^k)`` with s from 0 to 1, a quadratic cost is a
polynomial of degree 2k in s, and the roots of its derivative are all there is to compare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import Polynomial

from bayesreg.errors import InputError
from bayesreg.likelihoods import Gaussian
from bayesreg.map import find_map
from bayesreg.priors import Flat, UniformBall
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior
    from bayesreg.priors.balls import BallNorm

#: Powers q of the balls, and what they are called.
POWERS = {0.5: "L½", 1.0: "L1", 1.5: "L1.5", 2.0: "L2", math.inf: "L∞"}
#: Those that are uniform priors of the library.
BALL_NORMS: dict[float, BallNorm] = {1.0: "l1", 2.0: "l2", math.inf: "linf"}
RADIUS = 1.0


@dataclass(frozen=True, eq=False)
class Cost:
    """A convex quadratic cost of two weights, 0 at its centre.

    Attributes
    ----------
    centre : ndarray, shape (2,)
        Where it is 0.
    steepness : tuple of float
        Square roots of its curvatures along its two axes, in nats^½ per unit of weight.
    tilt : float
        Angle of the first axis, in radians.
    """

    centre: Vector
    steepness: tuple[float, float] = (1.0, 1.0)
    tilt: float = 0.0

    def problem(self, prior: Prior | None = None) -> Problem:
        """Return the least squares problem whose loss the cost is, in nats.

        Examples
        --------
        >>> round(Cost(np.array([3.0, 4.0])).problem().loss(np.zeros(2)), 12)  # 3² + 4²
        25.0
        """
        turn = np.array(
            [
                [math.cos(self.tilt), math.sin(self.tilt)],
                [-math.sin(self.tilt), math.cos(self.tilt)],
            ]
        )
        columns = np.array(self.steepness)[:, None] * turn
        return Problem(
            columns,
            columns @ self.centre,
            likelihood=Gaussian(math.sqrt(0.5)),
            prior=Flat() if prior is None else prior,
            intercept=False,
            names=["w₁", "w₂"],
        )


@dataclass(frozen=True, eq=False)
class Minimisers:
    """Where each of several costs is smallest in one ball.

    Attributes
    ----------
    power : float
        q of the ball ``Σ|w_j|^q <= radius^q``; inf for the largest weight.
    name : str
        Of its norm.
    radius : float
        Where the ball meets the axes.
    outline : ndarray, shape (g, 2)
        Its border, all around.
    coef : ndarray, shape (k, 2)
        The minimiser of each cost.
    losses : ndarray, shape (k,)
        The costs there, in nats.
    """

    power: float
    name: str
    radius: float
    outline: Matrix
    coef: Matrix
    losses: Vector

    @property
    def on_axis(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether a weight is exactly 0, shape (k,)."""
        return np.asarray((self.coef == 0).any(axis=1))

    @property
    def tied(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether both weights are exactly of one size, shape (k,)."""
        return np.asarray(np.abs(self.coef[:, 0]) == np.abs(self.coef[:, 1]))


def ball_minimiser(cost: Cost, power: float, radius: float = RADIUS) -> Vector:
    """Return where a cost is smallest in a ball.

    Parameters
    ----------
    cost : Cost
        Of two weights.
    power : float
        1, 2 or inf, or ``1/k`` with k = 2, 3, …
    radius : float
        Where the ball meets the axes.

    Returns
    -------
    ndarray, shape (2,)
        A global minimiser; with power below 1 there may be two.

    Raises
    ------
    InputError
        If the power is another one.

    Examples
    --------
    >>> ball_minimiser(Cost(np.array([3.0, 1.5])), 1.0)
    array([1., 0.])
    >>> ball_minimiser(Cost(np.array([3.0, 1.5])), math.inf)
    array([1., 1.])
    """
    if power in BALL_NORMS:
        return find_map(cost.problem(UniformBall(radius, BALL_NORMS[power]))).coef
    degree = round(1 / power) if power > 0 else 0
    if degree < 2 or not math.isclose(degree * power, 1.0):
        msg = f"power: must be 1, 2, inf or 1/k with k = 2, 3, …, found {power:g}"
        raise InputError(msg)
    if float((np.abs(cost.centre) ** power).sum()) <= radius**power:
        return cost.centre.copy()
    return _lowest_on_border(cost.problem(), degree, radius)


def _lowest_on_border(problem: Problem, degree: int, radius: float) -> Vector:
    s = Polynomial([0.0, 1.0])
    candidates = []
    for signs in product((radius, -radius), repeat=2):
        weights = (signs[0] * s**degree, signs[1] * (1 - s) ** degree)
        rest = [
            y - row[0] * weights[0] - row[1] * weights[1]
            for y, row in zip(problem.design.y, problem.design.X, strict=True)
        ]
        roots = (rest[0] ** 2 + rest[1] ** 2).deriv().roots()
        # A double root may leave the real line by the square root of rounding.
        real = roots.real[np.abs(roots.imag) < 1e-6]
        places = [0.0, 1.0, *real[(real > 0) & (real < 1)]]
        candidates += [np.array([w(place) for w in weights]) for place in places]
    return min(candidates, key=problem.loss)


def minimisers(costs: Sequence[Cost], power: float, radius: float = RADIUS) -> Minimisers:
    """Return where each cost is smallest in one ball.

    Examples
    --------
    >>> minimisers([Cost(np.array([3.0, 1.5]))], 1.0).on_axis
    array([ True])
    """
    coef = np.array([ball_minimiser(cost, power, radius) for cost in costs]).reshape(-1, 2)
    losses = [cost.problem().loss(w) for cost, w in zip(costs, coef, strict=True)]
    return Minimisers(
        power, POWERS[power], radius, ball_outline(power, radius), coef, np.array(losses)
    )


def ball_outline(power: float, radius: float = RADIUS, points: int = 400) -> Matrix:
    """Return the border of a ball of the plane, shape (points + 1, 2), closed.

    Examples
    --------
    >>> ball_outline(1.0, 2.0, points=4).round(12).tolist()
    [[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [-0.0, -2.0], [2.0, -0.0]]
    """
    angle = np.linspace(0.0, 2 * math.pi, points + 1)
    direction = np.column_stack([np.cos(angle), np.sin(angle)])
    if math.isinf(power):
        return np.asarray(radius * direction / np.abs(direction).max(axis=1, keepdims=True))
    # Dense where the border bends: at the axes for q < 2, at the diagonals beyond.
    return np.asarray(radius * np.sign(direction) * np.abs(direction) ** (2.0 / power))


def axis_share(distance: float, radius: float = RADIUS) -> float:
    """Return the share of directions from which the L1 ball's nearest point is on an axis.

    Parameters
    ----------
    distance : float
        Of the centres of circular costs from 0.
    radius : float
        Of the ball.

    Returns
    -------
    float
        ``(4/π) arccos(t/(√2 R)) − 1``: soft thresholding sets a weight to 0 where ``|a| − |b|`` is
        at least t, and on the circle of radius R that difference is ``√2 R cos(θ + π/4)``.

    Examples
    --------
    >>> round(axis_share(2.0), 4), axis_share(0.7)
    (0.5399, 0.0)
    """
    ratio = radius / distance
    return 4 / math.pi * math.acos(ratio / math.sqrt(2)) - 1 if ratio < 1 else 0.0


def corner_share(distance: float, radius: float = RADIUS) -> float:
    """Return the share of directions from which the L∞ ball's nearest point is a corner.

    Both ``|a|`` and ``|b|`` must be at least t: ``1 − (4/π) arcsin(t/R)``. The ball is that of L1
    turned by 45° and larger by √2, and so is its share.

    Examples
    --------
    >>> round(corner_share(2.0), 4), round(axis_share(math.sqrt(2.0)), 4)
    (0.3333, 0.3333)
    """
    return max(0.0, 1 - 4 / math.pi * math.asin(min(1.0, radius / distance)))
