"""Modes under penalties that bend or bound: the best of all where few, local minima always."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

import bayesreg as br
from bayesreg.errors import DegenerateMode, InputError, NotConverged
from bayesreg.likelihoods import ConvexLikelihood
from bayesreg.map import Status
from bayesreg.penalties import SeparablePenalty
from bayesreg.solvers import Solution, solve, stationary
from tests.problems import (
    data,
    degenerate_examples,
    likelihood_examples,
    nonconvex_examples,
    prior_examples,
)

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.priors import IndependentPrior

LIKELIHOODS = likelihood_examples()
CONVEX = [name for name, family in LIKELIHOODS.items() if isinstance(family, ConvexLikelihood)]
FEW: dict[str, Any] = {
    "cauchy": br.StudentT(nu=1.0, scale=0.1),
    "student-t": br.StudentT(nu=4.0, scale=[0.05, 0.3, 1.0]),
    "half-cauchy": br.StudentT(nu=1.0, scale=0.1, nonnegative=True),
    "double-pareto": br.GeneralizedDoublePareto(scale=0.05, shape=1.0),
    "cusp": br.Bridge(scale=0.05, power=0.5),
    "blunt-cusp": br.Bridge(scale=0.1, power=0.9),
    "mixed": [
        (br.Laplace(0.1), [0]),
        (br.Bridge(0.05, power=0.5), [1]),
        (br.StudentT(1.0, 0.1), [2]),
    ],
}


def gaussian(X: Any, y: Any, prior: Any, **options: Any) -> br.Problem:
    """Make a problem with sigma 1 and no intercept unless asked for."""
    return br.Problem(
        X, y, likelihood=br.Gaussian(1.0), prior=prior, **{"intercept": False} | options
    )


def separable(problem: br.Problem) -> SeparablePenalty:
    """Return the penalty, which is one."""
    assert isinstance(problem.penalty, SeparablePenalty)
    return problem.penalty


def lowest_by_force(problem: br.Problem) -> float:
    """Minimise over every set of zeros, from every corner of a cube, by SciPy."""
    free = int(problem.design.intercept)
    lowest = math.inf
    signs = (0.0, 1.0) if separable(problem).nonnegative.any() else (0.0, 1.0, -1.0)
    for corner in itertools.product(signs, repeat=problem.p):
        support = np.flatnonzero(corner)

        def value(v: Vector, support: Any = support) -> float:
            coef = np.zeros(problem.p)
            coef[support] = v[free:]
            if separable(problem).nonnegative.any():
                coef = np.abs(coef)
            return problem.penalised(coef, float(v[0]) if free else 0.0)

        start = np.concatenate([np.zeros(free), 0.6 * np.array(corner)[support]])
        if start.size:
            lowest = min(lowest, float(optimize.minimize(value, start, method="BFGS").fun))
        else:
            lowest = min(lowest, value(start))
    return lowest


def is_local_minimum(problem: br.Problem, solution: Solution) -> bool:
    """No point nearby is lower, in random directions and in those of single coefficients."""
    rng = np.random.default_rng(0)
    best = problem.penalised(solution.coef, solution.intercept)
    directions = [*rng.normal(size=(60, problem.p)), *np.eye(problem.p), *-np.eye(problem.p)]
    shift = int(problem.design.intercept)
    return all(
        problem.penalised(solution.coef + size * d, solution.intercept + shift * size * d[0])
        >= best - 1e-12 * (1 + abs(best))
        for d in directions
        for size in (1e-5, 1e-3, 1e-2)
    )


# --------------------------------------------------------------------------- the best of all


@pytest.mark.parametrize("prior", FEW)
@pytest.mark.parametrize("family", LIKELIHOODS)
def test_finds_the_global_minimum_of_few(family: str, prior: str) -> None:
    """Nothing that brute force finds over three coefficients is lower."""
    for seed in (1, 2):
        X, y = data(LIKELIHOODS[family], seed=seed, p=3)
        problem = br.Problem(
            X, y, likelihood=LIKELIHOODS[family], prior=FEW[prior], intercept=seed == 1
        )
        found = solve(problem)
        value = problem.penalised(found.coef, found.intercept)
        assert value <= lowest_by_force(problem) + 1e-9 * (1 + abs(value))


@pytest.mark.parametrize("z", [0.3, 1.0, 2.4, 2.7, 3.2, 10.0, -5.0])
def test_double_pareto_in_one_dimension(z: float) -> None:
    """With y = z, X = 1, sigma = 1 the mode is 0 or the larger root of a quadratic."""
    xi, alpha = 0.7, 1.5
    a, size = alpha * xi, abs(z)
    square = (size + a) ** 2 - 4 * (alpha + 1)
    root = 0.5 * (size - a + math.sqrt(max(square, 0.0)))

    def value(u: float) -> float:
        return 0.5 * (u - size) ** 2 + (alpha + 1) * math.log1p(u / a)

    expected = root if square > 0 and root > 0 and value(root) < value(0.0) else 0.0
    fit = br.find_map(gaussian([[1.0]], [z], br.GeneralizedDoublePareto(xi, alpha)))
    assert fit.coef[0] == pytest.approx(math.copysign(expected, z), rel=1e-14)
    assert fit.status is Status.STATIONARY


@pytest.mark.parametrize("z", [0.3, 1.0, 2.4, 3.5, 4.1, 10.0, -5.0])
def test_student_t_in_one_dimension(z: float) -> None:
    """The mode is the lowest of the real roots of a cubic, which may have three."""
    nu, s = 1.0, 0.2
    roots = np.roots([1.0, -z, nu * s**2 + nu + 1, -z * nu * s**2])
    real = roots.real[np.abs(roots.imag) < 1e-9]
    values = 0.5 * (real - z) ** 2 + 0.5 * (nu + 1) * np.log1p(real**2 / (nu * s**2))
    fit = br.find_map(gaussian([[1.0]], [z], br.StudentT(nu, s)))
    assert fit.coef[0] == pytest.approx(real[np.argmin(values)], rel=1e-12)


@pytest.mark.parametrize("name", nonconvex_examples())
def test_orthonormal_columns_separate(name: str) -> None:
    """With X'X = I the mode is the prox of X'y, coefficient by coefficient."""
    rng = np.random.default_rng(5)
    X, y = np.linalg.qr(rng.normal(size=(8, 5)))[0], 3 * rng.normal(size=8)
    problem = gaussian(X, y, nonconvex_examples()[name])
    expected = problem.penalty.prox(X.T @ y, 1.0)
    found = solve(problem)
    np.testing.assert_allclose(found.coef, expected, rtol=1e-9, atol=1e-12)


def test_limits_are_the_lasso_and_ridge() -> None:
    """A double Pareto of large shape is a Laplace prior, a t of many degrees a normal one."""
    X, y = data(br.Gaussian(1.0), seed=3, p=4)
    pairs: list[tuple[IndependentPrior, IndependentPrior]] = [
        (br.GeneralizedDoublePareto(0.1, shape=1e9), br.Laplace(0.1)),
        (br.StudentT(nu=1e9, scale=0.3), br.Normal(0.3)),
        (br.Bridge(0.1, power=1 + 1e-9), br.Laplace(0.1)),
        (br.Bridge(0.1, power=1 - 1e-9), br.Laplace(0.1)),
    ]
    for bent, limit in pairs:
        expected = solve(gaussian(X, y, limit, intercept=True)).coef
        found = solve(gaussian(X, y, bent, intercept=True)).coef
        np.testing.assert_allclose(found, expected, atol=1e-6)


# --------------------------------------------------------------------------- local minima


@pytest.mark.parametrize("name", nonconvex_examples())
@pytest.mark.parametrize("family", LIKELIHOODS)
def test_stationary_on_the_bank(family: str, name: str) -> None:
    """The end is certified stationary, and a local minimum; zeros are exact."""
    likelihood, prior = LIKELIHOODS[family], nonconvex_examples()[name]
    for seed, (intercept, weighted) in enumerate(itertools.product((True, False), repeat=2)):
        X, y = data(likelihood, seed=seed)
        rng = np.random.default_rng(seed)
        problem = br.Problem(
            X,
            y,
            likelihood=likelihood,
            prior=prior,
            intercept=intercept,
            weights=rng.uniform(0.5, 2.0, y.size) if weighted else None,
            offset=rng.normal(size=y.size) / 10 if weighted else None,
            standardize=seed % 3 == 0,
        )
        fit = br.find_map(problem)
        assert fit.status is Status.STATIONARY
        certificate = fit.certificate
        assert certificate.stationary
        assert (certificate.optimal, certificate.convex, certificate.unique) == (False,) * 3
        assert math.isinf(certificate.gap)
        assert certificate.kkt < 1e-10
        solution = Solution(fit.coef, fit.intercept, fit.iterations)
        assert is_local_minimum(problem, solution)
        assert not ((np.abs(fit.coef) < 1e-12) & (fit.coef != 0) & separable(problem).kinked).any()


def test_a_cusp_is_stationary_at_zero_whatever_the_data_say() -> None:
    """Below power 1 all zeros are stationary, the certificate says no more; the mode is lower."""
    X, y = data(br.Gaussian(0.7), seed=0)
    problem = gaussian(X, 100 * y, br.Bridge(1.0, power=0.5))
    zeros = br.certify(problem, np.zeros(5))
    assert zeros.stationary
    assert zeros.kkt == 0.0
    assert not zeros.optimal
    assert math.isinf(zeros.gap)
    assert "not convex" in str(zeros)
    fit = br.find_map(problem)
    assert fit.objective < problem.objective(np.zeros(5)) - 100


def test_a_saddle_is_left() -> None:
    """Of two equal columns under a Cauchy prior one takes all: sharing equally is a saddle."""
    x = np.linspace(-1, 1, 9)
    problem = gaussian(np.column_stack([x, x]), 20 * x, br.StudentT(1.0, 0.1))
    fit = br.find_map(problem)
    assert max(fit.coef) > 15
    assert abs(min(fit.coef)) < 0.1
    half = fit.coef.sum() / 2
    assert fit.objective < problem.objective([half, half])


def test_more_columns_than_rows() -> None:
    """Three true effects among sixty are found: lower than at the truth, few others."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 60))
    truth = np.zeros(60)
    truth[[3, 20, 41]] = 4.0, -3.0, 5.0
    y = X @ truth + rng.normal(size=40)
    for prior in (
        br.GeneralizedDoublePareto(0.02, 1.0),
        br.Bridge(0.02, 0.5),
        br.StudentT(1.0, 0.01),
    ):
        problem = gaussian(X, y, prior, intercept=True)
        fit = br.find_map(problem)
        assert fit.objective < problem.objective(truth)
        assert set(np.flatnonzero(np.abs(fit.coef) > 0.5)) == {3, 20, 41}


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(set(FEW) - {"mixed"})))
def test_order_sign_and_units_of_columns_do_not_matter(seed: int, name: str) -> None:
    """Permuted, flipped and rescaled columns have the mode permuted, flipped and rescaled."""
    X, y = data(br.Gaussian(0.7), seed=seed, p=3)
    prior, rng = FEW[name], np.random.default_rng(seed)
    prior = prior.rescaled(np.ones(3))
    factor = np.exp(rng.normal(size=3)) * (1.0 if "half" in name else rng.choice([-1.0, 1.0], 3))
    base = solve(gaussian(X, y, prior))
    moved = solve(gaussian(X / factor, y, prior.rescaled(np.abs(factor))))
    value = gaussian(X, y, prior).penalised(base.coef)
    back = gaussian(X, y, prior).penalised(moved.coef / factor)
    assert back == pytest.approx(value, rel=1e-11)


