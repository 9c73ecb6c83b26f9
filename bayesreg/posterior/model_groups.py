"""What goes with the draws of a PyMC model that is not one of our problems."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from bayesreg.posterior.base import Extras


def completed(
    tree: xr.DataTree, model: Any, extras: Extras, rng: np.random.Generator
) -> xr.DataTree:
    """Add the observed data, and the groups asked for, under the model's own names.

    Parameters
    ----------
    tree : DataTree
        With ``posterior`` and ``sample_stats``.
    model : pm.Model
        What was sampled.
    extras : Extras
        Which groups to add; PyMC makes them.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataTree
        A new one, without the remarks that other libraries leave on groups.

    Raises
    ------
    InputError
        If PyMC cannot draw from the prior, as where it is flat.
    """
    groups = {
        name: tree[name].to_dataset() for name in ("posterior", "sample_stats") if name in tree
    }
    groups["observed_data"] = _observed(model)
    pymc: Any = import_module("pymc")
    seeds = [int(seed) for seed in rng.integers(2**31, size=2)]
    if extras.log_likelihood:
        groups["log_likelihood"] = pymc.compute_log_likelihood(
            tree, model=model, progressbar=False, extend_inferencedata=False
        )
    if extras.posterior_predictive:
        drawn = pymc.sample_posterior_predictive(
            tree, model=model, random_seed=seeds[0], progressbar=False
        )
        groups["posterior_predictive"] = drawn["posterior_predictive"].to_dataset()
    if extras.prior:
        groups["prior"] = _from_prior(pymc, model, seeds[1], groups["posterior"].sizes)
    bare = {name: _as_text(group).drop_attrs() for name, group in groups.items()}
    whole: xr.DataTree = import_module("xarray").DataTree.from_dict(bare)
    return whole


def _as_text(group: xr.Dataset) -> xr.Dataset:
    """Turn labels that came as objects into text, where that is what they are."""
    labels = {
        name: label.astype(np.str_)
        for name, label in group.coords.items()
        if label.dtype.kind == "O" and all(isinstance(text, str) for text in label.to_numpy().flat)
    }
    return group.assign_coords(labels)


def _observed(model: Any) -> xr.Dataset:
    """Return the observed values, which PyMC keeps as constants of its graph."""
    data = {}
    for variable in model.observed_RVs:
        values = np.asarray(model.rvs_to_values[variable].eval())
        dims = model.named_vars_to_dims.get(variable.name) or [
            f"{variable.name}_dim_{k}" for k in range(values.ndim)
        ]
        data[variable.name] = (tuple(dims), values)
    dataset: xr.Dataset = import_module("xarray").Dataset(data)
    labels = {
        dim: list(model.coords[dim]) for dim in dataset.dims if model.coords.get(dim) is not None
    }
    labelled: xr.Dataset = dataset.assign_coords(labels)
    return labelled


def _from_prior(pymc: Any, model: Any, seed: int, sizes: Any) -> xr.Dataset:
    """Draw as often from the prior as from the posterior."""
    chains, draws = sizes["chain"], sizes["draw"]
    try:
        drawn = pymc.sample_prior_predictive(draws=chains * draws, model=model, random_seed=seed)
    except NotImplementedError as error:
        msg = f"prior: PyMC cannot draw from it ({error}); leave prior=False"
        raise InputError(msg) from error
    flat = drawn["prior"].to_dataset().isel(chain=0, drop=True)
    labels = import_module("pandas").MultiIndex.from_product(
        [range(chains), range(draws)], names=["chain", "number"]
    )
    coords = import_module("xarray").Coordinates.from_pandas_multiindex(labels, "draw")
    boxed: xr.Dataset = flat.drop_vars("draw").assign_coords(coords).unstack("draw")
    return boxed.rename(number="draw").transpose("chain", "draw", ...)
