"""Newton's method along the manifold on which a penalty is smooth.

The manifold is that of the user's own coefficients, so that zeros and ties come out exact. Where a
Newton step would leave it, a coefficient at 0 or two that meet, the search goes on along the
smaller manifold there; on the border of a ball, the step obeys the constraint to first order, and
is followed by the cheapest way back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.linalg import block_diag
from scipy.linalg.lapack import dsysv

from bayesreg.errors import NotConverged
from bayesreg.penalties import ElasticNetPenalty, JoinedPenalty, Penalty, Piece, pieces
from bayesreg.solvers.scaled import EPS, Scaled, largest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

_MAX_NEWTON = 50
# Of a Hessian with a unit diagonal: below it, Newton's steps are not trusted to go downhill.
_LEAST_EIGENVALUE = 1e-8
# Newton steps back to a border after each step along it.
_RETURNS = 8


@dataclass
class Work:
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
    def of(cls, problem: Problem) -> Work:
        """Centre and scale the columns of a problem."""
        nothing = ElasticNetPenalty(*np.zeros((3, problem.p)))
        scaled = Scaled.of(problem, nothing)
        work = cls(scaled, problem.penalty, problem.penalty).under(problem.penalty)
        start = np.zeros(scaled.Z.shape[1])
        work.lipschitz = max(largest(scaled.derivatives(start).diagonal), 1e-300)
        return work

    def under(self, penalty: Penalty) -> Work:
        """Return the same loss under another penalty of the same coefficients."""
        slopes = penalty.rescaled(self.scaled.norm)
        free = ElasticNetPenalty(*np.zeros((3, self.first)))
        parts = ((free, np.arange(self.first)), (slopes, self.first + np.arange(penalty.size)))
        return replace(self, penalty=penalty, whole=JoinedPenalty(parts))

    @property
    def first(self) -> int:
        """Number of coordinates before the slopes: 1 for an intercept."""
        return self.scaled.Z.shape[1] - self.penalty.size

    def coef(self, theta: Vector) -> Vector:
        """Return the user's coefficients of θ, shape (p,)."""
        return theta[self.first :] / self.scaled.norm

    def theta(self, level: Vector, coef: Vector) -> Vector:
        """Return the θ of an intercept's coordinate (0 or 1 of them) and coefficients."""
        return np.concatenate([level, coef * self.scaled.norm])

    def loss(self, theta: Vector) -> float:
        """Return the loss."""
        return self.scaled.objective(theta)

    def loss_gradient(self, theta: Vector) -> tuple[float, Vector]:
        """Return the loss and its gradient."""
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


@dataclass(frozen=True)
class Point:
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
    def of(cls, work: Work, theta: Vector) -> Point:
        """Find the manifold that θ lies on."""
        parts = pieces(work.penalty, work.coef(theta))
        return cls(parts, theta[: work.first], tuple(part.at for part in parts))

    def coef(self, work: Work) -> Vector:
        """Return the user's coefficients, shape (p,); zeros and ties exact."""
        out = np.zeros(work.penalty.size)
        for part, z in zip(self.parts, self.z, strict=True):
            out[part.columns] = part.coefficients(z)
        return out

    def theta(self, work: Work) -> Vector:
        """Return θ."""
        return work.theta(self.level, self.coef(work))

    def objective(self, work: Work) -> float:
        """Return loss plus penalty."""
        coef = self.coef(work)
        return work.loss(work.theta(self.level, coef)) + work.penalty.value(coef)

    def bend(self) -> Matrix:
        """Return the Hessian of the penalty along the manifold, shape (k, k); no balls."""
        bends = (part.curve(z)[2] for part, z in zip(self.parts, self.z, strict=True))
        return np.asarray(block_diag(np.zeros((self.level.size, self.level.size)), *bends))

    def split(self, joint: Vector) -> list[Vector]:
        """Cut a vector of joint coordinates into the intercept's and those of each piece."""
        ends = np.cumsum([self.level.size, *(z.size for z in self.z)])
        return np.split(joint, ends[:-1])

    def joint(self) -> Vector:
        """Return the coordinates one behind the other, the intercept's first; shape (k,)."""
        return np.concatenate([self.level, *self.z])


