"""What every solver returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayesreg._validation import Vector


@dataclass(frozen=True)
class Solution:
    """Coefficients on the user's scale, and what it took to find them.

    Attributes
    ----------
    coef : ndarray, shape (p,)
        Coefficients; those outside the support are exactly 0.0.
    intercept : float
        Intercept, 0.0 where the problem has none.
    iterations : int
        Newton steps taken.
    """

    coef: Vector
    intercept: float
    iterations: int
