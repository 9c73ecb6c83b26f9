"""Uniform priors on balls: penalties in their constrained form.

For a norm N on p coefficients the density ``exp(−N(β/scale))`` is that of ``scale · G · V`` with V
uniform in the unit ball of N and G from Gamma(p + 1), independently; so normaliser and moments of
the one give those of the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self, get_args

import numpy as np
from scipy import special

from bayesreg._validation import Matrix, Vector, as_positive, set_fields
from bayesreg.errors import InputError, unknown_name
from bayesreg.penalties import BallPenalty
from bayesreg.priors.base import fill
from bayesreg.priors.norms import (
    GroupLaplace,
    JointPrior,
    LInfinity,
    NormPrior,
    as_groups,
    check_groups,
    finite_scale,
    groups_among,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

type BallNorm = Literal["l1", "l2", "linf", "group"]


@dataclass(frozen=True, eq=False, init=False)
class UniformBall(JointPrior):
    """Uniform prior on a ball ``N(β/scale) <= radius``: the constrained form of a penalty.

    Parameters
    ----------
    radius : float
        Radius t, in units of the coefficients where `scale` is 1.
    norm : {"l1", "l2", "linf", "group"}
        Which norm; ``"group"`` is the sum over groups of Euclidean norms.
    scale : float or array_like (p,), optional
        Units of the coefficients inside the norm.
    groups : list of lists of int, optional
        As in `GroupLaplace`, for ``norm="group"`` only.

    Examples
    --------
    >>> ball = UniformBall(2.0, "l1")  # a square with diagonals of 4
    >>> round(float(np.exp(ball.log_normalizer(2))), 6)
    8.0
    """

    radius: float
    norm: BallNorm
    groups: tuple[tuple[int, ...], ...]
    name: ClassVar[str] = "UniformBall"
    penalised_name: ClassVar[str] = "constrained regression"

    def __init__(
        self,
        radius: float,
        norm: BallNorm = "l2",
        *,
        scale: ArrayLike = 1.0,
        groups: Sequence[Sequence[int]] = (),
    ) -> None:
        kinds = get_args(BallNorm.__value__)
        if norm not in kinds:
            raise unknown_name("norm", norm, kinds)
        lists = as_groups(groups)
        if (norm == "group") != bool(lists):
            msg = 'groups: are needed for norm="group", and only there'
            raise InputError(msg)
        set_fields(
            self,
            scale=finite_scale(scale),
            radius=as_positive(radius, "radius"),
            norm=norm,
            groups=lists,
        )

    def check_size(self, p: int) -> None:
        """Raise InputError unless scales and groups fit p columns."""
        super().check_size(p)
        check_groups(self.groups, p)

    def part(self, columns: Sequence[int]) -> Self:
        """Return the uniform prior on a ball of the same radius in some of the columns."""
        return replace(super().part(columns), groups=groups_among(self.groups, columns))

    def exponential(self, p: int, multiplier: float = 1.0) -> NormPrior:
        """Return the prior ∝ ``exp(−multiplier · N(β/scale))``: the same norm, penalised."""
        scale = np.asarray(self.scale) / multiplier
        if self.norm == "linf":
            return LInfinity(scale)
        one_each: dict[BallNorm, list[list[int]]] = {"l1": [], "l2": [list(range(p))] if p else []}
        return GroupLaplace(scale, one_each.get(self.norm, self.groups))

    def penalty(self, p: int) -> BallPenalty:
        """Return 0 in the ball, inf outside."""
        return BallPenalty(self.exponential(p, 1.0 / self.radius).penalty(p))

    def log_unit(self, p: int) -> float:
        """Log of the volume for scale 1: that of the norm's own density, over p!."""
        whole = self.exponential(p).log_unit(p) - float(special.gammaln(p + 1))
        return whole + p * math.log(self.radius)

    def unit_variances(self, p: int) -> Vector:
        """Those of the norm's own density, over the mean square of Gamma(p + 1)."""
        return self.exponential(p).unit_variances(p) * self.radius**2 / ((p + 1) * (p + 2))

    def unit_draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw a direction from the norm's own density; the p-th power of a radius is uniform."""
        prior = self.exponential(p)
        whole = prior.unit_draw(p, rng, size)
        norm = prior.rescaled(1.0 / fill(prior.scale, p)).penalty(p).norm
        lengths = np.array([norm(row) for row in whole])
        return np.asarray(
            whole * (self.radius * rng.random(size) ** (1.0 / max(p, 1)) / lengths)[:, None]
        )

    def formula(self) -> str:
        """Return the constraint as text."""
        sign = {"l1": "‖@‖₁", "l2": "‖@‖₂", "linf": "‖@‖∞", "group": "Σ‖@_g‖₂"}[self.norm]
        text = self._over_scale(sign).removesuffix("/1")
        return f"[0 if {text} ≤ {self.radius:.6g}, else ∞]"

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return radius times scale, and group, per coefficient."""
        return self.exponential(p, 1.0 / self.radius).parameters(p)
