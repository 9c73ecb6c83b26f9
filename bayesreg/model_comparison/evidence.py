"""log_marginal_likelihood: the log density of the data under a model, and how far to trust it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg._validation import as_count, as_generator
from bayesreg._visible import shown
from bayesreg.blocks import Blocks
from bayesreg.errors import InputError, NoClosedForm, SamplingWarning, unknown_name
from bayesreg.model_comparison import _spike
from bayesreg.model_comparison._bridge import bridge
from bayesreg.model_comparison._contrasts import without_intercept
from bayesreg.posterior import diagnose, posterior_moments, sample
from bayesreg.posterior.density import reason_against_prior
from bayesreg.posterior.drawn import read_draws
from bayesreg.posterior.exact import reason_against
from bayesreg.posterior.tails import flat_positions
from bayesreg.priors import SpikeSlab
from bayesreg.scale_priors import HalfFlat

if TYPE_CHECKING:
    from xarray import DataTree

    from bayesreg.problem import Problem

METHODS = ("auto", "exact", "bridge", "models")
# A standard error, in nats, from which on a Bayes factor says little.
_LARGE_ERROR = 0.3
# Draws per chain below which halves of them say nothing of each other.
_LEAST_DRAWS = 8
# R-hat above which chains disagree by more than an error that is estimated within them.
_RHAT = 1.05


@dataclass(frozen=True)
class MarginalLikelihood:
    """The log marginal likelihood of one model.

    Attributes
    ----------
    value : float
        ``log p(y)`` in nats.
    se : float
        Monte Carlo standard error of it, in nats; 0 where it is computed and not estimated.
    method : {"exact", "bridge", "models"}
        Closed form or quadrature; bridge sampling; a sum over which coefficients are 0.
    why : str
        What speaks for this method, and what was done.
    flat_intercept : bool
        Whether there is a flat intercept. It is given density 1 then, so that the number can be
        compared only with that of another model of the same data that has one too.
    caution : str
        What the draws have against them that their standard error does not see: chains that
        disagree, or one chain alone. Empty where nothing does.
    """

    value: float
    se: float
    method: str
    why: str
    flat_intercept: bool
    caution: str = ""

    def __str__(self) -> str:
        """Say the number, its error, where it comes from, and what speaks against it."""
        error = f" ± {self.se:.2g}" if self.se else ""
        flat = "; the flat intercept has density 1" if self.flat_intercept else ""
        caution = f"; {self.caution}" if self.caution else ""
        return f"log p(y) = {self.value:.3f}{error} nats ({self.why}{flat}){caution}"


def log_marginal_likelihood(
    problem: object,
    method: str = "auto",
    *,
    draws: DataTree | None = None,
    n_draws: int = 2000,
    chains: int = 4,
    seed: int | np.random.Generator | None = None,
) -> MarginalLikelihood:
    """Compute the log of the density of the data, with all unknowns integrated out.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The model; the prior of everything but the intercept is proper.
    method : {"auto", "exact", "bridge", "models"}
        "exact" is closed form or quadrature, to ten digits; "bridge" is bridge sampling; "models"
        is the sum over the models of a spike and slab. "auto" takes the first that there is.
    draws : xarray.DataTree, optional
        Of `bayesreg.sample`, of this posterior, for the last two; made where they are needed.
    n_draws, chains : int
        Draws per chain, and chains, where draws are made.
    seed : int or Generator, optional
        Of the draws, and of what bridge sampling draws.

    Returns
    -------
    MarginalLikelihood
        The number, its standard error, and how it was found.

    Raises
    ------
    InputError
        If a prior is improper, so that the number has an arbitrary constant; if an argument does
        not fit.
    NoClosedForm
        If ``method="exact"`` and there is none.
    ImproperPosterior
        If the posterior does not integrate.

    Warns
    -----
    SamplingWarning
        If the standard error is larger than 0.3 nats, a third of the number exp(value); if R-hat of
        the draws is above 1.05, or cannot be had from one chain.

    Notes
    -----
    Of Gaussian rows a flat intercept is integrated out first, exactly: what is left is a density of
    n − 1 contrasts, with or without a closed form. References: Meng & Wong (1996); Gronau et al.
    (2017); Frühwirth-Schnatter (2004).

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> problem = Problem([[1.0]], [2.0], likelihood=Gaussian(1.0), prior=Normal(scale=1.0),
    ...                   intercept=False)
    >>> found = log_marginal_likelihood(problem)  # log N(2; 0, 1² + 1²)
    >>> round(found.value, 4), found.se, found.method
    (-2.2655, 0.0, 'exact')
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    as_count(n_draws, "n_draws", minimum=_LEAST_DRAWS)
    as_count(chains, "chains")
    if isinstance(draws, Real):
        msg = (
            f"draws: is what bayesreg.sample returned; for {shown(draws)} draws per chain use "
            "n_draws"
        )
        raise InputError(msg)
    rng = as_generator(seed)
    asked, _ = as_problem(problem)
    asked = asked.dense("a marginal likelihood")
    reason = reason_against_evidence(asked)
    if reason is not None:
        raise InputError(reason)
    task = _Task(asked, draws, n_draws, chains, rng)
    if isinstance(asked.coef_prior, SpikeSlab):
        if method not in ("auto", "models"):
            msg = f'method: {method!r} does not take a spike and slab; use method="models"'
            raise InputError(msg)
        return task.over_models()
    if method == "models":
        msg = f'method: "models" takes a spike and slab, found {asked.prior.name}; use "auto"'
        raise InputError(msg)
    return task.solved(method)


