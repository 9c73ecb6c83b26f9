"""Every row of the table of units against the package itself, or its published density."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import celer
import glmnet
import numpy as np
import pymc as pm
import pytest
import skglm
import statsmodels.api as sm
from scipy import integrate, stats
from sklearn import linear_model

import bayesreg as br
from bayesreg.units.registry import BY_NAME, CONVENTIONS
from tests.problems import data, likelihood_examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Matrix, Vector
    from bayesreg.units import Row

type Answer = tuple[Vector, float]

PRIORS: dict[str, Any] = {
    "flat": br.Flat(),
    "ridge": br.Normal(0.4),
    "lasso": br.Laplace(0.3),
    "elastic net": br.ElasticNet(0.3, 0.5),
}


def problem_of(name: str, prior: Any, *, standardize: bool = True, intercept: bool = True) -> Any:
    """A problem for a row of the table, with unequal, correlated columns."""
    family = BY_NAME[name].families[0]
    likelihood = likelihood_examples()[family]
    X, y = data(likelihood, seed=3)
    X = X * np.array([1.0, 3.0, 0.5, 2.0, 1.0])
    return br.Problem(
        X, y, likelihood=likelihood, prior=prior, standardize=standardize, intercept=intercept
    )


def cases(names: list[str]) -> list[Any]:
    """Each row with every prior that it takes; python-glmnet wants a positive lambda."""
    found = []
    for name in names:
        intercept = BY_NAME[name].intercept
        for shape, prior in PRIORS.items():
            if shape == "flat" and "glmnet" in name:
                continue
            problem = problem_of(name, prior, intercept=intercept)
            if br.units.to(problem, name).estimator is not None:
                found.append(pytest.param(name, shape, id=f"{name}: {shape}"))
    return found


def columns(problem: Any) -> Matrix:
    """The columns that the prior acts on."""
    return np.asarray(problem.standardized()[0].design.X)


# --------------------------------------------------------------------------- the packages


def quietly[T](run: Callable[[], T]) -> T:
    """Tolerances near rounding are warned of; the answers are what is judged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return run()


def fit_estimator(module: Any, options: dict[str, dict[str, Any]]) -> Callable[..., Answer]:
    """Fit an estimator of scikit-learn's kind."""

    def fit(row: Row, problem: Any) -> Answer:
        name = str(row.estimator)
        constant = {} if problem.design.intercept else {"fit_intercept": False}
        model = getattr(module, name)(**row.numbers, **options[name], **constant)
        quietly(lambda: model.fit(columns(problem), problem.design.y))
        same_problem(getattr(br.units, f"from_{module.__name__.split('.')[0]}"), model, problem)
        return br.units.coefficients(model)

    return fit


def same_problem(read: Callable[..., Any], model: Any, problem: Any) -> None:
    """The estimator, read back, is the problem that it was made for, anywhere."""
    standard = problem.standardized()[0]
    sigma = getattr(problem.likelihood, "sigma", None)
    again = read(model, columns(problem), problem.design.y, sigma=sigma)
    for point in np.random.default_rng(0).normal(size=(3, problem.p)):
        assert again.penalised(point) == pytest.approx(standard.penalised(point), rel=1e-11)


def fit_statsmodels(row: Row, problem: Any) -> Answer:
    """Execute the call as the table prints it, with tight tolerances.

    The coordinate descent of GLM may leave a zero that it met on its way at zero, and searches
    lines to 1e-4 only; started at our mode, it stays if and only if that is its own.
    """
    y, Z, p = problem.design.y, columns(problem), problem.p
    numbers = dict(row.numbers)
    constant = problem.design.intercept
    exog = np.column_stack([np.ones(y.size), Z]) if constant else Z
    assert ("[1, X]" in row.parameters) is constant
    alpha = np.array([0.0] * constant + p * [numbers.pop("alpha")])
    call = str(row.estimator)
    if call == "OLS":
        model = sm.OLS(y, exog)
        options: dict[str, Any] = {"cnvrg_tol": 1e-13, "maxiter": 5000, "zero_tol": 1e-12}
    elif call.startswith("GLM"):
        model = sm.GLM(y, exog, family=getattr(sm.families, call.removeprefix("GLM "))())
        mode = br.find_map(problem.standardized()[0])
        start = np.array([mode.intercept, *mode.coef])[0 if constant else 1 :]
        options = {"cnvrg_tol": 1e-9, "maxiter": 50, "zero_tol": 1e-12, "start_params": start}
    else:
        model = getattr(sm, call)(y, exog)
        options = {"method": "l1", "disp": 0, "acc": 1e-15, "maxiter": 5000, "trim_mode": "off"}
    fitted = quietly(lambda: model.fit_regularized(alpha=alpha, **numbers, **options))
    params = np.asarray(fitted.params)
    return (params[1:], float(params[0])) if constant else (params, 0.0)


