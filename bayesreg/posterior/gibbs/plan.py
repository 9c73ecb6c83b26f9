"""A problem as the Gibbs kernel wants it: blocks of coefficients, each a scale mixture of normals.

Every coefficient that is not flat or under a spike is normal given a local variance of its own; a
family says how the local variance is drawn. Coefficients are permuted so that the columns of a
block are next to each other: first the mixtures, then spike and slab, then the flat ones.

What each family makes of `Plan.unit` (its width at unknowns of one) and `Plan.shape`::

    family                 unit           shape[:, 0]                  shape[:, 1]
    NORMAL                 sd             0                            0
    LAPLACE                scale b        0                            0
    ELASTIC_NET            l1_scale       1/l2_scale²                  0
    STUDENT_T              scale          nu                           0
    GENERALIZED_PARETO     scale          shape                        0
    HORSESHOE              scale          0                            0
    REGULARIZED_HORSESHOE  scale          slab scale                   slab degrees of freedom
    GROUP_LAPLACE          scale          label of the group, rising   size of the group

Nothing here loads Numba.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bayesreg.blocks import Blocks
from bayesreg.likelihoods import StudentTNoise
from bayesreg.likelihoods.base import Noise
from bayesreg.priors import (
    Bridge,
    ElasticNet,
    Flat,
    GeneralizedDoublePareto,
    GroupLaplace,
    Horseshoe,
    Laplace,
    Normal,
    RegularizedHorseshoe,
    SpikeSlab,
    StudentT,
)
from bayesreg.priors.base import Scaled, fill
from bayesreg.priors.norms import labels_of
from bayesreg.scale_priors import SCALE_PRIORS, ScalePrior

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.design import Design
    from bayesreg.priors import Prior
    from bayesreg.priors.base import Scale
    from bayesreg.problem import Problem

NORMAL, LAPLACE, ELASTIC_NET, STUDENT_T, GENERALIZED_PARETO = 0, 1, 2, 3, 4
HORSESHOE, REGULARIZED_HORSESHOE, GROUP_LAPLACE = 5, 6, 7
# Families of the plan alone: they have no local variance.
_SPIKE, _FLAT = 8, 9


class Block(NamedTuple):
    """Neighbouring coefficients ``low:high`` of one family and one kind of width.

    The width of coefficient j is ``unit_j``, times the unknown scale if `uses_scale`, times the
    unknown sigma if `uses_sigma`.
    """

    family: int
    low: int
    high: int
    uses_scale: bool
    uses_sigma: bool


class Spike(NamedTuple):
    """Spike and slab on the coefficients ``low:high``: exactly 0, or ``N(0, slab²)``.

    `inclusion` and `slab` have shape (high − low,).
    """

    low: int
    high: int
    inclusion: Vector
    slab: Vector


class Hyperprior(NamedTuple):
    """Prior of a positive unknown: its place in `SCALE_PRIORS`, and its one or two numbers."""

    kind: int
    a: float
    b: float

    @classmethod
    def of(cls, prior: ScalePrior) -> Hyperprior:
        """Read the numbers off."""
        numbers = [float(value) for value in vars(prior).values()]
        a, b = (*numbers, 0.0, 0.0)[:2]
        return cls(SCALE_PRIORS.index(type(prior)), a, b)


#: What stands for the hyperprior of a known value, where compiled code takes one.
KNOWN = Hyperprior(-1, 0.0, 0.0)


def numbers_of(hyperprior: Hyperprior | None) -> tuple[int, float, float]:
    """Return kind, a and b as compiled code takes them; those of `KNOWN` where there is none."""
    kind, a, b = hyperprior or KNOWN
    return kind, a, b


def walked(blocks: Sequence[Block], *, unknown: bool) -> tuple[bool, bool]:
    """Say whether sigma, and the scale, can be drawn with the coefficients integrated out.

    A slab that does not scale leaves no factor to walk along.

    Parameters
    ----------
    blocks : sequence of Block
        Those with local variances.
    unknown : bool
        Whether sigma is.
    """
    relative = [block.uses_sigma for block in blocks]
    scale = len(blocks) == 1 and (
        blocks[0].uses_scale and blocks[0].family != REGULARIZED_HORSESHOE
    )
    return unknown and (not any(relative) or (all(relative) and scale)), scale


@dataclass(frozen=True, eq=False)
class Plan:
    """What the Gibbs kernel needs to know of a problem; make it with `Plan.of`.

    Attributes
    ----------
    order : ndarray of int, shape (p,)
        ``order[j]`` is the user's position of coefficient j of the plan.
    blocks : tuple of Block
        Mixtures on ``0:mixed``, then a NORMAL block of infinite width on the flat coefficients.
    spike : Spike or None
        Spike and slab, between the two.
    unit, loc : ndarray, shape (p,)
        Widths at unknowns of one (inf: flat), and centres (0 but for `Normal`).
    shape : ndarray, shape (p, 2)
        Further numbers of a family; see the module.
    sigma : float or None
        Known scale of the noise (1 for a likelihood that has none); None if unknown.
    nu : float
        Degrees of freedom of Student-t noise; inf without it.
    sigma_prior, scale_prior : Hyperprior or None
        Priors of unknown sigma and scale.
    design : Design
        The data, in the user's order of columns and on the user's scale.
    """

    order: NDArray[np.intp]
    blocks: tuple[Block, ...]
    spike: Spike | None
    unit: Vector
    loc: Vector
    shape: Matrix
    sigma: float | None
    nu: float
    sigma_prior: Hyperprior | None
    scale_prior: Hyperprior | None
    design: Design

    @classmethod
    def of(cls, problem: Problem) -> Plan:
        """Arrange a problem that `reason_against_prior` has nothing against."""
        parts = sorted(_parts(problem), key=lambda part: part.rank)
        blocks, spikes, low = [], [], 0
        for part in parts:
            high = low + part.columns.size
            if part.family == _SPIKE and part.columns.size:
                spikes.append((low, high, part))
            elif part.columns.size:
                family = NORMAL if part.family == _FLAT else part.family
                blocks.append(Block(family, low, high, part.uses_scale, part.uses_sigma))
            low = high
        likelihood, hyperpriors = problem.likelihood, problem.hyperpriors()
        known = None
        if "sigma" not in hyperpriors:
            known = likelihood.variance**0.5 if isinstance(likelihood, Noise) else 1.0
        return cls(
            order=np.concatenate([part.columns for part in parts]),
            blocks=tuple(blocks),
            spike=_joined(spikes),
            unit=np.concatenate([part.unit for part in parts]),
            loc=np.concatenate([part.loc for part in parts]),
            shape=np.concatenate([part.shape for part in parts]),
            sigma=known,
            nu=likelihood.nu if isinstance(likelihood, StudentTNoise) else math.inf,
            sigma_prior=Hyperprior.of(hyperpriors["sigma"]) if "sigma" in hyperpriors else None,
            scale_prior=Hyperprior.of(hyperpriors["scale"]) if "scale" in hyperpriors else None,
            design=problem.design,
        )

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return self.order.size

    @cached_property
    def flat(self) -> int:
        """Number of flat coefficients; they are the last ones."""
        return int(np.isinf(self.unit).sum())

    @cached_property
    def mixed(self) -> int:
        """Number of coefficients with a local variance; they are the first ones."""
        spike = 0 if self.spike is None else self.spike.high - self.spike.low
        return self.p - self.flat - spike

    @cached_property
    def X(self) -> Matrix:
        """Columns in the order of the plan, dense, column by column in memory; not centred."""
        return np.asfortranarray(self.design.dense("sampling").X[:, self.order])

    @property
    def y(self) -> Vector:
        """Target, shape (n,)."""
        return self.design.y

    @property
    def weights(self) -> Vector:
        """Row weights, ones where none were given; shape (n,)."""
        return self.design.row_weights

    @property
    def offset(self) -> Vector:
        """Known part of the linear predictor, shape (n,); the `loc` of coefficients not in it."""
        return self.design.row_offset

    @property
    def has_intercept(self) -> bool:
        """Whether there is an intercept, with a flat prior."""
        return self.design.intercept

    def in_order_of_problem(self, beta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Undo the permutation of the last axis, shape (..., p)."""
        out = np.empty_like(beta)
        out[..., self.order] = beta
        return out


