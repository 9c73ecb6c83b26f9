"""The command line. It imports nothing heavy until a command runs, so ``--help`` is quick."""

from __future__ import annotations

import shlex
import sys
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

import bayesreg
from bayesreg._console import (
    announcer,
    in_options,
    make_console,
    say_written,
    show_log,
    show_warning,
)
from bayesreg._files import PAGE_KINDS, check_kind
from bayesreg.cli_options import (
    AsJson,
    Chains,
    Data,
    DatasetName,
    Debug,
    Draws,
    DropMissing,
    Formula,
    LogLikelihood,
    Model,
    Predictive,
    PriorDraws,
    PriorName,
    Quiet,
    Scale,
    Scales,
    Seed,
    Sigma,
    Target,
    TargetAccept,
    Tune,
    read_scales,
)
from bayesreg.cli_select import select
from bayesreg.cli_units import units
from bayesreg.errors import BayesregError, InputError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bayesreg._piped import PipedConsole
    from bayesreg.problem import Problem

_INTERRUPTED = 130
_FIGURE_KINDS = (".png", ".svg", ".pdf")

app = typer.Typer(
    name="bayesreg",
    help="Priors as penalties: exact modes with certificates, posteriors, and both side by side.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"bayesreg {bayesreg.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


@app.command()
def compare(
    model: Model = None,
    dataset: DatasetName = None,
    data: Data = None,
    target: Target = None,
    formula: Formula = None,
    drop_missing: DropMissing = False,
    scale: Scale = None,
    sigma: Sigma = None,
    optimizers: Annotated[
        str, typer.Option("--optimizers", help="auto (all that fit), or names with commas between.")
    ] = "auto",
    draws: Draws = 1000,
    chains: Chains = 4,
    seed: Seed = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write one page here (.html).")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Write the figure here (.png, .svg, .pdf).")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001  (read by main, before parsing)
) -> None:
    """Exact mode, point optimisers and posterior side by side (no argument: diabetes, lasso)."""
    out = make_console(quiet=as_json, writes=output is not None or figure is not None)
    if not quiet:
        out.print(f"bayesreg {bayesreg.__version__}: compare", style="bold")
    _check_outputs(output, figure)
    names = _optimizers(optimizers)
    problem, notes = _asked(
        out, model, dataset, data, target, formula, drop_missing, scale=scale, sigma=sigma
    )
    table = _verb("comparison", "compare")(
        problem,
        names,
        seed=seed,
        draws=draws,
        chains=chains,
        progress=False if quiet else None,
        announce=announcer(quiet=quiet),
    )
    terminal = import_module("bayesreg.terminal")
    if figure is not None:
        terminal.save_figure(table.plot(), figure)
    if output is not None:
        table.to_html(output, command=shlex.join(["bayesreg", *sys.argv[1:]]), notes=notes)
    if as_json:
        typer.echo(terminal.as_json(table))
    else:
        terminal.print_comparison(table, out)
    say_written(out, figure=figure, page=output)
    if table.sampled is not None and not table.draws.attrs["complete"]:
        raise typer.Exit(_INTERRUPTED)


@app.command("map")
def find_map(
    model: Model = None,
    dataset: DatasetName = None,
    data: Data = None,
    target: Target = None,
    formula: Formula = None,
    drop_missing: DropMissing = False,
    scale: Scale = None,
    sigma: Sigma = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--given", help="Value of an unknown to condition on, such as scale=10."),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,  # noqa: ARG001  (read by main, before parsing)
) -> None:
    """Find the exact mode, with its certificate."""
    out = make_console(quiet=as_json)
    values = _given(given or [])
    problem, _ = _asked(
        out, model, dataset, data, target, formula, drop_missing, scale=scale, sigma=sigma
    )
    fit = _verb("map", "find_map")(problem, given=values)
    terminal = import_module("bayesreg.terminal")
    if as_json:
        typer.echo(terminal.mode_as_json(fit))
    else:
        terminal.print_mode(fit, out)


@app.command()
def sample(
    model: Model = None,
    dataset: DatasetName = None,
    data: Data = None,
    target: Target = None,
    formula: Formula = None,
    drop_missing: DropMissing = False,
    prior: PriorName = None,
    scale: Scale = None,
    sigma: Sigma = None,
    method: Annotated[
        str, typer.Option("--method", help="auto, exact, gibbs, nuts or laplace.")
    ] = "auto",
    draws: Draws = 1000,
    chains: Chains = 4,
    tune: Tune = 1000,
    seed: Seed = 0,
    target_accept: TargetAccept = 0.8,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the draws here (.nc).")
    ] = None,
    log_likelihood: LogLikelihood = False,
    prior_draws: PriorDraws = False,
    posterior_predictive: Predictive = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001  (read by main, before parsing)
) -> None:
    """Draw from the posterior by the first route that fits; say which, and whether to trust it."""
    out = make_console(quiet=as_json, writes=output is not None)
    if output is not None:
        check_kind(output, (".nc",), "output")
    _verb("cli_problem", "check_prior")(prior)
    where = (model, dataset, data, target, formula, drop_missing)
    problem, _ = _asked(out, *where, scale=scale, sigma=sigma, prior=prior)
    with _verb("posterior.interrupts", "attended")():  # what was drawn is also written
        drawn = _verb("posterior", "sample")(
            problem,
            method,
            draws=draws,
            chains=chains,
            tune=tune,
            seed=seed,
            progress=False if quiet else None,
            log_likelihood=log_likelihood,
            prior=prior_draws,
            posterior_predictive=posterior_predictive,
            target_accept=target_accept,
        )
        if output is not None:
            _verb("posterior", "save_draws")(drawn, output)
    shown = import_module("bayesreg.terminal_posterior")
    if as_json:
        typer.echo(shown.draws_as_json(drawn, problem))
    else:
        shown.print_draws(drawn, problem, out)
    say_written(out, written=output)
    if not drawn.attrs["complete"]:
        raise typer.Exit(_INTERRUPTED)


