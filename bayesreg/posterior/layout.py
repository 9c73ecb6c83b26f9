"""Draws as an xarray.DataTree in the layout of ArviZ 1."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

import bayesreg
from bayesreg.posterior.density import log_likelihood, noise_sd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.posterior.base import Draws
    from bayesreg.problem import Problem


def as_tree(
    problem: Problem, draws: Draws, attrs: Mapping[str, Any], *, with_log_likelihood: bool
) -> xr.DataTree:
    """Label draws: posterior, sample_stats, observed_data and, on request, log_likelihood."""
    shape = draws.posterior["beta"].shape
    sizes = {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])}
    row = np.arange(problem.n)
    dims: dict[str, tuple[str, ...]] = {"beta": ("chain", "draw", "feature")}
    names = ("beta", "intercept", "sigma", "scale")
    groups = {
        "posterior": xr.Dataset(
            {
                name: (dims.get(name, ("chain", "draw")), draws.posterior[name])
                for name in names
                if name in draws.posterior
            },
            coords=sizes | {"feature": list(problem.names)},
        ),
        "sample_stats": xr.Dataset(
            {name: (("chain", "draw"), value) for name, value in draws.stats.items()}, coords=sizes
        ),
        "observed_data": xr.Dataset({"y": (("row",), problem.design.y)}, coords={"row": row}),
    }
    if with_log_likelihood:
        posterior = dict(draws.posterior)
        intercept = posterior.get("intercept", np.zeros(shape[:2]))
        rows = log_likelihood(problem, posterior["beta"], intercept, noise_sd(problem, posterior))
        groups["log_likelihood"] = xr.Dataset(
            {"y": (("chain", "draw", "row"), rows)}, coords=sizes | {"row": row}
        )
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = dict(attrs)
    return tree


def versions(libraries: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of bayesreg, NumPy, ArviZ and the libraries that drew."""
    others = dict.fromkeys(("numpy", "arviz-stats", *libraries))
    return {"bayesreg_version": bayesreg.__version__} | {
        f"{name.replace('-', '_')}_version": version(name) for name in others
    }
