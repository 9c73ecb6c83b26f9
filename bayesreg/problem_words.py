"""A problem in words: its penalised form on one line, and what it is made of on another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg._text_table import numbered
from bayesreg.blocks import Blocks
from bayesreg.priors import Flat
from bayesreg.priors.base import flat_text

if TYPE_CHECKING:
    from bayesreg.design import Design
    from bayesreg.problem import Problem


def formula_of(problem: Problem) -> str:
    """Return the penalised form on one line, in nats, with its numbers."""
    columns = "Zβ" if problem.design.standardize else "Xβ"
    predictor = f"β₀ + {columns}" if problem.design.intercept else columns
    gaussian = problem.likelihood.name == "gaussian"
    inside = predictor.replace(" + ", " − ") if gaussian else predictor
    prior = problem.prior
    names = None if problem.names == numbered(problem.p) else problem.names
    penalty = prior.formula(names) if isinstance(prior, Blocks) else prior.formula()
    loss = problem.likelihood.formula(inside)
    # Of no penalty nothing is left but the bounds: "0, βⱼ ≥ 0".
    whole = loss + (penalty[1:] if prior.is_flat else f" + {penalty}".replace(" + −", " − "))
    return whole if gaussian else f"{whole}, η = {predictor}"


def _without_intercept(design: Design) -> str:
    """Say that there is none; a column of one number may be one with a prior."""
    constant = design.level is None and design.p > 0 and not design.column_sd.all()
    return f"no {'unpenalised ' if constant else ''}intercept"


def _called(problem: Problem) -> str:
    """What a regression penalised this way is called."""
    prior, gaussian = problem.prior, problem.likelihood.name == "gaussian"
    if not prior.is_flat:
        return prior.penalised_name
    bounded = prior.formula() == flat_text(nonnegative=True)
    return "non-negative least squares" if gaussian and bounded else Flat.penalised_name


def in_words(problem: Problem) -> str:
    """State the penalised form, in nats, what it is called, and of what data it is."""
    design = problem.design
    rows = design.observations is None
    count = f"{problem.p} coefficient{'' if problem.p == 1 else 's'}"
    parts = [
        f"y ~ {problem.likelihood.name}, {problem.n} {'rows' if rows else 'observations'}",
        f"{count}, {Flat.name if problem.prior.is_flat else problem.prior.name} prior",
        "unpenalised intercept β₀" if design.intercept else _without_intercept(design),
    ]
    if not rows:
        parts.append("from their sums of products")
    if design.sparse:
        parts.append("X sparse")
    if design.weights is not None:
        parts.append("weighted rows")
    if design.offset is not None:
        parts.append("with an offset")
    if design.standardize:
        centred = "centred and " if design.intercept else ""
        parts.append(f"Z = X with columns {centred}divided by their sd")
    if problem.unknown:
        parts.append(f"unknown: {', '.join(problem.unknown)}")
    return f"{formula_of(problem)}: {_called(problem)}\n  {'; '.join(parts)}"
