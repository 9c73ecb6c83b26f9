"""Rules that look at one coefficient at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from bayesreg._inputs import as_mapping, as_problem
from bayesreg._validation import as_fraction, as_scale
from bayesreg.blocks import Blocks
from bayesreg.errors import InputError, unknown_name
from bayesreg.map import find_map
from bayesreg.nearness import nearness, per_sd
from bayesreg.priors import SpikeSlab
from bayesreg.priors.base import fill
from bayesreg.scoring import summary_of
from bayesreg.sparsity.draws import Drawn
from bayesreg.sparsity.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

type Unit = Literal["prediction", "coefficient", "column"]
_UNITS = ("prediction", "coefficient", "column")


def mode_zeros(
    problem: object, draws: object = None, *, given: Mapping[str, float] | None = None
) -> Selection:
    """Keep the columns whose coefficient is not exactly 0 in the mode.

    Parameters
    ----------
    problem : Problem or pymc.Model
        With a prior that has a mode.
    draws : xarray.DataTree, optional
        Of `bayesreg.sample`: unknown sigma and scale are set to their medians in it.
    given : mapping, optional
        Values of ``"sigma"`` and ``"scale"`` to condition on instead.

    Returns
    -------
    Selection
        Its value is the size of the coefficient times the sd of its column.

    Raises
    ------
    DegenerateMode
        If the prior is infinite at 0, or has an atom there.
    InputError
        If something is unknown and neither drawn nor given.

    Examples
    --------
    >>> import bayesreg as br
    >>> problem = br.Problem([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5], intercept=False,
    ...                      likelihood=br.Gaussian(sigma=1.0), prior=br.Laplace(scale=1.0))
    >>> print(mode_zeros(problem))
    zeros of the mode: 1 of 2 kept (not exactly 0): x0
    """
    asked, _ = as_problem(problem)
    known = dict(as_mapping(given))
    if draws is not None:
        known = Drawn.of(asked, draws).medians | known
    if set(asked.unknown) - set(known):
        missing = " and ".join(sorted(set(asked.unknown) - set(known)))
        msg = f"draws: are needed to set the unknown {missing}; pass draws, or given"
        raise InputError(msg)
    coef = find_map(asked.given(**known) if known else asked).coef
    return Selection(
        method="zeros of the mode",
        names=asked.names,
        value=np.abs(coef) * asked.design.column_sd,
        selected=coef != 0,
        quantity="|mode| × sd",
        rule="not exactly 0",
    )


def not_near_zero(
    problem: object,
    draws: object,
    epsilon: object = 0.05,
    *,
    unit: Unit = "prediction",
    probability: float = 0.5,
) -> Selection:
    """Keep the columns whose coefficient is probably not near zero: ``P(|β| < ε)`` is small.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The posterior.
    draws : xarray.DataTree
        Of `bayesreg.sample`.
    epsilon : float or array_like (p,)
        What counts as near.
    unit : {"prediction", "coefficient", "column"}
        Scale of `epsilon`. "prediction": one sd of the column moves the prediction by less than
        `epsilon` times the sd of y (log-odds or log-rate as they are), the rule of
        `bayesreg.compare`. "coefficient": units of the coefficient itself, which change with those
        of its column. "column": units of y per sd of the column.
    probability : float
        Least posterior probability of not being near zero.

    Returns
    -------
    Selection
        Its value is ``P(|β| >= ε)``; NaN for a constant column without an intercept beside it,
        which sets the level and is kept.

    Examples
    --------
    >>> import bayesreg as br
    >>> problem = br.Problem(np.eye(2), [3.0, 0.0], intercept=False,
    ...                      likelihood=br.Gaussian(sigma=0.5), prior=br.Normal(scale=9.0))
    >>> draws = br.sample(problem, draws=100, seed=0)
    >>> not_near_zero(problem, draws, 1.0, unit="coefficient").support
    ('x0',)
    """
    drawn = Drawn.of(problem, draws)
    near, rule = _threshold(drawn.problem, epsilon, unit)
    least = as_fraction(probability, "probability")
    value = 1.0 - summary_of(drawn.beta, near, 0.9).near_zero
    return Selection(
        method="P(|β| ≥ ε)",
        names=drawn.problem.names,
        value=value,
        selected=~(value <= least),  # what has no ε is kept
        quantity="P(|β| ≥ ε)",
        rule=f"P(|β| ≥ ε) > {least:g}; near zero: {rule}",
    )


def _threshold(problem: Problem, epsilon: object, unit: object) -> tuple[Vector, str]:
    if unit not in _UNITS:
        raise unknown_name("unit", unit, _UNITS)
    amount = as_scale(epsilon, "epsilon")
    if np.isinf(amount).any():
        msg = "epsilon: must be finite, found inf"
        raise InputError(msg)
    if np.ndim(amount) and np.size(amount) != problem.p:
        msg = f"epsilon: has {np.size(amount)} entries, but the problem has {problem.p} columns"
        raise InputError(msg)
    each = fill(amount, problem.p)
    text = f"{float(amount):g}" if np.ndim(amount) == 0 else "εⱼ"
    if unit == "coefficient":
        return each, f"|β| < {text}, in units of the coefficient"
    if unit == "column":
        return per_sd(problem, each), f"|β| × sd of the column < {text}"
    return nearness(problem, amount)


def inclusion(problem: object, draws: object, *, probability: float = 0.5) -> Selection:
    """Keep the columns with an inclusion probability above one half: the median probability model.

    Parameters
    ----------
    problem : Problem or pymc.Model
        With a `SpikeSlab` prior: under any other, no draw is exactly 0.
    draws : xarray.DataTree
        Of `bayesreg.sample`.
    probability : float
        Least probability (Barbieri & Berger 2004: 1/2 predicts best where columns are orthogonal).

    Returns
    -------
    Selection
        Its value is the share of the draws that are not exactly 0.

    Raises
    ------
    InputError
        If no coefficient can be exactly 0.

    Examples
    --------
    >>> import bayesreg as br
    >>> problem = br.Problem(np.eye(2), [4.0, 0.0], intercept=False,
    ...                      likelihood=br.Gaussian(sigma=1.0), prior=br.SpikeSlab(0.5, 3.0))
    >>> inclusion(problem, br.sample(problem, draws=200, seed=0)).support
    ('x0',)
    """
    drawn = Drawn.of(problem, draws)
    prior = drawn.problem.prior
    parts = [part for part, _ in prior.parts] if isinstance(prior, Blocks) else [prior]
    if not any(isinstance(part, SpikeSlab) for part in parts):
        msg = (
            f"prior: {prior.name} gives exact zeros no probability, so that every inclusion "
            "probability is 1; use SpikeSlab, or P(|β| ≥ ε)"
        )
        raise InputError(msg)
    least = as_fraction(probability, "probability")
    value = np.asarray((drawn.beta != 0).mean(axis=0))
    return Selection(
        method="inclusion",
        names=drawn.problem.names,
        value=value,
        selected=value > least,
        quantity="P(β ≠ 0)",
        rule=f"P(β ≠ 0) > {least:g}",
    )


def credible_intervals(problem: object, draws: object, *, level: float = 0.95) -> Selection:
    """Keep the columns whose equal-tailed credible interval leaves 0 out.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The posterior.
    draws : xarray.DataTree
        Of `bayesreg.sample`.
    level : float
        Probability of the interval.

    Returns
    -------
    Selection
        Its value is the probability of the widest interval that leaves 0 out; 0 if none does.

    Examples
    --------
    >>> import bayesreg as br
    >>> problem = br.Problem(np.eye(2), [4.0, 0.5], intercept=False,
    ...                      likelihood=br.Gaussian(sigma=1.0), prior=br.Normal(scale=9.0))
    >>> credible_intervals(problem, br.sample(problem, draws=200, seed=0)).support
    ('x0',)
    """
    drawn = Drawn.of(problem, draws)
    as_fraction(level, "level")
    summary = summary_of(drawn.beta, np.zeros(drawn.problem.p), level)
    positive, negative = (drawn.beta > 0).mean(axis=0), (drawn.beta < 0).mean(axis=0)
    return Selection(
        method="credible interval",
        names=drawn.problem.names,
        value=np.maximum(2.0 * np.maximum(positive, negative) - 1.0, 0.0),
        selected=summary.excludes_zero,
        quantity="level without 0",
        rule=f"{100 * level:.3g} % interval without 0",
    )
