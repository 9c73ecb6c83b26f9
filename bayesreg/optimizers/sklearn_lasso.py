"""scikit-learn's Lasso."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from bayesreg.likelihoods import Gaussian
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._peers import PeerData, without_complaint
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg.problem import Problem

MODULE = "sklearn.linear_model"


class SklearnLasso(Optimizer):
    """``Lasso(alpha)`` minimises ``Σ w r² / (2 Σ w) + alpha Σ|u|``, so ``alpha = σ² l1 / Σ w``."""

    name: ClassVar[str] = "sklearn_lasso"
    summary: ClassVar[str] = "sklearn.linear_model.Lasso with its defaults; exact zeros"
    requires: ClassVar[tuple[str, ...]] = ("sklearn",)

    def reason_against(self, problem: Problem) -> str | None:
        """Need a Gaussian likelihood and absolute values only, on every column."""
        return _reasons.first(
            _reasons.needs_likelihood(problem, Gaussian),
            _reasons.needs_columns(problem),
            _reasons.needs_no_l2(problem),
            _reasons.needs_l1(problem),
        )

    def prepare(self, problem: Problem) -> None:
        """Import scikit-learn."""
        del problem
        import_module(MODULE)

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Fit on columns that share one scale."""
        assert isinstance(problem.likelihood, Gaussian)  # noqa: S101  (reason_against saw to it)
        data = PeerData.of(problem)
        model = import_module(MODULE).Lasso(
            alpha=problem.likelihood.variance * data.l1 / data.total,
            fit_intercept=problem.design.intercept,
            **settings.keywords(),
        )
        claims = without_complaint(lambda: model.fit(data.X, data.y, data.weights))
        return Solution(
            data.coef(model.coef_), float(model.intercept_), claims, int(model.n_iter_)
        )
