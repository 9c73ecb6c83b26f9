"""Chains for a logistic likelihood: arrays made ready for the compiled steps, and the warm-up.

The first third of the warm-up makes Pólya–Gamma steps only, and its second half learns how much
information each row has. The columns are then centred with that as weights, and the rest of the
warm-up finds the step size of the Hamiltonian step; both are held from there on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.posterior.gibbs._augmented import LEVEL
from bayesreg.posterior.gibbs._logistic import advance
from bayesreg.posterior.gibbs._single import has_pairs
from bayesreg.posterior.gibbs._trajectory import Metric
from bayesreg.posterior.gibbs.augmented import (
    prior_of,
    rows_of,
    run_augmented,
    state_of,
    typical_spread,
)
from bayesreg.posterior.gibbs.chains import Chain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg.posterior.base import Settings
    from bayesreg.posterior.gibbs._augmented import Prior, Rows, State
    from bayesreg.posterior.gibbs.plan import Plan

AUGMENT, TUNE, HOLD = 0, 1, 2
# Shorter warm-ups learn too little: then there are Pólya–Gamma steps only.
_LEAST_TUNE = 30
_FIRST_STEP = 0.5
# Draws from one Pólya–Gamma step to the next once there are trajectories, which move further for
# less: it costs n p²/2, or n²p, and a trajectory some 8 n p. In it alone coefficients with heavy
# tails are drawn together with their local variances.
_PERIOD, _PERIOD_OF_PAIRS = 8, 2
# Moves along rays in a draw: from least to most as what they cost beside the rest, p min(n, p) over
# this, allows. Each is some passes over the rows.
_LEAST_RAYS, _MOST_RAYS, _PER_RAY = 4, 24, 1000


@dataclass(eq=False)
class _Logistic(Chain):
    """One chain; `tune` is how many of its draws are warm-up."""

    plan: Plan
    tune: int
    rng: np.random.Generator
    rows: Rows = field(init=False)
    prior: Prior = field(init=False)
    state: State = field(init=False)
    metric: Metric = field(init=False)
    rays: int = field(init=False)
    done: int = 0
    period: int = 1
    mode: int = AUGMENT

    def __post_init__(self) -> None:
        """Start."""
        plan = self.plan
        self.rows = rows_of(plan)
        self.prior = prior_of(plan)
        self.state = _state(plan, self.rows, self.prior, self.rng)
        self.metric = Metric(np.zeros(self.rows.y.size), np.empty((0, 0)), np.zeros(5))
        affordable = plan.p * min(plan.p, self.rows.y.size) // _PER_RAY
        self.rays = min(max(affordable, _LEAST_RAYS), _MOST_RAYS)

    @property
    def learning(self) -> tuple[int, int]:
        """First draw that teaches the metric, and the draw before which it is made."""
        augmented = self.tune // 3
        return augmented // 2, augmented

    def advance(self, count: int) -> NDArray[np.float64]:
        """Move on; each row is β about its centre, intercept and scale.

        The marks of the warm-up are draws, not batches.
        """
        out = np.empty((count, self.plan.p + 2))
        filled = 0
        while filled < count:
            self._change()
            marks = [m for m in (*self.learning, self.tune) if m > self.done]
            upto = min([self.done + count - filled, *marks])
            part = out[filled : filled + upto - self.done]
            advance(
                self.rows, self.prior, self.state, self.metric,
                self.done, self.period, self.rays, self.mode, part, self.rng,
            )  # fmt: skip
            filled += upto - self.done
            self.done = upto
        return out

    def _change(self) -> None:
        """Begin the next part of the warm-up, or end it, where it is time."""
        forgotten, learnt = self.learning
        usable = self.tune >= _LEAST_TUNE and self.plan.spike is None
        if self.done == forgotten:
            self.metric.information[:] = 0.0
        if self.done == learnt and usable:
            self._learn(learnt - forgotten)
            self.mode = TUNE
        if self.done == self.tune and usable:
            self.metric.tuning[0] = self.metric.tuning[1]
            self.mode = HOLD

    def _learn(self, count: int) -> None:
        """Centre the columns with the information of the rows as weights, and hold the metric."""
        rows, information = self.rows, self.metric.information / count
        X, mean = rows.X, rows.mean
        if rows.has_level:
            shift = X @ information / information.sum()
            X, mean = X - shift[:, None], mean + shift
            self.state.scalars[LEVEL] += float(shift @ self.state.beta)
        self.rows = rows._replace(X=X, mean=mean)
        gram = np.empty((0, 0)) if rows.wide else np.ascontiguousarray((X * information) @ X.T)
        first = math.log(_FIRST_STEP)
        self.metric = Metric(information, gram, np.array([first, first, 0.0, 0.0, 0.0]))
        heavy = any(has_pairs(block.family) for block in self.plan.blocks)
        self.period = _PERIOD_OF_PAIRS if heavy else _PERIOD


def run(
    plan: Plan, settings: Settings, rng: np.random.Generator
) -> tuple[dict[str, NDArray[np.float64]], bool]:
    """Draw from a problem with a Bernoulli likelihood that `binary` has nothing against.

    Parameters and returned values are those of `run_augmented`.
    """
    return run_augmented(lambda stream: _Logistic(plan, settings.tune, stream), plan, settings, rng)


def _state(plan: Plan, rows: Rows, prior: Prior, rng: np.random.Generator) -> State:
    """Start near the null model, at another place in each chain: R-hat needs it.

    The scale starts where the linear predictor would vary by about one.
    """
    scale = 1.0
    if plan.scale_prior is not None:
        scale = math.exp(0.5 * rng.standard_normal()) / typical_spread(plan, rows)
    mean = float(np.average(plan.y, weights=plan.weights))
    level = math.log(mean / (1 - mean)) if plan.has_intercept else 0.0
    eta = rows.offset + level + rng.standard_normal(rows.y.size)
    return state_of(plan, prior, eta, np.array([level, scale, 1.0]))
