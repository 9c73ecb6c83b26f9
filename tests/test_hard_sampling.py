"""Sampling where units, offsets, collinear columns or arguments are extreme: answers or reasons."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import bayesreg as br
from bayesreg.errors import BayesregError, InputError, SamplingFailed, SamplingWarning
from bayesreg.posterior.density import log_joint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

type Axis = np.ndarray[tuple[int], np.dtype[np.float64]]

RNG = np.random.default_rng(0)
X = RNG.standard_normal((8, 3))
LINE = np.column_stack([np.ones(8), X[:, 0]])
EVEN, BINARY = np.arange(8.0), np.arange(8) % 2
Y = X[:, 0] + RNG.standard_normal(8)
NARROW = br.Gaussian(1e-9)
FEW: dict[str, Any] = {"chains": 2, "draws": 600, "tune": 400, "seed": 1}
QUARTERS = np.array([0.25, 0.5, 0.75])


def poisson(prior: Any, matrix: Any = LINE, y: Any = EVEN, **more: Any) -> br.Problem:
    """Counts without an intercept."""
    return br.Problem(matrix, y, likelihood=br.Poisson(), prior=prior, intercept=False, **more)


def noisy(prior: Any, matrix: Any, y: Any, likelihood: Any, **more: Any) -> br.Problem:
    """Real numbers without an intercept."""
    more = {"intercept": False} | more
    return br.Problem(matrix, y, likelihood=likelihood, prior=prior, **more)


@dataclass(frozen=True, eq=False)
class Known:
    """A problem and the quartiles of its unknowns: given, or from a grid of the joint density."""

    problem: br.Problem
    axes: tuple[Axis, ...] = ()
    quartiles: tuple[Any, ...] = ()
    method: str = "nuts"

    def columns(self) -> tuple[str, ...]:
        """Names of the unknowns, coefficients first."""
        level = ("intercept",) * self.problem.design.intercept
        return ("beta",) * self.problem.p + level + tuple(self.problem.unknown)

    def truth(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Quartiles of each unknown, shape (unknowns, 3)."""
        if self.quartiles:
            return np.array(self.quartiles)
        mesh = np.meshgrid(*self.axes, indexing="ij")
        flat = [values.ravel() for values in mesh]
        p = self.problem.p
        draws = {"beta": np.column_stack(flat[:p])[None]}
        names = self.columns()[p:]
        draws |= {name: values[None] for name, values in zip(names, flat[p:], strict=True)}
        logs = log_joint(self.problem, draws).reshape(mesh[0].shape)
        mass = np.exp(logs - logs.max())
        for k, axis in enumerate(self.axes):
            shape = np.ones(mass.ndim, dtype=int)
            shape[k] = axis.size
            mass *= np.gradient(axis).reshape(shape)
        found = []
        for k, axis in enumerate(self.axes):
            share = mass.sum(axis=tuple(j for j in range(mass.ndim) if j != k))
            middle = np.cumsum(share) - 0.5 * share
            found.append(np.interp(QUARTERS * share.sum(), middle, axis))
        return np.array(found)


def stretched(reach: float, points: int = 301) -> Axis:
    """Points about 0, close to each other there and far out at the ends."""
    t = np.linspace(-np.arcsinh(reach * 1e3), np.arcsinh(reach * 1e3), points)
    return np.asarray(np.sinh(t) / 1e3)


def about(centre: float, reach: float, points: int = 301) -> Axis:
    """Points at equal distances."""
    return np.linspace(centre - reach, centre + reach, points)


SPREAD = 1e-9 / float(np.linalg.norm(X[:, 0]))
LN2 = float(np.log(2))
LEVEL = Y.mean() + np.array([-0.6745, 0.0, 0.6745]) / np.sqrt(8)
UNEQUAL = LINE * [1e4, 1e-4]
KNOWN: dict[str, Known] = {
    "counts under a wide sup norm": Known(
        poisson(br.LInfinity(30.0)), (about(0.0, 6.0), about(0.0, 4.0))
    ),
    "counts of columns in very unequal units": Known(
        poisson(br.StudentT(3.0, 1.0), UNEQUAL), (about(1.3e-4, 1e-4), stretched(200.0))
    ),
    "counts whose prior reaches where the exponential overflows": Known(
        poisson(br.Normal(100.0, nonnegative=True), [[0.5], [1.5]], [2, 16], offset=[1.0, -1.0]),
        (np.linspace(0.0, 6.0, 601),),
    ),
    "counts of a far offset, whitened": Known(
        poisson(br.Laplace(200.0), offset=np.full(8, 300.0)), (about(-299.0, 4.0), about(0.0, 4.0))
    ),
    "counts of a far offset, by parts": Known(
        poisson(br.StudentT(1.0, 200.0), offset=np.full(8, 300.0)),
        (about(-299.0, 4.0), about(0.0, 4.0)),
    ),
    "log-odds of a far offset": Known(
        br.Problem(
            X[:, :1], BINARY, likelihood=br.Bernoulli(), prior=br.Flat(), offset=np.full(8, -700.0)
        ),
        (about(0.0, 8.0), about(700.0, 8.0)),
    ),
    "hardly any noise": Known(
        noisy(br.StudentT(3.0, 1.0), X[:, :1], 0.1 * X[:, 0], NARROW),
        quartiles=(0.1 + SPREAD * np.array([-0.6745, 0.0, 0.6745]),),
    ),
    "equal columns and hardly any noise": Known(
        noisy(br.LInfinity(1.0), X[:, [0, 0]], 0.1 * X[:, 0], NARROW),
        quartiles=2 * ([0.05 - LN2, 0.05, 0.05 + LN2],),
    ),
    "more columns than rows, and nothing but zeros to fit": Known(
        noisy(br.Bridge(1.0, 0.87), [[1.0, 2.0]], [0.0], br.Gaussian(br.HalfNormal(1.0))),
        (stretched(30.0, 101), stretched(30.0, 101), np.geomspace(1e-4, 6.0, 81)),
    ),
} | {
    f"no column, {prior.name} by {method}": Known(
        noisy(prior, np.empty((8, 0)), Y, br.Gaussian(1.0), intercept=True),
        quartiles=(LEVEL,),
        method=method,
    )
    for prior, method in (
        (br.Fused(1.0), "nuts"),
        (br.UniformBall(1.0), "auto"),
        (br.Horseshoe(1.0), "nuts"),
        (br.LInfinity(1.0), "gibbs"),
        (br.SpikeSlab(0.3, 1.0), "gibbs"),
    )
}


