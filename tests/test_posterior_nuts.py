"""NUTS: its log density against finite differences, its draws against exact answers."""

from __future__ import annotations

import math
import multiprocessing
import threading
import time
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytest
from arviz_stats.base import array_stats  # type: ignore[attr-defined]
from numpy.testing import assert_allclose

import bayesreg as br
from bayesreg.errors import SamplingFailed, SamplingWarning
from bayesreg.posterior import model, nuts
from bayesreg.posterior.base import Settings
from bayesreg.posterior.density import log_jacobian, log_joint
from bayesreg.posterior.target import Target
from tests.reference_cases import CASES, vector

if TYPE_CHECKING:
    import xarray as xr

type Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

EXACT = {case.id: case for case in CASES}
RNG = np.random.default_rng(20)
TALL, WIDE = RNG.normal(size=(9, 3)) * [1.0, 3.0, 0.5] + 2.0, RNG.normal(size=(3, 5))
Y_TALL, Y_WIDE = TALL @ [1.0, -0.5, 0.0] + RNG.normal(size=9), RNG.normal(size=3)
BINARY, COUNTS = np.greater(Y_TALL, np.median(Y_TALL)).astype(float), RNG.poisson(2.0, 9)
MIXED = [
    (br.ElasticNet(0.6, 2.0), [0]),
    (br.Normal(br.HalfNormal(2.0), loc=0.5), [1]),
    (br.Laplace(0.7, relative_to="sigma"), [2]),
]
EXTRA: dict[str, Any] = {
    "weights": RNG.uniform(0.5, 2.0, 9),
    "offset": RNG.normal(size=9),
    "standardize": True,
}


def _problems() -> dict[str, br.Problem]:
    """One problem for every branch of the log density."""
    cauchy, half = br.HalfCauchy(1.0), br.HalfNormal(2.0)
    gamma = br.InverseGamma(2.0, 1.5)

    def tall(likelihood: Any, prior: Any, **more: Any) -> br.Problem:
        y = {br.Bernoulli: BINARY, br.Poisson: COUNTS}.get(type(likelihood), Y_TALL)
        return br.Problem(TALL, y, likelihood=likelihood, prior=prior, **more)

    def wide(likelihood: Any, prior: Any, **more: Any) -> br.Problem:
        return br.Problem(WIDE, Y_WIDE, likelihood=likelihood, prior=prior, **more)

    return {
        "lasso": tall(br.Gaussian(0.8), br.Laplace(0.5)),
        "lasso wide": wide(br.Gaussian(0.8), br.Laplace([0.5, 1.0, 2.0, 0.1, 3.0])),
        "lasso extra": tall(br.Gaussian(0.8), br.Laplace(0.5), **EXTRA),
        "partly flat": tall(br.Gaussian(0.8), br.Laplace([0.5, np.inf, 1.0]), intercept=False),
        "sigma": tall(br.Gaussian(half), br.ElasticNet(1.0, 2.0)),
        "sigma gamma": tall(br.Gaussian(gamma), br.Normal(0.7, loc=1.0), **EXTRA),
        "scale": tall(br.Gaussian(0.8), br.Laplace(cauchy), intercept=False),
        "both": tall(br.Gaussian(br.Exponential(2.0)), br.Laplace(cauchy), **EXTRA),
        "both wide": wide(br.Gaussian(half), br.Laplace(cauchy)),
        "relative": tall(br.Gaussian(gamma), br.Laplace(half, relative_to="sigma")),
        "relative wide": wide(br.Gaussian(half), br.Laplace(half, relative_to="sigma")),
        "flat unknowns": tall(br.Gaussian(br.Flat()), br.Normal(br.Flat())),
        "mixed": tall(br.Gaussian(half), MIXED, **EXTRA),
        "unknown and flat": tall(
            br.Gaussian(half), [(br.Normal(cauchy), [0, 2]), (br.Flat(), [1])]
        ),
        "logistic": tall(br.Bernoulli(), br.Laplace(1.0), **EXTRA),
        "logistic scale": tall(br.Bernoulli(), br.Laplace(half)),
        "poisson": tall(br.Poisson(), br.Normal(0.5), **EXTRA),
        "poisson scale": tall(br.Poisson(), br.Laplace(cauchy)),
        "level only": br.Problem(
            np.empty((4, 0)), [0, 1, 1, 1], likelihood=br.Bernoulli(), prior=br.Flat()
        ),
        "level and sigma": br.Problem(
            np.empty((4, 0)), Y_TALL[:4], likelihood=br.Gaussian(half), prior=br.Flat()
        ),
        "one row": br.Problem([[2.0]], [1.0], likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0)),
    }


