"""Read a PyMC model as a penalised regression: find its parts, prove what they are, judge the sum.

The graph of the predictor is proved affine in the coefficients operation by operation. Everything
that is not understood is refused by name. Whatever was read is judged at the end: the problem must
give the model's own log density at random points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pymc as pm
import pytensor.scalar as ps
from pymc.distributions.distribution import PartialObservedRV
from pymc.logprob.transforms import LogTransform
from pymc.variational.minibatch_rv import MinibatchRandomVariable
from pytensor.compile.ops import ViewOp
from pytensor.graph.basic import Variable
from pytensor.tensor.type import TensorType

from bayesreg._validation import Matrix, Vector, as_positive, as_real
from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.likelihoods import Bernoulli, Gaussian, Likelihood, Poisson
from bayesreg.priors import Flat, Laplace, Normal, Prior
from bayesreg.problem import Problem
from bayesreg.pymc_graph import (
    STABLE,
    Array,
    constant,
    evaluator,
    linear_part,
    random_parents,
    scalar_op,
    undo_link,
)
from bayesreg.pymc_table import (
    LIKELIHOODS,
    PRIORS,
    SCALES,
    LikelihoodRow,
    Row,
    pymc_name,
    row_of,
)
from bayesreg.scale_priors import ScalePrior

type Role = Literal["coefficients", "intercept", "sigma", "scale"]


# --------------------------------------------------------------------------- what is returned


@dataclass(frozen=True)
class VariableReading:
    """One free variable of the model, and what it is in the problem.

    Attributes
    ----------
    name, value_name : str
        Name of the variable, and of its value variable (such as ``"sigma_log__"``).
    role : {"coefficients", "intercept", "sigma", "scale"}
        What it is in the problem.
    shape : tuple of int
        Its shape in the model.
    columns : tuple of int
        Where its entries, in C order, stand among the coefficients of the problem.
    is_square : bool
        Whether the variable is the square of what it stands for.
    is_log : bool
        Whether the value variable is the logarithm of the variable.
    """

    name: str
    value_name: str
    role: Role
    shape: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    is_square: bool = False
    is_log: bool = False

    def value(self, numbers: dict[Role, Any]) -> Array:
        """Return the value of the value variable, given the numbers of all roles."""
        if self.role == "coefficients":
            return numbers["coefficients"][list(self.columns)].reshape(self.shape)
        result = numbers[self.role] ** 2 if self.is_square else numbers[self.role]
        return np.asarray(np.log(result) if self.is_log else result, np.float64)


@dataclass(frozen=True)
class ModelReading:
    """A PyMC model read as a problem, and the way back for points.

    Attributes
    ----------
    problem : Problem
        The penalised form of the model.
    variables : tuple of VariableReading
        All free variables of the model.
    observed : str
        Name of the observed variable.
    """

    problem: Problem
    variables: tuple[VariableReading, ...]
    observed: str

    def point(
        self,
        coef: object,
        intercept: float = 0.0,
        sigma: float | None = None,
        scale: float | None = None,
    ) -> dict[str, Array]:
        """Return a point of the problem as values of the model's own value variables.

        Parameters
        ----------
        coef : array_like, shape (p,)
            Coefficients of the problem.
        intercept : float
            Its intercept.
        sigma, scale : float, optional
            Values of what is unknown; required then.

        Returns
        -------
        dict
            Arrays by the name of the value variable, for ``model.compile_logp()`` and friends.

        Raises
        ------
        InputError
            If a shape is wrong or an unknown has no value.
        """
        numbers: dict[Role, Any] = {
            "coefficients": self.problem.check_coef(coef),
            "intercept": as_real(intercept, "intercept"),
        }
        for name, value in (("sigma", sigma), ("scale", scale)):
            if name in self.problem.unknown:
                numbers[name] = as_positive(value, name)
        return {variable.value_name: variable.value(numbers) for variable in self.variables}


# --------------------------------------------------------------------------- pieces of a reading


@dataclass(frozen=True)
class _Unknown:
    """A positive scalar random variable: the noise sd or its square, or the scale of a prior."""

    rv: Variable
    prior: ScalePrior

    def variable_value(self, size: float) -> float:
        return size**2 if self.prior.of_square else size


@dataclass(frozen=True)
class _Coefficients:
    """A coefficient variable and its prior: one number of each parameter per entry."""

    rv: Variable
    shape: tuple[int, ...]
    row: Row[Prior]
    numbers: dict[str, Vector]
    hyper: _Unknown | None = None
    is_relative: bool = False

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def family(self) -> tuple[Any, ...]:
        """What must agree for two variables to share one prior."""
        hyper = None if self.hyper is None else self.hyper.rv
        return self.row.bayesreg, hyper, self.is_relative


@dataclass(frozen=True)
class _Observed:
    """The observed variable: its family and its numbers, row by row."""

    rv: Variable
    y: Array
    predictor: Variable
    likelihood: Likelihood
    weights: Vector | None
    noise: _Unknown | None


@contextmanager
def _blame(variable: Variable) -> Iterator[None]:
    """Turn a refusal of numbers into one of the variable that holds them."""
    try:
        yield
    except InputError as error:
        raise UnsupportedModel(str(variable.name), str(error)) from error


def _refuse(variable: Variable, reason: str) -> UnsupportedModel:
    return UnsupportedModel(str(variable.name), reason)


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
    >>> with pm.Model() as model:
    ...     beta = pm.Laplace("beta", 0, 1, shape=2)
    ...     sigma = pm.HalfNormal("sigma", 1)
    ...     y = pm.Normal("y", np.eye(2) @ beta, sigma, observed=[1.0, 2.0])
    >>> reading = read(model)
    >>> reading.point([3.0, 4.0], sigma=1.0)
    {'beta': array([3., 4.]), 'sigma_log__': array(0.)}
    """
    if not isinstance(model, pm.Model):
        msg = f"model: must be a PyMC model (pm.Model), found {type(model).__name__}"
        raise InputError(msg)
    observed = _read_observed(model, _only_observed(model))
    parents = random_parents(observed.predictor, model.free_RVs)
    shapes = _shapes(model, parents)
    blocks = [_read_coefficients(model, rv, shapes[rv], observed.noise) for rv in parents]
    _check_all_used(model, observed, blocks)
    reading = _assemble(model, observed, blocks)
    _judge(model, observed, reading)
    return reading


