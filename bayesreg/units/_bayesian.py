"""Packages that state a prior: PyMC, NumPyro and Stan by its scale, others relative to the data.

Stan's ``normal`` and ``double_exponential``, NumPyro's and PyMC's ``Normal`` and ``Laplace`` all
take a scale, never a rate or a precision. R's bayesreg and monomvn::blasso multiply it by sigma and
count it on columns of length 1, which are the standardised ones over √n; rstanarm's autoscale by
sd(y)/sd(x), with divisor n − 1 in both.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from bayesreg.units._convention import Convention, Single, nats
from bayesreg.units._glmnet import truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.units._convention import Facts

_ALL = ("gaussian", "student_t", "bernoulli", "poisson")
_LAPLACE, _NORMAL = "density ∝ exp(−|w|/b)", "density ∝ exp(−w²/(2τ²))"
_SCALES = (
    ("PyMC", "Laplace", "b", 'pm.Laplace("beta", mu=0, b={b}, shape=p)'),
    ("PyMC", "Normal", "sigma", 'pm.Normal("beta", mu=<mu>, sigma={sigma}, shape=p)'),
    ("NumPyro", "Laplace", "scale", "dist.Laplace(0, {scale}).expand([p]).to_event(1)"),
    ("NumPyro", "Normal", "scale", "dist.Normal(<loc>, {scale}).expand([p]).to_event(1)"),
    ("Stan", "double_exponential", "sigma", "beta ~ double_exponential(0, {sigma})"),
    ("Stan", "normal", "sigma", "beta ~ normal(<mu>, {sigma})"),
)
# The name of the mean of a normal prior, and a vector.
_WORDS = {"PyMC": ("mu", "[{}]"), "NumPyro": ("loc", "np.array([{}])"), "Stan": ("mu", "[{}]'")}
_SOURCES = {
    "PyMC": "PyMC, docstrings of its distributions",
    "NumPyro": "NumPyro, docstrings of its distributions",
    "Stan": "Stan Functions Reference, Unbounded Continuous Distributions",
}


def _scaled(length: float, facts: Facts) -> tuple[float, float]:
    """Strengths of ``β·length/σ``, whose prior is the one that the package states."""
    one = facts.sigma / length
    return one, one**2


def _unit_columns(facts: Facts) -> tuple[float, float]:
    return _scaled(math.sqrt(facts.n) if facts.standardize else 1.0, facts)


def _blasso(facts: Facts, numbers: Mapping[str, float]) -> str:
    del numbers
    return (
        "blasso(X, y, RJ = FALSE, lambda2 = {lambda2}, rd = FALSE, "
        f"normalize = {truth(facts.standardize)})"
    )


def _autoscale(facts: Facts) -> tuple[float, float]:
    """Strengths of ``β·sd(x)/sd(y)``: beside sd(x) with divisor n − 1, a factor √(n/(n − 1))."""
    if not facts.standardize:
        return 1.0, 1.0
    one = facts.sd_y if facts.family == "gaussian" else math.sqrt((facts.rows - 1) / facts.rows)
    return one, one**2


def _rstanarm(density: str, facts: Facts, numbers: Mapping[str, float]) -> str:
    constant = ", prior_intercept = NULL" if facts.intercept else ""
    family = {"bernoulli": "family = binomial(), ", "poisson": "family = poisson(), "}
    location = "{location}" if "location" in numbers else "0"
    prior = f"{density}({location}, {{scale}}, autoscale = {truth(facts.standardize)})"
    right = "X" if facts.intercept else "0 + X"
    return f"stan_glm(y ~ {right}, {family.get(facts.family, '')}prior = {prior}{constant})"


def _bayesreg(prior: str, facts: Facts, numbers: Mapping[str, float]) -> str:
    del numbers
    model = {"bernoulli": 'model = "logistic", ', "poisson": 'model = "poisson", '}
    given = f'data.frame(y, X), {model.get(facts.family, "")}prior = "{prior}"'
    return f"bayesreg(y ~ ., {given}) at tau2 = {{tau2}}"


def _fixed(text: str, location: str, facts: Facts, numbers: Mapping[str, float]) -> str:
    del facts
    return text.replace(f"<{location}>", f"{{{location}}}" if location in numbers else "0")


_r_bayesreg = partial(
    Convention,
    package="R bayesreg",
    families=("gaussian", "bernoulli", "poisson"),
    factors=_unit_columns,
    standardizes="always",
    draws_sigma=True,
    note="tau2 is drawn, not given: at this value its prior is this one",
    source="Makalic & Schmidt 2016, arXiv:1611.06649, section 2, and its R sources",
)
ROWS = (
    *(
        Convention(
            package=package,
            call=call,
            families=_ALL,
            objective=_LAPLACE if laplace else _NORMAL,
            factors=nats,
            encoding=Single(argument, "l1" if laplace else "l2", power=-1.0 if laplace else -0.5),
            text=partial(_fixed, text, location),
            location="" if laplace else location,
            vector=vector,
            weighted=True,
            prior_only=True,
            source=_SOURCES[package],
        )
        for package, call, argument, text in _SCALES
        for laplace in [call.lower() != "normal"]
        for location, vector in [_WORDS[package]]
    ),
    # λⱼ² ~ Exp(1) makes N(0, λⱼ²s²) a Laplace density of scale s/√2, with s² = σ²·tau2.
    _r_bayesreg(
        call="lasso",
        objective="w | σ ~ Laplace(σ·√(tau2/2)), columns of length 1",
        encoding=Single("tau2", "l1", power=-2.0, times=2.0),
        text=partial(_bayesreg, "lasso"),
    ),
    _r_bayesreg(
        call="ridge",
        objective="w | σ ~ N(0, σ²·tau2), columns of length 1",
        encoding=Single("tau2", "l2", power=-1.0),
        text=partial(_bayesreg, "ridge"),
    ),
    Convention(
        package="monomvn",
        call="blasso",
        families=("gaussian",),
        objective="w | σ ~ Laplace(σ/√lambda2)",
        factors=_unit_columns,
        encoding=Single("lambda2", "l1", power=2.0),
        text=_blasso,
        standardizes="asked",
        centres=True,
        draws_sigma=True,
        source="Park & Casella 2008, JASA 103(482), section 2, and monomvn's blasso.Rd, blasso.cc",
    ),
    *(
        Convention(
            package="rstanarm",
            call=density,
            families=("gaussian", "bernoulli", "poisson"),
            objective=f"{_LAPLACE if laplace else _NORMAL}, b or τ = scale/sd(x), gaussian ·sd(y)",
            factors=_autoscale,
            encoding=Single("scale", "l1" if laplace else "l2", power=-1.0 if laplace else -0.5),
            text=partial(_rstanarm, density),
            location="" if laplace else "location",
            vector="c({})",
            standardizes="asked",
            weighted=True,
            prior_only=True,
            draws_sigma=True,
            source="rstanarm vignette Prior Distributions, section Default priors and scale "
            "adjustments, and R/stan_glm.fit.R",
        )
        for density, laplace in (("laplace", True), ("normal", False))
    ),
)
