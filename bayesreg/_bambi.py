"""Bambi models, which are PyMC models underneath."""

from __future__ import annotations

import sys


def pymc_model_of(value: object) -> object:
    """Return the PyMC model of a Bambi model, built if it is not yet; anything else as it is.

    Bambi itself is not imported: its models can only exist if their maker has done so.
    """
    bambi = sys.modules.get("bambi.models")
    if bambi is None or not isinstance(value, bambi.Model):
        return value
    if not value.built:
        value.build()
    model: object = value.backend.model
    return model
