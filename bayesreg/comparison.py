"""Comparison: the exact mode, point optimisers and the posterior of one problem, side by side.

The problem scores every answer; no answer scores itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Literal

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg._validation import Vector, as_fraction, as_generator, as_positive
from bayesreg.certificate import Certificate, certify
from bayesreg.errors import BayesregError, DegenerateMode, unknown_name
from bayesreg.map import MapEstimate, find_map
from bayesreg.optimizers import PointEstimate, list_optimizers, optimize
from bayesreg.posterior import Diagnosis, diagnose, sample

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure
    from xarray import DataTree

    from bayesreg.problem import Problem

EXACT = "exact mode"
# Largest excess over the optimum, in nats, that still counts as near it.
NEAR = 1e-3

type Verdict = Literal["optimal", "near", "off"]

_UNITS = {"gaussian": "of sd(y)", "bernoulli": "in log-odds", "poisson": "in log-rate"}


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
    def verdict(self) -> Verdict:
        """How good the answer is, in one word.

        "optimal": certified. "near": with the zeros of the exact mode, and within a thousandth of a
        nat of it, where the density is 0.1 % below its peak; the tolerances of point optimisers are
        looser than a certificate's, and that alone misleads nobody. "off": anything else.
        """
        if self.certificate.optimal:
            return "optimal"
        right = self.false_nonzeros == 0 and self.false_zeros == 0
        return "near" if right and self.excess <= NEAR else "off"

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
        What counts as close to zero, in units of each coefficient.
    near_zero : ndarray, shape (p,)
        P(|β| < epsilon).
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
class Comparison:
    """Everything `compare` found, on one problem.

    Attributes
    ----------
    problem : Problem
        As it was asked.
    mode : MapEstimate
        The exact mode: of the coefficients, given values of sigma and scale where those are
        unknown (then their posterior medians); ``mode.space`` says so.
    joint_mode : MapEstimate or None
        The joint mode with sigma, where sigma is unknown and the mode exists.
    joint_refusal : str or None
        Why there is no joint mode, where something is unknown.
    scores : tuple of Score
        The exact mode first, then every optimiser, then posterior mean and median.
    failures : dict of str
        Optimisers that raised, with the reason.
    draws : xarray.DataTree
        The posterior.
    diagnosis : Diagnosis
        Whether the draws can be trusted, in words.
    posterior : PosteriorSummary
        Their summary per coefficient.
    epsilon_rule : str
        How `posterior.epsilon` was set, in words.
    """

    problem: Problem
    mode: MapEstimate
    joint_mode: MapEstimate | None
    joint_refusal: str | None
    scores: tuple[Score, ...]
    failures: dict[str, str]
    draws: DataTree = field(repr=False)
    diagnosis: Diagnosis
    posterior: PosteriorSummary
    epsilon_rule: str

    def to_frame(self) -> pd.DataFrame:
        """Return every estimate of every coefficient, one row each.

        Returns
        -------
        pandas.DataFrame
            Columns estimator, coefficient, value, lower, upper (NaN but for the posterior),
            exact_zero.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        rows = []
        for score in self.scores:
            interval = score.name.startswith("posterior")
            names = (*self._intercept_name, *self.problem.names)
            values = ([score.intercept] if self._intercept_name else []) + score.coef.tolist()
            for k, (name, value) in enumerate(zip(names, values, strict=True)):
                j = k - len(self._intercept_name)
                known = interval and j >= 0
                low = float(self.posterior.lower[j]) if known else np.nan
                high = float(self.posterior.upper[j]) if known else np.nan
                rows.append((score.name, name, value, low, high, value == 0.0))
        columns = ["estimator", "coefficient", "value", "lower", "upper", "exact_zero"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def _intercept_name(self) -> tuple[str, ...]:
        return ("intercept",) if self.problem.design.intercept else ()

    def score_frame(self) -> pd.DataFrame:
        """Return one row per estimator: how far above the optimum, how sparse, how long.

        Returns
        -------
        pandas.DataFrame
            Indexed by estimator; excess and gap in nats, seconds in seconds.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        rows = {
            s.name: {
                "excess": s.excess,
                "gap": s.certificate.gap,
                "kkt": s.certificate.kkt,
                "verdict": s.verdict,
                "zeros": s.zeros,
                "false_nonzeros": s.false_nonzeros,
                "false_zeros": s.false_zeros,
                "distance": s.distance,
                "seconds": np.nan if s.seconds is None else s.seconds,
                "claims_convergence": s.claims_convergence,
                "misleading": s.misleading,
            }
            for s in self.scores
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("estimator")

    def sparsity_frame(self) -> pd.DataFrame:
        """Return one row per coefficient: is it zero, nearly zero, or clearly not.

        Returns
        -------
        pandas.DataFrame
            Indexed by coefficient: mode, zero in the mode, zeros among the draws, epsilon,
            P(|β| < epsilon), interval, whether it excludes 0.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        post = self.posterior
        columns = {
            "mode": self.mode.coef,
            "mode_is_zero": self.mode.coef == 0,
            "zero_draws": post.zeros.astype(int),
            "mean": post.mean,
            "median": post.median,
            "lower": post.lower,
            "upper": post.upper,
            "epsilon": post.epsilon,
            "near_zero": post.near_zero,
            "excludes_zero": post.excludes_zero,
        }
        return pd.DataFrame(columns, index=pd.Index(self.problem.names, name="coefficient"))

    def plot(self) -> Figure:
        """Draw the posterior density of each coefficient with every estimate marked on it.

        Returns
        -------
        matplotlib.figure.Figure
            See `bayesreg.figures.posterior_densities`.
        """
        figure: Figure = import_module("bayesreg.figures").posterior_densities(self)
        return figure

    def to_html(self, path: str | os.PathLike[str], *, command: str | None = None) -> Path:
        """Write one self-contained HTML page.

        Parameters
        ----------
        path : path-like
            Where to write; the file appears whole or not at all.
        command : str, optional
            The command line to show as the way to reproduce it.

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        written: Path = import_module("bayesreg.report").write(self, path, command=command)
        return written


def compare(
    problem: object,
    estimators: str | Iterable[str] = "auto",
    *,
    seed: int | np.random.SeedSequence | np.random.Generator | None = None,
    draws: int = 1000,
    chains: int = 4,
    level: float = 0.95,
    epsilon: float = 0.05,
    progress: bool | None = None,
    announce: Callable[[str], None] | None = None,
) -> Comparison:
    """Put the exact mode, the point optimisers and the posterior of one problem side by side.

    Parameters
    ----------
    problem : Problem or pymc.Model
        What to compare on.
    estimators : "auto" or iterable of str
        Optimisers to run; "auto" runs all that fit (see `list_optimizers`).
    seed : int or Generator, optional
        Seed of the draws.
    draws, chains : int
        Posterior draws per chain, and chains.
    level : float
        Probability of the intervals.
    epsilon : float
        A coefficient is near zero if a change of one sd of its column moves the linear predictor
        by less than `epsilon` (times the sd of y where the likelihood is Gaussian).
    progress : bool, optional
        Whether to show progress; by default only on a terminal.
    announce : callable, optional
        Called with a line of text before each step.

    Returns
    -------
    Comparison
        Table, sparsity, draws, figure and page.

    Raises
    ------
    InputError, ImproperPosterior, UnsupportedModel
        As `find_map` and `sample`.

    Examples
    --------
    >>> import bayesreg as br
    >>> p = br.Problem([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5], likelihood=br.Gaussian(1.0),
    ...                prior=br.Laplace(1.0), intercept=False)
    >>> table = br.compare(p, ["coordinate_descent"], draws=200, seed=1, progress=False)
    >>> [score.name for score in table.scores]
    ['exact mode', 'coordinate_descent', 'posterior mean', 'posterior median']
    """
    asked, _ = as_problem(problem)
    as_fraction(level, "level")
    as_positive(epsilon, "epsilon")
    as_generator(seed)
    say = announce if announce is not None else _silent
    asked.require_proper()
    names = _names(asked, estimators)
    if not asked.unknown:
        say("exact mode")
        mode = find_map(asked)
    say(f"posterior: {chains} chains of {draws} draws")
    tree = sample(asked, draws=draws, chains=chains, seed=seed, progress=progress)
    joint, refusal = (None, None) if not asked.unknown else _joint(asked)
    if asked.unknown:
        say("exact mode, given the posterior medians of " + " and ".join(asked.unknown))
        medians: dict[str, float] = {
            name: float(np.median(tree["posterior"][name])) for name in asked.unknown
        }
        mode = find_map(asked, given=medians)
    scored = mode.conditional_problem
    points, failures = _run_optimizers(scored, names, say)
    summary, rule = _summarise(asked, tree, level, epsilon)
    scores = [_score(scored, mode, EXACT, mode.coef, mode.intercept, mode.seconds, claims=True)]
    scores += [
        _score(scored, mode, p.name, p.coef, p.intercept, p.seconds, claims=p.claims_convergence)
        for p in points
    ]
    for label, centre in (("posterior mean", summary.mean), ("posterior median", summary.median)):
        reduce = np.mean if centre is summary.mean else np.median
        shift = _intercept_at(asked, tree, centre, reduce)
        scores.append(_score(scored, mode, label, centre, shift, None, claims=None))
    return Comparison(
        problem=asked,
        mode=mode,
        joint_mode=joint,
        joint_refusal=refusal,
        scores=tuple(scores),
        failures=failures,
        draws=tree,
        diagnosis=diagnose(tree),
        posterior=summary,
        epsilon_rule=rule,
    )


def _intercept_at(
    problem: Problem, tree: DataTree, centre: Vector, reduce: Callable[..., np.floating]
) -> float:
    """Intercept that goes with a summary of the coefficients.

    A median is taken of the level at the columns' means, where it depends least on the
    coefficients; far from the data, medians taken one by one do not belong to each other.
    """
    if not problem.design.intercept:
        return 0.0
    mean = problem.design.X.mean(axis=0)
    level = (
        np.asarray(tree["posterior"]["intercept"]) + np.asarray(tree["posterior"]["beta"]) @ mean
    )
    return float(reduce(level)) - float(mean @ centre)


def _silent(text: str) -> None:
    del text


def _names(problem: Problem, estimators: str | Iterable[str]) -> tuple[str, ...]:
    known = list_optimizers()
    if estimators == "auto":
        return list_optimizers(problem.given_ones())
    names = (estimators,) if isinstance(estimators, str) else tuple(estimators)
    for name in names:
        if name not in known:
            raise unknown_name("estimators", name, known)
    return names


def _joint(problem: Problem) -> tuple[MapEstimate | None, str | None]:
    try:
        return find_map(problem), None
    except DegenerateMode as refusal:
        return None, str(refusal)


def _run_optimizers(
    problem: Problem, names: tuple[str, ...], say: Callable[[str], None]
) -> tuple[list[PointEstimate], dict[str, str]]:
    points, failures = [], {}
    for name in names:
        say(f"optimiser: {name}")
        try:
            points.append(optimize(problem, name))
        except BayesregError as error:
            failures[name] = str(error)
    return points, failures


def _score(
    problem: Problem,
    mode: MapEstimate,
    name: str,
    coef: Vector,
    intercept: float,
    seconds: float | None,
    *,
    claims: bool | None,
) -> Score:
    best = problem.penalised(mode.coef, mode.intercept)
    excess = problem.penalised(coef, intercept) - best
    rounding = 16 * np.finfo(float).eps * abs(best)
    spread = problem.design.X.std(axis=0)
    zero, mode_zero = coef == 0, mode.coef == 0
    return Score(
        name=name,
        coef=coef,
        intercept=intercept,
        excess=excess if abs(excess) > rounding else 0.0,
        certificate=certify(problem, coef, intercept),
        zeros=int(zero.sum()),
        false_nonzeros=int((mode_zero & ~zero).sum()),
        false_zeros=int((zero & ~mode_zero).sum()),
        distance=float(np.max(np.abs(coef - mode.coef) * spread, initial=0.0)),
        seconds=seconds,
        claims_convergence=claims,
    )


def _summarise(
    problem: Problem, tree: DataTree, level: float, epsilon: float
) -> tuple[PosteriorSummary, str]:
    drawn = np.asarray(tree["posterior"]["beta"])
    beta = drawn.reshape(math.prod(drawn.shape[:-1]), problem.p)
    gaussian = problem.likelihood.name == "gaussian"
    unit = float(problem.design.y.std()) or 1.0 if gaussian else 1.0
    spread = problem.design.X.std(axis=0)
    near = epsilon * unit / np.where(spread > 0, spread, 1.0)
    tail = (1 - level) / 2
    lower, median, upper = np.quantile(beta, [tail, 0.5, 1 - tail], axis=0)
    summary = PosteriorSummary(
        mean=beta.mean(axis=0),
        median=median,
        lower=lower,
        upper=upper,
        epsilon=near,
        near_zero=(np.abs(beta) < near).mean(axis=0),
        zeros=(beta == 0).sum(axis=0).astype(np.float64),
        level=level,
    )
    amount = f"{epsilon:g} {_UNITS[problem.likelihood.name]}"
    return summary, f"one sd of the column moves the prediction by less than {amount}"
