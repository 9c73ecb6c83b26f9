r"""Laplace and elastic net posteriors that fall into parts of one or two coefficients.

With Gaussian noise of known sd, and the coefficients without an absolute value projected out, the
others have the density ``exp(−½ βᵀGβ + cᵀβ − Σ λ_j |β_j|)`` up to a constant: a normal density on
each orthant (Hans 2009). Where G has blocks of one or two (p ≤ 2, orthogonal columns, orthogonal
pairs) it is a product of these:

one
    Two truncated normals, ``Z(λ − c)`` on the right and ``Z(λ + c)`` on the left, with Mills' ratio
    for an integral (`bayesreg.posterior.half_normal`). Weighted means of either sign may cancel;
    where ``c`` is small their difference is an integral of something positive,
    ``∫ x sinh(cx) exp(−gx²/2 − λx) dx = ½ ∫_{λ−c}^{λ+c} E(b) db``, E the second moment at b.
two
    Four quadrants. A bivariate normal probability of a quadrant underflows where the penalty is
    large, so it is written as Mills' ratio of the second coefficient integrated over the first,
    positive and log-concave: a trapezoidal sum over log |β_1| (`bayesreg.posterior.lattice`). What
    would cancel for collinear columns is taken from the residual of one column on the other.

References
----------
Hans, C. (2009). Bayesian lasso regression. Biometrika 96, 835–845.
Park, T. & Casella, G. (2008). The Bayesian lasso. JASA 103, 681–686.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy import special

from bayesreg.errors import NoClosedForm
from bayesreg.likelihoods import LOG_2PI
from bayesreg.posterior import half_normal
from bayesreg.posterior.conditional import require_kept, require_level, require_near
from bayesreg.posterior.density import PriorShape
from bayesreg.posterior.lattice import Lattice
from bayesreg.posterior.moments import Level, Moments, Solution, assemble
from bayesreg.posterior.projection import Projection, lost_to_offset

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.likelihoods import Gaussian
    from bayesreg.posterior.conditional import Array, Mask
    from bayesreg.problem import Problem

_EPS = float(np.finfo(np.float64).eps)
# Logarithms from here on have no exponential that can be squared.
_LARGEST = 350.0
_GAUSS = np.polynomial.legendre.leggauss(20)
_SIGNS = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])


def reason_against(problem: Problem) -> str | None:
    """Say why a Gaussian problem with absolute values is not known exactly; None where it is.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> def lasso(X):
    ...     return Problem(X, range(4), likelihood=Gaussian(1.0), prior=Laplace(1.0))
    >>> reason_against(lasso([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])) is None
    True
    >>> reason_against(lasso([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 2]]))
    "prior: the absolute value on 'x0' leaves no closed form: columns are not orthogonal"
    """
    kinked = np.flatnonzero(PriorShape.of(problem).penalty.l1 > 0)
    what = f"prior: the absolute value on {problem.names[kinked[0]]!r} leaves no closed form"
    if problem.unknown:
        return f"{what} while {' and '.join(problem.unknown)} is unknown"
    if kinked.size <= 2:
        return None
    if problem.design.sparse or kinked.size > 2 * (problem.n + problem.p - kinked.size):
        return f"{what}: columns are not orthogonal"
    columns = _Columns.of(problem)
    if columns.blocks is None:
        return f"{what}: columns are not orthogonal"
    return None


@dataclass(frozen=True, eq=False)
class _Columns:
    """What is left of the columns with an absolute value.

    Attributes
    ----------
    plane : Projection
        Of the others.
    B : ndarray, shape (n', k)
        The columns, with a row for the square of each elastic net.
    t : ndarray, shape (n',)
        The target.
    l1 : ndarray, shape (k,)
        Weights of the absolute values.
    """

    plane: Projection
    B: Matrix
    t: Vector
    l1: Vector

    @classmethod
    def of(cls, problem: Problem) -> _Columns:
        """Project out the coefficients that have no absolute value."""
        design, penalty = problem.design, PriorShape.of(problem).penalty
        kinked = penalty.l1 > 0
        h = design.row_weights / _variance(problem)
        plane = Projection.of(
            design.X,
            design.less_offset,
            h,
            np.where(~kinked & (penalty.l2 > 0), penalty.loc, 0.0),
            out=~kinked,
            rows=np.where(kinked, 0.0, penalty.l2),
            intercept=design.intercept,
        )
        # A column that lies among those projected out is 0, not what rounding leaves of it.
        norms = np.sqrt(h @ design.X[:, kinked] ** 2)
        left = np.sqrt((plane.columns**2).sum(axis=0))
        B = np.where(left > 16 * _EPS * norms, plane.columns, 0.0)
        squares = np.sqrt(penalty.l2[kinked])
        rows = np.diag(squares)[squares > 0]
        t = np.append(plane.target, (squares * penalty.loc[kinked])[squares > 0])
        return cls(plane, np.vstack([B, rows]), t, penalty.l1[kinked])

    @cached_property
    def blocks(self) -> list[tuple[int, ...]] | None:
        """Positions that belong together, ones and pairs; None if more than two do."""
        k, norms = self.l1.size, np.sqrt((self.B**2).sum(axis=0))
        least = 8 * _EPS * math.sqrt(self.B.shape[0])
        found: list[tuple[int, ...]] = []
        for j in range(k):
            tied = np.abs(self.B[:, j] @ self.B) > least * norms[j] * norms
            tied[j] = False
            partners = np.flatnonzero(tied)
            if partners.size > 1:
                return None
            if partners.size == 0:
                found.append((j,))
            elif j < partners[0]:
                found.append((j, int(partners[0])))
        return found


def _variance(problem: Problem) -> float:
    return cast("Gaussian", problem.likelihood).variance


# ---------------------------------------------------------------------- one coefficient


@dataclass(frozen=True, eq=False)
class _Ones:
    """Independent coefficients with the densities ``exp(−g β²/2 + c β − λ |β|)``, shapes (k,)."""

    g: Vector
    c: Vector
    l1: Vector

    @cached_property
    def _log_sides(self) -> Array:
        """Log integrals on the right and on the left, shape (2, k)."""
        return np.stack(
            [half_normal.log_integral(self.g, self.l1 - sign * self.c) for sign in (1, -1)]
        )

    @property
    def log_total(self) -> float:
        """Log of the product of the integrals."""
        return float(special.logsumexp(self._log_sides, axis=0).sum())

    def moments(self) -> tuple[Vector, Vector]:
        """Mean and variance, shapes (k,)."""
        right, left = special.softmax(self._log_sides, axis=0)
        mean_right, variance_right = half_normal.moments(self.g, self.l1 - self.c)
        mean_left, variance_left = half_normal.moments(self.g, self.l1 + self.c)
        mean = right * mean_right - left * mean_left
        small = np.abs(self.c) < 0.25 * (self.l1 + np.sqrt(self.g))
        mean[small] = self._difference()[small]
        between = right * left * (mean_right + mean_left) ** 2
        return mean, right * variance_right + left * variance_left + between

    def _difference(self) -> Vector:
        """Mean, without a difference of the sides; for small c."""
        log_total = special.logsumexp(self._log_sides, axis=0)
        reach = np.where(np.abs(self.c) < 0.25 * (self.l1 + np.sqrt(self.g)), self.c, 0.0)
        out = np.zeros_like(self.c)
        for node, weight in zip(*_GAUSS, strict=True):
            b = self.l1 + node * reach
            mean, variance = half_normal.moments(self.g, b)
            second = np.exp(half_normal.log_integral(self.g, b) - log_total) * (variance + mean**2)
            out += weight * second
        return out * reach

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        """Draw independently, shape (size, k): the side, then a truncated normal."""
        share = special.softmax(self._log_sides, axis=0)[0]
        sign = np.where(rng.random((size, self.g.size)) < share, 1.0, -1.0)
        b = self.l1 - sign * self.c
        x = half_normal.draw(np.broadcast_to(self.g, b.shape).ravel(), b.ravel(), rng)
        return np.asarray(sign * x.reshape(b.shape))


# ---------------------------------------------------------------------- two coefficients


@dataclass(frozen=True, eq=False)
class _Quadrant:
    """The density of ``x = |β_1|, y = |β_2|`` where the signs are given.

    It is ``exp(−½ rest (x − x₀)² − ½ g (y − μ(x))² − λ_1 x − λ_2 y)``, where (x₀, y₀) is the least
    squares fit and ``μ(x) = y₀ − fall (x − x₀)``. With y integrated out there is Mills' ratio
    ``R(a)/√g`` at ``a = (λ_2 − gμ)/√g``; where a < 0 its ``½ a²`` is taken together with
    ``−½ gμ²``, to ``−λ_2 μ + λ_2²/(2g)``.
    """

    g: float
    fall: float
    rest: float
    l1: Vector
    centre: Vector

    @property
    def slope(self) -> float:
        """Fall of the log density with x where y is as far from 0 as x makes it."""
        return float(self.l1[0] - self.fall * self.l1[1])

    def _points(self, log_x: Vector) -> tuple[Vector, Vector, Vector]:
        """Return ``x``, ``x − x₀`` and ``μ(x)``."""
        x = np.exp(log_x)
        off = x - self.centre[0]
        return x, off, self.centre[1] - self.fall * off

    def _integrands(self, log_x: Vector) -> Array:
        """Log density of log x, y integrated out, and with the square of x."""
        with np.errstate(over="ignore", invalid="ignore"):
            (x, off, mu), (first, second) = self._points(log_x), self.l1
            a = (second - self.g * mu) / math.sqrt(self.g)
            right = half_normal.log_mills(np.maximum(a, 0.0)) - 0.5 * self.g * mu**2
            left = 0.5 * (LOG_2PI + second**2 / self.g) - second * mu
            left = left + special.log_ndtr(np.maximum(-a, 0.0))
            value = np.where(a > 0, right, left) + log_x
            value = value - 0.5 * (self.rest * off**2 + math.log(self.g)) - first * x
        value = np.where(np.isnan(value), -np.inf, value)
        return np.column_stack([value, value + 2 * log_x])

    @cached_property
    def lattice(self) -> Lattice:
        """The density of log x."""
        sizes = [1 / self.l1[0], self.centre[0]]
        sizes += [1 / abs(self.slope)] if self.slope else []
        if self.fall:
            edge = self.centre[0] + (self.centre[1] - self.l1[1] / self.g) / self.fall
            sizes += [edge, 1 / (abs(self.fall) * math.sqrt(self.g))]
        if self.rest > 0:
            sizes += [self.rest**-0.5, self.centre[0] - self.slope / self.rest]
        landmarks = [math.log(size) for size in sizes if 0 < size < math.inf]
        lattice = Lattice.of(self._integrands, landmarks)
        if lattice.nodes[-1] > _LARGEST:
            msg = "the columns are collinear to rounding, and the scales too wide; use sample"
            raise NoClosedForm(msg)
        return lattice

    def moments(self) -> tuple[Vector, Matrix]:
        """Mean and covariance of (x, y)."""
        (x, _, mu), weight = self._points(self.lattice.nodes), self.lattice.weights
        b = self.l1[1] - self.g * mu
        y, variance = half_normal.moments(np.full(x.size, self.g), b)
        mean = np.array([weight @ x, weight @ y])
        away = np.stack([x, y]) - mean[:, None]
        covariance = (weight * away) @ away.T
        covariance[1, 1] += weight @ variance
        return mean, covariance

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        """Draw (x, y), shape (size, 2)."""
        x, _, mu = self._points(self.lattice.draw(rng, size))
        b = self.l1[1] - self.g * mu
        y = half_normal.draw(np.full(size, self.g), b, rng)
        return np.column_stack([x, y])


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two coefficients with the density ``exp(−½ βᵀGβ + cᵀβ − λ·|β|)``."""

    quadrants: tuple[_Quadrant, ...]
    fitted: float

    @classmethod
    def of(cls, B: Matrix, t: Vector, l1: Vector) -> _Pair:
        """Take the numbers of two columns (n', 2) and a target (n',)."""
        one, two = B.T
        g = float(two @ two)
        fall = float(one @ two) / g
        left = one - fall * two
        again = float(left @ two) / g
        left, fall = left - again * two, fall + again
        rest = float(left @ left)
        collinear = rest <= (16 * _EPS) ** 2 * float(one @ one)  # what is left is rounding
        first = 0.0 if collinear else float(left @ t) / rest
        fit = np.array([first, float((t - first * one) @ two) / g])
        quadrants = (
            _Quadrant(g, s[0] * s[1] * fall, 0.0 if collinear else rest, l1, s * fit)
            for s in _SIGNS
        )
        fitted = B @ fit
        return cls(tuple(quadrants), float(fitted @ (t - 0.5 * fitted)))

    @cached_property
    def _log_totals(self) -> Vector:
        return np.array([quadrant.lattice.log_total for quadrant in self.quadrants])

    @property
    def log_total(self) -> float:
        """Log of the integral."""
        return self.fitted + float(special.logsumexp(self._log_totals))

    def moments(self) -> tuple[Vector, Matrix]:
        """Mean (2,) and covariance (2, 2)."""
        share = special.softmax(self._log_totals)
        parts = [quadrant.moments() for quadrant in self.quadrants]
        means = _SIGNS * np.array([mean for mean, _ in parts])
        turned = _SIGNS[:, :, None] * np.array([cov for _, cov in parts]) * _SIGNS[:, None, :]
        mean = share @ means
        off = means - mean
        covariance = np.tensordot(share, turned, axes=1) + (share * off.T) @ off
        return mean, covariance

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        """Draw, shape (size, 2): the quadrant, then within it."""
        chosen = rng.choice(4, size, p=special.softmax(self._log_totals))
        out = np.empty((size, 2))
        for k, quadrant in enumerate(self.quadrants):
            where = np.flatnonzero(chosen == k)
            if where.size:
                out[where] = _SIGNS[k] * quadrant.draw(rng, where.size)
        return out


# ---------------------------------------------------------------------- all of them


@dataclass(frozen=True, eq=False)
class _LaplaceSolution(Solution):
    """A posterior with absolute values, in blocks.

    Attributes
    ----------
    plane : Projection
        Of the coefficients without an absolute value.
    level : Level or None
        The intercept.
    ones, pairs : _Ones and tuple of _Pair
        The blocks.
    at_ones, at_pairs : ndarray of int, shapes (a,) and (b, 2)
        Their positions among the coefficients with an absolute value.
    constant : float or None
        What the blocks leave out of the log evidence; None where it is arbitrary.
    lost : float
        Length of what the offset cost the target.
    """

    plane: Projection
    level: Level | None
    ones: _Ones
    pairs: tuple[_Pair, ...]
    at_ones: np.ndarray[tuple[int], np.dtype[np.intp]]
    at_pairs: np.ndarray[tuple[int, int], np.dtype[np.intp]]
    constant: float | None
    lost: float

    @cached_property
    def _kept(self) -> tuple[Vector, Matrix]:
        """Mean and covariance of the blocks."""
        k = self.plane.kept.size
        mean, covariance = np.zeros(k), np.zeros((k, k))
        mean[self.at_ones], covariance[self.at_ones, self.at_ones] = self.ones.moments()
        for pair, at in zip(self.pairs, self.at_pairs, strict=True):
            mean[at], covariance[np.ix_(at, at)] = pair.moments()
        return mean, covariance

    def _require_digits(self) -> None:
        """Raise InputError where rounding of the data would decide, as `Conditional` does."""
        plane, (mean, _) = self.plane, self._kept
        at_flat = plane.flat_mean - plane.flat_slope @ mean
        terms = plane.terms + plane.kept_length @ np.abs(mean) + plane.flat_length @ np.abs(at_flat)
        left = plane.target - plane.columns @ mean
        require_near(float(terms), float(np.linalg.norm(left)), 1.0)
        require_kept(self.lost)
        require_level(plane.level, plane.level_sd)

    def moments(self) -> Moments:
        """Put the blocks together."""
        self._require_digits()
        plane, k = self.plane, self.plane.kept.size
        mean_kept, covariance_kept = self._kept
        mean = plane.loc.copy()
        mean[plane.kept] = mean_kept
        mean[plane.flat] += plane.flat_mean - plane.flat_slope @ mean_kept
        whole = np.zeros((mean.size, k))
        whole[plane.kept, np.arange(k)] = 1.0
        whole[plane.flat] = -plane.flat_slope
        covariance = whole @ covariance_kept @ whole.T
        covariance[np.ix_(plane.flat, plane.flat)] += plane.flat_root @ plane.flat_root.T
        covariance = 0.5 * (covariance + covariance.T)
        total = self.ones.log_total + sum(pair.log_total for pair in self.pairs)
        evidence = None if self.constant is None else self.constant + total
        intercept = None
        if self.level is not None:
            column = self.level.column_mean
            variance = max(float(column @ covariance @ column), 0.0)
            intercept = self.level.moments(mean, variance, 1.0)
        return assemble(mean, covariance, evidence, intercept)

    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> dict[str, Array]:
        """Draw the blocks, then the others given them."""
        self._require_digits()
        plane, count = self.plane, size[0] * size[1]
        kept = np.empty((count, plane.kept.size))
        kept[:, self.at_ones] = self.ones.draw(rng, count)
        for pair, at in zip(self.pairs, self.at_pairs, strict=True):
            kept[:, at] = pair.draw(rng, count)
        beta = np.empty((count, plane.loc.size))
        beta[:, plane.kept] = kept
        z = rng.standard_normal((count, plane.flat.size))
        others = plane.loc[plane.flat] + plane.flat_mean
        beta[:, plane.flat] = others - kept @ plane.flat_slope.T + z @ plane.flat_root.T
        posterior = {"beta": beta.reshape(*size, -1)}
        if self.level is not None:
            posterior["intercept"] = self.level.draw(posterior["beta"], 1.0, rng)
        return posterior


def solve(problem: Problem) -> Solution:
    """Solve a problem that `reason_against` has nothing against."""
    columns, design = _Columns.of(problem), problem.design
    plane, B, t, l1 = columns.plane, columns.B, columns.t, columns.l1
    # Two that are not to be told from a pair by rounding are a pair.
    blocks = columns.blocks or [(0, 1)]
    at_ones = np.array([block[0] for block in blocks if len(block) == 1], dtype=np.intp)
    at_pairs = np.array([block for block in blocks if len(block) == 2], dtype=np.intp)
    at_pairs = at_pairs.reshape(-1, 2)
    ones = _Ones((B[:, at_ones] ** 2).sum(axis=0), B[:, at_ones].T @ t, l1[at_ones])
    pairs = tuple(_Pair.of(B[:, at], t, l1[at]) for at in at_pairs)
    level = None
    if design.intercept:
        level = Level(plane.level, plane.level_sd, plane.column_mean)
    constant = _constant(problem, columns)
    lost = lost_to_offset(design, design.row_weights / _variance(problem))
    return _LaplaceSolution(plane, level, ones, pairs, at_ones, at_pairs, constant, lost)


def _constant(problem: Problem, columns: _Columns) -> float | None:
    """What blocks leave out of ``log p(y)``; None where a flat prior makes it arbitrary."""
    penalty, design, plane = PriorShape.of(problem).penalty, problem.design, columns.plane
    flat: Mask = (penalty.l1 == 0) & (penalty.l2 == 0)
    if design.intercept or flat.any():
        return None
    h = design.row_weights / _variance(problem)
    rows = 0.5 * (float(np.log(h).sum()) - problem.n * LOG_2PI)
    prior = problem.coef_prior.log_normalizer(problem.p)
    others = 0.5 * plane.flat.size * LOG_2PI - plane.log_det
    return rows - prior + others - 0.5 * float(columns.t @ columns.t)
