"""Prior scales in other packages' units.

One row per package: which call solves the same problem, with which numbers. So far scikit-learn;
the formulas, for the objective in nats divided by what the package divides by:

==================  ===================================  ==========================
estimator           minimises                            numbers
==================  ===================================  ==========================
Ridge               RSS + α‖w‖²                          α = σ²/τ²
Lasso               RSS/(2n) + α‖w‖₁                     α = σ²/(n b)
ElasticNet          RSS/(2n) + α[r‖w‖₁ + (1 − r)‖w‖²/2]  α = σ²(1/b + 1/τ²)/n,
                                                         r = (1/b) / (1/b + 1/τ²)
LogisticRegression  C·loss + r‖w‖₁ + (1 − r)‖w‖²/2       C = 1/(1/b + 1/τ²), r = C/b
PoissonRegressor    loss/n + α‖w‖²/2                     α = 1/(n τ²)
==================  ===================================  ==========================

With row weights n is their sum (Ridge does not divide, so it does not change).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg.errors import DegenerateMode
from bayesreg.likelihoods import Gaussian, StudentTNoise
from bayesreg.penalties import ElasticNetPenalty

if TYPE_CHECKING:
    from bayesreg.problem import Problem


@dataclass(frozen=True)
class Row:
    """How one package would state a problem.

    Attributes
    ----------
    package : str
        Its name.
    estimator : str or None
        The class that solves this problem; None where there is none.
    numbers : dict of float
        Its penalty arguments.
    solver : str or None
        Its ``solver`` argument, where the default one does not take this penalty.
    note : str
        What to mind, or why there is none.
    """

    package: str
    estimator: str | None
    numbers: dict[str, float]
    note: str
    solver: str | None = None

    @property
    def parameters(self) -> str:
        """The call as text, such as ``Lasso(alpha=0.4)``; a dash where there is none."""
        if self.estimator is None:
            return "—"
        arguments = [f"{key}={value:.6g}" for key, value in self.numbers.items()]
        if self.solver is not None:
            arguments.append(f'solver="{self.solver}"')
        return f"{self.estimator}({', '.join(arguments)})"


@dataclass(frozen=True)
class Table:
    """The same prior in everybody's units."""

    rows: tuple[Row, ...]

    def __str__(self) -> str:
        """Return one line per package."""
        return "\n".join(
            f"{row.package}: {row.parameters}" + (f"  ({row.note})" if row.note else "")
            for row in self.rows
        )


def table(problem: object) -> Table:
    """State a problem's penalty in other packages' units.

    Parameters
    ----------
    problem : Problem or pymc.Model
        Any problem; where a scale is unknown the row says so.

    Returns
    -------
    Table
        One row per package; ``print`` it.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> print(table(Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(2.0),
    ...                     prior=Laplace(0.5))))
    scikit-learn: Lasso(alpha=4)
    """
    asked, _ = as_problem(problem)
    return Table((to_sklearn(asked),))


def to_sklearn(problem: Problem) -> Row:
    """Return the scikit-learn estimator, and its numbers, with the same mode as a problem.

    Parameters
    ----------
    problem : Problem
        The problem.

    Returns
    -------
    Row
        Estimator and numbers, or a note that says why there are none.

    Examples
    --------
    >>> from bayesreg import Bernoulli, Normal, Problem
    >>> problem = Problem([[0.0], [1.0]], [0, 1], likelihood=Bernoulli(), prior=Normal(2.0))
    >>> to_sklearn(problem).parameters
    'LogisticRegression(C=4, l1_ratio=0)'
    """
    package = "scikit-learn"
    if problem.unknown:
        unknown = " and ".join(problem.unknown)
        return Row(package, None, {}, f"{unknown} unknown: a number exists given a value of it")
    if isinstance(problem.likelihood, StudentTNoise):
        return Row(package, None, {}, "no regression with Student-t noise")
    penalty = _elastic_net(problem.standardized()[0])
    if penalty is None:
        name = problem.prior.name
        return Row(package, None, {}, f"no estimator with the penalty of a {name} prior")
    reason = _no_number(problem, penalty)
    if reason:
        return Row(package, None, {}, reason)
    estimator, numbers = _sklearn_numbers(problem, _first(penalty.l1), _first(penalty.l2))
    note = "fitted to the standardised columns" if problem.design.standardize else ""
    # lbfgs, the default, refuses an L1 part.
    solver = "saga" if numbers.get("l1_ratio", 0.0) > 0 and estimator != "ElasticNet" else None
    return Row(package, estimator, numbers, note, solver)


def _elastic_net(problem: Problem) -> ElasticNetPenalty | None:
    """Return the penalty, None where it is another one, or where the prior is none."""
    try:
        penalty = problem.penalty
    except DegenerateMode:
        return None
    return penalty if isinstance(penalty, ElasticNetPenalty) else None


def _first(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(values[0]) if values.size else 0.0


def _no_number(problem: Problem, penalty: ElasticNetPenalty) -> str:
    if np.any((penalty.loc != 0) & (penalty.l2 > 0)):
        return "its penalties are centred at 0; subtract X @ loc from y first"
    if penalty.nonnegative.any():
        return "its number for coefficients of one sign is not in the table; see positive=True"
    if any((values != values[:1]).any() for values in (penalty.l1, penalty.l2)):
        return "one penalty for all coefficients; multiply each column by its scale first"
    if problem.design.offset is not None and problem.likelihood.name != "gaussian":
        return "its estimators take no offset"
    if problem.likelihood.name == "poisson" and (penalty.l1 > 0).any():
        return "no Poisson regression with an L1 penalty"
    return ""


def _sklearn_numbers(problem: Problem, l1: float, l2: float) -> tuple[str, dict[str, float]]:
    total = float(problem.design.row_weights.sum())
    if problem.likelihood.name == "poisson":
        return "PoissonRegressor", {"alpha": l2 / total}
    if not isinstance(problem.likelihood, Gaussian):
        strength = l1 + l2
        c = 1 / strength if strength > 0 else np.inf
        return "LogisticRegression", {"C": c, "l1_ratio": l1 / strength if strength > 0 else 0.0}
    variance = problem.likelihood.variance
    if l1 == 0 and l2 == 0:
        return "LinearRegression", {}
    if l1 == 0:
        return "Ridge", {"alpha": variance * l2}
    if l2 == 0:
        return "Lasso", {"alpha": variance * l1 / total}
    return "ElasticNet", {"alpha": variance * (l1 + l2) / total, "l1_ratio": l1 / (l1 + l2)}
