"""Every rule's answer about one posterior, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg._text_table import short_name
from bayesreg.errors import BayesregError, DegenerateMode, InputError
from bayesreg.sparsity.decoupling import Decoupled, decoupled
from bayesreg.sparsity.draws import Drawn
from bayesreg.sparsity.rules import credible_intervals, inclusion, mode_zeros, not_near_zero
from bayesreg.sparsity.shrinkage import Shrinkage, shrinkage
from bayesreg.sparsity.stability import Stability, stability_selection

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from bayesreg.problem import Problem
    from bayesreg.sparsity.selection import Selection

# Rows that a terminal shows.
_MOST_ROWS = 30


@dataclass(frozen=True, eq=False)
class SparsitySummary:
    """What every rule keeps.

    Attributes
    ----------
    problem : Problem
        The posterior.
    selections : tuple of Selection
        One per rule that applies.
    refusals : dict of str
        Rules that do not, with the reason.
    shrinkage : Shrinkage or None
        Draws of κ and m_eff.
    decoupled : Decoupled
        The path of sparse summaries.
    stability : Stability or None
        Shares and bounds, if asked for.
    """

    problem: Problem
    selections: tuple[Selection, ...]
    refusals: dict[str, str]
    shrinkage: Shrinkage | None
    decoupled: Decoupled
    stability: Stability | None

    def __getitem__(self, method: str) -> Selection:
        """Return the answer of one rule, by its name."""
        for selection in self.selections:
            if selection.method == method:
                return selection
        names = ", ".join(selection.method for selection in self.selections)
        why = f": {self.refusals[method]}" if method in self.refusals else ""
        msg = f"method: there is no answer of {method!r}{why}; there are {names}"
        raise InputError(msg)

    @property
    def votes(self) -> np.ndarray[tuple[int], np.dtype[np.int_]]:
        """Number of rules that keep each column, shape (p,)."""
        return np.asarray(sum(s.selected.astype(int) for s in self.selections))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per rule and coefficient.

        Returns
        -------
        pandas.DataFrame
            Columns method, coefficient, value (what the rule looks at), selected.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        return pd.concat([s.to_frame() for s in self.selections], ignore_index=True)

    def __str__(self) -> str:
        """Print a table of what is kept: a row per column, most often kept first."""
        order = np.argsort(-self.votes, kind="stable")[:_MOST_ROWS]
        heads = [s.method for s in self.selections]
        names = [short_name(self.problem.names[j]) for j in order]
        wide = max([len(name) for name in (*names, "coefficient")])
        lines = ["  ".join(["coefficient".ljust(wide), *heads])]
        for j, name in zip(order, names, strict=True):
            cells = [
                f"{'●' if s.selected[j] else '·'} {_seen(s.value[j])}".rjust(len(s.method))
                for s in self.selections
            ]
            lines.append("  ".join([name.ljust(wide), *cells]).rstrip())
        if self.problem.p > len(order):
            lines.append(f"… and {self.problem.p - len(order)} more, kept no oftener")
        lines.append("● kept, · left out; beside it what the rule looks at:")
        lines += [f"{s.method}: {s.quantity}; {s.size} kept, {s.rule}" for s in self.selections]
        lines += [f"not {name}: {why.partition(';')[0]}" for name, why in self.refusals.items()]
        return "\n".join(lines + ([] if self.shrinkage is None else [str(self.shrinkage)]))


def _seen(value: float) -> str:
    return "—" if np.isnan(value) else f"{value:.3g}"


def summarise(
    problem: object,
    draws: object,
    *,
    epsilon: object = 0.05,
    level: float = 0.95,
    stability: bool = False,
    seed: object = 0,
) -> SparsitySummary:
    """Ask every rule which columns it keeps.

    Parameters
    ----------
    problem : Problem or pymc.Model
        The posterior.
    draws : xarray.DataTree
        Of `bayesreg.sample`.
    epsilon : float or array_like (p,)
        What counts as near zero: see `not_near_zero`.
    level : float
        Probability of the credible intervals, and of those that decoupled selection looks at; by
        default that of `bayesreg.compare`.
    stability : bool
        Whether to add stability selection, which solves a hundred problems more.
    seed : int, SeedSequence, Generator or None
        Of local variances and splits.

    Returns
    -------
    SparsitySummary
        The selections, and reasons why some rules do not apply: no mode under a horseshoe, no
        inclusion probabilities without a spike.

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
    ...                      likelihood=br.Gaussian(sigma=1.0), prior=br.Laplace(scale=0.3))
    >>> table = summarise(problem, br.sample(problem, draws=250, seed=1, progress=False))
    >>> table["decoupled"].support, sorted(table.refusals)
    (('x1',), ['inclusion'])
    """
    asked, _ = as_problem(problem)
    Drawn.of(asked, draws)
    refusals: dict[str, str] = {}
    local = _unless_refused("shrinkage", refusals, partial(shrinkage, asked, draws, seed=seed))
    path = decoupled(asked, draws, level=level)
    mode = _unless_refused("zeros of the mode", refusals, partial(mode_zeros, asked, draws))
    included = _unless_refused("inclusion", refusals, partial(inclusion, asked, draws))
    halves = stability_selection(asked, seed=seed) if stability else None
    answers = (
        mode,
        not_near_zero(asked, draws, epsilon),
        included,
        credible_intervals(asked, draws, level=level),
        None if local is None else local.selection,
        path.selection,
        None if halves is None else halves.selection,
    )
    found = tuple(answer for answer in answers if answer is not None)
    return SparsitySummary(asked, found, refusals, local, path, halves)


def _unless_refused(name: str, refusals: dict[str, str], ask: Callable[[], Any]) -> Any:
    """Return an answer; write down why there is none where the prior allows none."""
    try:
        return ask()
    except (DegenerateMode, InputError) as error:
        refusals[name] = str(error)
    except BayesregError as error:  # a mode that could not be certified
        refusals[name] = f"failed: {error}"
    return None
