"""What a choice of the scale is: the scale, the curve it was read off, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._validation import read_only
from bayesreg.path_scales import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.figure import Figure

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem

#: Where scales of one's own are given; the command line says so in its own words.
GIVE_SCALES = "(scales=[...])"


@dataclass(frozen=True, eq=False)
class Curve:
    """A criterion along the scales, in nats for the whole data set: lower is better.

    Attributes
    ----------
    scales : ndarray, shape (k,)
        Scales of the prior, increasing.
    value : ndarray, shape (k,)
        The criterion. Differences count: a nat less is a factor e in density.
    standard_error : ndarray, shape (k,)
        Standard error of each value (`error_of` says in words what of); NaN where the criterion has
        none.
    extra : mapping of str to ndarray, shape (k,)
        Further columns, such as degrees of freedom.
    """

    scales: Vector
    value: Vector
    standard_error: Vector
    extra: Mapping[str, Vector] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        scales: Vector,
        value: Vector,
        standard_error: Vector | None = None,
        **extra: Vector,
    ) -> Curve:
        """Put the columns in increasing order of the scale."""
        order = np.argsort(scales)
        error = np.full(scales.size, np.nan) if standard_error is None else standard_error
        return cls(
            read_only(np.asarray(scales[order], dtype=np.float64)),
            read_only(np.asarray(value[order], dtype=np.float64)),
            read_only(np.asarray(error[order], dtype=np.float64)),
            {name: read_only(np.asarray(column[order])) for name, column in extra.items()},
        )

    def __len__(self) -> int:
        """Return the number of scales."""
        return self.scales.size

    @classmethod
    def of_losses(cls, scales: Vector, losses: Matrix, sizes: Vector, **extra: Vector) -> Curve:
        """Make a curve of the losses of independent parts of the data.

        Parameters
        ----------
        scales : ndarray, shape (k,)
            Scales.
        losses : ndarray, shape (m, k)
            Loss of each part, in nats.
        sizes : ndarray, shape (m,)
            Number of rows in each part.
        extra : ndarray, shape (k,)
            Further columns.

        Returns
        -------
        Curve
            The sum of the losses, its standard error, and (``difference_error``) that of its
            difference from the lowest: parts that are hard at one scale are so at others.
        """
        value = losses.sum(axis=0)

        def error(parts: Matrix) -> Vector:
            apart = parts / sizes[:, None] - parts.sum(axis=0) / sizes.sum()
            variance = sizes @ apart**2 / sizes.sum() / (sizes.size - 1)
            return np.asarray(sizes.sum() * np.sqrt(variance))

        differences = losses - losses[:, [int(np.argmin(value))]]
        more = {"difference_error": error(differences)} | extra
        return cls.of(scales, value, error(losses), **more)

    @property
    def error_of(self) -> str:
        """What the standard errors are of; empty where there are none.

        Of the value itself, over rows or folds; or (evidence by draws, hyperprior) what draws add.
        """
        if np.isnan(self.standard_error).all():
            return ""
        return "of the value itself" if "difference_error" in self.extra else "of Monte Carlo"

    @property
    def best(self) -> int:
        """Position of the lowest value; of equal ones, that of the strongest prior."""
        return int(np.nanargmin(self.value))

    @property
    def strongest(self) -> int | None:
        """Position of the smallest scale within one standard error of the best.

        None where the curve is no sum over independent parts of the data.
        """
        if "difference_error" not in self.extra:
            return None
        threshold = float(self.value[self.best] + self.standard_error[self.best])
        return int(np.flatnonzero(self.value <= threshold)[0])

    def near(self, margin: float | Vector, meaning: str) -> Interval:
        """Smallest and largest scale whose values are at most so many nats above the lowest."""
        inside = self.scales[self.value <= self.value[self.best] + margin]
        return Interval(float(inside[0]), float(inside[-1]), meaning)

    def near_by_error(self) -> Interval:
        """Scales that differ from the best by at most the standard error of that difference."""
        return self.near(
            self.extra["difference_error"], "one standard error of the difference from the best"
        )


@dataclass(frozen=True)
class Interval:
    """Scales that do about as well, and in what sense.

    Attributes
    ----------
    low, high : float
        Ends; 0 and inf where nothing ends it, or rounding would decide where.
    meaning : str
        What the interval is.
    """

    low: float
    high: float
    meaning: str

    def __str__(self) -> str:
        """Return the interval and its meaning on one line."""
        return f"{self.low:.4g} to {self.high:.4g} ({self.meaning})"


@dataclass(frozen=True, eq=False)
class ScaleSelection:
    """A chosen scale of a prior; made by `bayesreg.select_scale`.

    Attributes
    ----------
    criterion : str
        What it was chosen by.
    scale : float
        The scale, in the units of `map_path`: the prior's own argument.
    sigma : float or None
        The noise sd that goes with it; None where the likelihood has none.
    problem : Problem
        What was asked about, at this scale and sigma: ready for `find_map` and `sample`.
    curve : Curve
        The criterion along the scales.
    uncertainty : Interval
        Scales that do about as well.
    sigma_source : str
        Where sigma comes from.
    rule : str
        How the scale was read off the curve.
    notes : tuple of str
        What else there is to know.
    seconds : float
        Time taken.
    lost : tuple of float
        Scales of the default grid that are not on the curve, because rounding of the data would
        decide there. (Scales that were asked for are refused.)
    doubt : str
        Why the curve is not to be trusted; empty where nothing says so.
    """

    criterion: str
    scale: float
    sigma: float | None
    problem: Problem = field(repr=False)
    curve: Curve = field(repr=False)
    uncertainty: Interval
    sigma_source: str
    rule: str
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    lost: tuple[float, ...] = ()
    doubt: str = ""

    @property
    def minimum(self) -> float:
        """The scale with the lowest value of the curve."""
        return float(self.curve.scales[self.curve.best])

    @property
    def one_standard_error(self) -> float | None:
        """The smallest scale within one standard error of the lowest value; None without one."""
        place = self.curve.strongest
        return None if place is None else float(self.curve.scales[place])

    @property
    def at_edge(self) -> bool:
        """Whether the lowest value is at an end of the curve, so that a wider one may go lower."""
        return self.curve.best in (0, len(self.curve) - 1)

    @property
    def edge(self) -> str:
        """Which end of the scales tried is the best, in words; empty where the best is between."""
        if not self.at_edge:
            return ""
        what = Family.of(self.problem).what[1]
        low = self.curve.best == 0
        which, other = ("smallest", "smaller") if low else ("largest", "larger")
        if any(scale < self.minimum if low else scale > self.minimum for scale in self.lost):
            return f"the best is the {which} of the {what} tried; {other} ones rest on rounding"
        return f"the best is the {which} of the {what} tried; try {other} ones {GIVE_SCALES}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What there is to know: the notes, what is doubtful, and an end that is the best."""
        return tuple(note for note in (*self.notes, self.doubt, self.edge) if note)

    @property
    def lam(self) -> float:
        """``λ = 1/scale`` in nats."""
        return 1.0 / self.scale

    def to_frame(self) -> pd.DataFrame:
        """Return the curve, one row per scale.

        Returns
        -------
        pandas.DataFrame
            Columns criterion, scale, value, standard_error, those of the criterion itself, and
            chosen: the row of the curve at the chosen scale, or next to it.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        nearest = int(np.argmin(np.abs(np.log(self.curve.scales / self.scale))))
        columns = {
            "criterion": self.criterion,
            "scale": self.curve.scales,
            "value": self.curve.value,
            "standard_error": self.curve.standard_error,
            **self.curve.extra,
            "chosen": np.arange(len(self.curve)) == nearest,
        }
        return pd.DataFrame(columns)

    def plot(self) -> Figure:
        """Draw the curve and the choice; see `bayesreg.figures.scale_selection`."""
        figure: Figure = import_module("bayesreg.figures").scale_selection(self)
        return figure

    def __str__(self) -> str:
        """Say what was chosen, and how sure that is."""
        what = Family.of(self.problem).what[0]
        lines = [f"{self.problem.prior.name} prior, {what} {self.scale:.6g} by {self.criterion}"]
        lines.append(f"  {self.rule}; as good: {self.uncertainty}")
        if self.sigma is not None:
            lines.append(f"  sigma {self.sigma:.6g}: {self.sigma_source}")
        lines += [f"  {note}" for note in self.remarks]
        return "\n".join(lines)
