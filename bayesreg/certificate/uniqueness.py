"""Uniqueness: an optimum is the only one if the columns that may enter one are independent.

Every optimum has its support where the gradient reaches the penalty's slope (Tibshirani 2013). The
loss is strictly convex in the predictor, so optima differ only along combinations of such columns
that vanish. Row weights and curvature are positive and change nothing.

Along a path the sets of candidates overlap, and columns of an independent set are independent: one
table of inner products and a Cholesky factorisation of the union often settle many answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.independence import (
    DOUBLE,
    SINGLE,
    independent,
    row_step,
    surely_definite,
    unit_gram,
)
from bayesreg.penalties import GroupNorm, JoinedPenalty, SeparablePenalty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bayesreg.certificate.expansion import Local
    from bayesreg.design import Design
    from bayesreg.independence import Reals
    from bayesreg.penalties import Penalty

    type Positions = NDArray[np.intp]

# Most columns in a table of inner products, and most entries in columns made dense.
_MOST_COLUMNS = 4000
_MOST_ENTRIES = 10_000_000


def candidates(local: Local) -> Positions:
    """Positions of the coefficients that may differ from zero at an optimum, strict ones aside.

    None under a penalty that is not convex, where there is no uniqueness to prove.
    """
    penalty, slack = local.problem.penalty, 10 * local.rounding
    if not local.problem.convex:
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(_may_differ(penalty, local.coef, local.gradient, slack))


def _may_differ(
    penalty: Penalty,
    coef: NDArray[np.float64],
    gradient: NDArray[np.float64],
    slack: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Coefficients whose penalty is strictly convex by itself, a square say, are left out.

    Of other penalties nothing is known but that the gradient is the same at all optima: a group
    whose gradient is shorter than the penalty's slope is 0 at each of them.
    """
    if isinstance(penalty, JoinedPenalty):
        out = np.empty(coef.size, dtype=bool)
        for part, at in penalty.parts:
            out[at] = _may_differ(part, coef[at], gradient[at], slack[at])
        return out
    if isinstance(penalty, SeparablePenalty):
        total = gradient + penalty.slope(np.zeros(coef.size))
        pull = np.where(penalty.nonnegative, -total, np.abs(total))
        reached = pull >= penalty.kink * (1 - 1e-9) - slack
        return np.asarray((reached | (coef != 0)) & ~penalty.strict)
    if isinstance(penalty, GroupNorm):
        length = penalty.lengths(penalty.scale * gradient)
        error = penalty.lengths(penalty.scale * slack)
        reached = (length >= 1 - 1e-9 - error)[penalty.labels]
        return np.asarray(reached | (coef != 0))
    return np.ones(coef.size, dtype=bool)


def proved_unique(design: Design, sets: Sequence[Positions]) -> list[bool]:
    """Tell for each set of candidates whether its columns (and the intercept's) are independent."""
    union = np.unique(np.concatenate([*sets, np.empty(0, dtype=np.intp)]))
    table = _Table.of(design, union) if 0 < union.size <= _MOST_COLUMNS else None
    return _prove(design, table, sets)


def _prove(design: Design, table: _Table | None, sets: Sequence[Positions]) -> list[bool]:
    """Prove all at once, or each half by itself."""
    union = sets[0] if len(sets) == 1 else np.unique(np.concatenate(sets))
    width = union.size + int(design.intercept)
    # A table close to as wide as the data is long has small eigenvalues, and proves nothing.
    if union.size == 0 or (table is not None and width <= design.n and table.proves(union)):
        return [True] * len(sets)
    if len(sets) == 1:
        return [width <= design.n and _independent(design, union)]
    half = len(sets) // 2
    return _prove(design, table, sets[:half]) + _prove(design, table, sets[half:])


def _independent(design: Design, positions: Positions) -> bool:
    """Decide by the columns themselves, all rows."""
    if design.sparse and design.n * positions.size > _MOST_ENTRIES:
        return False
    columns = design.centred.take(positions)
    if design.intercept:
        columns = np.column_stack([design.one, columns])
    return independent(columns)


class _Table:
    """Inner products of columns of unit length, the intercept's first if there is one."""

    def __init__(self, gram: Reals, positions: Positions, least: float, *, first: int) -> None:
        self.gram, self.positions, self.least, self.first = gram, positions, least, first

    @classmethod
    def of(cls, design: Design, positions: Positions) -> _Table:
        """Multiply some rows in single precision; all of them, in double, where X is sparse."""
        if design.sparse:
            # Centred columns are orthogonal to the intercept's, which need not be looked at.
            products = design.centred.gram(positions, positions)
            length = np.sqrt(np.diag(products))
            with np.errstate(divide="ignore", invalid="ignore"):
                products = products / np.outer(length, length)
            return cls(products, positions, DOUBLE, first=0)
        step = row_step(design.n, positions.size + 1)
        one = design.one[::step]
        block = design.X[::step][:, positions]
        if design.intercept:
            block = block - np.outer(one, design.column_mean[positions])
            block = np.column_stack([one, block])
        gram = unit_gram(block, single=True)
        return cls(gram, positions, SINGLE, first=int(design.intercept))

    def proves(self, positions: Positions) -> bool:
        """Tell whether the columns at some of the positions are surely independent."""
        if positions.size == self.positions.size:
            return surely_definite(self.gram, self.least)
        kept = np.searchsorted(self.positions, positions) + self.first
        kept = np.concatenate([np.arange(self.first), kept])
        return surely_definite(self.gram[np.ix_(kept, kept)], self.least)
