"""sample: arguments, choice of sampler, layout of the result, models of PyMC."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import arviz as az
import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayesreg as br
from bayesreg.errors import (
    ImproperPosterior,
    InputError,
    NoClosedForm,
    SamplingFailed,
    SamplingWarning,
)
from bayesreg.posterior import reason_against_sampling, sampling, tails, unknowns
from bayesreg.posterior.predictive import from_prior
from bayesreg.posterior.sampling import SAMPLERS
from tests.problems import data, every_example, likelihood_examples

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

    from bayesreg.priors import Prior

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
    "prior": ({"prior": 1}, "prior: must be True or False, found 1"),
    "predictive": ({"posterior_predictive": None}, "posterior_predictive: must be True or False"),
    "too much": ({"draws": 10**9}, "draws: 4 chains of 1000000000 draws of 3 numbers need 96 GB"),
    "rows too": (
        {"draws": 10**8, "log_likelihood": True, "prior": True},
        "of 14 numbers need 44.8 GB; ask for fewer",
    ),
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
    "y is a column, heavy tails": (
        _unknown(X[:, 0], **SOME_SIGMA, prior=br.Horseshoe(1.0, relative_to="sigma")),
        "sigma: y is fitted exactly",
    ),
    "constant y, all under a spike": (
        _unknown(np.ones(3), X[:3].repeat(2, axis=1), **SOME_SIGMA, prior=br.SpikeSlab(0.5, 1.0)),
        "sigma: y is fitted exactly",
    ),
    "flat part of a horseshoe": (
        _unknown(Y[:1], X[:1], prior=br.Horseshoe([1.0, np.inf])),
        r"flat on .*'x1'|flat on .*x1",
    ),
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
    "y is a column, light tails": _unknown(
        X[:, 0], **SOME_SIGMA, prior=br.Laplace(1.0, relative_to="sigma"), intercept=False
    ),
    "horseshoe of unknown scale": _unknown(prior=br.Horseshoe(br.HalfCauchy(1.0))),
    "a slab with Cauchy tails": _unknown(prior=br.RegularizedHorseshoe(1.0, 2.0, 1.0)),
}


@pytest.mark.parametrize("problem", PROPER.values(), ids=PROPER)
def test_proper_ones_are_not(problem: br.Problem) -> None:
    """The refusals above are not too eager."""
    tree = br.sample(problem, **SMALL)
    assert np.isfinite(tree["posterior"].to_dataset()["beta"]).all()


GROUP = br.Problem(
    X,
    Y,
    likelihood=br.Gaussian(br.HalfNormal(1.0)),
    prior=br.LInfinity(1.0),
    names=["dose", "age"],
)
HORSESHOE = LASSO.with_prior(br.Horseshoe(br.HalfCauchy(1.0)))
ROUTES = {"exact": RIDGE, "gibbs": LASSO, "nuts": GROUP, "laplace": RIDGE}


def test_the_samplers_best_first() -> None:
    """The approximation comes last, and auto never takes it."""
    assert [sampler.name for sampler in SAMPLERS] == ["exact", "gibbs", "nuts", "laplace"]
    assert [sampler.approximate for sampler in SAMPLERS] == [False, False, False, True]


def test_auto_says_what_it_took_and_why() -> None:
    """The first that fits, with the reason against each of those before it."""
    exact, gibbs, nuts = (br.sample(p, **SMALL).attrs for p in (RIDGE, HORSESHOE, GROUP))
    assert exact["method"] == "exact"
    assert exact["reason"] == "auto: the posterior is known exactly, so the draws are independent"
    assert gibbs["method"] == "gibbs"
    assert "; method 'exact' does not apply: prior: is Horseshoe" in gibbs["reason"]
    assert nuts["method"] == "nuts"
    assert "; method 'exact' does not apply: prior: is LInfinity" in nuts["reason"]
    assert (
        "; method 'gibbs' does not apply: prior: that of 'dose', LInfinity, is no" in nuts["reason"]
    )
    assert br.sample(RIDGE, "nuts", **SMALL).attrs["reason"] == "asked for"


def test_a_sampler_that_does_not_fit_names_one_that_does() -> None:
    """With its reason."""
    with pytest.raises(NoClosedForm, match=r'is Horseshoe.*; use method="gibbs"'):
        br.sample(HORSESHOE, "exact")
    with pytest.raises(InputError, match=r"'gibbs' does not take this .*; use method=\"nuts\""):
        br.sample(GROUP, "gibbs")
    with pytest.raises(InputError, match=r"'laplace' does not take .*; use method=\"gibbs\""):
        br.sample(HORSESHOE, "laplace")


@pytest.mark.parametrize("name", every_example())
def test_every_prior_can_be_sampled_by_something(name: str) -> None:
    """Under every likelihood, as the registry says; all but counts under a spike."""
    for family, likelihood in likelihood_examples().items():
        x, y = data(likelihood, seed=1)
        problem = br.Problem(x, y, likelihood=likelihood, prior=every_example()[name])
        reason = reason_against_sampling(problem)
        if (name, family) == ("spike-slab", "poisson"):
            assert "whose atom at 0 has no gradient for NUTS to follow" in str(reason)
        else:
            assert reason is None


def test_where_no_sampler_fits_every_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it would be if NUTS were not there."""
    monkeypatch.setattr(sampling, "SAMPLERS", SAMPLERS[:2])
    reason = reason_against_sampling(GROUP)
    assert reason is not None
    because = "method 'exact' does not apply: prior: is LInfinity"
    assert reason.startswith(f"no sampler takes LInfinity here: {because}")
    assert "; method 'gibbs' does not apply: prior: that of 'dose'" in reason
    with pytest.raises(InputError, match="no sampler takes LInfinity here: method 'exact'"):
        br.sample(GROUP)


