r"""Evidence by draws: Monte Carlo EM for the scale of any prior, as Park & Casella (2008) have it.

The derivative of the log evidence in the log scale u is the posterior mean of that of the prior
(Fisher's identity), and its curvature follows from the same draws (Louis 1982) ::

    d log p(y | u)/du = E[g],   −d²/du² = E[−g'] − var(g),   g = d log p(β | u)/du

An EM step maximises the mean log prior over u: ``u + E[g]/E[−g']`` near the maximum. For a Laplace
prior ``g = Σ|β|/b − m``, so the fixed point is ``b = E Σ|β|/m``, which is Park & Casella's
``λ = √(2p/Σ E τ²)``. Dividing by the curvature of the evidence instead is Newton's step: as many
draws, far fewer rounds. An unknown σ is integrated over its prior.

Along the scales the log evidence is the integral of its derivative, by a trapezoidal rule that
knows the curvatures at both ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import DegenerateMode, NotConverged
from bayesreg.posterior.density import log_prior
from bayesreg.selection.psis import drawn
from bayesreg.selection.result import GIVE_SCALES, Curve, Interval, ScaleSelection

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem
    from bayesreg.selection.request import Request

NAME = "evidence"
_SCALES = 12
# Step of the derivatives in log scale: their error is its square, of rounding far less.
_H = 1e-3
_ROUNDS, _LAST_ROUNDS = 30, 8
# A round is the last one if its step is so many of its own standard errors.
_SETTLED = 2.0
_LONGEST_STEP = 1.0
# A slope of fewer standard errors may be none.
_SURE = 3.0
# Where less of the information than this is left, Newton's step is too bold.
_INFORMED = 0.1


@dataclass(frozen=True)
class Slope:
    """The log evidence about one scale.

    Attributes
    ----------
    log_scale : float
        Where.
    score, error : float
        Its derivative in log scale, and the Monte Carlo standard error of that.
    information, complete : float
        Minus its second derivative, and that of the mean log prior.
    sigma : float
        Posterior mean of σ; NaN where it is no unknown.
    """

    log_scale: float
    score: float
    error: float
    information: float
    complete: float
    sigma: float

    @property
    def step(self) -> float:
        """Newton's step towards the maximum, or that of EM where Newton's is not to be trusted."""
        bold = self.information > _INFORMED * self.complete
        step = self.score / (self.information if bold else max(self.complete, _INFORMED))
        return min(max(step, -_LONGEST_STEP), _LONGEST_STEP)

    @property
    def step_error(self) -> float:
        """Monte Carlo standard error of Newton's step."""
        return self.error / max(self.information, _INFORMED * self.complete)


def obstacle(problem: Problem) -> str | None:
    """Say why there is no density of the coefficients to differentiate; None where there is."""
    return problem.design.why_not_dense


def choose(request: Request) -> ScaleSelection:
    """Choose by the evidence."""
    scales = request.grid(_SCALES)
    coarse = [
        _slope(request, math.log(scale), 0.5)
        for scale in request.progress.steps(scales.tolist(), scales.size, "scale")
    ]
    best, rounds = _climb(request, _start(coarse))
    step = best.step
    scale = math.exp(best.log_scale + step)
    curve = _integrated(coarse, best)
    width = 1.96 / math.sqrt(best.information)
    interval = Interval(
        scale * math.exp(-width), scale * math.exp(width), "95 %, normal in the log scale"
    )
    known = math.isnan(best.sigma)
    sigma = request.known.sigma if known else best.sigma
    source = request.known.source if known else "unknown; its posterior mean at this scale"
    error = best.step_error
    exact = f"Monte Carlo standard error {100 * error:.2g} % of the scale"
    notes = (
        f"Monte Carlo EM, {rounds} rounds; {exact}",
        "the curve is the evidence relative to its maximum",
    )
    return ScaleSelection(
        criterion=NAME,
        scale=scale,
        sigma=sigma,
        problem=request.at(scale, sigma),
        curve=curve,
        uncertainty=interval,
        sigma_source=source,
        rule="maximum",
        notes=notes,
    )


