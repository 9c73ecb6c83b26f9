"""A wide matrix against a thin one, and what columns of pure noise do to the training score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import bayesreg as br
from bayesreg.studies._logistic_lasso import (
    COLUMNS,
    ROWS,
    SEED,
    WEIGHTS,
    logistic_weights_of_the_rule,
    make_rows,
    true_weights,
)
from bayesreg.studies._summaries import draws_of

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.map import MapEstimate
    from bayesreg.priors import Prior
    from bayesreg.studies._logistic_lasso import Rows

LAM, THIN, FRESH = 2.0, 1000, 4000
#: Columns of noise beside the three that matter; the last makes the document's 50.
NOISE_COLUMNS = (*range(11), *range(12, 47, 5), 47)


@dataclass(frozen=True, eq=False)
class Shape:
    """The lasso on one matrix.

    Attributes
    ----------
    rows : int
        Of the matrix; it has 50 columns.
    lam : float
        Multiplies ``Σ|w|``.
    mode : MapEstimate
        Exact.
    draws : ndarray, shape (m, p)
        From the posterior.
    """

    rows: int
    lam: float
    mode: MapEstimate
    draws: Matrix

    @property
    def mean(self) -> Vector:
        """Mean of the draws, shape (p,)."""
        return np.asarray(self.draws.mean(axis=0))

    @property
    def interval(self) -> Matrix:
        """Central 90 % of the draws, shape (2, p)."""
        return np.asarray(np.quantile(self.draws, [0.05, 0.95], axis=0))


@dataclass(frozen=True, eq=False)
class WideAndThin:
    """The same 50 columns with few rows and with many.

    Attributes
    ----------
    truth, nearest : ndarray, shape (p,)
        Weights that y was made with, and those of the nearest logistic regression.
    wide, thin, scaled : Shape
        50 rows; 1000 rows with the same λ; and with the same λ per row.
    """

    truth: Vector
    nearest: Vector
    wide: Shape
    thin: Shape
    scaled: Shape


def wide_and_thin(seed: int = 0, *, draws: int = 250) -> WideAndThin:
    """Compare the lasso on a wide matrix with that on a thin one.

    Parameters
    ----------
    seed : int
        Of data and draws.
    draws : int
        Per chain, of four.

    Examples
    --------
    >>> study = wide_and_thin(draws=5)
    >>> len(study.wide.mode.support), study.thin.mode.coef[:3].round(1).tolist()
    (20, [4.1, 2.1, -2.0])
    """

    def shape(rows: int, lam: float) -> Shape:
        problem = make_rows(SEED + seed, rows).problem(br.Laplace(1.0 / lam))
        return Shape(rows, lam, br.find_map(problem), draws_of(problem, draws=draws, seed=seed))

    return WideAndThin(
        truth=true_weights(),
        nearest=np.append(logistic_weights_of_the_rule(), np.zeros(COLUMNS - len(WEIGHTS))),
        wide=shape(ROWS, LAM),
        thin=shape(THIN, LAM),
        scaled=shape(THIN, LAM * THIN / ROWS),
    )


# --------------------------------------------------------------------------- columns of noise


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of the modes under one prior as columns of noise are added.

    Attributes
    ----------
    name : str
        Of the prior.
    training, fresh : ndarray, shape (k,)
        Mean log likelihood per row, in nats, on the rows of the fit and on new ones; NaN where
        there is no finite mode.
    """

    name: str
    training: Vector
    fresh: Vector


@dataclass(frozen=True, eq=False)
class NoiseColumns:
    """Training and new scores for two heights of the matrix.

    Attributes
    ----------
    columns : ndarray, shape (k,)
        Columns of noise beside the three that matter.
    heights : tuple of int
        Rows.
    scores : tuple of tuple of Scores
        For each height: under the flat, the Laplace and the Normal prior.
    separated : tuple of int or None
        For each height: the fewest columns of noise with which the classes come apart.
    """

    columns: Vector
    heights: tuple[int, ...]
    scores: tuple[tuple[Scores, ...], ...]
    separated: tuple[int | None, ...]


def noise_columns(seed: int = 0) -> NoiseColumns:
    """Score modes on their own rows and on new ones while columns of pure noise are added.

    Parameters
    ----------
    seed : int
        Of the data.

    Examples
    --------
    >>> noise_columns().separated
    (5, None)
    """
    fresh = make_rows(SEED + seed + 1000, FRESH)
    heights = (ROWS, THIN)
    matrices = [make_rows(SEED + seed, rows) for rows in heights]
    # Laplace and Normal of the same variance, 2/λ².
    priors: dict[str, Prior] = {
        "flat": br.Flat(),
        "Laplace": br.Laplace(1.0 / LAM),
        "Normal": br.Normal(math.sqrt(2.0) / LAM),
    }
    scores = tuple(
        tuple(_scores(name, prior, matrix, fresh) for name, prior in priors.items())
        for matrix in matrices
    )
    return NoiseColumns(
        columns=np.array(NOISE_COLUMNS, dtype=float),
        heights=heights,
        scores=scores,
        separated=tuple(_separated(flat.training) for flat, *_ in scores),
    )


def _scores(name: str, prior: Prior, matrix: Rows, fresh: Rows) -> Scores:
    pairs = np.full((len(NOISE_COLUMNS), 2), math.nan)
    for k, noise in enumerate(NOISE_COLUMNS):
        count = len(WEIGHTS) + noise
        problem = matrix.problem(prior, count)
        try:
            coef = br.find_map(problem).coef
        except br.errors.ImproperPosterior:
            break  # separated, and more columns separate what fewer do
        new = fresh.problem(prior, count)
        pairs[k] = -problem.loss(coef) / problem.n, -new.loss(coef) / new.n
    return Scores(name, pairs[:, 0], pairs[:, 1])


def _separated(training: Vector) -> int | None:
    missing = np.flatnonzero(np.isnan(training))
    return NOISE_COLUMNS[missing[0]] if missing.size else None