@pytest.mark.parametrize("method", ROUTES)
def test_layout(method: str, tmp_path: Path) -> None:
    """Groups, dimensions, labels and the record, whatever the route; bit by bit from disk."""
    problem = ROUTES[method]
    tree = br.sample(problem, method, log_likelihood=True, prior=True, **SMALL)
    assert list(tree.children) == [
        *("posterior", "sample_stats", "observed_data", "log_likelihood", "prior")
    ]
    posterior = tree["posterior"].to_dataset()
    assert posterior["beta"].dims == ("chain", "draw", "feature")
    assert posterior["beta"].shape == (2, 12, 2)
    assert posterior["feature"].to_numpy().tolist() == ["dose", "age"]
    assert posterior["intercept"].dims == ("chain", "draw")
    assert ("sigma" in posterior) == (problem is GROUP)
    assert list(tree["prior"].to_dataset()) == ["beta"] + ["sigma"] * (problem is GROUP)
    assert_allclose(tree["observed_data"].to_dataset()["y"], Y)
    stats = set(tree["sample_stats"].to_dataset().data_vars)
    assert "lp" in stats
    if method == "nuts":
        assert {"diverging", "energy", "tree_depth", "n_steps", "step_size"} <= stats
    attrs = tree.attrs
    assert attrs["bayesreg_version"] == br.__version__
    assert attrs["numpy_version"] == np.__version__
    assert ("nutpie_version" in attrs) == (method == "nuts")
    assert (attrs["method"], attrs["seed"], attrs["complete"]) == (method, "1", 1)
    assert attrs["seconds"] > 0
    assert attrs["problem"] == str(problem)
    assert datetime.fromisoformat(attrs["created"]).utcoffset() is not None
    assert all(isinstance(value, str | int | float) for value in attrs.values())
    assert br.load_draws(br.save_draws(tree, tmp_path / "x.nc")).identical(tree)


@pytest.mark.parametrize("method", ROUTES)
def test_log_density_and_likelihood(method: str) -> None:
    """They are those of the problem, at every draw."""
    problem = ROUTES[method]
    tree = br.sample(problem, method, log_likelihood=True, **SMALL)
    posterior = tree["posterior"].to_dataset().isel(chain=1, draw=3)
    rows = tree["log_likelihood"].to_dataset()["y"]
    assert rows.dims == ("chain", "draw", "row")
    at = {name: float(posterior[name]) for name in problem.unknown}
    beta, intercept = posterior["beta"].to_numpy(), float(posterior["intercept"])
    known = problem.given(**at)
    constant = known.likelihood.constant(Y, problem.design.row_weights)
    assert_allclose(float(rows[1, 3].sum()), -known.loss(beta, intercept) - constant, rtol=1e-12)
    lp = float(tree["sample_stats"].to_dataset()["lp"][1, 3])
    assert_allclose(lp, -problem.objective(beta, intercept, **at), rtol=1e-12)
    assert "log_likelihood" not in br.sample(problem, method, **SMALL).children


