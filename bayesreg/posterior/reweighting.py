r"""Draws at one scale of a prior, used at another: Pareto-smoothed importance weights.

The likelihood does not depend on the scale s, so the density ratio of two posteriors is that of two
priors, in closed form per draw: ``log w = log p(β | s′, σ) − log p(β | s, σ)``. The largest weights
are smoothed by a generalised Pareto fit, whose shape k̂ says whether the weights have enough moments
to be trusted (Vehtari, Simpson, Gelman, Yao & Gabry 2024): below 0.7, or below
``1 − 1/log₁₀ N`` for fewer than 2200 draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.blocks import Blocks
from bayesreg.nearness import share_near
from bayesreg.posterior.density import log_prior
from bayesreg.priors import UniformBall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem

KHAT_LIMIT = 0.7
# ArviZ's tail of 3 √(N/efficiency) draws must stay a tail.
_LEAST_EFFICIENCY = 0.05
_BLOCK = 128


def khat_limit(count: int) -> float:
    """Largest k̂ to accept from so many draws.

    Examples
    --------
    >>> khat_limit(4000), round(khat_limit(400), 3)
    (0.7, 0.616)
    """
    return min(KHAT_LIMIT, 1 - 1 / math.log10(count)) if count > 10 else 0.0


def array_stats() -> Any:
    """Import the array functions of ArviZ on use: with scipy.stats, 2 s over xarray."""
    return import_module("arviz_stats.base").array_stats


# --------------------------------------------------------------------------- weights


@dataclass(frozen=True, eq=False)
class Weights:
    """Importance weights of N draws.

    Attributes
    ----------
    values : ndarray, shape (N,)
        Smoothed, with sum 1.
    khat : float
        Shape of the Pareto tail; 0 where the largest are all equal, NaN where none can be fitted.
    """

    values: Vector
    khat: float

    @property
    def efficiency(self) -> float:
        """Share of the draws that is left: ``1 / (N Σ w²)`` (Kish 1965)."""
        return 1.0 / (self.values.size * float(self.values @ self.values))


def smooth(log_ratio: Vector, efficiency: float = 1.0) -> Weights:
    """Turn log density ratios into weights by Pareto-smoothed importance sampling.

    Parameters
    ----------
    log_ratio : ndarray, shape (N,)
        Log density of the target over that of the draws, up to a constant; −inf: impossible.
    efficiency : float
        Effective number of draws over their number.

    Examples
    --------
    >>> smooth(np.zeros(100)).khat
    0.0
    """
    shifted = log_ratio - log_ratio.max()
    try:
        with np.errstate(all="ignore"):
            log_weight, khat = array_stats().psislw(
                -shifted, r_eff=min(max(efficiency, _LEAST_EFFICIENCY), 1.0)
            )
    except ValueError:  # ArviZ on a tail of equal values: bounded weights, nothing to smooth
        log_weight, khat = shifted, 0.0
    weight = np.exp(log_weight - log_weight.max())
    return Weights(weight / weight.sum(), float(khat))


# --------------------------------------------------------------------------- draws


@dataclass(frozen=True, eq=False)
class Source:
    """Draws from the posterior at one scale.

    Attributes
    ----------
    problem : Problem
        The posterior there.
    columns : ndarray, shape (N, q)
        Coefficients, then the intercept and sigma where they exist; chains one after the other.
    sigma : ndarray, shape (N,)
        Noise sd of each draw; 1 where it is known or there is none.
    efficiency : ndarray, shape (q,)
        Effective number of draws over their number, at most 1, per column.
    rhat : float
        Largest R-hat; NaN for independent draws or one chain.
    """

    problem: Problem
    columns: Matrix
    sigma: Vector
    efficiency: Vector
    rhat: float

    @classmethod
    def of(cls, problem: Problem, draws: dict[str, Array], *, independent: bool) -> Source:
        """Join chains, and measure how well they mixed.

        Parameters
        ----------
        problem : Problem
            The posterior.
        draws : dict
            ``beta`` (chain, draw, p), and ``intercept`` and ``sigma`` (chain, draw) if they exist.
        independent : bool
            Whether draws are independent, so that there is nothing to measure.
        """
        extra = [draws[name][..., None] for name in ("intercept", "sigma") if name in draws]
        chains = np.concatenate([draws["beta"], *extra], axis=-1)
        columns = chains.reshape(-1, chains.shape[-1])
        sigma = draws["sigma"].ravel() if "sigma" in draws else np.ones(columns.shape[0])
        efficiency, rhat = np.ones(columns.shape[1]), math.nan
        if not independent:
            efficiency, rhat = _mixing(chains)
        return cls(problem, columns, sigma, efficiency, rhat)

    @cached_property
    def _log_prior(self) -> Vector:
        return self._log_density(self.problem)

    @property
    def least_efficiency(self) -> float:
        """Efficiency of the column that mixed worst."""
        return float(self.efficiency.min(initial=1.0))

    @property
    def own(self) -> Weights:
        """Equal weights: the draws at their own scale."""
        count = self.columns.shape[0]
        return Weights(np.full(count, 1.0 / count), math.nan)

    def towards(self, target: Problem) -> Weights | None:
        """Weight the draws for the same problem at another scale; None where they cannot serve.

        A prior on a ball gives no draws outside of it, so those of a smaller ball say nothing of
        a larger one, and no weight would show it.
        """
        if _is_wider_ball(target.prior, self.problem.prior):
            return None
        log_ratio = self._log_density(target) - self._log_prior
        return smooth(log_ratio, self.least_efficiency) if np.isfinite(log_ratio).any() else None

    def _log_density(self, problem: Problem) -> Vector:
        """Log prior density of the draws at the scale of a problem; shape (N,)."""
        beta = self.columns[:, : problem.p]
        return np.asarray(log_prior(problem, beta, self.sigma, np.ones(self.sigma.size)))

    def effective(self, weights: Weights) -> float:
        """Effective number of weighted draws, of the column that mixed worst."""
        return self.columns.shape[0] * self.least_efficiency * weights.efficiency

    def ordered(self) -> Ordered:
        """Sort each column, once for every scale that the draws serve."""
        count, width = self.columns.shape
        values = np.empty((count, width))
        order = np.empty((count, width), dtype=np.int32)
        for some in blocks(width):
            order[:, some] = np.argsort(self.columns[:, some], axis=0, kind="stable")
            values[:, some] = np.take_along_axis(self.columns[:, some], order[:, some], axis=0)
        return Ordered(values, order, self.efficiency)


def _mixing(chains: Array) -> tuple[Vector, float]:
    """Efficiency (bulk effective size over draws, at most 1) of each column, and largest R-hat."""
    stats, count = array_stats(), chains.shape[0] * chains.shape[1]
    stacked = np.moveaxis(chains, -1, 0)
    moves = (stacked != stacked[:, :1, :1]).any(axis=(1, 2))
    efficiency = np.ones(moves.size)
    if not moves.any():
        return efficiency, math.nan
    with np.errstate(all="ignore"):
        size = np.atleast_1d(stats.ess(stacked[moves], method="bulk"))
        rhat = np.atleast_1d(stats.rhat(stacked[moves])) if chains.shape[0] > 1 else [math.nan]
    efficiency[moves] = np.clip(np.nan_to_num(size / count, nan=0.0), 1.0 / count, 1.0)
    return efficiency, float(np.max(rhat))


def _is_wider_ball(target: Prior, source: Prior) -> bool:
    """Whether any ball of the target is larger than the same ball of the source."""
    if isinstance(target, Blocks) and isinstance(source, Blocks):
        pairs = zip(target.parts, source.parts, strict=True)
        return any(_is_wider_ball(a, b) for (a, _), (b, _) in pairs)
    if isinstance(target, UniformBall) and isinstance(source, UniformBall):
        return bool(np.any(np.asarray(target.radius) > np.asarray(source.radius)))
    return False


# --------------------------------------------------------------------------- summaries


@dataclass(frozen=True, eq=False)
class Summary:
    """What is said of q numbers at one scale: coefficients, intercept, sigma, in this order.

    Attributes
    ----------
    mean, median, mcse : ndarray, shape (q,)
        Posterior mean and median, and the Monte Carlo standard error of the mean.
    hdi : ndarray, shape (q, 2)
        Shortest interval with the probability asked for.
    near_zero : ndarray, shape (p,)
        ``P(|β| < epsilon)``.
    """

    mean: Vector
    median: Vector
    mcse: Vector
    hdi: Matrix
    near_zero: Vector


def shortest(values: Vector, mass: Vector, prob: float) -> tuple[float, float]:
    """Return the shortest interval between draws that holds a share of their weight.

    Parameters
    ----------
    values, mass : ndarray, shape (n,)
        Increasing draws, and the cumulative sum of their weights, which ends at 1.
    prob : float
        Share of the weight; that of the lower end is not counted, as ArviZ does.

    Examples
    --------
    >>> shortest(np.array([0.0, 1.0, 2.0, 9.0]), np.array([0.25, 0.5, 0.75, 1.0]), 0.5)
    (0.0, 2.0)
    """
    # The allowance is for rounding of the sum, so that equal weights give ArviZ's interval.
    wanted = mass + prob - 1e-10
    wanted = wanted[wanted <= mass[-1]]
    if wanted.size == 0:  # one draw outweighs all others
        return float(values[0]), float(values[-1])
    upper = values[np.searchsorted(mass, wanted)]
    best = int(np.argmin(upper - values[: upper.size]))
    return float(values[best]), float(upper[best])


@dataclass(frozen=True, eq=False)
class Ordered:
    """Draws with each column sorted.

    Attributes
    ----------
    values : ndarray, shape (N, q)
        Increasing down each column.
    order : ndarray of int, shape (N, q)
        Which draw each is.
    efficiency : ndarray, shape (q,)
        Of `Source`.
    """

    values: Matrix
    order: NDArray[np.int32]
    efficiency: Vector


@dataclass(frozen=True, eq=False)
class Use:
    """Draws that serve a scale.

    Attributes
    ----------
    origin : int
        Position of the scale that they were drawn at.
    draws : Ordered
        The draws.
    weights : Weights
        Their weights here.
    effective : float
        How many independent draws they are worth here.
    """

    origin: int
    draws: Ordered
    weights: Weights
    effective: float


def blocks(width: int) -> list[slice]:
    """Take columns a few at a time, so that no copies of all draws are made."""
    return [slice(j, j + _BLOCK) for j in range(0, max(width, 1), _BLOCK)]


def summarise(uses: Sequence[Use], epsilon: Vector, prob: float) -> Summary:
    """Summarise one posterior by the draws that serve it.

    Parameters
    ----------
    uses : sequence of Use
        Independent of each other; each counts in proportion to its effective draws.
    epsilon : ndarray, shape (p,)
        What counts as close to zero.
    prob : float
        Probability of the intervals.

    Returns
    -------
    Summary
        With the variance of a weighted mean, ``Σ w² (x − mean)²`` over the efficiency of the draws.
    """
    effective = np.array([use.effective for use in uses])
    shares = effective / effective.sum()
    width, p = uses[0].draws.values.shape[1], epsilon.size
    near = np.concatenate([epsilon, np.zeros(width - p)])
    parts = [_summarise_block(uses, shares, some, near[some], prob) for some in blocks(width)]
    joined = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    mean, median, mcse, hdi, near_zero = joined
    return Summary(mean, median, mcse, hdi, near_zero[:p])


def _summarise_block(
    uses: Sequence[Use], shares: Vector, some: slice, near: Vector, prob: float
) -> tuple[Array, ...]:
    values = [use.draws.values[:, some] for use in uses]
    weights = [
        share * use.weights.values[use.draws.order[:, some]]
        for share, use in zip(shares, uses, strict=True)
    ]
    parts = list(zip(values, weights, strict=True))
    mean = sum(np.einsum("ij,ij->j", w, x) for x, w in parts)
    variance = sum(
        np.einsum("ij,ij->j", w**2, (x - mean) ** 2) / use.draws.efficiency[some]
        for (x, w), use in zip(parts, uses, strict=True)
    )
    inside = sum(np.einsum("ij,ij->j", w, np.abs(x) < near) for x, w in parts)
    x, w = np.concatenate(values), np.concatenate(weights)
    if len(uses) > 1:  # a stable sort merges what is sorted already
        order = np.argsort(x, axis=0, kind="stable")
        x, w = np.take_along_axis(x, order, axis=0), np.take_along_axis(w, order, axis=0)
    mass = np.cumsum(w, axis=0)
    mass /= mass[-1]
    pairs = zip(x.T, mass.T, strict=True)
    hdi = np.array([shortest(column, cumulative, prob) for column, cumulative in pairs])
    middle = (mass < 0.5).sum(axis=0)
    median = np.take_along_axis(x, middle[None], axis=0)[0]
    return (
        np.asarray(mean),
        median,
        np.sqrt(variance),
        hdi.reshape(-1, 2),
        share_near(np.asarray(inside), near),
    )
