"""Every prior: a normalised density, the penalty it is, its prox and its subdifferential."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize, stats
from scipy.integrate import quad

import bayesreg as br
from bayesreg.blocks import Blocks, same_prior
from bayesreg.errors import DegenerateMode, InputError, NoClosedForm
from bayesreg.penalties import BridgePenalty, SeparableJoin, SeparablePenalty
from bayesreg.priors import (
    Bridge,
    ElasticNet,
    Flat,
    GeneralizedDoublePareto,
    Horseshoe,
    IndependentPrior,
    Laplace,
    Normal,
    Prior,
    SpikeSlab,
    StudentT,
)
from bayesreg.scale_priors import SCALE_PRIORS, HalfFlat, HalfStudentT, InverseGamma, ScalePrior
from tests.problems import (
    P,
    degenerate_examples,
    every_example,
    nonconvex_examples,
    prior_examples,
)

CONVEX = prior_examples()
PENALTIES = CONVEX | nonconvex_examples()
EXAMPLES = PENALTIES | degenerate_examples()
numbers = st.floats(-10, 10)
vectors = hnp.arrays(np.float64, P, elements=numbers)

# Sizes exp(t): in t every density here is analytic and dies out at both ends, so that the plain sum
# over a fine grid is as good as exact, cusps, logarithmic poles and heavy tails included.
STEP = 0.004
SIZES = np.exp(np.arange(-80, 80, STEP))


def single(prior: IndependentPrior, j: int) -> IndependentPrior:
    """Prior of coefficient j alone, with numbers for vectors, so that it takes any count."""
    fields = {k: float(v[j]) for k, v in vars(prior).items() if isinstance(v, np.ndarray)}
    return replace(prior, **fields)


def is_flat(prior: IndependentPrior) -> bool:
    """Whether the density of one coefficient is constant where it is not 0."""
    return bool(np.ptp(prior.log_densities(np.array([1.0, 2.0, 3.0]))) == 0)


def proper(examples: dict[str, IndependentPrior]) -> list[Any]:
    """Every proper prior of one coefficient that the examples hold."""
    cases: dict[str, IndependentPrior] = {}
    for name, prior in examples.items():
        for j in range(P):
            one = single(prior, j)
            if not is_flat(one) and not any(one == other for other in cases.values()):
                cases[f"{name}-{j}"] = one
    return [pytest.param(prior, id=name) for name, prior in cases.items()]


def masses(prior: IndependentPrior) -> tuple[np.ndarray, np.ndarray]:
    """Points and their probabilities: a fine discretisation, with the atom at 0 if there is one."""
    sides = [np.exp(prior.log_densities(s * SIZES)) * SIZES * STEP for s in (-1.0, 1.0)]
    atom = 1 - prior.inclusion if isinstance(prior, SpikeSlab) else 0.0
    points = np.concatenate([-SIZES[::-1], [0.0], SIZES])
    return points, np.concatenate([sides[0][::-1], [atom], sides[1]])


def test_every_independent_prior_has_an_example() -> None:
    """A prior that is registered is tested: here if independent, with the norms if not."""
    independent = {k for k, prior in every_example().items() if isinstance(prior, IndependentPrior)}
    assert independent == set(EXAMPLES)


# --------------------------------------------------------------------------- densities


@pytest.mark.parametrize("prior", proper(EXAMPLES))
def test_density_is_normalised(prior: IndependentPrior) -> None:
    """Each coefficient's density integrates to 1, unless it is flat."""
    assert masses(prior)[1].sum() == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize(
    ("prior", "frozen"),
    [
        (Normal(scale=1.7, loc=0.3), stats.norm(0.3, 1.7)),
        (Normal(scale=1.7, nonnegative=True), stats.halfnorm(0, 1.7)),
        (Normal(scale=2.0, loc=-3.0, nonnegative=True), stats.truncnorm(1.5, np.inf, -3.0, 2.0)),
        (Laplace(scale=1.7), stats.laplace(0, 1.7)),
        (Laplace(scale=1.7, nonnegative=True), stats.expon(0, 1.7)),
        (ElasticNet(l1_scale=np.inf, l2_scale=2.0), stats.norm(0, 2.0)),
        (ElasticNet(l1_scale=0.5, l2_scale=np.inf), stats.laplace(0, 0.5)),
        (StudentT(nu=1.0, scale=0.3), stats.cauchy(0, 0.3)),
        (StudentT(nu=3.5, scale=0.3), stats.t(3.5, 0, 0.3)),
        (StudentT(nu=1.0, scale=0.3, nonnegative=True), stats.halfcauchy(0, 0.3)),
        (GeneralizedDoublePareto(0.5, 2.0, nonnegative=True), stats.lomax(2.0, 0, 1.0)),
        (Bridge(scale=0.4, power=0.7), stats.gennorm(0.7, 0, 0.4)),
        (Bridge(scale=0.4, power=1.0), stats.laplace(0, 0.4)),
        (Bridge(scale=math.sqrt(2.0), power=2.0), stats.norm(0, 1.0)),
        (Bridge(scale=0.4, power=3.0, nonnegative=True), stats.halfgennorm(3.0, 0, 0.4)),
    ],
)
def test_log_density_equals_scipy(prior: Prior, frozen: stats.rv_continuous) -> None:
    """The densities are those of SciPy where SciPy has them, outside of their support too."""
    x = np.linspace(-3, 3, 8)
    np.testing.assert_allclose(prior.log_densities(x), frozen.logpdf(x), rtol=1e-12, atol=1e-14)


