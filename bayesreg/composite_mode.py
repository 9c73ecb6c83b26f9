"""Local modes of ``f(x) + Σ w_j(x) |x_j|``: f smooth, perhaps not convex, given by callables.

Proximal Newton (Lee, Sun & Saunders 2014) over a working set: where f is not convex its Hessian is
replaced by its absolute value (Gill, Murray & Wright 1981, sec. 4.4), the quadratic plus kinks is
solved exactly by an active-set method, and a line search takes care of the rest. Once the support
is right this is Newton's method on it, so coordinates carry rounding error only and zeros are 0.0.
A stationary point where the Hessian on the support has a negative eigenvalue is no mode: the search
goes on along that eigenvector.

Weights may depend on other coordinates (a Laplace prior of unknown scale): one-sided derivatives
are those of the whole sum, so the steps stay descent directions.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.linalg import eigh

from bayesreg.composite_quadratic import solve_quadratic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

__all__ = ["Held", "Local", "Objective", "Outcome", "Run", "descend"]

_EPS = float(np.finfo(np.float64).eps)
_MAX_NEWTON = 300
_MAX_ESCAPES = 20
_MOST_ENTERING = 64
# Newton stops once the scaled residual is below the first and has stopped improving; where the
# objective's own rounding keeps it higher, below the second.
_TINY = 1e-9
_ENTER = 1e-11
# Eigenvalues of the Hessian scaled to a unit diagonal: below minus this a point is a saddle, and
# within it either way a direction is flat.
FLAT = 1e-9
# A step that does not shrink against coordinate and spread belongs to a mode at infinity.
_MOVING = 1e-3


@dataclass(frozen=True, eq=False)
class Local:
    """An objective at one point.

    Attributes
    ----------
    value : float
        f + Σ w|x|.
    gradient : ndarray, shape (d,)
        Its gradient in the orthant of x; at a kink, that of everything but the kink.
    weights : ndarray, shape (d,)
        Half the jump of the derivative at each kink; 0 where there is none.
    """

    value: float
    gradient: Vector
    weights: Vector

    @property
    def finite(self) -> bool:
        """Whether all numbers are numbers."""
        numbers = np.concatenate([self.gradient, self.weights])
        return bool(math.isfinite(self.value) and np.isfinite(numbers).all())

    def residual(self, x: Vector, kinked: NDArray[np.bool_]) -> Vector:
        """Return the distance of 0 to the subdifferential, per coordinate, shape (d,)."""
        at_kink = np.maximum(np.abs(self.gradient) - self.weights, 0.0)
        return np.where(kinked & (x == 0), at_kink, np.abs(self.gradient))


class Objective(Protocol):
    """What `descend` needs to know of a function."""

    @property
    def size(self) -> int:
        """Number of coordinates."""

    @property
    def kinked(self) -> NDArray[np.bool_]:
        """Which coordinates have a kink at 0; shape (d,)."""

    @property
    def reach(self) -> Vector:
        """How far from a start a coordinate may go before it counts as running away; (d,)."""

    def evaluate(self, x: Vector) -> Local:
        """Return value, gradient and weights; numbers that are not finite mean "outside"."""

    def hessian(self, x: Vector, columns: NDArray[np.intp]) -> Matrix:
        """Return the Hessian in the orthant of x among some coordinates, shape (k, k)."""


class Outcome(enum.Enum):
    """How a search ended; the values are for messages."""

    STATIONARY = "a local mode"
    RUNAWAY = "a coordinate runs away"
    STUCK = "no further progress"
    OUTSIDE = "the objective is not finite at the start"


@dataclass(frozen=True, eq=False)
class Run:
    """One search for a local mode.

    Attributes
    ----------
    x : ndarray, shape (d,)
        Where it ended.
    value : float
        Objective there.
    outcome : Outcome
        How it ended.
    residual : float
        Largest KKT residual over the square root of the curvature, in sqrt(nats).
    iterations : int
        Newton steps.
    direction : ndarray, shape (d,)
        Of a run that went away: where to; else zeros.
    slope : float
        Of a run that went away: change of the objective in nats at the last unit of its direction.
    trace : tuple of (ndarray, float)
        Points and values on the way.
    """

    x: Vector
    value: float
    outcome: Outcome
    residual: float
    iterations: int
    direction: Vector
    slope: float
    trace: tuple[tuple[Vector, float], ...]


def descend(objective: Objective, start: Vector, max_iter: int = _MAX_NEWTON) -> Run:
    """Search a local mode from one start.

    Parameters
    ----------
    objective : Objective
        What to minimise.
    start : ndarray, shape (d,)
        Where to begin; it is not changed.
    max_iter : int
        Largest number of Newton steps.

    Returns
    -------
    Run
        Its outcome says whether the end is a local mode to second order.

    Examples
    --------
    >>> class Line:  # (x − 3)²/2 + |x|
    ...     size, kinked, reach = 1, np.array([True]), np.array([1e9])
    ...     def evaluate(self, x):
    ...         value = float((x[0] - 3) ** 2 / 2 + abs(x[0]))
    ...         return Local(value, x - 3 + np.sign(x), np.ones(1))
    ...     def hessian(self, x, columns):
    ...         return np.eye(1)[np.ix_(columns, columns)]
    >>> run = descend(Line(), np.zeros(1))
    >>> run.x, run.outcome.value
    (array([2.]), 'a local mode')
    """
    # What overflows on the way is looked for, and taken as outside.
    with np.errstate(all="ignore"):
        return _Search(objective, np.array(start, np.float64)).run(max_iter)


@dataclass(frozen=True, eq=False)
class Held:
    """An objective with one coordinate held at its value in x, as a function of the others.

    Attributes
    ----------
    objective : Objective
        The whole.
    x : ndarray, shape (d,)
        Where the coordinate is held, and where to start.
    j : int
        The coordinate.
    """

    objective: Objective
    x: Vector
    j: int

    @property
    def size(self) -> int:
        """Number of the other coordinates."""
        return self.x.size - 1

    @property
    def kinked(self) -> NDArray[np.bool_]:
        """Which of them have a kink."""
        return np.delete(self.objective.kinked, self.j)

    @property
    def reach(self) -> Vector:
        """How far is away."""
        return np.delete(self.objective.reach, self.j)

    def evaluate(self, rest: Vector) -> Local:
        """Return value, gradient and weights of the others."""
        at = self.objective.evaluate(self._whole(rest))
        return Local(at.value, np.delete(at.gradient, self.j), np.delete(at.weights, self.j))

    def hessian(self, rest: Vector, columns: NDArray[np.intp]) -> Matrix:
        """Return the Hessian among some of them."""
        return self.objective.hessian(self._whole(rest), columns + (columns >= self.j))

    def descend(self, max_iter: int) -> Vector:
        """Return all coordinates at the end of a search among the others, shape (d,)."""
        return self._whole(descend(self, np.delete(self.x, self.j), max_iter).x)

    def _whole(self, rest: Vector) -> Vector:
        return np.insert(rest, self.j, self.x[self.j])


@dataclass(frozen=True, eq=False)
class _Model:
    """The local quadratic among the coordinates of the working set.

    Attributes
    ----------
    columns : ndarray of int, shape (k,)
        The working set.
    unit : ndarray, shape (k,)
        Root of the size of the curvature, to scale by.
    convex : ndarray, shape (k, k)
        Hessian, made positive definite.
    lowest : float
        Smallest eigenvalue of the Hessian scaled by `unit`; ``inf`` if it is clearly positive.
    vector : ndarray, shape (k,)
        Its eigenvector, unscaled.
    """

    columns: NDArray[np.intp]
    unit: Vector
    convex: Matrix
    lowest: float
    vector: Vector


class _Search:
    """The state of one descent."""

    def __init__(self, objective: Objective, start: Vector) -> None:
        self.objective, self.start, self.x = objective, start, start.copy()
        self.kinked = objective.kinked
        self.at = objective.evaluate(start)
        self.narrowest = np.full(start.size, math.inf)
        self.trace: list[tuple[Vector, float]] = [(self.x, self.at.value)]
        self.residual = math.inf
        self.iteration = 0
        self.last_step = np.zeros(start.size)

    def run(self, max_iter: int) -> Run:
        if not self.at.finite:
            return self.end(Outcome.OUTSIDE)
        best, best_x, best_at, stalled, escapes = math.inf, self.x, self.at, 0, 0
        for self.iteration in range(1, max_iter + 1):
            model = self.model()
            if model is None:
                return self.end(Outcome.STUCK)
            settled, step = self.newton(model)
            improved = self.residual < 0.9 * best
            stalled = 0 if improved else stalled + 1
            if self.residual < best:
                best, best_x, best_at = self.residual, self.x, self.at
            done = self.residual == 0.0 or (best < _TINY and stalled >= 2)
            if settled and (done or (best < 1e3 * _TINY and stalled >= 6)):
                self.x, self.at, self.residual = best_x, best_at, best
                if not self.escapes():
                    return self.end(Outcome.STATIONARY)
                escapes += 1
                best, stalled = math.inf, 0
                if escapes > _MAX_ESCAPES:
                    return self.end(Outcome.STUCK)
                continue
            moved = self.line_search(step)
            if (np.abs(self.x - self.start) > self.objective.reach).any():
                return self.end(Outcome.RUNAWAY)
            if not moved and stalled >= 6:
                break
        return self.end(Outcome.STUCK)

    def end(self, outcome: Outcome) -> Run:
        direction, slope = np.zeros_like(self.x), 0.0
        if outcome is Outcome.STUCK and self.drifts():
            outcome = Outcome.RUNAWAY
        if outcome is Outcome.RUNAWAY:
            direction = (self.x - self.start) / self.objective.reach
            direction /= max(float(np.abs(direction).max(initial=0.0)), 1e-300)
            unit = direction * np.minimum(self.objective.reach, 1.0 + np.abs(self.x))
            slope = float(self.at.gradient @ np.where(np.abs(direction) > 0.5, unit, 0.0))
        return Run(
            x=self.x,
            value=self.at.value,
            outcome=outcome,
            residual=self.residual,
            iterations=self.iteration,
            direction=direction,
            slope=slope,
            trace=tuple(self.trace),
        )

    def drifts(self) -> bool:
        """Whether a mode is at infinity: only the size of the steps stands against one here.

        Or the objective has fallen all the way to where rounding errors swamp it.
        """
        moving = np.abs(self.last_step) > _MOVING * (np.abs(self.x) + self.narrowest)
        far = np.abs(self.x - self.start) > 0.5 * self.objective.reach
        fallen = self.at.value < self.trace[0][1]
        return (self.residual < 1e3 * _TINY and bool(moving.any())) or bool(fallen and far.any())

    # ------------------------------------------------------------------ one step

    def model(self) -> _Model | None:
        """Expand the objective among smooth, off-kink and violating coordinates."""
        zero = self.kinked & (self.x == 0)
        over = np.where(zero, np.abs(self.at.gradient) - self.at.weights * (1 + _ENTER), 0.0)
        entering = np.flatnonzero(over > 0)
        entering = entering[np.argsort(-over[entering], kind="stable")[:_MOST_ENTERING]]
        columns = np.union1d(np.flatnonzero(~zero), entering).astype(np.intp)
        return self.expand(columns)

    def expand(self, columns: NDArray[np.intp]) -> _Model | None:
        hessian = self.objective.hessian(self.x, columns)
        if not np.isfinite(hessian).all():
            return None
        diagonal = np.abs(np.diag(hessian))
        unit = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        scaled = hessian / np.outer(unit, unit)
        if columns.size == 0:
            return _Model(columns, unit, hessian, math.inf, np.zeros(0))
        try:  # cheaper than eigenvalues, and enough far from singular
            factor = np.linalg.cholesky(scaled - 1e-6 * np.eye(columns.size))
        except np.linalg.LinAlgError:
            factor = None
        if factor is not None:
            return _Model(columns, unit, hessian, math.inf, np.zeros(columns.size))
        values, vectors = eigh(scaled)
        convex = (vectors * np.maximum(np.abs(values), FLAT)) @ vectors.T * np.outer(unit, unit)
        return _Model(columns, unit, convex, float(values[0]), vectors[:, 0] / unit)

    def newton(self, model: _Model) -> tuple[bool, Vector]:
        """Update the residual; return whether steps have become small, and the step (d,)."""
        columns = model.columns
        distance = self.at.residual(self.x, self.kinked)
        self.residual = float((distance[columns] / model.unit).max(initial=0.0))
        spread = 1.0 / model.unit
        self.narrowest[columns] = np.minimum(self.narrowest[columns], spread)
        step = np.zeros_like(self.x)
        if columns.size and self.residual > 0:
            kink = np.where(self.kinked[columns], self.at.weights[columns], 0.0)
            step[columns] = (
                solve_quadratic(
                    model.convex, self.at.gradient[columns], self.x[columns], kink,
                    self.kinked[columns],
                )
                - self.x[columns]
            )  # fmt: skip
        allowed = _MOVING * (np.abs(self.x[columns]) + self.narrowest[columns])
        settled = bool((np.abs(step[columns]) <= allowed).all())
        # Along a flat direction what is left of the gradient is rounding, and the step is noise.
        if not settled and abs(model.lowest) <= 1e-6:
            settled = self.residual < _TINY * 1e-3
        return settled, step

    def line_search(self, step: Vector) -> bool:
        """Go along the step until the objective falls; return whether it moved."""
        x, at = self.x, self.at
        smooth = at.gradient - at.weights * np.sign(x) * self.kinked
        promised = float(
            smooth @ step + at.weights[self.kinked] @ (np.abs(x + step) - np.abs(x))[self.kinked]
        )
        slack = 16 * _EPS * (1.0 + abs(at.value))
        longest = float((np.abs(step) / (0.1 * self.objective.reach)).max(initial=0.0))
        length = 1.0 / max(1.0, longest)
        for _ in range(60):
            trial = x + step if length == 1.0 else x + length * step
            new = self.objective.evaluate(trial)
            if new.finite and new.value <= at.value + 1e-4 * length * promised + slack:
                moved = not np.array_equal(trial, x)
                self.x, self.at, self.last_step = trial, new, trial - x
                if len(self.trace) < 2 * _MAX_NEWTON:
                    self.trace.append((trial, new.value))
                return moved
            length *= 0.5
        return False

    def escapes(self) -> bool:
        """Leave a stationary point along negative curvature; return whether there is any."""
        support = np.flatnonzero(~(self.kinked & (self.x == 0))).astype(np.intp)
        model = self.expand(support)
        if model is None or model.lowest >= -FLAT or support.size == 0:
            return False
        direction = np.zeros_like(self.x)
        direction[support] = model.vector / math.sqrt(abs(model.lowest))
        best = None
        for length in 0.5 ** np.arange(-1, 20):
            for sign in (1.0, -1.0):
                trial = self.x + sign * length * direction
                new = self.objective.evaluate(trial)
                lower = new.value < self.at.value - 1e-12 * (1 + abs(self.at.value))
                if new.finite and lower and (best is None or new.value < best[1].value):
                    best = trial, new
            if best is not None:
                self.x, self.at = best
                self.trace.append((best[0], best[1].value))
                return True
        return False
