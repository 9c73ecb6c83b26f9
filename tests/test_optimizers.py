"""Every optimizer against every problem that it fits, and what it says of those it does not."""

from __future__ import annotations

import importlib
import itertools
import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import sparse, special

import bayesreg as br
from bayesreg import optimizers
from bayesreg.errors import ImproperPosterior, InputError, NotConverged
from bayesreg.optimizers import _iterate, _proximal
from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._protocol import Limits
from bayesreg.optimizers.ista import ista_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector
    from bayesreg.problem import Problem

OWN = ("closed_form", "coordinate_descent", "ista", "fista", "subgradient", "lbfgs")
EXACT = ("closed_form", "coordinate_descent", "ista", "fista")  # KKT to 1e-6 of a root nat
PEERS = (
    "sklearn_ridge",
    "sklearn_lasso",
    "sklearn_elastic_net",
    "sklearn_logistic",
    "sklearn_poisson",
    "skglm",
)
SPARSE = (
    "coordinate_descent",
    "screened_descent",
    "ista",
    "fista",
    "sklearn_lasso",
    "sklearn_elastic_net",
    "skglm",
)
N, P = 60, 6

LIKELIHOODS = {
    "gaussian": br.Gaussian(0.8),
    "bernoulli": br.Bernoulli(),
    "poisson": br.Poisson(),
}
PRIORS: dict[str, Any] = {
    "ridge": br.Normal(np.array([0.5, 1.0, 0.5, 2.0, 0.7, 1.0])),
    "lasso": br.Laplace(0.25),
    "lasso_scales": br.Laplace(np.array([0.3, 0.2, 0.25, 0.1, 0.3, 0.08])),
    "elastic_net": br.ElasticNet(0.25, 0.6),
    "flat": br.Flat(),
    "mixed": [(br.Laplace(0.2), [0, 1, 2]), (br.Normal(0.5, loc=0.3), [3]), (br.Flat(), [4, 5])],
}
# intercept, weights, offset, standardize
SETTINGS = {
    "standardized": (True, False, False, True),
    "weighted": (True, True, False, True),
    "raw": (True, True, True, False),
    "no_intercept": (False, False, False, True),
}


def make(family: str, prior: str, setting: str = "standardized") -> Problem:
    """Correlated columns with means and spreads of their own, and a target of the family."""
    intercept, weights, offset, standardize = SETTINGS[setting]
    rng = np.random.default_rng(20240611)
    X = rng.normal(size=(N, P)) + 0.7 * rng.normal(size=(N, 1))
    X = X * np.array([0.8, 1.5, 1.0, 0.6, 1.2, 1.0]) + np.array([1.0, -2.0, 0.5, 0.0, 3.0, -1.0])
    eta = 0.3 + (X - X.mean(axis=0)) @ np.array([0.6, 0.0, -0.5, 0.0, 0.3, 0.0])
    y = {
        "gaussian": eta + 0.8 * rng.normal(size=N),
        "bernoulli": (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float),
        "poisson": rng.poisson(np.exp(eta)).astype(float),
    }[family]
    return br.Problem(
        X,
        y,
        likelihood=LIKELIHOODS[family],
        prior=PRIORS[prior],
        intercept=intercept,
        weights=rng.uniform(0.5, 2.0, N) if weights else None,
        offset=rng.normal(scale=0.2, size=N) if offset else None,
        standardize=standardize,
    )


BANK = [
    pytest.param(make(*key), id="-".join(key))
    for key in itertools.product(LIKELIHOODS, PRIORS, SETTINGS)
]


def fitting(names: tuple[str, ...]) -> pytest.MarkDecorator:
    """Parametrise over the problems of the bank and those of `names` that fit each."""
    bank = {key: make(*key) for key in itertools.product(LIKELIHOODS, PRIORS, SETTINGS)}
    pairs = [
        pytest.param(problem, name, id="-".join((*key, name)))
        for key, problem in bank.items()
        for name in br.list_optimizers(problem)
        if name in names
    ]
    return pytest.mark.parametrize(("problem", "name"), pairs)


def kkt(problem: Problem, estimate: br.PointEstimate) -> float:
    """Largest KKT residual in root nats: distance over the root of the curvature."""
    coef, intercept = estimate.coef, estimate.intercept
    design = problem.design
    gradient, slope = problem.gradient(coef, intercept)
    eta = problem.predictor(coef, intercept)
    rows = problem.likelihood.curvature(eta, design.y, design.row_weights)
    center = rows @ design.X / rows.sum() if design.intercept else 0.0
    curvature = rows @ (design.X - center) ** 2 + problem.elastic_net.l2
    # The slope of each coefficient with the intercept at its best.
    distance = problem.penalty.subdifferential_distance(coef, gradient - slope * center)
    return max(float((distance / np.sqrt(curvature)).max()), abs(slope) / math.sqrt(rows.sum()))


