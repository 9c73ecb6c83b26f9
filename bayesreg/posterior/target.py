"""The log density that NUTS sees: the posterior in whitened coordinates, with its gradient.

The coordinates are ``z = (z_β, z_level, z_sigma, z_scale)``. Unknowns move on the log scale,
``x = x₀ exp(c z)``; the coefficients follow from z through the Gaussian surrogate *at the present
unknowns*, so that z is standard normal whatever they are (exactly so for a normal prior and
likelihood), and NUTS sees no funnel. Known scales leave one linear map, ``β = mean + root z``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bayesreg.likelihoods import Noise
from bayesreg.posterior.density import PriorShape, log_jacobian
from bayesreg.posterior.rows import rows_of
from bayesreg.posterior.surrogate import find_surrogate
from bayesreg.posterior.whitening import Whitening

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.posterior.surrogate import Surrogate
    from bayesreg.problem import Problem, Unknown
    from bayesreg.scale_priors import ScalePrior

# Beyond this logarithm of an unknown its powers leave double precision; the density is 0 there.
_LOG_LIMIT = 200.0


def _centred_rows(problem: Problem, surrogate: Surrogate) -> tuple[Matrix, Vector]:
    """Return the columns of δ (a column of ones last, with an intercept) and η at the centre."""
    conditional, design = surrogate.conditional, problem.design
    columns = design.X - conditional.column_mean
    eta = conditional.level + columns @ conditional.mean
    if design.offset is not None:
        eta = eta + design.offset
    if design.intercept:
        columns = np.column_stack([columns, np.ones(problem.n)])
    return columns, eta


@dataclass(frozen=True, eq=False)
class _UnknownScale:
    """One unknown on the log scale: ``x = start · exp(step · z)``."""

    name: Unknown
    prior: ScalePrior
    start: float
    step: float
    power: Vector  # exponent of x in the prior scale of each coefficient


def _unknown_scales(
    problem: Problem, shape: PriorShape, surrogate: Surrogate
) -> tuple[_UnknownScale, ...]:
    powers = {"sigma": shape.sigma_power, "scale": shape.scale_power}
    rows = {"sigma": problem.n, "scale": 0}
    # The curvature of count·log x + square/(2x²) in log x is 2·count at its minimum.
    return tuple(
        _UnknownScale(
            name=name,
            prior=prior,
            start=surrogate.unknown[name],
            step=float(2 * max(rows[name] + powers[name].sum(), 1)) ** -0.5,
            power=powers[name],
        )
        for name, prior in problem.hyperpriors().items()
    )


class Target:
    """The whitened log density of a problem, callable as ``target(z) -> (log density, gradient)``.

    Attributes
    ----------
    size, width : int
        Number of coordinates, and of the numbers that `draw` makes of them.
    adaptation : str
        What nutpie may adapt: the scales of the coordinates, which are uncorrelated already.
    """

    adaptation: ClassVar[str] = "diag"

    def __init__(self, problem: Problem) -> None:
        shape = PriorShape.of(problem)
        surrogate = find_surrogate(problem, shape)
        self.conditional, self.p = surrogate.conditional, problem.p
        self.k = problem.p + int(problem.design.intercept)
        self.l1, self.l2 = shape.penalty.l1, shape.penalty.l2
        self.loc = self.conditional.loc * (self.l2 > 0)
        self.rows = rows_of(problem, *_centred_rows(problem, surrogate))
        self.sigma = 1.0
        if isinstance(problem.likelihood, Noise) and problem.likelihood.conditional:
            self.sigma = math.sqrt(problem.likelihood.variance)
        self.root = self.conditional.spread(np.eye(problem.p)).T
        self.unknown = _unknown_scales(problem, shape, surrogate)
        powers = [x.power for x in self.unknown]
        self.powers = np.array(powers).reshape(len(powers), problem.p)
        self.steps = np.array([x.step for x in self.unknown])
        self.log_start = np.log([x.start for x in self.unknown])
        of_noise = np.array([float(x.name == "sigma") for x in self.unknown])
        self.whitening = Whitening(self.conditional, self.k > self.p, self.powers, of_noise)
        self.size = self.width = self.k + len(self.unknown)

    def draw(self, z: Vector) -> Vector:
        """Map coordinates (size,) to one row: coefficients, intercept, sigma, scale."""
        conditional = self.conditional
        values = np.empty(0)
        if self.unknown:
            log_ratio = self.steps * z[self.k :]
            values = np.exp(self.log_start + log_ratio)
            point = self.whitening.forward(z[: self.k], log_ratio)
            beta, deviation = point.beta, point.level
        else:
            beta = conditional.mean + self.root @ z[: self.p]
            deviation = conditional.level_sd * float(z[self.p : self.k].sum())
        level = np.full(self.k - self.p, conditional.level + deviation)
        return np.concatenate([beta, level - conditional.column_mean @ beta, values])

    def split(self, rows: Array) -> dict[str, Array]:
        """Give the columns of draws (..., size) their names."""
        out = {"beta": rows[..., : self.p]}
        if self.k > self.p:
            out["intercept"] = rows[..., self.p]
        return out | {x.name: rows[..., self.k + i] for i, x in enumerate(self.unknown)}

    def __call__(self, z: Vector) -> tuple[float, Vector]:
        """Return the log density up to a constant, and its gradient, at coordinates z (size,)."""
        return self._with_unknowns(z) if self.unknown else self._all_known(z)

    def _all_known(self, z: Vector) -> tuple[float, Vector]:
        deviation, level_sd = z.copy(), self.conditional.level_sd
        deviation[: self.p] = self.root @ z[: self.p]
        deviation[self.p :] *= level_sd
        beta = self.conditional.mean + deviation[: self.p]
        loss, slope, _ = self.rows(deviation, self.sigma)
        shifted = beta - self.loc
        pull = self.l2 * shifted
        penalty = self.l1 @ np.abs(beta) + 0.5 * (pull @ shifted)
        gradient = slope * level_sd
        gradient[: self.p] = (slope[: self.p] + self.l1 * np.sign(beta) + pull) @ self.root
        return -loss - float(penalty), -gradient

    def _with_unknowns(self, z: Vector) -> tuple[float, Vector]:
        p, k = self.p, self.k
        log_ratio = self.steps * z[k:]
        log_value = self.log_start + log_ratio
        if np.abs(log_value).max() > _LOG_LIMIT:
            return -math.inf, np.zeros_like(z)
        value = {x.name: math.exp(u) for x, u in zip(self.unknown, log_value, strict=True)}
        point = self.whitening.forward(z[:k], log_ratio)
        deviation = np.full(k, point.level)
        deviation[:p] = point.beta - self.conditional.mean
        loss, slope, loss_by_log_sigma = self.rows(deviation, value.get("sigma", self.sigma))
        log_width = log_value @ self.powers
        shrink = np.exp(-log_width)
        absolute = self.l1 * np.abs(point.beta) * shrink
        shifted = point.beta - self.loc
        pull = self.l2 * shifted * shrink**2
        logp = point.log_det - loss - float((absolute + 0.5 * pull * shifted + log_width).sum())
        by_beta = slope[:p] + self.l1 * shrink * np.sign(point.beta) + pull
        by_z, by_unknown = self.whitening.pull_back(point, by_beta, float(slope[p:].sum()))
        by_log = self.whitening.log_det_gradient(point) - by_unknown
        by_log += self.powers @ (absolute + pull * shifted - 1)
        for i, (x, u) in enumerate(zip(self.unknown, log_value, strict=True)):
            own = log_jacobian(x.prior)
            logp += x.prior.log_density(value[x.name]) + own * float(u)
            by_log[i] += x.prior.slope(value[x.name]) * value[x.name] + own
            by_log[i] -= loss_by_log_sigma if x.name == "sigma" else 0.0
        return logp, np.concatenate([-by_z, self.steps * by_log])
