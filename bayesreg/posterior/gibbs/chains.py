"""Several chains in threads, in batches short enough for Ctrl-C.

A chain is an object that draws when told to; compiled code holds no interpreter lock, so threads
are enough. Each chain has its own stream of random numbers: the draws do not depend on how many
threads there are, nor on where batches end.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numba.core.event import Listener, TimingListener, install_listener

from bayesreg._console import log_or_note
from bayesreg.errors import BayesregError, SamplingFailed
from bayesreg.posterior import interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray
    from rich.status import Status

    from bayesreg.posterior.base import Settings

# Seconds of one batch, and between looks at the keyboard.
_BATCH = 0.2
_PATIENCE = 0.1
_COMPILING = (
    "compiling the Gibbs sampler, once per installation and kind of likelihood (a minute or a few)"
)
_LOG = logging.getLogger(__name__)
_ADVICE = (
    "rescale the columns and y to moderate sizes, give sigma and the scale proper priors, or use "
    'method="nuts"'
)


class Chain(ABC):
    """One chain: its state and its random numbers."""

    @abstractmethod
    def advance(self, count: int) -> NDArray[np.float64]:
        """Move on by `count` draws and return them, shape (count, width)."""


@dataclass(eq=False)
class _Draws:
    """One array for the draws of all chains, made when the first of them comes."""

    chains: int
    draws: int
    values: NDArray[np.float64] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, chain: int, start: int, batch: NDArray[np.float64]) -> None:
        """Write draws of one chain."""
        with self.lock:
            if self.values is None:
                self.values = np.empty((self.chains, self.draws, batch.shape[1]))
        self.values[chain, start : start + batch.shape[0]] = batch


@dataclass(eq=False)
class _Run:
    """What a worker does, and how far it is."""

    chain: Chain
    number: int
    tune: int
    draws: int
    out: _Draws
    done: int = 0
    size: int = 1

    def work(self, stop: threading.Event) -> None:
        """Tune, then draw, until done or told to stop."""
        while self.done < self.tune + self.draws and not stop.is_set():
            self.advance()

    def advance(self) -> None:
        """Make one batch of draws."""
        tuning = self.done < self.tune
        left = (self.tune if tuning else self.tune + self.draws) - self.done
        count = min(self.size, left)
        start = time.perf_counter()
        batch = self.chain.advance(count)
        seconds = time.perf_counter() - start
        if not np.isfinite(batch).all():
            msg = f"gibbs: a draw is not finite after {self.done + count} steps; {_ADVICE}"
            raise SamplingFailed(msg)
        if not tuning:
            self.out.put(self.number, self.done - self.tune, batch)
        self.done += count
        self.size = max(1, min(8 * self.size, round(count * _BATCH / max(seconds, 1e-9))))


def run_chains(
    chains: Sequence[Chain], settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.intp], bool]:
    """Run chains side by side.

    Parameters
    ----------
    chains : sequence of Chain
        One per chain asked for.
    settings : Settings
        How many draws to throw away, and how many to keep.

    Returns
    -------
    draws : ndarray, shape (chain, draw, width)
        What was drawn after tuning.
    kept : ndarray of int, shape (chain,)
        Positions of the chains they come from: all, unless interrupted.
    complete : bool
        False if it was interrupted; the draws so far are returned.

    Raises
    ------
    SamplingFailed
        If a chain stops by itself, or a draw is not finite.
    KeyboardInterrupt
        If it is interrupted before the first draw after tuning.
    """
    out = _Draws(len(chains), settings.draws)
    runs = [
        _Run(chain, number, settings.tune, settings.draws, out)
        for number, chain in enumerate(chains)
    ]
    # The first draw compiles what is not on disk yet; Python compiles, so Ctrl-C gets through to
    # the main thread only.
    with _compilation(shown=settings.progress):
        _begin(runs[0])
    interrupts.hold()
    stop, complete = threading.Event(), True
    futures: list[Future[None]] = []
    with ThreadPoolExecutor(min(len(runs), os.cpu_count() or 1)) as pool:
        try:
            futures += [pool.submit(run.work, stop) for run in runs]
            with _progress(runs, shown=settings.progress) as show:
                complete = _wait(futures, show)
        except KeyboardInterrupt:
            complete = False
        finally:
            stop.set()
    _check(futures)
    kept, length = _longest_block(np.array([max(run.done - run.tune, 0) for run in runs]))
    if not length or out.values is None:
        raise KeyboardInterrupt
    # All chains are a view, not a copy: draws may fill half of the memory.
    chosen = out.values if kept.size == len(runs) else out.values[kept]
    return chosen[:, :length], kept, complete


def _wait(futures: list[Future[None]], show: Callable[[], None]) -> bool:
    """Wait for all, or for the first that fails, waking up often; False if Ctrl-C was pressed."""
    pending = set(futures)
    while pending and not interrupts.was_pressed():
        finished, pending = wait(pending, timeout=_PATIENCE)
        show()
        if any(future.exception() is not None for future in finished):
            break
    return not interrupts.was_pressed()


def _begin(run: _Run) -> None:
    """Make the first draw of a chain."""
    try:
        run.advance()
    except Exception as error:
        raise _failure(error) from error


def _check(futures: list[Future[None]]) -> None:
    """Raise what went wrong in a worker."""
    for future in futures:
        error = future.exception()
        if error is not None:
            raise _failure(error) from error


def _failure(error: BaseException) -> BaseException:
    """Return what went wrong in a chain as an error of the package."""
    if isinstance(error, BayesregError):
        return error
    first = (str(error).splitlines() or [""])[0]
    return SamplingFailed(f"gibbs: a chain stopped: {type(error).__name__}: {first}; {_ADVICE}")


def _longest_block(lengths: NDArray[np.intp]) -> tuple[NDArray[np.intp], int]:
    """Find the chains and the number of first draws that keep most draws of an interrupted run."""
    candidates = np.unique(lengths)
    kept = np.array([length * (lengths >= length).sum() for length in candidates])
    length = int(candidates[int(np.argmax(kept))])
    return np.flatnonzero(lengths >= length), length


@contextmanager
def _compilation(*, shown: bool) -> Iterator[None]:
    """Say so if something is compiled within: on a terminal for as long as it is, else once.

    Whoever does not want to see progress still has to know why nothing happens for a minute.
    """
    status = _status() if shown else None
    if status is None:
        with install_listener("numba:compile", _Note()):
            yield
        return
    with install_listener("numba:compile", _Announcement(status)):
        try:
            yield
        finally:
            status.stop()


def _status() -> Status | None:
    """Return a status, not shown yet; None where stderr is no terminal, and would not show it."""
    from rich.console import Console  # noqa: PLC0415  (on use)

    console = Console(stderr=True)
    return console.status(_COMPILING) if console.is_terminal else None


class _Announcement(Listener):
    """Shows a status from when Numba begins to compile: what it finds on disk it does not."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def on_start(self, _: object) -> None:
        """Begin to compile a function, or one that it calls."""
        self._status.start()

    def on_end(self, _: object) -> None:
        """End; others may follow."""


class _Note(Listener):
    """Says it in a line when Numba first begins to compile."""

    def __init__(self) -> None:
        self._said = False

    def on_start(self, _: object) -> None:
        """Begin to compile a function, or one that it calls."""
        if not self._said:
            log_or_note(_LOG, _COMPILING)
        self._said = True

    def on_end(self, _: object) -> None:
        """End; others may follow."""


@contextmanager
def timed_compilation() -> Iterator[TimingListener]:
    """Measure how long Numba compiles within."""
    clock = TimingListener()  # type: ignore[no-untyped-call]  # Numba has no types
    with install_listener("numba:compile", clock):
        yield clock


@contextmanager
def _progress(runs: list[_Run], *, shown: bool) -> Iterator[Callable[[], None]]:
    """Yield what to call now and then to show how far the chains are."""
    if not shown:
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415  (on use)
    from rich.progress import Progress  # noqa: PLC0415

    total = sum(run.tune + run.draws for run in runs)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(f"gibbs, {len(runs)} chains", total=total)
        yield lambda: bar.update(task, completed=sum(run.done for run in runs))
        bar.update(task, completed=sum(run.done for run in runs))
