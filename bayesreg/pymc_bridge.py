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

from bayesreg._bambi import centring_of, pymc_model_of
from bayesreg.blocks import parts_on
from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.likelihoods import Noise
from bayesreg.model_reading import ModelProblem, ModelReading, VariableReading
from bayesreg.priors import ElasticNet, Flat, Laplace, Normal, Prior, SpikeSlab
from bayesreg.priors.base import Scaled
from bayesreg.problem import Problem
from bayesreg.pymc_reading import read
from bayesreg.pymc_table import (
    JOINT,
    LIKELIHOODS,
    ONE_NUMBER,
    PRIORS,
    SCALES,
    JointRow,
    PriorRow,
    number,
)
from bayesreg.scale_priors import ScalePrior

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ModelReading", "VariableReading", "read", "read_model", "to_pymc"]


def read_model(model: pm.Model) -> Problem:
    """Read a PyMC model as the penalised problem that it is.

    The likelihood must be Normal or StudentT with a known nu (sigma a number, one number per row,
    or an unknown), Cauchy, Bernoulli through the logit, Poisson through the logarithm, or one of
    `bayesreg.pymc_distributions`. The predictor must be affine in the coefficients, however it is
    written; that is proved, not guessed. A flat scalar that is added to every row is the intercept.
    The result is checked against the model's own log density.

    Coefficients may have Normal, Laplace, StudentT (Cauchy) or Flat priors, and those of
    `bayesreg.pymc_scalar_priors`, with known scales, scales relative to sigma, or one unknown
    scale; their halves (HalfNormal, TruncatedNormal at 0, Exponential, HalfStudentT, HalfCauchy,
    HalfFlat), which are priors of scales where they serve as scales; ElasticNet priors; and, one
    vector each, the joint priors of `bayesreg.pymc_vector_priors` and `bayesreg.pymc_ball_prior`.
    PyMC keeps positive coefficients as logarithms, so a coefficient of 0 is minus infinity in
    `MapEstimate.point`: log densities without Jacobians are finite there.

    A hierarchy of variables is not read as its margin: normal coefficients with a vector of
    half-Cauchy scales are another posterior, of more variables, than a Horseshoe prior.

    Parameters
    ----------
    model : pm.Model
        The model, or a Bambi model, which is one. Data are read at their current values.

    Returns
    -------
    Problem
        Its columns are called as ArviZ labels entries (``u[3]``, ``m[a, 1]``), or by what a
        coordinate names them where there is one vector, or it lists them all. Printed, it also says
        which variable plays which part, where the names do not tell, and of a Bambi model which
        intercept is that of centred predictors.

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
    found = read(pymc_model_of(model)).named_problem
    centring = centring_of(model)
    if not centring:
        return found
    parts, note = (found.parts, found.note) if isinstance(found, ModelProblem) else ("", "")
    return ModelProblem.told(found, parts, "\n  ".join(filter(None, (note, centring))))


@dataclass(frozen=True)
class _Entry:
    """Prior of one coefficient: its row, which unknowns scale it, and its numbers.

    Or the `joint` prior that it has together with others, the `part`-th of the problem.
    """

    row: PriorRow | JointRow
    has_hyper: bool = False
    is_relative: bool = False
    numbers: tuple[tuple[str, float], ...] = ()
    joint: Prior | None = None
    part: int | None = None

    @property
    def variable(self) -> tuple[object, ...]:
        """What coefficients of one PyMC variable have in common."""
        shared = tuple(item for item in self.numbers if item[0] in ONE_NUMBER)
        return (self.row.pymc, self.has_hyper, self.is_relative, shared, self.part)


def to_pymc(problem: Problem) -> pm.Model:
    """Write a problem as a PyMC model.

    Variables are ``beta`` (with the column names as coordinates), ``intercept``, the unknowns
    ``sigma`` (``sigma2`` under an inverse-gamma prior) and ``scale``, and the observed ``y``. Where
    columns have priors of different families, ``beta`` is put together of ``beta_0``, ``beta_1``,
    ... A prior on standardised columns is written on the user's own scale. A Horseshoe prior is
    written by its own density, local scales integrated out, and not as a hierarchy.

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
        If there is an unknown scale, but no coefficient that it is the scale of; or for a
        SpikeSlab prior, whose atom no density of PyMC holds.

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
    if hyper is not None and not any(entry.has_hyper for entry in entries.values()):
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
    if not isinstance(problem.likelihood, Noise):
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
    is_weighted = weights is not None and not isinstance(likelihood, Noise)
    row = next(
        row
        for row in LIKELIHOODS
        if row.bayesreg is type(likelihood) and row.weighted == is_weighted
    )
    dtype = np.float64 if isinstance(likelihood, Noise) else np.int64
    # An intercept alone is one number for all rows.
    rows = predictor if predictor.ndim else pt.full((problem.n,), predictor)
    known = {name: number(vars(likelihood)[name]) for name in row.numbers}
    row.write("y", rows, sigma, weights, **known, observed=design.y.astype(dtype), dims="row")


