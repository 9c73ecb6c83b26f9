"""The scales of a path: what a scale means for a prior, and where a path begins and ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._validation import as_positive, as_vector, read_only
from bayesreg.blocks import Blocks
from bayesreg.errors import InputError
from bayesreg.penalties import ElasticNetPenalty, FusedPenalty, JoinedPenalty
from bayesreg.priors import ElasticNet, Flat, Fused, Laplace, Prior, SpikeSlab, UniformBall
from bayesreg.priors.base import Scale, Scaled
from bayesreg.priors.norms import JointPrior, NormPrior
from bayesreg.problem import Problem
from bayesreg.solvers import solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Vector
    from bayesreg.penalties import Penalty

    type Mask = NDArray[np.bool_]

# The first scale is so much smaller, relatively, that the tie at the first knot is no question.
_BELOW_THE_TIE = 1e-12
# Degrees of freedom where a smooth path begins, and the size of the widest prior there is a use
# for: that many standard errors of a coefficient by itself.
_FIRST_DF, _LAST_WIDTH = 1e-3, 100.0


@dataclass(frozen=True)
class Family:
    """A problem at every scale of its prior.

    Attributes
    ----------
    problem : Problem
        With sigma known; its scale may be unknown.
    unit : float
        What a scale of the path is divided by to multiply the prior's scales: their common value,
        1.0 where they differ.
    own : float or None
        The problem's own place on the path; None where its scale is unknown.
    multiples : bool
        Whether the scales of the path multiply several different ones.
    """

    problem: Problem
    unit: float
    own: float | None
    multiples: bool = False

    @classmethod
    def of(cls, problem: Problem) -> Family:
        """Find what scale a problem has.

        Raises
        ------
        InputError
            If sigma is unknown, or the prior has no finite scale.
        """
        if "sigma" in problem.unknown:
            msg = (
                "given: sigma is unknown, and every mode of a path is conditional on it; give a "
                'value, e.g. map_path(problem, given={"sigma": 1.0})'
            )
            raise InputError(msg)
        if "scale" in problem.unknown:
            return cls(problem, 1.0, None)
        scales = _scales(problem.prior)
        scales = scales[np.isfinite(scales)]
        if scales.size == 0:
            msg = "prior: is flat, so there is no scale to vary; use Laplace, Normal or ElasticNet"
            raise InputError(msg)
        differ = bool((scales != scales[0]).any())
        unit = 1.0 if differ else float(scales[0])
        return cls(problem, unit, unit, differ)

    def at(self, scale: float) -> Problem:
        """Return the problem at a scale, everything known."""
        if self.own is None:
            return self.problem.given(scale=scale)
        return self.problem.with_prior(_at_scale(self.problem.prior, scale, self.unit))

    @property
    def has_lam(self) -> bool:
        """Whether the penalty is λ = 1/scale times something."""
        return isinstance(self.problem.prior, Laplace | ElasticNet | NormPrior | Fused)

    @property
    def what(self) -> tuple[str, str]:
        """What the numbers of the path are, one and many of them."""
        ball = isinstance(self.problem.prior, UniformBall)
        return ("radius", "radii") if ball else ("scale", "scales")

    @property
    def is_piecewise_linear_in_lam(self) -> bool:
        """Whether λ = 1/scale multiplies the absolute values, and nothing else depends on it."""
        one, two = self.at(1.0).penalty, self.at(2.0).penalty
        if not (isinstance(one, ElasticNetPenalty) and isinstance(two, ElasticNetPenalty)):
            return False
        same = np.array_equal(one.l2, two.l2) and np.array_equal(one.loc, two.loc)
        return same and np.allclose(one.l1, 2 * two.l1, rtol=1e-14, atol=0.0)


@singledispatch
def _scales(prior: Prior) -> Vector:
    """Scales that a path multiplies; none by default."""
    del prior
    return np.zeros(0)


@_scales.register(Scaled)
def _(prior: Scaled) -> Vector:
    return np.atleast_1d(np.asarray(prior.scale, dtype=np.float64))


@_scales.register(JointPrior)
def _(prior: JointPrior) -> Vector:
    return np.atleast_1d(prior.scale)


@_scales.register(UniformBall)
def _(prior: UniformBall) -> Vector:
    return np.atleast_1d(prior.radius)


@_scales.register(Fused)
def _(prior: Fused) -> Vector:
    return np.atleast_1d(prior.scale)


@_scales.register(SpikeSlab)
def _(prior: SpikeSlab) -> Vector:
    return np.atleast_1d(prior.slab_scale)


@_scales.register(ElasticNet)
def _(prior: ElasticNet) -> Vector:
    l1, l2 = np.atleast_1d(prior.l1_scale), np.atleast_1d(prior.l2_scale)
    # Without an absolute value there is no b to speak of: the path is then in multiples.
    return l1 if np.isfinite(l1).any() else np.where(np.isfinite(l2), 1.0, np.inf)


@_scales.register(Blocks)
def _(prior: Blocks) -> Vector:
    return np.concatenate([_scales(part) for part, _ in prior.parts])


@singledispatch
def _at_scale(prior: Prior, scale: float, unit: float) -> Prior:
    """Multiply the scales of a prior by ``scale / unit``; a prior without one stays as it is."""
    del scale, unit
    return prior


@_at_scale.register(Scaled)
def _(prior: Scaled, scale: float, unit: float) -> Prior:
    return replace(prior, scale=_times(np.asarray(prior.scale, dtype=np.float64), scale, unit))


@_at_scale.register(JointPrior)
def _(prior: JointPrior, scale: float, unit: float) -> Prior:
    return replace(prior, scale=_times(prior.scale, scale, unit))


@_at_scale.register(UniformBall)
def _(prior: UniformBall, scale: float, unit: float) -> Prior:
    return replace(prior, radius=prior.radius / unit * scale)


@_at_scale.register(Fused)
def _(prior: Fused, scale: float, unit: float) -> Prior:
    """Vary the scale of the steps; the level keeps its own."""
    return replace(prior, scale=prior.scale / unit * scale)


@_at_scale.register(SpikeSlab)
def _(prior: SpikeSlab, scale: float, unit: float) -> Prior:
    return replace(prior, slab_scale=_times(prior.slab_scale, scale, unit))


@_at_scale.register(ElasticNet)
def _(prior: ElasticNet, scale: float, unit: float) -> Prior:
    """Keep the mix of absolute value and square, as glmnet's alpha does: b and τ² in proportion."""
    root = math.sqrt(scale / unit)
    return ElasticNet(
        l1_scale=_times(prior.l1_scale, scale, unit),
        l2_scale=_times(prior.l2_scale, root, 1.0),
        nonnegative=prior.nonnegative,
    )


