"""What the benchmarks share: data, a measured duality gap, the tables, the state of the machine.

Everyone is asked for the mode of the same posterior, and is judged by the duality gap computed
here, in NumPy, from coefficients alone; what a solver says of itself is not used. Units are nats
with sigma = 1: the objective is ``‖y − Xβ‖²/2 + λ‖β‖₁``, or ``Σ log(1 + exp ηᵢ) − yᵢηᵢ + λ‖β‖₁``
with ``η = Xβ``, where λ = 1/scale of the Laplace prior. The tables print the gap divided by the
objective at β = 0, which is ``‖y‖²/2`` or ``n log 2``, and in nats besides.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.special import expit, xlogy
from threadpoolctl import threadpool_info

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS = "bayesreg"


@dataclass(frozen=True, eq=False)
class Task:
    """Data and the penalties to solve for.

    Attributes
    ----------
    X : ndarray or scipy.sparse matrix, shape (n, p)
        Columns; in Fortran or CSC order, which is what every coordinate method reads fastest.
    y : ndarray, shape (n,)
        Target; 0 and 1 for the logistic family.
    family : str
        ``"gaussian"`` or ``"logistic"``.
    lambdas : ndarray, shape (k,)
        Weights of ‖β‖₁ in nats, decreasing.
    intercept : bool
        Whether there is an unpenalised intercept; for the Gaussian family only.
    """

    X: Any
    y: np.ndarray
    family: str
    lambdas: np.ndarray
    intercept: bool = False

    @property
    def alphas(self) -> np.ndarray:
        """The weights for a loss that is a mean over the rows: everybody else's convention."""
        return self.lambdas / self.y.size

    @property
    def scales(self) -> np.ndarray:
        """The scales of the Laplace prior; sigma is 1."""
        return 1.0 / self.lambdas

    @property
    def null(self) -> float:
        """The objective at β = 0 (and, with an intercept, at the best one)."""
        if self.family == "logistic":
            return self.y.size * float(np.log(2.0))
        centre = self.y.mean() if self.intercept else 0.0
        return float(((self.y - centre) ** 2).sum()) / 2

    @property
    def nbytes(self) -> int:
        """Bytes of the data."""
        if sparse.issparse(self.X):
            parts = (self.X.data, self.X.indices, self.X.indptr, self.y)
            return sum(part.nbytes for part in parts)
        return int(self.X.nbytes + self.y.nbytes)


@dataclass(frozen=True, eq=False)
class Run:
    """One solver at one tolerance: what it answered and how long it took.

    Attributes
    ----------
    solver, setting : str
        Who, and with which tolerance.
    seconds : float
        Time of the solver's own call, the shortest of the repeats.
    coef : ndarray, shape (k, p)
        Coefficients, one row per penalty; NaN where the solver gave up.
    intercept : ndarray, shape (k,)
        Intercepts.
    extra : dict
        Columns of the table beyond the usual, already text.
    peak : float
        Most bytes of memory in use at once beyond those of the data; NaN where not measured.
    """

    solver: str
    setting: str
    seconds: float
    coef: np.ndarray
    intercept: np.ndarray
    extra: dict[str, str] = field(default_factory=dict)
    peak: float = float("nan")


@dataclass(frozen=True)
class Score:
    """A run and its measured quality; `gap` and `excess` are the largest over the path."""

    run: Run
    gap: float
    excess: float
    nonzero: int


# --------------------------------------------------------------------------- data


def ar_columns(n: int, p: int, rho: float, rng: np.random.Generator) -> np.ndarray:
    """Draw rows of a stationary Gaussian AR(1) over the columns, unit variance; shape (n, p)."""
    X = np.asfortranarray(rng.standard_normal((n, p)))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    return X


