"""Student-t noise: modes by brute force, posteriors by quadrature, and what is refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, stats

import bayesreg as br
from bayesreg.errors import ImproperPosterior, InputError
from bayesreg.map import Status
from bayesreg.posterior.density import log_joint
from bayesreg.solvers import robust
from bayesreg.solvers.scaled import Scaled
from tests.problems import data

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector


def location(y: Any, nu: float = 1.0, sigma: Any = 1.0, **more: Any) -> br.Problem:
    """Rows about one unknown level."""
    noise = br.StudentTNoise(nu, sigma)
    return br.Problem(np.zeros((len(y), 0)), y, likelihood=noise, prior=br.Flat(), **more)


def lines(seed: int, outliers: int = 6) -> tuple[Matrix, Vector]:
    """Rows on one line, and fewer on another."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=20)
    y = 1.0 + 2.0 * x + 0.1 * rng.normal(size=20)
    y[:outliers] = 9.0 - 3.0 * x[:outliers]
    return x[:, None], y


# --------------------------------------------------------------------------- the mode


@given(
    y=hnp.arrays(np.float64, 6, elements=st.floats(-20, 20)), nu=st.sampled_from([0.5, 1.0, 5.0])
)
@settings(max_examples=25, deadline=None)
def test_location_by_brute_force(y: Vector, nu: float) -> None:
    """The lowest of all stationary levels, of which there may be one for every row."""
    problem = location(y, nu)
    fit = br.find_map(problem)
    grid = np.union1d(np.linspace(-21, 21, 4201), y)
    lowest = -stats.t(nu).logpdf(y - grid[:, None]).sum(axis=1).max()
    assert fit.objective <= lowest + 1e-10
    assert abs(problem.gradient(fit.coef, fit.intercept)[1]) < 1e-10


def test_three_far_rows_have_three_modes_and_two_maxima() -> None:
    """At -10, 0, 10 with Cauchy noise: the middle is the mode; the certificate tells them apart."""
    problem = location([-10.0, 0.0, 10.0])
    fit = br.find_map(problem)
    assert fit.intercept == pytest.approx(0.0, abs=1e-15)
    assert fit.status is Status.STATIONARY
    assert "a local minimum (not convex: no global statement)" in str(fit.certificate)
    slope = np.polynomial.Polynomial([0.0])
    squares = [np.polynomial.Polynomial([1 + y * y, -2 * y, 1.0]) for y in (-10.0, 0.0, 10.0)]
    for k, square in enumerate(squares):  # Σ d/dμ log(1 + (y − μ)²), times all denominators
        others = squares[(k + 1) % 3] * squares[(k + 2) % 3]
        slope = slope + square.deriv() * others
    roots = np.sort(slope.roots().real[np.abs(slope.roots().imag) < 1e-8])
    assert roots.size == 5
    verdicts = [br.certify(problem, [], float(root)) for root in roots]
    assert all(verdict.kkt < 1e-6 for verdict in verdicts)
    assert [verdict.minimum for verdict in verdicts] == [True, False, True, False, True]


def test_two_equal_rows_apart_share_the_mode() -> None:
    """Between two rows twelve sigma apart lies a maximum, not the mode that a mean would be."""
    problem = location([-6.0, 6.0])
    fit = br.find_map(problem)
    assert abs(fit.intercept) == pytest.approx(math.sqrt(35.0), rel=1e-12)  # μ² = 6² − 1
    between = br.certify(problem, [], 0.0)
    assert between.stationary
    assert not between.minimum


