"""Chains for Student-t noise: arrays made ready for the compiled steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.posterior.gibbs import _state as gaussian
from bayesreg.posterior.gibbs._many import Many, Moves
from bayesreg.posterior.gibbs._robust import advance
from bayesreg.posterior.gibbs.augmented import (
    prior_of,
    rows_of,
    run_augmented,
    state_of,
    typical_spread,
)
from bayesreg.posterior.gibbs.chains import Chain
from bayesreg.posterior.gibbs.plan import walked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg.posterior.base import Settings
    from bayesreg.posterior.gibbs._augmented import Prior, Rows, State
    from bayesreg.posterior.gibbs.plan import Plan

# Share of the observations from which coefficients are many, and steps that are then made.
_MANY, _WALKS = 0.4, 4
# Median of |z|, z standard normal.
_MEDIAN = 0.6745


@dataclass(eq=False)
class _Robust(Chain):
    rows: Rows
    prior: Prior
    many: Many
    together: tuple[bool, bool]
    state: State
    rng: np.random.Generator

    @classmethod
    def of(cls, plan: Plan, rng: np.random.Generator) -> _Robust:
        """Start."""
        rows, prior = rows_of(plan), prior_of(plan)
        state = _state(plan, rows, prior, rng)
        relative = bool(prior.blocks[:, 4].any()) and plan.sigma is None
        many = _many(plan, rows, prior, state)
        return cls(rows, prior, many, (prior.scaled >= 0, relative), state, rng)

    def advance(self, count: int) -> NDArray[np.float64]:
        """Move on; each row is β about its centre, intercept, scale and sigma."""
        out = np.empty((count, self.state.beta.size + 3))
        advance(self.rows, self.prior, self.many, self.state, self.together, out, self.rng)
        return out


def run(
    plan: Plan, settings: Settings, rng: np.random.Generator
) -> tuple[dict[str, NDArray[np.float64]], bool]:
    """Draw from a problem with Student-t noise that `routes` has nothing against.

    Parameters and returned values are those of `run_augmented`.
    """
    return run_augmented(lambda stream: _Robust.of(plan, stream), plan, settings, rng)


def _state(plan: Plan, rows: Rows, prior: Prior, rng: np.random.Generator) -> State:
    """Start at the median, at another sigma and scale in each chain: R-hat needs it.

    Sizes are medians, as means would follow the rows that this noise is chosen for.
    """
    target = rows.y - rows.offset
    level = float(np.median(target)) if plan.has_intercept else 0.0
    size = float(np.median(np.abs(np.sqrt(rows.weights) * (target - level)))) / _MEDIAN
    size = size or float(np.abs(target - level).mean()) or 1.0
    sigma = size * math.exp(0.3 * rng.standard_normal()) if plan.sigma is None else plan.sigma
    scale = 1.0
    if plan.scale_prior is not None:
        relative = sigma if any(b.uses_scale and b.uses_sigma for b in plan.blocks) else 1.0
        scale = size * math.exp(0.5 * rng.standard_normal()) / typical_spread(plan, rows) / relative
    eta = rows.offset + level + size * rng.standard_normal(target.size)
    return state_of(plan, prior, eta, np.array([level, scale, sigma]))


def _many(plan: Plan, rows: Rows, prior: Prior, state: State) -> Many:
    """Arrange the collapsed step, for coefficients that are many and none of them flat."""
    p, n = rows.X.shape
    power, moves = float(n - plan.has_intercept), _moves(plan)
    used = plan.mixed == p > _MANY * power and (moves.walks > 0 or moves.together)
    gram = p <= n
    if not used:
        p = n = 0
    r = p if gram else n
    work = gaussian.State(
        beta=state.beta, unknown=np.empty(2), aux=state.aux, variance=state.variance,
        width=np.empty(p), ridge=np.empty(p), fit=np.empty(n), part=np.empty(n), pull=np.empty(p),
        W=np.empty((0, 0) if gram else (n, p)), K=np.empty((0, 0) if gram else (n, n)),
        L=np.zeros((r, r)), c=np.empty(r), L2=np.zeros((r, r)), c2=np.empty(r),
    )  # fmt: skip
    inner = gaussian.Prior(
        np.ascontiguousarray(prior.blocks[:, [0, 1, 2, 4]]), prior.scaled, prior.unit, prior.shape,
        prior.inclusion, prior.slab, prior.sigma, prior.scale,
    )  # fmt: skip
    return Many(inner, moves, work, power if used else 0.0, gram)


def _moves(plan: Plan) -> Moves:
    """Choose which unknowns are drawn with the coefficients integrated out."""
    unknown, relative = plan.sigma is None, [block.uses_sigma for block in plan.blocks]
    walk_sigma, walk_scale = walked(plan.blocks, unknown=unknown)
    return Moves(
        together=unknown and all(relative),
        walks=_WALKS if walk_sigma or walk_scale else 0,
        walk_sigma=walk_sigma,
        walk_scale=walk_scale,
    )