def test_double_pareto_density_is_the_published_one() -> None:
    """Armagan, Dunson & Lee (2013), eq. 2: ``(1 + |b|/(αξ))^(−α−1) / (2ξ)``."""
    x, xi, alpha = np.linspace(-3, 3, 7), 0.4, 1.7
    expected = (1 + np.abs(x) / (alpha * xi)) ** (-alpha - 1) / (2 * xi)
    density = np.exp(GeneralizedDoublePareto(xi, alpha).log_densities(x))
    np.testing.assert_allclose(density, expected, rtol=1e-13)


@pytest.mark.parametrize("x", [1e-6, 0.01, 0.5, 3.0, 19.9, 20.1, 400.0])
def test_horseshoe_density_is_the_mixture(x: float) -> None:
    """It is the mean over a half-Cauchy λ of the normal density with sd λ times the scale."""
    scale = 2.0
    log_lambda = np.arange(-60, 60, 0.002)
    local = np.exp(log_lambda)
    weight = 2 / math.pi / (1 + local**2) * local * 0.002
    expected = float((weight * stats.norm.pdf(x * scale, 0, local * scale)).sum())
    density = math.exp(Horseshoe(scale).log_densities(np.array([x * scale]))[0])
    assert density == pytest.approx(expected, rel=1e-9)


def test_log_density_is_the_sum_of_the_log_densities() -> None:
    """Coefficients are independent; a degenerate prior has a density though it is no penalty."""
    x = np.array([0.3, 0.5, 1.0, 0.1, 2.0])
    for prior in EXAMPLES.values():
        assert prior.log_density(x) == pytest.approx(prior.log_densities(x).sum(), rel=1e-13)


@pytest.mark.parametrize("name", EXAMPLES)
def test_rescaled_is_the_change_of_variables(name: str) -> None:
    """The density of factor·β is the density of β over the factor, unless it is flat."""
    prior, factor, x = EXAMPLES[name], np.geomspace(0.1, 10, P), np.linspace(0.1, 1, P)
    flat = np.array([is_flat(single(prior, j)) for j in range(P)])
    for point in (x, -x):
        expected = prior.log_densities(point) - np.where(flat, 0.0, np.log(factor))
        density = prior.rescaled(factor).log_densities(point * factor)
        np.testing.assert_allclose(density, expected, rtol=1e-12, atol=1e-14)


# --------------------------------------------------------------------------- moments and draws


@pytest.mark.parametrize("prior", proper(EXAMPLES))
def test_moments_equal_quadrature(prior: IndependentPrior) -> None:
    """Where mean and variance are finite they are those of the density."""
    points, probability = masses(prior)
    mean, variance = (float(values[0]) for values in prior.moments(1))
    if math.isfinite(mean):
        assert float(probability @ points) == pytest.approx(mean, rel=1e-8, abs=1e-10)
    if math.isfinite(variance):
        spread = float(probability @ (points - mean) ** 2)
        assert spread == pytest.approx(variance, rel=1e-8)


