"""Exact modes under priors that tie coefficients: every prior, likelihood and setting."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skglm.datafits import QuadraticGroup
from skglm.penalties import WeightedGroupL2
from skglm.solvers import GroupBCD
from skglm.utils.data import grp_converter

import bayesreg as br
from bayesreg.errors import ImproperPosterior, InputError
from bayesreg.penalties import stationarity
from bayesreg.priors import Fused, GroupLaplace, LInfinity, Prior, Slope, UniformBall
from bayesreg.solvers import along_manifold, manifold, proximal_point, solve
from bayesreg.solvers.proximal_point import proximal_points
from tests.problems import P, data, likelihood_examples, norm_examples

if TYPE_CHECKING:
    from bayesreg._validation import Vector

EXAMPLES, LIKELIHOODS = norm_examples(), likelihood_examples()
MIXED = [
    (GroupLaplace(0.2, [[0, 1]]), ["x0", "x3"]),
    (UniformBall(0.2, "l1"), ["x1", "x4"]),
    (br.ElasticNet(0.5, 0.5), ["x2"]),
]


def problem(
    prior: object,
    family: str = "gaussian",
    seed: int = 0,
    *,
    n: int = 40,
    p: int = P,
    **settings: object,
) -> br.Problem:
    """Data of the bank under a prior."""
    X, y = data(LIKELIHOODS[family], seed, n=n, p=p)
    return br.Problem(X, y, likelihood=LIKELIHOODS[family], prior=prior, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("family", "intercept", "plain"), list(product(LIKELIHOODS, (True, False), (True, False)))
)
@pytest.mark.parametrize("name", [*EXAMPLES, "mixed"])
def test_mode_is_certified(name: str, family: str, intercept: bool, plain: bool) -> None:
    """KKT residual, and a duality gap if there is one, at rounding error on every problem."""
    prior = MIXED if name == "mixed" else EXAMPLES[name]
    seed = sum(map(ord, name + family)) % 7
    rng = np.random.default_rng(seed)
    asked = problem(
        prior,
        family,
        seed,
        intercept=intercept,
        weights=None if plain else rng.uniform(0.5, 2.0, 40),
        offset=None if plain else rng.normal(size=40) / 10,
        standardize=bool(seed % 2) and plain,
    )
    found = solve(asked)
    judged = br.certify(asked, found.coef, found.intercept)
    assert judged.minimum
    assert judged.kkt < 1e-10
    assert judged.gap < 1e-10 or not judged.convex
    moved = found.coef + 1e-4 * np.eye(P)[seed % P]
    assert not br.certify(asked, moved, found.intercept).minimum


WIDE: dict[str, Prior] = {
    "group": GroupLaplace(0.5, [[j, j + 1, j + 2] for j in range(0, 45, 3)]),
    "sup": LInfinity(0.5),
    "slope": Slope(0.5, np.linspace(2, 0.5, 45)),
    "slope-vector": Slope(np.geomspace(0.1, 2, 45), np.linspace(2, 0.5, 45)),
    "l1": UniformBall(1.0, "l1"),
    "l2": UniformBall(0.5),
    "linf": UniformBall(0.1, "linf"),
    "fused": Fused(0.3),
}


@pytest.mark.parametrize("family", LIKELIHOODS)
@pytest.mark.parametrize("name", WIDE)
def test_mode_with_more_columns_than_rows(name: str, family: str) -> None:
    """Three times as many columns as rows, correlated: still to rounding error."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(15, 45)) + rng.normal(size=(15, 1))
    y = LIKELIHOODS[family].draw((X[:, :3].sum(axis=1) / 3)[None], np.ones(15), rng)[0]
    asked = br.Problem(X, y, likelihood=LIKELIHOODS[family], prior=WIDE[name])
    found = solve(asked)
    judged = br.certify(asked, found.coef, found.intercept)
    assert judged.minimum
    assert judged.kkt < 1e-10
    assert judged.gap < 1e-9 or not judged.convex


# --------------------------------------------------------------------------- what they reduce to


