"""Chains of the Gaussian Gibbs sampler: arrays made ready for the compiled sweeps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import SamplingFailed
from bayesreg.posterior.gibbs._mixing import start
from bayesreg.posterior.gibbs._single import has_pairs
from bayesreg.posterior.gibbs._state import Data, Moves, Prior, State
from bayesreg.posterior.gibbs._sweep import sweep
from bayesreg.posterior.gibbs.chains import Chain, run_chains
from bayesreg.posterior.gibbs.plan import REGULARIZED_HORSESHOE, numbers_of, walked
from bayesreg.posterior.gibbs.rows import Rows
from bayesreg.posterior.gibbs.starts import explaining, start_included, start_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg.posterior.base import Settings
    from bayesreg.posterior.gibbs.plan import Block, Plan

# The p × p route costs p³/3, the n × n one 0.6 n²p + n³/3: they cross here.
_WIDE = 1.6
_MOST_IN_PRODUCTS = 2000
# Share of the observations from which coefficients are many.
_MANY = 0.4
_WALKS = 4
# Share of a draw of all coefficients that passes over them one by one may take, most of them, and
# what a coefficient costs beside its products, in multiplications.
_SHARE, _MOST_PASSES, _ALONE = 0.25, 10, 1000
_ROUNDED = (
    "gibbs: rounding decides on the coefficients: some columns depend on others to the last "
    "digits, and the prior is too wide beside the noise (sd times the length of a column over "
    "sigma) to tell them apart; leave such columns out, or give the prior a smaller scale"
)


@dataclass(eq=False)
class _Gaussian(Chain):
    data: Data
    prior: Prior
    moves: Moves
    state: State
    rng: np.random.Generator

    def advance(self, count: int) -> NDArray[np.float64]:
        """Sweep; each row is β of the coefficients that are not flat, sigma and scale."""
        out = np.empty((count, self.state.beta.size + 2))
        sweep(self.data, self.prior, self.moves, self.state, out, self.rng)
        if out.shape[1] > 2 and np.isnan(out[-1, 0]):
            raise SamplingFailed(_ROUNDED)
        return out


def run(
    plan: Plan, settings: Settings, rng: np.random.Generator
) -> tuple[dict[str, NDArray[np.float64]], bool]:
    """Draw from a problem with Gaussian noise.

    Parameters
    ----------
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
    rows = Rows.of(plan)
    data, prior = _data(plan, rows), _prior(plan)
    moves = _moves(plan, data)
    streams = [stream.spawn(2) for stream in rng.spawn(settings.chains)]
    chains = [
        _Gaussian(data, prior, moves, _state(plan, data, one, (c, len(streams))), one)
        for c, (one, _) in enumerate(streams)
    ]
    draws, kept, complete = run_chains(chains, settings)
    k, level = plan.p - plan.flat, int(plan.has_intercept)
    flat = np.stack(
        [rows.flat.draw(d[:, :k], d[:, k], streams[c][1]) for d, c in zip(draws, kept, strict=True)]
    )
    beta = np.empty((*draws.shape[:2], plan.p))
    beta[..., plan.order[:k]] = draws[..., :k]
    beta[..., plan.order[k:]] = flat[..., level:]
    if plan.loc.any():
        beta[..., plan.order] += plan.loc
    posterior = {"beta": beta}
    if level:
        posterior["intercept"] = flat[..., 0].copy()
    if plan.sigma is None:
        posterior["sigma"] = draws[..., k].copy()
    if plan.scale_prior is not None:
        posterior["scale"] = draws[..., k + 1].copy()
    return posterior, complete


def _data(plan: Plan, rows: Rows) -> Data:
    r, k = rows.A.shape
    # Columns under a spike are in the products as well, and there may be very many of them.
    gram = plan.mixed <= _WIDE * r and k <= max(plan.mixed, _MOST_IN_PRODUCTS)
    empty = np.empty((0, 0))
    one_by_one = plan.spike is not None or bool(_heavy(plan))
    spiked = rows.A[:, plan.mixed :] if k - plan.mixed <= _MOST_IN_PRODUCTS else empty
    return Data(
        A=rows.A,
        t=rows.t,
        G=rows.A.T @ rows.A if gram else spiked.T @ spiked,
        b=rows.A.T @ rows.t if gram else np.empty(0),
        columns=np.ascontiguousarray(rows.A.T) if one_by_one and not gram else empty,
        square=np.einsum("ij,ij->j", rows.A, rows.A),
        power=rows.count,
        gram=gram,
    )


