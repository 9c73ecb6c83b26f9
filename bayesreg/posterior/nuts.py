"""NUTS by nutpie, on our own log density and gradient: neither PyMC's import nor a compilation.

Absolute values and squares of coefficients of either sign go through whitened coordinates
(`target.py`), every other prior through coordinates in which it is near standard normal
(`transported.py`): heavy tails, bounds and densities that are infinite at 0 are then no trouble.
nutpie's trees and adaptation run in Rust and call a log density in NumPy. Chains run one after the
other: the calls hold the interpreter's lock, and two cores took 1.5 times as long as one. The BLAS
is held to one thread: these matrices are small.

Chosen by measurement (`benchmarks/nuts_routes.py`; seconds from a fresh process, imports and
compilation included, and smallest effective sizes of 4000 draws; one run each on two shared cores,
so the seconds are good to a third or so). PyMC's models have standardised columns::

                         diabetes lasso (442 × 10)   breast-cancer logistic lasso (569 × 30)
    this route             9.1 s   5583 effective      15.9 s   2368 effective
    nutpie on PyMC        19.2 s    767                22.4 s   1880
    pm.sample             15.4 s   1427                21.3 s   1867

Most of what is left of the first is imports: nutpie loads all of ArviZ.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from bayesreg.errors import DegenerateMode, SamplingFailed
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.posterior import interrupts
from bayesreg.posterior.base import Draws, Sampler
from bayesreg.posterior.coordinates import reason_against
from bayesreg.posterior.density import log_joint
from bayesreg.posterior.surrogate import NOWHERE
from bayesreg.posterior.target import Target
from bayesreg.posterior.transported import Transported

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.posterior.base import Settings
    from bayesreg.problem import Problem

# Seconds between looks at the keyboard while waiting.
_PATIENCE = 0.1
# How often a start comes nearer to the centre by half.
_HALVINGS = 30
# The square of a smaller derivative is 0, or next to it.
_LEAST = 1e-100
# Log densities of this size are rounded by a hundredth of a nat.
_HIGHEST = 5e13

# What to do about a sampler that has stopped.
ADVICE = (
    "look for columns or targets of extreme size, give flat coefficients a proper prior, raise "
    "target_accept, ask for fewer draws if memory ran out, or use another method where one fits"
)

# nutpie's name of each statistic, and ArviZ's.
STATS = {
    "diverging": "diverging",
    "energy": "energy",
    "depth": "tree_depth",
    "maxdepth_reached": "reached_max_treedepth",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "mean_tree_accept": "acceptance_rate",
}


class Nuts(Sampler):
    """The no-U-turn sampler, for every prior with a density."""

    name = "nuts"
    advantage = "NUTS draws from any posterior with a density"

    def reason_against(self, problem: Problem) -> str | None:
        """Say why a prior has no gradient to follow; None where it has."""
        return reason_against(problem)

    def draw(self, problem: Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw by NUTS in whitened coordinates."""
        with threadpool_limits(1, user_api="blas"):
            target = density_of(problem)
            tree, complete = run_nutpie(
                _as_nutpie_model(target), settings, rng, cores=1, adaptation=target.adaptation
            )
        keep = longest_block(tree)
        posterior = target.split(_values(tree, "posterior", "draw", keep))
        stats = {
            ours: _values(tree, "sample_stats", theirs, keep) for theirs, ours in STATS.items()
        }
        lp = log_joint(problem, posterior)
        if not (lp > -np.inf).all():
            msg = (
                "nuts: the log density of draws overflows in the units of X, where it did not in "
                "its own; centre the columns of X and bring them to sizes nearer to 1"
            )
            raise SamplingFailed(msg)
        stats = {"lp": lp} | stats
        return Draws(posterior, stats, complete=complete, libraries=("nutpie",))


def density_of(problem: Problem) -> Target | Transported:
    """Choose coordinates: whitened by a Gaussian surrogate, or those of each prior's parts.

    The former is for absolute values and squares of coefficients of either sign: it follows unknown
    sigma and scale. Heavy tails, bounds and densities that are infinite need the latter.
    """
    penalised = problem.given_ones() if problem.unknown else problem
    try:
        penalty = penalised.penalty
    except DegenerateMode:
        return Transported(problem)
    if isinstance(penalty, ElasticNetPenalty) and not penalty.nonnegative.any():
        return Target(problem)
    return Transported(problem)


def _values(
    tree: xr.DataTree, group: str, name: str, keep: tuple[NDArray[np.intp], slice]
) -> NDArray[Any]:
    values = tree[group].to_dataset()[name].to_numpy()
    return values[keep[0], keep[1]]


def _check_height(height: float) -> None:
    """Raise SamplingFailed where the log density at the centre has no digits to move by."""
    if height == -np.inf:
        raise SamplingFailed(NOWHERE)
    if abs(height) > _HIGHEST:
        msg = (
            f"nuts: the log density is {height:.3g} where it should be highest, and differences of "
            "one nat are below the rounding there; look for an offset, a sigma far too small for "
            "what the columns leave of y, or columns of extreme size"
        )
        raise SamplingFailed(msg)


