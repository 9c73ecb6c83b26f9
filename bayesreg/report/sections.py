"""What the page says, section by section: sentences, and rows of tables."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from bayesreg import sparsity, units
from bayesreg.certificate import NEAR
from bayesreg.errors import BayesregError
from bayesreg.nearness import count_near, nearness
from bayesreg.posterior.diagnostics import BFMI_LIMIT, ESS_PER_CHAIN, RHAT_LIMIT, beside_limit
from bayesreg.report.text import as_name, brief, count, listed, number
from bayesreg.scoring import SCORE_WORDS

if TYPE_CHECKING:
    from bayesreg.certificate import Certificate
    from bayesreg.comparison import Comparison
    from bayesreg.problem import Problem
    from bayesreg.scoring import Score

# Coefficients up to which every rule of sparsity is asked within seconds.
_MOST_COLUMNS = 200


# --------------------------------------------------------------------------- the problem


def problem_in_words(problem: Problem) -> list[str]:
    """Say what the terms of the formula are, and what of the data and the prior they hold."""
    facts = str(problem).removeprefix(problem.formula()).lstrip(": ")
    kind, *rest = (line.strip() for line in facts.splitlines())
    terms = (
        "There is no penalty, as the prior is flat: all of it is minus the log likelihood"
        if problem.prior.is_flat
        else "One part is minus the log likelihood, the misfit; the penalty beside it is minus the "
        f"log of the {problem.prior.name} prior, and the two together make it {_article(kind)}"
    )
    return [re.sub("^where ", "In it ", f"{line}.") for line in (terms, *rest)]


def _article(noun: str) -> str:
    if noun.endswith("penalties"):
        return f"a regression with {noun}"
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


# --------------------------------------------------------------------------- the mode


def certified(certificate: Certificate) -> list[str | Markup]:
    """Say what is proved of a mode, one statement each."""
    given = " given sigma" if certificate.joint else ""
    gap = (
        f"Duality gap {number(certificate.gap, 2)} nats{given}: the objective here is at most that "
        f"far above its minimum{' over the coefficients' if given else ''}."
        if math.isfinite(certificate.gap)
        else "No duality gap is known for this problem."
    )
    # A name written from right to left must not turn the sentence around.
    place = Markup(", largest at <bdi>{}</bdi>").format(as_name(certificate.worst))
    kkt = Markup(
        "KKT residual {}{}: the condition of optimality holds to that error (tolerance {})."
    ).format(
        number(certificate.kkt, 2),
        place if certificate.kkt > 0 else "",
        number(certificate.kkt_tolerance, 2),
    )
    unique: str | Markup = (
        f"Unique{given}: no other coefficients reach {'that' if given else 'the'} minimum."
        if certificate.unique
        else f"Not proved unique{given}: other coefficients may reach the same minimum."
    )
    if certificate.copies is not None:
        unique = Markup(
            "Not unique{}: <bdi>{}</bdi> and <bdi>{}</bdi> are copies, and other coefficients "
            "reach the same minimum."
        ).format(given, *map(as_name, certificate.copies))
    steep = ["0 is always a local mode under this prior."] if certificate.cusp else []
    elsewhere = (
        "Sigma is where the joint objective is stationary; whether another joint mode lies at "
        "another sigma is not said."
    )
    return [gap, kkt, unique, *steep, *([elsewhere] if given else [])]


def joint(comparison: Comparison) -> list[str | Markup]:
    """Say what is known of the joint mode with sigma and scale, where they are unknown."""
    mode = comparison.joint_mode
    if mode is not None:
        zeros = int((mode.coef == 0).sum())
        return [
            f"There is a joint mode as well: {mode.space}.",
            f"It has {count(zeros, 'coefficient')} of {mode.coef.size} exactly zero.",
            *certified(mode.certificate),
        ]
    if comparison.joint_refusal is not None:
        return [f"There is no joint mode. {comparison.joint_refusal}."]
    return []


# --------------------------------------------------------------------------- the estimators


def estimator(score: Score) -> dict[str, Any]:
    """Return one row of the score table."""
    claims = score.claims_convergence
    return {
        "name": as_name(score.name),
        "wrong": score.misleading,
        "cells": {
            "nats above": number(score.excess, 3),
            "gap": number(score.certificate.gap, 3),
            "verdict": score.verdict,
            "zeros": str(score.zeros),
            "wrong": str(score.false_nonzeros + score.false_zeros),
            "distance": number(score.distance, 3),
            "seconds": number(score.seconds, 3),
            "claims": "—" if claims is None else "yes" if claims else "no",
        },
    }


def score_words() -> str:
    """Explain the columns of the score table."""
    return "; ".join(f"{name}: {meaning}" for name, meaning in SCORE_WORDS.items())


def verdict(comparison: Comparison) -> str:
    """Count the optimisers that claim convergence and are off."""
    answers = [s for s in comparison.scores[1:] if s.claims_convergence is not None]
    if not answers:
        return "No optimiser was run beside the exact mode."
    claimed = [s for s in answers if s.claims_convergence]
    wrong = sum(s.misleading for s in claimed)
    return (
        f"Optimisers run: {len(answers)}; that say they converged: {len(claimed)}; of those, "
        f"with the wrong zeros or more than {NEAR:g} nats above the optimum: {wrong}."
    )


# --------------------------------------------------------------------------- the coefficients


def coefficients(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one row per coefficient."""
    mode, names = comparison.mode.coef, map(as_name, comparison.problem.names)
    if comparison.sampled is None:
        return [
            {"name": name, "mode": number(value), "zero": value == 0}
            for name, value in zip(names, mode.tolist(), strict=True)
        ]
    post = comparison.posterior
    columns = (post.mean, post.median, post.lower, post.upper)
    return [
        {
            "name": name,
            "mode": number(float(mode[j])),
            "zero": bool(mode[j] == 0),
            "cells": [number(float(column[j])) for column in columns],
            "near": _known(post.near_zero[j]),
            "epsilon": _known(post.epsilon[j]),
            "excludes": bool(post.excludes_zero[j]),
        }
        for j, name in enumerate(names)
    ]