def excess(problem: Problem, estimate: br.PointEstimate) -> float:
    """Objective above that of coordinate descent, whose KKT residual has a test of its own."""
    best = br.optimize(problem, "coordinate_descent")
    there = problem.penalised(estimate.coef, estimate.intercept)
    return there - problem.penalised(best.coef, best.intercept)


def diabetes() -> Problem:
    """Return the lasso that the project's pages use."""
    data = importlib.import_module("sklearn.datasets").load_diabetes(scaled=False)
    return br.Problem(
        data.data,
        data.target,
        likelihood=br.Gaussian(54.0),
        prior=br.Laplace(16.5),
        standardize=True,
    )


# --------------------------------------------------------------------------- answers


@fitting(EXACT)
def test_exact_methods_meet_the_kkt_conditions(problem: Problem, name: str) -> None:
    """Claims and residuals agree, on the user's own scale, intercept included."""
    estimate = br.optimize(problem, name)
    assert estimate.claims_convergence
    assert kkt(problem, estimate) < 1e-6
    assert problem.design.intercept or estimate.intercept == 0.0


@pytest.mark.parametrize("problem", BANK)
def test_lbfgs_is_within_its_smoothing(problem: Problem) -> None:
    """The surrogate is off by at most eps · unit · Σ l1; without Laplace factors it is exact."""
    estimate = br.optimize(problem, "lbfgs")
    slack = 1e-6 * Composite.of(problem).unit * problem.elastic_net.l1.sum() * 3
    assert estimate.claims_convergence
    assert -1e-9 < excess(problem, estimate) < 1e-9 + slack
    if not problem.elastic_net.l1.any():
        assert kkt(problem, estimate) < 1e-5


@pytest.mark.parametrize("problem", BANK)
def test_subgradient_comes_near_and_rarely_claims(problem: Problem) -> None:
    """Some steps come within part of a nat; at a kink there is nothing to claim."""
    estimate = br.optimize(problem, "subgradient", max_iter=2000)
    assert -1e-9 < excess(problem, estimate) < 0.2
    mode = br.optimize(problem, "coordinate_descent").coef
    if (mode[problem.elastic_net.l1 > 0] == 0).any():
        assert not estimate.claims_convergence
        assert estimate.iterations == 2000
    assert not estimate.claims_convergence or kkt(problem, estimate) < 1e-5


@fitting(PEERS)
def test_peers_solve_the_same_problem(problem: Problem, name: str) -> None:
    """At a tight tolerance their answers are ours: the conversion of units is exact."""
    estimate = br.optimize(problem, name, tol=1e-9, max_iter=20_000, seed=1)
    assert kkt(problem, estimate) < 1e-5


@fitting(PEERS)
def test_peers_with_their_defaults(problem: Problem, name: str) -> None:
    """What a user would get: near where it claims convergence, finite in any case."""
    estimate = br.optimize(problem, name, seed=1)
    assert excess(problem, estimate) < (0.01 if estimate.claims_convergence else 1.0)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("prior", ["ridge", "flat"])
