"""From an estimator of scikit-learn, skglm or celer to the problem that it solves."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._labels import as_labels
from bayesreg._validation import as_vector
from bayesreg._visible import shown
from bayesreg.errors import InputError
from bayesreg.units.backward import from_numbers
from bayesreg.units.registry import BY_NAME, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.problem import Problem
    from bayesreg.units._convention import Convention

_ROOTS = {"scikit-learn": "sklearn", "skglm": "skglm", "celer": "celer"}


def from_sklearn(
    estimator: object,
    X: object,
    y: object,
    *,
    sample_weight: object = None,
    names: Iterable[object] | None = None,
    sigma: float | None = None,
) -> Problem:
    """Return the problem that a scikit-learn estimator solves, fitted or not.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A linear model of the table, its ``...CV`` once fitted, `BayesianRidge` once fitted; or a
        pipeline of a StandardScaler and one of these, whose columns the problem standardises.
    X : array_like, shape (n, p)
        Predictors, as they go into the estimator or pipeline.
    y : array_like, shape (n,)
        Target; for a classifier two classes, of which the greater one is 1.
    sample_weight : array_like, shape (n,), optional
        As given to ``fit``.
    names, sigma
        As for `from_numbers`; BayesianRidge brings its own sigma.

    Returns
    -------
    Problem
        `certify(problem, *coefficients(estimator))` then judges the fit.

    Raises
    ------
    InputError
        If the estimator minimises something else; the message says what.

    Examples
    --------
    >>> from sklearn.linear_model import Lasso
    >>> X, y = [[1.0], [2.0], [4.0]], [1.0, 3.0, 4.0]
    >>> model = Lasso(alpha=0.5).fit(X, y)
    >>> problem = from_sklearn(model, X, y, sigma=0.5)
    >>> print(problem.formula())  # b = σ²/(n α)
    ‖y − β₀ − Xβ‖²/(2·0.5²) + Σ|βⱼ|/0.166667

    >>> from bayesreg import certify
    >>> certify(problem, *coefficients(model)).optimal
    True
    """
    last, scaler = _parts(estimator)
    return _from(
        "scikit-learn",
        last,
        X,
        y,
        weights=sample_weight,
        names=names,
        sigma=sigma,
        scaler=scaler,
    )


def from_skglm(
    estimator: object,
    X: object,
    y: object,
    *,
    names: Iterable[object] | None = None,
    sigma: float | None = None,
) -> Problem:
    """Return the problem that an estimator of skglm solves, fitted or not.

    Parameters
    ----------
    estimator : skglm.Lasso, ElasticNet or SparseLogisticRegression
        The estimator.
    X, y, names, sigma
        As for `from_sklearn`.

    Returns
    -------
    Problem
        The problem.

    Raises
    ------
    InputError
        If it is another estimator.

    Examples
    --------
    >>> from skglm import Lasso
    >>> from_skglm(Lasso(alpha=0.5), [[1.0], [2.0]], [1.0, 2.0], sigma=1.0).prior
    Laplace(scale=1.0, relative_to=None, factor=1.0, nonnegative=False)
    """
    return _from("skglm", estimator, X, y, names=names, sigma=sigma)


def from_celer(
    estimator: object,
    X: object,
    y: object,
    *,
    names: Iterable[object] | None = None,
    sigma: float | None = None,
) -> Problem:
    """Return the problem that an estimator of celer solves, fitted or not.

    Parameters
    ----------
    estimator : celer.Lasso, ElasticNet or LogisticRegression
        The estimator.
    X, y, names, sigma
        As for `from_sklearn`.

    Returns
    -------
    Problem
        The problem.

    Raises
    ------
    InputError
        If it is another estimator.

    Examples
    --------
    >>> from celer import Lasso
    >>> from_celer(Lasso(alpha=0.5), [[1.0], [2.0]], [1.0, 2.0], sigma=1.0).prior
    Laplace(scale=1.0, relative_to=None, factor=1.0, nonnegative=False)
    """
    return _from("celer", estimator, X, y, names=names, sigma=sigma)


def coefficients(estimator: Any) -> tuple[Vector, float]:
    """Return the coefficients of a fitted estimator, or pipeline, on the scale of its X.

    Parameters
    ----------
    estimator : estimator or Pipeline
        As for `from_sklearn`, `from_skglm` and `from_celer`.

    Returns
    -------
    coef : ndarray, shape (p,)
        Coefficients of the columns as they go into a pipeline.
    intercept : float
        Intercept.

    Raises
    ------
    InputError
        If it is not fitted, or to several targets or classes.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> coef, intercept = coefficients(LinearRegression().fit([[1.0], [2.0]], [1.0, 3.0]))
    >>> round(float(coef[0]), 6), round(intercept, 6)
    (2.0, -1.0)
    """
    last, scaler = _parts(estimator)
    if not hasattr(last, "coef_"):
        msg = f"estimator: {type(last).__name__} is not fitted; call its fit first"
        raise InputError(msg)
    found = np.asarray(last.coef_, dtype=np.float64)
    if found.ndim > 1 and found.shape[0] != 1:
        msg = (
            f"estimator: has {found.shape[0]} rows of coefficients; fit one target, or two classes"
        )
        raise InputError(msg)
    coef = found.ravel()
    intercept = float(np.ravel(last.intercept_)[0])
    if scaler is None:
        return coef, intercept
    if scaler.scale_ is not None:
        coef = coef / scaler.scale_
    return coef, intercept - (float(scaler.mean_ @ coef) if scaler.with_mean else 0.0)


def _parts(estimator: Any) -> tuple[Any, Any]:
    """Return the last step of a pipeline, and the StandardScaler before it."""
    if type(estimator).__name__ != "Pipeline":
        return estimator, None
    scaler_class = import_module("sklearn.preprocessing").StandardScaler
    steps = [step for _, step in estimator.steps if step not in {"passthrough", None}]
    if len(steps) == 1:
        return steps[0], None
    if len(steps) == 2 and type(steps[0]) is scaler_class:
        return steps[1], steps[0]
    msg = (
        "estimator: a pipeline must be a StandardScaler and a linear model, found "
        f"{', '.join(type(step).__name__ for step in steps)}; transform X yourself, "
        "and hand in the last step"
    )
    raise InputError(msg)


def _from(
    package: str,
    estimator: Any,
    X: object,
    y: object,
    *,
    weights: object = None,
    names: Iterable[object] | None = None,
    sigma: float | None = None,
    scaler: Any = None,
) -> Problem:
    convention, numbers = _numbers(package, estimator)
    parameters = estimator.get_params()
    intercept = bool(parameters.get("fit_intercept", True))
    if scaler is not None and scaler.with_mean and not intercept:
        msg = (
            "estimator: a StandardScaler that centres before a model without an intercept drops "
            "a level that no coefficient of X can restore; use with_mean=False or fit_intercept"
        )
        raise InputError(msg)
    if convention.families == ("bernoulli",):
        y, weights = _classes(y, weights, parameters.get("class_weight"))
    problem = from_numbers(
        convention.name,
        X,
        y,
        numbers,
        sigma=sigma,
        intercept=intercept,
        positive=bool(parameters.get("positive", False)),
        names=names,
        weights=weights,
    )
    if scaler is None or not scaler.with_std:
        return problem
    # A scaler in a pipeline sees no weights.
    return as_standard_scaler(problem, problem.design.column_sd)


def as_standard_scaler(problem: Problem, sd: Vector) -> Problem:
    """Let the prior act on columns divided by their sd; a constant one stays as it is.

    A design standardises by the sds of its rows, and has no constant columns then: else the prior
    takes the factors.
    """
    design, likelihood, prior = problem.design, problem.likelihood, problem.prior
    if (sd > 0).all() and np.array_equal(sd, design.column_sd):
        return type(problem).of(replace(design, standardize=True), likelihood, prior)
    return type(problem).of(design, likelihood, prior.rescaled(1.0 / np.where(sd > 0, sd, 1.0)))


def _classes(y: object, weights: object, class_weight: object) -> tuple[object, object]:
    """Return the target as 0 and 1, and row weights times those of the classes."""
    labels = np.asarray(as_labels(y))
    classes = np.unique(labels)
    if classes.size != 2:
        msg = f"y: must hold two classes, found {classes.size}"
        raise InputError(msg)
    if class_weight is not None and weights is not None and not isinstance(class_weight, dict):
        msg = (
            "estimator: versions of scikit-learn differ in what class_weight='balanced' makes of "
            "sample_weight; give the weights of the classes as a dict"
        )
        raise InputError(msg)
    if class_weight is not None:
        factor = _weights_of_classes(class_weight, labels)
        weights = (
            factor if weights is None else factor * as_vector(weights, "sample_weight", labels.size)
        )
    return (labels == classes[1]).astype(np.float64), weights


def _weights_of_classes(class_weight: object, labels: NDArray[Any]) -> Vector:
    """Return the weight of each row by its class, as scikit-learn reads `class_weight`."""
    compute = import_module("sklearn.utils.class_weight").compute_sample_weight
    try:
        return np.asarray(compute(class_weight, labels), dtype=np.float64)
    except ValueError as error:
        found = ", ".join(map(repr, np.unique(labels).tolist()))
        msg = (
            "estimator: class_weight must be 'balanced' or a dict with a number for each class "
            f"({found}), found {shown(class_weight)}"
        )
        raise InputError(msg) from error


# ------------------------------------------------------------------ reading arguments


def _numbers(package: str, estimator: Any) -> tuple[Convention, dict[str, float]]:
    """Return the row of an estimator, and its numbers."""
    kind = type(estimator)
    name = f"{package} {kind.__name__.removesuffix('CV')}"
    if kind.__module__.split(".")[0] != _ROOTS[package] or name not in BY_NAME:
        valid = ", ".join(row.call for row in rows_of(package))
        msg = f"estimator: must be one of {package}'s {valid}; found {kind.__name__}"
        raise InputError(msg)
    convention = BY_NAME[name]
    reader = _READERS.get(name, _plain)
    if kind.__name__ == "LogisticRegressionCV":
        msg = (
            "estimator: LogisticRegressionCV may hold means over folds, and a mix that it does not "
            "name; give LogisticRegression with the C and l1_ratio that it chose"
        )
        raise InputError(msg)
    if kind.__name__.endswith("CV") or convention.precision:
        return convention, _fitted(estimator, convention)
    return convention, reader(estimator, convention)


def _plain(estimator: Any, convention: Convention) -> dict[str, float]:
    parameters = estimator.get_params()
    return {key: _one(parameters[key], key) for key in convention.names}


def _fitted(estimator: Any, convention: Convention) -> dict[str, float]:
    """Read what cross-validation, or evidence, has chosen."""
    attributes = {key: key if key.endswith("_") else f"{key}_" for key in convention.names}
    missing = [name for name in attributes.values() if not hasattr(estimator, name)]
    if missing:
        msg = (
            f"estimator: {type(estimator).__name__} estimates {', '.join(missing)}, and is not "
            "fitted; call its fit first"
        )
        raise InputError(msg)
    return {key: _one(getattr(estimator, name) or 0.0, name) for key, name in attributes.items()}


def _logistic(estimator: Any, convention: Convention) -> dict[str, float]:
    """`penalty` is deprecated since 1.8, and overrules l1_ratio where it is given."""
    del convention
    given = estimator.get_params()
    if given["solver"] == "liblinear" and given["fit_intercept"]:
        msg = (
            "estimator: the solver 'liblinear' penalises the intercept; use another one, or "
            "fit_intercept=False"
        )
        raise InputError(msg)
    share = _share(given["penalty"], given["l1_ratio"])
    return {"C": np.inf if share is None else _one(given["C"], "C"), "l1_ratio": share or 0.0}


def _sgd(estimator: Any, convention: Convention) -> dict[str, float]:
    given = estimator.get_params()
    loss = "squared_error" if convention.families == ("gaussian",) else "log_loss"
    if given["loss"] != loss:
        msg = f"estimator: its loss must be {loss!r} to be a likelihood, found {given['loss']!r}"
        raise InputError(msg)
    share = _share(given["penalty"], given["l1_ratio"])
    alpha = 0.0 if share is None else _one(given["alpha"], "alpha")
    return {"alpha": alpha, "l1_ratio": share or 0.0}


def _share(penalty: object, l1_ratio: float | None) -> float | None:
    """Share of the absolute values; None where there is no penalty."""
    if penalty in {"l1", "l2"}:
        return float(penalty == "l1")
    return None if penalty is None else float(l1_ratio or 0.0)


def _one(value: object, name: str) -> float:
    """Return one number out of what may be an array of one."""
    array = np.ravel(np.asarray(value, dtype=np.float64))
    if array.size != 1:
        msg = f"estimator: {name} must be one number, found {array.size}"
        raise InputError(msg)
    return float(array[0])


_READERS: dict[str, Callable[[Any, Convention], dict[str, float]]] = {
    "scikit-learn LogisticRegression": _logistic,
    "scikit-learn SGDRegressor": _sgd,
    "scikit-learn SGDClassifier": _sgd,
}
