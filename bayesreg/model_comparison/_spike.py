r"""The marginal likelihood of a spike and slab: a sum over which coefficients are 0.

Given the set γ of the others, the prior is normal and ``p(y, γ)`` has a closed form or is bridged.
Few columns: the sum over all sets. Many: by Bayes' rule for any collection S of sets, ::

    log p(y) = log Σ_{γ in S} p(y, γ) − log P(S | y)

with S the sets that one half of the draws visits most, and P(S | y) their frequency in the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg.errors import SamplingFailed
from bayesreg.likelihoods import Gaussian
from bayesreg.model_comparison._bridge import effective_size
from bayesreg.priors import Normal, SpikeSlab
from bayesreg.priors.base import fill
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bayesreg.posterior.conditional import Array

    type Places = np.ndarray[tuple[int, ...], np.dtype[np.intp]]
    type Pattern = tuple[bool, ...]
    type Evidence = Callable[[Problem], tuple[float, float]]

# Columns up to which all sets are summed over: with closed forms, and with bridges.
_MOST_COLUMNS, _MOST_BRIDGED = 8, 2
# Sets that are summed over where there are too many.
_SETS, _SETS_BRIDGED = 100, 4


@dataclass(frozen=True)
class Sum:
    """A log marginal likelihood, its standard error, and over which sets, of draws or all."""

    value: float
    se: float
    why: str
    of_draws: bool


def summed(problem: Problem, draw: Callable[[], Array], evidence: Evidence) -> Sum:
    """Sum over sets of coefficients.

    Parameters
    ----------
    problem : Problem
        With a `SpikeSlab` prior on all columns.
    draw : callable
        Returns draws of the coefficients (chain, draw, p), where they are needed.
    evidence : callable
        Log marginal likelihood of a problem with a normal prior, and its standard error.
    """
    closed = isinstance(problem.likelihood, Gaussian)
    if problem.p <= (_MOST_COLUMNS if closed else _MOST_BRIDGED):
        patterns: list[Pattern] = list(product((False, True), repeat=problem.p))
        value, se = _total(problem, patterns, evidence)
        return Sum(value, se, f"sum over all {len(patterns)} sets of coefficients", of_draws=False)
    visited = draw() != 0
    sets, place = np.unique(visited.reshape(-1, problem.p), axis=0, return_inverse=True)
    place = place.reshape(visited.shape[:2])
    middle = place.shape[1] // 2
    halves = place[:, :middle], place[:, middle:]
    found: dict[int, tuple[float, float]] = {}

    def of_sets(chosen: list[int]) -> tuple[float, float]:
        for k in chosen:
            if k not in found:
                found[k] = evidence(_model(problem, prior_of(problem), tuple(sets[k].tolist())))
        return _sum_of(problem, [(int(sets[k].sum()), *found[k]) for k in chosen])

    most = _SETS if closed else _SETS_BRIDGED
    # Where the sets were chosen they are visited more than elsewhere.
    one, two = (_half(of_sets, a, b, most) for a, b in (halves, halves[::-1]))
    share = 0.5 * (one.share + two.share)
    why = f"up to {most} sets of coefficients that hold {100 * share:.3g} % of the draws"
    value, se = 0.5 * (one.value + two.value), 0.5 * math.hypot(one.se, two.se)
    return Sum(value, se, why, of_draws=True)


@dataclass(frozen=True)
class _Half:
    """An estimate from sets chosen on one half of the draws and counted on the other."""

    value: float
    se: float
    share: float


def _half(
    of_sets: Callable[[list[int]], tuple[float, float]], chosen_on: Places, use: Places, most: int
) -> _Half:
    sets, counts = np.unique(chosen_on, return_counts=True)
    best = sets[np.argsort(-counts, kind="stable")[:most]]
    inside = np.isin(use, best).astype(np.float64)
    share = float(inside.mean())
    if share == 0:
        msg = "draws: the halves visit different sets of coefficients; raise n_draws"
        raise SamplingFailed(msg)
    value, se = of_sets(best.tolist())
    error = math.sqrt((1 - share) / (share * effective_size(inside)))
    return _Half(value - math.log(share), math.hypot(se, error), share)


def _total(
    problem: Problem, patterns: Sequence[Pattern], evidence: Evidence
) -> tuple[float, float]:
    """Log of the sum of ``p(y, γ)`` over these sets, and its standard error."""
    prior = prior_of(problem)
    found = [evidence(_model(problem, prior, pattern)) for pattern in patterns]
    return _sum_of(problem, [(sum(at), *pair) for at, pair in zip(patterns, found, strict=True)])


def _sum_of(problem: Problem, found: list[tuple[int, float, float]]) -> tuple[float, float]:
    """Weigh log marginal likelihoods of sets, given as (size, value, se), by their prior."""
    size, value, se = np.array(found).T
    inclusion = prior_of(problem).inclusion
    log_prior = special.xlogy(size, inclusion) + special.xlog1py(problem.p - size, -inclusion)
    total = float(special.logsumexp(log_prior + value))
    return total, float(np.linalg.norm(np.exp(log_prior + value - total) * se))


def prior_of(problem: Problem) -> SpikeSlab:
    """Return the prior on the user's scale, which the caller knows to be a spike and slab."""
    prior = problem.coef_prior
    assert isinstance(prior, SpikeSlab)  # noqa: S101  (for the type checker)
    return prior


def _model(problem: Problem, prior: SpikeSlab, pattern: Pattern) -> Problem:
    """Return the model of one set; with no coefficient at all, a column that says nothing."""
    design, at = problem.design, np.flatnonzero(pattern)
    scale = fill(prior.slab_scale, problem.p)[at]
    empty = not at.size
    return Problem(
        np.zeros((problem.n, 1)) if empty else design.X[:, at],
        design.y,
        likelihood=problem.likelihood,
        prior=Normal(1.0 if empty else scale),
        intercept=design.intercept,
        weights=design.weights,
        offset=design.offset,
    )
