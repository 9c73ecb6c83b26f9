"""A problem's penalty in other packages' units: one row, or the table of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg.errors import DegenerateMode, InputError
from bayesreg.likelihoods import Gaussian, Noise
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.units._convention import Convention, Facts, Strength
from bayesreg.units.registry import DOCUMENTS, PACKAGES, find, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from bayesreg._validation import Vector
    from bayesreg.design import Design
    from bayesreg.problem import Problem

#: What heads the calls wherever they are listed, and what the symbols of their objectives are.
HEADING = "call, and what it minimises or draws from"
LEGEND = (
    "w: coefficients; RSS: residual sum of squares; loss: minus the log likelihood; "
    "n rows; sd: standard deviation"
)
# Of a longer vector a line shows the ends.
_MOST_SHOWN = 12
_KINDS = {"gaussian": "linear", "bernoulli": "logistic", "poisson": "Poisson"}


@dataclass(frozen=True)
class Row:
    """How one package would state a problem.

    Attributes
    ----------
    package : str
        Its name.
    estimator : str or None
        The class or function that solves this problem; None where there is none.
    numbers : dict of float
        Its penalty arguments. Of PyMC, NumPyro, Stan and rstanarm also the mean of the prior, where
        it is not 0, and tuples where coefficients differ.
    note : str
        What to mind, or why there is none.
    template : str
        The whole call, as a format string over the numbers.
    objective : str
        What it minimises or draws from, in its own symbols.
    source : str
        Where that is stated.
    vector : str
        How the package writes a vector, as a format string.
    """

    package: str
    estimator: str | None
    numbers: dict[str, Any]
    note: str
    template: str = field(default="", repr=False)
    objective: str = field(default="", repr=False)
    source: str = field(default="", repr=False)
    vector: str = field(default="", repr=False)

    @property
    def parameters(self) -> str:
        """The call as text, such as ``Lasso(alpha=0.4)``; a dash where there is none."""
        if self.estimator is None:
            return "—"
        return self.template.format(**{key: self._text(v) for key, v in self.numbers.items()})

    def _text(self, value: float | tuple[float, ...]) -> str:
        if not isinstance(value, tuple):
            return f"{value:.6g}"
        shown = [f"{each:.6g}" for each in value]
        if len(shown) > _MOST_SHOWN:
            shown[2:-1] = ["…"]
        return self.vector.format(", ".join(shown))

    def to_dict(self) -> dict[str, Any]:
        """Return what is known, for JSON.

        Examples
        --------
        >>> Row("a package", None, {}, "no such thing").to_dict()["call"] is None
        True
        """
        return {
            "package": self.package,
            "estimator": self.estimator,
            "call": None if self.estimator is None else self.parameters,
            "numbers": self.numbers,
            "objective": self.objective,
            "note": self.note,
            "source": self.source,
        }

    def __str__(self) -> str:
        """Return package, call and note on one line."""
        return f"{self.package}: {self.parameters}" + (f"  ({self.note})" if self.note else "")


@dataclass(frozen=True)
class Table:
    """The same prior in everybody's units."""

    rows: tuple[Row, ...]

    def __str__(self) -> str:
        """Return one line per row."""
        return "\n".join(map(str, self.rows))

    def __iter__(self) -> Iterator[Row]:
        """Walk over the rows."""
        return iter(self.rows)

    def __getitem__(self, name: str) -> Row:
        """Return the row of a package, or of one of its estimators: ``"scikit-learn Lasso"``."""
        for row in self.rows:
            if name in {row.package, f"{row.package} {row.estimator}"}:
                return row
        raise KeyError(name)

    def to_frame(self) -> pd.DataFrame:
        """Return package, estimator, call, objective and note, one row each, as a data frame."""
        import pandas as pd  # noqa: PLC0415  (heavy, and only here)

        return pd.DataFrame([row.to_dict() for row in self.rows])


def table(problem: object, *, documents: bool = False) -> Table:
    """State a problem's penalty in other packages' units.

    Parameters
    ----------
    problem : Problem or pymc.Model
        Any problem; where a scale is unknown the rows say so.
    documents : bool
        Whether to add the λ of the five documents whose figures `bayesreg.studies` makes.

    Returns
    -------
    Table
        The rows that have numbers for it, and one row for each other package that says why it has
        none; ``print`` it.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Laplace(0.5))
    >>> for row in table(problem).rows[:3]:
    ...     print(row)
    scikit-learn: Lasso(alpha=4)
    scikit-learn: LassoLars(alpha=4)
    scikit-learn: SGDRegressor(loss="squared_error", penalty="elasticnet", alpha=4, l1_ratio=1)
      (reached in the limit of many epochs with falling steps)
    >>> print(table(problem)["Stan"])
    Stan: beta ~ double_exponential(0, 0.5)
    """
    asked, _ = as_problem(problem)
    rows: list[Row] = []
    for package in PACKAGES:
        candidates = rows_of(package)
        is_document = candidates[0] in DOCUMENTS
        if is_document and not documents:
            continue
        stated = [_row(asked, convention) for convention in candidates]
        found = [row for row in stated if row.estimator is not None]
        if not found and not is_document:
            found = [_best(asked, candidates)]
        rows += found
    return Table(tuple(rows))