@pytest.mark.parametrize("ratio", [1.0, 30.0, 45.0, 1e3, 1e8])
def test_truncated_moments_keep_their_digits_in_the_tail(ratio: float) -> None:
    """Far in the tail a half elastic net is an exponential: 1 − 2/r² and 1 − 6/r² of its moments.

    The third terms of the asymptotic series are 10/r⁴ and 50/r⁴.
    """
    prior = ElasticNet(l1_scale=1.0, l2_scale=ratio, nonnegative=True)
    mean, variance = (float(values[0]) for values in prior.moments(1))
    points, probability = masses(prior)
    assert mean == pytest.approx(float(probability @ points), rel=1e-10)
    assert variance == pytest.approx(float(probability @ (points - mean) ** 2), rel=1e-10)


@pytest.mark.parametrize(
    ("prior", "mean", "variance"),
    [
        (StudentT(nu=1.0, scale=1.0), math.nan, math.nan),
        (StudentT(nu=1.5, scale=1.0), 0.0, math.inf),
        (StudentT(nu=1.0, scale=1.0, nonnegative=True), math.inf, math.nan),
        (StudentT(nu=4.0, scale=3.0), 0.0, 18.0),
        (GeneralizedDoublePareto(1.0, 1.0), math.nan, math.nan),
        (GeneralizedDoublePareto(1.0, 2.0), 0.0, math.inf),
        (GeneralizedDoublePareto(2.0, 3.0), 0.0, 36.0),
        (Horseshoe(1.0), math.nan, math.nan),
        (Flat(), math.nan, math.inf),
        (Normal(np.inf), math.nan, math.inf),
        (SpikeSlab(0.25, 2.0), 0.0, 1.0),
    ],
)
def test_moments_that_do_not_exist(prior: IndependentPrior, mean: float, variance: float) -> None:
    """NaN where an integral does not exist, inf where it is infinite."""
    found = [float(values[0]) for values in prior.moments(1)]
    np.testing.assert_allclose(found, [mean, variance], rtol=1e-13)


@pytest.mark.parametrize("prior", proper(EXAMPLES))
def test_draws_have_the_density(prior: IndependentPrior) -> None:
    """The empirical distribution is within 2.3/√n of the true one, its mean within 4 MCSE."""
    count = 4000
    draws = prior.draw(2, np.random.default_rng(7), count)
    assert draws.shape == (count, 2)
    points, probability = masses(prior)
    below = np.cumsum(probability)
    empirical = np.searchsorted(np.sort(draws.ravel()), points, side="right") / (2 * count)
    assert np.abs(empirical - below).max() < 2.3 / math.sqrt(2 * count)
    mean, variance = (float(values[0]) for values in prior.moments(1))
    if math.isfinite(variance):
        assert abs(draws.mean() - mean) < 4 * math.sqrt(variance / (2 * count))


@pytest.mark.parametrize(
    "prior",
    [
        Flat(),
        *(Normal(np.inf), Laplace(np.inf), ElasticNet(np.inf, np.inf), Bridge(np.inf, 0.5)),
        Horseshoe(np.array([1.0, np.inf])),
    ],
)
def test_an_improper_density_is_not_drawn_from(prior: IndependentPrior) -> None:
    """There is nothing to draw from; the message says what to do."""
    with pytest.raises(InputError, match="give it a finite scale"):
        prior.draw(2, np.random.default_rng(0), 3)


# --------------------------------------------------------------------------- penalties


@pytest.mark.parametrize("name", PENALTIES)
@given(point=vectors, other=vectors, step=st.floats(0.01, 10))
def test_prox_is_optimal(name: str, point: np.ndarray, other: np.ndarray, step: float) -> None:
    """No point has a lower value of the problem that the prox solves, and KKT holds there."""
    penalty = PENALTIES[name].penalty(P)
    best = penalty.prox(point, step)

    def value(u: np.ndarray) -> float:
        return float(((u - point) ** 2).sum()) / (2 * step) + penalty.value(u)

    assert value(best) <= value(other) + 1e-9 * (1 + abs(value(other)))
    distance = penalty.subdifferential_distance(best, (best - point) / step)
    size = 1 + np.abs(point / step) + np.abs(penalty.slope(best))
    assert (distance <= 1e-9 * size).all()


