"""Simulation-based calibration: does a sampler draw from the posterior that was asked for.

Parameters θ are drawn from the prior, data from the likelihood at θ. Given the data, θ and
independent draws of the posterior are exchangeable, so the rank of any function of θ (and of the
data) among them is uniform (Talts et al. 2018). A function that depends on the data, the log
likelihood, also sees a sampler that looks at them too little or not at all; the size Σ|β| sees a
prior that is too wide, under which every interval still covers (Modrák et al. 2023).

A flat intercept or coefficient cannot be drawn; it is set to 0. Under Gaussian noise that changes
nothing: a shift of the data shifts the posterior, so ranks do not depend on where it is. Under
other likelihoods there is no such symmetry, and no such problem here. A target that a likelihood
refuses (one class only) is drawn again together with its parameters: leaving out data sets leaves
the posterior given the others as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from arviz_stats.base import array_stats  # type: ignore[attr-defined]
from scipy import stats

from bayesreg.blocks import Blocks
from bayesreg.errors import InputError
from bayesreg.likelihoods import Noise
from bayesreg.posterior.base import Settings
from bayesreg.posterior.density import log_likelihood, noise_sd
from bayesreg.priors import Flat, Prior
from bayesreg.problem import Problem
from bayesreg.scale_priors import (
    Exponential,
    HalfCauchy,
    HalfNormal,
    InverseGamma,
    ScalePrior,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from bayesreg.posterior.base import Sampler

type Numbers = NDArray[np.float64]
type Ranks = NDArray[np.intp]

#: Draws that a true value is ranked among; ranks run from 0 to this.
RANKS = 99
#: Autocorrelation times between the draws that are kept.
APART = 2.0
#: Draws between those that are kept, to begin with, and at most.
FIRST_THIN, LAST_THIN = 4, 1024
#: Rounding error of a p-value.
SMALLEST_P = 1e-12
#: Sizes of y beyond which a data set is drawn again: a Poisson mean of 10^19 is no number to draw.
LARGEST_COUNT = 1e4

_DRAWS: dict[type[ScalePrior], Callable[..., float]] = {
    HalfNormal: lambda prior, rng: abs(rng.normal(0.0, prior.scale)),
    HalfCauchy: lambda prior, rng: abs(prior.scale * rng.standard_cauchy()),
    Exponential: lambda prior, rng: rng.exponential(prior.scale),
    InverseGamma: lambda prior, rng: (prior.scale / rng.standard_gamma(prior.shape)) ** 0.5,
}


def draw_scale(prior: ScalePrior, rng: np.random.Generator) -> float:
    """Draw sigma or a scale from its prior (the root of an inverse gamma square)."""
    return float(_DRAWS[type(prior)](prior, rng))


def draw_coef(prior: Prior, p: int, rng: np.random.Generator) -> Numbers:
    """Draw coefficients from a prior, shape (p,); 0 where it is flat."""
    if isinstance(prior, Flat):
        return np.zeros(p)
    if not isinstance(prior, Blocks):
        return np.asarray(prior.draw(p, rng, 1)[0])
    coef = np.empty(p)
    for part, columns in prior.parts:
        coef[list(columns)] = draw_coef(part, len(columns), rng)
    return coef


def drawn(prior: Prior, p: int) -> NDArray[np.bool_]:
    """Tell which coefficients have a prior that can be drawn from, shape (p,)."""
    out = np.full(p, not isinstance(prior, Flat))
    for part, columns in prior.parts if isinstance(prior, Blocks) else ():
        out[list(columns)] = drawn(part, len(columns))
    return out


def with_target(problem: Problem, y: Numbers) -> Problem:
    """Return the same problem with another target."""
    problem.likelihood.check_target(y)
    return Problem.of(replace(problem.design, y=y), problem.likelihood, problem.prior)


def simulate(template: Problem, rng: np.random.Generator) -> tuple[Problem, dict[str, Numbers]]:
    """Draw parameters and a target; return the problem and the truth, as one draw of one chain."""
    design = template.design
    while True:
        unknown = {name: draw_scale(q, rng) for name, q in template.hyperpriors().items()}
        known = template.given(**unknown)
        beta = draw_coef(known.coef_prior, known.p, rng)
        eta = known.predictor(beta)
        if not isinstance(known.likelihood, Noise) and eta.max() > np.log(LARGEST_COUNT):
            eta = np.minimum(eta, 40.0)  # a count that is refused below, or a certain 1
        y = known.likelihood.draw(eta[None], design.row_weights, rng)[0]
        try:
            problem = with_target(template, y)
        except InputError:
            continue
        if isinstance(known.likelihood, Noise) or y.max() <= LARGEST_COUNT:
            break
    truth = {"beta": beta} | {name: np.array(value) for name, value in unknown.items()}
    if design.intercept:
        truth["intercept"] = np.zeros(())
    return problem, {name: value[None, None] for name, value in truth.items()}


def quantities(problem: Problem, posterior: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Return what is ranked: every unknown, the size Σ|β| and the log likelihood; (draws,) each.

    Flat coefficients are no part of the size: a shift of the data does not shift it.
    """
    draws = dict(posterior)
    beta = draws["beta"]
    intercept = draws.get("intercept", np.zeros(beta.shape[:-1]))
    rows = log_likelihood(problem, beta, intercept, noise_sd(problem, draws))
    out = {f"beta[{j}]": beta[..., j] for j in range(problem.p)}
    out |= {name: draws[name] for name in ("intercept", "sigma", "scale") if name in draws}
    out["size"] = np.abs(beta[..., drawn(problem.prior, problem.p)]).sum(axis=-1)
    out["log likelihood"] = rows.sum(axis=-1)
    return {name: value.ravel() for name, value in out.items()}


