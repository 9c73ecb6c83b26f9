"""Whether an unknown sigma or scale leaves the posterior proper: tails that nothing closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import ImproperPosterior
from bayesreg.independence import residual
from bayesreg.likelihoods import Gaussian
from bayesreg.posterior.density import PriorShape
from bayesreg.propriety import check_proper_directions
from bayesreg.scale_priors import HalfFlat, InverseGamma

if TYPE_CHECKING:
    from bayesreg.problem import Problem


def require_proper_unknowns(problem: Problem) -> None:
    """Raise ImproperPosterior if the density of sigma or scale does not integrate.

    With f flat directions the marginal likelihood falls like ``σ^−(n−f)`` for large σ, and like
    ``s^−min(m, n−f)`` for a large scale s of m coefficients, so a flat prior of either needs an
    exponent of at least 2. For small σ it grows without an integrable bound where fewer columns
    than rows fit y exactly; an inverse gamma prior outweighs that, the others do not.

    Raises
    ------
    ImproperPosterior
        Naming the unknown and what to do.
    """
    hyperpriors, rank = (
        problem.hyperpriors(),
        problem.n - len(problem.free) - problem.design.intercept,
    )
    if isinstance(hyperpriors.get("sigma"), HalfFlat) and rank < 2:
        msg = (
            f"sigma: a flat prior needs at least 2 rows more than flat coefficients, found {rank}; "
            "use HalfNormal or HalfCauchy"
        )
        raise ImproperPosterior(msg)
    if "sigma" in hyperpriors and not isinstance(hyperpriors["sigma"], InverseGamma):
        _require_residual(problem)
    if isinstance(hyperpriors.get("scale"), HalfFlat):
        _require_informed_scale(problem, rank)


def _require_residual(problem: Problem) -> None:
    design = problem.design
    target = design.y if design.offset is None else design.y - design.offset
    # A prior relative to sigma shrinks with it, so only the other columns can fit as sigma falls.
    columns = design.columns(np.flatnonzero(~problem.relative))
    left = np.abs(residual(columns, target)).max()
    if columns.any(axis=0).sum() < problem.n and left <= 1e-13 * np.abs(target).max():
        msg = (
            "sigma: y is fitted exactly, so the density of sigma has no integral near 0; "
            "give sigma a value or an InverseGamma prior"
        )
        raise ImproperPosterior(msg)


def _require_informed_scale(problem: Problem, rank: int) -> None:
    count = int(PriorShape.of(problem).scale_power.sum())
    gaussian = isinstance(problem.likelihood, Gaussian)
    if min(count, rank if gaussian else count) < 2:
        msg = (
            "scale: a flat prior needs at least 2 coefficients and 2 rows to inform it; "
            "use HalfNormal or HalfCauchy"
        )
        raise ImproperPosterior(msg)
    if not gaussian:
        try:
            check_proper_directions(problem.likelihood, problem.design, range(problem.p))
        except ImproperPosterior as error:
            msg = f"scale: has a flat prior, and without a prior on the coefficients: {error}"
            raise ImproperPosterior(msg) from error
