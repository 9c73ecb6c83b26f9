"""Exact modes under penalties that tie coefficients to each other: norms, balls, random walks.

Accelerated proximal gradient steps (Beck & Teboulle 2009, restarted as O'Donoghue & Candès 2015)
find out which coefficients are 0, tied or on a border: they do so after finitely many steps. On the
manifold of such coefficients the objective is smooth, and Newton's method takes it to rounding
error (Bareilles, Iutzeler & Malick 2023). The subdifferential of the whole penalty then judges: if
the manifold was the wrong one, more first-order steps follow from the better point.

First-order steps work on centred columns of unit norm; the manifold is that of the user's own
coefficients, so that ties come out exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.linalg.lapack import dsysv

from bayesreg.errors import InputError, NotConverged
from bayesreg.penalties import ElasticNetPenalty, JoinedPenalty, Penalty, Piece, pieces
from bayesreg.solvers.base import Solution
from bayesreg.solvers.scaled import EPS, Scaled, largest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

# Scaled KKT residual to reach, on top of the rounding error of the gradient.
_EXACT = 1e-11
_FEWEST, _MOST, _ALL = 20, 4000, 200_000
_MAX_NEWTON = 50
# Newton steps back to a border after each step along it.
_RETURNS = 8


@dataclass
class _Work:
    """The problem in two sets of coordinates: θ of unit columns, and the user's β.

    Attributes
    ----------
    scaled : Scaled
        The loss, as a function of θ: the intercept's coordinate first, if there is one.
    penalty : Penalty
        Of β.
    whole : Penalty
        Of θ.
    lipschitz : float
        Running estimate of the largest curvature of the loss in θ.
    """

    scaled: Scaled[ElasticNetPenalty]
    penalty: Penalty
    whole: Penalty
    lipschitz: float = field(default=1.0)

    @classmethod
    def of(cls, problem: Problem) -> _Work:
        nothing = ElasticNetPenalty(*np.zeros((3, problem.p)))
        scaled = Scaled.of(problem, nothing)
        first = scaled.Z.shape[1] - problem.p
        slopes = problem.penalty.rescaled(scaled.norm)
        free = ElasticNetPenalty(*np.zeros((3, first)))
        whole = JoinedPenalty(((free, np.arange(first)), (slopes, first + np.arange(problem.p))))
        return cls(scaled, problem.penalty, whole)

    @property
    def first(self) -> int:
        """Number of coordinates before the slopes: 1 for an intercept."""
        return self.scaled.Z.shape[1] - self.penalty.size

    def coef(self, theta: Vector) -> Vector:
        return theta[self.first :] / self.scaled.norm

    def theta(self, level: Vector, coef: Vector) -> Vector:
        return np.concatenate([level, coef * self.scaled.norm])

    def loss(self, theta: Vector) -> float:
        return self.scaled.objective(theta)

    def loss_gradient(self, theta: Vector) -> tuple[float, Vector]:
        s = self.scaled
        weights, eta = s.problem.design.row_weights, s.predictor(theta)
        rows = s.problem.likelihood.gradient(eta, s.y, weights)
        return s.problem.likelihood.loss(eta, s.y, weights), np.asarray(s.Z.T @ rows)

    def residual(self, theta: Vector) -> tuple[float, float]:
        """Largest scaled KKT residual, and the rounding error of the gradient on its scale."""
        at = self.scaled.derivatives(theta)
        length = np.sqrt(np.where(at.diagonal > 0, at.diagonal, 1.0))
        distance = self.whole.subdifferential_distance(theta, at.gradient)
        return largest(distance / length), largest(at.rounding / length)


def solve(problem: Problem, *, coef: Vector | None = None, intercept: float = 0.0) -> Solution:
    """Find the mode of a problem with a convex penalty whose scales are all known.

    Parameters
    ----------
    problem : Problem
        Proper, with every scale known.
    coef : ndarray, shape (p,), optional
        A start, such as the mode at a neighbouring scale.
    intercept : float
        The intercept that goes with it.

    Returns
    -------
    Solution
        Coefficients to rounding error; zeros are exactly 0.0 and ties exact where scales agree.

    Raises
    ------
    InputError
        If a part of the penalty is not convex.
    NotConverged
        If rounding error is not reached.
    """
    if not problem.penalty.convex:
        msg = (
            f"prior: {problem.prior.name} holds a part that is not convex beside one that ties "
            "coefficients to each other; use one kind or the other"
        )
        raise InputError(msg)
    work = _Work.of(problem)
    theta = work.scaled.start(coef, intercept)
    theta = work.whole.prox(theta, EPS)  # a start outside of a ball is moved into it
    work.lipschitz = max(largest(work.scaled.derivatives(theta).diagonal), 1e-300)
    steps, taken, newtons, reached = _FEWEST, 0, 0, math.inf
    while taken < _ALL:
        theta = _first_order(work, theta, steps)
        taken, steps = taken + steps, min(2 * steps, _MOST)
        point = _Point.of(work, theta)
        point, count = _newton(work, point, taken // _FEWEST)
        newtons += count
        theta = point.theta(work)
        reached, floor = work.residual(theta)
        if reached <= _EXACT + 8 * floor:
            _, level = work.scaled.finish(theta)
            return Solution(point.coef(work), level, newtons)
    msg = (
        f"problem: rounding error was not reached (KKT residual {reached:.2g} after {taken} "
        "steps); centre and scale the columns of X, or use a stronger prior"
    )
    raise NotConverged(msg)


# --------------------------------------------------------------------------- first order


def _first_order(work: _Work, theta: Vector, steps: int) -> Vector:
    """Take accelerated proximal gradient steps, restarted where they turn back."""
    ahead, momentum = theta, 1.0
    for _ in range(steps):
        value, gradient = work.loss_gradient(ahead)
        moved = _proximal_step(work, ahead, value, gradient)
        if float((ahead - moved) @ (moved - theta)) > 0:
            momentum = 1.0
        following = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * momentum**2))
        ahead = moved + (momentum - 1.0) / following * (moved - theta)
        still = largest(moved - theta) <= EPS * largest(moved)
        theta, momentum = moved, following
        work.lipschitz *= 0.98
        if still and momentum > 2.0:
            break
    return theta


def _proximal_step(work: _Work, theta: Vector, value: float, gradient: Vector) -> Vector:
    """Step as far as the loss stays below its quadratic bound."""
    while True:
        moved = work.whole.prox(theta - gradient / work.lipschitz, 1.0 / work.lipschitz)
        change = moved - theta
        bound = value + float(gradient @ change) + 0.5 * work.lipschitz * float(change @ change)
        if work.loss(moved) <= bound + 64 * EPS * (1.0 + abs(value)) or work.lipschitz > 1e300:
            return moved
        work.lipschitz *= 2.0


# --------------------------------------------------------------------------- on the manifold


@dataclass(frozen=True)
class _Point:
    """A point of the product of the pieces' manifolds.

    Attributes
    ----------
    parts : tuple of Piece
        One per part of the penalty, in the user's coefficients.
    level : ndarray, shape (0,) or (1,)
        The intercept's coordinate.
    z : tuple of ndarray
        Coordinates on each piece.
    """

    parts: tuple[Piece, ...]
    level: Vector
    z: tuple[Vector, ...]

    @classmethod
    def of(cls, work: _Work, theta: Vector) -> _Point:
        parts = pieces(work.penalty, work.coef(theta))
        return cls(parts, theta[: work.first], tuple(part.at for part in parts))

    def coef(self, work: _Work) -> Vector:
        out = np.zeros(work.penalty.size)
        for part, z in zip(self.parts, self.z, strict=True):
            out[part.columns] = part.coefficients(z)
        return out

    def theta(self, work: _Work) -> Vector:
        return work.theta(self.level, self.coef(work))

    def split(self, joint: Vector) -> list[Vector]:
        """Cut a vector of joint coordinates into the intercept's and those of each piece."""
        ends = np.cumsum([self.level.size, *(z.size for z in self.z)])
        return np.split(joint, ends[:-1])

    def joint(self) -> Vector:
        """Return the coordinates one behind the other, the intercept's first; shape (k,)."""
        return np.concatenate([self.level, *self.z])