def fit_glmnet(row: Row, problem: Any) -> Answer:
    """The Fortran of glmnet, through python-glmnet: on columns as they are, in the user's units."""
    lam, alpha = row.numbers["lambda"], row.numbers["alpha"]
    model = getattr(glmnet, str(row.estimator))(
        alpha=alpha,
        lambda_path=np.array([4 * lam, 2 * lam, lam]),
        n_splits=0,
        tol=1e-16,
        standardize=problem.design.standardize,
        fit_intercept=problem.design.intercept,
    )
    model.fit(np.asarray(problem.design.X), problem.design.y)
    scale = problem.design.column_scale
    coef = np.ravel(model.coef_path_[..., -1]) * scale
    mean = problem.design.column_mean if problem.design.standardize else np.zeros(problem.p)
    intercept = float(np.ravel(model.intercept_path_[..., -1])[0])
    return coef, intercept + float(mean / scale @ coef)


def fit_lars(row: Row, problem: Any) -> Answer:
    """The LARS algorithm by its definition: columns of length 1, and λ a correlation."""
    Z, y = columns(problem), problem.design.y
    level = float(y.mean()) if problem.design.intercept else 0.0
    length = np.linalg.norm(Z, axis=0) if "normalize = TRUE" in row.parameters else 1.0
    alpha = row.numbers["lambda"] / y.size
    _, _, path = linear_model.lars_path(Z / length, y - level, method="lasso", alpha_min=alpha)
    return path[:, -1] / length, level


SKLEARN: dict[str, dict[str, Any]] = {
    "LinearRegression": {},
    "Ridge": {},
    "Lasso": {"tol": 1e-14, "max_iter": 10**6},
    "ElasticNet": {"tol": 1e-14, "max_iter": 10**6},
    "LassoLars": {},
    "LogisticRegression": {"tol": 1e-12, "max_iter": 10**6, "solver": "saga", "random_state": 0},
    "PoissonRegressor": {"tol": 1e-13, "max_iter": 10**5},
}
SKGLM: dict[str, dict[str, Any]] = {
    "Lasso": {"tol": 1e-12, "max_iter": 500},
    "ElasticNet": {"tol": 1e-12, "max_iter": 500},
    "SparseLogisticRegression": {"tol": 1e-12, "max_iter": 500},
}
CELER: dict[str, dict[str, Any]] = {
    "Lasso": {"tol": 1e-14, "max_iter": 500},
    "ElasticNet": {"tol": 1e-14, "max_iter": 500},
    "LogisticRegression": {"tol": 1e-14, "max_iter": 500},
}
FITS: dict[str, Callable[..., Answer]] = {
    **{f"scikit-learn {name}": fit_estimator(linear_model, SKLEARN) for name in SKLEARN},
    **{f"skglm {name}": fit_estimator(skglm, SKGLM) for name in SKGLM},
    **{f"celer {name}": fit_estimator(celer, CELER) for name in CELER},
    **{each.name: fit_statsmodels for each in CONVENTIONS if each.package == "statsmodels"},
    "python-glmnet ElasticNet": fit_glmnet,
    "python-glmnet LogitNet": fit_glmnet,
    "lars lasso": fit_lars,
}
#: Tested in functions of their own below, or (R's glmnet) in test_units_glmnet.
OTHERS = {
    "scikit-learn BayesianRidge",
    "scikit-learn SGDRegressor",
    "scikit-learn SGDClassifier",
    *(each.name for each in CONVENTIONS if each.prior_only or each.package == "R bayesreg"),
    *(each.name for each in CONVENTIONS if each.package.startswith("document")),
    "monomvn blasso",
    *(each.name for each in CONVENTIONS if each.package == "glmnet"),
}


def test_no_row_is_left_out() -> None:
    """A new row needs a check here."""
    assert set(FITS) | OTHERS == set(br.units.names())
    assert not set(FITS) & OTHERS


