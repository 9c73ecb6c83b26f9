"""A logistic lasso path: seconds to the same measured duality gap.

n = p = 2000, Gaussian columns with AR(0.5) correlation, 50 true coefficients, log odds of standard
deviation 3, 30 scales down to λ_max/33.

Run ``python benchmarks/logistic_path.py``; with every peer it takes some minutes per repeat.
"""

from __future__ import annotations

import _peers as peers
import numpy as np
from _command import compare, parser
from _measure import ar_columns, logistic_task

LEVELS = (1e-4, 1e-6, 1e-8)
PEERS = (
    peers.Peer("glmnet", "glmnet", peers.glmnet, peers.powers(7, 19, 2)),
    peers.Peer("skglm", "skglm", peers.skglm_logistic, peers.powers(2, 10)),
    peers.Peer("scikit-learn, liblinear", "sklearn", peers.liblinear, peers.powers(2, 9)),
    peers.Peer("celer", "celer", peers.celer_logistic, peers.powers(4, 12)),
)


def main() -> None:
    """Make the data and compare."""
    options = parser(__doc__).parse_args()
    n, p, true, scales = (200, 200, 10, 10) if options.quick else (2000, 2000, 50, 30)
    rng = np.random.default_rng(options.seed)
    X = ar_columns(n, p, 0.5, rng)
    task = logistic_task(X, true, np.geomspace(1.0, 1 / 33, scales), rng)
    compare(task, PEERS, LEVELS, options)


if __name__ == "__main__":
    main()