@pytest.mark.parametrize("name", EXACT)
def test_gaussian_closed_form(name: str, prior: str, setting: str) -> None:
    """Least squares with the penalty as rows, on the user's own scale, without our transforms."""
    problem = make("gaussian", prior, setting)
    design, penalty = problem.design, problem.elastic_net
    root = np.sqrt(design.row_weights) / 0.8
    ones = np.ones((N, int(design.intercept)))
    offset = 0.0 if design.offset is None else design.offset
    rows = root[:, None] * np.hstack([ones, design.X])
    shrink = np.hstack([np.zeros((P, ones.shape[1])), np.diag(np.sqrt(penalty.l2))])
    target = np.concatenate([root * (design.y - offset), np.zeros(P)])
    truth = np.linalg.lstsq(np.vstack([rows, shrink]), target)[0]
    estimate = br.optimize(problem, name)
    got = np.append(np.full(ones.shape[1], estimate.intercept), estimate.coef)
    tolerance = 1e-12 if name == "closed_form" else 1e-7
    np.testing.assert_allclose(got, truth, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("family", ["bernoulli", "poisson"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_ridge_of_glms_is_newtons_answer(family: str, setting: str) -> None:
    """Plain Newton on the user's own scale ends at the same coefficients."""
    problem = make(family, "ridge", setting)
    design, penalty = problem.design, problem.elastic_net
    A = design.columns(range(P))
    l2 = np.append(np.zeros(A.shape[1] - P), penalty.l2)
    truth = np.zeros(A.shape[1])
    for _ in range(50):
        intercept = float(truth[0]) if design.intercept else 0.0
        eta = problem.predictor(truth[-P:], intercept)
        rows = problem.likelihood.curvature(eta, design.y, design.row_weights)
        slope = A.T @ problem.likelihood.gradient(eta, design.y, design.row_weights) + l2 * truth
        truth = truth - np.linalg.solve(A.T @ (rows[:, None] * A) + np.diag(l2), slope)
    for name in ("coordinate_descent", "fista", "ista"):
        np.testing.assert_allclose(br.optimize(problem, name).coef, truth[-P:], atol=1e-7)


@pytest.mark.parametrize("family", LIKELIHOODS)
def test_zeros_are_exact_where_they_should_be(family: str) -> None:
    """Thresholding methods find one support, with zeros that are 0.0; smooth ones have no zero."""
    problem = make(family, "lasso")
    support = br.optimize(problem, "coordinate_descent").coef != 0
    assert 0 < support.sum() < P
    for name in br.list_optimizers(problem):
        if name in SPARSE:
            estimate = br.optimize(problem, name, tol=1e-8)
            np.testing.assert_array_equal(estimate.coef != 0, support, err_msg=name)
    for name in ("subgradient", "lbfgs"):
        assert (br.optimize(problem, name, max_iter=500).coef != 0).all()


@pytest.mark.parametrize("name", ["coordinate_descent", "screened_descent", "ista", "fista"])
def test_a_zero_has_no_sign(name: str) -> None:
    """Thresholding from below leaves a negative zero, which would be printed as -0."""
    problem = make("gaussian", "lasso").with_prior(br.Laplace(0.02))
    estimate = br.optimize(problem, name, keep_iterates=True)
    assert (estimate.coef == 0).any()
    assert " -0\n" not in f"{estimate}\n"
    for coef, _ in (*(estimate.iterates or ()), (estimate.coef, 0.0)):
        assert not np.signbit(coef[coef == 0]).any()


def test_all_zero_mode() -> None:
    """A narrow prior leaves nothing but the intercept; the subgradient method cannot say so."""
    problem = make("gaussian", "lasso").with_prior(br.Laplace(1e-4))
    mean = problem.design.y.mean()
    for name in SPARSE:
        if name in br.list_optimizers(problem):
            estimate = br.optimize(problem, name)
            assert not estimate.coef.any()
            assert estimate.intercept == pytest.approx(mean, rel=1e-12)
    assert (br.optimize(problem, "subgradient", max_iter=50).coef != 0).all()


@pytest.mark.parametrize("name", [n for n in OWN if n != "closed_form"])
@pytest.mark.parametrize("family", LIKELIHOODS)
def test_intercept_only(family: str, name: str) -> None:
    """Without columns the mode is the link of the mean."""
    y = make(family, "flat").design.y
    likelihood = LIKELIHOODS[family]
    problem = br.Problem(np.empty((N, 0)), y, likelihood=likelihood, prior=br.Flat())
    mean = y.mean()
    links: dict[str, Callable[[float], float]] = {
        "gaussian": float,
        "bernoulli": special.logit,
        "poisson": math.log,
    }
    assert br.optimize(problem, name).intercept == pytest.approx(links[family](mean), abs=1e-7)


@pytest.mark.parametrize("name", EXACT)
def test_constant_column_beside_an_intercept(name: str) -> None:
    """It cannot explain anything: its coefficient is what the prior alone would choose."""
    problem = make("gaussian", "ridge", "raw")
    X = problem.design.X.copy()
    X[:, 1] = 0.1
    constant = br.Problem(X, problem.design.y, likelihood=br.Gaussian(0.8), prior=br.Normal(1.0))
    estimate = br.optimize(constant, name)
    assert estimate.coef[1] == pytest.approx(0.0, abs=1e-12)
    assert kkt(constant, estimate) < 1e-6


@pytest.mark.parametrize("name", ["coordinate_descent", "ista", "fista"])
def test_poisson_without_a_bound(name: str) -> None:
    """Large counts on raw columns: the curvature grows along the way, and nothing overflows."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 2))
    y = rng.poisson(np.exp(4.0 + X @ [1.5, -1.0])).astype(float)
    problem = br.Problem(X, y, likelihood=br.Poisson(), prior=br.Laplace(1.0), intercept=False)
    estimate = br.optimize(problem, name)
    assert estimate.claims_convergence
    assert kkt(problem, estimate) < 1e-4


def test_more_columns_than_rows() -> None:
    """The Lipschitz bound is taken of the smaller Gram matrix; the answers agree."""
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(20, 50)), rng.normal(size=20)
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.3))
    for name in ("coordinate_descent", "fista", "skglm"):
        assert kkt(problem, br.optimize(problem, name, tol=1e-10)) < 1e-5
    ridge = problem.with_prior(br.Normal(0.3))
    assert kkt(ridge, br.optimize(ridge, "closed_form")) < 1e-10


def test_diabetes_lasso() -> None:
    """The example of the project's pages, with every default."""
    problem = diabetes()
    for name in br.list_optimizers(problem):
        if name == "pymc_find_map":
            continue
        estimate = br.optimize(problem, name, seed=0)
        assert excess(problem, estimate) < 1e-4, name
        zeros = int((estimate.coef == 0).sum())
        assert zeros == (2 if name in SPARSE else 0), name


def test_pymc_find_map() -> None:
    """It minimises the same objective, as far as it gets, and never ends at a zero."""
    problem = make("gaussian", "mixed")
    estimate = br.optimize(problem, "pymc_find_map", seed=0)
    assert -1e-6 < excess(problem, estimate) < 0.5
    assert (estimate.coef != 0).all()
    assert (estimate.iterations or 0) > 0
    assert isinstance(estimate.claims_convergence, bool)


# --------------------------------------------------------------------------- other penalties

BOUNDED: dict[str, Any] = {
    "half_normal": br.HalfNormal(0.5),
    "exponential": br.Exponential(0.25),
    "some": [
        (br.Laplace(0.2), [0, 2]),
        (br.HalfNormal(0.5), [1, 4]),
        (br.Exponential(0.1), [3, 5]),
    ],
}
BENT: dict[str, Any] = {
    "bridge": br.Bridge(0.2, power=1.5),
    "bridge_and_lasso": [(br.Bridge(0.2, power=3.0), [0, 1]), (br.Laplace(0.2), [2, 3, 4, 5])],
    "group": br.GroupLaplace(0.2, [[0, 1], [2, 3, 4]]),
    "sup": br.LInfinity(0.2),
}
HOLLOW: dict[str, Any] = {
    "cauchy": br.StudentT(1.0, 0.2),
    "pareto": br.GeneralizedDoublePareto(0.1, 1.0),
    "cusp": br.Bridge(0.1, power=0.5),
}
NOT_FOR_THESE = ("closed_form", "subgradient", "pymc_find_map", *PEERS)
OTHER = {
    "bounded": (BOUNDED, ("coordinate_descent", "ista", "fista", "lbfgs")),
    "bent": (BENT, ("ista", "fista")),
    "hollow": (HOLLOW, ("ista",)),
}


@pytest.mark.parametrize("setting", ["raw", "no_intercept"])
@pytest.mark.parametrize("family", LIKELIHOODS)
@pytest.mark.parametrize("kind", OTHER)
def test_other_penalties(kind: str, family: str, setting: str) -> None:
    """Those that can solve them do, up to their stopping rule; all others say why not."""
    priors, able = OTHER[kind]
    for prior in priors.values():
        problem = make(family, "flat", setting)
        problem = br.Problem(
            problem.design.X,
            problem.design.y,
            likelihood=problem.likelihood,
            prior=prior,
            intercept=problem.design.intercept,
            weights=problem.design.weights,
        )
        fitting = br.list_optimizers(problem)
        assert set(able) <= set(fitting)
        assert not set(fitting) & set(NOT_FOR_THESE)
        assert kind == "bounded" or fitting == able
        for name in fitting:
            estimate = br.optimize(problem, name)
            assert estimate.claims_convergence
            if name in EXACT:
                assert br.certify(problem, estimate.coef, estimate.intercept).kkt < 1e-6
            else:
                assert -1e-9 < excess(problem, estimate) < 1e-5
            if kind == "bounded" and prior is not BOUNDED["some"]:
                assert (estimate.coef >= 0).all()


def test_refusals_of_other_penalties() -> None:
    """One sentence names the penalty, or the coefficient that may not be negative."""
    for prior, name, words in (
        (br.StudentT(1.0, 0.2), "coordinate_descent", "this one is a Student-t penalty"),
        (br.StudentT(1.0, 0.2), "fista", "needs a convex penalty, and that of StudentT is not"),
        (br.HalfNormal(1.0), "closed_form", "no bounds, but the prior of 'x0' allows no negative"),
        (br.SpikeSlab(0.5, 1.0), "ista", "has an atom at 0"),
    ):
        reason = optimizers.reason_against(_without(prior=prior), name)
        assert reason is not None
        assert words in reason


def test_sparse_columns_and_sums_of_products() -> None:
    """The package's own optimizers take both and agree with dense rows; peers decline."""
    dense = make("gaussian", "lasso")
    X, y = dense.design.X, dense.design.y
    options: dict[str, Any] = {"likelihood": br.Gaussian(0.8), "prior": br.Laplace(0.25)}
    thin = br.Problem(sparse.csc_array(X), y, standardize=True, **options)
    sums = br.Problem.from_statistics(
        X.T @ X,
        X.T @ y,
        y @ y,
        N,
        x_mean=X.mean(axis=0),
        y_mean=y.mean(),
        standardize=True,
        **options,
    )
    for problem in (thin, sums):
        names = br.list_optimizers(problem)
        assert set(OWN) - {"closed_form"} <= set(names)
        assert not set(names) & {"pymc_find_map", *PEERS}
        for name in names:
            estimate, expected = (br.optimize(q, name) for q in (problem, dense))
            close = 1e-2 if name == "subgradient" else 1e-6
            np.testing.assert_allclose(estimate.coef, expected.coef, atol=close)
            assert estimate.intercept == pytest.approx(expected.intercept, abs=close)


# --------------------------------------------------------------------------- the ISTA step


def test_ista_step_of_the_lecture_notes() -> None:
    """RSS/(2n) + λ|w| with λ = 1, step 0.1, from (0.5, 0.5), as the notes work it out."""
    X, y, start = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0]), np.array([0.5, 0.5])
    # RSS/(2n) is a Gaussian likelihood of variance n; λ is the inverse of the Laplace scale.
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(math.sqrt(2.0)), prior=br.Laplace(1.0), intercept=False
    )
    gradient, _ = problem.gradient(start)
    moved = ista_step(start, gradient, 0.1, br.Flat().penalty(2))
    np.testing.assert_allclose(moved, [1.05, 1.35], rtol=1e-14)
    shrunk = ista_step(start, gradient, 0.1, problem.penalty)
    np.testing.assert_allclose(shrunk, [0.95, 1.25], rtol=1e-14)


