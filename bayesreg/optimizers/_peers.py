"""What estimators of other packages have in common: one penalty number, their own warnings."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.likelihoods import Gaussian, Poisson

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
        Target, without what is known of the predictor: an offset, a prior's centre.
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
    def of(cls, problem: Problem, *, rescale: bool = True) -> PeerData:
        """Take a problem apart; rescale its columns if it passes `needs_one_mix`."""
        design, penalty = problem.design, problem.elastic_net
        factor = equalizer(penalty.l1, penalty.l2) if rescale else np.ones(problem.p)
        loc = np.where(penalty.l2 > 0, penalty.loc, 0.0)
        y, weights = _without_known(problem, design.linear_predictor(loc))
        return cls(
            X=np.array(design.X * factor, order="F"),
            y=y,
            weights=weights,
            l1=float((penalty.l1 * factor)[0]),
            l2=float((penalty.l2 * factor**2)[0]),
            factor=factor,
            loc=loc,
            total=float(problem.n if weights is None else weights.sum()),
        )

    def coef(self, peer_coef: object) -> Vector:
        """Map the peer's coefficients back."""
        return self.loc + self.factor * np.asarray(peer_coef, dtype=np.float64).ravel()


def _without_known(problem: Problem, known: Vector) -> tuple[Vector, Vector | None]:
    """Return target and row weights without a known part of the predictor.

    A Gaussian target loses it. For a Poisson row it is an exposure ``E = exp(known)``: a row ``y``
    of weight ``w`` has, up to a constant, the loss of a row ``y / E`` of weight ``w E`` without.
    """
    weights = None if problem.design.weights is None else np.array(problem.design.weights)
    y = np.array(problem.design.y)
    if not known.any():
        return y, weights
    if isinstance(problem.likelihood, Gaussian):
        return y - known, weights
    if isinstance(problem.likelihood, Poisson):
        exposure = np.exp(known)
        return y / exposure, exposure * problem.design.row_weights
    msg = f"a {problem.likelihood.name} target cannot absorb a known predictor"
    raise AssertionError(msg)


def variance(problem: Problem) -> float:
    """Return sigma² of a problem that passed ``needs_likelihood(problem, Gaussian)``."""
    assert isinstance(problem.likelihood, Gaussian)  # noqa: S101
    return problem.likelihood.variance


def equalizer(l1: Vector, l2: Vector) -> Vector:
    """Return the factors that make all penalties those of the first column; ones if they are."""
    if (l1 > 0).all():
        factor: Vector = l1[:1] / l1
        return factor
    if (l2 > 0).all():
        root: Vector = np.sqrt(l2[:1] / l2)
        return root
    return np.ones(l1.size)


def needs_one_mix(problem: Problem) -> str | None:
    """Need scales that a rescaling of the columns makes equal.

    Columns times ``f`` turn the penalty ``l1 |b| + l2 b²/2`` into ``f l1 |u| + f² l2 u²/2``: one
    pair of numbers fits all columns if and only if ``l1² / l2`` is the same for all.
    """
    penalty = problem.elastic_net
    factor = equalizer(penalty.l1, penalty.l2)
    for numbers in (penalty.l1 * factor, penalty.l2 * factor**2):
        if not np.allclose(numbers, numbers[:1], rtol=1e-10, atol=0.0):
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
