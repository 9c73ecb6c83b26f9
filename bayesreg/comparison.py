"""Comparison: the exact mode, point optimisers and the posterior of one problem, side by side.

The problem scores every answer; no answer scores itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._inputs import as_problem, in_own_words, own_words
from bayesreg._text_table import apart
from bayesreg._validation import as_count, as_fraction, as_generator, as_positive
from bayesreg._visible import shown
from bayesreg.errors import (
    BayesregError,
    DegenerateMode,
    InputError,
    SamplingFailed,
    UnsupportedModel,
    unknown_name,
)
from bayesreg.map import MapEstimate, find_map
from bayesreg.optimizers import PointEstimate, list_optimizers, optimize
from bayesreg.posterior import diagnose, reason_against_sampling, sample
from bayesreg.scoring import (
    EXACT,
    Sampled,
    ScalarSummary,
    Score,
    central_answers,
    score_answer,
    summarise,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure
    from xarray import DataTree

    from bayesreg.model_reading import ModelReading
    from bayesreg.posterior import Diagnosis
    from bayesreg.problem import Problem
    from bayesreg.scoring import PosteriorSummary


@dataclass(frozen=True, eq=False, repr=False)
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
    sampled : Sampled or None
        Draws, their diagnosis and summary; `draws`, `diagnosis`, `posterior` and `epsilon_rule`
        are its parts. None where no sampler takes the problem, or the one that does failed.
    no_draws : str or None
        Why there are none.
    reading : ModelReading or None
        How the problem was read, if it came as a PyMC model: what that calls sigma and scale.
    """

    problem: Problem
    mode: MapEstimate
    joint_mode: MapEstimate | None
    joint_refusal: str | None
    scores: tuple[Score, ...]
    failures: dict[str, str]
    sampled: Sampled | None
    no_draws: str | None = None
    reading: ModelReading | None = None

    def _need_draws(self) -> Sampled:
        if self.sampled is None:
            msg = f"comparison: has no draws; {self.no_draws}"
            raise InputError(msg)
        return self.sampled

    @property
    def draws(self) -> DataTree:
        """The posterior; InputError where there are no draws."""
        return self._need_draws().draws

    @property
    def diagnosis(self) -> Diagnosis:
        """Whether the draws can be trusted, in words; InputError where there are none."""
        return self._need_draws().diagnosis

    @property
    def posterior(self) -> PosteriorSummary:
        """The summary of the draws per coefficient; InputError where there are none."""
        return self._need_draws().posterior

    @property
    def epsilon_rule(self) -> str:
        """How ``posterior.epsilon`` was set, in words; InputError where there are no draws."""
        return self._need_draws().epsilon_rule

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
            interval = self.sampled is not None and score.name.startswith("posterior")
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
    def scalars(self) -> dict[str, ScalarSummary]:
        """Posterior of the intercept and of unknown sigma and scale, those that there are."""
        if self.sampled is None:
            return {}
        drawn, level = self.draws["posterior"], self.posterior.level
        names = [name for name in ("intercept", "sigma", "scale") if name in drawn]
        return {name: ScalarSummary.of(drawn[name], level) for name in names}

    def called(self, name: str) -> str:
        """Return the name of one of `scalars`, with a PyMC model's own: ``scale (your 'tau')``.

        Of one that a column has too, it says that it is not that column.
        """
        own = name if self.reading is None else self.reading.called(name)
        return apart(own, self.problem.names)

    @property
    def mode_space(self) -> str:
        """What the exact mode is conditional on, and where those values come from."""
        known = not self.problem.unknown or self.sampled is None
        return self.mode.space + ("" if known else " (at the posterior medians)")

    def __str__(self) -> str:
        """Return the tables of the command line."""
        text: str = import_module("bayesreg.terminal").as_text(self)
        return text

    def __repr__(self) -> str:
        """Return one line: the problem and who answered."""
        names = ", ".join(score.name for score in self.scores)
        return f"Comparison({self.problem.formula()}; {names})"

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
            P(|β| < epsilon) (both NaN for a column that sets the level), interval, whether it
            excludes 0; of those that need draws, none where there are none.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        columns = {"mode": self.mode.coef, "mode_is_zero": self.mode.coef == 0}
        if self.sampled is not None:
            post = self.posterior
            columns |= {
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
            See `bayesreg.figures.posterior_densities`; `bayesreg.figures.coefficients` where there
            are no draws.
        """
        figures = import_module("bayesreg.figures")
        draw = figures.coefficients if self.sampled is None else figures.posterior_densities
        figure: Figure = draw(self)
        return figure

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        command: str | None = None,
        notes: Sequence[str] = (),
    ) -> Path:
        """Write one self-contained HTML page.

        Parameters
        ----------
        path : path-like
            Where to write, .html or .htm; the file appears whole or not at all.
        command : str, optional
            The command line to show as the way to reproduce it.
        notes : sequence of str
            Lines on the data and where its scales come from.

        Returns
        -------
        pathlib.Path
            The file written.

        Raises
        ------
        InputError
            If the file cannot be written, or has another ending.
        """
        written: Path = import_module("bayesreg.report").write(
            self, path, command=command, notes=notes
        )
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
        Probability of the intervals, which leave out equal tails (`sample` on the command line and
        `posterior_path` have intervals of highest density).
    epsilon : float
        A coefficient is near zero if a change of one sd of its column moves the linear predictor
        by less than `epsilon` (times the sd of y where the target is a real number).
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
    InputError, ImproperPosterior
        As `find_map` and `sample`.
    DegenerateMode
        If there is no mode to compare with, as under a horseshoe prior.
    UnsupportedModel
        If a PyMC model is no penalised regression; `find_map` and `sample` take more models.

    Notes
    -----
    Where no sampler takes the problem, or the one that does fails, the comparison is of the mode
    and the point optimisers, and ``no_draws`` says why; an unknown sigma then is that of the joint
    mode.

    Examples
    --------
    >>> import bayesreg as br
    >>> p = br.Problem([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5], likelihood=br.Gaussian(1.0),
    ...                prior=br.Laplace(1.0), intercept=False)
    >>> table = br.compare(p, ["coordinate_descent"], draws=200, seed=1, progress=False)
    >>> [score.name for score in table.scores]
    ['exact mode', 'coordinate_descent', 'posterior mean', 'posterior median']
    """
    asked, reading = _asked(problem)
    as_fraction(level, "level")
    as_positive(epsilon, "epsilon")
    as_count(draws, "draws")
    as_count(chains, "chains")
    as_generator(seed)
    say = announce if announce is not None else _silent
    names = _names(asked, estimators)
    mode = None if asked.unknown else _mode(asked, reading, {}, say)
    tree, no_draws = _draws(asked, say, draws=draws, chains=chains, seed=seed, progress=progress)
    if tree is not None and reading is not None and reading.parts:
        tree.attrs["variables"] = reading.parts
    medians = (
        {}
        if tree is None
        else {name: float(np.median(tree["posterior"][name])) for name in asked.unknown}
    )
    joint, refusal = _joint(asked, reading) if medians else (None, None)
    if mode is None:
        mode = _mode(asked, reading, medians, say)
    scored = mode.conditional_problem
    points, failures = _run_optimizers(scored, names, say)
    scores = [score_answer(scored, mode, mode, EXACT, mode.seconds, claims=True)]
    scores += [
        score_answer(scored, mode, p, p.name, p.seconds, claims=p.claims_convergence)
        for p in points
    ]
    sampled = None
    if tree is not None:
        summary, rule = summarise(asked, tree, level, epsilon)
        sampled = Sampled(tree, diagnose(tree), summary, rule)
        scores += [
            score_answer(scored, mode, answer, name)
            for name, answer in central_answers(asked, tree, summary).items()
        ]
    return Comparison(
        problem=asked,
        mode=mode,
        joint_mode=joint,
        joint_refusal=refusal,
        scores=tuple(scores),
        failures=failures,
        sampled=sampled,
        no_draws=None if no_draws is None else in_own_words(no_draws, reading),
        reading=reading,
    )


def _asked(problem: object) -> tuple[Problem, ModelReading | None]:
    """Return the problem, with a mode and a dense X, and how it was read from a model."""
    try:
        asked, reading = as_problem(problem)
    except UnsupportedModel as error:
        reason = (
            f"{error.reason}. Only penalised regressions are compared; of any model of continuous "
            "variables find_map(model) finds a mode, and sample(model) draws from the posterior"
        )
        raise UnsupportedModel(error.variable, reason) from error
    asked = asked.dense("a comparison")
    try:
        asked.require_proper()
    except DegenerateMode as error:
        msg = f"{error}. A comparison needs a mode to compare with"
        raise DegenerateMode(msg) from error
    return asked, reading


def _silent(text: str) -> None:
    del text


def _names(problem: Problem, estimators: str | Iterable[str]) -> tuple[str, ...]:
    known = list_optimizers()
    if estimators == "auto":
        return list_optimizers(problem.given_ones())
    if not isinstance(estimators, str | list | tuple | set | frozenset):
        msg = f'estimators: must be "auto" or a list of names, found {shown(estimators)}'
        raise InputError(msg)
    names = (estimators,) if isinstance(estimators, str) else tuple(estimators)
    for name in names:
        if name not in known:
            raise unknown_name("estimators", name, known)
    return names


def _mode(
    problem: Problem,
    reading: ModelReading | None,
    medians: Mapping[Any, float],
    say: Callable[[str], None],
) -> MapEstimate:
    """Find the mode, given the posterior medians of what is unknown where there are any."""
    names = [name if reading is None else reading.called(name) for name in medians]
    where = f", given the posterior medians of {' and '.join(names)}" if medians else ""
    say(f"exact mode{where}")
    return _found(problem, reading, medians)


def _found(
    problem: Problem, reading: ModelReading | None, given: Mapping[Any, float] | None = None
) -> MapEstimate:
    """Find a mode, and say it in the words and variables of the model, as `find_map` does."""
    with own_words(reading):
        fit = find_map(problem, given=given)
    if reading is None:
        return fit
    at = (fit.coef, fit.intercept, fit.sigma, fit.scale)
    return replace(
        fit,
        space=reading.in_own_words(fit.space),
        point=reading.point(*at),
        values=reading.values(*at),
    )


def _draws(
    problem: Problem, say: Callable[[str], None], **settings: Any
) -> tuple[DataTree | None, str | None]:
    """Draw from the posterior, or say why there are no draws."""
    reason = reason_against_sampling(problem)
    if reason is not None:
        return None, reason
    chains, draws = settings["chains"], settings["draws"]
    say(f"posterior: {chains} chain{'s' * (chains > 1)} of {draws} draw{'s' * (draws > 1)}")
    try:
        return sample(problem, **settings), None
    except SamplingFailed as error:
        return None, str(error)


def _joint(problem: Problem, reading: ModelReading | None) -> tuple[MapEstimate | None, str | None]:
    try:
        return _found(problem, reading), None
    except (DegenerateMode, InputError) as refusal:
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