@pytest.mark.filterwarnings("ignore:Estimated shape parameter")
def test_arviz_compares_models() -> None:
    """Loo and compare take what we return, whatever the route: a ridge, a lasso, a horseshoe."""
    x = np.random.default_rng(8).normal(size=(60, 4))
    y = 3 * x[:, 0] + np.random.default_rng(9).normal(size=60)
    priors = {"exact": br.Normal(0.05), "gibbs": br.Horseshoe(0.3), "nuts": br.LInfinity(0.05)}
    trees = {
        method: br.sample(
            br.Problem(x, y, likelihood=br.Gaussian(1.0), prior=prior, intercept=False),
            **(SMALL | {"draws": 300, "tune": 300, "log_likelihood": True}),
        )
        for method, prior in priors.items()
    }
    assert [tree.attrs["method"] for tree in trees.values()] == list(priors)
    table = az.compare(trees)
    # The other two shrink the one large coefficient by far too much.
    assert table.index[0] == "gibbs"
    assert table.loc["gibbs", "elpd"] > table.loc["exact", "elpd"] + 30
    # Against the closed form: a ridge leaves row i out by e_i/(1 - h_i) (Cook & Weisberg 1982).
    shrunk = x @ np.linalg.solve(x.T @ x + np.eye(4) / 0.05**2, x.T)
    spread = 1 / (1 - np.diag(shrunk))
    residual = (y - shrunk @ y) * spread
    elpd = -0.5 * (np.log(2 * np.pi * spread) + residual**2 / spread).sum()
    assert abs(float(az.loo(trees["exact"]).elpd) - elpd) < 0.5


# --------------------------------------------------------------------------- prior and new targets


def test_draws_from_the_prior() -> None:
    """Moments and quantiles of each unknown; a relative scale moves with sigma."""
    problem = _unknown(
        likelihood=br.Gaussian(br.InverseGamma(6.0, 10.0)),
        prior=br.Laplace(br.HalfCauchy(2.0), relative_to="sigma"),
    )
    prior = from_prior(problem, np.random.default_rng(3), 4, 1250)
    precision = prior["sigma"] ** -2.0  # gamma: mean 0.6, variance 0.06
    assert abs(precision.mean() - 0.6) < 5 * np.sqrt(0.06 / 5000)
    below = (prior["scale"] < 2.0).mean()  # 2 is the median
    assert abs(below - 0.5) < 5 * np.sqrt(0.25 / 5000)
    unit = np.abs(prior["beta"]) / (prior["sigma"] * prior["scale"])[..., None]
    assert abs(unit.mean() - 1.0) < 5 / np.sqrt(10000)  # exponential with mean 1
    assert abs((unit > 2.0).mean() - np.exp(-2.0)) < 5 * np.sqrt(0.12 / 10000)
    others = {br.HalfNormal(3.0): 2.0235, br.Exponential(3.0): 2.0794}  # 3 Φ⁻¹(¾), 3 log 2
    for hyper, median in others.items():
        drawn = from_prior(_unknown(prior=br.Normal(hyper)), np.random.default_rng(4), 4, 1250)
        assert abs((drawn["scale"] < median).mean() - 0.5) < 5 * np.sqrt(0.25 / 5000)


FLAT = {
    "a coefficient": (_unknown(prior=br.Laplace([1.0, np.inf])), "flat, so improper, on 'x1'"),
    "sigma": (_unknown(**FLAT_SIGMA), "prior: that of sigma is flat"),
    "scale": (_unknown(**FLAT_SCALE), "prior: that of scale is flat"),
    "a level": (_unknown(prior=br.Fused(1.0)), "first_scale: is inf"),
}


@pytest.mark.parametrize("case", FLAT)
def test_improper_priors_cannot_be_drawn_from(case: str) -> None:
    """Refused by name, before anything is drawn; without the request nothing is said."""
    problem, words = FLAT[case]
    with pytest.raises(InputError, match=words):
        br.sample(problem, prior=True, **SMALL)


