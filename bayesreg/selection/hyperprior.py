r"""The posterior of the scale under a prior of its own: no maximum, an average over scales.

The default is the library's: half-Cauchy, its median at the scale that the problem has (half-normal
with that median where classes are separated, and tails that heavy leave no integral). The density
along the scales is averaged over draws (Rao & Blackwell): at each draw the density of the scale
given coefficients and σ is known but for its normaliser, a sum over a fine grid of log scales.
"""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg._text_table import six_digits
from bayesreg._validation import read_only
from bayesreg.errors import ImproperPosterior
from bayesreg.posterior.density import log_prior
from bayesreg.posterior.unknowns import require_proper
from bayesreg.priors.base import Scaled
from bayesreg.scale_priors import HalfCauchy, HalfNormal
from bayesreg.selection.psis import drawn
from bayesreg.selection.result import Curve, Interval, ScaleSelection

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem
    from bayesreg.scale_priors import ScalePrior
    from bayesreg.selection.request import Request

NAME = "hyperprior"
_PLACES, _DRAWS = 400, 500
# The grid goes so far, in log scale, beyond the draws; the curve ends where this is lost in nats.
_BEYOND, _LOST = 3.0, 15.0


def obstacle(problem: Problem) -> str | None:
    """Say why the scale can have no prior here; None where it can."""
    prior = problem.prior
    if prior.hyperprior is not None:
        return problem.design.why_not_dense
    if not isinstance(prior, Scaled):
        return f"it needs a prior with one scale that can be unknown, found {prior.name}"
    if not np.isfinite(np.asarray(prior.scale, dtype=np.float64)).all():
        return "it needs a prior with finite scales; give flat columns a block of their own"
    return problem.design.why_not_dense


def choose(request: Request) -> ScaleSelection:
    """Return the posterior median of the scale."""
    problem = _proper(request)
    (stream,) = request.rng.spawn(1)
    request.progress.report("drawing the scale with the coefficients")
    posterior = drawn(request, problem, stream)["posterior"]
    values = {
        name: np.asarray(posterior[name].transpose("chain", "draw", ...), dtype=np.float64)
        for name in ("beta", "sigma", "scale")
        if name in posterior
    }
    scales = values["scale"]
    low, scale, high = (float(q) for q in np.quantile(scales, (0.025, 0.5, 0.975)))
    array_stats = import_module("arviz_stats.base").array_stats
    effective = float(array_stats.ess(scales))
    sigma = float(values["sigma"].mean()) if "sigma" in values else request.known.sigma
    source = "unknown; its posterior mean" if "sigma" in values else request.known.source
    stated = six_digits(repr(problem.prior.hyperprior))
    return ScaleSelection(
        criterion=NAME,
        scale=scale,
        sigma=sigma,
        problem=request.at(scale, sigma),
        curve=_curve(request, problem, values, effective),
        uncertainty=Interval(low, high, "95 % of the posterior"),
        sigma_source=source,
        rule="posterior median",
        notes=(
            f"prior of the scale {stated}; {effective:.0f} effective draws",
            "the curve is minus the log density of the log scale",
        ),
    )


def _proper(request: Request) -> Problem:
    """Return the problem with a prior of its scale: the one asked for, its own, or the default."""
    wanted = request.hyperprior or request.problem.prior.hyperprior
    if wanted is not None:
        return _with_unknown_scale(request, wanted)
    unit = request.whole.unit
    problem = _with_unknown_scale(request, HalfCauchy(unit))
    try:
        require_proper(problem)
    except ImproperPosterior:  # classes that a plane separates: lighter tails, of the same median
        return _with_unknown_scale(request, HalfNormal(unit / float(special.ndtri(0.75))))
    return problem


def _with_unknown_scale(request: Request, wanted: ScalePrior) -> Problem:
    whole = request.whole.problem
    prior = whole.prior
    assert isinstance(prior, Scaled)  # noqa: S101  (`obstacle` has said so)
    if prior.hyperprior is not None:
        return whole.with_prior(replace(prior, scale=wanted))
    # Several scales become multiples of the unknown one, in their proportions.
    unit = request.whole.unit
    factor = np.asarray(prior.factor) * np.asarray(prior.scale) / unit
    known = float(factor) if factor.ndim == 0 else read_only(np.array(factor))
    return whole.with_prior(replace(prior, scale=wanted, factor=known))


def _curve(
    request: Request, problem: Problem, values: dict[str, Matrix], effective: float
) -> Curve:
    """Minus the log posterior density of the log scale."""
    scales = values["scale"].ravel()
    u = np.linspace(math.log(scales.min()) - _BEYOND, math.log(scales.max()) + _BEYOND, _PLACES)
    density = _densities(problem, values, u)
    mean = density.mean(axis=0)
    number = min(effective, density.shape[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        value = -np.log(mean)
        error = density.std(axis=0) / math.sqrt(number) / mean
    if request.scales is not None:
        at = request.grid(0)
        return Curve.of(at, np.interp(np.log(at), u, value), np.interp(np.log(at), u, error))
    kept = value < value.min() + _LOST
    return Curve.of(np.exp(u[kept]), value[kept], error[kept])


def _densities(problem: Problem, values: dict[str, Matrix], u: Vector) -> Matrix:
    """Density of the log scale given each of some draws, shape (draws, len(u))."""
    beta = values["beta"].reshape(-1, problem.p)
    few = np.linspace(0, beta.shape[0] - 1, min(_DRAWS, beta.shape[0])).round().astype(int)
    beta = beta[few]
    sigma = values["sigma"].ravel()[few] if "sigma" in values else np.ones(few.size)
    hyperprior = problem.prior.hyperprior
    assert hyperprior is not None  # noqa: S101  (it is what the problem was given)
    log = np.empty((few.size, u.size))
    for k, at in enumerate(u.tolist()):
        scale = np.full(few.size, math.exp(at))
        log[:, k] = log_prior(problem, beta, sigma, scale) + hyperprior.log_density(scale[0]) + at
    log -= log.max(axis=1, keepdims=True)
    density = np.exp(log)
    return np.asarray(density / np.trapezoid(density, u, axis=1)[:, None])
