"""The page: its parts put together, escaped, and written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bayesreg._files import PAGE_KINDS, check_kind, write_whole
from bayesreg._visible import visible
from bayesreg.report import pictures, sections
from bayesreg.report.along_the_scale import along_the_scale
from bayesreg.report.reproduction import reproduction
from bayesreg.report.text import as_name, brief, number, terms
from bayesreg.scoring import SCORE_WORDS
from bayesreg.units.rows import HEADING, LEGEND

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from jinja2 import Template

    from bayesreg.comparison import Comparison


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
        The file, .html or .htm; its directory must exist, and an older file is replaced.
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
        If the file cannot be written there, or its name does not end as that of a page.
    """
    target = check_kind(path, PAGE_KINDS, "path")  # before seconds of work, not after
    content = render(comparison, command=command, notes=notes)
    return write_whole(target, content.encode("utf-8"), "path")


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
        One page with its styles and images inside. Text from outside (names of columns and levels,
        notes, the command) is escaped, and its control characters and marks of direction are
        written out.
    """
    problem, mode = comparison.problem, comparison.mode
    view = {
        "number": number,
        "problem": problem,
        "terms": terms(visible(problem.formula())),
        "words": sections.problem_in_words(problem),
        "notes": [brief(note) for note in notes],
        "mode": mode,
        "space": comparison.mode_space,
        "certificate": sections.certified(mode.certificate),
        "joint": sections.joint(comparison),
        "estimators": [sections.estimator(score) for score in comparison.scores],
        "score_columns": list(SCORE_WORDS),
        "score_words": sections.score_words(),
        "verdict": sections.verdict(comparison),
        "failures": {as_name(name): brief(why) for name, why in comparison.failures.items()},
        "coefficients": sections.coefficients(comparison),
        "scalars": sections.scalars(comparison),
        "forest": pictures.forest(comparison),
        "sampled": comparison.sampled,
        "no_draws": brief(comparison.no_draws or ""),
        "diagnostics": sections.diagnostics(comparison),
        "along": along_the_scale(comparison),
        "zeros": sections.zeros(comparison),
        "rules": sections.rules(comparison),
        "units": sections.other_packages(comparison),
        "units_heading": HEADING,
        "units_legend": LEGEND,
        "given": comparison.mode_space if problem.unknown else "",
        "reproduction": reproduction(comparison, command),
    }
    if comparison.sampled is not None:
        view |= {
            "densities": pictures.densities(comparison),
            "level": sections.level(comparison),
        }
    return _template().render(view)


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("bayesreg"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def _visible(value: Any) -> Any:
    """Write out hidden characters of any text that a template is about to show."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
