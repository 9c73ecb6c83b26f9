r"""Bridge sampling: the integral of a density from draws of it and of a proposal.

Meng & Wong (1996): for any function α, ``∫p = E_q[α p] / E_posterior[α q]``; the variance is least
for ``α ∝ 1/(s₁ p/r + s₂ q)`` with r the integral itself and s the shares of effective draws. With
``a = log p − log q − log r`` both sides of the equation for r are means of logistic functions, one
falling and one rising in log r, so that bisection cannot fail. The proposal is fitted on one half
of the draws and used with the other, both ways (Overstall & Forster 2010; Gronau et al. 2017):
draws that a proposal was fitted to would be too near to it. The standard error of each way is the
relative one of Frühwirth-Schnatter (2004), with the effective sample size of the dependent draws.

The two ways are not independent. A proposal of the right shape errs only by the chance in the draws
that it was fitted to, ``log p − log q_A ≈ −(θ_A − θ)·s(x)`` with s the score of the shape, and its
mean over the other half is ``−(θ_A − θ)ᵀ I (θ_B − θ)``: the same number both ways. A proposal of
the wrong shape errs mostly alike whichever half it was fitted to, and then the two means are of
different draws and have nothing in common. So what the draws add to both estimates correlates as
much as the errors of the proposals do not: by ``1 − corr(f_A, f_B)``, f being what is averaged.
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
    one, two = (space.pack(half) for half in halves)
    proposals = [Proposal.of(_rows(half), CHAINS[name]) for half in (one, two)]
    first = _Way.of(space, proposals[0], two, rng)
    second = _Way.of(space, proposals[1], one, rng)
    alike = 0.5 * (first.likeness(second) + second.likeness(first))
    se = _error_of_mean(first, second, 1.0 - alike)
    apart = 0.5 * abs(first.value - second.value)
    se = max(se, apart) if apart > _FAR_APART * se else se
    scaled = ", coefficients in units of the unknown scale" if space.scaled else ""
    return Estimate(0.5 * (first.value + second.value), se, f"{name} proposal{scaled}")


def _error_of_mean(first: _Way, second: _Way, correlation: float) -> float:
    """Standard error of the mean of both ways, whose shares of the draws are correlated so much."""
    shared = correlation * math.sqrt(first.of_draws * second.of_draws)
    whole = first.of_draws + first.of_proposal + second.of_draws + second.of_proposal
    return 0.5 * math.sqrt(whole + 2.0 * shared)


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


@dataclass(frozen=True, eq=False)
class _Way:
    """A bridge from a proposal to the half of the draws that it was not fitted to.

    Attributes
    ----------
    proposal : Proposal
        Fitted to the other half.
    x, log_posterior : ndarray, shapes (m, k) and (m,)
        Draws from the proposal, and the log of likelihood times prior there.
    value : float
        The log integral.
    share : float
        Of the draws of the posterior, in effective numbers, among all.
    of_draws, of_proposal : float
        Variances of the value that come from the draws of either.
    """

    proposal: Proposal
    x: Matrix
    log_posterior: Vector
    value: float
    share: float
    of_draws: float
    of_proposal: float

    @classmethod
    def of(cls, space: Space, proposal: Proposal, draws: Array, rng: np.random.Generator) -> _Way:
        """Bridge to draws (chain, draw, k)."""
        drawn = _rows(draws)
        shape, (count, width) = draws.shape[:2], drawn.shape
        x = proposal.draw(rng, count, width)
        log_posterior = space.log_density(x)
        of_draws = space.log_density(drawn) - proposal.log_density(drawn)
        of_proposal = log_posterior - proposal.log_density(x)
        if not np.isfinite(of_draws).all() or not np.isfinite(of_proposal).any():
            msg = (
                "draws: bridge sampling found no overlap between the posterior and its "
                "approximation; draw more, or reparametrise"
            )
            raise SamplingFailed(msg)
        effective = float(count)
        value = _solve(of_draws, of_proposal, effective)
        for _ in range(2):  # the shares are those of effective draws, which depend on the answer
            f2 = 1.0 - _of_posterior(of_draws - value, effective / (effective + count))
            effective = effective_size(f2.reshape(shape))
            value = _solve(of_draws, of_proposal, effective)
        share = effective / (effective + count)
        return cls(
            proposal, x, log_posterior, value, share,
            _relative_variance(1.0 - _of_posterior(of_draws - value, share)) / effective,
            _relative_variance(_of_posterior(of_proposal - value, share)) / count,
        )  # fmt: skip

    def likeness(self, other: _Way) -> float:
        """Correlation of both bridges' functions of a draw, where proposal and posterior overlap.

        At draws from this proposal, which are new to both.
        """
        weight, theirs = (
            _of_posterior(
                self.log_posterior - way.proposal.log_density(self.x) - way.value, way.share
            )
            for way in (self, other)
        )
        pair = np.stack([weight, theirs])
        off = pair - (pair @ weight / weight.sum())[:, None]
        (a, c), (_, b) = (off * weight) @ off.T
        return float(np.clip(c / math.sqrt(a * b), 0.0, 1.0)) if a * b > 0 else 1.0


def _of_posterior(log_ratio: Vector, share: float) -> Vector:
    """Probability that a draw is one of the posterior's, of log p/q and their share."""
    return np.asarray(special.expit(log_ratio + special.logit(share)))


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
