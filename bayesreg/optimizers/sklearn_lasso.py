"""scikit-learn's Lasso."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bayesreg.likelihoods import Gaussian
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._peers import variance
from bayesreg.optimizers._sklearn import SklearnOptimizer

if TYPE_CHECKING:
    from bayesreg.optimizers._peers import PeerData
    from bayesreg.problem import Problem


class SklearnLasso(SklearnOptimizer):
    """``Lasso(alpha)`` minimises ``Σ w r² / (2 Σ w) + alpha Σ|u|``, so ``alpha = σ² l1 / Σ w``."""

    name: ClassVar[str] = "sklearn_lasso"
    summary: ClassVar[str] = "sklearn.linear_model.Lasso with its defaults; exact zeros"
    estimator: ClassVar[str] = "Lasso"

    def reason_against(self, problem: Problem) -> str | None:
        """Need a Gaussian likelihood and absolute values only, on every column."""
        return _reasons.first(
            _reasons.needs_likelihood(problem, Gaussian),
            _reasons.needs_columns(problem),
            _reasons.needs_no_l2(problem),
            _reasons.needs_l1(problem),
        )

    def parameters(self, problem: Problem, data: PeerData) -> dict[str, Any]:
        """Convert nats to the units of the estimator."""
        return {"alpha": variance(problem) * data.l1 / data.total}
