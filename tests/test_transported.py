"""NUTS under every prior: coordinates, densities and draws, over the registry of priors."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from arviz_stats.base import array_stats  # type: ignore[attr-defined]
from numpy.testing import assert_allclose
from scipy import special, stats

import bayesreg as br
from bayesreg.blocks import Blocks
from bayesreg.errors import InputError
from bayesreg.posterior import quantiles
from bayesreg.posterior.coordinates import parts_of, reason_against
from bayesreg.posterior.nuts import Nuts, density_of
from bayesreg.posterior.target import Target
from bayesreg.posterior.transported import Transported
from bayesreg.priors import (
    Bridge,
    Flat,
    Fused,
    GeneralizedDoublePareto,
    GroupLaplace,
    Horseshoe,
    IndependentPrior,
    Laplace,
    Normal,
    Prior,
    RegularizedHorseshoe,
    SpikeSlab,
    StudentT,
    UniformBall,
)
from tests.problems import P, data, every_example, likelihood_examples

if TYPE_CHECKING:
    from bayesreg._validation import Vector
    from bayesreg.posterior.parts import Part

type Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

EXAMPLES = {name: q for name, q in every_example().items() if not isinstance(q, SpikeSlab)}
HALF, CAUCHY = br.HalfNormal(2.0), br.HalfCauchy(1.0)
SCALED: dict[str, Any] = {
    "student": StudentT(3.0, CAUCHY),
    "pareto": GeneralizedDoublePareto(CAUCHY, 2.0, relative_to="sigma"),
    "half-pareto": GeneralizedDoublePareto(HALF, 2.0, nonnegative=True),
    "cusp": Bridge(HALF, 0.6, relative_to="sigma"),
    "horseshoe": Horseshoe(CAUCHY, relative_to="sigma"),
    "slabbed": RegularizedHorseshoe(CAUCHY, 2.0, 5.0),
    "half-normal": Normal(HALF, nonnegative=True, relative_to="sigma"),
    "half-laplace": Laplace(CAUCHY, nonnegative=True),
    "relative": StudentT(1.0, 0.5, relative_to="sigma"),
    "blocks": [
        (Horseshoe(HALF), [0, 4]),
        (Laplace(0.5, relative_to="sigma"), [1]),
        (GroupLaplace(0.4, [[0, 1]]), [2, 3]),
    ],
    "flats": [(StudentT(2.0, HALF), [0, 1]), (Flat(), [2]), (Normal(0.4, loc=1.0), [3, 4])],
}
EXTRA: dict[str, Any] = {"weights": np.linspace(0.5, 2.0, 40), "standardize": True}


def _problem(prior: Any, likelihood: br.Likelihood | None = None, **more: Any) -> br.Problem:
    likelihood = br.Gaussian(0.7) if likelihood is None else likelihood
    X, y = data(br.Gaussian(0.7) if likelihood.name == "gaussian" else likelihood, seed=1)
    return br.Problem(X, y, likelihood=likelihood, prior=prior, **more)


def _problems() -> dict[str, br.Problem]:
    """Every prior under each likelihood in turn, and unknown sigma and scale."""
    found, families = {}, list(likelihood_examples().values())
    for k, (name, prior) in enumerate(EXAMPLES.items()):
        found[name] = _problem(prior, families[k % 3], **(EXTRA if k % 2 else {"intercept": False}))
    for k, (name, prior) in enumerate(SCALED.items()):
        found[f"unknown {name}"] = _problem(
            prior, br.Gaussian(HALF), **(EXTRA if k % 2 else {"intercept": False})
        )
    return found


PROBLEMS = _problems()


def _numeric(function: Any, z: Numbers, step: float = 1e-5) -> Numbers:
    columns = [
        (function(z + step * e) - function(z - step * e)) / (2 * step) for e in np.eye(z.size)
    ]
    return np.array(columns).T


# --------------------------------------------------------------------------- the density


@pytest.mark.parametrize("name", PROBLEMS)
def test_gradient(name: str) -> None:
    """The gradient is the slope of the value, to the accuracy of central differences."""
    target = Transported(PROBLEMS[name])
    for w in np.random.default_rng(1).normal(size=(2, target.size)):
        slope = _numeric(lambda v: target(v)[0], w)
        assert_allclose(target(w)[1], slope, rtol=1e-5, atol=1e-5 * np.abs(slope).max())


def _log_joint(problem: br.Problem, beta: Vector, row: dict[str, float]) -> float:
    """Log joint density by the likelihood and the prior's own density, mode or none."""
    unknown = {name: row[name] for name in problem.unknown}
    given = problem.given(**unknown)
    level = row.get("intercept", 0.0)
    design = problem.design
    rows = given.likelihood.constant(design.y, design.row_weights)
    hyper = sum(q.log_density(row[name]) for name, q in problem.hyperpriors().items())
    prior = given.coef_prior
    parts = prior.parts if isinstance(prior, Blocks) else ((prior, tuple(range(problem.p))),)
    log_prior = sum(part.log_density(beta[list(columns)]) for part, columns in parts)
    return log_prior - given.loss(beta, level) - rows + hyper


