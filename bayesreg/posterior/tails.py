"""How priors fall far out: flat, like a power, or faster; by themselves or with their scale."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Self

import numpy as np

from bayesreg.blocks import parts_on
from bayesreg.errors import DegenerateMode
from bayesreg.priors import SpikeSlab
from bayesreg.priors.base import Scaled
from bayesreg.scale_priors import HalfCauchy, HalfFlat, HalfStudentT

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
# Coefficients of which every choice is tried, and rounding of a direction of length 1.
_FEW, _STILL = 8, 1e-9
# Powers that are the same but for rounding.
_EQUAL = 1e-6


def scale_fall(prior: ScalePrior) -> float:
    """Exponent k of a prior of a scale that falls like ``s^−k``; inf if it falls faster."""
    if isinstance(prior, HalfStudentT):
        return prior.nu + 1
    return {HalfFlat: 0.0, HalfCauchy: 2.0}.get(type(prior), math.inf)


@dataclass(frozen=True, eq=False)
class Structure:
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
    def of(cls, problem: Problem) -> Structure:
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
    return np.flatnonzero(Structure.of(problem).flat)


def tail_powers(problem: Problem) -> Vector:
    """Return the power by which the prior of each coefficient falls, shape (p,); inf if faster.

    Examples
    --------
    >>> from bayesreg import Gaussian, Problem, StudentT
    >>> tail_powers(Problem([[1.0], [3.0]], [0.0, 1.0], likelihood=Gaussian(1.0),
    ...                     prior=StudentT(0.25, 1.0))).round(6)
    array([1.25])
    """
    return Structure.of(problem).power


@dataclass(frozen=True, eq=False)
class SlowTails:
    """How the priors of q coefficients fall where they fall slower than exponentially.

    Attributes
    ----------
    power : ndarray, shape (q,)
        Of each by itself; inf if it falls faster than a power, 0 if nothing slower than
        exponentially is in its way.
    shared : ndarray of bool, shape (q,)
        Which share an unknown scale.
    shared_power : float
        Of all of these together: m of them, of a scale whose prior falls like ``s^−k``, fall like
        the power ``k − 1 + m``.
    """

    power: Vector
    shared: Mask
    shared_power: float

    @classmethod
    def of(cls, problem: Problem) -> SlowTails:
        """Ask the prior of each coefficient; exponential tails are faster than a power here."""
        structure = Structure.of(problem)
        hyperprior = problem.hyperpriors().get("scale")
        fall = math.inf if hyperprior is None else scale_fall(hyperprior)
        free = structure.flat | structure.half_flat
        return cls(
            power=np.where(free, 0.0, structure.power),
            shared=structure.of_scale & ~free,
            shared_power=fall - 1 + int(structure.of_scale.sum()),
        )

    def beside(self, some: NDArray[np.intp], rate: Vector) -> Self:
        """Those of the coefficients in `some` and of a level, where rates (q,) allow for decay."""
        more = rate.size - some.size
        power = np.append(self.power[some], np.zeros(more))
        shared = np.append(self.shared[some], np.zeros(more, dtype=np.bool_))
        return replace(self, power=np.where(rate > 0, 0.0, power), shared=shared & (rate == 0))

    @property
    def some(self) -> Mask:
        """Which are among those that `sets` goes through; (q,)."""
        alone = np.isfinite(self.power) & (self.power > 0)
        return alone | (self.shared & math.isfinite(self.shared_power))

    def sets(self, moving: Mask) -> Iterator[tuple[Mask, float]]:
        """Coefficients that may be far out (q,), and the power of that: none of those first."""
        alone = moving & np.isfinite(self.power) & (self.power > 0)
        none = np.zeros_like(moving)
        for scaled in (none, self.shared) if self.shared.any() else (none,):
            together = self.shared_power if scaled.any() else 0.0
            if math.isinf(together):
                continue
            yield scaled, together
            for some in choices(np.flatnonzero(alone & ~scaled)):
                far = scaled.copy()
                far[some] = True
                yield far, together + float(self.power[some].sum())


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


def too_heavy(power: float, dimension: int) -> bool:
    """Whether tails ``r^−power`` have no integral over a cone of so many dimensions.

    Examples
    --------
    >>> too_heavy(2.0, 2), too_heavy(2.5, 2), too_heavy(0.0, 0)
    (True, False, False)
    """
    return dimension >= max(power - _EQUAL, 0.5)
