r"""Poisson lasso: a Laplace prior on each coefficient, a response of counts.

Model, with a prior scale b (`scale`)::

    y    ~ Poisson(exp(eta)),  eta = intercept + X beta
    beta ~ Laplace(0, b)             one per column of X
    intercept ~ Flat                 not penalised

Minus the log posterior, in nats and up to a constant that depends on y alone, is the penalised
form::

    sum_i [exp(eta_i) - y_i eta_i]  +  sum_j |beta_j| / b

Counts of unequal exposures t have the offset log(t) in eta: a known part of it, which a problem
takes beside the model, as ``--formula "y ~ x + offset(log(t))"`` does. With a flat intercept the
posterior is proper only if one count at least is not 0.
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
        Response, counts from 0 on.
    scale : float or ndarray of shape (p,), default 1
        Prior scale b (the mean of |beta_j|), in log rate per unit of X.
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
        pm.Poisson("y", mu=pm.math.exp(eta), observed=y, dims="row")
    return model


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    y = rng.poisson(np.exp(X[:, 0])).astype(np.float64)
    print(build(X, y, scale=1.0).str_repr())
    print("sum_i [exp(eta_i) - y_i eta_i] + sum_j |beta_j| / 1   [nats]")
    print("with eta = intercept + X beta")
