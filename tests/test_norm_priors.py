"""Priors of coefficients together: densities, draws, and the penalties that they are."""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.integrate import quad

import bayesreg as br
from bayesreg.blocks import Blocks, same_prior
from bayesreg.errors import InputError
from bayesreg.penalties._projections import sorted_prox
from bayesreg.priors import Fused, GroupLaplace, LInfinity, Slope, UniformBall
from bayesreg.priors.norms import JointPrior, NormPrior
from tests.problems import P, every_example, norm_examples

if TYPE_CHECKING:
    from bayesreg.priors import Prior

EXAMPLES = norm_examples()
SCALES = np.array([0.5, 2.0, 1.0])
FIRST: dict[str, JointPrior] = {
    "group": GroupLaplace(SCALES[:2], [[0, 1]]),
    "groups of one": GroupLaplace(0.7, []),
    "sup": LInfinity(SCALES[:2]),
    "slope": Slope(SCALES[:2], [2.0, 0.5]),
    "l1": UniformBall(1.5, "l1", scale=SCALES[:2]),
    "l2": UniformBall(1.5, scale=SCALES[:2]),
    "linf": UniformBall(1.5, "linf", scale=SCALES[:2]),
}
vectors = hnp.arrays(np.float64, P, elements=st.floats(-10, 10))
steps = st.floats(0.01, 10)


def test_every_prior_has_an_example() -> None:
    """A new prior without one fails here."""
    assert every_example()


# --------------------------------------------------------------------------- densities


def angle_integral(prior: Prior, angle: float) -> float:
    """Integral over a ray in the plane, ``∫ r density dr``."""
    way = np.array([np.cos(angle), np.sin(angle)])
    inside = np.exp(prior.log_density(np.zeros(2)))
    if isinstance(prior, UniformBall):
        low, high = 0.0, 100.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (
                (middle, high) if np.isfinite(prior.log_density(middle * way)) else (low, middle)
            )
        return float(inside * low**2 / 2)
    # exp(−r N): the norm comes from the density at 1.
    norm = prior.log_density(np.zeros(2)) - prior.log_density(way)
    return float(inside / norm**2)


@pytest.mark.parametrize("name", FIRST)
def test_density_in_the_plane_integrates_to_one(name: str) -> None:
    """In polar coordinates, whose radial integral is closed."""
    prior = FIRST[name]
    corners = np.arctan2([0.5, 2.0], [2.0, 0.5])
    kinks = sorted({0.0, np.pi / 2, *corners})
    total = 0.0
    for a, b in pairwise(kinks):
        total += 4 * quad(lambda t: angle_integral(prior, t), a, b, epsabs=1e-11)[0]
    assert total == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("p", [1, 2, 3, 6])
def test_normalisers_are_the_published_ones(p: int) -> None:
    """Group: 2π^(d/2)Γ(d)/Γ(d/2); sup: 2^p p!; balls: volumes."""
    log = [
        GroupLaplace(1.0, [list(range(p))]).log_normalizer(p),
        LInfinity(1.0).log_normalizer(p),
        Slope(1.0, np.ones(p)).log_normalizer(p),
        Slope(1.0, np.eye(p)[0]).log_normalizer(p),
        UniformBall(2.0, "l1").log_normalizer(p),
        UniformBall(2.0, "linf").log_normalizer(p),
    ]
    factorial = float(np.prod(np.arange(1.0, p + 1)))
    sphere = {1: 2.0, 2: 2 * np.pi, 3: 4 * np.pi, 6: np.pi**3}[p]
    values = [
        sphere * factorial / p,
        2.0**p * factorial,
        2.0**p,
        2.0**p * factorial,
        4.0**p / factorial,
        4.0**p,
    ]
    np.testing.assert_allclose(log, np.log(values), rtol=1e-12, atol=1e-12)


def test_one_coefficient_is_a_laplace() -> None:
    """Every norm of one number is its absolute value."""
    x = np.array([0.7])
    expected = stats.laplace(scale=0.3).logpdf(0.7)
    one = [GroupLaplace(0.3, [[0]]), LInfinity(0.3), Slope(0.3, [1.0]), Fused(5.0, first_scale=0.3)]
    for prior in one:
        assert prior.log_density(x) == pytest.approx(expected, rel=1e-14)


