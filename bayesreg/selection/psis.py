r"""Leave-one-out of the posterior itself, by Pareto-smoothed importance sampling, scale by scale.

At every scale the posterior is drawn from (an unknown sigma with it), and ``arviz.loo`` estimates
``−Σ log p(y_i | all other rows)`` (Vehtari, Gelman & Gabry 2017). The largest k̂ of the rows says
whether that can be trusted: up to 0.7 it can.

Standardised columns keep the sd of all rows here: the posterior is one of all rows, reweighted.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.errors import InputError, SamplingWarning
from bayesreg.posterior.left_out import row_that_is_needed
from bayesreg.posterior.sampling import sample
from bayesreg.selection.leave_one_out import needed_row
from bayesreg.selection.result import Curve

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.problem import Problem
    from bayesreg.selection.request import Request
    from bayesreg.selection.result import ScaleSelection

NAME = "psis-loo"
_SCALES = 20
_TRUSTED = 0.7


def obstacle(problem: Problem) -> str | None:
    """Say why there are no rows to reweight by; None where there are."""
    if problem.design.level is not None:
        return "it needs the rows of X, and the problem was made of sums of products"
    return problem.design.why_not_dense or needed_row(problem)


def choose(request: Request) -> ScaleSelection:
    """Choose by the log density of every row given the others, under the posterior."""
    scales = request.grid(_SCALES)
    needed = row_that_is_needed(request.whole.at(float(scales[0])))
    if needed is not None:  # by an unknown sigma, that is: the rest is an obstacle
        msg = f"problem: {needed}"
        raise InputError(msg)
    # The same stream at every scale: what is chance in the draws moves along with the scale, and
    # differences between neighbours are less noisy than either.
    seed = int(request.rng.integers(2**63))
    found = [
        _at(request, request.whole.at(scale), seed)
        for scale in request.progress.steps(scales.tolist(), scales.size, "scale")
    ]
    losses = np.array([rows for rows, _ in found])
    khat, parameters, sigma = np.array([numbers for _, numbers in found]).T
    extra = {"khat": khat, "effective_parameters": parameters}
    if request.known.sigma is not None:
        extra["sigma"] = sigma
    curve = Curve.of_losses(scales, losses.T, np.ones(losses.shape[1]), **extra)
    chosen = request.by_rule(NAME, curve, curve.near_by_error())
    worst = f"largest k̂ along the curve {khat.max():.2f}"
    bad = int((khat >= _TRUSTED).sum())
    if bad:
        worst += f": at {bad} of {scales.size} scales some rows are too influential to trust it"
    chosen = replace(chosen, doubt=worst) if bad else replace(chosen, notes=(worst,))
    if "sigma" not in request.whole.problem.unknown:
        return chosen
    mean = float(sigma[np.argmin(np.abs(scales - chosen.scale))])
    return request.with_sigma(chosen, mean, "unknown; its posterior mean at this scale")


def _at(request: Request, problem: Problem, seed: int) -> tuple[Vector, tuple[float, float, float]]:
    """Loss of each row; largest k̂, effective parameters, and mean of sigma."""
    tree = drawn(request, problem, seed, log_likelihood=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of k̂, which the curve holds
        loo: Any = import_module("arviz").loo(tree, pointwise=True)
    posterior = tree["posterior"]
    sigma = float(posterior["sigma"].mean()) if "sigma" in posterior else np.nan
    rows = -np.asarray(loo.elpd_i, dtype=np.float64).ravel()
    return rows, (float(loo.pareto_k.max()), float(loo.p), sigma)


def drawn(request: Request, problem: Problem, seed: Any, *, share: float = 1.0, **more: Any) -> Any:
    """Draw from a posterior, as many draws as were asked for or a share of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SamplingWarning)  # their error is measured
        tree = sample(
            problem,
            draws=max(100, round(share * request.draws)),
            chains=request.chains,
            tune=request.tune,
            seed=seed,
            progress=False,
            **more,
        )
    if not tree.attrs["complete"]:
        raise KeyboardInterrupt
    return tree
