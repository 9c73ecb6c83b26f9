"""How many BLAS threads a piece of work gets.

Threads cost more than they give on small matrices, and on a machine whose cores are busy they wait
for each other: thousands of small products then take ten times as long as on one thread.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Iterator

# Entries of a matrix (80 MB) from which one pass over it is worth a second thread.
_LARGE = 10_000_000


@cache
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes milliseconds; NumPy's and SciPy's are loaded by now.
    return ThreadpoolController()


@contextmanager
def blas_threads(entries: int) -> Iterator[None]:
    """Hold BLAS to one thread while working on a matrix with fewer entries than are worth more.

    Parameters
    ----------
    entries : int
        Of the largest matrix at work.
    """
    limit = 1 if entries < _LARGE else None
    with _controller().limit(limits=limit, user_api="blas"):
        yield
