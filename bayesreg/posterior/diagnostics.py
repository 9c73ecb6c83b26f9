"""diagnose: whether draws can be trusted, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import xarray as xr

# Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021): R-hat below 1.01, and 100 effective draws
# per chain before R-hat and the effective size can be trusted. Betancourt (2016): BFMI 0.3.
RHAT_LIMIT = 1.01
ESS_PER_CHAIN = 100
BFMI_LIMIT = 0.3


@dataclass(frozen=True)
class Diagnosis:
    """Whether draws can be trusted.

    Attributes
    ----------
    ok : bool
        Whether nothing was found; never true for one chain of a Markov chain sampler.
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
        The variable with the largest R-hat, or with the smallest bulk size where there is no R-hat.
    """

    ok: bool
    verdict: str
    rhat_max: float | None
    ess_bulk_min: float | None
    ess_tail_min: float | None
    divergences: int
    bfmi_min: float | None
    worst: str | None


def diagnose(draws: xr.DataTree) -> Diagnosis:
    """Judge draws by R-hat, effective sample size, divergences and energy.

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
    'good: independent draws from the closed form, 4000 of them'
    """
    groups = getattr(draws, "children", {})
    if "posterior" not in groups or not {"chain", "draw"} <= set(draws["posterior"].dims):
        msg = "draws: must be a DataTree whose posterior group has chains and draws"
        raise InputError(msg)
    posterior = draws["posterior"].to_dataset()
    chains, length = posterior.sizes["chain"], posterior.sizes["draw"]
    if draws.attrs.get("method") == "exact":
        total = chains * length
        return Diagnosis(
            ok=True,
            verdict=f"good: independent draws from the closed form, {total} of them",
            rhat_max=None,
            ess_bulk_min=float(total),
            ess_tail_min=float(total),
            divergences=0,
            bfmi_min=None,
            worst=None,
        )
    stats = draws["sample_stats"].to_dataset() if "sample_stats" in groups else {}
    measured = _measure(posterior, stats)
    faults = list(_faults(measured, chains, complete=bool(draws.attrs.get("complete", True))))
    return replace(measured, ok=not faults, verdict=_words(measured, faults))


def _measure(posterior: xr.Dataset, stats: Mapping[Any, xr.DataArray]) -> Diagnosis:
    """Measure everything; the judgement is left open."""
    rhat = bulk = tail = bfmi = worst = None
    if posterior.sizes["draw"] >= 4:
        # Chains that never move divide by zero: an infinite R-hat, or NaN, which `_faults` reports.
        with np.errstate(all="ignore"):
            rhat, bulk, tail, worst = _worst_of(posterior)
            if "energy" in stats:
                energy = stats["energy"].transpose("chain", "draw").to_numpy()
                bfmi = float(np.min(_array_stats().bfmi(energy)))
    return Diagnosis(
        ok=False,
        verdict="",
        rhat_max=rhat,
        ess_bulk_min=bulk,
        ess_tail_min=tail,
        divergences=int(stats["diverging"].sum()) if "diverging" in stats else 0,
        bfmi_min=bfmi,
        worst=worst,
    )


def _words(found: Diagnosis, faults: list[str]) -> str:
    if faults:
        return "not good: " + "; ".join(faults)
    effective = min(found.ess_bulk_min or 0.0, found.ess_tail_min or 0.0)
    return (
        f"good: R-hat at most {found.rhat_max:.3f}, at least {effective:.0f} effective draws, "
        "no divergences"
    )


def _faults(found: Diagnosis, chains: int, *, complete: bool) -> Iterator[str]:
    """Say what is wrong and what to do."""
    if not complete:
        yield "sampling was interrupted; run it again to the end"
    if chains == 1:
        yield "R-hat is not available from one chain; draw at least 2, better 4"
    if found.ess_bulk_min is None or found.ess_tail_min is None:
        yield "fewer than 4 draws per chain, or draws that never move, say nothing; draw more"
        return
    rhat, effective = found.rhat_max, min(found.ess_bulk_min, found.ess_tail_min)
    if rhat is not None and not rhat <= RHAT_LIMIT:  # so written, NaN is a fault too
        yield (
            f"R-hat is {rhat:.3f} for {found.worst} (limit {RHAT_LIMIT}): chains disagree; "
            "raise tune and draws"
        )
    if not effective >= ESS_PER_CHAIN * chains:
        yield f"only {effective:.0f} effective draws (want {ESS_PER_CHAIN * chains}); raise draws"
    if found.divergences:
        yield (
            f"{found.divergences} divergences: a region may be missed; "
            "raise target_accept towards 0.99"
        )
    if found.bfmi_min is not None and not found.bfmi_min >= BFMI_LIMIT:
        yield (
            f"BFMI is {found.bfmi_min:.2f} (limit {BFMI_LIMIT}): energy moves slowly, as with "
            "heavy tails; raise draws or tighten the prior of the scale"
        )


def _array_stats() -> Any:
    """Import the array functions of ArviZ on use: with scipy.stats, 2 s over xarray."""
    return import_module("arviz_stats.base").array_stats


def _worst_of(
    posterior: xr.Dataset,
) -> tuple[float | None, float | None, float | None, str | None]:
    """Return the largest R-hat, the smallest effective sizes, and the worst variable's name."""
    names, columns = [], []
    for name, variable in posterior.data_vars.items():
        values = variable.transpose("chain", "draw", ...)
        array = values.to_numpy().astype(float)
        for index in np.ndindex(array.shape[2:]):
            column = array[(..., *index)]
            # What never changes, such as a deterministic constant, has no diagnostics.
            if not (column == column[0, 0]).all():
                columns.append(column)
                names.append(_label(str(name), values, index))
    if not columns:
        return None, None, None, None
    draws, stats = np.stack(columns), _array_stats()
    bulk = np.atleast_1d(stats.ess(draws, method="bulk"))
    tail = np.atleast_1d(stats.ess(draws, method="tail", prob=(0.05, 0.95)))
    sizes = float(bulk.min()), float(tail.min())
    if draws.shape[1] == 1:
        return None, *sizes, names[int(np.argmin(bulk))]
    rhat = np.atleast_1d(stats.rhat(draws))
    # A NaN is worse than any number.
    worst = int(np.argmax(np.where(np.isnan(rhat), np.inf, rhat)))
    return float(rhat[worst]), *sizes, names[worst]


def _label(name: str, variable: xr.DataArray, index: tuple[int, ...]) -> str:
    if not index:
        return name
    labels = [
        str(variable.coords[dim].values[i]) if dim in variable.coords else str(i)
        for dim, i in zip(variable.dims[2:], index, strict=True)
    ]
    return f"{name}[{', '.join(labels)}]"
