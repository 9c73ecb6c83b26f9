"""What none of the documents shows: the same pictures for the posterior.

The computations are in modules of their own: summaries of one posterior, and what becomes of one
observation (`_summaries`); what a point leaves out (`_collinear`, `_two_modes`, `_moving_mode`);
zeros (`_sparsity`).
"""

from __future__ import annotations

from bayesreg.studies._collinear import collinear_columns
from bayesreg.studies._moving_mode import moving_mode
from bayesreg.studies._sparsity import dense_draws, zero_draws
from bayesreg.studies._summaries import posterior_summaries, shrinkage_rules
from bayesreg.studies._two_modes import bimodal_lasso, park_casella
from bayesreg.studies.exhibit import Exhibit

__all__ = [
    "EXHIBITS",
    "bimodal_lasso",
    "collinear_columns",
    "dense_draws",
    "moving_mode",
    "park_casella",
    "posterior_summaries",
    "shrinkage_rules",
    "zero_draws",
]

DOCUMENT = 6

EXHIBITS: tuple[Exhibit, ...] = (
    Exhibit(
        "posterior_summaries",
        "Mode, mean, median and draws of the same two coefficients under four priors of one spread",
        DOCUMENT,
        posterior_summaries,
    ),
    Exhibit(
        "shrinkage_rules",
        "One observation: the mode has a threshold, the posterior mean has none",
        DOCUMENT,
        shrinkage_rules,
    ),
    Exhibit(
        "zero_draws",
        "Zeros of the lasso's mode beside the zeros of posterior draws, diabetes data",
        DOCUMENT,
        zero_draws,
    ),
    Exhibit(
        "collinear_columns",
        "Two nearly equal columns: ridge splits, lasso picks, the posterior is a ridge",
        DOCUMENT,
        collinear_columns,
    ),
    Exhibit(
        "bimodal_lasso",
        "A lasso prior that is not scaled by σ can give a posterior with two modes",
        DOCUMENT,
        bimodal_lasso,
    ),
    Exhibit(
        "moving_mode",
        "One posterior as log odds, odds and probability: the mode moves, probabilities do not",
        DOCUMENT,
        moving_mode,
    ),
    Exhibit(
        "dense_draws",
        "Draws of the Bayesian lasso get denser as columns of noise are added",
        DOCUMENT,
        dense_draws,
    ),
)
