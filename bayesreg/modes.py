"""A mode with its certificate: solvers are tried in turn until one answer is accepted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._text_table import short_name
from bayesreg.certificate import Certificate, certify
from bayesreg.errors import NotConverged
from bayesreg.likelihoods import Noise
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.solvers import Solution, solve, suited

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

_EPS = float(np.finfo(np.float64).eps)
# Share of the precision of the data at which a prior can be told from none.
_SEEN = 1e-8
# What the last digit of ``y − offset`` may be worth, in noise sds, before it is to blame.
_COARSE = 1e-6
# Columns that a message names.
_SHOWN = 3


def accepts(certificate: Certificate, tol: float) -> bool:
    """Tell whether an answer is good enough to be handed out.

    Parameters
    ----------
    certificate : Certificate
        Of the answer.
    tol : float
        Largest gap, relative to the objective where that exceeds 1.

    Returns
    -------
    bool
        True for a certified optimum within the gap; for a problem that is not convex, for a
        stationary point.
    """
    if not certificate.convex:
        return certificate.stationary
    allowed = tol * max(1.0, abs(certificate.objective)) + certificate.gap_tolerance
    return certificate.optimal and certificate.gap <= allowed


def certified_mode(
    problem: Problem, *, method: str = "auto", tol: float = 1e-10
) -> tuple[Solution, Certificate]:
    """Find the mode of a problem whose scales are all known, and certify it.

    Parameters
    ----------
    problem : Problem
        Proper, with every scale known.
    method : str
        A solver, or "auto": those that suit the problem in turn, until an answer is accepted.
    tol : float
        As for `accepts`.

    Returns
    -------
    Solution, Certificate
        The mode, and the verdict on it.

    Raises
    ------
    NotConverged
        If no solver's answer is accepted.
    """
    names = suited(problem) if method == "auto" else (method,)
    failure = NotConverged("problem: no solver takes it")
    for name in names:
        try:
            solution = solve(problem, method=name)
        except NotConverged as error:
            failure = error
            continue
        certificate = certify(problem, solution.coef, solution.intercept)
        if accepts(certificate, tol):
            return solution, certificate
        failure = uncertified(certificate)
    if _offset_is_to_blame(problem, tol):
        far = float(np.abs(problem.design.row_offset).max())
        msg = (
            f"offset: reaches {far:.3g}, so that y less it keeps too few digits, and the answer "
            "could not be certified; use smaller numbers (the intercept takes up a constant)"
        )
        raise NotConverged(msg) from failure
    lost = _lost(problem)
    if lost.size and _helps(problem, lost, tol):
        wide = ", ".join(repr(short_name(problem.names[j])) for j in lost[:_SHOWN])
        more = f" and {lost.size - _SHOWN} more" if lost.size > _SHOWN else ""
        msg = (
            f"prior: is so wide on {wide}{more} that it is lost in the rounding of the data, and "
            "the answer could not be certified; use a smaller scale there"
        )
        raise NotConverged(msg) from failure
    raise failure


def _strengths(problem: Problem) -> tuple[Vector, Vector]:
    """Precisions of the prior and of the data, about, coefficient by coefficient; (p,) each."""
    penalty = problem.penalty
    if not isinstance(penalty, ElasticNetPenalty):
        return np.zeros(problem.p), np.zeros(problem.p)
    noise = problem.likelihood.variance if isinstance(problem.likelihood, Noise) else 1.0
    data = problem.design.lengths**2 * problem.design.row_weights.max() / noise
    return penalty.l2 + penalty.l1**2, data


def _lost(problem: Problem) -> NDArray[np.intp]:
    """Positions of coefficients whose prior is so wide that rounding of the data is more."""
    prior, data = _strengths(problem)
    return np.flatnonzero((prior > 0) & (prior < _EPS * data))


def _helps(problem: Problem, lost: NDArray[np.intp], tol: float) -> bool:
    """Whether the mode is found where these priors are narrower."""
    prior, data = _strengths(problem)
    factor = np.ones(problem.p)
    factor[lost] = np.sqrt(prior[lost] / (_SEEN * data[lost]))
    narrower = problem.prior.rescaled(factor)
    return _is_found(problem.of(problem.design, problem.likelihood, narrower), tol)


def _offset_is_to_blame(problem: Problem, tol: float) -> bool:
    """Whether the target loses its digits to the offset, and the mode is found without that."""
    design, likelihood = problem.design, problem.likelihood
    if design.offset is None or not isinstance(likelihood, Noise):
        return False
    last = np.spacing(np.abs(design.less_offset).max())
    if last * np.sqrt(design.row_weights.max() / likelihood.variance) < _COARSE:
        return False
    return _is_found(problem.of(replace(design, offset=None), likelihood, problem.prior), tol)


def _is_found(problem: Problem, tol: float) -> bool:
    """Whether a mode is found and certified."""
    try:
        certified_mode(problem, tol=tol)
    except NotConverged:
        return False
    return True


def uncertified(certificate: Certificate, what: str = "the answer") -> NotConverged:
    """Make the exception that says that an answer was not accepted, and what to do."""
    return NotConverged(
        f"problem: {what} could not be certified ({certificate}); centre and scale the columns of "
        "X, or use a stronger prior, so that rounding errors are smaller"
    )
