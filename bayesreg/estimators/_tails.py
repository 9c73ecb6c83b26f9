"""Which moments a posterior has, so that none is made of draws where there is none.

Where sigma or the scale of a prior is unknown, its density falls like a power as it grows, and few
rows, or few directions that they see, make that a low one. Noise, and what rows see of the
coefficients, grow with sigma; what they do not see grows with the scale of its prior. So a new
target has a variance if σ² has a mean, and where its row has a part that no row of the data sees,
the square of the prior's width as well. The powers are those under a normal prior of the same
structure: any other falls away from its scale at least as fast, or it has no variance itself. They
are stated once, in `bayesreg.posterior.quadrature`; with r rows more than flat coefficients, the
intercept among them, and a prior of sigma that falls like ``σ^−(k+1)``, σ² has a mean if
``r + k > 2``: k is 0.02 by default, 1 for a half-Cauchy prior, −1 for a flat one.

Counts have no noise of their own, but a rate that is exponential in the coefficients: see
`bayesreg.estimators._growth`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.assembly import as_prior
from bayesreg.blocks import parts_on
from bayesreg.estimators._growth import Growth
from bayesreg.estimators._unseen import ROUNDED, Unseen
from bayesreg.likelihoods import Gaussian, Noise
from bayesreg.posterior.quadrature import Unknowns, reason_against
from bayesreg.posterior.tails import flat_positions
from bayesreg.priors import Flat, Normal
from bayesreg.problem import Problem
from bayesreg.units.estimators import as_standard_scaler

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior

    type Mask = NDArray[np.bool_]

# With so many rows, and directions that they see, means of squares exist under any prior.
_ENOUGH = 5


@dataclass(frozen=True)
class _Exist:
    """Whether sigma, its square, and the square of the width of a prior have means."""

    mean: bool = True
    variance: bool = True
    width: bool = True


@dataclass(frozen=True, eq=False)
class Tails:
    """How the posterior of a problem falls far out.

    Attributes
    ----------
    problem : Problem
        Its columns measured from an origin, so that a constant one beside an intercept is 0.
    """

    problem: Problem

    @property
    def mean(self) -> bool:
        """Whether targets of rows like those of the data have a mean, and not by a hair."""
        return self._exist.mean

    def variance(self, X: Any) -> Mask:
        """Whether new targets have a variance, rows X measured from the same origin; (n,)."""
        exist = self._exist
        if not exist.variance:
            return np.zeros(X.shape[0], dtype=np.bool_)
        noisy = isinstance(self.problem.likelihood, Noise)
        unseen = self._unseen.endless(X) if noisy else self._growth.endless(X)
        return ~(unseen if exist.width else unseen | self._beyond(X))

    def centre(self, beta: Matrix) -> Vector:
        """Mean of draws (m, p) of the coefficients, and the median of those that have no mean."""
        return self._unseen.centre(beta)

    @cached_property
    def _growth(self) -> Growth:
        return Growth(self.problem)

    @cached_property
    def _unseen(self) -> Unseen:
        return Unseen(self.problem)

    # ------------------------------------------------------------------ sigma and scale

    @cached_property
    def _exist(self) -> _Exist:
        """Which means there are."""
        problem, design = self.problem, self.problem.design
        noisy = isinstance(problem.likelihood, Noise) and problem.unknown
        if not noisy or design.why_not_dense is not None:
            return _Exist()
        flat = flat_positions(problem).size
        few = problem.n - flat - int(design.intercept) < _ENOUGH
        few_seen = "scale" in problem.unknown and self._rows.shape[0] - flat < _ENOUGH
        if not (few and "sigma" in problem.unknown) and not few_seen:
            return _Exist()
        unknowns = Unknowns.of(self._normal().dense("the tails of a posterior"))
        noise, width = unknowns.noise is not None, unknowns.width is not None
        return _Exist(
            mean=not noise or unknowns.exists(1.0),
            variance=not noise or unknowns.exists(2.0),
            width=not width or unknowns.exists(2.0 * unknowns.e, 2.0 * unknowns.f),
        )

    @property
    def _parts(self) -> tuple[tuple[Prior, tuple[int, ...]], ...]:
        return parts_on(self.problem.prior, self.problem.p)

    def _normal(self) -> Problem:
        """The same structure with normal priors."""
        flat = set(flat_positions(self.problem).tolist())
        kept = [(one, [j for j in at if j not in flat]) for one, at in self._parts]
        made = self._with([(_normal(one), at) for one, at in kept if at], flat)
        if reason_against(made) is None:
            return made
        # Widths that are numbers keep no ratio to one that is not; no tail depends on them.
        fixed = Normal(1.0, relative_to="sigma")
        return self._with(
            [(fixed if one.hyperprior is None else _normal(one), at) for one, at in kept if at],
            flat,
        )

    def _with(self, parts: list[tuple[Prior, list[int]]], flat: set[int]) -> Problem:
        design, sigma = self.problem.design, self.problem.hyperpriors().get("sigma")
        blocks: list[Any] = [*parts, *([(Flat(), sorted(flat))] if flat else [])]
        prior = as_prior(blocks if len(blocks) != 1 else blocks[0][0], design)
        made = Problem.of(design, Gaussian(1.0 if sigma is None else sigma), prior)
        return as_standard_scaler(made, design.column_sd)

    # ------------------------------------------------------------------ what rows see

    @cached_property
    def _wide(self) -> NDArray[np.intp]:
        """Positions of the coefficients whose width is unknown, and of the flat ones."""
        scaled = [j for one, at in self._parts if one.hyperprior is not None for j in at]
        return np.union1d(np.array(scaled, dtype=np.intp), flat_positions(self.problem))

    @cached_property
    def _rows(self) -> Matrix:
        """Orthonormal rows that span what the data see of these columns, or some of them.

        No more than are enough, each column in units of its length; shape (rank, k).
        """
        columns, wide = self.problem.design.centred, self._wide
        count = min(_ENOUGH + flat_positions(self.problem).size, wide.size)
        rng = np.random.default_rng(0)  # any combinations of the columns will do, and of the rows
        mixed = np.zeros((self.problem.p, count))
        mixed[wide] = self._unit[:, None] * rng.standard_normal((wide.size, count))
        left, values, _ = np.linalg.svd(columns.dot(mixed), full_matrices=False)
        left = left[:, values > ROUNDED * values.max(initial=0.0)]
        rows = self._unit[:, None] * columns.correlate(left)[wide]
        return np.asarray(np.linalg.qr(rows)[0].T)

    @property
    def _unit(self) -> NDArray[np.float64]:
        """One over the length of each of these columns; 0 for a constant one."""
        lengths = self.problem.design.lengths[self._wide]
        return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)

    def _beyond(self, X: Any) -> Mask:
        """Whether rows have a part that the data do not see; (n,)."""
        design, wide = self.problem.design, self._wide
        whole = X[:, wide] if isinstance(X, np.ndarray) else X.tocsc()[:, wide].toarray()
        rows = whole - design.column_mean[wide] if design.intercept else whole
        constant = self._unit == 0
        out: Mask = (np.abs(rows[:, constant]) > 0).any(axis=1)
        # Lengths of columns are units of coefficients, so of rows they are one over that.
        lengths = design.lengths[wide]
        scaled = rows[:, ~constant] / lengths[~constant]
        basis = self._rows[:, ~constant]
        left = scaled - (scaled @ basis.T) @ basis
        size = np.abs(whole[:, ~constant]) / lengths[~constant]
        out |= np.abs(left).max(axis=1, initial=0.0) > ROUNDED * size.max(1, initial=0.0)
        return out


def _normal(prior: Prior) -> Prior:
    """A normal prior of which as much is unknown."""
    return Normal(
        1.0 if prior.hyperprior is None else prior.hyperprior, relative_to=prior.relative_to
    )
