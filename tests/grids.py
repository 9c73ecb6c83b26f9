"""Posteriors on grids, and how far draws may be from them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from arviz_stats.base import array_stats  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Sequence

type Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

#: A right sampler is further off than so many standard errors once in two million.
SURE = 5.0


def graded(far: float, count: int = 700, near: float = 1e-4) -> tuple[Numbers, Numbers]:
    """Nodes and weights on ``[−far, far]``, dense around 0: densities have kinks and poles."""
    t = np.linspace(-1, 1, count) * math.asinh(far / near)
    return near * np.sinh(t), near * np.cosh(t) * (t[1] - t[0])


def even(low: float, high: float, count: int = 300) -> tuple[Numbers, Numbers]:
    """Nodes and weights on an interval, evenly."""
    x = np.linspace(low, high, count)
    return x, np.full(count, x[1] - x[0])


def summarise(
    log_density: Numbers, nodes: Sequence[Numbers], weights: Sequence[Numbers]
) -> list[tuple[float, float]]:
    """Mean and sd along each axis of a density on a grid."""
    mass = np.exp(log_density - log_density.max())
    axes: tuple[Numbers, ...] = np.ix_(*weights)
    for weight in axes:
        mass = mass * weight
    mass /= mass.sum()
    out = []
    for axis, x in enumerate(nodes):
        marginal = mass.sum(axis=tuple(k for k in range(mass.ndim) if k != axis))
        mean = float(marginal @ x)
        out.append((mean, math.sqrt(float(marginal @ (x - mean) ** 2))))
    return out


def mcse(draws: Numbers, of: str) -> float:
    """Monte Carlo standard error of the mean or of the sd of (chain, draw)."""
    return float(array_stats.mcse(draws, method=of))  # type: ignore[no-untyped-call]


def agree(draws: Numbers, mean: float, sd: float) -> None:
    """Mean and sd of (chain, draw) are within their Monte Carlo errors, and these are small."""
    assert mcse(draws, "mean") < 0.1 * sd
    assert abs(draws.mean() - mean) < SURE * mcse(draws, "mean")
    assert abs(draws.std() - sd) < SURE * mcse(draws, "sd")


def agree_with_each_other(a: Numbers, b: Numbers) -> None:
    """Mean and sd of two samples (chain, draw), or of each coefficient, are as far as they may."""
    one, other = (np.moveaxis(x.reshape(*x.shape[:2], -1), -1, 0) for x in (a, b))
    for x, y in zip(one, other, strict=True):
        for of, value in (("mean", np.mean), ("sd", np.std)):
            assert abs(value(x) - value(y)) < SURE * math.hypot(mcse(x, of), mcse(y, of))
