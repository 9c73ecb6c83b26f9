"""Closed form: the mode of a Gaussian likelihood under normal and flat priors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.linalg import solve_triangular

from bayesreg.likelihoods import Gaussian
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg.problem import Problem


class ClosedForm(Optimizer):
    """Ridge regression and least squares, by one QR decomposition."""

    name: ClassVar[str] = "closed_form"
    summary: ClassVar[str] = "ridge or least squares by QR: exact up to rounding"

    def reason_against(self, problem: Problem) -> str | None:
        """Need a Gaussian likelihood and no absolute value."""
        return _reasons.first(
            _reasons.needs_likelihood(problem, Gaussian), _reasons.needs_no_l1(problem)
        )

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Solve least squares with one more row per penalised coordinate.

        The rows ``√l2 · u = √l2 · loc`` carry the penalty; the QR of the stack does not square the
        condition number, as the normal equations would.
        """
        del settings
        form = Composite.of(problem)
        row = np.sqrt(form.row_curvature(form.offset))
        penalty = form.elastic_net
        root = np.sqrt(penalty.l2)
        stack = np.vstack([row[:, None] * form.matrix, np.diag(root)[root > 0]])
        target = np.concatenate([row * (form.y - form.offset), (root * penalty.loc)[root > 0]])
        q, r = np.linalg.qr(stack)
        coef, intercept = form.split(solve_triangular(r, q.T @ target))
        return Solution(coef, intercept, claims_convergence=True)
