"""Zeros: those of the mode, and what draws have instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import bayesreg as br
from bayesreg import datasets
from bayesreg.studies._densities import rivals
from bayesreg.studies._summaries import draws_of

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.priors import Prior

# --------------------------------------------------------------------------- zeros of the mode

# Of the diabetes data: the noise sd of least squares; prior sd of a Laplace prior of scale 6.
NOISE, PRIOR_SD = 54.0, 6.0 * 2**0.5


@dataclass(frozen=True, eq=False)
class Zeros:
    """Zeros of one prior's posterior.

    Attributes
    ----------
    name : str
        Of the prior.
    mode : ndarray, shape (p,), or None
        Where there is one, for standardised columns.
    draws : ndarray, shape (m, p)
        From the posterior, for standardised columns.
    """

    name: str
    mode: Vector | None
    draws: Matrix

    @property
    def share(self) -> Vector:
        """Share of draws that are exactly 0, shape (p,)."""
        return np.asarray((self.draws == 0).mean(axis=0))

    @property
    def counts(self) -> Vector:
        """Share of draws with 0, 1, …, p coefficients exactly 0, shape (p + 1,)."""
        zeros = (self.draws == 0).sum(axis=1)
        return np.asarray(np.bincount(zeros, minlength=self.draws.shape[1] + 1) / zeros.size)

    @property
    def median(self) -> Vector:
        """Median of the draws, shape (p,)."""
        return np.median(self.draws, axis=0)

    @property
    def interval(self) -> Matrix:
        """Ends of the central 90 % of the draws, shape (p, 2)."""
        return np.quantile(self.draws, [0.05, 0.95], axis=0).T


@dataclass(frozen=True, eq=False)
class ZeroDraws:
    """The diabetes data under three priors.

    Attributes
    ----------
    names : tuple of str
        Of the columns.
    zeros : tuple of Zeros
        Laplace, horseshoe, spike and slab.
    """

    names: tuple[str, ...]
    zeros: tuple[Zeros, ...]


def zero_draws(seed: int = 0, *, draws: int = 1000) -> ZeroDraws:
    """Count zeros of the mode, and zeros of draws, on the diabetes data.

    Parameters
    ----------
    seed : int
        Of the draws.
    draws : int
        Per chain, of four.

    Examples
    --------
    >>> study = zero_draws(draws=50)
    >>> laplace = study.zeros[0]
    >>> int((laplace.mode == 0).sum()), int((laplace.draws == 0).sum())
    (3, 0)
    """
    data = datasets.load("diabetes")
    chosen = [r for r in rivals(PRIOR_SD) if r.name in ("Laplace", "horseshoe", "spike and slab")]
    zeros = []
    for rival in chosen:
        problem = br.Problem(
            data.X,
            data.y,
            likelihood=br.Gaussian(sigma=NOISE),
            prior=rival.prior,
            names=data.names,
            standardize=True,
        )
        scale = problem.design.column_scale
        mode = br.find_map(problem).coef * scale if rival.has_mode else None
        drawn = draws_of(problem, draws=draws, seed=seed) * scale
        zeros.append(Zeros(rival.name, mode, drawn))
    return ZeroDraws(data.names, tuple(zeros))


# --------------------------------------------------------------------------- as p grows

ROWS, SIGNALS, SIGNAL, NEGLIGIBLE = 50, 5, 2.0, 0.1
WIDTHS = (10, 30, 100, 300)
# Where the scale is varied by hand.
WIDTH, SCALES = 100, (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6)


@dataclass(frozen=True, eq=False)
class Crowd:
    """One prior as columns of noise are added.

    Attributes
    ----------
    name : str
        Of the prior, or of the mode.
    sizable : ndarray, shape (k,)
        Mean number of coefficients beyond `NEGLIGIBLE` per draw, at each number of columns.
    error : ndarray, shape (k,)
        Mean distance ``‖β − β⁰‖`` of a draw from the truth.
    scale : ndarray, shape (k,)
        Posterior median of the scale; NaN where it is known.
    one_draw : ndarray, shape (p,)
        The last draw at the most columns.
    """

    name: str
    sizable: Vector
    error: Vector
    scale: Vector
    one_draw: Vector


@dataclass(frozen=True, eq=False)
class ByScale:
    """The lasso at scales set by hand.

    Attributes
    ----------
    width : int
        Number of columns.
    scales : ndarray, shape (k,)
        Scales of the Laplace prior.
    draws, mode : ndarray, shape (k,)
        Mean distance of a draw, and distance of the mode, from the truth.
    """

    width: int
    scales: Vector
    draws: Vector
    mode: Vector


@dataclass(frozen=True, eq=False)
class DenseDraws:
    """Few signals among more and more columns of noise.

    Attributes
    ----------
    widths : ndarray of int, shape (k,)
        Numbers of columns.
    rows, signals : int
        Numbers of observations and of coefficients that are not 0.
    truth : ndarray, shape (p,)
        Coefficients at the most columns.
    negligible : float
        What size counts as small.
    crowds : tuple of Crowd
        Draws under Laplace, horseshoe, spike and slab.
    mode : Crowd
        The lasso's mode given the Laplace posterior's median scale.
    by_scale : ByScale
        The lasso at other scales.
    """

    widths: np.ndarray[tuple[int], np.dtype[np.int_]]
    rows: int
    signals: int
    truth: Vector
    negligible: float
    crowds: tuple[Crowd, ...]
    mode: Crowd
    by_scale: ByScale


@dataclass(frozen=True, eq=False)
class _Trial:
    """The data of the study: columns of noise are added to the same target."""

    X: Matrix
    y: Vector
    truth: Vector

    def problem(self, p: int, prior: Prior) -> br.Problem:
        """Return the regression on the first p columns."""
        return br.Problem(
            self.X[:, :p], self.y, likelihood=br.Gaussian(sigma=1.0), prior=prior, intercept=False
        )

    def distance(self, coef: Matrix) -> float:
        """Mean distance of coefficients (m, p) from the truth."""
        return float(np.linalg.norm(coef - self.truth[: coef.shape[1]], axis=1).mean())


def _trial() -> _Trial:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((ROWS, max(WIDTHS)))
    truth = np.where(np.arange(max(WIDTHS)) < SIGNALS, SIGNAL, 0.0)
    return _Trial(X, X @ truth + rng.standard_normal(ROWS), truth)


def _priors(p: int) -> dict[str, Prior]:
    """Two priors that learn their scale, and one that is told how many signals there are."""
    unknown = br.HalfCauchy(1.0)
    return {
        "Laplace": br.Laplace(unknown),
        "horseshoe": br.Horseshoe(unknown),
        "spike and slab": br.SpikeSlab(SIGNALS / p, SIGNAL),
    }


def dense_draws(
    seed: int = 0,
    *,
    widths: tuple[int, ...] = WIDTHS,
    scales: tuple[float, ...] = SCALES,
    draws: int = 500,
) -> DenseDraws:
    """Follow draws of the Bayesian lasso, and others, as columns of noise are added.

    Parameters
    ----------
    seed : int
        Of the draws.
    widths : tuple of int
        Numbers of columns, at most 300, increasing.
    scales : tuple of float
        Scales to set by hand.
    draws : int
        Per chain, of four.

    Notes
    -----
    Castillo, Schmidt-Hieber and van der Vaart (2015): with orthogonal columns, at scales at which
    the lasso's mode is near the truth, its posterior puts vanishing mass there.

    Examples
    --------
    >>> study = dense_draws(widths=(10, 20), scales=(0.1,), draws=50)
    >>> study.crowds[0].sizable[1] > study.crowds[2].sizable[1]
    np.True_
    """
    trial = _trial()
    drawn: dict[str, list[tuple[Matrix, float]]] = {}
    modes = []
    for p in widths:
        for name, prior in _priors(p).items():
            problem = trial.problem(p, prior)
            tree = br.sample(problem, draws=draws, seed=seed, progress=False)["posterior"]
            beta = np.asarray(tree["beta"], dtype=np.float64).reshape(-1, p)
            scale = float(np.median(tree["scale"])) if "scale" in problem.unknown else np.nan
            drawn.setdefault(name, []).append((beta, scale))
            if name == "Laplace":
                mode = br.find_map(problem, given={"scale": scale}).coef
                modes.append((mode[None], scale))
    return DenseDraws(
        widths=np.array(widths),
        rows=ROWS,
        signals=SIGNALS,
        truth=trial.truth[: widths[-1]],
        negligible=NEGLIGIBLE,
        crowds=tuple(_crowd(name, pairs, trial) for name, pairs in drawn.items()),
        mode=_crowd("mode", modes, trial),
        by_scale=_by_scale(trial, scales, draws=draws, seed=seed),
    )


def _crowd(name: str, pairs: list[tuple[Matrix, float]], trial: _Trial) -> Crowd:
    draws = [beta for beta, _ in pairs]
    return Crowd(
        name=name,
        sizable=np.array([(np.abs(beta) > NEGLIGIBLE).sum(axis=1).mean() for beta in draws]),
        error=np.array([trial.distance(beta) for beta in draws]),
        scale=np.array([scale for _, scale in pairs]),
        one_draw=draws[-1][-1],
    )


def _by_scale(trial: _Trial, scales: tuple[float, ...], *, draws: int, seed: int) -> ByScale:
    problems = [trial.problem(WIDTH, br.Laplace(scale)) for scale in scales]
    drawn = [draws_of(problem, draws=draws, seed=seed) for problem in problems]
    return ByScale(
        width=WIDTH,
        scales=np.array(scales),
        draws=np.array([trial.distance(beta) for beta in drawn]),
        mode=np.array([trial.distance(br.find_map(problem).coef[None]) for problem in problems]),
    )
