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

from bayesreg.posterior.gibbs._binary_rows import Rows, State, predict
from bayesreg.posterior.gibbs._logistic import Prior, advance
from bayesreg.posterior.gibbs._mixing import start
from bayesreg.posterior.gibbs._trajectory import Metric
from bayesreg.posterior.gibbs.binary import is_wide
from bayesreg.posterior.gibbs.chains import Chain, run_chains

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg.posterior.base import Settings
    from bayesreg.posterior.gibbs.plan import Plan

AUGMENT, TUNE, HOLD = 0, 1, 2
# Shorter warm-ups learn too little: then there are Pólya–Gamma steps only.
_LEAST_TUNE = 30
_FIRST_STEP = 0.5
# Draws from one Pólya–Gamma step to the next once there are trajectories, which move further for
# less: it costs n p²/2, or n²p, and a trajectory some 8 n p.
_PERIOD = 8


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
    done: int = 0
    period: int = 1
    mode: int = AUGMENT

    def __post_init__(self) -> None:
        """Start."""
        plan = self.plan
        self.rows = _rows(plan)
        self.prior = _prior(plan)
        self.state = _state(plan, self.rows, self.prior, self.rng)
        self.metric = Metric(np.zeros(self.rows.y.size), np.empty((0, 0)), np.zeros(5))

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
                self.done, self.period, self.mode, part, self.rng,
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
            self.state.scalars[0] += float(shift @ self.state.beta)
        self.rows = rows._replace(X=X, mean=mean)
        gram = np.empty((0, 0)) if rows.wide else np.ascontiguousarray((X * information) @ X.T)
        first = math.log(_FIRST_STEP)
        self.metric = Metric(information, gram, np.array([first, first, 0.0, 0.0, 0.0]))
        self.period = _PERIOD
        predict(self.rows, self.state)


def run(
    plan: Plan, settings: Settings, rng: np.random.Generator
) -> tuple[dict[str, NDArray[np.float64]], bool]:
    """Draw from a problem with a Bernoulli likelihood.

    Parameters
    ----------
    plan : Plan
        The problem; `binary.reason_against` has nothing against it.
    settings : Settings
        How much to draw.
    rng : Generator
        Spawns a stream per chain.

    Returns
    -------
    posterior : dict of ndarray
        As in `Draws`: shapes (chain, draw, p) and (chain, draw).
    complete : bool
        False if it was interrupted.
    """
    chains = [_Logistic(plan, settings.tune, stream) for stream in rng.spawn(settings.chains)]
    draws, _, complete = run_chains(chains, settings)
    beta, p = draws[..., : plan.p], plan.p
    posterior = {"beta": plan.in_order_of_problem(beta + plan.loc)}
    if plan.has_intercept:
        posterior["intercept"] = draws[..., p]
    if plan.scale_prior is not None:
        posterior["scale"] = draws[..., p + 1]
    return posterior, complete


def _rows(plan: Plan) -> Rows:
    """Centre columns where there is an intercept, which takes up what is subtracted."""
    X = plan.X.T
    p, n = X.shape
    mean = np.zeros(p)
    offset = plan.offset + plan.loc @ X
    if plan.has_intercept:
        mean = X @ plan.weights / plan.weights.sum()
        X = X - mean[:, None]
    return Rows(
        X=np.ascontiguousarray(X),
        mean=mean,
        y=np.ascontiguousarray(plan.y, dtype=np.float64),
        weights=np.array(plan.weights, dtype=np.float64),
        offset=offset,
        has_level=plan.has_intercept,
        wide=is_wide(plan, n),
    )


def _prior(plan: Plan) -> Prior:
    blocks, spike, hyper = plan.blocks, plan.spike, plan.scale_prior
    return Prior(
        family=np.array([block.family for block in blocks], dtype=np.int64),
        low=np.array([block.low for block in blocks], dtype=np.int64),
        high=np.array([block.high for block in blocks], dtype=np.int64),
        uses_scale=np.array([block.uses_scale for block in blocks], dtype=np.bool_),
        unit=plan.unit,
        shape=np.ascontiguousarray(plan.shape),
        kind=-1 if hyper is None else hyper.kind,
        a=0.0 if hyper is None else hyper.a,
        b=0.0 if hyper is None else hyper.b,
        spike_low=0 if spike is None else spike.low,
        spike_high=0 if spike is None else spike.high,
        inclusion=np.empty(0) if spike is None else np.ascontiguousarray(spike.inclusion),
        slab=np.empty(0) if spike is None else np.ascontiguousarray(spike.slab),
    )


def _state(plan: Plan, rows: Rows, prior: Prior, rng: np.random.Generator) -> State:
    """Start near the null model, at another place in each chain: R-hat needs it.

    The scale starts where the linear predictor would vary by about one.
    """
    p, n = rows.X.shape
    finite = np.isfinite(plan.unit)
    scale = 1.0
    if plan.scale_prior is not None:
        sd = rows.X[finite].std(axis=1) * plan.unit[finite]
        scale = math.exp(0.5 * rng.standard_normal()) / (math.sqrt(float(sd @ sd)) or 1.0)
    width = plan.unit.copy()
    for block in plan.blocks:
        if block.uses_scale:
            width[block.low : block.high] *= scale
    mean = float(np.average(plan.y, weights=plan.weights))
    level = math.log(mean / (1 - mean)) if plan.has_intercept else 0.0
    state = State(
        beta=np.zeros(p),
        eta=rows.offset + level + rng.standard_normal(n),
        width=width,
        aux=np.ones((p, 2)),
        variance=np.ones(p),
        scalars=np.array([level, scale]),
    )
    for block in plan.blocks:
        start(
            block.family, block.low, block.high,
            state.beta, width, prior.shape, state.aux, state.variance,
        )  # fmt: skip
    return state
