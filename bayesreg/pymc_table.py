"""The table between PyMC and bayesreg: one row per distribution, both directions side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.scalar.math import Sigmoid

from bayesreg import pymc_ball_prior as ball
from bayesreg import pymc_scalar_priors as scalar
from bayesreg import pymc_vector_priors as vector
from bayesreg.likelihoods import Bernoulli, Gaussian, Likelihood, Poisson, StudentTNoise
from bayesreg.priors import (
    Bridge,
    ElasticNet,
    Flat,
    Fused,
    GeneralizedDoublePareto,
    GroupLaplace,
    Horseshoe,
    Laplace,
    LInfinity,
    Normal,
    Prior,
    RegularizedHorseshoe,
    Slope,
    StudentT,
    UniformBall,
)
from bayesreg.pymc_distributions import ElasticNet as PymcElasticNet
from bayesreg.pymc_distributions import WeightedBernoulli, WeightedPoisson
from bayesreg.scale_priors import (
    Exponential,
    HalfCauchy,
    HalfFlat,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    ScalePrior,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytensor.graph.basic import Variable


@dataclass(frozen=True)
class Row[Bayesreg]:
    """One PyMC distribution and what it is in bayesreg.

    Attributes
    ----------
    pymc : type
        The distribution.
    bayesreg : type
        The likelihood or prior.
    parameters : tuple of str
        What the parameters of its op are, in order, in the words of bayesreg.
    write : callable
        From a name and these parameters to a registered PyMC variable.
    """

    pymc: Any
    bayesreg: type[Bayesreg]
    parameters: tuple[str, ...]
    write: Callable[..., Any]

    def inputs(self, variable: Variable) -> dict[str, Variable]:
        """Return the parameters of a variable of this distribution, by their name here."""
        found = variable.owner.op.dist_params(variable.owner)
        return dict(zip(self.parameters, found, strict=True))


@dataclass(frozen=True)
class PriorRow(Row[Prior]):
    """A row of `PRIORS`: coefficients, each with numbers of its own.

    Attributes
    ----------
    fixed : dict
        Numbers of the prior (or parameters of the distribution) that this distribution sets.
    nonnegative : bool
        Whether the coefficients are at least 0.
    """

    fixed: Mapping[str, float] = field(default_factory=dict)
    nonnegative: bool = False

    def writes(self, prior: type[Prior], numbers: Mapping[str, float], *, sign: bool) -> bool:
        """Tell whether this is a row for a coefficient of this prior and these numbers."""
        return (
            self.bayesreg is prior
            and self.nonnegative == sign
            and all(numbers.get(key, value) == value for key, value in self.fixed.items())
        )


@dataclass(frozen=True)
class JointRow(Row[Prior]):
    """A row of `JOINT`: vectors of coefficients with one density.

    Attributes
    ----------
    make : callable
        From the parameters, evaluated, to the prior. The other way, `write` takes a name, the
        prior and what the variable shares with others, such as its dims.
    """

    make: Callable[..., Prior]


@dataclass(frozen=True)
class LikelihoodRow(Row[Likelihood]):
    """A row of `LIKELIHOODS`.

    Attributes
    ----------
    link : type or None
        What maps the predictor to the parameter called "mean".
    weighted : bool
        Whether row weights are a parameter of their own.
    numbers : tuple of str
        Known numbers of the likelihood that are parameters, too.
    fixed : dict
        Numbers of the likelihood that this distribution sets.
    """

    link: type | None = None
    weighted: bool = False
    numbers: tuple[str, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)

    def make(self, **numbers: float | ScalePrior) -> Likelihood:
        """Return the likelihood with these numbers."""
        family: Callable[..., Likelihood] = self.bayesreg
        return family(**self.fixed, **numbers)


def number(value: object) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Make numbers that PyTensor keeps in double precision (it narrows Python's floats)."""
    return np.asarray(value, np.float64)


ZERO = number(0.0)


def _spread(sigma: Any, weights: Any) -> Any:
    return sigma if weights is None else sigma / pt.sqrt(weights)


# In the table, parameters called "scale" may hold an unknown; all others must be known numbers, and
# of those in ONE_NUMBER a prior has one for all of its coefficients.
# The lambdas turn the parameters around: eta is the predictor, s its sd, w the row weights.

ONE_NUMBER = ("nu", "shape", "power", "slab_df")