@pytest.mark.parametrize("name", PROBLEMS)
def test_density_is_the_joint_density_times_the_jacobian(name: str) -> None:
    """Wherever there are as many coordinates as unknowns; tables are good to 1e-7."""
    problem = PROBLEMS[name]
    target = Transported(problem)
    if target.size != target.width:
        return  # a ball or a slab: below
    offsets = []
    for w in np.random.default_rng(2).normal(size=(3, target.size)):
        drawn = target.split(target.draw(w))
        row = {key: value.item() for key, value in drawn.items() if key != "beta"}
        jacobian = np.linalg.slogdet(_numeric(target.draw, w))[1]
        for key, prior in problem.hyperpriors().items():
            if prior.of_square:
                jacobian += math.log(2 * row[key])
        offsets.append(target(w)[0] - _log_joint(problem, drawn["beta"], row) - jacobian)
    assert_allclose(offsets, offsets[0], atol=2e-6)


def _part(prior: Prior, p: int) -> Part:
    """The one part of a prior on p coefficients."""
    X = np.eye(max(p, 2))[:, :p]
    problem = br.Problem(
        X, np.ones(X.shape[0]), likelihood=br.Gaussian(1.0), prior=prior, intercept=False
    )
    (part,) = parts_of(problem, np.ones(p))
    return part


@pytest.mark.parametrize("df", [math.inf, 3.0])
def test_slab_integrates_to_the_prior(df: float) -> None:
    """The density of β, integrated over log λ and the slab on a grid, is the prior's own."""
    prior = RegularizedHorseshoe(scale=0.5, slab_scale=1.5, slab_df=df)
    part = _part(prior, 1)
    step = 0.25
    t = np.arange(-20.0, 20.0, step)
    h = np.arange(-14.0, 4.0, step) if math.isfinite(df) else np.zeros(1)
    total = np.zeros(3)
    beta, norm = np.array([0.05, 0.8, 3.0]), 0.0
    for at in t:
        for of_slab in h:
            z = np.array([1.0, at, of_slab][: part.size])
            image = part(z)
            spread = float(image.beta[0])
            weight = math.exp(image.log_density + 0.5)
            norm += weight
            total += weight * stats.norm.pdf(beta, scale=spread)
    assert_allclose(np.log(total / norm), prior.log_densities(np.tile(beta, 1)), atol=1e-6)


BALLS = {name: q for name, q in EXAMPLES.items() if isinstance(q, UniformBall)}


@pytest.mark.parametrize("name", BALLS)
def test_balls_are_uniform(name: str) -> None:
    """Of normal coordinates a ball makes draws of the right variances, inside."""
    prior, part = BALLS[name], _part(BALLS[name], P)
    rng = np.random.default_rng(3)
    draws = np.array([part(z).beta for z in rng.normal(size=(3000, part.size))])
    assert all(prior.penalty(P).value(row) == 0.0 for row in draws)
    square = draws**2
    error = square.std(axis=0) / math.sqrt(3000)
    assert (np.abs(square.mean(axis=0) - prior.moments(P)[1]) < 5.5 * error).all()
    # The p-th power of a uniform ball's radius is uniform.
    radius = np.array([prior.exponential(P, 1.0 / prior.radius).penalty(P).value(u) for u in draws])
    assert stats.kstest(radius**P, "uniform").pvalue > 1e-6


