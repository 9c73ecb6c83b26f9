"""Which moments the posteriors of estimators have, against exponents worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import bayesreg as br
from bayesreg.errors import NoClosedForm, SamplingWarning
from bayesreg.estimators import (
    BayesianElasticNet,
    BayesianHorseshoe,
    BayesianLasso,
    BayesianRidge,
    MAPRegressor,
)
from bayesreg.estimators._tails import Tails

FEW: dict[str, Any] = {"draws": 100, "tune": 100, "random_state": 0}


def data(n: int, p: int = 2) -> tuple[Any, Any]:
    """Columns about 0 and a target that they explain in part."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p))
    return X, X.sum(axis=1) + rng.normal(size=n)


# k of a density of sigma that falls like σ^−(k+1); σ² has a mean if r + k > 2.
SIGMAS: dict[str, tuple[Any, float]] = {
    "flat": (br.Flat(), -1.0),
    "cauchy": (br.HalfCauchy(1.0), 1.0),
    "t3": (br.HalfStudentT(1.0, nu=3.0), 3.0),
    "inverse gamma": (br.InverseGamma(1.5, 1.0), 3.0),
    "normal": (br.HalfNormal(1.0), np.inf),
}


@pytest.mark.parametrize("prior", [br.Normal(1.0), br.Laplace(1.0), br.StudentT(3.0, scale=1.0)])
@pytest.mark.parametrize("sigma", list(SIGMAS))
def test_the_variance_of_noise_by_its_exponent(prior: Any, sigma: str) -> None:
    """Rows less the intercept, plus the power of the tail of sigma, must exceed two."""
    hyperprior, k = SIGMAS[sigma]
    for n in range(2, 8):
        X, y = data(n)
        tails = Tails(br.Problem(X, y, likelihood=br.Gaussian(hyperprior), prior=prior))
        assert tails.variance(X).tolist() == [n - 1 + k > 2] * n, n
        assert tails.mean == (n - 1 + k > 1), n


def test_flat_coefficients_count_as_the_intercept_does() -> None:
    """Each takes a row."""
    X, y = data(5)
    for flat in ([], [0], [0, 1]):
        proper = [j for j in range(2) if j not in flat]
        parts = [(br.Flat(), flat)] * bool(flat) + [(br.Laplace(1.0), proper)] * bool(proper)
        noise = br.Gaussian(br.Flat())  # r − 1 > 2, and r is 4 less the flat ones
        tails = Tails(br.Problem(X, y, likelihood=noise, prior=parts))
        assert tails.variance(X).all() == (4 - len(flat) - 1 > 2), flat


@pytest.mark.parametrize("prior", [br.Normal, br.Laplace, br.Horseshoe])
@pytest.mark.parametrize("known", [True, False])
def test_what_rows_do_not_see_is_as_wide_as_its_prior(prior: Any, known: bool) -> None:
    """Equal columns, one direction seen: under a half-Cauchy scale 1 + 1 > 2 fails for the other.

    A row with equal entries asks for nothing else than the data show.
    """
    X, y = data(30, 1)
    noise = br.Gaussian(1.0 if known else br.HalfNormal(1.0))
    rows = np.array([[2.0, 2.0], [1.0, 3.0]])
    for scale, wanted in ((br.HalfCauchy(1.0), [True, False]), (br.HalfNormal(1.0), [True, True])):
        twice = br.Problem(X[:, [0, 0]], y, likelihood=noise, prior=prior(scale))
        assert Tails(twice).variance(rows).tolist() == wanted
    apart = br.Problem(
        np.column_stack([X, X**2]), y, likelihood=noise, prior=prior(br.HalfCauchy(1.0))
    )
    assert Tails(apart).variance(rows).all()


def test_a_prior_without_variance_shows_where_the_data_say_nothing() -> None:
    """A constant column under a horseshoe: no variance where the new row differs."""
    X, y = data(30, 2)
    X[:, 1] = 3.0
    model = BayesianHorseshoe(**FEW).fit(X, y)
    _, std = model.predict([[1.0, 3.0], [1.0, 4.0]], return_std=True)
    assert np.isinf(std).tolist() == [False, True]


