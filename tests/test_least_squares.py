"""Least squares on standardised columns against NumPy's, rows written out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from bayesreg import datasets
from bayesreg.defaults import settings
from bayesreg.design import Design
from bayesreg.estimators import MAPRegressor
from bayesreg.least_squares import least_squares, noise_sd

RNG = np.random.default_rng(3)
X = RNG.normal(size=(20, 3)) * [1.0, 10.0, 0.1] + [0.0, 50.0, 3.0]
Y = X @ [1.0, -0.2, 4.0] + RNG.normal(size=20)
TIMES = RNG.integers(1, 4, 20)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("case", ["independent", "a constant column", "a column twice"])
def test_residual_sd_rank_and_coefficients(*, intercept: bool, kind: str, case: str) -> None:
    """A row of weight w counts as w rows; of dependent columns the shortest solution is taken."""
    columns = X
    if case != "independent":
        columns = np.column_stack([X, np.full(20, 2.0) if "constant" in case else X[:, 0]])
    given: Any = sparse.csc_array(columns) if kind == "sparse" else columns
    design = Design.of(given, Y, intercept=intercept, weights=TIMES)
    sd = np.repeat(columns, TIMES, axis=0).std(axis=0)
    found = least_squares(design, sd)
    assert found is not None
    whole = np.repeat(np.column_stack([columns[:, sd > 0] / sd[sd > 0], Y]), TIMES, axis=0)
    whole = whole - intercept * whole.mean(axis=0)
    coef, _, rank, _ = np.linalg.lstsq(whole[:, :-1], whole[:, -1], rcond=1e-9)
    left = whole[:, -1] - whole[:, :-1] @ coef
    assert found.rank == rank
    np.testing.assert_allclose(found.coef, coef, rtol=1e-9, atol=1e-9)
    wanted = math.sqrt(left @ left / (TIMES.sum() - rank - intercept))
    assert found.residual_sd == pytest.approx(wanted, rel=1e-10)
    assert noise_sd(found, 5.0) == found.residual_sd


def test_too_few_rows_and_perfect_fits_leave_half_the_variance() -> None:
    """Each has no residual sd to start from."""
    few = Design.of(X[:4], Y[:4])
    assert least_squares(few, few.column_sd) is None
    perfect = Design.of(X, X @ [1.0, 2.0, 3.0])
    assert noise_sd(least_squares(perfect, perfect.column_sd), 2.0) == pytest.approx(2**0.5)


def test_the_diabetes_data_have_one_residual_sd() -> None:
    """54.15 on 431 degrees of freedom, on the command line and of an estimator."""
    data = datasets.load("diabetes")
    model = MAPRegressor().fit(data.X, data.y)
    assert model.sigma_ == pytest.approx(54.15, abs=0.005)
    assert settings(data, "lasso")["sigma"].value == pytest.approx(model.sigma_, rel=1e-14)