@pytest.mark.parametrize(("name", "shape"), cases(list(FITS)))
def test_the_package_lands_on_the_mode(name: str, shape: str) -> None:
    """Given our number, it finds our mode, which `certify` confirms of its coefficients."""
    problem = problem_of(name, PRIORS[shape], intercept=BY_NAME[name].intercept)
    coef, intercept = FITS[name](br.units.to(problem, name), problem)
    standard = problem.standardized()[0]
    mode = br.find_map(standard)
    np.testing.assert_allclose(coef, mode.coef, rtol=1e-5, atol=1e-6)
    certificate = br.certify(standard, coef, intercept)
    assert certificate.gap < 1e-5, certificate


@pytest.mark.parametrize("name", [name for name in FITS if "glmnet" not in name])
def test_without_an_intercept(name: str) -> None:
    """The same, where the predictor goes through 0."""
    shapes = ("elastic net", "lasso", "ridge", "flat")
    for prior in (PRIORS[shape] for shape in shapes):
        problem = problem_of(name, prior, intercept=False)
        row = br.units.to(problem, name)
        if row.estimator is None:
            continue
        coef, intercept = FITS[name](row, problem)
        assert intercept == 0.0
        standard = problem.standardized()[0]
        np.testing.assert_allclose(coef, br.find_map(standard).coef, rtol=1e-5, atol=1e-6)
        return
    raise AssertionError(name)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("shape", ["ridge", "lasso", "elastic net"])
def test_glmnet_with_and_without_its_own_scaling(
    shape: str, intercept: bool, standardize: bool
) -> None:
    """Columns as they are, or standardised by it; with an intercept, or without."""
    for name in ("python-glmnet ElasticNet", "python-glmnet LogitNet"):
        problem = problem_of(name, PRIORS[shape], standardize=standardize, intercept=intercept)
        row = br.units.to(problem, name)
        assert f"standardize={standardize}" in row.parameters
        assert ("fit_intercept=False" in row.parameters) is not intercept
        coef, _ = fit_glmnet(row, problem)
        mode = br.find_map(problem)
        scale = problem.design.column_scale
        np.testing.assert_allclose(coef / scale, mode.coef, rtol=1e-5, atol=1e-7)


# --------------------------------------------------------------------------- other estimators


@pytest.mark.parametrize("intercept", [False, True])
def test_bayesian_ridge_is_the_ridge_that_it_estimates(intercept: bool) -> None:
    """Its coefficients are the mode at its own alpha_ and lambda_, whatever the stop."""
    X, y = data(br.Gaussian(0.7), seed=3)
    model = linear_model.BayesianRidge(fit_intercept=intercept).fit(X, y)
    problem = br.units.from_sklearn(model, X, y)
    assert isinstance(problem.likelihood, br.Gaussian)
    assert problem.likelihood.sigma == pytest.approx(model.alpha_**-0.5, rel=1e-14)
    row = br.units.to_bayesian_ridge(problem)
    assert row.numbers["alpha_"] == pytest.approx(model.alpha_, rel=1e-13)
    assert row.numbers["lambda_"] == pytest.approx(model.lambda_, rel=1e-13)
    assert br.certify(problem, *br.units.coefficients(model)).gap < 1e-10


@pytest.mark.parametrize("shape", ["ridge", "lasso", "elastic net"])
@pytest.mark.parametrize("name", ["SGDRegressor", "SGDClassifier"])
@pytest.mark.parametrize("weighted", [False, True])
def test_stochastic_gradients_end_there(name: str, shape: str, weighted: bool) -> None:
    """Falling steps end within a thousandth, where half or twice the number is 0.05 nats away."""
    plain = problem_of(f"scikit-learn {name}", PRIORS[shape]).standardized()[0]
    X, y = np.asarray(plain.design.X), plain.design.y
    weights = np.random.default_rng(0).uniform(0.5, 1.5, y.size) if weighted else None
    problem = br.Problem(X, y, likelihood=plain.likelihood, prior=plain.prior, weights=weights)
    row = br.units.to_sgd(problem)
    assert row.estimator == name
    model = getattr(linear_model, name)(
        loss="squared_error" if name == "SGDRegressor" else "log_loss",
        penalty="elasticnet",
        **row.numbers,
        learning_rate="invscaling",
        eta0=0.2,
        power_t=0.6,
        max_iter=5000,
        tol=None,
        random_state=0,
    )
    model.fit(X, y, sample_weight=weights)
    coef, intercept = br.units.coefficients(model)
    mode = br.find_map(problem)
    np.testing.assert_allclose(coef, mode.coef, atol=1e-3)
    assert problem.objective(coef, intercept) - mode.objective < 1e-4
    again = br.units.from_sklearn(model, X, y, sample_weight=weights, sigma=0.7)
    np.testing.assert_allclose(again.penalised(mode.coef), problem.penalised(mode.coef), rtol=1e-12)