@pytest.mark.parametrize("family", LIKELIHOODS)
@pytest.mark.parametrize(
    "prior",
    [GroupLaplace(0.1, []), Slope(0.1, np.ones(P)), GroupLaplace(0.1, [[j] for j in range(P)])],
)
def test_norms_that_are_the_absolute_sum_give_the_lasso(prior: Prior, family: str) -> None:
    """Groups of one and constant SLOPE weights: the lasso's mode, zeros included."""
    asked = problem(prior, family)
    found, expected = solve(asked), solve(asked.with_prior(br.Laplace(0.1)))
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-10, atol=1e-13)
    np.testing.assert_array_equal(found.coef == 0, expected.coef == 0)


@pytest.mark.parametrize("prior", [LInfinity(0.3), Slope(0.3, [1.0]), Fused(9.0, first_scale=0.3)])
def test_one_column_gives_the_lasso(prior: Prior) -> None:
    """Every norm of one number is its absolute value."""
    X, y = data(LIKELIHOODS["gaussian"], 0)
    single = br.Problem(X[:, :1], y, likelihood=br.Gaussian(0.7), prior=prior)
    expected = solve(single.with_prior(br.Laplace(0.3)))
    np.testing.assert_allclose(solve(single).coef, expected.coef, rtol=1e-12)


@pytest.mark.parametrize("family", LIKELIHOODS)
@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_a_large_ball_does_not_matter(norm: str, family: str) -> None:
    """Inside of its ball the solution is the unpenalised one."""
    asked = problem(UniformBall(50.0, norm), family)  # type: ignore[arg-type]
    expected = solve(asked.with_prior(br.Flat()))
    np.testing.assert_allclose(solve(asked).coef, expected.coef, rtol=1e-9)


def test_a_ball_makes_a_separated_target_proper() -> None:
    """Without one, a separated logistic regression has no mode; on a compact set it has."""
    X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), [0, 0, 1, 1]
    asked = br.Problem(X, y, likelihood=br.Bernoulli(), prior=UniformBall(3.0))
    found = br.find_map(asked)
    np.testing.assert_allclose(found.coef, [3.0], rtol=1e-14)
    with pytest.raises(ImproperPosterior):
        br.find_map(asked.with_prior(br.Flat()))


