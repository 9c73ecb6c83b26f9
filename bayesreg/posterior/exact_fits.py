"""Targets that columns fit exactly, all of them or some: where noise may vanish.

Where coefficients fit m of n rows exactly, the density of sigma, as it goes to 0, is ``σ^−m`` of
the likelihood times ``σ^d`` of the prior: within σ of such coefficients lies a volume of ``σ^d``,
d being how many dimensions they have beyond those in which they may vary and fit still.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from bayesreg.independence import independent, length_left, residual
from bayesreg.propriety import cone_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

    type Mask = NDArray[np.bool_]

# Rounding of a target that is fitted, relative to its largest entry.
_ROUNDED = 1e-13
# Rows of which every choice is tried, or so many by chance; numbers beyond which none is.
_CHOICES, _MOST = 500, 200_000


def spare_rows(columns: Matrix, target: Vector, nonnegative: Mask) -> int:
    """Return how many rows more than dimensions coefficients fit exactly; 0 if they do not fit.

    Parameters
    ----------
    columns : ndarray, shape (n, q)
        Of coefficients that may be anything as sigma goes to 0.
    target : ndarray, shape (n,)
        What they are to fit.
    nonnegative : ndarray of bool, shape (q,)
        Which coefficients cannot be negative.

    Examples
    --------
    >>> columns, either = np.array([[1.0], [2.0]]), np.array([False])
    >>> spare_rows(columns, np.array([2.0, 4.0]), either), spare_rows(columns, np.ones(2), either)
    (1, 0)
    >>> spare_rows(columns, np.array([-2.0, -4.0]), ~either)
    0
    """
    n, size = target.size, float(np.abs(target).max())
    if np.abs(residual(columns, target)).max() > _ROUNDED * size:
        return 0
    lengths = np.sqrt(np.vecdot(columns.T, columns.T))
    unit = columns / np.where(lengths > 0, lengths, 1.0)
    if nonnegative.any() and columns.size <= _MOST:
        if length_left(unit, target, nonnegative) > 1e3 * _ROUNDED * size:
            return 0
        return _spare_inside(unit, target / (size or 1.0), nonnegative)
    # As many independent rows as there are: nothing to spare.
    return 0 if independent(unit.T) else n - int(np.linalg.matrix_rank(unit))


def _spare_inside(unit: Matrix, target: Vector, nonnegative: Mask) -> int:
    """Return the same where some coefficients cannot be negative, and yet they fit."""
    # Those that fit are a cone with a multiple t of the target, cut at t = 1.
    q = unit.shape[1]
    signs = np.eye(q + 1)[np.append(nonnegative, True)]
    fibre = cone_span(signs, np.column_stack([unit, -target]), 1e-12).shape[1] - 1
    return max(target.size - (q - max(fibre, 0)), 0)


def fitted_rows(columns: Matrix, target: Vector) -> Iterator[Mask]:
    """Yield sets of rows that some coefficients fit exactly, masks of shape (n,).

    Rows of the same target come first, which a level may fit; then those on coefficients through q
    rows, of every choice or of many, and on those of least absolute deviations. Rows in general
    position are fitted q at a time; more of them by design, or where targets are whole numbers.

    Parameters
    ----------
    columns : ndarray, shape (n, q)
        The intercept's among them.
    target : ndarray, shape (n,)
        What they are to fit.
    """
    n, q = columns.shape
    if not 0 < q < n or columns.size > _MOST:
        return
    values, counts = np.unique(target, return_counts=True)
    yield target == values[np.argmax(counts)]
    peak = np.abs(columns).max(axis=0)
    scaled = columns / np.where(peak > 0, peak, 1.0)
    for coef in _candidates(scaled, target):
        size = np.abs(scaled) @ np.abs(coef) + np.abs(target)
        yield np.abs(target - scaled @ coef) <= 10 * _ROUNDED * size


def _candidates(columns: Matrix, target: Vector) -> Iterator[Vector]:
    n, q = columns.shape
    # Least absolute deviations: min Σ(u + v), columns b + u − v = target.
    found = linprog(
        np.concatenate([np.zeros(q), np.ones(2 * n)]),
        A_eq=np.hstack([columns, np.eye(n), -np.eye(n)]),
        b_eq=target,
        bounds=[(None, None)] * q + [(0, None)] * (2 * n),
    )
    if found.x is not None:
        left = np.abs(target - columns @ found.x[:q])
        near = np.argsort(left, kind="stable")[: max(q, int((left <= 1e-9 * left.max()).sum()))]
        yield np.linalg.lstsq(columns[near], target[near])[0]
    if comb(n, q) <= _CHOICES:
        choices: Iterator[tuple[int, ...]] = combinations(range(n), q)
    else:
        rng = np.random.default_rng(0)  # no answer depends on it where rows are fitted by many
        choices = (tuple(rng.choice(n, q, replace=False).tolist()) for _ in range(_CHOICES))
    for rows in choices:
        yield np.linalg.lstsq(columns[list(rows)], target[list(rows)])[0]
