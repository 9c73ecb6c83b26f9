"""map_path: the mode at every scale of the prior, each certified, and where the path bends."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._inputs import as_problem, check_given, own_words
from bayesreg._overflow import judged_afterwards
from bayesreg._text_table import apart
from bayesreg._validation import as_count, as_positive, read_only
from bayesreg.certificate import Certificate, certify_path
from bayesreg.errors import NotConverged
from bayesreg.map import MapEstimate, find_map
from bayesreg.modes import accepts, certified_mode
from bayesreg.path_scales import Family, check_scales, default_scales
from bayesreg.penalties import ElasticNetPenalty
from bayesreg.solvers import Solution, homotopy, solve_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from bayesreg._validation import Matrix, Vector
    from bayesreg.problem import Problem
    from bayesreg.solvers.homotopy import Knots

# Beyond so many columns nobody reads knots in a table or a figure; `knots` gives them if asked.
_MANY_COLUMNS = 1000
# More scales than any figure or table can show.
MOST_SCALES = 100_000


@dataclass(frozen=True, eq=False)
class MapPath:
    """Modes along the scale of a prior, on the user's own scale, with their certificates.

    Attributes
    ----------
    problem : Problem
        The problem that was asked about, conditional on what was given.
    scales : ndarray, shape (k,)
        Scales of the prior; see `map_path` for what they multiply.
    coef : ndarray, shape (k, p)
        Modes; zeros are exactly 0.0.
    intercept : ndarray, shape (k,)
        Intercepts, 0.0 where there is none.
    objective : ndarray, shape (k,)
        Negative log density of data and coefficients given the scale, every constant included.
    certificates : tuple of Certificate
        Recomputed from each (problem, coef) alone.
    own_scale : float or None
        The problem's own place among the scales; None where its scale is unknown.
    seconds : float
        Time taken.
    """

    problem: Problem = field(repr=False)
    scales: Vector
    coef: Matrix = field(repr=False)
    intercept: Vector = field(repr=False)
    objective: Vector = field(repr=False)
    certificates: tuple[Certificate, ...] = field(repr=False)
    own_scale: float | None
    seconds: float

    # ------------------------------------------------------------------ one number per scale

    @property
    def lam(self) -> Vector:
        """``λ = 1/scale`` in nats, what multiplies the penalty where `has_lam`; shape (k,)."""
        return 1.0 / self.scales

    @property
    def gap(self) -> Vector:
        """Duality gap of each mode, in nats; shape (k,)."""
        return np.array([certificate.gap for certificate in self.certificates])

    @property
    def support(self) -> tuple[tuple[str, ...], ...]:
        """Names of the coefficients that are not exactly zero, at each scale."""
        names = self.problem.names
        return tuple(tuple(names[j] for j in np.flatnonzero(row)) for row in self.coef)

    @cached_property
    def df(self) -> Vector:
        """Degrees of freedom of the coefficients, without the intercept; shape (k,).

        For absolute values, the rank of the columns that are not held at 0: an unbiased estimate
        (Zou, Hastie & Tibshirani 2007; Tibshirani & Taylor 2012). With squares, the trace of the
        hat matrix on those columns (Zou 2005). For a likelihood other than the Gaussian, the same
        of the quadratic approximation at the mode. NaN for other penalties.
        """
        parts = zip(self.scales, self.coef, self.intercept, self.certificates, strict=True)
        return read_only(
            np.array(
                [degrees_of_freedom(self.problem_at(b), c, i, q.unique) for b, c, i, q in parts]
            )
        )

    # ------------------------------------------------------------------ where it bends

    @cached_property
    def bends(self) -> Knots | None:
        """Every knot with the mode there, exactly, from the empty model to the largest scale.

        None where the path is not piecewise linear in λ: only a Gaussian likelihood with absolute
        values, whose weight alone varies, makes it so.
        """
        family = Family.of(self.problem)
        one = family.at(1.0)
        if not family.is_piecewise_linear_in_lam or homotopy.obstacle(one) is not None:
            return None
        return homotopy.knots(one, smallest=float(self.lam.min()))

    @cached_property
    def readable_bends(self) -> Knots | None:
        """`bends` as a table or a figure wants them: None where they are too many, or lost."""
        if self.problem.p > _MANY_COLUMNS:
            return None
        try:
            return self.bends
        except NotConverged:
            return None

    @property
    def knots(self) -> Vector | None:
        """λ of each change of the support, decreasing; None where `bends` is."""
        return None if self.bends is None else self.bends.changes

    # ------------------------------------------------------------------ single points

    @property
    def in_multiples(self) -> bool:
        """Whether `scales` are multiples of several different scales that the prior has."""
        return Family.of(self.problem).multiples

    @property
    def has_lam(self) -> bool:
        """Whether the penalty is ``λ = 1/scale`` times something, so that `lam` has a meaning."""
        return Family.of(self.problem).has_lam

    @property
    def what(self) -> tuple[str, str]:
        """What `scales` are, one and many: ``("radius", "radii")`` of a ball, else scales."""
        return Family.of(self.problem).what

    def problem_at(self, scale: float) -> Problem:
        """Return the problem at a scale of the path, or any other, with everything known."""
        return Family.of(self.problem).at(as_positive(scale, "scale"))

    def at(self, scale: float) -> MapEstimate:
        """Return the mode at a scale of the path, or any other, found afresh and certified."""
        return find_map(self.problem_at(scale))

    def __len__(self) -> int:
        """Return the number of scales."""
        return self.scales.size

    # ------------------------------------------------------------------ showing it

    def to_frame(self) -> pd.DataFrame:
        """Return one row per scale and coefficient, the intercept first where there is one.

        Returns
        -------
        pandas.DataFrame
            Columns scale, lam, df, gap, name, coef.
        """
        import pandas as pd  # noqa: PLC0415  (1.5 s that only frames pay)

        names, values = self.problem.names, self.coef
        if self.problem.design.intercept:
            names = (apart("intercept", names), *names)
            values = np.column_stack([self.intercept, self.coef])
        per_scale = {"scale": self.scales, "lam": self.lam, "df": self.df, "gap": self.gap}
        repeated = {key: np.repeat(value, len(names)) for key, value in per_scale.items()}
        return pd.DataFrame(repeated | {"name": list(names) * len(self), "coef": np.ravel(values)})

    def plot(self) -> Figure:
        """Draw the coefficients against the scale.

        Returns
        -------
        matplotlib.figure.Figure
            See `bayesreg.figures.coefficient_path`.
        """
        figure: Figure = import_module("bayesreg.figures").coefficient_path(self)
        return figure

    def _verdict(self) -> str:
        worst = f"largest duality gap {self.gap.max():.2g} nats"
        if all(certificate.optimal for certificate in self.certificates):
            return f"all certified optimal, {worst}"
        return "all certified stationary; the penalty is not convex, so other modes may be better"

    def __str__(self) -> str:
        """Say what was found, on a few lines."""
        low, high = int(np.argmin(self.scales)), int(np.argmax(self.scales))
        counts = (self.coef != 0).sum(axis=1)
        name, kind = self.problem.prior.name, self.problem.prior.penalised_name
        first, last = self.scales[low], self.scales[high]
        what = self.what[len(self) > 1]
        lam = [f"  λ = 1/scale: {1 / first:.6g} to {1 / last:.6g} in nats"] if self.has_lam else []
        return "\n".join(
            (
                f"{kind} path: {len(self)} {what} of the {name} prior, {first:.6g} to {last:.6g}",
                *lam,
                f"  coefficients not zero: {counts[low]} to {counts[high]} of {self.problem.p}",
                f"  {self._verdict()}",
            )
        )


@judged_afterwards()
def map_path(
    problem: object,
    scales: object = None,
    n_scales: int = 100,
    *,
    given: Mapping[str, float] | None = None,
    tol: float = 1e-10,
) -> MapPath:
    """Find the mode at many scales of the prior, each from its neighbour's, each certified.

    Parameters
    ----------
    problem : Problem or pymc.Model
        What to find the modes of. Its own scale is one point of the path.
    scales : array_like, shape (k,), optional
        Scales b of the prior, in the units of its own argument `scale` (`l1_scale` of an
        `ElasticNet`), in any order; the answers come in the same order. Where the prior has
        several scales, one per coefficient or per block, these are multiples of all of them. Of a
        `UniformBall` they are radii.
        Where the scale is unknown, these are its values. By default a grid, from the largest
        scale at which every coefficient that can be 0 (or tied to its neighbour) is, upwards in
        equal ratios.
    n_scales : int
        Length of that grid.
    given : mapping, optional
        Values of unknown ``"sigma"`` or ``"scale"`` to condition on. An unknown sigma is needed.
    tol : float
        Largest duality gap to accept, in nats, relative to the objective where that exceeds 1.

    Returns
    -------
    MapPath
        Scales, modes, certificates; on demand ``.df``, ``.knots``, ``.to_frame()`` and ``.plot()``,
        the coefficients against the scale. ``.knots`` is None where the likelihood is not Gaussian
        or the penalty is not λ times absolute values, as the path is then not piecewise linear.

    Raises
    ------
    InputError
        If an argument does not fit, sigma is unknown, or the prior has no scale.
    ImproperPosterior
        If flat priors leave no finite mode.
    NotConverged
        If a mode of a convex problem cannot be certified to `tol`.
    UnsupportedModel
        If a PyMC model cannot be read exactly.

    Notes
    -----
    The penalty of a Laplace prior is ``λ Σ|β|`` with ``λ = 1/b``. An elastic net keeps its mix: b
    and the variance ``l2_scale²`` stay in proportion, as they do along a path of glmnet at a fixed
    alpha. A Normal prior keeps its `loc`. A scale relative to sigma is a multiple of sigma here,
    too. Where a penalty is not convex, the modes are stationary points that neighbours led to.

    Examples
    --------
    >>> from bayesreg import Gaussian, Laplace, Problem
    >>> path = map_path(Problem([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.5], likelihood=Gaussian(1.0),
    ...                         prior=Laplace(1.0), intercept=False), scales=[0.25, 1.0, 4.0])
    >>> path.coef.tolist(), path.knots.tolist()
    ([[0.0, 0.0], [2.0, 0.0], [2.75, 0.25]], [3.0, 0.5])
    """
    start = time.perf_counter()
    asked, reading = as_problem(problem)
    as_positive(tol, "tol")
    with own_words(reading):
        conditional = asked.given(**check_given(given, reading))
        family = Family.of(conditional)
    family.at(1.0).require_proper()
    if scales is None:
        chosen = default_scales(
            family, as_count(n_scales, "n_scales", minimum=2, maximum=MOST_SCALES)
        )
    else:
        chosen = check_scales(scales)
    problems = [family.at(float(scale)) for scale in chosen]
    solutions = _solve(problems, chosen)
    coef = np.array([mode.coef for mode in solutions])
    intercept = np.array([mode.intercept for mode in solutions])
    certificates = list(certify_path(problems, coef, intercept))
    for k, certificate in enumerate(certificates):
        if not accepts(certificate, tol):
            mode, certificates[k] = certified_mode(problems[k], tol=tol)
            coef[k], intercept[k] = mode.coef, mode.intercept
    return MapPath(
        problem=conditional,
        scales=read_only(np.array(chosen)),
        coef=read_only(coef),
        intercept=read_only(intercept),
        objective=read_only(np.array([certificate.objective for certificate in certificates])),
        certificates=tuple(certificates),
        own_scale=family.own,
        seconds=time.perf_counter() - start,
    )


def _solve(problems: Sequence[Problem], scales: Vector) -> list[Solution]:
    """Solve from the strongest penalty to the weakest; return in the order of the problems."""
    order = np.argsort(scales)
    solved = solve_path([problems[k] for k in order.tolist()])
    return [solved[k] for k in np.argsort(order).tolist()]


def degrees_of_freedom(problem: Problem, coef: Vector, intercept: float, is_unique: bool) -> float:
    """Degrees of freedom of a mode, the intercept not counted; NaN where no formula is known.

    Parameters
    ----------
    problem : Problem
        With every scale known.
    coef : ndarray, shape (p,)
        Its mode.
    intercept : float
        The intercept there.
    is_unique : bool
        Whether the columns in play are known to be linearly independent.

    Returns
    -------
    float
        ``tr[M (M'M + Λ)⁻¹ M']`` with M the columns not held at 0, centred beside an intercept and
        weighted by the metric of the loss, and Λ the squares of the penalty on them.
    """
    penalty, design = problem.penalty, problem.design
    if not isinstance(penalty, ElasticNetPenalty):
        return math.nan
    used = np.flatnonzero((coef != 0) | ~penalty.kinked)
    square = penalty.l2[used]
    if is_unique and not square.any():
        return float(used.size)
    eta = problem.predictor(coef, intercept)
    curvature = problem.likelihood.metric(eta, design.y, design.row_weights)
    M = design.centred.reweighted(curvature, centred=design.intercept).take(used)
    free, strong = M[:, square == 0], M[:, square > 0] / np.sqrt(square[square > 0])
    basis, rank = _basis(free)
    strong = strong - basis @ (basis.T @ strong)
    # tr[K (I + K)⁻¹] = m − tr (I + K)⁻¹ with K = S'S, or SS' where that is smaller.
    tall = strong.shape[0] >= strong.shape[1]
    K = strong.T @ strong if tall else strong @ strong.T
    values = np.linalg.eigvalsh(K)
    return rank + float((values / (1.0 + values)).clip(0.0).sum())


def _basis(columns: Matrix) -> tuple[Matrix, int]:
    """Return an orthonormal basis of what columns span, and its dimension."""
    length = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    scaled = columns / np.where(length > 0, length, 1.0)
    U, values, _ = np.linalg.svd(scaled, full_matrices=False)
    rank = int((values > 1e-10 * values.max(initial=0.0)).sum())
    return U[:, :rank], rank


__all__ = ["MapPath", "degrees_of_freedom", "map_path"]
