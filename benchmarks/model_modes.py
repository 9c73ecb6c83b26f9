"""Modes of PyMC models: `find_map(model)` against `pm.find_MAP`, seconds and excess in nats.

Run with ``python benchmarks/model_modes.py``. Each model and each method gets a fresh process with
an empty compile cache: its first call is the one after an installation, its second one comes from
the same process. Two lassos are read as penalised regressions; three models are none. The excess is
the objective above the best of both methods, in PyMC's own log density; "zeros" counts the entries
of the Laplace variables that are exactly zero. Imports are not counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm

import bayesreg as br

if TYPE_CHECKING:
    from collections.abc import Callable


def _lasso(p: int) -> pm.Model:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(500, p))
    y = X[:, :5] @ np.array([3.0, -2.0, 1.5, 1.0, -0.5]) + rng.normal(size=500)
    with pm.Model() as model:
        beta = pm.Laplace("beta", np.float64(0), np.float64(0.02), shape=p)
        pm.Normal("y", X @ beta, np.float64(1), observed=y)
    return model


def lasso_10() -> pm.Model:
    """Ten coefficients."""
    return _lasso(10)


def lasso_1000() -> pm.Model:
    """Twice as many coefficients as rows."""
    return _lasso(1000)


def student_lasso() -> pm.Model:
    """Student-t noise of unknown scale, 50 coefficients."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 50))
    y = X[:, :3] @ np.array([2.0, -1.0, 0.5]) + rng.standard_t(3, size=200)
    with pm.Model() as model:
        beta = pm.Laplace("beta", np.float64(0), np.float64(0.05), shape=50)
        sigma = pm.HalfNormal("sigma", np.float64(2))
        pm.StudentT("y", nu=np.float64(3), mu=X @ beta, sigma=sigma, observed=y)
    return model


def decay() -> pm.Model:
    """Exponential decay with a Laplace effect on the log rate of each of 20 groups."""
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(20), 8)
    t = np.tile(np.linspace(0.2, 4.0, 8), 20)
    effect = np.where(np.arange(20) < 4, [0.6, -0.5, 0.8, -0.7] * 5, 0.0)
    y = 5 * np.exp(-0.7 * np.exp(effect[group]) * t) + 0.15 * rng.normal(size=160)
    with pm.Model() as model:
        height = pm.Normal("height", np.float64(0), np.float64(10))
        log_rate = pm.Normal("log_rate", np.float64(0), np.float64(1))
        own = pm.Laplace("own", np.float64(0), np.float64(0.1), shape=20)
        sigma = pm.HalfNormal("sigma", np.float64(1))
        rate = pm.math.exp(log_rate + own[group])
        pm.Normal("y", height * pm.math.exp(-rate * t), sigma, observed=y)
    return model


def hierarchical_means() -> pm.Model:
    """Means of 30 groups by a Laplace deviation from an unknown one, sigma unknown."""
    rng = np.random.default_rng(4)
    group = np.repeat(np.arange(30), 6)
    truth = 10 + np.where(np.arange(30) < 5, 3.0, 0.0)
    y = truth[group] + rng.normal(size=180)
    with pm.Model() as model:
        centre = pm.Normal("centre", np.float64(0), np.float64(20))
        sigma = pm.HalfNormal("sigma", np.float64(5))
        mean = pm.Laplace("mean", centre, np.float64(0.3), shape=30)
        pm.Normal("y", mean[group], sigma, observed=y)
    return model


MODELS: dict[str, Callable[[], pm.Model]] = {
    build.__name__: build for build in (lasso_10, lasso_1000, student_lasso, decay,
                                        hierarchical_means)
}  # fmt: skip


def ours(model: pm.Model) -> dict[str, Any]:
    """Our mode, as values of the value variables."""
    fit: Any = br.find_map(model, seed=0)
    return dict(fit.point)


def theirs(model: pm.Model) -> dict[str, Any]:
    """PyMC's mode, jittered as its documentation asks for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = pm.find_MAP(
            model=model,
            jitter=True,
            random_seed=0,
            progressbar=False,
            return_inferencedata=True,
            idata_kwargs={"include_transformed": True},
        )
    groups = [tree[name] for name in ("posterior", "unconstrained_posterior") if name in tree]
    return {
        value.name: next(g[value.name] for g in groups if value.name in g).to_numpy()[0, 0]
        for value in model.value_vars
    }


def child(name: str, method: str) -> None:
    """Time two calls in this process, and print what they found as JSON."""
    model, seconds = MODELS[name](), []
    for _ in range(2):
        begin = time.perf_counter()
        point = {"ours": ours, "theirs": theirs}[method](model)
        seconds.append(time.perf_counter() - begin)
    value = -float(model.compile_logp(jacobian=False, mode="FAST_COMPILE")(point))
    zeros = sum(
        int((point[str(rv.name)] == point.get("centre", 0.0)).sum())
        for rv in model.free_RVs
        if type(rv.owner.op) is pm.Laplace.rv_type
    )
    print(json.dumps({"seconds": seconds, "objective": value, "zeros": zeros}))


def main() -> None:
    """Print one line per model and method."""
    print(f"{'model':20}{'method':10}{'first s':>9}{'later s':>9}{'excess':>11}{'zeros':>7}")
    for name in MODELS:
        rows = {}
        for method in ("ours", "theirs"):
            with tempfile.TemporaryDirectory() as cache:
                flags = f"base_compiledir={cache}"
                done = subprocess.run(  # noqa: S603  (this file itself)
                    [sys.executable, __file__, name, method],
                    env=os.environ | {"PYTENSOR_FLAGS": flags, "NUMBA_CACHE_DIR": cache},
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
            rows[method] = json.loads(done.stdout.splitlines()[-1])
        best = min(row["objective"] for row in rows.values())
        for method, row in rows.items():
            first, later = row["seconds"]
            excess = row["objective"] - best
            print(
                f"{name:20}{method:10}{first:9.2f}{later:9.2f}{excess:11.2e}{row['zeros']:7d}",
                flush=True,
            )


if __name__ == "__main__":
    child(*sys.argv[1:]) if len(sys.argv) == 3 else main()
