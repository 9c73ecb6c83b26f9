"""Exact modes under any likelihood, along a path of penalties: proximal Newton on working sets.

At a point the loss becomes a quadratic; with the intercept profiled out, that is the problem of
`gaussian` on columns weighted by the curvature and centred by its weighted mean, and the active-set
method of `_kernel` solves it. Inner products are formed for the few columns that may matter, and
kept as long as the predictor has moved so little that the curvature is nearly the same: steps with
a slightly stale curvature converge almost as fast, and cost no more than a residual.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.columns import Columns
from bayesreg.errors import NotConverged
from bayesreg.solvers._workspace import Collinear, Workspace
from bayesreg.solvers.base import Solution

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.penalties import ElasticNetPenalty
    from bayesreg.problem import Problem

_EPS = float(np.finfo(np.float64).eps)
_MAX_PASSES, _MAX_STEPS = 100, 200
_FALL = 0.5
_BOLD = 0.1
# Inner products are formed anew once the predictor has moved by more than this.
_STALE = 0.25
# A residual, in units of the curvature, at which Newton may stop: at once, if it stalls, and
# on the way to another penalty.
_EXACT, _TINY, _ROUGH = 1e-12, 1e-7, 1e-2


class _Quadratic:
    """The loss near one predictor: columns weighted by the curvature there, and their products."""

    def __init__(
        self,
        columns: Columns,
        eta: Vector,
        curvature: Vector,
        *,
        centred: bool,
        members: NDArray[np.bool_],
        single: bool,
    ) -> None:
        self.eta = eta
        self.total = max(float(curvature @ columns.one**2), _EPS)
        self.work = Workspace(columns.reweighted(curvature, centred=centred), single=single)
        self.work.admit(members)
        self.root = np.sqrt(curvature)

    def slopes(self, rows: Vector) -> Vector:
        """Gradient of the loss with respect to the members, the intercept profiled out."""
        return np.asarray(self.work.part.correlate(rows / self.root))

    def lengths(self, penalty: ElasticNetPenalty) -> Vector:
        """Root of the curvature of each member, squares of its penalty included."""
        m = self.work.members.size
        curvature = np.diagonal(self.work.gram)[:m] + penalty.l2
        return np.sqrt(np.where(curvature > 0, curvature, 1.0))

    def part(self, change: Vector) -> Vector:
        """Return the change of the rows with a change of θ (p,), centred by the curvature."""
        return np.asarray(self.work.part.dot(change[self.work.members]) / self.root)


class GlmPath:
    """The state of a path: coordinates, predictor, slopes, and the current quadratic."""

    def __init__(self, problem: Problem) -> None:
        design = problem.design
        self.design, self.likelihood = design, problem.likelihood
        self.weights = design.row_weights
        self.columns = Columns.of(design.X, one=design.one, centred=design.intercept, unit=True)
        # A column of zeros has no length; its coefficient is its own coordinate.
        self.unit = np.where(np.isinf(self.columns.scale), 1.0, self.columns.scale)
        self.offset = design.row_offset
        level = 0.0
        if design.intercept:
            level = self.likelihood.null_intercept(design.y, self.weights, self.offset)
        self.eta = self.offset + level * self.columns.one
        self.theta = np.zeros(design.p)
        self.slope = self._smooth_slope()
        self.l1 = np.full(design.p, math.inf)
        self.quadratic: _Quadratic | None = None
        self.single = True
        self.steps = 0

    def penalty(self, problem: Problem) -> ElasticNetPenalty:
        """Return the penalty of θ."""
        return problem.elastic_net.rescaled(self.unit)

    def run(self, penalty: ElasticNetPenalty) -> Solution:
        """Move to the mode under a penalty, from wherever the path is."""
        start = self.steps
        for step in self._approach(penalty):
            self._settle(step, exact=False)
        self._settle(penalty, exact=True)
        coef = self.theta / self.unit
        intercept = 0.0
        if self.design.intercept:
            intercept = float(np.mean(self.eta - self.design.linear_predictor(coef)))
        return Solution(coef, intercept, self.steps - start)

    def _smooth_slope(self) -> Vector:
        """Gradient of the loss with respect to all coordinates; shape (p,)."""
        return np.asarray(self.columns.correlate(self._rows()))

    def _rows(self) -> Vector:
        return self.likelihood.gradient(self.eta, self.design.y, self.weights)

    def _approach(self, penalty: ElasticNetPenalty) -> Iterator[ElasticNetPenalty]:
        """Yield penalties on the way, so that few columns enter in vain."""
        slope, kinked = np.abs(self._total(penalty, self.slope)), penalty.l1 > 0
        factor = float((slope[kinked] / penalty.l1[kinked]).max(initial=1.0)) * _FALL
        while factor > 1.0 / math.sqrt(_FALL):
            yield penalty.with_slopes(factor)
            factor *= _FALL

    def _total(self, penalty: ElasticNetPenalty, slope: Vector) -> Vector:
        return slope + penalty.smooth_gradient(self.theta)

    def _settle(self, penalty: ElasticNetPenalty, *, exact: bool) -> None:
        """Solve on the columns that may matter until no other column is violated."""
        before = np.where(np.isinf(self.l1), penalty.l1, self.l1)
        step = np.maximum(before - penalty.l1, 0.0)
        pull = np.abs(self._total(penalty, self.slope))
        likely = (pull >= penalty.l1 - _BOLD * step) | (self.theta != 0) | ~penalty.kinked
        for _ in range(_MAX_PASSES):
            self._newton(penalty, likely, exact=exact)
            self.slope, self.l1 = self._smooth_slope(), penalty.l1
            total = self._total(penalty, self.slope)
            pull = np.where(penalty.nonnegative, -total, np.abs(total))
            outside = (pull > penalty.l1 * (1 + 1e-12) + self._slack()) & ~likely
            if not outside.any():
                return
            likely = likely | outside
        raise NotConverged("problem: the working set did not settle; use a stronger prior")

    def _slack(self) -> float:
        """Rounding error of a slope on columns of unit length."""
        curvature = self.likelihood.curvature(self.eta, self.design.y, self.weights)
        size = np.abs(self.eta) + np.abs(self.design.y)
        rows = np.linalg.norm(self._rows()) + np.linalg.norm(curvature * size)
        return 8 * _EPS * float(rows)

    def _newton(
        self, penalty: ElasticNetPenalty, likely: NDArray[np.bool_], *, exact: bool
    ) -> None:
        """Newton steps on some of the columns, to rounding error if `exact`."""
        best, stalled = math.inf, 0
        for _ in range(_MAX_STEPS):
            quadratic = self._expand(likely, penalty)
            rows, work = self._rows(), quadratic.work
            local = penalty if work.complete else penalty.at(work.members)
            loss = quadratic.slopes(rows)
            drift = float(rows @ self.columns.one) if self.design.intercept else 0.0
            # In units of the curvature, half the square of a residual is nats.
            length = quadratic.lengths(local)
            slack = self._slack()
            distance = local.subdifferential_distance(work.theta, loss) / length
            worst = float(distance.max(initial=abs(drift) / math.sqrt(quadratic.total)))
            floor = slack / float(length.min(initial=1.0))
            stalled = stalled + 1 if worst > 0.5 * best else 0
            best = min(best, worst)
            if worst <= _EXACT or (best < _TINY + 100 * floor and stalled >= 2):
                return
            if not exact and worst < _ROUGH:
                return
            try:
                work.minimise(local, loss + local.smooth_gradient(work.theta), slack)
            except Collinear:
                if not self.single:
                    raise
                self.single, self.quadratic = False, None
                continue
            if self.single and not work.well_conditioned:
                self.single, self.quadratic = False, None
            self._step(penalty, quadratic, -drift / quadratic.total)
        raise NotConverged(
            f"problem: Newton's method did not reach rounding error (KKT residual {best:.2g}); "
            "centre and scale the columns of X, or use a stronger prior"
        )

    def _expand(self, likely: NDArray[np.bool_], penalty: ElasticNetPenalty) -> _Quadratic:
        """Return the quadratic at the current predictor, or one that is near enough."""
        quadratic = self.quadratic
        if quadratic is not None and float(np.abs(self.eta - quadratic.eta).max()) <= _STALE:
            quadratic.work.admit(likely)
            return quadratic
        curvature = self.likelihood.curvature(self.eta, self.design.y, self.weights)
        self.quadratic = _Quadratic(
            self.columns,
            self.eta,
            curvature,
            centred=self.design.intercept,
            members=likely,
            single=self.single,
        )
        self.quadratic.work.start(self.theta, penalty)
        return self.quadratic

    def _step(self, penalty: ElasticNetPenalty, quadratic: _Quadratic, drift: float) -> None:
        """Move to the minimiser of the quadratic, or towards it until the objective falls."""
        self.steps += 1
        target = quadratic.work.full()
        direction = quadratic.part(target - self.theta) + drift * self.columns.one
        value = self._value(self.eta, penalty, self.theta)
        ceiling = value + 16 * _EPS * (1.0 + abs(value))
        for halving in range(60):
            share = 0.5**halving
            theta = target if halving == 0 else self.theta + share * (target - self.theta)
            eta = self.eta + share * direction
            if self._value(eta, penalty, theta) <= ceiling:
                break
        else:
            theta, eta = self.theta, self.eta
        if halving:
            self.quadratic = None  # the active set belongs to the whole step
        self.theta, self.eta = theta, eta

    def _value(self, eta: Vector, penalty: ElasticNetPenalty, theta: Vector) -> float:
        return self.likelihood.loss(eta, self.design.y, self.weights) + penalty.value(theta)


def modes(problems: Sequence[Problem]) -> Iterator[Solution]:
    """Yield the modes of problems that share everything but the prior, one from the other.

    Parameters
    ----------
    problems : sequence of Problem
        With an elastic-net penalty.

    Yields
    ------
    Solution
        In the order of the problems; it is fastest if their penalties fall.

    Raises
    ------
    Collinear
        If inner products are too coarse for the support.
    NotConverged
        If Newton's method does not reach rounding error.
    """
    path = GlmPath(problems[0])
    for problem in problems:
        yield path.run(path.penalty(problem))
