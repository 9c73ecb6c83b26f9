"""The table between PyMC and bayesreg: one row per distribution, both directions side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.scalar.math import Sigmoid

from bayesreg.likelihoods import Bernoulli, Gaussian, Likelihood, Poisson
from bayesreg.priors import ElasticNet, Flat, Laplace, Normal, Prior
from bayesreg.pymc_distributions import ElasticNet as PymcElasticNet
from bayesreg.pymc_distributions import WeightedBernoulli, WeightedPoisson
from bayesreg.scale_priors import (
    Exponential,
    HalfCauchy,
    HalfFlat,
    HalfNormal,
    InverseGamma,
    ScalePrior,
)

if TYPE_CHECKING:
    from collections.abc import Callable

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
class LikelihoodRow(Row[Likelihood]):
    """A row of `LIKELIHOODS`: `link` maps the predictor to the parameter called "mean"."""

    link: type | None = None
    weighted: bool = False


def number(value: object) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Make numbers that PyTensor keeps in double precision (it narrows Python's floats)."""
    return np.asarray(value, np.float64)


def _spread(sigma: Any, weights: Any) -> Any:
    return sigma if weights is None else sigma / pt.sqrt(weights)


# In the table, parameters called "scale" may hold an unknown; all others must be known numbers.
# The lambdas turn the parameters around: eta is the predictor, s its sd, w the row weights.

# fmt: off
LIKELIHOODS: tuple[LikelihoodRow, ...] = (
    LikelihoodRow(pm.Normal, Gaussian, ("predictor", "spread"),
        lambda name, eta, s, w, **kw: pm.Normal(name, mu=eta, sigma=_spread(s, w), **kw)),
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
    # Read only, with one trial per row; written as Bernoulli, which comes first.
    LikelihoodRow(pm.Binomial, Bernoulli, ("trials", "mean"),
        lambda name, eta, _s, _w, **kw: pm.Binomial(name, n=1, logit_p=eta, **kw), link=Sigmoid),
)

PRIORS: tuple[Row[Prior], ...] = (
    Row(pm.Normal, Normal, ("loc", "scale"),
        lambda name, loc, scale, **kw: pm.Normal(name, mu=loc, sigma=scale, **kw)),
    Row(pm.Laplace, Laplace, ("loc", "scale"),
        lambda name, loc, scale, **kw: pm.Laplace(name, mu=loc, b=scale, **kw)),
    Row(PymcElasticNet, ElasticNet, ("l1_scale", "l2_scale"), PymcElasticNet),
    Row(pm.Flat, Flat, (), pm.Flat),
)

SCALES: tuple[Row[ScalePrior], ...] = (
    Row(pm.HalfNormal, HalfNormal, ("loc", "scale"),
        lambda name, q: pm.HalfNormal(name, sigma=number(q.scale))),
    Row(pm.HalfCauchy, HalfCauchy, ("scale",),
        lambda name, q: pm.HalfCauchy(name, beta=number(q.scale))),
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
