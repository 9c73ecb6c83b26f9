"""compare_priors: the same data under several priors, by leave-one-out and by evidence."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from bayesreg._inputs import as_problem
from bayesreg._validation import as_count, as_generator, as_positive
from bayesreg.errors import InputError, SamplingWarning
from bayesreg.likelihoods import Noise
from bayesreg.model_comparison._draws import LeftOut, require_spare_rows
from bayesreg.model_comparison.evidence import log_marginal_likelihood, reason_against_evidence
from bayesreg.posterior import diagnose, sample

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from xarray import DataTree

    from bayesreg.model_comparison.evidence import MarginalLikelihood
    from bayesreg.posterior import Diagnosis
    from bayesreg.problem import Problem

# Nats of elpd between models that predict alike: the threshold of ArviZ.
_ALIKE = 4.0
_ARBITRARY = (
    "weights of models that predict alike are arbitrary, and vary from run to run: they are no "
    "probabilities"
)
# What ArviZ says of a difference of elpd, in words.
_CAUTIONS = {
    "N < 100": "fewer than 100 rows, so the standard error of Δelpd is rough",
    "|elpd_diff| < 4": "predicts about as well as the best: Δelpd is below 4 nats",
}


_LEGEND = (
    "elpd: log density of each row given the others, summed; Δelpd: to the best; ±: standard "
    "error; weight: share in the mixture that predicts best (stacking); p(y): evidence; in nats"
)


@dataclass(frozen=True)
class PriorScore:
    """What one model makes of the data; in nats.

    Attributes
    ----------
    name : str
        As it was given.
    elpd, elpd_se : float
        Expected log density of a new row, summed over rows: by PSIS leave-one-out.
    difference, difference_se : float
        To the best elpd, at most 0.
    weight : float
        Of the model in the average that predicts best (stacking).
    p_loo : float
        Effective number of parameters.
    largest_k : float
        Largest Pareto k.
    bad_rows : int
        Rows with a k that is too large for the number of draws: elpd may be off.
    caution : str
        What speaks against making much of the difference; empty where nothing does.
    evidence : MarginalLikelihood or None
        Log marginal likelihood.
    no_evidence : str
        Why there is none.
    log_bayes_factor : float or None
        Against the model of the largest evidence, at most 0; None where there is nothing to
        compare it with.
    probability : float or None
        Posterior probability of the model among those with an evidence; None where it is alone.
    """

    name: str
    elpd: float
    elpd_se: float
    difference: float
    difference_se: float
    weight: float
    p_loo: float
    largest_k: float
    bad_rows: int
    caution: str
    evidence: MarginalLikelihood | None
    no_evidence: str
    log_bayes_factor: float | None
    probability: float | None


@dataclass(frozen=True, eq=False, repr=False)
class PriorComparison:
    """Models of the same data, the best predictions first.

    Attributes
    ----------
    problems : mapping of str to Problem
        The models.
    draws : mapping of str to xarray.DataTree
        Their posteriors.
    scores : tuple of PriorScore
        One per model.
    diagnoses : mapping of str to Diagnosis
        Whether the draws can be trusted: no standard error knows of a place that no chain found.
    not_comparable : str
        Why the evidences are not comparable; empty where they are.
    prior_probabilities : mapping of str to float, or None
        Of the models, as they were given; None for equal ones.
    """

    problems: Mapping[str, Problem]
    draws: Mapping[str, DataTree]
    scores: tuple[PriorScore, ...]
    diagnoses: Mapping[str, Diagnosis]
    not_comparable: str = ""
    prior_probabilities: Mapping[str, float] | None = None

    @property
    def best(self) -> str:
        """Name of the model with the largest elpd."""
        return self.scores[0].name

    @property
    def most_probable(self) -> str | None:
        """Name of the model with the largest posterior probability, where there are any."""
        known = [score for score in self.scores if score.probability is not None]
        if not known:
            return None
        return max(known, key=lambda score: score.probability or 0.0).name

    def __getitem__(self, name: str) -> PriorScore:
        """Return the score of a model."""
        return next(score for score in self.scores if score.name == name)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per model, the best predictions first.

        Returns
        -------
        pandas.DataFrame
            Indexed by model; elpd and evidence in nats.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        rows = {score.name: _row(score) for score in self.scores}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")

    def __str__(self) -> str:
        """Return the table as text."""
        heading = ("", "elpd", "± ", "Δelpd", "± ", "weight", "log p(y)", "± ", "P(model | y)")
        lines = [heading, *(_words(score) for score in self.scores)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(heading))]
        text = [
            "  ".join(
                cell.ljust(width) if k == 0 else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([*text, _LEGEND, *self.notes])

    def __repr__(self) -> str:
        """Return the names of the models, the best first."""
        return f"PriorComparison({', '.join(score.name for score in self.scores)})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be said beside the numbers."""
        out = [f"evidences are not comparable: {self.not_comparable}"] * bool(self.not_comparable)
        for score in self.scores:
            if score.no_evidence:
                out.append(f"{score.name}: {score.no_evidence}")
            if score.bad_rows:
                out.append(
                    f"{score.name}: Pareto k too large on {score.bad_rows} rows (up to "
                    f"{score.largest_k:.2f}), so elpd may be off"
                )
        out += [
            f"{name}: draws are {found.verdict}"
            for name, found in self.diagnoses.items()
            if not found.ok
        ]
        out += [
            f"{', '.join(s.name for s in self.scores if s.caution == caution)}: {caution}"
            for caution in dict.fromkeys(s.caution for s in self.scores if s.caution)
        ]
        if any(-score.difference < _ALIKE for score in self.scores[1:]):
            out.append(_ARBITRARY)
        return (*out, *self._on_evidences())

    def _on_evidences(self) -> list[str]:
        """What the probabilities are of, and which constant the evidences have."""
        out = []
        if self.most_probable is not None:
            among = any(score.no_evidence for score in self.scores)
            words = "P(model | y): " + "among those with an evidence, " * among
            equal = self.prior_probabilities is None
            out.append(words + ("of equal prior probabilities" if equal else "of those given"))
        flat = [s.evidence.flat_intercept for s in self.scores if s.evidence]
        if any(flat):
            shared = " that all models share" if len(flat) > 1 else ""
            out.append(f"log p(y) with density 1 for the flat intercept{shared}")
        return out

    def plot(self) -> Figure:
        """Draw elpd differences beside log Bayes factors.

        Returns
        -------
        matplotlib.figure.Figure
            See `bayesreg.figures.prior_comparison`.
        """
        figure: Figure = import_module("bayesreg.figures").prior_comparison(self)
        return figure


