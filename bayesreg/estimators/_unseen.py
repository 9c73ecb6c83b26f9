"""Directions that no row sees, along which heavy priors leave no variance, or no mean.

Along a direction that moves m coefficients and no row of the data, a posterior falls like the
product of their priors, ``δ^−k`` with k the sum of their powers: 1 + ν under Student's t, 2 under a
horseshoe. ``E δ²`` needs k > 3 and ``E |δ|`` needs k > 2. Each power exceeds 1, so directions of
three coefficients have both, those of two have a mean, and those of one are judged by the prior.
No plane of such directions falls short where they do not: what its volume adds is less than what
the power of another coefficient takes away (power counting, Weinberg 1960). Flat coefficients, the
intercept among them, follow at no cost: a column is what they leave of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.blocks import parts_on
from bayesreg.posterior.tails import flat_positions, tail_powers
from bayesreg.priors.base import Scaled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem

    type Mask = NDArray[np.bool_]
    type Positions = NDArray[np.intp]

# What rounding leaves of a difference of columns, or of rows, in units of their size.
ROUNDED = 1e-8
# Powers are read off densities: so near to 3 they are 3.
_SAME = 1e-6
# Products with so many random rows tell columns apart: chance makes no two of them equal.
_MARKS = 4


@dataclass(frozen=True, eq=False)
class Unseen:
    """What the data say nothing of, under priors without a variance.

    Attributes
    ----------
    problem : Problem
        Its unknowns do not matter: a scale is not a power.
    """

    problem: Problem

    # ------------------------------------------------------------------ priors

    @cached_property
    def _moments(self) -> tuple[Vector, Vector]:
        return self.problem.given_ones().coef_prior.moments(self.problem.p)

    @property
    def _parts(self) -> tuple[tuple[Prior, tuple[int, ...]], ...]:
        return parts_on(self.problem.prior, self.problem.p)

    @cached_property
    def _flat(self) -> Positions:
        return flat_positions(self.problem)

    @cached_property
    def _heavy(self) -> Positions:
        """Positions of the coefficients whose prior has no variance, but is no flat one; (k,)."""
        alone = [j for one, at in self._parts if isinstance(one, Scaled) for j in at]
        wide = np.flatnonzero(~np.isfinite(self._moments[1]))
        return np.setdiff1d(np.intersect1d(wide, np.array(alone, dtype=np.intp)), self._flat)

    @cached_property
    def _bounded(self) -> Mask:
        """Which coefficients cannot be negative; (p,)."""
        out = np.zeros(self.problem.p, dtype=np.bool_)
        for one, at in self._parts:
            out[list(at)] = isinstance(one, Scaled) and one.nonnegative
        return out

    # ------------------------------------------------------------------ columns

    @cached_property
    def _columns(self) -> tuple[Matrix, Matrix]:
        """Marks of the heavy columns, but for the flat ones (k, 4), and their shares of these.

        Shares (f, k) are the multiples of the flat columns that are nearest to each heavy one.
        """
        columns, heavy = self.problem.design.centred, self._heavy
        left, values, right = np.linalg.svd(columns.take(self._flat), full_matrices=False)
        kept = values > ROUNDED * values.max(initial=0.0)
        left, right = left[:, kept], right[kept] / values[kept, None]
        rows = np.random.default_rng(0).standard_normal((columns.shape[0], _MARKS))
        rows -= left @ (left.T @ rows)
        products = columns.correlate(np.column_stack([rows, left]))[heavy]
        return products[:, :_MARKS], right.T @ products[:, _MARKS:].T

    @cached_property
    def _seen(self) -> Mask:
        """Which heavy coefficients move some row whatever the flat ones do; (k,)."""
        size = np.abs(self._columns[0]).max(axis=1)
        return np.asarray(size > ROUNDED * self.problem.design.lengths[self._heavy])

    @property
    def without_mean(self) -> Positions:
        """Positions of the coefficients that no row sees, whose prior has no mean."""
        alone = self._heavy if not self._heavy.size else self._heavy[~self._seen]
        return alone[~np.isfinite(self._moments[0][alone])]

    def centre(self, beta: Matrix) -> Vector:
        """Mean of draws (m, p) of the coefficients, and the median of those that have no mean."""
        out, lost = beta.mean(axis=0), self.without_mean
        if lost.size:
            shares = self._columns[1][:, np.isin(self._heavy, lost)]
            flat = self._flat[(np.abs(shares) > ROUNDED).any(axis=1)]
            for j in (*flat.tolist(), *lost[self._bounded[lost]].tolist()):
                out[j] = np.median(beta[:, j])
            out[lost[~self._bounded[lost]]] = 0.0  # a density that no row has moved from 0
        return out

    # ------------------------------------------------------------------ rows

    def endless(self, X: Any) -> Mask:
        """Whether the predictor has no variance at rows X, measured as the data are; (n,)."""
        if not self._heavy.size:
            return np.zeros(X.shape[0], dtype=np.bool_)
        part, size = self._left(X)
        out: Mask = (np.abs(part) > size)[:, ~self._seen].any(axis=1)
        for group in self._groups():
            out |= self._split(part[:, group], size[:, group], group)
        return out

    def _left(self, X: Any) -> tuple[Matrix, Matrix]:
        """Return entries of rows but for what flat coefficients follow (n, k), and rounding."""
        design, shares = self.problem.design, self._columns[1]
        mean = design.column_mean if design.intercept else np.zeros(design.p)
        heavy, flat = (
            X[:, at] if isinstance(X, np.ndarray) else X.tocsc()[:, at].toarray()
            for at in (self._heavy, self._flat)
        )
        part = heavy - mean[self._heavy] - (flat - mean[self._flat]) @ shares
        size = np.abs(heavy) + np.abs(flat - mean[self._flat]) @ np.abs(shares)
        return part, ROUNDED * size

    def _groups(self) -> list[Positions]:
        """Heavy columns, by their place among them, that are multiples of each other."""
        powers = tail_powers(self.problem)[self._heavy]
        at = np.flatnonzero(self._seen & (powers < 2))  # two that add to 3 are below 2 both
        if at.size < 2:
            return []
        unit = self._columns[0][at]
        unit = unit / (np.linalg.norm(unit, axis=1) * np.sign(unit[:, 0]))[:, None]
        order = np.argsort(unit[:, 0])
        at, unit = at[order], unit[order]
        new = np.abs(np.diff(unit, axis=0)).max(axis=1) > ROUNDED
        return [group for group in np.split(at, np.flatnonzero(new) + 1) if group.size > 1]

    def _split(self, part: Matrix, size: Matrix, group: Positions) -> Mask:
        """Whether rows tell apart two columns of a group whose powers add to no more than 3."""
        marks = self._columns[0][group]
        length = np.linalg.norm(marks, axis=1) * np.sign(marks[:, 0])
        part, size = part / length, size / np.abs(length)
        powers = tail_powers(self.problem)[self._heavy[group]]
        sign = np.where(self._bounded[self._heavy[group]], np.sign(length), 0.0)
        out = np.zeros(part.shape[0], dtype=np.bool_)
        for a in range(group.size - 1):
            b = np.arange(a + 1, group.size)
            # Two that only grow cannot make up for each other.
            b = b[(powers[b] + powers[a] <= 3 + _SAME) & ((sign[b] != sign[a]) | (sign[b] == 0))]
            apart = np.abs(part[:, b] - part[:, [a]]) > size[:, b] + size[:, [a]]
            out |= apart.any(axis=1)
        return out
