"""How many BLAS threads a piece of work gets.

Threads cost more than they give on small matrices, and on a machine whose cores are busy they wait
for each other: thousands of small products then take ten times as long as on one thread. A heavy
product is another matter: it gains almost as much as there are cores, and waits once.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayesreg._validation import Matrix

# Entries of a matrix (80 MB) from which one pass over it is worth a second thread.
_LARGE = 10_000_000
# Multiplications (about ten milliseconds) from which a product of matrices is.
_HEAVY = 100_000_000
# Rows per column from which a matrix is tall.
_TALL = 50

# The limit that the caller had before `blas_threads` put one thread in its place.
_found: ContextVar[int | None] = ContextVar("found", default=None)


@cache
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes milliseconds; NumPy's and SciPy's are loaded by now.
    return ThreadpoolController().select(user_api="blas")


def threads() -> int:
    """Return how many threads BLAS has, or had before `blas_threads` took them away."""
    libraries = _controller().lib_controllers
    return _found.get() or max((library.num_threads for library in libraries), default=1)


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
    token = _found.set(threads())
    try:
        with _controller().limit(limits=1, user_api="blas"):
            yield
    finally:
        _found.reset(token)


def inner_products(X: Matrix) -> Matrix:
    """Return ``X'X`` for a dense X (n, p), with every thread where that is worth it.

    BLAS shares out the entries of the product, of which a tall matrix has few; sharing out its rows
    keeps every thread busy.
    """
    n, p = X.shape
    parts = threads()
    if parts < 2 or n * p * p < _HEAVY or n < _TALL * p:
        with every_thread(n * p * p):
            return np.asarray(X.T @ X)
    edges = np.linspace(0, n, parts + 1).astype(int)
    shares = [X[start:stop] for start, stop in itertools.pairwise(edges.tolist())]
    with blas_threads(0), ThreadPoolExecutor(parts) as pool:
        return np.asarray(sum(pool.map(lambda rows: rows.T @ rows, shares)))


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