@dataclass(frozen=True)
class Frame:
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
    def of(cls, work: Work, point: Point) -> Frame:
        """Collect what each coordinate of the manifold through a point moves."""
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

    @property
    def mass(self) -> Vector:
        """Squared length in θ of a unit of each coordinate, shape (k,); they are orthogonal."""
        moving = self.moves >= 0
        squares = self.unit[moving] ** 2
        return np.bincount(self.moves[moving], weights=squares, minlength=self.A.shape[1])

    def reach(self, point: Point, step: Vector) -> float:
        """Return how many steps there are to the first wall; inf if it is not ahead."""
        height, fall = self.walls @ point.joint(), -(self.walls @ step)
        ahead = fall > 0
        first = float((np.maximum(height[ahead], 0.0) / fall[ahead]).min(initial=math.inf))
        each = point.split(step)[1:]
        balls = (q.reach(z, d) for q, z, d in zip(point.parts, point.z, each, strict=True))
        return min(first, *balls)

    def moved(self, point: Point, step: Vector, back: Matrix, *, land: bool) -> Point:
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
        return Point(point.parts, level, z)


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
    def of(cls, work: Work, point: Point, frame: Frame) -> _System:
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
        if at.curvature.min() < 0 and not _definite(hessian):
            # What replaces the Hessian where it points uphill is that of a bound on the loss.
            hessian += A.T @ ((at.metric - at.curvature)[:, None] * A)
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
            solution = _shortest(K, right)
        ways = self.unit[:, None] * solution[:k]
        return ways[:, 0], ways[:, 1:]


def _definite(hessian: Matrix) -> bool:
    """Tell whether a symmetric matrix is positive definite, coordinates scaled to be alike."""
    diagonal = np.diag(hessian)
    if (diagonal <= 0).any():
        return False
    scaled = hessian / np.sqrt(np.outer(diagonal, diagonal))
    return float(np.linalg.eigvalsh(scaled)[0]) > _LEAST_EIGENVALUE


def _shortest(system: Matrix, right: Matrix) -> Matrix:
    """Solve a singular system in the least squares sense; NotConverged where numbers overflow."""
    try:
        return np.linalg.lstsq(system, right, rcond=8 * EPS * right.shape[0])[0]
    except np.linalg.LinAlgError as error:
        msg = (
            "problem: Newton's method met numbers that overflow; centre and scale the columns of "
            "X, or use a stronger prior"
        )
        raise NotConverged(msg) from error


def newton(work: Work, point: Point, most: int) -> tuple[Point, int]:
    """Minimise along the manifold to rounding error, and along smaller ones where it ends.

    Parameters
    ----------
    work : Work
        The problem.
    point : Point
        The start, with its manifold.
    most : int
        How often it may go on to a smaller manifold before first-order steps must say which.

    Returns
    -------
    point : Point
        Where no step along its manifold lowers the objective.
    count : int
        Newton steps taken.
    """
    value, before = point.objective(work), math.inf
    best, least, stalled = point, math.inf, 0
    frame, count = Frame.of(work, point), 0
    # While the manifold is likely the wrong one, so many steps along it are not worth their price.
    left = patience = min(_MAX_NEWTON, 8 + 2 * most)
    while True:
        if frame.A.shape[1] == 0:
            return point, count
        system = _System.of(work, point, frame)
        # Far from the solution the objective falls before the gradient does.
        falls = before - value > 64 * EPS * (1.0 + abs(value))
        stalled = 0 if falls or system.residual < 0.9 * least else stalled + 1
        if system.residual < least or falls:
            best, least = point, system.residual
        if stalled >= 2 or least == 0 or left == 0:
            return best, count
        before, left, count = value, left - 1, count + 1
        point, value, ended = _line_search(work, point, frame, *system.step(), value)
        if ended:
            if most == 0:
                return point, count
            most -= 1
            point = Point.of(work, point.theta(work))
            frame = Frame.of(work, point)
            best, least, stalled, before = point, math.inf, 0, math.inf
            left = patience


def _line_search(
    work: Work, point: Point, frame: Frame, step: Vector, back: Matrix, value: float
) -> tuple[Point, float, bool]:
    """Step along the manifold, no further than its end, halving until the objective does not rise.

    Returns
    -------
    point : Point
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
        trial_value = trial.objective(work)
        if trial_value <= value + slack:
            return trial, trial_value, ended
    return point, value, False