PROBLEMS = _problems()


def _each() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


def _numeric(function: Any, z: Numbers, step: float) -> Numbers:
    columns = [
        (function(z + step * e) - function(z - step * e)) / (2 * step) for e in np.eye(z.size)
    ]
    return np.array(columns).T


@_each()
def test_gradient(problem: br.Problem) -> None:
    """The gradient is the slope of the value, to the accuracy of central differences."""
    target = Target(problem)
    for z in np.random.default_rng(1).normal(size=(3, target.size)):
        slope = target(z)[1]
        assert_allclose(slope, _numeric(lambda v: target(v)[0], z, 1e-5), rtol=1e-5, atol=1e-6)


@_each()
def test_density_is_the_joint_density_times_the_jacobian(problem: br.Problem) -> None:
    """The determinant by finite differences, the joint density from `Problem.objective`."""
    target = Target(problem)
    offsets = []
    for z in np.random.default_rng(2).normal(size=(3, target.size)):
        matrix = _numeric(target.draw, z, 1e-5)
        row = {
            name: value.item()
            for name, value in target.split(target.draw(z)).items()
            if name != "beta"
        }
        jacobian = np.linalg.slogdet(matrix)[1]
        for name, prior in problem.hyperpriors().items():
            if prior.of_square:  # the density is one of the square: d(σ²) = 2σ dσ
                jacobian += math.log(2 * row[name])
        objective = problem.objective(target.split(target.draw(z))["beta"], **row)
        offsets.append(target(z)[0] + objective - jacobian)
    assert_allclose(offsets, offsets[0], atol=1e-6)


@_each()
def test_log_joint_is_the_objective(problem: br.Problem) -> None:
    """The vectorised density agrees with the problem's own at every draw."""
    target = Target(problem)
    z = np.random.default_rng(3).normal(size=(2, 3, target.size))
    draws = target.split(np.apply_along_axis(target.draw, -1, z))
    found = log_joint(problem, draws)
    for at in np.ndindex(2, 3):
        values = {name: float(value[at]) for name, value in draws.items() if name != "beta"}
        assert found[at] == pytest.approx(
            -problem.objective(draws["beta"][at], **values), rel=1e-12, abs=1e-11
        )


def test_far_coordinates_have_no_density() -> None:
    """Where unknowns overflow the density is zero, not an exception."""
    target = Target(PROBLEMS["both"])
    value, gradient = target(np.full(target.size, 1e6))
    assert value == -math.inf
    assert np.isfinite(gradient).all()


def test_jacobian_of_a_square() -> None:
    """A density of the square counts twice."""
    assert log_jacobian(br.HalfNormal(1.0)) == 1
    assert log_jacobian(br.InverseGamma(1.0, 1.0)) == 2


# --------------------------------------------------------------------------- draws


def _draw(problem: br.Problem, **more: Any) -> xr.DataTree:
    return br.sample(problem, "nuts", **({"draws": 1500, "tune": 600, "seed": 4} | more))


def _chains(tree: xr.DataTree, name: str) -> Numbers:
    values: Numbers = tree["posterior"].to_dataset()[name].to_numpy()
    return values


def _error(draws: Numbers, of: str) -> float:
    """Monte Carlo standard error of the mean or of the sd of (chain, draw)."""
    return float(array_stats.mcse(draws, method=of))  # type: ignore[no-untyped-call]


def _agree(draws: Numbers, mean: float, sd: float | None = None) -> None:
    """Within four Monte Carlo standard errors."""
    assert abs(draws.mean() - mean) < 4 * _error(draws, "mean")
    if sd is not None:
        assert abs(draws.std() - sd) < 4 * _error(draws, "sd")


def _case_problem(name: str) -> br.Problem:
    d = EXACT[name].definition
    if name.startswith("logit"):
        return br.Problem(
            d["X"], d["y"], likelihood=br.Bernoulli(), prior=br.Laplace(1.0), intercept=False
        )
    prior = br.Normal(d["tau"]) if "tau" in d else br.Laplace(1 / np.asarray(d["lam"], dtype=float))
    return br.Problem(
        d["X"], d["y"], likelihood=br.Gaussian(d["sigma"]), prior=prior, intercept=False
    )