def test_ista_with_the_start_and_step_of_the_lecture_notes() -> None:
    """Their first step, 0.95 and 1.25, then the mode (0, 1.6), on the scale of their weights."""
    problem = br.Problem(
        [[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0], likelihood=br.Gaussian(math.sqrt(2.0)),
        prior=br.Laplace(1.0), intercept=False,
    )  # fmt: skip
    run = br.optimize(problem, "ista", start=[0.5, 0.5], step_size=0.1, keep_iterates=True)
    assert run.iterates is not None
    assert run.trace is not None
    assert len(run.iterates) == len(run.trace) == (run.iterations or 0) + 1
    np.testing.assert_allclose(run.iterates[0][0], [0.5, 0.5])
    np.testing.assert_allclose(run.iterates[1][0], [0.95, 1.25], rtol=1e-14)
    np.testing.assert_allclose(run.coef, [0.0, 1.6], atol=1e-12)
    for (coef, intercept), value in zip(run.iterates, run.trace, strict=True):
        assert value == pytest.approx(problem.objective(coef, intercept), rel=1e-13)


def test_a_step_that_is_too_long_claims_nothing() -> None:
    """Above twice one over the curvature the iterates leave; the best of them is the answer."""
    problem = br.Problem(
        [[1.0], [2.0]], [1.0, 3.0], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0),
        intercept=False,
    )  # fmt: skip
    run = br.optimize(problem, "ista", step_size=0.5, start=[0.3], keep_iterates=True)
    assert not run.claims_convergence
    assert run.trace is not None
    assert run.trace[-1] > 10 * run.trace[0]
    assert problem.objective(run.coef) == pytest.approx(min(run.trace), rel=1e-12)


