"""What a verb was handed: a Problem, or a PyMC model that is read into one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._bambi import pymc_model_of
from bayesreg._visible import shown
from bayesreg.errors import BayesregError, InputError, unknown_name
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayesreg.pymc_bridge import ModelReading


def is_model(value: object) -> bool:
    """Tell whether `value` is a PyMC model, without importing PyMC.

    A model can only exist if its maker has imported PyMC already.
    """
    core = sys.modules.get("pymc.model.core")
    return core is not None and isinstance(value, core.BaseModel)


def as_problem(value: object) -> tuple[Problem, ModelReading | None]:
    """Return the problem, and how it was read if it came as a PyMC or Bambi model.

    Raises
    ------
    InputError
        If it is neither a Problem nor such a model.
    UnsupportedModel
        If the model cannot be read exactly.
    """
    if isinstance(value, Problem):
        return value, None
    value = pymc_model_of(value)
    if is_model(value):
        reading: ModelReading = import_module("bayesreg.pymc_bridge").read(value)
        return reading.problem, reading
    msg = f"problem: must be a bayesreg Problem or a PyMC model, found {type(value).__name__}"
    raise InputError(msg)


def as_mapping(given: Mapping[str, float] | None) -> Mapping[str, float]:
    """Return values given by name: none by default.

    Raises
    ------
    InputError
        If `given` is no mapping.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        msg = f'given: must be a mapping such as {{"sigma": 1.0}}, found {shown(given)}'
        raise InputError(msg)
    return given


def check_given(
    given: Mapping[str, float] | None, reading: ModelReading | None = None
) -> dict[str, float]:
    """Return values of sigma and scale by these names, given by them or by the model's own.

    Raises
    ------
    InputError
        If `given` is no mapping, or a name is not known.
    """
    given = as_mapping(given)
    if given and reading is not None and not reading.problem.unknown:
        msg = "given: the model has no unknown sigma or scale to give a value of; drop it"
        raise InputError(msg)
    own = () if reading is None else reading.scale_names
    valid = tuple(dict.fromkeys(("sigma", "scale", *own)))
    for name in given:
        if name not in valid:
            raise unknown_name("given", name, valid)
    return dict(given) if reading is None else reading.roles(given)


def as_progress(progress: object) -> bool:
    """Return whether to show progress: by default where stderr is a terminal.

    Raises
    ------
    InputError
        If `progress` is neither a truth value nor None.
    """
    if progress is None:
        return sys.stderr is not None and sys.stderr.isatty()
    if not isinstance(progress, bool | np.bool_):
        msg = f"progress: must be True, False or None, found {shown(progress)}"
        raise InputError(msg)
    return bool(progress)


def in_own_words(text: str, reading: ModelReading | None) -> str:
    """Add a model's own names of sigma and scale to a text about them."""
    return text if reading is None else reading.in_own_words(text)


@contextmanager
def own_words(reading: ModelReading | None) -> Iterator[None]:
    """Add a model's own names to the messages of refusals."""
    try:
        yield
    except BayesregError as error:
        error.args = tuple(in_own_words(str(text), reading) for text in error.args)
        raise