@dataclass(frozen=True)
class _Frame:
    """The columns and the walls of a manifold, in joint coordinates.

    Attributes
    ----------
    A : ndarray, shape (n, k)
        What each coordinate moves in the linear predictor.
    moves : ndarray of int, shape (q,)
        Which coordinate moves each θ; -1 for none.
    unit : ndarray, shape (q,)
        By how much.
    walls : scipy.sparse.csr_array, shape (w, k)
        Positive on the manifold.
    """

    A: Matrix
    moves: NDArray[np.intp]
    unit: Vector
    walls: sparse.csr_array

    @classmethod
    def of(cls, work: _Work, point: _Point) -> _Frame:
        Z = work.scaled.Z
        moves, unit = np.full(Z.shape[1], -1, dtype=np.intp), np.zeros(Z.shape[1])
        count = point.level.size
        moves[:count], unit[:count] = np.arange(count), 1.0
        for part, z in zip(point.parts, point.z, strict=True):
            places = work.first + part.columns
            moves[places] = np.where(part.moves >= 0, part.moves + count, -1)
            unit[places] = part.unit * work.scaled.norm[part.columns]
            count += z.size
        moving = np.flatnonzero(moves >= 0)
        shape = (moves.size, count)
        basis = sparse.csr_array((unit[moving], (moving, moves[moving])), shape=shape)
        free = sparse.csr_array((0, point.level.size))
        walls = sparse.block_diag([free, *(part.walls for part in point.parts)], format="csr")
        return cls(np.asarray(Z @ basis), moves, unit, walls)

    def reach(self, point: _Point, step: Vector) -> float:
        """Return how many steps there are to the first wall; inf if it is not ahead."""
        height, fall = self.walls @ point.joint(), -(self.walls @ step)
        ahead = fall > 0
        first = float((np.maximum(height[ahead], 0.0) / fall[ahead]).min(initial=math.inf))
        each = point.split(step)[1:]
        balls = (q.reach(z, d) for q, z, d in zip(point.parts, point.z, each, strict=True))
        return min(first, *balls)

    def moved(self, point: _Point, step: Vector, back: Matrix, *, land: bool) -> _Point:
        """Add a step and return to the borders; put what is to land at a wall exactly there."""
        joint = point.joint() + step
        borders = [k for k, part in enumerate(point.parts) if part.border]
        for _ in range(_RETURNS if borders else 0):
            each = point.split(joint)[1:]
            over = np.array([point.parts[k].curve(each[k])[0] - 1.0 for k in borders])
            joint = joint - back @ over
            if largest(over) <= 64 * EPS:
                break
        if land:
            height = self.walls @ joint
            size = abs(self.walls) @ (np.abs(point.joint()) + np.abs(step))
            for row in np.flatnonzero(height <= 64 * EPS * size):
                one = slice(self.walls.indptr[row], self.walls.indptr[row + 1])
                where, sign = self.walls.indices[one], self.walls.data[one]
                joint[where] -= sign * float(sign @ joint[where]) / where.size
        level, *rest = point.split(joint)
        z = tuple(part.onto(each) for part, each in zip(point.parts, rest, strict=True))
        return _Point(point.parts, level, z)


