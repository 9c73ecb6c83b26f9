"""The one loop that every iterative optimizer of this package runs in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector
    from bayesreg.optimizers._protocol import Limits


@dataclass(frozen=True, eq=False)
class State:
    """One iterate; a method adds the fields that its next step needs.

    Attributes
    ----------
    point : ndarray
        Where it is.
    value : float
        Objective there.
    change : float
        What the stopping rule looks at, without units: infinite at the start.
    """

    point: Vector
    value: float
    change: float

    @property
    def finite(self) -> bool:
        """Whether all numbers are numbers (the change of a start may be infinite)."""
        return bool(math.isfinite(self.value) and np.isfinite(self.point).all())


@dataclass(frozen=True, eq=False)
class Run:
    """How a loop ended.

    Attributes
    ----------
    point : ndarray
        The last iterate if it converged, else the best one.
    converged : bool
        Whether the stopping rule fired.
    iterations : int
        Iterations done.
    trace : tuple of float
        Objective at the start and after each iteration.
    points : tuple of ndarray or None
        The start and every iterate, if the limits ask for them.
    """

    point: Vector
    converged: bool
    iterations: int
    trace: tuple[float, ...]
    points: tuple[Vector, ...] | None = None


def iterate[S: State](start: S, step: Callable[[S], S], limits: Limits) -> Run:
    """Step until the change is small, the iterations are used up or the numbers end.

    Parameters
    ----------
    start : State
        Where to begin.
    step : callable
        Maps a state to the next.
    limits : Limits
        When to stop.

    Returns
    -------
    Run
        It has converged only if the stopping rule fired at finite numbers. An iterate that is not
        finite ends the loop, as does one that stands still without meeting the rule (the next
        would be the same) and a KeyboardInterrupt; the best iterate so far is returned then.
    """
    state = best = start
    trace, points = [start.value], [start.point]
    converged = False
    try:
        # Overflow is looked for below, once for every method.
        with np.errstate(over="ignore", invalid="ignore"):
            while not converged and len(trace) <= limits.max_iter:
                new = step(state)
                if not new.finite:
                    break
                trace.append(new.value)
                if limits.keep:
                    points.append(new.point)
                converged = new.change <= limits.tol
                stalled = np.array_equal(new.point, state.point)
                state = new
                best = new if new.value <= best.value else best
                if stalled:
                    break
    except KeyboardInterrupt:
        converged = False
    point = state.point if converged else best.point
    kept = tuple(points) if limits.keep else None
    return Run(point, converged, len(trace) - 1, tuple(trace), kept)
