"""Read a PyMC model as a penalised regression: put its parts together, and judge the sum.

The graph of the predictor is proved affine in the coefficients operation by operation. Whatever was
read is judged at the end: the problem must give the model's own log density at random points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.tensor as pt
from pymc.logprob.basic import transformed_conditional_logp
from pymc.model.core import BaseModel

from bayesreg._validation import Matrix, Vector, as_positive
from bayesreg.blocks import Blocks
from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.model_reading import ModelReading, VariableReading
from bayesreg.priors import ElasticNet, Flat, Prior, UniformBall
from bayesreg.priors.base import Scaled
from bayesreg.problem import Problem
from bayesreg.pymc_ball_prior import IntoBall
from bayesreg.pymc_graph import (
    STABLE,
    evaluator,
    in_double,
    linear_part,
    random_parents,
)
from bayesreg.pymc_labels import column_names, distinct_labels
from bayesreg.pymc_parts import (
    Coefficients,
    Observed,
    blame,
    fill,
    is_log,
    only_observed,
    read_coefficients,
    read_observed,
    refuse,
    shapes_of,
    short,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pymc as pm
    from pytensor.graph.basic import Variable

    from bayesreg.model_reading import Role

# --------------------------------------------------------------------------- the whole model


def read(model: pm.Model) -> ModelReading:
    """Read a model as a problem, keeping the map between their variables.

    Parameters
    ----------
    model : pm.Model
        A regression; see `bayesreg.read_model`.

    Returns
    -------
    ModelReading
        The problem, and `point` to go back.

    Raises
    ------
    UnsupportedModel
        If the model is not exactly a problem.
    InputError
        If `model` is not a PyMC model.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     beta = pm.Laplace("beta", 0, 1, shape=2)
    ...     sigma = pm.HalfNormal("sigma", 1)
    ...     y = pm.Normal("y", np.eye(2) @ beta, sigma, observed=[1.0, 2.0])
    >>> reading = read(model)
    >>> reading.point([3.0, 4.0], sigma=1.0)
    {'beta': array([3., 4.]), 'sigma_log__': array(0.)}
    """
    if not isinstance(model, BaseModel):  # a pm.Model, or a frozen one
        msg = f"model: must be a PyMC model (pm.Model), found {type(model).__name__}"
        raise InputError(msg)
    try:
        return _read(model)
    except UnsupportedModel as error:
        error.add_note(
            "Of any model of continuous variables find_map(model) finds a mode, and sample(model) "
            "draws from the posterior."
        )
        raise


def _read(model: pm.Model) -> ModelReading:
    observed = read_observed(model, only_observed(model))
    parents = random_parents(observed.predictor, model.free_RVs)
    shapes = shapes_of(model, parents)
    blocks = [read_coefficients(model, rv, shapes[rv], observed.noise) for rv in parents]
    _check_all_used(model, observed, blocks)
    reading = _assemble(model, observed, blocks)
    _judge(model, observed, reading)
    return reading


def _check_all_used(model: pm.Model, observed: Observed, blocks: Sequence[Coefficients]) -> None:
    used = [block.rv for block in blocks]
    scales = [block.hyper.rv for block in blocks if block.hyper is not None]
    scales += [observed.noise.rv] if observed.noise is not None else []
    for rv in scales:
        if rv in used:
            msg = "is both a coefficient of the predictor and a scale; use two variables"
            raise refuse(rv, msg)
    used += scales
    for rv in model.free_RVs:
        if rv not in used:
            msg = f"does not enter the likelihood of {observed.rv.name!r}; remove it"
            raise refuse(rv, msg)
    hypers = list(dict.fromkeys(block.family for block in blocks if block.hyper is not None))
    if len(hypers) > 1:
        other = next(block for block in blocks if block.family == hypers[1])
        msg = (
            f"its prior scale is unknown, and so is that of another prior ({hypers[0][0].__name__}"
            f" with {hypers[0][1].name!r}); only one prior may have an unknown scale"
        )
        raise refuse(other.rv, msg)


# --------------------------------------------------------------------------- the problem


def _assemble(model: pm.Model, observed: Observed, blocks: Sequence[Coefficients]) -> ModelReading:
    offset, columns = _columns(observed, blocks)
    if not np.isfinite(offset).all() or not all(np.isfinite(X).all() for X in columns):
        raise refuse(observed.rv, "its predictor holds NaN or infinities; check the design")
    intercept = next(
        (
            block.rv
            for block, X in zip(blocks, columns, strict=True)
            if block.row.bayesreg is Flat and not block.shape and (X == 1).all()
        ),
        None,
    )
    X = [x for block, x in zip(blocks, columns, strict=True) if block.rv is not intercept]
    blocks = [block for block in blocks if block.rv is not intercept]
    if not blocks and intercept is None:
        raise refuse(
            observed.rv, "its predictor holds no coefficient; there is nothing to estimate"
        )
    names = _names(model, blocks)
    order = _order(model, names)
    with blame(observed.rv):
        problem = Problem(
            np.column_stack([np.empty((observed.y.size, 0)), *X])[:, order],
            observed.y.ravel(),
            likelihood=observed.likelihood,
            prior=_prior(blocks, order),
            intercept=intercept is not None,
            names=[names[j] for j in order],
            weights=observed.weights,
            offset=offset if offset.any() else None,
        )
    return ModelReading(problem, _variables(model, observed, blocks, order), str(observed.rv.name))


def _columns(observed: Observed, blocks: Sequence[Coefficients]) -> tuple[Vector, list[Matrix]]:
    """Offset, and the columns of each coefficient variable, exact to the last digit."""
    rvs = [block.rv for block in blocks]
    shape = observed.y.shape
    outputs = [observed.predictor]
    if rvs:
        outputs.append(linear_part(observed.predictor, rvs))
    values = [np.zeros(block.shape) for block in blocks]
    offset = evaluator(rvs, outputs[:1])(*values)[0]
    linear = evaluator(rvs, outputs[1:])
    columns = []
    for block, value in zip(blocks, values, strict=True):
        X = np.empty((observed.y.size, block.size), order="F")
        for j in range(block.size):
            value.flat[j] = 1.0
            X[:, j] = fill(observed.rv, linear(*values)[0], shape)
            value.flat[j] = 0.0
        columns.append(X)
    return fill(observed.rv, offset, shape), columns


def _names(model: pm.Model, blocks: Sequence[Coefficients]) -> list[str]:
    """What ArviZ calls the entries; what their coordinate does where no variable need be told.

    That is where there is one vector, or one coordinate lists all coefficients.
    """
    labels = distinct_labels(model, [(block.rv, block.shape) for block in blocks])
    columns = [
        name
        for block, own in zip(blocks, labels, strict=True)
        for name in column_names(model, block.rv, block.shape) or own
    ]
    alone = len(blocks) == 1 or _listing(model, columns)
    return columns if alone else [name for own in labels for name in own]


def _listing(model: pm.Model, names: Sequence[str]) -> list[str]:
    """Return the coordinate that lists exactly these names, each once; nothing if none does."""
    for coordinate in model.coords.values():
        labels = [label for label in coordinate or () if isinstance(label, str)]
        if len(labels) == len(set(labels)) == len(names) and set(labels) == set(names):
            return labels
    return []


def _order(model: pm.Model, names: Sequence[str]) -> list[int]:
    """Order of the columns: that of a coordinate that lists exactly these names, or as found."""
    place = {name: j for j, name in enumerate(names)}
    return [place[label] for label in _listing(model, names) or names]


def _slices(blocks: Sequence[Coefficients], order: Sequence[int]) -> list[list[int]]:
    """Positions in the problem of the entries of each block."""
    position = np.argsort(np.asarray(order, dtype=np.intp))
    ends = np.cumsum([block.size for block in blocks])
    return [
        position[end - block.size : end].tolist() for block, end in zip(blocks, ends, strict=True)
    ]


def _prior(blocks: Sequence[Coefficients], order: Sequence[int]) -> Any:
    """One prior for all where they share a family, else a list of (prior, columns).

    A vector without entries has none, unless it holds what is unknown.
    """
    groups: dict[tuple[Any, ...], list[tuple[Coefficients, list[int]]]] = {}
    for block, columns in zip(blocks, _slices(blocks, order), strict=True):
        if columns or block.hyper is not None:
            groups.setdefault(block.family, []).append((block, columns))
    parts: list[tuple[Prior, list[int]]] = []
    for members in groups.values():
        first, columns = members[0]
        if first.joint is not None:
            parts.append((first.joint, columns))
            continue
        columns = [j for _, part in members for j in part]
        sort = np.argsort(columns)
        numbers = {
            key: np.concatenate([block.numbers[key] for block, _ in members])[sort]
            for key in first.numbers
        }
        with blame(first.rv):
            parts.append((_make_prior(first, numbers), sorted(columns)))
    if not parts:
        return Flat()
    prior, columns = parts[0]
    return prior if len(parts) == 1 and columns == list(range(len(columns))) else parts


def _make_prior(block: Coefficients, numbers: dict[str, Vector]) -> Prior:
    settings: dict[str, Any] = {key: short(values) for key, values in numbers.items()}
    settings |= dict(block.shared)
    if block.nonnegative:
        settings["nonnegative"] = True
    if issubclass(block.row.bayesreg, Scaled):
        settings["relative_to"] = "sigma" if block.is_relative else None
        if block.hyper is not None:
            settings |= {"factor": settings["scale"], "scale": block.hyper.prior}
    return block.row.bayesreg(**settings)


def _variables(
    model: pm.Model, observed: Observed, blocks: Sequence[Coefficients], order: Sequence[int]
) -> tuple[VariableReading, ...]:
    places = {b.rv: (b, tuple(c)) for b, c in zip(blocks, _slices(blocks, order), strict=True)}
    hypers = [block.hyper.rv for block in blocks if block.hyper is not None]
    noise = observed.noise
    found = []
    for rv in model.free_RVs:
        block, columns = places.get(rv, (None, ()))
        transform = model.rvs_to_transforms[rv]
        joint = None if block is None else block.joint
        is_noise = noise is not None and rv is noise.rv
        role: Role = "coefficients" if rv in places else "intercept"
        role = "sigma" if is_noise else "scale" if rv in hypers else role
        found.append(
            VariableReading(
                name=str(rv.name),
                value_name=str(model.rvs_to_values[rv].name),
                role=role,
                shape=() if block is None else block.shape,
                columns=columns,
                is_square=is_noise and noise is not None and noise.prior.of_square,
                is_log=is_log(rv, transform),
                ball=joint
                if isinstance(transform, IntoBall) and isinstance(joint, UniformBall)
                else None,
            )
        )
    return tuple(found)


# --------------------------------------------------------------------------- the judge


def _judge(model: pm.Model, observed: Observed, reading: ModelReading) -> None:
    """Hold the problem to the model's own log density: likelihood and priors, at random points."""
    evaluate = evaluator(model.value_vars, _model_log_densities(model, observed.rv), mode=STABLE)
    for seed in range(3):
        numbers = _random_numbers(reading.problem, np.random.default_rng(seed))
        point = reading.point(**numbers)
        found = evaluate(*(point[value.name] for value in model.value_vars))
        for mine, theirs in zip(_log_densities(reading.problem, **numbers), found, strict=True):
            # Written so that NaN is a failure.
            if not abs(mine - float(theirs)) <= 1e-9 * (1 + abs(mine)):
                msg = (
                    "the reading does not reproduce the model's log density "
                    f"({mine:.12g}, the model has {float(theirs):.12g}); please report this model"
                )
                raise refuse(observed.rv, msg)