# ---------------------------------------------------------------------- priors


@dataclass(frozen=True, eq=False)
class _Part:
    """Some coefficients, in units of the user's coefficients; `columns` are their positions."""

    family: int
    columns: NDArray[np.intp]
    unit: Vector
    shape: Matrix
    loc: Vector
    uses_scale: bool = False
    uses_sigma: bool = False

    @property
    def rank(self) -> int:
        """Mixtures come first, flat coefficients last."""
        return {_SPIKE: 1, _FLAT: 2}.get(self.family, 0)

    def where(self, keep: NDArray[np.bool_], family: int) -> _Part:
        """Return some of the coefficients, under another family."""
        unknown = family != _FLAT
        return _Part(
            family,
            self.columns[keep],
            self.unit[keep],
            self.shape[keep],
            np.where(np.isfinite(self.unit), self.loc, 0.0)[keep],
            uses_scale=self.uses_scale and unknown,
            uses_sigma=self.uses_sigma and unknown,
        )


type _Numbers = tuple[int, Vector, Matrix, Vector]


def _numbers(family: int, unit: Vector, first: Scale = 0.0, second: Scale = 0.0) -> _Numbers:
    shape = np.empty((unit.size, 2))
    shape[:, 0], shape[:, 1] = first, second
    return family, np.array(unit, dtype=np.float64), shape, np.zeros(unit.size)


