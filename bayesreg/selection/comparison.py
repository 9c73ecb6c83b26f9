"""Several criteria on the same problem, side by side on one axis of scales."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bayesreg.errors import InputError, unknown_name
from bayesreg.selection import cross_validation, leave_one_out, psis
from bayesreg.selection.request import RULES
from bayesreg.selection.verb import BY_NAME, is_all, make_request, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from matplotlib.figure import Figure

    from bayesreg.problem import Problem
    from bayesreg.selection.result import ScaleSelection

_WITH_ERROR = (cross_validation.NAME, leave_one_out.NAME, psis.NAME)
#: What `select_scale` has by default.
DEFAULTS: dict[str, Any] = {
    "scales": None,
    "n_scales": None,
    "rule": RULES[0],
    "folds": 10,
    "groups": None,
    "given": None,
    "hyperprior": None,
    "draws": 1000,
    "chains": 4,
    "tune": 1000,
    "seed": 0,
    "workers": None,
    "progress": None,
}


@dataclass(frozen=True, eq=False)
class CriteriaComparison:
    """What several criteria choose; made by `bayesreg.compare_criteria`.

    Attributes
    ----------
    problem : Problem
        What was asked about.
    selections : tuple of ScaleSelection
        One per criterion.
    left_out : mapping of str to str
        Criteria that do not take the problem, and why.
    """

    problem: Problem = field(repr=False)
    selections: tuple[ScaleSelection, ...]
    left_out: Mapping[str, str]

    def __getitem__(self, criterion: str) -> ScaleSelection:
        """Return what one criterion chose."""
        for selection in self.selections:
            if selection.criterion == criterion:
                return selection
        raise unknown_name("criterion", criterion, [s.criterion for s in self.selections])

    def to_frame(self) -> pd.DataFrame:
        """Return one row per criterion.

        Returns
        -------
        pandas.DataFrame
            Columns criterion, rule, scale, low, high, meaning, one_standard_error, sigma, seconds,
            notes: what else there is to know, a best scale at an end of those tried among it.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        return pd.DataFrame(
            {
                "criterion": s.criterion,
                "rule": s.rule,
                "scale": s.scale,
                "low": s.uncertainty.low,
                "high": s.uncertainty.high,
                "meaning": s.uncertainty.meaning,
                "one_standard_error": s.one_standard_error,
                "sigma": s.sigma,
                "seconds": s.seconds,
                "notes": "; ".join(s.remarks),
            }
            for s in self.selections
        )

    def curves(self) -> pd.DataFrame:
        """Return the curves of all criteria, one row per criterion and scale."""
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        return pd.concat([s.to_frame() for s in self.selections], ignore_index=True)

    @property
    def edges(self) -> tuple[str, ...]:
        """Criteria that found the best at an end of the scales tried, and which end."""
        return tuple(f"{s.criterion}: {s.edge}" for s in self.selections if s.edge)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Criteria whose curve is not to be trusted, and why."""
        return tuple(f"{s.criterion}: {s.doubt}" for s in self.selections if s.doubt)

    def plot(self) -> Figure:
        """Draw all curves on one axis; see `bayesreg.figures.scale_selection`."""
        figure: Figure = import_module("bayesreg.figures").scale_selection(self)
        return figure

    def __str__(self) -> str:
        """Say what each criterion chose."""
        lines = [f"scale of the {self.problem.prior.name} prior, by criterion"]
        width = max(len(s.criterion) for s in self.selections)
        lines += [
            f"  {s.criterion:{width}}  {s.scale:<10.5g} {s.uncertainty}" for s in self.selections
        ]
        lines += [f"  {warning}" for warning in (*self.edges, *self.doubts)]
        lines += [f"  not by {name}: {reason}" for name, reason in self.left_out.items()]
        return "\n".join(lines)


def compare_criteria(
    problem: object, by: str | Iterable[str] = "all", **settings: Any
) -> CriteriaComparison:
    """Choose the scale of a prior by several criteria, each with its curve in nats.

    Parameters
    ----------
    problem : Problem or pymc.Model
        What to choose for.
    by : "all" or iterable of str
        Criteria, as for `select_scale`; "all" are those that take the problem.
    **settings
        As for `select_scale`; each criterion takes those that concern it. The rule of one standard
        error is applied where there is one.

    Returns
    -------
    CriteriaComparison
        ``.selections``, ``.to_frame()``, ``.curves()`` and ``.plot()``: all on one axis.

    Raises
    ------
    InputError
        If an argument does not fit, or no criterion takes the problem.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesreg import Gaussian, Normal, Problem
    >>> found = compare_criteria(Problem(np.eye(4), [2.0, -2.0, 2.0, -2.0], prior=Normal(1.0),
    ...                                  likelihood=Gaussian(1.0), intercept=False),
    ...                          by=["evidence", "leave-one-out"])
    >>> [selection.criterion for selection in found.selections]
    ['evidence', 'leave-one-out']
    """
    for name in settings:
        if name not in DEFAULTS:
            raise unknown_name("setting", name, tuple(DEFAULTS))
    whole = DEFAULTS | settings
    every = is_all(by)
    selections: list[ScaleSelection] = []
    left_out: dict[str, str] = {}
    for name in BY_NAME if every else _names(by):
        # Some have no standard error over parts of the data, and keep to the minimum.
        rule = whole["rule"] if name in _WITH_ERROR else RULES[0]
        request = make_request(problem, **(whole | {"rule": rule}))
        reason = BY_NAME[name].obstacle(request.problem)
        if reason is not None and every:
            left_out[name] = reason
            continue
        selections.append(run(BY_NAME[name], request))
    if not selections:
        msg = f"problem: no criterion takes it: {'; '.join(left_out.values())}"
        raise InputError(msg)
    return CriteriaComparison(request.problem, tuple(selections), left_out)


def _names(by: str | Iterable[str]) -> tuple[str, ...]:
    """Return the criteria asked for, each known."""
    try:
        names = (by,) if isinstance(by, str) else tuple(by)
    except TypeError:
        raise unknown_name("by", by, tuple(BY_NAME)) from None
    for name in names:
        if not isinstance(name, str) or name not in BY_NAME:
            raise unknown_name("by", name, tuple(BY_NAME))
    if not names:
        msg = "by: names no criterion; give some, or 'all'"
        raise InputError(msg)
    return names
