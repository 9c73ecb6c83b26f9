"""Local modes of a smooth function plus weighted absolute values, against closed forms."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayesreg.composite_mode import Local, Outcome, descend
from bayesreg.composite_quadratic import solve_quadratic

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector


@dataclass(frozen=True, eq=False)
class Plain:
    """``f(x) + Σ w|x|`` from callables, with constant weights."""

    f: Callable[[Vector], float]
    gradient: Callable[[Vector], Vector]
    curvature: Callable[[Vector], Matrix]
    weights: Vector

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return self.weights.size

    @property
    def kinked(self) -> NDArray[np.bool_]:
        """Where there is a kink."""
        return self.weights > 0

    @property
    def reach(self) -> Vector:
        """How far is away."""
        return np.full(self.size, 1e6)

    def evaluate(self, x: Vector) -> Local:
        """Value and one-sided gradient."""
        value = self.f(x) + float(self.weights @ np.abs(x))
        return Local(value, self.gradient(x) + self.weights * np.sign(x), self.weights)

    def hessian(self, x: Vector, columns: NDArray[np.intp]) -> Matrix:
        """Hessian of f among some coordinates."""
        return self.curvature(x)[np.ix_(columns, columns)]


def quadratic(H: Matrix, b: Vector, weights: Vector) -> Plain:
    """``x'Hx/2 − b'x + Σ w|x|``."""
    return Plain(
        lambda x: float(0.5 * x @ H @ x - b @ x), lambda x: H @ x - b, lambda _: H, weights
    )


def brute_force(H: Matrix, b: Vector, weights: Vector) -> Vector:
    """Minimiser over all sign patterns, each a linear system."""
    best: Vector = np.zeros(b.size)
    best_value = 0.0
    for pattern in itertools.product((-1.0, 0.0, 1.0), repeat=b.size):
        sign = np.array(pattern)
        on = np.flatnonzero((sign != 0) | (weights == 0))
        x = np.zeros(b.size)
        x[on] = np.linalg.solve(H[np.ix_(on, on)], (b - weights * sign)[on])
        value = float(0.5 * x @ H @ x - b @ x + weights @ np.abs(x))
        if value < best_value - 1e-15:
            best, best_value = x, value
    return best


@given(seed=st.integers(0, 10_000), size=st.integers(1, 4))
def test_quadratic_with_kinks_agrees_with_brute_force_over_signs(seed: int, size: int) -> None:
    """Both the quadratic's own solver and the whole descent, zeros being exactly 0."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(size + 2, size))
    H, b = A.T @ A, rng.normal(size=size) * 2
    weights = rng.uniform(0.2, 2.0, size) * (rng.random(size) < 0.7)
    truth = brute_force(H, b, weights)
    x0 = rng.normal(size=size)
    at = quadratic(H, b, weights).evaluate(x0)
    one = solve_quadratic(H, at.gradient, x0, weights, weights > 0)
    run = descend(quadratic(H, b, weights), x0)
    assert run.outcome is Outcome.STATIONARY
    for found in (one, run.x):
        np.testing.assert_allclose(found, truth, atol=1e-9 * (1 + np.abs(truth).max()))
        np.testing.assert_array_equal(found[weights > 0] == 0, truth[weights > 0] == 0)


def test_saddle_point_is_left() -> None:
    """(xy − 2)² + (x² + y²)/10 has a saddle at 0, where its gradient vanishes exactly."""
    saddle = Plain(
        lambda x: float((x[0] * x[1] - 2) ** 2 + 0.1 * x @ x),
        lambda x: 2 * (x[0] * x[1] - 2) * x[::-1] + 0.2 * x,
        lambda x: np.array(
            [
                [2 * x[1] ** 2 + 0.2, 4 * x[0] * x[1] - 4],
                [4 * x[0] * x[1] - 4, 2 * x[0] ** 2 + 0.2],
            ]
        ),
        np.zeros(2),
    )
    run = descend(saddle, np.zeros(2))
    # By symmetry x = y = ±√t, where 2(t − 2) + 0.2 = 0.
    assert run.outcome is Outcome.STATIONARY
    np.testing.assert_allclose(np.abs(run.x), np.sqrt(1.9), rtol=1e-12)


def test_kink_holds_a_maximum_of_the_smooth_part() -> None:
    """−x²/2 + x⁴/4 + |x| has its only local mode at the kink: 0 exactly."""
    bump = Plain(
        lambda x: float(-(x[0] ** 2) / 2 + x[0] ** 4 / 4),
        lambda x: -x + x**3,
        lambda x: np.array([[-1 + 3 * x[0] ** 2]]),
        np.ones(1),
    )
    for start in (-0.7, 0.0, 0.3, 4.0):
        run = descend(bump, np.array([start]))
        assert run.outcome is Outcome.STATIONARY
        assert run.x[0] == 0.0


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_linear_objective_runs_away_and_says_where(weight: float) -> None:
    """−2x + w|x| falls for ever."""
    line = Plain(
        lambda x: float(-2 * x[0]),
        lambda _: np.full(1, -2.0),
        lambda _: np.zeros((1, 1)),
        np.full(1, weight),
    )
    run = descend(line, np.zeros(1))
    assert run.outcome is Outcome.RUNAWAY
    assert run.direction[0] == 1.0
    assert run.slope < -1e3


def test_mode_at_infinity_is_no_mode() -> None:
    """exp(−x) has a vanishing derivative ever further out, but Newton's steps do not shrink."""
    tail = Plain(
        lambda x: float(np.exp(-x[0])),
        lambda x: -np.exp(-x),
        lambda x: np.array([[np.exp(-x[0])]]),
        np.zeros(1),
    )
    run = descend(tail, np.zeros(1))
    assert run.outcome is Outcome.RUNAWAY
    assert abs(run.slope) < 1e-6


def test_start_outside_is_told_apart() -> None:
    """A start where the objective is not finite gives a run without steps."""
    root = Plain(
        lambda x: float(-np.log(x[0])), lambda x: -1 / x, lambda x: np.diag(1 / x**2), np.zeros(1)
    )
    run = descend(root, np.array([-1.0]))
    assert run.outcome is Outcome.OUTSIDE
    assert run.iterations == 0


def test_start_is_not_changed() -> None:
    """The caller's array stays as it was."""
    start = np.ones(2)
    descend(quadratic(np.eye(2), np.zeros(2), np.ones(2)), start)
    np.testing.assert_array_equal(start, 1.0)