@pytest.mark.parametrize("name", KNOWN)
def test_quartiles(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Those of a fine grid, to a third of their distance, without a warning or a word on stderr."""
    case = KNOWN[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = br.sample(case.problem, case.method, **FEW)["posterior"]
    assert capfd.readouterr().err == ""
    beta = np.concatenate(drawn["beta"].to_numpy()).T
    rest = [drawn[key].to_numpy().ravel() for key in case.columns()[case.problem.p :]]
    found = np.quantile(np.vstack([beta, *rest]), QUARTERS, axis=1).T
    truth = case.truth()
    assert (np.abs(found - truth) < 0.35 * np.ptp(truth, axis=1)[:, None]).all(), (found, truth)


def _tree(values: Any) -> xr.DataTree:
    return xr.DataTree.from_dict({"posterior": xr.Dataset({"b": (("chain", "draw"), values)})})


def _model(kind: str) -> pm.Model:
    with pm.Model() as model:
        if kind == "only data":
            pm.Normal("y", 0.0, 1.0, observed=[1.0, 2.0])
        elif kind == "no slope":
            pm.Potential("p", 0.0 * pm.Flat("b"))
    return model


PLAIN = noisy(br.StudentT(1.0, 2.0), [[1.0], [2.0]], [3.0, 1.0], br.Gaussian(1.0))
FAR = np.full(8, 1e9)
REFUSED: dict[str, tuple[Callable[[], object], type[BayesregError], str]] = {
    "no start, by parts": (
        lambda: br.sample(poisson(br.Horseshoe(1.0), X, offset=FAR)),
        SamplingFailed,
        "offset",
    ),
    "no start, whitened": (
        lambda: br.sample(poisson(br.Laplace(1.0), X, offset=FAR)),
        SamplingFailed,
        "offset",
    ),
    "no digits, by parts": (
        lambda: br.sample(poisson(br.Horseshoe(1.0), X, offset=FAR / 1e7)),
        SamplingFailed,
        "offset",
    ),
    "no digits, whitened": (
        lambda: br.sample(poisson(br.Laplace(1.0), X, offset=FAR / 1e7)),
        SamplingFailed,
        "offset",
    ),
    "tune beyond 64 bits": (
        lambda: br.sample(PLAIN, "nuts", tune=2**64 + 1),
        InputError,
        "tune: must be at most",
    ),
    "tune for ever": (lambda: br.sample(PLAIN, tune=2**63), InputError, "tune: must be at most"),
    "an array of methods": (
        lambda: br.sample(PLAIN, method=np.array(["exact", "b"])),  # type: ignore[arg-type]
        InputError,
        "method: ",
    ),
    "text for draws": (lambda: br.diagnose(_tree([["a", "b"]])), InputError, "draws: b holds"),
    "complex draws": (lambda: br.diagnose(_tree(np.eye(2) * 1j)), InputError, "draws: b holds"),
    "no draws": (lambda: br.diagnose(_tree(np.ones((2, 0)))), InputError, "draws: the posterior"),
    "no chains": (lambda: br.diagnose(_tree(np.ones((0, 2)))), InputError, "draws: the posterior"),
    "an empty model": (lambda: br.sample(_model("empty")), InputError, "model: has no unknown"),
    "only data": (lambda: br.sample(_model("only data")), InputError, "model: has no unknown"),
    "a model without a slope": (
        lambda: br.sample(_model("no slope"), draws=5, tune=5, chains=1),
        SamplingFailed,
        "PyMC stopped: [A-Za-z]",
    ),
    "a path without coefficients": (
        lambda: br.posterior_path(
            noisy(br.Laplace(1.0), np.empty((8, 0)), Y, br.Gaussian(1.0), intercept=True)
        ),
        InputError,
        "prior: there is no coefficient",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_reasons(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """What cannot be done is refused by an exception of ours that names the argument."""
    act, error, words = REFUSED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=words):
            act()
    assert "panicked" not in capfd.readouterr().err


def test_a_null_character_in_a_file_name(tmp_path: Path) -> None:
    """It is no name for a file, whichever folder it names."""
    drawn = br.sample(PLAIN, draws=5, tune=5, seed=1)
    with pytest.raises(InputError, match="path: "):
        br.save_draws(drawn, f"{tmp_path}/\0.nc")


def test_rates_too_large_to_draw_counts_from() -> None:
    """They cost the group of new targets, with a warning, and not the draws."""
    problem = poisson(br.Normal(100.0), [[1.0]], [3.0], weights=[1e-30])
    with pytest.warns(SamplingWarning, match="posterior_predictive"):
        drawn = br.sample(problem, posterior_predictive=True, log_likelihood=True, **FEW)
    assert {"posterior", "log_likelihood"} <= set(drawn.children)
    assert "posterior_predictive" not in drawn.children