def compare_priors(
    problems: Mapping[str, object],
    *,
    draws: int = 2000,
    chains: int = 4,
    prior_probabilities: Mapping[str, float] | None = None,
    seed: int | np.random.Generator | None = None,
    progress: bool | None = None,
) -> PriorComparison:
    """Put models of the same data side by side: how they predict, and how probable they are.

    Leave-one-out asks which model predicts a new row best, after it has seen the others. The
    marginal likelihood asks which predicted all of the data best before it saw any; it depends on
    the width of a prior even where the posterior does not.

    Parameters
    ----------
    problems : mapping of str to Problem
        At least two models of the same rows; they may differ in prior, likelihood and columns.
    draws, chains : int
        Posterior draws per chain, and chains, of each model.
    prior_probabilities : mapping of str to float, optional
        Of the models, up to a common factor; equal by default.
    seed : int or Generator, optional
        Of all draws.
    progress : bool, optional
        Whether to show progress; by default only on a terminal.

    Returns
    -------
    PriorComparison
        Table, notes, figure.

    Raises
    ------
    InputError
        If the models are not of the same rows, or an argument does not fit; or a posterior is none
        without some row, so that it cannot be left out.
    ImproperPosterior
        If a posterior does not integrate.

    Notes
    -----
    PSIS leave-one-out and stacking weights are those of ``arviz.loo`` and ``arviz.compare``.
    Evidences are compared only among models that all have a flat intercept, or none; a model with
    another flat prior has none.

    Examples
    --------
    >>> import bayesreg as br
    >>> data = br.datasets.load("prostate")
    >>> narrow, wide = (
    ...     br.Problem(data.X, data.y, likelihood=br.Gaussian(0.7), prior=br.Normal(scale),
    ...                standardize=True) for scale in (0.3, 30.0))
    >>> found = compare_priors({"narrow": narrow, "wide": wide}, draws=500, seed=1, progress=False)
    >>> found.most_probable, bool(found["wide"].log_bayes_factor < -10)
    ('narrow', True)
    """
    asked = _asked(problems)
    as_count(draws, "draws", minimum=8)
    as_count(chains, "chains")
    log_prior = _log_prior(tuple(asked), prior_probabilities)
    rng = as_generator(seed)
    left_out, evidence, refusals = {}, {}, {}
    trees = {}
    for name, problem in asked.items():
        require_spare_rows(problem, name)
        trees[name] = sample(problem, draws=draws, chains=chains, seed=rng, progress=progress)
        left_out[name] = LeftOut.of(problem, trees[name])
        reason = reason_against_evidence(problem)
        if reason is None:
            with warnings.catch_warnings():
                # What it warns of is in the table, and in the notes.
                warnings.simplefilter("ignore", SamplingWarning)
                evidence[name] = log_marginal_likelihood(
                    problem, draws=trees[name], n_draws=draws, chains=chains, seed=rng
                )
        refusals[name] = reason or ""
    flat = {found.flat_intercept for found in evidence.values()}
    not_comparable = (
        "some models have a flat intercept, whose density has an arbitrary constant, and others "
        "have none"
        if len(flat) > 1
        else ""
    )
    relative = {} if not_comparable else _relative(evidence, log_prior)
    table = _compared(left_out)
    scores = tuple(
        _score(name, row, left_out[name], evidence.get(name), refusals[name], relative.get(name))
        for name, row in table.iterrows()
    )
    diagnoses = {name: diagnose(tree) for name, tree in trees.items()}
    return PriorComparison(asked, trees, scores, diagnoses, not_comparable, prior_probabilities)


