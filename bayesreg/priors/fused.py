"""Laplace random walks along the columns: the fused lasso."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bayesreg._validation import Matrix, Vector, as_positive, as_scale, read_only, set_fields
from bayesreg._visible import shown
from bayesreg.errors import InputError
from bayesreg.penalties import FusedPenalty
from bayesreg.priors.base import Prior, Scale, fill, product
from bayesreg.priors.norms import finite_scale

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False, init=False)
class Fused(Prior):
    """Laplace random walk along the columns: the fused lasso, or total variation, penalty.

    ``β_1 ~ Laplace(first_scale)``, or flat, and ``β_j − β_{j−1} ~ Laplace(scale)``: steps are set
    to exactly 0 (Tibshirani et al. 2005). Differences are a linear map of the coefficients with
    determinant 1, so the density is the product of those of the steps.

    Parameters
    ----------
    scale : float
        Scale of each step, in units of the coefficients.
    first_scale : float
        Scale of the first coefficient; ``np.inf`` leaves the common level flat.
    factor : array_like (p,), optional
        The walk is that of ``β / factor``.

    Examples
    --------
    >>> Fused(2.0, first_scale=1.0).penalty(3).value(np.array([1.0, 1.0, 4.0]))
    2.5
    """

    scale: float
    first_scale: float
    factor: Scale
    name: ClassVar[str] = "Fused"
    penalised_name: ClassVar[str] = "fused lasso"

    def __init__(
        self, scale: float, first_scale: float = math.inf, *, factor: ArrayLike = 1.0
    ) -> None:
        first = as_scale(first_scale, "first_scale")
        if not isinstance(first, float):
            msg = f"first_scale: must be one number, found {shown(first_scale)}"
            raise InputError(msg)
        set_fields(
            self,
            scale=as_positive(scale, "scale"),
            first_scale=first,
            factor=finite_scale(factor),
        )

    @property
    def _flat(self) -> bool:
        return math.isinf(self.first_scale)

    def penalty(self, p: int) -> FusedPenalty:
        """Return ``|β_1|/first_scale + Σ |β_j − β_{j−1}|/scale``, of ``β/factor``."""
        l1 = np.full(p, 1.0 / self.scale)
        l1[:1] = 1.0 / self.first_scale
        return FusedPenalty(fill(self.factor, p), l1)

    def log_normalizer(self, p: int) -> float:
        """Sum of ``log(2 scale)`` over the steps, and of the log factors; 0 for a flat level."""
        logs = np.log(2 * self.scale * fill(self.factor, p))
        logs[:1] = 0.0 if self._flat else logs[:1] + math.log(self.first_scale / self.scale)
        return float(logs.sum())

    def rescaled(self, factor: Vector) -> Fused:
        """Prior of ``factor * β``."""
        return replace(self, factor=product(self.factor, factor))

    def covariance(self, p: int) -> Matrix:
        """Return ``2 (first_scale² + scale² min(i, j))``, times the factors; shape (p, p)."""
        steps = np.minimum(*np.indices((p, p))) * self.scale**2
        factor = fill(self.factor, p)
        return np.asarray(2.0 * (self.first_scale**2 + steps) * np.outer(factor, factor))

    def moments(self, p: int) -> tuple[Vector, Vector]:
        """Mean and variance of each coefficient, shapes (p,); NaN and inf if improper."""
        return np.full(p, math.nan if self._flat else 0.0), np.diag(self.covariance(p)).copy()

    def draw(self, p: int, rng: np.random.Generator, size: int) -> Matrix:
        """Draw coefficients independently, shape (size, p); InputError for a flat level."""
        if self._flat:
            msg = "first_scale: is inf, so there is no density to draw from; give it a number"
            raise InputError(msg)
        steps = rng.laplace(scale=self.scale, size=(size, p))
        steps[:, :1] *= self.first_scale / self.scale
        return np.asarray(np.cumsum(steps, axis=1) * fill(self.factor, p))

    def formula(self) -> str:
        """Return the fused lasso penalty as text."""
        one = bool(np.all(np.asarray(self.factor) == 1.0))
        u = "β" if one else "(β/f)"
        first = "" if self._flat else f"|{u}₁|/{self.first_scale:.6g} + "
        return f"{first}Σ|{u}ⱼ − {u}ⱼ₋₁|/{self.scale:.6g}"

    def symbols(self) -> dict[str, Scale]:
        """Return the factors."""
        return {"f": self.factor}

    def parameters(self, p: int) -> dict[str, Vector]:
        """Return the scale of each step, and the factors."""
        scale = np.full(p, self.scale)
        scale[:1] = self.first_scale
        return {"scale": scale, "factor": read_only(fill(self.factor, p).copy())}
