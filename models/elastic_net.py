r"""Elastic net: the product of a Laplace and a normal density as the prior of each coefficient.

Model, with a known noise sd :math:`\sigma` and prior scales b (`l1_scale`) and tau (`l2_scale`)::

    y    ~ Normal(intercept + X beta, sigma)
    beta ~ ElasticNet(b, tau)        p(x) = exp(-|x| / b - x^2 / (2 tau^2)) / Z(b, tau)
    intercept ~ Flat                 not penalised

Minus the log posterior, in nats and up to a constant, is the penalised form::

    ||y - intercept - X beta||^2 / (2 sigma^2)  +  sum_j |beta_j| / b  +  sum_j beta_j^2 / (2 tau^2)

Multiplied by sigma^2 / n it is scikit-learn's ``ElasticNet(alpha, l1_ratio)`` with
``alpha = (1/b + 1/tau^2) sigma^2 / n`` and ``l1_ratio = (1/b) / (1/b + 1/tau^2)``. That ratio adds
quantities of different units: it changes when y is measured in other units, b and tau do not.
"""

from collections.abc import Sequence

import numpy as np
import pymc as pm
from numpy.typing import NDArray

from bayesreg.pymc_distributions import ElasticNet


def build(
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    l1_scale: float | NDArray[np.float64] = 1.0,
    l2_scale: float | NDArray[np.float64] = 1.0,
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
    l1_scale : float or ndarray of shape (p,), default 1
        Scale b of the Laplace factor, in units of y per unit of X.
    l2_scale : float or ndarray of shape (p,), default 1
        Sd tau of the normal factor, in units of y per unit of X.
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
        beta = ElasticNet("beta", l1_scale=l1_scale, l2_scale=l2_scale, dims="feature")
        mu = data @ beta
        if intercept:
            mu = pm.Flat("intercept") + mu
        # float64: PyMC would keep a number such as 2.0, and its log, in single precision.
        noise = np.float64(sigma) if sigma is not None else pm.HalfNormal("sigma", sigma=np.std(y))
        pm.Normal("y", mu=mu, sigma=noise, observed=y, dims="row")
    return model


if __name__ == "__main__":
    from bayesreg import datasets

    diabetes = datasets.load("diabetes")
    standardised = (diabetes.X - diabetes.X.mean(axis=0)) / diabetes.X.std(axis=0)
    model = build(
        standardised, diabetes.y, l1_scale=16.5, l2_scale=20.0, sigma=54.0, names=diabetes.names
    )
    print(model.str_repr())
    print("||y - intercept - X beta||^2 / (2 * 54^2)")
    print("  + sum_j |beta_j| / 16.5 + sum_j beta_j^2 / (2 * 20^2)   [nats]")
