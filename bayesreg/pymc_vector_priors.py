r"""Priors of coefficients together, which PyMC does not have: a variable of each is a vector.

``GroupLaplace``, ``LInfinity``, ``Slope``
    densities proportional to ``exp(−norm)``;
``Fused``
    a Laplace random walk along the vector.

The parameters, formulas and normalisers are those of the priors of the same names in
`bayesreg.priors`. One scale for all needs ``shape`` or ``dims``; one per coefficient does not. The
order of the parameters in the docstring of an op is that of ``op.dist_params(node)``.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.distributions.dist_math import check_parameters
from pymc.distributions.shape_utils import rv_size_is_none
from pytensor.tensor.variable import TensorVariable

from bayesreg.errors import InputError
from bayesreg.pymc_ops import DrawnRV, as_double

__all__ = [
    "Fused",
    "FusedRV",
    "GroupLaplace",
    "GroupLaplaceRV",
    "LInfinity",
    "LInfinityRV",
    "Slope",
    "SlopeRV",
    "as_groups",
]

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

LOG_2, LOG_PI = math.log(2), math.log(math.pi)


def as_vector(parameter: Any, shape: Any, *others: TensorVariable) -> TensorVariable:
    """Make one number per coefficient, where one number was given for all."""
    value = as_double(parameter)
    if value.ndim:
        return value
    lengths = [other.shape[-1] for other in others if other.ndim]
    if shape is not None:
        lengths += list(shape)[-1:] if isinstance(shape, tuple | list) else [shape]
    if not lengths:
        msg = "scale: one number does not say how many coefficients there are; give shape or dims"
        raise InputError(msg)
    return pt.full((lengths[-1],), value)


def at_the_origin(
    rv: TensorVariable,  # noqa: ARG001  # PyMC passes it first
    size: Any,
    scale: TensorVariable,
    *parameters: TensorVariable,  # noqa: ARG001  # whatever they are
) -> TensorVariable:
    """Start at zero, in the shape of a draw."""
    batch = () if rv_size_is_none(size) else tuple(size)
    return pt.zeros((*batch, scale.shape[-1]))


# --------------------------------------------------------------------------- groups, in a graph


def memberships(groups: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    """Positions that belong to a group, and which group: the two vectors that a graph holds."""
    members = np.array([j for group in groups for j in group], dtype=np.int64)
    labels = np.array([k for k, group in enumerate(groups) for _ in group], dtype=np.int64)
    return members, labels


def as_groups(members: Integers, labels: Integers) -> list[list[int]]:
    """Return the lists of positions that `members` and `labels` were made of."""
    count = int(labels.max(initial=-1)) + 1
    return [members[labels == k].astype(int).tolist() for k in range(count)]


def slots_of(p: Any, members: TensorVariable, labels: TensorVariable) -> TensorVariable:
    """Slot of each coefficient: that of its group, or one of its own; shape (p,)."""
    return (pt.arange(p) + members.shape[0])[members].set(labels)


def group_sizes(slots: TensorVariable, count: Any) -> TensorVariable:
    return pt.zeros((count,))[slots].inc(1.0)


def group_norm(u: TensorVariable, slots: TensorVariable, count: Any) -> TensorVariable:
    """Sum of the Euclidean norms of groups along the last axis; its gradient at 0 is 0."""
    empty = pt.zeros((*(u.shape[k] for k in range(u.ndim - 1)), count))
    squares = empty[..., slots].inc(u**2)
    positive = squares > 0
    return pt.switch(positive, pt.sqrt(pt.switch(positive, squares, 1.0)), 0.0).sum(axis=-1)


def log_group_unit(sizes: TensorVariable) -> TensorVariable:
    """Log normaliser at scale 1: ``Σ log(2 π^(d/2) Γ(d) / Γ(d/2))`` over groups of d."""
    d = pt.switch(sizes > 0, sizes, 1.0)
    logs = LOG_2 + 0.5 * d * LOG_PI - pt.gammaln(0.5 * d) + pt.gammaln(d)
    return pt.switch(sizes > 0, logs, 0.0).sum()


def log_sup_unit(p: Any) -> TensorVariable:
    """Log normaliser of the sup norm at scale 1: ``log(2^p p!)``."""
    length = pt.cast(p, "float64")
    return length * LOG_2 + pt.gammaln(length + 1)


def log_scales(scale: TensorVariable) -> TensorVariable:
    return pt.log(scale).sum(axis=-1)


def _draw_group_laplace(
    rng: np.random.Generator, scale: Floats, members: Integers, labels: Integers
) -> Floats:
    """Draw a direction from the sphere of each group, and a length from Gamma(d)."""
    p, m = scale.size, members.size
    slots = np.arange(p) + m
    for k in range(m):
        slots[members[k]] = labels[k]
    squares, sizes = np.zeros(p + m), np.zeros(p + m)
    out = np.empty(p)
    for j in range(p):
        out[j] = rng.standard_normal()
        squares[slots[j]] += out[j] ** 2
        sizes[slots[j]] += 1.0
    for k in range(p + m):
        if sizes[k] > 0:
            squares[k] = rng.standard_gamma(sizes[k]) / np.sqrt(squares[k])
    for j in range(p):
        out[j] *= squares[slots[j]] * scale[j]
    return out


class GroupLaplaceRV(DrawnRV):
    """Op of `GroupLaplace`: ``scale``, ``members`` and ``labels`` (positions in groups, and which).

    Positions that no group lists are groups of one.
    """

    name = "group_laplace"
    signature = "(p),(m),(m)->(p)"
    dtype = "float64"
    draw = staticmethod(_draw_group_laplace)
    _print_name = ("GroupLaplace", "\\operatorname{GroupLaplace}")


class GroupLaplace(pm.Continuous):
    r"""Group Laplace prior, the group lasso penalty (Yuan & Lin 2006).

    .. math:: p(x) \propto \exp\Bigl(-\sum_g \lVert (x/b)_g \rVert_2\Bigr)

    Parameters
    ----------
    scale : tensor_like of float
        Scale b > 0, in the units of `x`: one for all, or one per coefficient.
    groups : list of lists of int
        Positions of each group; a position in none is a group of its own.

    Examples
    --------
    >>> x = GroupLaplace.dist(scale=2.0, groups=[[0, 1]], shape=3)
    >>> float(pm.logp(x, [3.0, 4.0, -1.0]).eval().round(6))  # −3 − log(8 · 2π · 2)
    -7.610466
    """

    rv_op: ClassVar[GroupLaplaceRV] = GroupLaplaceRV()
    support_point = staticmethod(at_the_origin)

    @classmethod
    def dist(
        cls, scale: Any, groups: Sequence[Sequence[int]], *, shape: Any = None, **kwargs: Any
    ) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        parameters = [as_vector(scale, shape), *memberships(groups)]
        return super().dist(parameters, shape=shape, **kwargs)

    @staticmethod
    def logp(
        value: TensorVariable,
        scale: TensorVariable,
        members: TensorVariable,
        labels: TensorVariable,
    ) -> TensorVariable:
        """Return the log density in nats."""
        p = scale.shape[-1]
        slots, count = slots_of(p, members, labels), p + members.shape[0]
        unit = log_group_unit(group_sizes(slots, count))
        density = -group_norm(value / scale, slots, count) - unit - log_scales(scale)
        return check_parameters(density, scale > 0, msg="scale > 0")


# --------------------------------------------------------------------------- sup norm


def _draw_sup(rng: np.random.Generator, scale: Floats) -> Floats:
    """Draw a uniform point of the cube, and a level from Gamma(p + 1)."""
    level = rng.standard_gamma(scale.size + 1.0)
    out = np.empty(scale.size)
    for j in range(scale.size):
        out[j] = level * scale[j] * (2.0 * rng.random() - 1.0)
    return out


class LInfinityRV(DrawnRV):
    """Op of `LInfinity`; its parameter is ``scale``."""

    name = "l_infinity"
    signature = "(p)->(p)"
    dtype = "float64"
    draw = staticmethod(_draw_sup)
    _print_name = ("LInfinity", "\\operatorname{LInfinity}")


class LInfinity(pm.Continuous):
    r"""Sup-norm prior.

    .. math:: p(x) = \frac{\exp(-\max_j |x_j/b_j|)}{2^p\, p!\, \prod_j b_j}

    Parameters
    ----------
    scale : tensor_like of float
        Scale b > 0, in the units of `x`: one for all, or one per coefficient.

    Examples
    --------
    >>> x = LInfinity.dist(scale=1.0, shape=2)
    >>> float(pm.logp(x, [1.0, -3.0]).eval().round(6))  # −3 − log 8
    -5.079442
    """

    rv_op: ClassVar[LInfinityRV] = LInfinityRV()
    support_point = staticmethod(at_the_origin)

    @classmethod
    def dist(cls, scale: Any, *, shape: Any = None, **kwargs: Any) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        return super().dist([as_vector(scale, shape)], shape=shape, **kwargs)

    @staticmethod
    def logp(value: TensorVariable, scale: TensorVariable) -> TensorVariable:
        """Return the log density in nats."""
        norm = pt.abs(value / scale).max(axis=-1)
        density = -norm - log_sup_unit(scale.shape[-1]) - log_scales(scale)
        return check_parameters(density, scale > 0, msg="scale > 0")


# --------------------------------------------------------------------------- SLOPE


def _draw_slope(rng: np.random.Generator, scale: Floats, weights: Floats) -> Floats:
    """Add up exponential gaps, the smallest coefficient first; shuffle places; toss signs."""
    p = scale.size
    places, rates = np.arange(p), np.cumsum(weights)
    for i in range(p - 1, 0, -1):  # Fisher-Yates
        k = int(rng.random() * (i + 1))
        places[i], places[k] = places[k], places[i]
    out, size = np.empty(p), 0.0
    for i in range(p - 1, -1, -1):
        size += rng.standard_exponential() / rates[i]
        sign = 1.0 if rng.random() < 0.5 else -1.0
        out[places[i]] = sign * size * scale[places[i]]
    return out


class SlopeRV(DrawnRV):
    """Op of `Slope`; its parameters are ``scale`` and ``weights``."""

    name = "slope"
    signature = "(p),(p)->(p)"
    dtype = "float64"
    draw = staticmethod(_draw_slope)
    _print_name = ("Slope", "\\operatorname{Slope}")


class Slope(pm.Continuous):
    r"""SLOPE prior (Bogdan et al. 2015): weights on the sorted absolute values.

    .. math:: p(x) = \frac{\prod_i (w_1 + \dots + w_i)}{2^p\, p!\, \prod_j b_j}
        \exp\Bigl(-\sum_i w_i |x/b|_{(i)}\Bigr)

    Parameters
    ----------
    scale : tensor_like of float
        Scale b > 0, in the units of `x`: one for all, or one per coefficient.
    weights : tensor_like of float
        Weights of the places, the largest coefficient first: not increasing, the first positive.

    Examples
    --------
    >>> x = Slope.dist(scale=1.0, weights=[2.0, 1.0])
    >>> float(pm.logp(x, [1.0, -3.0]).eval().round(6))  # −7 − log(8/6)
    -7.287682
    """

    rv_op: ClassVar[SlopeRV] = SlopeRV()
    support_point = staticmethod(at_the_origin)

    @classmethod
    def dist(cls, scale: Any, weights: Any, *, shape: Any = None, **kwargs: Any) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        w = as_double(weights)
        return super().dist([as_vector(scale, shape, w), w], shape=shape, **kwargs)

    @staticmethod
    def logp(
        value: TensorVariable, scale: TensorVariable, weights: TensorVariable
    ) -> TensorVariable:
        """Return the log density in nats."""
        sizes = pt.sort(pt.abs(value / scale), axis=-1)
        penalty = (weights[..., ::-1] * sizes).sum(axis=-1)
        rates = pt.log(pt.cumsum(weights, axis=-1)).sum(axis=-1)
        density = rates - penalty - log_sup_unit(scale.shape[-1]) - log_scales(scale)
        valid = (weights >= 0, weights[..., 0] > 0, pt.le(pt.diff(weights, axis=-1), 0.0))
        return check_parameters(
            density, scale > 0, *valid, msg="scale > 0, weights >= 0 and not increasing"
        )


# --------------------------------------------------------------------------- fused


def _draw_fused(
    rng: np.random.Generator, factor: Floats, scale: float, first_scale: float
) -> Floats:
    """Add up Laplace steps."""
    if not np.isfinite(first_scale):
        raise ValueError("Fused: first_scale is inf, so there is nothing to draw from")
    out, level = np.empty(factor.size), 0.0
    for j in range(factor.size):
        level += rng.laplace(0.0, scale if j else first_scale)
        out[j] = level * factor[j]
    return out


class FusedRV(DrawnRV):
    """Op of `Fused`; its parameters are ``factor``, ``scale`` and ``first_scale``."""

    name = "fused"
    signature = "(p),(),()->(p)"
    dtype = "float64"
    draw = staticmethod(_draw_fused)
    _print_name = ("Fused", "\\operatorname{Fused}")


class Fused(pm.Continuous):
    r"""Laplace random walk: the fused lasso, or total variation, penalty.

    .. math:: x_1/f_1 \sim \mathrm{Laplace}(b_1), \qquad
        x_j/f_j - x_{j-1}/f_{j-1} \sim \mathrm{Laplace}(b)

    Parameters
    ----------
    scale : tensor_like of float
        Scale b > 0 of each step, in the units of `x`.
    first_scale : tensor_like of float
        Scale of the first coefficient; ``np.inf`` is the improper density 1, as in ``pm.Flat``.
    factor : tensor_like of float
        Known factors f > 0: one for all, or one per coefficient.

    Examples
    --------
    >>> x = Fused.dist(2.0, first_scale=1.0, shape=3)
    >>> float(pm.logp(x, [1.0, 1.0, 4.0]).eval().round(6))  # −2.5 − log(2 · 4 · 4)
    -5.965736
    """

    rv_op: ClassVar[FusedRV] = FusedRV()
    support_point = staticmethod(at_the_origin)

    @classmethod
    def dist(
        cls,
        scale: Any,
        first_scale: Any = np.inf,
        *,
        factor: Any = 1.0,
        shape: Any = None,
        **kwargs: Any,
    ) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        parameters = [as_vector(factor, shape), as_double(scale), as_double(first_scale)]
        return super().dist(parameters, shape=shape, **kwargs)

    @staticmethod
    def logp(
        value: TensorVariable,
        factor: TensorVariable,
        scale: TensorVariable,
        first_scale: TensorVariable,
    ) -> TensorVariable:
        """Return the log density in nats."""
        walk, first = value / factor, pt.lt(first_scale, np.inf)
        start = pt.abs(walk[..., 0]) / first_scale + pt.log(2 * first_scale * factor[..., 0])
        steps = pt.abs(pt.diff(walk, axis=-1)) / scale + pt.log(2 * scale * factor[..., 1:])
        density = -pt.switch(first, start, 0.0) - steps.sum(axis=-1)
        valid = (factor > 0, scale > 0, first_scale > 0)
        return check_parameters(density, *valid, msg="factor, scale and first_scale > 0")
