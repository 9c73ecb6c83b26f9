"""Draws of a problem as plain arrays: the one place where a tree of draws is read."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayesreg.errors import InputError
from bayesreg.posterior.provenance import require_own

if TYPE_CHECKING:
    from collections.abc import Hashable

    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem

type Group = Literal["posterior", "prior"]


def read_draws(problem: Problem, draws: object, group: Group = "posterior") -> dict[str, Array]:
    """Return the draws of a problem, chains first.

    Parameters
    ----------
    problem : Problem
        Whose they should be.
    draws : xarray.DataTree
        Of `bayesreg.sample`.
    group : {"posterior", "prior"}
        Which of its groups; draws of a prior hold an intercept only where that has a proper one.

    Returns
    -------
    dict of str to ndarray
        ``beta`` (chain, draw, p), and (chain, draw) what else the problem does not know:
        ``intercept``, ``sigma``, ``scale``.

    Raises
    ------
    InputError
        If it is no such tree, or of another problem.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem, sample
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(1.0), prior=Normal(1.0))
    >>> found = read_draws(problem, sample(problem, draws=10, chains=2, seed=1))
    >>> {name: values.shape for name, values in found.items()}
    {'beta': (2, 10, 1), 'intercept': (2, 10)}
    """
    tree, found = _group_of(draws, group)
    _require_columns(problem, found[_ours(found, "beta")])
    needed = ["beta", *(["intercept"] if problem.design.intercept else []), *problem.unknown]
    drawn = {}
    for name in needed:
        ours = _ours(found, name)
        if ours in found:
            _require_numbers(ours, found[ours], () if name != "beta" else found[ours].dims)
            values = found[ours].transpose("chain", "draw", ...)
            drawn[name] = np.array(values, dtype=np.float64)
        elif not (group == "prior" and name == "intercept"):
            msg = f"draws: have no {name!r}, which this problem has; sample this problem"
            raise InputError(msg)
    if not all(np.isfinite(values).all() for values in drawn.values()):
        msg = "draws: hold numbers that are not finite; look at bayesreg.diagnose(draws)"
        raise InputError(msg)
    require_own(problem, tree)
    return drawn


def _ours(found: Any, name: str) -> str:
    """Name of our variable: a model that has its own of this name leaves it a longer one."""
    longer = f"problem_{name}"
    return longer if longer in found else name


def _group_of(draws: object, group: Group) -> tuple[Any, Any]:
    """Return the tree, and the group of it that holds coefficients."""
    if isinstance(draws, import_module("xarray").DataTree) and group in draws.children:
        found = draws[group].to_dataset()
        beta = _ours(found, "beta")
        if beta in found and {"chain", "draw"} <= set(found[beta].dims):
            return draws, found
    advice = "; sample with prior=True" if group == "prior" else ""
    msg = (
        f"draws: must be what bayesreg.sample returns, a DataTree with 'beta' in the group "
        f"{group!r}; found {type(draws).__name__}{advice}"
    )
    raise InputError(msg)


def _require_numbers(name: str, variable: Any, further: tuple[Hashable, ...]) -> None:
    """Raise InputError unless a variable holds real numbers by chain, draw and these dimensions."""
    if variable.dtype.kind not in "fiu" or set(variable.dims) != {"chain", "draw", *further}:
        msg = (
            f"draws: {name!r} holds {variable.dtype} by {', '.join(map(str, variable.dims))}, not "
            "real numbers by chain and draw; give what bayesreg.sample returned"
        )
        raise InputError(msg)


def _require_columns(problem: Problem, beta: Any) -> None:
    """Raise InputError unless coefficients are of the columns of a problem."""
    count = beta.size // (beta.sizes["chain"] * beta.sizes["draw"] or 1)
    if count != problem.p or beta.ndim != 3:
        msg = f"draws: hold {count} coefficients, but the problem has {problem.p} columns"
        raise InputError(msg)
    feature = next(name for name in beta.dims if name not in ("chain", "draw"))
    if feature not in beta.coords:
        msg = f"draws: do not say which columns they are of (coordinate {feature!r}); keep it"
        raise InputError(msg)
    for theirs, ours in zip(beta.coords[feature].to_numpy(), problem.names, strict=True):
        if str(theirs) != ours:
            msg = f"draws: are of column {str(theirs)!r} where the problem has {ours!r}"
            raise InputError(msg)
