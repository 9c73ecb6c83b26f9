"""A problem on centred columns of unit norm, where coordinates and residuals are comparable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.likelihoods import ConvexLikelihood, Noise
from bayesreg.penalties import SeparablePenalty

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Derivatives:
    """Derivatives of the loss at one point.

    Attributes
    ----------
    gradient : ndarray, shape (q,)
        Of the loss.
    curvature, metric : ndarray, shape (n,)
        Second derivative per row, and the positive number that stands for it where it is not.
    rounding : ndarray, shape (q,)
        First-order bound of the gradient's rounding error.
    diagonal : ndarray, shape (q,)
        Of the Hessian of the loss, or of the matrix that the metric makes of it.
    """

    gradient: Vector
    curvature: Vector
    metric: Vector
    rounding: Vector
    diagonal: Vector


@dataclass(frozen=True)
class Scaled[Q: SeparablePenalty]:
    """``loss(offset + Z θ) + penalty(θ)``.

    Attributes
    ----------
    problem : Problem
        Where it comes from.
    Z : ndarray, shape (n, q)
        The intercept's column if there is one, then the columns; centred beside an intercept, and
        each of unit norm.
    penalty : SeparablePenalty
        Of the q coordinates; none on the intercept.
    mean, norm : ndarray, shape (p,)
        What was taken from each column, and what it was then divided by.
    y, offset : ndarray, shape (n,)
        Target and known part of the predictor.
    level, one : float
        What was taken from a target with noise, in units of the intercept; norm of the intercept's
        column.
    """

    problem: Problem
    Z: Matrix
    penalty: Q
    mean: Vector
    norm: Vector
    y: Vector
    offset: Vector
    level: float
    one: float

    @classmethod
    def of(cls, problem: Problem, penalty: Q) -> Scaled[Q]:
        """Centre and scale the columns of a problem with this penalty on the user's scale."""
        design = problem.design
        columns = design.columns(range(design.p))
        first = columns[:, :1] if design.intercept else np.empty((design.n, 0))
        columns = columns[:, first.shape[1] :]
        mean = design.column_mean if design.intercept else np.zeros(design.p)
        centred = columns - first * mean if design.intercept else np.array(columns)
        norm = np.sqrt((centred**2).sum(axis=0))
        # What centring leaves of a constant column is rounding; as a column of zeros it stays out.
        one = float(np.linalg.norm(design.one))
        constant = norm <= 4 * EPS * one * np.abs(mean)
        centred[:, constant] = 0.0
        norm = np.where(constant | (norm == 0), 1.0, norm)
        Z = np.asfortranarray(np.column_stack([first / one, centred / norm]))
        scaled = penalty.rescaled(norm).beside_free(first.shape[1])
        y, offset, level = _centred_target(problem)
        return cls(problem, Z, scaled, mean, norm, y, offset, level, one)

    @property
    def convex(self) -> bool:
        """Whether loss and penalty are convex."""
        return isinstance(self.problem.likelihood, ConvexLikelihood) and self.penalty.convex

    def predictor(self, theta: Vector) -> Vector:
        """Return the linear predictor, shape (n,)."""
        return self.Z @ theta + self.offset

    def objective(self, theta: Vector) -> float:
        """Return loss plus penalty."""
        weights = self.problem.design.row_weights
        loss = self.problem.likelihood.loss(self.predictor(theta), self.y, weights)
        return loss + self.penalty.value(theta)

    def derivatives(self, theta: Vector) -> Derivatives:
        """Return the derivatives of the loss."""
        weights, likelihood = self.problem.design.row_weights, self.problem.likelihood
        eta = self.predictor(theta)
        rows = likelihood.gradient(eta, self.y, weights)
        curvature = likelihood.curvature(eta, self.y, weights)
        metric = likelihood.metric(eta, self.y, weights)
        size = np.abs(self.Z)
        spread = size @ np.abs(theta) + np.abs(self.offset) + np.abs(self.y)
        rounding = EPS * (size.T @ (np.abs(rows) + metric * spread))
        diagonal = np.einsum("ij,ij,i->j", self.Z, self.Z, metric)
        return Derivatives(self.Z.T @ rows, curvature, metric, rounding, diagonal)

    def start(self, coef: Vector | None, intercept: float) -> Vector:
        """Map a start to working coordinates; without one, the mode of the intercept alone."""
        design = self.problem.design
        if coef is None:
            coef, intercept = np.zeros(design.p), _null_intercept(self.problem)
        slopes = coef * self.norm
        if design.intercept:
            level = intercept + self.mean @ coef - self.level
            slopes = np.concatenate([[level * self.one], slopes])
        return np.where(self.penalty.nonnegative, np.maximum(slopes, 0.0), slopes)

    def finish(self, theta: Vector) -> tuple[Vector, float]:
        """Map working coordinates back to the user's scale."""
        if not self.problem.design.intercept:
            return theta / self.norm, 0.0
        coef = theta[1:] / self.norm
        return coef, self.level + float(theta[0]) / self.one - float(self.mean @ coef)


def _centred_target(problem: Problem) -> tuple[Vector, Vector, float]:
    """Return target, offset and level to work with.

    A target with noise keeps more digits with its offset and its mean taken out once, at the start.
    """
    design = problem.design
    if not isinstance(problem.likelihood, Noise):
        return design.y, design.row_offset, 0.0
    level = _null_intercept(problem)
    return design.less_offset - level * design.one, np.zeros(design.n), level


def _null_intercept(problem: Problem) -> float:
    """Intercept of the model without predictors, so that Newton starts in its basin."""
    design = problem.design
    if not design.intercept:
        return 0.0
    if problem.likelihood.name == "gaussian":
        weighted = design.row_weights * design.one
        return float(weighted @ design.less_offset / (weighted @ design.one))
    return problem.likelihood.null_intercept(design.y, design.row_weights, design.row_offset)


def largest(values: Vector) -> float:
    """Return the largest size, 0 of nothing."""
    return float(np.abs(values).max(initial=0.0))
