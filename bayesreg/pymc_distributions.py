r"""Distributions that PyMC does not have, used in a model like any other of its distributions.

``ElasticNet``
    the prior whose penalty is the elastic net;
``WeightedBernoulli`` and ``WeightedPoisson``
    likelihoods in which a row counts with a weight.

Each distribution has its own module-level ``RandomVariable`` class (``ElasticNetRV``,
``WeightedBernoulliRV``, ``WeightedPoissonRV``), so that a model can be read back with
``isinstance(variable.owner.op, ElasticNetRV)``. The order of the parameters of each op, which is
the order of ``op.dist_params(node)``, stands in its docstring.
"""

import math
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.dist_math import check_parameters
from pytensor.tensor.variable import TensorVariable

from bayesreg.pymc_ops import DrawnRV, as_double, filled

__all__ = [
    "ElasticNet",
    "ElasticNetRV",
    "WeightedBernoulli",
    "WeightedBernoulliRV",
    "WeightedPoisson",
    "WeightedPoissonRV",
]


def draw_elastic_net_size(rng: np.random.Generator, l1_scale: float, l2_scale: float) -> float:
    """Draw one absolute value by rejection.

    The narrower factor of the density proposes and the other one accepts, so that more than half of
    the proposals are kept for every ratio of the scales, and no tail probability is inverted.
    """
    while True:
        if l1_scale < l2_scale:
            size = l1_scale * rng.standard_exponential()
            cost = 0.5 * (size / l2_scale) ** 2
        else:
            size = l2_scale * abs(rng.standard_normal())
            cost = size / l1_scale
        if rng.standard_exponential() >= cost:
            return size


def _draw_bernoulli(rng: np.random.Generator, logit_p: float, weight: float) -> int:  # noqa: ARG001
    """Draw zero or one: a standard logistic variable lies below `logit_p` with probability p."""
    return 1 if rng.logistic(0.0, 1.0) < logit_p else 0


def _draw_poisson(rng: np.random.Generator, log_rate: float, weight: float) -> int:  # noqa: ARG001
    """Draw one count."""
    return rng.poisson(math.exp(log_rate))


class ElasticNetRV(DrawnRV):
    """Op of `ElasticNet`; its parameters are, in this order, ``l1_scale`` and ``l2_scale``."""

    name = "elastic_net"
    signature = "(),()->()"
    dtype = "float64"
    draw = staticmethod(draw_elastic_net_size)
    signed = True
    _print_name = ("ElasticNet", "\\operatorname{ElasticNet}")


class ElasticNet(pm.Continuous):
    r"""Elastic-net prior: a Laplace and a normal density, multiplied and normalised.

    .. math::

        p(x) = \frac{1}{Z} \exp\Bigl(-\frac{|x|}{b} - \frac{x^2}{2\tau^2}\Bigr), \qquad
        Z = \sqrt{2\pi}\, \tau\, \mathrm{erfcx}\Bigl(\frac{\tau}{b\sqrt{2}}\Bigr),
        \qquad x \in \mathbb{R}.

    Its penalty, in nats, is ``|x|/l1_scale + x**2/(2*l2_scale**2)``. It tends to
    ``Laplace(0, l1_scale)`` when `l2_scale` grows, and to ``Normal(0, l2_scale)`` when `l1_scale`
    grows. ``l1_scale=np.inf`` is that normal distribution; `l2_scale` is finite. PyMC's
    ``ParameterValueError`` is raised upon evaluation if a scale is outside of these ranges.

    Parameters
    ----------
    l1_scale : tensor_like of float
        The scale `b` > 0 of the Laplace factor, in the units of `x`.
    l2_scale : tensor_like of float
        The standard deviation :math:`\tau` > 0 of the normal factor, in the units of `x`.

    Examples
    --------
    >>> x = ElasticNet.dist(l1_scale=[1.0, 2.0, 3.0], l2_scale=1.5)
    >>> x.type.shape
    (3,)
    """

    rv_op: ClassVar[ElasticNetRV] = ElasticNetRV()

    @classmethod
    def dist(cls, l1_scale: Any, l2_scale: Any, **kwargs: Any) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        parameters = [as_double(l1_scale), as_double(l2_scale)]
        return super().dist(parameters, **kwargs)

    @staticmethod
    def support_point(
        rv: TensorVariable,  # noqa: ARG004  # PyMC passes it first
        size: Any,
        l1_scale: TensorVariable,
        l2_scale: TensorVariable,
    ) -> TensorVariable:
        """Return the mean and mode, zero, in the shape of a draw."""
        return filled(size, pt.zeros(()), l1_scale, l2_scale)

    @staticmethod
    def logp(
        value: TensorVariable, l1_scale: TensorVariable, l2_scale: TensorVariable
    ) -> TensorVariable:
        """Return the log density in nats."""
        log_normaliser = (
            0.5 * np.log(2 * np.pi)
            + pt.log(l2_scale)
            + pt.log(pt.erfcx(l2_scale / (l1_scale * np.sqrt(2))))
        )
        density = -pt.abs(value) / l1_scale - 0.5 * (value / l2_scale) ** 2 - log_normaliser
        return check_parameters(
            density,
            l1_scale > 0,
            l2_scale > 0,
            l2_scale < np.inf,
            msg="l1_scale > 0, 0 < l2_scale < inf",
        )


