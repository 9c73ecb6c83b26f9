"""PyTensor graphs of a model: what they depend on, their values, and their linear part.

Everything is evaluated by Python and without graph rewrites, which takes milliseconds to set up
where compiled code takes seconds, and in double precision: PyTensor stores a literal such as
``sigma=3.0`` in single precision, and takes its logarithm there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor
import pytensor.scalar as ps
import pytensor.tensor as pt
from pymc.distributions.distribution import SymbolicRandomVariable
from pytensor.compile.builders import OpFromGraph
from pytensor.compile.mode import Mode
from pytensor.compile.ops import ViewOp
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.tensor.basic import Alloc, Join, MakeVector
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.einsum import Einsum
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.extra_ops import CumOp
from pytensor.tensor.math import Dot, Sum
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape
from pytensor.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedSubtensor,
    IncSubtensor,
    Subtensor,
)

from bayesreg.errors import UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

type Array = np.ndarray[Any, np.dtype[np.float64]]

CHEAP = Mode(linker="py", optimizer=None)
# What turns log(1 - sigmoid(x)) and the like into forms that keep their digits.
STABLE = Mode(linker="py", optimizer=RewriteDatabaseQuery(include=["canonicalize", "stabilize"]))

_NARROW = ("int8", "int16", "float16", "float32")


# --------------------------------------------------------------------------- dependence and values


def random_parents(variable: Variable, random: Sequence[Variable]) -> list[Variable]:
    """Return those of the random variables of a model that `variable` is computed from.

    Raises
    ------
    UnsupportedModel
        If it is computed from random numbers that are no variable of the model (a minibatch).
    """
    reached = set(ancestors([variable], blockers=random))
    for other in reached.difference(random):
        if other.owner is not None and isinstance(
            other.owner.op, RandomVariable | SymbolicRandomVariable
        ):
            msg = "is computed from random numbers (pm.Minibatch?); use all rows, as pm.Data"
            raise UnsupportedModel(str(variable.name or other.name or variable), msg)
    return [variable for variable in random if variable in reached]


def in_double(outputs: Sequence[Variable], stops: Iterable[Variable] = ()) -> list[Variable]:
    """Rebuild graphs so that their arithmetic runs in double precision.

    Parameters
    ----------
    outputs : sequence of Variable
        What to rebuild.
    stops : iterable of Variable
        Where to stop: the inputs.

    Examples
    --------
    >>> bool(pt.log(pt.as_tensor(3.0)).eval() == np.log(3.0))
    False
    >>> bool(in_double([pt.log(pt.as_tensor(3.0))])[0].eval() == np.log(3.0))
    True
    """
    renewed: dict[Variable, Variable] = {}
    for node in io_toposort(list(stops), list(outputs)):
        inputs = [renewed.get(variable, variable) for variable in node.inputs]
        is_real = isinstance(node.op, Elemwise) and node.outputs[0].dtype.startswith("float")
        if is_real and not isinstance(node.op.scalar_op, ps.Cast):
            inputs = [pt.cast(v, "float64") if v.dtype in _NARROW else v for v in inputs]
        if isinstance(node.op, OpFromGraph):  # its own graph has the types it was built for
            pairs = zip(inputs, node.inputs, strict=True)
            inputs = [
                new if new.type == old.type else pt.cast(new, old.dtype) for new, old in pairs
            ]
        if any(new is not old for new, old in zip(inputs, node.inputs, strict=True)):
            fresh = node.op.make_node(*inputs).outputs
            renewed.update(zip(node.outputs, fresh, strict=True))
    return [renewed.get(variable, variable) for variable in outputs]


def evaluator(
    inputs: Sequence[Variable], outputs: Sequence[Variable], mode: Mode = CHEAP
) -> Callable[..., list[Array]]:
    """Return a function of the values of `inputs` (variables within the graph may be inputs)."""
    function = pytensor.function(
        list(inputs), in_double(outputs, inputs), mode=mode, on_unused_input="ignore"
    )
    dtypes = [variable.dtype for variable in inputs]

    def evaluate(*values: object) -> list[Array]:
        given = [np.asarray(v, dtype) for v, dtype in zip(values, dtypes, strict=True)]
        with np.errstate(all="ignore"):  # whoever asks looks at the result
            return [np.asarray(result) for result in function(*given)]

    return evaluate


def constant(variable: Variable) -> Array:
    """Return the value of a variable that does not depend on any random one."""
    if isinstance(variable, Constant):
        return np.asarray(variable.data, np.float64)
    return np.asarray(evaluator([], [variable])()[0], np.float64)


# --------------------------------------------------------------------------- structure


def scalar_op(variable: Variable) -> type | None:
    """Return the class of the elementwise operation that made `variable`, if one did."""
    op = None if variable.owner is None else variable.owner.op
    return type(op.scalar_op) if isinstance(op, Elemwise) else None


def undo_link(mean: Variable, link: type, random: Sequence[Variable]) -> Variable | None:
    """Return the predictor whose elementwise image under `link` is `mean`; None if it is not one.

    ``c * exp(eta)`` with known c counts as ``exp(eta + log(c))``.
    """
    if mean.owner is None:
        return None
    if scalar_op(mean) is link:
        return mean.owner.inputs[0]
    if isinstance(mean.owner.op, ViewOp | DimShuffle):
        inside = undo_link(mean.owner.inputs[0], link, random)
        return None if inside is None else mean.owner.op(inside)
    if link is ps.Sigmoid and scalar_op(mean) is ps.Switch:
        guarded = _inside_guard(mean, random)
        return None if guarded is None else undo_link(guarded, link, random)
    if link is ps.Exp and scalar_op(mean) is ps.Mul:
        known = [v for v in mean.owner.inputs if not random_parents(v, random)]
        other = [v for v in mean.owner.inputs if random_parents(v, random)]
        inside = undo_link(other[0], link, random) if len(other) == 1 else None
        return None if inside is None else pt.add(inside, *(pt.log(v) for v in known))
    return None


def _inside_guard(value: Variable, random: Sequence[Variable]) -> Variable | None:
    """Return p of ``switch(p == c, almost c, p)``, as Bambi keeps rounding from 0 and 1; else None.

    The two differ only where p has been rounded to c.
    """
    condition, instead, inside = value.owner.inputs
    if scalar_op(condition) is not ps.EQ or condition.owner.inputs[0] is not inside:
        return None
    edge = condition.owner.inputs[1]
    if random_parents(edge, random) or random_parents(instead, random):
        return None
    near = np.abs(constant(edge) - constant(instead)) <= 4 * np.finfo(np.float64).eps
    return inside if near.all() else None


# Operations that are linear in some of their inputs together: additive, so that a known input
# among them is a constant term ...
_ADDITIVE: dict[type, slice] = {
    ps.Add: slice(None),
    ps.Sub: slice(None),
    ps.Neg: slice(None),
    ps.Identity: slice(None),
    ps.Cast: slice(None),
    ps.TrueDiv: slice(1),
    ps.Switch: slice(1, 3),
    ps.Second: slice(1, 2),
    ViewOp: slice(1),
    DimShuffle: slice(1),
    Sum: slice(1),
    CumOp: slice(1),
    Alloc: slice(1),
    Reshape: slice(1),
    JoinDims: slice(1),
    SplitDims: slice(1),
    SpecifyShape: slice(1),
    Join: slice(None),
    MakeVector: slice(None),
    Subtensor: slice(1),
    AdvancedSubtensor: slice(1),
    IncSubtensor: slice(2),
    AdvancedIncSubtensor: slice(2),
}
# ... or linear in each input alone: a product.
_PRODUCTS = (ps.Mul, Dot, Einsum)


def _kind(op: Any) -> type:
    core = op.core_op if isinstance(op, Blockwise) else op
    return type(core.scalar_op) if isinstance(core, Elemwise) else type(core)


def _label(op: Any) -> str:
    """Return a short name of an operation, without its settings."""
    core = op.core_op if isinstance(op, Blockwise) else op
    return str(core) if isinstance(core, Elemwise) else type(core).__name__


def linear_part(predictor: Variable, coefficients: Sequence[Variable]) -> Variable:
    """Return the graph of ``predictor − predictor(0)``, proving on the way that it is linear.

    It is the graph of the predictor with its constant terms at zero, so that its value for a unit
    vector is a column of the design to the last digit, however large an offset is.

    Parameters
    ----------
    predictor : Variable
        The linear predictor.
    coefficients : sequence of Variable
        The variables that it must be affine in.

    Raises
    ------
    UnsupportedModel
        If an operation in between is not linear in the coefficients; it names the operation.

    Examples
    --------
    >>> beta = pt.dvector("beta")
    >>> linear = linear_part(1e20 + 3.0 * beta.sum(), [beta])
    >>> float(linear.eval({beta: [1.0, 2.0]}))
    9.0
    """
    linear: dict[Variable, Variable] = {variable: variable for variable in coefficients}
    origin: dict[Variable, Variable] = {variable: variable for variable in coefficients}
    for node in io_toposort(list(coefficients), [predictor]):
        active = [i for i, variable in enumerate(node.inputs) if variable in linear]
        if not active or isinstance(node.op, Shape | Shape_i):
            continue
        sources = list(dict.fromkeys(str(origin[node.inputs[i]].name) for i in active))
        inputs = _linear_inputs(node, active, linear, sources)
        linear[node.outputs[0]] = node.op.make_node(*inputs).outputs[0]
        origin[node.outputs[0]] = origin[node.inputs[active[0]]]
    # Not there: only the shapes of the coefficients matter.
    return linear.get(predictor, pt.zeros_like(predictor))


def _keeps_digits(node: Apply, active: list[int]) -> bool:
    """Tell whether the result has the precision of the inputs: a narrower one would round them."""
    result = np.dtype(node.outputs[0].dtype)
    return all(np.can_cast(np.dtype(node.inputs[i].dtype), result, casting="safe") for i in active)


def _linear_inputs(
    node: Apply, active: list[int], linear: dict[Variable, Variable], sources: list[str]
) -> list[Variable]:
    """Inputs of the same operation in the linear part; UnsupportedModel if it is not linear."""
    kind = _kind(node.op)
    positions = range(len(node.inputs))[_ADDITIVE.get(kind, slice(0))]
    is_sum = set(active) <= set(positions) and _keeps_digits(node, active)
    if is_sum and getattr(node.op, "mode", "add") == "add":
        return [
            linear[v] if i in active else pt.zeros_like(v) if i in positions else v
            for i, v in enumerate(node.inputs)
        ]
    if kind in _PRODUCTS and len(active) == 1:
        return [linear.get(v, v) for v in node.inputs]
    if kind in _PRODUCTS:
        names = " and ".join(repr(name) for name in sources)
        msg = (
            f"the predictor must be linear in it, but holds a product of {names}; "
            "only known numbers may multiply coefficients (a scale of others, in non-centred form, "
            "belongs into their prior, where noncentered=False puts it in Bambi)"
        )
    else:
        msg = (
            f"the predictor must be linear in it, but passes through {_label(node.op)}; "
            "use sums, products with known numbers, and indexing"
        )
    raise UnsupportedModel(sources[0], msg)
