"""A gallery model on standardised columns, as a problem on the user's own scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg import gallery
from bayesreg.columns import negligible
from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.problem import Problem
from bayesreg.pymc_bridge import read_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg._validation import Matrix, Vector
    from bayesreg.datasets import Dataset
    from bayesreg.design import Design
    from bayesreg.gallery import GalleryModel

_ANY_MODEL = "br.find_map(model) in Python takes any PyMC model"


def problem_of(
    data: Dataset,
    model: str | GalleryModel,
    keywords: Mapping[str, float],
    *,
    intercept: bool = True,
) -> Problem:
    """Build a gallery model on centred columns of unit sd, and read it back on the user's scale.

    The two posteriors are the same: only the name of the coefficient changes, ``w = β · sd``. An
    offset of the data is added to the predictor of the model, whose columns are as they are where
    it has no intercept. A model of one's own may have an intercept with a prior, which is then one
    of the coefficients: the predictor at the means of the columns.

    Parameters
    ----------
    data : Dataset
        Predictors and target.
    model : str or GalleryModel
        A gallery model by its name, or any other.
    keywords : mapping of float
        Its scales.
    intercept : bool
        Whether it has an intercept.

    Returns
    -------
    Problem
        With likelihood and prior as read from the PyMC model, and ``standardize=True``; of an
        intercept with a prior, columns about their means, and the prior on their own scale.

    Raises
    ------
    InputError
        If a column is constant, the target does not suit the model, or a model of one's own fails,
        is no regression, or has another predictor than these columns and an intercept.
    """
    entry = gallery.load(model) if isinstance(model, str) else model
    mean, sd = data.X.mean(axis=0), data.X.std(axis=0)
    constant = negligible(sd, np.abs(data.X).max(axis=0))
    if constant.any():
        name = data.names[int(np.argmax(constant))]
        msg = f"X: column {name!r} is constant, so it cannot be standardised; drop it"
        raise InputError(msg)
    _check_target(data, entry.name)
    Z = (data.X - mean) / sd
    settings = {"names": data.names, "intercept": intercept, **keywords}
    read = (_read_own if entry.name.endswith(".py") else _read)(entry, Z, data.y, settings)
    other = _difference(read.design, Z, data.y, intercept=intercept)
    if other is not None:
        msg = (
            f"model: {entry.name} has another predictor or target than it was given: {other}. It "
            f"must be X beta, plus an intercept if asked for, and y; {_ANY_MODEL}"
        )
        raise InputError(msg)
    level = _level_with_a_prior(read.design, len(sd))
    if level is not None:
        return _beside_its_level(data, read, level)
    return Problem(
        data.X,
        data.y,
        likelihood=read.likelihood,
        prior=read.prior,
        names=data.names,
        intercept=intercept,
        offset=data.offset,
        standardize=True,
    )


def _read(entry: GalleryModel, Z: Matrix, y: Vector, settings: Mapping[str, Any]) -> Problem:
    """Build a model, and read it."""
    return read_model(entry.build(Z, y, **settings))


def _read_own(entry: GalleryModel, Z: Matrix, y: Vector, settings: Mapping[str, Any]) -> Problem:
    """Build a model of somebody's own, and read it; what fails is named as theirs."""
    try:
        built = entry.build(Z, y, **settings)
    except (Exception, SystemExit) as error:
        msg = f"model: build of {entry.name} fails ({type(error).__name__}: {error}); mend it"
        raise InputError(msg) from error
    try:
        return read_model(built)
    except UnsupportedModel as error:
        msg = (
            f"model: {entry.name} is no regression that br.read_model reads ({error}), as a model "
            f"file must be; {_ANY_MODEL}"
        )
        raise InputError(msg) from error


def _level_with_a_prior(design: Design, p: int) -> int | None:
    """Return the position of the intercept that was read as one coefficient more than columns."""
    ones = np.flatnonzero((design.X == 1).all(axis=0))
    one_more = not design.intercept and design.p == p + 1 and ones.size == 1
    return int(ones[0]) if one_more else None


def _other_constant(X: Matrix) -> str:
    """Say which coefficient is multiplied by a number other than 1 in all rows; empty if none."""
    constant = np.flatnonzero((np.ptp(X, axis=0) == 0) & (X[0] != 1))
    if not constant.size:
        return ""
    return f"{X[0, constant[0]]:g} times a variable, where an intercept is 1 times it"


def _beside_its_level(data: Dataset, read: Problem, level: int) -> Problem:
    """Return the problem of columns about their means, and of their level, on the user's scale."""
    name = read.names[level]
    if name in data.names:
        msg = (
            f"model: its intercept is called {name!r}, like a column of X; rename the variable in "
            "the model file"
        )
        raise InputError(msg)
    columns = np.delete(np.arange(read.p), level)
    X, factors = read.design.X.copy(), np.ones(read.p)
    X[:, columns] = data.X - data.X.mean(axis=0)
    factors[columns] = 1 / data.X.std(axis=0)
    names = np.insert(np.array(data.names, dtype=object), level, name)
    return Problem(
        X,
        data.y,
        likelihood=read.likelihood,
        prior=read.prior.rescaled(factors),
        names=names,
        intercept=False,
        offset=data.offset,
    )


def _difference(design: Design, Z: Matrix, y: Vector, *, intercept: bool) -> str | None:
    """Say what a design that was read has that these columns and an intercept have not."""
    level = _level_with_a_prior(design, Z.shape[1])
    X = design.X if level is None else np.delete(design.X, level, axis=1)
    has = design.intercept or level is not None
    more = X.shape[1] != Z.shape[1]
    rows = len(X) != len(Z)
    other = more or rows or not np.allclose(X, Z, rtol=1e-6, atol=1e-9)
    constant = _other_constant(design.X) if more else ""
    differences = {
        f"{len(X)} rows of {len(Z)}": rows,
        constant: bool(constant),
        f"{X.shape[1]} coefficients for {Z.shape[1]} columns": more,
        "no intercept, though intercept=True": intercept and not has,
        "an intercept, though intercept=False": has and not intercept,
        "the columns that beta multiplies are not X": other,
        "what is observed is not y": not np.array_equal(design.y, y),
        "an offset": design.offset is not None,
        "weights": design.weights is not None,
    }
    return next((what for what, found in differences.items() if found), None)


def _check_target(data: Dataset, model: str) -> None:
    values = np.unique(data.y)
    if model.startswith("logistic") and not np.isin(values, (0.0, 1.0)).all():
        msg = (
            f"target: {data.target!r} holds {values[0]:g}, {values[1]:g}, …, but model {model!r} "
            "needs 0 and 1; recode it, or choose a Gaussian model"
        )
        raise InputError(msg)
    odd = values[(values < 0) | (values != np.floor(values))]
    if model.startswith("poisson") and odd.size:
        msg = (
            f"target: {data.target!r} holds {odd[0]:g}, but model {model!r} needs counts "
            "(0, 1, 2, …); choose a Gaussian model"
        )
        raise InputError(msg)
    if values.size < 2:
        msg = f"target: {data.target!r} holds one value only ({values[0]:g}); nothing to explain"
        raise InputError(msg)
