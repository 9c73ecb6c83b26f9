"""How to make a report again: command, call, seed, versions."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import bayesreg
from bayesreg.report.sections import share_near_zero
from bayesreg.report.text import brief, number
from bayesreg.scoring import EXACT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.comparison import Comparison

# Shown elsewhere on the page, or in words of their own.
_SAID = {"problem", "complete"}


@dataclass(frozen=True)
class Reproduction:
    """What makes the same page again.

    Attributes
    ----------
    command : str or None
        The command line, where there was one.
    call : str
        The call in Python, once the problem is there.
    versions : str
        Of everything that computed.
    facts : tuple of (str, str)
        What the draws say of their making.
    """

    command: str | None
    call: str
    versions: str
    facts: tuple[tuple[str, str], ...]


def reproduction(comparison: Comparison, command: str | None) -> Reproduction:
    """Gather what makes a comparison again.

    Parameters
    ----------
    comparison : Comparison
        Of `compare`.
    command : str, optional
        The command line that made it.

    Returns
    -------
    Reproduction
        As the page shows it.
    """
    attrs = {} if comparison.sampled is None else comparison.draws.attrs
    known = {str(name): _text(value) for name, value in attrs.items()}
    facts = [
        (name, value)
        for name, value in sorted(known.items())
        if name not in _SAID and not name.endswith("_version")
    ]
    if not attrs.get("complete", True):
        facts.append(("complete", "no: sampling was interrupted"))
    return Reproduction(command, _call(comparison, known), _versions(known), tuple(facts))


def _call(comparison: Comparison, known: Mapping[str, str]) -> str:
    """Write the call of `compare`, with the optimisers that were run."""
    silent = (EXACT, "posterior mean", "posterior median")
    names = [s.name for s in comparison.scores if s.name not in silent]
    arguments = ["problem", repr([*names, *comparison.failures])]
    if comparison.sampled is not None:
        sizes = comparison.draws["posterior"].sizes
        arguments += [f"{name}s={sizes[name]}" for name in ("draw", "chain") if name in sizes]
        arguments.append(f"level={comparison.posterior.level:g}")
        epsilon = share_near_zero(comparison)
        arguments += [f"epsilon={epsilon:g}"] if epsilon > 0 else []
    if known.get("seed", "").isdecimal():
        arguments.append(f"seed={known['seed']}")
    return f"br.compare({', '.join(arguments)})"


def _versions(known: Mapping[str, str]) -> str:
    """List versions, once each: of the draws, and of what computed without them."""
    drawn = {
        name.removesuffix("_version"): value
        for name, value in known.items()
        if name.endswith("_version")
    }
    found = {"bayesreg": bayesreg.__version__, "python": platform.python_version()}
    found |= {name: version(name) for name in ("numpy", "scipy")}
    return ", ".join(f"{name} {value}" for name, value in (found | drawn).items())


def _text(value: object) -> str:
    return number(value, 3) if isinstance(value, float) else brief(str(value))