def _only_observed(model: pm.Model) -> Variable:
    """Return the one observed variable, refusing what no problem has."""
    if model.potentials:
        msg = "is a pm.Potential; write it as a prior or likelihood, or remove it"
        raise _refuse(model.potentials[0], msg)
    for rv in model.basic_RVs:
        if not isinstance(rv.type, TensorType):
            raise _refuse(rv, "is a pymc.dims variable; write it with pm.* distributions")
        if isinstance(rv.owner.op, PartialObservedRV):
            msg = "has missing values, which PyMC imputes; drop those rows first"
            raise UnsupportedModel(
                str(rv.name).removesuffix("_unobserved").removesuffix("_observed"), msg
            )
        if isinstance(rv.owner.op, MinibatchRandomVariable):
            raise _refuse(rv, "has a total_size (minibatches); use all rows")
    if len(model.observed_RVs) > 1:
        names = ", ".join(repr(rv.name) for rv in model.observed_RVs)
        msg = f"is one of several observed variables ({names}); read one likelihood at a time"
        raise _refuse(model.observed_RVs[1], msg)
    if not model.observed_RVs:
        name = str(model.name or "model")
        raise UnsupportedModel(name, "has no observed variable; pass observed=y to the likelihood")
    return model.observed_RVs[0]


def _shapes(model: pm.Model, parents: Sequence[Variable]) -> dict[Variable, tuple[int, ...]]:
    """Shapes of the coefficient variables, evaluated where they are symbolic."""
    shapes = {rv: rv.type.shape for rv in parents}
    if any(length is None for shape in shapes.values() for length in shape):
        try:
            known = model.eval_rv_shapes()
        except Exception as error:  # anything that PyTensor raises, for a shape that is random
            unclear = next(rv for rv in parents if None in shapes[rv])
            raise _refuse(unclear, f"its shape cannot be computed ({error}); fix it") from error
        shapes = {rv: tuple(int(length) for length in known[rv.name]) for rv in parents}
    return shapes