@_at_scale.register(Blocks)
def _(prior: Blocks, scale: float, unit: float) -> Prior:
    return Blocks(tuple((_at_scale(part, scale, unit), c) for part, c in prior.parts))


def _times(values: Scale, scale: float, unit: float) -> Scale:
    """Divide first, so that a prior whose scale is the unit has exactly the scale asked for."""
    product = np.asarray(values) / unit * scale
    return float(product) if product.ndim == 0 else read_only(product)


# --------------------------------------------------------------------------- which scales


def check_scales(scales: object) -> Vector:
    """Validate scales: positive, finite, distinct; InputError otherwise."""
    values = as_vector(scales, "scales")
    if values.size == 0:
        msg = "scales: is empty; give at least one, or leave it out for a grid"
        raise InputError(msg)
    for value in values:
        as_positive(float(value), "scales")
    if np.unique(values).size < values.size:
        msg = "scales: holds a number twice; give each scale once"
        raise InputError(msg)
    return values


def default_scales(family: Family, count: int) -> Vector:
    """Return scales in equal ratios, from the empty model on.

    Where the penalty has a kink, from the largest scale at which every such coefficient (of a fused
    lasso: every difference) is exactly 0, 1/λmax, up to 1000 times that, 100 times where there are
    no more rows than columns. Elsewhere from a thousandth of a degree of freedom to a prior 100
    times as wide as the standard error of the coefficient that has the largest.
    """
    problem = family.at(1.0)
    first = _largest_empty_scale(family)
    if first is not None:
        return np.geomspace(first, first * (1e3 if problem.n > problem.p else 1e2), count)
    first, last = _smooth_range(problem)
    return np.geomspace(first, last, count)


def _smooth_range(problem: Problem) -> tuple[float, float]:
    """Scales between which a path without kinks goes from nothing to almost no shrinkage."""
    design = problem.design
    eta = problem.predictor(np.zeros(problem.p), null_intercept(problem))
    curvature = problem.likelihood.metric(eta, design.y, design.row_weights)
    columns = design.centred.reweighted(curvature, centred=design.intercept)
    lengths = columns.norms() * _relative_scales(problem)
    lengths = lengths[(lengths > 0) & np.isfinite(lengths)]
    if lengths.size == 0:
        return 0.01, 100.0
    return math.sqrt(_FIRST_DF / float(lengths @ lengths)), _LAST_WIDTH / float(lengths.min())


def _relative_scales(problem: Problem) -> Vector:
    """Scale of each coefficient's prior at scale 1, inf where flat; shape (p,)."""
    penalty = problem.penalty
    if isinstance(penalty, ElasticNetPenalty):
        with np.errstate(divide="ignore"):
            return np.asarray(1.0 / np.sqrt(penalty.l2))
    ones = np.ones(problem.p)
    return np.where(
        penalty.flat, np.inf, problem.coef_prior.parameters(problem.p).get("scale", ones)
    )