@pytest.mark.parametrize("seed", range(6))
def test_lasso_with_two_coefficients_by_brute_force(seed: int) -> None:
    """Nothing on a fine grid is lower, and zeros are those of the best sign pattern."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(9, 2))
    y = X @ [1.5, 0.0] + rng.standard_t(1.0, size=9)
    problem = br.Problem(
        X, y, likelihood=br.StudentTNoise(1.0, 0.5), prior=br.Laplace(0.7), intercept=False
    )
    fit = br.find_map(problem)
    axis = np.append(np.linspace(-4.0, 4.0, 401), fit.coef)
    one, two = (grid.ravel() for grid in np.meshgrid(axis, axis))
    eta = X @ np.array([one, two])
    value = np.log1p(((y[:, None] - eta) / 0.5) ** 2).sum(axis=0)
    value += (np.abs(one) + np.abs(two)) / 0.7
    at = problem.penalised(fit.coef)
    assert at <= value.min() + 1e-10
    best = int(np.argmin(value))
    np.testing.assert_allclose(fit.coef, [one[best], two[best]], atol=0.03)
    for j in np.flatnonzero(fit.coef == 0.0):
        assert abs(problem.gradient(fit.coef)[0][j]) <= 1 / 0.7


@pytest.mark.parametrize("prior", [br.Normal(0.5), br.Laplace(0.2), br.LInfinity(0.1)])
def test_many_degrees_of_freedom_have_the_gaussian_mode(prior: Any) -> None:
    """As nu grows the mode becomes that of normal noise, zeros included."""
    X, y = data(br.Gaussian(0.7), seed=4)
    normal = br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=prior, standardize=True)
    student = br.Problem(
        X, y, likelihood=br.StudentTNoise(1e10, 0.7), prior=prior, standardize=True
    )
    expected, found = br.find_map(normal), br.find_map(student)
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-6, atol=1e-12)
    np.testing.assert_array_equal(found.coef == 0, expected.coef == 0)
    assert found.objective == pytest.approx(expected.objective, rel=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_a_third_of_the_rows_on_another_line_do_not_move_the_mode(seed: int) -> None:
    """The mode follows the line of most rows; least squares follows neither."""
    X, y = lines(seed)
    noise = br.StudentTNoise(2.0, 0.1)
    problem = br.Problem(X, y, likelihood=noise, prior=br.Normal(100.0))
    fit = br.find_map(problem)
    assert fit.coef[0] == pytest.approx(2.0, abs=0.1)
    assert fit.intercept == pytest.approx(1.0, abs=0.1)
    squares = br.find_map(br.Problem(X, y, likelihood=br.Gaussian(0.1), prior=br.Normal(100.0)))
    assert abs(squares.coef[0] - 2.0) > 0.5


def test_units_of_target_and_columns_do_not_matter() -> None:
    """Coefficients carry the units of y over those of x; the certificate has none."""
    rng = np.random.default_rng(0)
    X, y = data(br.StudentTNoise(3.0, 0.7), seed=1)
    units, of_y = 10.0 ** rng.uniform(-6, 6, X.shape[1]), 1e5

    def solve(X: Matrix, y: Vector, of_y: float, units: Vector) -> br.MapEstimate:
        noise = br.StudentTNoise(3.0, 0.7 * of_y)
        prior = br.Laplace(0.1 * of_y / units)
        return br.find_map(br.Problem(X, y, likelihood=noise, prior=prior))

    one, other = solve(X, y, 1.0, np.ones(5)), solve(X * units, y * of_y, of_y, units)
    np.testing.assert_allclose(other.coef, one.coef * of_y / units, rtol=1e-9, atol=1e-300)
    assert other.certificate.kkt == pytest.approx(one.certificate.kkt, abs=1e-12)
    order = rng.permutation(y.size)
    shuffled = solve(X[order], y[order], 1.0, np.ones(5))
    np.testing.assert_allclose(shuffled.coef, one.coef, rtol=1e-9, atol=1e-12)


def test_row_weights_are_precisions() -> None:
    """A row of weight w is a row whose sigma is divided by its root."""
    X, y = data(br.StudentTNoise(3.0, 0.7), seed=1)
    w, more = np.random.default_rng(1).uniform(0.2, 3.0, y.size), {"prior": br.Laplace(0.1)}
    weighted = br.Problem(X, y, likelihood=br.StudentTNoise(3.0, 0.7), weights=w, **more)  # type: ignore[arg-type]
    coef = np.array([0.3, -0.2, 0.0, 1.0, 0.5])
    rows = stats.t(3.0, weighted.predictor(coef, 0.4), 0.7 / np.sqrt(w)).logpdf(y)
    prior = stats.laplace(scale=0.1).logpdf(coef)
    assert weighted.objective(coef, 0.4) == pytest.approx(-rows.sum() - prior.sum(), rel=1e-12)


def test_starts_from_few_rows_find_what_one_start_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over 25 data sets: with all starts never higher, with the plain ones sometimes."""
    rng = np.random.default_rng(3)
    problems = [
        br.Problem(
            rng.normal(size=(12, 2)),
            5.0 * rng.standard_t(0.7, size=12),
            likelihood=br.StudentTNoise(1.0, 0.3),
            prior=br.Normal(10.0),
        )
        for _ in range(25)
    ]
    best = [br.find_map(problem).objective for problem in problems]
    nothing = np.empty((0, 3))
    monkeypatch.setattr(robust, "_distinct", lambda *_: nothing)
    plain = [br.find_map(problem).objective for problem in problems]
    gain = np.array(plain) - np.array(best)
    assert (gain >= -1e-9).all()
    assert (gain > 0.1).any()


