"""check_predictions: whether the data look like what the model would make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from bayesreg._inputs import as_problem
from bayesreg._validation import as_count, as_generator
from bayesreg.errors import InputError
from bayesreg.likelihoods import Bernoulli
from bayesreg.model_comparison._draws import LeftOut, by_row, require_spare_rows
from bayesreg.model_comparison._statistics import (
    Calibration,
    Shape,
    Statistic,
    mean_of,
    p_text,
    r_squared,
    statistics_of,
)
from bayesreg.posterior import sample
from bayesreg.posterior.density import noise_sd
from bayesreg.posterior.predictive import new_targets

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.figure import Figure
    from xarray import DataTree

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem

_EXTREME = 0.025
_LEGEND = "replicates: their mean; p-value: share of them above the data's, ties counted half"


@dataclass(frozen=True, eq=False, repr=False)
class PredictiveCheck:
    """The data beside data that the model makes.

    Attributes
    ----------
    problem : Problem
        The model.
    replicated : ndarray, shape (m, n)
        Targets drawn from the posterior predictive density, at the rows of the data.
    statistics : tuple of Statistic
        Numbers of the data and of the replicates.
    shape : Shape or None
        Histogram of the target among those of replicates; None for zeros and ones.
    pit : ndarray, shape (n,), or None
        Leave-one-out probability integral transform: where the target is in what the other rows
        predict of it, between 0 and 1; uniform if predictions are right. Counts are randomised.
        None for zeros and ones.
    calibration : Calibration or None
        For zeros and ones: predicted probabilities beside shares.
    r_squared : ndarray, shape (draws,), or None
        Bayesian R² at every draw; None where noise has no variance.
    bad_rows : int
        Rows whose leave-one-out prediction is unreliable, by Pareto k.
    """

    problem: Problem
    replicated: Matrix
    statistics: tuple[Statistic, ...]
    shape: Shape | None
    pit: Vector | None
    calibration: Calibration | None
    r_squared: Vector | None
    bad_rows: int

    @property
    def pit_p_value(self) -> float | None:
        """p-value of Kolmogorov and Smirnov for uniform `pit`; None without it."""
        return None if self.pit is None else float(stats.kstest(self.pit, "uniform").pvalue)

    @property
    def pit_band(self) -> float | None:
        """How far the distribution of `pit` strays from a straight line, 19 times in 20."""
        return None if self.pit is None else float(stats.kstwo.ppf(0.95, self.pit.size))

    @property
    def surprises(self) -> tuple[str, ...]:
        """Names of the statistics of which the model makes 95 % on one side of the data's."""
        return tuple(s.name for s in self.statistics if not _EXTREME <= s.p_value <= 1 - _EXTREME)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per statistic.

        Returns
        -------
        pandas.DataFrame
            Indexed by statistic: of the data, mean and 95 % interval of replicates, p-value.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        rows = {}
        for s in self.statistics:
            low, high = np.quantile(s.replicated, [_EXTREME, 1 - _EXTREME])
            rows[s.name] = {
                "observed": s.observed,
                "replicated": float(s.replicated.mean()),
                "lower": float(low),
                "upper": float(high),
                "p_value": s.p_value,
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("statistic")

    def __str__(self) -> str:
        """Return the statistics, R² and the test of the transform as text."""
        width = max(len(s.name) for s in self.statistics)
        lines = [f"{'':{width}}  {'data':>10}  {'replicates':>10}  p-value"]
        for s in self.statistics:
            mark = "  ← rare" if s.name in self.surprises else ""
            mean = s.replicated.mean()
            lines.append(f"{s.name:{width}}  {s.observed:10.4g}  {mean:10.4g}  {s.p_text:>7}{mark}")
        lines += [_LEGEND, self._verdict()]
        if self.r_squared is not None:
            low, middle, high = np.quantile(self.r_squared, [_EXTREME, 0.5, 1 - _EXTREME])
            lines.append(f"Bayesian R² {middle:.3f}, 95 % between {low:.3f} and {high:.3f}")
        if self.pit_p_value is not None:
            lines.append(f"leave-one-out PIT uniform: p-value {p_text(self.pit_p_value)}")
        if self.bad_rows:
            lines.append(f"Pareto k too large on {self.bad_rows} rows: those are not left out well")
        return "\n".join(lines)

    def _verdict(self) -> str:
        """Say which way the model misses what is surprising."""
        rare = [s for s in self.statistics if s.name in self.surprises]
        ways = {
            "smaller": [s.name for s in rare if s.p_value < 0.5],
            "larger": [s.name for s in rare if s.p_value > 0.5],
        }
        if not rare:
            return "none of these is rare under the model"
        said = [f"{way} in {_listed(names)}" for way, names in ways.items() if names]
        return f"rare: what the model makes is {', and '.join(said)} than the data"

    def __repr__(self) -> str:
        """Return the model and what is surprising."""
        return f"PredictiveCheck({self.problem.formula()}; surprises: {list(self.surprises)})"

    def plot(self) -> Figure:
        """Draw shape, transform or calibration, and statistics.

        Returns
        -------
        matplotlib.figure.Figure
            See `bayesreg.figures.predictive_check`.
        """
        figure: Figure = import_module("bayesreg.figures").predictive_check(self)
        return figure


def check_predictions(
    problem: object,
    draws: DataTree | None = None,
    *,
    replicates: int = 1000,
    statistics: Mapping[str, Callable[[Vector], float]] | None = None,
    seed: int | np.random.Generator | None = None,
) -> PredictiveCheck:
    """Draw new targets at the rows of the data, and compare them with the data.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The model.
    draws : xarray.DataTree, optional
        Of `bayesreg.sample`, of this posterior; made where they are not given.
    replicates : int
        Replicated data sets that statistics are computed of; at most one per draw.
    statistics : mapping of str to callable, optional
        Functions of a target (n,) in place of those that suit it: mean, sd, min, max and
        skewness, the share of zeros of counts, shares of ones.
    seed : int or Generator, optional
        Of the draws and of the new targets.

    Returns
    -------
    PredictiveCheck
        Statistics with p-values, leave-one-out PIT, calibration, Bayesian R²; with a figure.

    Raises
    ------
    InputError
        If an argument does not fit; or the posterior is none without some row, so that it cannot be
        left out.
    ImproperPosterior
        If the posterior does not integrate.
    SamplingFailed
        If rates of counts are too large to draw from.

    Notes
    -----
    A p-value of replicates that the model was fitted to is conservative (Meng 1994); leave-one-out
    is not. References: Gelman, Meng & Stern (1996); Gabry et al. (2019).

    Examples
    --------
    >>> import bayesreg as br
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=(200, 1))
    >>> outliers = x[:, 0] + rng.standard_t(1.5, size=200)
    >>> check = check_predictions(br.Problem(
    ...     x, outliers, prior=br.Normal(10.0),
    ...     likelihood=br.Gaussian(br.HalfNormal(10.0))), seed=1)
    >>> "min" in check.surprises or "max" in check.surprises  # no normal noise reaches so far
    True
    """
    asked, _ = as_problem(problem)
    asked = asked.dense("a predictive check")
    as_count(replicates, "replicates")
    own = _own_statistics(statistics)
    rng = as_generator(seed)
    require_spare_rows(asked)
    tree = sample(asked, seed=rng, progress=False) if draws is None else draws
    left_out = LeftOut.of(asked, tree)
    drawn = left_out.drawn
    new = new_targets(asked, drawn, rng)
    eta = _predictors(asked, drawn)
    every = new.reshape(-1, asked.n)
    chosen = np.linspace(0, len(every) - 1, min(replicates, len(every))).astype(int)
    replicated, y = every[chosen], asked.design.y
    functions = own or statistics_of(asked, eta.mean(axis=(0, 1)))
    mean = mean_of(asked, eta)
    binary = isinstance(asked.likelihood, Bernoulli)
    return PredictiveCheck(
        problem=asked,
        replicated=replicated,
        statistics=tuple(
            Statistic.of(name, function, y, replicated) for name, function in functions.items()
        ),
        shape=None if binary else Shape.of(y, replicated),
        pit=None if binary else _pit(left_out, new, rng),
        calibration=(
            Calibration.of(y, (left_out.weights * mean).sum(axis=(0, 1)), rng) if binary else None
        ),
        r_squared=r_squared(asked, mean.reshape(-1, asked.n), noise_sd(asked, dict(drawn)).ravel()),
        bad_rows=left_out.bad,
    )


def _listed(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _own_statistics(given: object) -> dict[str, Callable[[Vector], float]]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(callable(each) for each in given.values()):
        msg = "statistics: must be a mapping of names to functions of a target (n,)"
        raise InputError(msg)
    return {str(name): function for name, function in given.items()}


def _predictors(problem: Problem, drawn: Mapping[str, Array]) -> Array:
    """Linear predictors (chain, draw, n)."""
    eta = drawn["beta"] @ problem.design.X.T
    if "intercept" in drawn:
        eta = eta + drawn["intercept"][..., None]
    return np.asarray(eta + problem.design.row_offset)


def _pit(left_out: LeftOut, new: Array, rng: np.random.Generator) -> Vector:
    """Leave-one-out PIT of ArviZ; ties of counts are broken at random."""
    tree = left_out.tree.assign(
        {"posterior_predictive": import_module("xarray").DataTree(by_row(new))}
    )
    found = import_module("arviz").loo_pit(
        tree,
        var_names="y",
        log_weights=left_out.elpd.log_weights.to_dataset(name="y"),
        pareto_k=left_out.elpd.pareto_k.to_dataset(name="y"),
        random_state=rng,
    )
    return np.asarray(found["y"], dtype=np.float64)