def test_fused_density_is_that_of_its_steps() -> None:
    """The product of Laplace densities of the differences; a flat level counts 1."""
    u, factor = np.array([0.3, -1.0, 0.5]), np.array([0.5, 2.0, 1.0])
    steps = stats.laplace(scale=0.7).logpdf(np.diff(u)).sum()
    first = stats.laplace(scale=0.2).logpdf(u[0])
    assert Fused(0.7).log_density(u) == pytest.approx(steps, rel=1e-14)
    assert Fused(0.7, 0.2).log_density(u) == pytest.approx(steps + first, rel=1e-14)
    scaled = Fused(0.7, 0.2, factor=factor).log_density(u * factor)
    assert scaled == pytest.approx(steps + first - np.log(factor).sum(), rel=1e-14)


@pytest.mark.parametrize("name", EXAMPLES)
def test_rescaled_is_the_change_of_variables(name: str) -> None:
    """The density of factor·β is that of β over the product of the factors."""
    prior, factor, x = EXAMPLES[name], np.geomspace(0.1, 10, P), np.linspace(-0.02, 0.02, P)
    jacobian = np.log(factor)
    if isinstance(prior, Fused) and np.isinf(prior.first_scale):
        jacobian[0] = 0.0
    expected = prior.log_density(x) - jacobian.sum()
    assert prior.rescaled(factor).log_density(x * factor) == pytest.approx(expected, rel=1e-11)


# --------------------------------------------------------------------------- draws and moments


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n != "fused"])
def test_draws_have_the_moments_that_the_prior_states(name: str) -> None:
    """Mean and covariance of 40 000 draws, to five standard errors."""
    prior = EXAMPLES[name]
    assert isinstance(prior, JointPrior | Fused)
    draws = prior.draw(P, np.random.default_rng(1), 40_000)
    mean, variance = prior.moments(P)
    covariance = prior.covariance(P)
    np.testing.assert_allclose(np.diag(covariance), variance, rtol=1e-14)
    unit = draws / np.sqrt(variance)
    assert draws.shape == (40_000, P)
    assert np.abs(unit.mean(axis=0) - mean).max() < 5 / 200
    products = unit[:, :, None] * unit[:, None, :]
    error = products.std(axis=0) / 200
    expected = covariance / np.sqrt(np.outer(variance, variance))
    assert (np.abs(products.mean(axis=0) - expected) < 5 * error).all()


@pytest.mark.parametrize("name", [n for n, q in EXAMPLES.items() if isinstance(q, JointPrior)])
def test_draws_have_the_radial_distribution(name: str) -> None:
    """N(β) is Gamma(p) under exp(−N); in a ball its p-th power is uniform."""
    prior = EXAMPLES[name]
    assert isinstance(prior, JointPrior)
    draws = prior.draw(P, np.random.default_rng(2), 4000)
    if isinstance(prior, NormPrior):
        radii = np.array([prior.penalty(P).value(row) for row in draws])
        cdf = stats.gamma(P).cdf
    else:
        assert isinstance(prior, UniformBall)
        shape = prior.exponential(P, 1 / prior.radius).penalty(P)
        radii = np.array([shape.value(row) for row in draws]) ** P
        cdf = stats.uniform().cdf
        assert all(np.isfinite(prior.log_density(row)) for row in draws[:200])
    assert stats.kstest(radii, cdf).pvalue > 1e-3


def test_slope_variances_follow_the_order_statistics() -> None:
    """With weights (1, 0) it is the sup norm, with equal ones p Laplaces."""
    np.testing.assert_allclose(
        Slope(2.0, [1.0, 0.0, 0.0]).covariance(3), LInfinity(2.0).covariance(3), rtol=1e-13
    )
    np.testing.assert_allclose(Slope(2.0, np.ones(3)).moments(3)[1], 2 * 2.0**2, rtol=1e-13)


def test_a_flat_level_has_no_moments_and_no_draws() -> None:
    """An improper density says so."""
    mean, variance = Fused(1.0).moments(2)
    assert np.isnan(mean).all()
    assert np.isinf(variance).all()
    with pytest.raises(InputError, match="first_scale: is inf"):
        Fused(1.0).draw(2, np.random.default_rng(0), 1)


