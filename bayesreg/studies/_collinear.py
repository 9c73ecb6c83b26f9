"""Two columns that hardly differ: ridge splits, lasso picks, the posterior is a ridge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import bayesreg as br
from bayesreg.studies._densities import Quadratic, Surface, rivals, surface
from bayesreg.studies._summaries import draws_of

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior
    from bayesreg.studies._densities import Rival

ROWS, APART, TRUTH = 40, 0.12, (1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Ridge:
    """One prior on two columns that hardly differ.

    Attributes
    ----------
    rival : Rival
        The prior.
    surface : Surface
        Log posterior density.
    mode, mean : ndarray, shape (2,)
        Mode, and exact mean.
    draws : ndarray, shape (m, 2)
        From the posterior.
    sd_sum, sd_difference : float
        Posterior sd of ``β₁ + β₂`` and of ``β₁ − β₂``.
    mode_share, mean_share : ndarray, shape (repeats,)
        Share ``β₁/(β₁ + β₂)`` of the first column, for new noise on the same columns.
    copies_unique : bool
        Whether the mode is unique where the second column is a copy of the first.
    """

    rival: Rival
    surface: Surface
    mode: Vector
    mean: Vector
    draws: Matrix
    sd_sum: float
    sd_difference: float
    mode_share: Vector
    mean_share: Vector
    copies_unique: bool


@dataclass(frozen=True, eq=False)
class CollinearColumns:
    """Two columns that hardly differ, under a Gaussian and a Laplace prior of the same variance.

    Attributes
    ----------
    correlation : float
        Of the columns.
    truth, least_squares : ndarray, shape (2,)
        What made the target, and what fits it best.
    prior_sd_difference : float
        Sd of ``β₁ − β₂`` before the data, under both priors.
    ridge, lasso : Ridge
        The two posteriors.
    """

    correlation: float
    truth: Vector
    least_squares: Vector
    prior_sd_difference: float
    ridge: Ridge
    lasso: Ridge


def _collinear(prior: Prior) -> tuple[br.Problem, np.random.Generator]:
    """Return the study's problem under a prior, and the generator that new noise comes from."""
    rng = np.random.default_rng(6)
    first = rng.standard_normal(ROWS)
    X = np.column_stack([first, first + APART * rng.standard_normal(ROWS)])
    return _problem(X, X @ np.array(TRUTH) + rng.standard_normal(ROWS), prior), rng


def _problem(X: Matrix, y: Vector, prior: Prior) -> br.Problem:
    return br.Problem(X, y, likelihood=br.Gaussian(sigma=1.0), prior=prior, intercept=False)


def collinear_columns(seed: int = 0, *, draws: int = 500, repeats: int = 100) -> CollinearColumns:
    """Compare what ridge, lasso and their posteriors make of two nearly equal columns.

    Parameters
    ----------
    seed : int
        Of the draws.
    draws : int
        Per chain, of four.
    repeats : int
        New noises on the same columns.

    Examples
    --------
    >>> study = collinear_columns(draws=10, repeats=2)
    >>> study.ridge.copies_unique, study.lasso.copies_unique
    (True, False)
    """
    ridge, lasso = (
        _ridge(rival, draws=draws, repeats=repeats, seed=seed)
        for rival in rivals(1.0)
        if rival.name in ("Gaussian", "Laplace")
    )
    problem, _ = _collinear(br.Normal(1.0))
    return CollinearColumns(
        correlation=float(np.corrcoef(problem.design.X.T)[0, 1]),
        truth=np.array(TRUTH),
        least_squares=Quadratic.of(problem).least_squares,
        prior_sd_difference=math.sqrt(2.0),
        ridge=ridge,
        lasso=lasso,
    )


def _ridge(rival: Rival, *, draws: int, repeats: int, seed: int) -> Ridge:
    problem, rng = _collinear(rival.prior)
    X, y = problem.design.X, problem.design.y
    mode, moments = br.find_map(problem).coef, br.posterior_moments(problem)
    modes, means = [], []
    for _ in range(repeats):
        again = _problem(X, X @ np.array(TRUTH) + rng.standard_normal(ROWS), rival.prior)
        modes.append(br.find_map(again).coef)
        means.append(br.posterior_moments(again).mean)
    variance = moments.sd @ moments.sd
    twice = 2 * float(moments.covariance[0, 1])
    grid = np.linspace(-1.6, 3.6, 300)
    return Ridge(
        rival=rival,
        surface=surface(problem, grid, grid),
        mode=mode,
        mean=moments.mean,
        draws=draws_of(problem, draws=draws, seed=seed),
        sd_sum=math.sqrt(variance + twice),
        sd_difference=math.sqrt(variance - twice),
        mode_share=_share(np.array(modes)),
        mean_share=_share(np.array(means)),
        copies_unique=br.find_map(_problem(X[:, [0, 0]], y, rival.prior)).certificate.unique,
    )


def _share(coef: Matrix) -> Vector:
    return np.asarray(coef[:, 0] / coef.sum(axis=1))