# fmt: off
LIKELIHOODS: tuple[LikelihoodRow, ...] = (
    LikelihoodRow(pm.Normal, Gaussian, ("predictor", "spread"),
        lambda name, eta, s, w, **kw: pm.Normal(name, mu=eta, sigma=_spread(s, w), **kw)),
    LikelihoodRow(pm.StudentT, StudentTNoise, ("nu", "predictor", "spread"),
        lambda name, eta, s, w, nu, **kw:
            pm.StudentT(name, nu=nu, mu=eta, sigma=_spread(s, w), **kw), numbers=("nu",)),
    LikelihoodRow(pm.Bernoulli, Bernoulli, ("mean",),
        lambda name, eta, _s, _w, **kw: pm.Bernoulli(name, logit_p=eta, **kw), link=Sigmoid),
    LikelihoodRow(pm.Poisson, Poisson, ("mean",),
        lambda name, eta, _s, _w, **kw: pm.Poisson(name, mu=pt.exp(eta), **kw), link=ps.Exp),
    LikelihoodRow(WeightedBernoulli, Bernoulli, ("predictor", "weights"),
        lambda name, eta, _s, w, **kw: WeightedBernoulli(name, logit_p=eta, weights=w, **kw),
        weighted=True),
    LikelihoodRow(WeightedPoisson, Poisson, ("predictor", "weights"),
        lambda name, eta, _s, w, **kw: WeightedPoisson(name, log_rate=eta, weights=w, **kw),
        weighted=True),
    # Read only; written as Student's with one degree of freedom, which comes first.
    LikelihoodRow(pm.Cauchy, StudentTNoise, ("predictor", "spread"),
        lambda name, eta, s, w, **kw: pm.Cauchy(name, alpha=eta, beta=_spread(s, w), **kw),
        fixed={"nu": 1.0}),
    # Read only, with one trial per row; written as Bernoulli, which comes first.
    LikelihoodRow(pm.Binomial, Bernoulli, ("trials", "mean"),
        lambda name, eta, _s, _w, **kw: pm.Binomial(name, n=1, logit_p=eta, **kw), link=Sigmoid),
)

PRIORS: tuple[PriorRow, ...] = (
    PriorRow(pm.Normal, Normal, ("loc", "scale"),
        lambda name, loc, scale, **kw: pm.Normal(name, mu=loc, sigma=scale, **kw)),
    PriorRow(pm.Laplace, Laplace, ("loc", "scale"),
        lambda name, scale, **kw: pm.Laplace(name, mu=ZERO, b=scale, **kw), {"loc": 0.0}),
    PriorRow(PymcElasticNet, ElasticNet, ("l1_scale", "l2_scale"), PymcElasticNet),
    PriorRow(pm.Flat, Flat, (), pm.Flat),
    PriorRow(pm.Cauchy, StudentT, ("loc", "scale"),
        lambda name, scale, **kw: pm.Cauchy(name, alpha=ZERO, beta=scale, **kw),
        {"loc": 0.0, "nu": 1.0}),
    PriorRow(pm.StudentT, StudentT, ("nu", "loc", "scale"),
        lambda name, nu, scale, **kw: pm.StudentT(name, nu=nu, mu=ZERO, sigma=scale, **kw),
        {"loc": 0.0}),
    PriorRow(scalar.GeneralizedDoublePareto, GeneralizedDoublePareto, ("scale", "shape"),
        lambda name, scale, shape, **kw:
            scalar.GeneralizedDoublePareto(name, scale=scale, power=shape, **kw)),
    PriorRow(scalar.Bridge, Bridge, ("scale", "power"), scalar.Bridge),
    PriorRow(scalar.Horseshoe, Horseshoe, ("scale",), scalar.Horseshoe),
    PriorRow(scalar.RegularizedHorseshoe, RegularizedHorseshoe,
        ("scale", "slab_scale", "slab_df"), scalar.RegularizedHorseshoe),
    # Coefficients that are at least 0. The first is written for infinite scales of any family.
    PriorRow(pm.HalfFlat, Laplace, (), pm.HalfFlat, {"scale": np.inf}, nonnegative=True),
    PriorRow(pm.HalfNormal, Normal, ("loc", "scale"),
        lambda name, scale, **kw: pm.HalfNormal(name, sigma=scale, **kw),
        {"loc": 0.0}, nonnegative=True),
    PriorRow(pm.TruncatedNormal, Normal, ("loc", "scale", "lower", "upper"),
        lambda name, loc, scale, **kw:
            pm.TruncatedNormal(name, mu=loc, sigma=scale, lower=ZERO, **kw),
        {"lower": 0.0, "upper": np.inf}, nonnegative=True),
    PriorRow(pm.Exponential, Laplace, ("scale",),
        lambda name, scale, **kw: pm.Exponential(name, scale=scale, **kw), nonnegative=True),
    PriorRow(scalar.HalfElasticNet, ElasticNet, ("l1_scale", "l2_scale"),
        scalar.HalfElasticNet, nonnegative=True),
    PriorRow(pm.HalfCauchy, StudentT, ("scale",),
        lambda name, scale, **kw: pm.HalfCauchy(name, beta=scale, **kw),
        {"nu": 1.0}, nonnegative=True),
    PriorRow(pm.HalfStudentT, StudentT, ("nu", "scale"),
        lambda name, nu, scale, **kw: pm.HalfStudentT(name, nu=nu, sigma=scale, **kw),
        nonnegative=True),
    PriorRow(scalar.HalfGeneralizedDoublePareto, GeneralizedDoublePareto, ("scale", "shape"),
        lambda name, scale, shape, **kw:
            scalar.HalfGeneralizedDoublePareto(name, scale=scale, power=shape, **kw),
        nonnegative=True),
    PriorRow(scalar.HalfBridge, Bridge, ("scale", "power"), scalar.HalfBridge, nonnegative=True),
)

