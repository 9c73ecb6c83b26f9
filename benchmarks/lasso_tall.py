"""A tall lasso at one scale, against the time that forming X'X takes.

n = 100 000 rows, p = 200 Gaussian columns with AR(0.5) correlation, 20 true coefficients, signal to
noise 5, λ_max/1000.

Run ``python benchmarks/lasso_tall.py``; with every peer it takes a few minutes per repeat.
"""

from __future__ import annotations

import time

import _peers as peers
import numpy as np
from _command import compare, parser
from _measure import ar_columns, gaussian_task

LEVELS = (1e-4, 1e-6, 1e-8, 1e-10)
PEERS = (
    peers.Peer("scikit-learn, Gram", "sklearn", peers.sklearn_gram, peers.powers(4, 11)),
    peers.Peer("skglm, Gram", "skglm", peers.skglm_gram, peers.powers(2, 12)),
    peers.Peer("glmnet", "glmnet", peers.glmnet, peers.powers(7, 23, 2)),
    peers.Peer("glmnet, path", "glmnet", peers.glmnet_path, peers.powers(7, 23, 2)),
    peers.Peer("scikit-learn", "sklearn", peers.sklearn_lasso, peers.powers(4, 11)),
    peers.Peer("celer", "celer", peers.celer_lasso, peers.powers(4, 13)),
    peers.Peer("skglm", "skglm", peers.skglm_lasso, peers.powers(2, 12)),
)


def forming(X: np.ndarray, repeats: int) -> float:
    """Seconds of X'X, which BLAS computes as a symmetric product; the shortest of the repeats."""
    taken = []
    for _ in range(repeats + 1):  # the first wakes the threads
        start = time.perf_counter()
        np.dot(X.T, X)
        taken.append(time.perf_counter() - start)
    return min(taken[1:])


def main() -> None:
    """Make the data, time X'X, and compare."""
    options = parser(__doc__).parse_args()
    n, p, true = (2000, 30, 5) if options.quick else (100_000, 200, 20)
    rng = np.random.default_rng(options.seed)
    task = gaussian_task(ar_columns(n, p, 0.5, rng), true, np.array([1e-3]), rng)
    runs = compare(task, PEERS, LEVELS, options)
    product = forming(task.X, max(10, options.repeats))
    print(f"\nForming X'X once, np.dot(X.T, X): {product:.3f} s")
    for run in runs:
        print(f"  {run.solver} ({run.setting}): {run.seconds / product:.2f} × that")


if __name__ == "__main__":
    main()
