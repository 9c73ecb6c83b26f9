"""A Bambi model is a PyMC model: it is read, solved, sampled and compared as one."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesreg as br
from bayesreg._bambi import pymc_model_of
from bayesreg.errors import InputError, UnsupportedModel

with warnings.catch_warnings():
    # Bambi loads packages that are deprecating things among themselves; none of it is ours.
    warnings.simplefilter("ignore")
    import bambi as bmb

# Bambi 0.21 asks pandas for columns of "object" dtype, which pandas 3 tells it to put otherwise.
pytestmark = pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes")

RNG = np.random.default_rng(3)
N = 60
DATA = pd.DataFrame(
    {"x": RNG.normal(3, 1, N), "z": RNG.normal(size=N), "g": np.repeat(["a", "b", "c"], N // 3)}
)
DATA["y"] = 1 + 2 * DATA["x"] + RNG.normal(size=N)
DATA["cured"] = (DATA["y"] + RNG.normal(size=N) > 7).astype(int)
LAPLACE = {name: {"mu": 0.0, "b": 0.4} for name in ("x", "z")}


def priors(**others: Any) -> dict[str, Any]:
    """Return a Laplace prior on each slope, and others."""
    return {name: bmb.Prior("Laplace", **v) for name, v in LAPLACE.items()} | others


@cache
def gaussian() -> Any:
    """A linear regression, not built yet."""
    half_normal = bmb.Prior("HalfNormal", sigma=2.0)
    return bmb.Model("y ~ x + z + g", DATA, priors=priors(sigma=half_normal))


@cache
def logistic() -> Any:
    """A logistic regression with Bambi's own prior on the intercept."""
    return bmb.Model("cured ~ x + z", DATA, family="bernoulli", priors=priors())


def by_hand(formula: str, prior: Any, likelihood: Any, scales: dict[str, float]) -> br.Problem:
    """Write a Bambi model with centred columns as a problem, its intercept as a column of ones."""
    encoding = br.Encoding.of(formula, DATA)
    X = encoding.encode(DATA).X
    columns = np.column_stack([np.ones(N), X - X.mean(axis=0)])
    return br.Problem(
        columns,
        encoding.response(DATA),
        likelihood=likelihood,
        prior=[
            (br.Normal(scales["sigma"], loc=scales["mu"]), [0]),
            (br.Laplace(0.4), [1, 2]),
            *prior,
        ],
        intercept=False,
    )


def intercept_of(model: Any) -> dict[str, float]:
    """Return the numbers of Bambi's prior on the intercept."""
    given = model.parameters[model.family.likelihood.parent].intercept_term.prior.args
    return {name: float(np.asarray(value).item()) for name, value in given.items()}


def test_a_linear_model_is_read_as_the_problem_that_it_is() -> None:
    """Columns centred, a normal prior on the intercept of the centred columns, sigma unknown."""
    model = gaussian()
    read = br.read_model(model)
    spread = model.parameters["mu"].terms["g"].prior.args["sigma"]
    own = by_hand(
        "y ~ x + z + g",
        [(br.Normal(np.asarray(spread)), [3, 4])],
        br.Gaussian(br.HalfNormal(2.0)),
        intercept_of(model),
    )
    coef = np.array([6.0, 1.5, -0.3, 0.4, 0.2])
    assert read.objective(coef, sigma=0.8) == pytest.approx(
        own.objective(coef, sigma=0.8), rel=1e-7
    )
    np.testing.assert_allclose(read.design.X, own.design.X, atol=1e-12)


def test_the_mode_has_the_density_of_the_model() -> None:
    """On the model's own variables, as PyMC computes it; nothing near it has a higher one."""
    model = gaussian()
    fit = br.find_map(model)
    density = model.backend.model.compile_logp(jacobian=False)
    assert fit.point is not None
    top = float(density(fit.point))
    assert top == pytest.approx(-fit.objective, rel=1e-7)
    rng = np.random.default_rng(0)
    for _ in range(20):
        near = {k: v + 1e-3 * rng.standard_normal(np.shape(v)) for k, v in fit.point.items()}
        assert float(density(near)) < top


def test_a_logistic_model_is_read_and_compared() -> None:
    """Bambi keeps its probabilities from 0 and 1; away from there it is the logistic regression."""
    model = logistic()
    read = br.read_model(model)
    own = by_hand("cured ~ x + z", [], br.Bernoulli(), intercept_of(model))
    coef = np.array([0.3, 0.8, -0.1])
    assert read.objective(coef) == pytest.approx(own.objective(coef), rel=1e-7)
    assert br.find_map(model).coef == pytest.approx(br.find_map(own).coef, abs=1e-6)
    table = br.compare(model, ["lbfgs"], seed=1, draws=100, chains=2, progress=False)
    assert table.mode.certificate.optimal
    assert table.mode.coef == pytest.approx(br.find_map(own).coef, abs=1e-6)


