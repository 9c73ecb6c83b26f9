"""A Gaussian surrogate of the posterior: where NUTS starts, and the metric it moves in.

Each Laplace factor of scale b is replaced by a normal one of the same variance 2b², which gives a
smooth, strictly convex problem with a `Conditional` at its mode. Unknown sigma and scale are set by
a few steps of expectation–maximisation on that problem. Nothing here needs to be accurate: it
decides how fast NUTS moves, never what it converges to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

from bayesreg.errors import SamplingFailed
from bayesreg.likelihoods import Noise, Poisson
from bayesreg.posterior.conditional import Conditional
from bayesreg.posterior.density import log_jacobian

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.likelihoods import Likelihood
    from bayesreg.posterior.density import PriorShape
    from bayesreg.problem import Problem, Unknown
    from bayesreg.scale_priors import ScalePrior

_STEPS = 200

# What to say where no start has a density and a gradient in double precision.
NOWHERE = (
    "nuts: the log density overflows wherever it could begin; look for columns or an offset of "
    "extreme size (a predictor beyond ±700 has no exponential), and rescale them"
)
# Predictors beyond this, on the scale of log-odds and log-rates, tell nothing of spreads.
_FAR = 27.0


@dataclass(frozen=True, eq=False)
class Surrogate:
    """The Gaussian conditional at the mode of the smoothed problem.

    Attributes
    ----------
    conditional : Conditional
        Of the coefficients and the intercept.
    unknown : dict
        Values of sigma and scale, where they are unknown.
    """

    conditional: Conditional
    unknown: dict[Unknown, float]


def moderate(likelihood: Likelihood, eta: Vector) -> Vector:
    """Keep a predictor, shape (n,), where its curvature is neither 0 nor infinite."""
    return eta if isinstance(likelihood, Noise) else np.clip(eta, -_FAR, _FAR)


class _Search:
    """The search for a surrogate: coefficients by Newton steps, unknowns by EM steps."""

    def __init__(self, problem: Problem, shape: PriorShape) -> None:
        self.problem, self.shape, self.design = problem, shape, problem.design
        penalty = shape.penalty
        self.l2 = penalty.l2 + 0.5 * penalty.l1**2  # where the unknowns are 1
        weighted = penalty.l2 * penalty.loc
        self.loc = np.divide(weighted, self.l2, out=np.zeros(problem.p), where=self.l2 > 0)
        self.offset = self.design.row_offset
        self.beta = self.loc
        self.eta = self.offset + self.design.X @ self.loc
        if self.design.intercept and not isinstance(problem.likelihood, Noise):
            y, w = self.design.y, self.design.row_weights
            self.eta += problem.likelihood.null_intercept(y, w, self.eta)
        self.unknown = self._first_guess()
        self._leap()

    def _first_guess(self) -> dict[Unknown, float]:
        """Take sigma from the spread of y, and the scale that lets the columns explain it."""
        weights = self.design.row_weights
        residual = self.design.y - self.eta
        residual = residual - self.design.intercept * np.average(residual, weights=weights)
        spread = math.sqrt(np.average(residual**2, weights=weights)) or 1.0
        signal = spread if isinstance(self.problem.likelihood, Noise) else 1.0
        prior = np.divide(
            self.shape.scale_power, self.l2, out=np.zeros(self.problem.p), where=self.l2 > 0
        )
        relative = spread if self.problem.prior.relative_to else 1.0
        reach = relative * math.sqrt(float(self.design.X.var(axis=0) @ prior)) or 1.0
        guess: dict[Unknown, float] = {"sigma": spread, "scale": signal / reach}
        return {name: guess[name] for name in self.problem.unknown}

    def precision(self) -> Vector:
        """Prior precision of each coefficient at the present unknowns, shape (p,)."""
        sigma, scale = self.unknown.get("sigma", 1.0), self.unknown.get("scale", 1.0)
        return (
            self.l2
            * sigma ** (-2 * self.shape.sigma_power)
            * scale ** (-2 * self.shape.scale_power)
        )

    def _objective(self, eta: Vector, beta: Vector) -> float:
        """Loss and penalty of the smoothed problem at the present unknowns; inf for NaN."""
        likelihood, away = self.problem.given(**self.unknown).likelihood, beta - self.loc
        loss = likelihood.loss(eta, self.design.y, self.design.row_weights)
        total = loss + 0.5 * float(self.precision() @ away**2)
        return math.inf if math.isnan(total) else total

    def _quadratic(self, eta: Vector) -> tuple[Conditional, Vector]:
        """Return the minimum of the quadratic model about a predictor, and the predictor there."""
        likelihood = self.problem.given(**self.unknown).likelihood
        y, w, X = self.design.y, self.design.row_weights, self.design.X
        h = np.maximum(
            likelihood.metric(eta, y, w), likelihood.metric(moderate(likelihood, eta), y, w)
        )
        h = np.maximum(h, 1e-12 * h.max())
        target = eta - self.offset - likelihood.gradient(eta, y, w) / h
        if not (np.isfinite(h).all() and np.isfinite(target).all()):
            raise SamplingFailed(NOWHERE)
        intercept = self.design.intercept
        found = Conditional.of(X, target, h, self.precision(), self.loc, intercept=intercept)
        return found, self.offset + found.level + (X - found.column_mean) @ found.mean

    def _leap(self) -> None:
        """Begin where the predictor comes near what the targets ask for, if that is better.

        A count asks for its logarithm: under an exponential link a Newton step from far out goes
        one unit down, whatever the distance.
        """
        if isinstance(self.problem.likelihood, Noise):
            return
        y = self.design.y
        asked = (
            np.log(y + 0.5) if isinstance(self.problem.likelihood, Poisson) else np.zeros(y.size)
        )
        found, eta = self._quadratic(asked)
        if self._objective(eta, found.mean) < self._objective(self.eta, self.beta):
            self.eta, self.beta = eta, found.mean

    def newton_step(self) -> Conditional:
        """Move to the minimum of the quadratic model; halve the step while that overshoots."""
        conditional, eta = self._quadratic(self.eta)
        step, start = 1.0, self._objective(self.eta, self.beta)
        move = eta - self.eta, conditional.mean - self.beta
        while (
            step > 1e-3
            and not self._objective(self.eta + step * move[0], self.beta + step * move[1]) <= start
        ):
            step /= 2
        self.eta, self.beta = self.eta + step * move[0], self.beta + step * move[1]
        return conditional

    def _noise_weights(self) -> Vector:
        """Weight of the square of each row in sigma²; less than its own in a long tail."""
        family = self.problem.given(**self.unknown).likelihood
        y, w = self.design.y, self.design.row_weights
        return family.metric(self.eta, y, w) * self.unknown["sigma"] ** 2

    def em_step(self, conditional: Conditional) -> float:
        """Update the unknowns; return the largest change of a logarithm."""
        covariance, change = conditional.covariance(), 0.0
        for name, prior in self.problem.hyperpriors().items():
            power = self.shape.sigma_power if name == "sigma" else self.shape.scale_power
            now = self.unknown[name]
            # Minus twice the expected log density is 2·count·log x + square / x² in the unknown x.
            spread = np.diag(covariance) + (conditional.mean - self.loc) ** 2
            count = float(power.sum())
            square = float((power * self.precision()) @ spread) * now**2
            if name == "sigma":
                w, columns = self._noise_weights(), self.design.X - conditional.column_mean
                count += self.problem.n
                square += float(w @ (self.design.y - self.eta) ** 2)
                square += float(w @ ((columns @ covariance) * columns).sum(axis=1))
            self.unknown[name] = _maximise(prior, count, square, now)
            change = max(change, abs(math.log(self.unknown[name] / now)))
        return change


def _maximise(prior: ScalePrior, count: float, square: float, start: float) -> float:
    """Maximise ``−count·log x − square/(2x²) + log prior`` of an unknown x, over log x."""

    def objective(u: float) -> float:
        log_prior = prior.log_density(math.exp(u)) + log_jacobian(prior) * u
        return count * u + 0.5 * square * math.exp(-2 * u) - log_prior

    u = math.log(start)
    return math.exp(minimize_scalar(objective, bounds=(u - 3, u + 3), method="bounded").x)


def find_surrogate(problem: Problem, shape: PriorShape) -> Surrogate:
    """Find the surrogate of a problem.

    Parameters
    ----------
    problem : Problem
        Any problem with a proper posterior.
    shape : PriorShape
        Its prior in numbers.

    Returns
    -------
    Surrogate
        A Gaussian near the bulk of the posterior.

    Raises
    ------
    SamplingFailed
        If a log density of double precision ends before the bulk begins.
    """
    with np.errstate(all="ignore"):  # a step too far overflows, and is halved
        return _found(_Search(problem, shape))


def _found(search: _Search) -> Surrogate:
    for _ in range(_STEPS):
        before = search.eta
        conditional = search.newton_step()
        moved = float(np.abs(search.eta - before).max())
        unknown = dict(search.unknown)  # those that this conditional was made with
        change = search.em_step(conditional) if search.unknown else 0.0
        if moved < 1e-3 * (1 + float(np.abs(before).max())) and change < 0.02:
            break
    return Surrogate(conditional, unknown)
