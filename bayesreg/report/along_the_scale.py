"""The path of the report: the mode at every scale of the prior, with the posterior where cheap."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import BayesregError, SamplingWarning
from bayesreg.likelihoods import Gaussian
from bayesreg.path import MapPath, map_path
from bayesreg.posterior import PosteriorPath, posterior_path
from bayesreg.report import pictures
from bayesreg.report.text import brief, number

if TYPE_CHECKING:
    from bayesreg.comparison import Comparison
    from bayesreg.report.pictures import Picture

SEED = 0
# Multiplications per draw, by sampler, up to which a path takes seconds: closed forms and
# independent draws are cheap; Gibbs sampling starts afresh at a dozen scales.
_CHEAP = {"exact": 1e7, "gibbs": 1e5}
# Entries of X up to which the modes of a path take seconds.
_MOST_ENTRIES = 5_000_000
_MODES = 60
_BY_HAND = "br.map_path(problem) and br.posterior_path(problem) find it on request."


@dataclass(frozen=True)
class Along:
    """What the page says of other scales.

    Attributes
    ----------
    picture : Picture or None
        The path; None where there is none.
    statements : tuple of str
        How it was found, or why it is not there.
    """

    picture: Picture | None
    statements: tuple[str, ...]


def along_the_scale(comparison: Comparison) -> Along:
    """Find the path, with the posterior around it where that takes seconds.

    Parameters
    ----------
    comparison : Comparison
        Of `compare`.

    Returns
    -------
    Along
        Figure and statements.
    """
    why_no_ribbon = reason_against_a_ribbon(comparison)
    if not why_no_ribbon:
        try:
            return _with_posterior(comparison)
        except BayesregError as error:
            why_no_ribbon = f"The posterior along the path failed: {brief(str(error))}."
    if comparison.problem.p == 0:
        return Along(None, ("There is no path: the problem has an intercept only.",))
    if comparison.problem.n * comparison.problem.p > _MOST_ENTRIES:
        return Along(None, ("There is no path here: it would take long.", _BY_HAND))
    try:
        return _modes(comparison, why_no_ribbon)
    except BayesregError as error:
        return Along(None, (f"There is no path. {brief(str(error))}.",))


def reason_against_a_ribbon(comparison: Comparison) -> str:
    """Say why the posterior is not summarised at every scale; empty where it is.

    Parameters
    ----------
    comparison : Comparison
        Of `compare`.

    Returns
    -------
    str
        A sentence; the same for the same comparison on every machine.
    """
    problem = comparison.problem
    if comparison.sampled is None:
        return "Without draws at this scale there are none along the path."
    if problem.p == 0:
        return "There are no coefficients."
    method = str(comparison.draws.attrs.get("method"))
    work = float(problem.p) ** 3
    if method != "exact" and not isinstance(problem.likelihood, Gaussian):
        work += float(problem.n) * problem.p**2
    if work <= _CHEAP.get(method, 0.0):
        return ""
    return (
        "The posterior is not drawn at every scale here, as that would take long; "
        "br.posterior_path(problem) does so, and bayesreg path --posterior."
    )


def _with_posterior(comparison: Comparison) -> Along:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SamplingWarning)
        path = posterior_path(comparison.problem, seed=SEED, progress=False)
    doubts = [
        f"Mind: {brief(str(found.message))}."
        for found in caught
        if found.category is SamplingWarning
    ]
    modes = [] if path.mode is None else [_zeros(path.scales, path.mode, path.what)]
    return Along(pictures.ribbon(path), (_how(path), *modes, *doubts))


def _how(path: PosteriorPath) -> str:
    """Say where the numbers of a posterior path come from."""
    scales = path.what[1]
    if (path.source < 0).all():
        return f"The posterior is in closed form at all {len(path)} {scales}: nothing is drawn."
    methods = ", ".join(dict.fromkeys(path.method))
    text = f"Drawn at {path.fresh.sum()} of {len(path)} {scales} by {methods}, seed {path.seed}"
    if path.reused.any():
        worst = number(float(path.khat[path.reused].max()), 2)
        text += f"; at the others those draws are reweighted (Pareto k̂ at most {worst})"
    return f"{text}. Everywhere at least {path.ess.min():.0f} effective draws."


def _modes(comparison: Comparison, why_no_ribbon: str) -> Along:
    problem = comparison.problem
    unknown = "sigma" in problem.unknown
    given = {"sigma": float(comparison.mode.sigma or 0.0)} if unknown else {}
    path = map_path(problem, n_scales=_MODES, given=given)
    statements = [why_no_ribbon, _zeros(path.scales, path.coef, path.what), _certified(path)]
    if unknown:
        statements.append(f"Every mode is given sigma = {number(comparison.mode.sigma)}.")
    return Along(pictures.lines(path), tuple(statements))


def _zeros(scales: np.ndarray, coef: np.ndarray, what: tuple[str, str]) -> str:
    zeros, order = (coef == 0).sum(axis=1), np.argsort(scales)
    first, last = zeros[order[0]], zeros[order[-1]]
    ends = (number(float(scales[order[0]])), number(float(scales[order[-1]])))
    return (
        f"Exact zeros of the mode: {first} of {coef.shape[1]} at the smallest {what[0]}, "
        f"{ends[0]}; {last} at the largest, {ends[1]}."
    )


def _certified(path: MapPath) -> str:
    if all(certificate.optimal for certificate in path.certificates):
        worst = number(float(path.gap.max()), 2)
        return f"All {len(path)} modes are certified optimal, largest duality gap {worst} nats."
    return "All are certified stationary; the penalty is not convex, and other modes may be better."
