"""The Laplace approximation: exact where the posterior is normal, honest where it has a kink."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, linalg, stats

import bayesreg as br
from bayesreg.errors import DegenerateMode, InputError
from bayesreg.posterior import sampling
from bayesreg.posterior.laplace_approximation import (
    Laplace,
    LaplaceApproximation,
    _inverse,
    laplace_approximation,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector

RNG = np.random.default_rng(11)
X = RNG.normal(size=(25, 3)) * [1.0, 2.0, 0.5] + 1.0
Y = X @ [1.0, -0.5, 0.8] + RNG.normal(size=25)
BINARY, COUNTS = (
    np.greater(Y, np.median(Y)).astype(float),
    RNG.poisson(np.exp(0.3 * (Y - Y.mean()))),
)
EXTRA: dict[str, Any] = {
    "weights": RNG.uniform(0.5, 2.0, 25),
    "offset": RNG.normal(size=25) / 5,
    "standardize": True,
}


def _problem(likelihood: br.Likelihood, prior: Any, **more: Any) -> br.Problem:
    y = {"bernoulli": BINARY, "poisson": COUNTS}.get(likelihood.name, Y)
    return br.Problem(X, y, likelihood=likelihood, prior=prior, **more)


# --------------------------------------------------------------------------- where it is exact


@pytest.mark.parametrize("more", [{}, {"intercept": False}, EXTRA, EXTRA | {"intercept": False}])
def test_a_normal_posterior_is_its_own_approximation(more: dict[str, Any]) -> None:
    """Mean, sd, covariance and evidence are those of the closed form."""
    problem = _problem(br.Gaussian(0.9), br.Normal(0.7, loc=0.2), **more)
    found, exact = laplace_approximation(problem), br.posterior_moments(problem)
    assert found.valid
    assert found.reason == ""
    assert_allclose(found.mean, exact.mean, rtol=1e-10)
    assert_allclose(found.covariance[:3, :3], exact.covariance, rtol=1e-9, atol=1e-15)
    assert_allclose(found.sd, exact.sd, rtol=1e-10)
    if problem.design.intercept:
        assert found.names == ("x0", "x1", "x2", "intercept")
        assert found.intercept == pytest.approx(exact.intercept_mean, rel=1e-10)
        assert found.intercept_sd == pytest.approx(exact.intercept_sd, rel=1e-9)
        assert found.log_marginal_likelihood is None
    else:
        assert found.log_marginal_likelihood == pytest.approx(
            exact.log_marginal_likelihood, abs=1e-9
        )


def test_unknown_sigma_in_closed_form() -> None:
    """Normal–inverse-gamma: σ² = (2b + Q)/(2a + n + p) is the mode of log sigma, Q the minimum."""
    a, b = 2.0, 1.5
    problem = _problem(
        br.Gaussian(br.InverseGamma(a, b)),
        br.Normal(0.7, relative_to="sigma"),
        intercept=False,
    )
    found, exact = laplace_approximation(problem), br.posterior_moments(problem)
    count = 2 * a + 25 + 3
    square = float(np.sum((Y - X @ exact.mean) ** 2) + (exact.mean**2).sum() / 0.7**2)
    sigma2 = (2 * b + square) / count
    assert found.sigma == pytest.approx(math.sqrt(sigma2), rel=1e-7)
    assert found.log_sigma_sd == pytest.approx((2 * count) ** -0.5, rel=1e-5)
    assert_allclose(found.mean, exact.mean, rtol=1e-9)
    gram = X.T @ X + np.eye(3) / 0.7**2
    assert_allclose(found.covariance[:3, :3], sigma2 * np.linalg.inv(gram), rtol=1e-6, atol=1e-12)
    # What Laplace's method leaves out: Stirling's formula, and p coefficients that share sigma.
    evidence = exact.log_marginal_likelihood
    assert evidence is not None
    assert found.log_marginal_likelihood == pytest.approx(evidence, abs=0.25)


# --------------------------------------------------------------------------- finite differences


def _second(function: Callable[[Vector], float], at: Vector, step: float) -> Any:
    """Hessian by central differences."""
    unit = step * np.eye(at.size)
    return np.array(
        [
            [
                function(at + u + v) - function(at + u - v) - function(at - u + v)
                + function(at - u - v)
                for v in unit
            ]
            for u in unit
        ]
    ) / (4 * step**2)  # fmt: skip


SMOOTH: dict[str, br.Problem] = {
    "logistic": _problem(br.Bernoulli(), br.Normal(1.0), **EXTRA),
    "logistic student": _problem(br.Bernoulli(), br.StudentT(3.0, 1.0)),
    "poisson bridge": _problem(br.Poisson(), br.Bridge(1.0, 1.5), intercept=False),
    "poisson": _problem(br.Poisson(), br.Flat(), **EXTRA),
    "lasso": _problem(br.Gaussian(1.0), br.Laplace(1.0)),
    "pareto": _problem(br.Gaussian(1.0), br.GeneralizedDoublePareto(1.0, 2.0)),
    "group": _problem(br.Gaussian(1.0), br.GroupLaplace(0.5, [[0, 1]])),
    "sup": _problem(br.Gaussian(1.0), br.LInfinity([1.0, 5.0, 5.0])),
    "slope": _problem(br.Gaussian(1.0), br.Slope([1.0, 5.0, 5.0], [2.0, 1.0, 0.5])),
    "fused": _problem(br.Gaussian(1.0), br.Fused(1.0)),
    "ball": _problem(br.Gaussian(1.0), br.UniformBall(50.0)),
    "bounded": _problem(
        br.Gaussian(1.0), [(br.Laplace(1.0, nonnegative=True), [0, 2]), (br.Normal(1.0), [1])]
    ),
    "sigma": _problem(br.Gaussian(br.HalfNormal(2.0)), br.Laplace(1.0), **EXTRA),
    "sigma relative": _problem(
        br.Gaussian(br.HalfCauchy(1.0)), br.Bridge(1.0, 1.5, relative_to="sigma")
    ),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_curvature_against_finite_differences(name: str) -> None:
    """The inverse covariance is the second derivative of the objective, intercept and all."""
    problem = SMOOTH[name]
    found = laplace_approximation(problem)
    level, sigma = found.intercept is not None, found.sigma is not None

    def objective(theta: Vector) -> float:
        more = {"intercept": float(theta[3])} if level else {}
        if not sigma:
            return problem.objective(theta[:3], **more)
        value = problem.objective(theta[:3], sigma=math.exp(theta[-1]), **more)
        return value - float(theta[-1])

    extra = ([found.intercept] if level else []) + ([math.log(found.sigma or 1)] if sigma else [])
    mode = np.array([*found.mean, *extra])
    assert found.valid
    hessian = _second(objective, mode, 1e-3)
    assert_allclose(hessian @ found.covariance, np.eye(mode.size), atol=2e-3)
    slope = [(objective(mode + e) - objective(mode - e)) / 2e-5 for e in 1e-5 * np.eye(mode.size)]
    assert_allclose(slope, 0.0, atol=1e-4)


# --------------------------------------------------------------------------- kinks


def _line(target: float, prior: Any) -> br.Problem:
    """One coefficient with likelihood N(target, 1)."""
    return br.Problem([[1.0]], [target], likelihood=br.Gaussian(1.0), prior=prior, intercept=False)


def _exact(problem: br.Problem) -> tuple[float, float, float]:
    """Mean, sd and log evidence of one coefficient by quadrature."""

    def moment(k: int) -> float:
        whole, _ = integrate.quad(
            lambda b: b**k * math.exp(-problem.objective([b])), -15, 25, points=[0, 1, 5], limit=400
        )
        return float(whole)

    mass, first, second = moment(0), moment(1), moment(2)
    mean = first / mass
    return mean, math.sqrt(second / mass - mean**2), math.log(mass)


def test_far_from_the_kink_it_is_exact() -> None:
    """Eight sd from 0 the other side of a Laplace prior does not matter: 1e-9."""
    problem = _line(10.0, br.Laplace(1.0))
    found, (mean, sd, evidence) = laplace_approximation(problem), _exact(problem)
    assert found.valid
    assert found.reason == ""
    assert found.mean[0] == pytest.approx(mean, rel=1e-9)
    assert found.sd[0] == pytest.approx(sd, rel=1e-9)
    assert found.log_marginal_likelihood == pytest.approx(evidence, abs=1e-9)


def test_near_the_kink_it_says_how_near() -> None:
    """Half an sd from 0 the approximation is off, by what it ignores, and says so."""
    problem = _line(1.5, br.Laplace(1.0))
    found, (mean, sd, _) = laplace_approximation(problem), _exact(problem)
    assert found.valid
    assert "'x0' is 0.5 sd from its kink" in found.reason
    assert f"{stats.norm.cdf(-0.5):.0%} of its mass" in found.reason
    assert abs(found.mean[0] - mean) > 0.1 * sd
    assert abs(found.sd[0] / sd - 1) > 0.05


def test_at_the_kink_there_is_none() -> None:
    """The posterior has a spread there, the approximation none: it is marked, and says why."""
    problem = _line(0.5, br.Laplace(1.0))
    found, (mean, sd, _) = laplace_approximation(problem), _exact(problem)
    assert not found.valid
    assert found.kinked == ("x0",)
    assert found.sd[0] == 0.0
    assert found.log_marginal_likelihood is None
    assert "no second derivative" in found.reason
    assert "NOT VALID" in str(found)
    assert sd > 0.5
    assert mean > 0.1


SHRUNK: dict[str, tuple[Any, tuple[str, ...]]] = {
    "lasso": ([(br.Laplace(0.01), [0]), (br.Normal(1.0), [1, 2])], ("x0",)),
    "bound": ([(br.Normal(1.0, nonnegative=True), [1]), (br.Normal(1.0), [0, 2])], ("x1",)),
    "group": (br.GroupLaplace([0.01, 0.01, 1.0], [[0, 1]]), ("x0", "x1")),
    "sup": (br.LInfinity(0.01), ("x0", "x1", "x2")),
    "slope": (br.Slope([0.01, 1.0, 1.0], [2.0, 1.0, 1.0]), ("x0",)),
    "fused": (
        [(br.Fused(0.01), [0, 2]), (br.Normal(1.0), [1])],
        ("x0", "x2"),
    ),
    "ball": ([(br.UniformBall(0.1), [0, 2]), (br.Normal(1.0), [1])], ("x0", "x2")),
}


@pytest.mark.parametrize("name", SHRUNK)
def test_kinks_of_every_kind_are_named(name: str) -> None:
    """Zeros, bounds, ties, groups at 0, and the border of a ball."""
    prior, kinked = SHRUNK[name]
    found = laplace_approximation(_problem(br.Gaussian(1.0), prior))
    assert found.kinked == kinked
    assert not found.valid
    assert all(repr(name) in found.reason for name in kinked)
    free = [j for j in range(3) if f"x{j}" not in kinked]
    assert (found.sd[free] > 0).all()


def test_the_others_are_conditional_on_the_zeros() -> None:
    """Their covariance is that of the problem without the columns that are held."""
    prior, _ = SHRUNK["lasso"]
    found = laplace_approximation(_problem(br.Gaussian(1.0), prior))
    rest = br.Problem(X[:, 1:], Y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0))
    alone = laplace_approximation(rest)
    keep = [1, 2, 3]
    assert_allclose(found.covariance[np.ix_(keep, keep)], alone.covariance, rtol=1e-8)
    assert_allclose(found.mean[1:], alone.mean, rtol=1e-8)


def test_ties_move_together() -> None:
    """Held to each other, coefficients of a fused lasso have one spread and correlation 1."""
    found = laplace_approximation(_problem(br.Gaussian(1.0), br.Fused(0.001)))
    assert found.kinked == ("x0", "x1", "x2")
    assert_allclose(found.sd, found.sd[0])
    assert_allclose(found.covariance[:3, :3], found.sd[0] ** 2)


# --------------------------------------------------------------------------- what has no mode


def test_unknown_scale_needs_a_value() -> None:
    """Jointly with a scale there is no mode; given one there is."""
    problem = _problem(br.Gaussian(br.HalfNormal(2.0)), br.Laplace(br.HalfCauchy(1.0)))
    with pytest.raises(DegenerateMode, match=r"scale: is unknown.*given"):
        laplace_approximation(problem)
    found = laplace_approximation(problem, given={"scale": 1.0})
    assert found.valid
    assert found.names[-1] == "log_sigma"
    both = laplace_approximation(problem, given={"scale": 1.0, "sigma": 1.0})
    assert both.names == ("x0", "x1", "x2", "intercept")


@pytest.mark.parametrize(
    "prior", [br.Horseshoe(1.0), br.RegularizedHorseshoe(1.0, 1.0), br.SpikeSlab(0.5, 1.0)]
)
def test_densities_without_a_mode(prior: br.Prior) -> None:
    """Infinite at 0, or with an atom: refused by name."""
    with pytest.raises(DegenerateMode, match="mode"):
        laplace_approximation(_problem(br.Gaussian(1.0), prior))


def test_a_perfect_fit_has_no_mode_in_sigma() -> None:
    """The density of log sigma falls towards no minimum: it grows without bound at 0."""
    problem = br.Problem(
        np.eye(4),
        [1.0, 2.0, 3.0, 4.0],
        likelihood=br.Gaussian(br.HalfNormal(1.0)),
        prior=br.Flat(),
        intercept=False,
    )
    with pytest.raises(DegenerateMode, match="log sigma has no mode"):
        laplace_approximation(problem)


def test_a_saddle_has_no_inverse() -> None:
    """NaN rather than a covariance that is none."""
    inverse, log_det = _inverse(np.array([[1.0, 2.0], [2.0, 1.0]]))
    assert log_det is None
    assert np.isnan(inverse).all()
    assert _inverse(np.diag([-1.0, 1.0]))[1] is None


def test_a_saddle_is_not_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it says so in words."""
    module = sys.modules["bayesreg.posterior.laplace_approximation"]
    monkeypatch.setattr(module, "_hessian", lambda *_: -np.eye(4))
    found = laplace_approximation(_problem(br.Gaussian(1.0), br.Normal(1.0)))
    assert not found.valid
    assert "not positive definite" in found.reason


