"""Gap-safe screening throws away only what is zero at the optimum."""

from __future__ import annotations

import numpy as np
import pytest

import bayesreg as br
from bayesreg.optimizers import screened_descent as module
from bayesreg.optimizers._composite import Composite
from bayesreg.optimizers._protocol import Limits


def problem_of(
    likelihood: br.Gaussian | br.Bernoulli, prior: br.Laplace | br.ElasticNet, seed: int
) -> br.Problem:
    """Twice as many columns as rows, neighbours correlated."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(80, 160))
    X[:, 1:] += 0.5 * X[:, :-1]
    y = X[:, :6] @ [1.0, -1.0, 2.0, 0.5, 0.5, -1.0] + rng.logistic(size=80)
    target = (y > 0).astype(float) if isinstance(likelihood, br.Bernoulli) else y
    return br.Problem(X, target, likelihood=likelihood, prior=prior)


@pytest.mark.parametrize("likelihood", [br.Gaussian(1.0), br.Bernoulli()], ids=["normal", "logit"])
@pytest.mark.parametrize("nonnegative", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_screening_is_safe_and_works(
    likelihood: br.Gaussian | br.Bernoulli, nonnegative: bool, seed: int
) -> None:
    """At every round the support of the mode is alive; at the end most other columns are not."""
    problem = problem_of(likelihood, br.Laplace(0.1, nonnegative=nonnegative), seed)
    support = br.find_map(problem).certificate.support
    form = Composite.of(problem)
    screen = module._Screen.of(form)
    point = form.start()
    eta = form.predictor(point)
    state = module.ScreenedState(
        point, form.value(point, eta), np.inf, eta, np.ones(point.size, dtype=bool)
    )
    for _ in range(12):
        state = module._round(form, screen, state, 1.0, Limits(max_iter=1, tol=0.0))
        assert state.alive[0]  # the intercept
        assert state.alive[1:][list(support)].all()
    assert state.alive.sum() < 1 + problem.p / 2


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [0.12, 0.28, 0.66, 1.5])
def test_what_claims_to_have_converged_is_certified(scale: float, seed: int) -> None:
    """A gap that is small beside the objective may still be above the certificate's limit."""
    problem = problem_of(br.Gaussian(0.3), br.ElasticNet(scale, 0.5), seed)
    estimate = br.optimize(problem, "screened_descent")
    assert estimate.claims_convergence
    assert br.certify(problem, estimate.coef, estimate.intercept).optimal


@pytest.mark.parametrize("sigma", [0.01, 0.1, 1.0, 54.0])
@pytest.mark.parametrize("scale", [40.0, 750.0])
def test_rounding_of_the_gap_keeps_no_mode_from_its_claim(sigma: float, scale: float) -> None:
    """With an objective of 1e10 nats no gap of 1e-12 can be computed; it stops in a few rounds."""
    data = br.datasets.load("diabetes")
    problem = br.Problem(
        data.X, data.y, likelihood=br.Gaussian(sigma), prior=br.Laplace(scale), standardize=True
    )
    estimate = br.optimize(problem, "screened_descent")
    assert estimate.claims_convergence
    assert estimate.iterations is not None
    assert estimate.iterations < 50
    assert br.certify(problem, estimate.coef, estimate.intercept).optimal


def test_a_tolerance_of_ones_own_stops_earlier() -> None:
    """It is relative to the objective of the empty model, and claims no more than it asks for."""
    problem = problem_of(br.Gaussian(0.3), br.ElasticNet(0.66, 0.5), 1)
    loose = br.optimize(problem, "screened_descent", tol=1e-4)
    tight = br.optimize(problem, "screened_descent")
    assert loose.claims_convergence
    assert loose.iterations is not None
    assert tight.iterations is not None
    assert loose.iterations < tight.iterations
    assert not br.certify(problem, loose.coef, loose.intercept).optimal


def test_free_columns_are_never_screened() -> None:
    """A column without a penalty has nothing to hold it at 0."""
    problem = problem_of(br.Gaussian(1.0), br.Laplace(np.append(np.inf, np.full(159, 0.05))), 1)
    estimate = br.optimize(problem, "screened_descent")
    assert estimate.claims_convergence
    assert br.certify(problem, estimate.coef, estimate.intercept).optimal


def test_a_poisson_likelihood_is_refused_with_the_reason() -> None:
    """Its curvature has no bound, so the dual is not strongly concave."""
    problem = br.Problem([[0.0], [1.0]], [1.0, 3.0], likelihood=br.Poisson(), prior=br.Laplace(1.0))
    with pytest.raises(br.errors.InputError, match="bounded curvature"):
        br.optimize(problem, "screened_descent")
