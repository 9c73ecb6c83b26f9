"""Draws with the log density of every row, and what leaving a row out makes of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesreg.errors import InputError
from bayesreg.posterior.density import log_likelihood, noise_sd
from bayesreg.posterior.drawn import read_draws
from bayesreg.posterior.left_out import row_that_is_needed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xarray import DataTree

    from bayesreg._validation import Vector
    from bayesreg.posterior.conditional import Array
    from bayesreg.problem import Problem

# A spread of log densities, in nats, that changes no weight.
_STILL = 1e-6


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Draws of one posterior, and PSIS leave-one-out of them (Vehtari, Gelman & Gabry 2017).

    Attributes
    ----------
    tree : xarray.DataTree
        Groups ``posterior``, ``log_likelihood`` and ``observed_data``, as ArviZ wants them.
    drawn : mapping of str to ndarray
        ``beta`` (chain, draw, p) and what else is unknown.
    elpd : arviz ELPDData
        With its pointwise values.
    """

    tree: DataTree
    drawn: Mapping[str, Array]
    elpd: Any

    @classmethod
    def of(cls, problem: Problem, draws: DataTree) -> LeftOut:
        """Compute the log density of every row at every draw, and leave each row out in turn."""
        drawn = read_draws(problem, draws)
        beta = drawn["beta"]
        intercept = drawn.get("intercept", np.zeros(beta.shape[:2]))
        rows = _stirred(log_likelihood(problem, beta, intercept, noise_sd(problem, drawn)))
        xr = import_module("xarray")
        tree = xr.DataTree.from_dict(
            {
                "posterior": draws["posterior"].to_dataset(),
                "log_likelihood": by_row(rows),
                "observed_data": xr.Dataset({"y": (("row",), problem.design.y)}),
            }
        )
        with warnings.catch_warnings():
            # Large k are counted and reported by whoever uses this.
            warnings.simplefilter("ignore", UserWarning)
            elpd = import_module("arviz").loo(tree, pointwise=True, var_name="y")
        return cls(tree, drawn, elpd)

    @property
    def k(self) -> Vector:
        """Pareto k of each row, shape (n,)."""
        return np.asarray(self.elpd.pareto_k, dtype=np.float64)

    @property
    def largest_k(self) -> float:
        """Largest Pareto k; 0 where no row changes anything."""
        # Of a row that all draws predict alike the k is not a number, and harmless.
        return float(np.nan_to_num(self.k, nan=0.0).max())

    @property
    def bad(self) -> int:
        """Number of rows whose k is above what the number of draws allows."""
        return int((self.k > self.elpd.good_k).sum())

    @property
    def weights(self) -> Array:
        """Smoothed weights of the draws with row i left out, shape (chain, draw, n)."""
        logs = self.elpd.log_weights.transpose("chain", "draw", "row").to_numpy()
        weights = np.exp(logs - logs.max(axis=(0, 1)))
        return np.asarray(weights / weights.sum(axis=(0, 1)))


def require_spare_rows(problem: Problem, name: str | None = None) -> None:
    """Raise InputError where the posterior cannot do without some row of its data.

    Parameters
    ----------
    problem : Problem
        With the rows of X.
    name : str, optional
        What it is called among others.
    """
    needed = row_that_is_needed(problem)
    if needed is not None:
        msg = f"problem: {needed}" if name is None else f"problems: of {name!r}, {needed}"
        raise InputError(msg)


def _stirred(rows: Array) -> Array:
    """Add noise of a billionth to rows (chain, draw, n) that no draw finds more likely than others.

    Their smoothing weights are equal whatever is done, but the tail of equal numbers has no shape.
    """
    still = np.ptp(rows, axis=(0, 1)) < _STILL
    noise = np.random.default_rng(0).standard_normal((*rows.shape[:2], int(still.sum())))
    rows[..., still] += 1e-9 * noise
    return rows


def by_row(values: Array) -> Any:
    """Label values (chain, draw, n) of the target."""
    return import_module("xarray").Dataset({"y": (("chain", "draw", "row"), values)})
