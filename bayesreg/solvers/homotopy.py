"""The whole lasso path of a Gaussian likelihood, exactly: where it bends, and on which columns.

As the penalty ``λ Σ r_j |β_j|`` weakens, the mode moves along straight lines that meet at knots
(Osborne, Presnell & Turlach 2000; Efron, Hastie, Johnstone & Tibshirani 2004). Between knots, with
Z the active columns divided by their r_j and s the signs, the coefficients times r_j are
``u − λ v`` for ``u = (Z'Z)⁻¹ Z't`` and ``v = (Z'Z)⁻¹ s``. The correlations of all columns with the
residual are then ``a + λ d``, so the next knot is where one reaches ±λ, or an active coefficient 0.

Nothing is accumulated: u and v are solved for at every knot, by an orthogonal factorisation that
columns enter and leave. Which columns are active below a knot is the solution of a small quadratic
problem in the direction, so that ties, drops among entries, and copies of columns need no rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import qr

from bayesreg.columns import Columns
from bayesreg.errors import InputError
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.solvers._walk import DEPENDENT, norms, walk
from bayesreg.solvers.base import Solution

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem
    from bayesreg.solvers._walk import Step

    type Positions = NDArray[np.intp]

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Knots:
    """Where a piecewise linear path bends, and the mode there.

    Attributes
    ----------
    lam : ndarray, shape (k,)
        Multiples of the penalty, decreasing: first where the first coefficient leaves 0, then
        wherever the support changes, last where the path was left (0, or what was asked for).
    coef : ndarray, shape (k, p)
        Modes there, on the user's scale; in between, straight lines.
    intercept : ndarray, shape (k,)
        Intercepts there.
    entered, left : tuple of tuple of int
        Positions of the coefficients that are non-zero only below each knot, and only above it.
        The last are empty unless the path ends at a knot.
    """

    lam: Vector
    coef: Matrix
    intercept: Vector
    entered: tuple[tuple[int, ...], ...]
    left: tuple[tuple[int, ...], ...]

    @property
    def changes(self) -> Vector:
        """The multiples at which the support changes, decreasing."""
        moved = [bool(a or b) for a, b in zip(self.entered, self.left, strict=True)]
        return np.asarray(self.lam[np.array(moved, dtype=bool)])

    def at(self, lam: float) -> tuple[Vector, float]:
        """Interpolate: the mode at a multiple of the penalty not below the last knot.

        Returns
        -------
        coef : ndarray, shape (p,)
            Coefficients; those that are 0 at both neighbouring knots are exactly 0.0.
        intercept : float
            Intercept.

        Raises
        ------
        InputError
            If `lam` is below the last knot.
        """
        if not lam >= self.lam[-1]:
            msg = f"lam: must be at least {self.lam[-1]:g}, where the path was left, found {lam:g}"
            raise InputError(msg)
        if lam >= self.lam[0]:
            return self.coef[0].copy(), float(self.intercept[0])
        k = int(np.searchsorted(-self.lam, -lam, side="right"))
        if k == self.lam.size:
            return self.coef[-1].copy(), float(self.intercept[-1])
        share = float((self.lam[k - 1] - lam) / (self.lam[k - 1] - self.lam[k]))
        coef = (1 - share) * self.coef[k - 1] + share * self.coef[k]
        level = (1 - share) * self.intercept[k - 1] + share * self.intercept[k]
        return coef, float(level)


def obstacle(problem: Problem) -> str | None:
    """Say why a problem's path is not piecewise linear in the penalty of the absolute values.

    Parameters
    ----------
    problem : Problem
        Any problem with known scales.

    Returns
    -------
    str or None
        The reason; None where `knots` and `solve` apply.
    """
    if problem.likelihood.name != "gaussian":
        return "the likelihood is not Gaussian"
    penalty = problem.penalty
    if not isinstance(penalty, ElasticNetPenalty):
        return f"the {problem.prior.name} prior is more than absolute values and squares"
    if (penalty.nonnegative & (penalty.l1 == 0)).any():
        return "a coefficient is held above 0 without an absolute value"
    if not (penalty.l1 > 0).any():
        return "no coefficient has an absolute value in its penalty"
    return None


def knots(problem: Problem, smallest: float = 0.0) -> Knots:
    """Return every knot of the path, from all kinked coefficients at 0 down to a multiple.

    Parameters
    ----------
    problem : Problem
        Gaussian with known sigma; Laplace, elastic-net, normal and flat priors in any mixture.
    smallest : float
        The path ends at this multiple of the absolute values in the problem's penalty; squares
        stay as they are.

    Returns
    -------
    Knots
        Multiples, modes, and what entered and left.

    Raises
    ------
    InputError
        If the path is not piecewise linear.
    NotConverged
        If rounding errors keep it from proceeding.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> found = knots(Problem([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5], likelihood=Gaussian(1.0),
    ...                       prior=Laplace(1.0), intercept=False))
    >>> found.lam.tolist(), found.entered
    ([3.0, 0.5, 0.0], ((0,), (1,), ()))
    """
    work = _Working.of(problem)
    steps = list(work.walk(smallest))
    modes = [work.finish(step.theta) for step in steps]
    return Knots(
        lam=np.array([step.lam for step in steps]),
        coef=np.array([coef for coef, _ in modes]),
        intercept=np.array([intercept for _, intercept in modes]),
        entered=tuple(step.entered for step in steps),
        left=tuple(step.left for step in steps),
    )


def solve(problem: Problem) -> Solution:
    """Find the mode of a Gaussian problem by following its path from the empty model.

    Parameters
    ----------
    problem : Problem
        As for `knots`, and proper.

    Returns
    -------
    Solution
        Coefficients to rounding error; `iterations` counts the knots on the way.

    Raises
    ------
    InputError
        If the path is not piecewise linear.
    NotConverged
        If rounding errors keep it from proceeding.
    """
    work = _Working.of(problem)
    count, last = 0, None
    for step in work.walk(1.0):
        count, last = count + 1, step
    theta = np.zeros(work.Z.shape[1]) if last is None else last.theta
    return Solution(*work.finish(theta), count)


# --------------------------------------------------------------------------- working coordinates


@dataclass(frozen=True)
class _Working:
    """``‖t − Zθ‖²/2 + λ‖θ‖₁``: weighted, centred, cleared of what has no kink, in units of r.

    Attributes
    ----------
    problem : Problem
        What it is made of.
    Z, t : ndarray, shape (m, k), (m,)
        Columns with a kink divided by their r, and the target; m counts the rows of squares too.
    unit : ndarray, shape (k,)
        The r of each.
    kinked, smooth : ndarray of int
        Positions among all p coefficients.
    M, target : ndarray, shape (m, p), (m,)
        All columns and the target before the smooth ones were cleared.
    """

    problem: Problem
    Z: Matrix
    t: Vector
    unit: Vector
    kinked: Positions
    smooth: Positions
    M: Matrix
    target: Vector

    @classmethod
    def of(cls, problem: Problem) -> _Working:
        reason = obstacle(problem)
        if reason is not None:
            msg = f"problem: its path is not made of straight lines, because {reason}"
            raise InputError(msg)
        penalty = problem.elastic_net
        M, target = _rows(problem)
        squares = np.flatnonzero(penalty.l2 > 0)
        if squares.size:
            # A square is a row of data: √l2 β_j, observed at √l2 loc_j.
            extra = np.zeros((squares.size, problem.p))
            extra[np.arange(squares.size), squares] = np.sqrt(penalty.l2[squares])
            M, target = np.vstack([M, extra]), np.append(target, extra @ penalty.loc)
        kinked, smooth = np.flatnonzero(penalty.l1 > 0), np.flatnonzero(penalty.l1 == 0)
        unit = penalty.l1[kinked]
        Z, t = _cleared(M[:, kinked], target, M[:, smooth])
        return cls(problem, np.asfortranarray(Z / unit), t, unit, kinked, smooth, M, target)

    def walk(self, smallest: float) -> Iterator[Step]:
        """Yield the knots above `smallest`, and the point there."""
        bounded = self.problem.elastic_net.nonnegative[self.kinked]
        return walk(self.Z, self.t, bounded, smallest)

    def finish(self, theta: Vector) -> tuple[Vector, float]:
        """Return coefficients and intercept on the user's scale."""
        design = self.problem.design
        coef = np.zeros(design.p)
        coef[self.kinked] = theta / self.unit
        if self.smooth.size:
            F, active = self.M[:, self.smooth], np.flatnonzero(coef)
            length = norms(F)
            rest = self.target - self.M[:, active] @ coef[active]
            coef[self.smooth] = np.linalg.lstsq(F / length, rest, rcond=None)[0] / length
        if not design.intercept:
            return coef, 0.0
        return coef, _level(problem=self.problem, rest=design.y - design.linear_predictor(coef))