@pytest.mark.parametrize("n", [3, 4, 5])
@pytest.mark.parametrize("mixed", [True, False])
def test_normal_priors_are_judged_as_the_exact_posterior_judges_them(n: int, mixed: bool) -> None:
    """One rule: where moments are refused, some row has no variance."""
    X, y = data(n, 3)
    prior: Any = br.Normal(br.HalfCauchy(1.0))
    if mixed:
        prior = [(br.Flat(), [0]), (br.Normal(br.HalfCauchy(1.0), relative_to="sigma"), [1, 2])]
    problem = br.Problem(X, y, likelihood=br.Gaussian(br.HalfCauchy(1.0)), prior=prior)
    rows = np.vstack([X, np.eye(3)])
    try:
        br.posterior_moments(problem)
        has = True
    except NoClosedForm:
        has = False
    assert Tails(problem).variance(rows).all() == has


@pytest.mark.filterwarnings("ignore:chains disagree")
@pytest.mark.parametrize(
    "kind", [BayesianRidge, BayesianLasso, BayesianElasticNet, BayesianHorseshoe]
)
def test_two_rows_leave_no_sd_and_say_so(kind: Any) -> None:
    """The sd of draws would grow with their number; intervals and medians are there."""
    X, y = data(2)
    with pytest.warns(SamplingWarning, match="X: has so few rows"):
        model = kind(**FEW).fit(X, y)
    assert np.isinf(model.predict(X, return_std=True)[1]).all()
    assert np.isfinite(kind(point="median", **FEW).fit(X, y).coef_).all()
    assert np.isfinite(model.predict_interval(X)).all()
    assert np.isfinite(kind(sigma=1.0, **FEW).fit(X, y).predict(X, return_std=True)[1]).all()


def test_other_likelihoods_are_not_in_question() -> None:
    """Counts and classes have no sigma; noise of known scale has its variance."""
    X, y = data(3)
    for likelihood in (br.Poisson(), br.Gaussian(1.0)):
        model = MAPRegressor(br.Laplace(1.0), likelihood, **FEW).fit(X, np.round(np.abs(y)))
        assert np.isfinite(model.predict(X, return_std=True)[1]).all()


def second_moment(nus: tuple[float, float], end: float) -> float:
    """Integral of δ² times the densities of δ and of 1 − δ, as far as `end`."""
    log_size = np.linspace(-5, np.log(end), 4001)
    size = np.exp(log_size)
    both = sum(size**3 * stats.t.pdf(d, nus[0]) * stats.t.pdf(1 - d, nus[1]) for d in (size, -size))
    return float(np.trapezoid(both, log_size))


@pytest.mark.parametrize("nus", [(0.25, 0.25), (0.5, 0.5), (0.2, 0.7), (0.6, 0.6), (0.2, 1.5)])
def test_equal_columns_leave_the_power_of_both_priors(nus: tuple[float, float]) -> None:
    """δ^−(2 + ν + ν') has a second moment if its power exceeds 3; its integral settles only then.

    In any units, with either sign, about any mean; where a row has equal entries nothing is unseen.
    """
    settles = second_moment(nus, 1e16) / second_moment(nus, 1e12) < 1.2
    assert settles == (sum(nus) > 1)
    X, y = data(30, 2)
    X = np.column_stack([X[:, 0], -2.0 * X[:, 0] + 3.0, X[:, 1]])
    parts: Any = [(br.StudentT(nu, 1.0), [j]) for j, nu in enumerate(nus)]
    parts.append((br.StudentT(0.1, 1.0), [2]))
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=parts)
    rows = np.array([[2.0, -1.0, 5.0], [2.0, -1.1, 5.0]])
    assert Tails(problem).variance(rows).tolist() == [True, settles]
    assert Tails(problem).variance(X).all()


def test_three_coefficients_are_enough_for_a_variance() -> None:
    """A column that is the sum of two others: 3 (1 + ν) exceeds 3 for every ν."""
    X, y = data(30, 2)
    X = np.column_stack([X, X.sum(axis=1)])
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.StudentT(0.1, 1.0))
    assert Tails(problem).variance(np.eye(3)).all()


