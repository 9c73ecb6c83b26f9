"""The objective as the package's own algorithms see it: smooth loss plus penalty.

The intercept is one more coordinate, without a penalty. Columns are centred where there is an
intercept, and divided by their root mean square: both are exact changes of variable under a
separable penalty, and together they remove the ill-conditioning that comes from units alone. All
sums over rows are weighted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.likelihoods import Gaussian, Likelihood, Noise
from bayesreg.optimizers._protocol import Solution
from bayesreg.penalties import ElasticNetPenalty, Penalty, SeparablePenalty, join

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.optimizers._iterate import Run
    from bayesreg.problem import Problem


@dataclass(frozen=True, eq=False)
class Composite:
    """``loss(offset + A u) + penalty(u)``, in nats.

    Attributes
    ----------
    matrix : ndarray, shape (n, q)
        A: the intercept's column if there is one, then the centred and scaled columns.
    likelihood : Likelihood
        Family of the loss.
    y, weights, offset : ndarray, shape (n,)
        Target, row weights and known part of the predictor.
    penalty : Penalty
        Penalty of the q coordinates; none on the intercept.
    center, scale : ndarray, shape (p,)
        What was taken from each column, and what it was then divided by.
    unit : float
        Size that coordinates have by nature (they are in units of the predictor): the sd of a
        target of real numbers, 1 on a logarithmic or logistic scale. Changes are measured in it.
    """

    matrix: Matrix
    likelihood: Likelihood
    y: Vector
    weights: Vector
    offset: Vector
    penalty: Penalty
    center: Vector
    scale: Vector
    unit: float

    @classmethod
    def of(cls, problem: Problem, *, scaled: bool = True) -> Composite:
        """Centre and scale a conditional problem that acts on its own columns; or leave them."""
        design, penalty = problem.design, problem.penalty
        weights = design.row_weights
        pad = 1 if design.intercept else 0
        whole = design.columns(range(design.p))
        ones, X = whole[:, :pad], whole[:, pad:]
        center, scale, columns = np.zeros(design.p), np.ones(design.p), X
        if scaled:
            center, scale, columns = _scaled_columns(ones, X, weights)
        if not isinstance(penalty, SeparablePenalty):
            # Coefficients that a norm ties together keep their proportions.
            common = math.sqrt(float(np.mean(scale**2))) if scale.size else 1.0
            columns, scale = columns * (scale / common), np.full(scale.size, common)
        return cls(
            matrix=np.asfortranarray(np.hstack([ones, columns])),
            likelihood=problem.likelihood,
            y=design.y,
            weights=weights,
            offset=design.row_offset,
            penalty=_beside_free(penalty.rescaled(scale), pad),
            center=center,
            scale=scale,
            unit=_unit(problem, design.row_offset),
        )

    @property
    def intercept(self) -> bool:
        """Whether the first coordinate is an intercept."""
        return self.matrix.shape[1] > self.scale.size

    @property
    def elastic_net(self) -> ElasticNetPenalty:
        """The penalty, for those that take absolute values and squares only."""
        assert isinstance(self.penalty, ElasticNetPenalty)  # noqa: S101  (see `needs_fit`)
        return self.penalty

    # ------------------------------------------------------------------ numbers

    def predictor(self, point: Vector) -> Vector:
        """Return ``offset + A u``, shape (n,)."""
        return self.matrix @ point + self.offset

    def row_gradient(self, eta: Vector) -> Vector:
        """Return the derivative of the loss with respect to the predictor, shape (n,)."""
        return self.likelihood.gradient(eta, self.y, self.weights)

    def row_curvature(self, eta: Vector) -> Vector:
        """Return the second derivative of the loss with respect to the predictor, shape (n,)."""
        return self.likelihood.curvature(eta, self.y, self.weights)

    def row_metric(self, eta: Vector) -> Vector:
        """Return the second derivative, or the positive number that stands for it; shape (n,)."""
        return self.likelihood.metric(eta, self.y, self.weights)

    def value(self, point: Vector, eta: Vector) -> float:
        """Return loss plus penalty at a point whose predictor is `eta`."""
        loss = self.likelihood.loss(eta, self.y, self.weights)
        return loss + self.penalty.value(point)

    def lipschitz(self, curvature: Vector) -> float:
        """Return the largest eigenvalue of ``A' diag(curvature) A``, rounded up.

        With the largest curvature of every row it bounds the Lipschitz constant of the gradient.
        Power iteration approaches that number from below and is no bound; this is.
        """
        rows = np.sqrt(curvature)[:, None] * self.matrix
        gram = rows.T @ rows if rows.shape[1] <= rows.shape[0] else rows @ rows.T
        return float(np.linalg.eigvalsh(gram)[-1]) * (1 + 1e-10)

    def bound(self) -> float | None:
        """Return a Lipschitz constant of the gradient of the loss, None where it has none."""
        largest = self.likelihood.smoothness
        return None if largest is None else self.lipschitz(largest * self.weights)

    # ------------------------------------------------------------------ start and end

    def start(self) -> Vector:
        """Return the intercept of the empty model, and zeros elsewhere."""
        point = np.zeros(self.matrix.shape[1])
        if not self.intercept:
            return point
        if isinstance(self.likelihood, Gaussian):
            level = self.weights * self.matrix[:, 0]
            point[0] = level @ (self.y - self.offset) / (level @ self.matrix[:, 0])
        else:
            point[0] = self.likelihood.null_intercept(self.y, self.weights, self.offset)
        return point

    def split(self, point: Vector) -> tuple[Vector, float]:
        """Return coefficients and intercept on the scale of the problem."""
        if not self.intercept:
            return point / self.scale, 0.0
        coef = point[1:] / self.scale
        return coef, float(point[0] - self.center @ coef)

    def solution(self, run: Run) -> Solution:
        """Map the end of a loop back to the scale of the problem."""
        coef, intercept = self.split(run.point)
        kept = None if run.points is None else tuple(self.split(point) for point in run.points)
        return Solution(coef, intercept, run.converged, run.iterations, run.trace, kept)


def _beside_free(penalty: Penalty, count: int) -> Penalty:
    """Put `count` coordinates without a penalty before the others."""
    if isinstance(penalty, SeparablePenalty):
        return penalty.beside_free(count)
    zero = np.zeros(count)
    free = ElasticNetPenalty(zero, zero, zero)
    places = np.arange(count + penalty.size)
    return join([(free, places[:count]), (penalty, places[count:])], places.size)


def _scaled_columns(ones: Matrix, X: Matrix, weights: Vector) -> tuple[Vector, Vector, Matrix]:
    """Return centre and root mean square of each column, and the columns without them."""
    share = weights / weights.sum()
    center = np.zeros(X.shape[1])
    if ones.shape[1]:
        level = share * ones[:, 0]
        center = level @ X / (level @ ones[:, 0])
    columns = X - ones @ center[None, :] if ones.shape[1] else np.array(X)
    scale = np.sqrt(share @ columns**2)
    # A column that is constant leaves rounding noise of this size, which must not be blown up.
    noise = 8 * np.finfo(float).eps * np.abs(X).max(axis=0, initial=0.0)
    constant = scale <= noise
    columns[:, constant] = 0.0
    scale[constant] = 1.0
    return center, scale, columns / scale


def _unit(problem: Problem, offset: Vector) -> float:
    if not isinstance(problem.likelihood, Noise):
        return 1.0
    weights = problem.design.row_weights
    target = problem.design.y - offset
    if problem.design.intercept:
        one = problem.design.one
        target = target - one * ((weights * one) @ target / ((weights * one) @ one))
    spread = math.sqrt(float(np.average(target**2, weights=weights)))
    return spread if spread > 0 else math.sqrt(problem.likelihood.variance)
