"""A gallery model on standardised columns, as a problem on the user's own scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg import gallery
from bayesreg.errors import InputError
from bayesreg.problem import Problem
from bayesreg.pymc_bridge import read_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg.datasets import Dataset


def problem_of(data: Dataset, model: str, keywords: Mapping[str, float]) -> Problem:
    """Build a gallery model on centred columns of unit sd, and read it back on the user's scale.

    The two posteriors are the same: only the name of the coefficient changes, ``w = β · sd``.

    Parameters
    ----------
    data : Dataset
        Predictors and target.
    model : str
        Name of a gallery model.
    keywords : mapping of float
        Its scales.

    Returns
    -------
    Problem
        With ``standardize=True``, likelihood and prior as read from the PyMC model.

    Raises
    ------
    InputError
        If a column is constant, or the target does not suit the model.
    """
    entry = gallery.load(model)
    mean, sd = data.X.mean(axis=0), data.X.std(axis=0)
    constant = sd <= 8 * np.finfo(float).eps * np.abs(data.X).max(axis=0)
    if constant.any():
        name = data.names[int(np.argmax(constant))]
        msg = f"X: column {name!r} is constant, so it cannot be standardised; drop it"
        raise InputError(msg)
    _check_target(data, model)
    built = entry.build((data.X - mean) / sd, data.y, names=data.names, **keywords)
    read = read_model(built)
    return Problem(
        data.X,
        data.y,
        likelihood=read.likelihood,
        prior=read.prior,
        names=data.names,
        standardize=True,
    )


def _check_target(data: Dataset, model: str) -> None:
    values = np.unique(data.y)
    if model.startswith("logistic") and not np.isin(values, (0.0, 1.0)).all():
        msg = (
            f"target: {data.target!r} holds {values[0]:g}, {values[1]:g}, …, but model {model!r} "
            "needs 0 and 1; recode it, or choose a Gaussian model"
        )
        raise InputError(msg)
    if values.size < 2:
        msg = f"target: {data.target!r} holds one value only ({values[0]:g}); nothing to explain"
        raise InputError(msg)