@pytest.mark.parametrize(("nu", "ends"), [(2.0, False), (2.5, True)])
def test_flat_coefficients_follow_at_no_cost(nu: float, ends: bool) -> None:
    """Beside a flat coefficient of the same column a prior is alone with its power of 1 + ν."""
    X, y = data(30, 2)
    parts: Any = [(br.Flat(), [0, 1]), (br.StudentT(nu, 1.0), [2])]
    X = np.column_stack([X, X @ [1.0, -3.0] + 2.0])
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=parts)
    rows = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    assert Tails(problem).variance(rows).tolist() == [True, ends]


@pytest.mark.parametrize(("sign", "ends"), [(1.0, True), (-1.0, False)])
def test_coefficients_that_only_grow(sign: float, ends: bool) -> None:
    """Equal columns share what the data allow; opposite ones grow together without end."""
    X, y = data(30, 1)
    X = np.column_stack([X, sign * X])
    prior = br.StudentT(0.25, 1.0, nonnegative=True)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior)
    assert Tails(problem).variance(np.array([[1.0, 3.0]])).tolist() == [ends]


def test_a_bridge_is_no_power() -> None:
    """However slowly exp(−|β|^q) falls, it has all moments."""
    X, y = data(30, 1)
    for power in (1.0, 0.5, 0.1):
        prior = br.Bridge(1.0, power)
        problem = br.Problem(X[:, [0, 0]], y, likelihood=br.Gaussian(1.0), prior=prior)
        assert Tails(problem).variance(np.array([[1.0, 3.0]])).all()


def test_a_coefficient_without_a_mean_is_its_median() -> None:
    """A constant column says nothing of a horseshoe, whose median is 0 whatever the seed."""
    X, y = data(30, 2)
    X[:, 1] = 3.0
    for seed in range(3):
        model = BayesianHorseshoe(draws=50, tune=50, random_state=seed).fit(X, y)
        assert model.coef_[1] == 0.0
        assert model.intercept_ == pytest.approx(y.mean() - X[:, 0].mean() * model.coef_[0], abs=1)
        near, far = model.predict([[1.0, 3.0], [1.0, 9.0]])
        assert near == far


def test_medians_of_what_has_no_mean() -> None:
    """Of draws, where a sign or a flat coefficient beside leaves no symmetry about 0."""
    X, y = data(30, 2)
    X[:, 1] = 0.0
    beta = np.random.default_rng(0).normal(1.0, 1.0, (101, 3))
    prior = br.StudentT(1.0, 1.0, nonnegative=True)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior)
    wanted: list[Any] = [beta[:, 0].mean(), np.median(beta[:, 1])]
    assert Tails(problem).centre(beta[:, :2]) == pytest.approx(wanted)
    X = np.column_stack([X[:, 0], X[:, 0], y**2])
    parts: Any = [(br.Flat(), [0, 2]), (br.StudentT(1.0, 1.0), [1])]
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=parts)
    wanted = [np.median(beta[:, 0]), 0.0, beta[:, 2].mean()]
    assert Tails(problem).centre(beta) == pytest.approx(wanted)


# ------------------------------------------------------------------ counts


def counts(X: Any, y: Any, prior: Any, **more: Any) -> Tails:
    """Return the tails of a Poisson model without an intercept, but where one is asked for."""
    parts: dict[str, Any] = {"intercept": False} | more
    return Tails(br.Problem(X, y, likelihood=br.Poisson(), prior=prior, **parts))


def has_variance(x: float, y: float, b: float, side: float = 1.0) -> bool:
    """Whether ``∫ exp(2xβ + s(yβ) − exp(sβ) − |β|/b)`` ends, for one row at s: by its two slopes.

    Where the row rises exp(−exp) ends it; where it falls there are 2x, y and 1/b.
    """
    return -side * (2 * x + side * y) - 1 / b < 0


def test_a_count_that_no_row_sees_has_the_moments_of_its_prior() -> None:
    """``E exp(2xβ) = 1/(1 − (2xb)²)`` under Laplace(b): infinite from ``|x| = 1/(2b)`` on."""
    rows = np.array([[0.0], [0.24], [-0.24], [0.25], [0.26], [-0.3]])
    found = counts([[0.0], [0.0]], [1.0, 2.0], br.Laplace(2.0)).variance(rows)
    assert found.tolist() == [True, True, True, False, False, False]
    wide = rows[1:] * 100
    assert counts([[0.0]], [1.0], br.Normal(2.0)).variance(wide).all()
    for heavy in (br.StudentT(9.0, 0.1), br.Horseshoe(0.1), br.Laplace(br.HalfNormal(0.1))):
        assert counts([[0.0]], [1.0], heavy).variance(rows).tolist() == [True] + 5 * [False]
    assert counts([[0.0]], [1.0], br.SpikeSlab(0.5, 2.0)).variance(wide).all()


