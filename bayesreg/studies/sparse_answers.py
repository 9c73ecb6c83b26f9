"""Sparse answers from dense posteriors, held against simulated truth.

Coefficients are 0 but for about five, which are standard normal, as is the noise; columns are
correlated with their neighbours. Three posteriors, one per prior, answer which columns matter by
the rules of `bayesreg.sparsity`; stability selection answers without a prior. The spike and slab is
told the law that the coefficients come from, and the horseshoe the number that is expected not to
be 0, so their probabilities should be right; nothing is told to the lasso.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import bayesreg as br
from bayesreg._validation import as_count
from bayesreg.studies.exhibit import Exhibit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior

    type Flags = NDArray[np.bool_]

#: Expected number of coefficients that are not 0, their sd, correlation of neighbours.
SIGNALS, SIZE, CORRELATION = 5, 1.0, 0.5
#: What counts as near zero, in sd of y per sd of a column; of the intervals.
EPSILON, LEVEL = 0.05, 0.9
#: Ends of the bins in which nominal probabilities are compared with frequencies.
BINS = np.array([0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0])

LASSO, HORSESHOE, SPIKE = "lasso", "horseshoe", "spike and slab"
#: Rules, with the prior whose posterior they look at; those in `PROBABILITIES` state a probability.
RULES = (
    (LASSO, "zeros of the mode"),
    (LASSO, "decoupled"),
    (HORSESHOE, "P(|β| ≥ ε)"),
    (HORSESHOE, "credible interval"),
    (HORSESHOE, "shrinkage"),
    (HORSESHOE, "decoupled"),
    (SPIKE, "inclusion"),
    ("–", "stability"),
)
PROBABILITIES = ("P(|β| ≥ ε)", "shrinkage", "inclusion", "stability")


@dataclass(frozen=True)
class Regime:
    """A number of rows and of columns.

    Attributes
    ----------
    name : str
        How they compare.
    n, p : int
        Rows and columns.
    """

    name: str
    n: int
    p: int


REGIMES = (Regime("p ≪ n", 100, 10), Regime("p = n", 50, 50), Regime("p ≫ n", 40, 120))
LARGE_REGIMES = (Regime("p ≪ n", 200, 20), Regime("p = n", 100, 100), Regime("p ≫ n", 80, 400))


@dataclass(frozen=True, eq=False)
class Verdicts:
    """One rule in one regime, over all data sets.

    Attributes
    ----------
    regime : Regime
        Sizes.
    prior, rule : str
        Whose posterior, and which rule.
    kept, false, missed : float
        Columns kept, kept though their coefficient is 0, and not kept though it is not; per data
        set.
    brier : float
        Mean square of the stated probability less what is true; where none is stated, the share of
        wrong answers.
    reliability : ndarray, shape (b, 3), or None
        Mean stated probability, observed frequency and count in each bin that is not empty.
    """

    regime: Regime
    prior: str
    rule: str
    kept: float
    false: float
    missed: float
    brier: float
    reliability: Matrix | None

    @property
    def false_share(self) -> float:
        """Share of the columns kept that are false; 0 if none is kept."""
        return self.false / self.kept if self.kept else 0.0

    @property
    def miscalibration(self) -> float:
        """Mean distance of stated probability and frequency over the bins; NaN without one."""
        if self.reliability is None:
            return np.nan
        stated, observed, count = self.reliability.T
        return float(count @ np.abs(stated - observed) / count.sum())


@dataclass(frozen=True, eq=False)
class Coverage:
    """How often the intervals of one posterior hold the truth.

    Attributes
    ----------
    regime : Regime
        Sizes.
    prior : str
        Whose posterior.
    overall, signals, zeros : float
        Share among all coefficients, those that are not 0, and those that are.
    """

    regime: Regime
    prior: str
    overall: float
    signals: float
    zeros: float


@dataclass(frozen=True, eq=False)
class SparseAnswers:
    """The whole comparison.

    Attributes
    ----------
    regimes : tuple of Regime
        Sizes.
    data_sets : int
        Number of simulated data sets in each.
    signals : tuple of float
        Mean number of coefficients that are not 0, by regime.
    verdicts : tuple of Verdicts
        By regime, then rule.
    coverages : tuple of Coverage
        By regime, then prior.
    """

    regimes: tuple[Regime, ...]
    data_sets: int
    signals: tuple[float, ...]
    verdicts: tuple[Verdicts, ...]
    coverages: tuple[Coverage, ...]

    def of(self, regime: Regime) -> tuple[Verdicts, ...]:
        """Return the verdicts of one regime, in the order of `RULES`."""
        return tuple(v for v in self.verdicts if v.regime == regime)

    def to_frame(self) -> pd.DataFrame:
        """Return the table.

        Returns
        -------
        pandas.DataFrame
            One row per regime and rule: regime, n, p, prior, rule, kept, false, missed,
            false_share, brier, miscalibration, and the coverage of the prior's intervals.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        covered = {(c.regime, c.prior): c.overall for c in self.coverages}
        rows = [
            (
                *(v.regime.name, v.regime.n, v.regime.p, v.prior, v.rule),
                *(v.kept, v.false, v.missed, v.false_share, v.brier, v.miscalibration),
                covered.get((v.regime, v.prior), np.nan),
            )
            for v in self.verdicts
        ]
        return pd.DataFrame(
            rows,
            columns=[
                *("regime", "n", "p", "prior", "rule", "kept", "false", "missed"),
                *("false_share", "brier", "miscalibration", "coverage"),
            ],
        )

    def __str__(self) -> str:
        """Print the table."""
        head = f"{'rule':36}{'kept':>6}{'false':>7}{'missed':>8}{'Brier':>8}{'miscal.':>9}"
        lines = []
        for regime, signals in zip(self.regimes, self.signals, strict=True):
            size = f"{regime.n} rows, {regime.p} columns"
            lines += [f"{regime.name}: {size}, {signals:.3g} signals; {self.data_sets} data sets"]
            lines += [head]
            for v in self.of(regime):
                off = "–" if v.reliability is None else f"{v.miscalibration:.3f}"
                name = v.rule if v.prior == "–" else f"{v.prior}: {v.rule}"
                lines.append(
                    f"{name:36}{v.kept:6.1f}{v.false:7.2f}{v.missed:8.2f}{v.brier:8.3f}{off:>9}"
                )
            for c in self.coverages:
                if c.regime == regime:
                    parts = f"signals {c.signals:.3f}, zeros {c.zeros:.3f}"
                    name = f"{c.prior}: {LEVEL:.0%} intervals hold"
                    lines.append(f"{name:36}{c.overall:6.3f}  ({parts})")
        return "\n".join(lines)