@pytest.mark.parametrize("step", [0.02, 1.0, 30.0])
@pytest.mark.parametrize("name", PENALTIES)
def test_prox_is_the_global_minimum(name: str, step: float) -> None:
    """No point of a fine grid is lower, on either side of where two minima are equally low."""
    rng = np.random.default_rng(3)
    for j in range(P):
        penalty = single(PENALTIES[name], j).penalty(60)
        points = rng.normal(size=60) * np.exp(rng.normal(size=60))
        best = penalty.prox(points, step)
        found = (best - points) ** 2 / (2 * step) + penalty.values(best)
        for share in np.linspace(-0.5, 1.5, 1001):
            trial = share * points
            value = (trial - points) ** 2 / (2 * step) + penalty.values(trial)
            assert (found <= value + 1e-11 * (1 + np.abs(found))).all()


def test_ties_of_the_prox_go_to_zero() -> None:
    """|u|^½ with step 1: at 3/2 the minima 0 and 1 are equally low (1 + 1/8 each)."""
    penalty = BridgePenalty(np.ones(3), power=0.5)
    np.testing.assert_array_equal(penalty.prox(np.array([1.5, -1.5, 1.5 + 1e-9]), 1.0)[:2], 0.0)
    np.testing.assert_allclose(penalty.prox(np.array([1.5, -1.5, 1.5 + 1e-9]), 1.0)[2], 1.0)


@pytest.mark.parametrize("name", PENALTIES)
def test_derivatives_are_those_of_the_values(name: str) -> None:
    """Slope and curvature off 0 by finite differences; the kink is the slope beside 0."""
    penalty = PENALTIES[name].penalty(P)
    for x in (np.linspace(0.3, 1.4, P), np.array([0.01, 3.0, 0.2, 0.05, 20.0])):
        for point in (x, -x):
            inside = np.isfinite(penalty.values(point))
            h = 1e-5 * np.abs(point)
            up, down = (np.where(inside, point + side * h, 1.0) for side in (1.0, -1.0))
            at = np.where(inside, point, 1.0)
            slope = (penalty.values(up) - penalty.values(down)) / (2 * h)
            bend = (penalty.slope(up) - penalty.slope(down)) / (2 * h)
            size = 1 + np.abs(penalty.values(at) / at)
            assert (np.abs(penalty.slope(at) - slope) <= 1e-7 * size)[inside].all()
            size += np.abs(penalty.slope(at) / at)
            assert (np.abs(penalty.curvature(at) - bend) <= 1e-7 * size)[inside].all()
    finite = np.isfinite(penalty.kink)
    jump = penalty.slope(np.full(P, 1e-18)) - penalty.slope(np.zeros(P))
    np.testing.assert_allclose(penalty.kink[finite], jump[finite], rtol=1e-5, atol=1e-5)
    assert (jump[~finite] > 1e2).all()


@pytest.mark.parametrize("name", PENALTIES)
@given(coef=vectors, gradient=vectors)
def test_subdifferential_distance_is_the_steepest_way_down(
    name: str, coef: np.ndarray, gradient: np.ndarray
) -> None:
    """``gradient · β + penalty`` falls at that rate on its steeper side, and 0 if on neither."""
    penalty = PENALTIES[name].penalty(P)
    point = np.where(np.abs(coef) < 0.05, 0.0, coef)
    distance = penalty.subdifferential_distance(point, gradient)
    inside = ~(penalty.nonnegative & (point < 0))
    assert np.isinf(distance[~inside]).all()
    point = np.where(inside, point, 0.0)
    # From 0 nothing cancels, and a power of 3/2 wants to be close.
    h = np.where((point == 0) & (penalty.values(point) == 0), 1e-15, 1e-9)
    rates = []
    for sign in (1.0, -1.0):
        moved = penalty.values(point + sign * h)
        rates.append(-(sign * gradient + (moved - penalty.values(point)) / h))
    steepest = np.maximum(np.maximum(*rates), 0.0)
    size = 1 + np.abs(gradient) + np.abs(penalty.slope(point)) + penalty.values(point)
    assert (np.abs(distance - steepest)[inside] <= 1e-5 * size[inside]).all()


def test_subdifferential_distance_lets_nothing_pass_that_is_not_a_number() -> None:
    """NaN and inf in, no 0 out."""
    for prior in PENALTIES.values():
        penalty = prior.penalty(P)
        for bad in (np.nan, np.inf, -np.inf):
            distance = penalty.subdifferential_distance(np.full(P, bad), np.zeros(P))
            assert not (distance == 0).any()
        assert np.isnan(penalty.subdifferential_distance(np.zeros(P), np.full(P, np.nan))).all()