# --------------------------------------------------------------------------- penalties


@pytest.mark.parametrize("name", EXAMPLES)
@given(point=vectors, other=vectors, step=steps)
def test_prox_is_optimal(name: str, point: np.ndarray, other: np.ndarray, step: float) -> None:
    """KKT holds there, and no other point does better (any point, pulled into a ball)."""
    penalty = EXAMPLES[name].penalty(P)
    best = penalty.prox(point, step)
    other = penalty.prox(other, 1e-9)

    def value(u: np.ndarray) -> float:
        return float(((u - point) ** 2).sum()) / (2 * step) + penalty.value(u)

    assert value(best) <= value(other) + 1e-9 * (1 + abs(value(other)))
    distance = penalty.subdifferential_distance(best, (best - point) / step)
    assert (distance <= 1e-9 * (20 + np.abs(point / step))).all()


@pytest.mark.parametrize("name", EXAMPLES)
@given(point=vectors, gradient=vectors)
def test_distance_is_that_of_steepest_descent(
    name: str, point: np.ndarray, gradient: np.ndarray
) -> None:
    """The rate at which short proximal steps leave a point, zeros and ties among them.

    ``(β − prox(β − ε g, ε))/ε`` tends to the element of ``g + ∂penalty`` nearest to 0.
    """
    penalty = EXAMPLES[name].penalty(P)
    coef = penalty.prox(point, 0.1)
    step = 1e-7
    rate = np.abs(coef - penalty.prox(coef - step * gradient, step)) / step
    distance = penalty.subdifferential_distance(coef, gradient)
    size = 1 + np.abs(gradient).max() + np.linalg.norm(distance)
    near = near_a_kink(name, coef, step * 1e3)
    if not near:
        np.testing.assert_allclose(distance, rate, atol=3e-4 * size)


def near_a_kink(name: str, coef: np.ndarray, reach: float) -> bool:
    """Whether a short step may run into a kink, a border or a strong bend that it is not on."""
    penalty = EXAMPLES[name].penalty(P)
    moved = [penalty.prox(coef, reach), penalty.prox(coef, reach * 1e-4)]
    pattern = [tie_pattern(name, u) for u in (coef, *moved)]
    size = np.abs(coef[coef != 0])
    return pattern[0] != pattern[1] or pattern[0] != pattern[2] or bool((size < 1e-2).any())


def tie_pattern(name: str, coef: np.ndarray) -> list[int]:
    """Which entries are zero, and which agree with which."""
    prior = EXAMPLES[name].rescaled(np.ones(P))
    unit = getattr(prior, "scale", 1.0) * getattr(prior, "factor", 1.0)
    size = np.abs(coef / unit)
    ties = np.abs(size[:, None] - size[None, :]) <= 1e-5 * size.max(initial=1.0)
    return [*(size == 0).astype(int).tolist(), *ties.astype(int).ravel().tolist()]


@pytest.mark.parametrize("name", [n for n, q in EXAMPLES.items() if isinstance(q, NormPrior)])
@given(point=vectors)
def test_prox_and_dual_ball_share_a_point_out(name: str, point: np.ndarray) -> None:
    """Moreau: what a prox takes off is the projection onto the dual ball, ∂N(0)."""
    penalty = EXAMPLES[name].penalty(P)
    rest = penalty.subdifferential_distance(np.zeros(P), -point)
    np.testing.assert_allclose(rest, np.abs(penalty.prox(point, 1.0)), atol=1e-12 * 100)


