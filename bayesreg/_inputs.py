"""What a verb was handed: a Problem, or a PyMC model that is read into one."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from bayesreg.pymc_bridge import ModelReading


def is_model(value: object) -> bool:
    """Tell whether `value` is a PyMC model, without importing PyMC.

    A model can only exist if its maker has imported PyMC already.
    """
    core = sys.modules.get("pymc.model.core")
    return core is not None and isinstance(value, core.BaseModel)


def as_problem(value: object) -> tuple[Problem, ModelReading | None]:
    """Return the problem, and how it was read if it came as a PyMC model.

    Raises
    ------
    InputError
        If it is neither a Problem nor a PyMC model.
    UnsupportedModel
        If the model cannot be read exactly.
    """
    if isinstance(value, Problem):
        return value, None
    if is_model(value):
        try:
            reading: ModelReading = import_module("bayesreg.pymc_bridge").read(value)
        except UnsupportedModel as error:
            error.add_note("find_map also takes models that are no penalised regression.")
            raise
        return reading.problem, reading
    msg = f"problem: must be a bayesreg Problem or a PyMC model, found {type(value).__name__}"
    raise InputError(msg)