def _write_coefficients(
    model: pm.Model,
    names: Sequence[str],
    entries: Mapping[int, _Entry],
    sigma: Any,
    scale: Any,
) -> Any:
    """Write one vector per family of priors, and join them in the order of the columns."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for j, entry in entries.items():
        groups.setdefault(entry.variable, []).append(j)
    columns = [j for group in groups.values() for j in group]
    if len(groups) == 1 and columns == sorted(columns):
        return _write_block("beta", "feature", list(entries.values()), sigma, scale)
    vectors = []
    for k, group in enumerate(groups.values()):
        model.add_coord(f"feature_{k}", [names[j] for j in group])
        block = [entries[j] for j in group]
        vectors.append(_write_block(f"beta_{k}", f"feature_{k}", block, sigma, scale))
    return pm.Deterministic("beta", pt.concatenate(vectors)[np.argsort(columns)], dims="feature")


def _write_block(name: str, dim: str, block: Sequence[_Entry], sigma: Any, scale: Any) -> Any:
    first = block[0]
    if first.joint is not None:
        return first.row.write(name, first.joint, dims=dim)
    values: dict[str, Any] = {}
    for key, _ in first.numbers:
        column = number([dict(entry.numbers)[key] for entry in block])
        values[key] = number(column[0]) if (column == column[0]).all() else column
    if first.has_hyper:
        values["scale"] = values["scale"] * scale
    if first.is_relative:
        values["scale"] = values["scale"] * sigma
    return first.row.write(name, dims=dim, **values)


def _entries(prior: Prior, p: int) -> dict[int, _Entry]:
    """Return the prior of each coefficient by position, those of a joint prior in its order."""
    parts = parts_on(prior, p)
    joint: dict[int, _Entry] = {}
    single: dict[int, _Entry] = {}
    for k, (part, columns) in enumerate(parts):
        row = next((row for row in JOINT if row.bayesreg is type(part)), None)
        if row is not None:
            joint |= dict.fromkeys(columns, _Entry(row, joint=part, part=k))
            continue
        numbers = part.parameters(len(columns))
        for i, j in enumerate(columns):
            single[j] = _entry(part, {key: float(values[i]) for key, values in numbers.items()})
    return dict(sorted(single.items())) | joint


def _entry(prior: Prior, numbers: dict[str, float]) -> _Entry:
    """Return the prior of one coefficient, with infinite scales as what they are."""
    family, has_hyper = type(prior), prior.hyperprior is not None
    sign = isinstance(prior, Scaled | ElasticNet) and prior.nonnegative
    if isinstance(prior, ElasticNet):
        l1, l2 = numbers["l1_scale"], numbers["l2_scale"]
        if np.isinf(l1):
            family, numbers = Normal, {"loc": 0.0, "scale": l2}
        elif np.isinf(l2):
            family, numbers = Laplace, {"scale": l1}
    if has_hyper:  # what is known of the scale is its factor
        numbers = {("scale" if key == "factor" else key): value for key, value in numbers.items()}
    if np.isinf(numbers.get("scale", 0.0)):
        family, numbers = (Laplace, {"scale": np.inf}) if sign else (Flat, {})
        return _Entry(_row(family, numbers, sign=sign))
    row = _row(family, numbers, sign=sign)
    free = tuple((key, value) for key, value in numbers.items() if key not in row.fixed)
    return _Entry(row, has_hyper, prior.relative_to is not None, free)


def _row(family: type[Prior], numbers: Mapping[str, float], *, sign: bool) -> PriorRow:
    for row in PRIORS:
        if row.writes(family, numbers, sign=sign):
            return row
    reason = f"has a {family.name} prior, which no row of bayesreg.pymc_table writes"
    if family is SpikeSlab:
        reason = (
            "has a SpikeSlab prior, whose atom at 0 no density of PyMC holds and no gradient finds;"
            " use a Horseshoe prior, or write the inclusions as pm.Bernoulli in a model of your own"
        )
    raise UnsupportedModel("beta", reason)
