"""All optimizers, in the order in which they are listed. None of them imports a peer to be here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg.optimizers.closed_form import ClosedForm
from bayesreg.optimizers.coordinate_descent import CoordinateDescent
from bayesreg.optimizers.fista import Fista
from bayesreg.optimizers.ista import Ista
from bayesreg.optimizers.lbfgs import Lbfgs
from bayesreg.optimizers.pymc_find_map import PymcFindMap
from bayesreg.optimizers.screened_descent import ScreenedDescent
from bayesreg.optimizers.skglm import Skglm
from bayesreg.optimizers.sklearn_elastic_net import SklearnElasticNet
from bayesreg.optimizers.sklearn_lasso import SklearnLasso
from bayesreg.optimizers.sklearn_logistic import SklearnLogistic
from bayesreg.optimizers.sklearn_poisson import SklearnPoisson
from bayesreg.optimizers.sklearn_ridge import SklearnRidge
from bayesreg.optimizers.subgradient import Subgradient

if TYPE_CHECKING:
    from bayesreg.optimizers._protocol import Optimizer

OPTIMIZERS: tuple[Optimizer, ...] = (
    ClosedForm(),
    CoordinateDescent(),
    ScreenedDescent(),
    Ista(),
    Fista(),
    Subgradient(),
    Lbfgs(),
    SklearnRidge(),
    SklearnLasso(),
    SklearnElasticNet(),
    SklearnLogistic(),
    SklearnPoisson(),
    Skglm(),
    PymcFindMap(),
)

BY_NAME: dict[str, Optimizer] = {optimizer.name: optimizer for optimizer in OPTIMIZERS}
