"""Figures, one file each: a figure takes results and draws them; it computes only a density.

Every function returns a `matplotlib.figure.Figure` that belongs to its caller: no pyplot, no
window.
They load on first use, so that importing bayesreg does not import matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesreg.figures._ball_landings import ball_landings
    from bayesreg.figures._ball_minimisers import ball_minimisers
    from bayesreg.figures._bimodal_lasso import bimodal_lasso
    from bayesreg.figures._coefficient_path import coefficient_path
    from bayesreg.figures._coefficients import coefficients
    from bayesreg.figures._coefficients_beside_ols import coefficients_beside_ols
    from bayesreg.figures._collinear_columns import collinear_columns
    from bayesreg.figures._dense_draws import dense_draws
    from bayesreg.figures._lagrange import lagrange
    from bayesreg.figures._level_sets import level_sets
    from bayesreg.figures._level_sets_of_priors import level_sets_of_priors
    from bayesreg.figures._logistic_descent import logistic_descent
    from bayesreg.figures._logistic_elastic_net import logistic_elastic_net
    from bayesreg.figures._logistic_weights import logistic_weights
    from bayesreg.figures._moving_costs import moving_costs
    from bayesreg.figures._moving_costs_animation import moving_costs_animation
    from bayesreg.figures._moving_mode import moving_mode
    from bayesreg.figures._noise_columns import noise_columns
    from bayesreg.figures._norm_densities import norm_densities
    from bayesreg.figures._one_weight import one_weight
    from bayesreg.figures._one_weight_densities import one_weight_densities
    from bayesreg.figures._one_weight_descent import one_weight_descent
    from bayesreg.figures._posterior_densities import posterior_densities
    from bayesreg.figures._posterior_path import posterior_path
    from bayesreg.figures._posterior_summaries import posterior_summaries
    from bayesreg.figures._posterior_under_level_sets import posterior_under_level_sets
    from bayesreg.figures._predictive_check import predictive_check
    from bayesreg.figures._prior_comparison import prior_comparison
    from bayesreg.figures._scale_selection import scale_selection
    from bayesreg.figures._separated_clouds import separated_clouds
    from bayesreg.figures._shrinkage_rules import shrinkage_rules
    from bayesreg.figures._shrunken_clouds import shrunken_clouds
    from bayesreg.figures._soft_thresholding import soft_thresholding
    from bayesreg.figures._sparse_answers import sparse_answers
    from bayesreg.figures._sparsity_path import sparsity_path
    from bayesreg.figures._tangency import tangency
    from bayesreg.figures._wide_and_thin import wide_and_thin
    from bayesreg.figures._zero_draws import zero_draws

__all__ = [
    "ball_landings",
    "ball_minimisers",
    "bimodal_lasso",
    "coefficient_path",
    "coefficients",
    "coefficients_beside_ols",
    "collinear_columns",
    "dense_draws",
    "lagrange",
    "level_sets",
    "level_sets_of_priors",
    "logistic_descent",
    "logistic_elastic_net",
    "logistic_weights",
    "moving_costs",
    "moving_costs_animation",
    "moving_mode",
    "noise_columns",
    "norm_densities",
    "one_weight",
    "one_weight_densities",
    "one_weight_descent",
    "posterior_densities",
    "posterior_path",
    "posterior_summaries",
    "posterior_under_level_sets",
    "predictive_check",
    "prior_comparison",
    "scale_selection",
    "separated_clouds",
    "shrinkage_rules",
    "shrunken_clouds",
    "soft_thresholding",
    "sparse_answers",
    "sparsity_path",
    "tangency",
    "wide_and_thin",
    "zero_draws",
]


def __getattr__(name: str) -> Any:
    # The files carry an underscore: loading one binds its name here, which must not hide one.
    if name in __all__:
        function = getattr(import_module(f"bayesreg.figures._{name}"), name)
        globals()[name] = function
        return function
    msg = f"module 'bayesreg.figures' has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return list(__all__)
