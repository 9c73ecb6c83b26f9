"""The bridge to PyMC: `read_model` makes a problem of a model, `to_pymc` a model of a problem.

What corresponds to what stands in one table, `bayesreg.pymc_table`.

Log densities are compared in double precision. PyTensor stores literals such as ``sigma=3.0`` in
single precision and takes their logarithm there, so that the log density of a model with such
literals, as PyMC compiles it, can be off by a constant of relative size 1e-8; write
``sigma=np.float64(3.0)`` to avoid that. `to_pymc` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesreg.blocks import Blocks
from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.likelihoods import Gaussian
from bayesreg.priors import ElasticNet, Flat, Laplace, Normal, Prior
from bayesreg.problem import Problem
from bayesreg.pymc_reading import ModelReading, VariableReading, read
from bayesreg.pymc_table import LIKELIHOODS, PRIORS, SCALES, number
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ModelReading", "VariableReading", "read", "read_model", "to_pymc"]


def read_model(model: pm.Model) -> Problem:
    """Read a PyMC model as the penalised problem that it is.

    The likelihood must be Normal (its sigma a number, one number per row, or an unknown), Bernoulli
    through the logit, Poisson through the logarithm, or one of `bayesreg.pymc_distributions`. The
    predictor must be affine in the coefficients, however it is written; that is proved, not
    guessed. Coefficients may have Normal, Laplace, ElasticNet or Flat priors, with known scales,
    scales relative to sigma, or one unknown scale. A flat scalar that is added to every row is the
    intercept. The result is checked against the model's own log density.

    Parameters
    ----------
    model : pm.Model
        The model. Data are read at their current values.

    Returns
    -------
    Problem
        With names from the coordinates of the model where there are some.

    Raises
    ------
    UnsupportedModel
        If the model is not exactly a problem; it names the variable and the reason.
    InputError
        If `model` is not a PyMC model.

    Examples
    --------
    >>> with pm.Model() as model:
    ...     age, dose = pm.Laplace("age", 0, 0.5), pm.Laplace("dose", 0, 0.5)
    ...     mean = age * np.array([1.0, 2.0, 3.0]) + dose * np.array([4.0, 0.0, 1.0])
    ...     y = pm.Normal("y", mean, sigma=2.0, observed=[1.0, 2.0, 3.0])
    >>> print(read_model(model))
    ‖y − Xβ‖²/(2·2²) + Σ|βⱼ|/0.5: lasso
      y ~ gaussian, 3 rows; 2 coefficients, Laplace prior; no intercept
    """
    return read(model).problem


@dataclass(frozen=True)
class _Entry:
    """Prior of one coefficient: its family, which unknowns scale it, and its numbers."""

    family: type[Prior]
    has_hyper: bool
    is_relative: bool
    numbers: tuple[tuple[str, float], ...]


def to_pymc(problem: Problem) -> pm.Model:
    """Write a problem as a PyMC model.

    Variables are ``beta`` (with the column names as coordinates), ``intercept``, the unknowns
    ``sigma`` (``sigma2`` under an inverse-gamma prior) and ``scale``, and the observed ``y``. Where
    columns have priors of different families, ``beta`` is put together of ``beta_0``, ``beta_1``,
    ... A prior on standardised columns is written on the user's own scale.

    Parameters
    ----------
    problem : Problem
        Any problem.

    Returns
    -------
    pm.Model
        Its log density without Jacobians is minus `Problem.objective`, and ``read_model`` of it
        is `problem`.

    Raises
    ------
    InputError
        If `problem` is not a Problem.
    UnsupportedModel
        If there is an unknown scale, but no coefficient that it is the scale of.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [3.0, 4.0], likelihood=Gaussian(sigma=1.0),
    ...                   prior=Laplace(scale=0.5))
    >>> model = to_pymc(problem)
    >>> [variable.name for variable in model.free_RVs]
    ['beta', 'intercept']
    >>> read_model(model) == problem
    True
    """
    if not isinstance(problem, Problem):
        msg = f"problem: must be a bayesreg Problem, found {type(problem).__name__}"
        raise InputError(msg)
    problem = problem.dense("a PyMC model")
    entries = _entries(problem.coef_prior, problem.p)
    hyper = problem.prior.hyperprior
    if hyper is not None and not any(entry.has_hyper for entry in entries):
        raise UnsupportedModel("scale", "is unknown, but is the scale of no coefficient")
    design = problem.design
    with pm.Model(coords={"feature": list(problem.names)}) as model:
        model.add_coord("row", length=problem.n)
        sigma = _write_sigma(problem)
        scale = None if hyper is None else _write_scale("scale", hyper)
        terms = []
        if design.offset is not None:
            terms.append(pm.Data("offset", design.offset, dims="row"))
        if problem.p:
            X = pm.Data("X", np.ascontiguousarray(design.X), dims=("row", "feature"))
            terms.append(X @ _write_coefficients(model, problem.names, entries, sigma, scale))
        if design.intercept:
            terms.append(pm.Flat("intercept"))
        _write_observed(problem, sum(terms[1:], start=terms[0]), sigma)
    return model


def _write_scale(name: str, prior: ScalePrior) -> Any:
    row = next(row for row in SCALES if row.bayesreg is type(prior))
    return row.write(name, prior)


def _write_sigma(problem: Problem) -> Any:
    if not isinstance(problem.likelihood, Gaussian):
        return None
    sigma = problem.likelihood.sigma
    if not isinstance(sigma, ScalePrior):
        return number(sigma)
    if sigma.of_square:
        return pm.Deterministic("sigma", pt.sqrt(_write_scale("sigma2", sigma)))
    return _write_scale("sigma", sigma)


def _write_observed(problem: Problem, predictor: Any, sigma: Any) -> None:
    likelihood, design = problem.likelihood, problem.design
    weights = None
    if design.weights is not None:
        weights = pm.Data("weights", design.weights, dims="row")
    is_weighted = weights is not None and not isinstance(likelihood, Gaussian)
    row = next(
        row
        for row in LIKELIHOODS
        if row.bayesreg is type(likelihood) and row.weighted == is_weighted
    )
    dtype = np.float64 if isinstance(likelihood, Gaussian) else np.int64
    # An intercept alone is one number for all rows.
    rows = predictor if predictor.ndim else pt.full((problem.n,), predictor)
    row.write("y", rows, sigma, weights, observed=design.y.astype(dtype), dims="row")


def _write_coefficients(
    model: pm.Model,
    names: Sequence[str],
    entries: Sequence[_Entry],
    sigma: Any,
    scale: Any,
) -> Any:
    """Write one vector per family of priors, and join them in the order of the columns."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for j, entry in enumerate(entries):
        groups.setdefault((entry.family, entry.has_hyper, entry.is_relative), []).append(j)
    if len(groups) == 1:
        return _write_block("beta", "feature", entries, sigma, scale)
    vectors = []
    for k, columns in enumerate(groups.values()):
        model.add_coord(f"feature_{k}", [names[j] for j in columns])
        block = [entries[j] for j in columns]
        vectors.append(_write_block(f"beta_{k}", f"feature_{k}", block, sigma, scale))
    order = np.argsort([j for columns in groups.values() for j in columns])
    return pm.Deterministic("beta", pt.concatenate(vectors)[order], dims="feature")