def _unit(prior: Scaled, p: int) -> Vector:
    scale = 1.0 if isinstance(prior.scale, ScalePrior) else prior.scale
    return fill(scale, p) * fill(prior.factor, p)


def _of_normal(prior: Normal, p: int) -> _Numbers:
    family, unit, shape, _ = _numbers(NORMAL, _unit(prior, p))
    return family, unit, shape, np.array(fill(prior.loc, p))


def _of_bridge(prior: Bridge, p: int) -> _Numbers:
    unit = _unit(prior, p)
    # exp(−|β/s|) is a Laplace density of scale s, exp(−(β/s)²) a normal one of sd s/√2.
    return _numbers(LAPLACE, unit) if prior.power == 1 else _numbers(NORMAL, unit / np.sqrt(2))


def _of_elastic_net(prior: ElasticNet, p: int) -> _Numbers:
    return _numbers(ELASTIC_NET, fill(prior.l1_scale, p), fill(prior.l2_scale, p) ** -2.0)


def _of_group(prior: GroupLaplace, p: int) -> _Numbers:
    labels = labels_of(prior.groups, p)
    sizes = np.bincount(labels)[labels].astype(float)
    return _numbers(GROUP_LAPLACE, fill(prior.scale, p), labels.astype(float), sizes)


def _of_slabbed(prior: RegularizedHorseshoe, p: int) -> _Numbers:
    slab = fill(prior.slab_scale, p)
    return _numbers(REGULARIZED_HORSESHOE, _unit(prior, p), slab, prior.slab_df)


_READERS: dict[type[Prior], Callable[..., _Numbers]] = {
    Normal: _of_normal,
    Laplace: lambda prior, p: _numbers(LAPLACE, _unit(prior, p)),
    ElasticNet: _of_elastic_net,
    Flat: lambda _, p: _numbers(_FLAT, np.full(p, np.inf)),
    StudentT: lambda prior, p: _numbers(STUDENT_T, _unit(prior, p), prior.nu),
    GeneralizedDoublePareto: lambda prior, p: _numbers(
        GENERALIZED_PARETO, _unit(prior, p), prior.shape
    ),
    Bridge: _of_bridge,
    RegularizedHorseshoe: _of_slabbed,
    Horseshoe: lambda prior, p: _numbers(HORSESHOE, _unit(prior, p)),
    SpikeSlab: lambda prior, p: _numbers(_SPIKE, fill(prior.slab_scale, p), prior.inclusion),
    GroupLaplace: _of_group,
}


