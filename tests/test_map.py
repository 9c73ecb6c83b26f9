"""find_map: exact against references, brute force and peers; joint modes; refusals."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import Lasso, Ridge

import bayesreg as br
from bayesreg.errors import DegenerateMode, ImproperPosterior, InputError, NotConverged
from bayesreg.map import Status
from tests.problems import bank
from tests.reference_cases import CASES, Case, number, vector

BANK = bank()
MODES = {
    c.id: c
    for c in CASES
    if c.family in ("exact-rational lasso/elastic-net MAP", "logistic MAP")
    or c.id.startswith(("lasso1d", "lasso2d", "ols_nist"))
}


def problem_of(case: Case) -> br.Problem:
    """Build the problem of a reference case: rates become scales, 0 becomes flat."""
    d: dict[str, Any] = case.definition
    X = np.array(d["X"])
    lam = np.broadcast_to(np.asarray(d.get("lam", 0.0), dtype=float), X.shape[1])
    lam2 = np.broadcast_to(np.asarray(d.get("lam2", 0.0), dtype=float), X.shape[1])
    with np.errstate(divide="ignore"):
        prior = br.ElasticNet(l1_scale=1 / lam, l2_scale=1 / np.sqrt(lam2))
    logistic = case.family == "logistic MAP"
    likelihood = br.Bernoulli() if logistic else br.Gaussian(d.get("sigma", 1.0))
    return br.Problem(X, d["y"], likelihood=likelihood, prior=prior, intercept=False)


@pytest.mark.parametrize("case", MODES)
def test_reference_modes(case: str) -> None:
    """Every mode of exact_cases.json that these priors cover, at its stated tolerance."""
    c = MODES[case]
    problem = problem_of(c)
    fit = br.find_map(problem)
    key = next(k for k in ("map", "mode", "coef") if k in c.expected)
    expected = vector(c.expected[key])
    np.testing.assert_allclose(fit.coef, expected, rtol=min(c.rtol, 1e-9), atol=c.atol)
    exact_zero = expected == 0.0
    assert (fit.coef[exact_zero] == 0.0).all()
    assert fit.certificate.optimal
    for objective in ("objective", "map_objective"):
        if objective in c.expected:
            value = problem.penalised(fit.coef)
            assert value == pytest.approx(number(c.expected[objective]), rel=1e-12)


def test_lasso_path_knots_of_diabetes() -> None:
    """At each knot of the reference path, its coefficients."""
    case = next(c for c in CASES if c.id == "lassopath_diabetes")
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X = X - X.mean(axis=0)
    X = X / np.sqrt((X**2).sum(axis=0))
    knots = vector(case.expected["knots"])
    for lam, coefs in zip(knots, case.expected["coef_at_knots"], strict=True):
        if lam == 0:
            continue
        problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1 / lam))
        fit = br.find_map(problem)
        # At a knot a coefficient is on the brink of entering: compare values, not zeros.
        np.testing.assert_allclose(fit.coef, vector(coefs), rtol=1e-9, atol=1e-9)


def brute_force(problem: br.Problem) -> tuple[np.ndarray, float]:
    """Lasso or elastic net by solving every sign pattern and keeping the best feasible one."""
    d, penalty = problem.design, problem.elastic_net
    Z = d.X - d.X.mean(axis=0) if d.intercept else d.X
    y = d.y - d.y.mean() if d.intercept else d.y
    variance = problem.likelihood.variance  # type: ignore[attr-defined]
    H = Z.T @ Z / variance + np.diag(penalty.l2)
    b = Z.T @ y / variance
    best, value = np.zeros(problem.p), np.inf
    for signs in product((-1.0, 0.0, 1.0), repeat=problem.p):
        s = np.array(signs)
        on = s != 0
        coef = np.zeros(problem.p)
        if on.any():
            coef[on] = np.linalg.solve(H[np.ix_(on, on)], b[on] - penalty.l1[on] * s[on])
        if (np.sign(coef) != s).any():
            continue
        candidate = 0.5 * coef @ H @ coef - b @ coef + penalty.l1 @ np.abs(coef)
        if candidate < value:
            best, value = coef, candidate
    return best, value


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(5, 30),
    p=st.integers(1, 5),
    scale=st.floats(0.01, 10),
    ridge=st.sampled_from([np.inf, 1.0]),
    intercept=st.booleans(),
)
def test_equals_brute_force_over_sign_patterns(
    seed: int, n: int, p: int, scale: float, ridge: float, intercept: bool
) -> None:
    """Same coefficients to 1e-9, and exactly the same zeros."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + rng.normal()
    y = X @ rng.normal(size=p) * rng.integers(0, 2, size=p).sum() + rng.normal(size=n)
    problem = br.Problem(
        X,
        y,
        likelihood=br.Gaussian(1.3),
        prior=br.ElasticNet(l1_scale=scale, l2_scale=ridge),
        intercept=intercept,
    )
    if n <= p + 1:
        return
    expected, _ = brute_force(problem)
    fit = br.find_map(problem)
    np.testing.assert_allclose(fit.coef, expected, rtol=1e-9, atol=1e-11)
    assert ((fit.coef == 0) == (expected == 0)).all()