DRAWN = [name for name in EXACT if name.startswith(("lasso1d", "lasso2d", "logit1d"))]


@pytest.mark.parametrize("name", [*DRAWN, "ridge_n5_p2", "ridge_p_gt_n"])
def test_reference_posteriors(name: str) -> None:
    """Mean and sd of every posterior of exact_cases.json that NUTS can draw from."""
    tree, expected = _draw(_case_problem(name)), EXACT[name].expected
    beta = _chains(tree, "beta")
    for j, (mean, sd) in enumerate(
        zip(vector(expected["mean"]), vector(expected["sd"]), strict=True)
    ):
        _agree(beta[..., j], mean, sd)
    assert not tree["sample_stats"].to_dataset()["diverging"].any()


@pytest.mark.parametrize("intercept", [True, False])
def test_ridge_against_closed_form(intercept: bool) -> None:
    """Coefficients and intercept, with weights, offset and standardised columns."""
    problem = br.Problem(
        TALL,
        Y_TALL,
        likelihood=br.Gaussian(1.0),
        prior=br.Normal(0.5, loc=0.3),
        intercept=intercept,
        **EXTRA,
    )
    tree, moments = _draw(problem), br.posterior_moments(problem)
    for j in range(3):
        _agree(_chains(tree, "beta")[..., j], moments.mean[j], moments.sd[j])
    if moments.intercept_mean is not None:
        _agree(_chains(tree, "intercept"), moments.intercept_mean, moments.intercept_sd)


def test_unknown_sigma_against_closed_form() -> None:
    """Normal–inverse-gamma: coefficients, sigma and sigma squared."""
    problem = br.Problem(
        TALL,
        Y_TALL,
        likelihood=br.Gaussian(br.InverseGamma(2.0, 1.5)),
        prior=br.Normal(0.5, relative_to="sigma"),
    )
    tree, moments = _draw(problem), br.posterior_moments(problem)
    for j in range(3):
        _agree(_chains(tree, "beta")[..., j], moments.mean[j], moments.sd[j])
    assert moments.intercept_mean is not None
    assert moments.sigma_mean is not None
    assert moments.sigma2_mean is not None
    _agree(_chains(tree, "intercept"), moments.intercept_mean, moments.intercept_sd)
    _agree(_chains(tree, "sigma"), moments.sigma_mean)
    _agree(_chains(tree, "sigma") ** 2, moments.sigma2_mean, moments.sigma2_sd)


def test_park_casella_reference() -> None:
    """Laplace relative to sigma, with p(sigma²) ∝ 1/sigma² as the limit of inverse gammas."""
    case = EXACT["park_casella_1d"]
    problem = br.Problem(
        case.definition["X"],
        case.definition["y"],
        likelihood=br.Gaussian(br.InverseGamma(1e-9, 1e-9)),
        prior=br.Laplace(1 / case.definition["lam"], relative_to="sigma"),
        intercept=False,
    )
    tree = _draw(problem, draws=3000)
    _agree(
        _chains(tree, "beta")[..., 0],
        vector(case.expected["mean"])[0],
        vector(case.expected["sd"])[0],
    )
    _agree(_chains(tree, "sigma") ** 2, vector(case.expected["E_sigma2"])[0])


GRID = np.linspace(-6.0, 5.0, 70)


@pytest.mark.parametrize("sigma_prior", [br.HalfNormal(1.0), br.InverseGamma(2.0, 1.0)])
def test_unknown_scale_and_sigma_against_quadrature(sigma_prior: Any) -> None:
    """Ridge with both unknown: the closed form at each value, summed over a grid of logarithms."""
    problem = br.Problem(
        TALL,
        Y_TALL,
        likelihood=br.Gaussian(sigma_prior),
        prior=br.Normal(br.HalfCauchy(1.0)),
        intercept=False,
    )
    rows = []
    for u in GRID:
        for v in GRID:
            sigma, scale = math.exp(u), math.exp(v)
            moments = br.posterior_moments(problem.given(sigma=sigma, scale=scale))
            prior = sum(
                q.log_density(sigma if name == "sigma" else scale)
                + (2 if q.of_square else 1) * (u if name == "sigma" else v)
                for name, q in problem.hyperpriors().items()
            )
            evidence = moments.log_marginal_likelihood
            assert evidence is not None
            rows.append([evidence + prior, sigma, scale, *moments.mean])
    table = np.array(rows)
    weights = np.exp(table[:, 0] - table[:, 0].max())
    sigma, scale, *mean = weights @ table[:, 1:] / weights.sum()
    tree = _draw(problem, target_accept=0.9)
    _agree(_chains(tree, "sigma"), sigma)
    _agree(np.log(_chains(tree, "scale")), weights @ np.log(table[:, 2]) / weights.sum())
    del scale  # its half-Cauchy tail makes the Monte Carlo error of the plain mean a poor guide
    for j in range(3):
        _agree(_chains(tree, "beta")[..., j], mean[j])