# --------------------------------------------------------------------------- sizes


E = np.array([1e-9, 1e-4, 0.03, 0.4, 1.0, 3.0, 10.0, 30.0])


@pytest.mark.parametrize("nu", [0.5, 1.0, 4.0, 30.0])
def test_table_of_student_sizes(nu: float) -> None:
    """Against SciPy's quantiles."""
    prior = StudentT(nu, 1.0)
    table = quantiles.TabulatedSizes(lambda x: prior.log_densities(x) + math.log(2))
    found, slope = table(E[2:])
    assert_allclose(found, -stats.t(nu).ppf(0.5 * np.exp(-E[2:])), rtol=1e-8)
    assert_allclose(slope, np.exp(-E[2:]) / (2 * stats.t(nu).pdf(found)), rtol=1e-6)


@pytest.mark.parametrize("power", [0.3, 0.8, 1.5, 3.0])
def test_table_of_bridge_sizes(power: float) -> None:
    """Against the incomplete gamma function."""
    prior = Bridge(1.0, power)
    table = quantiles.TabulatedSizes(lambda x: prior.log_densities(x) + math.log(2))
    low = special.gammaincinv(1 / power, -np.expm1(-E[:4]))
    high = special.gammainccinv(1 / power, np.exp(-E[4:]))
    assert_allclose(table(E)[0], np.concatenate([low, high]) ** (1 / power), rtol=1e-8)


def test_table_goes_on_below_its_end() -> None:
    """In proportion, down to 0."""
    prior = Horseshoe(1.0)
    table = quantiles.TabulatedSizes(lambda x: prior.log_densities(x) + math.log(2))
    tiny = math.exp(table.low)
    value, slope = table(np.array([0.0, 0.25 * tiny, tiny]))
    assert_allclose(value, [0.0, 0.25 * value[2], value[2]])
    assert (slope > 0).all()


@pytest.mark.parametrize("mean", [-30.0, -1.0, 0.0, 4.0])
def test_truncated_sizes(mean: float) -> None:
    """The survival function gives the number back; and SciPy's truncated normal agrees."""
    found, slope = quantiles.TruncatedSizes(np.full(6, mean))(E[2:])
    assert_allclose(special.log_ndtr(mean - found) - special.log_ndtr(mean), -E[2:], rtol=1e-9)
    law = stats.truncnorm(-mean, np.inf, loc=mean)
    assert_allclose(found[:4], law.isf(np.exp(-E[2:6])), rtol=1e-7)
    assert_allclose(slope[:4], np.exp(-E[2:6]) / law.pdf(found[:4]), rtol=1e-6)


def test_exponential_numbers() -> None:
    """Both maps of a normal number to an exponential one, from 1e-12 to 30 deviations."""
    z = np.array([-30.0, -1.5, -1e-12, 1e-12, 0.7, 1.5, 30.0])
    e, slope = quantiles.signed_exponential(z)
    assert_allclose(e[[2, 3]], 1e-12 * math.sqrt(2 / math.pi))
    assert_allclose(np.exp(-e[[1, 4, 5]]), 2 * stats.norm.sf(np.abs(z[[1, 4, 5]])))
    assert_allclose(slope[[0, 6]], 30.0, rtol=2e-3)
    e, slope = quantiles.positive_exponential(z)
    assert_allclose(np.exp(-e[[1, 2, 4, 5]]), stats.norm.sf(z[[1, 2, 4, 5]]))
    assert (np.diff(e) > 0).all()
    assert_allclose(slope[1], stats.norm.pdf(1.5) / stats.norm.sf(-1.5))


# --------------------------------------------------------------------------- what is refused