def _as_nutpie_model(target: Target | Transported) -> Any:
    from nutpie.compiled_pyfunc import from_pyfunc  # noqa: PLC0415  (loads ArviZ: 4 s, on use)

    def density(z: Vector) -> tuple[float, Vector]:
        # Far trajectories may overflow; their density is then 0 and nutpie turns back. It calls
        # from threads of its own, which have an error state of their own.
        with np.errstate(all="ignore"):
            value, gradient = target(z)
        if np.isfinite(value) and np.isfinite(gradient).all():
            return value, gradient
        return -np.inf, np.zeros_like(z)

    def sloped(z: Vector) -> tuple[float, Vector]:
        # nutpie ends in a panic where a derivative is 0 while it tunes, as on a plateau.
        value, gradient = density(z)
        return value, np.where(np.abs(gradient) > _LEAST, gradient, _LEAST)

    def nearest(z: Vector) -> Vector | None:
        # The surrogate spreads the starts like the posterior, as R-hat wants them; where that is
        # too far for double precision, they come nearer. nutpie ends in a panic where it cannot
        # begin, and it begins nowhere where a derivative is 0, or its square is.
        for _ in range(_HALVINGS):
            value, gradient = density(z)
            if value > -np.inf and (np.abs(gradient) > _LEAST).all():
                return z
            z = 0.5 * z
        return None

    _check_height(density(np.zeros(target.size))[0])
    tries = (nearest(np.random.default_rng(k).standard_normal(target.size)) for k in range(20))
    found = next((z for z in tries if z is not None), None)
    if found is None:
        msg = (
            "nuts: the log density has no slope along some direction wherever it could begin; "
            "look for columns that are constant to rounding, or of extreme size"
        )
        raise SamplingFailed(msg)
    fallback = found

    def start(seed: int) -> Vector:
        z = nearest(np.random.default_rng(seed).standard_normal(target.size))
        return fallback if z is None else z

    return from_pyfunc(
        target.size,
        lambda: sloped,
        lambda *_seeds: lambda z: {"draw": target.draw(z)},
        [np.dtype(np.float64)],
        [(target.width,)],
        ["draw"],
        make_initial_point_fn=start,
    )


def run_nutpie(
    model: Any,
    settings: Settings,
    rng: np.random.Generator,
    *,
    cores: int | None,
    adaptation: str = "diag",
) -> tuple[xr.DataTree, bool]:
    """Run nutpie on one of its models, and return what it drew and whether that is everything.

    Raises
    ------
    SamplingFailed
        If the sampler stops by itself.
    KeyboardInterrupt
        If it is interrupted before the first draw after tuning.
    """
    import nutpie  # noqa: PLC0415  (loads ArviZ: 4 s, on use)

    background = nutpie.sample(
        model,
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        cores=cores,
        seed=int(rng.integers(2**63)),
        save_warmup=False,
        progress_bar=settings.progress,
        target_accept=settings.target_accept,
        adaptation=adaptation,
        blocking=False,
    )
    interrupts.hold()
    with warnings.catch_warnings():
        # Fewer draws than chains is no mistake here, whatever ArviZ suspects.
        warnings.filterwarnings("ignore", message="Found chain dimension", category=UserWarning)
        try:
            return wait(background), True
        except KeyboardInterrupt:
            tree = background.abort()
            if not tree["posterior"].sizes["draw"]:
                raise
            return tree, False
        except (SystemExit, GeneratorExit):  # of a signal handler: the program is to end
            background.abort()
            raise
        except BaseException as error:
            # A panic in Rust arrives as a BaseException; its first line says what happened. The
            # other chains stop with it, so there is nothing to cancel.
            first = (str(error).splitlines() or [type(error).__name__])[0]
            msg = f"nuts stopped: {first}; {ADVICE}"
            raise SamplingFailed(msg) from error


def wait(background: Any) -> xr.DataTree:
    """Wait for nutpie to finish, waking up often enough for Ctrl-C, which is raised."""
    while not interrupts.was_pressed():
        try:
            tree: xr.DataTree = background.wait(timeout=_PATIENCE)
        except TimeoutError:
            continue
        return tree
    raise KeyboardInterrupt


def longest_block(tree: xr.DataTree) -> tuple[NDArray[np.intp], slice]:
    """Find the chains and the number of first draws that keep most draws of an interrupted run.

    Chains stop at different lengths; an array has one. Draws that are not there have no energy.
    """
    lengths = np.isfinite(tree["sample_stats"].to_dataset()["energy"].to_numpy()).sum(axis=1)
    candidates = np.unique(lengths)
    kept = np.array([length * (lengths >= length).sum() for length in candidates])
    length = int(candidates[int(np.argmax(kept))])
    return np.flatnonzero(lengths >= length), slice(length)