def test_lasso_with_unknown_scale_against_quadrature() -> None:
    """One coefficient and the scale: a sum over a fine grid of both."""
    x, y = np.array([1.0, -1.0, 2.0, 0.5]), np.array([0.8, -0.2, 1.1, 0.9])
    problem = br.Problem(
        x[:, None],
        y,
        likelihood=br.Gaussian(1.0),
        prior=br.Laplace(br.HalfNormal(1.5)),
        intercept=False,
    )
    beta, v = np.linspace(-2.5, 3.5, 1201), np.linspace(-8, 3, 400)[:, None]
    loss = 0.5 * ((y - beta[:, None] * x) ** 2).sum(axis=1)
    log = -loss - np.abs(beta) / np.exp(v) - v - 0.5 * (np.exp(v) / 1.5) ** 2 + v
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    mean, scale = float((weights * beta).sum()), float((weights * np.exp(v)).sum())
    tree = _draw(problem)
    _agree(
        _chains(tree, "beta")[..., 0], mean, math.sqrt(float((weights * beta**2).sum()) - mean**2)
    )
    _agree(_chains(tree, "scale"), scale)


@pytest.mark.parametrize(
    "name",
    [
        "lasso extra",
        "both wide",
        "mixed",
        "logistic scale",
        "poisson",
        "level only",
        "level and sigma",
        "one row",
    ],
)
def test_every_draw_carries_its_log_density(name: str) -> None:
    """``lp`` is minus the objective, shapes and names are those of the problem."""
    problem = PROBLEMS[name]
    tree = _draw(problem, draws=15, tune=60, chains=2)
    posterior = tree["posterior"].to_dataset()
    expected = {"beta", *problem.unknown, *(["intercept"] if problem.design.intercept else [])}
    assert set(posterior.data_vars) == expected
    assert posterior["beta"].shape == (2, 15, problem.p)
    lp = tree["sample_stats"].to_dataset()["lp"].to_numpy()
    for at in np.ndindex(2, 15):
        values = {n: float(posterior[n].to_numpy()[at]) for n in expected - {"beta"}}
        beta = posterior["beta"].to_numpy()[at]
        assert lp[at] == pytest.approx(-problem.objective(beta, **values), rel=1e-11, abs=1e-10)


def test_same_seed_same_draws() -> None:
    """And another seed gives others; chains differ."""
    first, again, other = (
        _chains(_draw(PROBLEMS["both"], draws=10, tune=50, seed=seed), "beta") for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_columns_of_any_offset_and_unit() -> None:
    """Columns around 1e9 and units of 1e-6 leave NUTS as fast and as right as it was."""
    scale = np.array([1e-6, 1.0, 1e6])
    X = np.round(TALL, 6) * scale + [0.0, 1e9, 0.0]
    problem = br.Problem(X, Y_TALL, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.5 / scale))
    tree = _draw(problem)
    plain = _draw(
        br.Problem(np.round(TALL, 6), Y_TALL, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.5))
    )
    stats = tree["sample_stats"].to_dataset()
    assert float(stats["n_steps"].mean()) < 12
    for j in range(3):
        reference = _chains(plain, "beta")[..., j]
        error = _error(reference, "mean")
        found = _chains(tree, "beta")[..., j] * scale[j]
        assert abs(found.mean() - reference.mean()) < 4 * math.sqrt(2) * error


# --------------------------------------------------------------------------- when it stops