def _check_all_used(model: pm.Model, observed: _Observed, blocks: Sequence[_Coefficients]) -> None:
    used = [block.rv for block in blocks]
    used += [block.hyper.rv for block in blocks if block.hyper is not None]
    used += [observed.noise.rv] if observed.noise is not None else []
    for rv in model.free_RVs:
        if rv not in used:
            msg = f"does not enter the likelihood of {observed.rv.name!r}; remove it"
            raise _refuse(rv, msg)
    hypers = list(dict.fromkeys(block.family for block in blocks if block.hyper is not None))
    if len(hypers) > 1:
        other = next(block for block in blocks if block.family == hypers[1])
        msg = (
            f"its prior scale is unknown, and so is that of another prior ({hypers[0][0].__name__}"
            f" with {hypers[0][1].name!r}); only one prior may have an unknown scale"
        )
        raise _refuse(other.rv, msg)


# --------------------------------------------------------------------------- the likelihood


def _read_observed(model: pm.Model, rv: Variable) -> _Observed:
    row = row_of(LIKELIHOODS, rv)
    if row is None:
        names = ", ".join(sorted({row.pymc.__name__ for row in LIKELIHOODS}))
        msg = f"a {pymc_name(rv)} likelihood is not supported yet; these are: {names}"
        raise _refuse(rv, msg)
    inputs = row.inputs(rv)
    random_parents(model.rvs_to_values[rv], model.free_RVs)  # no minibatches
    y = constant(model.rvs_to_values[rv])
    if not np.isfinite(y).all():
        raise _refuse(rv, "its observed data hold NaN or infinities; drop those rows")
    if "trials" in inputs and not (_known(model, rv, inputs["trials"], "n") == 1).all():
        msg = "is Binomial with n > 1; write one row per trial, or use WeightedBernoulli"
        raise _refuse(rv, msg)
    predictor = _predictor(model, rv, row, inputs)
    likelihood: Likelihood = Poisson() if row.bayesreg is Poisson else Bernoulli()
    if "spread" in inputs:
        return _read_gaussian(model, rv, y, predictor, inputs["spread"])
    weights = None
    if "weights" in inputs:
        weights = _fill(rv, _known(model, rv, inputs["weights"], "weights"), y.shape)
    return _Observed(rv, y, predictor, likelihood, weights, None)


def _known(model: pm.Model, rv: Variable, parameter: Variable, what: str) -> Array:
    """Value of a parameter that must not be random."""
    parents = random_parents(parameter, model.free_RVs)
    if parents:
        msg = f"its {what} depends on {parents[0].name!r}; only known numbers are supported here"
        raise _refuse(rv, msg)
    return constant(parameter)


def _fill(rv: Variable, values: Array, shape: tuple[int, ...]) -> Vector:
    """Spread values over a shape, as a vector."""
    try:
        return np.array(np.broadcast_to(values, shape), np.float64).ravel()
    except ValueError as error:
        msg = f"has shape {shape}, but one of its parameters has shape {values.shape}"
        raise _refuse(rv, msg) from error


def _predictor(
    model: pm.Model, rv: Variable, row: LikelihoodRow, inputs: dict[str, Variable]
) -> Variable:
    if row.link is None:
        return inputs["predictor"]
    predictor = undo_link(inputs["mean"], row.link, model.free_RVs)
    if predictor is None:
        form = "mu=pm.math.exp(eta)" if row.bayesreg is Poisson else "logit_p=eta"
        name = row.pymc.__name__
        msg = f"its link is not the canonical one; write pm.{name}(..., {form}) with a linear eta"
        raise _refuse(rv, msg)
    return predictor


def _read_gaussian(
    model: pm.Model, rv: Variable, y: Array, predictor: Variable, spread: Variable
) -> _Observed:
    """Split the sd of the rows into sigma, known or unknown, and row weights."""
    sigma, row_weights = _split_weights(model, spread)
    parents = random_parents(sigma, model.free_RVs)
    if len(parents) > 1:
        names = " and ".join(repr(parent.name) for parent in parents)
        raise _refuse(rv, f"its sigma depends on {names}; it may depend on one variable only")
    unknown = _read_unknown(model, parents[0], "sigma") if parents else None
    factor = _product_form(rv, sigma, [] if unknown is None else [unknown])
    factor = _fill(rv, factor, y.shape)
    weights = None if row_weights is None else _fill(rv, row_weights, y.shape)
    known: float | ScalePrior = 1.0 if unknown is None else unknown.prior
    if unknown is None and factor.size and (factor == factor[0]).all():
        known = float(factor[0])
    elif (factor != 1).any():
        weights = (1.0 if weights is None else weights) / factor**2
    with _blame(rv):
        return _Observed(rv, y, predictor, Gaussian(sigma=known), weights, unknown)