def test_starts_are_few_and_the_same_every_time() -> None:
    """No chance is left in them: the same problem has the same answer."""
    X, y = lines(0)
    problem = br.Problem(X, y, likelihood=br.StudentTNoise(1.0, 0.1), prior=br.Normal(1.0))
    work = Scaled.of(problem, problem.elastic_net)
    one, two = robust.robust_starts(work), robust.robust_starts(work)
    np.testing.assert_array_equal(one, two)
    assert 1 <= one.shape[0] <= 6
    wide = br.Problem(X[:1], y[:1], likelihood=br.StudentTNoise(1.0, 0.1), prior=br.Normal(1.0))
    assert robust.robust_starts(Scaled.of(wide, wide.elastic_net)).shape == (0, 2)


# --------------------------------------------------------------------------- its certificate


def test_the_certificate_fails_on_what_is_not_the_mode() -> None:
    """NaN, a coefficient that should be 0, another lambda, another nu, another sigma."""
    X, y = data(br.StudentTNoise(3.0, 0.7), seed=2)
    noise = br.StudentTNoise(3.0, 0.7)
    problem = br.Problem(X, y, likelihood=noise, prior=br.Laplace(0.05))
    fit = br.find_map(problem)
    assert fit.certificate.minimum
    assert (fit.coef == 0).any()
    bad = fit.coef.copy()
    bad[np.flatnonzero(fit.coef == 0)[0]] = 1e-9
    assert not br.certify(problem, bad, fit.intercept).stationary
    assert not br.certify(problem, np.full(5, np.nan), fit.intercept).stationary
    for other in (
        problem.with_prior(br.Laplace(0.0501)),
        br.Problem(X, y, likelihood=br.StudentTNoise(3.1, 0.7), prior=br.Laplace(0.05)),
        br.Problem(X, y, likelihood=br.StudentTNoise(3.0, 0.71), prior=br.Laplace(0.05)),
        br.Problem(X, y, likelihood=br.Gaussian(0.7), prior=br.Laplace(0.05)),
    ):
        assert not br.certify(other, fit.coef, fit.intercept).stationary
    assert not fit.certificate.optimal
    assert math.isinf(fit.certificate.gap)
    assert not fit.certificate.unique


def test_an_unknown_sigma_must_be_given() -> None:
    """There is no joint mode to be had; conditional on a value there is one."""
    X, y = data(br.StudentTNoise(3.0, 0.7), seed=2)
    noise = br.StudentTNoise(3.0, br.HalfNormal(1.0))
    problem = br.Problem(X, y, likelihood=noise, prior=br.Laplace(0.1, relative_to="sigma"))
    with pytest.raises(InputError, match=r"^sigma: is unknown.*Student-t noise.*given="):
        br.find_map(problem)
    fit = br.find_map(problem, given={"sigma": 0.5})
    known = br.Problem(X, y, likelihood=br.StudentTNoise(3.0, 0.5), prior=br.Laplace(0.05))
    np.testing.assert_array_equal(fit.coef, br.find_map(known).coef)
    assert fit.sigma == 0.5


def test_solvers_that_need_convexity_say_so() -> None:
    """And what to do."""
    problem = location([1.0, 2.0, 4.0])
    for method in ("active_set", "working_set", "homotopy"):
        with pytest.raises(InputError, match=r"does not take this problem.*auto"):
            br.find_map(problem, method)


def test_a_path_ends_at_stationary_points() -> None:
    """From the empty model on, each certified; degrees of freedom grow from 0 to p."""
    X, y = data(br.StudentTNoise(3.0, 0.7), seed=2)
    noise = br.StudentTNoise(3.0, 0.7)
    path = br.map_path(br.Problem(X, y, likelihood=noise, prior=br.Laplace(1.0)), n_scales=8)
    assert all(certificate.minimum for certificate in path.certificates)
    assert not path.coef[0].any()
    assert path.knots is None
    assert path.df[0] == 0.0
    assert path.df[-1] == 5.0


# --------------------------------------------------------------------------- the posterior


def moments(values: Any) -> tuple[float, float]:
    """Mean and sd of draws."""
    return float(np.mean(values)), float(np.std(values))


