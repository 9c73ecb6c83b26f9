"""Draws from a PyMC model that is not one of our problems, under its own names."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from bayesreg._inputs import as_problem, is_model
from bayesreg.errors import InputError, SamplingFailed, UnsupportedModel
from bayesreg.posterior import interrupts
from bayesreg.posterior.coordinates import reason_against
from bayesreg.posterior.nuts import ADVICE, STATS, longest_block, run_nutpie

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from bayesreg.posterior.base import Settings
    from bayesreg.posterior.own_variables import OwnVariables
    from bayesreg.problem import Problem

_DIMENSIONS = ("chain", "draw")


@dataclass(frozen=True, eq=False)
class Asked:
    """What `sample` was asked for.

    Attributes
    ----------
    problem : Problem or None
        The problem; None for a model that is none.
    unreadable : str
        Why the model is none.
    own : OwnVariables or None
        The variables of the model that the problem was read from.
    """

    problem: Problem | None
    unreadable: str = ""
    own: OwnVariables | None = None


def read(problem_or_model: object) -> Asked:
    """Read a problem, or a PyMC model as a problem where it is one.

    Raises
    ------
    InputError
        If it is neither a problem nor a model.
    UnsupportedModel
        If it is a model, one of whose variables is called as a dimension of all draws is.
    """
    if is_model(problem_or_model):
        for variable in (*problem_or_model.basic_RVs, *problem_or_model.deterministics):  # type: ignore[attr-defined]
            if variable.name in _DIMENSIONS:
                msg = "is what a dimension of draws is called; give the variable another name"
                raise UnsupportedModel(variable.name, msg)
    try:
        problem, reading = as_problem(problem_or_model)
    except UnsupportedModel as error:
        return Asked(None, str(error))
    if reading is None:
        return Asked(problem)
    # What a problem of our own would be refused for, a model is sampled with as it stands.
    reason = reason_against(problem)
    if reason is not None:
        return Asked(None, reason)
    names = import_module("bayesreg.posterior.own_variables")  # loads xarray: 2 s, on use
    return Asked(problem, own=names.OwnVariables(problem_or_model, reading))


def described(model: Any) -> str:
    """Return the variables of a model with their distributions, one per line, as PyMC writes them.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     k = pm.Poisson("k", 3)
    ...     y = pm.Normal("y", k, 1, observed=2.0)
    >>> print(described(model))
    k ~ Poisson(3)
    y ~ Normal(k, 1)
    """
    lines = [line.strip() for line in str(model.str_repr()).splitlines()]
    return "\n".join([f"{model.name}:", *lines] if model.name else lines)


@contextmanager
def quiet(*, progress: bool) -> Iterator[None]:
    """Keep PyMC's remarks on its steps to itself, unless progress is to be shown."""
    logger = logging.getLogger("pymc")
    level = logger.level
    logger.setLevel(level if progress else max(level, logging.WARNING))
    try:
        yield
    finally:
        logger.setLevel(level)


def sample_model(
    model: Any, method: str, settings: Settings, rng: np.random.Generator
) -> tuple[xr.DataTree, bool, str, str]:
    """Sample a PyMC model: by nutpie, or by PyMC's own steps if it has discrete variables.

    Parameters
    ----------
    model : pm.Model
        What to sample.
    method : {"auto", "nuts"}
        With "nuts", nothing else will do.
    settings, rng
        How much, and the source of randomness.

    Returns
    -------
    tree : DataTree
        Posterior and sample_stats, under the model's own names.
    complete : bool
        False if it was interrupted.
    library : str
        Who drew.
    steps : str
        ``"nuts"`` if NUTS drew everything, else the steps: ``"pymc: Metropolis + NUTS"``.

    Raises
    ------
    InputError
        If NUTS was asked for and there are discrete variables, which it cannot draw.
    SamplingFailed
        If the sampler stops.
    """
    discrete = [model.values_to_rvs[value].name for value in model.discrete_value_vars]
    if discrete and method == "nuts":
        msg = (
            f"method: 'nuts' cannot draw {discrete[0]!r}, which is discrete; sum it out of the "
            'model (pm.Mixture, say), or use method="auto" for PyMC\'s compound steps'
        )
        raise InputError(msg)
    if discrete:
        with quiet(progress=settings.progress):
            return *_by_pymc(model, settings, rng), "pymc", _steps(model)
    nutpie = import_module("nutpie")
    with threadpool_limits(1, user_api="blas"):
        with np.errstate(all="ignore"):  # PyTensor divides constants by a scale of 0, say
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
        "nuts",
    )


def _steps(model: Any) -> str:
    """Name the steps that PyMC takes for the variables of a model."""
    _, chosen = import_module("pymc.sampling.mcmc").assign_step_methods(model)
    return f"pymc: {' + '.join(sorted(step.__name__ for step in chosen))}"


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
    interrupts.hold()
    sizes = tree["posterior"].sizes
    complete = (sizes["chain"], sizes["draw"]) == (settings.chains, settings.draws)
    return tree, complete
