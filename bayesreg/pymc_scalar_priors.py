r"""Priors of single coefficients that PyMC does not have, used like any other of its distributions.

``GeneralizedDoublePareto``, ``Bridge``, ``Horseshoe``, ``RegularizedHorseshoe``
    sharp peaks and heavy tails, or tails that end in a slab;
``HalfElasticNet``, ``HalfGeneralizedDoublePareto``, ``HalfBridge``
    the absolute values of such variables, for coefficients that are at least 0. PyMC samples the
    logarithm, as that of a ``pm.HalfNormal``; zero is then minus infinity.

The parameters, formulas and normalisers are those of the priors of the same names in
`bayesreg.priors`; their order in the docstring of an op is that of ``op.dist_params(node)``.
"""

import math
from typing import Any, ClassVar

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.distributions.continuous import PositiveContinuous
from pymc.distributions.dist_math import check_parameters
from pytensor.tensor.basic import get_underlying_scalar_constant_value
from pytensor.tensor.variable import TensorVariable
from scipy import special

from bayesreg.priors.degenerate import log_mean_root
from bayesreg.pymc_distributions import ElasticNet, draw_elastic_net_size
from bayesreg.pymc_ops import DrawnRV, as_double, filled

__all__ = [
    "Bridge",
    "BridgeRV",
    "GeneralizedDoublePareto",
    "GeneralizedDoubleParetoRV",
    "HalfBridge",
    "HalfBridgeRV",
    "HalfElasticNet",
    "HalfElasticNetRV",
    "HalfGeneralizedDoublePareto",
    "HalfGeneralizedDoubleParetoRV",
    "Horseshoe",
    "HorseshoeRV",
    "RegularizedHorseshoe",
    "RegularizedHorseshoeRV",
]

LOG_2 = math.log(2)


def _half(value: TensorVariable, log_density: TensorVariable) -> TensorVariable:
    """Log density of the absolute value of a variable whose density is symmetric."""
    return pt.switch(value >= 0, log_density + LOG_2, -np.inf)


def _at_the_scale(
    rv: TensorVariable,  # noqa: ARG001  # PyMC passes it first
    size: Any,
    *parameters: TensorVariable,
) -> TensorVariable:
    """Start at the first scale: zero has no logarithm, or an infinite density or slope."""
    return filled(size, *parameters)


class _ScaleAndPower:
    """What the priors with these two parameters have in common."""

    @classmethod
    def dist(cls, scale: Any, power: Any, **kwargs: Any) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        return super().dist([as_double(scale), as_double(power)], **kwargs)  # type: ignore[misc]


# --------------------------------------------------------------------------- elastic net


class HalfElasticNetRV(DrawnRV):
    """Op of `HalfElasticNet`; its parameters are ``l1_scale`` and ``l2_scale``."""

    name = "half_elastic_net"
    signature = "(),()->()"
    dtype = "float64"
    draw = staticmethod(draw_elastic_net_size)
    _print_name = ("HalfElasticNet", "\\operatorname{HalfElasticNet}")


class HalfElasticNet(PositiveContinuous):
    r"""Elastic-net prior of a coefficient that is at least 0.

    Its penalty, in nats, is ``x/l1_scale + x**2/(2*l2_scale**2)``.

    Parameters
    ----------
    l1_scale, l2_scale : tensor_like of float
        As in `bayesreg.pymc_distributions.ElasticNet`.

    Examples
    --------
    >>> density = pm.logp(HalfElasticNet.dist(l1_scale=1.0, l2_scale=2.0), [-1.0, 0.5])
    >>> density.eval().round(4)
    array([   -inf, -0.3602])
    """

    rv_op: ClassVar[HalfElasticNetRV] = HalfElasticNetRV()

    @classmethod
    def dist(cls, l1_scale: Any, l2_scale: Any, **kwargs: Any) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        return super().dist([as_double(l1_scale), as_double(l2_scale)], **kwargs)

    support_point = staticmethod(_at_the_scale)

    @staticmethod
    def logp(
        value: TensorVariable, l1_scale: TensorVariable, l2_scale: TensorVariable
    ) -> TensorVariable:
        """Return the log density in nats."""
        return _half(value, ElasticNet.logp(value, l1_scale, l2_scale))