def test_interruption_returns_the_draws_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C: whole chains without gaps, marked and warned about."""

    def interrupted(background: Any) -> xr.DataTree:
        time.sleep(1.5)
        del background
        raise KeyboardInterrupt

    monkeypatch.setattr(nuts, "wait", interrupted)
    with pytest.warns(SamplingWarning, match="interrupted"):
        tree = _draw(PROBLEMS["lasso"], draws=100_000, tune=50)
    assert tree.attrs["complete"] == 0
    beta = _chains(tree, "beta")
    assert 0 < beta.shape[1] < 100_000
    assert np.isfinite(beta).all()
    found = br.diagnose(tree)
    assert not found.ok
    assert "interrupted" in found.verdict


def test_interruption_before_the_first_draw_is_an_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is nothing to return, so Ctrl-C goes on."""

    def interrupted(background: Any) -> xr.DataTree:
        del background
        raise KeyboardInterrupt

    monkeypatch.setattr(nuts, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _draw(PROBLEMS["lasso"], tune=100_000)


@pytest.mark.parametrize("end", [SystemExit(7), GeneratorExit()], ids=["exit", "close"])
def test_the_end_of_the_program_is_no_failure_of_the_sampler(
    end: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a handler of a signal raises to end the program ends it, and the sampler first."""
    asked = []

    def ended(background: Any) -> xr.DataTree:
        asked.append(background)
        raise end

    monkeypatch.setattr(nuts, "wait", ended)
    with pytest.raises(type(end)) as raised:
        _draw(PROBLEMS["lasso"], tune=100_000)
    assert raised.value is end
    assert asked[0].is_finished


def test_no_start_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sampler that gives up says so in our own words."""
    monkeypatch.setattr(Target, "__call__", lambda _self, z: (math.nan, z))
    with pytest.raises(SamplingFailed, match="nuts: the log density overflows"):
        _draw(PROBLEMS["lasso"], draws=5, tune=5)


def test_a_crash_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception inside the density, which reaches us as a panic in Rust."""
    calls, original = [0], Target.__call__

    def crash(self: Target, z: Any) -> Any:
        calls[0] += 1
        if calls[0] > 300:
            msg = "boom"
            raise ValueError(msg)
        return original(self, z)

    monkeypatch.setattr(Target, "__call__", crash)
    with pytest.raises(SamplingFailed, match=r"nuts stopped.*; look for .* raise target_accept"):
        _draw(PROBLEMS["lasso"], draws=200, tune=200)


class _Pymc:
    """Stands in for PyMC, whose own steps draw from models with discrete variables."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome

    def sample(self, **options: Any) -> Any:
        assert options["draws"] == 5
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return {"posterior": SimpleNamespace(sizes=self.outcome)}

    def assign_step_methods(self, _model: Any) -> tuple[None, dict[type, list[Any]]]:
        return None, {pm.Metropolis: []}


DISCRETE = SimpleNamespace(
    discrete_value_vars=["chosen"], values_to_rvs={"chosen": SimpleNamespace(name="chosen")}
)
SETTINGS = Settings(draws=5, chains=2, tune=5, target_accept=0.8, progress=False)


@pytest.mark.parametrize("message", ["Chain 1 failed", ""])
def test_a_killed_worker_of_pymc_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    """Whatever PyMC says about it, and if it says nothing."""
    monkeypatch.setattr(model, "import_module", lambda _: _Pymc(RuntimeError(message)))
    expected = f"pymc stopped: {message or 'RuntimeError'}; look for"
    with pytest.raises(SamplingFailed, match=expected):
        model.sample_model(DISCRETE, "auto", SETTINGS, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("chains", "draws", "complete"), [(2, 5, True), (2, 3, False), (1, 5, False)]
)
def test_pymc_interrupted_is_incomplete(
    monkeypatch: pytest.MonkeyPatch, chains: int, draws: int, complete: bool
) -> None:
    """On Ctrl-C PyMC returns what it has: fewer draws, or fewer chains."""
    sizes = {"chain": chains, "draw": draws}
    monkeypatch.setattr(model, "import_module", lambda _: _Pymc(sizes))
    found = model.sample_model(DISCRETE, "auto", SETTINGS, np.random.default_rng(1))
    assert found[1:] == (complete, "pymc", "pymc: Metropolis")


@pytest.mark.slow
def test_a_worker_that_is_really_killed_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the signal that the kernel sends when memory runs out."""
    two = SimpleNamespace(
        sample=partial(pm.sample, cores=2)
    )  # workers, however few cores there are
    monkeypatch.setattr(model, "import_module", lambda _: two)
    with pm.Model() as chosen:
        pm.Poisson("count", 3.0)

    def kill() -> None:
        for _ in range(600):
            time.sleep(0.1)
            if multiprocessing.active_children():
                break
        time.sleep(5.0)
        for worker in multiprocessing.active_children():
            worker.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(SamplingFailed, match="pymc stopped"):
        br.sample(chosen, draws=5_000_000, chains=2, tune=10, seed=1)
    killer.join()
