r"""Parts of a prior as functions of coordinates that NUTS moves in.

A `Part` makes the coefficients of some columns, in units where unknown scales are 1, of coordinates
z in which its prior is standard normal wherever that is possible (`quantiles.py`): then no
Jacobian is needed, because the posterior of z is ``N(z; 0, I) · likelihood(β(z))``. Balls need one
coordinate more than they have coefficients, which that allows.

====================  ============================================================================
independent           ``β = sign(z) h(E)``, by size
tails of a power      ``β = reach · sinh(z)``
slabbed               a normal number times a function of log λ and log c
flat, half-flat       in units of the likelihood; ``log(1 + eᶻ)`` where β is at least 0
group Laplace         a group turns with z, its length is the Gamma(d) quantile of |z|
SLOPE, sup norm       z itself, with its own density: kinks, but no tails
fused                 Laplace steps, added up
balls                 uniform in a cube by Φ; in others ``V/(N(V) + E)``, V of density exp(−N)
====================  ============================================================================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg.posterior.quantiles import LOG_2, positive_exponential, signed_exponential

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.posterior.quantiles import Sizes

    type Positions = NDArray[np.intp]
    type PullBack = Callable[[Vector], Vector]
    type Map = Callable[[Vector], tuple[Vector, Vector]]


@dataclass(frozen=True, eq=False)
class Image:
    """Where coordinates of a part lead.

    Attributes
    ----------
    beta : ndarray, shape (k,)
        Coefficients.
    log_density : float
        Log density of the coordinates, up to a constant.
    slope : ndarray, shape (size,)
        Its gradient.
    pull_back : callable
        From the gradient of a function of `beta` (k,) to that in the coordinates (size,); linear.
    swell : ndarray, shape (k,)
        Derivative of `beta` in the logarithm of the unknowns that multiply its scale. Empty in the
        image of `Part.__call__`, where it would be `beta` itself.
    """

    beta: Vector
    log_density: float
    slope: Vector
    pull_back: PullBack
    swell: Vector = field(default_factory=lambda: np.zeros(0))


def standard(z: Vector, beta: Vector, pull_back: PullBack) -> Image:
    """Return the image of coordinates that are standard normal."""
    return Image(beta, -0.5 * float(z @ z), -z, pull_back)


@dataclass(frozen=True, eq=False)
class Part(ABC):
    """Coefficients of some columns as a function of coordinates.

    Attributes
    ----------
    columns : ndarray of int, shape (k,)
        Their positions in the problem.
    uses_scale, uses_sigma : bool
        Which unknowns multiply the coefficients (about `loc`).
    """

    columns: Positions
    uses_scale: bool = field(default=False, kw_only=True)
    uses_sigma: bool = field(default=False, kw_only=True)

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.columns.size

    @property
    def loc(self) -> Vector:
        """What the coefficients are spread about, shape (k,)."""
        return np.zeros(self.columns.size)

    def start(self, share: float) -> Vector:
        """Coordinates to begin a search at, shape (size,): not where a map stands still.

        The coefficients there are about `share` of what they are at a share of one.
        """
        return np.full(self.size, 0.5 * share)

    @property
    def curvature(self) -> Vector:
        """Rough curvature of minus the log density of each coordinate, shape (size,)."""
        return np.ones(self.size)

    @abstractmethod
    def __call__(self, z: Vector) -> Image:
        """Map coordinates (size,) where unknown scales are 1, and without `loc`."""

    def at(self, z: Vector, times: float) -> Image:
        """Map coordinates where the unknown scales multiply to `times`."""
        one = self(z)
        beta, pull_back = times * one.beta, one.pull_back
        return Image(
            self.loc + beta, one.log_density, one.slope, lambda by: pull_back(times * by), beta
        )


@dataclass(frozen=True, eq=False)
class Independent(Part):
    """Sizes of `width` units, with the sign of z or none.

    Attributes
    ----------
    width : ndarray, shape (k,)
        Scales.
    sizes : Sizes
        The family.
    nonnegative : bool
        Whether there is one sign only.
    """

    width: Vector
    sizes: Sizes
    nonnegative: bool

    def start(self, share: float) -> Vector:
        """Where coefficients have a bound it is at minus infinity."""
        z = float(special.ndtri(share * special.ndtr(0.5))) if self.nonnegative else 0.5 * share
        return np.full(self.size, z)

    def __call__(self, z: Vector) -> Image:
        """Map coordinates."""
        e, rate = positive_exponential(z) if self.nonnegative else signed_exponential(z)
        size, slope = self.sizes(e)
        sign = 1.0 if self.nonnegative else np.where(z < 0, -1.0, 1.0)
        steep = self.width * slope * rate
        return standard(z, self.width * size * sign, lambda by: by * steep)


@dataclass(frozen=True, eq=False)
class Tailed(Part):
    """``reach · sinh(z)``, or of ``log(1 + eᶻ)`` with one sign, under tails of a power.

    A quantile of a normal number would grow so fast there that the likelihood becomes a wall; this
    grows like a coefficient up to `reach` and like the exponential of z beyond.

    Attributes
    ----------
    width : ndarray, shape (k,)
        Scales.
    reach : ndarray, shape (k,)
        Where coordinates turn from coefficients into their logarithms.
    nonnegative : bool
        Whether there is one sign only.
    law : callable
        Log density, up to a constant, and its slope at sizes in units of `width`.
    bend : callable, optional
        From these sizes to those of the prior, and the derivative; none: they are the same.
    """

    width: Vector
    reach: Vector
    nonnegative: bool
    law: Map
    bend: Map | None = None

    def start(self, share: float) -> Vector:
        """Where coefficients have a bound it is at minus infinity."""
        return np.full(self.size, 0.5 + np.log(share) if self.nonnegative else 0.5 * share)

    def __call__(self, z: Vector) -> Image:
        """Map coordinates, with the Jacobian of the first map."""
        s, rate, log_rate = z, np.ones_like(z), np.zeros_like(z)
        if self.nonnegative:
            s, rate, log_rate = np.logaddexp(0.0, z), special.expit(z), special.expit(-z)
        x, steep = self.reach * np.sinh(s), self.reach * np.cosh(s) * rate
        sign, size = np.where(x < 0, -1.0, 1.0), np.abs(x) / self.width
        value, fall = self.law(size)
        density = float((value + np.log(steep)).sum())
        slope = sign * fall * steep / self.width + np.tanh(s) * rate + log_rate
        if self.bend is None:
            return Image(x, density, slope, lambda by: by * steep)
        bent, stretch = self.bend(size)
        beta, steeper = sign * self.width * bent, stretch * steep
        return Image(beta, density, slope, lambda by: by * steeper)


@dataclass(frozen=True, eq=False)
class Slabbed(Part):
    """``N(0, v)`` with ``1/v = 1/(λ·width)² + 1/c²``: an unknown scale does not multiply c.

    Coordinates are the normal number, log λ, and ``log(1/c²)`` in units of its scale where the slab
    is a Student t.

    Attributes
    ----------
    width, slab : ndarray, shape (k,)
        Scales of λ and of c.
    df : float
        Degrees of freedom of the slab; inf where c is known.
    """

    width: Vector
    slab: Vector
    df: float

    @property
    def size(self) -> int:
        """Two or three coordinates per coefficient."""
        return self.columns.size * (2 if np.isinf(self.df) else 3)

    def start(self, share: float) -> Vector:
        """Half a deviation, at the middle of the scales."""
        return np.repeat([0.5 * share, 0.0], [self.columns.size, self.size - self.columns.size])

    def __call__(self, z: Vector) -> Image:
        """Map coordinates where unknown scales are 1."""
        return self.at(z, 1.0)

    def at(self, z: Vector, times: float) -> Image:
        """Map coordinates."""
        e, t, *of_slab = z.reshape(-1, self.columns.size)
        a = times * self.width * np.exp(t)
        value = -0.5 * float(e @ e) - float(np.logaddexp(t, -t).sum())  # of log λ: 1/cosh
        slopes, c = [-e, -np.tanh(t)], self.slab
        for h in of_slab:
            c = c * np.exp(-0.5 * h)
            value += 0.5 * self.df * float((h - np.exp(h)).sum())
            slopes.append(-0.5 * self.df * np.expm1(h))
        whole = np.hypot(a, c)
        spread, share = a * (c / whole), (c / whole) ** 2
        beta = e * spread

        def pull_back(by: Vector) -> Vector:
            by_log = by * beta
            by_slab = [0.5 * by_log * (share - 1.0)] * len(of_slab)
            return np.concatenate([by * spread, by_log * share, *by_slab])

        return Image(beta, value, np.concatenate(slopes), pull_back, beta * share)


@dataclass(frozen=True, eq=False)
class Gauss(Part):
    """``centre + width · z``.

    Attributes
    ----------
    width, centre : ndarray, shape (k,)
        Standard deviations and means.
    """

    width: Vector
    centre: Vector

    @property
    def loc(self) -> Vector:
        """The means."""
        return self.centre

    def start(self, share: float) -> Vector:
        """Half a deviation beside the mean, or on the way from there to coefficients of 0."""
        return 0.5 * share + (share - 1.0) * (self.centre / self.width)

    def __call__(self, z: Vector) -> Image:
        """Map coordinates."""
        return standard(z, self.width * z, lambda by: by * self.width)


@dataclass(frozen=True, eq=False)
class Free(Part):
    """Coefficients without a prior, in units of the likelihood.

    Attributes
    ----------
    unit : ndarray, shape (k,)
        Rough standard deviations.
    """

    unit: Vector

    def start(self, share: float) -> Vector:
        """Zeros."""
        del share
        return np.zeros(self.size)

    @property
    def curvature(self) -> Vector:
        """None."""
        return np.zeros(self.size)

    def __call__(self, z: Vector) -> Image:
        """Map coordinates."""
        return Image(self.unit * z, 0.0, np.zeros_like(z), lambda by: by * self.unit)


@dataclass(frozen=True, eq=False)
class HalfFree(Free):
    """Coefficients that are at least 0, and nothing else is known of them: ``log(1 + eᶻ)``."""

    def start(self, share: float) -> Vector:
        """Where the bound is at minus infinity."""
        return np.full(self.size, np.log(share))

    @property
    def curvature(self) -> Vector:
        """That of the Jacobian at 0."""
        return np.full(self.size, 0.25)

    def __call__(self, z: Vector) -> Image:
        """Map coordinates, with the Jacobian of the map as the density."""
        rise, steep = special.expit(-z), self.unit * special.expit(z)
        jacobian = -float(np.logaddexp(0.0, -z).sum())
        return Image(self.unit * np.logaddexp(0.0, z), jacobian, rise, lambda by: by * steep)


@dataclass(frozen=True, eq=False)
class Sorted(Part):
    """Density ∝ ``exp(−Σ w_i |β/width|_(i))``, the largest first, in its own units.

    Attributes
    ----------
    width, weights : ndarray, shape (k,)
        Scales, and the weights of places.
    spread : float
        Standard deviation of a coefficient at scale 1.
    """

    width: Vector
    weights: Vector
    spread: float

    def __call__(self, z: Vector) -> Image:
        """Map coordinates, with the penalty as the density."""
        unit, size = self.width * self.spread, np.abs(z)
        order = np.argsort(-size, kind="stable")
        slope = np.empty_like(z)
        slope[order] = self.weights * self.spread
        return Image(unit * z, -float(slope @ size), -slope * np.sign(z), lambda by: by * unit)


@dataclass(frozen=True, eq=False)
class Steps(Part):
    """A walk: the sums of what another part makes, times a factor.

    Attributes
    ----------
    steps : tuple of Part
        First step, and the others.
    factor : ndarray, shape (k,)
        Units of the walk.
    """

    steps: tuple[Part, Part]
    factor: Vector

    @property
    def curvature(self) -> Vector:
        """Those of the steps."""
        return np.concatenate([part.curvature for part in self.steps])

    def __call__(self, z: Vector) -> Image:
        """Map coordinates."""
        first, others = self.steps[0](z[:1]), self.steps[1](z[1:])
        walk = np.cumsum(np.concatenate([first.beta, others.beta]))

        def pull_back(by: Vector) -> Vector:
            sums = np.cumsum((by * self.factor)[::-1])[::-1]
            return np.concatenate([first.pull_back(sums[:1]), others.pull_back(sums[1:])])

        density = first.log_density + others.log_density
        slope = np.concatenate([first.slope, others.slope])
        return Image(self.factor * walk, density, slope, pull_back)


@dataclass(frozen=True, eq=False)
class Turning(Part):
    """Groups of density ``exp(−‖V_g‖)``: the direction of z, and a length by its quantile.

    Attributes
    ----------
    width : ndarray, shape (k,)
        Scales.
    labels : ndarray of int, shape (k,)
        The group of each coefficient.
    """

    width: Vector
    labels: Positions

    def __call__(self, z: Vector) -> Image:
        """Map coordinates."""
        v, _, pull_back = turned(z, self.labels)
        return standard(z, self.width * v, lambda by: pull_back(by * self.width))


@dataclass(frozen=True, eq=False)
class Ball(Turning):
    """Uniform where ``Σ_g ‖(β/width)_g‖ <= 1``: ``V/(Σ‖V_g‖ + E)``, E a unit exponential."""

    @property
    def size(self) -> int:
        """One coordinate more, for E."""
        return self.columns.size + 1

    def __call__(self, z: Vector) -> Image:
        """Map coordinates."""
        v, lengths, pull_back = turned(z[:-1], self.labels)
        e, rate = positive_exponential(z[-1:])
        total = float(lengths.sum() + e[0])
        u = v / total
        way = v / np.maximum(lengths, 1e-300)[self.labels]  # the gradient of the sum of lengths

        def back(by: Vector) -> Vector:
            by_u = by * self.width
            fall = float(by_u @ u) / total
            return np.append(pull_back(by_u / total - fall * way), -fall * rate[0])

        return standard(z, self.width * u, back)


@dataclass(frozen=True, eq=False)
class Cube(Part):
    """Uniform between −width and width.

    Attributes
    ----------
    width : ndarray, shape (k,)
        Half the edges.
    """

    width: Vector

    def __call__(self, z: Vector) -> Image:
        """Map coordinates."""
        steep = self.width * np.exp(-0.5 * z**2) * np.sqrt(2 / np.pi)
        return standard(z, self.width * special.erf(z / np.sqrt(2)), lambda by: by * steep)


def turned(z: Vector, labels: Positions) -> tuple[Vector, Vector, PullBack]:
    """Map normal vectors to those of density ``exp(−‖V‖)``, group by group.

    The length of d normal numbers is chi with d degrees of freedom, that of V is Gamma(d).

    Returns
    -------
    v : ndarray, shape (k,)
        The vectors.
    lengths : ndarray, shape (groups,)
        Their lengths.
    pull_back : callable
        Of a gradient in `v`.
    """
    d = np.bincount(labels).astype(float)
    chi = np.sqrt(np.maximum(np.bincount(labels, weights=z**2), 1e-200))
    half = 0.5 * chi**2
    low = half < 0.5 * d  # the smaller of both probabilities has the digits
    length = np.where(
        low,
        special.gammaincinv(d, special.gammainc(0.5 * d, half)),
        special.gammainccinv(d, special.gammaincc(0.5 * d, half)),
    )
    length = np.maximum(length, 1e-300)
    log_chi = (1 - 0.5 * d) * LOG_2 - special.gammaln(0.5 * d) + (d - 1) * np.log(chi) - half
    log_gamma = (d - 1) * np.log(length) - length - special.gammaln(d)
    way, stretch = z / chi[labels], (length / chi)[labels]
    extra = np.exp(log_chi - log_gamma)[labels] - stretch

    def pull_back(by: Vector) -> Vector:
        along = np.bincount(labels, weights=by * way)[labels]
        return np.asarray(stretch * by + extra * along * way)

    return length[labels] * way, length, pull_back