# --------------------------------------------------------------------------- stated priors


def prior_gap(problem: Any, log_density: Callable[[Vector], Any]) -> float:
    """Largest difference of the penalty's and a density's change from one point to another."""
    points = np.random.default_rng(0).normal(size=(6, problem.p))
    ours = np.array([-problem.penalty.value(point) for point in points])
    theirs = np.array([float(np.sum(log_density(point))) for point in points])
    return float(np.abs((ours - ours[0]) - (theirs - theirs[0])).max())


@pytest.mark.parametrize("name", ["PyMC Laplace", "PyMC Normal"])
def test_pymc_reads_the_text_as_the_same_prior(name: str) -> None:
    """The printed call, executed."""
    prior = br.Laplace(0.3) if name.endswith("Laplace") else br.Normal(0.3)
    problem = br.Problem(*data(br.Gaussian(0.7), seed=0), likelihood=br.Gaussian(1.0), prior=prior)
    row = br.units.to_pymc(problem)
    with pm.Model():
        variable = eval(row.parameters, {"pm": pm, "p": problem.p})  # noqa: S307  (our own text)
    assert prior_gap(problem, lambda point: pm.logp(variable, point).eval()) < 1e-12


@pytest.mark.parametrize("package", ["Stan", "NumPyro"])
def test_stan_and_numpyro_take_scales(package: str) -> None:
    """The densities of their manuals: exp(−|x|/σ)/(2σ), and exp(−x²/(2σ²))/(σ√(2π))."""
    for prior, density in ((br.Laplace(0.3), stats.laplace), (br.Normal(0.3), stats.norm)):
        problem = br.Problem(
            *data(br.Gaussian(0.7), seed=0), likelihood=br.Gaussian(1.0), prior=prior
        )
        row = br.units.to(problem, package)
        (scale,) = row.numbers.values()
        assert f"{scale:g}" in row.parameters
        assert prior_gap(problem, partial(density.logpdf, scale=scale)) < 1e-12


@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "poisson"])
@pytest.mark.parametrize("standardize", [False, True])
def test_rstanarm_autoscales(family: str, standardize: bool) -> None:
    """scale·sd(y)/sd(x) with divisors n − 1, sd(y) for a Gaussian target only (its vignette)."""
    likelihood = likelihood_examples()[family]
    X, y = data(likelihood, seed=0)
    for prior, density in ((br.Laplace(0.3), stats.laplace), (br.Normal(0.3), stats.norm)):
        problem = br.Problem(X, y, likelihood=likelihood, prior=prior, standardize=standardize)
        row = br.units.to_rstanarm(problem)
        assert f"autoscale = {str(standardize).upper()}" in row.parameters
        auto = (y.std(ddof=1) if family == "gaussian" else 1.0) / X.std(axis=0, ddof=1)
        scale = row.numbers["scale"] * (auto if standardize else 1.0)
        assert prior_gap(problem, partial(density.logpdf, scale=scale)) < 1e-11


@pytest.mark.parametrize("kind", ["lasso", "ridge"])
@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "poisson"])
def test_r_bayesreg_by_its_hierarchy(family: str, kind: str) -> None:
    """βⱼ ~ N(0, λⱼ² τ² σ²), columns of length 1, λⱼ² ~ Exp(1) or 1 (Makalic & Schmidt 2016)."""
    likelihood = likelihood_examples()[family]
    X, y = data(likelihood, seed=0)
    prior = br.Laplace(0.3) if kind == "lasso" else br.Normal(0.3)
    problem = br.Problem(X, y, likelihood=likelihood, prior=prior, standardize=True)
    row = br.units.to_r_bayesreg(problem)
    length = np.linalg.norm(X - X.mean(axis=0), axis=0)
    sigma = 0.7 if family == "gaussian" else 1.0
    sd = sigma * math.sqrt(row.numbers["tau2"])

    def log_density(coef: Vector) -> Vector:
        on_unit_columns = coef * length
        if kind == "ridge":
            return np.asarray(stats.norm.logpdf(on_unit_columns, scale=sd))
        return np.log([mixture(float(each), sd) for each in on_unit_columns])

    assert prior_gap(problem, log_density) < 1e-7


