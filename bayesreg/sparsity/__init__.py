"""Sparse answers from dense posteriors.

The mode of a penalised regression has exact zeros; almost no draw of its posterior has one. Each
function here turns a posterior into a set of columns by another rule, and `summarise` sets them
side by side: zeros of the mode, closeness to zero, inclusion probabilities, credible intervals,
shrinkage factors, decoupled shrinkage and selection, and, for contrast, stability selection.

Examples
--------
>>> import numpy as np
>>> import bayesreg as br
>>> rng = np.random.default_rng(0)
>>> X = rng.standard_normal((50, 4))
>>> problem = br.Problem(X, X[:, 0] + 0.3 * rng.standard_normal(50),
...                      likelihood=br.Gaussian(sigma=0.3), prior=br.Horseshoe(scale=0.1))
>>> draws = br.sample(problem, draws=250, seed=1, progress=False)
>>> br.sparsity.decoupled(problem, draws).selection.support
('x0',)
"""

from __future__ import annotations

from bayesreg.sparsity.decoupling import Decoupled, decoupled
from bayesreg.sparsity.rules import (
    credible_intervals,
    inclusion,
    mode_zeros,
    not_near_zero,
)
from bayesreg.sparsity.selection import Selection
from bayesreg.sparsity.shrinkage import Shrinkage, prior_effective_number, shrinkage
from bayesreg.sparsity.stability import (
    Stability,
    pair_bound,
    stability_selection,
    unimodal_bound,
)
from bayesreg.sparsity.summary import SparsitySummary, summarise

__all__ = [
    "Decoupled",
    "Selection",
    "Shrinkage",
    "SparsitySummary",
    "Stability",
    "credible_intervals",
    "decoupled",
    "inclusion",
    "mode_zeros",
    "not_near_zero",
    "pair_bound",
    "prior_effective_number",
    "shrinkage",
    "stability_selection",
    "summarise",
    "unimodal_bound",
]
