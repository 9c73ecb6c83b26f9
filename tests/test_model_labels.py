"""Coefficients of PyMC models are called what ArviZ calls them, wherever they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import arviz as az
import numpy as np
import pymc as pm
import pytest

import bayesreg as br
from bayesreg import terminal
from bayesreg.errors import UnsupportedModel
from bayesreg.model_certificate import certify_point
from bayesreg.model_map import find_model_map

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

F = np.float64
RNG = np.random.default_rng(4)
N = 24
X = RNG.normal(size=(N, 3))
GROUP, SEX = np.arange(N) % 4, np.arange(N) // 4 % 2
Y = X[:, 0] + 0.5 * GROUP + 0.3 * RNG.normal(size=N)
SMALL: dict[str, Any] = {"draws": 60, "chains": 2, "seed": 1, "progress": False}


def several() -> tuple[pm.Model, list[str]]:
    """Make a model of scalars, counted and named vectors, and a matrix."""
    coords = {"group": range(4), "feature": ["age", "bmi", "b"], "sex": ["f", "m"]}
    with pm.Model(coords=coords) as model:
        model.add_coord("term", length=2)
        a, b = pm.Normal("a", 0, F(5)), pm.Normal("b", 0, F(2))
        u = pm.Normal("u", 0, F(1), dims="group")
        beta = pm.Laplace("beta", 0, F(1), dims="feature")
        m = pm.Normal("m", 0, F(1), dims=("sex", "term"))
        slopes = m[SEX, 0] + m[SEX, 1] * X[:, 1]
        pm.Normal("y", a + b * X[:, 2] + u[GROUP] + X @ beta + slopes, F(1), observed=Y)
    names = ["a", "b", *(f"u[{k}]" for k in range(4)), "beta[age]", "beta[bmi]", "beta[b]"]
    return model, [*names, "m[f, 0]", "m[f, 1]", "m[m, 0]", "m[m, 1]"]


def two_groups() -> tuple[pm.Model, list[str]]:
    """Make a model of two vectors, whose labels do not clash."""
    with pm.Model(coords={"group": ["p", "q", "r", "s"], "sex": ["f", "m"]}) as model:
        u, v = pm.Normal("u", 0, F(1), dims="group"), pm.Normal("v", 0, F(1), dims="sex")
        pm.Normal("y", pm.Flat("level") + u[GROUP] + v[SEX], F(1), observed=Y)
    return model, ["u[p]", "u[q]", "u[r]", "u[s]", "v[f]", "v[m]"]


def counted() -> tuple[pm.Model, list[str]]:
    """Make a model of one vector, whose coordinate holds numbers."""
    with pm.Model(coords={"year": [1990, 1991, 1992, 1993]}) as model:
        u = pm.Normal("u", 0, F(1), dims="year")
        pm.Normal("y", pm.Flat("level") + u[GROUP], F(1), observed=Y)
    return model, ["u[1990]", "u[1991]", "u[1992]", "u[1993]"]


def one_vector() -> tuple[pm.Model, list[str]]:
    """Make a model of one vector, whose coordinate names columns."""
    with pm.Model(coords={"feature": ["age", "bmi", "3"]}) as model:
        beta = pm.Laplace("beta", 0, F(1), dims="feature")
        pm.Normal("y", pm.Flat("level") + X @ beta, F(1), observed=Y)
    return model, ["age", "bmi", "3"]


def commas() -> tuple[pm.Model, list[str]]:
    """Make a model of a matrix whose labels come to the same text twice."""
    with pm.Model(coords={"left": ["a", "a, b"], "right": ["b, c", "c"]}) as model:
        m = pm.Normal("m", 0, F(1), dims=("left", "right"))
        pm.Normal("y", m[SEX, 0] + m[SEX, 1] * X[:, 0], F(1), observed=Y)
    return model, ["m[0, 0]", "m[0, 1]", "m[1, 0]", "m[1, 1]"]


def alike() -> tuple[pm.Model, list[str]]:
    """Make a model whose coordinate has a label twice, and one whose label is empty."""
    with pm.Model(coords={"group": ["p", "p", "r", "s"], "sex": ["f", ""]}) as model:
        u, v = pm.Normal("u", 0, F(1), dims="group"), pm.Normal("v", 0, F(1), dims="sex")
        pm.Normal("y", u[GROUP] + v[SEX], F(1), observed=Y)
    return model, ["u[0]", "u[1]", "u[2]", "u[3]", "v[0]", "v[1]"]


BUILDS = [several, two_groups, counted, one_vector, commas, alike]


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
def test_coefficients_are_called_so(build: Callable[[], tuple[pm.Model, list[str]]]) -> None:
    """By variable and entry, and by the column alone where there is one vector of columns."""
    model, names = build()
    assert list(br.read_model(model).names) == names


def test_they_are_labels_of_arviz() -> None:
    """Letter for letter, of draws that hold the model's own variables."""
    model, names = several()
    draws = br.sample(model, **SMALL)
    own = [str(rv.name) for rv in model.free_RVs]
    assert sorted(az.summary(draws, var_names=own).index) == sorted(names)


