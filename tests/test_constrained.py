"""The constrained form: radius and multiplier, both directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bayesreg as br
from bayesreg.errors import DegenerateMode, InputError
from bayesreg.priors import GroupLaplace, Laplace, LInfinity, Normal, Prior, UniformBall
from tests.problems import P, data, likelihood_examples

LIKELIHOODS = likelihood_examples()
SCALES = np.array([0.05, 0.3, 1.0, 0.2, 4.0])
GROUPS = [[0, 2], [1, 3, 4]]
PENALISED: dict[str, Prior] = {
    "lasso": Laplace(0.4),
    "lasso-vector": Laplace(SCALES),
    "ridge": Normal(0.4),
    "ridge-vector": Normal(SCALES),
    "group": GroupLaplace(0.4, GROUPS),
    "group-vector": GroupLaplace(SCALES, GROUPS),
    "sup": LInfinity(0.4),
    "sup-vector": LInfinity(SCALES),
}


def problem(prior: Prior, family: str = "gaussian", *, standardize: bool = False) -> br.Problem:
    """Data of the bank under a prior."""
    X, y = data(LIKELIHOODS[family], 2)
    return br.Problem(X, y, likelihood=LIKELIHOODS[family], prior=prior, standardize=standardize)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("family", LIKELIHOODS)
@pytest.mark.parametrize("name", PENALISED)
def test_there_and_back(name: str, family: str, standardize: bool) -> None:
    """Penalised, constrained, penalised: the same coefficients, multiplier and scale."""
    asked = problem(PENALISED[name], family, standardize=standardize)
    there = br.constrained_form(asked)
    back = br.penalised_form(there.constrained)
    assert there.active
    assert back.active
    assert back.multiplier == pytest.approx(there.multiplier, rel=1e-9)
    assert back.scale == pytest.approx(there.scale, rel=1e-9)
    assert back.radius == there.radius
    np.testing.assert_allclose(back.coef, there.coef, rtol=1e-9, atol=1e-12)
    assert back.intercept == pytest.approx(there.intercept, rel=1e-9, abs=1e-12)
    # KKT: either answer is certified as a mode of either problem.
    for form in (there, back):
        for certified in (there, back):
            judged = br.certify(form.penalised, certified.coef, certified.intercept)
            assert judged.minimum
            assert br.certify(form.constrained, certified.coef, certified.intercept).kkt < 1e-8


@pytest.mark.parametrize("family", LIKELIHOODS)
@pytest.mark.parametrize("norm", ["l1", "l2", "linf", "group"])
def test_ball_there_and_back(norm: str, family: str) -> None:
    """Constrained, penalised, constrained: the same radius."""
    groups = GROUPS if norm == "group" else ()
    ball = UniformBall(0.3, norm, scale=SCALES, groups=groups)  # type: ignore[arg-type]
    there = br.penalised_form(problem(ball, family))
    back = br.constrained_form(there.penalised)
    ratio = back.radius / there.radius
    # A vector of scales comes back with the multiplier inside: radius times multiplier is the same.
    expected = there.scale if norm == "l2" else 1.0 / there.multiplier
    assert ratio * expected == pytest.approx(1.0, rel=1e-9)
    np.testing.assert_allclose(back.coef, there.coef, rtol=1e-9, atol=1e-12)


def test_closed_forms_on_one_column() -> None:
    """With x'x = 4, x'y = 6, σ = 1: the lasso at λ = 2 and the ridge at τ² = 1/2 give β = 1."""
    X, y = np.array([[2.0]]), [3.0]
    lasso = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=Laplace(0.5), intercept=False)
    form = br.constrained_form(lasso)
    assert (form.radius, form.multiplier, form.scale) == pytest.approx((1.0, 2.0, 0.5), rel=1e-14)
    ridge = lasso.with_prior(Normal(np.sqrt(0.5)))
    form = br.constrained_form(ridge)
    assert (form.radius, form.multiplier) == pytest.approx((1.0, 2.0), rel=1e-14)
    back = br.penalised_form(ridge.with_prior(UniformBall(1.0)))
    assert isinstance(back.penalised.prior, Normal)
    assert back.scale**2 == pytest.approx(0.5, rel=1e-13)


@settings(max_examples=20)
@given(radius=st.floats(0.01, 0.8), share=st.floats(0.1, 0.9))
def test_multiplier_is_the_slope_of_the_smallest_loss(radius: float, share: float) -> None:
    """It falls as the ball grows, and its integral is what the loss falls by, to second order."""
    asked = problem(UniformBall(1.0, "l1"))
    forms = [
        br.penalised_form(asked.with_prior(UniformBall(t, "l1"))) for t in (radius * share, radius)
    ]
    small, large = forms
    assert small.multiplier >= large.multiplier > 0
    fall = asked.loss(small.coef, small.intercept) - asked.loss(large.coef, large.intercept)
    width = radius - radius * share
    slack = 1e-9 * abs(fall)
    assert large.multiplier * width <= fall + slack
    assert fall <= small.multiplier * width + slack


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_a_ball_that_is_too_large_has_no_multiplier(norm: str) -> None:
    """The optimum without it is inside: flat prior, multiplier 0, infinite scale."""
    form = br.penalised_form(problem(UniformBall(100.0, norm)))  # type: ignore[arg-type]
    assert (form.active, form.multiplier, form.scale) == (False, 0.0, np.inf)
    expected = br.find_map(form.penalised)
    np.testing.assert_allclose(form.coef, expected.coef, rtol=1e-9)
    assert "not active" in str(form)


def test_it_reads_as_two_problems() -> None:
    """The text states radius, multiplier and both forms."""
    text = str(br.constrained_form(problem(Laplace(0.1))))
    assert "multiplier 10 nats per unit (active)" in text
    assert "Σ|βⱼ|/0.1" in text
    assert "‖β‖₁ ≤" in text


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (br.Flat(), "Flat has no constrained form"),
        (br.ElasticNet(1.0, 1.0), "ElasticNet has no constrained form"),
        (Normal(1.0, loc=1.0), "symmetric around 0"),
        (Laplace(1.0, nonnegative=True), "symmetric around 0"),
        (Laplace(np.array([1.0, np.inf, 1.0, 1.0, 1.0])), "without flat columns"),
        (Laplace(br.HalfCauchy(1.0)), "scale is unknown"),
    ],
)
def test_priors_without_a_ball_are_refused(prior: Prior, message: str) -> None:
    """And the message says why."""
    with pytest.raises(InputError, match=message):
        br.constrained_form(problem(prior))


def test_what_is_no_ball_is_refused() -> None:
    """A penalised problem has no radius to start from; a mode at 0 has a ball without volume."""
    with pytest.raises(InputError, match="must have a UniformBall prior, found Laplace"):
        br.penalised_form(problem(Laplace(1.0)))
    with pytest.raises(DegenerateMode, match="the ball is a point"):
        br.constrained_form(problem(Laplace(np.full(P, 1e-6))))


def test_what_is_no_problem_is_refused() -> None:
    """By name, in both directions."""
    for verb in (br.constrained_form, br.penalised_form):
        with pytest.raises(InputError, match="must be a bayesreg Problem"):
            verb("lasso")  # type: ignore[arg-type]
