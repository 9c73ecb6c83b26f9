"""A lasso path in high dimension: seconds to the same measured duality gap.

n = 1000 rows, p = 5000 Gaussian columns with AR(0.5) correlation, 50 true coefficients, signal to
noise 5, 100 scales down to λ_max/100.

Run ``python benchmarks/lasso_path.py``; with every peer it takes some minutes per repeat.
"""

from __future__ import annotations

import _peers as peers
import numpy as np
from _command import compare, parser
from _measure import ar_columns, gaussian_task

LEVELS = (1e-4, 1e-6, 1e-8, 1e-10)
PEERS = (
    peers.Peer("glmnet", "glmnet", peers.glmnet, peers.powers(7, 23, 2)),
    peers.Peer("skglm", "skglm", peers.skglm_lasso, peers.powers(2, 11)),
    peers.Peer("celer", "celer", peers.celer_lasso, peers.powers(4, 13)),
    peers.Peer("scikit-learn", "sklearn", peers.sklearn_lasso, peers.powers(4, 11)),
)


def main() -> None:
    """Make the data and compare."""
    command = parser(__doc__)
    command.add_argument("--intercept", action="store_true", help="with an unpenalised intercept")
    options = command.parse_args()
    n, p, true, scales = (100, 300, 10, 20) if options.quick else (1000, 5000, 50, 100)
    rng = np.random.default_rng(options.seed)
    ratios = np.geomspace(1.0, 1e-2, scales)
    X = ar_columns(n, p, 0.5, rng)
    task = gaussian_task(X, true, ratios, rng, intercept=options.intercept)
    compare(task, PEERS, LEVELS, options)


if __name__ == "__main__":
    main()
