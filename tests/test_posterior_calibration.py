"""Simulation-based calibration: parameters from the prior, data from them, ranks from the draws.

Ranks of the truth among independent posterior draws are uniform if the sampler draws from the
posterior of that prior and likelihood (Talts et al. 2018). Ranks of coefficients alone are blind to
a prior that is too wide, under which posterior intervals still cover; the rank of the size Σ|β|
sees it (Modrák et al. 2023). Planted faults show that the check has the power to see one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

import bayesreg as br
from bayesreg.posterior import target

if TYPE_CHECKING:
    from collections.abc import Callable

type Numbers = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

SIMULATIONS, RANKS, BINS = 200, 49, 10
X = np.array([[1.0, 0.5], [-0.5, 1.0], [1.0, -1.0], [0.3, 0.8]])
SCALE = 0.25


def _ranks(
    simulate: Callable[[np.random.Generator], tuple[br.Problem, dict[str, Numbers]]], method: str
) -> dict[str, Numbers]:
    """Rank each true value among `RANKS` thinned draws, over many simulations."""
    rng = np.random.default_rng(7)
    out: dict[str, list[Any]] = {}
    thin = 1 if method == "exact" else 6
    for i in range(SIMULATIONS):
        problem, truth = simulate(rng)
        tree = br.sample(problem, method, draws=RANKS * thin, tune=200, chains=1, seed=i)
        posterior = tree["posterior"].to_dataset()
        draws = {name: posterior[name].to_numpy()[0, ::thin] for name in truth}
        draws["size"] = np.abs(draws["beta"]).sum(axis=-1)
        for name, value in (truth | {"size": np.abs(truth["beta"]).sum()}).items():
            out.setdefault(name, []).append((draws[name] < value).sum(axis=0))
    return {name: np.array(ranks, dtype=float) for name, ranks in out.items()}


def _p_value(ranks: Numbers) -> float:
    """Smallest p-value of tests of uniformity, Bonferroni-corrected over tests and columns.

    Chi-square sees any shape; Kolmogorov–Smirnov, on ranks spread over their cells, sees shifts.
    """
    spread = np.random.default_rng(8).random(SIMULATIONS)
    found = []
    for column in ranks.reshape(SIMULATIONS, -1).T:
        counts = np.histogram(column, bins=BINS, range=(-0.5, RANKS + 0.5))[0]
        found.append(float(stats.chisquare(counts).pvalue))
        found.append(float(stats.kstest((column + spread) / (RANKS + 1), "uniform").pvalue))
    return min(1.0, len(found) * min(found))


def _ridge(assumed: float) -> Any:
    def simulate(rng: np.random.Generator) -> tuple[br.Problem, dict[str, Numbers]]:
        beta = rng.normal(0.0, SCALE, 2)
        y = X @ beta + rng.normal(size=4)
        return br.Problem(
            X, y, likelihood=br.Gaussian(1.0), prior=br.Normal(assumed), intercept=False
        ), {"beta": beta}

    return simulate


def _lasso(assumed: float) -> Any:
    def simulate(rng: np.random.Generator) -> tuple[br.Problem, dict[str, Numbers]]:
        beta = rng.laplace(0.0, SCALE, 2)
        y = X @ beta + rng.normal(size=4)
        return br.Problem(
            X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(assumed), intercept=False
        ), {"beta": beta}

    return simulate


def _unknown(rng: np.random.Generator) -> tuple[br.Problem, dict[str, Numbers]]:
    sigma, scale = abs(rng.normal()), abs(rng.normal())
    beta = rng.laplace(0.0, scale, 2)
    y = X @ beta + sigma * rng.normal(size=4)
    unit = br.HalfNormal(1.0)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(unit), prior=br.Laplace(unit), intercept=False
    )
    return problem, {"beta": beta, "sigma": np.array(sigma), "scale": np.array(scale)}


def _sigma(rng: np.random.Generator) -> tuple[br.Problem, dict[str, Numbers]]:
    x = X[:3, :1]  # few rows, so that the Jacobian weighs much
    sigma, beta = abs(rng.normal()), rng.laplace(0.0, SCALE, 1)
    y = x @ beta + sigma * rng.normal(size=3)
    noise = br.Gaussian(br.HalfNormal(1.0))
    problem = br.Problem(x, y, likelihood=noise, prior=br.Laplace(SCALE), intercept=False)
    return problem, {"beta": beta, "sigma": np.array(sigma)}


def _relative_gamma(rng: np.random.Generator) -> tuple[br.Problem, dict[str, Numbers]]:
    sigma = 1 / np.sqrt(rng.gamma(3.0) / 2.0)  # sigma² is inverse gamma (3, 2)
    beta = sigma * rng.normal(0.0, SCALE, 2)
    y = X @ beta + sigma * rng.normal(size=4)
    problem = br.Problem(
        X,
        y,
        likelihood=br.Gaussian(br.InverseGamma(3.0, 2.0)),
        prior=br.Normal(SCALE, relative_to="sigma"),
        intercept=False,
    )
    return problem, {"beta": beta, "sigma": np.array(sigma)}


def _worst(ranks: dict[str, Numbers]) -> float:
    return min(_p_value(values) for values in ranks.values())


def _calibrated(simulate: Any, method: str) -> None:
    for name, ranks in _ranks(simulate, method).items():
        assert _p_value(ranks) > 1e-3, name


@pytest.mark.parametrize("simulate", [_ridge(SCALE), _relative_gamma], ids=["normal", "gamma"])
def test_exact_is_calibrated(simulate: Any) -> None:
    """Both closed forms."""
    _calibrated(simulate, "exact")


def test_the_check_sees_a_variance_for_an_sd() -> None:
    """A normal prior whose scale was squared."""
    assert _worst(_ranks(_ridge(SCALE**2), "exact")) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    "simulate",
    [_ridge(SCALE), _lasso(SCALE), _sigma, _unknown, _relative_gamma],
    ids=["ridge", "lasso", "sigma", "unknown", "gamma"],
)
def test_nuts_is_calibrated(simulate: Any) -> None:
    """Known and unknown scales, and the square of an inverse gamma."""
    _calibrated(simulate, "nuts")


@pytest.mark.slow
def test_the_check_sees_a_rate_for_a_scale() -> None:
    """A Laplace prior whose scale was inverted."""
    assert _worst(_ranks(_lasso(1 / SCALE), "nuts")) < 1e-6


@pytest.mark.slow
def test_the_check_sees_a_missing_jacobian(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of sigma without dσ = σ d log σ; for a scale it would leave no integral at all."""
    monkeypatch.setattr(target, "log_jacobian", lambda _prior: 0.0)
    assert _worst(_ranks(_sigma, "nuts")) < 1e-6
