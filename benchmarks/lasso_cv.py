"""Cross-validation of the lasso: 100 scales, 10 folds, beside scikit-learn's LassoCV.

n = 1000 rows, p = 5000 Gaussian columns with AR(0.5) correlation, 50 true coefficients, signal to
noise 5, an intercept, scales down to λ_max/100. Both get the same folds and, fold by fold, the same
penalties: α of a mean loss over m rows is λ = mα, so our scales are 1/(mα) with the m rows that a
fold learns from. Both end with the mode of all rows at the scale chosen.

LassoCV stops at a duality gap of ``tol · ‖y‖²`` (in units of half the residual sum of squares), so
each tolerance is another answer; ours is certified to rounding, whichever it is held against. The
gap of both is measured in the first fold, off the clock, by the function that judges everybody in
these benchmarks; as there, it is divided by the objective at β = 0.

CPU seconds are those of all threads of the process, so they are to be trusted on a busy machine,
too. Run ``python benchmarks/lasso_cv.py``; it takes some minutes.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import _peers as peers
import numpy as np
from _command import parser
from _measure import Task, ar_columns, gaps, gaussian_task, print_environment, print_table

import bayesreg as br

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    type Pair = tuple[np.ndarray, np.ndarray]

TOLERANCES = (1e-4, 1e-6, 1e-8)
FOLDS = 10


@dataclass(frozen=True, eq=False)
class Answer:
    """What one side said, and what it took: seconds by the wall and of the processor."""

    name: str
    wall: float
    cpu: float
    error: np.ndarray
    gap: float

    def row(self, ours: Answer) -> list[str]:
        """Return the line of the table."""
        apart = np.abs(self.error / ours.error - 1).max()
        best = int(np.argmin(self.error))
        return [
            self.name,
            f"{self.wall:.2f}",
            f"{self.cpu:.2f}",
            f"{self.gap:.1e}",
            f"{self.wall / ours.wall:.2f}",
            f"{self.cpu / ours.cpu:.2f}",
            f"{apart:.1e}",
            str(best),
        ]


def clocked(call: Callable[[], Any], repeats: int) -> tuple[Any, float, float]:
    """Return the answer, and the shortest wall and CPU seconds."""
    walls, cpus, answer = [], [], None
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return answer, min(walls), min(cpus)


def folds_of(n: int, seed: int) -> list[Pair]:
    """Deal the rows out, the same for both."""
    splitter = import_module("sklearn.model_selection").KFold
    return list(splitter(FOLDS, shuffle=True, random_state=seed).split(np.zeros((n, 1))))


def train_task(task: Task, train: np.ndarray, alphas: np.ndarray) -> Task:
    """Return what is to be solved in one fold."""
    X = np.asfortranarray(task.X[train])
    return Task(X, task.y[train], "gaussian", train.size * alphas, intercept=True)


def ours(task: Task, pairs: Sequence[Pair], alphas: np.ndarray, repeats: int) -> Answer:
    """Choose by `select_scale`, and find the mode; the certificates are on the clock."""
    problem = br.Problem(
        task.X, task.y, likelihood=br.Gaussian(1.0), prior=br.Laplace(scale=1.0), intercept=True
    )
    scales = 1.0 / (pairs[0][0].size * alphas)

    def call() -> Any:
        chosen = br.select_scale(problem, scales=scales, folds=pairs)
        br.find_map(chosen.problem)
        return chosen

    chosen, wall, cpu = clocked(call, repeats)
    fold = train_task(task, pairs[0][0], alphas)
    path = br.map_path(
        br.Problem(fold.X, fold.y, likelihood=br.Gaussian(1.0), prior=br.Laplace(scale=1.0)), scales
    )
    gap = gaps(fold, path.coef, path.intercept)[0].max() / fold.null
    n = task.y.size
    # Nats back to a mean square: half of it per row, and the constant of the normal density.
    error = 2 * chosen.curve.value / n - np.log(2 * np.pi)
    return Answer("bayesreg, certified", wall, cpu, error, float(gap))


def theirs(
    task: Task, pairs: Sequence[Pair], alphas: np.ndarray, tolerance: float, repeats: int
) -> Answer:
    """Choose by LassoCV on as many threads as ours."""
    make = import_module("sklearn.linear_model").LassoCV

    def call() -> Any:
        jobs = br.select_scale.__kwdefaults__["workers"] or -1
        made = make(alphas=alphas, cv=pairs, tol=tolerance, max_iter=10**7, n_jobs=jobs)
        return made.fit(task.X, task.y)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made, wall, cpu = clocked(call, repeats)
        fold = train_task(task, pairs[0][0], alphas)
        run = peers.sklearn_lasso(fold, tolerance)
    gap = gaps(fold, run.coef, run.intercept)[0].max() / fold.null
    name = f"LassoCV, tol {tolerance:.0e}"
    return Answer(name, wall, cpu, made.mse_path_.mean(axis=1), float(gap))


def main() -> None:
    """Make the data and compare."""
    command = parser(__doc__)
    options = command.parse_args()
    n, p, true, count = (100, 300, 10, 20) if options.quick else (1000, 5000, 50, 100)
    rng = np.random.default_rng(options.seed)
    ratios = np.geomspace(1.0, 1e-2, count)
    task = gaussian_task(ar_columns(n, p, 0.5, rng), true, ratios, rng, intercept=True)
    alphas = task.lambdas / n
    pairs = folds_of(n, options.seed)
    print_environment(task, options.seed, options.repeats)
    print(f"bayesreg {br.__version__}; {FOLDS} folds, {count} scales; threads share the folds\n")
    peers.warm_up(task, [lambda small, _: _warm(small)])
    answers = [ours(task, pairs, alphas, options.repeats)]
    print(f"{answers[0].name}: {answers[0].wall:.2f} s, {answers[0].cpu:.2f} CPU s", flush=True)
    for tolerance in TOLERANCES:
        answers.append(theirs(task, pairs, alphas, tolerance, options.repeats))
        last = answers[-1]
        print(f"{last.name}: {last.wall:.2f} s, {last.cpu:.2f} CPU s", flush=True)
        if last.wall > options.limit:
            break
    header = ["", "seconds", "CPU seconds", "gap", "ratio", "CPU ratio", "curve apart", "best at"]
    print()
    print_table(header, [answer.row(answers[0]) for answer in answers])
    print("\nratio: its seconds over ours. curve apart: largest relative difference of the mean")
    print("square of rows held out from ours; best at: position of the lowest, 0 the strongest.")


def _warm(small: Task) -> Any:
    """Compile on a small problem, by the route of the large one."""
    coef = br.map_path(
        br.Problem(small.X, small.y, likelihood=br.Gaussian(1.0), prior=br.Laplace(scale=1.0)),
        small.scales,
    ).coef
    return peers._run("warm", 0.0, 0.0, coef)  # noqa: SLF001  (the scripts are one program)


if __name__ == "__main__":
    main()
