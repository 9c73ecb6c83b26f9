"""Sums of products in place of a sparse X that is too large to be dense: p + 2 rows for n.

They are all that Gaussian noise asks of the rows. Made about the means, they keep the digits that a
column of zeros and ones has; what a close fit leaves of the target is known to about 1e-8 of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from bayesreg.design import Design
from bayesreg.likelihoods import Gaussian
from bayesreg.problem import Problem
from bayesreg.pseudo_rows import PseudoRows

if TYPE_CHECKING:
    from bayesreg._validation import Vector


def suffices(problem: Problem) -> bool:
    """Tell whether sums of products are wanted and are enough: they are fewer than the rows.

    Examples
    --------
    >>> from bayesreg import Laplace
    >>> X, y = sparse.csc_array((200_000, 100)), np.zeros(200_000)
    >>> parts = {"likelihood": Gaussian(1.0), "prior": Laplace(1.0)}
    >>> suffices(Problem(X, y, **parts)), suffices(Problem(X[:9], y[:9], **parts))
    (True, False)
    """
    design = problem.design
    too_large = design.sparse and design.why_not_dense is not None
    return isinstance(problem.likelihood, Gaussian) and too_large and design.n > design.p


def reduced(problem: Problem) -> tuple[Problem, float]:
    """Return the same posterior from sums of products, and what its log density lacks.

    Parameters
    ----------
    problem : Problem
        For which they suffice.

    Returns
    -------
    problem : Problem
        With a dense X of p + 2 rows at most; coefficients, intercept and unknowns are the same.
    lacking : float
        To be added to its log density: the row weights have a term there.
    """
    design, weights = problem.design, problem.design.row_weights
    rows = _with_level(design) if design.intercept else _without_level(design)
    few = Design.of_pseudo_rows(rows, intercept=design.intercept, names=design.names)
    lacking = 0.5 * float(np.log(weights).sum())
    return Problem.of(few, problem.likelihood, problem.coef_prior), lacking


def _with_level(design: Design) -> PseudoRows:
    """Take the sums about the means; the intercept's column has the root of the sum of weights."""
    weights, target = design.row_weights, _target(design)
    total = float(weights.sum())
    center, level = design.X.T @ weights / total, float(target @ weights) / total
    weighted = sparse.diags_array(weights) @ design.X
    left = target - level
    gram = (design.X.T @ weighted).toarray() - total * np.outer(center, center)
    varies = design.column_sd > 0  # what the difference leaves of a constant column is rounding
    gram *= np.outer(varies, varies)
    ratio = float(np.sqrt(total / design.n))
    rows = PseudoRows.of(
        0.5 * (gram + gram.T),
        varies * (weighted.T @ left),
        float(weights @ left**2),
        design.n,
        x_mean=ratio * center,
        y_mean=ratio * level,
        centred=True,
    )
    return replace(rows, level=ratio * rows.level)


def _without_level(design: Design) -> PseudoRows:
    weights, target = design.row_weights, _target(design)
    weighted = sparse.diags_array(weights) @ design.X
    gram = (design.X.T @ weighted).toarray()
    square = float(weights @ target**2)
    return PseudoRows.of(gram, weighted.T @ target, square, design.n)


def _target(design: Design) -> Vector:
    return design.less_offset
