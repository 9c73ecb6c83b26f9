"""The log density of a PyMC model as a graph of one vector, with its kinks taken apart.

The coordinates are PyMC's unconstrained value variables, one after the other, with one change: a
Laplace variable x with location μ is described by u = x − μ, so that its kink is at u = 0 whatever
μ depends on. A shift has unit Jacobian, so densities, and modes with them, stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pymc as pm
import pytensor
import pytensor.scalar as ps
import pytensor.tensor as pt
from pymc.distributions.distribution import support_point
from pymc.logprob.basic import transformed_conditional_logp
from pymc.logprob.utils import ParameterValueError
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

from bayesreg.errors import UnsupportedModel
from bayesreg.pymc_graph import evaluator, in_double, random_parents, scalar_op
from bayesreg.pymc_labels import entry_labels

if TYPE_CHECKING:
    from pytensor.graph.basic import Variable

__all__ = [
    "OUTSIDE",
    "Block",
    "ModelGraph",
    "check_smooth",
    "kink_of",
    "log_densities",
    "shapes_of_values",
]


# What PyMC raises where parameters leave their range (sigma <= 0, a matrix that is not positive
# definite): there is no density there.
OUTSIDE = (ParameterValueError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class Block:
    """One free variable of the model among the coordinates.

    Attributes
    ----------
    name, value_name : str
        Name of the variable, and of its value variable (such as ``"sigma_log__"``).
    start, stop : int
        Its coordinates.
    shape : tuple of int
        Shape of the value variable.
    kinked : bool
        Whether its density has a kink: then the coordinates are distances from it.
    transform : str
        Name of the transform between variable and value variable, "" where there is none.
    labels : tuple of str
        Name of each coordinate.
    """

    name: str
    value_name: str
    start: int
    stop: int
    shape: tuple[int, ...]
    kinked: bool
    transform: str
    labels: tuple[str, ...]


def _refuse(variable: Variable, reason: str, cause: Exception | None = None) -> NoReturn:
    raise UnsupportedModel(str(variable.name), reason) from cause


@dataclass(frozen=True, eq=False)
class ModelGraph:
    """The model's factors as graphs of one vector and the signs of the kinked coordinates.

    Attributes
    ----------
    flat, sign : Variable
        The inputs.
    blocks : tuple of Block
        The free variables.
    factors : tuple of (Variable, Variable)
        Every random variable or potential of the model with its log density.
    kinks : dict
        The orthant's form s·u of each |u|, by the variable that stands for |u| in the factors.
    points, naturals, shifts : tuple of Variable
        Value variables, free variables, and the location of each kink (0 where there is none).
    centres : tuple of Variable
        Coordinates of each free variable at the centre of its density given the variables before.
    descendants : tuple of tuple of int
        Of each free variable those, by position, whose densities follow from it directly or not.
    """

    flat: Variable
    sign: Variable
    blocks: tuple[Block, ...]
    factors: tuple[tuple[Variable, Variable], ...]
    kinks: dict[Variable, Variable]
    points: tuple[Variable, ...]
    naturals: tuple[Variable, ...]
    shifts: tuple[Variable, ...]
    centres: tuple[Variable, ...]
    descendants: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, model: pm.Model, *, jacobian: bool) -> ModelGraph:
        """Take a model apart; `jacobian`: whether the density is that of the value variables."""
        for rv in model.free_RVs:
            if not rv.dtype.startswith("float"):
                msg = (
                    "is discrete; sum it out of the model (pm.Mixture, say), then ask for the mode"
                )
                _refuse(rv, msg)
        terms = log_densities(model, jacobian=jacobian)
        centres = {rv: kink_of(model, rv, terms[rv]) for rv in model.free_RVs}
        shapes = shapes_of_values(model)
        flat, sign = pt.dvector("flat"), pt.dvector("sign")
        renewed: dict[Variable, Variable] = {}
        stand_ins: dict[Variable, Variable] = {}
        blocks, kinks, shifts, at, kink_at = [], {}, [], 0, 0
        for rv in model.free_RVs:
            value, centre = model.rvs_to_values[rv], centres[rv]
            shape = shapes[value]
            size = int(np.prod(shape))
            u = flat[at : at + size].reshape(shape)
            shift = pt.zeros(shape)
            if centre is not None:
                loc, distance = centre
                # Locations depend on variables that come before, so these are renewed already.
                loc = clone_replace([loc], renewed)[0]
                shift = pt.broadcast_to(loc, shape).astype("float64")
                signs = sign[kink_at : kink_at + size].reshape(shape)
                stand_ins[distance] = pt.tensor("distance", dtype="float64", shape=shape)
                kinks[stand_ins[distance]] = signs * u
                kink_at += size
            # The value variable's own type, so that it can stand for it everywhere.
            renewed[value] = pt.specify_shape(u if centre is None else u + shift, value.type.shape)
            shifts.append(shift)
            blocks.append(_block(model, rv, at, at + size, shape, kinked=centre is not None))
            at += size
        naturals = in_double(model.replace_rvs_by_values(model.free_RVs))
        # |u| first: clone_replace looks for the nodes of the original graph.
        changes = stand_ins | renewed
        factors = clone_replace(list(terms.values()), changes, rebuild_strict=False)
        middles = [
            value if centre is None else pt.zeros_like(value)
            for value, centre in zip(_centres(model), centres.values(), strict=True)
        ]
        return cls(
            flat=flat,
            sign=sign,
            blocks=tuple(blocks),
            factors=tuple(zip(terms, factors, strict=True)),
            kinks=kinks,
            points=tuple(renewed.values()),
            naturals=tuple(clone_replace(naturals, renewed, rebuild_strict=False)),
            shifts=tuple(shifts),
            centres=tuple(clone_replace(middles, renewed, rebuild_strict=False)),
            descendants=_descendants(model),
        )

    def guilty(self, model: pm.Model) -> str:
        """Name of the first factor that cannot be differentiated twice."""
        for source, factor in self.factors:
            try:
                gradient = pytensor.grad(factor.sum(), self.flat, disconnected_inputs="ignore")
                pytensor.grad(gradient.sum(), self.flat, disconnected_inputs="ignore")
            except Exception:  # noqa: BLE001  (any failure is the answer)
                return str(source.name)
        return str(model.name or "model")


def _centres(model: pm.Model) -> list[Variable]:
    """Value of each value variable where PyMC would start it, given the variables before.

    That is the location of a family with a location, and in proportion to a scale elsewhere.
    """
    centres = []
    for rv in model.free_RVs:
        value = model.rvs_to_values[rv]
        try:
            centre = support_point(rv)
        except NotImplementedError:  # a distribution of the user's own: it stays where it is
            centres.append(value)
            continue
        transform = model.rvs_to_transforms[rv]
        if transform is not None:
            centre = transform.forward(centre, *rv.owner.inputs)
        centres.append(model.replace_rvs_by_values([centre])[0])
    return in_double(centres, model.value_vars)


def _descendants(model: pm.Model) -> tuple[tuple[int, ...], ...]:
    """Positions of the free variables whose densities each of them enters, at any remove."""
    free = model.free_RVs
    found: list[set[int]] = [set() for _ in free]
    for k, rv in reversed(list(enumerate(free))):
        for later in range(k + 1, len(free)):
            if rv in set(ancestors(free[later].owner.inputs, blockers=free)):
                found[k] |= {later} | found[later]
    return tuple(tuple(sorted(positions)) for positions in found)


def _block(
    model: pm.Model, rv: Variable, start: int, stop: int, shape: tuple[int, ...], *, kinked: bool
) -> Block:
    transform = model.rvs_to_transforms[rv]
    value_name = str(model.rvs_to_values[rv].name)
    return Block(
        name=str(rv.name),
        value_name=value_name,
        start=start,
        stop=stop,
        shape=shape,
        kinked=kinked,
        transform="" if transform is None else str(transform.name),
        labels=entry_labels(model, rv, shape, value_name if transform is not None else ""),
    )


def log_densities(model: pm.Model, *, jacobian: bool) -> dict[Variable, Variable]:
    """Log density of each factor, elementwise, in double precision, as graphs of value variables.

    Variables are rebuilt in double precision first, because PyMC folds constants on its way.
    """
    rvs = model.basic_RVs
    for rv in rvs:
        random_parents(rv, model.basic_RVs)  # no random numbers but the model's own
    doubles = dict(zip(rvs, in_double(rvs), strict=True))
    try:
        terms = transformed_conditional_logp(
            rvs=list(doubles.values()),
            rvs_to_values={doubles[rv]: model.rvs_to_values[rv] for rv in rvs},
            rvs_to_transforms={doubles[rv]: model.rvs_to_transforms[rv] for rv in rvs},
            jacobian=jacobian,
        )
    except Exception as error:  # PyMC has many ways to say that there is no density
        names = ", ".join(str(rv.name) for rv in rvs)
        raise UnsupportedModel(names, f"PyMC finds no log density ({error})") from error
    potentials = in_double(model.replace_rvs_by_values(model.potentials))
    return dict(zip([*rvs, *model.potentials], [*terms, *potentials], strict=True))


def shapes_of_values(model: pm.Model) -> dict[Variable, tuple[int, ...]]:
    """Shapes of the value variables, evaluated where they are symbolic."""
    shapes = {value: value.type.shape for value in model.value_vars}
    if any(length is None for shape in shapes.values() for length in shape):
        start = model.initial_point()
        shapes = {value: tuple(np.shape(start[value.name])) for value in shapes}
    return shapes


def kink_of(model: pm.Model, rv: Variable, term: Variable) -> tuple[Variable, Variable] | None:
    """Return location and the |x − location| of a density with a kink; None if it has none."""
    value = model.rvs_to_values[rv]
    found = [
        node
        for node in ancestors([term], blockers=[value])
        if scalar_op(node) is ps.Abs and value in set(ancestors([node], blockers=[value]))
    ]
    is_laplace = type(rv.owner.op) is pm.Laplace.rv_type
    if not found and not is_laplace:
        return None
    if model.rvs_to_transforms[rv] is not None:
        if not is_laplace:
            return None  # an absolute value of what a transform keeps positive, say
        _refuse(rv, "is Laplace with a transform; remove the transform, or use another prior")
    if len(found) == 1 and is_laplace:
        loc = model.replace_rvs_by_values([rv.owner.op.dist_params(rv.owner)[0]])[0]
        return in_double([loc])[0], found[0]
    if len(found) == 1 and found[0].owner.inputs[0] is value:
        return pt.zeros(()), found[0]
    _refuse(rv, "its density has a kink that is not |x - location|; use a Laplace or smooth prior")


# --------------------------------------------------------------------------- what is not smooth

_TWO_SIDED = (ps.ScalarMaximum, ps.ScalarMinimum, ps.Clip)


def check_smooth(graph: ModelGraph) -> None:
    """Refuse kinks beside those of the variables' own priors.

    An absolute value, a sign or a maximum is a kink only where its argument changes its sign: that
    of a scale never does. So the arguments are evaluated at random points.
    """
    arguments: list[tuple[Variable, str, Variable]] = []
    for source, factor in graph.factors:
        for node in _numbers(factor):
            kind = scalar_op(node)
            if kind is None or kind not in (ps.Abs, ps.Sign, *_TWO_SIDED):
                continue
            if _depends(node, graph.flat):
                first, *others = node.owner.inputs
                sides = [first - other for other in others] if kind in _TWO_SIDED else [first]
                arguments += [(source, kind.__name__, side) for side in sides]
    if not arguments:
        return
    evaluate = evaluator([graph.flat, graph.sign], [side for *_, side in arguments])
    size = graph.blocks[-1].stop
    count = sum(b.stop - b.start for b in graph.blocks if b.kinked)
    rng = np.random.default_rng(0)
    found = [
        evaluate(spread * rng.standard_normal(size), np.zeros(count))
        for spread in (0.3, 1.0, 1.0, 3.0, 3.0)
    ]
    for (source, kind, _), *values in zip(arguments, *found, strict=True):
        stacked = np.stack(np.broadcast_arrays(*values))
        rounding = 1e-9 * np.abs(np.where(np.isfinite(stacked), stacked, 0.0)).max(initial=0.0)
        if ((stacked > rounding).any(axis=0) & (stacked < -rounding).any(axis=0)).any():
            msg = (
                f"its log density has a kink ({kind} of an expression of free variables); only "
                "Laplace priors may have one, so use a smooth density there, or sample the model"
            )
            _refuse(source, msg)


def _numbers(factor: Variable) -> list[Variable]:
    """Ancestors through numbers only: what decides a condition, such as a check, has no slope."""
    seen: dict[Variable, None] = {}
    stack = [factor]
    while stack:
        variable = stack.pop()
        if variable in seen or variable.dtype == "bool":
            continue
        seen[variable] = None
        stack += [] if variable.owner is None else variable.owner.inputs
    return list(seen)


def _depends(node: Variable, on: Variable) -> bool:
    return on in set(ancestors([node], blockers=[on]))
