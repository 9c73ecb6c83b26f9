"""Minus the log posterior of any PyMC model with continuous variables, as a function of one vector.

Beside its kinks the function is smooth. Each |u| of the graph is replaced by s·u, where s holds
signs that the caller of the compiled code supplies: the derivatives of that are exact one orthant
at a time, zeros included, where PyMC's own gradient of |u| would mix the two sides.

Graphs are run by Python and NumPy after the rewrites that keep digits. For the few hundred
evaluations that a Newton method needs, compiling them costs more than it saves: for a Student-t
lasso with unknown sigma and degrees of freedom, gradient, Hessian-vector product and batched
Hessian were ready in 1.2 s here, in 70 s for Numba (10 s from its disk cache) and in 32 s for C
(2.4 s from its cache).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.initial_point import make_initial_point_fn
from pymc.model.core import BaseModel
from pytensor.graph.replace import clone_replace, vectorize_graph

from bayesreg.composite_mode import Local
from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.model_graph import OUTSIDE, Block, ModelGraph, check_smooth
from bayesreg.pymc_graph import STABLE, evaluator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.pymc_graph import Array

__all__ = ["Block", "ModelObjective", "compile_objective"]

# How far a coordinate may go before it counts as running away: a transformed one has units of its
# own (40 on a log scale is a factor 2e17), another one those of the data.
_FAR_TRANSFORMED = 40.0
_FAR = 1e10
# Prior draws start at most so many kinked coordinates off their kink, so that the first Hessians
# are small.
_MOST_OFF_KINK = 64


@dataclass(frozen=True, eq=False)
class ModelObjective:
    """Minus the log posterior density of a model, in nats, normalising constants included.

    Attributes
    ----------
    blocks : tuple of Block
        The free variables, in the order of the coordinates.
    kinked : ndarray of bool, shape (d,)
        Which coordinates have a kink at 0.
    jacobian : bool
        Whether the density is that of the value variables.
    descendants : tuple of tuple of int
        Of each block those, by position, whose densities it enters, directly or not.
    """

    blocks: tuple[Block, ...]
    kinked: NDArray[np.bool_]
    jacobian: bool
    descendants: tuple[tuple[int, ...], ...]
    _evaluate: Callable[..., list[Array]]
    _hessian: Callable[..., list[Array]]
    _values: Callable[..., list[Array]]
    _centres: Callable[..., list[Array]]
    _draw: Callable[[np.random.Generator, str], Vector]

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.kinked.size

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of each coordinate."""
        return tuple(label for block in self.blocks for label in block.labels)

    @property
    def transformed(self) -> NDArray[np.bool_]:
        """Which coordinates belong to a transformed variable; shape (d,)."""
        return np.repeat(
            [bool(block.transform) for block in self.blocks],
            [block.stop - block.start for block in self.blocks],
        )

    @property
    def reach(self) -> Vector:
        """How far from a start a coordinate may go before it counts as running away; shape (d,)."""
        return np.where(self.transformed, _FAR_TRANSFORMED, _FAR)

    def evaluate(self, x: Vector) -> Local:
        """Return value, one-sided gradient and kink weights at coordinates x (d,)."""
        full = np.zeros(self.size)
        try:
            value, gradient, weights = self._evaluate(x, np.sign(x[self.kinked]))
        except OUTSIDE:
            return Local(np.nan, full, full)
        full[self.kinked] = weights
        return Local(float(value), gradient, full)

    def hessian(self, x: Vector, columns: NDArray[np.intp]) -> Matrix:
        """Return the Hessian of the orthant of x among some coordinates, shape (k, k)."""
        sign = np.sign(x[self.kinked])
        rows = []
        for part in np.array_split(columns, max(1, -(-columns.size // 256))):
            directions = np.zeros((part.size, self.size))
            directions[np.arange(part.size), part] = 1.0
            try:
                # Where nothing is smooth the products do not depend on the directions.
                products = np.broadcast_to(self._hessian(x, sign, directions)[0], directions.shape)
                rows.append(products[:, columns])
            except OUTSIDE:
                return np.full((columns.size, columns.size), np.nan)
        found: Matrix = np.concatenate(rows) if rows else np.zeros((0, 0))
        return 0.5 * (found + found.T)

    def point(self, x: Vector) -> dict[str, Array]:
        """Return coordinates as values of the model's own value variables."""
        values = self._values(x)[: len(self.blocks)]
        return {b.value_name: v for b, v in zip(self.blocks, values, strict=True)}

    def values(self, x: Vector) -> dict[str, Array]:
        """Return coordinates as values of the model's free variables."""
        values = self._values(x)[len(self.blocks) :]
        return {b.name: v for b, v in zip(self.blocks, values, strict=True)}

    def centred(self, x: Vector, k: int) -> Vector:
        """Return coordinates with all descendants of block k at the centres of their densities."""
        moved = x.copy()
        for later in self.descendants[k]:  # in order: one centre may follow from another
            block = self.blocks[later]
            centre = np.broadcast_to(self._centres(moved)[later], block.shape)
            moved[block.start : block.stop] = centre.ravel()
        return moved

    def start(self, rng: np.random.Generator, kind: str) -> Vector:
        """Make a start, shape (d,).

        Parameters
        ----------
        rng : Generator
            Where chance comes from.
        kind : {"initial", "jitter", "prior"}
            The model's initial point; the same with every coordinate off the kinks moved by up to
            1 on its own scale; a draw of the prior.
        """
        x = self._draw(rng, kind)
        off = np.flatnonzero(self.kinked & (x != 0))
        if kind == "jitter":
            x[off] = 0.0
            x += np.where(self.kinked, 0.0, rng.uniform(-1.0, 1.0, self.size))
        elif off.size > _MOST_OFF_KINK:
            x[rng.permutation(off)[_MOST_OFF_KINK:]] = 0.0
        return x


def compile_objective(model: pm.Model, *, jacobian: bool = False) -> ModelObjective:
    """Build the objective of a model.

    Parameters
    ----------
    model : pm.Model
        Any model whose free variables are all continuous. Kinks may come from Laplace variables
        without a transform, or from distributions that hold the absolute value of the variable
        itself.
    jacobian : bool
        False: the density of the variables on their own scale. True: that of the value variables,
        which differs by the Jacobian of their transforms.

    Returns
    -------
    ModelObjective
        Value, gradient, kinks and Hessian as functions of one vector.

    Raises
    ------
    UnsupportedModel
        If a free variable is discrete, a factor has no density or no derivative, or a kink is not
        that of a variable; it names the variable.
    InputError
        If `model` is not a PyMC model, or has no free variable.

    Examples
    --------
    >>> with pm.Model() as model:
    ...     x = pm.Laplace("x", 1.0, np.float64(0.5))
    >>> objective = compile_objective(model)
    >>> objective.evaluate(np.array([3.0])).value - objective.evaluate(np.array([0.0])).value
    6.0
    >>> objective.point(np.array([3.0]))
    {'x': array(4.)}
    """
    if not isinstance(model, BaseModel):
        msg = f"model: must be a PyMC model (pm.Model), found {type(model).__name__}"
        raise InputError(msg)
    if not model.free_RVs:
        msg = "model: has no free variable, so there is nothing to find the mode of"
        raise InputError(msg)
    graph = ModelGraph.of(model, jacobian=jacobian)
    if not graph.blocks[-1].stop:
        raise InputError(nothing_free([block.name for block in graph.blocks]))
    check_smooth(graph)
    raw = -pt.add(0.0, *(factor.sum() for _, factor in graph.factors))
    try:
        raw_slopes = pytensor.grad(raw, list(graph.kinks))
        total, *slopes = clone_replace([raw, *raw_slopes], graph.kinks, rebuild_strict=False)
        gradient = pytensor.grad(total, graph.flat, disconnected_inputs="ignore")
        direction = pt.dvector("direction")
        product = pytensor.grad(
            (gradient * direction).sum(), graph.flat, disconnected_inputs="ignore"
        )
    except Exception as error:  # whatever PyTensor raises for an operation without a derivative
        msg = f"its density cannot be differentiated twice ({error}); sample the model instead"
        raise UnsupportedModel(graph.guilty(model), msg) from error
    directions = pt.dmatrix("directions")
    batched = vectorize_graph(product, {direction: directions})
    weights = pt.concatenate([pt.zeros(0), *(slope.ravel() for slope in slopes)])
    inputs = [graph.flat, graph.sign]
    kinked = np.repeat([b.kinked for b in graph.blocks], [b.stop - b.start for b in graph.blocks])
    return ModelObjective(
        blocks=graph.blocks,
        kinked=kinked,
        jacobian=jacobian,
        descendants=graph.descendants,
        _evaluate=evaluator(inputs, [total, gradient, weights], STABLE),
        _hessian=evaluator([*inputs, directions], [batched], STABLE),
        _values=evaluator([graph.flat], [*graph.points, *graph.naturals], STABLE),
        _centres=evaluator([graph.flat], list(graph.centres)),
        _draw=_starts(model, graph),
    )


def nothing_free(names: Sequence[str]) -> str:
    """Say that free variables have no entries.

    Examples
    --------
    >>> nothing_free(["a", "b"])
    'model: its free variables (a, b) have no entries, so nothing is unknown; give one a shape'
    """
    return (
        f"model: its free variables ({', '.join(names)}) have no entries, so nothing is unknown; "
        "give one a shape"
    )


# --------------------------------------------------------------------------- starts


def _starts(model: pm.Model, graph: ModelGraph) -> Callable[[np.random.Generator, str], Vector]:
    """Return a function that draws points of the model as coordinates."""
    improper = (pm.Flat.rv_type, pm.HalfFlat.rv_type)
    proper = [rv for rv in model.free_RVs if not isinstance(rv.owner.op, improper)]
    initial = make_initial_point_fn(model=model)
    prior = make_initial_point_fn(model=model, overrides=dict.fromkeys(proper, "prior"))
    # Locations depend on value variables; as functions of these they turn values into distances.
    shifts = evaluator([graph.flat], list(graph.shifts))
    makers = {"initial": initial, "jitter": initial, "prior": prior}
    return partial(_draw, makers=makers, blocks=graph.blocks, shifts=shifts)


def _draw(
    rng: np.random.Generator,
    kind: str,
    *,
    makers: Mapping[str, Callable[[int], dict[str, Any]]],
    blocks: Sequence[Block],
    shifts: Callable[..., list[Array]],
) -> Vector:
    point = makers[kind](int(rng.integers(2**31)))
    x = np.zeros(blocks[-1].stop)
    # A location depends on coordinates before its own only, so one sweep fixes them all.
    for k, block in enumerate(blocks):
        value = np.asarray(point[block.value_name], np.float64)
        shift = shifts(x)[k] if block.kinked else 0.0
        x[block.start : block.stop] = np.ravel(value - shift)
    return x
