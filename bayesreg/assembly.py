"""Whether likelihood, prior and data fit each other: what `Problem` checks when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg._visible import shown
from bayesreg.blocks import Blocks
from bayesreg.errors import InputError
from bayesreg.likelihoods import Likelihood, Noise
from bayesreg.priors import Flat, Prior, as_coefficient_prior

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
            f"Bernoulli() or Poisson(), found {shown(likelihood)}"
        )
        raise InputError(msg)
    return likelihood


def as_prior(prior: object, design: Design) -> Prior:
    """Return a prior, made of a list of (prior, columns) where that is what it is.

    A prior that is no list leaves the unpenalised columns of the design flat.
    """
    parts = prior
    if design.unpenalised and not isinstance(prior, list | tuple | Blocks):
        parts = beside_flat(prior, [design.names[j] for j in design.unpenalised], design.names)
    density = (
        Blocks.of(parts, design.names)
        if isinstance(parts, list | tuple)
        else as_coefficient_prior(parts)
    )
    if not isinstance(density, Prior):
        msg = (
            "prior: must be a prior such as Laplace(scale=...), or a list of (prior, columns) "
            f"pairs, found {shown(density)}"
        )
        raise InputError(msg)
    return density


def beside_flat(prior: object, free: Sequence[str], names: tuple[str, ...]) -> object:
    """Return what `Problem` takes for a prior on all columns but those in `free`, flat on these.

    Parameters
    ----------
    prior : object
        Written for all columns, or for the penalised ones.
    free : sequence of str
        Names of the others.
    names : tuple of str
        Of all columns.

    Raises
    ------
    InputError
        If the prior is of neither size.
    """
    rest = [name for name in names if name not in free]
    if not rest:
        return Flat()
    return [(Flat(), list(free)), (_of_the_rest(prior, rest, names), rest)]


def _of_the_rest(prior: object, rest: list[str], names: tuple[str, ...]) -> object:
    if not isinstance(prior, Prior):
        return prior
    try:
        prior.check_size(len(names))
    except InputError as error:
        try:
            prior.check_size(len(rest))
        except InputError:
            msg = f"{error}, or {len(rest)} without the unpenalised ones"
            raise InputError(msg) from None
        return prior
    return prior.part([names.index(name) for name in rest])


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