def test_a_start_is_one_more_start() -> None:
    """From the mode at a neighbouring scale the answer is as low, and the mode stays the mode."""
    X, y = data(br.Gaussian(0.7), seed=4)
    problem = gaussian(X, y, br.GeneralizedDoublePareto(0.05, 1.0), intercept=True)
    near = solve(gaussian(X, y, br.GeneralizedDoublePareto(0.06, 1.0), intercept=True))
    cold, warm = solve(problem), solve(problem, coef=near.coef, intercept=near.intercept)
    np.testing.assert_allclose(warm.coef, cold.coef, rtol=1e-10, atol=1e-13)


def test_a_coefficient_that_does_not_matter_is_zero() -> None:
    """A constant column beside an intercept, a column of zeros: their coefficients go to 0."""
    X, y = data(br.Gaussian(0.7), seed=4, p=3)
    padded = np.column_stack([X, np.full(len(y), 7.0), np.zeros(len(y))])
    for prior in (br.StudentT(2.0, 0.3), br.Bridge(0.3, 0.5), br.Bridge(0.3, 1.5)):
        fit = br.find_map(gaussian(padded, y, prior, intercept=True))
        np.testing.assert_allclose(fit.coef[3:], 0.0, atol=1e-14)


# --------------------------------------------------------------------------- convex powers


