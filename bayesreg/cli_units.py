"""The command `units`: a prior in everybody's units."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from bayesreg._console import make_console, say
from bayesreg._files import check_place, write_whole
from bayesreg.cli_options import (  # noqa: TC001  (same)
    AsJson,
    Data,
    DatasetName,
    Debug,
    Formula,
    Model,
    Scale,
    Sigma,
    Target,
)
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from bayesreg.units import Table

_KINDS = (".csv", ".json")
# As `bayesreg.units` writes it; a test holds the two together.
STANDARDISED = "fitted to the standardised columns"


def units(
    model: Model = None,
    dataset: DatasetName = None,
    data: Data = None,
    target: Target = None,
    formula: Formula = None,
    scale: Scale = None,
    sigma: Sigma = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the table here (.csv, .json).")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,  # noqa: ARG001  (read by main, before parsing)
) -> None:
    """State the prior in other packages' units (no argument: diabetes, lasso)."""
    out = make_console(quiet=as_json)
    if output is not None and check_place(output, "output").suffix.lower() not in _KINDS:
        msg = f"output: {output.name!r} must end in one of {', '.join(_KINDS)}"
        raise InputError(msg)
    problem, _ = import_module("bayesreg.cli_problem").state_problem(
        out, model, dataset, data, target, formula, scale=scale, sigma=sigma
    )
    table: Table = import_module("bayesreg.units").table(problem)
    written = json.dumps([row.to_dict() for row in table], indent=2, ensure_ascii=False)
    if as_json:
        typer.echo(written)
    else:
        _print(table, out)
    if output is not None:
        text = written if output.suffix.lower() == ".json" else table.to_frame().to_csv(index=False)
        write_whole(output, text.encode(), "output")
        say(out, f"written: {output}")


def _print(table: Table, out: Console) -> None:
    """Print package, call and objective; a note that many rows share is printed once, below."""
    plain = import_module("bayesreg.terminal").plain
    shown = import_module("rich.table").Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("package", "call", "minimises"):
        shown.add_column(column, overflow="fold")
    last = ""
    for row in table:
        call = row.parameters if row.estimator is not None else f"— {row.note}"
        own = row.note.removesuffix(STANDARDISED).removesuffix("; ")
        star = "" if own == row.note else " *"
        package = "" if row.package == last else plain(row.package)
        shown.add_row(package, plain(f"{call}{star}"), plain(row.objective))
        if row.estimator is not None and own:
            shown.add_row("", f"  {plain(own)}", "", style="dim")
        last = row.package
    say(out, "")
    out.print(shown)
    if any(row.note.endswith(STANDARDISED) for row in table):
        say(out, f"* {STANDARDISED}")