def _level(problem: Problem, rest: Vector) -> float:
    """Weighted mean of what an intercept has to explain."""
    share = problem.design.row_weights * problem.design.one
    return float(share @ rest) / float(share @ problem.design.one)


def _rows(problem: Problem) -> tuple[Matrix, Vector]:
    """Columns and target in units of the noise, clear of the intercept; shape (n, p), (n,)."""
    design = problem.design
    weights = problem.likelihood.curvature(design.y, design.y, design.row_weights)
    columns = Columns.of(design.X, one=design.level, weights=weights, centred=design.intercept)
    y = design.less_offset
    if design.intercept:
        y = y - _level(problem, y) * design.one
    return columns.take(np.arange(design.p)), np.sqrt(weights) * y


def _cleared(columns: Matrix, target: Vector, smooth: Matrix) -> tuple[Matrix, Vector]:
    """Take out of columns and target what the columns without a kink explain."""
    if smooth.shape[1] == 0:
        return columns, target
    Q, R, _ = qr(smooth / norms(smooth), mode="economic", pivoting=True)
    diagonal = np.abs(np.diag(R))
    Q = Q[:, : int((diagonal > DEPENDENT * diagonal.max(initial=0.0)).sum())]
    size = norms(columns)
    for _ in range(2):  # twice is enough to be orthogonal to rounding
        columns, target = columns - Q @ (Q.T @ columns), target - Q @ (Q.T @ target)
    return np.where(norms(columns) <= DEPENDENT * size, 0.0, columns), target
