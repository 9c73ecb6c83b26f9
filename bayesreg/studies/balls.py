"""Document 5: which constraint, and which penalty, puts a weight on an axis, and how often.

The document moves convex costs around an L1, an L2 and a max-norm ball and sees the minimiser on an
axis "most of the time" under L1. Here the times are counted, for random costs and for circular ones
against closed forms: as the share of directions it depends on the distance of the cost, is 0 where
the cost touches the ball and passes one half at 1.85 radii. Then the document's penalised problem
``‖x − x₀‖² + r‖x‖`` for a cloud of x₀, and the priors ``exp(−r‖x‖)`` that these norms are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.priors import UniformBall
from bayesreg.studies._ball_costs import (
    BALL_NORMS,
    POWERS,
    RADIUS,
    Cost,
    Minimisers,
    axis_share,
    ball_minimiser,
    ball_outline,
    corner_share,
    minimisers,
)
from bayesreg.studies._norm_clouds import (
    Cloud,
    Clouds,
    Directions,
    NormDensities,
    bridge_modes,
    expected_shares,
    norm,
    norm_densities,
    norm_modes,
    norm_prior,
    shrunken_clouds,
)
from bayesreg.studies.exhibit import Exhibit

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

__all__ = [
    "EXHIBITS",
    "BallCosts",
    "Cloud",
    "Clouds",
    "Cost",
    "Directions",
    "Landings",
    "Minimisers",
    "NormDensities",
    "Share",
    "axis_share",
    "ball_landings",
    "ball_minimiser",
    "ball_minimisers",
    "ball_outline",
    "bridge_modes",
    "corner_share",
    "even_distance",
    "expected_shares",
    "minimisers",
    "moving_costs",
    "norm_densities",
    "norm_modes",
    "norm_prior",
    "shrunken_clouds",
]

_SHOWN = (0.5, 1.0, 2.0, math.inf)
#: Of the moving cost: positions, turns about its centre, and of that the distance in radii;
#: steepness along its axes.
FRAMES, TURNS, DISTANCE, STEEPNESS = 72, -2, 2.2, (1.0, 2.0)


@dataclass(frozen=True, eq=False)
class BallCosts:
    """Several costs, and where each is smallest in several balls.

    Attributes
    ----------
    costs : tuple of Cost
        In order of time, if they move.
    balls : tuple of Minimisers
        One for each ball.
    """

    costs: tuple[Cost, ...]
    balls: tuple[Minimisers, ...]


def ball_minimisers(seed: int = 0, count: int = 150) -> BallCosts:
    """Minimise random costs in the L½, L1, L2 and L∞ balls.

    Parameters
    ----------
    seed : int
        Of the costs.
    count : int
        How many.

    Returns
    -------
    BallCosts
        Centres in all directions at 1.5 to 4 radii, ellipses up to three times as long as wide,
        tilted at random: the same costs for each ball.

    Examples
    --------
    >>> result = ball_minimisers(seed=0, count=40)
    >>> [ball.on_axis.mean() > 0 for ball in result.balls]
    [np.True_, np.True_, np.False_, np.False_]
    """
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0.0, 2 * math.pi, count)
    distance = rng.uniform(1.5, 4.0, count)
    ratio = np.exp(rng.uniform(0.0, math.log(3.0), count))
    tilt = rng.uniform(0.0, math.pi, count)
    costs = tuple(
        Cost(_polar(far, way), (1.0, float(steep)), float(turn))
        for far, way, steep, turn in zip(distance, angle, ratio, tilt, strict=True)
    )
    return BallCosts(costs, tuple(minimisers(costs, power) for power in _SHOWN))


def moving_costs(turns: int = TURNS, frames: int = FRAMES) -> BallCosts:
    """Move one elliptical cost around the balls, turning on its way.

    Parameters
    ----------
    turns : int
        How often the ellipse turns about its centre on one way round. Which share of the way L1
        ends on an axis depends on that: 11 % at −1, 89 % at 3.
    frames : int
        How many positions; the last is followed by the first.

    Returns
    -------
    BallCosts
        The same costs for the L½, L1, L2 and L∞ balls.

    Examples
    --------
    >>> [int(ball.on_axis.sum()) for ball in moving_costs(frames=12).balls]
    [12, 8, 0, 0]
    """
    # Half a step off the axes, on which a count would hang on one position.
    angles = 2 * math.pi * (np.arange(frames) + 0.5) / frames
    costs = tuple(
        Cost(_polar(DISTANCE * RADIUS, angle), STEEPNESS, float(turns * angle)) for angle in angles
    )
    return BallCosts(costs, tuple(minimisers(costs, power) for power in _SHOWN))


def _polar(distance: float, angle: float) -> Vector:
    return distance * np.array([math.cos(angle), math.sin(angle)])


# --------------------------------------------------------------------------- shares


@dataclass(frozen=True, eq=False)
class Share:
    """How often circular costs land on an axis, or a corner, of one ball.

    Attributes
    ----------
    power : float
        q of the ball.
    name : str
        Of its norm.
    what : {"axis", "corner"}
        Where a weight is exactly 0, or both are exactly of one size.
    counted : ndarray, shape (k,)
        Share of directions at each distance.
    expected : ndarray, shape (g,) or None
        Closed form over the finer distances; None where there is none.
    """

    power: float
    name: str
    what: str
    counted: Vector
    expected: Vector | None


@dataclass(frozen=True, eq=False)
class Landings:
    """Shares against the distance of the costs.

    Attributes
    ----------
    distances : ndarray, shape (k,)
        Of the centres from 0, in radii of the ball.
    directions : int
        How many were counted, evenly spaced.
    fine : ndarray, shape (g,)
        Distances of the closed forms.
    even : float
        Distance from which L1 lands on an axis in most directions.
    shares : tuple of Share
        By ball.
    """

    distances: Vector
    directions: int
    fine: Vector
    even: float
    shares: tuple[Share, ...]


def even_distance() -> float:
    """Return the distance, in radii, at which the L1 ball's axes take half of the directions.

    ``1/(√2 cos(3π/8))``: where `axis_share` is one half.

    Examples
    --------
    >>> round(even_distance(), 4)
    1.8478
    """
    return 1.0 / (math.sqrt(2.0) * math.cos(3 * math.pi / 8))


def ball_landings(directions: int = 90) -> Landings:
    """Count where circular costs land, by distance, and set closed forms beside.

    Parameters
    ----------
    directions : int
        In a quarter of the circle; the other three are the same by symmetry.

    Returns
    -------
    Landings
        Of the L½, L1, L1.5, L2 and L∞ balls.

    Examples
    --------
    >>> result = ball_landings(directions=8)
    >>> [share.name for share in result.shares]
    ['L½', 'L1', 'L1.5', 'L2', 'L∞']
    """
    distances = np.array([1.1, 1.2, 1.3, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0])
    fine = np.linspace(1.0, 8.5, 301)
    # Half a step off the axes, which are a share of 0.
    angles = 0.5 * math.pi * (np.arange(directions) + 0.5) / directions
    centres = np.array([[_polar(distance, angle) for angle in angles] for distance in distances])
    nowhere = np.zeros_like(fine)
    forms = {
        1.0: np.array([axis_share(each) for each in fine]),
        math.inf: np.array([corner_share(each) for each in fine]),
    }
    shares = []
    for power, name in POWERS.items():
        corner = math.isinf(power)
        landed = _nearest(centres.reshape(-1, 2), power)
        hit = np.abs(landed[:, 0]) == np.abs(landed[:, 1]) if corner else (landed == 0).any(axis=1)
        shares.append(
            Share(
                power=power,
                name=name,
                what="corner" if corner else "axis",
                counted=hit.reshape(centres.shape[:2]).mean(axis=1),
                expected=None if power < 1 else forms.get(power, nowhere),
            )
        )
    return Landings(distances, directions, fine, even_distance(), tuple(shares))


def _nearest(points: Matrix, power: float) -> Matrix:
    """Return the nearest point of the ball: where a circular cost around each is smallest."""
    if power in BALL_NORMS:
        ball = UniformBall(RADIUS, BALL_NORMS[power]).penalty(2)
        return np.array([ball.prox(point, 1.0) for point in points])
    if power < 1:
        return np.array([ball_minimiser(Cost(point), power) for point in points])
    # The ball is strictly convex, and its minimiser the mode of the bridge that ends on its border.
    modes, _ = bridge_modes(points, power, lambda modes: RADIUS - norm(modes, power))
    return modes


# --------------------------------------------------------------------------- the exhibits

EXHIBITS = (
    Exhibit(
        "ball_minimisers",
        "150 random costs, each smallest somewhere in an L½, L1, L2 or L∞ ball: shares on an axis",
        5,
        ball_minimisers,
    ),
    Exhibit(
        "ball_landings",
        "How often a circular cost lands on an axis or a corner, by its distance: closed forms",
        5,
        lambda _: ball_landings(),
    ),
    Exhibit(
        "moving_costs",
        "A cost moves around four balls and drags its minimiser along (.gif and .html: it moves)",
        5,
        lambda _: moving_costs(),
        "moving_costs_animation",
    ),
    Exhibit(
        "shrunken_clouds",
        "Modes of ‖x − x₀‖² + r‖x‖ for a cloud of x₀ under L1, L2, L10, L∞, and the priors beside",
        5,
        shrunken_clouds,
    ),
    Exhibit(
        "norm_densities",
        "The same priors by direction: L1 leans to the axes, L2 to none, L∞ to the diagonals",
        5,
        norm_densities,
    ),
)
