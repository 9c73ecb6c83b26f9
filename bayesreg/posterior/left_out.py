"""Whether the posterior is still one without any single row, as leave-one-out takes for granted.

Importance weights of draws look harmless where it is not: they have no mean, and k̂ may not show it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import ImproperPosterior, InputError
from bayesreg.posterior.tails import flat_positions, tail_powers
from bayesreg.posterior.unknowns import require_proper
from bayesreg.problem import Problem
from bayesreg.propriety import check_proper_directions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Rows = NDArray[np.intp]

#: What leave-one-out says of a row without which coefficients are not determined.
ALONE = (
    "row {row} determines the intercept, or a coefficient with a flat prior, alone, so without it "
    "there is none; take more rows, or give the column a finite scale"
)


def row_that_is_needed(problem: Problem) -> str | None:
    """Say which row the posterior cannot do without; None where it can do without any.

    Rows are left out in halves at first: where the posterior can do without many at once, it can do
    without each of them.

    Parameters
    ----------
    problem : Problem
        With the rows of X. Where its own posterior is improper there is nothing to say.

    Examples
    --------
    >>> from bayesreg import Flat, Gaussian, Problem
    >>> def needed(x):
    ...     return row_that_is_needed(Problem([[v] for v in x], [1.0, 2.0, 4.0], prior=Flat(),
    ...                                       likelihood=Gaussian(1.0), intercept=False))
    >>> needed([0.0, 2.0, 0.0])[:20], needed([1.0, 2.0, 0.0])
    ('row 1 determines the', None)
    """
    flat = problem.design.intercept or flat_positions(problem).size > 0
    if not (flat or problem.unknown):
        return None
    if problem.n == 1:
        return ALONE.format(row=0) if flat else None
    # The sd of columns stays that of all rows, and a column may be constant without one of them.
    own = Problem.of(
        replace(problem.design, standardize=False), problem.likelihood, problem.coef_prior
    )
    every = np.arange(own.n)
    if _obstacle(own, every, 0) is not None:
        return None
    half = own.n // 2
    sets = [every[half:], every[:half]]
    while sets:
        out = sets.pop()
        reason = _obstacle(own, np.delete(every, out), int(out[0]))
        if reason is None:
            continue
        if out.size == 1:
            return reason
        sets += [out[out.size // 2 :], out[: out.size // 2]]
    return None


def _obstacle(problem: Problem, kept: Rows, row: int) -> str | None:
    """Say why some of the rows are too few, as if one row were what they lack."""
    some = problem.design.of_rows(kept)
    try:
        check_proper_directions(problem.likelihood, some, flat_positions(problem).tolist())
    except ImproperPosterior:
        return ALONE.format(row=row)
    powers = tail_powers(problem)
    if not problem.unknown and not (np.isfinite(powers) & (powers > 0)).any():
        return None  # what else there may be takes programmes of all rows to find
    try:
        require_proper(Problem.of(some, problem.likelihood, problem.prior))
    except ImproperPosterior as error:
        return f"without row {row} the posterior is none: {error}"
    except InputError:  # one class only, which by itself no prior minds
        return None
    return None
