"""One line for each of the priors that are compared with each other."""

from __future__ import annotations

from typing import Any

from bayesreg.figures import _ink as ink

RIVALS: dict[str, dict[str, Any]] = {
    "Gaussian": {"color": ink.BLUE, "linestyle": (0, (1, 1.2)), "linewidth": 2.0},
    "Laplace": {"color": ink.BLACK, "linestyle": "-", "linewidth": 1.8},
    "Pareto": {"color": ink.GREEN, "linestyle": (0, (6, 1.5, 1.2, 1.5)), "linewidth": 1.8},
    "horseshoe": {"color": ink.VERMILLION, "linestyle": (0, (5, 2)), "linewidth": 1.8},
    "spike and slab": {
        "color": ink.PURPLE,
        "linestyle": (0, (8, 1.5, 1.2, 1.5, 1.2, 1.5)),
        "linewidth": 2.2,
    },
}
MARKERS: dict[str, str] = {
    "Gaussian": "P",
    "Laplace": "o",
    "Pareto": "v",
    "horseshoe": "^",
    "spike and slab": "s",
}
