"""Draws of lasso, horseshoe and logistic posteriors: ours by Gibbs, PyMC's NUTS, and nutpie's.

Smallest bulk effective sample size over the coefficients, per second of wall time that sampling
took, tuning included; compilation is not in it, and stated. Everybody has the same time: 1000
tuning steps and then as many draws as it allows, up to the same number; where it does not allow
that much tuning, half of it is tuning. The Gaussian posteriors have unknown sigma, half-Cauchy(sd
of y), and an unknown scale relative to sigma, half-Cauchy(1): on the diabetes data (442 × 10), and
on AR(0.5) columns with a sparse truth. The logistic lasso has a half-normal(1) scale. All columns
are standardised, for everybody. PyMC's models are written as they sample best: non-centred,
``beta = scale · sigma · local · z``. Four chains each, on the cores there are.

Run ``python benchmarks/posterior_draws.py``; peers are slow, so it takes an hour.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from _command import chosen
from _measure import OURS, ar_columns, print_table, true_coef, version
from scipy.special import expit
from threadpoolctl import threadpool_limits

import bayesreg as br

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHAINS = 4
CORES = os.cpu_count() or 1
# Tuning steps per chain where the limit allows; tuning steps and draws of the run that finds out.
USUAL, LEAST = 1000, 100


@dataclass(frozen=True, eq=False)
class Posterior:
    """Data and the prior family; columns are standardised.

    Attributes
    ----------
    name : str
        What the table calls it.
    X, y : ndarray, shapes (n, p) and (n,)
        Data.
    prior : str
        ``"lasso"`` or ``"horseshoe"``.
    draws : int
        The most that anybody is asked for per chain.
    binary : bool
        Whether the likelihood is logistic.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    prior: str
    draws: int
    binary: bool = False

    def problem(self) -> br.Problem:
        """Write it for bayesreg."""
        family = {"lasso": br.Laplace, "horseshoe": br.Horseshoe}[self.prior]
        if self.binary:
            # With a flat intercept, a half-Cauchy scale is improper where the data are separable.
            prior = family(scale=br.HalfNormal(1.0))
            return br.Problem(self.X, self.y, likelihood=br.Bernoulli(), prior=prior)
        likelihood = br.Gaussian(sigma=br.HalfCauchy(float(self.y.std())))
        prior = family(scale=br.HalfCauchy(1.0), relative_to="sigma")
        return br.Problem(self.X, self.y, likelihood=likelihood, prior=prior)

    def model(self) -> Any:
        """Write it for PyMC, non-centred."""
        import pymc as pm  # noqa: PLC0415  (seconds; not on anybody's clock)

        p = self.X.shape[1]
        with pm.Model() as model:
            width = (pm.HalfNormal if self.binary else pm.HalfCauchy)("scale", 1.0)
            level = pm.Flat("intercept", initval=0.0 if self.binary else float(self.y.mean()))
            sigma = None if self.binary else pm.HalfCauchy("sigma", beta=float(self.y.std()))
            width = width if sigma is None else width * sigma
            if self.prior == "lasso":
                z = pm.Laplace("z", mu=0.0, b=1.0, shape=p)
            else:
                z = pm.Normal("z", shape=p) * pm.HalfCauchy("local", beta=1.0, shape=p)
            beta = pm.Deterministic("beta", width * z)
            eta = level + pm.math.dot(self.X, beta)
            if self.binary:
                pm.Bernoulli("y", logit_p=eta, observed=self.y)
            else:
                pm.Normal("y", mu=eta, sigma=sigma, observed=self.y)
        return model


@dataclass(frozen=True)
class Outcome:
    """One run: seconds of sampling and of compilation, draws kept, and smallest effective size."""

    sampler: str
    seconds: float
    compiling: float
    tune: int
    draws: int
    ess: float

    @property
    def rate(self) -> float:
        """Effective draws per second of sampling."""
        return self.ess / self.seconds


