r"""The same Gaussian posterior without its flat intercept, which is integrated out exactly.

With weights w, ``r = W^½ (y − η)`` and ``u = w^½`` the intercept α moves r along u alone. A
Householder reflection that takes u to the first axis leaves n − 1 contrasts without α, and ::

    ∫ p(y | α, β, σ) dα = N(contrasts; 0, σ²) · (Π w)^½ / (Σ w)^½

with Lebesgue measure for α. The factor depends on neither β nor σ, so that all of the posterior of
β and σ is in the contrasts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.likelihoods import Gaussian
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector


def without_intercept(problem: Problem) -> tuple[Problem, float]:
    """Integrate a flat intercept out of Gaussian rows.

    Parameters
    ----------
    problem : Problem
        With rows of its own, dense.

    Returns
    -------
    problem : Problem
        With one row less and no intercept; as it was where it is not Gaussian, has no intercept,
        or no column, or no row to spare.
    constant : float
        What its log marginal likelihood lacks.

    Examples
    --------
    >>> from bayesreg import Normal
    >>> problem = Problem([[1.0], [2.0], [4.0]], [1.0, 0.0, 2.0], likelihood=Gaussian(1.0),
    ...                   prior=Normal(1.0))
    >>> reduced, constant = without_intercept(problem)
    >>> reduced.design.X.shape, reduced.design.intercept, round(constant, 4)  # −½ log 3
    ((2, 1), False, -0.5493)
    """
    design = problem.design
    gaussian = isinstance(problem.likelihood, Gaussian)
    if not (gaussian and design.intercept and problem.p and problem.n > 1):
        return problem, 0.0
    w = design.row_weights
    root = np.sqrt(w)
    target = design.less_offset
    rows = _reflected(np.column_stack([design.X, target]) * root[:, None], root)
    reduced = Problem(
        rows[:, :-1],
        rows[:, -1],
        likelihood=problem.likelihood,
        prior=problem.coef_prior,
        intercept=False,
        names=problem.names,
    )
    return reduced, 0.5 * (float(np.log(w).sum()) - math.log(float(w.sum())))


def _reflected(rows: Matrix, axis: Vector) -> Matrix:
    """Reflect `axis`, which is positive, to the first axis; return the other rows."""
    v = axis / math.sqrt(float(axis @ axis))
    v[0] += 1.0  # of the sign of the entry, so that nothing cancels
    return rows[1:] - np.outer(v[1:], (2 / float(v @ v)) * (v @ rows))