def _split_weights(model: pm.Model, spread: Variable) -> tuple[Variable, Array | None]:
    """Read ``sigma / sqrt(w)`` as it is written, so that w keeps its last digit."""
    while spread.owner is not None and isinstance(spread.owner.op, ViewOp):
        spread = spread.owner.inputs[0]
    if scalar_op(spread) is ps.TrueDiv:
        sigma, root = spread.owner.inputs
        if scalar_op(root) is ps.Sqrt and not random_parents(root, model.free_RVs):
            return sigma, constant(root.owner.inputs[0])
    return spread, None


# --------------------------------------------------------------------------- priors


def _read_unknown(model: pm.Model, rv: Variable, what: str) -> _Unknown:
    """Read the prior of an unknown sigma or scale."""
    row = row_of(SCALES, rv)
    if row is None:
        valid = ", ".join(row.pymc.__name__ for row in SCALES)
        msg = (
            f"{what} depends on it, and its prior {pymc_name(rv)} is not supported there ({valid})"
        )
        raise _refuse(rv, msg)
    if rv.type.ndim:
        msg = f"is a vector of unknown values of {what}; only one that all share is supported"
        raise _refuse(rv, msg)
    _transform(model, rv, (type(None), LogTransform))
    numbers = {key: _known(model, rv, value, key) for key, value in row.inputs(rv).items()}
    numbers.pop("loc", None)  # zero, always
    with _blame(rv):
        return _Unknown(rv, row.bayesreg(**{key: float(value) for key, value in numbers.items()}))


def _transform(model: pm.Model, rv: Variable, accepted: tuple[type, ...]) -> None:
    transform = model.rvs_to_transforms[rv]
    if not isinstance(transform, accepted):
        name = type(transform).__name__
        raise _refuse(rv, f"has a transform ({name}), which restricts it; remove the transform")


def _product_form(rv: Variable, scale: Variable, unknowns: Sequence[_Unknown]) -> Array:
    """Return c where `scale` is c times the product of the unknowns; refuse anything else."""
    evaluate = evaluator([unknown.rv for unknown in unknowns], [scale])

    def at(*sizes: float) -> Array:
        pairs = zip(unknowns, sizes, strict=False)
        return evaluate(*(unknown.variable_value(size) for unknown, size in pairs))[0]

    factor = at(1.0, 1.0).astype(np.float64)
    for sizes in ((2.0, 3.0), (0.37, 5.1), (1.3e-3, 41.0), (970.0, 2.9e-3)):
        product = np.prod(sizes[: len(unknowns)]) if unknowns else 1.0
        if not np.allclose(at(*sizes), factor * product, rtol=1e-12, atol=0.0):
            names = " and ".join(repr(unknown.rv.name) for unknown in unknowns)
            kind = "the root of " if any(unknown.prior.of_square for unknown in unknowns) else ""
            msg = (
                f"its scale is not a known multiple of {kind}{names}; write it as constant * scale"
            )
            raise _refuse(rv, msg)
    if not (np.isfinite(factor) & (factor > 0)).all():
        raise _refuse(rv, "its scale is not positive and finite; use pm.Flat for no prior")
    return factor


def _read_coefficients(
    model: pm.Model, rv: Variable, shape: tuple[int, ...], noise: _Unknown | None
) -> _Coefficients:
    row = row_of(PRIORS, rv)
    if row is None:
        raise _refuse(rv, _why_no_coefficient(rv))
    _transform(model, rv, (type(None),))
    inputs = row.inputs(rv)
    scale = inputs.pop("scale", None)
    numbers = {
        key: _fill(rv, _known_parameter(model, rv, value, key), shape)
        for key, value in inputs.items()
    }
    if row.bayesreg is Laplace and numbers.pop("loc").any():
        msg = "is Laplace with mu != 0, which has no kink at zero; use mu=0, or a Normal prior"
        raise _refuse(rv, msg)
    if scale is None:
        return _Coefficients(rv, shape, row, numbers)
    hyper, is_relative = None, False
    unknowns = []
    for parent in random_parents(scale, model.free_RVs):
        is_noise = noise is not None and parent is noise.rv
        unknown = (
            noise
            if is_noise and noise is not None
            else _read_unknown(model, parent, "a prior scale")
        )
        if not is_noise and (hyper is not None or unknown.prior.of_square):
            msg = "sets a prior scale together with another variable, or as its square; use HalfCauchy or HalfNormal for the scale"
            raise _refuse(parent, msg)
        hyper, is_relative = (hyper, True) if is_noise else (unknown, is_relative)
        unknowns.append(unknown)
    numbers["scale"] = _fill(rv, _product_form(rv, scale, unknowns), shape)
    return _Coefficients(rv, shape, row, numbers, hyper, is_relative)