# --------------------------------------------------------------------------- one data set


@dataclass(frozen=True, eq=False)
class _Trial:
    """Data, and the coefficients behind them."""

    X: Matrix
    y: Vector
    truth: Vector

    def problem(self, prior: Prior) -> br.Problem:
        """Return the regression, noise of unknown sd."""
        likelihood = br.Gaussian(br.HalfCauchy(1.0))
        return br.Problem(self.X, self.y, likelihood=likelihood, prior=prior)


@dataclass(frozen=True, eq=False)
class _Answer:
    """One rule on one data set: stated numbers, what is kept, and what they are stated of."""

    value: Vector
    selected: Flags
    event: Flags
    truth: Vector


def simulate(regime: Regime, rng: np.random.Generator) -> tuple[Matrix, Vector, Vector]:
    """Draw columns (n, p), target (n,) and coefficients (p,)."""
    shocks = rng.standard_normal((regime.n, regime.p))
    X = np.empty_like(shocks)
    X[:, 0] = shocks[:, 0]
    for j in range(1, regime.p):
        X[:, j] = CORRELATION * X[:, j - 1] + np.sqrt(1 - CORRELATION**2) * shocks[:, j]
    share = min(SIGNALS / regime.p, 0.5)
    size = rng.normal(0.0, SIZE, regime.p)
    truth = np.where(rng.random(regime.p) < share, size, 0.0)
    return X, X @ truth + rng.standard_normal(regime.n), truth


def _priors(regime: Regime) -> dict[str, Prior]:
    """Piironen & Vehtari's (2017) scale of the horseshoe, at which m_eff is about `SIGNALS`."""
    share = min(SIGNALS / regime.p, 0.5)
    return {
        LASSO: br.Laplace(br.HalfCauchy(1.0)),
        HORSESHOE: br.Horseshoe(br.HalfCauchy(share / (1 - share) / np.sqrt(regime.n))),
        SPIKE: br.SpikeSlab(share, SIZE),
    }


def _ask(
    trial: _Trial, regime: Regime, draws: int, pairs: int, seed: int
) -> tuple[dict[tuple[str, str], _Answer], dict[str, Flags]]:
    """Return every rule's answer, and which coefficients each posterior's intervals hold."""
    answers, held = {}, {}
    nonzero = trial.truth != 0
    for name, prior in _priors(regime).items():
        problem = trial.problem(prior)
        tree = br.sample(problem, draws=draws, tune=draws, seed=seed, progress=False)
        found = br.sparsity.summarise(problem, tree, epsilon=EPSILON, level=LEVEL, seed=seed)
        for rule in (rule for owner, rule in RULES if owner == name):
            event = nonzero
            if rule == "P(|β| ≥ ε)":
                spread = problem.design.column_sd
                event = np.abs(trial.truth) * spread >= EPSILON * trial.y.std()
            chosen = found[rule]
            answers[name, rule] = _Answer(chosen.value, chosen.selected, event, trial.truth)
        beta = np.asarray(tree["posterior"]["beta"], dtype=np.float64).reshape(-1, problem.p)
        low, high = np.quantile(beta, [0.5 * (1 - LEVEL), 0.5 * (1 + LEVEL)], axis=0)
        held[name] = (low <= trial.truth) & (trial.truth <= high)
    halves = br.sparsity.stability_selection(problem, pairs=pairs, seed=seed).selection
    answers["–", "stability"] = _Answer(halves.value, halves.selected, nonzero, trial.truth)
    return answers, held