def test_everything_that_is_printed_calls_them_so(tmp_path: Path) -> None:
    """Mode, comparison, its frame and its page."""
    model, names = several()
    fit = br.find_map(model)
    kept = [name for name, value in zip(names, fit.coef, strict=True) if value][:10]
    assert all(f"\n  {name} " in str(fit) for name in kept)
    table = br.compare(model, ["fista"], **SMALL)
    assert list(table.sparsity_frame().index) == names
    assert all(f"\n{name}  " in terminal.as_text(table) for name in names)
    page = tmp_path / "page.html"
    table.to_html(page)
    assert all(f">{name}<" in page.read_text(encoding="utf-8") for name in names)


def test_two_entries_of_one_name_are_refused() -> None:
    """A scalar may be called as an entry of a vector is."""
    with pm.Model() as model:
        x, scalar = pm.Normal("x", 0, F(1), shape=3), pm.Normal("x[0]", 0, F(1))
        pm.Normal("y", X @ x + scalar, F(1), observed=Y)
    with pytest.raises(UnsupportedModel, match=r"'x\[0\]': an entry is called 'x\[0\]'"):
        br.read_model(model)
    with pm.Model() as model:
        x, scalar = pm.Normal("x", 0, F(1), shape=2), pm.Normal("x[0]", 0, F(1))
        pm.Normal("y", x[SEX] + pm.math.exp(scalar), F(1), observed=Y)
    with pytest.raises(UnsupportedModel, match=r"'x\[0\]': an entry is called 'x\[0\]'"):
        br.find_map(model, seed=1)


@pytest.mark.parametrize("power", [1, 3], ids=["a regression", "no regression"])
def test_a_variable_that_is_called_as_a_dimension_of_draws_is_not_sampled(power: int) -> None:
    """Its mode is found all the same."""
    with pm.Model() as model:
        pm.Normal("y", pm.Normal("chain", 0, F(1)) ** power, F(1), observed=Y)
    with pytest.raises(UnsupportedModel, match="'chain': is what a dimension of draws is called"):
        br.sample(model, **SMALL)
    fit = br.find_map(model, seed=1)
    assert fit.values is not None
    assert set(fit.values) == {"chain"}


def test_vectors_without_entries_are_not_spoken_of() -> None:
    """Neither their prior nor a part that they play; draws hold them, empty."""
    with pm.Model() as model:
        x, none = pm.Laplace("x", 0, F(1), shape=3), pm.Normal("none", 0, F(1), shape=0)
        pm.Normal("y", X @ x + np.zeros((N, 0)) @ none, F(1), observed=Y)
    read = br.read_model(model)
    assert isinstance(read.prior, br.Laplace)
    assert "none" not in str(read)
    assert br.sample(model, **SMALL)["posterior"]["none"].shape == (2, 60, 0)


def test_a_name_with_brackets_tells_which_variable_it_is() -> None:
    """So a problem has nothing to add to it; of a column's name alone it does."""
    with pm.Model(coords={"feature": ["age", "bmi", "c"]}) as model:
        pm.Normal("y", X @ pm.Normal("x[0]", 0, F(1), shape=3), F(1), observed=Y)
    assert "variables of the model" not in str(br.read_model(model))
    assert "variables of the model" not in str(br.read_model(several()[0]))
    assert "level is intercept" in str(br.read_model(one_vector()[0]))


def test_other_models_are_labelled_alike() -> None:
    """Those that are no regression: by coordinates wherever there are some, in every table."""
    with pm.Model(coords={"sex": ["f", "m"], "feature": ["age", "bmi", "c"]}) as model:
        beta = pm.Laplace("beta", 0, F(1), dims="feature")
        noise = pm.Exponential("noise", F(1), dims="sex")
        pm.Normal("y", X @ beta, noise[SEX], observed=Y)
    fit = find_model_map(model, seed=1)
    assert fit.names == ("beta[age]", "beta[bmi]", "beta[c]")
    assert list(fit.others) == ["noise[f]", "noise[m]"]
    frame = fit.to_frame()
    assert list(frame.index) == [*fit.names, *fit.others]
    np.testing.assert_array_equal(frame["value"], [*fit.coef, *fit.others.values()])
    elsewhere = fit.point | {"beta": fit.point["beta"] + [0.0, 0.0, 3.0]}
    assert certify_point(model, elsewhere).worst == "beta[c]"
    nowhere = fit.point | {"noise_log__": np.array([0.0, np.nan])}
    assert certify_point(model, nowhere).worst == "noise_log__[m]"