# --------------------------------------------------------------------------- double Pareto


def _draw_pareto_size(rng: np.random.Generator, scale: float, shape: float) -> float:
    """Invert the distribution function."""
    return scale * shape * math.expm1(rng.standard_exponential() / shape)


class GeneralizedDoubleParetoRV(DrawnRV):
    """Op of `GeneralizedDoublePareto`; its parameters are ``scale`` and ``power``."""

    name = "generalized_double_pareto"
    signature = "(),()->()"
    dtype = "float64"
    draw = staticmethod(_draw_pareto_size)
    signed = True
    _print_name = ("GeneralizedDoublePareto", "\\operatorname{GeneralizedDoublePareto}")


class GeneralizedDoublePareto(_ScaleAndPower, pm.Continuous):
    r"""Generalised double Pareto prior (Armagan, Dunson & Lee 2013).

    .. math:: p(x) = \frac{1}{2\xi} \Bigl(1 + \frac{|x|}{\alpha \xi}\Bigr)^{-\alpha - 1}

    Parameters
    ----------
    scale : tensor_like of float
        The scale :math:`\xi` > 0, in the units of `x`.
    power : tensor_like of float
        The power :math:`\alpha` > 0 of the tails, called ``shape`` in
        `bayesreg.GeneralizedDoublePareto` (in PyMC that is the shape of the array).

    Examples
    --------
    >>> x = GeneralizedDoublePareto.dist(scale=[1.0, 2.0], power=3.0)
    >>> x.type.shape
    (2,)
    """

    rv_op: ClassVar[GeneralizedDoubleParetoRV] = GeneralizedDoubleParetoRV()

    @staticmethod
    def support_point(
        rv: TensorVariable,  # noqa: ARG004  # PyMC passes it first
        size: Any,
        scale: TensorVariable,
        power: TensorVariable,
    ) -> TensorVariable:
        """Return the mode, zero, in the shape of a draw."""
        return filled(size, pt.zeros(()), scale, power)

    @staticmethod
    def logp(value: TensorVariable, scale: TensorVariable, power: TensorVariable) -> TensorVariable:
        """Return the log density in nats."""
        penalty = (power + 1) * pt.log1p(pt.abs(value) / (power * scale))
        density = -penalty - pt.log(scale) - LOG_2
        return check_parameters(density, scale > 0, power > 0, msg="scale > 0, power > 0")


class HalfGeneralizedDoubleParetoRV(DrawnRV):
    """Op of `HalfGeneralizedDoublePareto`; its parameters are ``scale`` and ``power``."""

    name = "half_generalized_double_pareto"
    signature = "(),()->()"
    dtype = "float64"
    draw = staticmethod(_draw_pareto_size)
    _print_name = ("HalfGeneralizedDoublePareto", "\\operatorname{HalfGeneralizedDoublePareto}")


class HalfGeneralizedDoublePareto(_ScaleAndPower, PositiveContinuous):
    """Absolute value of a `GeneralizedDoublePareto` variable, with its parameters.

    Examples
    --------
    >>> x = HalfGeneralizedDoublePareto.dist(scale=[1.0, 2.0], power=3.0)
    >>> bool((pm.draw(x, random_seed=0) > 0).all())
    True
    """

    rv_op: ClassVar[HalfGeneralizedDoubleParetoRV] = HalfGeneralizedDoubleParetoRV()

    support_point = staticmethod(_at_the_scale)

    @staticmethod
    def logp(value: TensorVariable, scale: TensorVariable, power: TensorVariable) -> TensorVariable:
        """Return the log density in nats."""
        return _half(value, GeneralizedDoublePareto.logp(value, scale, power))


# --------------------------------------------------------------------------- bridge


def _draw_bridge_size(rng: np.random.Generator, scale: float, power: float) -> float:
    """Take a root of a gamma variable: ``(size/scale)^power`` is one of shape 1/power."""
    return float(scale * rng.standard_gamma(1 / power) ** (1 / power))


