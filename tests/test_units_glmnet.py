"""R's glmnet: 72 recorded answers, each the mode of the problem that `from_glmnet` makes of it.

``reference/glmnet.R`` made data and answers, with glmnet 4.1-6 at the tightest tolerance.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bayesreg as br
from bayesreg.errors import InputError

HERE = Path(__file__).parent / "reference"


def read(name: str) -> list[dict[str, str]]:
    """Rows of a CSV file beside the script that made it."""
    with (HERE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


DATA = {
    key: np.array([float(row[key]) for row in read("glmnet_data.csv")])
    for key in ("X1", "X2", "X3", "X4", "gaussian", "binomial", "poisson", "weight")
}
X = np.column_stack([DATA[f"X{j}"] for j in (1, 2, 3, 4)])
CASES = read("glmnet.csv")


def arguments(case: dict[str, str]) -> dict[str, Any]:
    """How glmnet was called."""
    return {
        "lam": float(case["lambda"]),
        "alpha": float(case["alpha"]),
        "family": case["family"],
        "standardize": case["standardize"] == "TRUE",
        "intercept": case["intercept"] == "TRUE",
        "weights": DATA["weight"] if case["weighted"] == "TRUE" else None,
    }


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_our_mode_is_its_answer(family: str) -> None:
    """Ridge, elastic net and lasso; its scaling or none, an intercept or none, weights or none."""
    mine = [case for case in CASES if case["family"] == family]
    assert len(mine) == 24
    for case in mine:
        problem = br.units.from_glmnet(X, DATA[family], **arguments(case))
        mode = br.find_map(problem)
        answer = np.array([float(case[f"b{j}"]) for j in range(5)])
        np.testing.assert_allclose(mode.coef, answer[1:], rtol=2e-7, atol=1e-9, err_msg=str(case))
        assert mode.intercept == pytest.approx(answer[0], rel=2e-7, abs=1e-8), case
        certificate = br.certify(problem, answer[1:], answer[0])
        assert certificate.gap < 1e-9, case


def test_there_and_back() -> None:
    """`to_glmnet` gives back lambda and alpha, where one pair of them states the problem."""
    for case in CASES:
        asked = arguments(case)
        problem = br.units.from_glmnet(X, DATA[case["family"]], **asked)
        row = br.units.to_glmnet(problem)
        if asked["weights"] is not None and asked["standardize"]:
            assert "one penalty for all coefficients" in row.note
            continue
        assert row.numbers["lambda"] == pytest.approx(asked["lam"], rel=1e-12)
        assert row.numbers["alpha"] == pytest.approx(asked["alpha"], rel=1e-12)
        assert f"standardize = {case['standardize']}" in row.parameters


def test_naive_conversions_are_not_its_answer() -> None:
    """Neither α = λ nor α = n·λ makes a Ridge of it: all are off by more than a twentieth."""
    case = next(c for c in CASES if c["family"] == "gaussian" and c["alpha"] == "0")
    answer = np.array([float(case[f"b{j}"]) for j in (1, 2, 3, 4)])
    y, sd, lam = DATA["gaussian"], X.std(axis=0), float(case["lambda"])
    Z = (X - X.mean(axis=0)) / sd

    def ridge(alpha: float) -> Any:
        problem = br.units.from_numbers("scikit-learn Ridge", Z, y, {"alpha": alpha})
        return br.find_map(problem).coef / sd

    np.testing.assert_allclose(ridge(y.size * lam / y.std()), answer, rtol=1e-7)
    for naive in (lam, y.size * lam, lam / y.std()):
        assert np.abs(ridge(naive) / answer - 1).max() > 0.05, naive


def test_a_target_that_does_not_vary_has_no_number() -> None:
    """It divides by the sd of y, and refuses where that is 0; so do we."""
    problem = br.Problem(X, np.ones(40), likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    assert "is constant" in br.units.to_glmnet(problem).note
    with pytest.raises(InputError, match="y: is constant"):
        br.units.from_glmnet(X, np.ones(40), lam=1.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"family": "cox"}, "family: 'cox' is not known"),
        ({"alpha": 1.5}, "alpha: must lie between 0 and 1, found 1.5"),
        ({"lam": -1.0}, "lambda: must be"),
        ({"lam": "much"}, "lambda: must be"),
    ],
)
def test_refusals_name_the_argument(changed: dict[str, Any], message: str) -> None:
    """And what was found."""
    with pytest.raises(InputError, match=message):
        br.units.from_glmnet(X, DATA["gaussian"], **({"lam": 1.0} | changed))
