"""Every prior: a normalised density, the penalty it is, its prox and its subdifferential."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.integrate import quad

import bayesreg as br
from bayesreg.blocks import Blocks, same_prior
from bayesreg.penalties import ElasticNetPenalty as Penalty
from bayesreg.priors import ElasticNet, Flat, Laplace, Normal, Prior
from bayesreg.scale_priors import SCALE_PRIORS, HalfFlat, InverseGamma, ScalePrior
from tests.problems import P, prior_examples

EXAMPLES = prior_examples()
numbers = st.floats(-10, 10)
vectors = hnp.arrays(np.float64, P, elements=numbers)


@pytest.mark.parametrize("name", EXAMPLES)
def test_density_is_normalised_where_it_is_proper(name: str) -> None:
    """Each coefficient's density integrates to 1, unless it is flat."""
    prior = EXAMPLES[name]
    penalty = prior.penalty(P)
    for j in range(P):
        if penalty.l1[j] == 0 and penalty.l2[j] == 0:
            continue

        def density(x: float, j: int = j) -> float:
            point = np.zeros(P)
            point[j] = x
            return float(np.exp(prior.log_densities(point)[j]))

        centre = float(penalty.loc[j])
        left = quad(density, -np.inf, centre, epsabs=1e-12)[0]
        right = quad(density, centre, np.inf, epsabs=1e-12)[0]
        assert left + right == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize(
    ("prior", "frozen"),
    [
        (Normal(scale=1.7, loc=0.3), stats.norm(0.3, 1.7)),
        (Laplace(scale=1.7), stats.laplace(0, 1.7)),
        (ElasticNet(l1_scale=np.inf, l2_scale=2.0), stats.norm(0, 2.0)),
        (ElasticNet(l1_scale=0.5, l2_scale=np.inf), stats.laplace(0, 0.5)),
    ],
)
def test_log_density_equals_scipy(prior: Prior, frozen: stats.rv_continuous) -> None:
    """The densities are those of SciPy where SciPy has them."""
    x = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(prior.log_densities(x), frozen.logpdf(x), rtol=1e-13)


@pytest.mark.parametrize("name", EXAMPLES)
@given(point=vectors, other=vectors, step=st.floats(0.01, 10))
def test_prox_is_optimal(name: str, point: np.ndarray, other: np.ndarray, step: float) -> None:
    """No point has a lower value of the problem that the prox solves, and KKT holds there."""
    penalty = EXAMPLES[name].penalty(P)
    best = penalty.prox(point, step)

    def value(u: np.ndarray) -> float:
        return float(((u - point) ** 2).sum()) / (2 * step) + penalty.value(u)

    assert value(best) <= value(other) + 1e-9 * (1 + abs(value(other)))
    distance = penalty.subdifferential_distance(best, (best - point) / step)
    assert (distance <= 1e-9 * (1 + np.abs(point / step) + penalty.l1)).all()


@pytest.mark.parametrize("name", EXAMPLES)
@given(coef=vectors, dual=vectors)
def test_fenchel_young_is_the_gap_to_the_conjugate(
    name: str, coef: np.ndarray, dual: np.ndarray
) -> None:
    """It equals g(β) + g*(−u) + u·β with g* found by brute force, and is never negative."""
    penalty = EXAMPLES[name].penalty(P)
    value = penalty.fenchel_young(coef, dual)
    assert value >= 0
    for j in range(P):
        one = Penalty(penalty.l1[j : j + 1], penalty.l2[j : j + 1], penalty.loc[j : j + 1])
        if one.l2[0] == 0:
            feasible = abs(dual[j]) <= one.l1[0] * (1 + 1e-12)
            share = one.l1[0] * abs(coef[j]) + dual[j] * coef[j] if feasible else np.inf
        else:
            best = one.prox(one.loc - (dual[j : j + 1] + 0 * one.loc) / one.l2, 1e12)
            grid = np.append(np.linspace(-300, 300, 60001), best)
            values = -dual[j] * grid - one.l1[0] * abs(grid)
            values -= 0.5 * one.l2[0] * (grid - one.loc[0]) ** 2
            conjugate = float(values.max())
            share = one.value(coef[j : j + 1]) + conjugate + dual[j] * coef[j]
        actual = one.fenchel_young(coef[j : j + 1], dual[j : j + 1])
        # The grid maximum is below the conjugate by at most l2 (grid step)² / 8.
        slack = one.l2[0] * 1e-4 / 8 + 1e-7 * (1 + abs(share))
        if np.isinf(share):
            assert np.isinf(actual)
        else:
            assert share - slack <= actual <= share + slack


@pytest.mark.parametrize("name", EXAMPLES)
def test_rescaled_is_the_change_of_variables(name: str) -> None:
    """The density of factor·β is the density of β over the factor."""
    prior, factor, x = EXAMPLES[name], np.geomspace(0.1, 10, P), np.linspace(-1, 1, P)
    penalty = prior.penalty(P)
    jacobian = np.where((penalty.l1 == 0) & (penalty.l2 == 0), 0.0, np.log(factor))
    expected = prior.log_densities(x) - jacobian
    np.testing.assert_allclose(prior.rescaled(factor).log_densities(x * factor), expected, rtol=1e-12)


@pytest.mark.parametrize("kind", SCALE_PRIORS)
def test_scale_priors(kind: type[ScalePrior]) -> None:
    """Normalised (over the square where they are densities of it), and the slope is exact."""
    arguments = {HalfFlat: (), InverseGamma: (2.0, 3.0)}.get(kind, (1.5,))
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


def test_equality_compares_numbers() -> None:
    """Priors are equal when their family and numbers are."""
    assert Laplace(2.0) == Laplace(2.0)
    assert Laplace(2.0) != Laplace(3.0)
    assert Laplace(2.0) != Normal(2.0)
    assert Laplace(np.array([1.0, 2.0])) != Laplace(np.array([1.0, 3.0]))
    assert Laplace(br.HalfCauchy(1.0)) == Laplace(br.HalfCauchy(1.0))
