"""scikit-learn. RSS is the (weighted) residual sum of squares, n the sum of the row weights."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from bayesreg.units._convention import (
    Convention,
    Mixture,
    Nothing,
    Single,
    half_mean_squares,
    mean_loss,
    nats,
    squares,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.units._convention import Facts

_GUIDE = "scikit-learn user guide, section Linear Models"
_row = partial(Convention, package="scikit-learn", source=_GUIDE)


def _row_squares(facts: Facts) -> tuple[float, float]:
    """RSS/(2·rows): a step of SGD divides by the number of rows, whatever their weights."""
    return facts.sigma**2 / facts.rows, facts.sigma**2 / facts.rows


def _row_loss(facts: Facts) -> tuple[float, float]:
    return 1 / facts.rows, 1 / facts.rows


def _constant(facts: Facts) -> str:
    return "" if facts.intercept else ", fit_intercept=False"


def _logistic(facts: Facts, numbers: Mapping[str, float]) -> str:
    # lbfgs, the default, refuses an L1 part; and inf is no word of Python.
    solver = ', solver="saga"' if numbers["l1_ratio"] > 0 else ""
    C = "{C}" if math.isfinite(numbers["C"]) else "np.inf"
    return f"LogisticRegression(C={C}, l1_ratio={{l1_ratio}}{_constant(facts)}{solver})"


def _sgd(call: str, loss: str, facts: Facts, numbers: Mapping[str, float]) -> str:
    del numbers
    mix = f'penalty="elasticnet", alpha={{alpha}}, l1_ratio={{l1_ratio}}{_constant(facts)}'
    return f'{call}(loss="{loss}", {mix})'


_SLOW = "reached in the limit of many epochs with falling steps"
ROWS = (
    _row(
        call="LinearRegression",
        families=("gaussian",),
        objective="RSS",
        factors=squares,
        encoding=Nothing(),
        weighted=True,
        positive=True,
    ),
    _row(
        call="Ridge",
        families=("gaussian",),
        objective="RSS + α‖w‖²",
        # α‖w‖² = 2α · ‖w‖²/2, so α is half of 2σ²/τ².
        factors=squares,
        encoding=Single("alpha", "l2", times=0.5),
        weighted=True,
        positive=True,
    ),
    _row(
        call="Lasso",
        families=("gaussian",),
        objective="RSS/(2n) + α‖w‖₁",
        factors=half_mean_squares,
        encoding=Single("alpha", "l1"),
        weighted=True,
        positive=True,
    ),
    _row(
        call="ElasticNet",
        families=("gaussian",),
        objective="RSS/(2n) + α[r‖w‖₁ + (1 − r)‖w‖²/2]",
        factors=half_mean_squares,
        encoding=Mixture("alpha", "l1_ratio", pure=False),
        weighted=True,
        positive=True,
    ),
    _row(
        call="LassoLars",
        families=("gaussian",),
        objective="RSS/(2n) + α‖w‖₁",
        factors=half_mean_squares,
        encoding=Single("alpha", "l1"),
        positive=True,
    ),
    _row(
        call="BayesianRidge",
        families=("gaussian",),
        objective="alpha_·RSS/2 + lambda_·‖w‖²/2",
        factors=nats,
        encoding=Single("lambda_", "l2"),
        precision="alpha_",
        weighted=True,
        note="what it estimates, not what it is given",
    ),
    _row(
        call="SGDRegressor",
        families=("gaussian",),
        objective="RSS/(2n) + α[r‖w‖₁ + (1 − r)‖w‖²/2]",
        factors=_row_squares,
        encoding=Mixture("alpha", "l1_ratio"),
        text=partial(_sgd, "SGDRegressor", "squared_error"),
        weighted=True,
        note=_SLOW,
    ),
    _row(
        call="LogisticRegression",
        families=("bernoulli",),
        objective="C·loss + r‖w‖₁ + (1 − r)‖w‖²/2",
        factors=nats,
        encoding=Mixture("C", "l1_ratio", power=-1.0),
        text=_logistic,
        weighted=True,
    ),
    _row(
        call="SGDClassifier",
        families=("bernoulli",),
        objective="loss/n + α[r‖w‖₁ + (1 − r)‖w‖²/2]",
        factors=_row_loss,
        encoding=Mixture("alpha", "l1_ratio"),
        text=partial(_sgd, "SGDClassifier", "log_loss"),
        weighted=True,
        note=_SLOW,
    ),
    _row(
        call="PoissonRegressor",
        families=("poisson",),
        objective="loss/n + α‖w‖²/2",
        factors=mean_loss,
        encoding=Single("alpha", "l2", flat=True),
        weighted=True,
    ),
)