def _known_parameter(model: pm.Model, rv: Variable, parameter: Variable, name: str) -> Array:
    parents = random_parents(parameter, model.free_RVs)
    if parents and name == "loc":
        msg = (
            f"its prior mean depends on {parents[0].name!r}; write the effect as "
            f"{parents[0].name} + deviation, with a deviation of mean 0"
        )
        raise _refuse(rv, msg)
    values = _known(model, rv, parameter, name)
    if not np.isfinite(values).all():
        raise _refuse(rv, f"its {name} is not finite")
    return values


def _why_no_coefficient(rv: Variable) -> str:
    family = pymc_name(rv)
    if not rv.dtype.startswith("float"):
        return f"is a discrete unknown ({family}) in the predictor; only real coefficients are supported"
    if row_of(SCALES, rv) is not None:
        return (
            f"enters the predictor, but a {family} variable is no coefficient; if it scales others "
            "(non-centred form), write it as their prior scale"
        )
    valid = ", ".join(row.pymc.__name__ for row in PRIORS)
    return f"its prior {family} is not supported yet; coefficients may have {valid}"


# --------------------------------------------------------------------------- the problem


def _assemble(
    model: pm.Model, observed: _Observed, blocks: Sequence[_Coefficients]
) -> ModelReading:
    offset, columns = _columns(observed, blocks)
    if not np.isfinite(offset).all() or not all(np.isfinite(X).all() for X in columns):
        raise _refuse(observed.rv, "its predictor holds NaN or infinities; check the design")
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
        raise _refuse(
            observed.rv, "its predictor holds no coefficient; there is nothing to estimate"
        )
    names = _names(model, blocks)
    order = _order(model, names)
    with _blame(observed.rv):
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


def _columns(observed: _Observed, blocks: Sequence[_Coefficients]) -> tuple[Vector, list[Matrix]]:
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
            X[:, j] = _fill(observed.rv, linear(*values)[0], shape)
            value.flat[j] = 0.0
        columns.append(X)
    return _fill(observed.rv, offset, shape), columns


def _names(model: pm.Model, blocks: Sequence[_Coefficients]) -> list[str]:
    """Coordinate labels where there are some; with the variable's name where they would collide."""
    labels = [_labels(model, block) for block in blocks]
    counts = Counter(label for group in labels for label in group)
    names = []
    for block, group in zip(blocks, labels, strict=True):
        if any(counts[label] > 1 for label in group):
            group = [f"{block.rv.name}[{label}]" for label in group]  # noqa: PLW2901
        names += group
    return names


def _labels(model: pm.Model, block: _Coefficients) -> list[str]:
    name = str(block.rv.name)
    if not block.shape:
        return [name]
    dims = model.named_vars_to_dims.get(name) or (None,) * len(block.shape)
    axes = []
    for dim, length in zip(dims, block.shape, strict=True):
        coordinate = [str(label) for label in model.coords.get(dim) or ()]
        usable = len(set(coordinate)) == length and all(coordinate)
        axes.append((coordinate, True) if usable else ([str(i) for i in range(length)], False))
    if len(axes) == 1 and axes[0][1]:
        return axes[0][0]
    entries = np.ndindex(*block.shape)
    inner = (
        ", ".join(axis[i] for (axis, _), i in zip(axes, entry, strict=True)) for entry in entries
    )
    return [f"{name}[{text}]" for text in inner]


def _order(model: pm.Model, names: Sequence[str]) -> list[int]:
    """Order of the columns: that of a coordinate that lists exactly these names, or as found."""
    for coordinate in model.coords.values():
        labels = [str(label) for label in coordinate or ()]
        if len(labels) == len(names) and set(labels) == set(names):
            return [names.index(label) for label in labels]
    return list(range(len(names)))


