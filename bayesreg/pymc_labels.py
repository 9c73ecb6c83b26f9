"""What the entries of a PyMC model's variables are called: as ArviZ labels them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pymc as pm
    from pytensor.graph.basic import Variable


def distinct_labels(
    model: pm.Model, sized: Iterable[tuple[Variable, tuple[int, ...]]]
) -> list[tuple[str, ...]]:
    """Return the labels of several variables, given each with its shape.

    Raises
    ------
    UnsupportedModel
        If two entries are called alike, as the first of a vector ``x`` and a scalar ``"x[0]"`` are.
    """
    found: list[tuple[str, ...]] = []
    taken: set[str] = set()
    for rv, shape in sized:
        labels = entry_labels(model, rv, shape)
        twice = sorted(taken.intersection(labels))
        if twice:
            msg = f"an entry is called {twice[0]!r}, as another variable's is; rename one of them"
            raise UnsupportedModel(str(rv.name), msg)
        taken.update(labels)
        found.append(labels)
    return found


def entry_labels(
    model: pm.Model, rv: Variable, shape: tuple[int, ...], name: str = ""
) -> tuple[str, ...]:
    """Return the labels of a variable's entries, in C order.

    ``beta`` of a scalar, ``beta[age]`` where a coordinate names the entries, else ``beta[3]``. An
    axis whose coordinate names two entries alike, or has names for more, is counted.

    Parameters
    ----------
    model : pm.Model
        The model.
    rv : Variable
        One of its variables.
    shape : tuple of int
        Of what is labelled: the variable, or its value variable.
    name : str
        What to call it, where not by its own name.

    Examples
    --------
    >>> import pymc as pm
    >>> with pm.Model(coords={"group": ["a", "b"], "year": [1990]}) as model:
    ...     one = pm.Normal("one", dims=("group", "year"))
    ...     two = pm.Normal("two", shape=2)
    >>> entry_labels(model, one, (2, 1)), entry_labels(model, two, (2,))
    (('one[a, 1990]', 'one[b, 1990]'), ('two[0]', 'two[1]'))
    """
    name = name or str(rv.name)
    if not shape:
        return (name,)
    counted = [[str(i) for i in range(length)] for length in shape]
    axes = [
        [str(label) for label in coordinate] or count
        for coordinate, count in zip(_coordinates(model, rv, shape), counted, strict=True)
    ]
    found = _joined(name, axes)
    # Labels with commas in them may come to the same text.
    return found if len(set(found)) == len(found) else _joined(name, counted)


def _joined(name: str, axes: list[list[str]]) -> tuple[str, ...]:
    entries = np.ndindex(*map(len, axes))
    each = ([axis[i] for axis, i in zip(axes, at, strict=True)] for at in entries)
    return tuple(f"{name}[{', '.join(labels)}]" for labels in each)


def column_names(model: pm.Model, rv: Variable, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names that a coordinate of texts gives the entries of a vector; else nothing.

    Numbers count entries: they name nothing without their variable.
    """
    if len(shape) != 1:
        return ()
    (coordinate,) = _coordinates(model, rv, shape)
    texts = [label for label in coordinate if isinstance(label, str)]
    return tuple(map(str, texts)) if len(texts) == len(coordinate) else ()


def _coordinates(model: pm.Model, rv: Variable, shape: tuple[int, ...]) -> list[tuple[object, ...]]:
    """Coordinate of each axis, empty where it has none that tells all its entries apart."""
    dims = (*model.named_vars_to_dims.get(str(rv.name), ()), *[None] * len(shape))
    found = []
    for dim, length in zip(dims, shape, strict=False):
        coordinate = tuple(model.coords.get(dim) or ())
        labels = {str(label) for label in coordinate}
        usable = len(coordinate) == len(labels) == length and "" not in labels
        found.append(coordinate if usable else ())
    return found
