"""Scales that shrink together with what they scale: where joint densities have no maximum.

A density of m variables with a common scale τ is proportional to τ⁻ᵐ where all of them sit at their
centre, so unless the prior of τ vanishes faster than τᵐ, the joint density is unbounded as τ goes
to 0, whatever the data say: they only change by how much it falls short at first. A local mode may
hide that (heavy tails let large effects stay out), so the way there is measured: in log τ the
objective becomes a straight line exactly where it has no minimum on that way.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.composite_mode import Outcome, Run, descend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayesreg._validation import Vector
    from bayesreg.model_objective import ModelObjective

__all__ = ["FALLING", "collapses"]

# A fall of the objective per unit of a coordinate that has run away, in nats: it falls for ever.
FALLING = 1e-3
# How far from the best point the scale goes, on the scale of its transform (80 is a factor 1e35).
_DEPTHS = (10.0, 20.0, 40.0, 80.0)
# Two slopes that differ by less, relatively, are those of a straight line. A log-normal prior bends
# it for ever: of logarithmic sd s, by 30/s² from one piece to the next.
_STRAIGHT = 0.01
_MOST_COORDINATES = 32


def collapses(objective: ModelObjective, origin: Vector) -> list[Run]:
    """Follow each scale to both ends of its range, what it scales being at its centre.

    Parameters
    ----------
    objective : ModelObjective
        Minus the log density of a model.
    origin : ndarray, shape (d,)
        The best point found.

    Returns
    -------
    list of Run
        One that falls for ever where there is one, and nothing else then; else searches from each
        point on the way that is better than `origin`.
    """
    with np.errstate(all="ignore"):
        lowest = objective.evaluate(origin).value
        starts = []
        for way in _ways(objective):
            line = _line(objective, origin, way)
            if _is_unbounded(line):
                return [_run(line, lowest, origin, way)]
            inside = [(x, value) for x, value in line if np.isfinite(value)]
            best = min(inside, key=lambda pair: pair[1], default=(origin, lowest))
            if best[1] < lowest:
                starts.append(best[0])
    return [descend(objective, x) for x in starts]


def _ways(objective: ModelObjective) -> Iterator[tuple[int, Vector]]:
    """Yield scales, by their block, with the direction: each of a vector, then all together."""
    scales = [k for k, block in enumerate(objective.blocks) if block.transform]
    scales = [k for k in scales if objective.descendants[k]]
    spread = [(k, j) for k in scales for j in _coordinates(objective, k)]
    singles = [(k, [j]) for k, j in spread if len(_coordinates(objective, k)) > 1]
    if len(singles) > _MOST_COORDINATES:
        chosen = np.linspace(0, len(singles) - 1, _MOST_COORDINATES).astype(int)
        singles = [singles[i] for i in chosen]
    for k, columns in [*singles, *((k, _coordinates(objective, k)) for k in scales)]:
        direction = np.zeros(objective.size)
        direction[columns] = 1.0
        yield k, -direction
        yield k, direction  # of a precision, or the logarithm of 1/τ


def _coordinates(objective: ModelObjective, k: int) -> list[int]:
    return list(range(objective.blocks[k].start, objective.blocks[k].stop))


def _line(
    objective: ModelObjective, origin: Vector, way: tuple[int, Vector]
) -> list[tuple[Vector, float]]:
    """Evaluate the objective on the way."""
    k, direction = way
    points = [objective.centred(origin + depth * direction, k) for depth in _DEPTHS]
    return [(x, objective.evaluate(x).value) for x in points]


def _is_unbounded(line: list[tuple[Vector, float]]) -> bool:
    """Whether the values go down a straight line in the end."""
    *_, before, last = _slopes(line)
    # Written so that NaN is a no.
    return last < -FALLING and abs(last - before) <= _STRAIGHT * abs(last)


def _slopes(line: list[tuple[Vector, float]]) -> list[float]:
    values = [value for _, value in line]
    return [
        (two - one) / (far - near)
        for (one, two), (near, far) in zip(pairwise(values), pairwise(_DEPTHS), strict=True)
    ]


def _run(
    line: list[tuple[Vector, float]], lowest: float, origin: Vector, way: tuple[int, Vector]
) -> Run:
    """Tell of the way like a search that went it."""
    return Run(
        x=line[-1][0],
        value=line[-1][1],
        outcome=Outcome.RUNAWAY,
        residual=np.inf,
        iterations=0,
        direction=way[1],
        slope=_slopes(line)[-1],
        trace=((origin, lowest), *line),
    )
