r"""Lasso: a Laplace prior on each coefficient.

Model, with a known noise sd :math:`\sigma` and a prior scale b (`scale`)::

    y    ~ Normal(intercept + X beta, sigma)
    beta ~ Laplace(0, b)             one per column of X
    intercept ~ Flat                 not penalised

Minus the log posterior, in nats and up to a constant, is the penalised form::

    ||y - intercept - X beta||^2 / (2 sigma^2)  +  sum_j |beta_j| / b

Multiplied by sigma^2 / n it is scikit-learn's ``Lasso(alpha)`` with ``alpha = sigma^2 / (n b)``.
The mode has exact zeros; the posterior, being continuous, gives them probability zero.
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
    sigma: float | None = 1.0,
    intercept: bool = True,
    names: Sequence[str] | None = None,
) -> pm.Model:
    """Build the model.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Predictors.
    y : ndarray, shape (n,)
        Response.
    scale : float or ndarray of shape (p,), default 1
        Prior scale b (the mean of |beta_j|), in units of y per unit of X.
    sigma : float or None, default 1
        Noise sd in units of y; None makes it unknown, HalfNormal(sd(y)).
    intercept : bool, default True
        Whether to add an intercept with a flat prior.
    names : sequence of str, optional
        Names of the columns of X; x0, x1, ... by default.

    Returns
    -------
    pm.Model
        With variables "beta" and, where they exist, "intercept" and "sigma"; "y" is observed.
    """
    feature = [f"x{j}" for j in range(X.shape[1])] if names is None else list(names)
    with pm.Model(coords={"feature": feature}) as model:
        data = pm.Data("X", X, dims=("row", "feature"))
        # float64, because PyMC would keep a number such as 2.0, and its log, in single precision.
        scale = np.asarray(scale, dtype=np.float64)
        beta = pm.Laplace("beta", mu=0.0, b=scale, dims="feature")
        mu = data @ beta
        if intercept:
            mu = pm.Flat("intercept") + mu
        noise = np.float64(sigma) if sigma is not None else pm.HalfNormal("sigma", sigma=np.std(y))
        pm.Normal("y", mu=mu, sigma=noise, observed=y, dims="row")
    return model


if __name__ == "__main__":
    from bayesreg import datasets

    diabetes = datasets.load("diabetes")
    standardised = (diabetes.X - diabetes.X.mean(axis=0)) / diabetes.X.std(axis=0)
    print(build(standardised, diabetes.y, scale=16.5, sigma=54.0, names=diabetes.names).str_repr())
    print("||y - intercept - X beta||^2 / (2 * 54^2) + sum_j |beta_j| / 16.5   [nats]")