def mixture(x: float, sd: float) -> float:
    """Integrate ``N(x; 0, v² sd²)`` over v² ~ Exp(1), by quadrature over v."""
    value, _ = integrate.quad(
        lambda v: 2 * v * math.exp(-(v**2)) * stats.norm.pdf(x, scale=v * sd),
        0,
        12,
        epsabs=0,
        epsrel=1e-11,
        limit=400,
        points=[min(11.0, abs(x) / sd + 0.1)],
    )
    return float(value)


@pytest.mark.parametrize("standardize", [False, True])
def test_blasso_is_park_and_casella(standardize: bool) -> None:
    """exp(−λ|β|/σ) on columns of length 1 (their section 2), with λ² for its argument."""
    X, y = data(br.Gaussian(0.7), seed=0)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(0.7), prior=br.Laplace(0.3), standardize=standardize
    )
    row = br.units.to_blasso(problem)
    length = np.linalg.norm(X - X.mean(axis=0), axis=0) if standardize else 1.0
    lam = math.sqrt(row.numbers["lambda2"])
    assert prior_gap(problem, lambda coef: -lam / 0.7 * np.abs(coef * length)) < 1e-11


# --------------------------------------------------------------------------- the documents


def squares(X: Matrix, y: Vector, w: Vector) -> float:
    """Residual sum of squares."""
    return float(np.sum((y - X @ w) ** 2))


def cross_entropy(X: Matrix, y: Vector, w: Vector) -> float:
    """Summed, as the lecture's steps have it."""
    p = 1 / (1 + np.exp(-X @ w))
    return float(-np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)))


DOCUMENTS: dict[str, Callable[..., float]] = {
    "document 1 L1": lambda X, y, w, k: np.mean((y - X @ w) ** 2) + k["λ"] * np.abs(w).sum(),
    "document 2 L1": lambda X, y, w, k: np.mean((y - X @ w) ** 2) + k["λ"] * np.abs(w).sum(),
    "document 2 L2": lambda X, y, w, k: np.mean((y - X @ w) ** 2) + k["λ"] * w @ w,
    "document 3 L1": lambda X, y, w, k: squares(X, y, w) / (2 * y.size) + k["λ"] * np.abs(w).sum(),
    "document 4 L1": lambda X, y, w, k: cross_entropy(X, y, w) + k["λ"] * np.abs(w).sum(),
    "document 4 L2": lambda X, y, w, k: cross_entropy(X, y, w) + k["λ"] / 2 * w @ w,
    "document 4 elastic net": lambda X, y, w, k: (
        cross_entropy(X, y, w) + k["λ₁"] * np.abs(w).sum() + k["λ₂"] * w @ w
    ),
    "document 5 L1": lambda X, y, w, k: squares(X, y, w) + k["r"] * np.abs(w).sum(),
}


@pytest.mark.parametrize("name", sorted(each for each in OTHERS if each.startswith("document")))
def test_documents_minimise_what_they_say(name: str) -> None:
    """Their objective, written by hand, is ours times one number, at any weights."""
    shape = "elastic net" if name.endswith("net") else "ridge" if "L2" in name else "lasso"
    likelihood = br.Bernoulli() if " 4 " in name else br.Gaussian(0.7)
    X, y = data(likelihood, seed=1)
    problem = br.Problem(X, y, likelihood=likelihood, prior=PRIORS[shape], intercept=False)
    row = br.units.to(problem, name)
    points = np.random.default_rng(0).normal(size=(5, problem.p))
    ours = np.array([problem.penalised(point) for point in points])
    theirs = np.array([DOCUMENTS[name](X, y, point, row.numbers) for point in points])
    ratio = (theirs - theirs[0])[1:] / (ours - ours[0])[1:]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-11)
    document = int(name.split(" ")[1])
    call = name.split(" ", 2)[2]
    again = br.units.from_document(document, X, y, call=call, sigma=0.7, **row.numbers)
    assert problem.names == again.names
    np.testing.assert_allclose(again.penalised(points[0]), ours[0], rtol=1e-12)
