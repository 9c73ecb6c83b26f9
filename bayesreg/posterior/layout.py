"""Draws as an xarray.DataTree in the layout of ArviZ 1."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

import bayesreg
from bayesreg.posterior.density import log_likelihood, noise_sd
from bayesreg.posterior.predictive import from_prior, new_targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.posterior.base import Draws, Extras
    from bayesreg.posterior.conditional import Array
    from bayesreg.posterior.own_variables import OwnVariables
    from bayesreg.problem import Problem

_NAMES = ("beta", "intercept", "sigma", "scale")


def as_tree(
    problem: Problem,
    draws: Draws,
    attrs: Mapping[str, Any],
    extras: Extras,
    rng: np.random.Generator,
    own: OwnVariables | None = None,
) -> xr.DataTree:
    """Label draws: posterior, sample_stats, observed_data, and the groups asked for.

    `own` adds the variables of the model that the problem was read from.
    """
    posterior = dict(draws.posterior)
    chains, length = posterior["beta"].shape[:2]
    sizes = {"chain": np.arange(chains), "draw": np.arange(length)}
    row = {"row": np.arange(problem.n)}
    groups = {
        "posterior": _unknowns(problem, posterior),
        "sample_stats": xr.Dataset(
            {name: (("chain", "draw"), value) for name, value in draws.stats.items()}, coords=sizes
        ),
        "observed_data": xr.Dataset({"y": (("row",), problem.design.y)}, coords=row),
    }
    # Seeds of their own, so that one group does not depend on whether another was asked for.
    of_rows, of_prior = (np.random.default_rng(seed) for seed in rng.integers(2**63, size=(2, 4)))
    by_row = {}
    if extras.log_likelihood:
        intercept = posterior.get("intercept", np.zeros((chains, length)))
        noise = noise_sd(problem, posterior)
        by_row["log_likelihood"] = log_likelihood(problem, posterior["beta"], intercept, noise)
    if extras.posterior_predictive:
        by_row["posterior_predictive"] = new_targets(problem, posterior, of_rows)
    for name, values in by_row.items():
        groups[name] = xr.Dataset({"y": (("chain", "draw", "row"), values)}, coords=sizes | row)
    if extras.prior:
        groups["prior"] = _unknowns(problem, from_prior(problem, of_prior, chains, length))
    notes: dict[str, Any] = {"seconds_compiling": draws.compiling} if draws.compiling else {}
    if own is not None:
        for name in [name for name in ("prior", "posterior") if name in groups]:
            groups[name], added = own.added(groups[name])
            notes |= added
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(attrs) | notes
    return tree


def _unknowns(problem: Problem, drawn: Mapping[str, Array]) -> xr.Dataset:
    """Label coefficients and unknowns."""
    chains, length = drawn["beta"].shape[:2]
    dims = {"beta": ("chain", "draw", "feature")}
    return xr.Dataset(
        {
            name: (dims.get(name, ("chain", "draw")), drawn[name])
            for name in _NAMES
            if name in drawn
        },
        coords={
            "chain": np.arange(chains),
            "draw": np.arange(length),
            "feature": list(problem.names),
        },
    )


def versions(libraries: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of bayesreg, NumPy, ArviZ and the libraries that drew."""
    others = dict.fromkeys(("numpy", "arviz-stats", *libraries))
    return {"bayesreg_version": bayesreg.__version__} | {
        f"{name.replace('-', '_')}_version": version(name) for name in others
    }