@pytest.mark.parametrize("name", CONVEX)
@given(coef=st.integers(-3000, 3000), dual=st.integers(-10_000, 10_000), j=st.integers(0, P - 1))
def test_fenchel_young_is_the_gap_to_the_conjugate(name: str, coef: int, dual: int, j: int) -> None:
    """It equals g(β) + g*(−u) + u·β with g* found by brute force, and is never negative."""
    one = single(CONVEX[name], j)
    x, u = coef / 1000, dual / 1000
    actual = one.penalty(1).fenchel_young(np.array([x]), np.array([u]))
    assert actual >= 0
    grid = np.linspace(-300, 300, 6001)
    heights = -u * grid - one.penalty(grid.size).values(grid)
    best = int(np.argmax(heights))
    value = float(one.penalty(1).values(np.array([x]))[0])
    if math.isinf(value) or heights[[0, -1]].max() > heights[1:-1].max() + 1e-9:
        assert math.isinf(actual)
        return

    def height(b: float) -> float:
        return float(u * b + one.penalty(1).values(np.array([b]))[0])

    low = grid[best] if one.penalty(1).nonnegative[0] and grid[best] == 0 else grid[best] - 0.1
    refined = optimize.minimize_scalar(
        height, bounds=(low, grid[best] + 0.1), method="bounded", options={"xatol": 1e-9}
    )
    conjugate = max(float(heights[best]), -float(refined.fun))
    expected = value + conjugate + u * x
    assert actual == pytest.approx(expected, abs=1e-7 * (1 + abs(value) + abs(conjugate)))


@pytest.mark.parametrize("name", CONVEX)
def test_dual_scale_reaches_the_end_of_the_domain(name: str) -> None:
    """The scaled correlation is in the domain of the conjugate; beyond it, it is not."""
    rng = np.random.default_rng(1)
    penalty = CONVEX[name].penalty(P)
    for _ in range(50):
        correlation = np.where(penalty.flat, 0.0, 5 * rng.normal(size=P))
        scale = penalty.dual_scale(correlation)
        assert 0 <= scale <= 1
        assert math.isfinite(penalty.fenchel_young(np.zeros(P), scale * correlation))
        if scale < 1:
            beyond = penalty.fenchel_young(np.zeros(P), (scale + 1e-6) * correlation)
            assert math.isinf(beyond)


def test_powers_of_one_and_two_are_the_elastic_net() -> None:
    """The general formulas at q = 1 and q = 2 are those of absolute values and squares."""
    rng = np.random.default_rng(2)
    scale = np.array([0.3, 1.0, np.inf])
    for power in (1.0, 2.0):
        for nonnegative in (False, True):
            bound = np.full(3, nonnegative)
            general = BridgePenalty(1 / scale, power, nonnegative=bound)
            special = Bridge(scale, power, nonnegative=nonnegative).penalty(3)
            assert general.convex
            for _ in range(20):
                x, u = np.abs(rng.normal(size=3)), rng.normal(size=3) * [1.0, 1.0, 0.0]
                for piece in ("values", "slope", "curvature"):
                    np.testing.assert_allclose(
                        getattr(general, piece)(x), getattr(special, piece)(x)
                    )
                np.testing.assert_allclose(general.prox(u, 0.7), special.prox(u, 0.7), atol=1e-15)
                assert general.fenchel_young(x, u) == pytest.approx(special.fenchel_young(x, u))
                assert general.dual_scale(u) == pytest.approx(special.dual_scale(u))


@pytest.mark.parametrize("name", PENALTIES)
def test_convexity_is_what_it_says(name: str) -> None:
    """The middle lies below the ends where convex, strictly so where strict, else somewhere not."""
    penalty = PENALTIES[name].penalty(P)
    x = np.geomspace(0.01, 100, 200)
    gaps = []
    for a, b in ((x, x[::-1]), (x, x + 0.3), (x, 2 * x)):
        for one, other in zip(a, b, strict=True):
            ends = [penalty.values(np.full(P, value)) for value in (one, other)]
            gaps.append(0.5 * sum(ends) - penalty.values(np.full(P, 0.5 * (one + other))))
    lowest, highest = np.min(gaps, axis=0), np.max(gaps, axis=0)
    assert penalty.convex == bool((lowest >= -1e-9 * (1 + highest)).all())
    slopes = [[penalty.slope(np.full(P, share * v)) for share in (0.9, 1.0)] for v in x]
    bends = np.all([low < high for low, high in slopes], axis=0)
    np.testing.assert_array_equal(penalty.strict, bends)


