"""The peers, each called below its estimator, in the way its authors do along a path.

A peer is a function of (task, tolerance) that returns coefficients and the seconds of its own call:
conversions of the data to what it reads are not on its clock. A tolerance means something else to
each of them, which is why the benchmarks compare at the measured gap instead:

- scikit-learn: duality gap / ‖y‖² for the lasso; liblinear has a criterion of its own;
- celer: duality gap / objective at 0;
- skglm: largest violation of the optimality conditions of the mean loss, here in units of the
  largest penalty;
- glmnet: largest change of the objective by one coefficient in one sweep / null deviance.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import _glmnet
import numpy as np
from _measure import Run, Task, ar_columns, gaps, gaussian_task, logistic_task
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

type Solver = Callable[[Task, float], Run]

MANY = 10**7


@dataclass(frozen=True, eq=False)
class Peer:
    """A solver, the package that it needs, and the tolerances to try, loosest first."""

    name: str
    package: str
    solve: Solver
    tolerances: Sequence[float]

    @property
    def missing(self) -> str | None:
        """Why it cannot take part, or None."""
        if self.package == "glmnet":
            return _glmnet.missing()
        return None if find_spec(self.package) else f"{self.package} is not installed"


def _run(name: str, tolerance: float, seconds: float, coef: Any) -> Run:
    coef = np.ascontiguousarray(coef)
    return Run(name, f"{tolerance:.0e}", seconds, coef, np.zeros(coef.shape[0]))


def _with_level(task: Task, run: Run, mean: np.ndarray) -> Run:
    """Add the intercept that goes with coefficients of centred data."""
    if not task.intercept:
        return run
    return replace(run, intercept=task.y.mean() - run.coef @ mean)


def _centred(task: Task) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the data that a solver without an intercept needs, and the column means."""
    if not task.intercept:
        return task.X, task.y, np.zeros(task.X.shape[1])
    mean = np.asarray(task.X.mean(axis=0)).ravel()
    return np.asfortranarray(task.X - mean), task.y - task.y.mean(), mean


# --------------------------------------------------------------------------- lasso


def sklearn_lasso(task: Task, tolerance: float) -> Run:
    """Coordinate descent with gap-safe screening, warm-started along the path."""
    lasso_path = import_module("sklearn.linear_model").lasso_path
    X, y, mean = _centred(task)
    start = time.perf_counter()
    options = {"alphas": task.alphas, "tol": tolerance, "max_iter": MANY, "copy_X": False}
    _, coef, _ = lasso_path(X, y, precompute=False, **options)
    run = _run("scikit-learn", tolerance, time.perf_counter() - start, coef.T)
    return _with_level(task, run, mean)


def sklearn_gram(task: Task, tolerance: float) -> Run:
    """The same on X'X, the forming of which is on the clock."""
    lasso_path = import_module("sklearn.linear_model").lasso_path
    X, y, mean = _centred(task)
    start = time.perf_counter()
    gram, moment = np.dot(X.T, X), np.dot(X.T, y)
    options = {"alphas": task.alphas, "tol": tolerance, "max_iter": MANY, "copy_X": False}
    _, coef, _ = lasso_path(X, y, precompute=gram, Xy=moment, check_input=False, **options)
    run = _run("scikit-learn, Gram", tolerance, time.perf_counter() - start, coef.T)
    return _with_level(task, run, mean)


def skglm_lasso(task: Task, tolerance: float) -> Run:
    """Working sets with Anderson-accelerated coordinate descent."""
    return _skglm(task, tolerance, "skglm", "AndersonCD", max_iter=1000, max_epochs=10**5)


def skglm_gram(task: Task, tolerance: float) -> Run:
    """Greedy coordinate descent on X'X, which it forms itself; for a single scale."""
    return _skglm(task, tolerance, "skglm, Gram", "GramCD", max_iter=10**6)


def _skglm(task: Task, tolerance: float, name: str, solver: str, **options: Any) -> Run:
    make = getattr(import_module("skglm.solvers"), solver)
    datafit = None if solver == "GramCD" else import_module("skglm.datafits").Quadratic()
    penalty = import_module("skglm.penalties").L1(task.alphas[0])
    X, y, mean = _centred(task)
    start = time.perf_counter()
    made = make(tol=tolerance * task.alphas[0], fit_intercept=False, **options)
    if task.alphas.size > 1:
        _, coef, _ = made.path(X, y, datafit, penalty, task.alphas)
    else:
        coef = made.solve(X, y, datafit, penalty)[0][:, None]
    run = _run(name, tolerance, time.perf_counter() - start, coef.T)
    return _with_level(task, run, mean)


def celer_lasso(task: Task, tolerance: float) -> Run:
    """Working sets with dual extrapolation."""
    celer_path = import_module("celer").celer_path
    X, y, mean = _centred(task)
    options = {"tol": tolerance, "max_iter": 100, "max_epochs": 10**5, "prune": True}
    start = time.perf_counter()
    _, coef, _ = celer_path(X, y, "lasso", alphas=task.alphas, **options)
    run = _run("celer", tolerance, time.perf_counter() - start, coef.T)
    return _with_level(task, run, mean)


def glmnet(task: Task, tolerance: float) -> Run:
    """R's glmnet, with its Gram matrix (type.gaussian = "covariance") below 500 columns."""
    return _glmnet.solve(task, tolerance)


