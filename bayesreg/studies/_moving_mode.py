"""Modes move when the variable is changed, probabilities do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

import bayesreg as br

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector

SUCCESSES, TRIALS, LOG_ODDS_SD = 4, 5, 1.5


@dataclass(frozen=True, eq=False)
class Scale:
    """One posterior, told in one variable.

    Attributes
    ----------
    name, symbol : str
        Of the variable.
    grid : ndarray, shape (m,)
        Values of the variable.
    density : ndarray, shape (m,)
        Posterior density with respect to it.
    mode, mean, median : float
        In that variable.
    interval : tuple of float
        Its central 80 %.
    as_probability : dict of str to float
        Mode, mean, median and the ends of the interval, each as the probability it stands for.
    """

    name: str
    symbol: str
    grid: Vector
    density: Vector
    mode: float
    mean: float
    median: float
    interval: tuple[float, float]
    as_probability: dict[str, float]


@dataclass(frozen=True, eq=False)
class MovingMode:
    """The posterior of a success probability, as log odds, odds and probability.

    Attributes
    ----------
    successes, trials : int
        The data.
    scales : tuple of Scale
        The three variables.
    """

    successes: int
    trials: int
    scales: tuple[Scale, ...]


@dataclass(frozen=True)
class _Variable:
    """An increasing function of the log odds, and the log of its derivative."""

    name: str
    symbol: str
    value: Callable[[Vector], Vector]
    log_slope: Callable[[Vector], Vector]
    shown: tuple[float, float]


_VARIABLES = (
    _Variable("log odds", "β", np.asarray, np.zeros_like, (-2.6, 4.6)),
    _Variable("odds", "exp β", np.exp, np.asarray, (0.0, 12.0)),
    _Variable(
        "probability", "1/(1 + exp(−β))", expit, lambda b: b - 2 * np.logaddexp(0, b), (0.0, 1.0)
    ),
)


def coin() -> br.Problem:
    """Return the log odds of a few trials, with a normal prior, as a logistic regression.

    Examples
    --------
    >>> print(coin())
    Σ[log(1 + exp ηᵢ) − yᵢηᵢ] + Σβⱼ²/(2·1.5²), η = Xβ: ridge
      y ~ bernoulli, 5 rows; 1 coefficient, Normal prior; no unpenalised intercept
    """
    y = np.repeat([1.0, 0.0], [SUCCESSES, TRIALS - SUCCESSES])
    return br.Problem(
        np.ones((TRIALS, 1)),
        y,
        likelihood=br.Bernoulli(),
        prior=br.Normal(LOG_ODDS_SD),
        intercept=False,
    )


def moving_mode(seed: int = 0, *, count: int = 4001) -> MovingMode:
    """Tell one posterior in three variables.

    Parameters
    ----------
    seed : int
        Not used: nothing is drawn.
    count : int
        Points of the grid of log odds, evenly from −12 to 16.

    Notes
    -----
    With ``θ = g(β)`` the density of θ is that of β over ``g'(β)``: where it is largest depends on
    g; the probability of a set does not.

    Examples
    --------
    >>> [round(scale.as_probability["mode"], 3) for scale in moving_mode().scales]
    [0.717, 0.574, 0.797]
    """
    del seed
    problem = coin()
    beta = np.linspace(-12.0, 16.0, count)
    log_density = np.array([-problem.objective([value]) for value in beta.tolist()])
    mass = np.exp(log_density - log_density.max())
    mass /= mass.sum()
    scales = tuple(_scale(problem, variable, beta, mass) for variable in _VARIABLES)
    return MovingMode(SUCCESSES, TRIALS, scales)


def _scale(problem: br.Problem, variable: _Variable, beta: Vector, mass: Vector) -> Scale:
    def minus_log_density(b: float) -> float:
        return problem.objective([b]) + float(variable.log_slope(np.array(b)))

    best = minimize_scalar(minus_log_density, bounds=(-8, 8), method="bounded").x
    best = minimize_scalar(minus_log_density, bracket=(best - 0.01, best + 0.01)).x
    at = {"mode": float(best)}
    value = variable.value(beta)
    low, median, high = np.interp([0.1, 0.5, 0.9], np.cumsum(mass) - 0.5 * mass, beta).tolist()
    mean = float(mass @ value)
    at |= {"mean": float(np.interp(mean, value, beta)), "median": median, "low": low, "high": high}
    there = {key: variable.value(np.array(b)).item() for key, b in at.items()}
    density = mass / (beta[1] - beta[0]) * np.exp(-variable.log_slope(beta))
    inside = (value >= variable.shown[0]) & (value <= variable.shown[1])
    return Scale(
        name=variable.name,
        symbol=variable.symbol,
        grid=value[inside],
        density=density[inside],
        mode=there["mode"],
        mean=mean,
        median=there["median"],
        interval=(there["low"], there["high"]),
        as_probability={key: float(expit(b)) for key, b in at.items()},
    )