def _asked(problems: object) -> dict[str, Problem]:
    """Return the models, after a look at whether they are of the same rows."""
    if not isinstance(problems, Mapping) or len(problems) < 2:
        msg = "problems: must be a mapping of at least two names to problems"
        raise InputError(msg)
    asked = {str(name): as_problem(p)[0].dense("a comparison") for name, p in problems.items()}
    if len(asked) < len(problems):
        msg = "problems: two names are the same as text; give each its own"
        raise InputError(msg)
    (first, one), *others = asked.items()
    for name, other in others:
        a, b = one.design, other.design
        if not np.array_equal(a.y, b.y):
            what = f"targets ({a.y.size} and {b.y.size} rows)" if a.n != b.n else "targets"
        elif not np.array_equal(a.row_weights, b.row_weights):
            what = "weights"
        elif isinstance(one.likelihood, Noise) != isinstance(other.likelihood, Noise):
            what = "kinds of target: a density of real numbers, and a probability of counts"
        else:
            continue
        msg = (
            f"problems: {first!r} and {name!r} have different {what}; models can only be compared "
            "on the same data"
        )
        raise InputError(msg)
    return asked


def _log_prior(names: tuple[str, ...], given: Mapping[str, float] | None) -> dict[str, float]:
    """Log prior probabilities of the models, up to a constant."""
    if given is None:
        return dict.fromkeys(names, 0.0)
    if not isinstance(given, Mapping) or set(given) != set(names):
        msg = f"prior_probabilities: must have a number for each of {', '.join(names)}"
        raise InputError(msg)
    return {name: math.log(as_positive(given[name], "prior_probabilities")) for name in names}


def _relative(
    evidence: Mapping[str, MarginalLikelihood], log_prior: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Log Bayes factors against the best, and posterior probabilities: of two models or more."""
    if len(evidence) < 2:
        return {}
    names = list(evidence)
    values = np.array([evidence[name].value for name in names])
    weighed = values + [log_prior[name] for name in names]
    probabilities = special.softmax(weighed)
    pairs = zip((values - values.max()).tolist(), probabilities.tolist(), strict=True)
    return dict(zip(names, pairs, strict=True))


def _compared(left_out: Mapping[str, LeftOut]) -> Any:
    """Return the table of ArviZ, the best first."""
    with warnings.catch_warnings():
        # What it warns of is in its table, and in ours.
        warnings.simplefilter("ignore", UserWarning)
        elpd = {name: each.elpd for name, each in left_out.items()}
        return import_module("arviz").compare(elpd, round_to="none")


def _score(
    name: Any,
    row: Any,
    left_out: LeftOut,
    evidence: MarginalLikelihood | None,
    no_evidence: str,
    relative: tuple[float, float] | None,
) -> PriorScore:
    log_bayes_factor, probability = relative or (None, None)
    return PriorScore(
        name=str(name),
        elpd=float(row["elpd"]),
        elpd_se=float(row["se"]),
        difference=float(row["elpd_diff"]),
        difference_se=float(row["dse"]),
        weight=float(row["weight"]),
        p_loo=float(row["p"]),
        largest_k=left_out.largest_k,
        bad_rows=left_out.bad,
        caution=_CAUTIONS.get(str(row["diag_diff"]), str(row["diag_diff"])),
        evidence=evidence,
        no_evidence=no_evidence,
        log_bayes_factor=log_bayes_factor,
        probability=probability,
    )


def _row(score: PriorScore) -> dict[str, float | int | str]:
    found = score.evidence

    def number(value: float | None) -> float:
        return math.nan if value is None else value

    return {
        "elpd": score.elpd,
        "elpd_se": score.elpd_se,
        "elpd_difference": score.difference,
        "difference_se": score.difference_se,
        "weight": score.weight,
        "p_loo": score.p_loo,
        "largest_k": score.largest_k,
        "bad_rows": score.bad_rows,
        "log_marginal_likelihood": math.nan if found is None else found.value,
        "log_marginal_likelihood_se": math.nan if found is None else found.se,
        "evidence_method": "" if found is None else found.method,
        "log_bayes_factor": number(score.log_bayes_factor),
        "probability": number(score.probability),
    }


def _words(score: PriorScore) -> tuple[str, ...]:
    found = score.evidence
    return (
        score.name,
        f"{score.elpd:.1f}",
        f"{score.elpd_se:.1f}",
        f"{score.difference:z.1f}",  # no minus before 0.0
        f"{score.difference_se:.1f}",
        f"{abs(score.weight):.2f}",
        "-" if found is None else f"{found.value:.2f}",
        "-" if found is None else f"{found.se:.2g}",
        "-" if score.probability is None else f"{score.probability:.3f}",
    )
