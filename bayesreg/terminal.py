"""What the command line prints: tables on a terminal, or JSON."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from bayesreg._console import say
from bayesreg._files import write_whole
from bayesreg._text_table import apart
from bayesreg._visible import visible
from bayesreg.nearness import count_near
from bayesreg.scoring import EXACT, SCORE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from matplotlib.figure import Figure

    from bayesreg.comparison import Comparison
    from bayesreg.map import MapEstimate
    from bayesreg.posterior import Diagnosis
    from bayesreg.scoring import Score


def number(value: float | None, digits: int = 4) -> str:
    """Format a number for a table: a few significant digits, an exact zero as ``0``.

    Examples
    --------
    >>> number(0.0), number(12.34567), number(1.2e-14), number(float("inf"))
    ('0', '12.35', '1.2e-14', 'inf')
    """
    if value is None or math.isnan(value):
        return "—"
    value += 0.0  # of a negative zero: zero
    if value != 0 and math.isfinite(value) and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2g}"
    return f"{value:.{digits}g}"


def print_mode(fit: MapEstimate, out: Console) -> None:
    """Print a mode: what it is conditional on, its certificate, its coefficients."""
    say(out, f"\n{fit.verdict}\n")
    table = start_table("exact mode", ("coefficient", "value"))
    if fit.problem.design.intercept:
        table.add_row(apart("intercept", fit.problem.names), f"{fit.intercept:.10g}")
    for name, value in zip(fit.problem.names, fit.coef.tolist(), strict=True):
        table.add_row(plain(name), f"{value:.10g}", style="dim" if value == 0 else "")
    out.print(table)


def print_comparison(comparison: Comparison, out: Console) -> None:
    """Print a comparison: scores, coefficients, sparsity, diagnostics."""
    mode = comparison.mode
    say(
        out,
        f"\n{comparison.mode_space}\n  objective {mode.objective:.10g} nats; {mode.certificate}",
    )
    if comparison.joint_mode is not None:
        joint = comparison.joint_mode
        zeros = int((joint.coef == 0).sum())
        say(out, f"{joint.space}\n  {joint.certificate}; {zeros} zeros")
    if comparison.joint_refusal is not None:
        say(out, f"no joint mode: {comparison.joint_refusal}")
    out.print()
    out.print(_score_table(comparison.scores))
    for name, reason in comparison.failures.items():
        say(out, f"{name} failed: {reason}")
    out.print()
    out.print(_coefficient_table(comparison))
    out.print()
    for line in sparsity_lines(comparison):
        say(out, line)
    if comparison.sampled is None:
        say(out, f"\nno draws: {comparison.no_draws}")
        return
    attrs = comparison.draws.attrs
    say(out, f"\nposterior: {attrs['method']} ({attrs['reason']})")
    say(out, f"diagnostics: {comparison.diagnosis.verdict}")


def as_text(comparison: Comparison) -> str:
    """Return what `print_comparison` prints, without colours, for a page of 110 columns."""
    buffer = io.StringIO()
    print_comparison(comparison, Console(file=buffer, width=110, highlight=False, no_color=True))
    return buffer.getvalue().strip("\n")


def start_table(title: str, columns: Iterable[str]) -> Table:
    """Return an empty table: the first column holds names, the others numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for k, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if k else "left"
        # Long names fold; numbers are never cut.
        table.add_column(column, justify=justify, no_wrap=k > 0, min_width=0 if k else 12)
    return table


def untrusted(diagnosis: Diagnosis) -> str:
    """Return what a table's title adds where its numbers are from draws that are not good."""
    return "" if diagnosis.ok else " (draws not good ✗)"


def plain(text: str) -> str:
    """Return a name as rich must print it: in one line, without markup."""
    return one_line(text).replace("[", r"\[")


def one_line(text: str) -> str:
    """Return a name in one line, whose control characters are written out."""
    return visible(" ".join(text.split()))


def _score_table(scores: Iterable[Score]) -> Table:
    words = {name: meaning for name, meaning in SCORE_WORDS.items() if name != "distance"}
    columns = ("estimator", *words)
    table = start_table("estimators, judged by the problem", columns)
    for s in scores:
        claim = "—" if s.claims_convergence is None else ("yes" if s.claims_convergence else "no")
        table.add_row(
            s.name,
            number(s.excess, 3),
            number(s.certificate.gap, 3),
            s.verdict or "—",
            str(s.zeros),
            str(s.false_nonzeros + s.false_zeros),
            number(s.seconds, 3),
            claim + (" ✗" if s.misleading else ""),
            style="bold" if s.name == EXACT else ("yellow" if s.misleading else ""),
        )
    table.caption = "; ".join(f"{name}: {meaning}" for name, meaning in words.items())
    table.caption_justify = "left"
    return table


