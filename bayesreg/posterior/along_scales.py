"""The walk along a grid of prior scales: where to draw, and how far draws are of use.

It begins in the middle and spreads outwards. Draws serve their neighbours, on both sides, as far as
their weights can be trusted; the next draws are made where the longest stretch is left, as far
beyond its edge as the draws on the other side of the edge have reached.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import SamplingWarning
from bayesreg.posterior.closed_path import closed_summary, with_exact_means
from bayesreg.posterior.diagnostics import ESS_PER_CHAIN
from bayesreg.posterior.reweighting import (
    Ordered,
    Source,
    Summary,
    Use,
    Weights,
    khat_limit,
    summarise,
)
from bayesreg.posterior.sampling import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bayesreg._validation import Vector
    from bayesreg.posterior.moments import Moments
    from bayesreg.problem import Problem

CLOSED_FORM = "closed form"
# Draws that are too few are made again, so many times as many.
_MORE = 4
# Numbers to keep for pooling, 12 bytes each.
_MOST_KEPT = 100_000_000
# Independent draws are cheap to make anew, and those of an approximation are not of the posterior.
_REUSABLE = ("gibbs", "nuts")


@dataclass(frozen=True)
class Plan:
    """What is asked of a walk.

    Attributes
    ----------
    method : str
        Sampler, as `sample` takes it.
    draws, chains, tune : int
        Of each fresh run; four times as many where fewer than 100 per chain are effective.
    min_ess : float
        Effective draws below which a scale gets draws of its own.
    epsilon : ndarray, shape (p,)
        What counts as close to zero.
    hdi_prob : float
        Probability of the intervals.
    """

    method: str
    draws: int
    chains: int
    tune: int
    min_ess: float
    epsilon: Vector
    hdi_prob: float


@dataclass(frozen=True, eq=False)
class Point:
    """What is known at one scale.

    Attributes
    ----------
    summary : Summary
        Of the posterior.
    method : str
        Sampler of the draws, or "closed form".
    source : int
        Position of the scale that most of the draws are from; −1 where none were needed.
    draws : int
        Number of the draws, those of other scales included.
    khat, ess, rhat : float
        Heaviest tail of the weights, effective draws, largest R-hat of the fresh draws; NaN where
        there is none.
    """

    summary: Summary
    method: str
    source: int
    draws: int
    khat: float
    ess: float
    rhat: float


@dataclass(frozen=True)
class Run:
    """Fresh draws at one scale: their sampler, their R-hat, how many scales they serve each way."""

    method: str
    rhat: float
    reach: tuple[int, int]


class Walk:
    """Fills the points of a path, one by one, so that an interruption leaves those done.

    Parameters
    ----------
    problems : sequence of Problem
        The posterior at every scale, in increasing order of the scale.
    moments : sequence of Moments or None
        The exact moments there; None where they are not known, or not to be used.
    plan : Plan
        What is asked.
    rng : Generator
        Gives every scale a stream of its own, so that its draws do not depend on the others'.
    report : callable
        Called with the number of finished scales and of fresh runs.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        moments: Sequence[Moments] | None,
        plan: Plan,
        rng: np.random.Generator,
        report: Callable[[int, int], None],
    ) -> None:
        self.problems, self.moments = problems, moments
        self.plan, self.report = plan, report
        self.streams = rng.spawn(len(problems))
        self.points: dict[int, Point] = {}
        self.uses: dict[int, list[Use]] = {}
        self.runs: dict[int, Run] = {}
        numbers = len(problems) * plan.draws * plan.chains * (plan.epsilon.size + 2)
        self.pools = numbers <= _MOST_KEPT

    @property
    def done(self) -> set[int]:
        """Scales that need no draws any more."""
        return set(self.points) | set(self.uses)

    def run(self) -> bool:
        """Fill all points; return False if Ctrl-C cut it short with at least one of them done."""
        complete = True
        try:
            self._fill_closed()
            while (place := next_place(len(self.problems), self.done, self.reach)) >= 0:
                self._draw_and_spread(place)
                if not self.pools:
                    self._settle()
                self.report(len(self.done), len(self.runs))
        except KeyboardInterrupt:
            if not self.done:
                raise
            complete = False
        self._settle()
        return complete

    @property
    def reach(self) -> dict[int, tuple[int, int]]:
        """How many scales each fresh run serves below and above its own."""
        return {place: run.reach for place, run in self.runs.items()}

    def _fill_closed(self) -> None:
        for k, moments in enumerate(self.moments or ()):
            summary = closed_summary(
                self.problems[k], moments, self.plan.epsilon, self.plan.hdi_prob
            )
            if summary is None:  # a kind of posterior that all scales share
                return
            self.points[k] = Point(summary, CLOSED_FORM, -1, 0, math.nan, math.inf, math.nan)
        self.report(len(self.points), 0)

    def _draw_and_spread(self, place: int) -> None:
        """Draw afresh at a scale, and use the draws as far as they can be trusted."""
        source, method = self._draw(place)
        draws = source.ordered()
        uses = {place: Use(place, draws, source.own, source.effective(source.own))}
        reach = [0, 0]
        for side, step in enumerate((-1, 1)) if method in _REUSABLE else ():
            found = self._spread(place, source, draws, step)
            uses, reach[side] = uses | found, len(found)
        # All at once, so that an interruption finds nothing half done.
        self.runs[place] = Run(method, source.rhat, (reach[0], reach[1]))
        for there, use in uses.items():
            self.uses.setdefault(there, []).append(use)

    def _draw(self, place: int) -> tuple[Source, str]:
        """Draw at a scale, once more and longer if the draws are too few."""
        source, method = self._run_sampler(place, 1)
        # Chains that disagree have few effective draws, too.
        if source.effective(source.own) < ESS_PER_CHAIN * self.plan.chains:
            source, method = self._run_sampler(place, _MORE)
        return source, method

    def _run_sampler(self, place: int, times: int) -> tuple[Source, str]:
        """Draw at a scale; KeyboardInterrupt if that was cut short."""
        plan, problem = self.plan, self.problems[place]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SamplingWarning)  # the path says so itself
            tree = sample(
                problem,
                plan.method,
                draws=times * plan.draws,
                chains=plan.chains,
                tune=times * plan.tune,
                seed=self.streams[place],
                progress=False,
            )
        if not tree.attrs["complete"]:
            raise KeyboardInterrupt
        posterior, method = tree["posterior"].to_dataset(), str(tree.attrs["method"])
        draws = {
            str(name): np.asarray(values.transpose("chain", "draw", ...), dtype=np.float64)
            for name, values in posterior.data_vars.items()
        }
        return Source.of(problem, draws, independent=method == "exact"), method

    def _spread(self, origin: int, source: Source, draws: Ordered, step: int) -> dict[int, Use]:
        """Use draws at one neighbour after the other, as long as they can be trusted."""
        found: dict[int, Use] = {}
        place = origin + step
        while 0 <= place < len(self.problems):
            weights = source.towards(self.problems[place])
            if weights is None or not self._can_be_trusted(source, weights):
                break
            found[place] = Use(origin, draws, weights, source.effective(weights))
            place += step
        return found

    def _can_be_trusted(self, source: Source, weights: Weights) -> bool:
        return (
            weights.khat < khat_limit(weights.values.size)
            and source.effective(weights) >= self.plan.min_ess
        )

    def _settle(self) -> None:
        """Summarise what has draws; without room to keep them, by the best of them alone."""
        for place, uses in self.uses.items():
            best = max(uses, key=lambda use: (use.origin == place, use.effective))
            before = self.points.get(place)
            if before is not None and (before.source == place or before.ess >= best.effective):
                continue
            self.points[place] = self._point(place, best, uses if self.pools else [best])
        self.uses.clear()

    def _point(self, place: int, best: Use, uses: list[Use]) -> Point:
        run = self.runs[best.origin]
        khats = [use.weights.khat for use in uses if use.origin != place]
        summary = summarise(uses, self.plan.epsilon, self.plan.hdi_prob)
        if self.moments is not None:
            summary = with_exact_means(summary, self.moments[place])
        return Point(
            summary=summary,
            method=run.method,
            source=best.origin,
            draws=sum(use.weights.values.size for use in uses),
            khat=max(khats, default=math.nan),
            ess=sum(use.effective for use in uses),
            rhat=run.rhat if best.origin == place else math.nan,
        )


def next_place(count: int, done: set[int], reach: dict[int, tuple[int, int]]) -> int:
    """Choose the scale to draw at next; −1 if all are done.

    Parameters
    ----------
    count : int
        Number of scales.
    done : set of int
        Scales that need no draws any more.
    reach : dict
        How many scales each fresh run serves below and above its own.

    Returns
    -------
    int
        In the longest stretch that is left: its middle, if draws have been made on both sides or
        on none; else as far from its inner edge as the draws next to it reach.

    Examples
    --------
    >>> next_place(9, set(), {}), next_place(9, {3, 4, 5}, {4: (1, 1)})
    (4, 1)
    """
    left = [k for k in range(count) if k not in done]
    if not left:
        return -1
    cuts = [i for i in range(1, len(left)) if left[i] != left[i - 1] + 1]
    edges = zip([0, *cuts], [*cuts, len(left)], strict=True)
    low, high = max(((left[a], left[b - 1]) for a, b in edges), key=lambda run: run[1] - run[0])
    length = high - low + 1
    below, above = [k for k in reach if k < low], [k for k in reach if k > high]
    if above and not below:
        return high - min(reach[min(above)][0], length // 2)
    if below and not above:
        return low + min(reach[max(below)][1], length // 2)
    return low + length // 2
