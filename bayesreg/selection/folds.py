"""Folds of the rows, and the problems that they are: to learn from, and to be judged by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from scipy import sparse

from bayesreg._validation import as_count
from bayesreg._visible import shown
from bayesreg.errors import InputError
from bayesreg.likelihoods import Bernoulli
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.design import Design

    type Rows = NDArray[np.intp]
    type Pair = tuple[Rows, Rows]


@runtime_checkable
class Splitter(Protocol):
    """What scikit-learn's splitters are."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:
        """Yield the positions of the rows to learn from, and of those to be judged by."""
        ...


@dataclass(frozen=True, eq=False)
class Fold:
    """One split of the rows.

    Attributes
    ----------
    train : Problem
        The same likelihood and prior on some of the rows.
    test : Design
        The others, of which there may be too few for a problem: all of one class, say.
    """

    train: Problem
    test: Design

    def losses(self, coef: Matrix, intercept: Vector) -> Vector:
        """Negative log density of the rows held out, under each of some answers; shape (k,)."""
        design, family = self.test, self.train.likelihood
        y, w = design.y, design.row_weights
        constant = family.constant(y, w)
        answers = zip(coef, intercept, strict=True)
        return np.array(
            [family.loss(design.linear_predictor(b, float(a)), y, w) + constant for b, a in answers]
        )


def split_rows(problem: Problem, folds: Any, groups: Any, rng: np.random.Generator) -> list[Pair]:
    """Return the rows of each fold.

    Parameters
    ----------
    problem : Problem
        What is to be split.
    folds : int, splitter or iterable of pairs
        See `bayesreg.select_scale`.
    groups : array_like, shape (n,), optional
        For a splitter that keeps groups together.
    rng : Generator
        Deals the rows out where `folds` is a number.

    Returns
    -------
    list of (train, test)
        Positions of rows.

    Raises
    ------
    InputError
        If the folds are not disjoint, empty, or name rows that are not there.
    """
    design = problem.design
    if design.level is not None:
        msg = (
            "problem: was made of sums of products, so it has no rows to hold out; use "
            "Problem(X, y, ...), or by='aic', 'bic' or 'evidence'"
        )
        raise InputError(msg)
    if isinstance(folds, str):
        msg = f"folds: must be a number, a splitter or pairs of rows, found {shown(folds)}"
        raise InputError(msg)
    if groups is not None and not isinstance(folds, Splitter):
        msg = "groups: are for a splitter that keeps them together; use folds=GroupKFold(5)"
        raise InputError(msg)
    if isinstance(folds, Splitter):
        pairs: Iterable[Any] = folds.split(np.zeros((design.n, 1)), design.y, groups)
    elif isinstance(folds, Iterable):
        pairs = folds
    else:
        count = as_count(folds, "folds", minimum=2)
        if count > design.n:
            msg = f"folds: there are {design.n} rows, so at most as many folds; found {count}"
            raise InputError(msg)
        pairs = _dealt(problem, count, rng)
    checked = [_check_pair(pair, k, design.n) for k, pair in enumerate(pairs)]
    if len(checked) < 2:
        msg = f"folds: must be at least 2, found {len(checked)}"
        raise InputError(msg)
    return checked


def _dealt(problem: Problem, count: int, rng: np.random.Generator) -> Iterator[Pair]:
    """Deal shuffled rows out; rows of either class one after the other, so that shares agree."""
    n, y = problem.design.n, problem.design.y
    order = rng.permutation(n)
    if isinstance(problem.likelihood, Bernoulli):
        order = order[np.argsort(y[order], kind="stable")]
    place = np.empty(n, dtype=np.intp)
    place[order] = np.arange(n) % count
    for k in range(count):
        yield np.flatnonzero(place != k), np.flatnonzero(place == k)


def _check_pair(pair: Any, k: int, n: int) -> Pair:
    try:
        train, test = (np.asarray(rows) for rows in pair)
    except (TypeError, ValueError) as error:
        msg = f"folds: must hold pairs (train rows, test rows); number {k + 1} is none"
        raise InputError(msg) from error
    for rows in (train, test):
        if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
            msg = f"folds: the rows of number {k + 1} must be a vector of positions"
            raise InputError(msg)
        if rows.size == 0 or rows.min() < 0 or rows.max() >= n:
            msg = f"folds: the rows of number {k + 1} must be some of 0 to {n - 1}"
            raise InputError(msg)
    if np.intersect1d(train, test).size:
        msg = f"folds: number {k + 1} learns from rows that it is judged by; make them disjoint"
        raise InputError(msg)
    return train, test


class Splits:
    """Makes the problems of a fold; rows of a sparse X are brought into order once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        design = problem.design
        self.by_row = sparse.csr_array(design.X) if design.sparse else None

    def fold(self, train: Rows, test: Rows) -> Fold:
        """Return the problem of the rows to learn from, and the rows to be judged by."""
        learn = self._part(train)
        if learn.standardize and (learn.column_scale <= 0).any():
            name = learn.names[int(np.argmin(learn.column_scale))]
            msg = (
                f"X: column {name!r} is constant in the rows to learn from, so it cannot be "
                "standardised there; use fewer folds, or drop it"
            )
            raise InputError(msg)
        problem = self.problem
        return Fold(Problem.of(learn, problem.likelihood, problem.prior), self._part(test))

    def _part(self, rows: Rows) -> Design:
        return self.problem.design.of_rows(rows, self.by_row)
