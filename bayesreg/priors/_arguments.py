"""What a constructor says of arguments that it does not take."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any

from bayesreg._visible import begun
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

# What others call the number that is a scale here.
_RATE = "a scale is asked for, never a rate; of Laplace it is 1/rate"
_SD = "a scale is asked for; of Normal it is the sd, of Laplace sd/√2"
_WEIGHT = "what other packages take becomes a prior by bayesreg.units"
_MEANT = (
    dict.fromkeys(("rate", "lam", "lambda_"), _RATE)
    | dict.fromkeys(("sd", "sigma", "std"), _SD)
    | dict.fromkeys(("alpha", "C"), _WEIGHT)
)


def saying_what_it_takes(init: Callable[..., None]) -> Callable[..., None]:
    """Make a constructor refuse arguments that it does not take, or lacks, as bad input.

    Parameters
    ----------
    init : callable
        An ``__init__``. Its signature is kept.

    Returns
    -------
    callable
        The same, with an InputError in place of a TypeError about its arguments.
    """

    @wraps(init)
    def checked(self: object, *args: Any, **keywords: Any) -> None:
        try:
            init(self, *args, **keywords)
        except TypeError:
            refusal = _refusal(type(self), args, keywords)
            if refusal is None:
                raise
            raise refusal from None

    return checked


def _refusal(
    kind: type, args: tuple[object, ...], keywords: dict[str, object]
) -> InputError | None:
    """Say which argument a constructor does not take or lacks; None where it takes them all."""
    signature = inspect.signature(kind)
    try:
        signature.bind(*args, **keywords)
    except TypeError:
        names = list(signature.parameters)
    else:
        return None
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    takes = f"write {kind.__name__}{inspect.Signature(bare)}"
    unknown = next((name for name in keywords if name not in names), None)
    if unknown is not None:
        meant = f"; {_MEANT[unknown]}" if unknown in _MEANT and "scale" in names else ""
        return InputError(f"{begun(unknown)}: is no argument of {kind.__name__}{meant}; {takes}")
    required = [p.name for p in bare if p.default is p.empty]
    missing = [name for name in required[len(args) :] if name not in keywords]
    if missing:
        return InputError(f"{missing[0]}: is missing; {takes}")
    twice = [name for name in names[: len(args)] if name in keywords]
    if twice:
        return InputError(f"{twice[0]}: is given twice; {takes}")
    return InputError(f"prior: {len(args)} arguments are too many without their names; {takes}")