@dataclass(frozen=True)
class _System:
    """The Newton system of a point: gradient, Hessian, and the borders' gradients.

    Attributes
    ----------
    gradient : ndarray, shape (k,)
        Of the objective along the manifold.
    hessian : ndarray, shape (k, k)
        Of the objective plus the multipliers times the borders' norms.
    borders : ndarray, shape (m, k)
        Gradients of the norms that stay 1.
    unit : ndarray, shape (k,)
        Natural length of each coordinate: one over the root of its curvature.
    residual : float
        Largest scaled gradient of the Lagrangian.
    """

    gradient: Vector
    hessian: Matrix
    borders: Matrix
    unit: Vector
    residual: float

    @classmethod
    def of(cls, work: _Work, point: _Point, frame: _Frame) -> _System:
        at = work.scaled.derivatives(point.theta(work))
        A, k, moving = frame.A, frame.A.shape[1], frame.moves >= 0
        pull = (frame.unit * at.gradient)[moving]
        gradient = np.bincount(frame.moves[moving], weights=pull, minlength=k)
        hessian = A.T @ (at.curvature[:, None] * A)
        start, borders, bends = point.level.size, [], []
        for part, z in zip(point.parts, point.z, strict=True):
            place = slice(start, start + z.size)
            start += z.size
            _, slope, bend = part.curve(z)
            if part.border:
                borders.append(np.zeros(k))
                borders[-1][place] = slope
                bends.append((place, bend))
            else:
                gradient[place] += slope
                hessian[place, place] += bend
        diagonal = np.diag(hessian)
        length = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
        J = np.array(borders).reshape(len(borders), k)
        multipliers = np.linalg.lstsq((J * length).T, -length * gradient, rcond=None)[0]
        for (place, bend), multiplier in zip(bends, multipliers, strict=True):
            hessian[place, place] += max(float(multiplier), 0.0) * bend
        rest = largest(length * (gradient + J.T @ multipliers))
        return cls(gradient, hessian, J, length, rest)

    def step(self) -> tuple[Vector, Matrix]:
        """Solve for the Newton step that leaves the borders' norms as they are, to first order.

        Directions without curvature get next to none, so that a slope along them leads to a wall.

        Returns
        -------
        step : ndarray, shape (k,)
            The step.
        back : ndarray, shape (k, m)
            The cheapest ways to raise each border's norm by 1: how to come back to the border.
        """
        m, k = self.borders.shape
        H = self.unit[:, None] * self.hessian * self.unit
        H[np.diag_indices_from(H)] += 64 * EPS * k
        J = self.borders * self.unit
        length = np.maximum(np.linalg.norm(J, axis=1), 1e-300)
        K = np.block([[H, (J / length[:, None]).T], [J / length[:, None], np.zeros((m, m))]])
        right = np.zeros((k + m, 1 + m))
        right[:k, 0] = -self.unit * self.gradient
        right[k:, 1:] = np.diag(1.0 / length)
        _, _, solution, singular = dsysv(K, right)
        if singular or not np.isfinite(solution).all():
            solution = np.linalg.lstsq(K, right, rcond=8 * EPS * (k + m))[0]
        ways = self.unit[:, None] * solution[:k]
        return ways[:, 0], ways[:, 1:]


