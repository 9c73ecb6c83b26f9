"""Document 3: soft thresholding step by step, then to the optimum; beside OLS; Lagrange's view.

The document minimises ``‖y − Xw‖²/(2n) + λ Σ|w|``. In nats, with noise sd σ and a Laplace prior of
scale b, the objective is ``‖y − Xw‖²/(2σ²) + Σ|w|/b``: ``n/σ²`` times the document's where
``b = σ²/(nλ)``. A step α of the document is then a step ``α σ²/n``, and the threshold
``αλ = (α σ²/n)/b`` is the same number. With ``σ² = n`` the two objectives are the same function.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bayesreg import datasets
from bayesreg.certificate import certify
from bayesreg.constrained import ConstrainedForm, constrained_form, penalised_form
from bayesreg.likelihoods import Gaussian
from bayesreg.map import MapEstimate, find_map
from bayesreg.path import MapPath, map_path
from bayesreg.priors import Flat, Laplace
from bayesreg.problem import Problem
from bayesreg.studies.descent import Descent, proximal_descent
from bayesreg.studies.exhibit import Exhibit

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.certificate import Certificate

X = ((1.0, 2.0), (3.0, 4.0))
Y = (5.0, 6.0)
START = (0.5, 0.5)
ALPHA, LAM = 0.1, 1.0
#: λ of the panels beside OLS: 8, 7, 4 and 2 of the 10 coefficients are left.
SWEEP = (0.3, 2.0, 10.0, 30.0)
#: λ at which both directions of Lagrange's view are solved: two weights, then one.
CHOSEN = (0.02, 0.1, 1.0, 4.0, 10.0)
DIABETES_SIGMA = 54.0


# --------------------------------------------------------------------------- units


@dataclass(frozen=True)
class Nats:
    """The document's λ and α for ``‖y − Xw‖²/(2n) + λ Σ|w|``, as numbers of a `Problem`.

    Attributes
    ----------
    sigma : float
        Noise sd, which the document does not have: any will do for the mode.
    scale : float
        Laplace scale ``σ²/(nλ)``.
    step_size : float
        Step ``α σ²/n``.
    """

    sigma: float
    scale: float
    step_size: float

    @property
    def threshold(self) -> float:
        """What a step takes from each weight: ``step_size/scale = αλ``, whatever sigma."""
        return self.step_size / self.scale


def in_nats(lam: float, alpha: float, n: int, sigma: float) -> Nats:
    """Translate λ and the step of ``‖y − Xw‖²/(2n) + λ Σ|w|``.

    Parameters
    ----------
    lam : float
        The document's λ.
    alpha : float
        The document's step.
    n : int
        Number of rows.
    sigma : float
        Noise sd.

    Returns
    -------
    Nats
        The same iteration for the negative log posterior.

    Examples
    --------
    >>> in_nats(1.0, 0.1, n=2, sigma=1.0)
    Nats(sigma=1.0, scale=0.5, step_size=0.05)
    """
    return Nats(sigma, sigma**2 / (n * lam), alpha * sigma**2 / n)


def notes_problem(lam: float = LAM, sigma: float = math.sqrt(2.0)) -> Problem:
    """Return the document's two rows and two weights.

    Parameters
    ----------
    lam : float
        The document's λ.
    sigma : float
        Noise sd; at ``√n`` the objective is the document's own.

    Returns
    -------
    Problem
        With the Laplace prior that λ is.

    Examples
    --------
    >>> import numpy as np
    >>> round(notes_problem().penalised(np.array([0.5, 0.5])), 12)  # (3.5² + 2.5²)/4 + 1
    5.625
    """
    y = np.array(Y)
    return Problem(
        np.array(X),
        y,
        likelihood=Gaussian(sigma),
        prior=Laplace(in_nats(lam, ALPHA, y.size, sigma).scale),
        intercept=False,
        names=["w₁", "w₂"],
    )


# --------------------------------------------------------------------------- step by step


@dataclass(frozen=True, eq=False)
class Thresholding:
    """The iteration of the document, from its first step to the optimum.

    Attributes
    ----------
    nats : Nats
        λ and step in nats.
    gradient : ndarray, shape (2,)
        Of ``‖y − Xw‖²/(2n)`` at the start.
    moved, shrunk : ndarray, shape (2,)
        After the first gradient step, and after the first threshold.
    descent : Descent
        Every iterate.
    certificates : tuple of Certificate
        Of every iterate, from the problem and the iterate alone.
    optimum : MapEstimate
        The exact mode.
    w1, w2 : ndarray, shape (g,), (h,)
        A grid of weights.
    surface : ndarray, shape (h, g)
        Loss plus penalty over it, in nats.
    stable_step : float
        Twice one over the largest curvature: from there on a step no longer descends.
    """

    nats: Nats
    gradient: Vector
    moved: Vector
    shrunk: Vector
    descent: Descent
    certificates: tuple[Certificate, ...]
    optimum: MapEstimate
    w1: Vector
    w2: Vector
    surface: Matrix
    stable_step: float

    @property
    def gaps(self) -> Vector:
        """Duality gap of each iterate, in nats; shape (k,)."""
        return np.array([certificate.gap for certificate in self.certificates])

    @property
    def excess(self) -> Vector:
        """Objective of each iterate above that of the mode, in nats; shape (k,)."""
        lowest = self.descent.problem.penalised(self.optimum.coef)
        return np.maximum(self.descent.values - lowest, 0.0)

    @property
    def arrival(self) -> int:
        """First step whose iterate is certified optimal; the number of steps if none is."""
        proved = [certificate.optimal for certificate in self.certificates]
        return proved.index(True) if True in proved else len(proved) - 1


def soft_thresholding(sigma: float = math.sqrt(2.0)) -> Thresholding:
    """Trace the document's iteration: ISTA from (0.5, 0.5) with its own step, certified throughout.

    Parameters
    ----------
    sigma : float
        Noise sd; the iterates do not depend on it, nats do.

    Returns
    -------
    Thresholding
        First step, all steps, certificates and the exact mode.

    Examples
    --------
    >>> trace = soft_thresholding()
    >>> trace.gradient.round(12).tolist(), trace.moved.round(12).tolist()
    ([-5.5, -8.5], [1.05, 1.35])
    >>> trace.shrunk.round(12).tolist(), trace.optimum.coef.round(12).tolist(), trace.arrival
    ([0.95, 1.25], [0.0, 1.6], 18)
    """
    problem = notes_problem(LAM, sigma)
    nats = in_nats(LAM, ALPHA, problem.n, sigma)
    start = np.array(START)
    descent = proximal_descent(problem, start=start, step_size=nats.step_size, most=100)
    slope, _ = problem.gradient(start)
    flat = problem.with_prior(Flat())
    w1, w2 = np.linspace(-0.35, 1.35, 86), np.linspace(0.3, 1.9, 81)
    curvature = float(np.linalg.eigvalsh(problem.design.X.T @ problem.design.X)[-1]) / sigma**2
    return Thresholding(
        nats=nats,
        gradient=slope * sigma**2 / problem.n,
        moved=proximal_descent(flat, start=start, step_size=nats.step_size, most=1).points[1],
        shrunk=descent.points[1],
        descent=descent,
        certificates=tuple(certify(problem, point) for point in descent.points),
        optimum=find_map(problem),
        w1=w1,
        w2=w2,
        surface=np.array([[problem.penalised(np.array([a, b])) for a in w1] for b in w2]),
        stable_step=2.0 / curvature,
    )


# --------------------------------------------------------------------------- beside OLS


@dataclass(frozen=True, eq=False)
class BesideOls:
    """Coefficients of standardised columns, for several λ, beside least squares.

    Attributes
    ----------
    path : MapPath
        The exact modes, each certified.
    lams : tuple of float
        λ of ``‖y − Xw‖²/(2n) + λ Σ|w|``, in units of the target.
    coef : ndarray, shape (k, p)
        Modes, in units of the target per sd of the column.
    least_squares : ndarray, shape (p,)
        The same of the mode under a flat prior.
    """

    path: MapPath
    lams: tuple[float, ...]
    coef: Matrix
    least_squares: Vector


def coefficients_beside_ols(lams: tuple[float, ...] = SWEEP) -> BesideOls:
    """Compute the lasso on the diabetes data beside least squares.

    Parameters
    ----------
    lams : tuple of float
        λ of ``‖y − Xw‖²/(2n) + λ Σ|w|`` with standardised columns: scikit-learn's ``alpha``.

    Returns
    -------
    BesideOls
        Exact modes, with exact zeros.

    Examples
    --------
    >>> beside = coefficients_beside_ols((0.3, 2.0, 10.0, 30.0))
    >>> (beside.coef != 0).sum(axis=1).tolist()
    [8, 7, 4, 2]
    """
    data = datasets.load("diabetes")
    problem = Problem(
        data.X,
        data.y,
        names=data.names,
        likelihood=Gaussian(DIABETES_SIGMA),
        prior=Laplace(in_nats(lams[0], ALPHA, data.y.size, DIABETES_SIGMA).scale),
        standardize=True,
    )
    scales = [in_nats(lam, ALPHA, problem.n, DIABETES_SIGMA).scale for lam in lams]
    path, unit = map_path(problem, scales), problem.design.column_scale
    return BesideOls(
        path=path,
        lams=lams,
        coef=path.coef * unit,
        least_squares=find_map(problem.with_prior(Flat())).coef * unit,
    )


# --------------------------------------------------------------------------- Lagrange's view


@dataclass(frozen=True, eq=False)
class Lagrange:
    """λ, radius and multiplier of a lasso, both directions, and the KKT conditions.

    Attributes
    ----------
    problem : Problem
        The lasso.
    lams : ndarray, shape (k,)
        λ = 1/b along the path, in nats per unit.
    radii, losses : ndarray, shape (k,)
        ``‖ŵ‖₁`` of each mode, and the loss there in nats.
    subgradients : ndarray, shape (k, p)
        ``xⱼ'(y − Xŵ)/(σ²λ)``: within ±1, and at an end wherever ``ŵⱼ`` is not 0.
    coef : ndarray, shape (k, p)
        The modes.
    knots : ndarray
        λ at which a weight leaves 0, decreasing.
    forward, backward : tuple of ConstrainedForm
        From λ to the radius; and from that radius back to the multiplier.
    touching : ndarray, shape (m,)
        Loss at each constrained solution, in nats.
    slack : float
        ``‖ŵ‖₁`` of least squares: a larger ball constrains nothing, its multiplier is 0.
    """

    problem: Problem
    lams: Vector
    radii: Vector
    losses: Vector
    subgradients: Matrix
    coef: Matrix
    knots: Vector
    forward: tuple[ConstrainedForm, ...]
    backward: tuple[ConstrainedForm, ...]
    touching: Vector
    slack: float


def lagrange_view(problem: Problem, lams: Vector, chosen: tuple[float, ...]) -> Lagrange:
    """Solve a lasso in both of its forms.

    Parameters
    ----------
    problem : Problem
        With a Laplace prior and a Gaussian likelihood, without intercept.
    lams : ndarray, shape (k,)
        λ = 1/b, in nats per unit.
    chosen : tuple of float
        λ at which the constrained problem is solved, and its multiplier found. Not all weights may
        be 0 there.

    Returns
    -------
    Lagrange
        The constrained problems are solved themselves, without a search over λ.

    Examples
    --------
    >>> import numpy as np
    >>> view = lagrange_view(notes_problem(), np.array([1.0]), (1.0,))
    >>> round(view.forward[0].radius, 12), round(view.backward[0].multiplier, 12)
    (1.6, 1.0)
    """
    path = map_path(problem, 1.0 / lams)
    pulls = np.array([-problem.gradient(coef)[0] for coef in path.coef])
    forward = tuple(constrained_form(problem.with_prior(Laplace(1.0 / lam))) for lam in chosen)
    backward = tuple(penalised_form(form.constrained) for form in forward)
    knots = path.knots
    assert knots is not None  # noqa: S101  (a Gaussian lasso is piecewise linear)
    return Lagrange(
        problem=problem,
        lams=lams,
        radii=np.abs(path.coef).sum(axis=1),
        losses=np.array([problem.loss(coef) for coef in path.coef]),
        subgradients=pulls / lams[:, None],
        coef=path.coef,
        knots=knots,
        forward=forward,
        backward=backward,
        touching=np.array([problem.loss(form.coef, form.intercept) for form in backward]),
        slack=float(np.abs(find_map(problem.with_prior(Flat())).coef).sum()),
    )


def lagrange() -> Lagrange:
    """Show the document's two weights in Lagrange's view, which it leaves open.

    Returns
    -------
    Lagrange
        ``ŵ = (0, 1.7 − λ/10)`` between the knots 17 and 4/17; both weights below.

    Examples
    --------
    >>> lagrange().knots.round(12).tolist(), round(4 / 17, 12)
    ([17.0, 0.235294117647], 0.235294117647)
    """
    knots = (4 / 17, 17.0)  # so that no bend falls between two points of a line
    lams = np.unique(np.concatenate([np.geomspace(0.01, 40.0, 240), knots]))
    return lagrange_view(notes_problem(), lams, CHOSEN)


# --------------------------------------------------------------------------- the exhibits

EXHIBITS = (
    Exhibit(
        "soft_thresholding",
        "Soft thresholding: one step worked out, then ISTA to the optimum, each step certified",
        3,
        lambda _: soft_thresholding(),
    ),
    Exhibit(
        "coefficients_beside_ols",
        "Lasso coefficients beside least squares as λ grows: zeros are exact",
        3,
        lambda _: coefficients_beside_ols(),
    ),
    Exhibit(
        "lagrange",
        "λ, radius and multiplier in both directions, and the correlations against ±λ",
        3,
        lambda _: lagrange(),
    ),
)
