r"""The Gaussian conditional: coefficients under normal noise and a normal or flat prior, factorised.

For a target t with row precisions h the posterior is the minimum and the curvature of ::

    ½ Σ_i h_i (t_i − α − x_i·β)² + ½ Σ_j l2_j (β_j − loc_j)²

where ``l2_j = 0`` is a flat prior. Flat directions are projected out (the intercept by centring the
columns, the others by QR), the rest is whitened by the prior, ``β_j = loc_j + φ_j/√l2_j``, which
leaves ``M = U S Vᵀ`` and the posterior covariance ``(I + MᵀM)⁻¹`` of φ. The thin singular value
decomposition of M serves p ≤ n and p > n alike, at O(np·min(n, p)), and never squares a condition
number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import linalg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

type Array = NDArray[np.float64]


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
        Posterior mean of ``α + column_mean·β``, the intercept of the centred columns; 0 without one.
    level_sd : float
        Its posterior sd, independent of β; 0 without an intercept.
    column_mean : ndarray, shape (p,)
        What was subtracted from the columns; zeros without an intercept.
    quadratic : float
        Minimum of twice the function above: the weighted residual square after shrinkage.
    log_det : float
        ``log det(I + MᵀM)``.
    """

    mean: Vector
    level: float
    level_sd: float
    column_mean: Vector
    quadratic: float
    log_det: float
    _penalised: Vector  # positions with l2 > 0
    _flat: Vector  # positions with l2 = 0
    _prior_sd: Vector  # of the penalised ones
    _V: Matrix
    _s: Vector
    _flat_root: Matrix  # inverse R of the scaled flat columns
    _flat_slope: Matrix  # how the flat coefficients move with φ

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
            _penalised=penalised,
            _flat=flat,
            _prior_sd=prior_sd,
            _V=Vt.T,
            _s=s,
            _flat_root=flat_root,
            _flat_slope=flat_root @ onto_flat,
        )

    def spread(self, z: Array) -> Array:
        """Map standard normal ``z`` (..., p) to deviations of β from its mean, shape (..., p).

        The symmetric square root ``(I + MᵀM)^(−1/2) = I − V (1 − (1 + s²)^(−1/2)) Vᵀ`` keeps each
        coordinate of z next to the coefficient of the same position.
        """
        inner = z[..., self._penalised]
        along = inner @ self._V
        if self._V.shape[0] == self._V.shape[1]:  # p ≤ n: no difference, so nothing cancels
            phi = (along / np.hypot(1, self._s)) @ self._V.T
        else:
            phi = inner - (along * (1 - 1 / np.hypot(1, self._s))) @ self._V.T
        out = np.empty_like(z)
        out[..., self._penalised] = phi * self._prior_sd
        out[..., self._flat] = z[..., self._flat] @ self._flat_root.T - phi @ self._flat_slope.T
        return out

    def covariance(self) -> Matrix:
        """Return the posterior covariance of β, shape (p, p)."""
        V, s = self._V, self._s
        if V.shape[0] == V.shape[1]:
            phi = (V / (1 + s**2)) @ V.T
        else:
            phi = np.eye(V.shape[0]) - (V * (s**2 / (1 + s**2))) @ V.T
        p = self.mean.size
        cross = -self._flat_slope @ phi
        out = np.empty((p, p))
        out[np.ix_(self._penalised, self._penalised)] = phi * np.outer(self._prior_sd, self._prior_sd)
        out[np.ix_(self._flat, self._penalised)] = cross * self._prior_sd
        out[np.ix_(self._penalised, self._flat)] = (cross * self._prior_sd).T
        out[np.ix_(self._flat, self._flat)] = (
            self._flat_root @ self._flat_root.T - cross @ self._flat_slope.T
        )
        return 0.5 * (out + out.T)

    def intercept_mean(self) -> float:
        """Return the posterior mean of α."""
        return self.level - float(self.column_mean @ self.mean)

    def intercept_sd(self, covariance: Matrix) -> float:
        """Return the posterior sd of α, given the covariance of β."""
        return math.sqrt(self.level_sd**2 + float(self.column_mean @ covariance @ self.column_mean))

