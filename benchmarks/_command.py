"""The command line that the benchmarks share, and the run that they are."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

import _glmnet
from _measure import (
    OURS,
    Run,
    Task,
    print_environment,
    print_runs,
    print_summary,
    score,
)
from _ours import ours
from _peers import Peer, climb, report, shortest, warm_up

import bayesreg as br

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _peers import Solver


class Options(argparse.Namespace):
    """What the command line of every benchmark says."""

    quick: bool
    repeats: int
    seed: int
    limit: float
    only: list[str] | None


def parser(description: str | None) -> argparse.ArgumentParser:
    """Make a parser with the options of every benchmark."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--quick", action="store_true", help="small sizes: seconds, not a claim")
    made.add_argument(
        "--repeats", type=int, default=3, help="runs per setting; the shortest counts"
    )
    made.add_argument("--seed", type=int, default=0, help="seed of the data")
    made.add_argument("--limit", type=float, default=60.0, help="seconds after which a peer stops")
    made.add_argument("--only", nargs="+", metavar="SOLVER", help="solvers whose name starts so")
    return made


def chosen(name: str, only: Sequence[str] | None) -> bool:
    """Tell whether a solver was asked for."""
    return only is None or any(name.startswith(start) for start in only)


def compare(
    task: Task,
    peers: Sequence[Peer],
    levels: Sequence[float],
    options: Options,
    *,
    our_solver: Solver = ours,
    apart: bool = False,
) -> list[Run]:
    """Run everybody on the task, print the tables, and return the runs.

    Parameters
    ----------
    task : Task
        What to solve.
    peers : sequence of Peer
        By whom, beside us.
    levels : sequence of float
        Gaps to compare at, relative to the objective at 0, loosest first.
    options : Options
        What the command line says.
    our_solver : Solver
        Our side, where it needs a process of its own.
    apart : bool
        Whether each solver works in a process of its own, where it compiles before its clock
        starts, repeats, and measures its memory.
    """
    print_environment(task, options.seed, options.repeats)
    print(f"{OURS} {br.__version__}; {_glmnet.describe()}")
    print("Everybody's code is compiled on a small problem before the clock starts.\n", flush=True)
    asked = [peer for peer in peers if chosen(peer.name, options.only)]
    repeats = 1 if apart else options.repeats
    runs: list[Run] = []
    if chosen(OURS, options.only):
        if not apart:
            warm_up(task, [our_solver])
        runs.append(shortest(partial(our_solver, task, 0.0), repeats))
        report(task, runs[-1])
    if not apart:
        warm_up(task, [peer.solve for peer in asked if peer.missing is None])
    for peer in asked:
        runs += climb(task, peer, finest=levels[-1], repeats=repeats, limit=options.limit)
    if runs:
        scores = score(task, runs)
        print_runs(task, scores, memory=apart)
        print_summary(task, scores, levels)
    return runs
