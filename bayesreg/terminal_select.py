"""What the command line prints and writes of the choice of a scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._console import in_options, say
from bayesreg._files import write_whole
from bayesreg.selection import CriteriaComparison, ScaleSelection
from bayesreg.terminal import dump, number, save_figure, start_table

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

# As many scales of a curve as a reader takes in at once.
_ROWS = 12
# What refers to a line below a table: of the best at an end of the scales, of a doubtful curve.
_AT_AN_END, _DOUBTFUL = "*", "†"
# What a column of a curve is called in a table, and in a few words.
_WORDS = {
    "difference_error": ("s.e. of difference", "that of the difference from the best"),
    "khat": ("k̂", "largest Pareto k of a row, trusted below 0.7"),
    "effective_parameters": ("p_loo", "effective number of parameters"),
    "df": ("df", "degrees of freedom"),
    "loss": ("loss", "minus the log likelihood at the mode"),
    "sigma": ("sigma", "noise sd at this scale"),
    "score": ("slope", "derivative of the log evidence in log scale"),
    "score_error": ("s.e. of slope", "its Monte Carlo standard error"),
}


def print_selection(chosen: ScaleSelection, out: Console) -> None:
    """Print one choice, and a handful of places of its curve."""
    say(out, f"\n{_in_options(str(chosen))}\n")
    curve = chosen.curve
    has_error = bool(curve.error_of)
    columns = ("scale", "nats above", *(("s.e.",) if has_error else ()))
    more = {name: column for name, column in curve.extra.items() if not np.isnan(column).all()}
    words = [_WORDS.get(name, (name, name)) for name in more]
    title = f"the curve of {chosen.criterion}"
    table = start_table(title, (*columns, *(head for head, _ in words)))
    meanings = ["nats above: value less that of the best scale here"]
    meanings += [f"s.e.: standard error {curve.error_of}"] * has_error
    meanings += [f"{head}: {meaning}" for head, meaning in words]
    nearest = int(np.argmin(np.abs(np.log(curve.scales / chosen.scale))))
    rows = np.linspace(0, len(curve) - 1, min(_ROWS, len(curve))).round().astype(int)
    above = curve.value - curve.value.min()
    for k in np.union1d(rows, [nearest]).tolist():
        table.add_row(
            number(float(curve.scales[k])),
            number(float(above[k]), 3),
            *([number(float(curve.standard_error[k]), 3)] if has_error else []),
            *(number(float(column[k]), 3) for column in more.values()),
            style="bold" if k == nearest else "",
        )
    out.print(table)
    say(out, "; ".join(meanings))


def print_comparison(found: CriteriaComparison, out: Console) -> None:
    """Print what each criterion chose."""
    columns = ("criterion", "scale", "low", "high", "one s.e.", "sigma", "seconds")
    table = start_table("the scale, by criterion", columns)
    # The marks stand in a column of their own: numbers stay aligned.
    marks = [_mark(s) for s in found.selections]
    width = max(map(len, marks))
    for s, mark in zip(found.selections, marks, strict=True):
        least, sigma = s.one_standard_error, s.sigma
        table.add_row(
            s.criterion,
            number(s.scale) + mark.ljust(width),
            number(s.uncertainty.low),
            number(s.uncertainty.high),
            "—" if least is None else number(least),
            "—" if sigma is None else number(sigma),
            number(s.seconds, 2),
        )
    out.print(table)
    say(out, "one s.e.: smallest scale whose value is within one standard error of the best")
    for s in found.selections:
        said = (f"low to high is {s.uncertainty.meaning}", *s.notes)
        say(out, f"{s.criterion}: {'; '.join(said)}")
    for warning in found.edges:
        say(out, f"{_AT_AN_END} {_in_options(warning)}")
    for warning in found.doubts:
        say(out, f"{_DOUBTFUL} {warning}")
    for name, reason in found.left_out.items():
        say(out, f"not by {name}: {reason}")


def _mark(chosen: ScaleSelection) -> str:
    """Return what stands beside a scale that a line below the table warns of."""
    marks = (_AT_AN_END if chosen.edge else "") + (_DOUBTFUL if chosen.doubt else "")
    return f" {marks}" if marks else ""


def _in_options(text: str) -> str:
    return in_options(text, {"scales"})


def record(chosen: ScaleSelection) -> dict[str, Any]:
    """Return a choice as what JSON can hold."""
    interval = chosen.uncertainty
    rows = {
        "scale": chosen.curve.scales,
        "value": chosen.curve.value,
        "standard_error": chosen.curve.standard_error,
        **chosen.curve.extra,
    }
    return {
        "criterion": chosen.criterion,
        "rule": chosen.rule,
        "scale": chosen.scale,
        "sigma": chosen.sigma,
        "sigma_source": chosen.sigma_source,
        "low": interval.low,
        "high": interval.high if math.isfinite(interval.high) else None,
        "meaning": interval.meaning,
        "one_standard_error": chosen.one_standard_error,
        "notes": [_in_options(remark) for remark in chosen.remarks],
        "seconds": chosen.seconds,
        "problem": str(chosen.problem),
        "curve": {name: column.tolist() for name, column in rows.items()},
    }


def as_json(found: ScaleSelection | CriteriaComparison) -> str:
    """Return one choice, or several, as JSON text; what is not finite becomes null."""
    if isinstance(found, ScaleSelection):
        return dump(record(found))
    chosen = {s.criterion: record(s) for s in found.selections}
    return dump({"criteria": chosen, "left_out": dict(found.left_out)})


def save(found: ScaleSelection | CriteriaComparison, place: Path) -> None:
    """Write a figure, the curves as a table, or JSON, whichever the file's name ends in.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    kind = place.suffix.lower()
    if kind == ".csv":
        frame = found.to_frame() if isinstance(found, ScaleSelection) else found.curves()
        write_whole(place, frame.to_csv(index=False).encode(), "output")
    elif kind == ".json":
        write_whole(place, as_json(found).encode(), "output")
    else:
        save_figure(found.plot(), place)
