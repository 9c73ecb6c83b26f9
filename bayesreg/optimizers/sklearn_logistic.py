"""scikit-learn's LogisticRegression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bayesreg.likelihoods import Bernoulli
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._peers import needs_one_mix
from bayesreg.optimizers._sklearn import SklearnOptimizer

if TYPE_CHECKING:
    from bayesreg.optimizers._peers import PeerData
    from bayesreg.optimizers._protocol import Settings
    from bayesreg.problem import Problem


class SklearnLogistic(SklearnOptimizer):
    """``C Σ w loss + l1_ratio Σ|u| + (1 − l1_ratio) Σ u²/2``, so ``C = 1 / (l1 + l2)``.

    Squares alone go to the default solver, lbfgs. Absolute values go to saga: the other solver
    that has them, liblinear, would penalise the intercept. Saga's stopping rule does not look at
    the intercept: where all coefficients are zero it stops, and claims, before that has settled.
    """

    name: ClassVar[str] = "sklearn_logistic"
    summary: ClassVar[str] = "sklearn.linear_model.LogisticRegression: lbfgs, or saga for |coef|"
    estimator: ClassVar[str] = "LogisticRegression"

    def reason_against(self, problem: Problem) -> str | None:
        """Need a Bernoulli likelihood, one mix of penalties and no offset."""
        return _reasons.first(
            _reasons.needs_likelihood(problem, Bernoulli),
            _reasons.needs_columns(problem),
            _reasons.needs_no_offset(problem),
            _reasons.needs_penalty(problem),
            _reasons.needs_no_loc(problem),
            needs_one_mix(problem),
        )

    def parameters(self, problem: Problem, data: PeerData) -> dict[str, Any]:
        """Convert nats to the units of the estimator."""
        del problem
        both = data.l1 + data.l2
        solver = "saga" if data.l1 > 0 else "lbfgs"
        return {"C": 1.0 / both, "l1_ratio": data.l1 / both, "solver": solver}

    def options(self, problem: Problem, settings: Settings) -> dict[str, Any]:
        """Add a seed: saga takes the rows in random order."""
        seed = int(settings.rng.integers(2**31))
        return super().options(problem, settings) | {"random_state": seed}
