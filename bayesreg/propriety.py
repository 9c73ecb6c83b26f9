"""Whether a posterior is proper and has a finite mode: what flat priors leave free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from bayesreg.errors import ImproperPosterior
from bayesreg.independence import independent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayesreg._validation import Matrix, Vector
    from bayesreg.design import Design
    from bayesreg.likelihoods import Likelihood

# The solver's tolerance is 1e-7 on each constraint; coefficients of this size make it relative,
# so that classes that overlap by a hair are not taken for separated.
_REACH = 1e6
_SEPARATED = 1e-3 * _REACH


def check_proper_directions(likelihood: Likelihood, design: Design, free: Sequence[int]) -> None:
    """Refuse unpenalised columns along which the posterior never falls.

    A mode exists exactly where no direction of the unpenalised columns leaves the loss
    non-increasing for ever (Albert & Anderson 1984 for the logistic case). Rank deficiency is
    such a direction for every family; separation is one for Bernoulli and Poisson targets, and is
    found by a linear programme.

    Parameters
    ----------
    likelihood : Likelihood
        The family.
    design : Design
        The data.
    free : sequence of int
        Positions of the unpenalised columns; an intercept is one too.

    Raises
    ------
    ImproperPosterior
        If there is such a direction.
    """
    labels = (("intercept",) if design.intercept else ()) + tuple(design.names[j] for j in free)
    if not labels:
        return
    if len(labels) > design.n:
        raise ImproperPosterior(_not_independent(labels, design.count))
    # Beside an intercept a column's offset changes nothing, but at 1e9 it hides the rest.
    columns = design.centred.take(np.asarray(free, dtype=np.intp))
    if design.intercept:
        columns = np.column_stack([design.one, columns])
    if not independent(columns):
        raise ImproperPosterior(_not_independent(labels, design.count))
    if _separated(likelihood, columns, design.y):
        msg = (
            f"prior: flat on {_shorten(labels)}, along which y is separated: the likelihood rises "
            "for ever, so no finite mode exists; give these coefficients a proper prior"
        )
        raise ImproperPosterior(msg)


def _separated(likelihood: Likelihood, columns: Matrix, y: Vector) -> bool:
    """Whether some direction of the columns never lets the loss rise."""
    equal, sign = likelihood.recession_directions(y)
    if equal.all():
        return False
    scaled = columns / np.sqrt((columns**2).sum(axis=0))
    signed = scaled[~equal] * sign[~equal, None]
    if columns.shape[1] == 1:
        still = not scaled[equal].any()
        return still and bool((signed >= 0).all() or (signed <= 0).all())
    result = linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(signed.shape[0]),
        A_eq=scaled[equal] if equal.any() else None,
        b_eq=np.zeros(int(equal.sum())) if equal.any() else None,
        bounds=(-_REACH, _REACH),
    )
    return result.status == 0 and float(result.fun or 0.0) < -_SEPARATED


def _not_independent(labels: tuple[str, ...], n: int) -> str:
    return (
        f"prior: flat on {len(labels)} columns ({_shorten(labels)}) that are not linearly "
        f"independent over {n} rows, so the posterior is improper; give them a proper prior or "
        "drop columns"
    )


def _shorten(labels: tuple[str, ...], most: int = 5) -> str:
    shown = ", ".join(labels[:most])
    return shown if len(labels) <= most else f"{shown}, … ({len(labels)} in all)"
