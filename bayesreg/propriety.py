"""Whether a posterior is proper and has a finite mode: what flat priors leave free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog

from bayesreg.errors import ImproperPosterior

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.likelihoods import Likelihood


# The solver's tolerance is 1e-7 on each constraint; coefficients of this size make it relative,
# so that classes that overlap by a hair are not taken for separated.
_REACH = 1e6
_SEPARATED = 1e-3 * _REACH


def check_proper_directions(
    likelihood: Likelihood, free: Matrix, y: Vector, labels: tuple[str, ...]
) -> None:
    """Refuse unpenalised columns along which the posterior never falls.

    A mode exists exactly where no direction of the unpenalised columns leaves the loss
    non-increasing for ever (Albert & Anderson 1984 for the logistic case). Rank deficiency is
    such a direction for every family; separation is one for Bernoulli and Poisson targets, and is
    found by a linear programme.

    Parameters
    ----------
    likelihood : Likelihood
        The family.
    free : ndarray, shape (n, k)
        The unpenalised columns, the intercept among them.
    y : ndarray, shape (n,)
        The target.
    labels : tuple of str
        Names of the k columns, for the message.

    Raises
    ------
    ImproperPosterior
        If there is such a direction.
    """
    n, k = free.shape
    if k == 0:
        return
    norms = np.sqrt((free**2).sum(axis=0))
    if (norms == 0).any() or k > n or np.linalg.matrix_rank(free / norms) < k:
        msg = (
            f"prior: flat on {k} columns ({_shorten(labels)}) that are not linearly independent "
            f"over {n} rows, so the posterior is improper; give them a proper prior or drop columns"
        )
        raise ImproperPosterior(msg)
    equal, sign = likelihood.recession_directions(y)
    if equal.all():
        return
    scaled = free / norms
    signed = scaled[~equal] * sign[~equal, None]
    result = linprog(
        -signed.sum(axis=0),
        A_ub=-signed,
        b_ub=np.zeros(signed.shape[0]),
        A_eq=scaled[equal] if equal.any() else None,
        b_eq=np.zeros(int(equal.sum())) if equal.any() else None,
        bounds=(-_REACH, _REACH),
    )
    if result.status == 0 and float(result.fun or 0.0) < -_SEPARATED:
        msg = (
            f"prior: flat on {_shorten(labels)}, along which y is separated: the likelihood rises "
            "for ever, so no finite mode exists; give these coefficients a proper prior"
        )
        raise ImproperPosterior(msg)


def _shorten(labels: tuple[str, ...], most: int = 5) -> str:
    shown = ", ".join(labels[:most])
    return shown if len(labels) <= most else f"{shown}, … ({len(labels)} in all)"
