"""What estimators of other packages have in common: one penalty number, their own warnings."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.likelihoods import Gaussian

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem


@dataclass(frozen=True, eq=False)
class PeerData:
    """A problem in which one pair of numbers penalises all columns, on arrays of its own.

    Attributes
    ----------
    X : ndarray, shape (n, p)
        Columns times `factor`; just the columns where the penalties are equal already.
    y : ndarray, shape (n,)
        Target; what is known of the predictor is taken from a Gaussian one.
    weights : ndarray, shape (n,), or None
        Row weights, if there are any.
    l1, l2 : float
        Weight of the absolute value and of half the square, in nats.
    factor, loc : ndarray, shape (p,)
        ``coef = loc + factor * (coefficients of X)``.
    total : float
        Sum of the row weights.
    """

    X: Matrix
    y: Vector
    weights: Vector | None
    l1: float
    l2: float
    factor: Vector
    loc: Vector
    total: float

    @classmethod
    def of(cls, problem: Problem) -> PeerData:
        """Rescale the columns of a problem that passes `needs_one_mix`."""
        design, penalty = problem.design, problem.penalty
        factor = equalizer(penalty.l1, penalty.l2)
        loc = np.where(penalty.l2 > 0, penalty.loc, 0.0)
        y = design.y
        if isinstance(problem.likelihood, Gaussian):
            y = y - design.linear_predictor(loc)
        return cls(
            X=np.array(design.X * factor, order="F"),
            y=np.array(y),
            weights=None if design.weights is None else np.array(design.weights),
            l1=float((penalty.l1 * factor)[0]),
            l2=float((penalty.l2 * factor**2)[0]),
            factor=factor,
            loc=loc,
            total=float(design.row_weights.sum()),
        )

    def coef(self, peer_coef: object) -> Vector:
        """Map the peer's coefficients back."""
        return self.loc + self.factor * np.asarray(peer_coef, dtype=np.float64).ravel()


def equalizer(l1: Vector, l2: Vector) -> Vector:
    """Return the factors that make all penalties those of the first column; ones if they are."""
    if (l1 > 0).all():
        return l1[0] / l1
    if (l2 > 0).all():
        return np.sqrt(l2[0] / l2)
    return np.ones(l1.size)


def needs_one_mix(problem: Problem) -> str | None:
    """Need scales that a rescaling of the columns makes equal.

    Columns times ``f`` turn the penalty ``l1 |b| + l2 b²/2`` into ``f l1 |u| + f² l2 u²/2``: one
    pair of numbers fits all columns if and only if ``l1² / l2`` is the same for all.
    """
    penalty = problem.penalty
    factor = equalizer(penalty.l1, penalty.l2)
    for numbers in (penalty.l1 * factor, penalty.l2 * factor**2):
        if not np.allclose(numbers, numbers[0], rtol=1e-10, atol=0.0):
            return "it has one mix of |coef| and coef² for all columns, here the mix differs"
    return None


def without_complaint(fit: Callable[[], object]) -> bool:
    """Run a scikit-learn fit; return whether it gave no ConvergenceWarning. Others pass on."""
    complaint = import_module("sklearn.exceptions").ConvergenceWarning
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit()
    complaints = [item for item in caught if issubclass(item.category, complaint)]
    for item in caught:
        if item not in complaints:
            warnings.warn_explicit(item.message, item.category, item.filename, item.lineno)
    return not complaints
