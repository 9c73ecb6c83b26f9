"""What the command line prints and writes of a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._console import say
from bayesreg._files import write_whole
from bayesreg.terminal import dump, number, one_line, plain, save_figure, start_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console

    from bayesreg.path import MapPath

# As many scales as a reader takes in at once, and as many names and knots as fit beside them.
_ROWS, _NAMES, _KNOTS = 12, 4, 20


def print_path(path: MapPath, out: Console) -> None:
    """Print a path: its verdict, a handful of scales, the knots."""
    say(out, f"\n{path}\n")
    lam = ("λ",) if path.has_lam else ()
    table = start_table("the path", (path.what[0], *lam, "df", "not zero", "gap"))
    sparse = bool((path.coef == 0).any())
    if sparse:
        table.add_column("enters (+) or leaves (−) since the row above", justify="left")
    order = np.argsort(path.scales)
    rows = order[np.unique(np.linspace(0, order.size - 1, _ROWS).round().astype(int))]
    before: set[str] = set()
    for k in rows.tolist():
        now = set(path.support[k])
        table.add_row(
            number(float(path.scales[k])),
            *([number(float(path.lam[k]))] if lam else []),
            number(float(path.df[k]), 3),
            str(len(now)),
            number(float(path.gap[k]), 2),
            *([_moves(path, before, now)] if sparse else []),
        )
        before = now
    out.print(table)
    for line in _knot_lines(path):
        say(out, line)


def _moves(path: MapPath, before: set[str], now: set[str]) -> str:
    """Say what changed in the support, in the order of the columns."""
    names = path.problem.names
    entered = [name for name in names if name in now - before]
    left = [name for name in names if name in before - now]
    parts = []
    for sign, group in (("+", entered), ("−", left)):
        shown = [f"{sign}{plain(name)}" for name in group[:_NAMES]]
        more = len(group) - _NAMES
        parts += shown + ([f"{sign}{more} more"] if more > 0 else [])
    return ", ".join(parts)


def _knot_lines(path: MapPath) -> Iterable[str]:
    bends = path.readable_bends
    if bends is None:
        return
    if bends.changes.size == 0:
        yield "knots: none, as no coefficient leaves 0"
        return
    count = bends.changes.size
    knots = f"{count} knot{'s' * (count > 1)}"
    yield f"{knots}, exactly: λ (scale) and what enters (+) or leaves (−) there"
    names, told = path.problem.names, 0
    for lam, entered, left in zip(bends.lam, bends.entered, bends.left, strict=True):
        if not (entered or left):
            continue
        if told == _KNOTS:
            yield f"  … and {bends.changes.size - told} more; --json has them all"
            return
        moves = [f"+{one_line(names[j])}" for j in entered] + [
            f"−{one_line(names[j])}" for j in left
        ]
        yield f"  {lam:.10g} ({number(1 / lam)}): {', '.join(moves)}"
        told += 1


def record(path: MapPath) -> dict[str, Any]:
    """Return a path as what JSON can hold: numbers, lists, names."""
    names, bends = path.problem.names, path.readable_bends
    knots = None
    if bends is not None:
        knots = [
            {
                "lam": float(lam),
                "entered": [names[j] for j in entered],
                "left": [names[j] for j in left],
                "intercept": float(intercept),
                "not_zero": {names[j]: float(coef[j]) for j in np.flatnonzero(coef)},
            }
            for lam, entered, left, intercept, coef in zip(
                bends.lam, bends.entered, bends.left, bends.intercept, bends.coef, strict=True
            )
        ]
    points = [
        {
            "scale": float(path.scales[k]),
            "lam": float(path.lam[k]),
            "df": float(path.df[k]),
            "objective": float(path.objective[k]),
            "gap": float(path.gap[k]),
            "kkt": path.certificates[k].kkt,
            "optimal": path.certificates[k].optimal,
            "intercept": float(path.intercept[k]),
            "coef": dict(zip(names, path.coef[k].tolist(), strict=True)),
        }
        for k in range(len(path))
    ]
    return {
        "problem": str(path.problem),
        "own_scale": path.own_scale,
        "seconds": path.seconds,
        "path": points,
        "knots": knots,
    }


def as_json(path: MapPath) -> str:
    """Return a path as JSON text; what is not finite becomes null."""
    return dump(record(path))


def save(path: MapPath, place: Path) -> None:
    """Write a figure, a table or JSON, whichever the file's name ends in.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    kind = place.suffix.lower()
    if kind == ".csv":
        write_whole(place, path.to_frame().to_csv(index=False).encode(), "output")
    elif kind == ".json":
        write_whole(place, as_json(path).encode(), "output")
    else:
        save_figure(path.plot(), place)
