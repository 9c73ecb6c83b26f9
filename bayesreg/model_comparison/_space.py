"""Unconstrained coordinates of a posterior, with the log density of everything in them.

Coefficients of either sign are themselves, nonnegative ones and the unknowns their logarithms. In
`scaled` coordinates a coefficient is divided by the unknowns that multiply its prior scale: that
takes the funnel out of a posterior that the data say little of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from bayesreg.blocks import parts_on
from bayesreg.posterior.density import log_joint
from bayesreg.priors.base import Scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem

# Draws whose densities are computed at once: rows times draws are held in memory.
_BLOCK = 2_000_000


@dataclass(frozen=True, eq=False)
class Space:
    """Coordinates of a problem.

    Attributes
    ----------
    problem : Problem
        The posterior, with no atom and no flat coefficient.
    positive : ndarray of bool, shape (p,)
        Coefficients that are logarithms here.
    powers : ndarray, shape (unknowns, p)
        Exponents of the unknowns that coefficients are divided by.
    """

    problem: Problem
    positive: np.ndarray[tuple[int], np.dtype[np.bool_]]
    powers: Matrix

    @classmethod
    def all_of(cls, problem: Problem) -> tuple[Self, ...]:
        """Return the plain coordinates, and the scaled ones where they differ."""
        positive = np.zeros(problem.p, dtype=np.bool_)
        powers = np.zeros((len(problem.unknown), problem.p))
        prior = problem.coef_prior
        parts = parts_on(prior, problem.p)
        for part, columns in parts:
            at = list(columns)
            positive[at] = isinstance(part, Scaled) and part.nonnegative
            moves = {"sigma": part.relative_to is not None, "scale": part.hyperprior is not None}
            for k, name in enumerate(problem.unknown):
                powers[k, at] = moves[name]
        plain = cls(problem, positive, np.zeros_like(powers))
        return (plain, cls(problem, positive, powers)) if powers.any() else (plain,)

    @property
    def scaled(self) -> bool:
        """Whether coefficients are divided by unknowns."""
        return bool(self.powers.any())

    def pack(self, draws: Mapping[str, Array]) -> Array:
        """Map draws (chain, draw, ...) to coordinates (chain, draw, k)."""
        logs = self._logs(draws)
        beta = draws["beta"] * np.exp(-logs @ self.powers)
        with np.errstate(divide="ignore"):
            beta = np.where(self.positive, np.log(np.where(self.positive, beta, 1.0)), beta)
        level = [draws["intercept"][..., None]] if self.problem.design.intercept else []
        return np.concatenate([beta, *level, logs], axis=-1)

    def log_density(self, x: Array) -> Array:
        """Log of likelihood times prior, with respect to Lebesgue measure of coordinates (m, k)."""
        size = max(1, _BLOCK // (self.problem.n + self.problem.p))
        blocks = [x[i : i + size] for i in range(0, len(x), size)]
        return np.concatenate([self._of_block(block) for block in blocks])

    def _of_block(self, x: Array) -> Vector:
        p, unknown = self.problem.p, self.problem.unknown
        beta, logs = x[:, :p], x[:, x.shape[1] - len(unknown) :]
        log_width = logs @ self.powers
        jacobian = log_width.sum(axis=1) + (beta * self.positive).sum(axis=1)
        with np.errstate(over="ignore"):
            beta = np.where(self.positive, np.exp(np.where(self.positive, beta, 0.0)), beta)
            draws = {"beta": beta * np.exp(log_width)}
            draws |= {name: np.exp(logs[:, i]) for i, name in enumerate(unknown)}
        if self.problem.design.intercept:
            draws["intercept"] = x[:, p]
        for i, prior in enumerate(self.problem.hyperpriors().values()):
            # d(x²)/d(log x) = 2 x², of a density of the square; else d x/d(log x) = x.
            jacobian += math.log(2) + 2 * logs[:, i] if prior.of_square else logs[:, i]
        joint = log_joint(self.problem, {name: value[None] for name, value in draws.items()})[0]
        total = joint + jacobian
        return np.where(np.isnan(total), -np.inf, total)

    def _logs(self, draws: Mapping[str, Array]) -> Array:
        shape = draws["beta"].shape[:-1]
        logs = [np.log(draws[name]) for name in self.problem.unknown]
        return np.stack(logs, axis=-1) if logs else np.zeros((*shape, 0))
