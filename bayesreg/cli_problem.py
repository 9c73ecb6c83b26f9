"""What the command line is asked about: data and model, and where they come from.

What takes long to load, priors and PyMC among it, is loaded once the data are found good.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bayesreg import datasets, gallery
from bayesreg._console import note, say
from bayesreg.errors import InputError, unknown_name

if TYPE_CHECKING:
    from rich.console import Console

    from bayesreg.datasets import Dataset
    from bayesreg.gallery import GalleryModel
    from bayesreg.problem import Problem
    from bayesreg.tables import Table

# What a file is described by if nothing about it is unusual.
PLAIN = "read from a file"
# Largest target that whole numbers have to be asked about; larger counts are nearly normal.
_SMALL = 50


def state_problem(
    out: Console,
    model: str | None,
    dataset: str | None,
    file: Path | None,
    target: str | None,
    formula: str | None,
    drop_missing: bool,
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
    model, dataset, file, target, formula, drop_missing, scale, sigma
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
    _check_sources(dataset, file, target, drop_missing=drop_missing)
    data, intercept, references = _data(dataset, file, target, model, formula, drop_missing)
    default = "logistic_lasso" if data.likelihood == "bernoulli" else "lasso"
    entry = _model(out, default if model is None else model)
    n, p = data.X.shape
    scales = import_module("bayesreg.cli_scales")
    settings = scales.settings_of(data, entry, intercept=intercept, scale=scale, sigma=sigma)
    instead = "" if prior is None else f", prior {prior} in place of its own"
    notes = [
        f"{data.name}: {n} rows, {p} columns, target {data.target}; model {entry.name}{instead}"
    ]
    if file is not None and data.summary != PLAIN:
        notes.append(f"  {data.summary}")
    if formula is not None:
        notes.append(f"  formula {formula}")
    notes += [f"  {term}: against {level!r}" for term, level in references.items()]
    if data.offset is not None or not intercept:
        added = "" if data.offset is None else ", and the formula's offset in the predictor"
        notes.append(f"  the model with{'' if intercept else 'out'} an intercept{added}")
    for line in notes:
        say(out, line)
    values = {name: setting.value for name, setting in settings.items()}
    problem: Problem = import_module("bayesreg.standardized").problem_of(
        data, entry, values, intercept=intercept
    )
    if intercept and not problem.design.intercept:
        notes.append("  the intercept has a prior: it is the predictor at the means of the columns")
        say(out, notes[-1])
    if prior is not None:
        settings = scales.settings_of_prior(settings, prior, data, problem, entry)
        numbers = {name: s.content for name, s in settings.items() if name != "sigma"}
        named = import_module("bayesreg.named_priors").named_prior
        problem = problem.with_prior(named(prior, **numbers))
    lines = scales.scale_lines(problem, settings)
    for line in lines:
        say(out, line)
    if file is not None and model is None:
        _ask_about_counts(data)
    say(out, f"\n{problem}")
    say(out, f"{import_module('bayesreg.units').to_sklearn(problem)}")
    return problem, [line.strip() for line in (*notes, *lines)]


def _ask_about_counts(data: Dataset) -> None:
    """Say on stderr that small whole numbers may be counts, which no rule can know."""
    y = data.y
    small = data.likelihood == "gaussian" and 0 <= y.min() <= 1 and y.max() <= _SMALL
    if small and (y == np.floor(y)).all():
        low, high = int(y.min()), int(y.max())
        note(
            f"target {data.target!r} holds whole numbers, {low} to {high}; if they are counts: "
            "--model poisson_lasso"
        )


def _model(out: Console, name: str) -> GalleryModel:
    """Return a model of the gallery, or that of a file, which is code."""
    if name.endswith(".py"):
        if Path(name).is_file():
            say(out, f"running {name}: a model file is code")
        return gallery.load_file(name)
    if name not in gallery.names():
        raise unknown_name("model", name, gallery.names())
    return gallery.load(name)


def check_prior(name: str | None) -> None:
    """Refuse a name that is no prior's, before anything is built."""
    if name is None:
        return
    known = import_module("bayesreg.named_priors").NAMES
    if name not in known:
        raise unknown_name("prior", name, known)