@pytest.mark.parametrize("setting", ["raw", "standardized"])
@pytest.mark.parametrize("family", LIKELIHOODS)
def test_iterates_are_on_the_scale_of_the_user(family: str, setting: str) -> None:
    """Start and answer are the first and the last, the trace their objective; read-only."""
    problem = make(family, "lasso", setting)
    begin = np.linspace(-0.1, 0.1, problem.p)
    for name in ("ista", "fista", "coordinate_descent"):
        own: dict[str, Any] = {"start": begin} if name == "ista" else {}
        run = br.optimize(problem, name, keep_iterates=True, **own)
        assert run.iterates is not None
        assert run.trace is not None
        assert not run.iterates[-1][0].flags.writeable
        if own:
            np.testing.assert_allclose(run.iterates[0][0], begin, rtol=1e-12)
        np.testing.assert_array_equal(run.iterates[-1][0], run.coef)
        values = [problem.objective(*each) for each in run.iterates]
        np.testing.assert_allclose(run.trace, values, rtol=1e-10)
    assert br.optimize(problem, "ista").iterates is None
    assert br.optimize(problem, "lbfgs", keep_iterates=True).iterates is None


@pytest.mark.parametrize("argument", ["start", "step_size"])
def test_other_methods_choose_start_and_step_themselves(argument: str) -> None:
    """They say so, instead of taking no notice."""
    value: Any = {"start": [0.0] * 6, "step_size": 0.1}[argument]
    with pytest.raises(InputError, match=f"{argument}: 'fista' chooses its own"):
        br.optimize(make("gaussian", "lasso"), "fista", **{argument: value})


