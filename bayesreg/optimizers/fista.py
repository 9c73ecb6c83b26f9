"""FISTA: ISTA with momentum, restarted whenever the momentum points uphill."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._iterate import iterate
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution
from bayesreg.optimizers._proximal import ProximalState, proximal_start, proximal_step
from bayesreg.optimizers._reasons import needs_convex

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem


@dataclass(frozen=True, eq=False)
class FistaState(ProximalState):
    """An iterate, where its momentum carries it, and Nesterov's sequence."""

    ahead: Vector
    eta_ahead: Vector
    sequence: float


class Fista(Optimizer):
    """Accelerated ISTA (Beck & Teboulle 2009), restarted as O'Donoghue & Candès (2015)."""

    name: ClassVar[str] = "fista"
    summary: ClassVar[str] = "proximal gradient with momentum and adaptive restart; exact zeros"

    any_penalty: ClassVar[bool] = True
    bounded: ClassVar[bool] = True

    def reason_against(self, problem: Problem) -> str | None:
        """Need a convex problem: momentum may not settle on another."""
        return needs_convex(problem)

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Stop when a step moves no coordinate by more than `tol` natural units."""
        form = Composite.of(problem)
        limits = settings.limits(max_iter=10_000, tol=1e-10)
        start = _at_rest(proximal_start(form))
        return form.solution(iterate(start, lambda state: _step(form, state), limits))


def _step(form: Composite, state: FistaState) -> FistaState:
    new = proximal_step(form, state.ahead, state.eta_ahead, state.lipschitz)
    if not new.finite:
        # The momentum has carried it to where exp overflows: step from the iterate itself.
        return _at_rest(proximal_step(form, state.point, state.eta, state.lipschitz))
    if (state.ahead - new.point) @ (new.point - state.point) > 0:
        return _at_rest(new)
    sequence = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * state.sequence**2))
    momentum = (state.sequence - 1.0) / sequence
    return FistaState(
        **vars(new),
        ahead=new.point + momentum * (new.point - state.point),
        eta_ahead=new.eta + momentum * (new.eta - state.eta),
        sequence=sequence,
    )


def _at_rest(state: ProximalState) -> FistaState:
    return FistaState(**vars(state), ahead=state.point, eta_ahead=state.eta, sequence=1.0)