@pytest.mark.parametrize("name", EXAMPLES)
@given(point=vectors, coef=vectors, dual=vectors)
def test_fenchel_young(name: str, point: np.ndarray, coef: np.ndarray, dual: np.ndarray) -> None:
    """0 between prox and its rest; else never negative, and linear in the coefficients."""
    penalty = EXAMPLES[name].penalty(P)
    best = penalty.prox(point, 1.0)
    rest, shrunk = best - point, dual * penalty.dual_scale(dual)
    if name == "fused":  # the free level asks duals for a sum of 0, whatever was rounded
        rest, shrunk = (v - math.fsum(v) / P for v in (rest, shrunk))
        shrunk = shrunk * penalty.dual_scale(shrunk)
    assert 0 <= penalty.fenchel_young(best, rest) <= 1e-10
    inside = penalty.prox(coef, 1e-9)
    value = penalty.fenchel_young(inside, shrunk)
    # The conjugate at −dual: 0 for a norm in its domain, the height of the ball for a ball.
    far = penalty.prox(-1e5 * shrunk, 1.0)
    conjugate = float(-shrunk @ far) if isinstance(EXAMPLES[name], UniformBall) else 0.0
    expected = penalty.value(inside) + conjugate + float(shrunk @ inside)
    assert value >= 0
    assert value == pytest.approx(expected, abs=1e-6)


def extreme_points(name: str) -> np.ndarray:
    """Corners of the unit ball of the sup norm and of SLOPE: signs over sums of weights."""
    prior = EXAMPLES[name]
    signs = np.array(list(product([-1.0, 0.0, 1.0], repeat=P))[: 3**P])
    signs = signs[signs.any(axis=1)]
    if isinstance(prior, Slope):
        signs = signs / np.cumsum(prior.weights)[np.abs(signs).sum(axis=1).astype(int) - 1][:, None]
    return signs * prior.parameters(P)["scale"]


@pytest.mark.parametrize("name", ["sup", "sup-vector", "slope", "slope-vector"])
@given(dual=vectors)
def test_dual_scale_reaches_the_farthest_corner(name: str, dual: np.ndarray) -> None:
    """The dual norm is the largest product with a corner of the unit ball, by enumeration."""
    penalty, largest = EXAMPLES[name].penalty(P), float((extreme_points(name) @ dual).max())
    assert penalty.dual_scale(dual) == pytest.approx(1 / max(1.0, largest), rel=1e-12)


@given(v=vectors, c=hnp.arrays(np.float64, P, elements=st.floats(0.01, 10)))
def test_sorted_prox_of_weighted_points(v: np.ndarray, c: np.ndarray) -> None:
    """The dual certificate: shares in the base polytope, whose product with u is the penalty."""
    weights = np.array([3.0, 2.0, 1.0, 0.5, 0.0])
    u = sorted_prox(v, c, weights)
    share = c * (v - u)
    assert share.sum() == pytest.approx(weights.sum(), abs=1e-10)
    assert (np.cumsum(-np.sort(-share)) <= np.cumsum(weights) + 1e-10).all()
    assert share @ u == pytest.approx(weights @ -np.sort(-u), abs=1e-9)


@pytest.mark.parametrize("name", EXAMPLES)
def test_bad_numbers_are_never_optimal(name: str) -> None:
    """NaN and infinities give no distance of 0; outside of a ball nothing is stationary."""
    penalty = EXAMPLES[name].penalty(P)
    for bad in (np.nan, np.inf):
        for place in range(2):
            arguments = [np.full(P, 0.01), np.full(P, 0.01)]
            arguments[place][2] = bad
            assert not (penalty.subdifferential_distance(*arguments) == 0).any()
    if isinstance(EXAMPLES[name], UniformBall):
        assert np.isinf(penalty.value(np.full(P, 50.0)))
        assert np.isinf(penalty.subdifferential_distance(np.full(P, 50.0), np.zeros(P))).any()
        assert np.isinf(penalty.fenchel_young(np.full(P, 50.0), np.zeros(P)))


@pytest.mark.parametrize("coef", [[math.inf] * P, [math.inf, 1, 1, 1, 1], [0, 0, 0, -math.inf, 1]])
@pytest.mark.parametrize("name", EXAMPLES)
def test_infinite_coefficients_cost_without_end(name: str, coef: list[float]) -> None:
    """Never NaN; only a level that is free costs nothing."""
    free = name == "fused" and len(set(coef)) == 1
    assert EXAMPLES[name].penalty(P).value(np.array(coef)) == (0.0 if free else math.inf)


@pytest.mark.parametrize("name", ["sup", "slope", "fused"])
def test_ties_are_exact_and_seen_as_ties(name: str) -> None:
    """Coefficients that a prox ties are equal to the last digit."""
    penalty = EXAMPLES[name].penalty(P)
    best = penalty.prox(np.array([3.0, 3.01, 2.99, 0.0, 0.0]), 0.2)
    assert best[0] == best[1] == best[2] != 0


