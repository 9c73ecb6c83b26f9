"""Two Gaussian clouds: without a prior a separated sample has no finite maximum; with one it has.

The document adds a column of ones and penalises its weight like the others, so the bias has the
same prior here: three coefficients and no intercept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import bayesreg as br
from bayesreg.studies._logistic_lasso import refusal
from bayesreg.studies._summaries import draws_of
from bayesreg.studies.descent import subgradient_descent

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.map import MapEstimate
    from bayesreg.priors import Prior
    from bayesreg.studies.descent import Descent

CENTRE, LAM = 2.0, 0.1
POINTS = 50
BAYES = (0.0, 4.0, 4.0)
#: The document's weights along (0, 1, 1).
SIZES = (1.0, 4.0, 10.0)
STEP_SIZE, STEPS = 0.1, 100
NAMES = ["bias", "w₁", "w₂"]


def clouds(seed: int = 0, points: int = POINTS) -> tuple[Matrix, Vector, Vector]:
    """Draw two clouds of variance 1 around (−2, −2), class 0, and (2, 2), class 1.

    Parameters
    ----------
    seed : int
        Of the clouds and of where the document's descent begins.
    points : int
        Of each.

    Returns
    -------
    tuple
        Ones and coordinates, shape (2 · points, 3); classes; start, shape (3,).
    """
    rng = np.random.default_rng(seed)
    y = np.repeat([0.0, 1.0], points)
    x = rng.standard_normal((y.size, 2)) + CENTRE * (2.0 * y[:, None] - 1.0)
    return np.column_stack([np.ones(y.size), x]), y, rng.standard_normal(3)


def clouds_problem(X: Matrix, y: Vector, prior: Prior) -> br.Problem:
    """Return the logistic regression with the bias as a coefficient."""
    return br.Problem(
        X, y, likelihood=br.Bernoulli(), prior=prior, intercept=False, names=list(NAMES)
    )


def precision_prior(lam: float) -> br.Normal:
    """Return the prior that ``λ‖w‖²/2`` is: variance ``1/λ``."""
    return br.Normal(1.0 / math.sqrt(lam))


def one_point() -> br.Problem:
    """Return the document's point (1, 1), of class 1, and its mirror image, with weights 1/2.

    A problem needs both classes; where the bias is 0 the two have the same log likelihood, so that
    of the problem is the point's own.

    Examples
    --------
    >>> [f"{-one_point().loss(np.array([0.0, t, t])):.3g}" for t in (4.0, 1.0, 10.0)]
    ['-0.000335', '-0.127', '-2.06e-09']
    """
    X = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0]])
    return br.Problem(
        X,
        [1.0, 0.0],
        likelihood=br.Bernoulli(),
        prior=br.Flat(),
        intercept=False,
        weights=[0.5] * 2,
    )


def endless_problem(nodes: int = 801) -> br.Problem:
    """Return infinitely many points of the clouds, as nodes with weights that sum to 1.

    Along (0, t, t) only ``x₁ + x₂`` matters, which is Normal(±4, 2), so nodes on the diagonal do;
    sums over even steps are exact to rounding for densities as smooth as these.

    Parameters
    ----------
    nodes : int
        For each class, within 9 sd.
    """
    step = np.linspace(-9.0, 9.0, nodes)
    weight = np.exp(-0.5 * step**2)
    half = np.concatenate([step / math.sqrt(2.0) + sign * CENTRE for sign in (-1, 1)])
    mass = np.concatenate([weight, weight]) / (2.0 * weight.sum())
    return br.Problem(
        np.column_stack([np.ones(half.size), half, half]),
        np.repeat([0.0, 1.0], nodes),
        likelihood=br.Bernoulli(),
        prior=br.Flat(),
        intercept=False,
        weights=mass,
    )


# --------------------------------------------------------------------------- the study


@dataclass(frozen=True, eq=False)
class SeparatedClouds:
    """Two clouds with a gap between them.

    Attributes
    ----------
    X : ndarray, shape (n, 3)
        Ones and coordinates.
    y : ndarray, shape (n,)
        Classes.
    refusal : str
        What the library says without a prior.
    lam : float
        The document's: prior variance ``1/λ``.
    mode : MapEstimate
        Under that prior.
    draws : ndarray, shape (m, 3)
        From the posterior.
    sizes : ndarray, shape (g,)
        t of the weights (0, t, t).
    point, sample, endless : ndarray, shape (g,)
        Minus the log likelihood there, in nats: of the point (1, 1); per point of the sample; and
        expected of a new point.
    penalised : ndarray, shape (g,)
        Loss and penalty of the sample together, per point.
    best_endless, best_penalised : float
        t at which the last two are smallest.
    variances : ndarray, shape (k,)
        Prior variances.
    modes : ndarray, shape (k, 3)
        Under each of them.
    plain, document : Descent
        100 steps of 0.1, without penalty and with the document's.
    printed, objective : ndarray, shape (101,)
        Of the document's descent: what it prints, which is the loss alone, and what it descends.
    """

    X: Matrix
    y: Vector
    refusal: str
    lam: float
    mode: MapEstimate
    draws: Matrix
    sizes: Vector
    point: Vector
    sample: Vector
    endless: Vector
    penalised: Vector
    best_endless: float
    best_penalised: float
    variances: Vector
    modes: Matrix
    plain: Descent
    document: Descent
    printed: Vector
    objective: Vector


def separated_clouds(seed: int = 0, *, draws: int = 250) -> SeparatedClouds:
    """Compute what becomes of two clouds without a prior, and with variance ``1/λ``.

    Parameters
    ----------
    seed : int
        Of the clouds and the draws.
    draws : int
        Per chain, of four.

    Examples
    --------
    >>> study = separated_clouds(draws=5)
    >>> "separated" in study.refusal, study.mode.coef.round(2).tolist()
    (True, [0.04, 3.1, 2.38])
    """
    X, y, start = clouds(seed)
    flat, prior = clouds_problem(X, y, br.Flat()), precision_prior(LAM)
    problem, endless = flat.with_prior(prior), endless_problem()
    sizes = np.linspace(0.0, 11.0, 221)

    def along(one: br.Problem) -> Vector:
        return np.array([one.penalised(np.array([0.0, t, t])) for t in sizes])

    def run(one: br.Problem) -> Descent:
        return subgradient_descent(one, start=start, step_size=STEP_SIZE, most=STEPS)

    document, variances = run(problem), np.geomspace(0.01, 1e6, 65)
    priors = [precision_prior(1.0 / variance) for variance in variances]
    return SeparatedClouds(
        X=X,
        y=y,
        refusal=refusal(flat),
        lam=LAM,
        mode=br.find_map(problem),
        draws=draws_of(problem, draws=draws, seed=seed),
        sizes=sizes,
        point=along(one_point()),
        sample=along(flat) / y.size,
        endless=along(endless),
        penalised=along(problem) / y.size,
        best_endless=_diagonal_mode(endless, br.Flat()),
        # λ(t² + t²)/2 is the penalty of one weight with twice the precision.
        best_penalised=_diagonal_mode(problem, precision_prior(2.0 * LAM)),
        variances=variances,
        modes=np.array([br.find_map(flat.with_prior(each)).coef for each in priors]),
        plain=run(flat),
        document=document,
        printed=np.array([problem.loss(point) for point in document.points]),
        objective=document.values,
    )


def _diagonal_mode(problem: br.Problem, prior: Prior) -> float:
    """Return t at which the penalised loss of (0, t, t) is smallest: one column, ``x₁ + x₂``."""
    design = problem.design
    column = br.Problem(
        design.X[:, 1:].sum(axis=1, keepdims=True),
        design.y,
        likelihood=br.Bernoulli(),
        prior=prior,
        intercept=False,
        weights=design.weights,
    )
    return float(br.find_map(column).coef[0])
