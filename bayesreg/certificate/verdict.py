"""What a certificate says."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._visible import visible

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

# A gap of 1e-9 nats changes no statement about a posterior; KKT residuals scale as its square root.
GAP_TOLERANCE = 1e-9
KKT_TOLERANCE = 1e-6
# Largest excess over the minimum, in nats, that still counts as near it: the density is 0.1 % below
# its peak.
NEAR = 1e-3
# Where rounding alone may be worth more nats than this (or than 1e-9 of the loss), nothing is
# certified: centre the columns.
COARSEST = 1e-3


@dataclass(frozen=True)
class Certificate:
    """What can be said of a coefficient vector without knowing where it came from.

    Attributes
    ----------
    gap : float
        Upper bound, in nats, on how far the objective is above its minimum; ``inf`` if unknown,
        as it is where the problem is not convex.
    kkt : float
        Largest KKT residual, in units free of the columns' scales (see the package's text).
    worst : str
        Name of the coefficient with the largest residual.
    support : tuple of int
        Positions of the coefficients that are not exactly zero.
    unique : bool
        Whether the optimum is proved unique; False for dependent columns, say.
    optimal : bool
        Whether it is the mode: problem convex, gap and KKT residual below their tolerances.
    convex : bool
        Whether loss and penalty are convex, so that a stationary point is the mode.
    stationary : bool
        Whether the KKT residual is below its tolerance.
    minimum : bool
        Whether it is proved to be a local minimum; where the problem is not convex, by its second
        derivatives.
    joint : bool
        Whether sigma was judged too. Then sigma is a stationary point, and all else is said of the
        coefficients given it: under a prior that does not scale with sigma there may be another
        joint mode elsewhere (Park & Casella 2008).
    gap_tolerance, kkt_tolerance : float
        The tolerances, which grow with the rounding error of the data's own magnitudes.
    multipliers : ndarray, shape (p,), or None
        Where a penalty has ``|β|/b``: its subgradient z in units of 1/b, which the gradient of
        everything smooth has to balance. At the mode it is the sign of β on the support and within
        ±1 elsewhere; how far it is from ±1 says how far a zero is from entering. NaN for
        coefficients without an absolute value of their own; None along a path, where
        ``certify(problem, coef)`` gives them.
    cusp : bool
        Whether a penalty is infinitely steep at 0, so that a coefficient at 0 is stationary
        whatever the data say.
    copies : tuple of two str, or None
        Where the optimum is proved *not* to be unique: two columns that are equal up to sign and a
        power of two, and beside an intercept up to a level, under the same slope of the penalty.
        What one of them has of a coefficient the other may have as well.
    objective : float
        Negative log of likelihood times prior at the coefficients, in nats, every constant
        included; NaN where it cannot be evaluated.
    """

    gap: float
    kkt: float
    worst: str
    support: tuple[int, ...]
    unique: bool
    optimal: bool
    convex: bool = True
    stationary: bool = False
    gap_tolerance: float = field(default=GAP_TOLERANCE, repr=False)
    kkt_tolerance: float = field(default=KKT_TOLERANCE, repr=False)
    multipliers: Vector | None = field(default=None, repr=False, compare=False)
    cusp: bool = field(default=False, repr=False)
    objective: float = field(default=math.nan, repr=False)
    minimum: bool = field(default=False, repr=False)
    joint: bool = field(default=False, repr=False)
    copies: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def near(self) -> bool:
        """Whether the gap proves the objective to be within a thousandth of a nat of its minimum.

        Which coefficients of the mode are zero is then still open.
        """
        return self.gap <= NEAR

    def __str__(self) -> str:
        """Say the verdict in words."""
        residual, worst = f"KKT residual {self.kkt:.2g}", visible(self.worst)
        if not self.convex:
            verdict = "stationary" if self.stationary else f"NOT stationary (worst: {worst})"
            cusp = "; 0 is always a local mode under this prior" if self.cusp else ""
            residual += ", a local minimum" if self.minimum else ""
            return f"{verdict}: {residual} (not convex: no global statement{cusp})"
        found = "optimal given sigma, itself stationary" if self.joint else "optimal"
        missed = f"{'near but ' * self.near}NOT optimal (worst: {worst})"
        verdict = found if self.optimal else missed
        tail = f"; {self._uniqueness()}" if self.optimal else ""
        return f"{verdict}: duality gap {self.gap:.2g} nats, {residual}{tail}"

    def _uniqueness(self) -> str:
        """Say whether other coefficients do as well as these, which are optimal."""
        given = " given sigma" if self.joint else ""
        if self.copies is not None:
            one, other = map(visible, self.copies)
            same = f"{one} and {other} are copies, and other coefficients reach the minimum"
            return f"not unique{given}: {same}"
        return f"{'unique' if self.unique else 'an optimum, not proved unique'}{given}"


def failed(problem: Problem, coef: Vector) -> Certificate:
    """Return the verdict on what cannot even be evaluated."""
    bad = np.flatnonzero(~np.isfinite(coef))
    return Certificate(
        gap=math.inf,
        kkt=math.inf,
        worst=problem.names[bad[0]] if bad.size else "intercept",
        support=tuple(np.flatnonzero(coef).tolist()),
        unique=False,
        optimal=False,
        convex=problem.convex,
    )
