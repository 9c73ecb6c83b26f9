r"""Where growth and decay of a rate are equal: cones along which only the tails of priors fall.

Where no direction outgrows a posterior (`bayesreg.estimators._growth`) but some keep up with it,
they are a cone. Nothing falls along it but tails like a power ``r^−k`` of the distance r, and those
have an integral over the cone if k exceeds its dimension; so it has to be for every choice of the
coefficients that are far out while others with such tails stay. The powers of coefficients add up;
m of them that share a scale whose prior falls like ``s^−q`` have ``q − 1 + m`` together. It is the
rule by which posteriors themselves are proper (`bayesreg.posterior.unknowns`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.posterior.tails import moves, too_heavy
from bayesreg.propriety import cone_span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.tails import SlowTails

    type Mask = NDArray[np.bool_]

# Rounding of what is equal, relative to the size of a direction.
_ROUNDED = 1e-9


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
        >>> from bayesreg.posterior.tails import SlowTails
        >>> one = SlowTails(np.array([2.0]), np.array([False]), np.inf)
        >>> Equality(np.ones((1, 1)), np.zeros(2), np.array([False]), one).diverges()
        False
        """
        free = self.tails.power == 0
        everything = self._span(free | self.tails.some)
        return bool(everything.size) and any(
            too_heavy(power, self._span(free | far).shape[1])
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