def test_nuts_has_the_moments_of_quadrature() -> None:
    """A level under Cauchy noise, three rows far apart: three modes, all of them visited."""
    y = np.array([-2.0, 0.5, 3.0])
    problem = location(y, nu=1.0, sigma=0.7)

    def density(level: float) -> float:
        return math.exp(-problem.objective([], level))

    total, mean, square = (
        integrate.quad(lambda v, k=k: v**k * density(v), -np.inf, np.inf, limit=400)[0]
        for k in range(3)
    )
    mean, square = mean / total, square / total
    tree = br.sample(problem, "nuts", draws=500, tune=300, chains=4, seed=1)
    found, spread = moments(np.asarray(tree["posterior"]["intercept"]))
    sd = math.sqrt(square - mean**2)
    assert found == pytest.approx(mean, abs=0.25 * sd)
    assert spread == pytest.approx(sd, rel=0.25)


def test_nuts_with_unknown_sigma_has_the_moments_of_quadrature() -> None:
    """Level and log sigma on a grid, with a half-normal prior of sigma and row weights."""
    y, w = np.array([-1.0, 0.2, 0.4, 1.0, 9.0]), np.array([1.0, 0.5, 2.0, 1.0, 1.0])
    problem = location(y, nu=3.0, sigma=br.HalfNormal(1.0), weights=w)
    level, log_sigma = np.linspace(-6, 9, 601), np.linspace(-6, 2.5, 401)
    grid = np.meshgrid(level, log_sigma, indexing="ij")
    draws = {"beta": np.zeros((*grid[0].shape, 0)), "intercept": grid[0], "sigma": np.exp(grid[1])}
    log_density = log_joint(problem, draws) + grid[1]
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    tree = br.sample(problem, "nuts", draws=400, tune=300, chains=4, seed=2)
    posterior = tree["posterior"]
    for name, values, drawn in (
        ("intercept", grid[0], np.asarray(posterior["intercept"])),
        ("log sigma", grid[1], np.log(np.asarray(posterior["sigma"]))),
    ):
        mean = float((weight * values).sum())
        sd = math.sqrt(float((weight * (values - mean) ** 2).sum()))
        assert moments(drawn)[0] == pytest.approx(mean, abs=0.25 * sd), name
        assert moments(drawn)[1] == pytest.approx(sd, rel=0.25), name


def test_log_likelihood_and_predictions_of_draws() -> None:
    """Row by row SciPy's density at each draw; predictions are t about the predictor."""
    X, y = data(br.StudentTNoise(3.0, 0.7), seed=2)
    w = np.random.default_rng(0).uniform(0.5, 2.0, y.size)
    noise = br.StudentTNoise(3.0, br.HalfNormal(1.0))
    problem = br.Problem(X, y, likelihood=noise, prior=br.Normal(1.0), weights=w)
    tree = br.sample(
        problem, "nuts", draws=200, chains=2, seed=3, log_likelihood=True, posterior_predictive=True
    )
    posterior = tree["posterior"]
    beta, level, sigma = (np.asarray(posterior[k]) for k in ("beta", "intercept", "sigma"))
    eta = beta @ X.T + level[..., None]
    scale = sigma[..., None] / np.sqrt(w)
    found = np.asarray(tree["log_likelihood"]["y"])
    np.testing.assert_allclose(found, stats.t(3.0, eta, scale).logpdf(y), rtol=1e-10)
    unit = (np.asarray(tree["posterior_predictive"]["y"]) - eta) / scale
    assert stats.kstest(unit.ravel(), stats.t(3.0).cdf).pvalue > 1e-6


def test_flat_coefficients_are_proper_where_columns_are_independent() -> None:
    """Each row falls like a power above 1, and k rows hold k directions, however small nu is."""
    y = [0.0, 1.0, 4.0]
    X = [[1.0], [2.0], [4.0]]
    noise = br.StudentTNoise(0.3, 1.0)
    problem = br.Problem(X, y, likelihood=noise, prior=br.Flat())
    assert br.find_map(problem).certificate.stationary
    with pytest.raises(ImproperPosterior, match="not linearly independent"):
        br.find_map(br.Problem([[1.0]] * 3, y, likelihood=noise, prior=br.Flat()))


