"""The bridge to PyMC, both ways: equal problems, equal log densities, and refusals by name."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

import bayesreg as br
from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.likelihoods import LIKELIHOODS
from bayesreg.pymc_bridge import read
from bayesreg.pymc_distributions import ElasticNet, WeightedBernoulli, WeightedPoisson
from bayesreg.pymc_vector_priors import LInfinity
from bayesreg.scale_priors import SCALE_PRIORS

if TYPE_CHECKING:
    from collections.abc import Callable

N, P = 9, 3
RNG = np.random.default_rng(20240229)
X = RNG.normal(size=(N, P))
W = RNG.uniform(0.5, 2.0, N)
OFFSET = RNG.normal(size=N)
GROUP = np.array([0, 1, 2, 0, 1, 2, 0, 1, 1])
Y = RNG.normal(size=N)
ZERO_ONE = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1])
COUNT = np.array([0, 2, 1, 3, 0, 1, 5, 1, 0])
NAMES = ["age", "dose", "sex"]
# No rewrites and no compiler: milliseconds instead of seconds, and PyMC's own arithmetic.
CHEAP = Mode(linker="py", optimizer=None)


def vec(*values: float) -> Any:
    """Make an array."""
    return np.array(values)


def log_density(model: pm.Model, point: dict[str, Any], mode: Any = CHEAP) -> float:
    """Log density."""
    return float(model.compile_logp(jacobian=False, mode=mode)(point))


def numbers(problem: br.Problem, seed: int = 0) -> dict[str, Any]:
    """Numbers."""
    rng = np.random.default_rng(seed)
    out: dict[str, Any] = {"coef": rng.normal(size=problem.p)}
    if problem.design.intercept:
        out["intercept"] = float(rng.normal())
    return out | {name: float(rng.uniform(0.5, 2.0)) for name in problem.unknown}


def assert_same_density(
    model: pm.Model, tolerance: float = 1e-10, mode: Any = CHEAP, seeds: int = 2
) -> None:
    """Assert same density."""
    reading = read(model)
    for seed in range(seeds):
        values = numbers(reading.problem, seed)
        theirs = log_density(model, reading.point(**values), mode)
        assert -reading.problem.objective(**values) == pytest.approx(theirs, rel=tolerance)


# --------------------------------------------------------------------------- round trips

KNOWN_PRIORS: dict[str, Any] = {
    "normal": br.Normal(scale=2.0),
    "normal-loc": br.Normal(scale=vec(0.3, 2.0, 1.0), loc=vec(0.1, -1.0, 3.0)),
    "laplace": br.Laplace(scale=0.1),
    "elastic-net": br.ElasticNet(l1_scale=0.3, l2_scale=vec(0.7, 2.0, 5.0)),
    "flat": br.Flat(),
}
TARGETS: dict[str, tuple[Any, Any]] = {
    "gaussian": (br.Gaussian(sigma=0.3), Y),
    "student_t": (br.StudentTNoise(nu=2.5, sigma=0.3), Y),
    "bernoulli": (br.Bernoulli(), ZERO_ONE),
    "poisson": (br.Poisson(), COUNT),
}


def test_every_likelihood_and_scale_prior_is_in_the_round_trips() -> None:
    """Every likelihood and prior of a scale is in the round trips; priors: test_pymc_priors."""
    assert {type(likelihood) for likelihood, _ in TARGETS.values()} == set(LIKELIHOODS)
    assert set(SCALES) == set(SCALE_PRIORS)


def make(
    prior: Any,
    likelihood: str = "gaussian",
    *,
    sigma: Any = None,
    weights: bool = False,
    offset: bool = False,
    **settings: Any,
) -> br.Problem:
    """Make."""
    family, y = TARGETS[likelihood]
    return br.Problem(
        X,
        y,
        likelihood=family if sigma is None else br.Gaussian(sigma=sigma),
        prior=prior,
        weights=W if weights else None,
        offset=OFFSET if offset else None,
        **{"names": NAMES, **settings},
    )


def assert_round_trip(problem: br.Problem) -> None:
    """Assert round trip."""
    model = br.to_pymc(problem)
    reading = read(model)
    assert reading.problem == problem
    values = numbers(problem)
    theirs = log_density(model, reading.point(**values))
    # PyMC writes the log(2) of its half-Cauchy and half-t densities in single precision.
    densities = problem.hyperpriors().values()
    rounded = br.HalfCauchy | br.HalfStudentT
    slack = 4e-9 if any(isinstance(prior, rounded) for prior in densities) else 0.0
    assert -problem.objective(**values) == pytest.approx(theirs, rel=1e-10, abs=slack)


@pytest.mark.parametrize("prior", KNOWN_PRIORS)
@pytest.mark.parametrize("likelihood", TARGETS)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_round_trip(prior: str, likelihood: str, intercept: bool, standardize: bool) -> None:
    """Round trip."""
    for weights, offset in itertools.product([True, False], repeat=2):
        assert_round_trip(
            make(
                KNOWN_PRIORS[prior],
                likelihood,
                weights=weights,
                offset=offset,
                intercept=intercept,
                standardize=standardize,
            )
        )


SCALES: dict[type, Any] = {
    type(prior): prior
    for prior in (
        br.HalfNormal(3.0),
        br.HalfCauchy(0.7),
        br.HalfStudentT(0.7, 3.0),
        br.Exponential(0.3),
        br.InverseGamma(2.0, 3.0),
        br.HalfFlat(),
    )
}


@pytest.mark.parametrize("sigma", SCALES.values(), ids=lambda prior: type(prior).__name__)
@pytest.mark.parametrize("relative_to", [None, "sigma"])
@pytest.mark.parametrize("weights", [True, False])
def test_round_trip_with_unknown_sigma(sigma: Any, relative_to: Any, weights: bool) -> None:
    """Round trip with unknown sigma."""
    prior = br.Laplace(scale=vec(0.3, 0.4, 0.5), relative_to=relative_to)
    assert_round_trip(make(prior, sigma=sigma, weights=weights, standardize=weights))


@pytest.mark.parametrize(
    "scale",
    [prior for kind, prior in SCALES.items() if kind is not br.InverseGamma],
    ids=lambda prior: type(prior).__name__,
)
@pytest.mark.parametrize("family", [br.Normal, br.Laplace])
@pytest.mark.parametrize("relative_to", [None, "sigma"])
def test_round_trip_with_unknown_scale(scale: Any, family: Any, relative_to: Any) -> None:
    """Round trip with unknown scale."""
    prior = family(scale=scale, relative_to=relative_to, factor=vec(0.3, 1.0, 7.0))
    assert_round_trip(make(prior, sigma=br.InverseGamma(2.0, 3.0), standardize=True))
    assert_round_trip(make(family(scale=scale), "poisson"))


@pytest.mark.parametrize(
    "prior",
    [
        br.Laplace(scale=vec(np.inf, 0.5, np.inf)),
        br.Normal(scale=vec(1.0, np.inf, 2.0), loc=0.1),
        br.ElasticNet(l1_scale=vec(np.inf, 0.3, 0.3), l2_scale=vec(1.0, np.inf, 2.0)),
        br.ElasticNet(l1_scale=vec(np.inf, 0.3, np.inf), l2_scale=vec(1.0, 0.5, np.inf)),
        br.Laplace(br.HalfCauchy(1.0), factor=vec(np.inf, 1.0, 2.0)),
        br.Normal(vec(1.0, np.inf, 2.0), relative_to="sigma"),
        [(br.Laplace(0.5), ["dose"]), (br.Normal(2.0), ["sex", "age"])],
        [(br.Flat(), [2]), (br.Laplace(vec(0.1, 0.2)), [1, 0])],
        [(br.Laplace(0.5), [0]), (br.Laplace(0.25), [1]), (br.Laplace(0.3), [2])],
        [(br.Normal(br.HalfCauchy(1.0)), ["sex"]), (br.Laplace(0.5), ["age", "dose"])],
        [(br.Normal(0.7, relative_to="sigma"), ["sex"]), (br.Normal(0.7), ["age", "dose"])],
    ],
    ids=str,
)
def test_round_trip_with_mixed_priors_keeps_the_order_of_columns(prior: Any) -> None:
    """Round trip with mixed priors keeps the order of columns."""
    assert_round_trip(make(prior, sigma=br.HalfNormal(1.0)))


def test_round_trip_of_an_intercept_alone() -> None:
    """Round trip of an intercept alone."""
    for likelihood, y in TARGETS.values():
        alone = br.Problem(np.empty((N, 0)), y, likelihood=likelihood, prior=br.Flat())
        assert_round_trip(alone)
    hyper = br.Laplace(br.HalfCauchy(1.0))
    alone = br.Problem(np.empty((N, 0)), Y, likelihood=br.Gaussian(1.0), prior=hyper)
    with pytest.raises(UnsupportedModel, match="scale of no coefficient"):
        br.to_pymc(alone)


def test_round_trip_of_one_flat_column_of_ones_that_is_no_intercept() -> None:
    """Round trip of one flat column of ones that is no intercept."""
    problem = br.Problem(
        np.ones((N, 1)), Y, likelihood=br.Gaussian(1.0), prior=br.Flat(), intercept=False
    )
    assert br.read_model(br.to_pymc(problem)) == problem


def test_the_density_agrees_in_the_default_compilation_mode() -> None:
    """The density agrees in the default compilation mode."""
    problem = make(br.ElasticNet(0.3, 0.7), sigma=br.HalfNormal(2.0), weights=True, offset=True)
    assert_same_density(br.to_pymc(problem), mode=None, seeds=1)


def test_to_pymc_names_its_argument() -> None:
    """To pymc names its argument."""
    with pytest.raises(InputError, match="problem: must be a bayesreg Problem, found str"):
        br.to_pymc("no")  # type: ignore[arg-type]


# --------------------------------------------------------------------------- ways to write a model

type Built = tuple[pm.Model, br.Problem]
READABLE: list[Callable[[], Built]] = []
LASSO: dict[str, Any] = {
    "likelihood": br.Gaussian(2.0),
    "prior": br.Laplace(0.5),
    "intercept": False,
}
BETA = ["beta[0]", "beta[1]", "beta[2]"]


def readable(function: Callable[[], Built]) -> Callable[[], Built]:
    """Readable."""
    READABLE.append(function)
    return function


def lasso_written(predictor: Callable[[Any], Any], **changes: Any) -> Built:
    """Build a lasso whose predictor is written in some way."""
    with pm.Model() as model:
        beta = pm.Laplace("beta", mu=0, b=0.5, shape=3)
        pm.Normal("y", mu=predictor(beta), sigma=2, observed=Y)
    settings = {"X": X, "y": Y, "names": BETA, **LASSO, **changes}
    return model, br.Problem(settings.pop("X"), settings.pop("y"), **settings)


for _name, _predictor in {
    "matmul": lambda beta: X @ beta,
    "pt_dot": lambda beta: pt.dot(X, beta),
    "pm_math_dot": lambda beta: pm.math.dot(X, beta),
    "transposed": lambda beta: beta @ X.T,
    "product_sum": lambda beta: (X * beta).sum(-1),
    "stacked_columns": lambda beta: pt.stack(
        [beta[0] * X[:, 0], beta[1] * X[:, 1], beta[2] * X[:, 2]]
    ).sum(0),
    "einsum": lambda beta: pt.einsum("ij,j->i", X, beta),
    "matrix_column": lambda beta: (X @ beta[:, None])[:, 0],
    "loop": lambda beta: sum(beta[j] * X[:, j] for j in range(3)),
    "minus_minus": lambda beta: 0.0 - (-X) @ beta,
    "joined": lambda beta: pt.concatenate([X[:4] @ beta, X[4:] @ beta]),
    "switch": lambda beta: pt.where(GROUP == 1, X @ beta, X @ beta),
    "set_subtensor": lambda beta: pt.zeros(N)[:].set(X @ beta),
    "reshaped": lambda beta: (X @ beta).reshape((3, 3)).T.T.ravel(),
    "tensordot": lambda beta: pt.tensordot(X, beta, axes=[[1], [0]]),
}.items():
    READABLE.append(lambda predictor=_predictor: lasso_written(predictor))  # type: ignore[misc]
    READABLE[-1].__name__ = _name


@readable
def indexed_groups() -> Built:
    """Indexed groups."""
    return lasso_written(lambda beta: beta[GROUP], X=np.eye(3)[GROUP])


@readable
def a_large_offset_costs_no_digits() -> Built:
    """A large offset costs no digits."""
    offset = 1e9 + OFFSET
    return lasso_written(lambda beta: offset + X @ beta, offset=offset)


@readable
def centred_inside() -> Built:
    """Centred inside."""
    return lasso_written(lambda beta: (pt.as_tensor(X) - X[0]) @ beta, X=X - X[0])


@readable
def cumulated() -> Built:
    """Cumulated."""
    return lasso_written(lambda beta: pt.cumsum(beta)[GROUP], X=np.tri(3)[GROUP])


@readable
def scalars_and_an_intercept() -> Built:
    """Scalars and an intercept."""
    with pm.Model() as model:
        a = pm.Flat("a")
        age, dose = pm.Laplace("age", 0, 0.5), pm.Laplace("dose", 0, 0.25)
        mu = pm.Deterministic("mu", a + age * X[:, 0] + X[:, 1] * dose)
        pm.Deterministic("unused", age / dose)
        pm.Normal("y", mu, 2.0, observed=Y)
    prior = br.Laplace(vec(0.5, 0.25))
    return model, br.Problem(
        X[:, :2], Y, likelihood=br.Gaussian(2.0), prior=prior, names=["age", "dose"]
    )


@readable
def data_containers_and_coordinates() -> Built:
    """Data containers and coordinates."""
    with pm.Model(coords={"feature": NAMES, "row": range(N)}) as model:
        data = pm.Data("X", np.zeros((N, 3)), dims=("row", "feature"))
        beta = pm.Normal("beta", 1.0, 0.5, dims="feature")
        pm.Normal("y", data @ beta, 2.0, observed=pm.Data("target", Y), dims="row")
        pm.set_data({"X": X})
    prior = br.Normal(0.5, loc=1.0)
    return model, br.Problem(
        X, Y, likelihood=br.Gaussian(2.0), prior=prior, names=NAMES, intercept=False
    )


@readable
def two_vectors_with_the_same_labels() -> Built:
    """Two vectors with the same labels."""
    with pm.Model(coords={"feature": NAMES}) as model:
        one = pm.Laplace("one", 0, 0.5, dims="feature")
        two = pm.Normal("two", 0, 0.5, dims="feature")
        pm.Normal("y", X @ one + X**2 @ two, 2.0, observed=Y)
    names = [f"{v}[{name}]" for v in ("one", "two") for name in NAMES]
    prior = [(br.Laplace(0.5), [0, 1, 2]), (br.Normal(0.5), [3, 4, 5])]
    both = np.column_stack([X, X**2])
    return model, br.Problem(
        both, Y, likelihood=br.Gaussian(2.0), prior=prior, names=names, intercept=False
    )


@readable
def a_matrix_of_coefficients() -> Built:
    """A matrix of coefficients."""
    with pm.Model(coords={"group": ["a", "b", "c"], "term": [0, 1]}) as model:
        b = pm.Normal("b", 0, [[1.0, 2.0]], dims=("group", "term"))
        pm.Normal("y", b[GROUP, 0] + b[GROUP, 1] * X[:, 0], 2.0, observed=Y)
    dummies = np.eye(3)[GROUP]
    design = np.stack([dummies, dummies * X[:, :1]], axis=2).reshape(N, 6)
    names = [f"b[{g}, {k}]" for g in "abc" for k in range(2)]
    prior = br.Normal(vec(*[1.0, 2.0] * 3))
    return model, br.Problem(
        design, Y, likelihood=br.Gaussian(2.0), prior=prior, names=names, intercept=False
    )


@readable
def an_intercept_with_a_normal_prior_is_a_column() -> Built:
    """An intercept with a normal prior is a column."""
    with pm.Model() as model:
        a, beta = pm.Normal("a", 0, 10), pm.Laplace("beta", 0, 0.5, shape=3)
        pm.Normal("y", a + X @ beta, 2.0, observed=Y)
    prior = [(br.Normal(10.0), ["a"]), (br.Laplace(0.5), BETA)]
    return model, br.Problem(
        np.column_stack([np.ones(N), X]),
        Y,
        likelihood=br.Gaussian(2.0),
        prior=prior,
        names=["a", *BETA],
        intercept=False,
    )


@readable
def flat_slopes_and_a_doubled_intercept_are_coefficients() -> Built:
    """Flat slopes and a doubled intercept are coefficients."""
    with pm.Model() as model:
        a, b = pm.Flat("a"), pm.Flat("b")
        pm.Normal("y", 2.0 * a + b * X[:, 0], 2.0, observed=Y)
    design = np.column_stack([np.full(N, 2.0), X[:, 0]])
    return model, br.Problem(
        design, Y, likelihood=br.Gaussian(2.0), prior=br.Flat(), names=["a", "b"], intercept=False
    )


@readable
def an_intercept_alone() -> Built:
    """An intercept alone."""
    with pm.Model() as model:
        pm.Normal("y", pm.Flat("a"), pm.HalfNormal("s", 2.0), observed=Y)
    likelihood = br.Gaussian(br.HalfNormal(2.0))
    return model, br.Problem(np.empty((N, 0)), Y, likelihood=likelihood, prior=br.Flat())


@readable
def park_and_casella() -> Built:
    """Park and casella."""
    with pm.Model() as model:
        sigma2 = pm.InverseGamma("sigma2", 2.0, 3.0)
        sigma = pm.math.sqrt(sigma2)
        tau = pm.HalfCauchy("tau", 0.7)
        beta = pm.Laplace("beta", 0, sigma * tau * np.array([1.0, 2.0, 3.0]), shape=3)
        pm.Normal("y", pm.Flat("a") + X @ beta, sigma, observed=Y)
    return model, br.Problem(
        X,
        Y,
        likelihood=br.Gaussian(br.InverseGamma(2.0, 3.0)),
        prior=br.Laplace(br.HalfCauchy(0.7), relative_to="sigma", factor=vec(1.0, 2.0, 3.0)),
        names=BETA,
    )


@readable
def one_unknown_scale_for_several_variables() -> Built:
    """One unknown scale for several variables."""
    with pm.Model() as model:
        tau = pm.Exponential("tau", 3)
        a, b = pm.Normal("a", 1.0, tau), pm.Normal("b", 0, tau / 4)
        pm.Normal("y", a * X[:, 0] + b * X[:, 1], 2.0, observed=Y)
    prior = br.Normal(br.Exponential(1 / 3), factor=vec(1.0, 0.25), loc=vec(1.0, 0.0))
    return model, br.Problem(
        X[:, :2], Y, likelihood=br.Gaussian(2.0), prior=prior, names=["a", "b"], intercept=False
    )


@readable
def known_precisions() -> Built:
    """Known precisions."""
    with pm.Model() as model:
        beta = pm.Normal("beta", 0, tau=4.0, shape=3)
        pm.Normal("y", X @ beta, tau=0.25, observed=Y)
    return model, br.Problem(
        X, Y, likelihood=br.Gaussian(2.0), prior=br.Normal(0.5), names=BETA, intercept=False
    )


@readable
def a_precision_of_an_unknown_sigma() -> Built:
    """A precision of an unknown sigma."""
    with pm.Model() as model:
        sigma = pm.HalfFlat("sigma")
        beta = pm.Normal("beta", 0, 3.0, shape=3)
        pm.Normal("y", X @ beta, tau=1 / sigma**2, observed=Y)
    likelihood = br.Gaussian(br.HalfFlat())
    return model, br.Problem(
        X, Y, likelihood=likelihood, prior=br.Normal(3.0), names=BETA, intercept=False
    )


@readable
def known_sd_of_each_row() -> Built:
    """Known sd of each row."""
    with pm.Model() as model:
        beta = pm.Laplace("beta", 0, 0.5, shape=3)
        pm.Normal("y", X @ beta, sigma=W, observed=Y)
    settings: dict[str, Any] = LASSO | {
        "likelihood": br.Gaussian(1.0),
        "names": BETA,
        "weights": 1 / W**2,
    }
    return model, br.Problem(X, Y, **settings)


@readable
def unknown_sd_times_known_ones() -> Built:
    """Unknown sd times known ones."""
    with pm.Model() as model:
        beta = pm.Laplace("beta", 0, 0.5, shape=3)
        pm.Normal("y", X @ beta, sigma=W * pm.HalfNormal("s", 3.0), observed=Y)
    likelihood = br.Gaussian(br.HalfNormal(3.0))
    settings: dict[str, Any] = LASSO | {
        "likelihood": likelihood,
        "names": BETA,
        "weights": 1 / W**2,
    }
    return model, br.Problem(X, Y, **settings)


@readable
def student_noise_of_unknown_scale() -> Built:
    """Student noise of unknown scale, with a prior relative to it."""
    with pm.Model() as model:
        sigma = pm.HalfNormal("s", 3.0)
        beta = pm.Laplace("beta", 0, 0.5 * sigma, shape=3)
        pm.StudentT("y", nu=4, mu=X @ beta, sigma=W * sigma, observed=Y)
    settings: dict[str, Any] = LASSO | {
        "likelihood": br.StudentTNoise(4.0, br.HalfNormal(3.0)),
        "prior": br.Laplace(0.5, relative_to="sigma"),
        "names": BETA,
        "weights": 1 / W**2,
    }
    return model, br.Problem(X, Y, **settings)


@readable
def student_noise_by_its_precision() -> Built:
    """Student noise by its precision, nu as an array of equal numbers."""
    with pm.Model() as model:
        beta = pm.Laplace("beta", 0, 0.5, shape=3)
        pm.StudentT("y", nu=np.full(N, 4.0), mu=X @ beta, lam=np.float64(0.25), observed=Y)
    settings: dict[str, Any] = LASSO | {"likelihood": br.StudentTNoise(4.0, 2.0), "names": BETA}
    return model, br.Problem(X, Y, **settings)


@readable
def cauchy_noise() -> Built:
    """Cauchy noise: one degree of freedom."""
    with pm.Model() as model:
        beta = pm.Laplace("beta", 0, 0.5, shape=3)
        pm.Cauchy("y", alpha=X @ beta, beta=np.float64(2.0), observed=Y)
    settings: dict[str, Any] = LASSO | {"likelihood": br.StudentTNoise(1.0, 2.0), "names": BETA}
    return model, br.Problem(X, Y, **settings)


@readable
def logistic_through_a_sigmoid() -> Built:
    """Logistic through a sigmoid."""
    with pm.Model() as model:
        beta = ElasticNet("beta", l1_scale=0.5, l2_scale=2.0, shape=3)
        p = pm.Deterministic("p", pm.math.invlogit(pm.Flat("a") + X @ beta))
        pm.Bernoulli("y", p=p, observed=ZERO_ONE)
    prior = br.ElasticNet(0.5, 2.0)
    return model, br.Problem(X, ZERO_ONE, likelihood=br.Bernoulli(), prior=prior, names=BETA)


@readable
def binomial_with_one_trial() -> Built:
    """Binomial with one trial."""
    with pm.Model() as model:
        beta = pm.Normal("beta", 0, 1, shape=3)
        pm.Binomial("y", n=1, logit_p=X @ beta, observed=ZERO_ONE)
    settings: dict[str, Any] = {"prior": br.Normal(1.0), "names": BETA, "intercept": False}
    return model, br.Problem(X, ZERO_ONE, likelihood=br.Bernoulli(), **settings)


@readable
def poisson_with_an_exposure() -> Built:
    """Poisson with an exposure."""
    with pm.Model() as model:
        beta = pm.Normal("beta", 0, 1, shape=3)
        pm.Poisson("y", mu=W * pm.math.exp(X @ beta), observed=COUNT)
    settings: dict[str, Any] = {"prior": br.Normal(1.0), "names": BETA, "intercept": False}
    return model, br.Problem(X, COUNT, likelihood=br.Poisson(), offset=np.log(W), **settings)


@readable
def weighted_counts() -> Built:
    """Weighted counts."""
    with pm.Model() as model:
        beta = pm.Normal("beta", 0, 1, shape=3)
        WeightedPoisson("y", log_rate=X @ beta, weights=W, observed=COUNT)
    settings: dict[str, Any] = {"prior": br.Normal(1.0), "names": BETA, "intercept": False}
    return model, br.Problem(X, COUNT, likelihood=br.Poisson(), weights=W, **settings)


@readable
def a_logistic_regression_with_a_far_offset() -> Built:
    """A logistic regression with a far offset."""
    offset = np.where(ZERO_ONE == 1, 60.0, -60.0)
    with pm.Model() as model:
        beta = pm.Normal("beta", 0, 1, shape=3)
        WeightedBernoulli("y", logit_p=offset + X @ beta, weights=1.0, observed=ZERO_ONE)
    settings: dict[str, Any] = {"prior": br.Normal(1.0), "names": BETA, "intercept": False}
    return model, br.Problem(X, ZERO_ONE, likelihood=br.Bernoulli(), offset=offset, **settings)


@pytest.mark.parametrize("build", READABLE, ids=lambda build: build.__name__)
def test_readable(build: Callable[[], Built]) -> None:
    """Readable."""
    model, expected = build()
    found = br.read_model(model)
    assert found.names == expected.names
    assert found.likelihood == expected.likelihood
    assert np.array_equal(found.design.X, expected.design.X)
    assert found == expected
    # PyTensor keeps literals in single precision, and so does their logarithm: 1e-8.
    assert_same_density(model, tolerance=1e-6)


@pytest.mark.parametrize("name", br.gallery.names())
def test_every_gallery_model_is_read(name: str) -> None:
    """Every gallery model is read, with the names of its columns."""
    y = ZERO_ONE if name.startswith("logistic") else Y
    model = br.gallery.load(name).build(X, y, names=NAMES)
    assert br.read_model(model).names == tuple(NAMES)
    assert_same_density(model, tolerance=1e-6, seeds=1)


def test_scalars_stay_scalars_in_the_formula() -> None:
    """Scalars stay scalars in the formula."""
    model, _ = lasso_written(lambda beta: X @ beta)
    assert br.read_model(model).formula() == "‖y − Xβ‖²/(2·2²) + Σ|βⱼ|/0.5"


def test_the_order_of_columns_follows_a_coordinate_that_lists_them_all() -> None:
    """The order of columns follows a coordinate that lists them all."""
    with pm.Model(coords={"all": ["c", "a", "b"], "some": ["a", "b"]}) as model:
        few, c = pm.Normal("few", 0, 1, dims="some"), pm.Laplace("c", 0, 1)
        pm.Normal("y", X[:, 1:] @ few + X[:, 0] * c, 1, observed=Y)
    prior = [(br.Laplace(1.0), ["c"]), (br.Normal(1.0), ["a", "b"])]
    expected = br.Problem(
        X,
        Y,
        likelihood=br.Gaussian(1.0),
        prior=prior,
        names=["c", "a", "b"],
        intercept=False,
    )
    assert br.read_model(model) == expected
    point = read(model).point([1.0, 2.0, 3.0])
    assert point["few"].tolist() == [2.0, 3.0]
    assert point["c"] == 1.0


# --------------------------------------------------------------------------- points


def test_a_point_is_accepted_by_the_model_and_has_its_density() -> None:
    """A point is accepted by the model and has its density."""
    model, problem = park_and_casella()
    reading = read(model)
    assert {v.name: v.role for v in reading.variables} == {
        "sigma2": "sigma",
        "tau": "scale",
        "a": "intercept",
        "beta": "coefficients",
    }
    values = {"coef": [1.0, -2.0, 0.0], "intercept": 0.5, "sigma": 1.5, "scale": 0.3}
    point = reading.point(**values)  # type: ignore[arg-type]
    assert set(point) == {"sigma2_log__", "tau_log__", "a", "beta"}
    assert point["sigma2_log__"] == pytest.approx(np.log(1.5**2))
    with_jacobian = float(model.compile_logp(mode=CHEAP)(point))
    theirs = log_density(model, point)
    assert theirs == pytest.approx(-problem.objective(**values), rel=1e-6)  # type: ignore[arg-type]
    assert with_jacobian == pytest.approx(theirs + np.log(1.5**2) + np.log(0.3))


def test_a_point_of_untransformed_variables() -> None:
    """A point of untransformed variables."""
    with pm.Model() as model:
        sigma = pm.HalfNormal("sigma", 2.0, default_transform=None)
        pm.Normal("y", X @ pm.Normal("beta", 0, 1, shape=(3,)), sigma, observed=Y)
    point = read(model).point([1.0, 2.0, 3.0], sigma=0.5)
    assert point["sigma"] == 0.5
    assert_same_density(model, tolerance=1e-6)


def test_a_point_needs_a_value_for_each_unknown() -> None:
    """A point needs a value for each unknown."""
    model, _ = park_and_casella()
    with pytest.raises(InputError, match="sigma"):
        read(model).point([1.0, 2.0, 3.0], scale=1.0)
    with pytest.raises(InputError, match="coef"):
        read(model).point([1.0, 2.0], sigma=1.0, scale=1.0)


# --------------------------------------------------------------------------- refusals

REFUSED: list[tuple[str, str, Callable[[], object]]] = []


def refused(variable: str, phrase: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Refused."""

    def register(function: Callable[[], object]) -> Callable[[], object]:
        REFUSED.append((variable, phrase, function))
        return function

    return register