# --------------------------------------------------------------------------- all of them


def _verdicts(regime: Regime, prior: str, rule: str, answers: Sequence[_Answer]) -> Verdicts:
    count = len(answers)
    kept = np.concatenate([a.selected for a in answers])
    nonzero = np.concatenate([a.truth != 0 for a in answers])
    event = np.concatenate([a.event for a in answers])
    states = rule in PROBABILITIES
    stated = np.concatenate([a.value for a in answers]) if states else kept.astype(float)
    return Verdicts(
        regime=regime,
        prior=prior,
        rule=rule,
        kept=float(kept.sum() / count),
        false=float((kept & ~nonzero).sum() / count),
        missed=float((~kept & nonzero).sum() / count),
        brier=float(np.mean((stated - event) ** 2)),
        reliability=reliability(stated, event) if states else None,
    )


def reliability(stated: Vector, event: Flags) -> Matrix:
    """Compare stated probabilities with frequencies, bin by bin.

    Parameters
    ----------
    stated : ndarray, shape (m,)
        Probabilities.
    event : ndarray of bool, shape (m,)
        What happened.

    Returns
    -------
    ndarray, shape (b, 3)
        Mean probability, frequency and count of each bin of `BINS` that is not empty.

    Examples
    --------
    >>> reliability(np.array([0.1, 0.1, 0.9]), np.array([True, False, True]))
    array([[0.1, 0.5, 2. ],
           [0.9, 1. , 1. ]])
    """
    place = np.clip(np.searchsorted(BINS, stated, side="right") - 1, 0, BINS.size - 2)
    used = np.unique(place)
    rows = [(stated[place == k].mean(), event[place == k].mean(), (place == k).sum()) for k in used]
    return np.array(rows, dtype=np.float64)


def _coverage(regime: Regime, prior: str, held: Flags, nonzero: Flags) -> Coverage:
    def share(among: Flags) -> float:
        return float(held[among].mean()) if among.any() else np.nan

    return Coverage(regime, prior, float(held.mean()), share(nonzero), share(~nonzero))


def sparse_answers(
    seed: int = 0,
    *,
    regimes: tuple[Regime, ...] = REGIMES,
    data_sets: int = 4,
    draws: int = 150,
    pairs: int = 25,
) -> SparseAnswers:
    """Simulate data sets with few signals, and hold every sparse answer against the truth.

    Parameters
    ----------
    seed : int
        Of everything.
    regimes : tuple of Regime
        Numbers of rows and columns.
    data_sets : int
        To simulate in each.
    draws : int
        Per chain, of four, after as many that are not kept.
    pairs : int
        Splits of stability selection.

    Returns
    -------
    SparseAnswers
        False discoveries, misses, calibration and coverage.

    Examples
    --------
    >>> found = sparse_answers(regimes=(Regime("p ≪ n", 40, 6),), data_sets=1, draws=50, pairs=5)
    >>> found.to_frame().shape
    (8, 12)
    """
    as_count(data_sets, "data_sets")
    verdicts, coverages, signals = [], [], []
    for k, regime in enumerate(regimes):
        answers: dict[tuple[str, str], list[_Answer]] = {key: [] for key in RULES}
        held: dict[str, list[Flags]] = {}
        truths = []
        for number in range(data_sets):
            rng = np.random.default_rng([seed, k, number])
            trial = _Trial(*simulate(regime, rng))
            found, inside = _ask(trial, regime, draws, pairs, int(rng.integers(2**31)))
            truths.append(trial.truth != 0)
            for key, answer in found.items():
                answers[key].append(answer)
            for name, flags in inside.items():
                held.setdefault(name, []).append(flags)
        nonzero = np.concatenate(truths)
        signals.append(float(nonzero.sum() / data_sets))
        verdicts += [_verdicts(regime, *key, answers[key]) for key in RULES]
        coverages += [_coverage(regime, n, np.concatenate(h), nonzero) for n, h in held.items()]
    return SparseAnswers(regimes, data_sets, tuple(signals), tuple(verdicts), tuple(coverages))


DOCUMENT = 7

EXHIBITS: tuple[Exhibit, ...] = (
    Exhibit(
        "sparse_answers",
        "Which columns matter: eight sparse answers held against simulated truth, in three regimes",
        DOCUMENT,
        sparse_answers,
    ),
)
