"""The mode of ``‖x − x₀‖² + r‖x‖`` for a cloud of x₀, by norm, and the prior ``exp(−r‖x‖)``.

Every such mode is ``x₀`` less its projection on the ball of radius ``r/2`` of the dual norm
(Moreau 1965): soft thresholding for L1, a shorter vector for L2, two tied weights for L∞. The norm
L10 of the document has no prior in the library, but a bridge with the power 10 has the same modes
once its scale is chosen for each x₀, since both penalties have the same level sets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg.map import find_map
from bayesreg.priors import Bridge, GroupLaplace, Laplace, LInfinity
from bayesreg.studies._ball_costs import Cost

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior

#: Weight of the norm, half the side of the square of x₀, and how many of them there are on a side.
R, HALF_SIDE, SIDE = 2.0, 3.0, 21
#: Norms by power, in the order of the figures.
NORMS = {1.0: "L1", 2.0: "L2", 10.0: "L10", math.inf: "L∞"}
_TURNS = 100  # halvings: more than a double has bits


def norm(points: Matrix, power: float) -> Vector:
    """Return the Lq norm of each point, shape (m,); inf for the largest size.

    Examples
    --------
    >>> norm(np.array([[3.0, -4.0]]), 2.0)
    array([5.])
    """
    return np.asarray(np.linalg.norm(points, ord=power, axis=1))


def norm_prior(power: float, r: float) -> Prior:
    """Return the prior ``∝ exp(−r‖x‖)``: Laplace, one group unsquared, or the sup norm."""
    if power == 1:
        return Laplace(1.0 / r)
    return GroupLaplace(1.0 / r, [[0, 1]]) if power == 2 else LInfinity(1.0 / r)


def norm_modes(points: Matrix, power: float, r: float) -> Matrix:
    """Return the minimiser of ``‖x − x₀‖² + r‖x‖`` for each x₀.

    Parameters
    ----------
    points : ndarray, shape (m, 2)
        The x₀.
    power : float
        Of the norm: 1, 2 and inf are priors of the library; others above 1 go by a bridge.
    r : float
        Weight of the norm, in nats per unit.

    Returns
    -------
    ndarray, shape (m, 2)
        Exact modes; for a bridge, to rounding.

    Examples
    --------
    >>> norm_modes(np.array([[3.0, 0.5]]), 1.0, 2.0)
    array([[2., 0.]])
    """
    if power in (1.0, 2.0, math.inf):
        prior = norm_prior(power, r)
        return np.array([find_map(Cost(point).problem(prior)).coef for point in points])
    dual = power / (power - 1)

    def pull(modes: Matrix) -> Vector:
        return 2.0 * norm(points - modes, dual) - r

    modes, _ = bridge_modes(points, power, pull)
    # No scale of a bridge gives 0 itself: it is the mode where the pull of 0 is within r.
    return np.where((2.0 * norm(points, dual) <= r)[:, None], 0.0, modes)


def bridge_modes(
    points: Matrix, power: float, excess: Callable[[Matrix], Vector]
) -> tuple[Matrix, Vector]:
    """Choose for each x₀ the scale of a bridge so that its mode meets a condition.

    Parameters
    ----------
    points : ndarray, shape (m, 2)
        The x₀.
    power : float
        Of the bridge, above 1.
    excess : callable
        Takes modes (m, 2), returns (m,) numbers that grow as a mode shrinks: 0 where it is met.

    Returns
    -------
    modes : ndarray, shape (m, 2)
        Modes of ``‖x − x₀‖² + Σ|x_j/scale|^power``.
    scale : ndarray, shape (m,)
        Of the bridges.

    Examples
    --------
    >>> at = np.array([[3.0, 4.0]])  # the ridge that halves it
    >>> bridge_modes(at, 2.0, lambda modes: 2.5 - norm(modes, 2.0))[0].round(12)
    array([[1.5, 2. ]])
    """
    low, high = np.full(len(points), -30.0), np.full(len(points), 30.0)

    def modes(log_scale: Vector) -> Matrix:
        bridge = Bridge(np.repeat(np.exp(log_scale), 2), power).penalty(points.size)
        # ‖x − x₀‖² is twice what a proximal step takes.
        return np.asarray(bridge.prox(points.ravel(), 0.5).reshape(points.shape))

    for _ in range(_TURNS):
        middle = 0.5 * (low + high)
        short = excess(modes(middle)) > 0
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return modes(high), np.exp(high)


def ball_volume(power: float) -> float:
    """Return the area of the unit ball of the plane, ``4 Γ(1 + 1/q)² / Γ(1 + 2/q)``.

    Examples
    --------
    >>> ball_volume(1.0), ball_volume(math.inf)
    (2.0, 4.0)
    """
    one = 1.0 / power
    return float(4 * special.gamma(1 + one) ** 2 / special.gamma(1 + 2 * one))


def log_density(points: Matrix, power: float, r: float) -> Vector:
    """Return the log of the density ``∝ exp(−r‖x‖)``, shape (m,).

    Its constant is the area of the unit ball times ``2/r²``.

    Examples
    --------
    >>> round(float(np.exp(log_density(np.zeros((1, 2)), 1.0, 2.0)[0])), 12)  # (r/2)²
    1.0
    """
    return np.asarray(-r * norm(points, power) - math.log(2 * ball_volume(power) / r**2))


@dataclass(frozen=True, eq=False)
class Cloud:
    """Modes of a cloud of x₀ under one norm, and the prior that the norm is.

    Attributes
    ----------
    power : float
        Of the norm.
    name : str
        Of the norm.
    modes : ndarray, shape (m, 2)
        Where ``‖x − x₀‖² + r‖x‖`` is smallest.
    density : ndarray, shape (g, g)
        Of the prior over the grid, per unit of x₁ and x₂; rows are x₂.
    expected : dict
        Shares of a uniform cloud on the square that end at 0, on an axis (or at 0), and with two
        weights of one size, not 0: areas, in closed form.
    """

    power: float
    name: str
    modes: Matrix
    density: Matrix
    expected: dict[str, float]

    @property
    def shares(self) -> dict[str, float]:
        """Counted shares of the same three, of exact zeros and exact ties."""
        zero = (self.modes == 0).all(axis=1)
        size = np.abs(self.modes)
        return {
            "zero": float(zero.mean()),
            "axis": float((self.modes == 0).any(axis=1).mean()),
            "tied": float(((size[:, 0] == size[:, 1]) & ~zero).mean()),
        }


@dataclass(frozen=True, eq=False)
class Clouds:
    """One cloud of x₀ under several norms.

    Attributes
    ----------
    r : float
        Weight of the norm, in nats per unit.
    half_side : float
        Half the side of the square of x₀.
    points : ndarray, shape (m, 2)
        The x₀: one in each cell of a square grid.
    grid : ndarray, shape (g,)
        Grid of x₁ and of x₂ for the densities.
    clouds : tuple of Cloud
        By norm.
    gap : float
        Largest distance between a mode under L10 and that under L∞.
    """

    r: float
    half_side: float
    points: Matrix
    grid: Vector
    clouds: tuple[Cloud, ...]
    gap: float


def expected_shares(power: float, r: float, half_side: float) -> dict[str, float]:
    """Return which shares of a uniform cloud end at 0, on an axis, and tied.

    Parameters
    ----------
    power : float
        Of the norm, at least 1.
    r : float
        Weight of the norm; ``r/2`` may not exceed `half_side`.
    half_side : float
        Half the side of the square.

    Returns
    -------
    dict
        At 0 ends the ball of radius ``c = r/2`` of the dual norm. Under L1 a cross of width 2c
        ends on an axis; under L∞ the two diagonals, as wide, end tied.

    Examples
    --------
    >>> {key: round(share, 4) for key, share in expected_shares(1.0, 2.0, 3.0).items()}
    {'zero': 0.1111, 'axis': 0.5556, 'tied': 0.0}
    """
    c = r / 2
    dual = math.inf if power == 1 else 1.0 if math.isinf(power) else power / (power - 1)
    zero = ball_volume(dual) * c**2 / (2 * half_side) ** 2
    stripes = 1 - (1 - c / half_side) ** 2
    return {
        "zero": zero,
        "axis": stripes if power == 1 else zero,
        "tied": stripes - zero if math.isinf(power) else 0.0,
    }


def shrunken_clouds(seed: int = 0, r: float = R, half_side: float = HALF_SIDE) -> Clouds:
    """Find the modes of one cloud under L1, L2 (unsquared), L10 and L∞.

    Parameters
    ----------
    seed : int
        Of the places within the cells.
    r : float
        Weight of the norms.
    half_side : float
        Half the side of the square that the cloud fills.

    Returns
    -------
    Clouds
        Modes, counted and expected shares, densities.

    Examples
    --------
    >>> result = shrunken_clouds(seed=0)
    >>> [round(cloud.shares["axis"], 2) for cloud in result.clouds]
    [0.56, 0.09, 0.07, 0.06]
    """
    cell = 2 * half_side / SIDE
    corners = np.stack(np.meshgrid(*[np.arange(SIDE)] * 2), axis=-1).reshape(-1, 2)
    inside = np.random.default_rng(seed).random(corners.shape)
    points = cell * (corners + inside) - half_side
    grid = np.linspace(-1.5, 1.5, 121)
    places = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    clouds = tuple(
        Cloud(
            power=power,
            name=name,
            modes=norm_modes(points, power, r),
            density=np.exp(log_density(places, power, r)).reshape(grid.size, grid.size),
            expected=expected_shares(power, r, half_side),
        )
        for power, name in NORMS.items()
    )
    near, largest = (cloud.modes for cloud in clouds[2:])
    gap = float(np.linalg.norm(near - largest, axis=1).max())
    return Clouds(r, half_side, points, grid, clouds, gap)


# --------------------------------------------------------------------------- directions


@dataclass(frozen=True, eq=False)
class Directions:
    """Which directions a prior ``∝ exp(−r‖x‖)`` prefers.

    Attributes
    ----------
    power : float
        Of the norm.
    name : str
        Of the norm.
    on_circle : ndarray, shape (g,)
        Density at distance 1 from 0, over angles.
    angular : ndarray, shape (g,)
        Density of the angle of x, per radian.
    drawn : ndarray, shape (m,) or None
        Angles of draws from the prior, radians; None where the library has no such prior.
    on_axis : int
        How many of the draws have a weight of exactly 0.
    """

    power: float
    name: str
    on_circle: Vector
    angular: Vector
    drawn: Vector | None
    on_axis: int


@dataclass(frozen=True, eq=False)
class NormDensities:
    """The priors of several norms by direction.

    Attributes
    ----------
    r : float
        Weight of the norms, in nats per unit.
    angles : ndarray, shape (g,)
        From 0 to π/2: the rest is the same.
    norms : tuple of Directions
        By norm.
    """

    r: float
    angles: Vector
    norms: tuple[Directions, ...]


def norm_densities(seed: int = 0, r: float = R, draws: int = 20_000) -> NormDensities:
    """Compute each prior's density by direction, and draw from it.

    Parameters
    ----------
    seed : int
        Of the draws.
    r : float
        Weight of the norms.
    draws : int
        From each prior of the library.

    Returns
    -------
    NormDensities
        The angle has density ``1/(2A ‖u‖²)``, with A the area of the unit ball and u the unit
        vector: what is left of the density when the length is integrated out.

    Examples
    --------
    >>> result = norm_densities(draws=100)
    >>> [norm.on_axis for norm in result.norms]
    [0, 0, 0, 0]
    """
    angles = np.linspace(0.0, math.pi / 2, 181)
    units = np.column_stack([np.cos(angles), np.sin(angles)])
    rng = np.random.default_rng(seed)
    found = []
    for power, name in NORMS.items():
        sample = None if power == 10 else norm_prior(power, r).draw(2, rng, draws)
        found.append(
            Directions(
                power=power,
                name=name,
                on_circle=np.exp(log_density(units, power, r)),
                angular=1.0 / (2 * ball_volume(power) * norm(units, power) ** 2),
                drawn=None if sample is None else np.arctan2(sample[:, 1], sample[:, 0]),
                on_axis=0 if sample is None else int((sample == 0).any(axis=1).sum()),
            )
        )
    return NormDensities(r, angles, tuple(found))
