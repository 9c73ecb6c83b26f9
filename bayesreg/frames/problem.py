"""A problem from a formula and a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._frames import check_same_index, is_pandas
from bayesreg._validation import as_vector
from bayesreg._visible import shown
from bayesreg.assembly import beside_flat
from bayesreg.blocks import Blocks
from bayesreg.errors import InputError, unknown_name
from bayesreg.frames.columns import as_frame, canonical
from bayesreg.frames.encoding import Encoding
from bayesreg.priors import Flat
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bayesreg.assembly import PriorLike
    from bayesreg.likelihoods import Likelihood


def from_formula(
    formula: str | Encoding,
    data: object,
    *,
    likelihood: Likelihood | None = None,
    prior: PriorLike | Callable[[Encoding], PriorLike] | None = None,
    unpenalised: Sequence[str] = (),
    weights: object = None,
    offset: object = None,
    standardize: bool = False,
) -> Problem:
    """Make a problem of a formula and a table.

    The encoding that the formula has learnt is kept as ``problem.design.encoding``: its `encode`
    makes the same columns of new rows.

    Parameters
    ----------
    formula : str or Encoding
        Such as ``y ~ x1 + C(g) + bs(x2, df=4) + offset(log(t))``; see `Encoding.of` for what it
        may say. The formula's intercept is the problem's; ``0 +`` leaves it out.
    data : frame (pandas, polars, Arrow) or mapping of columns
        The rows.
    likelihood : Likelihood
        As for `Problem`.
    prior : Prior, list of (Prior, names), or callable
        As for `Problem`, but the names may also be those of terms, ``"C(g)"`` for all its columns.
        A callable is given the encoding: ``lambda e: br.GroupLaplace(1.0, groups=e.groups())``
        makes every term a group.
    unpenalised : sequence of str
        Columns or terms with a flat prior, whatever `prior` is on the others. A `prior` that is no
        list speaks of all columns of the formula, in their order, these among them: of a vector of
        scales, or of the positions of groups, theirs are left out. Vectors may also have one number
        per penalised column; positions are then those of these. `Problem.with_prior` leaves these
        columns flat, too.
    weights : str or array_like, shape (n,), optional
        Row weights, or the name of the column that holds them.
    offset : str or array_like, shape (n,), optional
        Known part of the linear predictor, or the name of its column; added to the formula's. The
        encoding does not know it: to the offset of new rows, add theirs.
    standardize : bool
        As for `Problem`.

    Returns
    -------
    Problem
        With the columns' names as formulaic makes them: ``C(g)[T.b]``, ``bs(x2, df=4)[1]``.

    Raises
    ------
    InputError
        If the formula cannot be read, or anything does not fit; the message names the argument.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, from_formula
    >>> data = {"y": [1.0, 2.0, 4.0, 4.0], "x": [1.0, 2.0, 3.0, 5.0], "g": ["a", "b", "c", "a"]}
    >>> problem = from_formula("y ~ x + C(g)", data, likelihood=Gaussian(1.0), prior=Laplace(2.0),
    ...                        unpenalised=["x"])
    >>> print(problem)
    ‖y − β₀ − Xβ‖²/(2·1²) + Σ|βⱼ|/2 [C(g)[T.b], C(g)[T.c]] (no penalty on x): mixed penalties
      y ~ gaussian, 4 rows; 3 coefficients, Flat and Laplace prior; unpenalised intercept β₀
    >>> problem.design.encoding.encode({"x": [2.5], "g": ["b"]}).X
    array([[2.5, 1. , 0. ]])
    """
    named = [name for name in (weights, offset) if isinstance(name, str)]
    encoding = (
        formula if isinstance(formula, Encoding) else Encoding.of(formula, data, exclude=named)
    )
    rows = encoding.encode(data)
    for argument, value in (("weights", weights), ("offset", offset)):
        check_same_index(_labelled(data), value, argument)
    known = _numbers(offset, data, "offset")
    if encoding.has_offset:
        known = (
            rows.offset if known is None else rows.offset + as_vector(known, "offset", len(rows.X))
        )
    free = encoding.columns_of(_listed(unpenalised), "unpenalised")
    problem = Problem(
        rows.X,
        encoding.response(data),
        likelihood=likelihood,
        prior=_prior(prior, encoding, free),
        intercept=encoding.intercept,
        names=encoding.names,
        weights=_numbers(weights, data, "weights"),
        offset=known,
        standardize=standardize,
    )
    positions = tuple(encoding.names.index(name) for name in free)
    design = replace(problem.design, encoding=encoding, unpenalised=positions)
    return Problem.of(design, problem.likelihood, problem.prior)


def _labelled(data: object) -> object:
    """Return what holds the row labels of data, which a mapping has if one of its columns does."""
    if not isinstance(data, Mapping):
        return data
    return next((c.to_frame() for c in data.values() if is_pandas(c, "Series")), None)


def _numbers(value: object, data: object, argument: str) -> Any:
    """Return the column of that name, or what was given."""
    if not isinstance(value, str):
        return value
    table = as_frame(data)
    names = [str(name) for name in table.columns]
    if value not in names:
        raise unknown_name(argument, value, names)
    column = canonical(table, {value: value})[value]
    if column.dtype.kind != "f":
        msg = f"{argument}: column {value!r} holds no numbers, found {column.dtype}"
        raise InputError(msg)
    return np.asarray(column)


def _prior(prior: Any, encoding: Encoding, free: list[str]) -> Any:
    """Return the prior with terms replaced by their columns, and flat where that was asked for."""
    if callable(prior) and not isinstance(prior, type):
        prior = prior(encoding)
    if isinstance(prior, Blocks):
        prior.check_size(len(encoding.names))
        prior = list(prior.parts)
    if isinstance(prior, list | tuple):
        prior = [_expanded(part, encoding) for part in prior]
    if not free:
        return prior
    return (
        [*prior, (Flat(), free)]
        if isinstance(prior, list)
        else beside_flat(prior, free, encoding.names)
    )


def _listed(names: object) -> list[object]:
    """Return names as a list, one name as a list of one."""
    if isinstance(names, str) or names is None:
        return [] if names is None else [names]
    if isinstance(names, Iterable):
        return list(names)
    msg = f"unpenalised: must be a list of names of terms or columns, found {shown(names)}"
    raise InputError(msg)


def _expanded(part: Any, encoding: Encoding) -> Any:
    """Replace the names of terms in one (prior, columns) pair."""
    if not (isinstance(part, tuple | list) and len(part) == 2):
        return part
    prior, columns = part
    listed = [columns] if isinstance(columns, str) else columns
    if not isinstance(listed, list | tuple):
        return part
    found: list[object] = []
    for each in listed:
        found += encoding.columns_of([each], "prior") if isinstance(each, str) else [each]
    return prior, found
