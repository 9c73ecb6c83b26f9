"""sample: arguments, choice of sampler, layout of the result, models of PyMC."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayesreg as br
from bayesreg.errors import ImproperPosterior, InputError, NoClosedForm

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

RNG = np.random.default_rng(30)
X, Y = RNG.normal(size=(8, 2)), RNG.normal(size=8)
RIDGE = br.Problem(X, Y, likelihood=br.Gaussian(1.0), prior=br.Normal(1.0), names=["dose", "age"])
LASSO = br.Problem(
    X,
    Y,
    likelihood=br.Gaussian(1.0),
    prior=br.Laplace(1.0),
    names=["dose", "age"],
    weights=np.arange(1.0, 9.0),
)
SMALL: dict[str, Any] = {"draws": 12, "tune": 40, "chains": 2, "seed": 1}

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no draws": ({"draws": 0}, "draws: must be at least 1"),
    "half a draw": ({"draws": 1.5}, "draws: must be a whole number"),
    "true draws": ({"draws": True}, "draws: must be a whole number"),
    "no chains": ({"chains": 0}, "chains: must be at least 1"),
    "text chains": ({"chains": "4"}, "chains: must be a whole number"),
    "no tuning": ({"tune": 0}, "tune: must be at least 1"),
    "negative seed": ({"seed": -1}, "seed:"),
    "fractional seed": ({"seed": 1.5}, "seed:"),
    "progress": ({"progress": "yes"}, "progress: must be True, False or None"),
    "log likelihood": ({"log_likelihood": 1}, "log_likelihood: must be True or False"),
    "all accepted": ({"target_accept": 1.0}, "target_accept: must lie strictly"),
    "method": ({"method": "nut"}, "method: 'nut' is not known; did you mean 'nuts'"),
    "no method": ({"method": None}, "method: None is not known"),
    "gibbs": ({"method": "gibbs"}, "method: 'gibbs' is not there yet; valid: auto, exact, nuts"),
}


@pytest.mark.parametrize(("arguments", "words"), BAD.values(), ids=BAD)
def test_bad_arguments_are_named(arguments: dict[str, Any], words: str) -> None:
    """Every argument is judged before anything is drawn."""
    with pytest.raises(InputError, match=words):
        br.sample(RIDGE, **arguments)


def test_not_a_problem() -> None:
    """Neither a problem nor a model."""
    with pytest.raises(InputError, match="must be a bayesreg Problem or a PyMC model"):
        br.sample([1.0, 2.0])


def _unknown(y: Any = Y, x: Any = X, **parts: Any) -> br.Problem:
    return br.Problem(x, y, **({"likelihood": br.Gaussian(1.0), "prior": br.Laplace(1.0)} | parts))


FLAT_SCALE: dict[str, Any] = {"prior": br.Laplace(br.Flat())}
FLAT_SIGMA: dict[str, Any] = {"likelihood": br.Gaussian(br.Flat())}
SOME_SIGMA: dict[str, Any] = {"likelihood": br.Gaussian(br.HalfNormal(1.0))}
IMPROPER = {
    "flat coefficients": (_unknown(Y[:1], X[:1], prior=br.Flat()), "flat on"),
    "flat sigma, two rows": (_unknown(Y[:2], X[:2], **FLAT_SIGMA), "sigma: a flat prior needs"),
    "constant y": (_unknown(np.ones(8), **SOME_SIGMA), "sigma: y is fitted exactly"),
    "y is a column": (_unknown(X[:, 0], **SOME_SIGMA), "sigma: y is fitted exactly"),
    "one coefficient": (_unknown(Y, X[:, :1], **FLAT_SCALE), "scale: a flat prior needs"),
    "separable": (
        _unknown((X[:, 0] > 0).astype(float), likelihood=br.Bernoulli(), **FLAT_SCALE),
        "scale: has a flat prior, and without a prior",
    ),
}


@pytest.mark.parametrize(("problem", "words"), IMPROPER.values(), ids=IMPROPER)
def test_improper_posteriors_are_refused(problem: br.Problem, words: str) -> None:
    """Nothing is drawn from what has no integral."""
    with pytest.raises(ImproperPosterior, match=words):
        br.sample(problem)


PROPER = {
    "flat sigma": _unknown(**FLAT_SIGMA),
    "flat scale": _unknown(**FLAT_SCALE),
    "gamma fits": _unknown(X[:, 0], likelihood=br.Gaussian(br.InverseGamma(1.0, 1.0))),
    "more columns than rows": _unknown(Y[:2], X[:2], **SOME_SIGMA),
}


@pytest.mark.parametrize("problem", PROPER.values(), ids=PROPER)
def test_proper_ones_are_not(problem: br.Problem) -> None:
    """The refusals above are not too eager."""
    tree = br.sample(problem, **SMALL)
    assert np.isfinite(tree["posterior"].to_dataset()["beta"]).all()


def test_auto_says_what_it_took_and_why() -> None:
    """The closed form where there is one, NUTS elsewhere with the reason against the other."""
    exact, nuts = br.sample(RIDGE, **SMALL).attrs, br.sample(LASSO, **SMALL).attrs
    assert exact["method"] == "exact"
    assert exact["reason"] == "auto: the posterior has a closed form, so the draws are independent"
    assert nuts["method"] == "nuts"
    assert "not exact: prior: the absolute value on 'dose'" in nuts["reason"]
    assert br.sample(RIDGE, "nuts", **SMALL).attrs["reason"] == "asked for"


@pytest.mark.parametrize("problem", [RIDGE, LASSO], ids=["exact", "nuts"])
def test_layout(problem: br.Problem, tmp_path: Path) -> None:
    """Groups, dimensions, labels and the record; it survives a round trip to disk."""
    tree = br.sample(problem, log_likelihood=True, **SMALL)
    assert set(tree.children) == {"posterior", "sample_stats", "observed_data", "log_likelihood"}
    posterior = tree["posterior"].to_dataset()
    assert posterior["beta"].dims == ("chain", "draw", "feature")
    assert posterior["beta"].shape == (2, 12, 2)
    assert posterior["feature"].to_numpy().tolist() == ["dose", "age"]
    assert posterior["intercept"].dims == ("chain", "draw")
    assert_allclose(tree["observed_data"].to_dataset()["y"], Y)
    stats = set(tree["sample_stats"].to_dataset().data_vars)
    assert "lp" in stats
    if problem is LASSO:
        assert {"diverging", "energy", "tree_depth", "n_steps", "step_size"} <= stats
    attrs = tree.attrs
    assert attrs["bayesreg_version"] == br.__version__
    assert attrs["numpy_version"] == np.__version__
    assert ("nutpie_version" in attrs) == (problem is LASSO)
    assert attrs["seed"] == "1"
    assert attrs["complete"] == 1
    assert attrs["seconds"] > 0
    assert attrs["problem"] == str(problem)
    assert datetime.fromisoformat(attrs["created"]).utcoffset() is not None
    assert all(isinstance(value, str | int | float) for value in attrs.values())


@pytest.mark.parametrize("problem", [RIDGE, LASSO], ids=["exact", "nuts"])
def test_log_likelihood(problem: br.Problem) -> None:
    """Rows sum to minus loss and constant; nothing is added unless asked for."""
    tree = br.sample(problem, log_likelihood=True, **SMALL)
    posterior = tree["posterior"].to_dataset()
    rows = tree["log_likelihood"].to_dataset()["y"]
    assert rows.dims == ("chain", "draw", "row")
    beta, intercept = posterior["beta"].to_numpy()[1, 3], float(posterior["intercept"][1, 3])
    constant = problem.likelihood.constant(Y, problem.design.row_weights)
    assert_allclose(float(rows[1, 3].sum()), -problem.loss(beta, intercept) - constant, rtol=1e-12)
    assert "log_likelihood" not in br.sample(problem, **SMALL).children


def test_progress_is_silent_where_nobody_looks(capfd: pytest.CaptureFixture[str]) -> None:
    """By default nothing is printed unless stderr is a terminal."""
    br.sample(LASSO, **SMALL)
    assert capfd.readouterr() == ("", "")


def test_a_generator_is_named_in_the_record() -> None:
    """It has no number to write down."""
    tree = br.sample(RIDGE, **(SMALL | {"seed": np.random.default_rng(3)}))
    assert tree.attrs["seed"] == "Generator(PCG64)"


def test_importing_loads_nothing_heavy() -> None:
    """Moments need NumPy and SciPy only."""
    code = (
        "import sys, bayesreg as br; br.posterior_moments(br.Problem([[1.0]], [1.0], "
        "likelihood=br.Gaussian(1.0), prior=br.Normal(1.0), intercept=False)); "
        "br.sample, br.diagnose; "
        "print({'pymc', 'nutpie', 'xarray', 'arviz_stats', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# --------------------------------------------------------------------------- models of PyMC


def test_a_readable_model_is_a_problem() -> None:
    """The same draws as from the problem that it is."""
    model = br.to_pymc(LASSO)
    of_model, of_problem = br.sample(model, **SMALL), br.sample(LASSO, **SMALL)
    assert_allclose(_beta(of_model), _beta(of_problem), rtol=1e-9)
    assert of_model.attrs["problem"] == str(LASSO)


def _beta(tree: xr.DataTree) -> Any:
    return tree["posterior"].to_dataset()["beta"].to_numpy()


def _unreadable() -> Any:
    import pymc as pm  # noqa: PLC0415  (3 s, for these tests only)

    with pm.Model(coords={"feature": ["a", "b"]}) as model:
        beta = pm.Logistic("effect", mu=0.0, s=0.6, dims="feature")
        pm.Normal("outcome", X @ beta, 1.0, observed=Y)
    return model


def test_the_closed_form_of_an_unreadable_model() -> None:
    """Refused, with the variable that stands in the way."""
    with pytest.raises(NoClosedForm, match="effect"):
        br.sample(_unreadable(), "exact")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_an_unreadable_model_is_sampled_as_it_stands() -> None:
    """Its own names, the same record, diagnosed like any other."""
    tree = br.sample(_unreadable(), draws=500, tune=500, seed=2)
    posterior = tree["posterior"].to_dataset()
    assert list(posterior.data_vars) == ["effect"]
    assert posterior["effect"].dims == ("chain", "draw", "feature")
    assert "effect" in tree.attrs["reason"]
    assert tree.attrs["method"] == "nuts"
    assert {"lp", "diverging", "energy"} <= set(tree["sample_stats"].to_dataset().data_vars)
    assert br.diagnose(tree).ok


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_model_with_discrete_variables_goes_to_pymc() -> None:
    """Which nutpie has no steps for."""
    import pymc as pm  # noqa: PLC0415  (3 s, for these tests only)

    with pm.Model() as model:
        chosen = pm.Bernoulli("chosen", 0.5)
        pm.Normal("y", chosen * 2.0, 1.0, observed=[1.0])
    tree = br.sample(model, draws=200, tune=50, chains=2, seed=3, progress=False)
    assert abs(float(tree["posterior"].to_dataset()["chosen"].mean()) - 0.5) < 0.2
    assert tree.attrs["complete"] == 1