def _slope(request: Request, log_scale: float, share: float) -> Slope:
    """Draw at a scale, and differentiate."""
    scale = math.exp(log_scale)
    (stream,) = request.rng.spawn(1)
    tree = drawn(request, request.whole.at(scale), stream, share=share)
    posterior = tree["posterior"]
    beta = np.asarray(posterior["beta"].transpose("chain", "draw", ...), dtype=np.float64)
    has_sigma = "sigma" in posterior
    sigma = (
        np.asarray(posterior["sigma"].transpose("chain", "draw"), dtype=np.float64)
        if has_sigma
        else np.ones(beta.shape[:2])
    )
    below, at, above = (
        log_prior(request.whole.at(scale * math.exp(h)), beta, sigma, np.ones_like(sigma))
        for h in (-_H, 0.0, _H)
    )
    g, bend = (above - below) / (2 * _H), (above - 2 * at + below) / _H**2
    complete = -float(bend.mean())
    return Slope(
        log_scale=log_scale,
        score=float(g.mean()),
        error=math.sqrt(float(g.var()) / _effective(g)) if g.var() > 0 else 0.0,
        information=complete - float(g.var()),
        complete=complete,
        sigma=float(sigma.mean()) if has_sigma else math.nan,
    )


def _effective(g: Array) -> float:
    """Effective number of draws (chain, draw)."""
    found = float(import_module("arviz_stats.base").array_stats.ess(g))
    return found if found > 0 else 1.0


def _start(coarse: list[Slope]) -> float:
    """Where the evidence is highest along the grid, if it falls beyond both ends."""
    best = int(np.argmax(_log_evidence(coarse)))
    at = coarse[best]
    lost = _SURE * at.error
    for end, way, falls in (
        (0, "0", at.score > lost),
        (len(coarse) - 1, "infinity", at.score < -lost),
    ):
        if best == end and not falls:
            msg = (
                f"evidence: rises along the scales tried as the scale goes to {way}, so it has no "
                f'maximum among them; try others {GIVE_SCALES}, or by="hyperprior"'
            )
            raise DegenerateMode(msg)
    return at.log_scale


def _climb(request: Request, start: float) -> tuple[Slope, int]:
    """Step until a step is lost in its own error, first with few draws, at last with all."""
    at, rounds = start, 0
    for share, most in ((0.25, _ROUNDS), (1.0, _LAST_ROUNDS)):
        for _ in range(most):
            rounds += 1
            request.progress.report(f"round {rounds}, at scale {math.exp(at):.4g}")
            found = _slope(request, at, share)
            if abs(found.step) <= _SETTLED * found.step_error:
                break
            at += found.step
    if not found.information > 0:
        msg = (
            "evidence: Monte Carlo EM did not settle at a maximum; raise draws, or give scales "
            f"{GIVE_SCALES}"
        )
        raise NotConverged(msg)
    return found, rounds


def _log_evidence(slopes: list[Slope]) -> Vector:
    """Log evidence at increasing scales, 0 at the first; shape (k,)."""
    steps = [
        0.5 * (b.log_scale - a.log_scale) * (a.score + b.score)
        + (b.log_scale - a.log_scale) ** 2 * (b.information - a.information) / 12
        for a, b in pairwise(slopes)
    ]
    return np.concatenate([[0.0], np.cumsum(steps)])


def _integrated(coarse: list[Slope], best: Slope) -> Curve:
    """Minus the log evidence relative to that of the best, with its standard error."""
    slopes = sorted([*coarse, best], key=lambda slope: slope.log_scale)
    place = slopes.index(best)
    u = np.array([slope.log_scale for slope in slopes])
    value, errors = _log_evidence(slopes), np.array([slope.error for slope in slopes])
    standard = np.zeros(u.size)
    for k in range(u.size):
        low, high = min(k, place), max(k, place)
        weight = np.zeros(u.size)
        half = 0.5 * np.diff(u[low : high + 1])
        weight[low:high] += half
        weight[low + 1 : high + 1] += half
        standard[k] = math.sqrt(float((weight * errors) @ (weight * errors)))
    scores = np.array([slope.score for slope in slopes])
    return Curve.of(np.exp(u), value[place] - value, standard, score=scores, score_error=errors)
