"""The Bayesian lasso of Park & Casella (2008), diabetes data: our posterior beside their Table 1.

Run ``python benchmarks/park_casella.py``; it takes seconds. T. Park and G. Casella, The Bayesian
Lasso, Journal of the American Statistical Association 103 (2008), 681-686. Their units and ours:

- Columns are centred and of Euclidean length 1, y is not scaled: coefficients are in the hundreds.
- Their prior is ``λ/(2σ) exp(−λ|β|/σ)``, a Laplace prior of scale ``σ/λ`` on these columns:
  ``Laplace(1/λ, relative_to="sigma")`` with λ = 0.237, their estimate by marginal likelihood.
- Their σ² has the improper density 1/σ². Ours is an inverse gamma density of shape and scale 1e-9,
  which differs from it by a factor ``exp(−1e-9/σ²) σ^(−2e-9)``: by nothing that could be seen.
- Their intercept is flat, and so is ours.

They kept 10 000 draws. The last columns are our median and ends of the interval less theirs, in
standard errors of as many independent draws (of both, ours from as many effective draws as ArviZ
finds); theirs were not independent.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np
from arviz_stats.base import array_stats  # type: ignore[attr-defined]
from scipy import stats

import bayesreg as br

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LAMBDA = 0.237
THEIR_DRAWS = 10_000
LEVELS = (0.025, 0.5, 0.975)
#: Lower end, median and upper end of Table 1, by the names that they use.
TABLE = {
    "age": (-112.02, -3.73, 103.62),
    "sex": (-334.42, -214.55, -94.24),
    "bmi": (393.07, 522.62, 653.82),
    "map": (180.26, 307.56, 436.70),
    "tc": (-579.33, -173.16, 128.54),
    "ldl": (-274.62, -1.50, 341.48),
    "hdl": (-381.60, -152.12, 69.75),
    "tch": (-129.48, 90.43, 349.82),
    "ltg": (332.11, 523.26, 732.75),
    "glu": (-51.22, 62.47, 188.75),
}


def problem() -> br.Problem:
    """Return the posterior of the paper."""
    data = br.datasets.load("diabetes")
    X = data.X - data.X.mean(axis=0)
    return br.Problem(
        X / np.sqrt((X**2).sum(axis=0)),
        data.y,
        names=TABLE,
        likelihood=br.Gaussian(br.InverseGamma(1e-9, 1e-9)),
        prior=br.Laplace(1 / LAMBDA, relative_to="sigma"),
    )


def quantiles(tree: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return `LEVELS` of each coefficient, and effective draws at each; both of shape (p, 3)."""
    beta = tree["posterior"]["beta"].to_numpy()
    found = np.quantile(beta, LEVELS, axis=(0, 1)).T
    size: Callable[..., Any] = array_stats.ess
    sizes = [
        [size(column, method="quantile", prob=level) for level in LEVELS]
        for column in np.moveaxis(beta, 2, 0)
    ]
    return found, np.array(sizes, dtype=np.float64)


def standard_errors(
    ends: NDArray[np.float64], draws: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Standard errors of quantiles (p, 3) of so many independent draws, by a normal density."""
    level = np.array(LEVELS)
    sd = (ends[:, 2] - ends[:, 0]) / (2 * stats.norm.ppf(0.975))
    height = stats.norm.pdf(stats.norm.ppf(level))
    return np.asarray(sd[:, None] * np.sqrt(level * (1 - level) / draws) / height)


def differences(tree: Any) -> NDArray[np.float64]:
    """Return ours less theirs in joint standard errors, shape (p, 3)."""
    ours, sizes = quantiles(tree)
    theirs = np.array(list(TABLE.values()))
    error = np.hypot(standard_errors(ours, sizes), standard_errors(theirs, THEIR_DRAWS))
    return np.asarray((ours - theirs) / error)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--method", default="auto", help="the sampler")
    parser.add_argument("--draws", type=int, default=25_000, help="draws of each of 4 chains")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    posterior = problem()
    tree = br.sample(posterior, options.method, draws=options.draws, seed=options.seed)
    print(posterior, f"\n{tree.attrs['method']}: 4 chains of {options.draws} draws in", end=" ")
    print(f"{tree.attrs['seconds']:.2f} s; bayesreg {br.__version__}, seed {options.seed}\n")
    ours, _ = quantiles(tree)
    off = differences(tree)
    print(f"{'':6}{'Park & Casella':^32}{'bayesreg':^32}{'median, ends, in s.e.':>24}")
    for name, theirs, mine, apart in zip(TABLE, TABLE.values(), ours, off, strict=True):
        cells = [f"{q[1]:9.2f} ({q[0]:8.2f}, {q[2]:8.2f})" for q in (theirs, mine)]
        gaps = f"{apart[1]:8.1f}{apart[0]:8.1f}{apart[2]:8.1f}"
        print(f"{name:6}{cells[0]:>32}{cells[1]:>32}{gaps}")
    print(f"\nlargest difference: {np.abs(off).max():.1f} standard errors")


if __name__ == "__main__":
    main()