def _slices(blocks: Sequence[_Coefficients], order: Sequence[int]) -> list[list[int]]:
    """Positions in the problem of the entries of each block."""
    position = np.argsort(np.asarray(order, dtype=np.intp))
    ends = np.cumsum([block.size for block in blocks])
    return [
        position[end - block.size : end].tolist() for block, end in zip(blocks, ends, strict=True)
    ]


def _prior(blocks: Sequence[_Coefficients], order: Sequence[int]) -> Any:
    """One prior for all where they share a family, else a list of (prior, columns)."""
    groups: dict[tuple[Any, ...], list[tuple[_Coefficients, list[int]]]] = {}
    for block, columns in zip(blocks, _slices(blocks, order), strict=True):
        groups.setdefault(block.family, []).append((block, columns))
    parts: list[tuple[Prior, list[int]]] = []
    for members in groups.values():
        columns = [j for _, part in members for j in part]
        sort = np.argsort(columns)
        numbers = {
            key: np.concatenate([block.numbers[key] for block, _ in members])[sort]
            for key in members[0][0].numbers
        }
        with _blame(members[0][0].rv):
            parts.append((_make_prior(members[0][0], numbers), sorted(columns)))
    if not parts:
        return Flat()
    return parts[0][0] if len(parts) == 1 else parts


def _make_prior(block: _Coefficients, numbers: dict[str, Vector]) -> Prior:
    short: dict[str, Any] = {
        key: float(values[0]) if values.size and (values == values[0]).all() else values
        for key, values in numbers.items()
    }
    if block.row.bayesreg in (Normal, Laplace):
        short["relative_to"] = "sigma" if block.is_relative else None
        if block.hyper is not None:
            short |= {"factor": short["scale"], "scale": block.hyper.prior}
    return block.row.bayesreg(**short)


def _variables(
    model: pm.Model, observed: _Observed, blocks: Sequence[_Coefficients], order: Sequence[int]
) -> tuple[VariableReading, ...]:
    places = {
        b.rv: (b.shape, tuple(c)) for b, c in zip(blocks, _slices(blocks, order), strict=True)
    }
    hypers = [block.hyper.rv for block in blocks if block.hyper is not None]
    noise = observed.noise
    found = []
    for rv in model.free_RVs:
        shape, columns = places.get(rv, ((), ()))
        is_noise = noise is not None and rv is noise.rv
        role: Role = "coefficients" if rv in places else "intercept"
        role = "sigma" if is_noise else "scale" if rv in hypers else role
        found.append(
            VariableReading(
                name=str(rv.name),
                value_name=str(model.rvs_to_values[rv].name),
                role=role,
                shape=shape,
                columns=columns,
                is_square=is_noise and noise is not None and noise.prior.of_square,
                is_log=isinstance(model.rvs_to_transforms[rv], LogTransform),
            )
        )
    return tuple(found)


# --------------------------------------------------------------------------- the judge


def _judge(model: pm.Model, observed: _Observed, reading: ModelReading) -> None:
    """Hold the problem to the model's own log density: likelihood and priors, at random points."""
    evaluate = evaluator(
        model.value_vars,
        [
            model.logp(vars=[observed.rv], jacobian=False),
            model.logp(vars=model.free_RVs, jacobian=False),
        ],
        mode=STABLE,
    )
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
                raise _refuse(observed.rv, msg)


def _random_numbers(problem: Problem, rng: np.random.Generator) -> dict[str, Any]:
    """Draw a point with a predictor of size one, where no log density overflows or rounds."""
    size = problem.p * np.maximum(np.abs(problem.design.X).max(axis=0), 1e-100)
    numbers: dict[str, Any] = {"coef": rng.standard_normal(problem.p) / size}
    if problem.design.intercept:
        numbers["intercept"] = float(rng.standard_normal())
    spread = float(np.std(problem.design.y)) or 1.0
    for name, unit in (("sigma", spread), ("scale", 1.0)):
        if name in problem.unknown:
            numbers[name] = unit * float(np.exp(rng.standard_normal()))
    return numbers


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
    prior = float(given.coef_prior.log_density(coef).sum())
    values = {"sigma": sigma, "scale": scale}
    for name, density in problem.hyperpriors().items():
        prior += density.log_density(as_positive(values[name], name))
    return -loss, prior
