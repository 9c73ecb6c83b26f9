"""Exact modes under a Gaussian likelihood, along a path of penalties, from inner products.

On centred columns of unit length the problem is ``½‖t − Zθ‖² + penalty(θ)``. Only inner products
of columns that may matter are ever formed: those whose slope reaches that of the penalty, and those
that a pass over all columns finds violated. On them the active-set method of `_kernel` runs;
afterwards the slopes are computed afresh from the data, so that rounding errors of the inner
products are refined away.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.columns import Columns
from bayesreg.errors import InputError, NotConverged
from bayesreg.likelihoods import Gaussian
from bayesreg.solvers._workspace import Workspace
from bayesreg.solvers.base import Solution

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.design import Design
    from bayesreg.penalties import ElasticNetPenalty
    from bayesreg.problem import Problem

_EPS = float(np.finfo(np.float64).eps)
_MAX_PASSES = 100
# On the way to a far target the penalty's slopes fall by this factor at a time: further where X is
# sparse, and a column admitted in vain costs less than another pass.
_FALL, _FALL_SPARSE = 0.5, 0.35
# Penalties whose slopes differ by less are solved in one run, checked by one pass.
_NEAR = 0.8


class GaussianPath:
    """The state of a path: coordinates, slopes, and the inner products known so far."""

    def __init__(self, problem: Problem) -> None:
        design = problem.design
        self.design = design
        self.variance = _variance(problem)
        self.columns = _unit_columns(design)
        # A column of zeros has no length; its coefficient is its own coordinate.
        self.unit = np.where(np.isinf(self.columns.scale), 1.0, self.columns.scale)
        target = design.less_offset
        share = design.row_weights * design.one
        total = float(share @ design.one) or 1.0
        self.level = float(share @ target) / total if design.intercept else 0.0
        self.mean = design.X.T @ share / total if design.intercept else np.zeros(design.p)
        self.target = np.sqrt(design.row_weights) * (target - self.level * design.one)
        self.length = float(np.linalg.norm(self.target))
        self.work = Workspace(self.columns)
        self.cross: Vector = self.columns.correlate(self.target)
        self.correlation: Vector = self.cross
        self.passes = 0

    def penalty(self, problem: Problem) -> ElasticNetPenalty:
        """Return the penalty of θ in units of the noise variance."""
        penalty = problem.elastic_net.rescaled(self.unit)
        return penalty if self.variance == 1.0 else penalty.times(self.variance)

    def run(self, penalties: Sequence[ElasticNetPenalty]) -> list[Solution]:
        """Move along a path of penalties; return the mode under each."""
        start = self.passes
        for step in self._approach(penalties[0]):
            self._settle([step])
        return [self._solution(theta, self.passes - start) for theta in self._settle(penalties)]

    def _approach(self, penalty: ElasticNetPenalty) -> Iterator[ElasticNetPenalty]:
        """Yield penalties on the way, so that few columns enter in vain."""
        if self.work.complete:
            return
        slope, kinked = np.abs(self._slope(penalty)), penalty.l1 > 0
        fall = _FALL if self.columns.is_dense else _FALL_SPARSE
        factor = float((slope[kinked] / penalty.l1[kinked]).max(initial=1.0)) * fall
        while factor > 1.0 / math.sqrt(fall):
            yield penalty.with_slopes(factor)
            factor *= fall

    def _slope(self, penalty: ElasticNetPenalty) -> Vector:
        return penalty.smooth_gradient(self.work.full()) - self.correlation

    def _settle(self, penalties: Sequence[ElasticNetPenalty]) -> list[Vector]:
        """Solve a run of neighbouring problems on the columns that may matter; return each θ.

        One pass over all columns checks the whole run; what it finds violated is admitted, and the
        problems from there on are solved again. A problem whose slopes, computed afresh, are not
        exact to rounding is then refined by itself.
        """
        self._admit_likely(penalties[-1])
        thetas = np.zeros((self.columns.shape[1], len(penalties)))
        todo, last = list(range(len(penalties))), math.inf
        for _ in range(_MAX_PASSES):
            for k in todo:
                thetas[:, k] = self._minimise(penalties[k])
            if self.work.complete and self.work.well_conditioned:
                # All inner products are at hand, and precise enough: no pass over the data.
                return list(self._refined(penalties, thetas).T)
            slopes = self._pass(penalties, thetas, todo)
            outside = np.array([self._violated(penalties[k], slopes[k]) for k in todo])
            if outside.any():
                todo = todo[int(np.argmax(outside.any(axis=1))) :]
                self.work.admit(outside.any(axis=0))
                continue
            worst = [self._worst(penalties[k], thetas[:, k], slopes[k]) for k in todo]
            exact = 4 * _EPS * self.length
            coarse = [k for k, size in zip(todo, worst, strict=True) if size > exact]
            if len(penalties) > 1:
                for k in coarse:
                    thetas[:, k] = self._settle([penalties[k]])[0]
            elif coarse and worst[0] < 0.5 * last:
                last = worst[0]
                continue
            return list(thetas.T)
        raise NotConverged("problem: the working set did not settle; use a stronger prior")

    def _refined(self, penalties: Sequence[ElasticNetPenalty], thetas: Matrix) -> Matrix:
        """Solve once more from slopes that the inner products give afresh."""
        for k, penalty in enumerate(penalties):
            self.correlation = self.cross - self.work.gram @ self.work.theta
            thetas[:, k] = self._minimise(penalty)
        return thetas

    def _admit_likely(self, penalty: ElasticNetPenalty) -> None:
        """Admit the columns whose slopes reach those of the penalty already.

        The strong rule would admit more; what is missed is found by the pass.
        """
        self.work.admit(np.abs(self._slope(penalty)) >= penalty.l1)

    def _pass(
        self, penalties: Sequence[ElasticNetPenalty], thetas: Matrix, todo: list[int]
    ) -> dict[int, Vector]:
        """Compute the slopes of some of the problems afresh, in one pass over all columns."""
        self.passes += 1
        members = self.work.members
        rows = self.work.part.dot(thetas[members][:, todo])
        correlations = self.columns.correlate(self.target[:, None] - rows)
        self.correlation = correlations[:, -1]
        return {
            k: penalties[k].smooth_gradient(thetas[:, k]) - correlations[:, i]
            for i, k in enumerate(todo)
        }

    def _violated(self, penalty: ElasticNetPenalty, slope: Vector) -> NDArray[np.bool_]:
        """Tell which columns outside of the cache should not be at 0."""
        pull = np.where(penalty.nonnegative, -slope, np.abs(slope))
        return np.asarray((pull > penalty.l1 * (1 + 1e-12) + self._slack()) & ~self.work.cached)

    def _worst(self, penalty: ElasticNetPenalty, theta: Vector, slope: Vector) -> float:
        """Largest distance from stationarity."""
        members = self.work.members
        local, inside = penalty.at(members), theta[members]
        loss = slope[members] - local.smooth_gradient(inside)
        return float(local.subdifferential_distance(inside, loss).max(initial=0.0))

    def _slack(self) -> float:
        """Rounding error of a correlation with the residual."""
        return 8 * _EPS * (self.length + float(np.abs(self.work.theta).sum()))

    def _minimise(self, penalty: ElasticNetPenalty) -> Vector:
        """Minimise over the cached columns; return all coordinates, shape (p,)."""
        work = self.work
        whole = work.complete
        local = penalty if whole else penalty.at(work.members)
        known = self.correlation if whole else self.correlation[work.members]
        slope = local.smooth_gradient(work.theta) - known
        slope = work.minimise(local, slope, self._slack())
        # What the active set followed, so that the next problem of the run can start from it.
        known = local.smooth_gradient(work.theta) - slope
        if whole:
            self.correlation = known
        else:
            self.correlation = self.correlation.copy()
            self.correlation[work.members] = known
        return work.full()

    def _solution(self, theta: Vector, passes: int) -> Solution:
        coef = theta / self.unit
        return Solution(coef, self.level - float(self.mean @ coef), passes)


def _unit_columns(design: Design) -> Columns:
    """Return the columns at unit length; without weights, from lengths that the design knows."""
    if design.weights is None:
        length = design.lengths
        return design.centred.rescaled(np.where(length > 0, length, np.inf))
    return Columns.of(
        design.X, one=design.one, weights=design.weights, centred=design.intercept, unit=True
    )


def modes(problems: Sequence[Problem]) -> Iterator[Solution]:
    """Yield the modes of problems that share everything but the prior, one from the other.

    Parameters
    ----------
    problems : sequence of Problem
        Gaussian, with known sigma and an elastic-net penalty.

    Yields
    ------
    Solution
        In the order of the problems; it is fastest if their penalties fall.

    Raises
    ------
    Collinear
        If inner products are too coarse for the support.
    NotConverged
        If an active set does not settle.
    """
    path = GaussianPath(problems[0])
    for run in _runs(path.penalty(problem) for problem in problems):
        yield from path.run(run)


def _runs(penalties: Iterable[ElasticNetPenalty]) -> Iterator[list[ElasticNetPenalty]]:
    """Group penalties whose slopes fall by no more than a fifth."""
    run: list[ElasticNetPenalty] = []
    for penalty in penalties:
        if run and not (penalty.l1 >= _NEAR * run[0].l1).all():
            yield run
            run = []
        run.append(penalty)
    yield run


def _variance(problem: Problem) -> float:
    if not isinstance(problem.likelihood, Gaussian):
        raise InputError(f"likelihood: must be Gaussian here, found {problem.likelihood.name}")
    return problem.likelihood.variance
