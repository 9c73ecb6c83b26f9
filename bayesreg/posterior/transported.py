r"""The log density that NUTS sees under any prior: the posterior of the coordinates of its parts.

Coordinates x are those of the parts (`parts.py`), the level (the intercept of centred columns) and
the logarithms of unknown sigma and scale over a start. NUTS moves in w with ``x = x₀ + R w``: x₀ is
near the mode of x, and R Rᵀ the inverse of a Gauss–Newton approximation of the curvature there, so
that correlated columns cost no more than others. Neither needs to be accurate: they decide how
fast NUTS moves, never what it converges to.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bayesreg.errors import SamplingFailed
from bayesreg.likelihoods import Noise
from bayesreg.posterior.coordinates import parts_of
from bayesreg.posterior.density import log_jacobian
from bayesreg.posterior.projection import centred
from bayesreg.posterior.rows import rows_of
from bayesreg.posterior.surrogate import NOWHERE, moderate

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.posterior.parts import Image
    from bayesreg.problem import Problem

# Beyond this logarithm of an unknown its powers leave double precision; the density is 0 there.
_LOG_LIMIT = 200.0
# Steps of the climb: under an exponential link each moves a predictor that is far out by one.
_STEPS = 1000
# Where to begin it, as shares of coefficients of the size of their prior scales.
_SHARES = (1.0, 0.1, 1e-2, 1e-4, 1e-8, 1e-12)
# A gain in nats that is not worth a step.
_LITTLE = 0.01


class Transported:
    """The log density of a problem in coordinates, callable as ``target(w) -> (value, gradient)``.

    Attributes
    ----------
    size, width : int
        Number of coordinates, and of the numbers that `draw` makes of them.
    adaptation : str
        What nutpie may adapt: some correlations too. Those at the mode are not those of the whole
        posterior; a horseshoe on the diabetes data took 126 steps per draw with scales alone, and
        12 with these, for the same effective size.
    """

    adaptation: ClassVar[str] = "low_rank"

    def __init__(self, problem: Problem) -> None:
        design, likelihood = problem.design, problem.likelihood
        self.problem, self.p = problem, problem.p
        self.has_level = design.intercept
        offset = design.row_offset
        self.level = 0.0
        if self.has_level:
            self.level = likelihood.null_intercept(design.y, design.row_weights, offset)
        self.prior = problem.hyperpriors()
        start = self._first_guess(problem, offset + self.level)
        self.sigma = start.get("sigma", 1.0)
        if isinstance(likelihood, Noise) and likelihood.conditional:
            self.sigma = math.sqrt(likelihood.variance)
        given = problem.given(**start).likelihood
        h = given.metric(moderate(given, offset + self.level), design.y, design.row_weights)
        columns, self.column_mean = (
            centred(design.X, h) if self.has_level else (design.X, np.zeros(problem.p))
        )
        with np.errstate(over="ignore"):
            precision = np.clip(h @ columns**2, 1e-300, 1e300)
        self.level_unit = float(h.sum()) ** -0.5
        self.parts = parts_of(problem, precision**-0.5)
        ends = np.cumsum([part.size for part in self.parts], dtype=int)
        self.m = int(ends[-1]) if self.parts else 0
        self.slices = [slice(e - q.size, e) for e, q in zip(ends, self.parts, strict=True)]
        self.log_start = np.log([start[name] for name in self.prior])
        self.powers = np.array(
            [[part.uses_sigma, part.uses_scale] for part in self.parts], dtype=float
        ).reshape(len(self.parts), 2)[:, [("sigma", "scale").index(name) for name in self.prior]]
        self.size = self.m + self.has_level + len(self.prior)
        self.width = problem.p + self.has_level + len(self.prior)
        ones = [np.ones((problem.n, 1))] if self.has_level else []
        self.columns = np.hstack([columns, *ones])
        self.eta = offset + self.level
        self.rows = rows_of(problem, self.columns, self.eta)
        with np.errstate(all="ignore"):  # a step too far overflows, and is halved
            self.centre, self.root = self._whiten()

    def _first_guess(self, problem: Problem, eta: Vector) -> dict[str, float]:
        """Take sigma from the spread of y, and a scale of 1."""
        residual, w = problem.design.y - eta, problem.design.row_weights
        spread = math.sqrt(float(w @ residual**2) / problem.n) or 1.0
        return {name: spread if name == "sigma" else 1.0 for name in self.prior}

    # ------------------------------------------------------------------ coordinates

    def draw(self, w: Vector) -> Vector:
        """Map coordinates (size,) to one row: coefficients, intercept, sigma, scale."""
        x = self.centre + self.root @ w
        logs = self._logs(x)
        beta, _ = self._beta(x, logs)
        level = np.full(int(self.has_level), self.level + self._level(x))
        return np.concatenate([beta, level - self.column_mean @ beta, np.exp(logs)])

    def split(self, rows: Array) -> dict[str, Array]:
        """Give the columns of draws (..., p + 1 + unknowns) their names."""
        out = {"beta": rows[..., : self.p]}
        if self.has_level:
            out["intercept"] = rows[..., self.p]
        k = self.p + self.has_level
        return out | {name: rows[..., k + i] for i, name in enumerate(self.prior)}

    def _logs(self, x: Vector) -> Vector:
        return np.asarray(self.log_start + x[self.m + self.has_level :])

    def _level(self, x: Vector) -> float:
        """Deviation of the level from its start."""
        return self.level_unit * float(x[self.m]) if self.has_level else 0.0

    def _beta(self, x: Vector, logs: Vector) -> tuple[Vector, list[Image]]:
        """Return the coefficients (p,), and the image of each part."""
        beta, images = np.empty(self.p), []
        for part, place, power in zip(self.parts, self.slices, self.powers, strict=True):
            image = part.at(x[place], math.exp(float(power @ logs)))
            beta[part.columns] = image.beta
            images.append(image)
        return beta, images

    # ------------------------------------------------------------------ density

    def __call__(self, w: Vector) -> tuple[float, Vector]:
        """Return the log density up to a constant, and its gradient, at coordinates w (size,)."""
        value, gradient = self.density(self.centre + self.root @ w)
        return value, gradient @ self.root

    def density(self, x: Vector) -> tuple[float, Vector]:
        """Return the same for coordinates x (size,)."""
        logs = self._logs(x)
        if logs.size and np.abs(logs).max() > _LOG_LIMIT:
            return -math.inf, np.zeros_like(x)
        beta, images = self._beta(x, logs)
        delta = np.append(beta, self._level(x)) if self.has_level else beta
        sigma = dict(zip(self.prior, np.exp(logs), strict=True)).get("sigma", self.sigma)
        loss, by_delta, by_log_sigma = self.rows(delta, float(sigma))
        value, gradient = -loss, np.empty_like(x)
        by_logs = np.zeros(logs.size)
        for part, place, power, image in zip(
            self.parts, self.slices, self.powers, images, strict=True
        ):
            by_beta = by_delta[part.columns]
            value += image.log_density
            gradient[place] = image.slope - image.pull_back(by_beta)
            by_logs -= power * float(by_beta @ image.swell)
        if self.has_level:
            gradient[self.m] = -self.level_unit * by_delta[-1]
        for i, (name, prior) in enumerate(self.prior.items()):
            at, own = math.exp(logs[i]), log_jacobian(prior)
            value += prior.log_density(at) + own * float(logs[i])
            by_logs[i] += prior.slope(at) * at + own - (by_log_sigma if name == "sigma" else 0.0)
        gradient[self.m + self.has_level :] = by_logs
        return value, gradient

    # ------------------------------------------------------------------ where to begin

    def _curvature(self, x: Vector) -> tuple[Matrix, Vector]:
        """Gauss–Newton approximation of minus the second derivative: ``MᵀM + diag(d)``.

        Returns
        -------
        rows : ndarray, shape (n, size)
            M, of the likelihood.
        diagonal : ndarray, shape (size,)
            d, of the prior and of the noise sd.
        """
        logs = self._logs(x)
        beta, images = self._beta(x, logs)
        jacobian = np.zeros((self.columns.shape[1], self.size))
        diagonal = np.ones(self.size)
        for part, place, power, image in zip(
            self.parts, self.slices, self.powers, images, strict=True
        ):
            for j, unit in zip(part.columns, np.eye(part.columns.size), strict=True):
                jacobian[j, place] = image.pull_back(unit)
            tail = slice(self.m + self.has_level, None)
            jacobian[part.columns, tail] = np.outer(image.swell, power)
            diagonal[place] = part.curvature
        if self.has_level:
            jacobian[-1, self.m] = self.level_unit
            diagonal[self.m] = 0.0
        values = dict(zip(self.prior, np.exp(logs), strict=True))
        likelihood = self.problem.given(**values).likelihood
        for i, name in enumerate(self.prior):
            if name == "sigma":
                diagonal[self.m + self.has_level + i] += 2 * self.problem.n
        delta = np.append(beta, self._level(x)) if self.has_level else beta
        design = self.problem.design
        h = likelihood.metric(self.eta + self.columns @ delta, design.y, design.row_weights)
        return np.sqrt(h)[:, None] * (self.columns @ jacobian), diagonal + 1e-8

    def _begin(self) -> tuple[Vector, float, Vector]:
        """Return the likeliest of a few places to climb from, its log density and gradient."""
        rest = np.zeros(self.size - self.m)
        best = None
        for share in _SHARES:
            x = np.concatenate([*(part.start(share) for part in self.parts), rest])
            value, gradient = self.density(x)
            if not (np.isfinite(value) and np.isfinite(gradient).all()):
                continue
            if best is None or value > best[1]:
                best = x, value, gradient
        if best is None:
            raise SamplingFailed(NOWHERE)
        return best

    def _whiten(self) -> tuple[Vector, Matrix]:
        """Climb by Gauss–Newton steps; return where that ends, and a root of the covariance."""
        x, value, gradient = self._begin()
        root, pull = self._root(x)
        for _ in range(_STEPS):
            uphill = gradient + pull
            step = root @ (root.T @ uphill)
            if not float(step @ uphill) > _LITTLE:
                break
            share = 1.0
            while share > 1e-10:
                moved, slope = self.density(x + share * step)
                gain = moved - value + share * float(step @ pull)
                if gain > 0 and np.isfinite(slope).all():
                    break
                share /= 2
            else:
                break
            x, value, gradient = x + share * step, moved, slope
            root, pull = self._root(x)
            if gain < _LITTLE:
                break
        return x, root

    def _root(self, x: Vector) -> tuple[Matrix, Vector]:
        """Root of the inverse of the curvature, and what the climb adds to the gradient.

        The root is found from rows, not from their products, and from columns of length one: a
        condition number is neither squared nor made by units. An unknown noise sd is to climb its
        marginal density, because the joint one rises for ever where the columns can fit every row:
        that adds the degrees of freedom that they take, ``tr(MᵀM (MᵀM + D)⁻¹)``, summed over the
        coordinates whose columns of M fall with sigma.
        """
        rows, diagonal = self._curvature(x)
        whole = np.vstack([rows, np.diag(np.sqrt(diagonal))])
        length = np.sqrt((whole**2).sum(axis=0))
        if not np.isfinite(length).all():
            raise SamplingFailed(NOWHERE)
        _, s, Vt = np.linalg.svd(np.linalg.qr(whole / length, mode="r"))
        s = np.maximum(s, 1e-15 * s.max(initial=0.0))
        root = (Vt.T / s) @ Vt / length[:, None]
        pull = np.zeros(self.size)
        if "sigma" in self.prior:
            taken = (root * (rows.T @ (rows @ root))).sum(axis=1)
            for part, place in zip(self.parts, self.slices, strict=True):
                taken[place] *= not part.uses_sigma
            at = self.m + self.has_level
            pull[at + list(self.prior).index("sigma")] = float(taken[:at].sum())
        return root, pull
