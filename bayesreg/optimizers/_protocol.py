"""What an optimizer is: a name, what it needs of a problem, and a way to solve it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from bayesreg._text_table import MOST_ROWS, apart, as_table, numbered

if TYPE_CHECKING:
    import numpy as np

    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

    type Iterates = tuple[tuple[Vector, float], ...]


@dataclass(frozen=True, eq=False)
class PointEstimate:
    """Coefficients that an optimizer returned, and what it said of them.

    It holds no score: an optimizer does not judge itself, see `bayesreg.certify`.

    Attributes
    ----------
    name : str
        Name of the optimizer.
    coef : ndarray, shape (p,)
        Coefficients on the user's own scale, read-only.
    intercept : float
        Intercept on the user's own scale; 0 where the problem has none.
    claims_convergence : bool
        Whether the optimizer said that it had converged.
    seconds : float
        Time of the solve; imports and just-in-time compilation are not part of it (but the
        compilation of a PyMC model is: every new model needs it).
    iterations : int or None
        Iterations of the outer loop, where the method has one and says so.
    trace : tuple of float or None
        Objective in nats (as `Problem.objective`) at the start and after each iteration.
    iterates : tuple of (ndarray, float) or None
        Coefficients, read-only, and intercept at the same places, on the user's own scale: what
        `bayesreg.certify` takes. Only on request, and only of methods that keep a trace of them.
    names : tuple of str or None
        Names of the coefficients, for `print`.
    """

    name: str
    coef: Vector
    intercept: float
    claims_convergence: bool
    seconds: float
    iterations: int | None = None
    trace: tuple[float, ...] | None = field(default=None, repr=False)
    iterates: Iterates | None = field(default=None, repr=False)
    names: tuple[str, ...] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Say what the optimizer said, and show its coefficients."""
        said = f"says that it {'converged' if self.claims_convergence else 'did not converge'}"
        steps = "" if self.iterations is None else f", {self.iterations} iterations"
        columns = self.names or numbered(self.coef.size)
        names = [apart("intercept", columns), *columns]
        values = {"coef": [self.intercept, *self.coef.tolist()]}
        return "\n".join(
            [
                f"{self.name}: {said}{steps}, {self.seconds:.2g} s; bayesreg.certify judges it",
                *as_table(names, values, most=MOST_ROWS + 1),
            ]
        )


@dataclass(frozen=True, eq=False)
class Solution:
    """What `Optimizer.solve` hands back, on the scale of the problem that it was given.

    Attributes
    ----------
    coef, intercept, claims_convergence, iterations
        As in `PointEstimate`.
    trace : tuple of float or None
        Values of ``Problem.penalised``.
    iterates : tuple of (ndarray, float) or None
        Coefficients and intercept at the same places.
    """

    coef: Vector
    intercept: float
    claims_convergence: bool
    iterations: int | None = None
    trace: tuple[float, ...] | None = None
    iterates: Iterates | None = None


@dataclass(frozen=True)
class Limits:
    """When to stop: after `max_iter` iterations, or at a change of `tol` or less.

    With `keep` every iterate is handed out.
    """

    max_iter: int
    tol: float
    keep: bool = False


@dataclass(frozen=True)
class Settings:
    """What the caller asked for; None leaves the choice to the optimizer.

    Attributes
    ----------
    max_iter : int or None
        Most iterations.
    tol : float or None
        Tolerance, in the optimizer's own terms.
    rng : numpy.random.Generator
        Source of randomness, for the few optimizers that use one.
    start : ndarray, shape (p,), or None
        Coefficients to begin at, on the scale of the problem that is solved.
    step_size : float or None
        Length of every step, in squared units of those coefficients per nat.
    keep : bool
        Whether to hand out every iterate.
    """

    max_iter: int | None
    tol: float | None
    rng: np.random.Generator
    start: Vector | None = None
    step_size: float | None = None
    keep: bool = False

    def limits(self, *, max_iter: int, tol: float) -> Limits:
        """Fill in the defaults of an optimizer."""
        return Limits(
            max_iter if self.max_iter is None else self.max_iter,
            tol if self.tol is None else self.tol,
            self.keep,
        )

    def keywords(self, *, max_iter: str = "max_iter", tol: str = "tol") -> dict[str, float]:
        """Return what was asked for as keywords of a peer, whose defaults rule the rest."""
        asked = {max_iter: self.max_iter, tol: self.tol}
        return {name: value for name, value in asked.items() if value is not None}


class Optimizer(ABC):
    """One algorithm, or one estimator of another package.

    Attributes
    ----------
    name : str
        What the caller types.
    summary : str
        One line: what it does, and what to know about its answer.
    requires : tuple of str
        Packages that it imports when it runs.
    any_penalty : bool
        Whether all it asks of a penalty is a prox; else it needs absolute values and squares.
    bounded : bool
        Whether coefficients may be bounded by 0.
    peer : bool
        Whether another package does the work, which is handed dense rows.
    stepped : bool
        Whether it can be told where to begin, and the length of its steps.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    requires: ClassVar[tuple[str, ...]] = ()
    any_penalty: ClassVar[bool] = False
    bounded: ClassVar[bool] = False
    peer: ClassVar[bool] = False
    stepped: ClassVar[bool] = False

    @abstractmethod
    def reason_against(self, problem: Problem) -> str | None:
        """Return why it cannot solve this (conditional) problem exactly as stated, or None."""

    @abstractmethod
    def solve(self, problem: Problem, settings: Settings) -> Solution:
        """Solve a conditional problem whose columns are standardised already."""

    def prepare(self, problem: Problem) -> None:  # noqa: B027  (optional hook)
        """Import and compile what `solve` needs, so that its time is not counted; nothing here."""
