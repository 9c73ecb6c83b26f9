"""Document 2: one weight, its loss, two penalties, and which of the penalised losses ends at 0.

The document gives neither its data nor its λ, so both are chosen here: ``y = w·x`` with
``w = 0.5`` at ``x = −2, −1, 0, 1, 2``, and ``λ = 3``. Its loss is the mean squared error, and minus
a Gaussian log likelihood with variance ``n/2`` is the same function: nats are its units.

With ``m = mean(x²)``, here 2, ``MSE(w) = m (w − 0.5)²``. The derivative ``2m (w − 0.5)`` of the
loss at 0 is held by ``±λ`` from ``λ = 2m·0.5 = 2`` on, so that the minimum of ``MSE + λ|w|`` is
exactly 0 there and ``0.5 − λ/(2m)`` before; that of ``MSE + λw²`` is ``0.5·m/(m + λ)``, above 0 at
every λ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

from bayesreg.likelihoods import Gaussian
from bayesreg.map import find_map
from bayesreg.path import map_path
from bayesreg.posterior import posterior_moments
from bayesreg.priors import Flat, Laplace, Normal
from bayesreg.problem import Problem
from bayesreg.studies.descent import proximal_descent, subgradient_descent
from bayesreg.studies.exhibit import Exhibit

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector
    from bayesreg.certificate import Certificate
    from bayesreg.posterior.moments import Moments
    from bayesreg.priors import Prior
    from bayesreg.studies.descent import Descent

TRUTH = 0.5
INPUTS = (-2.0, -1.0, 0.0, 1.0, 2.0)
LAM = 3.0
#: Where the descents begin, and their step: a fifth of what the loss alone would stand.
START, STEP_SIZE, STEPS = 1.0, 0.02, 60


# --------------------------------------------------------------------------- the problem


def one_weight_problem(prior: Prior) -> Problem:
    """Return the document's problem under a prior: its loss is the mean squared error.

    Parameters
    ----------
    prior : Prior
        Of the one weight; `Flat` for the loss by itself.

    Returns
    -------
    Problem
        With noise variance ``n/2``, so that ``‖y − xw‖²/(2σ²) = ‖y − xw‖²/n``.

    Examples
    --------
    >>> import numpy as np
    >>> round(one_weight_problem(Flat()).loss(np.array([0.0])), 12)  # mean of (0.5 x)²
    0.5
    """
    x = np.array(INPUTS)
    sigma = math.sqrt(x.size / 2)
    return Problem(
        x[:, None],
        TRUTH * x,
        likelihood=Gaussian(sigma),
        prior=prior,
        intercept=False,
        names=["w"],
    )


def lasso_prior(lam: float) -> Laplace:
    """Return the prior that ``λ|w|`` is: Laplace of scale ``1/λ``."""
    return Laplace(1.0 / lam)


def ridge_prior(lam: float) -> Normal:
    """Return the prior that ``λw²`` is: Normal of sd ``1/√(2λ)``."""
    return Normal(1.0 / math.sqrt(2.0 * lam))


def critical_lam(problem: Problem) -> float:
    """Return the smallest λ, in nats, at which every coefficient of a lasso is exactly 0.

    Parameters
    ----------
    problem : Problem
        Without intercept; its prior does not matter.

    Returns
    -------
    float
        ``max_j |∂ loss/∂β_j|`` at 0, for a Gaussian likelihood ``max |X'y|/σ²`` (Osborne, Presnell
        & Turlach 2000).

    Examples
    --------
    >>> round(critical_lam(one_weight_problem(Flat())), 12)
    2.0
    """
    slope, _ = problem.gradient(np.zeros(problem.p))
    return float(np.abs(slope).max())


# --------------------------------------------------------------------------- the three curves


@dataclass(frozen=True, eq=False)
class Penalised:
    """One penalty of the weight, and what it does to the minimum of the loss.

    Attributes
    ----------
    problem : Problem
        Loss and penalty.
    penalty, total : ndarray, shape (g,)
        The penalty and the penalised loss over the grid, in nats.
    mode : float
        Where the penalised loss is smallest.
    lowest : float
        The penalised loss there, in nats.
    certificate : Certificate
        Of the mode.
    sweep : ndarray, shape (k,)
        Modes at each λ of the sweep.
    """

    problem: Problem
    penalty: Vector
    total: Vector
    mode: float
    lowest: float
    certificate: Certificate
    sweep: Vector


@dataclass(frozen=True, eq=False)
class OneWeight:
    """Loss, penalties and penalised losses of one weight.

    Attributes
    ----------
    weights : ndarray, shape (g,)
        The grid of weights.
    loss : ndarray, shape (g,)
        Mean squared error, which is minus the log likelihood in nats.
    lam : float
        Multiplies ``|w|`` and ``w²``.
    critical : float
        Smallest λ at which the L1 minimum is 0.
    lams : ndarray, shape (k,)
        The sweep of λ.
    unpenalised : float
        Where the loss is smallest.
    lasso, ridge : Penalised
        L1 and L2.
    """

    weights: Vector
    loss: Vector
    lam: float
    critical: float
    lams: Vector
    unpenalised: float
    lasso: Penalised
    ridge: Penalised


def one_weight(lam: float = LAM) -> OneWeight:
    """Compute loss, penalties and penalised losses, with their minima, for one λ and a sweep.

    Parameters
    ----------
    lam : float
        Multiplies ``|w|`` and ``w²`` alike.

    Returns
    -------
    OneWeight
        Every minimum is an exact mode.

    Examples
    --------
    >>> result = one_weight(lam=3.0)
    >>> result.lasso.mode, round(result.ridge.mode, 12), round(result.critical, 12)
    (0.0, 0.2, 2.0)
    """
    flat = one_weight_problem(Flat())
    weights = np.linspace(-1.0, 1.5, 251)
    critical = critical_lam(flat)
    lams = np.sort(np.append(np.linspace(0.04, 5.0, 125), critical))
    return OneWeight(
        weights=weights,
        loss=np.array([flat.loss(np.array([w])) for w in weights]),
        lam=lam,
        critical=critical,
        lams=lams,
        unpenalised=float(find_map(flat).coef[0]),
        lasso=_penalised(lasso_prior, lam, weights, lams),
        ridge=_penalised(ridge_prior, lam, weights, lams),
    )


def _penalised(
    prior_of: Callable[[float], Laplace | Normal], lam: float, weights: Vector, lams: Vector
) -> Penalised:
    problem = one_weight_problem(prior_of(lam))
    fit = find_map(problem)
    scales = [float(prior_of(each).numbers(1)[0]) for each in lams]
    return Penalised(
        problem=problem,
        penalty=np.array([problem.penalty.value(np.array([w])) for w in weights]),
        total=np.array([problem.penalised(np.array([w])) for w in weights]),
        mode=float(fit.coef[0]),
        lowest=problem.penalised(fit.coef),
        certificate=fit.certificate,
        sweep=map_path(problem, scales).coef[:, 0],
    )


# --------------------------------------------------------------------------- the same, as densities


@dataclass(frozen=True, eq=False)
class Reading:
    """Prior, likelihood and posterior of the weight under one prior.

    Attributes
    ----------
    problem : Problem
        The posterior.
    prior, posterior : ndarray, shape (g,)
        Log densities over the grid; minus them are the curves in nats.
    mode, mean, median : float
        Of the posterior.
    """

    problem: Problem
    prior: Vector
    posterior: Vector
    mode: float
    mean: float
    median: float


@dataclass(frozen=True, eq=False)
class Readings:
    """The three curves of one weight, read as densities.

    Attributes
    ----------
    weights : ndarray, shape (g,)
        The grid of weights.
    likelihood : ndarray, shape (g,)
        Log likelihood over the grid, scaled to be a density of the weight: a posterior under the
        flat prior.
    lam : float
        Multiplies ``|w|`` and ``w²``.
    lasso, ridge : Reading
        Laplace and Normal prior.
    """

    weights: Vector
    likelihood: Vector
    lam: float
    lasso: Reading
    ridge: Reading


def one_weight_densities(lam: float = LAM) -> Readings:
    """Compute log prior, log likelihood and log posterior, every constant included.

    Parameters
    ----------
    lam : float
        Multiplies ``|w|`` and ``w²`` alike.

    Returns
    -------
    Readings
        The posterior's constant is the exact marginal likelihood.

    Examples
    --------
    >>> lasso = one_weight_densities().lasso
    >>> lasso.mode, round(lasso.mean, 3), round(lasso.median, 3)
    (0.0, 0.182, 0.142)
    """
    weights = np.linspace(-1.0, 1.5, 501)
    flat = one_weight_problem(Flat())
    moments = posterior_moments(flat)
    # Under a flat prior the weight is Normal, and a prior of that name has its density.
    normal = Normal(moments.sd, loc=moments.mean)
    return Readings(
        weights=weights,
        likelihood=np.array([normal.log_density(np.array([w])) for w in weights]),
        lam=lam,
        lasso=_reading(lasso_prior(lam), weights),
        ridge=_reading(ridge_prior(lam), weights),
    )


def _reading(prior: Laplace | Normal, weights: Vector) -> Reading:
    problem, points = one_weight_problem(prior), weights[:, None]
    moments = posterior_moments(problem)
    evidence = moments.log_marginal_likelihood
    assert evidence is not None  # noqa: S101  (it is, where the prior is proper)
    return Reading(
        problem=problem,
        prior=np.array([prior.log_density(point) for point in points]),
        posterior=np.array([-problem.objective(point) - evidence for point in points]),
        mode=float(find_map(problem).coef[0]),
        mean=float(moments.mean[0]),
        median=_median(problem, evidence, moments),
    )


def _median(problem: Problem, evidence: float, moments: Moments) -> float:
    """Return where the integral of the exact density from below is a half."""

    def density(w: float) -> float:
        return math.exp(-problem.objective([w]) - evidence)

    mean, sd = float(moments.mean[0]), float(moments.sd[0])

    def below(w: float) -> float:
        # The kink of the density at 0 is named to the rule; 12 sd leave nothing out.
        return float(quad(density, mean - 12 * sd, w, points=[0.0], epsabs=1e-12)[0])

    return float(brentq(lambda w: below(w) - 0.5, mean - sd, mean + sd, xtol=1e-12))


# --------------------------------------------------------------------------- descent


@dataclass(frozen=True, eq=False)
class Descents:
    """Descents of the same loss under two penalties.

    Attributes
    ----------
    weights : ndarray, shape (g,)
        A grid of weights.
    pull : ndarray, shape (g,)
        Minus the slope of the loss over the grid, in nats per unit.
    lasso_push, ridge_push : ndarray, shape (g,)
        Slopes of the penalties there, which push the other way.
    lam : float
        Multiplies ``|w|`` and ``w²``.
    unpenalised, ridge, lasso, subgradient : Descent
        Gradient descent on the loss and under L2; ISTA and the subgradient method under L1.
    """

    weights: Vector
    pull: Vector
    lasso_push: Vector
    ridge_push: Vector
    lam: float
    unpenalised: Descent
    ridge: Descent
    lasso: Descent
    subgradient: Descent


def one_weight_descent(lam: float = LAM, step_size: float = STEP_SIZE) -> Descents:
    """Descend the penalised losses from the same start with the same step.

    Parameters
    ----------
    lam : float
        Multiplies ``|w|`` and ``w²`` alike.
    step_size : float
        Of every descent.

    Returns
    -------
    Descents
        Trajectories and pushes.

    Examples
    --------
    >>> runs = one_weight_descent()
    >>> float(runs.lasso.points[-1, 0]), bool((runs.subgradient.points == 0).any())
    (0.0, False)
    """
    flat = one_weight_problem(Flat())
    lasso, ridge = (one_weight_problem(prior(lam)) for prior in (lasso_prior, ridge_prior))
    weights = np.linspace(-0.5, 1.0, 301)

    begun: dict[str, Any] = {"start": np.array([START]), "step_size": step_size, "most": STEPS}
    return Descents(
        weights=weights,
        pull=np.array([-flat.gradient(np.array([w]))[0][0] for w in weights]),
        lasso_push=lasso.elastic_net.slope(weights),
        ridge_push=ridge.elastic_net.slope(weights),
        lam=lam,
        unpenalised=subgradient_descent(flat, **begun),
        ridge=subgradient_descent(ridge, **begun),
        lasso=proximal_descent(lasso, **begun),
        subgradient=subgradient_descent(lasso, **begun),
    )


# --------------------------------------------------------------------------- the exhibits

EXHIBITS = (
    Exhibit(
        "one_weight",
        "One weight: loss, penalties, penalised losses; L1 ends at 0, L2 between 0 and 0.5",
        2,
        lambda _: one_weight(),
    ),
    Exhibit(
        "one_weight_densities",
        "The same three curves as likelihood, prior and posterior: minus their logs, and densities",
        2,
        lambda _: one_weight_densities(),
    ),
    Exhibit(
        "one_weight_descent",
        "Descents under L1 and L2: one push stays constant, the other fades",
        2,
        lambda _: one_weight_descent(),
    ),
)