def beta3(**settings: Any) -> Any:
    """Beta3."""
    return pm.Normal("beta", 0, 1, shape=3, **settings)


def observe(mu: Any, **settings: Any) -> Any:
    """Observe."""
    return pm.Normal("y", mu, **{"sigma": 1.0, "observed": Y, **settings})


@refused("extra", "pm.Potential")
def potential() -> None:
    """Potential."""
    beta = beta3()
    observe(X @ beta)
    pm.Potential("extra", -(beta[0] ** 2))


@refused("k", "discrete")
def discrete() -> None:
    """Discrete."""
    observe(X[:, 0] * pm.Poisson("k", 3.0))


NOT_AFFINE: list[tuple[str, Callable[[Any], Any]]] = [
    ("passes through Exp", lambda beta: pt.exp(X @ beta)),
    ("passes through Abs", lambda beta: X @ pt.abs(beta)),
    ("passes through Clip", lambda beta: (X @ beta).clip(-1e9, 1e9)),
    ("passes through Gt", lambda beta: X[:, 0] * (beta[0] > 1e12)),
    ("passes through Floor", lambda beta: X @ pt.floor(beta)),
    ("passes through Cast{int64}", lambda beta: X @ beta.astype("int64")),
    ("product of 'beta'", lambda beta: X @ (beta * beta[0])),
    ("passes through True_div", lambda beta: X[:, 0] / (beta[0])),
    ("passes through Sqr", lambda beta: X @ pt.sqr(beta)),
    ("passes through CumOp", lambda beta: X @ pt.cumprod(beta)),
    ("passes through Gt", lambda beta: pt.switch(beta[0] > 0, X @ beta, X @ beta)),
]


