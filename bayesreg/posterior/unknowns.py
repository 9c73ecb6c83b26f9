"""Whether a posterior is proper: directions and tails of sigma or scale that nothing closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import ImproperPosterior
from bayesreg.independence import residual
from bayesreg.likelihoods import Bernoulli, Noise, StudentTNoise
from bayesreg.posterior.exact_fits import fitted_rows, spare_rows
from bayesreg.posterior.tails import SlowTails, Structure, moves, too_heavy
from bayesreg.propriety import check_proper_directions, recession_span
from bayesreg.scale_priors import HalfFlat, InverseGamma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix
    from bayesreg.problem import Problem

    type Mask = NDArray[np.bool_]

# What rounding leaves of a column that depends on others, relative to its length.
_DEPENDENT = 1e-10
# What coefficients without end separate: counts, or classes.
_APART = ("counts of 0 that a plane separates from the others", "classes that a plane separates")


def require_proper(problem: Problem) -> None:
    """Raise ImproperPosterior if the posterior has no integral.

    Flat coefficients must leave no direction free (`check_proper_directions`). With f of them, the
    marginal likelihood falls like ``σ^−(n−f)`` for large σ, and like ``s^−min(m, n−f)`` for a large
    scale s of m coefficients, so a flat prior of either needs an exponent of at least 2. For small
    σ it grows without an integrable bound where fewer columns than rows fit y exactly; an inverse
    gamma prior outweighs that, the others do not.

    Raises
    ------
    ImproperPosterior
        Naming what is free, or the unknown, and what to do.
    """
    structure = Structure.of(problem)
    flat = np.flatnonzero(structure.flat).tolist()
    check_proper_directions(
        problem.likelihood, problem.design, flat, np.flatnonzero(structure.half_flat).tolist()
    )
    hyperpriors, rank = problem.hyperpriors(), problem.n - len(flat) - problem.design.intercept
    if isinstance(hyperpriors.get("sigma"), HalfFlat) and rank < 2:
        msg = (
            f"sigma: a flat prior needs at least 2 rows more than flat coefficients, found {rank}; "
            "use HalfNormal or HalfCauchy"
        )
        raise ImproperPosterior(msg)
    if "sigma" in hyperpriors and not isinstance(hyperpriors["sigma"], InverseGamma):
        _require_residual(problem, structure)
        _require_few_ties(problem, structure)
    if isinstance(hyperpriors.get("scale"), HalfFlat):
        _require_informed_scale(problem, structure, rank)
        _require_rows_to_spare(problem, structure, rank)
    _require_light_tails(problem, structure)


def _fitting(problem: Problem, structure: Structure, *, spiked: bool) -> tuple[Matrix, Mask]:
    """Columns that may fit as sigma goes to 0, the intercept's first, and who has a bound.

    A prior relative to sigma shrinks with it, so only the others can, unless its tails are so heavy
    that it hardly minds. Columns under a spike may all be out.
    """
    fitting = ~structure.of_sigma | structure.heavy
    at = np.flatnonzero(fitting if spiked else fitting & ~structure.spike)
    level = np.zeros(int(problem.design.intercept), dtype=np.bool_)
    return problem.design.columns(at), np.append(level, structure.nonnegative[at])


def _require_residual(problem: Problem, structure: Structure) -> None:
    for spiked in (True, False):
        columns, nonnegative = _fitting(problem, structure, spiked=spiked)
        if spare_rows(columns, problem.design.less_offset, nonnegative):
            msg = (
                "sigma: y is fitted exactly, so the density of sigma has no integral near 0; "
                "give sigma a value or an InverseGamma prior"
            )
            raise ImproperPosterior(msg)


def _require_few_ties(problem: Problem, structure: Structure) -> None:
    """Refuse Student-t noise where so many rows are fitted exactly that sigma goes to 0 there.

    Where r coefficients fit m of n rows exactly, those rows give ``σ^(r−m)`` for small σ, and each
    of the others ``σ^nu`` (Fernández & Steel 1999): no integral if ``m − r − nu (n − m) >= 1``.
    Rows in general position have ``m = r``.
    """
    family, target = problem.likelihood, problem.design.less_offset
    if not isinstance(family, StudentTNoise):
        return
    for spiked in (True, False) if structure.spike.any() else (True,):
        columns, nonnegative = _fitting(problem, structure, spiked=spiked)
        for rows in fitted_rows(columns, target):
            m, lost = int(rows.sum()), family.nu * int((~rows).sum())
            # Few rows decide at no cost that there are too few.
            spare = spare_rows(columns[rows], target[rows], nonnegative) if m - lost >= 1 else 0
            if spare - lost < 1:
                continue
            by = f"{m - spare} coefficient{'s' * (m - spare != 1)}"
            msg = (
                f"sigma: {m} of {problem.n} rows are fitted exactly by {by}, so with Student-t "
                f"noise of {family.nu:g} degrees of freedom the density of sigma has no integral "
                "near 0; give sigma a value or an InverseGamma prior"
            )
            raise ImproperPosterior(msg)


def _require_informed_scale(problem: Problem, structure: Structure, rank: int) -> None:
    noisy, count = isinstance(problem.likelihood, Noise), int(structure.of_scale.sum())
    if noisy and count > 1:  # what rows do not see of the coefficients says nothing of their scale
        count = _seen(problem, structure)
    if min(count, rank if noisy else count) < 2:
        msg = (
            "scale: a flat prior needs at least 2 coefficients and 2 rows to inform it"
            f"{', in independent columns' if noisy else ''}; use HalfNormal or HalfCauchy"
        )
        raise ImproperPosterior(msg)
    if not noisy:
        try:
            check_proper_directions(problem.likelihood, problem.design, range(problem.p))
        except ImproperPosterior as error:
            msg = f"scale: has a flat prior, and without a prior on the coefficients: {error}"
            raise ImproperPosterior(msg) from error


def _seen(problem: Problem, structure: Structure) -> int:
    """Count independent columns under the unknown scale, beside flat ones; 2 stand for more."""
    flat = problem.design.columns(np.flatnonzero(structure.flat | structure.half_flat))
    left = problem.design.columns(np.flatnonzero(structure.of_scale))[:, problem.design.intercept :]
    whole = np.sqrt(np.vecdot(left.T, left.T))
    seen = 0
    while seen < 2:
        left = np.column_stack([residual(flat, column) for column in left.T])
        lengths = np.sqrt(np.vecdot(left.T, left.T))
        share = np.divide(lengths, whole, out=np.zeros_like(whole), where=whole > 0)
        best = int(np.argmax(share))
        if share[best] <= _DEPENDENT:
            break
        flat, seen = np.column_stack([flat, left[:, best]]), seen + 1
    return seen


def _require_rows_to_spare(problem: Problem, structure: Structure, rank: int) -> None:
    """Refuse a flat scale that leaves sigma nothing of its own.

    With both flat, ``∫∫ r^−(n−f) dσ ds`` over ``r² = σ² + s²`` needs three rows more than flat
    coefficients. With a scale relative to sigma that fits every row, the density of the scale is
    ``s^−(n−f)`` times the ``s^(n−f−1)`` that sigma gains as it goes to 0 like 1/s.
    """
    sigma = problem.hyperpriors().get("sigma")
    if sigma is None or isinstance(sigma, InverseGamma):
        return
    if isinstance(sigma, HalfFlat) and rank < 3:
        msg = (
            "sigma, scale: flat priors of both need at least 3 rows more than flat coefficients, "
            f"found {rank}; use HalfNormal or HalfCauchy for one"
        )
        raise ImproperPosterior(msg)
    relative = structure.of_scale & structure.of_sigma
    if relative.sum() < rank or not relative.any():
        return
    columns = problem.design.columns(np.flatnonzero(relative | structure.flat))
    if problem.design.intercept:
        columns = np.column_stack([problem.design.one, columns])
    if np.linalg.matrix_rank(columns) == problem.n:
        msg = (
            "scale: a flat prior of a scale relative to sigma, with columns that can fit every "
            "row, leaves no integral; use HalfNormal or HalfCauchy"
        )
        raise ImproperPosterior(msg)


def _require_light_tails(problem: Problem, structure: Structure) -> None:
    """Refuse separated targets with flat coefficients beside tails that are too heavy for them.

    Where some coefficients of heavy tails are at distance r, the others free of a prior range as
    far wherever the likelihood does not resist: a cone, of d dimensions with theirs. A density that
    falls like ``r^−k`` has an integral over it if ``k > d``, for every choice of those that are far
    out (`SlowTails.sets`).
    """
    family, design = problem.likelihood, problem.design
    tails, level = SlowTails.of(problem), int(design.intercept)
    free, some = tails.power == 0, tails.some
    if not some.any() or not (level or free.any()):
        return
    if family.recession_directions(design.y)[0].all():
        return
    bounded = np.flatnonzero(structure.half_flat | structure.nonnegative).tolist()

    def span(far: Mask) -> Matrix:
        return recession_span(family, design, np.flatnonzero(free | far).tolist(), bounded)

    # What stays where it is in all of the cone does so in every part of it.
    moving = np.zeros(problem.p, dtype=np.bool_)
    everything = span(some)
    moving[free | some] = moves(everything[: everything.shape[0] - level])
    for far, power in tails.sets(moving & some):
        most = int((free | far).sum()) + level
        if not (power and too_heavy(power, most) and too_heavy(power, span(far).shape[1])):
            continue
        apart = _APART[isinstance(family, Bernoulli)]
        if (far & tails.shared).any() and power >= tails.shared_power:
            msg = (
                "scale: its prior has tails so heavy that beside a flat intercept the posterior of "
                f"{apart} has no integral; use HalfNormal or Exponential"
            )
            raise ImproperPosterior(msg)
        at = np.flatnonzero(far).tolist()
        named = ", ".join(repr(problem.names[j]) for j in at[:3])
        msg = (
            f"prior: has tails so heavy on {named}{', …' if len(at) > 3 else ''}, which "
            f"beside flat coefficients sets apart {apart}, that the posterior has no "
            "integral; use a prior with lighter tails, such as Laplace or Normal"
        )
        raise ImproperPosterior(msg)
