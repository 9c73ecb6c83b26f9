"""Which coordinates NUTS moves in: the prior of a problem as parts, by the type of each prior."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.blocks import Blocks
from bayesreg.posterior.parts import (
    Ball,
    Cube,
    Free,
    Gauss,
    HalfFree,
    Independent,
    Part,
    Slabbed,
    Sorted,
    Steps,
    Tailed,
    Turning,
)
from bayesreg.posterior.quantiles import (
    LOG_2,
    LaplaceSizes,
    TabulatedSizes,
    TruncatedSizes,
)
from bayesreg.priors import (
    ElasticNet,
    Flat,
    Fused,
    GeneralizedDoublePareto,
    GroupLaplace,
    Horseshoe,
    Laplace,
    LInfinity,
    Normal,
    RegularizedHorseshoe,
    Slope,
    SpikeSlab,
    StudentT,
    UniformBall,
)
from bayesreg.priors.base import Scaled, fill
from bayesreg.priors.norms import NormPrior, labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.posterior.parts import Map
    from bayesreg.posterior.quantiles import Sizes
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem

    type Positions = NDArray[np.intp]
    type Builder = Callable[[Any, Positions, Vector, dict[str, bool]], Iterator[Part]]

# Beyond this ratio of scales the square of an elastic net changes no size by 1e-10 of it.
_LAPLACE = 1e5
# A likelihood this much wider than a prior leaves its coefficient to the prior.
_SILENT = 1e3


def reason_against(problem: Problem) -> str | None:
    """Say why a prior has no coordinates; None where it has.

    Examples
    --------
    >>> from bayesreg import Gaussian, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(sigma=1.0),
    ...                   prior=SpikeSlab(inclusion=0.5, slab_scale=1.0))
    >>> print(reason_against(problem).split(",")[0])
    prior: is SpikeSlab
    """
    for prior, _ in _priors(problem):
        if isinstance(prior, SpikeSlab):
            return (
                "prior: is SpikeSlab, whose atom at 0 has no gradient for NUTS to follow; use "
                'method="gibbs", or a Horseshoe or RegularizedHorseshoe prior'
            )
        if type(prior) not in _BUILDERS and not isinstance(prior, Scaled):
            return f"prior: is {prior.name}, for which NUTS has no coordinates; use another prior"
        if isinstance(prior, Normal) and _moves(problem, prior) and _is_truncated_off_zero(prior):
            return (
                "prior: is a normal truncated at 0 about another loc with an unknown scale, which "
                "NUTS here does not take; sample the PyMC model bayesreg.to_pymc(problem), or set "
                "loc to 0"
            )
    return None


def parts_of(problem: Problem, flat_unit: Vector) -> tuple[Part, ...]:
    """Return the parts of a prior that nothing speaks against.

    Parameters
    ----------
    problem : Problem
        The posterior.
    flat_unit : ndarray, shape (p,)
        Rough standard deviations of coefficients under the likelihood alone.

    Returns
    -------
    tuple of Part
        Together they cover all columns.
    """
    known = _priors(problem.given_ones() if problem.unknown else problem)
    found: list[Part] = []
    for (asked, columns), (prior, _) in zip(_priors(problem), known, strict=True):
        if not columns.size:
            continue
        uses = {
            "uses_scale": asked.hyperprior is not None,
            "uses_sigma": asked.relative_to is not None and "sigma" in problem.unknown,
        }
        build = _BUILDERS.get(type(prior), _tabulated)
        found += build(prior, columns, flat_unit[columns], uses)
    return tuple(part for part in found if part.columns.size)


def _priors(problem: Problem) -> list[tuple[Prior, Positions]]:
    prior = problem.coef_prior
    if isinstance(prior, Blocks):
        return [(part, np.array(columns, dtype=np.intp)) for part, columns in prior.parts]
    return [(prior, np.arange(problem.p))]


def _moves(problem: Problem, prior: Normal) -> bool:
    """Whether an unknown scales a prior."""
    relative = prior.relative_to is not None and "sigma" in problem.unknown
    return relative or prior.hyperprior is not None


def _is_truncated_off_zero(prior: Normal) -> bool:
    return prior.nonnegative and bool(np.any(np.asarray(prior.loc) != 0))


# --------------------------------------------------------------------------- one prior, its parts


def _by_size(
    columns: Positions,
    width: Vector,
    sizes: Sizes,
    *,
    nonnegative: bool,
    flat_unit: Vector,
    uses: dict[str, bool],
) -> Iterator[Part]:
    """Yield finite widths by size, and infinite ones as what the likelihood says."""
    finite = np.isfinite(width)
    flat = HalfFree if nonnegative else Free
    yield flat(columns[~finite], flat_unit[~finite])
    yield Independent(columns[finite], width[finite], sizes, nonnegative=nonnegative, **uses)


def _flat(prior: Flat, columns: Positions, unit: Vector, uses: dict[str, bool]) -> Iterator[Part]:
    del prior, uses
    yield Free(columns, unit)


def _normal(
    prior: Normal, columns: Positions, unit: Vector, uses: dict[str, bool]
) -> Iterator[Part]:
    width, loc = prior.numbers(columns.size), fill(prior.loc, columns.size)
    finite = np.isfinite(width)
    if prior.nonnegative:
        sizes = TruncatedSizes((loc / width)[finite])
        yield from _by_size(columns, width, sizes, nonnegative=True, flat_unit=unit, uses=uses)
        return
    yield Free(columns[~finite], unit[~finite])
    yield Gauss(columns[finite], width[finite], loc[finite], **uses)


def _laplace(
    prior: Laplace, columns: Positions, unit: Vector, uses: dict[str, bool]
) -> Iterator[Part]:
    width, sign = prior.numbers(columns.size), prior.nonnegative
    yield from _by_size(columns, width, LaplaceSizes(), nonnegative=sign, flat_unit=unit, uses=uses)


def _elastic_net(
    prior: ElasticNet, columns: Positions, unit: Vector, uses: dict[str, bool]
) -> Iterator[Part]:
    b, tau = fill(prior.l1_scale, columns.size), fill(prior.l2_scale, columns.size)
    laplace = ~(tau <= _LAPLACE * b) | (np.isinf(b) & np.isinf(tau))
    for chosen, width, sizes in (
        (laplace, b[laplace], LaplaceSizes()),
        (~laplace, tau[~laplace], TruncatedSizes(-(tau / b)[~laplace])),
    ):
        yield from _by_size(
            columns[chosen],
            width,
            sizes,
            nonnegative=prior.nonnegative,
            flat_unit=unit[chosen],
            uses=uses,
        )


def _tabulated(
    prior: Scaled, columns: Positions, unit: Vector, uses: dict[str, bool]
) -> Iterator[Part]:
    """Any other scale family, by size."""
    width, sign = prior.numbers(columns.size), prior.nonnegative
    yield from _by_size(columns, width, _table(prior), nonnegative=sign, flat_unit=unit, uses=uses)


def _power_tail(
    prior: StudentT | GeneralizedDoublePareto,
    columns: Positions,
    unit: Vector,
    uses: dict[str, bool],
) -> Iterator[Part]:
    """Coefficients whose density falls like a power, as they are."""
    one = replace(prior, scale=1.0, factor=1.0, nonnegative=False)
    penalty = one.penalty(int(np.isfinite(prior.numbers(columns.size)).sum()))

    def law(size: Vector) -> tuple[Vector, Vector]:
        return -penalty.values(size), -penalty.slope(size)

    yield from _tailed(prior, columns, unit, uses, law)


def _horseshoe(
    prior: Horseshoe, columns: Positions, unit: Vector, uses: dict[str, bool]
) -> Iterator[Part]:
    """Quantiles of a Cauchy number: the same tails, without the infinite density at 0."""
    sizes = _table(prior)

    def law(size: Vector) -> tuple[Vector, Vector]:
        return -np.log1p(size**2), -2 * size / (1 + size**2)

    def bend(size: Vector) -> tuple[Vector, Vector]:
        angle = np.arctan2(1.0, size)
        e = np.where(size < 1, -np.log1p(-2 / np.pi * np.arctan(size)), -np.log(2 / np.pi * angle))
        value, slope = sizes(e)
        return value, slope / ((1 + size**2) * angle)

    yield from _tailed(prior, columns, unit, uses, law, bend)


def _slabbed(
    prior: RegularizedHorseshoe, columns: Positions, unit: Vector, uses: dict[str, bool]
) -> Iterator[Part]:
    del unit
    slab = fill(prior.slab_scale, columns.size)
    yield Slabbed(columns, prior.numbers(columns.size), slab, prior.slab_df, **uses)


def _tailed(
    prior: Scaled,
    columns: Positions,
    unit: Vector,
    uses: dict[str, bool],
    law: Map,
    bend: Map | None = None,
) -> Iterator[Part]:
    width = prior.numbers(columns.size)
    finite = np.isfinite(width)
    flat = HalfFree if prior.nonnegative else Free
    yield flat(columns[~finite], unit[~finite])
    # Where a density has a peak as narrow as its scale, so has a coordinate; a smooth one is better
    # left as it is as far as the likelihood reaches, unless that says nothing: then tails are long.
    heard = isinstance(prior, StudentT) & (unit < _SILENT * width)
    reach = np.where(heard, np.hypot(width, unit), width)[finite]
    yield Tailed(columns[finite], width[finite], reach, prior.nonnegative, law, bend, **uses)


def _table(prior: Scaled) -> TabulatedSizes:
    """Tabulate sizes from the prior's own density at scale 1."""
    one = replace(prior, scale=1.0, factor=1.0, relative_to=None)
    sides = 0.0 if prior.nonnegative else LOG_2
    return TabulatedSizes(lambda size: one.log_densities(size) + sides)


