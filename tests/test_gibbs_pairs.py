"""Coefficients with heavy tails, each drawn together with its local variance."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from arviz_stats.base import array_stats  # type: ignore[attr-defined]
from scipy import integrate

import bayesreg as br
from bayesreg.posterior.gibbs import _single, gaussian
from bayesreg.posterior.gibbs.plan import (
    GENERALIZED_PARETO,
    HORSESHOE,
    REGULARIZED_HORSESHOE,
    STUDENT_T,
    Plan,
)
from bayesreg.posterior.gibbs.rows import Rows
from bayesreg.priors import RegularizedHorseshoe
from tests.calibration import calibrate
from tests.posterior_bank import TEMPLATES
from tests.test_posterior_calibration import BY_NAME, FALSE_ALARM, FULL, LIGHT

if TYPE_CHECKING:
    from bayesreg.priors import Prior

#: Family, its prior of scale 0.3, and the first number of its shape.
FAMILIES: dict[str, tuple[int, Prior, float]] = {
    "student-t": (STUDENT_T, br.StudentT(nu=3.0, scale=0.3), 3.0),
    "double-pareto": (GENERALIZED_PARETO, br.GeneralizedDoublePareto(shape=2.0, scale=0.3), 2.0),
    "horseshoe": (HORSESHOE, br.Horseshoe(0.3), 0.0),
    "regularized": (
        REGULARIZED_HORSESHOE,
        RegularizedHorseshoe(0.3, slab_scale=2.0, slab_df=math.inf),
        0.25,
    ),
}
#: The data of one coefficient, d and e: nothing, a coefficient near 0, between, and far out.
DATA = [(0.0, 0.0), (4.0, 1.0), (25.0, 60.0), (9.0, 90.0)]
DRAWS = 8000


def expected(prior: Prior, d: float, e: float) -> tuple[float, float]:
    """Return the means of tanh(β) and of exp(−|β|) by quadrature."""

    def density(beta: float) -> float:
        log_prior = float(prior.log_density(np.array([beta])))
        return math.exp(log_prior + e * beta - 0.5 * d * beta * beta - top)

    peak = e / d if d else 0.0
    top = max(e * peak - 0.5 * d * peak * peak, 0.0)
    edges = [-np.inf, -2.0, -0.3, -1e-3, 0.0, 1e-3, 0.3, 2.0, peak + 2.0, np.inf]
    edges = sorted({*edges, peak})

    def integral(weight: Any) -> float:
        return sum(
            integrate.quad(lambda b: weight(b) * density(b), low, high, limit=200)[0]
            for low, high in pairwise(edges)
        )

    whole = integral(lambda _: 1.0)
    return integral(math.tanh) / whole, integral(lambda b: math.exp(-abs(b))) / whole


@pytest.mark.parametrize(("d", "e"), DATA)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_pair_has_the_posterior_of_one_coefficient(name: str, d: float, e: float) -> None:
    """By quadrature of the prior times what the data say."""
    family, prior, shape = FAMILIES[name]
    rng = np.random.default_rng(5)
    beta, shapes = np.array([0.2]), np.array([[shape, math.inf]])
    aux = np.array([[1.0, 0.25]])
    draws = np.empty(DRAWS)
    for i in range(DRAWS):
        beta[0] = _single._draw_pair(0, family, 0.3, d, e, beta, shapes, aux, rng)
        draws[i] = beta[0]
    for values, mean in zip(
        (np.tanh(draws), np.exp(-np.abs(draws))), expected(prior, d, e), strict=True
    ):
        error = float(array_stats.mcse(values[None], method="mean"))  # type: ignore[no-untyped-call]
        assert abs(values.mean() - mean) < 5.5 * error


HEAVY = [
    f"{kind}-{name}"
    for name in ("cauchy", "double-pareto", "horseshoe", "regularized-horseshoe-t")
    for kind in ("gaussian", "sigma", "scale", "both", "relative")
    if f"{kind}-{name}" in TEMPLATES
]


def _always(monkeypatch: pytest.MonkeyPatch, passes: int) -> None:
    monkeypatch.setattr(gaussian, "_passes", lambda _plan, _data: passes)


@pytest.mark.parametrize("name", ["both-horseshoe", "relative-double-pareto"])
def test_pairs_are_calibrated(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the routes by products and by rows."""
    _always(monkeypatch, 2)
    verdict = calibrate(BY_NAME["gibbs"], TEMPLATES[name], LIGHT)
    assert verdict.p > FALSE_ALARM, verdict


@pytest.mark.parametrize("name", ["bernoulli-scale-cauchy", "student-relative-horseshoe"])
def test_pairs_with_precisions_of_the_rows_are_calibrated(name: str) -> None:
    """Where the rows' precisions are drawn too, pairs are part of every step."""
    verdict = calibrate(BY_NAME["gibbs"], TEMPLATES[name], LIGHT)
    assert verdict.p > FALSE_ALARM, verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", [*HEAVY, "spike-and-horseshoe"])
def test_all_pairs_are_calibrated(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every family with heavy tails, whatever is unknown."""
    _always(monkeypatch, 2)
    verdict = calibrate(BY_NAME["gibbs"], TEMPLATES[name], FULL)
    print(f"pairs  {name:32} {FULL:5} simulations: {verdict}")  # noqa: T201  (for the record of a slow run)
    assert verdict.p > FALSE_ALARM, verdict


def test_passes_are_made_where_they_cost_little_beside_a_joint_draw() -> None:
    """None for ten columns, some for hundreds, none under light tails."""
    rng = np.random.default_rng(0)

    def passes(n: int, p: int, prior: Prior) -> int:
        X, y = rng.normal(size=(n, p)), rng.normal(size=n)
        problem = br.Problem(X, y, likelihood=br.Gaussian(1.0), prior=prior)
        plan = Plan.of(problem)
        data = gaussian._data(plan, Rows.of(plan))
        return gaussian._passes(plan, data)

    assert passes(50, 10, br.Horseshoe(1.0)) == 0
    assert passes(300, 200, br.Horseshoe(1.0)) == 2
    assert passes(100, 400, br.Horseshoe(1.0)) > 0
    assert passes(300, 200, br.Laplace(1.0)) == 0
