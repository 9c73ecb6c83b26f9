"""A constant column without an intercept beside it sets the level: it is neither near 0 nor far."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bayesreg as br
from bayesreg.nearness import nearness

RNG = np.random.default_rng(0)
N = 60
X = np.column_stack([np.ones(N), RNG.normal(size=(N, 2))])
CURED = (RNG.uniform(size=N) < 1 / (1 + np.exp(-0.5 - X[:, 1]))).astype(float)
NAMES = ["level", "dose", "age"]


def asked(likelihood: Any = None, *, intercept: bool) -> br.Problem:
    """A regression whose first column is constant."""
    logistic = likelihood is None
    return br.Problem(
        X,
        CURED if logistic else X[:, 1] + 5.0,
        likelihood=br.Bernoulli() if logistic else likelihood,
        prior=br.Normal(1.0),
        intercept=intercept,
        names=NAMES,
    )


@pytest.mark.parametrize("intercept", [False, True])
def test_it_has_no_epsilon_unless_it_does_nothing(intercept: bool) -> None:
    """Beside an intercept its coefficient moves nothing; without, it moves the level, not an sd."""
    near, rule = nearness(asked(intercept=intercept), 0.05)
    np.testing.assert_allclose(near[1:] * X[:, 1:].std(axis=0), 0.05)
    assert np.isinf(near[0]) if intercept else np.isnan(near[0])
    assert ("sets the level" in rule) is not intercept


def test_a_column_of_zeros_is_near_zero_anyway() -> None:
    """It moves neither level nor spread."""
    empty = br.Problem(
        [[0.0, 1.0], [0.0, 3.0]], [1.0, 2.0],
        likelihood=br.Gaussian(1.0), prior=br.Normal(1.0), intercept=False,
    )  # fmt: skip
    np.testing.assert_allclose(nearness(empty, 0.1)[0], [np.inf, 0.05])


@pytest.mark.parametrize("intercept", [False, True])
def test_compare_rules_and_page_follow(intercept: bool, tmp_path: Any) -> None:
    """NaN in the frame, a dash on the page, no vote of the rule, and no place in the count."""
    problem = asked(intercept=intercept)
    table = br.compare(problem, ["lbfgs"], seed=1, draws=200, chains=2, progress=False)
    shares = table.sparsity_frame()["near_zero"]
    assert shares["level"] == 1.0 if intercept else np.isnan(shares["level"])
    kept = br.sparsity.not_near_zero(problem, table.draws)
    assert kept.selected.tolist() == [not intercept, True, True]
    column = br.sparsity.not_near_zero(problem, table.draws, unit="column")
    assert np.isnan(column.value[0]) == (not intercept)
    page = table.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    count = "<b>1 of 3</b>" if intercept else "<b>0 of 2</b>"
    assert f"{count} coefficients are near zero" in page
    row = page.rpartition('<th scope="row"><bdi>level</bdi></th>')[2].partition("</tr>")[0]
    assert row.count("<td>—</td>") == (0 if intercept else 2)
    assert "Not any rule" not in page
    assert "epsilon=0.05" in page


@pytest.mark.parametrize("likelihood", [None, br.Gaussian(1.0)])
@pytest.mark.parametrize("intercept", [False, True])
def test_the_posterior_path_follows(likelihood: Any, intercept: bool) -> None:
    """From draws and in closed form."""
    problem = asked(likelihood, intercept=intercept)
    path = br.posterior_path(problem, [0.5, 1.0], draws=600, chains=2, seed=1, progress=False)
    first = path.near_zero[:, 0]
    assert (first > 1 - 1e-9).all() if intercept else np.isnan(first).all()
    assert np.isfinite(path.near_zero[:, 1:]).all()
    assert f"of {3 if intercept else 2} (" in str(path)
    assert path.plot().axes