def non_affine(form: Callable[[Any], Any]) -> Callable[[], object]:
    """Observe a predictor that is not affine."""
    return lambda: observe(form(beta3()))


REFUSED += [("beta", phrase, non_affine(form)) for phrase, form in NOT_AFFINE]


@refused("beta", "product of 'beta' and 'gamma'")
def product_of_coefficients() -> None:
    """Product of coefficients."""
    observe(X[:, 0] * beta3()[0] * pm.Normal("gamma"))


@refused("tau", "non-centred")
def non_centred() -> None:
    """Non centred."""
    observe(pm.HalfNormal("tau", 1.0) * (X @ beta3()))


@refused("y", "missing values")
def missing() -> None:
    """Missing."""
    with pytest.warns(pm.exceptions.ImputationWarning):
        observe(X @ beta3(), observed=np.where(GROUP == 1, np.nan, Y))


@refused("y", "NaN")
def nan_in_data() -> None:
    """Nan in data."""
    observe(X @ beta3(), observed=pt.as_tensor(np.where(GROUP == 1, np.nan, Y)))


@refused("y", "NaN or infinities; check the design")
def nan_in_design() -> None:
    """Nan in design."""
    observe(np.where(X > 0, X, np.nan) @ beta3())


@refused("beta", "MultivariateNormal is not supported yet")
def multivariate() -> None:
    """Multivariate."""
    observe(X @ pm.MvNormal("beta", np.zeros(3), np.eye(3)))