@pytest.mark.parametrize("family", LIKELIHOODS)
@pytest.mark.parametrize("first", [np.inf, 0.3])
def test_fused_is_the_lasso_of_the_steps(family: str, first: float) -> None:
    """Summing the columns from the right turns coefficients into their differences."""
    asked = problem(Fused(0.2, first), family, 3)
    found = solve(asked)
    sums = np.cumsum(asked.design.X[:, ::-1], axis=1)[:, ::-1]
    scale = np.full(P, 0.2)
    scale[0] = first
    steps = solve(
        br.Problem(sums, asked.design.y, likelihood=asked.likelihood, prior=br.Laplace(scale))
    )
    np.testing.assert_allclose(found.coef, np.cumsum(steps.coef), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(np.diff(found.coef) == 0, steps.coef[1:] == 0)


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_balls_on_orthonormal_columns_are_projections(norm: str) -> None:
    """The mode is the nearest point of the ball to X'y."""
    y = np.array([3.0, -1.0, 0.2, 1.5])
    ball = UniformBall(2.0, norm)  # type: ignore[arg-type]
    asked = br.Problem(np.eye(4), y, likelihood=br.Gaussian(1.0), prior=ball, intercept=False)
    closed = {
        "l1": np.array([1.75, 0.0, 0.0, 0.25]),
        "l2": 2.0 * y / np.linalg.norm(y),
        "linf": np.clip(y, -2.0, 2.0),
    }[norm]
    np.testing.assert_allclose(solve(asked).coef, closed, rtol=1e-13, atol=1e-15)


def test_sup_norm_and_slope_tie_exactly() -> None:
    """Coefficients held together are equal to the last digit, with their signs."""
    y = np.array([3.0, -2.9, 0.5])
    sup = br.Problem(
        np.eye(3), y, likelihood=br.Gaussian(1.0), prior=LInfinity(1.0), intercept=False
    )
    coef = solve(sup).coef
    np.testing.assert_allclose(coef, [2.45, -2.45, 0.5], rtol=1e-13)
    assert coef[0] == -coef[1]
    slope = sup.with_prior(Slope(1.0, [1.0, 0.6, 0.6]))
    coef = solve(slope).coef
    np.testing.assert_allclose(coef, [2.15, -2.15, 0.0], rtol=1e-13)
    assert coef[0] == -coef[1]
    assert coef[2] == 0.0


# --------------------------------------------------------------------------- peers and properties


@pytest.mark.slow  # compiling skglm's group solver takes 20 s
def test_group_lasso_agrees_with_skglm() -> None:
    """There it is RSS/(2n) + α Σ‖β_g‖, so σ²/n times ours, α = σ²/(n b)."""
    rng = np.random.default_rng(3)
    X, groups = rng.normal(size=(60, 12)), [[0, 1, 2], [3, 4, 5, 6], [7, 8], [9, 10, 11]]
    y = X[:, 0] - X[:, 4] + rng.normal(size=60)
    indices, pointers = grp_converter(groups, 12)
    scale, sigma = 0.05, 1.3
    penalty = WeightedGroupL2(sigma**2 / (60 * scale), np.ones(4), pointers, indices)
    peer = GroupBCD(tol=1e-12, max_iter=10_000, max_epochs=10_000).solve(
        np.asfortranarray(X), y, QuadraticGroup(pointers, indices), penalty
    )[0]
    asked = br.Problem(
        X, y, likelihood=br.Gaussian(sigma), prior=GroupLaplace(scale, groups), intercept=False
    )
    found = solve(asked)
    assert 0 < (found.coef == 0).sum() < 12
    np.testing.assert_allclose(found.coef, peer[:12], atol=1e-7)
    assert asked.objective(found.coef) <= asked.objective(peer[:12]) + 1e-12


@pytest.mark.parametrize("name", ["group", "sup", "slope", "l1-ball", "l2-ball", "sup-ball"])
@settings(max_examples=15)
@given(
    order=st.permutations(range(P)),
    signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=P, max_size=P),
)
def test_permutations_and_signs(name: str, order: list[int], signs: list[float]) -> None:
    """Renaming or flipping columns does the same to the mode (groups follow their columns)."""
    prior, flip = EXAMPLES[name], np.array(signs)
    asked = problem(prior, seed=2)
    if isinstance(prior, GroupLaplace):
        prior = GroupLaplace(0.1, [[order.index(j) for j in group] for group in prior.groups])
    X = asked.design.X[:, order] * flip
    other = br.Problem(X, asked.design.y, likelihood=asked.likelihood, prior=prior)
    expected = solve(asked).coef[order] * flip
    np.testing.assert_allclose(solve(other).coef, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "name", ["group-vector", "sup", "slope", "l1-ball", "l2-ball", "fused-proper"]
)
@settings(max_examples=15)
@given(power=st.lists(st.integers(-8, 8), min_size=P, max_size=P))
def test_change_of_units(name: str, power: list[int]) -> None:
    """Columns in other units, with a prior that follows them: the same predictor."""
    asked, factor = problem(EXAMPLES[name], seed=4), 2.0 ** np.array(power)
    other = br.Problem(
        asked.design.X / factor,
        asked.design.y,
        likelihood=asked.likelihood,
        prior=EXAMPLES[name].rescaled(factor),
    )
    np.testing.assert_allclose(solve(other).coef, solve(asked).coef * factor, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("name", ["group", "sup", "slope", "fused-proper"])
def test_a_strong_prior_gives_zeros_and_a_start_changes_nothing(name: str) -> None:
    """At λ ≥ λmax all is exactly 0; from any start the mode is the same."""
    strong = problem(EXAMPLES[name].rescaled(np.full(P, 1e-4)), seed=1)
    assert not solve(strong).coef.any()
    asked = problem(EXAMPLES[name], seed=1)
    cold, warm = solve(asked), solve(asked, coef=np.arange(float(P)), intercept=3.0)
    np.testing.assert_allclose(warm.coef, cold.coef, rtol=1e-10, atol=1e-13)


def test_duplicate_columns_have_a_mode_that_is_not_unique() -> None:
    """Two equal columns in different groups: certified, and not called unique."""
    base = problem(br.Flat(), seed=6).design
    X = np.column_stack([base.X, base.X[:, 0]])
    for prior in (GroupLaplace(0.2, [[0, 1], [5, 2]]), LInfinity(0.05), UniformBall(0.4, "linf")):
        asked = br.Problem(X, base.y, likelihood=br.Gaussian(0.7), prior=prior)
        found = solve(asked)
        judged = br.certify(asked, found.coef, found.intercept)
        assert judged.optimal
        assert judged.kkt < 1e-10


def test_badly_scaled_columns_far_from_their_origin() -> None:
    """Columns at 1e6 with units from 1e-3 to 1e3 keep their digits."""
    rng = np.random.default_rng(8)
    units = np.geomspace(1e-3, 1e3, P)
    X = (rng.normal(size=(50, P)) + 1e4) * units
    y = (X / units)[:, 0] + rng.normal(size=50)
    for prior in (GroupLaplace(0.1 / units, [[0, 1]]), Slope(0.1 / units, np.linspace(2, 1, P))):
        asked = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior)
        found = solve(asked)
        assert br.certify(asked, found.coef, found.intercept).optimal


