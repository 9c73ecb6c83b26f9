"""One colour and one line style for each thing that the figures show again and again.

Told apart by style alone: in grey, or by an eye that mixes the hues up.
"""

from __future__ import annotations

from typing import Any

from bayesreg.figures import _ink as ink

PRIOR: dict[str, Any] = {"color": ink.ORANGE, "linestyle": (0, (5, 2)), "linewidth": 1.8}
LIKELIHOOD: dict[str, Any] = {"color": ink.BLUE, "linestyle": (0, (1, 1.2)), "linewidth": 2.0}
POSTERIOR: dict[str, Any] = {"color": ink.PURPLE, "linestyle": "-", "linewidth": 2.0}
#: Markers of single points.
MODE: dict[str, Any] = {"color": ink.BLACK, "marker": "D", "linestyle": "", "markersize": 7}
MEAN: dict[str, Any] = {"color": ink.VERMILLION, "marker": "o", "linestyle": "", "markersize": 7}
MEDIAN: dict[str, Any] = {"color": ink.GREEN, "marker": "s", "linestyle": "", "markersize": 6.5}
LEAST_SQUARES: dict[str, Any] = {"color": ink.BLUE, "marker": "P", "linestyle": "", "markersize": 8}
DRAWS: dict[str, Any] = {"color": ink.SKY, "marker": ".", "linestyle": "", "markersize": 2}