def test_where_not_convex_no_dual_point_bounds_anything() -> None:
    """The gap is inf and the dual is scaled to nothing, so that no certificate can be global."""
    for prior in nonconvex_examples().values():
        penalty = prior.penalty(P)
        assert not penalty.convex
        assert math.isinf(penalty.fenchel_young(np.zeros(P), np.zeros(P)))
        assert penalty.dual_scale(np.ones(P)) == 0.0


def test_separable_penalties_join_into_one() -> None:
    """Blocks of different separable penalties have the numbers of their parts, per coefficient."""
    names = tuple("abcde")
    parts: list[tuple[Prior, list[int]]] = [
        (Laplace(0.5), [0, 3]),
        (StudentT(2.0, 0.3), [1]),
        (Bridge(0.4, 0.5, nonnegative=True), [2, 4]),
    ]
    joined = Blocks.of(parts, names).penalty(5)
    assert isinstance(joined, SeparableJoin)
    assert not joined.convex
    x, gradient = np.array([0.3, -1.0, 0.5, 0.0, 0.0]), np.array([-2.0, 0.1, -0.3, 1.5, -9.0])
    wide = joined.beside_free(2)
    np.testing.assert_array_equal(wide.flat, [True, True, *joined.flat])
    for prior, columns in parts:
        one = prior.penalty(len(columns))
        assert isinstance(one, SeparablePenalty)
        for piece in ("values", "slope", "curvature"):
            expected = getattr(one, piece)(x[columns])
            np.testing.assert_array_equal(getattr(joined, piece)(x)[columns], expected)
            moved = getattr(wide, piece)(np.concatenate([[7.0, 8.0], x]))
            np.testing.assert_array_equal(moved[2:][columns], expected)
        for mine, theirs in ((joined.kink, one.kink), (joined.nonnegative, one.nonnegative)):
            np.testing.assert_array_equal(mine[columns], theirs)
        distance = one.subdifferential_distance(x[columns], gradient[columns])
        joint = joined.subdifferential_distance(x, gradient)
        np.testing.assert_array_equal(joint[columns], distance)
    assert joined.value(x) == pytest.approx(joined.values(x).sum())
    assert not joined.strict.any()


# --------------------------------------------------------------------------- scales


@pytest.mark.parametrize("kind", SCALE_PRIORS)
def test_scale_priors(kind: type[ScalePrior]) -> None:
    """Normalised (over the square where they are densities of it), and the slope is exact."""
    pairs = {HalfFlat: (), InverseGamma: (2.0, 3.0), HalfStudentT: (1.5, 3.0)}
    arguments = pairs.get(kind, (1.5,))
    prior = kind(*arguments)
    for value in (0.3, 1.0, 4.0):
        h = 1e-6 * value
        numeric = (prior.log_density(value + h) - prior.log_density(value - h)) / (2 * h)
        assert prior.slope(value) == pytest.approx(numeric, abs=1e-6)
    if isinstance(prior, HalfFlat):
        return

    def density(v: float) -> float:
        return float(np.exp(prior.log_density(np.sqrt(v) if prior.of_square else v)))

    assert quad(density, 0, 1)[0] + quad(density, 1, np.inf)[0] == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize(
    "make",
    [
        Laplace,
        lambda scale, **kw: StudentT(3.0, scale, **kw),
        lambda scale, **kw: GeneralizedDoublePareto(scale, 2.0, **kw),
        lambda scale, **kw: Bridge(scale, 0.5, **kw),
        Horseshoe,
    ],
)
def test_scales_may_be_unknown_or_relative_to_sigma(make: Any) -> None:
    """Given the values the prior is the one with that scale; until then its penalty refuses."""
    x = np.array([0.3, 0.5])
    unknown = make(br.HalfCauchy(1.0), relative_to="sigma", factor=[1.0, 2.0])
    assert unknown.hyperprior == br.HalfCauchy(1.0)
    known = unknown.given(sigma=2.0, scale=3.0)
    expected = make([6.0, 12.0]).log_densities(x)
    np.testing.assert_allclose(known.log_densities(x), expected, rtol=1e-13)
    assert same_prior(known, make([6.0, 12.0]), 2)
    assert not same_prior(known, make([6.0, 11.0]), 2)
    with pytest.raises((InputError, DegenerateMode)):
        unknown.penalty(2)
    assert "σ" in unknown.formula()