def test_a_half_normal_scale_leaves_normal_coefficients_an_exponential_tail() -> None:
    """``∫ exp(2x²s² − s²/(2τ²)) ds`` ends if ``2|x|τ < 1``; of several x it is their length."""
    prior = br.Normal(br.HalfNormal(0.5))
    rows = np.array([[0.99], [1.01]])
    assert counts([[0.0]], [1.0], prior).variance(rows).tolist() == [True, False]
    both = np.array([[0.99 * 0.6, 0.99 * 0.8], [1.01 * 0.6, -1.01 * 0.8]])
    assert counts([[0.0, 0.0]], [1.0], prior).variance(both).tolist() == [True, False]


@pytest.mark.parametrize(
    "prior",
    [
        br.Bridge(1.0, power=1.5),
        br.Bridge(1.0, power=2.0),
        br.Bridge(br.HalfNormal(1.0), power=3.0),
        br.ElasticNet(1.0, 1.0),
        br.RegularizedHorseshoe(1.0, 1.0),
        br.RegularizedHorseshoe(br.HalfCauchy(1.0), 1.0),
        br.UniformBall(1.0, "l2"),
    ],
    ids=repr,
)
def test_priors_that_fall_faster_than_any_rate(prior: Any) -> None:
    """Like exp(−|β|^q) with q > 1, or bounded: everything has a variance."""
    assert counts([[0.0]], [1.0], prior).variance(np.array([[-50.0], [50.0]])).all()


@pytest.mark.parametrize(
    "prior",
    [
        br.Bridge(1.0, power=0.5),
        br.Bridge(br.HalfNormal(1.0), power=1.5),
        br.GeneralizedDoublePareto(1.0, 1.0),
        br.RegularizedHorseshoe(1.0, 1.0, slab_df=4.0),
        br.Normal(br.HalfCauchy(1.0)),
        br.Normal(br.Exponential(1.0)),
        br.Normal(br.HalfStudentT(1.0, nu=9.0)),
    ],
    ids=repr,
)
def test_priors_that_fall_slower_than_any_rate(prior: Any) -> None:
    """Like a power, or exp(−|β|^q) with q < 1: only a row that does not move has a variance."""
    rows = np.array([[-0.05], [0.0], [0.05]])
    assert counts([[0.0]], [1.0], prior).variance(rows).tolist() == [False, True, False]


