"""The bundled data under rival priors: predictions, evidence, and whether the model makes the data.

All priors act on standardised columns, in units of the target. Ridge, lasso and horseshoe have an
unknown scale of the same prior, so that what differs is their shape.
"""

from __future__ import annotations

import numpy as np

import bayesreg as br
from bayesreg.studies.exhibit import Exhibit

__all__ = ["DATA", "EXHIBITS", "models", "predictive_check", "prior_comparison"]

DOCUMENT = 7
#: The data sets that are compared on.
DATA = ("diabetes", "prostate", "breast_cancer")


def models(name: str) -> dict[str, br.Problem]:
    """Return the rival models of a bundled data set.

    Parameters
    ----------
    name : str
        One of `bayesreg.datasets.names()`.

    Returns
    -------
    dict of Problem
        Ridge, lasso, horseshoe; of Gaussian data also spike and slab, and a vague ridge, a hundred
        times as wide as the data are.

    Examples
    --------
    >>> list(models("prostate"))
    ['ridge', 'lasso', 'horseshoe', 'spike and slab', 'vague ridge']
    """
    data = br.datasets.load(name)
    binary = data.likelihood == "bernoulli"
    # The unit of a coefficient of a standardised column: sd of y, or one of the log odds.
    unit = 1.0 if binary else float(data.y.std())
    noise = br.Bernoulli() if binary else br.Gaussian(br.HalfNormal(2 * unit))
    # Classes that a plane separates need tails lighter than those of a half-Cauchy.
    width = br.HalfNormal(unit) if binary else br.HalfCauchy(unit)
    priors: dict[str, br.Normal | br.Laplace | br.Horseshoe | br.SpikeSlab] = {
        "ridge": br.Normal(width),
        "lasso": br.Laplace(width),
        "horseshoe": br.Horseshoe(width),
        "spike and slab": br.SpikeSlab(0.5, unit),
        "vague ridge": br.Normal(100.0 * unit),
    }
    if binary:
        # Thirty columns have too many sets of them; and where a plane nearly separates the classes
        # a vague ridge has a posterior so long and thin that no chain crosses it.
        del priors["spike and slab"], priors["vague ridge"]
    return {
        label: br.Problem(
            data.X, data.y, likelihood=noise, prior=prior, names=data.names, standardize=True
        )
        for label, prior in priors.items()
    }


def prior_comparison(seed: int = 0, *, draws: int = 2000) -> dict[str, br.PriorComparison]:
    """Compare the rival priors on each data set.

    Parameters
    ----------
    seed : int
        Of all draws.
    draws : int
        Per chain, of four.

    Returns
    -------
    dict of PriorComparison
        One per data set of `DATA`.
    """
    seeds = np.random.SeedSequence(seed).spawn(len(DATA))
    return {
        name: br.compare_priors(
            models(name), draws=draws, seed=np.random.default_rng(each), progress=False
        )
        for name, each in zip(DATA, seeds, strict=True)
    }


def predictive_check(seed: int = 0, *, draws: int = 1000) -> dict[str, br.PredictiveCheck]:
    """Check the predictions of the lasso on each data set.

    Parameters
    ----------
    seed : int
        Of all draws.
    draws : int
        Per chain, of four.

    Returns
    -------
    dict of PredictiveCheck
        One per data set of `DATA`.
    """
    out = {}
    for name, each in zip(DATA, np.random.SeedSequence(seed).spawn(len(DATA)), strict=True):
        rng = np.random.default_rng(each)
        problem = models(name)["lasso"]
        tree = br.sample(problem, draws=draws, seed=rng, progress=False)
        out[name] = br.check_predictions(problem, tree, seed=rng)
    return out


EXHIBITS: tuple[Exhibit, ...] = (
    Exhibit(
        "prior_comparison",
        "Bundled data under rival priors: leave-one-out beside the marginal likelihood",
        DOCUMENT,
        prior_comparison,
    ),
    Exhibit(
        "predictive_check",
        "Data beside data that the lasso makes: shape, statistics, PIT and calibration",
        DOCUMENT,
        predictive_check,
    ),
)
