"""Moves of a number along the line, whatever its density. Compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import njit

if TYPE_CHECKING:
    from numpy.random import Generator

_STEPS = 60
# Relative width of an interval that holds no number but the one it shrank to.
_NOTHING = 1e-13


def slice_sampler(log_density: Any) -> Any:
    """Make the move for a compiled ``log_density(number, context)``: −inf where it must not go.

    A closure, as Numba keeps no code on disk that is handed functions.
    """

    @njit(nogil=True, error_model="numpy")
    def draw(now: float, context: Any, step: float, rng: Generator) -> float:
        """Slice sample a number, stepping out and shrinking (Neal 2003).

        Parameters
        ----------
        now : float
            The number to leave.
        context : tuple
            What else the density depends on.
        step : float
            First width of the interval; it must not depend on `now`.
        rng : Generator
            Random numbers.
        """
        height = log_density(now, context) - rng.standard_exponential()
        left = now - step * rng.random()
        right = left + step
        for _ in range(_STEPS):
            if not log_density(left, context) > height:
                break
            left -= step
        for _ in range(_STEPS):
            if not log_density(right, context) > height:
                break
            right += step
        while right - left > _NOTHING * (1.0 + abs(now)):
            new = left + (right - left) * rng.random()
            if log_density(new, context) > height:
                return new
            if new < now:
                left = new
            else:
                right = new
        return now

    return draw