@pytest.mark.parametrize("power", [1.02, 1.2, 1.5, 1.9, 2.5, 4.0, 8.0])
@pytest.mark.parametrize("family", CONVEX)
def test_convex_powers_have_a_gap(family: str, power: float) -> None:
    """Between 1 and 2 no coefficient is 0, however small; the duality gap proves the mode."""
    X, y = data(LIKELIHOODS[family], seed=6)
    problem = br.Problem(X, y, likelihood=LIKELIHOODS[family], prior=br.Bridge(0.1, power))
    fit = br.find_map(problem)
    assert fit.status is Status.OPTIMAL
    assert fit.certificate.gap < 1e-10
    assert (fit.coef != 0).all()
    worse = fit.coef + 0.01
    certificate = br.certify(problem, worse, fit.intercept)
    assert certificate.gap >= problem.objective(worse, fit.intercept) - fit.objective
    assert not certificate.optimal


def test_convex_powers_refuse_to_call_a_poor_answer_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rounds enough there is an error, not an answer."""
    X, y = data(br.Gaussian(0.7), seed=6)
    monkeypatch.setattr(stationary, "_MOST_ROUNDS", 1)
    with pytest.raises(NotConverged, match="no start led to rounding error"):
        solve(gaussian(X, y, br.Bridge(0.1, 1.5)))


# --------------------------------------------------------------------------- bounds


def test_nonnegative_least_squares_equals_scipy() -> None:
    """A flat prior on coefficients that are at least 0 is NNLS, wide or with equal columns too."""
    rng = np.random.default_rng(0)
    for n, p in ((30, 5), (30, 25), (6, 10)):
        for _ in range(5):
            X, y = rng.normal(size=(n, p)), rng.normal(size=n)
            fit = solve(gaussian(X, y, br.Laplace(np.inf, nonnegative=True)))
            residual = float(np.linalg.norm(y - X @ fit.coef))
            assert residual == pytest.approx(optimize.nnls(X, y)[1], rel=1e-12)
            assert (fit.coef >= 0).all()
    doubled = np.column_stack([X[:, :3], X[:, :3]])
    fit = solve(gaussian(doubled, y, br.Normal(np.inf, nonnegative=True)))
    assert np.linalg.norm(y - doubled @ fit.coef) == pytest.approx(optimize.nnls(X[:, :3], y)[1])


@pytest.mark.parametrize("family", LIKELIHOODS)
@pytest.mark.parametrize("name", [k for k in prior_examples() if "half" in k or "trunc" in k])
def test_nonnegative_modes_by_brute_force(family: str, name: str) -> None:
    """The mode is the best of those on every set of zeros whose coefficients are all positive."""
    likelihood = LIKELIHOODS[family]
    X, y = data(likelihood, seed=1)
    prior = prior_examples()[name]
    problem = br.Problem(X, y, likelihood=likelihood, prior=prior)
    fit = br.find_map(problem)
    assert fit.certificate.minimum
    assert (fit.coef >= 0).all()

    def value(v: Vector) -> float:
        return problem.penalised(v[1:], float(v[0]))

    bounds = [(None, None), *[(0.0, None)] * problem.p]
    start = np.concatenate([[fit.intercept], np.full(problem.p, 0.1)])
    peer = optimize.minimize(value, start, method="L-BFGS-B", bounds=bounds)
    found = problem.penalised(fit.coef, fit.intercept)
    assert found <= float(peer.fun) + 1e-10
    np.testing.assert_allclose(fit.coef, peer.x[1:], atol=2e-3)


def test_a_bound_that_does_not_bind_changes_nothing() -> None:
    """Where all coefficients are positive anyway, half-normal is normal and exponential Laplace."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(50, 4))
    y = X @ np.array([2.0, 1.0, 3.0, 1.5]) + rng.normal(size=50)
    for half, whole in (
        (br.HalfNormal(0.5), br.Normal(0.5)),
        (br.Exponential(0.3), br.Laplace(0.3)),
    ):
        bounded, free = (br.find_map(gaussian(X, y, q, intercept=True)) for q in (half, whole))
        np.testing.assert_allclose(bounded.coef, free.coef, rtol=1e-13)
        # Each coefficient has half of the density, renormalised.
        assert free.objective - bounded.objective == pytest.approx(4 * math.log(2), rel=1e-12)