class BridgeRV(DrawnRV):
    """Op of `Bridge`; its parameters are ``scale`` and ``power``."""

    name = "bridge"
    signature = "(),()->()"
    dtype = "float64"
    draw = staticmethod(_draw_bridge_size)
    signed = True
    _print_name = ("Bridge", "\\operatorname{Bridge}")


class Bridge(_ScaleAndPower, pm.Continuous):
    r"""Bridge prior (Frank & Friedman 1993), whose penalty is a power.

    .. math:: p(x) = \frac{\exp(-|x/s|^q)}{2 s\, \Gamma(1 + 1/q)}

    Parameters
    ----------
    scale : tensor_like of float
        The scale s > 0, in the units of `x`.
    power : tensor_like of float
        The exponent q > 0. Below 1 the slope at zero is infinite.

    Examples
    --------
    >>> x = Bridge.dist(scale=[1.0, 2.0], power=0.5)
    >>> x.type.shape
    (2,)
    """

    rv_op: ClassVar[BridgeRV] = BridgeRV()

    support_point = staticmethod(_at_the_scale)

    @staticmethod
    def logp(value: TensorVariable, scale: TensorVariable, power: TensorVariable) -> TensorVariable:
        """Return the log density in nats."""
        normaliser = pt.log(scale) + LOG_2 + pt.gammaln(1 + 1 / power)
        density = -(pt.abs(value / scale) ** power) - normaliser
        return check_parameters(density, scale > 0, power > 0, msg="scale > 0, power > 0")


class HalfBridgeRV(DrawnRV):
    """Op of `HalfBridge`; its parameters are ``scale`` and ``power``."""

    name = "half_bridge"
    signature = "(),()->()"
    dtype = "float64"
    draw = staticmethod(_draw_bridge_size)
    _print_name = ("HalfBridge", "\\operatorname{HalfBridge}")


class HalfBridge(_ScaleAndPower, PositiveContinuous):
    """Absolute value of a `Bridge` variable, with its parameters.

    Examples
    --------
    >>> x = HalfBridge.dist(scale=[1.0, 2.0], power=0.5)
    >>> bool((pm.draw(x, random_seed=0) > 0).all())
    True
    """

    rv_op: ClassVar[HalfBridgeRV] = HalfBridgeRV()

    support_point = staticmethod(_at_the_scale)

    @staticmethod
    def logp(value: TensorVariable, scale: TensorVariable, power: TensorVariable) -> TensorVariable:
        """Return the log density in nats."""
        return _half(value, Bridge.logp(value, scale, power))


# --------------------------------------------------------------------------- horseshoe

_WHERE_SERIES = 1.5
_SERIES = np.array([-((-1.0) ** k) / (k * math.factorial(k)) for k in range(1, 27)])
_NODES, _WEIGHTS = special.roots_laguerre(64)


def _log_scaled_exp1(x: TensorVariable) -> TensorVariable:
    """``log(exp(x) E1(x))``, made of operations that every backend can run and differentiate.

    Up to 1.5 by the power series of ``E1(x) + log x + γ``; beyond, Gauss-Laguerre quadrature of
    ``exp(x) E1(x) = ∫ exp(−t)/(x + t) dt`` over t >= 0. Each is exact to 1e-14 where it is used.
    """
    near = pt.switch(x < _WHERE_SERIES, x, _WHERE_SERIES)
    far = pt.switch(x < _WHERE_SERIES, _WHERE_SERIES, x)
    powers = pt.expand_dims(near, -1) ** np.arange(1.0, _SERIES.size + 1)
    series = (powers * _SERIES).sum(axis=-1) - np.euler_gamma - pt.log(near)
    integral = (_WEIGHTS / (pt.expand_dims(far, -1) + _NODES)).sum(axis=-1)
    return pt.switch(x < _WHERE_SERIES, x + pt.log(series), pt.log(integral))


def _draw_horseshoe_size(rng: np.random.Generator, scale: float) -> float:
    """Draw the local scale, the size of a Cauchy variable, and the coefficient."""
    cauchy = rng.standard_normal() / rng.standard_normal()
    return abs(scale * cauchy * rng.standard_normal())


