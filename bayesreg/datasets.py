"""Bundled data sets, small and well known, each with its source, its licence and its purpose.

Nothing is scaled, centred or recoded beyond what the summary of a data set says; the arrays are
read-only, because every caller in a process is given the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import numpy as np

from bayesreg.errors import unknown_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Dataset", "load", "names"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A regression problem's data; two data sets are equal only if they are the same object.

    Attributes
    ----------
    name : str
        The name that `load` accepts.
    X : ndarray of float64, shape (n, p)
        Predictors in their original units, read-only.
    y : ndarray of float64, shape (n,)
        Response in its original units (0 or 1 for the Bernoulli likelihood), read-only.
    names : tuple of str, length p
        Names of the columns of `X`.
    target : str
        Name of `y`.
    summary : str
        One line: what it holds, and what it is for.
    source : str
        Who published it.
    licence : str
        Terms of use.
    likelihood : {"gaussian", "bernoulli"}
        The likelihood that suits `y`.
    train : ndarray of bool, shape (n,), or None
        The customary training rows, read-only; None if the data set has no customary split.
    offset : ndarray of float64, shape (n,), or None
        Known part of the linear predictor, read-only.
    """

    name: str
    X: NDArray[np.float64]
    y: NDArray[np.float64]
    names: tuple[str, ...]
    target: str
    summary: str
    source: str
    licence: str
    likelihood: Literal["gaussian", "bernoulli"]
    train: NDArray[np.bool_] | None = None
    offset: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Protect the arrays."""
        for array in (self.X, self.y, self.train, self.offset):
            if array is not None:
                array.setflags(write=False)


def names() -> tuple[str, ...]:
    """Return the names that `load` accepts.

    Returns
    -------
    tuple of str
        In alphabetical order.

    Examples
    --------
    >>> names()
    ('boston_crim_zn', 'breast_cancer', 'diabetes', 'prostate')
    """
    return tuple(sorted(_LOADERS))


def load(name: str) -> Dataset:
    """Load a bundled data set; nothing is downloaded.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Dataset
        Predictors, response, names, source and licence.

    Raises
    ------
    InputError
        If `name` is not one of `names()`.

    Examples
    --------
    >>> prostate = load("prostate")
    >>> prostate.X.shape, prostate.target
    ((97, 8), 'lpsa')
    """
    if not isinstance(name, str) or name not in _LOADERS:
        raise unknown_name("name", name, names())
    return _LOADERS[name]()


def _table(filename: str) -> dict[str, NDArray[np.str_]]:
    """Read a bundled CSV file: the cells of each column, as text."""
    text = files("bayesreg").joinpath("data", filename).read_text(encoding="utf-8")
    header, *rows = (line.split(",") for line in text.splitlines())
    return dict(zip(header, np.array(rows).T, strict=True))


def _stacked(columns: dict[str, NDArray[np.str_]], chosen: tuple[str, ...]) -> NDArray[np.float64]:
    return np.column_stack([columns[name].astype(np.float64) for name in chosen])


def _boston_crim_zn() -> Dataset:
    columns = _table("boston_crim_zn.csv")
    predictors = ("crim", "zn")
    return Dataset(
        name="boston_crim_zn",
        X=_stacked(columns, predictors),
        y=columns["medv"].astype(np.float64),
        names=predictors,
        target="medv",
        summary=(
            "Crime rate and zoning against house value in 506 tracts: "
            "two coefficients, to draw the posterior in a plane."
        ),
        source=(
            "D. Harrison and D. L. Rubinfeld, Hedonic housing prices and the demand for clean air, "
            "Journal of Environmental Economics and Management 5 (1978), 81-102; three columns."
        ),
        licence="published research data; no licence stated",
        likelihood="gaussian",
    )


def _breast_cancer() -> Dataset:
    # Here and not on top, so that `import bayesreg` stays light.
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415

    bunch = load_breast_cancer()
    return Dataset(
        name="breast_cancer",
        X=np.array(bunch.data, dtype=np.float64),
        # scikit-learn codes malignant as 0; here the event of interest is 1.
        y=1.0 - np.asarray(bunch.target, dtype=np.float64),
        names=tuple(str(name) for name in bunch.feature_names),
        target="malignant",
        summary=(
            "569 tumours, 1 = malignant (one minus scikit-learn's target), 30 correlated "
            "measurements: logistic regression that needs its prior."
        ),
        source=(
            "W. H. Wolberg, W. N. Street and O. L. Mangasarian, Breast Cancer Wisconsin "
            "(Diagnostic), UCI Machine Learning Repository (1995); as shipped by scikit-learn."
        ),
        licence="CC BY 4.0",
        likelihood="bernoulli",
    )


def _diabetes() -> Dataset:
    # Here and not on top, so that `import bayesreg` stays light.
    from sklearn.datasets import load_diabetes  # noqa: PLC0415

    bunch = load_diabetes(scaled=False)
    return Dataset(
        name="diabetes",
        X=np.array(bunch.data, dtype=np.float64),
        y=np.array(bunch.target, dtype=np.float64),
        names=tuple(str(name) for name in bunch.feature_names),
        target="progression",
        summary=(
            "Disease progression of 442 patients on 10 measurements in their own units: "
            "the usual example of the lasso and of its Bayesian reading."
        ),
        source=(
            "B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least angle regression, "
            "Annals of Statistics 32 (2004), 407-499; as shipped by scikit-learn."
        ),
        licence="published research data; shipped by scikit-learn (BSD-3-Clause)",
        likelihood="gaussian",
    )


def _prostate() -> Dataset:
    columns = _table("prostate.csv")
    predictors = ("lcavol", "lweight", "age", "lbph", "svi", "lcp", "gleason", "pgg45")
    return Dataset(
        name="prostate",
        X=_stacked(columns, predictors),
        y=columns["lpsa"].astype(np.float64),
        names=predictors,
        target="lpsa",
        summary=(
            "Log prostate-specific antigen of 97 men on 8 clinical measures, with the textbook's "
            "67 training rows: ridge and lasso against published numbers."
        ),
        source=(
            "T. A. Stamey et al., Journal of Urology 141 (1989), 1076-1083; training rows of "
            "T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical Learning; "
            "lweight of row 32 corrected to 3.804438."
        ),
        licence="published research data; no licence stated",
        likelihood="gaussian",
        train=columns["train"] == "True",
    )


_LOADERS: dict[str, Callable[[], Dataset]] = {
    "boston_crim_zn": _boston_crim_zn,
    "breast_cancer": _breast_cancer,
    "diabetes": _diabetes,
    "prostate": _prostate,
}
