"""The document's 50 rows and 50 columns: its subgradient method, the exact mode, the posterior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

import bayesreg as br
from bayesreg.studies._summaries import draws_of
from bayesreg.studies.descent import subgradient_descent

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.map import MapEstimate
    from bayesreg.priors import Prior
    from bayesreg.studies.descent import Descent

ROWS = COLUMNS = 50
WEIGHTS = (1.0, 0.5, -0.5)
NOISE, REACH = 0.5, 5.0
LAMS = (2.0, 10.0)
STEP_SIZE, STEPS = 0.001, 5000
#: The document fixes no seed. With this one, its first three columns alone separate no classes.
SEED = 7


# --------------------------------------------------------------------------- the data


@dataclass(frozen=True, eq=False)
class Rows:
    """Data as the document makes them.

    Attributes
    ----------
    X : ndarray, shape (n, p)
        Uniform on (−5, 5).
    y : ndarray, shape (n,)
        0 or 1.
    start : ndarray, shape (p,)
        Where its descent begins.
    """

    X: Matrix
    y: Vector
    start: Vector

    def problem(self, prior: Prior, columns: int | None = None) -> br.Problem:
        """Return the logistic regression on the first columns under a prior."""
        X = self.X[:, :columns]
        return br.Problem(X, self.y, likelihood=br.Bernoulli(), prior=prior, intercept=False)


def true_weights(columns: int = COLUMNS) -> Vector:
    """Return (1, 0.5, −0.5, 0, …), shape (columns,)."""
    weights = np.zeros(columns)
    weights[: len(WEIGHTS)] = WEIGHTS
    return weights


def make_rows(seed: int = SEED, rows: int = ROWS, columns: int = COLUMNS) -> Rows:
    """Make data as the document does: ``y = round(σ(x·w + ε))`` with ε of sd 0.5.

    Rounding leaves no coin to be tossed: y is whether ``x·w + ε > 0``.

    Parameters
    ----------
    seed : int
        Of columns, noise and start, in this order.
    rows, columns : int
        The document's are 50 and 50.

    Examples
    --------
    >>> rows = make_rows()
    >>> rows.X.shape, rows.y.mean().item()
    ((50, 50), 0.54)
    """
    rng = np.random.default_rng(seed)
    X = rng.uniform(-REACH, REACH, (rows, columns))
    y = X @ true_weights(columns) + NOISE * rng.standard_normal(rows) > 0
    return Rows(X, y.astype(float), rng.standard_normal(columns) / np.sqrt(columns))


def logistic_weights_of_the_rule(nodes: int = 24) -> Vector:
    """Return the logistic regression that is nearest to how the document makes y, shape (3,).

    Its y is a probit: ``P(y = 1 | x) = Φ(x·w/0.5)``. The logistic regression of infinitely many
    rows maximises the expected log likelihood, here a Gauss–Legendre sum over the cube of x.

    Parameters
    ----------
    nodes : int
        Along each of the three columns.

    Examples
    --------
    >>> logistic_weights_of_the_rule().round(2).tolist()
    [3.62, 1.81, -1.81]
    """
    place, weight = np.polynomial.legendre.leggauss(nodes)
    X = REACH * np.stack(np.meshgrid(place, place, place), axis=-1).reshape(-1, 3)
    mass = np.prod(np.stack(np.meshgrid(weight, weight, weight), axis=-1).reshape(-1, 3), axis=1)
    chance = ndtr(X @ np.array(WEIGHTS) / NOISE)
    both = np.concatenate([mass * chance, mass * (1.0 - chance)])
    kept = both > 0
    problem = br.Problem(
        np.concatenate([X, X])[kept],
        np.repeat([1.0, 0.0], mass.size)[kept],
        likelihood=br.Bernoulli(),
        prior=br.Flat(),
        intercept=False,
        weights=both[kept],
    )
    return br.find_map(problem).coef


# --------------------------------------------------------------------------- its method


@dataclass(frozen=True, eq=False)
class LassoRun:
    """One λ: the document's descent, the exact mode, and the posterior.

    Attributes
    ----------
    lam : float
        Multiplies ``Σ|w|``; the Laplace prior has scale ``1/λ``.
    problem : Problem
        The posterior.
    descent : Descent
        5000 steps of the subgradient method.
    mode : MapEstimate
        Exact, with a certificate.
    draws : ndarray, shape (m, p)
        From the posterior.
    """

    lam: float
    problem: br.Problem
    descent: Descent
    mode: MapEstimate
    draws: Matrix

    @property
    def lowest(self) -> float:
        """Loss plus penalty at the mode, in nats."""
        return self.problem.penalised(self.mode.coef)

    @property
    def excess(self) -> Vector:
        """Loss plus penalty of each iterate above that of the mode, in nats; shape (k + 1,)."""
        return self.descent.values - self.lowest

    @property
    def plotted(self) -> Vector:
        """The document's cost curve, shape (k,): see `plotted_cost`."""
        return plotted_cost(self.descent)

    @property
    def last(self) -> Vector:
        """The document's answer: the last iterate, shape (p,)."""
        return np.asarray(self.descent.points[-1])

    @property
    def interval(self) -> Matrix:
        """Central 90 % of the draws, shape (2, p)."""
        return np.asarray(np.quantile(self.draws, [0.05, 0.95], axis=0))

    @property
    def mean(self) -> Vector:
        """Mean of the draws, shape (p,)."""
        return np.asarray(self.draws.mean(axis=0))