def test_a_negative_answer_to_a_bounded_problem_is_refused_by_its_certificate() -> None:
    """Outside of the bound the objective is infinite, and so are residual and gap."""
    X, y = data(br.Gaussian(0.7), seed=0)
    problem = gaussian(X, y, br.HalfNormal(0.5))
    certificate = br.certify(problem, np.array([0.1, -1e-12, 0.1, 0.1, 0.1]))
    assert math.isinf(certificate.kkt)
    assert math.isinf(certificate.gap)
    assert not certificate.optimal


# --------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("name", degenerate_examples())
def test_degenerate_priors_have_no_mode(name: str) -> None:
    """Whoever is asked for a mode refuses with the reason; no optimizer fits."""
    X, y = data(br.Gaussian(0.7), seed=0)
    alone = gaussian(X, y, degenerate_examples()[name])
    one = {"horseshoe": br.Horseshoe(0.1), "spike-slab": br.SpikeSlab(0.5, 1.0)}.get(
        name, br.RegularizedHorseshoe(0.1, 1.0)
    )
    mixed = gaussian(X, y, [(one, [0]), (br.Normal(1.0), [1, 2, 3, 4])])
    reason = "atom" if name == "spike-slab" else "infinite at 0"
    for problem in (alone, mixed):
        for verb in (
            br.find_map,
            lambda problem: br.certify(problem, np.zeros(5)),
            lambda problem: br.optimize(problem, "ista"),
        ):
            with pytest.raises(DegenerateMode, match=f"prior: .*{reason}"):
                verb(problem)
        assert br.list_optimizers(problem) == ()


