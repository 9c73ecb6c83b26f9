"""skglm, celer and statsmodels: solvers that work on the columns as they are handed to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bayesreg.units._convention import (
    Convention,
    Mixture,
    Single,
    half_mean_squares,
    mean_loss,
    nats,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.units._convention import Facts

_skglm = partial(Convention, package="skglm", source="skglm, docstrings of its estimators")
_celer = partial(Convention, package="celer", source="celer, docstrings of its estimators")
_statsmodels = partial(
    Convention, package="statsmodels", source="statsmodels, docstrings of fit_regularized"
)


def _regularized(model: str, facts: Facts, numbers: Mapping[str, float]) -> str:
    """Its constant is a column like others, so it is penalised unless alpha is a vector."""
    rest = ", L1_wt={L1_wt}" if "L1_wt" in numbers else ', method="l1"'
    family = f", family={model.removeprefix('GLM ')}()" if model.startswith("GLM ") else ""
    name = model.partition(" ")[0]
    columns, alpha = ("[1, X]", "[0] + p*[{alpha}]") if facts.intercept else ("X", "{alpha}")
    return f"{name}(y, {columns}{family}).fit_regularized(alpha={alpha}{rest})"


_ELASTIC_NET = "α[r‖w‖₁ + (1 − r)‖w‖²/2], r = L1_wt"
ROWS = (
    _skglm(
        call="Lasso",
        families=("gaussian",),
        objective="RSS/(2n) + α‖w‖₁",
        factors=half_mean_squares,
        encoding=Single("alpha", "l1"),
        positive=True,
    ),
    _skglm(
        call="ElasticNet",
        families=("gaussian",),
        objective="RSS/(2n) + α[r‖w‖₁ + (1 − r)‖w‖²/2]",
        factors=half_mean_squares,
        encoding=Mixture("alpha", "l1_ratio", pure=False),
        positive=True,
    ),
    _skglm(
        call="SparseLogisticRegression",
        families=("bernoulli",),
        objective="loss/n + α[r‖w‖₁ + (1 − r)‖w‖²/2]",
        factors=mean_loss,
        encoding=Mixture("alpha", "l1_ratio"),
    ),
    _celer(
        call="Lasso",
        families=("gaussian",),
        objective="RSS/(2n) + α‖w‖₁",
        factors=half_mean_squares,
        encoding=Single("alpha", "l1"),
        positive=True,
    ),
    _celer(
        call="ElasticNet",
        families=("gaussian",),
        objective="RSS/(2n) + α[r‖w‖₁ + (1 − r)‖w‖²/2]",
        factors=half_mean_squares,
        encoding=Mixture("alpha", "l1_ratio", pure=False),
        positive=True,
    ),
    _celer(
        call="LogisticRegression",
        families=("bernoulli",),
        objective="loss + ‖w‖₁/C",
        factors=nats,
        encoding=Single("C", "l1", power=-1.0),
        text=lambda _facts, _numbers: "LogisticRegression(C={C})",
        intercept=False,
    ),
    _statsmodels(
        call="OLS",
        families=("gaussian",),
        objective=f"RSS/(2n) + {_ELASTIC_NET}",
        factors=half_mean_squares,
        encoding=Mixture("alpha", "L1_wt"),
        text=partial(_regularized, "OLS"),
    ),
    # No GLM with a Gaussian family: its steps minimise RSS/(2n), but its check of a step takes the
    # likelihood with sigma profiled out, so that it may stop elsewhere (statsmodels 0.15).
    *(
        _statsmodels(
            call=f"GLM {theirs}",
            families=(family,),
            objective=f"loss/n + {_ELASTIC_NET}",
            factors=mean_loss,
            encoding=Mixture("alpha", "L1_wt"),
            text=partial(_regularized, f"GLM {theirs}"),
        )
        for family, theirs in (("bernoulli", "Binomial"), ("poisson", "Poisson"))
    ),
    *(
        _statsmodels(
            call=theirs,
            families=(family,),
            objective="loss + α‖w‖₁",
            factors=nats,
            encoding=Single("alpha", "l1"),
            text=partial(_regularized, theirs),
        )
        for family, theirs in (("bernoulli", "Logit"), ("poisson", "Poisson"))
    ),
)
