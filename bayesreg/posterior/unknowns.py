"""Whether a posterior is proper: directions and tails of sigma or scale that nothing closes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.blocks import parts_on
from bayesreg.errors import DegenerateMode, ImproperPosterior
from bayesreg.independence import residual
from bayesreg.likelihoods import Bernoulli, Noise, StudentTNoise
from bayesreg.priors import SpikeSlab
from bayesreg.priors.base import Scaled
from bayesreg.propriety import check_proper_directions, recession_span
from bayesreg.scale_priors import HalfCauchy, HalfFlat, HalfStudentT, InverseGamma

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem
    from bayesreg.scale_priors import ScalePrior

    type Mask = NDArray[np.bool_]

# In widths, where tails are what they are in the limit; and how equal the powers of a power are.
_FAR, _SAME = 1e8, 1e-6
# Powers that are the same but for rounding, and coefficients of which every choice is tried.
EQUAL_POWERS, _FEW = 1e-6, 8
# Rounding of a direction of length 1.
_STILL = 1e-9
# What coefficients without end separate: counts, or classes.
_APART = ("counts of 0 that a plane separates from the others", "classes that a plane separates")


def scale_fall(prior: ScalePrior) -> float:
    """Exponent k of a prior of a scale that falls like ``s^−k``; inf if it falls faster."""
    if isinstance(prior, HalfStudentT):
        return prior.nu + 1
    return {HalfFlat: 0.0, HalfCauchy: 2.0}.get(type(prior), math.inf)


@dataclass(frozen=True, eq=False)
class TailStructure:
    """What the prior of each coefficient depends on; masks of shape (p,).

    Unlike `Problem.free`, this asks for no mode: a horseshoe has none, and can be sampled.

    Attributes
    ----------
    flat, half_flat : ndarray of bool
        No prior, on both sides of 0 or from 0 on.
    nonnegative : ndarray of bool
        The coefficient may not be negative.
    of_sigma, of_scale : ndarray of bool
        The scale is a multiple of the unknown sigma, or of the unknown scale.
    heavy : ndarray of bool
        The density falls like a power.
    power : ndarray
        That power; inf where it falls faster.
    spike : ndarray of bool
        The coefficient is exactly 0 with positive probability.
    """

    flat: Mask
    half_flat: Mask
    nonnegative: Mask
    of_sigma: Mask
    of_scale: Mask
    heavy: Mask
    spike: Mask
    power: Vector

    @classmethod
    def of(cls, problem: Problem) -> TailStructure:
        """Ask each part of the prior."""
        p, prior = problem.p, problem.prior
        parts = parts_on(prior, p)
        names = ("flat", "half_flat", "nonnegative", "of_sigma", "of_scale", "heavy", "spike")
        masks = {name: np.zeros(p, dtype=np.bool_) for name in names}
        found = cls(**masks, power=np.full(p, math.inf))
        for part, positions in parts:
            j = list(positions)
            known = part.given(sigma=1.0, scale=1.0)
            found.flat[j], found.half_flat[j] = _flatness(known, len(j))
            found.nonnegative[j] = isinstance(known, Scaled) and known.nonnegative
            found.of_sigma[j] = part.relative_to is not None and "sigma" in problem.unknown
            found.of_scale[j] = part.hyperprior is not None
            found.power[j] = _power(known, len(j))
            found.heavy[j] = np.isfinite(found.power[j])
            found.spike[j] = isinstance(part, SpikeSlab)
        bound = ~found.flat
        return replace(
            found,
            of_sigma=found.of_sigma & bound,
            of_scale=found.of_scale & bound,
            heavy=found.heavy & bound & ~found.half_flat,
        )


def _flatness(known: Prior, p: int) -> tuple[Mask, Mask]:
    try:
        penalty = known.penalty(p)
    except DegenerateMode:  # infinite at 0 or with an atom there, yet flat where the scale is inf
        near, far = (known.log_densities(np.full(p, at)) for at in (1.0, _FAR))
        return (near == 0) & (far == 0), np.zeros(p, dtype=np.bool_)
    return np.asarray(penalty.flat), np.asarray(penalty.half_flat)


def _power(known: Prior, p: int) -> Vector:
    """Exponent k of tails ``|β|^−k``, from densities at three far points; inf if there is none.

    Those of a power fall as much from the first to the second as from there to the third, which is
    as much farther; any other fall more.
    """
    width = known.numbers(p) if isinstance(known, Scaled) else np.ones(p)
    width = np.where(np.isfinite(width), width, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):  # NaN where there is no density left
        near, far, farther = (known.log_densities(_FAR**k * width) for k in (1.0, 1.25, 1.5))
        first, second = near - far, far - farther
        power = np.abs(second - first) <= _SAME * np.abs(first)
    return np.where(power, first / (0.25 * math.log(_FAR)), math.inf)


def flat_positions(problem: Problem) -> NDArray[np.intp]:
    """Return the positions of the coefficients with a flat prior, whether or not it has a mode.

    Examples
    --------
    >>> from bayesreg import Bernoulli, Horseshoe, Problem
    >>> flat_positions(Problem([[1.0, 2.0], [3.0, 5.0]], [0.0, 1.0], likelihood=Bernoulli(),
    ...                        prior=Horseshoe(scale=[1.0, np.inf])))
    array([1])
    """
    return np.flatnonzero(TailStructure.of(problem).flat)


def tail_powers(problem: Problem) -> Vector:
    """Return the power by which the prior of each coefficient falls, shape (p,); inf if faster.

    Examples
    --------
    >>> from bayesreg import Gaussian, Problem, StudentT
    >>> tail_powers(Problem([[1.0], [3.0]], [0.0, 1.0], likelihood=Gaussian(1.0),
    ...                     prior=StudentT(0.25, 1.0))).round(6)
    array([1.25])
    """
    return TailStructure.of(problem).power


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
    structure = TailStructure.of(problem)
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
        _require_few_ties(problem)
    if isinstance(hyperpriors.get("scale"), HalfFlat):
        _require_informed_scale(problem, int(structure.of_scale.sum()), rank)
        _require_rows_to_spare(problem, structure, rank)
    _require_light_tails(problem, structure)


def _require_residual(problem: Problem, structure: TailStructure) -> None:
    design = problem.design
    target = design.less_offset
    # A prior relative to sigma shrinks with it, so only the other columns can fit as sigma falls,
    # unless its tails are so heavy that it hardly minds. Columns under a spike may all be out.
    fitting = ~structure.of_sigma | structure.heavy
    for mask in (fitting, fitting & ~structure.spike):
        columns = design.columns(np.flatnonzero(mask))
        left = np.abs(residual(columns, target)).max()
        if columns.any(axis=0).sum() < problem.n and left <= 1e-13 * np.abs(target).max():
            msg = (
                "sigma: y is fitted exactly, so the density of sigma has no integral near 0; "
                "give sigma a value or an InverseGamma prior"
            )
            raise ImproperPosterior(msg)


def _require_few_ties(problem: Problem) -> None:
    """Refuse Student-t noise where so many rows have one target that sigma goes to 0 there.

    Where r coefficients fit m of n rows exactly, those rows give ``σ^(r−m)`` for small σ, and each
    of the others ``σ^nu`` (Fernández & Steel 1999): no integral if ``m − r − nu (n − m) >= 1``.
    Rows in general position have ``m = r``. Ties are where they are not: rows of one target beside
    an intercept, or of target 0.
    """
    family, design = problem.likelihood, problem.design
    if not isinstance(family, StudentTNoise):
        return
    target = design.less_offset
    _, counts = np.unique(target, return_counts=True)
    level = int(design.intercept)
    tied = int(counts.max()) if level else int((target == 0).sum())
    if tied - level - family.nu * (problem.n - tied) >= 1:
        msg = (
            f"sigma: {tied} of {problem.n} rows have the same target, so with Student-t noise of "
            f"{family.nu:g} degrees of freedom the density of sigma has no integral near 0; give "
            "sigma a value or an InverseGamma prior"
        )
        raise ImproperPosterior(msg)


def _require_informed_scale(problem: Problem, count: int, rank: int) -> None:
    noisy = isinstance(problem.likelihood, Noise)
    if min(count, rank if noisy else count) < 2:
        msg = (
            "scale: a flat prior needs at least 2 coefficients and 2 rows to inform it; "
            "use HalfNormal or HalfCauchy"
        )
        raise ImproperPosterior(msg)
    if not noisy:
        try:
            check_proper_directions(problem.likelihood, problem.design, range(problem.p))
        except ImproperPosterior as error:
            msg = f"scale: has a flat prior, and without a prior on the coefficients: {error}"
            raise ImproperPosterior(msg) from error


def _require_rows_to_spare(problem: Problem, structure: TailStructure, rank: int) -> None:
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


def _require_light_tails(problem: Problem, structure: TailStructure) -> None:
    """Refuse separated targets with flat coefficients beside tails that are too heavy for them.

    Where some coefficients of heavy tails are at distance r, the others free of a prior range as
    far wherever the likelihood does not resist: a cone, of d dimensions with theirs. A density that
    falls like ``r^−k`` has an integral over it if ``k > d``. Tails of coefficients by themselves
    add up in k, for every choice of them; those of m coefficients that share a scale whose prior
    falls like ``s^−q`` are of ``k = q − 1 + m``.
    """
    family, design = problem.likelihood, problem.design
    flat = np.flatnonzero(structure.flat | structure.half_flat)
    count = flat.size + int(design.intercept)
    if count == 0 or family.recession_directions(design.y)[0].all():
        return
    bounded = np.flatnonzero(structure.half_flat | structure.nonnegative).tolist()

    def diverges(some: NDArray[np.intp], power: float) -> bool:
        if not some.size or power > count + some.size + EQUAL_POWERS:
            return False
        positions = [*flat.tolist(), *some.tolist()]
        span = recession_span(family, design, positions, bounded)
        return bool(span.shape[1] >= power - EQUAL_POWERS)

    scaled, hyperprior = np.flatnonzero(structure.of_scale), problem.hyperpriors().get("scale")
    apart = _APART[isinstance(family, Bernoulli)]
    if hyperprior is not None and diverges(scaled, scale_fall(hyperprior) - 1 + scaled.size):
        msg = (
            "scale: its prior has tails so heavy that beside a flat intercept the posterior of "
            f"{apart} has no integral; use HalfNormal or Exponential"
        )
        raise ImproperPosterior(msg)
    heavy = np.flatnonzero(structure.heavy)
    # What stays where it is in all of the cone does so in every part of it.
    span = recession_span(family, design, [*flat.tolist(), *heavy.tolist()], bounded)
    moving = heavy[moves(span[flat.size : flat.size + heavy.size])]
    for some in choices(moving):
        if diverges(some, float(structure.power[some].sum())):
            named = ", ".join(repr(problem.names[j]) for j in some[:3].tolist())
            msg = (
                f"prior: has tails so heavy on {named}{', …' if some.size > 3 else ''}, which "
                f"beside flat coefficients sets apart {apart}, that the posterior has no "
                "integral; use a prior with lighter tails, such as Laplace or Normal"
            )
            raise ImproperPosterior(msg)


def moves(span: Matrix) -> Mask:
    """Which coefficients differ from 0 along some of the directions that span a cone (k, d); (k,).

    Examples
    --------
    >>> moves(np.array([[1.0], [0.0]]))
    array([ True, False])
    """
    return np.asarray((np.abs(span) > _STILL).any(axis=1))


def choices(heavy: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Each by itself, then all together, and what is between if they are few.

    Examples
    --------
    >>> [some.tolist() for some in choices(np.arange(3))]
    [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]
    """
    yield from heavy[:, None]
    few = heavy.size if heavy.size <= _FEW else 2
    for size in range(2, few):
        yield from (np.array(some, dtype=np.intp) for some in combinations(heavy.tolist(), size))
    if heavy.size > 1:
        yield heavy
