"""scikit-learn estimators: a posterior with ``fit`` and ``predict``.

=====================  ===========================================================================
`BayesianRidge`        normal prior; exact
`BayesianLasso`        Laplace prior
`BayesianElasticNet`   both
`BayesianHorseshoe`    horseshoe prior
`BayesianLogistic`     two classes; normal, Laplace or any other prior
`MAPRegressor`         the certified mode under any prior and likelihood
=====================  ===========================================================================

What ``coef_`` is
    The posterior mean, the best answer under squared error. ``point="median"`` or ``"mode"``
    makes it another centre; the mode is what a penalised fit returns, with its exact zeros, and is
    at hand as ``mode_`` whatever `point` says (but for a horseshoe, which has none). Predictions
    average over the whole posterior, which for a mean of real numbers is what the posterior mean
    predicts; `MAPRegressor` alone predicts by the mode.

Scales
    A number is in units of the coefficient of a standardised column (of the column as it is with
    ``standardize=False``). Where none is given, four of the six have an unknown one, with a weak
    prior in units of the data, so that no answer depends on units: relative to σ, a normal scale is
    half-Cauchy with median ``1/√p``, so that the share of variance that the columns explain is
    about Beta(1/2, 1/2), a Laplace scale with median ``1/√(2p)``, a horseshoe's with ``1/√n``; in a
    logit it is half-normal with scale ``2.5/√p``. The noise of all regressions but `MAPRegressor`
    is unknown too, with nearly the density ``1/σ²``. `BayesianElasticNet` learns no scale: its two
    are numbers in proportion to the sd of the target. Nor does `MAPRegressor` learn anything:
    its σ is the residual sd of least squares, and the rest of the variance is the coefficients'.

``sample_weight``
    A row of weight w counts as w rows. (`bayesreg.Problem` takes precisions instead.)

Exposures
    No estimator takes an ``offset``: counts with exposures need `bayesreg.Problem`.

Examples
--------
In a pipeline, with the prior scale chosen by cross-validation; columns keep their names. The data
are eighty diabetes patients, so that shrinking pays.

>>> import pandas as pd
>>> from sklearn.model_selection import GridSearchCV
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> from bayesreg import datasets
>>> from bayesreg.estimators import BayesianRidge
>>> data = datasets.load("diabetes")
>>> X, y = pd.DataFrame(data.X[:80], columns=list(data.names)), data.y[:80]
>>> pipeline = make_pipeline(StandardScaler(), BayesianRidge(random_state=0))
>>> pipeline = pipeline.set_output(transform="pandas")
>>> search = GridSearchCV(pipeline, {"bayesianridge__scale": [1.0, 3.0, 10.0, 30.0, 100.0]}, cv=5)
>>> search = search.fit(X, y)
>>> search.best_params_
{'bayesianridge__scale': 10.0}
>>> model = search.best_estimator_[-1]
>>> print(*model.feature_names_in_[:3])
age sex bmi
>>> mean, std = search.best_estimator_.predict(X[:2], return_std=True)
>>> mean.shape, std.shape
((2,), (2,))
>>> low, high = model.interval_[2]  # 95 % for bmi, per sd of it
>>> bool(low > 0)
True
"""

from bayesreg.estimators._base import BayesianEstimator, BayesianRegressor
from bayesreg.estimators._logistic import BayesianLogistic
from bayesreg.estimators._map_regressor import MAPRegressor
from bayesreg.estimators._regressors import (
    BayesianElasticNet,
    BayesianHorseshoe,
    BayesianLasso,
    BayesianRidge,
)

__all__ = [
    "BayesianElasticNet",
    "BayesianEstimator",
    "BayesianHorseshoe",
    "BayesianLasso",
    "BayesianLogistic",
    "BayesianRegressor",
    "BayesianRidge",
    "MAPRegressor",
]
