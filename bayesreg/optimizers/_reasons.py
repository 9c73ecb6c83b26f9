"""Why an optimizer cannot take a problem: one sentence per need, shared by all of them.

Every function returns None where the need is met. None of the answers depends on the units of the
columns, so they hold on the user's scale and on the standardised one alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import DegenerateMode
from bayesreg.likelihoods import ConvexLikelihood
from bayesreg.penalties import ElasticNetPenalty, SeparablePenalty

if TYPE_CHECKING:
    from bayesreg.likelihoods import Likelihood
    from bayesreg.optimizers._protocol import Optimizer
    from bayesreg.problem import Problem


def first(*reasons: str | None) -> str | None:
    """Return the first reason there is."""
    return next((reason for reason in reasons if reason is not None), None)


def needs_fit(problem: Problem, optimizer: Optimizer) -> str | None:
    """Need a penalty, and columns, of a kind that the optimizer declares that it takes."""
    try:
        penalty = problem.penalty
    except DegenerateMode as degenerate:
        return str(degenerate)
    if not (optimizer.any_penalty or isinstance(penalty, ElasticNetPenalty)):
        name = problem.prior.penalised_name
        return f"it needs a penalty of absolute values and squares, this one is a {name}"
    if (
        isinstance(penalty, SeparablePenalty)
        and penalty.nonnegative.any()
        and not optimizer.bounded
    ):
        name = _name_where(problem, penalty.nonnegative)
        return f"it has no bounds, but the prior of {name} allows no negative coefficient"
    if optimizer.peer and problem.design.sparse:
        return "it is handed dense columns, and X is sparse"
    if optimizer.peer and problem.design.level is not None:
        return "it needs the rows, and this problem has only their sums of products"
    return None


def needs_convex(problem: Problem) -> str | None:
    """Need a loss and a penalty without hollows."""
    if not isinstance(problem.likelihood, ConvexLikelihood):
        return f"it needs a convex loss, and that of {problem.likelihood.name} noise is not"
    if problem.penalty.convex:
        return None
    return f"it needs a convex penalty, and that of {problem.prior.name} is not"


def needs_likelihood(problem: Problem, *families: type[Likelihood]) -> str | None:
    """Need one of these families."""
    if isinstance(problem.likelihood, families):
        return None
    names = " or ".join(family.name for family in families)
    return f"it needs a {names} likelihood, this one is {problem.likelihood.name}"


def needs_columns(problem: Problem) -> str | None:
    """Need something besides an intercept."""
    return "it needs at least one column, X has none" if problem.p == 0 else None


def _name_where(problem: Problem, where: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> str:
    return repr(problem.names[int(np.argmax(where))])


def needs_l1(problem: Problem) -> str | None:
    """Need an absolute value on every coefficient."""
    absent = problem.elastic_net.l1 == 0
    if not absent.any():
        return None
    name = _name_where(problem, absent)
    return f"it penalises |coef| of every column, but the prior of {name} has no Laplace factor"


def needs_l2(problem: Problem) -> str | None:
    """Need a square on every coefficient."""
    absent = problem.elastic_net.l2 == 0
    if not absent.any():
        return None
    name = _name_where(problem, absent)
    return f"it penalises coef² of every column, but the prior of {name} has no normal factor"


def needs_penalty(problem: Problem) -> str | None:
    """Need no flat coefficient."""
    flat = problem.elastic_net.flat
    if not flat.any():
        return None
    return f"it penalises every column, but the prior of {_name_where(problem, flat)} is flat"


def needs_no_l1(problem: Problem) -> str | None:
    """Need a smooth penalty."""
    present = problem.elastic_net.l1 > 0
    if not present.any():
        return None
    name = _name_where(problem, present)
    return f"it has no |coef| penalty, but the prior of {name} has a Laplace factor"


def needs_no_l2(problem: Problem) -> str | None:
    """Need a penalty without squares."""
    present = problem.elastic_net.l2 > 0
    if not present.any():
        return None
    name = _name_where(problem, present)
    return f"it has no coef² penalty, but the prior of {name} has a normal factor"


def needs_no_loc(problem: Problem) -> str | None:
    """Need squares centred at zero."""
    penalty = problem.elastic_net
    moved = (penalty.l2 > 0) & (penalty.loc != 0)
    if not moved.any():
        return None
    return (
        f"it shrinks towards 0, but the prior of {_name_where(problem, moved)} is centred elsewhere"
    )


def needs_no_weights(problem: Problem) -> str | None:
    """Need rows of equal weight."""
    return None if problem.design.weights is None else "it takes no row weights"


def needs_no_offset(problem: Problem) -> str | None:
    """Need a predictor without a known part."""
    return None if problem.design.offset is None else "it takes no offset"