def glmnet_path(task: Task, tolerance: float) -> Run:
    """A single scale, reached as glmnet's authors advise: at the end of a short path."""
    full = replace(task, lambdas=task.lambdas[-1] * np.geomspace(1000.0, 1.0, 20))
    run = _glmnet.solve(full, tolerance)
    last = slice(-1, None)
    return replace(run, solver="glmnet, path", coef=run.coef[last], intercept=run.intercept[last])


# --------------------------------------------------------------------------- logistic lasso


def skglm_logistic(task: Task, tolerance: float) -> Run:
    """Working sets with proximal Newton steps, each scale started from the last."""
    solver = import_module("skglm.solvers").ProxNewton
    datafit = import_module("skglm.datafits").Logistic()
    penalty = import_module("skglm.penalties").L1(task.alphas[0])
    signs = 2 * task.y - 1
    start = time.perf_counter()
    made = solver(tol=tolerance * task.alphas[0], fit_intercept=False, max_iter=1000)
    w, Xw, coef = np.zeros(task.X.shape[1]), np.zeros(task.y.size), []
    for alpha in task.alphas:
        penalty.alpha = alpha
        w = made.solve(task.X, signs, datafit, penalty, w, Xw)[0]
        coef.append(w.copy())
    return _run("skglm", tolerance, time.perf_counter() - start, coef)


def celer_logistic(task: Task, tolerance: float) -> Run:
    """Working sets with proximal Newton steps, as its estimator does; the penalty is of a sum."""
    celer_path = import_module("celer").celer_path
    signs = 2 * task.y - 1
    options = {"tol": tolerance, "max_iter": 100, "max_epochs": 10**5, "use_PN": True}
    start = time.perf_counter()
    _, coef, _ = celer_path(task.X, signs, "logreg", alphas=task.lambdas, **options)
    return _run("celer", tolerance, time.perf_counter() - start, coef.T)


def liblinear(task: Task, tolerance: float) -> Run:
    """Run scikit-learn's liblinear; it has no warm start, so each scale starts from zero.

    Its saga takes minutes to a gap of 1e-1 on such data, so it is not asked.
    """
    make = import_module("sklearn.linear_model").LogisticRegression
    rows = np.ascontiguousarray(task.X)  # it reads rows, and would copy at each call
    start = time.perf_counter()
    made = make(
        solver="liblinear",
        l1_ratio=1.0,
        fit_intercept=False,
        tol=tolerance,
        max_iter=10**5,
        random_state=0,
    )
    coef = []
    for weight in task.lambdas:
        made.C = 1.0 / weight
        coef.append(made.fit(rows, task.y).coef_[0].copy())
    return _run("scikit-learn, liblinear", tolerance, time.perf_counter() - start, coef)


# --------------------------------------------------------------------------- running them


def powers(first: int, last: int, step: int = 1) -> tuple[float, ...]:
    """Return 10^-first, ..., 10^-last."""
    return tuple(10.0**-k for k in range(first, last + 1, step))


def warm_up(task: Task, solvers: Sequence[Solver]) -> None:
    """Run each solver on a small problem of the same kind, so that nobody compiles on the clock.

    Small, but not so small that ours would take another route than on the large one.
    """
    rng = np.random.default_rng(0)
    ratios = np.array([1.0, 0.5, 0.1])[: max(1, min(3, task.lambdas.size))]
    ratios = ratios if ratios.size > 1 else np.array([0.1])
    X: Any = ar_columns(600, 400, 0.5, rng)
    if sparse.issparse(task.X):
        X = sparse.csc_matrix(np.where(rng.random(X.shape) < 0.5, X, 0.0))
    if task.family == "logistic":
        small = logistic_task(X, 3, ratios, rng)
    else:
        small = gaussian_task(X, 3, ratios, rng, intercept=task.intercept)
    for solve in solvers:
        quietly(partial(solve, small, 1e-4))


def quietly(call: Callable[[], Run]) -> Run:
    """Call without warnings of convergence: the measured gap says it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def shortest(call: Callable[[], Run], repeats: int) -> Run:
    """Return the fastest of `repeats` runs."""
    return min((quietly(call) for _ in range(repeats)), key=lambda run: run.seconds)


def report(task: Task, run: Run) -> float:
    """Print a run as soon as it is there, and return its gap, relative to the objective at 0."""
    gap = float(gaps(task, run.coef, run.intercept)[0].max()) / task.null
    print(f"{run.solver} {run.setting}: {run.seconds:.3f} s, gap {gap:.1e}", flush=True)
    return gap


def climb(task: Task, peer: Peer, *, finest: float, repeats: int, limit: float) -> list[Run]:
    """Run a peer at tighter and tighter tolerances, until a gap or a time is reached.

    Parameters
    ----------
    task : Task
        What to solve.
    peer : Peer
        By whom.
    finest : float
        Stop below this gap, relative to the objective at 0.
    repeats : int
        Runs per tolerance.
    limit : float
        Stop after a run that took more seconds than this.
    """
    if peer.missing is not None:
        print(f"{peer.name}: not here ({peer.missing})", flush=True)
        return []
    runs: list[Run] = []
    for tolerance in peer.tolerances:
        run = shortest(partial(peer.solve, task, tolerance), repeats)
        runs.append(run)
        if report(task, run) <= finest or run.seconds > limit:
            break
    return runs
