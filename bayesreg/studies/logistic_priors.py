"""Document 4: logistic regression with Laplace and Gaussian priors.

The computations are in modules of their own: the 50 rows and 50 columns of its L1 exercise
(`_logistic_lasso`), the two clouds of its L2 exercise (`_logistic_clouds`), and its remarks on wide
matrices and on noise (`_logistic_width`).

Its penalties in nats: ``λ Σ|w|`` is a Laplace prior of scale ``1/λ``, variance ``2/λ²``;
``λ‖w‖²/2`` a Normal prior of variance ``1/λ``; ``λ₂‖w‖²``, in its elastic net, one of variance
``1/(2λ₂)``.
"""

from __future__ import annotations

from bayesreg.studies._logistic_clouds import (
    clouds,
    clouds_problem,
    endless_problem,
    one_point,
    precision_prior,
    separated_clouds,
)
from bayesreg.studies._logistic_lasso import (
    logistic_elastic_net,
    logistic_lasso,
    logistic_weights_of_the_rule,
    make_rows,
    plotted_cost,
    refusal,
    true_weights,
)
from bayesreg.studies._logistic_width import noise_columns, wide_and_thin
from bayesreg.studies.exhibit import Exhibit

__all__ = [
    "EXHIBITS",
    "clouds",
    "clouds_problem",
    "endless_problem",
    "logistic_elastic_net",
    "logistic_lasso",
    "logistic_weights_of_the_rule",
    "make_rows",
    "noise_columns",
    "one_point",
    "plotted_cost",
    "precision_prior",
    "refusal",
    "separated_clouds",
    "true_weights",
    "wide_and_thin",
]

DOCUMENT = 4

EXHIBITS: tuple[Exhibit, ...] = (
    Exhibit(
        "logistic_descent",
        "5000 subgradient steps on a logistic lasso: the cost settles above the mode's, no weight "
        "is ever 0",
        DOCUMENT,
        logistic_lasso,
    ),
    Exhibit(
        "logistic_weights",
        "Logistic lasso with λ = 2 and 10: true weights, subgradient method, exact mode, posterior",
        DOCUMENT,
        logistic_lasso,
    ),
    Exhibit(
        "logistic_elastic_net",
        "Ridge, lasso and elastic net on the same data: the zeros come from λ₁",
        DOCUMENT,
        logistic_elastic_net,
    ),
    Exhibit(
        "separated_clouds",
        "Two separated clouds: no finite maximum without a prior, and the mode with variance 1/λ",
        DOCUMENT,
        separated_clouds,
    ),
    Exhibit(
        "wide_and_thin",
        "The same 50 columns with 50 rows and with 1000: mode and posterior",
        DOCUMENT,
        wide_and_thin,
    ),
    Exhibit(
        "noise_columns",
        "Columns of pure noise raise the training score and lower the score on new rows",
        DOCUMENT,
        noise_columns,
    ),
)
