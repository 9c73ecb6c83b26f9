"""Whether likelihood, prior and data fit each other: what `Problem` checks when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg.blocks import Blocks
from bayesreg.errors import InputError
from bayesreg.likelihoods import Likelihood, Noise
from bayesreg.priors import Prior, as_coefficient_prior

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayesreg.design import Design
    from bayesreg.scale_priors import ScalePrior

    #: What `Problem` takes as a prior: a density, or one per block of columns.
    type PriorLike = Prior | ScalePrior | Sequence[tuple[Prior | ScalePrior, Sequence[object]]]


def as_likelihood(likelihood: object) -> Likelihood:
    """Return a likelihood, or refuse what is none."""
    if not isinstance(likelihood, Likelihood):
        msg = (
            "likelihood: must be Gaussian(sigma=...), StudentTNoise(nu=..., sigma=...), "
            f"Bernoulli() or Poisson(), found {likelihood!r}"
        )
        raise InputError(msg)
    return likelihood


def as_prior(prior: object, design: Design) -> Prior:
    """Return a prior, made of a list of (prior, columns) where that is what it is."""
    density = (
        Blocks.of(prior, design.names)
        if isinstance(prior, list | tuple)
        else as_coefficient_prior(prior)
    )
    if not isinstance(density, Prior):
        msg = (
            "prior: must be a prior such as Laplace(scale=...), or a list of (prior, columns) "
            f"pairs, found {density!r}"
        )
        raise InputError(msg)
    return density


def check_parts(design: Design, likelihood: Likelihood, prior: Prior) -> Prior:
    """Refuse parts that do not fit; return the prior, with a known noise sd put in.

    Raises
    ------
    InputError
        If sizes, target or scales do not fit.
    """
    prior.check_size(design.p)
    likelihood.check_target(design.y)
    if prior.relative_to == "sigma" and not isinstance(likelihood, Noise):
        msg = (
            'prior: relative_to="sigma" needs a Gaussian or StudentTNoise likelihood, '
            f"found {likelihood.name}"
        )
        raise InputError(msg)
    if prior.relative_to == "sigma" and isinstance(likelihood, Noise) and likelihood.conditional:
        prior = prior.given(sigma=likelihood.variance**0.5)
    return prior
