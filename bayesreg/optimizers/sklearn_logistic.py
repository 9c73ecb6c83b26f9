"""scikit-learn's LogisticRegression."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from bayesreg.likelihoods import Bernoulli
from bayesreg.optimizers import _reasons
from bayesreg.optimizers._peers import PeerData, needs_one_mix, without_complaint
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg.problem import Problem

MODULE = "sklearn.linear_model"


class SklearnLogistic(Optimizer):
    """``C Σ w loss + l1_ratio Σ|u| + (1 − l1_ratio) Σ u²/2``, so ``C = 1 / (l1 + l2)``.

    Squares alone go to the default solver, lbfgs. Absolute values go to saga: the other solver
    that has them, liblinear, would penalise the intercept.
    """

    name: ClassVar[str] = "sklearn_logistic"
    summary: ClassVar[str] = "sklearn.linear_model.LogisticRegression: lbfgs, or saga for |coef|"
    requires: ClassVar[tuple[str, ...]] = ("sklearn",)

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

    def prepare(self, problem: Problem) -> None:
        """Import scikit-learn."""
        del problem
        import_module(MODULE)

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Fit on columns that share one mix; saga takes the rows in random order."""
        data = PeerData.of(problem)
        total = data.l1 + data.l2
        model = import_module(MODULE).LogisticRegression(
            C=1.0 / total,
            l1_ratio=data.l1 / total,
            solver="saga" if data.l1 > 0 else "lbfgs",
            fit_intercept=problem.design.intercept,
            random_state=int(settings.rng.integers(2**31)),
            **settings.keywords(),
        )
        claims = without_complaint(lambda: model.fit(data.X, data.y, data.weights))
        return Solution(
            data.coef(model.coef_), float(model.intercept_[0]), claims, int(model.n_iter_[0])
        )
