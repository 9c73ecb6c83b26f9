"""scikit-learn's PoissonRegressor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bayesreg.likelihoods import Poisson
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._sklearn import SklearnOptimizer

if TYPE_CHECKING:
    from bayesreg.optimizers._peers import PeerData
    from bayesreg.problem import Problem


class SklearnPoisson(SklearnOptimizer):
    """``PoissonRegressor(alpha)``: ``Σ w loss / Σ w + alpha Σ u²/2``, so ``alpha = l2 / Σ w``."""

    name: ClassVar[str] = "sklearn_poisson"
    summary: ClassVar[str] = "sklearn.linear_model.PoissonRegressor with its defaults"
    estimator: ClassVar[str] = "PoissonRegressor"

    def reason_against(self, problem: Problem) -> str | None:
        """Need a Poisson likelihood and squares only, on every column."""
        return _reasons.first(
            _reasons.needs_likelihood(problem, Poisson),
            _reasons.needs_columns(problem),
            _reasons.needs_no_l1(problem),
            _reasons.needs_l2(problem),
        )

    def parameters(self, problem: Problem, data: PeerData) -> dict[str, Any]:
        """Convert nats to the units of the estimator."""
        del problem
        return {"alpha": data.l2 / data.total}