@pytest.mark.parametrize("family", ["gaussian", "bernoulli"])
def test_lipschitz_constant_is_a_bound(family: str) -> None:
    """No secant of the gradient is steeper, not even along the leading eigenvector."""
    form = Composite.of(make(family, "lasso", "raw"))
    bound = form.bound()
    assert bound is not None
    rng = np.random.default_rng(5)
    leading = np.linalg.svd(np.sqrt(form.weights)[:, None] * form.matrix)[2][0]
    for direction in [leading, *rng.normal(size=(20, form.matrix.shape[1]))]:
        a, b = rng.normal(size=form.matrix.shape[1]), 1e-3 * direction
        slopes = [form.matrix.T @ form.row_gradient(form.predictor(point)) for point in (a, a + b)]
        assert np.linalg.norm(slopes[1] - slopes[0]) <= bound * np.linalg.norm(b) * (1 + 1e-9)


@pytest.mark.parametrize("family", LIKELIHOODS)
def test_descent_methods_descend(family: str) -> None:
    """ISTA and coordinate descent never rise, and the trace is the objective in nats."""
    problem = make(family, "mixed", "raw")
    for name in ("ista", "coordinate_descent"):
        estimate = br.optimize(problem, name)
        assert estimate.trace is not None
        trace = np.array(estimate.trace)
        assert len(trace) == (estimate.iterations or 0) + 1
        assert (np.diff(trace) <= 1e-12 * np.abs(trace[0])).all()
        there = problem.objective(estimate.coef, estimate.intercept)
        assert trace[-1] == pytest.approx(there, rel=1e-12)


def test_backtracking_constant_is_safe() -> None:
    """A Poisson step from a constant that is far too small still goes downhill."""
    form = Composite.of(make("poisson", "lasso"))
    start = _proximal.proximal_start(form)
    new = _proximal.proximal_step(form, start.point, start.eta, 1e-6)
    assert new.lipschitz > 1e-6
    assert new.value < start.value


# --------------------------------------------------------------------------- the loop


def _state(value: float, change: float = 1.0) -> _iterate.State:
    return _iterate.State(np.array([value]), value, change)


def test_loop_stops_on_the_rule() -> None:
    """The rule fires at the last state, which is returned whatever its value."""
    states = iter([_state(3.0), _state(1.0), _state(2.0, change=0.0)])
    run = _iterate.iterate(_state(4.0), lambda _: next(states), Limits(10, 1e-3))
    assert (run.converged, run.iterations, run.point[0]) == (True, 3, 2.0)
    assert run.trace == (4.0, 3.0, 1.0, 2.0)