def plotted_cost(descent: Descent) -> Vector:
    """Return the cost that the document plots after each step, shape (k,).

    It takes means where the steps follow sums: ``loss/n + λ Σ|w|/p``, a multiple of
    ``loss + λ(n/p) Σ|w|``, which is the function that is descended only if ``n = p``. And it takes
    the loss before the step, the penalty after it.

    Parameters
    ----------
    descent : Descent
        Of a problem with a Laplace prior.
    """
    problem = descent.problem
    penalty = np.array([problem.penalty.value(point) for point in descent.points])
    loss = descent.values - penalty
    return np.asarray(loss[:-1] / problem.n + penalty[1:] / problem.p)


@dataclass(frozen=True, eq=False)
class LogisticLasso:
    """The document's L1 exercise.

    Attributes
    ----------
    truth : ndarray, shape (p,)
        The weights that y was made with.
    nearest : ndarray, shape (p,)
        Those of the nearest logistic regression.
    refusal : str
        What the library says without a prior.
    runs : tuple of LassoRun
        One for each λ.
    """

    truth: Vector
    nearest: Vector
    refusal: str
    runs: tuple[LassoRun, ...]


def refusal(problem: br.Problem) -> str:
    """Return why a problem has no finite mode; empty where it has one."""
    try:
        br.find_map(problem)
    except br.errors.ImproperPosterior as error:
        return str(error)
    return ""


def logistic_lasso(seed: int = 0, *, draws: int = 250) -> LogisticLasso:
    """Run the document's descent for both λ, beside the exact mode and the posterior.

    Parameters
    ----------
    seed : int
        Of data and draws; 0 gives the data of the notebook.
    draws : int
        Per chain, of four.

    Examples
    --------
    >>> two, ten = logistic_lasso(draws=5).runs
    >>> len(two.mode.support), len(ten.mode.support)
    (20, 5)
    >>> bool((two.last == 0).any()), bool((two.draws == 0).any())
    (False, False)
    """
    rows = make_rows(SEED + seed)
    return LogisticLasso(
        truth=true_weights(),
        nearest=np.append(logistic_weights_of_the_rule(), np.zeros(COLUMNS - len(WEIGHTS))),
        refusal=refusal(rows.problem(br.Flat())),
        runs=tuple(_run(rows, lam, draws, seed) for lam in LAMS),
    )


