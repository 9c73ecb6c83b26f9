"""Park and Casella's posterior with two modes: a lasso prior that is not scaled by sigma."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

import bayesreg as br
from bayesreg.studies._densities import Quadratic, Surface

if TYPE_CHECKING:
    from bayesreg._validation import Vector

# Park and Casella (2008): ten observations with their mean integrated out leave nine,
# which enter through X'X, X'y and y'y; the penalty is λ|β|, or λ|β|/σ.
GRAM, CROSS, SQUARE, COUNT, LAM = 1.0, 5.0, 26.0, 10, 3.0
# InverseGamma(a, a) is a density of σ² that becomes 1/σ² as a goes to 0; this is 0 in every digit
# that is shown.
NEARLY_ZERO = 1e-9


@dataclass(frozen=True, eq=False)
class JointMode:
    """A mode of the joint density of β and σ².

    Attributes
    ----------
    beta, variance : float
        Where it is.
    objective : float
        Minus the log joint density, in nats.
    """

    beta: float
    variance: float
    objective: float


@dataclass(frozen=True, eq=False)
class JointPosterior:
    """Posterior of one coefficient and the noise variance.

    Attributes
    ----------
    problem : Problem
        Of the nine rows.
    surface : Surface
        Log joint density over β and log σ², as a density with respect to β and σ².
    modes : tuple of JointMode
        All of them, the highest first.
    mean : ndarray, shape (2,)
        Of β and σ², over the grid.
    marginal : ndarray, shape (nx,)
        Density of β, on the grid of the surface.
    near_zero : float
        Probability that ``|β| < 1``, over the grid.
    beta, variance : ndarray, shape (m,)
        Draws.
    """

    problem: br.Problem
    surface: Surface
    modes: tuple[JointMode, ...]
    mean: Vector
    marginal: Vector
    near_zero: float
    beta: Vector
    variance: Vector


@dataclass(frozen=True, eq=False)
class BimodalLasso:
    """Park and Casella's example.

    Attributes
    ----------
    fixed : JointPosterior
        Under a Laplace prior of scale 1/λ.
    scaled : JointPosterior
        Under one of scale σ/λ.
    """

    fixed: JointPosterior
    scaled: JointPosterior


def park_casella(*, scaled: bool) -> br.Problem:
    """Return nine rows with the published sums of products, under the prior scaled by σ or not.

    Examples
    --------
    >>> problem = park_casella(scaled=False)
    >>> X, y = problem.design.X, problem.design.y
    >>> X.shape, (X.T @ X).item(), (X.T @ y).item(), float(y @ y)
    ((9, 1), 1.0, 5.0, 26.0)
    """
    X, y = np.zeros((COUNT - 1, 1)), np.zeros(COUNT - 1)
    X[0], y[0] = math.sqrt(GRAM), CROSS / math.sqrt(GRAM)
    y[1] = math.sqrt(SQUARE - y[0] ** 2)
    return br.Problem(
        X,
        y,
        likelihood=br.Gaussian(sigma=br.InverseGamma(NEARLY_ZERO, NEARLY_ZERO)),
        prior=br.Laplace(1.0 / LAM, relative_to="sigma" if scaled else None),
        intercept=False,
    )


def bimodal_lasso(seed: int = 0, *, draws: int = 5000, count: int = 301) -> BimodalLasso:
    """Compute the joint posterior of Park and Casella's example under both priors.

    Parameters
    ----------
    seed : int
        Of the draws.
    draws : int
        Per chain, of four.
    count : int
        Points of the grid per axis.

    Examples
    --------
    >>> study = bimodal_lasso(draws=10, count=20)
    >>> [(round(mode.beta, 2), round(mode.variance, 2)) for mode in study.fixed.modes]
    [(4.7, 0.1), (0.0, 2.36)]
    >>> [(round(mode.beta, 2), round(mode.variance, 2)) for mode in study.scaled.modes]
    [(1.06, 1.73)]
    """
    fixed, scaled = (
        _joint(park_casella(scaled=scaled), draws=draws, count=count, seed=seed)
        for scaled in (False, True)
    )
    return BimodalLasso(fixed, scaled)


def _joint(problem: br.Problem, *, draws: int, count: int, seed: int) -> JointPosterior:
    tree = br.sample(problem, draws=draws, seed=seed, progress=False)["posterior"]
    # An odd count has 0 on the grid, where the density has its cusp.
    beta, log_variance = np.linspace(-4.0, 8.0, count), np.linspace(-4.6, 4.6, count)
    grid = Surface(
        beta, log_variance, np.array([_row(problem, beta, t) for t in log_variance.tolist()])
    )
    # Of β and log σ², so that cells of the grid are equally large.
    mass = np.exp(grid.log_density - grid.log_density.max() + log_variance[:, None])
    mass /= mass.sum()
    over_beta, step = mass.sum(axis=0), beta[1] - beta[0]
    near = np.clip((1 - np.abs(beta)) / step + 0.5, 0, 1)  # share of each cell within 1 of 0
    return JointPosterior(
        problem=problem,
        surface=grid,
        modes=joint_modes(problem),
        mean=np.array([over_beta @ beta, mass.sum(axis=1) @ np.exp(log_variance)]),
        marginal=over_beta / step,
        near_zero=float(near @ over_beta),
        beta=np.asarray(tree["beta"], dtype=np.float64).ravel(),
        variance=np.asarray(tree["sigma"], dtype=np.float64).ravel() ** 2,
    )


def _row(problem: br.Problem, beta: Vector, log_variance: float) -> Vector:
    """Log joint density at one variance, shape (m,)."""
    sigma = math.exp(0.5 * log_variance)
    known = problem.given(sigma=sigma)
    constant = known.objective([0.0]) - known.penalised(np.zeros(1))
    loss = Quadratic.of(known)(beta[:, None])
    at_zero = known.prior.log_density(np.zeros(1))
    log_prior = known.prior.log_densities(beta) - at_zero
    return np.asarray(
        problem.hyperpriors()["sigma"].log_density(sigma) + log_prior - loss - constant
    )


def joint_modes(problem: br.Problem) -> tuple[JointMode, ...]:
    """Return every joint mode of β and σ², the highest first.

    At each σ² the best β is exact; the minima of what is left, a function of σ², are bracketed on
    a grid and refined.
    """

    def profile(log_variance: float) -> float:
        return br.find_map(problem, given={"sigma": math.exp(0.5 * log_variance)}).objective

    grid = np.linspace(-4.6, 4.6, 70)
    values = np.array([profile(t) for t in grid.tolist()])
    lowest = 1 + np.flatnonzero((values[1:-1] < values[:-2]) & (values[1:-1] <= values[2:]))
    found = []
    for k in lowest.tolist():
        at = minimize_scalar(
            profile, bounds=(grid[k - 1], grid[k + 1]), method="bounded", options={"xatol": 1e-9}
        ).x
        fit = br.find_map(problem, given={"sigma": math.exp(0.5 * at)})
        found.append(JointMode(float(fit.coef[0]), math.exp(at), fit.objective))
    return tuple(sorted(found, key=lambda mode: mode.objective))
