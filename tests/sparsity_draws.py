"""Draws that a test writes down itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

if TYPE_CHECKING:
    import bayesreg as br
    from bayesreg._validation import Matrix, Vector


def tree_of(problem: br.Problem, beta: Matrix, **unknowns: Vector) -> xr.DataTree:
    """Label coefficients (m, p) and unknowns (m,) as `bayesreg.sample` does, in one chain."""
    posterior = xr.Dataset(
        {"beta": (("chain", "draw", "feature"), beta[None])}
        | {name: (("chain", "draw"), value[None]) for name, value in unknowns.items()},
        coords={"feature": list(problem.names)},
    )
    return xr.DataTree.from_dict({"posterior": posterior})
