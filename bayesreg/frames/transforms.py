"""What the functions of a formula make of the columns that they are given."""

from __future__ import annotations

import inspect
from functools import wraps
from types import NoneType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from formulaic.materializers.types import FactorValues
from formulaic.parser.types import Factor
from formulaic.transforms import TRANSFORMS
from formulaic.transforms.contrasts import Contrasts
from formulaic.utils.stateful_transforms import stateful_transform

from bayesreg._frames import EXACT
from bayesreg._validation import LARGEST
from bayesreg._visible import shown
from bayesreg.errors import InputError
from bayesreg.frames.columns import check_levels
from bayesreg.frames.polynomials import Polynomials

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector

#: Functions of each number by itself, and codings of categories.
ELEMENTWISE = (
    *("log", "log10", "log2", "log1p", "exp", "expm1", "sqrt"),
    *("abs", "sin", "cos", "tanh"),
)
CONTRASTS = ("treatment", "sum", "helmert", "diff", "poly", "SAS")
_SEVERAL = "formula: poly takes one column, and is given several; name that column"


@stateful_transform  # type: ignore[untyped-decorator]  # formulaic does not say what it returns
def _categories(
    data: Any,
    contrasts: Any = None,
    *,
    levels: Any = None,
    spans_intercept: bool = True,
    _state: Any = None,
) -> FactorValues:
    """Mark a column as categories, as formulaic's C does; whole numbers are called 3, not 3.0.

    Raises
    ------
    InputError
        If the coding is none, or levels are met that are not among those given or seen before.
    """
    kind = contrasts if inspect.isclass(contrasts) else type(contrasts)
    if not issubclass(kind, Contrasts | list | NoneType):
        msg = (
            f"formula: {contrasts!r} is no coding of categories, which C takes second; write "
            f"contr.{', contr.'.join(CONTRASTS)}, as in C(g, contr.treatment(base='b'))"
        )
        raise InputError(msg)
    values = data
    if isinstance(data, pd.Series) and data.dtype.kind == "f":
        whole = bool(((data == np.floor(data)) & (data.abs() < EXACT)).all())
        if _state.setdefault("whole", whole) and whole:
            values = data.astype(np.int64)
    column = pd.Series(values)
    if levels is None and "levels" not in _state:
        _state["levels"] = column.unique()
    known = _state["levels"] if levels is None else levels
    what = "C(...)" if column.name is None else f"C({column.name})"
    check_levels(column, list(known), what, listed=levels is not None)
    marked: FactorValues = TRANSFORMS["C"](
        values, contrasts, levels=levels, spans_intercept=spans_intercept
    )
    return marked


def _of_one_column(transform: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse the columns of a spline, each of which formulaic would hand over by itself."""

    @wraps(transform)
    def of_one(x: Any, *others: Any, **named: Any) -> Any:
        if isinstance(x, dict):
            raise InputError(_SEVERAL)
        return transform(x, *others, **named)

    return of_one


@_of_one_column
@stateful_transform  # type: ignore[untyped-decorator]  # formulaic does not say what it returns
def _polynomials(x: Any, degree: int = 1, raw: bool = False, _state: Any = None) -> Any:
    """Make the columns of formulaic's poly, with all the digits that they have.

    What is not finite, the logarithm of 0 say, stays without a number.
    """
    values = _numbers(x)
    known = np.isfinite(values)
    different = _state.setdefault("values", len(np.unique(values[known])))
    if degree >= different:
        msg = (
            f"formula: poly of degree {degree} needs more than {degree} different values, found "
            f"{different}; lower it"
        )
        raise InputError(msg)
    if raw:
        return TRANSFORMS["poly"](x, degree, raw, _state=_state)
    if "polynomials" not in _state:
        _state["polynomials"] = Polynomials.of(values[known], degree)
    columns = np.full((values.size, degree), np.nan)
    columns[known] = _state["polynomials"].at(values[known])
    return FactorValues(columns, column_names=tuple(map(str, range(1, degree + 1))))


def _numbers(x: Any) -> Vector:
    """Return what poly is given, shape (n,): one column of numbers, whatever text reads like.

    Raises
    ------
    InputError
        For text, categories, several columns, and numbers whose differences overflow.
    """
    coded = isinstance(x, FactorValues) and x.__formulaic_metadata__.kind is Factor.Kind.CATEGORICAL
    if isinstance(x, pd.Series) and (coded or isinstance(x.dtype, pd.CategoricalDtype)):
        msg = (
            f"formula: poly takes numbers, and {x.name} is text or categories "
            f"({shown(str(x.iloc[0]))} in row 0); make it a column of numbers first"
        )
        raise InputError(msg)
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1:
        raise InputError(_SEVERAL)
    extreme = np.isfinite(values) & (np.abs(values) > LARGEST)
    if extreme.any():
        row = int(np.argmax(extreme))
        msg = (
            f"formula: poly is given {values[row]:g} in row {row}, beyond ±{LARGEST:g}; rescale "
            "that column"
        )
        raise InputError(msg)
    return values


class BeyondBounds(InputError):
    """A value where a spline is not known."""


@stateful_transform  # type: ignore[untyped-decorator]  # formulaic does not say what it returns
def _b_splines(x: Any, df: Any = None, *others: Any, _state: Any = None, **named: Any) -> Any:
    """Make the columns of formulaic's bs, or say which value lies beyond its bounds."""
    return _within_bounds("bs", x, df, *others, _state=_state, **named)


@stateful_transform  # type: ignore[untyped-decorator]  # formulaic does not say what it returns
def _natural_splines(x: Any, df: Any = None, *others: Any, _state: Any = None, **named: Any) -> Any:
    """Make the columns of formulaic's cr, or say which value lies beyond its bounds."""
    return _within_bounds("cr", x, df, *others, _state=_state, **named)


@stateful_transform  # type: ignore[untyped-decorator]  # formulaic does not say what it returns
def _cyclic_splines(x: Any, df: Any = None, *others: Any, _state: Any = None, **named: Any) -> Any:
    """Make the columns of formulaic's cc, or say which value lies beyond its bounds."""
    return _within_bounds("cc", x, df, *others, _state=_state, **named)


def _within_bounds(basis: str, x: Any, *others: Any, _state: Any, **named: Any) -> Any:
    try:
        return TRANSFORMS[basis](x, *others, _state=_state, **named)
    except ValueError as error:
        if "extend beyond" not in str(error):
            raise
        low, high = float(_state["lower_bound"]), float(_state["upper_bound"])
        values = np.asarray(x, dtype=np.float64)
        row = int(np.argmax((values < low) | (values > high)))
        given = named.get("lower_bound") is not None or named.get("upper_bound") is not None
        bounds = f"{low:.6g} … {high:.6g}"
        where = f"its bounds {bounds}" if given else f"{bounds} of the rows that it was learnt from"
        msg = f"is given {values[row]:.6g} in row {row}, outside {where}"
        raise BeyondBounds(msg) from error


#: What formulaic knows beside its own transforms. It looks here first.
FUNCTIONS: dict[str, Any] = {
    **{name: getattr(np, name) for name in ELEMENTWISE},
    "C": _categories,
    "poly": _polynomials,
    "bs": _b_splines,
    **dict.fromkeys(("cr", "cs"), _natural_splines),
    "cc": _cyclic_splines,
    "offset": TRANSFORMS["I"],
}
