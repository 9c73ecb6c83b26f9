"""Certificates of modes of any PyMC model: stationary to second order, from (model, point) alone.

Nothing here is the solver's. The log density is PyMC's own, with PyMC's own derivative of |x − μ|,
which is 0 at the kink; the slope of each kink is the derivative with respect to the node |x − μ|.
Derivatives are pulled back to the coordinates u = x − μ(other variables), where a kink is at
u = 0 and stationarity reads ``|∂/∂u| ≤ slope``.

Such a certificate is local: it proves no bound on how far the objective is above its minimum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.replace import clone_replace, vectorize_graph
from pytensor.graph.traversal import ancestors

from bayesreg._visible import visible
from bayesreg.errors import InputError
from bayesreg.model_graph import OUTSIDE, kink_of, log_densities, shapes_of_values
from bayesreg.pymc_graph import CHEAP, STABLE, evaluator
from bayesreg.pymc_labels import entry_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pymc as pm
    from numpy.typing import NDArray
    from pytensor.compile.mode import Mode
    from pytensor.graph.basic import Variable

    from bayesreg._validation import Matrix
    from bayesreg.pymc_graph import Array

__all__ = ["ModelCertificate", "certify_point"]

# The square of the KKT residual is about twice the excess in nats.
KKT_TOLERANCE = 1e-6
# Of the Hessian scaled to a unit diagonal; rounding makes 1e-15 of a singular one.
CURVATURE_TOLERANCE = 1e-8
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class ModelCertificate:
    """What can be said of a point of a model without knowing where it came from.

    Attributes
    ----------
    kkt : float
        Largest distance of 0 to the subdifferential of minus the log density, each coordinate
        divided by the root of its curvature, in sqrt(nats); half its square is about the excess
        over the local mode due to that coordinate. ``inf`` where it cannot be computed.
    worst : str
        Entry with the largest residual, ``beta[age]``; of its value variable, ``sigma_log__``.
    curvature : float
        Smallest eigenvalue of the Hessian off the kinks, scaled to a unit diagonal: negative at a
        saddle point, 0 along a flat direction.
    support : tuple of int
        Positions, among all kinked entries in the order of the model's variables, of those that
        are off their kink.
    stationary : bool
        Whether the point is a local mode to second order, within the tolerances.
    gap : float
        ``inf``: nothing bounds the excess over the global minimum.
    unique : bool
        False: nothing proves it.
    """

    kkt: float
    worst: str
    curvature: float
    support: tuple[int, ...]
    stationary: bool
    gap: float = field(default=math.inf, repr=False)
    unique: bool = field(default=False, repr=False)

    @property
    def optimal(self) -> bool:
        """Whether it is certified, which for such a model means: as a local mode."""
        return self.stationary

    def __str__(self) -> str:
        """Say the verdict in words."""
        missed = f"NOT stationary (worst: {visible(self.worst)})"
        verdict = "stationary" if self.stationary else missed
        shape = "a local mode" if self.stationary else "not certified"
        return (
            f"{verdict}: KKT residual {self.kkt:.2g}, smallest scaled curvature "
            f"{self.curvature:.2g}; {shape}"
        )


def certify_point(
    model: pm.Model, point: Mapping[str, object], *, jacobian: bool = False
) -> ModelCertificate:
    """Certify a point as a local mode of a model.

    Parameters
    ----------
    model : pm.Model
        A model whose free variables are all continuous.
    point : mapping
        Value of each value variable, by its name, as for ``model.compile_logp()``. NaN and
        infinities give a failed certificate, not an exception.
    jacobian : bool
        Whether the mode is that of the density of the value variables.

    Returns
    -------
    ModelCertificate
        KKT residual, curvature, support and the verdict.

    Raises
    ------
    InputError
        If a value is missing or has the wrong shape.
    UnsupportedModel
        If the model has no density that can be differentiated.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model() as model:
    ...     x = pm.Laplace("x", 0.0, 1.0)
    ...     y = pm.StudentT("y", nu=3.0, mu=x, sigma=1.0, observed=[0.2])
    >>> certify_point(model, {"x": 0.0}).stationary, certify_point(model, {"x": 1e-9}).stationary
    (True, False)
    """
    shapes = shapes_of_values(model)
    values = [_value(model, point, variable, shapes) for variable in model.value_vars]
    names = _labels(model, values)
    if not all(np.isfinite(v).all() for v in values):
        bad = ~np.isfinite(np.concatenate([v.ravel() for v in values]))
        return _failed(names[int(np.argmax(bad))])
    derivatives = _derive(model, jacobian=jacobian)
    found = _failed(names[0])
    for mode in (CHEAP, STABLE):
        try:
            found = _judge(derivatives, mode, values, names)
        except OUTSIDE:  # no density at this point
            continue
        if found.stationary:
            break
    return found


def _labels(model: pm.Model, values: list[Array]) -> list[str]:
    """Labels of the entries of all value variables."""
    names: list[str] = []
    for variable, value in zip(model.value_vars, values, strict=True):
        rv = model.values_to_rvs[variable]
        names += entry_labels(model, rv, value.shape, str(variable.name))
    return names


def _judge(
    derivatives: _Derivatives, mode: Mode, values: list[Array], names: list[str]
) -> ModelCertificate:
    """Judge finite values.

    Without rewrites the graphs are ready at once, and nearly always good enough to certify; where
    they are not, those that keep more digits have the last word.
    """
    gradient, slope, sign, distance, size = derivatives.first(mode, values)
    finite = np.isfinite(gradient) & np.isfinite(slope)
    if not finite.all():
        return _failed(names[int(np.argmin(finite))])
    kinked = ~np.isnan(distance)
    at_kink = kinked & (np.abs(np.where(kinked, distance, 1.0)) <= 8 * _EPS * np.abs(size))
    inner = np.maximum(np.abs(gradient - slope * sign) - slope, 0.0)
    violation = np.where(at_kink, inner, np.abs(gradient))
    support = tuple(np.flatnonzero(~at_kink[kinked]).tolist())
    columns = np.flatnonzero(~at_kink | (violation > 0))
    hessian = derivatives.hessian(mode, values, columns)
    if not np.isfinite(hessian).all():
        return _failed(names[0], support)
    diagonal = np.abs(np.diag(hessian))
    unit = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    residual = violation[columns] / unit
    worst = int(np.argmax(residual)) if columns.size else 0
    kkt = float(residual.max(initial=0.0))
    off = ~at_kink[columns]
    scaled = (hessian / np.outer(unit, unit))[np.ix_(off, off)]
    curvature = float(np.linalg.eigvalsh(scaled)[0]) if off.any() else 1.0
    return ModelCertificate(
        kkt=kkt,
        worst=names[columns[worst]] if columns.size else "",
        curvature=curvature,
        support=support,
        stationary=kkt <= KKT_TOLERANCE and curvature >= -CURVATURE_TOLERANCE,
    )


def _failed(worst: str, support: tuple[int, ...] = ()) -> ModelCertificate:
    return ModelCertificate(math.inf, worst, -math.inf, support, stationary=False)


def _value(
    model: pm.Model,
    point: Mapping[str, object],
    variable: Variable,
    shapes: dict[Variable, tuple[int, ...]],
) -> Array:
    name = str(variable.name)
    if name not in point:
        names = ", ".join(str(v.name) for v in model.value_vars)
        msg = f"point: has no value of {name!r}; it needs {names}"
        raise InputError(msg)
    value = np.asarray(point[name], np.float64)
    if value.shape != shapes[variable]:
        msg = f"point: {name!r} has shape {value.shape}, but the model needs {shapes[variable]}"
        raise InputError(msg)
    return value


@dataclass(frozen=True, eq=False)
class _Derivatives:
    """Graphs of derivatives in coordinates u, over the value variables.

    Attributes
    ----------
    inputs : list of Variable
        The value variables.
    direction : Variable
        A vector among the coordinates.
    first_order : list of Variable
        Gradient, slope of each kink, sign of u, u itself (NaN where there is no kink), location.
    product : Variable
        Hessian times `direction`.
    """

    inputs: list[Variable]
    direction: Variable
    first_order: list[Variable]
    product: Variable

    def first(self, mode: Mode, values: list[Array]) -> list[Array]:
        return evaluator(self.inputs, self.first_order, mode)(*values)

    def hessian(self, mode: Mode, values: list[Array], columns: NDArray[np.intp]) -> Matrix:
        if columns.size == 0:
            return np.zeros((0, 0))
        directions = pt.dmatrix("directions")
        batched = vectorize_graph(self.product, {self.direction: directions})
        unit = np.zeros((columns.size, sum(value.size for value in values)))
        unit[np.arange(columns.size), columns] = 1.0
        found = evaluator([*self.inputs, directions], [batched], mode)(*values, unit)[0][:, columns]
        return np.asarray(0.5 * (found + found.T))


def _derive(model: pm.Model, *, jacobian: bool) -> _Derivatives:
    """Build first derivatives with what kinks need, and the Hessian, in coordinates u."""
    terms = log_densities(model, jacobian=jacobian)
    total = -pt.add(0.0, *(term.sum() for term in terms.values()))
    inputs = list(model.value_vars)
    kinks = {
        model.rvs_to_values[rv]: found
        for rv in model.free_RVs
        if (found := kink_of(model, rv, terms[rv])) is not None
    }
    gradient = _pull(pytensor.grad(total, inputs, disconnected_inputs="ignore"), inputs, kinks)
    rows = [_at_kink(total, value, kinks.get(value)) for value in inputs]
    first_order = [_join(parts) for parts in (gradient, *zip(*rows, strict=True))]
    direction = pt.dvector("direction")
    along = pytensor.grad((first_order[0] * direction).sum(), inputs, disconnected_inputs="ignore")
    product = _join(_pull(along, inputs, kinks))
    return _Derivatives(inputs, direction, first_order, product)


def _at_kink(
    total: Variable, value: Variable, kink: tuple[Variable, Variable] | None
) -> tuple[Variable, Variable, Variable, Variable]:
    """Slope, sign, distance and location of the kink of a value variable."""
    nothing = pt.zeros_like(value)
    if kink is None:
        return nothing, nothing, nothing + np.nan, nothing
    loc, absolute = kink
    sign = pt.sign(absolute.owner.inputs[0])
    return pytensor.grad(total, absolute), sign, value - loc, nothing + loc


def _pull(
    gradient: list[Any], inputs: list[Variable], kinks: dict[Variable, tuple[Variable, Variable]]
) -> list[Any]:
    """Turn derivatives in the value variables into derivatives in u = x − μ: add μ's share.

    In reverse order, because a location depends on variables that come before its own.
    """
    pulled = list(gradient)
    for k in reversed(range(len(inputs))):
        if inputs[k] not in kinks or not set(inputs) & set(
            ancestors([kinks[inputs[k]][0]], blockers=inputs)
        ):
            continue
        loc, own = kinks[inputs[k]][0], pt.dvector("own")
        spread = pt.broadcast_to(loc, inputs[k].shape).ravel()
        shares = pytensor.grad((spread * own).sum(), inputs, disconnected_inputs="ignore")
        replaced = clone_replace(shares, {own: pulled[k].ravel()}, rebuild_strict=False)
        pulled = [mine + share for mine, share in zip(pulled, replaced, strict=True)]
    return pulled


def _join(parts: Sequence[Any]) -> Any:
    return pt.concatenate([pt.atleast_1d(part).ravel() for part in parts]).astype("float64")
