"""L-BFGS on the objective, with |x| smoothed where there is one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

#: ``|x|`` becomes ``sqrt(x² + (EPS·unit)²)`` with x the coordinate in units of the predictor: the
#: objective moves by at most ``EPS · unit · Σ l1``, and no coordinate is exactly zero.
EPS = 1e-6
FTOL = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class _Smoothed:
    """The smooth surrogate, as a function of coordinates in natural units.

    Where a coordinate may not be negative, |x| is x, and smooth as it is.
    """

    form: Composite

    def __call__(self, units: Vector) -> tuple[float, Vector]:
        form = self.form
        point = units * form.unit
        eta = form.predictor(point)
        penalty = form.elastic_net
        corner = np.where(penalty.nonnegative, 0.0, EPS * form.unit)
        root = np.hypot(point, corner)
        square = replace(penalty, l1=np.zeros_like(root))
        loss = form.likelihood.loss(eta, form.y, form.weights)
        value = loss + square.value(point) + float(penalty.l1 @ root)
        tilt = np.where(penalty.nonnegative, 1.0, point / np.where(root > 0, root, 1.0))
        slope = form.matrix.T @ form.row_gradient(eta) + square.smooth_gradient(point)
        return value, (slope + penalty.l1 * tilt) * form.unit


class Lbfgs(Optimizer):
    """SciPy's L-BFGS-B; the objective is exact without Laplace factors, else a surrogate."""

    bounded: ClassVar[bool] = True
    name: ClassVar[str] = "lbfgs"
    summary: ClassVar[str] = "quasi-Newton on sqrt(x² + eps²) instead of |x|: never exactly zero"

    def reason_against(self, problem: Problem) -> str | None:
        """Take every problem."""
        del problem
        return None

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Stop where SciPy does: gradient below `tol` of the curvature, in natural units."""
        form = Composite.of(problem)
        limits = settings.limits(max_iter=10_000, tol=1e-9)
        start = form.start()
        curvature = form.lipschitz(form.row_metric(form.predictor(start)))
        trace = [form.value(start, form.predictor(start))]

        def record(intermediate_result: OptimizeResult) -> None:
            point = intermediate_result.x * form.unit
            trace.append(form.value(point, form.predictor(point)))

        with np.errstate(over="ignore", invalid="ignore"):
            result = minimize(
                _Smoothed(form),
                start / form.unit,
                method="L-BFGS-B",
                jac=True,
                bounds=[(0.0 if low else None, None) for low in form.elastic_net.nonnegative],
                callback=record,
                options={
                    "maxiter": limits.max_iter,
                    "maxfun": 20 * limits.max_iter,
                    "gtol": limits.tol * curvature * form.unit**2,
                    # SciPy's own value stops on a fall of 2e-9, far from the end; at 0 it would
                    # go on until its line search fails on rounding.
                    "ftol": FTOL,
                },
            )
        coef, intercept = form.split(result.x * form.unit)
        return Solution(coef, intercept, bool(result.success), int(result.nit), tuple(trace))
