"""A problem in words: its penalised form on one line, and what it is made of on another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayesreg._text_table import numbered
from bayesreg.blocks import Blocks, on_columns, parts_on
from bayesreg.priors import Flat
from bayesreg.priors.base import fill, flat_text

if TYPE_CHECKING:
    from bayesreg.design import Design
    from bayesreg.problem import Problem

# Numbers of a symbol that are listed with their columns.
_FEW = 4


def formula_of(problem: Problem) -> str:
    """Return the penalised form on one line, in nats, with its numbers."""
    columns = "Zβ" if problem.design.standardize else "Xβ"
    predictor = f"β₀ + {columns}" if problem.design.intercept else columns
    gaussian = problem.likelihood.name == "gaussian"
    inside = predictor.replace(" + ", " − ") if gaussian else predictor
    prior, names = problem.prior, _names(problem)
    penalty = prior.formula(names) if isinstance(prior, Blocks) else prior.formula()
    loss = problem.likelihood.formula(inside)
    # Of no penalty nothing is left but the bounds: "0, βⱼ ≥ 0".
    whole = loss + (penalty[1:] if prior.is_flat else f" + {penalty}".replace(" + −", " − "))
    return whole if gaussian else f"{whole}, η = {predictor}"


def unbroken(formula: str) -> str:
    """Return a formula with spaces that do not break a line within a sum in parentheses."""
    return re.sub(r"\([^()]* [−+] [^()]*\)", lambda found: found[0].replace(" ", "\xa0"), formula)


def _names(problem: Problem) -> tuple[str, ...] | None:
    """Return the names of the columns, None where they are only counted."""
    return None if problem.names == numbered(problem.p) else problem.names


def _numbers(problem: Problem) -> str:
    """State the numbers that the formula names by symbols, with their columns.

    Columns with the same number are listed together, in the order of the first of them.
    """
    columns_of: dict[str, dict[str, list[int]]] = {}
    for prior, columns in parts_on(problem.prior, problem.p):
        formula = prior.formula()
        for symbol, values in prior.symbols().items():
            if symbol in formula:
                found = columns_of.setdefault(symbol, {})
                for j, value in zip(columns, fill(values, len(columns)).tolist(), strict=True):
                    found.setdefault(f"{value:.6g}".replace("inf", "∞"), []).append(j)
    return "; ".join(
        f"{symbol} is {_listed(symbol, found, _names(problem))}"
        for symbol, found in columns_of.items()
    )


def _listed(symbol: str, columns_of: dict[str, list[int]], names: tuple[str, ...] | None) -> str:
    """List numbers with the columns of each, or with their number where they go by size."""
    shown = list(columns_of.items())[:_FEW]
    if symbol.endswith("ᵢ"):
        listed = [f"{value} ({len(at)} times)" if len(at) > 1 else value for value, at in shown]
    else:
        listed = [f"{value} {on_columns(tuple(at), names)}" for value, at in shown]
    more = len(columns_of) - len(shown)
    return ", ".join(listed) + (f", … ({more + len(shown)} numbers in all)" if more else "")


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
    numbers = _numbers(problem)
    where = f"\n  where {numbers}" if numbers else ""
    return f"{formula_of(problem)}: {_called(problem)}{where}\n  {'; '.join(parts)}"
