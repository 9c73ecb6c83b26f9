"""Labels of classes, as they come: text, numbers or truth values, but one kind of them."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._validation import refuse_masked
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Names of the types of a missing label, so that no data frame package is loaded to ask.
_MISSING = {"NoneType", "NAType", "NaTType"}
_SHOWN = 4


def as_labels(value: object, argument: str = "y") -> Any:
    """Return labels that can be sorted; whatever is no list of labels as it is.

    Parameters
    ----------
    value : array_like, shape (n,)
        One label for each row.
    argument : str
        What it is called.

    Returns
    -------
    ndarray
        Of numbers, truth values or text.

    Raises
    ------
    InputError
        If a label is missing or masked, or they are of several kinds.

    Examples
    --------
    >>> as_labels(["no", "yes", "no"])
    array(['no', 'yes', 'no'], dtype='<U3')
    """
    refuse_masked(value, argument)
    # NumPy would make text of all of [1, "a"].
    given = np.asarray(value, dtype=object) if isinstance(value, list | tuple) else value
    labels = np.asarray(given)
    if labels.ndim != 1 or labels.dtype.kind not in "OSfM":
        return value
    _require_labels(labels, argument)
    if labels.dtype != object:
        return value
    kinds = Counter(_kind(label) for label in labels)
    if len(kinds) > 1:
        shown = ", ".join(list(dict.fromkeys(map(repr, labels)))[:_SHOWN])
        msg = (
            f"{argument}: holds labels of several kinds, {' and '.join(kinds)} ({shown}), which "
            "have no order; make all of them text, or all of them numbers"
        )
        raise InputError(msg)
    plain = np.array(labels.tolist())
    return plain if plain.ndim == 1 else labels


def _require_labels(labels: NDArray[Any], argument: str) -> None:
    """Refuse labels that are missing, and bytes, which scikit-learn takes for neither kind."""
    missing = np.array([_is_missing(label) for label in labels.tolist()], dtype=bool)
    if missing.any():
        row = int(np.argmax(missing))
        msg = (
            f"{argument}: {missing.sum()} of {labels.size} labels are missing, the first at row "
            f"{row} ({labels[row]!s}); drop those rows"
        )
        raise InputError(msg)
    raw = next((label for label in labels.tolist() if isinstance(label, bytes)), None)
    if raw is not None:
        msg = f"{argument}: holds bytes ({raw!r}); make text of them by .decode()"
        raise InputError(msg)


def _is_missing(label: Any) -> bool:
    unequal = isinstance(label, float) and math.isnan(label)
    return unequal or type(label).__name__ in _MISSING


def _kind(label: object) -> str:
    for kinds, name in (((int, float, complex, np.bool_, np.number), "numbers"), ((str,), "text")):
        if isinstance(label, kinds):
            return name
    return type(label).__name__