def _known(value: float) -> str:
    """Format what a column that sets the level has not."""
    return "—" if math.isnan(value) else number(float(value), 3)


def scalars(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one row for the intercept and for each unknown scale."""
    mode = comparison.mode
    values = {"intercept": mode.intercept, "sigma": mode.sigma, "scale": mode.scale}
    return [
        {
            "name": comparison.called(name),
            "mode": number(values[name]),
            "cells": [number(v) for v in (s.mean, s.median, s.lower, s.upper)],
        }
        for name, s in comparison.scalars.items()
    ]


def level(comparison: Comparison) -> str:
    """Return the probability of the intervals, in per cent."""
    return f"{100 * comparison.posterior.level:g}\u00a0%"


# --------------------------------------------------------------------------- the draws


def diagnostics(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return what was measured of the draws: its name, the number, and what it should be."""
    if comparison.sampled is None:
        return []
    found = comparison.diagnosis
    wanted = f"at least {ESS_PER_CHAIN * comparison.draws['posterior'].sizes.get('chain', 1)}"
    error, rhat, bfmi = found.mcse_max, found.rhat_max, found.bfmi_min
    rows = [
        (
            "largest R-hat: do the chains agree",
            _beside(rhat, RHAT_LIMIT, 3),
            f"below {RHAT_LIMIT:g}",
        ),
        ("smallest effective sample size, bulk", _whole(found.ess_bulk_min), wanted),
        ("smallest effective sample size, tails", _whole(found.ess_tail_min), wanted),
        ("divergent transitions", str(found.divergences), "0"),
        (
            "smallest BFMI: does the energy mix",
            _beside(bfmi, BFMI_LIMIT, 4),
            f"above {BFMI_LIMIT:g}",
        ),
    ]
    if error is not None:
        share = f"{number(100 * error, 2)}\u00a0% of its sd"
        rows.append(("largest Monte Carlo error of a posterior mean", share, "small"))
    if found.worst:
        rows.append(("worst variable", as_name(found.worst), ""))
    return [row for row in rows if row[1] != "—"]


def _whole(value: float | None) -> str:
    return "—" if value is None or not math.isfinite(value) else f"{math.floor(value)}"


def _beside(value: float | None, limit: float, after: int) -> str:
    return "—" if value is None or math.isnan(value) else beside_limit(value, limit, after)


# --------------------------------------------------------------------------- sparsity


def zeros(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return what each notion of a zero counts: number, of how many, meaning."""
    p, mode_zeros = comparison.problem.p, int((comparison.mode.coef == 0).sum())
    of_mode = (str(mode_zeros), str(p), "coefficients are exactly 0 in the mode")
    if comparison.sampled is None:
        return [of_mode]
    post = comparison.posterior
    draws = int(np.asarray(comparison.draws["posterior"]["beta"]).size)
    zero_draws = int(post.zeros.sum())
    atom = f"the posterior has {'an' if zero_draws else 'no'} atom there"
    near, asked = count_near(post.near_zero)
    clear = int(post.excludes_zero.sum())
    return [
        of_mode,
        (str(zero_draws), str(draws), f"drawn coefficients are exactly 0; {atom}"),
        (str(near), str(asked), "coefficients are near zero with probability above one half"),
        (str(clear), str(p), f"coefficients have a {level(comparison)} interval that excludes 0"),
    ]


def share_near_zero(comparison: Comparison) -> float:
    """Return the `epsilon` that `compare` was asked with; NaN where nothing tells."""
    one, _ = nearness(comparison.problem, 1.0)
    tells = np.isfinite(one)
    shares = comparison.posterior.epsilon[tells] / one[tells]
    return float(np.median(shares)) if shares.size else math.nan


@dataclass(frozen=True)
class Rules:
    """What every rule that makes a posterior sparse keeps.

    Attributes
    ----------
    rows : tuple of dict
        One per rule that applies.
    refusals : dict of str
        Rules that do not, with the reason.
    """

    rows: tuple[dict[str, str], ...] = ()
    refusals: tuple[tuple[str, str], ...] = ()


def rules(comparison: Comparison) -> Rules:
    """Ask every rule of `bayesreg.sparsity` which columns it keeps, if the draws allow it."""
    p = comparison.problem.p
    if comparison.sampled is None or not 0 < p <= _MOST_COLUMNS:
        return Rules()
    post, share = comparison.posterior, share_near_zero(comparison)
    share = 1.0 if math.isnan(share) else share  # columns without an ε need no number
    try:
        summary = sparsity.summarise(
            comparison.problem, comparison.draws, epsilon=share, level=post.level, seed=0
        )
    except BayesregError as error:
        return Rules((), (("any rule", brief(str(error))),))
    rows = tuple(
        {
            "name": kept.method,
            "kept": f"{kept.size} of {p}",
            "which": listed(list(kept.support)) or "none",
            "rule": kept.rule.partition(";")[0],  # ε is told above the table
        }
        for kept in summary.selections
    )
    return Rules(rows, tuple((name, brief(why)) for name, why in summary.refusals.items()))


# --------------------------------------------------------------------------- other packages


def other_packages(comparison: Comparison) -> list[units.Row]:
    """Return the calls of other packages; the documents' own λ are for their readers."""
    table = units.table(comparison.mode.conditional_problem)
    return [row for row in table if not row.package.startswith("document")]
