"""Models that are problems, under their own names: draws, values to condition on, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import arviz as az
import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from numpy.testing import assert_allclose
from pytensor.compile.mode import Mode

import bayesreg as br
from bayesreg.errors import DegenerateMode, InputError
from bayesreg.posterior import own_variables
from bayesreg.pymc_bridge import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import xarray as xr

CHEAP = Mode(linker="py", optimizer=None)
F = np.float64
RNG = np.random.default_rng(20)
N = 40
Z = RNG.normal(size=(N, 4))
Y = 1.5 + Z @ np.array([1.0, 0, -0.5, 0]) + 0.8 * RNG.normal(size=N)
COUNTS = RNG.poisson(np.exp(0.3 + 0.4 * Z[:, 0]))
SMALL: dict[str, Any] = {"draws": 60, "tune": 60, "chains": 2, "seed": 1, "progress": False}


def named() -> pm.Model:
    """Make a lasso whose names say nothing, with a deterministic."""
    with pm.Model() as model:
        noise = pm.HalfNormal("noise", F(2))
        effects = pm.Laplace("effects", F(0), F(0.5), shape=4)
        start = pm.Normal("start", F(0), F(10))
        mean = pm.Deterministic("mean", start + Z @ effects)
        pm.Normal("outcome", mean, noise, observed=Y)
    return model


def of_variance() -> pm.Model:
    """Make a ridge with an inverse-gamma variance and a known intercept column."""
    with pm.Model(coords={"feature": ["age", "sex", "dose", "bmi"]}) as model:
        v = pm.InverseGamma("v", F(3), F(2))
        b = pm.Normal("b", F(0), F(1), dims="feature")
        pm.Normal("y", pm.Flat("intercept") + Z @ b, v**0.5, observed=Y)
    return model


def of_a_matrix() -> pm.Model:
    """Make a lasso of unknown scale whose coefficients are a matrix and a positive number."""
    with pm.Model() as model:
        lam = pm.HalfCauchy("lam", F(1))
        block = pm.Laplace("block", F(0), lam, shape=(2, 2))
        up = pm.HalfNormal("up", F(1))
        mean = 1.5 + Z[:, :2] @ block[0] + Z[:, 2:3] @ block[1, :1] + Z[:, 3] * block[1, 1] + up
        pm.Normal("y", mean, F(0.8), observed=Y)
    return model


def crossed() -> pm.Model:
    """Make a lasso whose sigma is the scale, whose scale is sigma, whose beta is not all of it."""
    with pm.Model(coords={"feature": ["a", "b", "c"]}) as model:
        scale, sigma = pm.HalfNormal("scale", F(2)), pm.HalfCauchy("sigma", F(1))
        beta = pm.Laplace("beta", F(0), sigma, dims="feature")
        other = pm.Laplace("other", F(0), sigma)
        pm.Normal("y", 1.5 + Z[:, :3] @ beta + Z[:, 3] * other, scale, observed=Y)
    return model


def reordered() -> pm.Model:
    """Make a lasso whose columns follow a coordinate that is in another order than beta."""
    with pm.Model(coords={"all": ["c", "a", "d", "b"], "own": ["a", "b", "c", "d"]}) as model:
        beta = pm.Laplace("beta", F(0), F(0.5), dims="own")
        pm.Normal("y", 1.5 + Z @ beta, F(0.8), observed=Y)
    return model


def of_counts() -> pm.Model:
    """Make a Poisson regression with a half-Student-t coefficient."""
    with pm.Model() as model:
        rates = pm.StudentT("rates", nu=F(4), mu=F(0), sigma=F(0.5), shape=3)
        dose = pm.HalfStudentT("dose", nu=F(3), sigma=F(0.5))
        pm.Poisson("y", pm.math.exp(0.3 + Z[:, :3] @ rates + Z[:, 3] * dose), observed=COUNTS)
    return model


def log_densities(model: pm.Model, tree: xr.DataTree, count: int = 4) -> np.ndarray:
    """PyMC's log density of the first draws of the model's own variables."""
    density = model.compile_logp(jacobian=False, mode=CHEAP)
    posterior = tree["posterior"].to_dataset()
    found = []
    for draw in range(count):
        point = {}
        for rv in model.free_RVs:
            value = posterior[rv.name].transpose("chain", "draw", ...).to_numpy()[0, draw]
            transform = model.rvs_to_transforms[rv]
            if transform is not None:
                value = transform.forward(value, *rv.owner.inputs).eval()
            point[model.rvs_to_values[rv].name] = value
        found.append(float(density(point)))
    return np.array(found)


@pytest.mark.parametrize(
    "build",
    [named, of_variance, of_a_matrix, crossed, reordered, of_counts],
    ids=lambda build: build.__name__,
)
def test_own_variables_have_the_log_density_of_the_draws(build: Callable[[], pm.Model]) -> None:
    """PyMC's, of its own variables, is ours of the problem's: no value is another's."""
    model = build()
    tree = br.sample(model, **SMALL)
    assert tree.attrs["method"] != "laplace"
    assert "missing" not in tree.attrs
    names = {str(variable.name) for variable in [*model.free_RVs, *model.deterministics]}
    assert names <= set(tree["posterior"].to_dataset().data_vars)
    ours = tree["sample_stats"]["lp"].to_numpy()[0, :4]
    assert_allclose(log_densities(model, tree), ours, rtol=1e-9)


