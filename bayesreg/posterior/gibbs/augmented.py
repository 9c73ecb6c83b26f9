"""Chains of likelihoods that are normal given auxiliary variables: arrays made ready, draws named.

What `logistic` and `robust` share. The kernels are in `_augmented`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.posterior.gibbs._augmented import SCALE, SIGMA, Prior, Rows, State
from bayesreg.posterior.gibbs._mixing import start
from bayesreg.posterior.gibbs.chains import run_chains
from bayesreg.posterior.gibbs.plan import numbers_of
from bayesreg.posterior.gibbs.routes import is_wide
from bayesreg.posterior.projection import centred

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.posterior.base import Settings
    from bayesreg.posterior.gibbs.chains import Chain
    from bayesreg.posterior.gibbs.plan import Plan


def run_augmented(
    make: Callable[[np.random.Generator], Chain],
    plan: Plan,
    settings: Settings,
    rng: np.random.Generator,
) -> tuple[dict[str, NDArray[np.float64]], bool]:
    """Run chains whose draws are β about its centre, intercept, scale and, where unknown, sigma.

    Parameters
    ----------
    make : callable
        Makes a chain from its stream of random numbers.
    plan : Plan
        The problem.
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
    draws, _, complete = run_chains([make(s) for s in rng.spawn(settings.chains)], settings)
    p = plan.p
    posterior = {"beta": plan.in_order_of_problem(draws[..., :p] + plan.loc)}
    if plan.has_intercept:
        posterior["intercept"] = draws[..., p].copy()
    if plan.sigma is None:
        posterior["sigma"] = draws[..., p + 2].copy()
    if plan.scale_prior is not None:
        posterior["scale"] = draws[..., p + 1].copy()
    return posterior, complete


def rows_of(plan: Plan) -> Rows:
    """Centre columns where there is an intercept, which takes up what is subtracted."""
    X, mean = plan.X, np.zeros(plan.p)
    offset = plan.offset + X @ plan.loc
    if plan.has_intercept:
        X, mean = centred(X, plan.weights)
    return Rows(
        X=np.ascontiguousarray(X.T),
        mean=mean,
        y=np.array(plan.y, dtype=np.float64),
        weights=np.array(plan.weights, dtype=np.float64),
        offset=offset,
        nu=plan.nu,
        has_level=plan.has_intercept,
        wide=is_wide(plan, plan.design.n),
    )


def prior_of(plan: Plan) -> Prior:
    """Return the blocks as arrays."""
    spike, scaled = plan.spike, [block.uses_scale for block in plan.blocks]
    return Prior(
        blocks=np.array(plan.blocks, dtype=np.int64).reshape(-1, 5),
        scaled=scaled.index(True) if any(scaled) else -1,
        unit=np.array(plan.unit),
        shape=np.ascontiguousarray(plan.shape),
        scale=numbers_of(plan.scale_prior),
        sigma=numbers_of(plan.sigma_prior),
        spike_low=0 if spike is None else spike.low,
        spike_high=0 if spike is None else spike.high,
        inclusion=np.empty(0) if spike is None else np.ascontiguousarray(spike.inclusion),
        slab=np.empty(0) if spike is None else np.ascontiguousarray(spike.slab),
    )


def typical_spread(plan: Plan, rows: Rows) -> float:
    """Sd of the linear predictor where every coefficient is its width at unknowns of one; not 0."""
    finite = np.isfinite(plan.unit)
    sd = rows.X[finite].std(axis=1) * plan.unit[finite]
    return float(np.sqrt(sd @ sd)) or 1.0


def state_of(plan: Plan, prior: Prior, eta: Vector, scalars: Vector) -> State:
    """Start at coefficients of 0, with typical local variances; `scalars` as in `State`."""
    width = plan.unit.copy()
    for block in plan.blocks:
        scale, sigma = scalars[SCALE], scalars[SIGMA]
        width[block.low : block.high] *= scale**block.uses_scale * sigma**block.uses_sigma
    p = plan.p
    state = State(np.zeros(p), eta, width, np.ones((p, 2)), np.ones(p), scalars)
    for block in plan.blocks:
        start(
            block.family, block.low, block.high,
            state.beta, width, prior.shape, state.aux, state.variance,
        )  # fmt: skip
    return state
