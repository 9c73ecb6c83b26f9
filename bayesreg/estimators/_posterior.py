"""A posterior that is drawn from when somebody asks, and what it predicts of new rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special, stats

from bayesreg._visible import shown
from bayesreg.errors import InputError, NoClosedForm, SamplingFailed, SamplingWarning
from bayesreg.estimators._reach import out_of_reach
from bayesreg.estimators._rows import about, canonical_order, measured, origin, reordered
from bayesreg.estimators._tails import Tails
from bayesreg.likelihoods import Bernoulli, Noise, Poisson, StudentTNoise
from bayesreg.map import find_map
from bayesreg.posterior import diagnose, posterior_moments, sample
from bayesreg.posterior.density import noise_sd
from bayesreg.posterior.exact import reason_against
from bayesreg.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from xarray import DataTree

    from bayesreg._validation import Matrix, Vector
    from bayesreg.likelihoods import Likelihood
    from bayesreg.map import MapEstimate
    from bayesreg.posterior import Diagnosis, Moments
    from bayesreg.posterior.conditional import Array

# Numbers of linear predictors to hold at once: 32 MB.
_BLOCK = 4_000_000
# Columns up to which a covariance is formed: 200 MB.
_MOST_COLUMNS = 5000
# Counts beyond exp of this are no longer those of 64 bits.
_LARGEST_LOG_RATE = 43.0
_NO_MEAN = (
    "X: has so few rows that with an unknown sigma the posterior has no mean, or one that draws do "
    'not settle on; use medians (point="median") and intervals, give sigma a number, or add rows'
)
_TOO_SMALL = (
    "X: the sd of {} of {} rows (first row {}) rests on draws that did not reach the tail of the "
    "rates there (Pareto k-hat), so it may be far too small; use predict_interval, stay nearer to "
    "the data, or give the coefficients a tighter prior"
)


@dataclass(frozen=True, eq=False)
class Posterior:
    """A posterior, its exact moments where it has them, its draws and its mode, each made once.

    Attributes
    ----------
    problem : Problem
        Data, likelihood and prior.
    draws, chains, tune : int
        How much to draw.
    seed : int
        Of the draws.
    """

    problem: Problem
    draws: int
    chains: int
    tune: int
    seed: int

    # ------------------------------------------------------------------ what is known of it

    @cached_property
    def origin(self) -> Vector:
        """Where columns are measured from, so that a mean of 1e9 costs no digits; shape (p,)."""
        return origin(self.problem.design)

    @cached_property
    def measured(self) -> Problem:
        """The same posterior, its intercept the level at the origin."""
        problem = self.problem
        return Problem.of(about(problem.design, self.origin), problem.likelihood, problem.prior)

    @cached_property
    def moments(self) -> Moments | None:
        """Exact moments, those of `measured`; None where there is no closed form, or no room."""
        if self.problem.design.why_not_dense is not None or self.problem.p > _MOST_COLUMNS:
            return None
        try:
            return None if reason_against(self.measured) else posterior_moments(self.measured)
        except NoClosedForm:
            return None

    @cached_property
    def tails(self) -> Tails:
        """Which moments there are."""
        return Tails(self.measured)

    @cached_property
    def tree(self) -> DataTree:
        """Draws, the same for the same rows in any order."""
        tree = self._measured_tree
        if not self.origin.any():
            return tree
        posterior = tree["posterior"].to_dataset()
        shift = np.asarray(posterior["beta"]) @ self.origin
        posterior["intercept"] = posterior["intercept"] - shift
        tree = tree.copy()
        tree["posterior"].dataset = posterior
        tree.attrs["problem"] = str(self.problem)
        return tree

    @cached_property
    def _measured_tree(self) -> DataTree:
        """Draws from `measured`."""
        problem = self.measured
        order = canonical_order(problem.design)
        shuffled = Problem.of(reordered(problem.design, order), problem.likelihood, problem.prior)
        tree = sample(
            shuffled,
            draws=self.draws,
            chains=self.chains,
            tune=self.tune,
            seed=self.seed,
            progress=False,
        )
        if not tree.attrs["complete"]:
            raise KeyboardInterrupt
        observed = tree["observed_data"].to_dataset()
        observed["y"] = observed["y"].copy(data=problem.design.y)
        tree["observed_data"].dataset = observed
        return tree

    @property
    def was_drawn(self) -> bool:
        """Whether anything was drawn yet."""
        return "_measured_tree" in vars(self)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Whether the draws can be trusted."""
        return diagnose(self.tree)

    @cached_property
    def drawn(self) -> dict[str, Array]:
        """Draws of all chains: ``beta`` (m, p), ``level`` and ``noise`` (m,), unknowns (m,).

        The level is the intercept of columns measured from the origin.
        """
        group = self._measured_tree["posterior"]
        drawn = {str(name): np.asarray(value) for name, value in group.data_vars.items()}
        drawn["noise"] = noise_sd(self.problem, drawn)
        drawn["level"] = drawn.pop("intercept", np.zeros(drawn["noise"].shape))
        return {
            name: value.reshape(-1, *value.shape[2:]) if value.ndim > 2 else value.ravel()
            for name, value in drawn.items()
        }

    @cached_property
    def disagreement(self) -> float:
        """Largest split R-hat over coefficients and unknowns (Gelman et al. 2013, section 11.4)."""
        half = self.draws // 2
        if self._measured_tree.attrs["method"] == "exact" or half < 2:
            return 1.0
        worst = 1.0
        for variable in self._measured_tree["posterior"].data_vars.values():
            values = np.asarray(variable)
            parts = np.concatenate([values[:, :half], values[:, half : 2 * half]])
            within = parts.var(axis=1, ddof=1).mean(axis=0)
            between = parts.mean(axis=1).var(axis=0, ddof=1)
            moves = within > 0
            ratio = np.divide(between, within, out=np.zeros_like(within), where=moves)
            worst = max(worst, float(np.sqrt((half - 1) / half + ratio).max(initial=1.0)))
        return worst

    def median(self, name: str) -> float:
        """Posterior median of an unknown."""
        return float(np.median(self.drawn[name]))

    @cached_property
    def mode(self) -> MapEstimate:
        """The mode of the coefficients, given the posterior medians of unknown sigma and scale."""
        given: dict[str, float] = {name: self.median(name) for name in self.problem.unknown}
        return find_map(self.problem, given=given)

    @cached_property
    def mean(self) -> tuple[Vector, float]:
        """Posterior mean of coefficients and level, or median of a coefficient without a mean."""
        if self.moments is not None:
            return self.moments.mean, self.moments.intercept_mean or 0.0
        if not self.tails.mean:
            warnings.warn(_NO_MEAN, SamplingWarning, stacklevel=6)  # where it was fitted
        return self.tails.centre(self.drawn["beta"]), float(self.drawn["level"].mean())

    @cached_property
    def median_point(self) -> tuple[Vector, float]:
        """Posterior medians of the coefficients, and of the level at the columns' means.

        Far from the data, medians taken one by one do not belong to each other.
        """
        coef = np.median(self.drawn["beta"], axis=0)
        if not self.problem.design.intercept:
            return coef, 0.0
        at = self.measured.design.column_mean
        level = self.drawn["level"] + self.drawn["beta"] @ at
        return coef, float(np.median(level) - at @ coef)

    def centre(self, point: str) -> tuple[Vector, float]:
        """Return coefficients and intercept, of columns as they are: "mean", "median" or "mode"."""
        if point == "mode":
            return self.mode.coef, self.mode.intercept
        coef, level = self.mean if point == "mean" else self.median_point
        return coef, level - float(self.origin @ coef)

    def law(self) -> Any:
        """Standardised law of all linear functions: normal, Student's t, or None for another.

        In units of the standard deviation.
        """
        moments = self.moments
        if moments is None:
            return None
        if moments.a_n is not None:
            df = 2 * moments.a_n
            return stats.t(df, scale=np.sqrt((df - 2) / df))
        if self.problem.unknown:
            return None
        penalty = self.problem.elastic_net  # nothing else has exact moments
        return None if penalty.l1.any() or penalty.nonnegative.any() else stats.norm()

    def intervals(self, prob: float) -> Matrix:
        """Equal-tailed intervals of the coefficients, shape (p, 2)."""
        law = self.law()
        if law is not None and self.moments is not None:
            return _about(self.moments.mean, self.moments.sd, law, prob)
        return np.asarray(np.quantile(self.drawn["beta"], _tails(prob), axis=0).T)

    # ------------------------------------------------------------------ predictions

    def predictors(self, X: Any, count: int | None = None) -> Iterator[tuple[slice, Matrix]]:
        """Yield linear predictors of some rows at a time, shapes (m, rows)."""
        chosen = self.chosen(count)
        beta, level = self.drawn["beta"][chosen], self.drawn["level"][chosen]
        step = max(1, _BLOCK // max(level.size, 1))
        for start in range(0, X.shape[0], step):
            part = slice(start, min(start + step, X.shape[0]))
            yield part, np.asarray(measured(X[part], self.origin) @ beta.T).T + level[:, None]

    def predicted(self, X: Any) -> Vector:
        """Posterior mean of the linear predictor at each row of X, shape (n,)."""
        coef, level = self.mean
        return np.asarray(measured(X, self.origin) @ coef + level)

    def chosen(self, count: int | None) -> NDArray[np.intp]:
        """Positions of that many draws, evenly spread over the chains."""
        size = self.drawn["level"].size
        return np.linspace(0, size - 1, size if count is None else count).astype(np.intp)

    def sd(self, X: Any) -> Vector:
        """Standard deviation of a new target at each row of X, shape (n,); inf without one."""
        if self.moments is not None:
            return self._exact_sd(self.moments, X)
        out, beyond = np.empty(X.shape[0]), np.zeros(X.shape[0], dtype=np.bool_)
        counts = isinstance(self.problem.likelihood, Poisson)
        for part, eta in self.predictors(X):
            mean, variance = conditional(self.problem.likelihood, eta, self.drawn["noise"][:, None])
            with np.errstate(over="ignore", invalid="ignore"):
                square = mean.var(axis=0) + variance.mean(axis=0)
            out[part] = np.sqrt(np.where(np.isfinite(square), square, np.inf))  # beyond 64 bits
            if counts:
                beyond[part] = out_of_reach(eta)
        out[~self.tails.variance(measured(X, self.origin))] = np.inf
        rows = np.flatnonzero(beyond & np.isfinite(out))
        if rows.size:
            message = _TOO_SMALL.format(rows.size, X.shape[0], rows[0])
            warnings.warn(message, SamplingWarning, stacklevel=3)  # where it was predicted
        return out

    def _exact_sd(self, moments: Moments, X: Any) -> Vector:
        """About the columns' means the level is independent of the coefficients, given sigma."""
        design = self.measured.design
        weights = design.row_weights
        noise = moments.sigma2_mean
        if noise is None:
            noise = self.problem.likelihood.variance  # type: ignore[attr-defined]
        total = float(weights.sum())
        at = weights @ design.X / total if design.intercept else np.zeros(design.p)
        level = noise / total if design.intercept else 0.0
        out = np.empty(X.shape[0])
        step = max(1, _BLOCK // max(design.p, 1))
        for start in range(0, X.shape[0], step):
            part = slice(start, start + step)
            block = measured(X[part], self.origin)
            off = (block if isinstance(block, np.ndarray) else block.toarray()) - at
            out[part] = np.vecdot(off @ moments.covariance, off)
        return np.sqrt(noise + level + np.maximum(out, 0.0))

    def targets(self, X: Any, rng: np.random.Generator, count: int | None) -> Matrix:
        """Draw new targets, shape (m, n)."""
        noise = self.drawn["noise"][self.chosen(count)]
        out = np.empty((noise.size, X.shape[0]))
        for part, eta in self.predictors(X, count):
            out[:, part] = new_targets(self.problem.likelihood, eta, noise, rng)
        return out

    def target_intervals(self, X: Any, prob: float) -> Matrix:
        """Equal-tailed intervals of a new target at each row, shape (n, 2)."""
        tails, law = _tails(prob), self.law()
        if law is not None:
            return _about(self.predicted(X), self.sd(X), law, prob)
        # One number in each of m equal strata, so that the tails of the noise are all but exact;
        # the same for every row, so that its interval is its own alone.
        size = self.drawn["noise"].size
        u = (np.random.default_rng(self.seed).permutation(size) + 0.5) / size
        out = np.empty((X.shape[0], 2))
        for part, eta in self.predictors(X):
            new = targets_at(self.problem.likelihood, eta, self.drawn["noise"], u)
            out[part] = np.quantile(new, tails, axis=0, method="inverted_cdf").T
        return out

    def probabilities(self, X: Any) -> Vector:
        """Posterior mean of the probability of a one, at each row; shape (n,)."""
        out = np.empty(X.shape[0])
        for part, eta in self.predictors(X):
            out[part] = special.expit(eta).mean(axis=0)
        return out


def _tails(prob: float) -> Vector:
    return np.array([(1 - prob) / 2, (1 + prob) / 2])


def _about(mean: Vector, sd: Vector, law: Any, prob: float) -> Matrix:
    """Equal-tailed intervals of a law symmetric about 0, moved and stretched; shape (n, 2)."""
    # From the tail, which has digits where a probability next to 1 has none.
    half = sd * float(law.isf((1 - prob) / 2))
    return np.column_stack([mean - half, mean + half])


def conditional(likelihood: Likelihood, eta: Matrix, noise: Any) -> tuple[Matrix, Matrix]:
    """Mean and variance of a target given its linear predictor and the scale of the noise.

    Examples
    --------
    >>> mean, variance = conditional(Bernoulli(), np.zeros((1, 1)), 1.0)
    >>> mean.item(), variance.item()
    (0.5, 0.25)
    """
    if isinstance(likelihood, Bernoulli):
        mean = special.expit(eta)
        return mean, mean * special.expit(-eta)
    if isinstance(likelihood, Poisson):
        with np.errstate(over="ignore"):
            rate = np.exp(eta)
        return rate, rate
    factor = 1.0
    if isinstance(likelihood, StudentTNoise):
        factor = likelihood.nu / (likelihood.nu - 2) if likelihood.nu > 2 else np.inf
    return eta, np.broadcast_to(factor * np.square(noise), eta.shape)


def new_targets(
    likelihood: Likelihood, eta: Matrix, noise: Vector, rng: np.random.Generator
) -> Matrix:
    """Draw a target for each predictor (m, n); `noise` (m,) is its scale at every draw."""
    one = np.ones(eta.shape[1])
    if isinstance(likelihood, Noise):
        return eta + noise[:, None] * likelihood.given(1.0).draw(np.zeros_like(eta), one, rng)
    _check_rate(likelihood, eta)
    return likelihood.draw(eta, one, rng)


def targets_at(likelihood: Likelihood, eta: Matrix, noise: Vector, u: Vector) -> Matrix:
    """Return the quantiles `u` (m,) of the targets of predictors (m, n), one for each draw.

    Examples
    --------
    >>> targets_at(Poisson(), np.zeros((2, 1)), np.ones(2), np.array([0.3, 0.9])).ravel()
    array([0., 2.])
    """
    _check_rate(likelihood, eta)
    if isinstance(likelihood, Bernoulli):
        return (u[:, None] > special.expit(-eta)).astype(np.float64)
    if isinstance(likelihood, Poisson):
        return np.asarray(stats.poisson.ppf(u[:, None], np.exp(eta)))
    law = stats.t(likelihood.nu) if isinstance(likelihood, StudentTNoise) else stats.norm()
    return np.asarray(eta + (noise * law.ppf(u))[:, None])


def _check_rate(likelihood: Likelihood, eta: Matrix) -> None:
    if isinstance(likelihood, Poisson) and not eta.max(initial=0.0) < _LARGEST_LOG_RATE:
        msg = (
            f"X: draws reach a rate of exp({eta.max():.3g}) here, too large to draw counts from; "
            "stay nearer to the data, or give the coefficients a tighter prior"
        )
        raise SamplingFailed(msg)


def as_seed(random_state: object) -> int:
    """Turn scikit-learn's ``random_state``, or a Generator, into a number that can be kept.

    Raises
    ------
    InputError
        If it is none of these.

    Examples
    --------
    >>> as_seed(7)
    7
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, int | np.integer) and not isinstance(random_state, bool):
        number = int(random_state)
        if number >= 0:
            return number
    msg = (
        "random_state: must be None, a whole number >= 0, a RandomState or a numpy Generator, "
        f"found {shown(random_state)}"
    )
    raise InputError(msg)
