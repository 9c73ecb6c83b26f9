"""What a criterion is asked: the problem, the scales to try, and how to work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._validation import as_generator
from bayesreg.errors import DegenerateMode, InputError
from bayesreg.path_scales import Family, check_scales, default_scales
from bayesreg.selection.noise import Conditioned, conditioned
from bayesreg.selection.result import GIVE_SCALES, ScaleSelection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayesreg._validation import Vector
    from bayesreg.penalties import Penalty
    from bayesreg.problem import Problem
    from bayesreg.scale_priors import ScalePrior
    from bayesreg.selection.progress import Progress
    from bayesreg.selection.result import Curve, Interval

MINIMUM, ONE_ERROR = "minimum", "one-standard-error"
RULES = (MINIMUM, ONE_ERROR)


def penalty_of(problem: Problem) -> Penalty | None:
    """Return the penalty with each unknown at 1; None for a prior whose mode is no mode."""
    try:
        return problem.given_ones().penalty
    except DegenerateMode:
        return None


@dataclass(frozen=True, eq=False)
class Request:
    """A question to a criterion; `bayesreg.select_scale` makes and documents it."""

    problem: Problem
    scales: Vector | None
    n_scales: int | None
    rule: str
    folds: Any
    groups: Any
    given: Mapping[str, float]
    hyperprior: ScalePrior | None
    draws: int
    chains: int
    tune: int
    seed: Any
    workers: int | None
    progress: Progress

    @cached_property
    def known(self) -> Conditioned:
        """The problem with a value of sigma: what modes are conditional on."""
        return conditioned(self.problem, self.given)

    @cached_property
    def family(self) -> Family:
        """The problem at every scale, sigma known."""
        return Family.of(self.known.problem)

    @cached_property
    def whole(self) -> Family:
        """The problem at every scale; sigma stays unknown where it is, unless it was given."""
        if self.given or "sigma" not in self.problem.unknown:
            return self.family
        return replace(Family.of(self.problem.given(sigma=1.0)), problem=self.problem)

    @cached_property
    def rng(self) -> np.random.Generator:
        """What is random in the criterion."""
        return as_generator(self.seed)

    def grid(self, count: int) -> Vector:
        """Scales to try, increasing: those asked for, or those of `map_path`.

        Parameters
        ----------
        count : int
            How many, where neither scales nor their number were asked for.
        """
        if self.scales is not None:
            return np.sort(check_scales(self.scales))
        count = self.n_scales or count
        try:
            return default_scales(self.family, count)
        except DegenerateMode as error:
            own = self.family.own
            if own is None:
                msg = (
                    "scales: this prior has no mode to make a grid of scales from; give some "
                    f"{GIVE_SCALES}"
                )
                raise InputError(msg) from error
            return own * np.geomspace(1e-2, 1e2, count)

    def at(self, scale: float, sigma: float | None) -> Problem:
        """Return the problem at a scale and a sigma, everything known."""
        problem = self.whole.at(scale)
        return problem.given(sigma=sigma) if "sigma" in problem.unknown else problem

    def by_rule(
        self, criterion: str, curve: Curve, interval: Interval, *notes: str
    ) -> ScaleSelection:
        """Read the scale off a curve with standard errors, or without, by the rule asked for."""
        place = curve.best
        if self.rule == ONE_ERROR:
            if curve.strongest is None:
                msg = f"rule: {criterion} has no standard error, so it has the minimum only"
                raise InputError(msg)
            place = curve.strongest
        scale = float(curve.scales[place])
        return ScaleSelection(
            criterion=criterion,
            scale=scale,
            sigma=self.known.sigma,
            problem=self.family.at(scale),
            curve=curve,
            uncertainty=interval,
            sigma_source=self.known.source,
            rule="smallest scale within one standard error" if self.rule == ONE_ERROR else MINIMUM,
            notes=notes,
        )

    def with_sigma(self, chosen: ScaleSelection, sigma: float, source: str) -> ScaleSelection:
        """Replace the sigma of a choice by another one."""
        problem = self.at(chosen.scale, sigma)
        return replace(chosen, sigma=sigma, sigma_source=source, problem=problem)