def to(problem: object, name: str) -> Row:
    """Return the call of one package with the same mode, or the same prior, as a problem.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The problem.
    name : str
        A package, such as ``"celer"``, for its first estimator that fits; or a row of
        `names`, such as ``"celer ElasticNet"``.

    Returns
    -------
    Row
        Estimator and numbers, or a note that says why there are none.

    Raises
    ------
    InputError
        If there is no such package.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> problem = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0), prior=Laplace(0.5))
    >>> to(problem, "monomvn blasso").numbers
    {'lambda2': 16.0}
    """
    asked, _ = as_problem(problem)
    package = isinstance(name, str) and name in PACKAGES
    return _best(asked, rows_of(name) if package else (find(name),))


def _best(problem: Problem, candidates: Sequence[Convention]) -> Row:
    """Return the first row that has numbers, else why the first of this likelihood has none."""
    family = problem.likelihood.name
    fitting = [convention for convention in candidates if family in convention.families]
    stated = [_row(problem, convention) for convention in fitting or candidates]
    return next((row for row in stated if row.estimator is not None), stated[0])


def penalty_of(problem: Problem) -> ElasticNetPenalty | str:
    """Penalty in nats on the columns that the prior acts on; why the table has none, if not."""
    try:
        penalty = problem.prior.penalty(problem.p)
    except InputError:
        unknown = " and ".join(problem.unknown)
        return f"{unknown} unknown: a number exists given a value of it"
    except DegenerateMode:
        penalty = None
    if not isinstance(penalty, ElasticNetPenalty):
        return f"the table has no row for a {problem.prior.name} prior"
    if penalty.nonnegative.any() and not penalty.nonnegative.all():
        return "one sign for all coefficients, or none"
    return penalty


def _strengths(penalty: ElasticNetPenalty) -> tuple[Strength, ...]:
    """One strength where all columns have the same, none among them; else that of each column."""
    each = tuple(map(Strength, penalty.l1.tolist(), penalty.l2.tolist()))
    return each if len(set(each)) > 1 else each[:1] or (Strength(0.0, 0.0),)


def _centres(penalty: ElasticNetPenalty) -> Vector:
    """Where the normal part of the prior of each column is centred; 0 where there is none."""
    return np.where(penalty.l2 > 0, penalty.loc, 0.0)


def _joined(values: Iterable[float]) -> float | tuple[float, ...]:
    """Return one number where all are the same, else all of them."""
    every = tuple(values)
    return every[0] if len(set(every)) == 1 else every


def facts_of(design: Design, likelihood: object, *, standardize: bool) -> Facts:
    """What a conversion needs to know of data and likelihood."""
    known = isinstance(likelihood, Noise) and likelihood.conditional
    sigma = float(likelihood.variance) ** 0.5 if known and isinstance(likelihood, Gaussian) else 1.0
    sd_y, rms_y = spread_of_target(design)
    return Facts(
        family=getattr(likelihood, "name", ""),
        n=total_weight(design),
        rows=design.count,
        sigma=sigma,
        sd_y=sd_y,
        rms_y=rms_y,
        standardize=standardize,
        intercept=design.intercept,
    )


def total_weight(design: Design) -> float:
    """Sum of the row weights, or the number of observations that pseudo rows stand for."""
    if design.observations is not None:
        return float(design.observations)
    return float(design.row_weights.sum())


def spread_of_target(design: Design) -> tuple[float, float]:
    """Sd of the target, less its offset, about its mean and about 0: weighted, divisor n."""
    y = design.less_offset
    w, one, total = design.row_weights, design.one, total_weight(design)
    mean = float((w * one) @ y) / float((w * one) @ one) if one.any() else 0.0
    residual = y - mean * one
    about_mean = float((w * residual) @ residual) / total
    return about_mean**0.5, float(((w * y) @ y / total) ** 0.5)


def _row(problem: Problem, convention: Convention) -> Row:
    """State a problem in the words of one row, or say why that has no numbers for it."""
    penalty = penalty_of(problem)
    reason = _why_not(problem, convention, penalty)
    if reason or isinstance(penalty, str):
        return Row(convention.package, None, {}, reason, source=convention.source)
    facts = _facts(problem, convention)
    each = [convention.write(strength, facts) for strength in _strengths(penalty)]
    numbers: dict[str, Any] = {key: _joined(one[key] for one in each) for key in each[0]}
    centres = _centres(penalty)
    if centres.any():
        # Only rstanarm standardises among those that take a mean, and scales no mean as it does.
        sd = problem.design.column_scale if facts.standardize else np.ones(centres.size)
        own = np.divide(centres, sd, out=np.zeros_like(centres), where=sd > 0)
        numbers = {convention.location: _joined(own.tolist())} | numbers
    return Row(
        package=convention.package,
        estimator=convention.call,
        numbers=numbers,
        note=_note(problem, convention, standardize=facts.standardize),
        template=convention.template(facts, numbers | each[0], positive=_one_sign(problem)),
        objective=convention.objective,
        source=convention.source,
        vector=convention.vector,
    )