def test_new_targets() -> None:
    """Mean and variance of the posterior predictive are those of the closed form."""
    weights = np.arange(1.0, 9.0)
    problem = br.Problem(
        X,
        Y,
        likelihood=br.Gaussian(0.5),
        prior=br.Normal(1.0),
        intercept=False,
        weights=weights,
        offset=np.linspace(0, 3, 8),
    )
    tree = br.sample(problem, seed=2, draws=5000, posterior_predictive=True)
    new = tree["posterior_predictive"].to_dataset()["y"]
    assert new.dims == ("chain", "draw", "row")
    moments = br.posterior_moments(problem)
    mean = X @ moments.mean + np.linspace(0, 3, 8)
    variance = np.diag(X @ moments.covariance @ X.T) + 0.25 / weights
    values = new.to_numpy().reshape(-1, 8)
    assert_allclose(values.mean(axis=0), mean, atol=5 * np.sqrt(variance.max() / 20000))
    assert_allclose(values.var(axis=0), variance, rtol=5 * np.sqrt(2 / 20000))


def test_new_targets_of_other_families() -> None:
    """Zeros and ones, and counts; under an unknown sigma the noise is that of each draw."""
    for likelihood in (br.Bernoulli(), br.Poisson()):
        problem = _unknown(np.array([0.0, 1, 0, 1, 1, 0, 1, 0]), likelihood=likelihood)
        asked = SMALL | {"posterior_predictive": True}
        values = br.sample(problem, **asked)["posterior_predictive"].to_dataset()["y"].to_numpy()
        assert (values == np.round(values)).all()
        assert values.min() == 0
    tree = br.sample(
        _unknown(**SOME_SIGMA, prior=br.Normal(1e-6)), **(asked | {"draws": 2000, "chains": 4})
    )
    drawn = tree["posterior"].to_dataset()
    noise = tree["posterior_predictive"].to_dataset()["y"] - drawn["intercept"]
    ratio = (noise / drawn["sigma"]).to_numpy()
    assert abs(ratio.std() - 1) < 5 / np.sqrt(2 * ratio.size / 8)


def test_groups_do_not_depend_on_each_other() -> None:
    """The same seed gives the same draws and targets, whatever else is asked for."""
    one = br.sample(RIDGE, posterior_predictive=True, **SMALL)
    all_of_them = br.sample(
        RIDGE, posterior_predictive=True, prior=True, log_likelihood=True, **SMALL
    )
    for group in one.children:
        assert one[group].to_dataset().identical(all_of_them[group].to_dataset())


# --------------------------------------------------------------------------- interrupted


def test_an_interrupt_after_the_draws_costs_the_groups_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C while the likelihood of every row is computed: the draws are kept, and marked."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bayesreg.posterior.layout.log_likelihood", interrupted)
    with pytest.warns(SamplingWarning, match="2 chains of 12 draws are kept"):
        tree = br.sample(LASSO, log_likelihood=True, **SMALL)
    assert tree.attrs["complete"] == 0
    assert "log_likelihood" not in tree.children
    assert tree["posterior"].sizes["draw"] == 12
    assert "interrupted" in br.diagnose(tree).verdict