@refused("beta", "Dirichlet is not supported yet")
def dirichlet() -> None:
    """Dirichlet."""
    observe(X @ pm.Dirichlet("beta", np.ones(3)))


@refused("beta", "RandomWalk is not supported yet")
def random_walk() -> None:
    """Random walk."""
    start = pm.Normal.dist(0, 1)
    observe(X @ pm.GaussianRandomWalk("beta", 0, 1, init_dist=start, shape=3))


@refused("beta", "TruncatedNormal with lower != 0")
def truncated() -> None:
    """Truncated."""
    observe(X @ pm.Truncated("beta", pm.Normal.dist(0, 1), lower=-1, shape=3))


@refused("y", "Censored likelihood is not supported yet")
def censored() -> None:
    """Censored."""
    pm.Censored("y", pm.Normal.dist(X @ beta3(), 1.0), lower=None, upper=9.0, observed=Y)


@refused("y", "Mixture likelihood is not supported yet")
def mixture() -> None:
    """Mixture."""
    beta = beta3()
    parts = [pm.Normal.dist(X @ beta, 1.0), pm.Normal.dist(0, 1.0, shape=N)]
    pm.Mixture("y", w=[0.5, 0.5], comp_dists=parts, observed=Y)


@refused("beta", "Logistic is not supported yet")
def logistic_prior() -> None:
    """Logistic prior."""
    observe(X @ pm.Logistic("beta", 0, 1, shape=3))


