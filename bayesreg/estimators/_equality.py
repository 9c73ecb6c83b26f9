r"""Where growth and decay of a rate are equal: cones along which only the tails of priors fall.

Where no direction outgrows a posterior (`bayesreg.estimators._growth`) but some keep up with it,
they are a cone. Nothing falls along it but tails like a power ``r^−k`` of the distance r, and those
have an integral over the cone if k exceeds its dimension; so it has to be for every choice of the
coefficients that are far out while others with such tails stay. The powers of coefficients add up;
m of them that share a scale whose prior falls like ``s^−q`` have ``q − 1 + m`` together. It is the
rule by which posteriors themselves are proper (`bayesreg.posterior.unknowns`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.posterior.unknowns import (
    EQUAL_POWERS,
    TailStructure,
    choices,
    moves,
    scale_fall,
)
from bayesreg.propriety import cone_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

    type Mask = NDArray[np.bool_]

# Rounding of what is equal, relative to the size of a direction.
_ROUNDED = 1e-9


@dataclass(frozen=True, eq=False)
class SlowTails:
    """How the priors of q coefficients fall where they fall slower than exponentially.

    Attributes
    ----------
    power : ndarray, shape (q,)
        Of each by itself; inf if it falls faster than a power, 0 if nothing slower than
        exponentially is in its way.
    shared : ndarray of bool, shape (q,)
        Which share an unknown scale.
    shared_power : float
        Of all of these together.
    """

    power: Vector
    shared: Mask
    shared_power: float

    @classmethod
    def of(cls, problem: Problem, loose: NDArray[np.intp], rate: Vector) -> SlowTails:
        """Ask the prior of the coefficients at `loose`, of these exponential rates; (q,) in all."""
        structure = TailStructure.of(problem)
        free = structure.flat[loose] | structure.half_flat[loose] | (rate[: loose.size] > 0)
        shared = structure.of_scale[loose] & ~free
        hyperprior = problem.hyperpriors().get("scale")
        fall = math.inf if hyperprior is None else scale_fall(hyperprior)
        power, level = np.where(free, 0.0, structure.power[loose]), rate.size - loose.size
        return cls(
            power=np.append(power, np.zeros(level)),
            shared=np.append(shared, np.zeros(level, dtype=np.bool_)),
            shared_power=fall - 1 + int(structure.of_scale.sum()),
        )

    def sets(self, moving: Mask) -> Iterator[tuple[Mask, float]]:
        """Coefficients that may be far out (q,), and the power of that: none of those first."""
        alone = moving & np.isfinite(self.power) & (self.power > 0)
        for scaled in (np.zeros_like(moving), self.shared):
            together = self.shared_power if scaled.any() else 0.0
            if not math.isfinite(together):
                continue
            yield scaled, together
            for some in choices(np.flatnonzero(alone & ~scaled)):
                far = scaled.copy()
                far[some] = True
                yield far, together + float(self.power[some].sum())


@dataclass(frozen=True, eq=False)
class Equality:
    """Directions along which a rate grows as fast as a posterior falls.

    Attributes
    ----------
    columns : ndarray, shape (n, q)
        What is not to grow along them, in units of the length of each column.
    gain : ndarray, shape (2q,)
        Growth less decay along each unit direction, and along its opposite.
    bounded : ndarray of bool, shape (q,)
        Which coefficients cannot be negative.
    tails : SlowTails
        Of their priors.
    """

    columns: Matrix
    gain: Vector
    bounded: Mask
    tails: SlowTails

    def diverges(self) -> bool:
        """Whether the tails are too heavy for the cone, or there are none.

        Examples
        --------
        >>> one = SlowTails(np.array([2.0]), np.array([False]), np.inf)
        >>> Equality(np.ones((1, 1)), np.zeros(2), np.array([False]), one).diverges()
        False
        """
        everything = self._span(np.isfinite(self.tails.power) | self.tails.shared)
        if not everything.size:
            return False
        return any(
            self._span((self.tails.power == 0) | far).shape[1] >= max(power - EQUAL_POWERS, 0.5)
            for far, power in self.tails.sets(moves(everything))
        )

    def _span(self, some: Mask) -> Matrix:
        """Directions that span the cone with the coefficients in `some` alone; (q, dimension)."""
        q = self.bounded.size
        # Positive and negative parts, the second of those that have one.
        at = np.flatnonzero(np.append(some, some & ~self.bounded))
        parts = np.hstack([self.columns, -self.columns])[:, at]
        level = self.gain[at] / max(np.linalg.norm(self.gain[at]), np.finfo(float).tiny)
        span = np.zeros((2 * q, 0))
        if at.size:
            found = cone_span(np.vstack([-parts, np.eye(at.size)]), level[None], _ROUNDED)
            span = np.zeros((2 * q, found.shape[1]))
            span[at] = found
        directions = span[:q] - span[q:]
        left, sizes, _ = np.linalg.svd(directions, full_matrices=False)
        return np.asarray(left[:, sizes > _ROUNDED])
