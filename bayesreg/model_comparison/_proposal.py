r"""A density near that of given draws, that can be evaluated and drawn from.

Maps between the draws and a standard normal law, one after the other: `Whitening` by mean and
covariance, and `Margins`, which take the quantiles of every coordinate to those of a normal number.
After margins, a whitening makes a Gaussian copula; margins after a whitening bend principal axes.
Which chain of maps is nearest to the posterior in Kullback–Leibler divergence is judged on draws
that it was not fitted to.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayesreg._validation import Matrix, Vector

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
# Draws per segment of a margin, and the most segments.
_PER_KNOT, _MOST_KNOTS = 100, 40


class Map(ABC):
    """An invertible map of rows of coordinates."""

    @classmethod
    @abstractmethod
    def of(cls, x: Matrix) -> Self:
        """Fit it to rows (m, k), so that they become more nearly standard normal."""

    @abstractmethod
    def forward(self, x: Matrix) -> tuple[Matrix, Vector]:
        """Map rows towards the normal law; return them and the log of the Jacobian (m,)."""

    @abstractmethod
    def backward(self, z: Matrix) -> Matrix:
        """Undo `forward`."""


@dataclass(frozen=True, eq=False)
class Whitening(Map):
    """``z = L⁻¹ (x − mean)/sd`` with L Lᵀ the correlation matrix."""

    mean: Vector
    sd: Vector
    root: Matrix

    @classmethod
    def of(cls, x: Matrix) -> Self:
        """Take mean, standard deviations and correlations, these shrunk a little if they must."""
        mean, sd = x.mean(axis=0), x.std(axis=0)
        sd = np.where(sd > 0, sd, 1.0)
        z = (x - mean) / sd
        correlation, unit = z.T @ z / len(z), np.eye(x.shape[1])
        share = 1e-12
        while True:
            try:
                root = np.linalg.cholesky((1 - share) * correlation + share * unit)
            except np.linalg.LinAlgError:
                share *= 10
                continue
            return cls(mean, sd, root)

    def forward(self, x: Matrix) -> tuple[Matrix, Vector]:
        """Subtract and divide."""
        z = np.linalg.solve(self.root, ((x - self.mean) / self.sd).T).T
        log = -float(np.log(np.diag(self.root)).sum() + np.log(self.sd).sum())
        return z, np.full(len(x), log)

    def backward(self, z: Matrix) -> Matrix:
        """Multiply and add."""
        return np.asarray(self.mean + self.sd * (z @ self.root.T))


@dataclass(frozen=True, eq=False)
class Margins(Map):
    """Each coordinate through a broken line from its quantiles to the normal ones.

    Attributes
    ----------
    normal : ndarray, shape (knots,)
        Normal quantiles.
    quantiles : ndarray, shape (knots, k)
        Those of the coordinates, increasing; beyond the ends the lines go on.
    """

    normal: Vector
    quantiles: Matrix

    @classmethod
    def of(cls, x: Matrix) -> Self:
        """Take quantiles."""
        knots = int(np.clip(len(x) / _PER_KNOT, 4, _MOST_KNOTS))
        probability = (np.arange(knots) + 0.5) / knots
        quantiles = np.quantile(x, probability, axis=0)
        # Ties would stop the line; a step no shorter than this is invisible.
        least = 1e-9 * np.maximum(x.std(axis=0), 1e-290)
        steps = np.maximum(np.diff(quantiles, axis=0), least)
        quantiles[1:] = quantiles[0] + np.cumsum(steps, axis=0)
        return cls(special.ndtri(probability), quantiles)

    def forward(self, x: Matrix) -> tuple[Matrix, Vector]:
        """From coordinates to normal numbers."""
        z, log = np.empty_like(x), np.zeros(len(x))
        for j, (values, at) in enumerate(zip(x.T, self.quantiles.T, strict=True)):
            z[:, j], slope = _line(values, at, self.normal)
            log += np.log(slope)
        return z, log

    def backward(self, z: Matrix) -> Matrix:
        """From normal numbers to coordinates."""
        columns = zip(z.T, self.quantiles.T, strict=True)
        return np.column_stack([_line(values, self.normal, to)[0] for values, to in columns])


def _line(values: Vector, start: Vector, end: Vector) -> tuple[Vector, Vector]:
    """Follow the broken line from points `start` to points `end`; values and slopes."""
    at = np.clip(np.searchsorted(start, values) - 1, 0, start.size - 2)
    slope = (end[at + 1] - end[at]) / (start[at + 1] - start[at])
    return end[at] + slope * (values - start[at]), slope


#: Chains of maps that are tried, and what the result calls them.
CHAINS: dict[str, tuple[type[Map], ...]] = {
    "normal": (Whitening,),
    "normal with fitted margins": (Margins, Whitening),
    "normal with fitted principal axes": (Whitening, Margins, Whitening),
}


@dataclass(frozen=True, eq=False)
class Proposal:
    """A density of coordinates; make it with `Proposal.of`.

    Attributes
    ----------
    maps : tuple of Map
        From coordinates to a standard normal law.
    """

    maps: tuple[Map, ...]

    @classmethod
    def of(cls, x: Matrix, kinds: Sequence[type[Map]]) -> Self:
        """Fit one map after the other to rows (m, k).

        Examples
        --------
        >>> x = np.random.default_rng(1).gamma(3.0, size=(4000, 1))
        >>> near = Proposal.of(x, CHAINS["normal with fitted margins"])
        >>> round(float(near.log_density(np.array([[2.0]]))[0]), 1)  # log of 2² exp(−2)/2
        -1.3
        """
        maps, z = [], x
        for kind in kinds:
            maps.append(kind.of(z))
            z, _ = maps[-1].forward(z)
        return cls(tuple(maps))

    def log_density(self, x: Matrix) -> Vector:
        """Log density at rows (m, k)."""
        total = np.zeros(len(x))
        for one in self.maps:
            x, log = one.forward(x)
            total += log
        return np.asarray(total - 0.5 * (x**2).sum(axis=1) - x.shape[1] * _HALF_LOG_2PI)

    def draw(self, rng: np.random.Generator, size: int, width: int) -> Matrix:
        """Draw independent rows, shape (size, width)."""
        x: Matrix = rng.standard_normal((size, width))
        for one in reversed(self.maps):
            x = one.backward(x)
        return x
