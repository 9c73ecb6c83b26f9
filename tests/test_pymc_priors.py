"""Every prior has a PyMC row: equal densities, problems read back, draws, gradients, points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pymc.distributions.shape_utils import change_dist_size
from pymc.logprob.utils import ParameterValueError
from pytensor.compile.mode import Mode
from scipy.stats import ks_2samp

import bayesreg as br
from bayesreg import pymc_ball_prior as ball
from bayesreg import pymc_scalar_priors as scalar
from bayesreg import pymc_vector_priors as vector
from bayesreg.blocks import Blocks
from bayesreg.errors import InputError, UnsupportedModel
from bayesreg.priors import PRIORS, SpikeSlab, UniformBall
from bayesreg.pymc_bridge import read
from bayesreg.pymc_table import JOINT, row_of
from bayesreg.pymc_table import PRIORS as ROWS
from tests.problems import (
    P,
    data,
    degenerate_examples,
    every_example,
    nonconvex_examples,
    norm_examples,
    prior_examples,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector

CHEAP = Mode(linker="py", optimizer=None)
EXAMPLES = {name: q for name, q in every_example().items() if not isinstance(q, SpikeSlab)}
GAUSSIAN = br.Gaussian(sigma=0.7)
SCALES = np.array([0.05, 0.3, 1.0, 0.2, 4.0])
# PyMC takes numbers in single precision: log(2) in its half densities, and sqrt(2) in the normal
# distribution function that normalises its truncated one.
SINGLE = {pm.HalfCauchy: 4e-9, pm.HalfStudentT: 4e-9, pm.TruncatedNormal: 4e-8}


def make(prior: Any, likelihood: Any = GAUSSIAN, **settings: Any) -> br.Problem:
    """Make a problem of the bank's data."""
    X, y = data(GAUSSIAN if isinstance(likelihood, br.Gaussian) else likelihood, seed=1, n=12)
    return br.Problem(X, y, likelihood=likelihood, prior=prior, **settings)


def admissible(prior: Any, coef: Vector) -> Vector:
    """Return a point like `coef` where the density is positive."""
    if isinstance(prior, Blocks):
        out = coef.copy()
        for part, columns in prior.parts:
            out[list(columns)] = admissible(part, coef[list(columns)])
        return out
    if isinstance(prior, UniformBall):
        return coef * 0.9 / max(1.0, prior.penalty(coef.size).shape.value(coef))
    return np.abs(coef) if getattr(prior, "nonnegative", False) else coef


def values_at(problem: br.Problem, seed: int) -> dict[str, Any]:
    """Numbers for everything in a problem."""
    rng = np.random.default_rng(seed)
    out: dict[str, Any] = {"coef": admissible(problem.coef_prior, rng.normal(size=problem.p))}
    if problem.design.intercept:
        out["intercept"] = float(rng.normal())
    return out | {name: float(rng.uniform(0.5, 2.0)) for name in problem.unknown}


def objective(problem: br.Problem, values: dict[str, Any]) -> float:
    """Evaluate minus the log joint density; a horseshoe has one, but no penalty."""
    if not isinstance(problem.prior, br.Horseshoe | br.RegularizedHorseshoe):
        return problem.objective(**values)
    design, coef = problem.design, values["coef"]
    constant = problem.likelihood.constant(design.y, design.row_weights)
    loss = problem.loss(coef, values.get("intercept", 0.0)) + constant
    return float(loss - problem.coef_prior.log_density(coef))


def precision(model: pm.Model) -> float:
    """Absolute error of PyMC's own log density."""
    size = P + len(model.free_RVs)
    ops = {type(variable.owner.op) for variable in model.free_RVs}
    return sum(size * error for family, error in SINGLE.items() if family.rv_type in ops)


def assert_round_trip(problem: br.Problem, points: int = 2) -> pm.Model:
    """Write, read, and compare densities at several points."""
    model = br.to_pymc(problem)
    reading = read(model)
    assert reading.problem == problem
    density, slack = model.compile_logp(jacobian=False, mode=CHEAP), precision(model)
    for seed in range(points):
        values = values_at(problem, seed)
        theirs = float(density(reading.point(**values)))
        assert theirs == pytest.approx(-objective(problem, values), rel=1e-10, abs=slack)
    return model


# --------------------------------------------------------------------------- the table