# --------------------------------------------------------------------------- in a problem


def test_scale_priors_of_coefficients_are_nonnegative_priors() -> None:
    """HalfNormal and Exponential mean Normal and Laplace with nonnegative=True, in lists too."""
    X, y = np.eye(3), np.ones(3)
    settings: dict[str, Any] = {"likelihood": br.Gaussian(1.0)}
    half = br.Problem(X, y, prior=br.HalfNormal(2.0), **settings)
    assert half == br.Problem(X, y, prior=Normal(2.0, nonnegative=True), **settings)
    mixed = br.Problem(X, y, prior=[(br.Exponential(2.0), [0, 2]), (Flat(), [1])], **settings)
    assert mixed.prior == Blocks.of(
        [(Laplace(2.0, nonnegative=True), [0, 2]), (Flat(), [1])], mixed.names
    )
    assert "βⱼ ≥ 0" in str(half)
    assert math.isinf(half.objective([-1e-9, 0.0, 0.0]))
    with pytest.raises(InputError, match="prior: must be a prior"):
        br.Problem(X, y, prior=br.HalfCauchy(1.0), **settings)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_problem_states_its_prior(name: str) -> None:
    """Every prior has a formula, a name and numbers to compare; equal priors are equal problems."""
    prior = EXAMPLES[name]
    X, y = np.eye(P), np.ones(P)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior)
    assert prior.penalised_name in str(problem)
    spelled = br.Problem(
        X,
        y,
        likelihood=br.Gaussian(1.0),
        prior=[(single(prior, j), [j]) for j in range(P)],
    )
    assert problem == spelled
    other = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior.rescaled(np.full(P, 2.0)))
    assert (problem == other) == isinstance(prior, Flat)


@pytest.mark.parametrize(
    "name", ["half-normal", "cauchy", "horseshoe", "spike-slab", "half-bridge"]
)
def test_what_does_not_take_a_prior_says_so(name: str) -> None:
    """Closed forms refuse with what to do; units have no number but a reason."""
    X, y = np.eye(P), np.arange(P) * 1.0
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=EXAMPLES[name])
    with pytest.raises(NoClosedForm, match=r"^prior: .*bayesreg\.sample"):
        br.posterior_moments(problem)
    row = br.units.to_sklearn(problem)
    assert row.estimator is None
    assert row.note


def test_blocks_equal_the_prior_they_spell_out() -> None:
    """A list of priors by column is the same density as one with vectors."""
    names = tuple("abcde")
    blocks = Blocks.of([(Laplace(0.5), ["a", "c"]), (Flat(), ["b"]), (Normal(2.0), [3, 4])], names)
    scattered = ElasticNet(
        l1_scale=np.array([0.5, np.inf, 0.5, np.inf, np.inf]),
        l2_scale=np.array([np.inf, np.inf, np.inf, 2.0, 2.0]),
    )
    x = np.linspace(-1, 2, 5)
    np.testing.assert_allclose(blocks.log_densities(x), scattered.log_densities(x))
    assert same_prior(blocks, scattered, 5)
    assert not same_prior(blocks, Laplace(0.5), 5)


def test_blocks_have_the_moments_and_draws_of_their_parts() -> None:
    """Each column has those of its own prior."""
    names = tuple("abcde")
    half, slab = br.Normal(0.5, nonnegative=True), SpikeSlab(0.3, 2.0)
    blocks = Blocks.of([(half, [3, 0]), (slab, [1, 4]), (StudentT(1.0, 2.0), [2])], names)
    mean, variance = blocks.moments(5)
    np.testing.assert_array_equal(mean[[0, 1, 2]], [half.moments(1)[0][0], 0.0, np.nan])
    np.testing.assert_allclose(variance[[3, 4]], [half.moments(1)[1][0], 1.2])
    draws = blocks.draw(5, np.random.default_rng(0), 4000)
    assert (draws[:, [0, 3]] > 0).all()
    shares = (draws[:, [1, 4]] == 0).mean(axis=0)
    assert (np.abs(shares - 0.7) < 4 * math.sqrt(0.21 / 4000)).all()
    assert np.abs(np.median(draws[:, 2])) < 4 * 2.0 * math.pi / 2 / math.sqrt(4000)