@pytest.mark.parametrize("method", ["exact", "laplace"])
def test_ctrl_c_between_batches_of_independent_draws(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batches that were finished are returned; without one there is nothing to return."""
    monkeypatch.setattr("bayesreg.posterior.base._BATCH", 10)
    for made in (0, 2):
        rng = _Impatient(np.random.PCG64(1))
        rng.patience = made * (1 if method == "laplace" else 2)
        if not made:
            with pytest.raises(KeyboardInterrupt):
                br.sample(RIDGE, method, draws=100, chains=3, seed=rng)
            continue
        with pytest.warns(SamplingWarning, match="3 chains of 20 draws are kept"):
            tree = br.sample(RIDGE, method, draws=100, chains=3, seed=rng)
        assert tree.attrs["complete"] == 0
        assert tree["posterior"]["beta"].shape == (3, 20, 2)


class _Impatient(np.random.Generator):
    """A source of randomness whose user presses Ctrl-C after so many calls."""

    patience = 0

    def standard_normal(self, *args: Any, **kwargs: Any) -> Any:
        """Draw, or be interrupted."""
        self.patience -= 1
        if self.patience < 0:
            raise KeyboardInterrupt
        return super().standard_normal(*args, **kwargs)


@pytest.mark.parametrize("method", ["gibbs", "nuts"])
def test_ctrl_c_returns_the_draws_so_far(method: str) -> None:
    """Marked incomplete, of chains of one length, and never called good."""
    br.sample(LASSO, method, **SMALL)  # what is to be compiled is compiled
    watch = threading.Timer(1.5, signal.raise_signal, (signal.SIGINT,))
    watch.start()
    try:
        with pytest.warns(SamplingWarning, match="interrupted"):
            tree = br.sample(LASSO, method, draws=3_000_000, chains=2, tune=10, seed=1)
    finally:
        watch.cancel()
    assert tree.attrs["complete"] == 0
    sizes = tree["posterior"].sizes
    assert 1 <= sizes["chain"] <= 2
    assert 1 <= sizes["draw"] < 3_000_000
    assert np.isfinite(tree["posterior"].to_dataset()["beta"]).all()
    assert br.diagnose(tree.isel(draw=slice(100))).ok is False


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


EVERY_GROUP = {"log_likelihood": True, "prior": True, "posterior_predictive": True}


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


def test_whatever_stops_pymc_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was killed, say: an error of the package, with the first line of the cause."""

    def killed(*_: object) -> None:
        msg = "Chain 1 failed.\nTraceback ..."
        raise RuntimeError(msg)

    monkeypatch.setattr("bayesreg.posterior.sampling.sample_model", killed)
    with pytest.raises(SamplingFailed, match=r"^PyMC stopped: Chain 1 failed\.$"):
        br.sample(_unreadable())


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_an_unreadable_model_is_sampled_as_it_stands(tmp_path: Path) -> None:
    """Its own names, the same record, diagnosed like any other."""
    asked: dict[str, Any] = EVERY_GROUP
    tree = br.sample(_unreadable(), draws=500, tune=500, seed=2, **asked)
    posterior = tree["posterior"].to_dataset()
    assert list(posterior.data_vars) == ["effect"]
    assert posterior["effect"].dims == ("chain", "draw", "feature")
    assert "effect" in tree.attrs["reason"]
    assert tree.attrs["method"] == "nuts"
    assert {"lp", "diverging", "energy"} <= set(tree["sample_stats"].to_dataset().data_vars)
    assert br.diagnose(tree).ok
    assert_allclose(tree["observed_data"].to_dataset()["outcome"], Y)
    for group in ("log_likelihood", "posterior_predictive"):
        assert tree[group].to_dataset()["outcome"].shape == (4, 500, 8)
    prior = tree["prior"].to_dataset()["effect"]
    assert prior.dims == ("chain", "draw", "feature")
    assert prior.shape == (4, 500, 2)
    assert abs(np.median(np.abs(prior)) - 0.6 * np.log(3)) < 0.1  # quartile of a logistic
    assert np.isfinite(az.loo(tree).elpd)
    assert br.load_draws(br.save_draws(tree, tmp_path / "x.nc")).identical(tree)


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


# --------------------------------------------------------------------------- separated classes


def _classes(*, apart: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    y = np.repeat([0.0, 1.0], 20)
    X = rng.normal(size=(40, 3))
    X[:, 0] = np.abs(X[:, 0]) * (2 * y - 1) + 0.1 * (2 * y - 1)
    if not apart:
        X[0, 0] = 5.0
    return X, y


@pytest.mark.parametrize(
    "prior",
    [
        br.Laplace(scale=br.HalfCauchy(1.0)),
        br.Horseshoe(scale=1.0),
        br.StudentT(scale=1.0, nu=1.0),
    ],
    ids=["scale", "horseshoe", "cauchy"],
)
def test_separated_classes_and_a_flat_intercept_need_light_tails(prior: Prior) -> None:
    """At distance r the intercept ranges over r: a tail r^-2 leaves an integral of 1/r."""
    X, y = _classes(apart=True)
    with pytest.raises(ImproperPosterior, match="no integral"):
        br.sample(br.Problem(X, y, likelihood=br.Bernoulli(), prior=prior), draws=10, tune=10)
    for problem in (
        br.Problem(X, y, likelihood=br.Bernoulli(), prior=prior, intercept=False),
        br.Problem(*_classes(apart=False), likelihood=br.Bernoulli(), prior=prior),
    ):
        unknowns.require_proper(problem)


CAUCHY = br.StudentT(nu=1, scale=1.0)
POSITIVE = br.StudentT(nu=1, scale=1.0, nonnegative=True)
CROSSED = ([[1, -2], [1, -1], [1, 1], [1, 2]], [0, 0, 1, 1])
HALF_FLAT = br.Normal(np.inf, nonnegative=True)
# Two columns separate together, by a gap; neither does alone.
PAIR = np.random.default_rng(0).normal(size=(40, 3))
PAIR_Y = (PAIR[:, 1] + PAIR[:, 2] > 0).astype(float)
PAIR[:, 1] += 0.3 * (2 * PAIR_Y - 1)


@pytest.mark.parametrize(
    ("X", "y", "prior", "intercept", "proper"),
    [
        (*CROSSED, [(br.Flat(), [0]), (CAUCHY, [1])], False, False),
        ([*CROSSED[0], [0, 0]], [*CROSSED[1], 1], [(br.Flat(), [0]), (CAUCHY, [1])], False, False),
        (*CROSSED, [(HALF_FLAT, [0]), (CAUCHY, [1])], False, False),
        (*CROSSED, [(HALF_FLAT, [0]), (br.Normal(br.HalfCauchy(1.0)), [1])], False, False),
        (*CROSSED, [(br.Flat(), [0]), (br.StudentT(nu=1.5, scale=1.0), [1])], False, True),
        (*CROSSED, [(br.Flat(), [0]), (br.Laplace(1.0), [1])], False, True),
        (*CROSSED, [(br.Flat(), [0]), (br.Bridge(1.0, power=0.1), [1])], False, True),
        (*CROSSED, [(HALF_FLAT, [0]), (br.StudentT(nu=1.5, scale=1.0), [1])], False, True),
        (*CROSSED, [(HALF_FLAT, [0]), (br.Bridge(1.0, power=0.1), [1])], False, True),
        (PAIR, PAIR_Y, [(br.Flat(), [0]), (CAUCHY, [1, 2])], True, False),
        (PAIR, PAIR_Y, [(br.Flat(), [0]), (br.StudentT(1.1, 1.0), [1, 2])], True, True),
        ([[-2], [-1], [1], [2]], [0, 0, 1, 1], CAUCHY, True, False),
        ([[-2], [-1], [1], [2]], [1, 1, 0, 0], POSITIVE, True, True),
        ([[-2], [-1], [1], [2]], [0, 0, 1, 1], POSITIVE, True, False),
        (
            [[-2], [-1], [1], [2]], [1, 1, 0, 0],
            br.Normal(br.HalfCauchy(1.0), nonnegative=True), True, True,
        ),
    ],
)  # fmt: skip
def test_tails_are_held_to_the_cone_that_they_reach(
    X: object, y: object, prior: Prior, intercept: bool, proper: bool
) -> None:
    """In d dimensions without resistance tails need a power above d: powers add up."""
    problem = br.Problem(X, y, likelihood=br.Bernoulli(), prior=prior, intercept=intercept)
    if proper:
        unknowns.require_proper(problem)
    else:
        with pytest.raises(ImproperPosterior, match="no integral"):
            unknowns.require_proper(problem)


@pytest.mark.parametrize(("flat", "proper"), [(2, True), (3, False)])
def test_a_shared_scale_and_a_tail_that_move_together_add_up(flat: int, proper: bool) -> None:
    """Powers of 2 and 2: too heavy for one dimension of theirs and 3 of flat ones, not for 2."""
    apart = [np.append(side * np.eye(flat)[j], [1.0, 1.0]) for j in range(flat) for side in (1, -1)]
    tied = [np.append(np.zeros(flat), side) for side in ([1.0, -1.0], [-1.0, 1.0])]
    gains, y = np.array(apart + tied), np.arange(2 * flat + 2) % 2.0
    X, scaled = gains * (2 * y - 1)[:, None], br.Normal(br.HalfCauchy(1.0))
    blocks = [(br.Flat(), list(range(flat))), (scaled, [flat]), (CAUCHY, [flat + 1])]
    problem = br.Problem(X, y, likelihood=br.Bernoulli(), prior=blocks, intercept=False)
    if proper:
        unknowns.require_proper(problem)
    else:
        with pytest.raises(ImproperPosterior, match="scale: its prior has tails so heavy"):
            unknowns.require_proper(problem)


@pytest.mark.parametrize("prior", [CAUCHY, br.Normal(br.HalfCauchy(1.0)), br.Horseshoe(1.0)])
def test_rows_that_pin_the_intercept_leave_other_columns_free(prior: Prior) -> None:
    """Four rows of zeros hold the intercept; column 0 ranges as far as column 1 lets it."""
    X, y = [[0, 0]] * 4 + CROSSED[0], [0, 1, 0, 1, *CROSSED[1]]
    blocks = [(prior, [1]), (br.Flat(), [0])]
    with pytest.raises(ImproperPosterior, match="no integral"):
        unknowns.require_proper(br.Problem(X, y, likelihood=br.Bernoulli(), prior=blocks))


@pytest.mark.parametrize("width", [1e-100, 1.0, 1e17])
def test_the_power_of_a_tail_does_not_depend_on_its_width(width: float) -> None:
    """A normal prior wider than any number that is looked at is not flat, and not heavy."""

    def powers(prior: Prior) -> list[float]:
        problem = br.Problem(np.eye(2), [0.0, 1.0], likelihood=br.Gaussian(1.0), prior=prior)
        return tails.tail_powers(problem).tolist()

    assert powers(br.Normal(width)) == powers(br.Laplace(width)) == [np.inf] * 2
    assert powers(br.Bridge(width, power=0.05)) == [np.inf] * 2
    assert powers(br.StudentT(80.0, width)) == pytest.approx([81.0] * 2)
    assert powers(br.StudentT(0.5, width)) == pytest.approx([1.5] * 2)
    assert powers(br.Horseshoe(width)) == pytest.approx([2.0] * 2)


def test_counts_of_0_and_a_flat_coefficient_need_light_tails() -> None:
    """At distance h of the second the first ranges over 2h, unless a positive count holds it."""
    X = [[1.0, -1.0], [-1.0, -1.0], [1.0, 0.0]]

    def proper(prior: Prior, y: list[float], rows: int) -> None:
        blocks = [(br.Flat(), [0]), (prior, [1])]
        unknowns.require_proper(
            br.Problem(X[:rows], y, likelihood=br.Poisson(), prior=blocks, intercept=False)
        )

    for prior in (br.StudentT(1.0, 1.0), br.Laplace(br.HalfCauchy(1.0))):
        with pytest.raises(ImproperPosterior, match=r"counts of 0.*no integral"):
            proper(prior, [0.0, 0.0], 2)
        proper(prior, [0.0, 0.0, 3.0], 3)
    proper(br.StudentT(1.5, 1.0), [0.0, 0.0], 2)


def test_auto_goes_on_where_a_closed_form_loses_its_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What only shows while it is computed is the reason for the next sampler."""

    def lost(*_: object) -> None:
        msg = "the digits are gone"
        raise NoClosedForm(msg)

    monkeypatch.setattr(type(SAMPLERS[0]), "draw", lost)
    tree = br.sample(RIDGE, draws=20, tune=20, chains=2, seed=1)
    assert tree.attrs["method"] == "gibbs"
    assert "method 'exact' does not apply: the digits are gone" in tree.attrs["reason"]


@pytest.mark.parametrize("relative", [None, "sigma"])
def test_a_flat_scale_leaves_sigma_rows_of_its_own(relative: Literal["sigma"] | None) -> None:
    """Two flat scales need three rows; a relative one needs more rows than columns."""
    rng = np.random.default_rng(12)
    prior = br.Normal(scale=br.Flat(), relative_to=relative)
    sigma = br.HalfNormal(1.0) if relative else br.Flat()
    for n, proper in ((2 if relative is None else 4, False), (12, True)):
        X = rng.normal(size=(n, 4))
        problem = br.Problem(
            X, X[:, 0] + rng.normal(size=n), likelihood=br.Gaussian(sigma), prior=prior,
            intercept=False,
        )  # fmt: skip
        if proper:
            unknowns.require_proper(problem)
        else:
            with pytest.raises(ImproperPosterior, match="flat"):
                unknowns.require_proper(problem)