@refused("beta", "StudentT with mu != 0; write it as mu + d, d a StudentT with mu=0: the same")
def shifted_student_prior() -> None:
    """Shifted student prior."""
    observe(X @ pm.StudentT("beta", nu=3, mu=1, sigma=1, shape=3))


@refused("beta", "Cauchy with alpha != 0")
def shifted_cauchy_prior() -> None:
    """Shifted Cauchy prior."""
    observe(X @ pm.Cauchy("beta", 1, 1, shape=3))


@refused("beta", "several values of nu; use one variable for each")
def degrees_of_freedom_per_coefficient() -> None:
    """Degrees of freedom per coefficient."""
    observe(X @ pm.StudentT("beta", nu=[3, 4, 5], sigma=1, shape=3))


@refused("beta", "nu depends on 'nu'")
def unknown_degrees_of_freedom() -> None:
    """Unknown degrees of freedom."""
    observe(X @ pm.StudentT("beta", nu=pm.Gamma("nu", 2, 1), sigma=1, shape=3))


@refused("beta", "TruncatedNormal with upper != inf")
def normal_on_an_interval() -> None:
    """Normal on an interval."""
    observe(X @ pm.TruncatedNormal("beta", 0.5, 1, lower=0, upper=1, shape=3))


@refused("beta", "transform (Interval)")
def half_normal_on_an_interval() -> None:
    """Half normal on an interval."""
    transform = pm.distributions.transforms.Interval(0, 9)
    settings: dict[str, Any] = {"transform": transform, "default_transform": None, "shape": 3}
    observe(X @ pm.HalfNormal("beta", 1.0, **settings))


