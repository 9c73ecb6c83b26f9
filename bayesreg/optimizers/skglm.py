"""skglm: working sets, with coordinate descent or proximal Newton steps inside."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayesreg.likelihoods import Bernoulli, Gaussian
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._peers import PeerData, needs_one_mix, variance, without_complaint
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem


@dataclass(frozen=True, eq=False)
class _Call:
    """What to hand to skglm, and how to read the coefficients that come back."""

    X: Matrix
    y: Vector
    solver: Any
    datafit: Any
    penalty: Any
    data: PeerData


class Skglm(Optimizer):
    """The solvers of skglm with their defaults, called below its estimators.

    Each loss of skglm is a mean over the (weighted) rows, so a weight in nats is divided by the
    sum of the row weights; for a Gaussian loss it is multiplied by σ² besides.
    """

    name: ClassVar[str] = "skglm"
    summary: ClassVar[str] = "skglm's working-set solvers with their defaults; exact zeros"
    requires: ClassVar[tuple[str, ...]] = ("skglm", "sklearn")
    peer: ClassVar[bool] = True

    def reason_against(self, problem: Problem) -> str | None:
        """Need absolute values: each with its scale, or in one mix with squares."""
        common = _reasons.first(
            _reasons.needs_likelihood(problem, Gaussian, Bernoulli),
            _reasons.needs_columns(problem),
        )
        if common is not None:
            return common
        if isinstance(problem.likelihood, Gaussian):
            return _gaussian_reason(problem)
        return _reasons.first(
            _reasons.needs_no_offset(problem),
            _reasons.needs_no_weights(problem),
            _reasons.needs_no_l2(problem),
            _reasons.needs_l1(problem),
        )

    def prepare(self, problem: Problem) -> None:
        """Import skglm and have it compile its classes, on the first two rows."""
        call = _call(problem, slice(2))
        solver = call.solver(fit_intercept=problem.design.intercept, max_iter=1)
        without_complaint(lambda: solver.solve(call.X, call.y, call.datafit, call.penalty))

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Claim convergence where the violation that skglm reports is within its tolerance."""
        call = _call(problem, slice(None))
        solver = call.solver(fit_intercept=problem.design.intercept, **settings.keywords())
        found: list[Any] = []
        without_complaint(
            lambda: found.extend(solver.solve(call.X, call.y, call.datafit, call.penalty))
        )
        point, objectives, violation = found
        coef = call.data.coef(point[: problem.p])
        intercept = float(point[problem.p]) if problem.design.intercept else 0.0
        return Solution(coef, intercept, bool(violation <= solver.tol), len(objectives))


def _gaussian_reason(problem: Problem) -> str | None:
    if not (problem.elastic_net.l2 > 0).any():
        flat = not (problem.elastic_net.l1 > 0).any()
        return _reasons.needs_l1(problem) if flat else None
    return _reasons.first(
        _reasons.needs_l1(problem),
        _reasons.needs_l2(problem),
        _reasons.needs_no_loc(problem),
        needs_one_mix(problem),
    )


def _modules() -> tuple[Any, Any, Any]:
    return (
        import_module("skglm.datafits"),
        import_module("skglm.penalties"),
        import_module("skglm.solvers"),
    )


def _call(problem: Problem, rows: slice) -> _Call:
    datafits, penalties, solvers = _modules()
    if isinstance(problem.likelihood, Gaussian):
        return _gaussian_call(problem, rows)
    data = PeerData.of(problem)
    # ProxNewton breaks on WeightedL1 with an intercept, so the scales go into the columns.
    return _Call(
        X=np.asfortranarray(data.X[rows]),
        y=np.where(data.y[rows] > 0, 1.0, -1.0),
        solver=solvers.ProxNewton,
        datafit=datafits.Logistic(),
        penalty=penalties.L1(data.l1 / data.total),
        data=data,
    )


def _gaussian_call(problem: Problem, rows: slice) -> _Call:
    datafits, penalties, solvers = _modules()
    mixed = bool((problem.elastic_net.l2 > 0).any())
    # WeightedL1 has a scale of its own for each column, and 0 for a flat one.
    data = PeerData.of(problem, rescale=mixed)
    unit = variance(problem) / data.total
    if mixed:
        both = data.l1 + data.l2
        penalty = penalties.L1_plus_L2(unit * both, data.l1 / both)
    else:
        penalty = penalties.WeightedL1(1.0, unit * problem.elastic_net.l1)
    weights = data.weights
    return _Call(
        X=np.asfortranarray(data.X[rows]),
        y=data.y[rows],
        solver=solvers.AndersonCD,
        datafit=datafits.Quadratic()
        if weights is None
        else datafits.WeightedQuadratic(weights[rows]),
        penalty=penalty,
        data=data,
    )
