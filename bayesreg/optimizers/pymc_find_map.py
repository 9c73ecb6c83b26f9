"""PyMC's find_MAP on the equivalent model."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bayesreg.optimizers import _reasons
from bayesreg.optimizers._protocol import Optimizer, Settings, Solution

if TYPE_CHECKING:
    from bayesreg.problem import Problem


class PymcFindMap(Optimizer):
    """``pm.find_MAP``: L-BFGS-B on the joint density, kinks and all; no coordinate is exactly zero.

    Its time includes the compilation of the model, which every new model needs.
    """

    name: ClassVar[str] = "pymc_find_map"
    summary: ClassVar[str] = "pm.find_MAP with its defaults: L-BFGS-B that does not know of kinks"
    requires: ClassVar[tuple[str, ...]] = ("pymc",)
    peer: ClassVar[bool] = True

    def reason_against(self, problem: Problem) -> str | None:
        """Need a column; take every likelihood and prior."""
        return _reasons.needs_columns(problem)

    def prepare(self, problem: Problem) -> None:
        """Import PyMC."""
        del problem
        import_module("bayesreg.pymc_bridge")

    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Claim what the optimizer's own result says: only the data tree carries it."""
        pymc = import_module("pymc")
        model = import_module("bayesreg.pymc_bridge").to_pymc(problem)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The optimizer did not converge", UserWarning)
            tree = pymc.find_MAP(
                model=model,
                jitter=False,
                progressbar=False,
                return_inferencedata=True,
                random_seed=int(settings.rng.integers(2**31)),
                **settings.keywords(max_iter="maxiter"),
            )
        result, mode = tree["optimizer_result"], tree["posterior"]
        coef = np.asarray(mode["beta"], dtype=np.float64).reshape(problem.p)
        intercept = float(mode["intercept"].item()) if problem.design.intercept else 0.0
        return Solution(coef, intercept, bool(result["success"].item()), int(result["nit"].item()))