def _model_log_densities(model: pm.Model, observed: Variable) -> list[Variable]:
    """Graphs of the model's log likelihood and log prior, as ``model.logp(jacobian=False)`` does.

    The variables are rebuilt in double precision first, because PyMC folds constants on its way.
    """
    rvs = model.basic_RVs
    doubles = dict(zip(rvs, in_double(rvs), strict=True))
    terms = transformed_conditional_logp(
        rvs=list(doubles.values()),
        rvs_to_values={doubles[rv]: model.rvs_to_values[rv] for rv in rvs},
        rvs_to_transforms={doubles[rv]: model.rvs_to_transforms[rv] for rv in rvs},
        jacobian=False,
    )
    sums = {rv: term.sum() for rv, term in zip(rvs, terms, strict=True)}
    likelihood = sums.pop(observed)
    return [likelihood, pt.add(0.0, *sums.values())]


def _random_numbers(problem: Problem, rng: np.random.Generator) -> dict[str, Any]:
    """Draw a point with a predictor of size one, where no log density overflows or rounds."""
    size = problem.p * np.maximum(np.abs(problem.design.X).max(axis=0), 1e-100)
    coef = rng.standard_normal(problem.p) / size
    numbers: dict[str, Any] = {"coef": _into_support(problem.coef_prior, coef)}
    if problem.design.intercept:
        numbers["intercept"] = float(rng.standard_normal())
    spread = float(np.std(problem.design.y)) or 1.0
    for name, unit in (("sigma", spread), ("scale", 1.0)):
        if name in problem.unknown:
            numbers[name] = unit * float(np.exp(rng.standard_normal()))
    return numbers