# --------------------------------------------------------------------------- draws


def _close(draws: Any, mean: float, sd: float) -> None:
    """Independent draws: mean and sd within 5.5 standard errors."""
    count = draws.size
    assert abs(draws.mean() - mean) < 5.5 * sd / math.sqrt(count)
    assert abs(draws.std() / sd - 1) < 5.5 / math.sqrt(2 * count)


def test_draws_have_the_moments() -> None:
    """Coefficients, intercept and log sigma, and their covariance."""
    problem = SMOOTH["sigma"]
    tree = br.sample(problem, "laplace", draws=4000, chains=2, seed=3)
    found = laplace_approximation(problem)
    posterior = tree["posterior"].to_dataset()
    beta = posterior["beta"].to_numpy()
    for j in range(3):
        _close(beta[..., j], found.mean[j], found.sd[j])
    assert isinstance(found, LaplaceApproximation)
    assert found.intercept is not None
    assert found.intercept_sd is not None
    assert found.sigma is not None
    assert found.log_sigma_sd is not None
    _close(posterior["intercept"].to_numpy(), found.intercept, found.intercept_sd)
    _close(np.log(posterior["sigma"].to_numpy()), math.log(found.sigma), found.log_sigma_sd)
    root = linalg.cholesky(found.covariance[:3, :3], lower=True)
    white = linalg.solve_triangular(root, (beta - found.mean).reshape(-1, 3).T, lower=True)
    assert_allclose(np.corrcoef(white), np.eye(3), atol=5.5 / math.sqrt(8000))
    assert tree.attrs["method"] == "laplace"


def test_draws_are_refused_at_a_kink() -> None:
    """Draws without a spread would be worse than none."""
    problem = _problem(br.Gaussian(1.0), SHRUNK["lasso"][0])
    assert "'x0' at a kink" in str(Laplace().reason_against(problem))
    with pytest.raises(InputError, match="'x0' at a kink"):
        br.sample(problem, "laplace", draws=10)
    spike = _problem(br.Gaussian(1.0), br.SpikeSlab(0.5, 1.0))
    assert "mode" in str(Laplace().reason_against(spike))


def test_auto_never_approximates() -> None:
    """The approximation is the only sampler marked so, and is last."""
    assert [sampler.name for sampler in sampling.SAMPLERS if sampler.approximate] == ["laplace"]
    tree = br.sample(_problem(br.Gaussian(1.0), br.Normal(1.0)), draws=20, seed=1)
    assert tree.attrs["method"] == "exact"