@app.command("path")
def map_path(
    model: Model = None,
    dataset: DatasetName = None,
    data: Data = None,
    target: Target = None,
    formula: Formula = None,
    drop_missing: DropMissing = False,
    scale: Scale = None,
    sigma: Sigma = None,
    scales: Scales = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--given", help="Value of an unknown to condition on, such as sigma=54."),
    ] = None,
    posterior: Annotated[
        bool, typer.Option("--posterior", help="The posterior at every scale, not only its mode.")
    ] = False,
    draws: Draws = 1000,
    chains: Chains = 4,
    seed: Seed = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write a figure (.png, .svg, .pdf), a table (.csv) or .json."
        ),
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,  # noqa: ARG001  (read by main, before parsing)
) -> None:
    """Find the exact mode at every scale of the prior, and where coefficients enter."""
    out = make_console(quiet=as_json, writes=output is not None)
    if output is not None:
        check_kind(output, (*_FIGURE_KINDS, ".csv", ".json"), "output")
    values = _given(given or [])
    where = (model, dataset, data, target, formula, drop_missing)
    problem, _ = _asked(out, *where, scale=scale, sigma=sigma)
    if posterior:
        _posterior_path(
            out,
            problem.given(**_verb("_inputs", "check_given")(values)),
            output,
            as_json=as_json,
            **read_scales(scales),
            draws=draws,
            chains=chains,
            seed=seed,
        )
        return
    path = _verb("path", "map_path")(problem, **read_scales(scales), given=values)
    shown = import_module("bayesreg.terminal_path")
    if output is not None:
        shown.save(path, output)
    if as_json:
        typer.echo(shown.as_json(path))
    else:
        shown.print_path(path, out)
    say_written(out, written=output)


def _posterior_path(
    out: PipedConsole, problem: Problem, output: Path | None, *, as_json: bool, **settings: Any
) -> None:
    """Find the posterior at every scale, print it, and write it where that was asked for."""
    path = _verb("posterior", "posterior_path")(problem, **settings)
    shown = import_module("bayesreg.terminal_posterior")
    if output is not None:
        shown.save_posterior_path(path, output)
    if as_json:
        typer.echo(shown.posterior_path_as_json(path))
    else:
        shown.print_posterior_path(path, out)
    say_written(out, written=output)
    if not path.complete:
        raise typer.Exit(_INTERRUPTED)


app.command()(units)
app.command()(select)


@app.command()
def figures(
    name: Annotated[
        str | None, typer.Argument(help="A figure; without one, all are listed.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write it here (.png, .svg, .pdf); else to NAME.png."),
    ] = None,
    gallery: Annotated[
        Path | None, typer.Option("--gallery", help="Draw all of them, and a page, in this folder.")
    ] = None,
    seed: Seed = 0,
    debug: Debug = False,  # noqa: ARG001  (read by main, before parsing)
) -> None:
    """Draw a figure of the documents that bayesreg reproduces, or list them."""
    if gallery is not None:
        for path in _verb("studies.index", "write_gallery")(gallery, seed=seed):
            typer.echo(path)
    elif name is None:
        for each in _verb("studies", "exhibits")():
            typer.echo(f"{each.name:28} {each.caption}")
    else:
        path = Path(f"{name}.png") if output is None else output
        _verb("studies", "exhibit")(name).write(path, seed)
        typer.echo(path)