def _mixtures(plan: Plan) -> list[Block]:
    return [block for block in plan.blocks if block.low < plan.mixed]


def _heavy(plan: Plan) -> list[Block]:
    return [block for block in _mixtures(plan) if has_pairs(block.family)]


def _prior(plan: Plan) -> Prior:
    mixtures = _mixtures(plan)
    rows = [(block.family, block.low, block.high, block.uses_sigma) for block in mixtures]
    scaled = [block.uses_scale for block in mixtures]
    return Prior(
        blocks=np.array(rows, dtype=np.int64).reshape(-1, 4),
        scaled=scaled.index(True) if any(scaled) else -1,
        unit=plan.unit[: plan.mixed],
        shape=np.ascontiguousarray(plan.shape[: plan.mixed]),
        inclusion=np.empty(0) if plan.spike is None else plan.spike.inclusion,
        slab=np.empty(0) if plan.spike is None else plan.spike.slab,
        sigma=numbers_of(plan.sigma_prior),
        scale=numbers_of(plan.scale_prior),
    )


def _moves(plan: Plan, data: Data) -> Moves:
    """Choose moves: what costs factorisations only where columns are many."""
    mixtures, unknown = _mixtures(plan), plan.sigma is None
    relative = [block.uses_sigma for block in mixtures]
    slabbed = REGULARIZED_HORSESHOE
    shared = [block for block in mixtures if block.uses_scale and block.family != slabbed]
    wide = plan.mixed > _MANY * data.power
    walk_sigma, walk_scale = walked(mixtures, unknown=unknown)
    return Moves(
        together=unknown and plan.spike is None and bool(mixtures) and all(relative),
        scale_from_data=bool(shared) and wide,
        walks=_WALKS if wide and (walk_sigma or walk_scale) else 0,
        walk_sigma=walk_sigma,
        walk_scale=walk_scale,
        passes=_passes(plan, data),
    )


def _passes(plan: Plan, data: Data) -> int:
    """Choose how often coefficients with heavy tails are drawn one by one: as it costs little."""
    if not _heavy(plan):
        return 0
    r, m = float(data.A.shape[0]), float(plan.mixed)
    joint = m**3 / 3 if data.gram else 0.6 * r * r * m + r**3 / 3
    alone = m * (_ALONE + 2 * (m if data.gram else r))
    return min(round(_SHARE * joint / alone), _MOST_PASSES)


def _state(
    plan: Plan, data: Data, rng: np.random.Generator, chain: tuple[int, int] = (0, 1)
) -> State:
    """Start somewhere of the right size, different in each chain: its number, and how many."""
    r, k = data.A.shape
    m = plan.mixed
    size = math.sqrt(float(data.t @ data.t) / max(data.power, 1.0)) or 1.0
    lengths = np.sqrt((data.A**2).sum(axis=0) / max(data.power, 1.0))
    sigma = size * math.exp(0.3 * rng.standard_normal()) if plan.sigma is None else plan.sigma
    scale, unlike = start_scale(plan, lengths[:m] * plan.unit[:m], size, sigma, chain, rng)
    if plan.scale_prior is None:
        scale = 1.0
    width = plan.unit[:m].copy()
    for block in plan.blocks:
        if block.low < m:
            unknown = (scale if block.uses_scale else 1.0) * (sigma if block.uses_sigma else 1.0)
            width[block.low : block.high] *= unknown
    beta = np.zeros(k)
    beta[:m] = width * rng.standard_normal(m) / math.sqrt(max(m, 1))
    if unlike:
        beta[:m] = explaining(data.A[:, :m], data.t, width, lengths[:m], size)
    if plan.spike is not None:
        spike = plan.spike
        beta[m:] = start_included(spike.inclusion, spike.slab, lengths[m:], size, rng)
    aux, variance = np.ones((m, 2)), np.empty(m)
    for block in plan.blocks:
        if block.low < m:
            start(block.family, block.low, block.high, beta, width, plan.shape, aux, variance)
    factor = m if data.gram else r
    return State(
        beta=beta,
        unknown=np.array([sigma, scale]),
        aux=aux,
        variance=variance,
        width=np.empty(k),
        ridge=np.ones(m),
        fit=data.A @ beta,
        part=np.empty(r),
        pull=np.empty(k),
        W=np.empty((0, 0) if data.gram else (r, m)),
        K=np.empty((0, 0) if data.gram else (r, r)),
        L=np.zeros((factor, factor)),
        c=np.empty(factor),
        L2=np.zeros((factor, factor)),
        c2=np.empty(factor),
    )
