"""sample: choose a sampler, run it, and say in the result what was done."""

from __future__ import annotations

import sys
import time
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._validation import as_count, as_fraction, as_generator
from bayesreg.errors import InputError, NoClosedForm, SamplingWarning, unknown_name
from bayesreg.posterior.base import Settings
from bayesreg.posterior.density import log_joint, require_known_prior
from bayesreg.posterior.exact import Exact
from bayesreg.posterior.model import read, sample_model
from bayesreg.posterior.nuts import Nuts
from bayesreg.posterior.unknowns import require_proper_unknowns

if TYPE_CHECKING:
    import xarray as xr

    from bayesreg.posterior.base import Sampler
    from bayesreg.problem import Problem

# Eight gigabytes of draws.
_MOST_NUMBERS = 1_000_000_000

#: Every sampler, best first: "auto" takes the first that nothing speaks against.
SAMPLERS: tuple[Sampler, ...] = (Exact(), Nuts())


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
    target_accept: float = 0.8,
) -> xr.DataTree:
    """Draw from a posterior.

    Parameters
    ----------
    problem_or_model : Problem or pm.Model
        The posterior. A model that is one of our problems is read as such; any other is sampled
        as it stands, under its own variable names.
    method : {"auto", "exact", "nuts"}
        "exact" draws independently from a closed form; "nuts" needs none; "auto" takes the first
        that fits and records why.
    draws, chains : int
        Draws per chain, and chains.
    tune : int
        Tuning steps per chain, which are not kept.
    seed : int, SeedSequence, Generator or None
        The same seed gives the same draws. None takes one from the system and records it.
    progress : bool, optional
        Whether to show progress; by default only where stderr is a terminal.
    log_likelihood : bool
        Whether to add the log density of each row at each draw.
    target_accept : float
        Acceptance rate that NUTS tunes its step size for; raise it if transitions diverge.

    Returns
    -------
    xarray.DataTree
        ``posterior`` with ``beta`` (chain, draw, feature) and, where they exist, ``intercept``,
        ``sigma`` and ``scale``, on the user's scale; ``sample_stats`` with ``lp``, which is
        ``-problem.objective(...)`` at the draw; ``observed_data``; and ``attrs`` that say how it
        was made. ``attrs["complete"]`` is 0 if Ctrl-C cut it short.

    Raises
    ------
    InputError
        If an argument does not fit, or no sampler takes the prior; the message names it.
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
        tune=as_count(tune, "tune"),
        target_accept=as_fraction(target_accept, "target_accept"),
        progress=_as_progress(progress),
    )
    if not isinstance(log_likelihood, bool | np.bool_):
        msg = f"log_likelihood: must be True or False, found {log_likelihood!r}"
        raise InputError(msg)
    rng, record = _seed(seed)
    _check_method(method)
    problem, unreadable = read(problem_or_model)
    record |= {"created": datetime.now(UTC).isoformat(timespec="seconds")}
    if problem is None:
        return _sample_unread(problem_or_model, unreadable, method, settings, rng, record)
    require_known_prior(problem)
    problem = problem.dense("sampling")
    problem.require_proper()
    require_proper_unknowns(problem)
    _check_memory(settings, problem.p + len(problem.unknown) + 1)
    sampler, reason = _choose(problem, method)
    start = time.perf_counter()
    drawn = sampler.draw(problem, settings, rng)
    from bayesreg.posterior import layout  # noqa: PLC0415  (loads xarray: 2 s, on use)

    stats = drawn.stats or {"lp": log_joint(problem, dict(drawn.posterior))}
    return _finish(
        layout.as_tree(
            problem, drawn.with_stats(stats), record, with_log_likelihood=bool(log_likelihood)
        ),
        method=sampler.name,
        reason=reason,
        seconds=time.perf_counter() - start,
        complete=drawn.complete,
        libraries=drawn.libraries,
        text=str(problem),
    )


def _sample_unread(
    model: object,
    unreadable: str,
    method: str,
    settings: Settings,
    rng: np.random.Generator,
    record: dict[str, Any],
) -> xr.DataTree:
    """Sample a PyMC model that is not one of our problems."""
    if method == "exact":
        msg = f'the model is not a problem with a closed form ({unreadable}); use method="nuts"'
        raise NoClosedForm(msg)
    start = time.perf_counter()
    tree, complete, library = sample_model(model, settings, rng)
    tree.attrs = record
    return _finish(
        tree,
        method="nuts",
        reason=f"the model is sampled as it stands, because it is not a Problem: {unreadable}",
        seconds=time.perf_counter() - start,
        complete=complete,
        libraries=("pymc", *({library} - {"pymc"})),
        text=str(model),
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
    from bayesreg.posterior import layout  # noqa: PLC0415  (loads xarray: 2 s, on use)

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


def _check_memory(settings: Settings, width: int) -> None:
    """Refuse draws that would fill the memory, rather than fail after hours of sampling."""
    numbers = settings.draws * settings.chains * width
    if numbers > _MOST_NUMBERS:
        msg = (
            f"draws: {settings.chains} chains of {settings.draws} draws of {width} numbers need "
            f"{8e-9 * numbers:.3g} GB; ask for fewer"
        )
        raise InputError(msg)


def _as_progress(progress: object) -> bool:
    if progress is None:
        return sys.stderr is not None and sys.stderr.isatty()
    if not isinstance(progress, bool | np.bool_):
        msg = f"progress: must be True, False or None, found {progress!r}"
        raise InputError(msg)
    return bool(progress)


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
    if method == "gibbs":
        msg = f"method: 'gibbs' is not there yet; valid: {', '.join(names)}"
        raise InputError(msg)
    if method not in names:
        raise unknown_name("method", method, names)


def _choose(problem: Problem, method: str) -> tuple[Sampler, str]:
    """Return the sampler and, in words, why it was taken."""
    against: list[str] = []
    for sampler in SAMPLERS:
        if method not in ("auto", sampler.name):
            continue
        reason = sampler.reason_against(problem)
        if reason is None:
            why = f"auto: {sampler.advantage}" if method == "auto" else "asked for"
            return sampler, "; ".join([why, *against])
        against.append(f"not {sampler.name}: {reason}")
    msg = f'{against[0].removeprefix("not exact: ")}; use method="nuts"'
    raise NoClosedForm(msg)