@given(seed=st.integers(0, 10_000), n=st.integers(2, 12), p=st.integers(5, 40))
def test_more_columns_than_rows(seed: int, n: int, p: int) -> None:
    """Certified, with at most n non-zeros, duplicates and zero columns among the columns."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, size=(n, p)).astype(float)
    X[:, -1] = X[:, 0]
    X[:, -2] = 0.0
    y = rng.normal(size=n)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(5.0))
    fit = br.find_map(problem)
    assert fit.certificate.optimal
    assert len(fit.support) <= n
    assert fit.coef[-2] == 0.0


@pytest.mark.parametrize("name", BANK)
def test_certified_on_the_bank(name: str) -> None:
    """Every likelihood × prior × intercept × weights, found and certified, and no better point."""
    problem = BANK[name]
    fit = br.find_map(problem)
    assert fit.status is (Status.OPTIMAL if problem.convex else Status.STATIONARY)
    assert fit.certificate.minimum
    assert fit.certificate.gap < 1e-10 or not problem.convex
    assert fit.space == "mode of p(beta, intercept | y)".replace(
        ", intercept", ", intercept" if problem.design.intercept else ""
    )
    rng = np.random.default_rng(3)
    for size in (1e-4, 1e-2, 1.0):
        coef = fit.coef + size * rng.normal(size=problem.p)
        assert problem.objective(coef, fit.intercept) >= fit.objective


@pytest.mark.parametrize(
    ("prior", "peer"),
    [
        (br.Laplace(5.0), lambda a, r: Lasso(a, tol=1e-14, max_iter=10**6)),  # noqa: ARG005
        (br.Normal(5.0), lambda a, r: Ridge(a)),  # noqa: ARG005
        (
            br.ElasticNet(5.0, 8.0),
            lambda a, r: SklearnElasticNet(a, l1_ratio=r, tol=1e-14, max_iter=10**6),
        ),
    ],
)
def test_agrees_with_scikit_learn_in_its_own_units(prior: br.Laplace, peer: Any) -> None:
    """Through br.units, on diabetes."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    problem = br.Problem(X, y, likelihood=br.Gaussian(54.0), prior=prior)
    numbers = br.units.to_sklearn(problem).numbers
    estimator = peer(numbers["alpha"], numbers.get("l1_ratio", 0.0)).fit(X, y)
    fit = br.find_map(problem)
    np.testing.assert_allclose(fit.coef, estimator.coef_, rtol=1e-6, atol=1e-6)
    assert fit.intercept == pytest.approx(estimator.intercept_, rel=1e-9)


