r"""Evidence under a normal prior: ``−log p(y | scale, σ)`` in closed form, and where it is lowest.

With ``M = U S Vᵀ`` the columns in units of the prior at ratio ``κ = prior sd/σ = 1``, intercept and
flat coefficients integrated out (with density 1), ``a = Uᵀt`` and N rows less those, ::

    −log p = N log σ + ½ Σ log(1 + κ²s²) + Q(κ)/(2σ²) + constant,   Q = ‖t‖² − Σ a² κ²s²/(1 + κ²s²)

Where σ is known, one equation in log κ is solved. Where it is not, the best is ``σ² = Q(κ)/N`` at
each κ, which leaves one equation again: empirical Bayes of both, what MacKay's fixed point (1992)
and scikit-learn's BayesianRidge under flat hyperpriors converge to on centred columns. The prior of
an unknown σ does not enter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import optimize

from bayesreg.errors import DegenerateMode
from bayesreg.likelihoods import LOG_2PI
from bayesreg.posterior.conditional import Conditional
from bayesreg.posterior.density import PriorShape
from bayesreg.posterior.projection import lost_to_offset
from bayesreg.posterior.tails import flat_positions
from bayesreg.selection import leave_one_out, monte_carlo_em
from bayesreg.selection.digits import judged, without
from bayesreg.selection.result import Curve, Interval, ScaleSelection

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayesreg._validation import Vector
    from bayesreg.path_scales import Family
    from bayesreg.problem import Problem
    from bayesreg.selection.request import Request

NAME = "evidence"
_SCALES = 100
# So far, in log κ, beyond the ratios at which anything happens.
_BEYOND = 12.0
_PLACES = 2000
# Share of the square of y that is rounding.
_NOTHING = 1e-20
# Half the 95 % quantile of chi-squared with one degree of freedom.
_DROP = 1.920729410347062
# Where an interval may end: so far from the best scale, in logarithms.
_AWAY = np.arange(0.0, 32.25, 0.25)
_SAME = (
    "evidence: the columns are all zero, or nothing is left of them beside the intercept and flat "
    "coefficients, so every scale has the same; take more rows, or choose by its posterior under "
    "a hyperprior"
)
_TOLERANCE = 4 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class RidgeEvidence:
    """The evidence as a function of scale and σ; make it with `RidgeEvidence.of`.

    Attributes
    ----------
    conditional : Conditional
        The decomposition, at σ = 1 where it is unknown.
    constant : float
        What does not depend on scale and σ.
    known : bool
        Whether σ is a number, and divided out.
    e, f : float
        Exponents: the prior sd is ``base · scale^f · σ^e``.
    lost : float
        Length of what the offset cost the target.
    """

    conditional: Conditional
    constant: float
    known: bool
    e: float
    f: float
    lost: float

    @classmethod
    def of(cls, family: Family) -> Self | None:
        """Decompose; None where the widths of different coefficients do not vary together."""
        problem = family.at(1.0).dense("evidence")
        design, shape = problem.design, PriorShape.of(problem)
        twos = PriorShape.of(family.at(2.0)).penalty.l2
        kept = shape.penalty.l2 > 0
        powers = 0.5 * np.log2(shape.penalty.l2[kept] / twos[kept])
        e = shape.sigma_power[kept]
        if not kept.any() or np.ptp(powers) > 1e-12 or np.ptp(e):
            return None
        known = "sigma" not in problem.unknown
        h = design.row_weights / (problem.likelihood.variance if known else 1.0)  # type: ignore[attr-defined]
        conditional = Conditional.of(
            design.X,
            design.less_offset,
            h,
            shape.penalty.l2,
            shape.penalty.loc,
            intercept=design.intercept,
        )
        constant = 0.5 * (float(conditional.freedom) * LOG_2PI - float(np.log(h).sum()))
        constant += conditional.flat_log_det
        if design.intercept:
            constant += 0.5 * math.log(float(h.sum()))
        lost = lost_to_offset(design, h)
        return cls(conditional, constant, known, float(e[0]), float(powers[0]), lost)

    def value(self, log_scale: Vector, log_sigma: Vector) -> Vector:
        """Negative log evidence at pairs of both, shape (k,); log σ is 0 where σ is known."""
        c = self.conditional
        square, log_det = c.profile(self.f * log_scale + (self.e - 1) * log_sigma)
        fit = 0.5 * square * np.exp(-2 * log_sigma)
        return self.constant + c.freedom * log_sigma + 0.5 * log_det + fit

    def profile(self, log_scale: float) -> tuple[float, float]:
        """Lowest value over σ at a scale, and log σ there."""
        if self.known:
            return float(self.value(np.array([log_scale]), np.zeros(1))[0]), 0.0
        c = self.conditional
        total = c.beyond + float(c.along @ c.along)
        low = 0.5 * math.log(max(c.beyond, _NOTHING * total) / c.freedom)
        high = 0.5 * math.log(total / c.freedom)

        def at(u: float) -> float:
            return float(self.value(np.array([log_scale]), np.array([u]))[0])

        # Σ between no noise beyond what nothing fits and all of y: few lines of a parabola.
        us = np.linspace(low - 1.0, high + 1.0, 60)
        k = int(np.argmin(self.value(np.full(us.size, log_scale), us)))
        bounds = us[max(k - 1, 0)], us[min(k + 1, us.size - 1)]
        found = optimize.minimize_scalar(
            at, bounds=bounds, method="bounded", options={"xatol": 1e-12}
        )
        return float(found.fun), float(found.x)

    def why_lost(self, log_scale: Vector, log_sigma: Vector) -> list[str | None]:
        """Say at pairs of both, shape (k,), why rounding would decide there; None where not."""
        log_kappa = self.f * log_scale + (self.e - 1) * log_sigma
        return self.conditional.why_lost(log_kappa, log_sigma, lost=self.lost)

    def maximum(self) -> tuple[float, float, float]:
        """Scale and σ of the largest evidence (σ = 1 where known), and the value there.

        Raises
        ------
        DegenerateMode
            If it is largest where the scale goes to 0, or to infinity.
        InputError
            If rounding would decide on the posterior at that scale.
        """
        c = self.conditional
        s = c.s[c.s > 0]
        if s.size == 0:
            raise DegenerateMode(_SAME)
        last = max(self._rising(), -float(np.log(s.min()))) + _BEYOND
        v = np.linspace(-np.log(s.max()) - _BEYOND, last, _PLACES)
        k = int(np.argmin(self._along(v)))
        if k in (0, v.size - 1):
            way, what = ("0", "no effect at all") if k == 0 else ("infinity", "no prior at all")
            msg = (
                f"evidence: is largest as the scale goes to {way}: by this criterion the data ask "
                f"for {what}; choose by cross-validation, or by its posterior under a hyperprior"
            )
            raise DegenerateMode(msg)
        best = float(optimize.brentq(self._slope, v[k - 1], v[k + 1], xtol=1e-15, rtol=_TOLERANCE))
        u = 0.0 if self.known else float(0.5 * np.log(self._square(best) / c.freedom))
        c.require_digits(best, u, lost=self.lost)
        log_scale = (best + (1 - self.e) * u) / self.f
        value = float(self.value(np.array([log_scale]), np.array([u]))[0])
        return math.exp(log_scale), math.exp(u), value

    def _rising(self) -> float:
        """Log κ from which on the negative log evidence only rises, where that can be said.

        Its derivative (`_slope`) is ``Σ x/(1 + x) (1 − q a²/(1 + x))``, ``x = κ²s²``, with q = 1
        where σ is known, else freedom over a square that is at least what nothing fits.
        """
        c = self.conditional
        seen = (c.s > 0) & (c.along != 0)
        least = 1.0 if self.known else c.beyond / c.freedom
        total = c.beyond + float(c.along @ c.along)
        if not seen.any() or (not self.known and c.beyond <= _NOTHING * total):
            return -math.inf
        ratio = np.log(np.abs(c.along[seen])) - np.log(c.s[seen])
        return float(ratio.max()) - 0.5 * math.log(least)

    def _square(self, v: float) -> float:
        return float(self.conditional.profile(np.array([v]))[0][0])

    def _along(self, v: Vector) -> Vector:
        """Lowest value over σ at each log κ, but for constants."""
        square, log_det = self.conditional.profile(v)
        if self.known:
            return np.asarray(0.5 * (log_det + square))
        with np.errstate(divide="ignore"):
            return np.asarray(0.5 * (log_det + self.conditional.freedom * np.log(square)))

    def _slope(self, v: float) -> float:
        """Derivative of `_along`."""
        c = self.conditional
        x = np.exp(2 * v) * c.s**2
        fall = float(c.along**2 @ (2 * x / (1 + x) ** 2))
        share = 1.0 if self.known else c.freedom / self._square(v)
        return float((x / (1 + x)).sum()) - 0.5 * share * fall

    def interval(self, scale: float, value: float) -> Interval:
        """Smallest interval with all scales whose evidence is within a likelihood ratio's 95 %.

        At the best σ each. Between two maxima it may hold scales that are not within: it ends at
        the outermost that are. An end at which rounding would decide is none: it is then 0, or
        infinity.
        """

        def excess(log_scale: float) -> float:
            return self.profile(log_scale)[0] - value - _DROP

        ends = [self._end(excess, math.log(scale) + step * _AWAY) for step in (-1.0, 1.0)]
        return Interval(math.exp(ends[0]), math.exp(ends[1]), "95 % by the likelihood ratio")

    def _end(self, excess: Callable[[float], float], places: Vector) -> float:
        """Where the interval ends, in log scale, on the side of these places."""

        def known(log_scales: Vector) -> Vector:
            log_sigma = np.array([self.profile(q)[1] for q in log_scales.tolist()])
            return np.array([why is None for why in self.why_lost(log_scales, log_sigma)])

        end = outermost_crossing(excess, places[known(places)])
        is_known = math.isfinite(end) and known(np.array([end]))[0]
        return end if is_known else math.copysign(math.inf, places[-1] - places[0])


def outermost_crossing(excess: Callable[[float], float], places: Vector) -> float:
    """Where a function becomes positive for good; infinite if it does not.

    Parameters
    ----------
    excess : callable
        Maps a number to a number, and the first of the places to one that is not positive.
    places : ndarray, shape (k,)
        From there on outwards, close enough that the function changes sign once between two.

    Returns
    -------
    float
        Between the last place where it is not positive and the next.

    Examples
    --------
    >>> round(outermost_crossing(lambda x: (x - 1.0) * (x - 2.0) * (x - 4.25), np.arange(6.0)), 6)
    4.25
    """
    inside = np.flatnonzero([excess(place) <= 0 for place in places.tolist()])
    last = int(inside[-1])
    if last == places.size - 1:
        return math.copysign(math.inf, places[-1] - places[0])
    return float(optimize.brentq(excess, places[last], places[last + 1], xtol=1e-8))


def obstacle(problem: Problem) -> str | None:
    """Say why there is no evidence at all to be had; None where there is."""
    return monte_carlo_em.obstacle(problem)


def choose(request: Request) -> ScaleSelection:
    """Choose by the evidence: in closed form where there is one, else by draws."""
    _require_columns(request.problem)
    if leave_one_out.reason_against_closed_form(request.problem) is not None:
        return monte_carlo_em.choose(request)
    evidence = RidgeEvidence.of(request.whole)
    if evidence is None:
        return monte_carlo_em.choose(request)
    scales = request.grid(_SCALES)  # which refuses a target without variation
    scale, sigma, value = evidence.maximum()
    curve, lost = _curve(request, evidence, scales, (scale, sigma, value))
    source = request.known.source
    if not evidence.known:
        source = "unknown; that of the largest evidence, its own prior left out"
    else:
        assert request.known.sigma is not None  # noqa: S101  (a Gaussian likelihood has one)
        sigma = request.known.sigma
    chosen = ScaleSelection(
        criterion=NAME,
        scale=scale,
        sigma=sigma,
        problem=request.at(scale, sigma),
        curve=curve,
        uncertainty=evidence.interval(scale, value),
        sigma_source=source,
        rule="maximum",
        notes=("closed form" if evidence.known else "closed form, maximised over scale and sigma",),
    )
    return without(chosen, lost)


def _require_columns(problem: Problem) -> None:
    """Raise DegenerateMode where a flat intercept takes up all that the coefficients could say."""
    X = np.delete(problem.design.X, flat_positions(problem), axis=1)
    if problem.design.intercept and problem.design.level is None and not np.ptp(X, axis=0).any():
        raise DegenerateMode(_SAME)


def _curve(
    request: Request, evidence: RidgeEvidence, scales: Vector, best: tuple[float, float, float]
) -> tuple[Curve, tuple[float, ...]]:
    """Return the curve, with the maximum (scale, σ, value) on it, and scales that are not."""
    pairs = [evidence.profile(q) for q in np.log(scales).tolist()]
    values, log_sigma = np.array(pairs).T
    kept, lost = judged(request, scales, evidence.why_lost(np.log(scales), log_sigma))
    on = np.isin(scales, kept)
    scale, sigma, value = best
    extra = {} if evidence.known else {"sigma": np.append(np.exp(log_sigma[on]), sigma)}
    return Curve.of(np.append(kept, scale), np.append(values[on], value), None, **extra), lost
