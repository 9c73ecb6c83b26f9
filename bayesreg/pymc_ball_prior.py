"""Uniform prior on the ball of a norm, which PyMC does not have: a variable is a vector.

The parameters, formulas and normalisers are those of `bayesreg.UniformBall`.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, get_args

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.distributions.dist_math import check_parameters
from pymc.distributions.transforms import Transform, _default_transform
from pytensor.tensor.variable import TensorVariable

from bayesreg.errors import unknown_name
from bayesreg.priors.balls import BallNorm
from bayesreg.priors.balls import UniformBall as BallPrior
from bayesreg.pymc_ops import DrawnRV, as_double
from bayesreg.pymc_vector_priors import (
    as_vector,
    at_the_origin,
    group_norm,
    group_sizes,
    log_group_unit,
    log_scales,
    log_sup_unit,
    memberships,
    slots_of,
)

__all__ = ["BALL_NORMS", "IntoBall", "UniformBall", "UniformBallRV", "ball_coordinates"]

type Floats = NDArray[np.float64]
type Integers = NDArray[np.int64]

#: Norms of a `UniformBall`, in the order of their numbers in the graph.
BALL_NORMS: tuple[BallNorm, ...] = get_args(BallNorm.__value__)
_L2, _LINF = BALL_NORMS.index("l2"), BALL_NORMS.index("linf")
# What rounding may do to the norm of a point on the border.
_BORDER = 64 * np.finfo(float).eps
# A point of the border is this far out in the coordinates of `IntoBall`: x/(1 + x) is 1 there.
_FAR = 2.0**60


def _ball_norm(
    u: TensorVariable, norm: TensorVariable, members: TensorVariable, labels: TensorVariable
) -> TensorVariable:
    slots, count = _ball_slots(u.shape[-1], norm, members, labels)
    largest = pt.abs(u).max(axis=-1)
    return pt.switch(pt.eq(norm, _LINF), largest, group_norm(u, slots, count))


def _ball_slots(
    p: Any, norm: TensorVariable, members: TensorVariable, labels: TensorVariable
) -> tuple[TensorVariable, Any]:
    """Groups whose norms add up: one for all in the L2 ball, of one each in the L1 ball."""
    slots = pt.switch(pt.eq(norm, _L2), 0, slots_of(p, members, labels))
    return slots, p + members.shape[0]


def _draw_ball(
    rng: np.random.Generator,
    scale: Floats,
    radius: float,
    norm: int,
    members: Integers,
    labels: Integers,
) -> Floats:
    """Draw a direction from ``exp(−norm)``; the p-th power of the radius is uniform.

    With the slots of `_draw_group_laplace`: lengths of groups are Gamma(d), and their sum the norm.
    """
    p, m = scale.size, members.size
    slots = np.arange(p) + m
    for k in range(m):
        slots[members[k]] = labels[k]
    if norm == _L2:
        slots[:] = 0
    squares, sizes = np.zeros(p + m), np.zeros(p + m)
    out, length = np.empty(p), 0.0
    for j in range(p):
        out[j] = 2.0 * rng.random() - 1.0 if norm == _LINF else rng.standard_normal()
        squares[slots[j]] += out[j] ** 2
        sizes[slots[j]] += 1.0
    if norm == _LINF:
        return out * scale * radius
    for k in range(p + m):
        if sizes[k] > 0:
            gamma = rng.standard_gamma(sizes[k])
            length += gamma
            squares[k] = gamma / np.sqrt(squares[k])
    size = radius * rng.random() ** (1.0 / p) / length
    for j in range(p):
        out[j] *= squares[slots[j]] * scale[j] * size
    return out


class UniformBallRV(DrawnRV):
    """Op of `UniformBall`: ``scale``, ``radius``, ``norm``, ``members``, ``labels``.

    The norm is its position in `BALL_NORMS`; groups are those of `GroupLaplaceRV`.
    """

    name = "uniform_ball"
    signature = "(p),(),(),(m),(m)->(p)"
    dtype = "float64"
    draw = staticmethod(_draw_ball)
    _print_name = ("UniformBall", "\\operatorname{UniformBall}")


class UniformBall(pm.Continuous):
    r"""Uniform prior on a ball ``N(x/scale) <= radius``: the constrained form of a penalty.

    PyMC samples the coordinates of `IntoBall`, unless ``default_transform=None``.

    Parameters
    ----------
    radius : tensor_like of float
        Radius > 0, in the units of `x` where `scale` is 1.
    norm : {"l1", "l2", "linf", "group"}
        Which norm; ``"group"`` is the sum over groups of Euclidean norms.
    scale : tensor_like of float
        Units of the coefficients: one for all, or one per coefficient.
    groups : list of lists of int
        As in `GroupLaplace`, for ``norm="group"``.

    Examples
    --------
    >>> x = UniformBall.dist(2.0, "l1", shape=2)  # a square with diagonals of 4
    >>> [float(pm.logp(x, point).exp().eval().round(6)) for point in ([1.0, -0.5], [1.5, 1.0])]
    [0.125, 0.0]
    """

    rv_op: ClassVar[UniformBallRV] = UniformBallRV()
    support_point = staticmethod(at_the_origin)

    @classmethod
    def dist(
        cls,
        radius: Any,
        norm: BallNorm = "l2",
        *,
        scale: Any = 1.0,
        groups: Sequence[Sequence[int]] = (),
        shape: Any = None,
        **kwargs: Any,
    ) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        if norm not in BALL_NORMS:
            raise unknown_name("norm", norm, BALL_NORMS)
        parameters = [as_vector(scale, shape), as_double(radius), BALL_NORMS.index(norm)]
        return super().dist([*parameters, *memberships(groups)], shape=shape, **kwargs)

    @staticmethod
    def logp(
        value: TensorVariable,
        scale: TensorVariable,
        radius: TensorVariable,
        *norm: TensorVariable,
    ) -> TensorVariable:
        """Return minus the log volume inside (the border included), minus infinity outside."""
        p = scale.shape[-1]
        length = pt.cast(p, "float64")
        slots, count = _ball_slots(p, *norm)
        groups = log_group_unit(group_sizes(slots, count))
        unit = pt.switch(pt.eq(norm[0], _LINF), log_sup_unit(p), groups) - pt.gammaln(length + 1)
        volume = unit + length * pt.log(radius) + log_scales(scale)
        inside = _ball_norm(value / (scale * radius), *norm) <= 1 + _BORDER
        density = pt.switch(inside, -volume, -np.inf)
        return check_parameters(density, scale > 0, radius > 0, msg="scale > 0, radius > 0")


class IntoBall(Transform):
    """Coordinates z of all of space for the points of a ball: ``x = radius scale z/(1 + N(z))``.

    The map keeps directions, and takes a norm of N to N/(1 + N), so that its Jacobian is
    ``Π(radius scale) (1 + N)^−(p + 1)``. The border is at infinity; 2^60 stands for that, where
    N/(1 + N) is 1 in double precision.
    """

    name = "into_ball"
    ndim_supp = 1

    def forward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """From the ball to its coordinates."""
        _, _, scale, radius, *norm = inputs
        u = value / (scale * radius)
        gap = 1 - _ball_norm(u, *norm)
        return u / pt.maximum(gap, 1 / _FAR)[..., None]

    def backward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """From coordinates to the ball."""
        _, _, scale, radius, *norm = inputs
        return radius * scale * value / (1 + _ball_norm(value, *norm))[..., None]

    def log_jac_det(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """Log Jacobian determinant of `backward`."""
        _, _, scale, radius, *norm = inputs
        p = pt.cast(scale.shape[-1], "float64")
        whole = p * pt.log(radius) + log_scales(scale)
        return whole - (p + 1) * pt.log1p(_ball_norm(value, *norm))


def ball_coordinates(prior: BallPrior, coef: Floats) -> Floats:
    """Return what `IntoBall.forward` returns, for numbers; shape (p,).

    Examples
    --------
    >>> ball_coordinates(BallPrior(2.0), np.array([0.0, 1.0]))  # half way to the border
    array([0., 1.])
    """
    p = coef.size
    u = coef / (np.broadcast_to(prior.scale, p) * prior.radius)
    gap = 1.0 - prior.penalty(p).shape.value(coef)
    return np.asarray(u / max(gap, 1 / _FAR))


def _into_ball(op: UniformBallRV, rv: TensorVariable) -> IntoBall:  # noqa: ARG001  # PyMC's order
    return IntoBall()


_default_transform.register(UniformBall, _into_ball)