# --------------------------------------------------------------------------- words and refusals


def wrong(value: object) -> Any:
    """Hide from the type checker that a value is of a wrong type."""
    return value


def test_formulas_name_the_norm() -> None:
    """The penalised form is readable."""
    texts = {
        "Σ‖β_g‖₂/0.5": GroupLaplace(0.5, [[0, 1]]),
        "‖(β/b)‖∞": LInfinity([1.0, 2.0, 3.0]),
        "Σwᵢ|β|₍ᵢ₎/2": Slope(2.0, [2.0, 1.0, 1.0]),
        "[0 if ‖β‖₁ ≤ 2, else ∞]": UniformBall(2.0, "l1"),
        "|β₁|/3 + Σ|βⱼ − βⱼ₋₁|/2": Fused(2.0, 3.0),
    }
    for text, prior in texts.items():
        problem = br.Problem(np.eye(3), np.ones(3), likelihood=br.Gaussian(1.0), prior=prior)
        assert text in problem.formula()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GroupLaplace(1.0, [[0, 1], [1]]), "groups: position 1 occurs 2 times"),
        (lambda: GroupLaplace(1.0, [[0], []]), "groups: holds an empty group"),
        (lambda: GroupLaplace(1.0, wrong([0, 1])), "groups: must be lists of column positions"),
        (lambda: GroupLaplace(1.0, wrong([["x0"]])), "groups: must be a whole number"),
        (lambda: GroupLaplace(1.0, [[9]]).check_size(3), "groups name position 9"),
        (lambda: LInfinity(np.inf), "scale: must be finite"),
        (lambda: LInfinity(wrong(br.HalfCauchy(1.0))), "scale: cannot be read"),
        (lambda: Slope(1.0, [1.0, 2.0]), "weights: must not increase"),
        (lambda: Slope(1.0, [0.0, 0.0]), "weights: must not increase"),
        (lambda: Slope(1.0, [1.0, 0.5]).check_size(3), "weights has 2 entries"),
        (lambda: UniformBall(0.0), "radius: must be positive"),
        (lambda: UniformBall(1.0, wrong("l3")), "norm"),
        (lambda: UniformBall(1.0, "group"), "groups: are needed"),
        (lambda: UniformBall(1.0, "l1", groups=[[0]]), "groups: are needed"),
        (lambda: UniformBall(1.0, "group", groups=wrong(np.array([0, 1]))), "groups: must be list"),
        (lambda: Fused(1.0, wrong([1.0, 2.0])), "first_scale: must be one number"),
    ],
)
def test_refusals_name_the_argument(make: object, message: str) -> None:
    """What does not fit is named."""
    assert callable(make)
    with pytest.raises(InputError, match=message):
        make()


def test_blocks_hold_them_on_their_own_columns() -> None:
    """Positions in a group count within the block; the density is the product of the parts."""
    names = tuple("abcde")
    group, walk = GroupLaplace(0.5, [[0, 2]]), Fused(1.0, 2.0)
    blocks = Blocks.of([(group, ["a", "c", "e"]), (walk, ["b", "d"])], names)
    x = np.linspace(-1, 2, 5)
    expected = group.log_density(x[[0, 2, 4]]) + walk.log_density(x[[1, 3]])
    assert blocks.log_density(x) == pytest.approx(expected, rel=1e-14)
    assert same_prior(blocks, Blocks.of([(walk, [1, 3]), (group, [0, 2, 4])], names), 5)
    assert not same_prior(blocks, Blocks.of([(walk, [1, 3]), (group, [0, 4, 2])], names), 5)


def test_fused_certificates_survive_units_many_decades_apart() -> None:
    """A verdict, not a division by zero."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(5, 6)) * 10.0 ** rng.uniform(-6, 6, size=6)
    y, coef = rng.normal(size=5), np.zeros(6)
    coef[2] = 1e-4
    problem = br.Problem(
        X,
        y,
        likelihood=br.Gaussian(1.0),
        prior=br.Fused(0.7, 2.0),
        standardize=True,
        intercept=False,
    )
    assert not br.certify(problem, coef).optimal
