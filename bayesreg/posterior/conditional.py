r"""The Gaussian conditional: coefficients under normal noise and a normal or flat prior.

For a target t with row precisions h the posterior is the minimum and the curvature of ::

    ½ Σ_i h_i (t_i − α − x_i·β)² + ½ Σ_j l2_j (β_j − loc_j)²

where ``l2_j = 0`` is a flat prior. Flat directions are projected out (the intercept by centring the
columns, the others by QR), the rest is whitened by the prior, ``β_j = loc_j + φ_j/√l2_j``, which
leaves ``M = U S Vᵀ`` and the posterior covariance ``(I + MᵀM)⁻¹`` of φ. The thin singular value
decomposition of M serves p ≤ n and p > n alike, at O(np·min(n, p)), and never squares a condition
number.

It serves every ratio of the widths, too. If the noise sd is multiplied by σ and the prior sd by
``τ = κσ``, then M becomes ``κM`` and the same U, S, V hold, so that ::

    Q(κ) = ‖t − UUᵀt‖² + Σ_i (Uᵀt)_i² / (1 + κ²s_i²)           the minimum, times 2σ²
    E φ = V diag(κ²s/(1 + κ²s²)) Uᵀt,    cov φ = σ²κ² (I − V diag(κ²s²/(1 + κ²s²)) Vᵀ)

at O(r) each for r = min(n, p). A prior whose width keeps a fixed ratio to the noise is a row of
data, ``0 = √l2_j (β_j − loc_j) + noise``, and its coefficient then a flat one ("absorbed" below):
so a mixture of widths that vary with κ and widths that do not has one decomposition as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import linalg, special

from bayesreg.columns import negligible
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

type Array = NDArray[np.float64]
type Positions = NDArray[np.intp]
type Mask = NDArray[np.bool_]

_EPS = float(np.finfo(np.float64).eps)
# Rounding moves a sd by up to some four units of rounding over the least singular value of the flat
# columns, each of length one (as found against rational arithmetic): by 1e-4 of it at this one.
_LEAST = 4e4 * _EPS
_ROUNDED = (
    "prior: is flat on columns that depend on each other but for their last digits, so that "
    "rounding would decide on their posterior; leave one out, or give them a proper prior"
)
# Numbers that are held at once where many ratios meet many singular values.
_CHUNK = 4_000_000


def centred(X: Matrix, h: Vector) -> tuple[Matrix, Vector]:
    """Subtract the h-weighted column means; return the columns and the means.

    The second pass removes what rounding of a large mean left behind (columns around 1e9). What is
    left of a constant column then is rounding, which says nothing of its coefficient: it becomes 0.
    """
    share = h / h.sum()
    mean = share @ X
    columns = X - mean
    rest = share @ columns
    columns = columns - rest
    left, whole = (np.abs(part).max(axis=0, initial=0.0) for part in (columns, X))
    columns[:, negligible(left, whole)] = 0.0
    return columns, mean + rest


@dataclass(frozen=True, eq=False)
class Projection:
    """Columns and target once intercept and flat directions are projected out.

    Attributes
    ----------
    columns, target : ndarray, shapes (n', k) and (n',)
        What is left of the k other columns, and of the target at ``β = loc``, times √h. Absorbed
        coefficients add a row each.
    kept, flat : ndarray of int
        Positions of the k columns, and of those projected out.
    loc : ndarray, shape (p,)
        Prior mean; 0 where flat.
    level, level_sd : float
        Mean and sd of ``α + column_mean·β``, the intercept of centred columns; 0 without one.
    column_mean : ndarray, shape (p,)
        What was subtracted from the columns; zeros without an intercept.
    flat_mean, flat_root, flat_slope : ndarray, shapes (f,), (f, f), (f, k)
        The flat coefficients are ``loc + flat_mean − flat_slope δ + flat_root z`` where the others
        are ``loc + δ``, with z standard normal.
    log_det : float
        Half the log-determinant of the precision of the flat coefficients given the others.
    freedom : int
        Dimension that is left: n' less the directions projected out.
    """

    columns: Matrix
    target: Vector
    kept: Positions
    flat: Positions
    loc: Vector
    level: float
    level_sd: float
    column_mean: Vector
    flat_mean: Vector
    flat_root: Matrix
    flat_slope: Matrix
    log_det: float
    freedom: int

    @classmethod
    def of(
        cls,
        X: Matrix,
        target: Vector,
        h: Vector,
        loc: Vector,
        *,
        out: Mask,
        rows: Vector,
        intercept: bool,
    ) -> Self:
        """Project.

        Parameters
        ----------
        X : ndarray, shape (n, p)
            Columns.
        target, h : ndarray, shape (n,)
            Target without its offset, and row precisions.
        loc : ndarray, shape (p,)
            Prior means, 0 where flat.
        out : ndarray of bool, shape (p,)
            What to project out.
        rows : ndarray, shape (p,)
            Prior precision of the absorbed coefficients among these, else 0.
        intercept : bool
            Whether there is an intercept, with a flat prior.
        """
        root = np.sqrt(h)
        columns, column_mean = centred(X, h) if intercept else (X, np.zeros(X.shape[1]))
        level = float(h @ target) / float(h.sum()) if intercept else 0.0
        kept, flat = np.flatnonzero(~out), np.flatnonzero(out)
        A = root[:, None] * columns
        t = root * (target - level) - A @ loc
        absorbed = np.flatnonzero(rows > 0)
        if absorbed.size:
            more = np.zeros((absorbed.size, X.shape[1]))
            more[np.arange(absorbed.size), absorbed] = np.sqrt(rows[absorbed])
            A, t = np.vstack([A, more]), np.append(t, np.zeros(absorbed.size))
        # Flat columns, each scaled to norm one so that units do not enter the rank.
        norm = np.sqrt((A[:, flat] ** 2).sum(axis=0))
        if not norm.all():
            raise InputError(_ROUNDED)
        Q, R = np.linalg.qr(A[:, flat] / norm)
        if flat.size and np.linalg.svd(R, compute_uv=False)[-1] < _LEAST:
            raise InputError(_ROUNDED)
        M = A[:, kept]
        onto_flat, t_flat = Q.T @ M, Q.T @ t
        flat_root = linalg.solve_triangular(R, np.eye(flat.size)) / norm[:, None]
        return cls(
            columns=M - Q @ onto_flat,
            target=t - Q @ t_flat,
            kept=kept,
            flat=flat,
            loc=loc,
            level=level,
            level_sd=float(h.sum()) ** -0.5 if intercept else 0.0,
            column_mean=column_mean,
            flat_mean=flat_root @ t_flat,
            flat_root=flat_root,
            flat_slope=flat_root @ onto_flat,
            log_det=float(np.log(np.abs(np.diag(R))).sum() + np.log(norm).sum()),
            freedom=t.size - flat.size - int(intercept),
        )


@dataclass(frozen=True, eq=False)
class Conditional:
    """A factorised Gaussian posterior of (β, α); make it with `Conditional.of`.

    Attributes
    ----------
    mean : ndarray, shape (p,)
        Posterior mean, which is the mode, of the coefficients.
    level : float
        Posterior mean of ``α + column_mean·β``, the intercept of centred columns; 0 without one.
    level_sd : float
        Its posterior sd, independent of β; 0 without an intercept.
    column_mean : ndarray, shape (p,)
        What was subtracted from the columns; zeros without an intercept.
    quadratic : float
        Minimum of twice the function above: the weighted residual square after shrinkage.
    log_det : float
        ``log det(I + MᵀM)``.
    loc : ndarray, shape (p,)
        Prior mean; 0 where flat.
    penalised, flat : ndarray of int
        Positions of the k coefficients with a normal prior, and of the others.
    prior_sd : ndarray, shape (k,)
        Prior sd of the former.
    V, s, along : ndarray, shapes (k, r), (r,), (r,)
        Of ``M = U diag(s) Vᵀ``, and ``Uᵀ`` times the weighted residual at the prior mean.
    flat_mean, flat_root, flat_slope : ndarray, shapes (f,), (f, f) and (f, k)
        The flat coefficients at φ = 0, less loc; root of their covariance given φ; and how fast
        they fall with φ.
    beyond : float
        Square of what no coefficient fits: Q at κ = ∞.
    freedom : int
        Rows less the directions projected out: the exponent of 1/σ in the marginal likelihood.
    flat_log_det : float
        Half the log-determinant of the precision of the flat coefficients given φ.

    All are at κ = σ = 1; methods take other values.
    """

    mean: Vector
    level: float
    level_sd: float
    column_mean: Vector
    quadratic: float
    log_det: float
    loc: Vector
    penalised: Positions
    flat: Positions
    prior_sd: Vector
    V: Matrix
    s: Vector
    along: Vector
    flat_mean: Vector
    flat_root: Matrix
    flat_slope: Matrix
    beyond: float
    freedom: int
    flat_log_det: float

    @classmethod
    def of(
        cls,
        X: Matrix,
        target: Vector,
        h: Vector,
        l2: Vector,
        loc: Vector,
        *,
        intercept: bool,
        absorbed: Mask | None = None,
    ) -> Self:
        """Factorise.

        Parameters
        ----------
        X : ndarray, shape (n, p)
            Columns.
        target, h : ndarray, shape (n,)
            Target without its offset, and row precisions.
        l2, loc : ndarray, shape (p,)
            Prior precisions (0: flat) and means.
        intercept : bool
            Whether there is an intercept, with a flat prior.
        absorbed : ndarray of bool, shape (p,), optional
            Coefficients whose prior is to be a row of data, so that κ does not multiply its sd.
        """
        out = l2 == 0 if absorbed is None else (l2 == 0) | absorbed
        plane = Projection.of(
            X,
            target,
            h,
            np.where(l2 > 0, loc, 0.0),
            out=out,
            rows=np.where(out, l2, 0.0),
            intercept=intercept,
        )
        prior_sd = l2[plane.kept] ** -0.5
        M, t = plane.columns * prior_sd, plane.target
        U, s, Vt = np.linalg.svd(M, full_matrices=False)
        # What rounding made of a dependent column must not look like information at large κ.
        real = s > _EPS * max(M.shape, default=0) * s.max(initial=0.0)
        s, along = np.where(real, s, 0.0), np.where(real, U.T @ t, 0.0)
        phi = prior_sd * (Vt.T @ (s / (1 + s**2) * along))
        mean = plane.loc.copy()
        mean[plane.kept] += phi
        mean[plane.flat] += plane.flat_mean - plane.flat_slope @ phi
        left = t - U @ along
        beyond = float(left @ left) if real.sum() < plane.freedom else 0.0
        return cls(
            mean=mean,
            level=plane.level,
            level_sd=plane.level_sd,
            column_mean=plane.column_mean,
            # As a sum of squares, so that a close fit keeps its digits.
            quadratic=beyond + float((along**2 / (1 + s**2)).sum()),
            log_det=float(np.log1p(s**2).sum()),
            loc=plane.loc,
            penalised=plane.kept,
            flat=plane.flat,
            prior_sd=prior_sd,
            V=Vt.T,
            s=s,
            along=along,
            flat_mean=plane.flat_mean,
            flat_root=plane.flat_root,
            flat_slope=plane.flat_slope * prior_sd,
            beyond=beyond,
            freedom=plane.freedom,
            flat_log_det=plane.log_det,
        )

    @property
    def rank(self) -> int:
        """Number of singular values that are not 0."""
        return int((self.s > 0).sum())

    @property
    def is_full(self) -> bool:
        """Whether data say something of every direction of φ."""
        return self.rank == self.penalised.size

    def profile(self, log_kappa: Vector) -> tuple[Vector, Vector]:
        """Return ``Q(κ)`` and ``log det(I + κ²MᵀM)`` at many ratios, shapes (k,)."""
        square, log_det = np.full(log_kappa.size, self.beyond), np.zeros(log_kappa.size)
        s, along = self.s[self.s > 0], self.along[self.s > 0]
        step = max(1, _CHUNK // max(1, s.size))
        for start in range(0, log_kappa.size if s.size else 0, step):
            part = slice(start, start + step)
            x = 2 * (log_kappa[part, None] + np.log(s))
            square[part] += special.expit(-x) @ along**2
            log_det[part] = np.logaddexp(0.0, x).sum(axis=1)
        return square, log_det

    def shrinkage(self, log_kappa: Array) -> Array:
        """Return ``κ²s/(1 + κ²s²)``, what Uᵀt is multiplied by, shape (..., r) for κ (...)."""
        with np.errstate(divide="ignore"):
            x = 2 * (log_kappa[..., None] + np.log(self.s))
        return np.asarray(special.expit(x) / np.where(self.s > 0, self.s, 1.0))

    def mean_at(self, shrunk: Array) -> Array:
        """Mean of β, shape (..., p), where Vᵀφ has the mean ``shrunk * Uᵀt``, shape (..., r)."""
        phi = (shrunk * self.along) @ self.V.T
        mean = np.empty((*phi.shape[:-1], self.loc.size))
        mean[..., self.penalised] = self.loc[self.penalised] + self.prior_sd * phi
        mean[..., self.flat] = self.loc[self.flat] + self.flat_mean - phi @ self.flat_slope.T
        return mean

    def spread(
        self, z: Array, log_kappa: Array | None = None, log_sigma: Array | None = None
    ) -> Array:
        """Map standard normal ``z`` (..., p) to deviations of β from its mean, shape (..., p).

        The symmetric square root ``(I + MᵀM)^(−1/2) = I − V (1 − (1 + s²)^(−1/2)) Vᵀ`` keeps each
        coordinate of z next to the coefficient of the same position. The logarithms of κ and σ are
        of shape (...), 0 by default.
        """
        u = np.zeros(z.shape[:-1]) if log_sigma is None else log_sigma
        v = np.zeros(z.shape[:-1]) if log_kappa is None else log_kappa
        inner, width = z[..., self.penalised], np.exp(u + v)[..., None]
        along, shrink = inner @ self.V, 1 / np.hypot(1, np.exp(v)[..., None] * self.s)
        if self.V.shape[0] == self.V.shape[1]:  # p ≤ n: no difference, so nothing cancels
            phi = width * ((along * shrink) @ self.V.T)
        else:
            phi = width * (inner - (along * (1 - shrink)) @ self.V.T)
        out = np.empty_like(z)
        out[..., self.penalised] = phi * self.prior_sd
        free = np.exp(u)[..., None] * (z[..., self.flat] @ self.flat_root.T)
        out[..., self.flat] = free - phi @ self.flat_slope.T
        return out

    def covariance(self) -> Matrix:
        """Return the posterior covariance of β, shape (p, p)."""
        return self.mixed_covariance(np.zeros(1), np.zeros(1), np.ones(1))

    def mixed_covariance(
        self,
        log_kappa: Vector,
        log_square: Vector,
        weight: Vector,
        directions: Matrix | None = None,
    ) -> Matrix:
        """Covariance of β, or of linear combinations of it, over a mixture.

        Parameters
        ----------
        log_kappa, log_square, weight : ndarray, shape (k,)
            Ratios, the logarithms of ``E[σ² | κ]``, and the probability of each.
        directions : ndarray, shape (q, p), optional
            The combinations; the coefficients themselves by default.

        Returns
        -------
        ndarray, shape (q, q)
            The covariance.
        """
        of_phi, on_V, of_noise = self._images(directions)
        with np.errstate(divide="ignore"):
            log_weight = np.log(weight) + log_square
            # σ²κ²/(1 + κ²s²) = σ²/(κ⁻² + s²), in logarithms because κ² alone may overflow
            wide = np.logaddexp(-2 * log_kappa[:, None], 2 * np.log(self.s))
        out = (on_V * np.exp(log_weight[:, None] - wide).sum(axis=0)) @ on_V.T
        if self.V.shape[0] > self.V.shape[1]:
            # Projected before it is multiplied: the prior may be wider than the data by far.
            beyond = of_phi - on_V @ self.V.T
            out += float(np.exp(log_weight + 2 * log_kappa).sum()) * (beyond @ beyond.T)
        if weight.size > 1:
            shrunk = self.shrinkage(log_kappa)
            between = np.sqrt(weight)[:, None] * (shrunk - weight @ shrunk) * self.along
            turned = on_V @ between.T
            out += turned @ turned.T
        if self.flat.size:
            out += float(np.exp(log_weight).sum()) * (of_noise @ of_noise.T)
        return np.asarray(0.5 * (out + out.T))

    def _images(self, directions: Matrix | None) -> tuple[Matrix, Matrix, Matrix]:
        """What combinations are of φ (q, k), of Vᵀφ (q, r) and of the flat noise (q, f)."""
        if directions is not None:
            flat = directions[:, self.flat]
            of_phi = directions[:, self.penalised] * self.prior_sd - flat @ self.flat_slope
            return of_phi, of_phi @ self.V, flat @ self.flat_root
        p, k = self.mean.size, self.penalised.size
        of_phi, on_V = np.zeros((p, k)), np.empty((p, self.s.size))
        of_noise = np.zeros((p, self.flat.size))
        of_phi[self.penalised, np.arange(k)] = self.prior_sd
        of_phi[self.flat] = -self.flat_slope
        on_V[self.penalised] = self.prior_sd[:, None] * self.V
        on_V[self.flat] = -self.flat_slope @ self.V
        of_noise[self.flat] = self.flat_root
        return of_phi, on_V, of_noise