@pytest.mark.parametrize("noise", [1.0, 1e-2, 3e-5])
@pytest.mark.parametrize("scale", [1e2, 1e4, 1e6])
def test_nearly_flat_group_lasso_ends_at_its_mode(scale: float, noise: float) -> None:
    """A prior that next to nothing is left of decides: a group of equal columns is exactly 0."""
    X = np.array(
        [[-1.2, -1.2, 0.0, 0.1, -1.1], [-1.0, -1.0, -0.1, 1.1, 0.2], [-1.0, -1.0, 0.4, 1.4, -1.3]]
    )
    y = np.array([3.7, -1.4, -0.8]) * noise / 3.0
    prior = GroupLaplace(scale, [[0, 1], [2, 3, 4]])
    asked = br.Problem(X, y, likelihood=br.Gaussian(noise), prior=prior)
    found = br.find_map(asked)
    assert found.certificate.optimal
    assert not found.coef[:2].any()
    np.testing.assert_allclose(X @ found.coef + found.intercept, y, atol=1e-2 * noise)


def weak(name: str, family: str) -> br.Problem:
    """Twice as many columns as rows under a prior of which next to nothing is left."""
    n, p = 15, 30
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, p))
    eta = X[:, :4] @ [2.0, -1.0, 1.0, 0.5]
    y = LIKELIHOODS[family].draw((eta / eta.std())[None], np.ones(n), rng)[0]
    pairs = [[j, j + 1] for j in range(0, p, 2)]
    prior: object = {
        "group": GroupLaplace(1e6, pairs),
        "slope": Slope(1e3, np.linspace(2, 1, p)),
        "sup": LInfinity(1e4),
        "fused": Fused(1e4, first_scale=1e4),
        "mixed": [
            (GroupLaplace(1e4, [[0, 1], [2, 3]]), [f"x{j}" for j in range(10)]),
            (Slope(1e4, np.linspace(2, 1, 15)), [f"x{j}" for j in range(10, 25)]),
            (br.Laplace(1e4), [f"x{j}" for j in range(25, 30)]),
        ],
    }[name]
    return br.Problem(X, y, likelihood=LIKELIHOODS[family], prior=prior)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "poisson"])
