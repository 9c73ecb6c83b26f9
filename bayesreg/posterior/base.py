"""What a sampler is given, what it returns, and what it must declare."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bayesreg.posterior import interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem


# Draws per chain of one batch of independent ones: enough for arithmetic on arrays to pay.
_BATCH = 1000


@dataclass(frozen=True)
class Settings:
    """How much to draw.

    Attributes
    ----------
    draws, chains, tune : int
        Draws per chain after tuning, chains, and tuning steps of samplers that tune.
    target_accept : float
        Acceptance rate that NUTS tunes its step size for.
    progress : bool
        Whether to show progress.
    """

    draws: int
    chains: int
    tune: int
    target_accept: float
    progress: bool


@dataclass(frozen=True, eq=False)
class Draws:
    """What a sampler returns.

    Attributes
    ----------
    posterior : mapping of str to ndarray
        ``beta`` (chain, draw, p) and, where they exist, ``intercept``, ``sigma`` and ``scale``
        (chain, draw), on the user's scale.
    stats : mapping of str to ndarray
        Per draw (chain, draw), under the names that ArviZ knows.
    complete : bool
        False if sampling was interrupted.
    libraries : tuple of str
        Distributions that made the draws, for the record of versions.
    compiling : float
        Seconds that it took to compile the sampler before, which happens once.
    """

    posterior: Mapping[str, Array]
    stats: Mapping[str, NDArray[np.generic]]
    complete: bool
    libraries: tuple[str, ...]
    compiling: float = 0.0

    def with_stats(self, stats: Mapping[str, NDArray[np.generic]]) -> Draws:
        """Return the same draws with these statistics."""
        return replace(self, stats=stats)


@dataclass(frozen=True)
class Extras:
    """Which groups to add to the draws.

    Attributes
    ----------
    log_likelihood, prior, posterior_predictive : bool
        The log density of each row, draws of the unknowns from the prior, new targets.
    """

    log_likelihood: bool = False
    prior: bool = False
    posterior_predictive: bool = False

    @property
    def per_row(self) -> int:
        """Number of groups that hold a number per draw and row."""
        return self.log_likelihood + self.posterior_predictive


def independent(
    draw: Callable[[tuple[int, int]], Mapping[str, Array]],
    settings: Settings,
    libraries: tuple[str, ...],
) -> Draws:
    """Draw independently, some draws of every chain at a time, so that Ctrl-C keeps those made.

    Parameters
    ----------
    draw : callable
        From (chains, count) to that many draws of each unknown, under the names of `Draws`.
    settings : Settings
        How many.
    libraries : tuple of str
        As in `Draws`.

    Returns
    -------
    Draws
        Chains only label the draws.

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted before the first draws.
    """
    batches: list[Mapping[str, Array]] = []
    complete = True
    try:
        for done in range(0, settings.draws, _BATCH):
            if interrupts.was_pressed():
                raise KeyboardInterrupt  # noqa: TRY301  (as it is where it was not held)
            count = min(_BATCH, settings.draws - done)
            batches.append(draw((settings.chains, count)))
            interrupts.hold()
    except KeyboardInterrupt:
        if not batches:
            raise
        complete = False
    posterior = {
        name: np.concatenate([batch[name] for batch in batches], axis=1) for name in batches[0]
    }
    return Draws(posterior, {}, complete=complete, libraries=libraries)


class Sampler(ABC):
    """One way to draw from a posterior."""

    #: What ``method=`` calls it.
    name: ClassVar[str]
    #: Why ``method="auto"`` would take it.
    advantage: ClassVar[str]
    #: Whether what it draws from is near the posterior, but not the posterior: never taken by auto.
    approximate: ClassVar[bool] = False
    #: Whether it needs a row for every observation, and not only rows of the same sums of products.
    needs_rows: ClassVar[bool] = True

    @abstractmethod
    def reason_against(self, problem: Problem) -> str | None:
        """Say why this sampler cannot draw from a problem; None if it can."""

    @abstractmethod
    def draw(self, problem: Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw."""
