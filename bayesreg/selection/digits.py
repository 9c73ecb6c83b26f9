"""Scales at which rounding would decide on a posterior: no curve that is read has them on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import InputError
from bayesreg.path_scales import Family

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.selection.request import Request
    from bayesreg.selection.result import ScaleSelection

# Scales that a message names.
_NAMED = 4


def judged(
    request: Request, scales: Vector, reasons: list[str | None]
) -> tuple[Vector, tuple[float, ...]]:
    """Return the scales with a curve, and those of our own grid without, both increasing.

    Parameters
    ----------
    request : Request
        Whether the scales were asked for: then none is left out.
    scales : ndarray, shape (k,)
        Scales to try, increasing.
    reasons : list of str or None, length k
        Why rounding would decide at each (`Conditional.why_lost`); None where it would not.

    Raises
    ------
    InputError
        If rounding would decide at a scale that was asked for, or at all of them.
    """
    lost = np.array([reason is not None for reason in reasons])
    if lost.any() and (request.scales is not None or lost.all()):
        why = next(reason for reason in reasons if reason is not None)
        named = ", ".join(f"{scale:.4g}" for scale in scales[lost][:_NAMED].tolist())
        more = int(lost.sum()) - _NAMED
        msg = (
            f"scales: digits are lost at {named}{f' and {more} more' if more > 0 else ''} of "
            f"{scales.size}; leave these out. At the first, {why}"
        )
        raise InputError(msg)
    return scales[~lost], tuple(scales[lost].tolist())


def without(chosen: ScaleSelection, lost: tuple[float, ...]) -> ScaleSelection:
    """Say of a choice which scales of our own grid are not on its curve, if any."""
    if not lost:
        return chosen
    one, many = Family.of(chosen.problem).what
    named = f"the {one} {lost[0]:.4g} is"
    if len(lost) > 1:
        named = f"{len(lost)} {many} from {lost[0]:.4g} to {lost[-1]:.4g} are"
    note = f"{named} left out: rounding would decide there"
    return replace(chosen, lost=lost, notes=(*chosen.notes, note))
