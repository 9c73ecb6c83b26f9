"""Every sampler draws from the posterior that was asked for: ranks, and faults that they see.

Whatever sampler, prior and likelihood go together are calibrated (`tests/calibration.py`), a new
one by being registered: a few here at 100 simulations, all of them under ``-m slow`` at 1000 (NUTS
at 40). A right sampler fails one test in a million.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from scipy import special, stats

import bayesreg as br
from bayesreg.posterior import target
from bayesreg.posterior.base import Draws, Sampler
from bayesreg.posterior.sampling import SAMPLERS
from tests.calibration import (
    RANKS,
    calibrate,
    draw_scale,
    p_value,
    rank,
    simulate,
)
from tests.posterior_bank import TEMPLATES

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg.posterior.base import Settings
    from bayesreg.posterior.conditional import Array

FALSE_ALARM = 1e-6
LIGHT, FULL, OF_NUTS = 100, 1000, 40
BY_NAME = {sampler.name: sampler for sampler in SAMPLERS}
#: Of each kind of sampler one, in seconds.
QUICK = [
    ("exact", "flat-conjugate"),
    ("gibbs", "both-relative-laplace"),
    ("gibbs", "spike-and-horseshoe"),
    ("gibbs", "bernoulli-laplace"),
]


def fastest(problem: br.Problem) -> Sampler:
    """Return the sampler that "auto" would take."""
    return next(sampler for sampler in SAMPLERS if sampler.reason_against(problem) is None)


def pairs() -> dict[str, tuple[Sampler, str]]:
    """Every sampler with every posterior that it takes.

    NUTS, which is slow, with those that nobody else takes, one of each kind: elsewhere
    `test_posterior_agreement` compares it with a sampler that is calibrated here, which is sharper.
    """
    out, seen = {}, set()
    for sampler in SAMPLERS:
        for name, template in TEMPLATES.items():
            if sampler.approximate or sampler.reason_against(template) is not None:
                continue
            if sampler.name == "nuts":
                kind = (name.split("-")[0], type(template.prior))
                if kind in seen or fastest(template) is not sampler:
                    continue
                seen.add(kind)
            out[f"{sampler.name}-{name}"] = (sampler, name)
    return out


PAIRS = pairs()

# --------------------------------------------------------------------------- the samplers


@pytest.mark.parametrize(("method", "name"), QUICK, ids=["-".join(pair) for pair in QUICK])
def test_a_few_are_calibrated(method: str, name: str) -> None:
    """Unknown sigma and scale, flat columns, an atom at 0, a logistic likelihood."""
    verdict = calibrate(BY_NAME[method], TEMPLATES[name], LIGHT)
    assert verdict.p > FALSE_ALARM, verdict


@pytest.mark.slow
@pytest.mark.parametrize(("sampler", "name"), PAIRS.values(), ids=PAIRS)
def test_all_are_calibrated(sampler: Sampler, name: str) -> None:
    """Every sampler on every posterior that it takes."""
    simulations, kept = (OF_NUTS, 39) if sampler.name == "nuts" else (FULL, RANKS)
    verdict = calibrate(sampler, TEMPLATES[name], simulations, kept=kept)
    print(f"{sampler.name:6} {name:32} {simulations:5} simulations: {verdict}")  # noqa: T201  (for the record of a slow run)
    assert verdict.p > FALSE_ALARM, verdict


# --------------------------------------------------------------------------- planted faults


class Misled(Sampler):
    """Draws exactly from a posterior that was not asked for."""

    name: ClassVar[str] = "misled"
    advantage: ClassVar[str] = "none"

    def __init__(self, mislead: Callable[[br.Problem], br.Problem]) -> None:
        self.mislead = mislead

    def reason_against(self, problem: br.Problem) -> str | None:
        """Say nothing."""
        del problem
        return None

    def draw(self, problem: br.Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw from the wrong posterior."""
        wrong = self.mislead(problem)
        return fastest(wrong).draw(wrong, settings, rng)


