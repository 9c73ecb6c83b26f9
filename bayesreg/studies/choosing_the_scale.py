"""Choosing the scale of a prior: what each criterion says of ridge and lasso, diabetes data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg import datasets
from bayesreg.likelihoods import Gaussian
from bayesreg.priors import Laplace, Normal
from bayesreg.problem import Problem
from bayesreg.scale_priors import HalfCauchy
from bayesreg.selection import CriteriaComparison, compare_criteria
from bayesreg.studies.exhibit import Exhibit

if TYPE_CHECKING:
    from bayesreg.priors import Prior

__all__ = ["EXHIBITS", "scale_selection"]

DOCUMENT = 7
# Of each of four chains: enough for curves that are drawn.
_DRAWS = 250


def problem(prior: Prior) -> Problem:
    """Return the diabetes data on standardised columns, sigma unknown, under a prior."""
    data = datasets.load("diabetes")
    return Problem(
        data.X,
        data.y,
        names=data.names,
        likelihood=Gaussian(HalfCauchy(float(data.y.std()))),
        prior=prior,
        standardize=True,
    )


def scale_selection(seed: int = 0) -> tuple[CriteriaComparison, CriteriaComparison]:
    """Choose the scale of a ridge and of a lasso by every criterion that takes them.

    Parameters
    ----------
    seed : int
        Of folds and draws.

    Returns
    -------
    tuple of CriteriaComparison
        Ridge and lasso.
    """
    ridge, lasso = (
        compare_criteria(problem(prior), draws=_DRAWS, tune=_DRAWS, seed=seed)
        for prior in (Normal(16.5), Laplace(16.5))
    )
    return ridge, lasso


EXHIBITS: tuple[Exhibit, ...] = (
    Exhibit(
        "scale_selection",
        "The scale of ridge and lasso priors by seven criteria, in nats on one axis, diabetes data",
        DOCUMENT,
        scale_selection,
    ),
)
