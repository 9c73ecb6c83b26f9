"""How many columns a formula makes of data, at most, so that none fill the memory."""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesreg._visible import shown
from bayesreg.errors import InputError
from bayesreg.frames.language import BASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayesreg.frames.language import Keys

# Numbers of a design: 1.6 GB, and three times that while it is made.
_MOST = 200_000_000
# A column costs what so many numbers do, however few rows it has.
_LEAST_ROWS = 500


def check_room(terms: Sequence[Any], frame: pd.DataFrame, keys: Keys) -> None:
    """Refuse terms that make more numbers of these rows than memory has room for.

    A term has at most as many columns as the product of its factors: the levels of a category, the
    functions of a basis.

    Raises
    ------
    InputError
        Naming the term with most columns.
    """
    columns = {term: math.prod(_width(factor, frame) for factor in term.factors) for term in terms}
    rows = max(len(frame), _LEAST_ROWS)
    if sum(columns.values()) * rows <= _MOST:
        return
    worst = max(columns, key=lambda term: columns[term])
    msg = (
        f"formula: {shown(keys.names_in(repr(worst)))} may make {columns[worst]} columns of "
        f"{len(frame)} rows, and all terms together must make at most {_MOST // rows}; merge "
        "levels, or leave it out"
    )
    raise InputError(msg)


def _width(factor: Any, frame: pd.DataFrame) -> int:
    """Columns that a factor makes, at most."""
    if factor.expr in frame:
        return _levels(frame[factor.expr])
    if factor.eval_method.value != "python":
        return 1
    tree = ast.parse(factor.expr, mode="eval").body
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        return 1
    if tree.func.id == "C":
        names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
        return max((_levels(frame[name], coded=True) for name in names if name in frame), default=1)
    if tree.func.id not in BASES:
        return 1
    given = [argument.value for argument in tree.keywords if argument.arg == BASES[tree.func.id]]
    sizes = [getattr(size, "value", None) for size in (*given, *tree.args[1:2])]
    knots = sum(isinstance(node, ast.Constant) for node in ast.walk(tree))
    return max(knots + 3, *(size for size in sizes if isinstance(size, int)), 1)


def _levels(column: pd.Series, *, coded: bool = False) -> int:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return len(column.cat.categories)
    return max(column.nunique(), 1) if coded else 1