@pytest.mark.parametrize("name", ["group", "slope", "sup", "fused", "mixed"])
def test_weak_priors_on_more_columns_than_rows(
    name: str, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mode is certified, and first-order steps stay few: proximal points end at it."""
    taken, first_order = [], manifold._first_order

    def counted(work: along_manifold.Work, theta: Vector, steps: int) -> Vector:
        taken.append(steps)
        return first_order(work, theta, steps)

    monkeypatch.setattr(manifold, "_first_order", counted)
    found = br.find_map(weak(name, family))
    assert found.certificate.optimal
    assert found.certificate.kkt < 1e-10
    assert sum(taken) < 1000


@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "poisson"])
@pytest.mark.parametrize("name", ["group", "slope", "slope-vector", "sup", "fused"])
def test_a_proximal_point_is_stationary(name: str, family: str) -> None:
    """It is c − s times a subgradient there, and lies lower than the centre c."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(15, 45))
    y = LIKELIHOODS[family].draw((X[:, :3].sum(axis=1) / 3)[None], np.ones(15), rng)[0]
    asked = br.Problem(X, y, likelihood=LIKELIHOODS[family], prior=WIDE[name])
    work = along_manifold.Work.of(asked)
    centre = work.scaled.start(None, 0.0)
    first = next(proximal_points(work, centre, 200))
    assert work.loss(first) + work.whole.value(first) < work.loss(centre)
    _, gradient = work.loss_gradient(first)
    tilted = gradient + (first - centre) * work.lipschitz / proximal_point._FIRST
    # What is left of the dual's fall is 1e-20 of values near 10, and its curvature at most 1e5: the
    # dual's gradient, in units of the loss, is the root of their product at most. Subgradients: 2.
    assert work.whole.subdifferential_distance(first, tilted).max() < 1e-6


def test_parts_that_are_not_convex_are_refused() -> None:
    """A stationary point of such a mix is not what this solver finds."""
    prior = [(LInfinity(0.1), ["x0", "x1"]), (br.StudentT(nu=3.0, scale=1.0), ["x2", "x3", "x4"])]
    with pytest.raises(InputError, match="not convex"):
        manifold.solve(problem(prior))


@pytest.mark.parametrize("family", LIKELIHOODS)
@pytest.mark.parametrize("name", [*EXAMPLES, "mixed"])
def test_stationarity_along_the_manifold(name: str, family: str) -> None:
    """At a mode the gradient along every smooth direction is minus the slope of the penalty."""
    asked = problem(MIXED if name == "mixed" else EXAMPLES[name], family, 5)
    found = solve(asked)
    gradient = asked.gradient(found.coef, found.intercept)[0]
    directions, slopes = stationarity(asked.penalty, found.coef, gradient)
    assert directions.shape == (P, slopes.size)
    size = abs(directions).T @ np.abs(gradient) + 1.0
    assert (np.abs(directions.T @ gradient + slopes) < 1e-11 * size).all()


def test_a_stiff_ball() -> None:
    """Counts over six orders of magnitude, columns almost equal, almost as many as rows."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20, 18)) + 20 * rng.normal(size=(20, 1))
    y = rng.poisson(np.exp(np.clip(X[:, 0] / 4, -6, 6)))
    groups = [[j, j + 1] for j in range(0, 18, 2)]
    ball = UniformBall(2.0, "group", groups=groups)
    asked = br.Problem(X, y, likelihood=br.Poisson(), prior=ball)
    found = solve(asked)
    assert br.certify(asked, found.coef, found.intercept).kkt < 1e-9


@pytest.mark.parametrize("name", ["l1-ball", "l2-ball-vector", "sup-ball", "group-ball"])
@pytest.mark.parametrize("family", LIKELIHOODS)
def test_a_ball_by_its_multiplier(name: str, family: str) -> None:
    """The way out where the direct one takes too long: the penalised problem of the same norm."""
    asked = problem(EXAMPLES[name], family, 1)
    work = along_manifold.Work.of(asked)
    start = work.scaled.start(None, 0.0)
    theta = manifold._by_multiplier(work, manifold._balls(asked.penalty)[0], start)
    np.testing.assert_allclose(work.coef(theta), solve(asked).coef, rtol=1e-7, atol=1e-10)