def test_pymc_draws_the_posterior_predictive() -> None:
    """Of the posterior, not of the prior: the same as our own, and near the data."""
    model = named()
    tree = br.sample(model, draws=1000, chains=2, seed=1, posterior_predictive=True, prior=True)
    posterior = tree["posterior"].to_dataset()
    assert list(posterior.data_vars) == ["beta", "sigma", "noise", "effects", "start", "mean"]
    assert posterior["effects"].dims == ("chain", "draw", "effects_dim_0")
    level = posterior["start"].to_numpy()[..., None] + posterior["effects"].to_numpy() @ Z.T
    assert_allclose(posterior["mean"], level, rtol=1e-12, atol=1e-12)
    new = pm.sample_posterior_predictive(
        tree, model=model, random_seed=1, progressbar=False, compile_kwargs={"mode": CHEAP}
    )["posterior_predictive"]["outcome"].to_numpy()
    own = tree["posterior_predictive"]["y"].to_numpy()
    size = np.sqrt(2000)
    spread = own.std(axis=(0, 1))
    # Six standard errors of a difference of two means, and of two logarithms of sds, at 40 rows.
    assert (np.abs((new - own).mean(axis=(0, 1))) < 6 * spread * np.sqrt(2) / size).all()
    assert (np.abs(np.log(new.std(axis=(0, 1)) / spread)) < 6 / size).all()
    assert np.corrcoef(new.mean(axis=(0, 1)), Y)[0, 1] > 0.7
    prior = tree["prior"].to_dataset()
    assert set(prior.data_vars) == set(posterior.data_vars)
    assert 8 < float(prior["start"].std()) < 12
    assert "mean[39]" in az.summary(tree).index


def test_names_that_coincide_are_one() -> None:
    """A model that we wrote has no variable twice, and there is nothing to say of its names."""
    data = br.Problem(
        Z, Y, likelihood=br.Gaussian(br.InverseGamma(3.0, 2.0)), prior=br.Laplace(br.HalfCauchy(1))
    )
    model = br.to_pymc(data)
    tree = br.sample(model, **SMALL)
    posterior = tree["posterior"].to_dataset()
    assert list(posterior.data_vars) == ["beta", "intercept", "sigma", "scale", "sigma2"]
    assert posterior["beta"].dims == ("chain", "draw", "feature")
    assert_allclose(posterior["sigma2"], posterior["sigma"] ** 2)
    assert tree.attrs["variables"] == "sigma2 is sigma²"
    plain = br.Problem(Z, Y, likelihood=br.Gaussian(1.0), prior=br.Laplace(1.0))
    assert str(br.read_model(br.to_pymc(plain))) == str(plain)


def test_names_of_ours_that_are_others_go_to_the_model() -> None:
    """What PyMC looks up by name is what the model calls so; ours have another name then."""
    tree = br.sample(crossed(), **SMALL)
    posterior = tree["posterior"].to_dataset()
    assert posterior["beta"].dims == ("chain", "draw", "feature")
    assert posterior["beta"].coords["feature"].to_numpy().tolist() == ["a", "b", "c"]
    assert posterior["problem_beta"].dims == ("chain", "draw", "problem_feature")
    assert_allclose(posterior["problem_beta"][..., :3], posterior["beta"])
    assert_allclose(posterior["problem_sigma"], posterior["scale"])
    assert_allclose(posterior["problem_scale"], posterior["sigma"])
    assert tree.attrs["variables"] == "scale is sigma; sigma is scale; beta, other are beta"
    assert br.find_map(crossed(), given={"sigma": 0.5, "scale": 0.8}).scale == 0.5


