"""The draws of a problem under the names of the PyMC model that it was read from.

The model's free variables are known numbers of the problem's coefficients, intercept, sigma and
scale; its deterministics are evaluated at them. So ``pm.sample_posterior_predictive(draws, model)``
finds every variable that it needs. Where a name of the model is also one of ours, the model's
variable has it: what is ours, and is something else, is then called ``problem_...``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from pytensor.graph.replace import clone_replace

from bayesreg.errors import UnsupportedModel
from bayesreg.pymc_graph import evaluator, random_parents

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from numpy.typing import NDArray

    from bayesreg.model_reading import ModelReading
    from bayesreg.posterior.conditional import Array

__all__ = ["OwnVariables"]

# Deterministics of more numbers than this are left out: 0.8 GB.
_MOST_NUMBERS = 100_000_000
# Difference of two computations of one number, relative to the largest of its kind.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class OwnVariables:
    """A model and what it was read as.

    Attributes
    ----------
    model : pm.Model
        The model.
    reading : ModelReading
        Which of its variables is what.
    deterministics : bool
        Whether to evaluate its deterministics.
    """

    model: Any
    reading: ModelReading
    deterministics: bool = True

    @property
    def free_only(self) -> OwnVariables:
        """The same without deterministics."""
        return replace(self, deterministics=False)

    def added(self, ours: xr.Dataset) -> tuple[xr.Dataset, dict[str, str]]:
        """Add the model's variables to draws.

        Parameters
        ----------
        ours : Dataset
            ``beta`` (chain, draw, feature) and, where there are some, ``intercept``, ``sigma`` and
            ``scale`` (chain, draw).

        Returns
        -------
        both : Dataset
            Ours first.
        notes : dict of str
            For the record: which variable plays which part, and which are missing, and why.
        """
        values, missing = self._values(ours)
        own = xr.Dataset(
            {name: (self._dims(name, value), value) for name, value in values.items()},
            coords={"chain": ours["chain"], "draw": ours["draw"]},
        )
        own = own.assign_coords(self._labels(own))
        notes = {"variables": self.reading.parts} if self.reading.parts else {}
        if missing:
            notes["missing"] = "; ".join(f"{name}: {why}" for name, why in missing.items())
        return _both(ours, own), notes

    def _values(self, ours: xr.Dataset) -> tuple[dict[str, Array], dict[str, str]]:
        """Free variables, then deterministics; and why some are missing."""
        numbers = {str(name): value.to_numpy() for name, value in ours.data_vars.items()}
        numbers["coefficients"] = numbers.pop("beta")
        sizes = (ours.sizes["chain"], ours.sizes["draw"])
        found: dict[str, Array] = {}
        missing: dict[str, str] = {}
        for own in self.reading.variables:
            if own.role in numbers:
                found[own.name] = own.of(numbers)
            else:
                missing[own.name] = "its prior is flat"
        for variable in self.model.deterministics if self.deterministics else ():
            try:
                found[str(variable.name)] = self._evaluated(variable, found, sizes)
            except UnsupportedModel as error:
                missing[str(variable.name)] = error.reason
            except Exception as error:  # noqa: BLE001  (of the user's own op, say: draws stay)
                missing[str(variable.name)] = f"PyTensor stopped: {error}".splitlines()[0]
        return found, missing

    def _evaluated(
        self, variable: Any, found: Mapping[str, Array], sizes: tuple[int, int]
    ) -> Array:
        """Evaluate a deterministic at every draw; UnsupportedModel if that cannot be done."""
        name = str(variable.name)
        inputs = {rv: rv.type(str(rv.name)) for rv in self.model.free_RVs}
        data = {rv: self.model.rvs_to_values[rv] for rv in self.model.observed_RVs}
        [graph] = clone_replace([variable], inputs | data, rebuild_strict=False)
        parents = random_parents(graph, list(inputs.values()))
        without = next((p.name for p in parents if str(p.name) not in found), None)
        if without is not None:
            raise UnsupportedModel(name, f"it needs {without}")
        evaluate = evaluator(parents, [graph])
        values = [found[str(parent.name)] for parent in parents]

        def at(draw: tuple[int, ...]) -> NDArray[Any]:
            return evaluate(*(value[draw] for value in values))[0]

        first = at((0, 0))
        if first.size * np.prod(sizes) > _MOST_NUMBERS:
            raise UnsupportedModel(name, f"{first.size} numbers at every draw are too many to keep")
        out = np.empty((*sizes, *first.shape), first.dtype)
        for draw in np.ndindex(*sizes):
            out[draw] = at(draw)
        return out

    def _dims(self, name: str, value: Array) -> list[str]:
        """Dimensions as PyMC names them."""
        dims = self.model.named_vars_to_dims.get(name) or (None,) * (value.ndim - 2)
        own = [str(dim or f"{name}_dim_{k}") for k, dim in enumerate(dims)]
        return ["chain", "draw", *own]

    def _labels(self, own: xr.Dataset) -> dict[str, NDArray[Any]]:
        """Coordinates of the model's own dimensions; positions where it has none."""
        labels = {}
        for dim, length in own.sizes.items():
            if dim not in ("chain", "draw"):
                known = self.model.coords.get(str(dim))
                labels[str(dim)] = np.arange(length) if known is None else _as_labels(known)
        return labels


def _as_labels(labels: Any) -> NDArray[Any]:
    """Numbers where all are numbers, else text."""
    found = np.asarray(list(labels)) if not any(isinstance(x, tuple) for x in labels) else None
    if found is not None and found.ndim == 1 and found.dtype.kind in "iufb":
        return found
    return np.array([str(label) for label in labels])


def _both(ours: xr.Dataset, own: xr.Dataset) -> xr.Dataset:
    """Put both into one dataset; the model's names come first where they are something else."""
    names: dict[Any, str] = {}
    for name in ours.data_vars:
        if name in own:
            if _same(ours[name].to_numpy(), own[name].to_numpy()):
                own = own.drop_vars([name])
                own = own.drop_dims(set(own.dims) - _dims_of(own))
            else:
                names[name] = f"problem_{name}"
    unlike = "feature" in own.coords and not ours["feature"].equals(own["feature"])
    if unlike or "feature" in own.data_vars:
        names["feature"] = "problem_feature"
    return ours.rename(names).merge(own, join="exact")


def _dims_of(dataset: xr.Dataset) -> set[Hashable]:
    """Dimensions that a variable has; chains and draws in any case."""
    used = (variable.dims for variable in dataset.data_vars.values())
    return {"chain", "draw"}.union(*used)


def _same(one: NDArray[Any], two: NDArray[Any]) -> bool:
    size = float(np.abs(one).max(initial=0.0))
    return one.shape == two.shape and bool((np.abs(one - two) <= _ROUNDING * size).all())
