"""Joint densities of a scale and what it scales: unbounded, or not, whatever the starts find."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytest

from bayesreg.errors import DegenerateMode
from bayesreg.model_map import ModelMapEstimate, find_model_map

if TYPE_CHECKING:
    from collections.abc import Callable

F = np.float64
RNG = np.random.default_rng(0)
Z = RNG.standard_normal((60, 6))
Y = 2.5 + Z @ np.array([2.0, 0, 0, -1, 0, 0]) + 1.4 * RNG.standard_t(4, 60)


def robust(scale: Callable[[], Any], child: type = pm.StudentT) -> pm.Model:
    """Six effects of a common scale under Student-t noise: heavy tails let two of them stay out."""
    with pm.Model() as model:
        tau = scale()
        settings = {"nu": F(4)} if child is pm.StudentT else {}
        b = child("b", **settings, mu=F(0), sigma=tau, shape=6)
        pm.StudentT("o", nu=F(4), mu=2.5 + Z @ b, sigma=F(1.4), observed=Y)
    return model


def found(model: pm.Model, **options: Any) -> ModelMapEstimate:
    """Search from two starts, which all end at the local mode in the middle."""
    return find_model_map(model, **({"starts": 2, "seed": 1} | options))


@pytest.mark.parametrize(
    ("scale", "child"),
    [
        (lambda: pm.HalfCauchy("tau", F(1)), pm.StudentT),
        (lambda: pm.Uniform("tau", F(0), F(5)), pm.StudentT),
        (lambda: pm.Gamma("tau", F(2), F(1)), pm.Normal),  # tau · tau⁻⁶
    ],
    ids=["half-cauchy", "uniform", "gamma-2"],
)
def test_a_scale_that_collapses_is_refused_by_name(scale: Callable[[], Any], child: type) -> None:
    """Also where every start ends at a local mode: the density grows like tau⁻⁶ elsewhere."""
    with pytest.raises(DegenerateMode, match=r"^tau: the density is unbounded.*tau_\w+__"):
        found(robust(scale, child))


def test_a_precision_that_runs_to_infinity_is_refused() -> None:
    """Half-Cauchy: p³ p⁻² at the centre of six normal variables; a gamma prior ends that."""
    with pm.Model() as model:
        p = pm.HalfCauchy("p", F(2))
        b = pm.Normal("b", F(0), tau=p, shape=6)
        pm.StudentT("o", nu=F(4), mu=2.5 + Z @ b, sigma=F(1.4), observed=Y)
    with pytest.raises(DegenerateMode, match=r"^p: the density is unbounded"):
        found(model)


def test_one_of_many_scales_may_collapse_alone() -> None:
    """A gamma(2) prior outlasts the one effect of the first group, not the four of the second."""
    group = np.array([0, 1, 1, 1, 1])
    with pm.Model() as model:
        tau = pm.Gamma("tau", F(2), F(1), shape=2)
        b = pm.Normal("b", F(0), tau[group], shape=5)
        pm.StudentT("o", nu=F(4), mu=2.5 + Z[:, :5] @ b, sigma=F(1.4), observed=Y)
    with pytest.raises(DegenerateMode, match=r"^tau: the density is unbounded.*tau_log__\[1\]"):
        found(model)


def test_scales_of_scales_collapse_together() -> None:
    """Local scales follow the global one: at the centre each density is one of ratios."""
    with pm.Model() as model:
        tau = pm.HalfNormal("tau", F(1))
        local = pm.HalfCauchy("local", tau, shape=3)
        b = pm.StudentT("b", nu=F(4), mu=F(0), sigma=local, shape=3)
        pm.StudentT("o", nu=F(4), mu=2.5 + Z[:, :3] @ b, sigma=F(1.4), observed=Y)
    with pytest.raises(DegenerateMode, match=r"^(tau|local): the density is unbounded"):
        found(model)


@pytest.mark.parametrize(
    ("scale", "child"),
    [
        (lambda: pm.InverseGamma("tau", F(2), F(1)), pm.StudentT),
        (lambda: pm.LogNormal("tau", F(0), F(1)), pm.Normal),
        (lambda: pm.Gamma("tau", F(8), F(1)), pm.Normal),  # tau⁷ · tau⁻⁶
    ],
    ids=["inverse-gamma", "log-normal", "gamma-8"],
)
def test_priors_that_vanish_fast_enough_leave_a_mode(scale: Callable[[], Any], child: type) -> None:
    """Faster than tau⁶ at 0."""
    fit = found(robust(scale, child))
    assert fit.certificate.stationary
    assert 0.1 < float(fit.values["tau"]) < 10
    assert np.abs(fit.values["b"]).max() > 1


def test_a_mode_far_down_is_found_and_is_no_collapse() -> None:
    """Log-normal of sd 3: (log tau)²/18 + 7 log tau has its minimum at log tau = −63."""
    fit = found(robust(lambda: pm.LogNormal("tau", F(0), F(3))))
    assert math.log(float(fit.values["tau"])) == pytest.approx(-63, rel=1e-9)
    assert len(fit.search.modes) == 2
    assert fit.search.reached < fit.search.starts


def test_the_jacobian_counts() -> None:
    """Of one effect: tau⁻¹ on the scale of tau, a constant, so no collapse, on that of log tau."""

    def single(jacobian: bool) -> ModelMapEstimate:
        with pm.Model() as model:
            tau = pm.HalfNormal("tau", F(1))
            b = pm.Normal("b", F(0), tau)
            pm.StudentT("o", nu=F(4), mu=2.5 + 2 * Z[:, 0] * b, sigma=F(1.4), observed=Y)
        return found(model, jacobian=jacobian)

    with pytest.raises(DegenerateMode, match="unbounded"):
        single(jacobian=False)
    assert single(jacobian=True).certificate.stationary
