"""What posterior_path returns: the posterior at every scale, and how each was found."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._text_table import apart
from bayesreg._validation import as_positive, read_only
from bayesreg.errors import DegenerateMode
from bayesreg.map import find_map
from bayesreg.nearness import count_near
from bayesreg.path import map_path
from bayesreg.path_scales import Family
from bayesreg.posterior.along_scales import CLOSED_FORM

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.posterior.conditional import Array, Positions
    from bayesreg.problem import Problem


def family_of(problem: Problem) -> Family:
    """Return the problem at every scale of its prior; sigma stays unknown if it is."""
    known = problem.given(sigma=1.0) if "sigma" in problem.unknown else problem
    return replace(Family.of(known), problem=problem)


@dataclass(frozen=True, eq=False)
class Band:
    """One number along the scales: the intercept, or sigma.

    Attributes
    ----------
    mean, median, mcse : ndarray, shape (S,)
        Posterior mean and median, and Monte Carlo standard error of the mean.
    hdi : ndarray, shape (S, 2)
        Shortest interval.
    """

    mean: Vector
    median: Vector
    mcse: Vector
    hdi: Matrix


@dataclass(frozen=True, eq=False)
class PosteriorPath:
    """The posterior along the scale of a prior, on the user's own scale.

    Attributes
    ----------
    problem : Problem
        What was asked about; sigma, where unknown, is integrated over.
    scales : ndarray, shape (S,)
        Scales of the prior, in the order asked for; fewer if interrupted.
    mean, median, mcse : ndarray, shape (S, p)
        Posterior mean and median, and Monte Carlo standard error of the mean: 0 where the
        posterior has a closed form.
    hdi : ndarray, shape (S, p, 2)
        Ends of the shortest interval with probability `hdi_prob`.
    near_zero : ndarray, shape (S, p)
        ``P(|β| < epsilon)``; NaN without an epsilon.
    epsilon : ndarray, shape (p,)
        What counts as near zero, in units of each coefficient; NaN where that means nothing (see
        `bayesreg.nearness`).
    epsilon_rule : str
        How that was set, in words.
    hdi_prob : float
        Probability of the intervals.
    intercept, sigma : Band or None
        The same of the intercept and of the noise sd, where they are unknown numbers.
    method : tuple of str
        Per scale: "closed form", or the sampler of the draws.
    source : ndarray of int, shape (S,)
        Position of the scale whose draws were used; −1 where none were needed.
    draws : ndarray of int, shape (S,)
        Number of draws, all chains together; 0 where none were needed.
    khat : ndarray, shape (S,)
        Shape of the tail of the importance weights where draws are another scale's; else NaN.
    ess : ndarray, shape (S,)
        Effective draws: their number, times the efficiency of the chain, of the column that mixed
        worst, times that of the weights; inf where none were needed.
    rhat : ndarray, shape (S,)
        Largest R-hat of draws made at the scale; NaN where there are none, or independent ones.
    min_ess : float
        Effective draws below which a scale got draws of its own.
    own_scale : float or None
        The problem's own place among the scales; None where its scale is unknown.
    complete : bool
        False if Ctrl-C left scales out.
    seed : str
        What makes the same path again, where anything does.
    seconds : float
        Time taken.
    """

    problem: Problem = field(repr=False)
    scales: Vector
    mean: Matrix = field(repr=False)
    median: Matrix = field(repr=False)
    mcse: Matrix = field(repr=False)
    hdi: Array = field(repr=False)
    near_zero: Matrix = field(repr=False)
    epsilon: Vector = field(repr=False)
    epsilon_rule: str
    hdi_prob: float
    intercept: Band | None = field(repr=False)
    sigma: Band | None = field(repr=False)
    method: tuple[str, ...] = field(repr=False)
    source: Positions = field(repr=False)
    draws: Positions = field(repr=False)
    khat: Vector = field(repr=False)
    ess: Vector = field(repr=False)
    rhat: Vector = field(repr=False)
    min_ess: float
    own_scale: float | None
    complete: bool
    seed: str
    seconds: float

    # ------------------------------------------------------------------ what it is

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return self.problem.names

    @property
    def lam(self) -> Vector:
        """``λ = 1/scale`` in nats, what multiplies the penalty where `has_lam`; shape (S,)."""
        return 1.0 / self.scales

    @property
    def fresh(self) -> NDArray[np.bool_]:
        """Whether draws were made at each scale; shape (S,)."""
        return np.asarray(self.source == np.arange(self.source.size))

    @property
    def reused(self) -> NDArray[np.bool_]:
        """Whether the draws of another scale were reweighted for each; shape (S,)."""
        return np.asarray((self.source >= 0) & ~self.fresh)

    @property
    def in_multiples(self) -> bool:
        """Whether `scales` are multiples of several different scales that the prior has."""
        return family_of(self.problem).multiples

    @property
    def has_lam(self) -> bool:
        """Whether the penalty is ``λ = 1/scale`` times something, so that `lam` has a meaning."""
        return family_of(self.problem).has_lam

    @property
    def what(self) -> tuple[str, str]:
        """What `scales` are, one and many: ``("radius", "radii")`` of a ball, else scales."""
        return family_of(self.problem).what

    @cached_property
    def mode(self) -> Matrix | None:
        """The mode at each scale, zeros exactly 0.0, shape (S, p); None where there is no mode.

        With unknown sigma it is conditional on the posterior median of sigma at the scale.
        """
        try:
            if self.sigma is None:
                return map_path(self.problem, scales=self.scales).coef
            points = zip(self.scales.tolist(), self.sigma.median.tolist(), strict=True)
            given = [self.problem_at(scale).given(sigma=sigma) for scale, sigma in points]
            return read_only(np.array([find_map(problem).coef for problem in given]))
        except DegenerateMode:
            return None

    def problem_at(self, scale: float) -> Problem:
        """Return the problem at a scale of the path, or any other; sigma stays unknown if it is."""
        return family_of(self.problem).at(as_positive(scale, "scale"))

    def __len__(self) -> int:
        """Return the number of scales."""
        return self.scales.size

    # ------------------------------------------------------------------ showing it

    def to_frame(self) -> pd.DataFrame:
        """Return one row per scale and number: intercept, coefficients, sigma.

        Returns
        -------
        pandas.DataFrame
            Columns scale, lam, name, mean, median, hdi_low, hdi_high, near_zero (of coefficients),
            mcse, method, fresh, khat, ess.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        bands = {apart("intercept", self.names): self.intercept} | {
            name: Band(self.mean[:, j], self.median[:, j], self.mcse[:, j], self.hdi[:, j])
            for j, name in enumerate(self.names)
        }
        near = dict(zip(self.names, self.near_zero.T, strict=True))
        parts = [(name, band, near.get(name)) for name, band in bands.items()]
        parts.append((apart("sigma", self.names), self.sigma, None))
        frames = [
            pd.DataFrame(
                {
                    "scale": self.scales,
                    "lam": self.lam,
                    "name": name,
                    "mean": band.mean,
                    "median": band.median,
                    "hdi_low": band.hdi[:, 0],
                    "hdi_high": band.hdi[:, 1],
                    "near_zero": math.nan if zero is None else zero,
                    "mcse": band.mcse,
                    "method": self.method,
                    "fresh": self.fresh,
                    "khat": self.khat,
                    "ess": self.ess,
                }
            )
            for name, band, zero in parts
            if band is not None
        ]
        together = pd.concat(frames, keys=range(len(frames)), names=["part", "place"])
        return together.sort_index(level=["place", "part"]).reset_index(drop=True)

    def plot(self, names: Sequence[str | int] | str | None = None, *, most: int = 12) -> Figure:
        """Draw posterior and mode of each coefficient against the scale.

        Parameters
        ----------
        names : sequence of str or int, or str, optional
            Coefficients to draw, by name or position; by default the `most` largest.
        most : int
            How many to draw at most where `names` is not given.

        Returns
        -------
        matplotlib.figure.Figure
            See `bayesreg.figures.posterior_path`.
        """
        figures = import_module("bayesreg.figures")
        figure: Figure = figures.posterior_path(self, names, most=most)
        return figure

    def __str__(self) -> str:
        """Say what was found and how, on a few lines."""
        low, high = int(np.argmin(self.scales)), int(np.argmax(self.scales))
        first, last, kind = self.scales[low], self.scales[high], self.problem.prior.name
        what = self.what[len(self) > 1]
        near = np.nansum(self.near_zero, axis=1)
        lines = [
            f"posterior path: {len(self)} {what} of the {kind} prior, {first:.6g} to {last:.6g}",
        ]
        if self.has_lam:
            lines.append(f"  λ = 1/scale: {1 / first:.6g} to {1 / last:.6g} in nats")
        lines.append(f"  {self._how()}")
        if self.sigma is not None:
            lines.append(
                f"  sigma, median: {self.sigma.median[low]:.4g} to {self.sigma.median[high]:.4g}"
            )
        lines.append(
            f"  expected coefficients near zero: {near[low]:.1f} to {near[high]:.1f} of "
            f"{count_near(self.near_zero[low])[1]} ({self.epsilon_rule})"
        )
        if not self.complete:
            lines.append("  interrupted: only the scales that were finished are here")
        return "\n".join(lines)

    def _how(self) -> str:
        """Say where the numbers come from."""
        if CLOSED_FORM in self.method:
            return "closed form at every scale, no draws"
        fresh, reused = self.fresh, self.reused
        methods = ", ".join(dict.fromkeys(self.method))
        text = f"drawn at {fresh.sum()} ({methods})"
        if reused.any():
            text += f", reweighted at {reused.sum()} (k̂ at most {self.khat[reused].max():.2f})"
        return f"{text}; at least {self.ess.min():.0f} effective draws"
