"""sample: choose a sampler, run it, and say in the result what was done."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._bambi import pymc_model_of
from bayesreg._inputs import as_progress
from bayesreg._overflow import judged_afterwards
from bayesreg._validation import as_count, as_flag, as_fraction, as_generator
from bayesreg.errors import (
    BayesregError,
    InputError,
    NoClosedForm,
    SamplingFailed,
    SamplingWarning,
    unknown_name,
)
from bayesreg.posterior import interrupts, products
from bayesreg.posterior.base import Extras, Settings
from bayesreg.posterior.density import log_joint
from bayesreg.posterior.exact import Exact
from bayesreg.posterior.gibbs import Gibbs
from bayesreg.posterior.laplace_approximation import Laplace
from bayesreg.posterior.model import described, quiet, read, sample_model
from bayesreg.posterior.nuts import Nuts
from bayesreg.posterior.predictive import require_proper_prior
from bayesreg.posterior.unknowns import require_proper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import xarray as xr

    from bayesreg.posterior.base import Draws, Sampler
    from bayesreg.posterior.conditional import Array
    from bayesreg.posterior.own_variables import OwnVariables
    from bayesreg.problem import Problem

# Eight gigabytes of draws.
_MOST_NUMBERS = 1_000_000_000
# Years of tuning are a slip.
_MOST_STEPS = 100_000_000

#: Every sampler, best first: "auto" takes the first that nothing speaks against and that draws from
#: the posterior itself.
SAMPLERS: tuple[Sampler, ...] = (Exact(), Gibbs(), Nuts(), Laplace())


def sample(
    problem_or_model: object,
    method: str = "auto",
    *,
    draws: int = 1000,
    chains: int = 4,
    tune: int = 1000,
    seed: int | np.random.SeedSequence | np.random.Generator | None = None,
    progress: bool | None = None,
    log_likelihood: bool = False,
    prior: bool = False,
    posterior_predictive: bool = False,
    target_accept: float = 0.8,
) -> xr.DataTree:
    """Draw from a posterior.

    Parameters
    ----------
    problem_or_model : Problem or pm.Model
        The posterior. A model that is one of our problems is read as such; any other is sampled
        as it stands, under its own variable names. A sparse X of up to ten million entries, zeros
        included, is made dense; of a larger one with Gaussian noise and more rows than columns
        sums of products are taken, which "gibbs" samples from; any other is refused.
    method : {"auto", "exact", "gibbs", "nuts", "laplace"}
        "exact" draws independently, from a closed form or by quadrature; "gibbs" is compiled and
        takes priors that are scale mixtures of normals; "nuts" needs no more than a density. "auto"
        takes the first of these that fits and records why. "laplace" draws from the normal
        approximation at the mode, which is not the posterior, and is taken only if asked for.
    draws, chains : int
        Draws per chain, and chains.
    tune : int
        Tuning steps per chain, which are not kept.
    seed : int, SeedSequence, Generator or None
        The same seed gives the same draws. None takes one from the system and records it.
    progress : bool, optional
        Whether to show progress; by default only where stderr is a terminal.
    log_likelihood : bool
        Whether to add the log density of each row at each draw, which ``arviz.loo`` and
        ``arviz.compare`` need.
    prior : bool
        Whether to add as many independent draws from the prior. Flat priors have none: that of the
        intercept is left out, any other is refused.
    posterior_predictive : bool
        Whether to add a new target for every row at each draw.
    target_accept : float
        Acceptance rate that NUTS tunes its step size for; raise it if transitions diverge.

    Returns
    -------
    xarray.DataTree
        ``posterior`` with ``beta`` (chain, draw, feature) and, where they exist, ``intercept``,
        ``sigma`` and ``scale``, on the user's scale. A model that is a problem has its own
        variables there too, as ``pm.sample_posterior_predictive`` needs them, and names that
        belong to others (``attrs["variables"]`` says which is what) are its own: ours are
        then ``problem_beta``, say. ``sample_stats`` with ``lp``, which is
        ``-problem.objective(...)`` at the draw; ``observed_data``; the groups asked for; and
        ``attrs`` that say how it was made. ``attrs["complete"]`` is 0 if Ctrl-C cut it short; a
        second Ctrl-C gives up what was drawn.

    Raises
    ------
    InputError
        If an argument does not fit, or the sampler does not take the problem; the message says why.
    ImproperPosterior
        If flat priors leave the posterior without an integral.
    NoClosedForm
        If ``method="exact"`` and there is no closed form.
    SamplingFailed
        If the sampler stops without draws that can be used.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], intercept=False,
    ...                   likelihood=Gaussian(sigma=1.0), prior=Normal(scale=1.0))
    >>> tree = sample(problem, draws=500, seed=1)
    >>> tree.attrs["method"], tree["posterior"]["beta"].shape
    ('exact', (4, 500, 1))
    """
    settings = Settings(
        draws=as_count(draws, "draws"),
        chains=as_count(chains, "chains"),
        tune=as_count(tune, "tune", maximum=_MOST_STEPS),
        target_accept=as_fraction(target_accept, "target_accept"),
        progress=as_progress(progress),
    )
    extras = Extras(
        log_likelihood=as_flag(log_likelihood, "log_likelihood"),
        prior=as_flag(prior, "prior"),
        posterior_predictive=as_flag(posterior_predictive, "posterior_predictive"),
    )
    rng, record = _seed(seed)
    _check_method(method)
    problem_or_model = pymc_model_of(problem_or_model)
    asked = read(problem_or_model)
    record |= {"created": datetime.now(UTC).isoformat(timespec="seconds")}
    with interrupts.attended():
        if asked.problem is None:
            model, why = problem_or_model, asked.unreadable
            return _sample_unread(model, why, method, settings, extras, rng, record)
        return _sample_problem(asked.problem, method, settings, extras, rng, record, asked.own)


def _sample_problem(
    problem: Problem,
    method: str,
    settings: Settings,
    extras: Extras,
    rng: np.random.Generator,
    record: dict[str, Any],
    own: OwnVariables | None,
) -> xr.DataTree:
    """Check that there is something to sample, draw, and label the draws."""
    if products.suffices(problem):
        solved, lacking = products.reduced(problem)
    else:
        problem = problem.dense("sampling")
        solved, lacking = problem, 0.0
    require_proper(solved)
    if extras.prior:
        require_proper_prior(problem)
    _check_memory(problem, settings, extras)
    start = time.perf_counter()
    sampler, reason, drawn = _drawn(solved, method, settings, rng)

    for name, values in drawn.posterior.items():
        _require_numbers(name, bool(np.isfinite(values).all()))

    def log_density() -> Array:
        logs = log_joint(solved, dict(drawn.posterior)) + lacking
        _require_numbers("lp", bool(np.isfinite(logs).any() and not np.isnan(logs).any()))
        return logs

    tree, complete = _labelled(problem, drawn, log_density, record, extras, rng, own)
    return _finish(
        tree,
        method=sampler.name,
        reason=reason,
        seconds=time.perf_counter() - start,
        complete=complete,
        libraries=drawn.libraries,
        text=str(problem),
    )


def _labelled(
    problem: Problem,
    drawn: Draws,
    log_density: Callable[[], Array],
    record: dict[str, Any],
    extras: Extras,
    rng: np.random.Generator,
    own: OwnVariables | None,
) -> tuple[xr.DataTree, bool]:
    """Label the draws; a Ctrl-C by now costs what goes with them, but not the draws."""
    layout = import_module("bayesreg.posterior.layout")  # loads xarray: 2 s, on use
    try:
        with interrupts.released(), np.errstate(all="ignore"):
            stats = dict(drawn.stats)
            if "lp" not in stats:
                stats = {"lp": log_density()} | stats
            tree = layout.as_tree(problem, replace(drawn, stats=stats), record, extras, rng, own)
    except KeyboardInterrupt:
        own = None if own is None else own.free_only
        return layout.as_tree(problem, drawn, record, Extras(), rng, own), False
    except SamplingFailed as error:
        if not extras.posterior_predictive:
            raise
        warnings.warn(f"{error}; the group is left out", SamplingWarning, stacklevel=4)
        fewer = replace(extras, posterior_predictive=False)
        return _labelled(problem, drawn, log_density, record, fewer, rng, own)
    return tree, drawn.complete


def _sample_unread(
    model: Any,
    unreadable: str,
    method: str,
    settings: Settings,
    extras: Extras,
    rng: np.random.Generator,
    record: dict[str, Any],
) -> xr.DataTree:
    """Sample a PyMC model that is not one of our problems."""
    if method == "exact":
        msg = f'the model is not a problem with a closed form ({unreadable}); use method="nuts"'
        raise NoClosedForm(msg)
    if method not in ("auto", "nuts"):
        msg = (
            f"method: {method!r} takes problems, which the model is not ({unreadable}); "
            'use method="nuts"'
        )
        raise InputError(msg)
    if all(0 in variable.type.shape for variable in model.free_RVs):
        msg = "model: has no unknown variable with an entry, so there is nothing to draw"
        raise InputError(msg)
    start = time.perf_counter()
    try:
        tree, complete, library, steps = sample_model(model, method, settings, rng)
    except BayesregError:
        raise
    except Exception as error:  # whatever stops PyMC, a worker that was killed among it
        first = (str(error).splitlines() or [""])[0].strip() or type(error).__name__
        msg = f"PyMC stopped: {first}"
        raise SamplingFailed(msg) from error
    drawn = tree["posterior"].sizes
    complete &= drawn["chain"] == settings.chains and drawn["draw"] == settings.draws
    groups = import_module("bayesreg.posterior.model_groups")
    try:
        with interrupts.released(), quiet(progress=settings.progress):
            tree = groups.completed(tree, model, extras, rng)
    except KeyboardInterrupt:
        tree, complete = groups.completed(tree, model, Extras(), rng), False
    tree.attrs = record
    return _finish(
        tree,
        method=steps,
        reason=f"the model is sampled as it stands, because it is not a Problem: {unreadable}",
        seconds=time.perf_counter() - start,
        complete=complete,
        libraries=("pymc", *({library} - {"pymc"})),
        text=described(model),
    )


def _finish(
    tree: xr.DataTree,
    *,
    method: str,
    reason: str,
    seconds: float,
    complete: bool,
    libraries: tuple[str, ...],
    text: str,
) -> xr.DataTree:
    """Write down what was done; warn if it was cut short."""
    complete = complete and not interrupts.was_pressed()
    layout = import_module("bayesreg.posterior.layout")
    tree.attrs |= layout.versions(libraries) | {
        "method": method,
        "reason": reason,
        "seconds": seconds,
        "complete": int(complete),
        "problem": text,
    }
    if not complete:
        sizes = tree["posterior"].sizes
        message = (
            f"sampling was interrupted: {sizes['chain']} chains of {sizes['draw']} draws are kept, "
            'and attrs["complete"] is 0'
        )
        warnings.warn(message, SamplingWarning, stacklevel=3)
    return tree


def _check_memory(problem: Problem, settings: Settings, extras: Extras) -> None:
    """Refuse draws that would fill the memory, rather than fail after hours of sampling."""
    unknowns = problem.p + len(problem.unknown) + 1
    width = unknowns * (1 + extras.prior) + problem.n * extras.per_row
    numbers = settings.draws * settings.chains * width
    if numbers > _MOST_NUMBERS:
        msg = (
            f"draws: {settings.chains} chains of {settings.draws} draws of {width} numbers need "
            f"{8e-9 * numbers:.3g} GB; ask for fewer"
        )
        raise InputError(msg)


def _seed(seed: Any) -> tuple[np.random.Generator, dict[str, Any]]:
    """Return a generator and how to make it again, as text (netCDF has no big integers)."""
    if seed is None:
        entropy = np.random.SeedSequence().entropy
        return as_generator(entropy), {"seed": "None", "seed_entropy": str(entropy)}
    rng = as_generator(seed)
    if isinstance(seed, np.random.Generator):
        return rng, {"seed": f"Generator({type(seed.bit_generator).__name__})"}
    return rng, {"seed": str(seed)}


def _check_method(method: object) -> None:
    names = ("auto", *(sampler.name for sampler in SAMPLERS))
    if not (isinstance(method, str) and method in names):
        raise unknown_name("method", method, names)


def reason_against_sampling(problem: Problem) -> str | None:
    """Say why no sampler draws from a posterior; None where one does.

    Parameters
    ----------
    problem : Problem
        The posterior.

    Returns
    -------
    str or None
        What speaks against each sampler.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> reason_against_sampling(Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(1.0),
    ...                                 prior=Laplace(1.0)))
    """
    against = []
    for sampler, reason in _considered(problem):
        if reason is None:
            return None
        against.append(_against(sampler, reason))
    return f"no sampler takes {problem.prior.name} here: {'; '.join(against)}"


def _considered(problem: Problem) -> Iterator[tuple[Sampler, str | None]]:
    """Yield the samplers of "auto", best first, and what speaks against each."""
    for sampler in SAMPLERS:
        if not sampler.approximate:
            yield sampler, _reason_against(sampler, problem)


def _against(sampler: Sampler, reason: object) -> str:
    return f"method {sampler.name!r} does not apply: {reason}"


def _reason_against(sampler: Sampler, problem: Problem) -> str | None:
    if sampler.needs_rows and problem.design.level is not None:
        return "X: is sparse, and too large to be made dense"
    return sampler.reason_against(problem)


def _require_numbers(name: str, are_numbers: bool) -> None:
    """Refuse draws that double precision could not hold."""
    if not are_numbers:
        msg = (
            f"problem: draws of {name} leave double precision; bring columns, target, offset and "
            "scales to sizes nearer to 1"
        )
        raise SamplingFailed(msg)


@judged_afterwards(SamplingFailed)
def _drawn(
    problem: Problem, method: str, settings: Settings, rng: np.random.Generator
) -> tuple[Sampler, str, Draws]:
    """Return the sampler, in words why it was taken, and its draws.

    A closed form may turn out to lose its digits only when it is computed: "auto" goes on then.
    """
    if method != "auto":
        sampler = _asked_for(problem, method)
        return sampler, "asked for", sampler.draw(problem, settings, rng)
    against: list[str] = []
    for sampler, reason in _considered(problem):
        if reason is None:
            try:
                drawn = sampler.draw(problem, settings, rng)
            except NoClosedForm as error:
                against.append(_against(sampler, error))
                continue
            return sampler, "; ".join([f"auto: {sampler.advantage}", *against]), drawn
        against.append(_against(sampler, reason))
    raise InputError(reason_against_sampling(problem) or f"problem: {'; '.join(against)}")


def _asked_for(problem: Problem, method: str) -> Sampler:
    """Return the sampler of this name, or say what speaks against it and which one to take."""
    sampler = next(sampler for sampler in SAMPLERS if sampler.name == method)
    reason = _reason_against(sampler, problem)
    if reason is None:
        return sampler
    other = next((other.name for other, why in _considered(problem) if why is None), None)
    advice = "no other sampler takes it" if other is None else f'use method="{other}"'
    if method == "exact":
        msg = f"{reason}; {advice}"
        raise NoClosedForm(msg)
    msg = f"method: {method!r} does not take this problem ({reason}); {advice}"
    raise InputError(msg)
