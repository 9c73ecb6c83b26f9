"""scikit-learn's ElasticNet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bayesreg.likelihoods import Gaussian
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._peers import needs_one_mix, variance
from bayesreg.optimizers._sklearn import SklearnOptimizer

if TYPE_CHECKING:
    from bayesreg.optimizers._peers import PeerData
    from bayesreg.problem import Problem


class SklearnElasticNet(SklearnOptimizer):
    """``ElasticNet(alpha, l1_ratio=r)``: ``Σ w r²/(2 Σ w) + alpha (r Σ|u| + (1 − r) Σ u²/2)``."""

    name: ClassVar[str] = "sklearn_elastic_net"
    summary: ClassVar[str] = "sklearn.linear_model.ElasticNet with its defaults; exact zeros"
    estimator: ClassVar[str] = "ElasticNet"

    def reason_against(self, problem: Problem) -> str | None:
        """Need a Gaussian likelihood, and absolute values and squares in one mix."""
        return _reasons.first(
            _reasons.needs_likelihood(problem, Gaussian),
            _reasons.needs_columns(problem),
            _reasons.needs_l1(problem),
            _reasons.needs_l2(problem),
            _reasons.needs_no_loc(problem),
            needs_one_mix(problem),
        )

    def parameters(self, problem: Problem, data: PeerData) -> dict[str, Any]:
        """Convert nats to the units of the estimator."""
        both = data.l1 + data.l2
        return {"alpha": variance(problem) * both / data.total, "l1_ratio": data.l1 / both}
