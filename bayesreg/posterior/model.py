"""Draws from a PyMC model that is not one of our problems, under its own names."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from bayesreg._inputs import as_problem
from bayesreg.errors import SamplingFailed, UnsupportedModel
from bayesreg.posterior.coordinates import reason_against
from bayesreg.posterior.nuts import ADVICE, STATS, longest_block, run_nutpie

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from bayesreg.posterior.base import Settings
    from bayesreg.problem import Problem


def read(problem_or_model: object) -> tuple[Problem | None, str]:
    """Read a problem or a PyMC model as a problem; None, and why not, if the model is not one.

    Raises
    ------
    InputError
        If it is neither a problem nor a model.
    """
    try:
        problem, reading = as_problem(problem_or_model)
    except UnsupportedModel as error:
        return None, str(error)
    # What a problem of our own would be refused for, a model is sampled with as it stands.
    reason = None if reading is None else reason_against(problem)
    return (problem, "") if reason is None else (None, reason)


def sample_model(
    model: Any,
    settings: Settings,
    rng: np.random.Generator,
) -> tuple[xr.DataTree, bool, str]:
    """Sample a PyMC model: by nutpie, or by PyMC's own steps if it has discrete variables.

    Returns
    -------
    tree : DataTree
        Posterior and sample_stats, under the model's own names.
    complete : bool
        False if it was interrupted.
    library : str
        Who drew.
    """
    if model.discrete_value_vars:
        return *_by_pymc(model, settings, rng), "pymc"
    nutpie = import_module("nutpie")
    with threadpool_limits(1, user_api="blas"):
        compiled = nutpie.compile_pymc_model(model)
        tree, complete = run_nutpie(compiled, settings, rng, cores=None)
    chains, draws = longest_block(tree)
    tree = tree.isel(chain=chains, draw=draws)
    stats = tree["sample_stats"].to_dataset()
    stats = stats[[*STATS, "logp"]].rename(STATS | {"logp": "lp"})
    datatree = import_module("xarray").DataTree
    return (
        datatree.from_dict({"posterior": tree["posterior"].to_dataset(), "sample_stats": stats}),
        complete,
        "nutpie",
    )


def _by_pymc(model: Any, settings: Settings, rng: np.random.Generator) -> tuple[xr.DataTree, bool]:
    """Draw by PyMC's own steps; on Ctrl-C it returns what it has, possibly of fewer chains."""
    try:
        tree: xr.DataTree = import_module("pymc").sample(
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            random_seed=int(rng.integers(2**31)),
            progressbar=settings.progress,
            model=model,
            compute_convergence_checks=False,
        )
    except Exception as error:
        # A worker that is killed, or a step that crashes: PyMC has an error of its own for each.
        first = (str(error).splitlines() or [type(error).__name__])[0]
        msg = f"pymc stopped: {first}; {ADVICE}"
        raise SamplingFailed(msg) from error
    sizes = tree["posterior"].sizes
    complete = (sizes["chain"], sizes["draw"]) == (settings.chains, settings.draws)
    return tree, complete
