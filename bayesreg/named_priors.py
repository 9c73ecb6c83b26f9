"""Priors by name, for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg.errors import unknown_name
from bayesreg.priors import (
    GeneralizedDoublePareto,
    Horseshoe,
    Laplace,
    Normal,
    RegularizedHorseshoe,
    SpikeSlab,
    StudentT,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg.priors import Prior
    from bayesreg.scale_priors import ScalePrior

# What is neither the scale nor the slab's has the value that the literature starts from.
_NAMED: dict[str, Callable[..., Prior]] = {
    "normal": Normal,
    "laplace": Laplace,
    "student_t": lambda scale: StudentT(nu=4.0, scale=scale),
    "double_pareto": lambda scale: GeneralizedDoublePareto(scale=scale, shape=1.0),
    "horseshoe": Horseshoe,
    "regularized_horseshoe": lambda scale, slab_scale: RegularizedHorseshoe(scale, slab_scale, 4.0),
    "spike_slab": lambda scale: SpikeSlab(inclusion=0.5, slab_scale=scale),
}

NAMES = tuple(_NAMED)


def named_prior(name: str, **numbers: float | ScalePrior) -> Prior:
    """Return the prior of this name.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    **numbers : float or ScalePrior
        ``scale``, that of the slab for spike and slab; a regularised horseshoe has ``slab_scale``
        beside it.

    Returns
    -------
    Prior
        Of all coefficients.

    Raises
    ------
    InputError
        If the name is not known.

    Examples
    --------
    >>> named_prior("spike_slab", scale=2.0)
    SpikeSlab(inclusion=0.5, slab_scale=2.0)
    """
    if name not in _NAMED:
        raise unknown_name("prior", name, NAMES)
    return _NAMED[name](**numbers)
