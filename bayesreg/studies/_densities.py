"""Posterior densities on grids, made of a problem's loss and the log densities of its prior."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtri

import bayesreg as br

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.priors.base import IndependentPrior

#: Half the probability of a standard normal is within this distance of 0.
QUARTILE = float(ndtri(0.75))
HALF = 0.5
# Nodes ±exp(t): the trapezoidal sum over t is exact to rounding for densities that are smooth but
# for a kink, or a logarithmic pole, at 0. Steps for one and for two coefficients.
_STEPS, _NEAREST, _FARTHEST = {1: 0.005, 2: 0.05}, -26.0, 4.0


@dataclass(frozen=True, eq=False)
class Quadratic:
    """A Gaussian loss as the parabola that it is: ``base + slope·β + β·curvature·β/2``.

    Attributes
    ----------
    base : float
        Loss at 0, in nats.
    slope : ndarray, shape (p,)
        Its gradient there.
    curvature : ndarray, shape (p, p)
        Its second derivative, everywhere.
    """

    base: float
    slope: Vector
    curvature: Matrix

    @classmethod
    def of(cls, problem: br.Problem) -> Self:
        """Read it off a problem with Gaussian noise of known sd and no intercept."""
        origin = np.zeros(problem.p)
        slope = problem.gradient(origin)[0]
        columns = [problem.gradient(unit)[0] - slope for unit in np.eye(problem.p)]
        return cls(problem.loss(origin), slope, np.column_stack(columns))

    def __call__(self, points: Array) -> Array:
        """Evaluate at points (..., p); shape (...)."""
        bent = 0.5 * ((points @ self.curvature) * points).sum(axis=-1)
        return np.asarray(self.base + points @ self.slope + bent)

    @property
    def least_squares(self) -> Vector:
        """Where it is smallest, shape (p,)."""
        return np.asarray(np.linalg.solve(self.curvature, -self.slope))


@dataclass(frozen=True, eq=False)
class Surface:
    """A function of two variables on a grid.

    Attributes
    ----------
    x, y : ndarray, shapes (nx,) and (ny,)
        The grid.
    log_density : ndarray, shape (ny, nx)
        In nats, up to a constant.
    """

    x: Vector
    y: Vector
    log_density: Array

    def level(self, probability: float) -> float:
        """Return the log density above which lies this share of the mass on an even grid."""
        values = np.sort(self.log_density.ravel())[::-1]
        mass = np.cumsum(np.exp(values - values[0]))
        return float(values[np.searchsorted(mass, probability * mass[-1])])


def surface(problem: br.Problem, x: Vector, y: Vector) -> Surface:
    """Evaluate the posterior of two coefficients, neither of them 0, on a grid."""
    points = np.stack(np.meshgrid(x, y), axis=-1)
    log_prior = problem.prior.log_densities(points.ravel()).reshape(points.shape).sum(axis=-1)
    return Surface(x, y, log_prior - Quadratic.of(problem)(points))


@dataclass(frozen=True, eq=False)
class Line:
    """The posterior of one coefficient as a weighted sum over fixed nodes.

    Attributes
    ----------
    nodes : ndarray, shape (m,)
        In increasing order, 0 in the middle.
    weights : ndarray, shape (m,)
        Probabilities: that of the node 0 is the atom's, where the prior has one, else 0.
    """

    nodes: Vector
    weights: Vector

    @property
    def mean(self) -> float:
        """Posterior mean."""
        return float(self.weights @ self.nodes)

    @property
    def median(self) -> float:
        """Posterior median: exactly 0 where the atom holds the middle."""
        above = np.cumsum(self.weights)
        middle = self.nodes.size // 2
        if self.zero > 0 and above[middle] - self.zero <= HALF <= above[middle]:
            return 0.0
        return float(np.interp(HALF, above - 0.5 * self.weights, self.nodes))

    @property
    def zero(self) -> float:
        """Probability of being exactly 0."""
        return float(self.weights[self.nodes.size // 2])


@dataclass(frozen=True, eq=False)
class Quadrature:
    """A posterior of one or two coefficients as a weighted sum over fixed nodes.

    Attributes
    ----------
    nodes : ndarray, shape (m,)
        The same for every coefficient, 0 in the middle.
    weights : ndarray, shape (m,) or (m, m)
        Probabilities of the nodes, or of pairs of them.
    """

    nodes: Vector
    weights: Array

    @classmethod
    def of(cls, problem: br.Problem) -> Self:
        """Integrate the posterior: Gaussian noise of known sd, no intercept, independent prior."""
        step = _STEPS[problem.p]
        size = np.exp(np.arange(_NEAREST, _FARTHEST, step))
        nodes = np.concatenate([-size[::-1], [0.0], size])
        # With respect to Lebesgue measure plus a unit mass at 0, as `SpikeSlab` says.
        measure = np.abs(nodes) * step
        if isinstance(problem.prior, br.SpikeSlab):
            measure[size.size] = 1.0
        inside = np.flatnonzero(measure)
        log_prior = np.log(measure[inside]) + problem.prior.log_densities(nodes[inside])
        points = np.stack(np.meshgrid(*[nodes[inside]] * problem.p, indexing="ij"), axis=-1)
        log_mass = sum(np.meshgrid(*[log_prior] * problem.p, indexing="ij"))
        log_mass = log_mass - Quadratic.of(problem)(points)
        mass = np.exp(log_mass - log_mass.max())
        weights = np.zeros((nodes.size,) * problem.p)
        weights[np.ix_(*[inside] * problem.p)] = mass / mass.sum()
        return cls(nodes, weights)

    def marginal(self, j: int) -> Line:
        """Return the posterior of one coefficient by itself."""
        others = tuple(k for k in range(self.weights.ndim) if k != j)
        return Line(self.nodes, self.weights.sum(axis=others))

    @property
    def mean(self) -> Vector:
        """Posterior means, shape (p,)."""
        return np.array([self.marginal(j).mean for j in range(self.weights.ndim)])

    @property
    def median(self) -> Vector:
        """Posterior median of each coefficient, shape (p,)."""
        return np.array([self.marginal(j).median for j in range(self.weights.ndim)])

    @property
    def both_zero(self) -> float:
        """Probability that all coefficients are exactly 0 together."""
        return float(self.weights[(self.nodes.size // 2,) * self.weights.ndim])


@dataclass(frozen=True, eq=False)
class Rival:
    """A prior among those compared, with the name that the figures give it.

    Attributes
    ----------
    name : str
        In words.
    prior : IndependentPrior
        The prior.
    matched : str
        What it has in common with the others.
    """

    name: str
    prior: IndependentPrior
    matched: str

    @property
    def has_mode(self) -> bool:
        """Whether its posteriors have modes: densities without poles or atoms do."""
        return not isinstance(self.prior, br.Horseshoe | br.SpikeSlab)


def rivals(sd: float) -> tuple[Rival, ...]:
    """Return five priors of standard deviation `sd`; the horseshoe, without one, at its quartile.

    Examples
    --------
    >>> for rival in rivals(2.0):
    ...     print(rival.name, rival.prior.moments(1)[1].round(6), rival.matched)
    Gaussian [4.] sd 2
    Laplace [4.] sd 2
    Pareto [4.] sd 2
    horseshoe [nan] P(|β| < 1.349) = ½, as the Gaussian
    spike and slab [4.] sd 2
    """
    pareto = br.GeneralizedDoublePareto(1.0, shape=3.0)
    near = f"P(|β| < {QUARTILE * sd:.4g}) = ½, as the Gaussian"
    matched = f"sd {sd:g}"
    return (
        Rival("Gaussian", br.Normal(sd), matched),
        Rival("Laplace", br.Laplace(_per_unit(br.Laplace(1.0), sd)), matched),
        Rival(
            "Pareto", br.GeneralizedDoublePareto(_per_unit(pareto, sd), shape=pareto.shape), matched
        ),
        Rival("horseshoe", br.Horseshoe(QUARTILE * sd / _horseshoe_median()), near),
        Rival("spike and slab", br.SpikeSlab(0.5, _per_unit(br.SpikeSlab(0.5, 1.0), sd)), matched),
    )


def _per_unit(unit: IndependentPrior, sd: float) -> float:
    """Scale at which a prior has a standard deviation, from its variance at scale 1."""
    return sd / math.sqrt(unit.moments(1)[1].item())


def _horseshoe_median() -> float:
    """Median of |β| under a horseshoe prior of scale 1: a quarter of the mass lies in (0, m)."""
    prior = br.Horseshoe(1.0)

    def excess(m: float) -> float:
        return quad(_density, 0.0, m, args=(prior,), epsabs=1e-12)[0] - 0.25

    return float(brentq(excess, 0.1, 2.0, xtol=1e-12))


def _density(beta: float, prior: IndependentPrior) -> float:
    return math.exp(prior.log_densities(np.array([beta])).item())
