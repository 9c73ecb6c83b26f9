"""scikit-learn's Ridge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bayesreg.likelihoods import Gaussian
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._peers import variance
from bayesreg.optimizers._sklearn import SklearnOptimizer

if TYPE_CHECKING:
    from bayesreg.optimizers._peers import PeerData
    from bayesreg.problem import Problem


class SklearnRidge(SklearnOptimizer):
    """``Ridge(alpha)`` minimises ``Σ w r² + alpha Σ u²``, so ``alpha = σ² l2``."""

    name: ClassVar[str] = "sklearn_ridge"
    summary: ClassVar[str] = "sklearn.linear_model.Ridge with its defaults"
    estimator: ClassVar[str] = "Ridge"

    def reason_against(self, problem: Problem) -> str | None:
        """Need a Gaussian likelihood and squares only, on every column."""
        return _reasons.first(
            _reasons.needs_likelihood(problem, Gaussian),
            _reasons.needs_columns(problem),
            _reasons.needs_no_l1(problem),
            _reasons.needs_l2(problem),
        )

    def parameters(self, problem: Problem, data: PeerData) -> dict[str, Any]:
        """Convert nats to the units of the estimator."""
        return {"alpha": variance(problem) * data.l2}
