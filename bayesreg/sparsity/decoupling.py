r"""Decoupled shrinkage and selection (Hahn & Carvalho 2015): a sparse summary of any posterior.

The posterior shrinks; a second step selects. Of all γ with few non-zeros one predicts best: the
expected squared error of ``Xγ`` under the posterior predictive distribution is that of
``‖Xβ̄ − Xγ‖²/n`` plus what no γ changes. Counting non-zeros is replaced by its local linear
approximation at the posterior mean β̄, which makes it an adaptive lasso, ::

    ‖Xβ̄ − Xγ‖²/n + λ Σ |γⱼ|/|β̄ⱼ|

In ``uⱼ = γⱼ/β̄ⱼ`` it is a plain lasso on the columns ``xⱼβ̄ⱼ``, so it does not see the units of the
columns. How much is lost by stopping at few columns has a posterior distribution, through that of
(β, σ): of the explained variation ::

    ρ²(λ) = ‖Xβ‖²/n / (‖Xβ‖²/n + σ² + ‖Xβ − Xγ(λ)‖²/n)

and of the excess error ``ψ(λ) = √(‖Xβ − Xγ(λ)‖²/n + σ²) − σ``. The smallest set of columns whose
interval of ρ² (or ψ) holds the posterior mean of what β̄ itself attains is the answer.

Columns are centred beside an intercept. For a likelihood other than the Gaussian, predictors are
compared in its metric at the posterior mean, and σ is 1: the loss is the Kullback–Leibler
divergence to second order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

import numpy as np

from bayesreg._validation import as_count, as_fraction
from bayesreg.errors import InputError, NotConverged, unknown_name
from bayesreg.likelihoods import Gaussian
from bayesreg.likelihoods.base import Noise
from bayesreg.path import map_path
from bayesreg.priors import Laplace
from bayesreg.problem import Problem
from bayesreg.sparsity.draws import Drawn
from bayesreg.sparsity.selection import Selection

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bayesreg._validation import Matrix, Vector

type Criterion = Literal["rho2", "psi"]
_CRITERIA = ("rho2", "psi")
# From the empty model down to this share of its λ; the posterior mean itself follows.
_RANGE = 1e4


@dataclass(frozen=True, eq=False)
class Decoupled:
    """A path of sparse summaries of one posterior, and the one that is chosen.

    Attributes
    ----------
    problem : Problem
        Whose posterior it is.
    lam : ndarray, shape (k,)
        Decreasing; the last is 0, where the summary is the posterior mean.
    coef : ndarray, shape (k, p)
        Summaries γ on the user's scale; zeros are exactly 0.0.
    intercept : ndarray, shape (k,)
        Their intercepts.
    rho2, psi : ndarray, shape (k, 3)
        Posterior mean, lower and upper end of the interval of the explained variation, and of the
        excess error (in units of y).
    by : {"rho2", "psi"}
        Which of the two chose.
    level : float
        Probability of the intervals.
    """

    problem: Problem
    lam: Vector
    coef: Matrix
    intercept: Vector
    rho2: Matrix
    psi: Matrix
    by: Criterion
    level: float

    @property
    def sizes(self) -> np.ndarray[tuple[int], np.dtype[np.int_]]:
        """Number of coefficients that are not 0, along the path; shape (k,)."""
        return np.asarray((self.coef != 0).sum(axis=1))

    @property
    def chosen(self) -> int:
        """Position on the path: the largest λ whose interval holds the mean at the end."""
        if self.by == "rho2":
            enough = self.rho2[:, 2] >= self.rho2[-1, 0]
        else:
            enough = self.psi[:, 1] <= self.psi[-1, 0]
        enough[-1] = True
        return int(np.argmax(enough))

    @property
    def selection(self) -> Selection:
        """The columns of the chosen summary."""
        coef = self.coef[self.chosen]
        name = {"rho2": "explained variation ρ²", "psi": "excess error ψ"}[self.by]
        return Selection(
            method="decoupled",
            names=self.problem.names,
            value=np.abs(coef) * self.problem.design.column_sd,
            selected=coef != 0,
            quantity="|γ| × sd",
            rule=(
                f"the sparsest summary γ whose {100 * self.level:.3g} % interval of {name} holds "
                "that of the posterior mean β̄"
            ),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row per point of the path.

        Returns
        -------
        pandas.DataFrame
            Columns lam, size, rho2, rho2_lower, rho2_upper, psi, psi_lower, psi_upper, chosen, and
            one per coefficient.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        frame = pd.DataFrame({"lam": self.lam, "size": self.sizes})
        for name, values in (("rho2", self.rho2), ("psi", self.psi)):
            frame[[name, f"{name}_lower", f"{name}_upper"]] = values
        frame["chosen"] = np.arange(self.lam.size) == self.chosen
        return frame.join(pd.DataFrame(self.coef, columns=list(self.problem.names)))

    def plot(self) -> Figure:
        """Draw the path, and what each number of columns explains.

        Returns
        -------
        matplotlib.figure.Figure
            See `bayesreg.figures.sparsity_path`.
        """
        figure: Figure = import_module("bayesreg.figures").sparsity_path(self)
        return figure

    def __str__(self) -> str:
        """Say what was chosen, and what it explains."""
        at = self.chosen
        mean, low, high = self.rho2[at]
        return (
            f"{self.selection}\n  explained variation {mean:.3g} ({100 * self.level:.3g} % between "
            f"{low:.3g} and {high:.3g}); of the posterior mean {self.rho2[-1, 0]:.3g}"
        )


def decoupled(
    problem: object,
    draws: object,
    *,
    by: Criterion = "rho2",
    level: float = 0.95,
    n_scales: int = 100,
) -> Decoupled:
    """Summarise any posterior by few columns: decoupled shrinkage and selection.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The posterior, under any prior.
    draws : xarray.DataTree
        Of `bayesreg.sample`.
    by : {"rho2", "psi"}
        Choose by explained variation or by excess error.
    level : float
        Probability of the intervals; the larger, the sparser the choice.
    n_scales : int
        Points of the path.

    Returns
    -------
    Decoupled
        The path, both criteria along it, and the chosen summary.

    Raises
    ------
    InputError
        If an argument does not fit, or the draws are not of this problem.

    Examples
    --------
    >>> import bayesreg as br
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((40, 3))
    >>> problem = br.Problem(X, 2 * X[:, 1] + rng.standard_normal(40),
    ...                      likelihood=br.Gaussian(sigma=1.0), prior=br.Normal(scale=3.0))
    >>> found = decoupled(problem, br.sample(problem, draws=250, seed=1))
    >>> found.selection.support, found.sizes[0], found.sizes[-1]
    (('x1',), np.int64(0), np.int64(3))
    """
    drawn = Drawn.of(problem, draws)
    if not (isinstance(by, str) and by in _CRITERIA):
        raise unknown_name("by", by, _CRITERIA)
    as_fraction(level, "level")
    count = as_count(n_scales, "n_scales", minimum=2)
    asked = drawn.problem
    mean = drawn.beta.mean(axis=0)
    target = asked.design.X @ mean + drawn.intercept.mean()
    weights = _weights(asked, target)
    lam, u, intercept = _path(asked, mean, target, weights, count)
    coef = u * mean
    rho2, psi = _criteria(drawn, coef, weights, level)
    return Decoupled(asked, lam, coef, intercept, rho2, psi, by, level)


def _weights(problem: Problem, target: Vector) -> Vector:
    """Row weights in which predictors are compared, shape (n,)."""
    design, likelihood = problem.design, problem.likelihood
    if isinstance(likelihood, Noise):
        return design.row_weights
    return likelihood.curvature(target + design.row_offset, design.y, design.row_weights)


def _path(
    problem: Problem, mean: Vector, target: Vector, weights: Vector, count: int
) -> tuple[Vector, Matrix, Vector]:
    """Return λ (k,), the shares u (k, p) of the posterior mean, and the intercepts (k,).

    With a noise variance of n/2 the objective is the loss above, and ``scale = 1/λ``.
    """
    design = problem.design
    if design.level is not None:
        msg = "problem: was made of sums of products, and predictions need rows; use Problem(X, y)"
        raise InputError(msg)
    columns = design.dense("decoupled shrinkage and selection").X * mean
    lasso = Problem(
        columns,
        target,
        likelihood=Gaussian(sigma=math.sqrt(0.5 * design.n)),
        prior=Laplace(scale=1.0),
        intercept=design.intercept,
        weights=weights,
    )
    level = float(weights @ target / weights.sum()) if design.intercept else 0.0
    slope, _ = lasso.gradient(np.zeros(problem.p), level)
    largest = float(np.abs(slope).max(initial=0.0))
    whole = np.where(mean != 0, 1.0, 0.0)
    full = float(weights @ (target - columns @ whole) / weights.sum()) if design.intercept else 0.0
    if not whole.any():
        return np.zeros(1), whole[None], np.array([full])
    # The empty model as it is, and not as solved for: where the columns explain next to nothing
    # (a constant target, one row) the largest λ is rounding, and any λ above 0 leaves it empty.
    lam, shares, intercepts = np.array([largest or 1.0]), np.zeros((1, problem.p)), [level]
    if largest > 0.0:
        lam = largest * np.geomspace(1.0, 1.0 / _RANGE, count)
        more, levels = _modes(lasso, lam[1:])
        shares, intercepts = np.vstack([shares, more]), [level, *levels]
    return np.append(lam, 0.0), np.vstack([shares, whole]), np.array([*intercepts, full])


def _modes(lasso: Problem, lam: Vector) -> tuple[Matrix, Vector]:
    """Modes at decreasing λ: the last one certified, the others on straight lines between knots."""
    last = map_path(lasso, 1.0 / lam[-1:])
    try:
        knots = last.bends
    except NotConverged:
        knots = None
    if knots is None:
        path = map_path(lasso, 1.0 / lam)
        return path.coef, path.intercept
    points = [knots.at(max(float(value), float(knots.lam[-1]))) for value in lam]
    return np.array([coef for coef, _ in points]), np.array([level for _, level in points])


def _criteria(drawn: Drawn, coef: Matrix, weights: Vector, level: float) -> tuple[Matrix, Matrix]:
    """Mean, lower and upper end of ρ² and ψ at each point of the path; shapes (k, 3)."""
    design = drawn.problem.design
    columns = design.centred.reweighted(weights, centred=design.intercept)
    M = columns.take(np.arange(design.p))
    if M.shape[0] > M.shape[1]:  # lengths are all that is needed
        M = np.linalg.qr(M, mode="r")
    fitted = drawn.beta @ M.T
    signal, noise = np.vecdot(fitted, fitted) / design.n, drawn.noise_variance
    tail = np.array([0.5 * (1 - level), 0.5 * (1 + level)])
    rho2, psi = np.empty((len(coef), 3)), np.empty((len(coef), 3))
    for k, gamma in enumerate(coef):
        apart = fitted - M @ gamma
        lost = np.vecdot(apart, apart) / design.n
        for out, values in (
            (rho2, signal / (signal + noise + lost)),
            (psi, np.sqrt(lost + noise) - np.sqrt(noise)),
        ):
            out[k, 0], out[k, 1:] = values.mean(), np.quantile(values, tail)
    return rho2, psi
