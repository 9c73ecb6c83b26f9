"""Solvers are tried in turn, and what no certificate accepts is not handed out."""

from __future__ import annotations

import numpy as np
import pytest

import bayesreg as br
from bayesreg import modes, solvers
from bayesreg.errors import NotConverged
from bayesreg.modes import certified_mode
from bayesreg.solvers import Solution


def lasso() -> br.Problem:
    """Thirty rows, four columns."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4))
    y = X[:, 0] + rng.normal(size=30)
    return br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.2))


def broken(problem: br.Problem, *, method: str = "auto") -> Solution:
    """Answer a little beside the mode if asked for the first method, else as always."""
    solution = solvers.solve(problem, method=method)
    if method != solvers.suited(problem)[0]:
        return solution
    return Solution(solution.coef + 1e-3, solution.intercept, solution.iterations)


def test_a_wrong_answer_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first solver is wrong the next one is asked."""
    problem = lasso()
    expected, _ = certified_mode(problem)
    monkeypatch.setattr(modes, "solve", broken)
    solution, certificate = certified_mode(problem)
    assert certificate.optimal
    np.testing.assert_allclose(solution.coef, expected.coef, atol=1e-12)
    with pytest.raises(NotConverged, match="could not be certified"):
        certified_mode(problem, method="active_set")


def test_a_solver_that_gives_up_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what the last of them says is what the caller hears."""

    def gives_up(problem: br.Problem, *, method: str = "auto") -> Solution:
        """Give up, unless it is the second method's turn."""
        if method == "active_set":
            raise NotConverged("problem: too hard")
        return solvers.solve(problem, method=method)

    monkeypatch.setattr(modes, "solve", gives_up)
    assert br.find_map(lasso()).certificate.optimal
    with pytest.raises(NotConverged, match="too hard"):
        certified_mode(lasso(), method="active_set")
