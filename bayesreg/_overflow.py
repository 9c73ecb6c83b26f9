"""Arithmetic on the way to an answer that is judged when it is there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import BayesregError, NotConverged

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def judged_afterwards(failure: type[BayesregError] = NotConverged) -> Iterator[None]:
    """Let numbers leave double precision without a word, where the answer is judged afterwards.

    A search may step where a square or an exponential overflows; it steps back, or its answer is
    refused. Serves as a decorator too.

    Parameters
    ----------
    failure : type of BayesregError
        What to raise if NumPy or SciPy gives up on such numbers.

    Examples
    --------
    >>> with judged_afterwards():
    ...     print(np.float64(1e200) ** 2)
    inf
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except BayesregError:
        raise
    except (np.linalg.LinAlgError, ArithmeticError, ValueError) as error:
        msg = (
            f"problem: its numbers leave double precision on the way to an answer ({error}); bring "
            "columns, target, offset and scales to sizes nearer to 1"
        )
        raise failure(msg) from error
