"""Different penalties on different coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

import numpy as np

from bayesreg.penalties.base import Mask, Penalty
from bayesreg.penalties.elastic_net import ElasticNetPenalty
from bayesreg.penalties.separable import SeparablePenalty

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

    type Part = tuple[Penalty, NDArray[np.intp]]


@dataclass(frozen=True, eq=False)
class JoinedPenalty(Penalty):
    """A sum of penalties, each on coefficients of its own.

    Attributes
    ----------
    parts : tuple of (Penalty, ndarray of int)
        Each penalty and the positions of the coefficients it is on; together they cover all.
    """

    parts: tuple[Part, ...]

    @property
    def convex(self) -> bool:  # type: ignore[override]  # of an instance here, of the class elsewhere
        """Whether every part is."""
        return all(penalty.convex for penalty, _ in self.parts)

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return sum(penalty.size for penalty, _ in self.parts)

    def _scatter(self, piece: Callable[[Penalty, NDArray[np.intp]], Vector]) -> Vector:
        out = np.empty(self.size)
        for penalty, columns in self.parts:
            out[columns] = piece(penalty, columns)
        return out

    @property
    def flat(self) -> Mask:
        """Which coefficients have no penalty at all; shape (p,)."""
        return self._scatter(lambda penalty, _: penalty.flat.astype(float)) > 0

    @property
    def half_flat(self) -> Mask:
        """Which coefficients have a bound only; shape (p,)."""
        return self._scatter(lambda penalty, _: penalty.half_flat.astype(float)) > 0

    @property
    def levels(self) -> Matrix:
        """Those of the parts, one after the other; shape (p, k)."""
        found = []
        for penalty, columns in self.parts:
            part = penalty.levels
            found.append(np.zeros((self.size, part.shape[1])))
            found[-1][columns] = part
        return np.hstack(found) if found else np.zeros((0, 0))

    def value(self, coef: Vector) -> float:
        """Return the sum of the parts."""
        return sum(penalty.value(coef[columns]) for penalty, columns in self.parts)

    def prox(self, point: Vector, step: float) -> Vector:
        """Return the prox of each part on its coefficients."""
        return self._scatter(lambda penalty, columns: penalty.prox(point[columns], step))

    def subdifferential_distance(self, coef: Vector, gradient: Vector) -> Vector:
        """Return the distances of the parts."""
        return self._scatter(
            lambda penalty, c: penalty.subdifferential_distance(coef[c], gradient[c])
        )

    def rescaled(self, factor: Vector) -> Self:
        """Rescale each part."""
        return type(self)(tuple((q.rescaled(factor[c]), c) for q, c in self.parts))

    def dual_scale(self, correlation: Vector) -> float:
        """Return the smallest of the parts' scales."""
        return min((q.dual_scale(correlation[c]) for q, c in self.parts), default=1.0)

    def towards_domain(self, correlation: Vector, error: Vector) -> Vector:
        """Move the correlations of each part."""
        return self._scatter(lambda q, c: q.towards_domain(correlation[c], error[c]))

    def fenchel_young_error(self, coef: Vector, error: Vector) -> float:
        """Return the sum of the parts'."""
        return sum(q.fenchel_young_error(coef[c], error[c]) for q, c in self.parts)

    def fenchel_young(self, coef: Vector, dual: Vector) -> float:
        """Return the sum of the parts'."""
        return sum(q.fenchel_young(coef[c], dual[c]) for q, c in self.parts)


@dataclass(frozen=True, eq=False)
class SeparableJoin(JoinedPenalty, SeparablePenalty):
    """A sum of separable penalties, each on coefficients of its own, is separable itself."""

    def _each(self, piece: Callable[[SeparablePenalty, NDArray[np.intp]], Vector]) -> Vector:
        return self._scatter(lambda q, c: piece(cast("SeparablePenalty", q), c))

    @property
    def nonnegative(self) -> Mask:  # type: ignore[override]  # computed here, a field elsewhere
        """Which coefficients may not fall below 0; shape (p,)."""
        return self._each(lambda q, _: q.nonnegative.astype(float)) > 0

    @property
    def kink(self) -> Vector:
        """Half the width of each subdifferential at 0."""
        return self._each(lambda q, _: q.kink)

    @property
    def strict(self) -> Mask:
        """Which terms are strictly convex by themselves; shape (p,)."""
        return self._each(lambda q, _: q.strict.astype(float)) > 0

    def values(self, coef: Vector) -> Vector:
        """Return the penalty of each coefficient, shape (p,)."""
        return self._each(lambda q, c: q.values(coef[c]))

    def slope(self, coef: Vector) -> Vector:
        """Return the derivative of each part, shape (p,)."""
        return self._each(lambda q, c: q.slope(coef[c]))

    def curvature(self, coef: Vector) -> Vector:
        """Return the second derivative of each part, shape (p,)."""
        return self._each(lambda q, c: q.curvature(coef[c]))

    def beside_free(self, count: int) -> Self:
        """Put `count` coefficients without a penalty before the others."""
        zero = np.zeros(count)
        moved = tuple((q, c + count) for q, c in self.parts)
        return type(self)(((ElasticNetPenalty(zero, zero, zero), np.arange(count)), *moved))


def join(parts: Sequence[Part], p: int) -> Penalty:
    """Join penalties; elastic nets on different coefficients are one elastic net."""
    kind = (
        SeparableJoin if all(isinstance(q, SeparablePenalty) for q, _ in parts) else JoinedPenalty
    )
    elastic = [(q, c) for q, c in parts if isinstance(q, ElasticNetPenalty)]
    others = [(q, c) for q, c in parts if not isinstance(q, ElasticNetPenalty)]
    if not others:
        return _one_elastic_net(elastic, p)
    if elastic:
        columns = np.concatenate([c for _, c in elastic])
        places = np.split(np.arange(columns.size), np.cumsum([c.size for _, c in elastic])[:-1])
        merged = _one_elastic_net(
            [(q, k) for (q, _), k in zip(elastic, places, strict=True)], columns.size
        )
        return kind(((merged, columns), *others))
    return kind(tuple(others))


def _one_elastic_net(
    parts: Sequence[tuple[ElasticNetPenalty, NDArray[np.intp]]], p: int
) -> ElasticNetPenalty:
    l1, l2, loc = (np.zeros(p) for _ in range(3))
    nonnegative = np.zeros(p, dtype=bool)
    for penalty, columns in parts:
        l1[columns], l2[columns], loc[columns] = penalty.l1, penalty.l2, penalty.loc
        nonnegative[columns] = penalty.nonnegative
    return ElasticNetPenalty(l1, l2, loc, nonnegative)
