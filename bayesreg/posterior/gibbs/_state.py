"""What a chain of the Gaussian Gibbs sampler is made of, as compiled code takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bayesreg._validation import Matrix, Vector


class Data(NamedTuple):
    """Rows A (r, k) and target t (r,), and what follows from them.

    `G` and `b` are ``A'A`` and ``A't``. On the route by rows `b` is of size 0, and `G` that of the
    columns under spike and slab alone, unless they are very many; there `columns` is A' where
    coefficients are drawn one by one, else of size 0. `square` (k,) holds the squared lengths of
    the columns; `power` is that of 1/sigma in the density of the rows.
    """

    A: Matrix
    t: Vector
    G: Matrix
    b: Vector
    columns: Matrix
    square: Vector
    power: float
    gram: bool


class Prior(NamedTuple):
    """Blocks (family, low, high, uses_sigma), units, shapes, spike and slab, unknowns.

    `scaled` is the block whose scale is unknown, or −1. `sigma` and `scale` are kind, a and b of
    their priors, of kind −1 where the value is known.
    """

    blocks: NDArray[np.int64]
    scaled: int
    unit: Vector
    shape: Matrix
    inclusion: Vector
    slab: Vector
    sigma: tuple[int, float, float]
    scale: tuple[int, float, float]


class Moves(NamedTuple):
    """Which moves a sweep makes.

    Attributes
    ----------
    together : bool
        Sigma and the coefficients are drawn together: all widths are relative to sigma.
    scale_from_data : bool
        The scale is drawn given the coefficients in units of it, too.
    walks : int
        Steps of sigma and scale with the coefficients integrated out.
    walk_sigma, walk_scale : bool
        Which of them move in these.
    passes : int
        How often coefficients with heavy tails are drawn one by one.
    """

    together: bool
    scale_from_data: bool
    walks: int
    walk_sigma: bool
    walk_scale: bool
    passes: int


class State(NamedTuple):
    """Where a chain is, and its working memory; `unknown` holds sigma and scale.

    `ridge` (m,) is the noise variance over the prior variance of the coefficients with local
    variances, which are the first m; `fit` is Aβ; `part` (r,) and `pull` (k,) are the target that
    the others leave, and its products. `W`, `K`, `L` and `c` are those of `_linear`, of a second
    factorisation `L2` and `c2`.
    """

    beta: Vector
    unknown: Vector
    aux: Matrix
    variance: Vector
    width: Vector
    ridge: Vector
    fit: Vector
    part: Vector
    pull: Vector
    W: Matrix
    K: Matrix
    L: Matrix
    c: Vector
    L2: Matrix
    c2: Vector
