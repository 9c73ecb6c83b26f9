"""What the command line prints and writes of draws, and of a posterior along scales."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._console import say
from bayesreg._files import write_whole
from bayesreg.nearness import count_near
from bayesreg.posterior import diagnose
from bayesreg.terminal import dump, number, plain, save_figure, start_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console
    from xarray import DataTree

    from bayesreg.posterior import PosteriorPath

# As many coefficients, and as many scales, as a reader takes in at once.
_MOST, _ROWS = 60, 12
_PROBABILITY = 0.95


@dataclass(frozen=True)
class Row:
    """The posterior of one number; `r_hat` is None where it has no meaning."""

    name: str
    mean: float
    sd: float
    hdi_low: float
    hdi_high: float
    ess_bulk: float
    r_hat: float | None


def rows(draws: DataTree) -> list[Row]:
    """Summarise every coefficient, and the intercept, sigma and scale where they are unknown.

    Parameters
    ----------
    draws : DataTree
        Of `sample`.

    Returns
    -------
    list of Row
        With intervals of highest density that hold 95 % of the draws.
    """
    stats = import_module("arviz_stats.base").array_stats
    names, columns = zip(*_columns(draws), strict=True)
    values = np.stack(columns)
    chains, length = values.shape[1:]
    independent = draws.attrs["method"] in ("exact", "laplace")
    hdi = stats.hdi(values.reshape(len(names), -1), _PROBABILITY, axis=-1)
    with np.errstate(all="ignore"):  # a coefficient that never moves has no effective size
        short = independent or length < 4
        ess = np.full(len(names), float(chains * length)) if short else stats.ess(values)
        rhat = None if short or chains == 1 else stats.rhat(values)
    return [
        Row(
            name=name,
            mean=float(values[k].mean()),
            sd=float(values[k].std(ddof=1)),
            hdi_low=float(hdi[k, 0]),
            hdi_high=float(hdi[k, 1]),
            ess_bulk=float(ess[k]),
            r_hat=None if rhat is None else float(rhat[k]),
        )
        for k, name in enumerate(names)
    ]


def _columns(draws: DataTree) -> Iterator[tuple[str, Any]]:
    posterior = draws["posterior"].to_dataset()
    for name in ("intercept", "beta", "sigma", "scale"):
        if name in posterior:
            values = posterior[name].transpose("chain", "draw", ...).to_numpy()
            labels = posterior["feature"].to_numpy().tolist() if values.ndim == 3 else [name]
            yield from zip(labels, np.moveaxis(np.atleast_3d(values), 2, 0), strict=True)


def print_draws(draws: DataTree, out: Console) -> None:
    """Print a summary of draws: who drew and why, a table, whether to trust them."""
    attrs = draws.attrs
    sizes = draws["posterior"].sizes
    say(out, f"\n{attrs['method']} ({attrs['reason']})")
    say(
        out,
        f"{_count(sizes['chain'], 'chain')} of {_count(sizes['draw'], 'draw')} "
        f"in {attrs['seconds']:.2g} s, "
        f"seed {attrs['seed']}\n",
    )
    columns = ("number", "mean", "sd", "95 % HDI", "ess_bulk", "r_hat")
    table = start_table("posterior, on the scale of the data", columns)
    found = rows(draws)
    for row in found[:_MOST]:
        table.add_row(
            plain(row.name),
            number(row.mean, 3),
            number(row.sd, 3),
            f"{number(row.hdi_low, 3)} … {number(row.hdi_high, 3)}",
            "—" if np.isnan(row.ess_bulk) else f"{row.ess_bulk:.0f}",
            "—" if row.r_hat is None or np.isnan(row.r_hat) else f"{row.r_hat:.3f}",
        )
    out.print(table)
    if len(found) > _MOST:
        say(out, f"… and {len(found) - _MOST} more; --json has them all")
    say(out, f"\ndiagnostics: {diagnose(draws).verdict}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def draws_as_json(draws: DataTree) -> str:
    """Return what `print_draws` prints as JSON text; what is not finite becomes null."""
    return dump(
        {
            "posterior": [asdict(row) for row in rows(draws)],
            "hdi_prob": _PROBABILITY,
            "diagnostics": asdict(diagnose(draws)),
            "provenance": dict(draws.attrs),
        }
    )


# --------------------------------------------------------------------------- along scales


def print_posterior_path(path: PosteriorPath, out: Console) -> None:
    """Print a posterior path: how it was found, and a handful of scales."""
    say(out, f"\n{path}\n")
    lam = ("λ",) if path.has_lam else ()
    columns = (path.what[0], *lam, "expected near zero", "effective draws", "k̂", "method")
    table = start_table("the posterior along the scale of the prior", columns)
    order = np.argsort(path.scales)
    shown = order[np.unique(np.linspace(0, order.size - 1, _ROWS).round().astype(int))]
    for k in shown.tolist():
        table.add_row(
            number(float(path.scales[k])),
            *([number(float(path.lam[k]))] if lam else []),
            f"{np.nansum(path.near_zero[k]):.1f} of {count_near(path.near_zero[k])[1]}",
            number(float(path.ess[k])),
            number(float(path.khat[k]), 2),
            path.method[k],
        )
    out.print(table)


def posterior_path_as_json(path: PosteriorPath) -> str:
    """Return a posterior path as JSON text; what is not finite becomes null."""
    return dump(
        {
            "problem": str(path.problem),
            "hdi_prob": path.hdi_prob,
            "epsilon": path.epsilon.tolist(),
            "epsilon_rule": path.epsilon_rule,
            "complete": path.complete,
            "seconds": path.seconds,
            "seed": path.seed,
            "path": path.to_frame().to_dict(orient="records"),
        }
    )


def save_posterior_path(path: PosteriorPath, file: Path) -> None:
    """Write a figure, a table or JSON, as the file's name says.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    kind = file.suffix.lower()
    if kind == ".json":
        write_whole(file, posterior_path_as_json(path).encode(), "output")
    elif kind == ".csv":
        write_whole(file, path.to_frame().to_csv(index=False).encode(), "output")
    else:
        save_figure(path.plot(), file)
