"""Flat directions of a Gaussian posterior, projected out: the intercept, and flat coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy import linalg

from bayesreg.columns import negligible
from bayesreg.errors import InputError

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.design import Design
    from bayesreg.posterior.conditional import Array, Mask, Positions

EPS = float(np.finfo(np.float64).eps)
# Rounding moves a sd by up to some four units of rounding over the least singular value of the flat
# columns, each of length one (as found against rational arithmetic): by 1e-4 of it at this one.
LEAST = 4e4 * EPS
_ROUNDED = (
    "prior: is flat on columns that depend on each other but for their last digits, so that "
    "rounding would decide on their posterior; leave one out, or give them a proper prior"
)


def _about_mean(values: Array, h: Vector) -> tuple[Array, Array]:
    """Subtract h-weighted means of rows (n, ...); return what is left, and the means.

    The second pass removes what rounding of a large mean left behind (values around 1e9).
    """
    share = h / h.sum()
    mean = share @ values
    left = values - mean
    rest = share @ left
    return left - rest, mean + rest


def centred(X: Matrix, h: Vector) -> tuple[Matrix, Vector]:
    """Subtract the h-weighted column means; return the columns and the means.

    What is left of a constant column is rounding, which says nothing of its coefficient: it
    becomes 0.
    """
    columns, mean = _about_mean(X, h)
    left, whole = (np.abs(part).max(axis=0, initial=0.0) for part in (columns, X))
    columns[:, negligible(left, whole)] = 0.0
    return columns, mean


def lost_to_offset(design: Design, h: Vector) -> float:
    """Bound by how many sds rounding of ``y − offset`` moves a posterior mean.

    What is lost in each row is itself a number (Knuth's exact sum of two). With rows of length one
    a mean is, in its sds, a unit vector times the target. It may add up the losses of a few rows;
    of many, which know nothing of each other, it does not add up more than some four.

    Parameters
    ----------
    design : Design
        With y, and an offset or none.
    h : ndarray, shape (n,)
        Row precisions.
    """
    if design.offset is None:
        return 0.0
    y, less = design.y, -design.offset
    target = y + less
    back = target - y
    lost = np.sqrt(h) * ((y - (target - back)) + (less - back))
    return float(min(np.linalg.norm(lost), 4 * np.abs(lost).max()))


@dataclass(frozen=True, eq=False)
class Projection:
    """Columns and target once intercept and flat directions are projected out.

    Attributes
    ----------
    columns, target : ndarray, shapes (n', k) and (n',)
        What is left of the k other columns, and of the target at ``β = loc``, times √h. Absorbed
        coefficients add a row each.
    basis : ndarray, shape (n', f)
        Orthonormal, of what was projected out but for the intercept.
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
    kept_length, flat_length : ndarray, shapes (k,) and (f,)
        Lengths of the columns before any was projected out, in units of the noise sd.
    terms : float
        Length of what the target is summed of, in the same units.
    """

    columns: Matrix
    target: Vector
    basis: Matrix
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
    kept_length: Vector
    flat_length: Vector
    terms: float

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
        about, level = _about_mean(target, h) if intercept else (target, np.zeros(()))
        kept, flat = np.flatnonzero(~out), np.flatnonzero(out)
        A = root[:, None] * columns
        t, length = root * about, np.sqrt((A**2).sum(axis=0))
        terms = float(np.linalg.norm(t) + length @ np.abs(loc))
        t = t - A @ loc
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
        if flat.size and np.linalg.svd(R, compute_uv=False)[-1] < LEAST:
            raise InputError(_ROUNDED)
        M = A[:, kept]
        onto_flat, t_flat = Q.T @ M, Q.T @ t
        # Solved rather than multiplied by an inverse, so that errors of columns that depend on each
        # other offset each other in what they make of the predictor.
        flat_root, flat_mean, flat_slope = (
            (linalg.solve_triangular(R, right).T / norm).T
            for right in (np.eye(flat.size), t_flat, onto_flat)
        )
        return cls(
            columns=M - Q @ onto_flat,
            target=t - Q @ t_flat,
            basis=Q,
            kept=kept,
            flat=flat,
            loc=loc,
            level=float(level),
            level_sd=float(h.sum()) ** -0.5 if intercept else 0.0,
            column_mean=column_mean,
            flat_mean=flat_mean,
            flat_root=flat_root,
            flat_slope=flat_slope,
            log_det=float(np.log(np.abs(np.diag(R))).sum() + np.log(norm).sum()),
            freedom=t.size - flat.size - int(intercept),
            kept_length=length[kept],
            flat_length=norm,
            terms=terms,
        )

    def mean(self, moved: Vector) -> Vector:
        """Return the coefficients (p,) where those kept are moved by (k,) from their prior mean."""
        mean = self.loc.copy()
        mean[self.kept] += moved
        mean[self.flat] += self.flat_mean - self.flat_slope @ moved
        return mean