def unknown_sigma(prior: br.Normal | br.Laplace, sigma: Any, n: int = 40, p: int = 5) -> br.Problem:
    """Three true effects, sigma about 0.7."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, p))
    y = X[:, : min(3, p)] @ np.array([1.0, -0.5, 0.3])[: min(3, p)] + 0.7 * rng.normal(size=n) + 2
    return br.Problem(X, y, likelihood=br.Gaussian(sigma), prior=prior)


@pytest.mark.parametrize(
    "sigma", [br.HalfNormal(1.0), br.HalfCauchy(2.0), br.InverseGamma(2.0, 1.0), br.Flat()]
)
@pytest.mark.parametrize(
    "prior",
    [
        br.Laplace(0.3),
        br.Laplace(0.3, relative_to="sigma"),
        br.Normal(0.5),
        br.Normal(0.5, relative_to="sigma"),
    ],
)
def test_joint_mode_with_sigma(prior: br.Laplace, sigma: Any) -> None:
    """No nearby point is better; a general optimiser from elsewhere finds nothing lower."""
    problem = unknown_sigma(prior, sigma)
    fit = br.find_map(problem)
    assert fit.sigma is not None
    assert "joint mode of p(beta, intercept, sigma" in fit.space
    assert ("sigma^2" in fit.space) == isinstance(sigma, br.InverseGamma)
    assert fit.certificate.optimal
    assert fit.objective == pytest.approx(
        problem.objective(fit.coef, fit.intercept, sigma=fit.sigma), rel=1e-14
    )

    def objective(v: np.ndarray) -> float:
        return problem.objective(v[:-2], v[-2], sigma=np.exp(v[-1]))

    start = np.concatenate([np.zeros(problem.p), [0.0, 1.0]])
    peer = minimize(objective, start, method="Powell", options={"maxiter": 20_000, "ftol": 1e-12})
    assert fit.objective <= peer.fun + 1e-9
    assert fit.objective == pytest.approx(peer.fun, abs=1e-3)


def test_conditional_mode_given_sigma() -> None:
    """It is the mode of the problem with sigma as a number, and says so."""
    problem = unknown_sigma(br.Laplace(0.3, relative_to="sigma"), br.HalfNormal(1.0))
    fit = br.find_map(problem, given={"sigma": 0.9})
    assert fit.space == "conditional mode of p(beta, intercept | y, sigma = 0.9)"
    assert fit.sigma == 0.9
    known = br.Problem.of(problem.design, br.Gaussian(0.9), br.Laplace(0.3 * 0.9))
    np.testing.assert_allclose(fit.coef, br.find_map(known).coef, rtol=1e-12)


def test_joint_modes_that_do_not_exist_are_refused() -> None:
    """Collapse in the scale, and in sigma where the columns fit y perfectly."""
    scale = unknown_sigma(br.Laplace(br.HalfCauchy(1.0)), 0.7)
    with pytest.raises(DegenerateMode, match=r"scale: is unknown.*unbounded"):
        br.find_map(scale)
    assert br.find_map(scale, given={"scale": 0.3}).scale == 0.3
    wide = unknown_sigma(br.Laplace(1.0), br.HalfNormal(1.0), n=5, p=10)
    with pytest.raises(DegenerateMode, match="sigma: the columns fit y perfectly"):
        br.find_map(wide)
    # With the scale relative to sigma, or a prior that excludes 0, the same data have a mode.
    relative = unknown_sigma(br.Laplace(1.0, relative_to="sigma"), br.HalfNormal(1.0), n=5, p=10)
    assert br.find_map(relative).certificate.optimal
    excluded = unknown_sigma(br.Laplace(1.0), br.InverseGamma(2.0, 1.0), n=5, p=10)
    assert br.find_map(excluded).certificate.optimal


def test_park_casella_objective_is_unimodal() -> None:
    """Convex in (β/σ, 1/σ): along sigma the objective falls, then rises, once."""
    problem = unknown_sigma(br.Laplace(0.2, relative_to="sigma"), br.HalfCauchy(1.0))
    fit = br.find_map(problem)
    assert fit.sigma is not None
    grid = fit.sigma * np.geomspace(1e-3, 1e3, 61)
    values = [br.find_map(problem, given={"sigma": float(s)}).objective for s in grid]
    steps = np.sign(np.diff(values))
    assert (np.diff(steps) != 0).sum() == 1
    assert min(values) >= fit.objective - 1e-12


def test_separation() -> None:
    """No mode under a flat prior; a finite one under a Laplace prior."""
    X, y = [[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1]
    flat = br.Problem(X, y, likelihood=br.Bernoulli(), prior=br.Flat())
    with pytest.raises(ImproperPosterior, match="separated"):
        br.find_map(flat)
    fit = br.find_map(br.Problem(X, y, likelihood=br.Bernoulli(), prior=br.Laplace(10.0)))
    assert fit.coef[0] == pytest.approx(3.0441301420449856, rel=1e-12)


@pytest.mark.parametrize("size", [1e-100, 1e-6, 1e6, 1e100])
def test_units_of_a_column_do_not_matter(size: float) -> None:
    """The coefficient scales inversely, to the last digits, and zeros stay zeros."""
    base = BANK["gaussian-laplace-b0-plain"].standardized()[0]
    d = base.design
    units = np.array([size, 1.0, 1.0, 1 / size, 1.0])
    scaled = br.Problem(
        d.X * units, d.y, likelihood=base.likelihood, prior=base.prior.rescaled(1 / units)
    )
    one, two = br.find_map(base), br.find_map(scaled)
    np.testing.assert_allclose(two.coef * units, one.coef, rtol=1e-10)
    assert ((one.coef == 0) == (two.coef == 0)).all()


def test_intercept_only_and_single_row() -> None:
    """No columns, and one row."""
    fit = br.find_map(
        br.Problem(np.zeros((3, 0)), [1.0, 2.0, 6.0], likelihood=br.Gaussian(1.0), prior=br.Flat())
    )
    assert fit.intercept == pytest.approx(3.0)
    assert fit.coef.shape == (0,)
    single = {"likelihood": br.Gaussian(1.0), "prior": br.Normal(1.0), "intercept": False}
    one = br.find_map(br.Problem([[2.0]], [3.0], **single))  # type: ignore[arg-type]
    assert one.coef[0] == pytest.approx(6 / 5)


def test_large_counts_and_large_offsets() -> None:
    """Newton starts in its basin for counts in the millions, and with big offsets."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    offset = rng.uniform(5, 12, size=60)
    y = rng.poisson(np.exp(offset + X @ [0.5, 0.0, -0.3])).astype(float)
    fit = br.find_map(
        br.Problem(X, y, likelihood=br.Poisson(), prior=br.Laplace(0.001), offset=offset)
    )
    assert fit.certificate.optimal
    np.testing.assert_allclose(fit.coef, [0.5, 0.0, -0.3], atol=0.02)


