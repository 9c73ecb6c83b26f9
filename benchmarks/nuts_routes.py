"""Which way to run NUTS is fastest from a fresh process: ours, nutpie on PyMC, or PyMC alone.

Run ``python benchmarks/nuts_routes.py``; it takes a few minutes. Each cell is a process of its own,
so that imports and compilation count, with PyTensor's cache as it is found. Four chains of 1000
tuning steps and 1000 draws. "seconds" runs from the start of the interpreter to draws in memory,
"sampling" is what the sampler itself took; effective draws are the smallest bulk size of all
variables, divided by either. PyMC is given centred and standardised columns, as its users would do;
"raw" is the model of the columns as they are. Ours gets those and whitens them itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

import bayesreg as br

SIZES = {"chains": 4, "draws": 1000, "tune": 1000}


def diabetes_lasso() -> br.Problem:
    """442 × 10, Gaussian with known sigma, Laplace prior on standardised columns."""
    data = br.datasets.load("diabetes")
    likelihood, prior = br.Gaussian(sigma=54.0), br.Laplace(scale=16.5)
    return br.Problem(data.X, data.y, likelihood=likelihood, prior=prior, standardize=True)


def cancer_logistic_lasso() -> br.Problem:
    """569 × 30, logistic, Laplace prior on standardised columns."""
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415  (for this problem only)

    X, y = load_breast_cancer(return_X_y=True)
    prior = br.Laplace(scale=1.0)
    return br.Problem(X, y, likelihood=br.Bernoulli(), prior=prior, standardize=True)


PROBLEMS = {"diabetes lasso": diabetes_lasso, "breast-cancer logistic lasso": cancer_logistic_lasso}


def by_bayesreg(problem: br.Problem) -> Any:
    """Sample the problem by our own log density."""
    return br.sample(problem, "nuts", seed=1, **SIZES)


def by_raw_nutpie(problem: br.Problem) -> Any:
    """Write the problem as a PyMC model, compile it, and run nutpie."""
    import nutpie  # noqa: PLC0415  (its import is part of what is measured)

    compiled = nutpie.compile_pymc_model(br.to_pymc(problem))
    return nutpie.sample(compiled, seed=1, progress_bar=False, **SIZES)


def by_nutpie(problem: br.Problem) -> Any:
    """Run nutpie on the model of the standardised columns."""
    return by_raw_nutpie(problem.standardized()[0])


def by_pymc(problem: br.Problem) -> Any:
    """Write the problem as a PyMC model and use PyMC's own sampler."""
    import pymc as pm  # noqa: PLC0415  (its import is part of what is measured)

    with br.to_pymc(problem.standardized()[0]):
        return pm.sample(random_seed=1, progressbar=False, cores=2, nuts_sampler="pymc", **SIZES)


ROUTES = {
    "bayesreg": by_bayesreg,
    "nutpie on PyMC": by_nutpie,
    "nutpie on PyMC, raw": by_raw_nutpie,
    "pm.sample": by_pymc,
}


def measure(problem: str, route: str, start: float) -> dict[str, float]:
    """Run one cell in this process; `start` is when the process was asked for."""
    posterior = PROBLEMS[problem]()
    before = time.perf_counter()
    tree = ROUTES[route](posterior)
    sampling, seconds = time.perf_counter() - before, time.time() - start
    found = br.diagnose(tree)
    return {
        "seconds": seconds,
        "sampling": sampling,
        "ess": float(found.ess_bulk_min or np.nan),
        "divergences": float(found.divergences),
        "steps": float(tree["sample_stats"].to_dataset()["n_steps"].mean()),
    }


def main() -> None:
    """Print the table; with arguments, measure one cell and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cell", nargs="*", help="problem, route and start time, for one cell")
    cell = parser.parse_args().cell
    if cell:
        print(json.dumps(measure(cell[0], cell[1], float(cell[2]))))
        return
    header = (
        "problem",
        "route",
        "seconds",
        "sampling",
        "min ESS",
        "ESS/s",
        "of sampling",
        "div",
        "steps",
    )
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for problem in PROBLEMS:
        for route in ROUTES:
            command = [sys.executable, __file__, problem, route, repr(time.time())]
            done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  (ourselves)
            found = json.loads(done.stdout.splitlines()[-1])
            ess = found["ess"]
            print(
                f"| {problem} | {route} | {found['seconds']:.1f} | {found['sampling']:.1f} "
                f"| {ess:.0f} | {ess / found['seconds']:.0f} | {ess / found['sampling']:.0f} "
                f"| {found['divergences']:.0f} | {found['steps']:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
