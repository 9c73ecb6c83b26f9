"""The command `units`: a prior in everybody's units."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from bayesreg._console import hang, make_console, say, say_written
from bayesreg._files import check_kind, write_whole
from bayesreg.cli_options import (  # noqa: TC001  (same)
    AsJson,
    Data,
    DatasetName,
    Debug,
    DropMissing,
    Formula,
    Model,
    Scale,
    Sigma,
    Target,
)

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
    drop_missing: DropMissing = False,
    scale: Scale = None,
    sigma: Sigma = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the table here (.csv, .json).")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,  # noqa: ARG001  (read by main, before parsing)
) -> None:
    """State the prior in other packages' units (no argument: diabetes, lasso)."""
    out = make_console(quiet=as_json, writes=output is not None)
    if output is not None:
        check_kind(output, _KINDS, "output")
    problem, _ = import_module("bayesreg.cli_problem").state_problem(
        out, model, dataset, data, target, formula, drop_missing, scale=scale, sigma=sigma
    )
    table: Table = import_module("bayesreg.units").table(problem)
    written = json.dumps([row.to_dict() for row in table], indent=2, ensure_ascii=False)
    if output is not None:
        text = written if output.suffix.lower() == ".json" else table.to_frame().to_csv(index=False)
        write_whole(output, text.encode(), "output")
    if as_json:
        typer.echo(written)
    else:
        _print(table, out)
    say_written(out, written=output)


def _print(table: Table, out: Console) -> None:
    """Print of each package its calls, and below each what it minimises and what to mind.

    A note that many rows share is printed once, at the end.
    """
    text, words = import_module("rich.text").Text, import_module("bayesreg.units.rows")
    shown = import_module("rich.table").Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown.add_column("package")
    shown.add_column(words.HEADING)
    room = out.width - 2 - max(len(row.package) for row in table)
    last = ""
    for row in table:
        own = row.note.removesuffix(STANDARDISED).removesuffix("; ")
        star = "" if own == row.note else "\xa0*"
        if row.estimator is None:
            shown.add_row(row.package, text(_wrapped(f"— {row.note}", room), style="dim"))
            continue
        shown.add_row(
            "" if row.package == last else row.package,
            text(_wrapped(f"{row.parameters}{star}", room)),
        )
        for line in (row.objective, own):
            if line:
                shown.add_row("", text(_wrapped(f"  {line}", room), style="dim"))
        last = row.package
    say(out, "")
    out.print(shown)
    if any(row.note.endswith(STANDARDISED) for row in table):
        say(out, f"* {STANDARDISED}")
    say(out, words.LEGEND)


def _wrapped(line: str, room: int) -> str:
    """Wrap between arguments and terms: an argument stays with its value."""
    kept = line
    for sign in ("=", "~", "·"):
        kept = kept.replace(f" {sign} ", f"\xa0{sign}\xa0")
    return hang(kept, room).replace("\xa0", " ")
