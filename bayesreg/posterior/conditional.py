r"""The Gaussian conditional: coefficients under normal noise and a normal or flat prior.

For a target t with row precisions h the posterior is the minimum and the curvature of ::

    ½ Σ_i h_i (t_i − α − x_i·β)² + ½ Σ_j l2_j (β_j − loc_j)²

where ``l2_j = 0`` is a flat prior. Flat directions are projected out (the intercept by centring the
columns, the others by QR), the rest is whitened by the prior, ``β_j = loc_j + φ_j/√l2_j``, which
leaves ``M = U S Vᵀ`` and the posterior covariance ``(I + MᵀM)⁻¹`` of φ. The thin singular value
decomposition of M serves p ≤ n and p > n alike, at O(np·min(n, p)), and never squares a condition
number. What rounding decides is refused (`Conditional.require_digits`).

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
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import special

from bayesreg.errors import InputError
from bayesreg.posterior.graded import graded_svd
from bayesreg.posterior.projection import EPS, LEAST, Projection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector

type Array = NDArray[np.float64]
type Positions = NDArray[np.intp]
type Mask = NDArray[np.bool_]

_DEPENDENT = (
    "prior: is so wide beside columns that nearly depend on each other that rounding would decide "
    "on their posterior; leave one of them out, or give them a prior of smaller scale"
)
_FAR = (
    "y: it and the effects that make it up are {far:.1e} noise sds long, so that rounding would "
    "move the posterior means by more than 1e-3 of their sds; give sigma a larger value"
)
_OFFSET = (
    "y: less its offset it keeps too few digits: rounding would move the posterior means by "
    "{lost:.1e} of their sds; subtract a constant from y, or give sigma a larger value"
)
_LEVEL = (
    "y: is so far from 0 that the last digit of its mean, {level:.6g}, is worth {lost:.1e} of the "
    "intercept's sds; subtract a constant from y"
)
# What rounding may move a posterior mean by, in posterior sds.
_MOST_MOVED = 1e-3
# What the last digit of a level may be worth, in its sds. It is right to that digit, so that it is
# refused only where draws would stand on a few points.
_COARSEST = 0.05
# A difference from one that is less has lost digits.
_CANCELS = 1e-4
# Numbers that are held at once where many ratios meet many singular values.
_CHUNK = 4_000_000


def _bounded_exp(log_kappa: Vector) -> Vector:
    """Ratios whose squares are numbers."""
    return np.exp(np.clip(log_kappa, -300.0, 300.0))


def _fitted(shrunk: Array, along: Vector, off: Matrix) -> Array:
    """Mean of ``Vᵀφ``, with what a decomposition in rounded numbers leaves taken off.

    One step of iterative refinement: at ``a = shrunk·Uᵀt`` the residual is what `off` makes of a.
    """
    first = shrunk * along
    return np.asarray(first - shrunk * (first @ off.T))


def _why_far(terms: float, left: float, worst: float) -> str | None:
    """Say why rounding of what y is summed of would move the means (`require_near`); else None."""
    most = _MOST_MOVED / (16 * EPS)
    if terms + left > most:
        return _FAR.format(far=terms + left)
    return _DEPENDENT if terms + worst * left > most else None


def _why_not_kept(lost: float) -> str | None:
    """Say that the offset cost the target too much (`lost_to_offset`), if it did."""
    return _OFFSET.format(lost=lost) if lost > _MOST_MOVED else None


def _refuse(why: str | None) -> None:
    """Raise InputError if there is a reason to."""
    if why is not None:
        raise InputError(why)


def require_near(terms: float, left: float, worst: float) -> None:
    """Raise InputError where rounding of what y is summed of would move the posterior means.

    Parameters
    ----------
    terms, left : float
        Lengths, in noise sds, of what it is summed of and of what is left of it at the mean.
    worst : float
        Root of the largest variance inflation factor.
    """
    _refuse(_why_far(terms, left, worst))


def require_kept(lost: float) -> None:
    """Raise InputError where the offset cost the target too much (`lost_to_offset`)."""
    _refuse(_why_not_kept(lost))


def require_level(level: float, sd: float) -> None:
    """Raise InputError where numbers near the level of y are too far apart for its posterior."""
    last = float(np.spacing(abs(level)))
    if last > _COARSEST * sd > 0:
        raise InputError(_LEVEL.format(level=level, lost=last / sd))


def is_real(s: Vector, V: Matrix, length: Vector, n: int) -> Mask:
    """Which singular values are more than rounding of columns (n, k) of these lengths (k,).

    What rounding made of a dependent column must not look like information where the prior is
    wide: it is a sum that cancels to rounding of its terms.
    """
    return np.asarray(s > 4 * EPS * max(n, length.size) * np.sqrt(length**2 @ V**2))


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
    off : ndarray, shape (r, r)
        ``UᵀMV − diag(s)``, which rounding alone keeps from 0.
    length, flat_length : ndarray, shapes (k,) and (f,)
        Lengths of the columns of M and of the flat ones before any was projected out.
    terms : float
        Length of what the target is summed of.

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
    off: Matrix
    length: Vector
    flat_length: Vector
    terms: float

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
        U, s, V = graded_svd(M)
        length = plane.kept_length * prior_sd
        real = is_real(s, V, length, M.shape[0])
        s, along = np.where(real, s, 0.0), np.where(real, U.T @ t, 0.0)
        off = np.where(real[:, None], U.T @ (M @ V) - np.diag(s), 0.0)
        phi = prior_sd * (V @ _fitted(s / (1 + s**2), along, off))
        mean = plane.mean(phi)
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
            V=V,
            s=s,
            along=along,
            flat_mean=plane.flat_mean,
            flat_root=plane.flat_root,
            flat_slope=plane.flat_slope * prior_sd,
            beyond=beyond,
            freedom=plane.freedom,
            flat_log_det=plane.log_det,
            off=off,
            length=length,
            flat_length=plane.flat_length,
            terms=plane.terms,
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

    def fitted(self, log_kappa: Array) -> Array:
        """Mean of ``Vᵀφ``, shape (..., r) for κ (...)."""
        return _fitted(self.shrinkage(log_kappa), self.along, self.off)

    def mean_at(self, fitted: Array) -> Array:
        """Mean of β, shape (..., p), where Vᵀφ has the mean `fitted`, shape (..., r)."""
        phi = fitted @ self.V.T
        mean = np.empty((*phi.shape[:-1], self.loc.size))
        mean[..., self.penalised] = self.loc[self.penalised] + self.prior_sd * phi
        mean[..., self.flat] = self.loc[self.flat] + self.flat_mean - phi @ self.flat_slope.T
        return mean

    def require_digits(self, log_kappa: float, log_sigma: float, *, lost: float = 0.0) -> None:
        """Raise InputError where rounding of the data would decide on the posterior.

        Parameters
        ----------
        log_kappa, log_sigma : float
            Ratio and noise sd.
        lost : float
            What was lost of the target already, as a length (`lost_to_offset`).
        """
        _refuse(self.why_lost(np.array([log_kappa]), np.array([log_sigma]), lost=lost)[0])

    def why_lost(
        self, log_kappa: Vector, log_sigma: Vector, *, lost: float = 0.0
    ) -> list[str | None]:
        """Say at each of some ratios why rounding of the data would decide; None where it does not.

        Rounding moves every column by some ε of its length. Lengths being one, that moves all sds
        by ε over the least singular value of the columns with the prior's rows below them, which is
        no more than the root of a variance inflation factor: of how much wider a coefficient is
        than it would be if the others were known. Means move by ε times what the target is summed
        of, in noise sds, and by that root times what is left of it (Higham 2002, ch. 20; the
        factors are those found against rational arithmetic).

        Parameters
        ----------
        log_kappa, log_sigma : ndarray, shape (k,)
            Ratios and noise sds.
        lost : float
            What was lost of the target already, as a length (`lost_to_offset`).

        Returns
        -------
        list of str or None, length k
            What `require_digits` says there.
        """
        step = max(1, _CHUNK // max(1, self.loc.size))
        out: list[str | None] = []
        for start in range(0, log_kappa.size, step):
            part = slice(start, start + step)
            worst, narrow = self._inflation(log_kappa[part])
            terms, left = self._lengths(log_kappa[part])
            sigma = np.exp(log_sigma[part])
            rows = np.column_stack([np.maximum(worst, narrow), terms / sigma, left / sigma, worst])
            for (most, *lengths), noise in zip(rows.tolist(), sigma.tolist(), strict=True):
                dependent = _DEPENDENT if most * LEAST > 1 else None
                out.append(dependent or _why_not_kept(lost / noise) or _why_far(*lengths))
        return out

    def _inflation(self, log_kappa: Vector) -> tuple[Vector, Vector]:
        """Roots of the largest variance inflation factors, and of ratios that cancel; (k,)."""
        over = 1 / _bounded_exp(log_kappa)[:, None]
        square = np.hypot(over, self.s) ** -2
        sd = np.sqrt(square @ (self.V**2).T)
        at_flat = square @ ((self.flat_slope @ self.V) ** 2).T
        flat_sd = np.sqrt(at_flat + (self.flat_root**2).sum(axis=1))
        narrow = np.ones(log_kappa.size)
        if self.V.shape[0] > self.V.shape[1]:
            sd = np.hypot(sd, self._beyond / over)
            # What is beyond the rows is a difference from one, in units of the prior sd.
            narrow = 1 / (over * sd).min(axis=1, initial=1.0)
        inflation = sd * np.hypot(over, self.length)
        worst = (flat_sd * self.flat_length).max(axis=1, initial=1.0)
        return np.maximum(inflation.max(axis=1, initial=1.0), worst), narrow

    def _lengths(self, log_kappa: Vector) -> tuple[Vector, Vector]:
        """Lengths of what the target is summed of, and of what is left of it at the mean; (k,)."""
        fitted = self.fitted(log_kappa)
        phi = fitted @ self.V.T
        flat = self.flat_mean - phi @ self.flat_slope.T
        terms = self.terms + np.abs(phi) @ self.length + np.abs(flat) @ self.flat_length
        left = np.sqrt(self.beyond + ((self.along - self.s * fitted) ** 2).sum(axis=1))
        return terms, np.hypot(left, np.linalg.norm(phi, axis=1) / _bounded_exp(log_kappa))

    @cached_property
    def _beyond(self) -> Vector:
        """Length of what each φ has beyond the directions of V, shape (k,)."""
        square = 1 - (self.V**2).sum(axis=1)
        rows = np.flatnonzero(square < _CANCELS)  # no more than there are directions
        left = self.V[rows] @ self.V.T
        left[np.arange(rows.size), rows] -= 1
        square[rows] = (left**2).sum(axis=1)
        return np.asarray(np.sqrt(square))

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
            fitted = self.fitted(log_kappa)
            between = np.sqrt(weight)[:, None] * (fitted - weight @ fitted)
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