class HorseshoeRV(DrawnRV):
    """Op of `Horseshoe`; its parameter is ``scale``."""

    name = "horseshoe"
    signature = "()->()"
    dtype = "float64"
    draw = staticmethod(_draw_horseshoe_size)
    signed = True
    _print_name = ("Horseshoe", "\\operatorname{Horseshoe}")


class Horseshoe(pm.Continuous):
    r"""Horseshoe prior (Carvalho, Polson & Scott 2010) of one coefficient, local scale integrated.

    .. math::

        p(x) = \frac{e^{z} E_1(z)}{\tau \sqrt{2 \pi^3}}, \qquad z = \frac{x^2}{2\tau^2},

    infinite at zero. Written with variables ``lam = pm.HalfCauchy("lam", 1)`` and
    ``pm.Normal("x", 0, tau * lam)`` the prior of x is the same, but the model has more variables:
    another posterior, with this one as its margin. NUTS moves better in those.

    Parameters
    ----------
    scale : tensor_like of float
        The global scale :math:`\tau` > 0, in the units of `x`.

    Examples
    --------
    >>> pm.logp(Horseshoe.dist(scale=1.0), [0.0, 1.0]).eval().round(6)
    array([      inf, -2.143891])
    """

    rv_op: ClassVar[HorseshoeRV] = HorseshoeRV()

    @classmethod
    def dist(cls, scale: Any, **kwargs: Any) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        return super().dist([as_double(scale)], **kwargs)

    support_point = staticmethod(_at_the_scale)

    @staticmethod
    def logp(value: TensorVariable, scale: TensorVariable) -> TensorVariable:
        """Return the log density in nats; inf at zero."""
        normaliser = pt.log(scale) + 0.5 * math.log(2 * math.pi**3)
        density = _log_scaled_exp1(0.5 * (value / scale) ** 2) - normaliser
        return check_parameters(density, scale > 0, msg="scale > 0")


# --------------------------------------------------------------------------- regularised horseshoe

_LAST, _STEPS = 40.0, 160


def _log_slabbed(a: TensorVariable, ratio: TensorVariable) -> TensorVariable:
    """``log 2 ∫ √(r + x²)/(1 + x²) exp(−a x²) dx``: `bayesreg.priors.degenerate` says how."""
    unit = pt.sqrt(pt.minimum(ratio, 1.0))
    step = pt.arcsinh(pt.sqrt(_LAST / a) / unit) / _STEPS
    t = pt.expand_dims(step, -1) * np.arange(_STEPS + 1.0)
    unit, ratio, rate = (pt.expand_dims(v, -1) for v in (unit, ratio, a))
    square = (unit * pt.sinh(t)) ** 2
    terms = pt.sqrt(ratio + square) * unit * pt.cosh(t) / (1.0 + square) * pt.exp(-rate * square)
    return pt.log(2.0 * step) + pt.log((terms * np.r_[0.5, np.ones(_STEPS)]).sum(axis=-1))


def _log_t_slabbed(a: TensorVariable, log_ratio: TensorVariable, half: float) -> TensorVariable:
    """Return the same for a random slab, ``r = ratio · Gamma(half, 1)``, averaged."""
    log_m = pt.minimum(0.0, -0.5 * pt.log(a))
    step = (0.5 * pt.log(_LAST / a) - log_m + 3.9) / _STEPS
    t = pt.expand_dims(step, -1) * np.arange(_STEPS + 1.0) - 3.7
    log_x = pt.expand_dims(log_m, -1) + t - pt.exp(-t)
    square = pt.exp(2.0 * log_x)
    mean = _log_mean_root(half, 2.0 * log_x - pt.expand_dims(log_ratio, -1))
    size = pt.exp(mean + log_x - pt.expand_dims(a, -1) * square)
    terms = size * (1.0 + pt.exp(-t)) / (1.0 + square)
    return 0.5 * log_ratio + pt.log(2.0 * step) + pt.log(terms.sum(axis=-1))


