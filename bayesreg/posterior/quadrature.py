r"""Unknown noise sd and unknown prior scale under normal priors, by one- and two-dimensional sums.

With the sd of coefficient j ``τ_j = base_j σ^e s^f`` (e = 1 for ``relative_to="sigma"``, f = 1
where the scale s is unknown) every prior sd has the same ratio ``κ = s^f σ^(e−1)`` to the noise, so
one singular value decomposition (`bayesreg.posterior.conditional`) gives ::

    log p(y, σ, s) = constant − N log σ − ½ log det(I + κ²MᵀM) − Q(κ)/(2σ²) + log p(σ) + log p(s)

with N rows less flat directions, at O(r) for each κ and O(1) for each σ after that. In u = log σ
and v = log κ it is analytic, has tails that are exponential or lighter, and is log-concave in u
(`bayesreg.posterior.log_scales`). So the inner integral over u is a trapezoidal sum between points
found by bisection; the outer one, over v (over u where the scale is known), is a
`bayesreg.posterior.lattice.Lattice`. Blocks whose prior keeps a fixed ratio to the noise are
absorbed as rows of data.

Which moments exist is read off the tails: along each extreme direction of (log σ, log s) the
density falls like ``exp(−margin · distance)``, and a moment adds its exponents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self, cast

import numpy as np

from bayesreg.errors import ImproperPosterior
from bayesreg.likelihoods import LOG_2PI, Gaussian
from bayesreg.posterior.conditional import Conditional
from bayesreg.posterior.density import PriorShape
from bayesreg.posterior.lattice import Lattice, Rows, log_sum
from bayesreg.posterior.log_scales import LogScale
from bayesreg.scale_priors import HalfFlat

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.posterior.conditional import Array, Mask
    from bayesreg.problem import Problem

    type Kind = tuple[int, int]
    type Powers = tuple[tuple[float, float], ...]

# Inner integrals that are done at once.
_BLOCK = 2048
# A mean whose integrand falls slower than this power is nearly infinite, and too wide to integrate.
_HAIR = 0.1


def reason_against(problem: Problem) -> str | None:
    """Say why no single decomposition serves a problem with unknowns; None where one does.

    The problem is Gaussian and its prior has squares only; the question is whether the widths of
    all coefficients vary together.
    """
    kinds = _kinds(PriorShape.of(problem))
    if "scale" in problem.unknown and not any(f for _, f in kinds):
        return "scale: no coefficient depends on it, so the data say nothing of it"
    if len(kinds - {_fixed_kind(problem)}) > 1:
        return (
            "prior: some of its scales are unknown, others are numbers, and sigma is unknown too: "
            'no one decomposition serves; relative_to="sigma" on the numbers would do'
        )
    return None


def _fixed_kind(problem: Problem) -> Kind:
    """Exponents (e, f) of a prior sd that keeps its ratio to the noise sd."""
    return (1, 0) if "sigma" in problem.unknown else (0, 0)


def _kinds(shape: PriorShape) -> set[Kind]:
    """Exponents that occur among the coefficients with a normal prior."""
    powers = np.column_stack([shape.sigma_power, shape.scale_power])[shape.penalty.l2 > 0]
    return {(int(e), int(f)) for e, f in powers}


@dataclass(frozen=True, eq=False)
class Nodes:
    """A discrete law of (κ, σ) that has the integrals of their posterior.

    Attributes
    ----------
    log_kappa, weight : ndarray, shape (k,)
        Ratios and their probabilities.
    log_sigma, log_inner : ndarray, shape (k, m)
        Noise sds and the logs of their probabilities given the ratio.
    log_total : float
        Log of the integral of the density.
    """

    log_kappa: Vector
    weight: Vector
    log_sigma: Array
    log_inner: Array
    log_total: float

    @property
    def log_square(self) -> Vector:
        """``log E[σ² | κ]``, shape (k,)."""
        return log_sum(2 * self.log_sigma + self.log_inner)

    def moments(self, sigma: float, kappa: float) -> tuple[float, float]:
        """Mean and sd of ``σ^sigma κ^kappa``, the sd from deviations so that nothing cancels."""
        log_value = sigma * self.log_sigma + kappa * self.log_kappa[:, None]
        log_weight = np.log(self.weight)[:, None] + self.log_inner
        log_mean = float(log_sum((log_value + log_weight).ravel()))
        x = log_value - log_mean
        with np.errstate(divide="ignore"):
            log_deviation = np.where(x > 30, x, np.log(np.abs(np.expm1(np.minimum(x, 31)))))
        log_variance = float(log_sum((2 * log_deviation + log_weight).ravel()))
        return math.exp(log_mean), math.exp(log_mean + 0.5 * log_variance)


@dataclass(frozen=True, eq=False)
class Unknowns:
    """The posterior of σ and s with the coefficients integrated out; make it with `Unknowns.of`.

    Attributes
    ----------
    conditional : Conditional
        The decomposition, at σ = s = 1.
    flat : int
        Number of coefficients without a prior.
    noise, width : LogScale or None
        Priors of σ and s; None where known.
    e, f : int
        Exponents of σ and s in the prior sds that vary.
    log_scale : float
        Log of what multiplies these sds: a value of the scale that was given.
    constant : float or None
        What the log density leaves out of ``log p(y, σ, s)``; None where it is arbitrary.
    """

    conditional: Conditional
    flat: int
    noise: LogScale | None
    width: LogScale | None
    e: int
    f: int
    log_scale: float
    constant: float | None

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Decompose a problem that `reason_against` has nothing against."""
        design, shape = problem.design, PriorShape.of(problem)
        fixed, l2 = _fixed_kind(problem), shape.penalty.l2
        e, f = next(iter(_kinds(shape) - {fixed}), fixed)
        absorbed: Mask = (l2 > 0) & ((shape.sigma_power != e) | (shape.scale_power != f))
        likelihood = problem.likelihood
        known = isinstance(likelihood, Gaussian) and likelihood.conditional
        h = design.row_weights / (likelihood.variance if known else 1.0)  # type: ignore[attr-defined]
        conditional = Conditional.of(
            design.X,
            design.less_offset,
            h,
            l2,
            shape.penalty.loc,
            intercept=design.intercept,
            absorbed=absorbed,
        )
        priors = problem.hyperpriors()
        improper = any(isinstance(prior, HalfFlat) for prior in priors.values())
        constant = None
        if not (improper or design.intercept or (l2 == 0).any()):
            logs = float(np.log(h).sum() + np.log(l2[absorbed]).sum())
            constant = 0.5 * (logs - problem.n * LOG_2PI) - conditional.flat_log_det
        logs_of = {name: LogScale.of(prior) for name, prior in priors.items()}
        noise, width = logs_of.get("sigma"), logs_of.get("scale")
        return cls(conditional, int((l2 == 0).sum()), noise, width, e, f, 0.0, constant)

    def given_scale(self, scale: float) -> Self:
        """Condition on a value of the unknown scale; the decomposition is the same."""
        return replace(self, width=None, f=0, log_scale=self.log_scale + math.log(scale))

    def widened(self, ratio: float) -> Self:
        """Multiply the prior sds that vary; the decomposition is the same."""
        return replace(self, log_scale=self.log_scale + math.log(ratio))

    @property
    def absorbs(self) -> bool:
        """Whether some normal priors are rows of data, which `widened` leaves as they are."""
        return self.conditional.flat.size > self.flat

    # ------------------------------------------------------------------ tails

    @cached_property
    def _rays(self) -> tuple[tuple[int, int, float], ...]:
        """Extreme directions of (log σ, log s), and how fast the density falls along them."""
        c, noise, width = self.conditional, self.noise, self.width
        rays: list[tuple[int, int, float]] = []
        if width is not None:
            rays += [(0, 1, c.rank * self.f + width.fall), (0, -1, width.rise)]
        if noise is None:
            return tuple(rays)
        exact, empty = c.beyond == 0, c.beyond + float(c.along @ c.along) == 0
        down = math.inf
        if empty or (exact and self.e == 0):
            # A fixed prior is ever wider relative to the noise: κ grows as σ falls, as 1/σ.
            down = noise.rise - c.freedom + (c.rank if self.e == 0 else 0)
        rays += [(1, 0, c.freedom + noise.fall), (-1, 0, down)]
        if width is not None:
            rays.append((1, 1, c.freedom + noise.fall + width.fall + self.e * c.rank))
            if exact and self.e == 1:
                rays.append((-1, 1, noise.rise + width.fall + c.rank - c.freedom))
            if empty:
                rays.append((-1, -1, noise.rise + width.rise - c.freedom))
        return tuple(rays)

    def exists(self, sigma: float, scale: float = 0.0) -> bool:
        """Whether ``E[σ^sigma s^scale]`` is finite, and not by a hair."""
        return all(margin - _HAIR > sigma * a + scale * b for a, b, margin in self._rays)

    def has_variance(self, *, intercept: bool) -> bool:
        """Whether every coefficient, and the intercept if there is one, has a variance."""
        c = self.conditional
        for a, b, margin in self._rays:
            width, noise = 2 * (self.e * a + self.f * b), 2 * a
            powers = [min(width, noise)] if c.rank else []
            powers += [] if c.is_full else [width]
            powers += [noise] if c.flat.size or intercept else []
            if any(power >= margin - _HAIR for power in powers):
                return False
        return True

    def require_proper(self) -> None:
        """Raise ImproperPosterior if the density of the unknowns does not integrate."""
        endless = [(a, b) for a, b, margin in self._rays if not margin > 0]
        if not endless:
            return
        a, b = endless[0]
        ways = " and ".join(
            f"{name} {'grows' if way > 0 else 'falls to 0'}"
            for name, way in (("sigma", a), ("scale", b))
            if way
        )
        msg = (
            f"{'sigma' if a else 'scale'}: the density has no integral as {ways}: there are too "
            "few rows for its prior, or y is fitted exactly; give it a value, or a proper prior "
            "(HalfNormal, HalfCauchy, or InverseGamma for sigma)"
        )
        raise ImproperPosterior(msg)

    # ------------------------------------------------------------------ the density

    @property
    def nested(self) -> bool:
        """Whether both are unknown, so that there is an integral within an integral."""
        return self.noise is not None and self.width is not None

    def integrands(self, outer: Vector, powers: Powers = ()) -> Array:
        """Log density of the outer coordinate, and of its products with what is asked for.

        The outer coordinate is log κ where the scale is unknown, else log σ; an inner one is
        integrated out. The products are with powers of (σ, κ); shape (k, 1 + m).
        """
        if self.nested:
            blocks = range(0, outer.size, _BLOCK)
            parts = [self._sums(outer[i : i + _BLOCK], powers) for i in blocks]
            return np.concatenate([*parts, np.zeros((0, 1 + len(powers)))])
        square, log_det = self.conditional.profile(self._log_kappa(outer))
        if self.width is not None:
            value = self.width.log_density(outer) - 0.5 * (log_det + square)
        else:
            value = self._of_noise(outer, outer, _log(square)) - 0.5 * log_det
        known = int(self.noise is None)  # then κ is all that there are powers of
        exponents = np.array([0.0, *(power[known] for power in powers)])
        return np.asarray(value[:, None] + outer[:, None] * exponents)

    def _powers(self) -> Powers:
        """Powers of σ and of κ that moments are made of, if their means exist."""
        e = self.e
        of_sigma = [] if self.noise is None else [(1.0, 0.0), (2.0, 0.0), (4.0, 0.0)]
        of_scale = [] if self.width is None else [(0.0, 1.0), (0.0, 2.0), (2.0 * e, 2.0)]
        exist = [(a, b) for a, b in of_sigma + of_scale if self.exists(a, b)]
        # s = κ σ^(1−e)
        return tuple(dict.fromkeys((a + (1 - e) * b, b) for a, b in exist))

    def _sums(self, v: Vector, powers: Powers) -> Array:
        """Integrands of log κ = v, shape (k, 1 + m)."""
        rows = self._inner(v, max((sigma for sigma, _ in powers), default=0.0))
        _, log_det = self.conditional.profile(v)
        both = ((0.0, 0.0), *powers)
        sums = [rows.log_totals(sigma) + kappa * v for sigma, kappa in both]
        return np.stack(sums, axis=1) - 0.5 * log_det[:, None]

    @property
    def _prior(self) -> LogScale:
        """The prior of sigma, where sigma is known to be unknown."""
        return cast("LogScale", self.noise)

    def _log_kappa(self, outer: Vector) -> Vector:
        return outer if self.width is not None else self.log_scale + (self.e - 1) * outer

    def _of_noise(self, u: Array, v: Array, log_square: Array) -> Array:
        """Log density at log σ = u and log κ = v, less the determinant that only v enters."""
        fit = 0.5 * np.exp(log_square - 2 * u)
        value = self._prior.log_density(u) - self.conditional.freedom * u - fit
        if self.width is not None:
            value = value + self.width.log_density(v + (1 - self.e) * u)
        return value

    def _slope(self, u: Array, v: Array, log_square: Array) -> Array:
        """Derivative of `_of_noise` in u, which falls with u."""
        value = self._prior.slope(u) - self.conditional.freedom + np.exp(log_square - 2 * u)
        if self.width is not None and self.e == 0:
            value = value + self.width.slope(v + u)
        return value

    def _inner(self, v: Vector, tilt: float) -> Rows:
        """Densities of log σ at each log κ, for means of up to this power of σ."""
        square = _log(self.conditional.profile(v)[0])
        return Rows.of(
            lambda u: self._of_noise(u, v[:, None], square[:, None]),
            lambda u: self._slope(u, v[:, None], square[:, None]),
            self._guess(square),
            tilt,
        )

    def _guess(self, log_square: Vector) -> Vector:
        """Log of a noise sd that explains what the coefficients leave."""
        start = 0.5 * (log_square - math.log(max(self.conditional.freedom, 1)))
        return np.where(np.isfinite(start), start, self._prior.centre or 0.0)

    def _lattice(self, powers: Powers) -> Lattice:
        """The density of the outer coordinate, at nodes that serve means of these powers too."""
        with np.errstate(over="ignore"):
            return Lattice.of(lambda outer: self.integrands(outer, powers), self._landmarks())

    def _landmarks(self) -> list[float]:
        """Where on the outer coordinate something may happen."""
        c = self.conditional
        s, along = c.s[c.s > 0], np.abs(c.along[c.s > 0])
        empty = c.beyond + float(along @ along)
        noises = [0.0]
        if self.noise is not None:
            noises = [float(self._guess(_log(np.array([q])))[0]) for q in (empty, c.beyond) if q]
            noises = noises or [0.0]
        if self.width is None:
            at = [*noises, *((self.log_scale + np.log(s)) if self.e == 0 else ())]
            centre = None if self.noise is None else self.noise.centre
            return [float(x) for x in at] + ([] if centre is None else [centre])
        at = list(-np.log(s))
        seen = along > 0
        # The ratio at which a prior is as wide as the coefficient that it is the prior of.
        at += [x - noise for x in np.log(along[seen] / s[seen]) for noise in noises]
        if self.width.centre is not None:
            at += [self.width.centre - (1 - self.e) * noise for noise in noises]
        return [float(x) for x in at] or [0.0]

    # ------------------------------------------------------------------ answers

    def nodes(self) -> Nodes:
        """Return the nodes of the integral and their probabilities."""
        powers = self._powers()
        lattice = self._lattice(powers)
        outer, weight = lattice.nodes, lattice.weights
        keep = weight > 0
        outer, weight = outer[keep], weight[keep]
        log_kappa = self._log_kappa(outer)
        with np.errstate(over="ignore"):
            if self.nested:
                rows = self._inner(outer, max((sigma for sigma, _ in powers), default=0.0))
                log_sigma = rows.nodes
                log_inner = rows.log_values - log_sum(rows.log_values)[:, None]
            else:
                log_sigma = (np.zeros_like(outer) if self.noise is None else outer)[:, None]
                log_inner = np.zeros_like(log_sigma)
        return Nodes(log_kappa, weight, log_sigma, log_inner, lattice.log_total)

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Vector, Vector]:
        """Draw log κ and log σ independently, shapes (size,)."""
        with np.errstate(over="ignore"):
            outer = self._lattice(()).draw(rng, size)
            if self.nested:
                blocks = range(0, size, _BLOCK)
                parts = [self._inner(outer[i : i + _BLOCK], 0.0).draw(rng) for i in blocks]
                return outer, np.concatenate(parts)
        log_sigma = np.zeros_like(outer) if self.noise is None else outer
        return self._log_kappa(outer), log_sigma

    def log_width(self, log_kappa: Array, log_sigma: Array) -> Array:
        """Log of the scale s at a ratio and a noise sd."""
        return log_kappa + (1 - self.e) * log_sigma


def _log(square: Vector) -> Vector:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(square))
