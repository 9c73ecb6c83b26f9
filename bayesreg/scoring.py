"""What the problem says of an answer, and what the draws say of each coefficient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from bayesreg.certificate import GAP_TOLERANCE, KKT_TOLERANCE, NEAR, Certificate, certify
from bayesreg.nearness import nearness, share_near

if TYPE_CHECKING:
    from xarray import DataTree

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior import Diagnosis
    from bayesreg.problem import Problem

EXACT = "exact mode"
#: What tables of scores call their columns, on a terminal as on a page, and what that means.
SCORE_WORDS = {
    "nats above": "units of natural logarithm, above the exact mode",
    "gap": "their upper bound from duality",
    "verdict": (
        f"optimal (certified: gap up to {GAP_TOLERANCE:g} nats, KKT residual up to "
        f"{KKT_TOLERANCE:g}, plus rounding of the data), stationary (by the residual alone, where "
        f"not convex), near (right zeros, within {NEAR:g} nats) or off"
    ),
    "zeros": "coefficients that are exactly 0",
    "wrong": "coefficients zero in only one of it and the mode",
    "distance": "largest difference from the mode, in coefficient times sd of its column",
    "seconds": "without imports and compilation; pymc_find_map's include compiling the model",
    "claims": "said it converged (✗: yet off)",
}

type Verdict = Literal["optimal", "stationary", "near", "off"]


@dataclass(frozen=True, eq=False)
class Score:
    """What the problem says of one answer.

    Attributes
    ----------
    name : str
        Who gave it.
    coef, intercept
        The answer, on the user's own scale.
    excess : float
        Objective above that of the exact mode, in nats; 0 where it is rounding error.
    certificate : Certificate
        Of these coefficients.
    zeros : int
        Coefficients that are exactly 0.0.
    false_nonzeros : int
        Coefficients that are zero in the exact mode and not here.
    false_zeros : int
        Coefficients that are zero here and not in the exact mode.
    distance : float
        Largest difference from the exact mode, over coefficients times the sd of their column.
    seconds : float or None
        Time taken.
    claims_convergence : bool or None
        Whether it said that it converged; None for an answer that makes no claim.
    """

    name: str
    coef: Vector
    intercept: float
    excess: float
    certificate: Certificate
    zeros: int
    false_nonzeros: int
    false_zeros: int
    distance: float
    seconds: float | None
    claims_convergence: bool | None

    @property
    def verdict(self) -> Verdict | None:
        """How good the answer is, in one word.

        "optimal": certified. "stationary": certified to be that, and no worse than the exact mode,
        under a prior that is not convex, where nobody can say more. "near": with the zeros of the
        exact mode, and within a thousandth of a nat of it, where the density is 0.1 % below its
        peak; the tolerances of point optimisers are looser than a certificate's, and that alone
        misleads nobody. "off": anything else. None: it is no attempt at the mode, such as the
        posterior mean.
        """
        if self.claims_convergence is None:
            return None
        if self.certificate.optimal:
            return "optimal"
        right = self.false_nonzeros == 0 and self.false_zeros == 0
        near = right and self.excess <= NEAR
        if self.certificate.stationary and not self.certificate.convex:
            return "stationary" if near or self.excess <= 0 else "off"
        return "near" if near else "off"

    @property
    def misleading(self) -> bool:
        """Whether it claims to have converged and is off."""
        return bool(self.claims_convergence) and self.verdict == "off"


@dataclass(frozen=True, eq=False)
class PosteriorSummary:
    """Per coefficient: mean, median, equal-tailed interval, and closeness to zero; each (p,).

    Attributes
    ----------
    mean, median, lower, upper : ndarray, shape (p,)
        Of the draws; the interval holds `level` of them, the rest equally on both sides.
    epsilon : ndarray, shape (p,)
        What counts as near zero, in units of each coefficient; NaN where that means nothing (see
        `bayesreg.nearness`).
    near_zero : ndarray, shape (p,)
        P(|β| < epsilon); NaN without an epsilon.
    zeros : ndarray, shape (p,)
        Number of draws that are exactly 0.0.
    level : float
        Probability of the interval.
    """

    mean: Vector
    median: Vector
    lower: Vector
    upper: Vector
    epsilon: Vector
    near_zero: Vector
    zeros: Vector
    level: float

    @property
    def excludes_zero(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether the interval of each coefficient leaves 0 out."""
        return (self.lower > 0) | (self.upper < 0)


