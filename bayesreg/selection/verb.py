"""select_scale: the scale of a prior by one criterion."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bayesreg._inputs import as_problem, as_progress, check_given
from bayesreg._validation import as_count
from bayesreg._visible import shown
from bayesreg.errors import InputError, unknown_name
from bayesreg.priors import as_scale_prior
from bayesreg.selection import (
    cross_validation,
    evidence,
    hyperprior,
    information,
    leave_one_out,
    psis,
)
from bayesreg.selection.progress import Progress
from bayesreg.selection.request import RULES, Request, penalty_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from bayesreg.problem import Problem
    from bayesreg.scale_priors import ScalePrior
    from bayesreg.selection.result import ScaleSelection

_MOST_SCALES = 10_000
_FEWEST_DRAWS = 100


@dataclass(frozen=True)
class Criterion:
    """One way to choose.

    Attributes
    ----------
    name : str
        What the caller types.
    summary : str
        One line.
    obstacle : callable
        Maps a problem to the reason why this criterion cannot judge it, or None.
    choose : callable
        Maps a request to a selection.
    """

    name: str
    summary: str
    obstacle: Callable[[Problem], str | None]
    choose: Callable[[Request], ScaleSelection]


def _needs_modes_of_rows(problem: Problem) -> str | None:
    if penalty_of(problem) is None:
        return f"it rests on modes, and a {problem.prior.name} prior has none"
    if problem.design.level is None:
        return None
    return "it needs the rows of X, and the problem was made of sums of products"


CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        cross_validation.NAME,
        "loss of rows held out, at the modes found without them",
        _needs_modes_of_rows,
        cross_validation.choose,
    ),
    Criterion(
        leave_one_out.NAME,
        "the same for every row by itself, in closed form under a normal prior",
        leave_one_out.obstacle,
        leave_one_out.choose,
    ),
    Criterion(
        psis.NAME,
        "log density of each row given the others, under the posterior",
        psis.obstacle,
        psis.choose,
    ),
    Criterion(
        "aic",
        "loss at the mode plus its degrees of freedom",
        information.obstacle,
        information.choose_aic,
    ),
    Criterion(
        "bic",
        "the same with log(n)/2 for each degree of freedom",
        information.obstacle,
        information.choose_bic,
    ),
    Criterion(
        evidence.NAME,
        "density of the data given the scale, coefficients integrated out",
        evidence.obstacle,
        evidence.choose,
    ),
    Criterion(
        hyperprior.NAME,
        "posterior of the scale, given a prior of its own",
        hyperprior.obstacle,
        hyperprior.choose,
    ),
)
BY_NAME = {criterion.name: criterion for criterion in CRITERIA}


def select_scale(
    problem: object,
    by: str = "cross-validation",
    *,
    scales: object = None,
    n_scales: int | None = None,
    rule: str = "minimum",
    folds: Any = 10,
    groups: object = None,
    given: Mapping[str, float] | None = None,
    hyperprior: ScalePrior | None = None,
    draws: int = 1000,
    chains: int = 4,
    tune: int = 1000,
    seed: int | np.random.SeedSequence | np.random.Generator | None = 0,
    workers: int | None = None,
    progress: bool | None = None,
) -> ScaleSelection:
    """Choose the scale of a prior.

    Parameters
    ----------
    problem : Problem or pymc.Model
        What to choose for. Its own scale is only a unit.
    by : str
        "cross-validation" (modes along the exact path), "leave-one-out" (closed form, normal
        prior), "psis-loo" (of the posterior), "aic", "bic", "evidence" (closed form under a normal
        prior, Monte Carlo EM under others), or "hyperprior" (posterior of the scale). For all of
        them side by side see `compare_criteria`.
    scales : array_like, shape (k,), optional
        Scales to try, as for `map_path`, whose grid is the default. That grid is of the data alone:
        the problem's own scale is not in it, so that the choice does not depend on where one
        starts. An "evidence" is maximised between them, too, and a "hyperprior" needs none. Where
        rounding of the data would decide on a closed form, a scale that was asked for is refused,
        and one of the grid is left out of the curve (``.lost``, and a note).
    n_scales : int, optional
        Length of that grid: 100, and 20 or 12 where each scale has draws of its own.
    rule : {"minimum", "one-standard-error"}
        The best scale, or the smallest within one standard error of the best: for criteria whose
        curve has standard errors over rows or folds.
    folds : int, splitter or iterable of (train, test)
        Number of folds of shuffled rows (stratified for a binary target), a splitter of
        `sklearn.model_selection`, or positions of rows.
    groups : array_like, shape (n,), optional
        For a splitter that keeps groups together.
    given : mapping, optional
        Value of an unknown ``"sigma"``. Without one, what rests on modes sets it to the residual
        sd of least squares, or where there are too few rows to the sd of half the variance of y;
        "psis-loo" and "hyperprior" integrate over it, and "evidence" maximises over it (in closed
        form) or integrates (by draws).
    hyperprior : ScalePrior, optional
        Prior of the scale; by default the problem's own if its scale is unknown, else a half-Cauchy
        with its median at the problem's scale.
    draws, chains, tune : int
        Of each run of a sampler, at least 100 draws.
    seed : int, SeedSequence, Generator or None
        Deals out the folds, and makes the draws.
    workers : int, optional
        Threads that share the folds; by default as many as cores, one where X is small.
    progress : bool, optional
        Whether to show progress; by default only where stderr is a terminal.

    Returns
    -------
    ScaleSelection
        ``.scale``, ``.sigma`` and ``.problem``, ready for `find_map` and `sample`; ``.curve``, in
        nats for the whole data set, ``.uncertainty`` (where two minima of the curve do about as
        well, all between them), ``.to_frame()`` and ``.plot()``.

    Raises
    ------
    InputError
        If an argument does not fit, or the criterion does not take the problem: leaving a row out
        that determines a coefficient alone, say.
    DegenerateMode
        If the evidence is largest at a scale of 0 or infinity.
    ImproperPosterior, NotConverged
        As `map_path`; the message names the fold.

    Notes
    -----
    In each fold columns are standardised afresh (where ``standardize=True``), and weights and
    offsets go with their rows. A scale means the same for any number of rows; a weight α of a mean
    loss does not, so scikit-learn's α of a fold with m rows is the scale ``sigma²/(mα)``.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> X = np.eye(4)
    >>> chosen = select_scale(Problem(X, [2.0, -2.0, 2.0, -2.0], likelihood=Gaussian(1.0),
    ...                               prior=Normal(1.0), intercept=False), by="evidence")
    >>> round(chosen.scale**2, 6)  # y_i ~ N(0, 1 + scale²), so the best is mean(y²) − 1
    3.0
    """
    if is_all(by):
        msg = "by: 'all' is what compare_criteria(problem) asks; here name one criterion"
        raise InputError(msg)
    if not (isinstance(by, str) and by in BY_NAME):
        raise unknown_name("by", by, tuple(BY_NAME))
    request = make_request(
        problem,
        scales=scales,
        n_scales=n_scales,
        rule=rule,
        folds=folds,
        groups=groups,
        given=given,
        hyperprior=hyperprior,
        draws=draws,
        chains=chains,
        tune=tune,
        seed=seed,
        workers=workers,
        progress=progress,
    )
    return run(BY_NAME[by], request)


def is_all(by: object) -> bool:
    """Whether all criteria that take the problem are asked for, which `compare_criteria` does."""
    return isinstance(by, str) and by == "all"


def run(criterion: Criterion, request: Request) -> ScaleSelection:
    """Let a criterion choose; InputError if it does not take the problem."""
    obstacle = criterion.obstacle(request.problem)
    if obstacle is not None:
        names = [c.name for c in CRITERIA if c.obstacle(request.problem) is None]
        msg = f"by: {criterion.name!r} does not take this problem: {obstacle}; these do: "
        raise InputError(msg + ", ".join(names))
    start = time.perf_counter()
    with request.progress.of(criterion.name):
        chosen = criterion.choose(request)
    return replace(chosen, seconds=time.perf_counter() - start)


def make_request(problem: object, **settings: Any) -> Request:
    """Validate what a criterion is asked."""
    asked, reading = as_problem(problem)
    if not (isinstance(settings["rule"], str) and settings["rule"] in RULES):
        raise unknown_name("rule", settings["rule"], RULES)
    if settings["n_scales"] is not None:
        settings["n_scales"] = as_count(settings["n_scales"], "n_scales", 2, _MOST_SCALES)
    if settings["workers"] is not None:
        settings["workers"] = as_count(settings["workers"], "workers")
    for name, least in (("draws", _FEWEST_DRAWS), ("chains", 1), ("tune", 1)):
        settings[name] = as_count(settings[name], name, least)
    if settings["hyperprior"] is not None:
        hyperprior = as_scale_prior(settings["hyperprior"])
        if hyperprior is None:
            msg = f"hyperprior: must be a prior of a scale, found {shown(settings['hyperprior'])}"
            raise InputError(msg)
        settings["hyperprior"] = hyperprior
    settings["progress"] = Progress(shown=as_progress(settings["progress"]))
    settings["given"] = check_given(settings["given"], reading)
    if not asked.p:
        msg = "problem: there is no coefficient whose prior could have a scale; X needs a column"
        raise InputError(msg)
    return Request(problem=asked, **settings)
