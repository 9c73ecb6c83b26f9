"""Where level sets of a loss and of a penalty touch: the mode, penalised and constrained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.constrained import constrained_form, penalised_form
from bayesreg.errors import DegenerateMode
from bayesreg.map import find_map
from bayesreg.path import map_path
from bayesreg.priors import (
    Bridge,
    ElasticNet,
    GeneralizedDoublePareto,
    Horseshoe,
    Laplace,
    LInfinity,
    Normal,
    StudentT,
)
from bayesreg.studies._boston import boston_problem, lasso_prior, ridge_prior
from bayesreg.studies._contours import Ellipses, prior_curve
from bayesreg.studies._densities import Quadrature

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bayesreg._validation import Matrix, Vector
    from bayesreg.certificate import Certificate
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem

#: λ in nats, weak to strong. L1: two tangencies on an edge of the diamond, two at its corner.
SWEEP, RIDGE_SWEEP = (10.0, 40.0, 100.0, 250.0), (25.0, 100.0, 300.0, 1000.0)


@dataclass(frozen=True, eq=False)
class Touch:
    """Where a level set of the loss touches one of the penalty.

    Attributes
    ----------
    problem : Problem
        Whose mode it is.
    name : str
        The penalty's.
    point : ndarray, shape (2,)
        The mode; the posterior mean, where the density has a pole and no mode.
    certificate : Certificate or None
        Of the mode.
    why_no_mode : str
        The message of the refusal, where there is none.
    least_squares : ndarray, shape (2,)
        Centre of the ellipses.
    ellipse, curve : ndarray, shape (m, 2)
        Level sets of loss and penalty through the point.
    pull : ndarray, shape (2,)
        Minus the gradient of the loss there, nats per unit: a normal of both level sets.
    """

    problem: Problem
    name: str
    point: Vector
    certificate: Certificate | None
    why_no_mode: str
    least_squares: Vector
    ellipse: Matrix
    curve: Matrix
    pull: Vector


def touch(problem: Problem, name: str = "") -> Touch:
    """Return the mode of a problem with two coefficients, and the level sets that touch there.

    Parameters
    ----------
    problem : Problem
        Gaussian likelihood, no intercept, any prior of the library around 0.
    name : str
        The penalty's name; by default what the library calls it.

    Returns
    -------
    Touch
        Also where there is no mode: then the curves cross at the posterior mean.

    Examples
    --------
    >>> corner = touch(boston_problem(Laplace(1 / 100)))
    >>> corner.point.round(6).tolist(), corner.pull.round(6).tolist()
    ([0.0, 0.378226], [63.77457, 100.0])
    """
    try:
        fit = find_map(problem)
        point, certificate, reason = fit.coef, fit.certificate, ""
    except DegenerateMode as error:
        point, certificate, reason = Quadrature.of(problem).mean, None, str(error)
    ellipses = Ellipses.of(problem)
    return Touch(
        problem=problem,
        name=name or problem.prior.penalised_name,
        point=point,
        certificate=certificate,
        why_no_mode=reason,
        least_squares=ellipses.centre,
        ellipse=ellipses.curve(problem.loss(point)),
        curve=prior_curve(problem.prior, point),
        pull=-problem.gradient(point)[0],
    )


@dataclass(frozen=True, eq=False)
class Sweep:
    """One penalty at several λ.

    Attributes
    ----------
    name : str
        The penalty.
    lams : tuple of float
        In nats: ``λ‖w‖₁``, or ``λ‖w‖²/2``.
    touches : tuple of Touch
        One per λ.
    radii : tuple of float
        Norm of each mode.
    constrained : ndarray, shape (k, 2)
        Minimum of the loss within each radius, solved as a problem of its own.
    multipliers : tuple of float
        Of these constraints, nats per unit of radius: λ for L1, ``λ·radius`` for L2.
    path : ndarray, shape (m, 2)
        Modes for all λ in between.
    """

    name: str
    lams: tuple[float, ...]
    touches: tuple[Touch, ...]
    radii: tuple[float, ...]
    constrained: Matrix
    multipliers: tuple[float, ...]
    path: Matrix


@dataclass(frozen=True, eq=False)
class Tangency:
    """Tangencies of the same loss with diamonds and with circles.

    Attributes
    ----------
    least_squares : ndarray, shape (2,)
        Centre of the ellipses.
    knots : ndarray, shape (2,)
        λ from which both coefficients, and the first, are 0 under L1.
    lasso, ridge : Sweep
        L1 and L2.
    """

    least_squares: Vector
    knots: Vector
    lasso: Sweep
    ridge: Sweep


def tangency(
    lams: tuple[float, ...] = SWEEP, ridge_lams: tuple[float, ...] = RIDGE_SWEEP
) -> Tangency:
    """Find where the level sets touch, as a penalised and as a constrained problem.

    Parameters
    ----------
    lams, ridge_lams : tuple of float
        In nats: of ``λ‖w‖₁``, each smaller than the λ at which L1 has only zeros, and of
        ``λ‖w‖²/2``.

    Returns
    -------
    Tangency
        The constrained problems are solved themselves, without a search over λ.

    Examples
    --------
    >>> touching = tangency((100.0,), (100.0,))
    >>> touching.lasso.constrained.round(6).tolist(), round(touching.lasso.multipliers[0], 6)
    ([[0.0, 0.378226]], 100.0)
    """
    lasso = boston_problem(lasso_prior(lams[0]))
    knots = map_path(lasso, [1.0]).knots
    assert knots is not None  # noqa: S101  (a Gaussian lasso is piecewise linear)
    # Bends of the path are points of the line.
    every = np.unique(np.concatenate([np.geomspace(0.1, 1e5, 400), knots]))
    return Tangency(
        least_squares=Ellipses.of(lasso).centre,
        knots=knots,
        lasso=_sweep("L1", lasso_prior, lams, every),
        ridge=_sweep("L2", ridge_prior, ridge_lams, every),
    )


def _sweep(
    name: str,
    prior_of: Callable[[float], Laplace | Normal],
    lams: tuple[float, ...],
    every: Vector,
) -> Sweep:
    problems = [boston_problem(prior_of(lam)) for lam in lams]
    forward = [constrained_form(problem) for problem in problems]
    backward = [penalised_form(form.constrained) for form in forward]
    scales = [float(prior_of(lam).numbers(1)[0]) for lam in every.tolist()]
    return Sweep(
        name=name,
        lams=lams,
        touches=tuple(touch(problem, name) for problem in problems),
        radii=tuple(form.radius for form in forward),
        constrained=np.array([form.coef for form in backward]),
        multipliers=tuple(form.multiplier for form in backward),
        path=map_path(problems[0], scales).coef,
    )


# --------------------------------------------------------------------------- any prior

PRIORS: tuple[tuple[str, Prior], ...] = (
    ("ridge: Normal", Normal(0.1)),
    ("elastic net", ElasticNet(1 / 50, 0.1)),
    ("lasso: Laplace", Laplace(1 / 80)),
    ("L∞", LInfinity(1 / 100)),
    ("Student t, ν = 10", StudentT(10.0, 0.1)),
    ("double Pareto", GeneralizedDoublePareto(0.01, shape=10.0)),
    ("bridge: power ½", Bridge(0.0012, power=0.5)),
    ("horseshoe", Horseshoe(0.02)),
)


def level_sets_of_priors(priors: Sequence[tuple[str, Prior]] = PRIORS) -> tuple[Touch, ...]:
    """Find where level sets of the same loss and of several priors touch.

    Parameters
    ----------
    priors : sequence of (str, Prior)
        Name and prior: any of the library around 0, each of two coefficients.

    Returns
    -------
    tuple of Touch
        One per prior.

    Examples
    --------
    >>> [panel.name for panel in level_sets_of_priors() if (panel.point == 0).any()]
    ['lasso: Laplace', 'double Pareto', 'bridge: power ½']
    """
    return tuple(touch(boston_problem(prior), name) for name, prior in priors)