def _newton(work: _Work, point: _Point, most: int) -> tuple[_Point, int]:
    """Minimise along the manifold to rounding error, and along smaller ones where it ends.

    Parameters
    ----------
    work : _Work
        The problem.
    point : _Point
        The start, with its manifold.
    most : int
        How often it may go on to a smaller manifold before first-order steps must say which.

    Returns
    -------
    point : _Point
        Where no step along its manifold lowers the objective.
    count : int
        Newton steps taken.
    """
    value, before = _objective(work, point), math.inf
    best, least, stalled = point, math.inf, 0
    frame, count = _Frame.of(work, point), 0
    for count in range(_MAX_NEWTON + 4 * work.penalty.size):
        if frame.A.shape[1] == 0:
            return point, count
        system = _System.of(work, point, frame)
        # Far from the solution the objective falls before the gradient does.
        falls = before - value > 64 * EPS * (1.0 + abs(value))
        stalled = 0 if falls or system.residual < 0.9 * least else stalled + 1
        if system.residual < least or falls:
            best, least = point, system.residual
        if stalled >= 2 or least == 0:
            return best, count
        before = value
        point, value, ended = _line_search(work, point, frame, *system.step(), value)
        if ended:
            if most == 0:
                return point, count + 1
            most -= 1
            point = _Point.of(work, point.theta(work))
            frame = _Frame.of(work, point)
            best, least, stalled, before = point, math.inf, 0, math.inf
    return best, count


def _objective(work: _Work, point: _Point) -> float:
    coef = point.coef(work)
    return work.loss(work.theta(point.level, coef)) + work.penalty.value(coef)


def _line_search(
    work: _Work, point: _Point, frame: _Frame, step: Vector, back: Matrix, value: float
) -> tuple[_Point, float, bool]:
    """Step along the manifold, no further than its end, halving until the objective does not rise.

    Returns
    -------
    point : _Point
        Where the step ends.
    value : float
        Objective there.
    ended : bool
        Whether that is the end of the manifold.
    """
    slack = 16 * EPS * (1.0 + abs(value))
    reach = frame.reach(point, step)
    for halving in range(40):
        length = 0.5**halving
        ended = halving == 0 and reach < 1.0
        trial = frame.moved(point, min(length, length * reach) * step, back, land=ended)
        trial_value = _objective(work, trial)
        if trial_value <= value + slack:
            return trial, trial_value, ended
    return point, value, False
