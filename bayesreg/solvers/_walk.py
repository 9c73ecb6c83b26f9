"""The walk along a piecewise linear lasso path, from knot to knot (see `homotopy`)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import qr_delete, solve_triangular

from bayesreg.errors import NotConverged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

    type Mask = NDArray[np.bool_]

_EPS = float(np.finfo(np.float64).eps)
# Events this close to each other, relative to λ, are one knot.
_TIE = 1e-12
# What is left of a column beside others that span it is rounding, not a column.
DEPENDENT = 1e-11
# A KKT residual, per unit of a column's length, at which coefficients are no mode any more: that of
# a certificate.
_LOST = 1e-6


def norms(columns: Matrix) -> Vector:
    """Lengths of columns, 1.0 for one of zeros; shape (k,)."""
    length = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    return np.where(length > 0, length, 1.0)


@dataclass(frozen=True)
class Step:
    """One knot: θ there, and the columns that enter and leave there."""

    lam: float
    theta: Vector
    entered: tuple[int, ...] = ()
    left: tuple[int, ...] = ()


def walk(Z: Matrix, t: Vector, bounded: Mask, smallest: float) -> Iterator[Step]:
    """Yield the knots of ``‖t − Zθ‖²/2 + λ‖θ‖₁`` above `smallest`, and the point there.

    Parameters
    ----------
    Z, t : ndarray, shape (n, k), (n,)
        Columns and target.
    bounded : ndarray of bool, shape (k,)
        Which coefficients may not fall below 0.
    smallest : float
        Where to end.

    Yields
    ------
    Step
        Largest λ first.

    Raises
    ------
    NotConverged
        If rounding errors keep the walk from proceeding.
    """
    active = _Active(Z, t, bounded)
    pull = Z.T @ t
    force = np.where(bounded, pull, np.abs(pull))
    lam = float(force.max(initial=0.0))
    if lam <= max(smallest, 8 * _EPS * float(norms(Z).max() * np.linalg.norm(t))):
        yield Step(smallest, np.zeros(force.size))
        return
    before: set[int] = set()
    theta = np.zeros(force.size)
    tied = _signed(force >= lam * (1 - _TIE), pull)
    for _ in range(100 * (sum(Z.shape) + 10)):
        active.settle(tied)
        segment = active.segment()
        event, coming = segment.next_event(lam)
        if event < lam * (1 - _TIE) or not coming:
            now = set(active.columns)
            yield Step(lam, theta, _sorted(now - before), _sorted(before - now))
            if event <= smallest:
                theta = segment.theta(smallest)
                active.check(smallest, theta)
                yield Step(smallest, theta)
                return
            # Of the two pieces that meet at a knot, the upper one defines it: where the lower one
            # is steep, the last digit of λ would show in its coefficients.
            theta = segment.theta(event, at_zero=coming)
            active.check(event, theta)
            before, lam, tied = now, event, coming
        else:
            tied = tied | coming
    raise _collinear(lam)


def _collinear(lam: float) -> NotConverged:
    return NotConverged(
        f"problem: at {lam:.6g} times its penalty the path is lost in rounding errors, because "
        "columns of X are nearly collinear; end it at a larger one, or drop a column"
    )


def _sorted(columns: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(columns))


def _signed(chosen: Mask, value: Vector) -> dict[int, float]:
    """Return the chosen columns, each with the sign of its value."""
    return {int(j): math.copysign(1.0, value[j]) for j in np.flatnonzero(chosen)}


@dataclass(frozen=True)
class _Segment:
    """A straight piece: ``θ = u − λ v`` on the active columns, correlations ``a + λ d``."""

    columns: list[int]
    signs: Vector
    u: Vector
    v: Vector
    a: Vector
    d: Vector
    norm: Vector
    noise: Vector
    bounded: Mask

    def theta(self, lam: float, at_zero: Iterable[int] = ()) -> Vector:
        """Coefficients at λ, shape (k,); what enters or ends there is exactly 0."""
        theta = np.zeros(self.a.size)
        values = self.u - lam * self.v
        theta[self.columns] = np.where(self.signs * values > 0, values, 0.0)
        theta[list(at_zero)] = 0.0
        return theta

    def next_event(self, lam: float) -> tuple[float, dict[int, float]]:
        """Find the largest λ below, at which something happens, and to which columns.

        Returns
        -------
        event : float
            That λ, 0.0 if nothing happens any more.
        coming : dict of float
            Columns whose correlation reaches ±λ, or whose coefficient reaches 0, with signs.
        """
        sign = np.sign(self.a)
        waiting = (np.abs(self.a) > self.noise) & ~(self.bounded & (sign < 0))
        waiting[self.columns] = False
        reach = 1.0 - sign * self.d
        at = np.zeros(self.a.size)
        np.divide(np.abs(self.a), reach, out=at, where=waiting & (reach > 0))
        at[waiting & (reach <= 0)] = lam
        sign[self.columns] = self.signs
        size = np.abs(self.u) * self.norm[self.columns] ** 2
        falling = (self.signs * self.v < 0) & (self.signs * self.u < 0)
        falling &= size > self.noise[self.columns]
        zero = np.zeros(len(self.columns))
        np.divide(self.u, self.v, out=zero, where=falling)
        at[self.columns] = zero
        at = np.minimum(at, lam)
        event = float(at.max(initial=0.0))
        return event, _signed((at > 0) & (at >= event * (1 - _TIE)), sign)


class _Active:
    """The active columns, their signs, and their orthogonal factorisation ``Z_A = Q R``."""

    def __init__(self, Z: Matrix, t: Vector, bounded: Mask) -> None:
        self.Z, self.t, self.bounded = Z, t, bounded
        self.columns: list[int] = []
        self.signs: list[float] = []
        self.norm = norms(Z)
        most = min(Z.shape)
        self._Q, self._R = np.zeros((Z.shape[0], most), order="F"), np.zeros((most, most))
        # The active columns once more, side by side.
        self._beside = np.zeros_like(self._Q)

    @property
    def Z_active(self) -> Matrix:
        """The active columns, in the order of `columns`; shape (n, k)."""
        return self._beside[:, : len(self.columns)]

    # ------------------------------------------------------------------ one column more or less

    def _append(self, j: int, sign: float) -> bool:
        """Add a column; return False, without adding it, if the others span it."""
        k = len(self.columns)
        if k == self._R.shape[0]:
            return False
        Q, rest = self._Q[:, :k], self.Z[:, j].copy()
        along = np.zeros(k)
        for _ in range(2):
            more = Q.T @ rest
            rest -= Q @ more
            along += more
        length = float(np.linalg.norm(rest))
        if length <= DEPENDENT * self.norm[j]:
            return False
        self._Q[:, k], self._beside[:, k] = rest / length, self.Z[:, j]
        self._R[:k, k], self._R[k, :k], self._R[k, k] = along, 0.0, length
        self.columns.append(j)
        self.signs.append(sign)
        return True

    def _remove(self, j: int) -> None:
        k, place = len(self.columns), self.columns.index(j)
        Q, R = qr_delete(self._Q[:, :k], self._R[:k, :k], place, which="col", check_finite=False)
        self._Q[:, : k - 1], self._R[: k - 1, : k - 1] = Q[:, : k - 1], R[: k - 1, : k - 1]
        self._beside[:, place : k - 1] = self._beside[:, place + 1 : k].copy()
        del self.columns[place], self.signs[place]

    def _gram_solve(self, right: Vector) -> Vector:
        """Solve ``Z_A'Z_A x = right``."""
        k = len(self.columns)
        R = self._R[:k, :k]
        half = solve_triangular(R, right, trans="T", check_finite=False)
        return np.asarray(solve_triangular(R, half, check_finite=False))

    # ------------------------------------------------------------------ what it says

    def direction(self) -> Vector:
        """Return ``v``: the change of the active coefficients per unit by which λ falls."""
        if not self.columns:
            return np.zeros(0)
        signs, columns = np.array(self.signs), self.Z_active
        v = self._gram_solve(signs)
        return v + self._gram_solve(signs - columns.T @ (columns @ v))

    def segment(self) -> _Segment:
        """Return the straight piece below this knot."""
        k, columns = len(self.columns), self.Z_active
        v = self.direction()
        u = solve_triangular(self._R[:k, :k], self._Q[:, :k].T @ self.t) if k else np.zeros(0)
        if k:  # one step of refinement makes up for many rotations of the factors
            u = u + self._gram_solve(columns.T @ (self.t - columns @ u))
        both = self.Z.T @ np.column_stack([self.t - columns @ u, columns @ v])
        size = float(np.linalg.norm(self.t)) + float(self.norm[self.columns] @ np.abs(u))
        noise = 16 * _EPS * self.norm * size
        return _Segment(
            columns=list(self.columns),
            signs=np.array(self.signs),
            u=u,
            v=v,
            a=both[:, 0],
            d=both[:, 1],
            norm=self.norm,
            noise=noise,
            bounded=self.bounded,
        )

    def check(self, lam: float, theta: Vector) -> None:
        """Raise NotConverged if coefficients are not the mode at λ, as seen from the data."""
        used = np.flatnonzero(theta)
        slope = self.Z.T @ (self.t - self.Z[:, used] @ theta[used])
        pull = np.where(self.bounded, slope, np.abs(slope))
        wrong = np.where(theta == 0, pull - lam, np.abs(slope - lam * np.sign(theta)))
        size = float(np.linalg.norm(self.t)) + float(self.norm[used] @ np.abs(theta[used]))
        if (wrong > self.norm * (_LOST + 64 * _EPS * size)).any():
            raise _collinear(lam)

    def settle(self, tied: dict[int, float]) -> None:
        """Find which of the columns tied at this knot are active below it.

        The direction δ in which the coefficients leave the knot minimises ``‖Zδ‖²/2 − s'δ`` over
        the active and the tied columns, where a tied coefficient, which is 0, may only move to the
        side of its sign. This is Lawson and Hanson's (1974) method for such bounds.
        """
        for j in tied.keys() & set(self.columns):
            self._remove(j)
        waiting = dict(tied)
        old = dict(zip(self.columns, self.direction().tolist(), strict=True))
        while waiting:
            moved = self.Z_active @ np.array([old[j] for j in self.columns])
            chosen = list(waiting)
            pull = 1.0 - np.array([waiting[j] for j in chosen]) * (self.Z[:, chosen].T @ moved)
            best = int(np.argmax(pull))
            if pull[best] <= _TIE:
                return
            entering, sign = chosen[best], waiting.pop(chosen[best])
            if self._append(entering, sign):
                old[entering] = 0.0
                old = self._towards_feasible(old, tied, waiting, entering)

    def _towards_feasible(
        self, old: dict[int, float], tied: dict[int, float], waiting: dict[int, float], new: int
    ) -> dict[int, float]:
        """Move to the best direction of the active columns, dropping those that would turn back.

        Those dropped wait again, but for the one that has just come: its pull was rounding error.
        """
        while True:
            best = dict(zip(self.columns, self.direction().tolist(), strict=True))
            size = {j: abs(best[j]) * self.norm[j] for j in best}
            still = 8 * _TIE * max(size.values(), default=0.0)
            back = [
                j for j in self.columns if j in tied and tied[j] * best[j] * self.norm[j] <= still
            ]
            if not back:
                return best
            reach = {
                j: abs(old[j]) / gap if (gap := abs(best[j] - old[j])) > 0 else 0.0 for j in back
            }
            first = min(back, key=reach.__getitem__)
            old = {j: old[j] + reach[first] * (best[j] - old[j]) for j in self.columns}
            self._remove(first)
            del old[first]
            if first != new:
                waiting[first] = tied[first]
