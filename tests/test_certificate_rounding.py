"""Penalties so weak that rounding of the correlations is what they are compared with."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import bayesreg as br
from bayesreg.solvers import solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

PRIORS: dict[str, Callable[[float, int], Any]] = {
    "level free": lambda lam, _p: br.Fused(1 / lam),
    "level too": lambda lam, _p: br.Fused(1 / lam, first_scale=3 / lam),
    "beside others": lambda lam, p: [
        (br.Fused(1 / lam), list(range(p - 1))),
        (br.Laplace(1 / lam), [p - 1]),
    ],
    "sup": lambda lam, _p: br.LInfinity(1 / lam),
    "sorted": lambda lam, p: br.Slope(1 / lam, weights=np.linspace(2.0, 1.0, p)),
}


def drawn(kind: str, rng: np.random.Generator) -> tuple[Problem, Fraction]:
    """A problem of any shape, with duplicates at times, and the weight of its penalty."""
    n, p = int(rng.integers(2, 9)), int(rng.integers(3, 8))
    X, y = rng.normal(size=(n, p)), rng.normal(size=n) * 10.0 ** rng.uniform(-1, 2)
    if rng.random() < 0.3:
        X[:, 1] = X[:, 0]
    lam = 10.0 ** rng.uniform(-12, 0)
    prior = PRIORS[kind](lam, p)
    likelihood = br.Gaussian(1.0)
    problem = br.Problem(X, y, likelihood=likelihood, prior=prior, intercept=rng.random() < 0.5)
    return problem, 1 / Fraction(1 / lam)


def objective(problem: Problem, lam: Fraction, coef: Vector, intercept: float) -> Fraction:
    """Value of a fused lasso whose level is free, as a fraction."""
    beta = [Fraction(float(b)) for b in coef]
    total = lam * sum(abs(b - a) for a, b in pairwise(beta))
    for row, target in zip(problem.design.X, problem.design.y, strict=True):
        left = Fraction(float(target)) - Fraction(intercept)
        left -= sum(Fraction(float(x)) * b for x, b in zip(row, beta, strict=True))
        total += left * left / 2
    return total


@pytest.mark.parametrize("kind", PRIORS)
def test_modes_under_weak_penalties_are_certified(kind: str) -> None:
    """From 1e-12 on, more columns than rows, duplicates; moved by 1e-3 they are not."""
    rng = np.random.default_rng(4)
    for _ in range(40):
        problem, _ = drawn(kind, rng)
        mode = solve(problem)
        certificate = br.certify(problem, mode.coef, mode.intercept)
        assert certificate.optimal, str(certificate)
        assert certificate.gap_tolerance < 1e-6
        moved = mode.coef * 1.001
        best = problem.penalised(mode.coef, mode.intercept)
        if problem.penalised(moved, mode.intercept) > best + 1e-6:
            assert not br.certify(problem, moved, mode.intercept).optimal


def test_no_gap_of_a_weak_penalty_is_below_the_excess() -> None:
    """Moved coefficients, flipped zeros and another weight, against exact fractions."""
    rng, refused = np.random.default_rng(9), 0
    for _ in range(60):
        problem, lam = drawn("level free", rng)
        mode = solve(problem)
        best, largest = objective(problem, lam, mode.coef, mode.intercept), np.abs(mode.coef).max()
        one = mode.coef.copy()
        one[rng.integers(one.size)] += 1e-4 * largest
        stronger = solve(problem.with_prior(br.Fused(float(1 / (2 * lam)))))
        for coef, level in (
            (mode.coef * (1 + 1e-4 * rng.normal(size=one.size)), mode.intercept),
            (one, mode.intercept),
            (np.where(mode.coef == mode.coef[0], largest, mode.coef), mode.intercept),
            (stronger.coef, stronger.intercept),
        ):
            found = br.certify(problem, coef, level)
            excess = float(objective(problem, lam, coef, level) - best)
            assert found.gap + (found.gap_tolerance - 1e-9) >= excess * (1 - 1e-9) - 1e-12
            assert not (found.optimal and excess > found.gap_tolerance)
            refused += not found.optimal
        assert not br.certify(problem, np.full(one.size, math.nan), 0.0).optimal
    assert refused > 120


def test_a_free_level_is_judged_by_more_than_rounding_of_its_pull() -> None:
    """Columns that nearly depend on each other, standardised, under ever weaker penalties."""
    x = np.array([-1137179.1, -1336097.1, -2077853.6, 1609750.4])
    X = np.column_stack([x, 1.05e-4 * x * (1 + 1e-5 * np.array([1.0, -2.0, 0.5, 0.3]))])
    problem = br.Problem(
        X,
        [-1.02e-06, -2.22e-07, 3.26e-07, 4.69e-07],
        likelihood=br.Gaussian(5.85e-7),
        prior=br.Fused(2e8),
        weights=[0.75, 17.8, 1.97, 39.1],
        intercept=False,
        standardize=True,
    )
    for scale in (2e8, 1e9, 2e11):
        there = problem.with_prior(br.Fused(scale))
        mode = br.find_map(there)
        assert mode.certificate.optimal
        assert not br.certify(there, mode.coef * (1 + 1e-5)).optimal


@pytest.mark.parametrize("apart", [1e-3, 1e-6, 1e-8, 1e-9])
@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-9])
def test_a_free_level_along_which_columns_nearly_cancel(apart: float, scale: float) -> None:
    """Zeros are 12.7 nats above the mode however small the pull on the level is in numbers."""
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 20))
    y = 2 * z + rng.normal(size=20)
    X = np.column_stack([x, -x + apart * z])
    prior = br.Fused(scale)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior, intercept=False)
    assert br.find_map(problem).certificate.optimal
    found = br.certify(problem, np.zeros(2))
    level = X.sum(axis=1)
    assert found.gap == pytest.approx(0.5 * (level @ y) ** 2 / (level @ level), rel=1e-5)
    assert not found.optimal


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("scale", [1e-2, 1e-7, 1e-10, 1e-12])
def test_the_gap_of_a_moved_level_is_what_it_costs(scale: float, beside: bool) -> None:
    """A parabola along the level, whatever the weight of the differences."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 4))
    y = X.sum(axis=1) + rng.normal(size=20)
    prior: Any = [(br.Fused(scale), [0, 1, 2]), (br.Flat(), [3])]
    if not beside:
        X, prior = X[:, :3], br.Fused(scale)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior, intercept=False)
    mode = br.find_map(problem).coef
    for move in (1e-4, 1e-2, 1.0):
        moved = mode.copy()
        moved[:3] += move
        excess = problem.penalised(moved, 0.0) - problem.penalised(mode, 0.0)
        found = br.certify(problem, moved)
        assert found.gap >= excess * (1 - 1e-6) - 1e-12
        assert not found.optimal
