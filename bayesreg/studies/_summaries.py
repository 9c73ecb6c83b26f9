"""One posterior, several summaries: mode, mean, median and draws under rival priors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import bayesreg as br
from bayesreg.studies._densities import Quadratic, Quadrature, Rival, Surface, rivals, surface

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

# Least squares, its standard errors and its correlation, of the two coefficients.
LEAST_SQUARES, STANDARD_ERROR, CORRELATION = (1.3, 0.15), 0.5, -0.5
PRIOR_SD = 1.0


def draws_of(problem: br.Problem, *, draws: int, seed: int) -> Matrix:
    """Sample the coefficients, chains joined; shape (4 · draws, p)."""
    tree = br.sample(problem, draws=draws, seed=seed, progress=False)
    return np.asarray(tree["posterior"]["beta"], dtype=np.float64).reshape(-1, problem.p)


def two_coefficients() -> br.Problem:
    """Return data with these least squares and standard errors, noise of sd 1, a flat prior.

    Two rows suffice: ``X = R`` and ``y = Rβ̂`` with ``RᵀR`` the inverse of the covariance.
    """
    rho = np.array([[1.0, CORRELATION], [CORRELATION, 1.0]])
    rows = np.linalg.cholesky(np.linalg.inv(STANDARD_ERROR**2 * rho)).T
    target = rows @ np.array(LEAST_SQUARES)
    return br.Problem(
        rows, target, likelihood=br.Gaussian(sigma=1.0), prior=br.Flat(), intercept=False
    )


@dataclass(frozen=True, eq=False)
class Summaries:
    """One posterior of two coefficients.

    Attributes
    ----------
    rival : Rival
        The prior.
    surface : Surface
        Log posterior density; of a spike and slab, where neither coefficient is 0.
    mode : ndarray, shape (2,), or None
        Where there is one.
    why_no_mode : str
        The message of the refusal, where there is none.
    mean, median : ndarray, shape (2,)
        Of each coefficient.
    draws : ndarray, shape (m, 2)
        From the posterior.
    zero : ndarray, shape (2,)
        Posterior probability that a coefficient is exactly 0.
    both_zero : float
        Posterior probability that both are.
    """

    rival: Rival
    surface: Surface
    mode: Vector | None
    why_no_mode: str
    mean: Vector
    median: Vector
    draws: Matrix
    zero: Vector
    both_zero: float


@dataclass(frozen=True, eq=False)
class PosteriorSummaries:
    """The same data under several priors.

    Attributes
    ----------
    least_squares : ndarray, shape (2,)
        What the data alone say.
    panels : tuple of Summaries
        One per prior.
    """

    least_squares: Vector
    panels: tuple[Summaries, ...]


def posterior_summaries(seed: int = 0, *, draws: int = 2500) -> PosteriorSummaries:
    """Summarise the posterior of the same two coefficients under four priors.

    Parameters
    ----------
    seed : int
        Of the draws.
    draws : int
        Per chain, of four.

    Returns
    -------
    PosteriorSummaries
        Gaussian, Laplace, horseshoe, spike and slab.

    Examples
    --------
    >>> study = posterior_summaries(draws=10)
    >>> [panel.mode.round(4).tolist() for panel in study.panels if panel.mode is not None]
    [[1.0626, 0.2263], [1.1098, 0.0]]
    """
    data = two_coefficients()
    chosen = [rival for rival in rivals(PRIOR_SD) if rival.name != "Pareto"]
    panels = tuple(_summaries(data, rival, draws, seed) for rival in chosen)
    return PosteriorSummaries(Quadratic.of(data).least_squares, panels)


def _summaries(data: br.Problem, rival: Rival, draws: int, seed: int) -> Summaries:
    problem = data.with_prior(rival.prior)
    exact = Quadrature.of(problem)
    mode, reason = _mode(problem)
    # No node is 0, where a horseshoe is infinite and a spike has its atom.
    x, y = np.linspace(-0.9, 2.7, 300), np.linspace(-1.4, 1.9, 300)
    return Summaries(
        rival=rival,
        surface=surface(problem, x, y),
        mode=mode,
        why_no_mode=reason,
        mean=exact.mean,
        median=exact.median,
        draws=draws_of(problem, draws=draws, seed=seed),
        zero=np.array([exact.marginal(j).zero for j in range(2)]),
        both_zero=exact.both_zero,
    )


def _mode(problem: br.Problem) -> tuple[Vector | None, str]:
    try:
        return br.find_map(problem).coef, ""
    except br.errors.DegenerateMode as error:
        return None, str(error)


# --------------------------------------------------------------------------- one observation


@dataclass(frozen=True, eq=False)
class Rule:
    """What one prior makes of one observation.

    Attributes
    ----------
    rival : Rival
        The prior.
    mode : ndarray, shape (m,), or None
        Mode at each observation, where there is one.
    mean, median : ndarray, shape (m,)
        Of the posterior.
    """

    rival: Rival
    mode: Vector | None
    mean: Vector
    median: Vector


@dataclass(frozen=True, eq=False)
class ShrinkageRules:
    """Estimates of β from one observation ``y ~ N(β, 1)``.

    Attributes
    ----------
    y : ndarray, shape (m,)
        The observation, in sd of the noise.
    rules : tuple of Rule
        One per prior.
    """

    y: Vector
    rules: tuple[Rule, ...]


def shrinkage_rules(seed: int = 0, *, count: int = 121) -> ShrinkageRules:
    """Compute mode, mean and median of the posterior as functions of one observation.

    Parameters
    ----------
    seed : int
        Not used: nothing is drawn.
    count : int
        Number of observations between −6 and 6.

    Returns
    -------
    ShrinkageRules
        Under five priors of the same standard deviation, 2; the horseshoe at the same quartile.

    Notes
    -----
    The mode is the prox of the penalty; mean and median are sums over nodes that are exact to
    rounding, so the means agree with `bayesreg.posterior_moments` where that has a closed form.

    Examples
    --------
    >>> study = shrinkage_rules(count=5)
    >>> study.y, study.rules[1].mode.round(4)
    (array([-6., -3.,  0.,  3.,  6.]), array([-5.2929, -2.2929,  0.    ,  2.2929,  5.2929]))
    """
    del seed
    y = np.linspace(-6.0, 6.0, count)
    return ShrinkageRules(y, tuple(_rule(rival, y) for rival in rivals(2.0)))


def one_observation(y: float, rival: Rival) -> br.Problem:
    """Return the problem ``y ~ N(β, 1)`` under a prior."""
    return br.Problem(
        [[1.0]], [y], likelihood=br.Gaussian(sigma=1.0), prior=rival.prior, intercept=False
    )


def _rule(rival: Rival, y: Vector) -> Rule:
    lines = [Quadrature.of(one_observation(value, rival)).marginal(0) for value in y.tolist()]
    return Rule(
        rival=rival,
        mode=rival.prior.penalty(y.size).prox(y, 1.0) if rival.has_mode else None,
        mean=np.array([line.mean for line in lines]),
        median=np.array([line.median for line in lines]),
    )
