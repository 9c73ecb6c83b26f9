"""What the documents behind the project show, computed: a study takes a seed and returns results.

One module per document. A study computes with the public functions of bayesreg alone, as a reader
would; a figure of the same name in `bayesreg.figures` draws what it returns.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from bayesreg.errors import unknown_name
from bayesreg.studies.exhibit import Exhibit

__all__ = ["Exhibit", "exhibit", "exhibits"]

# In the order of the documents; the sixth is what none of them shows, the seventh what comes next.
_MODULES = (
    "level_sets",
    "one_weight",
    "thresholding",
    "logistic_priors",
    "balls",
    "beyond_the_mode",
    "choosing_the_scale",
    "sparse_answers",
    "comparing_priors",
)


@cache
def exhibits() -> tuple[Exhibit, ...]:
    """Return every figure that `bayesreg figures` draws.

    Returns
    -------
    tuple of Exhibit
        In the order of the documents.

    Examples
    --------
    >>> "soft_thresholding" in [exhibit.name for exhibit in exhibits()]
    True
    """
    modules = [import_module(f"bayesreg.studies.{name}") for name in _MODULES]
    return tuple(exhibit for module in modules for exhibit in module.EXHIBITS)


def exhibit(name: str) -> Exhibit:
    """Return the exhibit of a name.

    Raises
    ------
    InputError
        If there is none; close names are suggested.

    Examples
    --------
    >>> exhibit("soft_thresholding").document
    3
    """
    for candidate in exhibits():
        if candidate.name == name:
            return candidate
    raise unknown_name("figure", name, [candidate.name for candidate in exhibits()])
