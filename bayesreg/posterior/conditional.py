r"""The Gaussian conditional: coefficients under normal noise and a normal or flat prior.

For a target t with row precisions h the posterior is the minimum and the curvature of ::

    ½ Σ_i h_i (t_i − α − x_i·β)² + ½ Σ_j l2_j (β_j − loc_j)²

where ``l2_j = 0`` is a flat prior. Flat directions are projected out (the intercept by centring the
columns, the others by QR), the rest is whitened by the prior, ``β_j = loc_j + φ_j/√l2_j``, which
leaves ``M = U S Vᵀ`` and the posterior covariance ``(I + MᵀM)⁻¹`` of φ. The thin singular value
decomposition of M serves p ≤ n and p > n alike, at O(np·min(n, p)), and never squares a condition
number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

type Array = NDArray[np.float64]
type Positions = NDArray[np.intp]


def centred(X: Matrix, h: Vector) -> tuple[Matrix, Vector]:
    """Subtract the h-weighted column means; return the columns and the means.

    The second pass removes what rounding of a large mean left behind (columns around 1e9).
    """
    share = h / h.sum()
    mean = share @ X
    columns = X - mean
    rest = share @ columns
    return columns - rest, mean + rest


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
    flat_root, flat_slope : ndarray, shapes (p − k, p − k) and (p − k, k)
        Root of the covariance of the flat coefficients given φ, and how fast they fall with φ.
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
    flat_root: Matrix
    flat_slope: Matrix

    @classmethod
    def of(
        cls, X: Matrix, target: Vector, h: Vector, l2: Vector, loc: Vector, *, intercept: bool
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
        """
        root = np.sqrt(h)
        columns, column_mean = centred(X, h) if intercept else (X, np.zeros(X.shape[1]))
        level = float(h @ target) / float(h.sum()) if intercept else 0.0
        penalised, flat = np.flatnonzero(l2 > 0), np.flatnonzero(l2 == 0)
        prior_sd = l2[penalised] ** -0.5
        loc = np.where(l2 > 0, loc, 0.0)
        A = root[:, None] * columns
        t = root * (target - level) - A @ loc
        # Flat columns, each scaled to norm one so that units do not enter the rank.
        norm = np.sqrt((A[:, flat] ** 2).sum(axis=0))
        Q, R = np.linalg.qr(A[:, flat] / norm)
        M = A[:, penalised] * prior_sd
        onto_flat, t_flat = Q.T @ M, Q.T @ t
        M, t = M - Q @ onto_flat, t - Q @ t_flat
        U, s, Vt = np.linalg.svd(M, full_matrices=False)
        along = U.T @ t
        phi = Vt.T @ (s / (1 + s**2) * along)
        flat_root = linalg.solve_triangular(R, np.eye(flat.size)) / norm[:, None]
        mean = loc.copy()
        mean[penalised] += prior_sd * phi
        mean[flat] = flat_root @ (t_flat - onto_flat @ phi)
        beyond = t - U @ along
        return cls(
            mean=mean,
            level=level,
            level_sd=float(h.sum()) ** -0.5 if intercept else 0.0,
            column_mean=column_mean,
            # As a sum of squares, so that a close fit keeps its digits.
            quadratic=float(beyond @ beyond + (along**2 / (1 + s**2)).sum()),
            log_det=float(np.log1p(s**2).sum()),
            loc=loc,
            penalised=penalised,
            flat=flat,
            prior_sd=prior_sd,
            V=Vt.T,
            s=s,
            along=along,
            flat_root=flat_root,
            flat_slope=flat_root @ onto_flat,
        )

    def spread(self, z: Array) -> Array:
        """Map standard normal ``z`` (..., p) to deviations of β from its mean, shape (..., p).

        The symmetric square root ``(I + MᵀM)^(−1/2) = I − V (1 − (1 + s²)^(−1/2)) Vᵀ`` keeps each
        coordinate of z next to the coefficient of the same position.
        """
        inner = z[..., self.penalised]
        along = inner @ self.V
        if self.V.shape[0] == self.V.shape[1]:  # p ≤ n: no difference, so nothing cancels
            phi = (along / np.hypot(1, self.s)) @ self.V.T
        else:
            phi = inner - (along * (1 - 1 / np.hypot(1, self.s))) @ self.V.T
        out = np.empty_like(z)
        out[..., self.penalised] = phi * self.prior_sd
        out[..., self.flat] = z[..., self.flat] @ self.flat_root.T - phi @ self.flat_slope.T
        return out

    def covariance(self) -> Matrix:
        """Return the posterior covariance of β, shape (p, p)."""
        V, s = self.V, self.s
        if V.shape[0] == V.shape[1]:
            phi = (V / (1 + s**2)) @ V.T
        else:
            phi = np.eye(V.shape[0]) - (V * (s**2 / (1 + s**2))) @ V.T
        p = self.mean.size
        cross = -self.flat_slope @ phi
        out = np.empty((p, p))
        out[np.ix_(self.penalised, self.penalised)] = phi * np.outer(self.prior_sd, self.prior_sd)
        out[np.ix_(self.flat, self.penalised)] = cross * self.prior_sd
        out[np.ix_(self.penalised, self.flat)] = (cross * self.prior_sd).T
        out[np.ix_(self.flat, self.flat)] = (
            self.flat_root @ self.flat_root.T - cross @ self.flat_slope.T
        )
        return 0.5 * (out + out.T)
