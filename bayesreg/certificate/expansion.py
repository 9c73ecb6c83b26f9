"""A problem at one answer, or at many: derivatives per row and per coefficient, and their errors.

Beside an intercept the columns are centred: with it stationary, a coefficient is stationary on a
centred column exactly where it is on the column itself, and a column at 1e9 keeps its digits.

Rounding errors are bounded to first order. A sum of products ``Σ x_i u_i`` is off by about
``ε Σ|x_i u_i|``, and that is at most ``ε ‖x‖ ‖u‖`` (Cauchy–Schwarz): lengths of columns, known once
for all answers, take the place of another pass over the data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.certificate.moving import moved, moved_along
from bayesreg.likelihoods import Gaussian, Noise
from bayesreg.penalties import ElasticNetPenalty, SeparablePenalty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from scipy import sparse

    from bayesreg._validation import Matrix, Vector
    from bayesreg.columns import Columns
    from bayesreg.problem import Problem

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Local:
    """A problem at one answer.

    Attributes
    ----------
    problem : Problem
        The problem, with every scale known.
    coef : ndarray, shape (p,)
        The coefficients judged.
    columns : Columns
        The columns, centred beside an intercept.
    eta, y : ndarray, shape (n,)
        Predictor and target, both without the level where only their difference matters.
    rows, curvature : ndarray, shape (n,)
        First and second derivative of the loss by row; the metric where the second may be negative.
    gradient : ndarray, shape (p,)
        Gradient of the loss.
    unit : ndarray, shape (p,)
        Unit of each KKT residual: the root of the curvature.
    size : ndarray, shape (p,)
        Length of each column, what was subtracted to centre it included.
    rounding : ndarray, shape (p,)
        Rounding error of the gradient.
    spread, weighted_spread : float
        Length of the terms that eta and y are sums of, as such and weighted by the curvature.
    shift : float
        Rounding error of the level, common to all rows.
    """

    problem: Problem
    coef: Vector
    columns: Columns
    eta: Vector
    y: Vector
    rows: Vector
    curvature: Vector
    gradient: Vector
    unit: Vector
    size: Vector
    rounding: Vector
    spread: float
    weighted_spread: float
    shift: float

    @property
    def finite(self) -> bool:
        """Whether nothing has overflowed."""
        numbers = (self.rows, self.gradient, self.rounding)
        return all(bool(np.isfinite(v).all()) for v in numbers)

    @property
    def flat_level(self) -> bool:
        """Whether the curvature is the same for all rows, so that centred columns do not see it."""
        return self.problem.design.intercept and _equal_rows(self.problem)

    def loss(self) -> float:
        """Negative log likelihood without constants, in nats."""
        weights = self.problem.design.row_weights
        return self.problem.likelihood.loss(self.eta, self.y, weights)

    def objective(self) -> float:
        """Negative log of likelihood times prior with every constant, in nats."""
        return self.loss() + self.problem.penalty.value(self.coef) + self.problem.constant

    def kkt(self) -> tuple[float, str, float]:
        """Return the largest KKT residual, its coefficient, and its rounding error."""
        penalty, design = self.problem.penalty, self.problem.design
        distance = penalty.subdifferential_distance(self.coef, self.gradient) / self.unit
        floor = 4 * self.rounding / self.unit
        found = (0.0, "", 0.0)
        if distance.size:
            worst = int(np.argmax(distance - floor))
            found = float(distance[worst]), design.names[worst], float(floor[worst])
        if not design.intercept:
            return found
        one = design.one
        unit = math.sqrt(float(self.curvature @ one**2)) or 1.0
        rounding = EPS * float(np.linalg.norm(self.rows)) * float(np.linalg.norm(one))
        rounding += EPS * self.weighted_spread * unit + self.shift * unit**2
        level = abs(float(one @ self.rows)) / unit, "intercept", 4 * rounding / unit
        return max(found, level, key=lambda entry: entry[0] - entry[2])

    def moved(self, positions: NDArray[np.intp], target: Vector) -> Vector | None:
        """Move the gradient of the rows until its correlations with some columns are the target."""
        return moved(self.problem.design, self.rows, self.curvature, positions, target)

    def moved_along(self, directions: sparse.csr_array, target: Vector) -> Vector | None:
        """Move the gradient of the rows until its products with combined columns are the target."""
        return moved_along(self.problem.design, self.rows, self.curvature, directions, target)


def _equal_rows(problem: Problem) -> bool:
    return isinstance(problem.likelihood, Gaussian) and problem.design.weights is None


@dataclass(frozen=True, eq=False)
class Frame:
    """What answers on the same data and likelihood family share.

    Attributes
    ----------
    columns : Columns
        The columns, centred beside an intercept.
    lengths, subtracted, size : ndarray, shape (p,)
        Lengths of the columns, of what was subtracted to centre them, and of both together.
    """

    problem: Problem
    columns: Columns
    lengths: Vector
    subtracted: Vector
    size: Vector

    @classmethod
    def of(cls, problem: Problem) -> Frame:
        """Look at the columns once."""
        design = problem.design
        columns, lengths = design.centred, design.lengths
        if not columns.center.any():
            return cls(problem, columns, lengths, np.zeros(design.p), lengths)
        subtracted = np.abs(columns.center) * float(np.linalg.norm(columns.one))
        subtracted[np.isinf(columns.scale)] = 0.0
        return cls(problem, columns, lengths, subtracted, np.hypot(lengths, subtracted))

    def weighted_lengths(self, curvatures: Matrix) -> Matrix:
        """Lengths of the columns, rows weighted by each row of curvatures (S, n); shape (S, p)."""
        design = self.problem.design
        if isinstance(self.problem.likelihood, Gaussian):
            # The curvature of a Gaussian is the row weights over its variance.
            base = design.row_weights
            plain = self.lengths if design.weights is None else self.columns.norms(base)
            return np.outer(np.sqrt(curvatures[:, 0] / base[0]), plain)
        if curvatures.shape[0] <= 2 or design.sparse:
            return np.array([self.columns.norms(c) for c in curvatures])
        out = np.empty((curvatures.shape[0], design.p))
        step = max(1, 500_000 // design.n)
        for start in range(0, design.p, step):
            part = np.arange(start, min(start + step, design.p))
            block = self.columns.take(part)
            out[:, part] = curvatures @ np.square(block, out=block)
        return np.sqrt(out)


def expand(
    frame: Frame, problems: Sequence[Problem], coefs: Matrix, intercepts: Vector
) -> Iterator[Local]:
    """Expand problems on the same data at one answer each: coefs (S, p), intercepts (S,).

    One by one: what they share is computed for all at once, what each needs only when it is asked
    for, so that a path over very many columns does not fill the memory.
    """
    design, columns = frame.problem.design, frame.columns
    one, w = design.one, design.row_weights
    mean = design.column_mean if design.intercept else np.zeros(design.p)
    offset = design.row_offset
    levels = intercepts + coefs @ mean
    shifts = 4 * EPS * (np.abs(intercepts) + np.abs(coefs) @ np.abs(mean))
    etas = _products(columns.dot, coefs)
    if isinstance(frame.problem.likelihood, Noise):
        ys = (design.y - offset) - np.outer(levels, one)
    else:
        ys = np.broadcast_to(design.y, etas.shape)
        etas = etas + offset + np.outer(levels, one)
    pairs = list(zip(problems, etas, ys, strict=True))
    rows = np.array([q.likelihood.gradient(eta, y, w) for q, eta, y in pairs])
    curvatures = np.array([q.likelihood.metric(eta, y, w) for q, eta, y in pairs])
    gradients = _products(columns.correlate, rows)
    lengths = frame.weighted_lengths(curvatures)
    for q, coef, shift, *numbers in zip(
        problems, coefs, shifts, etas, ys, rows, curvatures, gradients, lengths, strict=True
    ):
        yield _local(frame, q, coef, shift, *numbers)


def _products(operator: Callable[[Vector], Vector], vectors: Matrix) -> Matrix:
    """Apply an operator to each row; one by one where there are so few that this is faster."""
    if vectors.shape[0] <= 3:
        return np.array([operator(v) for v in vectors])
    return np.ascontiguousarray(operator(np.asfortranarray(vectors.T)).T)


def _local(
    frame: Frame,
    problem: Problem,
    coef: Vector,
    shift: float,
    eta: Vector,
    y: Vector,
    rows: Vector,
    curvature: Vector,
    gradient: Vector,
    lengths: Vector,
) -> Local:
    """Put together one answer, its units and its rounding errors."""
    root = np.sqrt(curvature)
    total = float(curvature @ problem.design.one**2)
    per_row = math.sqrt(total / (float(problem.design.one @ problem.design.one) or 1.0))
    size = lengths
    if frame.subtracted.any():
        size = np.hypot(lengths, frame.subtracted * per_row)
    used = np.flatnonzero(coef)
    reach = np.abs(coef[used])
    spread = float(frame.size[used] @ reach + np.linalg.norm(y) + np.linalg.norm(eta))
    weighted = float(size[used] @ reach + np.linalg.norm(root * y) + np.linalg.norm(root * eta))
    rounding = EPS * (frame.size * float(np.linalg.norm(rows)) + size * weighted)
    if not (problem.design.intercept and _equal_rows(problem)):
        rounding = rounding + shift * lengths * math.sqrt(total)
    return Local(
        problem=problem,
        coef=coef,
        columns=frame.columns,
        eta=eta,
        y=y,
        rows=rows,
        curvature=curvature,
        gradient=gradient,
        unit=_unit(problem, coef, lengths),
        size=frame.size,
        rounding=rounding,
        spread=spread,
        weighted_spread=weighted,
        shift=shift,
    )


def _unit(problem: Problem, coef: Vector, lengths: Vector) -> Vector:
    """Root of the curvature of loss and penalty; shape (p,).

    A column of zeros has no curvature; its only natural unit is the penalty's own slope.
    """
    penalty, unit = problem.penalty, lengths.copy()
    slope = np.ones(coef.size)
    if isinstance(penalty, SeparablePenalty):
        curvature = np.maximum(penalty.curvature(coef), 0.0)
        unit = np.hypot(unit, np.sqrt(curvature)) if curvature.any() else unit
        slope = penalty.kink
    free = np.flatnonzero(unit == 0)
    unit[free] = np.where(slope[free] > 0, slope[free], 1.0)
    return unit


def multipliers(local: Local) -> Vector:
    """Return the subgradient of each absolute value that the data ask for; NaN without one."""
    penalty = local.problem.penalty
    out = np.full(local.coef.size, np.nan)
    if isinstance(penalty, ElasticNetPenalty):
        kinked = penalty.l1 > 0
        pull = -(local.gradient + penalty.smooth_gradient(local.coef))
        out[kinked] = pull[kinked] / penalty.l1[kinked]
    return out
