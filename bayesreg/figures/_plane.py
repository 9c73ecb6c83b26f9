"""A posterior of two coefficients in the plane: regions, draws, points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from bayesreg.figures import _ink as ink
from bayesreg.figures._roles import DRAWS, POSTERIOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bayesreg._validation import Matrix
    from bayesreg.studies._densities import Surface

_SHARES = (0.95, 0.8, 0.5)
# Of the posterior's colour in white, from the outermost region inwards.
_TINTS = (0.12, 0.28, 0.5)


def _tint(share: float) -> tuple[float, float, float]:
    red, green, blue = to_rgb(POSTERIOR["color"])
    return 1 - share * (1 - red), 1 - share * (1 - green), 1 - share * (1 - blue)


def draw_regions(axes: Axes, surface: Surface) -> None:
    """Fill the smallest regions that hold 95, 80 and 50 % of the mass."""
    levels = [surface.level(share) for share in _SHARES]
    top = max(float(surface.log_density.max()), levels[-1]) + 1.0
    colours = [_tint(share) for share in _TINTS]
    grid = (surface.x, surface.y, surface.log_density)
    axes.contourf(*grid, levels=[*levels, top], colors=colours)
    axes.contour(*grid, levels=levels, colors=ink.GREY, linewidths=0.5, linestyles="-")


def region_handles(what: str) -> list[Patch]:
    """Legend entries of the regions."""
    return [
        Patch(
            facecolor=_tint(tint), edgecolor=ink.GREY, linewidth=0.5, label=f"{share:.0%} of {what}"
        )
        for share, tint in reversed(list(zip(_SHARES, _TINTS, strict=True)))
    ]


def draw_cloud(axes: Axes, draws: Matrix, most: int = 700) -> None:
    """Draw some of the draws (m, 2), evenly chosen."""
    some = draws[:: max(1, len(draws) // most)]
    axes.plot(some[:, 0], some[:, 1], **(DRAWS | {"markersize": 3}), zorder=2.5)


def draw_origin(axes: Axes) -> None:
    """Draw the two lines on which a coefficient is 0."""
    axes.axhline(0, color=ink.GREY, linewidth=0.5, zorder=2)
    axes.axvline(0, color=ink.GREY, linewidth=0.5, zorder=2)
