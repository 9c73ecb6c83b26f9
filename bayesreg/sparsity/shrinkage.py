r"""Shrinkage factors and the effective number of coefficients, of any scale mixture of normals.

Given its local state a coefficient has a normal prior of some variance V. Were its column
orthogonal to the others, its conditional mean would be ``(1 − κ)`` times least squares, with ::

    κ = 1/(1 + V I)

where I is what the data say of that column alone: ``Σ wᵢ(xᵢ − x̄)²/σ²`` for Gaussian noise. With
``V = τ²λ²`` and standardised columns that is ``1/(1 + n σ⁻² τ² λ² s²)`` of Piironen and Vehtari
(2017), of which ``m_eff = Σ(1 − κ)`` counts the coefficients that are not shrunk away.

`bayesreg.sample` keeps no local states. They are drawn here from their distribution given the
coefficients and the scales, of which the data know no more: the draws of κ are draws from the
posterior.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from bayesreg._inputs import as_problem
from bayesreg._validation import as_count, as_generator
from bayesreg.errors import InputError
from bayesreg.likelihoods import StudentTNoise
from bayesreg.likelihoods.base import Noise
from bayesreg.path_scales import null_intercept
from bayesreg.posterior.gibbs.plan import NORMAL, REGULARIZED_HORSESHOE, Plan, reason_against_prior
from bayesreg.posterior.predictive import from_prior, require_proper_prior
from bayesreg.priors.degenerate import log_scaled_exp1
from bayesreg.sparsity.draws import Drawn
from bayesreg.sparsity.selection import Selection

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.drawn import Group
    from bayesreg.posterior.gibbs.plan import Block
    from bayesreg.problem import Problem


@dataclass(frozen=True, eq=False)
class Shrinkage:
    """Draws of the shrinkage factors.

    Attributes
    ----------
    problem : Problem
        Whose they are.
    kappa : ndarray, shape (m, p)
        1: shrunk to the prior's centre; 0: left at least squares. One draw for each draw of the
        coefficients.
    """

    problem: Problem
    kappa: Matrix

    @property
    def m_eff(self) -> Vector:
        """Draws of the effective number of coefficients ``Σ(1 − κ)``, shape (m,)."""
        return np.asarray((1.0 - self.kappa).sum(axis=1))

    @property
    def selection(self) -> Selection:
        """The columns that are shrunk by less than half (Carvalho, Polson & Scott 2010)."""
        value = 1.0 - self.kappa.mean(axis=0)
        return Selection(
            method="shrinkage",
            names=self.problem.names,
            value=value,
            selected=value > 0.5,
            quantity="1 − E κ",
            rule=(
                "posterior mean of the shrinkage factor κ below 1/2 (0: left at least squares, "
                "1: shrunk to the prior's centre)"
            ),
        )

    def __str__(self) -> str:
        """Say how many coefficients there effectively are."""
        low, middle, high = np.quantile(self.m_eff, [0.05, 0.5, 0.95])
        return (
            f"effective number of coefficients: {middle:.3g} of {self.problem.p} "
            f"(90 % between {low:.3g} and {high:.3g})"
        )


def shrinkage(
    problem: object, draws: object, *, group: Group = "posterior", seed: object = 0
) -> Shrinkage:
    """Draw the shrinkage factor of every coefficient at every draw.

    Parameters
    ----------
    problem : Problem or pymc.Model
        With a prior that is a scale mixture of normals, spike and slab and flat priors included.
    draws : xarray.DataTree
        Of `bayesreg.sample`.
    group : {"posterior", "prior"}
        Which draws. Those of the prior, sampled with ``prior=True``, give the prior of m_eff.
    seed : int, SeedSequence, Generator or None
        Of the local variances.

    Returns
    -------
    Shrinkage
        Draws of κ, of m_eff, and the columns with a mean κ below one half.

    Raises
    ------
    InputError
        If the prior is no such mixture, or the draws are not of this problem.

    Notes
    -----
    For a likelihood other than the Gaussian, I is the Fisher information of the column at the model
    without columns (section 3.5 of Piironen & Vehtari 2017).

    Examples
    --------
    >>> import bayesreg as br
    >>> problem = br.Problem([[1.0], [-1.0]], [1.0, -1.0], intercept=False,
    ...                      likelihood=br.Gaussian(sigma=1.0), prior=br.Normal(scale=1.0))
    >>> found = shrinkage(problem, br.sample(problem, draws=10, seed=0))
    >>> found.kappa[0].round(6), found.m_eff[0].round(6)  # 1/(1 + 1²·2/1²)
    (array([0.333333]), np.float64(0.666667))
    """
    return _shrinkage(Drawn.of(problem, draws, group), as_generator(seed))


def prior_effective_number(
    problem: object, *, sigma: float | None = None, size: int = 4000, seed: object = 0
) -> Vector:
    """Draw the effective number of coefficients from its prior.

    What a prior says before the data about how many coefficients matter: at a given scale τ of a
    horseshoe its mean is ``Σ aⱼ/(1 + aⱼ)`` with ``aⱼ = τ √Iⱼ`` (Piironen & Vehtari 2017).

    Parameters
    ----------
    problem : Problem or pymc.Model
        As for `shrinkage`, with a proper prior.
    sigma : float, optional
        Value of an unknown sigma to condition on, such as its posterior median; needed where its
        prior is improper.
    size : int
        Number of draws.
    seed : int, SeedSequence, Generator or None
        Of the draws.

    Returns
    -------
    ndarray, shape (size,)
        Draws of m_eff.

    Raises
    ------
    InputError
        If the prior is improper, or no scale mixture of normals.

    Examples
    --------
    >>> import bayesreg as br
    >>> problem = br.Problem(2 * np.eye(4), np.ones(4), intercept=False,
    ...                      likelihood=br.Gaussian(sigma=1.0), prior=br.Horseshoe(scale=0.5))
    >>> bool(abs(prior_effective_number(problem).mean() - 2.0) < 0.1)  # a = 1 each
    True
    """
    asked, _ = as_problem(problem)
    if sigma is not None:
        asked = asked.given(sigma=sigma)
    _require_mixture(asked)
    require_proper_prior(asked)
    rng, count = as_generator(seed), as_count(size, "size")
    found = from_prior(asked, rng, 1, count)
    ones = np.ones(count)
    known = isinstance(asked.likelihood, Noise) and asked.likelihood.conditional
    fixed = math.sqrt(asked.likelihood.variance) * ones if known else ones  # type: ignore[attr-defined]
    drawn = Drawn(
        problem=asked,
        beta=found["beta"][0],
        intercept=0.0 * ones,
        sigma=found["sigma"][0] if "sigma" in found else fixed,
        scale=found["scale"][0] if "scale" in found else ones,
    )
    return _shrinkage(drawn, rng).m_eff


def _shrinkage(drawn: Drawn, rng: np.random.Generator) -> Shrinkage:
    _require_mixture(drawn.problem)
    unit = information(drawn.problem)
    variance = local_variances(drawn, rng)
    precise = variance / drawn.sigma[:, None] ** 2  # 1 beside a likelihood without sigma
    with np.errstate(invalid="ignore"):
        evidence = np.where(unit > 0, precise * unit, 0.0)
    return Shrinkage(drawn.problem, 1.0 / (1.0 + evidence))


def _require_mixture(problem: Problem) -> None:
    reason = reason_against_prior(problem)
    if reason is not None:
        msg = f"{reason}; shrinkage factors are defined for those alone"
        raise InputError(msg)


def information(problem: Problem) -> Vector:
    """Fisher information of each column alone beside the intercept, at sigma = 1; shape (p,).

    Parameters
    ----------
    problem : Problem
        Any problem.

    Returns
    -------
    ndarray, shape (p,)
        In units of one over the squared coefficient. Student-t noise has ``(ν + 1)/(ν + 3)`` of
        what Gaussian noise has.
    """
    design, likelihood = problem.design, problem.likelihood
    factor, weights = 1.0, design.row_weights
    if isinstance(likelihood, StudentTNoise):
        factor = (likelihood.nu + 1) / (likelihood.nu + 3)
    elif not isinstance(likelihood, Noise):
        eta = problem.predictor(np.zeros(problem.p), null_intercept(problem))
        weights = likelihood.curvature(eta, design.y, weights)
    columns = design.centred.reweighted(weights, centred=design.intercept)
    return np.asarray(factor * columns.norms() ** 2)


def local_variances(drawn: Drawn, rng: np.random.Generator) -> Matrix:
    """Draw the prior variance of each coefficient given it and the scales, shape (m, p).

    Infinite under a flat prior; 0 for a coefficient that a spike holds at 0.
    """
    kernels = import_module("bayesreg.sparsity._locals")  # compiled, on use
    plan = Plan.of(drawn.problem)
    beta = np.ascontiguousarray(drawn.beta[:, plan.order] - plan.loc)
    variance, aux = np.empty_like(beta), np.ones((plan.p, 2))
    for block in plan.blocks:
        at = slice(block.low, block.high)
        width = _widths(plan, block, drawn)
        if block.family == NORMAL:
            variance[:, at] = width[:, at] ** 2
        elif block.family == REGULARIZED_HORSESHOE and np.isfinite(plan.shape[block.low, 1]):
            slab, freedom = plan.shape[at].T.copy()
            inner, wide = beta[:, at].copy(), width[:, at].copy()
            out = np.empty_like(inner)
            share = _share(inner, wide, slab, freedom)
            kernels.slabs(inner, wide, slab, freedom, share, out, rng)
            variance[:, at] = out
        else:
            if block.family == REGULARIZED_HORSESHOE:  # a slab of known width
                aux[at, 1] = plan.shape[at, 0] ** -2.0
            kernels.mixtures(
                block.family, block.low, block.high, beta, width, plan.shape, aux, variance, rng
            )
    if plan.spike is not None:
        at = slice(plan.spike.low, plan.spike.high)
        variance[:, at] = np.where(beta[:, at] != 0, plan.spike.slab**2, 0.0)
    return plan.in_order_of_problem(variance)


def _widths(plan: Plan, block: Block, drawn: Drawn) -> Matrix:
    """Widths of the coefficients of a block at each draw, ones elsewhere; shape (m, p)."""
    width = np.ones(drawn.beta.shape)
    factor = np.ones(drawn.beta.shape[0])
    if block.uses_scale:
        factor = factor * drawn.scale
    if block.uses_sigma:
        factor = factor * drawn.sigma
    at = slice(block.low, block.high)
    width[:, at] = np.outer(factor, plan.unit[at])
    return width


def _share(beta: Matrix, width: Matrix, slab: Vector, freedom: Vector) -> Matrix:
    """Mass of the first of the two products that bound a horseshoe with a random slab.

    ``∫ exp(−aγ)/(1 + γ) dγ = exp(a) E₁(a)`` and ``∫ γ^(−1/2) exp(−aγ)/(1 + γ) dγ = π erfcx(√a)``.
    """
    half, a = 0.5 * freedom, 0.5 * (beta / width) ** 2
    log_rate = np.log(half * slab**2 + 0.5 * beta**2)
    first = log_scaled_exp1(a) - np.log(width)
    gammas = special.gammaln(half + 0.5) - special.gammaln(half)
    second = np.log(math.pi * special.erfcx(np.sqrt(a))) + gammas - 0.5 * log_rate
    return np.asarray(special.expit(first - second))