@pytest.mark.parametrize("y", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_one_row_of_counts_holds_one_side(y: float, side: float) -> None:
    """Against the slopes of the integrand; a count helps against growth on the other side."""
    xs = np.array([-3.0, -1.9, -1.1, -0.4, 0.4, 1.1, 1.9, 3.0])
    for b in (0.3, 0.6, 2.0):
        tails = counts([[side]], [y], br.Laplace(b))
        wanted = [has_variance(x, y, b, side) for x in xs.tolist()]
        assert tails.variance(xs[:, None]).tolist() == wanted


FALLS: dict[str, tuple[Any, Any]] = {
    "laplace": (br.Laplace([0.7, 0.4]), lambda d: np.abs(d) @ [1 / 0.7, 1 / 0.4]),
    "group": (br.GroupLaplace(0.6, [[0, 1]]), lambda d: np.hypot(*d.T) / 0.6),
    "sup": (br.LInfinity(0.6), lambda d: np.abs(d).max(axis=1) / 0.6),
    "fused": (br.Fused(0.5, 1.0), lambda d: np.abs(d[:, 0]) + np.abs(d[:, 1] - d[:, 0]) / 0.5),
    "positive": (
        br.Laplace(0.6, nonnegative=True),
        lambda d: np.where((d >= 0).all(axis=1), d.sum(axis=1) / 0.6, np.inf),
    ),
    "t": (br.StudentT(3.0, 1.0), lambda d: np.zeros(d.shape[0])),
    "half-normal": (br.Normal(br.HalfNormal(0.4)), lambda d: np.hypot(*d.T) / 0.4),
    "mixed": (
        [(br.Normal(1.0), [0]), (br.Laplace(0.5), [1])],
        lambda d: np.where(d[:, 0] == 0, np.abs(d[:, 1]) / 0.5, np.inf),
    ),
}


@pytest.mark.parametrize("name", list(FALLS))
def test_variances_of_counts_by_every_direction_of_a_plane(name: str) -> None:
    """Two coefficients, few rows, against ``2x·d + Σ w y x·d − P(d)`` on 20000 directions."""
    prior, fall = FALLS[name]
    rng, seen = np.random.default_rng(3), set()
    angle = np.linspace(0, 2 * np.pi, 20001)
    d = np.vstack([np.stack([np.cos(angle), np.sin(angle)], 1), np.eye(2), -np.eye(2)])
    d = np.vstack([d, [[1.0, -1.0], [-1.0, 1.0]]])
    for trial in range(12):
        X = np.round(rng.normal(size=(rng.integers(1, 6), 2)), 2)
        X[:, 1] = X[:, 0] if trial % 4 == 0 else X[:, 1] * (trial % 4 != 1)
        y, w = rng.poisson(0.7, (X.shape[0],)) + 0.0, rng.uniform(0.5, 2.0, X.shape[0])
        rows = 1.5 * rng.normal(size=(6, 2))
        found = counts(X, y, prior, weights=w).variance(rows)
        held = d[(d @ X.T <= 1e-9).all(axis=1)]
        against = fall(held) - held @ (X.T @ (w * y))
        gain = (2 * rows @ held.T - against).max(axis=1, initial=-1.0)
        clear = np.abs(gain) > 1e-3
        assert (found == (gain < 0))[clear].all(), trial
        seen |= set(found[clear].tolist())
    assert seen == {True, False}


@pytest.mark.parametrize("standardize", [False, True])
def test_counts_beside_an_intercept_wherever_columns_are_measured_from(standardize: bool) -> None:
    """All counts at the right end: a slope of Laplace(b) carries them to x = 3 as it grows.

    Up to there ``α + 1·β`` is held, so ``exp(2(α + 3β))`` grows like exp(4β), and what falls is
    exp(−β/b) alone, for rows to the left have no counts.
    """
    X = np.array([[-1.0], [0.0], [0.5], [1.0]])
    sd = X.std() if standardize else 1.0
    for b, ends in ((0.24, True), (0.26, False)):
        for level in (0.0, 1e6):
            tails = counts(
                X + level, [0, 0, 0, 2], br.Laplace(b * sd), intercept=True, standardize=standardize
            )
            rows = level + np.array([[3.0], [1.0], [0.7], [-1.0]])
            assert tails.variance(rows).tolist() == [ends, True, True, True]
    both = counts(X, [1, 0, 0, 2], br.Laplace(2.0 * sd), intercept=True, standardize=standardize)
    assert both.variance([[1.4], [-1.4]] * np.ones(1)).all()  # a count at each end holds the slope


def test_the_second_moment_that_is_said_to_end_does() -> None:
    """``∫ exp(2xβ) p(β | y)`` over growing ranges, by quadrature: it settles, or it goes on."""
    X, y, b = np.array([1.0, 0.5]), np.array([0.0, 1.0]), 0.8

    def log_density(beta: Any, x: float) -> Any:
        eta = np.outer(beta, X)
        return 2 * x * beta + (y * eta - np.exp(eta)).sum(axis=1) - np.abs(beta) / b

    for x in (-0.8, -0.95):  # 2|x| against 1/b + 0.5 = 1.75
        ends = counts(X[:, None], y, br.Laplace(b)).variance(np.array([[x]]))[0]
        beta = np.linspace(-400.0, 5.0, 400_001)
        density = np.exp(log_density(beta, x))
        whole, half = (np.trapezoid(density[beta >= at], beta[beta >= at]) for at in (-400, -200))
        assert ends == (whole < 1.001 * half)


T = br.StudentT
WEDGE: tuple[Any, ...] = (
    [[1, 1], [-1, 1]],
    [2, 2],
    [0, -2],
)  # |d0| <= −d1, R = −4 d1, 2x = (0, −4)
CORNER: tuple[Any, ...] = ([[1, 0], [0, 1]], [2, 2], [-1, -1])  # both fall, R = −2 (d0 + d1)
THREE: tuple[Any, ...] = ([[1, 1, 1], [-1, 1, 1]], [2, 2], [0, -2, -2])  # |d0| <= −d1 − d2
TIED: tuple[Any, ...] = ([*THREE[0], [0, 1, -1], [0, -1, 1]], [2, 2, 0, 0], [0, -2, -2])  # d1 = d2
FLAT: Any = (br.Flat(), [0])


@pytest.mark.parametrize(
    ("data", "prior", "ends"),
    [
        (([[1], [2]], [2, 0], [-1]), T(0.1, 1.0), True),  # a line, and a power of 1.1
        (([[1], [2]], [2, 0], [-1.5]), br.Laplace(1.0), False),  # R = 2 + 1, and a constant
        (([[0], [0]], [1, 2], [0.25]), br.Laplace(2.0), False),
        (([[1], [2]], [2, 0], [-1]), br.Normal(br.HalfCauchy(1.0)), True),
        (([[1], [2]], [2, 0], [-1]), T(0.1, 1.0, nonnegative=True), True),  # never as far
        (CORNER, T(0.1, 1.0), True),  # 1.1 alone, 2.2 together
        (CORNER, [FLAT, (T(9.0, 1.0), [1])], False),  # a line that nothing resists
        (CORNER, br.Normal(br.HalfCauchy(1.0)), True),  # 3 in two dimensions
        (CORNER, br.Normal(br.Flat()), False),  # and 1
        (WEDGE, [FLAT, (T(1.0, 1.0), [1])], False),  # 2 in two dimensions
        (WEDGE, [FLAT, (T(1.1, 1.0), [1])], True),
        (WEDGE, [FLAT, (br.Normal(br.HalfCauchy(1.0)), [1])], False),
        (WEDGE, [FLAT, (br.Normal(br.HalfStudentT(1.0, nu=1.1)), [1])], True),
        (WEDGE, [FLAT, (br.Horseshoe(1.0), [1])], False),
        (WEDGE, [FLAT, (br.Bridge(1.0, power=0.3), [1])], True),  # slower than any rate, no power
        (WEDGE, [FLAT, (br.Laplace(br.HalfNormal(1.0)), [1])], True),
        (WEDGE, T(0.1, 1.0), True),  # 2.2 in two dimensions
        (THREE, [FLAT, (T(1.0, 1.0), [1, 2])], False),  # either alone: 2 in two dimensions
        (THREE, [FLAT, (T(1.2, 1.0), [1, 2])], True),  # 2.2, and 4.4 in three
        (TIED, [FLAT, (T(0.1, 1.0), [1, 2])], True),  # they move together: 2.2 in two
    ],
)  # fmt: skip
def test_tails_decide_where_growth_and_decay_are_equal(data: Any, prior: Any, ends: bool) -> None:
    """The power of what is far out against the dimension in which it is; a hair off, R decides."""
    X, y, row = data
    rows = np.array(row) * np.array([[1.0], [0.999999], [1.000001]])
    found = counts(X, y, prior).variance(rows).tolist()
    assert found == [ends, True, isinstance(prior, T) and prior.nonnegative]


@pytest.mark.parametrize(
    "prior", [br.GroupLaplace(0.6, [[0, 1, 2]]), br.Normal(br.HalfNormal(0.6))]
)
def test_norms_are_told_from_a_rate_that_is_a_hair_smaller(prior: Any) -> None:
    """``2 |x| 0.6`` against 1: infinite at equality, too."""
    rows = np.outer([1.0, 1 - 1e-5, 1 + 1e-5], [0.6, 0.64, 0.48]) / 1.2
    found = counts(np.zeros((1, 3)), [1.0], prior).variance(rows)
    assert found.tolist() == [False, True, False]


def test_a_cone_that_an_intercept_is_part_of() -> None:
    """Of a count of 2 at 1 and 0 at 2, down the ray (−2, 1): equal at 3, whatever the origin."""
    for level in (0.0, 1e3):
        X = np.array([[1.0], [2.0]]) + level
        rows = np.array([[3.0], [2.999], [3.001]]) + level
        found = counts(X, [2, 0], T(0.5, 1.0), intercept=True).variance(rows)
        assert found.tolist() == [True, True, False]
        rows += 0.5  # for a Laplace prior of scale 1, R is larger by 1
        found = counts(X, [2, 0], br.Laplace(1.0), intercept=True).variance(rows)
        assert found.tolist() == [False, True, False]


def test_a_finite_sd_at_equality_is_found() -> None:
    """A count of 2 at 1 and 0 at 2 under a Student-t prior, the rate at −1: by quadrature."""
    prior, beta = T(3.0, 1.0), np.linspace(-4000.0, 5.0, 2_000_001)
    log_density = 2 * beta - np.exp(beta) - np.exp(2 * beta)
    density = stats.t.pdf(beta, 3)
    moments = [
        float(np.trapezoid(density * np.exp(log_density - k * beta), beta)) for k in range(3)
    ]
    mean, square = moments[1] / moments[0], moments[2] / moments[0]
    model = MAPRegressor(
        prior, br.Poisson(), fit_intercept=False, standardize=False, draws=20_000, random_state=0
    ).fit([[1.0], [2.0]], [2.0, 0.0])
    _, sd = model.predict([[-1.0]], return_std=True)
    assert np.max(sd) == pytest.approx(np.sqrt(square - mean**2 + mean), rel=0.2)


def test_a_regressor_of_counts_says_where_it_has_no_sd() -> None:
    """Draws would put a number there; intervals have one, and the prediction is the mode's rate."""
    X, y = np.array([[-1.0], [0.0], [0.5], [1.0]]), np.array([0.0, 0.0, 0.0, 2.0])
    prior = br.Laplace(0.5)
    model = MAPRegressor(prior, br.Poisson(), standardize=False, **FEW).fit(X, y)
    rows = np.array([[0.5], [1.0], [3.0]])
    mean, sd = model.predict(rows, return_std=True)
    assert np.isfinite(mean).all()
    assert np.isfinite(sd).tolist() == [True, True, False]
    assert np.isfinite(model.predict_interval(rows)).all()


def second_moment_of_one_slope(x: float, scale: float) -> float:
    """``E exp(2xβ)`` given counts 2, 0, 0 at 1, 2, −0.1 and a Laplace prior, by quadrature."""
    beta = np.linspace(-100.0, 20.0, 400_001)
    at, y = np.array([1.0, 2.0, -0.1]), np.array([2.0, 0.0, 0.0])
    eta = np.outer(beta, at)
    log_density = (y * eta - np.exp(eta)).sum(axis=1) - np.abs(beta) / scale
    density = np.exp(log_density - log_density.max())
    whole = 2 * x * beta + np.log(density, out=np.full_like(density, -np.inf), where=density > 0)
    return float(np.trapezoid(np.exp(whole), beta) / np.trapezoid(density, beta))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_sd_of_counts_that_draws_cannot_know_is_named(seed: int) -> None:
    """It is far below that by quadrature, and says so; near the data nothing is said."""
    model = MAPRegressor(
        br.Laplace(5.0), br.Poisson(), fit_intercept=False, standardize=False, random_state=seed
    ).fit([[1.0], [2.0], [-0.1]], [2.0, 0.0, 0.0])
    rows = np.array([[1.0], [-1.5], [-0.1], [0.5]])
    with pytest.warns(SamplingWarning, match=r"X: the sd of 1 of 4 rows \(first row 1\)") as given:
        _, sd = model.predict(rows, return_std=True)
    assert given[0].filename == __file__
    assert np.max(sd) ** 2 < 0.5 * second_moment_of_one_slope(-1.5, 5.0)
    mean, sd = model.predict(rows[[0, 2, 3]], return_std=True)
    assert np.isfinite(mean).all()
    assert np.isfinite(sd).all()


@pytest.mark.parametrize(("n", "draws"), [(200, 250), (40, 250)])
def test_sds_of_ordinary_counts_come_without_a_word(n: int, draws: int) -> None:
    """Counts of mean 3, on the rows of the data and on others like them."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n, 5))
        y = rng.poisson(3.0 * np.exp(0.3 * X[:, 0] - 0.2 * X[:, 1])).astype(np.float64)
        model = MAPRegressor(likelihood=br.Poisson(), draws=draws, random_state=seed).fit(X, y)
        for rows in (X, rng.normal(size=(50, 5))):
            assert np.isfinite(model.predict(rows, return_std=True)[1]).all()