def test_loop_returns_the_best_when_it_runs_out() -> None:
    """Two iterations are allowed; the better one is the first."""
    states = iter([_state(1.0), _state(2.0)])
    run = _iterate.iterate(_state(4.0), lambda _: next(states), Limits(2, 1e-3))
    assert (run.converged, run.iterations, run.point[0]) == (False, 2, 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_loop_stops_at_numbers_that_end(bad: float) -> None:
    """Even with a change of zero nothing is claimed (NaN compares false with everything)."""
    states = iter([_state(1.0), _state(bad, change=0.0)])
    run = _iterate.iterate(_state(4.0), lambda _: next(states), Limits(10, 1e-3))
    assert (run.converged, run.iterations, run.point[0]) == (False, 1, 1.0)


def test_loop_stops_where_it_stands_still() -> None:
    """A step that changes nothing would do so for ever; the rule has not fired."""
    run = _iterate.iterate(_state(4.0), lambda state: state, Limits(10, 1e-3))
    assert (run.converged, run.iterations) == (False, 1)


def test_loop_survives_an_interrupt() -> None:
    """The best iterate so far comes back, without a claim."""

    def step(state: _iterate.State) -> _iterate.State:
        if state.value < 2.5:
            raise KeyboardInterrupt
        return _state(state.value - 1.0)

    run = _iterate.iterate(_state(4.0), step, Limits(10, 1e-3))
    assert (run.converged, run.iterations, run.point[0]) == (False, 2, 2.0)


# --------------------------------------------------------------------------- what is refused


def _without(**changes: object) -> Problem:
    keywords: dict[str, Any] = {"likelihood": br.Gaussian(1.0), "prior": br.Laplace(1.0)} | changes
    target = [0.0, 1.0, 1.0, 0.0, 1.0]
    X = keywords.pop("X", [[1.0, 2.0], [2.0, 1.0], [4.0, 0.0], [3.0, 3.0], [0.0, 1.0]])
    return br.Problem(X, target, **keywords)


EMPTY = {"X": np.empty((5, 0)), "prior": br.Normal(1.0)}
HALF_FLAT = [(br.Laplace(1.0), [0]), (br.Flat(), [1])]
MOVED = [(br.ElasticNet(1.0, 1.0), [0]), (br.Normal(1.0, loc=2.0), [1])]
TWO_MIXES = br.ElasticNet(np.array([1.0, 2.0]), 1.0)
REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("screened_descent", {"likelihood": br.Poisson()}, "needs bounded curvature, a poisson has"),
    (
        "closed_form",
        {"likelihood": br.Poisson()},
        "needs a gaussian likelihood, this one is poisson",
    ),
    ("closed_form", {}, "has no |coef| penalty, but the prior of 'x0' has a Laplace factor"),
    ("sklearn_ridge", {"likelihood": br.Bernoulli()}, "needs a gaussian likelihood"),
    ("pymc_find_map", EMPTY, "needs at least one column"),
    ("sklearn_ridge", EMPTY, "needs at least one column"),
    ("sklearn_ridge", {}, "has no |coef| penalty"),
    (
        "sklearn_ridge",
        {"prior": br.Normal(np.array([1.0, np.inf]))},
        "coef² of every column, but the prior of 'x1'",
    ),
    ("sklearn_lasso", {"likelihood": br.Bernoulli()}, "needs a gaussian likelihood"),
    (
        "sklearn_lasso",
        {"prior": br.Normal(1.0)},
        "has no coef² penalty, but the prior of 'x0' has a normal",
    ),
    (
        "sklearn_lasso",
        {"prior": HALF_FLAT},
        "|coef| of every column, but the prior of 'x1' has no Laplace",
    ),
    (
        "sklearn_elastic_net",
        {},
        "coef² of every column, but the prior of 'x0' has no normal factor",
    ),
    ("sklearn_elastic_net", {"prior": MOVED}, "the prior of 'x1' has no Laplace factor"),
    ("sklearn_elastic_net", {"prior": TWO_MIXES}, "one mix of |coef| and coef² for all columns"),
    ("sklearn_logistic", {}, "needs a bernoulli likelihood, this one is gaussian"),
    ("sklearn_logistic", {"likelihood": br.Bernoulli(), "offset": np.ones(5)}, "takes no offset"),
    (
        "sklearn_logistic",
        {"likelihood": br.Bernoulli(), "prior": HALF_FLAT},
        "the prior of 'x1' is flat",
    ),
    (
        "sklearn_logistic",
        {"likelihood": br.Bernoulli(), "prior": br.Normal(1.0, loc=1.0)},
        "shrinks towards 0, but the prior of 'x0' is centred elsewhere",
    ),
    ("sklearn_logistic", {"likelihood": br.Bernoulli(), "prior": TWO_MIXES}, "one mix"),
    ("sklearn_poisson", {}, "needs a poisson likelihood"),
    ("sklearn_poisson", {"likelihood": br.Poisson()}, "has no |coef| penalty"),
    ("skglm", {"likelihood": br.Poisson()}, "needs a gaussian or bernoulli likelihood"),
    ("skglm", {"prior": br.Normal(1.0)}, "the prior of 'x0' has no Laplace factor"),
    ("skglm", {"prior": br.Flat()}, "the prior of 'x0' has no Laplace factor"),
    ("skglm", {"prior": TWO_MIXES}, "one mix"),
    ("skglm", {"likelihood": br.Bernoulli(), "weights": np.ones(5)}, "takes no row weights"),
    ("skglm", {"likelihood": br.Bernoulli(), "offset": np.ones(5)}, "takes no offset"),
    (
        "skglm",
        {"likelihood": br.Bernoulli(), "prior": br.ElasticNet(1.0, 1.0)},
        "has no coef² penalty",
    ),
]


@pytest.mark.parametrize(("name", "changes", "reason"), REFUSALS)
def test_refusals(name: str, changes: dict[str, Any], reason: str) -> None:
    """The reason is given, the name is not listed, and `optimize` says which would do."""
    problem = _without(**changes)
    found = optimizers.reason_against(problem, name)
    assert found is not None
    assert reason in found
    assert name not in br.list_optimizers(problem)
    with pytest.raises(InputError, match="coordinate_descent") as error:
        br.optimize(problem, name)
    assert reason in str(error.value)


def test_every_peer_that_can_refuse_is_tested() -> None:
    """A new optimizer with needs of its own has to state them above."""
    refusing = {name for name, _, _ in REFUSALS}
    accepting = {"coordinate_descent", "ista", "fista", "subgradient", "lbfgs"}
    assert refusing | accepting == set(br.list_optimizers())