def reason_against_evidence(problem: Problem) -> str | None:
    """Say why a model has no marginal likelihood that means anything; None where it has one.

    Examples
    --------
    >>> from bayesreg import Flat, Gaussian, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(1.0), prior=Flat())
    >>> print(reason_against_evidence(problem).split(":")[0])
    prior
    """
    for name, prior in problem.hyperpriors().items():
        if isinstance(prior, HalfFlat):
            return (
                f"{name}: has a flat prior, whose arbitrary constant would be one of the marginal "
                "likelihood; use HalfNormal or HalfCauchy"
            )
    flat = flat_positions(problem)
    if flat.size:
        return (
            f"prior: is flat on {problem.names[flat[0]]!r}, and its arbitrary constant would be "
            "one of the marginal likelihood; give it a finite scale"
        )
    parts = problem.coef_prior.parts if isinstance(problem.coef_prior, Blocks) else ()
    if any(isinstance(part, SpikeSlab) for part, _ in parts):
        return (
            "prior: is a spike and slab on some columns and another prior on others; a marginal "
            "likelihood takes a SpikeSlab on all columns, or none"
        )
    return None


@dataclass(frozen=True, eq=False)
class _Task:
    """One marginal likelihood to find."""

    problem: Problem
    draws: DataTree | None
    n_draws: int
    chains: int
    rng: np.random.Generator

    def solved(self, method: str) -> MarginalLikelihood:
        """Closed form where there is one, else bridge sampling."""
        reduced, constant = without_intercept(self.problem)
        why = "asked for"
        if method != "bridge":
            try:
                value = exact(reduced) + constant
            except NoClosedForm as error:
                if method == "exact":
                    raise
                why = f"no closed form: {error}"
            else:
                return self._result(value, 0.0, "exact", "closed form or quadrature")
        drawn = read_draws(self.problem, self._tree)
        count = drawn["beta"].shape[1]
        if count < _LEAST_DRAWS:
            msg = f"draws: hold {count} per chain; a bridge needs {_LEAST_DRAWS}, better thousands"
            raise InputError(msg)
        found = bridge(reduced, drawn, _stream_apart(self.rng))
        why = f"{why}; bridge sampling from a {found.proposal}"
        value = found.value + constant
        return self._result(value, found.se, "bridge", why, _caution(self._tree))

    def over_models(self) -> MarginalLikelihood:
        """Sum over which coefficients are 0."""
        reduced, constant = without_intercept(self.problem)
        found = _spike.summed(
            reduced, lambda: read_draws(self.problem, self._tree)["beta"], self._of_model
        )
        caution = _caution(self._tree) if found.of_draws else ""
        return self._result(found.value + constant, found.se, "models", found.why, caution)

    def _of_model(self, model: Problem) -> tuple[float, float]:
        found = log_marginal_likelihood(
            model, n_draws=self.n_draws, chains=self.chains, seed=self.rng
        )
        return found.value, found.se

    @cached_property
    def _tree(self) -> DataTree:
        """Draws, of the problem as it was: every sampler takes it."""
        if self.draws is not None:
            return self.draws
        return sample(
            self.problem, draws=self.n_draws, chains=self.chains, seed=self.rng, progress=False
        )

    def _result(
        self, value: float, se: float, method: str, why: str, caution: str = ""
    ) -> MarginalLikelihood:
        faults = [f"has a standard error of {se:.2g} nats; raise n_draws"] * (se > _LARGE_ERROR)
        faults += [f"may be off by more than its error: {caution}"] * bool(caution)
        if faults:
            message = f"the log marginal likelihood {', and '.join(faults)}"
            warnings.warn(message, SamplingWarning, stacklevel=4)
        flat = self.problem.design.intercept
        return MarginalLikelihood(value, se, method, why, flat, caution)


def _caution(draws: DataTree) -> str:
    """Say what an error that is estimated within chains cannot know; empty where nothing."""
    found = diagnose(draws)
    unknown = found.rhat_max is None and not found.ok
    disagree = found.rhat_max is not None and not found.rhat_max <= _RHAT  # NaN is a fault, too
    return f"draws are {found.verdict}" if unknown or disagree else ""


def _stream_apart(rng: np.random.Generator) -> np.random.Generator:
    """Return a stream unlike that of the same seed, which may have made the draws.

    A proposal drawn from the very numbers that the posterior was drawn from is not independent of
    it: the estimate is off by several of its standard errors.
    """
    return np.random.default_rng(rng.integers(2**63, size=4))


def exact(problem: Problem) -> float:
    """Return the log marginal likelihood by closed form or quadrature, else raise NoClosedForm."""
    if reason_against_prior(problem) is not None:
        msg = str(reason_against_prior(problem))
        raise NoClosedForm(msg)
    reason = reason_against(problem)
    if reason is not None:
        raise NoClosedForm(reason)
    value = posterior_moments(problem).log_marginal_likelihood
    if value is None or not math.isfinite(value):
        msg = "the closed form leaves the constant open"
        raise NoClosedForm(msg)
    return value