JOINT: tuple[JointRow, ...] = (
    JointRow(vector.GroupLaplace, GroupLaplace, ("scale", "members", "labels"),
        lambda name, q, **kw:
            vector.GroupLaplace(name, scale=number(q.scale), groups=q.groups, **kw),
        lambda scale, members, labels: GroupLaplace(scale, vector.as_groups(members, labels))),
    JointRow(vector.LInfinity, LInfinity, ("scale",),
        lambda name, q, **kw: vector.LInfinity(name, scale=number(q.scale), **kw), LInfinity),
    JointRow(vector.Slope, Slope, ("scale", "weights"),
        lambda name, q, **kw:
            vector.Slope(name, scale=number(q.scale), weights=number(q.weights), **kw),
        Slope),
    JointRow(ball.UniformBall, UniformBall, ("scale", "radius", "norm", "members", "labels"),
        lambda name, q, **kw: ball.UniformBall(name, number(q.radius), q.norm,
            scale=number(q.scale), groups=q.groups, **kw),
        lambda scale, radius, norm, members, labels: UniformBall(
            radius, ball.BALL_NORMS[int(norm)], scale=scale,
            groups=vector.as_groups(members, labels))),
    JointRow(vector.Fused, Fused, ("factor", "scale", "first_scale"),
        lambda name, q, **kw: vector.Fused(name, number(q.scale), number(q.first_scale),
            factor=number(q.factor), **kw),
        lambda factor, scale, first_scale: Fused(scale, first_scale, factor=factor)),
)

SCALES: tuple[Row[ScalePrior], ...] = (
    Row(pm.HalfNormal, HalfNormal, ("loc", "scale"),
        lambda name, q: pm.HalfNormal(name, sigma=number(q.scale))),
    Row(pm.HalfCauchy, HalfCauchy, ("scale",),
        lambda name, q: pm.HalfCauchy(name, beta=number(q.scale))),
    Row(pm.HalfStudentT, HalfStudentT, ("nu", "scale"),
        lambda name, q: pm.HalfStudentT(name, nu=number(q.nu), sigma=number(q.scale))),
    Row(pm.Exponential, Exponential, ("scale",),
        lambda name, q: pm.Exponential(name, scale=number(q.scale))),
    Row(pm.InverseGamma, InverseGamma, ("shape", "scale"),
        lambda name, q: pm.InverseGamma(name, alpha=number(q.shape), beta=number(q.scale))),
    Row(pm.HalfFlat, HalfFlat, (),
        lambda name, q: pm.HalfFlat(name)),  # noqa: ARG005  (it has no numbers)
)
# fmt: on


def row_of[R: Row[Any]](table: tuple[R, ...], variable: Variable) -> R | None:
    """Return the row of a table that describes a PyMC variable, if there is one."""
    op = None if variable.owner is None else variable.owner.op
    return next((row for row in table if type(op) is row.pymc.rv_type), None)


def pymc_name(variable: Variable) -> str:
    """Return the name of the distribution of a variable, as in ``pm.<name>``."""
    op = variable.owner.op
    printed = getattr(op, "_print_name", None)
    return str(printed[0]) if printed else type(op).__name__.removesuffix("RV")
