"""The log density that NUTS sees: the posterior in whitened coordinates, with its gradient.

The coordinates are ``z = (z_β, z_level, z_sigma, z_scale)``, near standard normal where the posterior
is near its Gaussian surrogate (centre m, root L, unknowns σ₀ and s₀)::

    σ = σ₀ exp(c_σ z_sigma),   s = s₀ exp(c_s z_scale)
    β_j = loc_j + ρ_j^κ_j (m_j − loc_j + (L z_β)_j),   ρ_j = (σ/σ₀)^e_j (s/s₀)^f_j

ρ is how much wider the prior of β_j has become. κ_j = 0 is the centred parametrisation, right where
the data fix β_j; κ_j = 1 is the non-centred one, right where they do not. κ_j is the prior's share in
the precision of β_j, so each coefficient gets what suits it. The log density carries the Jacobian
``Σ κ_j log ρ_j + log|dσ/dz| + log|ds/dz|``; an inverse gamma, a density of σ², has 2σ dσ.

A Gaussian likelihood with n > p enters through the QR factor of the weighted columns: p pseudo-rows
instead of n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.likelihoods import Gaussian
from bayesreg.posterior.density import PriorShape, log_jacobian
from bayesreg.posterior.surrogate import find_surrogate

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.posterior.surrogate import Surrogate
    from bayesreg.priors import ScalePrior
    from bayesreg.problem import Problem, Unknown

# Beyond this logarithm of an unknown its powers leave double precision; the density is 0 there.
_LOG_LIMIT = 200.0


class _GaussianRows:
    """Normal likelihood of the deviation δ of (β, level) from the centre."""

    def __init__(self, problem: Problem, surrogate: Surrogate) -> None:
        columns, eta = _centred_rows(problem, surrogate)
        root = np.sqrt(problem.design.row_weights)
        self.columns = root[:, None] * columns
        self.residual = root * (problem.design.y - eta)
        self.n, self.rest = problem.n, 0.0
        if problem.n > self.columns.shape[1]:
            # ‖residual − columns δ‖² = ‖Qᵀresidual − R δ‖² + rest
            Q, self.columns = np.linalg.qr(self.columns)
            along = Q.T @ self.residual
            beyond = self.residual - Q @ along
            self.residual, self.rest = along, float(beyond @ beyond)

    def __call__(self, delta: Vector, sigma: float) -> tuple[float, Vector, float]:
        """Return the loss, its gradient in δ, and its derivative in log sigma."""
        error = self.columns @ delta - self.residual
        square = (float(error @ error) + self.rest) / sigma**2
        loss = 0.5 * square + self.n * math.log(sigma)
        return loss, (error @ self.columns) / sigma**2, self.n - square


class _CanonicalRows:
    """Any other likelihood of the deviation δ of (β, level) from the centre."""

    def __init__(self, problem: Problem, surrogate: Surrogate) -> None:
        self.columns, self.eta = _centred_rows(problem, surrogate)
        self.likelihood = problem.likelihood
        self.y, self.w = problem.design.y, problem.design.row_weights

    def __call__(self, delta: Vector, sigma: float) -> tuple[float, Vector, float]:
        """Return the loss, its gradient in δ, and 0."""
        del sigma
        eta = self.eta + self.columns @ delta
        rows = self.likelihood.gradient(eta, self.y, self.w)
        return self.likelihood.loss(eta, self.y, self.w), rows @ self.columns, 0.0


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


@dataclass(frozen=True)
class _UnknownScale:
    """One unknown on the log scale: ``x = start · exp(step · z)``."""

    name: Unknown
    prior: ScalePrior
    start: float
    step: float
    power: Vector  # exponent of x in the prior scale of each coefficient, and of the level (0)


class Target:
    """The whitened log density of a problem, callable as ``target(z) -> (log density, gradient)``.

    Parameters
    ----------
    problem : Problem
        The posterior.
    centring : float, optional
        Sets every κ; by default each coefficient has its own.
    """

    def __init__(self, problem: Problem, centring: float | None = None) -> None:
        shape = PriorShape.of(problem)
        surrogate = find_surrogate(problem, shape)
        conditional, p = surrogate.conditional, problem.p
        extra = np.zeros(int(problem.design.intercept))
        self.problem, self.conditional, self.p = problem, conditional, p
        self.root = conditional.spread(np.eye(p)).T
        self.k = p + extra.size
        self.proper = shape.proper
        self.l1, self.l2 = shape.penalty.l1, shape.penalty.l2
        self.loc = np.where(self.l2 > 0, shape.penalty.loc, 0.0)
        self.kappa = surrogate.prior_share if centring is None else np.full(p, centring)
        self.rows = (_GaussianRows if isinstance(problem.likelihood, Gaussian) else _CanonicalRows)(
            problem, surrogate
        )
        self.sigma = (
            math.sqrt(problem.likelihood.variance)
            if isinstance(problem.likelihood, Gaussian) and problem.likelihood.conditional
            else 1.0
        )
        powers = {"sigma": shape.sigma_power, "scale": shape.scale_power}
        informed = {"sigma": problem.n, "scale": 0}
        self.unknown = [
            _UnknownScale(
                name,
                prior,
                surrogate.unknown[name],
                # The curvature of count·log x + square/(2x²) in log x is 2·count at its minimum.
                (2 * max(informed[name] + powers[name].sum(), 1)) ** -0.5,
                powers[name],
            )
            for name, prior in problem.hyperpriors().items()
        ]
        self.size = self.k + len(self.unknown)

    # ------------------------------------------------------------------ the map

    def draws(self, z: Array) -> dict[str, Array]:
        """Map coordinates (..., size) to beta, intercept, sigma and scale on the user's scale."""
        out: dict[str, Array] = {}
        log_ratio = np.zeros((*z.shape[:-1], self.p))
        for i, x in enumerate(self.unknown):
            u = x.step * z[..., self.k + i]
            out[x.name] = x.start * np.exp(u)
            log_ratio += u[..., None] * x.power
        reach = self.conditional.mean - self.loc + z[..., : self.p] @ self.root.T
        beta = self.loc + np.exp(self.kappa * log_ratio) * reach
        if self.k > self.p:
            level = self.conditional.level + self.conditional.level_sd * z[..., self.p]
            out = {"intercept": level - beta @ self.conditional.column_mean} | out
        return {"beta": beta} | out

    # ------------------------------------------------------------------ the density

    def __call__(self, z: Vector) -> tuple[float, Vector]:
        """Return the log density up to a constant, and its gradient, at coordinates z (size,)."""
        return self._known(z) if not self.unknown else self._unknown(z)

    def _deviation(self, z: Vector, beta_deviation: Vector) -> Vector:
        if self.k == self.p:
            return beta_deviation
        return np.append(beta_deviation, self.conditional.level_sd * z[self.p])

    def _pull_back(self, gradient: Vector, slope: Vector) -> list[Vector]:
        """Gradient in z_β and z_level of a function with this gradient in β and in the level."""
        level = gradient[self.p :] * self.conditional.level_sd
        return [slope @ self.root, level]

    def _known(self, z: Vector) -> tuple[float, Vector]:
        deviation = self.root @ z[: self.p]
        beta = self.conditional.mean + deviation
        loss, slope, _ = self.rows(self._deviation(z, deviation), self.sigma)
        shifted = beta - self.loc
        pull = self.l2 * shifted
        penalty = self.l1 @ np.abs(beta) + 0.5 * (pull @ shifted)
        total = slope[: self.p] + self.l1 * np.sign(beta) + pull
        return -loss - float(penalty), -np.concatenate(self._pull_back(slope, total))

    def _unknown(self, z: Vector) -> tuple[float, Vector]:
        p, k = self.p, self.k
        log_values = [math.log(x.start) + x.step * z[k + i] for i, x in enumerate(self.unknown)]
        if max(map(abs, log_values)) > _LOG_LIMIT:
            return -math.inf, np.zeros_like(z)
        value = {x.name: math.exp(u) for x, u in zip(self.unknown, log_values, strict=True)}
        log_width = sum(u * x.power for x, u in zip(self.unknown, log_values, strict=True))
        log_ratio = sum(x.step * z[k + i] * x.power for i, x in enumerate(self.unknown))
        stretch = np.exp(self.kappa * log_ratio)
        shifted = stretch * (self.conditional.mean - self.loc + self.root @ z[:p])
        beta = self.loc + shifted
        deviation = self._deviation(z, beta - self.conditional.mean)
        loss, slope, loss_by_log_sigma = self.rows(deviation, value.get("sigma", self.sigma))
        shrink = np.exp(-log_width)
        absolute = self.l1 * np.abs(beta) * shrink
        pull = self.l2 * shifted * shrink**2
        total = slope[:p] + self.l1 * shrink * np.sign(beta) + pull
        logp = -loss - float((absolute + 0.5 * pull * shifted + log_width - self.kappa * log_ratio).sum())
        # d/du of minus the penalty at fixed β, of its normaliser, and through β and the Jacobian
        by_width = absolute + pull * shifted - 1 + self.kappa * (1 - total * shifted)
        gradient = [-part for part in self._pull_back(slope, total * stretch)]
        for x, u in zip(self.unknown, log_values, strict=True):
            own = log_jacobian(x.prior)
            logp += x.prior.log_density(value[x.name]) + own * u
            by_u = float(x.power @ by_width) + x.prior.slope(value[x.name]) * value[x.name] + own
            if x.name == "sigma":
                by_u -= loss_by_log_sigma
            gradient.append(np.array([x.step * by_u]))
        return logp, np.concatenate(gradient)
