"""Models of the same data: how they predict, beside how probable they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter

from bayesreg.figures import _ink as ink
from bayesreg.figures._panel import RULE, label, legend, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bayesreg.model_comparison import PriorComparison
    from bayesreg.model_comparison.priors import PriorScore

_PREDICTIONS: dict[str, Any] = {"color": ink.BLUE, "marker": "o", "linestyle": ""}
# Beyond this a Bayes factor would squeeze the others: the axis is logarithmic from _LINEAR on.
_FAR, _LINEAR = 15.0, 4.0
_EVIDENCE: dict[str, Any] = {"color": ink.VERMILLION, "marker": "s", "linestyle": ""}


def prior_comparison(result: PriorComparison | Mapping[str, PriorComparison]) -> Figure:
    """Draw leave-one-out predictions beside marginal likelihoods.

    Parameters
    ----------
    result : PriorComparison or mapping of str to PriorComparison
        Of `bayesreg.compare_priors`; several have a row of panels each, under their names.

    Returns
    -------
    matplotlib.figure.Figure
        Left: elpd less that of the best model, with its standard error, and stacking weights.
        Right: log Bayes factor against the largest evidence, and posterior probabilities.
    """
    rows = result if isinstance(result, Mapping) else {"": result}
    sizes = [len(comparison.scores) for comparison in rows.values()]
    heading = "Which prior predicts new rows, and which predicted the data"
    figure = sheet(heading, 9.2, 0.9 + sum(0.34 * size + 1.05 for size in sizes))
    panels = figure.subplots(
        len(rows), 2, squeeze=False, gridspec_kw={"height_ratios": [n + 2.2 for n in sizes]}
    )
    for (left, right), (name, comparison) in zip(panels, rows.items(), strict=True):
        begin = f"{ink.clean(name)}: " if name else ""
        _predictions(left, comparison, begin)
        _evidence(right, comparison, begin)
    if any(score.bad_rows for comparison in rows.values() for score in comparison.scores):
        hollow = Line2D([], [], **_PREDICTIONS, markerfacecolor="white")
        hollow.set_label("hollow: leave-one-out is unreliable on some rows (Pareto k too large)")
        legend(figure, [hollow], 1)
    return figure


def _frame(axes: Axes, scores: tuple[PriorScore, ...], *, names: bool) -> None:
    """Give each model a line, the best predictions above."""
    axes.set_yticks(range(len(scores)))
    axes.set_yticklabels([ink.clean(s.name) for s in scores] if names else [""] * len(scores))
    axes.set_ylim(len(scores) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0.0, **RULE)
    axes.grid(axis="y", color=ink.LIGHT, linewidth=1.0)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(MaxNLocator(6))


def _beside(axes: Axes, line: int, text: str) -> None:
    """Write at the right end of a model's line."""
    axes.text(
        1.02, line, text, transform=axes.get_yaxis_transform(), va="center", fontsize=ink.TEXT
    )


def _predictions(axes: Axes, comparison: PriorComparison, begin: str) -> None:
    for line, score in enumerate(comparison.scores):
        axes.errorbar(
            score.difference, line, xerr=score.difference_se, **_PREDICTIONS,
            markersize=6, elinewidth=1.6, capsize=3,
            markerfacecolor="white" if score.bad_rows else ink.BLUE,
        )  # fmt: skip
        _beside(axes, line, f"{abs(score.weight):.2f}")
    _beside(axes, -1, "weight")
    _frame(axes, comparison.scores, names=True)
    label(axes, f"{begin}leave-one-out", "elpd less the best, ± 1 se, nats", "")


def _evidence(axes: Axes, comparison: PriorComparison, begin: str) -> None:
    for line, score in enumerate(comparison.scores):
        if score.log_bayes_factor is None or score.evidence is None:
            alone = "not comparable" if comparison.not_comparable else "no rival has one"
            _beside(axes, line, alone if score.evidence else "flat prior: none")
            continue
        axes.errorbar(
            score.log_bayes_factor, line, xerr=score.evidence.se, **_EVIDENCE,
            markersize=5.5, elinewidth=1.6, capsize=3,
        )  # fmt: skip
        _beside(axes, line, f"{score.probability:.3f}")
    _beside(axes, -1, "P(model | y)")
    _frame(axes, comparison.scores, names=False)
    least = min((s.log_bayes_factor or 0.0 for s in comparison.scores), default=0.0)
    against = "log Bayes factor against the best, nats"
    if least < -_FAR:
        against += f"; logarithmic below −{_LINEAR:g}"
        axes.set_xscale("symlog", linthresh=_LINEAR)
        axes.set_xlim(left=1.6 * least)
        axes.set_xticks(
            [x for x in (-10_000, -1000, -100, -30, -10, -4, -2, 0) if x >= 1.6 * least]
        )
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_locator(NullLocator())
    label(axes, f"{begin}marginal likelihood", against, "")