def _run(rows: Rows, lam: float, draws: int, seed: int) -> LassoRun:
    problem = rows.problem(br.Laplace(1.0 / lam))
    return LassoRun(
        lam=lam,
        problem=problem,
        descent=subgradient_descent(problem, start=rows.start, step_size=STEP_SIZE, most=STEPS),
        mode=br.find_map(problem),
        draws=draws_of(problem, draws=draws, seed=seed),
    )


# --------------------------------------------------------------------------- elastic net


@dataclass(frozen=True, eq=False)
class Penalty:
    """One of the document's three penalties, as a prior, and the mode under it.

    Attributes
    ----------
    name : str
        Of the penalty.
    problem : Problem
        The posterior.
    log_density : ndarray, shape (g,)
        Log density of the prior over the grid of one weight.
    sd : float
        Of the prior.
    mode : MapEstimate
        Exact.
    """

    name: str
    problem: br.Problem
    log_density: Vector
    sd: float
    mode: MapEstimate


@dataclass(frozen=True, eq=False)
class LogisticElasticNet:
    """Ridge, lasso and elastic net on the document's data.

    Attributes
    ----------
    lam1, lam2 : float
        Multiply ``Σ|w|`` and ``Σw²``.
    grid : ndarray, shape (g,)
        One weight.
    truth : ndarray, shape (p,)
        The weights that y was made with.
    ridge, lasso, both : Penalty
        With λ₂ alone, λ₁ alone, and both.
    sweep : ndarray, shape (k,)
        Values of λ₂.
    counts : ndarray, shape (k,)
        Weights of the elastic net that are not 0, λ₁ as it is.
    """

    lam1: float
    lam2: float
    grid: Vector
    truth: Vector
    ridge: Penalty
    lasso: Penalty
    both: Penalty
    sweep: Vector
    counts: Vector


def logistic_elastic_net(
    seed: int = 0, *, lam1: float = 2.0, lam2: float = 2.0
) -> LogisticElasticNet:
    """Compare ``J + λ₁|w|``, ``J + λ₂|w|²`` and ``J + λ₁|w| + λ₂|w|²`` on the document's data.

    As priors: Laplace of scale ``1/λ₁``, Normal of variance ``1/(2λ₂)``, and their product.

    Parameters
    ----------
    seed : int
        Of the data.
    lam1, lam2 : float
        Multiply ``Σ|w|`` and ``Σw²``.

    Examples
    --------
    >>> study = logistic_elastic_net()
    >>> [len(one.mode.support) for one in (study.ridge, study.lasso, study.both)]
    [50, 20, 23]
    """
    rows, grid = make_rows(SEED + seed), np.linspace(-2.5, 2.5, 501)

    def net(square: float) -> br.ElasticNet:
        return br.ElasticNet(l1_scale=1.0 / lam1, l2_scale=(2.0 * square) ** -0.5)

    def penalty(name: str, prior: br.Normal | br.Laplace | br.ElasticNet) -> Penalty:
        problem = rows.problem(prior)
        return Penalty(
            name=name,
            problem=problem,
            log_density=np.array([prior.log_density(np.array([w])) for w in grid]),
            sd=float(np.sqrt(prior.moments(1)[1][0])),
            mode=br.find_map(problem),
        )

    sweep = np.geomspace(0.01, 100.0, 25)
    return LogisticElasticNet(
        lam1=lam1,
        lam2=lam2,
        grid=grid,
        truth=true_weights(),
        ridge=penalty("ridge", br.Normal((2.0 * lam2) ** -0.5)),
        lasso=penalty("lasso", br.Laplace(1.0 / lam1)),
        both=penalty("elastic net", net(lam2)),
        sweep=sweep,
        counts=np.array([len(br.find_map(rows.problem(net(each))).support) for each in sweep]),
    )
