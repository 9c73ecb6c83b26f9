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
from bayesreg.posterior.diagnostics import RHAT_LIMIT, beside_limit
from bayesreg.priors import SpikeSlab
from bayesreg.terminal import dump, number, plain, save_figure, start_table, untrusted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rich.console import Console
    from xarray import DataTree

    from bayesreg.posterior import PosteriorPath
    from bayesreg.problem import Problem

# As many coefficients, and as many scales, as a reader takes in at once.
_MOST, _ROWS = 60, 12
_PROBABILITY = 0.95


@dataclass(frozen=True)
class Row:
    """The posterior of one number.

    `r_hat` is None where it has no meaning, and `nonzero`, the share of draws that are not exactly
    0, where none can be.
    """

    name: str
    mean: float
    sd: float
    low: float
    high: float
    ess_bulk: float
    r_hat: float | None
    nonzero: float | None = None

    def record(self, interval: str) -> dict[str, Any]:
        """Return the numbers by name, those of the interval by the name of its kind."""
        ends = {"low": f"{interval}_low", "high": f"{interval}_high"}
        numbers = {ends.get(name, name): value for name, value in asdict(self).items()}
        if interval == "hdi":
            del numbers["nonzero"]
        return numbers


def has_atom(draws: DataTree, problem: Problem) -> bool:
    """Tell whether coefficients can be exactly 0: then no density, and no highest one, exists."""
    # Of a prior that differs between columns the draws tell.
    return isinstance(problem.prior, SpikeSlab) or bool((draws["posterior"]["beta"] == 0).any())


def rows(draws: DataTree, *, atom: bool = False) -> list[Row]:
    """Summarise every coefficient, and the intercept, sigma and scale where they are unknown.

    Parameters
    ----------
    draws : DataTree
        Of `sample`.
    atom : bool
        Whether coefficients can be exactly 0.

    Returns
    -------
    list of Row
        With intervals of highest density that hold 95 % of the draws; with an atom, which has no
        density, with equal tails, and for coefficients with the share that is not 0.
    """
    stats = import_module("arviz_stats.base").array_stats
    names, columns = zip(*_columns(draws), strict=True)
    values = np.stack(columns)
    chains, length = values.shape[1:]
    independent = draws.attrs["method"] in ("exact", "laplace")
    flat = values.reshape(len(names), -1)
    tail = (1 - _PROBABILITY) / 2
    ends = (
        np.quantile(flat, [tail, 1 - tail], axis=-1).T
        if atom
        else stats.hdi(flat, _PROBABILITY, axis=-1)
    )
    coefficients = range(len(names))[_first(draws) :][: draws["posterior"].sizes["feature"]]
    with np.errstate(all="ignore"):  # a coefficient that never moves has no effective size
        short = independent or length < 4
        ess = np.full(len(names), float(chains * length)) if short else stats.ess(values)
        rhat = None if short or chains == 1 else stats.rhat(values)
    return [
        Row(
            name=name,
            mean=float(values[k].mean()),
            sd=float(values[k].std(ddof=1)),
            low=float(ends[k, 0]),
            high=float(ends[k, 1]),
            ess_bulk=float(ess[k]),
            r_hat=None if rhat is None else float(rhat[k]),
            nonzero=float((flat[k] != 0).mean()) if atom and k in coefficients else None,
        )
        for k, name in enumerate(names)
    ]


def _first(draws: DataTree) -> int:
    """Return the position of the first coefficient: behind the intercept, if there is one."""
    return int("intercept" in draws["posterior"])


def _columns(draws: DataTree) -> Iterator[tuple[str, Any]]:
    posterior = draws["posterior"].to_dataset()
    for name in ("intercept", "beta", "sigma", "scale"):
        if name in posterior:
            values = posterior[name].transpose("chain", "draw", ...).to_numpy()
            labels = posterior["feature"].to_numpy().tolist() if values.ndim == 3 else [name]
            yield from zip(labels, np.moveaxis(np.atleast_3d(values), 2, 0), strict=True)


def print_draws(draws: DataTree, problem: Problem, out: Console) -> None:
    """Print a summary of draws: who drew and why, a table, whether to trust them."""
    attrs = draws.attrs
    sizes = draws["posterior"].sizes
    say(out, f"\n{attrs['method']} ({attrs['reason']})")
    say(
        out,
        f"{_count(sizes['chain'], 'chain')} of {_count(sizes['draw'], 'draw')} "
        f"{_duration(attrs)}, seed {attrs['seed']}\n",
    )
    atom = has_atom(draws, problem)
    interval, more = ("95 % equal tails", ("P(≠ 0)",)) if atom else ("95 % HDI", ())
    columns = ("number", "mean", "sd", interval, *more, "ess_bulk", "r_hat")
    diagnosis = diagnose(draws)
    table = start_table(f"posterior, on the scale of the data{untrusted(diagnosis)}", columns)
    found, least = rows(draws, atom=atom), diagnosis.ess_limit or 0
    for row in found[:_MOST]:
        table.add_row(
            plain(row.name),
            number(row.mean, 3),
            number(row.sd, 3),
            f"{number(row.low, 3)} … {number(row.high, 3)}",
            *(["—" if row.nonzero is None else _share(row.nonzero)] if atom else []),
            _marked(row.ess_bulk, f"{row.ess_bulk:.0f}", row.ess_bulk < least),
            _marked(row.r_hat, _r_hat(row.r_hat), (row.r_hat or 0.0) > RHAT_LIMIT),
        )
    out.print(table)
    if len(found) > _MOST:
        say(out, f"… and {len(found) - _MOST} more; --json has them all")
    say(out, f"\ndiagnostics: {diagnosis.verdict}")


def _marked(value: float | None, text: str, beyond: bool) -> str:
    """Return a number of the diagnostics, marked where it is beyond its limit."""
    if value is None or np.isnan(value):
        return "—"
    return f"{text} ✗" if beyond else text


def _r_hat(value: float | None) -> str:
    return "" if value is None else beside_limit(value, RHAT_LIMIT, 3)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _duration(attrs: Mapping[Any, Any]) -> str:
    """Say how long sampling took, and compiling before it where it did."""
    compiling = attrs.get("seconds_compiling", 0.0)
    sampling = f"in {_seconds(attrs['seconds'] - compiling)}"
    return f"{sampling} (and {_seconds(compiling)} to compile)" if compiling else sampling


def _seconds(value: float) -> str:
    """Write seconds with two digits, or whole.

    Examples
    --------
    >>> _seconds(0.123), _seconds(139.7)
    ('0.12 s', '140 s')
    """
    return f"{value:.2g} s" if value < 100 else f"{value:.0f} s"


def _share(value: float) -> str:
    """Write a share of draws: 0 and 1 only if it is all of them.

    Examples
    --------
    >>> _share(1.0), _share(0.9996), _share(0.503), _share(0.0)
    ('1', '>0.999', '0.503', '0')
    """
    if value in (0.0, 1.0):
        return f"{value:.0f}"
    return f"{value:.3f}" if 0.0005 <= value < 0.9995 else ("<0.001" if value < 0.5 else ">0.999")


def draws_as_json(draws: DataTree, problem: Problem) -> str:
    """Return what `print_draws` prints as JSON text; what is not finite becomes null."""
    atom = has_atom(draws, problem)
    interval = "eti" if atom else "hdi"
    return dump(
        {
            "posterior": [row.record(interval) for row in rows(draws, atom=atom)],
            f"{interval}_prob": _PROBABILITY,
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