def autocorrelation_time(values: dict[str, Numbers]) -> float:
    """Return draws per effective draw of the quantity that mixes worst; constant ones are none."""
    moving = [value for value in values.values() if np.ptp(value) > 0]
    sizes = [float(array_stats.ess(value[None])) for value in moving]  # type: ignore[no-untyped-call]
    return moving[0].size / min(sizes) if moving else 1.0


@dataclass
class Ranker:
    """Ranks truths among draws of a sampler, and learns how far apart these must be.

    Attributes
    ----------
    sampler : Sampler
        Who draws.
    kept : int
        Draws that a truth is ranked among.
    tune : int
        Tuning or burn-in.
    needed : list of float
        Draws per draw that is kept that each simulation so far turned out to need.
    """

    sampler: Sampler
    kept: int = RANKS
    tune: int = 200
    needed: list[float] = field(default_factory=list)

    @property
    def thin(self) -> int:
        """Draws per draw that is kept that are tried first: enough for nine in ten so far."""
        usual = np.quantile(self.needed, 0.9) if self.needed else 0.0
        return min(max(FIRST_THIN, int(usual) + 1), LAST_THIN)

    def _draw(self, problem: Problem, thin: int, rng: np.random.Generator) -> dict[str, Numbers]:
        settings = Settings(
            draws=self.kept * thin, chains=1, tune=self.tune, target_accept=0.9, progress=False
        )
        return quantities(problem, self.sampler.draw(problem, settings, rng).posterior)

    def ranks(
        self, problem: Problem, truth: dict[str, Numbers], rng: np.random.Generator
    ) -> dict[str, int]:
        """Rank the truth among draws at least `APART` autocorrelation times apart."""
        thin = self.thin
        while True:
            values = self._draw(problem, thin, rng)
            needed = APART * autocorrelation_time(values)
            if needed <= thin or thin >= LAST_THIN:
                break
            thin = min(max(2 * thin, int(1.5 * needed)), LAST_THIN)
        self.needed.append(needed)
        true = quantities(problem, truth)
        return {name: rank(true[name][0], value[::thin], rng) for name, value in values.items()}


def rank(truth: float, draws: Numbers, rng: np.random.Generator) -> int:
    """Count the draws below the truth; those that equal it fall on either side at random."""
    ties = int((draws == truth).sum())
    return int((draws < truth).sum()) + int(rng.integers(ties + 1))


# --------------------------------------------------------------------------- uniform or not


@lru_cache
def _tails(simulations: int, cells: int) -> Numbers:
    """Twice the smaller tail of the count of ranks below each cell's end, (cells − 1, counts)."""
    share = np.arange(1, cells)[:, None] / cells
    counts = np.arange(simulations + 1)
    below = stats.binom.cdf(counts, simulations, share)
    above = stats.binom.sf(counts - 1, simulations, share)
    return 2 * np.minimum(below, above)


def p_value(ranks: Ranks, cells: int = RANKS + 1) -> float:
    """Probability that uniform ranks leave the envelope that these ranks just touch.

    The envelope of Säilynoja, Bürkner & Vehtari (2022): at each of the cells' ends the central
    interval of a binomial count, all at one level γ, here the smallest tail that was seen. That
    uniform ranks stay inside everywhere is exact: counts of cells are independent Poisson counts
    given their sum, so the law of the paths inside is one convolution per cell.

    Parameters
    ----------
    ranks : ndarray of int, shape (simulations,)
        Ranks from 0 to ``cells − 1``.
    cells : int
        How many values a rank may take.
    """
    simulations = ranks.size
    tails = _tails(simulations, cells)
    counts = np.cumsum(np.bincount(ranks, minlength=cells))[:-1]
    inside = tails > tails[np.arange(cells - 1), counts].min()
    mean = simulations / cells
    cell = stats.poisson.pmf(np.arange(min(simulations, int(mean + 12 * mean**0.5 + 30)) + 1), mean)
    paths = np.eye(1, simulations + 1)[0]
    for stay in inside:
        paths = np.convolve(paths, cell)[: simulations + 1] * stay
    last = np.convolve(paths, cell)[simulations] / stats.poisson.pmf(simulations, simulations)
    return float(np.clip(1.0 - last, SMALLEST_P, 1.0))


@dataclass(frozen=True)
class Verdict:
    """What ranks say.

    Attributes
    ----------
    p_values : dict of str to float
        Of each quantity.
    thin : int
        The thinning that was reached.
    """

    p_values: dict[str, float]
    thin: int

    @property
    def worst(self) -> str:
        """The quantity whose ranks are least uniform."""
        return min(self.p_values, key=lambda name: self.p_values[name])

    @property
    def p(self) -> float:
        """The smallest p-value, times the number of quantities (Bonferroni)."""
        return min(1.0, len(self.p_values) * self.p_values[self.worst])

    def __str__(self) -> str:
        """Say the verdict in a line."""
        return f"p = {self.p:.1e} ({self.worst}), thinned {self.thin}-fold"


def calibrate(
    sampler: Sampler, template: Problem, simulations: int, *, kept: int = RANKS, seed: int = 7
) -> Verdict:
    """Simulate, rank among so many draws, and judge."""
    rng = np.random.default_rng(seed)
    ranker, found = Ranker(sampler, kept), dict[str, list[int]]()
    for _ in range(simulations):
        problem, truth = simulate(template, rng)
        for name, value in ranker.ranks(problem, truth, rng).items():
            found.setdefault(name, []).append(value)
    p_values = {name: p_value(np.array(ranks), kept + 1) for name, ranks in found.items()}
    return Verdict(p_values, ranker.thin)
