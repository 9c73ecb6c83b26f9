r"""Where the rate of a count has no variance: directions in which it outgrows the posterior.

Along a direction d, far out, the log posterior of a Poisson model with counts y_i of weight w_i
falls doubly exponentially if ``x_i·d > 0`` for any row, and else like ::

    R(d) = P(d) − Σ_i w_i y_i x_i·d  ≥  0,        P(d) = lim −log prior(t d) / t

(the intercept is a column of ones with ``P = 0``). With a rate of ``exp(x·β)``, ``E exp(k x·β)`` is
finite if ``k x·d < R(d)`` for all d with ``X d <= 0`` that R does not leave free, and infinite if
``k x·d > R(d)`` for one: a logarithmically concave function has an integral if and only if it falls
in every direction (Rockafellar 1970, theorem 8.7), and by duality the expectation is no more than
that of the same model with R a little smaller, so that tails that fall like a power change nothing.
At equality they decide (`bayesreg.estimators._equality`), but beside norms of several coefficients,
where it is taken for infinite. A variance needs k = 2.

P is infinite under a normal prior, 0 under a flat one or one that falls like a power, and the
penalty itself where that is a norm. If the scale of a prior is unknown it is 0, but of a normal
prior with a half-normal scale, ``‖d‖/τ``: ``min_s (d²/(2s²) + s²/(2τ²)) = |d|/τ``.

A weighted regression proves most rows finite at once: if ``2x = Σ w_i y_i g_i x_i`` with every
``g_i > −1``, then ``2x·d < R(d)``; what it leaves may be as large as P has slopes. A linear
programme, with a norm as the planes that touch it, decides on the others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog

from bayesreg.blocks import parts_on
from bayesreg.estimators._equality import Equality
from bayesreg.likelihoods import Poisson
from bayesreg.penalties import ElasticNetPenalty, GroupNorm
from bayesreg.posterior.tails import SlowTails
from bayesreg.priors import (
    Bridge,
    RegularizedHorseshoe,
    SpikeSlab,
    UniformBall,
)
from bayesreg.priors.base import ElasticNetPrior, Scaled
from bayesreg.priors.fused import Fused
from bayesreg.priors.norms import NormPrior
from bayesreg.scale_priors import HalfNormal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.penalties import Penalty
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem
    from bayesreg.scale_priors import ScalePrior

    type Mask = NDArray[np.bool_]

# The power of the rate whose mean is asked for, and by how much it is overstated at first, so that
# equality is on the side of infinity and clear of the tolerances of a programme.
_POWER, _OVER = 2.0, 1e-4
# Rounding of what a decomposition leaves of a row, in units of its size.
_ROUNDED = 1e-8
# Directions are as long as that, so that a tolerance of 1e-7 on each row is nothing beside them.
_REACH = 1e6
_GAIN = 1e-5 * _REACH
# What is less than that is equality, if a programme says so with the tightest of tolerances.
_EQUAL = 1e-8 * _REACH
# Beside norms there is no telling equality from so little less.
_HAIR = 1e-6
_USUAL, _TIGHT = 1e-7, 1e-10
# Columns of more numbers than these are not regressed on, or put into a programme.
_MOST, _MOST_PROGRAMME = 5_000_000, 200_000
_BLOCK = 4_000_000
_PLANES = 100
# So far from a point is its prox, relatively, that the difference is a slope there, with digits.
_NEAR = 1e-6


@dataclass(frozen=True, eq=False)
class Fall:
    """How the prior of some coefficients falls along directions: P above.

    Attributes
    ----------
    rate : ndarray, shape (p,)
        ``P(d) = Σ rate |d|``; inf where the prior falls faster than exponentially.
    nonnegative : ndarray of bool, shape (p,)
        Which coefficients cannot be negative.
    norms : list of (positions, penalty)
        What is added to P.
    """

    rate: Vector
    nonnegative: Mask
    norms: list[tuple[NDArray[np.intp], Penalty]] = field(default_factory=list)

    @classmethod
    def of(cls, problem: Problem) -> Fall:
        """Ask each part of the prior, with an unknown scale at 1 and on the user's own scale."""
        p = problem.p
        out = cls(np.zeros(p), np.zeros(p, dtype=np.bool_))
        asked = parts_on(problem.prior, p)
        known = parts_on(problem.given_ones().coef_prior, p)
        for (prior, positions), (one, _) in zip(asked, known, strict=True):
            at = np.array(positions, dtype=np.intp)
            if isinstance(one, Scaled):
                out.nonnegative[at] = one.nonnegative
            if isinstance(one, NormPrior | Fused):
                out.norms.append((at, one.penalty(at.size)))
            elif prior.hyperprior is None:
                out.rate[at] = _rates(one, at.size)
            else:
                out._add_mixed(at, one, prior.hyperprior)
        return out

    def _add_mixed(self, at: NDArray[np.intp], one: Prior, hyperprior: ScalePrior) -> None:
        """Add a prior whose scale has a prior; `one` has the scale 1."""
        if isinstance(one, RegularizedHorseshoe):
            self.rate[at] = _rates(one, at.size)  # its slab has a width of its own
        elif isinstance(hyperprior, HalfNormal):
            if isinstance(one, Bridge) and one.power > 2:
                self.rate[at] = math.inf  # t^(2q/(q + 2))
            elif isinstance(one, ElasticNetPrior) or (isinstance(one, Bridge) and one.power == 2):
                penalty = one.penalty(at.size)
                assert isinstance(penalty, ElasticNetPenalty)  # noqa: S101  (a bridge of 2 is one)
                wide = penalty.l2 > 0
                width = hyperprior.scale / np.sqrt(penalty.l2[wide])
                if width.size:
                    labels = np.zeros(width.size, dtype=np.intp)
                    self.norms.append((at[wide], GroupNorm(width, labels)))

    @property
    def loose(self) -> NDArray[np.intp]:
        """Positions of the coefficients along which it falls no faster than exponentially."""
        return np.flatnonzero(np.isfinite(self.rate))