@refused("beta", "transform (LogTransform)")
def normal_on_a_log_scale() -> None:
    """Normal on a log scale."""
    transform = pm.distributions.transforms.log
    observe(X @ beta3(transform=transform, initval=[1.0, 2.0, 3.0]))


@refused("s", "both a coefficient of the predictor and a scale")
def coefficient_and_scale() -> None:
    """Coefficient and scale."""
    s = pm.HalfNormal("s", 1.0)
    observe(X @ beta3() + s * X[:, 0], sigma=s)


@refused("beta", "a batch of vectors; use one variable per vector")
def batch_of_vectors() -> None:
    """Batch of vectors."""
    beta = LInfinity("beta", scale=np.ones(3), shape=(2, 3))
    observe(X @ (beta[0] - beta[1]))


@refused("beta", "its scale depends on 'tau'; only known numbers")
def joint_prior_of_unknown_scale() -> None:
    """Joint prior of unknown scale."""
    observe(X @ LInfinity("beta", scale=pm.HalfCauchy("tau", 1.0), shape=3))


@refused("beta", "transform (LogTransform)")
def vector_on_a_log_scale() -> None:
    """Vector on a log scale."""
    transform = pm.distributions.transforms.log
    observe(X @ LInfinity("beta", scale=1.0, shape=3, transform=transform, initval=[1, 2, 3]))


