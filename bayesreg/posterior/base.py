"""What a sampler is given, what it returns, and what it must declare."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem


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
    """

    posterior: Mapping[str, Array]
    stats: Mapping[str, NDArray[np.generic]]
    complete: bool
    libraries: tuple[str, ...]

    def with_stats(self, stats: Mapping[str, NDArray[np.generic]]) -> Draws:
        """Return the same draws with these statistics."""
        return replace(self, stats=stats)


class Sampler(ABC):
    """One way to draw from a posterior."""

    #: What ``method=`` calls it.
    name: ClassVar[str]
    #: Why ``method="auto"`` would take it.
    advantage: ClassVar[str]

    @abstractmethod
    def reason_against(self, problem: Problem) -> str | None:
        """Say why this sampler cannot draw from a problem; None if it can."""

    @abstractmethod
    def draw(self, problem: Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw."""
