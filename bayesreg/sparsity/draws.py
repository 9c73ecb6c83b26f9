"""Draws of a problem as plain arrays, chains joined."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg.likelihoods import StudentTNoise
from bayesreg.likelihoods.base import Noise
from bayesreg.posterior.drawn import read_draws

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.drawn import Group
    from bayesreg.problem import Problem


@dataclass(frozen=True, eq=False)
class Drawn:
    """Draws of one problem.

    Attributes
    ----------
    problem : Problem
        Whose they are.
    beta : ndarray, shape (m, p)
        Coefficients.
    intercept, sigma, scale : ndarray, shape (m,)
        The rest: known numbers are repeated; 0 without an intercept; 1 where there is no sigma, and
        where the scale is known.
    """

    problem: Problem
    beta: Matrix
    intercept: Vector
    sigma: Vector
    scale: Vector

    @classmethod
    def of(cls, problem: object, draws: object, group: Group = "posterior") -> Drawn:
        """Read a tree of `bayesreg.sample`.

        Raises
        ------
        InputError
            If it is no such tree, or of another problem.
        """
        asked, _ = as_problem(problem)
        drawn = read_draws(asked, draws, group)
        beta = drawn["beta"].reshape(-1, asked.p)
        known = {"intercept": 0.0, "sigma": _known_sigma(asked), "scale": 1.0}
        rest = {
            name: drawn[name].ravel() if name in drawn else np.full(len(beta), value)
            for name, value in known.items()
        }
        return cls(asked, beta, **rest)

    @property
    def medians(self) -> dict[str, float]:
        """Medians of what is unknown beside the coefficients, to condition a mode on."""
        values = {"sigma": self.sigma, "scale": self.scale}
        return {name: float(np.median(values[name])) for name in self.problem.unknown}

    @property
    def noise_variance(self) -> Vector:
        """Variance of a row of unit weight, shape (m,); 1 for a likelihood without noise.

        That of Student-t noise where it exists, else its squared scale.
        """
        likelihood = self.problem.likelihood
        heavy = isinstance(likelihood, StudentTNoise) and likelihood.nu > 2
        factor = likelihood.nu / (likelihood.nu - 2) if heavy else 1.0  # type: ignore[attr-defined]
        return self.sigma**2 * factor


def _known_sigma(problem: Problem) -> float:
    likelihood = problem.likelihood
    if isinstance(likelihood, Noise) and likelihood.conditional:
        return math.sqrt(likelihood.variance)
    return 1.0
