"""Whether draws reach far enough for the sd of a count.

The mean of a squared rate, ``E exp(2η)``, may rest on predictors η that are so rare that no draw
has them; then the mean over draws is too small, and its spread over draws does not show it. What
draws there are show how fast the squared rates grow as they become rare: like a power ``r^−k`` of
their rank r, with the shape k̂ of a generalised Pareto fit to the largest, as of importance weights
(Vehtari, Simpson, Gelman, Yao & Gabry 2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.posterior.reweighting import khat_limit, smooth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix

    type Mask = NDArray[np.bool_]

# The largest of N squares with a shape at the limit is about N^(k − 1) of their sum, 8 % at 4000
# draws; a row whose largest is well below that needs no fit, nor does one of a few equal draws.
_SHARE, _EQUAL = 0.02, 10


def out_of_reach(eta: Matrix) -> Mask:
    """Tell which means of ``exp(2η)`` over draws rest on draws that are not there.

    Parameters
    ----------
    eta : ndarray, shape (m, n)
        Linear predictor of n rows at m draws.

    Returns
    -------
    ndarray of bool, shape (n,)
        Whether k̂ is beyond what m draws can do.

    Examples
    --------
    >>> tail = -np.log(np.linspace(1e-3, 1.0, 1000))  # exp(2·0.6·tail) has a shape of 1.2
    >>> out_of_reach(np.outer(tail, [0.1, 0.6])).tolist()
    [False, True]
    """
    count = eta.shape[0]
    share = 1.0 / np.exp(2.0 * (eta - eta.max(axis=0))).sum(axis=0)
    out = np.zeros(eta.shape[1], dtype=np.bool_)
    for j in np.flatnonzero(share > max(_SHARE, _EQUAL / count)):
        out[j] = smooth(2.0 * eta[:, j]).khat > khat_limit(count)
    return out