def test_missing_package_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that is not installed is not listed, and says so."""
    monkeypatch.setattr(optimizers, "find_spec", lambda _: None)
    problem = _without()
    assert optimizers.reason_against(problem, "skglm") == (
        "it needs the package skglm, which is not installed"
    )
    assert "skglm" not in br.list_optimizers(problem)


def test_unknown_name() -> None:
    """The close match is offered."""
    with pytest.raises(InputError, match="did you mean 'fista'"):
        br.optimize(_without(), "fist")


def test_unknown_scale_is_to_be_given() -> None:
    """A point optimizer needs a conditional problem; the message shows how to get one."""
    problem = _without(
        likelihood=br.Gaussian(br.HalfNormal(1.0)), prior=br.Laplace(br.HalfCauchy(1.0))
    )
    for call in (lambda: br.optimize(problem, "ista"), lambda: br.list_optimizers(problem)):
        with pytest.raises(InputError, match=r"problem\.given\(sigma=\.\.\., scale=\.\.\.\)"):
            call()
    given = problem.given(sigma=1.0, scale=0.5)
    assert br.optimize(given, "ista").claims_convergence


def test_improper_posteriors_are_refused() -> None:
    """Flat on two equal columns: there is no mode to look for."""
    column = np.arange(5.0)[:, None]
    problem = _without(X=np.hstack([column, column]), prior=br.Flat())
    with pytest.raises(ImproperPosterior):
        br.optimize(problem, "closed_form")


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"max_iter": 0}, "max_iter"),
        ({"tol": -1.0}, "tol"),
        ({"seed": "x"}, "seed"),
        ({"start": [0.0] * 99}, "start"),
        ({"step_size": 0.0}, "step_size"),
        ({"keep_iterates": 2}, "keep_iterates"),
    ],
)
def test_settings_are_checked(keywords: dict[str, Any], message: str) -> None:
    """The argument is named."""
    with pytest.raises(InputError, match=message):
        br.optimize(_without(), "ista", **keywords)


def test_problem_is_checked() -> None:
    """Anything but a problem is named as what it is."""
    with pytest.raises(InputError, match="must be a Problem, found str"):
        br.optimize("diabetes", "ista")  # type: ignore[arg-type]


# --------------------------------------------------------------------------- what is promised


class _Broken(optimizers.Optimizer):
    """Ends at NaN and is proud of it."""

    name = "broken"
    summary = "ends at NaN"

    def reason_against(self, problem: Problem) -> str | None:
        return None

    def solve(self, problem: Problem, settings: optimizers.Settings) -> optimizers.Solution:
        return optimizers.Solution(np.full(problem.p, np.nan), 0.0, claims_convergence=True)


def test_answers_that_are_not_finite_do_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exception names the optimizer."""
    monkeypatch.setitem(optimizers.BY_NAME, "broken", _Broken())
    with pytest.raises(NotConverged, match="broken ended at numbers that are not finite"):
        br.optimize(_without(), "broken")


def test_estimates_are_frozen_and_carry_no_score() -> None:
    """Read-only coefficients, a time, and what was said; nothing that judges."""
    estimate = br.optimize(make("gaussian", "lasso"), "fista")
    assert set(vars(estimate)) == {
        *("name", "coef", "intercept", "claims_convergence"),
        *("seconds", "iterations", "trace", "iterates", "names"),
    }
    assert not estimate.coef.flags.writeable
    assert estimate.seconds > 0


def test_iterations_can_be_cut_short() -> None:
    """Then nothing is claimed, by own methods and by peers."""
    problem = diabetes()
    for name in ("ista", "fista", "coordinate_descent", "lbfgs", "subgradient", "sklearn_lasso"):
        estimate = br.optimize(problem, name, max_iter=2)
        assert not estimate.claims_convergence, name
        assert (estimate.iterations or 0) <= 2


def test_seed_fixes_a_random_optimizer() -> None:
    """Saga shuffles the rows; the same seed gives the same bits."""
    problem = make("bernoulli", "lasso")
    first, again = (br.optimize(problem, "sklearn_logistic", seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.coef, again.coef)


def test_every_optimizer_is_described() -> None:
    """Names are unique, and each has a line to show."""
    assert len(optimizers.BY_NAME) == len(optimizers.OPTIMIZERS)
    assert all(0 < len(optimizer.summary) < 80 for optimizer in optimizers.OPTIMIZERS)


def test_listing_imports_no_peer() -> None:
    """What is heavy is imported when it is used."""
    heavy = ("sklearn", "skglm", "pymc", "numba")
    code = (
        "import bayesreg, sys; bayesreg.list_optimizers(); "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_prox_is_optimal() -> None:
    """The step of ISTA minimises its own quadratic model: no nearby point is better."""
    penalty = make("gaussian", "mixed").penalty
    rng = np.random.default_rng(6)
    point, step = rng.normal(size=P), 0.3

    def model(u: Vector) -> float:
        return float((u - point) @ (u - point)) / (2 * step) + penalty.value(u)

    best = penalty.prox(point, step)
    assert all(model(best) <= model(best + 1e-3 * move) for move in rng.normal(size=(200, P)))
