"""The compiled inner loop of coordinate descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector

# The signature makes Numba compile (or load from its cache) on import, before any clock runs.
SIGNATURE = "f8(f8[:,::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1])"


@njit(SIGNATURE, cache=True)
def sweep(
    columns: Matrix,
    curvature: Vector,
    pull: Vector,
    point: Vector,
    diagonal: Vector,
    l1: Vector,
    l2: Vector,
    loc: Vector,
    lowest: Vector,
) -> float:
    """Minimise over each coordinate in turn, once; change `point` and `pull` in place.

    The objective is ``½ Σ curvature_i (A (u − point))_i² − pull·A (u − point) + penalty(u)``.

    Parameters
    ----------
    columns : ndarray, shape (q, n), C order
        The transpose of A (a single column counts as C order only this way round).
    curvature : ndarray, shape (n,)
        Second derivative of the loss by the predictor.
    pull : ndarray, shape (n,)
        Minus the first derivative; kept up to date.
    point : ndarray, shape (q,)
        Coordinates; kept up to date.
    diagonal : ndarray, shape (q,)
        Diagonal of ``A' diag(curvature) A``.
    l1, l2, loc : ndarray, shape (q,)
        The penalty.
    lowest : ndarray, shape (q,)
        Lower bound of each coordinate: 0 or minus infinity.

    Returns
    -------
    float
        The largest change of a coordinate.
    """
    q, n = columns.shape
    largest = 0.0
    for j in range(q):
        bottom = diagonal[j] + l2[j]
        if bottom == 0.0:
            continue
        top = diagonal[j] * point[j] + l2[j] * loc[j]
        for i in range(n):
            top += columns[j, i] * pull[i]
        new = 0.0
        if top > l1[j]:
            new = (top - l1[j]) / bottom
        elif top < -l1[j]:
            new = max((top + l1[j]) / bottom, lowest[j])
        change = new - point[j]
        if change != 0.0:
            point[j] = new
            for i in range(n):
                pull[i] -= change * curvature[i] * columns[j, i]
            largest = max(largest, abs(change))
    return largest