@dataclass(frozen=True, eq=False)
class Sampled:
    """The posterior of a comparison.

    Attributes
    ----------
    draws : xarray.DataTree
        The draws.
    diagnosis : Diagnosis
        Whether they can be trusted, in words.
    posterior : PosteriorSummary
        Their summary per coefficient.
    epsilon_rule : str
        How ``posterior.epsilon`` was set, in words.
    """

    draws: DataTree
    diagnosis: Diagnosis
    posterior: PosteriorSummary
    epsilon_rule: str


@dataclass(frozen=True)
class ScalarSummary:
    """Mean, median and equal-tailed interval of one number's draws."""

    mean: float
    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, draws: object, level: float) -> ScalarSummary:
        """Summarise draws of any shape."""
        values, tail = np.ravel(np.asarray(draws, dtype=np.float64)), (1 - level) / 2
        lower, median, upper = np.quantile(values, [tail, 0.5, 1 - tail]).tolist()
        return cls(float(values.mean()), median, lower, upper)


class Answer(Protocol):
    """Coefficients and an intercept, whoever found them."""

    @property
    def coef(self) -> Vector:
        """Coefficients, shape (p,)."""

    @property
    def intercept(self) -> float:
        """Intercept."""


def score_answer(
    problem: Problem,
    mode: Answer,
    answer: Answer,
    name: str,
    seconds: float | None = None,
    *,
    claims: bool | None = None,
) -> Score:
    """Score an answer against the exact mode of a problem whose scales are all known."""
    best = problem.penalised(mode.coef, mode.intercept)
    excess = problem.penalised(answer.coef, answer.intercept) - best
    rounding = 16 * np.finfo(float).eps * abs(best)
    spread = problem.design.X.std(axis=0)
    zero, mode_zero = answer.coef == 0, mode.coef == 0
    return Score(
        name=name,
        coef=answer.coef,
        intercept=answer.intercept,
        excess=excess if abs(excess) > rounding else 0.0,
        certificate=certify(problem, answer.coef, answer.intercept),
        zeros=int(zero.sum()),
        false_nonzeros=int((mode_zero & ~zero).sum()),
        false_zeros=int((zero & ~mode_zero).sum()),
        distance=float(np.max(np.abs(answer.coef - mode.coef) * spread, initial=0.0)),
        seconds=seconds,
        claims_convergence=claims,
    )


def summary_of(beta: Matrix, near: Vector, level: float) -> PosteriorSummary:
    """Summarise draws (m, p) per coefficient; `near` (p,) is what counts as near zero."""
    tail = (1 - level) / 2
    lower, median, upper = np.quantile(beta, [tail, 0.5, 1 - tail], axis=0)
    return PosteriorSummary(
        mean=beta.mean(axis=0),
        median=median,
        lower=lower,
        upper=upper,
        epsilon=near,
        near_zero=share_near((np.abs(beta) < near).mean(axis=0), near),
        zeros=(beta == 0).sum(axis=0).astype(np.float64),
        level=level,
    )


def summarise(
    problem: Problem, tree: DataTree, level: float, epsilon: float
) -> tuple[PosteriorSummary, str]:
    """Summarise the draws per coefficient; return the rule for epsilon in words as well."""
    drawn = np.asarray(tree["posterior"]["beta"])
    near, rule = nearness(problem, epsilon)
    beta = drawn.reshape(math.prod(drawn.shape[:-1]), problem.p)
    return summary_of(beta, near, level), rule


@dataclass(frozen=True, eq=False)
class _Centre:
    """A centre of the posterior, as an answer."""

    coef: Vector
    intercept: float


def central_answers(
    problem: Problem, tree: DataTree, summary: PosteriorSummary
) -> dict[str, Answer]:
    """Return posterior mean and median as answers, by name.

    The median of the intercept is taken of the level at the columns' means, where it depends least
    on the coefficients; far from the data, medians taken one by one do not belong to each other.
    """
    if not problem.design.intercept:
        mean, median = _Centre(summary.mean, 0.0), _Centre(summary.median, 0.0)
    else:
        at = problem.design.X.mean(axis=0)
        drawn = tree["posterior"]
        level = np.asarray(drawn["intercept"]) + np.asarray(drawn["beta"]) @ at
        mean = _Centre(summary.mean, float(level.mean() - at @ summary.mean))
        median = _Centre(summary.median, float(np.median(level) - at @ summary.median))
    return {"posterior mean": mean, "posterior median": median}
