"""Whose draws they are: those of another posterior answer no question about this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesreg.errors import InputError

if TYPE_CHECKING:
    from xarray import DataTree

    from bayesreg.problem import Problem


def require_own(problem: Problem, tree: DataTree) -> None:
    """Raise InputError if draws say that they are of another problem, or of other rows.

    Parameters
    ----------
    problem : Problem
        Whose draws they should be.
    tree : xarray.DataTree
        Of `bayesreg.sample`. One from elsewhere says nothing, and passes.

    Raises
    ------
    InputError
        With the first line in which the two problems differ, as they are printed.

    Examples
    --------
    >>> from bayesreg import Gaussian, Normal, Problem, sample
    >>> one = Problem([[1.0], [2.0]], [1.0, 2.0], likelihood=Gaussian(1.0), prior=Normal(1.0))
    >>> require_own(one, sample(one, draws=10, seed=1))
    """
    said = tree.attrs.get("problem")
    if isinstance(said, str) and said != str(problem):
        pairs = zip(said.splitlines(), str(problem).splitlines(), strict=False)
        theirs, ours = next(((a, b) for a, b in pairs if a != b), ("", ""))
        msg = (
            f"draws: are of another problem ({theirs.strip()!r}, and this one is "
            f"{ours.strip()!r}); sample this one"
        )
        raise InputError(msg)
    if "observed_data" not in tree.children or "y" not in tree["observed_data"]:
        return
    target = np.asarray(tree["observed_data"]["y"])
    if target.shape != problem.design.y.shape or not np.array_equal(target, problem.design.y):
        msg = "draws: are of other rows than this problem's; sample this one"
        raise InputError(msg)