def test_refusals_name_the_reason() -> None:
    """An atom has no gradient; a truncated normal about another loc has no one scale."""
    spike = _problem(SpikeSlab(0.3, 1.0))
    assert "atom" in str(Nuts().reason_against(spike))
    with pytest.raises(InputError, match="atom"):
        br.sample(spike, "nuts", draws=5, tune=5)
    moved = Normal(HALF, loc=0.5, nonnegative=True)
    assert "to_pymc" in str(reason_against(_problem(moved)))
    assert reason_against(_problem(replace(moved, loc=0.0))) is None
    assert reason_against(_problem(replace(moved, scale=1.0))) is None


def test_absolute_values_and_squares_are_whitened() -> None:
    """Only other priors need other coordinates."""
    assert isinstance(density_of(_problem(Laplace(0.3))), Target)
    assert isinstance(density_of(_problem(Laplace(0.3, nonnegative=True))), Transported)
    assert isinstance(density_of(_problem(Horseshoe(0.3))), Transported)


def test_far_coordinates_have_no_density() -> None:
    """Where unknowns overflow the density is zero, not an exception."""
    target = Transported(PROBLEMS["unknown horseshoe"])
    with np.errstate(all="ignore"):
        value, gradient = target(np.full(target.size, 1e6))
    assert value == -math.inf
    assert np.isfinite(gradient).all()


# --------------------------------------------------------------------------- draws


def _proper(prior: Prior) -> Prior:
    """Replace what is flat by what is not, for draws to be weighted."""
    if isinstance(prior, Flat):
        return Normal(1.0)
    if isinstance(prior, Fused) and math.isinf(prior.first_scale):
        return replace(prior, first_scale=3.0)
    scale = getattr(prior, "scale", None)
    if isinstance(scale, np.ndarray) and np.isinf(scale).any():
        return type(prior)(**vars(prior) | {"scale": np.where(np.isinf(scale), 3.0, scale)})
    return prior


def _has_no_mode(prior: Prior) -> bool:
    return isinstance(prior, Horseshoe | RegularizedHorseshoe)


def _importance(problem: br.Problem, count: int) -> tuple[Numbers, Vector]:
    """Draws of the prior and their weights under the likelihood; nothing of the sampler's."""
    prior, rng = _proper(problem.prior), np.random.default_rng(7)
    beta = prior.draw(problem.p, rng, count)
    eta = beta @ problem.design.X.T
    y = problem.design.y
    if isinstance(problem.likelihood, br.Gaussian):
        log = -0.5 * ((y - eta) ** 2).sum(axis=1) / problem.likelihood.variance
    elif problem.likelihood.name == "bernoulli":
        log = -np.logaddexp(0.0, np.where(y > 0, -eta, eta)).sum(axis=1)
    else:
        with np.errstate(over="ignore"):
            log = (y * eta - np.exp(eta)).sum(axis=1)
    if isinstance(problem.prior, IndependentPrior) and not _has_no_mode(problem.prior):
        # What the proposal has and the prior has not.
        wide = {"scale": 1.0 if isinstance(problem.prior, Flat) else 3.0}
        one = type(prior)(**vars(prior) | wide) if hasattr(prior, "scale") else prior
        for j in np.flatnonzero(problem.penalty.flat | problem.penalty.half_flat):
            log -= one.log_densities(beta[:, j])
    if isinstance(problem.prior, Fused) and math.isinf(problem.prior.first_scale):
        factor = np.broadcast_to(problem.prior.factor, (problem.p,))
        log += np.abs(beta[:, 0] / factor[0]) / 3.0
    weights = np.exp(log - log.max())
    return beta, weights / weights.sum()


#: Bounded functions: their Monte Carlo errors can be trusted under heavy tails too.
FEATURES: tuple[Any, ...] = (np.tanh, lambda b: b**2 / (0.1 + b**2))


def _agree(problem: br.Problem, draws: int, count: int) -> None:
    """Features agree with importance sampling, within both Monte Carlo errors."""
    tree = br.sample(problem, "nuts", draws=draws, chains=2, tune=300, seed=2)
    found = tree["posterior"].to_dataset()["beta"].to_numpy()
    beta, weights = _importance(problem, count)
    assert 1 / (weights**2).sum() > 200
    for j in range(problem.p):
        for feature in FEATURES:
            values, drawn = feature(beta[:, j]), feature(found[..., j])
            mean = float(weights @ values)
            known = math.sqrt(float(weights**2 @ (values - mean) ** 2))
            mcse = float(array_stats.mcse(drawn))  # type: ignore[no-untyped-call]
            assert abs(float(drawn.mean()) - mean) < 5.5 * math.hypot(mcse, known)
    lp = tree["sample_stats"].to_dataset()["lp"].to_numpy()
    assert lp[1, 3] == pytest.approx(_log_joint(problem, found[1, 3], {}), rel=1e-9, abs=1e-9)