def _rates(prior: Prior, p: int) -> Vector:
    """Exponential rates of a prior of p independent coefficients, or of a ball; (p,)."""
    if isinstance(prior, SpikeSlab | UniformBall):
        return np.full(p, math.inf)
    if isinstance(prior, RegularizedHorseshoe):
        return np.full(p, math.inf if math.isinf(prior.slab_df) else 0.0)
    if isinstance(prior, Bridge) and prior.power not in {1, 2}:
        return np.where(np.isfinite(prior.numbers(p)) & (prior.power > 1), math.inf, 0.0)
    if isinstance(prior, ElasticNetPrior | Bridge):
        penalty = prior.penalty(p)
        assert isinstance(penalty, ElasticNetPenalty)  # noqa: S101  (a bridge of 1 or 2 is one)
        return np.where(penalty.l2 > 0, math.inf, penalty.l1)
    return np.zeros(p)


@dataclass(frozen=True, eq=False)
class Growth:
    """Whether counts at new rows have a variance.

    Attributes
    ----------
    problem : Problem
        Its columns measured from an origin.
    """

    problem: Problem

    def endless(self, X: Any) -> Mask:
        """Whether there is no variance at rows X, measured as the data are; (n,).

        Where X is so large that a programme would take minutes, what is not proven infinite is
        taken for finite.
        """
        out = np.zeros(X.shape[0], dtype=np.bool_)
        if not isinstance(self.problem.likelihood, Poisson) or not self._fall.loose.size:
            return out
        if self.problem.n * self._fall.loose.size > _MOST:
            return out
        step = max(1, _BLOCK // max(self.problem.n, self._unit.size))
        for start in range(0, X.shape[0], step):
            part = slice(start, start + step)
            rows = self._measured(X[part])
            open_rows = np.flatnonzero(~self._held(rows))
            if self._columns.size <= _MOST_PROGRAMME:
                out[start + open_rows] = self._decided(rows[open_rows])
        return out

    @cached_property
    def _fall(self) -> Fall:
        return Fall.of(self.problem)

    # ------------------------------------------------------------------ columns

    @cached_property
    def _scaled(self) -> tuple[Matrix, Vector]:
        """Columns that matter, each of length one and the intercept's last; and those lengths."""
        design = self.problem.design
        columns = design.centred.take(self._fall.loose)
        if design.intercept:
            columns = np.column_stack([columns, design.one])
        lengths = np.sqrt((columns**2).sum(axis=0))
        lengths[lengths == 0] = 1.0
        return columns / lengths, lengths

    @property
    def _columns(self) -> Matrix:
        return self._scaled[0]

    @property
    def _unit(self) -> Vector:
        return self._scaled[1]

    def _measured(self, X: Any) -> Matrix:
        """Return rows in the same units, shape (m, q)."""
        design, loose = self.problem.design, self._fall.loose
        rows = X[:, loose] if isinstance(X, np.ndarray) else X.tocsc()[:, loose].toarray()
        if design.intercept:
            rows = np.column_stack([rows - design.column_mean[loose], np.ones(rows.shape[0])])
        return np.asarray(rows / self._unit)

    @cached_property
    def _pull(self) -> Vector:
        """Weights times counts, (n,)."""
        return self.problem.design.row_weights * self.problem.design.y

    @cached_property
    def _regression(self) -> Matrix:
        """Turn rows (m, q) into the coefficients of that regression, whose own prior is P; (q, q).

        A ridge, so that columns which counts do not tell apart are held by their rates.
        """
        some = self._pull > 0
        rows = np.sqrt(self._pull[some])[:, None] * self._columns[some]
        _, s, right = np.linalg.svd(np.vstack([rows, np.diag(self._rate)]), full_matrices=False)
        kept = s > _ROUNDED * s.max(initial=0.0)
        return np.asarray((right[kept].T / s[kept] ** 2) @ right[kept])

    def _held(self, rows: Matrix) -> Mask:
        """Whether a weighted regression proves rows (m, q) finite; (m,)."""
        some, most = self._pull > 0, 1 - _OVER
        images = _POWER * (rows @ self._regression) @ self._columns[some].T
        # What it leaves has to be within the rates, or be rounding.
        left = _POWER * rows - (images * self._pull[some]) @ self._columns[some]
        size = np.abs(rows).max(axis=1, initial=0.0)
        within = np.where(self._bounded, left, np.abs(left)) <= most * self._rate
        within |= np.abs(left) <= _ROUNDED * size[:, None]
        return np.asarray(within.all(axis=1) & (images > -most).all(axis=1))

    # ------------------------------------------------------------------ programmes

    def _decided(self, rows: Matrix) -> Mask:
        """Whether some direction outgrows the posterior, for rows (m, q) one by one; (m,)."""
        out = np.zeros(rows.shape[0], dtype=np.bool_)
        found: list[tuple[Vector, float]] = []
        planes: list[tuple[int, Vector]] = []
        for i, row in enumerate(rows):
            size = float(np.abs(row).max(initial=0.0))
            if size == 0:
                continue
            wanted = (_POWER / size) * row
            if any(float(wanted @ d) - fall / size > _EQUAL for d, fall in found):
                out[i] = True
                continue
            direction = self._outgrown((1 + _OVER) * wanted, size, planes)
            if direction is None:
                continue
            fall = self._resistance(direction)
            if float(wanted @ direction) - fall / size <= _GAIN:  # by how little?
                over = 1 + _HAIR if self._norms else 1.0
                direction = self._outgrown(over * wanted, size, planes, _EQUAL, _TIGHT)
            if direction is not None:
                found.append((direction, self._resistance(direction)))
            out[i] = direction is not None or (
                not self._norms and self._equality(wanted, size).diverges()
            )
        return out

    def _equality(self, wanted: Vector, size: float) -> Equality:
        gain = self._gain(wanted, size)
        return Equality(self._columns, gain, self._bounded, self._slow)

    @cached_property
    def _slow(self) -> SlowTails:
        return SlowTails.of(self.problem).beside(self._fall.loose, self._rate)

    def _gain(self, wanted: Vector, size: float) -> Vector:
        """Growth less decay, norms aside, along each unit direction and its opposite; (2q,)."""
        pulled = wanted + self._columns.T @ self._pull / size
        return np.concatenate([pulled, -pulled]) - np.tile(self._rate / size, 2)

    def _outgrown(
        self,
        wanted: Vector,
        size: float,
        planes: list[tuple[int, Vector]],
        least: float = _GAIN,
        tolerance: float = _USUAL,
    ) -> Vector | None:
        """Return a direction with ``wanted·d > R(d)/size``, None if there is none.

        Planes that touch norms are added to those that are there, until they tell.
        """
        norms, q = self._norms, self._unit.size
        gain = np.append(self._gain(wanted, size), np.full(len(norms), -1 / size))
        direction: Vector = np.zeros(q)
        for _ in range(_PLANES):
            touching = np.zeros((len(planes), gain.size))
            for k, (which, slope) in enumerate(planes):
                at = norms[which][0]
                touching[k, at], touching[k, q + at], touching[k, 2 * q + which] = slope, -slope, -1
            rows = np.pad(np.hstack([self._columns, -self._columns]), ((0, 0), (0, len(norms))))
            result = linprog(
                -gain,
                A_ub=np.vstack([rows, touching]),
                b_ub=np.zeros(rows.shape[0] + len(planes)),
                bounds=[*self._bounds, *([(0.0, None)] * len(norms))],
                options={
                    "primal_feasibility_tolerance": tolerance,
                    "dual_feasibility_tolerance": tolerance,
                },
            )
            if result.x is None:
                return None
            direction = result.x[:q] - result.x[q : 2 * q]
            if float(gain @ result.x) <= least:
                return None
            if float(wanted @ direction) - self._resistance(direction) / size > least:
                return direction
            planes += self._touching(direction)
        return direction  # undecided: no draws would settle on it

    @cached_property
    def _rate(self) -> Vector:
        """Rates in these units, the intercept's last; (q,)."""
        rate = np.zeros(self._unit.size)
        rate[: self._fall.loose.size] = self._fall.rate[self._fall.loose]
        return rate / self._unit

    @cached_property
    def _norms(self) -> list[tuple[NDArray[np.intp], Penalty]]:
        """Norms, each with the places of its coefficients among these columns."""
        loose = self._fall.loose
        return [(np.searchsorted(loose, at), norm) for at, norm in self._fall.norms]

    @cached_property
    def _bounded(self) -> Mask:
        """Which of these coefficients cannot be negative; (q,)."""
        loose = self._fall.loose
        out = np.zeros(self._unit.size, dtype=np.bool_)
        out[: loose.size] = self._fall.nonnegative[loose]
        return out

    @cached_property
    def _bounds(self) -> list[tuple[float, float]]:
        """Ends of the positive parts of a direction, and of the negative ones, (2q,)."""
        negative = [(0.0, 0.0 if bounded else _REACH) for bounded in self._bounded.tolist()]
        return [(0.0, _REACH)] * self._unit.size + negative

    def _resistance(self, direction: Vector) -> float:
        """R of a direction in these units."""
        norms = sum(norm.value((direction / self._unit)[at]) for at, norm in self._norms)
        fall = float(self._rate @ np.abs(direction)) + norms
        return fall - float(self._pull @ (self._columns @ direction))

    def _touching(self, direction: Vector) -> list[tuple[int, Vector]]:
        """Return a plane that touches each norm where a direction leaves it: its slope there.

        What the prox of a norm takes off a point is a slope at the prox (Moreau 1965).
        """
        planes = []
        for k, (at, norm) in enumerate(self._norms):
            point = (direction / self._unit)[at]
            value = norm.value(point)
            if value > 0:
                step = _NEAR * float(point @ point) / value
                planes.append((k, (point - norm.prox(point, step)) / step / self._unit[at]))
        return planes