def null_intercept(problem: Problem) -> float:
    """Intercept of the model without columns, 0.0 where there is none."""
    design = problem.design
    if not design.intercept:
        return 0.0
    if design.level is not None:
        return float(design.level @ design.y) / float(design.level @ design.level)
    return problem.likelihood.null_intercept(design.y, design.row_weights, design.row_offset)


def _largest_empty_scale(family: Family) -> float | None:
    """Scale at which the first kinked coefficient is about to leave 0; None without a kink.

    It follows from the gradient at the empty model, which fits what has no kink.
    """
    problem = family.at(1.0)
    if isinstance(problem.penalty, FusedPenalty):
        return _largest_level_scale(problem, problem.penalty)
    origin = _pull(problem, np.zeros(problem.p), null_intercept(problem))
    low = _critical_scale(family, origin)
    if low is None:
        return None
    kinked = _kinked(family)
    for _ in range(4):
        low *= 1e-3
        there = family.at(low)
        mode = solve(there)
        if not mode.coef[kinked].any():
            break
    else:
        return None
    gradient = _pull(there, mode.coef, mode.intercept)
    first = _critical_scale(family, np.where(kinked, gradient, 0.0))
    if first is None:
        return None
    if isinstance(problem.penalty, ElasticNetPenalty) and problem.penalty.l2[~kinked].any():
        return _bisect_empty(family, kinked, low, first)
    return first * (1 - _BELOW_THE_TIE)


def _pull(problem: Problem, coef: Vector, intercept: float) -> Vector:
    """Return the gradient (p,); 0 for a constant column beside an intercept, not its rounding."""
    gradient = problem.gradient(coef, intercept)[0]
    constant = problem.design.intercept & (problem.design.column_sd == 0)
    return np.where(constant, 0.0, gradient)


def _largest_level_scale(problem: Problem, penalty: FusedPenalty) -> float:
    """Scale at which the first difference of a fused lasso is about to leave 0.

    With all differences 0 one number is left, the common level of ``u = β / factor``: its column
    is ``X @ factor``, and its prior the first coefficient's. The gradient in the differences is
    that in the coefficients, summed from the end, and at scale 1 each may be 1 in size.
    """
    design, first = problem.design, penalty.l1[:1]
    column = np.asarray(design.X @ penalty.scale).reshape(-1, 1)
    alone = replace(design, X=column, names=("level",), standardize=False)
    prior = Laplace(1.0 / float(first[0])) if first.any() else Flat()
    mode = solve(Problem.of(alone, problem.likelihood, prior))
    gradient = problem.gradient(mode.coef * penalty.scale, mode.intercept)[0]
    pull = float(np.abs(penalty.sums(gradient)[1:]).max(initial=0.0))
    return (1 - _BELOW_THE_TIE) / pull if pull > 0 else 1.0


def _ties_some(penalty: Penalty) -> bool:
    """Whether a fused lasso is on some of the coefficients: nothing of it is held at 0."""
    parts = penalty.parts if isinstance(penalty, JoinedPenalty) else ()
    return any(isinstance(part, FusedPenalty) for part, _ in parts)


def _bisect_empty(family: Family, kinked: Mask, low: float, high: float) -> float:
    """Close in on the largest empty scale where what is fitted there depends on the scale itself.

    So it does where a normal prior on other columns has a scale that the path multiplies, too.
    """

    def is_empty(scale: float) -> bool:
        return not solve(family.at(scale)).coef[kinked].any()

    while is_empty(high):
        low, high = high, 2 * high
    while high > low * (1 + 2 * _BELOW_THE_TIE):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if is_empty(middle) else (low, middle)
    return low


def _kinked(family: Family) -> Mask:
    """Coefficients that a small scale holds at exactly 0; shape (p,)."""
    one = family.at(1.0).penalty
    if isinstance(one, ElasticNetPenalty):
        return np.asarray(one.l1 > family.at(2.0).elastic_net.l1)
    return ~one.flat


def _critical_scale(family: Family, gradient: Vector) -> float | None:
    """Largest scale whose penalty holds all kinked coefficients at 0 against a gradient."""
    one = family.at(1.0).penalty
    if isinstance(one, ElasticNetPenalty):
        kinked = _kinked(family)
        if not kinked.any():
            return None
        pull = np.where(one.nonnegative, -gradient, np.abs(gradient))[kinked]
        ratio = float((pull / one.l1[kinked]).max(initial=0.0))
        # With nothing to explain every scale is as empty as any other.
        return 1.0 / ratio if ratio > 0 else 1.0
    if not one.convex or _ties_some(one):
        return None
    # The dual norm, read off how far the conjugate's domain has to be stretched.
    for exponent in range(0, 60, 3):
        stretch = 10.0**exponent
        share = family.at(stretch).penalty.dual_scale(gradient)
        if 0 < share < 1:
            return stretch * share
    return None