def _coefficient_table(comparison: Comparison) -> Table:
    title = "coefficients, on the scale of the data"
    if comparison.sampled is None:
        table = start_table(title, ("coefficient", "exact mode"))
        if comparison.problem.design.intercept:
            name = comparison.called("intercept")
            table.add_row(plain(name), number(comparison.mode.intercept), style="dim")
        for name, value in zip(comparison.problem.names, comparison.mode.coef, strict=True):
            table.add_row(plain(name), number(float(value)))
        return table
    post = comparison.posterior
    percent = f"{100 * post.level:g} % equal tails"
    columns = ("coefficient", "exact mode", "mean", "median", percent, "P(|β| < ε)", "≠ 0")
    table = start_table(title + untrusted(comparison.diagnosis), columns)
    for j, name in enumerate(comparison.problem.names):
        table.add_row(
            plain(name),
            number(float(comparison.mode.coef[j])),
            number(float(post.mean[j]), 3),
            number(float(post.median[j]), 3),
            f"{number(float(post.lower[j]), 3)} … {number(float(post.upper[j]), 3)}",
            "—" if math.isnan(post.near_zero[j]) else f"{post.near_zero[j]:.2f}",
            "yes" if post.excludes_zero[j] else "no",
        )
    mode = comparison.mode
    values = {"intercept": mode.intercept, "sigma": mode.sigma, "scale": mode.scale}
    for name, scalar in comparison.scalars.items():
        table.add_row(
            plain(comparison.called(name)),
            number(values[name]),
            number(scalar.mean, 3),
            number(scalar.median, 3),
            f"{number(scalar.lower, 3)} … {number(scalar.upper, 3)}",
            "—",
            "—",
            style="dim",
        )
    table.caption = "equal tails: as many draws below the interval as above; ≠ 0: it excludes 0"
    table.caption_justify = "left"
    return table


def sparsity_lines(comparison: Comparison) -> tuple[str, ...]:
    """State how sparse the mode, the draws and the intervals are, one sentence each."""
    p, zeros = comparison.problem.p, int((comparison.mode.coef == 0).sum())
    of_mode = f"sparsity: exact zeros in the mode: {zeros} of {p}"
    if comparison.sampled is None:
        return (of_mode,)
    post = comparison.posterior
    total = (
        comparison.draws["posterior"].sizes["chain"] * comparison.draws["posterior"].sizes["draw"]
    )
    near, asked = count_near(post.near_zero)
    return (
        of_mode,
        f"  exact zeros among the draws: {int(post.zeros.sum())} of {total} × {p}",
        (f"  P(|β| < ε) above one half: {near} of {asked} (ε: {comparison.epsilon_rule})"),
        f"  {100 * post.level:g} % interval excludes 0: {int(post.excludes_zero.sum())} of {p}",
    )


# --------------------------------------------------------------------------- JSON and files


def mode_as_json(fit: MapEstimate) -> str:
    """Return a mode as JSON text."""
    return dump(_mode_record(fit))


def as_json(comparison: Comparison) -> str:
    """Return a comparison as JSON text; what is not finite becomes null."""
    joint, sampled = comparison.joint_mode, comparison.sampled
    return dump(
        {
            "problem": str(comparison.problem),
            "mode": _mode_record(comparison.mode),
            "joint_mode": None if joint is None else _mode_record(joint),
            "joint_refusal": comparison.joint_refusal,
            "scores": comparison.score_frame().reset_index().to_dict(orient="records"),
            "failures": comparison.failures,
            "estimates": comparison.to_frame().to_dict(orient="records"),
            "sparsity": comparison.sparsity_frame().reset_index().to_dict(orient="records"),
            "epsilon_rule": None if sampled is None else sampled.epsilon_rule,
            "diagnostics": None if sampled is None else sampled.diagnosis.verdict,
            "provenance": {} if sampled is None else dict(sampled.draws.attrs),
            "no_draws": comparison.no_draws,
        }
    )


def _mode_record(fit: MapEstimate) -> dict[str, Any]:
    certificate = fit.certificate
    return {
        "space": fit.space,
        "status": fit.status.value,
        "objective": fit.objective,
        "gap": certificate.gap,
        "kkt": certificate.kkt,
        "optimal": certificate.optimal,
        "unique": certificate.unique,
        "intercept": fit.intercept,
        "sigma": fit.sigma,
        "scale": fit.scale,
        "coef": dict(zip(fit.problem.names, fit.coef.tolist(), strict=True)),
    }


def dump(record: object) -> str:
    """Return a record as JSON text; what is not finite becomes null."""
    return json.dumps(_jsonable(record), ensure_ascii=False, indent=2, allow_nan=False)


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, np.generic):
        return _jsonable(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the format that its file name ends in.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix.lower().lstrip("."), dpi=150)
    write_whole(path, buffer.getvalue(), "figure")
