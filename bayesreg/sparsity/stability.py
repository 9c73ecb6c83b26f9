r"""Stability selection: what the lasso keeps in many halves of the rows.

The rows are split in two halves at random, B times (Shah & Samworth 2013); in each half the lasso
path is followed until q columns have entered (Meinshausen & Bühlmann 2010). A column is kept if it
entered in a share of at least π of the 2B halves. Of the columns that enter no oftener than at
random, at most ``q²/(p(2π − 1))`` are kept in expectation, whatever the data; fewer if the shares
are unimodal.

It is here for contrast: the share is a property of a procedure, not a probability of β.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._inputs import as_problem
from bayesreg._validation import as_count, as_generator, as_positive, as_real
from bayesreg.errors import InputError
from bayesreg.likelihoods import Gaussian
from bayesreg.likelihoods.base import Noise
from bayesreg.path import map_path
from bayesreg.priors import Laplace
from bayesreg.problem import Problem
from bayesreg.solvers import homotopy
from bayesreg.sparsity.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bayesreg._validation import Vector

    type Positions = NDArray[np.intp]

# Along the path of a likelihood whose knots are not known.
_POINTS = 30
_HALF, _SMALLEST = 0.5, 1e-10


@dataclass(frozen=True, eq=False)
class Stability:
    """Result of stability selection.

    Attributes
    ----------
    problem : Problem
        Whose rows were halved.
    share : ndarray, shape (p,)
        Share of the halves in which each column was among the first q.
    q, pairs : int
        Columns that are kept in each half, and number of splits.
    threshold : float
        Share from which on a column is kept.
    """

    problem: Problem
    share: Vector
    q: int
    pairs: int
    threshold: float

    @property
    def bound(self) -> float:
        """Bound on the expected number of columns kept wrongly, without assumptions."""
        return pair_bound(self.q, self.problem.p, self.threshold)

    @property
    def unimodal_bound(self) -> float:
        """The same if shares are unimodal."""
        return unimodal_bound(self.q, self.problem.p, self.threshold, self.pairs)

    @property
    def selection(self) -> Selection:
        """The columns that are kept."""
        return Selection(
            method="stability",
            names=self.problem.names,
            value=self.share,
            selected=self.share >= self.threshold,
            quantity="share of halves",
            rule=f"among the first {self.q} in ≥ {self.threshold:.3g} of the halves",
        )

    def __str__(self) -> str:
        """Say what is kept, and what the bounds are."""
        return (
            f"{self.selection}\n  expected number kept wrongly: at most {self.bound:.3g}, "
            f"{self.unimodal_bound:.3g} if shares are unimodal"
        )


def pair_bound(q: float, p: int, threshold: float) -> float:
    """Bound ``q²/(p(2π − 1))`` on the expected number of columns that are kept wrongly.

    Meinshausen & Bühlmann (2010), theorem 1, for columns that enter exchangeably and no better than
    at random; without that, Shah & Samworth (2013), theorem 1, for those that enter a half with
    probability at most q/p.

    Parameters
    ----------
    q : float
        Expected number of columns that are kept in each half.
    p : int
        Number of columns.
    threshold : float
        Share π of the halves, above 1/2 and at most 1.

    Examples
    --------
    >>> pair_bound(10, 100, 0.75)
    2.0
    """
    _check_threshold(threshold)
    return as_positive(q, "q") ** 2 / (as_count(p, "p") * (2 * threshold - 1))


def unimodal_bound(q: float, p: int, threshold: float, pairs: int) -> float:
    """Bound of `pair_bound` if the shares are unimodal (Shah & Samworth 2013, theorem 2).

    Parameters
    ----------
    q, p, threshold
        As for `pair_bound`.
    pairs : int
        Number B of complementary pairs.

    Returns
    -------
    float
        ``C q²/p`` with ``C = 1/(2(2π − 1 − 1/(2B)))`` for π up to 3/4 and
        ``4(1 − π + 1/(2B))/(1 + 1/B)`` above, where that holds (q/p <= 1/√3, and π far enough above
        1/2) and is smaller; else that of `pair_bound`.

    Examples
    --------
    >>> round(unimodal_bound(10, 100, 0.75, 50), 6)  # half of the other bound, nearly
    1.020408
    """
    worst, B = pair_bound(q, p, threshold), as_count(pairs, "pairs")
    theta, step = q / p, 0.5 / B
    least = min(0.5 + theta**2, 0.5 + step + 0.75 * theta**2)
    if theta > 1 / math.sqrt(3) or threshold <= least:
        return worst
    if threshold <= 0.75:
        factor = 2 * (2 * threshold - 1 - step)
        constant = 1 / factor if factor > 0 else math.inf
    else:
        constant = 4 * (1 - threshold + step) / (1 + 2 * step)
    return min(worst, constant * q**2 / p)


def _check_threshold(threshold: object) -> float:
    value = as_real(threshold, "threshold")
    if not 0.5 < value <= 1:
        msg = f"threshold: must lie above 1/2 and at most at 1, found {value:g}"
        raise InputError(msg)
    return value


def stability_selection(
    problem: object,
    *,
    threshold: float = 0.75,
    false: float = 1.0,
    q: int | None = None,
    pairs: int = 50,
    seed: object = 0,
) -> Stability:
    """Keep the columns that the lasso keeps in most halves of the rows.

    Parameters
    ----------
    problem : Problem or pymc.Model
        Its rows and likelihood; its prior is not used.
    threshold : float
        Share of the halves, above 1/2.
    false : float
        Bound on the expected number of columns that are kept wrongly; q is the largest number that
        attains it, at least 1.
    q : int, optional
        Columns that each half keeps, instead.
    pairs : int
        Number of splits.
    seed : int, SeedSequence, Generator or None
        Of the splits.

    Returns
    -------
    Stability
        Shares, and the bounds.

    Raises
    ------
    InputError
        If an argument does not fit, or there are too few rows to halve.

    Notes
    -----
    Columns are standardised within each half. For noise of any kind the path is that of least
    squares; for Bernoulli and Poisson likelihoods it is followed along 30 scales, and where more
    than q columns are in by then, those with the largest coefficients count.

    Examples
    --------
    >>> import bayesreg as br
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 10))
    >>> problem = br.Problem(X, X[:, 3] + rng.standard_normal(60),
    ...                      likelihood=br.Gaussian(sigma=1.0), prior=br.Flat())
    >>> stability_selection(problem, q=1, pairs=10).selection.support
    ('x3',)
    """
    asked, _ = as_problem(problem)
    asked = asked.dense("stability selection")
    _check_threshold(threshold)
    count = as_count(pairs, "pairs")
    if q is None:
        most = math.sqrt(as_positive(false, "false") * (2 * threshold - 1) * asked.p)
        kept = min(max(int(most + 1e-9), 1), asked.p)
    else:
        kept = as_count(q, "q", maximum=asked.p)
    if asked.n < 4:
        msg = f"problem: has {asked.n} rows, which are too few to halve; 4 are needed"
        raise InputError(msg)
    share = np.zeros(asked.p)
    guess = 0.0
    for rows in _halves(asked, count, as_generator(seed)):
        first, guess = _first(_lasso(asked, rows), kept, guess)
        share[first] += 0.5 / count
    # Sums of 1/(2B) are whole multiples of it, but for rounding.
    return Stability(asked, np.rint(2 * count * share) / (2 * count), kept, count, threshold)


def _halves(problem: Problem, pairs: int, rng: np.random.Generator) -> Iterator[Positions]:
    """Yield both halves of each split; of an odd number of rows one is left out.

    Of a likelihood whose target may be constant in a half, those halves are drawn again.
    """
    half = problem.n // 2
    for _ in range(pairs):
        for _ in range(100):
            order = rng.permutation(problem.n)
            both = order[:half], order[half : 2 * half]
            if all(np.ptp(problem.design.y[rows]) > 0 for rows in both):
                break
        else:
            msg = "y: is constant in one half of nearly every split, so that no column can enter"
            raise InputError(msg)
        yield from both


def _lasso(problem: Problem, rows: Positions) -> Problem:
    """Return the lasso of some rows, columns standardised among them; scale 1."""
    design = problem.design
    X, weights = design.X[rows], design.row_weights[rows]
    if design.intercept:
        X = X - weights @ X / weights.sum()
    length = np.sqrt(weights @ X**2 / weights.sum())
    tiny = 1e-12 * np.abs(design.X).max(axis=0)
    noisy = isinstance(problem.likelihood, Noise)
    return Problem(
        X / np.where(length > tiny, length, np.inf),
        design.y[rows],
        likelihood=Gaussian(sigma=1.0) if noisy else problem.likelihood,
        prior=Laplace(scale=1.0),
        intercept=design.intercept,
        weights=None if design.weights is None else weights,
        offset=None if design.offset is None else design.offset[rows],
    )


def _first(lasso: Problem, q: int, guess: float) -> tuple[Positions, float]:
    """Return the first q columns that enter, fewer if no more do, and a λ that reached them."""
    if homotopy.obstacle(lasso) is None:
        return _first_on_knots(lasso, q, guess)
    path = map_path(lasso, n_scales=_POINTS)
    enough = (path.coef != 0).sum(axis=1) >= q
    at = int(np.argmax(enough)) if enough.any() else -1
    size = np.abs(path.coef[at])
    order = np.argsort(-size, kind="stable")[:q]
    return order[size[order] > 0], 0.0


def _first_on_knots(lasso: Problem, q: int, guess: float) -> tuple[Positions, float]:
    """Walk the path to a λ, and to a smaller one if fewer than q columns have entered by then."""
    slope, _ = lasso.gradient(np.zeros(lasso.p), _level(lasso))
    largest = float(np.abs(slope).max(initial=0.0))
    reach = min(guess, largest * _HALF) if guess > 0 else largest * _HALF
    while True:
        found = homotopy.knots(lasso, smallest=max(reach, _SMALLEST * largest))
        order = [j for entered in found.entered for j in entered]
        first = list(dict.fromkeys(order))[:q]
        if len(first) == q or reach <= _SMALLEST * largest:
            return np.array(first, dtype=np.intp), reach
        reach *= _HALF


def _level(lasso: Problem) -> float:
    """Intercept of the model without columns."""
    design = lasso.design
    if not design.intercept:
        return 0.0
    return lasso.likelihood.null_intercept(design.y, design.row_weights, lasso.design.row_offset)