def _check_sources(
    dataset: str | None, file: Path | None, target: str | None, *, drop_missing: bool
) -> None:
    """Refuse options of a file without a file, and a file beside bundled data."""
    if file is not None and dataset is not None:
        msg = "dataset: give either --dataset or --data, not both"
        raise InputError(msg)
    if file is None and target is not None:
        msg = "target: goes with --data; the bundled data sets have a target of their own"
        raise InputError(msg)
    if file is None and drop_missing:
        msg = "drop-missing: goes with --data; the bundled data sets are complete"
        raise InputError(msg)


def _data(
    dataset: str | None,
    file: Path | None,
    target: str | None,
    model: str | None,
    formula: str | None,
    drop_missing: bool,
) -> tuple[Dataset, bool, dict[str, str]]:
    """Return the data, whether their model has an intercept, and what levels are against."""
    if file is None:
        binary = model is not None and model.startswith("logistic")
        bundled = datasets.load(dataset or ("breast_cancer" if binary else "diabetes"))
        if formula is None:
            return bundled, True, {}
        columns = dict(zip(bundled.names, bundled.X.T, strict=True)) | {bundled.target: bundled.y}
        return _encoded(bundled, columns, _whole(formula, bundled.target))
    tables = import_module("bayesreg.tables")
    if formula is not None:
        return _of_file(tables.read_table(file), _whole(formula, target), drop_missing=drop_missing)
    if target is None:
        msg = (
            "target: --data needs --target, the name of the column to predict, or a --formula such "
            "as 'y ~ x1 + x2'"
        )
        raise InputError(msg)
    return tables.read_data(file, target, drop_missing=drop_missing), True, {}


def _whole(formula: str, target: str | None) -> str:
    """Return the formula with its target, which may stand in either option but not in both."""
    if "~" in re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"", "", formula):
        if target is not None:
            msg = f"target: the formula has a target of its own; leave --target {target} out"
            raise InputError(msg)
        return formula
    if not formula.strip():
        msg = "formula: is empty; write it as in 'y ~ x1 + C(g)'"
        raise InputError(msg)
    if target is None:
        msg = f"formula: {formula!r} names no target; write 'y ~ {formula}', or give --target"
        raise InputError(msg)
    return f"`{target}` ~ {formula}"


def _of_file(
    table: Table, formula: str, *, drop_missing: bool
) -> tuple[Dataset, bool, dict[str, str]]:
    """Return what a formula makes of a file; all that speaks against it is said at once."""
    try:
        if drop_missing:
            used = import_module("bayesreg.frames").columns_of(formula, table.frame)
            table = table.complete(used)
        return _encoded(table.described(), table.frame, formula)
    except InputError as error:
        told = table.placed(str(error))
        if not drop_missing:
            told = _with_what_dropping_leaves(told, table, formula)
        raise InputError(told) from error


def _with_what_dropping_leaves(told: str, table: Table, formula: str) -> str:
    """Add to a fault what would be said next, without the rows that have missing values."""
    try:
        _of_file(table, formula, drop_missing=True)
    except InputError as error:
        if str(error) != told:
            return f"{told}; {str(error).removeprefix('data: ')}"
    return told


def _encoded(data: Dataset, columns: object, formula: str) -> tuple[Dataset, bool, dict[str, str]]:
    """Return what a formula makes of columns, if it has an intercept, and its reference levels."""
    frames = import_module("bayesreg.frames")
    encoding = frames.Encoding.of(formula, columns)
    rows = encoding.encode(columns)
    y = encoding.response(columns)
    binary = set(np.unique(y)) == {0.0, 1.0}
    made = replace(
        data,
        X=rows.X,
        y=y,
        names=encoding.names,
        target=encoding.target,
        likelihood="bernoulli" if binary else "gaussian",
        train=None,
        offset=rows.offset if encoding.has_offset else None,
    )
    return made, encoding.intercept, frames.reference_levels(encoding)
