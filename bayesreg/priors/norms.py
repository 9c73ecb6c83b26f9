"""Priors of all coefficients together whose penalty is a norm: group lasso, sup norm, SLOPE."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from scipy import special

from bayesreg._validation import (
    Matrix,
    Vector,
    as_count,
    as_scale,
    as_vector,
    set_fields,
)
from bayesreg._visible import shown
from bayesreg.errors import InputError
from bayesreg.penalties import (
    BallPenalty,
    GroupNorm,
    NormPenalty,
    SortedNorm,
    SupNorm,
)
from bayesreg.priors.base import Prior, Scale, fill, number, product

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class JointPrior(Prior):
    """A proper prior around 0 of coefficients in units of `scale`, with moments and draws."""

    scale: Scale

    @abstractmethod
    def penalty(self, p: int) -> NormPenalty | BallPenalty:
        """Return the penalty on p coefficients."""

    @abstractmethod
    def log_unit(self, p: int) -> float:
        """Log of the normaliser at scale 1."""

    @abstractmethod
    def unit_variances(self, p: int) -> Vector:
        """Variances at scale 1, shape (p,); signs are independent, so there is no covariance."""

    @abstractmethod
    def unit_draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw at scale 1, shape (size, p)."""

    def log_normalizer(self, p: int) -> float:
        """Log of the constant that the density of p coefficients is divided by."""
        return self.log_unit(p) + float(np.log(fill(self.scale, p)).sum())

    def rescaled(self, factor: Vector) -> Self:
        """Prior of ``factor * β``: the scale is multiplied."""
        return replace(self, scale=product(self.scale, factor))

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Mean and variance of each coefficient, shapes (p,)."""
        return np.zeros(p), np.diag(self.covariance(p)).copy()

    def covariance(self, p: int) -> Matrix:
        """Covariance of p coefficients, whose means are 0; shape (p, p)."""
        return np.diag(self.unit_variances(p) * fill(self.scale, p) ** 2)

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw coefficients independently, shape (size, p)."""
        return self.unit_draw(p, rng, size) * fill(self.scale, p)

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return the scale per coefficient."""
        return {"scale": fill(self.scale, p)}

    def _over_scale(self, norm: str) -> str:
        """Write a norm of β, with @ for β, over the scale: a number outside, a vector inside."""
        text = number(self.scale, "")
        return f"{norm.replace('@', 'β')}/{text}" if text else norm.replace("@", "(β/b)")

    def symbols(self) -> dict[str, Scale]:
        """Return the scales."""
        return {"b": self.scale}


@dataclass(frozen=True, eq=False)
class NormPrior(JointPrior):
    """Density proportional to ``exp(−N(β/scale))``, N a norm."""

    @abstractmethod
    def penalty(self, p: int) -> NormPenalty:
        """Return the norm of p coefficients."""


def finite_scale(scale: ArrayLike) -> Scale:
    """Validate a scale of coefficients that share one density: positive and finite."""
    checked = as_scale(scale, "scale")
    if np.isinf(checked).any():
        msg = (
            "scale: must be finite, because these coefficients share one density; leave flat "
            "columns out with a list of (prior, columns) and Flat()"
        )
        raise InputError(msg)
    return checked


def as_groups(groups: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Validate lists of positions without repetition."""
    try:
        found = tuple(tuple(as_count(j, "groups", minimum=0) for j in group) for group in groups)
    except TypeError as error:
        msg = (
            "groups: must be lists of column positions such as [[0, 1], [2]], found "
            f"{shown(groups)}"
        )
        raise InputError(msg) from error
    if () in found:
        msg = "groups: holds an empty group; leave it out"
        raise InputError(msg)
    position, times = (
        Counter(j for group in found for j in group).most_common(1)[0] if found else (0, 1)
    )
    if times > 1:
        msg = f"groups: position {position} occurs {times} times; groups must not overlap"
        raise InputError(msg)
    return found


def labels_of(groups: tuple[tuple[int, ...], ...], p: int) -> NDArray[np.intp]:
    """Return the group of each coefficient; those in none are groups of one; shape (p,)."""
    labels = np.full(p, -1, dtype=np.intp)
    for k, group in enumerate(groups):
        labels[list(group)] = k
    alone = np.flatnonzero(labels < 0)
    labels[alone] = len(groups) + np.arange(alone.size)
    return labels