def _pieces(problem: Problem) -> list[tuple[Prior, NDArray[np.intp]]]:
    prior = problem.coef_prior
    if not isinstance(prior, Blocks):
        return [(prior, np.arange(problem.p))]
    return [(part, np.asarray(columns, dtype=np.intp)) for part, columns in prior.parts]


def _parts(problem: Problem) -> list[_Part]:
    found: list[_Part] = []
    for prior, columns in _pieces(problem):
        known = _READERS[type(prior)](prior, columns.size) if columns.size else None
        family, unit, shape, loc = known or _numbers(NORMAL, np.zeros(0))
        whole = _Part(
            family,
            columns,
            unit,
            shape,
            loc,
            uses_scale=prior.hyperprior is not None,
            uses_sigma=prior.relative_to is not None,
        )
        found += _split(whole)
    return found


def _split(whole: _Part) -> list[_Part]:
    """Give coefficients without a finite width, or with one factor only, the family they have."""
    flat = np.isinf(whole.unit)
    if whole.family == GROUP_LAPLACE:
        order = np.argsort(whole.shape[:, 0], kind="stable")
        return [
            _Part(whole.family, whole.columns[order], whole.unit[order], whole.shape[order],
                  whole.loc[order])
        ]  # fmt: skip
    if whole.family != ELASTIC_NET:
        return [whole.where(~flat, whole.family), whole.where(flat, _FLAT)]
    precision = whole.shape[:, 0]
    ridge = whole.where(flat & (precision > 0), NORMAL)
    return [
        whole.where(~flat & (precision > 0), ELASTIC_NET),
        whole.where(~flat & (precision == 0), LAPLACE),
        _Part(NORMAL, ridge.columns, ridge.shape[:, 0] ** -0.5, 0 * ridge.shape, ridge.loc),
        whole.where(flat & (precision == 0), _FLAT),
    ]


def _joined(spikes: list[tuple[int, int, _Part]]) -> Spike | None:
    if not spikes:
        return None
    return Spike(
        low=spikes[0][0],
        high=spikes[-1][1],
        inclusion=np.concatenate([part.shape[:, 0] for *_, part in spikes]),
        slab=np.concatenate([part.unit for *_, part in spikes]),
    )


def reason_against_prior(problem: Problem) -> str | None:
    """Say why a prior is not a scale mixture of normals that the kernel knows; None if it is.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(sigma=1.0),
    ...                   prior=Laplace(scale=1.0, nonnegative=True))
    >>> reason_against_prior(problem)
    "prior: allows no negative coefficient of 'x0'"
    """
    for prior, columns in _pieces(problem):
        if not columns.size:
            continue
        name = problem.names[columns[0]]
        if type(prior) not in _READERS or (isinstance(prior, Bridge) and prior.power not in (1, 2)):
            return f"prior: that of {name!r}, {prior.name}, is no scale mixture of normals we draw"
        if isinstance(prior, Scaled | ElasticNet) and prior.nonnegative:
            return f"prior: allows no negative coefficient of {name!r}"
    return None


__all__ = [
    "ELASTIC_NET",
    "GENERALIZED_PARETO",
    "GROUP_LAPLACE",
    "HORSESHOE",
    "KNOWN",
    "LAPLACE",
    "NORMAL",
    "REGULARIZED_HORSESHOE",
    "STUDENT_T",
    "Block",
    "Hyperprior",
    "Plan",
    "Spike",
    "numbers_of",
    "reason_against_prior",
    "walked",
]
