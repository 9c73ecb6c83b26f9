"""The certificate: accepts the mode, and fails on everything that is not the mode."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes

import bayesreg as br
from bayesreg.active_set import solve
from bayesreg.errors import InputError
from tests.problems import bank, likelihood_examples

BANK = bank()


@pytest.mark.parametrize("name", BANK)
def test_accepts_the_mode_and_bounds_every_excess(name: str) -> None:
    """At random points the gap is at least the objective's true excess over the mode."""
    problem = BANK[name]
    mode = solve(problem)
    at_mode = br.certify(problem, mode.coef, mode.intercept)
    assert at_mode.optimal
    assert at_mode.unique
    assert at_mode.gap <= 1e-9
    best = problem.penalised(mode.coef, mode.intercept)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-1, 1.0):
        coef = mode.coef + size * rng.normal(size=problem.p)
        excess = problem.penalised(coef, mode.intercept) - best
        certificate = br.certify(problem, coef, mode.intercept)
        assert certificate.gap >= excess * (1 - 1e-9) - 1e-9
        assert not certificate.optimal


@pytest.mark.parametrize("name", BANK)
def test_rejects_faults(name: str) -> None:
    """NaN, a flipped zero, a dropped coefficient, a moved intercept, another prior scale."""
    problem = BANK[name]
    mode = solve(problem)
    for bad in (np.full(problem.p, np.nan), np.where(np.arange(problem.p) == 2, np.inf, mode.coef)):
        certificate = br.certify(problem, bad, mode.intercept)
        assert not certificate.optimal
        assert math.isinf(certificate.gap)
    if problem.design.intercept:
        assert not br.certify(problem, mode.coef, math.nan).optimal
    else:
        with pytest.raises(InputError, match="intercept: this problem has none"):
            br.certify(problem, mode.coef, 1.0)
    penalty = problem.penalty
    for j in range(problem.p):
        moved = mode.coef.copy()
        if moved[j] == 0.0:
            # Tiny for the gap, but not a zero.
            moved[j] = 1e-13
            assert br.certify(problem, moved, mode.intercept).gap < 1e-9
        else:
            moved[j] = 0.0
        certificate = br.certify(problem, moved, mode.intercept)
        assert not certificate.optimal, (j, mode.coef[j])
        assert "NOT optimal" in str(certificate)
    if problem.design.intercept:
        moved_intercept = mode.intercept + 1e-2
        assert not br.certify(problem, mode.coef, moved_intercept).optimal
    # Where only unpenalised coefficients differ from zero, a tighter prior has the same mode.
    if (((penalty.l1 > 0) | (penalty.l2 > 0)) & (mode.coef != penalty.loc)).any():
        tighter = problem.with_prior(problem.prior.rescaled(np.full(problem.p, 0.9)))
        assert not br.certify(tighter, mode.coef, mode.intercept).optimal


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(3, 12),
    p=st.integers(1, 15),
    family=st.sampled_from(sorted(likelihood_examples())),
    size=st.sampled_from([1e-6, 1e-3, 0.1, 3.0]),
)
def test_no_gap_is_below_the_excess(seed: int, n: int, p: int, family: str, size: float) -> None:
    """More columns than rows, coefficients set to 0, several priors: the bound is a bound."""
    rng = np.random.default_rng(seed)
    likelihood = likelihood_examples()[family]
    X = rng.normal(size=(n, p))
    y = likelihood.draw(X[:, :1].T, np.ones(n), rng)[0]
    y[:2] = 0.0, 1.0
    priors = [br.Normal(3.0), br.Laplace(0.3), br.ElasticNet(0.5, 10.0), br.Laplace(5.0)]
    problem = br.Problem(X, y, likelihood=likelihood, prior=priors[seed % 4])
    mode = br.find_map(problem)
    coef = mode.coef + size * rng.normal(size=p) * (rng.random(p) < 0.5)
    coef[rng.integers(p)] = 0.0
    excess = problem.penalised(coef, mode.intercept) - problem.penalised(mode.coef, mode.intercept)
    assert br.certify(problem, coef, mode.intercept).gap >= excess * (1 - 1e-9) - 1e-9


def test_verdict_does_not_depend_on_the_units_of_a_column() -> None:
    """Scaling a column and its prior leaves gap and KKT residual alone."""
    problem = BANK["gaussian-laplace-b0-plain"]
    coef = solve(problem).coef + 0.01
    units = np.array([1e-6, 1.0, 1e3, 1e6, 1.0])
    d = problem.design
    scaled = br.Problem(
        d.X * units,
        d.y,
        likelihood=problem.likelihood,
        prior=problem.coef_prior.rescaled(1 / units),
    )
    one, two = br.certify(problem, coef), br.certify(scaled, coef / units)
    assert two.kkt == pytest.approx(one.kkt, rel=1e-9)
    assert two.gap == pytest.approx(one.gap, rel=1e-9)