def test_frame_and_words() -> None:
    """Rows by name, the intercept first; the text has the certificate."""
    fit = br.find_map(BANK["gaussian-laplace-b0-plain"])
    frame = fit.to_frame()
    assert list(frame.index) == ["intercept", "x0", "x1", "x2", "x3", "x4"]
    assert frame.loc["x0", "coef"] == fit.coef[0]
    assert frame["zero"].sum() == (fit.coef == 0).sum()
    assert "optimal: duality gap" in str(fit)


def test_bad_arguments() -> None:
    """Each names the argument."""
    problem = BANK["gaussian-laplace-b0-plain"]
    with pytest.raises(InputError, match="method: 'activ_set' is not known; did you mean"):
        br.find_map(problem, method="activ_set")
    with pytest.raises(InputError, match="tol: must be positive"):
        br.find_map(problem, tol=0.0)
    with pytest.raises(InputError, match="given: 'sgima' is not known; did you mean 'sigma'"):
        br.find_map(problem, given={"sgima": 1.0})
    with pytest.raises(InputError, match="sigma: is not unknown"):
        br.find_map(problem, given={"sigma": 1.0})
    with pytest.raises(InputError, match="problem: must be a bayesreg Problem or a PyMC model"):
        br.find_map([1, 2, 3])


@pytest.mark.parametrize("name", ["lasso", "lasso_park_casella", "logistic_lasso"])
def test_pymc_models_directly(name: str) -> None:
    """The point is one of the model's own, and PyMC finds minus our objective there."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(30, 3))
    eta = X @ [1.0, 0.0, -1.0]
    y = (eta > rng.logistic(size=30)).astype(float) if "logistic" in name else eta + rng.normal(30)
    model = br.gallery.load(name).build(X, y)
    fit = br.find_map(model)
    assert fit.certificate.optimal
    assert fit.point is not None
    value = model.compile_logp(jacobian=False)(fit.point)
    assert -fit.objective == pytest.approx(float(value), rel=1e-10, abs=4e-9)
    assert np.isfinite(model.compile_logp()(fit.point))
    assert list(fit.point["beta"]) == list(fit.coef)


@pytest.mark.parametrize("size", [1e14, 1e20, 1e140])
def test_an_offset_that_leaves_the_target_no_digits_is_named(size: float) -> None:
    """The columns are not to blame; a smaller one costs nothing that matters."""
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(50, 3))
    y = columns @ [1.0, 2.0, 3.0] + rng.normal(size=50)
    made: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(1.0)}
    with pytest.raises(NotConverged, match=rf"^offset: reaches {re.escape(f'{size:.3g}')}, "):
        br.find_map(br.Problem(columns, y, offset=np.full(50, size), **made))
    near = br.find_map(br.Problem(columns, y, offset=np.full(50, 1e8), **made))
    np.testing.assert_allclose(near.coef, br.find_map(br.Problem(columns, y, **made)).coef, 1e-5)