@refused("y", "its nu depends on 'nu'; only known numbers are supported here")
def unknown_degrees_of_freedom_of_the_noise() -> None:
    """Unknown degrees of freedom."""
    pm.StudentT("y", nu=pm.Exponential("nu", 0.1), mu=X @ beta3(), sigma=1, observed=Y)


@refused("y", "its nu differs from row to row")
def degrees_of_freedom_by_row() -> None:
    """Degrees of freedom by row."""
    pm.StudentT("y", nu=np.arange(1.0, N + 1), mu=X @ beta3(), sigma=1, observed=Y)


@refused("y", "Laplace likelihood is not supported yet")
def laplace_likelihood() -> None:
    """Laplace likelihood."""
    pm.Laplace("y", mu=X @ beta3(), b=1, observed=Y)


@refused("beta", "prior mean depends on 'm'; write the effect as m + deviation")
def hierarchical_mean() -> None:
    """Hierarchical mean."""
    observe(X @ pm.Normal("beta", pm.Normal("m"), 1, shape=3))


@refused("z", "several observed")
def two_observed() -> None:
    """Two observed."""
    beta = beta3()
    observe(X @ beta)
    pm.Normal("z", X @ beta, 1, observed=Y)


@refused("model", "no observed variable")
def none_observed() -> None:
    """None observed."""
    pm.Normal("y", X @ beta3(), 1)


@refused("y", "holds no coefficient")
def no_coefficient() -> None:
    """No coefficient."""
    observe(X[:, 0])


@refused("y", "not the canonical one; write pm.Bernoulli(..., logit_p=eta)")
def probit() -> None:
    """Probit."""
    pm.Bernoulli("y", p=pm.math.invprobit(X @ beta3()), observed=ZERO_ONE)


@refused("y", "write pm.Poisson(..., mu=pm.math.exp(eta))")
def identity_link() -> None:
    """Identity link."""
    pm.Poisson("y", mu=X @ beta3(), observed=COUNT)


@refused("y", "n > 1")
def binomial() -> None:
    """Binomial."""
    pm.Binomial("y", n=4, logit_p=X @ beta3(), observed=ZERO_ONE)


@refused("beta", "transform (Ordered)")
def ordered() -> None:
    """Ordered."""
    transform = pm.distributions.transforms.ordered
    observe(X @ beta3(transform=transform, initval=[-1.0, 0.0, 1.0]))


@refused("beta", "Laplace with mu != 0")
def shifted_laplace() -> None:
    """Shifted laplace."""
    observe(X @ pm.Laplace("beta", 1.0, 1.0, shape=3))


@refused("sigma", "vector of unknown values of sigma")
def sigma_per_group() -> None:
    """Sigma per group."""
    observe(X @ beta3(), sigma=pm.HalfNormal("sigma", 1.0, shape=3)[GROUP])


@refused("tau", "make a horseshoe prior: as a problem, br.Problem")
def scale_per_coefficient() -> None:
    """Scale per coefficient."""
    observe(X @ pm.Normal("beta", 0, pm.HalfCauchy("tau", 1.0, shape=3), shape=3))


@refused("b", "only one prior may have an unknown scale")
def two_scales() -> None:
    """Two scales."""
    a = pm.Normal("a", 0, pm.HalfCauchy("s", 1.0))
    b = pm.Normal("b", 0, pm.HalfCauchy("t", 1.0))
    observe(a * X[:, 0] + b * X[:, 1])


@refused("sigma", "its prior Gamma is not supported there")
def gamma_sigma() -> None:
    """Gamma sigma."""
    observe(X @ beta3(), sigma=pm.Gamma("sigma", 1.0, 1.0))


@refused("y", "not a known multiple of the root of 'v'")
def inverse_gamma_of_sigma_itself() -> None:
    """Inverse gamma of sigma itself."""
    observe(X @ beta3(), sigma=pm.InverseGamma("v", 2.0, 1.0))


@refused("y", "not a known multiple of 'v'")
def half_normal_of_the_variance() -> None:
    """Half normal of the variance."""
    observe(X @ beta3(), sigma=pt.sqrt(pm.HalfNormal("v", 2.0)))


