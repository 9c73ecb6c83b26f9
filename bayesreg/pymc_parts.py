"""The parts of a PyMC regression: its likelihood, row by row, and the priors of its coefficients.

Everything that is not understood is refused by the name of its variable.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.scalar as ps
import pytensor.tensor as pt
from pymc.distributions.distribution import PartialObservedRV
from pymc.logprob.transforms import IntervalTransform, LogTransform, Transform
from pymc.variational.minibatch_rv import MinibatchRandomVariable
from pytensor.compile.ops import ViewOp
from pytensor.tensor.type import TensorType

from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.likelihoods import Bernoulli, Likelihood, Poisson
from bayesreg.pymc_ball_prior import IntoBall
from bayesreg.pymc_graph import (
    Array,
    constant,
    evaluator,
    random_parents,
    scalar_op,
    undo_link,
)
from bayesreg.pymc_table import (
    JOINT,
    LIKELIHOODS,
    ONE_NUMBER,
    PRIORS,
    SCALES,
    JointRow,
    LikelihoodRow,
    PriorRow,
    pymc_name,
    row_of,
)
from bayesreg.scale_priors import HalfCauchy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pymc as pm
    from pytensor.graph.basic import Variable

    from bayesreg._validation import Vector
    from bayesreg.priors import Prior
    from bayesreg.scale_priors import ScalePrior


# --------------------------------------------------------------------------- pieces of a reading


@dataclass(frozen=True)
class Unknown:
    """A positive scalar random variable: the noise sd or its square, or the scale of a prior."""

    rv: Variable
    prior: ScalePrior

    def variable_value(self, size: float) -> float:
        """Return the value of the variable where what it stands for has this size."""
        return size**2 if self.prior.of_square else size


@dataclass(frozen=True)
class Coefficients:
    """A coefficient variable and its prior: one number of each parameter per entry.

    `shared` are numbers that all of a prior's coefficients share; `joint` is the prior of a vector
    whose entries have one density together.
    """

    rv: Variable
    shape: tuple[int, ...]
    row: PriorRow | JointRow
    numbers: dict[str, Vector]
    shared: tuple[tuple[str, float], ...] = ()
    hyper: Unknown | None = None
    is_relative: bool = False
    joint: Prior | None = None

    @property
    def size(self) -> int:
        """Number of entries."""
        return int(np.prod(self.shape))

    @property
    def nonnegative(self) -> bool:
        """Whether entries are at least 0."""
        return isinstance(self.row, PriorRow) and self.row.nonnegative

    @property
    def family(self) -> tuple[Any, ...]:
        """What must agree for two variables to share one prior."""
        hyper = None if self.hyper is None else self.hyper.rv
        own = self.shared if self.joint is None else self.rv
        return self.row.bayesreg, hyper, self.is_relative, self.nonnegative, own


@dataclass(frozen=True)
class Observed:
    """The observed variable: its family and its numbers, row by row."""

    rv: Variable
    y: Array
    predictor: Variable
    likelihood: Likelihood
    weights: Vector | None
    noise: Unknown | None


@contextmanager
def blame(variable: Variable) -> Iterator[None]:
    """Turn a refusal of numbers into one of the variable that holds them."""
    try:
        yield
    except InputError as error:
        raise UnsupportedModel(str(variable.name), str(error)) from error


def refuse(variable: Variable, reason: str) -> UnsupportedModel:
    """Return the refusal of a model because of a variable."""
    return UnsupportedModel(str(variable.name), reason)


def only_observed(model: pm.Model) -> Variable:
    """Return the one observed variable, refusing what no problem has."""
    if model.potentials:
        msg = "is a pm.Potential; write it as a prior or likelihood, or remove it"
        raise refuse(model.potentials[0], msg)
    missing = {f"{rv.name}".removesuffix("_unobserved") for rv in model.free_RVs}
    for rv in model.basic_RVs:
        base = str(rv.name).removesuffix("_observed")
        if isinstance(rv.owner.op, PartialObservedRV) or (base != rv.name and base in missing):
            msg = "has missing values, which PyMC imputes; drop those rows first"
            raise UnsupportedModel(base.removesuffix("_unobserved"), msg)
        if not isinstance(rv.type, TensorType):
            raise refuse(rv, "is a pymc.dims variable; write it with pm.* distributions")
        if isinstance(rv.owner.op, PartialObservedRV):
            msg = "has missing values, which PyMC imputes; drop those rows first"
            raise UnsupportedModel(
                str(rv.name).removesuffix("_unobserved").removesuffix("_observed"), msg
            )
        if isinstance(rv.owner.op, MinibatchRandomVariable):
            raise refuse(rv, "has a total_size (minibatches); use all rows")
    if len(model.observed_RVs) > 1:
        names = ", ".join(repr(rv.name) for rv in model.observed_RVs)
        msg = f"is one of several observed variables ({names}); read one likelihood at a time"
        raise refuse(model.observed_RVs[1], msg)
    if not model.observed_RVs:
        name = str(model.name or "model")
        raise UnsupportedModel(name, "has no observed variable; pass observed=y to the likelihood")
    return model.observed_RVs[0]


def shapes_of(model: pm.Model, parents: Sequence[Variable]) -> dict[Variable, tuple[int, ...]]:
    """Shapes of the coefficient variables, evaluated where they are symbolic."""
    shapes = {rv: rv.type.shape for rv in parents}
    if any(length is None for shape in shapes.values() for length in shape):
        try:
            known = model.eval_rv_shapes()
        except Exception as error:  # anything that PyTensor raises, for a shape that is random
            unclear = next(rv for rv in parents if None in shapes[rv])
            raise refuse(unclear, f"its shape cannot be computed ({error}); fix it") from error
        shapes = {rv: tuple(int(length) for length in known[rv.name]) for rv in parents}
    return shapes


# --------------------------------------------------------------------------- the likelihood


def read_observed(model: pm.Model, rv: Variable) -> Observed:
    """Read the likelihood of the observed variable.

    Raises
    ------
    UnsupportedModel
        If its family, link or parameters are not those of a bayesreg likelihood.
    """
    row = row_of(LIKELIHOODS, rv)
    if row is None:
        names = ", ".join(sorted({row.pymc.__name__ for row in LIKELIHOODS}))
        msg = f"a {pymc_name(rv)} likelihood is not supported yet; these are: {names}"
        raise refuse(rv, msg)
    inputs = row.inputs(rv)
    random_parents(model.rvs_to_values[rv], model.free_RVs)  # no minibatches
    y = constant(model.rvs_to_values[rv])
    if not np.isfinite(y).all():
        raise refuse(rv, "its observed data hold NaN or infinities; drop those rows")
    if "trials" in inputs and not (_known(model, rv, inputs["trials"], "n") == 1).all():
        msg = "is Binomial with n > 1; write one row per trial, or use WeightedBernoulli"
        raise refuse(rv, msg)
    predictor = _predictor(model, rv, row, inputs)
    if "spread" in inputs:
        return _read_noise(model, rv, row, y, predictor)
    likelihood: Likelihood = Poisson() if row.bayesreg is Poisson else Bernoulli()
    weights = None
    if "weights" in inputs:
        weights = fill(rv, _known(model, rv, inputs["weights"], "weights"), y.shape)
    return Observed(rv, y, predictor, likelihood, weights, None)


def _known(model: pm.Model, rv: Variable, parameter: Variable, what: str) -> Array:
    """Value of a parameter that must not be random."""
    parents = random_parents(parameter, model.free_RVs)
    if parents:
        msg = f"its {what} depends on {parents[0].name!r}; only known numbers are supported here"
        raise refuse(rv, msg)
    return constant(parameter)


def fill(rv: Variable, values: Array, shape: tuple[int, ...]) -> Vector:
    """Spread values over a shape, as a vector."""
    try:
        return np.array(np.broadcast_to(values, shape), np.float64).ravel()
    except ValueError as error:
        msg = f"has shape {shape}, but one of its parameters has shape {values.shape}"
        raise refuse(rv, msg) from error


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
        raise refuse(rv, msg)
    return predictor


def _read_noise(
    model: pm.Model, rv: Variable, row: LikelihoodRow, y: Array, predictor: Variable
) -> Observed:
    """Split the scale of the rows into sigma, known or unknown, and row weights."""
    inputs = row.inputs(rv)
    numbers = {key: _one_number(model, rv, inputs[key], key) for key in row.numbers}
    sigma, row_weights = _split_weights(model, inputs["spread"])
    parents = random_parents(sigma, model.free_RVs)
    if len(parents) > 1:
        names = " and ".join(repr(parent.name) for parent in parents)
        raise refuse(rv, f"its sigma depends on {names}; it may depend on one variable only")
    unknown = _read_unknown(model, parents[0], of_prior=False) if parents else None
    factor = _product_form(rv, sigma, [] if unknown is None else [unknown])
    factor = fill(rv, factor, y.shape)
    weights = None if row_weights is None else fill(rv, row_weights, y.shape)
    known: float | ScalePrior = 1.0 if unknown is None else unknown.prior
    if unknown is None and factor.size and (factor == factor[0]).all():
        known = float(factor[0])
    elif (factor != 1).any():
        weights = (1.0 if weights is None else weights) / factor**2
    with blame(rv):
        likelihood = row.make(sigma=known, **numbers)
    return Observed(rv, y, predictor, likelihood, weights, unknown)


def _one_number(model: pm.Model, rv: Variable, parameter: Variable, what: str) -> float:
    """Return a known parameter that all rows share."""
    values = _known(model, rv, parameter, what).ravel()
    if (values != values[0]).any():
        raise refuse(rv, f"its {what} differs from row to row; only one for all is supported")
    return float(values[0])


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

_HORSESHOE = (
    "; half-Cauchy scales of single normal coefficients make a horseshoe prior: as a problem, "
    "br.Problem(X, y, prior=br.Horseshoe(scale), ...), which br.to_pymc writes as a model, the "
    "scales integrated out"
)


def _read_unknown(model: pm.Model, rv: Variable, *, of_prior: bool) -> Unknown:
    """Read the prior of an unknown sigma, or of the unknown scale of a prior."""
    what = "a prior scale" if of_prior else "sigma"
    row = row_of(SCALES, rv)
    if row is None:
        valid = ", ".join(row.pymc.__name__ for row in SCALES)
        msg = (
            f"{what} depends on it, and its prior {pymc_name(rv)} is not supported there ({valid})"
        )
        raise refuse(rv, msg)
    if rv.type.ndim:
        msg = f"is a vector of unknown values of {what}; only one that all share is supported"
        raise refuse(rv, msg + _HORSESHOE if row.bayesreg is HalfCauchy and of_prior else msg)
    _check_transform(model, rv, accepted=is_log(rv, model.rvs_to_transforms[rv]))
    numbers = {key: _known(model, rv, value, key) for key, value in row.inputs(rv).items()}
    numbers.pop("loc", None)  # zero, always
    with blame(rv):
        return Unknown(rv, row.bayesreg(**{key: float(value) for key, value in numbers.items()}))


def is_log(rv: Variable, transform: Transform | None) -> bool:
    """Tell whether a transform is the logarithm, under whichever name."""
    if not isinstance(transform, IntervalTransform):
        return isinstance(transform, LogTransform)
    lower, upper = transform.args_fn(*rv.owner.inputs)
    at_zero = lower is not None and not constant(pt.as_tensor(lower)).any()
    return at_zero and (upper is None or bool(np.isposinf(constant(pt.as_tensor(upper))).all()))


def _check_transform(model: pm.Model, rv: Variable, *, accepted: bool) -> None:
    """Refuse a transform other than those that a distribution comes with."""
    transform = model.rvs_to_transforms[rv]
    if transform is not None and not accepted:
        name = type(transform).__name__
        raise refuse(rv, f"has a transform ({name}), which restricts it; remove the transform")


def _product_form(rv: Variable, scale: Variable, unknowns: Sequence[Unknown]) -> Array:
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
            raise refuse(rv, msg)
    if not (np.isfinite(factor) & (factor > 0)).all():
        raise refuse(rv, "its scale must be positive and finite everywhere; check the numbers")
    return factor


def read_coefficients(
    model: pm.Model, rv: Variable, shape: tuple[int, ...], noise: Unknown | None
) -> Coefficients:
    """Read the prior of a coefficient variable.

    Raises
    ------
    UnsupportedModel
        If its family or parameters are not those of a bayesreg prior.
    """
    joint = row_of(JOINT, rv)
    if joint is not None:
        return _read_joint(model, rv, shape, joint)
    row = row_of(PRIORS, rv)
    if row is None:
        raise refuse(rv, _why_no_coefficient(rv))
    inputs = row.inputs(rv)
    scale = None if "scale" in row.fixed else inputs.pop("scale", None)
    numbers = {
        key: fill(rv, _known_parameter(model, rv, value, key), shape)
        for key, value in inputs.items()
    }
    _set_fixed(rv, row, numbers, shape)
    logarithm = row.nonnegative and is_log(rv, model.rvs_to_transforms[rv])
    _check_transform(model, rv, accepted=logarithm)
    shared = _pop_shared(rv, numbers)
    if scale is None:
        return Coefficients(rv, shape, row, numbers, shared)
    factor, hyper, is_relative = _read_scale(model, rv, scale, noise)
    numbers["scale"] = fill(rv, factor, shape)
    return Coefficients(rv, shape, row, numbers, shared, hyper, is_relative)


def _set_fixed(
    rv: Variable, row: PriorRow, numbers: dict[str, Vector], shape: tuple[int, ...]
) -> None:
    """Check the parameters that a row fixes, and state those that are numbers of the prior."""
    of_prior = {field.name for field in fields(row.bayesreg)}
    for key, value in row.fixed.items():
        found = numbers.pop(key, None)
        if key in of_prior:
            numbers[key] = fill(rv, np.asarray(value), shape)
        if found is not None and (found != value).any():
            name = row.pymc.__name__
            word = {"loc": "alpha" if name == "Cauchy" else "mu"}.get(key, key)
            # A variable of a known location is the location plus one about 0: the same model.
            shifted = key == "loc" and not row.nonnegative
            same = f"write it as {word} + d, d a {name} with {word}=0: the same model"
            advice = same if shifted else f"use {word}={value:g}"
            raise refuse(rv, f"is {name} with {word} != {value:g}; {advice}")


def _pop_shared(rv: Variable, numbers: dict[str, Vector]) -> tuple[tuple[str, float], ...]:
    """Take out the numbers of which a prior has one for all coefficients."""
    shared = []
    for key in ONE_NUMBER:
        if key in numbers:
            values = np.unique(numbers.pop(key))
            if values.size != 1:
                msg = f"has several values of {key}; use one variable for each"
                raise refuse(rv, msg)
            shared.append((key, float(values[0])))
    return tuple(shared)


def _read_joint(
    model: pm.Model, rv: Variable, shape: tuple[int, ...], row: JointRow
) -> Coefficients:
    """Read a vector of coefficients with one density."""
    if len(shape) != 1:
        raise refuse(rv, f"has shape {shape}, a batch of vectors; use one variable per vector")
    accepted = isinstance(model.rvs_to_transforms[rv], IntoBall)
    _check_transform(model, rv, accepted=accepted)
    inputs = row.inputs(rv)
    values = {key: _known_parameter(model, rv, value, key) for key, value in inputs.items()}
    settings = {
        key: short(value) if key in ("scale", "factor") or not value.ndim else value
        for key, value in values.items()
    }
    with blame(rv):
        return Coefficients(rv, shape, row, {}, joint=row.make(**settings))


def _read_scale(
    model: pm.Model, rv: Variable, scale: Variable, noise: Unknown | None
) -> tuple[Array, Unknown | None, bool]:
    """Split the scale of a prior into known numbers, an unknown one, and sigma."""
    hyper, is_relative = None, False
    unknowns = []
    for parent in random_parents(scale, model.free_RVs):
        if noise is not None and parent is noise.rv:
            is_relative = True
            unknowns.append(noise)
            continue
        unknown = _read_unknown(model, parent, of_prior=True)
        if hyper is not None or unknown.prior.of_square:
            msg = (
                "sets a prior scale together with another variable, or as its square; "
                "use one HalfCauchy or HalfNormal variable for the scale itself"
            )
            raise refuse(parent, msg)
        hyper = unknown
        unknowns.append(unknown)
    return _product_form(rv, scale, unknowns), hyper, is_relative


def short(values: Array) -> Any:
    """Return one number where all are the same, else the vector."""
    return float(values.flat[0]) if values.size and (values == values.flat[0]).all() else values


def _known_parameter(model: pm.Model, rv: Variable, parameter: Variable, name: str) -> Array:
    parents = random_parents(parameter, model.free_RVs)
    if parents and name == "loc":
        msg = (
            f"its prior mean depends on {parents[0].name!r}; write the effect as "
            f"{parents[0].name} + deviation, with a deviation of mean 0"
        )
        raise refuse(rv, msg)
    return _known(model, rv, parameter, name)


def _why_no_coefficient(rv: Variable) -> str:
    family = pymc_name(rv)
    if not rv.dtype.startswith("float"):
        return f"is a discrete unknown ({family}) in the predictor; coefficients must be real"
    if row_of(SCALES, rv) is not None:
        return (
            f"enters the predictor, but a {family} variable is no coefficient; if it scales others "
            "(non-centred form), write it as their prior scale"
        )
    valid = ", ".join(row.pymc.__name__ for row in (*PRIORS, *JOINT))
    return f"its prior {family} is not supported yet; coefficients may have {valid}"
