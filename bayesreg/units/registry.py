"""Every row of the table of units, by name. A new package is one row in one of these modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesreg.errors import unknown_name
from bayesreg.units import _bayesian, _documents, _glmnet, _sklearn, _solvers

if TYPE_CHECKING:
    from bayesreg.units._convention import Convention

CONVENTIONS: tuple[Convention, ...] = (
    *_sklearn.ROWS,
    *_glmnet.ROWS,
    *_solvers.ROWS,
    *_bayesian.ROWS,
    *_documents.ROWS,
)
#: Rows that nobody asks for who has not read the documents.
DOCUMENTS = _documents.ROWS
BY_NAME = {convention.name: convention for convention in CONVENTIONS}
PACKAGES = tuple(dict.fromkeys(convention.package for convention in CONVENTIONS))


def names() -> tuple[str, ...]:
    """List the rows by name, in the order of the table.

    Returns
    -------
    tuple of str
        What `from_numbers` and `to` take.

    Examples
    --------
    >>> names()[:3]
    ('scikit-learn LinearRegression', 'scikit-learn Ridge', 'scikit-learn Lasso')
    """
    return tuple(BY_NAME)


def find(name: object) -> Convention:
    """Return a row by its name.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> find("celer Lasso").objective
    'RSS/(2n) + α‖w‖₁'
    """
    if not isinstance(name, str) or name not in BY_NAME:
        raise unknown_name("name", name, names())
    return BY_NAME[name]


def rows_of(package: object) -> tuple[Convention, ...]:
    """Return the rows of a package.

    Raises
    ------
    InputError
        If there is none of this name.

    Examples
    --------
    >>> [row.call for row in rows_of("skglm")]
    ['Lasso', 'ElasticNet', 'SparseLogisticRegression']
    """
    if not (isinstance(package, str) and package in PACKAGES):
        raise unknown_name("package", package, PACKAGES)
    return tuple(row for row in CONVENTIONS if row.package == package)
