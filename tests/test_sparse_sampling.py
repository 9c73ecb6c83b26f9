"""Gaussian noise and a sparse X too large to be dense: sums of products give the same posterior."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import bayesreg as br
from bayesreg.errors import InputError, NoClosedForm

RNG = np.random.default_rng(8)
N, P = 60, 4
X = np.where(RNG.random((N, P)) < 0.4, RNG.normal(1.0, 2.0, (N, P)), 0.0)
Y = 3.0 + X[:, 0] - X[:, 1] + RNG.normal(size=N)
PARTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no intercept": {"intercept": False},
    "rows of weight": {"weights": RNG.uniform(0.5, 2.0, N), "offset": RNG.normal(size=N)},
    "weights alone": {"weights": RNG.uniform(0.5, 2.0, N), "intercept": False},
    "standardised": {"standardize": True},
    "flat": {"prior": [(br.Laplace(0.5), [0, 3]), (br.Flat(), [1, 2])]},
}


def problem(columns: Any, **changes: Any) -> br.Problem:
    """Build a lasso with unknown sigma."""
    parts: dict[str, Any] = {
        "likelihood": br.Gaussian(br.HalfNormal(2.0)),
        "prior": br.Laplace(0.5),
    }
    return br.Problem(columns, Y, **(parts | changes))


@pytest.mark.parametrize("name", PARTS)
def test_draws_are_those_of_the_dense_problem(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To rounding, by the same seed; so are log density, log likelihood and new targets."""
    asked: dict[str, Any] = {"draws": 40, "tune": 40, "chains": 2, "seed": 3}
    asked |= {"log_likelihood": True, "posterior_predictive": True, "prior": name != "flat"}
    dense = br.sample(problem(X, **PARTS[name]), "gibbs", **asked)
    monkeypatch.setattr("bayesreg.design._MOST_ENTRIES", 10)
    tree = br.sample(problem(sparse.csr_array(X), **PARTS[name]), **asked)
    assert tree.attrs["method"] == "gibbs"
    reason = "method 'exact' does not apply: X: is sparse, and too large to be made dense"
    assert reason in tree.attrs["reason"]
    assert list(tree.children) == list(dense.children)
    for group in tree.children:
        one, two = tree[group].to_dataset(), dense[group].to_dataset()
        for key in two.variables:
            if two[key].dtype.kind == "f":
                assert_allclose(one[key], two[key], rtol=1e-9, atol=1e-9, err_msg=f"{group} {key}")


def test_what_needs_rows_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other samplers, other likelihoods, and more columns than rows."""
    monkeypatch.setattr("bayesreg.design._MOST_ENTRIES", 10)
    one = problem(sparse.csr_array(X))
    with pytest.raises(NoClosedForm, match=r"too large to be made dense; use method=\"gibbs\""):
        br.sample(one, "exact")
    with pytest.raises(InputError, match=r"'nuts' does not take .*use method=\"gibbs\""):
        br.sample(one, "nuts")
    wide = br.Problem(
        sparse.csr_array(X.T), Y[:P], likelihood=br.Gaussian(1.0), prior=br.Normal(1.0)
    )
    binary = br.Problem(
        sparse.csr_array(X), (Y > 3).astype(float), likelihood=br.Bernoulli(), prior=br.Normal(1.0)
    )
    for large in (wide, binary):
        with pytest.raises(InputError, match="needs a dense X"):
            br.sample(large)


def test_memory_is_that_of_the_entries() -> None:
    """A dense copy would take 320 MB, and more than one would be made."""
    rng = np.random.default_rng(1)
    columns = sparse.random_array((200_000, 200), density=0.01, format="csc", rng=rng)
    y = columns[:, [0]].toarray().ravel() + rng.normal(size=200_000)
    large = br.Problem(columns, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.5))
    asked: dict[str, Any] = {"draws": 10, "tune": 10, "chains": 1, "seed": 1}
    br.sample(problem(X), "gibbs", **asked)  # what is imported and compiled is by now
    tracemalloc.start()
    tree = br.sample(large, **asked)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 40e6
    assert abs(float(tree["posterior"].to_dataset()["beta"][0, -1, 0]) - 1.0) < 0.2
