"""Small posteriors of every kind that a sampler may be asked for, to calibrate and to compare.

Each is a template: its target is a stand-in, and `calibration.simulate` draws one from the prior.
Few rows leave the prior much to say, and make one degree of freedom of sigma a large mistake.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

import bayesreg as br
from bayesreg.errors import InputError
from bayesreg.priors import RegularizedHorseshoe
from bayesreg.priors.base import Scaled
from tests.problems import P, every_example

if TYPE_CHECKING:
    from bayesreg.priors import Prior
    from bayesreg.scale_priors import ScalePrior

_RNG = np.random.default_rng(20081)
TALL = _RNG.normal(size=(8, P)) * np.geomspace(0.5, 2.0, P) + 0.5
WIDE = _RNG.normal(size=(3, P))
LONG = _RNG.normal(size=(14, P))
PLAIN: dict[str, Any] = {"intercept": False}
FULL: dict[str, Any] = {
    "weights": _RNG.uniform(0.5, 2.0, len(TALL)),
    "offset": _RNG.normal(size=len(TALL)),
    "standardize": True,
}
GAMMA = br.InverseGamma(2.0, 1.0)
#: Priors of sigma, or of a scale, in turn.
SIGMAS: tuple[ScalePrior, ...] = (
    GAMMA,
    br.HalfNormal(1.0),
    br.HalfCauchy(0.7),
    br.Exponential(1.0),
)
SCALES: tuple[ScalePrior, ...] = (br.HalfCauchy(0.5), br.HalfNormal(0.5), br.Exponential(0.5))


def proper_examples() -> dict[str, Prior]:
    """Every example of a prior that can be drawn from: a new prior is among them by itself."""
    rng, out = np.random.default_rng(0), dict[str, "Prior"]()
    for name, prior in every_example().items():
        try:
            prior.draw(P, rng, 1)
        except InputError:
            continue
        out[name] = prior
    return out


def scaled_examples() -> dict[str, Scaled]:
    """One of each family that may have an unknown scale, or one relative to sigma."""
    out: dict[type, tuple[str, Scaled]] = {}
    for name, prior in every_example().items():
        if isinstance(prior, Scaled) and not prior.nonnegative:
            out.setdefault(type(prior), (name, prior))
    return dict(out.values())


def _gaussian(X: Any, sigma: Any, prior: Any, **more: Any) -> br.Problem:
    return br.Problem(X, np.zeros(len(X)), likelihood=br.Gaussian(sigma), prior=prior, **more)


def _other(likelihood: Any, prior: Any) -> br.Problem:
    y = np.arange(len(LONG)) % 2
    return br.Problem(LONG, y, likelihood=likelihood, prior=prior, intercept=False)


def _mixed() -> dict[str, br.Problem]:
    """Blocks: flat columns, several priors, some relative to sigma and some with a scale."""
    flat = [(br.Laplace(0.5), [0, 3, 1]), (br.Flat(), [2, 4])]
    relative = br.Laplace(0.5, relative_to="sigma")
    mixed = [(br.Normal(br.HalfNormal(1.0), loc=0.5), [1, 3]), (relative, [0, 4]), (br.Flat(), [2])]
    normal = [(br.Normal(0.5, relative_to="sigma"), [0, 1, 4]), (br.Flat(), [2, 3])]
    spike = [(br.SpikeSlab(0.5, 1.0), [4, 1]), (br.Horseshoe(br.HalfCauchy(0.5)), [0, 2, 3])]
    return {
        "flat": _gaussian(TALL, 0.7, flat),
        "flat-sigma": _gaussian(TALL, GAMMA, flat, **FULL),
        "flat-conjugate": _gaussian(TALL, GAMMA, normal, **FULL),
        "mixed": _gaussian(TALL, br.HalfNormal(1.0), mixed, **FULL),
        "spike-and-horseshoe": _gaussian(TALL, br.HalfCauchy(1.0), spike, **FULL),
    }


def _student() -> dict[str, br.Problem]:
    """Student-t noise under every prior, sigma known and unknown in turn, and what is scaled."""
    sigmas: list[float | ScalePrior] = [0.7, GAMMA, 0.4, br.HalfNormal(1.0)]
    out, noises = dict[str, br.Problem](), cycle(sigmas)
    weights = np.geomspace(0.5, 2.0, len(LONG))

    def make(prior: Prior, **more: Any) -> br.Problem:
        noise = br.StudentTNoise(nu=3.0, sigma=next(noises))
        return br.Problem(LONG, np.zeros(len(LONG)), likelihood=noise, prior=prior, **more)

    for name, prior in proper_examples().items():
        out[f"student-{name}"] = make(prior, intercept=False, weights=weights)
    for name, prior in scaled_examples().items():
        out[f"student-scale-{name}"] = make(replace(prior, scale=br.HalfNormal(0.5)))
        if not isinstance(prior, RegularizedHorseshoe):  # refuses what is relative to sigma
            relative = replace(prior, scale=0.4, relative_to="sigma")
            out[f"student-relative-{name}"] = make(relative, intercept=False)
    flat: Any = [(br.Laplace(0.5), [0, 3, 1]), (br.Flat(), [2, 4])]
    return out | {"student-flat": make(flat)}


def templates() -> dict[str, br.Problem]:
    """Likelihood × prior × what is unknown; designs and hyperpriors take turns."""
    out, designs = dict[str, br.Problem](), cycle([(TALL, PLAIN), (WIDE, PLAIN), (TALL, FULL)])
    sigmas, scales = cycle(SIGMAS), cycle(SCALES)
    for name, prior in proper_examples().items():
        X, more = next(designs)
        out[f"gaussian-{name}"] = _gaussian(X, 0.7, prior, **more)
        out[f"sigma-{name}"] = _gaussian(TALL, next(sigmas), prior, **FULL)
        out[f"bernoulli-{name}"] = _other(br.Bernoulli(), prior)
        out[f"poisson-{name}"] = _other(br.Poisson(), prior)
    for name, prior in scaled_examples().items():
        X, more = next(designs)
        unknown, narrow = (replace(prior, scale=s) for s in (next(scales), br.HalfNormal(0.5)))
        out[f"scale-{name}"] = _gaussian(X, 0.7, unknown, **more)
        out[f"both-{name}"] = _gaussian(TALL, next(sigmas), unknown, **FULL)
        out[f"bernoulli-scale-{name}"] = _other(br.Bernoulli(), narrow)
        out[f"poisson-scale-{name}"] = _other(br.Poisson(), narrow)
        if isinstance(prior, RegularizedHorseshoe):  # refuses what is relative to sigma
            continue
        relative = replace(prior, scale=0.4, relative_to="sigma")
        both = replace(prior, scale=next(scales), relative_to="sigma")
        out[f"conjugate-{name}"] = _gaussian(TALL, GAMMA, relative, **FULL)
        out[f"relative-{name}"] = _gaussian(WIDE, next(sigmas), relative)
        out[f"both-relative-{name}"] = _gaussian(TALL, next(sigmas), both, **FULL)
    return out | _mixed() | _student()


TEMPLATES = templates()
