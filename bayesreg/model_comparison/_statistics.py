"""What replicated data are compared with the data by: statistics, bands, calibration, R²."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg.errors import InputError
from bayesreg.likelihoods import Bernoulli, Noise, Poisson, StudentTNoise

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem

    type Function = Callable[[Vector], float]

_LEVEL = 0.9
_MOST_BINS = 30


@dataclass(frozen=True, eq=False)
class Statistic:
    """One number of the data, and of every replicate.

    Attributes
    ----------
    name : str
        What it is.
    observed : float
        Of the data.
    replicated : ndarray, shape (m,)
        Of the replicates.
    p_value : float
        Posterior predictive p-value (Rubin 1984): the share of replicates that are larger,
        those that are equal counted half. Near 0 or 1 the model does not make such data.
    """

    name: str
    observed: float
    replicated: Vector
    p_value: float

    @property
    def p_text(self) -> str:
        """The p-value as far as the replicates know it: at their ends ``<0.001`` or ``>0.999``."""
        return p_text(self.p_value, 1.0 / self.replicated.size)

    @classmethod
    def of(cls, name: str, function: Function, y: Vector, replicated: Matrix) -> Statistic:
        """Apply a function of a target (n,) to the data and to replicates (m, n)."""
        try:
            observed = float(function(y))
            values = np.array([float(function(row)) for row in replicated])
        except (TypeError, ValueError, IndexError, ArithmeticError) as error:
            msg = f"statistics: {name!r} does not make a number of a target ({error})"
            raise InputError(msg) from error
        if not (math.isfinite(observed) and np.isfinite(values).all()):
            msg = f"statistics: {name!r} of some target is not finite; use one that always is"
            raise InputError(msg)
        above = (values > observed).mean() + 0.5 * (values == observed).mean()
        return cls(name, observed, values, float(above))


def p_text(value: float, finest: float = 0.0) -> str:
    """Write a p-value that is known in steps of `finest`, to three places and never as 0 or 1.

    Examples
    --------
    >>> p_text(0.0), p_text(0.25), p_text(1.0, 1 / 200)
    ('<0.001', '0.250', '>0.995')
    """
    step = max(math.ceil(1000 * finest - 1e-9), 1) / 1000
    if value < step:
        return f"<{step:g}"
    return f">{1 - step:g}" if value > 1 - step else f"{value:.3f}"


def _skewness(y: Vector) -> float:
    off = y - y.mean()
    spread = float((off**2).mean())
    return float((off**3).mean() / spread**1.5) if spread > 0 else 0.0


def _zeros(y: Vector) -> float:
    return float((y == 0).mean())


def statistics_of(problem: Problem, predictor: Vector) -> Mapping[str, Function]:
    """Return the functions that suit a target; `predictor` (n,) is the mean of the linear one."""
    if isinstance(problem.likelihood, Bernoulli):
        low, high = np.quantile(predictor, [1 / 3, 2 / 3])
        bottom, top = predictor <= low, predictor >= high
        return {
            "share of ones": lambda y: float(y.mean()),
            "share of ones, lowest third": lambda y: float(y[bottom].mean()),
            "share of ones, highest third": lambda y: float(y[top].mean()),
        }
    functions: dict[str, Function] = {
        "mean": lambda y: float(y.mean()),
        "sd": lambda y: float(y.std()),
        "min": lambda y: float(y.min()),
        "max": lambda y: float(y.max()),
        "skewness": _skewness,
    }
    if isinstance(problem.likelihood, Poisson):
        functions["share of zeros"] = _zeros
    return functions


@dataclass(frozen=True, eq=False)
class Shape:
    """The histogram of the target, and where those of replicates are.

    Attributes
    ----------
    edges : ndarray, shape (bins + 1,)
        In units of the target; values beyond the ends are in the bins there.
    observed, lower, median, upper : ndarray, shape (bins,)
        Share of rows in each bin: of the data, and quantiles 0.05, 0.5 and 0.95 of replicates.
    """

    edges: Vector
    observed: Vector
    lower: Vector
    median: Vector
    upper: Vector

    @classmethod
    def of(cls, y: Vector, replicated: Matrix) -> Shape:
        """Count."""
        edges = _edges(y, replicated)
        rows = np.vstack([y, np.clip(replicated, edges[0], edges[-1])])
        counts = np.array([np.histogram(row, edges)[0] for row in rows]) / y.size
        low, median, high = np.quantile(counts[1:], [(1 - _LEVEL) / 2, 0.5, (1 + _LEVEL) / 2], 0)
        return cls(edges, counts[0], low, median, high)


def _edges(y: Vector, replicated: Matrix) -> Vector:
    low, high = np.quantile(replicated, [0.005, 0.995])
    low, high = min(low, float(y.min())), max(high, float(y.max()))
    whole = bool((y == np.round(y)).all() and (replicated == np.round(replicated)).all())
    if whole:
        step = max(1.0, np.ceil((high - low) / _MOST_BINS))
        return np.arange(np.floor(low) - 0.5, high + step + 0.5, step)
    bins = int(np.clip(2 * y.size ** (1 / 3), 5, _MOST_BINS))
    return np.linspace(low, high + (0.0 if high > low else 1.0), bins + 1)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Predicted probabilities, in groups, and how often it was a one.

    Attributes
    ----------
    predicted, observed : ndarray, shape (groups,)
        Mean leave-one-out probability of a one, and the share of ones.
    lower, upper : ndarray, shape (groups,)
        Quantiles 0.05 and 0.95 of the share of ones, were these the probabilities.
    rows : ndarray of int, shape (groups,)
        Rows of each group.
    """

    predicted: Vector
    observed: Vector
    lower: Vector
    upper: Vector
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]

    @classmethod
    def of(cls, y: Vector, probability: Vector, rng: np.random.Generator) -> Calibration:
        """Group rows by their probability, some twenty to a group, ten groups at most."""
        groups = int(np.clip(y.size // 20, 1, 10))
        parts = np.array_split(np.argsort(probability, kind="stable"), groups)
        draws = rng.random((2000, y.size)) < probability
        shares = np.array([draws[:, part].mean(axis=1) for part in parts])
        low, high = np.quantile(shares, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=1)
        predicted = np.array([probability[part].mean() for part in parts])
        observed = np.array([y[part].mean() for part in parts])
        return cls(predicted, observed, low, high, np.array([part.size for part in parts]))


def mean_of(problem: Problem, eta: Array) -> Array:
    """Return the mean of the target given predictors (..., n)."""
    if isinstance(problem.likelihood, Bernoulli):
        return np.asarray(special.expit(eta))
    if isinstance(problem.likelihood, Poisson):
        with np.errstate(over="ignore"):
            return np.exp(eta)
    return eta


def r_squared(problem: Problem, mean: Array, noise: Array) -> Vector | None:
    """Bayesian R² of every draw: ``var fit / (var fit + mean residual variance)``.

    Gelman, Goodrich, Gabry & Vehtari (2019); the residual variance is that of the model, given the
    draw: ``σ²/w`` of Gaussian rows, ``π(1 − π)``, or the rate.

    Parameters
    ----------
    problem : Problem
        The model.
    mean : ndarray, shape (m, n)
        Means of the target at each draw.
    noise : ndarray, shape (m,)
        Noise scales.

    Returns
    -------
    ndarray, shape (m,), or None
        None where the noise has no variance, or there is one row only.
    """
    likelihood = problem.likelihood
    if problem.n < 2:
        return None
    if isinstance(likelihood, Bernoulli):
        residual = (mean * (1 - mean)).mean(axis=1)
    elif isinstance(likelihood, Noise):
        factor = 1.0
        if isinstance(likelihood, StudentTNoise):
            if likelihood.nu <= 2:
                return None
            factor = likelihood.nu / (likelihood.nu - 2)
        residual = factor * noise**2 * float((1 / problem.design.row_weights).mean())
    else:
        residual = mean.mean(axis=1)
    fitted = mean.var(axis=1, ddof=1)
    return np.asarray(fitted / (fitted + residual))
