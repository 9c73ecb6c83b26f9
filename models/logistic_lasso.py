r"""Logistic lasso: a Laplace prior on each coefficient, a binary response.

Model, with a prior scale b (`scale`)::

    y    ~ Bernoulli(logit = eta),  eta = intercept + X beta
    beta ~ Laplace(0, b)             one per column of X
    intercept ~ Flat                 not penalised

Minus the log posterior, in nats and up to a constant, is the penalised form::

    sum_i [log(1 + exp(eta_i)) - y_i eta_i]  +  sum_j |beta_j| / b

Multiplied by b it is scikit-learn's ``LogisticRegression(C=b, l1_ratio=1, solver="saga")``. (The
solver "liblinear" penalises the intercept too, which is another model.) With a flat intercept the
posterior is proper only if both classes are present.
"""

from collections.abc import Sequence

import numpy as np
import pymc as pm
from numpy.typing import NDArray


def build(
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    scale: float | NDArray[np.float64] = 1.0,
    intercept: bool = True,
    names: Sequence[str] | None = None,
) -> pm.Model:
    """Build the model.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Predictors.
    y : ndarray, shape (n,)
        Response, 0 or 1.
    scale : float or ndarray of shape (p,), default 1
        Prior scale b (the mean of |beta_j|), in log odds per unit of X.
    intercept : bool, default True
        Whether to add an intercept with a flat prior.
    names : sequence of str, optional
        Names of the columns of X; x0, x1, ... by default.

    Returns
    -------
    pm.Model
        With variables "beta" and, if asked for, "intercept"; "y" is observed.
    """
    feature = [f"x{j}" for j in range(X.shape[1])] if names is None else list(names)
    with pm.Model(coords={"feature": feature}) as model:
        data = pm.Data("X", X, dims=("row", "feature"))
        # float64, because PyMC would keep a number such as 2.0, and its log, in single precision.
        scale = np.asarray(scale, dtype=np.float64)
        beta = pm.Laplace("beta", mu=0.0, b=scale, dims="feature")
        eta = data @ beta
        if intercept:
            eta = pm.Flat("intercept") + eta
        pm.Bernoulli("y", logit_p=eta, observed=y, dims="row")
    return model


if __name__ == "__main__":
    from bayesreg import datasets

    cancer = datasets.load("breast_cancer")
    standardised = (cancer.X - cancer.X.mean(axis=0)) / cancer.X.std(axis=0)
    print(build(standardised, cancer.y, scale=1.0, names=cancer.names).str_repr())
    print("sum_i [log(1 + exp(eta_i)) - y_i eta_i] + sum_j |beta_j| / 1   [nats]")
    print("with eta = intercept + X beta")
