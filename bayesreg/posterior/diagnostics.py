"""diagnose: whether draws can be trusted, in numbers and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._text_table import as_table
from bayesreg._visible import visible
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import xarray as xr
    from numpy.typing import NDArray

    type _Named = tuple[str, NDArray[np.float64]]

# Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021): R-hat below 1.01, and 100 effective draws
# per chain before R-hat and the effective size can be trusted. Betancourt (2016): BFMI 0.3.
RHAT_LIMIT = 1.01
ESS_PER_CHAIN = 100
BFMI_LIMIT = 0.3
# Effective sizes vary between runs, so twice the draws are advised that would just do.
_ROOM = 2.0
# Chains that agree and are merely short have an R-hat of about √(1 + split chains / effective
# draws) (Vats & Knudson 2021): beyond this they are worth fewer than 20 draws each, or disagree.
_RHAT_OF_SHORT_CHAINS = 1.05


@dataclass(frozen=True)
class Diagnosis:
    """Whether draws can be trusted.

    Attributes
    ----------
    ok : bool
        Whether nothing was found; never true for one chain of a Markov chain sampler, nor for draws
        from an approximation.
    verdict : str
        What was found and what to do about it.
    rhat_max : float or None
        Largest rank-normalised split R-hat; None with one chain, fewer than four draws, or
        independent draws.
    ess_bulk_min, ess_tail_min : float or None
        Smallest effective sample sizes; the number of draws where they are independent; None with
        fewer than four draws per chain.
    divergences : int
        Number of divergent transitions.
    bfmi_min : float or None
        Smallest Bayesian fraction of missing information over the chains; None without energies.
    worst : str or None
        The variable with the largest R-hat, or with the smallest bulk size where there is no R-hat;
        of a problem read from a PyMC model with the model's own name, ``scale (your 'tau')``.
    mcse_max : float or None
        Largest Monte Carlo standard error of a posterior mean, in units of the posterior sd.
    unmoved : int
        Number of quantities that are the same in every draw, such as a coefficient that spike and
        slab never includes; nothing above is about them.
    ess_limit : int or None
        Effective draws of all chains together that are asked for; None where draws are independent.
    """

    ok: bool
    verdict: str
    rhat_max: float | None
    ess_bulk_min: float | None
    ess_tail_min: float | None
    divergences: int
    bfmi_min: float | None
    worst: str | None
    mcse_max: float | None = None
    unmoved: int = 0
    ess_limit: int | None = None

    def __str__(self) -> str:
        """Return the verdict, and under it the numbers that there are, each with its limit."""
        moves = self.divergences or self.rhat_max is not None
        effective = "" if self.ess_limit is None else f"at least {self.ess_limit}"
        bulk_at = self.worst if self.rhat_max is None else None
        measures = (
            (
                "R-hat, largest",
                _beside(self.rhat_max, RHAT_LIMIT, 3),
                f"at most {RHAT_LIMIT}",
                self.worst,
            ),
            ("effective draws, bulk", _whole(self.ess_bulk_min), effective, bulk_at),
            ("effective draws, tails", _whole(self.ess_tail_min), effective, None),
            ("Monte Carlo error / sd", _digits(self.mcse_max, 4), None, None),
            ("divergences", str(self.divergences) if moves else None, "0", None),
            (
                "BFMI, smallest",
                _beside(self.bfmi_min, BFMI_LIMIT, 2),
                f"at least {BFMI_LIMIT}",
                None,
            ),
        )
        there = [row for row in measures if row[1] is not None]
        columns: dict[str, list[str | None]] = {
            heading: [row[k] for row in there]
            for k, heading in enumerate(("found", "limit", "where"), start=1)
            if heading == "found" or any(row[k] for row in there)
        }
        table = as_table([row[0] for row in there], columns, most=len(there))
        return "\n".join([self.verdict, *table])


def _digits(value: float | None, after: int) -> str | None:
    return None if value is None else f"{value:.{after}f}"


def _whole(value: float | None) -> str | None:
    """Round down: 399.9 effective draws are not 400."""
    return _digits(value if value is None or not math.isfinite(value) else math.floor(value), 0)


def _beside(value: float | None, limit: float, after: int) -> str | None:
    return None if value is None else beside_limit(value, limit, after)


def beside_limit(value: float, limit: float, after: int) -> str:
    """Write a number with so many digits after the point, or more until it is on its side.

    Examples
    --------
    >>> beside_limit(1.0203, 1.01, 3), beside_limit(1.0102, 1.01, 3), beside_limit(0.29998, 0.3, 2)
    ('1.020', '1.0102', '0.29998')
    """
    for digits in range(after, 17):
        text = f"{value:.{digits}f}"
        if (float(text) > limit) == (value > limit) and (float(text) < limit) == (value < limit):
            return text
    return repr(value)


def diagnose(draws: xr.DataTree) -> Diagnosis:
    """Judge draws by R-hat, effective sample size, Monte Carlo error, divergences and energy.

    Parameters
    ----------
    draws : xarray.DataTree
        With a ``posterior`` group, as `sample` returns it; other samplers' output will do.

    Returns
    -------
    Diagnosis
        `Diagnosis.verdict` says what is wrong and what to do.

    Raises
    ------
    InputError
        If there is no ``posterior`` group with chains and draws.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem, sample
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], intercept=False,
    ...                   likelihood=Gaussian(sigma=1.0), prior=Normal(scale=1.0))
    >>> diagnose(sample(problem, seed=1)).verdict
    'good: 4000 independent draws, Monte Carlo error 1.6 % of a posterior sd'
    """
    groups = getattr(draws, "children", {})
    if "posterior" not in groups or not {"chain", "draw"} <= set(draws["posterior"].dims):
        msg = "draws: must be a DataTree whose posterior group has chains and draws"
        raise InputError(msg)
    posterior = draws["posterior"].to_dataset()
    _require_numbers(posterior)
    chains, length = posterior.sizes["chain"], posterior.sizes["draw"]
    if draws.attrs.get("method") in ("exact", "laplace"):
        return _of_independent(
            chains * length,
            approximate=draws.attrs["method"] == "laplace",
            complete=bool(draws.attrs.get("complete", True)),
        )
    stats = draws["sample_stats"].to_dataset() if "sample_stats" in groups else {}
    measured = _measure(posterior, stats, _own_names(str(draws.attrs.get("variables", ""))))
    complete = bool(draws.attrs.get("complete", True))
    faults = list(_faults(measured, chains, length, complete=complete))
    words = _words(measured, faults, can_diverge="diverging" in stats)
    return replace(measured, ok=not faults, verdict=words)


def _require_numbers(posterior: xr.Dataset) -> None:
    """Raise InputError unless there are draws, and all of them are real numbers or truth values."""
    for name in ("chain", "draw"):
        if not posterior.sizes[name]:
            msg = f"draws: the posterior group has no {name}; draw some first"
            raise InputError(msg)
    for key, variable in posterior.data_vars.items():
        if variable.dtype.kind not in "biuf":
            msg = (
                f"draws: {key} holds {variable.dtype}, not real numbers; "
                "take it out of the posterior group"
            )
            raise InputError(msg)


def _of_independent(total: int, *, approximate: bool, complete: bool) -> Diagnosis:
    """Judge draws that were made independently: there is nothing to estimate."""
    error = 1 / np.sqrt(total)
    count = f"{total} independent draws, Monte Carlo error {100 * error:.2g} % of a posterior sd"
    faults = list(_interruption(complete=complete))
    if approximate:
        faults.append(
            "drawn from the normal approximation at the mode, not from the posterior; compare with "
            'method="auto"'
        )
    return Diagnosis(
        ok=not faults,
        verdict=f"not good: {'; '.join(faults)}" if faults else f"good: {count}",
        rhat_max=None,
        ess_bulk_min=float(total),
        ess_tail_min=float(total),
        divergences=0,
        bfmi_min=None,
        worst=None,
        mcse_max=float(error),
    )


def _own_names(parts: str) -> dict[str, str]:
    """Return how a PyMC model calls its intercept, sigma and scale, as the attributes record it.

    Examples
    --------
    >>> _own_names("tau is scale; effects, start are beta; v is sigma²")
    {'scale': 'tau'}
    """
    told = (part.rpartition(" is ") for part in parts.split("; "))
    return {role: own for own, _, role in told if role in ("intercept", "sigma", "scale")}


def _measure(
    posterior: xr.Dataset, stats: Mapping[Any, xr.DataArray], own: Mapping[str, str]
) -> Diagnosis:
    """Measure everything; the judgement is left open."""
    bfmi = None
    moving, unmoved = _columns(posterior, own)
    found = _Worst()
    if posterior.sizes["draw"] >= 4:
        # Chains that never move divide by zero: an infinite R-hat, or NaN, which `_faults` reports.
        with np.errstate(all="ignore"):
            found = _worst_of(moving)
            if "energy" in stats:
                energy = stats["energy"].transpose("chain", "draw").to_numpy()
                bfmi = float(np.min(_array_stats().bfmi(energy)))
    return Diagnosis(
        ok=False,
        verdict="",
        rhat_max=found.rhat,
        ess_bulk_min=found.bulk,
        ess_tail_min=found.tail,
        divergences=int(stats["diverging"].sum()) if "diverging" in stats else 0,
        bfmi_min=bfmi,
        worst=found.name,
        mcse_max=found.mcse,
        unmoved=unmoved,
        ess_limit=ESS_PER_CHAIN * posterior.sizes["chain"],
    )


def _words(found: Diagnosis, faults: list[str], *, can_diverge: bool) -> str:
    if faults:
        return "not good: " + "; ".join(faults)
    effective = min(found.ess_bulk_min or 0.0, found.ess_tail_min or 0.0)
    parts = [
        f"R-hat at most {found.rhat_max:.3f}",
        f"at least {_whole(effective)} effective draws",
        f"Monte Carlo error at most {100 * (found.mcse_max or 0.0):.2g} % of a posterior sd",
    ]
    if can_diverge:
        parts.append("no divergences")
    if found.unmoved:
        many = found.unmoved > 1
        parts.append(
            f"but for {found.unmoved} quantit{'ies' if many else 'y'} that "
            f"{'are' if many else 'is'} the same in every draw"
        )
    return "good: " + ", ".join(parts)


def _interruption(*, complete: bool) -> Iterator[str]:
    if not complete:
        yield "sampling was interrupted; run it again to the end"


def _faults(found: Diagnosis, chains: int, length: int, *, complete: bool) -> Iterator[str]:
    """Say what is wrong with so many chains of so many draws, and what to do."""
    yield from _interruption(complete=complete)
    if chains == 1:
        yield "R-hat is not available from one chain; draw at least 2, better 4"
    if found.ess_bulk_min is None or found.ess_tail_min is None:
        yield "fewer than 4 draws per chain, or draws that never move, say nothing; draw more"
        return
    rhat, effective = found.rhat_max, min(found.ess_bulk_min, found.ess_tail_min)
    worst = visible(found.worst or "")
    if math.isnan(effective) or (rhat is not None and math.isnan(rhat)):
        yield f"{worst} cannot be judged: its draws are not all finite, or stand still"
    elif rhat is not None and rhat > RHAT_LIMIT:
        yield (
            f"R-hat is {beside_limit(rhat, RHAT_LIMIT, 3)} for {worst} (limit {RHAT_LIMIT}): "
            "chains disagree; raise tune and draws"
        )
    wanted = found.ess_limit
    if wanted is not None and effective < wanted:
        advice = "raise draws"
        short = rhat is not None and rhat <= _RHAT_OF_SHORT_CHAINS and not found.divergences
        if short and complete:
            advice += f" to {draws_needed(length, effective, wanted)} per chain"
        yield f"only {math.floor(effective)} effective draws (want {wanted}); {advice}"
    if found.divergences:
        yield (
            f"{found.divergences} divergences: a region may be missed; "
            "raise target_accept towards 0.99"
        )
    if found.bfmi_min is not None and not found.bfmi_min >= BFMI_LIMIT:
        yield (
            f"BFMI is {beside_limit(found.bfmi_min, BFMI_LIMIT, 2)} (limit {BFMI_LIMIT}): energy "
            "moves slowly, as with heavy tails; raise draws or tighten the prior of the scale"
        )


def draws_needed(length: int, effective: float, wanted: int) -> int:
    """Return how many draws per chain would be enough, with room, in two digits.

    Effective sizes grow in proportion once chains agree; before that nothing tells how many.

    Parameters
    ----------
    length : int
        Draws per chain.
    effective : float
        How many of all chains they are worth.
    wanted : int
        How many they should be worth.

    Examples
    --------
    >>> draws_needed(1000, 187.3, 400), draws_needed(10, 30.0, 400)
    (4300, 270)
    """
    needed = _ROOM * length * wanted / effective
    digit: int = 10 ** max(math.floor(math.log10(needed)) - 1, 0)
    return math.ceil(needed / digit) * digit


def _array_stats() -> Any:
    """Import the array functions of ArviZ on use: with scipy.stats, 2 s over xarray."""
    return import_module("arviz_stats.base").array_stats


@dataclass(frozen=True)
class _Worst:
    """The worst of all quantities that move: R-hat, effective sizes, Monte Carlo error, a name."""

    rhat: float | None = None
    bulk: float | None = None
    tail: float | None = None
    mcse: float | None = None
    name: str | None = None


def _columns(posterior: xr.Dataset, own: Mapping[str, str]) -> tuple[list[_Named], int]:
    """Return the quantities that move, each (chain, draw), with names; and how many do not."""
    moving: list[_Named] = []
    unmoved = 0
    for key, variable in posterior.data_vars.items():
        name = str(key)
        # Where the model calls something else so, its part of the problem is `problem_...`.
        part = "" if f"problem_{name}" in posterior else name.removeprefix("problem_")
        if part in own:
            name = f"{name} (your {own[part]!r})"
        values = variable.transpose("chain", "draw", ...)
        array = values.to_numpy().astype(float)
        for index in np.ndindex(array.shape[2:]):
            column = array[(..., *index)]
            if (column == column[0, 0]).all():
                unmoved += 1
            else:
                moving.append((_label(name, values, index), column))
    return moving, unmoved


def _worst_of(moving: list[_Named]) -> _Worst:
    if not moving:
        return _Worst()
    names, draws = [name for name, _ in moving], np.stack([column for _, column in moving])
    stats = _array_stats()
    bulk = np.atleast_1d(stats.ess(draws, method="bulk"))
    tail = np.atleast_1d(stats.ess(draws, method="tail", prob=(0.05, 0.95)))
    error = 1 / np.sqrt(np.atleast_1d(stats.ess(draws, method="mean")))
    sizes = {"bulk": float(bulk.min()), "tail": float(tail.min()), "mcse": float(error.max())}
    if draws.shape[1] == 1:
        return _Worst(**sizes, name=names[int(np.argmin(bulk))])
    rhat = np.atleast_1d(stats.rhat(draws))
    # A NaN is worse than any number.
    worst = int(np.argmax(np.where(np.isnan(rhat), np.inf, rhat)))
    return _Worst(**sizes, rhat=float(rhat[worst]), name=names[worst])


def _label(name: str, variable: xr.DataArray, index: tuple[int, ...]) -> str:
    if not index:
        return name
    labels = [
        str(variable.coords[dim].values[i]) if dim in variable.coords else str(i)
        for dim, i in zip(variable.dims[2:], index, strict=True)
    ]
    return f"{name}[{', '.join(labels)}]"
