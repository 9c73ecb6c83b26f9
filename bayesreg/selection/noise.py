"""The noise sd that modes are conditional on, where the problem does not say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg.columns import negligible
from bayesreg.errors import InputError
from bayesreg.likelihoods import Noise, StudentTNoise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg._validation import Vector
    from bayesreg.problem import Problem


@dataclass(frozen=True, eq=False)
class Conditioned:
    """A problem whose sigma is known, if it has one.

    Attributes
    ----------
    problem : Problem
        Conditional on `sigma`.
    sigma : float or None
        None where the likelihood has none.
    source : str
        Where it comes from.
    """

    problem: Problem
    sigma: float | None
    source: str


def conditioned(problem: Problem, given: Mapping[str, float]) -> Conditioned:
    """Give an unknown sigma a value: the one given, or an estimate.

    Parameters
    ----------
    problem : Problem
        Sigma may be unknown, and so may its scale.
    given : mapping
        May hold ``"sigma"``.

    Returns
    -------
    Conditioned
        With its source in words.
    """
    likelihood = problem.likelihood
    if "scale" in given:
        msg = "given: holds 'scale', but the scale is what is to be chosen; leave it out"
        raise InputError(msg)
    if not isinstance(likelihood, Noise):
        if given:
            msg = f"given: holds 'sigma', but a {likelihood.name} likelihood has none"
            raise InputError(msg)
        return Conditioned(problem, None, "")
    if "sigma" in given:
        return Conditioned(problem.given(sigma=given["sigma"]), float(given["sigma"]), "as given")
    if "sigma" not in problem.unknown:
        return Conditioned(problem, math.sqrt(likelihood.variance), "as the problem states it")
    sigma, source = _estimate(problem, likelihood)
    return Conditioned(problem.given(sigma=sigma), sigma, f"unknown; set to the {source}")


def _estimate(problem: Problem, likelihood: Noise) -> tuple[float, str]:
    """Residual sd of least squares, if there are rows for it; else from the spread of y.

    Raises
    ------
    InputError
        If the target is its level alone, so that there is nothing to estimate it from.
    """
    design = problem.design
    root = np.sqrt(design.row_weights)
    target = root * design.less_offset
    level = (root * design.one)[:, None] if design.intercept else np.zeros((design.n, 0))
    around = target - level @ np.linalg.lstsq(level, target)[0]
    if negligible(np.abs(around).max(), np.abs(target).max()):
        what = "is the same in every row" if design.intercept else "is 0 in every row"
        msg = (
            f"y: {what}, so no residual tells how large sigma is, and there is no effect to choose "
            'a scale for; with a value, e.g. given={"sigma": 1.0}, the smallest scale is the best'
        )
        raise InputError(msg)
    spread = math.sqrt(float(around @ around) / problem.n)
    fits = problem.n > problem.p + 1 and not (design.sparse and design.why_not_dense)
    if fits:
        columns = np.hstack([level, root[:, None] * design.dense("least squares").X])
        coef, _, rank, _ = np.linalg.lstsq(columns, target)
        left = target - columns @ coef
        sigma = _noise_scale(likelihood, left, problem.n - int(rank))
        if problem.n > rank and sigma > 1e-8 * spread:
            return sigma, "residual sd of least squares"
    return spread / math.sqrt(2), "sd of half the variance of the target: too few rows for more"


def _noise_scale(likelihood: Noise, left: Vector, freedom: int) -> float:
    """Scale of the noise behind residuals; by their median size where tails are heavy."""
    if isinstance(likelihood, StudentTNoise):
        return float(np.median(np.abs(left)) / special.stdtrit(likelihood.nu, 0.75))
    return math.sqrt(float(left @ left) / max(freedom, 1))
