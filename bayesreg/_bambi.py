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


def centring_of(value: object) -> str:
    """Say which intercepts of a built Bambi model are of centred predictors; else nothing."""
    bambi = sys.modules.get("bambi.models")
    if bambi is None or not isinstance(value, bambi.Model) or not value.center_predictors:
        return ""
    components = value.backend.distributional_components.values()
    names = [
        str(part.intercept_term.alias or part.intercept_term.name)
        for part in (built.component for built in components)
        if part.intercept_term and part.common_terms
    ]
    if not names:
        return ""
    are = "is the level" if len(names) == 1 else "are levels"
    return (
        f"{' and '.join(names)} {are} at the means of the predictors, which Bambi centres; "
        "its own fit() reports it at predictors of 0, under the same name"
    )
