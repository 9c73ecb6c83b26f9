"""A lasso on sparse columns: seconds to the same measured duality gap, and memory.

n = 20 000 rows, p = 100 000 columns of which 0.1 % is not zero, 50 true coefficients, signal to
noise 5; one scale, λ_max/20, and 20 scales down to it.

Run ``python benchmarks/lasso_sparse.py``; with every peer it takes some minutes per repeat. Each
setting is a process of its own, which loads the data, compiles on a small problem, returns what it
can to the system, and only then starts the clock; "memory" is the most that is resident from there
on beyond what was resident there, answers included, divided by the bytes of the data.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import gc
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import _peers as peers
import numpy as np
from _command import Options, compare, parser
from _measure import OURS, Run, Task, gaussian_task
from _ours import ours
from scipy import sparse

if TYPE_CHECKING:
    from _peers import Solver

LEVELS = (1e-4, 1e-6, 1e-8, 1e-10)
STATUS, FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
SOLVERS: dict[str, Solver] = {
    OURS: ours,
    "skglm": peers.skglm_lasso,
    "celer": peers.celer_lasso,
    "scikit-learn": peers.sklearn_lasso,
}


# --------------------------------------------------------------------------- one run


def cell(folder: Path, solver: str, tolerance: float, repeats: int) -> None:
    """Load the data, solve, and write the answer; called in a process of its own.

    Memory is that of the first call, seconds are those of the shortest.
    """
    arrays = {
        name: np.load(folder / f"{name}.npy", allow_pickle=False)
        for name in ("data", "indices", "indptr")
    }
    y, lambdas = (
        np.load(folder / "y.npy", allow_pickle=False),
        np.load(folder / "lambdas.npy", allow_pickle=False),
    )
    shape = (y.size, arrays["indptr"].size - 1)
    X = sparse.csc_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
    task = Task(X, y, "gaussian", lambdas)
    solve = SOLVERS[solver]
    peers.warm_up(task, [solve])
    before = settle()
    run = peers.quietly(partial(solve, task, tolerance))
    peak = resident("VmHWM") - before
    if repeats > 1:
        again = peers.shortest(partial(solve, task, tolerance), repeats - 1)
        run = min(run, again, key=lambda one: one.seconds)
    np.save(folder / "coef.npy", run.coef)
    np.save(folder / "intercept.npy", run.intercept)
    fields = {"solver": run.solver, "setting": run.setting, "seconds": run.seconds}
    print(json.dumps(fields | {"extra": run.extra, "peak": peak}))


def settle() -> float:
    """Give freed memory back, forget the peak so far, and return what is resident, in bytes."""
    gc.collect()
    library = ctypes.CDLL(ctypes.util.find_library("c"))
    if sys.platform == "linux":
        library.malloc_trim(0)
    if FORGET.exists():
        FORGET.write_text("5")
    return resident("VmRSS")


def resident(name: str) -> float:
    """Return ``VmRSS``, what is resident now, or ``VmHWM``, the most so far; NaN off Linux."""
    if not STATUS.exists():
        return float("nan")
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return 1024.0 * int(line.split()[1])


# --------------------------------------------------------------------------- all of them


def in_process(solver: str, repeats: int) -> Solver:
    """Return a solver that does its work, repeatedly, in a process of its own."""

    def solve(task: Task, tolerance: float = 0.0) -> Run:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part in ("data", "indices", "indptr"):
                np.save(folder / f"{part}.npy", getattr(task.X, part))
            np.save(folder / "y.npy", task.y)
            np.save(folder / "lambdas.npy", task.lambdas)
            command = [
                sys.executable,
                __file__,
                "--cell",
                name,
                solver,
                repr(tolerance),
                str(repeats),
            ]
            done = subprocess.run(  # noqa: S603  (ourselves)
                command, capture_output=True, text=True, check=False, env=os.environ
            )
            if done.returncode:
                msg = f"{solver} failed:\n{done.stderr}"
                raise RuntimeError(msg)
            fields = json.loads(done.stdout.splitlines()[-1])
            answer = (
                np.load(folder / "coef.npy", allow_pickle=False),
                np.load(folder / "intercept.npy", allow_pickle=False),
            )
        return Run(coef=answer[0], intercept=answer[1], **fields)

    return solve


def everybody(repeats: int) -> tuple[peers.Peer, ...]:
    """Return the peers, each of which repeats its runs by itself."""

    def glmnet(task: Task, tolerance: float) -> Run:
        return peers.shortest(partial(peers.glmnet, task, tolerance), repeats)

    return (
        peers.Peer("skglm", "skglm", in_process("skglm", repeats), peers.powers(2, 11)),
        peers.Peer("celer", "celer", in_process("celer", repeats), peers.powers(4, 13)),
        peers.Peer(
            "scikit-learn", "sklearn", in_process("scikit-learn", repeats), peers.powers(4, 11)
        ),
        peers.Peer("glmnet", "glmnet", glmnet, peers.powers(7, 23, 2)),
    )


def sparse_task(options: Options, ratios: np.ndarray) -> Task:
    """Draw Gaussian entries at random places; the same data for every path."""
    n, p, true, density = (500, 2000, 10, 0.01) if options.quick else (20_000, 100_000, 50, 0.001)
    rng = np.random.default_rng(options.seed)
    X = sparse.random_array(
        (n, p),
        density=density,
        format="csc",
        rng=rng,
        data_sampler=lambda *, size: rng.standard_normal(size),
    )
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return gaussian_task(sparse.csc_matrix(X), true, ratios, rng)


def main() -> None:
    """Make the data and compare, at one scale and along a path; or be one run."""
    command = parser(__doc__)
    command.add_argument("--cell", nargs=4, help="folder, solver, tolerance, repeats: one run")
    options = command.parse_args()
    if options.cell:
        folder, solver, tolerance, repeats = options.cell
        cell(Path(folder), solver, float(tolerance), int(repeats))
        return
    for title, ratios in (
        ("One scale", np.array([1 / 20])),
        ("A path of 20 scales", np.geomspace(1.0, 1 / 20, 20)),
    ):
        print(f"\n## {title}\n")
        task = sparse_task(options, ratios)
        ours_apart = in_process(OURS, options.repeats)
        asked = everybody(options.repeats)
        compare(task, asked, LEVELS, options, our_solver=ours_apart, apart=True)


if __name__ == "__main__":
    main()
