"""Draws of a problem as plain arrays, chains joined."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg.errors import InputError
from bayesreg.likelihoods import StudentTNoise
from bayesreg.likelihoods.base import Noise
from bayesreg.posterior.provenance import require_own

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

type Group = Literal["posterior", "prior"]


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
    def of(cls, problem: object, draws: Any, group: Group = "posterior") -> Drawn:
        """Read a tree of `bayesreg.sample`.

        Raises
        ------
        InputError
            If it is no such tree, or of another problem.
        """
        asked, _ = as_problem(problem)
        found = _dataset(draws, group)
        beta = _coefficients(asked, found)
        require_own(asked, draws)
        known = {"intercept": 0.0, "sigma": _known_sigma(asked), "scale": 1.0}
        rest = {name: np.full(len(beta), value) for name, value in known.items()}
        for name in known:
            needed = name in asked.unknown or (name == "intercept" and asked.design.intercept)
            ours = _ours(found, name)
            if ours in found and needed:
                rest[name] = np.ravel(np.asarray(found[ours], dtype=np.float64))
            elif needed and not (group == "prior" and name == "intercept"):
                msg = f"draws: has no {name!r}, which is unknown in the problem; sample it again"
                raise InputError(msg)
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


def _ours(found: Any, name: str) -> str:
    """Name of our variable: a model that has its own of this name leaves it a longer one."""
    longer = f"problem_{name}"
    return longer if longer in found else name


def _known_sigma(problem: Problem) -> float:
    likelihood = problem.likelihood
    if isinstance(likelihood, Noise) and likelihood.conditional:
        return math.sqrt(likelihood.variance)
    return 1.0


def _dataset(draws: Any, group: Group) -> Any:
    """Return the group of the tree that holds coefficients."""
    children = getattr(draws, "children", {})
    if group not in children or _ours(draws[group], "beta") not in draws[group]:
        advice = "; sample with prior=True" if group == "prior" else ""
        msg = (
            f"draws: must be what bayesreg.sample returned, with 'beta' in the group {group!r}; "
            f"found {type(draws).__name__}{advice}"
        )
        raise InputError(msg)
    return draws[group]


def _coefficients(problem: Problem, found: Any) -> Matrix:
    variable = found[_ours(found, "beta")]
    values = np.asarray(variable, dtype=np.float64)
    if values.shape[-1] != problem.p:
        msg = f"draws: have {values.shape[-1]} coefficients, but the problem has {problem.p}"
        raise InputError(msg)
    if "feature" in variable.coords:
        names = tuple(str(name) for name in np.asarray(variable.coords["feature"]))
        if names != problem.names:
            pairs = zip(names, problem.names, strict=True)
            first = next((a, b) for a, b in pairs if a != b)
            msg = f"draws: are of column {first[0]!r} where the problem has {first[1]!r}"
            raise InputError(msg)
    beta = values.reshape(-1, problem.p)
    if not np.isfinite(beta).all():
        msg = "draws: hold coefficients that are not finite; look at bayesreg.diagnose(draws)"
        raise InputError(msg)
    return beta
