"""scikit-learn's PoissonRegressor."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bayesreg.likelihoods import Poisson
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._peers import PeerData, without_complaint
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg.problem import Problem

MODULE = "sklearn.linear_model"


class SklearnPoisson(Optimizer):
    """``Σ w loss / Σ w + alpha Σ u²/2``, so ``alpha = l2 / Σ w``.

    An offset o is an exposure ``E = exp(o)``: a row ``y`` of weight ``w`` has, up to a constant,
    the loss of a row ``y / E`` of weight ``w E`` without one.
    """

    name: ClassVar[str] = "sklearn_poisson"
    summary: ClassVar[str] = "sklearn.linear_model.PoissonRegressor with its defaults"
    requires: ClassVar[tuple[str, ...]] = ("sklearn",)

    def reason_against(self, problem: Problem) -> str | None:
        """Need a Poisson likelihood and squares only, on every column."""
        return _reasons.first(
            _reasons.needs_likelihood(problem, Poisson),
            _reasons.needs_columns(problem),
            _reasons.needs_no_l1(problem),
            _reasons.needs_l2(problem),
            _reasons.needs_no_loc(problem),
        )

    def prepare(self, problem: Problem) -> None:
        """Import scikit-learn."""
        del problem
        import_module(MODULE)

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Fit on columns that share one scale."""
        data = PeerData.of(problem)
        offset = problem.design.offset
        exposure = np.ones(problem.n) if offset is None else np.exp(offset)
        weights = problem.design.row_weights * exposure
        model = import_module(MODULE).PoissonRegressor(
            alpha=data.l2 / float(weights.sum()),
            fit_intercept=problem.design.intercept,
            **settings.keywords(),
        )
        claims = without_complaint(lambda: model.fit(data.X, data.y / exposure, weights))
        return Solution(
            data.coef(model.coef_), float(model.intercept_), claims, int(model.n_iter_)
        )
