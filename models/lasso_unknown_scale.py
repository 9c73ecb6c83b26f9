r"""Lasso with an unknown prior scale: the amount of shrinkage is learnt from the data.

Model, with a known noise sd :math:`\sigma` and a half-Cauchy of scale h (`hyper_scale`)::

    y     ~ Normal(intercept + X beta, sigma)
    beta  ~ Laplace(0, b)            one per column of X, given b
    b     ~ HalfCauchy(h)            the variable "scale"
    intercept ~ Flat                 not penalised

Minus the log joint density of (intercept, beta, b), in nats and up to a constant, is::

    ||y - intercept - X beta||^2 / (2 sigma^2)  +  sum_j |beta_j| / b
        + p log b  +  log(1 + b^2 / h^2)

Given b it is the lasso, and scikit-learn's ``Lasso(alpha)`` has ``alpha = sigma^2 / (n b)``.

There is no joint mode. The normaliser p log b is part of the density, as b is unknown; at beta = 0
nothing opposes it, and the expression tends to minus infinity as b tends to zero. An optimiser over
(beta, b) therefore collapses to zero or stops at a local minimum of no standing. The posterior is
proper all the same: that corner has little probability. Sample it, or take the mode of beta given a
value of b, chosen from the marginal posterior of b.
"""

from collections.abc import Sequence

import numpy as np
import pymc as pm
from numpy.typing import NDArray


def build(
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    hyper_scale: float = 1.0,
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
    hyper_scale : float, default 1
        Median h of the prior of the scale b, in units of y per unit of X.
    sigma : float or None, default 1
        Noise sd in units of y; None makes it unknown, HalfNormal(sd(y)).
    intercept : bool, default True
        Whether to add an intercept with a flat prior.
    names : sequence of str, optional
        Names of the columns of X; x0, x1, ... by default.

    Returns
    -------
    pm.Model
        With variables "scale", "beta" and, where they exist, "intercept" and "sigma"; "y" is
        observed.
    """
    feature = [f"x{j}" for j in range(X.shape[1])] if names is None else list(names)
    with pm.Model(coords={"feature": feature}) as model:
        data = pm.Data("X", X, dims=("row", "feature"))
        # float64, because PyMC would keep a number such as 2.0, and its log, in single precision.
        scale = pm.HalfCauchy("scale", beta=np.float64(hyper_scale))
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
    model = build(standardised, diabetes.y, hyper_scale=20.0, sigma=54.0, names=diabetes.names)
    print(model.str_repr())
    print("||y - intercept - X beta||^2 / (2 * 54^2) + sum_j |beta_j| / scale")
    print("  + 10 log scale + log(1 + scale^2 / 20^2)   [nats; unbounded below at beta = 0]")
