"""posterior_path: the posterior at every scale of the prior, the companion of the mode's path."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from bayesreg._inputs import as_problem, as_progress
from bayesreg._validation import (
    as_count,
    as_fraction,
    as_generator,
    as_positive,
    as_vector,
    is_many,
    read_only,
)
from bayesreg.blocks import Blocks
from bayesreg.errors import DegenerateMode, InputError, SamplingWarning
from bayesreg.nearness import nearness
from bayesreg.path_scales import Family, check_scales, default_scales
from bayesreg.posterior.along_scales import Plan, Point, Walk
from bayesreg.posterior.closed_path import exact_moments
from bayesreg.posterior.diagnostics import ESS_PER_CHAIN
from bayesreg.posterior.path_result import Band, PosteriorPath, family_of
from bayesreg.priors import Laplace, SpikeSlab
from bayesreg.priors.base import Scaled

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.posterior.conditional import Positions
    from bayesreg.priors import Prior
    from bayesreg.problem import Problem

__all__ = ["Band", "PosteriorPath", "posterior_path"]

# The usual 1.01 is passed by chance in one of so many runs and coefficients.
_RHAT_LIMIT = 1.05
# Fewer draws per chain have no tails to speak of; more scales than any figure can show.
_FEWEST_DRAWS, _MOST_SCALES = 100, 10_000


# --------------------------------------------------------------------------- making one


def posterior_path(
    problem: object,
    scales: object = None,
    *,
    n_scales: int = 30,
    method: str = "auto",
    draws: int = 1000,
    chains: int = 4,
    tune: int = 1000,
    seed: int | np.random.SeedSequence | np.random.Generator | None = None,
    epsilon: object = 0.05,
    hdi_prob: float = 0.95,
    min_ess: float | None = None,
    progress: bool | None = None,
) -> PosteriorPath:
    """Summarise the posterior at many scales of the prior, as `map_path` finds the modes there.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The posterior. Its own scale is one point of the path; an unknown scale is set to the
        scales of the path, an unknown sigma is integrated over.
    scales : array_like, shape (S,), optional
        Scales of the prior, as for `map_path`: in the units of its argument `scale` (`l1_scale` of
        an `ElasticNet`), multiples of them where there are several. By default the grid of
        `map_path`, with sigma, where it is unknown, at the sd of y.
    n_scales : int
        Length of that grid.
    method : {"auto", "exact", "gibbs", "nuts", "laplace"}
        As for `sample`; "auto" and "exact" need no draws where the posterior is normal.
    draws, chains, tune : int
        Of each fresh run; at least 100 draws. Four times as many are made where fewer than 100 per
        chain are effective.
    seed : int, SeedSequence, Generator or None
        The same seed gives the same path.
    epsilon : float or array_like (p,)
        One number: a coefficient is near zero where one sd of its column moves the prediction by
        less than that (times the sd of y where the target is a real number), as in `compare`.
        Several: one per coefficient, in its own units.
    hdi_prob : float
        Probability of the intervals.
    min_ess : float, optional
        Effective draws below which a scale gets draws of its own; by default 100 per chain.
    progress : bool, optional
        Whether to show progress; by default only where stderr is a terminal.

    Returns
    -------
    PosteriorPath
        ``.mean``, ``.median``, ``.hdi``, ``.near_zero`` per scale, how each was found, and
        ``.to_frame()`` and ``.plot()``. ``.complete`` is False if Ctrl-C left scales out.

    Raises
    ------
    InputError
        If an argument does not fit, the prior has no scale, or no sampler takes it.
    ImproperPosterior
        If the posterior does not integrate.
    UnsupportedModel
        If a PyMC model cannot be read exactly.

    Notes
    -----
    Where the posterior is normal, or normal with inverse-gamma noise, everything is in closed form.
    Where its moments are known otherwise, the means are exact and the rest comes from independent
    draws at every scale. Elsewhere draws at one scale serve its neighbours by Pareto-smoothed
    importance weights, which are ratios of priors, where k̂ < 0.7 and `min_ess` effective draws are
    left; other scales get draws of their own (Vehtari, Simpson, Gelman, Yao & Gabry 2024). A scale
    that several runs serve takes each in proportion to its effective draws.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> path = posterior_path(Problem([[1.0], [1.0]], [1.0, 3.0], likelihood=Gaussian(1.0),
    ...                               prior=Normal(1.0), intercept=False), scales=[0.5, 1.0])
    >>> path.mean.round(4).tolist(), path.method
    ([[0.6667], [1.3333]], ('closed form', 'closed form'))
    """
    start = time.perf_counter()
    asked = as_problem(problem)[0].dense("a posterior path")
    family = family_of(asked)
    chosen = _scales(family, scales, n_scales)
    near, rule = _epsilon(asked, epsilon)
    chains = as_count(chains, "chains")
    plan = Plan(
        method=method,
        draws=as_count(draws, "draws", minimum=_FEWEST_DRAWS),
        chains=chains,
        tune=as_count(tune, "tune"),
        min_ess=ESS_PER_CHAIN * chains if min_ess is None else as_positive(min_ess, "min_ess"),
        epsilon=near,
        hdi_prob=as_fraction(hdi_prob, "hdi_prob"),
    )
    rng, record = _seed(seed)
    order = np.argsort(chosen)
    problems = [family.at(float(scale)) for scale in chosen[order]]
    moments = exact_moments(asked, chosen[order]) if method in ("auto", "exact") else None
    with _Progress(chosen.size, shown=as_progress(progress)) as bar:
        walk = Walk(problems, moments, plan, rng, bar.report)
        complete = walk.run()
    found = {int(order[k]): _renumbered(point, order) for k, point in walk.points.items()}
    path = _assemble(
        asked,
        chosen,
        found,
        epsilon=near,
        epsilon_rule=rule,
        hdi_prob=plan.hdi_prob,
        min_ess=plan.min_ess,
        own_scale=family.own,
        complete=complete,
        seed=record,
        seconds=time.perf_counter() - start,
    )
    _warn(path, chosen.size)
    return path


def _renumbered(point: Point, order: Positions) -> Point:
    """Turn a source among the increasing scales into one among those asked for."""
    return point if point.source < 0 else replace(point, source=int(order[point.source]))


def _assemble(
    problem: Problem, scales: Vector, found: dict[int, Point], **settings: Any
) -> PosteriorPath:
    """Put the finished points together, in the order asked for."""
    places = sorted(found)
    points, p = [found[k] for k in places], problem.p
    mean, median, mcse, hdi = (
        np.array([getattr(point.summary, name) for point in points])
        for name in ("mean", "median", "mcse", "hdi")
    )
    columns = iter(range(p, mean.shape[1]))

    def band() -> Band:
        j = next(columns)
        return Band(*(read_only(values[:, j]) for values in (mean, median, mcse, hdi)))

    position = {k: i for i, k in enumerate(places)} | {-1: -1}
    return PosteriorPath(
        problem=problem,
        scales=read_only(scales[places]),
        mean=read_only(mean[:, :p]),
        median=read_only(median[:, :p]),
        mcse=read_only(mcse[:, :p]),
        hdi=read_only(hdi[:, :p]),
        near_zero=read_only(np.array([point.summary.near_zero for point in points])),
        intercept=band() if problem.design.intercept else None,
        sigma=band() if "sigma" in problem.unknown else None,
        method=tuple(point.method for point in points),
        source=read_only(np.array([position[point.source] for point in points])),
        draws=read_only(np.array([point.draws for point in points])),
        khat=read_only(np.array([point.khat for point in points])),
        ess=read_only(np.array([point.ess for point in points])),
        rhat=read_only(np.array([point.rhat for point in points])),
        **settings,
    )


def _warn(path: PosteriorPath, asked: int) -> None:
    """Say what is missing, and at which scales the draws are not to be trusted."""
    if not path.complete:
        message = (
            f"posterior_path was interrupted: {len(path)} of {asked} scales are kept, and "
            "complete is False"
        )
        warnings.warn(message, SamplingWarning, stacklevel=3)
    unsure = (path.ess < path.min_ess) | (path.rhat > _RHAT_LIMIT)
    if unsure.any():
        worst = f"{path.ess.min():.0f} effective draws"
        if not np.isnan(path.rhat).all():
            worst += f", R-hat {np.nanmax(path.rhat):.3f}"
        message = (
            f"the draws at {unsure.sum()} of {len(path)} scales are too few or do not agree "
            f"(at worst {worst}); raise draws or tune"
        )
        warnings.warn(message, SamplingWarning, stacklevel=3)


# --------------------------------------------------------------------------- arguments


def _scales(family: Family, scales: object, count: int) -> Vector:
    """Validate scales, or return the grid of `map_path` where there are none."""
    if scales is not None:
        return np.array(check_scales(scales))
    count = as_count(count, "n_scales", minimum=2, maximum=_MOST_SCALES)
    problem = family.problem
    if "sigma" in problem.unknown:
        problem = problem.given(sigma=_spread(problem))
    try:
        return default_scales(Family.of(problem), count)
    except DegenerateMode:  # a prior without a mode: where a lasso of its scale begins and ends
        stand_in = problem.with_prior(_as_laplace(problem.prior))
        return default_scales(Family.of(stand_in), count)


def _spread(problem: Problem) -> float:
    """Return the sd of y about its mean, or about 0 without an intercept, rows weighted."""
    design = problem.design
    target = design.less_offset
    weights = design.row_weights
    level = float(np.average(target, weights=weights)) if design.intercept else 0.0
    return math.sqrt(float(np.average((target - level) ** 2, weights=weights))) or 1.0


def _as_laplace(prior: Prior) -> Prior:
    """Return a lasso with the scales of a prior that has no mode."""
    if isinstance(prior, Blocks):
        return Blocks(tuple((_as_laplace(part), columns) for part, columns in prior.parts))
    if isinstance(prior, SpikeSlab):
        return Laplace(prior.slab_scale)
    if isinstance(prior, Scaled):
        return Laplace(prior.scale, relative_to=prior.relative_to, factor=prior.factor)
    return prior


def _epsilon(problem: Problem, epsilon: object) -> tuple[Vector, str]:
    """Return what counts as near zero, per coefficient, and the rule in words."""
    if is_many(epsilon):
        values = as_vector(epsilon, "epsilon", problem.p)
        if not (values > 0).all():
            msg = f"epsilon: must be positive, found {values.min():g}"
            raise InputError(msg)
        return values, "|coefficient| < the epsilon given for it"
    share = as_positive(epsilon, "epsilon")
    near, rule = nearness(problem, share)
    return read_only(near), rule


def _seed(seed: Any) -> tuple[np.random.Generator, str]:
    """Return a generator, and how to make it again."""
    if seed is None:
        entropy = np.random.SeedSequence().entropy
        return as_generator(entropy), str(entropy)
    rng = as_generator(seed)
    if isinstance(seed, np.random.Generator):
        return rng, f"Generator({type(seed.bit_generator).__name__})"
    return rng, str(seed)


class _Progress:
    """A bar of finished scales on stderr, or nothing."""

    def __init__(self, count: int, *, shown: bool) -> None:
        rich = import_module("rich.progress")
        console = import_module("rich.console").Console(stderr=True)
        self.bar = rich.Progress(console=console, transient=True, disable=not shown)
        self.task = self.bar.add_task("posterior path", total=count)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def report(self, done: int, fresh: int) -> None:
        """Show how many scales are done, and how many needed draws."""
        self.bar.update(self.task, completed=done, description=f"posterior path, {fresh} drawn")
