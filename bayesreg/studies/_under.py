"""The posterior density below the tangency, with its exact mean and medians."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import Chebyshev
from scipy.integrate import quad
from scipy.optimize import brentq

from bayesreg.posterior import posterior_moments
from bayesreg.priors import Flat
from bayesreg.problem import Problem
from bayesreg.studies._boston import boston_problem, lasso_prior, ridge_prior
from bayesreg.studies._contours import Ellipses
from bayesreg.studies._densities import Surface, surface
from bayesreg.studies._touching import Touch, touch

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.posterior.moments import Moments
    from bayesreg.priors import IndependentPrior

#: λ in nats: an edge of the diamond, just at its corner, well within the corner's cone.
UNDER = (40.0, 65.0, 100.0)


@dataclass(frozen=True, eq=False)
class Under:
    """A posterior, and the level sets that touch at its mode.

    Attributes
    ----------
    touch : Touch
        The mode, and both level sets.
    lam : float
        In nats.
    surface : Surface
        Log posterior density, per unit of both coefficients: exactly normalised.
    mean, median : ndarray, shape (2,)
        Of each coefficient.
    """

    touch: Touch
    lam: float
    surface: Surface
    mean: Vector
    median: Vector


@dataclass(frozen=True, eq=False)
class PosteriorUnder:
    """The posterior below the tangencies, for several λ.

    Attributes
    ----------
    least_squares : ndarray, shape (2,)
        Centre of the ellipses.
    lasso, ridge : tuple of Under
        L1 and L2, one per λ.
    """

    least_squares: Vector
    lasso: tuple[Under, ...]
    ridge: tuple[Under, ...]


def posterior_under_level_sets(lams: tuple[float, ...] = UNDER) -> PosteriorUnder:
    """Compute the posterior density below the level sets, with its mode, mean and median.

    Parameters
    ----------
    lams : tuple of float
        In nats: ``λ‖w‖₁`` and ``λ‖w‖²/2``.

    Returns
    -------
    PosteriorUnder
        Means in closed form; medians from exact marginal densities.

    Examples
    --------
    >>> panel = posterior_under_level_sets((65.0,)).lasso[0]
    >>> panel.touch.point.round(3).tolist(), panel.mean.round(3).tolist()
    ([0.0, 0.419], [0.067, 0.419])
    """
    return PosteriorUnder(
        least_squares=Ellipses.of(boston_problem(Flat())).centre,
        lasso=tuple(_under(lasso_prior(lam), lam) for lam in lams),
        ridge=tuple(_under(ridge_prior(lam), lam) for lam in lams),
    )


def _under(prior: IndependentPrior, lam: float) -> Under:
    problem = boston_problem(prior)
    moments = posterior_moments(problem)
    evidence = moments.log_marginal_likelihood
    assert evidence is not None  # noqa: S101  (it is, where the prior is proper)
    constant = evidence + problem.constant - prior.log_normalizer(2)  # the surface has the last
    plane = surface(problem, np.linspace(-0.2, 0.75, 286), np.linspace(0.2, 0.6, 121))
    return Under(
        touch=touch(problem),
        lam=lam,
        surface=Surface(plane.x, plane.y, plane.log_density - constant),
        mean=moments.mean,
        median=np.array([_median(problem, prior, moments, j) for j in range(2)]),
    )


def _median(problem: Problem, prior: IndependentPrior, moments: Moments, j: int) -> float:
    """Return where half of the exact marginal posterior of a coefficient lies below.

    ``p(βⱼ | y) ∝ p(βⱼ) p(y | βⱼ)``, and the second factor is the marginal likelihood of the other
    coefficient alone, which is known in closed form. Its log is smooth on either side of 0.
    """
    X, y = problem.design.X, problem.design.y

    def log_density(value: float) -> float:
        rest = Problem(
            X[:, [1 - j]],
            y - value * X[:, j],
            likelihood=problem.likelihood,
            prior=prior,
            intercept=False,
        )
        evidence = posterior_moments(rest).log_marginal_likelihood
        assert evidence is not None  # noqa: S101  (it is, where the prior is proper)
        return evidence + float(prior.log_densities(np.array([value]))[0])

    mean, sd = float(moments.mean[j]), float(moments.sd[j])
    # A density whose log is concave has at most exp(1 − t) of its mass beyond t sd.
    low, high = mean - 40 * sd, mean + 40 * sd
    ends = sorted({low, high, 0.0} if low < 0 < high else {low, high})
    top = log_density(mean)
    pieces = [
        Chebyshev.interpolate(np.vectorize(log_density), 24, domain=[a, b])
        for a, b in pairwise(ends)
    ]

    def mass(piece: Chebyshev, low: float, high: float) -> float:
        peak = [v for v in (mean - 4 * sd, mean + 4 * sd) if low < v < high]
        result = quad(lambda v: math.exp(piece(v) - top), low, high, points=peak, epsabs=1e-14)
        return float(result[0])

    def below(value: float) -> float:
        inside = zip(pieces, pairwise(ends), strict=True)
        return sum(mass(piece, a, min(b, value)) for piece, (a, b) in inside if a < value)

    total = below(high)
    return float(brentq(lambda v: below(v) - 0.5 * total, mean - sd, mean + sd, xtol=1e-12))