def true_coef(p: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Put `count` coefficients of random sign and size between 0.5 and 1.5 at random places."""
    coef = np.zeros(p)
    where = rng.choice(p, count, replace=False)
    coef[where] = rng.uniform(0.5, 1.5, count) * rng.choice([-1.0, 1.0], count)
    return coef


def gaussian_task(
    X: Any,
    true: int,
    ratios: np.ndarray,
    rng: np.random.Generator,
    *,
    snr: float = 5.0,
    intercept: bool = False,
) -> Task:
    """Make a target with var(signal)/var(noise) = snr, and penalties ``ratios * λ_max``."""
    signal = X @ true_coef(X.shape[1], true, rng)
    y = signal + rng.standard_normal(signal.size) * signal.std() / np.sqrt(snr)
    centred = y - y.mean() if intercept else y
    largest = float(np.abs(X.T @ centred).max())
    return Task(X, y, "gaussian", largest * ratios, intercept)


def logistic_task(X: np.ndarray, true: int, ratios: np.ndarray, rng: np.random.Generator) -> Task:
    """Draw a binary target with log odds of standard deviation 3, and take ``ratios * λ_max``."""
    signal = X @ true_coef(X.shape[1], true, rng)
    y = (rng.random(signal.size) < expit(3.0 * signal / signal.std())).astype(float)
    largest = float(np.abs(X.T @ (y - 0.5)).max())
    return Task(X, y, "logistic", largest * ratios)


# --------------------------------------------------------------------------- gaps


def gaps(task: Task, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure duality gap and objective, in nats, for a block of answers.

    The dual point is the residual times a number: the best one for a Gaussian target, where the
    dual is a parabola along it, and the largest feasible one up to 1 for a binary target.

    Parameters
    ----------
    task : Task
        Data and penalties.
    coef : ndarray, shape (k, p)
        One answer per penalty.
    intercept : ndarray, shape (k,)
        Their intercepts.

    Returns
    -------
    gap, objective : ndarray, shape (k,)
        ``inf`` where an answer is not finite.
    """
    finite = np.isfinite(coef).all(axis=1) & np.isfinite(intercept)
    b, b0 = np.where(finite[:, None], coef, 0.0), np.where(finite, intercept, 0.0)
    support = np.flatnonzero(b.any(axis=0))
    eta = np.asarray(task.X[:, support] @ b[:, support].T) + b0  # (n, k)
    rows = task.y[:, None] - (expit(eta) if task.family == "logistic" else eta)
    if task.intercept:
        rows -= rows.mean(axis=0)
    correlation = np.asarray(task.X.T @ rows)  # (p, k)
    with np.errstate(divide="ignore"):
        feasible = task.lambdas / np.abs(correlation).max(axis=0)
    size = task.lambdas * np.abs(b).sum(axis=1)
    if task.family == "logistic":
        gap, objective = _logistic_gap(task, eta, rows, feasible, size)
    else:
        fitted = (b * correlation.T).sum(axis=1)
        gap, objective = _gaussian_gap(task, eta, rows, feasible, fitted, size)
    return np.where(finite, gap, np.inf), np.where(finite, objective, np.inf)


def _gaussian_gap(
    task: Task,
    eta: np.ndarray,
    rows: np.ndarray,
    feasible: np.ndarray,
    fitted: np.ndarray,
    size: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Subtract ``D(s r) = s y'r − s²‖r‖²/2``, with y = r + Xβ so that the large terms cancel.

    ``P − D = (1−s)²‖r‖²/2 + λ‖β‖₁ − s β'X'r``; centring is part of r where there is an intercept,
    and what a wrong level costs is added.
    """
    square = (rows**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        best = np.where(square > 0, 1.0 + fitted / square, 0.0)
    s = np.clip(best, -feasible, feasible)
    level = task.y.size * (task.y[:, None] - eta).mean(axis=0) ** 2 / 2 if task.intercept else 0.0
    gap = (1 - s) ** 2 * square / 2 + (size - s * fitted) + level
    return gap, square / 2 + size + level


def _logistic_gap(
    task: Task,
    eta: np.ndarray,
    rows: np.ndarray,
    feasible: np.ndarray,
    size: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Subtract ``D(s r) = −Σ q log q + (1−q) log(1−q)`` with q = y − s r."""
    objective = (np.logaddexp(0.0, eta) - task.y[:, None] * eta).sum(axis=0) + size
    q = task.y[:, None] - np.minimum(feasible, 1.0) * rows
    return objective + (xlogy(q, q) + xlogy(1 - q, 1 - q)).sum(axis=0), objective


# --------------------------------------------------------------------------- tables


def score(task: Task, runs: Sequence[Run]) -> list[Score]:
    """Measure every run; the excess is over the lowest objective that any run reached."""
    measured = [gaps(task, run.coef, run.intercept) for run in runs]
    lowest = np.min([objective for _, objective in measured], axis=0)
    return [
        Score(run, float(gap.max()), float((objective - lowest).max()), _nonzero(run))
        for run, (gap, objective) in zip(runs, measured, strict=True)
    ]


def _nonzero(run: Run) -> int:
    return int(np.count_nonzero(run.coef[-1]))


def reference(scores: Sequence[Score]) -> Score:
    """Our most exact run, or the most exact of all where we did not take part."""
    ours = [s for s in scores if s.run.solver.startswith(OURS)]
    return min(ours or scores, key=lambda s: s.gap)


def print_runs(task: Task, scores: Sequence[Score], *, memory: bool = False) -> None:
    """Print one line per run; with `memory`, also its peak divided by the bytes of the data."""
    exact = reference(scores)
    truth = exact.run.coef[-1] != 0
    extra = sorted({name for s in scores for name in s.run.extra})
    more = ["memory", *extra] if memory else extra
    header = ["solver", "setting", "seconds", "gap", "gap, nats", "excess", "non-zero"]
    lines = []
    for s in scores:
        found = s.run.coef[-1] != 0
        lines.append(
            [
                s.run.solver,
                s.run.setting,
                f"{s.run.seconds:.3f}",
                f"{s.gap / task.null:.1e}",
                f"{s.gap:.1e}",
                f"{s.excess / task.null:.1e}",
                str(s.nonzero),
                str(int((found & ~truth).sum())),
                str(int((truth & ~found).sum())),
                *([f"{s.run.peak / task.nbytes:.2f}"] if memory else []),
                *(s.run.extra.get(name, "") for name in extra),
            ]
        )
    print(
        "\nEvery run. gap: largest over the path of the measured duality gap / the objective at 0;"
    )
    print(
        "excess: the same for the objective above the lowest that any run reached. non-zero, false"
    )
    print(f"non-zeros and false zeros: at the last scale, against {exact.run.solver}", end=" ")
    print(f"({exact.run.setting}).")
    print_table([*header, "false non-zero", "false zero", *more], lines)


def print_summary(task: Task, scores: Sequence[Score], levels: Sequence[float]) -> None:
    """For each gap print the fastest peer that reached it beside our fastest run that did."""
    lines = []
    for level in levels:
        reached = [s for s in scores if s.gap <= level * task.null]
        ours = _fastest([s for s in reached if s.run.solver.startswith(OURS)])
        peer = _fastest([s for s in reached if not s.run.solver.startswith(OURS)])
        ratio = "-" if ours is None or peer is None else f"{peer.seconds / ours.seconds:.2f}"
        lines.append(
            [
                f"{level:.0e}",
                "nobody" if peer is None else f"{peer.solver} ({peer.setting})",
                "-" if peer is None else f"{peer.seconds:.3f}",
                "-" if ours is None else f"{ours.solver} ({ours.setting})",
                "-" if ours is None else f"{ours.seconds:.3f}",
                ratio,
            ]
        )
    print("\nAt the same measured gap:")
    print_table(["gap", "fastest peer", "its seconds", "ours", "our seconds", "peer / ours"], lines)


def _fastest(scores: Sequence[Score]) -> Run | None:
    return min((s.run for s in scores), key=lambda run: run.seconds, default=None)


def print_table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    rule = ["-" * width for width in widths]
    for line in (header, rule, *lines):
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("| " + " | ".join(cells) + " |", flush=True)


# --------------------------------------------------------------------------- machine


def print_environment(task: Task, seed: int, repeats: int) -> None:
    """Print what a reader needs to judge the figures that follow."""
    n, p = task.X.shape
    kind = "sparse" if sparse.issparse(task.X) else "dense"
    print(f"{task.family} lasso, n = {n}, p = {p}, {kind}, {task.nbytes / 1e6:.0f} MB of data;")
    ratio = task.lambdas[0] / task.lambdas[-1]
    print(f"{task.lambdas.size} scale(s), largest λ / smallest λ = {ratio:.6g};", end=" ")
    print(f"intercept: {task.intercept}; seed {seed}; shortest of {repeats} run(s)")
    names = ("numpy", "scipy", "numba", "scikit-learn", "skglm", "celer")
    print(", ".join(f"{name} {version(name)}" for name in names))
    blas = {f"{i['internal_api']} {i['num_threads']}" for i in threadpool_info()}
    cores, load = os.cpu_count(), os.getloadavg()[0]
    print(f"Python {platform.python_version()}; {_processor()}, {cores} cores, load {load:.2f};")
    print(f"threads: {', '.join(sorted(blas))}", flush=True)


def version(name: str) -> str:
    """Return the installed version of a distribution, or say that there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