def _log_mean_root(half: float, z: TensorVariable) -> TensorVariable:
    """``log E √(w + e^z)``, w from Gamma(half, 1): the pieces of a spline, looked up."""
    spline = log_mean_root(half)
    low, high, width = spline.x[0], spline.x[-1], spline.x[1] - spline.x[0]
    inside = pt.clip(z, low, high - 1e-9 * width)
    place = pt.floor((inside - low) / width).astype("int64")
    piece, rest = pt.constant(spline.c), inside - (low + place * width)
    value = piece[0][place]
    for power in range(1, 4):
        value = value * rest + piece[power][place]
    return value + 0.5 * pt.maximum(z - high, 0.0)


def _draw_slabbed_size(
    rng: np.random.Generator, scale: float, slab_scale: float, slab_df: float
) -> float:
    """Draw the local scale, the slab if it is random, and the coefficient."""
    local = abs(scale * rng.standard_normal() / rng.standard_normal())
    slab = slab_scale
    if math.isfinite(slab_df):
        slab = slab_scale * math.sqrt(0.5 * slab_df / rng.standard_gamma(0.5 * slab_df))
    return abs(rng.standard_normal()) * local * (slab / math.hypot(local, slab))


class RegularizedHorseshoeRV(DrawnRV):
    """Op of `RegularizedHorseshoe`; its parameters are ``scale``, ``slab_scale``, ``slab_df``."""

    name = "regularized_horseshoe"
    signature = "(),(),()->()"
    dtype = "float64"
    draw = staticmethod(_draw_slabbed_size)
    signed = True
    _print_name = ("RegularizedHorseshoe", "\\operatorname{RegularizedHorseshoe}")


class RegularizedHorseshoe(pm.Continuous):
    r"""Regularised horseshoe (Piironen & Vehtari 2017) of one coefficient, local scale integrated.

    The density of `bayesreg.RegularizedHorseshoe`, a one-dimensional integral by quadrature;
    infinite at zero. NUTS moves better in a model with the local scales as variables.

    Parameters
    ----------
    scale : tensor_like of float
        The global scale > 0, in the units of `x`.
    slab_scale : tensor_like of float
        The width of the slab > 0.
    slab_df : float
        Degrees of freedom of the slab > 0, one known number; infinite: a slab of known width.

    Examples
    --------
    >>> x = RegularizedHorseshoe.dist(scale=1.0, slab_scale=2.0, slab_df=np.inf)
    >>> pm.logp(x, [0.0, 1.0]).eval().round(6)
    array([      inf, -1.909621])
    """

    rv_op: ClassVar[RegularizedHorseshoeRV] = RegularizedHorseshoeRV()

    @classmethod
    def dist(cls, scale: Any, slab_scale: Any, slab_df: Any, **kwargs: Any) -> TensorVariable:
        """Return an unregistered variable; the keywords are those of any PyMC ``dist``."""
        parameters = [as_double(v) for v in (scale, slab_scale, slab_df)]
        return super().dist(parameters, **kwargs)

    support_point = staticmethod(_at_the_scale)

    @staticmethod
    def logp(
        value: TensorVariable,
        scale: TensorVariable,
        slab_scale: TensorVariable,
        slab_df: TensorVariable,
    ) -> TensorVariable:
        """Return the log density in nats; inf at zero."""
        df = float(get_underlying_scalar_constant_value(slab_df))
        value, scale, slab = pt.broadcast_arrays(value, scale, slab_scale)
        size = pt.switch(pt.eq(value, 0.0), scale, value)
        a, constant = 0.5 * (size / scale) ** 2, pt.log(scale) + 0.5 * math.log(2 * math.pi**3)
        if math.isinf(df):
            density = _log_slabbed(a, (scale / slab) ** 2) - 0.5 * (size / slab) ** 2 - constant
        else:
            rate = 0.5 * (df * slab**2 + size**2)
            tilt = 0.5 * df * pt.log1p((size / slab) ** 2 / df)
            density = _log_t_slabbed(a, pt.log(scale**2 / rate), 0.5 * df) - tilt - constant
        density = pt.switch(pt.eq(value, 0.0), np.inf, density)
        return check_parameters(
            density, scale > 0, slab > 0, slab_df > 0, msg="scale, slab_scale, slab_df > 0"
        )