def test_every_prior_has_a_row_and_every_row_is_written() -> None:
    """All priors but one, whose atom is no density; each row by one of the examples."""
    assert {row.bayesreg for row in (*ROWS, *JOINT)} == set(PRIORS) - {SpikeSlab}
    written = set()
    flat = br.Laplace(np.inf, nonnegative=True)
    half_t = br.StudentT(nu=3.0, scale=1.0, nonnegative=True)
    for prior in (*EXAMPLES.values(), flat, half_t):
        for variable in br.to_pymc(make(prior)).free_RVs:
            row = row_of(ROWS, variable) or row_of(JOINT, variable)
            written.add(None if row is None else row.pymc)
    assert written == {row.pymc for row in (*ROWS, *JOINT)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_round_trip_with_a_gaussian_likelihood(name: str) -> None:
    """The model is read as the problem it was written from, and has its density."""
    assert_round_trip(make(EXAMPLES[name]), points=3)
    assert_round_trip(make(EXAMPLES[name], standardize=True, intercept=False), points=1)


@pytest.mark.parametrize("name", ["cusp", "half-normal", "group-vector", "l1-ball-vector"])
def test_round_trip_with_a_logistic_likelihood(name: str) -> None:
    """The same for another likelihood."""
    assert_round_trip(make(EXAMPLES[name], br.Bernoulli()))


@pytest.mark.parametrize(
    "prior",
    [
        [(br.GroupLaplace(0.3, [[1, 0]]), [3, 0]), (br.Laplace(1.0), [1]), (br.Fused(0.2), [4, 2])],
        [(br.LInfinity(0.3), [0, 1, 2]), (br.LInfinity(0.5), [4, 3])],
        [(br.Fused(0.3, first_scale=1.0), [4, 0, 1, 2, 3])],
        [(br.UniformBall(0.3, "linf"), [0]), (br.Normal(2.0, nonnegative=True), [3, 4, 2, 1])],
        [(br.UniformBall(0.3, "group", groups=[[0]]), [0, 1]), (br.Flat(), [3, 4, 2])],
        [(br.GroupLaplace(0.3, [[0], [1]]), [4, 1]), (br.Slope(1.0, [1.0] * 3), [0, 2, 3])],
        [(br.StudentT(2.0, 0.3), [0, 1]), (br.StudentT(3.0, 0.3), [2]), (br.Flat(), [3, 4])],
        [(br.Bridge(1.0, 0.5), [0, 3]), (br.Bridge(2.0, 0.5), [1]), (br.Bridge(1.0, 3.0), [2, 4])],
        br.Normal(1.0, loc=np.array([0.0, 1.0, 0.0, -1.0, 0.0]), nonnegative=True),
        br.Laplace(np.array([1.0, np.inf, 1.0, np.inf, 2.0]), nonnegative=True),
        br.ElasticNet(
            np.array([1.0, np.inf, np.inf, 2.0, 1.0]),
            np.array([np.inf, 1.0, np.inf, 2.0, 1.0]),
            nonnegative=True,
        ),
    ],
    ids=str,
)
def test_round_trip_of_mixed_priors(prior: Any) -> None:
    """Vectors stay whole, in their own order; single coefficients are grouped by what they are."""
    assert_round_trip(make(prior))


@pytest.mark.parametrize(
    "prior",
    [
        br.StudentT(3.0, br.HalfNormal(1.0), factor=SCALES),
        br.StudentT(1.0, br.HalfCauchy(1.0), nonnegative=True),
        br.StudentT(2.5, 0.3, relative_to="sigma", nonnegative=True),
        br.Bridge(br.HalfNormal(1.0), 0.5, relative_to="sigma"),
        br.GeneralizedDoublePareto(br.Exponential(2.0), 3.0, nonnegative=True),
        br.Horseshoe(SCALES, relative_to="sigma"),
        br.RegularizedHorseshoe(br.HalfCauchy(1.0), SCALES, 4.0, factor=SCALES),
        br.Normal(br.HalfNormal(1.0), nonnegative=True, relative_to="sigma"),
        br.Normal(0.5, loc=SCALES, nonnegative=True, relative_to="sigma"),
        br.Laplace(br.HalfCauchy(1.0), nonnegative=True, factor=SCALES),
    ],
    ids=str,
)
def test_round_trip_with_unknown_scales(prior: Any) -> None:
    """Scales that are unknown, or multiples of an unknown sigma, are what they were."""
    problem = make(prior, br.Gaussian(sigma=br.HalfNormal(1.0)))
    # The problem of a horseshoe has a density, but no objective.
    if isinstance(prior, br.Horseshoe | br.RegularizedHorseshoe):
        assert br.read_model(br.to_pymc(problem)) == problem
    else:
        assert_round_trip(problem)


@pytest.mark.parametrize(
    "prior",
    [
        br.Horseshoe(np.array([1.0, np.inf, 2.0, 3.0, np.inf])),
        [(br.Horseshoe(0.3), [4, 1]), (br.Flat(), [0]), (br.LInfinity(0.2), [3, 2])],
    ],
    ids=str,
)
def test_a_horseshoe_beside_other_priors_is_read(prior: Any) -> None:
    """Although together they are no penalty."""
    problem = make(prior)
    assert br.read_model(br.to_pymc(problem)) == problem


def test_spike_and_slab_is_refused_with_a_remedy() -> None:
    """No density with respect to Lebesgue measure has an atom."""
    prior = degenerate_examples()["spike-slab"]
    with pytest.raises(UnsupportedModel, match=r"atom at 0.*pm\.Bernoulli"):
        br.to_pymc(make(prior))


# --------------------------------------------------------------------------- models of users


def half_normal(X: Any) -> tuple[Any, Any]:
    """A half-normal prior."""
    return X @ pm.HalfNormal("b", 0.5, shape=P), br.Normal(0.5, nonnegative=True)


def truncated(X: Any) -> tuple[Any, Any]:
    """A normal prior truncated at 0, also by an infinite upper bound that is written out."""
    b = pm.TruncatedNormal("b", mu=0.3, sigma=0.5, lower=0, upper=np.full(P, np.inf), shape=P)
    return X @ b, br.Normal(0.5, loc=0.3, nonnegative=True)


def truncated_by_wrapper(X: Any) -> tuple[Any, Any]:
    """The same through pm.Truncated."""
    b = pm.Truncated("b", pm.Normal.dist(0.3, 0.5), lower=0.0, shape=P)
    return X @ b, br.Normal(0.5, loc=0.3, nonnegative=True)


def exponential_rate(X: Any) -> tuple[Any, Any]:
    """An exponential prior by its rate."""
    return X @ pm.Exponential("b", 4.0, shape=P), br.Laplace(0.25, nonnegative=True)


def untransformed(X: Any) -> tuple[Any, Any]:
    """An exponential prior whose value variable is not its logarithm."""
    b = pm.Exponential("b", scale=0.25, shape=P, default_transform=None)
    return X @ b, br.Laplace(0.25, nonnegative=True)


def half_flat(X: Any) -> tuple[Any, Any]:
    """Positive coefficients, some of them with a flat prior."""
    b, c = pm.HalfFlat("b", shape=2), pm.Exponential("c", scale=0.5, shape=P - 2)
    scales = np.array([np.inf, np.inf, 0.5, 0.5, 0.5])
    return X[:, :2] @ b + X[:, 2:] @ c, br.Laplace(scales, nonnegative=True)


def cauchy(X: Any) -> tuple[Any, Any]:
    """A Cauchy variable and a Student-t one of one degree of freedom share a prior."""
    b, c = pm.Cauchy("b", 0, 0.5, shape=2), pm.StudentT("c", nu=1, sigma=2.0, shape=P - 2)
    return X[:, :2] @ b + X[:, 2:] @ c, br.StudentT(1.0, np.array([0.5, 0.5, 2.0, 2.0, 2.0]))


def half_cauchy(X: Any) -> tuple[Any, Any]:
    """A half-Cauchy prior of coefficients."""
    return X @ pm.HalfCauchy("b", 0.5, shape=P), br.StudentT(1.0, 0.5, nonnegative=True)


def one_scale_for_a_vector(X: Any) -> tuple[Any, Any]:
    """The length of a vector is that of its dims."""
    return X @ vector.LInfinity("b", scale=0.5, dims="feature"), br.LInfinity(0.5)


def groups(X: Any) -> tuple[Any, Any]:
    """Groups in whatever order they are listed."""
    b = vector.GroupLaplace("b", scale=0.5, groups=[[4, 1], [0]], shape=P)
    return X @ b, br.GroupLaplace(0.5, [[4, 1], [0]])


def walled_ball(X: Any) -> tuple[Any, Any]:
    """A ball without the transform."""
    b = ball.UniformBall("b", 0.5, "l1", shape=P, default_transform=None)
    return X @ b, br.UniformBall(0.5, "l1")


def reversed_walk(X: Any) -> tuple[Any, Any]:
    """A walk along the columns from the last to the first."""
    b = vector.Fused("b", 0.5, 2.0, shape=P)
    return X @ b[::-1], br.Fused(0.5, 2.0)


USERS = [
    half_normal,
    truncated,
    truncated_by_wrapper,
    exponential_rate,
    untransformed,
    half_flat,
    cauchy,
    half_cauchy,
    one_scale_for_a_vector,
    groups,
    walled_ball,
    reversed_walk,
]


@pytest.mark.parametrize("build", USERS, ids=lambda build: build.__name__)
def test_models_of_users_are_read(build: Callable[[Any], tuple[Any, Any]]) -> None:
    """Written with the plain distributions, they are the problems of the priors."""
    X, y = data(GAUSSIAN, seed=1, n=12)
    with pm.Model(coords={"feature": list("abcde")}) as model:
        predictor, prior = build(X)
        pm.Normal("y", predictor, np.float64(0.7), observed=y)
    reading = read(model)
    if build is reversed_walk:
        X = X[:, ::-1]
    names = reading.problem.names
    expected = br.Problem(X, y, likelihood=GAUSSIAN, prior=prior, intercept=False, names=names)
    assert reading.problem == expected
    values = values_at(expected, 0)
    theirs = float(model.compile_logp(jacobian=False, mode=CHEAP)(reading.point(**values)))
    assert theirs == pytest.approx(-expected.objective(**values), rel=1e-6)  # single precision


def test_the_role_in_the_graph_decides_what_a_half_normal_is() -> None:
    """The same distribution is a coefficient, a scale and a noise sd in one model."""
    X, y = data(GAUSSIAN, seed=1, n=12)
    with pm.Model() as model:
        b, tau, sigma = (pm.HalfNormal(name, np.float64(0.5)) for name in ("b", "tau", "sigma"))
        c = pm.Laplace("c", 0, tau, shape=2)
        pm.Normal("y", X[:, 0] * b + X[:, 1:3] @ c, sigma, observed=y)
    reading = read(model)
    assert [variable.role for variable in reading.variables] == [
        *("coefficients", "scale", "sigma", "coefficients")
    ]
    half = br.HalfNormal(0.5)
    expected = br.Problem(
        X[:, :3],
        y,
        likelihood=br.Gaussian(sigma=half),
        prior=[(half, ["b"]), (br.Laplace(half), ["c[0]", "c[1]"])],
        names=["b", "c[0]", "c[1]"],
        intercept=False,
    )
    assert reading.problem == expected


def test_a_hierarchy_of_half_cauchy_scales_is_not_read_as_a_horseshoe() -> None:
    """It is a posterior of more variables."""
    X, y = data(GAUSSIAN, seed=1, n=12)
    with pm.Model() as model:
        local = pm.HalfCauchy("local", 1.0, shape=P)
        pm.Normal("y", X @ pm.Normal("b", 0, local, shape=P), 1.0, observed=y)
    with pytest.raises(UnsupportedModel, match="vector of unknown values of a prior scale"):
        br.read_model(model)


# --------------------------------------------------------------------------- modes


MODES = {
    name: prior
    for name, prior in (prior_examples() | nonconvex_examples() | norm_examples()).items()
    if name not in ("normal", "normal-loc", "laplace", "laplace-vector", "elastic-net", "flat")
}


@pytest.mark.parametrize("name", MODES)
def test_the_model_accepts_the_point_of_its_mode(name: str) -> None:
    """Coefficients of exactly 0 on a log scale, and points on the border of a ball, included."""
    problem = make(MODES[name])
    model = br.to_pymc(problem)
    fit = br.find_map(model)
    assert fit.objective == pytest.approx(br.find_map(problem).objective, rel=1e-12)
    assert fit.point is not None
    density = model.compile_logp(jacobian=False, mode=CHEAP)(fit.point)
    assert float(density) == pytest.approx(-fit.objective, rel=1e-10, abs=precision(model))


@pytest.mark.parametrize("name", ["exponential", "l1-ball", "group"])
def test_rewritten_graphs_accept_the_point_too(name: str) -> None:
    """What PyMC compiles is simplified first, logarithms and exponentials among the rest."""
    model = br.to_pymc(make(EXAMPLES[name]))
    fit = br.find_map(model)
    rewritten = Mode(linker="py", optimizer="fast_run")
    density = model.compile_logp(jacobian=False, mode=rewritten)(fit.point)
    assert float(density) == pytest.approx(-fit.objective, rel=1e-10)


def test_a_zero_on_a_log_scale_is_minus_infinity() -> None:
    """What the logarithm of 0 is; without Jacobian its density is finite."""
    problem = make(br.Laplace(0.01, nonnegative=True), intercept=False)
    model = br.to_pymc(problem)
    fit = br.find_map(model)
    assert (fit.coef == 0).any()
    assert fit.point is not None
    assert (np.exp(fit.point["beta_log__"]) == fit.coef).all()


# --------------------------------------------------------------------------- distributions


def distributions() -> dict[str, tuple[Any, Any]]:
    """Each distribution of ours and the prior that it is."""
    return {
        "double-pareto": (
            scalar.GeneralizedDoublePareto.dist(SCALES, 5.0),
            br.GeneralizedDoublePareto(SCALES, 5.0),
        ),
        "half-pareto": (
            scalar.HalfGeneralizedDoublePareto.dist(SCALES, 5.0),
            br.GeneralizedDoublePareto(SCALES, 5.0, nonnegative=True),
        ),
        "bridge": (scalar.Bridge.dist(SCALES, 0.7), br.Bridge(SCALES, 0.7)),
        "half-bridge": (
            scalar.HalfBridge.dist(SCALES, 3.0),
            br.Bridge(SCALES, 3.0, nonnegative=True),
        ),
        "half-elastic-net": (
            scalar.HalfElasticNet.dist(SCALES, 0.5),
            br.ElasticNet(SCALES, 0.5, nonnegative=True),
        ),
        "horseshoe": (scalar.Horseshoe.dist(SCALES), br.Horseshoe(SCALES)),
        "slab": (
            scalar.RegularizedHorseshoe.dist(SCALES, 0.5, np.inf),
            br.RegularizedHorseshoe(SCALES, 0.5),
        ),
        "slab-t": (
            scalar.RegularizedHorseshoe.dist(SCALES, 0.5, 9.0),
            br.RegularizedHorseshoe(SCALES, 0.5, 9.0),
        ),
        "group": (
            vector.GroupLaplace.dist(SCALES, [[4, 1], [0, 2]]),
            br.GroupLaplace(SCALES, [[4, 1], [0, 2]]),
        ),
        "sup": (vector.LInfinity.dist(SCALES), br.LInfinity(SCALES)),
        "slope": (
            vector.Slope.dist(SCALES, [2.0, 1.5, 1.0, 1.0, 0.0]),
            br.Slope(SCALES, [2.0, 1.5, 1.0, 1.0, 0.0]),
        ),
        "l1-ball": (
            ball.UniformBall.dist(2.0, "l1", scale=SCALES),
            br.UniformBall(2.0, "l1", scale=SCALES),
        ),
        "l2-ball": (ball.UniformBall.dist(2.0, scale=SCALES), br.UniformBall(2.0, scale=SCALES)),
        "sup-ball": (
            ball.UniformBall.dist(2.0, "linf", scale=SCALES),
            br.UniformBall(2.0, "linf", scale=SCALES),
        ),
        "group-ball": (
            ball.UniformBall.dist(2.0, "group", scale=SCALES, groups=[[4, 1]]),
            br.UniformBall(2.0, "group", scale=SCALES, groups=[[4, 1]]),
        ),
        "fused": (
            vector.Fused.dist(0.3, 1.0, factor=SCALES),
            br.Fused(0.3, 1.0, factor=SCALES),
        ),
    }


DISTRIBUTIONS = distributions()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_have_the_moments_of_the_prior(name: str) -> None:
    """Mean and second moments within 4 standard errors, and the law of the prior's own draws."""
    variable, prior = DISTRIBUTIONS[name]
    n = 4000
    draws = pm.draw(variable, draws=n, random_seed=11, mode=CHEAP)
    mine = prior.draw(P, np.random.default_rng(12), n)
    largest = [np.abs(sample / SCALES).max(axis=1) for sample in (draws, mine)]
    assert ks_2samp(*largest).pvalue > 1e-3
    assert min(ks_2samp(draws[:, j], mine[:, j]).pvalue for j in range(P)) > 1e-3
    mean, variance = prior.moments(P)
    if np.isfinite(variance).all():
        for sample, expected in ((draws, mean), (draws**2, variance + mean**2)):
            error = np.abs(sample.mean(axis=0) - expected)
            assert (error < 4 * sample.std(axis=0) / math.sqrt(n)).all()


def test_compiled_draws_are_those_of_python() -> None:
    """One function draws; Numba, which is what PyMC uses, compiles it."""
    by_draw = {variable.owner.op.draw: variable for variable, _ in DISTRIBUTIONS.values()}
    variables = list(by_draw.values())
    compiled = pm.draw(variables, draws=3, random_seed=5)
    plain = pm.draw(variables, draws=3, random_seed=5, mode=CHEAP)
    for one, other in zip(compiled, plain, strict=True):
        assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_gradients_are_those_of_differences_and_finite_at_the_start(name: str) -> None:
    """NUTS needs both."""
    variable, prior = DISTRIBUTIONS[name]
    value = pt.dvector("value")
    logp = pm.logp(variable, value).sum()
    function = pytensor.function([value], [logp, pt.grad(logp, value)], mode=CHEAP)
    start = pm.distributions.distribution.support_point(variable).eval(mode=CHEAP)
    assert np.isfinite([*function(start)[1], function(start)[0]]).all()
    x = admissible(prior, np.array([0.03, -0.2, 0.7, 0.15, -3.1]))
    for j, step in enumerate(1e-6 * np.eye(P) * np.abs(x)):
        slope = (function(x + step)[0] - function(x - step)[0]) / (2 * step[j])
        assert function(x)[1][j] == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", [n for n, (v, _) in DISTRIBUTIONS.items() if v.owner.op.ndim_supp])
def test_densities_of_several_vectors_at_once(name: str) -> None:
    """A batch of values has a batch of densities, and draws in a batch are independent."""
    variable, prior = DISTRIBUTIONS[name]
    rng = np.random.default_rng(1)
    points = np.array([admissible(prior, rng.normal(size=P) * SCALES / 9) for _ in range(6)])
    density = pm.logp(variable, pt.as_tensor(points.reshape(2, 3, P))).eval(mode=CHEAP)
    expected = [prior.log_density(point) for point in points]
    assert density.ravel() == pytest.approx(expected, rel=1e-12)
    batch = change_dist_size(variable, (2, 3))
    drawn = pm.draw(batch, random_seed=3, mode=CHEAP)
    assert drawn.shape == (2, 3, P)
    assert np.unique(drawn[..., 0]).size == 6


def test_the_horseshoe_density_keeps_its_digits() -> None:
    """Over 19 orders of magnitude it is the density by SciPy's exponential integral."""
    x = np.geomspace(1e-12, 1e7, 4001)
    density = pm.logp(scalar.Horseshoe.dist(np.ones(x.size)), x).eval(mode=CHEAP)
    assert density == pytest.approx(br.Horseshoe(1.0).log_densities(x), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("df", [3.0, np.inf])
def test_the_regularised_horseshoe_density_keeps_its_digits(df: float) -> None:
    """Over 12 orders of magnitude, and infinite at 0."""
    x = np.r_[0.0, np.geomspace(1e-9, 1e3, 500)]
    for scale, slab in ((0.1, 2.0), (2.0, 0.1)):
        variable = scalar.RegularizedHorseshoe.dist(np.full(x.size, scale), slab, df)
        density = pm.logp(variable, x).eval(mode=CHEAP)
        expected = br.RegularizedHorseshoe(scale, slab, df).log_densities(x)
        assert density == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("name", ["l1-ball", "l2-ball", "sup-ball", "group-ball"])
def test_coordinates_of_a_ball(name: str) -> None:
    """The transform is inverted by its inverse, and has the Jacobian that it says."""
    variable, prior = DISTRIBUTIONS[name]
    transform, inputs = ball.IntoBall(), variable.owner.inputs
    z = pt.dvector("z")
    x = transform.backward(z, *inputs)
    jacobian = pt.stack([pt.grad(x[j], z) for j in range(P)])
    outputs = [x, transform.forward(x, *inputs), transform.log_jac_det(z, *inputs), jacobian]
    function = pytensor.function([z], outputs, mode=CHEAP)
    at = np.array([0.3, -1.2, 0.01, 2.0, -0.4])
    inside, back, log_jacobian, matrix = function(at)
    assert prior.penalty(P).value(inside) == 0.0
    assert back == pytest.approx(at, rel=1e-12)
    assert log_jacobian == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-12)
    assert ball.ball_coordinates(prior, inside) == pytest.approx(at, rel=1e-12)
    border = inside / prior.penalty(P).shape.value(inside)
    assert function(ball.ball_coordinates(prior, border))[0] == pytest.approx(border, rel=1e-14)


def test_parameters_are_checked() -> None:
    """By PyMC's own error on evaluation, or at once where the length is missing."""
    for variable in (
        vector.LInfinity.dist(-1.0, shape=2),
        vector.GroupLaplace.dist(0.0, [[0, 1]], shape=2),
        vector.Slope.dist(1.0, [1.0, 2.0]),
        vector.Fused.dist(1.0, -1.0, shape=2),
        ball.UniformBall.dist(-1.0, shape=2),
        scalar.Bridge.dist(1.0, -1.0),
        scalar.GeneralizedDoublePareto.dist(0.0, 1.0),
        scalar.Horseshoe.dist(0.0),
        scalar.RegularizedHorseshoe.dist(1.0, -1.0, np.inf),
    ):
        value = np.full(variable.ndim and 2, 0.1) if variable.ndim else 0.1
        with pytest.raises(ParameterValueError):
            pm.logp(variable, value).eval(mode=CHEAP)
    with pytest.raises(InputError, match="how many coefficients"):
        vector.LInfinity.dist(1.0)
    with pytest.raises(InputError, match="norm: "):
        ball.UniformBall.dist(1.0, "l3", shape=2)  # type: ignore[arg-type]


def test_a_flat_level_cannot_be_drawn() -> None:
    """As PyMC's own flat density; its log density is that of the steps."""
    with pytest.raises(ValueError, match="first_scale is inf"):
        pm.draw(vector.Fused.dist(1.0, shape=3), mode=CHEAP)


# --------------------------------------------------------------------------- samplers


def test_prior_predictive_draws_of_a_model() -> None:
    """Forward sampling works for vectors with dims, and for positive coefficients."""
    parts = [(br.LInfinity(0.3), [3, 0]), (br.Bridge(1.0, 3.0, nonnegative=True), [1, 2, 4])]
    model = br.to_pymc(make(parts, intercept=False))
    compiler = {"mode": CHEAP}
    tree = pm.sample_prior_predictive(4, model=model, random_seed=1, compile_kwargs=compiler)
    assert tree.prior["beta"].shape == (1, 4, P)
    assert (tree.prior["beta"].to_numpy()[..., [1, 2, 4]] > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["group", "sup", "slope", "l1-ball", "sup-ball", "fused", "half-bridge", "half-pareto"]
)
def test_nuts_samples_the_prior(name: str) -> None:
    """PyMC's NUTS recovers the variances of the prior, walls and kinks included."""
    _, prior = DISTRIBUTIONS[name]
    X, y = np.zeros((1, P)), np.zeros(1)
    problem = br.Problem(X, y, likelihood=GAUSSIAN, prior=prior, intercept=False)
    with br.to_pymc(problem):
        tree = pm.sample(
            1000,
            tune=500,
            chains=2,
            cores=1,
            random_seed=3,
            progressbar=False,
            compute_convergence_checks=False,
            nuts_sampler="pymc",  # nutpie refuses to start where a derivative is exactly 0
        )
    draws = tree.posterior["beta"].to_numpy().reshape(-1, P)
    mean, variance = prior.moments(P)
    squares = draws**2
    # At least 400 of the 2000 draws count as independent.
    assert (np.abs(squares.mean(axis=0) - variance - mean**2) < 4 * squares.std(axis=0) / 20).all()
