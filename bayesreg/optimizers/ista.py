"""ISTA: gradient step on the loss, then the proximal operator of the penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._iterate import iterate
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution
from bayesreg.optimizers._proximal import ProximalState, ista_step, proximal_start, proximal_step

if TYPE_CHECKING:
    from bayesreg.problem import Problem

__all__ = ["Ista", "ista_step"]


class Ista(Optimizer):
    """Iterative shrinkage and thresholding (Daubechies, Defrise & De Mol 2004); exact zeros."""

    name: ClassVar[str] = "ista"
    summary: ClassVar[str] = "proximal gradient with step 1/L; slow where columns are correlated"

    any_penalty: ClassVar[bool] = True
    bounded: ClassVar[bool] = True

    def reason_against(self, problem: Problem) -> str | None:
        """Take every problem; where the penalty is not convex it ends at a stationary point."""
        del problem
        return None

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Stop when a step moves no coordinate by more than `tol` natural units."""
        form = Composite.of(problem)

        def step(state: ProximalState) -> ProximalState:
            return proximal_step(form, state.point, state.eta, state.lipschitz)

        limits = settings.limits(max_iter=10_000, tol=1e-10)
        return form.solution(iterate(proximal_start(form), step, limits))
