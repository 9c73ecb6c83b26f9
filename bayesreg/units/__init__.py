"""Prior scales in other packages' units, and their numbers as problems.

One row per package and estimator (see `registry`), which holds both directions. ``table(problem)``
prints them all; ``to_sklearn(problem)`` and its like return one; ``from_sklearn(estimator, X, y)``
and its like return the problem whose mode is the package's answer. What each minimises, with RSS
the residual sum of squares and the loss in nats otherwise:

=====================  ==========================================  =============================
call                   minimises                                   numbers
=====================  ==========================================  =============================
Ridge                  RSS + α‖w‖²                                 α = σ²/τ²
Lasso                  RSS/(2n) + α‖w‖₁                            α = σ²/(n b)
ElasticNet             RSS/(2n) + α[r‖w‖₁ + (1 − r)‖w‖²/2]         α = σ²(1/b + 1/τ²)/n,
                                                                   r = (1/b)/(1/b + 1/τ²)
LogisticRegression     C·loss + r‖w‖₁ + (1 − r)‖w‖²/2              C = 1/(1/b + 1/τ²), r = C/b
PoissonRegressor       loss/n + α‖w‖²/2                            α = 1/(n τ²)
glmnet, gaussian       RSS/(2n) + λ[a‖w‖₁ + (1 − a)‖w‖²/(2s)]      lasso: λ = σ²/(n b);
                                                                   ridge: λ = s σ²/(n τ²),
                                                                   s = sd(y)
glmnet, others         loss/n + λ[a‖w‖₁ + (1 − a)‖w‖²/2]           lasso: λ = 1/(n b)
lars                   RSS/2 + λ‖w‖₁, columns of length 1          λ = σ²/(b √n)
monomvn::blasso        w | σ ~ Laplace(σ/λ), columns of length 1   λ² = σ²/(n b²)
PyMC, NumPyro, Stan    a scale                                     b, τ
rstanarm, autoscaled   a multiple of sd(y)/sd(x)                   τ/sd(y)
=====================  ==========================================  =============================

b and τ are the scale of a Laplace and the sd of a normal prior, here per sd of a column where the
package standardises. With row weights n is their sum (Ridge does not divide, so nothing changes).
"""

from __future__ import annotations

from bayesreg.units.backward import (
    from_document,
    from_glmnet,
    from_lars,
    from_numbers,
    from_statsmodels,
)
from bayesreg.units.estimators import coefficients, from_celer, from_skglm, from_sklearn
from bayesreg.units.forward import (
    to_bayesian_ridge,
    to_blasso,
    to_celer,
    to_document,
    to_glmnet,
    to_lars,
    to_numpyro,
    to_pymc,
    to_r_bayesreg,
    to_rstanarm,
    to_sgd,
    to_skglm,
    to_sklearn,
    to_stan,
    to_statsmodels,
)
from bayesreg.units.registry import names
from bayesreg.units.rows import Row, Table, table, to

__all__ = [
    "Row",
    "Table",
    "coefficients",
    "from_celer",
    "from_document",
    "from_glmnet",
    "from_lars",
    "from_numbers",
    "from_skglm",
    "from_sklearn",
    "from_statsmodels",
    "names",
    "table",
    "to",
    "to_bayesian_ridge",
    "to_blasso",
    "to_celer",
    "to_document",
    "to_glmnet",
    "to_lars",
    "to_numpyro",
    "to_pymc",
    "to_r_bayesreg",
    "to_rstanarm",
    "to_sgd",
    "to_skglm",
    "to_sklearn",
    "to_stan",
    "to_statsmodels",
]