def _group_laplace(
    prior: GroupLaplace, columns: Positions, unit: Vector, uses: dict[str, bool]
) -> Iterator[Part]:
    del unit, uses
    width = fill(prior.scale, columns.size)
    yield Turning(columns, width, labels_of(prior.groups, columns.size))


def _sorted(
    prior: NormPrior, columns: Positions, unit: Vector, uses: dict[str, bool]
) -> Iterator[Part]:
    del unit, uses
    k = columns.size
    weights = prior.weights if isinstance(prior, Slope) else (np.arange(k) == 0).astype(float)
    spread = float(np.sqrt(prior.unit_variances(k).mean())) if k else 1.0
    yield Sorted(columns, fill(prior.scale, k), weights, spread)


def _fused(prior: Fused, columns: Positions, unit: Vector, uses: dict[str, bool]) -> Iterator[Part]:
    del uses
    k = columns.size
    here = np.arange(k)
    first_width = np.full(min(k, 1), prior.first_scale)
    first: Part = Independent(here[:1], first_width, LaplaceSizes(), nonnegative=False)
    if np.isinf(prior.first_scale):
        # The common level has the precision of all columns together.
        precision = (fill(prior.factor, k) / unit) ** 2
        first = Free(here[:1], np.full(min(k, 1), float(precision.sum()) ** -0.5))
    width = np.full(max(k - 1, 0), prior.scale)
    others = Independent(here[1:], width, LaplaceSizes(), nonnegative=False)
    yield Steps(columns, (first, others), fill(prior.factor, k))


def _ball(
    prior: UniformBall, columns: Positions, unit: Vector, uses: dict[str, bool]
) -> Iterator[Part]:
    del unit, uses
    k = columns.size
    norm = prior.exponential(k, 1.0 / prior.radius)
    width = fill(norm.scale, k)
    if isinstance(norm, GroupLaplace):
        yield Ball(columns, width, labels_of(norm.groups, k))
    else:
        yield Cube(columns, width)


_BUILDERS: dict[type[Prior], Builder] = {
    Flat: _flat,
    Normal: _normal,
    Laplace: _laplace,
    ElasticNet: _elastic_net,
    StudentT: _power_tail,
    GeneralizedDoublePareto: _power_tail,
    Horseshoe: _horseshoe,
    RegularizedHorseshoe: _slabbed,
    GroupLaplace: _group_laplace,
    LInfinity: _sorted,
    Slope: _sorted,
    Fused: _fused,
    UniformBall: _ball,
}