@app.command()
def models() -> None:
    """List the gallery of PyMC models."""
    gallery = import_module("bayesreg.gallery")
    for name in gallery.names():
        typer.echo(f"{name:22} {gallery.summary(name)}")


@app.command()
def datasets() -> None:
    """List the bundled data sets, with source and licence."""
    bundled = import_module("bayesreg.datasets")
    for name in bundled.names():
        data = bundled.load(name)
        typer.echo(
            f"{name}: {data.X.shape[0]} rows, {data.X.shape[1]} columns, target {data.target}"
        )
        typer.echo(f"  {data.summary}\n  source: {data.source}\n  licence: {data.licence}")


def _optimizers(text: str) -> str | list[str]:
    """Read names of optimisers, and refuse wrong ones before the problem is built."""
    if text == "auto":
        return text
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = _verb("optimizers", "list_optimizers")()
    for name in names:
        if name not in known:
            raise unknown_name("optimizers", name, known)
    return names


def _given(pairs: Sequence[str]) -> dict[str, float]:
    """Read NAME=VALUE pairs."""
    values = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name.strip() in values:
            msg = f"given: {name.strip()!r} is given twice; give it once"
            raise InputError(msg)
        try:
            values[name.strip()] = float(value)
        except ValueError:
            msg = f"given: must be NAME=VALUE with a number, such as scale=10, found {pair!r}"
            raise InputError(msg) from None
    return values


def _asked(out: Console, *where: Any, **settings: Any) -> tuple[Problem, list[str]]:
    """Build the problem that was asked about, and print what it is."""
    stated: tuple[Problem, list[str]] = _verb("cli_problem", "state_problem")(
        out, *where, **settings
    )
    return stated


def _verb(module: str, name: str) -> Any:
    return getattr(import_module(f"bayesreg.{module}"), name)


def _check_outputs(page: Path | None, figure: Path | None) -> None:
    """Refuse an output that cannot be written before minutes of work, not after."""
    if page is not None:
        check_kind(page, PAGE_KINDS, "output")
    if figure is not None:
        check_kind(figure, _FIGURE_KINDS, "figure")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: exit 0, 2 for bad input, 1 for a failure, 130 for Ctrl-C.

    Where nobody reads what it prints, the code is that of a closed pipe.
    """
    try:
        _answer(arguments)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # which Typer answers with a 1
            end.code = _verb("_piped", "UNREAD")
        raise


def _answer(arguments: Sequence[str] | None) -> NoReturn:
    """Run the command line, and exit."""
    args = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    warnings.showwarning = show_warning
    show_log(quiet=not {"--quiet", "-q"}.isdisjoint(args))
    try:
        code = app(args, standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", _INTERRUPTED)
    except Exception as error:  # noqa: BLE001  (whatever it is, the user gets one line)
        if "--debug" in args:
            traceback.print_exc()
        message, status = _failure(error)
        told = _in_options(message, args)
        _fail(told, status if told == message else 2)  # an option would mend it
    if code == _INTERRUPTED:
        _fail("interrupted", _INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _failure(error: Exception) -> tuple[str, int]:
    """Say what went wrong, on one line, and whose fault it is: 2 for the input, else 1."""
    if isinstance(error, BayesregError):
        return str(error), 2 if isinstance(error, InputError) else 1
    # Typer keeps the classes of its errors about options to itself.
    if isinstance(error, import_module("typer._click.exceptions").ClickException):
        return str(error.format_message()), 2
    return f"{type(error).__name__}: {error} (unforeseen; --debug shows where)", 1


def _in_options(message: str, args: Sequence[str]) -> str:
    """Say what a message advises in Python as options of the command, where it has them."""
    command = import_module("typer.main").get_command(app).commands.get(args[0])
    known = set() if command is None else {parameter.name for parameter in command.params}
    return in_options(message, known)


def _fail(message: str, code: int) -> NoReturn:
    line = " ".join(message.split())
    sys.stderr.write(f"bayesreg: {line}\n")
    sys.exit(code)
