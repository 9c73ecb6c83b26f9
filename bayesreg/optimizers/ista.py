"""ISTA: gradient step on the loss, then the proximal operator of the penalty."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._iterate import iterate
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution
from bayesreg.optimizers._proximal import ProximalState, ista_step, proximal_start, proximal_step

if TYPE_CHECKING:
    from bayesreg.problem import Problem

__all__ = ["Ista", "ista_step"]


class Ista(Optimizer):
    """Iterative shrinkage and thresholding (Daubechies, Defrise & De Mol 2004); exact zeros.

    Columns are scaled, and the step is one over the curvature, unless the caller gives a step: a
    length of the coefficients as they are, and so it is taken on columns as they are.
    """

    name: ClassVar[str] = "ista"
    summary: ClassVar[str] = "proximal gradient with step 1/L; slow where columns are correlated"

    any_penalty: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    stepped: ClassVar[bool] = True

    def reason_against(self, problem: Problem) -> str | None:
        """Take every problem; where the penalty is not convex it ends at a stationary point."""
        del problem
        return None

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Stop when a step moves no coordinate by more than `tol` natural units."""
        fixed = settings.step_size is not None
        form = Composite.of(problem, scaled=not fixed)
        start = proximal_start(form, settings.start)
        if settings.step_size is not None:
            start = replace(start, lipschitz=1.0 / settings.step_size)

        def step(state: ProximalState) -> ProximalState:
            return proximal_step(form, state.point, state.eta, state.lipschitz, fixed=fixed)

        limits = settings.limits(max_iter=10_000, tol=1e-10)
        return form.solution(iterate(start, step, limits))
