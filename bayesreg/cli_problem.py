"""What the command line is asked about: data, model and scales, and where they come from."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from bayesreg import datasets, defaults, gallery, units
from bayesreg._console import say
from bayesreg._validation import as_positive
from bayesreg.errors import InputError, unknown_name
from bayesreg.named_priors import NAMES, named_prior

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from bayesreg.datasets import Dataset
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem

# What a file is described by if nothing about it is unusual.
PLAIN = "read from a file"


def state_problem(
    out: Console,
    model: str | None,
    dataset: str | None,
    file: Path | None,
    target: str | None,
    formula: str | None = None,
    *,
    scale: float | None,
    sigma: float | None,
    prior: str | None = None,
) -> tuple[Problem, list[str]]:
    """Build the gallery's PyMC model on standardised columns, read it, and say what it is.

    Parameters
    ----------
    out : Console
        Where to say it.
    model, dataset, file, target, formula, scale, sigma
        Options of the command line.
    prior : str, optional
        Name of a prior to take the place of the model's.

    Returns
    -------
    tuple of Problem and list of str
        The problem, and what was said of the data and of where the scales come from.

    Raises
    ------
    InputError
        If the options do not go together, or data and model do not.
    """
    data = _data(dataset, file, target, model, formula)
    chosen = model or ("logistic_lasso" if data.likelihood == "bernoulli" else "lasso")
    if chosen not in gallery.names():
        raise unknown_name("model", chosen, gallery.names())
    n, p = data.X.shape
    values, sources = _settings(data, chosen, scale=scale, sigma=sigma)
    notes = [f"{data.name}: {n} rows, {p} columns, target {data.target}; model {chosen}"]
    if file is not None and data.summary != PLAIN:
        notes.append(f"  {data.summary}")
    if formula is not None:
        notes.append(f"  formula {formula}")
    notes += sources
    for line in notes:
        say(out, line)
    problem: Problem = import_module("bayesreg.standardized").problem_of(data, chosen, values)
    if prior is not None:
        problem = problem.with_prior(_named_prior(prior, chosen, values))
    for name, hyperprior in problem.hyperpriors().items():
        line = f"  {name} unknown, with prior {_six_digits(repr(hyperprior))} (set by the model)"
        say(out, line)
        notes.append(line)
    say(out, f"\n{problem}")
    say(out, f"{units.to_sklearn(problem)}")
    return problem, [note.strip() for note in notes]


def _named_prior(name: str, model: str, values: dict[str, float]) -> Prior:
    """Return a prior with the scale of the model."""
    if "scale" not in values or model == "lasso_park_casella":
        msg = f"prior: takes the scale of the model, and {model!r} has none to give; use lasso"
        raise InputError(msg)
    return named_prior(name, values["scale"])


def check_prior(name: str) -> None:
    """Refuse a name that is no prior's, before anything is built."""
    if name not in NAMES:
        raise unknown_name("prior", name, NAMES)


def _six_digits(text: str) -> str:
    """Round what has more digits in a text."""
    return re.sub(r"\d+\.\d+(e[-+]?\d+)?", lambda found: f"{float(found[0]):.6g}", text)


def _data(
    dataset: str | None,
    file: Path | None,
    target: str | None,
    model: str | None,
    formula: str | None,
) -> Dataset:
    if file is not None and dataset is not None:
        msg = "dataset: give either --dataset or --data, not both"
        raise InputError(msg)
    if file is None:
        if target is not None:
            msg = "target: goes with --data; the bundled data sets have a target of their own"
            raise InputError(msg)
        binary = model is not None and model.startswith("logistic")
        bundled = datasets.load(dataset or ("breast_cancer" if binary else "diabetes"))
        if formula is None:
            return bundled
        columns = dict(zip(bundled.names, bundled.X.T, strict=True)) | {bundled.target: bundled.y}
        return _encoded(bundled, columns, _whole(formula, bundled.target))
    tables = import_module("bayesreg.tables")
    if formula is not None:
        table = tables.read_table(file)
        return _encoded(table.described(), table.frame, _whole(formula, target))
    if target is None:
        msg = (
            "target: --data needs --target, the name of the column to predict, or a --formula such "
            "as 'y ~ x1 + x2'"
        )
        raise InputError(msg)
    read: Dataset = tables.read_data(file, target)
    return read


def _whole(formula: str, target: str | None) -> str:
    """Return the formula with its target, which may stand in either option but not in both."""
    if "~" in re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"", "", formula):
        if target is not None:
            msg = f"target: the formula has a target of its own; leave --target {target} out"
            raise InputError(msg)
        return formula
    if target is None:
        msg = f"formula: {formula!r} names no target; write 'y ~ {formula}', or give --target"
        raise InputError(msg)
    return f"`{target}` ~ {formula}"


def _encoded(data: Dataset, columns: object, formula: str) -> Dataset:
    """Return what a formula makes of columns; refuse what no model of the gallery has."""
    encoding = import_module("bayesreg.frames").Encoding.of(formula, columns)
    rows = encoding.encode(columns)
    if rows.offset is not None or not encoding.intercept:
        found = "an offset" if rows.offset is not None else "no intercept"
        msg = (
            f"formula: asks for {found}, and the gallery's models have an intercept and no offset; "
            "use br.from_formula in Python"
        )
        raise InputError(msg)
    y = encoding.response(columns)
    binary = set(np.unique(y)) == {0.0, 1.0}
    return replace(
        data,
        X=rows.X,
        y=y,
        names=encoding.names,
        target=encoding.target,
        likelihood="bernoulli" if binary else "gaussian",
        train=None,
    )


def _settings(
    data: Dataset, model: str, *, scale: float | None, sigma: float | None
) -> tuple[dict[str, float], list[str]]:
    """Scales that the user gave, and rules of thumb for the others; where each comes from."""
    rules = defaults.settings(data, model)
    values = {key: setting.value for key, setting in rules.items()}
    sources = {key: setting.rule for key, setting in rules.items()}
    for argument, given in (("scale", scale), ("sigma", sigma)):
        if given is None:
            continue
        if argument not in values:
            msg = f"{argument}: model {model!r} has no such number; it has {', '.join(values)}"
            raise InputError(msg)
        values[argument] = as_positive(given, argument)
        sources[argument] = "as given"
    return values, [f"  {key} = {values[key]:.6g} ({sources[key]})" for key in values]
