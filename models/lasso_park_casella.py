r"""Bayesian lasso of Park and Casella: an unknown noise sd, which also scales the Laplace prior.

Model, with a prior scale b (`scale`) relative to the noise::

    y    ~ Normal(intercept + X beta, sigma)
    beta ~ Laplace(0, b sigma)       one per column of X, given sigma
    sigma ~ HalfCauchy(s)            s = sd(y)
    intercept ~ Flat                 not penalised

Minus the log joint density of (intercept, beta, sigma), in nats and up to a constant, is::

    ||y - intercept - X beta||^2 / (2 sigma^2)  +  sum_j |beta_j| / (b sigma)
        + (n + p) log sigma  +  log(1 + sigma^2 / s^2)

Given sigma it is the lasso; multiplied by sigma^2 / n it is scikit-learn's ``Lasso(alpha)`` with
``alpha = sigma / (n b)``.

Why one mode. Write phi = beta / sigma, c = intercept / sigma and rho = 1 / sigma. The same value is
::

    ||rho y - c - X phi||^2 / 2  +  sum_j |phi_j| / b
        - (n + p) log rho  +  log(1 + 1 / (s^2 rho^2))

The first two terms are convex in (c, phi, rho) together; -log rho is strictly convex; the second
derivative of the last term in rho is 2 (3 s^2 rho^2 + 1) / (rho^2 (s^2 rho^2 + 1)^2) > 0. A convex
function has connected sublevel sets, and the map back to (intercept, beta, sigma) is continuous
both ways, so the posterior has one mode. It exists unless y is constant (zero, if there is no
intercept): when rho grows, the first two terms grow at least in proportion to it and the logarithms
do not keep up. With a Laplace scale that does not contain sigma the argument fails, and two modes
do occur.

Which prior on sigma. Park and Casella's p(sigma^2) = 1 / sigma^2, an inverse gamma on sigma^2 and a
half-normal on sigma give a convex last term as well. The half-Cauchy is taken because it is proper,
needs one number on the scale of y, and does not push sigma away from zero as an inverse gamma does.
The mode is that of the density in (intercept, beta, sigma); in log sigma it lies elsewhere.
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
        Response.
    scale : float or ndarray of shape (p,), default 1
        Prior scale b: the mean of |beta_j| / sigma, per unit of X.
    intercept : bool, default True
        Whether to add an intercept with a flat prior.
    names : sequence of str, optional
        Names of the columns of X; x0, x1, ... by default.

    Returns
    -------
    pm.Model
        With variables "sigma", "beta" and, if asked for, "intercept"; "y" is observed.
    """
    feature = [f"x{j}" for j in range(X.shape[1])] if names is None else list(names)
    with pm.Model(coords={"feature": feature}) as model:
        data = pm.Data("X", X, dims=("row", "feature"))
        sigma = pm.HalfCauchy("sigma", beta=np.std(y))
        beta = pm.Laplace("beta", mu=0.0, b=scale * sigma, dims="feature")
        mu = data @ beta
        if intercept:
            mu = pm.Flat("intercept") + mu
        pm.Normal("y", mu=mu, sigma=sigma, observed=y, dims="row")
    return model


if __name__ == "__main__":
    from bayesreg import datasets

    diabetes = datasets.load("diabetes")
    standardised = (diabetes.X - diabetes.X.mean(axis=0)) / diabetes.X.std(axis=0)
    print(build(standardised, diabetes.y, scale=0.3, names=diabetes.names).str_repr())
    print("||y - intercept - X beta||^2 / (2 sigma^2) + sum_j |beta_j| / (0.3 sigma)")
    print("  + (442 + 10) log sigma + log(1 + sigma^2 / sd(y)^2)   [nats]")
