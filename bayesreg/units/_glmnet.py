"""glmnet (R, and python-glmnet) and lars, which standardise the columns themselves.

glmnet's gaussian family also divides y by its standard deviation s (divisor n), and a λ that the
user gives by s with it; coefficients γ are those of y/s, and β = s·γ is reported:

    ‖y/s − Zγ‖²/(2n) + (λ/s)[a‖γ‖₁ + (1 − a)‖γ‖²/2].

Times s² that is ``‖y − Zβ‖²/(2n) + λa‖β‖₁ + λ(1 − a)‖β‖²/(2s)``. Hence a lasso's λ is σ²/(n b), the
α of scikit-learn, but a ridge's is σ²·s/(n τ²): λ = α·s/n for the α of ``Ridge``, not α/n.

The sds of the columns are about their means, with or without an intercept, and weighted where rows
are. That of y is about 0 without an intercept in R's glmnet (4.1, in C++), and about the mean in
python-glmnet (2.6, in the older Fortran): measured, see tests/reference/glmnet.R.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bayesreg.units._convention import Convention, Mixture, Single, mean_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.units._convention import Facts

_FAMILIES = {"gaussian": "gaussian", "bernoulli": "binomial", "poisson": "poisson"}
_SQUARES = "RSS/(2n) + λ[a‖w‖₁ + (1 − a)‖w‖²/(2·sd(y))]"
_LOSS = "loss/n + λ[a‖w‖₁ + (1 − a)‖w‖²/2]"
_PAPER = "Friedman, Hastie & Tibshirani 2010, J. Stat. Softw. 33(1)"


def _gaussian(facts: Facts) -> tuple[float, float]:
    unit = facts.sigma**2 / facts.n
    return unit, unit * (facts.sd_y if facts.intercept else facts.rms_y)


def _fortran(facts: Facts) -> tuple[float, float]:
    unit = facts.sigma**2 / facts.n
    return unit, unit * facts.sd_y


def truth(value: object) -> str:
    """Write a truth value in R."""
    return "TRUE" if value else "FALSE"


def _glmnet(family: str, facts: Facts, numbers: Mapping[str, float]) -> str:
    del numbers
    constant = "" if facts.intercept else ", intercept = FALSE"
    kind = "" if family == "gaussian" else f', family = "{family}"'
    return (
        f"glmnet(X, y{kind}, lambda = {{lambda}}, alpha = {{alpha}}, "
        f"standardize = {truth(facts.standardize)}{constant})"
    )


def _python_glmnet(call: str, facts: Facts, numbers: Mapping[str, float]) -> str:
    del numbers
    constant = "" if facts.intercept else ", fit_intercept=False"
    return (
        f"{call}(lambda_path=[..., {{lambda}}], alpha={{alpha}}, "
        f"standardize={facts.standardize}{constant})"
    )


def _lars_factors(facts: Facts) -> tuple[float, float]:
    """RSS/2 + λ‖γ‖₁ on columns of length 1, which are the standardised ones over √n."""
    length = facts.n**0.5 if facts.standardize else 1.0
    return facts.sigma**2 / length, facts.sigma**2 / length**2


def _lars(facts: Facts, numbers: Mapping[str, float]) -> str:
    del numbers
    constant = "" if facts.intercept else ", intercept = FALSE"
    fit = f'lars(X, y, type = "lasso", normalize = {truth(facts.standardize)}{constant})'
    return f'coef({fit}, s = {{lambda}}, mode = "lambda")'


ROWS = (
    *(
        Convention(
            package="glmnet",
            call=theirs,
            families=(family,),
            objective=_SQUARES if family == "gaussian" else _LOSS,
            factors=_gaussian if family == "gaussian" else mean_loss,
            encoding=Mixture("lambda", "alpha"),
            text=partial(_glmnet, theirs),
            standardizes="asked",
            weighted=True,
            source=f"{_PAPER}, and R's glmnet 4.1",
        )
        for family, theirs in _FAMILIES.items()
    ),
    *(
        Convention(
            package="python-glmnet",
            call=call,
            families=(family,),
            objective=_SQUARES if family == "gaussian" else _LOSS,
            factors=_fortran if family == "gaussian" else mean_loss,
            encoding=Mixture("lambda", "alpha"),
            text=partial(_python_glmnet, call),
            standardizes="asked",
            weighted=True,
            source=f"{_PAPER}, and python-glmnet 2.6",
        )
        for family, call in (("gaussian", "ElasticNet"), ("bernoulli", "LogitNet"))
    ),
    Convention(
        package="lars",
        call="lasso",
        families=("gaussian",),
        objective="RSS/2 + λ‖w‖₁",
        factors=_lars_factors,
        encoding=Single("lambda", "l1"),
        text=_lars,
        standardizes="asked",
        centres=True,
        source="Efron, Hastie, Johnstone & Tibshirani 2004, Ann. Statist. 32(2), and R/lars.R",
    ),
)
