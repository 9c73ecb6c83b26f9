"""Every exception and warning of bayesreg, so that a caller can catch one base class."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from bayesreg._visible import shown, visible

if TYPE_CHECKING:
    from collections.abc import Sequence


class BayesregError(Exception):
    """Base class of every exception that bayesreg raises on purpose."""

    def __str__(self) -> str:
        """Return the message; names of columns in it cannot steer the terminal that shows it."""
        return visible(super().__str__())


class InputError(BayesregError, ValueError):
    """An argument is not usable; the message names it, what was found and what to do."""


class ImproperPosterior(InputError):
    """The posterior has no finite mode or does not integrate: the prior leaves a direction free."""


class UnsupportedModel(BayesregError):
    """A model cannot be read exactly (or written) as a penalised problem.

    Parameters
    ----------
    variable : str
        Name of the variable that stands in the way.
    reason : str
        Why, and what to do about it.
    """

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"variable {variable!r}: {reason}")
        self.variable = variable
        self.reason = reason


class DegenerateMode(BayesregError):
    """The joint density is unbounded, so its mode does not exist; condition on a value instead."""


class NoClosedForm(BayesregError):
    """No exact expression is known for this problem; sample it instead."""


class NotConverged(BayesregError):
    """A solver stopped before its answer could be certified."""


class SamplingFailed(BayesregError):
    """A sampler stopped without draws that can be used."""


class BayesregWarning(UserWarning):
    """Base class of every warning that bayesreg gives."""

    def __str__(self) -> str:
        """Return the message, as that of an error."""
        return visible(super().__str__())


class SamplingWarning(BayesregWarning):
    """Draws are incomplete, or their diagnostics ask for care."""


# Names that a message lists.
_MOST = 60


def unknown_name(argument: str, found: object, valid: Sequence[str]) -> InputError:
    """Build the error for a name that is not one of a known list.

    Parameters
    ----------
    argument : str
        The argument that carried the name.
    found : object
        What was given.
    valid : sequence of str
        The names that would have been accepted.

    Returns
    -------
    InputError
        Names the argument, the close matches if there are any, and all valid names.

    Examples
    --------
    >>> print(unknown_name("model", "laso", ["lasso", "ridge"]))
    model: 'laso' is not known; did you mean 'lasso'? Valid: lasso, ridge
    """
    close = []
    if isinstance(found, str):
        same = [name for name in valid if name.casefold() == found.casefold()]
        close = same or get_close_matches(found, valid, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    listed = ", ".join(valid[:_MOST])
    if len(valid) > _MOST:
        listed = f"{listed}, … ({len(valid)} in all)"
    return InputError(f"{argument}: {shown(found)} is not known{hint} Valid: {listed}")
