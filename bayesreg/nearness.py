"""What counts as a coefficient near zero: the one place where that is defined, and worded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.likelihoods import Noise

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

_UNITS = {"bernoulli": "in log-odds", "poisson": "in log-rate"}
# Of the columns that `undefined` tells.
LEVEL = "a constant column without an intercept beside it sets the level, and has no ε"


def nearness(problem: Problem, epsilon: float | Vector) -> tuple[Vector, str]:
    """Return what counts as near zero, in units of each coefficient, and the rule in words.

    One sd of the column then moves the prediction by less than `epsilon` times the sd of y; by less
    than `epsilon` on the scale of the predictor where the target is no real number.

    Parameters
    ----------
    problem : Problem
        Of p coefficients.
    epsilon : float or ndarray, shape (p,)
        How much moves it little.

    Returns
    -------
    near : ndarray, shape (p,)
        Infinite for a constant column beside an intercept, which moves nothing whatever its
        coefficient; NaN for one without, as it moves the level by any coefficient and the
        prediction's spread by none.
    rule : str
        With `epsilon` in it where that is one number.

    Examples
    --------
    >>> from bayesreg import Flat, Gaussian, Problem
    >>> asked = Problem([[1.0, 0.0], [1.0, 4.0]], [1.0, 3.0], likelihood=Gaussian(1.0),
    ...                 prior=Flat(), intercept=False)
    >>> nearness(asked, 0.1)[0]
    array([ nan, 0.05])
    """
    noisy = isinstance(problem.likelihood, Noise)
    unit = float(problem.design.y.std()) or 1.0 if noisy else 1.0
    text = f"{epsilon:g}" if np.ndim(epsilon) == 0 else "εⱼ"
    amount = f"{text} {_UNITS.get(problem.likelihood.name, 'of sd(y)')}"
    near = per_sd(problem, epsilon * unit)
    rule = f"one sd of the column moves the prediction by less than {amount}"
    return near, f"{rule}; {LEVEL}" if np.isnan(near).any() else rule


def per_sd(problem: Problem, effect: float | Vector) -> Vector:
    """Return the coefficients by which one sd of each column has an effect, shape (p,).

    Infinite and NaN as those of `nearness`.
    """
    design = problem.design
    spread, moves = design.column_sd, design.column_mean != 0
    none = np.where(moves & (not design.intercept), np.nan, np.inf)
    return np.where(spread > 0, effect / np.where(spread > 0, spread, 1.0), none)


def share_near(inside: Vector, near: Vector) -> Vector:
    """Return probabilities of ``|β| < near``, NaN where `near` is; shape (p,)."""
    return np.where(np.isnan(near), np.nan, inside)


def count_near(shares: Vector) -> tuple[int, int]:
    """Count coefficients that are near zero with probability above one half, and all with an ε."""
    return int((shares > 0.5).sum()), int((~np.isnan(shares)).sum())
