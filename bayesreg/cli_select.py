"""The command `select`: the scale of a prior, by one criterion or by several."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path  # noqa: TC003  (typer reads it in the annotations)
from typing import Annotated

import typer

from bayesreg._console import make_console, say_written
from bayesreg._files import check_kind
from bayesreg.cli_options import (
    AsJson,
    Chains,
    Data,
    DatasetName,
    Debug,
    DropMissing,
    Formula,
    Model,
    Quiet,
    Scales,
    Sigma,
    Target,
    read_scales,
)

_KINDS = (".png", ".svg", ".pdf", ".csv", ".json")
#: Written out, so that --help loads no criterion; a test holds it to the list.
BY = "cross-validation, leave-one-out, psis-loo, aic, bic, evidence, hyperprior"


def select(
    by: Annotated[
        str, typer.Option("--by", help=f"all, or names with commas between: {BY}.")
    ] = "cross-validation",
    model: Model = None,
    dataset: DatasetName = None,
    data: Data = None,
    target: Target = None,
    formula: Formula = None,
    drop_missing: DropMissing = False,
    scale: Annotated[
        float | None,
        typer.Option(
            help="Scale of the prior: the median of the prior that hyperprior gives it; the scales "
            "that other criteria try do not depend on it."
        ),
    ] = None,
    sigma: Sigma = None,
    scales: Scales = None,
    rule: Annotated[str, typer.Option(help="minimum or one-standard-error.")] = "minimum",
    folds: Annotated[int, typer.Option(help="Folds of cross-validation.")] = 10,
    draws: Annotated[int, typer.Option(help="Draws per chain, where a criterion draws.")] = 1000,
    chains: Chains = 4,
    seed: Annotated[int, typer.Option(help="Seed of folds and draws.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write a figure (.png, .svg, .pdf), a table (.csv) or .json."
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001  (read by main, before parsing)
) -> None:
    """Choose the scale of a prior, and show the curve that it was read off."""
    out = make_console(quiet=as_json, writes=output is not None)
    if output is not None:
        check_kind(output, _KINDS, "output")
    tried = read_scales(scales)
    names = [name.strip() for name in by.split(",") if name.strip()]
    problem, _ = import_module("bayesreg.cli_problem").state_problem(
        out, model, dataset, data, target, formula, drop_missing, scale=scale, sigma=sigma
    )
    settings = {"rule": rule, "folds": folds, "seed": seed, "draws": draws, "chains": chains}
    settings |= {"progress": False if quiet or as_json else None}
    selection = import_module("bayesreg.selection")
    shown = import_module("bayesreg.terminal_select")
    one = len(names) == 1 and names != ["all"]
    if one:
        found = selection.select_scale(problem, names[0], **tried, **settings)
    else:
        found = selection.compare_criteria(
            problem, "all" if names == ["all"] else names, **tried, **settings
        )
    if output is not None:
        shown.save(found, output)
    if as_json:
        typer.echo(shown.as_json(found))
    else:
        (shown.print_selection if one else shown.print_comparison)(found, out)
    say_written(out, written=output)
