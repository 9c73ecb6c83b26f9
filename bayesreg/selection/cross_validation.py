r"""K-fold cross-validation along the exact path of modes.

In every fold the modes at all scales are found and certified from the other rows alone, and the
rows held out are judged by their log density there, ``−log p(y_i | mode, σ)`` in nats. Nothing of
the rows held out enters: columns are standardised afresh in every fold.

The scale of a prior does not depend on the number of rows, so each fold has the same scales. Where
others fix the weight α of a mean loss over m rows, the scale here is ``σ²/(mα)`` with the rows of
the fold.

The standard error is that of the mean over the folds, weighted by their sizes (as in glmnet).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bayesreg._threads import blas_threads
from bayesreg.errors import BayesregError
from bayesreg.path import map_path
from bayesreg.selection.folds import Splits, split_rows
from bayesreg.selection.result import Curve

if TYPE_CHECKING:
    from bayesreg._validation import Matrix, Vector
    from bayesreg.selection.folds import Pair
    from bayesreg.selection.request import Request
    from bayesreg.selection.result import ScaleSelection

NAME = "cross-validation"
_SCALES = 100
# Entries of X below which a fold is done before a second thread has started.
_SMALL = 100_000


def choose(request: Request) -> ScaleSelection:
    """Choose by the loss on rows held out."""
    problem, scales = request.known.problem, request.grid(_SCALES)
    pairs = split_rows(problem, request.folds, request.groups, request.rng)
    losses = _losses(request, pairs, scales)
    sizes = np.array([test.size for _, test in pairs], dtype=np.float64)
    # Where rows are held out more than once, each counts once all the same.
    often = sizes.sum() / problem.n
    curve = Curve.of_losses(scales, losses / often, sizes / often)
    return request.by_rule(
        NAME,
        curve,
        curve.near_by_error(),
        f"{len(pairs)} folds, modes certified in each, nothing of the rows held out in them",
    )


def _losses(request: Request, pairs: list[Pair], scales: Vector) -> Matrix:
    """Loss in nats of the rows held out, shape (folds, k)."""
    problem, total = request.known.problem, len(pairs)
    one = partial(_fold, Splits(problem), scales, total)
    numbered = list(enumerate(pairs))
    small = problem.design.entries < _SMALL
    count = request.workers or (1 if small else os.process_cpu_count() or 1)
    if min(count, total) == 1:
        return np.array([one(each) for each in request.progress.steps(numbered, total, "fold")])
    # Folds are the larger pieces of work, so the threads are theirs; BLAS has one in each. It is
    # told so out here: a thread that gives back what it found would give back another's.
    with blas_threads(0), ThreadPoolExecutor(min(count, total)) as pool:
        return np.array(list(request.progress.steps(pool.map(one, numbered), total, "fold")))


def _fold(splits: Splits, scales: Vector, total: int, numbered: tuple[int, Pair]) -> Vector:
    """Learn from some rows at every scale, and return the loss of the others, shape (k,)."""
    k, (train, test) = numbered
    try:
        fold = splits.fold(train, test)
        path = map_path(fold.train, scales)
    except BayesregError as error:
        error.args = (f"fold {k + 1} of {total}: {error}", *error.args[1:])
        raise
    return fold.losses(path.coef, path.intercept)