def test_ties_that_leave_sigma_no_integral_are_refused() -> None:
    """Of six rows five are tied: too many at nu = 1; at nu = 4 one other row is enough."""
    y = [1.0, 1.0, 1.0, 1.0, 1.0, 2.5]

    def asked(nu: float, prior: Any = None) -> br.Problem:
        return location(y, nu, br.HalfNormal(1.0) if prior is None else prior)

    with pytest.raises(ImproperPosterior, match=r"^sigma: 5 of 6 rows are fitted exactly by 1"):
        br.sample(asked(1.0), "nuts", draws=10, chains=1)
    for fine in (asked(4.0), asked(1.0, br.InverseGamma(2.0, 1.0))):
        tree = br.sample(fine, "nuts", draws=50, tune=100, chains=1, seed=0)
        assert np.isfinite(np.asarray(tree["posterior"]["sigma"])).all()


def test_the_density_of_sigma_near_zero_has_the_power_that_is_claimed() -> None:
    """With five of six rows tied it grows like ``σ^(nu (n − m) − (m − r))``: by quadrature."""
    y, n, tied = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 2.5]), 6, 5
    for nu in (1.0, 2.0, 4.0):

        def log_marginal(sigma: float, nu: float = nu) -> float:
            span = sigma * np.concatenate([[0.0], np.geomspace(1e-3, 1e3 / sigma, 4001)])
            level = 1.0 + np.concatenate([-span[:0:-1], span])
            log = stats.t(nu, level[:, None], sigma).logpdf(y).sum(axis=1)
            return float(np.log(integrate.trapezoid(np.exp(log - log.max()), level)) + log.max())

        slope = (log_marginal(1e-5) - log_marginal(1e-6)) / math.log(10.0)
        assert slope == pytest.approx(nu * (n - tied) - (tied - 1), abs=0.02)


# --------------------------------------------------------------------------- approximations


def test_laplace_approximation_has_the_curvature_of_the_objective() -> None:
    """The covariance is the inverse of second differences, the curvature of far rows included."""
    X, y = data(br.StudentTNoise(3.0, 0.7), seed=2)
    y[:3] += 8.0
    problem = br.Problem(X, y, likelihood=br.StudentTNoise(3.0, 0.7), prior=br.Normal(1.0))
    found = br.laplace_approximation(problem)
    assert found.valid
    assert found.intercept is not None
    centre = np.append(found.mean, found.intercept)
    h = 1e-4 * np.sqrt(np.diag(found.covariance))

    def gradient(v: Vector) -> Vector:
        slopes, level = problem.gradient(v[:-1], float(v[-1]))
        return np.append(slopes + v[:-1], level)

    hessian = np.array(
        [
            (gradient(centre + d) - gradient(centre - d)) / (2 * step)
            for step, d in zip(h, np.diag(h), strict=True)
        ]
    )
    np.testing.assert_allclose(found.covariance @ hessian, np.eye(6), atol=1e-5)


@pytest.mark.parametrize("prior", [br.Normal(0.5), br.Laplace(0.1)])
def test_optimizers_that_take_it_end_where_the_gradient_ends(prior: Any) -> None:
    """Those without a kink's trouble at a stationary point, and none below the mode."""
    X, y = data(br.StudentTNoise(3.0, 0.7), seed=2)
    problem = br.Problem(X, y, likelihood=br.StudentTNoise(3.0, 0.7), prior=prior, standardize=True)
    names = br.list_optimizers(problem)
    assert {"ista", "coordinate_descent", "lbfgs", "subgradient"} <= set(names)
    assert not {"fista", "screened_descent", "closed_form"} & set(names)
    best = br.find_map(problem).objective
    for name in ("ista", "coordinate_descent", "lbfgs"):
        found = br.optimize(problem, name)
        assert found.claims_convergence
        assert problem.objective(found.coef, found.intercept) >= best - 1e-9
        kinked = name == "lbfgs" and isinstance(prior, br.Laplace)
        judged = br.certify(problem, found.coef, found.intercept)
        assert judged.stationary or kinked or judged.kkt < 1e-5
    with pytest.raises(InputError, match="needs a convex loss"):
        br.optimize(problem, "fista")


def test_scikit_learn_has_no_number_for_it() -> None:
    """The table says that there is none, not that of another loss."""
    row = br.units.to_sklearn(location([1.0, 2.0, 4.0]))
    assert row.estimator is None
    assert row.note == "no regression with Student-t noise"


def test_an_infinite_coefficient_has_no_gradient() -> None:
    """Refused, without a remark of NumPy first."""
    noise = br.StudentTNoise(3.0, 1.0)
    problem = br.Problem(np.eye(2), [1.0, 2.0], likelihood=noise, prior=br.Normal(1.0))
    with pytest.raises(InputError, match="give finite coefficients"):
        problem.gradient([np.inf, 0.0])