def _facts(problem: Problem, convention: Convention) -> Facts:
    standardize = _asks(problem.design, convention)
    return facts_of(problem.design, problem.likelihood, standardize=standardize)


def _one_sign(problem: Problem) -> bool:
    penalty = problem.prior.penalty(problem.p)
    return isinstance(penalty, ElasticNetPenalty) and bool(penalty.nonnegative.any())


def _asks(design: Design, convention: Convention) -> bool:
    """Whether the package standardises the columns as the problem does."""
    if convention.standardizes == "never" or not design.standardize:
        return False
    # Weighted, glmnet's sds are weighted; without an intercept, lars' lengths are about 0.
    return design.weights is None and (design.intercept or not convention.centres)


def _why_not(problem: Problem, convention: Convention, penalty: ElasticNetPenalty | str) -> str:
    """Why a row has no numbers for a problem; empty where it has."""
    return (
        _why_not_this_likelihood(problem, convention)
        or _why_not_this_penalty(problem, convention, penalty)
        or _why_not_these_rows(problem.design, convention)
    )


def _why_not_this_likelihood(problem: Problem, convention: Convention) -> str:
    family = problem.likelihood.name
    if family not in convention.families:
        kind = _KINDS.get(family)
        return (
            f"no {kind} regression in the table" if kind else "no regression with Student-t noise"
        )
    if "sigma" in problem.unknown and not convention.prior_only:
        return f"{' and '.join(problem.unknown)} unknown: a number exists given a value of it"
    return ""


def _why_not_this_penalty(
    problem: Problem, convention: Convention, penalty: ElasticNetPenalty | str
) -> str:
    if isinstance(penalty, str):
        return penalty
    strengths = _strengths(penalty)
    if not convention.vector and (reason := _why_not_one(problem, penalty)):
        return reason
    taken = [convention.encoding.takes(strength) for strength in strengths]
    if not any(taken):
        kind = _KINDS.get(problem.likelihood.name, "robust")
        return f"no {kind} regression {strengths[0].words} in the table"
    if not all(taken):
        return "its coefficients have priors of several kinds; state each by itself"
    refusals = {
        "it divides by the sd of the target, which is constant": (
            min(convention.factors(_facts(problem, convention))) == 0
        ),
        "its number for coefficients of one sign is not in the table": (
            _one_sign(problem) and not convention.positive
        ),
    }
    return next((reason for reason, applies in refusals.items() if applies), "")


def _why_not_one(problem: Problem, penalty: ElasticNetPenalty) -> str:
    """Why no single penalty about 0 says what this one does; empty where one does."""
    if _centres(penalty).any():
        where = (
            "subtract X @ loc from y first"
            if problem.likelihood.name == "gaussian"
            else "put X @ loc into an offset"
        )
        return f"its penalties are centred at 0; {where}, and add loc to its coefficients"
    strengths = _strengths(penalty)
    if len(strengths) == 1:
        return ""
    scales = len({(one.l1 > 0, one.l2 > 0) for one in strengths}) == 1
    first = "; multiply each column by its scale first" if scales else ", and these have several"
    return f"one penalty for all coefficients{first}"


def _why_not_these_rows(design: Design, convention: Convention) -> str:
    gaussian = convention.families == ("gaussian",)
    if design.offset is not None and not (gaussian or convention.prior_only):
        return "its estimators take no offset"
    if design.weights is not None and not convention.weighted:
        return "it takes no row weights"
    if design.intercept and not convention.intercept:
        return "it has no unpenalised intercept"
    if convention.standardizes == "always":
        always = {
            "standardises the columns": design.standardize,
            "has an intercept": design.intercept,
        }
        missing = [name for name, same in always.items() if not same]
        if missing:
            return f"it {' and '.join(missing)}; this problem does not"
    return ""


def _note(problem: Problem, convention: Convention, *, standardize: bool) -> str:
    notes = [convention.note] if convention.note else []
    if convention.draws_sigma and isinstance(problem.likelihood, Noise):
        notes.append("given sigma, which it draws")
    if problem.design.offset is not None and not convention.prior_only:
        notes.append("fitted to y minus the offset")
    if problem.design.weights is not None:
        notes.append("fitted with the row weights")
    if problem.design.standardize and not standardize:
        notes.append("fitted to the standardised columns")
    return "; ".join(notes)
