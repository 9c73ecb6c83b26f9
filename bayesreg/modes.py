"""A mode with its certificate: solvers are tried in turn until one answer is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg.certificate import Certificate, certify
from bayesreg.errors import NotConverged
from bayesreg.solvers import Solution, solve, suited

if TYPE_CHECKING:
    from bayesreg.problem import Problem


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
    raise failure


def uncertified(certificate: Certificate, what: str = "the answer") -> NotConverged:
    """Make the exception that says that an answer was not accepted, and what to do."""
    return NotConverged(
        f"problem: {what} could not be certified ({certificate}); centre and scale the columns of "
        "X, or use a stronger prior, so that rounding errors are smaller"
    )