class Deaf(Misled):
    """Draws from the prior, whatever the data."""

    def draw(self, problem: br.Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Draw coefficients from their prior."""
        beta = problem.coef_prior.draw(problem.p, rng, settings.draws)[None]
        return Draws({"beta": beta}, {}, complete=True, libraries=())


class Timid(Misled):
    """Draws deviations from the posterior mean that are a fifth too small."""

    def draw(self, problem: br.Problem, settings: Settings, rng: np.random.Generator) -> Draws:
        """Shrink right draws towards their mean."""
        right = fastest(problem).draw(problem, settings, rng)
        beta = right.posterior["beta"]
        mean = beta.mean(axis=(0, 1))
        return replace(right, posterior={**right.posterior, "beta": mean + 0.8 * (beta - mean)})


def _prior(prior: Any) -> Callable[[br.Problem], br.Problem]:
    return lambda problem: problem.with_prior(prior)


def _noise(sigma: Any) -> Callable[[br.Problem], br.Problem]:
    return lambda problem: br.Problem.of(problem.design, br.Gaussian(sigma), problem.prior)


X = np.array([[1.0, 0.5], [-0.5, 1.0], [1.0, -1.0], [0.3, 0.8]])


def _template(prior: Any, likelihood: Any = None, **more: Any) -> br.Problem:
    noise = br.Gaussian(1.0) if likelihood is None else likelihood
    return br.Problem(X, [0, 1, 0, 1], likelihood=noise, prior=prior, **more)


NO_LEVEL: dict[str, Any] = {"intercept": False}
SHAPE, RELATIVE = 1.5, br.Normal(0.5, relative_to="sigma")
GAMMA = br.Gaussian(br.InverseGamma(SHAPE, 1.0))
#: Scale b, and what takes its place where it is read as a rate, or as a variance.
B, SD = 0.25, 0.4


@dataclass(frozen=True)
class Fault:
    """A posterior and a sampler that is wrong about it; whether 100 simulations suffice."""

    template: br.Problem
    sampler: Sampler
    plain: bool = True


RIGHT: dict[str, br.Problem] = {
    "lasso": _template(br.Laplace(B), **NO_LEVEL),
    "ridge": _template(br.Normal(SD), **NO_LEVEL),
    "informed": _template(br.Normal(3.0), **NO_LEVEL),
    "conjugate": _template(RELATIVE, GAMMA),
    "hierarchical": _template(br.Normal(br.HalfNormal(1.0)), br.Gaussian(br.HalfNormal(1.0))),
    "weighted": _template(RELATIVE, GAMMA, weights=[4.0, 1.0, 0.25, 2.0]),
}
FAULTS: dict[str, Fault] = {
    "rate for scale": Fault(RIGHT["lasso"], Misled(_prior(br.Laplace(1 / B)))),
    "variance for sd": Fault(RIGHT["ridge"], Misled(_prior(br.Normal(SD**2)))),
    "sd for variance": Fault(RIGHT["ridge"], Misled(_prior(br.Normal(SD**0.5)))),
    "dropped prior of a lasso": Fault(RIGHT["lasso"], Misled(_prior(br.Flat()))),
    "dropped prior of a ridge": Fault(RIGHT["ridge"], Misled(_prior(br.Flat()))),
    # Drawing log σ² without dσ² = σ² dlog σ² multiplies the density by σ^−2: the shape by one more.
    "missing Jacobian": Fault(
        RIGHT["conjugate"], Misled(_noise(br.InverseGamma(SHAPE + 1, 1.0))), plain=False
    ),
    # The exponent of σ² is shape + (n − 1)/2 with an intercept.
    "n for n - 1": Fault(
        RIGHT["conjugate"], Misled(_noise(br.InverseGamma(SHAPE + 0.5, 1.0))), plain=False
    ),
    # σ² of the prior of β counted, its p/2 in the exponent forgotten.
    "n for n + p": Fault(
        RIGHT["conjugate"], Misled(_noise(br.InverseGamma(SHAPE - 1.0, 1.0))), plain=False
    ),
    "prior not relative to sigma": Fault(
        RIGHT["conjugate"], Misled(_prior(br.Normal(0.5))), plain=False
    ),
    "deaf to the data": Fault(RIGHT["informed"], Deaf(_prior(br.Flat()))),
    "a fifth too narrow": Fault(RIGHT["informed"], Timid(_prior(br.Flat())), plain=False),
    "weights forgotten": Fault(
        RIGHT["weighted"],
        Misled(
            lambda problem: br.Problem.of(
                replace(problem.design, weights=None), problem.likelihood, problem.prior
            )
        ),
        plain=False,
    ),
}
PLAIN = {name: fault for name, fault in FAULTS.items() if fault.plain}


@pytest.mark.parametrize("fault", PLAIN.values(), ids=PLAIN)
def test_few_simulations_see_a_gross_fault(fault: Fault) -> None:
    """A scale, a prior or the data taken for something else."""
    verdict = calibrate(fault.sampler, fault.template, LIGHT)
    assert verdict.p < FALSE_ALARM, verdict


@pytest.mark.slow
@pytest.mark.parametrize(("name", "fault"), FAULTS.items(), ids=FAULTS)
def test_many_simulations_see_every_fault(name: str, fault: Fault) -> None:
    """A power of sigma among them."""
    verdict = calibrate(fault.sampler, fault.template, FULL)
    print(f"fault  {name:32} {FULL:5} simulations: {verdict}")  # noqa: T201  (for the record of a slow run)
    assert verdict.p < FALSE_ALARM, verdict


@pytest.mark.slow
@pytest.mark.parametrize("template", RIGHT.values(), ids=RIGHT)
def test_the_right_sampler_is_not_accused(template: br.Problem) -> None:
    """On the posteriors that the faults are planted in."""
    verdict = calibrate(fastest(template), template, FULL)
    assert verdict.p > FALSE_ALARM, verdict


@pytest.mark.slow
def test_a_missing_jacobian_in_nuts_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of sigma without dσ = σ d log σ; for a scale it would leave no integral at all."""
    template = br.Problem(
        X[:3, :1],
        np.zeros(3),
        likelihood=br.Gaussian(br.HalfNormal(1.0)),
        prior=br.Laplace(B),
        intercept=False,
    )
    assert calibrate(BY_NAME["nuts"], template, 5 * OF_NUTS, kept=39).p > FALSE_ALARM
    monkeypatch.setattr(target, "log_jacobian", lambda _prior: 0.0)
    assert calibrate(BY_NAME["nuts"], template, 5 * OF_NUTS, kept=39).p < FALSE_ALARM


# --------------------------------------------------------------------------- the harness


def test_the_envelope_is_exact() -> None:
    """With two values a rank is a coin: the envelope's level is the binomial test's."""
    for ones in (3, 10, 14):
        ranks = np.repeat([0, 1], [20 - ones, ones])
        assert p_value(ranks, cells=2) == pytest.approx(stats.binomtest(ones, 20).pvalue, rel=1e-9)


def test_the_envelope_holds_uniform_ranks_as_often_as_it_says() -> None:
    """The p-value is uniform: its share below 5 %, and its whole law."""
    rng = np.random.default_rng(1)
    found = np.array([p_value(rng.integers(0, RANKS + 1, LIGHT)) for _ in range(1000)])
    assert abs((found <= 0.05).mean() - 0.05) < 5 * (0.05 * 0.95 / 1000) ** 0.5
    assert stats.kstest(found, "uniform").pvalue > FALSE_ALARM


@pytest.mark.parametrize(
    ("shift", "spread"), [(0.5, 1.0), (-0.5, 1.0), (0.0, 1.5), (0.0, 0.6)], ids=str
)
def test_every_shape_of_ranks_is_seen(shift: float, spread: float) -> None:
    """A truth that lies too high, too low, too far out or too far in."""
    level = special.ndtr(shift + spread * np.random.default_rng(2).normal(size=FULL))
    assert p_value((level * (RANKS + 1)).astype(np.intp)) < FALSE_ALARM


def test_ties_are_broken_at_random() -> None:
    """An atom at 0 leaves uniform ranks: a truth of 0 among draws of which half are 0."""
    rng = np.random.default_rng(3)

    def draw(size: int) -> Array:
        return np.where(rng.random(size) < 0.5, 0.0, rng.normal(size=size))

    ranks = [rank(draw(1)[0], draw(RANKS), rng) for _ in range(FULL)]
    assert p_value(np.array(ranks)) > FALSE_ALARM


@pytest.mark.parametrize(
    ("prior", "law"),
    [
        (br.HalfNormal(2.0), stats.halfnorm(scale=2.0)),
        (br.HalfCauchy(2.0), stats.halfcauchy(scale=2.0)),
        (br.Exponential(2.0), stats.expon(scale=2.0)),
    ],
)
def test_scales_are_drawn_from_their_priors(prior: Any, law: Any) -> None:
    """By their distribution functions, and the density that the samplers are given."""
    rng = np.random.default_rng(4)
    draws = [draw_scale(prior, rng) for _ in range(5000)]
    assert stats.kstest(draws, law.cdf).pvalue > FALSE_ALARM
    assert prior.log_density(1.7) == pytest.approx(law.logpdf(1.7))


def test_an_inverse_gamma_is_drawn_as_a_square() -> None:
    """Sigma is the root of what has the density."""
    prior, law = br.InverseGamma(1.5, 2.0), stats.invgamma(1.5, scale=2.0)
    rng = np.random.default_rng(5)
    draws = np.array([draw_scale(prior, rng) for _ in range(5000)])
    assert stats.kstest(draws**2, law.cdf).pvalue > FALSE_ALARM
    assert prior.log_density(1.7) == pytest.approx(law.logpdf(1.7**2))


def test_simulated_data_are_what_the_likelihood_says() -> None:
    """The residuals of a weighted problem with an offset, over sigma, are standard normal."""
    rng = np.random.default_rng(6)
    template, residuals = TEMPLATES["both-laplace"], []
    for _ in range(500):
        problem, truth = simulate(template, rng)
        design = problem.design
        left = design.y - problem.predictor(truth["beta"][0, 0], float(truth["intercept"][0, 0]))
        residuals.append(left * np.sqrt(design.row_weights) / truth["sigma"][0, 0])
    assert stats.kstest(np.concatenate(residuals), "norm").pvalue > FALSE_ALARM