class WeightedBernoulliRV(DrawnRV):
    """Op of `WeightedBernoulli`; its parameters are, in this order, ``logit_p`` and ``weights``."""

    name = "weighted_bernoulli"
    signature = "(),()->()"
    dtype = "int64"
    draw = staticmethod(_draw_bernoulli)
    _print_name = ("WeightedBernoulli", "\\operatorname{WeightedBernoulli}")


class WeightedBernoulli(pm.Discrete):
    r"""Bernoulli likelihood in which a row of weight `w` counts `w` times.

    .. math:: \log p(y) = w\,\bigl(y \eta - \log(1 + e^{\eta})\bigr), \qquad y \in \{0, 1\},

    with :math:`\eta` the log odds. The weights act on the likelihood only: a draw is *one*
    observation from ``Bernoulli(logit_p)``, whatever its weight.

    Parameters
    ----------
    logit_p : tensor_like of float
        Log odds, in nats.
    weights : tensor_like of float
        Weights :math:`\ge 0`, without unit. One gives the plain Bernoulli likelihood.

    Examples
    --------
    >>> y = WeightedBernoulli.dist(logit_p=[0.0, 1.0], weights=2.0)
    >>> y.type.shape, y.dtype
    ((2,), 'int64')
    """

    rv_op: ClassVar[WeightedBernoulliRV] = WeightedBernoulliRV()

    @classmethod
    def dist(cls, logit_p: Any, weights: Any, **kwargs: Any) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        parameters = [as_double(logit_p), as_double(weights)]
        return super().dist(parameters, **kwargs)

    @staticmethod
    def support_point(
        rv: TensorVariable,  # noqa: ARG004  # PyMC passes it first
        size: Any,
        logit_p: TensorVariable,
        weights: TensorVariable,
    ) -> TensorVariable:
        """Return the most probable value in the shape of a draw."""
        return filled(size, pt.switch(logit_p < 0, 0, 1), weights)

    @staticmethod
    def logp(
        value: TensorVariable, logit_p: TensorVariable, weights: TensorVariable
    ) -> TensorVariable:
        """Return the weighted log probability in nats."""
        mass = -pt.softplus((1 - 2 * value) * logit_p)
        supported = pt.eq(value, 0) | pt.eq(value, 1)
        log_mass = pt.switch(supported, weights * mass, -np.inf)
        return check_parameters(log_mass, weights >= 0, msg="weights >= 0")


class WeightedPoissonRV(DrawnRV):
    """Op of `WeightedPoisson`; its parameters are, in this order, ``log_rate`` and ``weights``."""

    name = "weighted_poisson"
    signature = "(),()->()"
    dtype = "int64"
    draw = staticmethod(_draw_poisson)
    _print_name = ("WeightedPoisson", "\\operatorname{WeightedPoisson}")


class WeightedPoisson(pm.Discrete):
    r"""Poisson likelihood in which a row of weight `w` counts `w` times.

    .. math:: \log p(y) = w\,(y \eta - e^{\eta} - \log y!), \qquad y \in \{0, 1, 2, \dots\},

    with :math:`\eta` the log rate. The weights act on the likelihood only: a draw is *one*
    observation from ``Poisson(exp(log_rate))``, whatever its weight.

    Parameters
    ----------
    log_rate : tensor_like of float
        Logarithm of the expected count; finite.
    weights : tensor_like of float
        Weights :math:`\ge 0`, without unit. One gives the plain Poisson likelihood.

    Examples
    --------
    >>> y = WeightedPoisson.dist(log_rate=[0.0, 1.0], weights=2.0)
    >>> y.type.shape, y.dtype
    ((2,), 'int64')
    """

    rv_op: ClassVar[WeightedPoissonRV] = WeightedPoissonRV()

    @classmethod
    def dist(cls, log_rate: Any, weights: Any, **kwargs: Any) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        parameters = [as_double(log_rate), as_double(weights)]
        return super().dist(parameters, **kwargs)

    @staticmethod
    def support_point(
        rv: TensorVariable,  # noqa: ARG004  # PyMC passes it first
        size: Any,
        log_rate: TensorVariable,
        weights: TensorVariable,
    ) -> TensorVariable:
        """Return the mode in the shape of a draw."""
        return filled(size, pt.floor(pt.exp(log_rate)), weights)

    @staticmethod
    def logp(
        value: TensorVariable, log_rate: TensorVariable, weights: TensorVariable
    ) -> TensorVariable:
        """Return the weighted log probability in nats."""
        mass = value * log_rate - pt.exp(log_rate) - pt.gammaln(value + 1)
        supported = (value >= 0) & pt.eq(value, pt.floor(value))
        log_mass = pt.switch(supported, weights * mass, -np.inf)
        return check_parameters(log_mass, weights >= 0, msg="weights >= 0")
