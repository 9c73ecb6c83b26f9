"""Samplers agree: with answers that are known to many digits, with a paper, and with each other.

Means and sds of every unknown, to within four Monte Carlo standard errors as ArviZ estimates them.
One comparison in 16 000 of right samplers is further off by chance, so those that are have to be
further off once more, with new draws and four times as many, to count as different.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from arviz_stats.base import array_stats  # type: ignore[attr-defined]

import bayesreg as br
from bayesreg.posterior.sampling import SAMPLERS
from benchmarks import park_casella
from tests.calibration import simulate
from tests.posterior_bank import LONG, TALL, TEMPLATES
from tests.reference_cases import CASES, Case, number, vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

type Numbers = NDArray[np.float64]
#: Draws per chain, of four, and how many times as many for a second look.
DRAWS, DRAWS_OF_NUTS, MORE = 10_000, 500, 4
LIMIT = 4.0
EXACT = [sampler for sampler in SAMPLERS if not sampler.approximate]


def draw(
    problem: br.Problem, method: str, times: int, seed: int, *, plain: bool = False
) -> dict[str, Numbers]:
    """Draw every unknown, shape (chain, draw) each; what has no variance as its logarithm or such.

    Where a prior has no variance, or an unknown parameter, coefficients may have none either: then
    `arcsinh` of them is compared, unless `plain` says that they have.
    """
    draws = times * (DRAWS_OF_NUTS if method == "nuts" else DRAWS)
    tree = br.sample(problem, method, draws=draws, tune=500, seed=seed, target_accept=0.9)
    posterior = tree["posterior"].to_dataset()
    beta = np.moveaxis(posterior["beta"].to_numpy(), 2, 0)
    heavy = not plain and heavy_tailed(problem)
    out = {f"beta[{j}]": np.arcsinh(b) if heavy else b for j, b in enumerate(beta)}
    if "intercept" in posterior:
        level = posterior["intercept"].to_numpy()
        out["intercept"] = np.arcsinh(level) if heavy else level
    for name in problem.unknown:
        out[f"log {name}"] = np.log(posterior[name].to_numpy())
    return out


def heavy_tailed(problem: br.Problem) -> bool:
    """Tell whether moments of the coefficients may be infinite."""
    if problem.unknown:
        return True
    return not np.isfinite(problem.prior.moments(problem.p)[1]).all()


def error(draws: Numbers, of: str) -> float:
    """Monte Carlo standard error of the mean or of the sd of (chain, draw); 0 if constant."""
    if np.ptp(draws) == 0:
        return 0.0
    return float(array_stats.mcse(draws, method=of))  # type: ignore[no-untyped-call]


def apart(draws: Numbers, other: Numbers | None, mean: float, sd: float | None) -> list[float]:
    """Differences of mean and sd, from numbers or from other draws, in standard errors."""
    out = []
    for of, found, expected in (("mean", draws.mean(), mean), ("sd", draws.std(), sd)):
        if expected is None:
            continue
        noise = np.hypot(error(draws, of), 0.0 if other is None else error(other, of))
        gap = abs(found - expected)
        # Draws that all are the same number have no noise, and a mean that may be rounded.
        out.append(0.0 if gap <= 1e-12 * abs(expected) else float(gap / noise))
    return out


def require_agreement(compare: Callable[[int, int], dict[str, list[float]]]) -> None:
    """Assert that nothing is `LIMIT` standard errors off, once and then again.

    Parameters
    ----------
    compare : callable
        Given how many times as many draws, and a seed: differences in standard errors, by name.
    """
    far = {name for name, off in compare(1, 1).items() if max(off) > LIMIT}
    if far:
        again = compare(MORE, 2)
        assert all(max(again[name]) <= LIMIT for name in far), {name: again[name] for name in far}


# --------------------------------------------------------------------------- known answers


def _parts(case: Case) -> tuple[Any, Any]:
    """Return likelihood and prior of a case."""
    d = case.definition
    noise: Any = br.Gaussian(d["sigma"]) if "sigma" in d else br.Bernoulli()
    if case.id.startswith("horseshoe"):
        return noise, br.Horseshoe(d["tau"])
    if case.id.startswith("park_casella"):
        # The density 1/σ² is the limit of inverse gamma densities.
        return br.Gaussian(br.InverseGamma(1e-9, 1e-9)), br.Laplace(
            1 / d["lam"], relative_to="sigma"
        )
    if "kappa" in d:
        prior = br.Normal(d["kappa"] ** -0.5, relative_to="sigma")
        return br.Gaussian(br.InverseGamma(d["a"], d["b"])), prior
    if "tau" in d:
        return noise, br.Normal(d["tau"])
    return noise, br.Laplace(1 / np.asarray(d.get("lam", 1.0), dtype=float))


def reference_problem(case: Case) -> br.Problem:
    """Return the posterior of a case of exact_cases.json."""
    likelihood, prior = _parts(case)
    d = case.definition
    X, y = (d["X"], d["y"]) if "X" in d else ([[1.0]], [d["z"]])
    return br.Problem(X, y, likelihood=likelihood, prior=prior, intercept=False)


def reference_pairs() -> dict[str, Any]:
    """Every sampler on every posterior whose mean is known; those of NUTS are slow."""
    out = {}
    for case in CASES:
        if "mean" in case.expected:
            problem = reference_problem(case)
            for sampler in EXACT:
                if sampler.reason_against(problem) is None:
                    marks = [pytest.mark.slow] if sampler.name == "nuts" else []
                    name = f"{sampler.name}-{case.id}"
                    out[name] = pytest.param(sampler.name, case, problem, marks=marks, id=name)
    return out


@pytest.mark.parametrize(("method", "case", "problem"), reference_pairs().values())
def test_reference_posteriors(method: str, case: Case, problem: br.Problem) -> None:
    """Mean and sd of the coefficients, and the mean of sigma² where it is stated."""
    mean = vector(case.expected["mean"])
    sd = (
        np.sqrt([number(row[j]) for j, row in enumerate(case.expected["cov"])])
        if ("sd" not in case.expected)
        else vector(case.expected["sd"])
    )

    def compare(times: int, seed: int) -> dict[str, list[float]]:
        found = draw(problem, method, times, seed, plain=True)
        out = {
            f"beta[{j}]": apart(found[f"beta[{j}]"], None, mean[j], sd[j]) for j in range(mean.size)
        }
        if "E_sigma2" in case.expected:
            square = np.exp(2 * found["log sigma"])
            out["sigma2"] = apart(square, None, number(case.expected["E_sigma2"]), None)
        return out

    require_agreement(compare)


@pytest.mark.parametrize("method", ["gibbs", pytest.param("nuts", marks=pytest.mark.slow)])
def test_table_1_of_park_and_casella(method: str) -> None:
    """Medians and ends of 95 % intervals, to within the errors of 10 000 draws in the paper.

    Thirty numbers, so four standard errors of independent draws; theirs were not independent.
    """
    tree = br.sample(park_casella.problem(), method, draws=5000, seed=1)
    assert np.abs(park_casella.differences(tree)).max() < LIMIT


# --------------------------------------------------------------------------- each other


def _with_level() -> dict[str, br.Problem]:
    """Posteriors that cannot be calibrated: flat intercepts of binary targets and counts, weights.

    And flat priors of sigma and scale.
    """
    rng = np.random.default_rng(11)
    more: dict[str, Any] = {"offset": rng.normal(size=len(LONG)), "standardize": True}
    whole: dict[str, Any] = {"weights": rng.integers(1, 4, len(LONG)).astype(float)} | more
    binary, counts = (LONG[:, 0] + rng.normal(size=len(LONG)) > 0), rng.poisson(2.0, len(LONG))
    y = TALL @ np.array([1.0, -0.5, 0.0, 0.0, 0.3]) + rng.normal(size=len(TALL))
    flat = br.Gaussian(br.Flat())
    return {
        "level-bernoulli": br.Problem(
            LONG, binary, likelihood=br.Bernoulli(), prior=br.Laplace(0.5), **whole
        ),
        "level-bernoulli-scale": br.Problem(
            LONG, binary, likelihood=br.Bernoulli(), prior=br.Normal(br.HalfNormal(1.0)), **whole
        ),
        "level-poisson": br.Problem(
            LONG, counts, likelihood=br.Poisson(), prior=br.Laplace(0.5), **more
        ),
        "flat-noise": br.Problem(TALL, y, likelihood=flat, prior=br.Laplace(0.5)),
        "flat-scale": br.Problem(TALL, y, likelihood=br.Gaussian(0.7), prior=br.Normal(br.Flat())),
    }


def data_sets() -> dict[str, br.Problem]:
    """Return every template with a target drawn from it, and those that cannot be calibrated."""
    drawn = {
        name: simulate(template, np.random.default_rng([23, i]))[0]
        for i, (name, template) in enumerate(TEMPLATES.items())
    }
    return drawn | _with_level()


QUICK = {"both-relative-laplace", "level-bernoulli"}
#: More columns than rows under a horseshoe: spikes between which NUTS does not get, as it says.
ASTRAY = ["gaussian-horseshoe", "relative-horseshoe"]


def agreement_cases() -> list[Any]:
    """Every posterior that two samplers take; a few at once, all under ``-m slow``."""
    out = []
    for name, problem in data_sets().items():
        methods = [s.name for s in EXACT if s.reason_against(problem) is None]
        if len(methods) > 1 and name not in ASTRAY:
            marks = [] if name in QUICK else [pytest.mark.slow]
            out.append(pytest.param(problem, methods, marks=marks, id=name))
    return out


@pytest.mark.parametrize(("problem", "methods"), agreement_cases())
def test_samplers_agree(problem: br.Problem, methods: list[str]) -> None:
    """All that take a posterior, with the first of them: means and sds of every unknown."""
    first, *others = methods

    def compare(times: int, seed: int) -> dict[str, list[float]]:
        one = draw(problem, first, times, seed)
        out = {}
        for method in others:
            found = draw(problem, method, times, seed + 100)
            for name, values in found.items():
                expected = one[name]
                off = apart(values, expected, float(expected.mean()), float(expected.std()))
                out[f"{method} {name}"] = off
        return out

    require_agreement(compare)


def weighted(problem: br.Problem, size: int, seed: int) -> dict[str, tuple[float, ...]]:
    """Mean, sd and the standard errors of both under a horseshoe, with no Markov chain.

    Local sds and sigma are drawn from their priors, the coefficients given these and the data, and
    each draw weighs what the data make of its local sds and sigma: ``N(y; 0, σ²I + XΛX')``.
    """
    rng, prior = np.random.default_rng(seed), problem.prior
    assert isinstance(prior, br.Horseshoe)
    X, y = np.asarray(problem.design.dense("the reference").X), np.asarray(problem.design.y)
    if problem.design.intercept:  # flat: what is orthogonal to it knows nothing of it
        rest = np.linalg.svd(np.ones((y.size, 1)))[0][:, 1:].T
        X, y = rest @ X, rest @ y
    n, p = X.shape
    sigma = np.full(size, np.nan)
    noise: Any = problem.likelihood
    sigma[:] = rng.exponential(noise.sigma.scale, size) if problem.unknown else noise.sigma
    local = np.abs(rng.standard_cauchy((size, p))) * np.asarray(prior.scale, dtype=float)
    if prior.relative_to is not None:
        local *= sigma[:, None]
    cov = np.einsum("ij,mj,kj->mik", X, local**2, X) + sigma[:, None, None] ** 2 * np.eye(n)
    log_weight = -0.5 * np.linalg.slogdet(cov)[1]
    log_weight -= 0.5 * (
        np.linalg.solve(cov, np.broadcast_to(y[:, None], (size, n, 1)))[..., 0] @ y
    )
    start = local * rng.standard_normal((size, p))
    left = y - start @ X.T - sigma[:, None] * rng.standard_normal((size, n))
    beta = start + local**2 * (np.linalg.solve(cov, left[..., None])[..., 0] @ X)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    values = {f"beta[{j}]": np.arcsinh(beta[:, j]) for j in range(p)}
    values |= {"log sigma": np.log(sigma)} if problem.unknown else {}
    out: dict[str, tuple[float, ...]] = {}
    for name, value in values.items():
        mean = float(weight @ value)
        square = (value - mean) ** 2
        sd = float(np.sqrt(weight @ square))
        noise = float(np.sqrt(weight**2 @ square))
        out[name] = mean, sd, noise, float(np.sqrt(weight**2 @ (square - sd**2) ** 2)) / (2 * sd)
    return out


@pytest.mark.slow
@pytest.mark.parametrize("name", ASTRAY)
def test_where_nuts_goes_astray_gibbs_does_not_and_nuts_says_so(name: str) -> None:
    """Gibbs agrees with weighted independent draws; NUTS is called not ok, for its divergences."""
    problem = data_sets()[name]
    truth = weighted(problem, 400_000, seed=31)

    def compare(times: int, seed: int) -> dict[str, list[float]]:
        out = {}
        drawn = draw(problem, "gibbs", times, seed)
        for unknown, (mean, sd, *noises) in truth.items():
            values = drawn[unknown]
            found = ("mean", values.mean() - mean), ("sd", values.std() - sd)
            out[unknown] = [
                float(abs(gap) / np.hypot(error(values, of), noise))
                for (of, gap), noise in zip(found, noises, strict=True)
            ]
        return out

    require_agreement(compare)
    tree = br.sample(problem, "nuts", draws=4 * DRAWS_OF_NUTS, tune=500, seed=3, target_accept=0.9)
    verdict = br.diagnose(tree)
    assert not verdict.ok
    assert "divergences" in str(verdict).splitlines()[0]


# --------------------------------------------------------------------------- the rule


def test_the_rule_sees_a_shift_and_a_stretch() -> None:
    """Six standard errors; and it lets the right draws pass."""
    rng = np.random.default_rng(5)

    def compare(shift: float, stretch: float) -> Callable[[int, int], dict[str, list[float]]]:
        def inner(times: int, seed: int) -> dict[str, list[float]]:
            del seed
            draws = shift + stretch * rng.normal(size=(4, 1000 * times))
            return {"x": apart(draws, None, 0.0, 1.0)}

        return inner

    require_agreement(compare(0.0, 1.0))
    for wrong in (compare(0.1, 1.0), compare(0.0, 1.1)):
        with pytest.raises(AssertionError):
            require_agreement(wrong)