def test_duplicate_columns_are_an_optimum_not_proved_unique() -> None:
    """Whatever the split between them; with a square in the penalty there is only one."""
    rng = np.random.default_rng(1)
    x, noise = rng.normal(size=(30, 1)), rng.normal(size=30)
    X, y = np.hstack([x, x]), 2 * x[:, 0] + noise
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.2))
    mode = solve(problem)
    total = mode.coef.sum()
    for share in (0.0, 0.3, 1.0):
        certificate = br.certify(problem, [share * total, (1 - share) * total], mode.intercept)
        assert certificate.optimal
        assert not certificate.unique
    assert not br.certify(problem, [1.5 * total, -0.5 * total], mode.intercept).optimal
    net = problem.with_prior(br.ElasticNet(0.2, 3.0))
    mode = solve(net)
    assert br.certify(net, mode.coef, mode.intercept).unique


def test_large_offsets_are_judged_at_their_own_rounding() -> None:
    """A column at 1e9 ± 1 has no more digits to give; the verdict allows for that and no more."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(50, 3))
    y = X @ [1.0, 0.0, -1.0] + rng.normal(size=50)
    X[:, 0] += 1e9
    problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=br.Laplace(0.1))
    mode = solve(problem)
    assert br.certify(problem, mode.coef, mode.intercept).optimal
    worse = mode.coef + np.array([0.0, 0.01, 0.0])
    assert not br.certify(problem, worse, mode.intercept).optimal


def test_a_column_of_zeros_must_have_a_zero_coefficient() -> None:
    """Its coefficient is prior alone."""
    problem = br.Problem(
        [[0.0, 1.0], [0.0, 2.0]],
        [1.0, 2.0],
        likelihood=br.Gaussian(1.0),
        prior=br.Laplace(1.0),
        intercept=False,
    )
    mode = solve(problem)
    assert br.certify(problem, mode.coef).optimal
    assert not br.certify(problem, mode.coef + np.array([1e-12, 0.0])).optimal


def test_joint_certificate_sees_sigma() -> None:
    """A joint stationary point is one in sigma too."""
    base = BANK["gaussian-laplace-b0-plain"]
    problem = br.Problem(
        base.design.X,
        base.design.y,
        likelihood=br.Gaussian(br.HalfNormal(1.0)),
        prior=br.Laplace(0.3, relative_to="sigma"),
    )
    fit = br.find_map(problem)
    assert fit.sigma is not None
    assert br.certify(problem, fit.coef, fit.intercept, sigma=fit.sigma).optimal
    other = br.find_map(problem, given={"sigma": 1.1 * fit.sigma})
    assert other.certificate.optimal
    off = br.certify(problem, other.coef, other.intercept, sigma=1.1 * fit.sigma)
    assert not off.optimal
    assert off.worst == "sigma"


def test_rejects_find_map_of_pymc_tolerance() -> None:
    """An answer a thousandth of a nat above the optimum, without zeros, is not certified."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    problem = br.Problem(
        X, y, likelihood=br.Gaussian(54.0), prior=br.Laplace(16.5), standardize=True
    )
    mode = solve(problem)
    smoothed = np.where(mode.coef == 0, 1e-4, mode.coef)
    certificate = br.certify(problem, smoothed, mode.intercept)
    assert certificate.kkt > 1e-3
    assert not certificate.optimal


def test_bad_input() -> None:
    """Wrong lengths and unknown scales are errors, not verdicts."""
    problem = BANK["gaussian-laplace-b0-plain"]
    with pytest.raises(InputError, match=r"coef: must have shape \(5,\)"):
        br.certify(problem, [1.0])
    unknown = br.Problem.of(problem.design, br.Gaussian(br.HalfNormal(1.0)), problem.prior)
    with pytest.raises(InputError, match="sigma is unknown"):
        br.certify(unknown, np.zeros(5))


def test_certificate_is_frozen() -> None:
    """A verdict cannot be edited in place."""
    problem = BANK["gaussian-normal-b0-plain"]
    certificate = br.certify(problem, np.zeros(5))
    with pytest.raises(AttributeError):
        certificate.optimal = True  # type: ignore[misc]
    assert replace(certificate, optimal=True).optimal