def _write_block(name: str, dim: str, block: Sequence[_Entry], sigma: Any, scale: Any) -> Any:
    first = block[0]
    row = next(row for row in PRIORS if row.bayesreg is first.family)
    values: dict[str, Any] = {"loc": number(0.0)} if first.family is Laplace else {}
    for key, _ in first.numbers:
        column = number([dict(entry.numbers)[key] for entry in block])
        values[key] = number(column[0]) if (column == column[0]).all() else column
    if first.has_hyper:
        values["scale"] = values["scale"] * scale
    if first.is_relative:
        values["scale"] = values["scale"] * sigma
    return row.write(name, dims=dim, **values)


def _entries(prior: Prior, p: int) -> list[_Entry]:
    """Return the prior of each coefficient, with infinite scales as what they are."""
    if isinstance(prior, Blocks):
        found: dict[int, _Entry] = {}
        for part, columns in prior.parts:
            found |= dict(zip(columns, _entries(part, len(columns)), strict=True))
        return [found[j] for j in range(p)]
    _require_row(prior)
    parameters = prior.parameters(p)
    return [
        _entry(prior, {key: float(values[j]) for key, values in parameters.items()})
        for j in range(p)
    ]


def _require_row(prior: Prior) -> None:
    """Refuse a prior that no row of the table writes."""
    bounded = isinstance(prior, Normal | Laplace | ElasticNet) and prior.nonnegative
    if bounded or type(prior) not in {row.bayesreg for row in PRIORS}:
        kind = f"{prior.name} prior of one sign" if bounded else f"{prior.name} prior"
        reason = f"has a {kind}, which to_pymc does not write; write the model in PyMC itself"
        raise UnsupportedModel("beta", reason)


def _entry(prior: Prior, numbers: dict[str, float]) -> _Entry:
    family, has_hyper = type(prior), prior.hyperprior is not None
    is_relative = prior.relative_to is not None
    if isinstance(prior, ElasticNet):
        l1, l2 = numbers["l1_scale"], numbers["l2_scale"]
        if np.isinf(l1):
            family, numbers = Normal, {"loc": 0.0, "scale": l2}
        elif np.isinf(l2):
            family, numbers = Laplace, {"scale": l1}
    if has_hyper:  # what is known of the scale is its factor
        numbers = {("scale" if key == "factor" else key): value for key, value in numbers.items()}
    if np.isinf(numbers.get("scale", 0.0)) or family is Flat:
        return _Entry(Flat, has_hyper=False, is_relative=False, numbers=())
    return _Entry(family, has_hyper, is_relative, tuple(numbers.items()))