def _into_support(prior: Prior, coef: Vector) -> Vector:
    """Move a point to where the density is positive: to signs that it admits, into a ball."""
    if isinstance(prior, Blocks):
        out = coef.copy()
        for part, columns in prior.parts:
            out[list(columns)] = _into_support(part, coef[list(columns)])
        return out
    if isinstance(prior, UniformBall):
        return coef / (2.0 * (1.0 + prior.penalty(coef.size).shape.value(coef)))
    return np.abs(coef) if isinstance(prior, Scaled | ElasticNet) and prior.nonnegative else coef


def _log_prior(prior: Prior, coef: Vector) -> float:
    """Log density of the coefficients, also where a part (a horseshoe) is no penalty."""
    if isinstance(prior, Blocks):
        return sum(_log_prior(part, coef[list(columns)]) for part, columns in prior.parts)
    return prior.log_density(coef)


def _log_densities(
    problem: Problem,
    coef: Vector,
    intercept: float = 0.0,
    sigma: float | None = None,
    scale: float | None = None,
) -> tuple[float, float]:
    """Log likelihood and log prior: minus the two summands of `Problem.objective`."""
    design = problem.design
    given = problem.given(sigma=sigma, scale=scale)
    loss = given.loss(coef, intercept) + given.likelihood.constant(design.y, design.row_weights)
    prior = _log_prior(given.coef_prior, coef)
    values = {"sigma": sigma, "scale": scale}
    for name, density in problem.hyperpriors().items():
        prior += density.log_density(as_positive(values[name], name))
    return -loss, prior
