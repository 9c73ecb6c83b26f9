r"""Bridge sampling: the integral of a density from draws of it and of a proposal.

Meng & Wong (1996): for any function α, ``∫p = E_q[α p] / E_posterior[α q]``; the variance is least
for ``α ∝ 1/(s₁ p/r + s₂ q)`` with r the integral itself and s the shares of effective draws. With
``a = log p − log q − log r`` both sides of the equation for r are means of logistic functions, one
falling and one rising in log r, so that bisection cannot fail. The proposal is fitted on one half
of the draws and used with the other, both ways (Overstall & Forster 2010; Gronau et al. 2017):
draws that a proposal was fitted to would be too near to it. The standard error is the relative one
of Frühwirth-Schnatter (2004), with the effective sample size of the dependent draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from bayesreg.errors import SamplingFailed
from bayesreg.model_comparison._proposal import CHAINS, Proposal
from bayesreg.model_comparison._space import Space

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem

# Halves that differ by more than this many standard errors do not have these standard errors.
_FAR_APART = 3.0


@dataclass(frozen=True)
class Estimate:
    """A log integral, its standard error, and what it was made with."""

    value: float
    se: float
    proposal: str


def bridge(problem: Problem, draws: Mapping[str, Array], rng: np.random.Generator) -> Estimate:
    """Estimate the log of the integral of likelihood times prior.

    Parameters
    ----------
    problem : Problem
        Without atoms and without flat coefficients.
    draws : mapping of str to ndarray
        ``beta`` (chain, draw, p) and what else is unknown, from the posterior.
    rng : Generator
        Of the draws from the proposal.

    Returns
    -------
    Estimate
        In nats.

    Raises
    ------
    SamplingFailed
        If proposal and posterior do not overlap at all.
    """
    halves = _halves(draws)
    space, name = _nearest(problem, halves)
    packed = [space.pack(half) for half in halves]
    estimates = [
        _estimate(space, Proposal.of(_rows(fit), CHAINS[name]), use, rng)
        for fit, use in (packed, packed[::-1])
    ]
    (first, one), (second, two) = estimates
    se, apart = 0.5 * math.hypot(one, two), 0.5 * abs(first - second)
    se = max(se, apart) if apart > _FAR_APART * se else se
    scaled = ", coefficients in units of the unknown scale" if space.scaled else ""
    return Estimate(0.5 * (first + second), se, f"{name} proposal{scaled}")


def _halves(draws: Mapping[str, Array]) -> list[dict[str, Array]]:
    """First and second half of each chain."""
    middle = next(iter(draws.values())).shape[1] // 2
    return [
        {name: value[:, part] for name, value in draws.items()}
        for part in (slice(0, middle), slice(middle, 2 * middle))
    ]


def _rows(x: Array) -> Matrix:
    return x.reshape(-1, x.shape[-1])


def _nearest(problem: Problem, halves: list[dict[str, Array]]) -> tuple[Space, str]:
    """Choose coordinates and maps: the least cross-entropy on the half not fitted to."""
    best: tuple[float, Space, str] | None = None
    for space in Space.all_of(problem):
        fit, use = (_rows(space.pack(half)) for half in halves)
        if not (np.isfinite(fit).all() and np.isfinite(use).all()):
            continue
        # The change of coordinates is that of the posterior's own density.
        own = space.log_density(use)
        for name, kinds in CHAINS.items():
            distance = float(np.mean(own - Proposal.of(fit, kinds).log_density(use)))
            if math.isfinite(distance) and (best is None or distance < best[0]):
                best = distance, space, name
    if best is None:
        msg = "draws: hold numbers that are not finite; sample again"
        raise SamplingFailed(msg)
    return best[1], best[2]


def _estimate(
    space: Space, proposal: Proposal, draws: Array, rng: np.random.Generator
) -> tuple[float, float]:
    """Bridge from a proposal to draws (chain, draw, k) that it was not fitted to."""
    x = _rows(draws)
    shape, (count, width) = draws.shape[:2], x.shape
    y = proposal.draw(rng, count, width)
    of_draws = space.log_density(x) - proposal.log_density(x)
    of_proposal = space.log_density(y) - proposal.log_density(y)
    if not np.isfinite(of_draws).all() or not np.isfinite(of_proposal).any():
        msg = (
            "draws: bridge sampling found no overlap between the posterior and its approximation; "
            "draw more, or reparametrise"
        )
        raise SamplingFailed(msg)
    effective = float(count)
    value = _solve(of_draws, of_proposal, effective)
    for _ in range(2):  # the shares are those of effective draws, which depend on the answer
        share = effective / (effective + count)
        f2 = special.expit(-(of_draws - value) - special.logit(share))
        effective = effective_size(f2.reshape(shape))
        value = _solve(of_draws, of_proposal, effective)
    share = effective / (effective + count)
    f1 = special.expit(of_proposal - value + special.logit(share))
    f2 = special.expit(-(of_draws - value) - special.logit(share))
    error = _relative_variance(f1) / count + _relative_variance(f2) / effective
    return value, math.sqrt(error)


def _solve(of_draws: Vector, of_proposal: Vector, effective: float) -> float:
    """Find the log integral at which both means agree."""
    tilt = math.log(effective / of_draws.size)

    def difference(value: float) -> float:
        posterior = special.expit(-(of_draws - value) - tilt).mean()
        proposal = special.expit(of_proposal - value + tilt).mean()
        # Of draws the mean is over s₂ and rises with the value, of the proposal over s₁.
        return float(posterior * effective - proposal * of_draws.size)

    finite = of_proposal[np.isfinite(of_proposal)]
    low = min(of_draws.min(), finite.min()) - 50.0
    high = max(of_draws.max(), finite.max()) + 50.0
    return float(optimize.brentq(difference, low, high, xtol=1e-10))


def _relative_variance(values: Vector) -> float:
    return float(values.var() / values.mean() ** 2)


def effective_size(values: Array) -> float:
    """Effective size of the mean of values (chain, draw); all of them where nothing moves."""
    if values.shape[1] < 4 or np.ptp(values) == 0:
        return float(values.size)
    found = float(import_module("arviz_stats.base").array_stats.ess(values[None], method="mean")[0])
    return min(found, float(values.size)) if math.isfinite(found) else float(values.size)
