"""How many BLAS threads a piece of work gets.

Threads cost more than they give on small matrices, and on a machine whose cores are busy they wait
for each other: thousands of small products then take ten times as long as on one thread. A heavy
product is another matter: it gains almost as much as there are cores, and waits once.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Iterator

# Entries of a matrix (80 MB) from which one pass over it is worth a second thread.
_LARGE = 10_000_000
# Multiplications (about ten milliseconds) from which a product of matrices is.
_HEAVY = 100_000_000

# The limit that the caller had before `blas_threads` put one thread in its place.
_found: ContextVar[int | None] = ContextVar("found", default=None)


@cache
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes milliseconds; NumPy's and SciPy's are loaded by now.
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def blas_threads(entries: int) -> Iterator[None]:
    """Hold BLAS to one thread while working on a matrix with fewer entries than are worth more.

    Parameters
    ----------
    entries : int
        Of the largest matrix at work.
    """
    if entries >= _LARGE:
        yield
        return
    libraries = _controller().lib_controllers
    now = max((library.num_threads for library in libraries), default=1)
    token = _found.set(_found.get() or now)
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _found.reset(token)


@contextmanager
def every_thread(work: int) -> Iterator[None]:
    """Give one product of matrices, inside of `blas_threads`, the threads that it took away.

    Parameters
    ----------
    work : int
        Multiplications that the product takes; a light one stays on one thread.
    """
    found = _found.get()
    if found is None or work < _HEAVY:
        yield
        return
    with _controller().limit(limits=found, user_api="blas"):
        yield