def groups_among(
    groups: tuple[tuple[int, ...], ...], columns: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """Return what is left of groups in some of the columns, whose places there are the positions.

    Examples
    --------
    >>> groups_among(((0, 1), (2, 3), (4,)), [0, 1, 3])
    ((0, 1), (2,))
    """
    place = {column: k for k, column in enumerate(columns)}
    kept = (tuple(place[j] for j in group if j in place) for group in groups)
    return tuple(group for group in kept if group)


def check_groups(groups: tuple[tuple[int, ...], ...], p: int) -> None:
    """Raise InputError if a group names a position beyond p columns."""
    largest = max((j for group in groups for j in group), default=-1)
    if largest >= p:
        msg = (
            f"prior: groups name position {largest}, but the prior is on {p} columns "
            "(positions count from 0, within the prior's own columns)"
        )
        raise InputError(msg)


def _directions(labels: NDArray[np.intp], rng: np.random.Generator, size: int) -> Matrix:
    """Draw, per group, a uniform point of the unit sphere; shape (size, p)."""
    z = rng.normal(size=(size, labels.size))
    square = np.zeros((size, int(labels.max(initial=-1)) + 1))
    np.add.at(square.T, labels, (z**2).T)
    return np.asarray(z / np.sqrt(square)[:, labels])


@dataclass(frozen=True, eq=False, init=False)
class GroupLaplace(NormPrior):
    """Group Laplace prior: density ∝ ``exp(−Σ_g ‖(β/scale)_g‖₂)``, the group lasso penalty.

    Groups are set to 0 as a whole (Yuan & Lin 2006). A group of d has the normaliser
    ``2 π^(d/2) Γ(d) / Γ(d/2)`` times its scales, and variances ``(d + 1) scale²``.

    Parameters
    ----------
    scale : float or array_like (p,)
        Scale b, in units of the coefficients.
    groups : list of lists of int
        Positions of the columns of each group, among the prior's own columns; a column that is
        not listed is a group of its own, with a Laplace prior.

    Examples
    --------
    >>> GroupLaplace(2.0, [[0, 1]]).penalty(3).value(np.array([3.0, 4.0, -1.0]))
    3.0
    """

    groups: tuple[tuple[int, ...], ...]
    name: ClassVar[str] = "GroupLaplace"
    penalised_name: ClassVar[str] = "group lasso"

    def __init__(self, scale: ArrayLike, groups: Sequence[Sequence[int]]) -> None:
        set_fields(self, scale=finite_scale(scale), groups=as_groups(groups))

    def check_size(self, p: int) -> None:
        """Raise InputError unless scales and groups fit p columns."""
        super().check_size(p)
        check_groups(self.groups, p)

    def part(self, columns: Sequence[int]) -> Self:
        """Return the prior of some columns: groups keep the columns of theirs that are among them.

        Examples
        --------
        >>> GroupLaplace(2.0, [[0, 1], [2, 3], [4]]).part([0, 1, 3]).groups
        ((0, 1), (2,))
        """
        return replace(super().part(columns), groups=groups_among(self.groups, columns))

    def penalty(self, p: int) -> GroupNorm:
        """Return ``Σ_g ‖(β/scale)_g‖₂``."""
        return GroupNorm(fill(self.scale, p), labels_of(self.groups, p))

    def _sizes(self, p: int) -> Vector:
        return np.bincount(labels_of(self.groups, p)).astype(float)

    def log_unit(self, p: int) -> float:
        """Sum of ``log(2 π^(d/2) Γ(d) / Γ(d/2))`` over groups."""
        d = self._sizes(p)
        sphere = math.log(2) + 0.5 * d * math.log(math.pi) - special.gammaln(d / 2)
        return float((sphere + special.gammaln(d)).sum())

    def unit_variances(self, p: int) -> Vector:
        """Return ``d + 1``: the length is Gamma(d), so its square has mean d (d + 1)."""
        return (self._sizes(p) + 1.0)[labels_of(self.groups, p)]

    def unit_draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw lengths from Gamma(d) and directions from the sphere."""
        labels, d = labels_of(self.groups, p), self._sizes(p)
        return rng.gamma(d, size=(size, d.size))[:, labels] * _directions(labels, rng, size)

    def formula(self) -> str:
        """Return the group lasso penalty as text."""
        return self._over_scale("Σ‖@_g‖₂")

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return scale and group per coefficient."""
        return {"scale": fill(self.scale, p), "group": labels_of(self.groups, p).astype(float)}


@dataclass(frozen=True, eq=False, init=False)
class LInfinity(NormPrior):
    """Sup-norm prior: density ∝ ``exp(−max_j |β_j/scale_j|)``.

    The largest coefficients are tied in absolute value at the mode. The normaliser is ``2^p p!``
    times the scales: the integral over levels of a cube's surface.

    Parameters
    ----------
    scale : float or array_like (p,)
        Scale b, in units of the coefficients.

    Examples
    --------
    >>> LInfinity(2.0).penalty(2).prox(np.array([4.0, -3.75]), 1.0)
    array([ 3.625, -3.625])
    """

    name: ClassVar[str] = "LInfinity"
    penalised_name: ClassVar[str] = "sup-norm penalty"

    def __init__(self, scale: ArrayLike) -> None:
        set_fields(self, scale=finite_scale(scale))

    def penalty(self, p: int) -> SupNorm:
        """Return ``‖β/scale‖∞``."""
        return SupNorm(fill(self.scale, p))

    def log_unit(self, p: int) -> float:
        """Return ``log(2^p p!)``."""
        return p * math.log(2) + float(special.gammaln(p + 1))

    def unit_variances(self, p: int) -> Vector:
        """Return ``(p + 1)(p + 2)/3``: Gamma(p + 1) times uniform on (−1, 1)."""
        return np.full(p, (p + 1) * (p + 2) / 3.0)

    def unit_draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw a Gamma(p + 1) times a uniform point of the cube."""
        return rng.gamma(p + 1, size=(size, 1)) * rng.uniform(-1, 1, size=(size, p))

    def formula(self) -> str:
        """Return the sup-norm penalty as text."""
        return self._over_scale("‖@‖∞")


@dataclass(frozen=True, eq=False, init=False)
class Slope(NormPrior):
    """SLOPE prior: density ∝ ``exp(−Σ_i w_i |β/scale|_(i))``, the largest first.

    Coefficients of similar size are tied in absolute value at the mode (Bogdan et al. 2015). With
    ``W_i = w_1 + … + w_i`` the normaliser is ``2^p p! / Π W_i`` times the scales: the gaps between
    sorted absolute values are independent exponentials with rates W_i.

    Parameters
    ----------
    scale : float or array_like (p,)
        Scale, in units of the coefficients.
    weights : array_like (p,)
        Not increasing, at least 0, the first one positive.

    Examples
    --------
    >>> Slope(1.0, [2.0, 1.0]).penalty(2).prox(np.array([4.0, -3.75]), 1.0)
    array([ 2.375, -2.375])
    """

    weights: Vector
    name: ClassVar[str] = "Slope"
    penalised_name: ClassVar[str] = "SLOPE"

    def __init__(self, scale: ArrayLike, weights: ArrayLike) -> None:
        w = as_vector(weights, "weights")
        if w.size and (w[0] <= 0 or w[-1] < 0 or (np.diff(w) > 0).any()):
            msg = "weights: must not increase, be at least 0 and start above 0; sort them"
            raise InputError(msg)
        set_fields(self, scale=finite_scale(scale), weights=w)

    def part(self, columns: Sequence[int]) -> Self:
        """Raise InputError: weights belong to places in the order of size, not to columns."""
        msg = (
            f"weights: are {self.weights.size}, and Slope has one per coefficient that it is on, "
            f"the largest first; give {len(columns)}"
        )
        raise InputError(msg)

    def penalty(self, p: int) -> SortedNorm:
        """Return ``Σ_i w_i |β/scale|_(i)``."""
        return SortedNorm(fill(self.scale, p), self.weights)

    def log_unit(self, p: int) -> float:
        """Return ``log(2^p p! / Π W_i)``."""
        rates = np.log(np.cumsum(self.weights))
        return p * math.log(2) + float(special.gammaln(p + 1) - rates.sum())

    def unit_variances(self, p: int) -> Vector:
        """Average of ``E|u|²_(i) = (Σ_{k≥i} 1/W_k)² + Σ_{k≥i} 1/W_k²`` over places i."""
        gap = 1.0 / np.cumsum(self.weights)
        mean, spread = (np.cumsum((gap**k)[::-1])[::-1] for k in (1, 2))
        return np.full(p, float((mean**2 + spread).mean()) if p else 0.0)

    def unit_draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw exponential gaps, add them up, shuffle places and signs."""
        gaps = rng.exponential(size=(size, p)) / np.cumsum(self.weights)
        places = rng.permuted(np.cumsum(gaps[:, ::-1], axis=1), axis=1)
        return places * rng.choice([-1.0, 1.0], size=(size, p))

    def formula(self) -> str:
        """Return the SLOPE penalty as text."""
        return self._over_scale("Σwᵢ|@|₍ᵢ₎")

    def symbols(self) -> dict[str, Scale]:
        """Return the weights, too."""
        return super().symbols() | {"wᵢ": self.weights}