def test_a_model_is_built_where_it_is_not() -> None:
    """Once; and what is no Bambi model is left alone."""
    model = bmb.Model("y ~ x", DATA, priors={"sigma": bmb.Prior("HalfNormal", sigma=1.0)})
    assert not model.built
    built = pymc_model_of(model)
    assert model.built
    assert pymc_model_of(model) is built
    assert pymc_model_of(DATA) is DATA
    assert pymc_model_of(built) is built


def test_draws_hold_the_variables_of_the_model() -> None:
    """By their own names."""
    flat = {"sigma": bmb.Prior("HalfNormal", sigma=1.0), "Intercept": bmb.Prior("Flat")}
    model = bmb.Model("y ~ x", DATA, priors=flat)
    tree = br.sample(model, draws=50, chains=2, seed=1, progress=False)
    assert {"Intercept", "x", "sigma"} <= set(tree["posterior"])


def test_default_priors_are_read_and_compared() -> None:
    """A half-t prior on sigma, normal ones on slopes and intercept."""
    model = bmb.Model("y ~ x", DATA)
    fit = br.find_map(model)
    density = model.backend.model.compile_logp(jacobian=False)
    assert float(density(fit.point)) == pytest.approx(-fit.objective, rel=1e-7)
    table = br.compare(model, ["closed_form"], seed=1, draws=200, chains=2, progress=False)
    assert isinstance(table.problem.hyperpriors()["sigma"], br.HalfStudentT)
    assert table.draws.attrs["method"] == "exact"


def test_group_effects_have_a_mode_and_no_comparison() -> None:
    """What is no penalised regression is searched from several starts, and named where refused."""
    model = bmb.Model("y ~ x + (1|g)", DATA)
    words = (
        "product of .* belongs into their prior, where noncentered=False puts it in Bambi.*find_map"
    )
    with pytest.raises(UnsupportedModel, match=words):
        br.compare(model)
    fit = br.find_map(model, seed=1)
    density = model.backend.model.compile_logp(jacobian=False)
    assert float(density(fit.point)) == pytest.approx(-fit.objective, rel=1e-7)


def test_centred_group_effects_are_a_prior_of_unknown_scale_and_are_compared() -> None:
    """The same model, written so that it is a penalised regression."""
    model = bmb.Model("cured ~ x + (1|g)", DATA, family="bernoulli", noncentered=False)
    read = br.read_model(model)
    assert read.unknown == ("scale",)
    fit = br.find_map(read.given(scale=0.7))
    assert fit.certificate.optimal
    model_point = br.find_map(model, given={"scale": 0.7}).point
    density = model.backend.model.compile_logp(jacobian=False)
    assert float(density(model_point)) == pytest.approx(
        -read.objective(fit.coef, scale=0.7), rel=1e-7
    )
    table = br.compare(model, ["lbfgs"], seed=1, draws=100, chains=2, progress=False)
    assert table.mode.certificate.optimal


@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "poisson"])
def test_default_priors_of_every_family_are_read_with_the_density_of_the_model(family: str) -> None:
    """On their own variables, the intercept of the centred columns among them."""
    data = DATA.assign(count=np.arange(N) % 4)
    target = {"gaussian": "y", "bernoulli": "cured", "poisson": "count"}[family]
    model = bmb.Model(f"{target} ~ x + g", data, family=family)
    fit = br.find_map(model)
    assert fit.certificate.stationary
    density = model.backend.model.compile_logp(jacobian=False)
    assert float(density(fit.point)) == pytest.approx(-fit.objective, rel=1e-6)


def test_what_is_no_model_is_still_refused() -> None:
    """With what was found."""
    with pytest.raises(InputError, match="found str"):
        br.find_map("y ~ x")


def test_reading_says_that_the_intercept_is_that_of_centred_predictors() -> None:
    """Bambi's own fit moves it back, under the same name; not centred, there is nothing to say."""
    said = "Intercept is the level at the means of the predictors, which Bambi centres"
    read = br.read_model(gaussian())
    assert said in str(read)
    assert str(read).startswith(str(br.find_map(gaussian()).problem))
    options = {"priors": {"sigma": bmb.Prior("HalfNormal", sigma=1.0)}}
    for formula, centred in (("y ~ x", False), ("y ~ 0 + x", True), ("y ~ 1", True)):
        model = bmb.Model(formula, DATA, center_predictors=centred, **options)
        assert "centres" not in str(br.read_model(model))
