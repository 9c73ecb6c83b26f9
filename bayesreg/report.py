"""The report: one self-contained HTML page about one comparison; no script, nothing remote."""

from __future__ import annotations

import base64
import io
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from bayesreg import figures, units
from bayesreg._files import write_whole
from bayesreg.scoring import NEAR

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from jinja2 import Template
    from matplotlib.figure import Figure

    from bayesreg.certificate import Certificate
    from bayesreg.comparison import Comparison
    from bayesreg.scoring import Score

_MINUS = "−"
_DPI = 144  # twice what a screen of ordinary density needs: sharp when enlarged or printed


def write(
    comparison: Comparison,
    path: str | os.PathLike[str],
    *,
    command: str | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Write the report of a comparison to a file, whole or not at all.

    Parameters
    ----------
    comparison : Comparison
        Of `compare`.
    path : path-like
        The file; its directory must exist, and an older file is replaced.
    command : str, optional
        The command line that made it, shown under "Reproduce".
    notes : sequence of str
        Lines on the data and where its scales come from.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputError
        If the file cannot be written there.
    """
    # A name may hold half of a surrogate pair, which no encoding can write.
    content = render(comparison, command=command, notes=notes).encode("utf-8", errors="replace")
    return write_whole(path, content, "path")


def render(comparison: Comparison, *, command: str | None = None, notes: Sequence[str] = ()) -> str:
    """Return the report of a comparison as HTML.

    Parameters
    ----------
    comparison : Comparison
        Of `compare`.
    command : str, optional
        The command line that made it, shown under "Reproduce".
    notes : sequence of str
        Lines on the data and where its scales come from.

    Returns
    -------
    str
        One page with its styles and images inside. Text from outside (column names, the command)
        is escaped.
    """
    view = {
        "number": number,
        "problem": comparison.problem,
        "description": _description(comparison),
        "mode": comparison.mode,
        "space": comparison.mode_space,
        "certificate": _certificate(comparison.mode.certificate),
        "joint": _joint(comparison),
        "estimators": [_estimator(score) for score in comparison.scores],
        "verdict": _verdict(comparison),
        "tolerance": number(comparison.mode.certificate.gap_tolerance, 2),
        "near": number(NEAR, 1),
        "failures": comparison.failures,
        "sparsity": _sparsity(comparison),
        "sampled": comparison.sampled,
        "no_draws": comparison.no_draws,
        "level": "" if comparison.sampled is None else _level(comparison),
        "coefficients": _coefficients(comparison),
        "scalars": _scalars(comparison),
        "figures": _figures(comparison),
        "units": units.table(comparison.mode.conditional_problem).rows,
        "given": comparison.mode_space if comparison.problem.unknown else "",
        "notes": list(notes),
        "command": command,
        "attributes": _attributes(comparison),
    }
    return _template().render(view)


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("bayesreg"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


# --------------------------------------------------------------------------- numbers


def number(value: float | None, digits: int = 4) -> str:
    """Format a number to a fixed count of significant digits, for reading.

    Parameters
    ----------
    value : float or None
        The number; None is unknown.
    digits : int
        Significant digits.

    Returns
    -------
    str
        With a real minus sign. An exact zero is ``0`` and nothing else is.

    Examples
    --------
    >>> number(-1234.5678), number(1e-14, 2), number(0.0), number(0.1), number(None)
    ('−1235', '1.0e−14', '0', '0.1000', '—')
    """
    if value is None:
        return "—"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:#.{digits}g}".partition("e")
    text = mantissa.rstrip(".") + (f"e{int(exponent)}" if exponent else "")
    return text.replace("-", _MINUS)


def _count(k: int, what: str) -> str:
    return f"{k} {what}{'' if k == 1 else 's'}"


# --------------------------------------------------------------------------- sections


def _description(comparison: Comparison) -> str:
    """Return the problem in words: what follows the formula when it is printed."""
    problem = comparison.problem
    words = str(problem).removeprefix(problem.formula()).lstrip(": ")
    return " — ".join(line.strip() for line in words.splitlines())


def _certificate(certificate: Certificate) -> list[str]:
    """Say what is proved of a mode, one statement each."""
    gap = (
        f"Duality gap {number(certificate.gap, 2)} nats: the objective here is at most that far "
        "above its minimum."
        if math.isfinite(certificate.gap)
        else "No duality gap is known for this problem."
    )
    # Isolating marks: a name written from right to left must not turn the sentence around.
    worst = f", largest at \u2068{certificate.worst}\u2069" if certificate.kkt > 0 else ""
    kkt = (
        f"KKT residual {number(certificate.kkt, 2)}{worst}: the condition of optimality holds to "
        f"that error (tolerance {number(certificate.kkt_tolerance, 2)})."
    )
    unique = (
        "Unique: no other coefficients reach the minimum."
        if certificate.unique
        else "Not proved unique: other coefficients may reach the same minimum."
    )
    steep = ["0 is always a local mode under this prior."] if certificate.cusp else []
    return [gap, kkt, unique, *steep]


def _joint(comparison: Comparison) -> list[str]:
    """Say what is known of the joint mode with sigma and scale, where they are unknown."""
    joint = comparison.joint_mode
    if joint is not None:
        zeros = int((joint.coef == 0).sum())
        return [
            f"There is a joint mode as well: {joint.space}.",
            f"It has {_count(zeros, 'coefficient')} of {joint.coef.size} exactly zero.",
            *_certificate(joint.certificate),
        ]
    if comparison.joint_refusal is not None:
        return [f"There is no joint mode. {comparison.joint_refusal}."]
    return []


def _estimator(score: Score) -> dict[str, Any]:
    """Return one row of the score table."""
    claims = score.claims_convergence
    return {
        "name": score.name,
        "verdict": score.verdict,
        "wrong": score.misleading,
        "claims": "—" if claims is None else "yes" if claims else "no",
        "cells": [
            number(score.excess, 3),
            number(score.certificate.gap, 3),
            str(score.zeros),
            str(score.false_nonzeros),
            str(score.false_zeros),
            number(score.distance, 3),
            number(score.seconds, 3),
        ],
    }


def _verdict(comparison: Comparison) -> str:
    """Count the optimisers that claim convergence and are off."""
    answers = [s for s in comparison.scores[1:] if s.claims_convergence is not None]
    if not answers:
        return "No optimiser was run beside the exact mode."
    claimed = [s for s in answers if s.claims_convergence]
    wrong = sum(s.misleading for s in claimed)
    return (
        f"Optimisers run: {len(answers)}; that say they converged: {len(claimed)}; of those, "
        f"with the wrong zeros or more than {NEAR:g} nats above the optimum: {wrong}."
    )


def _sparsity(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return what each notion of a zero counts: number, of how many, meaning."""
    p, mode_zeros = comparison.problem.p, int((comparison.mode.coef == 0).sum())
    of_mode = (str(mode_zeros), str(p), "coefficients are exactly 0 in the mode")
    if comparison.sampled is None:
        return [of_mode]
    post = comparison.posterior
    draws = int(np.asarray(comparison.draws["posterior"]["beta"]).size)
    zero_draws = int(post.zeros.sum())
    atom = f"the posterior has {'an' if zero_draws else 'no'} atom there"
    near = int((post.near_zero > 0.5).sum())
    clear = int(post.excludes_zero.sum())
    level = _level(comparison)
    return [
        of_mode,
        (str(zero_draws), str(draws), f"drawn coefficients are exactly 0; {atom}"),
        (str(near), str(p), "coefficients are near zero with probability above one half"),
        (str(clear), str(p), f"coefficients have a {level} interval that excludes 0"),
    ]


def _level(comparison: Comparison) -> str:
    return f"{100 * comparison.posterior.level:g}\u00a0%"


def _coefficients(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one row per coefficient."""
    mode, names = comparison.mode.coef, comparison.problem.names
    if comparison.sampled is None:
        return [
            {"name": name, "mode": number(value), "zero": value == 0}
            for name, value in zip(names, mode.tolist(), strict=True)
        ]
    post = comparison.posterior
    columns = (post.mean, post.median, post.lower, post.upper)
    return [
        {
            "name": name,
            "mode": number(float(mode[j])),
            "zero": bool(mode[j] == 0),
            "cells": [number(float(column[j])) for column in columns],
            "near": number(float(post.near_zero[j]), 3),
            "epsilon": number(float(post.epsilon[j]), 3),
            "excludes": bool(post.excludes_zero[j]),
        }
        for j, name in enumerate(names)
    ]


def _scalars(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one row for the intercept and for each unknown scale."""
    mode = comparison.mode
    values = {"intercept": mode.intercept, "sigma": mode.sigma, "scale": mode.scale}
    return [
        {
            "name": name,
            "mode": number(values[name]),
            "cells": [number(v) for v in (s.mean, s.median, s.lower, s.upper)],
        }
        for name, s in comparison.scalars.items()
    ]


def _attributes(comparison: Comparison) -> list[tuple[str, str]]:
    """Return what the draws say of their making: versions, seed, method."""
    if comparison.sampled is None:
        return []
    return [
        (str(name), number(value, 3) if isinstance(value, float) else str(value))
        for name, value in sorted(comparison.draws.attrs.items(), key=lambda item: str(item[0]))
        if name != "problem"  # stands at the top of the page
    ]


# --------------------------------------------------------------------------- figures


def _figures(comparison: Comparison) -> list[dict[str, str]]:
    """Return each figure as a data URI, with the words that replace it."""
    names = comparison.problem.names
    zeros = [names[j] for j in np.flatnonzero(comparison.mode.coef == 0)]
    named = ", ".join(zeros[:12]) + (", …" if len(zeros) > 12 else "")
    modes = f"The mode is exactly 0 for {named}." if zeros else "No mode is exactly 0."
    tail = f"{modes} The numbers are in the table of coefficients."
    posterior = "" if comparison.sampled is None else "posterior interval, mean and median, "
    forest = {
        "title": "All coefficients on one axis",
        "source": _png(figures.coefficients(comparison)),
        "alt": "Forest plot, one row per coefficient times the sd of its column: "
        f"{posterior}exact mode, and the optimisers' answers. {tail}",
    }
    if comparison.sampled is None:
        return [forest]
    densities = {
        "title": "Posterior densities",
        "source": _png(figures.posterior_densities(comparison)),
        "alt": "One panel per coefficient: posterior density with its interval, prior density, "
        f"exact mode, posterior mean and median, and the optimisers' answers. {tail}",
    }
    return [densities, forest]


def _png(figure: Figure) -> str:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Letters that the font lacks become boxes; the tables beside the figure spell them out.
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        # No metadata: the same comparison gives the same bytes.
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