def _weak(prior: Prior, likelihood: br.Likelihood) -> br.Problem:
    """A likelihood that leaves the prior much to say, so that its draws cover the posterior."""
    # More rows where the prior says nothing: twelve binary ones would be separated. Counts grow as
    # exp(η), and a prior far from 0 would have no draw where they are.
    rows = 40 if isinstance(prior, Flat) else 12
    size = 0.3 if likelihood.name == "poisson" and np.any(getattr(prior, "loc", 0.0)) else 1.0
    X = size * np.random.default_rng(5).normal(size=(rows, P))
    y = likelihood.draw(
        np.asarray([X @ [0.5, -0.3, 0.2, 0.1, 0.4]]), np.ones(rows), np.random.default_rng(6)
    )
    return br.Problem(X, y[0], likelihood=likelihood, prior=prior, intercept=False)


def _count(prior: Prior, most: int) -> int:
    """Draws of a ball come one by one, and cover its posterior."""
    return most // 20 if isinstance(prior, UniformBall) else most


def _kinds() -> list[str]:
    """The first example of each kind of prior."""
    first: dict[tuple[object, ...], str] = {}
    for name, q in EXAMPLES.items():
        kind = (type(q), getattr(q, "nonnegative", None), getattr(q, "norm", None))
        first.setdefault(kind, name)
    return list(first.values())


@pytest.mark.parametrize("name", _kinds())
def test_draws_against_importance_sampling(name: str) -> None:
    """Every kind of prior that has a density: a new one is tested too."""
    prior = EXAMPLES[name]
    _agree(_weak(prior, br.Gaussian(1.5)), draws=300, count=_count(prior, 400_000))


@pytest.mark.slow
@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "poisson"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_long_draws_against_importance_sampling(name: str, family: str) -> None:
    """Every prior under every likelihood, with ten times the draws."""
    likelihood = br.Gaussian(1.5) if family == "gaussian" else likelihood_examples()[family]
    prior = EXAMPLES[name]
    _agree(_weak(prior, likelihood), draws=3000, count=_count(prior, 2_000_000))


@pytest.mark.parametrize("prior", [StudentT(1.0, HALF), Horseshoe(HALF), Bridge(HALF, 0.6)])
def test_unknown_scale_against_quadrature(prior: Any) -> None:
    """One coefficient and the scale: a sum over a fine grid of both."""
    x, y = np.array([1.0, -1.0, 2.0, 0.5]), np.array([0.8, -0.2, 1.1, 0.9])
    problem = br.Problem(x[:, None], y, likelihood=br.Gaussian(1.0), prior=prior, intercept=False)
    beta, v = np.linspace(-3.0, 4.0, 2801) + 1e-7, np.linspace(-9.0, 3.0, 300)
    loss = 0.5 * ((y - beta[:, None] * x) ** 2).sum(axis=1)
    log = np.array(
        [
            prior.given(scale=math.exp(u)).log_densities(beta) - loss
            + HALF.log_density(math.exp(u)) + u
            for u in v
        ]
    )  # fmt: skip
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    tree = br.sample(problem, "nuts", draws=500, chains=2, tune=300, seed=5)
    posterior = tree["posterior"].to_dataset()
    for found, mean in (
        (np.tanh(posterior["beta"].to_numpy()[..., 0]), float((weights @ np.tanh(beta)).sum())),
        (posterior["scale"].to_numpy(), float(weights.sum(axis=1) @ np.exp(v))),
    ):
        mcse = float(array_stats.mcse(found))  # type: ignore[no-untyped-call]
        assert abs(float(found.mean()) - mean) < 5.5 * mcse + 2e-3