@refused("y", "sigma depends on 's' and 't'")
def sum_of_sigmas() -> None:
    """Sum of sigmas."""
    observe(X @ beta3(), sigma=pm.HalfNormal("s", 1.0) + pm.HalfNormal("t", 1.0))


@refused("beta", "sigma depends on it")
def heteroscedastic() -> None:
    """Heteroscedastic."""
    beta = beta3()
    observe(X @ beta, sigma=pt.exp(X @ beta))


@refused("tau", "together with another variable, or as its square")
def inverse_gamma_of_a_scale() -> None:
    """Inverse gamma of a scale."""
    tau = pm.InverseGamma("tau", 2.0, 1.0)
    observe(X @ pm.Normal("beta", 0, pt.sqrt(tau), shape=3))


@refused("tau", "its scale depends on 'sigma'")
def hyperprior_of_a_hyperprior() -> None:
    """Hyperprior of a hyperprior."""
    sigma = pm.HalfNormal("sigma", 1.0)
    tau = pm.HalfNormal("tau", sigma)
    observe(X @ pm.Normal("beta", 0, tau, shape=3), sigma=sigma)


@refused("beta", "its l1_scale depends on 'tau'")
def elastic_net_scale() -> None:
    """Elastic net scale."""
    tau = pm.HalfNormal("tau", 1.0)
    observe(X @ ElasticNet("beta", l1_scale=tau, l2_scale=1.0, shape=3))


@refused("y", "minibatches")
def total_size() -> None:
    """Total size."""
    observe(X @ beta3(), total_size=100)


@refused("idle", "does not enter the likelihood")
def idle() -> None:
    """Idle."""
    pm.Normal("idle")
    observe(X @ beta3())


@refused("sigma", "transform (Interval)")
def interval() -> None:
    """Interval."""
    transform = pm.distributions.transforms.Interval(0, 9)
    sigma = pm.HalfNormal("sigma", 1.0, transform=transform, default_transform=None)
    observe(X @ beta3(), sigma=sigma)


@refused("y", "one class only")
def one_class() -> None:
    """One class."""
    pm.Bernoulli("y", logit_p=X @ beta3(), observed=np.ones(N, int))


@refused("y", "weights: must be positive")
def zero_weight() -> None:
    """Zero weight."""
    weights = np.where(GROUP == 1, 0.0, 1.0)
    WeightedPoisson("y", log_rate=X @ beta3(), weights=weights, observed=COUNT)


@refused("y", "must hold whole numbers")
def no_counts() -> None:
    """No counts."""
    pm.Poisson("y", mu=pm.math.exp(X @ beta3()), observed=-COUNT)


@pytest.mark.parametrize(
    ("variable", "phrase", "build"), REFUSED, ids=lambda case: getattr(case, "__name__", None)
)
def test_refused(variable: str, phrase: str, build: Callable[[], object]) -> None:
    """Refused."""
    with pm.Model() as model:
        build()
    with pytest.raises(UnsupportedModel, match=re.escape(phrase)) as caught:
        br.read_model(model)
    assert caught.value.variable == variable


def test_minibatches_are_refused() -> None:
    """Minibatches are refused."""
    with pm.Model() as model:
        rows, y = pm.Minibatch(X, Y, batch_size=4)
        pm.Normal("y", rows @ beta3(), 1.0, observed=y, total_size=N)
    with pytest.raises(UnsupportedModel, match="minibatch"):
        br.read_model(model)


def test_random_numbers_in_the_design_are_refused() -> None:
    """Random numbers in the design are refused."""
    with pm.Model() as model:
        observe((X + pm.Normal.dist(0, 1, shape=(N, 3))) @ beta3())
    with pytest.raises(UnsupportedModel, match="random numbers"):
        br.read_model(model)


def test_a_refusal_says_which_verbs_take_the_model() -> None:
    """Of `read_model` as of `map_path`, which reads it too."""
    for verb in (br.read_model, br.map_path):
        with pm.Model() as model:
            observe(X @ pm.Laplace("beta", 1.0, 1.0, shape=3))
        with pytest.raises(UnsupportedModel) as caught:
            verb(model)
        [note] = caught.value.__notes__
        assert "find_map(model) finds a mode, and sample(model) draws" in note


def test_a_location_is_the_same_model_with_an_offset() -> None:
    """As the refusal of mu != 0 advises."""
    with pm.Model() as model:
        observe(X @ (1.0 + pm.StudentT("beta", nu=3, mu=0, sigma=1, shape=3)))
    offset = br.read_model(model).design.offset
    assert offset is not None
    np.testing.assert_allclose(offset, X.sum(axis=1), rtol=1e-12)


def test_an_intercept_with_a_prior_is_a_coefficient_and_said_to_be() -> None:
    """Printed with the problem; its name stands in the message on shapes; a scalar of ones only."""
    with pm.Model() as model:
        level = pm.Normal("level", -2.2, 0.3)
        observe(level + X @ beta3())
    problem = br.read_model(model)
    last = str(problem).splitlines()[-1]
    assert last == "  no unpenalised intercept: level is a coefficient with a prior"
    with pytest.raises(InputError, match=r"\(4,\), one number each for level, beta\[0\], .*\(3,\)"):
        br.certify(model, np.zeros(3), 1.0)
    with pm.Model() as flat:
        observe(pm.Flat("level") + X @ beta3())
    assert "no unpenalised" not in str(br.read_model(flat))


def test_something_else_than_a_model_is_refused() -> None:
    """Something else than a model is refused."""
    with pytest.raises(InputError, match=r"model: must be a PyMC model .* found ndarray"):
        br.read_model(X)


def test_the_judge_refuses_a_wrong_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge refuses a wrong reading."""
    model, _ = lasso_written(lambda beta: X @ beta)
    monkeypatch.setattr(
        br.Laplace, "log_normalizers", lambda self, p: np.full(p, np.log(2 * self.scale) + 1e-8)
    )
    with pytest.raises(UnsupportedModel, match=r"does not reproduce .* please report") as caught:
        br.read_model(model)
    assert caught.value.variable == "y"