def test_equality_compares_numbers() -> None:
    """Priors are equal when their family and numbers are."""
    assert Laplace(2.0) == Laplace(2.0)
    assert Laplace(2.0) != Laplace(3.0)
    assert Laplace(2.0) != Normal(2.0)
    assert Laplace(np.array([1.0, 2.0])) != Laplace(np.array([1.0, 3.0]))
    assert Laplace(br.HalfCauchy(1.0)) == Laplace(br.HalfCauchy(1.0))
    assert same_prior(Bridge(2.0, power=1.0), Laplace(2.0), 3)
    assert not same_prior(Bridge(2.0, power=1.5), Bridge(2.0, power=1.4), 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StudentT(nu=0.0, scale=1.0), "nu: must be positive"),
        (lambda: StudentT(nu=1.0, scale=-1.0), "scale: must be positive"),
        (lambda: GeneralizedDoublePareto(1.0, shape=-1.0), "shape: must be positive"),
        (lambda: Bridge(1.0, power=0.0), "power: must be positive"),
        (lambda: Horseshoe(1.0, nonnegative=True), "nonnegative: a horseshoe has both signs"),
        (lambda: SpikeSlab(1.0, 1.0), "inclusion: must lie strictly between 0 and 1"),
        (lambda: SpikeSlab(0.5, np.inf), "slab_scale: must be finite"),
    ],
)
def test_arguments_are_judged(make: Any, message: str) -> None:
    """The message names the argument and what was found."""
    with pytest.raises(InputError, match=message):
        make()


def test_a_horseshoe_without_end_is_no_penalty() -> None:
    """Flat for every coefficient it has a mode, that of least squares; for some it has none."""
    assert not Horseshoe(np.inf).penalty(2).value(np.array([1.0, -2.0]))
    assert Horseshoe([np.inf, np.inf]).penalty(2).flat.all()
    for scale in (1.0, [np.inf, 1.0]):
        with pytest.raises(DegenerateMode, match="has no mode"):
            Horseshoe(scale).penalty(2)


# --------------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("prior", "args", "keywords", "message"),
    [
        (Laplace, (), {"rate": 2.0}, r"^rate: is no argument of Laplace; .* 1/rate; write Laplace"),
        (Laplace, (), {"lambda_": 2.0}, "^lambda_: .* a scale is asked for, never a rate"),
        (Laplace, (), {"lam": 2.0}, "^lam: .* a scale is asked for, never a rate"),
        (Normal, (), {"sd": 2.0}, r"^sd: is no argument of Normal; .* it is the sd, .* loc=0\.0"),
        (Normal, (), {"sigma": 2.0}, "^sigma: is no argument of Normal; .* it is the sd"),
        (Horseshoe, (), {"alpha": 2.0}, "^alpha: .* becomes a prior by bayesreg.units"),
        (ElasticNet, (), {"rate": 2.0}, r"^rate: is no argument of ElasticNet; write .*\(l1_scale"),
        (br.Slope, ([2.0, 1.0],), {}, r"^weights: is missing; write Slope\(scale, weights\)$"),
        (Bridge, (), {"power": 1.0}, r"^scale: is missing; write Bridge\(scale, power, \*"),
        (Laplace, (1.0, "sigma"), {}, "^prior: 2 arguments are too many without their names;"),
        (Laplace, (1.0,), {"scale": 2.0}, "^scale: is given twice;"),
    ],
)
def test_a_constructor_says_what_it_takes(
    prior: type[Any], args: tuple[Any, ...], keywords: dict[str, Any], message: str
) -> None:
    """Under the name that the caller wrote, and with what others mean by the wrong one."""
    with pytest.raises(InputError, match=message):
        prior(*args, **keywords)


def test_a_constructor_keeps_its_signature_and_its_own_errors() -> None:
    """`inspect` sees what is written, and a TypeError from within is none of the arguments."""
    assert list(inspect.signature(Laplace).parameters) == [
        "scale", "relative_to", "factor", "nonnegative",
    ]  # fmt: skip
    assert list(inspect.signature(br.Slope).parameters) == ["scale", "weights"]
    assert (Laplace.__init__.__doc__, Laplace.__init__.__name__) == (None, "__init__")

    class Broken(Laplace):
        """A prior whose constructor fails by itself."""

        def __init__(self, scale: float) -> None:
            super().__init__(scale)
            msg = "from within"
            raise TypeError(msg)

    with pytest.raises(TypeError, match="from within"):
        Broken(1.0)