# --------------------------------------------------------------------------- data


def standardised(X: np.ndarray) -> np.ndarray:
    """Centre the columns and divide by their sd."""
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0))


def simulated(n: int, p: int, true: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """AR(0.5) columns, `true` coefficients that are not 0, signal to noise 5."""
    rng = np.random.default_rng(seed)
    X = standardised(ar_columns(n, p, 0.5, rng))
    signal = X @ true_coef(p, true, rng)
    return X, signal + rng.standard_normal(n) * signal.std() / np.sqrt(5.0)


def posteriors(seed: int, *, quick: bool) -> list[Posterior]:
    """All that are compared."""
    data = br.datasets.load("diabetes")
    gaussian = {
        "diabetes": (standardised(np.asarray(data.X)), np.asarray(data.y), 20_000),
        "n = 2000, p = 200": (*simulated(2000, 200, 20, seed), 10_000),
        "n = 200, p = 1000": (*simulated(200, 1000, 20, seed), 10_000),
    }
    if quick:
        gaussian = {
            "diabetes": (*gaussian["diabetes"][:2], 1000),
            "n = 40, p = 60": (*simulated(40, 60, 5, seed), 300),
        }
    made = [
        Posterior(f"{prior}, {name}", X, y, prior, draws)
        for prior in ("lasso", "horseshoe")
        for name, (X, y, draws) in gaussian.items()
    ]
    rng = np.random.default_rng(seed)
    n, p = (200, 5) if quick else (2000, 50)
    X = standardised(ar_columns(n, p, 0.5, rng))
    signal = X @ true_coef(p, max(p // 5, 2), rng)
    common = (rng.random(n) < expit(2.0 * signal / signal.std())).astype(float)
    rare = (rng.random(n) < expit(2.0 * signal / signal.std() - 5.0)).astype(float)
    for name, y in (("balanced", common), (f"{int(rare.sum())} ones", rare)):
        title = f"logistic lasso, {n} × {p}, {name}"
        made.append(Posterior(title, X, y, "lasso", 2000, binary=True))
    return made


# --------------------------------------------------------------------------- samplers


def smallest_ess(beta: np.ndarray) -> float:
    """Smallest bulk effective sample size of (chain, draw, p)."""
    from arviz_stats.base import array_stats  # noqa: PLC0415  (seconds; not on anybody's clock)

    return min(float(array_stats.ess(beta[:, :, j], method="bulk")) for j in range(beta.shape[2]))


def ours(posterior: Posterior, tune: int, draws: int, seed: int) -> Outcome:
    """Call the library; what comes before is one short call, which compiles or loads from disk."""
    problem = posterior.problem()
    sample = partial(br.sample, problem, "gibbs", chains=CHAINS, progress=False)
    start = time.perf_counter()
    sample(draws=2, tune=100, seed=0)
    ready = time.perf_counter()
    tree = sample(draws=draws, tune=tune, seed=seed)
    seconds = time.perf_counter() - ready
    beta = tree["posterior"]["beta"].to_numpy()
    return Outcome(OURS, seconds, ready - start, tune, draws, smallest_ess(beta))


def by_pymc(posterior: Posterior, tune: int, draws: int, seed: int) -> Outcome:
    """Let PyMC sample: its own clock runs from the first tuning step."""
    import pymc as pm  # noqa: PLC0415  (seconds; not on anybody's clock)

    with posterior.model():
        start = time.perf_counter()
        tree = pm.sample(
            draws=draws, tune=tune, chains=CHAINS, cores=CORES, random_seed=seed,
            progressbar=False, nuts_sampler="pymc", compute_convergence_checks=False,
        )  # fmt: skip
        total = time.perf_counter() - start
    seconds = float(tree["posterior"].attrs["sampling_time"])
    ess = smallest_ess(tree["posterior"]["beta"].to_numpy())
    return Outcome("PyMC NUTS", seconds, total - seconds, tune, draws, ess)


def by_nutpie(posterior: Posterior, tune: int, draws: int, seed: int) -> Outcome:
    """Compile PyMC's model for nutpie, and sample."""
    import nutpie  # noqa: PLC0415  (seconds; not on anybody's clock)

    model = posterior.model()
    start = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model)
    ready = time.perf_counter()
    tree = nutpie.sample(
        compiled, draws=draws, tune=tune, chains=CHAINS, cores=CORES, seed=seed, progress_bar=False
    )
    seconds = time.perf_counter() - ready
    ess = smallest_ess(tree["posterior"]["beta"].to_numpy())
    return Outcome("nutpie", seconds, ready - start, tune, draws, ess)


def within(limit: float, most: int, sampler: Callable[[int, int], Outcome]) -> Outcome:
    """Ask for as many draws as a short run says the limit allows."""
    short = sampler(LEAST, LEAST)
    steps = int(2 * LEAST * limit / short.seconds)
    tune = min(USUAL, steps // 2)
    return short if tune < 1.5 * LEAST else sampler(tune, min(steps - tune, most))


SAMPLERS = {OURS: ours, "PyMC NUTS": by_pymc, "nutpie": by_nutpie}


def compare(posterior: Posterior, options: argparse.Namespace) -> list[Outcome]:
    """Everybody on one posterior; print the table."""
    print(f"\n{posterior.name}", flush=True)
    seed, only = options.seed + 1, options.only
    outcomes = [
        within(options.limit, posterior.draws, partial(sampler, posterior, seed=seed))
        for name, sampler in SAMPLERS.items()
        if chosen(name, only)
    ]
    best = next((o.rate for o in outcomes if o.sampler == OURS), float("nan"))
    header = (
        "sampler", "seconds", "compiling", "tune", "draws × 4", "min ESS", "ESS/s",
        "with compiling", "ours / theirs",
    )  # fmt: skip
    print_table(
        header,
        [
            [
                o.sampler,
                f"{o.seconds:.2f}",
                f"{o.compiling:.1f}",
                str(o.tune),
                str(o.draws),
                f"{o.ess:.0f}",
                f"{o.rate:.4g}",
                f"{o.ess / (o.seconds + o.compiling):.4g}",
                f"{best / o.rate:.3g}",
            ]
            for o in outcomes
        ],
    )
    return outcomes


# --------------------------------------------------------------------------- beside the tables


def in_a_process(code: str, **environment: str) -> Any:
    """Run code in a fresh interpreter, and return the JSON that it prints last."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(  # noqa: S603  (ourselves)
        command, capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return json.loads(done.stdout.splitlines()[-1])


_FIRST_CALL = """
import json, time
import numpy as np, bayesreg as br
from bayesreg.posterior import sampling
rng = np.random.default_rng(0)
X = rng.normal(size=(20, 3))
y = X[:, 0] + rng.normal(size=20)
gaussian = br.Problem(X, y, likelihood=br.Gaussian(sigma=br.HalfCauchy(1.0)),
                      prior=br.Laplace(br.HalfCauchy(1.0), relative_to="sigma"))
logistic = br.Problem(X, (y > 0).astype(float), likelihood=br.Bernoulli(),
                      prior=br.Laplace(br.HalfCauchy(1.0)))
exact = br.Problem(X, y, likelihood=br.Gaussian(sigma=1.0), prior=br.Normal(1.0))
br.sample(exact, draws=2, seed=0)  # loads xarray
found = []
for problem in (gaussian, logistic):
    start = time.perf_counter()
    br.sample(problem, "gibbs", draws=2, tune=100, chains=1, seed=0, progress=False)
    found.append(time.perf_counter() - start)
print(json.dumps(found))
"""

_MEMORY = """
import json, resource
import numpy as np, bayesreg as br
n, p = 100, {p}
rng = np.random.default_rng(0)
def problem(p):
    X = rng.standard_normal((n, p))
    y = X[:, :5].sum(axis=1) + rng.standard_normal(n)
    return br.Problem(X, y, likelihood=br.Gaussian(sigma=br.HalfCauchy(1.0)),
                      prior=br.{prior}(br.HalfCauchy(1.0), relative_to="sigma"))
def sample(problem):
    br.sample(problem, "gibbs", draws=20, tune=20, chains=1, seed=0, progress=False)
sample(problem(200))
large = problem(p)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sample(large)
print(json.dumps([before / 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def print_compilation() -> None:
    """State what the first call of all costs, and the first one of a process afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        first = in_a_process(_FIRST_CALL, NUMBA_CACHE_DIR=folder)
        later = in_a_process(_FIRST_CALL, NUMBA_CACHE_DIR=folder)
    print("\nSeconds of a process's first short call, code compiled / loaded from disk:")
    for name, compiled, loaded in zip(("Gaussian", "logistic"), first, later, strict=True):
        print(f"  {name}: {compiled:.1f} / {loaded:.1f}")


def print_factorisation(posterior: Posterior) -> None:
    """Print our time per draw, one chain on one core, beside that of one Cholesky factorisation."""
    X = posterior.X
    Q = X.T @ X + np.eye(X.shape[1])
    problem, count = posterior.problem(), 4000
    with threadpool_limits(1, user_api="blas"):
        taken = []
        for _ in range(50):
            start = time.perf_counter()
            np.linalg.cholesky(Q)
            taken.append(time.perf_counter() - start)
    sample = partial(br.sample, problem, "gibbs", chains=1, seed=0, progress=False)
    spent = [math.inf, math.inf]
    for _ in range(5):
        for k in (0, 1):  # the difference: neither starting nor storing is in it
            start = time.perf_counter()
            sample(draws=(k + 1) * count, tune=1)
            spent[k] = min(spent[k], time.perf_counter() - start)
    ours, theirs = (spent[1] - spent[0]) / count, float(np.min(taken))
    print(
        f"\n{posterior.name}, one core: {1e3 * ours:.3f} ms per draw, "
        f"{1e3 * theirs:.3f} ms per np.linalg.cholesky of {Q.shape}: {ours / theirs:.2f} of it"
    )


def print_memory(p: int) -> None:
    """Print the most memory that was resident while sampling n = 100 rows of p columns."""
    print(f"\nn = 100, p = {p}: data {8e-6 * 100 * p:.0f} MB, a p × p array {8e-6 * p * p:.0f} MB;")
    for prior in ("Laplace", "Horseshoe"):
        before, after = in_a_process(_MEMORY.format(p=p, prior=prior))
        print(f"  {prior}: peak {after:.0f} MB, {after - before:.0f} MB more than with the data")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the machine, a table per posterior, and the figures beside them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--seed", type=int, default=0, help="seed of data and draws")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds that each may sample")
    parser.add_argument("--only", nargs="+", metavar="SAMPLER", help="by start of the name")
    parser.add_argument("--on", nargs="+", metavar="NAME", help="posteriors, by part of the name")
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore")  # of peers' short runs
    logging.getLogger("pymc").setLevel(logging.ERROR)
    names = ("numpy", "numba", "pymc", "nutpie", "arviz")
    print(f"{OURS} {br.__version__}; " + ", ".join(f"{name} {version(name)}" for name in names))
    print(f"{CORES} cores, load {os.getloadavg()[0]:.2f}; {CHAINS} chains; seed {options.seed}")
    made = posteriors(options.seed, quick=options.quick)
    for posterior in made:
        if options.on is None or any(part in posterior.name for part in options.on):
            compare(posterior, options)
    if chosen(OURS, options.only):
        for posterior in made:
            if posterior.name.endswith("p = 200"):
                print_factorisation(posterior)
        print_memory(2000 if options.quick else 20_000)
        print_compilation()


if __name__ == "__main__":
    main()
