"""Whether a posterior is proper and has a finite mode: what flat priors leave free."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.linalg import null_space
from scipy.optimize import linprog

from bayesreg.errors import ImproperPosterior
from bayesreg.independence import independent, residual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayesreg._validation import Matrix, Vector
    from bayesreg.design import Design
    from bayesreg.likelihoods import Likelihood

# The solver's tolerance is 1e-7 on each constraint; coefficients of this size make it relative,
# so that classes that overlap by a hair are not taken for separated.
_REACH = 1e6
_SEPARATED = 1e-3 * _REACH
# Bounded columns of more numbers than this are left to the solvers: a programme would take minutes.
_MOST_NUMBERS = 500_000


def check_proper_directions(
    likelihood: Likelihood, design: Design, free: Sequence[int], bounded: Sequence[int] = ()
) -> None:
    """Refuse unpenalised columns along which the posterior never falls.

    A mode exists exactly where no direction of the unpenalised columns leaves the loss
    non-increasing for ever (Albert & Anderson 1984 for the logistic case). Rank deficiency is
    such a direction for every family; separation is one for Bernoulli and Poisson targets, and is
    found by a linear programme. Where a coefficient may not be negative, only directions in which
    it rises count.

    Parameters
    ----------
    likelihood : Likelihood
        The family.
    design : Design
        The data.
    free : sequence of int
        Positions of the unpenalised columns; an intercept is one too.
    bounded : sequence of int
        Positions of the columns whose coefficients are unpenalised but for not being negative.

    Raises
    ------
    ImproperPosterior
        If there is such a direction.
    """
    level = ("intercept",) if design.intercept else ()
    if design.n * (len(free) + len(bounded)) > _MOST_NUMBERS:
        bounded = ()
    labels = level + tuple(design.names[j] for j in (*free, *bounded))
    if not labels:
        return
    count = len(labels) - len(bounded)
    if count > design.n:
        raise ImproperPosterior(_not_independent(labels[:count], design.count))
    # Beside an intercept a column's offset changes nothing, but at 1e9 it hides the rest.
    columns = design.centred.take(np.asarray((*free, *bounded), dtype=np.intp))
    if design.intercept:
        columns = np.column_stack([design.one, columns])
    if not independent(columns[:, :count]):
        raise ImproperPosterior(_not_independent(labels[:count], design.count))
    rises, rests = _endless(likelihood, columns, design.y, count)
    if rises:
        msg = (
            f"prior: flat on {_shorten(labels)}, along which y is separated: the likelihood rises "
            "for ever, so no finite mode exists; give these coefficients a proper prior"
        )
        raise ImproperPosterior(msg)
    if rests:
        raise ImproperPosterior(_not_independent(labels, design.count))


def recession_span(
    likelihood: Likelihood,
    design: Design,
    positions: Sequence[int],
    bounded: Sequence[int] = (),
) -> Matrix:
    """Return directions that span those of the coefficients in which the likelihood never falls.

    They are a cone: of logistic regression, the directions that no row of a class resists
    (`check_proper_directions`), rows that are 0 along all of them left aside. Too large a programme
    is not tried, and counts as no cone.

    Parameters
    ----------
    likelihood : Likelihood
        The family.
    design : Design
        The data; an intercept counts.
    positions : sequence of int
        Columns whose coefficients are free, k of them.
    bounded : sequence of int
        Those among them that may not be negative.

    Returns
    -------
    ndarray, shape (k, dimension)
        Of these coefficients, the intercept's last if there is one, in units of the columns.

    Examples
    --------
    >>> from bayesreg import Bernoulli
    >>> from bayesreg.design import Design
    >>> [recession_span(Bernoulli(), Design.of([[1.0], [2.0], [x]], [0, 0, 1]), [0]).shape
    ...  for x in (3.0, 1.5)]
    [(2, 2), (2, 0)]
    """
    equal, sign = likelihood.recession_directions(design.y)
    count = len(positions) + int(design.intercept)
    if equal.all() or design.n * len(positions) > _MOST_NUMBERS:
        return np.zeros((count, 0))
    columns = design.centred.take(np.asarray(positions, dtype=np.intp))
    if design.intercept:
        columns = np.column_stack([columns, design.one])
    lengths = np.sqrt(np.vecdot(columns.T, columns.T))
    scaled = columns / np.where(lengths > 0, lengths, 1.0)
    below = np.flatnonzero(np.isin(positions, np.asarray(bounded, dtype=np.intp)))
    gains = np.vstack([scaled[~equal] * sign[~equal, None], np.eye(count)[below]])
    return cone_span(gains, scaled[equal])


def cone_span(gains: Matrix, still: Matrix, slack: float = 0.0) -> Matrix:
    """Return directions that span the cone of those with ``gains @ v >= 0`` and ``still @ v = 0``.

    By one linear programme: ``max Σ s`` over ``0 <= s <= c``, s no more than what each row gains,
    shows which rows gain nothing in any direction, for the sum of two directions gains wherever one
    of them does. Those that gain nothing are at 0 along the whole span.

    Parameters
    ----------
    gains : ndarray, shape (m, k)
        Rows of about length 1.
    still : ndarray, shape (h, k)
        Rows of about length 1.
    slack : float
        How far from 0 they may be, relative to the size of v.

    Returns
    -------
    ndarray, shape (k, dimension)
        Orthonormal.

    Examples
    --------
    >>> import numpy as np
    >>> cone_span(np.eye(2), np.zeros((0, 2))).shape, cone_span(np.eye(2), np.ones((1, 2))).shape
    ((2, 2), (2, 0))
    """
    (m, k), count = gains.shape, still.shape[0]
    ceiling = _SEPARATED / math.sqrt(max(m, 1))
    above = sparse.hstack([sparse.csr_array(-gains), sparse.eye_array(m)], format="csr")
    held = sparse.hstack([sparse.csr_array(still), sparse.csr_array((count, m))], format="csr")
    result = linprog(
        np.concatenate([np.zeros(k), -np.ones(m)]),
        A_ub=sparse.vstack([above, held, -held]) if slack else above,
        b_ub=np.concatenate([np.zeros(m), np.full(2 * count, slack * _REACH)])
        if slack
        else np.zeros(m),
        A_eq=held.toarray() if count and not slack else None,
        b_eq=np.zeros(count) if count and not slack else None,
        bounds=[(-_REACH, _REACH)] * k + [(0.0, ceiling)] * m,
    )
    if result.status != 0 or result.x is None:
        return np.zeros((k, 0))
    pinned = np.vstack([still, gains[result.x[k:] < 0.5 * ceiling]])
    if pinned.shape[0] > k:
        pinned = np.linalg.qr(pinned, mode="r")  # what is orthogonal to its rows is the same
    return null_space(pinned) if pinned.size else np.eye(k)


def _endless(likelihood: Likelihood, columns: Matrix, y: Vector, free: int) -> tuple[bool, bool]:
    """Whether the loss falls for ever in some direction, or stays as it is in one.

    The first `free` columns are independent and go both ways, the others forwards only.
    """
    equal, sign = likelihood.recession_directions(y)
    bounded = columns.shape[1] - free
    if equal.all() and (not bounded or independent(columns)):
        return False, False
    lengths = np.sqrt(np.vecdot(columns.T, columns.T))
    scaled = columns / np.where(lengths > 0, lengths, 1.0)
    if equal.all() and _all_pushed(scaled[:, :free], scaled[:, free:]):
        return False, False
    signed, still = scaled[~equal] * sign[~equal, None], scaled[equal]
    if columns.shape[1] == free == 1:
        return not still.any() and bool((signed >= 0).all() or (signed <= 0).all()), False
    if still.shape[0] > still.shape[1]:
        still = np.linalg.qr(still, mode="r")  # what is orthogonal to its rows is the same
    gain, forwards = signed.sum(axis=0), np.arange(columns.shape[1]) >= free
    result = linprog(
        -gain - forwards,
        A_ub=-signed if signed.size else None,
        b_ub=np.zeros(signed.shape[0]) if signed.size else None,
        A_eq=still if still.size else None,
        b_eq=np.zeros(still.shape[0]) if still.size else None,
        bounds=[(0.0 if only else -_REACH, _REACH) for only in forwards],
    )
    if result.status != 0 or result.x is None:
        return False, False
    rise = float(gain @ result.x)
    return rise > _SEPARATED, rise + float(result.x[free:].sum()) > _SEPARATED


def _all_pushed(free: Matrix, bounded: Matrix) -> bool:
    """Whether bounded columns lie on one side of a plane that holds the free ones: a quick proof.

    Then no sum of them with weights of one sign can be undone by the free ones.
    """
    push = bounded.sum(axis=1)
    least = 1e-9 * float(np.linalg.norm(push))
    return bool((residual(free, push) @ bounded > least).all())


def _not_independent(labels: tuple[str, ...], n: int) -> str:
    return (
        f"prior: flat on {len(labels)} columns ({_shorten(labels)}) that are not linearly "
        f"independent over {n} rows, so the posterior is improper; give them a proper prior or "
        "drop columns"
    )


def _shorten(labels: tuple[str, ...], most: int = 5) -> str:
    shown = ", ".join(labels[:most])
    return shown if len(labels) <= most else f"{shown}, … ({len(labels)} in all)"