def test_a_joint_mode_with_sigma_is_refused_for_penalties_that_bend() -> None:
    """Sigma must be given; then a scale relative to it works."""
    X, y = data(br.Gaussian(0.7), seed=0)
    prior = br.StudentT(1.0, 0.2, relative_to="sigma")
    problem = br.Problem(X, y, likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=prior)
    with pytest.raises(InputError, match=r"^sigma: .*given"):
        br.find_map(problem)
    fit = br.find_map(problem, given={"sigma": 0.5})
    known = br.Problem(X, y, likelihood=br.Gaussian(0.5), prior=br.StudentT(1.0, 0.1))
    np.testing.assert_allclose(fit.coef, br.find_map(known).coef, rtol=1e-10)


def test_the_horseshoe_names_what_can_be_done() -> None:
    """The remedy in the message is one that there is: draws."""
    X, y = data(br.Gaussian(0.7), seed=0)
    with pytest.raises(DegenerateMode, match=r"draw from it with bayesreg\.sample"):
        br.find_map(gaussian(X, y, br.Horseshoe(0.1)))


def test_words_say_that_a_mode_is_the_best_of_the_starts() -> None:
    """Where the penalty is not convex the printed answer says so; elsewhere it does not."""
    X, y = data(br.Gaussian(0.7), seed=0)
    assert "the best of the starts" in str(br.find_map(gaussian(X, y, br.StudentT(3.0, 0.1))))
    assert "the best of the starts" not in str(br.find_map(gaussian(X, y, br.Laplace(0.1))))


def test_a_round_that_moves_nothing_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal takes as long as there is something to try: here ten rounds, not two thousand."""
    X = np.random.default_rng(0).normal(size=(8, 3))
    problem = br.Problem(
        X,
        np.arange(8) % 2,
        likelihood=br.Bernoulli(),
        prior=br.Bridge(1e-150, 3.0),
        intercept=False,
        offset=np.full(8, 700.0),
    )
    rounds: list[None] = []
    step = stationary._proximal_step

    def counted(*arguments: Any) -> Any:
        rounds.append(None)
        return step(*arguments)

    monkeypatch.setattr(stationary, "_proximal_step", counted)
    with pytest.raises(NotConverged, match="no start led to rounding error"):
        br.find_map(problem)
    assert len(rounds) < 50
