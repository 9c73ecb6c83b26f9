"""What the estimators of scikit-learn have in common: fitting, and reading the fit."""

from __future__ import annotations

from abc import abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bayesreg.optimizers._peers import PeerData, without_complaint
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg.problem import Problem


class SklearnOptimizer(Optimizer):
    """One linear model of scikit-learn, with its own defaults for whatever is not asked for."""

    requires: ClassVar[tuple[str, ...]] = ("sklearn",)
    peer: ClassVar[bool] = True
    #: Name of the class in ``sklearn.linear_model``.
    estimator: ClassVar[str]

    @abstractmethod
    def parameters(self, problem: Problem, data: PeerData) -> dict[str, Any]:
        """Return the numbers of the estimator that state this problem."""

    def _class(self) -> Any:
        return getattr(import_module("sklearn.linear_model"), self.estimator)

    def prepare(self, problem: Problem) -> None:
        """Import scikit-learn."""
        del problem
        self._class()

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Fit on columns that share one scale; claim convergence where no warning denies it."""
        data = PeerData.of(problem)
        model = self._class()(
            fit_intercept=problem.design.intercept,
            **self.parameters(problem, data),
            **self.options(problem, settings),
        )
        claims = without_complaint(lambda: model.fit(data.X, data.y, data.weights))
        return Solution(
            data.coef(model.coef_),
            float(np.ravel(model.intercept_)[0]),
            claims,
            None if model.n_iter_ is None else int(np.max(model.n_iter_)),
        )

    def options(self, problem: Problem, settings: Settings) -> dict[str, Any]:
        """Return what the caller asked for as keyword arguments."""
        del problem
        return dict(settings.keywords())