def test_own_dimensions_may_be_called_like_ours() -> None:
    """Ours is renamed where the labels differ; numbers stay numbers."""
    with pm.Model(coords={"feature": [10, 20, 30, 40]}) as model:
        effects = pm.Laplace("effects", F(0), F(0.5), dims="feature")
        pm.Normal("y", 1.5 + Z @ effects, F(0.8), observed=Y)
    posterior = br.sample(model, **SMALL)["posterior"].to_dataset()
    assert posterior["effects"].coords["feature"].to_numpy().tolist() == [10, 20, 30, 40]
    assert posterior["beta"].dims == ("chain", "draw", "problem_feature")


def test_what_cannot_be_computed_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A deterministic that is too large; draws are saved and judged with all the rest."""
    monkeypatch.setattr(own_variables, "_MOST_NUMBERS", 1000)
    with named() as model:
        pm.Deterministic("double", 2 * model["noise"])
        pm.Deterministic("residual", model["outcome"] - model["start"])
        pm.Deterministic("known", pt.constant(np.arange(3.0)))
    tree = br.sample(model, **SMALL)
    posterior = tree["posterior"].to_dataset()
    assert set(posterior.data_vars) >= {"noise", "double", "known"}
    assert_allclose(posterior["double"], 2 * posterior["noise"])
    assert "mean: 40 numbers at every draw are too many to keep" in tree.attrs["missing"]
    assert "residual: 40 numbers" in tree.attrs["missing"]
    assert br.load_draws(br.save_draws(tree, tmp_path / "x.nc")).identical(tree)
    monkeypatch.undo()
    whole = br.sample(model, **SMALL)["posterior"].to_dataset()
    assert_allclose(whole["residual"], Y - whole["start"].to_numpy()[..., None])


def test_an_interruption_keeps_the_free_variables() -> None:
    """Deterministics cost time, the others none."""
    model = named()
    reading = read(model)
    tree = br.sample(model, **SMALL)
    ours = tree["posterior"].to_dataset()[["beta", "sigma"]]
    kept, notes = own_variables.OwnVariables(model, reading).free_only.added(ours)
    assert list(kept.data_vars) == ["beta", "sigma", "noise", "effects", "start"]
    assert notes == {"variables": "noise is sigma; effects, start are beta"}


# --------------------------------------------------------------------------- names in messages


def test_a_problem_says_which_variable_is_what() -> None:
    """When printed; it is the same problem."""
    problem = br.read_model(named())
    assert str(problem).splitlines()[-2:] == [
        "  variables of the model: noise is sigma; effects, start are beta",
        "  no unpenalised intercept: start is a coefficient with a prior",
    ]
    assert problem == br.read_model(named())
    assert "variables" not in str(problem.given(sigma=1.0))


def unknown_scale() -> pm.Model:
    """Make a lasso of unknown scale and variance."""
    with pm.Model() as model:
        lam, v = pm.HalfCauchy("lam", F(1)), pm.InverseGamma("v", F(3), F(2))
        effects = pm.Laplace("effects", F(0), lam, shape=4)
        pm.Normal("y", 1.5 + Z @ effects, v**0.5, observed=Y)
    return model


def test_values_are_given_by_either_name() -> None:
    """Also of a variance, whose root is sigma."""
    model = unknown_scale()
    one = br.find_map(model, given={"lam": 0.5, "v": 0.64})
    two = br.find_map(model, given={"scale": 0.5, "sigma": 0.8})
    assert isinstance(one, br.MapEstimate)
    assert_allclose(one.coef, two.coef, rtol=1e-12)
    assert "scale (your 'lam') = 0.5" in one.space
    path = br.map_path(model, scales=[0.25, 0.5], given={"v": 0.64})
    assert_allclose(path.coef[1], one.coef, rtol=1e-9)
    normal = br.laplace_approximation(model, given={"lam": 0.5, "v": 0.64})
    assert_allclose(normal.mean, one.coef, rtol=1e-9)


@pytest.mark.parametrize("build", [named, of_variance, of_a_matrix, crossed, reordered, of_counts])
def test_a_mode_has_the_values_of_the_models_own_variables(build: Callable[[], pm.Model]) -> None:
    """By name, untransformed, of their own shape: undone, the values of `point`."""
    model = build()
    given = {of_a_matrix: {"lam": 0.5}, crossed: {"sigma": 0.5}}  # scales, whatever their names
    fit = br.find_map(model, given=given.get(build))
    assert fit.values is not None
    assert fit.point is not None
    assert list(fit.values) == [rv.name for rv in model.free_RVs]
    free = model.free_RVs
    inverse = [
        value if transform is None else transform.backward(value, *rv.owner.inputs)
        for rv, value, transform in (
            (rv, model.rvs_to_values[rv], model.rvs_to_transforms[rv]) for rv in free
        )
    ]
    undo = model.compile_fn(inverse, mode=CHEAP, on_unused_input="ignore")
    for rv, wanted in zip(free, undo(fit.point), strict=True):
        assert fit.values[rv.name].shape == wanted.shape
        assert_allclose(fit.values[rv.name], wanted, rtol=1e-12)


def test_a_problem_has_no_variables_of_its_own() -> None:
    """So its mode has no values by their names."""
    fit = br.find_map(br.read_model(of_variance()))
    assert fit.values is None
    assert fit.point is None


def test_a_comparison_speaks_as_find_map_does() -> None:
    """Own names in what is conditioned on, in the refusal, in the table and on the page."""
    with pm.Model() as model:
        tau, noise = pm.HalfCauchy("tau", F(1)), pm.HalfNormal("noise", F(2))
        effects = pm.Laplace("effects", F(0), tau, shape=4)
        pm.Normal("y", 1.5 + Z @ effects, noise, observed=Y)
    said: list[str] = []
    table = br.compare(
        model, ["fista"], seed=1, draws=200, chains=2, progress=False, announce=said.append
    )
    assert "medians of sigma (your 'noise') and scale (your 'tau')" in " ".join(said)
    with pytest.raises(DegenerateMode) as refusal:
        br.find_map(model)
    assert table.joint_refusal == str(refusal.value)
    assert 'given={"tau": 1.0}' in str(table.joint_refusal)
    assert table.draws.attrs["variables"] == "tau is scale; noise is sigma; effects is beta"
    drawn = table.draws["posterior"]
    medians = {"tau": drawn["scale"], "noise": drawn["sigma"]}
    mode = br.find_map(model, given={own: float(d.median()) for own, d in medians.items()})
    assert table.mode.space == mode.space
    assert table.mode.values is not None
    assert mode.values is not None
    assert_allclose(table.mode.values["effects"], mode.values["effects"], rtol=1e-12)
    rows = [line for line in str(table).splitlines() if "(your" in line.split("  ")[0]]
    assert [row.split("  ")[0] for row in rows[-2:]] == [
        "sigma (your 'noise')",
        "scale (your 'tau')",
    ]
    assert (
        br.compare(table.problem, ["fista"], seed=1, draws=200, chains=2, progress=False).called(
            "scale"
        )
        == "scale"
    )


def test_messages_name_the_models_own_variables() -> None:
    """Of what is unknown, of what can be given, of what is wrong with a value."""
    model = unknown_scale()
    with pytest.raises(DegenerateMode, match=r"^scale \(your 'lam'\): .*given=\{\"lam\": 1.0\}"):
        br.find_map(model)
    with pytest.raises(DegenerateMode, match=r"^scale \(your 'lam'\)"):
        br.laplace_approximation(model)
    with pytest.raises(InputError, match=r"given: 'tau' is not known.*sigma, scale, lam, v"):
        br.find_map(model, given={"tau": 1.0})
    with pytest.raises(InputError, match="given: 'lam' and 'scale' are one, the scale"):
        br.find_map(model, given={"lam": 1.0, "scale": 2.0})
    with pytest.raises(InputError, match="lam: must be"):
        br.find_map(model, given={"lam": -1.0})


# --------------------------------------------------------------------------- other models


def counted() -> pm.Model:
    """Make a model with a count, which NUTS cannot draw."""
    with pm.Model() as model:
        k = pm.Poisson("k", F(3))
        pm.Normal("y", k, F(1), observed=np.array([2.0, 2.2]))
    return model


def test_discrete_variables_are_said_to_be_drawn_by_other_steps(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Quietly; and the record holds the model in words."""
    tree = br.sample(counted(), draws=300, tune=100, chains=2, seed=3, progress=False)
    assert tree.attrs["method"] == "pymc: Metropolis"
    assert tree.attrs["problem"] == "k ~ Poisson(3)\ny ~ Normal(k, 1)"
    assert "'k'" in tree.attrs["reason"]
    assert "".join(capfd.readouterr()) == ""
    assert not caplog.records
    assert abs(float(tree["posterior"]["k"].mean()) - 2.3) < 0.5


def test_nuts_is_not_taken_for_what_it_cannot_draw() -> None:
    """Asked for by name it refuses, and says what to do."""
    with pytest.raises(InputError, match="'nuts' cannot draw 'k', which is discrete"):
        br.sample(counted(), "nuts", **SMALL)
